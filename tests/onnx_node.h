/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The ONNX project's tests of single operators, $RONDO_MODELS/onnx-node, as networks: each is
 * compiled with its data as inputs of the program, and run.
 *
 * Baked into the program are only inputs that the rows BAKED of compiler/ops.def name: shapes,
 * axes, indices and what ONNX calls parameters; of integers also what these are computed of. A test
 * whose outputs all become constants shows nothing of the machine and is counted apart.
 */
#ifndef TESTS_ONNX_NODE_H
#define TESTS_ONNX_NODE_H

#include <stdbool.h>
#include <stddef.h>

enum onnx_node_verdict {
	ONNX_NODE_RIGHT, /* every output within rtol 1e-3, atol 1e-5; integers exactly */
	ONNX_NODE_WRONG, /* another result of the interpreter or the program, or a fault */
	ONNX_NODE_REFUSED,
	ONNX_NODE_CONSTANT, /* right, but nothing of it is computed at run time */
	ONNX_NODE_VERDICTS
};

enum { ONNX_NODE_WHY = 640 };

/*
 * Runs the test in directory @dir. @all_baked: with all inputs but the first baked in, as weights
 * are. @why: of what is wrong or refused. One thread only.
 */
enum onnx_node_verdict onnx_node_run(const char *dir, bool all_baked, char why[ONNX_NODE_WHY]);

/* All tests, in order of their names; calls @each, if it is not NULL, behind each of them. */
struct onnx_node_suite {
	int tests; /* 0: the directory is not there */
	int live[ONNX_NODE_VERDICTS], baked[ONNX_NODE_VERDICTS];
	void (*each)(const char *name, bool baked, enum onnx_node_verdict v, const char *why);
};
void onnx_node_run_all(struct onnx_node_suite *s);

/* Prints, as lines that begin with "#", why tests with live data were refused, by count. */
void onnx_node_print_reasons(void);

#endif
