/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* For rondo debug: a file and its inputs as a session. Functions return a STATUS_*. */
#ifndef TOOLS_DEBUG_RUN_H
#define TOOLS_DEBUG_RUN_H

#include "tools/debug/session.h"
#include "tools/preprocess.h"
#include "tools/source.h"

enum { DEBUG_INPUTS_MAX = 64 };

/* "FILE" or "NAME=FILE", as they were given; later ones replace earlier ones of the same input. */
struct debug_inputs {
	u32 count;
	const char *at[DEBUG_INPUTS_MAX];
};

struct debug_run_options {
	const char *path; /* as for source_load() */
	const struct model_options *model;
	struct debug_inputs inputs;
	struct preprocess preprocess; /* of inputs that are images */
	bool random; /* inputs without a file are random numbers of @seed, else zero */
	u64 seed;
	bool unverified;
	u64 bound, memory; /* as in struct session_source */
	const volatile sig_atomic_t *interrupt;
};

struct debug_run {
	struct source source;
	struct session_region *regions;
	u8 *content[RONDO_PROGRAM_SLOTS_MAX];
	struct session *session;
};

/* debug_run_close() frees what was opened, also after a failure. */
int debug_run_open(struct debug_run *run, const struct debug_run_options *options);
void debug_run_close(struct debug_run *run);

#endif
