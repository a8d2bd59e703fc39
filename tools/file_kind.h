/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a file is, by its content: its name is never asked. */
#ifndef TOOLS_FILE_KIND_H
#define TOOLS_FILE_KIND_H

#include <stddef.h>

enum file_kind {
	FILE_UNKNOWN, /* nothing that is known, nor a text */
	FILE_EMPTY,
	FILE_RND, /* a .rnd file */
	FILE_PROGRAM, /* a bare program */
	FILE_NPY,
	FILE_ONNX, /* perhaps an ONNX model: it begins as one */
	FILE_PB, /* perhaps an ONNX tensor: it begins as one */
	FILE_TEXT, /* no control characters except white space */
	FILE_FOREIGN, /* a format that is known by name only */
};

/* Large enough for every magic number, and for the names in an archive's first entry. */
enum { FILE_KIND_BYTES = 4096 };

/*
 * The kind of the file that begins with the @size bytes at @bytes (all of them, or
 * FILE_KIND_BYTES). An ONNX model and an ONNX tensor have no magic number: a file that could be
 * either is what @expect says, FILE_ONNX or FILE_PB.
 */
enum file_kind file_kind(const void *bytes, size_t size, enum file_kind expect);

/* What the file is, after "it is ": "a PNG image". Of the same bytes. */
const char *file_kind_name(const void *bytes, size_t size, enum file_kind expect);

#endif
