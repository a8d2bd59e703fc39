// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The whole compiler against the interpreter on generated graphs; the bytes are the choices. */
#include "tests/fuzz/graph_generate.h"
#include "tests/graph_case.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = graph_generate(data, size), why[GRAPH_CASE_WHY];

	if (!graph_case_run(text, "random.graph", why)) {
		fprintf(stderr, "%s\n%s", why, text);
		abort();
	}
	free(text);
	return 0;
}
