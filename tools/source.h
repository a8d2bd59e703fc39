/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Models from files of any kind: a .rnd file, an ONNX model (which is compiled), or a bare program
 * (which gets a tensor of bytes for each of its slots).
 */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include <accel.h>

#include "compiler/compiler.h"
#include "spec/machine.h"

enum { SOURCE_BAKES_MAX = 64, SOURCE_DIMS_MAX = 64 };

/* What to compile with; begin with source_options_init(). */
struct source_options {
	struct rondo_machine machine;
	struct compile_bake bakes[SOURCE_BAKES_MAX];
	struct tensor_data baked[SOURCE_BAKES_MAX];
	struct compile_dim dims[SOURCE_DIMS_MAX];
	struct compile_shape shapes[SOURCE_DIMS_MAX];
	size_t n_bakes, n_dims, n_shapes;
	const char *dump; /* a pass of the compiler, "all", or NULL */
};

void source_options_init(struct source_options *options);
void source_options_fini(struct source_options *options);

/*
 * Takes "NAME=FILE" of --bake, "NAME=N" of --dim, and "NAME=1x3x224x224" of --shape; changes @arg,
 * which must live as long as @options. A STATUS_*, with a message unless it is STATUS_OK.
 */
int source_add_bake(struct source_options *options, char *arg);
int source_add_dim(struct source_options *options, char *arg);
int source_add_shape(struct source_options *options, char *arg);

struct source {
	struct accel_model *model;
	bool compiled; /* from ONNX */
	bool bare; /* a bare program: its tensors are bytes, whatever they mean */
	double compile_ms;
	double load_ms; /* reading and parsing */
};

/* Reads @path; a STATUS_*, with a message unless it is STATUS_OK. */
int source_load(const char *path, const struct source_options *options, struct source *source);
/* As source_load() from assembly text. */
int source_load_text(const char *path, struct source *source);
void source_free(struct source *source);

/* Compiles the ONNX model in @path; as source_load(). The caller frees *@file. */
int source_compile(const char *path, const struct source_options *options, void **file,
		   size_t *size, u64 *cycles);

/* Whether the file at @path begins with the 32-bit number @magic. */
bool source_has_magic(const char *path, u32 magic);

/*
 * The program in the file @path, .rnd or bare, 8-byte aligned, for free(). A STATUS_*, with a
 * message unless it is STATUS_OK.
 */
int source_program(const char *path, void **program, size_t *size);

/* Assembles the text in @path: the program's bytes, for free(). As source_load(). */
int source_assemble(const char *path, void **program, u64 *size);

/* The .rnd file around a bare program, for free(); NULL: no memory, or it is no program. */
void *source_wrap(const void *program, size_t size, size_t *file_size);

#endif
