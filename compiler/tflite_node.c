// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* TensorFlow Lite's operators -> nodes: see tflite_read.h. */
#include "compiler/tflite_operators.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* As many cells as sums of bytes have exactly in f32, and their quotients apart. */
enum { EDGE_KERNEL_MAX = 45 };

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
enum { CONNECTED_ACTIVATION, CONNECTED_FORMAT, CONNECTED_KEEP };

struct value *tflite_add_node(const struct tflite_operator *o, enum op op, struct value *const *in,
			      int n_in, struct node **node)
{
	struct node *n = graph_node(o->r->g, NULL, op, o->name, n_in);
	struct value *out = n ? graph_value(o->r->g, o->name) : NULL;

	if (!out)
		return NULL;
	n->model_kind = o->kind;
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

struct value *tflite_activate(const struct tflite_operator *o, s64 activation, struct value *v)
{
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

int tflite_finish(const struct tflite_operator *o, u32 activation, struct value *v, bool planes)
{
	struct tflite_tensor *out = tflite_output(o, 0);

	/* What is quantised is bounded where it is requantised. */
	if (out && !tflite_is_quantised(out))
		v = tflite_activate(o, fb_int(&o->options, activation, 1, ACTIVATION_NONE), v);
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

int tflite_read_conv(struct tflite_operator *o, int depthwise)
{
	static const int mixed[] = { 0, 3, 1, 2 }, apart[] = { 3, 0, 1, 2 };
	u32 dilation_w = depthwise ? DEPTHWISE_DILATION_W : CONV_DILATION_W;
	u32 dilation_h = depthwise ? DEPTHWISE_DILATION_H : CONV_DILATION_H;
	struct tflite_tensor *x, *w;
	struct value *in[3], *v;
	struct node *n;
	s64 groups;

	if (read_product(o, &x, &w, in))
		return o->r->g->err->code;
	if (w->shape.rank != 4)
		return tflite_fail(o, -EINVAL, "its weights have %d dimensions, not 4",
				   w->shape.rank);
	if (depthwise && w->shape.dim[0] != 1)
		return tflite_fail(o, -EINVAL, "its weights are for %lld images, not 1",
				   (long long)w->shape.dim[0]);
	in[0] = tflite_planes(o, x);
	if (in[0] && !depthwise && (!w->shape.dim[3] || x->shape.dim[3] % w->shape.dim[3]))
		return tflite_fail(
			o, -EINVAL,
			"its input has %lld channels, which are no groups of the %lld of its "
			"weights",
			(long long)x->shape.dim[3], (long long)w->shape.dim[3]);
	in[1] = in[0] ? weights(o, w, depthwise ? apart : mixed) : NULL;
	if (in[1] && !tflite_is_quantised(x) && tflite_is_quantised(w))
		in[1] = as_floats(o, w, depthwise ? 3 : 0, in[1], 0);
	if (in[1] && tflite_is_quantised(x))
		v = tflite_sum(o, OP_CONVINTEGER, x, w, in, &n);
	else
		v = in[1] ? tflite_add_node(o, OP_CONV, in, in[2] ? 3 : 2, &n) : NULL;
	if (!v)
		return o->r->g->err->code;
	groups = depthwise ? x->shape.dim[3] : x->shape.dim[3] / w->shape.dim[3];
	if (groups != 1)
		node_set_int(n, ATTR_group, groups);
	set_pair(o, n, ATTR_strides, CONV_STRIDE_H, CONV_STRIDE_W, 0);
	set_pair(o, n, ATTR_dilations, dilation_h, dilation_w, 1);
	if (set_padding(o, n))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		v = tflite_end_sum(o, depthwise ? DEPTHWISE_ACTIVATION : CONV_ACTIVATION, v, in[2],
				   depthwise ? 3 : 0, 1);
	return tflite_finish(o, depthwise ? DEPTHWISE_ACTIVATION : CONV_ACTIVATION, v, true);
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

/* The product where the input keeps all of its dimensions but the last, which becomes the rows'. */
static struct value *multiply(const struct tflite_operator *o, struct tflite_tensor *w,
			      struct value *in[3])
{
	struct value *sum[2];

	in[1] = columns(o, w);
	if (in[1] && tflite_is_quantised(w))
		in[1] = as_floats(o, w, 0, in[1], 1);
	sum[0] = in[1] ? tflite_add_node(o, OP_MATMUL, in, 2, NULL) : NULL;
	sum[1] = in[2];
	return sum[0] && sum[1] ? tflite_add_node(o, OP_ADD, sum, 2, NULL) : sum[0];
}

/* The same of matrices. */
static struct value *multiply_matrix(const struct tflite_operator *o, struct tflite_tensor *w,
				     struct value *in[3])
{
	struct node *n;
	struct value *v;

	in[1] = tflite_value(o, w);
	if (in[1] && tflite_is_quantised(w))
		in[1] = as_floats(o, w, 0, in[1], 0);
	v = in[1] ? tflite_add_node(o, OP_GEMM, in, in[2] ? 3 : 2, &n) : NULL;
	if (v)
		node_set_int(n, ATTR_trans_b, 1);
	return v;
}

static int check_connected(const struct tflite_operator *o, const struct tflite_tensor *w,
			   const struct tflite_tensor *out, int rank)
{
	s64 format = fb_int(&o->options, CONNECTED_FORMAT, 1, 0);

	if (format)
		return tflite_fail(o, -ENOTSUP, "weights in format %lld are not supported",
				   (long long)format);
	if (w->shape.rank != 2)
		return tflite_fail(o, -EINVAL, "its weights have %d dimensions, not 2",
				   w->shape.rank);
	if (out->shape.rank != rank)
		return tflite_fail(o, -EINVAL, "its output has %d dimensions, not %d",
				   out->shape.rank, rank);
	return 0;
}

int tflite_read_connected(struct tflite_operator *o, int argument)
{
	bool keep = fb_int(&o->options, CONNECTED_KEEP, 1, 0);
	struct tflite_tensor *x, *w, *out = tflite_output(o, 0);
	struct value *in[3], *v;
	struct node *n;
	int rank;

	(void)argument;
	if (!out || read_product(o, &x, &w, in))
		return o->r->g->err->code;
	keep = keep && x->shape.rank > 2;
	rank = keep ? x->shape.rank : 2;
	if (check_connected(o, w, out, rank))
		return o->r->g->err->code;
	in[0] = keep ? tflite_value(o, x) : as_matrix(o, x, w->shape.dim[1]);
	if (!in[0])
		return o->r->g->err->code;
	if (tflite_is_quantised(x)) {
		in[1] = columns(o, w);
		v = in[1] ? tflite_sum(o, OP_MATMULINTEGER, x, w, in, &n) : NULL;
		v = v ? tflite_end_sum(o, CONNECTED_ACTIVATION, v, in[2], 0, rank - 1) : NULL;
	} else {
		v = keep ? multiply(o, w, in) : multiply_matrix(o, w, in);
	}
	return tflite_finish(o, CONNECTED_ACTIVATION, v, false);
}

/* ---- Others -------------------------------------------------------------------------------- */

int tflite_only_floats(const struct tflite_operator *o, const struct tflite_tensor *t)
{
	return t->dtype == DTYPE_F32 ? 0 :
				       tflite_fail(o, -ENOTSUP, "%s is not supported, only f32",
						   dtype_name(t->dtype));
}

/* Whether windows that may hang over the edges, as many as SAME says, do not. */
static bool fits(const struct tflite_tensor *x, const struct node *n)
{
	for (int i = 0; i < 2; i++) {
		s64 size = x->shape.dim[1 + i], step = n->attrs.strides.v[i];

		if (step < 1 || size < 1 || tflite_is_open(x, 1 + i) ||
		    (size - 1) / step * step + n->attrs.kernel.v[i] > size)
			return false;
	}
	return true;
}

/* One dimension of windows that hang over the edges, as SAME has them. */
struct edges {
	s64 in, out, step, kernel, before, behind;
};

static struct edges edges_of(const struct tflite_tensor *x, const struct node *n, int i)
{
	struct edges e = { .in = x->shape.dim[1 + i],
			   .step = n->attrs.strides.v[i],
			   .kernel = n->attrs.kernel.v[i] };
	s64 over;

	e.out = (e.in + e.step - 1) / e.step;
	over = (e.out - 1) * e.step + e.kernel - e.in;
	e.before = over > 0 ? over / 2 : 0;
	e.behind = over > 0 ? over - e.before : 0;
	return e;
}

/* How many elements window @i sees. */
static s64 seen(const struct edges *e, s64 i)
{
	s64 first = i * e->step - e->before, end = first + e->kernel;

	return (end < e->in ? end : e->in) - (first > 0 ? first : 0);
}

/* How many elements each window sees, rows of them. */
static struct value *counts(const struct tflite_operator *o, const struct edges e[2])
{
	const struct shape shape = { 2, { e[0].out, e[1].out } };
	struct value *v = graph_value(o->r->g, "");
	float *to;

	if (!v)
		return NULL;
	value_set_type(v, DTYPE_F32, &shape);
	to = graph_const_room(o->r->g, v);
	for (s64 y = 0; to && y < e[0].out; y++)
		for (s64 x = 0; x < e[1].out; x++)
			*to++ = (float)(seen(&e[0], y) * seen(&e[1], x));
	return to ? v : NULL;
}

/*
 * The mean of bytes where windows see less at the edges: sums and quotients are exact enough in f32
 * that rounding half away from zero gives what integers do.
 */
static struct value *edge_mean(const struct tflite_operator *o, struct value *v, struct node *n,
			       const struct tflite_tensor *x)
{
	struct edges e[2];
	struct value *in[2];
	struct node *cast;

	for (int i = 0; i < 2; i++) {
		if (tflite_is_open(x, 1 + i) || n->attrs.strides.v[i] < 1 ||
		    n->attrs.kernel.v[i] < 1 || n->attrs.kernel.v[i] > EDGE_KERNEL_MAX) {
			tflite_fail(
				o, -ENOTSUP,
				"windows of an average of bytes that hang over the edge are mapped "
				"up to %d x %d, in images of a known size",
				EDGE_KERNEL_MAX, EDGE_KERNEL_MAX);
			return NULL;
		}
		e[i] = edges_of(x, n, i);
	}
	n->attrs.auto_pad = PAD_EXPLICIT;
	node_set_dims(n, ATTR_pads,
		      (struct dims){ 4, { e[0].before, e[1].before, e[0].behind, e[1].behind } });
	in[0] = tflite_add_node(o, OP_CAST, &v, 1, &cast);
	in[1] = in[0] ? counts(o, e) : NULL;
	if (!in[1])
		return NULL;
	node_set_int(cast, ATTR_to, dtype_number(DTYPE_F32));
	v = tflite_add_node(o, OP_DIV, in, 2, NULL);
	return tflite_as_bytes(o, v ? tflite_rounded_away(o, v) : NULL, x->dtype);
}

int tflite_read_pool(struct tflite_operator *o, int argument)
{
	enum op op = (enum op)argument;
	struct tflite_tensor *x = tflite_input(o, 0);
	struct value *in = x ? tflite_planes(o, x) : NULL, *v;
	struct node *n;

	if (!in || (!tflite_is_quantised(x) && tflite_only_floats(o, x)))
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
	if (op == OP_SUMPOOL && fits(x, n))
		n->attrs.auto_pad = PAD_VALID;
	if (op == OP_SUMPOOL && n->attrs.auto_pad != PAD_VALID) {
		v = edge_mean(o, v, n, x);
		n = v ? v->producer : NULL;
	}
	if (n && tflite_is_quantised(x))
		v = tflite_end_pool(o, POOL_ACTIVATION, v, n, x);
	return tflite_finish(o, POOL_ACTIVATION, n ? v : NULL, true);
}

/* ---- The list ------------------------------------------------------------------------------ */

static const struct {
	s64 code;
	const char *name;
	int (*read)(struct tflite_operator *o, int argument);
	int argument;
} kinds[] = {
#define READ(code, name, read, argument, types, limits) \
	{ code, #name, tflite_read_##read, argument },
#define KNOWN(code, name) { code, #name, NULL, 0 },
#include "compiler/tflite.def"
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
	for (int i = 0; i < KINDS; i++) {
		if (kinds[i].code != code)
			continue;
		if (kinds[i].read)
			return kinds[i].read(o, kinds[i].argument);
		return tflite_fail(o, -ENOTSUP,
				   "the operator is not supported; docs/reference/operators.md "
				   "lists those of TensorFlow Lite that are");
	}
	return tflite_fail(o, -ENOTSUP, "builtin operator %lld is not known", (long long)code);
}
