/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a binding has to obey: the rules for the buffers behind a program's slots, the same
 * for the kernel driver and for the device in a process.
 */
#ifndef RONDO_CORE_BINDING_H
#define RONDO_CORE_BINDING_H

#include "core/program.h"

/* A slot whose byte 0 is at @offset of a buffer of @size bytes. */
struct rondo_bound {
	const struct rondo_slot *slot;
	u64 offset, size;
};

/* Whether all that the program touches is in the buffer, before a replay chooses an offset. */
bool rondo_bound_fits(const struct rondo_bound *bound);

/*
 * Of two slots of a program that fit and are bound to the same memory (or of one with itself):
 * whether @a may write bytes that @b reads, that @b writes, whatever offsets a replay chooses.
 */
bool rondo_bound_writes_read(const struct rondo_bound *a, const struct rondo_bound *b);
bool rondo_bound_writes_written(const struct rondo_bound *a, const struct rondo_bound *b);

/*
 * Whether two different slots that are bound to the same memory may not be: @a writes what @b
 * touches, and they are not of one alias group.
 */
bool rondo_bound_clash(const struct rondo_bound *a, const struct rondo_bound *b);

#endif
