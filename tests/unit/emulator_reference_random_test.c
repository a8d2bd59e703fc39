// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Executor against reference on generated programs: the same bytes, cycles and activity of
 * those that are right, and the same trap in those whose registers are touched in flight.
 *
 *	emulator_reference_random_test [FIRST COUNT]	seeds, each one program
 */
#include "tests/agree.h"
#include "tests/fuzz/generate.h"
#include "tests/program_run.h"
#include "tests/tap.h"

/* Features of programs beside their operations, and how many programs have each. */
enum feature {
	NEST_1,
	NEST_3,
	DEPTH_5,
	COINCIDENT_ENDS,
	LONG_BODY,
	SEGMENTS,
	BACKWARDS,
	ROW_STRIDE,
	PUSH_ADDS,
	PUSH_WRITES,
	PUSH_FIRST,
	SECOND_BUFFER,
	ZERO_POINT,
	FOUR_ROWS,
	LANE_OFFSET,
	STATIC_SHIFT,
	CHANNEL_3,
	TRANSFER_OUT,
	TRANSFER_DIMS,
	TRANSFER_LOOPS,
	EMPTY_START,
	EMPTY_STALLS,
	WAIT_FOR_3,
	START_WAITS,
	CLEARS,
	CLEARS_MORE,
	FEATURES,
};

static const char *const feature_names[FEATURES] = {
	[NEST_1] = "a loop in a nest of one",
	[NEST_3] = "a nest of three",
	[DEPTH_5] = "five loops open",
	[COINCIDENT_ENDS] = "bodies of two operations that end together",
	[LONG_BODY] = "a body longer than the loop buffer",
	[SEGMENTS] = "a lane pattern",
	[BACKWARDS] = "a negative segment stride",
	[ROW_STRIDE] = "a row stride",
	[PUSH_ADDS] = "a push that adds",
	[PUSH_WRITES] = "a push that writes",
	[PUSH_FIRST] = "a push that writes on first trips",
	[SECOND_BUFFER] = "a push of weight buffer 1",
	[ZERO_POINT] = "a zero point of weights",
	[FOUR_ROWS] = "a load of four rows",
	[LANE_OFFSET] = "a store from a lane on",
	[STATIC_SHIFT] = "a static shift",
	[CHANNEL_3] = "a start on channel 3",
	[TRANSFER_OUT] = "a transfer out of the body",
	[TRANSFER_DIMS] = "a transfer of three dimensions",
	[TRANSFER_LOOPS] = "a transfer that moves with three loops",
	[EMPTY_START] = "a start that is empty at a last trip",
	[EMPTY_STALLS] = "a start that is empty and stalls, as its channel is full",
	[WAIT_FOR_3] = "a wait until three are outstanding",
	[START_WAITS] = "a start that waits",
	[CLEARS] = "SRAM that is cleared before",
	[CLEARS_MORE] = "two ranges of SRAM that are",
};

enum { BUNDLES_MAX = 1024 }; /* of a generated program */

struct tally {
	u32 programs, accepted, different;
	u32 uses[RONDO_OPCODES]; /* programs with that operation */
	u32 has[FEATURES]; /* programs with that feature */
	u32 refused[64]; /* by reason */
};

static void note_operations(struct tally *tally, const struct builder *b)
{
	bool used[RONDO_OPCODES] = { false };
	u32 i, slot, op;

	for (i = 0; i < b->header.bundles; i++)
		for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
			used[b->bundles[i][slot] % RONDO_OPCODES] = true;
	for (op = 0; op < RONDO_OPCODES; op++)
		tally->uses[op] += used[op];
}

static void note_entry(bool *has, const struct rondo_entry *e)
{
	u32 d;

	has[SEGMENTS] |= e->seg_len;
	has[BACKWARDS] |= e->seg_stride < 0;
	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		has[ROW_STRIDE] |= e->row_stride[d] != 0;
}

static void note_op(bool *has, const struct rondo_op *op)
{
	bool push = rondo_ops[op->op].format == RONDO_FMT_PUSH;

	has[PUSH_ADDS] |= push && op->mode == 0;
	has[PUSH_WRITES] |= push && op->mode == 1;
	has[PUSH_FIRST] |= push && op->mode == 2;
	has[SECOND_BUFFER] |= push && op->buf;
	has[ZERO_POINT] |= op->zp != 0;
	has[FOUR_ROWS] |= op->rows == 4;
	has[LANE_OFFSET] |= op->lane != 0;
	has[STATIC_SHIFT] |= op->shift != 0;
}

static void note_start(bool *has, const struct rondo_op *op, const struct rondo_desc *d)
{
	u32 c;

	has[CHANNEL_3] |= op->channel == 3;
	has[TRANSFER_OUT] |= d->dir == RONDO_DMA_OUT && d->slot == 1;
	has[TRANSFER_DIMS] |= d->count[0] > 1 && d->count[1] > 1 && d->count[2] > 1;
	has[TRANSFER_LOOPS] |= d->sram_loop[0] && d->sram_loop[1] && d->sram_loop[2];
	has[EMPTY_START] |= op->last != 0;
	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		has[START_WAITS] |= op->wait[c] != 0;
}

/*
 * Whether @bundle's start, empty at a last trip, follows as many on its channel as may be
 * outstanding, at once: none of those has ended.
 */
static bool empty_stalls(const struct builder *b, u32 bundle, const struct rondo_op *op)
{
	struct rondo_op before;
	u32 i;

	if (!op->last || bundle < RONDO_DMA_OUTSTANDING)
		return false;
	for (i = 1; i <= RONDO_DMA_OUTSTANDING; i++) {
		rondo_decode(b->bundles[bundle - i][RONDO_C], &before);
		if (before.op != RONDO_OP_dma || before.channel != op->channel || before.last)
			return false;
	}
	return !op->wait[op->channel];
}

/* The loops that @op opens; @ends: how many end with each bundle. */
static void note_loops(bool *has, const struct rondo_op *op, u32 bundle, u32 *ends, u32 loop_buffer)
{
	u32 loops = rondo_loop_nest(op), last = bundle + op->body, open = loops;
	u32 i;

	has[NEST_1] |= op->op == RONDO_OP_loop && loops == 1;
	has[NEST_3] |= loops == 3;
	has[LONG_BODY] |= op->body > loop_buffer;
	has[COINCIDENT_ENDS] |= ends[last] != 0;
	for (i = bundle + 1; i < BUNDLES_MAX; i++)
		open += ends[i];
	has[DEPTH_5] |= open >= 5;
	ends[last] += loops;
}

static void note_features(struct tally *tally, const struct builder *b)
{
	u32 ends[BUNDLES_MAX] = { 0 }, i, slot;
	u32 ranges = rondo_verify_facts(b->verify)->clear_count;
	bool has[FEATURES] = { [CLEARS] = ranges, [CLEARS_MORE] = ranges > 1 };
	struct rondo_op op;

	for (i = 0; i < b->header.entries; i++)
		note_entry(has, &b->entries[i]);
	for (i = 0; i < b->header.bundles && b->header.bundles < BUNDLES_MAX; i++) {
		for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			rondo_decode(b->bundles[i][slot], &op);
			note_op(has, &op);
			if (op.op == RONDO_OP_dma) {
				note_start(has, &op, &b->descs[op.desc]);
				has[EMPTY_STALLS] |= empty_stalls(b, i, &op);
			}
			if (op.op == RONDO_OP_wait)
				has[WAIT_FOR_3] |= op.wait[0] == 4;
			if (rondo_op_is_loop(op.op))
				note_loops(has, &op, i, ends, b->machine.loop_buffer);
		}
	}
	for (i = 0; i < FEATURES; i++)
		tally->has[i] += has[i];
}

static void try_seed(struct agree *a, enum generate_kind kind, u64 seed, struct tally *tally)
{
	char why[AGREE_WHY_BYTES];
	struct builder b;
	u64 size;
	u8 *bytes;

	build_init(&b);
	build_machine(&b, &a->machine);
	generate_seed(&b, kind, seed);
	bytes = build_accepted(&b, &size);
	tally->programs++;
	tally->refused[rondo_verify_verdict(b.verify)->code]++;
	if (bytes) {
		tally->accepted++;
		note_operations(tally, &b);
		note_features(tally, &b);
		if (!agree_run(a, bytes, size, rondo_verify_facts(b.verify), NULL, seed, why) &&
		    tally->different++ < 5)
			printf("# seed %llu: %s\n", (unsigned long long)seed, why);
	}
	free(bytes);
	build_fini(&b);
}

/* Whether both end a program of vector operations in the same way, at the same bundle. */
static bool same_end(struct agree *a, u64 seed, enum exec_status *status)
{
	const struct exec_io io = { NULL, NULL, NULL };
	const struct exec_control control = { .bound = ~0ull, .checks = true };
	struct reference_result by_reference;
	struct exec_result by_exec;
	struct builder b;
	u64 size;
	u8 *bytes;
	bool loaded;

	build_init(&b);
	generate_seed(&b, GENERATE_REGISTERS, seed);
	bytes = build_bytes(&b, &size);
	reference_run(a->reference, bytes, size, NULL, &io, ~0ull, &by_reference);
	loaded = run_once(a->exec[0], bytes, size, NULL, &io, &control, &by_exec);
	free(bytes);
	build_fini(&b);
	*status = by_reference.status;
	if (!loaded)
		return by_reference.status == EXEC_TRAP;
	return by_exec.status == by_reference.status && by_exec.bundle == by_reference.bundle &&
	       (by_exec.status != EXEC_DONE || by_exec.cycles == by_reference.cycles);
}

static void test_hazards(struct agree *a, u64 first, u64 count)
{
	u32 ends[EXEC_DMA_ERROR + 1] = { 0 }, different = 0;
	enum exec_status status;
	u64 seed;

	for (seed = first; seed < first + count; seed++) {
		if (!same_end(a, seed, &status) && different++ < 5)
			printf("# seed %llu: they end differently\n", (unsigned long long)seed);
		ends[status]++;
	}
	tap_eq(different, 0, "programs with hazards that end differently");
	tap_ok(ends[EXEC_TRAP] > count / 10 && ends[EXEC_DONE] > count / 10,
	       "%u of them trap, %u do not", ends[EXEC_TRAP], ends[EXEC_DONE]);
}

static void report(const struct tally *tally)
{
	u32 i, missing = 0;

	for (i = 1; i < 64; i++)
		if (tally->refused[i])
			printf("# refused %u: %s\n", tally->refused[i], rondo_error_name(i));
	for (i = 1; i < RONDO_OPCODES; i++) {
		if (!rondo_ops[i].name || tally->uses[i])
			continue;
		missing++;
		printf("# no program with %s\n", rondo_ops[i].name);
	}
	tap_eq(tally->different, 0, "programs on which executor and reference differ");
	tap_ok(tally->accepted > tally->programs / 10 * 9, "%u of %u programs are accepted",
	       tally->accepted, tally->programs);
	tap_eq(missing, 0, "operations that no program has");
	for (i = missing = 0; i < FEATURES; i++) {
		missing += !tally->has[i];
		if (!tally->has[i])
			printf("# no program with %s\n", feature_names[i]);
	}
	tap_eq(missing, 0, "features that no program has");
}

/*
 * Programs that may race. In those that the verifier accepts it makes no difference that the
 * executor moves a transfer's data when it starts, and the reference when it is their time.
 */
static void test_races(struct agree *a, u64 first, u64 count)
{
	struct tally tally = { 0 };
	u64 seed;

	for (seed = first; seed < first + count; seed++)
		try_seed(a, GENERATE_BOLD, seed, &tally);
	tap_eq(tally.different, 0,
	       "programs without a race on which executor and reference differ");
	tap_ok(tally.accepted > count / 20 && tally.refused[RONDO_ERR_DMA_RACE] > count / 20,
	       "%u are accepted, %u race", tally.accepted, tally.refused[RONDO_ERR_DMA_RACE]);
}

/* On machines of many tiles, with masks, modes and mesh operations. */
static void test_tiles(enum rondo_machine_id id, u64 first, u64 count)
{
	struct rondo_machine machine;
	struct tally tally = { 0 };
	struct agree a;
	u32 missing = 0, op;
	u64 seed;

	rondo_machine_init(&machine, id);
	if (!tap_ok(agree_init(&a, &machine), "both executors are there for machine %s",
		    rondo_machine_name(id)))
		return;
	for (seed = first; seed < first + count; seed++)
		try_seed(&a, GENERATE_RIGHT, seed, &tally);
	tap_eq(tally.different, 0, "programs on which executor and reference differ");
	tap_ok(tally.accepted > tally.programs / 10 * 9, "%u of %u programs are accepted",
	       tally.accepted, tally.programs);
	tap_ok(tally.has[CLEARS], "before %u of them SRAM is cleared", tally.has[CLEARS]);
	for (op = 0; op < RONDO_OPCODES; op++)
		missing += rondo_op_reads_mesh((u8)op) && !tally.uses[op];
	tap_eq(missing, 0, "mesh operations that no program has");
	agree_fini(&a);
}

int main(int argc, char **argv)
{
	u64 first = argc == 3 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc == 3 ? strtoull(argv[2], NULL, 0) : 250, seed;
	struct rondo_machine edge;
	struct tally tally = { 0 };
	struct agree a;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (!tap_ok(agree_init(&a, &edge), "both executors are there"))
		return tap_done();
	for (seed = first; seed < first + count; seed++)
		try_seed(&a, GENERATE_RIGHT, seed, &tally);
	report(&tally);
	test_hazards(&a, first, count);
	test_races(&a, first, count);
	agree_fini(&a);
	test_tiles(RONDO_MACHINE_patch, first, count / 8);
	test_tiles(RONDO_MACHINE_mesh, first, count / 16);
	return tap_done();
}
