/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The in-process front end: what of the process the device reaches. The image
 * that the device fetches at BOOT serves as the access: it ends as DMA where it
 * is refused and as TRAP, being all zeros, where it is not.
 */
#include <errno.h>

#include "core/machine.h"
#include "tests/emulator/rig.h"
#include "tests/tap.h"

static struct rondo_machine machine;
static struct inproc *host;

static u32 state(u32 shift, u32 mask)
{
	u32 status = emu_mmio_read(inproc_device(host), RONDO_BAR_REGS, RONDO_REG_HOST_STATUS, 4);

	return (status & mask) >> shift;
}

static void write_reg(u32 offset, u32 value)
{
	emu_mmio_write(inproc_device(host), RONDO_BAR_REGS, offset, value, 4);
}

static void await(enum rondo_device_state wanted)
{
	while (state(RONDO_SHIFT_HOST_STATUS_STATE, RONDO_FLD_HOST_STATUS_STATE) != wanted)
		;
}

/* Whether the device may read @size bytes at @p. */
static bool reaches(const void *p, u32 size)
{
	u32 error;

	write_reg(RONDO_REG_HOST_FW_ADDR_LO, inproc_bus(p));
	write_reg(RONDO_REG_HOST_FW_ADDR_HI, inproc_bus(p) >> 32);
	write_reg(RONDO_REG_HOST_FW_SIZE, size);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	await(RONDO_STATE_DEAD);
	error = state(RONDO_SHIFT_HOST_STATUS_ERROR, RONDO_FLD_HOST_STATUS_ERROR);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	await(RONDO_STATE_OFF);
	return error == RONDO_BOOT_TRAP;
}

static void test_create(void)
{
	const struct inproc_ops ops = { 0 };

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	machine.lanes = 63;
	tap_ok(!inproc_create(&machine, &ops), "a machine that nobody makes is refused");
	rondo_machine_init(&machine, RONDO_MACHINE_wafer);
	host = inproc_create(&machine, &ops);
	tap_ok(host, "a wafer, whose memory is not there until it is used");
	inproc_destroy(host);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	host = inproc_create(&machine, &ops);
	tap_ok(host, "the default one is made");
	inproc_destroy(NULL);
}

static void test_ranges(void)
{
	static u8 memory[8192];

	tap_ok(!reaches(memory, 4096), "nothing is reached at first");
	tap_eq(inproc_allow(host, memory, 0, true), -EINVAL, "an empty range is refused");
	tap_eq(inproc_allow(host, memory, ~(u64)0, true), -EINVAL, "and one that wraps around");
	tap_eq(inproc_allow(host, memory + 64, 1000, false), 0, "a range is allowed");
	tap_ok(reaches(memory + 64, 1000), "and reached to its end");
	tap_ok(!reaches(memory + 64, 1001), "not one byte beyond");
	tap_ok(!reaches(memory + 63, 1000), "nor before");
	tap_eq(inproc_allow(host, memory + 1064, 100, true), 0, "another that touches it");
	tap_ok(reaches(memory + 64, 1100), "they are reached as one");
	tap_eq(inproc_forbid(host, memory + 64, 999), -ENOENT, "what was not allowed is not taken");
	tap_eq(inproc_forbid(host, memory + 64, 1000), 0, "the first is taken back");
	tap_ok(!reaches(memory + 64, 1000), "and reached no more");
	tap_ok(reaches(memory + 1064, 100), "the other still is");
	tap_eq(inproc_allow(host, memory, 4096, true), 0, "a range around it");
	tap_eq(inproc_forbid(host, memory + 1064, 100), 0, "without which");
	tap_ok(reaches(memory + 1064, 100), "its bytes are reached");
}

int main(void)
{
	test_create();
	test_ranges();
	inproc_destroy(host);
	return tap_done();
}
