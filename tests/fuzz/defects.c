// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A defect is made in the tables or the text of the builder, before the claims are computed, or in
 * the finished bytes. The verifier goes through tables and text in order, so that the first thing
 * wrong is the only one; what is changed must not make something earlier wrong.
 */
#include "tests/fuzz/defects.h"
#include "tests/random.h"

#include <stdio.h>

enum {
	FREE_SRAM = 512 * 1024, /* that generated programs leave alone */
	ANY_SLOT = RONDO_SLOTS_PER_BUNDLE,
};

struct injector {
	struct builder *b;
	u64 choice;
	struct rondo_verdict expected; /* but for the code */
	u64 budget;
	/* What is found by find(), and what stands there. */
	u32 bundle, slot, depth;
	struct rondo_op op;
};

static u32 pick(struct injector *j, u32 count)
{
	return random_below(&j->choice, count);
}

static void expect(struct injector *j, u32 index, u32 slot)
{
	j->expected.index = index;
	j->expected.slot = slot;
}

/* The text. */

/* How many loops are open in bundle @at. */
static u32 depth_of(const struct builder *b, u32 at)
{
	struct rondo_op op;
	u32 i, depth = 0;

	for (i = 0; i < at; i++) {
		rondo_decode(b->bundles[i][RONDO_C], &op);
		if (!rondo_op_is_loop(op.op))
			continue;
		if (at <= i + op.body)
			depth += rondo_loop_nest(&op);
	}
	return depth;
}

typedef bool fits_fn(const struct injector *j);

/* Some word of the text, in @slot or in any, that @fits. */
static bool find(struct injector *j, u32 slot, fits_fn *fits)
{
	u32 words = j->b->header.bundles * RONDO_SLOTS_PER_BUNDLE, at = pick(j, words), i;

	for (i = 0; i < words; i++, at = (at + 1) % words) {
		j->bundle = at / RONDO_SLOTS_PER_BUNDLE;
		j->slot = at % RONDO_SLOTS_PER_BUNDLE;
		if (slot != ANY_SLOT && j->slot != slot)
			continue;
		rondo_decode(j->b->bundles[j->bundle][j->slot], &j->op);
		j->depth = 0;
		if (j->slot < RONDO_V0 || !fits)
			j->depth = depth_of(j->b, j->bundle);
		if (fits && !fits(j))
			continue;
		expect(j, j->bundle, j->slot);
		return true;
	}
	return false;
}

static void set_word(struct injector *j, u64 word)
{
	j->b->bundles[j->bundle][j->slot] = word;
}

/* j->op takes the place of what was found. */
static bool replace(struct injector *j)
{
	return rondo_encode(&j->op, &j->b->bundles[j->bundle][j->slot]);
}

/* @count empty bundles outside of all loops; returns the first. */
static u32 insert(struct injector *j, u32 count)
{
	struct builder *b = j->b;
	u32 at = pick(j, b->header.bundles), i;

	while (depth_of(b, at))
		at++; /* the last bundle stands in no loop */
	for (i = 0; i < count; i++)
		build_bundle(b);
	memmove(b->bundles[at + count], b->bundles[at],
		(b->header.bundles - at - count) * sizeof(*b->bundles));
	memset(b->bundles[at], 0, count * sizeof(*b->bundles));
	return at;
}

static void put(struct injector *j, u32 bundle, u32 slot, struct rondo_op op)
{
	op.count += !op.count;
	op.rows += !op.rows;
	op.body += !op.body;
	op.trip[0] += !op.trip[0];
	op.trip[1] += !op.trip[1];
	op.trip[2] += !op.trip[2];
	if (!rondo_encode(&op, &j->b->bundles[bundle][slot]))
		abort();
}

static bool has_dst(const struct rondo_op *op)
{
	return rondo_ops[op->op].latency;
}

/* A register that nothing writes; the generator leaves most of them alone. */
static u32 unused_register(const struct injector *j)
{
	struct rondo_op op;
	u64 written = 0;
	u32 i, slot;

	for (i = 0; i < j->b->header.bundles; i++) {
		for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			rondo_decode(j->b->bundles[i][slot], &op);
			if (has_dst(&op))
				written |= 1ull << op.dst;
		}
	}
	return (u32)__builtin_ctzll(~written);
}

/* What a place must be like. */

static u8 format_of(const struct injector *j)
{
	return rondo_ops[j->op.op].format;
}

static bool is_nop(const struct injector *j)
{
	return !j->op.op;
}

static bool is_op(const struct injector *j)
{
	return j->op.op;
}

static bool is_nop_not_last(const struct injector *j)
{
	return is_nop(j) && j->bundle + 1 < j->b->header.bundles;
}

static bool is_deep_nop(const struct injector *j)
{
	return is_nop(j) && j->depth > RONDO_DMA_LOOP_DEPTH;
}

static bool has_params(const struct injector *j)
{
	return rondo_op_has_params(j->op.op);
}

static bool is_store(const struct injector *j)
{
	return format_of(j) == RONDO_FMT_STORE;
}

static bool is_push(const struct injector *j)
{
	return rondo_op_reads_weights(j->op.op);
}

static bool has_entry(const struct injector *j)
{
	return rondo_op_has_entry(j->op.op);
}

static bool has_entry_inside(const struct injector *j)
{
	return has_entry(j) && j->depth < RONDO_LOOP_DEPTH;
}

static bool has_sram(const struct injector *j)
{
	return rondo_op_has_address(j->op.op);
}

static bool has_wide_sram(const struct injector *j)
{
	return rondo_element_bytes(j->op.op) > 1;
}

static bool has_acc_row(const struct injector *j)
{
	return rondo_op_has_acc(j->op.op);
}

static bool is_loop(const struct injector *j)
{
	return rondo_op_is_loop(j->op.op);
}

static bool is_start(const struct injector *j)
{
	return j->op.op == RONDO_OP_dma && !j->op.last;
}

static bool is_shallow_start(const struct injector *j)
{
	return is_start(j) && j->depth < RONDO_DMA_LOOP_DEPTH;
}

static bool reads_a(const struct injector *j)
{
	return rondo_op_has_role(j->op.op, RONDO_ROLE_SRC);
}

/* Whether the bundle before writes a register that is still in flight; its register in *@reg. */
static bool flies_from_before(const struct injector *j, u8 *reg)
{
	struct rondo_op op;
	u32 slot;

	for (slot = RONDO_L0; j->bundle && slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		rondo_decode(j->b->bundles[j->bundle - 1][slot], &op);
		*reg = op.dst;
		if (has_dst(&op) && rondo_latency(&j->b->machine, op.op) > 1)
			return true;
	}
	return false;
}

static bool reads_after_write(const struct injector *j)
{
	u8 reg;

	return reads_a(j) && flies_from_before(j, &reg);
}

/* Whether an earlier slot of the bundle writes a register too; it in *@reg. */
static bool writes_before(const struct injector *j, u8 *reg)
{
	struct rondo_op op;
	u32 slot;

	for (slot = RONDO_L0; slot < j->slot; slot++) {
		rondo_decode(j->b->bundles[j->bundle][slot], &op);
		*reg = op.dst;
		if (has_dst(&op))
			return true;
	}
	return false;
}

static bool writes_second(const struct injector *j)
{
	u8 reg;

	return has_dst(&j->op) && writes_before(j, &reg);
}

/* The operation that was found gets an entry of its own, a copy. */
static struct rondo_entry *own_entry(struct injector *j)
{
	j->op.entry = (u16)build_entry(j->b, j->b->entries[j->op.entry]);
	replace(j);
	return &j->b->entries[j->op.entry];
}

static struct rondo_desc *own_desc(struct injector *j)
{
	j->op.desc = (u16)build_desc(j->b, j->b->descs[j->op.desc]);
	replace(j);
	return &j->b->descs[j->op.desc];
}

/* Defects of tables. */

static bool slot_align(struct injector *j)
{
	static const u16 wrong[] = { 0, 2, 3, 48, 8192 };
	u32 i = pick(j, j->b->header.slots);

	j->b->slots[i].align = wrong[pick(j, 5)];
	expect(j, i, 0);
	return true;
}

static bool slot_flags(struct injector *j)
{
	u32 i = pick(j, j->b->header.slots);

	j->b->slots[i].flags |= (u16)(RONDO_SLOT_FLAGS + 1);
	expect(j, i, 0);
	return true;
}

static bool entry_reserved(struct injector *j)
{
	u32 i = pick(j, j->b->header.entries);
	struct rondo_entry *e = &j->b->entries[i];

	expect(j, i, 0);
	e->seg_stride = e->seg_len ? e->seg_stride : 4 << pick(j, 8);
	e->reserved = e->seg_len != 0;
	return true;
}

static struct rondo_desc *some_desc(struct injector *j)
{
	u32 i = pick(j, j->b->header.descs);

	expect(j, i, 0);
	return &j->b->descs[i];
}

static bool desc_field(struct injector *j)
{
	struct rondo_desc *d = some_desc(j);

	switch (pick(j, 5)) {
	case 0:
		d->dir = RONDO_DMA_DIRS;
		break;
	case 1:
		d->mode = RONDO_DMA_MODES;
		break;
	case 2:
		d->row_bytes = 0;
		break;
	case 3:
		d->row_bytes = j->b->machine.sram_bytes + 1;
		break;
	default:
		d->count[pick(j, RONDO_DMA_DIMS)] = 0;
	}
	return true;
}

static bool desc_slot(struct injector *j)
{
	some_desc(j)->slot = (u16)(j->b->header.slots + pick(j, 100));
	return true;
}

static bool desc_tiles(struct injector *j)
{
	struct rondo_desc *d = some_desc(j);

	d->x1 = j->b->machine.mesh_w;
	if (pick(j, 2))
		d->y0 = d->y1 + 1u;
	return true;
}

static struct rondo_desc *some_out(struct injector *j)
{
	struct rondo_desc *d;

	do
		d = some_desc(j);
	while (d->dir != RONDO_DMA_OUT); /* the last is one */
	return d;
}

static bool desc_out_mode(struct injector *j)
{
	struct rondo_desc *d = some_out(j);

	while (d->mode == RONDO_DMA_TILE)
		d->mode = (u8)pick(j, RONDO_DMA_MODES);
	d->slot_x = d->slot_y = 0;
	return true;
}

static bool desc_out_overlap(struct injector *j)
{
	struct rondo_desc *d = some_out(j);
	u32 k = pick(j, RONDO_DMA_DIMS);

	d->count[k] = 2;
	d->slot_stride[k] = (s64)d->row_bytes - 1;
	return true;
}

/* Defects of words. */

static bool opcode(struct injector *j)
{
	u32 op = 1 + pick(j, RONDO_OPCODES - 1);

	while (rondo_ops[op].format != RONDO_FMT_NONE)
		op = op % (RONDO_OPCODES - 1) + 1;
	if (find(j, ANY_SLOT, NULL))
		set_word(j, op);
	return true;
}

static bool opcode_slot(struct injector *j)
{
	u32 op = 1 + pick(j, RONDO_OPCODES - 1);

	find(j, ANY_SLOT, NULL);
	while (rondo_ops[op].format == RONDO_FMT_NONE || rondo_ops[op].slots >> j->slot & 1)
		op = op % (RONDO_OPCODES - 1) + 1;
	set_word(j, op);
	return true;
}

/* A bit that belongs to no field of the operation. */
static bool canonical(struct injector *j)
{
	u32 bit = pick(j, 57), i;
	struct rondo_op op;

	if (!find(j, ANY_SLOT, is_op))
		return false;
	for (i = 0; i < 57; i++, bit = (bit + 1) % 57) {
		u64 word = j->b->bundles[j->bundle][j->slot] | 1ull << (7 + bit);

		if (rondo_decode(word, &op))
			continue;
		set_word(j, word);
		return true;
	}
	return false;
}

static bool parameters(struct injector *j)
{
	bool found = find(j, ANY_SLOT, has_params);

	j->op.params = (u8)(RONDO_VREGS - 1 - pick(j, 2));
	return found && replace(j);
}

static bool lanes(struct injector *j)
{
	bool found = find(j, ANY_SLOT, is_store);

	j->op.count = (u8)j->b->machine.lanes;
	j->op.lane = (u8)(1 + pick(j, j->b->machine.lanes - 1));
	return found && replace(j);
}

static bool weight_rows(struct injector *j)
{
	bool found = find(j, ANY_SLOT, is_push);

	j->op.count = (u8)j->b->machine.lanes;
	j->op.wrow = (u8)(1 + pick(j, j->b->machine.lanes - 1));
	return found && replace(j);
}

static bool push_mode(struct injector *j)
{
	if (!find(j, ANY_SLOT, is_push))
		return false;
	j->op.mode = (u8)(2 + pick(j, 2));
	own_entry(j)->first = 0;
	return true;
}

static bool entry_index(struct injector *j)
{
	bool found = find(j, ANY_SLOT, has_entry);
	u32 entries = j->b->header.entries;

	j->op.entry = (u16)(entries + pick(j, RONDO_ENTRIES_MAX - entries));
	return found && replace(j);
}

static bool entry_loop(struct injector *j)
{
	struct rondo_entry *e;
	u32 d;

	if (!find(j, ANY_SLOT, has_entry_inside))
		return false;
	e = own_entry(j);
	d = j->depth + pick(j, RONDO_LOOP_DEPTH - j->depth);
	if (pick(j, 2))
		e->stride[d] = 64;
	else
		e->row_stride[d] = 1;
	return true;
}

static bool entry_align(struct injector *j)
{
	if (!find(j, ANY_SLOT, has_wide_sram))
		return false;
	own_entry(j)->base += 1;
	return true;
}

static bool sram_bounds(struct injector *j)
{
	if (!find(j, ANY_SLOT, has_sram))
		return false;
	own_entry(j)->base += j->b->machine.sram_bytes;
	return true;
}

static bool acc_bounds(struct injector *j)
{
	bool found = find(j, ANY_SLOT, has_acc_row);

	j->op.row = (u16)(j->b->machine.acc_rows + pick(j, 1024u - j->b->machine.acc_rows));
	return found && replace(j);
}

static bool mask(struct injector *j)
{
	bool found = find(j, RONDO_C, is_nop);

	j->op = OP(mask, .x1 = j->b->machine.mesh_w);
	if (pick(j, 2))
		j->op = OP(mask, .y0 = 1);
	return found && replace(j);
}

static bool mesh(struct injector *j)
{
	bool found = find(j, RONDO_V1, is_nop);

	j->op = OP(bc_row, .imm = j->b->machine.mesh_w + (s32)pick(j, 100));
	if (pick(j, 2))
		j->op = OP(bc_col, .imm = -1 - (s32)pick(j, 100));
	return found && replace(j);
}

/* Defects of loops and of the end. */

static bool loop_end(struct injector *j)
{
	bool found = find(j, RONDO_C, is_loop);

	j->op.body = j->b->header.bundles;
	return found && replace(j);
}

static bool loop_depth(struct injector *j)
{
	u32 at = insert(j, RONDO_LOOP_DEPTH + 2), i;

	for (i = 0; i <= RONDO_LOOP_DEPTH; i++)
		put(j, at + i, RONDO_C, OP(loop1, .body = RONDO_LOOP_DEPTH + 1 - i));
	expect(j, at + RONDO_LOOP_DEPTH, RONDO_C);
	return true;
}

static bool loop_trips(struct injector *j)
{
	u32 at = insert(j, 3);

	put(j, at, RONDO_C, OP(loop1, .body = 2, .trip = { 1ull << 31 }));
	put(j, at + 1, RONDO_C, OP(loop1, .trip = { 1ull << 32 }));
	expect(j, at + 1, RONDO_C);
	return true;
}

static bool halt_early(struct injector *j)
{
	bool found = find(j, RONDO_C, is_nop_not_last);

	j->op = OP(halt, .count = 0);
	return found && replace(j);
}

static bool halt_missing(struct injector *j)
{
	j->bundle = j->b->header.bundles - 1;
	j->slot = RONDO_C;
	set_word(j, 0);
	expect(j, j->bundle, RONDO_C);
	return true;
}

static bool halt_channels(struct injector *j)
{
	halt_missing(j);
	put(j, j->bundle, RONDO_C, OP(halt, .wait = { 0, 1, 1, 1 }));
	return true;
}

/* Defects of registers. */

static bool reg_undefined(struct injector *j)
{
	bool found = find(j, ANY_SLOT, reads_a);

	j->op.a = (u8)unused_register(j);
	return found && replace(j);
}

static bool reg_in_flight(struct injector *j)
{
	return find(j, ANY_SLOT, reads_after_write) && flies_from_before(j, &j->op.a) && replace(j);
}

static bool reg_twice(struct injector *j)
{
	return find(j, ANY_SLOT, writes_second) && writes_before(j, &j->op.dst) && replace(j);
}

static bool reg_loop(struct injector *j)
{
	u32 reg = unused_register(j), at = insert(j, 2);

	put(j, at, RONDO_C, OP(loop1, .trip = { 2 + pick(j, 100) }));
	put(j, at + 1, RONDO_V0, OP(iota, .dst = (u8)reg));
	expect(j, at + 1, RONDO_C);
	return true;
}

/* Defects of transfers. */

static bool dma_depth(struct injector *j)
{
	bool found = find(j, RONDO_C, is_deep_nop);

	j->op = OP(wait, .wait = { 1 });
	return found && replace(j);
}

static bool dma_desc(struct injector *j)
{
	bool found = find(j, RONDO_C, is_start);
	u32 descs = j->b->header.descs;

	j->op.desc = (u16)(descs + pick(j, RONDO_DESCS_MAX - descs));
	return found && replace(j);
}

static bool dma_last(struct injector *j)
{
	bool found = find(j, RONDO_C, is_start);

	j->op.last = (u8)(j->depth + 1 + pick(j, 15 - j->depth));
	return found && replace(j);
}

static bool dma_loop_index(struct injector *j)
{
	if (!find(j, RONDO_C, is_shallow_start))
		return false;
	own_desc(j)->sram_loop[j->depth + pick(j, RONDO_DMA_LOOP_DEPTH - j->depth)] = 64;
	return true;
}

static bool dma_sram_bounds(struct injector *j)
{
	if (!find(j, RONDO_C, is_start))
		return false;
	own_desc(j)->sram_base += j->b->machine.sram_bytes;
	return true;
}

static bool dma_slot_bounds(struct injector *j)
{
	if (!find(j, RONDO_C, is_start))
		return false;
	own_desc(j)->slot_base = (1ull << 63) - pick(j, 2);
	return true;
}

static bool dma_race(struct injector *j)
{
	u32 reg = unused_register(j), at = insert(j, 2);
	u32 entry = build_entry(j->b, (struct rondo_entry){ .base = FREE_SRAM + 4 * pick(j, 16) });
	u32 desc = build_desc(j->b, (struct rondo_desc){ .row_bytes = 64, .sram_base = FREE_SRAM });

	put(j, at, RONDO_C, OP(dma, .desc = (u16)desc, .channel = (u8)pick(j, 4)));
	put(j, at + 1, RONDO_L1, OP(ld_w, .entry = (u16)entry, .dst = (u8)reg));
	expect(j, at + 1, RONDO_L1);
	return true;
}

static bool dma_slot_race(struct injector *j)
{
	u32 at = insert(j, 2), channel = pick(j, 3);
	u32 desc = build_desc(j->b, (struct rondo_desc){ .row_bytes = 64,
							 .dir = RONDO_DMA_OUT,
							 .slot = (u16)build_slot(j->b, 0),
							 .sram_base = FREE_SRAM });

	put(j, at, RONDO_C, OP(dma, .desc = (u16)desc, .channel = (u8)channel));
	put(j, at + 1, RONDO_C, OP(dma, .desc = (u16)desc, .channel = (u8)(channel + 1)));
	expect(j, at + 1, RONDO_C);
	return true;
}

/* Defects of the finished bytes. */

static void size(struct injector *j, u8 *bytes, u64 *length)
{
	(void)bytes;
	*length -= 8 * (1 + pick(j, 20));
}

static void magic(struct injector *j, u8 *bytes, u64 *length)
{
	struct rondo_program_header *h = (void *)bytes;

	(void)length;
	if (pick(j, 2))
		h->magic ^= 1u << pick(j, 32);
	else
		h->version += 1u;
}

static void reserved(struct injector *j, u8 *bytes, u64 *length)
{
	(void)length;
	((struct rondo_program_header *)bytes)->reserved = 1 + pick(j, 100);
}

static void machine(struct injector *j, u8 *bytes, u64 *length)
{
	(void)length;
	((struct rondo_program_header *)bytes)->machine_hash ^= 1ull << pick(j, 64);
}

static void machine_unsupported(struct injector *j, u8 *bytes, u64 *length)
{
	(void)length;
	j->b->machine.dma_startup += 1 + pick(j, 100);
	((struct rondo_program_header *)bytes)->machine_hash = rondo_machine_hash(&j->b->machine);
}

static void count(struct injector *j, u8 *bytes, u64 *length)
{
	struct rondo_program_header *h = (void *)bytes;

	(void)length;
	if (pick(j, 2))
		h->bundles = 0;
	else
		h->slots = RONDO_PROGRAM_SLOTS_MAX + 1;
}

static void slot_extent(struct injector *j, u8 *bytes, u64 *length)
{
	struct rondo_slot *slots = (void *)(bytes + sizeof(struct rondo_program_header));
	u32 i = pick(j, j->b->header.slots);

	(void)length;
	if (pick(j, 2))
		slots[i].read_hi += 1;
	else
		slots[i].write_hi += 1;
	expect(j, i, 0);
}

static void cycles(struct injector *j, u8 *bytes, u64 *length)
{
	(void)length;
	((struct rondo_program_header *)bytes)->cycles += pick(j, 2) ? 1 : -1ull;
}

static void budget(struct injector *j, u8 *bytes, u64 *length)
{
	(void)length;
	j->budget = ((struct rondo_program_header *)bytes)->cycles - 1;
}

static const struct kind {
	enum rondo_error code;
	bool (*inject)(struct injector *j); /* false: there is no place for it */
	void (*damage)(struct injector *j, u8 *bytes, u64 *length);
} kinds[] = {
	{ RONDO_ERR_SIZE, NULL, size },
	{ RONDO_ERR_MAGIC, NULL, magic },
	{ RONDO_ERR_MACHINE, NULL, machine },
	{ RONDO_ERR_MACHINE_UNSUPPORTED, NULL, machine_unsupported },
	{ RONDO_ERR_COUNT, NULL, count },
	{ RONDO_ERR_RESERVED, NULL, reserved },
	{ RONDO_ERR_SLOT_ALIGN, slot_align, NULL },
	{ RONDO_ERR_SLOT_FLAGS, slot_flags, NULL },
	{ RONDO_ERR_SLOT_EXTENT, NULL, slot_extent },
	{ RONDO_ERR_ENTRY_RESERVED, entry_reserved, NULL },
	{ RONDO_ERR_DESC_FIELD, desc_field, NULL },
	{ RONDO_ERR_DESC_SLOT, desc_slot, NULL },
	{ RONDO_ERR_DESC_TILES, desc_tiles, NULL },
	{ RONDO_ERR_DESC_OUT_MODE, desc_out_mode, NULL },
	{ RONDO_ERR_DESC_OUT_OVERLAP, desc_out_overlap, NULL },
	{ RONDO_ERR_OPCODE, opcode, NULL },
	{ RONDO_ERR_OPCODE_SLOT, opcode_slot, NULL },
	{ RONDO_ERR_CANONICAL, canonical, NULL },
	{ RONDO_ERR_LANES, lanes, NULL },
	{ RONDO_ERR_REGISTER, parameters, NULL },
	{ RONDO_ERR_LOOP_DEPTH, loop_depth, NULL },
	{ RONDO_ERR_LOOP_END, loop_end, NULL },
	{ RONDO_ERR_LOOP_TRIPS, loop_trips, NULL },
	{ RONDO_ERR_HALT, halt_early, NULL },
	{ RONDO_ERR_HALT, halt_missing, NULL },
	{ RONDO_ERR_HALT_CHANNELS, halt_channels, NULL },
	{ RONDO_ERR_ENTRY_INDEX, entry_index, NULL },
	{ RONDO_ERR_ENTRY_LOOP, entry_loop, NULL },
	{ RONDO_ERR_ENTRY_ALIGN, entry_align, NULL },
	{ RONDO_ERR_SRAM_BOUNDS, sram_bounds, NULL },
	{ RONDO_ERR_ACC_BOUNDS, acc_bounds, NULL },
	{ RONDO_ERR_WEIGHT_BOUNDS, weight_rows, NULL },
	{ RONDO_ERR_PUSH_MODE, push_mode, NULL },
	{ RONDO_ERR_REG_UNDEFINED, reg_undefined, NULL },
	{ RONDO_ERR_REG_IN_FLIGHT, reg_in_flight, NULL },
	{ RONDO_ERR_REG_TWICE, reg_twice, NULL },
	{ RONDO_ERR_REG_LOOP, reg_loop, NULL },
	{ RONDO_ERR_DMA_DEPTH, dma_depth, NULL },
	{ RONDO_ERR_DMA_DESC, dma_desc, NULL },
	{ RONDO_ERR_DMA_LAST, dma_last, NULL },
	{ RONDO_ERR_DMA_LOOP_INDEX, dma_loop_index, NULL },
	{ RONDO_ERR_DMA_SRAM_BOUNDS, dma_sram_bounds, NULL },
	{ RONDO_ERR_DMA_SLOT_BOUNDS, dma_slot_bounds, NULL },
	{ RONDO_ERR_DMA_RACE, dma_race, NULL },
	{ RONDO_ERR_DMA_SLOT_RACE, dma_slot_race, NULL },
	{ RONDO_ERR_MASK, mask, NULL },
	{ RONDO_ERR_MESH, mesh, NULL },
	{ RONDO_ERR_CYCLES, NULL, cycles },
	{ RONDO_ERR_BUDGET, NULL, budget },
};

u32 defect_kinds(void)
{
	return sizeof(kinds) / sizeof(kinds[0]);
}

enum rondo_error defect_code(u32 kind)
{
	return kinds[kind].code;
}

/* The verdict on the program with the right claims, but for what @kind damages. */
static struct rondo_verdict judge(struct injector *j, const struct kind *kind)
{
	struct builder *b = j->b;
	u64 length;
	u8 *bytes = build_bytes(b, &length);

	rondo_measure_init(b->verify, &b->machine, bytes, length);
	while (rondo_verify_step(b->verify, ~0u))
		;
	if (!rondo_verify_verdict(b->verify)->code) {
		rondo_measure_claim(b->verify, bytes);
		if (kind->damage)
			kind->damage(j, bytes, &length);
		rondo_verify_init(b->verify, &b->machine, bytes, length, j->budget);
		while (rondo_verify_step(b->verify, 1 + pick(j, 20)))
			;
	}
	free(bytes);
	return *rondo_verify_verdict(b->verify);
}

enum defect_outcome defect_try(struct builder *b, u32 kind, u64 choice, char why[DEFECT_WHY_BYTES])
{
	struct injector j = { .b = b, .choice = random_seed(choice) };
	struct rondo_verdict verdict;

	if (kinds[kind].inject && !kinds[kind].inject(&j))
		return DEFECT_NO_PLACE;
	verdict = judge(&j, &kinds[kind]);
	if (verdict.code == kinds[kind].code && verdict.index == j.expected.index &&
	    verdict.slot == j.expected.slot)
		return DEFECT_FOUND;
	snprintf(why, DEFECT_WHY_BYTES, "%s at %u, slot %u, was found as %s at %u, slot %u",
		 rondo_error_name(kinds[kind].code), j.expected.index, j.expected.slot,
		 rondo_error_name(verdict.code), verdict.index, verdict.slot);
	return DEFECT_MISSED;
}
