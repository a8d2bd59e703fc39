// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The dependence test against all values of all indices. */
#include "core/overlap.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { CASES = 20000, MOST = 4 };

struct terms {
	int n;
	s64 stride[MOST];
	u32 from[MOST], to[MOST];
};

/* Whether blocks of @a_bytes at @a and of @b_bytes at @b meet for some indices from @i on. */
static bool meet(const struct terms *t, int i, s64 a, s64 a_bytes, s64 b, s64 b_bytes)
{
	if (i == t->n)
		return a < b + b_bytes && b < a + a_bytes;
	for (u32 n = t->from[i]; n <= t->to[i]; n++) {
		if (meet(t, i + 1, a + (s64)n * t->stride[i], a_bytes, b, b_bytes))
			return true;
	}
	return false;
}

static struct terms random_terms(u64 *state)
{
	struct terms t = { .n = (int)random_below(state, MOST + 1) };

	for (int i = 0; i < t.n; i++) {
		t.stride[i] = (s64)random_below(state, 60) - 30;
		t.from[i] = (u32)random_below(state, 3);
		t.to[i] = t.from[i] + (u32)random_below(state, 4);
	}
	return t;
}

int main(void)
{
	int wrong = 0, cut_off = 0, apart = 0;
	u64 state = random_seed(1);

	for (int c = 0; c < CASES; c++) {
		const struct terms t = random_terms(&state);
		s64 a = (s64)random_below(&state, 60), b = (s64)random_below(&state, 60);
		s64 a_bytes = 1 + (s64)random_below(&state, 6);
		s64 b_bytes = 1 + (s64)random_below(&state, 6);
		struct rondo_overlap g;
		bool may, does = meet(&t, 0, a, a_bytes, b, b_bytes);
		u32 nodes;

		rondo_overlap_begin(&g, a, a_bytes, b, b_bytes);
		for (int i = 0; i < t.n; i++)
			rondo_overlap_add(&g, t.stride[i], t.from[i], t.to[i]);
		may = rondo_overlap_possible(&g, &nodes);
		cut_off += nodes == RONDO_OVERLAP_NODES;
		apart += !does;
		wrong += nodes < RONDO_OVERLAP_NODES ? may != does : does && !may;
	}
	tap_eq(wrong, 0, "the same as trying all indices");
	tap_ok(apart > CASES / 10 && apart < CASES * 9 / 10, "both answers are common");
	tap_ok(cut_off < CASES / 100, "the search is hardly ever cut off");
	return tap_done();
}
