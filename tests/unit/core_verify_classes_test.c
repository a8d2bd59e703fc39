// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Classes of failure that in-kernel command parsers are known for, each with the programs
 * that would show it here; and input that is damaged in every simple way. One class no program
 * can show, "a validated buffer left exportable": kselftest's object.program_is_no_data.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static void expect(struct builder *b, u32 code, u32 index, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);

	if (!tap_ok(verdict.code == code && verdict.index == index, "%s", name))
		printf("# %s at %u.%u, expected %s at %u\n", rondo_error_name(verdict.code),
		       verdict.index, verdict.slot, rondo_error_name(code), index);
	build_fini(b);
}

/* Nothing is inherited: a start uses the loops it stands in, not those of an earlier one. */
static void extents_from_inherited_state(void)
{
	struct builder b;
	u32 desc;

	build_init(&b);
	build_slot(&b, 0);
	desc = build_desc(&b, (struct rondo_desc){ .row_bytes = 64, .slot_loop = { 64 } });
	build_loop(&b, 10, 2);
	build_start(&b, 0, desc, 0);
	build_wait(&b, 0, 0);
	build_start(&b, 0, desc, 0);
	build_halt(&b);
	expect(&b, RONDO_ERR_DMA_LOOP_INDEX, 3, "extents from inherited state");
}

/* Bits 39:32 of a slot address count: claimed and computed extents keep them. */
static void field_shifted_in_32_bits(void)
{
	struct builder b;
	u64 base = 0xab00001000ull;

	build_init(&b);
	build_slot(&b, 0);
	build_start(&b, 0,
		    build_desc(&b, (struct rondo_desc){ .row_bytes = 64, .slot_base = base }), 0);
	build_halt(&b);
	tap_eq(build_verdict(&b, 0).code, 0, "a slot address above 32 bits is accepted");
	tap_eq(b.verify->extent[0].read_hi, base + 64, "64-bit field shifted in 32 bits");
	build_fini(&b);
}

/* Every value that a field can hold is checked against the table that it indexes. */
static void mask_wider_than_array(void)
{
	struct builder b;

	build_init(&b);
	build_entry(&b, (struct rondo_entry){ .base = 0 });
	build_op(&b, RONDO_L0, OP(ld_w, .entry = RONDO_ENTRIES_MAX - 1));
	build_halt(&b);
	expect(&b, RONDO_ERR_ENTRY_INDEX, 0, "mask wider than the array: entries");

	build_init(&b);
	build_slot(&b, 0);
	build_desc(&b, (struct rondo_desc){ .row_bytes = 64, .slot = RONDO_PROGRAM_SLOTS_MAX });
	build_halt(&b);
	expect(&b, RONDO_ERR_DESC_SLOT, 0, "mask wider than the array: slots");

	build_init(&b);
	build_op(&b, RONDO_V0, OP(iota, .dst = 0));
	build_bundle(&b);
	build_op(&b, RONDO_V0, OP(rq_f32, .dst = 1, .params = 63));
	build_halt(&b);
	expect(&b, RONDO_ERR_REGISTER, 2, "mask wider than the array: parameter registers");
}

/* What an operation covers may not go over the end: loop bodies are the only such thing. */
static void command_crosses_end(void)
{
	struct builder b;

	build_init(&b);
	build_loop(&b, 2, 1 << 20);
	build_halt(&b);
	expect(&b, RONDO_ERR_LOOP_END, 0, "command crosses the end: longest body");

	build_init(&b);
	build_loop(&b, 2, 1);
	build_halt(&b);
	expect(&b, RONDO_ERR_HALT, 1, "command crosses the end: halt inside a loop");
}

static void overflow_in_stride_times_count(void)
{
	struct builder b;
	struct rondo_entry e = { .base = 4, .stride = { (s32)0x80000000, (s32)0x80000000 } };
	struct rondo_entry wraps = { .base = 0, .stride = { 0x7ffffffc, 0x7ffffffc, 8 } };

	build_init(&b);
	build_loop(&b, 1ull << 32, 2);
	build_loop(&b, 1ull << 30, 1);
	build_op(&b, RONDO_M, OP(preset, .entry = build_entry(&b, e)));
	build_halt(&b);
	expect(&b, RONDO_ERR_SRAM_BOUNDS, 2, "signed overflow in stride * count: far below zero");

	/* In 32 bits the sum of the largest indices is back at zero. */
	build_init(&b);
	build_loop(&b, 2, 3);
	build_loop(&b, 2, 2);
	build_loop(&b, 2, 1);
	build_op(&b, RONDO_M, OP(preset, .entry = build_entry(&b, wraps)));
	build_halt(&b);
	expect(&b, RONDO_ERR_SRAM_BOUNDS, 3, "signed overflow in stride * count: 32-bit wrap");

	build_init(&b);
	build_slot(&b, 0);
	build_start(&b, 0,
		    build_desc(&b, (struct rondo_desc){ .row_bytes = 1,
							.count = { ~0u, ~0u, ~0u },
							.slot_stride = { 1ll << 62, 1ll << 62,
									 1ll << 62 } }),
		    0);
	build_halt(&b);
	expect(&b, RONDO_ERR_DMA_SLOT_BOUNDS, 0, "signed overflow in stride * count: slot");

	build_init(&b);
	build_slot(&b, 0);
	build_start(&b, 0,
		    build_desc(&b, (struct rondo_desc){ .row_bytes = 1,
							.count = { ~0u, ~0u, ~0u },
							.sram_stride = { 0x7fffffff, 0x7fffffff,
									 0x7fffffff } }),
		    0);
	build_halt(&b);
	expect(&b, RONDO_ERR_DMA_SRAM_BOUNDS, 0, "signed overflow in stride * count: SRAM");

	/* The most negative stride has no positive counterpart. */
	build_init(&b);
	build_slot(&b, 0);
	build_desc(&b, (struct rondo_desc){
			       .dir = RONDO_DMA_OUT,
			       .row_bytes = 1,
			       .count = { 2, 2, 1 },
			       .slot_stride = { -1 - (s64)(~0ull >> 1), -1 - (s64)(~0ull >> 1) } });
	build_halt(&b);
	expect(&b, RONDO_ERR_DESC_OUT_OVERLAP, 0, "signed overflow: the most negative stride");
}

/* Zero is a value: an untouched slot has the extent 0, 0, and a touched one never has it. */
static void sentinel_that_is_legal(void)
{
	struct builder b;

	build_init(&b);
	build_slot(&b, 0);
	build_slot(&b, 0);
	build_start(&b, 0, build_desc(&b, (struct rondo_desc){ .row_bytes = 1, .slot = 1 }), 0);
	build_halt(&b);
	build_verdict(&b, 0);
	tap_ok(b.verify->extent[0].read_hi == 0 && b.verify->extent[1].read_lo == 0 &&
		       b.verify->extent[1].read_hi == 1,
	       "\"unset\" sentinel that wraps into a legal value");
	build_fini(&b);
}

static void unknown_operations(void)
{
	u32 opcode, refused = 0, undefined = 0;

	for (opcode = 1; opcode < RONDO_OPCODES; opcode++) {
		struct builder b;

		if (rondo_ops[opcode].name)
			continue;
		undefined++;
		build_init(&b);
		build_bundle(&b);
		b.bundles[0][RONDO_V1] = opcode;
		build_halt(&b);
		refused += build_verdict(&b, 0).code != 0;
		build_fini(&b);
	}
	tap_eq(refused, undefined, "unknown operations accepted");
}

/* Descriptors with one field that no descriptor may have. */
static void reserved_descriptor_values(void)
{
	static const struct {
		struct rondo_desc desc;
		u32 code;
		const char *name;
	} cases[] = {
		{ { .row_bytes = 4, .dir = RONDO_DMA_DIRS }, RONDO_ERR_DESC_FIELD, "direction" },
		{ { .row_bytes = 4, .mode = RONDO_DMA_MODES }, RONDO_ERR_DESC_FIELD, "mode" },
		{ { .row_bytes = 0 }, RONDO_ERR_DESC_FIELD, "empty row" },
		{ { .row_bytes = 4, .mode = RONDO_DMA_BROADCAST, .slot_x = 4 },
		  RONDO_ERR_DESC_FIELD,
		  "x stride of a broadcast" },
		{ { .row_bytes = 4, .mode = RONDO_DMA_ROWS, .slot_x = 4 },
		  RONDO_ERR_DESC_FIELD,
		  "x stride of mode rows" },
		{ { .row_bytes = 4, .mode = RONDO_DMA_COLUMNS, .slot_y = 4 },
		  RONDO_ERR_DESC_FIELD,
		  "y stride of mode columns" },
		{ { .row_bytes = 4, .y1 = 1 }, RONDO_ERR_DESC_TILES, "tile outside the mesh" },
		{ { .row_bytes = 4, .x0 = 1 }, RONDO_ERR_DESC_TILES, "empty rectangle" },
		{ { .row_bytes = 4, .mode = RONDO_DMA_ROWS, .slot_y = 4 },
		  0,
		  "y stride of mode rows" },
		{ { .row_bytes = 4, .slot_x = 4, .slot_y = 4 }, 0, "strides of mode tile" },
	};
	struct builder b;
	u32 i, d;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_init(&b);
		build_slot(&b, 0);
		build_desc(&b, cases[i].desc);
		build_halt(&b);
		expect(&b, cases[i].code, 0, cases[i].name);
	}
	for (d = 0; d < RONDO_DMA_DIMS; d++) {
		build_init(&b);
		build_slot(&b, 0);
		build_desc(&b, (struct rondo_desc){ .row_bytes = 4 });
		b.descs[0].count[d] = 0;
		build_halt(&b);
		expect(&b, RONDO_ERR_DESC_FIELD, 0, "empty dimension");
	}
}

/* Operations with one field that no operation may have. */
static void reserved_operation_values(void)
{
	static const struct {
		u8 slot;
		struct rondo_op op;
		u32 code;
		const char *name;
	} cases[] = {
		{ RONDO_C, OP(loop, .nest = 0), RONDO_ERR_CANONICAL, "no loop in a nest" },
		{ RONDO_C, OP(loop, .nest = 1, .trip = { 2, 2 }), RONDO_ERR_CANONICAL,
		  "trips of the second of one loop" },
		{ RONDO_C, OP(loop, .nest = 2, .trip = { 2, 2, 2 }), RONDO_ERR_CANONICAL,
		  "trips of the third of two loops" },
		{ RONDO_C, OP(loop, .nest = 3, .trip = { 2, 2, 2 }), 0, "three loops" },
		{ RONDO_C, OP(wait, .wait = { 0, 5 }), RONDO_ERR_CANONICAL, "wait for 4 of 4" },
		{ RONDO_C, OP(mask, .wait = { 0, 0, 0, 7 }), RONDO_ERR_CANONICAL,
		  "waits of other operations" },
		{ RONDO_C, OP(mask, .y1 = 1), RONDO_ERR_MASK, "mask outside the mesh" },
		{ RONDO_C, OP(mask, .x0 = 1), RONDO_ERR_MASK, "empty mask" },
		{ RONDO_W, OP(wl_u8, .zp = 255), 0, "zero point of bytes" },
		{ RONDO_M, OP(push_s8, .mode = 3), RONDO_ERR_PUSH_MODE, "push mode 3" },
		{ RONDO_M, OP(push_s8, .mode = 2, .entry = 1), RONDO_ERR_ENTRY_LOOP,
		  "push that looks at a loop that is not open" },
		{ RONDO_M, OP(push_s8, .mode = 1, .entry = 1), 0, "push that does not look" },
		{ RONDO_V1, OP(bc_col, .dst = 1, .imm = 1), RONDO_ERR_MESH,
		  "row outside the mesh" },
		{ RONDO_V1, OP(bc_col, .dst = 1, .imm = -1), RONDO_ERR_MESH, "row below zero" },
		{ RONDO_V1, OP(bc_row, .dst = 1, .imm = -1), RONDO_ERR_MESH, "column below zero" },
		{ RONDO_V1, OP(movi, .dst = 1, .imm = -1), 0, "immediate below zero" },
	};
	struct builder b;
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_init(&b);
		build_entry(&b, (struct rondo_entry){ .base = 0 });
		build_entry(&b, (struct rondo_entry){ .first = 1 });
		build_op(&b, RONDO_V0, OP(iota));
		build_bundle(&b);
		build_op(&b, cases[i].slot, cases[i].op);
		build_bundle(&b);
		build_halt(&b);
		expect(&b, cases[i].code, cases[i].code ? 2 : 0, cases[i].name);
	}
}

/* Containers have no zero point: the bits that are one in a load of bytes are zero. */
static void zero_point_of_containers(void)
{
	struct builder b;

	build_init(&b);
	build_entry(&b, (struct rondo_entry){ .base = 0 });
	build_op(&b, RONDO_W, OP(wl_u8, .zp = 1));
	b.bundles[0][RONDO_W] ^= RONDO_OP_wl_u8 ^ RONDO_OP_wl_w;
	build_halt(&b);
	expect(&b, RONDO_ERR_CANONICAL, 0, "zero point of containers");
}

/* Every slot's words are looked at, and the right element is named. */
static void only_first_stream_checked(void)
{
	u32 slot, right = 0;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		struct builder b;
		struct rondo_verdict verdict;

		build_init(&b);
		build_bundle(&b);
		build_bundle(&b);
		b.bundles[1][slot] = 0x7f;
		build_halt(&b);
		verdict = build_verdict(&b, 0);
		right += verdict.code == RONDO_ERR_OPCODE && verdict.index == 1 &&
			 verdict.slot == slot;
		build_fini(&b);
	}
	tap_eq(right, RONDO_SLOTS_PER_BUNDLE, "only the first of several streams checked");
}

/* Extents go to the slot that the descriptor names, reads and writes apart. */
static void wrong_element_written(void)
{
	struct builder b;
	u32 i, right = 0;

	build_init(&b);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		build_slot(&b, 0);
		build_desc(&b, (struct rondo_desc){ .dir = i % 2 ? RONDO_DMA_OUT : RONDO_DMA_IN,
						    .slot = i,
						    .slot_base = 1000 * i,
						    .row_bytes = 1 + i });
	}
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		build_start(&b, 0, i, 0);
	build_halt(&b);
	build_verdict(&b, 0);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		const struct rondo_extent *e = &b.verify->extent[i];

		right += i % 2 ? e->write_lo == 1000 * i && e->write_hi == 1001 * i + 1 &&
					 !e->read_hi :
				 e->read_lo == 1000 * i && e->read_hi == 1001 * i + 1 &&
					 !e->write_hi;
	}
	tap_eq(right, RONDO_PROGRAM_SLOTS_MAX, "the wrong array element written");
	build_fini(&b);
}

/* A program with something of everything. */
static void whole_program(struct builder *b)
{
	u32 e, in, out;

	build_init(b);
	build_slot(b, 0);
	build_slot(b, 0);
	e = build_entry(b, (struct rondo_entry){ .stride = { 256 }, .seg_len = 64 });
	in = build_desc(b, (struct rondo_desc){ .row_bytes = 1024 });
	out = build_desc(b,
			 (struct rondo_desc){ .row_bytes = 1024, .dir = RONDO_DMA_OUT, .slot = 1 });
	build_start(b, 0, in, 0);
	build_wait(b, 0, 0);
	build_loop(b, 4, 4);
	build_op(b, RONDO_L0, OP(ld_w, .dst = 1, .entry = e, .count = 64));
	build_bundle(b);
	build_bundle(b);
	build_op(b, RONDO_S, OP(st_w, .a = 1, .entry = e, .count = 64));
	build_start(b, 1, out, 0);
	build_halt(b);
}

static u32 verdict_of(struct builder *b, const u8 *bytes, u64 size, u32 step)
{
	rondo_verify_init(b->verify, &b->machine, bytes, size, 0);
	while (rondo_verify_step(b->verify, step))
		;
	return rondo_verify_verdict(b->verify)->code;
}

/* In a heap block of its own, so that a sanitizer sees a read beyond the end. */
static u32 verdict_of_prefix(struct builder *b, const u8 *bytes, u64 size)
{
	u8 *prefix = malloc(size ? size : 1);
	u32 code;

	memcpy(prefix, bytes, size);
	code = verdict_of(b, prefix, size, 1);
	free(prefix);
	return code;
}

static void damaged(void)
{
	struct builder b;
	u64 size, i, refused = 0, same = 0;
	u8 *bytes;
	u32 step;

	whole_program(&b);
	bytes = build_bytes(&b, &size);
	tap_eq(build_verdict(&b, 0).code, 0, "a program with something of everything");
	rondo_measure_claim(b.verify, bytes);
	/* The claims are those of the measuring run: facts and extents stay in the state. */
	tap_eq(verdict_of(&b, bytes, size, 1000), 0, "its claims are right");
	for (step = 1; step < 20; step++)
		same += !verdict_of(&b, bytes, size, step);
	tap_eq(same, 19, "steps of any size come to the same verdict");
	for (i = 0; i < size; i++)
		refused += verdict_of_prefix(&b, bytes, i) != 0;
	tap_eq(refused, size, "truncated anywhere it is refused");
	bytes = realloc(bytes, size + 8);
	memset(bytes + size, 0, 8);
	tap_eq(verdict_of(&b, bytes, size + 8, 1), RONDO_ERR_SIZE, "a word too long it is refused");
	for (i = refused = 0; i < 40 * 8; i++) {
		bytes[i / 8] ^= 1 << i % 8;
		refused += verdict_of(&b, bytes, size, 1000) != 0;
		bytes[i / 8] ^= 1 << i % 8;
	}
	tap_eq(refused, 40 * 8, "with any bit of the header flipped it is refused");
	free(bytes);
	build_fini(&b);
}

/* A step that asks for little does little, where loops with transfers cost matrix products. */
static void work_is_bounded(void)
{
	struct builder b;
	u32 i, steps = 0;
	u64 size;
	u8 *bytes;

	build_init(&b);
	for (i = 0; i < 100; i++) {
		build_loop(&b, 1000, 1);
		build_wait(&b, 0, 0);
	}
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	rondo_measure_init(b.verify, &b.machine, bytes, size);
	do
		steps++;
	while (rondo_verify_step(b.verify, RONDO_WORK_MATRICES));
	tap_ok(steps >= 100, "loops with transfers take a step of their own: %u", steps);
	free(bytes);
	build_fini(&b);
}

/* Each count exactly at its limit, and one over. */
static void limits(void)
{
	struct builder b;
	u32 i;

	build_init(&b);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		build_slot(&b, 0);
	for (i = 0; i < RONDO_ENTRIES_MAX; i++)
		build_entry(&b, (struct rondo_entry){ .base = i });
	for (i = 0; i < RONDO_DESCS_MAX; i++)
		build_desc(&b, (struct rondo_desc){ .row_bytes = 1 + i });
	for (i = 1; i < RONDO_BUNDLES_MAX; i++)
		build_bundle(&b);
	build_halt(&b);
	expect(&b, 0, 0, "all counts at their limits");

	build_init(&b);
	for (i = 0; i < RONDO_BUNDLES_MAX; i++)
		build_bundle(&b);
	build_halt(&b);
	expect(&b, RONDO_ERR_COUNT, 0, "a bundle too many");

	build_init(&b);
	for (i = 0; i <= RONDO_DESCS_MAX; i++)
		build_desc(&b, (struct rondo_desc){ .row_bytes = 1 });
	build_halt(&b);
	expect(&b, RONDO_ERR_COUNT, 0, "a descriptor too many");

	build_init(&b);
	expect(&b, RONDO_ERR_COUNT, 0, "no bundle");
}

/*
 * No bytes get more out of the verifier than a verdict whose name and place exist. (That it can
 * call nobody, to warn or for anything else, is in core_freestanding_test.)
 */
static void warnings_reachable(void)
{
	struct builder b;
	u64 size, i, good = 0;
	u8 *bytes;

	whole_program(&b);
	bytes = build_bytes(&b, &size);
	for (i = 0; i < size * 8; i++) {
		const struct rondo_program_header *h = (void *)bytes;
		const struct rondo_verdict *verdict = rondo_verify_verdict(b.verify);

		bytes[i / 8] ^= 1 << i % 8;
		verdict_of(&b, bytes, size, 1000);
		good += strcmp(rondo_error_name(verdict->code), "UNKNOWN") != 0 &&
			verdict->slot < RONDO_SLOTS_PER_BUNDLE &&
			(!verdict->index || verdict->index < h->bundles ||
			 verdict->index < h->slots);
		bytes[i / 8] ^= 1 << i % 8;
	}
	tap_eq(good, size * 8, "with any bit flipped there is a verdict and no more");
	free(bytes);
	build_fini(&b);
}

static const struct {
	const char *name; /* as the design has it */
	void (*test)(void);
} classes[] = {
	{ "extents derived from inherited register state", extents_from_inherited_state },
	{ "a 64-bit field shifted in 32 bits", field_shifted_in_32_bits },
	{ "a mask wider than the array it indexes", mask_wider_than_array },
	{ "a two-word command crossing the end", command_crosses_end },
	{ "signed overflow in stride x count", overflow_in_stride_times_count },
	{ "an unset sentinel that wraps into a legal value", sentinel_that_is_legal },
	{ "unknown opcodes accepted", unknown_operations },
	{ "reserved values accepted: descriptors", reserved_descriptor_values },
	{ "reserved values accepted: operations", reserved_operation_values },
	{ "reserved values accepted: zero point of containers", zero_point_of_containers },
	{ "warnings reachable from userspace", warnings_reachable },
	{ "the wrong array element written", wrong_element_written },
	{ "only the first of several streams checked", only_first_stream_checked },
};

/* Slots are aligned to powers of two from 4 to 4096. */
static void test_alignments(void)
{
	static const u32 good[] = { 4, 8, 64, 4096 }, bad[] = { 0, 1, 2, 6, 12, 96, 4095, 8192 };
	const u32 goods = sizeof(good) / sizeof(good[0]), bads = sizeof(bad) / sizeof(bad[0]);
	u32 i, wrong = 0;

	for (i = 0; i < goods + bads; i++) {
		struct builder b;

		build_init(&b);
		build_slot(&b, 0);
		b.slots[0].align = i < goods ? good[i] : bad[i - goods];
		build_halt(&b);
		wrong += build_verdict(&b, 0).code != (i < goods ? 0 : RONDO_ERR_SLOT_ALIGN);
		build_fini(&b);
	}
	tap_eq(wrong, 0, "alignments of slots that are judged wrongly");
}

int main(void)
{
	size_t i;
	int before, failed;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		before = tap_count;
		failed = tap_failures;
		classes[i].test();
		tap_ok(tap_count > before && tap_failures == failed, "class: %s", classes[i].name);
	}
	damaged();
	work_is_bounded();
	limits();
	test_alignments();
	return tap_done();
}
