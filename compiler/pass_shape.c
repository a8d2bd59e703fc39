// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What every node says, made explicit, in one walk in the order of the data: attributes that the
 * model leaves out (explicit.c), types and shapes (shape.c), and the results of nodes whose inputs
 * are constant, on which the shapes behind them may depend. After it the operator set of the model
 * means nothing any more.
 */
#include "compiler/passes.h"

int pass_shape(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		rc = pass_type_node(g, n);
		if (!rc)
			rc = pass_fold_node(g, n);
	}
	g->opset = GRAPH_OPSET_MAX;
	return rc;
}
