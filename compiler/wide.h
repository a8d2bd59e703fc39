/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Constants of 64 bits where the machine has 32: "no bound", as exporters write it. */
#ifndef COMPILER_WIDE_H
#define COMPILER_WIDE_H

#include "compiler/graph.h"

/*
 * Lets @n take the ends of 32 bits for the constants beyond them that it has, where its result is
 * the same for whatever 32 bits hold: smaller than no bound, compared with one. What is left has no
 * such form. 0, or no memory.
 */
int wide_saturate(struct graph *g, struct node *n);

/* An element of the constant @v that 32 bits do not hold; NULL: there is none, or it is not s64. */
const s64 *wide_element(const struct value *v);

#endif
