/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What products of bytes need beside those of floats: weights of four bytes a container, and the
 * parameters of Requantize.
 *
 * Pushes multiply bytes x by weights w - zero of 9 bits. The zero of x is not subtracted: padding
 * holds it, so that its share of each sum is the same for all pixels, and part of the bias.
 */
#ifndef COMPILER_LOWER_QUANTISED_H
#define COMPILER_LOWER_QUANTISED_H

#include "compiler/lower.h"
#include "compiler/quantise.h"

struct quantised_product {
	enum rondo_opcode push, store;
	u8 weight_zero; /* the operand of wl_s8 */
	bool preset; /* nothing requantises the sums: they begin with the first parameter */
	struct mir_ref parameters; /* [outer dimensions that move the weights][column] */
	s64 part[3]; /* bytes from it to bias, multiplier, and what is packed in one container; */
	bool one[3]; /* for all columns */
	s64 parameter_stride[STAGE_DIMS]; /* bytes */
	s64 stride[STAGE_DIMS]; /* of quantised_words(), in containers */
};

/* Prepares the product @s, or a tile of it, whose first @outer dimensions are around its pixels. */
int quantised_product(struct lowering *l, const struct stage *s, int outer,
		      struct quantised_product *q);

/*
 * The weights of the product @whole, four in a container: [outer dimensions that move them][column]
 * [ky][kx][container]. NULL: no memory.
 */
const u32 *quantised_words(struct lowering *l, const struct stage *whole,
			   const struct quantised_product *q);

/* The same of bf16, two in a container, and what each dimension moves them by, in containers. */
const u32 *narrow_words(struct lowering *l, const struct stage *whole);
void narrow_strides(const struct stage *whole, s64 stride[STAGE_DIMS]);

/* A convolution whose channels do not mix, on the vector units. */
int lower_quantised_depthwise(struct lowering *l, const struct stage *s, const struct plan *p);

/* One s32 in every lane. */
vreg lower_s32(struct lowering *l, s32 x);

/* Tables of 256 bytes in registers, as many as each takes. */
enum { LOOKUP_TABLES = 4, LOOKUP_REGISTERS = 64 };

struct lookup {
	int registers;
	vreg limit[LOOKUP_REGISTERS]; /* the first byte of each but the first */
	vreg table[LOOKUP_TABLES][LOOKUP_REGISTERS];
};

/* Loads @tables tables, one after the other; 0, or a message: registers are too short. */
int lower_lookup(struct lowering *l, const struct node *n, int tables, const u8 (*bytes)[256],
		 struct lookup *t);

/* Byte @x of table @i; @x is 0..255. */
vreg lookup(struct mir *m, const struct lookup *t, int i, vreg x);

/* The container that rq_* takes as its third parameter, for the channel of @r. */
u32 quantised_packed(const struct requantise *r);

/* The operation that requantises as @n says: of a register, or of an accumulator row as stored. */
enum rondo_opcode quantised_op(const struct node *n);
enum rondo_opcode quantised_store_op(const struct node *n);

#endif
