/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The back half of the compiler: from a normalised graph to a program. The levels are described in
 * docs/explanation/compiler-levels.md, their order is in pipeline.c.
 *
 *	stage     what is computed: domains and affine accesses (stage.h)
 *	plan      how: layouts, units and tiles (plan.h)
 *	lower     machine IR: operations in loops (mir.h, lower.h)
 *	place     gives every buffer its address in SRAM
 *	transfer  which bytes come in and go out (transfer.h)
 *	stream    which operation executes when, and in which registers (stream.h)
 *	bundles   text with loops (bundles.h)
 *	emit      writes bundles, address entries, descriptors and slots
 */
#ifndef COMPILER_BACKEND_H
#define COMPILER_BACKEND_H

#include "compiler/bundles.h"
#include "compiler/compiler.h"

/* Sets the addresses of l->mir's buffers; -EFBIG with a message when they do not fit. */
int place_buffers(struct lowering *l);

/* A byte string that grows, from malloc(). */
struct emit_bytes {
	u8 *at;
	u64 size, room;
	bool failed; /* there was no memory: what is in it is not all */
};

/* A program, and what its file says of it beside the weights. Zero-initialised is none. */
struct emitted {
	struct emit_bytes program, strings, tensors, regions;
	u64 cycles; /* exact, of one replay */
};

/*
 * Lets the program write what it would have cleared, before all else: while its first transfers
 * come in, that takes no time. False: that would be too little of it.
 */
bool prefill(struct lowering *l);

/* Writes the program of @bundles and measures it. 0, or a message and nothing to free. */
int emit(struct lowering *l, const struct transfer_list *t, const struct bundle_list *bundles,
	 struct emitted *out);
void emitted_free(struct emitted *e);

/*
 * Puts the file together, in the memory of l->weights, which are most of it: they are gone from
 * @l. 0, or a message.
 */
int emit_file(struct lowering *l, const struct emitted *e, struct compiled *out);

/* The whole back half; @options may be NULL. 0, or a message in g->err. */
int backend_compile(struct graph *g, const struct rondo_machine *machine,
		    const struct compile_options *options, struct compiled *out);

#endif
