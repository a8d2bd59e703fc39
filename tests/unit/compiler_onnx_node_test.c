/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The ONNX project's tests of single operators, with live data and with constants, as
 * tests/onnx_node.h says: none is wrong, and no fewer are right than were once. With arguments:
 * those directories, one line each; "-v": all of them, one line each.
 */
#include "tests/onnx_node.h"
#include "tests/tap.h"

/* Tests that are right; raise it with every operator that is added. */
enum { RIGHT_LIVE = 777 };

static const char *const verdicts[] = { "right", "wrong", "refused", "constant" };

static void tell(const char *name, bool baked, enum onnx_node_verdict v, const char *why)
{
	printf("# %s %s, %s: %s\n", verdicts[v], baked ? "baked" : "live", name, why);
}

static void tell_wrong(const char *name, bool baked, enum onnx_node_verdict v, const char *why)
{
	if (v == ONNX_NODE_WRONG)
		tell(name, baked, v, why);
}

static void run_some(char **dirs)
{
	char why[ONNX_NODE_WHY];

	for (; *dirs; dirs++) {
		for (int baked = 0; baked < 2; baked++) {
			enum onnx_node_verdict v = onnx_node_run(*dirs, baked, why);

			tell(*dirs, baked, v, why);
			tap_ok(v != ONNX_NODE_WRONG, "%s", *dirs);
		}
	}
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	struct onnx_node_suite s = { .each = verbose ? tell : tell_wrong };

	if (argc > 1 && !verbose) {
		run_some(argv + 1);
		return tap_done();
	}
	onnx_node_run_all(&s);
	if (!s.tests) {
		tap_skip("ONNX node tests", "$RONDO_MODELS/onnx-node is not there");
		return tap_done();
	}
	for (int v = 0; v < ONNX_NODE_VERDICTS; v++)
		printf("# %s: %d with live data, %d with constants\n", verdicts[v], s.live[v],
		       s.baked[v]);
	onnx_node_print_reasons();
	tap_eq(s.live[ONNX_NODE_WRONG], 0, "none is wrong with live data");
	tap_eq(s.baked[ONNX_NODE_WRONG], 0, "none is wrong with constants");
	tap_ok(s.live[ONNX_NODE_RIGHT] >= RIGHT_LIVE, "at least %d of %d are right", RIGHT_LIVE,
	       s.tests);
	return tap_done();
}
