/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Device time by a clock that the test sets: what it follows, when it stands, and its two halves,
 * which belong together. argv[1]: the image of tests/emulator/script.S.
 */
#include <stdatomic.h>

#include "core/machine.h"
#include "tests/emulator/rig.h"
#include "tests/tap.h"

/* The host: its memory is that of the process. */
static atomic_ullong now_ns; /* what the host's clock says next */
static atomic_uint step_ns; /* and by how much it is ahead each time */
static struct emu_device *dev;
static _Alignas(RONDO_PAGE_BYTES) u8 image[RONDO_PAGE_BYTES], script[RONDO_PAGE_BYTES];
static u64 image_bytes;

static void *dma_map(void *ctx, u64 addr, u64 *size, bool write)
{
	(void)ctx;
	(void)size;
	(void)write;
	return (void *)(uintptr_t)addr;
}

static void dma_unmap(void *ctx, void *p, u64 size, bool write)
{
	(void)ctx;
	(void)p;
	(void)size;
	(void)write;
}

static void irq(void *ctx, u32 vector)
{
	(void)ctx;
	(void)vector;
}

static u64 clock_ns(void *ctx)
{
	(void)ctx;
	return atomic_fetch_add(&now_ns, atomic_load(&step_ns));
}

static const struct emu_host_ops ops = {
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.irq = irq,
	.clock_ns = clock_ns,
};

static u64 read_reg(u32 offset, u32 size)
{
	return emu_mmio_read(dev, RONDO_BAR_REGS, offset, size);
}

static void write_pair(u32 offset, u64 value)
{
	emu_mmio_write(dev, RONDO_BAR_REGS, offset, (u32)value, 4);
	emu_mmio_write(dev, RONDO_BAR_REGS, offset + 4, value >> 32, 4);
}

static u64 device_time(void)
{
	return read_reg(RONDO_REG_HOST_TIME_LO, 8);
}

/* Waits until the core sleeps: then time follows the clock. */
static void await_idle(void)
{
	u64 before;

	do {
		before = device_time();
		atomic_fetch_add(&now_ns, 1000);
	} while (device_time() != before + 1000);
}

static void boot(void)
{
	write_pair(RONDO_REG_HOST_FW_ADDR_LO, (uintptr_t)image);
	write_pair(RONDO_REG_HOST_INIT_ADDR_LO, (uintptr_t)script);
	emu_mmio_write(dev, RONDO_BAR_REGS, RONDO_REG_HOST_FW_SIZE, image_bytes, 4);
	emu_mmio_write(dev, RONDO_BAR_REGS, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT, 4);
	while (!read_reg(RONDO_REG_HOST_FW_STATE, 4))
		;
	await_idle();
}

static void test_stands(void)
{
	tap_eq(device_time(), 0, "OFF: no time");
	atomic_fetch_add(&now_ns, 1000000);
	tap_eq(device_time(), 0, "and none passes");
}

static void test_follows(void)
{
	u64 before;

	boot();
	before = device_time();
	tap_ok(before < 100000, "a boot is the core's few instructions");
	atomic_fetch_add(&now_ns, 123456789);
	tap_eq(device_time() - before, 123456789, "idle, at 1 GHz a nanosecond is a cycle");
}

/* The clock is a nanosecond ahead each time it is asked: a half of another moment shows. */
static void test_halves(void)
{
	const u64 wrap = 1ull << 32;
	u64 time = device_time(), last, wrong = 0;

	atomic_fetch_add(&now_ns, wrap - 100 - time);
	atomic_store(&step_ns, 1);
	for (last = device_time(); last < wrap + 100; last = time) {
		time = device_time();
		wrong += time <= last || time - last > 4;
	}
	tap_eq(wrong, 0, "the halves of an 8-byte read belong together");
	atomic_store(&step_ns, 0);
	time = device_time();
	tap_ok(read_reg(RONDO_REG_HOST_TIME_LO, 4) == (u32)time &&
		       read_reg(RONDO_REG_HOST_TIME_HI, 4) == time >> 32,
	       "and are what each reads by itself");
}

static void test_reset(void)
{
	u64 time = device_time();

	emu_fault_set(dev, EMU_FAULT_fw_silent, 1);
	await_idle();
	tap_ok(device_time() > time, "a silent core does not stop the time");
	emu_mmio_write(dev, RONDO_BAR_BELLS, 0, 1, 4);
	await_idle();
	emu_fault_set(dev, EMU_FAULT_fw_silent, 0);
	emu_reset(dev);
	while (read_reg(RONDO_REG_HOST_STATUS, 4) != RONDO_STATE_OFF)
		;
	tap_eq(device_time(), 0, "a reset begins it anew");
}

int main(int argc, char **argv)
{
	struct rondo_machine machine;
	FILE *f;

	if (argc < 2) {
		tap_skip("time", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	f = fopen(argv[1], "rb");
	image_bytes = f ? fread(image, 1, sizeof(image), f) : 0;
	if (f)
		fclose(f);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	dev = emu_create(&machine, &ops, NULL, UINT64_MAX);
	test_stands();
	test_follows();
	test_halves();
	test_reset();
	emu_destroy(dev);
	return tap_done();
}
