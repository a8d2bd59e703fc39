// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Cuts off what the host is to run (node.host): the graph that is left is the program's, and
 * g->host holds the others. Only nodes at the edges may go: those that hang on inputs through such
 * nodes alone, and those on whose results nothing else hangs.
 */
#include "compiler/host.h"
#include "compiler/passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Who goes -------------------------------------------------------------------------------- */

static bool only_before(const struct node *n)
{
	for (int i = 0; i < n->n_in; i++) {
		const struct value *v = node_in(n, i);

		if (v && v->producer && v->producer->side != SIDE_BEFORE)
			return false;
	}
	return true;
}

static bool used_by(const struct value *v, enum node_side side)
{
	for (const struct operand *use = v->uses; use; use = use->next) {
		if (use->node->side == side)
			return true;
	}
	return false;
}

static bool only_after(const struct node *n)
{
	for (int i = 0; i < n->n_out; i++) {
		if (n->out[i] && used_by(n->out[i], SIDE_MACHINE))
			return false;
	}
	return true;
}

static int take_sides(struct graph *g)
{
	for (struct node *n = g->first; n; n = n->next)
		n->side = n->host && only_before(n) ? SIDE_BEFORE : SIDE_MACHINE;
	for (struct node *n = g->last; n; n = n->prev) {
		if (!n->host || n->side == SIDE_BEFORE)
			continue;
		if (!only_after(n))
			return node_fail(g, n, -ENOTSUP,
					 "%s; the host cannot run it: it is between nodes that "
					 "the machine runs",
					 n->host);
		n->side = SIDE_AFTER;
	}
	return 0;
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* A part while it is copied out of a graph. */
struct copying {
	const struct graph *from;
	struct graph *to;
	struct value **copy; /* of each value, by id; NULL: there is none yet */
	bool *needed; /* of each value, by id */
};

static struct value *copy_value(struct copying *c, const struct value *v)
{
	struct value **to = &c->copy[v->id];

	if (*to)
		return *to;
	*to = graph_value(c->to, v->name);
	if (!*to)
		return NULL;
	(*to)->scale = v->scale;
	(*to)->zero_point = v->zero_point;
	value_set_type(*to, v->dtype, &v->shape);
	if (v->data && graph_set_const(c->to, *to, v->dtype, &v->shape, v->data))
		return NULL;
	return *to;
}

/* Words of the model live as long as its graph; those of the copy, as long as that one. */
static bool copy_attrs(struct copying *c, struct node *to, const struct node *n)
{
	node_copy_attrs(to, &n->attrs);
	for (int a = 0; a < ATTR_COUNT; a++) {
		const char **text = attr_at(&to->attrs, a);

		if (!to->attrs.given[a] || attr_infos[a].kind != ATTR_TEXT)
			continue;
		*text = arena_strndup(&c->to->arena, *text, strlen(*text));
		if (!*text)
			return false;
	}
	return true;
}

static bool copy_node(struct copying *c, const struct node *n)
{
	struct node *to = graph_node(c->to, NULL, n->op, n->name, n->n_in);
	bool good = to && copy_attrs(c, to, n);

	for (int i = 0; i < n->n_in && good; i++) {
		struct value *v = node_in(n, i) ? copy_value(c, node_in(n, i)) : NULL;

		good = v || !node_in(n, i);
		if (good)
			node_set_in(to, i, v);
	}
	for (int i = 0; i < n->n_out && good; i++) {
		struct value *v = n->out[i] ? copy_value(c, n->out[i]) : NULL;

		good = v || !n->out[i];
		if (v)
			node_set_out(to, i, v);
	}
	if (good) {
		to->model_op = n->model_op;
		to->model_kind = n->model_kind;
	}
	return good;
}

static bool is_needed(const struct copying *c, const struct node *n)
{
	bool needed = false;

	for (int i = 0; i < n->n_out; i++)
		needed |= n->out[i] && c->needed[n->out[i]->id];
	return needed;
}

/* Copies the nodes that the host runs, up to @last of the sides, and of which @c needs something.
 */
static bool copy_nodes(struct copying *c, enum node_side last)
{
	bool good = true;

	for (const struct node *n = c->from->last; n; n = n->prev) {
		if (n->side == SIDE_MACHINE || n->side > last || !is_needed(c, n))
			continue;
		for (int i = 0; i < n->n_in; i++) {
			if (node_in(n, i))
				c->needed[node_in(n, i)->id] = true;
		}
	}
	for (const struct node *n = c->from->first; n && good; n = n->next) {
		if (n->side != SIDE_MACHINE && n->side <= last && is_needed(c, n))
			good = copy_node(c, n);
	}
	return good;
}

static bool copy_inputs(struct copying *c, const struct value_list *l)
{
	bool good = true;

	for (size_t i = 0; i < l->n && good; i++) {
		struct value *v = copy_value(c, l->v[i]);

		good = v && !graph_add_input(c->to, v);
	}
	return good;
}

static void need(struct copying *c, const struct value_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		c->needed[l->v[i]->id] = true;
}

static bool copy_outputs(struct copying *c, const struct value_list *l)
{
	bool good = true;

	for (size_t i = 0; i < l->n && good; i++) {
		struct value *v = copy_value(c, l->v[i]);

		good = v && !graph_add_output(c->to, v);
	}
	return good;
}

/* A part of @g that ends with @outputs; @more: inputs behind those of @g, or NULL. */
static struct graph *copy_part(struct graph *g, struct rondo_host *h, size_t values,
			       const struct value_list *more, enum node_side last,
			       const struct value_list *outputs)
{
	struct copying c = { .from = g, .to = graph_new(g->name, g->source, &h->err) };
	bool good;

	c.copy = calloc(values + 1, sizeof(*c.copy));
	c.needed = calloc(values + 1, sizeof(*c.needed));
	good = c.to && c.copy && c.needed && copy_inputs(&c, &g->inputs) &&
	       (!more || copy_inputs(&c, more));
	if (good) {
		need(&c, outputs);
		good = copy_nodes(&c, last) && copy_outputs(&c, outputs);
	}
	free(c.copy);
	free(c.needed);
	if (good)
		return c.to;
	graph_free(c.to);
	graph_fail(g, h->err.code ? h->err.code : -ENOMEM, "%s",
		   h->err.code ? h->err.text + h->err.reason : "no memory");
	return NULL;
}

/* ---- What is left ---------------------------------------------------------------------------- */

/* Between the parts: what the program takes and gives, instead of what the network does. */
struct border {
	struct value_list inputs, outputs;
};

static void add(struct value_list *l, struct value *v)
{
	l->v[l->n++] = v;
}

static bool is_made_by(const struct value *v, enum node_side side)
{
	return v->producer && v->producer->side == side;
}

static int find_border(struct graph *g, size_t values, struct border *b)
{
	*b = (struct border){ 0 };
	b->inputs.v = graph_alloc(g, (values + 1) * sizeof(struct value *));
	b->outputs.v = graph_alloc(g, (values + g->outputs.n + 1) * sizeof(struct value *));
	if (!b->inputs.v || !b->outputs.v)
		return g->err->code;
	for (size_t i = 0; i < g->inputs.n; i++) {
		if (used_by(g->inputs.v[i], SIDE_MACHINE))
			add(&b->inputs, g->inputs.v[i]);
	}
	for (size_t i = 0; i < g->outputs.n; i++) {
		if (is_made_by(g->outputs.v[i], SIDE_MACHINE))
			add(&b->outputs, g->outputs.v[i]);
	}
	for (struct value *v = g->values; v; v = v->next) {
		if (is_made_by(v, SIDE_BEFORE) && used_by(v, SIDE_MACHINE))
			add(&b->inputs, v);
		if (is_made_by(v, SIDE_MACHINE) && !v->is_output && used_by(v, SIDE_AFTER))
			add(&b->outputs, v);
	}
	if (!b->outputs.n)
		return graph_fail(g, -ENOTSUP,
				  "nothing of the network is left for the machine: the host "
				  "would run all of it");
	return 0;
}

/* What crosses a border has a name: files and messages call it by that. */
static int name_border(struct graph *g, const struct value_list *l, const char *what)
{
	char name[32];

	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i]->name[0])
			continue;
		snprintf(name, sizeof(name), "%s %zu", what, i);
		l->v[i]->name = arena_strndup(&g->arena, name, strlen(name));
		if (!l->v[i]->name)
			return graph_fail(g, -ENOMEM, "no memory");
	}
	return 0;
}

/* Lets the program have the border's inputs and outputs. */
static int cut(struct graph *g, const struct border *b)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n; n = next) {
		next = n->next;
		if (n->side != SIDE_MACHINE)
			graph_remove(g, n);
	}
	for (size_t i = 0; i < g->inputs.n; i++)
		g->inputs.v[i]->is_input = false;
	for (size_t i = 0; i < g->outputs.n; i++)
		g->outputs.v[i]->is_output = false;
	g->inputs.n = g->outputs.n = 0;
	for (size_t i = 0; i < b->inputs.n && !rc; i++)
		rc = graph_add_input(g, b->inputs.v[i]);
	for (size_t i = 0; i < b->outputs.n && !rc; i++)
		rc = graph_add_output(g, b->outputs.v[i]);
	return rc;
}

/* Says in @h who its nodes are, in words that live in its graphs. */
static bool list_nodes(const struct graph *g, struct rondo_host *h)
{
	struct arena *arena = &h->after->arena;

	for (const struct node *n = g->first; n; n = n->next)
		h->n_nodes += !!n->host;
	h->nodes = arena_alloc(arena, h->n_nodes * sizeof(*h->nodes));
	h->n_nodes = 0;
	for (const struct node *n = g->first; n && h->nodes; n = n->next) {
		const char *name = node_label(n);
		struct host_node *to = &h->nodes[h->n_nodes];

		if (!n->host)
			continue;
		to->node = arena_strndup(arena, name, strlen(name));
		to->op = op_infos[n->model_op].name;
		to->why = arena_strndup(arena, n->host, strlen(n->host));
		if (!to->node || !to->why)
			return false;
		h->n_nodes++;
	}
	return h->nodes;
}

static bool needs_host(const struct graph *g)
{
	for (const struct node *n = g->first; n; n = n->next) {
		if (n->host)
			return true;
	}
	return false;
}

void host_free(struct rondo_host *h)
{
	if (!h)
		return;
	graph_free(h->before);
	graph_free(h->after);
	free(h);
}

int pass_host(struct graph *g)
{
	struct rondo_host *h;
	struct border b;
	size_t values = 0;
	int rc;

	if (!needs_host(g))
		return 0;
	for (struct value *v = g->values; v; v = v->next)
		v->id = (u32)values++;
	rc = take_sides(g);
	if (!rc)
		rc = find_border(g, values, &b);
	if (!rc)
		rc = name_border(g, &b.inputs, "host");
	if (!rc)
		rc = name_border(g, &b.outputs, "machine");
	if (rc)
		return rc;
	h = g->host = calloc(1, sizeof(*h));
	if (!h)
		return graph_fail(g, -ENOMEM, "no memory");
	h->before = copy_part(g, h, values, NULL, SIDE_BEFORE, &b.inputs);
	if (h->before)
		h->after = copy_part(g, h, values, &b.outputs, SIDE_AFTER, &g->outputs);
	if (!h->before || !h->after)
		return g->err->code;
	return list_nodes(g, h) ? cut(g, &b) : graph_fail(g, -ENOMEM, "no memory");
}
