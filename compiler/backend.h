/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The back half of the compiler: from a normalised graph to a program. Each step is one file; their
 * order is in pipeline.c.
 *
 *	lower     graph -> machine IR (lower.h)
 *	fetch     adds the DMA transfers of inputs, constants and outputs
 *	place     gives every buffer its address in SRAM
 *	schedule  packs operations into bundles, and gives every virtual register its register
 *	emit      writes bundles, address entries, descriptors and slots
 */
#ifndef COMPILER_BACKEND_H
#define COMPILER_BACKEND_H

#include "compiler/compiler.h"
#include "compiler/lower.h"

/* A bundle before encoding: the item in each slot, or NULL. */
struct vliw_bundle {
	struct mir_item *slot[RONDO_SLOTS_PER_BUNDLE]; /* slot C: MIR_DMA, MIR_WAIT or NULL */
	int nest; /* loops that this bundle opens, 0..3 */
	u64 trip[3]; /* of them, outermost first */
	int body; /* bundles of them */
};

/* The bundles of what a MIR_NODE is made for. */
struct vliw_region {
	const char *name;
	const struct node *node;
	int first, count;
};

struct vliw {
	struct arena *arena;
	int tight; /* bundle where allocate_registers() had no register left */
	int error; /* 0; -ENOMEM; -EFBIG: RONDO_BUNDLES_MAX bundles, without the one that halts */
	struct vliw_bundle lost; /* returned where there can be no more bundles */
	struct vliw_bundle *bundle;
	int bundles, bundle_room;
	struct vliw_region *region;
	int regions, region_room;
};

/* The slots of every program that this compiler makes: weights, then inputs, then outputs. */
enum { SLOT_WEIGHTS = 0 };

/* Adds DMA and waits to l->mir. Constants stay in SRAM all the time if half of it holds them. */
int fetch_insert(struct lowering *l);

/* Sets the addresses of l->mir's buffers; -EFBIG with a message when they do not fit. */
int place_buffers(struct lowering *l);

/*
 * Packs @m, whose addresses are known, into *@v for @machine. Not more than @block_max operations
 * are looked at together: the fewer, the fewer registers they take. v->error.
 */
int schedule(struct vliw *v, struct mir *m, const struct rondo_machine *machine,
	     struct arena *arena, int block_max);

/* The graph node that bundle @b is made for, or NULL; the last one beyond the end. */
const struct node *vliw_node_of(const struct vliw *v, int b);

/*
 * Fills in the registers of all operations of @v. -EAGAIN, without a message, when the machine's
 * registers do not suffice.
 */
int allocate_registers(struct lowering *l, struct vliw *v);

/* Writes the program of @v, measures it, and puts the file together. 0, or a message in g->err. */
int emit(struct lowering *l, struct vliw *v, struct compiled *out);

/*
 * The whole back half. @dump names a pass of it after which what there is is printed to @dump_to,
 * or is "all" or NULL. 0, or a message in g->err.
 */
int backend_compile(struct graph *g, const struct rondo_machine *machine, const char *dump,
		    FILE *dump_to, struct compiled *out);

#endif
