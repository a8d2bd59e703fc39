// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Any bytes as a TensorFlow Lite model: refused with a message, or a graph that all passes keep. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "compiler/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct compile_options options;
	struct compile_error err = { 0 };
	struct graph *g = NULL;
	int rc = tflite_read_graph(bytes, size, "fuzz", NULL, &g, &err);

	if (!rc && graph_check(g))
		abort();
	if (!rc)
		rc = compile_run_passes(g, &options, NULL);
	if (rc && (rc != err.code || !err.text[0] || rc == -ENOTRECOVERABLE))
		abort();
	graph_free(g);
	return 0;
}
