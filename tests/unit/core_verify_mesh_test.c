// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the verifier proves of programs for many tiles: registers under masks, transfers of many
 * tiles, operands that name tiles.
 */
#include "tests/program_run.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static void expect(struct builder *b, u32 code, const char *name)
{
	struct rondo_verdict verdict;

	build_halt(b);
	verdict = build_verdict(b, 0);
	if (!tap_ok(verdict.code == code, "%s", name))
		printf("# %s at %u, slot %u\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot);
	build_fini(b);
}

/* A bundle under the mask of columns 0..@x1 that does @op in V1; 3 is everywhere. */
static void masked(struct builder *b, u16 x1, struct rondo_op op)
{
	build_op(b, RONDO_V1, op);
	build_put(b, RONDO_C, OP(mask, .x1 = x1, .y1 = 3));
}

static void nops(struct builder *b, u32 count)
{
	while (count--)
		build_bundle(b);
}

static void registers_under_masks(void)
{
	static const struct {
		u16 write, again, read; /* last columns; 9: no bundle */
		u8 op; /* that reads v1 */
		u32 code;
		const char *name;
	} cases[] = {
		{ 1, 9, 1, RONDO_OP_mov, 0, "write and read under one mask" },
		{ 1, 9, 2, RONDO_OP_mov, RONDO_ERR_REG_UNDEFINED, "read under another mask" },
		{ 2, 9, 1, RONDO_OP_mov, RONDO_ERR_REG_UNDEFINED, "read under a smaller mask" },
		{ 1, 9, 3, RONDO_OP_mov, RONDO_ERR_REG_UNDEFINED, "read in all tiles" },
		{ 3, 9, 1, RONDO_OP_mov, 0, "write in all tiles, read under a mask" },
		{ 3, 1, 2, RONDO_OP_mov, 0, "a mask takes nothing away" },
		{ 1, 2, 2, RONDO_OP_mov, 0, "the last mask counts" },
		{ 1, 2, 1, RONDO_OP_mov, RONDO_ERR_REG_UNDEFINED, "only the last mask counts" },
		{ 1, 9, 1, RONDO_OP_mv_n, RONDO_ERR_REG_UNDEFINED,
		  "an operation between tiles reads all" },
		{ 3, 9, 1, RONDO_OP_mv_n, 0, "and may if all were written" },
	};
	struct builder b;
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_init_for(&b, RONDO_MACHINE_mesh);
		masked(&b, cases[i].write, OP(movi, .dst = 1));
		nops(&b, 2);
		if (cases[i].again != 9)
			masked(&b, cases[i].again, OP(movi, .dst = 1));
		nops(&b, 2);
		masked(&b, cases[i].read, (struct rondo_op){ .op = cases[i].op, .dst = 2, .a = 1 });
		expect(&b, cases[i].code, cases[i].name);
	}
}

static void operands(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		build_init_for(&b, RONDO_MACHINE_wafer);
		build_op(&b, RONDO_V1, OP(movi, .dst = 1));
		nops(&b, 1);
		build_op(&b, RONDO_V1, OP(bc_row, .dst = 2, .a = 1, .imm = 632 + bad));
		expect(&b, bad ? RONDO_ERR_MESH : 0,
		       bad ? "column outside the wafer" : "last column");
		build_init_for(&b, RONDO_MACHINE_wafer);
		build_op(&b, RONDO_C, OP(mask, .x1 = 632, .y1 = 632 + bad));
		expect(&b, bad ? RONDO_ERR_MASK : 0, bad ? "mask outside the wafer" : "all tiles");
	}
}

static void mesh_latency(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		build_init_for(&b, RONDO_MACHINE_wafer);
		build_op(&b, RONDO_V1, OP(movi, .dst = 1));
		nops(&b, 1);
		build_op(&b, RONDO_V1, OP(sum_row_f32, .dst = 2, .a = 1));
		nops(&b, 640 - bad);
		build_op(&b, RONDO_V1, OP(mov, .dst = 3, .a = 2));
		expect(&b, bad ? RONDO_ERR_REG_IN_FLIGHT : 0,
		       bad ? "a sum read too early" : "a sum lands after side and constant");
	}
}

/* A transfer of @row bytes out of each tile of the wafer, at these strides in the slot. */
static void outgoing(s64 x, s64 y, u32 row, u32 code, const char *name)
{
	struct builder b;

	build_init_for(&b, RONDO_MACHINE_wafer);
	build_slot(&b, 0);
	build_start(&b, 0,
		    build_desc(&b, (struct rondo_desc){ .dir = RONDO_DMA_OUT,
							.row_bytes = row,
							.slot_x = x,
							.slot_y = y,
							.x1 = 632,
							.y1 = 632 }),
		    0);
	expect(&b, code, name);
}

static void transfers_out(void)
{
	u32 code = RONDO_ERR_DESC_OUT_OVERLAP;

	outgoing(64, 64 * 633, 64, 0, "each tile its own bytes");
	outgoing(64 * 633, 64, 64, 0, "or column by column");
	outgoing(60, 64 * 633, 64, code, "neighbours in a row overlap");
	outgoing(64, 64 * 632, 64, code, "last and first of two rows overlap");
	outgoing(0, 64, 64, code, "a row of tiles writes one place");
}

static void costs(void)
{
	static const struct {
		u8 mode;
		u64 blocks; /* that pass one after the other */
	} modes[] = { { RONDO_DMA_TILE, 632 * 633 },
		      { RONDO_DMA_BROADCAST, 1 },
		      { RONDO_DMA_ROWS, 633 },
		      { RONDO_DMA_COLUMNS, 632 } };
	struct builder b;
	u32 i;

	for (i = 0; i < 4; i++) {
		struct rondo_desc d = { .mode = modes[i].mode,
					.row_bytes = 256,
					.count = { 1, 1, 3 },
					.slot_stride = { 0, 0, 256 },
					.sram_stride = { 0, 0, 256 },
					.x0 = 1, /* 632 columns, 633 rows */
					.x1 = 632,
					.y1 = 632 };

		build_init_for(&b, RONDO_MACHINE_wafer);
		build_slot(&b, 0);
		build_start(&b, 0, build_desc(&b, d), 0);
		build_halt(&b);
		tap_ok(!build_verdict(&b, 0).code, "a transfer into the wafer, mode %u", i);
		/* It starts in cycle 0; halt waits and takes a cycle. */
		tap_eq(rondo_verify_facts(b.verify)->cycles, 200 + modes[i].blocks * 3 * 6 + 1,
		       "its cycles");
		build_fini(&b);
	}
}

/*
 * A transfer into or out of the tiles (1, 1) to (2, 2) of 16, and an access of its bytes, or
 * beside them, under a mask. Races are of tiles in common; what is accepted runs without a trap.
 */
static void races_under_masks(void)
{
	static const struct {
		u16 x0, y0, x1, y1;
		bool store, out, beside, race;
		const char *name;
	} cases[] = {
		{ 0, 0, 0, 3, false, false, false, false, "a read to the west of a transfer" },
		{ 3, 0, 3, 3, true, false, false, false, "a store to the east" },
		{ 0, 0, 3, 0, false, false, false, false, "a read to the north" },
		{ 0, 3, 3, 3, true, true, false, false, "a store to the south" },
		{ 0, 0, 1, 3, false, false, false, true, "a read in its first column" },
		{ 2, 0, 3, 3, true, false, false, true, "a store in its last column" },
		{ 0, 0, 3, 1, false, false, false, true, "a read in its first row" },
		{ 0, 2, 3, 3, true, true, false, true, "a store in its last row" },
		{ 0, 2, 3, 3, false, true, false, false, "a read of what it reads, in its tiles" },
		{ 0, 2, 3, 3, true, true, true, false, "a store beside its bytes, in its tiles" },
		{ 0, 0, 3, 3, false, false, false, true, "a read in all tiles" },
		{ 0, 0, 3, 3, false, false, true, false, "a read beside its bytes, in all tiles" },
	};
	struct rondo_machine mesh;
	struct exec *executor;
	struct builder b;
	u32 i;

	rondo_machine_init(&mesh, RONDO_MACHINE_mesh);
	executor = exec_create(executor_for(&mesh, EXECUTOR_PLAIN), &mesh);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rondo_desc desc = { .dir = cases[i].out, .row_bytes = 256, .slot_y = 8192 };
		struct rondo_entry e = { .base = cases[i].beside ? 256 : 252 };
		char why[RUN_WHY_BYTES] = "";
		u32 code, entry;
		bool right;
		u64 size;
		u8 *bytes;

		build_init_for(&b, RONDO_MACHINE_mesh);
		build_slot(&b, 0);
		desc.slot_x = 1024;
		desc.x0 = desc.y0 = 1;
		desc.x1 = desc.y1 = 2;
		build_start(&b, 0, build_desc(&b, desc), 0);
		entry = build_entry(&b, e);
		if (cases[i].store)
			build_op(&b, RONDO_S, OP(sta, .entry = entry));
		else
			build_op(&b, RONDO_M, OP(preset, .entry = entry));
		build_put(&b, RONDO_C,
			  OP(mask, .x0 = cases[i].x0, .y0 = cases[i].y0, .x1 = cases[i].x1,
			     .y1 = cases[i].y1));
		build_halt(&b);
		code = build_verdict(&b, 0).code;
		bytes = build_bytes(&b, &size);
		rondo_measure_claim(b.verify, bytes);
		right = code == (cases[i].race ? RONDO_ERR_DMA_RACE : 0) &&
			(code || run_keeps_promises(executor, bytes, size,
						    rondo_verify_facts(b.verify), why));
		if (!tap_ok(right, "%s", cases[i].name))
			printf("# %s %s\n", rondo_error_name(code), why);
		free(bytes);
		build_fini(&b);
	}
	exec_destroy(executor);
}

/* What is written in some tiles only has to be cleared; in all, not. */
static void clearing(void)
{
	static const struct {
		u16 x0, y0, x1, y1;
		bool transfer;
		u32 cleared; /* ranges */
		const char *name;
	} cases[] = {
		{ 0, 0, 3, 3, false, 0, "a store in all tiles" },
		{ 1, 0, 3, 3, false, 1, "a store in all but a column" },
		{ 0, 0, 3, 2, false, 1, "a store in all but a row" },
		{ 0, 0, 3, 3, true, 0, "a transfer into all tiles" },
		{ 1, 0, 3, 3, true, 1, "a transfer into all but the first column" },
		{ 0, 1, 3, 3, true, 1, "a transfer into all but the first row" },
		{ 0, 0, 2, 3, true, 1, "a transfer into all but the last column" },
		{ 0, 0, 3, 2, true, 1, "a transfer into all but the last row" },
	};
	struct builder b;
	u32 i, entry;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rondo_desc desc = { .row_bytes = 4, .mode = RONDO_DMA_BROADCAST };

		build_init_for(&b, RONDO_MACHINE_mesh);
		build_slot(&b, 0);
		entry = build_entry(&b, (struct rondo_entry){ .base = 0 });
		desc.x0 = cases[i].x0;
		desc.y0 = cases[i].y0;
		desc.x1 = cases[i].x1;
		desc.y1 = cases[i].y1;
		if (cases[i].transfer) {
			build_start(&b, 0, build_desc(&b, desc), 0);
			build_wait(&b, 0, 0);
		} else {
			build_op(&b, RONDO_S, OP(sta, .entry = entry));
			build_put(&b, RONDO_C,
				  OP(mask, .x0 = desc.x0, .y0 = desc.y0, .x1 = desc.x1,
				     .y1 = desc.y1));
		}
		build_op(&b, RONDO_M, OP(preset, .entry = entry));
		build_halt(&b);
		build_verdict(&b, 0);
		tap_eq(rondo_verify_facts(b.verify)->clear_count, cases[i].cleared, cases[i].name);
		build_fini(&b);
	}
}

int main(void)
{
	registers_under_masks();
	operands();
	mesh_latency();
	transfers_out();
	costs();
	races_under_masks();
	clearing();
	return tap_done();
}
