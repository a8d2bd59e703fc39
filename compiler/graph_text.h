/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The text form of a graph. One line each, in this order:
 *
 *   graph "NAME" from "FILE" [opset N]          the newest where it is left out
 *   input %ID "NAME" TYPE [scale X zero N]      what its bytes stand for: see struct value
 *   const %ID "NAME" TYPE = VALUE ...           up to 16 elements; f32 as hexadecimal floats
 *   const %ID "NAME" TYPE fnv HASH [hex BYTES]  larger ones (core/fnv.h); bytes when asked for
 *   node %ID "NAME" TYPE[, %ID "NAME" TYPE] = OPERATOR "NAME" INPUT ... [ATTRIBUTE=VALUE ...]
 *   output %ID [scale X zero N]
 *
 * TYPE is f32[1,3,28,28], or ? before shapes are known; INPUT is %ID, or _ for one that is left
 * out; a list of numbers is 1,2,3, and may be empty. Attributes that have no value yet are left
 * out. Names are quoted; ", \ and bytes outside printable ASCII are written \xHH. Lines that begin
 * with # and empty lines are comments.
 *
 * Numbers of values are given in order of appearance, so that printing what was parsed from a
 * print gives the same text.
 */
#ifndef COMPILER_GRAPH_TEXT_H
#define COMPILER_GRAPH_TEXT_H

#include "compiler/graph.h"

#include <stdio.h>

#define GRAPH_TEXT_INLINE_MAX 16

/* Prints @g; @data: with the bytes of large constants, so that it can be parsed back. */
void graph_print(FILE *to, const struct graph *g, bool data);

/*
 * Parses a text. On success the graph is the caller's to graph_free(); NULL on error, and the
 * message in @err is `SOURCE:LINE: reason`.
 */
struct graph *graph_parse(const char *text, const char *source, struct compile_error *err);

#endif
