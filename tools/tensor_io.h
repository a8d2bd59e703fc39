/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Tensors in files: NumPy's .npy (read and written) and ONNX's TensorProto .pb (read), as the
 * compiler's tensor_data. Data is dense, row-major and little-endian in memory and in the files.
 *
 * Any bytes are legal input: what is not understood is refused with a message `file: what is
 * wrong`, and nothing is allocated that the file does not fill. Functions return 0 or the negative
 * errno that is also in @err (compiler/diag.h). No global state.
 */
#ifndef TOOLS_TENSOR_IO_H
#define TOOLS_TENSOR_IO_H

#include "compiler/diag.h"
#include "compiler/tensor.h"

/*
 * Reads the file or pipe @path; which format it has is seen from its content. The caller frees
 * *@out with tensor_data_free(); on error *@out is untouched.
 */
int tensor_load(const char *path, struct tensor_data *out, struct compile_error *err);

/* Reads a whole file or pipe; *@bytes is for free(). */
int tensor_read_file(const char *path, char **bytes, size_t *size, struct compile_error *err);

/* As tensor_load() from @size bytes at @bytes; @name stands for the file in messages. */
int tensor_parse(const char *name, const void *bytes, size_t size, struct tensor_data *out,
		 struct compile_error *err);

/* Writes @t as .npy, whole or not at all: tools/output.h. */
int tensor_save_npy(const char *path, const struct tensor_data *t, struct compile_error *err);

#endif
