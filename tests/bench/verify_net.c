// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * verify_net_ratio: the time that the verifier takes for compiled networks, over that of decoding
 * them (decode.h): for the demo's own model, and for the published ones of
 * $RONDO_MODELS that are there and that the compiler maps. Either time is the sum of the least that
 * each network took. verify_net_mbundle_s: all bundles over that time of one core of this host.
 */
#include <dirent.h>
#include <stdio.h>

#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "core/machine.h"
#include "core/verify_state.h"
#include "tests/bench/decode.h"
#include "tests/models.h"

enum { ROUNDS = 40 };

#define ROUND_S 0.002 /* programs are short, so that each is verified many times in a round */

/* As the kernel does it: claims compared, in steps. */
static bool verify(struct rondo_verify *v, const struct rondo_machine *machine, const void *program,
		   u64 size)
{
	rondo_verify_init(v, machine, program, size, 0);
	while (rondo_verify_step(v, 4096))
		;
	return !rondo_verify_verdict(v)->code;
}

static const void *program_of(const struct compiled *c, u64 *size)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);
	u32 i;

	for (i = 0; i < header->sections; i++) {
		*size = s[i].size;
		if (s[i].type == RONDO_SECTION_PROGRAM)
			return c->file + s[i].offset;
	}
	return NULL;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* Least seconds that the program takes, and its decoding; 0: it is refused. */
static double seconds(struct rondo_verify *v, const struct rondo_machine *machine,
		      const void *program, u64 size, double *decode)
{
	double best = 1e9, start = bench_s(CLOCK_PROCESS_CPUTIME_ID), took;
	u32 times, round, i;

	for (times = 0; bench_s(CLOCK_PROCESS_CPUTIME_ID) - start < ROUND_S; times++)
		if (!verify(v, machine, program, size))
			return 0;
	for (round = 0; round < ROUNDS; round++) {
		start = bench_s(CLOCK_PROCESS_CPUTIME_ID);
		for (i = 0; i < times; i++)
			verify(v, machine, program, size);
		took = (bench_s(CLOCK_PROCESS_CPUTIME_ID) - start) / times;
		best = least(best, took);
		*decode = least(*decode, bench_decode_s(program, size));
	}
	return best;
}

struct sum {
	double bundles, seconds, decode_s;
};

/* False if it cannot be read or compiled, and *@err says why, or is not accepted. */
static bool network(struct rondo_verify *v, const struct rondo_machine *machine, const char *path,
		    struct sum *sum, struct compile_error *err)
{
	struct compiled c = { 0 };
	struct graph *g = NULL;
	const void *program;
	void *model = NULL;
	size_t length = 0;
	double took = 0, decode = 1e9;
	u64 size;

	if (!compile_read_file(path, &model, &length, err) &&
	    !compile_graph_from_onnx(model, length, path, NULL, &g, err) &&
	    !backend_compile(g, machine, NULL, &c)) {
		u32 bundles;

		program = program_of(&c, &size);
		bundles = ((const struct rondo_program_header *)program)->bundles;
		took = seconds(v, machine, program, size, &decode);
		if (took) {
			printf("# %s: %u bundles, %.2f Mbundle/s\n", path, bundles,
			       bundles / took / 1e6);
			sum->bundles += bundles;
			sum->seconds += took;
			sum->decode_s += decode;
		} else {
			snprintf(err->text, sizeof(err->text), "%s: refused", path);
		}
	}
	compiled_free(&c);
	graph_free(g);
	free(model);
	return took > 0;
}

static void published(struct rondo_verify *v, const struct rondo_machine *machine, struct sum *sum)
{
	char path[512], rest[300];
	struct dirent **entries;
	int n = scandir(models_path(path, sizeof(path), "onnx"), &entries, NULL, alphasort), i;

	for (i = 0; i < n; i++) {
		struct compile_error err = { 0 };

		snprintf(rest, sizeof(rest), "onnx/%s/model.onnx", entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && models_present(rest) &&
		    !network(v, machine, models_path(path, sizeof(path), rest), sum, &err))
			printf("# left out: %s\n", err.text);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(void)
{
	struct rondo_verify *v = malloc(sizeof(*v));
	struct compile_error err = { 0 };
	struct rondo_machine edge;
	struct sum sum = { 0 };

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (!v || !network(v, &edge, "demo/digits.onnx", &sum, &err)) {
		fprintf(stderr, "demo/digits.onnx: %s\n", err.text);
		return EXIT_FAILURE;
	}
	published(v, &edge, &sum);
	bench_figure("verify_net_ratio", sum.seconds / sum.decode_s, "ratio");
	bench_figure("verify_net_mbundle_s", sum.bundles / sum.seconds / 1e6, "Mbundle/s");
	free(v);
	return EXIT_SUCCESS;
}
