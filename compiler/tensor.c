// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Element types, shapes and filled tensors: see tensor.h. */
#include "compiler/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t size;
	s32 number;
} dtypes[DTYPE_COUNT] = {
#define DTYPE(name, text, number, type, kind, numpy) \
	[DTYPE_##name] = { text, sizeof(type), number },
#include "spec/dtypes.def"
};

const char *dtype_name(enum dtype t)
{
	return dtypes[t].name;
}

size_t dtype_size(enum dtype t)
{
	return dtypes[t].size;
}

const char *dtypes_text(u32 set, char buf[DTYPES_TEXT_MAX])
{
	size_t at = 0;

	buf[0] = 0;
	for (int t = 0; t < DTYPE_COUNT; t++) {
		u32 rest = set >> t;

		if (rest & 1)
			at += (size_t)snprintf(buf + at, DTYPES_TEXT_MAX - at, "%s%s",
					       !at	 ? "" :
					       rest == 1 ? " or " :
							   ", ",
					       dtypes[t].name);
	}
	return buf;
}

bool dtype_from_name(const char *name, size_t len, enum dtype *out)
{
	for (int t = 0; t < DTYPE_COUNT; t++) {
		if (strlen(dtypes[t].name) == len && !memcmp(dtypes[t].name, name, len)) {
			*out = t;
			return true;
		}
	}
	return false;
}

s32 dtype_number(enum dtype t)
{
	return dtypes[t].number;
}

bool dtype_from_number(s32 number, enum dtype *out)
{
	for (int t = 0; t < DTYPE_COUNT; t++) {
		if (dtypes[t].number == number) {
			*out = t;
			return true;
		}
	}
	return false;
}

bool shape_valid(const struct shape *s)
{
	s64 product = 1;

	if (s->rank < 0 || s->rank > TENSOR_RANK_MAX)
		return false;
	for (int i = 0; i < s->rank; i++) {
		if (s->dim[i] < 0 || s->dim[i] > TENSOR_ELEMS_MAX)
			return false;
		if (s->dim[i])
			product *= s->dim[i];
		if (product > TENSOR_ELEMS_MAX)
			return false;
	}
	return true;
}

s64 shape_elems(const struct shape *s)
{
	s64 n = 1;

	for (int i = 0; i < s->rank; i++)
		n *= s->dim[i];
	return n;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof(a->dim[0]));
}

void shape_strides(const struct shape *s, s64 stride[TENSOR_RANK_MAX])
{
	s64 n = 1;

	for (int i = s->rank - 1; i >= 0; i--) {
		stride[i] = n;
		n *= s->dim[i];
	}
}

bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out)
{
	struct shape r = { .rank = a->rank > b->rank ? a->rank : b->rank };

	for (int i = 1; i <= r.rank; i++) {
		s64 x = i <= a->rank ? a->dim[a->rank - i] : 1;
		s64 y = i <= b->rank ? b->dim[b->rank - i] : 1;

		if (x != y && x != 1 && y != 1)
			return false;
		r.dim[r.rank - i] = x == 1 ? y : x;
	}
	*out = r;
	return true;
}

void shape_broadcast_strides(const struct shape *s, const struct shape *to,
			     s64 stride[TENSOR_RANK_MAX])
{
	s64 own[TENSOR_RANK_MAX];
	int lead = to->rank - s->rank;

	shape_strides(s, own);
	for (int i = 0; i < to->rank; i++)
		stride[i] = i < lead || s->dim[i - lead] == 1 ? 0 : own[i - lead];
}

const char *shape_text(const struct shape *s, char buf[SHAPE_TEXT_MAX])
{
	int at = snprintf(buf, SHAPE_TEXT_MAX, "[");

	for (int i = 0; i < s->rank; i++)
		at += snprintf(buf + at, SHAPE_TEXT_MAX - (size_t)at, "%s%lld", i ? "," : "",
			       (long long)s->dim[i]);
	snprintf(buf + at, SHAPE_TEXT_MAX - (size_t)at, "]");
	return buf;
}

bool tensor_data_alloc(struct tensor_data *t, enum dtype dtype, const struct shape *shape)
{
	t->dtype = dtype;
	t->shape = *shape;
	t->size = (size_t)shape_elems(shape) * dtype_size(dtype);
	t->bytes = calloc(t->size ? t->size : 1, 1);
	return t->bytes;
}

void tensor_data_free(struct tensor_data *t)
{
	free(t->bytes);
	*t = (struct tensor_data){ 0 };
}
