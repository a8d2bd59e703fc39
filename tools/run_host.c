// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdlib.h>

#include "tools/rondo.h"
#include "tools/run.h"

static void *place_of(const struct run *run, const struct accel_tensor *t)
{
	return run->memory[t->slot] + t->offset;
}

/* For free(); NULL: no memory. */
static void **network_places(const struct run *run, enum accel_kind kind)
{
	void **at = calloc(source_tensor_count(&run->source, kind) + 1, sizeof(*at));
	struct accel_tensor t;

	for (u32 i = 0; at && !source_tensor(&run->source, kind, i, &t); i++)
		at[i] = place_of(run, &t);
	return at;
}

static void **program_places(const struct run *run, enum accel_kind kind)
{
	const struct accel_model *model = run->source.model;
	void **at = calloc(accel_model_tensor_count(model, kind) + 1, sizeof(*at));
	struct accel_tensor t;

	for (u32 i = 0; at && !accel_model_tensor(model, kind, i, &t); i++)
		at[i] = place_of(run, &t);
	return at;
}

static int run_host(struct run *run, bool after)
{
	struct rondo_host *host = run->source.host;
	void **inputs, **program, **outputs;
	double start = now_ms();
	int rc = -1;

	if (!host)
		return STATUS_OK;
	inputs = network_places(run, ACCEL_INPUT);
	outputs = network_places(run, ACCEL_OUTPUT);
	program = program_places(run, after ? ACCEL_OUTPUT : ACCEL_INPUT);
	if (inputs && outputs && program)
		rc = after ? rondo_host_after(host, (const void *const *)inputs,
					      (const void *const *)program, outputs) :
			     rondo_host_before(host, (const void *const *)inputs, program);
	free(inputs);
	free(outputs);
	free(program);
	run->host_ms += now_ms() - start;
	return rc ? fail(run->options->model, "no memory for what the host runs") : STATUS_OK;
}

int run_host_before(struct run *run)
{
	return run_host(run, false);
}

int run_host_after(struct run *run)
{
	return run_host(run, true);
}
