// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/request.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "service/binary.h"
#include "service/dtype.h"

/* A request while it is read. */
struct reader {
	const struct signature *model;
	struct infer_request *request;
	struct refusal *why;
	struct binary_rest rest;
	char *store; /* free room in request->store */
	bool binary_output; /* what outputs are that do not say */
};

/* ---- Parameters ---------------------------------------------------------------------------- */

/* What the protocol or other servers have, and this one does not. */
static const struct {
	const char *name, *reason;
} refused[] = {
	{ "sequence_id", "nothing is kept from one request to the next" },
	{ "sequence_start", "nothing is kept from one request to the next" },
	{ "sequence_end", "nothing is kept from one request to the next" },
	{ "shared_memory_region", "memory is not shared by name; see the Unix socket" },
	{ "shared_memory_byte_size", "memory is not shared by name; see the Unix socket" },
	{ "shared_memory_offset", "memory is not shared by name; see the Unix socket" },
};

/* The parameters of @of, or NULL: it has none. */
static int find_parameters(struct reader *r, json_t *of, const char *whose, json_t **parameters)
{
	*parameters = json_object_get(of, "parameters");
	if (!*parameters)
		return 0;
	if (!json_is_object(*parameters))
		return refuse(r->why, 400, "%s: \"parameters\" is not an object", whose);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (json_object_get(*parameters, refused[i].name))
			return refuse(r->why, 400, "%s: parameter \"%s\": %s", whose,
				      refused[i].name, refused[i].reason);
	return 0;
}

/* An integer of @min to @max in *@value, which stays as it is if there is none. */
static int number(struct reader *r, json_t *parameters, const char *whose, const char *name,
		  u64 min, u64 max, u64 *value)
{
	json_t *found = json_object_get(parameters, name);
	json_int_t is = json_integer_value(found);

	if (!found)
		return 0;
	if (!json_is_integer(found) || is < 0 || (u64)is < min || (u64)is > max)
		return refuse(r->why, 400,
			      "%s: parameter \"%s\" is not an integer of %" PRIu64 " to %" PRIu64,
			      whose, name, min, max);
	*value = (u64)is;
	return 0;
}

static int boolean(struct reader *r, json_t *parameters, const char *whose, const char *name,
		   bool *value)
{
	json_t *found = json_object_get(parameters, name);

	if (found && !json_is_boolean(found))
		return refuse(r->why, 400, "%s: parameter \"%s\" is neither true nor false", whose,
			      name);
	*value = found ? json_is_true(found) : *value;
	return 0;
}

static int read_parameters(struct reader *r, json_t *root)
{
	u64 deadline = 0, priority = 0;
	json_t *parameters;

	if (find_parameters(r, root, "request", &parameters) ||
	    number(r, parameters, "request", "timeout", 0, INT64_MAX, &r->request->timeout_us) ||
	    number(r, parameters, "request", "deadline", 1, INT64_MAX, &deadline) ||
	    number(r, parameters, "request", "priority", 0, REQUEST_PRIORITY_MAX, &priority) ||
	    boolean(r, parameters, "request", "binary_data_output", &r->binary_output))
		return -1;
	if (deadline && r->request->timeout_us && deadline != r->request->timeout_us)
		return refuse(r->why, 400,
			      "request: \"timeout\" and \"deadline\" are one thing, and differ");
	if (deadline)
		r->request->timeout_us = deadline;
	if (r->request->timeout_us > REQUEST_TIMEOUT_MAX_US)
		r->request->timeout_us = 0;
	r->request->priority = priority ? (u32)priority : REQUEST_PRIORITY_DEFAULT;
	return 0;
}

/* ---- Numbers in JSON ----------------------------------------------------------------------- */

static bool in_range(enum accel_dtype dtype, json_int_t value)
{
	switch (dtype) {
	case ACCEL_U8:
		return value >= 0 && value <= UINT8_MAX;
	case ACCEL_S8:
		return value >= INT8_MIN && value <= INT8_MAX;
	case ACCEL_S32:
		return value >= INT32_MIN && value <= INT32_MAX;
	case ACCEL_BOOL:
		return value == 0 || value == 1;
	default:
		return true;
	}
}

static bool store_float(json_t *is, char *to)
{
	double value = json_number_value(is);
	float f = (float)value;

	if (!json_is_number(is) || (isinf(f) && !isinf(value)))
		return false;
	memcpy(to, &f, sizeof(f));
	return true;
}

/* Writes one element; false: @is is none of @dtype. Little-endian, as everything here. */
static bool store_element(json_t *is, enum accel_dtype dtype, char *to)
{
	json_int_t value = json_is_integer(is) ? json_integer_value(is) : json_is_true(is);

	if (dtype == ACCEL_F32)
		return store_float(is, to);
	if (!json_is_integer(is) && !(dtype == ACCEL_BOOL && json_is_boolean(is)))
		return false;
	if (!in_range(dtype, value))
		return false;
	memcpy(to, &value, dtype_bytes(dtype));
	return true;
}

/* Stores @count elements, all of an array. */
static int store_row(struct reader *r, json_t *row, const struct accel_tensor *t, u64 count)
{
	size_t step = dtype_bytes(t->dtype);

	if (!json_is_array(row) || json_array_size(row) != count)
		return refuse(r->why, 400, "input \"%.100s\": its data does not have the shape",
			      t->name);
	for (size_t i = 0; i < count; i++, r->store += step)
		if (!store_element(json_array_get(row, i), t->dtype, r->store))
			return refuse(r->why, 400,
				      "input \"%.100s\": element %zu of a row is no %s", t->name, i,
				      dtype_protocol_name(t->dtype));
	return 0;
}

/* Stores arrays of arrays, as many deep as there are dimensions from @level on. */
static int store_nested(struct reader *r, json_t *data, const struct accel_tensor *t, u32 level)
{
	if (level + 1 >= t->rank)
		return store_row(r, data, t, t->rank ? t->dim[level] : 1);
	if (!json_is_array(data) || json_array_size(data) != t->dim[level])
		return refuse(r->why, 400, "input \"%.100s\": its data does not have the shape",
			      t->name);
	for (size_t i = 0; i < t->dim[level]; i++)
		if (store_nested(r, json_array_get(data, i), t, level + 1))
			return -1;
	return 0;
}

/* Rows of a tensor, one after the other or as nested arrays. */
static int store_data(struct reader *r, json_t *data, const struct accel_tensor *t)
{
	if (json_is_array(json_array_get(data, 0)))
		return store_nested(r, data, t, 0);
	return store_row(r, data, t, t->bytes / dtype_bytes(t->dtype));
}

/* ---- Inputs -------------------------------------------------------------------------------- */

static int find_tensor(struct reader *r, json_t *is, enum accel_kind kind, u32 *index)
{
	const char *what = kind == ACCEL_INPUT ? "input" : "output";
	const char *name = json_string_value(json_object_get(is, "name"));

	if (!name)
		return refuse(r->why, 400, "an %s has no \"name\"", what);
	for (*index = 0; *index < r->model->count[kind]; ++*index)
		if (!strcmp(r->model->tensor[kind][*index].name, name))
			return 0;
	return refuse(r->why, 400, "%s \"%.100s\": the model has none of this name", what, name);
}

static int check_shape(struct reader *r, json_t *is, const struct accel_tensor *t)
{
	json_t *shape = json_object_get(is, "shape");

	if (!json_is_array(shape))
		return refuse(r->why, 400, "input \"%.100s\" has no \"shape\"", t->name);
	if (json_array_size(shape) != t->rank)
		return refuse(r->why, 400, "input \"%.100s\" has %zu dimensions; the model has %u",
			      t->name, json_array_size(shape), t->rank);
	for (u32 i = 0; i < t->rank; i++) {
		json_t *dim = json_array_get(shape, i);
		json_int_t value = json_integer_value(dim);

		if (!json_is_integer(dim) || value < 0 || (u64)value != t->dim[i])
			return refuse(r->why, 400,
				      "input \"%.100s\": dimension %u is not the model's, %" PRIu64,
				      t->name, i, t->dim[i]);
	}
	return 0;
}

static int check_datatype(struct reader *r, json_t *is, const struct accel_tensor *t)
{
	const char *datatype = json_string_value(json_object_get(is, "datatype"));
	const char *wanted = dtype_protocol_name(t->dtype);

	if (datatype && !strcmp(datatype, wanted))
		return 0;
	return refuse(r->why, 400, "input \"%.100s\": \"datatype\" is %.20s; the model has %s",
		      t->name, datatype ? datatype : "missing", wanted);
}

static int take_input(struct reader *r, json_t *is)
{
	json_t *data = json_object_get(is, "data"), *parameters;
	u64 binary = UINT64_MAX;
	const struct accel_tensor *t;
	char whose[160];
	u32 i;

	if (find_tensor(r, is, ACCEL_INPUT, &i))
		return -1;
	t = &r->model->tensor[ACCEL_INPUT][i];
	snprintf(whose, sizeof(whose), "input \"%.100s\"", t->name);
	if (r->request->input[i])
		return refuse(r->why, 400, "%s is there twice", whose);
	if (check_datatype(r, is, t) || check_shape(r, is, t) ||
	    find_parameters(r, is, whose, &parameters) ||
	    number(r, parameters, whose, "binary_data_size", 0, INT64_MAX, &binary))
		return -1;
	if (!data == (binary == UINT64_MAX))
		return refuse(r->why, 400, "%s: one of \"data\" and \"binary_data_size\" is needed",
			      whose);
	if (!data)
		return binary_take(&r->rest, t, binary, &r->request->input[i], r->why);
	r->request->input[i] = r->store;
	return store_data(r, data, t);
}

static int read_inputs(struct reader *r, json_t *root)
{
	json_t *inputs = json_object_get(root, "inputs");
	const struct accel_tensor *t = r->model->tensor[ACCEL_INPUT];

	if (!json_is_array(inputs))
		return refuse(r->why, 400, "request: \"inputs\" is not an array");
	for (size_t i = 0; i < json_array_size(inputs); i++)
		if (take_input(r, json_array_get(inputs, i)))
			return -1;
	for (u32 i = 0; i < r->model->count[ACCEL_INPUT]; i++)
		if (!r->request->input[i])
			return refuse(r->why, 400, "input \"%.100s\" is missing", t[i].name);
	if (r->rest.size)
		return refuse(r->why, 400, "%zu bytes of binary data belong to no input",
			      r->rest.size);
	return 0;
}

/* ---- Outputs ------------------------------------------------------------------------------- */

static int take_output(struct reader *r, json_t *is)
{
	struct wanted_output out = { .wanted = true, .binary = r->binary_output };
	json_t *parameters;
	u64 classes = 0;
	char whose[160];
	u32 i;

	if (find_tensor(r, is, ACCEL_OUTPUT, &i))
		return -1;
	snprintf(whose, sizeof(whose), "output \"%.100s\"", r->model->tensor[ACCEL_OUTPUT][i].name);
	if (r->request->output[i].wanted)
		return refuse(r->why, 400, "%s is there twice", whose);
	if (find_parameters(r, is, whose, &parameters) ||
	    boolean(r, parameters, whose, "binary_data", &out.binary) ||
	    number(r, parameters, whose, "classification", 0, REQUEST_CLASSES_MAX, &classes))
		return -1;
	out.classes = (u32)classes;
	if (classes && out.binary && json_object_get(parameters, "binary_data"))
		return refuse(r->why, 400, "%s: classes are not binary data", whose);
	out.binary = out.binary && !classes;
	r->request->output[i] = out;
	return 0;
}

static int read_outputs(struct reader *r, json_t *root)
{
	json_t *outputs = json_object_get(root, "outputs");

	if (outputs && !json_is_array(outputs))
		return refuse(r->why, 400, "request: \"outputs\" is not an array");
	for (size_t i = 0; i < json_array_size(outputs); i++)
		if (take_output(r, json_array_get(outputs, i)))
			return -1;
	/* Who asks for none gets all. */
	for (u32 i = 0; !json_array_size(outputs) && i < r->model->count[ACCEL_OUTPUT]; i++)
		r->request->output[i] = (struct wanted_output){ true, r->binary_output, 0 };
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static int read_id(struct reader *r, json_t *root)
{
	json_t *id = json_object_get(root, "id");
	size_t length = json_string_length(id);

	if (id && (!json_is_string(id) || length > REQUEST_ID_MAX))
		return refuse(r->why, 400, "request: \"id\" is not a text of at most %d bytes",
			      REQUEST_ID_MAX);
	if (id)
		memcpy(r->request->id, json_string_value(id), length + 1);
	return 0;
}

/* Room for everything, however much of it comes as JSON. */
static int make_room(struct reader *r)
{
	u64 bytes = 0;

	for (u32 i = 0; i < r->model->count[ACCEL_INPUT]; i++)
		bytes += r->model->tensor[ACCEL_INPUT][i].bytes;
	r->request->input = calloc(r->model->count[ACCEL_INPUT] + 1, sizeof(*r->request->input));
	r->request->output = calloc(r->model->count[ACCEL_OUTPUT] + 1, sizeof(*r->request->output));
	r->request->store = r->store = malloc(bytes + 1);
	if (!r->request->input || !r->request->output || !r->store)
		return refuse(r->why, 503, "there is no memory for the request");
	return 0;
}

int request_parse(const struct signature *model, const void *json, size_t json_size,
		  const void *binary, size_t binary_size, struct infer_request *request,
		  struct refusal *why)
{
	struct reader r = { model, request, why, { binary, binary_size }, NULL, false };
	json_error_t error;
	json_t *root = json_loadb(json, json_size, JSON_REJECT_DUPLICATES, &error);
	int rc;

	*request = (struct infer_request){ 0 };
	if (!root)
		return refuse(why, 400, "the JSON is wrong at byte %d: %.150s", error.position,
			      error.text);
	rc = json_is_object(root) ? 0 : refuse(why, 400, "the JSON is not an object");
	if (!rc)
		rc = make_room(&r);
	if (!rc)
		rc = read_id(&r, root);
	if (!rc)
		rc = read_parameters(&r, root);
	if (!rc)
		rc = read_inputs(&r, root);
	if (!rc)
		rc = read_outputs(&r, root);
	json_decref(root);
	if (rc)
		request_fini(request);
	return rc;
}

void request_fini(struct infer_request *request)
{
	free(request->input);
	free(request->output);
	free(request->store);
	*request = (struct infer_request){ 0 };
}
