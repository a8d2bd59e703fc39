/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs: copied from userspace, proved once, and never written again.
 *
 * The copy is kernel memory that nobody can map, export or use as data; the device
 * reads it through its page list. That is what makes one proof enough.
 */
#ifndef RONDO_PROGRAM_H
#define RONDO_PROGRAM_H

#include <linux/kref.h>
#include <linux/workqueue.h>

#include "core/program.h"
#include "driver/rondo_dma.h"
#include "driver/rondo_resident.h"

struct rondo_device;
struct rondo_file;

/* A sealed program (struct rondo_program is core's view of its tables). */
struct rondo_prog {
	struct rondo_device *rdev;
	struct kref ref;
	/** @release: what the last reference leaves to rondo_release_wq */
	struct work_struct release;
	struct rondo_resident res;

	/** @data: the bytes, in vmalloc memory */
	void *data;
	size_t size;
	/** @tables: pointers into @data */
	struct rondo_program tables;
	/** @cycles: exact device time of one replay */
	u64 cycles;
	/** @signature: of its control path, which the firmware compares */
	u64 signature;
	/** @pages: page list of @data */
	struct rondo_dma pages;
};

/* The program with @id, with a reference of the caller's own; NULL if there is none. */
struct rondo_prog *rondo_prog_lookup(struct rondo_file *rfile, u32 id);
void rondo_prog_put(struct rondo_prog *prog);

/* Drops all programs of a file that is closed. */
void rondo_prog_close_all(struct rondo_file *rfile);

#endif
