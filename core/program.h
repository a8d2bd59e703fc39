/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A program's tables, located in its bytes.
 */
#ifndef RONDO_CORE_PROGRAM_H
#define RONDO_CORE_PROGRAM_H

#include "core/isa.h"
#include "spec/program.h"

/* Pointers into the program's bytes, which must outlive it and stay as they are. */
struct rondo_program {
	const struct rondo_program_header *header;
	const struct rondo_slot *slots;
	const struct rondo_entry *entries;
	const struct rondo_desc *descs;
	const u64 (*bundles)[RONDO_SLOTS_PER_BUNDLE];
};

/*
 * Locates the tables of the program in @size bytes at @data (8-byte aligned).
 * Checks magic, version, reserved fields, counts against the limits, and that
 * @size is exact; nothing else. Returns 0 or a number of spec/errors.def.
 */
u32 rondo_program_open(struct rondo_program *p, const void *data, u64 size);

#endif
