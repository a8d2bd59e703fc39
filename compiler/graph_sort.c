// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Topological order by counting what each node still waits for (Kahn 1962). The ready nodes are the
 * front part of the new list itself, so nothing recurses and nothing is allocated.
 */
#include "compiler/graph_sort.h"

#include <errno.h>

static bool is_sorted(struct graph *g)
{
	for (struct value *v = g->values; v; v = v->next)
		v->id = !v->producer;
	for (const struct node *n = g->first; n; n = n->next) {
		for (int i = 0; i < n->n_in; i++) {
			if (node_in(n, i) && !node_in(n, i)->id)
				return false;
		}
		for (int i = 0; i < n->n_out; i++) {
			if (n->out[i])
				n->out[i]->id = 1;
		}
	}
	return true;
}

static void append(struct graph *g, struct node *n)
{
	n->prev = g->last;
	n->next = NULL;
	*(g->last ? &g->last->next : &g->first) = n;
	g->last = n;
}

int graph_sort(struct graph *g)
{
	struct node *n = g->first, *next;

	if (is_sorted(g))
		return 0;
	for (struct node *w = n; w; w = w->next) {
		w->waits = 0;
		for (int i = 0; i < w->n_in; i++)
			w->waits += node_in(w, i) && node_in(w, i)->producer;
	}
	g->first = g->last = NULL;
	for (; n; n = next) {
		next = n->next;
		if (!n->waits)
			append(g, n);
	}
	for (n = g->first; n; n = n->next) {
		for (int i = 0; i < n->n_out; i++) {
			const struct operand *o = n->out[i] ? n->out[i]->uses : NULL;

			for (; o; o = o->next) {
				if (!--o->node->waits)
					append(g, o->node);
			}
		}
	}
	for (const struct value *v = g->values; v; v = v->next) {
		if (v->producer && v->producer->waits)
			return node_fail(g, v->producer, -EINVAL,
					 "it waits for its own output: the graph has a cycle");
	}
	return 0;
}
