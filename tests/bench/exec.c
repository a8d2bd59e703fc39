// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How near the fast executor comes to its host, each as the median of pairs in which the two sides
 * take turns (paired.h), in processor time:
 *
 *	exec_s8_peak_ratio	a matrix product by pushes of s8, weights loaded row by row as a
 *				compiled program does, over the host's own peak: a loop of dot
 *				products that stay in registers
 *	exec_f32_peak_ratio	the same in f32, over a loop of FMAs
 *	exec_vector_ratio	c = a + b over 64 Ki f32 in SRAM, over a C loop on arrays
 *	exec_cycle_overhead	time with exact cycles over time without (exec_copy.c), in
 *				replays of a nest of short loops
 */
#include "emulator/exec/run/run.h"
#include "tests/bench/exec_host.h"
#include "tests/bench/paired.h"
#include "tests/unit/program_builder.h"

enum { PAIRS = 31, ROW = 256 };

static bool no_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	(void)ctx, (void)slot, (void)offset;
	memset(to, 1, size);
	return true;
}

static bool no_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	(void)ctx, (void)slot, (void)offset, (void)from, (void)size;
	return true;
}

struct bench {
	struct exec *exec;
	struct exec_program *program;
	void (*run)(struct exec *e, struct run *run);
	double (*host_rate)(void); /* in products */
	double products; /* of a replay */
};

static void prepare(struct bench *bench, struct builder *b)
{
	char why[EXEC_REASON_BYTES];
	u8 *bytes;
	u64 size;

	build_halt(b);
	if (build_verdict(b, 0).code) {
		fprintf(stderr, "refused: %s at bundle %u\n",
			rondo_error_text(rondo_verify_verdict(b->verify)->code),
			rondo_verify_verdict(b->verify)->index);
		exit(EXIT_FAILURE);
	}
	bytes = build_bytes(b, &size);
	rondo_measure_claim(b->verify, bytes);
	if (exec_load(&bench->program, bench->exec->executor, &b->machine, bytes, size,
		      rondo_verify_facts(b->verify), why)) {
		fprintf(stderr, "not loaded: %s\n", why);
		exit(EXIT_FAILURE);
	}
	free(bytes);
	build_fini(b);
}

/* Seconds of one replay. */
static double replay_s(void *ctx)
{
	const struct bench *bench = ctx;
	const struct exec_io io = { .read = no_slot, .write = no_write };
	const struct exec_control control = { .bound = UINT64_MAX };
	const struct executor *own = bench->exec->executor;
	struct executor x = *own;
	struct exec_result result;
	double start;

	x.run = bench->run;
	bench->exec->executor = &x;
	start = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	exec_run(bench->exec, bench->program, &io, &control, &result);
	start = bench_s(CLOCK_PROCESS_CPUTIME_ID) - start;
	bench->exec->executor = own;
	return start;
}

/* c[256][64] = a[256][8 * 64 containers] x b, REPEAT times over. */
enum { M = 256, TILES = 8, REPEAT = 32 };

static void product_program(struct builder *b, u32 weights, u32 push)
{
	u32 rows = build_entry(b, (struct rondo_entry){ .base = M * TILES * ROW,
							.stride = { 0, 64 * ROW, ROW },
							.row_stride = { 0, 0, 1 } });
	u32 pixels = build_entry(b, (struct rondo_entry){ .stride = { 0, ROW, TILES * ROW },
							  .row_stride = { 0, 0, 1 },
							  .first = 1 << 1 });

	build_loop(b, REPEAT, 5);
	build_loop(b, TILES, 4);
	build_loop(b, 64, 1);
	build_op(b, RONDO_W, (struct rondo_op){ .op = weights, .entry = rows, .count = 64 });
	build_loop(b, M, 1);
	build_op(b, RONDO_M,
		 (struct rondo_op){ .op = push, .entry = pixels, .count = 64, .mode = 2 });
}

/* Seconds that the host's peak takes for as many products as a replay has. */
static double host_product_s(void *ctx)
{
	const struct bench *bench = ctx;

	return bench->products / bench->host_rate();
}

/* Products per second of pushes, each of which has @per per container and lane. */
static void product_ratio(struct exec *e, const char *name, u32 weights, u32 push, u32 per,
			  double (*host_rate)(void))
{
	struct bench bench = { .exec = e,
			       .run = e->executor->run,
			       .host_rate = host_rate,
			       .products = (double)REPEAT * TILES * M * 64 * 64 * per };
	struct paired p;
	struct builder b;

	build_init(&b);
	product_program(&b, weights, push);
	prepare(&bench, &b);
	p = paired_run(PAIRS, host_product_s, &bench, replay_s, &bench);
	printf("# %s: %.1f of %.1f G products/s\n", name, bench.products / p.b_s / 1e9,
	       bench.products / p.a_s / 1e9);
	paired_figure(name, &p, "the host's peak", "pushes");
	exec_unload(bench.program);
}

/* The loop that a person would write: loads, an addition, a store; rows of 64. */
enum { ADD_ROWS = 1024 };

static double host_add(void *ctx)
{
	(void)ctx;
	return host_add_s(ADD_ROWS * 64, REPEAT) * REPEAT;
}

static void vector_ratio(struct exec *e)
{
	struct bench bench = { .exec = e, .run = e->executor->run };
	struct paired p;
	struct builder b;
	u32 entry;

	build_init(&b);
	entry = build_entry(&b, (struct rondo_entry){ .stride = { 0, ROW } });
	build_loop(&b, REPEAT, 10);
	build_loop(&b, ADD_ROWS, 9);
	build_op(&b, RONDO_L0,
		 (struct rondo_op){ .op = RONDO_OP_ld_w, .dst = 0, .entry = entry, .count = 64 });
	build_put(&b, RONDO_L1,
		  (struct rondo_op){ .op = RONDO_OP_ld_w,
				     .dst = 1,
				     .entry = entry,
				     .count = 64,
				     .off = ADD_ROWS * ROW });
	build_bundle(&b);
	build_bundle(&b);
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_fadd, .dst = 2, .a = 0, .b = 1 });
	build_bundle(&b);
	build_bundle(&b);
	build_bundle(&b);
	build_op(&b, RONDO_S,
		 (struct rondo_op){ .op = RONDO_OP_st_w,
				    .a = 2,
				    .entry = entry,
				    .count = 64,
				    .off = 2 * ADD_ROWS * ROW });
	build_bundle(&b);
	prepare(&bench, &b);
	p = paired_run(PAIRS, host_add, NULL, replay_s, &bench);
	printf("# exec_vector_ratio: %.2f ns for 64 lanes, C loop %.2f ns\n",
	       p.b_s / REPEAT / ADD_ROWS * 1e9, p.a_s / REPEAT / ADD_ROWS * 1e9);
	paired_figure("exec_vector_ratio", &p, "the C loop", "the program");
	exec_unload(bench.program);
}

/*
 * Loops of few trips and little to do: counting weighs most here. Replays are short. Each operation
 * reads what the trip before has written, so that none is left out.
 */
static void cycle_overhead(struct exec *e)
{
	struct bench timed = { .exec = e, .run = fast_run_timed }, untimed;
	struct builder b;
	struct paired p;
	u32 i;

	build_init(&b);
	for (i = 1; i < 6; i++)
		build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota, .dst = i });
	build_bundle(&b);
	build_loop(&b, 2000, 5);
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_add, .dst = 2, .a = 2, .b = 1 });
	build_loop(&b, 4, 2);
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_add, .dst = 3, .a = 3, .b = 1 });
	build_op(&b, RONDO_V1, (struct rondo_op){ .op = RONDO_OP_max, .dst = 4, .a = 4, .b = 1 });
	build_op(&b, RONDO_V1, (struct rondo_op){ .op = RONDO_OP_min, .dst = 5, .a = 5, .b = 1 });
	prepare(&timed, &b);
	untimed = timed;
	untimed.run = fast_run_untimed;
	p = paired_run(2001, replay_s, &timed, replay_s, &untimed);
	paired_figure("exec_cycle_overhead", &p, "with exact cycles", "without");
	exec_unload(timed.program);
}

int main(void)
{
	struct rondo_machine edge;
	struct exec *e;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	e = exec_create(executor_for(&edge, EXECUTOR_BEST), &edge);
	if (!e)
		return EXIT_FAILURE;
	printf("# executor %s\n", e->executor->name);
	product_ratio(e, "exec_s8_peak_ratio", RONDO_OP_wl_s8, RONDO_OP_push_s8, 4, host_s8_rate);
	product_ratio(e, "exec_f32_peak_ratio", RONDO_OP_wl_w, RONDO_OP_push_f32, 1, host_f32_rate);
	vector_ratio(e);
	cycle_overhead(e);
	exec_destroy(e);
	return EXIT_SUCCESS;
}
