// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The arena: memory is zero and aligned whether it is new, of a block of its own, or used before a
 * reset; pieces never overlap.
 */
#include "compiler/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "tests/random.h"
#include "tests/tap.h"

enum { ROUNDS = 50, PIECES = 40, SMALL = 300, LARGE = 50000 };

static u64 state;

static bool is_filled(const unsigned char *p, size_t size, unsigned char with)
{
	while (size && *p == with)
		p++, size--;
	return !size;
}

static void test_rounds(void)
{
	unsigned char *piece[PIECES];
	size_t size[PIECES];
	bool zero = true, aligned = true, apart = true;
	struct arena a = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < PIECES; i++) {
			size[i] = random_below(&state, random_below(&state, 8) ? SMALL : LARGE);
			piece[i] = arena_alloc(&a, size[i]);
			aligned &= (uintptr_t)piece[i] % alignof(max_align_t) == 0;
			zero &= is_filled(piece[i], size[i], 0);
			memset(piece[i], i + 1, size[i]);
		}
		for (int i = 0; i < PIECES; i++)
			apart &= is_filled(piece[i], size[i], (unsigned char)(i + 1));
		if (round % 3)
			arena_reset(&a);
		else
			arena_free(&a);
	}
	arena_reset(&a);
	arena_free(&a);
	tap_ok(zero, "memory is zero");
	tap_ok(aligned, "memory is aligned");
	tap_ok(apart, "pieces do not overlap");
}

/* An array that grows from a few bytes to a block of its own, with others between. */
static void test_grow(void)
{
	struct arena a = { 0 };
	size_t size = 16;
	unsigned char *grown = arena_alloc(&a, size);
	bool kept = true;

	memset(grown, 7, size);
	while (size < 1 << 20) {
		unsigned char *other = arena_alloc(&a, size / 2);

		memset(other, 9, size / 2);
		grown = arena_grow(&a, grown, size, 2 * size);
		kept &= is_filled(grown, size, 7) && is_filled(other, size / 2, 9);
		memset(grown + size, 7, size);
		size *= 2;
	}
	tap_ok(kept, "what grows keeps its bytes, and others theirs");
	arena_free(&a);
}

static void test_mark(void)
{
	struct arena a = { 0 };
	unsigned char *small = arena_alloc(&a, 100), *large = arena_alloc(&a, LARGE);
	struct arena_mark mark;
	bool zero = true;

	memset(small, 1, 100);
	memset(large, 2, LARGE);
	for (int round = 0; round < 3; round++) {
		arena_set_mark(&a, &mark);
		for (int i = 1; i < 100; i++) {
			size_t size = i % 9 ? 1000 : LARGE;
			unsigned char *p = arena_alloc(&a, size);

			zero &= is_filled(p, size, 0);
			memset(p, 3, size);
		}
		arena_back_to(&a, &mark);
	}
	tap_ok(is_filled(small, 100, 1) && is_filled(large, LARGE, 2),
	       "what was there before a mark stays");
	tap_ok(zero && is_filled(arena_alloc(&a, 1000), 1000, 0), "memory behind it is zero again");
	arena_free(&a);
}

int main(void)
{
	test_rounds();
	test_grow();
	test_mark();
	return tap_done();
}
