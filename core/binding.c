// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/binding.h"

/* Bytes of a buffer; empty if lo == hi. */
struct span {
	u64 lo, hi;
};

/* What an extent of the slot, which fits, may be of the buffer: up to the largest offset. */
static struct span span_of(const struct rondo_bound_slot *bound, u64 lo, u64 hi)
{
	u64 chosen = 0;

	if (lo == hi)
		return (struct span){ 0, 0 };
	if (bound->slot->flags & RONDO_SLOT_DYNAMIC)
		chosen = bound->size - bound->offset - rondo_slot_end(bound->slot);
	return (struct span){ bound->offset + lo, bound->offset + hi + chosen };
}

static bool overlap(struct span a, struct span b)
{
	return a.lo < b.hi && b.lo < a.hi;
}

static struct span written(const struct rondo_bound_slot *bound)
{
	return span_of(bound, bound->slot->write_lo, bound->slot->write_hi);
}

int rondo_bound_check(const struct rondo_bound_slot *bound)
{
	if (bound->offset & (bound->slot->align - 1))
		return -EINVAL;
	if (!bound->memory)
		return rondo_slot_end(bound->slot) ? -ENOENT : bound->offset ? -EINVAL : 0;
	return rondo_bound_fits(bound) ? 0 : -ERANGE;
}

bool rondo_bound_fits(const struct rondo_bound_slot *bound)
{
	return bound->offset <= bound->size &&
	       rondo_slot_end(bound->slot) <= bound->size - bound->offset;
}

bool rondo_bound_writes_read(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b)
{
	return overlap(written(a), span_of(b, b->slot->read_lo, b->slot->read_hi));
}

bool rondo_bound_writes_written(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b)
{
	return overlap(written(a), written(b));
}

bool rondo_bound_clash(const struct rondo_bound_slot *a, const struct rondo_bound_slot *b)
{
	if (a->slot->alias && a->slot->alias == b->slot->alias)
		return false;
	return rondo_bound_writes_read(a, b) || rondo_bound_writes_written(a, b);
}

int rondo_binding_check(rondo_bound_slot_of get, const void *binding, u32 count, u32 *slot,
			bool *disjoint)
{
	u32 i, j;

	*disjoint = true;
	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) {
			struct rondo_bound_slot a = get(binding, i), b = get(binding, j);

			if (a.memory != b.memory && a.foreign && b.foreign && a.slot->write_hi &&
			    b.slot->read_hi)
				*disjoint = false;
			if (!a.memory || a.memory != b.memory)
				continue;
			if (rondo_bound_writes_read(&a, &b))
				*disjoint = false;
			if (i != j && rondo_bound_clash(&a, &b)) {
				*slot = i > j ? i : j;
				return -EBUSY;
			}
		}
	}
	return 0;
}

int rondo_entry_add_offset(struct rondo_fw_entry *entry, u32 slot,
			   const struct rondo_bound_slot *bound, u64 offset)
{
	const struct rondo_slot *s = bound->slot;
	u32 i;

	if (entry->offsets == RONDO_REPLAY_OFFSETS_MAX)
		return -ENOSPC;
	if (!(s->flags & RONDO_SLOT_DYNAMIC) || offset & (s->align - 1))
		return -EINVAL;
	for (i = 0; i < entry->offsets; i++)
		if (entry->slot[i] == slot)
			return -EINVAL;
	/* The bound offset and the extent fit: checked when the binding was made. */
	if (!bound->memory || offset > bound->size - bound->offset - rondo_slot_end(s))
		return -ERANGE;
	entry->slot[entry->offsets] = slot;
	entry->offset[entry->offsets++] = offset / s->align;
	return 0;
}
