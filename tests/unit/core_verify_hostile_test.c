// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Hostile programs: loops, registers, addresses, and SRAM that looks written. */
#include "tests/unit/hostile.h"

static void test_loops(void)
{
	struct builder b;

	begin(&b);
	build_halt(&b);
	build_bundle(&b);
	expect(&b, RONDO_ERR_HALT, "a bundle after halt");

	begin(&b);
	build_bundle(&b);
	expect(&b, RONDO_ERR_HALT, "no halt");

	begin(&b);
	build_loop(&b, 1, 1);
	expect(&b, RONDO_ERR_LOOP_END, "the program ends with a loop's opening");

	begin(&b);
	build_loop(&b, 2, 1);
	build_loop(&b, 2, 1);
	build_bundle(&b);
	build_halt(&b);
	expect(&b, RONDO_ERR_LOOP_END, "a loop opens in the last bundle of another");

	begin(&b);
	build_loop(&b, 2, 2);
	build_loop(&b, 2, 1);
	build_bundle(&b);
	build_halt(&b);
	expect(&b, 0, "two loops end with one bundle");

	begin(&b);
	build_loop(&b, 1ull << 30, 2);
	build_loop(&b, 1ull << 29, 1);
	build_bundle(&b);
	build_halt(&b);
	expect_verdict(&b, 0, "2^59 bundles and a few");

	begin(&b);
	build_loop(&b, 1ull << 30, 2);
	build_loop(&b, 1ull << 30, 1);
	build_bundle(&b);
	build_halt(&b);
	expect_verdict(&b, RONDO_ERR_BUDGET, "2^60 bundles and a few");
}

/* What is in flight around a loop's end: v1 of eight bundles' latency, and others of two. */
static void test_back_edges(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		/* It lands after the loop, eight bundles after its last write. */
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_loop(&b, 5, 9);
		build_op(&b, RONDO_V1, OP(frcp, .dst = 3, .a = 2));
		nops(&b, 7);
		build_op(&b, RONDO_V1, OP(frcp, .dst = 1, .a = 2));
		nops(&b, 7 - bad);
		build_op(&b, RONDO_V0, OP(mov, .dst = 4, .a = 1));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_IN_FLIGHT : 0,
		       bad ? "read a bundle too early after the loop" : "it lands after the loop");

		/* One trip has no back edge. */
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_loop(&b, 1 + bad, 2);
		build_bundle(&b);
		build_op(&b, RONDO_V1, OP(frcp, .dst = 1, .a = 2));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_LOOP : 0,
		       bad ? "a write in two trips of two bundles" : "in one trip");

		/* 8 or 6 bundles of the next trip come before its touch, and 7 would do. */
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1));
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_bundle(&b);
		build_loop(&b, 3, 6);
		build_loop(&b, 3 - bad, 2);
		nops(&b, 2);
		build_loop(&b, 2, 1);
		build_op(&b, RONDO_S,
			 OP(st_w, .a = 1,
			    .entry = build_entry(&b, (struct rondo_entry){ .base = 4096 })));
		build_op(&b, RONDO_V1, OP(frcp, .dst = 1, .a = 2));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_LOOP : 0,
		       bad ? "touched behind too few trips of an inner loop" :
			     "touched behind an inner loop of the next trip");

		/* Written four bundles before the inner loop's end, in its last trip. */
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1));
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_bundle(&b);
		build_loop(&b, 3, 14 - bad);
		build_op(&b, RONDO_V0, OP(mov, .dst = 3, .a = 1));
		build_loop(&b, 2, 8);
		nops(&b, 4);
		build_op(&b, RONDO_V1, OP(frcp, .dst = 1, .a = 2));
		nops(&b, 3);
		nops(&b, 4 - bad);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_LOOP : 0,
		       bad ? "an inner loop's write lands too late for the outer loop" :
			     "an inner loop's write lands in the outer loop");
	}
}

/* Two loops end with one bundle, and neither, one or the other has a back edge. */
static void test_common_ends(void)
{
	struct builder b;
	u32 i;

	for (i = 0; i < 3; i++) {
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1));
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_bundle(&b);
		build_op(&b, RONDO_C,
			 OP(loop, .nest = 2, .body = 8, .trip = { 1 + (i == 1), 1 + (i == 2) }));
		build_op(&b, RONDO_V0, OP(mov, .dst = 3, .a = 1));
		nops(&b, 6);
		build_op(&b, RONDO_V0, OP(mov, .dst = 1, .a = 2));
		build_halt(&b);
		expect(&b, i ? RONDO_ERR_REG_LOOP : 0,
		       i ? "one of two back edges is taken" : "no back edge is taken");
	}
}

/* What an earlier loop wrote is no write of a later one, whose trips it lands in. */
static void test_loop_behind_loop(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_loop(&b, 2, 2);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1));
		build_bundle(&b);
		build_op(&b, RONDO_V1, OP(frcp, .dst = 1, .a = 2));
		build_loop(&b, 3, 1);
		build_bundle(&b);
		nops(&b, 3 - bad);
		build_op(&b, RONDO_V0, OP(mov, .dst = 3, .a = 1));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_IN_FLIGHT : 0,
		       bad ? "read a bundle too early behind a loop" :
			     "it lands behind a loop that does not write it");
	}
}

/* Two writes that would land in one bundle. */
static void test_landing_together(void)
{
	struct builder b;
	u32 gap;

	for (gap = 0; gap < 4; gap++) {
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 2));
		build_bundle(&b);
		build_op(&b, RONDO_V0, OP(fadd, .dst = 1, .a = 2, .b = 2));
		nops(&b, gap);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1));
		build_halt(&b);
		expect(&b, gap == 3 ? 0 : RONDO_ERR_REG_IN_FLIGHT,
		       gap == 3 ? "the first of two writes has landed" :
		       gap == 1 ? "two writes would land in one bundle" :
				  "a write to a register in flight");
	}
}

static void test_definitions(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 1 + bad));
		build_bundle(&b);
		build_loop(&b, 2, 4);
		build_op(&b, RONDO_V0, OP(mov, .dst = 3, .a = 1));
		build_op(&b, RONDO_V1, OP(iota, .dst = 1));
		nops(&b, 2);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_UNDEFINED : 0,
		       bad ? "defined by the trip before only" : "defined before the loop");

		/* Three registers of parameters, of which the last is written or not. */
		begin(&b);
		build_op(&b, RONDO_V0, OP(iota, .dst = 10));
		build_put(&b, RONDO_V1, OP(iota, .dst = 11));
		build_op(&b, RONDO_V0, OP(iota, .dst = 12 + bad));
		build_bundle(&b);
		build_op(&b, RONDO_S,
			 OP(stq_f32, .params = 10,
			    .entry = build_entry(&b, (struct rondo_entry){ .base = 0 })));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_REG_UNDEFINED : 0,
		       bad ? "the third parameter is undefined" : "three parameters");
	}
}

/*
 * What looks written and is not yet: the executor traps if a byte is read that is neither
 * written nor cleared.
 */
static void test_clearing(void)
{
	struct rondo_desc desc = { .row_bytes = 256, .slot_loop = { 256, 512 } };
	struct builder b;
	u32 i;

	/* The last trip's transfer is empty. */
	begin(&b);
	desc.sram_loop[0] = 256;
	desc.slot_loop[1] = 0;
	build_loop(&b, 3, 2);
	build_start(&b, 0, build_desc(&b, desc), 1);
	build_wait(&b, 0, 0);
	read(&b, 508);
	read(&b, 512);
	build_halt(&b);
	expect(&b, 0, "the last trip's bytes are not written");

	/* Only the first of two trips. */
	begin(&b);
	desc.sram_loop[1] = 512;
	build_loop(&b, 2, 5);
	build_loop(&b, 2, 2);
	build_start(&b, 0, build_desc(&b, desc), 1);
	build_wait(&b, 0, 0);
	read(&b, 0);
	read(&b, 512);
	read(&b, 256);
	build_halt(&b);
	expect(&b, 0, "of two trips the first's are");

	/* An inner loop has ended, the outer has not. */
	begin(&b);
	build_loop(&b, 4, 4);
	build_loop(&b, 4, 1);
	store(&b, 0, 1024, 256);
	read(&b, 1020);
	read(&b, 2048);
	build_halt(&b);
	expect(&b, 0, "the inner loop ends, the outer goes on");

	/* Rows of a loop that has ended and of one that has not fill each other's gaps. */
	begin(&b);
	build_loop(&b, 8, 1);
	store(&b, 0, 512, 0);
	build_loop(&b, 8, 2);
	store(&b, 256, 512, 0);
	read(&b, 256 + 7 * 512);
	read(&b, 7 * 512);
	build_halt(&b);
	expect(&b, 0, "half of the rows are written, the others are not yet");

	/* The same the other way round: what ended stays written. */
	begin(&b);
	build_loop(&b, 8, 4);
	store(&b, 256, 512, 0);
	build_loop(&b, 8, 1);
	store(&b, 0, 0, 512);
	read(&b, 256 + 3 * 512);
	read(&b, 3 * 512);
	build_halt(&b);
	expect(&b, 0, "rows of an inner loop that ends between rows of the outer one");

	/* A lane pattern with holes, and with a last segment that is shorter. */
	for (i = 0; i < 2; i++) {
		struct rondo_entry e = { .base = 4096, .seg_len = 8, .seg_stride = 64 };

		begin(&b);
		build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, e), .count = 64 - 4 * i));
		e.seg_stride = 32;
		build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, e), .count = 64 - 4 * i));
		for (u32 at = 4096 - 4; at <= 4096 + 512; at += 28)
			read(&b, at);
		build_halt(&b);
		expect(&b, 0, "patterns with holes");
	}

	/* Holes of one container between blocks of one strided set, and between two strided sets in
	 * any order. */
	for (i = 0; i < 3; i++) {
		begin(&b);
		build_loop(&b, 4, 1 + !!i);
		store(&b, i == 2 ? 260 : 0, i ? 516 : 260, 0);
		if (i)
			store(&b, i == 2 ? 0 : 260, 516, 0);
		read(&b, 256);
		read(&b, 516);
		read(&b, 772);
		build_halt(&b);
		expect(&b, 0, i ? "a hole between two strided sets" : "holes in a strided set");
	}

	/* More strided sets and ranges than are remembered, all of them read. */
	begin(&b);
	for (i = 0; i < 2 * RONDO_CLEAR_SETS_MAX + 2 * RONDO_CLEAR_WRITTEN_MAX; i++) {
		build_loop(&b, 2 + i % 3, 1);
		store(&b, 8192 * i, 512 + 4 * i, 0);
	}
	for (i = 0; i < 2 * RONDO_CLEAR_SETS_MAX + 2 * RONDO_CLEAR_WRITTEN_MAX; i++)
		read(&b, 8192 * i + 512 + 4 * i * (i % 2));
	build_halt(&b);
	expect(&b, 0, "more than is remembered");
}

/* The strides of elements and of loops must be aligned as addresses are. */
static void test_alignment(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		struct rondo_entry segments = { .seg_len = 1, .seg_stride = 8 + 2 * bad };
		struct rondo_entry trips = { .stride = { 8 + 2 * bad } };

		begin(&b);
		build_op(&b, RONDO_M, OP(preset, .entry = build_entry(&b, segments), .count = 4));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_ENTRY_ALIGN : 0,
		       bad ? "segments that are not aligned" : "segments that are");

		begin(&b);
		build_loop(&b, 3, 1);
		build_op(&b, RONDO_M, OP(preset, .entry = build_entry(&b, trips)));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_ENTRY_ALIGN : 0,
		       bad ? "trips that are not aligned" : "trips that are");
	}
}

static void all(void)
{
	test_loops();
	test_back_edges();
	test_common_ends();
	test_loop_behind_loop();
	test_landing_together();
	test_definitions();
	test_clearing();
	test_alignment();
}

int main(void)
{
	return hostile_run(all);
}
