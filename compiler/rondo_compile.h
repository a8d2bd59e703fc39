/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The compiler as a library: the bytes of a model in, those of a .rnd file out, which libaccel
 * loads. Nothing else is read or written: no file, no standard stream, no environment. What a
 * model has outside of its own file is asked for by a callback.
 *
 * Threads. rondo_compile() may be called from any number of threads at once; it has no state
 * between calls and starts no threads. Callbacks are called in the thread that called it.
 *
 * Errors. Whatever the model is, the process lives on: all that can be wrong is an error of
 * rondo_compile(). Nothing is left allocated then.
 */
#ifndef RONDO_COMPILE_H
#define RONDO_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RONDO_COMPILE_RANK_MAX 8

/* The size of a dimension that the model names, such as "batch". */
struct rondo_compile_dim {
	const char *name;
	int64_t size; /* 1..2^31 */
};

/* The shape of an input, where the model leaves it or some of its dimensions open. */
struct rondo_compile_shape {
	const char *name;
	unsigned int rank; /* 0..RONDO_COMPILE_RANK_MAX */
	int64_t dim[RONDO_COMPILE_RANK_MAX]; /* each at least 1 */
};

/* An input that becomes a constant of the program: weights that a model takes as inputs. */
struct rondo_compile_constant {
	const char *name;
	int32_t type; /* of its elements: a number of ONNX's TensorProto.DataType */
	unsigned int rank;
	int64_t dim[RONDO_COMPILE_RANK_MAX];
	const void *bytes; /* row-major, little-endian */
	size_t size; /* in bytes: as many as type and dimensions say */
};

/*
 * What the host does of a network before and after its program: nodes at the edges of the network
 * that the machine does not map, if the user allows that. See rondo_host_before().
 */
struct rondo_host;

/*
 * Zero-initialised except for @size is the default. The caller keeps everything that is pointed to
 * until rondo_compile() returns.
 */
struct rondo_compile_options {
	size_t size; /* sizeof(struct rondo_compile_options): what is behind it is zero */
	const char *name; /* of the model, the first word of messages; NULL: "model" */
	const char *machine; /* as rondo compile --machine; NULL: "edge" */
	const struct rondo_compile_dim *dims; /* of the dimensions that stand nowhere, each is 1 */
	size_t dim_count;
	const struct rondo_compile_shape *shapes;
	size_t shape_count;
	const struct rondo_compile_constant *constants;
	size_t constant_count;

	void *context; /* the first argument of all callbacks, each of which may be NULL */

	/*
	 * Gives tensors that a model keeps in other files: the @size bytes at @offset of what it
	 * calls @location (relative to the model's own place; it comes from the model, and is not
	 * to be trusted) go to @bytes. If @bytes is NULL, the question is only whether they are
	 * there: nothing is allocated before. 0 or a negative errno; -ENODATA: there are fewer;
	 * -EXDEV: the place is none that a model may name; -EINVAL: it is no regular file.
	 */
	int (*external)(void *context, const char *location, uint64_t offset, uint64_t size,
			void *bytes);

	/* Whether to stop; asked every few microseconds to milliseconds. 0: go on. */
	int (*cancelled)(void *context);

	/* Called before each of @total steps of unequal length, @done of which are done. */
	void (*progress)(void *context, const char *step, unsigned int done, unsigned int total);

	/* What the user should know although nothing is wrong: one line without a newline. */
	void (*notice)(void *context, const char *text);

	/*
	 * The text form of what there is after the pass @dump ("all": after each), in pieces. A
	 * negative errno ends the compilation with that error.
	 */
	const char *dump;
	int (*dumped)(void *context, const char *text, size_t size);

	/*
	 * Where to put what the host is to do; NULL: it does nothing, and a network with nodes that
	 * the machine does not map is refused. If there are none, NULL is put there, as it is on
	 * every error. A node between others that the machine runs is refused nevertheless.
	 */
	struct rondo_host **host;

	/*
	 * What the matrix unit multiplies in the products of f32 that the network asks for. NULL or
	 * "f32": f32. "bf16": operands rounded to nearest, half to even, in products with constant
	 * weights where that saves work; sums are f32.
	 */
	const char *precision;
};

/* Why not. */
struct rondo_compile_error {
	int code; /* the negative errno that rondo_compile() returned */
	char node[128]; /* name of the node of the model that is at fault, or of its output; or
			   empty */
	char op[128]; /* the operator of that node; empty if no node is at fault */
	char reason[768]; /* one line without a newline */
	char text[768]; /* all of it: NAME: node "NODE" (OP): REASON; long names are cut */
};

struct rondo_compiled {
	void *file; /* the content of a .rnd file */
	size_t size; /* in bytes */
	uint64_t cycles; /* of one replay, exactly */
};

/*
 * Compiles the @size bytes of the model @model, ONNX or TensorFlow Lite. 0, and *@compiled is for
 * rondo_compiled_free(); else a negative errno, @error (which may be NULL) says why, and *@compiled
 * is zero. @options may be NULL.
 *
 * -EINVAL: the model contradicts its format or itself, or the options do not fit it. -ENOTSUP: it
 * is legal, but cannot be mapped. -EFBIG: it exceeds a limit. -ENOMEM: no memory. -ECANCELED:
 * cancelled() said so. -ENOTRECOVERABLE: a fault of the compiler, never of the model. Others: what
 * the callbacks return.
 */
int rondo_compile(const void *model, size_t size, const struct rondo_compile_options *options,
		  struct rondo_compiled *compiled, struct rondo_compile_error *error);

/* Frees what rondo_compile() returned; does nothing to what is zero or freed already. */
void rondo_compiled_free(struct rondo_compiled *compiled);

/*
 * Host: what the host does of a network
 *
 * The program of such a network takes and gives other tensors than the network. A run is
 *
 *	rondo_host_before(host, inputs, program_inputs);
 *	... a replay of the program ...
 *	rondo_host_after(host, inputs, program_outputs, outputs);
 *
 * where @inputs and @outputs are the bytes of the network's tensors in the order of
 * rondo_host_tensor(), and @program_inputs and @program_outputs those of the program in the order
 * of its own list. All are row-major, little-endian and of the size that is told there. Nothing is
 * kept from one run to the next. One thread at a time for each struct rondo_host.
 */

enum rondo_host_kind { RONDO_HOST_INPUT, RONDO_HOST_OUTPUT };

/* An input or output of the network. */
struct rondo_host_tensor {
	const char *name;
	int32_t type; /* of its elements: a number of ONNX's TensorProto.DataType */
	unsigned int rank;
	int64_t dim[RONDO_COMPILE_RANK_MAX];
	size_t size; /* in bytes */
	float scale; /* an element stands for scale * (x - zero_point); 0: for itself */
	int32_t zero_point;
	int program; /* the program's input or output that it is, too; -1: none */
};

/* A node that the host runs, and why the machine does not. */
struct rondo_host_node {
	const char *node, *op, *reason;
};

/* Number @i of them, from 0 on. 0; -ENOENT: there are no more. Texts live as long as @host. */
int rondo_host_tensor(const struct rondo_host *host, enum rondo_host_kind kind, unsigned int i,
		      struct rondo_host_tensor *tensor);
int rondo_host_node(const struct rondo_host *host, unsigned int i, struct rondo_host_node *node);

/* Makes all inputs of the program. 0, or -ENOMEM. */
int rondo_host_before(struct rondo_host *host, const void *const inputs[],
		      void *const program_inputs[]);

/* Makes all outputs of the network. 0, or -ENOMEM. */
int rondo_host_after(struct rondo_host *host, const void *const inputs[],
		     const void *const program_outputs[], void *const outputs[]);

/* Frees what rondo_compile() put into @options->host; NULL is nothing. */
void rondo_host_free(struct rondo_host *host);

#ifdef __cplusplus
}
#endif

#endif
