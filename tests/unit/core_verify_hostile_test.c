// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs that were made to break one argument of docs/explanation/verifier.md each:
 * they are refused, or accepted and keep all promises in the checking executor. Their
 * neighbours, which differ in one number, go the other way.
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
	exec_destroy(executor);
	return tap_done();
}
