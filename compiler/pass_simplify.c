// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fewer operators: those that do nothing at inference are removed (Identity, Dropout, a reshape to
 * the same shape), those that only change the shape become View, and bounds become attributes of
 * Clip. Runs again after the passes that add Views and Transposes.
 */
#include "compiler/passes.h"
#include "compiler/shape.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int remove_dropout(struct graph *g, struct node *n)
{
	struct value *mask = n->n_out > 1 ? n->out[1] : NULL;
	void *all_true;

	if (mask) {
		all_true = graph_const_room(g, mask);
		if (!all_true)
			return g->err->code;
		memset(all_true, 1, (size_t)shape_elems(&mask->shape));
	}
	return pass_replace_by_value(g, n, node_in(n, 0));
}

static int read_bound(const struct graph *g, struct node *n, int i, float *bound)
{
	const struct value *v = node_in(n, i);

	if (v && !v->data)
		return node_fail(g, n, -ENOTSUP, "its bound \"%.80s\" is known only at run time",
				 v->name);
	if (v)
		*bound = *(const float *)v->data;
	if (isnan(*bound))
		return node_fail(g, n, -EINVAL, "a bound is not a number");
	return 0;
}

static int simplify_clip(struct graph *g, struct node *n)
{
	int rc = read_bound(g, n, 1, &n->attrs.lo);

	if (!rc)
		rc = read_bound(g, n, 2, &n->attrs.hi);
	if (rc)
		return rc;
	for (int i = 1; i < n->n_in; i++)
		node_set_in(n, i, NULL);
	n->n_in = 1;
	if (n->attrs.lo > n->attrs.hi) /* the upper bound wins */
		n->attrs.lo = n->attrs.hi;
	return node_clamps(n) ? 0 : pass_replace_by_value(g, n, node_in(n, 0));
}

/* Whether the dimensions that are not 1 stay in order, so that no element moves. */
static bool keeps_order(const struct node *n)
{
	const struct shape *x = &node_in(n, 0)->shape;
	s64 last = -1;

	for (int i = 0; i < x->rank; i++) {
		s64 from = n->attrs.perm.v[i];

		if (x->dim[from] == 1)
			continue;
		if (from < last)
			return false;
		last = from;
	}
	return true;
}

/* A chain of Views is one View of its beginning. */
static int become_view(struct graph *g, struct node *n)
{
	struct value *x = node_in(n, 0), *view;

	while (x->producer && x->producer->op == OP_VIEW)
		x = node_in(x->producer, 0);
	view = pass_view(g, n, x, &n->out[0]->shape);
	if (!view)
		return g->err->code;
	return pass_replace_by_value(g, n, view);
}

/* A Transpose of a Transpose is one by the composed permutation. */
static int merge_transposes(struct graph *g, struct node *n)
{
	struct value *x = node_in(n, 0);
	const struct node *first = x->producer;
	int rank = x->shape.rank;

	if (first && first->op == OP_TRANSPOSE) {
		struct dims perm = { .n = rank };

		for (int i = 0; i < rank; i++)
			perm.v[i] = first->attrs.perm.v[n->attrs.perm.v[i]];
		n->attrs.perm = perm;
		node_set_in(n, 0, node_in(first, 0));
	}
	return keeps_order(n) ? become_view(g, n) : 0;
}

/* Parts of no elements join nothing; one part by itself is the result. */
static int simplify_concat(struct graph *g, struct node *n)
{
	int kept = 0;

	for (int i = 0; i < n->n_in; i++) {
		struct value *part = node_in(n, i);

		node_set_in(n, i, NULL);
		if (shape_elems(&part->shape))
			node_set_in(n, kept++, part);
	}
	n->n_in = kept;
	return kept == 1 ? pass_replace_by_value(g, n, node_in(n, 0)) : 0;
}

static int simplify_node(struct graph *g, struct node *n)
{
	switch (n->op) {
	case OP_IDENTITY:
		return pass_replace_by_value(g, n, node_in(n, 0));
	case OP_DROPOUT:
		return remove_dropout(g, n);
	case OP_RELU:
		n->op = OP_CLIP;
		node_set_float(n, ATTR_lo, 0);
		node_set_float(n, ATTR_hi, INFINITY);
		return 0;
	case OP_CLIP:
		return simplify_clip(g, n);
	case OP_FLATTEN:
	case OP_RESHAPE:
	case OP_VIEW:
		return become_view(g, n);
	case OP_TRANSPOSE:
		return merge_transposes(g, n);
	case OP_CONCAT:
		return simplify_concat(g, n);
	default:
		return 0;
	}
}

int pass_simplify(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		rc = simplify_node(g, n);
	}
	graph_remove_dead(g);
	return rc;
}
