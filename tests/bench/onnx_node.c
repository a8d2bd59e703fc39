// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * onnx_node_live: of the ONNX project's tests of single operators, those that the in-process device
 * gives the right result for with live data. onnx_node_wrong: those with a wrong one.
 */
#include "tests/bench/paired.h"
#include "tests/onnx_node.h"

#include <stdlib.h>

int main(void)
{
	struct onnx_node_suite s = { 0 };

	onnx_node_run_all(&s);
	if (!s.tests) {
		fprintf(stderr, "$RONDO_MODELS/onnx-node is not there\n");
		return EXIT_FAILURE;
	}
	onnx_node_print_reasons();
	printf("# of %d tests %d are constant, %d refused\n", s.tests, s.live[ONNX_NODE_CONSTANT],
	       s.live[ONNX_NODE_REFUSED]);
	bench_figure("onnx_node_live", s.live[ONNX_NODE_RIGHT], "tests");
	bench_figure("onnx_node_wrong", s.live[ONNX_NODE_WRONG] + s.baked[ONNX_NODE_WRONG],
		     "tests");
	return EXIT_SUCCESS;
}
