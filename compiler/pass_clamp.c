// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A Clip disappears into the node that makes its input. On the way there it may pass what only
 * moves elements, and a MaxPool: the maximum of clamped values is the clamped maximum.
 */
#include "compiler/eval_ops.h"
#include "compiler/passes.h"

static bool clip_may_pass(const struct node *n)
{
	return n->op == OP_VIEW || n->op == OP_TRANSPOSE || n->op == OP_MAXPOOL;
}

/* The node that can clamp on behalf of @clip; NULL if there is none. */
static struct node *find_clamping(const struct node *clip)
{
	const struct node *user = clip;
	struct value *v = node_in(clip, 0);

	while (v->producer && value_only_user(v) == user) {
		struct node *n = v->producer;

		if (n->op == OP_CLIP || op_infos[n->op].flags & OP_FLAG_CLAMP)
			return n;
		if (!clip_may_pass(n))
			return NULL;
		user = n;
		v = node_in(n, 0);
	}
	return NULL;
}

/* The values that the MaxPools between @clip and @by begin with are clamped as @clip did it. */
static void clamp_pools(const struct node *clip, const struct node *by)
{
	for (struct node *n = node_in(clip, 0)->producer; n != by; n = node_in(n, 0)->producer) {
		if (n->op == OP_MAXPOOL)
			n->attrs.lo = eval_clamp(n->attrs.lo, clip->attrs.lo, clip->attrs.hi);
	}
}

int pass_clamp(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		struct node *by;

		next = n->next;
		if (n->op != OP_CLIP)
			continue;
		by = find_clamping(n);
		if (!by)
			continue;
		clamp_pools(n, by);
		by->attrs.lo = eval_clamp(by->attrs.lo, n->attrs.lo, n->attrs.hi);
		by->attrs.hi = eval_clamp(by->attrs.hi, n->attrs.lo, n->attrs.hi);
		rc = pass_replace_by_value(g, n, node_in(n, 0));
	}
	return rc;
}
