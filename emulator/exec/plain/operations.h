/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What operations do to data, and nothing else: vector operations (alu.c), the matrix unit
 * (push.c), loads, stores and weights without where they are (slots.c), operations between tiles
 * (tiles.c).
 */
#ifndef RONDO_EMULATOR_EXEC_OPERATIONS_H
#define RONDO_EMULATOR_EXEC_OPERATIONS_H

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
/* The same, as fast as this host can: the same bits. */
alu_fn *const *alu_best(void);

/*
 * A row of a weight buffer. An element has 36 bits: four 9-bit fields, field n in
 * bits 9n+8..9n. It is kept in the two ways it can be read: as a container, which
 * is bits 31..0, and as four signed weights, which are the fields. A container is
 * loaded with bits 35..32 zero.
 */
struct weight_row {
	exec_vreg container;
	s16 weight[4][RONDO_LANES_MAX];
};

void weight_set(struct weight_row *row, u32 lane, u64 element);
void weight_set_bytes(struct weight_row *row, u32 lane, const s16 weight[4]);

/* Adds @count containers at @x times rows @w[0..count) onto @acc, in ascending order. */
typedef void push_fn(u32 *acc, const u32 *x, const struct weight_row *w, u32 count);

/* Types of its products. */
enum push_kind {
	PUSH_F32,
	PUSH_F32_SPARSE,
	PUSH_BF16,
	PUSH_S8,
	PUSH_U8,
	PUSH_KINDS,
	PUSH_NONE = PUSH_KINDS,
};

/* By enum push_kind. Those of @each take for each container a register, one for each lane. */
struct push_kernels {
	push_fn *one[PUSH_KINDS], *each[PUSH_KINDS];
};

/* Those that this host can run, best first; NULL from some @index >= 1 on. Same bits from all. */
const struct push_kernels *push_kernels(u32 index);

/* Those parts that an operation does not have are NULL. */
struct slot_meaning {
	/* L: containers @d of @count elements of one row in SRAM. */
	void (*widen)(const u8 *bytes, u32 count, u32 *d);
	/* L and S: a register from an accumulator row, or another, and three of parameters. */
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

/*
 * The operations between tiles: whose operand each tile gets. What one does on a machine of one
 * tile is in alu_ops, and is what a reduction does to its first operand.
 */

/*
 * Either a reduction over the row or column of the tile (rondo_op_along_row()) with the vector
 * operation fold; or the register of the tile with number imm in it, if the operation names a tile;
 * or that of the tile dx columns to the east and dy rows to the south.
 */
struct crossing {
	u8 fold; /* enum rondo_opcode */
	s8 dx, dy;
};

/* By opcode; of operations that read other tiles. */
extern const struct crossing crossings[RONDO_OPCODES];

#endif
