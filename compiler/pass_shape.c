// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One walk in the order of the data gives every node the attributes that the model leaves out
 * (explicit.c) and every value its type and shape (shape.c), and computes nodes whose inputs are
 * constant, since shapes may depend on their results. After it the operator set of the model means
 * nothing any more.
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
