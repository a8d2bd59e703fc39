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
 * Multiplications in all of a graph, some seconds, and bytes of results: what costs more stays for
 * the machine, so that no model can keep the compiler busy for ever or take all memory.
 */
#define FOLD_COST_MAX 1e9
#define FOLD_BYTES_MAX (UINT64_C(1) << 29)

/* Bytes that one result may have if they are many times those that it is computed of, */
#define FOLD_GROWN_MAX (UINT64_C(1) << 26)
#define FOLD_GROWTH 4

static bool is_foldable(const struct graph *g, const struct node *n)
{
	if (n->op == OP_COPY || (n->op == OP_DEQUANTIZE && !g->quantised))
		return false;
	if (!shape_elems(&n->out[0]->shape))
		return true;
	for (int i = 0; i < n->n_in; i++) {
		if (node_in(n, i) && !node_in(n, i)->data)
			return false;
	}
	return true;
}

static u64 bytes_of(const struct value *v)
{
	return v ? (u64)shape_elems(&v->shape) * dtype_size(v->dtype) : 0;
}

/* Whether computing @n is within the limits; then it counts. */
static bool spend(struct graph *g, const struct node *n)
{
	double cost = g->fold_cost + eval_cost(g, n);
	u64 made = 0, of = 0;

	for (int i = 0; i < n->n_out; i++)
		made += bytes_of(n->out[i]);
	for (int i = 0; i < n->n_in; i++)
		of += bytes_of(node_in(n, i));
	if (cost > FOLD_COST_MAX || g->fold_bytes + made > FOLD_BYTES_MAX ||
	    (made > FOLD_GROWN_MAX && made / FOLD_GROWTH > of))
		return false;
	g->fold_cost = cost;
	g->fold_bytes += made;
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

	if (!is_foldable(g, n) || !spend(g, n))
		return 0;
	rc = make_outputs(g, n, out);
	if (rc)
		return rc;
	if (shape_elems(&n->out[0]->shape)) {
		in = graph_alloc(g, (size_t)n->n_in * sizeof(*in));
		if (!in)
			return g->err->code;
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
