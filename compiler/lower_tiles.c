// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Stages in tiles, where not all that they touch is in SRAM.
 *
 * Each tile is a step: what it reads comes in as boxes, it is lowered as a stage of its own, and
 * what it makes goes out. An input that lies in SRAM, in the layout that is wanted, is used there.
 * All others are in buffers of the tile, whose lives overlap with those of the tile before and the
 * one behind: so transfers run beside other tiles, and buffers take turns.
 *
 * What a stage makes for another one alone may never be anywhere as a whole: then tiles of that one
 * have it made, box by box.
 */
#include "compiler/lower_tiles.h"

enum {
	SHORT_PART = 4, /* of a tile: how long the first and the last one are, */
	SHORT_MIN = 4, /* if a stage has so many */
};

/* Box @b of @at, with its dimensions as those of the layout. */
static struct operand_at part_of(const struct operand_at *at, const struct box *b)
{
	struct operand_at part = *at;

	for (int i = 0; i < b->rank; i++) {
		part.layout.dim[i] = b->n[i];
		part.layout.base += b->lo[i] * at->layout.stride[i];
	}
	return part;
}

static void copy_box(struct lowering *l, const struct operand_at *to, const struct operand_at *from,
		     const struct box *b)
{
	struct operand_at x = part_of(to, b), y = part_of(from, b);

	lower_copy(l, &x, &y);
}

/* What is moved between a buffer of a tile and a slot. */
struct moving {
	enum rondo_dma_dir dir;
	const char *name;
	const struct stage_access *a; /* of the stage, of which the tile is a part */
	int key; /* of its buffer where tiles are rolled: the number of the input, or behind them */
	bool alone;
};

/*
 * A buffer for box @b of @at, whose end @moved comes from there, or all of which is sent there. If
 * something else begins it, that is done while the tile before is, and so it may not come earlier.
 */
static struct operand_at moved_box(struct lowering *l, const struct moving *m,
				   const struct operand_at *at, const struct box *b,
				   const struct box *moved)
{
	struct operand_at part = { .layout = box_layout(&at->layout, b) };
	u64 begun = part.layout.bytes - box_layout(&at->layout, moved).bytes;
	struct lower_transfer t = {
		.dir = m->dir,
		.offset = begun,
		.slot = at->slot,
		.rows = box_rows(&at->layout, moved),
		.alone = m->alone,
		.group = MIR_NO_GROUP,
	};

	t.slot_offset = at->slot_offset + t.rows.offset;
	if (l->roll.active)
		part.buf = lower_roll_buffer(l, m->key, m->name, part.layout.bytes);
	else
		part.buf = mir_buffer(&l->mir, MIR_BUF_VALUE, m->name, part.layout.bytes);
	t.buf = part.buf;
	if (part.buf == MIR_NO_BUF)
		return part;
	if (l->roll.active) {
		s64 stride[RONDO_DMA_LOOP_DEPTH];

		lower_roll_strides(l, m->a, &at->layout, stride);
		lower_roll_transfer(l, &t, stride);
		return part;
	}
	if (m->dir == RONDO_DMA_IN && !begun)
		l->mir.buf[part.buf].ahead = l->tile.buffers - 1;
	else if (m->dir == RONDO_DMA_OUT)
		l->mir.buf[part.buf].behind = l->tile.buffers - 1;
	lower_add_transfer(l, &t);
	return part;
}

/* Box @b of @from in layout @want, padding included. */
static struct operand_at in_layout(struct lowering *l, const char *name,
				   const struct operand_at *from, const struct layout *want,
				   const struct box *b)
{
	const struct layout layout = box_layout(want, b);
	const struct box elements = box_elements(&from->layout), inner = box_meet(b, &elements);
	struct operand_at at = lower_buffer(l, name, &layout);

	if (!box_is_empty(&inner))
		copy_box(l, &at, from, &inner);
	return at;
}

bool lower_comes_as(const struct operand_at *from, const struct layout *want, const struct box *b)
{
	const struct box cells = box_cells(&from->layout), elements = box_elements(&from->layout);

	return box_inside(b, &cells) &&
	       (box_inside(b, &elements) || from->layout.fill == want->fill) &&
	       box_same_order(&from->layout, want);
}

/* Box @b of @from, which is outside, in layout @want: all of it may be padding. */
static struct operand_at fetch(struct lowering *l, const struct moving *m,
			       const struct operand_at *from, const struct layout *want,
			       const struct box *b)
{
	const struct box elements = box_elements(&from->layout);
	struct operand_at part;
	struct box inner;

	if (lower_comes_as(from, want, b))
		return moved_box(l, m, from, b, b);
	inner = box_meet(b, &elements);
	if (box_is_empty(&inner)) {
		const struct layout padding = box_layout(want, b);

		return lower_buffer(l, m->name, &padding);
	}
	part = moved_box(l, m, from, &inner, &inner);
	return in_layout(l, m->name, &part, want, b);
}

/*
 * Where input @i of @s is, by the coordinates of the access; buf MIR_NO_BUF and not outside: it is
 * a constant of the node.
 */
static struct operand_at source_of(struct lowering *l, const struct stage *s, int i)
{
	const struct stage_access *a = &s->in[i];
	struct operand_at at = { .buf = MIR_NO_BUF }, is;
	struct layout dense = layout_dense(a->value);

	if (value_is_const(a->value)) {
		at.layout = layout_dense_as(a->value, &a->as);
		at.outside = dense.bytes > l->plans->sram / PLAN_CONST_PART;
		if (at.outside)
			at.slot_offset = lower_const_outside(l, a->value->data, dense.bytes, NULL);
		return at;
	}
	is = l->value[a->value->id];
	if (shape_equal(&a->as, &a->value->shape))
		return is;
	if (!is.outside)
		is = lower_in_as(l, a->value, &dense);
	is.layout = layout_dense_as(a->value, &a->as);
	return is;
}

/* Gets what the tile at @origin needs of input @i, unless the tile before has left it. */
static void get_input(struct lowering *l, const struct stage *s, const struct plan *p, int i,
		      const struct operand_at *source, const s64 *origin, const s64 *size)
{
	const struct stage_access *a = &s->in[i];
	struct box box = plan_in_box(s, a, &p->in[i], origin, size);
	struct moving m = { RONDO_DMA_IN, a->value->name, a, i, false };
	struct lower_tile *t = &l->tile;

	if (t->in[i].buf != MIR_NO_BUF && box_equal(&t->box[i], &box))
		return;
	t->box[i] = box;
	t->direct[i] = source->outside && lower_comes_as(source, &p->in[i], &box);
	t->local[i] = source->outside || !layout_equal(&source->layout, &p->in[i]);
	if (source->outside)
		t->in[i] = fetch(l, &m, source, &p->in[i], &box);
	else if (!t->local[i])
		t->in[i] = *source;
	else
		t->in[i] = in_layout(l, a->value->name, source, &p->in[i], &box);
}

/* @bytes of @buf from @offset on, as they lie. */
static struct operand_at flat(mir_buf buf, u64 offset, u64 bytes)
{
	int element = (offset | bytes) % 4 ? 1 : 4;
	const struct shape shape = { .rank = 1, .dim = { (s64)bytes / element } };
	struct operand_at at = { buf, .layout = layout_row_major(&shape, element) };

	at.layout.base = (s64)offset;
	return at;
}

/* The rest of @box behind @common, which is its beginning. */
static struct box box_behind(const struct box *box, const struct box *common)
{
	struct box rest = *box;

	for (int d = 0; d < box->rank; d++) {
		if (common->n[d] == box->n[d])
			continue;
		rest.lo[d] += common->n[d];
		rest.n[d] -= common->n[d];
	}
	return rest;
}

/* Copies @common, the end of what @is holds of a value in layout @l, to the beginning of @to. */
static void keep_common(struct lowering *l, const struct layout *layout,
			const struct operand_at *is, const struct box *common, mir_buf to)
{
	u64 bytes = box_layout(layout, common).bytes;
	struct operand_at x = flat(to, 0, bytes);
	struct operand_at y = flat(is->buf, is->layout.bytes - bytes, bytes);

	lower_copy(l, &x, &y);
}

/*
 * Begins what the next tile, at @origin, needs of input @i with the rows that this one has of it
 * already: only the others come in.
 */
static void carry_input(struct lowering *l, const struct stage *s, const struct plan *p, int i,
			const struct operand_at *source, const s64 *origin, const s64 *size)
{
	struct moving m = { RONDO_DMA_IN, NULL, &s->in[i], i, false };
	struct operand_at *is = &l->tile.in[i], next;
	struct box box, common, rest;

	if (is->buf == MIR_NO_BUF || !l->tile.direct[i] || l->tile.buffers < 2)
		return;
	box = plan_in_box(s, &s->in[i], &p->in[i], origin, size);
	if (!lower_comes_as(source, &p->in[i], &box) ||
	    !box_overlap(&source->layout, &l->tile.box[i], &box, &common))
		return;
	rest = box_behind(&box, &common);
	m.name = s->in[i].value->name;
	next = moved_box(l, &m, source, &box, &rest);
	keep_common(l, &source->layout, is, &common, next.buf);
	*is = next;
	l->tile.box[i] = box;
}

/*
 * Whether @s alone makes an output that nobody reads: its tiles, which are disjoint, go out in any
 * order.
 */
static bool fills_alone(const struct lowering *l, const struct stage *s)
{
	const struct stages *all = l->plans->stages;
	const struct value *v = s->out.value;
	int makers = 0;

	for (int i = 0; i < all->count; i++) {
		const struct value *out = all->at[i]->out.value;

		makers += out == v || l->plans->whole[out->id] == v;
	}
	return v->is_output && !v->uses && makers == 1;
}

static void get_output(struct lowering *l, const struct stage *s, bool alone, const s64 *origin,
		       const s64 *size)
{
	struct operand_at at = lower_place(l, s->out.value);
	struct moving m = { RONDO_DMA_OUT, s->out.value->name, &s->out, STAGE_INPUTS, alone };
	struct box box;

	if (!at.outside)
		return;
	box = plan_out_box(s, &at.layout, origin, size);
	l->tile.out = moved_box(l, &m, &at, &box, &box);
	lower_fill(l, &l->tile.out);
}

/* ---- What another stage makes, box by box ---------------------------------------------------- */

static int lower_part(struct lowering *l, struct tiled *t, const struct part *all,
		      const struct part *after, const struct operand_at *out);

/* Lets @t be the stage whose tiles are lowered, until the same is called again. */
static void take_turn(struct lowering *l, struct tiled *t)
{
	struct lower_tile others = l->tile;

	l->tile = t->state;
	t->state = others;
}

/* A buffer for @box of input @i, all of which is to be made. */
static void begin_box(struct lowering *l, struct tiled *t, int i, const struct box *box)
{
	const struct layout layout = box_layout(&t->plan.in[i], box);

	l->tile.in[i] = lower_buffer(l, t->s.in[i].value->name, &layout);
	l->tile.box[i] = t->rest[i] = *box;
}

/* The points of its maker that make box @rest of input @i; false: there are none. */
static bool points_of(const struct tiled *t, int i, const struct box *rest, struct part *points)
{
	const struct box elements = box_elements(&t->plan.in[i]), inner = box_meet(rest, &elements);

	return rest->rank && !box_is_empty(&inner) &&
	       plan_points(&t->maker[i]->s, &inner, points->origin, points->size);
}

struct box lower_box_of(const struct tiled *t, int i, const struct part *tile)
{
	return plan_in_box(&t->s, &t->s.in[i], &t->plan.in[i], tile->origin, tile->size);
}

/* What has to be made of box @next of input @i behind that of @box; rank 0: nothing. */
static struct box rest_behind(const struct tiled *t, int i, const struct box *box,
			      const struct box *next, struct box *common)
{
	struct box rest = *next;

	if (box_overlap(&t->plan.in[i], box, next, common))
		return box_behind(next, common);
	common->rank = 0;
	if (box_equal(box, next))
		rest.rank = 0;
	return rest;
}

/* Lets input @i be made for @tile; @next: the tile behind it, or NULL. */
static int make_box(struct lowering *l, struct tiled *t, int i, const struct part *tile,
		    const struct part *next)
{
	struct box box = lower_box_of(t, i, tile), then, common;
	struct part points, others;
	struct operand_at at;
	bool more = false;
	int rc = 0;

	take_turn(l, t);
	if (l->tile.in[i].buf == MIR_NO_BUF || !box_equal(&l->tile.box[i], &box))
		begin_box(l, t, i, &box);
	at = l->tile.in[i];
	take_turn(l, t);
	if (next) {
		then = lower_box_of(t, i, next);
		then = rest_behind(t, i, &box, &then, &common);
		more = points_of(t, i, &then, &others);
	}
	if (points_of(t, i, &t->rest[i], &points))
		rc = lower_part(l, t->maker[i], &points, more ? &others : NULL, &at);
	t->rest[i].rank = 0;
	return rc;
}

/* Moves the last @bytes of @at to its beginning, so that no copy overlaps what it comes from. */
static void move_to_begin(struct lowering *l, const struct operand_at *at, u64 bytes)
{
	u64 shift = at->layout.bytes - bytes, part;

	for (u64 done = 0; done < bytes; done += part) {
		struct operand_at from, to;

		part = bytes - done < shift ? bytes - done : shift;
		from = flat(at->buf, shift + done, part);
		to = flat(at->buf, done, part);
		lower_copy(l, &to, &from);
	}
}

/*
 * Begins what tile @next needs of input @i, which is made, with the rows that the one before has:
 * in another buffer, or in the same, where the cells beside its rows are padding already, but not
 * those behind the last one.
 */
static void carry_made(struct lowering *l, struct tiled *t, int i, const struct part *next)
{
	const struct layout *want = &t->plan.in[i];
	struct operand_at *is = &l->tile.in[i], was = *is;
	struct box box = lower_box_of(t, i, next), common;
	struct box rest = rest_behind(t, i, &l->tile.box[i], &box, &common);

	if (is->buf == MIR_NO_BUF || !common.rank)
		return;
	if (t->plan.twice) {
		begin_box(l, t, i, &box);
		keep_common(l, want, &was, &common, is->buf);
		t->rest[i] = rest;
		return;
	}
	move_to_begin(l, is, box_layout(want, &common).bytes);
	is->layout = box_layout(want, &box);
	l->tile.box[i] = box;
	t->rest[i] = rest;
	for (int d = 0; d < box.rank; d++) {
		s64 behind = box.lo[d] + box.n[d] - want->dim[d];

		if (common.n[d] < box.n[d] && behind > 0)
			lower_fill_end(l, is, (u64)(behind * is->layout.stride[d]));
	}
}

/* Begins what tile @next needs in other buffers, before the tile is computed, or in the same. */
static void carry(struct lowering *l, struct tiled *t, const struct part *next, bool before)
{
	for (int i = 0; i < STAGE_INPUTS; i++) {
		if (t->maker[i] && t->plan.twice == before)
			carry_made(l, t, i, next);
		else if (!t->maker[i] && before)
			carry_input(l, &t->s, &t->plan, i, &t->source[i], next->origin, next->size);
	}
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* Gets what @tile reads; @in: the layouts in which that is. */
static void get_inputs(struct lowering *l, struct tiled *t, const struct part *tile,
		       struct layout *in)
{
	for (int i = 0; i < STAGE_INPUTS; i++) {
		const struct operand_at *source = &t->source[i];

		in[i] = t->plan.in[i];
		if (!t->maker[i] && source->buf == MIR_NO_BUF && !source->outside)
			continue;
		if (!t->maker[i])
			get_input(l, &t->s, &t->plan, i, source, tile->origin, tile->size);
		in[i] = l->tile.in[i].layout;
	}
}

/* What the tile has made goes out. */
static void send_output(struct lowering *l)
{
	struct mir_item *send = mir_append(&l->mir, MIR_SEND);

	if (l->roll.active)
		send->group = l->roll.send;
	else
		send->ref.buf = l->tile.out.buf;
}

/*
 * A tile whose inputs that are made are there; @next: the one behind it, or NULL. What that one
 * needs of the same is copied first, beside the work of the tile.
 */
static int one_tile(struct lowering *l, struct tiled *t, const struct part *part,
		    const struct part *next, const struct operand_at *out)
{
	struct operand_at now[STAGE_INPUTS], then[STAGE_INPUTS];
	struct layout in[STAGE_INPUTS];
	struct stage tile;
	struct plan plan;
	int err;

	l->tile.next = 0;
	mir_step(&l->mir);
	for (int i = 0; i < l->roll.begins && l->roll.active; i++)
		mir_append(&l->mir, MIR_FETCH)->group = l->roll.begin[i];
	stage_tile(&t->s, part->origin, part->size, &tile);
	get_inputs(l, t, part, in);
	memcpy(now, l->tile.in, sizeof(now));
	if (next)
		carry(l, t, next, true);
	memcpy(then, l->tile.in, sizeof(then));
	memcpy(l->tile.in, now, sizeof(now));
	l->tile.out.buf = MIR_NO_BUF;
	if (out)
		l->tile.out = *out;
	else if (stage_ends_sums(&tile))
		get_output(l, &t->s, t->alone, part->origin, part->size);
	err = plan_tile(l->g, &tile, &t->plan, in, l->machine, &plan);
	if (!err)
		err = lower_stage_fn(l, &tile, &plan);
	if (!err && !out && l->tile.out.buf != MIR_NO_BUF)
		send_output(l);
	memcpy(l->tile.in, then, sizeof(then));
	if (next)
		carry(l, t, next, false);
	return err;
}

int lower_tile_of(struct lowering *l, struct tiled *t, const struct part *tile,
		  const struct part *next, const struct operand_at *out)
{
	int err = 0;

	for (int i = 0; i < STAGE_INPUTS && !err; i++) {
		if (t->maker[i])
			err = make_box(l, t, i, tile, next);
	}
	if (err)
		return err;
	take_turn(l, t);
	err = one_tile(l, t, tile, next, out);
	take_turn(l, t);
	return err ? err : lower_error(l, t->s.node);
}

/* Moves @tile, one of @all, along dimension @d. */
static bool next_along(int d, const struct part *all, struct part *tile)
{
	tile->origin[d] += tile->size[d];
	if (tile->origin[d] < all->origin[d] + all->size[d])
		return true;
	tile->origin[d] = all->origin[d];
	return false;
}

static void set_size(const struct tiled *t, const struct part *all, struct part *tile)
{
	for (int d = 0; d < t->s.dims; d++) {
		s64 left = all->origin[d] + all->size[d] - tile->origin[d];
		s64 most = t->plan.tile[d], short_end = most / SHORT_PART;

		if (d == t->short_ends && tile->origin[d] == all->origin[d])
			most = short_end;
		else if (d == t->short_ends && left <= most && left > short_end)
			most = left - short_end;
		tile->size[d] = left < most ? left : most;
	}
}

static struct part first_tile(const struct tiled *t, const struct part *all)
{
	struct part tile = *all;

	set_size(t, all, &tile);
	return tile;
}

/* Makes @tile the next one of @all, along the last dimension first; false: there is none. */
static bool next_tile(const struct tiled *t, const struct part *all, struct part *tile)
{
	int column = t->plan.columns_first ? t->s.dims - t->s.reduced - 1 : -1, d = t->s.dims - 1;

	while (d >= 0 && (d == column || !next_along(d, all, tile)))
		d--;
	if (d < 0 && (column < 0 || !next_along(column, all, tile)))
		return false;
	set_size(t, all, tile);
	return true;
}

/* All tiles of @all, behind which those of @after are next, if it is not NULL. */
static int lower_part(struct lowering *l, struct tiled *t, const struct part *all,
		      const struct part *after, const struct operand_at *out)
{
	struct part tile = first_tile(t, all), next = tile;
	bool more;
	int err;

	do {
		more = next_tile(t, all, &next);
		if (!more && after)
			next = first_tile(t, after);
		err = lower_tile_of(l, t, &tile, more || after ? &next : NULL, out);
		tile = next;
	} while (!err && more);
	return err;
}

static struct tiled *tiled_of(struct lowering *l, const struct stage *s, const struct plan *p);

/* Where input @i of @t comes from. */
static void find_source(struct lowering *l, struct tiled *t, const struct stage *s, int i)
{
	const struct value *v = s->in[i].value;
	const struct stages *all = l->plans->stages;
	u64 skipped;

	t->state.in[i].buf = t->source[i].buf = MIR_NO_BUF;
	if (!v || (i == 1 && t->plan.unit == PLAN_MATRIX && value_is_const(v)))
		return;
	if (!value_is_const(v) && l->plans->maker[v->id] != PLAN_NO_STAGE) {
		int maker = l->plans->maker[v->id];

		t->maker[i] = tiled_of(l, all->at[maker], &l->plans->at[maker]);
		return;
	}
	t->source[i] = source_of(l, s, i);
	if (!t->source[i].outside)
		return;
	plan_thin(s, &t->s.in[i], &t->source[i].layout, &t->plan.in[i], &skipped);
	t->source[i].slot_offset += skipped;
}

/* @s in tiles as in plan @p; NULL: no memory. */
static struct tiled *tiled_of(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct tiled *t = graph_alloc(l->g, sizeof(*t));

	if (!t)
		return NULL;
	t->s = *s;
	t->plan = *p;
	t->alone = fills_alone(l, s);
	t->state.active = true;
	t->state.buffers = p->buffers;
	t->state.column = t->state.weights = -1;
	t->short_ends = -1;
	for (int i = 0; i < STAGE_INPUTS; i++)
		find_source(l, t, s, i);
	return l->g->err->code ? NULL : t;
}

/* Whether nothing is done while the first tile comes in, or while the last one goes out. */
static bool is_at_end(const struct lowering *l, const struct tiled *t)
{
	const struct value *in = t->s.in[0].value;
	bool input = !in->producer && !value_is_const(in) && l->plans->outside[in->id];

	return input || t->s.out.value->is_output;
}

/*
 * The dimension along which the first and the last tile are short; -1: none. Only of products that
 * are cut along rows, and only if pushes still take as long as the next weights.
 */
static int find_short_ends(const struct lowering *l, const struct tiled *t)
{
	int row = t->s.dims - t->s.reduced - 3, cut = 0;
	const s64 *tile = t->plan.tile;

	if (t->s.kind != STAGE_PRODUCT || t->plan.unit != PLAN_MATRIX || t->maker[0] ||
	    !is_at_end(l, t))
		return -1;
	for (int d = 0; d < t->s.dims; d++)
		cut += tile[d] < t->s.size[d];
	if (cut != 1 || tile[row] * SHORT_MIN > t->s.size[row] ||
	    tile[row] % (SHORT_PART * t->plan.pixels[0]) ||
	    tile[row] / SHORT_PART * t->s.size[row + 1] <
		    l->machine->lanes * t->plan.pixels[0] * t->plan.pixels[1])
		return -1;
	return row;
}

int lower_tiles(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct tiled *t = tiled_of(l, s, p);
	struct part all = { .origin = { 0 } };

	if (t)
		t->short_ends = find_short_ends(l, t);
	memcpy(all.size, s->size, sizeof(all.size));
	if (t && p->rolled)
		return lower_rolled(l, t);
	return t ? lower_part(l, t, &all, NULL, NULL) : l->g->err->code;
}
