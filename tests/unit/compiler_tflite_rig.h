/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Small TensorFlow Lite models, and what the interpreter makes of them. */
#ifndef TESTS_UNIT_COMPILER_TFLITE_RIG_H
#define TESTS_UNIT_COMPILER_TFLITE_RIG_H

#include <errno.h>
#include <math.h>

#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "spec/program.h"
#include "tests/network_run.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/tflite_write.h"

enum { FLOAT32 = 0, FLOAT16 = 1, INT32 = 2, UINT8 = 3, INT8 = 9 };
enum {
	ADD = 0,
	AVERAGE_POOL = 1,
	CONCATENATION = 2,
	CONV = 3,
	DEPTHWISE = 4,
	DEQUANTIZE = 6,
	CONNECTED = 9,
	LOGISTIC = 14,
	MAX_POOL = 17,
	MUL = 18,
	RELU = 19,
	RELU6 = 21,
	RESHAPE = 22,
	RESIZE_BILINEAR = 23,
	SOFTMAX = 25,
	PAD = 34,
	GATHER = 36,
	TRANSPOSE = 39,
	MEAN = 40,
	SUB = 41,
	SQUEEZE = 43,
	STRIDED_SLICE = 45,
	SPLIT = 49,
	SLICE = 65,
	EXPAND_DIMS = 70,
	SHAPE = 77,
	PACK = 83,
	UNPACK = 88,
	RESIZE_NEAREST = 97,
	SPLIT_V = 102,
	QUANTIZE = 114,
	HARD_SWISH = 117
};

enum { HEIGHT = 4, WIDTH = 5, CHANNELS = 2 };

static const s32 image[] = { 1, HEIGHT, WIDTH, CHANNELS };

/* What compute() gives an image as its element; 0 outside. */
static inline float x_at(s32 y, s32 x, s32 c)
{
	return y < 0 || x < 0 || y >= HEIGHT || x >= WIDTH ?
		       0 :
		       (float)((y * WIDTH + x) * CHANNELS + c);
}

static inline s32 floats(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
			 const float *data)
{
	u32 n = 4;

	for (u32 i = 0; i < rank; i++)
		n *= (u32)dims[i];
	return tflite_tensor_of(w, name, FLOAT32, rank, dims, data, n, NULL);
}

/* The graph of the model; NULL and a message. */
static inline struct graph *graph_of(const struct tflite_writer *w, struct compile_error *err)
{
	struct graph *g = NULL;

	compile_graph(w->bytes, w->size, "m.tflite", NULL, &g, err);
	return g;
}

/* The same, and frees the writer. */
static inline struct graph *read_model(struct tflite_writer *w, struct compile_error *err)
{
	struct graph *g = graph_of(w, err);

	free(w->bytes);
	return g;
}

static inline bool near(float a, double b)
{
	return fabs(a - b) <= 1e-5 * (1 + fabs(b));
}

static inline bool agree(const struct tensor_data *a, const struct tensor_data *b)
{
	if (a->dtype != DTYPE_F32)
		return !memcmp(a->bytes, b->bytes, a->size);
	for (size_t i = 0; i < a->size / sizeof(float); i++)
		if (!near(((float *)a->bytes)[i], (double)((float *)b->bytes)[i]))
			return false;
	return true;
}

/* Empties @out unless the model as a program gives it of @in, too: the same bytes, near floats. */
static inline void compare_program(const struct tflite_writer *w, const struct tensor_data *in,
				   struct tensor_data *out)
{
	char why[RUN_WHY_BYTES] = "";
	struct rondo_machine machine;
	struct compile_error err = { 0 };
	struct tensor_data have = { 0 };
	struct compiled c = { 0 };
	bool good;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	compile_model(w->bytes, w->size, "m.tflite", NULL, &machine, &c, &err);
	good = !err.code && tensor_data_alloc(&have, out->dtype, &out->shape) &&
	       network_run(&c, &machine, in, &have, why) && agree(&have, out);
	if (!good) {
		printf("# the program gives something else: %s%s\n", err.text, why);
		tensor_data_free(out);
		*out = (struct tensor_data){ 0 };
	}
	tensor_data_free(&have);
	compiled_free(&c);
}

/* What the model computes of 0, 1, 2 ... as its inputs. Frees the writer. */
static inline struct tensor_data compute(struct tflite_writer *w)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_of(w, &err);
	struct tensor_data in[2] = { 0 }, out = { 0 };

	for (size_t k = 0; g && k < g->inputs.n; k++) {
		tensor_data_alloc(&in[k], DTYPE_F32, &g->inputs.v[k]->shape);
		for (s64 i = 0; i < shape_elems(&in[k].shape); i++)
			((float *)in[k].bytes)[i] = (float)i;
	}
	if (g && !graph_eval(g, in, &out, &err))
		compare_program(w, in, &out);
	if (err.code)
		printf("# %s\n", err.text);
	tensor_data_free(&in[0]);
	tensor_data_free(&in[1]);
	graph_free(g);
	free(w->bytes);
	return out;
}

static inline void check(struct tensor_data out, const double *want, s64 n, const char *name)
{
	bool good = out.bytes && shape_elems(&out.shape) == n;

	for (s64 i = 0; i < n && good; i++)
		good = near(((float *)out.bytes)[i], want[i]);
	tap_ok(good, "%s", name);
	for (s64 i = 0; !good && out.bytes && i < n && i < 8; i++)
		printf("# %g, not %g\n", ((float *)out.bytes)[i], want[i]);
	tensor_data_free(&out);
}

/* A tensor of @type, s8 or u8, with one scale and zero. */
static inline s32 bytes_of(struct tflite_writer *w, s32 type, const char *name, u32 rank,
			   const s32 *dims, const void *data, float scale, s64 zero)
{
	const struct tflite_quantised q = { 1, &scale, &zero, 0 };
	u32 n = 1;

	for (u32 i = 0; i < rank; i++)
		n *= (u32)dims[i];
	return tflite_tensor_of(w, name, type, rank, dims, data, n, &q);
}

static inline s32 bytes(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
			const s8 *data, float scale, s64 zero)
{
	return bytes_of(w, INT8, name, rank, dims, data, scale, zero);
}

/* What the model computes of @x, whose zeros fill what is left. Frees the writer. */
static inline struct tensor_data compute_bytes(struct tflite_writer *w, const void *x, size_t n)
{
	struct compile_error err = { 0 };
	struct tensor_data in = { 0 }, out = { 0 };
	struct graph *g = graph_of(w, &err);

	if (g && tensor_data_alloc(&in, g->inputs.v[0]->dtype, &g->inputs.v[0]->shape)) {
		memcpy(in.bytes, x, n < in.size ? n : in.size);
		if (!graph_eval(g, &in, &out, &err))
			compare_program(w, &in, &out);
	}
	if (err.code)
		printf("# %s\n", err.text);
	tensor_data_free(&in);
	graph_free(g);
	free(w->bytes);
	return out;
}

static inline void check_bytes(struct tensor_data out, const void *want, s64 n, const char *name)
{
	bool good = out.bytes && shape_elems(&out.shape) == n &&
		    !memcmp(out.bytes, want, (size_t)n);

	tap_ok(good, "%s", name);
	for (s64 i = 0; !good && out.bytes && i < n; i++)
		printf("# %d, not %d\n", ((s8 *)out.bytes)[i], ((const s8 *)want)[i]);
	tensor_data_free(&out);
}

static inline void refuse(struct tflite_writer *w, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = read_model(w, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

/* Adds a pooling operator, whose options are returned; its window sees the padding of "same". */
static inline u32 pool(struct tflite_writer *w, s32 code, s32 in, s32 out, u32 step_x, u32 step_y,
		       u32 width, u32 height)
{
	u32 options = tflite_operator_of(w, code, 1, &in, out, 6);

	tflite_int(w, options, 1, 4, step_x);
	tflite_int(w, options, 2, 4, step_y);
	tflite_int(w, options, 3, 4, width);
	tflite_int(w, options, 4, 4, height);
	return options;
}

#endif
