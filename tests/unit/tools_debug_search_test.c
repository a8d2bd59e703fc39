// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Breakpoints: what is found forwards, and backwards, is exactly what a walk through all cycles
 * finds.
 */
#include "tests/unit/tools_debug_rig.h"
#include "tools/debug/search.h"

enum { HITS_MAX = 4096 };

static const struct session_region regions[] = { { "load", 0, 3 },
						 { "add", 3, 13 },
						 { "store", 16, 2 } };

static const struct breakpoint cases[] = {
	{ .kind = BREAK_BUNDLE, .lo = 8, .hi = 8 },
	{ .kind = BREAK_BUNDLE, .lo = 0, .hi = 17 },
	{ .kind = BREAK_LAYER, .layer = "add" },
	{ .kind = BREAK_LAYER, .layer = "store" },
	{ .kind = BREAK_CYCLE, .lo = 300, .hi = 300 },
	{ .kind = BREAK_SRAM, .lo = 0, .hi = 0, .write = true },
	{ .kind = BREAK_SRAM, .lo = 1024, .hi = 2047, .read = true },
	{ .kind = BREAK_SRAM, .lo = 8192, .hi = 8195, .read = true, .write = true },
	{ .kind = BREAK_REGISTER, .lo = 16, .hi = 16, .write = true },
	{ .kind = BREAK_REGISTER, .lo = 16, .hi = 19, .read = true },
	{ .kind = BREAK_SLOT, .index = 2, .lo = 64, .hi = 130, .write = true },
	{ .kind = BREAK_SLOT, .index = 1, .lo = 0, .hi = 4095, .write = true },
	{ .kind = BREAK_ACCUMULATOR, .lo = 0, .hi = 511, .read = true, .write = true },
};

struct walk {
	const struct breakpoint *b;
	bool hit;
};

static void see(void *ctx, const struct reference_access *a)
{
	static const enum break_kind kind_of[] = {
		[REFERENCE_SRAM] = BREAK_SRAM,	       [REFERENCE_RESULT] = BREAK_LAYER /* none */,
		[REFERENCE_REGISTER] = BREAK_REGISTER, [REFERENCE_ACCUMULATOR] = BREAK_ACCUMULATOR,
		[REFERENCE_WEIGHT] = BREAK_WEIGHT,     [REFERENCE_SLOT] = BREAK_SLOT,
	};
	struct walk *w = ctx;
	u64 at;

	if (kind_of[a->space] != w->b->kind || a->index != w->b->index ||
	    !(a->write ? w->b->write : w->b->read))
		return;
	for (at = a->at; at < a->at + a->count; at++)
		w->hit |= at >= w->b->lo && at <= w->b->hi;
}

static bool in_layer(const char *name, u32 bundle)
{
	u32 i;

	for (i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (!strcmp(regions[i].name, name))
			return bundle >= regions[i].first &&
			       bundle < regions[i].first + regions[i].count;
	return false;
}

/* The cycles in which @b is hit, by a walk through all. */
static u32 walk(struct session *s, const struct breakpoint *b, u64 *hits)
{
	u32 count = 0, last = SESSION_NO_BUNDLE;
	bool arrived = true;

	session_goto(s, s->start);
	for (;;) {
		struct walk w = { b, false };
		u64 now = session_now(s), bundles = s->result.activity.bundles;
		u32 at = s->reference->at;

		if (b->kind == BREAK_BUNDLE)
			w.hit = arrived && at >= b->lo && at <= b->hi;
		else if (b->kind == BREAK_LAYER)
			w.hit = arrived && in_layer(b->layer, at) && !in_layer(b->layer, last);
		else if (b->kind == BREAK_CYCLE)
			w.hit = now == b->lo;
		if (!session_step(s, see, &w))
			return count;
		arrived = s->result.activity.bundles > bundles;
		if (arrived)
			last = at;
		if (w.hit && count < HITS_MAX)
			hits[count++] = now;
	}
}

static void check(struct session *s, u32 number)
{
	static u64 hits[HITS_MAX];
	const struct breakpoint *b = &cases[number];
	u32 count = walk(s, b, hits), wrong = 0, i = 0;
	struct break_hit hit;

	session_goto(s, s->start);
	if (count && hits[0] == s->start)
		i++; /* the position itself does not count */
	for (; i < count; i++) {
		search_forwards(s, b, 1, &hit);
		wrong += hit.breakpoint != b || session_now(s) != hits[i];
	}
	search_forwards(s, b, 1, &hit);
	wrong += hit.breakpoint || !session_at_end(s);
	for (i = count; i-- > 0;) {
		search_backwards(s, b, 1, &hit);
		wrong += hit.breakpoint != b || session_now(s) != hits[i];
	}
	search_backwards(s, b, 1, &hit);
	wrong += hit.breakpoint || session_now(s) != s->start;
	tap_ok(!wrong, "breakpoint %u is hit in the right %u cycles, forwards and backwards",
	       number, count);
}

/* Two breakpoints: the nearer one is hit, and it says why. */
static void several(struct session *s)
{
	static const struct breakpoint two[] = {
		{ .number = 4, .kind = BREAK_CYCLE, .lo = 280, .hi = 280 },
		{ .number = 5, .kind = BREAK_REGISTER, .lo = 16, .hi = 16, .write = true },
	};
	struct break_hit hit;

	session_goto(s, s->start);
	search_forwards(s, two, 2, &hit);
	tap_ok(hit.breakpoint == &two[1] && hit.access.space == REFERENCE_REGISTER &&
		       hit.access.at == 16 && hit.access.write && session_now(s) < 280,
	       "the first of two is hit, by an access");
	session_step(s, NULL, NULL);
	search_forwards(s, two, 2, &hit);
	tap_ok(hit.breakpoint == &two[0] && session_now(s) == 280, "then the second");
}

int main(void)
{
	struct debug_rig r;
	u32 i;

	if (!debug_rig_open(&r, "vector_add", 1))
		return tap_done();
	r.source.regions = regions;
	r.source.region_count = sizeof(regions) / sizeof(regions[0]);
	r.source.memory = 0;
	if (debug_rig_start(&r)) {
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			check(r.session, i);
		several(r.session);
	}
	debug_rig_fini(&r);
	return tap_done();
}
