/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a file is, by its content: its name is never asked. */
#ifndef TOOLS_FILE_KIND_H
#define TOOLS_FILE_KIND_H

#include <stddef.h>

enum file_kind {
	FILE_UNKNOWN, /* neither text nor anything that is known */
	FILE_EMPTY,
	FILE_RND, /* a .rnd file */
	FILE_PROGRAM, /* a bare program */
	FILE_NPY,
	FILE_ONNX, /* an ONNX model, perhaps a damaged one */
	FILE_PB, /* an ONNX tensor, perhaps a damaged one */
	FILE_PNG,
	FILE_JPEG,
	FILE_TFLITE, /* a TensorFlow Lite model */
	FILE_TEXT, /* no control characters except white space */
	FILE_FOREIGN, /* a format that is known by name only */
};

/* The kind of the file that holds the @size bytes at @bytes. */
enum file_kind file_kind(const void *bytes, size_t size);

/* What the file is, after "it is ": "a PNG image". */
const char *file_kind_name(const void *bytes, size_t size);

#endif
