/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The operations of L, S, W and M: what each does to data, without where that is.
 */
#ifndef RONDO_EMULATOR_EXEC_SLOTS_H
#define RONDO_EMULATOR_EXEC_SLOTS_H

#include "emulator/exec/plain/push.h"

/* Those parts that an operation does not have are NULL. */
struct slot_meaning {
	/* L: containers @d of @count elements of one row in SRAM. */
	void (*widen)(const u8 *bytes, u32 count, u32 *d);
	/* L and S: a register from an accumulator row and three registers of parameters. */
	void (*readout)(const u32 *row, const exec_vreg *params, u32 *d);
	/* S: elements of SRAM from @count containers. */
	void (*narrow)(const u32 *x, u32 count, u8 *bytes);
	/* W: lane @lane of a row from a container. */
	void (*weigh)(struct weight_row *row, u32 lane, u32 container, u8 zp);
	/* M: the product, or PUSH_NONE if the row is set. */
	enum push_kind push;
};

/* By opcode. */
extern const struct slot_meaning slot_meaning[RONDO_OPCODES];

#endif
