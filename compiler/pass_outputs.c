// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every output of the graph gets a node that makes it: where it is an input or a constant, a Copy.
 * Nodes that nobody needs any more are removed.
 */
#include "compiler/passes.h"

static int copy_to_output(struct graph *g, size_t i)
{
	struct value *from = g->outputs.v[i];
	struct node *copy = graph_node(g, NULL, OP_COPY, from->name, 1);
	struct value *to = graph_value(g, from->name);

	if (!copy || !to)
		return g->err->code;
	to->scale = from->scale;
	to->zero_point = from->zero_point;
	node_set_in(copy, 0, from);
	node_set_out(copy, 0, to);
	from->is_output = false;
	to->is_output = true;
	g->outputs.v[i] = to;
	return pass_type_node(g, copy);
}

int pass_outputs(struct graph *g)
{
	int rc = 0;

	for (size_t i = 0; i < g->outputs.n && !rc; i++) {
		if (!g->outputs.v[i]->producer)
			rc = copy_to_output(g, i);
	}
	graph_remove_dead(g);
	return rc;
}
