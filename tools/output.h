/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Files that are written whole or not at all. What was at the path before stays until the new
 * content is complete: it is written under a temporary name in the same directory and then renamed.
 * A symbolic link stays, and what it points to is replaced. What is not a regular file (a pipe, a
 * device) is written in place.
 */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/diag.h"

struct output_part {
	const void *bytes;
	size_t size;
};

/*
 * Writes the @count parts, one after the other, to @path. SIGINT, SIGTERM and SIGHUP wait until the
 * temporary file is gone. 0, or the negative errno that is also in @err.
 */
int output_write(const char *path, const struct output_part *parts, size_t count,
		 struct compile_error *err);

/* Whether both paths lead to one existing file. */
bool output_same_file(const char *a, const char *b);

#endif
