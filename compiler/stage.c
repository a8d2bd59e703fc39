// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* From nodes to stages: one function for each kind. */
#include "compiler/stage.h"

#include <errno.h>
#include <math.h>

#include "compiler/quantise.h"
#include "compiler/window.h"

/* The Narrow that stores of @n do by themselves; NULL: there is none. */
static const struct node *narrowing(const struct node *n)
{
	const struct node *user = value_only_user(n->out[0]);

	if (!user || user->op != OP_NARROW || !user->out[0]->bf16)
		return NULL;
	return n->op == OP_CONV || n->op == OP_LINEAR || op_mapped_by(n->op, "elementwise") ? user :
											      NULL;
}

static struct stage *new_stage(struct graph *g, struct stages *s, enum stage_kind kind,
			       struct node *n)
{
	struct stage *stage = graph_alloc(g, sizeof(*stage)), **bigger;

	if (!stage)
		return NULL;
	if (s->count == s->room) {
		bigger = graph_alloc(g, (2 * (size_t)s->room + 16) * sizeof(*bigger));
		if (!bigger)
			return NULL;
		if (s->count)
			memcpy(bigger, s->at, s->count * sizeof(*bigger));
		s->at = bigger;
		s->room = 2 * s->room + 16;
	}
	s->at[s->count++] = stage;
	*stage = (struct stage){
		.kind = kind, .node = n, .lo = -INFINITY, .hi = INFINITY, .pixels = { 1, 1 }
	};
	stage->epilogue = quantise_epilogue(n);
	stage->narrows = narrowing(n);
	stage->out.value = stage->epilogue ? stage->epilogue->out[0] :
			   stage->narrows  ? narrowing(n)->out[0] :
					     n->out[0];
	stage->out.as = stage->out.value->shape;
	return stage;
}

static struct stage_access *add_input(struct stage *s, int i)
{
	struct stage_access *a = &s->in[i];

	a->value = node_in(s->node, i);
	if (a->value)
		a->as = a->value->shape;
	return a;
}

/* Input 2 of a product; in integers, Requantize has it. */
static struct stage_access *add_bias(struct stage *s)
{
	bool here = s->node->op == OP_CONV || s->node->op == OP_LINEAR;

	return here ? add_input(s, 2) : &s->in[2];
}

/* Adds a dimension to the domain and returns its number. */
static int add_dim(struct stage *s, const char *name, s64 size)
{
	s->size[s->dims] = size;
	s->name[s->dims] = name;
	return s->dims++;
}

/* Coordinate @i of @a is the index of dimension @dim, and is at its only element if that is 1. */
static void follow(struct stage_access *a, int i, int dim)
{
	if (a->as.dim[i] > 1)
		a->step[i][dim] = 1;
}

static void clamp_like(struct stage *s)
{
	if (op_has(s->node->op, ATTR_lo))
		s->lo = s->node->attrs.lo;
	if (op_has(s->node->op, ATTR_hi))
		s->hi = s->node->attrs.hi;
}

/* Coordinate @i of @a slides along @x: output index @out, cell @cell of the window. */
static void slide(struct stage_access *a, int i, const struct window_axis *x, int out, int cell)
{
	a->at[i] = -x->pad;
	a->step[i][out] = (s32)x->stride;
	a->step[i][cell] = (s32)x->dilation;
}

static int make_conv(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_PRODUCT, n);
	struct stage_access *x, *w, *bias;
	const struct shape *shape = &node_in(n, 1)->shape;
	s64 groups = n->attrs.group, outs = shape->dim[0] / groups;
	struct window win;
	int image, group, row, column, o, ky, kx, c;

	if (!s)
		return g->err->code;
	window_of(g, n, &win);
	x = add_input(s, 0);
	w = add_input(s, 1);
	bias = add_bias(s);
	image = add_dim(s, "n", x->as.dim[0]);
	group = add_dim(s, "g", groups);
	row = add_dim(s, "y", win.axis[0].out);
	column = add_dim(s, "x", win.axis[1].out);
	o = add_dim(s, "o", outs);
	ky = add_dim(s, "ky", win.axis[0].kernel);
	kx = add_dim(s, "kx", win.axis[1].kernel);
	c = add_dim(s, "c", shape->dim[1]);
	s->reduced = 3;
	x->step[0][image] = s->out.step[0][image] = 1;
	x->step[1][group] = shape->dim[1];
	x->step[1][c] = w->step[1][c] = 1;
	slide(x, 2, &win.axis[0], row, ky);
	slide(x, 3, &win.axis[1], column, kx);
	w->step[0][group] = s->out.step[1][group] = bias->step[0][group] = outs;
	w->step[0][o] = s->out.step[1][o] = bias->step[0][o] = 1;
	w->step[2][ky] = w->step[3][kx] = 1;
	s->out.step[2][row] = s->out.step[3][column] = 1;
	clamp_like(s);
	return 0;
}

static int make_linear(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_PRODUCT, n);
	struct stage_access *a, *b, *bias;
	int rank, d, m, o, k;

	if (!s)
		return g->err->code;
	a = add_input(s, 0);
	b = add_input(s, 1);
	bias = add_bias(s);
	rank = s->out.as.rank;
	for (d = 0; d < rank - 2; d++) {
		int outer = add_dim(s, "b", s->out.as.dim[d]);

		s->out.step[d][outer] = 1;
		if (d - rank + a->as.rank >= 0)
			follow(a, d - rank + a->as.rank, outer);
		if (d - rank + b->as.rank >= 0)
			follow(b, d - rank + b->as.rank, outer);
	}
	add_dim(s, "y", 1);
	m = add_dim(s, "x", s->out.as.dim[rank - 2]);
	o = add_dim(s, "o", s->out.as.dim[rank - 1]);
	add_dim(s, "ky", 1);
	add_dim(s, "kx", 1);
	k = add_dim(s, "c", a->as.dim[a->as.rank - 1]);
	s->reduced = 3;
	a->step[a->as.rank - 2][m] = s->out.step[rank - 2][m] = 1;
	a->step[a->as.rank - 1][k] = b->step[b->as.rank - 2][k] = 1;
	b->step[b->as.rank - 1][o] = s->out.step[rank - 1][o] = bias->step[0][o] = 1;
	clamp_like(s);
	return 0;
}

static int make_pool(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_POOL, n);
	struct stage_access *x;
	struct window win;
	int image, row, column, c, ky, kx;

	if (!s)
		return g->err->code;
	window_of(g, n, &win);
	x = add_input(s, 0);
	image = add_dim(s, "n", x->as.dim[0]);
	row = add_dim(s, "y", win.axis[0].out);
	column = add_dim(s, "x", win.axis[1].out);
	c = add_dim(s, "c", x->as.dim[1]);
	ky = add_dim(s, "ky", win.axis[0].kernel);
	kx = add_dim(s, "kx", win.axis[1].kernel);
	s->reduced = 2;
	x->step[0][image] = s->out.step[0][image] = 1;
	x->step[1][c] = s->out.step[1][c] = 1;
	slide(x, 2, &win.axis[0], row, ky);
	slide(x, 3, &win.axis[1], column, kx);
	s->out.step[2][row] = s->out.step[3][column] = 1;
	clamp_like(s);
	return 0;
}

static const char *const plain_names[TENSOR_RANK_MAX] = { "a", "b", "c", "d", "e", "f", "g", "h" };

/* The dimensions of @shape; those of the result follow them. */
static void plain_domain(struct stage *s, const struct shape *shape)
{
	for (int d = 0; d < shape->rank; d++) {
		add_dim(s, plain_names[d], shape->dim[d]);
		s->out.step[d][d] = 1;
	}
}

static int make_map(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_MAP, n);

	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	for (int i = 0; i < n->n_in; i++) {
		struct stage_access *a = add_input(s, i);
		int shift = s->dims - a->as.rank;

		for (int d = 0; d < a->as.rank; d++)
			follow(a, d, shift + d);
	}
	clamp_like(s);
	return 0;
}

/* One of the quantised operators: its parameters are constants that lowering makes. */
static int make_quantised_map(struct graph *g, struct stages *list, struct node *n)
{
	const int operands[] = { 0, n->op == OP_QLINEARADD ? 3 : 1 };
	bool two = n->op == OP_QLINEARADD || n->op == OP_FIXEDADD;
	struct stage *s = new_stage(g, list, STAGE_MAP, n);

	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	for (int i = 0; i < 1 + two; i++) {
		struct stage_access *a = &s->in[i];
		int shift;

		a->value = node_in(n, operands[i]);
		a->as = a->value->shape;
		shift = s->dims - a->as.rank;
		for (int d = 0; d < a->as.rank; d++)
			follow(a, d, shift + d);
	}
	return 0;
}

/* The dimensions of the result that are not reduced, then those that are. */
static int make_over(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_REDUCE, n);
	struct stage_access *x;
	u32 gone = 0;

	if (!s)
		return g->err->code;
	x = add_input(s, 0);
	for (int i = 0; i < n->attrs.axes.n; i++)
		gone |= 1u << n->attrs.axes.v[i];
	for (int reduced = 0; reduced < 2; reduced++) {
		for (int d = 0; d < x->as.rank; d++) {
			if ((gone >> d & 1) != (u32)reduced)
				continue;
			x->step[d][s->dims] = 1;
			if (!reduced)
				s->out.step[d][s->dims] = 1;
			add_dim(s, plain_names[d], x->as.dim[d]);
			s->reduced += reduced;
		}
	}
	return 0;
}

static int make_softmax(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = new_stage(g, list, STAGE_SOFTMAX, n);
	struct stage_access *x;

	if (!s)
		return g->err->code;
	x = add_input(s, 0);
	plain_domain(s, &x->as);
	for (int d = 0; d < s->dims; d++)
		x->step[d][d] = 1;
	return 0;
}

/* A move of input @i of @n, without a domain. */
static struct stage *add_move(struct graph *g, struct stages *list, struct node *n, int i)
{
	struct stage *s = new_stage(g, list, STAGE_MOVE, n);

	if (!s)
		return NULL;
	s->in[0].value = node_in(n, i);
	s->in[0].as = s->in[0].value->shape;
	return s;
}

static int make_concat(struct graph *g, struct stages *list, struct node *n)
{
	int axis = (int)n->attrs.axis + (n->attrs.axis < 0 ? n->out[0]->shape.rank : 0);
	s64 first = 0;

	for (int i = 0; i < n->n_in; i++) {
		struct stage *s = add_move(g, list, n, i);

		if (!s)
			return g->err->code;
		plain_domain(s, &s->in[0].as);
		for (int d = 0; d < s->dims; d++)
			s->in[0].step[d][d] = 1;
		s->out.at[axis] = first;
		first += s->size[axis];
	}
	return 0;
}

static int make_part(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = add_move(g, list, n, 0);

	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	for (int d = 0; d < s->dims; d++) {
		s->in[0].at[d] = n->attrs.starts.v[d];
		s->in[0].step[d][d] = (s32)(s->size[d] > 1 ? n->attrs.steps.v[d] : 0);
	}
	return 0;
}

static int make_stretch(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = add_move(g, list, n, 0);

	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	for (int d = 0; d < s->in[0].as.rank; d++)
		follow(&s->in[0], d, s->dims - s->in[0].as.rank + d);
	return 0;
}

/* First what is around, everywhere; then what is inside of it. */
static int make_border(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s = add_move(g, list, n, 1);

	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	if (!shape_elems(&node_in(n, 0)->shape))
		return 0;
	s = add_move(g, list, n, 0);
	if (!s)
		return g->err->code;
	plain_domain(s, &s->in[0].as);
	for (int d = 0; d < s->dims; d++) {
		s->in[0].step[d][d] = 1;
		s->out.at[d] = n->attrs.starts.v[d];
	}
	return 0;
}

/*
 * Slices of the result from @first on: slice (i, j, ...) of levels, outermost first, is that of the
 * input at @from + i * step + j * step and so on.
 */
struct taken {
	s64 first, from;
	int levels;
	struct {
		s64 count, step;
	} level[TENSOR_RANK_MAX]; /* innermost first */
};

/* What a level is merged around may not be cut into tiles, and so must be small. */
enum { TAKE_STAGES_MAX = 4096, TAKE_RUNS_MAX = 1 << 16, TAKE_INNER_MAX = 1024 };

static s64 taken_count(const struct taken *t)
{
	s64 count = 1;

	for (int k = 0; k < t->levels; k++)
		count *= t->level[k].count;
	return count;
}

static int add_taken(struct graph *g, struct stages *list, struct node *n, int axis,
		     const struct taken *t)
{
	struct stage *s = add_move(g, list, n, 0);
	s64 each = 1;
	int first = axis;

	if (!s)
		return g->err->code;
	for (int d = 0; d < s->out.as.rank; d++) {
		if (d == axis) { /* its levels, outermost first */
			for (int k = t->levels - 1; k >= 0; k--)
				add_dim(s, plain_names[d], t->level[k].count);
			continue;
		}
		s->in[0].step[d][s->dims] = s->out.step[d][s->dims] = 1;
		add_dim(s, plain_names[d], s->out.as.dim[d]);
	}
	for (int k = 0; k < t->levels; k++) {
		int d = first + t->levels - 1 - k;

		s->out.step[axis][d] = each;
		s->in[0].step[axis][d] = t->level[k].count > 1 ? t->level[k].step : 0;
		each *= t->level[k].count;
		if (d > first)
			s->whole_dims |= 1u << d;
	}
	s->in[0].at[axis] = t->from;
	s->out.at[axis] = t->first;
	return 0;
}

/* How many of @index, from @first on, are @step apart. */
static s64 run_length(const s64 *index, s64 n, s64 first, s64 *step)
{
	s64 count = 1;

	*step = first + 1 < n ? index[first + 1] - index[first] : 0;
	while (first + count < n && index[first + count] == index[first] + count * *step)
		count++;
	return count;
}

static bool same_levels(const struct taken *a, const struct taken *b)
{
	bool same = a->levels == b->levels;

	for (int k = 0; same && k < a->levels; k++)
		same = a->level[k].count == b->level[k].count &&
		       a->level[k].step == b->level[k].step;
	return same;
}

/* Joins neighbours of one form that are equal steps apart by one more level; how many are left. */
static s64 merge_taken(struct taken *t, s64 n, int levels)
{
	s64 out = 0;

	for (s64 i = 0, k; i < n; i += k) {
		struct taken one = t[i];
		s64 step = i + 1 < n ? t[i + 1].from - one.from : 0;

		for (k = 1; i + k < n && same_levels(&one, &t[i + k]); k++) {
			if (t[i + k].from != one.from + k * step)
				break;
		}
		if (one.levels == levels || taken_count(&one) > TAKE_INNER_MAX)
			k = 1;
		if (k > 1) {
			one.level[one.levels].count = k;
			one.level[one.levels++].step = step;
		}
		t[out++] = one;
	}
	return out;
}

/* Runs of equal steps, runs of such runs, and so on: a stage for each. */
static int make_take(struct graph *g, struct stages *list, struct node *n)
{
	const s64 *index = node_in(n, 1)->data;
	int rank = n->out[0]->shape.rank, rc = 0;
	int axis = (int)(n->attrs.axis < 0 ? n->attrs.axis + rank : n->attrs.axis);
	s64 size = n->out[0]->shape.dim[axis], runs = 0, before = 0, step;
	struct taken *t;

	for (s64 at = 0; at < size && runs <= TAKE_RUNS_MAX; runs++)
		at += run_length(index, size, at, &step);
	t = runs <= TAKE_RUNS_MAX ? graph_alloc(g, ((size_t)runs + 1) * sizeof(*t)) : NULL;
	if (!t && runs <= TAKE_RUNS_MAX)
		return g->err->code;
	if (t) {
		runs = 0;
		for (s64 at = 0; at < size; at += t[runs++].level[0].count) {
			t[runs] = (struct taken){ .first = at, .from = index[at], .levels = 1 };
			t[runs].level[0].count =
				run_length(index, size, at, &t[runs].level[0].step);
		}
		while (runs != before) {
			before = runs;
			runs = merge_taken(t, runs, TENSOR_RANK_MAX + 1 - rank);
		}
	}
	if (runs > TAKE_STAGES_MAX)
		return node_fail(g, n, -EFBIG,
				 "its indices are more than %d runs of equal steps; OneHot and "
				 "MatMul take any",
				 TAKE_STAGES_MAX);
	for (s64 i = 0; i < runs && !rc; i++)
		rc = add_taken(g, list, n, axis, &t[i]);
	return rc;
}

/* View, Transpose, Copy: one move of all elements. */
static int make_move(struct graph *g, struct stages *list, struct node *n)
{
	struct stage *s;

	if (n->op == OP_CONCAT)
		return make_concat(g, list, n);
	s = add_move(g, list, n, 0);
	if (!s)
		return g->err->code;
	plain_domain(s, &s->out.as);
	if (n->op == OP_VIEW)
		s->in[0].as = s->out.as;
	for (int d = 0; d < s->dims; d++)
		s->in[0].step[n->op == OP_TRANSPOSE ? n->attrs.perm.v[d] : d][d] = 1;
	return 0;
}

static void move_access(struct stage_access *a, int dims, const s64 *origin)
{
	for (int i = 0; a->value && i < a->as.rank; i++)
		for (int d = 0; d < dims; d++)
			a->at[i] += a->step[i][d] * origin[d];
}

void stage_tile(const struct stage *s, const s64 *origin, const s64 *size, struct stage *tile)
{
	*tile = *s;
	tile->whole = s;
	for (int d = 0; d < s->dims; d++) {
		tile->size[d] = size[d];
		tile->origin[d] = origin[d];
	}
	move_access(&tile->out, s->dims, origin);
	for (int i = 0; i < STAGE_INPUTS; i++)
		move_access(&tile->in[i], s->dims, origin);
}

void stage_pack(const struct stage *s, const s64 pixels[2], struct stage *packed)
{
	int first = s->dims - s->reduced, column = first - 1, row = column - 2;

	*packed = *s;
	for (int i = 0; i < 2; i++) {
		if (pixels[i] == 1)
			continue;
		packed->pixels[i] = pixels[i];
		packed->pixel_taps[i] = s->in[0].step[s->in[0].as.rank - 2 + i][row + i];
		packed->size[row + i] /= pixels[i];
		packed->size[column] *= pixels[i];
		packed->size[first + i] += (pixels[i] - 1) * packed->pixel_taps[i];
		for (int c = 0; c < TENSOR_RANK_MAX; c++) {
			packed->in[0].step[c][row + i] *= pixels[i];
			packed->out.step[c][row + i] *= pixels[i];
		}
	}
}

bool stage_own_tap(const struct stage *packed, s64 pixel, s64 *ky, s64 *kx)
{
	const s64 number[2] = { pixel / packed->pixels[1], pixel % packed->pixels[1] };
	const s64 *size = &packed->size[packed->dims - packed->reduced];
	s64 *const tap[2] = { ky, kx };

	for (int i = 0; i < 2; i++) {
		*tap[i] -= number[i] * packed->pixel_taps[i];
		if (*tap[i] < 0 ||
		    *tap[i] >= size[i] - (packed->pixels[i] - 1) * packed->pixel_taps[i])
			return false;
	}
	return true;
}

bool stage_begins_sums(const struct stage *s)
{
	bool begins = true;

	for (int d = s->dims - s->reduced; d < s->dims; d++)
		begins &= !s->origin[d];
	return begins;
}

bool stage_ends_sums(const struct stage *s)
{
	bool ends = true;

	for (int d = s->dims - s->reduced; s->whole && d < s->dims; d++)
		ends &= s->origin[d] + s->size[d] == s->whole->size[d];
	return ends;
}

bool stage_may_cut(const struct stage *s, int d)
{
	int free = s->dims - s->reduced;

	return d < free && !(s->whole_dims >> d & 1) &&
	       !(s->kind == STAGE_SOFTMAX && d == free - 1);
}

static int make(struct graph *g, struct stages *list, struct node *n)
{
	switch (n->op) {
	case OP_CONV:
	case OP_CONVINTEGER:
		return make_conv(g, list, n);
	case OP_LINEAR:
	case OP_MATMULINTEGER:
		return make_linear(g, list, n);
	case OP_MAXPOOL:
	case OP_AVGPOOL:
	case OP_SUMPOOL:
		return make_pool(g, list, n);
	case OP_REQUANTIZE: /* done by the stage of the sum, or alone */
		if (n->in[0].value->producer && quantise_epilogue(n->in[0].value->producer) == n)
			return 0;
		return make_quantised_map(g, list, n);
	case OP_NARROW: /* done by the stage that makes its input, or alone */
		if (n->in[0].value->producer && narrowing(n->in[0].value->producer) == n)
			return 0;
		return make_map(g, list, n);
	case OP_QUANTIZE:
	case OP_DEQUANTIZE:
	case OP_TABLE:
	case OP_QLINEARADD:
	case OP_FIXEDADD:
		return make_quantised_map(g, list, n);
	case OP_SOFTMAX:
	case OP_LOGSOFTMAX:
	case OP_FIXEDSOFTMAX:
		return make_softmax(g, list, n);
	case OP_SUMOVER:
	case OP_PRODOVER:
	case OP_MAXOVER:
	case OP_MINOVER:
		return make_over(g, list, n);
	case OP_PART:
		return make_part(g, list, n);
	case OP_STRETCH:
		return make_stretch(g, list, n);
	case OP_BORDER:
		return make_border(g, list, n);
	case OP_TAKE:
		return make_take(g, list, n);
	case OP_VIEW:
	case OP_TRANSPOSE:
	case OP_CONCAT:
	case OP_COPY:
		return make_move(g, list, n);
	default:
		return make_map(g, list, n);
	}
}

int stages_make(struct graph *g, struct stages *out)
{
	int rc = 0;

	*out = (struct stages){ 0 };
	for (struct node *n = g->first; n && !rc; n = n->next)
		rc = make(g, out, n);
	return rc;
}
