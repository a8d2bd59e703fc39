// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * verify_worst_ratio: the longest that the verifier takes for a program, of those found that are
 * made to be slow, over the time of decoding as many such bundles as the greatest
 * program has (decode.h); verify_worst_s: the same in seconds of one core of this host. Each
 * program is of the greatest size and keeps one part of the verifier busy; what a limit stops
 * counts up to there.
 */
#include "tests/bench/decode.h"
#include "tests/unit/program_builder.h"

enum { RUNS = 5, BUNDLES = RONDO_BUNDLES_MAX };

/* An access in every memory slot; slots of registers are for others. */
static void put_accesses(struct builder *b, u32 entry)
{
	build_put(b, RONDO_L0, OP(ld_w, .dst = 1, .entry = entry, .count = 16));
	build_put(b, RONDO_L1, OP(ld_w, .dst = 2, .entry = entry, .count = 16));
	build_put(b, RONDO_W, OP(wl_w, .entry = entry, .count = 16));
	build_put(b, RONDO_M, OP(preset, .entry = entry, .count = 16));
	build_put(b, RONDO_S, OP(sta, .entry = entry, .count = 16));
}

/* Descriptors 0..3, whose transfers do not meet. */
static void four_descs(struct builder *b)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_CHANNELS; i++)
		build_desc(b, (struct rondo_desc){ .row_bytes = 256, .sram_base = i * 256 });
}

/* Three loops around @body bundles. */
static void nest(struct builder *b, u64 outer, u64 middle, u64 inner, u32 body)
{
	build_loop(b, outer, body + 2);
	build_loop(b, middle, body + 1);
	build_loop(b, inner, body);
}

/* As many loops with transfers, and as many trips, as there may be: products of matrices. */
static void matrices(struct builder *b)
{
	u32 i, ch;
	const u32 inner = RONDO_DMA_LOOPS_MAX - 8, body = 4;

	four_descs(b);
	for (i = 0; i < inner; i++) {
		build_loop(b, (1 << 21) - 1, body);
		for (ch = 0; ch < 4; ch++)
			build_op(b, RONDO_C,
				 OP(dma, .channel = ch, .desc = ch, .wait = { 3, 3, 3, 3 }));
	}
	build_halt(b);
}

/* Starts and waits in three loops. */
static void starts(struct builder *b)
{
	u32 body = BUNDLES - 4, i;

	four_descs(b);
	nest(b, 5, 5, 5, body);
	for (i = 0; i < body; i++)
		build_op(b, RONDO_C,
			 OP(dma, .channel = i % 4, .desc = i % 4, .last = 1 + i % 3,
			    .wait = { 4, 4, 4, 4 }));
	build_halt(b);
}

/* 34 transfers on each channel, whose hulls do not meet those of the accesses. */
static void flights(struct builder *b, u32 seg)
{
	u32 body = BUNDLES - 4 - 16 - 4, i, entry;
	struct rondo_desc desc = { .row_bytes = 4, .count = { 1, 1, 64 } };
	struct rondo_entry e = { .base = 512 * 1024 };

	desc.sram_stride[2] = 4096;
	if (seg) {
		e.base = 2052;
		e.seg_len = 1;
		e.seg_stride = (s32)seg;
	}
	for (i = 0; i < 16; i++, desc.sram_base += 8)
		build_start(b, i / 4, build_desc(b, desc), 0);
	nest(b, 2, 2, 4, body + 4);
	entry = build_entry(b, e);
	for (i = 0; i < body; i++) {
		build_bundle(b);
		put_accesses(b, entry);
		if (i % 4)
			memset(&b->bundles[b->header.bundles - 1][RONDO_L0], 0, 16);
	}
	for (i = 0; i < 4; i++)
		build_start(b, i, i, 0);
	build_halt(b);
}

/* As many loops as fit, in two that contain transfers. */
static void loops(struct builder *b)
{
	u32 count = (BUNDLES - 16) / 2, i;

	four_descs(b);
	for (i = 0; i < 4; i++)
		build_start(b, i, i, 0);
	build_loop(b, 2, 2 * count + 2);
	build_loop(b, 2, 2 * count + 1);
	for (i = 0; i < count; i++) {
		build_loop(b, 3, 1);
		build_op(b, RONDO_M, OP(preset, .entry = 0));
	}
	build_start(b, 0, 0, 0);
	build_entry(b, (struct rondo_entry){ .base = 4096, .stride = { 64, 128, 4 } });
	build_halt(b);
}

/* As many loops as fit, with as many trips as there is time for: powers of the signature. */
static void trips(struct builder *b)
{
	u32 i;

	for (i = 0; i < (BUNDLES - 1) / 2; i++) {
		build_op(b, RONDO_C, OP(loop, .nest = 3, .body = 1, .trip = { 27, 26, 27 }));
		build_bundle(b);
	}
	build_halt(b);
}

/* Strides of two strided sets that are large against their blocks: most choices are open. */
static void searches(struct builder *b)
{
	u32 body = BUNDLES - 9, i, entry;
	struct rondo_desc desc = { .row_bytes = 1, .count = { 2, 2, 3 }, .sram_base = 262144 };

	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	desc.sram_stride[0] = 30030 * 2;
	desc.sram_stride[1] = 17017 * 2;
	desc.sram_stride[2] = 9699 * 2;
	build_start(b, 0, build_desc(b, desc), 0);
	entry = build_entry(b, (struct rondo_entry){ .base = 270001,
						     .stride = { 4, 23001 * 2, 13007 * 2 },
						     .seg_len = 1,
						     .seg_stride = 2501 });
	build_loop(b, 1, body + 3);
	build_loop(b, 4, body + 2);
	build_loop(b, 4, body + 1);
	build_loop(b, 4, body);
	for (i = 0; i < body; i++)
		build_op(b, RONDO_S, OP(st_u8, .a = 1, .entry = entry, .count = 2));
	build_halt(b);
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

struct took {
	double seconds, decode_s; /* the latter of as many bundles as there may be */
};

/* The least of RUNS each. */
static struct took run(void (*build)(struct builder *), const char *name)
{
	struct took took = { 1e9, 1e9 };
	struct builder b;
	u64 size;
	u8 *bytes;
	int run;

	build_init(&b);
	build_slot(&b, 0);
	build(&b);
	bytes = build_bytes(&b, &size);
	for (run = 0; run < RUNS; run++) {
		double start = bench_s(CLOCK_THREAD_CPUTIME_ID);

		rondo_verify_init(b.verify, &b.machine, bytes, size, RONDO_CYCLES_MAX);
		while (rondo_verify_step(b.verify, 4096))
			;
		took.seconds = least(took.seconds, bench_s(CLOCK_THREAD_CPUTIME_ID) - start);
		took.decode_s = least(took.decode_s, bench_decode_s(bytes, size));
	}
	fprintf(stderr, "# %-10s %7u bundles %.3f s: %s at bundle %u\n", name, b.header.bundles,
		took.seconds, rondo_error_name(rondo_verify_verdict(b.verify)->code),
		rondo_verify_verdict(b.verify)->index);
	free(bytes);
	build_fini(&b);
	took.decode_s *= (double)BUNDLES / b.header.bundles;
	return took;
}

static void far_flights(struct builder *b)
{
	flights(b, 0);
}

static void near_flights(struct builder *b)
{
	flights(b, 4096);
}

int main(void)
{
	static const struct {
		void (*build)(struct builder *b);
		const char *name;
	} programs[] = {
		{ matrices, "matrices" },
		{ starts, "starts" },
		{ far_flights, "far flights" },
		{ near_flights, "near flights" },
		{ loops, "loops" },
		{ trips, "trips" },
		{ searches, "searches" },
	};
	double worst_s = 0, worst_ratio = 0;
	size_t i;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct took took = run(programs[i].build, programs[i].name);

		worst_s = most(worst_s, took.seconds);
		worst_ratio = most(worst_ratio, took.seconds / took.decode_s);
	}
	bench_figure("verify_worst_ratio", worst_ratio, "ratio");
	bench_figure("verify_worst_s", worst_s, "s");
	return EXIT_SUCCESS;
}
