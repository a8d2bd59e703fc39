// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The map of SRAM against an array with a state for each byte. */
#include "compiler/sram_map.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <string.h>

enum { BYTES = 600, STEPS = 4000, LONG = 64 }; /* as many ranges as several blocks hold */

static struct sram_state plain[BYTES];

static void set_written(struct sram_state *s, const void *arg)
{
	s->written = *(const u64 *)arg;
}

static void set_out(struct sram_state *s, const void *arg)
{
	s->out = (int)*(const u64 *)arg;
}

static bool same(const struct sram_state *a, const struct sram_state *b)
{
	return a->written == b->written && a->read == b->read && a->in == b->in && a->out == b->out;
}

/* Every byte is in one range, which has its state; neighbours differ; find() finds it. */
static bool agrees(const struct sram_map *m)
{
	const struct sram_range *before = NULL, *r;
	struct sram_place p;
	u32 at = 0;

	sram_map_for_each(m, p, r, 0, BYTES) {
		if (r->lo != at || r->hi <= at || (before && same(&r->state, &before->state)))
			return false;
		for (; at < r->hi; at++) {
			if (!same(&r->state, &plain[at]) ||
			    sram_map_at(m, sram_map_find(m, at)) != r)
				return false;
		}
		before = r;
	}
	return at == BYTES && sram_map_at(m, sram_map_find(m, BYTES)) == before;
}

static void test_random(void)
{
	struct arena arena = { 0 };
	struct sram_map m;
	u64 state = random_seed(1);
	bool good = true;
	int blocks = 0;

	sram_map_init(&m, &arena, BYTES);
	for (int i = 0; i < BYTES; i++)
		plain[i] = (struct sram_state){ 0, 0, SRAM_NO_TRANSFER, SRAM_NO_TRANSFER };
	for (int step = 0; step < STEPS && good; step++) {
		u32 lo = random_below(&state, BYTES), hi = lo + 1;
		u64 value = random_below(&state, 3);
		bool out = random_below(&state, 2);

		if (step % LONG == 0)
			hi = BYTES;
		else if (lo + 5 < BYTES)
			hi += random_below(&state, 4);
		sram_map_change(&m, lo, hi, out ? set_out : set_written, &value);
		for (u32 at = lo; at < hi; at++)
			(out ? set_out : set_written)(&plain[at], &value);
		if (step % 500 == 499) {
			sram_map_restart(&m);
			for (int i = 0; i < BYTES; i++)
				plain[i].written = plain[i].read = 0;
		}
		good = agrees(&m);
		blocks = m.count > blocks ? m.count : blocks;
	}
	tap_ok(good, "%d changes leave what they leave in an array", STEPS);
	tap_ok(blocks > 4, "there were ranges in %d blocks", blocks);
	arena_free(&arena);
}

int main(void)
{
	test_random();
	return tap_done();
}
