/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the tests of the ONNX reader share: models that demo/onnx_write.h builds, with what it does
 * not write patched in, and whether they are accepted.
 */
#ifndef TESTS_COMPILER_ONNX_RIG_H
#define TESTS_COMPILER_ONNX_RIG_H

#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "compiler/onnx_tensor.h"
#include "demo/onnx_write.h"
#include "tests/tap.h"

#include "onnx.pb-c.h"

#include <errno.h>

__attribute__((unused)) static const struct shape s1 = { 1, { 4 } }, s4 = { 4, { 1, 1, 4, 4 } },
						  kernel = { 4, { 1, 1, 2, 2 } };
__attribute__((unused)) static const float floats[16] = { 1,  2,  3,  4,  5,  6,  7,  8,
							  -1, -2, -3, -4, -5, -6, -7, -8 };

static inline struct onnx_writer *start(int opset, const struct shape *x)
{
	struct onnx_writer *w = onnx_writer_create("g", "", opset);

	onnx_write_input(w, "x", DTYPE_F32, x);
	return w;
}

typedef void patch_fn(Onnx__ModelProto *model);

/* The model with what the writer does not write; frees @bytes. */
static inline void *patched(void *bytes, size_t *size, patch_fn *patch)
{
	Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, *size, bytes);

	patch(m);
	*size = onnx__model_proto__get_packed_size(m);
	bytes = realloc(bytes, *size);
	onnx__model_proto__pack(m, bytes);
	onnx__model_proto__free_unpacked(m, NULL);
	return bytes;
}

/* Writes the output, packs, patches (or not), compiles. Frees the writer. */
static inline struct graph *finish_patched(struct onnx_writer *w, patch_fn *patch,
					   const struct compile_options *options,
					   struct compile_error *err)
{
	struct graph *g = NULL;
	size_t size;
	void *bytes;

	onnx_write_output(w, "y", DTYPE_F32, &s1);
	bytes = onnx_writer_pack(w, &size);
	if (patch)
		bytes = patched(bytes, &size, patch);
	compile_graph_from_onnx(bytes, size, "m.onnx", options, &g, err);
	free(bytes);
	onnx_writer_destroy(w);
	return g;
}

static inline struct graph *finish(struct onnx_writer *w, const struct compile_options *options,
				   struct compile_error *err)
{
	return finish_patched(w, NULL, options, err);
}

static inline void refuse_with(struct onnx_writer *w, patch_fn *patch,
			       const struct compile_options *o, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = finish_patched(w, patch, o, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

/* The shape of input 0 is @want. */
static inline void accept_with(struct onnx_writer *w, patch_fn *patch,
			       const struct compile_options *o, struct shape want, const char *name)
{
	struct compile_error err = { 0 };
	struct graph *g = finish_patched(w, patch, o, &err);

	if (!tap_ok(g && shape_equal(&g->inputs.v[0]->shape, &want), "accepted: %s", name))
		printf("# %s\n", err.text);
	graph_free(g);
}

static inline void refuse(struct onnx_writer *w, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

static inline void accept(struct onnx_writer *w, const char *name)
{
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);

	if (!tap_ok(g, "accepted: %s", name))
		printf("# %s\n", err.text);
	graph_free(g);
}

static inline struct onnx_writer *one(int opset, const char *op, const char *inputs,
				      const char *outputs)
{
	struct onnx_writer *w = start(opset, &s4);

	onnx_write_node(w, op, "n", inputs, outputs);
	return w;
}

/* Keeps the first. */
static inline void keep_notice(void *context, const char *text)
{
	if (*(const char *)context)
		return;
	snprintf(context, 400, "%s", text);
}

static inline Onnx__TypeProto__Tensor *output_type(Onnx__ModelProto *m)
{
	return m->graph->output[0]->type->tensor_type;
}

static inline void output_is_s8(Onnx__ModelProto *m)
{
	output_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT8;
}

static inline void output_is_s64(Onnx__ModelProto *m)
{
	output_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
}

static inline void become_sequence(Onnx__TypeProto *t)
{
	protobuf_c_message_free_unpacked(&t->tensor_type->base, NULL);
	t->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
	t->sequence_type = malloc(sizeof(*t->sequence_type));
	onnx__type_proto__sequence__init(t->sequence_type);
}

#endif
