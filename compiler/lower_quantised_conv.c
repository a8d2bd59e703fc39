// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Products of bytes: see lower_quantised.h. What the matrix unit does with them is in
 * lower_matrix.c; convolutions whose channels do not mix are here, as dot products of four taps.
 */
#include "compiler/lower_depthwise.h"
#include "compiler/lower_quantised.h"

#include <errno.h>

enum { BYTES = 4, PER_CONTAINER = 4 };

u32 quantised_packed(const struct requantise *r)
{
	return (u32)(u8)r->shift | (u32)(u8)r->zero << 8 | (u32)(u8)r->lo << 16 |
	       (u32)(u8)r->hi << 24;
}

enum rondo_opcode quantised_op(const struct node *n)
{
	bool is_signed = n->out[0]->dtype == DTYPE_S8;

	if (node_in(n, 1)->dtype == DTYPE_S32)
		return is_signed ? RONDO_OP_rq_fix_s8 : RONDO_OP_rq_fix_u8;
	return is_signed ? RONDO_OP_rq_flt_s8 : RONDO_OP_rq_flt_u8;
}

enum rondo_opcode quantised_store_op(const struct node *n)
{
	bool is_signed = n->out[0]->dtype == DTYPE_S8;

	if (node_in(n, 1)->dtype == DTYPE_S32)
		return is_signed ? RONDO_OP_stq_fix_s8 : RONDO_OP_stq_fix_u8;
	return is_signed ? RONDO_OP_stq_flt_s8 : RONDO_OP_stq_flt_u8;
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* The weights of a product, without their zero, by their place in its domain. */
struct weights {
	const struct stage *s;
	const struct value *v, *zero;
	int outer, column, first; /* dimensions: how many are outside, o, ky */
	s64 stride[STAGE_DIMS]; /* elements */
	s64 matrices; /* as many as the outer dimensions that move them have points */
	s32 lo, hi; /* of all of them, and 0 */
};

static s64 zero_point(const struct value *zero, s64 i)
{
	if (!zero)
		return 0;
	return quantise_read(zero->dtype, zero->data, shape_elems(&zero->shape) == 1 ? 0 : i);
}

/* Elements from the first weight to the first of matrix @m. */
static s64 matrix_at(const struct weights *w, s64 m)
{
	s64 at = 0;

	for (int d = w->outer - 1; d >= 0; d--) {
		if (!w->stride[d])
			continue;
		at += m % w->s->size[d] * w->stride[d];
		m /= w->s->size[d];
	}
	return at;
}

/* The channel of column @o of matrix @m, for what is by channel. */
static s64 channel_of(const struct weights *w, s64 m, s64 o)
{
	return w->s->node->op == OP_CONVINTEGER ? m * w->s->size[w->column] + o : o;
}

/* Weight (ky, kx, c), in order, of column @o of matrix @m. */
static s32 weight(const struct weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c)
{
	const s64 *k = &w->stride[w->first];
	s64 at = matrix_at(w, m) + o * w->stride[w->column] + ky * k[0] + kx * k[1] + c * k[2];

	return quantise_read(w->v->dtype, w->v->data, at) -
	       (s32)zero_point(w->zero, channel_of(w, m, o));
}

/* The sum of all weights of a column, and their range. */
static s64 sum_column(struct weights *w, s64 m, s64 o)
{
	const s64 *size = &w->s->size[w->first];
	s64 sum = 0;

	for (s64 ky = 0; ky < size[0]; ky++) {
		for (s64 kx = 0; kx < size[1]; kx++) {
			for (s64 c = 0; c < size[2]; c++) {
				s32 x = weight(w, m, o, ky, kx, c);

				w->lo = x < w->lo ? x : w->lo;
				w->hi = x > w->hi ? x : w->hi;
				sum += x;
			}
		}
	}
	return sum;
}

static struct weights weights_of(const struct stage *s, int outer)
{
	const struct layout dense = layout_dense(s->in[1].value);
	struct weights w = { .s = s,
			     .v = s->in[1].value,
			     .zero = node_in(s->node, 3),
			     .outer = outer,
			     .column = s->dims - s->reduced - 1,
			     .first = s->dims - s->reduced,
			     .matrices = 1 };

	for (int d = 0; d < s->dims; d++) {
		w.stride[d] = plan_stride(&s->in[1], &dense, d);
		if (d < outer && w.stride[d])
			w.matrices *= s->size[d];
	}
	return w;
}

/* ---- Parameters ------------------------------------------------------------------------------ */

/* Zeros that are not constant could not be in padding, or in a bias. */
static int check_constant(const struct lowering *l, const struct stage *s)
{
	for (int i = 2; i < 4; i++) {
		const struct value *v = node_in(s->node, i);

		if (v && !v->data)
			return node_fail(l->g, s->node, -ENOTSUP,
					 "its zero point \"%.80s\" is known only at run time",
					 v->name);
	}
	return 0;
}

/*
 * Bias, multiplier and the rest of the Requantize for every column of every matrix, once for all
 * tiles; without one only what the zero of x takes from the sums.
 */
static struct quantised_columns make_parameters(struct lowering *l, struct weights *w)
{
	const struct stage *s = w->s;
	s64 columns = s->size[w->column], all = w->matrices * columns, bytes = all * BYTES;
	s64 x_zero = zero_point(node_in(s->node, 2), 0);
	struct quantised_columns q = { .part = { 0, bytes, 2 * bytes } };
	void *room;
	u32 *to;

	q.ref = lower_const(l, NULL, (u64)(s->epilogue ? 3 * bytes : bytes), &room);
	to = room;
	for (s64 i = 0; to && i < all; i++) {
		s64 m = i / columns, o = i % columns, sum = sum_column(w, m, o);
		struct requantise r = { 0 };

		if (s->epilogue)
			r = requantise_of(s->epilogue, channel_of(w, m, o));
		to[i] = (u32)(r.bias - x_zero * sum);
		if (!s->epilogue)
			continue;
		to[all + i] = (u32)r.multiplier;
		to[2 * all + i] = quantised_packed(&r);
	}
	return q;
}

/* Bytes of an index of each dimension that moves the weights, of @size bytes a matrix. */
static void matrix_strides(const struct weights *w, s64 size, s64 stride[STAGE_DIMS])
{
	for (int d = w->outer - 1; d >= 0; d--) {
		stride[d] = w->stride[d] ? size : 0;
		size *= w->stride[d] ? w->s->size[d] : 1;
	}
}

/* Four weights of column @o of matrix @m, from channel 4 * @c on; 0 behind the last one. */
static u32 pack_word(const struct weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c, s32 zero)
{
	s64 channels = w->s->size[w->s->dims - 1];
	u32 word = 0;

	for (int i = 0; i < PER_CONTAINER; i++) {
		s64 at = PER_CONTAINER * c + i;
		s32 x = at < channels ? weight(w, m, o, ky, kx, at) : 0;

		word |= (u32)(u8)(x + zero) << 8 * i;
	}
	return word;
}

/* The zero of s8 with which bytes hold all weights, once for all tiles. */
static int find_zero(struct lowering *l, struct weights *w)
{
	const struct stage *s = w->s;
	s64 columns = s->size[w->column];
	s32 zero;

	if (l->quantised.node == s->node)
		return 0;
	for (s64 i = 0; i < w->matrices * columns; i++)
		sum_column(w, i / columns, i % columns);
	if (w->hi - w->lo > UINT8_MAX)
		return node_fail(l->g, s->node, -ENOTSUP,
				 "its weights without their zero points reach from %d to %d, "
				 "further than a byte",
				 w->lo, w->hi);
	zero = -128 - w->lo;
	if (zero < 0)
		zero = 127 - w->hi < 0 ? 127 - w->hi : 0;
	l->quantised.node = s->node;
	l->quantised.weight_zero = (u8)zero;
	return 0;
}

static void word_strides(const struct weights *w, s64 stride[STAGE_DIMS])
{
	const s64 *size = &w->s->size[w->first];
	s64 deep = stage_containers(w->s), column = size[0] * size[1] * deep;

	matrix_strides(w, w->s->size[w->column] * column, stride);
	stride[w->column] = column;
	stride[w->first] = size[1] * deep;
	stride[w->first + 1] = deep;
	stride[w->first + 2] = 1;
}

const u32 *quantised_words(struct lowering *l, const struct stage *whole,
			   const struct quantised_product *q)
{
	struct weights w = weights_of(whole, whole->dims - whole->reduced - 3);
	const s64 *size = &whole->size[w.first];
	s64 deep = stage_containers(whole), columns = whole->size[w.column];
	s64 column = size[0] * size[1] * deep, all = w.matrices * columns * column;
	u32 *to = graph_alloc(l->g, (size_t)all * sizeof(*to));

	for (s64 i = 0; to && i < all; i++) {
		s64 k = i % column, o = i / column % columns, m = i / column / columns;

		to[i] = pack_word(&w, m, o, k / deep / size[1], k / deep % size[1], k % deep,
				  (s8)q->weight_zero);
	}
	return to;
}

int quantised_product(struct lowering *l, const struct stage *s, int outer,
		      struct quantised_product *q)
{
	const struct stage *whole = s->whole ? s->whole : s;
	struct weights w = weights_of(whole, outer);
	struct quantised_columns parameters;
	int rc = check_constant(l, s);

	if (!rc)
		rc = find_zero(l, &w);
	if (rc)
		return rc;
	parameters = make_parameters(l, &w);
	*q = (struct quantised_product){ .preset = !s->epilogue, .parameters = parameters.ref };
	memcpy(q->part, parameters.part, sizeof(q->part));
	matrix_strides(&w, whole->size[w.column] * BYTES, q->parameter_stride);
	q->parameter_stride[w.column] = BYTES;
	word_strides(&w, q->stride);
	q->weight_zero = l->quantised.weight_zero;
	q->push = s->in[0].value->dtype == DTYPE_S8 ? RONDO_OP_push_s8 : RONDO_OP_push_u8;
	q->store = s->epilogue ? quantised_store_op(s->epilogue) : RONDO_OP_sta;
	return 0;
}

/* ---- Channels that do not mix ---------------------------------------------------------------- */

enum { DOTS_MAX = 3 * QUANTISE_TAPS_MAX };

struct depthwise {
	const struct stage *s;
	struct weights w; /* of the whole convolution */
	s64 channels; /* of it */
	struct operand_at x, y;
	struct quantised_columns parameters;
	enum rondo_opcode dot;
	int groups; /* of up to four taps of a row of the window */
	int passes; /* weights are sums of so many bytes */
	struct mir_ref words; /* [pass][ky][group][channel] */
	vreg weight[DOTS_MAX];
	vreg params, begin;
};

/* What is left for byte @pass of the sum of bytes that @x is. */
static s32 part_of(s32 x, int pass)
{
	for (; pass; pass--)
		x -= x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
	return x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
}

static s64 word_count(const struct depthwise *d)
{
	return (s64)d->passes * d->s->size[KY] * d->groups;
}

static void make_tap_words(struct lowering *l, struct depthwise *d)
{
	s64 channels = d->channels;
	void *room;
	u32 *to;

	d->words = lower_const(l, NULL, (u64)(word_count(d) * channels * BYTES), &room);
	to = room;
	for (s64 i = 0; to && i < word_count(d) * channels; i++) {
		s64 c = i % channels, group = i / channels % d->groups;
		s64 row = i / channels / d->groups % d->s->size[KY];
		int pass = (int)(i / channels / d->groups / d->s->size[KY]);

		for (int n = 0; n < PER_CONTAINER; n++) {
			s64 kx = group * PER_CONTAINER + n;
			s32 x = kx < d->s->size[KX] ? weight(&d->w, c, 0, row, kx, 0) : 0;

			to[i] |= (u32)(u8)part_of(x, pass) << 8 * n;
		}
	}
}

/* @ref from byte @offset on, which has a container for each channel, at those of the tile. */
static struct mir_ref columns_from(const struct depthwise *d, struct mir_ref ref, s64 offset)
{
	ref.offset += offset + d->s->origin[CHANNEL] * BYTES;
	return ref;
}

/* What stays in registers for the channels in the lanes. */
static void load_constants(struct lowering *l, struct depthwise *d,
			   const struct depthwise_lanes *lanes)
{
	struct mir *m = &l->mir;

	for (s64 i = 0; i < word_count(d); i++)
		d->weight[i] = depthwise_load(m, columns_from(d, d->words, i * d->channels * BYTES),
					      lanes);
	if (!d->s->epilogue) {
		d->begin = depthwise_load(m, columns_from(d, d->parameters.ref, 0), lanes);
		return;
	}
	d->begin = mir_movi(m, 0);
	d->params = mir_vreg3(m);
	for (int i = 0; i < 3; i++)
		depthwise_load_part(m, d->params, i,
				    columns_from(d, d->parameters.ref, d->parameters.part[i]),
				    lanes);
}

/* Up to four taps of row @ky of the window, from tap 4 * @group on: a byte each. */
static vreg load_taps(struct lowering *l, const struct depthwise *d, struct mir_ref x, int count,
		      s64 ky, s64 group)
{
	s64 kx = group * PER_CONTAINER, left = d->s->size[KX] - kx;
	s64 step = plan_stride(&d->s->in[0], &d->x.layout, KX);
	vreg v = mir_vreg(&l->mir);
	struct mir_item *item = mir_op(&l->mir, RONDO_OP_ld4);

	x.offset += ky * plan_stride(&d->s->in[0], &d->x.layout, KY) + kx * step;
	item->op.rows = (u8)(left < PER_CONTAINER ? left : PER_CONTAINER);
	if (item->op.rows > 1)
		x.pitch = (s32)step;
	item->dst = v;
	item->ref = x;
	item->op.count = (u8)count;
	return v;
}

static void store(struct lowering *l, const struct depthwise *d, vreg sum, struct mir_ref to,
		  int count)
{
	const struct node *end = d->s->epilogue;

	if (!end) {
		mir_store(&l->mir, sum, to, count);
		return;
	}
	sum = mir_requantise(&l->mir, quantised_op(end), sum, d->params);
	mir_store_as(&l->mir, end->out[0]->dtype == DTYPE_S8 ? RONDO_OP_st_s8 : RONDO_OP_st_u8, sum,
		     to, count);
}

static void pixels(struct lowering *l, const struct depthwise_lanes *lanes, int depth,
		   const void *arg)
{
	const struct depthwise *d = arg;
	const struct stage *s = d->s;
	struct mir_ref x = depthwise_ref(&s->in[0], &d->x, depth, lanes);
	s64 taps = s->size[KY] * d->groups;
	int count = depthwise_count(lanes);
	vreg sum = d->begin;

	for (s64 t = 0; t < taps; t++) {
		vreg four = load_taps(l, d, x, count, t / d->groups, t % d->groups);

		for (int pass = 0; pass < d->passes; pass++)
			sum = mir_v3(&l->mir, d->dot, four, d->weight[pass * taps + t], sum);
	}
	store(l, d, sum, depthwise_ref(&s->out, &d->y, depth, lanes), count);
}

/* How many bytes the weights are sums of: one, but where their zero is far off. */
static int count_passes(const struct weights *w)
{
	int passes = 1;

	while (part_of(w->lo, passes) || part_of(w->hi, passes))
		passes++;
	return passes;
}

int lower_quantised_depthwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	const struct stage *whole = s->whole ? s->whole : s;
	struct depthwise d = { .s = s,
			       .w = weights_of(whole, CHANNEL + 1),
			       .channels = whole->size[CHANNEL],
			       .params = VREG_NONE };
	s64 channels = s->size[CHANNEL];
	int rc = check_constant(l, s);

	if (rc)
		return rc;
	d.x = lower_input(l, s, p, 0);
	d.parameters = make_parameters(l, &d.w);
	d.groups = (int)((s->size[KX] + PER_CONTAINER - 1) / PER_CONTAINER);
	for (s64 c = 0; c < d.channels; c++)
		sum_column(&d.w, c, 0);
	d.passes = count_passes(&d.w);
	d.dot = s->in[0].value->dtype == DTYPE_S8 ? RONDO_OP_dot4_ss : RONDO_OP_dot4_us;
	make_tap_words(l, &d);
	d.y = lower_out(l, s);
	for (s64 first = 0, next; first < channels; first = next) {
		const struct depthwise_lanes lanes =
			depthwise_lanes(s, &d.x, &d.y, first, l->machine->lanes);

		next = first + lanes.channels;
		load_constants(l, &d, &lanes);
		depthwise_pixels(l, s, &lanes, pixels, &d);
	}
	return 0;
}
