// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The check of rolled bundles: what rolling may get wrong is done to right bundles, one thing at a
 * time, and must be found.
 */
#include "compiler/bundles.h"
#include "tests/tap.h"

#include <string.h>

enum { TRIPS = 5 };

/* A bundle with a load and a loop of two bundles that it opens: 11 bundles in one stream. */
struct rig {
	struct arena arena;
	struct bundle_maker maker;
	struct stream_run load, wait;
	struct stream stream;
	struct bundle_list list;
	struct bundle_node *opener, *loop, *inside;
};

static void put(struct rig *r, struct bundle_node *n, const struct stream_run *run, int slot)
{
	n->slot[slot] = bundle_slot(&r->maker, run, 2);
}

static void start(struct rig *r)
{
	*r = (struct rig){ .load = { .slot = RONDO_L0 }, .wait = { .slot = RONDO_C } };
	r->maker.arena = &r->arena;
	r->stream.length = 1 + 2 * TRIPS;
	r->opener = bundle_node(&r->maker, BUNDLE);
	r->opener->nest = 1;
	r->opener->nest_trips[0] = TRIPS;
	put(r, r->opener, &r->load, RONDO_L0);
	bundle_append(&r->list, r->opener);
	r->loop = bundle_node(&r->maker, BUNDLE_LOOP);
	bundle_append(&r->list, r->loop);
	for (int i = 0; i < 2; i++) {
		r->inside = bundle_node(&r->maker, BUNDLE);
		put(r, r->inside, &r->load, RONDO_L0);
		r->inside->slot[RONDO_L0]->step[0].bytes = 4;
		bundle_append(&r->loop->body, r->inside);
	}
}

static void found(struct rig *r, const char *want)
{
	const char *fault = bundles_check(&r->list, &r->stream);

	if (!tap_ok(fault && !strcmp(fault, want), "%s", want))
		printf("# %s\n", fault ? fault : "nothing is found");
	arena_free(&r->arena);
}

int main(void)
{
	struct rig r;

	start(&r);
	tap_ok(!bundles_check(&r.list, &r.stream), "what is right passes");
	arena_free(&r.arena);
	start(&r);
	r.opener->nest_trips[0]++;
	found(&r, "not as many bundles as the stream has");
	start(&r);
	r.opener->nest = 0;
	found(&r, "a loop that nothing opens");
	start(&r);
	r.inside->nest = 1;
	r.inside->nest_trips[0] = 2;
	found(&r, "a bundle that opens no loop");
	start(&r);
	put(&r, r.opener, &r.wait, RONDO_C);
	found(&r, "a loop that is opened where slot C is taken");
	start(&r);
	put(&r, r.inside, &r.load, RONDO_L1);
	found(&r, "an operation in the slot of another");
	start(&r);
	r.inside->slot[RONDO_L0]->step[1].rows = 1;
	found(&r, "a stride of a loop that is not around it");
	start(&r);
	r.opener->nest = RONDO_LOOP_DEPTH + 1;
	found(&r, "loops that are too deep");
	return tap_done();
}
