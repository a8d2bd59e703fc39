// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rules of bindings against sets of bytes: all small extents, offsets and sizes.
 */
#include "core/binding.h"
#include "tests/tap.h"

enum { BYTES = 5 };

/* Bytes that may be touched: those of the extent at every offset that a replay can choose. */
static u32 touched(const struct rondo_bound_slot *b, u64 lo, u64 hi)
{
	u64 chosen, most = 0, at;
	u32 set = 0;

	if (b->slot->flags & RONDO_SLOT_DYNAMIC)
		most = b->size - b->offset - rondo_slot_end(b->slot);
	for (chosen = 0; chosen <= most; chosen++)
		for (at = b->offset + chosen + lo; at < b->offset + chosen + hi; at++)
			set |= 1u << at;
	return set;
}

static u32 read_set(const struct rondo_bound_slot *b)
{
	return touched(b, b->slot->read_lo, b->slot->read_hi);
}

static u32 write_set(const struct rondo_bound_slot *b)
{
	return touched(b, b->slot->write_lo, b->slot->write_hi);
}

/* The next extent [lo, hi) of bytes below BYTES, none of them empty but 0, 0. */
static bool next_extent(u64 *lo, u64 *hi)
{
	if (++*hi > BYTES) {
		++*lo;
		*hi = *lo + 1;
	}
	if (*lo < BYTES)
		return true;
	*lo = *hi = 0;
	return false;
}

static bool next_slot(struct rondo_slot *s)
{
	if (next_extent(&s->read_lo, &s->read_hi) || next_extent(&s->write_lo, &s->write_hi))
		return true;
	s->flags ^= RONDO_SLOT_DYNAMIC;
	return s->flags;
}

static void test_overlaps(void)
{
	struct rondo_slot a = { .align = 1 }, b = { .align = 1 };
	struct rondo_bound_slot x = { &a, &a, 0, BYTES + 1, false };
	struct rondo_bound_slot y = { &b, &a, 0, BYTES + 1, false };
	u32 pairs = 0, wrong = 0, clashes = 0;

	do {
		do {
			if (!rondo_bound_fits(&x) || !rondo_bound_fits(&y))
				continue;
			pairs++;
			wrong += rondo_bound_writes_read(&x, &y) !=
				 !!(write_set(&x) & read_set(&y));
			wrong += rondo_bound_writes_written(&x, &y) !=
				 !!(write_set(&x) & write_set(&y));
			wrong += rondo_bound_clash(&x, &y) !=
				 !!(write_set(&x) & (read_set(&y) | write_set(&y)));
			clashes += rondo_bound_clash(&x, &y);
		} while (next_slot(&b));
		x.offset = (x.offset + 1) % 2;
	} while (next_slot(&a));
	tap_eq(wrong, 0, "pairs of slots for which the rule and the bytes differ");
	tap_ok(clashes > pairs / 10 && clashes < pairs, "%u of %u pairs clash", clashes, pairs);
}

static void test_groups(void)
{
	struct rondo_slot a = { .write_hi = 4, .alias = 1 }, b = { .read_hi = 4, .alias = 1 };
	struct rondo_bound_slot x = { &a, &a, 0, 8, false };
	struct rondo_bound_slot y = { &b, &a, 0, 8, false };

	tap_ok(!rondo_bound_clash(&x, &y), "slots of one alias group may overlap");
	b.alias = 2;
	tap_ok(rondo_bound_clash(&x, &y), "of two groups not");
	a.alias = b.alias = 0;
	tap_ok(rondo_bound_clash(&x, &y), "without a group not");
}

static void test_fits(void)
{
	struct rondo_slot s = { .read_lo = 8, .read_hi = 16, .write_lo = 0, .write_hi = 4 };

	tap_eq(rondo_slot_end(&s), 16, "the end is that of the longer extent");
	tap_ok(rondo_bound_fits(&(struct rondo_bound_slot){ &s, &s, 4, 20, false }),
	       "a buffer that just fits");
	tap_ok(!rondo_bound_fits(&(struct rondo_bound_slot){ &s, &s, 5, 20, false }),
	       "one byte less");
	tap_ok(!rondo_bound_fits(&(struct rondo_bound_slot){ &s, &s, ~0ull, 20, false }),
	       "an offset beyond");
	s = (struct rondo_slot){ .align = 4 };
	tap_ok(rondo_bound_fits(&(struct rondo_bound_slot){ &s, &s, 20, 20, false }),
	       "nothing fits at the end");
}

static int check(struct rondo_slot *s, const void *memory, u64 offset, u64 size)
{
	return rondo_bound_check(&(struct rondo_bound_slot){ s, memory, offset, size, false });
}

static void test_check(void)
{
	struct rondo_slot s = { .align = 8, .read_hi = 16 }, untouched = { .align = 8 };

	tap_eq(check(&s, &s, 8, 24), 0, "a slot that ends with its buffer");
	tap_eq(check(&s, &s, 8, 23), -ERANGE, "a buffer of a byte less");
	tap_eq(check(&s, &s, 4, 24), -EINVAL, "an offset that is not aligned");
	tap_eq(check(&s, NULL, 0, 0), -ENOENT, "no buffer for a slot that is touched");
	tap_eq(check(&untouched, NULL, 0, 0), 0, "for one that is not touched");
	tap_eq(check(&untouched, NULL, 8, 0), -EINVAL, "which has no offset then");
	tap_eq(check(&untouched, &s, 8, 8), 0, "an offset at the end of a buffer");
}

static struct rondo_bound_slot get(const void *binding, u32 i)
{
	return ((const struct rondo_bound_slot *)binding)[i];
}

static void test_binding(void)
{
	struct rondo_slot in = { .align = 1, .read_hi = 4 }, out = { .align = 1, .write_hi = 4 };
	struct rondo_slot both = { .align = 1, .read_hi = 4, .write_hi = 4 };
	struct rondo_bound_slot b[3] = { { &in, &in, 0, 8, false },
					 { &out, &out, 0, 8, false },
					 { &out, NULL, 0, 0, false } };
	bool disjoint;
	u32 slot = 9;

	tap_ok(!rondo_binding_check(get, b, 3, &slot, &disjoint) && disjoint && slot == 9,
	       "two buffers: disjoint");
	b[1].memory = &in;
	tap_eq(rondo_binding_check(get, b, 3, &slot, &disjoint), -EBUSY, "one buffer");
	tap_eq(slot, 1, "the later slot is at fault");
	b[1].offset = 4;
	tap_ok(!rondo_binding_check(get, b, 3, &slot, &disjoint) && disjoint,
	       "side by side in one buffer: disjoint");
	b[0].slot = &both;
	tap_ok(!rondo_binding_check(get, b, 3, &slot, &disjoint) && !disjoint,
	       "a slot that reads what it writes is not");
	b[0].slot = &in;
	b[1].offset = 0;
	in.alias = out.alias = 1;
	tap_ok(!rondo_binding_check(get, b, 3, &slot, &disjoint) && !disjoint,
	       "nor are two of one alias group that overlap");
}

static void test_offsets(void)
{
	struct rondo_slot s = { .align = 4, .read_hi = 8, .flags = RONDO_SLOT_DYNAMIC };
	struct rondo_bound_slot b = { &s, &s, 4, 32, false };
	struct rondo_fw_entry entry = {};
	u32 i;

	tap_eq(rondo_entry_add_offset(&entry, 7, &b, 20), 0, "the last offset that fits");
	tap_ok(entry.offsets == 1 && entry.slot[0] == 7 && entry.offset[0] == 5,
	       "stands in the entry in units of the alignment");
	tap_eq(rondo_entry_add_offset(&entry, 7, &b, 0), -EINVAL, "a slot twice");
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, 24), -ERANGE, "one step further");
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, -4ull), -ERANGE,
	       "an offset that wraps around");
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, 2), -EINVAL, "one that is not aligned");
	b.memory = NULL;
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, 0), -ERANGE, "a slot without a buffer");
	b.memory = &s;
	s.flags = 0;
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, 0), -EINVAL, "a slot that is not dynamic");
	s.flags = RONDO_SLOT_DYNAMIC;
	tap_eq(entry.offsets, 1, "what is refused leaves the entry alone");
	for (i = 1; i < RONDO_REPLAY_OFFSETS_MAX; i++)
		rondo_entry_add_offset(&entry, 7 + i, &b, 0);
	tap_eq(rondo_entry_add_offset(&entry, 6, &b, 0), -ENOSPC, "more than an entry holds");
}

/* Nobody knows whether two foreign buffers are one: no clash, but no repetition either. */
static void test_foreign(void)
{
	struct rondo_slot in = { .align = 1, .read_hi = 4 }, out = { .align = 1, .write_hi = 4 };
	struct rondo_bound_slot slots[2] = { { &in, &in, 0, 4, true },
					     { &out, &out, 0, 4, false } };
	bool disjoint = false;
	u32 slot;

	tap_ok(!rondo_binding_check(get, slots, 2, &slot, &disjoint) && disjoint,
	       "one foreign buffer and one of our own");
	slots[1].foreign = true;
	tap_ok(!rondo_binding_check(get, slots, 2, &slot, &disjoint) && !disjoint,
	       "two foreign buffers may be one");
	slots[1].slot = &in;
	tap_ok(!rondo_binding_check(get, slots, 2, &slot, &disjoint) && disjoint,
	       "and be read as one");
}

int main(void)
{
	test_overlaps();
	test_groups();
	test_fits();
	test_check();
	test_binding();
	test_foreign();
	test_offsets();
	return tap_done();
}
