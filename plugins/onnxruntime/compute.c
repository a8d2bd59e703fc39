// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnxruntime/provider.h"

enum { RANK_MAX = 8 };

/* An input or output of the fused node. */
struct end {
	char *name;
	u32 index; /* of the program's; ACCEL_UNKNOWN: it has none */
	struct accel_tensor tensor;
};

struct ends {
	struct end *at;
	u32 count;
};

struct computation {
	struct ort_compute ort; /* the first */
	struct provider *provider;
	struct accel_model *model;
	struct accel_pool *pool;
	struct ends in, out;
};

/* ---- Runs ---------------------------------------------------------------------------------- */

static void shape_text(const int64_t *dims, size_t rank, char text[128])
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < rank && at < 128; i++)
		at += (size_t)snprintf(text + at, 128 - at, "%s%lld", i ? "," : "",
				       (long long)dims[i]);
}

/* Whether @value is what the program was compiled for. */
static void *check(const struct provider *p, const void *value, const struct end *end)
{
	int64_t dims[RANK_MAX], want[RANK_MAX];
	char is[128], expected[128];
	size_t rank = 0, i;
	int type = 0;
	void *shape, *status = ORT(p->api, GetTensorTypeAndShape)(value, &shape);

	if (status)
		return status;
	status = ORT(p->api, GetTensorElementType)(shape, &type);
	if (!status)
		status = ORT(p->api, GetDimensionsCount)(shape, &rank);
	if (!status && rank == end->tensor.rank)
		status = ORT(p->api, GetDimensions)(shape, dims, rank);
	ORT(p->api, ReleaseTensorTypeAndShapeInfo)(shape);
	if (status)
		return status;
	for (i = 0; i < end->tensor.rank; i++)
		want[i] = (int64_t)end->tensor.dim[i];
	if (type == (int)end->tensor.dtype && rank == end->tensor.rank &&
	    !memcmp(dims, want, rank * sizeof(*want)))
		return NULL;
	shape_text(dims, rank == end->tensor.rank ? rank : 0, is);
	shape_text(want, end->tensor.rank, expected);
	return provider_fail(
		p, ORT_INVALID_ARGUMENT,
		"input \"%.100s\" is of type %d and [%s], and the program was compiled for type %d "
		"and [%s]",
		end->name, type, is, (int)end->tensor.dtype, expected);
}

static void *take_inputs(const struct computation *c, struct accel_instance *instance,
			 void *context)
{
	const struct ort_table *api = c->provider->api;
	const void *value;
	void *from, *to, *status = NULL;
	uint64_t bytes;

	for (u32 i = 0; i < c->in.count && !status; i++) {
		const struct end *end = &c->in.at[i];

		if (end->index == ACCEL_UNKNOWN)
			continue;
		status = ORT(api, KernelContext_GetInput)(context, i, &value);
		if (!status)
			status = check(c->provider, value, end);
		if (!status)
			status = ORT(api, GetTensorMutableData)((void *)value, &from);
		if (!status &&
		    !accel_instance_tensor(instance, ACCEL_INPUT, end->index, &to, &bytes))
			memcpy(to, from, bytes);
	}
	return status;
}

static void *give_outputs(const struct computation *c, struct accel_instance *instance,
			  void *context)
{
	const struct ort_table *api = c->provider->api;
	int64_t dims[RANK_MAX];
	void *from, *to, *value, *status = NULL;
	uint64_t bytes;

	for (u32 i = 0; i < c->out.count && !status; i++) {
		const struct end *end = &c->out.at[i];

		for (u32 d = 0; d < end->tensor.rank; d++)
			dims[d] = (int64_t)end->tensor.dim[d];
		status = ORT(api, KernelContext_GetOutput)(context, i, dims, end->tensor.rank,
							   &value);
		if (!status)
			status = ORT(api, GetTensorMutableData)(value, &to);
		if (!status &&
		    !accel_instance_tensor(instance, ACCEL_OUTPUT, end->index, &from, &bytes))
			memcpy(to, from, bytes);
	}
	return status;
}

static void *run(const struct computation *c, struct accel_instance *instance, void *context)
{
	struct accel_error error = {};
	void *status = take_inputs(c, instance, context);
	int ret;

	if (status)
		return status;
	ret = accel_instance_start(instance);
	if (!ret)
		ret = accel_instance_wait(instance, ACCEL_FOREVER);
	if (!ret)
		return give_outputs(c, instance, context);
	accel_instance_error(instance, &error);
	return provider_fail(c->provider, ORT_FAIL, "%s",
			     error.text[0] ? error.text : strerror(-ret));
}

static void *compute(struct ort_compute *self, void *state, void *context)
{
	struct computation *c = (struct computation *)self;
	struct accel_instance *instance;
	void *status;
	int ret = accel_pool_acquire(c->pool, ACCEL_FOREVER, &instance);

	(void)state;
	if (ret)
		return provider_fail(c->provider, ORT_FAIL, "%s", strerror(-ret));
	status = run(c, instance, context);
	accel_instance_release(instance);
	return status;
}

static void *create_state(struct ort_compute *self, void *context, void **state)
{
	(void)context;
	*state = self; /* all that there is belongs to the computation */
	return NULL;
}

static void release_state(struct ort_compute *self, void *state)
{
	(void)self;
	(void)state;
}

/* ---- Compilation --------------------------------------------------------------------------- */

static void ends_free(struct ends *ends)
{
	for (u32 i = 0; i < ends->count; i++)
		free(ends->at[i].name);
	free(ends->at);
}

static void computation_free(struct computation *c)
{
	if (!c)
		return;
	accel_pool_destroy(c->pool);
	accel_model_destroy(c->model);
	ends_free(&c->in);
	ends_free(&c->out);
	free(c);
}

/* The ends of the fused node by the names that the program has for them. */
static void *find_ends(struct computation *c, enum accel_kind kind, const struct network *n,
		       const u32 *values, u32 count, struct ends *ends)
{
	ends->at = calloc(count + 1, sizeof(*ends->at));
	if (!ends->at)
		return provider_fail(c->provider, ORT_FAIL, "no memory");
	for (u32 i = 0; i < count; i++) {
		struct end *end = &ends->at[i];

		end->index = ACCEL_UNKNOWN;
		end->name = strdup(values[i] == NETWORK_NONE ? "" : n->values[values[i]].name);
		ends->count = i + 1;
		if (!end->name)
			return provider_fail(c->provider, ORT_FAIL, "no memory");
		accel_model_find(c->model, kind, end->name, &end->index, &end->tensor);
		if (end->index == ACCEL_UNKNOWN && kind == ACCEL_OUTPUT)
			return provider_fail(c->provider, ORT_FAIL,
					     "the program has no output \"%.100s\"", end->name);
	}
	return NULL;
}

static void *open_model(struct computation *c, const void *file, size_t size)
{
	const struct accel_pool_options options = { .instances = c->provider->instances };
	struct accel_error error = {};
	int ret = accel_model_parse(file, size, &c->model, &error);

	if (!ret)
		ret = accel_pool_create(c->provider->device, c->model, &options, &c->pool, &error);
	return ret ? provider_fail(c->provider, ORT_FAIL, "%s",
				   error.text[0] ? error.text : strerror(-ret)) :
		     NULL;
}

/* The .rnd file of a graph: in its only node, or compiled. @held is what is to be freed. */
static void *find_file(struct provider *p, struct network *n, const void **file, size_t *size,
		       void **held)
{
	const struct plan *plan;
	char reason[PROVIDER_REASON_MAX];
	u32 node;

	*held = NULL;
	if (n->node_count == 1 && provider_is_context(n, &n->nodes[0])) {
		if (network_string(n, n->nodes[0].node, CONTEXT_FILE, held, size))
			return provider_fail(p, ORT_FAIL,
					     "a node " CONTEXT_TYPE " without a program: %s",
					     n->error);
		*file = *held;
		return NULL;
	}
	for (u32 i = 0; i < n->node_count; i++)
		n->nodes[i].part = 0;
	if (provider_plan(p, n, 0, &plan, &node, reason))
		return provider_fail(p, ORT_FAIL, "%s", reason);
	*file = plan->file;
	*size = plan->size;
	return NULL;
}

static const char *const *names_of(const struct ends *ends, const char **names)
{
	for (u32 i = 0; i < ends->count; i++)
		names[i] = ends->at[i].name;
	return names;
}

/* A node that holds @file instead of what it was compiled from. */
static void *make_context(const struct computation *c, const char *name, const void *file,
			  size_t size, void **context)
{
	const struct ort_table *api = c->provider->api, *editor = ORT(api, GetModelEditorApi)();
	const int64_t one = 1;
	const struct {
		const char *name;
		const void *data;
		size_t size;
		int type;
	} attributes[] = {
		{ "main_context", &one, 1, ORT_ATTRIBUTE_INT },
		{ "embed_mode", &one, 1, ORT_ATTRIBUTE_INT },
		{ "source", PROVIDER_NAME, strlen(PROVIDER_NAME), ORT_ATTRIBUTE_STRING },
		{ "partition_name", name, strlen(name), ORT_ATTRIBUTE_STRING },
		{ CONTEXT_FILE, file, size, ORT_ATTRIBUTE_STRING },
	};
	enum { COUNT = sizeof(attributes) / sizeof(attributes[0]) };
	const char **names = calloc(c->in.count + c->out.count + 1, sizeof(*names));
	void *made[COUNT] = {},
	     *status = names ? NULL : provider_fail(c->provider, ORT_FAIL, "no memory");

	for (u32 i = 0; i < COUNT && !status; i++)
		status = ORT(api, CreateOpAttr)(attributes[i].name, attributes[i].data,
						(int)attributes[i].size, attributes[i].type,
						&made[i]);
	if (!status)
		status = ((ort_create_node)editor->at[ORT_EDITOR_CREATE_NODE])(
			CONTEXT_TYPE, CONTEXT_DOMAIN, name, names_of(&c->in, names), c->in.count,
			names_of(&c->out, names + c->in.count), c->out.count, made, COUNT, context);
	for (u32 i = 0; i < COUNT; i++)
		if (made[i])
			ORT(api, ReleaseOpAttr)(made[i]);
	free(names);
	return status;
}

/* What the fused node takes and gives, in its order. */
static void *read_fused(struct computation *c, const void *fused, const char **name,
			struct network *n)
{
	struct provider *p = c->provider;
	struct network_node *node;
	void *status;

	if (network_read_node(n, p->api, fused))
		return provider_fail(p, ORT_FAIL, "a node cannot be read: %s", n->error);
	node = &n->nodes[0];
	*name = node->name;
	status = find_ends(c, ACCEL_INPUT, n, node->inputs, node->input_count, &c->in);
	if (!status)
		status = find_ends(c, ACCEL_OUTPUT, n, node->outputs, node->output_count, &c->out);
	return status;
}

static void *compile_into(struct computation *c, struct network *n, const void *fused,
			  void **context)
{
	struct network node = {};
	const char *name = NULL;
	const void *file = NULL;
	size_t size = 0;
	void *held, *status = find_file(c->provider, n, &file, &size, &held);

	if (!status)
		status = open_model(c, file, size);
	if (!status)
		status = read_fused(c, fused, &name, &node);
	if (!status && c->provider->contexts)
		status = make_context(c, name, file, size, context);
	network_free(&node);
	free(held);
	return status;
}

static void *compile_one(struct provider *p, const void *graph, const void *fused,
			 struct ort_compute **out, void **context)
{
	struct computation *c = calloc(1, sizeof(*c));
	struct network n;
	void *status;

	if (!c)
		return provider_fail(p, ORT_FAIL, "no memory");
	*out = &c->ort;
	c->ort = (struct ort_compute){ ORT_VERSION, create_state, compute, release_state };
	c->provider = p;
	if (network_read(&n, p->api, graph))
		return provider_fail(p, ORT_FAIL, "a graph cannot be read: %s", n.error);
	status = compile_into(c, &n, fused, context);
	network_free(&n);
	return status;
}

void *provider_compile(struct ort_provider *self, const void **graphs, const void **fused,
		       size_t count, struct ort_compute **computes, void **contexts)
{
	struct provider *p = (struct provider *)self;
	void *status = p->failure;

	p->failure = NULL;
	memset(computes, 0, count * sizeof(*computes));
	for (size_t i = 0; i < count && !status; i++)
		status = compile_one(p, graphs[i], fused[i], &computes[i],
				     contexts ? &contexts[i] : NULL);
	if (status) {
		provider_release_computes(self, computes, count);
		memset(computes, 0, count * sizeof(*computes));
	}
	return status;
}

void provider_release_computes(struct ort_provider *self, struct ort_compute **computes,
			       size_t count)
{
	(void)self;
	for (size_t i = 0; i < count; i++)
		computation_free((struct computation *)computes[i]);
}
