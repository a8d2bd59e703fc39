/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What is known of SRAM while a stream grows: for each byte, when it was written and read last, and
 * which transfer brought it or takes it out.
 *
 * Kept as ranges of bytes with equal contents, in the order of addresses, in blocks of a few: there
 * are thousands of ranges, and each change makes and ends some among them.
 */
#ifndef COMPILER_SRAM_MAP_H
#define COMPILER_SRAM_MAP_H

#include "compiler/arena.h"
#include "spec/env.h"

enum { SRAM_NO_TRANSFER = -1, SRAM_BLOCK_RANGES = 32 };

struct sram_state {
	u64 written; /* first bundle that may read the bytes */
	u64 read; /* first bundle behind those that read them; 0: none does */
	int in, out; /* numbers of transfers, or SRAM_NO_TRANSFER */
};

struct sram_range {
	u64 lo, hi;
	struct sram_state state;
};

struct sram_block {
	struct sram_block *next_unused;
	int count; /* at least 1 */
	struct sram_range at[SRAM_BLOCK_RANGES];
};

struct sram_map {
	struct arena *arena;
	bool failed; /* no memory: the map does not change any more */
	struct sram_block **block, *unused;
	int count, room; /* of blocks */
};

/* Where a range is, until the map changes. */
struct sram_place {
	int block, range;
};

/* One range of @bytes that nobody has touched. */
void sram_map_init(struct sram_map *m, struct arena *arena, u64 bytes);

/* Forgets all times, as at the beginning of another stream. */
void sram_map_restart(struct sram_map *m);

/* The range that holds byte @at; the last one where there is no such byte. */
struct sram_place sram_map_find(const struct sram_map *m, u64 at);

/* The range behind that of @p. */
struct sram_place sram_map_next(const struct sram_map *m, struct sram_place p);

/* The range of @p; NULL behind the last one. */
struct sram_range *sram_map_at(const struct sram_map *m, struct sram_place p);

/* For each range @r, at place @p, that holds some of the bytes [@first, @end). */
#define sram_map_for_each(m, p, r, first, end)                                           \
	for (p = sram_map_find(m, first); (r = sram_map_at(m, p)) && r->lo < (u64)(end); \
	     p = sram_map_next(m, p))

/*
 * Cuts ranges so that [@lo, @hi) is whole ones, and calls @change on the state of each; ranges that
 * have become equal are joined.
 */
void sram_map_change(struct sram_map *m, u64 lo, u64 hi,
		     void (*change)(struct sram_state *s, const void *arg), const void *arg);

#endif
