// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One walk in the order of the data gives every node the attributes that the model leaves out
 * (explicit.c) and every value its type and shape (shape.c), and computes nodes whose inputs are
 * constant, since shapes may depend on their results. After it the operator set of the model means
 * nothing any more, nor do the types that it declares.
 */
#include "compiler/expand.h"
#include "compiler/explicit.h"
#include "compiler/onnx_body.h"
#include "compiler/passes.h"
#include "compiler/quantise.h"

#include <errno.h>

/* A declared dimension may be any number. */
enum { DECLARED_TEXT_MAX = TENSOR_RANK_MAX * 22 + 3 };

static const char *declared_text(const struct declaration *d, char buf[DECLARED_TEXT_MAX])
{
	int at = snprintf(buf, DECLARED_TEXT_MAX, "[");

	if (d->rank > TENSOR_RANK_MAX) {
		snprintf(buf, DECLARED_TEXT_MAX, "one of more than %d dimensions", TENSOR_RANK_MAX);
		return buf;
	}
	for (int i = 0; i < d->rank; i++)
		at += d->dim[i] < 0 ?
			      sprintf(buf + at, "%s?", i ? "," : "") :
			      sprintf(buf + at, "%s%lld", i ? "," : "", (long long)d->dim[i]);
	sprintf(buf + at, "]");
	return buf;
}

static bool shape_agrees(const struct declaration *d)
{
	const struct shape *is = &d->value->shape;

	if (d->rank < 0)
		return true;
	if (d->rank != is->rank)
		return false;
	for (int i = 0; i < d->rank; i++) {
		if (d->dim[i] >= 0 && d->dim[i] != is->dim[i])
			return false;
	}
	return true;
}

/*
 * Many models declare shapes of outputs that are out of date, and all runtimes run them; those of
 * values between are of no use to anybody.
 */
static int check_declared(const struct graph *g, const struct declaration *d)
{
	const struct value *v = d->value;
	char is[SHAPE_TEXT_MAX], declared[DECLARED_TEXT_MAX];

	if (v->dtype != d->dtype)
		return graph_fail(g, -EINVAL, "%s \"%.120s\" is declared as %s, but it is %s",
				  d->what, v->name, dtype_name(d->dtype), dtype_name(v->dtype));
	if (shape_agrees(d))
		return 0;
	declared_text(d, declared);
	shape_text(&v->shape, is);
	if (d->exact)
		return graph_fail(g, -EINVAL, "%s \"%.120s\" is declared as %s, but it is %s",
				  d->what, v->name, declared, is);
	if (v->is_output)
		graph_notice(g, "%s \"%.80s\" is declared as %s, but it is %s", d->what, v->name,
			     declared, is);
	return 0;
}

static int type_plain(struct graph *g, struct node *n)
{
	int rc = pass_type_node(g, n);

	return rc ? rc : pass_fold_node(g, n);
}

/* What has no formula here may stay for the host; what there is of one goes. */
static int expand(struct graph *g, struct node *n)
{
	const struct node *before = n->prev;
	int rc = make_explicit(g, n);

	if (!rc)
		rc = expand_node(g, n);
	if (rc != -ENOTSUP || !op_hosted(n->op))
		return rc;
	rc = graph_leave_to_host(g, n);
	while (!rc && n->prev != before)
		graph_remove(g, n->prev);
	return rc ? rc : type_plain(g, n);
}

/* A function gives way to what it is made of; what bodies become is still to be typed. */
static int type_node(struct graph *g, struct node *n)
{
	if (onnx_body_is(n->op))
		return onnx_expand_body(g, n);
	if (expand_knows(n))
		return expand(g, n);
	if (op_infos[n->op].flags & OP_FLAG_FUNCTION)
		return quantise_expand(g, n);
	return type_plain(g, n);
}

int pass_shape(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		struct node *before = n->prev;
		bool body = onnx_body_is(n->op);

		next = n->next;
		rc = type_node(g, n);
		if (body)
			next = before ? before->next : g->first;
	}
	if (g->bodies)
		onnx_bodies_free(g->bodies);
	g->bodies = NULL;
	for (const struct declaration *d = g->declared; d && !rc; d = d->next)
		rc = check_declared(g, d);
	g->opset = GRAPH_OPSET_MAX;
	return rc;
}
