/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The vector operations: what each does to registers, and nothing else.
 */
#ifndef RONDO_EMULATOR_EXEC_ALU_H
#define RONDO_EMULATOR_EXEC_ALU_H

#include "core/isa.h"

/*
 * Registers have RONDO_LANES_MAX lanes on every machine. On one with fewer lanes they hold the
 * same register of several tiles side by side, or of one, and the rest does not matter.
 */
typedef u32 exec_vreg[RONDO_LANES_MAX];

/* The operands of one operation; those it does not have are not looked at. */
struct alu_args {
	u32 *d; /* a register's worth, apart from all operands */
	const u32 *a, *b, *c;
	const exec_vreg *params; /* three registers */
	s32 imm;
	u32 shift;
	u32 lanes; /* of the machine */
};

typedef void alu_fn(const struct alu_args *x);

/* By opcode; NULL if it is no vector operation. */
extern alu_fn *const alu_ops[RONDO_OPCODES];

#endif
