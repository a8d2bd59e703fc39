/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a binding and its replays have to obey: the rules for the buffers behind a program's
 * slots, the same for the kernel driver and for the device in a process.
 */
#ifndef RONDO_CORE_BINDING_H
#define RONDO_CORE_BINDING_H

#include "core/program.h"
#include "spec/fw_abi.h"

/* A slot whose byte 0 is at @offset of a buffer of @size bytes. */
struct rondo_bound_slot {
	const struct rondo_slot *slot;
	const void *memory; /* the same for the same buffer; NULL: none stands behind the slot */
	u64 offset, size;
	bool foreign; /* somebody else's, and may be the same memory as another that is foreign */
};

/*
 * Whether @bound may be: 0, or -EINVAL, the offset is not a multiple of the alignment, or not 0
 * without a buffer; -ENOENT, the program touches the slot, and there is no buffer; -ERANGE, the
 * buffer is too small.
 */
int rondo_bound_check(const struct rondo_bound_slot *bound);

/* Whether all that the program touches is in the buffer, before a replay chooses an offset. */
bool rondo_bound_fits(const struct rondo_bound_slot *bound);

/*
 * For two slots of a program that fit and are bound to the same memory (or for one and itself):
 * whether @a may write bytes that @b reads, that @b writes, whatever offsets a replay chooses.
 */
bool rondo_bound_writes_read(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b);
bool rondo_bound_writes_written(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b);

/*
 * Whether two different slots that are bound to the same memory may not be: @a writes what @b
 * touches, and they are not of one alias group.
 */
bool rondo_bound_clash(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b);

/* Slot @i of @binding, whose type only the caller knows. */
typedef struct rondo_bound_slot (*rondo_bound_slot_of)(const void *binding, u32 i);

/*
 * Whether the @count slots of @binding, each of which has passed rondo_bound_check(), may be
 * bound together: 0, or -EBUSY and *@slot is at fault. *@disjoint: a replay reads nothing that
 * it writes, and so may be repeated.
 */
int rondo_binding_check(rondo_bound_slot_of get, const void *binding, u32 count, u32 *slot,
			bool *disjoint);

/*
 * Adds to @entry that its replay moves slot number @slot, bound as @bound, by @offset bytes. 0,
 * or -EINVAL, the slot is not dynamic or already moved, or the offset no multiple of its
 * alignment; -ERANGE, the offset leads out of the buffer; -ENOSPC, @entry has no room.
 */
int rondo_entry_add_offset(struct rondo_fw_entry *entry, u32 slot,
			   const struct rondo_bound_slot *bound, u64 offset);

#endif
