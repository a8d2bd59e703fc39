// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bundles as text. A line for each format with every field at a value of its own, for what is left
 * out, for what the language has no words for and for slots that the assembler would not choose;
 * that any line assembles to the same words is tested with the assembler (tools_asm_test.c).
 */
#include "core/disasm.h"

#include "core/codec.h"
#include "tests/tap.h"

#define OP(name, ...)                              \
	{                                          \
		.op = RONDO_OP_##name, __VA_ARGS__ \
	}
#define AT .entry = 9, .off = 12
#define TRIPS(...) .trip = { __VA_ARGS__ }

/* An operation alone in the first slot where it may stand. */
static const struct {
	struct rondo_op op;
	const char *line;
} lines[] = {
	{ OP(halt), "halt" },
	{ OP(wait, .wait = { 1 }), "wait c0<=0" },
	{ OP(wait, .wait = { 0, 0, 0, 5 }), "wait c3<=4" },
	{ OP(wait, .wait = { 2, 0, 4, 1 }), "wait c0<=1, c2<=3, c3<=0" },
	{ OP(dma, .channel = 0, .desc = 0), "dma c0, d0" },
	{ OP(dma, .channel = 3, .desc = 4095), "dma c3, d4095" },
	{ OP(dma, .channel = 1, .desc = 20, .last = 1), "dma c1, d20, last=l0" },
	{ OP(dma, .channel = 2, .desc = 7, .last = 8, .wait = { 0, 1 }),
	  "dma c2, d7, last=l7, c1<=0" },
	{ OP(mask, .x0 = 1, .x1 = 632, .y0 = 3, .y1 = 40), "mask 1..632, 3..40" },
	{ OP(mask, .wait = { 0, 0, 3 }), "mask 0..0, 0..0, c2<=2" },
	{ OP(loop, .nest = 1, .body = 1, TRIPS(7, 1, 1)), "loop 7, body=1" },
	{ OP(loop, .nest = 2, .body = 4096, TRIPS(7, 56, 1)), "loop 7, 56, body=4096" },
	{ OP(loop, .nest = 3, .body = 3, TRIPS(16384, 2, 9)), "loop 16384, 2, 9, body=3" },
	{ OP(loop1, .nest = 1, .body = 1 << 20, TRIPS(1ull << 32)),
	  "loop1 4294967296, body=1048576" },
	{ OP(ld_w, .dst = 63, .count = 64, .entry = 4095, .off = 1048575),
	  "ld.w v63, e4095+1048575, 64" },
	{ OP(ldb_w, .dst = 0, .count = 1), "ldb.w v0, e0, 1" },
	{ OP(ld_bf16, .dst = 5, .count = 2, .off = 1), "ld.bf16 v5, e0+1, 2" },
	{ OP(ld4, .dst = 7, .rows = 4, .count = 3, AT), "ld4 v7, e9+12, 4, 3" },
	{ OP(rd, .dst = 7, .row = 511, .entry = 9, .count = 3), "rd v7, a511, e9, 3" },
	{ OP(rdq_fix_s8, .dst = 7, .row = 5, .entry = 9, .params = 61, .count = 3),
	  "rdq.fix.s8 v7, a5, e9, v61, 3" },
	{ OP(st_w, .a = 7, .count = 3, AT), "st.w e9+12, v7, 3" },
	{ OP(st_u8, .a = 7, .lane = 16, .count = 3, AT), "st.u8 e9+12, v7.16, 3" },
	{ OP(strq_f32, .a = 7, .lane = 16, .params = 60, .count = 3, AT),
	  "strq.f32 e9+12, v7.16, v60, 3" },
	{ OP(sta, .row = 5, .count = 3, AT), "sta e9+12, a5, 3" },
	{ OP(stq_f32, .row = 5, .params = 6, .count = 3, AT), "stq.f32 e9+12, a5, v6, 3" },
	{ OP(wl_w, .buf = 1, .wrow = 63, .count = 3, AT), "wl.w w1.63, e9+12, 3" },
	{ OP(wl_s8, .buf = 0, .wrow = 2, .count = 3, AT), "wl.s8 w0.2, e9+12, 3" },
	{ OP(wl_s8, .zp = 127, .count = 1), "wl.s8 w0.0, e0, 1, zp=127" },
	{ OP(wl_s8, .zp = 128, .count = 1), "wl.s8 w0.0, e0, 1, zp=-128" },
	{ OP(wl_u8, .zp = 128, .count = 1), "wl.u8 w0.0, e0, 1, zp=128" },
	{ OP(push_s8, .row = 5, .buf = 1, .wrow = 2, .mode = 0, .count = 3, AT),
	  "push.s8 a5, e9+12, w1.2, add, 3" },
	{ OP(push_f32, .mode = 1, .count = 1), "push.f32 a0, e0, w0.0, write, 1" },
	{ OP(push_bf16, .mode = 2, .count = 1), "push.bf16 a0, e0, w0.0, first, 1" },
	{ OP(preset, .row = 5, .count = 3, AT), "preset a5, e9+12, 3" },
	{ OP(iota, .dst = 7), "iota v7" },
	{ OP(movi, .dst = 7, .imm = -32768), "movi v7, -32768" },
	{ OP(mov, .dst = 7, .a = 8), "mov v7, v8" },
	{ OP(bc_row, .dst = 7, .a = 8, .imm = 632), "bc.row v7, v8, 632" },
	{ OP(sub, .dst = 7, .a = 8, .b = 9), "sub v7, v8, v9" },
	{ OP(fma, .dst = 7, .a = 8, .b = 9, .c = 10), "fma v7, v8, v9, v10" },
	{ OP(rq_f32, .dst = 7, .a = 8, .params = 9), "rq.f32 v7, v8, v9" },
	{ OP(rq_fix_s32, .dst = 7, .a = 8, .params = 9, .shift = 31), "rq.fix.s32 v7, v8, v9, 31" },
};

static bool gives(const u64 words[RONDO_SLOTS_PER_BUNDLE], const char *line)
{
	char got[RONDO_DISASM_BYTES];
	size_t length = rondo_disasm_bundle(words, got, sizeof(got));
	bool same = !strcmp(got, line) && length == strlen(line);

	if (!same)
		printf("# '%s' instead of '%s'\n", got, line);
	return same;
}

static u64 encoded(const struct rondo_op *op)
{
	u64 word = 0;

	if (!rondo_encode(op, &word))
		tap_ok(false, "%s does not encode", rondo_ops[op->op].name);
	return word;
}

static void test_lines(void)
{
	u32 format[RONDO_OPCODES] = { 0 }, missing = 0, wrong = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const struct rondo_op_info *info = &rondo_ops[lines[i].op.op];
		u64 words[RONDO_SLOTS_PER_BUNDLE] = { 0 };

		words[__builtin_ctz(info->slots)] = encoded(&lines[i].op);
		wrong += !gives(words, lines[i].line);
		format[info->format]++;
	}
	for (u32 op = 0; op < RONDO_OPCODES; op++)
		missing += rondo_ops[op].name && !format[rondo_ops[op].format];
	tap_eq(missing, 0, "every format has a line");
	tap_eq(wrong, 0, "every line is as it should be");
}

/* Every operation alone, where it may stand and where it may not. */
static void test_slots(void)
{
	u32 wrong = 0;

	for (u32 code = 1; code < RONDO_OPCODES; code++) {
		const struct rondo_op_info *info = &rondo_ops[code];
		struct rondo_op op = { .op = code, .count = 1, .rows = 1, .nest = 1, .body = 1 };

		op.trip[0] = op.trip[1] = op.trip[2] = 1;
		for (u32 slot = 0; info->name && slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			u64 words[RONDO_SLOTS_PER_BUNDLE] = { 0 };
			char line[RONDO_DISASM_BYTES];

			words[slot] = encoded(&op);
			rondo_disasm_bundle(words, line, sizeof(line));
			wrong += !strchr(line, ':') != (slot == (u32)__builtin_ctz(info->slots)) ||
				 strchr(line, '?');
		}
	}
	tap_eq(wrong, 0, "every operation has words, and a slot's name only where it is needed");
}

static void test_bundles(void)
{
	const struct rondo_op load = OP(ld_w, .dst = 1, .count = 4);
	const struct rondo_op mov = OP(mov, .dst = 1), frcp = OP(frcp, .dst = 2);
	const struct rondo_op first = OP(push_f32, .mode = 3, .count = 1);
	const struct rondo_op open = OP(loop, .body = 1, TRIPS(1, 1, 1));
	const struct rondo_op twice = OP(loop, .nest = 1, .body = 1, TRIPS(1, 1, 2));
	u64 words[RONDO_SLOTS_PER_BUNDLE] = { 0 };

	tap_ok(gives(words, "nop"), "an empty bundle");
	words[RONDO_L0] = words[RONDO_L1] = encoded(&load);
	words[RONDO_V0] = encoded(&mov);
	words[RONDO_V1] = encoded(&frcp);
	tap_ok(gives(words, "ld.w v1, e0, 4 | ld.w v1, e0, 4 | mov v1, v0 | frcp v2, v0"),
	       "operations where the assembler puts them");
	words[RONDO_L0] = words[RONDO_V0] = 0;
	words[RONDO_V1] = encoded(&mov);
	tap_ok(gives(words, "l1: ld.w v1, e0, 4 | v1: mov v1, v0"), "and elsewhere");
	memset(words, 0, sizeof(words));
	words[RONDO_V0] = encoded(&frcp);
	words[RONDO_V1] = encoded(&mov);
	tap_ok(gives(words, "v0: frcp v2, v0 | mov v1, v0"), "in each other's places");

	memset(words, 0, sizeof(words));
	words[RONDO_C] = encoded(&open);
	words[RONDO_L0] = 0x0123456789abcdefull;
	words[RONDO_L1] = ~0ull;
	words[RONDO_S] = 1ull << 63;
	words[RONDO_M] = encoded(&first);
	tap_ok(gives(words, "c: ?0000000000000005 | l0: ?0123456789abcdef | "
			    "l1: ?ffffffffffffffff | s: ?8000000000000000 | m: ?3000000000000028"),
	       "words that are no operation, no loop, no mode");
	memset(words, 0, sizeof(words));
	words[RONDO_C] = encoded(&twice);
	tap_ok(gives(words, "c: ?0002000000000085"), "a trip of a loop that is not opened");
}

static void test_small_buffers(void)
{
	u64 words[RONDO_SLOTS_PER_BUNDLE] = { 0 };
	char line[8];

	tap_eq(rondo_disasm_bundle(words, line, sizeof(line)), 3, "length of a line");
	tap_eq(rondo_disasm_bundle(words, line, 4), 3, "with just enough room");
	words[RONDO_C] = ~0ull;
	tap_eq(rondo_disasm_bundle(words, line, sizeof(line)), 7, "a line that is cut");
	tap_ok(!strcmp(line, "c: ?fff"), "is still terminated");
	tap_eq(rondo_disasm_bundle(words, line, 0), 0, "no room at all");
}

int main(void)
{
	test_lines();
	test_slots();
	test_bundles();
	test_small_buffers();
	return tap_done();
}
