// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
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

/*
 * Whoever does not read the log misses it; nothing else follows from that. A pipe or socket that is
 * said to have room takes a piece without a wait.
 */
static void write_line(const char *line, size_t size)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool cut; /* the last line was not written to its end */
	struct pollfd to = { STDERR_FILENO, POLLOUT, 0 };
	const char *begin = line;
	ssize_t n = 1;

	pthread_mutex_lock(&lock);
	if (cut && poll(&to, 1, 0) > 0 && to.revents & POLLOUT)
		cut = write(STDERR_FILENO, "\n", 1) != 1;
	while (!cut && size && n > 0) {
		n = poll(&to, 1, 0) > 0 && to.revents & POLLOUT ?
			    write(STDERR_FILENO, line, size < PIPE_BUF ? size : PIPE_BUF) :
			    0;
		line += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	cut = cut || (size && line != begin);
	pthread_mutex_unlock(&lock);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return;
	print(out, level, event, fields);
	if (!fclose(out))
		write_line(line, size);
	free(line);
}
