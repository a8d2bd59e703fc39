/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Builds an ONNX model in memory, piece by piece, and writes it: for the demo's trainer, and for
 * tests that need a small model.
 *
 *	struct onnx_writer *w = onnx_writer_create("relu", "one node", 13);
 *	onnx_write_input(w, "x", DTYPE_F32, &shape);
 *	onnx_write_node(w, "Relu", "relu1", "x", "y");
 *	onnx_write_output(w, "y", DTYPE_F32, &shape);
 *	onnx_writer_save(w, "relu.onnx", &err);
 *	onnx_writer_destroy(w);
 *
 * Nothing is checked: a test may well want a wrong model. Everything given is copied. Out of memory
 * is remembered and reported by onnx_writer_pack() and onnx_writer_save(); until then calls on such
 * a writer, or on NULL, do nothing.
 */
#ifndef DEMO_ONNX_WRITE_H
#define DEMO_ONNX_WRITE_H

#include "compiler/diag.h"
#include "compiler/tensor.h"

struct onnx_writer;

/* A model with an empty graph for version @opset of the standard operators; NULL: no memory. */
struct onnx_writer *onnx_writer_create(const char *graph, const char *doc, int opset);
void onnx_writer_destroy(struct onnx_writer *w);

/* The graph's inputs and outputs, in order. */
void onnx_write_input(struct onnx_writer *w, const char *name, enum dtype dtype,
		      const struct shape *shape);
void onnx_write_output(struct onnx_writer *w, const char *name, enum dtype dtype,
		       const struct shape *shape);

/* A constant: @bytes as in tensor_data, stored as raw_data. */
void onnx_write_initializer(struct onnx_writer *w, const char *name, enum dtype dtype,
			    const struct shape *shape, const void *bytes);

/* A node; @inputs and @outputs are names separated by single spaces ("x  b": the middle is absent).
 */
void onnx_write_node(struct onnx_writer *w, const char *op, const char *name, const char *inputs,
		     const char *outputs);

/* Attributes of the node written last. */
void onnx_write_int(struct onnx_writer *w, const char *name, int64_t value);
void onnx_write_ints(struct onnx_writer *w, const char *name, int count, const int64_t *values);
void onnx_write_floats(struct onnx_writer *w, const char *name, int count, const float *values);
void onnx_write_float(struct onnx_writer *w, const char *name, float value);
void onnx_write_string(struct onnx_writer *w, const char *name, const char *value);

/* The serialised model for free(), its length in *@size; NULL: no memory. */
void *onnx_writer_pack(struct onnx_writer *w, size_t *size);

/* Writes the model to @path; 0, or the negative errno that is also in @err. */
int onnx_writer_save(struct onnx_writer *w, const char *path, struct compile_error *err);

#endif
