/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Deficit round robin. See drr.h. */
#include "firmware/drr.h"

static_assert((int)RONDO_FW_USERS_MAX <= (int)RONDO_FW_QUEUES_MAX, "a level has room for users");

/* The member of a group that is next. */
struct next {
	u32 member;
	u64 turns; /* of its own that it has to wait for; 0: the current one goes on */
};

static u64 quantum(const struct drr_level *level, u32 m)
{
	return (u64)level->weight[m] * RONDO_FW_QUANTUM;
}

/* Where @m, one of @count members, stands in the order of turns, which ends with the current one.
 */
static u32 place(const struct drr_level *level, u32 m, u32 count)
{
	u32 current = level->current[level->group[m]];

	/* It has gone, and all after it: the first is next. */
	if (current >= count)
		current = count - 1;
	return m > current ? m - current - 1 : m + count - current - 1;
}

/* Turns that @m has to wait for until it can pay @cost. */
static u64 turns_needed(const struct drr_level *level, u32 m, u64 cost)
{
	u64 missing = cost > level->deficit[m] ? cost - level->deficit[m] : 0;

	if (!missing)
		return m != level->current[level->group[m]];
	return (missing + quantum(level, m) - 1) / quantum(level, m);
}

/* Forgets what the idle ones saved, and finds who is next in each group: @count if nobody is. */
static void find_next(struct drr_level *level, const u64 *cost, u32 count, struct next *next,
		      u32 groups)
{
	for (u32 g = 0; g < groups; g++)
		next[g].member = count;
	for (u32 m = 0; m < count; m++) {
		struct next *best = &next[level->group[m]];

		if (!cost[m]) {
			level->deficit[m] = 0;
			continue;
		}
		u64 turns = turns_needed(level, m, cost[m]);

		if (best->member == count || turns < best->turns ||
		    (turns == best->turns &&
		     place(level, m, count) < place(level, best->member, count)))
			*best = (struct next){ m, turns };
	}
}

/* Gives everyone in the group of @next the turns that go by until it can pay, and has it pay. */
static void take(struct drr_level *level, const u64 *cost, u32 count, const struct next *next)
{
	u32 group = level->group[next->member], last = place(level, next->member, count);

	for (u32 m = 0; next->turns && m < count; m++)
		if (cost[m] && level->group[m] == group)
			level->deficit[m] +=
				(next->turns - (place(level, m, count) > last)) * quantum(level, m);
	level->current[group] = next->member;
	level->deficit[next->member] -= cost[next->member];
}

void drr_add(struct drr *drr, u32 q, u32 user, u32 weight)
{
	drr->queues.group[q] = user;
	drr->queues.weight[q] = weight;
	drr->queues.deficit[q] = 0;
	drr->users.weight[user] = 1;
}

u32 drr_pick(struct drr *drr, const u64 *cost, u32 queues)
{
	struct next queue[RONDO_FW_USERS_MAX], user;
	u64 user_cost[RONDO_FW_USERS_MAX];

	find_next(&drr->queues, cost, queues, queue, RONDO_FW_USERS_MAX);
	for (u32 u = 0; u < RONDO_FW_USERS_MAX; u++)
		user_cost[u] = queue[u].member < queues ? cost[queue[u].member] : 0;
	find_next(&drr->users, user_cost, RONDO_FW_USERS_MAX, &user, 1);
	if (user.member == RONDO_FW_USERS_MAX)
		return queues;
	take(&drr->users, user_cost, RONDO_FW_USERS_MAX, &user);
	take(&drr->queues, cost, queues, &queue[user.member]);
	return queue[user.member].member;
}
