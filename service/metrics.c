// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "tools/json.h"

static u64 count(const _Atomic u64 *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- Counters ------------------------------------------------------------------------------ */

/* A metric while its samples are printed. */
struct metric {
	FILE *out;
	const char *name;
	size_t field; /* its place in struct statistics */
	double scale;
};

/* Names of models need no escapes. */
static void print_counter(void *context, const struct model_row *row)
{
	const struct metric *m = context;
	const _Atomic u64 *field = (const void *)((const char *)row->statistics + m->field);

	fprintf(m->out, "%s{model=\"%s\",version=\"%u\"} %.17g\n", m->name, row->name, row->version,
		(double)count(field) * m->scale);
}

static void print_histogram(void *context, const struct model_row *row)
{
	const struct metric *m = context;
	const struct histogram *h = (const void *)((const char *)row->statistics + m->field);
	u64 sum = 0;

	for (int i = 0; i <= HISTOGRAM_BUCKETS; i++) {
		sum += count(&h->bucket[i]);
		fprintf(m->out, "%s_bucket{model=\"%s\",version=\"%u\",le=\"", m->name, row->name,
			row->version);
		if (i < HISTOGRAM_BUCKETS)
			fprintf(m->out, "%g", (double)histogram_ends_us[i] * 1e-6);
		else
			fputs("+Inf", m->out);
		fprintf(m->out, "\"} %" PRIu64 "\n", sum);
	}
	fprintf(m->out, "%s_sum{model=\"%s\",version=\"%u\"} %.17g\n", m->name, row->name,
		row->version, (double)count(&h->sum_ns) * 1e-9);
	fprintf(m->out, "%s_count{model=\"%s\",version=\"%u\"} %" PRIu64 "\n", m->name, row->name,
		row->version, sum);
}

static void print_ready(void *context, const struct model_row *row)
{
	const struct metric *m = context;

	fprintf(m->out, "%s{model=\"%s\",version=\"%u\"} %d\n", m->name, row->name, row->version,
		row->state == MODEL_IS_READY);
}

static const struct {
	const char *name, *type, *help;
	void (*print)(void *context, const struct model_row *row);
	size_t field;
	double scale;
} metrics[] = {
	{ "rondod_model_ready", "gauge", "Whether the version is served.", print_ready, 0, 1 },
#define MODEL_METRIC(name, type, field, scale, help) \
	{ name, type, help, print_counter, offsetof(struct statistics, field), scale },
#define HISTOGRAM(name, field, help) \
	{ name, "histogram", help, print_histogram, offsetof(struct statistics, field), 1 },
#include "service/metrics.def"
};

static void print_gauge(FILE *out, const char *name, const char *help, u64 value)
{
	head(out, name, "gauge", help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

void metrics_print(FILE *out, struct registry *registry, const struct server_metrics *server)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		struct metric m = { out, metrics[i].name, metrics[i].field, metrics[i].scale };

		head(out, metrics[i].name, metrics[i].type, metrics[i].help);
		registry_each(registry, metrics[i].print, &m);
	}
	print_gauge(out, "rondod_ready", "Whether the server is ready.", server->ready);
	print_gauge(out, "rondod_waiting_requests", "Requests that wait for a device.",
		    server->waiting);
	print_gauge(out, "rondod_running_requests", "Requests that devices have.", server->running);
	print_gauge(out, "rondod_connections", "Open connections.", server->connections);
	print_gauge(out, "rondod_request_bytes", "Bytes of requests and answers in memory.",
		    server->request_bytes);
}

/* ---- Statistics of the protocol ------------------------------------------------------------ */

struct selection {
	FILE *out;
	const char *name, *comma;
	u32 version;
};

static void print_duration(FILE *out, const char *name, u64 count, u64 ns, const char *end)
{
	fprintf(out, "\"%s\":{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}%s", name, count, ns, end);
}

static void print_statistics(void *context, const struct model_row *row)
{
	struct selection *s = context;
	struct statistics *t = row->statistics;
	u64 answered = count(&t->answered);

	if ((*s->name && strcmp(s->name, row->name) != 0) ||
	    (s->version && s->version != row->version))
		return;
	fprintf(s->out,
		"%s{\"name\":\"%s\",\"version\":\"%u\",\"last_inference\":%" PRIu64
		",\"inference_count\":%" PRIu64 ",\"execution_count\":%" PRIu64
		",\"inference_stats\":{",
		s->comma, row->name, row->version, count(&t->last_ms), answered, answered);
	print_duration(s->out, "success", answered, count(&t->latency.sum_ns), ",");
	print_duration(s->out, "fail", count(&t->failed), 0, ",");
	print_duration(s->out, "queue", answered, count(&t->queue.sum_ns), "},");
	fprintf(s->out,
		"\"device_cycles\":%" PRIu64 ",\"energy_nj\":%" PRIu64 ",\"refused\":%" PRIu64
		",\"abandoned\":%" PRIu64 ",\"late\":%" PRIu64 "}",
		count(&t->cycles), count(&t->energy_nj), count(&t->refused), count(&t->abandoned),
		count(&t->late));
	s->comma = ",";
}

void metrics_print_statistics(FILE *out, struct registry *registry, const char *name, u32 version)
{
	struct selection s = { out, name, "", version };

	fputs("{\"model_stats\":[", out);
	registry_each(registry, print_statistics, &s);
	fputs("]}", out);
}
