// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Conv and Linear: products on the matrix unit.
 *
 * For each column tile (N) and strip of pixels, and for each push of K: its weight rows into one of
 * the two buffers, then one push per pixel, each into its own accumulator row; then one
 * requantising store per pixel, which adds the bias and clamps. All these are kernels that stand
 * one after the other; the stream lets weights be loaded beside the pushes of the tile before, and
 * stores follow the last pushes. Where there are very many tiles, they are a repetition.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "compiler/lower.h"
#include "compiler/tile.h"
#include "compiler/window.h"

enum {
	OUTER_MAX = 4,
	PIXEL_X = 1,
	PIXEL_Y = 0,
	BYTES = 4,
	KERNELS_MAX = 4096, /* of one product; more are a repetition */
};

/* A loop around the whole product: batch, group. Strides in bytes. */
struct outer {
	s64 trip, x, w, y, bias;
};

struct product {
	struct operand_at x, w, y;
	struct operand_at bias; /* buf MIR_NO_BUF: none */
	s64 x_offset, y_offset; /* bytes to pixel 0 */
	struct outer outer[OUTER_MAX];
	int outers, looped; /* the first @looped of them are loops, */
	s64 trip[OUTER_MAX]; /* the others are at these trips */
	s64 pixels[2]; /* rows, pixels of a row */
	s64 x_step[2], y_step[2]; /* bytes */
	struct tile_ks k;
	s64 columns; /* N */
	bool packed; /* the weights of a column tile are dense, one tile behind the other */
	s64 y_lane; /* bytes between columns of the result */
	float lo, hi;
};

/* Adds the strides of the outer loops, whose depths are 0..looped-1, and the place of the others.
 */
static struct mir_ref outer_ref(const struct product *p, mir_buf buf, s64 offset, size_t member)
{
	struct mir_ref ref = mir_ref(buf, offset);
	int d;

	for (d = 0; d < p->outers; d++) {
		s64 step = *(const s64 *)((const char *)&p->outer[d] + member);

		if (d < p->looped)
			ref.stride[d] = (s32)step;
		else
			ref.offset += p->trip[d] * step;
	}
	return ref;
}

#define OUTER_REF(p, member, offset) \
	outer_ref(p, (p)->member.buf, offset, offsetof(struct outer, member))

/* Loads rq_f32's parameters for columns [n, n + lanes): bias, low, high. */
static vreg load_params(struct lowering *l, const struct product *p, s64 n, int lanes)
{
	struct mir *m = &l->mir;
	vreg params = mir_vreg3(m);
	const float none = 0;
	float bounds[2] = { p->lo, p->hi };
	int i;

	if (p->bias.buf == MIR_NO_BUF)
		mir_load_part(m, params, 0, RONDO_OP_ldb_w,
			      lower_const(l, &none, sizeof(none), NULL), lanes);
	else
		mir_load_part(m, params, 0, RONDO_OP_ld_w,
			      OUTER_REF(p, bias, p->bias.layout.base + n * BYTES), lanes);
	for (i = 0; i < 2; i++)
		mir_load_part(m, params, 1 + i, RONDO_OP_ldb_w,
			      lower_const(l, &bounds[i], sizeof(float), NULL), lanes);
	return params;
}

/* What does not change from strip to strip of one column tile. */
struct column_tile {
	s64 n;
	int lanes;
	vreg params;
	bool has_params;
	int loaded; /* the only push of K, whose weights a buffer has; or -1 */
	int buffer; /* where the next weights go, in turn with the other one */
};

static s64 total_rows(const struct product *p)
{
	const struct tile_k *last = &p->k.k[p->k.n - 1];

	return last->row + last->count;
}

/* Weight rows of push @k into the next buffer. */
static void load_weights(struct lowering *l, const struct product *p, int k, struct column_tile *t)
{
	const struct tile_k *tile = &p->k.k[k];
	s64 pitch = (p->packed ? t->lanes : p->columns) * BYTES;
	s64 columns = (p->packed ? t->n * total_rows(p) : t->n) * BYTES;
	struct mir *m = &l->mir;
	struct mir_item *item;
	struct mir_ref ref = OUTER_REF(p, w, p->w.layout.base + columns + tile->row * pitch);
	int depth = mir_loop(m, tile->count);

	ref.stride[depth] = (s32)pitch;
	ref.row_stride[depth] = 1;
	t->buffer ^= 1;
	item = mir_op(m, RONDO_OP_wl_w);
	item->ref = ref;
	item->op.count = (u8)t->lanes;
	item->op.buf = (u8)t->buffer;
	mir_end(m);
}

/* Opens the loops over @h rows of @w pixels; rows of the accumulator file follow the pixels. */
static void open_pixels(struct mir *m, struct mir_ref *ref, s64 w, s64 h, const s64 step[2])
{
	int y = mir_loop(m, h), x = mir_loop(m, w);

	ref->stride[y] = step[PIXEL_Y];
	ref->stride[x] = step[PIXEL_X];
	ref->row_stride[y] = w;
	ref->row_stride[x] = 1;
}

static void close_pixels(struct mir *m)
{
	mir_end(m);
	mir_end(m);
}

static void push_pixels(struct lowering *l, const struct product *p, int k, int buffer,
			struct mir_ref ref, s64 w, s64 h)
{
	const struct tile_k *tile = &p->k.k[k];
	struct mir_item *item;

	ref.offset += tile->offset;
	ref.seg_len = tile->seg_len;
	ref.seg_stride = tile->seg_stride;
	open_pixels(&l->mir, &ref, w, h, p->x_step);
	item = mir_op(&l->mir, RONDO_OP_push_f32);
	item->ref = ref;
	item->op.count = tile->count;
	item->op.buf = (u8)buffer;
	item->op.mode = k == 0; /* the first push writes, the others add */
	close_pixels(&l->mir);
}

static void store_pixels(struct lowering *l, const struct product *p, struct mir_ref ref, s64 w,
			 s64 h, vreg params, int lanes)
{
	struct mir_item *item;

	if (p->y_lane != BYTES) {
		ref.seg_len = 1;
		ref.seg_stride = p->y_lane;
	}
	open_pixels(&l->mir, &ref, w, h, p->y_step);
	item = mir_op(&l->mir, RONDO_OP_stq_f32);
	item->ref = ref;
	item->params = params;
	item->op.count = lanes;
	close_pixels(&l->mir);
}

/* A strip of @h rows of @w pixels from pixel @at on; @loop: the depth of a loop over strips, or -1.
 */
static void strip(struct lowering *l, const struct product *p, struct column_tile *t,
		  const s64 at[2], s64 w, s64 h, int loop)
{
	struct mir_ref from, to;
	int k;

	from = OUTER_REF(p, x,
			 p->x_offset + at[PIXEL_Y] * p->x_step[PIXEL_Y] +
				 at[PIXEL_X] * p->x_step[PIXEL_X]);
	to = OUTER_REF(p, y,
		       p->y_offset + at[PIXEL_Y] * p->y_step[PIXEL_Y] +
			       at[PIXEL_X] * p->y_step[PIXEL_X] + t->n * p->y_lane);
	if (loop >= 0) {
		from.stride[loop] = (s32)(h * p->x_step[PIXEL_Y]);
		to.stride[loop] = (s32)(h * p->y_step[PIXEL_Y]);
	}
	for (k = 0; k < p->k.n; k++) {
		if (t->loaded != k)
			load_weights(l, p, k, t);
		push_pixels(l, p, k, t->buffer, from, w, h);
	}
	if (!t->has_params)
		t->params = load_params(l, p, t->n, t->lanes);
	t->has_params = true;
	t->loaded = p->k.n == 1 ? 0 : -1;
	store_pixels(l, p, to, w, h, t->params, t->lanes);
}

/* @rows rows of @w pixels from column @x on, in strips of @h rows. */
static void strips(struct lowering *l, const struct product *p, struct column_tile *t, s64 x, s64 w,
		   s64 h, bool unrolled)
{
	s64 rows = p->pixels[PIXEL_Y], y = 0, full = rows / h;

	if (!unrolled && full > 1) {
		int depth;

		t->params = load_params(l, p, t->n, t->lanes);
		t->has_params = true;
		t->loaded = -1;
		depth = mir_loop(&l->mir, full);
		strip(l, p, t, (s64[]){ 0, x }, w, h, depth);
		mir_end(&l->mir);
		y = full * h;
		t->loaded = -1;
	}
	for (; y < rows; y += h)
		strip(l, p, t, (s64[]){ y, x }, w, rows - y < h ? rows - y : h, -1);
}

static void column_tile(struct lowering *l, const struct product *p, s64 n, int *buffer,
			bool unrolled)
{
	struct tile_strip s = tile_pixels(l->machine, p->pixels[PIXEL_X], p->pixels[PIXEL_Y]);
	s64 width = p->pixels[PIXEL_X], left = p->columns - n, x;
	struct column_tile t = { .n = n, .loaded = -1, .buffer = *buffer };

	t.lanes = (int)(left < l->machine->lanes ? left : l->machine->lanes);
	for (x = 0; x < width; x += s.w)
		strips(l, p, &t, x, width - x < s.w ? width - x : s.w, s.h, unrolled);
	*buffer = t.buffer;
}

/* Kernels of all column tiles and strips for one trip of the outer loops, about. */
static s64 count_kernels(const struct lowering *l, const struct product *p)
{
	struct tile_strip s = tile_pixels(l->machine, p->pixels[PIXEL_X], p->pixels[PIXEL_Y]);
	s64 strips =
		((p->pixels[PIXEL_Y] + s.h - 1) / s.h) * ((p->pixels[PIXEL_X] + s.w - 1) / s.w);

	return (p->columns + l->machine->lanes - 1) / l->machine->lanes * strips * (2 * p->k.n + 1);
}

/* The outer loops from number @d on, which are not loops of the machine IR, and what is in them. */
static void unrolled_outer(struct lowering *l, struct product *p, int d, int *buffer, bool unrolled)
{
	if (d < p->outers) {
		for (p->trip[d] = 0; p->trip[d] < p->outer[d].trip; p->trip[d]++)
			unrolled_outer(l, p, d + 1, buffer, unrolled);
		return;
	}
	for (s64 n = 0; n < p->columns; n += l->machine->lanes)
		column_tile(l, p, n, buffer, unrolled);
}

static void lower_product(struct lowering *l, struct product *p)
{
	s64 kernels = count_kernels(l, p);
	bool unrolled = kernels <= KERNELS_MAX;
	int buffer = 0, d;

	for (p->looped = p->outers; p->looped; p->looped--) {
		kernels *= p->outer[p->looped - 1].trip;
		if (kernels > KERNELS_MAX)
			break;
	}
	for (d = 0; d < p->looped; d++)
		mir_loop(&l->mir, p->outer[d].trip);
	unrolled_outer(l, p, p->looped, &buffer, unrolled);
	for (d = 0; d < p->looped; d++)
		mir_end(&l->mir);
}

/* Where the weight of (row, column) of a matrix of @rows x @columns is, packed in column tiles. */
static s64 packed_at(const struct lowering *l, s64 row, s64 column, s64 rows, s64 columns)
{
	s64 lanes = l->machine->lanes, n = column / lanes * lanes;
	s64 width = columns - n < lanes ? columns - n : lanes;

	return n * rows + row * width + column - n;
}

/* ONNX's OIHW weights as rows of K = (ky, kx, c), one matrix per group, in column tiles. */
static struct operand_at pack_weights(struct lowering *l, const struct value *v, s64 groups,
				      s64 taps)
{
	s64 outs = v->shape.dim[0] / groups, ins = v->shape.dim[1], g, t, c, o;
	const float *from = v->data;
	void *room;
	float *to;
	struct mir_ref ref = lower_const(l, NULL, shape_elems(&v->shape) * BYTES, &room);
	struct operand_at at = { .buf = ref.buf, .layout.base = ref.offset };

	to = room;
	for (g = 0; to && g < groups; g++, to += taps * ins * outs)
		for (t = 0; t < taps; t++)
			for (c = 0; c < ins; c++)
				for (o = 0; o < outs; o++)
					to[packed_at(l, t * ins + c, o, taps * ins, outs)] =
						from[((g * outs + o) * ins + c) * taps + t];
	return at;
}

/* Constant matrices [..., rows, columns] in column tiles. */
static struct operand_at pack_matrices(struct lowering *l, const struct value *v)
{
	s64 columns = v->shape.dim[v->shape.rank - 1], rows = v->shape.dim[v->shape.rank - 2];
	s64 matrices = shape_elems(&v->shape) / (rows * columns), i, r, c;
	const float *from = v->data;
	void *room;
	float *to;
	struct mir_ref ref = lower_const(l, NULL, shape_elems(&v->shape) * BYTES, &room);
	struct operand_at at = { .buf = ref.buf, .layout.base = ref.offset };

	to = room;
	for (i = 0; to && i < matrices; i++, to += rows * columns)
		for (r = 0; r < rows; r++)
			for (c = 0; c < columns; c++)
				to[packed_at(l, r, c, rows, columns)] = *from++;
	return at;
}

/* The runs of K that a window reads of @cg channels of each pixel; see lower.h for the layout. */
static struct tile_ks window_runs(struct lowering *l, const struct window *w, s64 channels, s64 cg,
				  s64 row)
{
	const struct window_axis *y = &w->axis[0], *x = &w->axis[1];
	struct tile_run *runs;
	s64 ky;

	if (cg == channels && (x->dilation == 1 || x->kernel == 1)) {
		struct tile_run whole = { .segs = y->kernel,
					  .len = x->kernel * channels,
					  .stride = y->dilation * row };

		return tile_k(&l->g->arena, l->machine, &whole, 1);
	}
	runs = graph_alloc(l->g, y->kernel * sizeof(*runs));
	if (!runs)
		return (struct tile_ks){ 0 };
	for (ky = 0; ky < y->kernel; ky++)
		runs[ky] = (struct tile_run){ .offset = ky * y->dilation * row,
					      .segs = x->kernel,
					      .len = cg,
					      .stride = x->dilation * channels * BYTES };
	return tile_k(&l->g->arena, l->machine, runs, y->kernel);
}

static int lower_conv(struct lowering *l, struct node *n)
{
	const struct value *weights = node_in(n, 1), *bias = node_in(n, 2);
	struct layout in = layout_of_window_input(l->g, n), *out;
	s64 channels = in.dim[1], row = in.rank == 4 ? in.stride[2] : in.stride[0];
	s64 groups = n->attrs.group, outs = weights->shape.dim[0] / groups;
	struct product p = { .bias.buf = MIR_NO_BUF, .lo = n->attrs.lo, .hi = n->attrs.hi };
	struct window w;

	if (!value_is_const(weights))
		return node_fail(l->g, n, -ENOTSUP, "weights are known only at run time");
	window_of(l->g, n, &w);
	p.x = lower_in_as(l, node_in(n, 0), &in);
	p.x_offset = p.x.layout.base - in.base; /* the first window begins in the padding */
	p.w = pack_weights(l, weights, groups, w.axis[0].kernel * w.axis[1].kernel);
	if (bias)
		p.bias = lower_in(l, bias);
	p.y = lower_out(l, n->out[0]);
	out = &p.y.layout;
	p.y_offset = out->base;
	p.outer[p.outers++] =
		(struct outer){ .trip = in.dim[0], .x = in.stride[0], .y = out->stride[0] };
	p.outer[p.outers++] = (struct outer){ .trip = groups,
					      .x = weights->shape.dim[1] * BYTES,
					      .w = shape_elems(&weights->shape) / groups * BYTES,
					      .y = outs * out->stride[1],
					      .bias = outs * BYTES };
	p.pixels[PIXEL_Y] = w.axis[0].out;
	p.pixels[PIXEL_X] = w.axis[1].out;
	p.x_step[PIXEL_Y] = w.axis[0].stride * row;
	p.x_step[PIXEL_X] = w.axis[1].stride * channels * BYTES;
	p.y_step[PIXEL_Y] = out->rank == 4 ? out->stride[2] : 0;
	p.y_step[PIXEL_X] = out->stride[out->rank - 1];
	p.k = window_runs(l, &w, channels, weights->shape.dim[1], row);
	if (!p.k.n)
		return graph_fail(l->g, -ENOMEM, "no memory");
	p.columns = outs;
	p.packed = true;
	p.y_lane = out->stride[1];
	lower_product(l, &p);
	return 0;
}

static int lower_linear(struct lowering *l, struct node *n)
{
	const struct value *a = node_in(n, 0), *b = node_in(n, 1), *bias = node_in(n, 2);
	const struct shape *shape = &n->out[0]->shape;
	struct layout la = layout_row_major(&a->shape), lb = layout_row_major(&b->shape), *out;
	struct product p = { .bias.buf = MIR_NO_BUF, .lo = n->attrs.lo, .hi = n->attrs.hi };
	s64 sa[TENSOR_RANK_MAX], sb[TENSOR_RANK_MAX], k = a->shape.dim[a->shape.rank - 1];
	struct shape batch_a = a->shape, batch_b = b->shape, batch = *shape;
	struct tile_run run = { .segs = 1, .len = k };
	int d, rank = shape->rank;

	if (rank - 2 > OUTER_MAX)
		return node_fail(l->g, n, -ENOTSUP, "more than %d leading dimensions", OUTER_MAX);
	/* Strides over the leading dimensions: those of the matrices are made to broadcast. */
	batch_a.dim[batch_a.rank - 1] = batch_a.dim[batch_a.rank - 2] = 1;
	batch_b.dim[batch_b.rank - 1] = batch_b.dim[batch_b.rank - 2] = 1;
	shape_broadcast_strides(&batch_a, &batch, sa);
	shape_broadcast_strides(&batch_b, &batch, sb);
	p.x = lower_in_as(l, a, &la);
	p.packed = value_is_const(b);
	p.w = p.packed ? pack_matrices(l, b) : lower_in_as(l, b, &lb);
	if (bias)
		p.bias = lower_in(l, bias);
	p.y = lower_out(l, n->out[0]);
	out = &p.y.layout;
	p.x_offset = p.x.layout.base;
	p.y_offset = out->base;
	for (d = 0; d < rank - 2; d++)
		p.outer[p.outers++] = (struct outer){ .trip = shape->dim[d],
						      .x = sa[d] * shape->dim[rank - 2] * k * BYTES,
						      .w = sb[d] * k * shape->dim[rank - 1] * BYTES,
						      .y = out->stride[d] };
	p.pixels[PIXEL_Y] = 1;
	p.pixels[PIXEL_X] = shape->dim[rank - 2];
	p.x_step[PIXEL_X] = k * BYTES;
	p.y_step[PIXEL_X] = out->stride[rank - 2];
	p.k = tile_k(&l->g->arena, l->machine, &run, 1);
	if (!p.k.n)
		return graph_fail(l->g, -ENOMEM, "no memory");
	p.columns = shape->dim[rank - 1];
	p.y_lane = out->stride[rank - 1];
	lower_product(l, &p);
	return 0;
}

int lower_matrix(struct lowering *l, struct node *n)
{
	return n->op == OP_CONV ? lower_conv(l, n) : lower_linear(l, n);
}
