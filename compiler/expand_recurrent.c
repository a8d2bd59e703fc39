// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Recurrences: RNN, GRU and LSTM, one step after the other. What depends on the input only is one
 * product for all steps. Written from the ONNX operator reference.
 */
#include "compiler/expand.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { STEPS_MAX = 1024, ACTIVATIONS_MAX = 6, LENGTHS = 4, HIDDEN, STATE, PEEPHOLES };

/* One direction of a recurrence. */
struct recurrence {
	struct expand *e;
	s64 steps, batch, size; /* of a hidden state */
	s64 gates;
	char act[3][16]; /* names of activations: f, g, h */
	struct value *x; /* [steps, batch, gates * size]: products of the input, with biases */
	struct value *r; /* [size, gates * size] */
	struct value *inner; /* GRU: the bias of its last gate inside of the reset; or NULL */
	struct value *p; /* LSTM: peepholes [3 * size] of input, output and forget gate; or NULL */
	struct value *hidden, *state; /* [batch, size] so far */
};

/* ---- Activations ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum op op;
} activations[] = {
	{ "Relu", OP_RELU },	       { "Tanh", OP_TANH },
	{ "Sigmoid", OP_SIGMOID },     { "HardSigmoid", OP_HARDSIGMOID },
	{ "Softsign", OP_SOFTSIGN },   { "Softplus", OP_SOFTPLUS },
	{ "LeakyRelu", OP_LEAKYRELU }, { "Elu", OP_ELU },
};

static bool find_activation(const char *name, enum op *op)
{
	for (size_t i = 0; i < sizeof(activations) / sizeof(activations[0]); i++) {
		*op = activations[i].op;
		if (!strcasecmp(activations[i].name, name))
			return true;
	}
	return false;
}

/* Function @i of @v, a gate that is clipped before, or the state of an LSTM. */
static struct value *act(const struct recurrence *c, int i, struct value *v)
{
	double clip = i < 2 ? (double)c->e->n->attrs.clip : 0;
	enum op op;

	if (clip > 0)
		v = ex_by(c->e, OP_MINIMUM, ex_by(c->e, OP_MAXIMUM, v, -clip), clip);
	if (!find_activation(c->act[i], &op))
		return NULL;
	return op_infos[op].flags & OP_FLAG_FUNCTION ? ex_function(c->e, op, v) : ex1(c->e, op, v);
}

/* The names of direction @d, from the attribute, in which commas part them, or as usual. */
static int read_activations(struct expand *e, s64 d, struct recurrence *c)
{
	const char *usual = e->n->op == OP_RNN ? "Tanh" :
			    e->n->op == OP_GRU ? "Sigmoid,Tanh" :
						 "Sigmoid,Tanh,Tanh";
	const char *names = e->n->attrs.activations;
	int count = e->n->op == OP_RNN ? 1 : e->n->op == OP_GRU ? 2 : 3, skip = count * (int)d;
	enum op op;

	if (!names[0]) {
		names = usual;
		skip = 0;
	}
	for (int i = 0; i < skip + count; i++) {
		size_t n = strcspn(names, ",");

		if (i >= skip)
			snprintf(c->act[i - skip], sizeof(c->act[0]), "%.*s", (int)n, names);
		if (i >= skip && !find_activation(c->act[i - skip], &op))
			return expand_refuse(e, -ENOTSUP,
					     "activation \"%.15s\" is not mapped; Sigmoid, Tanh, "
					     "Relu, HardSigmoid, LeakyRelu, Elu, Softsign and "
					     "Softplus are",
					     c->act[i - skip]);
		names += n + (names[n] == ',');
	}
	return 0;
}

/* ---- One step -------------------------------------------------------------------------------- */

/* Gates [@k, @k + @count) of @v. */
static struct value *gates(const struct recurrence *c, struct value *v, s64 k, s64 count)
{
	return v ? ex_slice(c->e, v, v->shape.rank - 1, k * c->size, count * c->size) : NULL;
}

static struct value *add(const struct recurrence *c, struct value *a, struct value *b)
{
	return ex2(c->e, OP_ADD, a, b);
}

static struct value *mul(const struct recurrence *c, struct value *a, struct value *b)
{
	return ex2(c->e, OP_MUL, a, b);
}

/* @v plus what peephole @k sees of @state. */
static struct value *peep(const struct recurrence *c, struct value *v, s64 k, struct value *state)
{
	return c->p ? add(c, v, mul(c, gates(c, c->p, k, 1), state)) : v;
}

static struct value *rnn_step(struct recurrence *c, struct value *x)
{
	return act(c, 0, add(c, x, ex2(c->e, OP_MATMUL, c->hidden, c->r)));
}

/* Gates z, r, h. */
static struct value *gru_step(struct recurrence *c, struct value *x)
{
	bool behind = c->e->n->attrs.linear_before_reset;
	struct value *h = c->hidden, *w, *z, *r, *n;

	w = ex2(c->e, OP_MATMUL, h, behind ? c->r : gates(c, c->r, 0, 2));
	z = act(c, 0, add(c, gates(c, x, 0, 1), gates(c, w, 0, 1)));
	r = act(c, 0, add(c, gates(c, x, 1, 1), gates(c, w, 1, 1)));
	if (behind) {
		n = gates(c, w, 2, 1);
		n = mul(c, r, c->inner ? add(c, n, c->inner) : n);
	} else {
		n = ex2(c->e, OP_MATMUL, mul(c, r, h), gates(c, c->r, 2, 1));
	}
	n = act(c, 1, add(c, gates(c, x, 2, 1), n));
	return add(c, mul(c, ex_from(c->e, OP_SUB, 1, z), n), mul(c, z, h));
}

/* Gates i, o, f, c. */
static struct value *lstm_step(struct recurrence *c, struct value *x, struct value **state)
{
	struct value *z = add(c, x, ex2(c->e, OP_MATMUL, c->hidden, c->r)), *i, *f, *o;

	i = act(c, 0, peep(c, gates(c, z, 0, 1), 0, c->state));
	f = c->e->n->attrs.input_forget ? ex_from(c->e, OP_SUB, 1, i) :
					  act(c, 0, peep(c, gates(c, z, 2, 1), 2, c->state));
	*state = add(c, mul(c, f, c->state), mul(c, i, act(c, 1, gates(c, z, 3, 1))));
	o = act(c, 0, peep(c, gates(c, z, 1, 1), 1, *state));
	return mul(c, o, act(c, 2, *state));
}

/* Step @t; its result, which is 0 behind the end of a sequence. */
static struct value *step(struct recurrence *c, s64 t)
{
	struct value *x = ex_squeeze(c->e, ex_slice(c->e, c->x, 0, t, 1), 0), *within, *y;
	struct value *lengths = ex_in(c->e, LENGTHS), *state = c->state;

	if (!x || !c->hidden || !c->r)
		return NULL;
	y = c->e->n->op == OP_LSTM ? lstm_step(c, x, &state) :
	    c->e->n->op == OP_GRU  ? gru_step(c, x) :
				     rnn_step(c, x);
	if (!lengths) {
		c->hidden = y;
		c->state = state;
		return y;
	}
	within = ex_from(c->e, OP_LESS, (double)t, ex_unsqueeze(c->e, lengths, 1));
	c->hidden = ex_where(c->e, within, y, c->hidden);
	if (state)
		c->state = ex_where(c->e, within, state, c->state);
	return ex_where(c->e, within, y, ex_number(c->e, DTYPE_F32, 0));
}

/* ---- Directions ------------------------------------------------------------------------------ */

static struct value *of_direction(struct expand *e, struct value *v, s64 d)
{
	return ex_squeeze(e, ex_slice(e, v, 0, d, 1), 0);
}

/* Input @i of direction @d, [batch, size] zeros if it is left out. */
static struct value *first_state(const struct recurrence *c, int i, s64 d)
{
	static const int turn[] = { 1, 0, 2 };
	struct value *v = ex_in(c->e, i);

	if (!v)
		return ex_stretch(c->e, ex_number(c->e, DTYPE_F32, 0),
				  &(struct shape){ 2, { c->batch, c->size } });
	return of_direction(c->e, c->e->n->attrs.layout ? ex_transpose(c->e, v, turn) : v, d);
}

/* The sum of both biases; what belongs inside of the reset gate is left out. */
static struct value *biases(struct recurrence *c, s64 d)
{
	struct expand *e = c->e;
	struct value *b = of_direction(e, ex_in(e, 3), d), *of_x, *of_h;
	s64 none[1] = { 0 }, behind[1] = { c->size };

	of_x = gates(c, b, 0, c->gates);
	of_h = gates(c, b, c->gates, c->gates);
	if (e->n->op == OP_GRU && e->n->attrs.linear_before_reset) {
		c->inner = gates(c, of_h, 2, 1);
		of_h = ex_pad(e, gates(c, of_h, 0, 2), none, behind, ex_number(e, DTYPE_F32, 0));
	}
	return add(c, of_x, of_h);
}

/* What direction @d needs; @x is [steps, batch, inputs]. */
static int prepare(struct recurrence *c, struct value *x, s64 d)
{
	static const int turn[] = { 1, 0 };
	struct expand *e = c->e;
	struct value *w = ex_transpose(e, of_direction(e, ex_in(e, 1), d), turn);
	int rc = read_activations(e, d, c);

	if (rc)
		return rc;
	c->r = ex_transpose(e, of_direction(e, ex_in(e, 2), d), turn);
	c->x = ex2(e, OP_MATMUL, x, w);
	if (ex_in(e, 3))
		c->x = add(c, c->x, biases(c, d));
	c->hidden = first_state(c, HIDDEN, d);
	if (e->n->op == OP_LSTM)
		c->state = first_state(c, STATE, d);
	if (e->n->op == OP_LSTM && ex_in(e, PEEPHOLES))
		c->p = of_direction(e, ex_in(e, PEEPHOLES), d);
	return c->x && c->r && c->hidden ? 0 : e->g->err->code;
}

/* All steps of direction @d: *@y [steps, 1, batch, size], and the last states [1, batch, size]. */
static int run(struct recurrence *c, bool back, struct value **y, struct value **hidden,
	       struct value **state)
{
	struct value **each = graph_alloc(c->e->g, ((size_t)c->steps + 1) * sizeof(*each));
	struct shape all = { 4, { c->steps, 1, c->batch, c->size } };

	if (!each)
		return c->e->g->err->code;
	for (s64 i = 0; i < c->steps; i++) {
		s64 t = back ? c->steps - 1 - i : i;

		each[t] = ex_unsqueeze(c->e, step(c, t), 0);
		if (!each[t])
			return c->e->g->err->code;
	}
	*y = ex_view(c->e, ex_concat(c->e, each, (int)c->steps, 0), &all);
	*hidden = ex_unsqueeze(c->e, c->hidden, 0);
	*state = c->state ? ex_unsqueeze(c->e, c->state, 0) : NULL;
	return 0;
}

/* Whether input @i, if it is there, is [@a, @b, @c], of which 0 is no dimension. */
static bool fits(const struct expand *e, int i, s64 a, s64 b, s64 c)
{
	const struct value *v = ex_in(e, i);
	struct shape s = { c ? 3 : b ? 2 : 1, { a, b, c } };

	return !v || shape_equal(&v->shape, &s);
}

static int check(struct recurrence *c, s64 directions, s64 inputs)
{
	s64 all = c->gates * c->size, a = directions, b = c->batch;
	bool lstm = c->e->n->op == OP_LSTM;

	if (c->e->n->attrs.layout) {
		a = c->batch;
		b = directions;
	}
	if (c->size < 1 || c->steps < 1 || c->batch < 1 || inputs < 1 ||
	    !fits(c->e, 1, directions, all, inputs) || !fits(c->e, 2, directions, all, c->size) ||
	    !fits(c->e, 3, directions, 2 * all, 0) || !fits(c->e, LENGTHS, c->batch, 0, 0) ||
	    !fits(c->e, HIDDEN, a, b, c->size) || (lstm && !fits(c->e, STATE, a, b, c->size)) ||
	    (lstm && !fits(c->e, PEEPHOLES, directions, 3 * c->size, 0)))
		return expand_refuse(c->e, -EINVAL, "the shapes of its inputs do not fit");
	if (c->steps > STEPS_MAX)
		return expand_refuse(c->e, -ENOTSUP,
				     "%lld steps; up to %d are mapped: cut the sequence, and give "
				     "the last state to the next run",
				     (long long)c->steps, STEPS_MAX);
	return 0;
}

int expand_recurrence(struct expand *e)
{
	static const int turn[] = { 1, 0, 2 }, turn_all[] = { 2, 0, 1, 3 };
	const struct attrs *a = &e->n->attrs;
	struct value *x = ex_in(e, 0), *y[2], *hidden[2], *state[2], *all[3];
	bool both = ex_says(a->direction, "bidirectional"), back = ex_says(a->direction, "reverse");
	const struct shape *r = &ex_in(e, 2)->shape;
	int n = both ? 2 : 1, rc;
	struct recurrence plain = { .e = e };

	if (x->shape.rank != 3 || r->rank != 3)
		return expand_refuse(e, -EINVAL, "its inputs do not have three dimensions");
	x = a->layout ? ex_transpose(e, x, turn) : x;
	if (!x)
		return e->g->err->code;
	plain.gates = e->n->op == OP_LSTM ? 4 : e->n->op == OP_GRU ? 3 : 1;
	plain.steps = x->shape.dim[0];
	plain.batch = x->shape.dim[1];
	plain.size = r->dim[2];
	rc = check(&plain, n, x->shape.dim[2]);
	for (int d = 0; d < n && !rc; d++) {
		struct recurrence c = plain;

		rc = prepare(&c, x, d);
		if (!rc)
			rc = run(&c, both ? d : back, &y[d], &hidden[d], &state[d]);
	}
	if (rc)
		return rc;
	all[0] = ex_concat(e, y, n, 1);
	all[1] = ex_concat(e, hidden, n, 0);
	all[2] = state[0] ? ex_concat(e, state, n, 0) : NULL;
	for (int i = 0; i < e->n->n_out && !rc; i++)
		rc = expand_output(
			e, i, !a->layout ? all[i] : ex_transpose(e, all[i], i ? turn : turn_all));
	return rc;
}
