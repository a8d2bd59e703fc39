// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * See onnx_body.h. A loop becomes one trip and the same node behind it, which has the results of
 * the trip as its states and, as its last inputs, all results that are kept so far.
 */
#include "compiler/onnx_body.h"

#include <errno.h>
#include <string.h>

#include "compiler/expand.h"
#include "compiler/onnx_wire.h"

enum {
	NODES_MAX = 1 << 15, /* that bodies become */
	LOOKED_MAX = 1 << 22, /* nodes that are looked through for names, again for each trip */
	TRIPS_MAX = 1024,
	CALLS_MAX = 64, /* functions within each other */
	INPUTS_MAX = 2048,
};

struct onnx_body {
	const Onnx__NodeProto *node;
	struct onnx_function *function; /* NULL: it has subgraphs */
	const struct onnx_scope *scope; /* of the node */
	int depth; /* calls around it */
	int given; /* inputs that the model gives the node; the captured ones follow */
	int captures;
	const char **captured; /* their names */
};

bool onnx_body_is(enum op op)
{
	return op == OP_IF || op == OP_LOOP || op == OP_SCAN || op == OP_CALL;
}

void onnx_bodies_free(struct onnx_bodies *b)
{
	onnx_free_unpacked(b->message);
}

struct onnx_bodies *onnx_bodies_new(struct onnx_reader *r, ProtobufCMessage *message)
{
	struct onnx_bodies *b = graph_alloc(r->g, sizeof(*b));

	if (!b)
		return NULL;
	b->message = message;
	b->options.external = r->options->external;
	r->bodies = b;
	return onnx_read_functions(r, (const Onnx__ModelProto *)message) ? NULL : b;
}

static const Onnx__AttributeProto *find_named(Onnx__AttributeProto *const *list, size_t n,
					      const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(onnx_str(list[i]->name), name))
			return list[i];
	}
	return NULL;
}

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *p, const char *name)
{
	return find_named(p->attribute, p->n_attribute, name);
}

bool onnx_attribute(const struct onnx_reader *r, const Onnx__AttributeProto *a,
		    Onnx__AttributeProto *out)
{
	const struct onnx_scope *scope = r->scope;
	char *name = a->name;

	for (; a && onnx_str(a->ref_attr_name)[0]; scope = scope->outer) {
		const char *wanted = a->ref_attr_name;

		if (!scope)
			return false;
		a = find_attribute(scope->call, wanted);
		if (!a)
			a = find_named(scope->function->defaults, scope->function->n_defaults,
				       wanted);
	}
	if (!a)
		return false;
	*out = *a;
	out->name = name;
	return true;
}

void onnx_share(struct value *v, const struct value *constant)
{
	value_set_type(v, constant->dtype, &constant->shape);
	v->half = constant->half;
	v->data = constant->data;
}

struct value **onnx_initializers(struct onnx_reader *r, const Onnx__GraphProto *p)
{
	struct onnx_kept *k;

	for (k = r->bodies->kept; k; k = k->next) {
		if (k->graph == p)
			return k->v;
	}
	k = graph_alloc(r->g, sizeof(*k));
	if (!k)
		return NULL;
	*k = (struct onnx_kept){ p, graph_alloc(r->g, p->n_initializer * sizeof(struct value *)),
				 r->bodies->kept };
	r->bodies->kept = k;
	return k->v;
}

/* ---- Which tensors outside a body names ------------------------------------------------------ */

struct capture {
	struct onnx_reader *r;
	const Onnx__NodeProto *node; /* whose own results are none */
	void (*found)(struct onnx_reader *r, void *context, struct value *v);
	void *context;
};

static void capture_name(const struct capture *c, const char *name)
{
	struct value *v = name[0] ? name_table_get(&c->r->names, name) : NULL;

	for (size_t i = 0; v && i < c->node->n_output && i < NODE_OUT_MAX; i++) {
		if (!strcmp(onnx_str(c->node->output[i]), name))
			return;
	}
	if (v)
		c->found(c->r, c->context, v);
}

static int capture_graph(const struct capture *c, const Onnx__GraphProto *p);

static int capture_subgraphs(const struct capture *c, const Onnx__NodeProto *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->n_attribute && !rc; i++) {
		if (p->attribute[i]->g)
			rc = capture_graph(c, p->attribute[i]->g);
	}
	return rc;
}

/* As deep as messages may nest: onnx_wire_check(). */
static int capture_graph(const struct capture *c, const Onnx__GraphProto *p)
{
	struct onnx_bodies *b = c->r->bodies;
	int rc = 0;

	b->looked += p->n_node + 1;
	if (b->looked > LOOKED_MAX)
		return onnx_node_fail(c->r, c->node, -EFBIG,
				      "its subgraphs have more than %d nodes, each counted again "
				      "for each trip of a loop around it",
				      LOOKED_MAX);
	for (size_t i = 0; i < p->n_node && !rc; i++) {
		for (size_t k = 0; k < p->node[i]->n_input; k++)
			capture_name(c, onnx_str(p->node[i]->input[k]));
		rc = capture_subgraphs(c, p->node[i]);
	}
	for (size_t i = 0; i < p->n_output && !rc; i++)
		capture_name(c, onnx_str(p->output[i]->name));
	return rc;
}

int onnx_each_captured(struct onnx_reader *r, const Onnx__NodeProto *p,
		       void (*found)(struct onnx_reader *r, void *context, struct value *v),
		       void *context)
{
	const struct capture c = { r, p, found, context };

	return capture_subgraphs(&c, p);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Values, each once. */
struct values {
	struct value **v;
	int n;
	bool *seen; /* by number of a value */
};

static void note_value(struct onnx_reader *r, void *context, struct value *v)
{
	struct values *to = context;

	(void)r;
	if (to->seen[v->id])
		return;
	to->seen[v->id] = true;
	to->v[to->n++] = v;
}

static int enter_body(struct onnx_reader *r, struct onnx_body *body)
{
	struct onnx_bodies *b = r->bodies;
	struct onnx_body **bigger;

	if (b->n == b->room) {
		b->room = 2 * b->room + 16;
		bigger = graph_alloc(r->g, b->room * sizeof(struct onnx_body *));
		if (!bigger)
			return r->g->err->code;
		if (b->n)
			memcpy(bigger, b->at, b->n * sizeof(struct onnx_body *));
		b->at = bigger;
	}
	b->at[b->n++] = body;
	return 0;
}

int onnx_add_body(struct onnx_reader *r, const Onnx__NodeProto *p, enum op op)
{
	struct onnx_body *body = graph_alloc(r->g, sizeof(*body));
	struct values captured = {
		.v = graph_alloc(r->g, r->n_values * sizeof(struct value *)),
		.seen = graph_alloc(r->g, r->n_values * sizeof(bool)),
	};
	struct node *n;
	int rc;

	if (!body || !captured.v || !captured.seen)
		return r->g->err->code;
	rc = onnx_each_captured(r, p, note_value, &captured);
	if (rc)
		return rc;
	if (p->n_input < (size_t)op_infos[op].min_in)
		return onnx_node_fail(r, p, -EINVAL, "it has no inputs");
	if (p->n_input + (size_t)captured.n > INPUTS_MAX)
		return onnx_node_fail(r, p, -EFBIG,
				      "it has %zu inputs, those of its subgraphs counted; up to %d "
				      "are mapped",
				      p->n_input + (size_t)captured.n, INPUTS_MAX);
	*body = (struct onnx_body){
		.node = p,
		.function = op == OP_CALL ? onnx_function(r->bodies, p) : NULL,
		.scope = r->scope,
		.depth = r->depth + (op == OP_CALL),
		.given = (int)p->n_input,
		.captures = captured.n,
		.captured = graph_alloc(r->g, ((size_t)captured.n + 1) * sizeof(const char *)),
	};
	if (body->depth > CALLS_MAX)
		return onnx_node_fail(r, p, -EINVAL, "functions call each other more than %d deep",
				      CALLS_MAX);
	n = graph_node(r->g, r->at, op, onnx_node_name(p), body->given + captured.n);
	if (!n || !body->captured)
		return r->g->err->code;
	n->model_op = op;
	node_set_int(n, ATTR_body, (s64)r->bodies->n);
	node_set_int(n, ATTR_trip, 0);
	for (int i = 0; i < captured.n; i++) {
		body->captured[i] = captured.v[i]->name;
		node_set_in(n, body->given + i, captured.v[i]);
	}
	rc = enter_body(r, body);
	if (!rc)
		rc = onnx_connect_inputs(r, p, n, body->given);
	return rc ? rc : onnx_connect_outputs(r, p, n);
}

/* ---- Putting a body in place ----------------------------------------------------------------- */

static struct onnx_body *body_of(const struct graph *g, const struct node *n)
{
	return g->bodies->at[n->attrs.body];
}

/* A value called @name in @r that is @is outside. */
static int enter_value(struct onnx_reader *r, const char *name, struct value *is)
{
	struct value *v = onnx_declare(r, name);
	struct node *n;

	if (!v)
		return r->g->err->code;
	if (is->data) {
		onnx_share(v, is);
		return 0;
	}
	n = graph_node(r->g, r->at, OP_IDENTITY, name, 1);
	if (!n)
		return r->g->err->code;
	node_set_in(n, 0, is);
	node_set_out(n, 0, v);
	return 0;
}

/* A reader of @p, a body of @n, that puts nodes before @n; @in: its own inputs, NULL: left out. */
static int start_body(struct onnx_reader *r, struct graph *g, struct node *n,
		      const Onnx__GraphProto *p, struct value **in, size_t n_in)
{
	const struct onnx_body *b = body_of(g, n);
	int rc = 0;

	*r = (struct onnx_reader){
		.options = &g->bodies->options,
		.bodies = g->bodies,
		.proto = p,
		.g = g,
		.at = n,
		.scope = b->scope,
		.depth = b->depth,
	};
	g->bodies->nodes += p->n_node + n_in + (size_t)b->captures;
	if (g->bodies->nodes > NODES_MAX)
		return node_fail(g, n, -EFBIG, "subgraphs and functions become more than %d nodes",
				 NODES_MAX);
	if (n_in > p->n_input)
		return node_fail(g, n, -EINVAL, "its body has %zu inputs, %zu are given",
				 p->n_input, n_in);
	for (int i = 0; i < b->captures && !rc; i++)
		rc = enter_value(r, b->captured[i], node_in(n, b->given + i));
	for (size_t i = 0; i < n_in && !rc; i++) {
		if (in[i])
			rc = enter_value(r, onnx_str(p->input[i]->name), in[i]);
	}
	return rc;
}

/* Subgraph @name of @n; NULL, and a message, if there is none with so many inputs and outputs. */
static const Onnx__GraphProto *subgraph(struct graph *g, struct node *n, const char *name,
					size_t inputs, size_t outputs)
{
	const Onnx__AttributeProto *a = find_attribute(body_of(g, n)->node, name);

	if (a && a->g && a->g->n_input == inputs && a->g->n_output >= outputs)
		return a->g;
	node_fail(g, n, -EINVAL, "it has no subgraph \"%s\" of %zu inputs and %zu outputs", name,
		  inputs, outputs);
	return NULL;
}

/* Puts the nodes of @p, a subgraph of @n, before @n; its outputs. NULL and the error. */
static struct value **put(struct graph *g, struct node *n, const Onnx__GraphProto *p,
			  struct value **in)
{
	struct value **out = graph_alloc(g, (p->n_output + 1) * sizeof(*out));
	struct onnx_reader r;

	if (!out || start_body(&r, g, n, p, in, p->n_input) || onnx_read_body(&r, out))
		return NULL;
	return out;
}

/* Lets @v be output @i of @n. */
static int give(struct graph *g, struct node *n, int i, struct value *v)
{
	struct value *out = n->out[i];
	struct node *copy;

	if (!out)
		return 0;
	copy = graph_node(g, n, OP_IDENTITY, n->name, 1);
	if (!copy)
		return g->err->code;
	node_set_in(copy, 0, v);
	n->out[i] = NULL;
	out->producer = NULL;
	node_set_out(copy, 0, out);
	return 0;
}

static int give_all(struct graph *g, struct node *n, struct value **v)
{
	int rc = 0;

	for (int i = 0; i < n->n_out && !rc; i++)
		rc = give(g, n, i, v[i]);
	graph_remove(g, n);
	return rc;
}

/* Node @n once more, with @n_in inputs, to be set, at the next trip. */
static struct node *again(struct graph *g, struct node *n, int n_in)
{
	struct node *next = graph_node(g, n, n->op, n->name, n_in);

	if (!next)
		return NULL;
	node_set_int(next, ATTR_body, n->attrs.body);
	node_set_int(next, ATTR_trip, n->attrs.trip + 1);
	for (int i = 0; i < n->n_out; i++) {
		struct value *out = n->out[i];

		if (!out)
			continue;
		n->out[i] = NULL;
		out->producer = NULL;
		node_set_out(next, i, out);
	}
	return next;
}

/* Whether the constant @v, one bool, is true. */
static bool is_true(const struct value *v)
{
	return *(const u8 *)v->data;
}

static int need_one(struct graph *g, struct node *n, const struct value *v, enum dtype type,
		    const char *what)
{
	if (v->dtype == type && shape_elems(&v->shape) == 1)
		return 0;
	return node_fail(g, n, -EINVAL, "%s is not one %s", what, dtype_name(type));
}

/* ---- If -------------------------------------------------------------------------------------- */

/* Both branches are computed: of each output the one that the condition says. */
static int select_branch(struct graph *g, struct node *n)
{
	const struct shape scalar = { 0 };
	struct expand e = { g, n };
	struct value *condition = ex_view(&e, node_in(n, 0), &scalar);
	char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
	int rc = condition ? 0 : g->err->code;

	for (int i = 0; i < n->n_out && !rc; i++) {
		struct value *yes = node_in(n, 1 + i), *no = node_in(n, 1 + n->n_out + i);

		if (yes->dtype != no->dtype || !shape_equal(&yes->shape, &no->shape))
			return node_fail(g, n, -ENOTSUP,
					 "its condition \"%.80s\" is known only at run time, and "
					 "its branches give %s%s and %s%s; make it a constant",
					 node_in(n, 0)->name, dtype_name(yes->dtype),
					 shape_text(&yes->shape, one), dtype_name(no->dtype),
					 shape_text(&no->shape, other));
		rc = expand_output(&e, i, ex_where(&e, condition, yes, no));
	}
	graph_remove(g, n);
	return rc;
}

static int expand_if(struct graph *g, struct node *n)
{
	struct value *condition = node_in(n, 0), **yes, **no;
	const Onnx__GraphProto *then, *otherwise;
	struct node *select;
	int rc = need_one(g, n, condition, DTYPE_BOOL, "its condition");

	if (rc)
		return rc;
	if (n->attrs.trip)
		return select_branch(g, n);
	then = subgraph(g, n, "then_branch", 0, (size_t)n->n_out);
	otherwise = subgraph(g, n, "else_branch", 0, (size_t)n->n_out);
	if (!then || !otherwise)
		return g->err->code;
	if (condition->data) {
		yes = put(g, n, is_true(condition) ? then : otherwise, NULL);
		return yes ? give_all(g, n, yes) : g->err->code;
	}
	yes = put(g, n, then, NULL);
	no = yes ? put(g, n, otherwise, NULL) : NULL;
	select = no ? again(g, n, 1 + 2 * n->n_out) : NULL;
	if (!select)
		return g->err->code;
	node_set_in(select, 0, condition);
	for (int i = 0; i < n->n_out; i++) {
		node_set_in(select, 1 + i, yes[i]);
		node_set_in(select, 1 + n->n_out + i, no[i]);
	}
	graph_remove(g, n);
	return 0;
}

/* ---- Loop and Scan --------------------------------------------------------------------------- */

/* One trip after the other: the states of a trip are the results of the one before. */
struct loop {
	struct graph *g;
	struct node *n;
	const struct onnx_body *b;
	const Onnx__GraphProto *body;
	int first, states; /* inputs of the node that are states: the first, and how many */
	int before; /* results of the body before the states */
	int kept; /* results of the body behind the states: all trips' are kept */
};

/* Number @i of the integers of attribute @name. */
static s64 number_of(const struct loop *l, const char *name, int i)
{
	const Onnx__AttributeProto *a = find_attribute(l->b->node, name);

	return a && (size_t)i < a->n_ints ? a->ints[i] : 0;
}

/* What trip @trip gave as kept result @i. */
static struct value *kept_of(const struct loop *l, s64 trip, int i)
{
	return node_in(l->n, l->b->given + l->b->captures + (int)trip * l->kept + i);
}

/* Kept result @i of all trips, one after the other along a dimension of its own. */
static struct value *join(const struct loop *l, int i)
{
	struct expand e = { l->g, l->n };
	s64 trips = l->n->attrs.trip, axis = number_of(l, "scan_output_axes", i);
	bool back = number_of(l, "scan_output_directions", i);
	struct value **all = graph_alloc(l->g, (size_t)trips * sizeof(*all));
	int rank = kept_of(l, 0, i)->shape.rank + 1;

	if (axis < -rank || axis >= rank) {
		expand_refuse(&e, -EINVAL, "axis %lld of result %d", (long long)axis, i);
		return NULL;
	}
	axis += axis < 0 ? rank : 0;
	for (s64 k = 0; all && k < trips; k++)
		all[back ? trips - 1 - k : k] = ex_unsqueeze(&e, kept_of(l, k, i), (int)axis);
	return all ? ex_concat(&e, all, (int)trips, (int)axis) : NULL;
}

static int end_loop(const struct loop *l)
{
	struct node *n = l->n;
	int rc = 0;

	for (int i = 0; i < n->n_out && !rc; i++) {
		struct value *v = NULL;

		if (!n->out[i])
			continue;
		if (i >= l->states + l->kept)
			return node_fail(l->g, n, -EINVAL, "its body has no result %d", i);
		if (i >= l->states && !n->attrs.trip)
			return node_fail(l->g, n, -ENOTSUP,
					 "it makes no trip, so that result %d has no shape", i);
		v = i < l->states ? node_in(n, l->first + i) : join(l, i - l->states);
		rc = v ? give(l->g, n, i, v) : l->g->err->code;
	}
	graph_remove(l->g, n);
	return rc;
}

/* One trip, whose body takes @in, and the node once more. */
static int make_trip(const struct loop *l, struct value **in, struct value *condition)
{
	int before = l->n->attrs.trip * l->kept, fixed = l->b->given + l->b->captures;
	struct value **out = put(l->g, l->n, l->body, in);
	struct node *next = out ? again(l->g, l->n, fixed + before + l->kept) : NULL;

	if (!next)
		return l->g->err->code;
	for (int i = 0; i < fixed + before; i++)
		node_set_in(next, i, node_in(l->n, i));
	if (condition)
		node_set_in(next, 1, out[0]);
	for (int i = 0; i < l->states; i++)
		node_set_in(next, l->first + i, out[l->before + i]);
	for (int i = 0; i < l->kept; i++)
		node_set_in(next, fixed + before + i, out[l->before + l->states + i]);
	graph_remove(l->g, l->n);
	return 0;
}

static int too_many_trips(const struct loop *l)
{
	return node_fail(l->g, l->n, -EFBIG,
			 "more than %d trips, or results of trips; run the program once for each",
			 TRIPS_MAX);
}

static int expand_loop(struct loop *l)
{
	struct graph *g = l->g;
	const struct shape scalar = { 0 };
	struct value *trips = node_in(l->n, 0), *condition = node_in(l->n, 1), **in;
	s64 trip = l->n->attrs.trip, most = INT64_MAX;
	u8 yes = 1;
	int rc = 0;

	l->first = 2;
	l->states = l->b->given - 2;
	l->before = 1;
	l->body = l->states < 0 ?
			  NULL :
			  subgraph(g, l->n, "body", 2 + (size_t)l->states, 1 + (size_t)l->states);
	if (!l->body)
		return g->err->code ? g->err->code :
				      node_fail(g, l->n, -EINVAL, "it has less than two inputs");
	l->kept = (int)l->body->n_output - 1 - l->states;
	if (trips)
		rc = need_one(g, l->n, trips, DTYPE_S64, "its number of trips");
	if (!rc && condition)
		rc = need_one(g, l->n, condition, DTYPE_BOOL, "its condition");
	if (rc)
		return rc;
	if ((trips && !trips->data) || (condition && !condition->data))
		return node_fail(g, l->n, -ENOTSUP,
				 "how often it runs depends on \"%.80s\", which is known only at "
				 "run time; make it a constant, or run the program once for each "
				 "trip",
				 (trips && !trips->data ? trips : condition)->name);
	if (trips)
		most = *(const s64 *)trips->data;
	if (trip >= most || (condition && !is_true(condition)))
		return end_loop(l);
	if (trip == TRIPS_MAX || l->kept * (trip + 1) > 4 * TRIPS_MAX)
		return too_many_trips(l);
	in = graph_alloc(g, l->body->n_input * sizeof(struct value *));
	if (!in)
		return g->err->code;
	in[0] = graph_const(g, "", DTYPE_S64, &scalar, &trip);
	in[1] = graph_const(g, "", DTYPE_BOOL, &scalar, &yes);
	if (!in[0] || !in[1])
		return g->err->code;
	for (int i = 0; i < l->states; i++)
		in[2 + i] = node_in(l->n, 2 + i);
	return make_trip(l, in, condition);
}

/* Slice @trip of scanned input @i. */
static struct value *slice_of(const struct loop *l, int i, s64 trip, s64 *trips)
{
	struct expand e = { l->g, l->n };
	struct value *x = node_in(l->n, l->states + i);
	s64 axis = number_of(l, "scan_input_axes", i);
	int rank = x->shape.rank;

	if (axis < -rank || axis >= rank) {
		expand_refuse(&e, -EINVAL, "input %d has no axis %lld", l->states + i,
			      (long long)axis);
		return NULL;
	}
	axis += axis < 0 ? rank : 0;
	if (*trips >= 0 && *trips != x->shape.dim[axis]) {
		expand_refuse(&e, -EINVAL, "input %d is of another length", l->states + i);
		return NULL;
	}
	*trips = x->shape.dim[axis];
	if (trip == *trips) /* behind the last */
		return x;
	if (number_of(l, "scan_input_directions", i))
		trip = *trips - 1 - trip;
	return ex_squeeze(&e, ex_slice(&e, x, (int)axis, trip, 1), (int)axis);
}

static int expand_scan(struct loop *l)
{
	const Onnx__AttributeProto *a = find_attribute(l->b->node, "num_scan_inputs");
	s64 scanned = a ? a->i : 0, trips = -1;
	struct value **in;

	if (l->g->opset < 9)
		return node_fail(l->g, l->n, -ENOTSUP, "Scan is mapped from operator set 9 on");
	if (scanned < 1 || scanned > l->b->given)
		return node_fail(l->g, l->n, -EINVAL, "num_scan_inputs is %lld",
				 (long long)scanned);
	l->states = l->b->given - (int)scanned;
	l->body = subgraph(l->g, l->n, "body", (size_t)l->b->given, (size_t)l->states);
	if (!l->body)
		return l->g->err->code;
	l->kept = (int)l->body->n_output - l->states;
	in = graph_alloc(l->g, (size_t)l->b->given * sizeof(struct value *));
	if (!in)
		return l->g->err->code;
	for (int i = 0; i < l->b->given; i++) {
		in[i] = i < l->states ? node_in(l->n, i) :
					slice_of(l, i - l->states, l->n->attrs.trip, &trips);
		if (!in[i])
			return l->g->err->code ?
				       l->g->err->code :
				       node_fail(l->g, l->n, -EINVAL, "input %d is missing", i);
	}
	if (l->n->attrs.trip == trips)
		return end_loop(l);
	if (trips > TRIPS_MAX || l->kept * trips > 4 * TRIPS_MAX)
		return too_many_trips(l);
	return make_trip(l, in, NULL);
}

/* ---- Functions ------------------------------------------------------------------------------- */

/* A function as a graph: its inputs and outputs have names only. */
static Onnx__GraphProto *as_graph(struct graph *g, const Onnx__FunctionProto *f)
{
	Onnx__GraphProto *p = graph_alloc(g, sizeof(*p));
	size_t all = f->n_input + f->n_output;
	Onnx__ValueInfoProto *named = graph_alloc(g, (all + 1) * sizeof(*named));
	Onnx__ValueInfoProto **list = graph_alloc(g, (all + 1) * sizeof(*list));

	if (!p || !named || !list)
		return NULL;
	for (size_t i = 0; i < all; i++) {
		named[i].name = i < f->n_input ? f->input[i] : f->output[i - f->n_input];
		list[i] = &named[i];
	}
	p->input = list;
	p->n_input = f->n_input;
	p->output = list + f->n_input;
	p->n_output = f->n_output;
	p->node = f->node;
	p->n_node = f->n_node;
	return p;
}

static int expand_call(struct graph *g, struct node *n)
{
	const struct onnx_body *b = body_of(g, n);
	Onnx__GraphProto *p = as_graph(g, b->function->proto);
	struct value **in = graph_alloc(g, ((size_t)b->given + 1) * sizeof(*in));
	struct value **out = p ? graph_alloc(g, (p->n_output + 1) * sizeof(*out)) : NULL;
	struct onnx_scope *scope = graph_alloc(g, sizeof(*scope));
	struct onnx_reader r;
	int rc = onnx_read_defaults(g, b->function);

	if (!p || !in || !out || !scope || rc)
		return g->err->code;
	if ((size_t)n->n_out > p->n_output)
		return node_fail(g, n, -EINVAL, "the function has %zu outputs", p->n_output);
	for (int i = 0; i < b->given; i++)
		in[i] = node_in(n, i);
	rc = start_body(&r, g, n, p, in, (size_t)b->given);
	if (rc)
		return rc;
	*scope = (struct onnx_scope){ b->node, b->function, b->scope };
	r.scope = scope;
	rc = onnx_read_body(&r, out);
	return rc ? rc : give_all(g, n, out);
}

int onnx_expand_body(struct graph *g, struct node *n)
{
	struct loop l = { .g = g, .n = n };

	if (!g->bodies || n->attrs.body < 0 || (u64)n->attrs.body >= g->bodies->n)
		return node_fail(g, n, -EINVAL, "its subgraphs are not in the text");
	l.b = body_of(g, n);
	switch (n->op) {
	case OP_IF:
		return expand_if(g, n);
	case OP_LOOP:
		return expand_loop(&l);
	case OP_SCAN:
		return expand_scan(&l);
	default:
		return expand_call(g, n);
	}
}
