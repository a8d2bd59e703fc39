// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fitting plans into SRAM: see plans_fit().
 *
 * Values stay in SRAM while they fit. Where those that live while a stage is computed leave too
 * little room for what it works on, the largest of them goes outside, until its smallest tiles fit;
 * so a stage has as much room for tiles as the values that live beside it leave.
 *
 * What is outside then, and read by one stage alone, may be nowhere: tiles of that one have it
 * made, box by box, if that fits and costs less (plans.maker).
 */
#include "compiler/plan_fit.h"

#include <errno.h>
#include <inttypes.h>

enum {
	BYTES_A_CYCLE = PLAN_CHANNEL_BYTES * RONDO_DMA_CHANNELS, /* on all channels */
	OTHERS_PART = 64, /* of SRAM, what plans do not know of takes, */
	OTHERS_MAX = 1024, /* and so many bytes at most */
	CROWDED_PART = 32, /* of SRAM, what stays free each time that there were no addresses */
};

/* Bytes of SRAM for stage @i and what lives beside it. */
static u64 sram_at(const struct fit *f, int i)
{
	u64 free = f->p->crowded ? f->p->crowded[i] * (f->p->sram / CROWDED_PART) : 0;

	return f->p->sram - free;
}

/*
 * What values leave to the tiles of stage @i; not all of it, since constants that nodes share and
 * what lies between buffers take some: without that, tiles would have one buffer instead of two.
 */
u64 fit_room_at(const struct fit *f, int i)
{
	u64 others = f->p->sram / OTHERS_PART, sram = sram_at(f, i), taken;

	taken = f->live[i] + (others < OTHERS_MAX ? others : OTHERS_MAX);
	return taken < sram ? sram - taken : 0;
}

/* All there is to say of tiles that are very many. */
static int refuse_tiles(const struct fit *f, const struct stage *s, const struct plan *plan)
{
	u64 transfers = plan_takes_of(f->p, f->m, s, plan, plan->tile).transfers;

	if (transfers <= RONDO_DESCS_MAX)
		return node_fail(f->g, s->node, -EFBIG,
				 "it needs %" PRIu64 " tiles; up to %d are mapped",
				 plan_count_tiles(s, plan->tile), PLAN_TILES_MAX);
	return node_fail(f->g, s->node, -EFBIG,
			 "its tiles need %" PRIu64 " transfers, a program has at most %d",
			 transfers, RONDO_DESCS_MAX);
}

static int refuse(struct fit *f, int i)
{
	const struct stage *s = f->p->stages->at[i];
	const struct plan *plan = &f->p->at[i];

	if (f->g->err->code)
		return f->g->err->code;
	f->most_tiles = UINT64_MAX;
	if (f->live[i] <= sram_at(f, i) && fit_stage(f, i, fit_room_at(f, i)) < UINT64_MAX &&
	    plan->tiled)
		return refuse_tiles(f, s, plan);
	return node_fail(f->g, s->node, -EFBIG,
			 "the smallest tile of it needs %" PRIu64
			 " bytes of SRAM, there are %" PRIu64,
			 fit_least_bytes(f, s, plan) + f->live[i], sram_at(f, i));
}

/*
 * What stage @i costs with value @root outside, and what others then cost that touch it: it goes
 * out once and comes in for each. Inputs and outputs of the graph are there anyway.
 */
static u64 cost_without(struct fit *f, int i, u32 root)
{
	const struct value *v = f->value[root];
	u64 cost, others = f->moved[root] - fit_moved_by(f, f->p->stages->at[i], root);

	fit_set_outside(f, root, true);
	cost = fit_stage(f, i, fit_room_at(f, i));
	fit_set_outside(f, root, false);
	if (cost == UINT64_MAX || v->is_input || v->is_output)
		return cost;
	return cost + others / BYTES_A_CYCLE;
}

/*
 * The value that costs least outside, for stage @i to cost less than @least; f->values: there is
 * none. If the stage does not fit without any one of them, the largest.
 */
static u32 best_to_leave(struct fit *f, int i, u64 least)
{
	u32 best = f->values, largest = f->values;
	bool fits = least < UINT64_MAX;

	for (u32 v = 0; v < f->values && !f->g->err->code; v++) {
		u64 cost;

		if (!fit_may_leave(f, v, i))
			continue;
		if (largest == f->values || f->bytes[v] > f->bytes[largest])
			largest = v;
		if (fits && fit_lies_dense(f, v))
			continue;
		cost = cost_without(f, i, v);
		if (cost >= least)
			continue;
		least = cost;
		best = v;
	}
	return best < f->values || fits ? best : largest;
}

/* Sends values outside until stage @i fits, and as long as its tiles gain from that. */
static int make_room(struct fit *f, int i, bool *changed)
{
	for (;;) {
		u64 cost = UINT64_MAX;
		u32 v;

		if (f->live[i] <= sram_at(f, i))
			cost = fit_stage(f, i, fit_room_at(f, i));
		if (!cost)
			return 0;
		v = best_to_leave(f, i, cost);
		if (f->g->err->code)
			return refuse(f, i);
		if (v == f->values && cost < UINT64_MAX)
			return fit_stage(f, i, fit_room_at(f, i)) < UINT64_MAX ? 0 : refuse(f, i);
		if (v == f->values)
			return refuse(f, i);
		fit_send_outside(f, v);
		*changed = true;
	}
}

static int prepare(struct fit *f)
{
	struct graph *g = f->g;
	size_t n;

	for (struct value *v = g->values; v; v = v->next)
		f->values++;
	n = f->values + 1;
	f->root = graph_alloc(g, n * sizeof(*f->root));
	f->first = graph_alloc(g, n * sizeof(*f->first));
	f->last = graph_alloc(g, n * sizeof(*f->last));
	f->bytes = graph_alloc(g, n * sizeof(*f->bytes));
	f->moved = graph_alloc(g, n * sizeof(*f->moved));
	f->value = graph_alloc(g, n * sizeof(struct value *));
	f->live = graph_alloc(g, (f->p->stages->count + 1) * sizeof(*f->live));
	f->reads = graph_alloc(g, n * sizeof(*f->reads));
	f->makes = graph_alloc(g, n * sizeof(*f->makes));
	if (!f->root || !f->first || !f->last || !f->bytes || !f->moved || !f->value || !f->live ||
	    !f->reads || !f->makes)
		return g->err->code;
	for (struct value *v = g->values; v; v = v->next)
		f->value[v->id] = v;
	fit_find_lives(f);
	return 0;
}

bool plans_exceed(const struct plans *p, const struct graph *g, u64 sram)
{
	for (const struct value *v = g->values; v; v = v->next) {
		if (v->typed && (v->uses || v->is_output) && p->layout[v->id].bytes > sram)
			return true;
	}
	return false;
}

int plans_fit(struct graph *g, struct plans *p, const struct rondo_machine *machine, u64 sram)
{
	struct fit f = { .g = g, .p = p, .m = machine, .most_tiles = PLAN_TILES_MAX };
	int rc = prepare(&f);
	bool changed = p->stages->count > 0;

	p->sram = sram;
	while (changed && !rc) {
		changed = false;
		for (int i = 0; i < p->stages->count && !rc; i++)
			rc = make_room(&f, i, &changed);
	}
	if (!rc)
		rc = fit_find_makers(&f);
	if (rc)
		return rc;
	fit_roll_tiles(&f);
	return fit_check_transfers(&f);
}
