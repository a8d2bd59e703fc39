// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * verify_mbundle_s: how many million bundles a second of one core the verifier proves, on dense
 * text: seven of eight slots filled in all bundles but those that open loops, loops one to four
 * deep, affine addresses in every memory slot, lane patterns, stores into many buffers.
 * verify_state_kib: what it needs to remember.
 */
#include "tests/bench/paired.h"
#include "tests/unit/program_builder.h"

enum { RUNS = 20, NESTS = 512, BODY = 98, DEPTH = 4, ENTRIES = 64 };

/* Entries ENTRIES * depth + i are for use inside @depth loops of four trips. */
static void entries(struct builder *b, u32 depth)
{
	u32 i, d;

	for (i = 0; i < ENTRIES; i++) {
		struct rondo_entry e = { .base = i * 16384 };

		for (d = 0; d < depth; d++) {
			e.stride[d] = 1024 << d & 0xfff;
			e.row_stride[d] = d + 1;
		}
		if (i % 4 == 3) {
			e.seg_len = 8;
			e.seg_stride = 64;
		}
		build_entry(b, e);
	}
}

/* A bundle in which everything is done; @n turns registers and addresses over. */
static void dense_bundle(struct builder *b, u32 n, u32 depth)
{
	u32 first = ENTRIES * depth, reg = n * 4 % 56, old = (n + 10) * 4 % 56;

	build_op(b, RONDO_L0,
		 (struct rondo_op){ .op = RONDO_OP_ld_w,
				    .dst = reg,
				    .entry = first + n % ENTRIES,
				    .count = 64,
				    .off = n % 16 * 4 });
	build_put(b, RONDO_L1,
		  (struct rondo_op){ .op = RONDO_OP_rdq_fix_s8,
				     .dst = reg + 1,
				     .entry = first + n * 7 % ENTRIES,
				     .count = 64,
				     .params = 56 });
	build_put(b, RONDO_S,
		  (struct rondo_op){ .op = RONDO_OP_st_s8,
				     .a = old,
				     .entry = first + n * 3 % ENTRIES,
				     .count = 64,
				     .off = 4096 + n % 64 * 64 });
	build_put(b, RONDO_W,
		  (struct rondo_op){ .op = RONDO_OP_wl_s8,
				     .entry = first + n * 5 % ENTRIES,
				     .count = 64,
				     .wrow = 2 });
	build_put(b, RONDO_M,
		  (struct rondo_op){ .op = RONDO_OP_push_s8,
				     .entry = first + n * 11 % ENTRIES,
				     .count = 32,
				     .row = n % 400 });
	build_put(
		b, RONDO_V0,
		(struct rondo_op){
			.op = RONDO_OP_fma, .dst = reg + 2, .a = old, .b = old + 1, .c = old + 2 });
	build_put(b, RONDO_V1,
		  (struct rondo_op){
			  .op = RONDO_OP_add, .dst = reg + 3, .a = old + 1, .b = old + 3 });
}

static void dense_program(struct builder *b)
{
	u32 nest, depth, i;

	for (depth = 0; depth <= DEPTH; depth++)
		entries(b, depth);
	for (i = 0; i < RONDO_VREGS; i++)
		build_op(b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota, .dst = i });
	for (nest = 0; nest < NESTS; nest++) {
		depth = 1 + nest % DEPTH;
		for (i = 0; i < depth; i++)
			build_loop(b, 4, BODY + depth - 1 - i);
		for (i = 0; i < BODY; i++)
			dense_bundle(b, i, depth);
	}
	build_halt(b);
}

int main(void)
{
	double best = 0, kib = sizeof(struct rondo_verify) / 1024.0;
	struct builder b;
	u64 size;
	u8 *bytes;
	int run;

	build_init(&b);
	dense_program(&b);
	bytes = build_bytes(&b, &size);
	for (run = 0; run < RUNS; run++) {
		double seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID), rate;

		rondo_measure_init(b.verify, &b.machine, bytes, size);
		while (rondo_verify_step(b.verify, 4096))
			;
		seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
		rate = b.header.bundles / seconds / 1e6;
		best = rate > best ? rate : best;
	}
	if (rondo_verify_verdict(b.verify)->code) {
		fprintf(stderr, "refused: %s at bundle %u, slot %u\n",
			rondo_error_text(rondo_verify_verdict(b.verify)->code),
			rondo_verify_verdict(b.verify)->index,
			rondo_verify_verdict(b.verify)->slot);
		return EXIT_FAILURE;
	}
	bench_figure("verify_mbundle_s", best, "Mbundle/s");
	bench_figure("verify_state_kib", kib, "KiB");
	free(bytes);
	build_fini(&b);
	return EXIT_SUCCESS;
}
