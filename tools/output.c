// SPDX-License-Identifier: GPL-2.0-only OR MIT
#define _GNU_SOURCE /* asprintf() */
#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_TRIES = 100 };

static int write_all(int fd, const struct output_part *part)
{
	const char *at = part->bytes;
	size_t left = part->size;

	while (left) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Writes all parts and closes @fd. */
static int write_and_close(int fd, const struct output_part *parts, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++)
		ret = write_all(fd, &parts[i]);
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

static int write_in_place(const char *path, const struct output_part *parts, size_t count)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_and_close(fd, parts, count);
}

/* A new file beside @path; its name is in @name. -1: see errno. */
static int open_temporary(const char *path, char name[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash - path) + 1 : 0, fd = -1;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int length = snprintf(name, PATH_MAX, "%.*s.rondo-%ld-%d", directory, path,
				      (long)getpid(), i);

		if (length < 0 || length >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

/* Writes a temporary file and gives it the name @path, and the mode @mode unless that is 0. */
static int write_beside(const char *path, mode_t mode, const struct output_part *parts,
			size_t count)
{
	char name[PATH_MAX];
	int fd = open_temporary(path, name), ret;

	if (fd < 0)
		return -errno;
	if (mode && fchmod(fd, mode)) {
		ret = -errno;
		close(fd);
	} else {
		ret = write_and_close(fd, parts, count);
	}
	if (!ret && rename(name, path))
		ret = -errno;
	if (ret)
		unlink(name);
	return ret;
}

/* write_beside(), which nobody interrupts. */
static int write_whole(const char *path, mode_t mode, const struct output_part *parts, size_t count)
{
	sigset_t wait, before;
	int ret;

	sigemptyset(&wait);
	sigaddset(&wait, SIGINT);
	sigaddset(&wait, SIGTERM);
	sigaddset(&wait, SIGHUP);
	sigprocmask(SIG_BLOCK, &wait, &before);
	ret = write_beside(path, mode, parts, count);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* Where the chain of links at @path ends, be there a file or not; for free(). NULL: see errno. */
static char *follow(const char *path)
{
	char target[PATH_MAX], *at = strdup(path);

	for (int i = 0; at && i < 40; i++) { /* as many as the kernel follows */
		const char *slash = strrchr(at, '/');
		int directory = slash ? (int)(slash - at) + 1 : 0;
		ssize_t length = readlink(at, target, sizeof(target) - 1);
		char *next;

		if (length < 0)
			return at; /* no link */
		target[length] = '\0';
		if (target[0] == '/')
			directory = 0;
		if (asprintf(&next, "%.*s%s", directory, at, target) < 0)
			next = NULL;
		free(at);
		at = next;
	}
	if (at)
		errno = ELOOP;
	free(at);
	return NULL;
}

int output_write(const char *path, const struct output_part *parts, size_t count,
		 struct compile_error *err)
{
	struct stat st = {};
	bool exists = !stat(path, &st);
	char *end = NULL;
	int ret;

	if (exists && S_ISDIR(st.st_mode)) {
		ret = -EISDIR;
	} else if (exists && !S_ISREG(st.st_mode)) {
		ret = write_in_place(path, parts, count);
	} else {
		end = follow(path);
		ret = end ? write_whole(end, exists ? st.st_mode & 07777 : 0, parts, count) :
			    -errno;
	}
	free(end);
	if (!ret)
		return 0;
	compile_fail(err, ret, "%s", strerror(-ret));
	compile_error_prefix(err, path);
	return ret;
}

bool output_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
