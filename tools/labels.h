/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Names of classes: one for each line of a file. */
#ifndef TOOLS_LABELS_H
#define TOOLS_LABELS_H

#include "compiler/diag.h"
#include "spec/env.h"

struct labels {
	char **at;
	u32 count;
};

/* Reads @path, whose lines may end as on any system, for labels_free(). 0 or @err's errno. */
int labels_read(const char *path, struct labels *labels, struct compile_error *err);
void labels_free(struct labels *labels);

#endif
