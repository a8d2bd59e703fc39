// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs that were made to break one argument of docs/explanation/verifier-rules.md each:
 * they are refused, or accepted and keep all promises in the checking executor. Most have a
 * neighbour that differs in one number and goes the other way.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"
#include "tests/unit/program_run.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

static struct exec *executor; /* of an edge machine */

/* The verdict is @code; a program that is accepted also keeps its promises. */
static void expect(struct builder *b, u32 code, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);
	char why[RUN_WHY_BYTES] = "";
	u64 size;
	u8 *bytes = build_bytes(b, &size);
	bool right = verdict.code == code;

	if (right && !code) {
		rondo_measure_claim(b->verify, bytes);
		right = run_keeps_promises(executor, bytes, size, rondo_verify_facts(b->verify),
					   why);
	}
	if (!tap_ok(right, "%s", name))
		printf("# %s at %u.%u %s\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot, why);
	free(bytes);
	build_fini(b);
}

static void begin(struct builder *b)
{
	build_init(b);
	build_slot(b, 0);
}

/* A read of one container at @base. */
static void read(struct builder *b, u32 base)
{
	build_op(b, RONDO_M,
		 OP(preset, .entry = build_entry(b, (struct rondo_entry){ .base = base })));
}

/*
 * A start that is empty in the second of two trips may have any stride for that loop: its
 * address in the second trip does not exist. In that trip the first trip's transfer is still
 * outstanding.
 */
static void test_strides_of_empty_trips(void)
{
	static const s32 strides[] = { 0, 256, -256, 0x7fffffff, -0x7fffffff - 1 };
	struct rondo_desc desc = { .row_bytes = 256, .sram_base = 4096 };
	struct builder b;
	u32 i, nested, far;

	for (i = 0; i < 5 * 2 * 2; i++) {
		nested = i / 5 % 2;
		far = i / 10;
		begin(&b);
		memset(desc.sram_loop, 0, sizeof(desc.sram_loop));
		desc.sram_loop[nested] = strides[i % 5];
		build_loop(&b, 2, 2 + nested);
		read(&b, 4096 + 256 * far);
		if (nested)
			build_loop(&b, 2, 1);
		build_start(&b, 0, build_desc(&b, desc), 1 + nested);
		build_halt(&b);
		expect(&b, far ? 0 : RONDO_ERR_DMA_RACE,
		       far ? "beside a transfer of the trip before" :
			     "in a transfer of the trip before");
	}
}

/* The same in a slot whose addresses take all 63 bits. */
static void test_far_slots(void)
{
	static const struct {
		u64 base;
		s64 stride;
		u8 last; /* whether the second trip's start is empty */
	} cases[] = {
		{ INT64_MAX - 4095, -(INT64_MAX - 8191), 0 },
		{ INT64_MAX - 4095, INT64_MIN, 1 },
		{ INT64_MAX - 4095, INT64_MAX, 1 },
		{ 0, INT64_MIN, 1 },
	};
	struct builder b;
	u32 i, nested, bad;

	for (i = 0; i < 4 * 2 * 2; i++) {
		struct rondo_desc desc = { .row_bytes = 256, .slot_base = cases[i % 4].base };

		nested = i / 4 % 2;
		bad = i / 8;
		begin(&b);
		desc.slot_loop[nested] = cases[i % 4].stride;
		build_loop(&b, 2, 2 + nested);
		read(&b, 256 * !bad);
		if (nested)
			build_loop(&b, 2, 1);
		build_start(&b, 0, build_desc(&b, desc), cases[i % 4].last * (1 + nested));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_RACE : 0,
		       bad ? "in a transfer from far away" : "beside a transfer from far away");
	}
}

/* Two channels in one slot, of which one writes from its far end to its beginning. */
static void test_far_slot_races(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		struct rondo_desc out = { .dir = RONDO_DMA_OUT, .row_bytes = 256 };
		struct rondo_desc in = { .row_bytes = 256, .sram_base = 4096 };

		begin(&b);
		/* Trip 1 reads where trip 0 writes, or before that. */
		out.slot_base = INT64_MAX - 4095;
		out.slot_loop[0] = -(INT64_MAX - 8191);
		in.slot_base = out.slot_base - (bad ? 0 : 512);
		build_loop(&b, 2, 2);
		build_start(&b, 1, build_desc(&b, in), 0);
		build_start(&b, 0, build_desc(&b, out), 0);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_SLOT_RACE : 0,
		       bad ? "a slot's far end on two channels" : "beside a slot's far end");
	}
}

static void nops(struct builder *b, u32 count)
{
	while (count--)
		build_bundle(b);
}

/* Programs that run longer than a test does: the verdict alone. */
static void expect_verdict(struct builder *b, u32 code, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);

	if (!tap_ok(verdict.code == code, "%s", name))
		printf("# %s at %u.%u\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot);
	build_fini(b);
}

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

/* One that starts are empty in on the last trip of a loop around it counts twice. */
static void test_dma_loops(void)
{
	struct builder b;
	u32 i, bad, loops;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_desc(&b, (struct rondo_desc){ .row_bytes = 4 });
		loops = (RONDO_DMA_LOOPS_MAX - 1) / 2 + bad;
		build_loop(&b, 2, 2 * loops);
		for (i = 0; i < loops; i++) {
			build_loop(&b, 2, 1);
			build_start(&b, 0, 0, 1);
		}
		build_halt(&b);
		expect_verdict(&b, bad ? RONDO_ERR_DMA_LOOPS : 0,
			       bad ? "a loop too many that counts twice" :
				     "as many loops that count twice as may be");
	}
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

/* The last trip's start is empty: its address may be outside of everything. */
static void test_empty_last_trips(void)
{
	struct rondo_desc desc = { .row_bytes = 4096 };
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		desc.sram_loop[0] = -4096;
		desc.sram_base = 3 * 4096;
		desc.slot_base = desc.sram_base;
		desc.slot_loop[0] = desc.sram_loop[0];
		build_loop(&b, 5, 2);
		build_start(&b, 0, build_desc(&b, desc), !bad);
		build_wait(&b, 0, 0);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_SRAM_BOUNDS : 0,
		       bad ? "the last trip leaves SRAM" : "the last trip would leave SRAM");

		begin(&b);
		desc.sram_loop[0] = 0;
		build_loop(&b, 5, 2);
		build_start(&b, 0, build_desc(&b, desc), !bad);
		build_wait(&b, 0, 0);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_SLOT_BOUNDS : 0,
		       bad ? "the last trip leaves the slot" :
			     "the last trip would leave the slot");
	}
}

/* A store of 64 containers at @base, with strides for the two outer loops. */
static void store(struct builder *b, u32 base, s32 outer, s32 inner)
{
	struct rondo_entry e = { .base = base, .stride = { outer, inner } };

	build_op(b, RONDO_S, OP(sta, .entry = build_entry(b, e), .count = 64));
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

	/* Of two trips, only the first. */
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

	/* More combs and ranges than are remembered, all of them read. */
	begin(&b);
	for (i = 0; i < 2 * RONDO_CLEAR_COMBS_MAX + 2 * RONDO_CLEAR_WRITTEN_MAX; i++) {
		build_loop(&b, 2 + i % 3, 1);
		store(&b, 8192 * i, 512 + 4 * i, 0);
	}
	for (i = 0; i < 2 * RONDO_CLEAR_COMBS_MAX + 2 * RONDO_CLEAR_WRITTEN_MAX; i++)
		read(&b, 8192 * i + 512 + 4 * i * (i % 2));
	build_halt(&b);
	expect(&b, 0, "more than is remembered");
}

/* A transfer out of one slot of a group, and one into another: wherever they are bound. */
static void test_alias_groups(void)
{
	struct rondo_desc out = { .dir = RONDO_DMA_OUT, .row_bytes = 256 };
	struct rondo_desc in = { .row_bytes = 256, .sram_base = 4096 };
	static const struct {
		u16 alias[2];
		u8 channel;
		bool wait;
		u32 code;
		const char *name;
	} cases[] = {
		{ { 7, 7 }, 1, false, RONDO_ERR_DMA_SLOT_RACE, "two slots of a group" },
		{ { 7, 7 }, 0, false, 0, "two slots of a group in one channel's order" },
		{ { 7, 7 }, 1, true, 0, "two slots of a group and a wait" },
		{ { 7, 8 }, 1, false, 0, "slots of two groups" },
		{ { 7, 0 }, 1, false, 0, "a slot of a group and one of none" },
		{ { 0, 0 }, 1, false, 0, "two slots of no group" },
	};
	struct builder b;
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_init(&b);
		build_slot(&b, cases[i].alias[0]);
		out.slot = 0;
		in.slot = build_slot(&b, cases[i].alias[1]);
		in.slot_base = 1 << 20;
		build_start(&b, 0, build_desc(&b, out), 0);
		if (cases[i].wait)
			build_wait(&b, 0, 0);
		build_start(&b, cases[i].channel, build_desc(&b, in), 0);
		build_halt(&b);
		expect(&b, cases[i].code, cases[i].name);
	}
}

/* Three loops whose last trips make starts empty, of trips that drift against the costs. */
static void test_time(void)
{
	struct rondo_desc desc = { .row_bytes = 256 };
	struct builder b;
	u32 trips, ch;

	for (trips = 1; trips < 8; trips++) {
		begin(&b);
		for (ch = 0; ch < 4; ch++) {
			desc.sram_base = ch * 4096;
			desc.count[2] = 7 * ch + trips;
			build_desc(&b, desc);
		}
		build_op(&b, RONDO_C, OP(loop, .nest = 1, .body = 11, .trip = { trips }));
		build_start(&b, 0, 0, 1);
		build_op(&b, RONDO_C, OP(loop, .nest = 1, .body = 8, .trip = { 9 - trips }));
		build_start(&b, 1, 1, 2);
		build_op(&b, RONDO_C, OP(loop, .nest = 1, .body = 4, .trip = { 1 + trips % 3 }));
		build_start(&b, 0, 2, 3);
		build_start(&b, 2, 3, 1);
		build_start(&b, 1, 1, 2);
		build_op(&b, RONDO_C, OP(wait, .wait = { 3, 4, 2 }));
		build_wait(&b, 0, 1);
		build_wait(&b, 1, 2);
		build_wait(&b, 2, 0);
		build_halt(&b);
		expect(&b, 0, "empty starts in three loops take their exact time");
	}
}

enum { FULL_TRIPS = 5, FULL_STARTS = 5 };

/* Whether a channel's transfers fit its list in a nest of these trips with starts at each depth. */
static bool list_holds(const u32 trips[3], const u32 starts[4], u32 *most)
{
	u32 body = starts[3] + 1, i, d, bundles;
	struct builder b;
	u64 size;
	u8 *bytes;
	bool good;

	begin(&b);
	build_desc(&b, (struct rondo_desc){ .row_bytes = 4 });
	for (d = 0; d < 4; d++) {
		for (i = 0; i < starts[d]; i++)
			build_start(&b, 0, 0, 0);
		for (bundles = body, i = d + 1; i < 3; i++)
			bundles += starts[i] + 1;
		if (d < 3)
			build_loop(&b, trips[d], bundles);
	}
	build_bundle(&b);
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	rondo_measure_init(b.verify, &b.machine, bytes, size);
	do
		*most = b.verify->channel[0].count > *most ? b.verify->channel[0].count : *most;
	while (rondo_verify_step(b.verify, 1));
	good = !rondo_verify_verdict(b.verify)->code;
	free(bytes);
	build_fini(&b);
	return good;
}

/*
 * More trips or starts than these cannot be outstanding together. A list that is full would
 * make halt find a transfer that nobody has waited for.
 */
static void test_full_lists(void)
{
	u32 trips[3], starts[4], n, rest, i, most = 0, held = 0, all = 1;

	for (i = 0; i < 7; i++)
		all *= i < 3 ? FULL_TRIPS : FULL_STARTS;
	for (n = 0; n < all; n++) {
		for (rest = n, i = 0; i < 3; i++, rest /= FULL_TRIPS)
			trips[i] = 1 + rest % FULL_TRIPS;
		for (i = 0; i < 4; i++, rest /= FULL_STARTS)
			starts[i] = rest % FULL_STARTS;
		held += list_holds(trips, starts, &most);
	}
	tap_eq(held, all, "all transfers that may be outstanding are in the lists");
	tap_eq(most, RONDO_TRANSFERS, "and fill them");
}

int main(void)
{
	struct rondo_machine edge;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	executor = exec_create(&edge);
	if (!executor)
		return EXIT_FAILURE;
	test_strides_of_empty_trips();
	test_far_slots();
	test_far_slot_races();
	test_loops();
	test_dma_loops();
	test_back_edges();
	test_common_ends();
	test_landing_together();
	test_definitions();
	test_empty_last_trips();
	test_clearing();
	test_full_lists();
	test_alias_groups();
	test_time();
	exec_destroy(executor);
	return tap_done();
}
