// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs as compilers write them are accepted, with the least clearing; one wait weaker
 * and they are refused.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum { IN, OUT, BUFFER = 4096, ROWS = BUFFER / 256 };

static void begin(struct builder *b)
{
	build_init(b);
	build_slot(b, 0);
	build_slot(b, 0);
}

/* A dense transfer of BUFFER bytes of a slot at @sram, one buffer further in the slot in each
 * trip of the outermost loop if @streams. */
static u32 block(struct builder *b, u32 dir, u32 sram, bool streams)
{
	return build_desc(b, (struct rondo_desc){ .dir = dir,
						  .slot = dir == RONDO_DMA_IN ? IN : OUT,
						  .row_bytes = BUFFER,
						  .sram_base = sram,
						  .slot_loop = { streams ? BUFFER : 0 } });
}

/* Copies buffer @from to buffer @to, a register at a time, inside @depth loops. */
static void compute(struct builder *b, u32 from, u32 to, u32 depth)
{
	struct rondo_entry load = { .base = from }, store = { .base = to };

	load.stride[depth] = 256;
	store.stride[depth] = 256;
	build_loop(b, ROWS, 4);
	build_op(b, RONDO_L0, OP(ld_w, .dst = 1, .entry = build_entry(b, load), .count = 64));
	build_bundle(b);
	build_bundle(b);
	build_op(b, RONDO_S, OP(st_w, .a = 1, .entry = build_entry(b, store), .count = 64));
}

static void expect(struct builder *b, u32 code, u32 clear_count, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);
	u32 cleared = rondo_verify_facts(b->verify)->clear_count;

	if (!tap_ok(verdict.code == code && (code || cleared == clear_count), "%s", name))
		printf("# %s at %u.%u, %u ranges cleared\n", rondo_error_name(verdict.code),
		       verdict.index, verdict.slot, cleared);
	build_fini(b);
}

/* Load, wait, compute, store, wait. */
static void layer(struct builder *b, bool wait)
{
	begin(b);
	build_start(b, 0, block(b, RONDO_DMA_IN, 0, false), 0);
	if (wait)
		build_wait(b, 0, 0);
	compute(b, 0, BUFFER, 0);
	build_start(b, 0, block(b, RONDO_DMA_OUT, BUFFER, false), 0);
	build_halt(b);
}

/* Two layers; the weights of the second arrive while the first computes. */
static void prefetch(struct builder *b, u32 still_outstanding)
{
	begin(b);
	build_start(b, 0, block(b, RONDO_DMA_IN, 0, false), 0);
	build_start(b, 0, block(b, RONDO_DMA_IN, 2 * BUFFER, false), 0);
	build_wait(b, 0, 1);
	compute(b, 0, BUFFER, 0);
	build_wait(b, 0, still_outstanding);
	compute(b, 2 * BUFFER, 3 * BUFFER, 0);
	build_start(b, 1, block(b, RONDO_DMA_OUT, BUFFER, false), 0);
	build_halt(b);
}

/* A stream of tiles through one buffer on two channels. */
static void stream(struct builder *b, bool wait_for_store)
{
	begin(b);
	build_loop(b, 10, 9);
	build_start(b, 0, block(b, RONDO_DMA_IN, 0, true), 0);
	build_wait(b, 0, 0);
	compute(b, 0, BUFFER, 1);
	build_start(b, 1, block(b, RONDO_DMA_OUT, BUFFER, true), 0);
	if (wait_for_store)
		build_wait(b, 1, 0);
	else
		build_bundle(b);
	build_halt(b);
}

/* Two buffers in turns: while one is computed on, the other is filled. */
static void ping_pong(struct builder *b, bool weak)
{
	begin(b);
	build_start(b, 0, block(b, RONDO_DMA_IN, 0, false), 0);
	build_wait(b, 0, 0);
	build_loop(b, 10, 14);
	build_start(b, 0, block(b, RONDO_DMA_IN, 2 * BUFFER, true), 0);
	compute(b, 0, BUFFER, 1);
	build_wait(b, 0, weak);
	build_start(b, 0, block(b, RONDO_DMA_IN, 0, true), 1);
	compute(b, 2 * BUFFER, BUFFER, 1);
	build_wait(b, 0, 0);
	build_bundle(b);
	build_halt(b);
}

/* Four channels, each its own quarter. */
static void four_channels(struct builder *b, bool same)
{
	u32 ch;

	begin(b);
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		build_start(b, ch, block(b, RONDO_DMA_IN, same ? 0 : ch * BUFFER, false), 0);
	build_op(b, RONDO_C, OP(wait, .wait = { 1, 1, 1, 1 }));
	compute(b, 0, 4 * BUFFER, 0);
	build_halt(b);
}

/* Reads the first of five buffers after starts for all; the fifth start waits for the first. */
static void full_channel(struct builder *b, u32 starts)
{
	u32 i;

	begin(b);
	for (i = 0; i < starts; i++)
		build_start(b, 2, block(b, RONDO_DMA_IN, i * BUFFER, false), 0);
	compute(b, 0, 8 * BUFFER, 0);
	build_halt(b);
}

/* Stores a buffer to a slot on one channel and loads at @offset from there on another. */
static void spill(struct builder *b, bool wait, u64 offset)
{
	u32 store = build_desc(b, (struct rondo_desc){ .dir = RONDO_DMA_OUT, .row_bytes = BUFFER });
	u32 load = build_desc(b, (struct rondo_desc){ .row_bytes = BUFFER,
						      .sram_base = BUFFER,
						      .slot_base = offset });

	build_start(b, 0, store, 0);
	if (wait)
		build_wait(b, 0, 0);
	build_start(b, 1, load, 0);
	build_halt(b);
}

/* Two channels fill one buffer, of the tiles x < 2 and of those from @x0 on. */
static void tiles(struct builder *b, u16 x0)
{
	struct rondo_desc desc = { .row_bytes = BUFFER, .x1 = 1 };

	begin(b);
	rondo_machine_init(&b->machine, RONDO_MACHINE_mesh);
	b->header.machine_hash = rondo_machine_hash(&b->machine);
	build_start(b, 0, build_desc(b, desc), 0);
	desc.x0 = x0;
	desc.x1 = 3;
	build_start(b, 1, build_desc(b, desc), 0);
	build_halt(b);
}

static void test_spills(void)
{
	struct builder b;

	begin(&b);
	spill(&b, true, 0);
	expect(&b, 0, 1, "a spill is waited for");
	begin(&b);
	spill(&b, false, BUFFER - 1);
	expect(&b, RONDO_ERR_DMA_SLOT_RACE, 0, "a spill is not waited for");
	begin(&b);
	spill(&b, false, BUFFER);
	expect(&b, 0, 1, "other bytes of the slot need no wait");
}

static void test_transfers(void)
{
	struct builder b;

	layer(&b, true);
	expect(&b, 0, 0, "load, wait, compute, store");
	layer(&b, false);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "load, compute");
	prefetch(&b, 0);
	expect(&b, 0, 0, "prefetch over a compute loop");
	prefetch(&b, 1);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "prefetch that is not waited for");
	stream(&b, true);
	expect(&b, 0, 0, "stream of tiles");
	stream(&b, false);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "stream that does not wait for its stores");
	ping_pong(&b, false);
	expect(&b, 0, 0, "two buffers in turns, the last fill empty");
	ping_pong(&b, true);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "two buffers in turns with a weak wait");
	four_channels(&b, false);
	expect(&b, 0, 0, "four channels");
	four_channels(&b, true);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "four channels into one buffer");
	tiles(&b, 2);
	expect(&b, 0, 0, "one buffer of other tiles");
	tiles(&b, 1);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "one buffer of one tile in common");
	full_channel(&b, RONDO_DMA_OUTSTANDING + 1);
	expect(&b, 0, 0, "a start on a full channel waits for the oldest transfer");
	full_channel(&b, RONDO_DMA_OUTSTANDING);
	expect(&b, RONDO_ERR_DMA_RACE, 0, "a channel that is not full does not");
}

/* A store of 256 bytes at @base with strides for the two outer loops. */
static void store(struct builder *b, u32 base, s32 outer, s32 inner)
{
	struct rondo_entry e = { .base = base, .stride = { outer, inner } };

	build_op(b, RONDO_S, OP(sta, .entry = build_entry(b, e), .count = 64));
}

/* A store of four segments of 64 bytes, @apart bytes from one to the next. */
static void strided(struct builder *b, u32 base, s32 apart)
{
	struct rondo_entry e = { .base = base, .seg_len = 16, .seg_stride = apart };

	build_op(b, RONDO_S, OP(sta, .entry = build_entry(b, e), .count = 64));
}

/* A read of one container at @base. */
static void read(struct builder *b, u32 base)
{
	build_op(b, RONDO_M,
		 OP(preset, .entry = build_entry(b, (struct rondo_entry){ .base = base })));
}

static void read_all(struct builder *b, u32 bytes)
{
	struct rondo_entry e = { .base = 0, .stride = { 256 } };

	build_loop(b, bytes / 256, 1);
	build_op(b, RONDO_M, OP(preset, .entry = build_entry(b, e), .count = 64));
	build_halt(b);
}

/* What is read, after it has been written in some way, and must not be cleared. */
static void test_written(void)
{
	struct rondo_entry e = { .base = 64 };
	struct builder b;

	begin(&b);
	build_loop(&b, 8, 2);
	store(&b, 0, 512, 0);
	store(&b, 256, 512, 0);
	read_all(&b, 4096);
	expect(&b, 0, 0, "a loop unrolled by two leaves no gap");

	begin(&b);
	build_loop(&b, 8, 1);
	store(&b, 0, 512, 0);
	build_loop(&b, 8, 1);
	store(&b, 256, 512, 0);
	read_all(&b, 4096);
	expect(&b, 0, 0, "nor do two loops, each half of every row");

	begin(&b);
	build_loop(&b, 4, 2);
	build_loop(&b, 4, 1);
	store(&b, 4096 - 256, -256, -1024);
	read_all(&b, 4096);
	expect(&b, 0, 0, "nor do loops backwards in any order");

	begin(&b);
	strided(&b, 0, 128);
	strided(&b, 64, 128);
	read_all(&b, 512);
	expect(&b, 0, 0, "nor do two stores outside of loops, each every other segment");

	begin(&b);
	build_loop(&b, 2, 4);
	strided(&b, 0, 128);
	strided(&b, 64, 128);
	read(&b, 0);
	read(&b, 508);
	build_halt(&b);
	expect(&b, 0, 0, "nor in a loop that they do not move with, from the second on");

	begin(&b);
	strided(&b, 0, 128);
	build_loop(&b, 4, 2);
	e.stride[0] = 128;
	build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, e), .count = 16));
	read(&b, 256);
	build_halt(&b);
	expect(&b, 0, 1, "but a loop fills the gaps only at its end");

	/* Halves of eight rows, and halves of rows twice as far apart. */
	begin(&b);
	build_loop(&b, 8, 1);
	store(&b, 0, 512, 0);
	build_loop(&b, 4, 1);
	store(&b, 256, 1024, 0);
	read_all(&b, 4096);
	expect(&b, 0, 1, "loops with other strides do not fill the gaps");

	begin(&b);
	build_loop(&b, 8, 1);
	store(&b, 0, 512, 0);
	read_all(&b, 4096);
	expect(&b, 0, 1, "half of every row is not enough");

	begin(&b);
	build_loop(&b, 16, 2);
	store(&b, 0, 256, 0);
	build_op(&b, RONDO_M,
		 OP(preset, .entry = build_entry(&b, (struct rondo_entry){ .base = 0 })));
	build_halt(&b);
	expect(&b, 0, 1, "inside the loop its stores are not all done");

	begin(&b);
	build_loop(&b, 1, 1);
	store(&b, 0, 256, 0);
	build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, (struct rondo_entry){ .base = 0 })));
	build_put(&b, RONDO_M,
		  OP(preset, .entry = build_entry(&b, (struct rondo_entry){ .base = 256 })));
	build_halt(&b);
	expect(&b, 0, 1, "a bundle's reads come before its writes");
}

/* A ring of two buffers, filled by a loop of its own, all of that in an outer loop or not. */
static void ring(struct builder *b, bool nested)
{
	struct rondo_desc fill = { .row_bytes = BUFFER }, next = { .row_bytes = BUFFER };
	struct rondo_entry e = { .base = 0 };

	fill.sram_loop[nested] = next.sram_loop[nested] = BUFFER;
	e.stride[nested] = BUFFER;
	begin(b);
	if (nested)
		build_loop(b, 3, 6);
	build_loop(b, 2, 1);
	build_start(b, 0, build_desc(b, fill), 0);
	build_loop(b, 2, 3);
	build_wait(b, 0, 1);
	build_op(b, RONDO_M, OP(preset, .entry = build_entry(b, e), .count = 64));
	build_start(b, 0, build_desc(b, next), 0);
	build_halt(b);
}

/* What each trip of a loop writes, it reads, or the next one does. */
static void carried(struct builder *b, u32 ahead)
{
	struct rondo_entry e = { .base = 0, .stride = { 256 } };

	begin(b);
	if (ahead)
		store(b, 0, 0, 0);
	build_loop(b, 8, 2);
	store(b, ahead, 256, 0);
	build_op(b, RONDO_M, OP(preset, .entry = build_entry(b, e), .count = 64));
	build_halt(b);
}

/* Rings are no reason to clear; bytes that one loop both writes and reads are. */
static void test_rings(void)
{
	struct builder b;

	ring(&b, false);
	expect(&b, 0, 0, "a ring of buffers that a loop fills first");
	ring(&b, true);
	expect(&b, 0, 0, "the same in an outer loop");
	carried(&b, 0);
	expect(&b, 0, 1, "a trip reads what it has written: cleared without need");
	carried(&b, 256);
	expect(&b, 0, 1, "a trip reads what the one before has: cleared without need");
}

static bool clears(const struct rondo_facts *facts, u32 i, u32 lo, u32 hi)
{
	return facts->clear[i].lo == lo && facts->clear[i].hi == hi;
}

static void test_clearing(void)
{
	const struct rondo_facts *facts;
	struct builder b;
	u32 i;

	begin(&b);
	store(&b, 1024, 0, 0);
	build_loop(&b, 1, 1);
	build_op(&b, RONDO_M,
		 OP(preset, .count = 64,
		    .entry = build_entry(&b, (struct rondo_entry){ .base = 896,
								   .seg_len = 32,
								   .seg_stride = 256 })));
	build_halt(&b);
	build_verdict(&b, 0);
	facts = rondo_verify_facts(b.verify);
	tap_ok(facts->clear_count == 1 && clears(facts, 0, 896, 1024),
	       "what is written is not cleared");
	tap_eq(facts->cycles, 4 + 1, "clearing takes its cycles");
	build_fini(&b);

	begin(&b);
	store(&b, 1024, 0, 0);
	build_op(&b, RONDO_L0,
		 OP(ld_w, .count = 64,
		    .entry = build_entry(&b, (struct rondo_entry){
						     .base = 0, .seg_len = 1, .seg_stride = 32 })));
	build_halt(&b);
	build_verdict(&b, 0);
	facts = rondo_verify_facts(b.verify);
	tap_ok(facts->clear_count == 2 && clears(facts, 0, 0, 1024) && clears(facts, 1, 1280, 2020),
	       "around what is written, to the last byte");
	tap_eq(facts->cycles, 3 + 4 + 3, "each range takes whole cycles");
	build_fini(&b);

	begin(&b);
	for (i = 0; i <= RONDO_CLEAR_RANGES_MAX; i++)
		read(&b, i * 4096 - (i == 5 ? 1024 : 0));
	build_halt(&b);
	build_verdict(&b, 0);
	facts = rondo_verify_facts(b.verify);
	tap_ok(facts->clear_count == RONDO_CLEAR_RANGES_MAX &&
		       clears(facts, 4, 4 * 4096, 5 * 4096 - 1024 + 4),
	       "too many ranges are joined over the smallest gap");
	build_fini(&b);
}

/* The set of written bytes is bounded; the shortest range is what it forgets. */
static void test_forgetting(void)
{
	struct rondo_entry last = { .base = 0 };
	struct builder b;
	u32 i;

	begin(&b);
	for (i = 0; i < RONDO_CLEAR_WRITTEN_MAX; i++)
		store(&b, 4096 + i * 4096, 0, 0);
	build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, last), .count = 1));
	for (i = 0; i < RONDO_CLEAR_WRITTEN_MAX; i++)
		read(&b, 4096 + i * 4096);
	build_halt(&b);
	expect(&b, 0, 0, "all long ranges are remembered");

	begin(&b);
	build_op(&b, RONDO_S, OP(sta, .entry = build_entry(&b, last), .count = 1));
	for (i = 0; i < RONDO_CLEAR_WRITTEN_MAX; i++)
		store(&b, 4096 + i * 4096, 0, 0);
	read(&b, 0);
	for (i = 0; i < RONDO_CLEAR_WRITTEN_MAX; i++)
		read(&b, 4096 + i * 4096);
	build_halt(&b);
	expect(&b, 0, 1, "the short one is forgotten");
}

int main(void)
{
	test_transfers();
	test_spills();
	test_written();
	test_rings();
	test_clearing();
	test_forgetting();
	return tap_done();
}
