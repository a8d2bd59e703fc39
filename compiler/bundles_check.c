// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What rolled bundles promise: see bundles.h. */
#include "compiler/bundles.h"

struct check {
	const char *fault;
};

/* Records the first fault. */
static void fail(struct check *c, const char *what)
{
	if (!c->fault)
		c->fault = what;
}

static void check_slots(struct check *c, const struct bundle_node *n, int depth)
{
	for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		const struct bundle_slot *s = n->slot[slot];

		if (!s)
			continue;
		if (s->run->slot != slot)
			fail(c, "an operation in the slot of another");
		if (slot == RONDO_C && depth > RONDO_DMA_LOOP_DEPTH)
			fail(c, "a transfer or a wait in too many loops");
		for (int d = depth; d < s->loops; d++) {
			if (s->step[d].bytes || s->step[d].rows)
				fail(c, "a stride of a loop that is not around it");
		}
	}
	if (n->nest && n->slot[RONDO_C])
		fail(c, "a loop that is opened where slot C is taken");
}

/* Bundles that @l, which stands in @depth loops, executes. */
static u64 executed(struct check *c, const struct bundle_list *l, int depth)
{
	const struct bundle_node *opener = NULL;
	u64 sum = 0;

	for (const struct bundle_node *n = l->first; n && !c->fault; n = n->next) {
		u64 trips = 1;

		if (n->kind == BUNDLE_MARK)
			continue;
		if (n->kind == BUNDLE) {
			if (opener)
				fail(c, "a bundle that opens no loop");
			check_slots(c, n, depth);
			opener = n->nest ? n : NULL;
			sum++;
			continue;
		}
		if (!opener || depth + opener->nest > RONDO_LOOP_DEPTH) {
			fail(c, opener ? "loops that are too deep" : "a loop that nothing opens");
			break;
		}
		for (int i = 0; i < opener->nest; i++)
			trips *= opener->nest_trips[i];
		sum += trips * executed(c, &n->body, depth + opener->nest);
		opener = NULL;
	}
	if (opener)
		fail(c, "a bundle that opens no loop");
	return sum;
}

static u64 length(const struct stream *s)
{
	u64 sum = 0;

	for (; s; s = s->next)
		sum += s->trips ? s->trips * length(s->body) : s->length;
	return sum;
}

const char *bundles_check(const struct bundle_list *l, const struct stream *s)
{
	struct check c = { NULL };
	u64 bundles = executed(&c, l, 0);

	if (!c.fault && bundles != length(s))
		c.fault = "not as many bundles as the stream has";
	return c.fault;
}
