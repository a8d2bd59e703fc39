// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The library's face for what the host does of a network: rondo_compile.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/eval.h"
#include "compiler/host.h"
#include "compiler/rondo_compile.h"

#define RONDO_COMPILE_EXPORT __attribute__((visibility("default")))

/* The number of the program's tensor that is @v of the network; -1: none. */
static int number_in(const struct value_list *l, size_t first, const struct value *v)
{
	for (size_t i = first; i < l->n; i++) {
		if (l->v[i] == v)
			return (int)(i - first);
	}
	return -1;
}

RONDO_COMPILE_EXPORT int rondo_host_tensor(const struct rondo_host *host, enum rondo_host_kind kind,
					   unsigned int i, struct rondo_host_tensor *tensor)
{
	bool input = kind == RONDO_HOST_INPUT;
	const struct value_list *l = input ? &host->before->inputs : &host->after->outputs;
	const struct value *v;

	*tensor = (struct rondo_host_tensor){ 0 };
	if (i >= l->n)
		return -ENOENT;
	v = l->v[i];
	tensor->name = v->name;
	tensor->type = dtype_number(v->dtype);
	tensor->rank = (unsigned int)v->shape.rank;
	memcpy(tensor->dim, v->shape.dim, sizeof(tensor->dim));
	tensor->size = (size_t)shape_elems(&v->shape) * dtype_size(v->dtype);
	tensor->scale = v->scale;
	tensor->zero_point = v->zero_point;
	tensor->program = input ? number_in(&host->before->outputs, 0, v) :
				  number_in(&host->after->inputs, host->before->inputs.n, v);
	return 0;
}

RONDO_COMPILE_EXPORT int rondo_host_node(const struct rondo_host *host, unsigned int i,
					 struct rondo_host_node *node)
{
	*node = (struct rondo_host_node){ 0 };
	if (i >= host->n_nodes)
		return -ENOENT;
	*node = (struct rondo_host_node){
		.node = host->nodes[i].node,
		.op = host->nodes[i].op,
		.reason = host->nodes[i].why,
	};
	return 0;
}

/* ---- Running --------------------------------------------------------------------------------- */

static void fill(struct tensor_data *t, const struct value *v, const void *bytes)
{
	*t = (struct tensor_data){
		.dtype = v->dtype,
		.shape = v->shape,
		.bytes = (void *)bytes, /* which nobody changes */
		.size = (size_t)shape_elems(&v->shape) * dtype_size(v->dtype),
	};
}

/* Runs @g on @first, then @more, and copies what it gives to @to. */
static int run(const struct graph *g, const void *const first[], size_t n_first,
	       const void *const more[], void *const to[])
{
	struct tensor_data *in = calloc(g->inputs.n + 1, sizeof(*in));
	struct tensor_data *out = calloc(g->outputs.n + 1, sizeof(*out));
	struct compile_error err = { 0 };
	int rc = in && out ? 0 : -ENOMEM;

	for (size_t i = 0; i < g->inputs.n && !rc; i++)
		fill(&in[i], g->inputs.v[i], i < n_first ? first[i] : more[i - n_first]);
	if (!rc)
		rc = graph_eval(g, in, out, &err);
	for (size_t i = 0; i < g->outputs.n && !rc; i++) {
		memcpy(to[i], out[i].bytes, out[i].size);
		tensor_data_free(&out[i]);
	}
	free(in);
	free(out);
	return rc;
}

RONDO_COMPILE_EXPORT int rondo_host_before(struct rondo_host *host, const void *const inputs[],
					   void *const program_inputs[])
{
	return run(host->before, inputs, host->before->inputs.n, NULL, program_inputs);
}

RONDO_COMPILE_EXPORT int rondo_host_after(struct rondo_host *host, const void *const inputs[],
					  const void *const program_outputs[],
					  void *const outputs[])
{
	return run(host->after, inputs, host->before->inputs.n, program_outputs, outputs);
}

RONDO_COMPILE_EXPORT void rondo_host_free(struct rondo_host *host)
{
	host_free(host);
}
