/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What users of rondo_compile.h give, in the compiler's own terms. */
#ifndef COMPILER_CALL_H
#define COMPILER_CALL_H

#include "compiler/arena.h"
#include "compiler/compiler.h"
#include "compiler/rondo_compile.h"

/* One call: its options, and what they become. */
struct compile_call {
	struct rondo_compile_options o; /* all of them, of whatever size the user's are */
	struct compile_options options;
	struct rondo_machine machine;
	struct compile_dim *dims;
	struct compile_shape *shapes;
	struct compile_bake *bakes;
	struct tensor_data *constants;
	struct arena_stop stop;
	int dump_error; /* of dumped() */
	struct compile_error err;
};

/*
 * Begins a call with @options, which may be NULL and must outlive it. 0, or a negative errno that
 * is also in c->err; in both cases @c is for compile_call_fini(), and must not move.
 */
int compile_call_init(struct compile_call *c, const struct rondo_compile_options *options);
void compile_call_fini(struct compile_call *c);

/* Records a failure of the call itself: `NAME: WHAT "THING"`, or without @thing if that is NULL. */
int compile_call_fail(struct compile_call *c, int code, const char *what, const char *thing);

#endif
