// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Activity of small programs, counted by hand, and its energy.
 */
#include "core/energy.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static struct rondo_activity count(struct builder *b)
{
	struct rondo_activity activity;
	struct rondo_program p;
	u64 size;
	u8 *bytes = build_bytes(b, &size);

	rondo_program_open(&p, bytes, size);
	rondo_count_activity(&b->machine, &p, 0, &activity);
	free(bytes);
	build_fini(b);
	return activity;
}

static void test_slots(void)
{
	struct builder b;
	struct rondo_activity a;
	u32 e;

	build_init(&b);
	e = build_entry(&b, (struct rondo_entry){ .base = 0 });
	build_loop(&b, 10, 1);
	build_op(&b, RONDO_L0, OP(ld_w, .entry = e, .count = 64));
	build_put(&b, RONDO_L1, OP(ld4, .entry = e, .count = 16, .rows = 3, .dst = 1));
	build_put(&b, RONDO_S, OP(stq_fix_s8, .entry = e, .count = 48));
	build_put(&b, RONDO_W, OP(wl_s8, .entry = e, .count = 8));
	build_put(&b, RONDO_M, OP(push_s8, .entry = e, .count = 9));
	build_put(&b, RONDO_V0, OP(iota, .dst = 2));
	build_put(&b, RONDO_V1, OP(mv_n, .dst = 3, .a = 4));
	build_halt(&b);
	a = count(&b);
	tap_eq(a.bundles, 12, "bundles");
	tap_eq(a.fetched, 3, "a short loop is fetched once");
	tap_eq(a.macs_s8, 10 * 9 * 4 * 64, "MACs");
	tap_eq(a.macs_f32 + a.macs_bf16, 0, "no MACs of other types");
	tap_eq(a.vector_lanes, 10 * (64 + 64 + 48), "vector lanes");
	tap_eq(a.sram_read, 10 * (64 * 4 + 16 * 3 + 8 * 4 + 9 * 4), "bytes read");
	tap_eq(a.sram_written, 10 * 48, "bytes written");
	tap_eq(a.mesh_hops, 0, "one tile has no neighbours");
}

static void test_loops(void)
{
	struct builder b;
	struct rondo_activity a;
	u32 i, body;

	build_init(&b);
	body = b.machine.loop_buffer;
	/* The outer body is the inner loop and its bundle: one too long for the buffer. */
	build_loop(&b, 5, body + 1);
	build_loop(&b, 7, body);
	for (i = 0; i < body; i++)
		build_bundle(&b);
	build_halt(&b);
	a = count(&b);
	tap_eq(a.bundles, 2 + 5 + 35 * body, "bundles of nested loops");
	tap_eq(a.fetched, 2 + 5 * (1 + body), "a long loop is fetched in each trip");
}

static void test_transfers(void)
{
	struct builder b;
	struct rondo_activity a;
	u32 in, out;

	build_init(&b);
	build_slot(&b, 0);
	in = build_desc(&b, (struct rondo_desc){ .row_bytes = 100, .count = { 2, 3, 4 } });
	out = build_desc(&b, (struct rondo_desc){ .row_bytes = 64, .dir = RONDO_DMA_OUT });
	build_loop(&b, 6, 4);
	build_loop(&b, 3, 1);
	build_start(&b, 0, in, 1);
	build_start(&b, 1, in, 0);
	build_start(&b, 2, out, 0);
	build_halt(&b);
	a = count(&b);
	tap_eq(a.dma_in, 2400 * (5 * 3 + 6), "bytes in: a start that is empty at times, one never");
	tap_eq(a.dma_out, 64 * 6, "bytes out");
	tap_eq(a.sram_written, a.dma_in, "what comes in is written");
	tap_eq(a.sram_read, a.dma_out, "what goes out is read");
}

static void test_mesh(void)
{
	struct builder b;
	struct rondo_activity a;
	u32 each, one, rows, columns;

	build_init(&b);
	rondo_machine_init(&b.machine, RONDO_MACHINE_mesh);
	build_slot(&b, 0);
	each = build_desc(&b, (struct rondo_desc){ .row_bytes = 100, .x0 = 1, .x1 = 3, .y1 = 1 });
	one = build_desc(&b,
			 (struct rondo_desc){
				 .row_bytes = 64, .mode = RONDO_DMA_BROADCAST, .x1 = 3, .y1 = 3 });
	rows = build_desc(&b, (struct rondo_desc){
				      .row_bytes = 8, .mode = RONDO_DMA_ROWS, .x1 = 3, .y1 = 2 });
	columns = build_desc(
		&b,
		(struct rondo_desc){ .row_bytes = 4, .mode = RONDO_DMA_COLUMNS, .x0 = 2, .x1 = 3 });
	build_start(&b, 0, each, 0);
	build_start(&b, 0, one, 0);
	build_start(&b, 0, rows, 0);
	build_start(&b, 0, columns, 0);
	build_op(&b, RONDO_V1, OP(mv_e, .dst = 1));
	build_op(&b, RONDO_V1, OP(sum_col_f32, .dst = 1));
	build_op(&b, RONDO_C, OP(mask, .x0 = 1, .x1 = 2, .y0 = 3, .y1 = 3));
	build_put(&b, RONDO_V0, OP(iota, .dst = 2));
	build_halt(&b);
	a = count(&b);
	tap_eq(a.dma_in, 6 * 100 + 64 + 3 * 8 + 2 * 4,
	       "each tile its own, one for all, for each row, for each column");
	tap_eq(a.sram_written, 6 * 100 + 16 * 64 + 12 * 8 + 2 * 4, "every tile writes");
	tap_eq(a.mesh_hops, (12 + 2 * 12) * 64 * 4, "links of a shift and a reduction");
	tap_eq(a.vector_lanes, (16 + 16 + 2) * 64, "lanes of the tiles that take part");
}

/* Any split of the text gives the same sum. */
static void test_steps(void)
{
	struct rondo_activity whole, parts = { 0 };
	struct rondo_counter c;
	struct rondo_program p;
	struct builder b;
	u64 size;
	u8 *bytes;
	u32 i;

	build_init(&b);
	build_loop(&b, 9, 8);
	for (i = 0; i < 8; i++)
		build_op(&b, RONDO_V0, OP(iota, .dst = i));
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	rondo_program_open(&p, bytes, size);
	rondo_count_activity(&b.machine, &p, 0, &whole);
	rondo_counter_init(&c, &b.machine, &p);
	while (rondo_counter_step(&c, 3, &parts))
		;
	tap_ok(!memcmp(&whole, &parts, sizeof(whole)), "steps add up");
	free(bytes);
	build_fini(&b);
}

/*
 * A register is loaded from SRAM that nobody wrote, and a lane of another from elsewhere: 256
 * and 4 bytes are cleared, in each of 16 tiles.
 */
static void test_clearing(void)
{
	struct rondo_activity with, without;
	struct rondo_program p;
	struct builder b;
	u64 size, fj;
	u32 e, cleared;
	u8 *bytes;

	build_init_for(&b, RONDO_MACHINE_mesh);
	e = build_entry(&b, (struct rondo_entry){ .base = 1024 });
	build_op(&b, RONDO_L0, OP(ld_w, .entry = e, .count = 64));
	build_op(&b, RONDO_L0, OP(ld_w, .entry = e, .off = 4096, .dst = 1, .count = 1));
	build_halt(&b);
	tap_eq(build_verdict(&b, 0).code, 0, "a program that reads what it never wrote");
	cleared = rondo_cleared_bytes(rondo_verify_facts(b.verify));
	tap_eq(cleared, 256 + 4, "bytes cleared in each tile");
	bytes = build_bytes(&b, &size);
	rondo_program_open(&p, bytes, size);
	rondo_count_activity(&b.machine, &p, 0, &without);
	rondo_count_activity(&b.machine, &p, cleared, &with);
	tap_eq(with.sram_cleared, 16 * 260, "and in all");
	tap_ok(!without.sram_cleared && !with.sram_written, "which is not what the program writes");
	fj = rondo_energy_of(&b.machine, &with).movement_fj;
	tap_eq(fj - rondo_energy_of(&b.machine, &without).movement_fj, 16 * 260 * 1750,
	       "it costs what writing costs");
	free(bytes);
	build_fini(&b);
}

/* One push of each type, over nine containers; each byte, half or whole of one is multiplied. */
static void test_macs(void)
{
	static const u8 pushes[] = { RONDO_OP_push_f32, RONDO_OP_push_f32_sparse,
				     RONDO_OP_push_bf16, RONDO_OP_push_s8, RONDO_OP_push_u8 };
	u32 i;

	for (i = 0; i < sizeof(pushes); i++) {
		struct rondo_activity a;
		struct builder b;

		build_init(&b);
		build_op(&b, RONDO_M,
			 (struct rondo_op){ .op = pushes[i],
					    .entry = build_entry(&b, (struct rondo_entry){ 0 }),
					    .count = 9 });
		build_halt(&b);
		a = count(&b);
		tap_ok(a.macs_f32 == (i < 2) * 9 * 64 && a.macs_bf16 == (i == 2) * 2 * 9 * 64 &&
			       a.macs_s8 == (i > 2) * 4 * 9 * 64 && !a.vector_lanes,
		       "multiplications of %s", rondo_ops[pushes[i]].name);
	}
}

/* The figures of spec/energy.def for one of each count, and where it belongs. */
static void test_each(void)
{
	static const struct {
		const char *name;
		struct rondo_activity activity;
		u64 compute, movement;
	} each[] = {
		{ "macs_s8", { .macs_s8 = 1 }, 100, 0 },
		{ "macs_bf16", { .macs_bf16 = 1 }, 590, 0 },
		{ "macs_f32", { .macs_f32 = 1 }, 1690, 0 },
		{ "vector_lanes", { .vector_lanes = 1 }, 845, 0 },
		{ "sram_read", { .sram_read = 1 }, 0, 1750 },
		{ "sram_written", { .sram_written = 1 }, 0, 1750 },
		{ "sram_cleared", { .sram_cleared = 1 }, 0, 1750 },
		{ "dma_in", { .dma_in = 1 }, 0, 32000 },
		{ "dma_out", { .dma_out = 1 }, 0, 32000 },
		{ "mesh_hops", { .mesh_hops = 1 }, 0, 800 },
		{ "bundles", { .bundles = 1 }, 0, 60160 },
		{ "fetched", { .fetched = 1 }, 0, 2048000 },
	};
	struct rondo_machine m;
	size_t i;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct rondo_energy e = rondo_energy_of(&m, &each[i].activity);

		tap_ok(e.compute_fj == each[i].compute && e.movement_fj == each[i].movement,
		       "energy of %s", each[i].name);
	}
	tap_eq(i * sizeof(u64), sizeof(struct rondo_activity), "there are no other counts");
	m.sram_bytes = 32768;
	tap_eq(rondo_energy_of(&m, &each[4].activity).movement_fj, 1063, "the largest small SRAM");
	m.sram_bytes = 32769;
	tap_eq(rondo_energy_of(&m, &each[4].activity).movement_fj, 1750, "the smallest large one");
}

/* A broadcast load reads one container, a readout nothing of SRAM. */
static void test_loads(void)
{
	struct rondo_activity a;
	struct builder b;
	u32 e;

	build_init(&b);
	e = build_entry(&b, (struct rondo_entry){ 0 });
	build_op(&b, RONDO_L0, OP(ldb_w, .entry = e, .count = 64));
	build_put(&b, RONDO_L1, OP(rdq_f32, .dst = 5, .entry = e, .count = 3));
	build_put(&b, RONDO_S, OP(st_bf16, .entry = e, .count = 5));
	build_put(&b, RONDO_M, OP(preset, .entry = e, .count = 7));
	build_op(&b, RONDO_L0, OP(rd, .dst = 6, .entry = e, .count = 64));
	build_put(&b, RONDO_S, OP(sta, .entry = e, .count = 11));
	build_halt(&b);
	a = count(&b);
	tap_eq(a.sram_read, 4 + 7 * 4, "bytes read by loads and presets");
	tap_eq(a.sram_written, 5 * 2 + 11 * 4, "bytes written by stores");
	tap_eq(a.vector_lanes, 3, "only the readout that requantises computes");
}

/* Counts that do not fit are the greatest number. */
static void test_saturation(void)
{
	struct rondo_activity a = { .dma_in = ~0ull - 1,
				    .dma_out = 5,
				    .sram_read = ~0ull,
				    .sram_written = 1,
				    .macs_s8 = ~0ull / 100 + 1 };
	struct rondo_machine m;
	struct builder b;
	u32 i;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	tap_eq(rondo_energy_of(&m, &a).movement_fj, ~0ull, "sums of bytes saturate");
	tap_eq(rondo_energy_of(&m, &a).compute_fj, ~0ull, "products with a figure saturate");
	a.macs_s8--;
	tap_ok(rondo_energy_of(&m, &a).compute_fj < ~0ull, "but those that fit do not");
	build_init(&b);
	for (i = 0; i < 2; i++)
		build_op(&b, RONDO_C,
			 OP(loop, .nest = 3, .body = 2 - i, .trip = { 16384, 16384, 16384 }));
	build_op(&b, RONDO_V0, OP(iota));
	build_halt(&b);
	tap_eq(count(&b).vector_lanes, ~0ull, "so do counts of nested loops");
}

static void test_energy(void)
{
	struct rondo_activity a = {
		.macs_s8 = 1000, .sram_read = 10, .sram_written = 4, .sram_cleared = 1
	};
	struct rondo_machine m;
	struct rondo_energy e;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	e = rondo_energy_of(&m, &a);
	tap_eq(e.compute_fj, 100000, "1000 byte MACs are 0.1 nJ");
	tap_eq(e.movement_fj, 15 * 1750, "bytes of a large SRAM");
	rondo_machine_init(&m, RONDO_MACHINE_wafer);
	e = rondo_energy_of(&m, &a);
	tap_eq(e.movement_fj, 15 * 1063, "bytes of a small SRAM");
	a.macs_f32 = ~0ull;
	tap_ok(rondo_energy_of(&m, &a).compute_fj == ~0ull, "sums saturate");
}

int main(void)
{
	test_slots();
	test_loops();
	test_transfers();
	test_mesh();
	test_steps();
	test_clearing();
	test_macs();
	test_loads();
	test_each();
	test_saturation();
	test_energy();
	return tap_done();
}
