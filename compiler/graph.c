// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Building and changing graphs: see graph.h. Checking them is graph_check.c. */
#include "compiler/graph.h"
#include "compiler/host.h"
#include "compiler/onnx_body.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What graph_new() does when it has no graph yet to put names in. */
static bool name_graph(struct graph *g, const char *name, const char *source)
{
	g->name = arena_strndup(&g->arena, name, strlen(name));
	g->source = arena_strndup(&g->arena, source, strlen(source));
	return g->name && g->source;
}

struct graph *graph_new(const char *name, const char *source, struct compile_error *err)
{
	struct arena arena = { 0 };
	struct graph *g = arena_alloc(&arena, sizeof(*g));

	if (g) {
		g->arena = arena;
		g->values_end = &g->values;
		g->opset = GRAPH_OPSET_MAX;
		g->err = err;
		if (name_graph(g, name, source))
			return g;
	}
	graph_free(g);
	compile_fail(err, -ENOMEM, "%.200s: no memory", source);
	return NULL;
}

void graph_free(struct graph *g)
{
	struct arena arena;

	if (!g)
		return;
	if (g->bodies)
		onnx_bodies_free(g->bodies);
	host_free(g->host);
	arena = g->arena; /* the graph itself lives in it */
	arena_free(&arena);
}

void *graph_alloc(struct graph *g, size_t size)
{
	void *p = arena_alloc(graph_arena(g), size);

	if (!p)
		graph_fail(g, -ENOMEM, "no memory for %zu bytes", size);
	return p;
}

static const char *copy_name(struct graph *g, const char *name)
{
	size_t len = strlen(name);
	char *copy = graph_alloc(g, len + 1);

	return copy ? memcpy(copy, name, len) : NULL;
}

struct value *graph_value(struct graph *g, const char *name)
{
	struct value *v = graph_alloc(g, sizeof(*v));

	if (!v)
		return NULL;
	v->name = copy_name(g, name);
	if (!v->name)
		return NULL;
	*g->values_end = v;
	g->values_end = &v->next;
	return v;
}

void value_set_type(struct value *v, enum dtype dtype, const struct shape *shape)
{
	v->typed = true;
	v->dtype = dtype;
	v->shape = *shape;
}

void *graph_const_room(struct graph *g, struct value *v)
{
	size_t size = (size_t)shape_elems(&v->shape) * dtype_size(v->dtype);
	void *room;

	if (size > GRAPH_CONST_BYTES_MAX - g->const_bytes) {
		const struct node *n = v->producer ? v->producer : g->expanded;

		node_fail(g, n, -EFBIG,
			  "with the %zu bytes of \"%.80s\" its constants exceed %llu MiB", size,
			  n && !v->name[0] ? node_label(n) : v->name,
			  (unsigned long long)(GRAPH_CONST_BYTES_MAX >> 20));
		return NULL;
	}
	room = graph_alloc(g, size);
	if (!room)
		return NULL;
	g->const_bytes += size;
	v->data = room;
	return room;
}

int graph_set_const(struct graph *g, struct value *v, enum dtype dtype, const struct shape *shape,
		    const void *bytes)
{
	size_t size = (size_t)shape_elems(shape) * dtype_size(dtype);
	void *room;

	value_set_type(v, dtype, shape);
	room = graph_const_room(g, v);
	if (!room)
		return g->err->code;
	if (size)
		memcpy(room, bytes, size);
	return 0;
}

struct value *graph_const(struct graph *g, const char *name, enum dtype dtype,
			  const struct shape *shape, const void *bytes)
{
	struct value *v = graph_value(g, name);

	return v && !graph_set_const(g, v, dtype, shape, bytes) ? v : NULL;
}

static int list_add(struct graph *g, struct value_list *l, struct value *v)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 4;
		struct value **bigger = graph_alloc(g, room * sizeof(*bigger));

		if (!bigger)
			return g->err->code;
		if (l->n)
			memcpy(bigger, l->v, l->n * sizeof(*bigger));
		l->v = bigger;
		l->room = room;
	}
	l->v[l->n++] = v;
	return 0;
}

int graph_add_input(struct graph *g, struct value *v)
{
	v->is_input = true;
	return list_add(g, &g->inputs, v);
}

int graph_add_output(struct graph *g, struct value *v)
{
	v->is_output = true;
	return list_add(g, &g->outputs, v);
}

void node_set_int(struct node *n, enum attr a, s64 value)
{
	*(s64 *)attr_at(&n->attrs, a) = value;
	n->attrs.given[a] = true;
}

void node_set_float(struct node *n, enum attr a, float value)
{
	*(float *)attr_at(&n->attrs, a) = value;
	n->attrs.given[a] = true;
}

void node_set_dims(struct node *n, enum attr a, struct dims value)
{
	*(struct dims *)attr_at(&n->attrs, a) = value;
	n->attrs.given[a] = true;
}

void node_set_text(struct node *n, enum attr a, const char *value)
{
	*(const char **)attr_at(&n->attrs, a) = value;
	n->attrs.given[a] = true;
}

void node_copy_attrs(struct node *n, const struct attrs *from)
{
	for (int a = 0; a < ATTR_COUNT; a++) {
		if (!op_has(n->op, a) || !from->given[a])
			continue;
		memcpy((char *)&n->attrs + attr_infos[a].offset,
		       (const char *)from + attr_infos[a].offset, attr_bytes(a));
		n->attrs.given[a] = true;
	}
}

/* The attributes that ONNX does not have: every node gets them at once. */
static void set_own_attrs(struct node *n)
{
	for (int a = 0; a < ATTR_COUNT; a++) {
		if (attr_defaults[n->op][a].rule == ATTR_OWN)
			node_set_float(n, a, attr_defaults[n->op][a].value);
	}
}

struct node *graph_node(struct graph *g, struct node *at, enum op op, const char *name, int n_in)
{
	struct node *n = graph_alloc(g, sizeof(*n));
	int room = n_in > NODE_IN_FIXED ? n_in : NODE_IN_FIXED;

	if (!n)
		return NULL;
	n->op = op;
	n->model_op = at ? at->model_op : op;
	n->model_kind = at ? at->model_kind : NULL;
	n->name = copy_name(g, name);
	set_own_attrs(n);
	n->n_in = n_in;
	n->in = graph_alloc(g, (size_t)room * sizeof(*n->in));
	if (!n->name || !n->in)
		return NULL;
	for (int i = 0; i < room; i++)
		n->in[i].node = n;
	n->next = at;
	n->prev = at ? at->prev : g->last;
	*(n->prev ? &n->prev->next : &g->first) = n;
	*(at ? &at->prev : &g->last) = n;
	return n;
}

void node_set_in(struct node *n, int i, struct value *v)
{
	struct operand *o = &n->in[i];

	if (o->value) {
		*o->pprev = o->next;
		if (o->next)
			o->next->pprev = o->pprev;
	}
	o->value = v;
	if (i >= n->n_in)
		n->n_in = i + 1;
	if (!v)
		return;
	o->next = v->uses;
	o->pprev = &v->uses;
	if (o->next)
		o->next->pprev = &o->next;
	v->uses = o;
}

void node_set_out(struct node *n, int i, struct value *v)
{
	n->out[i] = v;
	if (i >= n->n_out)
		n->n_out = i + 1;
	v->producer = n;
}

struct node *value_only_user(const struct value *v)
{
	if (v->is_output || !v->uses || v->uses->next)
		return NULL;
	return v->uses->node;
}

bool node_clamps(const struct node *n)
{
	return op_has(n->op, ATTR_hi) && (n->attrs.lo != -INFINITY || n->attrs.hi != INFINITY);
}

void value_replace_uses(struct value *old, struct value *by)
{
	struct operand *o;

	while ((o = old->uses))
		node_set_in(o->node, (int)(o - o->node->in), by);
}

void graph_remove(struct graph *g, struct node *n)
{
	for (int i = 0; i < n->n_in; i++)
		node_set_in(n, i, NULL);
	for (int i = 0; i < n->n_out; i++) {
		if (n->out[i])
			n->out[i]->producer = NULL;
	}
	*(n->prev ? &n->prev->next : &g->first) = n->next;
	*(n->next ? &n->next->prev : &g->last) = n->prev;
}

void graph_replace_node(struct graph *g, struct node *n, struct node *by)
{
	struct value *out = n->out[0];

	graph_remove(g, n);
	node_set_out(by, 0, out);
}

static bool is_needed(const struct node *n)
{
	for (int i = 0; i < n->n_out; i++) {
		if (n->out[i] && (n->out[i]->uses || n->out[i]->is_output))
			return true;
	}
	return false;
}

void graph_remove_dead(struct graph *g)
{
	struct node *prev;

	/* Backwards: a node's users stand behind it and are gone by then. */
	for (struct node *n = g->last; n; n = prev) {
		prev = n->prev;
		if (!is_needed(n))
			graph_remove(g, n);
	}
}
