// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions that only move elements, and those that say what a shape is. */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>

#include "compiler/eval_number.h"

/* Makes @axes non-negative for @rank dimensions; each may be there once. */
static int positive_axes(struct expand *e, struct dims *axes, int rank)
{
	u32 seen = 0;

	for (int i = 0; i < axes->n; i++) {
		if (axes->v[i] < -rank || axes->v[i] >= rank)
			return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
					     (long long)axes->v[i], rank);
		if (axes->v[i] < 0)
			axes->v[i] += rank;
		if (seen & 1u << axes->v[i])
			return expand_refuse(e, -EINVAL, "axis %lld is there twice",
					     (long long)axes->v[i]);
		seen |= 1u << axes->v[i];
	}
	return 0;
}

/* Axes as input @i, else as the attribute. */
static int axes_of(struct expand *e, int i, int rank, struct dims *axes)
{
	int rc = 0;

	*axes = e->n->attrs.axes;
	if (ex_in(e, i))
		rc = ex_integers(e, i, axes);
	return rc ? rc : positive_axes(e, axes, rank);
}

static int axis_of(struct expand *e, int rank, int *axis)
{
	struct dims one = { 1, { e->n->attrs.axis } };
	int rc = positive_axes(e, &one, rank);

	*axis = (int)one.v[0];
	return rc;
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static s64 within(s64 v, s64 lo, s64 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

int expand_shape(struct expand *e)
{
	const struct shape *s = &ex_in(e, 0)->shape;
	s64 start = e->n->attrs.start, end = e->n->attrs.end;
	double dims[TENSOR_RANK_MAX];

	start = within(start < 0 ? start + s->rank : start, 0, s->rank);
	end = within(end < 0 ? end + s->rank : end, start, s->rank);
	for (s64 i = start; i < end; i++)
		dims[i - start] = (double)s->dim[i];
	return expand_output(e, 0, ex_vector(e, DTYPE_S64, end - start, dims));
}

int expand_size(struct expand *e)
{
	return expand_output(e, 0,
			     ex_number(e, DTYPE_S64, (double)shape_elems(&ex_in(e, 0)->shape)));
}

/* A constant of @shape, every element @fill. */
static struct value *filled(struct expand *e, const struct value *fill, const struct shape *shape)
{
	struct value *v = graph_value(e->g, "");
	size_t size = dtype_size(fill->dtype);
	char *to;

	if (!v)
		return NULL;
	if (!shape_valid(shape)) {
		expand_refuse(e, -EFBIG, "its result exceeds %lld elements",
			      (long long)TENSOR_ELEMS_MAX);
		return NULL;
	}
	value_set_type(v, fill->dtype, shape);
	to = graph_const_room(e->g, v);
	for (s64 i = 0; to && i < shape_elems(shape); i++)
		memcpy(to + (size_t)i * size, fill->data, size);
	return to ? v : NULL;
}

/* Input 1 is the constant that the reader makes of the attribute. */
int expand_constantofshape(struct expand *e)
{
	struct dims d;
	struct shape s;
	int rc = ex_integers(e, 0, &d);

	if (rc)
		return rc;
	s.rank = d.n;
	memcpy(s.dim, d.v, sizeof(s.dim));
	return expand_output(e, 0, filled(e, ex_in(e, 1), &s));
}

int expand_range(struct expand *e)
{
	double v[3], *list, count;
	struct value *y;
	enum dtype t = ex_in(e, 0)->dtype;

	for (int i = 0; i < 3; i++) {
		const struct value *in = ex_in(e, i);
		struct number x;

		if (!in->data || shape_elems(&in->shape) != 1)
			return expand_refuse(e, -ENOTSUP,
					     "\"%.80s\" is no constant, so that the size of the "
					     "result is not known",
					     in->name);
		x = number_read(t, in->data, 0);
		v[i] = t == DTYPE_F32 ? (double)x.f : (double)x.i;
	}
	count = fmax(0, ceil((v[1] - v[0]) / v[2]));
	if (!(count <= 1 << 24))
		return expand_refuse(e, -EFBIG, "a range of %g elements", count);
	list = graph_alloc(e->g, ((size_t)count + 1) * sizeof(*list));
	if (!list)
		return e->g->err->code;
	for (s64 i = 0; i < (s64)count; i++)
		list[i] = v[0] + (double)i * v[2];
	y = ex_vector(e, t, (s64)count, list);
	return expand_output(e, 0, y);
}

/* Hann, Hamming, Blackman: a - b cos(t) + c cos(2t), t once around @size elements. */
int expand_signal_window(struct expand *e)
{
	static const double of[][3] = {
		{ 0.5, 0.5, 0 },
		{ 25.0 / 46, 21.0 / 46, 0 },
		{ 0.42, 0.5, 0.08 },
	};
	enum op op = e->n->op;
	const double *k = of[op == OP_HANNWINDOW ? 0 : op == OP_HAMMINGWINDOW ? 1 : 2];
	double *list, around;
	struct dims size;
	int rc = ex_integers(e, 0, &size);

	if (rc)
		return rc;
	if (e->n->attrs.output_datatype != dtype_number(DTYPE_F32))
		return expand_refuse(e, -ENOTSUP, "its result is not f32");
	if (size.n != 1 || size.v[0] < 1 || size.v[0] > 1 << 20)
		return expand_refuse(e, -EINVAL, "its size is not 1 to %d", 1 << 20);
	list = graph_alloc(e->g, (size_t)size.v[0] * sizeof(*list));
	if (!list)
		return e->g->err->code;
	around = (double)(e->n->attrs.periodic ? size.v[0] : size.v[0] - 1);
	for (s64 i = 0; i < size.v[0]; i++) {
		double t = around > 0 ? 2 * M_PI * (double)i / around : 0;

		list[i] = k[0] - k[1] * cos(t) + k[2] * cos(2 * t);
	}
	return expand_output(e, 0, ex_vector(e, DTYPE_F32, size.v[0], list));
}

int expand_eyelike(struct expand *e)
{
	const struct shape *s = &ex_in(e, 0)->shape;
	enum dtype t = ex_in(e, 0)->dtype;
	struct value *y, *zero;

	if (e->n->attrs.dtype && !dtype_from_number((s32)e->n->attrs.dtype, &t))
		return expand_refuse(e, -ENOTSUP, "dtype %lld is not supported",
				     (long long)e->n->attrs.dtype);
	if (s->rank != 2)
		return expand_refuse(e, -EINVAL, "it needs two dimensions");
	zero = ex_number(e, t, 0);
	y = zero ? filled(e, zero, s) : NULL;
	for (s64 i = 0; y && i < s->dim[0]; i++) {
		s64 column = i + e->n->attrs.k;

		if (column >= 0 && column < s->dim[1])
			number_write(t, (void *)y->data, i * s->dim[1] + column,
				     (struct number){ .f = 1, .i = 1 });
	}
	return expand_output(e, 0, y);
}

/* ---- Dimensions ------------------------------------------------------------------------------ */

int expand_squeeze(struct expand *e)
{
	const struct shape *x = &ex_in(e, 0)->shape;
	struct shape to = { 0 };
	struct dims axes;
	u32 gone = 0;
	int rc = axes_of(e, 1, x->rank, &axes);

	for (int i = 0; i < axes.n && !rc; i++) {
		gone |= 1u << axes.v[i];
		if (x->dim[axes.v[i]] != 1)
			rc = expand_refuse(e, -EINVAL, "dimension %lld is %lld, not 1",
					   (long long)axes.v[i], (long long)x->dim[axes.v[i]]);
	}
	for (int d = 0; d < x->rank; d++) {
		if (axes.n ? !(gone >> d & 1) : x->dim[d] != 1)
			to.dim[to.rank++] = x->dim[d];
	}
	return rc ? rc : expand_as(e, ex_in(e, 0), &to);
}

int expand_unsqueeze(struct expand *e)
{
	const struct shape *x = &ex_in(e, 0)->shape;
	struct shape to = { 0 };
	struct dims axes = e->n->attrs.axes;
	u32 ones = 0;
	int rc = ex_in(e, 1) ? ex_integers(e, 1, &axes) : 0;

	to.rank = x->rank + axes.n;
	if (!rc && to.rank > TENSOR_RANK_MAX)
		rc = expand_refuse(e, -EFBIG, "%d dimensions, the limit is %d", to.rank,
				   TENSOR_RANK_MAX);
	if (!rc)
		rc = positive_axes(e, &axes, to.rank);
	if (rc)
		return rc;
	for (int i = 0; i < axes.n; i++)
		ones |= 1u << axes.v[i];
	for (int d = 0, from = 0; d < to.rank; d++)
		to.dim[d] = ones >> d & 1 ? 1 : x->dim[from++];
	return expand_as(e, ex_in(e, 0), &to);
}

int expand_expand(struct expand *e)
{
	struct shape want, to;
	struct dims d;
	int rc = ex_integers(e, 1, &d);

	if (rc)
		return rc;
	want.rank = d.n;
	memcpy(want.dim, d.v, sizeof(want.dim));
	if (!shape_broadcast(&ex_in(e, 0)->shape, &want, &to))
		return expand_refuse(e, -EINVAL, "its input does not broadcast to that shape");
	return expand_output(e, 0, ex_stretch(e, ex_in(e, 0), &to));
}

/* [a, b] by 2, 3 is [1, a, 1, b] broadcast to [2, a, 3, b]; only dimensions that repeat are two. */
int expand_tile(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct shape split = { 0 }, wide = { 0 }, to = x->shape;
	struct dims times;
	int rc = ex_integers(e, 1, &times);

	if (rc)
		return rc;
	if (times.n != to.rank)
		return expand_refuse(e, -EINVAL, "%d repeats for %d dimensions", times.n, to.rank);
	for (int d = 0; d < to.rank; d++) {
		if (times.v[d] < 0 || times.v[d] > TENSOR_ELEMS_MAX)
			return expand_refuse(e, -EINVAL, "%lld repeats", (long long)times.v[d]);
		if (times.v[d] != 1 && split.rank < TENSOR_RANK_MAX) {
			split.dim[split.rank++] = 1;
			wide.dim[wide.rank++] = times.v[d];
		}
		if (split.rank == TENSOR_RANK_MAX)
			return expand_refuse(e, -EFBIG, "too many dimensions repeat");
		split.dim[split.rank++] = to.dim[d];
		wide.dim[wide.rank++] = to.dim[d];
		to.dim[d] *= times.v[d];
	}
	return expand_as(e, ex_stretch(e, ex_view(e, x, &split), &wide), &to);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* One dimension of @size: from @start to before @end by @step, as ONNX counts. */
static s64 slice_axis(s64 size, s64 *start, s64 end, s64 step)
{
	*start = *start < 0 ? *start + size : *start;
	end = end < 0 ? end + size : end;
	if (step > 0) {
		*start = within(*start, 0, size);
		end = within(end, 0, size);
		return end > *start ? (end - *start - 1) / step + 1 : 0;
	}
	*start = within(*start, 0, size - 1);
	end = within(end, -1, size - 1);
	return *start > end ? (*start - end - 1) / -step + 1 : 0;
}

int expand_slice(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct attrs *a = &e->n->attrs;
	struct dims starts = a->starts, ends = a->ends, steps = { 0 }, axes;
	s64 at[TENSOR_RANK_MAX] = { 0 }, step[TENSOR_RANK_MAX];
	struct shape to = x->shape;
	int rc = axes_of(e, 3, x->shape.rank, &axes);

	if (!rc && ex_in(e, 1))
		rc = ex_integers(e, 1, &starts);
	if (!rc && ex_in(e, 2))
		rc = ex_integers(e, 2, &ends);
	if (!rc && ex_in(e, 4))
		rc = ex_integers(e, 4, &steps);
	if (rc)
		return rc;
	if (!axes.n)
		axes = ex_axes(0, starts.n < to.rank ? starts.n : to.rank);
	if (starts.n != axes.n || ends.n != axes.n || (steps.n && steps.n != axes.n))
		return expand_refuse(e, -EINVAL, "%d starts, %d ends and %d axes", starts.n, ends.n,
				     axes.n);
	for (int d = 0; d < to.rank; d++)
		step[d] = 1;
	for (int i = 0; i < axes.n; i++) {
		s64 axis = axes.v[i], by = steps.n ? steps.v[i] : 1;

		if (!by)
			return expand_refuse(e, -EINVAL, "a step of 0");
		by = within(by, -TENSOR_ELEMS_MAX, TENSOR_ELEMS_MAX);
		at[axis] = starts.v[i];
		to.dim[axis] = slice_axis(x->shape.dim[axis], &at[axis], ends.v[i], by);
		step[axis] = to.dim[axis] > 1 ? by : 1;
		at[axis] = to.dim[axis] ? at[axis] : 0;
	}
	return expand_output(e, 0, ex_part(e, x, at, step, &to));
}

/* Sizes of the parts: given, or equal with a smaller last one. */
static int split_sizes(struct expand *e, s64 size, struct dims *out)
{
	s64 parts = e->n->n_out, each, left = size;
	int rc = 0;

	if (e->n->attrs.num_outputs)
		parts = e->n->attrs.num_outputs;
	*out = e->n->attrs.split;
	if (ex_in(e, 1))
		rc = ex_integers(e, 1, out);
	if (rc)
		return rc;
	if (!out->n) {
		if (parts > TENSOR_RANK_MAX || parts < 1)
			return expand_refuse(e, -EFBIG, "%lld parts, the limit is %d",
					     (long long)parts, TENSOR_RANK_MAX);
		each = (size + parts - 1) / parts;
		for (out->n = 0; out->n < parts; out->n++, left -= each)
			out->v[out->n] = left < each ? within(left, 0, each) : each;
	}
	for (int i = 0; i < out->n; i++) {
		if (out->v[i] < 0 || out->v[i] > size)
			return expand_refuse(e, -EINVAL, "a part of %lld", (long long)out->v[i]);
		size -= out->v[i];
	}
	return size ? expand_refuse(e, -EINVAL, "the parts are not the whole") : 0;
}

int expand_split(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct dims sizes;
	s64 first = 0;
	int axis = 0, rc = axis_of(e, x->shape.rank, &axis);

	if (!rc)
		rc = split_sizes(e, x->shape.dim[axis], &sizes);
	for (int i = 0; !rc && i < sizes.n; i++) {
		if (i < e->n->n_out && e->n->out[i])
			rc = expand_output(e, i, ex_slice(e, x, axis, first, sizes.v[i]));
		first += sizes.v[i];
	}
	return rc;
}

/* ---- Padding --------------------------------------------------------------------------------- */

/* Which element of @size stands at @i, counted from the first of x, when it is reflected. */
static s64 reflect(s64 i, s64 size)
{
	s64 period = 2 * (size - 1);

	if (size == 1)
		return 0;
	i = (i % period + period) % period;
	return i < size ? i : period - i;
}

/* Padding by elements of @x itself, of those that negative pads leave. */
static struct value *pad_by_itself(struct expand *e, struct value *x, const s64 *before,
				   const s64 *after)
{
	const char *mode = e->n->attrs.mode;

	for (int d = 0; x && d < x->shape.rank; d++) {
		s64 wide = x->shape.dim[d] + before[d] + after[d];
		s64 first = before[d] < 0 ? -before[d] : 0, behind = after[d] < 0 ? -after[d] : 0;
		s64 size = x->shape.dim[d] - first - behind, *list;

		if (!before[d] && !after[d])
			continue;
		if (wide < 0 || wide > TENSOR_ELEMS_MAX || size < (wide > 0)) {
			expand_refuse(e, -EINVAL, "dimension %d cannot become %lld", d,
				      (long long)wide);
			return NULL;
		}
		list = graph_alloc(e->g, ((size_t)wide + 1) * sizeof(*list));
		for (s64 i = 0; list && i < wide; i++) {
			s64 at = i - first - before[d];

			list[i] = ex_says(mode, "edge")	   ? within(at, 0, size - 1) :
				  ex_says(mode, "reflect") ? reflect(at, size) :
							     (at % size + size) % size;
			list[i] += first;
		}
		x = list ? ex_take(e, x, d, list, wide) : NULL;
	}
	return x;
}

int expand_pad(struct expand *e)
{
	struct value *x = ex_in(e, 0), *fill = ex_in(e, 2);
	const struct value *pads = ex_in(e, 1);
	s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };
	struct dims axes = ex_axes(0, x->shape.rank), old = e->n->attrs.pads;
	const char *mode = e->n->attrs.mode;
	int rc = 0;

	if (ex_in(e, 3))
		rc = axes_of(e, 3, x->shape.rank, &axes);
	if (rc)
		return rc;
	if (pads && !pads->data)
		return expand_refuse(e, -ENOTSUP, "its pads \"%.80s\" are known only at run time",
				     pads->name);
	if ((pads ? shape_elems(&pads->shape) : old.n) != 2 * axes.n)
		return expand_refuse(e, -EINVAL, "its pads are not two for each axis");
	for (int i = 0; i < axes.n; i++) {
		before[axes.v[i]] = pads ? ((const s64 *)pads->data)[i] : old.v[i];
		after[axes.v[i]] = pads ? ((const s64 *)pads->data)[axes.n + i] : old.v[axes.n + i];
	}
	for (int d = 0; d < x->shape.rank; d++) {
		if (before[d] > TENSOR_ELEMS_MAX || after[d] > TENSOR_ELEMS_MAX ||
		    before[d] < -TENSOR_ELEMS_MAX || after[d] < -TENSOR_ELEMS_MAX)
			return expand_refuse(e, -EFBIG, "a pad is too large");
	}
	if (ex_says(mode, "constant"))
		return expand_output(
			e, 0,
			ex_pad(e, x, before, after,
			       fill ? fill : ex_like(e, x, (double)e->n->attrs.value)));
	return expand_output(e, 0, pad_by_itself(e, x, before, after));
}

int expand_centercroppad(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct dims axes = e->n->attrs.axes, sizes;
	s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };
	int rc = positive_axes(e, &axes, x->shape.rank);

	if (!rc)
		rc = ex_integers(e, 1, &sizes);
	if (rc)
		return rc;
	if (!axes.n)
		axes = ex_axes(0, x->shape.rank);
	if (sizes.n != axes.n)
		return expand_refuse(e, -EINVAL, "%d sizes for %d axes", sizes.n, axes.n);
	for (int i = 0; i < axes.n; i++) {
		s64 more = sizes.v[i] - x->shape.dim[axes.v[i]];

		before[axes.v[i]] = more > 0 ? more / 2 : -(-more / 2);
		after[axes.v[i]] = more - before[axes.v[i]];
	}
	return expand_output(e, 0, ex_pad(e, x, before, after, ex_like(e, x, 0)));
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static int check_blocks(struct expand *e, s64 a, s64 b)
{
	s64 size = e->n->attrs.blocksize;

	if (ex_in(e, 0)->shape.rank != 4)
		return expand_refuse(e, -EINVAL, "it needs four dimensions");
	if (size < 1 || size > 1 << 15 || a % size || b % size)
		return expand_refuse(e, -EINVAL, "blocks of %lld do not fit", (long long)size);
	return 0;
}

int expand_depthtospace(struct expand *e)
{
	static const int dcr[] = { 0, 3, 4, 1, 5, 2 }, crd[] = { 0, 1, 4, 2, 5, 3 };
	bool columns = ex_says(e->n->attrs.mode, "CRD");
	const struct shape *x = &ex_in(e, 0)->shape;
	s64 b = e->n->attrs.blocksize;
	struct shape split, to;
	int rc = check_blocks(e, 0, 0);

	if (rc)
		return rc;
	if (x->dim[1] % (b * b))
		return expand_refuse(e, -EINVAL, "blocks of %lld do not fit", (long long)b);
	split = (struct shape){ 6, { x->dim[0], b, b, x->dim[1] / (b * b), x->dim[2], x->dim[3] } };
	if (columns)
		split = (struct shape){
			6, { x->dim[0], x->dim[1] / (b * b), b, b, x->dim[2], x->dim[3] }
		};
	to = (struct shape){ 4, { x->dim[0], x->dim[1] / (b * b), x->dim[2] * b, x->dim[3] * b } };
	return expand_as(e, ex_transpose(e, ex_view(e, ex_in(e, 0), &split), columns ? crd : dcr),
			 &to);
}

int expand_spacetodepth(struct expand *e)
{
	static const int perm[] = { 0, 3, 5, 1, 2, 4 };
	const struct shape *x = &ex_in(e, 0)->shape;
	s64 b = e->n->attrs.blocksize;
	struct shape split, to;
	int rc = check_blocks(e, x->dim[2], x->dim[3]);

	if (rc)
		return rc;
	split = (struct shape){ 6, { x->dim[0], x->dim[1], x->dim[2] / b, b, x->dim[3] / b, b } };
	to = (struct shape){ 4, { x->dim[0], x->dim[1] * b * b, x->dim[2] / b, x->dim[3] / b } };
	return expand_as(e, ex_transpose(e, ex_view(e, ex_in(e, 0), &split), perm), &to);
}

/* ---- Constant masks -------------------------------------------------------------------------- */

int expand_trilu(struct expand *e)
{
	struct value *x = ex_in(e, 0), *row, *column, *kept;
	int rank = x->shape.rank, rc = 0;
	struct dims k = { 1, { 0 } };
	s64 rows, columns;

	if (ex_in(e, 1))
		rc = ex_integers(e, 1, &k);
	if (rc)
		return rc;
	if (rank < 2 || k.n != 1)
		return expand_refuse(e, -EINVAL, "it needs two dimensions and one k");
	rows = x->shape.dim[rank - 2];
	columns = x->shape.dim[rank - 1];
	k.v[0] = k.v[0] < -rows ? -rows : k.v[0] > columns ? columns : k.v[0];
	row = ex_iota(e, DTYPE_S32, 2, 0, rows);
	column = ex_iota(e, DTYPE_S32, 2, 1, columns);
	if (e->n->attrs.upper)
		kept = ex2(e, OP_LESS, ex_by(e, OP_ADD, row, (double)k.v[0] - 1), column);
	else
		kept = ex2(e, OP_LESS, column, ex_by(e, OP_ADD, row, (double)k.v[0] + 1));
	return expand_output(e, 0, ex_where(e, kept, x, ex_like(e, x, 0)));
}

int expand_onehot(struct expand *e)
{
	struct value *index = ex_in(e, 0), *values = ex_in(e, 2), *off, *on, *same, *wrapped;
	const struct value *depth = ex_in(e, 1);
	int rank = index->shape.rank + 1;
	struct shape scalar = { 0 };
	s64 axis = e->n->attrs.axis, size;

	if (!depth->data || shape_elems(&depth->shape) != 1)
		return expand_refuse(e, -ENOTSUP, "its depth \"%.80s\" is no constant",
				     depth->name);
	if (rank > TENSOR_RANK_MAX || axis < -rank || axis >= rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)axis, rank);
	size = depth->dtype == DTYPE_F32 ? (s64)number_read(DTYPE_F32, depth->data, 0).f :
					   number_read(depth->dtype, depth->data, 0).i;
	if (size < 1 || size > 1 << 24 || shape_elems(&values->shape) != 2)
		return expand_refuse(e, -EINVAL, "a depth of %lld, %lld values", (long long)size,
				     (long long)shape_elems(&values->shape));
	axis += axis < 0 ? rank : 0;
	wrapped = ex_where(e, ex_by(e, OP_LESS, index, 0), ex_by(e, OP_ADD, index, (double)size),
			   index);
	same = ex2(e, OP_EQUAL, ex_unsqueeze(e, wrapped, (int)axis),
		   ex_iota(e, index->dtype, rank, (int)axis, size));
	off = ex_view(e, ex_slice(e, values, 0, 0, 1), &scalar);
	on = ex_view(e, ex_slice(e, values, 0, 1, 1), &scalar);
	return expand_output(e, 0, ex_where(e, same, on, off));
}

int expand_compress(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	const struct value *keep = ex_in(e, 1);
	struct shape flat = { 1, { shape_elems(&x->shape) } };
	s64 n = shape_elems(&keep->shape), count = 0, *list;
	int axis = 0, rc = 0;

	if (!keep->data)
		return expand_refuse(e, -ENOTSUP,
				     "the size of its result depends on \"%.80s\", which is known "
				     "only at run time; Where keeps the size",
				     keep->name);
	if (e->n->attrs.axis == 1000)
		x = ex_view(e, x, &flat);
	else
		rc = axis_of(e, x->shape.rank, &axis);
	if (rc || !x)
		return rc ? rc : e->g->err->code;
	list = graph_alloc(e->g, ((size_t)n + 1) * sizeof(*list));
	for (s64 i = 0; list && i < n; i++) {
		if (((const u8 *)keep->data)[i])
			list[count++] = i;
	}
	return expand_output(e, 0, list ? ex_take(e, x, axis, list, count) : NULL);
}
