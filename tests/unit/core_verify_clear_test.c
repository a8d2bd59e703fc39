// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the verifier clears, and the cycles of it, against the rule as the reference of the
 * instruction set states it: on programs of the generators, and on such as make the rule do
 * all that it says. The executor, which traps where a byte is read that was neither written nor
 * cleared, shows that the rule is right.
 *
 *	core_verify_clear_test [FIRST COUNT]	seeds, each one program of each sort
 */
#include "tests/fuzz/generate.h"
#include "tests/program_run.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/clear_model.h"

static const char *const event_names[CLEAR_EVENTS] = {
	[CLEAR_TOO_WIDE] = "a strided set of too many dimensions",
	[CLEAR_SHORT_SEGMENT] = "a store with a shorter last segment",
	[CLEAR_EQUAL_STRIDES] = "a strided set with equal strides",
	[CLEAR_KNOWN] = "a store over what is written",
	[CLEAR_MASKED] = "a write of some tiles",
	[CLEAR_EMPTY] = "a start that is always empty",
	[CLEAR_LAST] = "a start of a trip less",
	[CLEAR_MERGED] = "two strided sets that become one",
	[CLEAR_MERGED_AGAIN] = "a strided set that has grown and meets an earlier one",
	[CLEAR_MERGED_INTO_WRITTEN] = "strided sets that become a written range at once",
	[CLEAR_REPLACED] = "a full list of strided sets",
	[CLEAR_REPLACED_ROUND] = "a full list of which each was replaced",
	[CLEAR_LATE] = "a range that is written at the end of a loop",
	[CLEAR_LATE_GAPS] = "a strided set that keeps its gaps there",
	[CLEAR_LATE_MOVES] = "a strided set taken out of the middle of the list there",
	[CLEAR_DROPS_OLD] = "a full set that drops a range",
	[CLEAR_DROPS_NEW] = "a full set that drops the new range",
	[CLEAR_DROPS_TIE] = "a full set with two shortest ranges",
	[CLEAR_PIECES] = "a read of several pieces",
	[CLEAR_JOINS] = "too many ranges to clear",
	[CLEAR_JOINS_TIE] = "of which two gaps are the smallest",
};

struct tally {
	u32 programs, accepted, cleared, different;
	u32 has[CLEAR_EVENTS]; /* programs in which it came about */
};

static bool measure(struct builder *b)
{
	u64 size;

	free(build_claimed(b, &size));
	return !rondo_verify_verdict(b->verify)->code;
}

static bool same_ranges(const struct rondo_facts *facts, const struct clear_result *model)
{
	return facts->clear_count == model->count &&
	       !memcmp(facts->clear, model->range, model->count * sizeof(model->range[0]));
}

static void print_difference(u64 seed, const struct rondo_facts *facts,
			     const struct clear_result *model)
{
	u32 i;

	printf("# seed %llu: %llu cycles,", (unsigned long long)seed,
	       (unsigned long long)facts->cycles);
	for (i = 0; i < facts->clear_count; i++)
		printf(" %u-%u", facts->clear[i].lo, facts->clear[i].hi);
	printf("; the rule:");
	for (i = 0; i < model->count; i++)
		printf(" %u-%u", model->range[i].lo, model->range[i].hi);
	printf("\n");
}

/* Cycles from cycle 0 on, of a program that has been measured. */
static u64 running(const struct builder *b, const struct clear_result *model)
{
	if (!b->header.descs)
		return model->executed;
	return rondo_time_end(&b->verify->time, b->verify->clock);
}

/* Compares ranges and cycles, if the program is accepted. */
static void try_program(struct builder *b, u64 seed, struct tally *tally)
{
	const struct rondo_facts *facts = rondo_verify_facts(b->verify);
	struct clear_result model;
	u64 cycles;
	u32 i;

	tally->programs++;
	if (!measure(b))
		return;
	clear_model(b, &model);
	cycles = running(b, &model) + clear_model_cycles(&model, b->machine.clear_bytes_per_cycle);
	if ((facts->cycles != cycles || !same_ranges(facts, &model)) && tally->different++ < 5)
		print_difference(seed, facts, &model);
	tally->accepted++;
	tally->cleared += model.count != 0;
	for (i = 0; i < CLEAR_EVENTS; i++)
		tally->has[i] += model.events[i] != 0;
}

static void report(const struct tally *tally, const char *name)
{
	tap_eq(tally->different, 0, name);
	tap_ok(tally->accepted > tally->programs / 50 && tally->cleared > tally->accepted / 50,
	       "of %u programs %u are accepted, and SRAM is cleared before %u", tally->programs,
	       tally->accepted, tally->cleared);
}

/* Programs of the generators. */

static void test_generated(enum generate_kind kind, enum rondo_machine_id id, u64 first, u64 count,
			   const char *name)
{
	struct tally tally = { 0 };
	struct builder b;
	u64 seed;

	for (seed = first; seed < first + count; seed++) {
		build_init_for(&b, id);
		generate_seed(&b, kind, seed);
		try_program(&b, seed, &tally);
		build_fini(&b);
	}
	report(&tally, name);
}

/* Programs that only store, transfer and read, in such places that their bytes often meet. */

struct sort {
	const char *name;
	u32 items; /* stores, transfers, reads and loops */
	u32 depth; /* of loops */
	u32 reads, transfers, loops; /* in 16 items; the others are stores */
	u32 places; /* where things begin, each some bytes after the one before */
	u32 grain; /* bytes of most things */
	s32 pitch; /* that strides are a small multiple of */
	u32 strides; /* how many different ones */
	bool regular; /* things have the same shapes */
	bool ends; /* all reads come after everything else */
};

struct stress {
	struct builder b;
	const struct sort *sort;
	u64 random;
	u32 left; /* items */
	u32 depth;
};

static u32 pick(struct stress *s, u32 count)
{
	return random_below(&s->random, count);
}

#define ONE_OF(s, ...) \
	((const s32[]){ __VA_ARGS__ }[pick(s, sizeof((s32[]){ __VA_ARGS__ }) / sizeof(s32))])

static u32 choose_place(struct stress *s)
{
	return (1 << 18) + pick(s, s->sort->places) * s->sort->grain;
}

static s32 choose_stride(struct stress *s)
{
	static const s8 multiple[] = { 1, 2, 0, -1, 4, -2, 8 };

	return multiple[pick(s, s->sort->strides)] * s->sort->pitch;
}

/* Four segments, or one without gaps. */
static u32 regular_entry(struct stress *s, u32 *count)
{
	struct rondo_entry e = { .base = choose_place(s) };

	*count = s->sort->grain;
	if (pick(s, 4)) {
		e.seg_len = (u16)(*count / 4);
		e.seg_stride = s->sort->pitch;
	}
	if (s->depth)
		e.stride[0] = 8 * s->sort->pitch;
	return build_entry(&s->b, e);
}

static u32 choose_entry(struct stress *s, u32 *count)
{
	struct rondo_entry e = { .base = choose_place(s) };
	u32 most = s->sort->grain / 4, d;

	*count = pick(s, 4) ? most : 1 + pick(s, most + 2);
	if (!pick(s, 2)) {
		e.seg_len = (u16)(*count + !*count);
		*count *= (u32)ONE_OF(s, 2, 4, 4);
		*count += !pick(s, 8);
		e.seg_stride = choose_stride(s);
	}
	*count = *count > 64 ? 64 : *count;
	for (d = 0; d < s->depth; d++)
		e.stride[d] = choose_stride(s);
	return build_entry(&s->b, e);
}

static void put_access(struct stress *s, bool read)
{
	u16 last_column = (u16)pick(s, s->b.machine.mesh_w);
	u32 count, entry = s->sort->regular ? regular_entry(s, &count) : choose_entry(s, &count);

	build_bundle(&s->b);
	if (!pick(s, 24))
		build_put(&s->b, RONDO_C,
			  OP(mask, .x1 = last_column, .y1 = s->b.machine.mesh_h - 1u));
	if (read)
		build_put(&s->b, RONDO_M, OP(preset, .entry = entry, .count = count));
	else
		build_put(&s->b, RONDO_S, OP(sta, .entry = entry, .count = count));
}

/* A transfer that is waited for. */
static void put_transfer(struct stress *s)
{
	struct rondo_desc d = { .dir = !pick(s, 6),
				.row_bytes = s->sort->grain - !pick(s, 8),
				.sram_base = choose_place(s),
				.slot_base = 1 << 28,
				.x1 = s->b.machine.mesh_w - 1u,
				.y1 = s->b.machine.mesh_h - 1u };
	u32 i;

	if (d.x1 && !pick(s, 8))
		d.x1--;
	d.slot_x = d.x1 ? 1 << 20 : 0;
	d.slot_y = d.y1 ? 1 << 24 : 0;
	for (i = 0; i < RONDO_DMA_DIMS; i++) {
		d.count[i] = (u32)ONE_OF(s, 1, 1, 1, 2, 3);
		d.sram_stride[i] = choose_stride(s);
		d.slot_stride[i] = 4096 << 2 * i;
	}
	for (i = 0; i < s->depth; i++)
		d.sram_loop[i] = choose_stride(s);
	build_start(&s->b, 0, build_desc(&s->b, d), pick(s, 3) ? 0 : pick(s, s->depth + 1));
	build_wait(&s->b, 0, 0);
}

static void put_body(struct stress *s);

static void put_loops(struct stress *s)
{
	u32 room = s->sort->depth - s->depth, nest = 1 + pick(s, room < 3 ? room : 3), at, i;
	struct rondo_op op = OP(loop, .nest = (u8)nest, .trip = { 1, 1, 1 });

	for (i = 0; i < nest; i++)
		op.trip[i] = s->sort->regular ? 2 : (u64)ONE_OF(s, 1, 2, 2, 2, 3, 4);
	at = build_bundle(&s->b);
	s->depth += nest;
	put_body(s);
	s->depth -= nest;
	op.body = s->b.header.bundles - 1 - at;
	rondo_encode(&op, &s->b.bundles[at][RONDO_C]);
}

static void put_item(struct stress *s)
{
	const struct sort *sort = s->sort;
	u32 what = pick(s, 16);

	if (what < sort->reads)
		return put_access(s, true);
	what -= sort->reads;
	if (what < sort->loops && s->depth < sort->depth)
		return put_loops(s);
	what -= sort->loops;
	if (what < sort->transfers && s->depth <= RONDO_DMA_LOOP_DEPTH)
		return put_transfer(s);
	put_access(s, false);
}

static void put_body(struct stress *s)
{
	u32 items = 1 + pick(s, s->depth ? 6 : s->sort->items);

	if (s->depth && s->depth < s->sort->depth && !pick(s, 3) && s->left) {
		s->left--;
		put_loops(s);
	}
	for (; items && s->left; items--) {
		s->left--;
		put_item(s);
	}
	build_bundle(&s->b);
}

static void put_program(struct stress *s)
{
	u32 i;

	build_slot(&s->b, 0);
	s->b.slots[0].align = 64;
	while (s->left)
		put_body(s);
	for (i = 0; s->sort->ends && i < 12; i++)
		put_access(s, true);
	build_halt(&s->b);
}

/* Whether an accepted program reads nothing that is neither written nor cleared. */
static bool runs(struct exec *edge, const struct builder *b, u64 seed)
{
	char why[RUN_WHY_BYTES];
	u64 size;
	u8 *bytes = build_bytes(b, &size);
	bool right;

	rondo_measure_claim(b->verify, bytes);
	right = run_keeps_promises(edge, bytes, size, rondo_verify_facts(b->verify), why);
	if (!right)
		printf("# seed %llu: %s\n", (unsigned long long)seed, why);
	free(bytes);
	return right;
}

static void test_stress(struct exec *edge, const struct sort *sort, u64 first, u64 count, u32 *has)
{
	struct tally tally = { 0 };
	u32 refused[64] = { 0 }, wrong = 0, i;
	struct stress s;
	u64 seed;

	for (seed = first; seed < first + count; seed++) {
		s = (struct stress){ .sort = sort,
				     .random = random_seed(seed),
				     .left = sort->items };
		build_init_for(&s.b, seed % 2 ? RONDO_MACHINE_edge : RONDO_MACHINE_mesh);
		put_program(&s);
		try_program(&s.b, seed, &tally);
		refused[rondo_verify_verdict(s.b.verify)->code]++;
		/* Every other one of machine edge. */
		if (seed % 4 == 1 && !rondo_verify_verdict(s.b.verify)->code)
			wrong += !runs(edge, &s.b, seed);
		build_fini(&s.b);
	}
	for (i = 1; i < 64; i++)
		if (refused[i])
			printf("# refused %u: %s\n", refused[i], rondo_error_name(i));
	report(&tally, sort->name);
	tap_eq(wrong, 0, "accepted programs that do not keep their promises");
	for (i = 0; i < CLEAR_EVENTS; i++)
		has[i] += tally.has[i];
}

static const struct sort sorts[] = {
	{ "stores that interleave", .items = 60, .depth = 2, .loops = 1, .reads = 1, .places = 60,
	  .grain = 32, .pitch = 64, .strides = 4, .ends = true },
	{ "stores that fill gaps of two sizes", .items = 30, .depth = 1, .loops = 4, .reads = 1,
	  .places = 16, .grain = 64, .pitch = 128, .regular = true, .ends = true },
	{ "more of them than are remembered", .items = 100, .depth = 1, .loops = 1, .places = 200,
	  .grain = 64, .pitch = 128, .regular = true, .ends = true },
	{ "ranges, of few lengths", .items = 150, .places = 1000, .grain = 32, .pitch = 32,
	  .strides = 2, .ends = true },
	{ "reads", .items = 60, .depth = 1, .loops = 1, .reads = 10, .places = 300, .grain = 16,
	  .pitch = 16, .strides = 7 },
	{ "reads and stores", .items = 150, .reads = 5, .places = 600, .grain = 16, .pitch = 16,
	  .strides = 7 },
	{ "deep nests", .items = 30, .depth = 8, .loops = 6, .reads = 2, .places = 16, .grain = 64,
	  .pitch = 64, .strides = 7, .ends = true },
	{ "transfers", .items = 40, .depth = 3, .loops = 4, .reads = 3, .transfers = 7,
	  .places = 64, .grain = 32, .pitch = 64, .strides = 7 },
	{ "transfers with equal strides", .items = 40, .depth = 2, .loops = 3, .reads = 1,
	  .transfers = 12, .places = 16, .grain = 32, .pitch = 128, .strides = 1, .ends = true },
};

int main(int argc, char **argv)
{
	u64 first = argc == 3 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc == 3 ? strtoull(argv[2], NULL, 0) : 300;
	u32 has[CLEAR_EVENTS] = { 0 }, missing = 0, i;
	struct rondo_machine machine;
	struct exec *edge;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	edge = exec_create(executor_for(&machine, EXECUTOR_PLAIN), &machine);
	if (!edge)
		return EXIT_FAILURE;
	test_generated(GENERATE_SRAM, RONDO_MACHINE_edge, first, count, "stores and reads");
	test_generated(GENERATE_LOOSE, RONDO_MACHINE_edge, first, 4 * count, "all operations");
	test_generated(GENERATE_RIGHT, RONDO_MACHINE_edge, first, count / 2, "right ones");
	test_generated(GENERATE_RIGHT, RONDO_MACHINE_mesh, first, count / 2, "of many tiles");
	for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		test_stress(edge, &sorts[i], first, count, has);
	for (i = 0; i < CLEAR_EVENTS; i++) {
		missing += !has[i];
		printf("# %u programs with %s\n", has[i], event_names[i]);
	}
	exec_destroy(edge);
	tap_eq(missing, 0, "events that no program brings about");
	return tap_done();
}
