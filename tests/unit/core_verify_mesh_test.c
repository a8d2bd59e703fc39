// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the verifier proves of programs for many tiles: registers under masks, transfers of many
 * tiles, operands that name tiles.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

static void begin(struct builder *b, enum rondo_machine_id id)
{
	build_init(b);
	rondo_machine_init(&b->machine, id);
	b->header.machine_hash = rondo_machine_hash(&b->machine);
}

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
		begin(&b, RONDO_MACHINE_mesh);
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
		begin(&b, RONDO_MACHINE_wafer);
		build_op(&b, RONDO_V1, OP(movi, .dst = 1));
		nops(&b, 1);
		build_op(&b, RONDO_V1, OP(bc_row, .dst = 2, .a = 1, .imm = 632 + bad));
		expect(&b, bad ? RONDO_ERR_MESH : 0,
		       bad ? "column outside the wafer" : "last column");
		begin(&b, RONDO_MACHINE_wafer);
		build_op(&b, RONDO_C, OP(mask, .x1 = 632, .y1 = 632 + bad));
		expect(&b, bad ? RONDO_ERR_MASK : 0, bad ? "mask outside the wafer" : "all tiles");
	}
}

static void mesh_latency(void)
{
	struct builder b;
	u32 bad;

	for (bad = 0; bad < 2; bad++) {
		begin(&b, RONDO_MACHINE_wafer);
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

	begin(&b, RONDO_MACHINE_wafer);
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
	} modes[] = { { RONDO_DMA_TILE, 633 * 633 },
		      { RONDO_DMA_BROADCAST, 1 },
		      { RONDO_DMA_ROWS, 1 },
		      { RONDO_DMA_COLUMNS, 1 } };
	struct builder b;
	u32 i;

	for (i = 0; i < 4; i++) {
		struct rondo_desc d = { .mode = modes[i].mode,
					.row_bytes = 256,
					.count = { 1, 1, 3 },
					.slot_stride = { 0, 0, 256 },
					.sram_stride = { 0, 0, 256 },
					.x1 = 632,
					.y1 = 632 };

		begin(&b, RONDO_MACHINE_wafer);
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

int main(void)
{
	registers_under_masks();
	operands();
	mesh_latency();
	transfers_out();
	costs();
	return tap_done();
}
