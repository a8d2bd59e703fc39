// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Floating-point operators between DequantizeLinear and QuantizeLinear become operators on
 * integers, as in ONNX Runtime; and convolutions in integers get a form that the machine has.
 *
 * From the last node to the first, each QuantizeLinear looks at what makes its input:
 *
 *   a product or a sum of dequantised tensors   is done in integers;
 *   any function of one dequantised tensor      is a table of 256 bytes;
 *   what only moves elements, or their maximum  comes behind it: quantising keeps the order.
 */
#include "compiler/expand.h"
#include "compiler/passes.h"
#include "compiler/quantise.h"
#include "compiler/shape.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- What is quantised ----------------------------------------------------------------------- */

/* Whether @v is dequantised, from @q. */
static bool is_dequantised(const struct value *v, struct quantised *q)
{
	const struct node *n = v ? v->producer : NULL;

	if (!n || n->op != OP_DEQUANTIZE)
		return false;
	*q = (struct quantised){ node_in(n, 0), node_in(n, 1), node_in(n, 2) };
	return value_is_const(q->scale) && (!q->zero || q->zero->data);
}

static bool is_bytes(const struct quantised *q)
{
	return dtype_size(q->q->dtype) == 1;
}

/* With one scale and zero for the whole tensor, so that its elements may be moved. */
static bool is_whole(const struct quantised *q)
{
	return is_bytes(q) && shape_elems(&q->scale->shape) == 1;
}

/* Whether @v is dequantised bytes of one scale. */
static bool is_dequantised_whole(const struct value *v, struct quantised *q)
{
	return is_dequantised(v, q) && is_whole(q);
}

/* What the QuantizeLinear @n gives, if its parameters are constants and one each; else no scale. */
static struct quantised result_of(const struct node *n)
{
	struct quantised y = { n->out[0], node_in(n, 1), node_in(n, 2) };

	if (!value_is_const(y.scale) || (y.zero && !y.zero->data) || !is_whole(&y))
		y.scale = NULL;
	return y;
}

/* ---- Products and sums ----------------------------------------------------------------------- */

/* The scale of weights may be one for each index of their dimension @axis. */
static bool is_weights(const struct value *v, int axis, struct quantised *w)
{
	const struct node *n;

	if (!is_dequantised(v, w) || !is_bytes(w) || !value_is_const(w->q))
		return false;
	n = v->producer;
	return is_whole(w) || node_axis(n, v->shape.rank) == (axis + v->shape.rank) % v->shape.rank;
}

/* *@bias: of s32, or NULL; false: it is something else. */
static bool is_bias(const struct value *v, struct value **bias)
{
	struct quantised b;

	*bias = NULL;
	if (!v)
		return true;
	if (!is_dequantised(v, &b) || b.q->dtype != DTYPE_S32 || !value_is_const(b.q))
		return false;
	*bias = b.q;
	return true;
}

static struct value *fuse_conv(struct graph *g, struct node *at, struct node *n,
			       const struct quantised *y)
{
	struct quantised x, w;
	struct value *bias;

	if (node_clamps(n) || !is_dequantised_whole(node_in(n, 0), &x) ||
	    !is_weights(node_in(n, 1), 0, &w) || !is_bias(node_in(n, 2), &bias))
		return NULL;
	return quantise_conv(g, at, &n->attrs, &x, &w, bias, y);
}

static struct value *fuse_matmul(struct graph *g, struct node *at, struct node *n,
				 const struct quantised *y)
{
	struct quantised a, b;

	if (!is_dequantised_whole(node_in(n, 0), &a) || !is_weights(node_in(n, 1), -1, &b))
		return NULL;
	return quantise_matmul(g, at, &a, &b, NULL, y);
}

/* Gemm with the bias of a quantised one, whose A is not transposed. */
static struct value *fuse_gemm(struct graph *g, struct node *at, struct node *n,
			       const struct quantised *y)
{
	static const int swap[] = { 1, 0 };
	struct quantised a, b;
	struct value *bias;

	if (n->attrs.alpha != 1 || (node_in(n, 2) && n->attrs.beta != 1) || n->attrs.trans_a ||
	    !is_dequantised_whole(node_in(n, 0), &a) ||
	    !is_weights(node_in(n, 1), n->attrs.trans_b ? 0 : 1, &b) ||
	    !is_bias(node_in(n, 2), &bias) || (bias && bias->shape.rank != 1))
		return NULL;
	if (n->attrs.trans_b)
		b.q = pass_transpose(g, at, b.q, swap);
	return b.q ? quantise_matmul(g, at, &a, &b, bias, y) : NULL;
}

static struct value *fuse_add(struct graph *g, struct node *at, struct node *n,
			      const struct quantised *y)
{
	struct quantised a, b;

	if (node_clamps(n) || !is_dequantised_whole(node_in(n, 0), &a) ||
	    !is_dequantised_whole(node_in(n, 1), &b) || a.q->dtype != b.q->dtype ||
	    a.q->dtype != y->q->dtype)
		return NULL;
	return quantise_add(g, at, &a, &b, y);
}

static struct value *fuse_global_pool(struct graph *g, struct node *at, struct node *n,
				      const struct quantised *y)
{
	struct quantised x;

	return is_dequantised_whole(node_in(n, 0), &x) ? quantise_global_pool(g, at, &x, y) : NULL;
}

static struct value *fuse_sum(struct graph *g, struct node *at, struct node *n,
			      const struct quantised *y)
{
	switch (n->op) {
	case OP_CONV:
		return fuse_conv(g, at, n, y);
	case OP_MATMUL:
		return fuse_matmul(g, at, n, y);
	case OP_GEMM:
		return fuse_gemm(g, at, n, y);
	case OP_ADD:
		return fuse_add(g, at, n, y);
	case OP_GLOBALAVGPOOL:
		return fuse_global_pool(g, at, n, y);
	default:
		return NULL;
	}
}

/* The byte that the QuantizeLinear of @y gives for @x. */
static s32 quantised_bound(const struct quantised *y, float x)
{
	enum dtype type = y->q->dtype;
	s32 zero = y->zero ? quantise_read(type, y->zero->data, 0) : 0;
	double q = nearbyint((double)(x / *(const float *)y->scale->data)) + zero;

	if (!(q > quantise_least(type))) /* NaN, too, as in QuantizeLinear */
		return quantise_least(type);
	return q < quantise_most(type) ? (s32)q : quantise_most(type);
}

/* A sum in integers that @clip, if there is one, bounds: quantising keeps the order. */
static struct value *fuse(struct graph *g, struct node *at, struct node *n, const struct node *clip,
			  const struct quantised *y)
{
	struct value *v = fuse_sum(g, at, n, y);

	if (!v || !clip)
		return v;
	node_set_float(v->producer, ATTR_lo, (float)quantised_bound(y, clip->attrs.lo));
	node_set_float(v->producer, ATTR_hi, (float)quantised_bound(y, clip->attrs.hi));
	return v;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* The input of the elementwise @n that is no constant, if all others are scalars; -1: none. */
static int only_input(const struct node *n)
{
	int live = -1;

	for (int i = 0; i < n->n_in; i++) {
		const struct value *v = node_in(n, i);

		if (!v || (v->data && shape_elems(&v->shape) == 1))
			continue;
		if (v->data || live >= 0)
			return -1;
		live = i;
	}
	return live;
}

enum { CHAIN_MAX = 32 };

/* What stands between a DequantizeLinear and a QuantizeLinear, from the latter on. */
struct chain {
	struct node *n[CHAIN_MAX];
	int count;
	struct quantised x;
};

/* Whether @v, whose only user is @user, is a function of dequantised bytes of the same shape. */
static bool find_chain(struct value *v, struct node *user, struct chain *c)
{
	const struct shape *shape = &v->shape;

	for (c->count = 0; c->count < CHAIN_MAX; c->count++) {
		struct node *n = v->producer;
		int i;

		if (!shape_equal(&v->shape, shape))
			return false;
		if (is_dequantised_whole(v, &c->x))
			return true;
		if (!n || !op_mapped_by(n->op, "elementwise") || value_only_user(v) != user)
			return false;
		i = only_input(n);
		if (i < 0 || node_in(n, i)->dtype != DTYPE_F32)
			return false;
		c->n[c->count] = user = n;
		v = node_in(n, i);
	}
	return false;
}

/* All values of a byte, in the order of a Table. */
static struct value *all_bytes(struct graph *g, enum dtype type)
{
	const struct shape shape = { 1, { 256 } };
	u8 bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (u8)i;
	return graph_const(g, "", type, &shape, bytes);
}

/* What @n, one of a chain, makes of the constant @x. */
static struct value *apply(struct graph *g, struct node *at, const struct node *n, struct value *x)
{
	struct node *copy = graph_node(g, at, n->op, n->name, n->n_in);
	int live = n->op == OP_QUANTIZE || n->op == OP_DEQUANTIZE ? 0 : only_input(n);
	struct value *out;

	if (!copy || !x)
		return NULL;
	for (int i = 0; i < n->n_in; i++)
		node_set_in(copy, i, i == live ? x : node_in(n, i));
	copy->attrs = n->attrs;
	if (pass_type_node(g, copy))
		return NULL;
	out = copy->out[0];
	return pass_fold_node(g, copy) ? NULL : out;
}

static bool is_identity(const struct value *table, enum dtype from)
{
	for (int i = 0; i < 256; i++) {
		if (((const u8 *)table->data)[i] != i)
			return false;
	}
	return table->dtype == from;
}

/* The function of @c and the QuantizeLinear @n, as a Table, or as nothing where it is that. */
static struct value *make_table(struct graph *g, struct node *n, const struct chain *c)
{
	const struct node *first =
		(c->count ? node_in(c->n[c->count - 1], only_input(c->n[c->count - 1])) :
			    node_in(n, 0))
			->producer;
	struct value *v = all_bytes(g, c->x.q->dtype);
	struct node *table;

	v = apply(g, n, first, v);
	for (int i = c->count - 1; v && i >= 0; i--)
		v = apply(g, n, c->n[i], v);
	v = apply(g, n, n, v);
	if (!v)
		return NULL;
	if (!v->data) { /* it would cost too much to fold */
		node_fail(g, n, -EFBIG, "its table takes too long to compute");
		return NULL;
	}
	if (is_identity(v, c->x.q->dtype))
		return c->x.q;
	table = graph_node(g, n, OP_TABLE, n->name, 2);
	if (!table)
		return NULL;
	node_set_in(table, 0, c->x.q);
	node_set_in(table, 1, v);
	return pass_type_node(g, table) ? NULL : table->out[0];
}

/* ---- Moves ----------------------------------------------------------------------------------- */

/* Whether it gives elements of its inputs, which quantising before it does not change. */
static bool keeps_elements(enum op op)
{
	return op_mapped_by(op, "move") || op == OP_MAXPOOL;
}

/* Whether quantising before @n, whose only user is the QuantizeLinear, leads to something. */
static bool leads_to_integers(const struct node *n)
{
	struct quantised q;

	for (int i = 0; i < n->n_in; i++) {
		const struct value *v = node_in(n, i);

		if (!v || v->data || v->dtype != DTYPE_F32) /* a constant, or an index */
			continue;
		if (!is_dequantised_whole(v, &q) && (!v->producer || !value_only_user(v)))
			return false;
	}
	return true;
}

/* @v as the QuantizeLinear @like does it. */
static struct value *quantise_value(struct graph *g, struct node *at, const struct node *like,
				    struct value *v)
{
	struct node *q = graph_node(g, at, OP_QUANTIZE, like->name, like->n_in);
	struct value *out;

	if (!q)
		return NULL;
	node_set_in(q, 0, v);
	for (int k = 1; k < like->n_in; k++)
		node_set_in(q, k, node_in(like, k));
	q->attrs = like->attrs;
	if (pass_type_node(g, q))
		return NULL;
	out = q->out[0];
	return pass_fold_node(g, q) ? NULL : out;
}

/* QuantizeLinear @n of the move @p: the other way round. */
static int swap(struct graph *g, struct node *n, struct node *p)
{
	struct node *move = graph_node(g, n, p->op, p->name, p->n_in);

	if (!move)
		return g->err->code;
	for (int i = 0; i < p->n_in; i++) {
		struct value *v = node_in(p, i);

		if (v && v->dtype == DTYPE_F32)
			v = quantise_value(g, move, n, v);
		if (!v && node_in(p, i))
			return g->err->code;
		node_set_in(move, i, v);
	}
	move->attrs = p->attrs;
	if (pass_type_node(g, move) || pass_replace_by_value(g, n, move->out[0]))
		return g->err->code;
	graph_remove(g, p); /* or what it moves would have a second user */
	return 0;
}

/* ---- The pass -------------------------------------------------------------------------------- */

static int quantise_node(struct graph *g, struct node *n)
{
	const struct quantised y = result_of(n);
	struct value *x = node_in(n, 0), *by = NULL;
	struct node *p = x->producer, *clip = NULL;
	struct chain c;

	if (!y.scale || !p)
		return 0;
	if (find_chain(x, n, &c)) {
		by = make_table(g, n, &c);
		return by ? pass_replace_by_value(g, n, by) : g->err->code;
	}
	if (value_only_user(x) != n)
		return 0;
	if (keeps_elements(p->op))
		return leads_to_integers(p) ? swap(g, n, p) : 0;
	if (p->op == OP_CLIP && node_in(p, 0)->producer && value_only_user(node_in(p, 0)) == p) {
		clip = p;
		p = node_in(p, 0)->producer;
	}
	by = fuse(g, n, p, clip, &y);
	if (by)
		return pass_replace_by_value(g, n, by);
	return g->err->code;
}

/* Groups of channels that do not fill containers: one group, with weights of 0 between them. */
static int widen_groups(struct graph *g, struct node *n)
{
	const struct value *w = node_in(n, 1), *zero = node_in(n, 3);
	struct shape s = w->shape;
	s64 groups = n->attrs.group, outs = s.dim[0] / groups, deep = s.dim[1], cells = 1;
	struct value *wide;
	u8 *to;

	if (groups == 1 || deep % 4 == 0 || quantise_by_taps(n) || !value_is_const(w) ||
	    (zero && !zero->data))
		return 0;
	for (int i = 2; i < s.rank; i++)
		cells *= s.dim[i];
	s.dim[1] *= groups;
	wide = graph_value(g, w->name);
	if (!wide)
		return g->err->code;
	value_set_type(wide, w->dtype, &s);
	to = graph_const_room(g, wide);
	if (!to)
		return g->err->code;
	for (s64 m = 0; m < s.dim[0]; m++) {
		u8 *row = to + m * s.dim[1] * cells;
		s64 z = zero && shape_elems(&zero->shape) > 1 ? m : 0;

		memset(row, zero ? ((const u8 *)zero->data)[z] : 0, (size_t)(s.dim[1] * cells));
		memcpy(row + m / outs * deep * cells, (const u8 *)w->data + m * deep * cells,
		       (size_t)(deep * cells));
	}
	node_set_in(n, 1, wide);
	node_set_int(n, ATTR_group, 1);
	return 0;
}

/*
 * MatMulInteger by constant weights whose input has a zero that is known only at run time: the
 * product without it, less that zero times the sums of the columns. So it stays one of bytes, which
 * no other product that is known only then does (pass_live.c).
 */
static int take_zero_out(struct graph *g, struct node *n)
{
	struct value *a = node_in(n, 0), *w = node_in(n, 1), *zero = node_in(n, 2);
	struct value *w_zero = node_in(n, 3), *sums, *y;
	struct expand e = { g, n };
	struct dims rows = { .n = 1, .v = { w->shape.rank - 2 } };
	struct node *product;

	if (!zero || zero->data || shape_elems(&zero->shape) != 1 || !value_is_const(w) ||
	    (w_zero && !w_zero->data) || w->shape.rank < 2 || a->shape.rank < 2)
		return 0;
	product = graph_node(g, n, OP_MATMULINTEGER, n->name, 4);
	if (!product)
		return g->err->code;
	node_set_in(product, 0, a);
	node_set_in(product, 1, w);
	node_set_in(product, 3, w_zero);
	sums = ex_cast(&e, w, DTYPE_S32);
	if (w_zero)
		sums = ex2(&e, OP_SUB, sums, ex_cast(&e, w_zero, DTYPE_S32));
	sums = ex_over(&e, OP_SUMOVER, sums, &rows);
	y = ex2(&e, OP_MUL, sums, ex_cast(&e, zero, DTYPE_S32));
	if (!y || pass_type_node(g, product))
		return g->err->code;
	y = ex2(&e, OP_SUB, product->out[0], y);
	return y ? pass_replace_by_value(g, n, y) : g->err->code;
}

int pass_quantise(struct graph *g)
{
	struct node *other;
	int rc = 0;

	g->quantised = true;
	for (struct node *n = g->last; n && !rc; n = other) {
		other = n->prev;
		if (n->op == OP_QUANTIZE) {
			struct node *before = n->prev, *behind = n->next;

			rc = quantise_node(g, n);
			/* What took its place is looked at, too. */
			other = behind ? behind->prev : g->last;
			if (other == n)
				other = before;
		}
	}
	graph_remove_dead(g);
	for (struct node *n = g->first; n && !rc; n = other) {
		other = n->next;
		if (n->op == OP_CONVINTEGER)
			rc = widen_groups(g, n);
		if (!rc && n->op == OP_MATMULINTEGER) {
			rc = take_zero_out(g, n);
			continue;
		}
		if (!rc && n->op == OP_DEQUANTIZE)
			rc = pass_fold_node(g, n);
	}
	return rc;
}
