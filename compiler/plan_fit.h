/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of plans_fit() share. */
#ifndef COMPILER_PLAN_FIT_H
#define COMPILER_PLAN_FIT_H

#include "compiler/plan_cost.h"

enum {
	FIT_NOBODY = -1,
};

struct fit {
	struct graph *g;
	struct plans *p;
	const struct rondo_machine *m;
	u32 values;
	u32 *root; /* by value: one of those that are Views or parts of one another */
	int *first, *last; /* by root: the stages between which it lives; FIT_NOBODY */
	u64 *bytes; /* by root */
	u64 *moved; /* by root: bytes of it that all stages read and write */
	struct value **value; /* by value */
	u64 *live; /* by stage: bytes of the values in SRAM while it is computed */
	u32 *reads, *makes; /* by value: accesses of stages to it */
	u64 most_tiles; /* of a stage */
};

/* ---- plan_live.c: which values live where, and how long -------------------------------------- */

/* Finds f->root, first, last, bytes, moved and live. */
void fit_find_lives(struct fit *f);

/* Bytes of value @root that stage @s reads and writes, if it does any work. */
u64 fit_moved_by(const struct fit *f, const struct stage *s, u32 root);

/*
 * Whether value @root must lie row-major outside: outputs do, and what is seen as of another shape,
 * so that a tile of it is a box.
 */
bool fit_lies_dense(const struct fit *f, u32 root);

/* Whether @root and its Views are outside, or in SRAM; the second gives them their layouts, too. */
void fit_set_outside(struct fit *f, u32 root, bool outside);
void fit_send_outside(struct fit *f, u32 root);

/* Whether value @root is in SRAM while stage @i is computed, and worth sending out. */
bool fit_may_leave(const struct fit *f, u32 root, int i);

/* ---- plan_tiles.c: the tiles of one stage ---------------------------------------------------- */

/*
 * Plans stage @i for @room bytes beside the values that live. What its tiles cost; UINT64_MAX: it
 * does not fit.
 */
u64 fit_stage(struct fit *f, int i, u64 room);

/*
 * What tiles of @size points cost: the time that they take, and what they move, which costs energy
 * even where it takes no time.
 */
u64 fit_cost(const struct fit *f, const struct stage *s, const struct plan *plan, const s64 *size);

/* Bytes that the smallest tile of @s needs. */
u64 fit_least_bytes(const struct fit *f, const struct stage *s, const struct plan *plan);

/* ---- plan_fit.c ------------------------------------------------------------------------------ */

/* What values leave to the tiles of stage @i. */
u64 fit_room_at(const struct fit *f, int i);

/* ---- plan_maker.c: what is made box by box --------------------------------------------------- */

int fit_find_makers(struct fit *f);

/* ---- plan_text.c: which tiles are text, and which are loops ---------------------------------- */

/* Tiles are text where that is not much: then transfers of all stages go on beside each other. */
void fit_roll_tiles(struct fit *f);

/* A program has so many transfers: what needs more is told before it is lowered. */
int fit_check_transfers(const struct fit *f);

#endif
