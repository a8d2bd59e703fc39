// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* TensorFlow Lite's operators -> nodes: see tflite_read.h. */
#include "compiler/tflite_quantised.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Values of the schema's enumerations. */
enum { PADDING_SAME, PADDING_VALID };

/* Fields of the tables with an operator's options, in the schema's order. */
enum {
	CONV_PADDING,
	CONV_STRIDE_W,
	CONV_STRIDE_H,
	CONV_ACTIVATION,
	CONV_DILATION_W,
	CONV_DILATION_H
};
enum { DEPTHWISE_ACTIVATION = 4, DEPTHWISE_DILATION_W, DEPTHWISE_DILATION_H };
enum { POOL_PADDING, POOL_STRIDE_W, POOL_STRIDE_H, POOL_WIDTH, POOL_HEIGHT, POOL_ACTIVATION };
enum { CONNECTED_ACTIVATION, CONNECTED_FORMAT };
enum { SOFTMAX_BETA };
enum { ADD_ACTIVATION };

struct value *tflite_add_node(const struct tflite_operator *o, enum op op, struct value *const *in,
			      int n_in, struct node **node)
{
	struct node *n = graph_node(o->r->g, NULL, op, o->name, n_in);
	struct value *out = n ? graph_value(o->r->g, o->name) : NULL;

	if (!out)
		return NULL;
	for (int i = 0; i < n_in; i++)
		node_set_in(n, i, in[i]);
	node_set_out(n, 0, out);
	if (node)
		*node = n;
	return out;
}

bool tflite_is_quantised(const struct tflite_tensor *t)
{
	return t->dtype == DTYPE_S8 || t->dtype == DTYPE_U8;
}

/* @v, bounded or bent as the field @field of the options says; NULL and a message. */
static struct value *activate(const struct tflite_operator *o, u32 field, struct value *v)
{
	s64 activation = fb_int(&o->options, field, 1, ACTIVATION_NONE);
	struct node *n;

	switch (v ? activation : ACTIVATION_NONE) {
	case ACTIVATION_NONE:
		return v;
	case ACTIVATION_RELU:
		return tflite_add_node(o, OP_RELU, &v, 1, NULL);
	case ACTIVATION_TANH:
		return tflite_add_node(o, OP_TANH, &v, 1, NULL);
	case ACTIVATION_RELU6:
	case ACTIVATION_RELU_N1_TO_1:
		v = tflite_add_node(o, OP_CLIP, &v, 1, &n);
		if (!v)
			return NULL;
		node_set_float(n, ATTR_lo, activation == ACTIVATION_RELU6 ? 0 : -1);
		node_set_float(n, ATTR_hi, activation == ACTIVATION_RELU6 ? 6 : 1);
		return v;
	default:
		tflite_fail(o, -ENOTSUP, "activation %lld is not supported", (long long)activation);
		return NULL;
	}
}

/* Lets @v, activated, be the operator's output. */
static int finish(const struct tflite_operator *o, u32 activation, struct value *v, bool planes)
{
	struct tflite_tensor *out = tflite_output(o, 0);

	/* What is quantised is bounded where it is requantised. */
	if (out && !tflite_is_quantised(out))
		v = activate(o, activation, v);
	return v && out ? tflite_make(o, out, v, planes) : o->r->g->err->code;
}

/* A pair of numbers of the options, rows first. */
static void set_pair(const struct tflite_operator *o, struct node *n, enum attr a, u32 height,
		     u32 width, s64 otherwise)
{
	struct dims d = { .n = 2 };

	d.v[0] = fb_int(&o->options, height, 4, otherwise);
	d.v[1] = fb_int(&o->options, width, 4, otherwise);
	node_set_dims(n, a, d);
}

static int set_padding(const struct tflite_operator *o, struct node *n)
{
	s64 padding = fb_int(&o->options, CONV_PADDING, 1, PADDING_SAME);

	if (padding != PADDING_SAME && padding != PADDING_VALID)
		return tflite_fail(o, -EINVAL, "padding %lld is not known", (long long)padding);
	n->attrs.auto_pad = padding == PADDING_SAME ? PAD_SAME_UPPER : PAD_VALID;
	n->attrs.given[ATTR_auto_pad] = true;
	return 0;
}

/* ---- Products ------------------------------------------------------------------------------ */

/*
 * The constant @t of rank 4 with its dimensions in the order of @perm: weights, whose channels lie
 * elsewhere in the graph.
 */
static struct value *weights(const struct tflite_operator *o, struct tflite_tensor *t,
			     const int perm[4])
{
	const u8 *data = tflite_data(o->r, t);
	size_t size = dtype_size(t->dtype);
	s64 stride[TENSOR_RANK_MAX];
	struct shape shape = { .rank = 4 };
	struct value *v;
	u8 *to;

	if (!data) {
		tflite_fail(o, -ENOTSUP, "its weights are not constant");
		return NULL;
	}
	for (int i = 0; i < 4; i++)
		shape.dim[i] = t->shape.dim[perm[i]];
	shape_strides(&t->shape, stride);
	v = graph_value(o->r->g, o->name);
	if (!v)
		return NULL;
	value_set_type(v, t->dtype, &shape);
	to = graph_const_room(o->r->g, v);
	if (!to)
		return NULL;
	for (s64 a = 0; a < shape.dim[0]; a++)
		for (s64 b = 0; b < shape.dim[1]; b++)
			for (s64 c = 0; c < shape.dim[2]; c++)
				for (s64 d = 0; d < shape.dim[3]; d++, to += size) {
					s64 at = a * stride[perm[0]] + b * stride[perm[1]] +
						 c * stride[perm[2]] + d * stride[perm[3]];

					memcpy(to, data + (size_t)at * size, size);
				}
	return v;
}

/*
 * The constant bytes @v, which are the weights @t with their outputs along dimension @from, as the
 * numbers that they mean; there, outputs are along dimension @to.
 */
static struct value *as_floats(const struct tflite_operator *o, const struct tflite_tensor *t,
			       int from, struct value *v, int to)
{
	s64 n = t->scale.count;
	const struct shape shape = { .rank = n > 1, .dim = { n } };
	struct value *in[] = { v, graph_value(o->r->g, ""), graph_value(o->r->g, "") }, *y;
	struct node *node;
	float *scale;
	u8 *zero;

	if (!in[1] || !in[2] || tflite_check_quantised(o, t, t->shape.dim[from], from))
		return NULL;
	value_set_type(in[1], DTYPE_F32, &shape);
	value_set_type(in[2], t->dtype, &shape);
	scale = graph_const_room(o->r->g, in[1]);
	zero = graph_const_room(o->r->g, in[2]);
	for (s64 i = 0; scale && zero && i < n; i++) {
		scale[i] = (float)tflite_scale(t, i);
		zero[i] = (u8)tflite_zero(t, i);
	}
	y = scale && zero ? tflite_add_node(o, OP_DEQUANTIZE, in, 3, &node) : NULL;
	if (y)
		node_set_int(node, ATTR_axis, to);
	return y;
}

/*
 * The operands of a product: input, weights, and bias or NULL. Those of a quantised one follow
 * weights and zeros.
 */
static int read_product(const struct tflite_operator *o, struct tflite_tensor **x,
			struct tflite_tensor **w, struct value *in[3])
{
	struct tflite_tensor *bias;

	*x = tflite_input(o, 0);
	*w = *x ? tflite_input(o, 1) : NULL;
	if (!*w)
		return o->r->g->err->code;
	if (!tflite_is_quantised(*x) && (*x)->dtype != DTYPE_F32)
		return tflite_fail(o, -ENOTSUP, "%s is not supported, only f32, s8 and u8",
				   dtype_name((*x)->dtype));
	if ((*x)->dtype == DTYPE_F32 && (*w)->dtype != DTYPE_F32 && !tflite_is_quantised(*w))
		return tflite_fail(o, -ENOTSUP,
				   "weights of %s for an input of f32 are not supported",
				   dtype_name((*w)->dtype));
	in[2] = NULL;
	if (!tflite_has_input(o, 2))
		return 0;
	bias = tflite_input(o, 2);
	in[2] = bias ? tflite_value(o, bias) : NULL;
	return in[2] ? 0 : o->r->g->err->code;
}

static int add_conv(struct tflite_operator *o, bool depthwise)
{
	static const int mixed[] = { 0, 3, 1, 2 }, apart[] = { 3, 0, 1, 2 };
	u32 dilation_w = depthwise ? DEPTHWISE_DILATION_W : CONV_DILATION_W;
	u32 dilation_h = depthwise ? DEPTHWISE_DILATION_H : CONV_DILATION_H;
	struct tflite_tensor *x, *w;
	struct value *in[3], *v;
	struct node *n;

	if (read_product(o, &x, &w, in))
		return o->r->g->err->code;
	if (w->shape.rank != 4)
		return tflite_fail(o, -EINVAL, "its weights have %d dimensions, not 4",
				   w->shape.rank);
	if (depthwise && w->shape.dim[0] != 1)
		return tflite_fail(o, -EINVAL, "its weights are for %lld images, not 1",
				   (long long)w->shape.dim[0]);
	in[0] = tflite_planes(o, x);
	in[1] = in[0] ? weights(o, w, depthwise ? apart : mixed) : NULL;
	if (in[1] && !tflite_is_quantised(x) && tflite_is_quantised(w))
		in[1] = as_floats(o, w, depthwise ? 3 : 0, in[1], 0);
	if (in[1] && tflite_is_quantised(x))
		v = tflite_sum(o, OP_CONVINTEGER, x, w, in, &n);
	else
		v = in[1] ? tflite_add_node(o, OP_CONV, in, in[2] ? 3 : 2, &n) : NULL;
	if (!v)
		return o->r->g->err->code;
	if (depthwise)
		node_set_int(n, ATTR_group, x->shape.dim[3]);
	set_pair(o, n, ATTR_strides, CONV_STRIDE_H, CONV_STRIDE_W, 0);
	set_pair(o, n, ATTR_dilations, dilation_h, dilation_w, 1);
	if (set_padding(o, n))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		v = tflite_end_sum(o, depthwise ? DEPTHWISE_ACTIVATION : CONV_ACTIVATION, v, in[2],
				   depthwise ? 3 : 0);
	return finish(o, depthwise ? DEPTHWISE_ACTIVATION : CONV_ACTIVATION, v, true);
}

/* @x as a matrix with rows of @columns elements. */
static struct value *as_matrix(const struct tflite_operator *o, struct tflite_tensor *x,
			       s64 columns)
{
	const struct shape two = { 1, { 2 } };
	s64 sizes[] = { -1, columns };
	struct value *in[2] = { tflite_value(o, x), NULL };

	if (!in[0] || (x->shape.rank == 2 && x->shape.dim[1] == columns))
		return in[0];
	in[1] = graph_const(o->r->g, "", DTYPE_S64, &two, sizes);
	return in[1] ? tflite_add_node(o, OP_RESHAPE, in, 2, NULL) : NULL;
}

/* The matrix @t, a constant, with rows and columns exchanged. */
static struct value *columns(const struct tflite_operator *o, struct tflite_tensor *t)
{
	const u8 *data = tflite_data(o->r, t);
	const struct shape shape = { 2, { t->shape.dim[1], t->shape.dim[0] } };
	size_t size = dtype_size(t->dtype);
	struct value *v = graph_value(o->r->g, o->name);
	u8 *to;

	if (!data)
		tflite_fail(o, -ENOTSUP, "its weights are not constant");
	if (!data || !v)
		return NULL;
	value_set_type(v, t->dtype, &shape);
	to = graph_const_room(o->r->g, v);
	for (s64 k = 0; to && k < shape.dim[0]; k++)
		for (s64 m = 0; m < shape.dim[1]; m++, to += size)
			memcpy(to, data + (size_t)(m * shape.dim[0] + k) * size, size);
	return v->data ? v : NULL;
}

static int add_connected(struct tflite_operator *o)
{
	s64 format = fb_int(&o->options, CONNECTED_FORMAT, 1, 0);
	struct tflite_tensor *x, *w, *out = tflite_output(o, 0);
	struct value *in[3], *v;
	struct node *n;

	if (!out || read_product(o, &x, &w, in))
		return o->r->g->err->code;
	if (format)
		return tflite_fail(o, -ENOTSUP, "weights in format %lld are not supported",
				   (long long)format);
	if (w->shape.rank != 2)
		return tflite_fail(o, -EINVAL, "its weights have %d dimensions, not 2",
				   w->shape.rank);
	if (out->shape.rank != 2)
		return tflite_fail(o, -ENOTSUP, "its output has %d dimensions, not 2",
				   out->shape.rank);
	in[0] = as_matrix(o, x, w->shape.dim[1]);
	if (in[0] && tflite_is_quantised(x)) {
		in[1] = columns(o, w);
		v = in[1] ? tflite_sum(o, OP_MATMULINTEGER, x, w, in, &n) : NULL;
		v = v ? tflite_end_sum(o, CONNECTED_ACTIVATION, v, in[2], 0) : NULL;
		return finish(o, CONNECTED_ACTIVATION, v, false);
	}
	in[1] = in[0] ? tflite_value(o, w) : NULL;
	if (in[1] && tflite_is_quantised(w))
		in[1] = as_floats(o, w, 0, in[1], 0);
	v = in[1] ? tflite_add_node(o, OP_GEMM, in, in[2] ? 3 : 2, &n) : NULL;
	if (!v)
		return o->r->g->err->code;
	node_set_int(n, ATTR_trans_b, 1);
	return finish(o, CONNECTED_ACTIVATION, v, false);
}

/* ---- Others -------------------------------------------------------------------------------- */

static int only_floats(const struct tflite_operator *o, const struct tflite_tensor *t)
{
	return t->dtype == DTYPE_F32 ? 0 :
				       tflite_fail(o, -ENOTSUP, "%s is not supported, only f32",
						   dtype_name(t->dtype));
}

static int add_pool(struct tflite_operator *o, enum op op)
{
	struct tflite_tensor *x = tflite_input(o, 0);
	struct value *in = x ? tflite_planes(o, x) : NULL, *v;
	struct node *n;

	if (!in || (!tflite_is_quantised(x) && only_floats(o, x)))
		return o->r->g->err->code;
	if (tflite_is_quantised(x) && op == OP_AVGPOOL)
		op = OP_SUMPOOL;
	v = tflite_add_node(o, op, &in, 1, &n);
	if (!v)
		return o->r->g->err->code;
	set_pair(o, n, ATTR_kernel, POOL_HEIGHT, POOL_WIDTH, 0);
	set_pair(o, n, ATTR_strides, POOL_STRIDE_H, POOL_STRIDE_W, 0);
	if (set_padding(o, n))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		v = tflite_end_pool(o, POOL_ACTIVATION, v, n, x);
	return finish(o, POOL_ACTIVATION, v, true);
}

/* Channels before rows where both have four dimensions and so no broadcast changes which. */
static int add_sum(struct tflite_operator *o)
{
	struct tflite_tensor *a = tflite_input(o, 0), *b = a ? tflite_input(o, 1) : NULL;
	bool planes = b && a->shape.rank == 4 && b->shape.rank == 4;
	struct value *in[2], *v;

	if (!b || (!tflite_is_quantised(a) && (only_floats(o, a) || only_floats(o, b))))
		return o->r->g->err->code;
	in[0] = planes ? tflite_planes(o, a) : tflite_value(o, a);
	in[1] = !in[0] ? NULL : planes ? tflite_planes(o, b) : tflite_value(o, b);
	if (in[1] && tflite_is_quantised(a))
		v = tflite_fixed_add(o, ADD_ACTIVATION, in, a, b);
	else
		v = in[1] ? tflite_add_node(o, OP_ADD, in, 2, NULL) : NULL;
	return v ? finish(o, ADD_ACTIVATION, v, planes) : o->r->g->err->code;
}

/* The shape is that of the output: what the options or a second input say became it. */
static int add_reshape(struct tflite_operator *o)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *in[2] = { out ? tflite_value(o, x) : NULL, NULL }, *v;
	struct shape rank = { 1, { 0 } };

	if (!in[0])
		return o->r->g->err->code;
	rank.dim[0] = out->shape.rank;
	in[1] = graph_const(o->r->g, "", DTYPE_S64, &rank, out->shape.dim);
	v = in[1] ? tflite_add_node(o, OP_RESHAPE, in, 2, NULL) : NULL;
	return v ? tflite_make(o, out, v, false) : o->r->g->err->code;
}

static int add_softmax(struct tflite_operator *o)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *in[2] = { out ? tflite_value(o, x) : NULL, NULL };
	float beta = fb_float(&o->options, SOFTMAX_BETA, 0);
	const struct shape scalar = { 0 };
	struct node *n;

	if (!in[0] || (!tflite_is_quantised(x) && only_floats(o, x)))
		return o->r->g->err->code;
	if (!(beta > 0 && isfinite(beta)))
		return tflite_fail(o, -EINVAL, "its beta is %g", beta);
	if (tflite_is_quantised(x)) {
		in[0] = tflite_fixed_softmax(o, in[0], x, beta);
		return in[0] ? tflite_make(o, out, in[0], false) : o->r->g->err->code;
	}
	if (beta != 1) {
		in[1] = graph_const(o->r->g, "", DTYPE_F32, &scalar, &beta);
		in[0] = in[1] ? tflite_add_node(o, OP_MUL, in, 2, NULL) : NULL;
	}
	in[0] = in[0] ? tflite_add_node(o, OP_SOFTMAX, in, 1, &n) : NULL;
	if (!in[0])
		return o->r->g->err->code;
	node_set_int(n, ATTR_axis, -1);
	return tflite_make(o, out, in[0], false);
}

/* ---- The list ------------------------------------------------------------------------------ */

static int conv(struct tflite_operator *o)
{
	return add_conv(o, false);
}

static int depthwise(struct tflite_operator *o)
{
	return add_conv(o, true);
}

static int average_pool(struct tflite_operator *o)
{
	return add_pool(o, OP_AVGPOOL);
}

static int max_pool(struct tflite_operator *o)
{
	return add_pool(o, OP_MAXPOOL);
}

static const struct {
	s64 code;
	const char *name;
	int (*add)(struct tflite_operator *o);
} kinds[] = {
	{ 0, "ADD", add_sum },
	{ 1, "AVERAGE_POOL_2D", average_pool },
	{ 3, "CONV_2D", conv },
	{ 4, "DEPTHWISE_CONV_2D", depthwise },
	{ 9, "FULLY_CONNECTED", add_connected },
	{ 17, "MAX_POOL_2D", max_pool },
	{ 22, "RESHAPE", add_reshape },
	{ 25, "SOFTMAX", add_softmax },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *tflite_kind(s64 code)
{
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].code == code)
			return kinds[i].name;
	return "?";
}

int tflite_add(struct tflite_operator *o, s64 code)
{
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].code == code)
			return kinds[i].add(o);
	return tflite_fail(o, -ENOTSUP,
			   "builtin operator %lld is not supported; these are: ADD, "
			   "AVERAGE_POOL_2D, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, "
			   "MAX_POOL_2D, RESHAPE, SOFTMAX",
			   (long long)code);
}
