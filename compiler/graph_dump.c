// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * For developers: prints a model's graph after a pass.
 *   graph_dump MODEL.onnx [--dump PASS] [--data] [--dim NAME=SIZE]
 * Without --dump the normalised graph; --dump list names the passes.
 */
#include "compiler/compiler.h"
#include "compiler/passes.h"

#include <stdlib.h>
#include <string.h>

static void notice(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "notice: %s\n", text);
}

static int list_passes(void)
{
	printf("%-10s %s\n", "read", "the graph as the model has it");
	for (const struct pass *p = passes; p->name; p++)
		printf("%-10s %s\n", p->name, p->what);
	return EXIT_SUCCESS;
}

static int dump(const char *path, const struct compile_options *options)
{
	struct compile_error err = { 0 };
	struct graph *g = NULL;
	void *bytes;
	size_t size;
	int rc;

	rc = compile_read_file(path, &bytes, &size, &err);
	if (!rc) {
		rc = compile_graph_from_onnx(bytes, size, path, options, &g, &err);
		free(bytes);
	}
	if (rc)
		fprintf(stderr, "graph_dump: %s\n", err.text);
	graph_free(g);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct compile_options options = { .dump_pass = "final", .notice = notice };
	struct compile_dim dim;
	const char *path = NULL;
	char *equals;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--data")) {
			options.dump_data = true;
		} else if (!strcmp(argv[i], "--dump") && i + 1 < argc) {
			options.dump_pass = argv[++i];
		} else if (!strcmp(argv[i], "--dim") && i + 1 < argc &&
			   (equals = strchr(argv[i + 1], '='))) {
			*equals = 0;
			dim = (struct compile_dim){ argv[++i], strtoll(equals + 1, NULL, 10) };
			options.dims = &dim;
			options.n_dims = 1;
		} else if (argv[i][0] != '-' && !path) {
			path = argv[i];
		} else {
			path = NULL;
			break;
		}
	}
	if (!strcmp(options.dump_pass, "list"))
		return list_passes();
	if (!path) {
		fprintf(stderr, "usage: graph_dump MODEL.onnx [--dump PASS] [--data] "
				"[--dim NAME=SIZE]\n");
		return EXIT_FAILURE;
	}
	return dump(path, &options);
}
