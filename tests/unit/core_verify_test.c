// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every row of spec/errors.def has a program that is refused for exactly that reason, and a
 * neighbour that is accepted and differs in one place only: one bundle, one row of a table or
 * the header. The cases are listed by the rows, so a row without one does not compile.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

/* A program that is right, and one that is wrong in one place when @bad. */
typedef void build_case(struct builder *b, bool bad);

static void tamper_size(u8 *bytes, u64 *size)
{
	(void)bytes;
	*size -= 8;
}

static void case_SIZE(struct builder *b, bool bad)
{
	b->tamper = bad ? tamper_size : NULL;
	build_halt(b);
}

static void case_MAGIC(struct builder *b, bool bad)
{
	b->header.version += bad;
	build_halt(b);
}

static void case_MACHINE(struct builder *b, bool bad)
{
	b->header.machine_hash ^= bad;
	build_halt(b);
}

static void case_MACHINE_UNSUPPORTED(struct builder *b, bool bad)
{
	b->machine.dma_startup += bad;
	b->header.machine_hash = rondo_machine_hash(&b->machine);
	build_halt(b);
}

static void case_COUNT(struct builder *b, bool bad)
{
	u32 i, count = RONDO_ENTRIES_MAX + bad;

	for (i = 0; i < count; i++)
		build_entry(b, (struct rondo_entry){ .base = 0 });
	build_halt(b);
}

static void case_RESERVED(struct builder *b, bool bad)
{
	b->header.reserved = bad;
	build_halt(b);
}

static void case_SLOT_ALIGN(struct builder *b, bool bad)
{
	b->slots[build_slot(b, 0)].align = bad ? RONDO_SLOT_ALIGN_MAX * 2 : RONDO_SLOT_ALIGN_MAX;
	build_halt(b);
}

static void case_SLOT_FLAGS(struct builder *b, bool bad)
{
	b->slots[build_slot(b, 0)].flags = bad ? RONDO_SLOT_FLAGS + 1 : RONDO_SLOT_FLAGS;
	build_halt(b);
}

static void tamper_extent(u8 *bytes, u64 *size)
{
	struct rondo_slot *slot = (void *)(bytes + sizeof(struct rondo_program_header));

	(void)size;
	slot->read_hi++;
}

/* Loads @bytes bytes of a new slot to the start of SRAM on channel 0, and waits. */
static void load(struct builder *b, u32 bytes)
{
	u32 slot = build_slot(b, 0);

	build_start(b, 0, build_desc(b, (struct rondo_desc){ .slot = slot, .row_bytes = bytes }),
		    0);
	build_wait(b, 0, 0);
}

static void case_SLOT_EXTENT(struct builder *b, bool bad)
{
	load(b, 256);
	build_halt(b);
	b->tamper = bad ? tamper_extent : NULL;
}

static void case_ENTRY_RESERVED(struct builder *b, bool bad)
{
	build_entry(b, (struct rondo_entry){ .seg_len = !bad, .seg_stride = 4 });
	build_halt(b);
}

static void desc_case(struct builder *b, struct rondo_desc desc)
{
	build_slot(b, 0);
	build_desc(b, desc);
	build_halt(b);
}

static void case_DESC_FIELD(struct builder *b, bool bad)
{
	desc_case(b, (struct rondo_desc){ .row_bytes = b->machine.sram_bytes + bad });
}

static void case_DESC_SLOT(struct builder *b, bool bad)
{
	desc_case(b, (struct rondo_desc){ .row_bytes = 4, .slot = bad });
}

static void case_DESC_TILES(struct builder *b, bool bad)
{
	desc_case(b, (struct rondo_desc){ .row_bytes = 4, .x1 = bad });
}

static void case_DESC_OUT_MODE(struct builder *b, bool bad)
{
	desc_case(b, (struct rondo_desc){ .row_bytes = 4,
					  .dir = RONDO_DMA_OUT,
					  .mode = bad ? RONDO_DMA_BROADCAST : RONDO_DMA_TILE });
}

static void case_DESC_OUT_OVERLAP(struct builder *b, bool bad)
{
	desc_case(b, (struct rondo_desc){ .row_bytes = 16,
					  .dir = RONDO_DMA_OUT,
					  .count = { 2, 3, 4 },
					  .slot_stride = { 16, 32, bad ? -95 : -96 },
					  .slot_base = 1000 });
}

static void case_OPCODE(struct builder *b, bool bad)
{
	build_bundle(b);
	b->bundles[0][RONDO_V0] = bad ? 0x7f : 0;
	build_halt(b);
}

static void case_OPCODE_SLOT(struct builder *b, bool bad)
{
	build_op(b, RONDO_V1, OP(iota, .dst = 1));
	build_bundle(b);
	build_op(b, bad ? RONDO_V0 : RONDO_V1, OP(frcp, .dst = 2, .a = 1));
	build_halt(b);
}

static void case_CANONICAL(struct builder *b, bool bad)
{
	build_op(b, RONDO_V1, OP(iota, .dst = 1));
	if (bad)
		b->bundles[0][RONDO_V1] |= 1ull << 63;
	build_halt(b);
}

static void case_LANES(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .base = 0 });

	build_op(b, RONDO_V1, OP(iota, .dst = 1));
	build_bundle(b);
	build_op(b, RONDO_S, OP(st_w, .a = 1, .entry = e, .lane = 60, .count = 4 + bad));
	build_halt(b);
}

static void case_REGISTER(struct builder *b, bool bad)
{
	u32 reg;

	for (reg = 60; reg < 64; reg++)
		build_op(b, RONDO_V0, OP(movi, .dst = reg));
	build_bundle(b);
	build_op(b, RONDO_V0, OP(rq_f32, .dst = 1, .a = 60, .params = 61 + bad));
	build_halt(b);
}

static void case_LOOP_DEPTH(struct builder *b, bool bad)
{
	build_op(b, RONDO_C, OP(loop, .nest = 3, .body = 3));
	build_op(b, RONDO_C, OP(loop, .nest = 3, .body = 2));
	build_op(b, RONDO_C, OP(loop, .nest = 2 + bad, .body = 1));
	build_bundle(b);
	build_halt(b);
}

static void case_LOOP_END(struct builder *b, bool bad)
{
	build_loop(b, 2, 2);
	build_loop(b, 2, 1 + bad);
	build_bundle(b);
	build_bundle(b);
	build_halt(b);
}

static void case_LOOP_TRIPS(struct builder *b, bool bad)
{
	build_loop(b, 1ull << 32, 2);
	build_loop(b, bad ? 1ull << 31 : 1ull << 20, 1);
	build_bundle(b);
	build_halt(b);
}

static void case_HALT(struct builder *b, bool bad)
{
	build_halt(b);
	if (bad)
		build_bundle(b);
}

static void case_HALT_CHANNELS(struct builder *b, bool bad)
{
	load(b, 256);
	build_start(b, 3, 0, 0);
	build_op(b, RONDO_C, OP(halt, .wait = { [3] = 1 + bad }));
}

static void case_ENTRY_INDEX(struct builder *b, bool bad)
{
	build_entry(b, (struct rondo_entry){ .base = 0 });
	build_op(b, RONDO_L0, OP(ld_w, .entry = bad));
	build_halt(b);
}

static void case_ENTRY_LOOP(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .stride = { 4, 4 } });

	build_loop(b, 2, 2);
	build_loop(b, 2, 1);
	build_op(b, RONDO_M, OP(preset, .entry = e));
	if (bad)
		b->bundles[1][RONDO_C] = 0;
	build_halt(b);
}

static void case_ENTRY_ALIGN(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .base = 2, .seg_len = 1, .seg_stride = 6 });

	build_op(b, RONDO_L0, OP(ld_bf16, .entry = e, .off = 2 + bad, .count = 4));
	build_halt(b);
}

static void case_SRAM_BOUNDS(struct builder *b, bool bad)
{
	/* The highest byte: base + 9 * 1000 + 3 * 64 + 2 * 4 + 4. */
	u32 e = build_entry(b, (struct rondo_entry){ .base = b->machine.sram_bytes - 9204,
						     .stride = { 1000 },
						     .seg_len = 3,
						     .seg_stride = 64 });

	build_loop(b, 10, 1);
	build_op(b, RONDO_M, OP(preset, .entry = e, .count = 12, .off = 4 * bad));
	build_halt(b);
}

static void case_ACC_BOUNDS(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .row_stride = { -1 } });

	build_loop(b, 10 + bad, 1);
	build_op(b, RONDO_M, OP(preset, .entry = e, .row = 9));
	build_halt(b);
}

static void case_WEIGHT_BOUNDS(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .base = 0 });

	build_op(b, RONDO_M, OP(push_f32, .entry = e, .wrow = 60, .count = 4 + bad));
	build_halt(b);
}

static void case_PUSH_MODE(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .first = !bad });

	build_loop(b, 2, 1);
	build_op(b, RONDO_M, OP(push_f32, .entry = e, .mode = 2));
	build_halt(b);
}

static void case_REG_UNDEFINED(struct builder *b, bool bad)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_bundle(b);
	build_op(b, RONDO_V0, OP(mov, .dst = 3, .a = 1 + bad));
	build_halt(b);
}

static void case_REG_IN_FLIGHT(struct builder *b, bool bad)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	if (!bad)
		build_bundle(b);
	build_op(b, RONDO_V0, OP(mov, .dst = 2, .a = 1));
	build_halt(b);
}

static void case_REG_TWICE(struct builder *b, bool bad)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_put(b, RONDO_V1, OP(iota, .dst = 1 + !bad));
	build_halt(b);
}

static void case_REG_LOOP(struct builder *b, bool bad)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_bundle(b);
	/* It lands in the next trip: for the second bundle, or two bundles too late. */
	build_loop(b, 2, 3);
	build_bundle(b);
	build_op(b, RONDO_V0, OP(mov, .dst = 2, .a = 1));
	build_op(b, RONDO_V0, OP(mov, .dst = 1, .a = 1));
	if (bad)
		rondo_encode(&OP(i2f, .dst = 1, .a = 1), &b->bundles[5][RONDO_V0]);
	build_halt(b);
}

static void case_DMA_DEPTH(struct builder *b, bool bad)
{
	build_op(b, RONDO_C, OP(loop, .nest = 1, .body = 2));
	build_op(b, RONDO_C, OP(loop, .nest = 2 + bad, .body = 1));
	build_wait(b, 0, 0);
	build_halt(b);
}

static void case_DMA_LOOPS(struct builder *b, bool bad)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_LOOPS_MAX; i++) {
		build_loop(b, 2, 1);
		build_wait(b, 0, 0);
	}
	build_loop(b, 2, 1);
	if (bad)
		build_wait(b, 0, 0);
	else
		build_bundle(b);
	build_halt(b);
}

static void case_DMA_DESC(struct builder *b, bool bad)
{
	build_slot(b, 0);
	build_start(b, 0, build_desc(b, (struct rondo_desc){ .row_bytes = 4 }) + bad, 0);
	build_halt(b);
}

static void case_DMA_LAST(struct builder *b, bool bad)
{
	build_slot(b, 0);
	build_loop(b, 2, 2);
	build_start(b, 0, build_desc(b, (struct rondo_desc){ .row_bytes = 4 }), 1 + bad);
	build_wait(b, 0, 0);
	build_halt(b);
}

static void case_DMA_LOOP_INDEX(struct builder *b, bool bad)
{
	build_slot(b, 0);
	build_loop(b, 2, 2);
	build_start(b, 0,
		    build_desc(b, (struct rondo_desc){ .row_bytes = 4, .slot_loop = { 4, bad } }),
		    0);
	build_wait(b, 0, 0);
	build_halt(b);
}

static void case_DMA_SRAM_BOUNDS(struct builder *b, bool bad)
{
	build_slot(b, 0);
	build_start(b, 0,
		    build_desc(b, (struct rondo_desc){ .row_bytes = 16,
						       .count = { 1, 2, 3 },
						       .sram_base = b->machine.sram_bytes - 4016,
						       .sram_stride = { 0, 1000, 1500 + bad } }),
		    0);
	build_halt(b);
}

static void case_DMA_SLOT_BOUNDS(struct builder *b, bool bad)
{
	build_slot(b, 0);
	build_start(b, 0,
		    build_desc(b, (struct rondo_desc){ .row_bytes = 16,
						       .count = { 1, 1, 3 },
						       .slot_base = 2000 - bad,
						       .slot_stride = { 0, 0, -1000 } }),
		    0);
	build_halt(b);
}

static void case_DMA_RACE(struct builder *b, bool bad)
{
	u32 e = build_entry(b, (struct rondo_entry){ .base = 256 });

	build_slot(b, 0);
	build_start(b, 0, build_desc(b, (struct rondo_desc){ .row_bytes = 256 + bad }), 0);
	build_op(b, RONDO_L0, OP(ld_w, .entry = e));
	build_halt(b);
}

static void case_DMA_SLOT_RACE(struct builder *b, bool bad)
{
	build_slot(b, 1);
	build_slot(b, 2 - bad);
	build_start(b, 0, build_desc(b, (struct rondo_desc){ .row_bytes = 256 }), 0);
	build_start(b, 1,
		    build_desc(b, (struct rondo_desc){ .dir = RONDO_DMA_OUT,
						       .slot = 1,
						       .row_bytes = 256,
						       .sram_base = 256 }),
		    0);
	build_halt(b);
}

/*
 * 16 interleaved transfers, six units each, and as many accesses between their rows as may be
 * compared, with the waits of halt: one unit each, and 64 where the hulls meet, which all do.
 */
static void case_DMA_WORK(struct builder *b, bool bad)
{
	const u32 starts = 16 * 15 / 2 + 64 * 6 * 16 + 6 * 16, access = 16 + 64 * 16;
	u32 i, count = (RONDO_DMA_WORK_MAX - starts - 6 * 4) / access + bad;
	struct rondo_entry between = { .base = 132, .seg_len = 1, .seg_stride = 256 };
	struct rondo_desc desc = { .row_bytes = 4, .count = { 1, 1, 16 } };

	build_slot(b, 0);
	desc.sram_stride[2] = 256;
	for (i = 0; i < 16; i++, desc.sram_base += 8)
		build_start(b, i / 4, build_desc(b, desc), 0);
	build_entry(b, between);
	for (i = 0; i < count; i++)
		build_op(b, RONDO_M, OP(preset, .count = 16));
	build_halt(b);
}

static void case_MASK(struct builder *b, bool bad)
{
	build_op(b, RONDO_C, OP(mask, .x1 = bad));
	build_halt(b);
}

static void case_MESH(struct builder *b, bool bad)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_bundle(b);
	build_op(b, RONDO_V1, OP(bc_row, .dst = 2, .a = 1, .imm = bad));
	build_halt(b);
}

static void tamper_cycles(u8 *bytes, u64 *size)
{
	struct rondo_program_header *h = (void *)bytes;

	(void)size;
	h->cycles++;
}

static void case_CYCLES(struct builder *b, bool bad)
{
	build_halt(b);
	b->tamper = bad ? tamper_cycles : NULL;
}

enum { CASE_BUDGET_CYCLES = 10 };

static void case_BUDGET(struct builder *b, bool bad)
{
	u32 i, count = CASE_BUDGET_CYCLES + bad;

	for (i = 1; i < count; i++)
		build_bundle(b);
	build_halt(b);
}

static const struct {
	const char *name;
	u32 code;
	build_case *build;
} cases[] = {
#define ERR(name, number, where, text) { #name, number, case_##name },
#include "spec/errors.def"
};

/* Rows of @size bytes that one table has between what both begin with and what both end with. */
static u32 rows_between(const void *a, u32 a_rows, const void *b, u32 b_rows, size_t size)
{
	u32 least = a_rows < b_rows ? a_rows : b_rows, begin = 0, end = 0;
	const u8 *x = a, *y = b;

	while (begin < least && !memcmp(x + begin * size, y + begin * size, size))
		begin++;
	while (end < least - begin &&
	       !memcmp(x + (a_rows - 1 - end) * size, y + (b_rows - 1 - end) * size, size))
		end++;
	return (a_rows > b_rows ? a_rows : b_rows) - begin - end;
}

/* Places where two programs differ, but for the claims, which follow from the rest. */
static u32 differences(const struct builder *a, const struct builder *b)
{
	const struct rondo_program_header *x = &a->header, *y = &b->header;
	u32 count = a->tamper != b->tamper;

	count += x->magic != y->magic || x->version != y->version || x->reserved != y->reserved ||
		 x->machine_hash != y->machine_hash;
	count += rows_between(a->slots, x->slots, b->slots, y->slots, sizeof(a->slots[0]));
	count +=
		rows_between(a->entries, x->entries, b->entries, y->entries, sizeof(a->entries[0]));
	count += rows_between(a->descs, x->descs, b->descs, y->descs, sizeof(a->descs[0]));
	count +=
		rows_between(a->bundles, x->bundles, b->bundles, y->bundles, sizeof(a->bundles[0]));
	return count;
}

/* Whether the verdict's place exists in the program. */
static bool place_exists(const struct builder *b, const struct rondo_verdict *verdict)
{
	const u32 counts[] = {
		[RONDO_WHERE_NONE] = 1,
		[RONDO_WHERE_BUNDLE] = b->header.bundles,
		[RONDO_WHERE_ENTRY] = b->header.entries,
		[RONDO_WHERE_DESC] = b->header.descs,
		[RONDO_WHERE_SLOT] = b->header.slots,
	};

	return verdict->index < counts[rondo_error_where(verdict->code)] &&
	       verdict->slot < RONDO_SLOTS_PER_BUNDLE;
}

static void test_case(const char *name, u32 code, build_case *build)
{
	u64 budget = code == RONDO_ERR_BUDGET ? CASE_BUDGET_CYCLES : 0;
	struct builder good, bad;
	struct rondo_verdict verdict;

	build_init(&good);
	build(&good, false);
	verdict = build_verdict(&good, budget);
	if (!tap_ok(verdict.code == 0, "%s: the neighbour is accepted", name))
		printf("# %s at %u.%u\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot);

	build_init(&bad);
	build(&bad, true);
	verdict = build_verdict(&bad, budget);
	if (!tap_ok(verdict.code == code && place_exists(&bad, &verdict), "%s: refused", name))
		printf("# %s at %u.%u\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot);
	tap_ok(differences(&good, &bad) == 1, "%s: the two differ in one place", name);
	build_fini(&good);
	build_fini(&bad);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(cases[i].name, cases[i].code, cases[i].build);
	return tap_done();
}
