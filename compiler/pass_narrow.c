// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Products in bf16, where the user asks for it: Conv and Linear with constant weights take operands
 * that are rounded to bf16, of which a push takes twice as many, and add their products in f32. A
 * Narrow stands before their input; what makes that input stores it rounded.
 *
 * Not where it costs work: convolutions of few columns take several pixels at a time instead,
 * which weights of bf16 cannot.
 */
#include "compiler/lower.h"
#include "compiler/narrow.h"
#include "compiler/passes.h"
#include "compiler/window.h"

enum { PER_CONTAINER = 2 };

/* A convolution of one group as pushes see it. */
struct shape_of_pushes {
	s64 rows, columns; /* of its window */
	bool dense; /* neighbours of a row of it are neighbours in memory */
	s64 pixels, width; /* of the result; of a row */
	bool slides; /* by one, so that several pixels may be as one */
	s64 outs;
};

static struct shape_of_pushes pushes_of(const struct graph *g, const struct node *n)
{
	struct window w;

	window_of(g, n, &w);
	return (struct shape_of_pushes){
		.rows = w.axis[0].kernel,
		.columns = w.axis[1].kernel,
		.dense = w.axis[1].dilation == 1 || w.axis[1].kernel == 1,
		.pixels = w.axis[0].out * w.axis[1].out,
		.width = w.axis[1].out,
		.slides = w.axis[1].stride == 1,
		.outs = node_in(n, 1)->shape.dim[0] / n->attrs.group,
	};
}

/* Cycles of a column tile, about, with @pixels as one and @deep containers of channels. */
static s64 cycles(const struct shape_of_pushes *s, const struct rondo_machine *m, s64 pixels,
		  s64 deep)
{
	s64 columns = s->columns + pixels - 1, all = s->pixels / pixels;
	s64 rows = s->rows * columns * deep, strips = (all + m->acc_rows - 1) / m->acc_rows;
	s64 pushes = s->dense ? tile_pushes(m, s->rows, columns * deep) :
				s->rows * tile_pushes(m, columns, deep);

	return pushes * all > rows * strips ? pushes * all : rows * strips;
}

static bool conv_gains(const struct graph *g, const struct node *n, const struct rondo_machine *m)
{
	s64 channels = node_in(n, 1)->shape.dim[1], least, pixels;
	struct shape_of_pushes s;

	/* Channels of a group begin at a container. */
	if (channels == 1 || (n->attrs.group > 1 && channels % PER_CONTAINER))
		return false;
	s = pushes_of(g, n);
	least = cycles(&s, m, 1, channels);
	for (pixels = 2; s.slides && pixels * s.outs <= m->lanes; pixels++) {
		s64 other = s.width % pixels ? least : cycles(&s, m, pixels, channels);

		least = other < least ? other : least;
	}
	return cycles(&s, m, 1, (channels + PER_CONTAINER - 1) / PER_CONTAINER) <= least;
}

static bool is_product(const struct node *n)
{
	return (n->op == OP_CONV || n->op == OP_LINEAR) && value_is_const(node_in(n, 1)) &&
	       !value_is_const(node_in(n, 0)) && !node_in(n, 0)->bf16;
}

static bool gains(const struct graph *g, const struct node *n, const struct rondo_machine *m)
{
	const struct shape *x = &node_in(n, 0)->shape;

	return n->op == OP_CONV ? conv_gains(g, n, m) : x->dim[x->rank - 1] > 1;
}

/* @x as bf16, for all products that take it so. */
static struct value *narrowed(struct graph *g, struct node *n, struct value *x)
{
	struct node *narrow;

	for (struct operand *use = x->uses; use; use = use->next) {
		if (use->node->op == OP_NARROW && use->node->out[0]->bf16)
			return use->node->out[0];
	}
	narrow = graph_node(g, n, OP_NARROW, n->name, 1);
	if (!narrow)
		return NULL;
	node_set_in(narrow, 0, x);
	node_set_out(narrow, 0, graph_value(g, x->name));
	if (!narrow->out[0] || pass_type_node(g, narrow))
		return NULL;
	narrow->out[0]->bf16 = true;
	return narrow->out[0];
}

/* In place if nobody else has them: they are most of a model. */
static int narrow_weights(struct graph *g, struct node *n)
{
	struct value *w = node_in(n, 1), *to = w;
	s64 elems = shape_elems(&w->shape);
	const float *from = w->data;
	float *room;

	if (value_only_user(w) != n || w->shared) {
		to = graph_value(g, w->name);
		if (!to)
			return g->err->code;
		value_set_type(to, w->dtype, &w->shape);
		if (!graph_const_room(g, to))
			return g->err->code;
	}
	room = (float *)to->data;
	for (s64 i = 0; i < elems; i++)
		room[i] = narrow(from[i]);
	node_set_in(n, 1, to);
	return 0;
}

static int narrow_product(struct graph *g, struct node *n)
{
	struct value *x = narrowed(g, n, node_in(n, 0));

	if (!x)
		return g->err->code;
	node_set_in(n, 0, x);
	return narrow_weights(g, n);
}

int pass_narrow(struct graph *g, const struct rondo_machine *machine)
{
	int products = 0, narrow = 0, rc = 0;

	for (struct node *n = g->first; n && !rc; n = n->next) {
		if (n->op == OP_CONV || n->op == OP_LINEAR)
			products++;
		if (!is_product(n) || !gains(g, n, machine))
			continue;
		narrow++;
		rc = narrow_product(g, n);
	}
	if (!rc)
		graph_notice(g, "%d of %d products take operands of bf16", narrow, products);
	return rc;
}
