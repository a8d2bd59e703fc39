/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reading flatbuffers, in which TensorFlow Lite keeps models, without trusting a byte: every offset
 * and count is compared with the file before it is followed.
 *
 * What is wrong is remembered in the buffer, the first of it; what was asked for is then absent, as
 * if the file did not have it. So a reader goes on, and looks at the end, or wherever it would act
 * on what it read. Fields are numbered as the schema orders them.
 */
#ifndef COMPILER_FLATBUFFER_H
#define COMPILER_FLATBUFFER_H

#include "spec/env.h"

#include <stddef.h>

struct flatbuffer {
	const u8 *bytes;
	size_t size;
	const char *wrong; /* what is, or NULL; */
	size_t wrong_at; /* at this byte */
};

/* A table; absent if @buffer is NULL, and then all of its fields are. */
struct fb_table {
	struct flatbuffer *buffer;
	size_t at, fields; /* of the table, and of its list of fields */
	u32 size, fields_size; /* bytes of both */
};

/* Elements that lie in a row; absent is empty. */
struct fb_vector {
	struct flatbuffer *buffer;
	size_t at;
	u32 count;
	u32 element; /* bytes of one */
};

struct fb_table fb_root(struct flatbuffer *buffer);

/* The field @field of @table, @otherwise if it is absent; of @size bytes (1, 2, 4 or 8), signed. */
s64 fb_int(const struct fb_table *table, u32 field, u32 size, s64 otherwise);
float fb_float(const struct fb_table *table, u32 field, float otherwise);

struct fb_table fb_table(const struct fb_table *table, u32 field);

/* A vector of numbers of @element bytes, or of tables (4). */
struct fb_vector fb_vector(const struct fb_table *table, u32 field, u32 element);

/* Copies the text into @to, cut to @room with its 0; "" if it is absent. */
void fb_string(const struct fb_table *table, u32 field, char *to, size_t room);

/* Element @i of the vector; 0, and wrong, beyond its end. */
s64 fb_at(const struct fb_vector *v, u32 i);
float fb_float_at(const struct fb_vector *v, u32 i);
struct fb_table fb_table_at(const struct fb_vector *v, u32 i);

/* The bytes of the vector; NULL if it is empty. */
const u8 *fb_bytes(const struct fb_vector *v);

#endif
