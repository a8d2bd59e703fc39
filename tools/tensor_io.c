// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Tensor files: see tensor_io.h. The formats themselves are in npy.c and compiler/onnx_tensor.c. */
#include "tools/tensor_io.h"
#include "tools/npy.h"

#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_READ = 1 << 16 };

int tensor_parse(const char *name, const void *bytes, size_t size, struct tensor_data *out,
		 struct compile_error *err)
{
	int rc;

	if (size == 0)
		rc = compile_fail(err, -EINVAL, "the file is empty");
	else if (npy_is(bytes, size))
		rc = npy_parse(bytes, size, out, err);
	else
		rc = onnx_tensor_parse(bytes, size, out, err);
	compile_error_prefix(err, name);
	return rc;
}

/* The whole of @file, in memory that grows with what is read: pipes are fine. NULL: see errno. */
static void *read_all(FILE *file, size_t *size)
{
	size_t capacity = FIRST_READ;
	char *bytes = malloc(capacity);

	*size = 0;
	while (bytes) {
		char *larger;

		*size += fread(bytes + *size, 1, capacity - *size, file);
		if (ferror(file))
			break;
		if (*size < capacity)
			return bytes;
		larger = realloc(bytes, capacity *= 2);
		if (!larger)
			break;
		bytes = larger;
	}
	free(bytes);
	return NULL;
}

/* Records why the system refused @path. */
static int fail_errno(const char *path, struct compile_error *err)
{
	int rc = compile_fail(err, -errno, "%s", strerror(errno));

	compile_error_prefix(err, path);
	return rc;
}

int tensor_load(const char *path, struct tensor_data *out, struct compile_error *err)
{
	FILE *file = fopen(path, "rb");
	void *bytes;
	size_t size;
	int rc;

	if (!file)
		return fail_errno(path, err);
	bytes = read_all(file, &size);
	if (bytes)
		rc = tensor_parse(path, bytes, size, out, err);
	else
		rc = fail_errno(path, err);
	fclose(file);
	free(bytes);
	return rc;
}

int tensor_save_npy(const char *path, const struct tensor_data *t, struct compile_error *err)
{
	char header[NPY_HEADER_MAX];
	size_t length = npy_header(t, header);
	FILE *file = fopen(path, "wb");
	bool good;

	if (!file)
		return fail_errno(path, err);
	good = fwrite(header, 1, length, file) == length;
	good &= fwrite(t->bytes, 1, t->size, file) == t->size;
	good &= fclose(file) == 0;
	return good ? 0 : fail_errno(path, err);
}
