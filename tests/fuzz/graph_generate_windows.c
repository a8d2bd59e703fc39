// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Random operators that slide a window. */
#include "tests/fuzz/graph_generator.h"

#include <stdlib.h>
#include <string.h>

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

void random_windows(struct generator *g, struct windows *w, const struct shape *x,
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

void print_windows(struct generator *g, const struct windows *w, bool kernel)
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
	weights = factor(g, &ws);
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
