/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The geometry of a sliding window (Conv, MaxPool, AveragePool): the one place that knows how
 * kernel, strides, pads, dilations, auto_pad and ceil_mode become cells.
 *
 * Always two axes; with one spatial dimension axis 0 is a single row. Along an axis, output o sees
 * the input cells  o * stride - pad + k * dilation,  k = 0..kernel-1;  a cell outside 0..in-1 is
 * padding.
 */
#ifndef COMPILER_WINDOW_H
#define COMPILER_WINDOW_H

#include "compiler/graph.h"

struct window_axis {
	s64 in, out;
	s64 kernel, stride, dilation;
	s64 pad; /* cells before the input */
	s64 pad_end; /* declared cells after it */
	bool over; /* the last window reaches further than that, by ceil_mode */
};

struct window {
	struct window_axis axis[2];
};

/* The window of @n, whose inputs are typed; checks every attribute. */
int window_of(const struct graph *g, const struct node *n, struct window *w);

/* Cells that the windows along @x reach over, padding before the input included. */
s64 window_reach(const struct window_axis *x);

/* How many cells output @o sees along @x, of the input, and of the padding if @with_pads. */
s64 window_cells(const struct window_axis *x, bool with_pads, s64 o);

/* How many cells an AveragePool divides by at output (@y, @x); at least 1. */
s64 window_divisor(const struct window *w, bool count_include_pad, s64 y, s64 x);

/* Whether that is the same number for every output. */
bool window_divisor_is_uniform(const struct window *w, bool count_include_pad);

#endif
