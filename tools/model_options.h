/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What to compile an ONNX model with: options that every subcommand takes that reads one. */
#ifndef TOOLS_MODEL_OPTIONS_H
#define TOOLS_MODEL_OPTIONS_H

#include "compiler/rondo_compile.h"
#include "compiler/tensor.h"
#include "spec/machine.h"
#include "tools/options.h"

enum { BAKES_MAX = 64, DIMS_MAX = 64, SHAPES_MAX = 64 };

/* For struct command.takes. */
#define MODEL_OPTIONS                                                                              \
	[OPTION_MACHINE] = true, [OPTION_BAKE] = true, [OPTION_DIM] = true, [OPTION_SHAPE] = true, \
	[OPTION_PRECISION] = true

struct model_options {
	const char *machine_name; /* NULL: none was given */
	struct rondo_machine machine; /* edge if none was */
	struct rondo_compile_constant bakes[BAKES_MAX];
	struct tensor_data baked[BAKES_MAX];
	struct rondo_compile_dim dims[DIMS_MAX];
	struct rondo_compile_shape shapes[SHAPES_MAX];
	size_t n_bakes, n_dims, n_shapes;
	bool allow_host;
	const char *precision; /* f32, bf16, or NULL */
	const char *dump; /* a pass of the compiler, "all", or NULL */
};

void model_options_init(struct model_options *options);
void model_options_fini(struct model_options *options);

/*
 * Takes an option of MODEL_OPTIONS, OPTION_ALLOW_HOST or OPTION_DUMP; changes @argument, which must
 * outlive @options. A STATUS_*, with a message unless it is STATUS_OK.
 */
int model_options_take(struct model_options *options, enum option_id id, char *argument);

#endif
