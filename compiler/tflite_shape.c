// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* TensorFlow Lite's operators that only move elements, or ask for shapes -> nodes. */
#include "compiler/tflite_operators.h"

#include <errno.h>

enum { SHAPE_TYPE };
enum { SQUEEZE_DIMS };
enum { PACK_COUNT, PACK_AXIS };
enum { UNPACK_COUNT, UNPACK_AXIS };
enum { GATHER_AXIS, GATHER_BATCH };
enum {
	SLICE_BEGIN_MASK,
	SLICE_END_MASK,
	SLICE_ELLIPSIS,
	SLICE_NEW_AXIS,
	SLICE_SHRINK,
	SLICE_OFFSET
};

enum { INPUTS_MAX = 256 };

static struct value *scalar_of(const struct tflite_operator *o, s64 x)
{
	static const struct shape scalar = { 0 };

	return graph_const(o->r->g, "", DTYPE_S64, &scalar, &x);
}

/* Input @i, in the model's order, which means what output @k does if it is quantised. */
static struct value *moved(const struct tflite_operator *o, u32 i, u32 k)
{
	struct tflite_tensor *x = tflite_input(o, i), *out = x ? tflite_output(o, k) : NULL;

	if (!out)
		return NULL;
	if (tflite_is_quantised(x) && (x->scale.count || out->scale.count) &&
	    tflite_check_same(o, x, out))
		return NULL;
	return tflite_value(o, x);
}

/* Lets @v be output @k. */
static int give(const struct tflite_operator *o, u32 k, struct value *v)
{
	struct tflite_tensor *out = v ? tflite_output(o, k) : NULL;

	return out ? tflite_make(o, out, v, false) : o->r->g->err->code;
}

/* ---- Dimensions of 1 ------------------------------------------------------------------------- */

/* @v without the dimensions @d, all of 1 if there are none, or with them. */
static struct value *with_dims(const struct tflite_operator *o, enum op op, struct value *v,
			       const struct dims *d)
{
	struct value *in[2] = { v, d->n ? tflite_numbers(o, d) : NULL };

	if (!v || (d->n && !in[1]))
		return NULL;
	return tflite_add_node(o, op, in, d->n ? 2 : 1, NULL);
}

int tflite_read_squeeze(struct tflite_operator *o, int argument)
{
	struct fb_vector list = fb_vector(&o->options, SQUEEZE_DIMS, 4);
	struct value *v = moved(o, 0, 0);
	struct dims d = { .n = (int)list.count };

	(void)argument;
	if (list.count > TENSOR_RANK_MAX)
		return tflite_fail(o, -EFBIG, "it names %u dimensions", list.count);
	for (int i = 0; i < d.n; i++)
		d.v[i] = fb_at(&list, (u32)i);
	return give(o, 0, with_dims(o, OP_SQUEEZE, v, &d));
}

int tflite_read_expand_dims(struct tflite_operator *o, int argument)
{
	struct value *v = moved(o, 0, 0);
	struct dims d;

	(void)argument;
	if (!v || tflite_read_numbers(o, 1, "its dimension", &d))
		return o->r->g->err->code;
	if (d.n != 1)
		return tflite_fail(o, -EINVAL, "it names %d dimensions, not 1", d.n);
	return give(o, 0, with_dims(o, OP_UNSQUEEZE, v, &d));
}

int tflite_read_pack(struct tflite_operator *o, int argument)
{
	struct dims d = { 1, { fb_int(&o->options, PACK_AXIS, 4, 0) } };
	struct value *in[INPUTS_MAX], *v;
	struct node *n;

	(void)argument;
	if (!o->inputs.count || o->inputs.count > INPUTS_MAX)
		return tflite_fail(o, -EINVAL, "it has %u inputs", o->inputs.count);
	for (u32 i = 0; i < o->inputs.count; i++) {
		in[i] = with_dims(o, OP_UNSQUEEZE, moved(o, i, 0), &d);
		if (!in[i])
			return o->r->g->err->code;
	}
	v = tflite_add_node(o, OP_CONCAT, in, (int)o->inputs.count, &n);
	if (v)
		node_set_int(n, ATTR_axis, d.v[0]);
	return give(o, 0, v);
}

/* Slice @at of @v along @axis, without that dimension, or the slices that a vector names. */
static struct value *taken(const struct tflite_operator *o, struct value *v, struct value *at,
			   s64 axis)
{
	struct value *in[2] = { v, at };
	struct node *n;

	v = v && at ? tflite_add_node(o, OP_GATHER, in, 2, &n) : NULL;
	if (v)
		node_set_int(n, ATTR_axis, axis);
	return v;
}

int tflite_read_unpack(struct tflite_operator *o, int argument)
{
	s64 axis = fb_int(&o->options, UNPACK_AXIS, 4, 0);
	int rc = 0;

	(void)argument;
	if (o->outputs.count > INPUTS_MAX)
		return tflite_fail(o, -EFBIG, "it has %u outputs", o->outputs.count);
	for (u32 i = 0; i < o->outputs.count && !rc; i++)
		rc = give(o, i, taken(o, moved(o, 0, i), scalar_of(o, i), axis));
	return rc;
}

int tflite_read_gather(struct tflite_operator *o, int argument)
{
	struct value *v = moved(o, 0, 0);
	struct tflite_tensor *at = v ? tflite_input(o, 1) : NULL;

	(void)argument;
	if (!at)
		return o->r->g->err->code;
	if (fb_int(&o->options, GATHER_BATCH, 4, 0))
		return tflite_fail(o, -ENOTSUP, "batch dimensions are not supported");
	return give(o, 0, taken(o, v, tflite_value(o, at), fb_int(&o->options, GATHER_AXIS, 4, 0)));
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* What ONNX's Slice takes. */
struct part {
	struct dims starts, ends, axes, steps;
};

static void add_part(struct part *p, s64 axis, s64 start, s64 end, s64 step)
{
	p->axes.v[p->axes.n++] = axis;
	p->starts.v[p->starts.n++] = start;
	p->ends.v[p->ends.n++] = end;
	p->steps.v[p->steps.n++] = step;
}

static struct value *part_of(const struct tflite_operator *o, struct value *v, const struct part *p)
{
	struct value *in[5] = { v };
	const struct dims *d[] = { &p->starts, &p->ends, &p->axes, &p->steps };

	if (!v || !p->axes.n)
		return v;
	for (int i = 0; i < 4; i++) {
		in[1 + i] = tflite_numbers(o, d[i]);
		if (!in[1 + i])
			return NULL;
	}
	return tflite_add_node(o, OP_SLICE, in, 5, NULL);
}

int tflite_read_slice(struct tflite_operator *o, int argument)
{
	struct value *v = moved(o, 0, 0);
	struct dims begin, size;
	struct part p = { 0 };

	(void)argument;
	if (!v || tflite_read_numbers(o, 1, "where it begins", &begin) ||
	    tflite_read_numbers(o, 2, "its size", &size))
		return o->r->g->err->code;
	if (begin.n != size.n || begin.n != tflite_input(o, 0)->shape.rank)
		return tflite_fail(o, -EINVAL, "%d begins and %d sizes for %d dimensions", begin.n,
				   size.n, tflite_input(o, 0)->shape.rank);
	for (int i = 0; i < begin.n; i++) {
		if (begin.v[i] < 0 || size.v[i] < -1 || begin.v[i] > INT32_MAX ||
		    size.v[i] > INT32_MAX)
			return tflite_fail(o, -EINVAL, "dimension %d begins at %lld and has %lld",
					   i, (long long)begin.v[i], (long long)size.v[i]);
		add_part(&p, i, begin.v[i], size.v[i] < 0 ? INT64_MAX : begin.v[i] + size.v[i], 1);
	}
	return give(o, 0, part_of(o, v, &p));
}

/* What STRIDED_SLICE says of dimension @i. */
static int add_strided(const struct tflite_operator *o, struct part *p, int i, s64 begin, s64 end,
		       s64 step)
{
	s64 bit = INT64_C(1) << i;
	bool from_start = fb_int(&o->options, SLICE_BEGIN_MASK, 4, 0) & bit;
	bool to_end = fb_int(&o->options, SLICE_END_MASK, 4, 0) & bit;
	bool one = fb_int(&o->options, SLICE_SHRINK, 4, 0) & bit;

	if (!step || (one && (step < 0 || from_start)))
		return tflite_fail(o, -ENOTSUP, "a step of %lld in dimension %d is not supported",
				   (long long)step, i);
	if (from_start)
		begin = step > 0 ? 0 : INT64_MAX;
	if (to_end)
		end = step > 0 ? INT64_MAX : INT64_MIN;
	if (one) {
		end = begin == -1 ? INT64_MAX : begin + 1;
		step = 1;
	}
	add_part(p, i, begin, end, step);
	return 0;
}

int tflite_read_strided_slice(struct tflite_operator *o, int argument)
{
	struct value *v = moved(o, 0, 0);
	s64 shrink = fb_int(&o->options, SLICE_SHRINK, 4, 0);
	struct dims begin, end, step, gone = { 0 };
	struct part p = { 0 };
	int rc = 0;

	(void)argument;
	if (!v || tflite_read_numbers(o, 1, "where it begins", &begin) ||
	    tflite_read_numbers(o, 2, "where it ends", &end) ||
	    tflite_read_numbers(o, 3, "its steps", &step))
		return o->r->g->err->code;
	if (fb_int(&o->options, SLICE_ELLIPSIS, 4, 0) ||
	    fb_int(&o->options, SLICE_NEW_AXIS, 4, 0) || fb_int(&o->options, SLICE_OFFSET, 1, 0))
		return tflite_fail(
			o, -ENOTSUP,
			"an ellipsis, new dimensions, and ends as sizes are not supported");
	if (begin.n != end.n || begin.n != step.n || begin.n > tflite_input(o, 0)->shape.rank)
		return tflite_fail(o, -EINVAL, "%d begins, %d ends and %d steps for %d dimensions",
				   begin.n, end.n, step.n, tflite_input(o, 0)->shape.rank);
	for (int i = 0; i < begin.n && !rc; i++) {
		rc = add_strided(o, &p, i, begin.v[i], end.v[i], step.v[i]);
		if (shrink >> i & 1)
			gone.v[gone.n++] = i;
	}
	if (rc)
		return rc;
	v = part_of(o, v, &p);
	return give(o, 0, gone.n ? with_dims(o, OP_SQUEEZE, v, &gone) : v);
}

/* Gives each output its part of input @from along @axis, of the sizes that follow @at. */
static int split(const struct tflite_operator *o, u32 from, s64 axis, const s64 *sizes, u32 n)
{
	int rank = tflite_input(o, from)->shape.rank, rc = 0;
	s64 at = 0;

	if (axis < -rank || axis >= rank)
		return tflite_fail(o, -EINVAL, "it has no dimension %lld", (long long)axis);
	for (u32 i = 0; i < n && !rc; i++) {
		struct part p = { 0 };

		add_part(&p, axis, at, at + sizes[i], 1);
		at += sizes[i];
		rc = give(o, i, part_of(o, moved(o, from, i), &p));
	}
	if (!rc && at != tflite_input(o, from)->shape.dim[axis + (axis < 0 ? rank : 0)])
		return tflite_fail(o, -EINVAL, "its parts have %lld elements together",
				   (long long)at);
	return rc;
}

/* The dimension that input @i names. */
static int read_axis(const struct tflite_operator *o, u32 i, s64 *axis)
{
	struct dims d;
	int rc = tflite_read_numbers(o, i, "its dimension", &d);

	*axis = rc ? 0 : d.v[0];
	if (!rc && d.n != 1)
		return tflite_fail(o, -EINVAL, "it names %d dimensions, not 1", d.n);
	return rc;
}

int tflite_read_split(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 1);
	u32 n = o->outputs.count;
	s64 axis, sizes[INPUTS_MAX];

	(void)argument;
	if (!x || read_axis(o, 0, &axis))
		return o->r->g->err->code;
	if (n > INPUTS_MAX)
		return tflite_fail(o, -EFBIG, "it has %u outputs", n);
	if (axis < -x->shape.rank || axis >= x->shape.rank)
		return tflite_fail(o, -EINVAL, "it has no dimension %lld", (long long)axis);
	for (u32 i = 0; i < n; i++)
		sizes[i] = x->shape.dim[axis + (axis < 0 ? x->shape.rank : 0)] / n;
	return split(o, 1, axis, sizes, n);
}

int tflite_read_split_v(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0);
	s64 axis, rest = 0;
	struct dims d;
	int open = -1;

	(void)argument;
	if (!x || tflite_read_numbers(o, 1, "the sizes of its parts", &d) || read_axis(o, 2, &axis))
		return o->r->g->err->code;
	if ((u32)d.n != o->outputs.count || axis < -x->shape.rank || axis >= x->shape.rank)
		return tflite_fail(o, -EINVAL, "%d sizes for %u outputs along dimension %lld", d.n,
				   o->outputs.count, (long long)axis);
	for (int i = 0; i < d.n; i++) {
		if (d.v[i] < -1 || d.v[i] > TENSOR_ELEMS_MAX || (d.v[i] < 0 && open >= 0))
			return tflite_fail(o, -EINVAL, "part %d has %lld elements", i,
					   (long long)d.v[i]);
		if (d.v[i] < 0)
			open = i;
		else
			rest += d.v[i];
	}
	if (open >= 0)
		d.v[open] = x->shape.dim[axis + (axis < 0 ? x->shape.rank : 0)] - rest;
	if (open >= 0 && d.v[open] < 0)
		return tflite_fail(o, -EINVAL, "its parts have %lld elements together",
				   (long long)rest);
	return split(o, 0, axis, d.v, (u32)d.n);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

int tflite_read_shape(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *v = out ? tflite_value(o, x) : NULL;
	struct node *n;

	(void)argument;
	v = v ? tflite_add_node(o, OP_SHAPE, &v, 1, NULL) : NULL;
	v = v && out->dtype == DTYPE_S32 ? tflite_add_node(o, OP_CAST, &v, 1, &n) : v;
	if (v && out->dtype == DTYPE_S32)
		node_set_int(n, ATTR_to, dtype_number(DTYPE_S32));
	return v ? tflite_make(o, out, v, false) : o->r->g->err->code;
}
