// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/external.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the path stays below where it starts, links apart. */
static bool stays_below(const char *path)
{
	if (*path == '/')
		return false;
	for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/')
		if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || !at[2]))
			return false;
	return true;
}

/* The length of the directory of @path, the last / with it. */
static size_t directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/*
 * Whether @path, without links, is below the directory of the model. A model that is a link itself,
 * as those of caches are, has two: where the link is, and where it leads.
 */
static bool is_beside(const char *model, const char *path)
{
	char directory[PATH_MAX], real[PATH_MAX];
	size_t n = directory_of(model);

	if (n >= sizeof(directory))
		return false;
	snprintf(directory, sizeof(directory), "%.*s", (int)n, n ? model : "");
	if (realpath(n ? directory : ".", real)) {
		n = strlen(real);
		n -= n && real[n - 1] == '/';
		if (!strncmp(path, real, n) && path[n] == '/')
			return true;
	}
	return realpath(model, real) && !strncmp(path, real, directory_of(real));
}

static int open_beside(struct external_files *f, const char *location)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stat st;

	if (!stays_below(location))
		return -EXDEV;
	if (snprintf(path, sizeof(path), "%.*s%s", (int)directory_of(f->model), f->model,
		     location) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!realpath(*path ? path : ".", real))
		return -errno;
	if (!is_beside(f->model, real))
		return -EXDEV;
	f->fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (f->fd < 0)
		return -errno;
	f->location = strdup(location);
	if (!f->location || fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		int code = !f->location ? -ENOMEM : -EINVAL;

		free(f->location);
		f->location = NULL;
		close(f->fd);
		return code;
	}
	f->size = (uint64_t)st.st_size;
	return 0;
}

int external_read(void *files, const char *location, uint64_t offset, uint64_t size, void *bytes)
{
	struct external_files *f = files;
	char *to = bytes;
	int rc;

	if (!f->location || strcmp(f->location, location) != 0) {
		external_close(f);
		rc = open_beside(f, location);
		if (rc)
			return rc;
	}
	if (offset > f->size || size > f->size - offset)
		return -ENODATA;
	while (to && size) {
		ssize_t n = pread(f->fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		to += n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

void external_close(struct external_files *f)
{
	if (f->location)
		close(f->fd);
	free(f->location);
	f->location = NULL;
}
