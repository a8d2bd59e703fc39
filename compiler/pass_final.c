// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The promises of passes.h, checked: what the back half does not map is refused here, by name. */
#include "compiler/lower.h"
#include "compiler/passes.h"
#include "compiler/wide.h"

#include <errno.h>

/* @own: its type is none of the operator's, or follows from those. */
static int check_value(const struct graph *g, const struct node *n, const struct value *v, bool own)
{
	u32 maps = op_types[n->op].maps;
	char set[DTYPES_TEXT_MAX];

	if (!own && !(maps >> v->dtype & 1))
		return node_fail(g, n, -ENOTSUP, "\"%.80s\" is %s, the machine does it in %s",
				 v->name, dtype_name(v->dtype), dtypes_text(maps, set));
	if (!shape_elems(&v->shape))
		return node_fail(g, n, -ENOTSUP, "\"%.80s\" has no elements", v->name);
	return 0;
}

/* A number that @n would compute with, and that 32 bits do not hold, is refused. */
static int check_width(const struct graph *g, const struct node *n, const struct value *v)
{
	const s64 *x = op_mapped_by(n->op, "move") ? NULL : wide_element(v);

	return x ? node_fail(g, n, -ENOTSUP,
			     "\"%.80s\" holds %lld, the machine computes with integers of 32 bits",
			     v->name, (long long)*x) :
		   0;
}

static int check_node(const struct graph *g, const struct node *n)
{
	int rc = 0;

	if (!lower_maps(n->op))
		return node_fail(g, n, -ENOTSUP, "the operator is not mapped in this form");
	for (int i = 0; i < n->n_in && !rc; i++)
		rc = node_in(n, i) ? check_value(g, n, node_in(n, i), op_takes(n->op, i)) : 0;
	for (int i = 0; i < n->n_in && !rc; i++)
		rc = node_in(n, i) ? check_width(g, n, node_in(n, i)) : 0;
	for (int i = 0; i < n->n_out && !rc; i++)
		rc = n->out[i] ? check_value(g, n, n->out[i], true) : 0;
	return rc;
}

/* No buffer of no bytes can be bound to a slot. */
static int check_list(const struct graph *g, const struct value_list *list, const char *what)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!shape_elems(&list->v[i]->shape))
			return graph_fail(g, -ENOTSUP, "%s \"%.120s\" has no elements", what,
					  list->v[i]->name);
	}
	return 0;
}

/* Whether the program computes with 64-bit integers, and does not only move them. */
static bool computes_s64(const struct graph *g)
{
	for (const struct node *n = g->first; n; n = n->next) {
		for (int i = 0; i < n->n_in && !n->host; i++) {
			if (node_in(n, i) && node_in(n, i)->dtype == DTYPE_S64 &&
			    !op_mapped_by(n->op, "move"))
				return true;
		}
	}
	return false;
}

/* The machine has 32 bits: whoever gives larger numbers must know. */
static void tell_of_s64(const struct graph *g)
{
	if (!computes_s64(g))
		return;
	for (size_t i = 0; i < g->inputs.n; i++) {
		if (g->inputs.v[i]->dtype == DTYPE_S64)
			graph_notice(g,
				     "input \"%.80s\" is s64, the program computes with its low "
				     "32 bits: elements beyond -2147483648..2147483647 are wrong",
				     g->inputs.v[i]->name);
	}
}

/* What is not mapped may stay for the host, if the interpreter has a meaning for it. */
static int check_or_leave(struct graph *g, struct node *n)
{
	int rc = n->host ? 0 : wide_saturate(g, n);

	if (!rc && !n->host)
		rc = check_node(g, n);
	return rc == -ENOTSUP ? graph_leave_to_host(g, n) : rc;
}

int pass_final(struct graph *g)
{
	int rc = check_list(g, &g->inputs, "input");

	if (!rc)
		rc = check_list(g, &g->outputs, "output");
	for (struct node *n = g->first; n && !rc; n = n->next)
		rc = check_or_leave(g, n);
	if (!rc)
		tell_of_s64(g);
	return rc;
}
