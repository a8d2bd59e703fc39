// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Tiles as loops, where a stage has very many.
 *
 * Tiles of one size are the same operations on the same buffers; what they move lies in slots by
 * one step further each. So the tiles along a dimension are text once: the first ones and the last
 * ones, which may be of another size, or begin and end sums, by themselves, and those between them
 * as a loop. Up to three dimensions are loops, since transfers stand in no more.
 *
 * The innermost of them is a pipeline: what a tile needs is fetched where the tile before begins,
 * into the other of two buffers. So a trip of its loop is two tiles; it fetches the second of them,
 * and the first one of the next trip, which behind the last trip is the tile behind the loop:
 *
 *	fetch 0, fetch 1, tile 0
 *	loop	fetch 2, tile 1
 *		fetch 3, tile 2
 *	tile 3, ...
 *
 * Where there is room for one buffer only, each tile fetches what it needs itself.
 */
#include "compiler/lower_tiles.h"
#include "compiler/window.h"

#include <errno.h>

enum {
	TRIPS_MIN = 2, /* of a loop */
	NO_DIM = -1,
};

struct rolling {
	struct lowering *l;
	struct tiled *t;
	int dim[STAGE_DIMS], dims; /* along which there are several tiles, in their order */
	bool looped[STAGE_DIMS]; /* by number of the dimension */
	struct part part; /* the tile, at the first trips of all loops */
};

/* ---- What a tile moves ----------------------------------------------------------------------- */

static int new_group(struct lowering *l, int loops)
{
	struct lower_group *bigger, *g;

	if (l->groups == l->group_room) {
		l->group_room = 2 * l->group_room + 16;
		bigger = graph_alloc(l->g, (size_t)l->group_room * sizeof(*bigger));
		if (!bigger) {
			l->error = -ENOMEM;
			l->group_room = l->groups;
			return MIR_NO_GROUP;
		}
		if (l->groups)
			memcpy(bigger, l->group, (size_t)l->groups * sizeof(*bigger));
		l->group = bigger;
	}
	g = &l->group[l->groups];
	*g = (struct lower_group){ .first = -1, .last = -1, .loops = loops };
	memcpy(g->trips, l->roll.trips, (size_t)loops * sizeof(*g->trips));
	return l->groups++;
}

static void add_to_group(struct lowering *l, int group, const struct lower_transfer *t)
{
	struct lower_group *g;
	int at = l->transfers;

	lower_add_transfer(l, t);
	if (group == MIR_NO_GROUP || l->error)
		return;
	g = &l->group[group];
	l->transfer[at].group = group;
	l->transfer[at].next = -1;
	if (g->last >= 0)
		l->transfer[g->last].next = at;
	else
		g->first = at;
	g->last = at;
}

mir_buf lower_roll_buffer(struct lowering *l, int key, const char *name, u64 bytes)
{
	int parity = l->roll.parity, *n = &l->roll.bufs[parity];
	mir_buf *of = l->roll.buf[parity], *bigger;

	if (key >= *n) {
		bigger = graph_alloc(l->g, (size_t)(2 * key + 1) * sizeof(*bigger));
		if (!bigger)
			return MIR_NO_BUF;
		for (int i = 0; i < 2 * key + 1; i++)
			bigger[i] = i < *n ? of[i] : MIR_NO_BUF;
		l->roll.buf[parity] = of = bigger;
		*n = 2 * key + 1;
	}
	if (of[key] == MIR_NO_BUF)
		of[key] = mir_buffer(&l->mir, MIR_BUF_VALUE, name, bytes);
	else if (l->mir.buf[of[key]].bytes < bytes)
		l->mir.buf[of[key]].bytes = bytes;
	return of[key];
}

void lower_roll_strides(const struct lowering *l, const struct stage_access *a,
			const struct layout *at, s64 *stride)
{
	for (int i = 0; i < RONDO_DMA_LOOP_DEPTH; i++)
		stride[i] = i < l->roll.loops ?
				    plan_stride(a, at, l->roll.dim[i]) * l->roll.step[i] :
				    0;
}

void lower_roll_transfer(struct lowering *l, const struct lower_transfer *model, const s64 *stride)
{
	struct lower_transfer t = *model;
	size_t all = (size_t)l->roll.loops * sizeof(*stride);

	if (t.dir == RONDO_DMA_OUT) {
		memcpy(t.loop_stride, stride, all);
		l->roll.send = new_group(l, l->roll.loops);
		add_to_group(l, l->roll.send, &t);
		return;
	}
	for (int i = 0; i < l->roll.fetches; i++) {
		const struct lower_fetch *f = &l->roll.fetch[i];

		t = *model;
		memcpy(t.loop_stride, stride, (size_t)f->loops * sizeof(*stride));
		if (f->on)
			t.slot_offset += (u64)stride[l->roll.loops - 1];
		add_to_group(l, f->group, &t);
	}
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

static s64 tiles_along(const struct rolling *r, int d)
{
	s64 tile = r->t->plan.tile[d];

	return (r->t->s.size[d] + tile - 1) / tile;
}

/* The tile is number @n along dimension @d. */
static void set_tile(const struct rolling *r, struct part *part, int d, s64 n)
{
	s64 tile = r->t->plan.tile[d], left = r->t->s.size[d] - n * tile;

	part->origin[d] = n * tile;
	part->size[d] = left < tile ? left : tile;
}

/* Whether @b is box @a @n tiles further along dimension @d, by which @access moves. */
static bool is_moved(const struct rolling *r, const struct stage_access *access,
		     const struct box *a, const struct box *b, int d, s64 n)
{
	for (int i = 0; i < a->rank; i++) {
		if (a->n[i] != b->n[i] ||
		    b->lo[i] - a->lo[i] != n * r->t->plan.tile[d] * access->step[i][d])
			return false;
	}
	return true;
}

/* Whether what tiles @a and @b, which is @n further along dimension @d, need of input @i is alike.
 */
static bool inputs_alike(const struct rolling *r, int i, const struct part *a, const struct part *b,
			 int d, s64 n)
{
	const struct operand_at *source = &r->t->source[i];
	const struct stage_access *access = &r->t->s.in[i];
	const struct layout *want = &r->t->plan.in[i];
	struct box x = lower_box_of(r->t, i, a), y = lower_box_of(r->t, i, b), elements;

	if (!source->outside)
		return true;
	elements = box_elements(&source->layout);
	if (!is_moved(r, access, &x, &y, d, n) ||
	    lower_comes_as(source, want, &x) != lower_comes_as(source, want, &y))
		return false;
	if (lower_comes_as(source, want, &x))
		return true;
	x = box_meet(&x, &elements);
	y = box_meet(&y, &elements);
	return is_moved(r, access, &x, &y, d, n);
}

/* Whether averages of @x and @y, along dimension @d, divide by the same numbers. */
static bool divisors_alike(const struct rolling *r, const struct part *x, const struct part *y,
			   int d)
{
	enum { ROW = 1, COLUMN };
	const struct node *n = r->t->s.node;
	bool pads = n->attrs.count_include_pad, alike = true;
	struct window w;

	if (n->op != OP_AVGPOOL || (d != ROW && d != COLUMN) || window_of(r->l->g, n, &w))
		return true;
	for (s64 i = 0; i < x->size[d] && alike; i++)
		alike = window_cells(&w.axis[d - ROW], pads, x->origin[d] + i) ==
			window_cells(&w.axis[d - ROW], pads, y->origin[d] + i);
	return alike;
}

/* Whether parts @x and @y, which are tiles @n apart along dimension @d, are but for that the same.
 */
static bool parts_alike(const struct rolling *r, const struct part *x, const struct part *y, int d,
			s64 n)
{
	const struct stage *s = &r->t->s;
	const struct layout *out = &r->l->plans->layout[s->out.value->id];
	struct box from, to;

	if (x->size[d] != y->size[d] || !divisors_alike(r, x, y, d))
		return false;
	for (int i = 0; i < STAGE_INPUTS; i++) {
		bool there = r->t->source[i].buf == MIR_NO_BUF && !r->t->source[i].outside;

		if (s->in[i].value && !there && !inputs_alike(r, i, x, y, d, n))
			return false;
	}
	if (d >= s->dims - s->reduced)
		return true;
	from = plan_out_box(s, out, x->origin, x->size);
	to = plan_out_box(s, out, y->origin, y->size);
	return is_moved(r, &s->out, &from, &to, d, n);
}

/*
 * Whether tiles number @a and @b along dimension @d are the same but for where they are, at both
 * ends of the dimensions inside of it.
 */
static bool tiles_alike(const struct rolling *r, int d, s64 a, s64 b)
{
	bool alike = true;

	for (int end = 0; end < 2 && alike; end++) {
		struct part x = r->part, y;

		for (int i = r->dims - 1; r->dim[i] != d; i--)
			set_tile(r, &x, r->dim[i], end ? tiles_along(r, r->dim[i]) - 1 : 0);
		y = x;
		set_tile(r, &x, d, a);
		set_tile(r, &y, d, b);
		alike = parts_alike(r, &x, &y, d, b - a);
	}
	return alike;
}

/*
 * The tiles along dimension @d that are alike: from number *@first to number *@last, which leaves
 * out one at each end at most, and those that begin and end sums. False: others are not.
 */
static bool find_alike(const struct rolling *r, int d, s64 *first, s64 *last)
{
	bool reduced = d >= r->t->s.dims - r->t->s.reduced;

	*first = reduced;
	*last = tiles_along(r, d) - 1 - reduced;
	if (*last - *first < TRIPS_MIN)
		return false;
	if (!tiles_alike(r, d, *first, *first + 1))
		++*first;
	if (!tiles_alike(r, d, *last - 1, *last))
		--*last;
	return *last > *first && tiles_alike(r, d, *first, *first + 1) &&
	       tiles_alike(r, d, *first, *last);
}

/* Lets a tile fetch what it needs by @group, which stands in @loops loops. */
static void fetch_by(struct lower_roll *roll, int group, int loops, bool on)
{
	roll->fetch[roll->fetches++] = (struct lower_fetch){ group, loops, on };
}

static void begin_with(struct lower_roll *roll, int group)
{
	roll->begin[roll->begins++] = group;
}

/* The tile of r->part, for which fetches and begins have been set. */
static int roll_tile(struct rolling *r)
{
	int err;

	r->l->roll.pieces = 0;
	err = lower_tile_of(r->l, r->t, &r->part, NULL, NULL);
	r->l->roll.fetches = r->l->roll.begins = 0;
	return err;
}

static void open_tiles(struct rolling *r, int d, s64 step, s64 trips)
{
	struct lower_roll *roll = &r->l->roll;
	int depth = mir_tile_loop(&r->l->mir, (u64)trips);

	if (depth >= RONDO_DMA_LOOP_DEPTH)
		return;
	roll->dim[depth] = d;
	roll->step[depth] = step;
	roll->trips[depth] = (u64)trips;
	roll->loops = depth + 1;
}

static void close_tiles(struct rolling *r)
{
	mir_end(&r->l->mir);
	r->l->roll.loops--;
}

/* ---- The innermost dimension ----------------------------------------------------------------- */

/* A tile that fetches what it needs itself. */
static int alone_tile(struct rolling *r, int d, s64 n)
{
	struct lower_roll *roll = &r->l->roll;
	int group = new_group(r->l, roll->loops);

	set_tile(r, &r->part, d, n);
	roll->parity = 0;
	fetch_by(roll, group, roll->loops, false);
	begin_with(roll, group);
	return roll_tile(r);
}

/* Tile @n, whose fetches have been set, and which fetches what the next one needs, if there is one.
 */
static int piped_tile(struct rolling *r, int d, s64 n, int next)
{
	struct lower_roll *roll = &r->l->roll;

	set_tile(r, &r->part, d, n);
	roll->parity = n % LOWER_PARITIES;
	if (next != MIR_NO_GROUP)
		begin_with(roll, next);
	return roll_tile(r);
}

/* Tiles 1 and 2 as a loop of @trips trips; @first: the group by which the very first comes. */
static int piped_loop(struct rolling *r, int d, s64 trips, int first)
{
	struct lower_roll *roll = &r->l->roll;
	int loops, second, next, err;

	open_tiles(r, d, 2 * r->t->plan.tile[d], trips);
	loops = roll->loops;
	second = new_group(r->l, loops);
	next = new_group(r->l, loops);
	fetch_by(roll, first, loops - 1, false);
	fetch_by(roll, next, loops, true);
	err = piped_tile(r, d, 1, second);
	fetch_by(roll, second, loops, false);
	if (!err)
		err = piped_tile(r, d, 2, next);
	close_tiles(r);
	return err;
}

/* All tiles along dimension @d; those of @trips times two from number 1 on are a loop. */
static int roll_piped(struct rolling *r, int d, s64 trips)
{
	struct lower_roll *roll = &r->l->roll;
	s64 tiles = tiles_along(r, d), n = 1;
	int group = new_group(r->l, roll->loops), next = MIR_NO_GROUP, err;

	fetch_by(roll, group, roll->loops, false);
	begin_with(roll, group);
	if (tiles > 1)
		next = new_group(r->l, roll->loops);
	err = piped_tile(r, d, 0, next);
	if (trips && !err) {
		err = piped_loop(r, d, trips, next);
		n += 2 * trips;
		next = MIR_NO_GROUP; /* it is there */
	}
	for (; n < tiles && !err; n++) {
		if (next != MIR_NO_GROUP)
			fetch_by(roll, next, roll->loops, false);
		next = n + 1 < tiles ? new_group(r->l, roll->loops) : MIR_NO_GROUP;
		err = piped_tile(r, d, n, next);
	}
	return err;
}

static int roll_alone(struct rolling *r, int d, s64 trips)
{
	s64 tiles = tiles_along(r, d);
	int err = alone_tile(r, d, 0);

	if (trips && !err) {
		open_tiles(r, d, r->t->plan.tile[d], 2 * trips);
		err = alone_tile(r, d, 1);
		close_tiles(r);
	}
	for (s64 n = 1 + 2 * trips; n < tiles && !err; n++)
		err = alone_tile(r, d, n);
	return err;
}

/* All tiles along the innermost dimension, which begin and end with nothing under way. */
static int roll_innermost(struct rolling *r, int d)
{
	s64 first, last, trips = 0;

	for (int i = 0; i < STAGE_INPUTS; i++)
		r->t->state.in[i].buf = MIR_NO_BUF;
	/* The first tile is before the loop, and one that is alike behind it. */
	if (r->looped[d] && find_alike(r, d, &first, &last) && first <= 1)
		trips = (last - 1) / 2;
	if (trips < TRIPS_MIN)
		trips = 0;
	return r->t->plan.buffers > 1 ? roll_piped(r, d, trips) : roll_alone(r, d, trips);
}

/* ---- The others ------------------------------------------------------------------------------ */

/* All tiles along the dimensions from number @i of their order on. */
static int roll_from(struct rolling *r, int i)
{
	int d = r->dim[i], err = 0;
	s64 tiles = tiles_along(r, d), first, last;

	if (i == r->dims - 1)
		return roll_innermost(r, d);
	if (!r->looped[d] || !find_alike(r, d, &first, &last))
		first = last = tiles;
	for (s64 n = 0; n < tiles && !err; n++) {
		set_tile(r, &r->part, d, n);
		if (n != first) {
			err = roll_from(r, i + 1);
			continue;
		}
		open_tiles(r, d, r->t->plan.tile[d], last - first + 1);
		err = roll_from(r, i + 1);
		close_tiles(r);
		n = last;
	}
	return err;
}

/* The innermost dimension is a loop, and of the others those with the most tiles. */
static void choose_loops(struct rolling *r)
{
	int left = RONDO_DMA_LOOP_DEPTH - 1;

	r->looped[r->dim[r->dims - 1]] = true;
	for (; left; left--) {
		int best = NO_DIM;

		for (int i = 0; i < r->dims - 1; i++) {
			int d = r->dim[i];

			if (!r->looped[d] &&
			    (best == NO_DIM || tiles_along(r, d) > tiles_along(r, best)))
				best = d;
		}
		if (best == NO_DIM)
			return;
		r->looped[best] = true;
	}
}

int lower_rolled(struct lowering *l, struct tiled *t)
{
	struct rolling r = { .l = l, .t = t };
	int column = t->s.dims - t->s.reduced - 1, err;

	if (t->plan.columns_first)
		r.dim[r.dims++] = column;
	for (int d = 0; d < t->s.dims; d++) {
		set_tile(&r, &r.part, d, 0);
		if (tiles_along(&r, d) > 1 && !(t->plan.columns_first && d == column))
			r.dim[r.dims++] = d;
	}
	if (!r.dims)
		r.dim[r.dims++] = 0;
	choose_loops(&r);
	l->roll = (struct lower_roll){ .active = true };
	err = roll_from(&r, 0);
	l->roll.active = false;
	return err ? err : l->g->err->code;
}
