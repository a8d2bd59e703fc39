// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Shape inference over the whole graph; the rules are in shape.c. */
#include "compiler/passes.h"

int pass_shape(struct graph *g)
{
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = n->next)
		rc = pass_type_node(g, n);
	return rc;
}
