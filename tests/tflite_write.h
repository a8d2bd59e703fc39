/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Builds TensorFlow Lite models for tests, front to back: tables get room for all their fields, and
 * what they refer to is appended and linked. Nothing is checked: a test may want a wrong model.
 */
#ifndef TESTS_TFLITE_WRITE_H
#define TESTS_TFLITE_WRITE_H

#include <stdlib.h>
#include <string.h>

#include "spec/env.h"

struct tflite_writer {
	u8 *bytes;
	u32 size;
	u32 model, subgraph; /* tables */
	u32 codes, buffers, tensors, operators; /* vectors with room */
	u32 n_codes, n_buffers, n_tensors, n_operators;
};

enum { TFLITE_ROOM = 32 }; /* elements of each vector */

static inline u32 tflite_append(struct tflite_writer *w, const void *bytes, u32 size)
{
	u32 at = w->size;

	w->bytes = realloc(w->bytes, at + size);
	if (bytes)
		memcpy(w->bytes + at, bytes, size);
	else
		memset(w->bytes + at, 0, size);
	w->size += size;
	return at;
}

static inline void tflite_put(struct tflite_writer *w, u32 at, u32 size, u64 v)
{
	for (u32 i = 0; i < size; i++)
		w->bytes[at + i] = (u8)(v >> 8 * i);
}

/* A table of @fields fields of up to 8 bytes, all absent. */
static inline u32 tflite_table(struct tflite_writer *w, u32 fields)
{
	u32 list = tflite_append(w, NULL, 4 + 2 * fields);
	u32 at = tflite_append(w, NULL, 4 + 8 * fields);

	tflite_put(w, list, 2, 4 + 2 * fields);
	tflite_put(w, list + 2, 2, 4 + 8 * fields);
	tflite_put(w, at, 4, at - list);
	return at;
}

/* Where the field is, which is there from now on. */
static inline u32 tflite_field(struct tflite_writer *w, u32 table, u32 field)
{
	u32 list = table - (u32)w->bytes[table] - ((u32)w->bytes[table + 1] << 8);

	tflite_put(w, list + 4 + 2 * field, 2, 4 + 8 * field);
	return table + 4 + 8 * field;
}

static inline void tflite_int(struct tflite_writer *w, u32 table, u32 field, u32 size, s64 v)
{
	tflite_put(w, tflite_field(w, table, field), size, (u64)v);
}

static inline void tflite_link(struct tflite_writer *w, u32 table, u32 field, u32 to)
{
	u32 at = tflite_field(w, table, field);

	tflite_put(w, at, 4, to - at);
}

static inline u32 tflite_vector(struct tflite_writer *w, u32 element, u32 count, const void *data)
{
	u32 at = tflite_append(w, &count, 4);

	tflite_append(w, data, element * count);
	return at;
}

/* Adds a table to a vector with room. */
static inline void tflite_add_to(struct tflite_writer *w, u32 vector, u32 *count, u32 table)
{
	u32 at = vector + 4 + 4 * *count;

	tflite_put(w, at, 4, table - at);
	tflite_put(w, vector, 4, ++*count);
}

static inline void tflite_begin(struct tflite_writer *w)
{
	u32 at, graphs;

	*w = (struct tflite_writer){ 0 };
	tflite_append(w, NULL, 4);
	tflite_append(w, "TFL3", 4);
	w->model = tflite_table(w, 5);
	tflite_put(w, 0, 4, w->model);
	tflite_int(w, w->model, 0, 4, 3);
	w->codes = tflite_vector(w, 4, TFLITE_ROOM, NULL);
	w->buffers = tflite_vector(w, 4, TFLITE_ROOM, NULL);
	graphs = tflite_vector(w, 4, 1, NULL);
	tflite_link(w, w->model, 1, w->codes);
	tflite_link(w, w->model, 2, graphs);
	tflite_link(w, w->model, 4, w->buffers);
	w->subgraph = at = tflite_table(w, 5);
	tflite_put(w, graphs + 4, 4, at - graphs - 4);
	w->tensors = tflite_vector(w, 4, TFLITE_ROOM, NULL);
	w->operators = tflite_vector(w, 4, TFLITE_ROOM, NULL);
	tflite_link(w, at, 0, w->tensors);
	tflite_link(w, at, 3, w->operators);
	tflite_add_to(w, w->buffers, &w->n_buffers, tflite_table(w, 3)); /* the empty one */
}

/* What a tensor is quantised with: @n scales and zero points along dimension @axis. */
struct tflite_quantised {
	u32 n;
	const float *scale;
	const s64 *zero;
	s32 axis;
};

/* A tensor, constant if there is @data of @bytes bytes; its number. */
static inline s32 tflite_tensor_of(struct tflite_writer *w, const char *name, s32 type, u32 rank,
				   const s32 *dims, const void *data, u32 bytes,
				   const struct tflite_quantised *q)
{
	u32 table = tflite_table(w, 8), buffer, inner;

	tflite_add_to(w, w->tensors, &w->n_tensors, table);
	tflite_link(w, table, 0, tflite_vector(w, 4, rank, dims));
	tflite_int(w, table, 1, 1, type);
	tflite_link(w, table, 3, tflite_vector(w, 1, (u32)strlen(name), name));
	if (data) {
		buffer = tflite_table(w, 3);
		tflite_int(w, table, 2, 4, w->n_buffers);
		tflite_add_to(w, w->buffers, &w->n_buffers, buffer);
		tflite_link(w, buffer, 0, tflite_vector(w, 1, bytes, data));
	}
	if (q) {
		inner = tflite_table(w, 7);
		tflite_link(w, table, 4, inner);
		tflite_link(w, inner, 2, tflite_vector(w, 4, q->n, q->scale));
		tflite_link(w, inner, 3, tflite_vector(w, 8, q->n, q->zero));
		tflite_int(w, inner, 6, 4, q->axis);
	}
	return (s32)w->n_tensors - 1;
}

/* An operator; its table of options, with @fields fields. */
static inline u32 tflite_operator_of(struct tflite_writer *w, s32 code, u32 n_in, const s32 *in,
				     s32 out, u32 fields)
{
	u32 table = tflite_table(w, 9), kind = tflite_table(w, 4), options;

	tflite_int(w, kind, 0, 1, code < 127 ? code : 127);
	tflite_int(w, kind, 3, 4, code);
	tflite_int(w, table, 0, 4, w->n_codes);
	tflite_add_to(w, w->codes, &w->n_codes, kind);
	tflite_add_to(w, w->operators, &w->n_operators, table);
	tflite_link(w, table, 1, tflite_vector(w, 4, n_in, in));
	tflite_link(w, table, 2, tflite_vector(w, 4, 1, &out));
	options = tflite_table(w, fields);
	tflite_link(w, table, 4, options);
	return options;
}

/* The inputs and outputs of the model. */
static inline void tflite_end_with(struct tflite_writer *w, u32 n_in, const s32 *in, u32 n_out,
				   const s32 *out)
{
	tflite_link(w, w->subgraph, 1, tflite_vector(w, 4, n_in, in));
	tflite_link(w, w->subgraph, 2, tflite_vector(w, 4, n_out, out));
}

static inline void tflite_end(struct tflite_writer *w, u32 n_in, const s32 *in, s32 out)
{
	tflite_end_with(w, n_in, in, 1, &out);
}

#endif
