/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a network takes at least on a machine, from its graph alone: docs/explanation/bounds.md has
 * the formulas. Nothing here knows of stages, plans or schedules.
 */
#ifndef COMPILER_BOUND_H
#define COMPILER_BOUND_H

#include "compiler/graph.h"
#include "spec/machine.h"

/* What a bundle has one or two of. */
enum bound_unit {
	BOUND_PUSH, /* slot M */
	BOUND_STORE, /* slot S */
	BOUND_VECTOR, /* both vector units */
	BOUND_LOAD, /* both load slots */
	BOUND_WEIGHT, /* slot W */
	BOUND_UNITS,
};

extern const char *const bound_unit_names[BOUND_UNITS];

struct bound_layer {
	const struct node *node;
	double macs;
	double cycles[BOUND_UNITS];
	double largest; /* of them */
};

struct bounds {
	struct bound_layer *layer; /* in the order of the graph */
	int layers; /* those that cost anything */
	double macs;
	double cycles[BOUND_UNITS]; /* sums */
	double sure[BOUND_UNITS]; /* of layers that no compiler can do without */
	u64 constant_bytes, input_bytes,
		output_bytes; /* all together compulsory: each moves once */
	double dma_cycles; /* of those bytes over all channels */
	double provable; /* the largest of what is sure, and of the channels: no schedule is quicker
			  */
	double layer_bound; /* layers one after the other, each with perfect overlap inside */
};

/*
 * The bounds of @g, whose values are typed and whose attributes are explicit, on a tile of
 * @machine. Lives in the graph's arena. 0, or a message.
 */
int bounds_make(struct graph *g, const struct rondo_machine *machine, struct bounds *out);

/* The compulsory bytes in all. */
static inline u64 bounds_bytes(const struct bounds *b)
{
	return b->constant_bytes + b->input_bytes + b->output_bytes;
}

#endif
