/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Deficit round robin: shares in exact cycles, bounds on waiting, and rounds counted, not walked.
 */
#include "firmware/drr.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { N = RONDO_FW_QUEUES_MAX, USERS = RONDO_FW_USERS_MAX, CASES = 300 };

/*
 * The oracle, one level: the algorithm as its paper has it, turn by turn. @current turns over the
 * members of one group, of which one at least waits.
 */
static u32 walk_level(struct drr_level *level, u32 group, const u64 cost[N])
{
	u32 m = level->current[group];

	while (level->group[m] != group || !cost[m] || level->deficit[m] < cost[m]) {
		m = (m + 1) % N;
		if (level->group[m] == group && cost[m])
			level->deficit[m] += (u64)level->weight[m] * RONDO_FW_QUANTUM;
	}
	level->current[group] = m;
	level->deficit[m] -= cost[m];
	return m;
}

/* Both levels: what a user wants next is what its queue wants that would be next. */
static u32 walk(struct drr *drr, const u64 cost[N])
{
	u64 user_cost[N] = { 0 };
	bool any = false;

	for (u32 q = 0; q < N; q++) {
		struct drr_level copy = drr->queues;

		any |= cost[q] != 0;
		if (!cost[q])
			drr->queues.deficit[q] = 0;
		else if (!user_cost[copy.group[q]])
			user_cost[copy.group[q]] = cost[walk_level(&copy, copy.group[q], cost)];
	}
	for (u32 u = 0; u < USERS; u++)
		if (!user_cost[u])
			drr->users.deficit[u] = 0;
	if (!any)
		return N;
	return walk_level(&drr->queues, walk_level(&drr->users, 0, user_cost), cost);
}

/* @users users with queues all over. */
static void test_against_walk(u32 users)
{
	struct drr a = { 0 }, b;
	u64 cost[N] = { 0 };
	u64 state = random_seed(users);
	u32 same = 0;

	for (u32 q = 0; q < N; q++)
		drr_add(&a, q, q * q % users, 1 + q * q % 37);
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
	tap_ok(same == CASES, "the same as turn by turn, %u users", users);
}

/* Cycles that two queues of one user get which always have work. */
static void share(u32 weight0, u64 cost0, u32 weight1, u64 cost1, u64 used[2])
{
	u64 cost[N] = { cost0, cost1 };
	struct drr drr = { 0 };

	drr_add(&drr, 0, 0, weight0);
	drr_add(&drr, 1, 0, weight1);
	used[0] = used[1] = 0;
	for (u32 i = 0; i < 20000; i++) {
		u32 q = drr_pick(&drr, cost, N);

		used[q] += cost[q];
	}
}

/*
 * Two users, one with a light queue, the other with 1 to 63 of any weight, and replays of any
 * length: over 10^9 cycles each gets half.
 */
static void test_users(void)
{
	double error, worst = 0;
	u64 state = random_seed(2);

	for (u32 i = 0; i < CASES; i++) {
		u32 others = 1 + random_below(&state, N - 1);
		u64 used[2] = { 0 }, cost[N] = { 0 };
		struct drr drr = { 0 };

		for (u32 q = 0; q <= others; q++)
			drr_add(&drr, q, q > 0 ? 9 : 3,
				q > 0 ? 1 + random_below(&state, RONDO_FW_WEIGHT_MAX) : 1);
		while (used[0] + used[1] < 1000000000) {
			for (u32 q = 0; q <= others; q++)
				if (!cost[q])
					cost[q] =
						1 + random_below(&state, i % 2 ? 4000000 : 200000);
			u32 q = drr_pick(&drr, cost, others + 1);

			used[q > 0] += cost[q];
			cost[q] = 0;
		}
		error = 100.0 * used[0] / (used[0] + used[1]) - 50;
		error = error < 0 ? -2 * error : 2 * error;
		worst = error > worst ? error : worst;
	}
	tap_ok(worst <= 1, "one queue against many: off its half by %.3f %% at most", worst);
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
	u64 cost[N] = { 0, 0, 0, RONDO_FW_QUANTUM };
	struct drr drr = { 0 };

	for (u32 q = 0; q < 4; q++)
		drr_add(&drr, q, 0, 1);
	tap_eq(drr_pick(&drr, cost, 4), 3, "the last queue runs");
	cost[0] = cost[1] = cost[2] = RONDO_FW_QUANTUM;
	tap_eq(drr_pick(&drr, cost, 3), 0, "it goes, and the first is next");
	tap_eq(drr_pick(&drr, cost, 3), 1, "then the second");
	tap_eq(drr_pick(&drr, cost, 1), 0, "one queue is always next");
}

static void test_edges(void)
{
	struct drr drr = { 0 };
	u64 cost[N] = { 0 };
	u32 i;

	drr_add(&drr, 0, 0, 1);
	drr_add(&drr, 1, 0, 1);
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
	test_against_walk(1);
	test_against_walk(5);
	test_against_walk(USERS);
	test_shares();
	test_users();
	test_edges();
	test_shrink();
	return tap_done();
}
