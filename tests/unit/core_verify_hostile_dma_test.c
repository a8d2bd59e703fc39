// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Hostile programs: transfers, races, and time. */
#include "tests/unit/hostile.h"

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

/* A loop without transfers, behind one with transfers of which the last is outstanding. */
static void test_loops_behind_transfers(void)
{
	struct rondo_entry e = { .base = 0, .stride = { 256 } };
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_loop(&b, 2, 1);
		build_start(
			&b, 0,
			build_desc(&b, (struct rondo_desc){ .row_bytes = 256, .sram_base = 1024 }),
			0);
		build_loop(&b, 4 + bad, 1);
		build_op(&b, RONDO_M, OP(preset, .entry = build_entry(&b, e), .count = 64));
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_RACE : 0,
		       bad ? "the last trip of a loop behind transfers" :
			     "a loop behind transfers");
	}
}

/* Two channels that read the same bytes of SRAM, or that write the same bytes of a slot. */
static void test_two_readers(void)
{
	struct rondo_desc out = { .dir = RONDO_DMA_OUT, .row_bytes = 256 };
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_start(&b, 0, build_desc(&b, out), 0);
		out.slot_base = bad ? 255 : 256;
		build_start(&b, 1, build_desc(&b, out), 0);
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DMA_SLOT_RACE : 0,
		       bad ? "two channels write one byte" : "two channels read the same bytes");
	}
}

/* Strides of an outgoing transfer whose span does not fit 64 bits, or just does. */
static void test_outgoing_spans(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b);
		build_desc(&b, (struct rondo_desc){ .dir = RONDO_DMA_OUT,
						    .row_bytes = 256,
						    .count = { 2 + 3 * bad, 2, 1 },
						    .slot_stride = { 1ll << 62, INT64_MIN } });
		build_halt(&b);
		expect(&b, bad ? RONDO_ERR_DESC_OUT_OVERLAP : 0,
		       bad ? "rows that wrap onto each other" : "rows at the ends of 64 bits");
	}
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

static void all(void)
{
	test_strides_of_empty_trips();
	test_far_slots();
	test_far_slot_races();
	test_dma_loops();
	test_empty_last_trips();
	test_full_lists();
	test_loops_behind_transfers();
	test_two_readers();
	test_outgoing_spans();
	test_alias_groups();
	test_time();
}

int main(void)
{
	return hostile_run(all);
}
