// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fitting plans into SRAM: see plans_fit().
 *
 * Values stay in SRAM while they fit. Where those that live while a stage is computed leave too
 * little room for what it works on, the largest of them goes outside, until its smallest tiles fit;
 * so a stage has as much room for tiles as the values that live beside it leave. Of all ways to cut
 * a stage that fit, the one is taken that takes the least time to move.
 *
 * What is outside then, and read by one stage alone, may be nowhere: tiles of that one have it
 * made, box by box, if that fits and costs less (plans.maker).
 */
#include "compiler/mir.h"
#include "compiler/plan_cost.h"

#include <errno.h>
#include <inttypes.h>

enum {
	BYTES_A_CYCLE = PLAN_CHANNEL_BYTES * RONDO_DMA_CHANNELS, /* on all channels */
	ENERGY_PART = 2, /* of a cycle, what a cycle of all channels is worth that takes no time */
	PIECES_AHEAD = 3,
	WINDOWS = 3, /* sizes of the room for pieces that are tried: a part of SRAM each */
	WINDOW_PART = 4, /* the largest; the next ones are half of the one before */
	OTHERS_PART = 64, /* of SRAM, what plans do not know of takes, */
	OTHERS_MAX = 1024, /* and so many bytes at most */
	SUMS_TRIED = 4, /* numbers of pixels, for each number of columns */
	TRANSFERS_MAX = RONDO_DESCS_MAX - RONDO_DESCS_MAX / 32, /* of a stage */
	OUTSIDE_MIN = 512, /* bytes of a value that is worth sending out */
	CROWDED_PART = 32, /* of SRAM, what stays free each time that there were no addresses, */
	CROWDED_VALUES = 2, /* between values so often, then between tiles, too: */
	SLACK_MAX = 4, /* eighths of their room */
	PUSH_OPERATIONS = 8, /* of a push and its weights in the machine IR, loops included, */
	TILE_OPERATIONS = 32, /* and of a tile beside them, */
	ROWS_OPERATIONS = 160, /* or of one of Softmax, whose rows are loops around loops */
	ROLL_PART =
		4, /* of all that a program may have: tiles of a stage that take more are loops; */
	ROLL_PART_MAX = 64, /* where that is not enough, those that take less */
	NOBODY = -1,
};

struct fit {
	struct graph *g;
	struct plans *p;
	const struct rondo_machine *m;
	u32 values;
	u32 *root; /* by value: one of those that are Views or parts of one another */
	int *first, *last; /* by root: the stages between which it lives */
	u64 *bytes; /* by root */
	u64 *moved; /* by root: bytes of it that all stages read and write */
	struct value **value; /* by value */
	u64 *live; /* by stage: bytes of the values in SRAM while it is computed */
	u32 *reads, *makes; /* by value: accesses of stages to it */
	u64 most_tiles; /* of a stage */
};

static u64 no_less(u64 a, u64 b)
{
	return a > b ? a : b;
}

static s64 round_up(s64 n, s64 to)
{
	return (n + to - 1) / to * to;
}

/* Bytes of SRAM for stage @i and what lives beside it. */
static u64 sram_at(const struct fit *f, int i)
{
	u64 free = f->p->crowded ? f->p->crowded[i] * (f->p->sram / CROWDED_PART) : 0;

	return f->p->sram - free;
}

/* Bytes of @room that tiles of stage @i leave free between them. */
static u64 slack_at(const struct fit *f, int i, u64 room)
{
	u64 times = f->p->crowded ? f->p->crowded[i] : 0;

	times = times > CROWDED_VALUES ? times - CROWDED_VALUES : 0;
	return room * (times < SLACK_MAX ? times : SLACK_MAX) / 8;
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* Tiles are whole numbers of these along dimension @d: vectors, where it lies in the lanes. */
static s64 granule(const struct fit *f, const struct stage *s, const struct plan *plan, int d)
{
	int inner = s->dims - s->reduced - 1;

	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_VECTOR)
		inner = 1;
	while (s->kind != STAGE_PRODUCT && inner > 0 && s->size[inner] == 1)
		inner--;
	return d == inner ? f->m->lanes : 1;
}

static bool fits(const struct fit *f, const struct stage *s, const struct plan *plan,
		 const s64 *size, u64 room)
{
	return plan_takes_of(f->p, f->m, s, plan, size).bytes <= room;
}

/*
 * Whether tiles of @size points may be cut along @d, so that what they make is boxes: not where a
 * dimension that is whole counts larger steps of the same coordinate.
 */
static bool may_cut(const struct stage *s, const s64 *size, int d)
{
	if (!stage_may_cut(s, d))
		return false;
	for (int i = 0; i < s->out.as.rank; i++) {
		for (int e = 0; s->out.step[i][d] && e < s->dims; e++) {
			if (size[e] > 1 && s->out.step[i][e] > s->out.step[i][d])
				return false;
		}
	}
	return true;
}

/* @n in as few parts of at most @most as that takes, all about as large and multiples of @grain. */
static s64 even_part(s64 n, s64 most, s64 grain)
{
	s64 parts = (n + most - 1) / most, part = round_up((n + parts - 1) / parts, grain);

	return part < n ? part : n;
}

/*
 * Cuts along @d until the tile fits, or no further, to a multiple of @grain; then as little as that
 * takes.
 */
static bool cut_along(const struct fit *f, const struct stage *s, const struct plan *plan, int d,
		      s64 grain, u64 room, s64 *size)
{
	s64 too_large;

	while (!fits(f, s, plan, size, room)) {
		if (size[d] <= grain)
			return false;
		too_large = size[d];
		size[d] = round_up((size[d] + 1) / 2, grain);
		if (size[d] == too_large)
			size[d] -= grain;
		if (!fits(f, s, plan, size, room))
			continue;
		for (s64 lo = size[d]; too_large - lo > grain;) {
			s64 middle = lo + round_up((too_large - lo) / 2, grain);

			if (middle >= too_large)
				break;
			size[d] = middle;
			if (fits(f, s, plan, size, room))
				lo = middle;
			else
				too_large = middle;
			size[d] = lo;
		}
	}
	size[d] = even_part(s->size[d], size[d], grain);
	return true;
}

/*
 * Cuts @size along @d first, then along the others from the outermost on; where a few lanes are all
 * that there is room for, there.
 */
static bool cut(const struct fit *f, const struct stage *s, const struct plan *plan, int d,
		u64 room, s64 *size)
{
	int most = plan->columns_first ? plan_column(s) : s->dims;

	if (may_cut(s, size, d) && cut_along(f, s, plan, d, granule(f, s, plan, d), room, size))
		return true;
	for (int i = 0; i < most; i++) {
		if (i != d && may_cut(s, size, i) &&
		    cut_along(f, s, plan, i, granule(f, s, plan, i), room, size))
			return true;
	}
	for (int i = 0; i < s->dims && plan->unit == PLAN_VECTOR; i++) {
		if (granule(f, s, plan, i) > 1 && may_cut(s, size, i) &&
		    cut_along(f, s, plan, i, 1, room, size))
			return true;
	}
	return fits(f, s, plan, size, room);
}

/* Whether another stage makes an input of @s, box by box. */
static bool has_maker(const struct fit *f, const struct stage *s)
{
	bool has = false;

	for (int i = 0; i < STAGE_INPUTS; i++) {
		const struct value *v = s->in[i].value;

		has |= v && !value_is_const(v) && f->p->maker[v->id] != PLAN_NO_STAGE;
	}
	return has;
}

/*
 * What tiles of @size points cost: the time that they take, and what they move, which costs energy
 * even where it takes no time.
 */
static u64 cost_of(const struct fit *f, const struct stage *s, const struct plan *plan,
		   const s64 *size)
{
	u64 moved = plan_takes_of(f->p, f->m, s, plan, size).cycles / RONDO_DMA_CHANNELS;

	return plan_cycles(f->p, f->m, s, plan, size) + moved / ENERGY_PART;
}

/* How many tiles of @size points are text. */
static u64 text_tiles(const struct fit *f, const struct stage *s, const struct plan *plan,
		      const s64 *size)
{
	return plan_may_roll(f->p, s, plan, size) ? plan_text_tiles(s, plan, size) :
						    plan_count_tiles(s, size);
}

/* The best tiles in @room bytes, with @columns at most, if there are any; their cost if it is less.
 */
static u64 choose_pixels(const struct fit *f, const struct stage *s, struct plan *plan, s64 columns,
			 u64 room, u64 least)
{
	for (int d = 0; d < s->dims || !d; d++) {
		s64 size[STAGE_DIMS];
		u64 cost;

		if (d && (s->size[d] == 1 || !stage_may_cut(s, d)))
			continue;
		memcpy(size, s->size, sizeof(s->size));
		if (columns)
			size[plan_column(s)] = columns;
		if (!cut(f, s, plan, d, room, size) || text_tiles(f, s, plan, size) > f->most_tiles)
			continue;
		cost = cost_of(f, s, plan, size);
		if (cost >= least)
			continue;
		least = cost;
		memcpy(plan->tile, size, sizeof(plan->tile));
	}
	return least;
}

/* The best tiles in @room bytes; what they cost, or UINT64_MAX. */
static u64 choose_tiles(const struct fit *f, const struct stage *s, struct plan *plan, u64 room)
{
	bool product = s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX;
	u64 least = UINT64_MAX;
	s64 columns;

	if (!product || !may_cut(s, s->size, plan_column(s)))
		return choose_pixels(f, s, plan, 0, room, least);
	columns = s->size[plan_column(s)];
	if (plan->columns_first && columns > f->m->lanes)
		columns = f->m->lanes;
	for (;; columns = round_up(columns / 2, f->m->lanes)) {
		least = choose_pixels(f, s, plan, columns, room, least);
		if (columns <= f->m->lanes)
			return least;
	}
}

static bool touches_outside(const struct fit *f, const struct stage *s, const struct plan *plan)
{
	bool outside = f->p->outside[s->out.value->id];

	for (int i = 0; i < STAGE_INPUTS; i++) {
		const struct value *v = s->in[i].value;

		if (!v || plan_is_weights(s, plan, i))
			continue;
		outside |= value_is_const(v) ?
				   layout_dense(v).bytes > f->p->sram / PLAN_CONST_PART :
				   f->p->outside[v->id];
	}
	return outside;
}

/* Weights come in by pieces, the first of them before they are used, in @window bytes. */
static void stream_weights(const struct fit *f, const struct stage *s, struct plan *plan,
			   u64 window)
{
	u64 row = (u64)f->m->lanes * 4, least = 0;

	for (int k = 0; k < plan->k.n; k++)
		least = no_less(least, (u64)plan->k.k[k].count * row);
	plan->piece = no_less(window / (PIECES_AHEAD + 1), least);
	plan->piece = no_less(plan->piece, plan_weights_bytes(s) / PLAN_PIECES_MAX);
	plan->ahead = (int)(window / plan->piece);
	plan->ahead = plan->ahead > PIECES_AHEAD ? PIECES_AHEAD :
		      plan->ahead > 1		 ? plan->ahead - 1 :
						   1;
}

/* Takes @plan with the best tiles in @room bytes instead of @best if they cost less. */
static void try_plan(const struct fit *f, const struct stage *s, struct plan plan, u64 room,
		     struct plan *best, u64 *least)
{
	u64 cost = choose_tiles(f, s, &plan, room);

	if (cost >= *least)
		return;
	*least = cost;
	*best = plan;
}

/*
 * Constant weights are all in SRAM; or a column tile's stay while all its pixels pass, so that the
 * input comes in again for each; or they come in again for each tile of pixels.
 */
static u64 try_weights(const struct fit *f, const struct stage *s, struct plan *plan, u64 room)
{
	struct plan whole = *plan, pieces = *plan;
	u64 least = UINT64_MAX, window = f->p->sram / WINDOW_PART;

	try_plan(f, s, whole, room, plan, &least);
	for (int i = 0; i < WINDOWS; i++, window /= 2) {
		stream_weights(f, s, &pieces, window);
		pieces.columns_first = false;
		try_plan(f, s, pieces, room, plan, &least);
		pieces.columns_first = may_cut(s, s->size, plan_column(s));
		if (pieces.columns_first)
			try_plan(f, s, pieces, room, plan, &least);
	}
	return least;
}

/* ---- Tiles that cut the reduced dimensions --------------------------------------------------- */

enum { KY, KX }; /* as of a product, behind its other dimensions */

/* Whether tiles of @size points fit. Constant weights of a tile come in beside the one before. */
static bool sums_fit(const struct fit *f, const struct stage *s, struct plan *plan, const s64 *size,
		     u64 room)
{
	if (plan_is_weights(s, plan, 1)) {
		s64 all = s->size[plan_column(s)];

		plan->piece = plan_rows(s, size) * 4 * (u64)(all < f->m->lanes ? all : f->m->lanes);
		plan->ahead = plan->buffers - 1;
	}
	return fits(f, s, plan, size, room);
}

/* As much of the innermost reduced dimension as there is room for. */
static void grow_sums(const struct fit *f, const struct stage *s, struct plan *plan, s64 *size,
		      u64 room)
{
	int c = s->dims - 1;
	s64 grain = plan_sums_grain(s, f->m), lo = size[c] / grain, hi = s->size[c] / grain + 1;

	while (hi - lo > 1) {
		s64 middle = lo + (hi - lo) / 2;

		size[c] = middle * grain;
		*(sums_fit(f, s, plan, size, room) ? &lo : &hi) = middle;
	}
	size[c] = s->size[c];
	if (!sums_fit(f, s, plan, size, room))
		size[c] = even_part(s->size[c], lo * grain, grain);
	sums_fit(f, s, plan, size, room);
}

/* Tiles of @columns columns of up to @pixels pixels; false: they do not fit. */
static bool size_sums(const struct fit *f, const struct stage *s, struct plan *plan, s64 columns,
		      s64 pixels, u64 room, s64 *size)
{
	int y = plan->outer, x = y + 1, first = s->dims - s->reduced;

	plan_least_sums(s, f->m, size);
	size[plan_column(s)] = columns;
	size[x] = even_part(s->size[x], pixels, 1);
	size[y] = even_part(s->size[y], pixels / size[x], 1);
	/* A window as a whole brings each pixel once; else its rows do, or single taps. */
	size[first + KX] = s->size[first + KX];
	size[first + KY] = s->size[first + KY];
	if (!sums_fit(f, s, plan, size, room))
		size[first + KY] = 1;
	if (!sums_fit(f, s, plan, size, room))
		size[first + KX] = 1;
	if (!sums_fit(f, s, plan, size, room))
		return false;
	grow_sums(f, s, plan, size, room);
	return true;
}

/* Whether tiles of @size points are more than are mapped, or leave others no transfers. */
static bool too_many(const struct fit *f, const struct stage *s, const struct plan *plan,
		     const s64 *size)
{
	if (f->most_tiles == UINT64_MAX)
		return false;
	return text_tiles(f, s, plan, size) > f->most_tiles ||
	       (!plan_may_roll(f->p, s, plan, size) &&
		plan_takes_of(f->p, f->m, s, plan, size).transfers > TRANSFERS_MAX);
}

/*
 * Takes @plan with tiles that cut the reduced dimensions instead of @best if they cost less: of as
 * many results as the accumulators hold, so that they bring few bytes for many products, and of as
 * many products for each as there is room for.
 */
static void try_sums(const struct fit *f, const struct stage *s, struct plan plan, u64 room,
		     struct plan *best, u64 *least)
{
	s64 all = s->size[plan_column(s)], lanes = f->m->lanes, size[STAGE_DIMS];
	u64 cost;

	if (plan_rows(s, s->size) <= (u64)lanes) /* one push */
		return;
	plan_cut_sums(&plan);
	for (s64 tiles = 1; tiles <= f->m->acc_rows; tiles *= 2) {
		s64 columns = even_part(all, tiles * lanes, lanes), pixels = f->m->acc_rows / tiles;

		for (int fit = 0; pixels && fit < SUMS_TRIED; pixels -= (pixels + 7) / 8) {
			if (!size_sums(f, s, &plan, columns, pixels, room, size))
				continue;
			fit++;
			cost = cost_of(f, s, &plan, size);
			if (too_many(f, s, &plan, size) || cost >= *least)
				continue;
			*least = cost;
			*best = plan;
			memcpy(best->tile, size, sizeof(best->tile));
		}
		if (columns == all)
			return;
	}
}

static u64 fit_tiles(const struct fit *f, const struct stage *s, struct plan *plan, u64 room)
{
	const struct plan now = *plan;
	u64 least = UINT64_MAX;

	if (!plan->cut_sums)
		least = plan_is_weights(s, plan, 1) ? try_weights(f, s, plan, room) :
						      choose_tiles(f, s, plan, room);
	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX && !has_maker(f, s))
		try_sums(f, s, now, room, plan, &least);
	return least;
}

/*
 * Plans stage @i for @room bytes beside the values that live. What its tiles cost; UINT64_MAX: it
 * does not fit.
 */
static u64 fit_stage(struct fit *f, int i, u64 room)
{
	const struct stage *s = f->p->stages->at[i];
	struct plan *plan = &f->p->at[i];
	u64 least = UINT64_MAX, other;

	if (plan_again(f->g, f->p, i, f->m))
		return UINT64_MAX;
	if (plan->unit == PLAN_ALIAS)
		return 0;
	if (!touches_outside(f, s, plan) && fits(f, s, plan, s->size, room))
		return 0;
	plan->tiled = true;
	room -= slack_at(f, i, room);
	for (plan->buffers = 2; plan->buffers && least == UINT64_MAX; plan->buffers--) {
		struct plan once = *plan;

		plan->twice = has_maker(f, s);
		least = fit_tiles(f, s, plan, room);
		if (!plan->twice)
			continue;
		other = fit_tiles(f, s, &once, room);
		if (other < least) {
			least = other;
			*plan = once;
		}
	}
	plan->buffers++;
	if (plan->cut_sums && least < UINT64_MAX && plan_product(f->g, s, f->m, plan))
		return UINT64_MAX;
	return least;
}

/* ---- What lives where ------------------------------------------------------------------------ */

static void live_at(struct fit *f, u32 root, int stage)
{
	if (f->first[root] == NOBODY || f->first[root] > stage)
		f->first[root] = stage;
	if (f->last[root] < stage)
		f->last[root] = stage;
}

/* A View and what it is one of are one value for us, and a Concat and what is computed there. */
static void find_roots(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (u32 v = 0; v < f->values; v++)
		f->root[v] = v;
	for (int i = s->count - 1; i >= 0; i--) {
		const struct value *in = s->at[i]->in[0].value, *out = s->at[i]->out.value;

		if (f->p->whole[in->id] == out)
			f->root[in->id] = f->root[out->id];
	}
	for (int i = 0; i < s->count; i++) {
		const struct value *in = s->at[i]->in[0].value, *out = s->at[i]->out.value;

		if (s->at[i]->node->op == OP_VIEW && !value_is_const(in) && !out->is_output)
			f->root[out->id] = f->root[in->id];
	}
}

/* Bytes of value @root that stage @s reads and writes, if it does any work. */
static u64 moved_by(const struct fit *f, const struct stage *s, u32 root)
{
	u64 bytes = 0;

	if (s->in[0].value && f->root[s->in[0].value->id] == f->root[s->out.value->id])
		return 0;
	for (int k = 0; k <= STAGE_INPUTS; k++) {
		const struct value *v = k < STAGE_INPUTS ? s->in[k].value : s->out.value;

		if (v && f->root[v->id] == root)
			bytes += layout_dense(v).bytes;
	}
	return bytes;
}

static void find_lives(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (u32 v = 0; v < f->values; v++)
		f->first[v] = f->last[v] = NOBODY;
	for (size_t i = 0; i < f->g->inputs.n; i++)
		live_at(f, f->root[f->g->inputs.v[i]->id], 0);
	for (int i = 0; i < s->count; i++) {
		live_at(f, f->root[s->at[i]->out.value->id], i);
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct value *v = s->at[i]->in[k].value;

			if (v && !value_is_const(v))
				live_at(f, f->root[v->id], i);
		}
	}
	for (size_t i = 0; i < f->g->outputs.n; i++) {
		if (!value_is_const(f->g->outputs.v[i]))
			live_at(f, f->root[f->g->outputs.v[i]->id], s->count - 1);
	}
	for (u32 v = 0; v < f->values; v++) {
		u32 root = f->root[v];

		f->bytes[root] = no_less(f->bytes[root], f->p->layout[v].bytes);
	}
	for (u32 v = 0; v < f->values; v++) {
		for (int i = f->first[v]; i != NOBODY && i <= f->last[v]; i++)
			f->moved[v] += moved_by(f, s->at[i], v);
	}
	for (u32 v = 0; v < f->values; v++) {
		for (int i = f->first[v]; i != NOBODY && i <= f->last[v]; i++)
			f->live[i] += f->bytes[v];
	}
}

/*
 * Whether value @root must lie row-major outside: outputs do, and what is seen as of another shape,
 * so that a tile of it is a box.
 */
static bool lies_dense(const struct fit *f, u32 root)
{
	const struct stages *s = f->p->stages;

	if (f->value[root]->is_output)
		return true;

	for (int i = f->first[root]; i <= f->last[root]; i++) {
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct stage_access *a = &s->at[i]->in[k];

			if (a->value && f->root[a->value->id] == root &&
			    !shape_equal(&a->as, &a->value->shape))
				return true;
		}
	}
	return false;
}

/* Whether @root and its Views are outside, or in SRAM. */
static void set_outside(struct fit *f, u32 root, bool outside)
{
	for (u32 v = 0; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->outside[v] = outside;
	}
	for (int i = f->first[root]; i <= f->last[root]; i++)
		f->live[i] += outside ? -f->bytes[root] : f->bytes[root];
}

static void send_outside(struct fit *f, u32 root)
{
	set_outside(f, root, true);
	if (!lies_dense(f, root))
		return;
	for (u32 v = 0; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->layout[v] = layout_dense(f->value[v]);
	}
	plan_parts(f->p);
}

/* Whether value @root is in SRAM while stage @i is computed, and worth sending out. */
static bool may_leave(const struct fit *f, u32 root, int i)
{
	return f->root[root] == root && !f->p->outside[root] && f->bytes[root] >= OUTSIDE_MIN &&
	       f->first[root] != NOBODY && f->first[root] <= i && f->last[root] >= i;
}

/* Bytes that the smallest tile of @s needs. */
static u64 least_bytes(const struct fit *f, const struct stage *s, const struct plan *plan)
{
	struct plan least = *plan;
	s64 size[STAGE_DIMS];

	least.buffers = 1;
	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX) {
		plan_cut_sums(&least);
		plan_least_sums(s, f->m, size);
		sums_fit(f, s, &least, size, 0);
	} else {
		for (int d = 0; d < s->dims; d++)
			size[d] = stage_may_cut(s, d) ? 1 : s->size[d];
	}
	return plan_takes_of(f->p, f->m, s, &least, size).bytes;
}

/*
 * What values leave to the tiles of stage @i; not all of it, since constants that nodes share and
 * what lies between buffers take some: without that, tiles would have one buffer instead of two.
 */
static u64 room_at(const struct fit *f, int i)
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
	if (f->live[i] <= sram_at(f, i) && fit_stage(f, i, room_at(f, i)) < UINT64_MAX &&
	    plan->tiled)
		return refuse_tiles(f, s, plan);
	return node_fail(f->g, s->node, -EFBIG,
			 "the smallest tile of it needs %" PRIu64
			 " bytes of SRAM, there are %" PRIu64,
			 least_bytes(f, s, plan) + f->live[i], sram_at(f, i));
}

/*
 * What stage @i costs with value @root outside, and what others then cost that touch it: it goes
 * out once and comes in for each. Inputs and outputs of the graph are there anyway.
 */
static u64 cost_without(struct fit *f, int i, u32 root)
{
	const struct value *v = f->value[root];
	u64 cost, others = f->moved[root] - moved_by(f, f->p->stages->at[i], root);

	set_outside(f, root, true);
	cost = fit_stage(f, i, room_at(f, i));
	set_outside(f, root, false);
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

		if (!may_leave(f, v, i))
			continue;
		if (largest == f->values || f->bytes[v] > f->bytes[largest])
			largest = v;
		if (fits && lies_dense(f, v))
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
			cost = fit_stage(f, i, room_at(f, i));
		if (!cost)
			return 0;
		v = best_to_leave(f, i, cost);
		if (f->g->err->code)
			return refuse(f, i);
		if (v == f->values && cost < UINT64_MAX)
			return fit_stage(f, i, room_at(f, i)) < UINT64_MAX ? 0 : refuse(f, i);
		if (v == f->values)
			return refuse(f, i);
		send_outside(f, v);
		*changed = true;
	}
}

/* ---- What is made box by box ----------------------------------------------------------------- */

static void count_accesses(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (int i = 0; i < s->count; i++) {
		f->makes[s->at[i]->out.value->id]++;
		for (int k = 0; k < STAGE_INPUTS; k++) {
			if (s->at[i]->in[k].value)
				f->reads[s->at[i]->in[k].value->id]++;
		}
	}
}

/* The stage before @i that makes @v, if all between them are made box by box, for @i. */
static int maker_before(const struct fit *f, int i, const struct value *v)
{
	while (i--) {
		const struct value *out = f->p->stages->at[i]->out.value;

		if (out == v)
			return i;
		if (f->p->maker[out->id] == PLAN_NO_STAGE)
			break;
	}
	return PLAN_NO_STAGE;
}

/* The stage that could make input @k of stage @i box by box. */
static int possible_maker(const struct fit *f, int i, int k)
{
	const struct stage *s = f->p->stages->at[i], *by;
	const struct value *v = s->in[k].value;
	int maker;

	if (!v || value_is_const(v) || !f->p->outside[v->id] || v->is_input || v->is_output ||
	    f->p->whole[v->id] || f->reads[v->id] != 1 || f->makes[v->id] != 1 ||
	    !shape_equal(&s->in[k].as, &v->shape) ||
	    !layout_equal(&f->p->layout[v->id], &f->p->at[i].in[k]))
		return PLAN_NO_STAGE;
	maker = maker_before(f, i, v);
	if (maker == PLAN_NO_STAGE)
		return maker;
	by = f->p->stages->at[maker];
	for (int d = 0; d < by->out.as.rank; d++) {
		if (by->out.at[d])
			return PLAN_NO_STAGE;
	}
	return shape_equal(&by->out.as, &v->shape) && f->p->at[maker].unit != PLAN_ALIAS ?
		       maker :
		       PLAN_NO_STAGE;
}

/* What stage @i costs as it is planned. */
static u64 planned_cost(const struct fit *f, int i)
{
	const struct stage *s = f->p->stages->at[i];
	const struct plan *plan = &f->p->at[i];

	return cost_of(f, s, plan, plan->tiled ? plan->tile : s->size);
}

/*
 * Lets values that stage @i reads, and those that make its inputs box by box, live until stage
 * @end, if @set; the bytes of those that did not.
 */
static u64 keep_until(struct fit *f, int i, int end, bool set)
{
	const struct stage *s = f->p->stages->at[i];
	u64 bytes = 0;

	for (int k = 0; k < STAGE_INPUTS; k++) {
		const struct value *v = s->in[k].value;
		u32 root;

		if (!v || value_is_const(v))
			continue;
		if (f->p->maker[v->id] != PLAN_NO_STAGE) {
			bytes += keep_until(f, f->p->maker[v->id], end, set);
			continue;
		}
		root = f->root[v->id];
		if (f->p->outside[root] || f->last[root] >= end)
			continue;
		bytes += f->bytes[root];
		for (int at = f->last[root] + 1; set && at <= end; at++)
			f->live[at] += f->bytes[root];
		if (set)
			f->last[root] = end;
	}
	return bytes;
}

/* Gives the stages that make inputs of stage @i for tiles of @size points tiles of their own. */
static void set_steps(struct fit *f, int i, const s64 *size)
{
	const struct stage *s = f->p->stages->at[i];

	for (int k = 0; k < STAGE_INPUTS; k++) {
		const struct value *v = s->in[k].value;
		int maker = v && !value_is_const(v) ? f->p->maker[v->id] : PLAN_NO_STAGE;
		struct plan_made m;

		if (maker == PLAN_NO_STAGE ||
		    !plan_made_for(s, &f->p->at[i], k, f->p->stages->at[maker], size, &m))
			continue;
		memcpy(f->p->at[maker].tile, m.step, sizeof(m.step));
		set_steps(f, maker, m.step);
	}
}

/* Lets the stage that makes input @k of stage @i do so box by box, if that fits and costs less. */
static void try_maker(struct fit *f, int i, int k)
{
	int maker = possible_maker(f, i, k);
	const struct value *v = f->p->stages->at[i]->in[k].value;
	struct plan user, before;
	u64 apart, kept, room;

	if (maker == PLAN_NO_STAGE)
		return;
	user = f->p->at[i];
	before = f->p->at[maker];
	apart = planned_cost(f, i) + planned_cost(f, maker);
	f->p->maker[v->id] = maker;
	kept = keep_until(f, maker, i, false);
	room = room_at(f, i) > kept ? room_at(f, i) - kept : 0;
	for (int twice = before.twice; twice >= 0 && !plan_again(f->g, f->p, maker, f->m);
	     twice--) {
		f->p->at[maker].buffers = 2;
		f->p->at[maker].twice = twice;
		if (fit_stage(f, i, room) < apart) {
			keep_until(f, maker, i, true);
			set_steps(f, i, f->p->at[i].tile);
			return;
		}
	}
	f->p->at[i] = user;
	f->p->at[maker] = before;
	f->p->maker[v->id] = PLAN_NO_STAGE;
}

static int find_makers(struct fit *f)
{
	count_accesses(f);
	for (int i = 0; i < f->p->stages->count; i++) {
		for (int k = 0; k < STAGE_INPUTS && f->p->at[i].tiled; k++)
			try_maker(f, i, k);
	}
	return f->g->err->code;
}

/* ---- What is text ---------------------------------------------------------------------------- */

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
		if (!plan->rolled && (t.operations > operations || t.transfers > transfers) &&
		    plan_may_roll(f->p, f->p->stages->at[i], plan, plan->tile)) {
			plan->rolled = true;
			t = text_of(f, i);
		}
		all.operations += t.operations;
		all.transfers += t.transfers;
	}
	return all;
}

/* Tiles are text where that is not much: then transfers of all stages go on beside each other. */
static void roll_tiles(struct fit *f)
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

/* A program has so many transfers: what needs more is told before it is lowered. */
static int check_transfers(const struct fit *f)
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
	find_roots(f);
	find_lives(f);
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
		rc = find_makers(&f);
	if (rc)
		return rc;
	roll_tiles(&f);
	return check_transfers(&f);
}
