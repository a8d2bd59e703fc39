// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/grpc_call.h"

#include <stdlib.h>
#include <string.h>

#include "service/dtype.h"
#include "service/grpc_message.h"

struct grpc_method {
	const char *path;
	const ProtobufCMessageDescriptor *type;
	/* Begins it: 1: it is under way; 0: it has ended; or -1 and why. */
	int (*begin)(struct grpc_call *call);
	/* Makes the answer. 0, or -1 and why. */
	int (*finish)(struct grpc_call *call);
};

static void free_message(struct grpc_call *call)
{
	if (call->message)
		protobuf_c_message_free_unpacked(call->message, NULL);
	call->message = NULL;
}

static int nothing_to_do(struct grpc_call *call)
{
	(void)call;
	return 0;
}

/* ---- The server ---------------------------------------------------------------------------- */

static int answer_truth(struct grpc_call *call, bool is)
{
	Inference__Truth truth = INFERENCE__TRUTH__INIT;

	truth.is = is;
	return grpc_pack(&truth, &call->exchange.answer, &call->exchange.why);
}

static int answer_live(struct grpc_call *call)
{
	return answer_truth(call, true);
}

static int answer_ready(struct grpc_call *call)
{
	return answer_truth(call, server_ready(call->exchange.server));
}

static int answer_server(struct grpc_call *call)
{
	static char *extensions[] = { (char *)"model_repository", (char *)"schedule_policy" };
	Inference__ServerMetadata m = INFERENCE__SERVER_METADATA__INIT;

	m.name = (char *)"rondod";
	m.version = (char *)RONDO_VERSION;
	m.n_extensions = sizeof(extensions) / sizeof(extensions[0]);
	m.extensions = extensions;
	return grpc_pack(&m, &call->exchange.answer, &call->exchange.why);
}

/* ---- Models -------------------------------------------------------------------------------- */

static int find_model(struct grpc_call *call, const char *name, const char *version)
{
	struct exchange *e = &call->exchange;
	u32 number = *version ? model_version_parse(version) : 0;

	if (*version && !number)
		return refuse(&e->why, 404, "\"%.40s\" is no version", version);
	e->model = registry_find(e->server->registry, name, number, &e->why);
	return e->model ? 0 : -1;
}

static int begin_model(struct grpc_call *call)
{
	const Inference__ModelName *m = call->message;

	return find_model(call, m->name, m->version);
}

/* One that is known and not ready is no error. */
static int begin_model_ready(struct grpc_call *call)
{
	struct refusal *why = &call->exchange.why;

	if (begin_model(call) && why->status == 404)
		return -1;
	why->status = 0;
	return 0;
}

static int answer_model_ready(struct grpc_call *call)
{
	return answer_truth(call, call->exchange.model);
}

enum { TENSORS_MAX = 64 };

static size_t describe(const struct signature *s, enum accel_kind kind,
		       Inference__ModelMetadata__Tensor *tensors,
		       Inference__ModelMetadata__Tensor **pointers)
{
	size_t count = s->count[kind] < TENSORS_MAX ? s->count[kind] : TENSORS_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct accel_tensor *t = &s->tensor[kind][i];

		inference__model_metadata__tensor__init(&tensors[i]);
		tensors[i].name = (char *)t->name;
		tensors[i].datatype = (char *)dtype_protocol_name(t->dtype);
		tensors[i].n_shape = t->rank;
		tensors[i].shape = (int64_t *)t->dim;
		pointers[i] = &tensors[i];
	}
	return count;
}

static int answer_model(struct grpc_call *call)
{
	Inference__ModelMetadata m = INFERENCE__MODEL_METADATA__INIT;
	Inference__ModelMetadata__Tensor tensors[2][TENSORS_MAX], *pointers[2][TENSORS_MAX];
	const struct model *model = call->exchange.model;
	char version[12], *versions[1] = { version };

	snprintf(version, sizeof(version), "%u", model->version);
	m.name = (char *)model->name;
	m.n_versions = 1;
	m.versions = versions;
	m.platform = (char *)"rondo";
	m.inputs = pointers[ACCEL_INPUT];
	m.n_inputs = describe(&model->signature, ACCEL_INPUT, tensors[ACCEL_INPUT],
			      pointers[ACCEL_INPUT]);
	m.outputs = pointers[ACCEL_OUTPUT];
	m.n_outputs = describe(&model->signature, ACCEL_OUTPUT, tensors[ACCEL_OUTPUT],
			       pointers[ACCEL_OUTPUT]);
	return grpc_pack(&m, &call->exchange.answer, &call->exchange.why);
}

/* ---- Inference ----------------------------------------------------------------------------- */

static int begin_infer(struct grpc_call *call)
{
	const Inference__InferRequest *m = call->message;
	struct exchange *e = &call->exchange;

	if (find_model(call, m->model_name, m->model_version) ||
	    grpc_parse_infer(&e->model->signature, m, &e->request, &e->why))
		return -1;
	return exchange_run(e) ? -1 : 1;
}

static int answer_infer(struct grpc_call *call)
{
	int rc = exchange_answer(&call->exchange, grpc_answer_infer);

	free_message(call);
	return rc;
}

/* ---- The repository ------------------------------------------------------------------------ */

static int begin_order(struct grpc_call *call, enum registry_action action)
{
	const Inference__LoadRequest *m = call->message;
	struct exchange *e = &call->exchange;
	const char *name = *m->second ? m->second : m->first;

	if (!model_name_valid(name))
		return refuse(&e->why, 404, "\"%.140s\": no model has such a name", name);
	strcpy(e->route.model, name);
	exchange_order(e, action);
	return 1;
}

static int begin_load(struct grpc_call *call)
{
	return begin_order(call, REGISTRY_LOAD);
}

static int begin_unload(struct grpc_call *call)
{
	return begin_order(call, REGISTRY_UNLOAD);
}

static int answer_order(struct grpc_call *call)
{
	Inference__LoadAnswer m = INFERENCE__LOAD_ANSWER__INIT;
	struct exchange *e = &call->exchange;

	e->why = e->order.why;
	if (e->order.failed)
		return -1;
	m.model_name = e->route.model;
	m.done = true;
	return grpc_pack(&m, &e->answer, &e->why);
}

/* ---- All of them --------------------------------------------------------------------------- */

#define SERVICE "/inference.GRPCInferenceService/"

static const struct grpc_method methods[] = {
	{ SERVICE "ModelInfer", &inference__infer_request__descriptor, begin_infer, answer_infer },
	{ SERVICE "ServerLive", &inference__nothing__descriptor, nothing_to_do, answer_live },
	{ SERVICE "ServerReady", &inference__nothing__descriptor, nothing_to_do, answer_ready },
	{ SERVICE "ServerMetadata", &inference__nothing__descriptor, nothing_to_do, answer_server },
	{ SERVICE "ModelReady", &inference__model_name__descriptor, begin_model_ready,
	  answer_model_ready },
	{ SERVICE "ModelMetadata", &inference__model_name__descriptor, begin_model, answer_model },
	{ SERVICE "RepositoryModelLoad", &inference__load_request__descriptor, begin_load,
	  answer_order },
	{ SERVICE "RepositoryModelUnload", &inference__load_request__descriptor, begin_unload,
	  answer_order },
};

const struct grpc_method *grpc_method_find(const char *path)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].path, path))
			return &methods[i];
	return NULL;
}

bool grpc_call_begin(struct grpc_call *call)
{
	struct exchange *e = &call->exchange;
	int rc = -1;

	call->message = grpc_unpack(call->method->type, e->body, e->body_size, &e->why);
	free(e->body);
	e->body = NULL;
	if (call->message)
		rc = call->method->begin(call);
	if (rc < 0 && !e->why.status)
		refuse(&e->why, 500, "the call failed");
	return rc == 1;
}

int grpc_call_finish(struct grpc_call *call)
{
	if (call->exchange.why.status && !call->exchange.answer.bytes)
		return -1;
	return call->method->finish(call);
}

void grpc_call_fini(struct grpc_call *call)
{
	free_message(call);
	exchange_fini(&call->exchange);
}

u32 grpc_status(const struct refusal *why)
{
	switch (why->status) {
	case 400:
		return GRPC_INVALID_ARGUMENT;
	case 404:
		return GRPC_NOT_FOUND;
	case 405:
	case 415:
		return GRPC_UNIMPLEMENTED;
	case 413:
		return GRPC_RESOURCE_EXHAUSTED;
	case 503:
		return why->earliest_us ? GRPC_DEADLINE_EXCEEDED : GRPC_UNAVAILABLE;
	default:
		return GRPC_INTERNAL;
	}
}
