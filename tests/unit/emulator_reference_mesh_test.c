// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The reference by itself: what tiles do to each other, against formulas; and what it traps.
 */
#include "core/machine.h"
#include "emulator/reference/reference.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

/* A mesh of 3 x 2 tiles with 8 lanes. */
enum { W = 3, H = 2, L = 8, ROW = 4 * L, TILE_BYTES = 1024, SLOT_BYTES = 65536 };

struct run {
	struct builder b;
	u32 x; /* an entry at SRAM 0 */
	u8 slot[2][SLOT_BYTES];
	struct reference_result result;
	struct rondo_activity closed;
};

static bool access_slot(struct run *r, u32 slot, u64 offset, u64 size)
{
	(void)r;
	return slot < 2 && offset <= SLOT_BYTES && size <= SLOT_BYTES - offset;
}

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct run *r = ctx;

	if (!access_slot(r, slot, offset, size))
		return false;
	memcpy(to, r->slot[slot] + offset, size);
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct run *r = ctx;

	if (!access_slot(r, slot, offset, size))
		return false;
	memcpy(r->slot[slot] + offset, from, size);
	return true;
}

static void begin(struct run *r)
{
	memset(r->slot, 0, sizeof(r->slot));
	build_init(&r->b);
	r->b.machine.mesh_w = W;
	r->b.machine.mesh_h = H;
	r->b.machine.lanes = L;
	r->b.machine.sram_bytes = 8192;
	r->b.header.machine_hash = rondo_machine_hash(&r->b.machine);
	build_slot(&r->b, 0);
	build_slot(&r->b, 0);
	r->x = build_entry(&r->b, (struct rondo_entry){ .base = 0 });
}

static void end(struct run *r)
{
	const struct exec_io io = { read_slot, write_slot, r };
	struct reference *reference = reference_create(&r->b.machine);
	struct rondo_program p;
	u64 size;
	u8 *bytes;

	build_halt(&r->b);
	bytes = build_bytes(&r->b, &size);
	rondo_program_open(&p, bytes, size);
	reference_run(reference, bytes, size, NULL, &io, 1u << 20, &r->result);
	rondo_count_activity(&r->b.machine, &p, 0, &r->closed);
	reference_destroy(reference);
	free(bytes);
	build_fini(&r->b);
}

/* A descriptor for all tiles: tile (x, y) has TILE_BYTES of the slot, row by row of tiles. */
static u32 all_tiles(struct run *r, u8 dir, u16 slot, u32 bytes)
{
	return build_desc(&r->b, (struct rondo_desc){ .dir = dir,
						      .slot = slot,
						      .row_bytes = bytes,
						      .slot_x = TILE_BYTES,
						      .slot_y = W * TILE_BYTES,
						      .x1 = W - 1,
						      .y1 = H - 1 });
}

static void pause(struct run *r, u32 bundles)
{
	while (bundles--)
		build_bundle(&r->b);
}

/* Lane @i of tile (x, y): data that does not add up the same in another order. */
static float value(u32 x, u32 y, u32 i)
{
	static const float scale[] = { 1, 0x1p24f, -0x1p24f };

	return (float)(1 + y * 5 + i) * scale[x] / (float)(3 + y);
}

static float *lane(struct run *r, u32 slot, u32 x, u32 y, u32 row, u32 i)
{
	return (float *)(void *)(r->slot[slot] + (y * W + x) * TILE_BYTES + row * ROW) + i;
}

/* Register 0 gets value() in every tile; then @count operations, stored one row after another. */
static void between_tiles(struct run *r, const struct rondo_op *ops, u32 count)
{
	u32 x, y, i;

	begin(r);
	for (y = 0; y < H; y++)
		for (x = 0; x < W; x++)
			for (i = 0; i < L; i++)
				*lane(r, 0, x, y, 0, i) = value(x, y, i);
	build_start(&r->b, 0, all_tiles(r, RONDO_DMA_IN, 0, ROW), 0);
	build_wait(&r->b, 0, 0);
	build_op(&r->b, RONDO_L0, OP(ld_w, .entry = (u16)r->x, .count = L));
	pause(r, 2);
	for (i = 0; i < count; i++) {
		struct rondo_op op = ops[i];

		op.dst = (u8)(1 + i);
		build_op(&r->b, RONDO_V1, op);
	}
	pause(r, W + 8);
	for (i = 0; i < count; i++)
		build_op(
			&r->b, RONDO_S,
			OP(st_w, .entry = (u16)r->x, .off = i * ROW, .a = (u8)(1 + i), .count = L));
	build_start(&r->b, 1, all_tiles(r, RONDO_DMA_OUT, 1, count * ROW), 0);
	end(r);
}

static float shifted(s32 x, s32 y, u32 i)
{
	return x >= 0 && x < W && y >= 0 && y < H ? value((u32)x, (u32)y, i) : 0;
}

static float expected(u32 row, u32 x, u32 y, u32 i)
{
	float sum;

	switch (row) {
	case 0:
		return shifted((s32)x, (s32)y + 1, i);
	case 1:
		return shifted((s32)x - 1, (s32)y, i);
	case 2:
		return shifted((s32)x, (s32)y - 1, i);
	case 3:
		return shifted((s32)x + 1, (s32)y, i);
	case 4:
		return value(2, y, i);
	case 5:
		return value(x, 1, i);
	case 6:
		sum = value(0, y, i) + value(1, y, i);
		return sum + value(2, y, i);
	case 7:
		return value(x, 0, i) + value(x, 1, i);
	case 8:
		return value(1, y, i);
	default:
		return value(x, 0, i) > value(x, 1, i) ? value(x, 0, i) : value(x, 1, i);
	}
}

static void test_mesh(struct run *r)
{
	static const struct rondo_op ops[] = {
		{ .op = RONDO_OP_mv_n },
		{ .op = RONDO_OP_mv_e },
		{ .op = RONDO_OP_mv_s },
		{ .op = RONDO_OP_mv_w },
		{ .op = RONDO_OP_bc_row, .imm = 2 },
		{ .op = RONDO_OP_bc_col, .imm = 1 },
		{ .op = RONDO_OP_sum_row_f32 },
		{ .op = RONDO_OP_sum_col_f32 },
		{ .op = RONDO_OP_max_row_f32 },
		{ .op = RONDO_OP_max_col_f32 },
	};
	u32 count = sizeof(ops) / sizeof(*ops), row, x, y, i, wrong;

	between_tiles(r, ops, count);
	tap_eq(r->result.status, EXEC_DONE, "a mesh of 3 x 2 tiles runs");
	for (row = 0; row < count; row++) {
		for (y = wrong = 0; y < H; y++)
			for (x = 0; x < W; x++)
				for (i = 0; i < L; i++)
					wrong += *lane(r, 1, x, y, row, i) !=
						 expected(row, x, y, i);
		tap_eq(wrong, 0, rondo_ops[ops[row].op].name);
	}
	tap_ok(!memcmp(&r->closed, &r->result.activity, sizeof(r->closed)),
	       "activity of the mesh as in closed form");
	/* In: 6 tiles; mesh operations and their latency; out likewise. */
	tap_eq(r->result.cycles,
	       (200 + 6 * 3) + 1 + 3 + count + (W + 8) + count + (200 + 6 * (2 + 5)) + 1,
	       "cycles of a mesh: a transfer costs its tiles");
}

static void test_modes(struct run *r)
{
	struct rondo_desc d = { .row_bytes = ROW, .slot_x = 0, .x0 = 1, .x1 = 2, .y1 = 1 };
	u32 x, y, i, wrong = 0;

	begin(r);
	for (i = 0; i < SLOT_BYTES / 4; i++)
		((u32 *)(void *)r->slot[0])[i] = i;
	d.mode = RONDO_DMA_BROADCAST;
	build_start(&r->b, 0, build_desc(&r->b, d), 0);
	d.mode = RONDO_DMA_ROWS;
	d.sram_base = ROW;
	d.slot_base = 256;
	d.slot_y = 1024;
	build_start(&r->b, 1, build_desc(&r->b, d), 0);
	d.mode = RONDO_DMA_COLUMNS;
	d.sram_base = 2 * ROW;
	d.slot_y = 0;
	d.slot_x = 512;
	build_start(&r->b, 2, build_desc(&r->b, d), 0);
	build_wait(&r->b, 0, 0);
	build_wait(&r->b, 1, 0);
	build_wait(&r->b, 2, 0);
	build_start(&r->b, 3, all_tiles(r, RONDO_DMA_OUT, 1, 3 * ROW), 0);
	end(r);
	for (y = 0; y < H; y++) {
		for (x = 0; x < W; x++) {
			for (i = 0; i < L; i++) {
				u32 in = x > 0, *word[3], k;

				for (k = 0; k < 3; k++)
					word[k] = (u32 *)(void *)lane(r, 1, x, y, k, i);
				wrong += *word[0] != in * i;
				wrong += *word[1] != in * (64 + 256 * y + i);
				wrong += *word[2] != in * (64 + 128 * x + i);
			}
		}
	}
	tap_eq(wrong, 0, "broadcast, rows and columns reach the tiles of their rectangle");
	/* The columns start in cycle 2: two blocks of 3 cycles. Then all tiles, one by one. */
	tap_eq(r->result.cycles, 2 + (200 + 2 * 3) + 1 + (200 + 6 * (2 + 2)) + 1,
	       "cycles of columns, and of tiles");
	tap_eq(r->result.activity.dma_in, (1 + 2 + 2) * ROW, "a block for each row and column");
	tap_eq(r->result.activity.sram_written, 3 * 4 * ROW, "written in every tile");
	tap_ok(!memcmp(&r->closed, &r->result.activity, sizeof(r->closed)),
	       "activity of broadcasts as in closed form");
}

static void test_mask(struct run *r)
{
	u32 x, y, wrong = 0;

	begin(r);
	build_op(&r->b, RONDO_V0, OP(movi, .dst = 1, .imm = 5));
	build_op(&r->b, RONDO_V0, OP(movi, .dst = 2, .imm = 7));
	pause(r, 2);
	build_op(&r->b, RONDO_C, OP(mask, .x0 = 1, .x1 = 1, .y0 = 0, .y1 = 1));
	build_put(&r->b, RONDO_V0, OP(mov, .dst = 1, .a = 2));
	build_put(&r->b, RONDO_S, OP(st_w, .entry = (u16)r->x, .off = ROW, .a = 2, .count = L));
	pause(r, 2);
	build_op(&r->b, RONDO_S, OP(st_w, .entry = (u16)r->x, .a = 1, .count = L));
	/* In masked-out tiles, too, neighbours see the register. */
	build_op(&r->b, RONDO_C, OP(mask, .x0 = 0, .x1 = 0, .y0 = 0, .y1 = 1));
	build_put(&r->b, RONDO_V1, OP(mv_w, .dst = 2, .a = 1));
	pause(r, 4);
	build_op(&r->b, RONDO_S, OP(st_w, .entry = (u16)r->x, .off = 2 * ROW, .a = 2, .count = L));
	build_start(&r->b, 0, all_tiles(r, RONDO_DMA_OUT, 1, 3 * ROW), 0);
	end(r);
	for (y = 0; y < H; y++) {
		for (x = 0; x < W; x++) {
			u32 *word = (u32 *)(void *)lane(r, 1, x, y, 0, 3);

			wrong += word[0] != (x == 1 ? 7 : 5);
			wrong += word[L] != (x == 1 ? 7 : 0);
			wrong += word[2 * L] != 7;
		}
	}
	tap_eq(wrong, 0, "a mask holds for its bundle: registers, memory, neighbours");
	tap_ok(!memcmp(&r->closed, &r->result.activity, sizeof(r->closed)),
	       "activity under masks as in closed form");
}

/* The result of a program that stores nothing. */
static void traps(struct run *r, const char *reason, const char *name)
{
	end(r);
	if (!tap_ok(r->result.status == EXEC_TRAP && strstr(r->result.reason, reason), "trap: %s",
		    name))
		printf("# status %u: '%s'\n", r->result.status, r->result.reason);
}

static void test_traps(struct run *r)
{
	begin(r);
	build_op(&r->b, RONDO_V0, OP(i2f, .dst = 1, .a = 0));
	traps(r, "never written", "register never written");

	begin(r);
	build_op(&r->b, RONDO_V0, OP(iota, .dst = 1));
	build_op(&r->b, RONDO_V0, OP(mov, .dst = 2, .a = 1));
	traps(r, "in flight", "register read one bundle too early");

	begin(r);
	build_op(&r->b, RONDO_V0, OP(iota, .dst = 1));
	pause(r, 1);
	build_loop(&r->b, 2, 3);
	build_op(&r->b, RONDO_V0, OP(mov, .dst = 2, .a = 1));
	build_bundle(&r->b);
	build_op(&r->b, RONDO_V0, OP(iota, .dst = 1));
	traps(r, "in flight", "register in flight around a back edge");

	begin(r);
	build_op(&r->b, RONDO_V0, OP(iota, .dst = 1));
	build_put(&r->b, RONDO_V1, OP(iota, .dst = 1));
	traps(r, "another slot writes", "register written twice");

	begin(r);
	build_op(&r->b, RONDO_L0, OP(ld_w, .entry = (u16)r->x, .off = 8192 - ROW + 4, .count = L));
	traps(r, "SRAM access", "load beyond SRAM");

	begin(r);
	build_op(&r->b, RONDO_L0, OP(ld_w, .entry = (u16)r->x, .off = 2, .count = L));
	traps(r, "not aligned", "misaligned load");

	begin(r);
	build_loop(&r->b, 2, 2);
	build_op(&r->b, RONDO_V0, OP(iota, .dst = 1));
	traps(r, "halt in a loop", "halt in a loop");
}

/*
 * The first row of a transfer has arrived and the second has not: the bytes move when it is their
 * time.
 */
static void test_race(struct run *r)
{
	struct rondo_desc in = { .row_bytes = 64,
				 .count = { 1, 1, 2 },
				 .sram_stride = { 0, 0, 64 },
				 .slot_stride = { 0, 0, 64 } };
	u32 *out = (u32 *)(void *)r->slot[1], late = 200 + 3;

	begin(r);
	memset(r->slot[0], 0x11, 128);
	build_start(&r->b, 0, build_desc(&r->b, in), 0);
	pause(r, late - 1);
	build_op(&r->b, RONDO_L0, OP(ld_w, .entry = (u16)r->x, .dst = 1, .off = 32, .count = L));
	build_put(&r->b, RONDO_L1, OP(ld_w, .entry = (u16)r->x, .dst = 2, .off = 64, .count = L));
	pause(r, 2);
	build_op(&r->b, RONDO_S, OP(st_w, .entry = (u16)r->x, .off = 256, .a = 1, .count = L));
	build_op(&r->b, RONDO_S, OP(st_w, .entry = (u16)r->x, .off = 288, .a = 2, .count = L));
	build_start(&r->b, 1,
		    build_desc(&r->b, (struct rondo_desc){ .dir = RONDO_DMA_OUT,
							   .slot = 1,
							   .row_bytes = 64,
							   .sram_base = 256 }),
		    0);
	end(r);
	tap_eq(out[0], 0x11111111, "the first row has arrived when its cycles are over");
	tap_eq(out[L], 0, "the second has not");
}

int main(void)
{
	struct run *r = malloc(sizeof(*r));

	test_mesh(r);
	test_modes(r);
	test_mask(r);
	test_traps(r);
	test_race(r);
	free(r);
	return tap_done();
}
