/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The log: one JSON object a line on standard error, written whole, from any thread.
 *
 *	{"time":"2026-01-31T12:00:00.123Z","level":"info","event":"model_ready","version":1}
 *
 * docs/reference/rondod.md lists the events; a test compares.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include "spec/env.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

/* A member of the line: a text, or with NULL as text a number. */
struct log_field {
	const char *name;
	const char *text;
	u64 number;
};

/* The fields of @fields up to one without a name. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

/* log_event(LOG_INFO, "event", { "name", "text" }, { "name", .number = 1 }) */
#define log_line(level, event, ...) \
	log_event(level, event, (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

#endif
