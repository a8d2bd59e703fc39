/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Models from files of any kind, which are told by their content: a .rnd file, an ONNX or
 * TensorFlow Lite model (which is compiled), a bare program or assembly text (whose tensors are the
 * bytes of its slots).
 *
 * Functions return a STATUS_*, with a message unless it is STATUS_OK.
 */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include <accel.h>

#include "compiler/call.h"
#include "spec/limits.h"
#include "tools/model_options.h"

/* A slot that no program has: memory of the host. */
enum { SOURCE_HOST_SLOT = RONDO_PROGRAM_SLOTS_MAX };

struct source {
	struct accel_model *model;
	struct rondo_host *host; /* what the host does of it, or NULL */
	bool compiled; /* from a model */
	bool bare; /* a program without names and types: its tensors are bytes, whatever they mean
		    */
	double compile_ms;
	double load_ms; /* reading and parsing */
};

/* Reads @path. Options for compiling are an error if the model is compiled already. */
int source_load(const char *path, const struct model_options *options, struct source *source);
void source_free(struct source *source);

/*
 * Input or output @i of the network: one of the program, or, where the host runs a part, one that
 * may be in SOURCE_HOST_SLOT. -ENOENT: there are no more.
 */
int source_tensor(const struct source *source, enum accel_kind kind, u32 i,
		  struct accel_tensor *tensor);
u32 source_tensor_count(const struct source *source, enum accel_kind kind);

/* Sets @region_of[i] to the region of bundle i; those in none get the number of regions. */
void source_regions(const struct accel_model *model, u32 *region_of, u32 bundles);

/* Bytes of all that is in SOURCE_HOST_SLOT. */
u64 source_host_bytes(const struct source *source);

/* Compiles the model in @path; *@file is the .rnd file's *@size bytes, for free(). */
int source_compile(const char *path, const struct model_options *options, void **file, size_t *size,
		   u64 *cycles);

/* A model's graph, normalised as far as the passes that change it. */
struct source_graph {
	struct compile_call call; /* its options, and the error of the graph */
	struct graph *graph;
	u32 nodes[OP_COUNT]; /* in the model as it was read */
};

/* Whether @path can be read and holds a model. */
bool source_is_model(const char *path);

/* Reads the model in @path. */
int source_graph(const char *path, const struct model_options *options, struct source_graph *out);
void source_graph_free(struct source_graph *graph);

/* The program in the file @path, .rnd or bare, 8-byte aligned, for free(). */
int source_program(const char *path, void **program, size_t *size);

/* Assembles the text in @path: the program's bytes, for free(). */
int source_assemble(const char *path, void **program, size_t *size);

#endif
