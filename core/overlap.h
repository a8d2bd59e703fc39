/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Dependence test: whether two affine accesses may touch one byte.
 *
 * Both are blocks of bytes at a base plus a sum of strides times indices. Where an index has the
 * same value for both, only the difference of the strides counts. The blocks overlap for some
 * indices if and only if a bounded linear Diophantine inequality has a solution:
 *
 *	lo <= sum of stride * n <= hi	for integers 0 <= n <= steps of each term
 *
 * The answer "no" is proved. It is exact unless the search takes more than RONDO_OVERLAP_NODES
 * branches or 64 bits do not suffice; then it is "may".
 */
#ifndef RONDO_CORE_OVERLAP_H
#define RONDO_CORE_OVERLAP_H

#include "core/affine.h"

enum {
	RONDO_OVERLAP_TERMS = 24, /* 2 * (8 loops + 2 dimensions of an access), and some more */
	RONDO_OVERLAP_NODES = 64, /* of the search */
};

struct rondo_overlap_term {
	s64 stride; /* > 0 */
	s64 steps; /* > 0 */
};

/* The inequality above. Terms are in order of falling strides, all different. */
struct rondo_overlap {
	s64 lo, hi;
	u32 count;
	bool overflow; /* 64 bits do not suffice */
	struct rondo_overlap_term term[RONDO_OVERLAP_TERMS];
};

/* That of a block of @a_bytes at @a and one of @b_bytes at @b, without terms. */
void rondo_overlap_begin(struct rondo_overlap *g, s64 a, s64 a_bytes, s64 b, s64 b_bytes);

/* Adds the term stride * n, @from <= n <= @to, of the first block; at most as many as there is room
 * for. */
void rondo_overlap_add(struct rondo_overlap *g, s64 stride, u32 from, u32 to);

/* Whether it has a solution, or may have one; *@nodes: the branches that the search took. */
bool rondo_overlap_possible(struct rondo_overlap *g, u32 *nodes);

#endif
