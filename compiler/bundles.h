/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Bundles: the text of a program, as a tree of bundles and loops around them.
 */
#ifndef COMPILER_BUNDLES_H
#define COMPILER_BUNDLES_H

#include "compiler/stream.h"

struct bundle_step {
	s32 bytes;
	s16 rows;
};

/* One slot of a bundle. There are very many of them, most of them in few loops. */
struct bundle_slot {
	const struct stream_run *run;
	s32 address; /* at the first trips of all loops, */
	u16 row;
	u16 loops; /* and how each of those around moves them, outermost first; others do not */
	struct bundle_step step[];
};

struct bundle_list {
	struct bundle_node *first, *last;
};

enum bundle_kind { BUNDLE, BUNDLE_LOOP, BUNDLE_MARK };

struct bundle_node {
	enum bundle_kind kind;
	int nest; /* loops that a bundle opens around the body of the loop behind it, 0..3 */
	struct bundle_node *next, *prev;
	union {
		struct { /* BUNDLE */
			struct bundle_slot *slot[RONDO_SLOTS_PER_BUNDLE]; /* NULL: empty */
			u64 nest_trips[3]; /* outermost first */
		};
		struct { /* BUNDLE_LOOP */
			u64 trips; /* at least 2; once it is rolled, the bundle before says it */
			struct bundle_list body;
			const struct bundle_node *model; /* then: what it was made from */
		};
		const struct stream_mark *mark; /* BUNDLE_MARK: a region begins */
	};
};

/* What bundles are made of: memory, and the reason why there can be no more. */
struct bundle_maker {
	struct arena *arena;
	int error; /* 0; -ENOMEM; -EFBIG: BUNDLE_NODES_MAX nodes; -E2BIG: loops too deep */
	int nodes;
	const struct stream_mark *mark; /* what the last node is made for; NULL: none */
	int since; /* nodes when it began */
	const struct stream_mark *largest; /* for what most of them are made, */
	int most; /* and how many */
};

enum { BUNDLE_NODES_MAX = RONDO_BUNDLES_MAX };

/* A new node without a place; NULL, and m->error, when there can be no more. */
struct bundle_node *bundle_node(struct bundle_maker *m, enum bundle_kind kind);
struct bundle_slot *bundle_slot(struct bundle_maker *m, const struct stream_run *run, int loops);

/* What is made from now on is for @mark, or for nobody. */
void bundle_mark(struct bundle_maker *m, const struct stream_mark *mark);

void bundle_append(struct bundle_list *l, struct bundle_node *n);

/*
 * Merges the runs of @s and the streams behind it into bundles and loops that execute as the
 * streams say; loops have no bundle that opens them yet. Work and text are proportional to how
 * often the runs change, not to trips. m->error.
 */
struct bundle_list bundles_merge(struct bundle_maker *m, const struct stream *s);

/*
 * Gives every loop of @l, whose nodes are taken, a bundle that opens it, one that executes anyway:
 * trips are peeled off where there is none. m->error.
 */
struct bundle_list bundles_roll(struct bundle_maker *m, const struct bundle_list *l);

/*
 * Whether @l, which is rolled, executes as many bundles as @s and the streams behind it, with every
 * loop opened by the bundle before it, none too deep, and strides of loops around only. What is
 * wrong, or NULL.
 */
const char *bundles_check(const struct bundle_list *l, const struct stream *s);

/* Bundles in the text of @l. */
u64 bundles_count(const struct bundle_list *l);

void bundles_print(const struct bundle_list *l, FILE *out);

#endif
