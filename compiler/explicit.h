/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Attributes that a model leaves out. */
#ifndef COMPILER_EXPLICIT_H
#define COMPILER_EXPLICIT_H

#include "compiler/graph.h"

/*
 * Gives every attribute of @n that has no value yet the one that ops.def says, for the operator
 * set of the graph. The inputs of @n are typed. -EINVAL and a message when a required one is
 * missing.
 */
int make_explicit(const struct graph *g, struct node *n);

#endif
