/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Deficit round robin: shares in exact cycles, bounds on waiting, and rounds counted, not walked.
 */
#include "firmware/drr.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { N = RONDO_FW_QUEUES_MAX, CASES = 300 };

/* The algorithm as its paper has it: turn by turn. The oracle. */
static u32 walk(struct drr *drr, const u64 cost[N])
{
	bool any = false;
	u32 q = drr->current;

	for (u32 i = 0; i < N; i++) {
		any |= cost[i] != 0;
		if (!cost[i])
			drr->deficit[i] = 0;
	}
	if (!any)
		return N;
	while (!cost[q] || drr->deficit[q] < cost[q]) {
		q = (q + 1) % N;
		if (cost[q])
			drr->deficit[q] += (u64)drr->weight[q] * RONDO_FW_QUANTUM;
	}
	drr->current = q;
	drr->deficit[q] -= cost[q];
	return q;
}

static void test_against_walk(void)
{
	struct drr a = { 0 }, b;
	u64 cost[N] = { 0 };
	u64 state = random_seed(1);
	u32 same = 0;

	for (u32 q = 0; q < N; q++)
		a.weight[q] = 1 + q * q % 37;
	b = a;
	for (u32 i = 0; i < CASES; i++) {
		for (u32 q = 0; q < N; q++) {
			if (!random_below(&state, 4))
				cost[q] = 0;
			else if (!cost[q])
				cost[q] =
					i % 2 ? 1 + random_below(&state, 2000000) :
						(1 + random_below(&state, 100)) * RONDO_FW_QUANTUM;
		}
		u32 picked = drr_pick(&a, cost, N);

		same += picked == walk(&b, cost) && !memcmp(&a, &b, sizeof(a));
		if (picked < N && i % 3)
			cost[picked] = 0;
	}
	tap_eq(same, CASES, "the same as turn by turn");
}

/* Cycles that two queues get which always have work. */
static void share(u32 weight0, u64 cost0, u32 weight1, u64 cost1, u64 used[2])
{
	struct drr drr = { .weight = { weight0, weight1 } };
	u64 cost[N] = { cost0, cost1 };

	used[0] = used[1] = 0;
	for (u32 i = 0; i < 20000; i++) {
		u32 q = drr_pick(&drr, cost, N);

		used[q] += cost[q];
	}
}

static bool close_to(u64 a, u64 b)
{
	u64 difference = a > b ? a - b : b - a;

	return difference * 500 <= b;
}

static void test_shares(void)
{
	u64 used[2];

	share(1, 1000, 1, 1000, used);
	tap_ok(close_to(used[1], used[0]), "equal weights: %llu and %llu cycles",
	       (unsigned long long)used[0], (unsigned long long)used[1]);
	share(1, 1000, 3, 1000, used);
	tap_ok(close_to(used[1], 3 * used[0]), "weights 1:3: %llu and %llu cycles",
	       (unsigned long long)used[0], (unsigned long long)used[1]);
	share(1, 777, 3, 50001, used);
	tap_ok(close_to(used[1], 3 * used[0]), "weights 1:3, long and short replays: %llu and %llu",
	       (unsigned long long)used[0], (unsigned long long)used[1]);
	share(RONDO_FW_WEIGHT_MAX, 40000, 1, 40000, used);
	tap_ok(used[1] && used[0] / used[1] > 950 && used[0] / used[1] < 1100,
	       "weights 1024:1: %llu and %llu cycles", (unsigned long long)used[0],
	       (unsigned long long)used[1]);
}

/* The last queues go, the current one among them; the turn passes to the first. */
static void test_shrink(void)
{
	struct drr drr = { .weight = { 1, 1, 1, 1 } };
	u64 cost[N] = { 0, 0, 0, RONDO_FW_QUANTUM };

	tap_eq(drr_pick(&drr, cost, 4), 3, "the last queue runs");
	cost[0] = cost[1] = cost[2] = RONDO_FW_QUANTUM;
	tap_eq(drr_pick(&drr, cost, 3), 0, "it goes, and the first is next");
	tap_eq(drr_pick(&drr, cost, 3), 1, "then the second");
	tap_eq(drr_pick(&drr, cost, 1), 0, "one queue is always next");
}

static void test_edges(void)
{
	struct drr drr = { .weight = { 1, 1 } };
	u64 cost[N] = { 0 };
	u32 i;

	tap_eq(drr_pick(&drr, cost, N), N, "nothing waits");
	cost[0] = RONDO_CYCLES_MAX;
	tap_eq(drr_pick(&drr, cost, N), 0, "the longest replay, in one call");
	cost[1] = RONDO_CYCLES_MAX / 10000;
	for (i = 0; drr_pick(&drr, cost, N) == 1 && i < 20000; i++)
		;
	tap_ok(i > 9900 && i < 10100, "and again after as many cycles of another: %u replays", i);
}

int main(void)
{
	test_against_walk();
	test_shares();
	test_edges();
	test_shrink();
	return tap_done();
}
