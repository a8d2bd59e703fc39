// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The ONNX builder: see onnx_write.h. The model is a tree of protobuf-c's structures in which every
 * piece comes from malloc(), just as if it had been unpacked, so that protobuf-c can free it.
 */
#include "demo/onnx_write.h"
#include "tools/output.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The version of the file format that came with opset 13, and is read by everything since. */
enum { IR_VERSION = 7 };

struct onnx_writer {
	Onnx__ModelProto *model;
	bool failed; /* out of memory: the model is not to be used */
};

static void *allocate(struct onnx_writer *w, size_t size)
{
	void *p = malloc(size ? size : 1);

	w->failed |= !p;
	return p;
}

static char *copy_text(struct onnx_writer *w, const char *text, size_t length)
{
	char *copy = allocate(w, length + 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

static char *copy_string(struct onnx_writer *w, const char *text)
{
	return copy_text(w, text, strlen(text));
}

/* Appends @item to a repeated field; false, and the item is the caller's, if there is no memory. */
static bool append(struct onnx_writer *w, void *item, size_t *count, void *field)
{
	void **items, *old;

	if (!item)
		return false;
	memcpy(&old, field, sizeof(old));
	items = realloc(old, (*count + 1) * sizeof(void *));
	if (!items) {
		w->failed = true;
		return false;
	}
	items[(*count)++] = item;
	memcpy(field, &items, sizeof(items));
	return true;
}

/* A new message of the type whose initialiser is @init_fn; NULL if there is no memory. */
#define NEW(w, type, init_fn)                                  \
	({                                                     \
		type *message = allocate(w, sizeof(*message)); \
		if (message)                                   \
			init_fn(message);                      \
		message;                                       \
	})

static bool set_opset(struct onnx_writer *w, int opset)
{
	Onnx__OperatorSetIdProto *id =
		NEW(w, Onnx__OperatorSetIdProto, onnx__operator_set_id_proto__init);

	if (!append(w, id, &w->model->n_opset_import, &w->model->opset_import)) {
		free(id);
		return false;
	}
	id->domain = copy_string(w, "");
	id->has_version = 1;
	id->version = opset;
	return true;
}

struct onnx_writer *onnx_writer_create(const char *graph, const char *doc, int opset)
{
	struct onnx_writer *w = calloc(1, sizeof(*w));
	Onnx__ModelProto *m;

	if (!w)
		return NULL;
	m = w->model = NEW(w, Onnx__ModelProto, onnx__model_proto__init);
	if (!m)
		goto fail;
	m->graph = NEW(w, Onnx__GraphProto, onnx__graph_proto__init);
	if (!m->graph || !set_opset(w, opset))
		goto fail;
	m->has_ir_version = 1;
	m->ir_version = IR_VERSION;
	m->producer_name = copy_string(w, "rondo");
	m->doc_string = copy_string(w, doc);
	m->graph->name = copy_string(w, graph);
	if (!w->failed)
		return w;
fail:
	onnx_writer_destroy(w);
	return NULL;
}

void onnx_writer_destroy(struct onnx_writer *w)
{
	if (!w)
		return;
	onnx__model_proto__free_unpacked(w->model, NULL);
	free(w);
}

static void add_dimension(struct onnx_writer *w, Onnx__TensorShapeProto *shape, int64_t value)
{
	Onnx__TensorShapeProto__Dimension *dim = NEW(w, Onnx__TensorShapeProto__Dimension,
						     onnx__tensor_shape_proto__dimension__init);

	if (!append(w, dim, &shape->n_dim, &shape->dim)) {
		free(dim);
		return;
	}
	dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
	dim->dim_value = value;
}

static void fill_value(struct onnx_writer *w, Onnx__ValueInfoProto *value, const char *name,
		       enum dtype dtype, const struct shape *shape)
{
	Onnx__TypeProto__Tensor *tensor;

	value->name = copy_string(w, name);
	value->type = NEW(w, Onnx__TypeProto, onnx__type_proto__init);
	if (!value->type)
		return;
	tensor = NEW(w, Onnx__TypeProto__Tensor, onnx__type_proto__tensor__init);
	if (!tensor)
		return;
	value->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	value->type->tensor_type = tensor;
	tensor->has_elem_type = 1;
	tensor->elem_type = dtype_number(dtype);
	tensor->shape = NEW(w, Onnx__TensorShapeProto, onnx__tensor_shape_proto__init);
	for (int i = 0; tensor->shape && i < shape->rank; i++)
		add_dimension(w, tensor->shape, shape->dim[i]);
}

static void add_value(struct onnx_writer *w, size_t *count, Onnx__ValueInfoProto ***field,
		      const char *name, enum dtype dtype, const struct shape *shape)
{
	Onnx__ValueInfoProto *value;

	value = NEW(w, Onnx__ValueInfoProto, onnx__value_info_proto__init);
	if (append(w, value, count, field))
		fill_value(w, value, name, dtype, shape);
	else
		free(value);
}

void onnx_write_input(struct onnx_writer *w, const char *name, enum dtype dtype,
		      const struct shape *shape)
{
	if (w && !w->failed)
		add_value(w, &w->model->graph->n_input, &w->model->graph->input, name, dtype,
			  shape);
}

void onnx_write_output(struct onnx_writer *w, const char *name, enum dtype dtype,
		       const struct shape *shape)
{
	if (w && !w->failed)
		add_value(w, &w->model->graph->n_output, &w->model->graph->output, name, dtype,
			  shape);
}

void onnx_write_initializer(struct onnx_writer *w, const char *name, enum dtype dtype,
			    const struct shape *shape, const void *bytes)
{
	size_t size = (size_t)shape_elems(shape) * dtype_size(dtype);
	Onnx__TensorProto *tensor;

	if (!w || w->failed)
		return;
	tensor = NEW(w, Onnx__TensorProto, onnx__tensor_proto__init);
	if (!append(w, tensor, &w->model->graph->n_initializer, &w->model->graph->initializer)) {
		free(tensor);
		return;
	}
	tensor->name = copy_string(w, name);
	tensor->has_data_type = 1;
	tensor->data_type = dtype_number(dtype);
	tensor->dims = allocate(w, sizeof(int64_t) * (size_t)shape->rank);
	if (tensor->dims) {
		memcpy(tensor->dims, shape->dim, sizeof(int64_t) * (size_t)shape->rank);
		tensor->n_dims = (size_t)shape->rank;
	}
	tensor->raw_data.data = allocate(w, size);
	if (tensor->raw_data.data) {
		memcpy(tensor->raw_data.data, bytes, size);
		tensor->raw_data.len = size;
		tensor->has_raw_data = 1;
	}
}

/* Appends the names in @text, which stand between single spaces. */
static void add_names(struct onnx_writer *w, size_t *count, char ***field, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");
		char *name = copy_text(w, text, length);

		if (!append(w, name, count, field)) {
			free(name);
			return;
		}
		text += length + (text[length] == ' ');
	}
}

void onnx_write_node(struct onnx_writer *w, const char *op, const char *name, const char *inputs,
		     const char *outputs)
{
	Onnx__NodeProto *node;

	if (!w || w->failed)
		return;
	node = NEW(w, Onnx__NodeProto, onnx__node_proto__init);
	if (!append(w, node, &w->model->graph->n_node, &w->model->graph->node)) {
		free(node);
		return;
	}
	node->op_type = copy_string(w, op);
	node->name = copy_string(w, name);
	add_names(w, &node->n_input, &node->input, inputs);
	add_names(w, &node->n_output, &node->output, outputs);
}

/* A new attribute of the last node; NULL if that cannot be. */
static Onnx__AttributeProto *add_attribute(struct onnx_writer *w, const char *name,
					   Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *attribute;
	Onnx__NodeProto *node;

	if (!w || w->failed || !w->model->graph->n_node)
		return NULL;
	node = w->model->graph->node[w->model->graph->n_node - 1];
	attribute = NEW(w, Onnx__AttributeProto, onnx__attribute_proto__init);
	if (!append(w, attribute, &node->n_attribute, &node->attribute)) {
		free(attribute);
		return NULL;
	}
	attribute->name = copy_string(w, name);
	attribute->has_type = 1;
	attribute->type = type;
	return attribute;
}

void onnx_write_int(struct onnx_writer *w, const char *name, int64_t value)
{
	Onnx__AttributeProto *a =
		add_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	if (a) {
		a->has_i = 1;
		a->i = value;
	}
}

void onnx_write_ints(struct onnx_writer *w, const char *name, int count, const int64_t *values)
{
	Onnx__AttributeProto *a =
		add_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
	size_t size = sizeof(*values) * (size_t)count;

	if (!a)
		return;
	a->ints = allocate(w, size);
	if (a->ints) {
		memcpy(a->ints, values, size);
		a->n_ints = (size_t)count;
	}
}

void onnx_write_floats(struct onnx_writer *w, const char *name, int count, const float *values)
{
	Onnx__AttributeProto *a =
		add_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
	size_t size = sizeof(*values) * (size_t)count;

	if (!a)
		return;
	a->floats = allocate(w, size);
	if (a->floats) {
		memcpy(a->floats, values, size);
		a->n_floats = (size_t)count;
	}
}

void onnx_write_float(struct onnx_writer *w, const char *name, float value)
{
	Onnx__AttributeProto *a =
		add_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	if (a) {
		a->has_f = 1;
		a->f = value;
	}
}

void onnx_write_string(struct onnx_writer *w, const char *name, const char *value)
{
	Onnx__AttributeProto *a =
		add_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	if (!a)
		return;
	a->s.data = (uint8_t *)copy_string(w, value);
	if (a->s.data) {
		a->s.len = strlen(value);
		a->has_s = 1;
	}
}

void *onnx_writer_pack(struct onnx_writer *w, size_t *size)
{
	void *bytes;

	if (!w || w->failed)
		return NULL;
	*size = onnx__model_proto__get_packed_size(w->model);
	bytes = malloc(*size);
	if (bytes)
		onnx__model_proto__pack(w->model, bytes);
	return bytes;
}

int onnx_writer_save(struct onnx_writer *w, const char *path, struct compile_error *err)
{
	size_t size;
	void *bytes = onnx_writer_pack(w, &size);
	struct output_part part;
	int rc;

	if (!bytes)
		return compile_fail(err, -ENOMEM, "%s: no memory", path);
	part = (struct output_part){ bytes, size };
	rc = output_write(path, &part, 1, err);
	free(bytes);
	return rc;
}
