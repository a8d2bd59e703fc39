/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Folding: what it costs is counted over all of a graph, and what costs too much is left alone. */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "compiler/passes.h"
#include "tests/tap.h"

static const char two_adds[] = "graph \"\" from \"\"\n"
			       "input %0 \"x\" f32[4]\n"
			       "const %1 \"k\" f32[4] = 1 2 3 4\n"
			       "node %2 \"a\" f32[4] = Add \"a\" %1 %1\n"
			       "node %3 \"b\" f32[4] = Mul \"b\" %1 %1\n"
			       "node %4 \"y\" f32[4] = Add \"y\" %2 %3\n"
			       "node %5 \"z\" f32[4] = Add \"z\" %4 %0\n"
			       "output %5\n";

static int nodes(const struct graph *g)
{
	int n = 0;

	for (const struct node *at = g->first; at; at = at->next)
		n++;
	return n;
}

/* With @spent of the budget gone, how many of the four nodes are left. */
static void test_budget(double spent, int left, double cost, const char *name)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_parse(two_adds, "text", &err);

	g->fold_cost = spent;
	tap_ok(!pass_fold(g) && nodes(g) == left && g->fold_cost == cost, "%s", name);
	if (nodes(g) != left || g->fold_cost != cost)
		printf("# %d nodes, cost %.0f %s\n", nodes(g), g->fold_cost, err.text);
	graph_free(g);
}

int main(void)
{
	test_budget(0, 1, 24, "three nodes of 8 are computed");
	test_budget(1e9 - 24, 1, 1e9, "also where they just fit into the budget");
	test_budget(1e9 - 23, 2, 1e9 - 7, "the third is left where it does not");
	test_budget(1e9 - 7, 4, 1e9 - 7, "and all where none does");
	return tap_done();
}
