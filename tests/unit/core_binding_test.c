// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rules of bindings against sets of bytes: all small extents, offsets and sizes.
 */
#include "core/binding.h"
#include "tests/tap.h"

enum { BYTES = 5 };

/* Bytes that may be touched: those of the extent at every offset that a replay can choose. */
static u32 touched(const struct rondo_bound *b, u64 lo, u64 hi)
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

static u32 read_set(const struct rondo_bound *b)
{
	return touched(b, b->slot->read_lo, b->slot->read_hi);
}

static u32 write_set(const struct rondo_bound *b)
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
	struct rondo_bound x = { &a, 0, BYTES + 1 }, y = { &b, 0, BYTES + 1 };
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
	struct rondo_bound x = { &a, 0, 8 }, y = { &b, 0, 8 };

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
	tap_ok(rondo_bound_fits(&(struct rondo_bound){ &s, 4, 20 }), "a buffer that just fits");
	tap_ok(!rondo_bound_fits(&(struct rondo_bound){ &s, 5, 20 }), "one byte less");
	tap_ok(!rondo_bound_fits(&(struct rondo_bound){ &s, ~0ull, 20 }), "an offset beyond");
	s = (struct rondo_slot){ .align = 4 };
	tap_ok(rondo_bound_fits(&(struct rondo_bound){ &s, 20, 20 }), "nothing fits at the end");
}

int main(void)
{
	test_overlaps();
	test_groups();
	test_fits();
	return tap_done();
}
