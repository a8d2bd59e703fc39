/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Bringing nodes into an order of production. */
#ifndef COMPILER_GRAPH_SORT_H
#define COMPILER_GRAPH_SORT_H

#include "compiler/graph.h"

/* Sorts the list of nodes; a list in order stays as it is. -EINVAL and a message on a cycle. */
int graph_sort(struct graph *g);

#endif
