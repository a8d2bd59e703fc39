// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/mod61.h"
#include "core/signature.h"

enum weight {
#define WEIGHT(name, value, meaning) RONDO_SIG_##name,
#define PLACE(name, value, meaning)
#include "spec/signature.def"
	RONDO_SIG_WEIGHTS,
};

static const u64 weights[RONDO_SIG_WEIGHTS] = {
#define WEIGHT(name, value, meaning) [RONDO_SIG_##name] = value,
#define PLACE(name, value, meaning)
#include "spec/signature.def"
};

/* The small constants of PLACES: for slots L0, L1, S, W, M in their order, and for FIRST. */
enum place {
#define WEIGHT(name, value, meaning)
#define PLACE(name, value, meaning) RONDO_SIG_PLACE_##name,
#include "spec/signature.def"
	RONDO_SIG_PLACES_COUNT,
};

static const s64 place_weights[RONDO_SIG_PLACES_COUNT] = {
#define WEIGHT(name, value, meaning)
#define PLACE(name, value, meaning) value,
#include "spec/signature.def"
};

enum { DESC_WORDS = sizeof(struct rondo_desc) / sizeof(u64) };

static_assert(RONDO_SIG_DESC_15 - RONDO_SIG_DESC_0 + 1 == DESC_WORDS && DESC_WORDS == 16,
	      "one weight each, in two sums");

/* What PLACES multiplies, in the making. */
struct places {
	s64 constant, factor[RONDO_LOOP_DEPTH];
};

/* The number of @slot (L0, L1, S, W, M) among the weights that start with @first. */
static u64 weight_of(u32 first, u32 slot)
{
	return weights[first + slot - RONDO_L0];
}

/* Eight words times the weights from @first on: eight products of 125 bits are below 2^128. */
static u64 words_value(const u64 words[8], u32 first)
{
	struct rondo_wide sum = { 0 };
	u32 i;

	for (i = 0; i < 8; i++)
		rondo_wide_add(&sum, weights[first + i], words[i]);
	return rondo_wide_mod61(sum);
}

static u64 desc_value(const struct rondo_desc *desc)
{
	u64 word[DESC_WORDS];

	memcpy(word, desc, sizeof(word));
	return mod61_add(words_value(word, RONDO_SIG_DESC_0),
			 words_value(word + 8, RONDO_SIG_DESC_8));
}

static void add_pattern(struct rondo_wide *sum, const struct rondo_entry *entry,
			const struct rondo_op *op, u32 slot)
{
	u64 first = rondo_push_by_trip(op) ? entry->first : 0;
	u64 pattern = entry->seg_len | (u64)(u32)entry->seg_stride << 16 | first << 48;

	if (pattern)
		rondo_wide_add(sum, weight_of(RONDO_SIG_PATTERN_L0, slot), pattern);
	if (rondo_op_has_rows(op->op))
		rondo_wide_add(sum, weight_of(RONDO_SIG_PITCH_L0, slot), (u32)entry->pitch);
}

static void add_static(struct rondo_wide *sum, const struct rondo_program *p, const u64 *words,
		       const struct rondo_bundle *b)
{
	const struct rondo_op *control = &b->slot[RONDO_C], *op;
	u32 slot;

	rondo_wide_add(sum, 1, words_value(words, RONDO_SIG_WORD_C));
	for (slot = RONDO_L0; slot <= RONDO_M; slot++) {
		op = &b->slot[slot];
		if (op->op)
			add_pattern(sum, &p->entries[op->entry], op, slot);
	}
	if (control->op == RONDO_OP_dma)
		rondo_wide_add(sum, 1, desc_value(&p->descs[control->desc]));
}

u64 rondo_signature_static(const struct rondo_program *p, const u64 words[RONDO_SLOTS_PER_BUNDLE],
			   const struct rondo_bundle *b)
{
	struct rondo_wide sum = { 0 };

	add_static(&sum, p, words, b);
	return rondo_wide_mod61_small(sum);
}

u64 rondo_signature_place(u32 slot, s64 address, s64 row)
{
	u64 place = mod61_add(mod61_signed(address), mod61_mul(mod61_signed(row), 1ull << 32));

	place = mod61_mul(place, (u64)place_weights[slot - RONDO_L0]);
	return mod61_mul(place, weights[RONDO_SIG_PLACES]);
}

static void add_place(struct places *sum, const struct rondo_entry *entry,
		      const struct rondo_op *op, u32 slot, u32 depth)
{
	s64 weight = place_weights[slot - RONDO_L0], place = 0;
	u32 d;

	if (rondo_op_has_address(op->op)) {
		place = (s64)entry->base + op->off;
		for (d = 0; d < depth; d++)
			sum->factor[d] += weight * entry->stride[d];
	}
	if (rondo_op_has_row(op->op)) {
		place += (s64)rondo_first_row(op) << 32;
		for (d = 0; d < depth; d++)
			sum->factor[d] += weight * (1ll << 32) * entry->row_stride[d];
	}
	sum->constant += weight * place;
}

static void add_first(struct places *sum, const struct rondo_entry *entry)
{
	u32 first = entry->first;

	for (; first; first &= first - 1)
		sum->factor[__builtin_ctz(first)] += place_weights[RONDO_SIG_PLACE_FIRST];
}

/* Adds PLACES times @sum, of @depth loops. */
static void add_places(struct rondo_affine *value, const struct places *sum, u32 depth)
{
	u64 weight = weights[RONDO_SIG_PLACES];
	u32 d;

	value->constant =
		mod61_add(value->constant, mod61_mul(mod61_signed(sum->constant), weight));
	value->loops = depth;
	for (d = 0; d < depth; d++)
		value->factor[d] = mod61_mul(mod61_signed(sum->factor[d]), weight);
}

static void add_factor(struct rondo_affine *value, u32 d, u64 weight, s64 factor)
{
	u64 term = mod61_mul(mod61_signed(factor), weight);

	while (value->loops <= d)
		value->factor[value->loops++] = 0;
	value->factor[d] = mod61_add(value->factor[d], term);
}

u64 rondo_signature_first(u64 indices)
{
	u64 term = mod61_mul(mod61(indices), (u64)place_weights[RONDO_SIG_PLACE_FIRST]);

	return mod61_mul(term, weights[RONDO_SIG_PLACES]);
}

void rondo_signature_start(struct rondo_affine *value, const struct rondo_desc *desc, u32 last)
{
	u32 d;

	if (last)
		add_factor(value, last - 1, weights[RONDO_SIG_LAST], 1);
	for (d = 0; d < RONDO_DMA_LOOP_DEPTH; d++) {
		if (desc->sram_loop[d])
			add_factor(value, d, weights[RONDO_SIG_DMA_SRAM], desc->sram_loop[d]);
		if (desc->slot_loop[d])
			add_factor(value, d, weights[RONDO_SIG_DMA_SLOT], desc->slot_loop[d]);
	}
}

void rondo_signature_value(struct rondo_affine *value, const struct rondo_program *p,
			   const u64 words[RONDO_SLOTS_PER_BUNDLE], const struct rondo_bundle *b,
			   u32 depth)
{
	const struct rondo_op *control = &b->slot[RONDO_C], *op;
	struct places sum;
	bool places = false;
	u32 slot, d;

	value->constant = rondo_signature_static(p, words, b);
	value->loops = 0;
	sum.constant = 0;
	for (d = 0; d < depth; d++)
		sum.factor[d] = 0;
	for (slot = RONDO_L0; slot <= RONDO_M; slot++) {
		op = &b->slot[slot];
		if (!op->op)
			continue;
		places = true;
		add_place(&sum, &p->entries[op->entry], op, slot, depth);
	}
	if (rondo_push_by_trip(&b->slot[RONDO_M]))
		add_first(&sum, &p->entries[b->slot[RONDO_M].entry]);
	if (places)
		add_places(value, &sum, depth);
	if (control->op == RONDO_OP_dma)
		rondo_signature_start(value, &p->descs[control->desc], control->last);
}

u64 rondo_affine_at(const struct rondo_affine *value, const u64 index[RONDO_LOOP_DEPTH])
{
	u64 sum = value->constant;
	u32 d;

	for (d = 0; d < value->loops; d++)
		sum = mod61_add(sum, mod61_mul(index[d], value->factor[d]));
	return sum;
}

/* *to += factor * *from */
static void add_affine(struct rondo_affine *to, const struct rondo_affine *from, u64 factor)
{
	u32 d;

	while (to->loops < from->loops)
		to->factor[to->loops++] = 0;
	to->constant = mod61_add(to->constant, mod61_mul(from->constant, factor));
	for (d = 0; d < from->loops; d++)
		to->factor[d] = mod61_add(to->factor[d], mod61_mul(from->factor[d], factor));
}

void rondo_stretch_init(struct rondo_stretch *s)
{
	s->weight = 1;
	s->value.constant = 0;
	s->value.loops = 0;
}

static void append(struct rondo_stretch *s, const struct rondo_affine *value, u64 weight)
{
	add_affine(&s->value, value, s->weight);
	s->weight = mod61_mul(s->weight, weight);
}

void rondo_stretch_bundle(struct rondo_stretch *s, const struct rondo_affine *value)
{
	append(s, value, weights[RONDO_SIG_STEP]);
}

/* With q the weight of one trip: q^n, and the sums of q^t and of t * q^t over 0 <= t < n. */
struct powers {
	u64 power, sum, indices;
};

static void double_powers(struct powers *p, u64 n)
{
	u64 shifted = mod61_add(p->indices, mod61_mul(n, p->sum));

	p->indices = mod61_add(p->indices, mod61_mul(p->power, shifted));
	p->sum = mod61_add(p->sum, mod61_mul(p->power, p->sum));
	p->power = mod61_mul(p->power, p->power);
}

static void add_trip(struct powers *p, u64 q, u64 n)
{
	p->sum = mod61_add(p->sum, p->power);
	p->indices = mod61_add(p->indices, mod61_mul(n, p->power));
	p->power = mod61_mul(p->power, q);
}

/* @n >= 1 */
static struct powers powers_of(u64 q, u64 n)
{
	struct powers p = { .power = q, .sum = 1, .indices = 0 };
	u32 bit = 63 - (u32)__builtin_clzll(n);

	while (bit--) {
		u64 half = n >> (bit + 1);

		double_powers(&p, half);
		if (n >> bit & 1)
			add_trip(&p, q, 2 * half);
	}
	return p;
}

void rondo_stretch_repeat(struct rondo_stretch *s, u32 depth, u64 trips)
{
	struct powers p = powers_of(s->weight, trips);
	struct rondo_affine value = { .loops = 0 };

	if (s->value.loops > depth) {
		value.constant = mod61_mul(s->value.factor[depth], p.indices);
		s->value.loops = depth;
	}
	add_affine(&value, &s->value, p.sum);
	s->value = value;
	s->weight = p.power;
}

void rondo_signature_text_init(struct rondo_signature_text *text, u32 depth)
{
	text->depth = depth;
	rondo_stretch_init(&text->level[depth]);
}

void rondo_signature_bundle(struct rondo_signature_text *text, const struct rondo_affine *value)
{
	rondo_stretch_bundle(&text->level[text->depth], value);
}

void rondo_signature_open(struct rondo_signature_text *text)
{
	rondo_stretch_init(&text->level[++text->depth]);
}

void rondo_signature_close(struct rondo_signature_text *text, u64 trips)
{
	struct rondo_stretch *body = &text->level[text->depth--];

	rondo_stretch_repeat(body, text->depth, trips);
	append(&text->level[text->depth], &body->value, body->weight);
}

void rondo_signature_reset(struct rondo_signature *s)
{
	s->sum = 0;
	s->weight = 1;
}

void rondo_signature_step(struct rondo_signature *s, u64 value)
{
	s->sum = mod61_add(s->sum, mod61_mul(s->weight, value));
	s->weight = mod61_mul(s->weight, weights[RONDO_SIG_STEP]);
}

void rondo_signature_pass(struct rondo_signature *s, const struct rondo_stretch *stretch,
			  const u64 index[RONDO_LOOP_DEPTH])
{
	u64 value = rondo_affine_at(&stretch->value, index);

	s->sum = mod61_add(s->sum, mod61_mul(s->weight, value));
	s->weight = mod61_mul(s->weight, stretch->weight);
}
