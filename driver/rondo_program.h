/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs: copied from userspace, proved once, and never written again.
 *
 * The copy is kernel memory that nobody can map, export or use as data; the device
 * reads it through its page list. That is what makes one proof enough.
 */
#ifndef RONDO_PROGRAM_H
#define RONDO_PROGRAM_H

#include "core/program.h"
#include "driver/rondo_dma.h"
#include "driver/rondo_object.h"

/* Its tables are a struct rondo_program of core/. */
struct rondo_sealed_program {
	struct rondo_object base;
	/** @data: the bytes, in vmalloc memory */
	void *data;
	size_t size;
	/** @tables: pointers into @data */
	struct rondo_program tables;
	/** @cycles: exact device time of one replay */
	u64 cycles;
	/** @energy_nj: nanojoules of one replay */
	u64 energy_nj;
	/** @signature: of its control path, which the firmware compares */
	u64 signature;
	/** @pages: page list of @data */
	struct rondo_dma pages;
};

static inline struct rondo_sealed_program *to_rondo_sealed_program(struct rondo_object *object)
{
	return container_of(object, struct rondo_sealed_program, base);
}

#endif
