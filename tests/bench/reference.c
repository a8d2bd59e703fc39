// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * exec_reference_speedup: how much faster the fast executor's best variant is than the reference
 * on an f32 product c[256][64] = a[256][512] x b, REPEAT times over, with all that a replay needs:
 * a and b come from a slot, weights are loaded row by row, c goes into a slot. Both must give the
 * same bytes and cycles. In time of one core. The same in s8, whose products the reference adds up
 * in plain C, is told beside it.
 */
#include "emulator/exec/exec.h"
#include "emulator/reference/reference.h"
#include "tests/bench/paired.h"
#include "tests/random.h"
#include "tests/unit/program_builder.h"

enum {
	M = 256,
	TILES = 8, /* of 64 containers, one after the other */
	ROW = 256, /* bytes of 64 containers */
	REPEAT = 8,
	A_BYTES = M * TILES * ROW,
	B_BYTES = 64 * TILES * ROW,
	C_BYTES = M * ROW,
	ROUNDS = 9, /* of the fast executor; the reference runs once */
};

struct slots {
	u8 in[A_BYTES + B_BYTES], out[C_BYTES];
};

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct slots *s = ctx;

	memcpy(to, (slot ? s->out : s->in) + offset, size);
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct slots *s = ctx;

	memcpy((slot ? s->out : s->in) + offset, from, size);
	return true;
}

static void program(struct builder *b, u32 weights, u32 push)
{
	u32 rows = build_entry(b, (struct rondo_entry){ .base = A_BYTES,
							.stride = { 0, 64 * ROW, ROW },
							.row_stride = { 0, 0, 1 } });
	u32 pixels = build_entry(b, (struct rondo_entry){ .stride = { 0, ROW, TILES * ROW },
							  .row_stride = { 0, 0, 1 },
							  .first = 1 << 1 });
	u32 result = build_entry(b, (struct rondo_entry){ .base = A_BYTES + B_BYTES,
							  .stride = { ROW },
							  .row_stride = { 1 } });
	struct rondo_desc in = { .slot = build_slot(b, 0), .row_bytes = A_BYTES + B_BYTES };
	struct rondo_desc out = { .slot = build_slot(b, 0),
				  .dir = RONDO_DMA_OUT,
				  .row_bytes = C_BYTES,
				  .sram_base = A_BYTES + B_BYTES };

	build_start(b, 0, build_desc(b, in), 0);
	build_wait(b, 0, 0);
	build_loop(b, REPEAT, 5);
	build_loop(b, TILES, 4);
	build_loop(b, 64, 1);
	build_op(b, RONDO_W, (struct rondo_op){ .op = weights, .entry = rows, .count = 64 });
	build_loop(b, M, 1);
	build_op(b, RONDO_M,
		 (struct rondo_op){ .op = push, .entry = pixels, .count = 64, .mode = 2 });
	build_loop(b, M, 1);
	build_op(b, RONDO_S, OP(sta, .entry = result, .count = 64));
	build_start(b, 0, build_desc(b, out), 0);
	build_halt(b);
}

static bool ended(const char *who, enum exec_status status, u64 cycles, const char *reason,
		  const struct rondo_facts *facts)
{
	if (status == EXEC_DONE && cycles == facts->cycles)
		return true;
	fprintf(stderr, "%s: status %u after %llu of %llu cycles: %s\n", who, status,
		(unsigned long long)cycles, (unsigned long long)facts->cycles, reason);
	return false;
}

/* The least seconds of a replay; 0: it went wrong. */
static double fast_s(const struct rondo_machine *machine, const u8 *bytes, u64 size,
		     const struct rondo_facts *facts, struct slots *slots)
{
	const struct exec_control control = { .bound = facts->cycles };
	const struct exec_io io = { read_slot, write_slot, slots };
	const struct executor *x = executor_for(machine, EXECUTOR_BEST);
	struct exec_program *p = NULL;
	char why[EXEC_REASON_BYTES] = "no memory";
	struct exec_result result;
	double best = 1e9, start, took;
	struct exec *e = exec_create(x, machine);
	u32 i;

	if (!e || exec_load(&p, x, machine, bytes, size, facts, why)) {
		fprintf(stderr, "not loaded: %s\n", why);
		best = 0;
	}
	for (i = 0; best && i < ROUNDS; i++) {
		start = bench_s(CLOCK_PROCESS_CPUTIME_ID);
		exec_run(e, p, &io, &control, &result);
		took = bench_s(CLOCK_PROCESS_CPUTIME_ID) - start;
		best = took < best ? took : best;
		if (!ended("fast", result.status, result.cycles, result.reason, facts))
			best = 0;
	}
	exec_unload(p);
	exec_destroy(e);
	return best;
}

static double reference_s(const struct rondo_machine *machine, const u8 *bytes, u64 size,
			  const struct rondo_facts *facts, struct slots *slots)
{
	const struct exec_io io = { read_slot, write_slot, slots };
	struct reference *r = reference_create(machine);
	struct reference_result result;
	double start = bench_s(CLOCK_PROCESS_CPUTIME_ID);

	if (!r)
		return 0;
	reference_run(r, bytes, size, facts, &io, facts->cycles, &result);
	reference_destroy(r);
	if (!ended("reference", result.status, result.cycles, result.reason, facts))
		return 0;
	return bench_s(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/* What both multiply: ordinary f32, which are any bytes to the others. */
static void fill(struct slots *s)
{
	u64 state = random_seed(1);
	u32 i;

	for (i = 0; i < sizeof(s->in) / 4; i++) {
		u32 container = ((u32)random_next(&state) & 0x81ffffff) + 0x3e000000;

		memcpy(s->in + 4 * i, &container, 4);
	}
}

/* 0: something went wrong. */
static double speedup(const char *name, u32 weights, u32 push)
{
	static struct slots by_fast, by_reference;
	double fast = 0, reference = 0;
	struct builder b;
	u8 *bytes;
	u64 size;

	fill(&by_fast);
	fill(&by_reference);
	build_init(&b);
	program(&b, weights, push);
	bytes = build_accepted(&b, &size);
	if (bytes) {
		const struct rondo_facts *facts = rondo_verify_facts(b.verify);

		fast = fast_s(&b.machine, bytes, size, facts, &by_fast);
		reference = reference_s(&b.machine, bytes, size, facts, &by_reference);
	}
	free(bytes);
	build_fini(&b);
	if (!fast || !reference || memcmp(&by_fast, &by_reference, sizeof(by_fast))) {
		fprintf(stderr, "%s: the product did not go well\n", name);
		return 0;
	}
	printf("# %s product: %s %.3f ms, reference %.0f ms: %.0f times faster\n", name,
	       executor_for(&b.machine, EXECUTOR_BEST)->name, fast * 1e3, reference * 1e3,
	       reference / fast);
	return reference / fast;
}

int main(void)
{
	double f32 = speedup("f32", RONDO_OP_wl_w, RONDO_OP_push_f32);
	double s8 = speedup("s8", RONDO_OP_wl_s8, RONDO_OP_push_s8);

	if (!f32 || !s8)
		return EXIT_FAILURE;
	bench_figure("exec_reference_speedup", f32, "x");
	return EXIT_SUCCESS;
}
