// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The signature of the control path, term by term from what the bundle at hand is executed with.
 */
#include "emulator/reference/state.h"

#define PRIME ((1ull << 61) - 1)

enum {
#define WEIGHT(name, value, meaning) WEIGHT_##name,
#define PLACE(name, value, meaning)
#include "spec/signature.def"
};

enum {
#define WEIGHT(name, value, meaning)
#define PLACE(name, value, meaning) PLACE_##name,
#include "spec/signature.def"
};

static const u64 weight[] = {
#define WEIGHT(name, value, meaning) value,
#define PLACE(name, value, meaning)
#include "spec/signature.def"
};

static const s64 small[] = {
#define WEIGHT(name, value, meaning)
#define PLACE(name, value, meaning) value,
#include "spec/signature.def"
};

static u64 modulo(__int128 x)
{
	__int128 rest = x % (__int128)PRIME;

	return (u64)(rest < 0 ? rest + (__int128)PRIME : rest);
}

static u64 times(u64 a, u64 b)
{
	return (u64)((unsigned __int128)a * b % PRIME);
}

static void add(u64 *sum, u64 term)
{
	*sum = (*sum + term) % PRIME;
}

/* address + 2^32 * row of the operation that stands in @slot. */
static __int128 place_of(const struct reference *r, const struct rondo_op *op, u32 slot)
{
	const struct rondo_entry *entry = &r->program.entries[op->entry];
	bool sram = rondo_op_has_address(op->op), row = rondo_op_has_row(op->op);
	__int128 place = 0;
	u32 d;

	if (sram)
		place += (__int128)entry->base + op->off;
	if (row)
		place += (__int128)(slot == RONDO_W ? op->wrow : op->row) << 32;
	for (d = 0; d < RONDO_LOOP_DEPTH; d++) {
		__int128 index = (__int128)ref_loop_index(r, d);

		if (sram)
			place += entry->stride[d] * index;
		if (row)
			place += ((__int128)1 << 32) * entry->row_stride[d] * index;
	}
	return place;
}

static u64 sum_of_first(const struct reference *r, const struct rondo_entry *entry)
{
	u64 sum = 0;
	u32 d;

	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		if (entry->first >> d & 1)
			sum += ref_loop_index(r, d);
	return sum;
}

/* All terms of the entry of the operation in @slot. */
static u64 entry_terms(const struct reference *r, u32 slot)
{
	const struct rondo_op *op = &r->op[slot];
	const struct rondo_entry *entry = &r->program.entries[op->entry];
	u32 nth = slot - RONDO_L0;
	u64 pattern = entry->seg_len + ((u64)(u32)entry->seg_stride << 16);
	u64 place = modulo(small[PLACE_L0 + nth] * place_of(r, op, slot)), sum = 0;

	if (op->mode == 2) { /* only a push has a mode */
		pattern += (u64)entry->first << 48;
		add(&place, times((u64)small[PLACE_FIRST], sum_of_first(r, entry)));
	}
	add(&sum, times(weight[WEIGHT_PATTERN_L0 + nth], pattern));
	add(&sum, times(weight[WEIGHT_PLACES], place));
	if (rondo_op_has_rows(op->op))
		add(&sum, times(weight[WEIGHT_PITCH_L0 + nth], (u32)entry->pitch));
	return sum;
}

static u64 start_terms(const struct reference *r)
{
	const struct rondo_op *op = &r->op[RONDO_C];
	const struct rondo_desc *desc = &r->program.descs[op->desc];
	u64 word[sizeof(*desc) / sizeof(u64)], sum = 0;
	__int128 sram = 0, slot = 0;
	u32 i;

	memcpy(word, desc, sizeof(word));
	for (i = 0; i < sizeof(*desc) / sizeof(u64); i++)
		add(&sum, times(weight[WEIGHT_DESC_0 + i], word[i]));
	for (i = 0; i < RONDO_DMA_LOOP_DEPTH; i++) {
		sram += (__int128)desc->sram_loop[i] * ref_loop_index(r, i);
		slot += (__int128)desc->slot_loop[i] * ref_loop_index(r, i);
	}
	add(&sum, times(weight[WEIGHT_DMA_SRAM], modulo(sram)));
	add(&sum, times(weight[WEIGHT_DMA_SLOT], modulo(slot)));
	if (op->last)
		add(&sum, times(weight[WEIGHT_LAST], ref_loop_index(r, op->last - 1u)));
	return sum;
}

void ref_sign(struct reference *r)
{
	u64 value = 0;
	u32 slot;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		add(&value, times(weight[WEIGHT_WORD_C + slot], r->program.bundles[r->at][slot]));
	for (slot = RONDO_L0; slot <= RONDO_M; slot++)
		if (r->op[slot].op)
			add(&value, entry_terms(r, slot));
	if (r->op[RONDO_C].op == RONDO_OP_dma)
		add(&value, start_terms(r));
	add(&r->result->signature, times(r->weight, value));
	r->weight = times(r->weight, weight[WEIGHT_STEP]);
}
