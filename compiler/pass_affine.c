// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * y = (W x + b) * s + t, with s and t constant for each output channel, is (W s) x + (b s + t): a
 * Mul, Add or Sub behind a Conv or Linear with constant weights disappears into them. So do
 * BatchNormalization, Gemm's factors, and biases that a model adds with a node of their own.
 *
 * Products are rounded to f32 once; results differ from the unfolded form by roundings.
 */
#include "compiler/passes.h"

/* The dimension of @n's result that counts output channels. */
static int channel_dim(const struct node *n)
{
	return n->op == OP_CONV ? 1 : n->out[0]->shape.rank - 1;
}

/* Whether @n's weights and bias may be replaced on behalf of @user, its only user. */
static bool is_affine(const struct node *n, const struct node *user)
{
	return n && (n->op == OP_CONV || n->op == OP_LINEAR) && !node_clamps(n) &&
	       value_is_const(node_in(n, 1)) && (!node_in(n, 2) || node_in(n, 2)->data) &&
	       value_only_user(n->out[0]) == user &&
	       shape_equal(&n->out[0]->shape, &user->out[0]->shape);
}

/* Whether @c, broadcast to @y, varies along dimension @channel only. */
static bool is_per_channel(const struct value *c, const struct shape *y, int channel)
{
	int lead = y->rank - c->shape.rank;

	for (int i = 0; i < c->shape.rank; i++) {
		if (i + lead != channel && c->shape.dim[i] != 1)
			return false;
	}
	return lead >= 0;
}

static float per_channel(const struct value *c, s64 i)
{
	return ((const float *)c->data)[shape_elems(&c->shape) == 1 ? 0 : i];
}

static struct value *new_const(struct graph *g, const struct value *like, const struct shape *s,
			       float **room)
{
	struct value *v = graph_value(g, like ? like->name : "");

	if (!v)
		return NULL;
	value_set_type(v, DTYPE_F32, s);
	*room = graph_const_room(g, v);
	return *room ? v : NULL;
}

/*
 * Conv: [channels, the rest]; Linear: [the rest, channels]. In place if nobody else has them: they
 * are most of a model.
 */
static int scale_weights(struct graph *g, struct node *n, const struct value *factor)
{
	struct value *w = node_in(n, 1), *scaled = w;
	s64 elems = shape_elems(&w->shape);
	s64 channels = w->shape.dim[n->op == OP_CONV ? 0 : w->shape.rank - 1];
	const float *from = w->data;
	float *to = (float *)from;

	if (value_only_user(w) != n || w->shared)
		scaled = new_const(g, w, &w->shape, &to);
	if (!scaled)
		return g->err->code;
	for (s64 i = 0; i < elems; i++)
		to[i] = from[i] * per_channel(factor, n->op == OP_CONV ? i / (elems / channels) :
									 i % channels);
	node_set_in(n, 1, scaled);
	return 0;
}

/* bias * @factor + @sign * @term, each NULL if there is none. */
static int change_bias(struct graph *g, struct node *n, const struct value *factor,
		       const struct value *term, double sign)
{
	struct shape s = { 1, { n->out[0]->shape.dim[channel_dim(n)] } };
	const struct value *old = node_in(n, 2);
	struct value *bias;
	float *to;

	if (!old && !term)
		return 0;
	bias = new_const(g, old ? old : term, &s, &to);
	if (!bias)
		return g->err->code;
	for (s64 i = 0; i < s.dim[0]; i++) {
		double b = old ? per_channel(old, i) : 0;

		if (factor)
			b *= per_channel(factor, i);
		if (term)
			b += sign * per_channel(term, i);
		to[i] = (float)b;
	}
	node_set_in(n, 2, bias);
	return 0;
}

static int fold_into(struct graph *g, struct node *n, struct node *user, const struct value *c)
{
	bool mul = user->op == OP_MUL;
	int rc = mul ? scale_weights(g, n, c) : 0;

	if (!rc)
		rc = change_bias(g, n, mul ? c : NULL, mul ? NULL : c, user->op == OP_SUB ? -1 : 1);
	if (rc)
		return rc;
	n->attrs.lo = user->attrs.lo;
	n->attrs.hi = user->attrs.hi;
	return pass_replace_by_value(g, user, n->out[0]);
}

int pass_affine(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		if (n->op != OP_MUL && n->op != OP_ADD && n->op != OP_SUB)
			continue;
		for (int i = 0; i < 2; i++) { /* i: which operand is the constant */
			struct value *c = node_in(n, i), *x = node_in(n, !i);

			if (!value_is_const(c) || !is_affine(x->producer, n) ||
			    (n->op == OP_SUB && i == 0) ||
			    !is_per_channel(c, &n->out[0]->shape, channel_dim(x->producer)))
				continue;
			rc = fold_into(g, x->producer, n, c);
			break;
		}
	}
	return rc;
}
