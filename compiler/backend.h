/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The back half of the compiler: from a normalised graph to a program. Each pass is one file; their
 * order is in backend.c.
 *
 *	lower     graph -> machine IR (lower.h)
 *	fetch     adds the DMA transfers of inputs, constants and outputs
 *	place     gives every buffer its address in SRAM
 *	schedule  packs operations into bundles
 *	allocate  gives every virtual register its register
 *	emit      writes bundles, address entries, descriptors and slots
 */
#ifndef COMPILER_BACKEND_H
#define COMPILER_BACKEND_H

#include "compiler/lower.h"

/* A bundle before encoding: the item in each slot, or NULL. */
struct vliw_bundle {
	struct mir_item *slot[RONDO_SLOTS_PER_BUNDLE]; /* slot C: MIR_DMA, MIR_WAIT or NULL */
	int nest; /* loops that this bundle opens, 0..3 */
	u64 trip[3]; /* of them, outermost first */
	int body; /* bundles of them */
};

/* A graph node's bundles. */
struct vliw_region {
	const char *name;
	int first, count;
};

struct vliw {
	struct arena *arena;
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

/* Packs @m, whose addresses are known, into *@v for @machine. */
void schedule(struct vliw *v, struct mir *m, const struct rondo_machine *machine,
	      struct arena *arena);

/* Fills in the registers of all operations of @v; -EFBIG with a message when 64 do not suffice. */
int allocate_registers(struct lowering *l, struct vliw *v);

/* A compiled network: everything that goes into a .rnd file. Owned by the caller, from malloc(). */
struct compiled {
	u8 *file; /* the bytes of the .rnd file */
	u64 size;
	u64 cycles; /* exact, of one replay */
};

/* Writes the program of @v, measures it, and puts the file together. */
int emit(struct lowering *l, struct vliw *v, struct compiled *out);

/*
 * The whole back half. @dump names a pass (lower, fetch, place, schedule) after which the machine
 * IR or the bundles are printed to @dump_to, or is NULL. 0, or a message in g->err.
 */
int backend_compile(struct graph *g, const struct rondo_machine *machine, const char *dump,
		    FILE *dump_to, struct compiled *out);

/* Whether backend_compile() can dump after a pass called @name, or "all". */
bool backend_has_pass(const char *name);

void compiled_free(struct compiled *c);

#endif
