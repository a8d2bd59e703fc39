// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* TensorFlow Lite's operators along dimensions -> nodes; these are in the model's order. */
#include "compiler/tflite_operators.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { RESHAPE_SHAPE };
enum { CONCAT_AXIS, CONCAT_ACTIVATION };
enum { REDUCE_KEEP };
enum { SOFTMAX_BETA };

enum { INPUTS_MAX = 256 };

struct value *tflite_numbers(const struct tflite_operator *o, const struct dims *d)
{
	const struct shape shape = { 1, { d->n } };

	return graph_const(o->r->g, "", DTYPE_S64, &shape, d->v);
}

int tflite_read_numbers(const struct tflite_operator *o, u32 i, const char *what, struct dims *to)
{
	struct tflite_tensor *t = tflite_input(o, i);
	s64 n = t ? shape_elems(&t->shape) : 0;
	const u8 *data;

	if (!t)
		return o->r->g->err->code;
	if (t->dtype != DTYPE_S32 && t->dtype != DTYPE_S64)
		return tflite_fail(o, -EINVAL, "%s is of %s, not of s32 or s64", what,
				   dtype_name(t->dtype));
	if (n > TENSOR_RANK_MAX)
		return tflite_fail(o, -EINVAL, "%s has %lld numbers", what, (long long)n);
	to->n = (int)n;
	data = n ? tflite_data(o->r, t) : NULL;
	if (n && !data)
		return tflite_fail(o, -ENOTSUP, "%s is known only at run time; make it a constant",
				   what);
	for (int k = 0; k < to->n; k++) {
		s32 narrow;

		memcpy(&narrow, data + 4 * k, t->dtype == DTYPE_S32 ? 4 : 0);
		if (t->dtype == DTYPE_S32)
			to->v[k] = narrow;
		else
			memcpy(&to->v[k], data + 8 * k, 8);
	}
	return 0;
}

/* ---- Shapes -------------------------------------------------------------------------------- */

/* What RESHAPE says: its second input, or else its options, where one 0 is a scalar. */
static int read_new_shape(const struct tflite_operator *o, struct dims *to)
{
	struct fb_vector shape = fb_vector(&o->options, RESHAPE_SHAPE, 4);

	if (tflite_has_input(o, 1))
		return tflite_read_numbers(o, 1, "its shape", to);
	if (shape.count > TENSOR_RANK_MAX)
		return tflite_fail(o, -EFBIG, "its shape has %u dimensions", shape.count);
	to->n = (int)shape.count;
	for (int i = 0; i < to->n; i++)
		to->v[i] = fb_at(&shape, (u32)i);
	if (to->n == 1 && !to->v[0])
		to->n = 0;
	return tflite_check(o->r);
}

/* The tensor @out has the shape @d from now on, whatever the model says of it. */
static void set_shape(struct tflite_tensor *out, const struct dims *d, s64 elems)
{
	s64 rest = 1;

	for (int i = 0; i < d->n; i++)
		rest *= d->v[i] > 0 ? d->v[i] : 1;
	out->shape.rank = d->n;
	for (int i = 0; i < d->n; i++)
		out->shape.dim[i] = d->v[i] >= 0 ? d->v[i] : rest ? elems / rest : 0;
}

/* The shape that an operator before this one makes, of shapes as a rule; NULL: none does. */
static struct value *made_shape(const struct tflite_operator *o)
{
	struct tflite_tensor *shape = tflite_has_input(o, 1) ? tflite_input(o, 1) : NULL;
	struct value *v = shape && shape->value && shape->value->producer ? shape->value : NULL;
	struct node *n;

	v = v ? tflite_add_node(o, OP_CAST, &v, 1, &n) : NULL;
	if (v)
		node_set_int(n, ATTR_to, dtype_number(DTYPE_S64));
	return v;
}

int tflite_read_reshape(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *in[2] = { out ? tflite_value(o, x) : NULL, NULL }, *v;
	struct dims d = { 0 };
	struct node *n;
	s64 known = 1;

	(void)argument;
	in[1] = in[0] ? made_shape(o) : NULL;
	if (in[1]) {
		v = tflite_add_node(o, OP_RESHAPE, in, 2, &n);
		if (v)
			node_set_int(n, ATTR_allowzero, 1);
		return v ? tflite_make(o, out, v, false) : o->r->g->err->code;
	}
	if (!in[0] || read_new_shape(o, &d))
		return o->r->g->err->code;
	for (int i = 0; i < d.n; i++) {
		if (d.v[i] < -1 || d.v[i] > TENSOR_ELEMS_MAX)
			return tflite_fail(o, -EINVAL, "dimension %d of its shape is %lld", i,
					   (long long)d.v[i]);
		if (d.v[i] > 0 && (known *= d.v[i]) > TENSOR_ELEMS_MAX)
			return tflite_fail(o, -EFBIG, "its shape has too many elements");
	}
	in[1] = tflite_numbers(o, &d);
	v = in[1] ? tflite_add_node(o, OP_RESHAPE, in, 2, &n) : NULL;
	if (!v)
		return o->r->g->err->code;
	node_set_int(n, ATTR_allowzero, 1);
	set_shape(out, &d, shape_elems(&x->shape));
	return tflite_make(o, out, v, false);
}

int tflite_read_transpose(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *v = out ? tflite_value(o, x) : NULL;
	struct dims perm = { 0 };
	struct node *n;

	(void)argument;
	if (!v || tflite_read_numbers(o, 1, "the order of its dimensions", &perm))
		return o->r->g->err->code;
	for (int i = 0; i < perm.n; i++)
		perm.v[i] += perm.v[i] < 0 ? perm.n : 0;
	v = tflite_add_node(o, OP_TRANSPOSE, &v, 1, &n);
	if (!v)
		return o->r->g->err->code;
	node_set_dims(n, ATTR_perm, perm);
	return tflite_make(o, out, v, false);
}

/* ---- Joining and filling ------------------------------------------------------------------- */

int tflite_read_concat(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	struct value *in[INPUTS_MAX], *v;
	bool planes = out && out->shape.rank == 4;
	s64 axis = fb_int(&o->options, CONCAT_AXIS, 4, 0);
	struct node *n;

	(void)argument;
	if (!out)
		return o->r->g->err->code;
	if (!o->inputs.count || o->inputs.count > INPUTS_MAX)
		return tflite_fail(o, -EINVAL, "it has %u inputs", o->inputs.count);
	axis += axis < 0 ? out->shape.rank : 0;
	if (axis < 0 || axis >= out->shape.rank)
		return tflite_fail(o, -EINVAL, "it has no dimension %lld", (long long)axis);
	for (u32 i = 0; i < o->inputs.count; i++) {
		struct tflite_tensor *x = tflite_input(o, i);

		if (!x || (tflite_is_quantised(x) && tflite_check_same(o, x, out)) ||
		    (!tflite_is_quantised(x) && tflite_only_floats(o, x)))
			return o->r->g->err->code;
		in[i] = planes ? tflite_planes(o, x) : tflite_value(o, x);
		if (!in[i])
			return o->r->g->err->code;
	}
	v = tflite_add_node(o, OP_CONCAT, in, (int)o->inputs.count, &n);
	if (!v)
		return o->r->g->err->code;
	node_set_int(n, ATTR_axis, !planes || !axis ? axis : axis == 3 ? 1 : axis + 1);
	if (tflite_is_quantised(out))
		v = tflite_rescale(o, fb_int(&o->options, CONCAT_ACTIVATION, 1, ACTIVATION_NONE), v,
				   out);
	return tflite_finish(o, CONCAT_ACTIVATION, v, planes);
}

/* What is before and behind each dimension, of pairs, as ONNX has it: all that is before first. */
static int read_pads(const struct tflite_operator *o, int rank, struct value **to)
{
	struct tflite_tensor *t = tflite_input(o, 1);
	const struct shape shape = { 1, { 2 * rank } };
	s64 pads[2 * TENSOR_RANK_MAX];
	const u8 *data = t ? tflite_data(o->r, t) : NULL;

	if (!t)
		return o->r->g->err->code;
	if (!data)
		return tflite_fail(o, -ENOTSUP,
				   "what it adds is known only at run time; make it a constant");
	if (shape_elems(&t->shape) != 2 * rank || (t->dtype != DTYPE_S32 && t->dtype != DTYPE_S64))
		return tflite_fail(o, -EINVAL,
				   "it has no pair of integers for each of %d dimensions", rank);
	for (int i = 0; i < 2 * rank; i++) {
		s32 narrow;
		s64 wide;

		memcpy(&narrow, data + 4 * i, 4);
		memcpy(&wide, data + (t->dtype == DTYPE_S64 ? 8 * i : 0), 8);
		pads[i % 2 * rank + i / 2] = t->dtype == DTYPE_S64 ? wide : narrow;
	}
	*to = graph_const(o->r->g, "", DTYPE_S64, &shape, pads);
	return *to ? 0 : o->r->g->err->code;
}

/* Bytes are filled up with their zero. */
int tflite_read_pad(struct tflite_operator *o, int argument)
{
	static const struct shape scalar = { 0 };
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *in[3] = { out ? tflite_value(o, x) : NULL }, *v;
	u8 zero[4] = { 0 };

	(void)argument;
	if (!in[0] ||
	    (tflite_is_quantised(x) ? tflite_check_same(o, x, out) : tflite_only_floats(o, x)))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		zero[0] = (u8)tflite_zero(x, 0);
	if (read_pads(o, x->shape.rank, &in[1]))
		return o->r->g->err->code;
	in[2] = graph_const(o->r->g, "", x->dtype, &scalar, zero);
	v = in[2] ? tflite_add_node(o, OP_PAD, in, 3, NULL) : NULL;
	return v ? tflite_make(o, out, v, false) : o->r->g->err->code;
}

/* ---- Along dimensions ---------------------------------------------------------------------- */

/* The dimensions that MEAN names, each once and in order; of bytes their sizes must be known. */
static int read_mean_axes(const struct tflite_operator *o, const struct tflite_tensor *x,
			  struct dims *axes)
{
	u32 named = 0;
	int rc = tflite_read_numbers(o, 1, "its list of dimensions", axes);

	if (rc || !tflite_is_quantised(x))
		return rc;
	for (int i = 0; i < axes->n; i++) {
		s64 axis = axes->v[i] + (axes->v[i] < 0 ? x->shape.rank : 0);

		if (axis < 0 || axis >= x->shape.rank)
			return tflite_fail(o, -EINVAL, "it has no dimension %lld",
					   (long long)axes->v[i]);
		if (tflite_is_open(x, (int)axis))
			return tflite_fail(o, -ENOTSUP,
					   "the mean of bytes along dimension %lld, whose size is "
					   "left open, is not supported",
					   (long long)axis);
		named |= 1u << axis;
	}
	axes->n = 0;
	for (int i = 0; i < x->shape.rank; i++)
		if (named >> i & 1)
			axes->v[axes->n++] = i;
	return 0;
}

/* The mean of bytes, without the dimensions @axes unless it keeps them. */
static int mean_of_bytes(const struct tflite_operator *o, struct tflite_tensor *x,
			 const struct dims *axes, bool keep)
{
	bool image = x->shape.rank == 4 && axes->n == 2 && axes->v[0] == 1 && axes->v[1] == 2;
	const struct dims planes = { 2, { 2, 3 } };
	struct value *in[2] = { tflite_fixed_mean(o, x, axes, image) };

	if (in[0] && !keep && axes->n) {
		in[1] = tflite_numbers(o, image ? &planes : axes);
		in[0] = in[1] ? tflite_add_node(o, OP_SQUEEZE, in, 2, NULL) : NULL;
	}
	return in[0] ? tflite_make(o, tflite_output(o, 0), in[0], image && keep) :
		       o->r->g->err->code;
}

int tflite_read_mean(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	bool keep = fb_int(&o->options, REDUCE_KEEP, 1, 0);
	struct value *in[2], *v;
	struct dims axes = { 0 };
	struct node *n;

	(void)argument;
	if (!out || (!tflite_is_quantised(x) && tflite_only_floats(o, x)) ||
	    read_mean_axes(o, x, &axes))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		return mean_of_bytes(o, x, &axes, keep);
	in[0] = tflite_value(o, x);
	in[1] = in[0] ? tflite_numbers(o, &axes) : NULL;
	v = in[1] ? tflite_add_node(o, OP_REDUCEMEAN, in, 2, &n) : NULL;
	if (!v)
		return o->r->g->err->code;
	node_set_int(n, ATTR_keepdims, keep);
	node_set_int(n, ATTR_noop_with_empty_axes, 1);
	return tflite_make(o, out, v, false);
}

int tflite_read_softmax(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *in[2] = { out ? tflite_value(o, x) : NULL, NULL };
	float beta = fb_float(&o->options, SOFTMAX_BETA, 0);
	const struct shape scalar = { 0 };
	struct node *n;

	(void)argument;
	if (!in[0] || (!tflite_is_quantised(x) && tflite_only_floats(o, x)))
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
