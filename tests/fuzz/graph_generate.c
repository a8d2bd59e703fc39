// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/graph.h"

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

/* What a sum of @terms products, each of an @a and a @b, may be. */
static struct value_made sum_of(const struct value_made *a, const struct value_made *b,
				double terms)
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

/* @a + @b */
static struct value_made plus(const struct value_made *a, const struct value_made *b)
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

/* ---- Windows ------------------------------------------------------------------------------- */

struct axis {
	s64 in, kernel, stride, dilation, begin, end, out;
};

struct windows {
	struct axis axis[2];
	int n;
	enum auto_pad how;
	bool ceil;
};

/*
 * Sizes that fit along one dimension. A pool gets no padding where it is dilated: the maximum of a
 * window of nothing but padding is too large to compute with.
 */
static void random_axis(struct generator *g, struct axis *a, s64 in, s64 kernel, bool is_pool)
{
	*a = (struct axis){ .in = in, .kernel = kernel, .stride = 1, .dilation = 1 };
	if (rarely(g, 3))
		a->dilation = 1 + (s64)pick(g, 3);
	if (rarely(g, 2))
		a->stride = 1 + (s64)pick(g, 3);
	while (a->kernel > 1 && a->dilation > 1 && (a->kernel - 1) * a->dilation + 1 > in)
		a->dilation--;
	if (is_pool && a->kernel > in)
		a->kernel = in;
	if (!(is_pool && a->dilation > 1)) {
		a->begin = rarely(g, 2) ? pick(g, (u32)a->kernel) : 0;
		a->end = rarely(g, 2) ? pick(g, (u32)a->kernel) : 0;
	}
	while (in + a->begin + a->end < (a->kernel - 1) * a->dilation + 1)
		a->end++;
}

static void find_out(struct windows *w, struct axis *a)
{
	s64 extent = (a->kernel - 1) * a->dilation + 1, room;

	if (w->how == PAD_SAME_UPPER || w->how == PAD_SAME_LOWER) {
		a->out = (a->in + a->stride - 1) / a->stride;
		return;
	}
	room = a->in + a->begin + a->end - extent;
	a->out = room / a->stride + 1;
	if (w->ceil && room % a->stride && a->out * a->stride < a->in + a->begin)
		a->out++;
}

static void random_windows(struct generator *g, struct windows *w, const struct shape *x,
			   const s64 *kernel, bool is_pool)
{
	int i;
	bool dilated = false;

	*w = (struct windows){ .n = x->rank - 2 };
	for (i = 0; i < w->n; i++) {
		random_axis(g, &w->axis[i], x->dim[2 + i], kernel[i], is_pool);
		dilated |= w->axis[i].dilation > 1;
	}
	if (rarely(g, 5) && !(is_pool && dilated))
		w->how = rarely(g, 2) ? PAD_SAME_LOWER : PAD_SAME_UPPER;
	w->ceil = is_pool && rarely(g, 3);
	for (i = 0; i < w->n; i++)
		find_out(w, &w->axis[i]);
}

static void print_windows(struct generator *g, const struct windows *w, bool kernel)
{
	s64 list[6][4];
	int i;

	for (i = 0; i < w->n; i++) {
		list[0][i] = w->axis[i].kernel;
		list[1][i] = w->axis[i].stride;
		list[2][i] = w->axis[i].dilation;
		list[3][i] = w->axis[i].begin;
		list[3][w->n + i] = w->axis[i].end;
	}
	if (kernel)
		numbers(g, "kernel", list[0], w->n);
	numbers(g, "strides", list[1], w->n);
	numbers(g, "dilations", list[2], w->n);
	if (w->how != PAD_EXPLICIT)
		fprintf(g->to, " auto_pad=%s", auto_pad_names[w->how]);
	else
		numbers(g, "pads", list[3], 2 * w->n);
	if (w->ceil)
		fprintf(g->to, " ceil_mode=1");
}

/* [batch, channels, spatial...] of small sizes, from an old value or a new one. */
static int image(struct generator *g)
{
	int x = operand(g, 3, 4);
	const struct shape *s = shape_of(g, x);

	if (s->dim[0] <= 4 && s->dim[1] <= 200)
		return x;
	return new_input(g, &(struct shape){ 4, { 2, 3, 5, 4 } });
}

void make_CONV(struct generator *g)
{
	int x = image(g), weights, bias = -1, i;
	struct shape xs = *shape_of(g, x), ws = xs, ys = xs;
	s64 groups = 1, each;
	struct value_made like;
	struct windows w;

	if (xs.dim[1] > 1 && xs.dim[1] <= 12 && rarely(g, 3))
		groups = xs.dim[1] % 2 || rarely(g, 2) ? xs.dim[1] : 2;
	each = rarely(g, 8) ? ONE_OF(g, 63, 64, 65) : small_size(g);
	if (shape_elems(&xs) > ELEMENTS / 4)
		each = 1;
	ws.dim[0] = groups * (groups > 2 ? 1 + each % 3 : each);
	ws.dim[1] = xs.dim[1] / groups;
	for (i = 2; i < ws.rank; i++)
		ws.dim[i] = 1 + (s64)pick(g, 4);
	random_windows(g, &w, &xs, &ws.dim[2], false);
	ys.dim[1] = ws.dim[0];
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	weights = new_const(g, &ws);
	like = sum_of(&g->value[x], &g->value[weights],
		      (double)shape_elems(&ws) / (double)ws.dim[0]);
	if (rarely(g, 2)) {
		bias = new_const(g, &(struct shape){ 1, { ws.dim[0] } });
		like = plus(&like, &g->value[bias]);
	}
	begin_node(g, OP_CONV, &ys, like);
	input(g, x);
	input(g, weights);
	if (bias >= 0)
		input(g, bias);
	print_windows(g, &w, rarely(g, 3));
	if (groups > 1)
		fprintf(g->to, " group=%lld", (long long)groups);
	end_node(g);
}

static void make_pool(struct generator *g, enum op op)
{
	int x = image(g), i;
	struct shape ys = *shape_of(g, x);
	struct value_made like = g->value[x];
	s64 kernel[2] = { 1 + (s64)pick(g, 4), 1 + (s64)pick(g, 4) };
	struct windows w;

	if (rarely(g, 6))
		kernel[0] = kernel[1] = 7;
	random_windows(g, &w, &ys, kernel, true);
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	if (op == OP_AVGPOOL) {
		like.error += 60 * ulp * like.most;
		like.grid = 0;
	}
	begin_node(g, op, &ys, like);
	input(g, x);
	print_windows(g, &w, true);
	if (op == OP_AVGPOOL && rarely(g, 2))
		fprintf(g->to, " count_include_pad=1");
	end_node(g);
}

void make_MAXPOOL(struct generator *g)
{
	make_pool(g, OP_MAXPOOL);
}

void make_AVGPOOL(struct generator *g)
{
	make_pool(g, OP_AVGPOOL);
}

void make_GLOBALAVGPOOL(struct generator *g)
{
	int x = operand(g, 3, 5), i;
	struct shape s = *shape_of(g, x);
	struct value_made like = g->value[x];

	for (i = 2; i < s.rank; i++)
		s.dim[i] = 1;
	like.error += (double)shape_elems(shape_of(g, x)) * ulp * like.most;
	like.grid = 0;
	begin_node(g, OP_GLOBALAVGPOOL, &s, like);
	input(g, x);
	end_node(g);
}

/* ---- Products ------------------------------------------------------------------------------ */

/* The second operand of a product: a constant or not. */
static int factor(struct generator *g, const struct shape *s)
{
	return rarely(g, 3) ? new_input(g, s) : new_const(g, s);
}

/* Columns of a product, of @inner terms each. */
static s64 columns(struct generator *g, s64 inner)
{
	return inner <= 200 && rarely(g, 5) ? ONE_OF(g, 63, 64, 65, 130) : small_size(g);
}

static void make_product(struct generator *g, enum op op)
{
	int a = operand(g, op == OP_LINEAR ? 2 : 1, op == OP_LINEAR ? 4 : 5), b, bias = -1;
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

/* ---- Quantised ------------------------------------------------------------------------------- */

static const char byte_values[] = "-100 7 -3 55 0 90 -64 1 33", *const zeros[] = { "0", "3", "77" };

static enum dtype byte_type(struct generator *g)
{
	return rarely(g, 2) ? DTYPE_S8 : DTYPE_U8;
}

/* A value of bytes of @low to @high dimensions; integers have no error. */
static int byte_operand(struct generator *g, int low, int high)
{
	struct value_made like = { .dtype = byte_type(g), .most = 255, .grid = 1 };
	int tries, v;

	for (tries = 0; g->n && tries < 8; tries++) {
		const struct value_made *of;

		v = pick(g, g->n);
		of = &g->value[v];
		if ((of->dtype == DTYPE_U8 || of->dtype == DTYPE_S8) && !of->is_const &&
		    of->shape.rank >= low && of->shape.rank <= high &&
		    shape_elems(&of->shape) <= ELEMENTS / 4)
			return v;
	}
	like.shape = random_shape(g, low + (int)pick(g, high - low + 1));
	while (shape_elems(&like.shape) > ELEMENTS / 4)
		for (int i = 0; i < like.shape.rank; i++)
			like.shape.dim[i] = (like.shape.dim[i] + 1) / 2;
	v = add_value(g, like);
	fprintf(g->to, "input %%%d \"v%d\" ", v, v);
	print_type(g, v);
	fprintf(g->to, "\n");
	return v;
}

/* Weights of bytes, in s8. */
static int byte_weights(struct generator *g, const struct shape *s)
{
	return new_numbers(g, s, byte_values, 128, DTYPE_S8);
}

/* A scalar, or one for each of @channels if that is not 0. */
static struct shape parameter_shape(struct generator *g, s64 channels)
{
	struct shape s = { .rank = channels && rarely(g, 2), .dim = { channels } };

	return s;
}

static int new_scale(struct generator *g, const struct shape *s)
{
	static const char *const scales[] = { "0x1p-4 0x1.8p-3 0x1.1p-5", "0x1.234p-6", "0x1p-3" };

	return new_numbers(g, s, scales[pick(g, 3)], 1, DTYPE_F32);
}

static int new_zero(struct generator *g, enum dtype type)
{
	return new_numbers(g, &(struct shape){ 0 }, zeros[pick(g, 3)], 77, type);
}

static void sums_in_s32(struct generator *g, enum op op, const struct shape *ys)
{
	begin_node(g, op, ys, (struct value_made){ .dtype = DTYPE_S32, .most = 1e9, .grid = 1 });
}

static void bytes_out(struct generator *g, enum op op, const struct shape *ys, enum dtype type)
{
	begin_node(g, op, ys, (struct value_made){ .dtype = type, .most = 255, .grid = 1 });
}

void make_QUANTIZE(struct generator *g)
{
	static const char *const exact[] = { "0x1p-2", "0x1p-4", "0x1p0" };
	int x = operand(g, 0, 5), scale, zero;
	enum dtype type = byte_type(g);
	struct shape s;

	if (g->value[x].error || !g->value[x].grid) {
		s = random_shape(g, 3);
		x = new_input(g, &s);
	}
	s = *shape_of(g, x);
	/* With powers of two it is the same whether what is before is done in integers or not. */
	scale = new_numbers(g, &(struct shape){ 0 }, exact[pick(g, 3)], 1, DTYPE_F32);
	zero = new_zero(g, type);
	bytes_out(g, OP_QUANTIZE, &s, type);
	input(g, x);
	input(g, scale);
	input(g, zero);
	end_node(g);
}

void make_DEQUANTIZE(struct generator *g)
{
	int x = byte_operand(g, 0, 5), scale, zero;
	struct shape s = *shape_of(g, x);

	scale = new_numbers(g, &(struct shape){ 0 }, "0x1p-4", 1, DTYPE_F32);
	zero = new_zero(g, g->value[x].dtype);
	begin_node(g, OP_DEQUANTIZE, &s,
		   (struct value_made){ .dtype = DTYPE_F32, .most = 32, .grid = 0x1p-4 });
	input(g, x);
	input(g, scale);
	input(g, zero);
	end_node(g);
}

/* A convolution of bytes; @parameters: QLinearConv, else ConvInteger. */
static void make_byte_conv(struct generator *g, bool parameters)
{
	int x = byte_operand(g, 3, 4), in[9], n = 0, i;
	struct shape xs = *shape_of(g, x), ws = xs, ys = xs, scales;
	s64 groups = xs.dim[1] > 1 && xs.dim[1] <= 70 && rarely(g, 2) ? xs.dim[1] : 1;
	enum dtype type = byte_type(g);
	struct windows w;

	if (groups % 2 == 0 && rarely(g, 2))
		groups /= 2;
	ws.dim[0] = groups * (rarely(g, 3) ? 2 : 1);
	if (groups == 1)
		ws.dim[0] = shape_elems(&xs) > 300 ? 3 : ONE_OF(g, 1, 5, 66);
	ws.dim[1] = xs.dim[1] / groups;
	for (i = 2; i < ws.rank; i++)
		ws.dim[i] = 1 + (s64)pick(g, 4);
	random_windows(g, &w, &xs, &ws.dim[2], false);
	ys.dim[1] = ws.dim[0];
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	scales = parameter_shape(g, ws.dim[0]);
	in[n++] = x;
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, g->value[x].dtype);
	}
	in[n++] = byte_weights(g, &ws);
	if (parameters)
		in[n++] = new_scale(g, &scales);
	else
		in[n++] = new_zero(g, g->value[x].dtype);
	in[n++] = new_zero(g, DTYPE_S8);
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, type);
		if (rarely(g, 2))
			in[n++] = new_numbers(g, &(struct shape){ 1, { ws.dim[0] } },
					      "0 1000 -1000 77", 1000, DTYPE_S32);
		bytes_out(g, OP_QLINEARCONV, &ys, type);
	} else {
		sums_in_s32(g, OP_CONVINTEGER, &ys);
	}
	for (i = 0; i < n; i++)
		input(g, in[i]);
	print_windows(g, &w, rarely(g, 3));
	if (groups > 1)
		fprintf(g->to, " group=%lld", (long long)groups);
	end_node(g);
}

void make_QLINEARCONV(struct generator *g)
{
	make_byte_conv(g, true);
}

void make_CONVINTEGER(struct generator *g)
{
	make_byte_conv(g, false);
}

static void make_byte_product(struct generator *g, bool parameters)
{
	int a = byte_operand(g, 2, 4), in[8], n = 0, i;
	struct shape ys = *shape_of(g, a), bs = { 2, { ys.dim[ys.rank - 1] } }, scales;
	enum dtype type = byte_type(g);

	bs.dim[1] = ys.dim[ys.rank - 1] = columns(g, bs.dim[0]);
	scales = parameter_shape(g, bs.dim[1]);
	in[n++] = a;
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, g->value[a].dtype);
	}
	in[n++] = byte_weights(g, &bs);
	in[n++] = parameters ? new_scale(g, &scales) : new_zero(g, g->value[a].dtype);
	in[n++] = new_zero(g, DTYPE_S8);
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, type);
		bytes_out(g, OP_QLINEARMATMUL, &ys, type);
	} else {
		sums_in_s32(g, OP_MATMULINTEGER, &ys);
	}
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

void make_QLINEARMATMUL(struct generator *g)
{
	make_byte_product(g, true);
}

void make_MATMULINTEGER(struct generator *g)
{
	make_byte_product(g, false);
}

void make_QLINEARADD(struct generator *g)
{
	int a = byte_operand(g, 0, 5), b, in[8], n = 0, i;
	enum dtype type = g->value[a].dtype;
	struct shape ys = *shape_of(g, a), bs = ys;
	const struct shape scalar = { 0 };

	for (i = 0; i < bs.rank; i++)
		bs.dim[i] = rarely(g, 4) ? 1 : bs.dim[i];
	b = rarely(g, 3) ? a : new_numbers(g, &bs, "5 77 100 0 1", 100, type);
	in[n++] = a;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = b;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARADD, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

/* The machine does not map them: networks of them are computed by the interpreter only. */
void make_FIXEDADD(struct generator *g)
{
	make_QLINEARADD(g);
}

void make_FIXEDSOFTMAX(struct generator *g)
{
	make_QLINEARADD(g);
}

void make_QLINEARGLOBALAVGPOOL(struct generator *g)
{
	int x = byte_operand(g, 3, 4), in[5], n = 0, i;
	struct shape ys = *shape_of(g, x);
	const struct shape scalar = { 0 };
	enum dtype type = g->value[x].dtype;

	for (i = 2; i < ys.rank; i++)
		ys.dim[i] = 1;
	in[n++] = x;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, g->value[x].dtype);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARGLOBALAVGPOOL, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

void make_QLINEARCONCAT(struct generator *g)
{
	int x = byte_operand(g, 1, 4), scale[3], zero[3], i;
	enum dtype type = byte_type(g);
	struct shape s = *shape_of(g, x), ys = s;
	const struct shape scalar = { 0 };

	for (i = 0; i < 3; i++) {
		scale[i] = new_scale(g, &scalar);
		zero[i] = new_zero(g, i ? g->value[x].dtype : type);
	}
	ys.dim[0] *= 2;
	bytes_out(g, OP_QLINEARCONCAT, &ys, type);
	for (i = 0; i < 3; i++) {
		if (i)
			input(g, x);
		input(g, scale[i]);
		input(g, zero[i]);
	}
	fprintf(g->to, " axis=0\n");
}

void make_QLINEARSIGMOID(struct generator *g)
{
	int x = byte_operand(g, 0, 4), in[5], n = 0, i;
	enum dtype type = g->value[x].dtype;
	struct shape s = *shape_of(g, x);
	const struct shape scalar = { 0 };

	in[n++] = x;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARSIGMOID, &s, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

/* Means of powers of two of cells are exact, and so is what is made of them. */
void make_QLINEARAVGPOOL(struct generator *g)
{
	int x = byte_operand(g, 4, 4), in[5], n = 0, i;
	enum dtype type = g->value[x].dtype;
	struct shape s = *shape_of(g, x);
	const struct shape scalar = { 0 };

	in[n++] = x;
	in[n++] = new_numbers(g, &scalar, "0x1p-4", 1, DTYPE_F32);
	in[n++] = new_zero(g, type);
	in[n++] = new_numbers(g, &scalar, "0x1p-3", 1, DTYPE_F32);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARAVGPOOL, &s, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	fprintf(g->to, " kernel=2,1 pads=1,0,0,0 count_include_pad=1\n");
}

void make_QGEMM(struct generator *g)
{
	int a = byte_operand(g, 2, 2), in[9], n = 0, i;
	enum dtype type = byte_type(g);
	struct shape ys = *shape_of(g, a), bs = { 2, { ys.dim[1], 5 } };
	const struct shape scalar = { 0 };
	bool swap = rarely(g, 2);

	if (swap)
		bs = (struct shape){ 2, { 5, ys.dim[1] } };
	ys.dim[1] = 5;
	in[n++] = a;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, g->value[a].dtype);
	in[n++] = byte_weights(g, &bs);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, DTYPE_S8);
	in[n++] = new_numbers(g, &(struct shape){ 1, { 5 } }, "0 1000 -1000 77", 1000, DTYPE_S32);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QGEMM, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	fprintf(g->to, swap ? " trans_b=1\n" : "\n");
}

void make_SUMPOOL(struct generator *g)
{
	int x = byte_operand(g, 3, 4), zero = new_zero(g, g->value[x].dtype), i;
	struct shape ys = *shape_of(g, x);
	s64 kernel[2] = { 1 + (s64)pick(g, 4), 1 + (s64)pick(g, 9) };
	struct windows w;

	random_windows(g, &w, &ys, kernel, true);
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	sums_in_s32(g, OP_SUMPOOL, &ys);
	input(g, x);
	input(g, zero);
	print_windows(g, &w, true);
	end_node(g);
}

/* Of sums, or of an input. */
void make_REQUANTIZE(struct generator *g)
{
	struct value_made like = { .dtype = DTYPE_S32, .most = 1e9, .grid = 1 };
	enum dtype type = byte_type(g);
	int x = g->n - 1, multiplier, zero, bias, shift = -1, axis;
	bool fixed = rarely(g, 2);
	struct shape s, channels;

	if (x < 0 || g->value[x].dtype != DTYPE_S32 || g->value[x].is_const ||
	    !shape_of(g, x)->rank) {
		like.shape = random_shape(g, 1 + (int)pick(g, 4));
		x = add_value(g, like);
		fprintf(g->to, "input %%%d \"v%d\" ", x, x);
		print_type(g, x);
		fprintf(g->to, "\n");
	}
	s = *shape_of(g, x);
	axis = s.rank > 1 ? 1 : 0;
	channels = parameter_shape(g, s.dim[axis]);
	multiplier = fixed ? new_numbers(g, &channels, "1073741824 1518500250 2147483647", 1,
					 DTYPE_S32) :
			     new_scale(g, &channels);
	zero = new_zero(g, type);
	bias = new_numbers(g, &channels, "0 1000 -1000 77", 1000, DTYPE_S32);
	if (fixed)
		shift = new_numbers(g, &channels, "-3 -7 1 0", 7, DTYPE_S32);
	bytes_out(g, OP_REQUANTIZE, &s, type);
	input(g, x);
	input(g, multiplier);
	input(g, zero);
	input(g, bias);
	if (fixed)
		input(g, shift);
	fprintf(g->to, " axis=%d", axis);
	if (rarely(g, 2))
		fprintf(g->to, " lo=-0x1p3 hi=0x1p6");
	end_node(g);
}

void make_TABLE(struct generator *g)
{
	int x = byte_operand(g, 0, 5), table;
	enum dtype type = byte_type(g);
	struct shape s = *shape_of(g, x);

	table = new_numbers(g, &(struct shape){ 1, { 256 } }, "1 7 100 0 55 127 9", 127, type);
	bytes_out(g, OP_TABLE, &s, type);
	input(g, x);
	input(g, table);
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
