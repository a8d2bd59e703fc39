/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the host does of a network: nodes at its edges that the machine does not map, where the user
 * allows that. The interpreter runs them, those before the program and those behind it.
 *
 * The host's parts are graphs of their own, which outlive the one they were cut out of. They keep
 * nothing between runs: what both parts need of a node before the program, both compute.
 */
#ifndef COMPILER_HOST_H
#define COMPILER_HOST_H

#include "compiler/graph.h"

struct rondo_host {
	struct graph *before; /* from the network's inputs to all inputs of the program */
	struct graph *after; /* from the network's inputs, then the program's outputs, to its own */
	struct compile_error err; /* of both */
	/* Each of the nodes, in order: who it is, and why the machine does not run it. */
	struct host_node {
		const char *node, *op, *why;
	} * nodes;
	size_t n_nodes;
};

/* Frees what pass_host() made; NULL is nothing. */
void host_free(struct rondo_host *h);

#endif
