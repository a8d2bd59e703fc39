// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is derived from spec/isa.def and spec/formats.def, against what the operations' names say:
 * every operation is of one of the families below, or a vector operation.
 */
#include <string.h>

#include "core/isa.h"
#include "core/machine.h"
#include "tests/tap.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

struct family {
	const char *prefix; /* of the name; the first that fits counts */
	u8 slots;
	u32 roles; /* that its format has; other formats have none of ASKED */
	u8 energy;
};

/* Roles that predicates ask for. */
#define ASKED                                                                              \
	(RONDO_ROLE_DST | RONDO_ROLE_ENTRY | RONDO_ROLE_SRAM_R | RONDO_ROLE_SRAM_W |       \
	 RONDO_ROLE_ACC_RW | RONDO_ROLE_WEIGHT_R | RONDO_ROLE_WEIGHT_W | RONDO_ROLE_SRC3 | \
	 RONDO_ROLE_ROWS | RONDO_ROLE_MODE | RONDO_ROLE_TILE | RONDO_ROLE_BODY | RONDO_ROLE_NEST)

#define LOAD (RONDO_ROLE_DST | RONDO_ROLE_ENTRY | RONDO_ROLE_SRAM_R)
#define READ (RONDO_ROLE_DST | RONDO_ROLE_ENTRY | RONDO_ROLE_ACC_R)
#define STORE (RONDO_ROLE_ENTRY | RONDO_ROLE_SRAM_W)
#define MATRIX (RONDO_ROLE_ENTRY | RONDO_ROLE_SRAM_R)
#define PUSH (MATRIX | RONDO_ROLE_ACC_RW | RONDO_ROLE_WEIGHT_R | RONDO_ROLE_MODE)

static const struct family families[] = {
	{ "loop1", RONDO_SLOTS_C, RONDO_ROLE_BODY, RONDO_ENERGY_0 },
	{ "loop", RONDO_SLOTS_C, RONDO_ROLE_BODY | RONDO_ROLE_NEST, RONDO_ENERGY_0 },
	{ "halt", RONDO_SLOTS_C, 0, RONDO_ENERGY_0 },
	{ "wait", RONDO_SLOTS_C, 0, RONDO_ENERGY_0 },
	{ "dma", RONDO_SLOTS_C, 0, RONDO_ENERGY_0 },
	{ "mask", RONDO_SLOTS_C, 0, RONDO_ENERGY_0 },
	{ "ld4", RONDO_SLOTS_L, LOAD | RONDO_ROLE_ROWS, RONDO_ENERGY_0 },
	{ "ld", RONDO_SLOTS_L, LOAD, RONDO_ENERGY_0 },
	{ "rdq_", RONDO_SLOTS_L, READ | RONDO_ROLE_SRC3, RONDO_ENERGY_COUNT },
	{ "rd", RONDO_SLOTS_L, READ, RONDO_ENERGY_0 },
	{ "strq_", RONDO_SLOTS_S, STORE | RONDO_ROLE_SRC3, RONDO_ENERGY_COUNT },
	{ "stq_", RONDO_SLOTS_S, STORE | RONDO_ROLE_ACC_R | RONDO_ROLE_SRC3, RONDO_ENERGY_COUNT },
	{ "sta", RONDO_SLOTS_S, STORE | RONDO_ROLE_ACC_R, RONDO_ENERGY_0 },
	{ "st_", RONDO_SLOTS_S, STORE, RONDO_ENERGY_0 },
	{ "wl_", RONDO_SLOTS_W, MATRIX | RONDO_ROLE_WEIGHT_W, RONDO_ENERGY_0 },
	{ "push_f32", RONDO_SLOTS_M, PUSH, RONDO_ENERGY_MAC_F32 },
	{ "push_bf16", RONDO_SLOTS_M, PUSH, RONDO_ENERGY_MAC_BF16 },
	{ "push_", RONDO_SLOTS_M, PUSH, RONDO_ENERGY_MAC_S8 },
	{ "preset", RONDO_SLOTS_M, MATRIX | RONDO_ROLE_ACC_W, RONDO_ENERGY_0 },
	{ "bc_", RONDO_SLOTS_V1, RONDO_ROLE_DST | RONDO_ROLE_TILE, RONDO_ENERGY_LANES },
	{ "rq_", RONDO_SLOTS_V, RONDO_ROLE_DST | RONDO_ROLE_SRC3, RONDO_ENERGY_LANES },
	{ "", RONDO_SLOTS_V, RONDO_ROLE_DST, RONDO_ENERGY_LANES },
};

static const struct family *family_of(const char *name)
{
	const struct family *f = families;

	while (strncmp(name, f->prefix, strlen(f->prefix)))
		f++;
	return f;
}

static bool ends(const char *name, const char *with)
{
	size_t length = strlen(name), end = strlen(with);

	return length >= end && !strcmp(name + length - end, with);
}

/* Bytes of an element by the name: its type, or a container. */
static u32 element_of(const char *name, u32 roles)
{
	if (!(roles & (RONDO_ROLE_SRAM_R | RONDO_ROLE_SRAM_W)))
		return 0;
	if (roles & (RONDO_ROLE_WEIGHT_R | RONDO_ROLE_WEIGHT_W))
		return 4;
	if (ends(name, "8") || !strcmp(name, "ld4"))
		return 1;
	return ends(name, "bf16") ? 2 : 4;
}

static u32 links_of(const char *name)
{
	bool twice = !strncmp(name, "sum_", 4) || !strncmp(name, "max_", 4);

	if (ends(name, "mv_e") || ends(name, "mv_w") || ends(name, "bc_row"))
		return RONDO_LINKS_ROW;
	if (ends(name, "mv_n") || ends(name, "mv_s") || ends(name, "bc_col"))
		return RONDO_LINKS_COL;
	if (twice)
		return strstr(name, "_row_") ? RONDO_LINKS_ROW2 : RONDO_LINKS_COL2;
	return RONDO_LINKS_0;
}

static bool predicates_agree(u8 op, u32 roles)
{
	return rondo_op_is_loop(op) == !!(roles & RONDO_ROLE_BODY) &&
	       rondo_op_has_entry(op) == !!(roles & RONDO_ROLE_ENTRY) &&
	       rondo_op_reads_sram(op) == !!(roles & RONDO_ROLE_SRAM_R) &&
	       rondo_op_writes_sram(op) == !!(roles & RONDO_ROLE_SRAM_W) &&
	       rondo_op_has_address(op) == !!(roles & (RONDO_ROLE_SRAM_R | RONDO_ROLE_SRAM_W)) &&
	       rondo_op_reads_acc(op) == !!(roles & RONDO_ROLE_ACC_R) &&
	       rondo_op_writes_acc(op) == !!(roles & RONDO_ROLE_ACC_W) &&
	       rondo_op_has_acc(op) == !!(roles & RONDO_ROLE_ACC_RW) &&
	       rondo_op_reads_weights(op) == !!(roles & RONDO_ROLE_WEIGHT_R) &&
	       rondo_op_writes_weights(op) == !!(roles & RONDO_ROLE_WEIGHT_W) &&
	       rondo_op_has_row(op) == !!(roles & (RONDO_ROLE_ACC_RW | RONDO_ROLE_WEIGHT_W)) &&
	       rondo_op_has_params(op) == !!(roles & RONDO_ROLE_SRC3) &&
	       rondo_op_has_rows(op) == !!(roles & RONDO_ROLE_ROWS);
}

static void test_rows(void)
{
	u32 op, operations = 0, empty = 0;

	for (op = 0; op < RONDO_OPCODES; op++) {
		const struct rondo_op_info *info = &rondo_ops[op];
		const struct family *f;
		u32 links;

		if (!info->name) {
			empty += !info->slots && !info->format && !info->latency &&
				 !info->element && !info->energy && !info->links && !info->roles;
			continue;
		}
		operations++;
		f = family_of(info->name);
		links = links_of(info->name);
		tap_ok(!(info->slots & ~f->slots) && (info->roles & ASKED) == f->roles &&
			       info->energy == f->energy && info->links == links &&
			       rondo_element_bytes((u8)op) == element_of(info->name, f->roles) &&
			       rondo_op_reads_mesh((u8)op) == (links != RONDO_LINKS_0) &&
			       predicates_agree((u8)op, f->roles),
		       "%s is what its name says", info->name);
	}
	tap_eq(empty, RONDO_OPCODES - operations, "opcodes without an operation have no property");
}

static void test_elements(void)
{
	const struct rondo_op four = OP(ld4, .rows = 3), other = OP(ld_w);

	tap_eq(rondo_elements(RONDO_OP_ldb_w, 9), 1, "a broadcast load reads one element");
	tap_eq(rondo_elements(RONDO_OP_ld_w, 9), 9, "another load as many as it says");
	tap_eq(rondo_element_rows(&four), 3, "rows of a load that has some");
	tap_eq(rondo_element_rows(&other), 1, "one row of a load that has none");
}

static void test_loops(void)
{
	const struct rondo_op none = OP(wait, .nest = 2, .trip = { 1, 1, 1 });
	const struct rondo_op one = OP(loop1, .trip = { 5, 7, 7 });
	struct rondo_op op = OP(loop, .nest = 2, .trip = { 5, 6, 1 });

	tap_ok(!rondo_loop_nest(&none) && !rondo_loop_canonical(&none), "a wait opens no loop");
	tap_ok(rondo_loop_nest(&one) == 1 && rondo_loop_canonical(&one), "loop1 opens one");
	tap_ok(rondo_loop_nest(&op) == 2 && rondo_loop_canonical(&op), "loop opens its nest");
	op.trip[2] = 2;
	tap_ok(!rondo_loop_canonical(&op), "a loop beyond the nest has one trip");
	op = OP(loop, .nest = 1, .trip = { 5, 2, 1 });
	tap_ok(!rondo_loop_canonical(&op), "so does the second of one");
	op = OP(loop, .nest = 3, .trip = { 2, 2, 2 });
	tap_ok(rondo_loop_canonical(&op), "three loops leave none out");
	op = OP(loop, .nest = 0, .trip = { 1, 1, 1 });
	tap_ok(!rondo_loop_canonical(&op), "a nest is not empty");
}

static void test_places(void)
{
	const struct rondo_op weights = OP(wl_s8, .row = 3, .wrow = 5);
	const struct rondo_op push = OP(push_s8, .row = 3, .wrow = 5, .mode = 2);
	const struct rondo_op adds = OP(push_s8, .mode = 1);

	tap_eq(rondo_first_row(&weights), 5, "the entry of a weight load moves a weight row");
	tap_eq(rondo_first_row(&push), 3, "that of a push an accumulator row");
	tap_ok(rondo_push_by_trip(&push) && !rondo_push_by_trip(&adds), "mode 2 looks at trips");
}

static void test_tiles(void)
{
	const struct rondo_machine m = { .mesh_w = 5, .mesh_h = 3, .mesh_latency = 8 };
	struct rondo_op op = OP(bc_row, .imm = 4);

	tap_ok(rondo_has_tile(&m, &op), "the last column");
	op.imm = 5;
	tap_ok(!rondo_has_tile(&m, &op), "no column beyond it");
	op = OP(bc_col, .imm = 2);
	tap_ok(rondo_has_tile(&m, &op), "the last row");
	op.imm = 3;
	tap_ok(!rondo_has_tile(&m, &op), "no row beyond it");
	op.imm = 0;
	tap_ok(rondo_has_tile(&m, &op), "the first");
	op.imm = -1;
	tap_ok(!rondo_has_tile(&m, &op), "and none before it");
	op = OP(movi, .imm = -1);
	tap_ok(rondo_has_tile(&m, &op), "an immediate is no tile");
	tap_ok(rondo_op_along_row(RONDO_OP_mv_e) && rondo_op_along_row(RONDO_OP_max_row_s32) &&
		       !rondo_op_along_row(RONDO_OP_mv_n) &&
		       !rondo_op_along_row(RONDO_OP_sum_col_f32) &&
		       !rondo_op_along_row(RONDO_OP_add),
	       "along a row: shifts to the side, sums of rows");
	tap_eq(rondo_latency(&m, RONDO_OP_bc_row), 5 + 8, "latency by the longer side");
	tap_eq(rondo_latency(&(struct rondo_machine){ .mesh_w = 2, .mesh_h = 7 }, RONDO_OP_bc_row),
	       7, "whichever it is");
	tap_eq(rondo_latency(&m, RONDO_OP_mul), 4, "other latencies are constants");
}

static void uses(struct rondo_op op, u64 reads, u64 writes)
{
	struct rondo_register_use use;

	op.dst = 1;
	op.a = 63;
	op.b = 3;
	op.c = 4;
	op.params = 10;
	use = rondo_register_use(&op);
	tap_ok(use.reads == reads && use.writes == writes, "registers of %s",
	       op.op ? rondo_ops[op.op].name : "an empty slot");
}

static void test_registers(void)
{
	const u64 a = 1ull << 63, b = 1 << 3, c = 1 << 4, params = 7 << 10;

	uses(OP(NOP), 0, 0);
	uses(OP(ld_w), 0, 2);
	uses(OP(rdq_f32), params, 2);
	uses(OP(st_w), a, 0);
	uses(OP(stq_f32), params, 0);
	uses(OP(strq_f32), a | params, 0);
	uses(OP(wl_w), 0, 0);
	uses(OP(push_s8), 0, 0);
	uses(OP(iota), 0, 2);
	uses(OP(mov), a, 2);
	uses(OP(add), a | b, 2);
	uses(OP(sel), a | b | c, 2);
	uses(OP(rq_fix_s8), a | params, 2);
	uses(OP(bc_row), a, 2);
}

static void test_slots(void)
{
	static const char *const names[] = { "C", "L0", "L1", "S", "W", "M", "V0", "V1" };
	u32 slot, wrong = 0;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		wrong += !!strcmp(rondo_slot_names[slot], names[slot]);
	tap_eq(wrong, 0, "names of slots");
}

int main(void)
{
	test_rows();
	test_elements();
	test_loops();
	test_places();
	test_tiles();
	test_registers();
	test_slots();
	return tap_done();
}
