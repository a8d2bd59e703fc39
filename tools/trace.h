/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * rondo run --trace: when what of a program runs, as Chrome trace events, which chrome://tracing
 * and Perfetto show. What a replay does and when is known exactly before it runs; where in device
 * time each replay stands is what its fence says.
 *
 * Functions that return int return a STATUS_*, after a message unless it is STATUS_OK.
 */
#ifndef TOOLS_TRACE_H
#define TOOLS_TRACE_H

#include <accel.h>

#include "spec/env.h"

struct trace;

/*
 * Finds out what a replay of @model does. @clock_khz: of the device. @replays: how many are to
 * come, so that a trace that would be too long is refused before anything runs.
 */
int trace_create(const char *path, const struct accel_model *model, u32 clock_khz, u64 replays,
		 struct trace **trace);
void trace_destroy(struct trace *trace);

/* A replay for @sample (which outlives the trace) has ended well. */
int trace_add_replay(struct trace *trace, const char *sample,
		     const struct accel_fence_times *times);

/* Writes all of it to @file. */
int trace_write(const struct trace *trace, const char *file);

#endif
