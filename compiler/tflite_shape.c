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

/* @v with dimension @from moved to @to. */
static struct value *turned(const struct tflite_operator *o, struct value *v, int rank, s64 from,
			    s64 to)
{
	struct dims perm = { .n = rank };
	struct node *n;
	int next = 0;

	for (int i = 0; i < rank; i++) {
		next += next == from;
		perm.v[i] = i == to ? from : next++;
	}
	v = v && from != to ? tflite_add_node(o, OP_TRANSPOSE, &v, 1, &n) : v;
	if (v && from != to)
		node_set_dims(n, ATTR_perm, perm);
	return v;
}

/*
 * Slices of @x along @axis by indices that are other ones for each element of the first @batch
 * dimensions: what GatherND takes if the dimension comes directly behind them.
 */
static struct value *taken_each(const struct tflite_operator *o, struct tflite_tensor *x,
				struct value *v, struct tflite_tensor *at, s64 axis, s64 batch)
{
	int rank = x->shape.rank, more = at->shape.rank - (int)batch;
	const struct dims last = { 1, { -1 } };
	struct value *in[2] = { turned(o, v, rank, axis, batch), tflite_value(o, at) };
	struct node *n;

	in[1] = in[1] ? tflite_add_node(o, OP_CAST, &in[1], 1, &n) : NULL;
	if (!in[0] || !in[1])
		return NULL;
	node_set_int(n, ATTR_to, dtype_number(DTYPE_S64));
	in[1] = with_dims(o, OP_UNSQUEEZE, in[1], &last);
	v = in[1] ? tflite_add_node(o, OP_GATHERND, in, 2, &n) : NULL;
	if (!v)
		return NULL;
	node_set_int(n, ATTR_batch_dims, batch);
	/* What stands before the dimension in the model comes before the indices again. */
	for (s64 i = batch; i < axis && v; i++)
		v = turned(o, v, rank - 1 + more, i + more, i);
	return v;
}

int tflite_read_gather(struct tflite_operator *o, int argument)
{
	s64 axis = fb_int(&o->options, GATHER_AXIS, 4, 0);
	s64 batch = fb_int(&o->options, GATHER_BATCH, 4, 0);
	struct value *v = moved(o, 0, 0);
	struct tflite_tensor *x = tflite_input(o, 0), *at = v ? tflite_input(o, 1) : NULL;

	(void)argument;
	if (!at)
		return o->r->g->err->code;
	if (!batch)
		return give(o, 0, taken(o, v, tflite_value(o, at), axis));
	batch += batch < 0 ? at->shape.rank : 0;
	axis += axis < 0 ? x->shape.rank : 0;
	if (batch < 0 || batch > at->shape.rank || axis < batch || axis >= x->shape.rank ||
	    x->shape.rank - 1 + at->shape.rank - batch > TENSOR_RANK_MAX)
		return tflite_fail(o, -EINVAL, "%lld batch dimensions, and dimension %lld",
				   (long long)batch, (long long)axis);
	return give(o, 0, taken_each(o, x, v, at, axis, batch));
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

/* What STRIDED_SLICE says, number after number of its lists. */
struct strided {
	struct dims begin, end, step;
	struct part part;
	struct dims gone, added; /* dimensions: of the input, and new ones of the result */
	int axis, to; /* that come next in the input, and in the result */
};

static bool has_bit(const struct tflite_operator *o, u32 mask, int i)
{
	return fb_int(&o->options, mask, 4, 0) >> i & 1;
}

/* Where a part of @size from @begin on ends, both as SLICE_OFFSET has them. */
static s64 end_of(s64 begin, s64 size)
{
	if (begin < 0 && size > 0 && begin + size >= 0)
		return INT64_MAX;
	return begin >= 0 && begin + size < 0 ? INT64_MIN : begin + size;
}

/* A part of the next dimension, by number @i of the lists. */
static int add_strided(const struct tflite_operator *o, struct strided *s, int i)
{
	s64 begin = s->begin.v[i], end = s->end.v[i], step = s->step.v[i];
	bool from_start = has_bit(o, SLICE_BEGIN_MASK, i), one = has_bit(o, SLICE_SHRINK, i);
	bool sizes = fb_int(&o->options, SLICE_OFFSET, 1, 0);

	if (begin != (s32)begin || (sizes && end != (s32)end))
		return tflite_fail(o, -EINVAL, "dimension %d begins at %lld", i, (long long)begin);
	if (!step || (step < 0 && sizes) || (one && (step < 0 || from_start)))
		return tflite_fail(o, -ENOTSUP, "a step of %lld in dimension %d is not supported",
				   (long long)step, i);
	if (from_start)
		begin = step > 0 ? 0 : INT64_MAX;
	if (sizes)
		end = end_of(begin, end);
	if (has_bit(o, SLICE_END_MASK, i))
		end = step > 0 ? INT64_MAX : INT64_MIN;
	if (one) {
		end = begin == -1 ? INT64_MAX : begin + 1;
		step = 1;
	}
	add_part(&s->part, s->axis, begin, end, step);
	if (one)
		s->gone.v[s->gone.n++] = s->axis;
	s->to += !one;
	s->axis++;
	return 0;
}

/* How many dimensions an ellipsis stands for; below 0: the lists are too long. */
static int in_ellipsis(const struct tflite_operator *o, const struct strided *s, int rank)
{
	for (int i = 0; i < s->begin.n; i++)
		rank -= !has_bit(o, SLICE_ELLIPSIS, i) && !has_bit(o, SLICE_NEW_AXIS, i);
	return rank;
}

static int add_all_strided(const struct tflite_operator *o, struct strided *s, int rank)
{
	int whole = in_ellipsis(o, s, rank), rc = 0;

	if (s->begin.n != s->end.n || s->begin.n != s->step.n || whole < 0)
		return tflite_fail(o, -EINVAL, "%d begins, %d ends and %d steps for %d dimensions",
				   s->begin.n, s->end.n, s->step.n, rank);
	for (int i = 0; i < s->begin.n && !rc; i++) {
		if (has_bit(o, SLICE_ELLIPSIS, i)) {
			s->axis += whole;
			s->to += whole;
			whole = 0; /* of another one */
		} else if (has_bit(o, SLICE_NEW_AXIS, i)) {
			s->added.v[s->added.n++] = s->to++;
		} else {
			rc = add_strided(o, s, i);
		}
	}
	return rc;
}

int tflite_read_strided_slice(struct tflite_operator *o, int argument)
{
	struct value *v = moved(o, 0, 0);
	struct strided s = { 0 };

	(void)argument;
	if (!v || tflite_read_numbers(o, 1, "where it begins", &s.begin) ||
	    tflite_read_numbers(o, 2, "where it ends", &s.end) ||
	    tflite_read_numbers(o, 3, "its steps", &s.step) ||
	    add_all_strided(o, &s, tflite_input(o, 0)->shape.rank))
		return o->r->g->err->code;
	v = part_of(o, v, &s.part);
	if (s.gone.n)
		v = with_dims(o, OP_SQUEEZE, v, &s.gone);
	if (s.added.n)
		v = with_dims(o, OP_UNSQUEEZE, v, &s.added);
	return give(o, 0, v);
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
