// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Operators and functions that only move elements, of all types, and those that know shapes. */
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <string.h>

static int any_operand(struct generator *g, int low, int high)
{
	enum dtype t = rarely(g, 2) ? (enum dtype)pick(g, DTYPE_COUNT) : DTYPE_F32;

	return exact_operand(g, t, low, high);
}

/* A constant vector of integers. */
static int new_list(struct generator *g, const s64 *v, int n)
{
	struct shape s = { 1, { n } };
	char text[400] = "";

	for (int i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %lld",
			 (long long)v[i]);
	return new_numbers(g, &s, text, 0, DTYPE_S64);
}

/* `OP x list`, whose result has the numbers of @x. */
static void move_by_list(struct generator *g, enum op op, int x, const s64 *v, int n,
			 const struct shape *to, const char *attrs)
{
	int list = new_list(g, v, n);

	begin_node(g, op, to, g->value[x]);
	input(g, x);
	input(g, list);
	fprintf(g->to, "%s\n", attrs);
}

static void move(struct generator *g, enum op op, int x, const struct shape *to, const char *attrs)
{
	begin_node(g, op, to, g->value[x]);
	input(g, x);
	fprintf(g->to, "%s\n", attrs);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Some elements of each dimension, forwards or back. */
static void random_part(struct generator *g, const struct shape *x, s64 *start, s64 *step,
			struct shape *to)
{
	*to = *x;
	for (int d = 0; d < x->rank; d++) {
		s64 by = ONE_OF(g, 1, 1, 2, 3), reach;

		to->dim[d] = 1 + (s64)pick(g, (u32)((x->dim[d] + by - 1) / by));
		reach = (to->dim[d] - 1) * by;
		start[d] = (s64)pick(g, (u32)(x->dim[d] - reach));
		step[d] = by;
		if (rarely(g, 3)) {
			start[d] += reach;
			step[d] = -by;
		}
	}
}

void make_PART(struct generator *g)
{
	int x = any_operand(g, 0, 5);
	struct shape s = *shape_of(g, x), to;
	s64 start[TENSOR_RANK_MAX], step[TENSOR_RANK_MAX];

	random_part(g, &s, start, step, &to);
	begin_node(g, OP_PART, &to, g->value[x]);
	input(g, x);
	numbers(g, "starts", start, s.rank);
	numbers(g, "steps", step, s.rank);
	numbers(g, "shape", to.dim, s.rank);
	end_node(g);
}

void make_SLICE(struct generator *g)
{
	int x = any_operand(g, 1, 5), list[4];
	struct shape s = *shape_of(g, x), to;
	s64 start[TENSOR_RANK_MAX], end[TENSOR_RANK_MAX], step[TENSOR_RANK_MAX],
		axes[TENSOR_RANK_MAX];

	random_part(g, &s, start, step, &to);
	for (int d = 0; d < s.rank; d++) {
		end[d] = start[d] + step[d] * to.dim[d];
		if (end[d] < 0)
			end[d] = -1000;
		axes[d] = rarely(g, 2) ? d - s.rank : d;
	}
	list[0] = new_list(g, start, s.rank);
	list[1] = new_list(g, end, s.rank);
	list[2] = new_list(g, axes, s.rank);
	list[3] = new_list(g, step, s.rank);
	begin_node(g, OP_SLICE, &to, g->value[x]);
	input(g, x);
	for (int i = 0; i < 4; i++)
		input(g, list[i]);
	end_node(g);
}

/* Two outputs, the second of the rest. */
void make_SPLIT(struct generator *g)
{
	int x = any_operand(g, 1, 5), axis = (int)pick(g, (u32)shape_of(g, x)->rank), list, v, w;
	struct value_made first = g->value[x], second = first;
	s64 size = first.shape.dim[axis], sizes[2] = { 1 + (s64)pick(g, (u32)size), 0 };
	int n = sizes[0] < size ? 2 : 1;

	sizes[1] = size - sizes[0];
	list = new_list(g, sizes, n);
	first.shape.dim[axis] = sizes[0];
	second.shape.dim[axis] = sizes[1];
	first.is_const = second.is_const = first.used = second.used = false;
	v = add_value(g, first);
	fprintf(g->to, "node %%%d \"v%d\" ?", v, v);
	if (n == 2) {
		w = add_value(g, second);
		fprintf(g->to, ", %%%d \"v%d\" ?", w, w);
	}
	fprintf(g->to, " = Split \"n%d\"", v);
	input(g, x);
	input(g, list);
	fprintf(g->to, " axis=%d\n", axis);
}

/* ---- More elements --------------------------------------------------------------------------- */

static struct shape widened(struct generator *g, const struct shape *s)
{
	struct shape to = *s;

	for (int d = 0; d < to.rank; d++) {
		if (to.dim[d] == 1 && shape_elems(&to) < 500)
			to.dim[d] = small_size(g);
	}
	if (to.rank < 5 && rarely(g, 3)) {
		memmove(to.dim + 1, to.dim, sizeof(to.dim) - sizeof(to.dim[0]));
		to.dim[0] = 2;
		to.rank++;
	}
	return to;
}

void make_STRETCH(struct generator *g)
{
	int x = any_operand(g, 0, 4);
	struct shape to = widened(g, shape_of(g, x));

	begin_node(g, OP_STRETCH, &to, g->value[x]);
	input(g, x);
	numbers(g, "shape", to.dim, to.rank);
	end_node(g);
}

void make_EXPAND(struct generator *g)
{
	int x = any_operand(g, 0, 4);
	struct shape to = widened(g, shape_of(g, x));

	move_by_list(g, OP_EXPAND, x, to.dim, to.rank, &to, "");
}

void make_TILE(struct generator *g)
{
	int x = any_operand(g, 1, 3);
	struct shape to = *shape_of(g, x);
	s64 times[TENSOR_RANK_MAX];

	for (int d = 0; d < to.rank; d++) {
		times[d] = ONE_OF(g, 1, 1, 2, 3);
		to.dim[d] *= times[d];
	}
	move_by_list(g, OP_TILE, x, times, to.rank, &to, "");
}

void make_BORDER(struct generator *g)
{
	int x = any_operand(g, 0, 5), fill;
	struct shape s = *shape_of(g, x), to = s, scalar = { 0 };
	s64 start[TENSOR_RANK_MAX];

	for (int d = 0; d < s.rank; d++) {
		start[d] = (s64)pick(g, 3);
		to.dim[d] += start[d] + (s64)pick(g, 3);
	}
	fill = new_numbers(g, &scalar, "1", 1, g->value[x].dtype);
	begin_node(g, OP_BORDER, &to, g->value[x]);
	input(g, x);
	input(g, fill);
	numbers(g, "starts", start, s.rank);
	numbers(g, "shape", to.dim, s.rank);
	end_node(g);
}

void make_PAD(struct generator *g)
{
	static const char *const modes[] = { "", " mode=\"edge\"", " mode=\"reflect\"",
					     " mode=\"wrap\"" };
	int x = any_operand(g, 1, 4), rank = shape_of(g, x)->rank;
	struct shape to = *shape_of(g, x);
	s64 pads[2 * TENSOR_RANK_MAX];

	for (int d = 0; d < rank; d++) {
		pads[d] = (s64)pick(g, 4);
		pads[rank + d] = (s64)pick(g, 4) - (to.dim[d] > 1 && rarely(g, 2));
		to.dim[d] += pads[d] + pads[rank + d];
	}
	move_by_list(g, OP_PAD, x, pads, 2 * rank, &to, modes[pick(g, 4)]);
}

void make_CENTERCROPPAD(struct generator *g)
{
	int x = any_operand(g, 1, 4), rank = shape_of(g, x)->rank;
	struct shape to = *shape_of(g, x);

	for (int d = 0; d < rank; d++)
		to.dim[d] = small_size(g);
	move_by_list(g, OP_CENTERCROPPAD, x, to.dim, rank, &to, "");
}

/* ---- Dimensions ------------------------------------------------------------------------------ */

void make_SQUEEZE(struct generator *g)
{
	int x = any_operand(g, 1, 5), n = 0;
	struct shape s = *shape_of(g, x), to = { 0 };
	s64 axes[TENSOR_RANK_MAX];

	for (int d = 0; d < s.rank; d++) {
		if (s.dim[d] == 1 && rarely(g, 2))
			axes[n++] = d;
		else
			to.dim[to.rank++] = s.dim[d];
	}
	if (n) {
		move_by_list(g, OP_SQUEEZE, x, axes, n, &to, "");
		return;
	}
	for (int d = to.rank = 0; d < s.rank; d++) {
		if (s.dim[d] != 1)
			to.dim[to.rank++] = s.dim[d];
	}
	move(g, OP_SQUEEZE, x, &to, "");
}

void make_UNSQUEEZE(struct generator *g)
{
	int x = any_operand(g, 0, 4);
	struct shape s = *shape_of(g, x), to = { .rank = s.rank + 1 };
	s64 axis = (s64)pick(g, (u32)to.rank);

	for (int d = 0, from = 0; d < to.rank; d++)
		to.dim[d] = d == axis ? 1 : s.dim[from++];
	axis -= rarely(g, 2) ? to.rank : 0;
	move_by_list(g, OP_UNSQUEEZE, x, &axis, 1, &to, "");
}

void make_DEPTHTOSPACE(struct generator *g)
{
	struct shape s = { 4, { 2, 8, small_size(g), small_size(g) } },
		     to = { 4, { 2, 2, 2 * s.dim[2], 2 * s.dim[3] } };
	int x = new_typed(g, &s, DTYPE_F32);

	move(g, OP_DEPTHTOSPACE, x, &to,
	     rarely(g, 2) ? " blocksize=2 mode=\"CRD\"" : " blocksize=2");
}

void make_SPACETODEPTH(struct generator *g)
{
	struct shape s = { 4, { 1, 3, 2 * small_size(g), 2 * small_size(g) } },
		     to = { 4, { 1, 12, s.dim[2] / 2, s.dim[3] / 2 } };
	int x = new_typed(g, &s, DTYPE_F32);

	move(g, OP_SPACETODEPTH, x, &to, " blocksize=2");
}

/* ---- Indices --------------------------------------------------------------------------------- */

/* @n numbers below @size; also counted from the end if @negative. */
static void random_indices(struct generator *g, s64 *v, int n, s64 size, bool negative)
{
	s64 step = ONE_OF(g, 0, 1, 2, 5), at = (s64)pick(g, (u32)size);

	for (int i = 0; i < n; i++) {
		v[i] = (at + i * step) % size;
		if (rarely(g, 6))
			v[i] = (s64)pick(g, (u32)size);
		if (negative && rarely(g, 4))
			v[i] -= size;
	}
}

void make_TAKE(struct generator *g)
{
	int x = any_operand(g, 1, 4), axis = (int)pick(g, (u32)shape_of(g, x)->rank);
	struct shape to = *shape_of(g, x);
	s64 v[20], size = to.dim[axis];
	char attrs[32];

	to.dim[axis] = 1 + (s64)pick(g, 20);
	random_indices(g, v, (int)to.dim[axis], size, false);
	snprintf(attrs, sizeof(attrs), " axis=%d", axis);
	move_by_list(g, OP_TAKE, x, v, (int)to.dim[axis], &to, attrs);
}

void make_GATHER(struct generator *g)
{
	int x = any_operand(g, 1, 4), axis = (int)pick(g, (u32)shape_of(g, x)->rank), index;
	struct shape to = *shape_of(g, x), list = { 1, { 1 + (s64)pick(g, 6) } };
	s64 v[6], size = to.dim[axis];

	to.dim[axis] = list.dim[0];
	if (size <= 9 && rarely(g, 3)) { /* a live index: a zero, so that it is none too large */
		int zero, number = new_typed(g, &list, DTYPE_S64);

		zero = new_numbers(g, &(struct shape){ 0 }, "1", 1, DTYPE_S64);
		begin_node(g, OP_MINIMUM, &list, made(DTYPE_S64, 1, 0));
		input(g, number);
		input(g, zero);
		end_node(g);
		index = begin_node(g, OP_SIGN, &list, made(DTYPE_S64, 1, 0));
		input(g, index - 1);
		end_node(g);
		if (size == 1)
			index = new_list(g, (s64[]){ 0, 0, 0, 0, 0, 0 }, (int)list.dim[0]);
	} else {
		random_indices(g, v, (int)list.dim[0], size, true);
		index = new_list(g, v, (int)list.dim[0]);
	}
	begin_node(g, OP_GATHER, &to, g->value[x]);
	input(g, x);
	input(g, index);
	fprintf(g->to, " axis=%d\n", axis);
}

/* A constant of indices [a, b] in one dimension of @x [.., ..]. */
static int index_matrix(struct generator *g, const struct shape *s, s64 size)
{
	s64 v[36];
	char text[400] = "";

	random_indices(g, v, (int)shape_elems(s), size, true);
	for (int i = 0; i < shape_elems(s); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %lld",
			 (long long)v[i]);
	return new_numbers(g, s, text, 0, DTYPE_S64);
}

static s64 at_most(s64 a, s64 b)
{
	return a < b ? a : b;
}

void make_GATHERELEMENTS(struct generator *g)
{
	int x = any_operand(g, 2, 2), axis = (int)pick(g, 2), index;
	struct shape s = *shape_of(g, x),
		     to = { 2, { at_most(s.dim[0], 6), at_most(s.dim[1], 6) } };

	to.dim[axis] = 1 + (s64)pick(g, 6);
	index = index_matrix(g, &to, s.dim[axis]);
	begin_node(g, OP_GATHERELEMENTS, &to, g->value[x]);
	input(g, x);
	input(g, index);
	fprintf(g->to, " axis=%d\n", axis);
}

void make_GATHERND(struct generator *g)
{
	int x = any_operand(g, 2, 3), index;
	struct shape s = *shape_of(g, x), list = { 2, { 1 + (s64)pick(g, 5), 1 } }, to = s;

	to.dim[0] = list.dim[0];
	index = index_matrix(g, &list, s.dim[0]);
	begin_node(g, OP_GATHERND, &to, g->value[x]);
	input(g, x);
	input(g, index);
	end_node(g);
}

static void scatter_elements(struct generator *g, enum op op)
{
	static const char *const reductions[] = { "", " reduction=\"add\"", " reduction=\"max\"",
						  " reduction=\"min\"" };
	enum dtype t = (enum dtype)ONE_OF(g, DTYPE_F32, DTYPE_S32, DTYPE_U8);
	int x = exact_operand(g, t, 2, 2), axis = (int)pick(g, 2), index, updates;
	struct shape s = *shape_of(g, x),
		     at = { 2, { at_most(s.dim[0], 6), at_most(s.dim[1], 6) } };
	struct value_made like = g->value[x];

	index = index_matrix(g, &at, s.dim[axis]);
	updates = new_typed(g, &at, t);
	like.most = INFINITY;
	begin_node(g, op, &s, like);
	input(g, x);
	input(g, index);
	input(g, updates);
	fprintf(g->to, " axis=%d%s\n", axis, reductions[pick(g, 4)]);
}

void make_SCATTERELEMENTS(struct generator *g)
{
	scatter_elements(g, OP_SCATTERELEMENTS);
}

void make_SCATTER(struct generator *g)
{
	scatter_elements(g, OP_SCATTER);
}

void make_SCATTERND(struct generator *g)
{
	int x = any_operand(g, 2, 3), index, updates;
	struct shape s = *shape_of(g, x), list = { 2, { 1 + (s64)pick(g, 5), 1 } }, part = s;

	part.dim[0] = list.dim[0];
	index = index_matrix(g, &list, s.dim[0]);
	updates = new_typed(g, &part, g->value[x].dtype);
	begin_node(g, OP_SCATTERND, &s, g->value[x]);
	input(g, x);
	input(g, index);
	input(g, updates);
	end_node(g);
}

void make_ONEHOT(struct generator *g)
{
	int index = exact_operand(g, DTYPE_S64, 0, 3), depth, values;
	struct shape s = *shape_of(g, index), to = s, scalar = { 0 }, two = { 1, { 2 } };

	to.dim[to.rank++] = 5;
	depth = new_numbers(g, &scalar, "5", 5, DTYPE_S64);
	values = rarely(g, 2) ? new_input(g, &two) : new_const(g, &two);
	begin_node(g, OP_ONEHOT, &to, made(DTYPE_F32, 2, 0));
	input(g, index);
	input(g, depth);
	input(g, values);
	end_node(g);
}

void make_COMPRESS(struct generator *g)
{
	int x = any_operand(g, 1, 3), keep;
	struct shape to = *shape_of(g, x), three = { 1, { 3 } };

	if (to.dim[0] < 3)
		to.dim[0] = 1;
	else
		to.dim[0] = 2;
	three.dim[0] = to.dim[0] == 2 ? 3 : 1;
	keep = new_numbers(g, &three, "1 0 1", 1, DTYPE_BOOL);
	begin_node(g, OP_COMPRESS, &to, g->value[x]);
	input(g, x);
	input(g, keep);
	fprintf(g->to, " axis=0\n");
}

void make_TRILU(struct generator *g)
{
	s64 k = (s64)pick(g, 5) - 2;
	int x = any_operand(g, 2, 4);
	struct shape s = *shape_of(g, x);

	move_by_list(g, OP_TRILU, x, &k, 1, &s, rarely(g, 2) ? " upper=0" : "");
}

/* Lengths that are known, or an input, whatever its numbers. */
void make_REVERSESEQUENCE(struct generator *g)
{
	int x = any_operand(g, 2, 3), batch = (int)pick(g, 2), length;
	struct shape s = *shape_of(g, x), list = { 1, { s.dim[batch] } };

	length = rarely(g, 2) ?
			 new_typed(g, &list, DTYPE_S64) :
			 new_numbers(g, &list, s.dim[!batch] > 1 ? "1 2 0 1" : "1 0", 2, DTYPE_S64);
	begin_node(g, OP_REVERSESEQUENCE, &s, g->value[x]);
	input(g, x);
	input(g, length);
	fprintf(g->to, " batch_axis=%d time_axis=%d\n", batch, !batch);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

void make_SHAPE(struct generator *g)
{
	int x = any_operand(g, 1, 5);
	struct shape s = { 1, { shape_of(g, x)->rank } };

	begin_node(g, OP_SHAPE, &s, made(DTYPE_S64, 1e9, 0));
	input(g, x);
	end_node(g);
}

void make_SIZE(struct generator *g)
{
	int x = any_operand(g, 0, 5);

	begin_node(g, OP_SIZE, &(struct shape){ 0 }, made(DTYPE_S64, 1e9, 0));
	input(g, x);
	end_node(g);
}

void make_CONSTANTOFSHAPE(struct generator *g)
{
	struct shape to = random_shape(g, 2), scalar = { 0 };
	int list = new_list(g, to.dim, 2), fill = new_numbers(g, &scalar, "1.5", 2, DTYPE_F32);

	begin_node(g, OP_CONSTANTOFSHAPE, &to, made(DTYPE_F32, 2, 0));
	input(g, list);
	input(g, fill);
	end_node(g);
}

void make_RANGE(struct generator *g)
{
	struct shape scalar = { 0 };
	int from = new_numbers(g, &scalar, "1", 1, DTYPE_F32);
	int to = new_numbers(g, &scalar, "3", 3, DTYPE_F32);
	int by = new_numbers(g, &scalar, "0.5", 1, DTYPE_F32);

	begin_node(g, OP_RANGE, &(struct shape){ 1, { 4 } }, made(DTYPE_F32, 3, 0));
	input(g, from);
	input(g, to);
	input(g, by);
	end_node(g);
}

void make_EYELIKE(struct generator *g)
{
	int x = any_operand(g, 2, 2);
	struct shape s = *shape_of(g, x);

	move(g, OP_EYELIKE, x, &s, rarely(g, 2) ? " k=1" : "");
}

static void make_signal_window(struct generator *g, enum op op)
{
	struct shape scalar = { 0 };
	int size = new_numbers(g, &scalar, "5", 5, DTYPE_S64);

	begin_node(g, op, &(struct shape){ 1, { 5 } }, made(DTYPE_F32, 1, 0));
	input(g, size);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " periodic=0" : "");
}

void make_HANNWINDOW(struct generator *g)
{
	make_signal_window(g, OP_HANNWINDOW);
}

void make_HAMMINGWINDOW(struct generator *g)
{
	make_signal_window(g, OP_HAMMINGWINDOW);
}

void make_BLACKMANWINDOW(struct generator *g)
{
	make_signal_window(g, OP_BLACKMANWINDOW);
}
