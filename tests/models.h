/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Where tests find the third-party models: $RONDO_MODELS, else beside the source tree. */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Tests run with the source root as their working directory. */
static inline const char *models_root(void)
{
	const char *root = getenv("RONDO_MODELS");

	return root && root[0] ? root : "../shared/models";
}

/* "<root>/<rest>" in @buf, which it returns. */
static inline const char *models_path(char *buf, size_t size, const char *rest)
{
	snprintf(buf, size, "%s/%s", models_root(), rest);
	return buf;
}

static inline bool models_present(const char *rest)
{
	char path[512];

	return !access(models_path(path, sizeof(path), rest), R_OK);
}

#endif
