/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a guest may make its host allocate, in sum. Whoever allocates because a guest said so
 * takes the bytes from the budget first, and gives them back when they are free again.
 *
 * A budget of NULL has no limit. Threads: none; a budget belongs to one thread.
 */
#ifndef RONDO_EMULATOR_BUDGET_H
#define RONDO_EMULATOR_BUDGET_H

#include <stdlib.h>

#include "spec/env.h"

struct emu_budget {
	u64 limit; /* bytes; UINT64_MAX: none */
	u64 used;
	bool exceeded; /* something was refused since its owner cleared this */
};

/* Takes room for @count elements of @size bytes; false, and nothing taken, if there is none. */
static inline bool emu_budget_take(struct emu_budget *b, u64 count, u64 size)
{
	u64 bytes;

	if (!b)
		return true;
	if (check_mul_overflow(count, size, &bytes) || bytes > b->limit - b->used) {
		b->exceeded = true;
		return false;
	}
	b->used += bytes;
	return true;
}

static inline void emu_budget_give(struct emu_budget *b, u64 count, u64 size)
{
	if (b)
		b->used -= count * size;
}

/* As calloc(), on the budget; NULL if either has not enough. */
static inline void *emu_budget_calloc(struct emu_budget *b, u64 count, u64 size)
{
	void *p;

	if (!emu_budget_take(b, count, size))
		return NULL;
	p = calloc(count, size);
	if (!p)
		emu_budget_give(b, count, size);
	return p;
}

/* Frees what emu_budget_calloc() gave, if anything. */
static inline void emu_budget_free(struct emu_budget *b, void *p, u64 count, u64 size)
{
	if (p)
		emu_budget_give(b, count, size);
	free(p);
}

#endif
