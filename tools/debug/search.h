/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Breakpoints. Each stands for a set of cycles: those in which a bundle becomes due, a layer is
 * entered, a byte or register is read or written. Going forwards stops at the next cycle after the
 * position that is in any of the sets, going backwards at the last one before it. Either way the
 * position is before that cycle: the access happens in the next step.
 */
#ifndef TOOLS_DEBUG_SEARCH_H
#define TOOLS_DEBUG_SEARCH_H

#include "tools/debug/session.h"

enum { BREAKS_MAX = 64, BREAK_TEXT_BYTES = 128 };

enum break_kind {
	BREAK_BUNDLE, /* bundle lo..hi becomes due */
	BREAK_LAYER, /* a bundle of `layer` does, after one that is not of it */
	BREAK_CYCLE, /* lo */
	BREAK_SRAM, /* bytes lo..hi */
	BREAK_REGISTER, /* registers lo..hi; a write counts where it lands */
	BREAK_ACCUMULATOR, /* rows lo..hi */
	BREAK_WEIGHT, /* rows lo..hi of buffer `index` are written */
	BREAK_SLOT, /* bytes lo..hi of slot `index`, by DMA */
};

struct breakpoint {
	u32 number; /* as the user knows it, from 1 */
	enum break_kind kind;
	u64 lo, hi; /* inclusive */
	u32 index;
	const char *layer;
	bool read, write; /* of accesses: which ones */
};

/* One breakpoint that is hit. */
struct break_hit {
	const struct breakpoint *breakpoint; /* NULL: none, the session stands at an end */
	struct reference_access access; /* for kinds that are accesses */
};

/* Goes to the next, or the previous, cycle in which one of @count is hit. False: interrupted. */
bool search_forwards(struct session *s, const struct breakpoint *breaks, u32 count,
		     struct break_hit *hit);
bool search_backwards(struct session *s, const struct breakpoint *breaks, u32 count,
		      struct break_hit *hit);

#endif
