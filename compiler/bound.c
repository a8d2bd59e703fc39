// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/bound.h"

#include <string.h>

#include "compiler/window.h"
#include "spec/limits.h"

enum { CONTAINER_BYTES = 4, LOAD_SLOTS = 2, VECTOR_UNITS = 2, DOT_TAPS = 4 };

const char *const bound_unit_names[BOUND_UNITS] = {
	[BOUND_PUSH] = "pushes", [BOUND_STORE] = "stores",	 [BOUND_VECTOR] = "vector",
	[BOUND_LOAD] = "loads",	 [BOUND_WEIGHT] = "weight rows",
};

/* One layer, while it is counted. */
struct counting {
	const struct node *n;
	const struct value *out, *x;
	double lanes;
	double outputs; /* elements */
	struct bound_layer *layer;
};

static double elems(const struct value *v)
{
	return v ? (double)shape_elems(&v->shape) : 0;
}

static double bytes(const struct value *v)
{
	return elems(v) * (double)dtype_size(v->dtype);
}

/* Numbers of @v that are multiplied in one container. */
static double per_container(const struct value *v)
{
	return (double)CONTAINER_BYTES / (double)dtype_size(v->dtype);
}

/* @operations on each output, over both vector units. */
static void count_vector(struct counting *c, double operations)
{
	c->layer->cycles[BOUND_VECTOR] += operations * c->outputs / c->lanes / VECTOR_UNITS;
}

static void count_loads(struct counting *c, double elements)
{
	c->layer->cycles[BOUND_LOAD] += elements / c->lanes / LOAD_SLOTS;
}

static void count_stores(struct counting *c)
{
	c->layer->cycles[BOUND_STORE] += c->outputs / c->lanes;
}

/* Each row of weights is loaded once; each push makes at most one row of outputs. */
static void count_product(struct counting *c, double reduced, const struct value *weights)
{
	double per = per_container(c->x), rows = c->outputs / c->lanes;

	c->layer->macs = c->outputs * reduced;
	c->layer->cycles[BOUND_PUSH] = c->layer->macs / (c->lanes * c->lanes * per);
	if (c->layer->cycles[BOUND_PUSH] < rows)
		c->layer->cycles[BOUND_PUSH] = rows;
	c->layer->cycles[BOUND_WEIGHT] = elems(weights) / (c->lanes * per);
	count_stores(c);
}

/* Channels that do not mix: on the vector units, bytes four taps at a time. */
static void count_depthwise(struct counting *c, double taps)
{
	bool wide = dtype_size(c->x->dtype) == CONTAINER_BYTES;
	double groups = wide ? taps : (double)(((s64)taps + DOT_TAPS - 1) / DOT_TAPS);

	c->layer->macs = c->outputs * taps;
	count_vector(c, wide ? taps : groups);
	count_loads(c, elems(c->x));
	count_stores(c);
}

static void count_conv(struct counting *c)
{
	const struct value *w = node_in(c->n, 1);
	double reduced = elems(w) / (double)w->shape.dim[0];

	if (c->n->attrs.group > 1 && w->shape.dim[1] == 1)
		count_depthwise(c, reduced);
	else
		count_product(c, reduced, w);
}

static void count_linear(struct counting *c)
{
	count_product(c, (double)c->x->shape.dim[c->x->shape.rank - 1], node_in(c->n, 1));
}

/* Separable: along rows first, then what that gave, as often as an output needs it, along columns.
 */
static int count_pool(struct counting *c, const struct graph *g)
{
	struct window w;
	int rc = window_of(g, c->n, &w);
	double along, rows;

	if (rc)
		return rc;
	/* Rows that windows see, no more often than each window sees its own. */
	rows = (double)(w.axis[0].out * w.axis[0].kernel);
	if (rows > (double)w.axis[0].in)
		rows = (double)w.axis[0].in;
	along = (double)(w.axis[1].kernel - 1) * rows / (double)w.axis[0].out;
	count_vector(c, along + (double)(w.axis[0].kernel - 1) + (c->n->op != OP_MAXPOOL));
	count_loads(c, elems(c->x));
	count_stores(c);
	return 0;
}

/* Elements that have to be moved; bytes go four to a container. */
static void count_move(struct counting *c)
{
	c->layer->cycles[BOUND_STORE] = bytes(c->out) / (CONTAINER_BYTES * c->lanes);
}

/* Operations for each output, of the shortest form that is known. */
static double operations(enum op op)
{
	switch (op) {
	case OP_SIGMOID:
		return 4; /* scale, exp2, add, reciprocal */
	case OP_TANH:
		return 5;
	case OP_SOFTMAX:
		return 5; /* maximum, subtract and scale, exp2, sum, multiply */
	case OP_LOGSOFTMAX:
		return 5;
	case OP_QUANTIZE:
		return 1; /* divide: the store does the rest */
	case OP_DEQUANTIZE:
		return 2; /* subtract, multiply */
	case OP_QLINEARADD:
		return 5; /* two conversions, two products, one to round */
	case OP_FIXEDADD:
		return 3; /* each requantised, their sum: the store requantises that */
	case OP_FIXEDSOFTMAX:
		return 28; /* twice its power of e from four tables, of 11; maximum, sum, result */
	default:
		return 1;
	}
}

static void count_others(struct counting *c)
{
	double in = 0;

	for (int i = 0; i < c->n->n_in; i++)
		if (!value_is_const(node_in(c->n, i)))
			in += elems(node_in(c->n, i));
	count_vector(c, operations(c->n->op));
	count_loads(c, in);
	count_stores(c);
}

static int count(struct counting *c, const struct graph *g)
{
	switch (c->n->op) {
	case OP_CONV:
	case OP_CONVINTEGER:
		count_conv(c);
		return 0;
	case OP_LINEAR:
	case OP_MATMULINTEGER:
		count_linear(c);
		return 0;
	case OP_MAXPOOL:
	case OP_AVGPOOL:
	case OP_SUMPOOL:
		return count_pool(c, g);
	case OP_VIEW:
	case OP_COPY:
		return 0; /* the same bytes */
	case OP_REQUANTIZE:
		return 0; /* on the way of its sum, which counts it where it is an operation */
	case OP_TRANSPOSE:
	case OP_CONCAT:
		count_move(c);
		return 0;
	default:
		count_others(c);
		return 0;
	}
}

/* Whether addresses can do what the operator does: its users read where its input stands. */
static bool only_moves(enum op op)
{
	switch (op) {
	case OP_VIEW:
	case OP_COPY:
	case OP_TRANSPOSE:
	case OP_CONCAT:
	case OP_PART:
	case OP_STRETCH:
	case OP_BORDER:
	case OP_TAKE:
	case OP_BITCAST:
		return true;
	default:
		return false;
	}
}

static int count_layer(struct bounds *b, const struct graph *g, const struct node *n,
		       const struct rondo_machine *machine)
{
	struct bound_layer *layer = &b->layer[b->layers];
	struct counting c = {
		.n = n,
		.out = n->out[0],
		.x = node_in(n, 0),
		.lanes = machine->lanes,
		.outputs = elems(n->out[0]),
		.layer = layer,
	};
	int rc;

	layer->node = n;
	rc = count(&c, g);
	for (int u = 0; u < BOUND_UNITS; u++) {
		b->cycles[u] += layer->cycles[u];
		b->sure[u] += only_moves(n->op) ? 0 : layer->cycles[u];
		if (layer->cycles[u] > layer->largest)
			layer->largest = layer->cycles[u];
	}
	b->macs += layer->macs;
	b->layer_bound += layer->largest;
	b->layers += layer->largest > 0;
	return rc;
}

/* Whether @v only ends sums: front ends repeat for each channel what a model says once. */
static bool ends_sums(const struct value *v)
{
	for (const struct operand *use = v->uses; use; use = use->next)
		if (use->node->op != OP_REQUANTIZE || use == &use->node->in[0])
			return false;
	return true;
}

static u64 constant_bytes(const struct value *v)
{
	size_t element = dtype_size(v->dtype), all = (size_t)bytes(v);
	const char *data = v->data;

	return all && ends_sums(v) && !memcmp(data, data + element, all - element) ? element : all;
}

/* Constants that nodes use at run time, and what goes in and out of the network. */
static void count_bytes(struct bounds *b, const struct graph *g)
{
	for (const struct value *v = g->values; v; v = v->next)
		if (value_is_const(v) && v->uses)
			b->constant_bytes += constant_bytes(v);
	for (size_t i = 0; i < g->inputs.n; i++)
		b->input_bytes += (u64)bytes(g->inputs.v[i]);
	for (size_t i = 0; i < g->outputs.n; i++)
		b->output_bytes += (u64)bytes(g->outputs.v[i]);
}

int bounds_make(struct graph *g, const struct rondo_machine *machine, struct bounds *out)
{
	size_t nodes = 0;
	int rc = 0;

	*out = (struct bounds){ 0 };
	for (const struct node *n = g->first; n; n = n->next)
		nodes++;
	out->layer = graph_alloc(g, (nodes + 1) * sizeof(*out->layer));
	if (!out->layer)
		return g->err->code;
	for (const struct node *n = g->first; n && !rc; n = n->next)
		rc = count_layer(out, g, n, machine);
	if (rc)
		return rc;
	count_bytes(out, g);
	out->dma_cycles = (double)bounds_bytes(out) /
			  ((double)machine->dma_bytes_per_cycle * RONDO_DMA_CHANNELS);
	out->provable = out->dma_cycles;
	for (int u = 0; u < BOUND_UNITS; u++)
		if (out->sure[u] > out->provable)
			out->provable = out->sure[u];
	if (out->layer_bound < out->dma_cycles)
		out->layer_bound = out->dma_cycles;
	return 0;
}
