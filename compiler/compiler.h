/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The compiler's entry for its users (the rondo command, tests). Reentrant: nothing is shared
 * between calls.
 */
#ifndef COMPILER_COMPILER_H
#define COMPILER_COMPILER_H

#include "compiler/diag.h"
#include "compiler/graph.h"
#include "compiler/tensor.h"
#include "spec/machine.h"

#include <stdio.h>

/* A graph input that becomes a constant of the program: weights that a model takes as inputs. */
struct compile_bake {
	const char *name;
	const struct tensor_data *value; /* copied */
};

/* The size of a symbolic dimension, such as "batch". */
struct compile_dim {
	const char *name;
	s64 size;
};

/*
 * The shape of an input: where the model leaves it or some of its dimensions open. It must agree
 * with what the model does say, and gives the symbolic dimensions that it names their sizes.
 */
struct compile_shape {
	const char *name;
	struct shape shape; /* no dimension is 0 */
};

/* Who gives tensors that are outside of the model; zero-initialised: nobody. */
struct compile_external {
	/*
	 * Reads the @size bytes at @offset of what the model calls @location into @bytes; if that
	 * is NULL, only says whether they are there. 0 or a negative errno; -ENODATA: it is
	 * shorter.
	 */
	int (*read)(void *context, const char *location, u64 offset, u64 size, void *bytes);
	void *context;
};

/* Zero-initialised is the default. */
struct compile_options {
	const struct compile_bake *bakes;
	size_t n_bakes;
	const struct compile_dim *dims;
	size_t n_dims;
	const struct compile_shape *shapes;
	size_t n_shapes; /* a dimension that is in none of both is 1, with a notice */
	const char
		*dump_pass; /* print what there is after this pass ("all": after each), or NULL */
	FILE *dump_to; /* where; NULL is stdout */
	bool dump_data; /* with the contents of large constants, so that it can be parsed */
	u64 sram; /* bytes of SRAM that the program may use, from 0 on; 0: all there are */
	bool roll; /* tiles are loops wherever they may be, not only where they are many */
	/* Called with what the user should know although nothing is wrong; may be NULL. */
	void (*notice)(void *context, const char *text);
	void *notice_context;
	struct compile_external external;
	bool bf16; /* products of f32 take operands of bf16 where that saves work */
	/* Nodes at the edges of the network that the machine does not map are left to the host. */
	bool host_allowed;
	struct arena_stop *stop; /* whether the user wants to stop: arena.h; or NULL */
	/* Called before each of @total passes, @done of which are done; may be NULL. */
	void (*progress)(void *context, const char *pass, unsigned int done, unsigned int total);
	void *progress_context;
};

/* A compiled network: everything that goes into a .rnd file. Owned by the caller, from malloc(). */
struct compiled {
	u8 *file; /* the bytes of the .rnd file */
	u64 size;
	u64 cycles; /* exact, of one replay */
	struct rondo_host *host; /* what the host does before and after it: host.h; or NULL */
};

/*
 * Reads the ONNX model in @bytes and normalises it by the passes of passes.h. @name is the file's
 * name for messages. On success *@out is the caller's to graph_free(); on error a negative errno
 * (diag.h), one message in @err, and nothing to free. @err must be zeroed, and must live as long as
 * the graph.
 */
int compile_graph_from_onnx(const void *bytes, size_t size, const char *name,
			    const struct compile_options *options, struct graph **out,
			    struct compile_error *err);

/* The same for a model of either kind, which its content tells. */
int compile_graph(const void *bytes, size_t size, const char *name,
		  const struct compile_options *options, struct graph **out,
		  struct compile_error *err);

/*
 * The first half of it: the graph as the model has it, before any pass. For tests and for whoever
 * runs passes by hand.
 */
int onnx_read_graph(const void *bytes, size_t size, const char *name,
		    const struct compile_options *options, struct graph **out,
		    struct compile_error *err);

int compile_read_graph(const void *bytes, size_t size, const char *name,
		       const struct compile_options *options, struct graph **out,
		       struct compile_error *err);
int tflite_read_graph(const void *bytes, size_t size, const char *name,
		      const struct compile_options *options, struct graph **out,
		      struct compile_error *err);

/* Whether it is a TensorFlow Lite model, perhaps a damaged one. */
bool tflite_is_model(const void *bytes, size_t size);

/* Runs the passes on the graph, up to and including @last (NULL: all of them). */
int compile_run_passes(struct graph *g, const struct compile_options *options, const char *last);

/*
 * The whole compiler: from an ONNX or TensorFlow Lite model to a .rnd file for @machine. *@out is
 * the caller's to compiled_free(), zeroed on error. Otherwise as compile_graph().
 */
int compile_model(const void *bytes, size_t size, const char *name,
		  const struct compile_options *options, const struct rondo_machine *machine,
		  struct compiled *out, struct compile_error *err);

void compiled_free(struct compiled *c);

/*
 * Reads a whole file; *@bytes is the caller's to free() and has room for one byte more. At most 2
 * GiB, the limit of protobuf itself.
 */
int compile_read_file(const char *path, void **bytes, size_t *size, struct compile_error *err);

#endif
