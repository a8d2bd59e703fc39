// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Lane patterns: elements that do not lie one after the other are copied to where they do,
 * and back.
 */
#include "emulator/exec/fast/state.h"

#include <string.h>

#define ONES_8 ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u
#define ONES_64 ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8

const u32 fast_masks[2 * RONDO_LANES_MAX] = { ONES_64 };

/* One element in each segment: a column. The size is a constant where this is expanded. */
#define COLUMN(type)                        \
	for (u32 i = 0; i < op->count; i++) \
	memcpy(to + i * to_step, from + i * from_step, sizeof(type))

static void copy_column(const struct fast_op *op, u32 size, u8 *to, ptrdiff_t to_step,
			const u8 *from, ptrdiff_t from_step)
{
	switch (size) {
	case 1:
		COLUMN(u8);
		break;
	case 2:
		COLUMN(u16);
		break;
	default:
		COLUMN(u32);
	}
}

const u8 *fast_gather(const struct fast_op *op, const u8 *at, u32 size, u8 *scratch)
{
	u32 i, run, segment = 0;

	if (op->seg_len == 1) {
		copy_column(op, size, scratch, size, at, op->seg_stride);
		return scratch;
	}
	for (i = 0; i < op->count; i += run, segment++) {
		run = op->seg_len < op->count - i ? op->seg_len : op->count - i;
		memcpy(scratch + i * size, at + (s64)segment * op->seg_stride, run * size);
	}
	return scratch;
}

void fast_scatter(const struct fast_op *op, u8 *at, u32 size, const u8 *from)
{
	u32 i, run, segment = 0;
	u32 len = op->seg_len ? op->seg_len : op->count;

	if (len == 1) {
		copy_column(op, size, at, op->seg_stride, from, size);
		return;
	}
	for (i = 0; i < op->count; i += run, segment++) {
		run = len < op->count - i ? len : op->count - i;
		memcpy(at + (s64)segment * op->seg_stride, from + i * size, run * size);
	}
}
