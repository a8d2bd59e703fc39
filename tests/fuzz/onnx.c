// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as an ONNX model: they are refused with a message, or become a normalised graph that
 * prints and parses to the same text.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "compiler/graph_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char *print(const struct graph *g)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	graph_print(f, g, true);
	fclose(f);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct compile_error err = { 0 };
	struct graph *g, *again;
	char *once, *twice;

	if (compile_graph_from_onnx(bytes, size, "fuzz", NULL, &g, &err)) {
		if (err.code >= 0 || err.code == -ENOTRECOVERABLE || !err.text[0])
			abort();
		return 0;
	}
	once = print(g);
	again = graph_parse(once, "text", &err);
	if (!again)
		abort();
	twice = print(again);
	if (strcmp(once, twice))
		abort();
	free(once);
	free(twice);
	graph_free(again);
	graph_free(g);
	return 0;
}
