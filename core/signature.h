/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The control-path signature: one number for all that the sequencer of a device decides during
 * a replay: which bundles it executes, in which order, at which addresses. None of it depends
 * on data, slot offsets or where slots are bound, so that the verifier knows the number before
 * the first run. The device keeps it as it runs; a run whose number is another was disturbed by
 * a fault of the hardware.
 *
 * All arithmetic is modulo the prime 2^61 - 1. The device has two numbers, sum = 0 and
 * weight = 1 at the start. Each bundle that is executed has a value, and does
 *
 *	sum += weight * value,  weight *= STEP
 *
 * and after halt the sum is the signature. The value is the sum over all that the bundle is
 * executed with, each times a constant of spec/signature.def:
 *
 *	WORD_s		the 64-bit word of each slot s
 *	PATTERN_s	seg_len + 2^16 * (seg_stride mod 2^32) + 2^48 * first, of the address entry
 *			of the operation in slot s = L0, L1, S, W or M, if it has one; first counts
 *			as 0 except for a push of mode 2
 *	PITCH_s		pitch mod 2^32 of that entry, for an operation that has rows
 *	PLACES		the sum of
 *	    s			address + 2^32 * row of that operation; an operation on a row only
 *				(rd, rdq) has address 0, one without a field for a row has row 0
 *	    FIRST		the sum of the indices of the loops in first, for a push of mode 2
 *			each times its own small constant
 *	DESC_j		64-bit word j of the descriptor of a start
 *	DMA_SRAM	the sum of sram_loop[d] * index[d] of the descriptor
 *	DMA_SLOT	the sum of slot_loop[d] * index[d]
 *	LAST		the index of the loop that the start names (last not 0)
 *
 * A start that is empty counts like any other. Constants are not 0 modulo the prime, and a number
 * with one bit flipped is another modulo the prime: a single wrong bit in what one bundle is
 * executed with always shows. So does a wrong index in a single bundle, unless its strides cancel
 * each other. About one in 2^61 of all other disturbances leaves the sum as it is.
 *
 * In closed form: a value is affine in the loops' indices, so a piece of the text transforms the
 * two numbers as struct rondo_stretch says. Two pieces one after the other do so, too, and so does
 * a loop of any trip count around one.
 */
#ifndef RONDO_CORE_SIGNATURE_H
#define RONDO_CORE_SIGNATURE_H

#include "core/program.h"

/* constant + sum of factor[d] * index of the loop at depth d, over d < loops. */
struct rondo_affine {
	u64 constant;
	u32 loops;
	u64 factor[RONDO_LOOP_DEPTH];
};

/*
 * A stretch: what a piece of the text does to the two numbers, which is
 *
 *	sum += weight * (value at the indices of the loops around it),  weight *= .weight
 */
struct rondo_stretch {
	u64 weight;
	struct rondo_affine value;
};

/* The stretches of the open loops' bodies so far; level 0 is around all loops. */
struct rondo_signature_text {
	u32 depth; /* open loops */
	struct rondo_stretch level[RONDO_LOOP_DEPTH + 1];
};

/* What a device keeps. */
struct rondo_signature {
	u64 sum, weight;
};

/*
 * The value of a bundle of @p: its @words, decoded in *@b, whose entry and descriptor numbers
 * are in the tables and use the indices of the @depth open loops only.
 */
void rondo_signature_value(struct rondo_affine *value, const struct rondo_program *p,
			   const u64 words[RONDO_SLOTS_PER_BUNDLE], const struct rondo_bundle *b,
			   u32 depth);

/* The parts of it: what does not depend on places or indices, */
u64 rondo_signature_static(const struct rondo_program *p, const u64 words[RONDO_SLOTS_PER_BUNDLE],
			   const struct rondo_bundle *b);
/* the term of the operation of @slot (L0, L1, S, W, M) at @address and @row, */
u64 rondo_signature_place(u32 slot, s64 address, s64 row);
/* that of FIRST, @indices being the sum, */
u64 rondo_signature_first(u64 indices);
/* and those of a start that depend on indices, added to *@value. */
void rondo_signature_start(struct rondo_affine *value, const struct rondo_desc *desc, u32 last);

/* @value with @index of the loops put in. */
u64 rondo_affine_at(const struct rondo_affine *value, const u64 index[RONDO_LOOP_DEPTH]);

/* The empty stretch; @value's bundle after it; a loop at @depth around it. */
void rondo_stretch_init(struct rondo_stretch *s);
void rondo_stretch_bundle(struct rondo_stretch *s, const struct rondo_affine *value);
void rondo_stretch_repeat(struct rondo_stretch *s, u32 depth, u64 trips);

/* The empty text, inside @depth loops that are not part of it. */
void rondo_signature_text_init(struct rondo_signature_text *text, u32 depth);
/* The next bundle; a loop opens, whose first bundle is the next; the innermost ends. */
void rondo_signature_bundle(struct rondo_signature_text *text, const struct rondo_affine *value);
void rondo_signature_open(struct rondo_signature_text *text);
void rondo_signature_close(struct rondo_signature_text *text, u64 trips);

/* What the device does: starts, executes one bundle, or a whole stretch at once. */
void rondo_signature_reset(struct rondo_signature *s);
void rondo_signature_step(struct rondo_signature *s, u64 value);
void rondo_signature_pass(struct rondo_signature *s, const struct rondo_stretch *stretch,
			  const u64 index[RONDO_LOOP_DEPTH]);

#endif
