/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Random graphs through the whole compiler, compared with the interpreter as tests/graph_case.h
 * says. Without arguments the seeds of make check; with FIRST and COUNT others, and with COUNT 1
 * the graph's text is printed, ready to become a file of tests/graphs.
 */
#include "tests/fuzz/graph_generate.h"
#include "tests/graph_case.h"
#include "tests/tap.h"

enum { SEEDS = 200 };

int main(int argc, char **argv)
{
	u64 first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc > 2 ? strtoull(argv[2], NULL, 0) : SEEDS, seed, bad = 0;
	u64 tiled = 0;
	char why[GRAPH_CASE_WHY];
	bool too_large;

	for (seed = first; seed < first + count; seed++) {
		char *text = graph_of_seed(seed);

		if (count == 1)
			printf("%s", text);
		if (!graph_case_run(text, "random.graph", why)) {
			printf("# seed %llu: %s\n", (unsigned long long)seed, why);
			bad++;
		}
		/* In so little SRAM that most of it is in tiles, if it fits at all. */
		if (!graph_case_run_in(text, "random.graph", 1024u << seed % 4, seed / 4 % 2,
				       &too_large, why)) {
			printf("# seed %llu in tiles: %s\n", (unsigned long long)seed, why);
			bad++;
		}
		if (seed % 8 == 0 &&
		    !graph_case_run_bf16(text, "random.graph", seed % 16 ? 0 : 4096, why)) {
			printf("# seed %llu in bf16: %s\n", (unsigned long long)seed, why);
			bad++;
		}
		tiled += !too_large;
		free(text);
	}
	tap_ok(!bad, "%llu random graphs from %llu on", (unsigned long long)count,
	       (unsigned long long)first);
	tap_ok(tiled * 2 >= count, "%llu of them in little SRAM", (unsigned long long)tiled);
	return tap_done();
}
