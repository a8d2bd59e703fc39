/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The matrix unit's arithmetic: what a push does to one accumulator row.
 */
#ifndef RONDO_EMULATOR_EXEC_PUSH_H
#define RONDO_EMULATOR_EXEC_PUSH_H

#include "emulator/exec/plain/alu.h"

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

void weight_set_container(struct weight_row *row, u32 lane, u32 container);
void weight_set_bytes(struct weight_row *row, u32 lane, const s16 weight[4]);

/* Adds @count containers at @x times rows @w[0..count) onto @acc, in ascending order. */
typedef void push_fn(u32 *acc, const u32 *x, const struct weight_row *w, u32 count);

/* Types of its products. */
enum push_kind {
	PUSH_F32,
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

#endif
