// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/binary.h"
#include "service/dtype.h"
#include "tools/json.h"

bool server_ready(struct server *server)
{
	return !atomic_load(&server->draining) && registry_ready(server->registry);
}

void exchange_refuse(struct exchange *e)
{
	free(e->answer.bytes);
	e->status = e->why.status;
	e->type = "application/json";
	answer_refusal(&e->why, &e->answer);
}

int exchange_hold(struct exchange *e, u64 bytes)
{
	_Atomic u64 *all = &e->server->request_bytes;

	if (bytes <= e->server->memory_max &&
	    atomic_fetch_add(all, bytes) <= e->server->memory_max - bytes) {
		e->held += bytes;
		return 0;
	}
	if (bytes <= e->server->memory_max)
		atomic_fetch_sub(all, bytes);
	return refuse(&e->why, 503, "there is no memory for the request");
}

void exchange_release(struct exchange *e, u64 bytes)
{
	if (e->held <= bytes)
		return;
	atomic_fetch_sub(&e->server->request_bytes, e->held - bytes);
	e->held = bytes;
}

/* Frees what the run needed. */
static void free_run(struct exchange *e)
{
	free(e->body);
	free(e->output);
	free(e->output_bytes);
	e->body = NULL;
	e->output = NULL;
	e->output_bytes = NULL;
	request_fini(&e->request);
}

void exchange_fini(struct exchange *e)
{
	free_run(e);
	free(e->answer.bytes);
	model_release(e->model);
	exchange_release(e, 0);
}

/* ---- Answers that are text ----------------------------------------------------------------- */

static void print_tensors(FILE *out, const struct model *m, enum accel_kind kind)
{
	const struct accel_tensor *t = m->signature.tensor[kind];

	for (u32 i = 0; i < m->signature.count[kind]; i++) {
		fprintf(out, "%s{\"name\":", i ? "," : "");
		json_string(out, t[i].name);
		fprintf(out, ",\"datatype\":\"%s\",\"shape\":[", dtype_protocol_name(t[i].dtype));
		for (u32 d = 0; d < t[i].rank; d++)
			fprintf(out, "%s%" PRIu64, d ? "," : "", t[i].dim[d]);
		fputs("]", out);
		if (t[i].scale != 0)
			fprintf(out, ",\"parameters\":{\"scale\":%.9g,\"zero_point\":%" PRId32 "}",
				(double)t[i].scale, t[i].zero_point);
		fputs("}", out);
	}
}

static void add_version(void *context, const struct model_row *row)
{
	struct {
		FILE *out;
		const char *name, *comma;
	} *c = context;

	if (strcmp(row->name, c->name) != 0 || row->state != MODEL_IS_READY)
		return;
	fprintf(c->out, "%s\"%u\"", c->comma, row->version);
	c->comma = ",";
}

static void print_model(FILE *out, struct exchange *e)
{
	struct {
		FILE *out;
		const char *name, *comma;
	} versions = { out, e->model->name, "" };

	fprintf(out, "{\"name\":\"%s\",\"versions\":[", e->model->name);
	registry_each(e->server->registry, add_version, &versions);
	fputs("],\"platform\":\"rondo\",\"inputs\":[", out);
	print_tensors(out, e->model, ACCEL_INPUT);
	fputs("],\"outputs\":[", out);
	print_tensors(out, e->model, ACCEL_OUTPUT);
	fprintf(out,
		"],\"parameters\":{\"model_version\":\"%u\",\"device_cycles\":%" PRIu64
		",\"labels\":%u}}",
		e->model->version, e->model->cycles, e->model->label_count);
}

static void add_index(void *context, const struct model_row *row)
{
	static const char *const states[] = { "LOADING", "READY", "UNAVAILABLE" };
	struct {
		FILE *out;
		const char *comma;
	} *c = context;

	fprintf(c->out,
		"%s{\"name\":\"%s\",\"version\":\"%u\",\"state\":\"%s\",\"reason\":", c->comma,
		row->name, row->version, states[row->state]);
	json_string(c->out, row->reason);
	fputs("}", c->out);
	c->comma = ",";
}

static void print_index(FILE *out, struct exchange *e)
{
	struct {
		FILE *out;
		const char *comma;
	} index = { out, "" };

	fputs("[", out);
	registry_each(e->server->registry, add_index, &index);
	fputs("]", out);
}

static void print_server(FILE *out, struct exchange *e)
{
	(void)e;
	fputs("{\"name\":\"rondod\",\"version\":\"" RONDO_VERSION
	      "\",\"extensions\":[\"binary_tensor_data\",\"classification\","
	      "\"model_repository\",\"statistics\",\"schedule_policy\"]}",
	      out);
}

static void print_ready(FILE *out, struct exchange *e)
{
	fprintf(out, "{\"name\":\"%s\",\"ready\":true}", e->model->name);
}

static void print_server_ready(FILE *out, struct exchange *e)
{
	(void)e;
	fputs("{\"ready\":true}", out);
}

static void print_live(FILE *out, struct exchange *e)
{
	(void)e;
	fputs("{\"live\":true}", out);
}

static void print_statistics(FILE *out, struct exchange *e)
{
	metrics_print_statistics(out, e->server->registry, e->route.model, e->route.version);
}

static void print_metrics(FILE *out, struct exchange *e)
{
	struct server *s = e->server;
	struct server_metrics m = {
		.connections = atomic_load(&s->connections),
		.request_bytes = atomic_load(&s->request_bytes),
		.ready = server_ready(s),
	};

	lanes_load(s->lanes, &m.waiting, &m.running);
	metrics_print(out, s->registry, &m);
}

/* ---- Inference ----------------------------------------------------------------------------- */

static bool job_abandoned(struct job *job)
{
	struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, job));

	return e->abandoned && e->abandoned(e);
}

static void count_run(const struct job *job)
{
	struct statistics *s = job->model->statistics;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	atomic_fetch_add(&s->answered, 1);
	atomic_fetch_add(&s->cycles, job->cost.device_cycles);
	atomic_fetch_add(&s->energy_nj, job->cost.energy_nj);
	atomic_fetch_add(&s->late, job->late);
	atomic_store(&s->last_ms, (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000);
	histogram_add(&s->queue, job->cost.queue_us * 1000);
	histogram_add(&s->latency, job->cost.device_us * 1000);
}

void server_count(const struct job *job)
{
	struct statistics *s = job->model->statistics;

	if (!job->status)
		count_run(job);
	else
		atomic_fetch_add(job->status == -ECANCELED ? &s->abandoned : &s->failed, 1);
}

static void job_done(struct job *job)
{
	struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, job));

	server_count(job);
	e->done(e);
}

/* Room for the outputs. */
static int make_outputs(struct exchange *e)
{
	const struct signature *s = &e->model->signature;
	u64 bytes = 0;
	char *at;

	for (u32 i = 0; i < s->count[ACCEL_OUTPUT]; i++)
		bytes += (s->tensor[ACCEL_OUTPUT][i].bytes + 7) & ~7ull;
	e->output = calloc(s->count[ACCEL_OUTPUT] + 1, sizeof(*e->output));
	e->output_bytes = at = malloc(bytes + 1);
	if (!e->output || !at)
		return refuse(&e->why, 503, "there is no memory for the answer");
	for (u32 i = 0; i < s->count[ACCEL_OUTPUT]; i++) {
		e->output[i] = at;
		at += (s->tensor[ACCEL_OUTPUT][i].bytes + 7) & ~7ull;
	}
	return 0;
}

static u64 tensor_bytes(const struct signature *s)
{
	u64 bytes = 0;

	for (int kind = ACCEL_INPUT; kind <= ACCEL_OUTPUT; kind++)
		for (u32 i = 0; i < s->count[kind]; i++)
			bytes += s->tensor[kind][i].bytes;
	return bytes;
}

int exchange_run(struct exchange *e)
{
	if (exchange_hold(e, tensor_bytes(&e->model->signature)) || make_outputs(e))
		return -1;
	e->job = (struct job){
		.model = e->model,
		.waiting.priority = e->request.priority,
		.input = e->request.input,
		.output = e->output,
		.timeout_us = e->request.timeout_us,
		.abandoned = job_abandoned,
		.done = job_done,
	};
	if (!lanes_submit(e->server->lanes, &e->job, &e->why))
		return 0;
	if (e->why.earliest_us)
		atomic_fetch_add(&e->model->statistics->refused, 1);
	return -1;
}

static int begin_infer(struct exchange *e)
{
	size_t json;

	e->model = registry_find(e->server->registry, e->route.model, e->route.version, &e->why);
	if (!e->model || binary_split(e->binary_header, e->body_size, &json, &e->why))
		return -1;
	if (json > e->server->json_max)
		return refuse(&e->why, 413,
			      "the JSON has %zu bytes, more than %" PRIu64
			      "; large tensors are better sent as binary data",
			      json, e->server->json_max);
	if (request_parse(&e->model->signature, e->body, json, e->body + json, e->body_size - json,
			  &e->request, &e->why))
		return -1;
	return exchange_run(e);
}

static int exchange_ran(struct exchange *e)
{
	int rc = e->job.status;

	if (rc == -ECANCELED)
		return refuse(&e->why, 503, "model \"%s\": the request was given up",
			      e->model->name);
	if (rc)
		return refuse(&e->why, rc == -ENODEV || rc == -ENOMEM ? 503 : 500,
			      "model \"%s\": %.244s", e->model->name, e->job.error.text);
	return 0;
}

int exchange_answer(struct exchange *e, answer_maker make)
{
	const struct answer_source source = {
		.model = e->model->name,
		.version = e->model->version,
		.signature = &e->model->signature,
		.request = &e->request,
		.output = (const void *const *)e->output,
		.labels = e->model->labels,
		.label_count = e->model->label_count,
		.cost = e->job.cost,
	};

	if (exchange_ran(e) || make(&source, &e->answer, &e->why))
		return -1;
	/* A client that is slow to take its answer keeps nothing else. */
	free_run(e);
	exchange_release(e, 0);
	return exchange_hold(e, e->answer.size);
}

static void finish_infer(struct exchange *e)
{
	if (exchange_answer(e, answer_make)) {
		exchange_refuse(e);
		return;
	}
	e->status = 200;
	e->type = e->answer.json < e->answer.size ? "application/octet-stream" : "application/json";
}

/* ---- Beginning and ending ------------------------------------------------------------------ */

static void order_done(struct registry_order *order)
{
	struct exchange *e = (struct exchange *)((char *)order - offsetof(struct exchange, order));

	e->done(e);
}

void exchange_order(struct exchange *e, enum registry_action action)
{
	e->order = (struct registry_order){ .action = action, .done = order_done };
	memcpy(e->order.name, e->route.model, sizeof(e->order.name));
	registry_order(e->server->registry, &e->order);
}

static const struct {
	void (*print)(FILE *out, struct exchange *e);
	bool of_model; /* which must be there */
	bool text; /* and no JSON */
} printed[] = {
	[SERVER_METADATA] = { print_server, false, false },
	[SERVER_LIVE] = { print_live, false, false },
	[SERVER_READY] = { print_server_ready, false, false },
	[MODEL_METADATA] = { print_model, true, false },
	[MODEL_READY] = { print_ready, true, false },
	[MODEL_STATISTICS] = { print_statistics, true, false },
	[ALL_STATISTICS] = { print_statistics, false, false },
	[REPOSITORY_INDEX] = { print_index, false, false },
	[METRICS] = { print_metrics, false, true },
};

/* An answer that is there at once. */
static int print(struct exchange *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (e->route.endpoint == SERVER_READY && !server_ready(e->server))
		return refuse(&e->why, 503,
			      atomic_load(&e->server->draining) ? "the server is stopping" :
								  "models are being loaded");
	if (printed[e->route.endpoint].of_model) {
		e->model = registry_find(e->server->registry, e->route.model, e->route.version,
					 &e->why);
		if (!e->model)
			return -1;
	}
	out = open_memstream(&text, &size);
	if (!out)
		return refuse(&e->why, 503, "there is no memory for the answer");
	printed[e->route.endpoint].print(out, e);
	if (fclose(out)) {
		free(text);
		return refuse(&e->why, 503, "there is no memory for the answer");
	}
	e->answer = (struct answer){ text, size, size };
	e->status = 200;
	e->type = printed[e->route.endpoint].text ? "text/plain; version=0.0.4; charset=utf-8" :
						    "application/json";
	return 0;
}

bool exchange_begin(struct exchange *e)
{
	int rc;

	switch (e->route.endpoint) {
	case MODEL_INFER:
		rc = begin_infer(e);
		if (!rc)
			return true;
		break;
	case REPOSITORY_LOAD:
		exchange_order(e, REGISTRY_LOAD);
		return true;
	case REPOSITORY_UNLOAD:
		exchange_order(e, REGISTRY_UNLOAD);
		return true;
	default:
		rc = print(e);
	}
	if (rc)
		exchange_refuse(e);
	return false;
}

void exchange_finish(struct exchange *e)
{
	if (e->route.endpoint == MODEL_INFER) {
		finish_infer(e);
		return;
	}
	e->why = e->order.why;
	if (e->order.failed) {
		exchange_refuse(e);
		return;
	}
	e->status = 200;
	e->type = "application/json";
}
