// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * random_networks_wrong: of 10,000 random networks (tests/fuzz/graph_generate.h), those whose
 * program gives something else than the interpreter, in all of SRAM, in a little of it or in bf16,
 * and those that do not compile. With arguments: FIRST COUNT.
 */
#include "tests/bench/paired.h"
#include "tests/fuzz/graph_generate.h"
#include "tests/graph_case.h"

#include <stdlib.h>

enum { NETWORKS = 10000 };

int main(int argc, char **argv)
{
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : NETWORKS, wrong = 0;
	char why[GRAPH_CASE_WHY];
	bool too_large;

	for (unsigned long seed = first; seed < first + count; seed++) {
		char *text = graph_of_seed(seed);
		bool good = graph_case_run(text, "random.graph", why) &&
			    graph_case_run_in(text, "random.graph", 1024u << seed % 4, seed / 4 % 2,
					      &too_large, why) &&
			    graph_case_run_bf16(text, "random.graph", seed % 2 ? 0 : 4096, why);

		if (!good)
			printf("# seed %lu: %s\n", seed, why);
		wrong += !good;
		free(text);
	}
	bench_figure("random_networks_wrong", (double)wrong, "networks");
	return EXIT_SUCCESS;
}
