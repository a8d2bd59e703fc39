/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Deficit round robin: shares in exact cycles, bounds on waiting, and rounds counted, not walked.
 */
#include "core/bound.h"
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

/* Users and queues of any number and weight, whose replays take up to @longest. */
struct crowd {
	struct drr drr;
	u32 queues, users;
	u32 user[N], weight[N];
	u64 longest[N], cost[N];
};

/* The lighter a queue, the shorter are its replays, or they would be too many to walk. */
static void gather(struct crowd *c, u64 *state)
{
	*c = (struct crowd){ .queues = 1 + random_below(state, random_below(state, 2) ? 4 : N) };
	c->users = 1 + random_below(state, c->queues);
	for (u32 q = 0; q < c->queues; q++) {
		c->user[q] = q % c->users;
		c->weight[q] = 1 + random_below(state, random_below(state, 2) ? 4 : 100);
		c->longest[q] = c->weight[q] * (random_below(state, 2) ? 100000ULL : 4000);
		drr_add(&c->drr, q, c->user[q], c->weight[q]);
	}
}

/* Everybody but @quiet has the next replay ready. */
static void refill(struct crowd *c, u64 *state, u32 quiet)
{
	for (u32 q = 0; q < c->queues; q++)
		if (q != quiet && !c->cost[q])
			c->cost[q] = 1 + random_below(state, c->longest[q]);
}

/* What is promised to queue 0 with @jobs of @work cycles in all. */
static u64 promised(const struct crowd *c, u64 work, u64 jobs)
{
	struct rondo_bound bound = { .work = work, .jobs = jobs, .weight = c->weight[0] };
	u64 longest[USERS] = { 0 };

	for (u32 q = 0; q < c->queues; q++) {
		if (c->longest[q] > bound.longest)
			bound.longest = c->longest[q];
		if (c->longest[q] > longest[c->user[q]])
			longest[c->user[q]] = c->longest[q];
		if (!q || c->user[q] != c->user[0])
			continue;
		bound.siblings++;
		bound.sibling_weights += c->weight[q];
	}
	bound.sibling_longest = longest[c->user[0]];
	bound.users = c->users - 1;
	for (u32 u = 0; u < c->users; u++)
		bound.users_longest += u != c->user[0] ? longest[u] : 0;
	return rondo_bound_cycles(&bound);
}

/* Queue 0 is idle for a while, then gets @jobs; all cycles that go by while it has one. */
static u64 waited(struct crowd *c, u64 *state, const u64 *work, u32 jobs)
{
	u64 cycles = 0;
	u32 q;

	for (u32 job = 0; job < jobs; job++) {
		/* What runs when the job comes is waited for, too. */
		for (u32 i = random_below(state, 200); i > 0 && c->queues > 1; i--) {
			refill(c, state, 0);
			q = drr_pick(&c->drr, c->cost, c->queues);
			cycles += i == 1 ? c->cost[q] : 0;
			c->cost[q] = 0;
		}
		c->cost[0] = work[job];
		do {
			refill(c, state, 0);
			q = drr_pick(&c->drr, c->cost, c->queues);
			cycles += c->cost[q];
			c->cost[q] = 0;
		} while (q);
	}
	return cycles;
}

static void test_bound(void)
{
	enum { JOBS = 5 };
	u64 state = random_seed(3), work[JOBS], sum;
	double worst = 0;
	struct crowd c;

	for (u32 i = 0; i < CASES / 2; i++) {
		u32 jobs = 1 + random_below(&state, JOBS);

		gather(&c, &state);
		sum = 0;
		for (u32 job = 0; job < jobs; job++)
			sum += work[job] = 1 + random_below(&state, c.longest[0]);
		double ratio = (double)waited(&c, &state, work, jobs) / promised(&c, sum, jobs);

		worst = ratio > worst ? ratio : worst;
	}
	tap_ok(worst <= 1, "nobody waits longer than the bound: %.4f of it at most", worst);
	tap_ok(worst > 0.25, "which is not far from what happens");
}

/* The bound, worked out by hand. */
static void test_bound_values(void)
{
	const u64 quantum = RONDO_FW_QUANTUM;
	struct rondo_bound b = { .work = 1000, .jobs = 1, .weight = 1, .longest = 1000 };

	tap_eq(rondo_bound_cycles(&b), 2000, "alone: its own, and a replay before it");
	b.siblings = 2;
	b.sibling_weights = 10;
	b.sibling_longest = 500;
	/* 3 turns, in each of which they get 10 quanta, and what they saved */
	tap_eq(rondo_bound_cycles(&b), 2000 + 2 * 500 + 3 * 10 * quantum, "queues of its user");
	b.siblings = b.sibling_weights = 0;
	b.users = 4;
	b.users_longest = 7000;
	tap_eq(rondo_bound_cycles(&b), 2000 + 7000 + 4 * 3 * quantum, "other users");
	b.work = 2 * quantum;
	b.jobs = 5;
	tap_eq(rondo_bound_cycles(&b), 2 * quantum + 5 * 1000 + 7000 + 4 * (2 + 5 + 2) * quantum,
	       "several jobs");
	b.work = ~0ULL - 5;
	tap_ok(rondo_bound_cycles(&b) == ~0ULL, "as much as there can be");
	b.users = b.jobs = 1;
	b.weight = RONDO_FW_WEIGHT_MAX;
	b.sibling_weights = ~0ULL;
	tap_ok(rondo_bound_cycles(&b) == ~0ULL, "in any of its terms");
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
	test_bound();
	test_bound_values();
	test_edges();
	test_shrink();
	return tap_done();
}
