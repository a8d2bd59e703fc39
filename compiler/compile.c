// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The entry points of compiler.h. */
#include "compiler/compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (INT64_C(1) << 31)

int compile_graph_from_onnx(const void *bytes, size_t size, const char *name,
			    const struct compile_options *options, struct graph **out,
			    struct compile_error *err)
{
	static const struct compile_options defaults;
	struct graph *g;
	int rc;

	rc = onnx_read_graph(bytes, size, name, options, &g, err);
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

int compile_read_file(const char *path, void **bytes, size_t *size, struct compile_error *err)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	long end = -1;
	int rc = 0;

	*bytes = NULL;
	if (!f)
		return compile_fail(err, -errno, "%.300s: %s", path, strerror(errno));
	if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode))
		rc = compile_fail(err, -EISDIR, "%.300s: %s", path, strerror(EISDIR));
	else if (fseek(f, 0, SEEK_END) || (end = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		rc = compile_fail(err, -EIO, "%.300s: not a regular file", path);
	else if (end > FILE_BYTES_MAX)
		rc = compile_fail(err, -EFBIG, "%.300s: larger than 2 GiB", path);
	else if (!(*bytes = malloc((size_t)end + 1)))
		rc = compile_fail(err, -ENOMEM, "%.300s: no memory", path);
	else if (fread(*bytes, 1, (size_t)end, f) != (size_t)end)
		rc = compile_fail(err, -EIO, "%.300s: it cannot be read", path);
	fclose(f);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
		return rc;
	}
	*size = (size_t)end;
	return 0;
}
