// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What programs are compiled with and the library must therefore never change: the sizes of the
 * structs of accel.h, the places of their members, and the values of its constants.
 */
#include <stddef.h>

#include "tests/tap.h"
#include "userspace/libaccel/accel.h"

static const struct {
	const char *name;
	unsigned long is, was;
} rows[] = {
#define ROW(constant, value)                                        \
	{                                                           \
		.name = #constant, .is = (constant), .was = (value) \
	}
#define SIZE(type, value)                                                           \
	{                                                                           \
		.name = "size of " #type, .is = sizeof(struct type), .was = (value) \
	}
#define AT(type, member, value)                                                                \
	{                                                                                      \
		.name = #type "." #member, .is = offsetof(struct type, member), .was = (value) \
	}
	SIZE(accel_error, 256),
	AT(accel_error, reason, 0),
	AT(accel_error, index, 4),
	AT(accel_error, slot, 8),
	AT(accel_error, text, 12),
	/* This one may grow: accel_device_info() is told its size. */
	AT(accel_info, backend, 0),
	AT(accel_info, machine_hash, 16),
	AT(accel_info, cycles_max, 24),
	AT(accel_info, buffer_size_max, 32),
	AT(accel_info, clock_khz, 40),
	AT(accel_info, firmware, 44),
	AT(accel_info, bundles_max, 48),
	AT(accel_info, slots_max, 52),
	AT(accel_info, entries_max, 56),
	AT(accel_info, descs_max, 60),
	AT(accel_info, replays_max, 64),
	AT(accel_info, offsets_max, 68),
	/* This one may grow, too, as may accel_fence_times: their sizes are told. */
	AT(accel_device_entry, name, 0),
	AT(accel_device_entry, backend, 64),
	AT(accel_device_entry, machine, 80),
	AT(accel_device_entry, machine_hash, 112),
	AT(accel_device_entry, driver, 120),
	AT(accel_device_entry, firmware, 124),
	AT(accel_device_entry, error, 128),
	AT(accel_device_entry, reserved, 132),
	AT(accel_device_entry, text, 136),
	AT(accel_fence_times, queued, 0),
	AT(accel_fence_times, started, 8),
	AT(accel_fence_times, ended, 16),
	AT(accel_fence_times, cycles, 24),
	AT(accel_fence_times, energy_j, 32),
	SIZE(accel_pool_options, 32),
	AT(accel_pool_options, instances, 0),
	AT(accel_pool_options, queues, 4),
	AT(accel_pool_options, weight, 8),
	AT(accel_pool_options, flags, 12),
	AT(accel_pool_options, budget, 16),
	AT(accel_pool_options, reserved, 24),
	ROW(ACCEL_POOL_TIMES, 1),
	SIZE(accel_slot_buffer, 24),
	AT(accel_slot_buffer, slot, 0),
	AT(accel_slot_buffer, reserved, 4),
	AT(accel_slot_buffer, buffer, 8),
	AT(accel_slot_buffer, offset, 16),
	SIZE(accel_clock, 16),
	AT(accel_clock, device_cycles, 0),
	AT(accel_clock, monotonic_ns, 8),
	SIZE(accel_tensor, 112),
	AT(accel_tensor, name, 0),
	AT(accel_tensor, kind, 8),
	AT(accel_tensor, dtype, 12),
	AT(accel_tensor, slot, 16),
	AT(accel_tensor, rank, 20),
	AT(accel_tensor, dim, 24),
	AT(accel_tensor, offset, 88),
	AT(accel_tensor, bytes, 96),
	AT(accel_tensor, scale, 104),
	AT(accel_tensor, zero_point, 108),
	SIZE(accel_slot_info, 40),
	AT(accel_slot_info, size, 0),
	AT(accel_slot_info, align, 8),
	AT(accel_slot_info, dynamic, 16),
	AT(accel_slot_info, alias, 20),
	AT(accel_slot_info, data, 24),
	AT(accel_slot_info, data_size, 32),
	SIZE(accel_region, 16),
	AT(accel_region, name, 0),
	AT(accel_region, first, 8),
	AT(accel_region, count, 12),
	SIZE(accel_energy, 56),
	AT(accel_energy, compute_j, 0),
	AT(accel_energy, movement_j, 8),
	AT(accel_energy, bundles, 16),
	AT(accel_energy, macs, 24),
	AT(accel_energy, vector_lanes, 32),
	AT(accel_energy, sram_bytes, 40),
	AT(accel_energy, dma_bytes, 48),
	SIZE(accel_slot_binding, 16),
	AT(accel_slot_binding, buffer, 0),
	AT(accel_slot_binding, offset, 8),
	SIZE(accel_offset, 16),
	AT(accel_offset, slot, 0),
	AT(accel_offset, reserved, 4),
	AT(accel_offset, offset, 8),
	SIZE(accel_replay, 24),
	AT(accel_replay, binding, 0),
	AT(accel_replay, offsets, 8),
	AT(accel_replay, offset_count, 16),
	AT(accel_replay, reserved, 20),
	SIZE(accel_sync, 16),
	AT(accel_sync, handle, 0),
	AT(accel_sync, reserved, 4),
	AT(accel_sync, point, 8),
	SIZE(accel_job, 40),
	AT(accel_job, replays, 0),
	AT(accel_job, in_syncs, 8),
	AT(accel_job, out_syncs, 16),
	AT(accel_job, replay_count, 24),
	AT(accel_job, in_count, 28),
	AT(accel_job, out_count, 32),
	AT(accel_job, reserved, 36),
	ROW(sizeof(enum accel_dtype), 4),
	ROW(ACCEL_F32, 1),
	ROW(ACCEL_U8, 2),
	ROW(ACCEL_S8, 3),
	ROW(ACCEL_S32, 6),
	ROW(ACCEL_S64, 7),
	ROW(ACCEL_BOOL, 9),
	ROW(sizeof(enum accel_kind), 4),
	ROW(ACCEL_INPUT, 0),
	ROW(ACCEL_OUTPUT, 1),
	ROW(ACCEL_TENSOR_DIMS, 8),
	ROW(ACCEL_MACHINE_BYTES, 64),
	ROW(ACCEL_WEIGHT_DEFAULT, 64),
	ROW(ACCEL_UNKNOWN, 0xffffffff),
	ROW(ACCEL_FOREVER, 0x7fffffffffffffff),
};

int main(void)
{
	size_t i;

	if (sizeof(void *) != 8) {
		tap_skip("the layout of accel.h", "it is written down for 64-bit pointers");
		return tap_done();
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_eq(rows[i].is, rows[i].was, rows[i].name);
	return tap_done();
}
