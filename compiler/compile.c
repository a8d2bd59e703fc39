// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The entry points of compiler.h. */
#include "compiler/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (INT64_C(1) << 31)

/* Runs all passes on what was read; @rc is whether it was. */
static int normalise(int rc, struct graph *g, const struct compile_options *options,
		     struct graph **out)
{
	static const struct compile_options defaults;

	if (rc)
		return rc;
	rc = compile_run_passes(g, options ? options : &defaults, NULL);
	if (rc) {
		graph_free(g);
		return rc;
	}
	*out = g;
	return 0;
}

int compile_graph_from_onnx(const void *bytes, size_t size, const char *name,
			    const struct compile_options *options, struct graph **out,
			    struct compile_error *err)
{
	struct graph *g = NULL;
	int rc = onnx_read_graph(bytes, size, name, options, &g, err);

	return normalise(rc, g, options, out);
}

int compile_read_graph(const void *bytes, size_t size, const char *name,
		       const struct compile_options *options, struct graph **out,
		       struct compile_error *err)
{
	return tflite_is_model(bytes, size) ?
		       tflite_read_graph(bytes, size, name, options, out, err) :
		       onnx_read_graph(bytes, size, name, options, out, err);
}

int compile_graph(const void *bytes, size_t size, const char *name,
		  const struct compile_options *options, struct graph **out,
		  struct compile_error *err)
{
	struct graph *g = NULL;
	int rc = compile_read_graph(bytes, size, name, options, &g, err);

	return normalise(rc, g, options, out);
}

/* Opens a regular file for reading; @size is its. A pipe is not waited for. */
static int open_file(const char *path, s64 *size, struct compile_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		rc = compile_fail(err, -errno, "%.300s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		rc = compile_fail(err, -EISDIR, "%.300s: %s", path, strerror(EISDIR));
	else if (!S_ISREG(st.st_mode))
		rc = compile_fail(err, -EINVAL, "%.300s: not a regular file", path);
	else if (st.st_size > FILE_BYTES_MAX)
		rc = compile_fail(err, -EFBIG, "%.300s: larger than 2 GiB", path);
	if (rc && fd >= 0)
		close(fd);
	*size = rc ? 0 : st.st_size;
	return rc ? rc : fd;
}

/* Reads up to @size bytes; how many there were, or -1. */
static s64 read_bytes(int fd, char *bytes, s64 size)
{
	s64 done = 0;

	while (done < size) {
		ssize_t n = read(fd, bytes + done, (size_t)(size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : done;
		done += n;
	}
	return done;
}

int compile_read_file(const char *path, void **bytes, size_t *size, struct compile_error *err)
{
	s64 length;
	int fd = open_file(path, &length, err), rc = 0;

	*bytes = NULL;
	if (fd < 0)
		return fd;
	*bytes = malloc((size_t)length + 1);
	if (!*bytes) {
		rc = compile_fail(err, -ENOMEM, "%.300s: no memory", path);
	} else {
		length = read_bytes(fd, *bytes, length);
		if (length < 0)
			rc = compile_fail(err, -errno, "%.300s: %s", path, strerror(errno));
	}
	close(fd);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
		return rc;
	}
	*size = (size_t)length;
	return 0;
}
