// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Functions that find elements by index. The machine computes no address from data: constant
 * indices are moves, and those of the program's inputs are compared with every index there is.
 */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>

#include "compiler/eval_number.h"

enum {
	COMPARED_MAX = 256, /* indices that are compared */
	JOINED_MAX = 1 << 22, /* elements that are looked at for updates of the same ones */
};

static int axis_of(struct expand *e, int rank, int *axis)
{
	s64 at = e->n->attrs.axis;

	if (at < -rank || at >= rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)at, rank);
	*axis = (int)(at < 0 ? at + rank : at);
	return 0;
}

/* Index number @i of the constant @v, counted from the end where it is negative. */
static int read_index(struct expand *e, const struct value *v, s64 i, s64 size, s64 *out)
{
	*out = number_read(v->dtype, v->data, i).i;
	if (*out < -size || *out >= size)
		return expand_refuse(e, -EINVAL, "index %lld is outside of %lld elements",
				     (long long)*out, (long long)size);
	*out += *out < 0 ? size : 0;
	return 0;
}

static int need_constant(struct expand *e, const struct value *v)
{
	if (v->data)
		return 0;
	return expand_refuse(e, -ENOTSUP,
			     "its indices \"%.80s\" are known only at run time; make them a "
			     "constant, or use Gather or GatherElements along at most %d elements",
			     v->name, COMPARED_MAX);
}

/* Live indices, made non-negative. */
static struct value *live_indices(struct expand *e, struct value *index, s64 size)
{
	if (size > COMPARED_MAX) {
		need_constant(e, index);
		return NULL;
	}
	return ex_where(e, ex_by(e, OP_LESS, index, 0), ex_by(e, OP_ADD, index, (double)size),
			index);
}

/* For each number k the slice k of @x, in shape @slice, where @index is k. */
static struct value *select_slices(struct expand *e, struct value *x, int axis, struct value *index,
				   const struct shape *slice)
{
	s64 size = x->shape.dim[axis];
	struct value *y = ex_view(e, ex_slice(e, x, axis, 0, 1), slice);

	for (s64 k = 1; k < size && y; k++)
		y = ex_where(e, ex_by(e, OP_EQUAL, index, (double)k),
			     ex_view(e, ex_slice(e, x, axis, k, 1), slice), y);
	return y;
}

/* ---- Gather ---------------------------------------------------------------------------------- */

static int gather_constant(struct expand *e, struct value *x, const struct value *index, int axis,
			   const struct shape *to)
{
	s64 count = shape_elems(&index->shape);
	s64 *list = graph_alloc(e->g, ((size_t)count + 1) * sizeof(*list));
	int rc = list ? 0 : e->g->err->code;

	for (s64 i = 0; i < count && !rc; i++)
		rc = read_index(e, index, i, x->shape.dim[axis], &list[i]);
	return rc ? rc : expand_as(e, ex_take(e, x, axis, list, count), to);
}

int expand_gather(struct expand *e)
{
	struct value *x = ex_in(e, 0), *index = ex_in(e, 1), *y;
	struct shape to = { 0 }, among = { 0 }, slice = { 0 };
	int axis = 0, rc = axis_of(e, x->shape.rank, &axis);

	if (rc)
		return rc;
	to.rank = x->shape.rank - 1 + index->shape.rank;
	if (to.rank > TENSOR_RANK_MAX)
		return expand_refuse(e, -EFBIG, "%d dimensions, the limit is %d", to.rank,
				     TENSOR_RANK_MAX);
	among.rank = slice.rank = to.rank;
	for (int d = 0; d < to.rank; d++) {
		bool inside = d >= axis && d < axis + index->shape.rank;

		among.dim[d] = inside ? index->shape.dim[d - axis] : 1;
		slice.dim[d] = d < axis ? x->shape.dim[d] :
			       inside	? 1 :
					  x->shape.dim[d - index->shape.rank + 1];
		to.dim[d] = inside ? among.dim[d] : slice.dim[d];
	}
	if (index->data)
		return gather_constant(e, x, index, axis, &to);
	index = ex_view(e, live_indices(e, index, x->shape.dim[axis]), &among);
	y = index ? select_slices(e, x, axis, index, &slice) : NULL;
	return expand_output(e, 0, ex_stretch(e, y, &to));
}

/* Positions in the flat @x of the elements that @index names along @axis. */
static s64 *flat_positions(struct expand *e, const struct shape *x, const struct value *index,
			   int axis)
{
	s64 count = shape_elems(&index->shape), stride[TENSOR_RANK_MAX];
	s64 *list = graph_alloc(e->g, ((size_t)count + 1) * sizeof(*list));

	shape_strides(x, stride);
	for (s64 i = 0; i < count && list; i++) {
		s64 rest = i, at;

		if (read_index(e, index, i, x->dim[axis], &at))
			return NULL;
		list[i] = at * stride[axis];
		for (int d = x->rank - 1; d >= 0; d--) {
			if (d != axis)
				list[i] += rest % index->shape.dim[d] * stride[d];
			rest /= index->shape.dim[d];
		}
	}
	return list;
}

/* Refuses indices that do not fit over x beside @axis. */
static int check_elements(struct expand *e, const struct shape *x, const struct shape *index,
			  int axis)
{
	if (x->rank != index->rank)
		return expand_refuse(e, -EINVAL, "%d dimensions of indices for %d", index->rank,
				     x->rank);
	for (int d = 0; d < x->rank; d++) {
		if (d != axis && index->dim[d] > x->dim[d])
			return expand_refuse(e, -EINVAL, "more indices than elements");
	}
	return 0;
}

int expand_gather_elements(struct expand *e)
{
	struct value *x = ex_in(e, 0), *index = ex_in(e, 1), *y = x;
	struct shape flat = { 1, { shape_elems(&x->shape) } }, slice = index->shape;
	int axis = 0, rc = axis_of(e, x->shape.rank, &axis);
	s64 *list;

	if (!rc)
		rc = check_elements(e, &x->shape, &index->shape, axis);
	if (rc)
		return rc;
	if (index->data) {
		list = flat_positions(e, &x->shape, index, axis);
		y = list ? ex_take(e, ex_view(e, x, &flat), 0, list, shape_elems(&slice)) : NULL;
		return expand_as(e, y, &index->shape);
	}
	for (int d = 0; d < x->shape.rank && y; d++) {
		if (d != axis)
			y = ex_slice(e, y, d, 0, slice.dim[d]);
	}
	slice.dim[axis] = 1;
	index = live_indices(e, index, x->shape.dim[axis]);
	y = y && index ? select_slices(e, y, axis, index, &slice) : NULL;
	return expand_output(e, 0, ex_stretch(e, y, &ex_in(e, 1)->shape));
}

/* For each step of each sequence the one that comes there; elements behind its length stay. */
static struct value *reversed_steps(struct expand *e, const struct shape *x, int batch, int time)
{
	struct value *t = ex_iota(e, DTYPE_S64, x->rank, time, x->dim[time]), *length;
	struct shape each = { .rank = x->rank };

	for (int d = 0; d < x->rank; d++)
		each.dim[d] = d == batch ? x->dim[d] : 1;
	length = ex_view(e, ex_in(e, 1), &each);
	return ex_where(e, ex2(e, OP_LESS, t, length),
			ex2(e, OP_SUB, length ? ex_by(e, OP_SUB, length, 1) : NULL, t), t);
}

/* With lengths that are known: one move. */
static int reverse_known(struct expand *e, struct value *x, struct value *index, int time)
{
	struct shape flat = { 1, { shape_elems(&x->shape) } }, to = x->shape;
	s64 *list = flat_positions(e, &x->shape, index, time);

	x = list ? ex_take(e, ex_view(e, x, &flat), 0, list, flat.dim[0]) : NULL;
	return expand_as(e, x, &to);
}

int expand_reverse_sequence(struct expand *e)
{
	s64 batch = e->n->attrs.batch_axis, time = e->n->attrs.time_axis;
	struct value *x = ex_in(e, 0), *length = ex_in(e, 1), *index, *y;
	struct shape slice = x->shape;

	if (x->shape.rank < 2 || batch + time != 1 || (batch && time))
		return expand_refuse(e, -EINVAL, "its axes are not 0 and 1");
	if (length->shape.rank != 1 || length->shape.dim[0] != x->shape.dim[batch])
		return expand_refuse(e, -EINVAL, "there is not one length for each sequence");
	if (!length->data && x->shape.dim[time] > COMPARED_MAX)
		return need_constant(e, length);
	index = reversed_steps(e, &x->shape, (int)batch, (int)time);
	if (index && length->data)
		index = ex_stretch(e, index, &x->shape);
	if (!index)
		return e->g->err->code;
	if (index->data)
		return reverse_known(e, x, index, (int)time);
	slice.dim[time] = 1;
	y = select_slices(e, x, (int)time, index, &slice);
	return expand_output(e, 0, y == x ? ex1(e, OP_IDENTITY, y) : y);
}

/* ---- Tuples of indices ----------------------------------------------------------------------- */

/* x as rows [rows, inner] that tuples of @depth indices name, behind @batch shared dimensions. */
struct tuples {
	s64 rows, inner, count;
	s64 *row; /* of each tuple */
};

static int read_tuples(struct expand *e, const struct shape *x, const struct value *index,
		       int batch, struct tuples *t)
{
	int depth, rc = need_constant(e, index);
	s64 tuples, each = 1;

	if (rc)
		return rc;
	if (index->shape.rank < 1 || batch < 0 || batch >= index->shape.rank)
		return expand_refuse(e, -EINVAL, "its indices are no tuples");
	depth = (int)index->shape.dim[index->shape.rank - 1];
	if (depth < 1 || batch + depth > x->rank)
		return expand_refuse(e, -EINVAL, "tuples of %d for %d dimensions", depth, x->rank);
	*t = (struct tuples){ .rows = 1, .inner = 1 };
	for (int d = 0; d < x->rank; d++)
		*(d < batch + depth ? &t->rows : &t->inner) *= x->dim[d];
	t->count = tuples = shape_elems(&index->shape) / depth;
	for (int d = 0; d < batch; d++) {
		if (index->shape.dim[d] != x->dim[d])
			return expand_refuse(e, -EINVAL, "the shared dimensions differ");
		each *= x->dim[d];
	}
	each = each ? tuples / each : 0;
	t->row = graph_alloc(e->g, ((size_t)tuples + 1) * sizeof(*t->row));
	for (s64 i = 0; t->row && i < tuples; i++) {
		s64 row = batch ? i / each : 0;

		for (int d = 0; d < depth && !rc; d++) {
			s64 at;

			rc = read_index(e, index, i * depth + d, x->dim[batch + d], &at);
			row = row * x->dim[batch + d] + at;
		}
		if (rc)
			return rc;
		t->row[i] = row;
	}
	return t->row ? 0 : e->g->err->code;
}

int expand_gather_nd(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	const struct value *index = ex_in(e, 1);
	int batch = (int)e->n->attrs.batch_dims, from;
	struct shape to = { 0 };
	struct tuples t;
	int rc = read_tuples(e, &x->shape, index, batch, &t);

	if (rc)
		return rc;
	from = batch + (int)index->shape.dim[index->shape.rank - 1];
	if (index->shape.rank - 1 + x->shape.rank - from > TENSOR_RANK_MAX)
		return expand_refuse(e, -EFBIG, "more than %d dimensions", TENSOR_RANK_MAX);
	for (int d = 0; d < index->shape.rank - 1; d++)
		to.dim[to.rank++] = index->shape.dim[d];
	for (int d = from; d < x->shape.rank; d++)
		to.dim[to.rank++] = x->shape.dim[d];
	x = ex_view(e, x, &(struct shape){ 2, { t.rows, t.inner } });
	return expand_as(e, ex_take(e, x, 0, t.row, t.count), &to);
}

/* ---- Scatter --------------------------------------------------------------------------------- */

/* The operator that joins an update with what is there, and what changes nothing. */
static void find_reduction(const char *name, enum dtype t, enum op *op, double *nothing)
{
	*op = ex_says(name, "mul") ? OP_MUL :
	      ex_says(name, "max") ? OP_MAXIMUM :
	      ex_says(name, "min") ? OP_MINIMUM :
				     OP_ADD;
	*nothing = *op == OP_MUL ? 1 : *op == OP_ADD ? 0 : ex_extreme(t, *op == OP_MINIMUM);
}

/* Rows of @x, of which those that @t names are those of @updates, in order. */
static struct value *replace_rows(struct expand *e, struct value *x, struct value *updates,
				  const struct tuples *t)
{
	s64 *from = graph_alloc(e->g, ((size_t)t->rows + 1) * sizeof(*from));

	for (s64 i = 0; from && i < t->rows; i++)
		from[i] = i;
	for (s64 i = 0; from && i < t->count; i++)
		from[t->row[i]] = t->rows + i;
	x = ex_concat(e, (struct value *[]){ x, updates }, 2, 0);
	return from ? ex_take(e, x, 0, from, t->rows) : NULL;
}

/* How many updates name the row that most name; 0, and the error, if there is no memory. */
static s64 most_updates(struct expand *e, const struct tuples *t)
{
	s64 *count = graph_alloc(e->g, ((size_t)t->rows + 1) * sizeof(*count)), most = 1;

	if (!count)
		return 0;
	for (s64 i = 0; i < t->count; i++) {
		s64 n = ++count[t->row[i]];

		most = n > most ? n : most;
	}
	return most;
}

/*
 * Rows of @x, each joined with all updates that name it: one round for the first of each row, one
 * for the second, and so on.
 */
static struct value *join_rows(struct expand *e, struct value *x, struct value *updates,
			       const struct tuples *t, enum op op, double nothing)
{
	s64 *from = graph_alloc(e->g, ((size_t)t->rows + 1) * sizeof(*from));
	bool *used = graph_alloc(e->g, (size_t)t->count + 1);
	struct value *none =
		ex_stretch(e, ex_like(e, x, nothing), &(struct shape){ 2, { 1, t->inner } });
	struct value *all = ex_concat(e, (struct value *[]){ updates, none }, 2, 0);
	s64 left = t->count;

	if (!from || !used)
		return NULL;
	while (left && x) {
		for (s64 i = 0; i < t->rows; i++)
			from[i] = t->count;
		for (s64 i = 0; i < t->count; i++) {
			if (used[i] || from[t->row[i]] != t->count)
				continue;
			from[t->row[i]] = i;
			used[i] = true;
			left--;
		}
		x = ex2(e, op, x, ex_take(e, all, 0, from, t->rows));
	}
	return x;
}

static int scatter(struct expand *e, const struct tuples *t)
{
	const char *reduction = e->n->attrs.reduction;
	struct value *x = ex_in(e, 0), *updates = ex_in(e, 2);
	struct shape to = x->shape;
	s64 rounds;
	double nothing;
	enum op op;

	if (shape_elems(&updates->shape) != t->count * t->inner)
		return expand_refuse(e, -EINVAL, "its updates are not as many as its indices");
	x = ex_view(e, x, &(struct shape){ 2, { t->rows, t->inner } });
	updates = ex_view(e, updates, &(struct shape){ 2, { t->count, t->inner } });
	if (!x || !updates)
		return e->g->err->code;
	if (ex_says(reduction, "none"))
		return expand_as(e, replace_rows(e, x, updates, t), &to);
	find_reduction(reduction, x->dtype, &op, &nothing);
	rounds = most_updates(e, t);
	if (!rounds)
		return e->g->err->code;
	if (rounds > JOINED_MAX / (t->rows + t->count + 1))
		return expand_refuse(e, -ENOTSUP,
				     "%lld updates of one element among %lld; up to %d products of "
				     "both are mapped: add up updates before",
				     (long long)rounds, (long long)(t->rows + t->count),
				     JOINED_MAX);
	return expand_as(e, join_rows(e, x, updates, t, op, nothing), &to);
}

int expand_scatter_elements(struct expand *e)
{
	const struct shape *x = &ex_in(e, 0)->shape;
	const struct value *index = ex_in(e, 1);
	struct tuples t = { .rows = shape_elems(x), .inner = 1 };
	int axis = 0, rc = axis_of(e, x->rank, &axis);

	if (!rc)
		rc = need_constant(e, index);
	if (!rc)
		rc = check_elements(e, x, &index->shape, axis);
	if (rc)
		return rc;
	t.count = shape_elems(&index->shape);
	t.row = flat_positions(e, x, index, axis);
	return t.row ? scatter(e, &t) : e->g->err->code;
}

int expand_scatter_nd(struct expand *e)
{
	struct tuples t;
	int rc = read_tuples(e, &ex_in(e, 0)->shape, ex_in(e, 1), 0, &t);

	return rc ? rc : scatter(e, &t);
}

/* ---- Caches ---------------------------------------------------------------------------------- */

/* The place of slice @k of each update, [batch, 1, ...]: behind the index of its batch. */
static struct value *place_of(struct expand *e, const struct shape *cache, s64 k, s64 size)
{
	struct value *at = ex_in(e, 2);
	struct shape batch = { .rank = cache->rank };

	if (!at)
		return ex_number(e, DTYPE_S64, (double)(k % size));
	for (int d = 0; d < cache->rank; d++)
		batch.dim[d] = d ? 1 : shape_elems(&at->shape);
	at = ex_by(e, OP_ADD, ex_view(e, at, &batch), (double)k);
	if (!ex_says(e->n->attrs.mode, "circular"))
		return at;
	return ex_by(e, OP_MOD, at, (double)size);
}

int expand_tensorscatter(struct expand *e)
{
	struct value *y = ex_in(e, 0), *update = ex_in(e, 1);
	struct shape s = y->shape, like = s;
	const struct value *at = ex_in(e, 2);
	int axis = 0, rc = axis_of(e, s.rank, &axis);

	if (rc)
		return rc;
	if (update->shape.rank == s.rank)
		like.dim[axis] = update->shape.dim[axis];
	if (!axis || !shape_equal(&like, &update->shape) || like.dim[axis] > s.dim[axis] ||
	    (at && shape_elems(&at->shape) != s.dim[0]))
		return expand_refuse(e, -EINVAL, "its update does not fit the cache");
	if (like.dim[axis] > COMPARED_MAX)
		return expand_refuse(e, -ENOTSUP,
				     "%lld slices; up to %d are compared with every "
				     "place: write fewer at a time",
				     (long long)like.dim[axis], COMPARED_MAX);
	for (s64 k = 0; k < like.dim[axis] && y; k++) {
		struct value *hit = ex2(e, OP_EQUAL, place_of(e, &s, k, s.dim[axis]),
					ex_iota(e, DTYPE_S64, s.rank, axis, s.dim[axis]));

		y = ex_where(e, hit, ex_slice(e, update, axis, k, 1), y);
	}
	return expand_output(e, 0, y == ex_in(e, 0) ? ex1(e, OP_IDENTITY, y) : y);
}

/* ---- MaxUnpool ------------------------------------------------------------------------------- */

/* The sizes of the result: said, or so that the pool would give the input's. */
static int unpooled(struct expand *e, struct shape *to)
{
	const struct attrs *a = &e->n->attrs;
	int spatial = to->rank - 2, rc = 0;
	struct dims said;

	if (spatial < 1 || a->kernel.n != spatial || a->strides.n != spatial ||
	    a->pads.n != 2 * spatial)
		return expand_refuse(e, -EINVAL, "its window does not fit the image");
	if (ex_in(e, 2)) {
		rc = ex_integers(e, 2, &said);
		if (!rc &&
		    (said.n != to->rank || said.v[0] != to->dim[0] || said.v[1] != to->dim[1]))
			return expand_refuse(e, -EINVAL, "its output_shape is for another image");
	}
	for (int d = 0; d < spatial && !rc; d++)
		to->dim[2 + d] = ex_in(e, 2) ?
					 said.v[2 + d] :
					 (to->dim[2 + d] - 1) * a->strides.v[d] + a->kernel.v[d] -
						 a->pads.v[d] - a->pads.v[spatial + d];
	if (!rc && !shape_valid(to))
		return expand_refuse(e, -EINVAL, "its result has no valid shape");
	return rc;
}

/* Each place of each image holds the sum of the elements that name it; places count on over images.
 */
int expand_maxunpool(struct expand *e)
{
	struct value *x = ex_in(e, 0), *index = ex_in(e, 1), *first, *y;
	struct shape to = x->shape, of, among;
	s64 images, each = 1, places = 1;
	int rc = unpooled(e, &to);

	if (rc)
		return rc;
	if (!shape_equal(&x->shape, &index->shape))
		return expand_refuse(e, -EINVAL, "its indices are not as many as its elements");
	images = to.dim[0] * to.dim[1];
	for (int d = 2; d < to.rank; d++) {
		each *= x->shape.dim[d];
		places *= to.dim[d];
	}
	if (images * each > (1 << 22) / (places ? places : 1))
		return expand_refuse(e, -ENOTSUP,
				     "%lld elements for %lld places; up to %d products "
				     "of both are mapped: Resize keeps the size",
				     (long long)(images * each), (long long)places, 1 << 22);
	of = (struct shape){ 3, { images, each, 1 } };
	among = (struct shape){ 2, { images, places } };
	first = ex_by(e, OP_MUL, ex_iota(e, DTYPE_S64, 3, 0, images), (double)places);
	index = ex2(e, OP_SUB, ex_view(e, index, &of), first);
	y = ex_where(e, ex2(e, OP_EQUAL, index, ex_iota(e, DTYPE_S64, 3, 2, places)),
		     ex_view(e, x, &of), ex_number(e, DTYPE_F32, 0));
	y = ex_over(e, OP_SUMOVER, y, &(struct dims){ 1, { 1 } });
	return expand_as(e, ex_view(e, y, &among), &to);
}
