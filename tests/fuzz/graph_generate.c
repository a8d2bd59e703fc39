// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/graph.h"
#include "tests/random.h"

u32 pick(struct generator *g, u32 count)
{
	return g->at < g->end ? *g->at++ % count : 0;
}

/* True about once in @count times; false when the choices are used up. */
bool rarely(struct generator *g, u32 count)
{
	return pick(g, count) == count - 1;
}

/* ---- Values -------------------------------------------------------------------------------- */

const struct shape *shape_of(const struct generator *g, int v)
{
	return &g->value[v].shape;
}

void print_type(struct generator *g, int v)
{
	char text[SHAPE_TEXT_MAX];

	fprintf(g->to, "%s%s", dtype_name(g->value[v].dtype), shape_text(shape_of(g, v), text));
}

int add_value(struct generator *g, struct value_made v)
{
	g->value[g->n] = v;
	return g->n++;
}

/* Inputs and constants hold multiples of 1/4 up to 2: see graph_case.h. */
static int add_leaf(struct generator *g, const struct shape *shape, const char *kind)
{
	int v = add_value(
		g, (struct value_made){
			   .shape = *shape, .most = 2, .grid = 0.25, .is_const = *kind == 'c' });

	fprintf(g->to, "%s %%%d \"v%d\" ", kind, v, v);
	print_type(g, v);
	fprintf(g->to, g->value[v].is_const ? " = ...\n" : "\n");
	return v;
}

int new_input(struct generator *g, const struct shape *shape)
{
	return add_leaf(g, shape, "input");
}

int new_const(struct generator *g, const struct shape *shape)
{
	return add_leaf(g, shape, "const");
}

/* A constant of @n numbers, repeated from @values; the largest is @most. */
int new_numbers(struct generator *g, const struct shape *shape, const char *values, double most,
		enum dtype dtype)
{
	int v = add_value(g, (struct value_made){ .shape = *shape,
						  .dtype = dtype,
						  .most = most,
						  .grid = 0.25,
						  .is_const = true });

	fprintf(g->to, "const %%%d \"v%d\" ", v, v);
	print_type(g, v);
	fprintf(g->to, " = %s ...\n", values);
	return v;
}

s64 small_size(struct generator *g)
{
	return ONE_OF(g, 1, 2, 3, 4, 5, 6, 7, 9);
}

/* Mostly a few elements; once in a while a size around a register's lanes. */
struct shape random_shape(struct generator *g, int rank)
{
	struct shape s = { .rank = rank };
	int i;

	for (i = 0; i < rank; i++)
		s.dim[i] = small_size(g);
	if (rank && rarely(g, 5))
		s.dim[pick(g, rank)] = ONE_OF(g, 63, 64, 65, 70, 129, 200);
	for (i = 0; shape_elems(&s) > ELEMENTS; i++)
		s.dim[i % rank] = (s.dim[i % rank] + 1) / 2;
	return s;
}

/* A value of @low to @high dimensions that has room for more arithmetic: an old or a new one. */
int operand(struct generator *g, int low, int high)
{
	int tries, v;
	struct shape s;

	for (tries = 0; g->n && tries < 8; tries++) {
		v = pick(g, g->n);
		if (g->value[v].dtype != DTYPE_F32 || shape_elems(shape_of(g, v)) > ELEMENTS ||
		    shape_of(g, v)->rank < low || shape_of(g, v)->rank > high ||
		    g->value[v].most > 1e6 || (g->value[v].is_const && !rarely(g, 4)))
			continue;
		return v;
	}
	s = random_shape(g, low + (int)pick(g, high - low + 1));
	return new_input(g, &s);
}

/* ---- Nodes --------------------------------------------------------------------------------- */

struct value_made sum_of(const struct value_made *a, const struct value_made *b, double terms)
{
	struct value_made v = { .most = terms * a->most * b->most,
				.grid = a->grid * b->grid,
				.error = terms * (a->error * b->most + b->error * a->most +
						  a->error * b->error) };

	if (!v.grid || v.most / v.grid >= 0x1p24) {
		v.error += terms * ulp * v.most;
		v.grid = 0;
	}
	return v;
}

struct value_made plus(const struct value_made *a, const struct value_made *b)
{
	struct value_made one = { .most = 1, .grid = 1 }, v = sum_of(a, &one, 1),
			  w = sum_of(b, &one, 1);

	v.most += w.most;
	v.error += w.error;
	v.grid = fmin(v.grid, w.grid);
	if (!v.grid || v.most / v.grid >= 0x1p24) {
		v.error += ulp * v.most;
		v.grid = 0;
	}
	return v;
}

/* `node %N "vN" ? = OP "nN"`; @like: what is known of the numbers. */
int begin_node(struct generator *g, enum op op, const struct shape *shape, struct value_made like)
{
	int v;

	like.shape = *shape;
	like.is_const = like.used = false;
	v = add_value(g, like);
	fprintf(g->to, "node %%%d \"v%d\" ", v, v);
	fprintf(g->to, "? = %s \"n%d\"", op_infos[op].name, v);
	return v;
}

void input(struct generator *g, int v)
{
	g->value[v].used = true;
	fprintf(g->to, " %%%d", v);
}

void numbers(struct generator *g, const char *attr, const s64 *v, int n)
{
	int i;

	fprintf(g->to, " %s=", attr);
	for (i = 0; i < n; i++)
		fprintf(g->to, "%s%lld", i ? "," : "", (long long)v[i]);
}

void end_node(struct generator *g)
{
	fprintf(g->to, "\n");
}

/* An operator with one operand and the same shape. */
static void make_same(struct generator *g, enum op op, int x, struct value_made like)
{
	struct shape s = *shape_of(g, x);

	begin_node(g, op, &s, like);
	input(g, x);
}

/* ---- Products ------------------------------------------------------------------------------ */

int factor(struct generator *g, const struct shape *s)
{
	return rarely(g, 3) ? new_input(g, s) : new_const(g, s);
}

s64 columns(struct generator *g, s64 inner)
{
	return inner <= 200 && rarely(g, 5) ? ONE_OF(g, 63, 64, 65, 130) : small_size(g);
}

/* Rows that little SRAM does not hold. */
static int long_rows(struct generator *g)
{
	struct shape s = { 2, { 1 + (s64)pick(g, 3), ONE_OF(g, 66, 128, 200, 321) } };

	return new_input(g, &s);
}

static void make_product(struct generator *g, enum op op)
{
	int a = rarely(g, 8) ? long_rows(g) :
			       operand(g, op == OP_LINEAR ? 2 : 1, op == OP_LINEAR ? 4 : 5);
	int b, bias = -1;
	struct shape as = *shape_of(g, a), bs = as, ys = as;
	s64 inner = as.dim[as.rank - 1];
	struct value_made like;

	bs.rank = as.rank < 2 || rarely(g, 2) ? 2 : as.rank;
	if (bs.rank > 2)
		for (int i = 0; i < bs.rank - 2; i++)
			bs.dim[i] = rarely(g, 3) ? 1 : as.dim[i];
	bs.dim[bs.rank - 2] = inner;
	bs.dim[bs.rank - 1] = ys.dim[as.rank - 1] = columns(g, inner);
	if (op == OP_MATMUL && bs.rank == 2 && rarely(g, 4)) { /* a vector */
		bs.rank = 1;
		ys.rank--;
	}
	if (op == OP_LINEAR) /* of a normalised graph: two matrices, or stacks */
		bs.rank = as.rank == 2 ? 2 : bs.rank;
	b = factor(g, &bs);
	like = sum_of(&g->value[a], &g->value[b], (double)inner);
	if (op == OP_LINEAR && as.rank == 2 && rarely(g, 2)) {
		bias = new_const(g, &(struct shape){ 1, { ys.dim[ys.rank - 1] } });
		like = plus(&like, &g->value[bias]);
	}
	begin_node(g, op, &ys, like);
	input(g, a);
	input(g, b);
	if (bias >= 0)
		input(g, bias);
	end_node(g);
}

void make_LINEAR(struct generator *g)
{
	make_product(g, OP_LINEAR);
}

void make_MATMUL(struct generator *g)
{
	make_product(g, OP_MATMUL);
}

void make_GEMM(struct generator *g)
{
	static const char *const factors[] = { "1", "0.5", "-2", "4", "-0.25" };
	int a = operand(g, 2, 2), b, c = -1;
	bool ta = rarely(g, 2), tb = rarely(g, 2);
	u32 alpha = pick(g, 5), beta = pick(g, 5);
	struct shape as = *shape_of(g, a), ys = { 2, { as.dim[ta], columns(g, as.dim[!ta]) } },
		     cs = ys;
	s64 inner = as.dim[!ta];
	struct value_made like, k = { .most = 4, .grid = 0.25 }, scaled;

	b = factor(g, &(struct shape){ 2, { tb ? ys.dim[1] : inner, tb ? inner : ys.dim[1] } });
	like = sum_of(&g->value[a], &g->value[b], (double)inner);
	like = sum_of(&like, &k, 1);
	if (rarely(g, 2)) {
		cs.dim[0] = rarely(g, 2) ? 1 : ys.dim[0];
		cs.dim[1] = rarely(g, 3) ? 1 : ys.dim[1];
		if (cs.dim[0] == 1 && rarely(g, 2))
			cs = (struct shape){ 1, { cs.dim[1] } };
		c = factor(g, &cs);
		scaled = sum_of(&g->value[c], &k, 1);
		like = plus(&like, &scaled);
	}
	begin_node(g, OP_GEMM, &ys, like);
	input(g, a);
	input(g, b);
	if (c >= 0)
		input(g, c);
	fprintf(g->to, " alpha=%s beta=%s trans_a=%d trans_b=%d\n", factors[alpha], factors[beta],
		ta, tb);
}

/* ---- Elements ------------------------------------------------------------------------------ */

/* The other operand of arithmetic: an old value that fits, or a new one that broadcasts. */
static int partner(struct generator *g, int x)
{
	struct shape s = *shape_of(g, x), wide;
	int v, i;

	if (rarely(g, 2)) {
		v = operand(g, 0, s.rank);
		if (shape_broadcast(&s, shape_of(g, v), &wide) && shape_elems(&wide) <= ELEMENTS)
			return v;
	}
	for (i = 0; i < s.rank; i++)
		if (rarely(g, 3))
			s.dim[i] = s.dim[i] == 1 && shape_elems(&s) < 100 ? 3 : 1;
	while (s.rank && rarely(g, 4)) {
		memmove(s.dim, s.dim + 1, sizeof(s.dim) - sizeof(s.dim[0]));
		s.rank--;
	}
	return factor(g, &s);
}

static void make_binary(struct generator *g, enum op op)
{
	int x, y, swap = rarely(g, 2);
	struct value_made like;
	struct shape s;

	if (rarely(g, 4)) {
		make_integers(g, op);
		return;
	}
	x = operand(g, 0, 5);
	y = partner(g, x);
	shape_broadcast(shape_of(g, x), shape_of(g, y), &s);
	like = op == OP_MUL ? sum_of(&g->value[x], &g->value[y], 1) :
			      plus(&g->value[x], &g->value[y]);
	begin_node(g, op, &s, like);
	input(g, swap ? y : x);
	input(g, swap ? x : y);
	end_node(g);
}

void make_ADD(struct generator *g)
{
	make_binary(g, OP_ADD);
}

void make_SUB(struct generator *g)
{
	make_binary(g, OP_SUB);
}

void make_MUL(struct generator *g)
{
	make_binary(g, OP_MUL);
}

/* By a constant that is not near zero. */
void make_DIV(struct generator *g)
{
	int x, y;
	struct shape s, ys;
	struct value_made like;

	if (rarely(g, 4)) {
		make_integers(g, OP_DIV);
		return;
	}
	x = operand(g, 0, 4);
	s = ys = *shape_of(g, x);
	like = g->value[x];
	if (rarely(g, 2))
		ys = (struct shape){ 0 };
	y = new_numbers(g, &ys, "1 -3 0.5 4 -0.25 7", 7, DTYPE_F32);
	like.most *= 4;
	like.error = 4 * like.error + ulp * like.most;
	like.grid = 0;
	begin_node(g, OP_DIV, &s, like);
	input(g, x);
	input(g, y);
	end_node(g);
}

void make_RELU(struct generator *g)
{
	int x = operand(g, 0, 5);

	make_same(g, OP_RELU, x, g->value[x]);
	end_node(g);
}

void make_CLIP(struct generator *g)
{
	static const char *const low[] = { "-2", "-0.5", "0", "1" }, *const high[] = { "0.25",
										       "1.5", "3",
										       "6" };
	int x = operand(g, 0, 5), lo = -1, hi = -1;
	struct shape scalar = { 0 };

	if (rarely(g, 2)) {
		lo = new_numbers(g, &scalar, low[pick(g, 4)], 2, DTYPE_F32);
		hi = new_numbers(g, &scalar, high[pick(g, 4)], 6, DTYPE_F32);
	}
	make_same(g, OP_CLIP, x, g->value[x]);
	if (lo < 0) {
		if (rarely(g, 2))
			fprintf(g->to, " lo=%s", low[pick(g, 4)]);
		if (rarely(g, 2))
			fprintf(g->to, " hi=%s", high[pick(g, 4)]);
	} else {
		input(g, lo);
		if (rarely(g, 2))
			input(g, hi);
	}
	/* a bound is a multiple of 1/4, too */
	g->value[g->n - 1].most = fmax(g->value[x].most, 6);
	g->value[g->n - 1].grid = fmin(g->value[x].grid, 0.25);
	end_node(g);
}

static void make_activation(struct generator *g, enum op op)
{
	int x = operand(g, 0, 5);
	struct value_made like = { .most = 1, .error = g->value[x].error + 0x1p-20 };

	make_same(g, op, x, like);
	end_node(g);
}

void make_SIGMOID(struct generator *g)
{
	make_activation(g, OP_SIGMOID);
}

void make_TANH(struct generator *g)
{
	make_activation(g, OP_TANH);
}

static void make_softmax(struct generator *g, enum op op)
{
	int x = operand(g, 1, 4), rank = shape_of(g, x)->rank;
	const struct value_made *of = &g->value[x];
	/* of an exponent, and so relatively of a power and of the sum of them */
	double error = 2 * of->error + 16 * ulp * of->most + 0x1p-18;
	struct value_made like = { .most = 1, .error = fmin(error, 1) };

	if (op == OP_LOGSOFTMAX)
		like = (struct value_made){ .most = 2 * of->most + 9, .error = error };
	make_same(g, op, x, like);
	fprintf(g->to, " axis=%d", (int)pick(g, 2 * (u32)rank) - rank);
	if (rarely(g, 4))
		fprintf(g->to, " flat=1");
	end_node(g);
}

void make_SOFTMAX(struct generator *g)
{
	make_softmax(g, OP_SOFTMAX);
}

void make_LOGSOFTMAX(struct generator *g)
{
	make_softmax(g, OP_LOGSOFTMAX);
}

void make_BATCHNORM(struct generator *g)
{
	int x = operand(g, 2, 4), in[4], i;
	struct shape channels = { 1, { shape_of(g, x)->dim[1] } };
	struct value_made like = g->value[x];

	for (i = 0; i < 3; i++)
		in[i] = new_const(g, &channels);
	in[3] = new_numbers(g, &channels, "1 4 0.25 9", 9, DTYPE_F32);
	like.most = like.most * 4 + 10;
	like.error = 4 * like.error + 8 * ulp * like.most;
	like.grid = 0;
	make_same(g, OP_BATCHNORM, x, like);
	for (i = 0; i < 4; i++)
		input(g, in[i]);
	end_node(g);
}

/* ---- What only moves elements -------------------------------------------------------------- */

void make_FLATTEN(struct generator *g)
{
	int x = operand(g, 0, 5), axis, i;
	struct shape s = *shape_of(g, x), to = { 2, { 1, 1 } };

	axis = (int)pick(g, 2 * (u32)s.rank + 1) - s.rank;
	for (i = 0; i < s.rank; i++)
		to.dim[i >= (axis < 0 ? axis + s.rank : axis)] *= s.dim[i];
	begin_node(g, OP_FLATTEN, &to, g->value[x]);
	input(g, x);
	fprintf(g->to, " axis=%d\n", axis);
}

/* The elements of @s in another number of dimensions. */
static struct shape refactored(struct generator *g, const struct shape *s)
{
	s64 left = shape_elems(s), divisor;
	struct shape to = { 0 };

	while (left > 1 && to.rank < 4 && !rarely(g, 3)) {
		divisor = 2 + (s64)pick(g, 6);
		while (left % divisor)
			divisor = divisor < left ? divisor + 1 : 2;
		to.dim[to.rank++] = divisor;
		left /= divisor;
		if (rarely(g, 6))
			to.dim[to.rank++] = 1;
	}
	if (left > 1 || !to.rank)
		to.dim[to.rank++] = left;
	return to;
}

void make_RESHAPE(struct generator *g)
{
	int x = operand(g, 0, 5), shape, i;
	struct shape s = *shape_of(g, x), to = refactored(g, &s), told = to,
		     list = { 1, { to.rank } };
	u32 at = pick(g, (u32)to.rank);
	char text[128] = "";

	if (rarely(g, 2))
		told.dim[at] = -1;
	else if ((int)at < s.rank && to.dim[at] == s.dim[at])
		told.dim[at] = 0;
	for (i = 0; i < told.rank; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %lld",
			 (long long)told.dim[i]);
	shape = new_numbers(g, &list, text, 0, DTYPE_S64);
	begin_node(g, OP_RESHAPE, &to, g->value[x]);
	input(g, x);
	input(g, shape);
	end_node(g);
}

void make_VIEW(struct generator *g)
{
	int x = operand(g, 0, 5);
	struct shape to = refactored(g, shape_of(g, x));

	begin_node(g, OP_VIEW, &to, g->value[x]);
	input(g, x);
	numbers(g, "shape", to.dim, to.rank);
	end_node(g);
}

void make_TRANSPOSE(struct generator *g)
{
	int x = operand(g, 1, 6), i;
	struct shape s = *shape_of(g, x), to = s;
	s64 perm[TENSOR_RANK_MAX];
	bool reversed = rarely(g, 4);

	for (i = 0; i < s.rank; i++)
		perm[i] = reversed ? s.rank - 1 - i : i;
	for (i = s.rank - 1; i > 0 && !reversed; i--) {
		u32 other = pick(g, (u32)i + 1);
		s64 swap = perm[i];

		perm[i] = perm[other];
		perm[other] = swap;
	}
	for (i = 0; i < s.rank; i++)
		to.dim[i] = s.dim[perm[i]];
	begin_node(g, OP_TRANSPOSE, &to, g->value[x]);
	input(g, x);
	if (!reversed || rarely(g, 2))
		numbers(g, "perm", perm, s.rank);
	end_node(g);
}

void make_CONCAT(struct generator *g)
{
	int x = operand(g, 1, 5), part[4], n = 1 + (int)pick(g, 4), axis, i;
	struct shape s = *shape_of(g, x), to = s;
	struct value_made like = g->value[x];

	axis = (int)pick(g, (u32)s.rank);
	part[0] = x;
	for (i = 1; i < n; i++) {
		s.dim[axis] = small_size(g);
		part[i] = rarely(g, 4) ? x : factor(g, &s);
		to.dim[axis] += shape_of(g, part[i])->dim[axis];
		like.most = fmax(like.most, g->value[part[i]].most);
		like.grid = fmin(like.grid, g->value[part[i]].grid);
	}
	begin_node(g, OP_CONCAT, &to, like);
	for (i = 0; i < n; i++)
		input(g, part[n - 1 - i]);
	fprintf(g->to, " axis=%d\n", rarely(g, 2) ? axis - s.rank : axis);
}

void make_IDENTITY(struct generator *g)
{
	int x = operand(g, 0, 5);

	make_same(g, OP_IDENTITY, x, g->value[x]);
	end_node(g);
}

void make_COPY(struct generator *g)
{
	int x = operand(g, 0, 5);

	make_same(g, OP_COPY, x, g->value[x]);
	end_node(g);
}

void make_DROPOUT(struct generator *g)
{
	int x = operand(g, 0, 5), v, mask;
	struct value_made like = g->value[x];

	like.is_const = like.used = false;
	v = add_value(g, like);
	mask = add_value(g, (struct value_made){ .shape = like.shape, .dtype = DTYPE_BOOL });
	fprintf(g->to, "node %%%d \"v%d\" ?, %%%d \"v%d\" ? = Dropout \"n%d\"", v, v, mask, mask,
		v);
	input(g, x);
	end_node(g);
}

/* ---- Graphs -------------------------------------------------------------------------------- */

/* A new operator does not link before it is generated here. */
static void (*const makers[OP_COUNT])(struct generator *g) = {
#define OP(id, ...) make_##id,
#include "compiler/ops.def"
};

/* What nobody uses, and some of the rest. */
static void outputs(struct generator *g)
{
	int v, n = 0;

	for (v = g->n - 1; v >= 0 && n < OUTPUTS; v--) {
		const struct value_made *of = &g->value[v];

		if (of->used ? !rarely(g, 6) || of->dtype == DTYPE_S64 : of->is_const)
			continue;
		fprintf(g->to, "#: type %%%d ", v);
		print_type(g, v);
		fprintf(g->to, "\n#: tolerance %%%d %.9g 0\n", v, of->error);
		fprintf(g->to, "output %%%d\n", v);
		n++;
	}
}

char *graph_generate(const u8 *choices, u64 size)
{
	struct generator g = { .at = choices, .end = choices + size };
	char *text = NULL;
	size_t length;
	int nodes;

	g.to = open_memstream(&text, &length);
	fprintf(g.to, "graph \"random\" from \"random.graph\"\n");
	for (nodes = 1 + (int)pick(&g, NODES); nodes && g.n < VALUES - 16; nodes--)
		makers[pick(&g, OP_COUNT)](&g);
	outputs(&g);
	fclose(g.to);
	return text;
}

char *graph_of_seed(u64 seed)
{
	u8 choices[GRAPH_GENERATE_CHOICES];
	u64 state = random_seed(seed);

	random_bytes(&state, choices, sizeof(choices));
	return graph_generate(choices, sizeof(choices));
}
