// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ModelProto -> graph: the model's initializers, nodes and outputs. Inputs are read in
 * onnx_inputs.c, nodes in onnx_node.c, those with subgraphs in onnx_body.c, tensors in
 * onnx_tensor.c, types in onnx_declared.c.
 *
 * All tensors are declared by name first. Then the reader finds, from the outputs backwards, what
 * they depend on, and reads only that, so that nothing is refused that nobody uses.
 *
 * The file is not trusted. protobuf-c sees it only after onnx_wire_check(); names are looked up,
 * never assumed; every size is compared before it is used. Whatever the reader accepts is a graph
 * for which graph_check() holds.
 */
#include "compiler/onnx_read.h"
#include "compiler/graph_sort.h"
#include "compiler/onnx_body.h"
#include "compiler/onnx_tensor.h"
#include "compiler/onnx_wire.h"

#include <errno.h>
#include <string.h>

struct value *onnx_declare(struct onnx_reader *r, const char *name)
{
	struct value *v = graph_value(r->g, name);
	int rc = v ? name_table_add(&r->names, r->g, v) : -ENOMEM;

	if (rc == -EEXIST)
		graph_fail(r->g, -EINVAL, "the name \"%.120s\" is given to two tensors", name);
	if (rc)
		return NULL;
	v->id = r->n_values++;
	return v;
}

static int read_opset(struct onnx_reader *r, const Onnx__ModelProto *model)
{
	bool named = false;
	s64 opset = 0;

	for (size_t i = 0; i < model->n_opset_import; i++) {
		const char *domain = onnx_str(model->opset_import[i]->domain);

		if (domain[0] && strcmp(domain, "ai.onnx"))
			continue;
		named = true;
		opset = model->opset_import[i]->version;
	}
	if (!named)
		return graph_fail(r->g, -EINVAL, "it names no operator set");
	if (opset < GRAPH_OPSET_MIN || opset > GRAPH_OPSET_MAX)
		return graph_fail(r->g, -ENOTSUP,
				  "operator set %lld is not supported, only %d to %d",
				  (long long)opset, GRAPH_OPSET_MIN, GRAPH_OPSET_MAX);
	r->g->opset = (int)opset;
	return 0;
}

/* ---- Declaring ----------------------------------------------------------------------------- */

static int declare_initializer(struct onnx_reader *r, size_t i)
{
	const Onnx__TensorProto *p = r->proto->initializer[i];

	if (!onnx_str(p->name)[0])
		return graph_fail(r->g, -EINVAL, "initializer %zu has no name", i);
	return onnx_declare(r, p->name) ? 0 : r->g->err->code;
}

static int declare_all(struct onnx_reader *r)
{
	const Onnx__GraphProto *p = r->proto;
	int rc = 0;

	for (size_t i = 0; i < p->n_initializer && !rc; i++)
		rc = declare_initializer(r, i);
	if (!rc)
		rc = onnx_declare_inputs(r);
	for (size_t i = 0; i < p->n_node && !rc; i++)
		rc = onnx_declare_outputs(r, p->node[i]);
	return rc;
}

/* ---- What the outputs depend on ------------------------------------------------------------ */

/* Nodes whose inputs are still to be looked at. */
struct worklist {
	size_t *maker; /* by number of a value: 1 + the number of the node that makes it, or 0 */
	size_t *todo;
	size_t n;
};

static void want(struct onnx_reader *r, struct worklist *w, const struct value *v)
{
	size_t maker = w->maker[v->id];

	r->wanted[v->id] = true;
	if (!maker || r->needed[maker - 1])
		return;
	r->needed[maker - 1] = true;
	w->todo[w->n++] = maker - 1;
}

static void find_makers(const struct onnx_reader *r, struct worklist *w)
{
	for (size_t i = 0; i < r->proto->n_node; i++) {
		const Onnx__NodeProto *p = r->proto->node[i];

		for (size_t k = 0; k < p->n_output; k++) {
			const struct value *v = name_table_get(&r->names, onnx_str(p->output[k]));

			if (v)
				w->maker[v->id] = i + 1;
		}
	}
}

static void want_captured(struct onnx_reader *r, void *worklist, struct value *v)
{
	want(r, worklist, v);
}

/* Names that nothing makes are not looked at here: reading refuses them. */
static int find_needed(struct onnx_reader *r)
{
	const Onnx__GraphProto *p = r->proto;
	struct worklist w = {
		.maker = graph_alloc(r->g, r->n_values * sizeof(*w.maker)),
		.todo = graph_alloc(r->g, p->n_node * sizeof(*w.todo)),
	};
	const struct value *v;
	int rc = 0;

	r->wanted = graph_alloc(r->g, r->n_values * sizeof(*r->wanted));
	r->needed = graph_alloc(r->g, p->n_node * sizeof(*r->needed));
	if (r->g->err->code)
		return r->g->err->code;
	find_makers(r, &w);
	for (size_t i = 0; i < p->n_output; i++) {
		v = name_table_get(&r->names, onnx_str(p->output[i]->name));
		if (v)
			want(r, &w, v);
	}
	while (w.n && !rc) {
		const Onnx__NodeProto *node = p->node[w.todo[--w.n]];

		for (size_t k = 0; k < node->n_input; k++) {
			v = name_table_get(&r->names, onnx_str(node->input[k]));
			if (v)
				want(r, &w, v);
		}
		rc = onnx_each_captured(r, node, want_captured, &w);
	}
	return rc;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static int read_initializer(struct onnx_reader *r, const Onnx__TensorProto *p)
{
	struct value *v = name_table_get(&r->names, p->name);
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	int rc;

	if (!r->wanted[v->id] || onnx_is_baked(r, p->name))
		return 0;
	if (onnx_tensor_read(p, &r->options->external, &t, &err))
		return graph_fail(r->g, err.code, "initializer \"%.120s\": %s", p->name, err.text);
	rc = graph_set_const(r->g, v, t.dtype, &t.shape, t.bytes);
	v->half = onnx_half(p->data_type);
	tensor_data_free(&t);
	return rc;
}

bool onnx_is_sparse(const struct onnx_reader *r, const char *name)
{
	for (size_t i = 0; i < r->proto->n_sparse_initializer; i++) {
		const Onnx__TensorProto *values = r->proto->sparse_initializer[i]->values;

		if (values && !strcmp(onnx_str(values->name), name))
			return true;
	}
	return false;
}

/* An output that is listed a second time: a copy of it with a name of its own. */
static struct value *again(struct onnx_reader *r, struct value *v)
{
	char name[300];
	struct node *n;
	int times = 2;

	do
		snprintf(name, sizeof(name), "%.280s:%d", v->name, times++);
	while (name_table_get(&r->names, name));
	n = graph_node(r->g, NULL, OP_IDENTITY, v->name, 1);
	if (!n)
		return NULL;
	node_set_in(n, 0, v);
	v = onnx_declare(r, name);
	if (v)
		node_set_out(n, 0, v);
	return v;
}

static int read_outputs(struct onnx_reader *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->proto->n_output && !rc; i++) {
		const char *name = onnx_str(r->proto->output[i]->name);
		struct value *v = name_table_get(&r->names, name);

		if (!v && onnx_is_sparse(r, name))
			return graph_fail(r->g, -ENOTSUP,
					  "output \"%.120s\" is a sparse initializer", name);
		if (!v)
			return graph_fail(r->g, -EINVAL, "nothing produces the output \"%.120s\"",
					  name);
		if (v->is_output)
			v = again(r, v);
		rc = v ? graph_add_output(r->g, v) : r->g->err->code;
	}
	return rc;
}

static int read_graph(struct onnx_reader *r)
{
	const Onnx__GraphProto *p = r->proto;
	int rc = onnx_read_inputs(r);

	for (size_t i = 0; i < p->n_initializer && !rc; i++)
		rc = read_initializer(r, p->initializer[i]);
	for (size_t i = 0; i < p->n_node && !rc; i++) {
		if (r->needed[i])
			rc = onnx_add_node(r, p->node[i]);
	}
	if (!rc)
		rc = read_outputs(r);
	if (!rc)
		rc = onnx_read_declared(r);
	return rc ? rc : graph_sort(r->g);
}

/* The same of a subgraph, of which only the first trip reads and copies them. */
static int read_shared(struct onnx_reader *r, const Onnx__TensorProto *p, struct value **kept)
{
	struct value *v = name_table_get(&r->names, p->name);
	int rc;

	if (*kept) {
		onnx_share(v, *kept);
		return 0;
	}
	rc = read_initializer(r, p);
	*kept = v->data ? v : NULL;
	return rc;
}

int onnx_read_body(struct onnx_reader *r, struct value **out)
{
	const Onnx__GraphProto *p = r->proto;
	struct value **kept = p->n_initializer ? onnx_initializers(r, p) : NULL;
	int rc = kept || !p->n_initializer ? 0 : r->g->err->code;

	for (size_t i = 0; i < p->n_initializer && !rc; i++)
		rc = declare_initializer(r, i);
	for (size_t i = 0; i < p->n_node && !rc; i++)
		rc = onnx_declare_outputs(r, p->node[i]);
	if (!rc)
		rc = find_needed(r);
	if (!rc)
		rc = onnx_check_operators(r);
	for (size_t i = 0; i < p->n_initializer && !rc; i++)
		rc = read_shared(r, p->initializer[i], &kept[i]);
	for (size_t i = 0; i < p->n_node && !rc; i++) {
		if (r->needed[i])
			rc = onnx_add_node(r, p->node[i]);
	}
	for (size_t i = 0; i < p->n_output && !rc; i++) {
		const char *name = onnx_str(p->output[i]->name);

		out[i] = name_table_get(&r->names, name);
		if (!out[i] || (!out[i]->producer && !out[i]->data))
			rc = node_fail(r->g, r->at, -EINVAL,
				       "nothing in its body produces \"%.120s\"", name);
	}
	return rc;
}

/* The likeliest mistakes are looked for first: no model at all, an operator, a version. */
static int read_model(struct onnx_reader *r, const Onnx__ModelProto *model)
{
	int rc;

	if (!model->graph)
		return graph_fail(r->g, -EINVAL, "it has no graph");
	if (!model->graph->n_output)
		return graph_fail(r->g, -EINVAL, "it has no outputs");
	rc = onnx_check_options(r);
	if (!rc)
		rc = declare_all(r);
	if (!rc)
		rc = find_needed(r);
	if (!rc)
		rc = onnx_check_operators(r);
	if (!rc)
		rc = read_opset(r, model);
	return rc ? rc : read_graph(r);
}

int onnx_read_graph(const void *bytes, size_t size, const char *name,
		    const struct compile_options *options, struct graph **out,
		    struct compile_error *err)
{
	static const struct compile_options defaults;
	struct onnx_reader r = { .options = options ? options : &defaults };
	const Onnx__ModelProto *model;
	ProtobufCMessage *message;
	int rc;

	rc = onnx_unpack(&onnx__model_proto__descriptor, bytes, size, &message, err);
	if (rc) {
		compile_error_prefix(err, name);
		return rc;
	}
	model = (const Onnx__ModelProto *)message;
	r.proto = model->graph;
	r.g = graph_new(r.proto ? onnx_str(r.proto->name) : "", name, err);
	rc = err->code;
	if (r.g) {
		r.g->notice = r.options->notice;
		r.g->notice_context = r.options->notice_context;
		r.g->arena.stop = r.options->stop;
		r.bodies = onnx_bodies_new(&r, message);
		rc = r.bodies ? read_model(&r, model) : err->code;
	}
	if (!rc && r.bodies->n)
		r.g->bodies = r.bodies;
	else
		onnx_free_unpacked(message);
	if (rc) {
		graph_free(r.g);
		return rc;
	}
	*out = r.g;
	return 0;
}
