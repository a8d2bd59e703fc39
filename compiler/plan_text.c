// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Which tiles are text, and which are loops: see plan_fit.h. */
#include "compiler/mir.h"
#include "compiler/plan_fit.h"

#include <errno.h>
#include <inttypes.h>

enum {
	PUSH_OPERATIONS = 8, /* of a push and its weights in the machine IR, loops included, */
	TILE_OPERATIONS = 32, /* and of a tile beside them, */
	ROWS_OPERATIONS = 160, /* or of one of Softmax, whose rows are loops around loops */
	ROLL_PART =
		4, /* of all that a program may have: tiles of a stage that take more are loops; */
	ROLL_PART_MAX = 64, /* where that is not enough, those that take less */
	ROLL_TILES =
		256, /* so many are loops anyway: what both ends of a loop cost is little then */
};

/* Whether stage @i has tiles that are lowered for themselves. */
static bool has_tiles(const struct fit *f, int i)
{
	const struct value *out = f->p->stages->at[i]->out.value;

	return f->p->at[i].tiled && f->p->maker[out->id] == PLAN_NO_STAGE;
}

/* What the tiles of a stage take of the text. */
struct text {
	u64 transfers; /* at least */
	u64 operations; /* of the machine IR, about */
};

static struct text text_of(const struct fit *f, int i)
{
	const struct stage *s = f->p->stages->at[i];
	const struct plan *plan = &f->p->at[i];
	u64 tiles = plan_count_tiles(s, plan->tile), columns = 1, pushes = 1, text = tiles;
	struct text t = { .transfers = plan_takes_of(f->p, f->m, s, plan, plan->tile).transfers };

	if (plan->rolled) {
		text = plan_text_tiles(s, plan, plan->tile);
		text = text < tiles ? text : tiles;
		t.transfers = (t.transfers + tiles - 1) / tiles * text;
	}
	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX) {
		columns = (u64)(plan->tile[plan_column(s)] + f->m->lanes - 1) / f->m->lanes;
		pushes = plan->cut_sums ? plan_rows(s, plan->tile) / (u64)f->m->lanes + 1 :
					  (u64)plan->k.n;
	}
	t.operations = text * columns * (pushes * PUSH_OPERATIONS + TILE_OPERATIONS);
	if (s->kind == STAGE_SOFTMAX)
		t.operations = text * ROWS_OPERATIONS;
	return t;
}

/*
 * Makes loops of the tiles of stages that would take more than @operations or @transfers of the
 * text, where they can be; what all stages take.
 */
static struct text roll_large(struct fit *f, u64 operations, u64 transfers)
{
	struct text all = { 0 };

	for (int i = 0; i < f->p->stages->count; i++) {
		struct plan *plan = &f->p->at[i];
		struct text t;

		if (!has_tiles(f, i))
			continue;
		t = text_of(f, i);
		if (!plan->rolled &&
		    (t.operations > operations || t.transfers > transfers ||
		     plan_count_tiles(f->p->stages->at[i], plan->tile) > ROLL_TILES) &&
		    plan_may_roll(f->p, f->p->stages->at[i], plan, plan->tile)) {
			plan->rolled = true;
			t = text_of(f, i);
		}
		all.operations += t.operations;
		all.transfers += t.transfers;
	}
	return all;
}

void fit_roll_tiles(struct fit *f)
{
	struct text all = { UINT64_MAX, UINT64_MAX };

	if (f->p->roll)
		roll_large(f, 0, 0);
	for (u64 part = ROLL_PART; part <= ROLL_PART_MAX; part *= 2) {
		if (all.operations <= MIR_ITEMS_MAX / 4 && all.transfers <= RONDO_DESCS_MAX / 2)
			return;
		all = roll_large(f, MIR_ITEMS_MAX / part, RONDO_DESCS_MAX / part);
	}
}

int fit_check_transfers(const struct fit *f)
{
	const struct stages *s = f->p->stages;
	u64 all = 0, most = 0;
	int worst = 0;

	for (int i = 0; i < s->count; i++) {
		u64 n;

		if (!has_tiles(f, i))
			continue;
		n = text_of(f, i).transfers;
		all += n;
		if (n <= most)
			continue;
		most = n;
		worst = i;
	}
	if (all <= RONDO_DESCS_MAX)
		return 0;
	return node_fail(f->g, s->at[worst]->node, -EFBIG,
			 "its tiles need %" PRIu64 " transfers, those of all nodes %" PRIu64
			 "; a program has at most %d",
			 most, all, RONDO_DESCS_MAX);
}
