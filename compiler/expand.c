// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The steps of functions: see expand.h. */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "compiler/eval_number.h"
#include "compiler/explicit.h"

static expand_fn *const expand_fns[OP_COUNT] = {
#define FUNC(id, name, min_in, max_in, max_out, types, expand, doc) [OP_##id] = expand_##expand,
#include "compiler/ops.def"
};

bool expand_knows(const struct node *n)
{
	return expand_fns[n->op] || n->op == OP_ALIGN || expand_has_three(n) ||
	       expand_has_formula(n);
}

static expand_fn *find_expansion(const struct node *n)
{
	if (expand_has_three(n))
		return expand_three;
	switch (n->op) {
	case OP_ALIGN:
		return expand_align;
	case OP_CLIP:
		return expand_clip;
	case OP_QUANTIZE:
		return expand_quantize;
	case OP_DEQUANTIZE:
		return expand_dequantize;
	default:
		return expand_fns[n->op];
	}
}

int expand_node(struct graph *g, struct node *n)
{
	const struct node *outer = g->expanded;
	struct expand e = { g, n };
	int rc = infer_check_types(g, n);

	g->expanded = outer ? outer : n;
	if (!rc)
		rc = find_expansion(n)(&e);
	g->expanded = outer;
	if (!rc)
		graph_remove(g, n);
	return rc;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

int expand_output(struct expand *e, int i, struct value *v)
{
	if (!v)
		return e->g->err->code;
	if (i >= e->n->n_out || !e->n->out[i])
		return 0;
	return pass_give_output(e->g, e->n, i, v);
}

int expand_as(struct expand *e, struct value *v, const struct shape *like)
{
	return expand_output(e, 0, ex_view(e, v, like));
}

int expand_refuse(struct expand *e, int code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return node_fail(e->g, e->n, code, "%s", text);
}

/* ---- Operands -------------------------------------------------------------------------------- */

struct value *ex_number(struct expand *e, enum dtype type, double v)
{
	const struct shape scalar = { 0 };
	u64 bytes = 0;

	number_write(type, &bytes, 0, (struct number){ .f = (float)v, .i = (s64)v });
	return graph_const(e->g, "", type, &scalar, &bytes);
}

struct value *ex_like(struct expand *e, const struct value *like, double v)
{
	return like ? ex_number(e, like->dtype, v) : NULL;
}

double ex_extreme(enum dtype t, bool most)
{
	switch (t) {
	case DTYPE_F32:
		return most ? HUGE_VAL : -HUGE_VAL;
	case DTYPE_S8:
		return most ? INT8_MAX : INT8_MIN;
	case DTYPE_U8:
		return most ? UINT8_MAX : 0;
	case DTYPE_BOOL:
		return most;
	default:
		return most ? INT32_MAX : INT32_MIN;
	}
}

/* A constant to be filled in. */
static struct value *new_const(struct expand *e, enum dtype type, const struct shape *shape,
			       void **bytes)
{
	struct value *v = graph_value(e->g, "");

	if (!v)
		return NULL;
	value_set_type(v, type, shape);
	*bytes = graph_const_room(e->g, v);
	return *bytes ? v : NULL;
}

struct value *ex_vector(struct expand *e, enum dtype type, s64 n, const double *v)
{
	const struct shape shape = { 1, { n } };
	struct value *out;
	void *bytes;

	out = new_const(e, type, &shape, &bytes);
	for (s64 i = 0; out && i < n; i++)
		number_write(type, bytes, i, (struct number){ .f = (float)v[i], .i = (s64)v[i] });
	return out;
}

struct value *ex_iota(struct expand *e, enum dtype type, int rank, int axis, s64 size)
{
	struct shape shape = { .rank = rank };
	struct value *out;
	void *bytes;

	for (int d = 0; d < rank; d++)
		shape.dim[d] = d == axis ? size : 1;
	out = new_const(e, type, &shape, &bytes);
	for (s64 i = 0; out && i < size; i++)
		number_write(type, bytes, i, (struct number){ .f = (float)i, .i = i });
	return out;
}

int ex_integers(struct expand *e, int i, struct dims *out)
{
	const struct value *v = ex_in(e, i);
	s64 n = shape_elems(&v->shape);

	if (!v->data)
		return expand_refuse(e, -ENOTSUP,
				     "its input %d \"%.80s\" is known only at run time; make it a "
				     "constant",
				     i, v->name);
	if (n > TENSOR_RANK_MAX)
		return expand_refuse(e, -EFBIG, "its input %d has %lld numbers, the limit is %d", i,
				     (long long)n, TENSOR_RANK_MAX);
	out->n = (int)n;
	for (int k = 0; k < out->n; k++)
		out->v[k] = number_read(v->dtype, v->data, k).i;
	return 0;
}

struct dims ex_axes(int first, int end)
{
	struct dims d = { 0 };

	for (int i = first; i < end; i++)
		d.v[d.n++] = i;
	return d;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

struct value *ex1(struct expand *e, enum op op, struct value *x)
{
	return x ? pass_unary(e->g, e->n, op, x) : NULL;
}

struct value *ex2(struct expand *e, enum op op, struct value *a, struct value *b)
{
	return a && b ? pass_binary(e->g, e->n, op, a, b) : NULL;
}

/* A node of @op with these inputs, to be given attributes. */
static struct node *new_node(struct expand *e, enum op op, struct value **in, int n_in)
{
	struct node *n;

	for (int i = 0; i < n_in; i++) {
		if (!in[i])
			return NULL;
	}
	n = graph_node(e->g, e->n, op, e->n->name, n_in);
	for (int i = 0; n && i < n_in; i++)
		node_set_in(n, i, in[i]);
	return n;
}

static struct value *finish(struct expand *e, struct node *n)
{
	return n ? pass_finish_node(e->g, n) : NULL;
}

/* An Identity holds its result while others take its place. */
struct value *ex_function(struct expand *e, enum op op, struct value *x)
{
	struct node *n = new_node(e, op, &x, 1), *held;
	struct value *v = n ? graph_value(e->g, "") : NULL;

	if (!v)
		return NULL;
	node_set_out(n, 0, v);
	held = new_node(e, OP_IDENTITY, &v, 1);
	if (!held || make_explicit(e->g, n) || expand_node(e->g, n))
		return NULL;
	return finish(e, held);
}

struct value *ex_where(struct expand *e, struct value *c, struct value *a, struct value *b)
{
	return finish(e, new_node(e, OP_WHERE, (struct value *[]){ c, a, b }, 3));
}

struct value *ex_recast(struct expand *e, struct value *x, enum dtype to)
{
	struct node *n = new_node(e, OP_CAST, &x, 1);

	if (n)
		node_set_int(n, ATTR_to, dtype_number(to));
	return finish(e, n);
}

struct value *ex_cast(struct expand *e, struct value *x, enum dtype to)
{
	return !x || x->dtype == to ? x : ex_recast(e, x, to);
}

struct value *ex_by(struct expand *e, enum op op, struct value *x, double b)
{
	return ex2(e, op, x, ex_like(e, x, b));
}

struct value *ex_from(struct expand *e, enum op op, double a, struct value *x)
{
	return ex2(e, op, ex_like(e, x, a), x);
}

struct value *ex_over(struct expand *e, enum op op, struct value *x, const struct dims *axes)
{
	struct node *n;

	if (!x || !axes->n)
		return x;
	n = new_node(e, op, &x, 1);
	if (n)
		node_set_dims(n, ATTR_axes, *axes);
	return finish(e, n);
}

struct value *ex_mean(struct expand *e, struct value *x, const struct dims *axes)
{
	double count = 1;

	for (int i = 0; x && i < axes->n; i++)
		count *= (double)x->shape.dim[axes->v[i]];
	return ex_by(e, OP_DIV, ex_over(e, OP_SUMOVER, x, axes), count);
}

struct value *ex_softmax(struct expand *e, enum op op, struct value *x, int axis)
{
	struct node *n = new_node(e, op, &x, 1);

	if (n) {
		node_set_int(n, ATTR_axis, axis);
		node_set_int(n, ATTR_flat, 0);
	}
	return finish(e, n);
}

struct value *ex_view(struct expand *e, struct value *x, const struct shape *to)
{
	return x ? pass_view(e->g, e->n, x, to) : NULL;
}

struct value *ex_transpose(struct expand *e, struct value *x, const int *perm)
{
	bool same = true;

	for (int d = 0; x && d < x->shape.rank; d++)
		same &= perm[d] == d;
	return x && !same ? pass_transpose(e->g, e->n, x, perm) : x;
}

static struct dims dims_of(const s64 *v, int n)
{
	struct dims d = { .n = n };

	memcpy(d.v, v, (size_t)n * sizeof(*v));
	return d;
}

struct value *ex_stretch(struct expand *e, struct value *x, const struct shape *to)
{
	struct node *n;

	if (!x || shape_equal(&x->shape, to))
		return x;
	n = new_node(e, OP_STRETCH, &x, 1);
	if (n)
		node_set_dims(n, ATTR_shape, dims_of(to->dim, to->rank));
	return finish(e, n);
}

struct value *ex_part(struct expand *e, struct value *x, const s64 *starts, const s64 *steps,
		      const struct shape *to)
{
	bool whole = true;
	struct node *n;

	for (int d = 0; x && d < to->rank; d++)
		whole &= !starts[d] && (steps[d] == 1 || to->dim[d] == 1) &&
			 to->dim[d] == x->shape.dim[d];
	if (!x || whole)
		return x;
	n = new_node(e, OP_PART, &x, 1);
	if (n) {
		node_set_dims(n, ATTR_starts, dims_of(starts, to->rank));
		node_set_dims(n, ATTR_steps, dims_of(steps, to->rank));
		node_set_dims(n, ATTR_shape, dims_of(to->dim, to->rank));
	}
	return finish(e, n);
}

struct value *ex_slice(struct expand *e, struct value *x, int axis, s64 first, s64 count)
{
	s64 starts[TENSOR_RANK_MAX] = { 0 }, steps[TENSOR_RANK_MAX];
	struct shape to;

	if (!x)
		return NULL;
	to = x->shape;
	for (int d = 0; d < to.rank; d++)
		steps[d] = 1;
	starts[axis] = first;
	to.dim[axis] = count;
	return ex_part(e, x, starts, steps, &to);
}

struct value *ex_concat(struct expand *e, struct value **v, int n, int axis)
{
	int most = op_infos[OP_CONCAT].max_in, groups = 0;
	struct node *node;

	for (; n > most; n = groups, groups = 0) {
		for (int i = 0; i < n; i += most)
			v[groups++] = ex_concat(e, v + i, n - i < most ? n - i : most, axis);
	}
	if (n == 1)
		return v[0];
	node = new_node(e, OP_CONCAT, v, n);
	if (node)
		node_set_int(node, ATTR_axis, axis);
	return finish(e, node);
}

struct value *ex_pad(struct expand *e, struct value *x, const s64 *before, const s64 *after,
		     struct value *fill)
{
	s64 cut[TENSOR_RANK_MAX], first[TENSOR_RANK_MAX], ones[TENSOR_RANK_MAX];
	struct shape kept, wide;
	struct node *n;

	if (!x)
		return NULL;
	kept = x->shape;
	for (int d = 0; d < kept.rank; d++) {
		ones[d] = 1;
		cut[d] = before[d] < 0 ? -before[d] : 0;
		first[d] = before[d] > 0 ? before[d] : 0;
		kept.dim[d] -= cut[d] + (after[d] < 0 ? -after[d] : 0);
		if (kept.dim[d] < 0) {
			expand_refuse(e, -EINVAL, "more is cut off than there is");
			return NULL;
		}
		wide.dim[d] = kept.dim[d] + first[d] + (after[d] > 0 ? after[d] : 0);
	}
	wide.rank = kept.rank;
	x = ex_part(e, x, cut, ones, &kept);
	if (!x || shape_equal(&kept, &wide))
		return x;
	n = new_node(e, OP_BORDER, (struct value *[]){ x, fill }, 2);
	if (n) {
		node_set_dims(n, ATTR_starts, dims_of(first, wide.rank));
		node_set_dims(n, ATTR_shape, dims_of(wide.dim, wide.rank));
	}
	return finish(e, n);
}

struct value *ex_take(struct expand *e, struct value *x, int axis, const s64 *indices, s64 count)
{
	const struct shape shape = { 1, { count } };
	struct value *list = graph_const(e->g, "", DTYPE_S64, &shape, indices);
	struct node *n = new_node(e, OP_TAKE, (struct value *[]){ x, list }, 2);

	if (n)
		node_set_int(n, ATTR_axis, axis);
	return finish(e, n);
}

struct value *ex_squeeze(struct expand *e, struct value *x, int axis)
{
	struct shape to;

	if (!x)
		return NULL;
	to = x->shape;
	to.rank--;
	memmove(&to.dim[axis], &to.dim[axis + 1], (size_t)(to.rank - axis) * sizeof(to.dim[0]));
	return ex_view(e, x, &to);
}

struct value *ex_unsqueeze(struct expand *e, struct value *x, int axis)
{
	struct shape to;

	if (!x)
		return NULL;
	to = x->shape;
	if (to.rank == TENSOR_RANK_MAX) {
		expand_refuse(e, -EFBIG, "more than %d dimensions", TENSOR_RANK_MAX);
		return NULL;
	}
	memmove(&to.dim[axis + 1], &to.dim[axis], (size_t)(to.rank - axis) * sizeof(to.dim[0]));
	to.dim[axis] = 1;
	to.rank++;
	return ex_view(e, x, &to);
}
