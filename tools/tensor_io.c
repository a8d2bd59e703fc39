// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Tensor files: see tensor_io.h. The formats themselves are in npy.c and compiler/onnx_tensor.c. */
#include "tools/tensor_io.h"
#include "tools/file_kind.h"
#include "tools/npy.h"
#include "tools/output.h"

#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST_READ = 1 << 16 };

/* More than any slot of a program holds, whatever the type. */
#define FILE_BYTES_MAX (2ull << 30)

int tensor_parse(const char *name, const void *bytes, size_t size, struct tensor_data *out,
		 struct compile_error *err)
{
	enum file_kind kind = file_kind(bytes, size);
	int rc;

	switch (kind) {
	case FILE_NPY:
		rc = npy_parse(bytes, size, out, err);
		break;
	case FILE_PB:
		rc = onnx_tensor_parse(bytes, size, out, err);
		compile_error_prefix(err, "as an ONNX tensor (.pb)");
		break;
	default:
		rc = compile_fail(err, kind == FILE_EMPTY ? -EINVAL : -ENOTSUP,
				  "it is %s; NumPy arrays (.npy) and ONNX tensors (.pb) are read",
				  file_kind_name(bytes, size));
	}
	compile_error_prefix(err, name);
	return rc;
}

/* The whole of @file, in memory that grows with what is read: pipes are fine. 0 or an errno. */
static int read_all(FILE *file, char **bytes, size_t *size)
{
	size_t capacity = FIRST_READ;
	char *larger;

	*size = 0;
	*bytes = malloc(capacity);
	while (*bytes) {
		*size += fread(*bytes + *size, 1, capacity - *size, file);
		if (ferror(file))
			return errno;
		if (*size < capacity)
			return 0;
		if (*size > FILE_BYTES_MAX)
			return EFBIG;
		larger = realloc(*bytes, capacity *= 2);
		if (!larger)
			break;
		*bytes = larger;
	}
	return ENOMEM;
}

int tensor_read_file(const char *path, char **bytes, size_t *size, struct compile_error *err)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	int rc = file ? 0 : errno;

	*bytes = NULL;

	if (!rc && !fstat(fileno(file), &st) && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		rc = ENOTSUP;
	if (!rc)
		rc = read_all(file, bytes, size);
	if (file)
		fclose(file);
	if (!rc)
		return 0;
	free(*bytes);
	*bytes = NULL;
	compile_fail(err, -rc, "%s", rc == ENOTSUP ? "not a regular file" : strerror(rc));
	compile_error_prefix(err, path);
	return -rc;
}

int tensor_load(const char *path, struct tensor_data *out, struct compile_error *err)
{
	char *bytes;
	size_t size;
	int rc = tensor_read_file(path, &bytes, &size, err);

	if (rc)
		return rc;
	rc = tensor_parse(path, bytes, size, out, err);
	free(bytes);
	return rc;
}

int tensor_save_npy(const char *path, const struct tensor_data *t, struct compile_error *err)
{
	char header[NPY_HEADER_MAX];
	const struct output_part parts[] = { { header, npy_header(t, header) },
					     { t->bytes, t->size } };

	return output_write(path, parts, 2, err);
}
