// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/json.h"

static const char *const levels[] = { "info", "warning", "error" };

static void print(FILE *out, enum log_level level, const char *event,
		  const struct log_field *fields)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	fprintf(out,
		"{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"level\":\"%s\",\"event\":",
		utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		utc.tm_sec, now.tv_nsec / 1000000, levels[level]);
	json_string(out, event);
	for (; fields->name; fields++) {
		fputc(',', out);
		json_string(out, fields->name);
		fputc(':', out);
		if (fields->text)
			json_string(out, fields->text);
		else
			fprintf(out, "%" PRIu64, fields->number);
	}
	fputs("}\n", out);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return;
	print(out, level, event, fields);
	/* Whoever does not read the log misses it; nothing else follows from that. */
	if (!fclose(out) && write(STDERR_FILENO, line, size) < 0)
		size = 0;
	free(line);
}
