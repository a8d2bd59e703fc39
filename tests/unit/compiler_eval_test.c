/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The interpreter as a function: what it refuses, and what it leaves behind. What it computes is
 * tested by the graphs of tests/graphs, against results of tests/graphs/oracle.py.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "tests/tap.h"

#include <errno.h>

static void test_wrong_input(const char *what, struct tensor_data x, const char *message)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_parse("graph \"\" from \"\"\ninput %0 \"x\" f32[2]\n"
				      "node %1 \"y\" f32[2] = Tanh \"\" %0\noutput %1\n",
				      "text", &err);
	struct tensor_data y = { 0 };

	if (!tap_ok(g && graph_eval(g, &x, &y, &err) == -EINVAL && !strcmp(err.text, message) &&
			    !y.bytes,
		    "an input of another %s is refused", what))
		printf("# %s\n", err.text);
	graph_free(g);
}

/* The cost that folding weighs: multiplications, or elements read and written. */
static void test_cost(const char *what, const char *text, double cost)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	struct graph *g = graph_parse(text, "text", &err);

	if (!tap_ok(g && !compile_run_passes(g, &no_options, "shape") &&
			    eval_cost(g, g->first) == cost,
		    "the cost of %s is %g", what, cost))
		printf("# %s%g\n", err.text, g && !err.code ? eval_cost(g, g->first) : 0);
	graph_free(g);
}

#define GRAPH "graph \"\" from \"\"\ninput %0 \"x\" "

int main(void)
{
	static const float numbers[3] = { 1, 2, 3 };

	test_wrong_input("shape",
			 (struct tensor_data){ DTYPE_F32, { 1, { 3 } }, (void *)numbers, 12 },
			 "input \"x\" is f32[3], f32[2] is needed");
	test_wrong_input("type",
			 (struct tensor_data){ DTYPE_S32, { 1, { 2 } }, (void *)numbers, 8 },
			 "input \"x\" is s32[2], f32[2] is needed");
	test_cost("an Add", GRAPH "f32[2,3]\nnode %1 \"y\" ? = Add \"\" %0 %0\noutput %1\n", 12);
	test_cost("a MatMul",
		  GRAPH "f32[2,3]\ninput %1 \"w\" f32[3,5]\nnode %2 \"y\" ? = MatMul \"\" %0 %1\n"
			"output %2\n",
		  30);
	test_cost("a MatMul by a vector",
		  GRAPH "f32[2,3]\ninput %1 \"w\" f32[3]\nnode %2 \"y\" ? = MatMul \"\" %0 %1\n"
			"output %2\n",
		  6);
	test_cost("a Gemm with B transposed",
		  GRAPH "f32[2,3]\ninput %1 \"w\" f32[5,3]\n"
			"node %2 \"y\" ? = Gemm \"\" %0 %1 trans_b=1\noutput %2\n",
		  30);
	test_cost("a Conv in groups",
		  GRAPH "f32[1,4,3,3]\ninput %1 \"w\" f32[6,2,2,3]\n"
			"node %2 \"y\" ? = Conv \"\" %0 %1 group=2\noutput %2\n",
		  6 * 2 * 2 * 2 * 3);
	test_cost("a pool",
		  GRAPH "f32[1,2,5,5]\nnode %1 \"y\" ? = MaxPool \"\" %0 kernel=2,3\noutput %1\n",
		  2 * 4 * 3 * 6);
	return tap_done();
}
