// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The steps that several passes on the graph take: see passes.h. */
#include "compiler/passes.h"
#include "compiler/explicit.h"
#include "compiler/shape.h"

#include <errno.h>
#include <string.h>

/* The type of 16 bits that @v, an output of @n, is in the model: that of an input. */
static enum half half_of(const struct node *n, const struct value *v)
{
	enum half half = n->op == OP_HALF ? HALF_F16 : n->op == OP_NARROW ? HALF_BF16 : HALF_NONE;

	if (v->dtype != DTYPE_F32 || n->op == OP_CAST)
		return HALF_NONE;
	for (int i = 0; i < n->n_in && !half; i++) {
		if (node_in(n, i) && node_in(n, i)->dtype == DTYPE_F32)
			half = node_in(n, i)->half;
	}
	return half;
}

int pass_type_node(struct graph *g, struct node *n)
{
	struct inferred out[NODE_OUT_MAX];
	int rc = make_explicit(g, n);

	if (!rc)
		rc = infer_node(g, n, out);
	if (rc)
		return rc;
	if (!n->n_out) {
		struct value *v = graph_value(g, "");

		if (!v)
			return g->err->code;
		node_set_out(n, 0, v);
	}
	for (int i = 0; i < n->n_out; i++) {
		if (!n->out[i])
			continue;
		value_set_type(n->out[i], out[i].dtype, &out[i].shape);
		n->out[i]->half = half_of(n, n->out[i]);
	}
	return 0;
}

struct value *pass_finish_node(struct graph *g, struct node *n)
{
	struct value *out;

	if (pass_type_node(g, n))
		return NULL;
	out = n->out[0];
	return pass_fold_node(g, n) ? NULL : out;
}

struct value *pass_unary(struct graph *g, struct node *at, enum op op, struct value *x)
{
	struct node *n = graph_node(g, at, op, at->name, 1);

	if (!n)
		return NULL;
	node_set_in(n, 0, x);
	return pass_finish_node(g, n);
}

struct value *pass_binary(struct graph *g, struct node *at, enum op op, struct value *a,
			  struct value *b)
{
	struct node *n = graph_node(g, at, op, at->name, 2);

	if (!n)
		return NULL;
	node_set_in(n, 0, a);
	node_set_in(n, 1, b);
	return pass_finish_node(g, n);
}

struct value *pass_view(struct graph *g, struct node *at, struct value *x, const struct shape *to)
{
	struct dims dims = { .n = to->rank };
	struct value *same_bytes;
	struct node *n;

	if (shape_equal(&x->shape, to))
		return x;
	if (x->data) {
		same_bytes = graph_value(g, x->name);
		if (!same_bytes)
			return NULL;
		value_set_type(same_bytes, x->dtype, to);
		same_bytes->data = x->data;
		same_bytes->shared = x->shared = true;
		return same_bytes;
	}
	n = graph_node(g, at, OP_VIEW, at->name, 1);
	if (!n)
		return NULL;
	node_set_in(n, 0, x);
	memcpy(dims.v, to->dim, sizeof(to->dim));
	node_set_dims(n, ATTR_shape, dims);
	return pass_finish_node(g, n);
}

struct value *pass_transpose(struct graph *g, struct node *at, struct value *x, const int *perm)
{
	struct node *n = graph_node(g, at, OP_TRANSPOSE, at->name, 1);
	struct dims dims = { .n = x->shape.rank };
	struct value *out;

	if (!n)
		return NULL;
	node_set_in(n, 0, x);
	for (int i = 0; i < x->shape.rank; i++)
		dims.v[i] = perm[i];
	node_set_dims(n, ATTR_perm, dims);
	out = pass_finish_node(g, n);
	if (out && out->data)
		out->name = x->name; /* still the model's weights */
	return out;
}

/* Lets the node that makes @by make @out instead. */
static void take_over(struct value *out, struct value *by)
{
	struct node *maker = by->producer;
	int i = 0;

	while (maker->out[i] != by)
		i++;
	value_replace_uses(by, out);
	by->producer = NULL;
	node_set_out(maker, i, out);
}

int pass_give_output(struct graph *g, struct node *n, int i, struct value *by)
{
	struct value *out = n->out[i];
	struct node *copy;

	n->out[i] = NULL;
	out->producer = NULL;
	value_set_type(out, by->dtype, &by->shape);
	if (!out->is_output) {
		value_replace_uses(out, by);
	} else if (by->producer && !by->is_output) {
		take_over(out, by);
	} else {
		copy = graph_node(g, n, OP_COPY, n->name, 1);
		if (!copy)
			return g->err->code;
		node_set_in(copy, 0, by);
		node_set_out(copy, 0, out);
	}
	return 0;
}

int pass_replace_by_value(struct graph *g, struct node *n, struct value *by)
{
	int rc = pass_give_output(g, n, 0, by);

	graph_remove(g, n);
	return rc;
}
