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

int main(void)
{
	test_rounds();
	return tap_done();
}
