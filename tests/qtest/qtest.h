/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A QEMU with the Rondo device and no guest: the test reads and writes the machine's memory,
 * registers and PCI configuration by the qtest protocol, and talks to QEMU by QMP. The virtual
 * CPU exists (so that what interrupts it does the same as in a guest) and never runs.
 *
 * The machine is a q35 with a PCIe root port in slot 4; the device is behind it, on bus 1.
 * Whatever goes wrong with QEMU itself ends a call with false or all ones; qemu_alive() tells.
 */
#ifndef TESTS_QTEST_QTEST_H
#define TESTS_QTEST_QTEST_H

#include <stdio.h>
#include <sys/types.h>

#include "spec/device.h"

enum {
	QEMU_RAM_BYTES = 256 << 20,
	QEMU_PORT = 4, /* slot of the root port on bus 0 */
	/* Where QEMU is told to put things on the bus. */
	QEMU_BAR_REGS = 0xfe000000,
	QEMU_BAR_MSIX = 0xfe001000,
	QEMU_BAR_FAULTS = 0xfe002000,
	QEMU_BAR_BELLS = 0xfe100000,
	QEMU_ECAM = 0xb0000000, /* configuration space, 4 KiB for each function */
};

struct qemu {
	pid_t pid;
	char dir[32]; /* of its sockets, memory and messages; removed at the end */
	FILE *qtest, *qmp;
	u8 *ram; /* the machine's memory from address 0 on */
};

/*
 * Starts @binary with -device rondo,@device behind the root port, and @options (may be NULL;
 * separated by spaces), and gives the device its addresses. Exits if that fails.
 */
void qemu_start(struct qemu *q, const char *binary, const char *options, const char *device);
/* Ends QEMU; false if it had died, with what it said printed as comments. */
bool qemu_end(struct qemu *q);

/* Whether QEMU lives and its main loop answers. */
bool qemu_alive(struct qemu *q);
/* Gives the command in JSON @text; false if it is refused. */
bool qemu_command(struct qemu *q, const char *text);
/* The number that property @name of the device has, all ones if there is no such. */
u64 qemu_property(struct qemu *q, const char *name);
/* Waits for event @name. */
bool qemu_event(struct qemu *q, const char *name);
/* How many lines of QEMU's standard output and error so far hold @text. */
u32 qemu_said(const struct qemu *q, const char *text);
/* What is resident of QEMU, in bytes. */
u64 qemu_resident(const struct qemu *q);

u32 qemu_read(struct qemu *q, u64 addr);
void qemu_write(struct qemu *q, u64 addr, u32 value);

/* Configuration space: 32-bit registers. */
u32 qemu_config_read(struct qemu *q, u32 bus, u32 slot, u32 reg);
void qemu_config_write(struct qemu *q, u32 bus, u32 slot, u32 reg, u32 value);
/* Offset of capability @id, 0 if there is none. */
u32 qemu_capability(struct qemu *q, u32 bus, u32 slot, u8 id);

/* Gives the device behind the root port its addresses, bus mastering included. */
bool qemu_enumerate(struct qemu *q);

#endif
