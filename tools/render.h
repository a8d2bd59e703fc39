/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A picture in a terminal: an image tensor as text, two rows of pixels to a line, because a
 * character is about twice as high as it is wide.
 */
#ifndef TOOLS_RENDER_H
#define TOOLS_RENDER_H

#include "compiler/diag.h"
#include "compiler/tensor.h"

#include <stdio.h>

enum render_style {
	RENDER_ASCII, /* ten shades of plain characters; one is the mean of its two pixels */
	RENDER_BLOCKS, /* Unicode half blocks and shades, no colour */
	RENDER_COLOUR, /* Unicode half blocks in xterm's 256 colours: every pixel by itself */
};

/* The name of a style ("ascii", "blocks", "colour"), and its style; false when there is none. */
const char *render_style_name(enum render_style style);
bool render_style_from_name(const char *name, enum render_style *out);

/*
 * The best style for what @fd is: colour on a terminal, unless TERM is dumb or NO_COLOR is set;
 * blocks only where the locale (LC_ALL, LC_CTYPE, LANG) says UTF-8; else ASCII.
 */
enum render_style render_style_for(int fd);

/*
 * Prints @t, whose shape must be, after leading ones, HxW, or CxHxW or HxWxC of 1 or 3 channels
 * (the first of the two that fits). What is wider than @columns_max is shrunk by a whole factor.
 *
 * Bytes are shown on their scale of 0..255, f32 within 0..1 on that, all else between its own
 * smallest and largest value; what is not finite shows as the smallest. Large is bright.
 *
 * 0; -ENOTSUP if the tensor is not an image; or the negative errno of writing. @err has the reason.
 */
int render_tensor(const struct tensor_data *t, enum render_style style, int columns_max, FILE *out,
		  struct compile_error *err);

#endif
