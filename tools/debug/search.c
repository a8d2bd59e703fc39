// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/debug/search.h"

struct search {
	const struct breakpoint *breaks;
	u32 count;
	struct break_hit hit; /* of the cycle in question */
};

static bool is_kind(const struct breakpoint *b, const struct reference_access *access)
{
	switch (access->space) {
	case REFERENCE_SRAM:
		return b->kind == BREAK_SRAM;
	case REFERENCE_RESULT:
		return false;
	case REFERENCE_REGISTER:
		return b->kind == BREAK_REGISTER;
	case REFERENCE_ACCUMULATOR:
		return b->kind == BREAK_ACCUMULATOR;
	case REFERENCE_WEIGHT:
		return b->kind == BREAK_WEIGHT && b->index == access->index;
	case REFERENCE_SLOT:
		return b->kind == BREAK_SLOT && b->index == access->index;
	}
	return false;
}

/* The first access of a cycle that a breakpoint is for. */
static void see(void *ctx, const struct reference_access *access)
{
	struct search *search = ctx;
	u32 i;

	for (i = 0; i < search->count && !search->hit.breakpoint; i++) {
		const struct breakpoint *b = &search->breaks[i];

		if (is_kind(b, access) && (access->write ? b->write : b->read) &&
		    access->at <= b->hi && access->at + access->count - 1 >= b->lo)
			search->hit = (struct break_hit){ b, *access };
	}
}

static bool in_layer(const struct session *s, const char *name, u32 bundle)
{
	const struct session_region *region = session_region_of(s, bundle);

	return region && !strcmp(region->name, name);
}

/* Whether the position is one of @b's, seen without stepping. */
static bool is_position(const struct session *s, const struct breakpoint *b)
{
	u32 bundle = session_bundle(s);

	if (bundle == SESSION_NO_BUNDLE)
		return false;
	switch (b->kind) {
	case BREAK_CYCLE:
		return session_now(s) == b->lo;
	case BREAK_BUNDLE:
		return s->arrived && bundle >= b->lo && bundle <= b->hi;
	case BREAK_LAYER:
		return s->arrived && in_layer(s, b->layer, bundle) &&
		       !in_layer(s, b->layer, s->executed);
	default:
		return false;
	}
}

static void see_position(struct search *search, const struct session *s)
{
	u32 i;

	for (i = 0; i < search->count && !search->hit.breakpoint; i++)
		if (is_position(s, &search->breaks[i]))
			search->hit.breakpoint = &search->breaks[i];
}

bool search_forwards(struct session *s, const struct breakpoint *breaks, u32 count,
		     struct break_hit *hit)
{
	struct search search = { .breaks = breaks, .count = count };
	u64 now;

	*hit = search.hit;
	if (!session_step(s, NULL, NULL))
		return true;
	do {
		if (session_interrupted(s))
			return false;
		now = session_now(s);
		see_position(&search, s);
		if (search.hit.breakpoint) {
			*hit = search.hit;
			return true;
		}
	} while (session_step(s, see, &search) && !search.hit.breakpoint);
	/* A cycle that fails never happens, whatever it touched before. */
	if (session_now(s) == now)
		return true;
	*hit = search.hit;
	return session_goto(s, now);
}

/* The last hit in the cycles [@from, @to), and its cycle; false: interrupted. */
static bool last_hit(struct session *s, struct search *search, u64 from, u64 to,
		     struct break_hit *hit, u64 *cycle)
{
	if (!session_goto(s, from))
		return false;
	while (session_now(s) < to) {
		u64 now = session_now(s);

		if (session_interrupted(s))
			return false;
		search->hit = (struct break_hit){ .breakpoint = NULL };
		see_position(search, s);
		if (!session_step(s, see, search))
			break;
		if (!search->hit.breakpoint)
			continue;
		*hit = search->hit;
		*cycle = now;
	}
	return true;
}

bool search_backwards(struct session *s, const struct breakpoint *breaks, u32 count,
		      struct break_hit *hit)
{
	struct search search = { .breaks = breaks, .count = count };
	u64 to = session_now(s), cycle = s->start;
	u32 i = s->checkpoints;

	*hit = search.hit;
	while (i-- > 0 && !hit->breakpoint) {
		u64 from = s->checkpoint[i].cycle;

		if (from >= to)
			continue;
		if (!last_hit(s, &search, from, to, hit, &cycle))
			return false;
		to = from;
	}
	return session_goto(s, cycle);
}
