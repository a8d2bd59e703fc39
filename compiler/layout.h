/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Layout: where each element of a value is inside its buffer. Elements have 1, 2, 4 or 8 bytes.
 *
 * SRAM is ideal and addresses carry lane patterns, so any layout costs the same to read and write;
 * what a layout decides is how many elements stand next to each other. Values that a window slides
 * over are channels-last, with the window's padding around them, so that one push takes a whole row
 * of the window. All others are row-major.
 */
#ifndef COMPILER_LAYOUT_H
#define COMPILER_LAYOUT_H

#include "compiler/graph.h"
#include "compiler/window.h"
#include "spec/env.h"

struct layout {
	int rank;
	int element; /* bytes of one */
	s64 dim[TENSOR_RANK_MAX]; /* elements */
	s64 stride[TENSOR_RANK_MAX]; /* bytes */
	s64 pad[TENSOR_RANK_MAX]; /* cells before element 0 of each dimension */
	s64 cells[TENSOR_RANK_MAX]; /* all cells along it, with those before and behind */
	s64 base; /* bytes from the buffer's start to element 0 */
	u64 bytes; /* of the buffer */
	bool halo; /* there are bytes beside the elements, filled with `fill` */
	float fill; /* an element */
};

/* Row-major and dense, of elements of @element bytes. */
struct layout layout_row_major(const struct shape *shape, int element);

/* Row-major and dense, as callers of a program have it. */
struct layout layout_dense(const struct value *v);

/* The dense layout of @v seen as of shape @as, of as many elements. */
struct layout layout_dense_as(const struct value *v, const struct shape *as);

/*
 * Row-major, each row beginning at a multiple of 4 bytes: how the matrix unit reads the input of a
 * product that is no window.
 */
struct layout layout_rows(const struct shape *shape, int element);

/*
 * What the window operator @n wants of its input: channels-last, padded; pixels of bytes begin at
 * multiples of 4, as pushes need it. The window must be valid.
 */
struct layout layout_of_window_input(const struct graph *g, const struct node *n);

/*
 * The layout in which @v is computed: what its window users want, with the padding of all of them
 * that want the same in it; else dense.
 */
struct layout layout_of_value(const struct graph *g, const struct value *v);

/* Channels-last without padding, of a value with two dimensions and one or more behind them. */
struct layout layout_channels_last(const struct value *v);

/*
 * The layout of a part of a value in layout @whole, of @shape elements from @at on, where it lies
 * in the whole.
 */
struct layout layout_part(const struct layout *whole, const struct shape *shape, const s64 *at);

/* Whether a window that wants its input in layout @want may read one in layout @have. */
bool layout_serves(const struct layout *have, const struct layout *want);

/* Whether both put every element at the same place, padding included. */
bool layout_equal(const struct layout *a, const struct layout *b);

/* Whether elements are dense and in row-major order. */
bool layout_is_row_major(const struct layout *l);

#endif
