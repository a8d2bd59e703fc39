// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Quantised operators of models, made of the ones that remain: see quantise.h. */
#include "compiler/expand.h"
#include "compiler/explicit.h"
#include "compiler/quantise.h"
#include "compiler/shape.h"

#include <errno.h>

/* ---- Parts ----------------------------------------------------------------------------------- */

static bool is_known(const struct graph *g, const struct node *at, const struct value *v)
{
	if (!v || v->data)
		return true;
	node_fail(g, at, -ENOTSUP, "its scale or zero point \"%.80s\" is known only at run time",
		  v->name);
	return false;
}

static float scale_at(const struct value *scale, s64 i)
{
	return ((const float *)scale->data)[shape_elems(&scale->shape) == 1 ? 0 : i];
}

/* The scales of sums of x and w, over those of y, in the order of ONNX Runtime's roundings. */
static struct value *multiplier_of(struct graph *g, const struct quantised *x,
				   const struct quantised *w, const struct quantised *y)
{
	s64 n = shape_elems(&w->scale->shape);
	struct shape s = { .rank = n > 1, .dim = { n } };
	struct value *v = graph_value(g, "");
	float *to;

	if (!v)
		return NULL;
	value_set_type(v, DTYPE_F32, &s);
	to = graph_const_room(g, v);
	for (s64 i = 0; to && i < n; i++)
		to[i] = scale_at(x->scale, 0) * scale_at(w->scale, i) / scale_at(y->scale, 0);
	return to ? v : NULL;
}

/* A scalar of the type that results of y have. */
static struct value *zero_of(struct graph *g, const struct quantised *y)
{
	const struct shape scalar = { 0 };
	const u8 zero = 0;

	return y->zero ? y->zero : graph_const(g, "", DTYPE_U8, &scalar, &zero);
}

static struct value *add_requantize(struct graph *g, struct node *at, struct value *sum, int axis,
				    struct value *multiplier, struct value *bias,
				    const struct quantised *y)
{
	struct node *n = sum && multiplier ? graph_node(g, at, OP_REQUANTIZE, at->name, 4) : NULL;

	if (!n)
		return NULL;
	node_set_in(n, 0, sum);
	node_set_in(n, 1, multiplier);
	node_set_in(n, 2, zero_of(g, y));
	node_set_in(n, 3, bias);
	node_set_int(n, ATTR_axis, axis);
	if (!node_in(n, 2) || pass_type_node(g, n))
		return NULL;
	return n->out[0];
}

static bool all_known(const struct graph *g, const struct node *at, const struct quantised *x,
		      const struct quantised *w, const struct quantised *y)
{
	const struct quantised *all[] = { x, w, y };

	for (int i = 0; i < 3; i++) {
		if (!is_known(g, at, all[i]->scale) || !is_known(g, at, all[i]->zero))
			return false;
	}
	if (shape_elems(&x->scale->shape) == 1 && shape_elems(&y->scale->shape) == 1)
		return true;
	node_fail(g, at, -ENOTSUP, "scales of activations by channel are not supported");
	return false;
}

/* A product with zeros; its inputs are connected, its attributes set. */
static struct value *add_product(struct graph *g, struct node *n, const struct quantised *x,
				 const struct quantised *w)
{
	node_set_in(n, 0, x->q);
	node_set_in(n, 1, w->q);
	node_set_in(n, 2, x->zero);
	node_set_in(n, 3, w->zero);
	return pass_type_node(g, n) ? NULL : n->out[0];
}

struct value *quantise_conv(struct graph *g, struct node *at, const struct attrs *like,
			    const struct quantised *x, const struct quantised *w,
			    struct value *bias, const struct quantised *y)
{
	struct node *n;

	if (!all_known(g, at, x, w, y) || !is_known(g, at, bias))
		return NULL;
	n = graph_node(g, at, OP_CONVINTEGER, at->name, 4);
	if (!n)
		return NULL;
	node_copy_attrs(n, like);
	return add_requantize(g, at, add_product(g, n, x, w), 1, multiplier_of(g, x, w, y), bias,
			      y);
}

struct value *quantise_matmul(struct graph *g, struct node *at, const struct quantised *a,
			      const struct quantised *b, struct value *bias,
			      const struct quantised *y)
{
	struct node *n;

	if (!all_known(g, at, a, b, y) || !is_known(g, at, bias))
		return NULL;
	n = graph_node(g, at, OP_MATMULINTEGER, at->name, 4);
	if (!n)
		return NULL;
	return add_requantize(g, at, add_product(g, n, a, b), -1, multiplier_of(g, a, b, y), bias,
			      y);
}

struct value *quantise_add(struct graph *g, struct node *at, const struct quantised *a,
			   const struct quantised *b, const struct quantised *y)
{
	struct value *const in[] = { a->q,     a->scale, a->zero,  b->q,
				     b->scale, b->zero,	 y->scale, y->zero };
	struct node *n;

	if (!all_known(g, at, a, b, y))
		return NULL;
	n = graph_node(g, at, OP_QLINEARADD, at->name, 8);
	if (!n)
		return NULL;
	for (int i = 0; i < 8; i++)
		node_set_in(n, i, in[i]);
	return pass_type_node(g, n) ? NULL : n->out[0];
}

/* The sum over all cells; that their number divides it is a part of the multiplier. */
struct value *quantise_global_pool(struct graph *g, struct node *at, const struct quantised *x,
				   const struct quantised *y)
{
	const struct shape *s = &x->q->shape, scalar = { 0 };
	struct dims kernel = { .n = s->rank - 2 };
	struct node *pool;
	float cells = 1, m;

	if (!all_known(g, at, x, x, y))
		return NULL;
	pool = graph_node(g, at, OP_SUMPOOL, at->name, 2);
	if (!pool)
		return NULL;
	for (int i = 0; i < kernel.n; i++) {
		kernel.v[i] = s->dim[2 + i];
		cells *= (float)kernel.v[i];
	}
	node_set_in(pool, 0, x->q);
	node_set_in(pool, 1, x->zero);
	node_set_dims(pool, ATTR_kernel, kernel);
	if (pass_type_node(g, pool))
		return NULL;
	m = scale_at(x->scale, 0) / (scale_at(y->scale, 0) * cells);
	return add_requantize(g, at, pool->out[0], 1, graph_const(g, "", DTYPE_F32, &scalar, &m),
			      NULL, y);
}

/* Whether the parameters of the Requantize @n are scalars, or differ along dimension @axis. */
static bool is_by_column(const struct node *n, int axis)
{
	if (node_axis(n, n->out[0]->shape.rank) == axis)
		return true;
	for (int i = 1; i < n->n_in; i++) {
		if (node_in(n, i) && shape_elems(&node_in(n, i)->shape) > 1)
			return false;
	}
	return true;
}

struct node *quantise_epilogue(const struct node *n)
{
	struct node *user = value_only_user(n->out[0]);

	if (n->op != OP_CONVINTEGER && n->op != OP_MATMULINTEGER && n->op != OP_SUMPOOL)
		return NULL;
	if (!user || user->op != OP_REQUANTIZE)
		return NULL;
	return is_by_column(user, n->op == OP_MATMULINTEGER ? n->out[0]->shape.rank - 1 : 1) ?
		       user :
		       NULL;
}

bool quantise_by_taps(const struct node *n)
{
	const struct shape *w = &node_in(n, 1)->shape;
	s64 registers = (w->dim[w->rank - 1] + 3) / 4 * (w->rank == 4 ? w->dim[2] : 1);

	return n->op == OP_CONVINTEGER && n->attrs.group > 1 && w->dim[1] == 1 &&
	       w->dim[0] == n->attrs.group && registers <= QUANTISE_TAPS_MAX;
}

/* ---- Functions ------------------------------------------------------------------------------- */

static struct quantised inputs_from(const struct node *n, int i)
{
	return (struct quantised){ node_in(n, i), node_in(n, i + 1), node_in(n, i + 2) };
}

/* Scale and zero of the result are inputs @i and the next one. */
static struct quantised result_from(const struct node *n, int i)
{
	return (struct quantised){ NULL, node_in(n, i), node_in(n, i + 1) };
}

static struct value *qlinear_conv(struct graph *g, struct node *n)
{
	const struct quantised x = inputs_from(n, 0), w = inputs_from(n, 3), y = result_from(n, 6);

	return quantise_conv(g, n, &n->attrs, &x, &w, node_in(n, 8), &y);
}

static struct value *qlinear_matmul(struct graph *g, struct node *n)
{
	const struct quantised a = inputs_from(n, 0), b = inputs_from(n, 3), y = result_from(n, 6);

	return quantise_matmul(g, n, &a, &b, NULL, &y);
}

/* The integers of @x, without their zero, in s32. */
static struct value *without_zero(struct expand *e, const struct quantised *x)
{
	struct value *v = ex_cast(e, x->q, DTYPE_S32);

	return x->zero ? ex2(e, OP_SUB, v, ex_cast(e, x->zero, DTYPE_S32)) : v;
}

/* DequantizeLinear and QuantizeLinear around floating point, of which the pass quantise makes less.
 */
static struct value *dequantised(struct graph *g, struct node *at, const struct quantised *x)
{
	struct node *n = graph_node(g, at, OP_DEQUANTIZE, at->name, 3);

	if (!n)
		return NULL;
	node_set_in(n, 0, x->q);
	node_set_in(n, 1, x->scale);
	node_set_in(n, 2, x->zero);
	return pass_type_node(g, n) ? NULL : n->out[0];
}

static struct value *quantised(struct graph *g, struct node *at, struct value *x,
			       const struct quantised *y)
{
	struct node *n = x ? graph_node(g, at, OP_QUANTIZE, at->name, 3) : NULL;

	if (!n)
		return NULL;
	node_set_in(n, 0, x);
	node_set_in(n, 1, y->scale);
	node_set_in(n, 2, zero_of(g, y));
	return pass_type_node(g, n) ? NULL : n->out[0];
}

/* ONNX Runtime adds the zero of the result before it rounds. */
static struct value *qlinear_mul(struct graph *g, struct node *n)
{
	const struct quantised a = inputs_from(n, 0), b = inputs_from(n, 3);
	struct quantised y = result_from(n, 6);
	struct expand e = { g, n };
	struct value *product;
	double zero;

	if (!all_known(g, n, &a, &b, &y))
		return NULL;
	if (!y.zero)
		y.zero = ex_number(&e, a.q->dtype, 0);
	product = ex2(&e, OP_MUL, without_zero(&e, &a), without_zero(&e, &b));
	if (!y.zero || !product)
		return NULL;
	zero = (double)quantise_read(y.zero->dtype, y.zero->data, 0);
	product = ex_cast(&e, product, DTYPE_F32);
	product = ex2(&e, OP_MUL, product, multiplier_of(g, &a, &b, &y));
	y.scale = ex_number(&e, DTYPE_F32, 1);
	y.zero = ex_number(&e, y.zero->dtype, 0);
	return y.scale && y.zero ? quantised(g, n, ex_by(&e, OP_ADD, product, zero), &y) : NULL;
}

static bool has_channels_first(const struct graph *g, const struct node *n)
{
	if (!n->attrs.given[ATTR_channels_last] || !n->attrs.channels_last)
		return true;
	node_fail(g, n, -ENOTSUP, "channels_last = 1 is not supported");
	return false;
}

static struct value *qlinear_global_pool(struct graph *g, struct node *n)
{
	const struct quantised x = inputs_from(n, 0), y = result_from(n, 3);

	if (!has_channels_first(g, n))
		return NULL;
	return quantise_global_pool(g, n, &x, &y);
}

static struct value *qlinear_concat(struct graph *g, struct node *n)
{
	const struct quantised y = result_from(n, 0);
	int parts = (n->n_in - 2) / 3;
	struct node *concat = graph_node(g, n, OP_CONCAT, n->name, parts);

	if (!concat)
		return NULL;
	if (n->n_in % 3 != 2) {
		node_fail(g, n, -EINVAL, "it has %d inputs, each part needs three", n->n_in);
		return NULL;
	}
	for (int i = 0; i < parts; i++) {
		const struct quantised x = inputs_from(n, 2 + 3 * i);
		struct value *v;

		if (!x.q || !all_known(g, n, &x, &x, &y))
			return NULL;
		v = dequantised(g, concat, &x);
		node_set_in(concat, i, quantised(g, concat, v, &y));
		if (!node_in(concat, i))
			return NULL;
	}
	node_copy_attrs(concat, &n->attrs);
	return pass_type_node(g, concat) ? NULL : concat->out[0];
}

/* QLinearSigmoid and QLinearAveragePool: @op in floating point. */
static struct value *qlinear_float(struct graph *g, struct node *n, enum op op)
{
	const struct quantised x = inputs_from(n, 0), y = result_from(n, 3);
	struct node *f = graph_node(g, n, op, n->name, 1);
	struct value *v;

	if (!f || !all_known(g, n, &x, &x, &y) || !has_channels_first(g, n))
		return NULL;
	v = dequantised(g, f, &x);
	if (!v)
		return NULL;
	node_set_in(f, 0, v);
	node_copy_attrs(f, &n->attrs);
	return pass_type_node(g, f) ? NULL : quantised(g, n, f->out[0], &y);
}

static struct value *qgemm(struct graph *g, struct node *n)
{
	static const int swap[] = { 1, 0 };
	struct quantised a = inputs_from(n, 0), b = inputs_from(n, 3);
	const struct quantised y = result_from(n, 7);
	struct value *bias = node_in(n, 6);

	if (make_explicit(g, n))
		return NULL;
	if (n->attrs.alpha != 1 || (bias && bias->shape.rank != 1)) {
		node_fail(g, n, -ENOTSUP, "only alpha = 1 and a vector as c are supported");
		return NULL;
	}
	if (a.q->shape.rank != 2 || b.q->shape.rank != 2) {
		node_fail(g, n, -EINVAL, "its operands are no matrices");
		return NULL;
	}
	if (n->attrs.trans_a)
		a.q = pass_transpose(g, n, a.q, swap);
	if (n->attrs.trans_b)
		b.q = pass_transpose(g, n, b.q, swap);
	return a.q && b.q ? quantise_matmul(g, n, &a, &b, bias, &y) : NULL;
}

int quantise_expand(struct graph *g, struct node *n)
{
	struct value *y = NULL;
	int rc = infer_check_types(g, n);

	if (rc)
		return rc;
	switch (n->op) {
	case OP_QLINEARCONV:
		y = qlinear_conv(g, n);
		break;
	case OP_QLINEARMATMUL:
		y = qlinear_matmul(g, n);
		break;
	case OP_QLINEARMUL:
		y = qlinear_mul(g, n);
		break;
	case OP_QLINEARCONCAT:
		y = qlinear_concat(g, n);
		break;
	case OP_QLINEARSIGMOID:
		y = qlinear_float(g, n, OP_SIGMOID);
		break;
	case OP_QLINEARAVGPOOL:
		y = qlinear_float(g, n, OP_AVGPOOL);
		break;
	case OP_QGEMM:
		y = qgemm(g, n);
		break;
	default:
		y = qlinear_global_pool(g, n);
	}
	if (!y)
		return g->err->code;
	value_set_type(n->out[0], y->dtype, &y->shape);
	return pass_replace_by_value(g, n, y);
}
