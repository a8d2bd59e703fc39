// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The promises of passes.h, checked: what the back half does not map is refused here, by name. */
#include "compiler/lower.h"
#include "compiler/passes.h"

#include <errno.h>

static int check_value(const struct graph *g, const struct node *n, const struct value *v)
{
	if (n->op != OP_COPY && v->dtype != DTYPE_F32)
		return node_fail(g, n, -ENOTSUP, "\"%.80s\" is %s, the machine's networks are f32",
				 v->name, dtype_name(v->dtype));
	if (!shape_elems(&v->shape))
		return node_fail(g, n, -ENOTSUP, "\"%.80s\" has no elements", v->name);
	return 0;
}

static int check_node(const struct graph *g, const struct node *n)
{
	int rc = 0;

	if (!lower_maps(n->op))
		return node_fail(g, n, -ENOTSUP, "the operator is not mapped in this form");
	for (int i = 0; i < n->n_in && !rc; i++)
		rc = node_in(n, i) ? check_value(g, n, node_in(n, i)) : 0;
	for (int i = 0; i < n->n_out && !rc; i++)
		rc = n->out[i] ? check_value(g, n, n->out[i]) : 0;
	return rc;
}

int pass_final(struct graph *g)
{
	int rc = 0;

	for (size_t i = 0; i < g->inputs.n && !rc; i++) {
		if (!shape_elems(&g->inputs.v[i]->shape))
			rc = graph_fail(g, -ENOTSUP, "input \"%.120s\" has no elements",
					g->inputs.v[i]->name);
	}
	for (const struct node *n = g->first; n && !rc; n = n->next)
		rc = check_node(g, n);
	return rc;
}
