// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "plugins/onnxruntime/network.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANK_MAX = 8, HASH_MIN = 64 };

/* Fields of onnx.proto's graph. */
enum { GRAPH_CONSTANT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

__attribute__((format(printf, 3, 4))) static int fail(struct network *n, int code, const char *fmt,
						      ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->error, sizeof(n->error), fmt, ap);
	va_end(ap);
	return code;
}

static int no_memory(struct network *n)
{
	return fail(n, -ENOMEM, "no memory");
}

int network_status(struct network *n, void *status)
{
	if (!status)
		return 0;
	fail(n, -EIO, "%s", ORT(n->ort, GetErrorMessage)(status));
	ORT(n->ort, ReleaseStatus)(status);
	return -EIO;
}

#define CALL(n, name, ...) network_status(n, ORT((n)->ort, name)(__VA_ARGS__))

/* ---- Reading ------------------------------------------------------------------------------- */

static u32 hash_of(const char *name)
{
	u32 hash = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 16777619u;
	return hash;
}

static u32 *place_of(struct network *n, const char *name)
{
	u32 at = hash_of(name) & (n->hash_size - 1);

	while (n->hash[at] != NETWORK_NONE && strcmp(n->values[n->hash[at]].name, name) != 0)
		at = (at + 1) & (n->hash_size - 1);
	return &n->hash[at];
}

/* Room for one more value, with the table at most half full. */
static int make_room(struct network *n)
{
	u32 size = n->hash_size ? 2 * n->hash_size : HASH_MIN;
	struct network_value *values;
	u32 *hash;

	if (n->value_count < n->value_room)
		return 0;
	values = realloc(n->values, size / 2 * sizeof(*values));
	if (!values)
		return no_memory(n);
	n->values = values;
	hash = malloc(size * sizeof(*hash));
	if (!hash)
		return no_memory(n);
	free(n->hash);
	n->hash = hash;
	n->hash_size = size;
	n->value_room = size / 2;
	memset(hash, 0xff, size * sizeof(*hash));
	for (u32 i = 0; i < n->value_count; i++)
		*place_of(n, n->values[i].name) = i;
	return 0;
}

/* The value of @info, which is NULL where an optional one is left out. */
static int take_value(struct network *n, const void *info, u32 *value)
{
	const char *name = "";
	bool constant = false;
	u32 *place;
	int rc;

	*value = NETWORK_NONE;
	if (!info)
		return 0;
	rc = CALL(n, GetValueInfoName, info, &name);
	if (rc || !*name)
		return rc;
	rc = make_room(n);
	if (rc)
		return rc;
	place = place_of(n, name);
	if (*place == NETWORK_NONE) {
		rc = CALL(n, ValueInfo_IsConstantInitializer, info, &constant);
		*place = n->value_count;
		n->values[n->value_count++] =
			(struct network_value){ name, info, NETWORK_NONE, 0, constant, false };
	}
	*value = *place;
	return rc;
}

typedef void *(*count_function)(const void *object, size_t *count);
typedef void *(*list_function)(const void *object, const void **list, size_t count);

/* The objects that @list gives of @object, for free(). */
static int list_objects(struct network *n, const void *object, count_function count,
			list_function list, const void ***objects, size_t *found)
{
	int rc = network_status(n, count(object, found));

	if (rc)
		return rc;
	*objects = calloc(*found + 1, sizeof(**objects));
	if (!*objects)
		return no_memory(n);
	rc = network_status(n, list(object, *objects, *found));
	if (rc) {
		free(*objects);
		*objects = NULL;
	}
	return rc;
}

static int take_values(struct network *n, const void **infos, size_t count, u32 **values)
{
	int rc = 0;

	*values = calloc(count + 1, sizeof(**values));
	if (!*values)
		return no_memory(n);
	for (size_t i = 0; i < count && !rc; i++)
		rc = take_value(n, infos[i], &(*values)[i]);
	return rc;
}

static int read_sides(struct network *n, struct network_node *node)
{
	const void **infos;
	size_t count;
	int rc;

	rc = list_objects(n, node->node, ORT(n->ort, Node_GetNumInputs),
			  ORT(n->ort, Node_GetInputs), &infos, &count);
	if (rc)
		return rc;
	node->input_count = (u32)count;
	rc = take_values(n, infos, count, &node->inputs);
	free(infos);
	if (!rc)
		rc = list_objects(n, node->node, ORT(n->ort, Node_GetNumOutputs),
				  ORT(n->ort, Node_GetOutputs), &infos, &count);
	if (rc)
		return rc;
	node->output_count = (u32)count;
	rc = take_values(n, infos, count, &node->outputs);
	free(infos);
	return rc;
}

static int read_node(struct network *n, u32 i)
{
	struct network_node *node = &n->nodes[i];
	int rc = CALL(n, Node_GetName, node->node, &node->name);

	if (!rc)
		rc = CALL(n, Node_GetOperatorType, node->node, &node->type);
	if (!rc)
		rc = CALL(n, Node_GetDomain, node->node, &node->domain);
	if (!rc)
		rc = read_sides(n, node);
	for (u32 k = 0; !rc && k < node->output_count; k++)
		if (node->outputs[k] != NETWORK_NONE)
			n->values[node->outputs[k]].producer = i;
	return rc;
}

static int read_outputs(struct network *n)
{
	const void **infos;
	size_t count;
	u32 value;
	int rc = list_objects(n, n->graph, ORT(n->ort, Graph_GetNumOutputs),
			      ORT(n->ort, Graph_GetOutputs), &infos, &count);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = take_value(n, infos[i], &value);
		if (!rc && value != NETWORK_NONE)
			n->values[value].output = true;
	}
	free(infos);
	return rc;
}

static int read_nodes(struct network *n)
{
	const void **nodes;
	size_t count;
	int rc = list_objects(n, n->graph, ORT(n->ort, Graph_GetNumNodes),
			      ORT(n->ort, Graph_GetNodes), &nodes, &count);

	if (rc)
		return rc;
	n->nodes = calloc(count + 1, sizeof(*n->nodes));
	if (!n->nodes)
		rc = no_memory(n);
	for (size_t i = 0; i < count && !rc; i++) {
		n->nodes[i].node = nodes[i];
		n->node_count = (u32)i + 1;
		rc = read_node(n, (u32)i);
	}
	free(nodes);
	return rc;
}

int network_read(struct network *n, const struct ort_table *ort, const void *graph)
{
	int rc;

	*n = (struct network){ .ort = ort, .graph = graph };
	rc = read_nodes(n);
	if (!rc)
		rc = read_outputs(n);
	if (rc)
		network_free(n);
	return rc;
}

int network_read_node(struct network *n, const struct ort_table *ort, const void *node)
{
	int rc;

	*n = (struct network){ .ort = ort, .node_count = 1, .nodes = calloc(1, sizeof(*n->nodes)) };
	if (!n->nodes) {
		n->node_count = 0;
		return no_memory(n);
	}
	n->nodes[0].node = node;
	rc = read_node(n, 0);
	if (rc)
		network_free(n);
	return rc;
}

void network_free(struct network *n)
{
	for (u32 i = 0; i < n->node_count; i++) {
		free(n->nodes[i].inputs);
		free(n->nodes[i].outputs);
		free(n->nodes[i].reason);
	}
	free(n->nodes);
	free(n->values);
	free(n->hash);
	n->nodes = NULL;
	n->values = NULL;
	n->hash = NULL;
	n->node_count = n->value_count = 0;
}

/* ---- Protocol buffers ---------------------------------------------------------------------- */

/* Bytes that grow; once memory has run out they stay empty. */
struct buffer {
	u8 *bytes;
	size_t size, room;
	bool failed;
};

static void put(struct buffer *b, const void *bytes, size_t size)
{
	if (b->size + size > b->room && !b->failed) {
		size_t room = 2 * (b->size + size);
		u8 *grown = realloc(b->bytes, room);

		b->failed = !grown;
		if (grown) {
			b->bytes = grown;
			b->room = room;
		}
	}
	if (b->failed)
		return;
	if (size)
		memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static void put_varint(struct buffer *b, u64 value)
{
	u8 byte;

	for (; value > 127; value >>= 7) {
		byte = (u8)(value | 128);
		put(b, &byte, 1);
	}
	byte = (u8)value;
	put(b, &byte, 1);
}

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_32 = 5 };

static void put_number(struct buffer *b, u32 field, s64 value)
{
	put_varint(b, field << 3 | WIRE_VARINT);
	put_varint(b, (u64)value);
}

static void put_bytes(struct buffer *b, u32 field, const void *bytes, size_t size)
{
	put_varint(b, field << 3 | WIRE_BYTES);
	put_varint(b, size);
	put(b, bytes, size);
}

static void put_text(struct buffer *b, u32 field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

/* Puts a message that was written on its own, and frees it. */
static void put_message(struct buffer *b, u32 field, struct buffer *message)
{
	put_bytes(b, field, message->bytes, message->size);
	b->failed |= message->failed;
	free(message->bytes);
	*message = (struct buffer){};
}

/* ---- Writing: fields by onnx.proto ---------------------------------------------------------- */

/* Reads an attribute of any length; what it is stands in *@data, for free(). */
static int read_attribute(struct network *n, const void *attribute, int type, void **data,
			  size_t *size)
{
	void *status = ORT(n->ort, ReadOpAttr)(attribute, type, NULL, 0, size);

	/* It says how much it needs, and that there is too little. */
	if (status)
		ORT(n->ort, ReleaseStatus)(status);
	else
		*size = 0;
	*data = malloc(*size + 1);
	if (!*data)
		return no_memory(n);
	return *size ? CALL(n, ReadOpAttr, attribute, type, *data, *size, size) : 0;
}

static int put_tensor(struct network *n, struct buffer *out, u32 field, const char *name,
		      const void *value)
{
	struct buffer b = {};
	int64_t dims[RANK_MAX];
	void *shape, *data;
	size_t rank, size;
	int type, rc;

	rc = CALL(n, GetTensorTypeAndShape, value, &shape);
	if (rc)
		return rc;
	rc = CALL(n, GetTensorElementType, shape, &type);
	if (!rc)
		rc = CALL(n, GetDimensionsCount, shape, &rank);
	if (!rc && rank > RANK_MAX)
		rc = fail(n, -ENOTSUP, "a constant has %zu dimensions", rank);
	if (!rc)
		rc = CALL(n, GetDimensions, shape, dims, rank);
	ORT(n->ort, ReleaseTensorTypeAndShapeInfo)(shape);
	if (!rc)
		rc = CALL(n, GetTensorSizeInBytes, value, &size);
	if (!rc)
		rc = CALL(n, GetTensorMutableData, (void *)value, &data);
	if (rc)
		return rc;
	for (size_t i = 0; i < rank; i++)
		put_number(&b, 1, dims[i]);
	put_number(&b, 2, type);
	put_text(&b, 8, name);
	put_bytes(&b, 9, data, size);
	put_message(out, field, &b);
	return 0;
}

static int put_tensor_attribute(struct network *n, struct buffer *out, const void *attribute)
{
	void *value;
	int rc = CALL(n, OpAttr_GetTensorAttributeAsOrtValue, attribute, &value);

	if (rc)
		return rc;
	rc = put_tensor(n, out, 5, "", value);
	ORT(n->ort, ReleaseValue)(value);
	return rc;
}

/* The numbers of onnx.proto: of the field with the value, and of the type. */
static int put_attribute_value(struct network *n, struct buffer *b, const void *attribute, int type)
{
	size_t size;
	void *data;
	int rc;

	if (type == ORT_ATTRIBUTE_TENSOR) {
		put_number(b, 20, 4);
		return put_tensor_attribute(n, b, attribute);
	}
	if (type < ORT_ATTRIBUTE_INT || type > ORT_ATTRIBUTE_STRING)
		return fail(n, -ENOTSUP, "it has an attribute with graphs or texts");
	rc = read_attribute(n, attribute, type, &data, &size);
	if (!rc && type == ORT_ATTRIBUTE_INT) {
		put_number(b, 20, 2);
		put_number(b, 3, *(int64_t *)data);
	} else if (!rc && type == ORT_ATTRIBUTE_FLOAT) {
		put_number(b, 20, 1);
		put_varint(b, 2 << 3 | WIRE_32);
		put(b, data, sizeof(float));
	} else if (!rc && type == ORT_ATTRIBUTE_STRING) {
		put_number(b, 20, 3);
		put_bytes(b, 4, data, size);
	} else if (!rc && type == ORT_ATTRIBUTE_INTS) {
		put_number(b, 20, 7);
		for (size_t i = 0; i < size / sizeof(int64_t); i++)
			put_number(b, 8, ((int64_t *)data)[i]);
	} else if (!rc) {
		put_number(b, 20, 6);
		put_bytes(b, 7, data, size);
	}
	free(data);
	return rc;
}

static int put_attribute(struct network *n, struct buffer *out, const void *attribute)
{
	struct buffer b = {};
	const char *name;
	int type, rc;

	rc = CALL(n, OpAttr_GetName, attribute, &name);
	if (!rc)
		rc = CALL(n, OpAttr_GetType, attribute, &type);
	if (!rc) {
		put_text(&b, 1, name);
		rc = put_attribute_value(n, &b, attribute, type);
	}
	put_message(out, 5, &b);
	return rc;
}

static int put_attributes(struct network *n, struct buffer *b, const struct network_node *node)
{
	const void **attributes;
	size_t count;
	int rc = list_objects(n, node->node, ORT(n->ort, Node_GetNumAttributes),
			      ORT(n->ort, Node_GetAttributes), &attributes, &count);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++)
		rc = put_attribute(n, b, attributes[i]);
	free(attributes);
	return rc;
}

static const char *name_of(const struct network *n, u32 value)
{
	return value == NETWORK_NONE ? "" : n->values[value].name;
}

static int put_node(struct network *n, struct buffer *out, const struct network_node *node)
{
	struct buffer b = {};
	size_t subgraphs;
	int rc;

	rc = CALL(n, Node_GetNumSubgraphs, node->node, &subgraphs);
	if (!rc && subgraphs)
		rc = fail(n, -ENOTSUP, "it has graphs of its own");
	for (u32 i = 0; i < node->input_count; i++)
		put_text(&b, 1, name_of(n, node->inputs[i]));
	for (u32 i = 0; i < node->output_count; i++)
		put_text(&b, 2, name_of(n, node->outputs[i]));
	put_text(&b, 3, node->name);
	put_text(&b, 4, node->type);
	put_text(&b, 7, node->domain);
	if (!rc)
		rc = put_attributes(n, &b, node);
	put_message(out, 1, &b);
	return rc;
}

/* An input or output of the model: of a shape that is known, or nobody could run it. */
static int put_value(struct network *n, struct buffer *out, u32 field,
		     const struct network_value *v)
{
	struct buffer shape = {}, dim = {}, tensor = {}, type = {}, b = {};
	const void *info, *t = NULL;
	int64_t dims[RANK_MAX];
	size_t rank = 0, i;
	int element, rc;

	rc = CALL(n, GetValueInfoTypeInfo, v->info, &info);
	if (!rc)
		rc = CALL(n, CastTypeInfoToTensorInfo, info, &t);
	if (!rc && !t)
		rc = fail(n, -ENOTSUP, "\"%.100s\" is no tensor", v->name);
	if (!rc)
		rc = CALL(n, GetTensorElementType, t, &element);
	if (!rc)
		rc = CALL(n, GetDimensionsCount, t, &rank);
	if (!rc && rank > RANK_MAX)
		rc = fail(n, -ENOTSUP, "\"%.100s\" has %zu dimensions", v->name, rank);
	if (!rc)
		rc = CALL(n, GetDimensions, t, dims, rank);
	/* One whose shape is not known has no dimensions, too, as a single number. */
	if (!rc && !rank && field == GRAPH_INPUT)
		rc = fail(n, -ENOTSUP, "the shape of its input \"%.100s\" is not known", v->name);
	for (i = 0; i < rank && !rc; i++) {
		if (dims[i] < 0 && field == GRAPH_INPUT)
			rc = fail(n, -ENOTSUP, "dimension %zu of its input \"%.100s\" is open", i,
				  v->name);
		if (dims[i] >= 0)
			put_number(&dim, 1, dims[i]);
		put_message(&shape, 1, &dim);
	}
	if (rc) {
		free(shape.bytes);
		return rc;
	}
	put_number(&tensor, 1, element);
	if (rank)
		put_message(&tensor, 2, &shape);
	put_message(&type, 1, &tensor);
	put_text(&b, 1, v->name);
	put_message(&b, 2, &type);
	put_message(out, field, &b);
	return 0;
}

/* A constant, an input of the set, or nothing if another of its nodes makes it. */
static int put_input(struct network *n, struct buffer *b, u32 part, u32 value)
{
	struct network_value *v = value == NETWORK_NONE ? NULL : &n->values[value];
	const void *constant;
	int rc;

	if (!v || v->stamp == n->stamp ||
	    (v->producer != NETWORK_NONE && n->nodes[v->producer].part == part))
		return 0;
	v->stamp = n->stamp;
	if (!v->constant)
		return put_value(n, b, GRAPH_INPUT, v);
	rc = CALL(n, ValueInfo_GetInitializerValue, v->info, &constant);
	return rc ? rc : put_tensor(n, b, GRAPH_CONSTANT, v->name, constant);
}

static int put_inputs(struct network *n, struct buffer *b, u32 part, u32 *node)
{
	int rc = 0;

	for (u32 i = 0; i < n->node_count && !rc; i++) {
		*node = i;
		for (u32 k = 0; n->nodes[i].part == part && k < n->nodes[i].input_count && !rc; k++)
			rc = put_input(n, b, part, n->nodes[i].inputs[k]);
	}
	return rc;
}

/* Marks what nodes outside of the set read. */
static void stamp_read(struct network *n, u32 part)
{
	n->stamp++;
	for (u32 i = 0; i < n->node_count; i++)
		for (u32 k = 0; n->nodes[i].part != part && k < n->nodes[i].input_count; k++)
			if (n->nodes[i].inputs[k] != NETWORK_NONE)
				n->values[n->nodes[i].inputs[k]].stamp = n->stamp;
}

static int put_outputs(struct network *n, struct buffer *b, u32 part, u32 *node)
{
	int rc = 0;

	stamp_read(n, part);
	for (u32 i = 0; i < n->node_count && !rc; i++) {
		*node = i;
		for (u32 k = 0; n->nodes[i].part == part && k < n->nodes[i].output_count && !rc;
		     k++) {
			u32 value = n->nodes[i].outputs[k];

			if (value != NETWORK_NONE &&
			    (n->values[value].output || n->values[value].stamp == n->stamp))
				rc = put_value(n, b, GRAPH_OUTPUT, &n->values[value]);
		}
	}
	return rc;
}

static int put_graph(struct network *n, struct buffer *b, u32 part, u32 *node)
{
	int rc = 0;

	for (u32 i = 0; i < n->node_count && !rc; i++) {
		*node = i;
		if (n->nodes[i].part == part)
			rc = put_node(n, b, &n->nodes[i]);
	}
	put_text(b, 2, "rondo");
	n->stamp++;
	if (!rc)
		rc = put_inputs(n, b, part, node);
	return rc ? rc : put_outputs(n, b, part, node);
}

static int put_operator_sets(struct network *n, struct buffer *out)
{
	struct buffer b = {};
	const char **domains;
	int64_t *versions;
	size_t count;
	int rc = CALL(n, Graph_GetNumOperatorSets, n->graph, &count);

	if (rc)
		return rc;
	domains = calloc(count + 1, sizeof(*domains));
	versions = calloc(count + 1, sizeof(*versions));
	rc = domains && versions ?
		     CALL(n, Graph_GetOperatorSets, n->graph, domains, versions, count) :
		     no_memory(n);
	for (size_t i = 0; i < count && !rc; i++) {
		put_text(&b, 1, domains[i]);
		put_number(&b, 2, versions[i]);
		put_message(out, 8, &b);
	}
	free(domains);
	free(versions);
	return rc;
}

int network_write(struct network *n, u32 part, void **bytes, size_t *size, u32 *node)
{
	struct buffer b = {}, graph = {};
	int64_t version;
	int rc = CALL(n, Graph_GetOnnxIRVersion, n->graph, &version);

	*node = 0;
	if (!rc) {
		put_number(&b, 1, version);
		rc = put_operator_sets(n, &b);
	}
	if (!rc)
		rc = put_graph(n, &graph, part, node);
	put_message(&b, 7, &graph);
	if (!rc && b.failed)
		rc = no_memory(n);
	if (rc) {
		free(b.bytes);
		return rc;
	}
	*bytes = b.bytes;
	*size = b.size;
	return 0;
}

int network_string(struct network *n, const void *node, const char *name, void **bytes,
		   size_t *size)
{
	const void *attribute = NULL;
	int rc = CALL(n, Node_GetAttributeByName, node, name, &attribute);

	if (rc || !attribute)
		return fail(n, -ENOENT, "it has no attribute \"%s\"", name);
	rc = read_attribute(n, attribute, ORT_ATTRIBUTE_STRING, bytes, size);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
	}
	return rc;
}
