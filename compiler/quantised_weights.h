/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The weights of a product of bytes, and the parameters that end its sums, by column. */
#ifndef COMPILER_QUANTISED_WEIGHTS_H
#define COMPILER_QUANTISED_WEIGHTS_H

#include "compiler/lower_quantised.h"

/* The weights of a product, without their zero, by their place in its domain. */
struct quantised_weights {
	const struct stage *s;
	const struct value *v, *zero;
	int outer, column, first; /* dimensions: how many are outside, o, ky */
	s64 stride[STAGE_DIMS]; /* bytes */
	s64 columns; /* of one pixel: those of the next one follow */
	s64 matrices; /* as many as the outer dimensions that move them have points */
	s32 lo, hi; /* of all of them, and 0 */
};

/* For the product @s, not a tile of it, whose first @outer dimensions are outside. */
struct quantised_weights quantised_weights_of(const struct stage *s, int outer);

/* Where weight (ky, kx, c) of column @o of matrix @m is, in strides. */
s64 quantised_weight_at(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c);

/* Weight (ky, kx, c), in order, of column @o of matrix @m. */
s32 quantised_weight(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c);

/* The sum of all weights of a column, and their range. */
s64 quantised_sum_column(struct quantised_weights *w, s64 m, s64 o);

/* Zeros that are not constant could not be in padding, or in a bias. 0, or a message. */
int quantised_check_zeros(const struct lowering *l, const struct stage *s);

/* The parameters of a Requantize for columns, in SRAM. */
struct quantised_columns {
	struct mir_ref ref; /* of the first: bias */
	/* Bytes from it to each: bias, multiplier, and what is packed in one container. */
	s64 part[3];
	bool one[3]; /* there is but one container, for all columns */
};

/*
 * Bias, multiplier and the rest of the Requantize for every column of every matrix, once for all
 * tiles; without one only what the zero of x takes from the sums.
 */
struct quantised_columns quantised_parameters(struct lowering *l, struct quantised_weights *w);

#endif
