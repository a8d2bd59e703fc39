// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ModelProto -> graph: the model's inputs, initializers, nodes and outputs. Nodes are read in
 * onnx_node.c, tensors in onnx_tensor.c.
 *
 * The file is not trusted. protobuf-c sees it only after onnx_wire_check(); names are looked up,
 * never assumed; every size is compared before it is used. Whatever the reader accepts is a graph
 * for which graph_check() holds.
 */
#include "compiler/onnx_read.h"
#include "compiler/graph_sort.h"
#include "compiler/onnx_tensor.h"
#include "compiler/onnx_wire.h"

#include <errno.h>
#include <string.h>

int onnx_declare(struct onnx_reader *r, struct value *v)
{
	if (!name_table_add(&r->names, &r->g->arena, v))
		return graph_fail(r->g, -EINVAL, "the name \"%.120s\" is given to two tensors",
				  v->name);
	return 0;
}

static int read_opset(struct onnx_reader *r, const Onnx__ModelProto *model)
{
	s64 opset = 0;

	for (size_t i = 0; i < model->n_opset_import; i++) {
		const char *domain = onnx_str(model->opset_import[i]->domain);

		if (!domain[0] || !strcmp(domain, "ai.onnx"))
			opset = model->opset_import[i]->version;
	}
	if (!opset)
		return graph_fail(r->g, -EINVAL, "it names no operator set");
	if (opset < GRAPH_OPSET_MIN || opset > GRAPH_OPSET_MAX)
		return graph_fail(r->g, -ENOTSUP,
				  "operator set %lld is not supported, only %d to %d",
				  (long long)opset, GRAPH_OPSET_MIN, GRAPH_OPSET_MAX);
	r->g->opset = (int)opset;
	return 0;
}

/* What is most likely wrong comes first: no model at all, another operator, another version. */
static int read_header(struct onnx_reader *r, const Onnx__ModelProto *model)
{
	int rc;

	if (!model->graph || !model->graph->n_node)
		return graph_fail(r->g, -EINVAL, "it has no nodes: not an ONNX model?");
	rc = onnx_check_operators(r);
	if (!rc)
		rc = read_opset(r, model);
	if (!rc && model->graph->n_sparse_initializer)
		rc = graph_fail(r->g, -ENOTSUP, "sparse initializers are not supported");
	return rc;
}

static int read_initializer(struct onnx_reader *r, const Onnx__TensorProto *p)
{
	const char *name = onnx_str(p->name);
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	struct value *v;

	if (!name[0])
		return graph_fail(r->g, -EINVAL, "an initializer has no name");
	if (onnx_tensor_decode(p, &t, &err))
		return graph_fail(r->g, err.code, "initializer \"%.120s\": %s", name, err.text);
	v = graph_const(r->g, name, t.dtype, &t.shape, t.bytes);
	tensor_data_free(&t);
	return v ? onnx_declare(r, v) : r->g->err->code;
}

/* ---- Inputs -------------------------------------------------------------------------------- */

/* The name of a dimension without a number, "" if it has none. */
static const char *onnx_symbol(const Onnx__TensorShapeProto__Dimension *d)
{
	if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
		return "";
	return onnx_str(d->dim_param);
}

/* The size of dimension @at; one without a number takes it from the options, else it is 1. */
static int read_dim(const struct onnx_reader *r, const char *input, size_t at,
		    const Onnx__TensorShapeProto__Dimension *d, s64 *out)
{
	const char *symbol = onnx_symbol(d);
	char text[300];

	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
		*out = d->dim_value;
		return 0;
	}
	for (size_t i = 0; i < r->options->n_dims; i++) {
		if (symbol[0] && !strcmp(r->options->dims[i].name, symbol)) {
			*out = r->options->dims[i].size;
			return 0;
		}
	}
	*out = 1;
	snprintf(text, sizeof(text),
		 "%.100s: input \"%.80s\": dimension %zu \"%.40s\" has no size, 1 is used",
		 r->g->source, input, at, symbol);
	if (r->options->notice)
		r->options->notice(r->options->notice_context, text);
	return 0;
}

static int read_input_type(const struct onnx_reader *r, const Onnx__ValueInfoProto *p,
			   enum dtype *dtype, struct shape *shape)
{
	const Onnx__TypeProto__Tensor *t;
	int rc = 0;

	if (!p->type || p->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
	    !p->type->tensor_type)
		return graph_fail(r->g, -ENOTSUP, "input \"%.120s\": it is not a tensor", p->name);
	t = p->type->tensor_type;
	if (!dtype_from_number(t->elem_type, dtype))
		return graph_fail(r->g, -ENOTSUP,
				  "input \"%.120s\": data type %s (%d) is not supported", p->name,
				  onnx_dtype_name(t->elem_type), t->elem_type);
	if (!t->shape)
		return graph_fail(r->g, -ENOTSUP, "input \"%.120s\": it has no shape", p->name);
	if (t->shape->n_dim > TENSOR_RANK_MAX)
		return graph_fail(r->g, -EFBIG, "input \"%.120s\": %zu dimensions, the limit is %d",
				  p->name, t->shape->n_dim, TENSOR_RANK_MAX);
	shape->rank = (int)t->shape->n_dim;
	for (size_t i = 0; i < t->shape->n_dim && !rc; i++) {
		rc = read_dim(r, p->name, i, t->shape->dim[i], &shape->dim[i]);
		if (!rc && shape->dim[i] < 0)
			rc = graph_fail(r->g, -EINVAL, "input \"%.120s\": dimension %zu is %lld",
					p->name, i, (long long)shape->dim[i]);
	}
	if (!rc && !shape_valid(shape))
		rc = graph_fail(r->g, -EFBIG, "input \"%.120s\": it exceeds %lld elements", p->name,
				(long long)TENSOR_ELEMS_MAX);
	return rc;
}

static const struct tensor_data *find_bake(const struct onnx_reader *r, const char *name)
{
	for (size_t i = 0; i < r->options->n_bakes; i++) {
		if (!strcmp(r->options->bakes[i].name, name))
			return r->options->bakes[i].value;
	}
	return NULL;
}

static int bake_input(struct onnx_reader *r, const char *name, enum dtype dtype,
		      const struct shape *shape, const struct tensor_data *t)
{
	char want[SHAPE_TEXT_MAX], have[SHAPE_TEXT_MAX];
	struct value *v;

	if (t->dtype != dtype || !shape_equal(&t->shape, shape))
		return graph_fail(r->g, -EINVAL,
				  "input \"%.120s\" is %s%s, the constant for it %s%s", name,
				  dtype_name(dtype), shape_text(shape, want), dtype_name(t->dtype),
				  shape_text(&t->shape, have));
	v = graph_const(r->g, name, dtype, shape, t->bytes);
	return v ? onnx_declare(r, v) : r->g->err->code;
}

static int read_input(struct onnx_reader *r, const Onnx__ValueInfoProto *p)
{
	const char *name = onnx_str(p->name);
	const struct value *known = name_table_get(&r->names, name);
	const struct tensor_data *bake = find_bake(r, name);
	struct shape shape = { 0 };
	enum dtype dtype;
	struct value *v;
	int rc;

	if (!name[0])
		return graph_fail(r->g, -EINVAL, "an input has no name");
	/* Up to version 3 of the format every initializer is listed as an input, too. */
	if (known && known->data && !bake)
		return 0;
	rc = read_input_type(r, p, &dtype, &shape);
	if (rc)
		return rc;
	if (bake)
		return bake_input(r, name, dtype, &shape, bake);
	v = graph_value(r->g, name);
	value_set_type(v, dtype, &shape);
	rc = onnx_declare(r, v);
	if (!rc)
		graph_add_input(r->g, v);
	return rc;
}

static bool has_symbol(const Onnx__GraphProto *proto, const char *symbol)
{
	for (size_t i = 0; i < proto->n_input; i++) {
		const Onnx__TypeProto *type = proto->input[i]->type;
		const Onnx__TensorShapeProto *shape = NULL;

		if (type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
			shape = type->tensor_type->shape;
		for (size_t d = 0; shape && d < shape->n_dim; d++) {
			if (!strcmp(onnx_symbol(shape->dim[d]), symbol))
				return true;
		}
	}
	return false;
}

/* What the user names must exist: a typing error must not go unnoticed. */
static int check_options(const struct onnx_reader *r)
{
	for (size_t i = 0; i < r->options->n_bakes; i++) {
		const char *name = r->options->bakes[i].name;
		bool found = false;

		for (size_t k = 0; k < r->proto->n_input && !found; k++)
			found = !strcmp(onnx_str(r->proto->input[k]->name), name);
		if (!found)
			return graph_fail(r->g, -EINVAL, "there is no input \"%.120s\"", name);
	}
	for (size_t i = 0; i < r->options->n_dims; i++) {
		const struct compile_dim *d = &r->options->dims[i];

		if (d->size < 1)
			return graph_fail(r->g, -EINVAL, "the size of \"%.120s\" is %lld", d->name,
					  (long long)d->size);
		if (!has_symbol(r->proto, d->name))
			return graph_fail(r->g, -EINVAL, "no input has a dimension \"%.120s\"",
					  d->name);
	}
	return 0;
}

/* ---- The graph ----------------------------------------------------------------------------- */

static int read_outputs(struct onnx_reader *r)
{
	for (size_t i = 0; i < r->proto->n_output; i++) {
		const char *name = onnx_str(r->proto->output[i]->name);
		struct value *v = name_table_get(&r->names, name);

		if (!v)
			return graph_fail(r->g, -EINVAL, "nothing produces the output \"%.120s\"",
					  name);
		if (v->is_output)
			return graph_fail(r->g, -EINVAL, "the output \"%.120s\" is listed twice",
					  name);
		graph_add_output(r->g, v);
	}
	return r->g->outputs.n ? 0 : graph_fail(r->g, -EINVAL, "it has no outputs");
}

static int read_graph(struct onnx_reader *r)
{
	const Onnx__GraphProto *p = r->proto;
	int rc = check_options(r);

	for (size_t i = 0; i < p->n_initializer && !rc; i++)
		rc = read_initializer(r, p->initializer[i]);
	for (size_t i = 0; i < p->n_input && !rc; i++)
		rc = read_input(r, p->input[i]);
	for (size_t i = 0; i < p->n_node && !rc; i++)
		rc = onnx_declare_outputs(r, p->node[i]);
	for (size_t i = 0; i < p->n_node && !rc; i++)
		rc = onnx_add_node(r, p->node[i]);
	if (!rc)
		rc = read_outputs(r);
	if (!rc)
		rc = graph_sort(r->g);
	return rc;
}

int onnx_read_graph(const void *bytes, size_t size, const char *name,
		    const struct compile_options *options, struct graph **out,
		    struct compile_error *err)
{
	static const struct compile_options defaults;
	struct onnx_reader r = { .options = options ? options : &defaults };
	Onnx__ModelProto *model;
	int rc;

	rc = onnx_wire_check(&onnx__model_proto__descriptor, bytes, size, err);
	if (rc) {
		compile_error_prefix(err, name);
		return rc;
	}
	model = onnx__model_proto__unpack(NULL, size, bytes);
	if (!model)
		return compile_fail(err, -EINVAL, "%.200s: not an ONNX model", name);
	r.proto = model->graph;
	r.g = graph_new(r.proto ? onnx_str(r.proto->name) : "", name, err);
	rc = read_header(&r, model);
	if (!rc)
		rc = read_graph(&r);
	onnx__model_proto__free_unpacked(model, NULL);
	if (rc) {
		graph_free(r.g);
		return rc;
	}
	*out = r.g;
	return 0;
}
