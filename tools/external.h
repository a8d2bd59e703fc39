/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What an ONNX model keeps in files beside its own. */
#ifndef TOOLS_EXTERNAL_H
#define TOOLS_EXTERNAL_H

#include <stdint.h>

/* Initialised by { .model = PATH }; one file is open at a time. */
struct external_files {
	const char *model; /* the path of the model */
	char *location; /* of the file that is open; or NULL */
	int fd;
	uint64_t size;
};

/*
 * As external() of struct rondo_compile_options, of which @files is the context. A location that
 * leads out of the model's directory, by itself or by a symbolic link, is -EXDEV; what is no
 * regular file is -EINVAL.
 */
int external_read(void *files, const char *location, uint64_t offset, uint64_t size, void *bytes);

void external_close(struct external_files *files);

#endif
