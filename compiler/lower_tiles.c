// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Stages in tiles, where not all that they touch is in SRAM.
 *
 * Each tile is a step: what it reads comes in as boxes, it is lowered as a stage of its own, and
 * what it makes goes out. An input that lies in SRAM, in the layout that is wanted, is used there.
 * All others are in buffers of the tile, whose lives overlap with those of the tile before and the
 * one behind: so transfers run beside other tiles, and buffers take turns.
 */
#include "compiler/lower.h"

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

/*
 * A buffer for box @b of @at, whose end @moved comes from there, or all of which is sent there. If
 * something else begins it, that is done while the tile before is, and so it may not come earlier.
 */
static struct operand_at moved_box(struct lowering *l, enum rondo_dma_dir dir, const char *name,
				   const struct operand_at *at, const struct box *b,
				   const struct box *moved)
{
	struct operand_at part = { .layout = box_layout(&at->layout, b) };
	u64 begun = part.layout.bytes - box_layout(&at->layout, moved).bytes;
	struct lower_transfer *t;

	part.buf = mir_buffer(&l->mir, MIR_BUF_VALUE, name, part.layout.bytes);
	t = lower_transfer(l);
	if (part.buf == MIR_NO_BUF || !t)
		return part;
	*t = (struct lower_transfer){
		.dir = dir,
		.buf = part.buf,
		.offset = begun,
		.slot = at->slot,
		.rows = box_rows(&at->layout, moved),
	};
	t->slot_offset = at->slot_offset + t->rows.offset;
	if (dir == RONDO_DMA_IN && !begun)
		l->mir.buf[part.buf].ahead = l->tile.buffers - 1;
	else if (dir == RONDO_DMA_OUT)
		l->mir.buf[part.buf].behind = l->tile.buffers - 1;
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

	copy_box(l, &at, from, &inner);
	return at;
}

/* Whether box @b of @from, which is outside, is in layout @want as it comes in. */
static bool comes_as(const struct operand_at *from, const struct layout *want, const struct box *b)
{
	const struct box cells = box_cells(&from->layout), elements = box_elements(&from->layout);

	return box_inside(b, &cells) &&
	       (box_inside(b, &elements) || from->layout.fill == want->fill) &&
	       box_same_order(&from->layout, want);
}

/* Box @b of @from, which is outside, in layout @want. */
static struct operand_at fetch(struct lowering *l, const char *name, const struct operand_at *from,
			       const struct layout *want, const struct box *b)
{
	const struct box elements = box_elements(&from->layout);
	struct operand_at part;
	struct box inner;

	if (comes_as(from, want, b))
		return moved_box(l, RONDO_DMA_IN, name, from, b, b);
	inner = box_meet(b, &elements);
	part = moved_box(l, RONDO_DMA_IN, name, from, &inner, &inner);
	return in_layout(l, name, &part, want, b);
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
	struct lower_tile *t = &l->tile;

	if (t->in[i].buf != MIR_NO_BUF && box_equal(&t->box[i], &box))
		return;
	t->box[i] = box;
	t->direct[i] = source->outside && comes_as(source, &p->in[i], &box);
	if (source->outside)
		t->in[i] = fetch(l, a->value->name, source, &p->in[i], &box);
	else if (layout_equal(&source->layout, &p->in[i]))
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

/*
 * Begins what the next tile, at @origin, needs of input @i with the rows that this one has of it
 * already: only the others come in.
 */
static void carry_input(struct lowering *l, const struct stage *s, const struct plan *p, int i,
			const struct operand_at *source, const s64 *origin, const s64 *size)
{
	struct box box = plan_in_box(s, &s->in[i], &p->in[i], origin, size), common, rest = box;
	struct operand_at *is = &l->tile.in[i], next, from, to;
	u64 bytes;

	if (is->buf == MIR_NO_BUF || !l->tile.direct[i] || l->tile.buffers < 2 ||
	    !comes_as(source, &p->in[i], &box) ||
	    !box_overlap(&source->layout, &l->tile.box[i], &box, &common))
		return;
	for (int d = 0; d < box.rank; d++) {
		if (common.n[d] == box.n[d])
			continue;
		rest.lo[d] += common.n[d];
		rest.n[d] -= common.n[d];
	}
	bytes = box_layout(&source->layout, &common).bytes;
	next = moved_box(l, RONDO_DMA_IN, s->in[i].value->name, source, &box, &rest);
	from = flat(is->buf, is->layout.bytes - bytes, bytes);
	to = flat(next.buf, 0, bytes);
	lower_copy(l, &to, &from);
	*is = next;
	l->tile.box[i] = box;
}

static void get_output(struct lowering *l, const struct stage *s, const s64 *origin,
		       const s64 *size)
{
	struct operand_at at = lower_place(l, s->out.value);
	struct box box;

	l->tile.out.buf = MIR_NO_BUF;
	if (!at.outside)
		return;
	box = plan_out_box(s, &at.layout, origin, size);
	l->tile.out = moved_box(l, RONDO_DMA_OUT, s->out.value->name, &at, &box, &box);
	lower_fill(l, &l->tile.out);
}

static int one_tile(struct lowering *l, const struct stage *s, const struct plan *p,
		    const struct operand_at *source, const s64 *origin, const s64 *size)
{
	struct layout in[STAGE_INPUTS];
	struct stage tile;
	struct plan plan;
	int err;

	l->tile.next = 0;
	mir_step(&l->mir);
	stage_tile(s, origin, size, &tile);
	for (int i = 0; i < STAGE_INPUTS; i++) {
		in[i] = p->in[i];
		if (!s->in[i].value || (source[i].buf == MIR_NO_BUF && !source[i].outside))
			continue;
		get_input(l, s, p, i, &source[i], origin, size);
		in[i] = l->tile.in[i].layout;
	}
	get_output(l, s, origin, size);
	err = plan_tile(l->g, &tile, p, in, l->machine, &plan);
	if (!err)
		err = lower_stage_fn(l, &tile, &plan);
	if (!err && l->tile.out.buf != MIR_NO_BUF)
		mir_append(&l->mir, MIR_SEND)->ref.buf = l->tile.out.buf;
	return err;
}

static bool next_along(const struct stage *s, const struct plan *p, int d, s64 *origin)
{
	origin[d] += p->tile[d];
	if (origin[d] < s->size[d])
		return true;
	origin[d] = 0;
	return false;
}

/* The next tile, along the last dimension first; false: there is none. */
static bool next_tile(const struct stage *s, const struct plan *p, s64 *origin)
{
	int column = p->columns_first ? s->dims - s->reduced - 1 : -1;

	for (int d = s->dims - 1; d >= 0; d--) {
		if (d != column && next_along(s, p, d, origin))
			return true;
	}
	return column >= 0 && next_along(s, p, column, origin);
}

static void size_of_tile(const struct stage *s, const struct plan *p, const s64 *origin, s64 *size)
{
	for (int d = 0; d < s->dims; d++) {
		s64 left = s->size[d] - origin[d];

		size[d] = left < p->tile[d] ? left : p->tile[d];
	}
}

int lower_tiles(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at source[STAGE_INPUTS];
	s64 origin[STAGE_DIMS] = { 0 }, size[STAGE_DIMS];
	struct stage thin = *s;
	struct plan plan = *p;
	u64 skipped;
	bool more;
	int err;

	for (int i = 0; i < STAGE_INPUTS; i++) {
		l->tile.in[i].buf = source[i].buf = MIR_NO_BUF;
		source[i].outside = false;
		if (s->in[i].value &&
		    !(i == 1 && p->unit == PLAN_MATRIX && value_is_const(s->in[i].value)))
			source[i] = source_of(l, s, i);
		if (!source[i].outside)
			continue;
		plan_thin(s, &thin.in[i], &source[i].layout, &plan.in[i], &skipped);
		source[i].slot_offset += skipped;
	}
	l->tile.active = true;
	l->tile.buffers = p->buffers;
	l->tile.pieces = l->tile.memos = 0;
	l->tile.column = l->tile.weights = -1;
	size_of_tile(s, p, origin, size);
	do {
		err = one_tile(l, &thin, &plan, source, origin, size);
		more = next_tile(s, p, origin);
		size_of_tile(s, p, origin, size);
		for (int i = 0; i < STAGE_INPUTS && more; i++)
			carry_input(l, &thin, &plan, i, &source[i], origin, size);
		if (!err)
			err = lower_error(l, s->node);
	} while (!err && more);
	l->tile.active = false;
	return err;
}
