// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * 400,689 tiles, all in processor time.
 *
 * wafer_heat_ratio, wafer_matvec_ratio, wafer_allreduce_ratio: the programs of examples/mesh at
 * full size, whose results are compared with plain C, against plain C that streams the same bytes
 * (wafer_plain.c).
 * wafer_loop_ratio: bundles (two loads, a product, a sum, a store) in all tiles against plain C
 * which does the same with arrays of all tiles, bundle by bundle.
 * wafer_gib: most memory that this process had, plain C's arrays included.
 * verify_wafer_ratio: the verifier's time for a text on the wafer over that on edge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "emulator/exec/mesh/mesh.h"
#include "tests/bench/paired.h"
#include "tests/bench/wafer_plain.h"
#include "tests/mesh_examples.h"
#include "tests/unit/program_builder.h"

enum { LANES = WAFER_LANES, UNROLL = 8, BUNDLES = 320 };

static double example_s(void *ctx)
{
	enum mesh_example example = *(enum mesh_example *)ctx;
	struct mesh_example_run run;

	if (!mesh_example(example, RONDO_MACHINE_wafer, false, &run) || run.wrong) {
		fprintf(stderr, "%s: %llu of %llu numbers wrong. %s\n", mesh_example_names[example],
			(unsigned long long)run.wrong, (unsigned long long)run.numbers, run.why);
		exit(EXIT_FAILURE);
	}
	return run.seconds;
}

static void examples(void)
{
	static paired_side *const plain[MESH_EXAMPLES] = { wafer_plain_heat, wafer_plain_matvec,
							   wafer_plain_allreduce };
	struct rusage usage;
	struct paired p;
	char name[32];
	u32 i;

	for (i = MESH_EXAMPLES; i-- > 0;) {
		enum mesh_example example = i;

		p = paired_run(3, example_s, &example, plain[i], NULL);
		snprintf(name, sizeof(name), "wafer_%s_ratio", mesh_example_names[i]);
		paired_figure(name, &p, "the wafer", "plain C");
	}
	getrusage(RUSAGE_SELF, &usage);
	bench_figure("wafer_gib", (double)usage.ru_maxrss / (1 << 20), "GiB");
}

/*
 * Registers 0..7 hold something; then @trips times UNROLL bundles. What they write crosses the mesh
 * in the end: registers that nothing reads would not be stored, as plain C's arrays are.
 */
static void bundles(struct builder *b, u64 trips)
{
	u32 at = build_entry(b, (struct rondo_entry){ .base = 0 }), i;

	for (i = 0; i < 8; i++)
		build_op(b, RONDO_V0, OP(iota, .dst = i));
	build_bundle(b);
	build_loop(b, trips, UNROLL);
	for (i = 0; i < UNROLL; i++) {
		build_op(b, RONDO_L0, OP(ld_w, .dst = 8 + i, .entry = at, .count = LANES));
		build_put(b, RONDO_L1,
			  OP(ld_w, .dst = 16 + i, .entry = at, .off = 64, .count = LANES));
		build_put(b, RONDO_V0, OP(fmul, .dst = 24 + i, .a = 0, .b = 1));
		build_put(b, RONDO_V1, OP(fadd, .dst = 32 + i, .a = 2, .b = 3));
		build_put(b, RONDO_S, OP(st_w, .a = 4, .entry = at, .off = 128, .count = LANES));
	}
	for (i = 8; i < 40; i++)
		build_op(b, RONDO_V1, OP(mv_n, .dst = 40, .a = i));
	build_halt(b);
}

static double bundles_s(void *ctx)
{
	const struct exec_control control = { .bound = RONDO_CYCLES_MAX };
	const struct exec_io io = { 0 };
	char why[EXEC_REASON_BYTES] = "no executor";
	const struct executor *x;
	struct exec_program *program;
	struct exec_result result;
	double start = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	struct builder b;
	struct exec *e;
	u64 size;
	u8 *bytes;

	(void)ctx;
	build_init_for(&b, RONDO_MACHINE_wafer);
	bundles(&b, BUNDLES / UNROLL);
	bytes = build_bytes(&b, &size);
	x = executor_for(&b.machine, EXECUTOR_BEST);
	e = exec_create(x, &b.machine);
	if (!e || exec_load(&program, x, &b.machine, bytes, size, NULL, why)) {
		fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	exec_run(e, program, &io, &control, &result);
	if (result.status != EXEC_DONE) {
		fprintf(stderr, "%s\n", result.reason);
		exit(EXIT_FAILURE);
	}
	exec_unload(program);
	exec_destroy(e);
	build_fini(&b);
	free(bytes);
	return bench_s(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static double plain_bundles_s(void *ctx)
{
	(void)ctx;
	return wafer_plain_bundles(BUNDLES);
}

static void loop_ratio(void)
{
	struct paired p = paired_run(5, bundles_s, NULL, plain_bundles_s, NULL);

	printf("# a bundle: %.2f ms, plain C %.2f ms\n", p.a_s / BUNDLES * 1e3,
	       p.b_s / BUNDLES * 1e3);
	paired_figure("wafer_loop_ratio", &p, "the wafer", "plain C");
}

/* A long text that is right on both machines. */
static void text(struct builder *b)
{
	u32 nest, i, slot = build_slot(b, 0);
	u32 at = build_entry(b, (struct rondo_entry){ .base = 64, .stride = { 32, 256 } });
	u32 desc = build_desc(b, (struct rondo_desc){ .slot = slot, .row_bytes = 8192 });

	for (i = 0; i < 40; i++)
		build_op(b, RONDO_V0, OP(iota, .dst = i));
	build_bundle(b);
	for (nest = 0; nest < 400; nest++) {
		build_start(b, 0, desc, 0);
		build_wait(b, 0, 0);
		build_loop(b, 7, 97);
		build_loop(b, 9, 96);
		for (i = 0; i < 96; i++) {
			build_op(b, RONDO_L0,
				 OP(ld_w, .dst = i % 8, .entry = at, .off = i * 4, .count = 8));
			build_put(b, RONDO_V0, OP(fadd, .dst = 8 + i % 8, .a = 16, .b = 17));
			build_put(b, RONDO_V1, OP(fmul, .dst = 24 + i % 8, .a = 18, .b = 19));
			build_put(b, RONDO_S,
				  OP(st_w, .a = 20, .entry = at, .off = 8192 + i * 32, .count = 8));
		}
	}
	build_halt(b);
}

struct verification {
	struct builder b;
	u8 *bytes;
	u64 size;
};

static double verify_s(void *ctx)
{
	struct verification *v = ctx;
	double start = bench_s(CLOCK_PROCESS_CPUTIME_ID);

	if (rondo_measure_run(v->b.verify, &v->b.machine, v->bytes, v->size)->code) {
		fprintf(stderr, "refused: %s\n",
			rondo_error_text(rondo_verify_verdict(v->b.verify)->code));
		exit(EXIT_FAILURE);
	}
	return bench_s(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static void verify_ratio(void)
{
	static const enum rondo_machine_id machine[2] = { RONDO_MACHINE_wafer, RONDO_MACHINE_edge };
	struct verification v[2];
	struct paired p;
	u32 i;

	for (i = 0; i < 2; i++) {
		build_init_for(&v[i].b, machine[i]);
		text(&v[i].b);
		v[i].bytes = build_bytes(&v[i].b, &v[i].size);
	}
	p = paired_run(61, verify_s, &v[0], verify_s, &v[1]);
	paired_figure("verify_wafer_ratio", &p, "the wafer", "edge");
	for (i = 0; i < 2; i++) {
		build_fini(&v[i].b);
		free(v[i].bytes);
	}
}

int main(void)
{
	verify_ratio();
	loop_ratio();
	examples();
	return EXIT_SUCCESS;
}
