/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a tensor is made of: an element type, a static shape, and row-major bytes.
 *
 * Invariant kept by everything that builds a shape: 0 <= rank <= TENSOR_RANK_MAX, every dimension
 * in 0..TENSOR_ELEMS_MAX, and the product of all non-zero dimensions at most TENSOR_ELEMS_MAX, so
 * that element counts, byte counts and strides never overflow 64 bits.
 */
#ifndef COMPILER_TENSOR_H
#define COMPILER_TENSOR_H

#include "spec/env.h"

enum dtype {
#define DTYPE(name, text, number, type, kind, numpy) DTYPE_##name,
#include "spec/dtypes.def"
	DTYPE_COUNT
};

#define TENSOR_RANK_MAX 8
#define TENSOR_ELEMS_MAX (INT64_C(1) << 31)

struct shape {
	int rank;
	s64 dim[TENSOR_RANK_MAX];
};

/* A tensor with its contents. Whoever holds it owns @bytes, which came from malloc(). */
struct tensor_data {
	enum dtype dtype;
	struct shape shape;
	void *bytes; /* row-major, little-endian; never NULL once filled, even for no elements */
	size_t size; /* bytes, = elements * dtype_size() */
};

const char *dtype_name(enum dtype t);
size_t dtype_size(enum dtype t);
s32 dtype_number(enum dtype t); /* in ONNX and in .rnd files */

/* Writes "f32, u8 or s8" for a bit set of types into @buf and returns it. */
#define DTYPES_TEXT_MAX 64
const char *dtypes_text(u32 set, char buf[DTYPES_TEXT_MAX]);

/* The type with this name ("f32") or this number; false when there is none. */
bool dtype_from_name(const char *name, size_t len, enum dtype *out);
bool dtype_from_number(s32 number, enum dtype *out);

/* Whether the invariant above holds. */
bool shape_valid(const struct shape *s);

/* The number of elements; 1 for rank 0. */
s64 shape_elems(const struct shape *s);

bool shape_equal(const struct shape *a, const struct shape *b);

/* Row-major strides in elements. */
void shape_strides(const struct shape *s, s64 stride[TENSOR_RANK_MAX]);

/*
 * The NumPy broadcast of two shapes: aligned at the last dimension, a dimension of 1 stretches.
 * False when they do not fit. The result may be too large.
 */
bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out);

/*
 * Strides, in elements, for reading a tensor of shape @s at the indices of shape @to, to which it
 * broadcasts: 0 for stretched and missing dimensions.
 */
void shape_broadcast_strides(const struct shape *s, const struct shape *to,
			     s64 stride[TENSOR_RANK_MAX]);

/* Writes "[1,3,28,28]" into @buf and returns it. */
#define SHAPE_TEXT_MAX (TENSOR_RANK_MAX * 12 + 3)
const char *shape_text(const struct shape *s, char buf[SHAPE_TEXT_MAX]);

/* Allocates zeroed bytes for the type and (valid) shape; false when there is no memory. */
bool tensor_data_alloc(struct tensor_data *t, enum dtype dtype, const struct shape *shape);

/* Frees the bytes; harmless on a zeroed or freed tensor. */
void tensor_data_free(struct tensor_data *t);

#endif
