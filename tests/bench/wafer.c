// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * 400,689 tiles.
 *
 * wafer_heat_s, wafer_matvec_s, wafer_allreduce_s: seconds for the programs of examples/mesh at
 * full size, whose results are compared with plain C; wafer_gib: most memory that this process
 * had, plain C's arrays included.
 * wafer_loop_ratio: processor time of a bundle (two loads, a product, a sum, a store) in all tiles
 * against that of plain C which does the same with arrays of all tiles, bundle by bundle.
 * verify_wafer_ratio: the verifier's time for a text on the wafer over that on edge; below 0.95 is
 * short too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "emulator/exec/mesh/mesh.h"
#include "tests/mesh_examples.h"
#include "tests/unit/program_builder.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

enum { TILES = 633 * 633, LANES = 8, UNROLL = 8 };

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void figure(const char *name, double value, const char *unit, double target, bool ok)
{
	printf("%s %.3f %s target <= %g %s\n", name, value, unit, target,
	       ok && value <= target ? "ok" : "short");
}

static void examples(void)
{
	struct mesh_example_run run;
	struct rusage usage;
	char name[32];
	u32 i;

	for (i = MESH_EXAMPLES; i-- > 0;) {
		bool good = mesh_example(i, RONDO_MACHINE_wafer, false, &run);

		if (!good || run.wrong)
			printf("# %s: %llu of %llu numbers wrong. %s\n", mesh_example_names[i],
			       (unsigned long long)run.wrong, (unsigned long long)run.numbers,
			       run.why);
		snprintf(name, sizeof(name), "wafer_%s_s", mesh_example_names[i]);
		figure(name, run.seconds, "s", 120, good && !run.wrong);
	}
	getrusage(RUSAGE_SELF, &usage);
	figure("wafer_gib", (double)usage.ru_maxrss / (1 << 20), "GiB", 20, true);
}

static void begin(struct builder *b, enum rondo_machine_id machine)
{
	build_init(b);
	rondo_machine_init(&b->machine, machine);
	b->header.machine_hash = rondo_machine_hash(&b->machine);
}

/* Registers 0..7 hold something; then @trips times UNROLL bundles. */
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
	build_halt(b);
}

static double bundle_cpu_s(u64 trips)
{
	const struct exec_control control = { .bound = RONDO_CYCLES_MAX };
	const struct exec_io io = { 0 };
	char why[EXEC_REASON_BYTES] = "no executor";
	struct exec_program *program;
	struct exec_result result;
	struct builder b;
	struct exec *e;
	double cpu;
	u64 size;
	u8 *bytes;

	begin(&b, RONDO_MACHINE_wafer);
	bundles(&b, trips);
	bytes = build_bytes(&b, &size);
	e = exec_create(&b.machine);
	if (!e || exec_load(&program, &b.machine, bytes, size, NULL, why)) {
		fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	exec_run(e, program, &io, &control, &result);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	exec_run(e, program, &io, &control, &result);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	exec_unload(program);
	exec_destroy(e);
	build_fini(&b);
	free(bytes);
	return cpu;
}

typedef float row[LANES];

/* One bundle in plain C: registers are arrays over the tiles, and so is SRAM. */
static void plain_bundle(row *restrict product, row *restrict sum, row *restrict x, row *restrict y,
			 const row *v, float *restrict sram, size_t pitch)
{
	size_t t, i;

	for (t = 0; t < TILES; t++) {
		const float *at = sram + t * pitch;

		for (i = 0; i < LANES; i++) {
			x[t][i] = at[i];
			y[t][i] = at[16 + i];
		}
	}
	for (t = 0; t < TILES; t++) {
		for (i = 0; i < LANES; i++) {
			product[t][i] = v[t][i] * v[TILES + t][i];
			sum[t][i] = v[2 * TILES + t][i] + v[3 * TILES + t][i];
		}
	}
	for (t = 0; t < TILES; t++)
		for (i = 0; i < LANES; i++)
			sram[t * pitch + 32 + i] = v[4 * TILES + t][i];
}

static double plain_cpu_s(u64 count)
{
	size_t pitch = (32768 + 64) / 4;
	float *sram = calloc(TILES * pitch, 4);
	row *v = calloc(5 * (size_t)TILES, sizeof(*v)),
	    *out = calloc(4 * (size_t)TILES, sizeof(*v));
	double cpu = 0;
	u64 i;

	if (!sram || !v || !out)
		exit(EXIT_FAILURE);
	for (i = 0; i <= count; i++) {
		if (i == 1)
			cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
		plain_bundle(out, out + TILES, out + 2 * TILES, out + 3 * (size_t)TILES, v, sram,
			     pitch);
	}
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	free(sram);
	free(v);
	free(out);
	return cpu;
}

static void loop_ratio(void)
{
	enum { TRIPS = 10 };
	double mesh = (bundle_cpu_s(TRIPS + 1) - bundle_cpu_s(1)) / (TRIPS * UNROLL);
	double plain = plain_cpu_s(TRIPS * UNROLL) / (TRIPS * UNROLL);

	printf("# a bundle: %.2f ms of processor time, plain C %.2f ms\n", mesh * 1e3, plain * 1e3);
	figure("wafer_loop_ratio", mesh / plain, "ratio", 2, true);
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

/* Seconds of one verification. */
static double verify_s(struct builder *b, const u8 *bytes, u64 size)
{
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID);

	rondo_measure_init(b->verify, &b->machine, bytes, size);
	while (rondo_verify_step(b->verify, ~0u))
		;
	if (rondo_verify_verdict(b->verify)->code) {
		fprintf(stderr, "refused: %s\n",
			rondo_error_text(rondo_verify_verdict(b->verify)->code));
		exit(EXIT_FAILURE);
	}
	return seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/* The two machines take turns, and the least of each counts. */
static void verify_ratio(void)
{
	static const enum rondo_machine_id machine[2] = { RONDO_MACHINE_wafer, RONDO_MACHINE_edge };
	enum { RUNS = 60 };
	double best[2] = { 1e9, 1e9 }, ratio;
	struct builder b[2];
	u64 size[2];
	u8 *bytes[2];
	u32 i, run;

	for (i = 0; i < 2; i++) {
		begin(&b[i], machine[i]);
		text(&b[i]);
		bytes[i] = build_bytes(&b[i], &size[i]);
	}
	for (run = 0; run < RUNS; run++) {
		for (i = 0; i < 2; i++) {
			double s = verify_s(&b[i], bytes[i], size[i]);

			best[i] = s < best[i] ? s : best[i];
		}
	}
	for (i = 0; i < 2; i++) {
		build_fini(&b[i]);
		free(bytes[i]);
	}
	ratio = best[0] / best[1];
	figure("verify_wafer_ratio", ratio, "ratio", 1.05, ratio >= 0.95);
}

int main(void)
{
	verify_ratio();
	loop_ratio();
	examples();
	return EXIT_SUCCESS;
}
