// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs that the verifier refuses, given to every executor all the same. Each must be refused
 * when it is loaded, or end with a trap or its bound; none may touch memory that is not the
 * machine's, which is for the sanitizers to see. tests/fuzz/exec.c looks for those that are missing
 * here.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"
#include "tests/unit/unverified.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })
#define ENTRY(...) build_entry(b, (struct rondo_entry){ __VA_ARGS__ })

enum { BOUND = 20000 };

/* A container of @off is read, with an entry that is given. */
static void read_at(struct builder *b, u32 off, struct rondo_entry entry)
{
	build_op(b, RONDO_L0, OP(ld_w, .entry = build_entry(b, entry), .off = off, .count = 1));
}

static void loop_in_last_bundle(struct builder *b)
{
	build_loop(b, 20, 1);
	build_loop(b, 2, 1);
	build_bundle(b);
}

static void loop_beyond_its_loop(struct builder *b)
{
	build_loop(b, 2, 2);
	build_loop(b, 2, 2);
	build_bundle(b);
	build_bundle(b);
}

static void loop_beyond_the_program(struct builder *b)
{
	build_loop(b, 2, 2);
}

static void nine_loops(struct builder *b)
{
	for (u32 i = 9; i; i--)
		build_loop(b, 2, i);
	build_bundle(b);
}

static void no_loop_in_nest(struct builder *b)
{
	build_op(b, RONDO_C, OP(loop, .nest = 0, .body = 1));
	build_bundle(b);
}

static void early_halt(struct builder *b)
{
	build_halt(b);
}

static void address_beyond_sram(struct builder *b)
{
	read_at(b, 4, (struct rondo_entry){ .base = b->machine.sram_bytes - 4 });
}

static void address_below_sram(struct builder *b)
{
	build_loop(b, 2, 1);
	read_at(b, 0, (struct rondo_entry){ .stride = { -4 } });
}

static void elements_beyond_sram(struct builder *b)
{
	build_op(b, RONDO_S,
		 OP(sta, .entry = ENTRY(.base = b->machine.sram_bytes - 4), .count = 2));
}

static void segments_beyond_sram(struct builder *b)
{
	build_op(b, RONDO_M,
		 OP(preset, .entry = ENTRY(.seg_len = 1, .seg_stride = INT32_MAX), .count = 3));
}

static void segments_below_sram(struct builder *b)
{
	build_op(b, RONDO_W,
		 OP(wl_w, .entry = ENTRY(.seg_len = 1, .seg_stride = INT32_MIN), .count = 2));
}

/* The load that reads several rows of elements. */
static void read_rows(struct builder *b, s32 pitch)
{
	struct rondo_op op = { .entry = ENTRY(.pitch = pitch), .rows = 4, .count = 1 };

	while (!rondo_op_has_rows(op.op))
		op.op++;
	build_op(b, RONDO_L1, op);
}

static void rows_below_sram(struct builder *b)
{
	read_rows(b, -1);
}

static void rows_beyond_sram(struct builder *b)
{
	read_rows(b, INT32_MAX);
}

/* Eight strides that leave 64 bits together, after few trips of each loop. */
static void address_beyond_64_bits(struct builder *b)
{
	struct rondo_entry e = { .base = 0 };

	for (u32 i = 0; i < RONDO_LOOP_DEPTH; i++) {
		e.stride[i] = INT32_MIN;
		build_loop(b, UINT32_MAX, RONDO_LOOP_DEPTH - i);
	}
	read_at(b, 0, e);
}

static void no_accumulator_row(struct builder *b)
{
	build_op(b, RONDO_L0, OP(rd, .entry = ENTRY(.base = 0), .row = b->machine.acc_rows));
}

static void accumulator_row_below(struct builder *b)
{
	build_loop(b, 2, 1);
	build_op(b, RONDO_M, OP(preset, .entry = ENTRY(.row_stride = { -1 })));
}

static void no_weight_row(struct builder *b)
{
	build_loop(b, 2, 1);
	build_op(b, RONDO_W,
		 OP(wl_s8, .entry = ENTRY(.row_stride = { 1 }), .wrow = b->machine.lanes - 1u));
}

static void push_beyond_weights(struct builder *b)
{
	build_op(b, RONDO_M,
		 OP(push_s8, .entry = ENTRY(.base = 0), .wrow = b->machine.lanes - 1u, .count = 2));
}

static void lanes_beyond_register(struct builder *b)
{
	build_op(b, RONDO_S,
		 OP(st_w, .entry = ENTRY(.base = 0), .lane = b->machine.lanes - 1u, .count = 2));
}

static void push_mode_3(struct builder *b)
{
	build_op(b, RONDO_M, OP(push_f32, .entry = ENTRY(.base = 0), .mode = 3));
}

static void push_names_no_loop(struct builder *b)
{
	build_op(b, RONDO_M, OP(push_f32, .entry = ENTRY(.first = 1), .mode = 2));
}

static void no_entry(struct builder *b)
{
	build_op(b, RONDO_L0, OP(ld_w, .entry = RONDO_ENTRIES_MAX - 1));
}

static void parameters_beyond_registers(struct builder *b)
{
	build_op(b, RONDO_V0, OP(rq_f32, .params = RONDO_VREGS - 2));
}

static void two_writers(struct builder *b)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_put(b, RONDO_V1, OP(iota, .dst = 1));
}

static void wrong_slot(struct builder *b)
{
	build_op(b, RONDO_V0, OP(fsqrt, .dst = 1));
}

static void no_such_tile(struct builder *b)
{
	build_op(b, RONDO_V1, OP(bc_row, .imm = b->machine.mesh_w));
}

static void negative_tile(struct builder *b)
{
	build_op(b, RONDO_V1, OP(bc_col, .imm = -1));
}

static void mask_beyond_mesh(struct builder *b)
{
	build_op(b, RONDO_C, OP(mask, .x1 = b->machine.mesh_w));
}

static void empty_mask(struct builder *b)
{
	build_op(b, RONDO_C, OP(mask, .y0 = 1));
}

static void no_descriptor(struct builder *b)
{
	build_start(b, 0, RONDO_DESCS_MAX - 1, 0);
}

static void transfer(struct builder *b, struct rondo_desc desc)
{
	build_slot(b, 0);
	build_start(b, 0, build_desc(b, desc), 0);
}

static void transfer_beyond_sram(struct builder *b)
{
	transfer(b, (struct rondo_desc){ .row_bytes = 2, .sram_base = b->machine.sram_bytes - 1 });
}

static void transfer_below_sram(struct builder *b)
{
	transfer(b, (struct rondo_desc){
			    .row_bytes = 1, .count = { UINT32_MAX }, .sram_stride = { -1 } });
}

static void transfer_of_nothing(struct builder *b)
{
	transfer(b, (struct rondo_desc){ .row_bytes = 0 });
}

static void transfer_to_no_slot(struct builder *b)
{
	transfer(b, (struct rondo_desc){ .row_bytes = 1, .slot = 1 });
}

static void transfer_below_its_slot(struct builder *b)
{
	transfer(b, (struct rondo_desc){
			    .row_bytes = 1, .count = { 2 }, .slot_stride = { INT64_MIN } });
}

static void transfer_of_no_mode(struct builder *b)
{
	transfer(b, (struct rondo_desc){ .row_bytes = 1, .mode = RONDO_DMA_MODES });
}

static void transfer_to_no_tile(struct builder *b)
{
	transfer(b, (struct rondo_desc){ .row_bytes = 1, .x1 = b->machine.mesh_w });
}

static void empty_on_no_loop(struct builder *b)
{
	build_slot(b, 0);
	build_start(b, 0, build_desc(b, (struct rondo_desc){ .row_bytes = 1 }), 1);
}

#define CASE(function)              \
	{                           \
#function, function \
	}
static const struct {
	const char *name;
	void (*build)(struct builder *b);
} cases[] = {
	CASE(loop_in_last_bundle),
	CASE(loop_beyond_its_loop),
	CASE(loop_beyond_the_program),
	CASE(nine_loops),
	CASE(no_loop_in_nest),
	CASE(early_halt),
	CASE(address_beyond_sram),
	CASE(address_below_sram),
	CASE(elements_beyond_sram),
	CASE(segments_beyond_sram),
	CASE(segments_below_sram),
	CASE(rows_below_sram),
	CASE(rows_beyond_sram),
	CASE(address_beyond_64_bits),
	CASE(no_accumulator_row),
	CASE(accumulator_row_below),
	CASE(no_weight_row),
	CASE(push_beyond_weights),
	CASE(lanes_beyond_register),
	CASE(push_mode_3),
	CASE(push_names_no_loop),
	CASE(no_entry),
	CASE(parameters_beyond_registers),
	CASE(two_writers),
	CASE(wrong_slot),
	CASE(no_such_tile),
	CASE(negative_tile),
	CASE(mask_beyond_mesh),
	CASE(empty_mask),
	CASE(no_descriptor),
	CASE(transfer_beyond_sram),
	CASE(transfer_below_sram),
	CASE(transfer_of_nothing),
	CASE(transfer_to_no_slot),
	CASE(transfer_below_its_slot),
	CASE(transfer_of_no_mode),
	CASE(transfer_to_no_tile),
	CASE(empty_on_no_loop),
};

static void begin(struct builder *b, const struct unverified *u)
{
	build_init(b);
	build_machine(b, &u->machine);
}

/* A mesh sees before a piece of work, and its traps, that it takes longer than the bound. */
static bool runs(struct unverified_end end)
{
	return end.result.status != EXEC_TRAP && end.result.status != EXEC_OVERRUN;
}

/* Executors that neither refuse the program nor end it early; with checks and without. */
static u32 executors_that_run(const struct unverified *u, const u8 *bytes, u64 size)
{
	u32 i, wrong = 0;

	for (i = 0; i < u->executors; i++)
		wrong += runs(unverified_run(u, i, bytes, size, BOUND, false));
	return wrong + runs(unverified_run(u, i - 1, bytes, size, BOUND, true));
}

static void test_refused(const struct unverified *u)
{
	struct builder b;
	u64 size;
	u8 *bytes;

	for (u32 i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&b, u);
		cases[i].build(&b);
		build_halt(&b);
		bytes = build_bytes(&b, &size);
		tap_ok(build_verdict(&b, 0).code && !executors_that_run(u, bytes, size),
		       "%u tiles: %s", u->machine.mesh_w * u->machine.mesh_h, cases[i].name);
		free(bytes);
		build_fini(&b);
	}
}

/* No value of a register is an index that leads out of another, and no bound is passed. */
static void test_harmless(const struct unverified *u)
{
	char why[UNVERIFIED_WHY_BYTES];
	struct unverified_end end;
	struct builder b;
	u64 size;
	u8 *bytes;

	begin(&b, u);
	build_op(&b, RONDO_V0, OP(movi, .dst = 0, .imm = -1));
	build_bundle(&b);
	build_op(&b, RONDO_V1, OP(perm, .dst = 1, .a = 0, .b = 0));
	build_op(&b, RONDO_V1, OP(lut, .dst = 2, .a = 0, .b = 0));
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	end = unverified(u, bytes, size, BOUND, why);
	tap_ok(end.result.status == EXEC_DONE && !why[0], "indices of all ones%s", why);
	free(bytes);
	build_fini(&b);

	begin(&b, u);
	build_loop(&b, UINT32_MAX, 3);
	build_loop(&b, UINT32_MAX, 2);
	build_loop(&b, UINT32_MAX, 1);
	build_bundle(&b);
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	end = unverified(u, bytes, size, BOUND, why);
	tap_ok(end.result.status == EXEC_OVERRUN && end.result.cycles == BOUND && !why[0],
	       "2^96 trips end with the bound%s", why);
	for (u32 i = 0; i < u->executors; i++)
		tap_ok(unverified_run(u, i, bytes, size, BOUND, false).result.status ==
			       EXEC_OVERRUN,
		       "in executor %s", u->executor[i]->name);
	free(bytes);
	build_fini(&b);
}

int main(void)
{
	static const enum rondo_machine_id machines[] = { RONDO_MACHINE_edge, RONDO_MACHINE_patch };

	for (u32 i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		struct rondo_machine machine;
		struct unverified u;

		rondo_machine_init(&machine, machines[i]);
		if (!unverified_init(&u, &machine))
			return EXIT_FAILURE;
		test_refused(&u);
		test_harmless(&u);
		unverified_fini(&u);
	}
	return tap_done();
}
