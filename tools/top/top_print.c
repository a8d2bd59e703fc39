// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/top/top.h"

#include <inttypes.h>
#include <math.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/json.h"

/* ---- Table --------------------------------------------------------------------------------- */

/* Lines that are left, and columns of each. */
struct page {
	FILE *out;
	int lines, columns; /* negative: no limit */
};

/* A line, cut at the last column; what is no letter of ASCII came from outside. */
__attribute__((format(printf, 2, 3))) static void line(struct page *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!p->lines)
		return;
	p->lines--;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	fprintf(p->out, "%.*s\n", p->columns < 0 ? (int)sizeof(text) : p->columns, text);
}

/* @value in four digits with a prefix of the SI, or "-": not known. */
static const char *scaled(char text[16], double value, const char *unit)
{
	static const char *const prefixes[] = { "n", "u", "m", "", "k", "M", "G", "T" };
	int at = 3;

	if (isnan(value))
		return "-";
	for (; value != 0 && fabs(value) < 0.9995 && at > 0; at--)
		value *= 1000;
	for (; fabs(value) >= 999.95 && at < 7; at++)
		value /= 1000;
	snprintf(text, 16, "%.*f%s%s%s", value < 10 ? 2 : 1, value,
		 *unit || *prefixes[at] ? " " : "", prefixes[at], unit);
	return text;
}

static const char *percent(char text[16], double share)
{
	if (isnan(share))
		return "-";
	snprintf(text, 16, "%.1f", share * 100);
	return text;
}

static double known(u64 value)
{
	return value == TOP_UNKNOWN ? NAN : (double)value;
}

static const char *user_name(char text[16], u32 uid)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, 16, "%s", user->pw_name);
	else
		snprintf(text, 16, "%u", uid);
	return text;
}

static void print_device(struct page *page, const struct top_sample *before,
			 const struct top_sample *now, size_t i)
{
	const struct top_device *d = &now->devices[i];
	struct top_rate r = top_device_rate(before, now, i);
	char busy[16], power[16], energy[16], memory[16];

	line(page, "%-9s %-12.12s %-14.14s %7s %10s %10s %10s  %s", d->node, d->driver, d->bus,
	     percent(busy, r.busy), scaled(power, r.watts, "W"),
	     scaled(energy, known(d->energy_uj) * 1e-6, "J"), scaled(memory, known(d->memory), "B"),
	     d->firmware[0] ? d->firmware : "-");
}

static void print_process(struct page *page, const struct top_sample *before,
			  const struct top_sample *now, size_t i)
{
	const struct top_process *p = &now->processes[i];
	struct top_rate r = top_process_rate(before, now, i);
	char busy[16], rate[16], cycles[16], power[16], energy[16], memory[16], user[16];

	line(page, "%7u %-9.9s %-9s %6s %10s %10s %10s %10s %10s  %s", p->pid,
	     user_name(user, p->uid), now->devices[p->device].node, percent(busy, r.busy),
	     scaled(rate, r.cycles, "Hz"), scaled(cycles, (double)p->cycles, ""),
	     scaled(power, r.watts, "W"), scaled(energy, (double)p->energy_nj * 1e-9, "J"),
	     scaled(memory, (double)p->resident, "B"), p->command);
}

/* Processes, those first that kept a device busiest. */
struct ranked {
	size_t process;
	double busy;
};

static int by_busy(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->busy != y->busy)
		return x->busy < y->busy ? 1 : -1;
	return x->process < y->process ? -1 : x->process > y->process;
}

static void print_processes(struct page *page, const struct top_sample *before,
			    const struct top_sample *now)
{
	struct ranked *order = calloc(now->process_count + 1, sizeof(*order));

	for (size_t i = 0; order && i < now->process_count; i++) {
		double busy = top_process_rate(before, now, i).busy;

		order[i] = (struct ranked){ i, isnan(busy) ? -1 : busy };
	}
	if (order)
		qsort(order, now->process_count, sizeof(*order), by_busy);
	for (size_t i = 0; i < now->process_count; i++)
		print_process(page, before, now, order ? order[i].process : i);
	free(order);
}

void top_print_table(FILE *out, const struct top_sample *before, const struct top_sample *now,
		     int lines, int columns)
{
	struct page page = { out, lines ? lines : -1, columns ? columns : -1 };

	line(&page, "%-9s %-12s %-14s %7s %10s %10s %10s  %s", "DEVICE", "DRIVER", "BUS", "BUSY %",
	     "POWER", "ENERGY", "MEMORY", "FIRMWARE");
	for (size_t i = 0; i < now->device_count; i++)
		print_device(&page, before, now, i);
	if (!now->device_count)
		line(&page, "no accel device");
	line(&page, "%s", "");
	line(&page, "%7s %-9s %-9s %6s %10s %10s %10s %10s %10s  %s", "PID", "USER", "DEVICE",
	     "BUSY %", "CYCLES/S", "CYCLES", "POWER", "ENERGY", "RESIDENT", "COMMAND");
	print_processes(&page, before, now);
	if (now->hidden)
		line(&page, "%zu processes of other users are not shown: root sees them",
		     now->hidden);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void json_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	json_string(out, text);
	fputc(',', out);
}

static void json_real(FILE *out, const char *key, double value)
{
	fprintf(out, "\"%s\":", key);
	json_number(out, value);
	fputc(',', out);
}

/* A counter, exactly. */
static void json_count(FILE *out, const char *key, u64 value, const char *end)
{
	if (value == TOP_UNKNOWN)
		fprintf(out, "\"%s\":null%s", key, end);
	else
		fprintf(out, "\"%s\":%" PRIu64 "%s", key, value, end);
}

static void json_rate(FILE *out, struct top_rate r)
{
	json_real(out, "busy", r.busy);
	json_real(out, "cycles_per_s", r.cycles);
	json_real(out, "watts", r.watts);
}

void top_print_json(FILE *out, const struct top_sample *before, const struct top_sample *now)
{
	fprintf(out, "{\"monotonic_ns\":%" PRIu64 ",\"devices\":[", now->time_ns);
	for (size_t i = 0; i < now->device_count; i++) {
		const struct top_device *d = &now->devices[i];

		fputs(i ? ",{" : "{", out);
		json_text(out, "node", d->node);
		json_text(out, "driver", d->driver);
		json_text(out, "bus", d->bus);
		json_text(out, "firmware", d->firmware);
		json_rate(out, top_device_rate(before, now, i));
		json_count(out, "busy_us", d->busy_us, ",");
		json_count(out, "energy_uj", d->energy_uj, ",");
		json_count(out, "memory_bytes", d->memory, "}");
	}
	fputs("],\"processes\":[", out);
	for (size_t i = 0; i < now->process_count; i++) {
		const struct top_process *p = &now->processes[i];

		fprintf(out, "%s{\"pid\":%u,\"uid\":%u,", i ? "," : "", p->pid, p->uid);
		json_text(out, "command", p->command);
		json_text(out, "node", now->devices[p->device].node);
		json_rate(out, top_process_rate(before, now, i));
		json_count(out, "engine_ns", p->engine_ns, ",");
		json_count(out, "cycles", p->cycles, ",");
		json_count(out, "energy_nj", p->energy_nj, ",");
		json_count(out, "memory_total_bytes", p->total, ",");
		json_count(out, "memory_resident_bytes", p->resident, ",");
		json_count(out, "memory_purgeable_bytes", p->purgeable, "}");
	}
	fprintf(out, "],\"hidden_processes\":%zu}\n", now->hidden);
}

/* ---- Prometheus ---------------------------------------------------------------------------- */

/* A label's value: backslash, quote and newline are escaped. */
static void label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text >= ' ')
			fputc(*text, out);
	}
	fputc('"', out);
}

/* The u64 at @offset of a device or process, times @scale. */
struct metric {
	const char *name, *type, *help;
	size_t offset;
	double scale;
};

static const struct metric device_metrics[] = {
	{ "accel_busy_seconds_total", "counter", "Device time in which the device was busy.",
	  offsetof(struct top_device, busy_us), 1e-6 },
	{ "accel_energy_joules_total", "counter", "Energy that the device has used.",
	  offsetof(struct top_device, energy_uj), 1e-6 },
	{ "accel_memory_bytes", "gauge", "Memory in use by the device.",
	  offsetof(struct top_device, memory), 1 },
};

static const struct metric process_metrics[] = {
	{ "accel_process_busy_seconds_total", "counter", "Device time that the process has used.",
	  offsetof(struct top_process, engine_ns), 1e-9 },
	{ "accel_process_cycles_total", "counter", "Cycles that the process has used.",
	  offsetof(struct top_process, cycles), 1 },
	{ "accel_process_energy_joules_total", "counter", "Energy that the process has used.",
	  offsetof(struct top_process, energy_nj), 1e-9 },
	{ "accel_process_resident_bytes", "gauge", "Memory of the process in its buffers.",
	  offsetof(struct top_process, resident), 1 },
};

static u64 counter_at(const void *object, size_t offset)
{
	u64 value;

	memcpy(&value, (const char *)object + offset, sizeof(value));
	return value;
}

static void head(FILE *out, const struct metric *m)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
}

static void device_labels(FILE *out, const struct top_device *d)
{
	label(out, "device", d->node);
	fputc(',', out);
	label(out, "driver", d->driver);
}

static void device_metric(FILE *out, const struct top_sample *now, const struct metric *m)
{
	head(out, m);
	for (size_t i = 0; i < now->device_count; i++) {
		u64 value = counter_at(&now->devices[i], m->offset);

		if (value == TOP_UNKNOWN)
			continue;
		fprintf(out, "%s{", m->name);
		device_labels(out, &now->devices[i]);
		fprintf(out, "} %.17g\n", (double)value * m->scale);
	}
}

static void process_metric(FILE *out, const struct top_sample *now, const struct metric *m)
{
	head(out, m);
	for (size_t i = 0; i < now->process_count; i++) {
		const struct top_process *p = &now->processes[i];

		fprintf(out, "%s{", m->name);
		device_labels(out, &now->devices[p->device]);
		fprintf(out, ",pid=\"%u\",", p->pid);
		label(out, "command", p->command);
		fprintf(out, "} %.17g\n", (double)counter_at(p, m->offset) * m->scale);
	}
}

void top_print_metrics(FILE *out, const struct top_sample *now)
{
	for (size_t i = 0; i < sizeof(device_metrics) / sizeof(device_metrics[0]); i++)
		device_metric(out, now, &device_metrics[i]);
	for (size_t i = 0; i < sizeof(process_metrics) / sizeof(process_metrics[0]); i++)
		process_metric(out, now, &process_metrics[i]);
}
