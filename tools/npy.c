// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * NumPy's .npy: magic, version, length of the header, the header, the data.
 * The header is a Python dictionary with exactly the keys descr, fortran_order
 * and shape, padded with spaces so that the data is aligned, and a newline.
 * Format: numpy/lib/format.py, "Format Version 1.0" to "3.0".
 */
#include "tools/npy.h"
#include "compiler/narrow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";

enum {
	MAGIC_SIZE = sizeof(magic) - 1,
	VERSION_SIZE = 2,
	ALIGNMENT = 64, /* of the data */
};

/* What each type is called, as in the last column of spec/dtypes.def. */
static const char *const spellings[DTYPE_COUNT] = {
#define DTYPE(name, text, number, type, kind, numpy) [DTYPE_##name] = numpy,
#include "spec/dtypes.def"
};

/* Numbers of 16 bits, which are read as f32. */
static const char half_spellings[] = "f2 e float16 half";

/* What is left of the header, and what was found in it. */
struct header {
	const char *at, *end;
	bool has_type, has_order, has_shape;
	enum dtype dtype;
	size_t element; /* bytes of one in the file */
	bool swapped; /* big-endian */
	bool fortran; /* column-major */
	struct shape shape;
	struct compile_error *err;
};

static void skip_spaces(struct header *h)
{
	while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
		h->at++;
}

/* Takes @token, after spaces, if it stands there. */
static bool accept(struct header *h, const char *token)
{
	size_t length = strlen(token);

	skip_spaces(h);
	if ((size_t)(h->end - h->at) < length || memcmp(h->at, token, length))
		return false;
	h->at += length;
	return true;
}

/* Takes a quoted string without escapes; *@text points into the header. */
static bool accept_string(struct header *h, const char **text, size_t *length)
{
	const char *close;
	char quote;

	skip_spaces(h);
	if (h->at == h->end || (*h->at != '\'' && *h->at != '"'))
		return false;
	quote = *h->at;
	close = memchr(h->at + 1, quote, (size_t)(h->end - h->at - 1));
	if (!close)
		return false;
	*text = h->at + 1;
	*length = (size_t)(close - *text);
	h->at = close + 1;
	return true;
}

/*
 * Whether the @length bytes at @text are one of the spellings @at. A byte order may stand before
 * the two that are codes, the first in the list, and before single characters.
 */
static bool spells(const char *at, const char *text, size_t length, bool ordered)
{
	const char *end;
	bool code = true;

	for (; *at; at = *end ? end + 1 : end, code = false) {
		end = at + strcspn(at, " ");
		if ((size_t)(end - at) == length && !memcmp(at, text, length))
			return code || length == 1 || !ordered;
	}
	return false;
}

static bool find_type(struct header *h, const char *text, size_t length, bool ordered)
{
	for (int t = 0; t < DTYPE_COUNT; t++) {
		if (!spells(spellings[t], text, length, ordered))
			continue;
		h->dtype = t;
		h->element = dtype_size(t);
		return true;
	}
	h->dtype = DTYPE_F32;
	h->element = sizeof(u16);
	return spells(half_spellings, text, length, ordered);
}

static int read_descr(struct header *h)
{
	const char *text;
	size_t length;
	bool ordered;

	if (!accept_string(h, &text, &length))
		return compile_fail(h->err, -EINVAL, "the element type (descr) is not a plain one");
	if (memchr(text, 0, length))
		return compile_fail(h->err, -EINVAL, "the element type (descr) has a NUL byte");
	ordered = length > 1 && strchr("<>=|", *text);
	if (find_type(h, text + ordered, length - ordered, ordered)) {
		h->swapped = *text == '>';
		h->has_type = true;
		return 0;
	}
	if (length > 16)
		length = 16;
	return compile_fail(h->err, -ENOTSUP,
			    "element type '%.*s' is not one of float32, float16, int8, uint8, "
			    "int32, int64, bool",
			    (int)length, text);
}

static int read_order(struct header *h)
{
	h->fortran = accept(h, "True");
	if (!h->fortran && !accept(h, "False"))
		return compile_fail(h->err, -EINVAL, "fortran_order is neither True nor False");
	h->has_order = true;
	return 0;
}

static int read_dimension(struct header *h)
{
	int64_t value = 0;
	bool digits = false;

	skip_spaces(h);
	for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
		digits = true;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *h->at - '0', &value))
			return compile_fail(h->err, -EINVAL, "dimension %d is out of range",
					    h->shape.rank);
	}
	if (!digits)
		return compile_fail(h->err, -EINVAL, "dimension %d is not a number", h->shape.rank);
	accept(h, "L"); /* as Python 2 wrote it */
	if (h->shape.rank == TENSOR_RANK_MAX)
		return compile_fail(h->err, -EFBIG, "more than %d dimensions", TENSOR_RANK_MAX);
	h->shape.dim[h->shape.rank++] = value;
	return 0;
}

static int read_shape(struct header *h)
{
	if (!accept(h, "("))
		return compile_fail(h->err, -EINVAL, "shape is not a tuple");
	h->shape.rank = 0;
	while (!accept(h, ")")) {
		if (read_dimension(h))
			return h->err->code;
		if (!accept(h, ",")) {
			if (h->shape.rank < 2 ||
			    !accept(h, ")")) /* (3) is a number, (3,) a tuple */
				return compile_fail(h->err, -EINVAL, "shape is not a tuple");
			break;
		}
	}
	h->has_shape = true;
	return 0;
}

static int read_entry(struct header *h)
{
	static const struct {
		const char *key;
		int (*read)(struct header *h);
	} entries[] = {
		{ "descr", read_descr },
		{ "fortran_order", read_order },
		{ "shape", read_shape },
	};
	const char *key;
	size_t length;

	if (!accept_string(h, &key, &length) || !accept(h, ":"))
		return compile_fail(h->err, -ENOTSUP,
				    "the header is not a dictionary of descr, fortran_order, "
				    "shape");
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (length == strlen(entries[i].key) && !memcmp(key, entries[i].key, length))
			return entries[i].read(h);
	return compile_fail(h->err, -EINVAL,
			    "the header has a key other than descr, fortran_order, shape");
}

static int read_header(struct header *h)
{
	if (!accept(h, "{"))
		return compile_fail(h->err, -EINVAL, "the header is not a dictionary");
	while (!accept(h, "}")) {
		if (read_entry(h))
			return h->err->code;
		if (accept(h, ","))
			continue;
		if (!accept(h, "}"))
			return compile_fail(h->err, -EINVAL, "the header does not end");
		break;
	}
	skip_spaces(h);
	if (h->at != h->end)
		return compile_fail(h->err, -EINVAL, "the header has text after the dictionary");
	if (!h->has_type || !h->has_order || !h->has_shape)
		return compile_fail(h->err, -EINVAL,
				    "the header lacks descr, fortran_order or shape");
	return 0;
}

/* Finds the text of the header and the data behind it, both inside the file. */
static int find_header(const unsigned char *bytes, size_t size, size_t *text, size_t *data,
		       struct compile_error *err)
{
	const unsigned char *p = bytes + MAGIC_SIZE + VERSION_SIZE;
	size_t length_size, length = 0;

	if (size < MAGIC_SIZE + VERSION_SIZE)
		return compile_fail(err, -EINVAL, "ends inside the header");
	if (p[-2] < 1 || p[-2] > 3 || p[-1] != 0)
		return compile_fail(err, -ENOTSUP, ".npy version %u.%u is not known", p[-2], p[-1]);
	length_size = p[-2] == 1 ? 2 : 4;
	*text = MAGIC_SIZE + VERSION_SIZE + length_size;
	if (size < *text)
		return compile_fail(err, -EINVAL, "ends inside the header");
	for (size_t i = 0; i < length_size; i++)
		length |= (size_t)p[i] << 8 * i;
	if (length > size - *text)
		return compile_fail(err, -EINVAL, "ends inside the header");
	*data = *text + length;
	return 0;
}

static int check_bool(const struct tensor_data *t, struct compile_error *err)
{
	const unsigned char *value = t->bytes;

	for (size_t i = 0; i < t->size; i++)
		if (value[i] > 1)
			return compile_fail(err, -EINVAL, "element %zu is %u, outside bool", i,
					    value[i]);
	return 0;
}

/* Reverses the bytes of each of the elements of @size bytes from @at to @end. */
static void swap(char *at, const char *end, size_t size)
{
	for (; at < end; at += size)
		for (size_t i = 0; i < size / 2; i++) {
			char byte = at[i];

			at[i] = at[size - 1 - i];
			at[size - 1 - i] = byte;
		}
}

/* Copies elements that stand with the first dimension closest, @from, to where they belong. */
static void transpose(const struct shape *s, char *to, const char *from, size_t size)
{
	const char *end = from + (size_t)shape_elems(s) * size;
	s64 stride[TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at = 0;

	shape_strides(s, stride);
	for (; from < end; from += size) {
		memcpy(to + (size_t)at * size, from, size);
		for (int d = 0; d < s->rank; d++) {
			at += stride[d];
			if (++index[d] < s->dim[d])
				break;
			at -= stride[d] * index[d];
			index[d] = 0;
		}
	}
}

/* Makes f32 of numbers of 16 bits in the second half of @t: no f32 reaches what is yet to be read.
 */
static void widen(struct tensor_data *t)
{
	size_t n = t->size / sizeof(float);
	const char *from = (const char *)t->bytes + n * sizeof(u16);
	u16 bits;

	for (size_t i = 0; i < n; i++) {
		memcpy(&bits, from + i * sizeof(bits), sizeof(bits));
		((float *)t->bytes)[i] = widen_f16(bits);
	}
}

/* The elements at @from, in @h's form. */
static void copy_elements(const struct header *h, struct tensor_data *t, const char *from)
{
	size_t bytes = (size_t)shape_elems(&t->shape) * h->element;
	char *end = (char *)t->bytes + t->size, *to = end - bytes;

	if (h->fortran)
		transpose(&t->shape, to, from, h->element);
	else
		memcpy(to, from, bytes);
	if (h->swapped)
		swap(to, end, h->element);
	if (bytes < t->size)
		widen(t);
}

int npy_parse(const void *bytes, size_t size, struct tensor_data *out, struct compile_error *err)
{
	struct header h = { .err = err };
	struct tensor_data t;
	size_t text = 0, data = 0, want;

	if (find_header(bytes, size, &text, &data, err))
		return err->code;
	h.at = (const char *)bytes + text;
	h.end = (const char *)bytes + data;
	if (read_header(&h))
		return err->code;
	if (!shape_valid(&h.shape))
		return compile_fail(err, -EFBIG, "its dimensions exceed %lld elements",
				    (long long)TENSOR_ELEMS_MAX);
	want = (size_t)shape_elems(&h.shape) * h.element;
	if (want != size - data)
		return compile_fail(err, -EINVAL, "it holds %zu bytes, its dimensions say %zu",
				    size - data, want);
	if (!tensor_data_alloc(&t, h.dtype, &h.shape))
		return compile_fail(err, -ENOMEM, "no memory for %zu elements of %s",
				    (size_t)shape_elems(&h.shape), dtype_name(h.dtype));
	copy_elements(&h, &t, (const char *)bytes + data);
	if (t.dtype == DTYPE_BOOL && check_bool(&t, err)) {
		tensor_data_free(&t);
		return err->code;
	}
	*out = t;
	return 0;
}

size_t npy_header(const struct tensor_data *t, char header[NPY_HEADER_MAX])
{
	size_t text = MAGIC_SIZE + VERSION_SIZE + 2, used = text, end;

	used += (size_t)sprintf(header + used,
				"{'descr': '%c%.2s', 'fortran_order': False, 'shape': (",
				dtype_size(t->dtype) == 1 ? '|' : '<', spellings[t->dtype]);
	for (int i = 0; i < t->shape.rank; i++)
		used += (size_t)sprintf(header + used, "%s%lld%s", i ? " " : "",
					(long long)t->shape.dim[i],
					t->shape.rank == 1 || i + 1 < t->shape.rank ? "," : "");
	used += (size_t)sprintf(header + used, "), }");
	end = (used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	memset(header + used, ' ', end - used - 1);
	header[end - 1] = '\n';
	memcpy(header, magic, MAGIC_SIZE);
	header[MAGIC_SIZE] = 1;
	header[MAGIC_SIZE + 1] = 0;
	header[text - 2] = (char)(end - text);
	header[text - 1] = (char)((end - text) >> 8);
	return end;
}
