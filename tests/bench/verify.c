// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * verify_ratio: the time that the verifier takes for dense text, over that of decoding it
 * (decode.h); verify_mbundle_s: the same as million bundles a second of this host's core.
 * Dense: seven of eight slots filled in all bundles but those that open loops, loops one to four
 * deep, affine addresses in every memory slot, lane patterns, stores into many buffers.
 * verify_state_kib: what it needs to remember.
 */
#include "tests/bench/decode.h"
#include "tests/unit/program_builder.h"

enum { PAIRS = 21, NESTS = 512, BODY = 98, DEPTH = 4, ENTRIES = 64 };

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

struct program {
	struct builder b;
	u8 *bytes;
	u64 size;
};

static double verify_s(void *ctx)
{
	double start = bench_s(CLOCK_THREAD_CPUTIME_ID);
	struct program *p = ctx;

	rondo_measure_init(p->b.verify, &p->b.machine, p->bytes, p->size);
	while (rondo_verify_step(p->b.verify, 4096))
		;
	return bench_s(CLOCK_THREAD_CPUTIME_ID) - start;
}

static double decode_s(void *ctx)
{
	struct program *p = ctx;

	return bench_decode_s(p->bytes, p->size);
}

int main(void)
{
	double kib = sizeof(struct rondo_verify) / 1024.0;
	struct program p;
	struct paired paired;
	struct builder *b = &p.b;

	build_init(b);
	dense_program(b);
	p.bytes = build_bytes(b, &p.size);
	paired = paired_run(PAIRS, verify_s, &p, decode_s, &p);
	if (rondo_verify_verdict(b->verify)->code) {
		fprintf(stderr, "refused: %s at bundle %u, slot %u\n",
			rondo_error_text(rondo_verify_verdict(b->verify)->code),
			rondo_verify_verdict(b->verify)->index,
			rondo_verify_verdict(b->verify)->slot);
		return EXIT_FAILURE;
	}
	paired_figure("verify_ratio", &paired, "the proof", "decoding");
	bench_figure("verify_mbundle_s", b->header.bundles / paired.a_s / 1e6, "Mbundle/s");
	bench_figure("verify_state_kib", kib, "KiB");
	free(p.bytes);
	build_fini(b);
	return EXIT_SUCCESS;
}
