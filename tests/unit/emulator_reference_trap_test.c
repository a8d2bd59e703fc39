// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs that the verifier would refuse, in the reference: the check that stops each, and beside
 * it, where there is one, the last program that the check lets pass.
 */
#include "emulator/reference/reference.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum { OPS = 4, BOUND = 2000 };

struct row {
	const char *name;
	const char *reason; /* NULL: it runs to its end */
	struct {
		u8 slot;
		bool same; /* in the bundle of the one before */
		struct rondo_op op;
	} ops[OPS];
	struct rondo_entry entry;
	struct rondo_desc desc;
};

#define THEN(slot, ...)                              \
	{                                            \
		RONDO_##slot, false, OP(__VA_ARGS__) \
	}
#define WITH(slot, ...)                             \
	{                                           \
		RONDO_##slot, true, OP(__VA_ARGS__) \
	}
#define NOTHING THEN(C, NOP)

#define ROW(text, why, ...)                                  \
	{                                                    \
		.name = (text), .reason = (why), __VA_ARGS__ \
	}

static const struct row rows[] = {
	ROW("written", NULL, .ops = { THEN(V0, iota), NOTHING, THEN(V0, mov, .dst = 1) }),
	ROW("never written", "slot V1 reads a register that was never written",
	    .ops = { THEN(V0, iota), NOTHING, THEN(V1, mov, .dst = 1, .a = 1) }),
	ROW("in flight", "slot V0 touches a register in flight",
	    .ops = { THEN(V0, iota), THEN(V0, mov, .dst = 1) }),
	ROW("written in flight", "slot V1 touches a register in flight",
	    .ops = { THEN(V0, iota), THEN(V1, iota) }),
	ROW("written once more", NULL, .ops = { THEN(V0, iota), NOTHING, THEN(V1, iota) }),
	ROW("written twice", "slot V1 writes a register that another slot writes",
	    .ops = { THEN(V0, iota), WITH(V1, iota) }),
	ROW("written beside", NULL, .ops = { THEN(V0, iota), WITH(V1, iota, .dst = 1) }),
	ROW("parameters", "slot V0: parameters do not fit",
	    .ops = { THEN(V0, iota), NOTHING, THEN(V0, rq_f32, .dst = 1, .params = 62) }),
	ROW("last parameters", "slot V0 reads a register that was never written",
	    .ops = { THEN(V0, iota), NOTHING, THEN(V0, rq_f32, .dst = 1, .params = 61) }),
	ROW("slot of another", "slot V0: operation may not stand here", .ops = { THEN(V0, fexp2) }),
	ROW("no entry", "slot L0: no entry 1", .ops = { THEN(L0, ld_w, .entry = 1) }),
	ROW("lanes", "slot S: lanes, weight rows or mode out of range",
	    .ops = { THEN(V0, iota), NOTHING, THEN(S, st_w, .lane = 2, .count = 63) }),
	ROW("all lanes", NULL,
	    .ops = { THEN(V0, iota), NOTHING, THEN(S, st_w, .lane = 1, .count = 63) }),
	ROW("weights", "slot M: lanes, weight rows or mode out of range",
	    .ops = { THEN(M, push_s8, .wrow = 2, .count = 63, .mode = 1) }),
	ROW("all weights", NULL, .ops = { THEN(M, push_s8, .wrow = 1, .count = 63, .mode = 1) }),
	ROW("mode", "slot M: lanes, weight rows or mode out of range",
	    .ops = { THEN(M, push_s8, .mode = 3) }),
	ROW("last mode", NULL, .ops = { THEN(M, push_s8, .mode = 2) }),
	ROW("tile", "slot V1: no such tile",
	    .ops = { THEN(V0, iota), NOTHING, THEN(V1, bc_row, .dst = 1, .imm = 1) }),
	ROW("first tile", NULL, .ops = { THEN(V0, iota), NOTHING, THEN(V1, bc_row, .dst = 1) }),
	ROW("mask", "mask outside the mesh", .ops = { THEN(C, mask, .x1 = 1) }),
	ROW("rows", "row 512 of 512",
	    .ops = { THEN(C, loop1, .trip = { 2 }), THEN(S, sta, .row = 511) },
	    .entry = { .row_stride = { 1 } }),
	ROW("last row", NULL, .ops = { THEN(C, loop1, .trip = { 2 }), THEN(S, sta, .row = 510) },
	    .entry = { .row_stride = { 1 } }),
	ROW("rows below", "row -1 of 512", .ops = { THEN(C, loop1, .trip = { 2 }), THEN(S, sta) },
	    .entry = { .row_stride = { -1 } }),
	ROW("SRAM", "SRAM access at 1048576", .ops = { THEN(L0, ld_w, .count = 2) },
	    .entry = { .base = (1 << 20) - 4 }),
	ROW("last of SRAM", NULL, .ops = { THEN(L0, ld_w, .count = 1) },
	    .entry = { .base = (1 << 20) - 4 }),
	ROW("SRAM below", "SRAM access at -4", .ops = { THEN(L0, ld_w, .count = 2) },
	    .entry = { .seg_len = 1, .seg_stride = -4 }),
	ROW("alignment", "SRAM address 2 is not aligned", .ops = { THEN(L0, ld_w) },
	    .entry = { .base = 2 }),
	ROW("alignment of bytes", NULL, .ops = { THEN(L0, ld_s8) }, .entry = { .base = 1 }),
	ROW("loops", "1 loops inside 8",
	    .ops = { THEN(C, loop, .nest = 3, .body = 3), THEN(C, loop, .nest = 3, .body = 2),
		     THEN(C, loop, .nest = 2), THEN(C, loop1) }),
	ROW("all loops", NULL,
	    .ops = { THEN(C, loop, .nest = 3, .body = 3), THEN(C, loop, .nest = 3, .body = 2),
		     THEN(C, loop, .nest = 2) }),
	ROW("body", "loop body ends outside of the program", .ops = { THEN(C, loop1, .body = 5) }),
	ROW("body with halt", "halt in a loop, or with a transfer outstanding",
	    .ops = { THEN(C, loop1, .body = 4) }),
	ROW("body of a body", "loop body ends outside of its loop",
	    .ops = { THEN(C, loop1, .body = 2), THEN(C, loop1, .body = 2) }),
	ROW("last body of a body", NULL,
	    .ops = { THEN(C, loop1, .body = 2), THEN(C, loop1, .body = 1) }),
	ROW("outstanding", "halt in a loop, or with a transfer outstanding",
	    .ops = { THEN(C, dma) }, .desc = { .row_bytes = 4 }),
	ROW("drained", NULL, .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4 }),
	ROW("no descriptor", "no descriptor 1", .ops = { THEN(C, dma, .desc = 1) },
	    .desc = { .row_bytes = 4 }),
	ROW("slot of a descriptor", "descriptor 0 is not well-formed", .ops = { THEN(C, dma) },
	    .desc = { .row_bytes = 4, .slot = 1 }),
	ROW("its direction", "descriptor 0 is not well-formed", .ops = { THEN(C, dma) },
	    .desc = { .row_bytes = 4, .dir = RONDO_DMA_DIRS }),
	ROW("its mode", "descriptor 0 is not well-formed", .ops = { THEN(C, dma) },
	    .desc = { .row_bytes = 4, .mode = RONDO_DMA_MODES }),
	ROW("its rows", "descriptor 0 is not well-formed", .ops = { THEN(C, dma) },
	    .desc = { .row_bytes = 0 }),
	ROW("its tiles", "descriptor 0 is not well-formed", .ops = { THEN(C, dma) },
	    .desc = { .row_bytes = 4, .x1 = 1 }),
	ROW("transfer", "transfer leaves SRAM at 1048573",
	    .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .sram_base = (1 << 20) - 3 }),
	ROW("last transfer", NULL, .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .sram_base = (1 << 20) - 4 }),
	ROW("transfer below", "transfer leaves SRAM at -1",
	    .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .count = { 1, 1, 2 }, .sram_stride = { 0, 0, -1 } }),
	ROW("slot below", "transfer's slot address is negative",
	    .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .count = { 1, 1, 2 }, .slot_stride = { 0, 0, -1 } }),
	ROW("no access", "no access to 4 bytes at 61 of buffer slot 0",
	    .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .slot_base = 61 }),
	ROW("last access", NULL, .ops = { THEN(C, dma), THEN(C, wait, .wait = { 1 }) },
	    .desc = { .row_bytes = 4, .slot_base = 60 }),
};

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	(void)ctx;
	memset(to, 0, size);
	return !slot && offset + size <= 64;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	(void)ctx;
	(void)from;
	return !slot && offset + size <= 64;
}

static const struct exec_io io = { read_slot, write_slot, NULL };

/* Runs the program of @b in at most @bound cycles. */
static struct reference_result run(struct reference *r, const struct builder *b, u64 bound)
{
	struct reference_result result;
	u64 size;
	u8 *bytes = build_bytes(b, &size);

	reference_run(r, bytes, size, NULL, &io, bound, &result);
	free(bytes);
	return result;
}

static void test_row(struct reference *r, const struct row *row)
{
	struct reference_result result;
	struct builder b;

	build_init(&b);
	build_slot(&b, 0);
	build_entry(&b, row->entry);
	build_desc(&b, row->desc);
	for (u32 i = 0; i < OPS; i++) {
		if (!row->ops[i].same)
			build_bundle(&b);
		if (row->ops[i].op.op)
			build_put(&b, row->ops[i].slot, row->ops[i].op);
	}
	build_op(&b, RONDO_C, OP(halt));
	result = run(r, &b, BOUND);
	if (!tap_ok((result.status == EXEC_DONE) == !row->reason &&
			    (!row->reason || !strcmp(result.reason, row->reason)),
		    "%s: %s", row->name, row->reason ? row->reason : "good"))
		printf("# status %u in bundle %u: '%s'\n", result.status, result.bundle,
		       result.reason);
	build_fini(&b);
}

/* What is no program for this machine, has no end, or takes too long. */
static void test_programs(struct reference *r)
{
	struct builder b;

	build_init(&b);
	build_bundle(&b);
	tap_ok(!strcmp(run(r, &b, BOUND).reason, "the program ends without halt"), "no end");
	b.bundles[0][RONDO_V1] = 1ull << 63;
	tap_ok(!strcmp(run(r, &b, BOUND).reason, "slot V1: undefined word"), "no word");
	b.bundles[0][RONDO_V1] = 0;
	build_halt(&b);
	tap_eq(run(r, &b, 2).status, EXEC_DONE, "as many cycles as it may take");
	tap_eq(run(r, &b, 1).status, EXEC_OVERRUN, "one less");
	b.header.machine_hash++;
	tap_ok(!strcmp(run(r, &b, BOUND).reason, rondo_error_text(RONDO_ERR_MACHINE)),
	       "another machine's");
	b.header.magic++;
	tap_ok(!strcmp(run(r, &b, BOUND).reason, rondo_error_text(RONDO_ERR_MAGIC)), "no program");
	build_fini(&b);
}

int main(void)
{
	struct rondo_machine machine;
	struct reference *r;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	r = reference_create(&machine);
	for (u32 i = 0; r && i < sizeof(rows) / sizeof(*rows); i++)
		test_row(r, &rows[i]);
	if (r)
		test_programs(r);
	reference_destroy(r);
	return tap_done();
}
