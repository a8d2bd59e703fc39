// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The tiles of one stage, in what room the values beside it leave: see plan_fit.h. Of all ways to
 * cut a stage that fit, the one is taken that takes the least time to move.
 */
#include "compiler/plan_fit.h"

enum {
	ENERGY_PART = 2, /* of a cycle, what a cycle of all channels is worth that takes no time */
	PIECES_AHEAD = 3,
	WINDOWS = 3, /* sizes of the room for pieces that are tried: a part of SRAM each */
	WINDOW_PART = 4, /* the largest; the next ones are half of the one before */
	SUMS_TRIED = 4, /* numbers of pixels, for each number of columns */
	TRANSFERS_MAX = RONDO_DESCS_MAX - RONDO_DESCS_MAX / 32, /* of a stage */
	CROWDED_VALUES = 2, /* so often what stays free is between values, then between tiles: */
	SLACK_MAX = 4, /* eighths of their room */
};

static u64 no_less(u64 a, u64 b)
{
	return a > b ? a : b;
}

static s64 round_up(s64 n, s64 to)
{
	return (n + to - 1) / to * to;
}

/* Bytes of @room that tiles of stage @i leave free between them. */
static u64 slack_at(const struct fit *f, int i, u64 room)
{
	u64 times = f->p->crowded ? f->p->crowded[i] : 0;

	times = times > CROWDED_VALUES ? times - CROWDED_VALUES : 0;
	return room * (times < SLACK_MAX ? times : SLACK_MAX) / 8;
}

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
bool fit_has_maker(const struct fit *f, const struct stage *s)
{
	bool has = false;

	for (int i = 0; i < STAGE_INPUTS; i++) {
		const struct value *v = s->in[i].value;

		has |= v && !value_is_const(v) && f->p->maker[v->id] != PLAN_NO_STAGE;
	}
	return has;
}

u64 fit_cost(const struct fit *f, const struct stage *s, const struct plan *plan, const s64 *size)
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
		cost = fit_cost(f, s, plan, size);
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
			cost = fit_cost(f, s, &plan, size);
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
	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX && !fit_has_maker(f, s))
		try_sums(f, s, now, room, plan, &least);
	return least;
}

u64 fit_stage(struct fit *f, int i, u64 room)
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

		plan->twice = fit_has_maker(f, s);
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
u64 fit_least_bytes(const struct fit *f, const struct stage *s, const struct plan *plan)
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
