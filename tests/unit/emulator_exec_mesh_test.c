// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Machines of many tiles: random programs that use every way in which tiles meet, on the plain
 * executor and the reference; all must agree in every byte and cycle.
 */
#include "emulator/exec/mesh/mesh.h"
#include "tests/agree.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum {
	REGS = 8,
	INPUT = 2048, /* bytes of SRAM that transfers fill */
	OUTPUT = 8192, /* bytes of SRAM of each tile that the slot holds in the end */
	SAVED = 4096, /* where registers and accumulators are stored in the end */
	ROWS = 8, /* accumulator and weight rows in use */
};

struct maker {
	struct builder b;
	u64 state;
	u32 base; /* where all of that begins, anywhere in SRAM */
	u32 depth;
};

static u32 pick(struct maker *m, u32 count)
{
	return random_below(&m->state, count);
}

/* Bundles until whatever the last one wrote has landed: a loop of nothing. */
static void settle(struct maker *m)
{
	build_loop(&m->b, 20, 1);
	build_bundle(&m->b);
}

/* Fills the input, each mode a quarter. */
static void load_input(struct maker *m)
{
	const struct rondo_machine *machine = &m->b.machine;
	u32 slot = build_slot(&m->b, 0), mode;
	u16 x1 = machine->mesh_w - 1, y1 = machine->mesh_h - 1;

	for (mode = 0; mode < RONDO_DMA_MODES; mode++) {
		struct rondo_desc d = {
			.mode = mode,
			.slot = slot,
			.row_bytes = INPUT / 8,
			.count = { 1, 1, 2 },
			.sram_base = m->base + mode * INPUT / 4,
			.sram_stride = { 0, 0, INPUT / 8 },
			.slot_base = mode * 65536,
			.slot_stride = { 0, 0, 16 + 4 * pick(m, 100) },
			.x1 = x1,
			.y1 = y1,
		};

		if (mode == RONDO_DMA_TILE || mode == RONDO_DMA_COLUMNS)
			d.slot_x = 4 * pick(m, 200);
		if (mode == RONDO_DMA_TILE || mode == RONDO_DMA_ROWS)
			d.slot_y = 4 * pick(m, 200);
		build_start(&m->b, mode, build_desc(&m->b, d), 0);
	}
	for (mode = 0; mode < RONDO_DMA_MODES; mode++)
		build_wait(&m->b, mode, 0);
	/* Once more into some of the tiles only. */
	struct rondo_desc part = {
		.slot = slot, .row_bytes = 64, .sram_base = m->base, .slot_base = 128
	};

	part.mode = pick(m, RONDO_DMA_MODES);
	part.x0 = pick(m, x1 + 1);
	part.y0 = pick(m, y1 + 1);
	part.x1 = part.x0 + pick(m, x1 + 1 - part.x0);
	part.y1 = part.y0 + pick(m, y1 + 1 - part.y0);
	build_start(&m->b, 0, build_desc(&m->b, part), 0);
	build_wait(&m->b, 0, 0);
}

static u32 entry(struct maker *m, u32 at)
{
	struct rondo_entry e = { .base = m->base + at };

	for (u32 d = 0; d < m->depth; d++)
		e.stride[d] = 4 * pick(m, 16);
	if (!pick(m, 3)) {
		e.seg_len = 1 + pick(m, 8);
		e.seg_stride = 4 * pick(m, 16);
	}
	e.first = m->depth ? 1 : 0;
	e.pitch = 4 * pick(m, 16);
	return build_entry(&m->b, e);
}

/* Some operation of @slot that reads the input, or registers, and writes the work area. */
static void work(struct maker *m, u32 slot)
{
	const struct rondo_machine *machine = &m->b.machine;
	struct rondo_op op = { 0 };

	do
		op.op = pick(m, RONDO_OPCODES);
	while (!rondo_ops[op.op].format || !(rondo_ops[op.op].slots >> slot & 1));
	op.a = pick(m, REGS);
	op.b = pick(m, REGS);
	op.c = pick(m, REGS);
	op.params = pick(m, REGS - 2);
	/* Slots write different registers. */
	op.dst = slot == RONDO_L0 ? 0 :
		 slot == RONDO_L1 ? 1 :
		 slot == RONDO_V0 ? 2 + pick(m, 3) :
				    5 + pick(m, 3);
	op.count = 1 + pick(m, machine->lanes);
	op.rows = 1 + pick(m, 4);
	op.lane = pick(m, machine->lanes + 1 - op.count);
	op.row = pick(m, ROWS);
	op.wrow = slot == RONDO_W ? pick(m, ROWS) : pick(m, machine->lanes + 1 - op.count);
	op.buf = pick(m, 2);
	op.mode = pick(m, m->depth ? 3 : 2);
	op.zp = op.op == RONDO_OP_wl_w ? 0 : pick(m, 256);
	op.imm = pick(m, op.op == RONDO_OP_bc_col ? machine->mesh_h : machine->mesh_w);
	op.entry = slot < RONDO_V0 ? entry(m, slot == RONDO_S ? INPUT : 0) : 0;
	build_put(&m->b, slot, op);
}

static void random_bundle(struct maker *m)
{
	const struct rondo_machine *machine = &m->b.machine;
	struct rondo_op mask = OP(mask);
	u32 slot;

	build_bundle(&m->b);
	if (!pick(m, 3)) {
		mask.x0 = pick(m, machine->mesh_w);
		mask.y0 = pick(m, machine->mesh_h);
		mask.x1 = mask.x0 + pick(m, machine->mesh_w - mask.x0);
		mask.y1 = mask.y0 + pick(m, machine->mesh_h - mask.y0);
		build_put(&m->b, RONDO_C, mask);
	}
	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		if (pick(m, 2))
			work(m, slot);
	settle(m);
}

static void random_body(struct maker *m, u32 bundles)
{
	while (bundles--) {
		u32 inner = m->depth < 3 && !pick(m, 3) ? 1 + pick(m, 3) : 0;

		if (inner) {
			/* Each bundle of the body is three, with what settles it. */
			build_loop(&m->b, 1 + pick(m, 3), 3 * inner);
			m->depth++;
			while (inner--)
				random_bundle(m);
			m->depth--;
		} else {
			random_bundle(m);
		}
	}
}

/* Registers and accumulators into SRAM, and SRAM into a slot. */
static void save(struct maker *m)
{
	const struct rondo_machine *machine = &m->b.machine;
	u32 bytes = 4 * machine->lanes, slot = build_slot(&m->b, 0), at, i;

	at = build_entry(&m->b, (struct rondo_entry){ .base = m->base + SAVED });
	for (i = 0; i < REGS; i++)
		build_op(&m->b, RONDO_S,
			 OP(st_w, .entry = at, .off = i * bytes, .a = i, .count = machine->lanes));
	for (i = 0; i < ROWS; i++)
		build_op(&m->b, RONDO_S,
			 OP(sta, .entry = at, .off = (REGS + i) * bytes, .row = i,
			    .count = machine->lanes));
	build_start(&m->b, 0,
		    build_desc(&m->b, (struct rondo_desc){ .dir = RONDO_DMA_OUT,
							   .slot = slot,
							   .row_bytes = OUTPUT,
							   .sram_base = m->base,
							   .slot_x = OUTPUT,
							   .slot_y = OUTPUT * machine->mesh_w,
							   .x1 = machine->mesh_w - 1,
							   .y1 = machine->mesh_h - 1 }),
		    0);
	build_wait(&m->b, 0, 0);
}

static void *make(struct maker *m, const struct rondo_machine *machine, u32 seed, u64 *size)
{
	u32 i;

	*m = (struct maker){ .state = random_seed(seed) };
	build_init(&m->b);
	build_machine(&m->b, machine);
	m->base = 4 * pick(m, (machine->sram_bytes - OUTPUT) / 4 + 1);
	load_input(m);
	for (i = 0; i < REGS; i++)
		build_op(&m->b, RONDO_L0,
			 OP(ld_w, .dst = i, .count = m->b.machine.lanes,
			    .entry = build_entry(
				    &m->b,
				    (struct rondo_entry){ .base = m->base + i * INPUT / REGS })));
	settle(m);
	random_body(m, 4 + pick(m, 8));
	save(m);
	build_halt(&m->b);
	return build_claimed(&m->b, size);
}

static void random_programs(enum rondo_machine_id id, u32 programs)
{
	struct rondo_machine machine;
	u32 seed, wrong = 0;
	struct agree a;

	rondo_machine_init(&machine, id);
	if (!tap_ok(agree_init(&a, &machine), "%s: executors", rondo_machine_name(id)))
		return;
	for (seed = 1; seed <= programs; seed++) {
		char why[AGREE_WHY_BYTES];
		struct maker m;
		u64 size;
		void *bytes = make(&m, &machine, seed, &size);

		if (!agree_program(&a, bytes, size, NULL, seed, why)) {
			wrong++;
			printf("# program %u: %s\n", seed, why);
		}
		free(bytes);
		build_fini(&m.b);
	}
	tap_eq(wrong, 0, "programs on which executor and reference differ");
	agree_fini(&a);
}

/*
 * One block crosses the channel for each tile, row or column that the mode tells apart: of a
 * transfer of two rows of 100 bytes into two columns and three rows of tiles, computed by hand
 * and by core, the reference, the plain executor and the groups of tiles.
 */
static void blocks(struct agree *a, u8 mode, u32 count, const char *name)
{
	char why[AGREE_WHY_BYTES] = "";
	struct rondo_activity activity;
	struct rondo_desc d = { .mode = mode,
				.row_bytes = 100,
				.count = { 1, 1, 2 },
				.sram_stride = { 0, 0, 100 },
				.slot_stride = { 0, 0, 128 },
				.x0 = 1,
				.x1 = 2,
				.y0 = 1,
				.y1 = 3 };
	struct rondo_program p;
	struct maker m = { 0 };
	u64 size;
	void *bytes;

	if (mode == RONDO_DMA_TILE || mode == RONDO_DMA_COLUMNS)
		d.slot_x = 1024;
	if (mode == RONDO_DMA_TILE || mode == RONDO_DMA_ROWS)
		d.slot_y = 4096;
	build_init(&m.b);
	build_machine(&m.b, &a->machine);
	d.slot = build_slot(&m.b, 0);
	build_start(&m.b, 0, build_desc(&m.b, d), 0);
	build_wait(&m.b, 0, 0);
	build_halt(&m.b);
	bytes = build_claimed(&m.b, &size);
	/* Start-up, two rows of 2 + 2 cycles for each block, then the bundles of wait and halt. */
	tap_eq(rondo_verify_facts(m.b.verify)->cycles, 200 + count * 2 * 4 + 2, name);
	rondo_program_open(&p, bytes, size);
	rondo_count_activity(&a->machine, &p, 0, &activity);
	tap_eq(activity.dma_in, count * 200, "its bytes over the channel");
	tap_eq(activity.sram_written, 6 * 200, "its bytes in the tiles");
	if (!tap_ok(agree_program(a, bytes, size, NULL, 1, why), "all agree"))
		printf("# %s\n", why);
	free(bytes);
	build_fini(&m.b);
}

static void modes(void)
{
	struct rondo_machine machine;
	struct agree a;

	rondo_machine_init(&machine, RONDO_MACHINE_mesh);
	if (!tap_ok(agree_init(&a, &machine), "executors"))
		return;
	blocks(&a, RONDO_DMA_TILE, 6, "cycles of mode tile");
	blocks(&a, RONDO_DMA_BROADCAST, 1, "cycles of mode broadcast");
	blocks(&a, RONDO_DMA_ROWS, 3, "cycles of mode rows");
	blocks(&a, RONDO_DMA_COLUMNS, 2, "cycles of mode columns");
	agree_fini(&a);
}

/*
 * A segment of more steps than a list has, in several groups of blocks: what registers hold must
 * come along from list to list, in each tile. A bundle that makes as many steps as its operations
 * can make and one that makes a single step leave all sorts of room at the end of a list.
 */
static void long_segment(void)
{
	enum { STEPS = 2 * 4 + 2 + 1, TRIPS = 3 * MESH_STEPS / STEPS };
	struct maker m = { 0 };
	struct rondo_machine machine;
	char why[AGREE_WHY_BYTES] = "";
	struct rondo_desc d = { .row_bytes = 32, .slot_x = 32, .slot_y = 4096 };
	struct agree a;
	void *bytes;
	u32 at, i;
	u64 size;

	rondo_machine_init(&machine, RONDO_MACHINE_patch);
	if (!tap_ok(agree_init(&a, &machine), "executors"))
		return;
	build_init_for(&m.b, RONDO_MACHINE_patch);
	d.slot = build_slot(&m.b, 0);
	d.x1 = machine.mesh_w - 1;
	d.y1 = machine.mesh_h - 1;
	build_start(&m.b, 0, build_desc(&m.b, d), 0);
	build_wait(&m.b, 0, 0);
	at = build_entry(&m.b, (struct rondo_entry){ 0 });
	for (i = 0; i < 2; i++) /* what the tile's own data are, and their sum so far */
		build_op(&m.b, RONDO_L0, OP(ld_w, .dst = i, .entry = at, .count = machine.lanes));
	settle(&m);
	build_loop(&m.b, TRIPS, 3);
	build_op(&m.b, RONDO_C, OP(mask, .x1 = d.x1 - 1, .y1 = d.y1 - 1));
	build_put(&m.b, RONDO_L0, OP(ld_w, .dst = 2, .entry = at, .count = machine.lanes));
	build_put(&m.b, RONDO_L1, OP(ld_w, .dst = 3, .entry = at, .count = machine.lanes));
	build_put(&m.b, RONDO_V0, OP(add, .dst = 1, .a = 1, .b = 0));
	build_put(&m.b, RONDO_V1, OP(iota, .dst = 4));
	build_op(&m.b, RONDO_V0, OP(iota, .dst = 5));
	build_bundle(&m.b);
	settle(&m);
	build_op(&m.b, RONDO_S, OP(st_w, .a = 1, .entry = at, .off = 64, .count = machine.lanes));
	d.dir = RONDO_DMA_OUT;
	d.sram_base = 64;
	build_start(&m.b, 0, build_desc(&m.b, d), 0);
	build_halt(&m.b);
	bytes = build_claimed(&m.b, &size);
	if (!tap_ok(agree_program(&a, bytes, size, NULL, 1, why),
		    "a segment of %u steps agrees with the reference", STEPS * TRIPS))
		printf("# %s\n", why);
	free(bytes);
	build_fini(&m.b);
	agree_fini(&a);
}

int main(void)
{
	modes();
	long_segment();
	random_programs(RONDO_MACHINE_patch, 100);
	random_programs(RONDO_MACHINE_mesh, 12);
	return tap_done();
}
