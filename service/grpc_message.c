// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/grpc_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/dtype.h"

/* ---- Messages ------------------------------------------------------------------------------ */

/* Empty messages in messages take far more memory than bytes: what one may take is bounded. */
static void *take(void *left, size_t size)
{
	size_t *bytes = left;

	/* Besides what is asked for, each has its overhead. */
	if (size + 32 > *bytes)
		return NULL;
	*bytes -= size + 32;
	return malloc(size ? size : 1);
}

static void give(void *left, void *bytes)
{
	(void)left;
	free(bytes);
}

void *grpc_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		  struct refusal *why)
{
	size_t left = 4 * size + (64 << 10), length;
	ProtobufCAllocator allocator = { take, give, &left };
	const u8 *prefix = bytes;
	ProtobufCMessage *message;

	if (size < GRPC_PREFIX) {
		refuse(why, 400, "there is no message");
		return NULL;
	}
	if (prefix[0]) {
		refuse(why, 415, "compressed messages are not read");
		return NULL;
	}
	length = (size_t)prefix[1] << 24 | prefix[2] << 16 | prefix[3] << 8 | prefix[4];
	if (length != size - GRPC_PREFIX) {
		refuse(why, 400, "the message has %zu bytes, and its prefix says %zu",
		       size - GRPC_PREFIX, length);
		return NULL;
	}
	message = protobuf_c_message_unpack(type, &allocator, length, prefix + GRPC_PREFIX);
	if (!message)
		refuse(why, 400, "it is no message %s, or one of too many parts", type->short_name);
	return message;
}

int grpc_pack(const void *message, struct answer *answer, struct refusal *why)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	u8 *bytes = size <= UINT32_MAX ? malloc(GRPC_PREFIX + size) : NULL;

	if (!bytes)
		return refuse(why, 503, "there is no memory for the answer");
	bytes[0] = 0;
	for (int i = 0; i < 4; i++)
		bytes[1 + i] = (u8)(size >> (24 - 8 * i));
	protobuf_c_message_pack(message, bytes + GRPC_PREFIX);
	*answer = (struct answer){ bytes, GRPC_PREFIX + size, 0 };
	return 0;
}

bool grpc_parse_timeout(const char *text, u64 *us)
{
	static const struct {
		char unit;
		u64 us;
	} units[] = {
		{ 'H', 3600000000 }, { 'M', 60000000 }, { 'S', 1000000 }, { 'm', 1000 }, { 'u', 1 }
	};
	size_t digits = strspn(text, "0123456789");
	u64 number = strtoull(text, NULL, 10);

	if (!digits || digits > 8 || !text[digits] || text[digits + 1])
		return false;
	*us = (number + 999) / 1000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text[digits])
			*us = number * units[i].us;
	return strchr("HMSmun", text[digits]);
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* An integer of @name in *@value, which stays as it is if there is none. */
static int number(Inference__NamedParameter *const *p, size_t count, const char *name, u64 max,
		  u64 *value, struct refusal *why)
{
	for (size_t i = 0; i < count; i++) {
		const Inference__Parameter *v = p[i]->value;
		bool plain = v && v->choice_case == INFERENCE__PARAMETER__CHOICE_INT64_PARAM &&
			     v->int64_param >= 0;

		if (strcmp(p[i]->key, name) != 0)
			continue;
		if (plain)
			*value = (u64)v->int64_param;
		else if (v && v->choice_case == INFERENCE__PARAMETER__CHOICE_UINT64_PARAM)
			*value = v->uint64_param;
		else
			return refuse(why, 400, "parameter \"%s\" is not a positive integer", name);
		if (*value > max)
			return refuse(why, 400, "parameter \"%s\" is not of 0 to %" PRIu64, name,
				      max);
	}
	return 0;
}

/* What the protocol or other servers have, and this one does not, or only in JSON. */
static int refuse_parameters(Inference__NamedParameter *const *p, size_t count, struct refusal *why)
{
	static const char *const refused[] = { "sequence_id",	       "sequence_start",
					       "sequence_end",	       "shared_memory_region",
					       "shared_memory_offset", "shared_memory_byte_size",
					       "classification" };

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++)
			if (!strcmp(p[i]->key, refused[k]))
				return refuse(why, 400, "parameter \"%s\" is not known by gRPC",
					      refused[k]);
	return 0;
}

static int find(const struct signature *model, enum accel_kind kind, const char *name, u32 *index,
		struct refusal *why)
{
	for (*index = 0; *index < model->count[kind]; ++*index)
		if (!strcmp(model->tensor[kind][*index].name, name))
			return 0;
	return refuse(why, 400, "%s \"%.100s\": the model has none of this name",
		      kind == ACCEL_INPUT ? "input" : "output", name);
}

static int check_input(const Inference__Input *in, const struct accel_tensor *t,
		       struct refusal *why)
{
	bool same = in->n_shape == t->rank;

	for (u32 i = 0; same && i < t->rank; i++)
		same = in->shape[i] >= 0 && (u64)in->shape[i] == t->dim[i];
	if (!same)
		return refuse(why, 400, "input \"%.100s\": its shape is not the model's", t->name);
	if (strcmp(in->datatype, dtype_protocol_name(t->dtype)) != 0)
		return refuse(why, 400,
			      "input \"%.100s\": its datatype is \"%.20s\"; the model has %s",
			      t->name, in->datatype, dtype_protocol_name(t->dtype));
	return refuse_parameters(in->parameters, in->n_parameters, why);
}

/* Element @i of the field that has those of @dtype; its type's ends are checked. */
static bool element(const Inference__Contents *c, enum accel_dtype dtype, size_t i, s64 *value)
{
	switch (dtype) {
	case ACCEL_U8:
		*value = c->uints[i];
		return *value <= UINT8_MAX;
	case ACCEL_S8:
		*value = c->ints[i];
		return *value >= INT8_MIN && *value <= INT8_MAX;
	case ACCEL_S32:
		*value = c->ints[i];
		return true;
	case ACCEL_S64:
		*value = c->int64s[i];
		return true;
	case ACCEL_BOOL:
		*value = c->bools[i] != 0;
		return true;
	default:
		memcpy(value, &c->floats[i], sizeof(float));
		return true;
	}
}

static size_t count_elements(const Inference__Contents *c, enum accel_dtype dtype)
{
	switch (dtype) {
	case ACCEL_U8:
		return c->n_uints;
	case ACCEL_S8:
	case ACCEL_S32:
		return c->n_ints;
	case ACCEL_S64:
		return c->n_int64s;
	case ACCEL_BOOL:
		return c->n_bools;
	default:
		return c->n_floats;
	}
}

static int store_contents(const Inference__Contents *c, const struct accel_tensor *t, char *to,
			  struct refusal *why)
{
	size_t step = dtype_bytes(t->dtype), count = t->bytes / step;
	s64 value = 0;

	if (!c || count_elements(c, t->dtype) != count)
		return refuse(why, 400, "input \"%.100s\": its contents are not %zu elements %s",
			      t->name, count, dtype_protocol_name(t->dtype));
	for (size_t i = 0; i < count; i++, to += step) {
		if (!element(c, t->dtype, i, &value))
			return refuse(why, 400, "input \"%.100s\": element %zu is no %s", t->name,
				      i, dtype_protocol_name(t->dtype));
		memcpy(to, &value, step);
	}
	return 0;
}

/* Input @i of @message; *@store is room for what is not raw. */
static int take_input(const struct signature *model, const Inference__InferRequest *message,
		      size_t i, char **store, struct infer_request *request, struct refusal *why)
{
	const Inference__Input *in = message->inputs[i];
	const ProtobufCBinaryData *raw = message->n_raw_inputs ? &message->raw_inputs[i] : NULL;
	const struct accel_tensor *t;
	u32 at;

	if (find(model, ACCEL_INPUT, in->name, &at, why))
		return -1;
	t = &model->tensor[ACCEL_INPUT][at];
	if (request->input[at])
		return refuse(why, 400, "input \"%.100s\" is there twice", t->name);
	if (check_input(in, t, why))
		return -1;
	if (raw && in->contents)
		return refuse(why, 400, "input \"%.100s\" has contents, and raw ones", t->name);
	if (raw && raw->len != t->bytes)
		return refuse(why, 400,
			      "input \"%.100s\": its raw contents are %zu bytes, not %" PRIu64,
			      t->name, raw->len, t->bytes);
	/* An empty one has no address. */
	request->input[at] = raw && raw->len ? (const void *)raw->data : *store;
	if (raw)
		return 0;
	if (store_contents(in->contents, t, *store, why))
		return -1;
	*store += t->bytes;
	return 0;
}

static int take_inputs(const struct signature *model, const Inference__InferRequest *message,
		       struct infer_request *request, struct refusal *why)
{
	char *store = request->store;

	if (message->n_raw_inputs && message->n_raw_inputs != message->n_inputs)
		return refuse(why, 400, "there are %zu inputs, and %zu raw contents",
			      message->n_inputs, message->n_raw_inputs);
	for (size_t i = 0; i < message->n_inputs; i++)
		if (take_input(model, message, i, &store, request, why))
			return -1;
	for (u32 i = 0; i < model->count[ACCEL_INPUT]; i++)
		if (!request->input[i])
			return refuse(why, 400, "input \"%.100s\" is missing",
				      model->tensor[ACCEL_INPUT][i].name);
	return 0;
}

static int take_outputs(const struct signature *model, const Inference__InferRequest *message,
			struct infer_request *request, struct refusal *why)
{
	u32 at;

	for (size_t i = 0; i < message->n_outputs; i++) {
		const Inference__WantedOutput *out = message->outputs[i];

		if (find(model, ACCEL_OUTPUT, out->name, &at, why) ||
		    refuse_parameters(out->parameters, out->n_parameters, why))
			return -1;
		if (request->output[at].wanted)
			return refuse(why, 400, "output \"%.100s\" is there twice", out->name);
		request->output[at].wanted = true;
	}
	/* Who asks for none gets all. */
	for (u32 i = 0; !message->n_outputs && i < model->count[ACCEL_OUTPUT]; i++)
		request->output[i].wanted = true;
	return 0;
}

static int take_parameters(const Inference__InferRequest *m, struct infer_request *request,
			   struct refusal *why)
{
	u64 priority = 0;

	if (strlen(m->id) > REQUEST_ID_MAX)
		return refuse(why, 400, "the id has more than %d bytes", REQUEST_ID_MAX);
	strcpy(request->id, m->id);
	if (refuse_parameters(m->parameters, m->n_parameters, why) ||
	    number(m->parameters, m->n_parameters, "timeout", INT64_MAX, &request->timeout_us,
		   why) ||
	    number(m->parameters, m->n_parameters, "deadline", INT64_MAX, &request->timeout_us,
		   why) ||
	    number(m->parameters, m->n_parameters, "priority", REQUEST_PRIORITY_MAX, &priority,
		   why))
		return -1;
	if (request->timeout_us > REQUEST_TIMEOUT_MAX_US)
		request->timeout_us = 0;
	request->priority = priority ? (u32)priority : REQUEST_PRIORITY_DEFAULT;
	return 0;
}

int grpc_parse_infer(const struct signature *model, const Inference__InferRequest *message,
		     struct infer_request *request, struct refusal *why)
{
	u64 bytes = 0;
	int rc = 0;

	*request = (struct infer_request){ 0 };
	for (u32 i = 0; !message->n_raw_inputs && i < model->count[ACCEL_INPUT]; i++)
		bytes += model->tensor[ACCEL_INPUT][i].bytes;
	request->input = calloc(model->count[ACCEL_INPUT] + 1, sizeof(*request->input));
	request->output = calloc(model->count[ACCEL_OUTPUT] + 1, sizeof(*request->output));
	request->store = malloc(bytes + 1);
	if (!request->input || !request->output || !request->store)
		rc = refuse(why, 503, "there is no memory for the request");
	if (!rc)
		rc = take_parameters(message, request, why);
	if (!rc)
		rc = take_inputs(model, message, request, why);
	if (!rc)
		rc = take_outputs(model, message, request, why);
	if (rc)
		request_fini(request);
	return rc;
}

/* ---- Answers ------------------------------------------------------------------------------- */

enum { COSTS = 4 };

/* An answer while it is made. */
struct maker {
	Inference__InferAnswer message;
	Inference__Output *output, **outputs;
	ProtobufCBinaryData *raw;
	Inference__Parameter value[COSTS];
	Inference__NamedParameter parameter[COSTS], *parameters[COSTS];
	char version[12];
};

static void set_costs(struct maker *m, const struct run_cost *cost)
{
	static const char *const names[COSTS] = { "device_cycles", "energy_nj", "queue_us",
						  "device_us" };
	const u64 values[COSTS] = { cost->device_cycles, cost->energy_nj, cost->queue_us,
				    cost->device_us };

	for (int i = 0; i < COSTS; i++) {
		inference__parameter__init(&m->value[i]);
		m->value[i].choice_case = INFERENCE__PARAMETER__CHOICE_INT64_PARAM;
		m->value[i].int64_param = (s64)values[i];
		inference__named_parameter__init(&m->parameter[i]);
		m->parameter[i].key = (char *)names[i];
		m->parameter[i].value = &m->value[i];
		m->parameters[i] = &m->parameter[i];
	}
	m->message.n_parameters = COSTS;
	m->message.parameters = m->parameters;
}

static void add_output(struct maker *m, const struct accel_tensor *t, const void *bytes)
{
	size_t at = m->message.n_outputs++;

	inference__output__init(&m->output[at]);
	m->output[at].name = (char *)t->name;
	m->output[at].datatype = (char *)dtype_protocol_name(t->dtype);
	m->output[at].n_shape = t->rank;
	m->output[at].shape = (int64_t *)t->dim;
	m->outputs[at] = &m->output[at];
	m->raw[at] = (ProtobufCBinaryData){ t->bytes, (u8 *)bytes };
	m->message.n_raw_outputs = m->message.n_outputs;
}

int grpc_answer_infer(const struct answer_source *s, struct answer *answer, struct refusal *why)
{
	u32 count = s->signature->count[ACCEL_OUTPUT];
	struct maker m = { .output = calloc(count + 1, sizeof(*m.output)),
			   .outputs = calloc(count + 1, sizeof(*m.outputs)),
			   .raw = calloc(count + 1, sizeof(*m.raw)) };
	int rc;

	inference__infer_answer__init(&m.message);
	m.message.model_name = (char *)s->model;
	snprintf(m.version, sizeof(m.version), "%u", s->version);
	m.message.model_version = m.version;
	m.message.id = (char *)s->request->id;
	m.message.outputs = m.outputs;
	m.message.raw_outputs = m.raw;
	set_costs(&m, &s->cost);
	if (!m.output || !m.outputs || !m.raw) {
		rc = refuse(why, 503, "there is no memory for the answer");
	} else {
		for (u32 i = 0; i < count; i++)
			if (s->request->output[i].wanted)
				add_output(&m, &s->signature->tensor[ACCEL_OUTPUT][i],
					   s->output[i]);
		rc = grpc_pack(&m.message, answer, why);
	}
	free(m.output);
	free(m.outputs);
	free(m.raw);
	return rc;
}
