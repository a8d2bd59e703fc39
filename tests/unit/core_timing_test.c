// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Max-plus time against stepping every bundle, on random nests with large trip counts, and
 * at the limits.
 */
#include "core/machine.h"
#include "core/timing.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { NESTS = 5000, OPS = 24, STEPS_MAX = 2000000 };

static u64 random_state = 88172645463325252ull;

static u32 pick(u32 count)
{
	return (u32)((random_next(&random_state) >> 32) % count);
}

/* One bundle: it waits, starts, opens a loop over the bundles up to last, or does neither. */
struct bundle {
	enum { IDLE, WAIT, START, LOOP } does;
	u32 channel, outstanding, empty;
	u64 cost, trips;
	u32 last;
};

struct nest {
	u32 bundles;
	struct bundle bundle[OPS];
};

/* A random nest with loops inside at most @depth others. */
static void make_nest(struct nest *n)
{
	u32 last[RONDO_LOOP_DEPTH], depth = 0, i;

	n->bundles = 2 + pick(OPS - 2);
	for (i = 0; i < n->bundles; i++) {
		struct bundle *b = &n->bundle[i];
		u32 end = depth ? last[depth - 1] : n->bundles - 1;

		*b = (struct bundle){ .does = pick(4), .channel = pick(2), .outstanding = pick(4) };
		b->cost = 1 + (pick(2) ? pick(8) : pick(600));
		b->empty = depth && pick(2) ? 1 + pick(depth) : 0;
		b->trips = 1 + (pick(3) ? pick(6) : pick(60));
		if (b->does == LOOP && i < end && depth < RONDO_DMA_LOOP_DEPTH) {
			b->last = i + 1 + pick(end - i);
			last[depth++] = b->last;
		} else if (b->does == LOOP) {
			b->does = IDLE;
		}
		while (depth && last[depth - 1] == i)
			depth--;
	}
}

static u64 closed_form(const struct nest *n, struct rondo_time *time, const struct rondo_machine *m)
{
	const struct bundle *loop[RONDO_LOOP_DEPTH];
	u64 first[RONDO_LOOP_DEPTH], clock = 0, after;
	u32 depth = 0, i;

	rondo_time_init(time, m);
	for (i = 0; i < n->bundles; i++) {
		const struct bundle *b = &n->bundle[i];

		if (b->does == WAIT)
			rondo_time_wait(time, clock, b->channel, b->outstanding);
		if (b->does == START)
			rondo_time_start(time, clock, b->channel, b->cost, b->empty);
		clock++;
		if (b->does == LOOP) {
			rondo_time_open(time, clock);
			first[depth] = clock;
			loop[depth++] = b;
		}
		while (depth && loop[depth - 1]->last == i) {
			depth--;
			after = clock + (clock - first[depth]) * (loop[depth]->trips - 1);
			rondo_time_close(time, clock, after, loop[depth]->trips);
			clock = after;
		}
	}
	return rondo_time_end(time, clock);
}

static u64 later(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* Every trip, by the rules of core/timing.h; 0 if that takes too long. */
static u64 stepped(const struct nest *n, u64 startup)
{
	u64 end[RONDO_DMA_CHANNELS][RONDO_DMA_OUTSTANDING] = { 0 }, t = 0, steps = 0;
	u64 index[RONDO_LOOP_DEPTH];
	const struct bundle *loop[RONDO_LOOP_DEPTH];
	u32 body[RONDO_LOOP_DEPTH], depth = 0, i = 0, k;

	while (i < n->bundles) {
		const struct bundle *b = &n->bundle[i];
		u64 *e = end[b->channel];

		if (steps++ > STEPS_MAX)
			return 0;
		if (b->does == WAIT)
			t = later(t, e[b->outstanding]);
		if (b->does == START) {
			u64 done = later(t = later(t, e[3]), 0);

			if (b->empty && index[b->empty - 1] == loop[b->empty - 1]->trips - 1)
				done = e[0];
			else
				done = later(done + startup, e[0]) + b->cost;
			for (k = RONDO_DMA_OUTSTANDING - 1; k > 0; k--)
				e[k] = e[k - 1];
			e[0] = done;
		}
		t++;
		if (b->does == LOOP) {
			index[depth] = 0;
			body[depth] = i + 1;
			loop[depth++] = b;
		}
		for (i++; depth && loop[depth - 1]->last == i - 1; depth--) {
			if (++index[depth - 1] < loop[depth - 1]->trips) {
				i = body[depth - 1];
				break;
			}
		}
	}
	return t;
}

static void test_random(struct rondo_time *time, const struct rondo_machine *m)
{
	u32 i, compared = 0, wrong = 0;
	struct nest n;
	u64 literal;

	for (i = 0; i < NESTS; i++) {
		make_nest(&n);
		literal = stepped(&n, m->dma_startup);
		if (!literal)
			continue;
		compared++;
		wrong += closed_form(&n, time, m) != literal;
	}
	tap_ok(!wrong, "closed form equals stepping: %u of %u nests differ", wrong, compared);
	tap_ok(compared > NESTS / 2, "most nests are short enough to step");
}

static void test_limits(struct rondo_time *time, const struct rondo_machine *m)
{
	struct rondo_desc desc = { .row_bytes = 65, .count = { 2, 3, 4 } };

	tap_eq(rondo_dma_cost(m, &desc), 24 * (2 + 2), "cost of a transfer");
	desc.mode = RONDO_DMA_TILE;
	desc.x0 = 1;
	desc.x1 = 10;
	desc.y0 = 2;
	desc.y1 = 6;
	tap_eq(rondo_dma_cost(m, &desc), 50 * 24 * (2 + 2), "for each tile");
	desc.mode = RONDO_DMA_ROWS;
	tap_eq(rondo_dma_cost(m, &desc), 5 * 24 * (2 + 2), "for each row of tiles");
	desc.mode = RONDO_DMA_COLUMNS;
	tap_eq(rondo_dma_cost(m, &desc), 10 * 24 * (2 + 2), "for each column of tiles");
	desc.mode = RONDO_DMA_BROADCAST;
	tap_eq(rondo_dma_cost(m, &desc), 24 * (2 + 2), "or once");
	desc.mode = RONDO_DMA_ROWS;
	desc.y1 = desc.y0;
	tap_eq(rondo_dma_cost(m, &desc), 24 * (2 + 2), "one row of tiles gets it once");
	desc.row_bytes = ~0u;
	desc.count[0] = desc.count[1] = desc.count[2] = ~0u;
	tap_eq(rondo_dma_cost(m, &desc), RONDO_TIME_LIMIT, "the largest descriptor saturates");

	/* 2^40 trips of one start, each 2^30 cycles longer than the channel can hide. */
	rondo_time_init(time, m);
	rondo_time_open(time, 1);
	rondo_time_start(time, 1, 0, 1ull << 30, 0);
	rondo_time_close(time, 2, 1 + (1ull << 40), 1ull << 40);
	tap_eq(rondo_time_end(time, 1 + (1ull << 40)), RONDO_TIME_LIMIT, "time saturates");
}

int main(void)
{
	struct rondo_time *time = malloc(sizeof(*time));
	struct rondo_machine m;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	test_random(time, &m);
	test_limits(time, &m);
	free(time);
	return tap_done();
}
