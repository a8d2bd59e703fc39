/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What is known of SRAM while a stream grows: for each byte, when it was written and read last, and
 * which transfer brought it or takes it out.
 *
 * Kept as ranges of bytes with equal contents, in the order of addresses.
 */
#ifndef COMPILER_SRAM_MAP_H
#define COMPILER_SRAM_MAP_H

#include "compiler/arena.h"
#include "spec/env.h"

enum { SRAM_NO_TRANSFER = -1 };

struct sram_state {
	u64 written; /* first bundle that may read the bytes */
	u64 read; /* first bundle behind those that read them; 0: none does */
	int in, out; /* numbers of transfers, or SRAM_NO_TRANSFER */
};

struct sram_range {
	u64 lo, hi;
	struct sram_state state;
};

struct sram_map {
	struct arena *arena;
	bool failed; /* no memory */
	struct sram_range *at;
	int count, room;
};

/* One range of @bytes that nobody has touched. */
void sram_map_init(struct sram_map *m, struct arena *arena, u64 bytes);

/* Forgets all times, as at the beginning of another stream. */
void sram_map_restart(struct sram_map *m);

/* Index of the range that holds byte @at. */
int sram_map_find(const struct sram_map *m, u64 at);

/*
 * Cuts ranges so that [@lo, @hi) is whole ones, and calls @change on the state of each; ranges that
 * have become equal are joined.
 */
void sram_map_change(struct sram_map *m, u64 lo, u64 hi,
		     void (*change)(struct sram_state *s, const void *arg), const void *arg);

#endif
