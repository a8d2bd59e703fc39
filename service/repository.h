/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The folder of models:
 *
 *	NAME/VERSION/model.onnx (.tflite, .rnd)    version VERSION of the model NAME, and beside it
 *	NAME/VERSION/labels.txt                    names of its classes, one a line
 *	NAME.onnx (.tflite, .rnd)                  version 1, and beside it
 *	NAME.txt                                   the same
 *
 * What a file is is seen from its content, when it is read. Names that begin with a dot are passed
 * over, and so is what is neither of these.
 */
#ifndef SERVICE_REPOSITORY_H
#define SERVICE_REPOSITORY_H

#include "service/route.h"

/* What tells a file from what was at its place before. */
struct file_identity {
	u64 device, inode, size;
	s64 modified_ns, changed_ns;
};

/* What tells a version from what was at its place before. */
struct model_identity {
	struct file_identity file, labels; /* zeros: there are none */
};

struct found_model {
	char name[MODEL_NAME_MAX + 1];
	u32 version;
	char *path, *labels; /* @labels may not exist */
	struct model_identity identity;
};

struct found_models {
	struct found_model *model; /* by name, then by version */
	size_t count;
};

/*
 * Finds the models below @directory, or only the one called @name. A model that is there twice (as
 * NAME.onnx and NAME/1, or model.onnx and model.tflite) is found twice, one behind the other. 0, or
 * a negative errno.
 */
int repository_scan(const char *directory, const char *name, struct found_models *found);
void repository_free(struct found_models *found);

/* The file at @path. 0, or a negative errno; -EINVAL: it is not a regular file. */
int file_identify(const char *path, struct file_identity *identity);
bool file_is_same(const struct file_identity *a, const struct file_identity *b);
bool model_is_same(const struct model_identity *a, const struct model_identity *b);

#endif
