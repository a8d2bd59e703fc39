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

/* Whether the path stays below where it starts. Links are the user's own business. */
static bool stays_below(const char *path)
{
	if (*path == '/')
		return false;
	for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/')
		if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || !at[2]))
			return false;
	return true;
}

static int open_beside(struct external_files *f, const char *location)
{
	const char *slash = strrchr(f->model, '/');
	int directory = slash ? (int)(slash - f->model) + 1 : 0;
	char path[PATH_MAX];
	struct stat st;

	if (!stays_below(location))
		return -EACCES;
	if (snprintf(path, sizeof(path), "%.*s%s", directory, f->model, location) >= PATH_MAX)
		return -ENAMETOOLONG;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
