// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Constant folding: a node whose inputs are all constants is computed by the interpreter, and its
 * outputs become constants.
 */
#include "compiler/eval.h"
#include "compiler/passes.h"
#include "compiler/shape.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Multiplications in all of a graph, some seconds: what costs more stays for the machine, so that
 * no model can keep the compiler busy for ever.
 */
#define FOLD_COST_MAX 1e9

static bool is_foldable(const struct node *n)
{
	if (n->op == OP_COPY)
		return false;
	if (!shape_elems(&n->out[0]->shape))
		return true;
	for (int i = 0; i < n->n_in; i++) {
		if (node_in(n, i) && !node_in(n, i)->data)
			return false;
	}
	return true;
}

static int make_outputs(struct graph *g, const struct node *n, void *out[NODE_OUT_MAX])
{
	for (int i = 0; i < n->n_out; i++) {
		if (!n->out[i])
			continue;
		out[i] = graph_const_room(g, n->out[i]);
		if (!out[i])
			return g->err->code;
	}
	return 0;
}

int pass_fold_node(struct graph *g, struct node *n)
{
	void *out[NODE_OUT_MAX] = { 0 };
	const void **in;
	int rc;

	if (!is_foldable(n))
		return 0;
	if (g->fold_cost + eval_cost(g, n) > FOLD_COST_MAX)
		return 0;
	g->fold_cost += eval_cost(g, n);
	rc = make_outputs(g, n, out);
	if (rc)
		return rc;
	if (shape_elems(&n->out[0]->shape)) {
		in = arena_alloc(&g->arena, (size_t)n->n_in * sizeof(*in));
		for (int i = 0; i < n->n_in; i++)
			in[i] = node_in(n, i) ? node_in(n, i)->data : NULL;
		eval_node(g, n, in, out);
	}
	graph_remove(g, n);
	return 0;
}

int pass_fold(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		rc = pass_fold_node(g, n);
	}
	return rc;
}
