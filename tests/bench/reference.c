// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * exec_diff_bits: generated programs, of seeds 1 to RONDO_BENCH_PROGRAMS (20000), on which
 * executor and reference differ in a bit of their slots, a cycle, or a count of activity.
 * exec_reference_speedup: how much faster the executor is on a matrix product of bytes,
 * checks off.
 */
#include <stdio.h>
#include <time.h>

#include "core/machine.h"
#include "tests/agree.h"
#include "tests/fuzz/generate.h"

enum { PROGRAMS = 20000, PUSHES = 2048, EXEC_RUNS = 20, SPEEDUP = 500 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void diff_bits(struct agree *a, u64 programs)
{
	u8 choices[GENERATE_CHOICES];
	char why[AGREE_WHY_BYTES];
	u64 different = 0, seed, size;
	struct builder b;
	u8 *bytes;

	for (seed = 1; seed <= programs; seed++) {
		generate_choices(choices, seed);
		build_init(&b);
		generate(&b, GENERATE_RIGHT, choices, sizeof(choices));
		bytes = build_bytes(&b, &size);
		rondo_measure_init(b.verify, &b.machine, bytes, size);
		while (rondo_verify_step(b.verify, ~0u))
			;
		rondo_measure_claim(b.verify, bytes);
		if (!rondo_verify_verdict(b.verify)->code &&
		    !agree_run(a, bytes, size, rondo_verify_facts(b.verify), NULL, seed, why)) {
			different++;
			fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, why);
		}
		free(bytes);
		build_fini(&b);
	}
	printf("exec_diff_bits %llu of_%llu_programs target <= 0 %s\n",
	       (unsigned long long)different, (unsigned long long)programs,
	       different ? "short" : "ok");
}

/* PUSHES rows of 256 bytes times a matrix of 256 x 64, from SRAM that reads as zero. */
static u8 *matrix_product(struct builder *b, u64 *size)
{
	struct rondo_op wl = { .op = RONDO_OP_wl_s8, .count = RONDO_LANES_MAX, .zp = 3 };
	struct rondo_op push = { .op = RONDO_OP_push_s8, .count = RONDO_LANES_MAX, .mode = 1 };

	wl.entry =
		(u16)build_entry(b, (struct rondo_entry){ .stride = { 256 }, .row_stride = { 1 } });
	push.entry = (u16)build_entry(b, (struct rondo_entry){ .base = 65536,
							       .stride = { 0, 256 },
							       .row_stride = { 0, 1 } });
	build_loop(b, RONDO_LANES_MAX, 1);
	build_op(b, RONDO_W, wl);
	build_loop(b, PUSHES / 512, 2);
	build_loop(b, 512, 1);
	build_op(b, RONDO_M, push);
	build_halt(b);
	return build_bytes(b, size);
}

static void speedup(struct agree *a)
{
	const struct exec_io io = { NULL, NULL, NULL };
	const struct exec_control control = { .bound = ~0ull };
	char why[EXEC_REASON_BYTES];
	struct reference_result by_reference;
	struct exec_program *program;
	struct exec_result by_exec;
	struct builder b;
	double start, exec_s, reference_s;
	u64 size;
	u8 *bytes;
	int i;

	build_init(&b);
	bytes = matrix_product(&b, &size);
	if (exec_load(&program, &a->machine, bytes, size, NULL, why)) {
		fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	start = now_s();
	for (i = 0; i < EXEC_RUNS; i++)
		exec_run(a->exec, program, &io, &control, &by_exec);
	exec_s = (now_s() - start) / EXEC_RUNS;
	start = now_s();
	reference_run(a->reference, bytes, size, NULL, &io, ~0ull, &by_reference);
	reference_s = now_s() - start;
	if (by_exec.status != EXEC_DONE || by_reference.status != EXEC_DONE ||
	    by_exec.cycles != by_reference.cycles)
		fprintf(stderr, "the matrix product did not end well\n");
	else
		printf("exec_reference_speedup %.0f x target >= %d %s\n", reference_s / exec_s,
		       SPEEDUP, reference_s / exec_s >= SPEEDUP ? "ok" : "short");
	exec_unload(program);
	free(bytes);
	build_fini(&b);
}

int main(void)
{
	const char *programs = getenv("RONDO_BENCH_PROGRAMS");
	struct rondo_machine edge;
	struct agree a;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (!agree_init(&a, &edge))
		return EXIT_FAILURE;
	diff_bits(&a, programs ? strtoull(programs, NULL, 0) : PROGRAMS);
	speedup(&a);
	agree_fini(&a);
	return EXIT_SUCCESS;
}
