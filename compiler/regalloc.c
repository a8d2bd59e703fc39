// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Register allocation: linear scan over the bundles.
 *
 * A virtual register lives from its first write to its last read, and through every loop that it
 * enters from outside: the next trip may read it. The schedule leaves nothing in flight at a loop's
 * edges, so an interval of bundles is all there is to know. Registers are handed out from 0 up,
 * groups of three from the top down.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"

struct interval {
	vreg v;
	int first, last; /* bundles; first is -1 while unseen */
	int reg; /* what it got */
};

struct allocation {
	struct lowering *l;
	struct vliw *v;
	struct interval *of; /* by vreg */
	int busy_until[RONDO_VREGS]; /* last bundle in which the register is taken */
};

static void touch(struct allocation *a, vreg v, int first, int last)
{
	struct interval *i;

	if (v == VREG_NONE)
		return;
	i = &a->of[v];
	if (i->first < 0 || first < i->first)
		i->first = first;
	if (last > i->last)
		i->last = last;
}

static void find_intervals(struct allocation *a)
{
	int b, s;

	for (b = 0; b < a->v->bundles; b++) {
		for (s = RONDO_L0; s < RONDO_SLOTS_PER_BUNDLE; s++) {
			const struct mir_item *item = a->v->bundle[b].slot[s];

			if (!item)
				continue;
			touch(a, item->a, b, b);
			touch(a, item->b, b, b);
			touch(a, item->c, b, b);
			touch(a, item->params, b, b);
			/* taken until it lands, even if nobody reads it */
			touch(a, item->dst, b, b + rondo_latency(a->l->machine, item->op.op) - 1);
		}
	}
}

/*
 * The loop that each bundle stands in: the number of the bundle that opens it, -1 outside of all.
 * A loop's own bundle stands outside of it.
 */
static int *find_loops(const struct allocation *a)
{
	int *loop = graph_alloc(a->l->g, (a->v->bundles + 1) * sizeof(*loop)), b, open = -1;

	if (!loop)
		return NULL;
	for (b = 0; b < a->v->bundles; b++) {
		while (open >= 0 && b > open + a->v->bundle[open].body)
			open = loop[open];
		loop[b] = open;
		if (a->v->bundle[b].nest)
			open = b;
	}
	loop[b] = -1;
	return loop;
}

/* Lets what enters a loop from outside live to the loop's end. */
static void extend_over_loops(struct allocation *a, const int *loop)
{
	vreg v;
	int b;

	for (v = 0; v < a->l->mir.vregs; v++) {
		struct interval *i = &a->of[v];

		for (b = i->first < 0 ? -1 : loop[i->last]; b >= i->first && b >= 0; b = loop[b])
			if (i->last < b + a->v->bundle[b].body)
				i->last = b + a->v->bundle[b].body;
	}
}

static int earlier_first(const void *x, const void *y)
{
	const struct interval *a = *(struct interval *const *)x, *b = *(struct interval *const *)y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->v - b->v;
}

/* Whether registers [reg, reg + width) are free from bundle @first on. */
static bool is_free(const struct allocation *a, int reg, int width, int first)
{
	while (width--)
		if (a->busy_until[reg + width] >= first)
			return false;
	return true;
}

static int find_register(const struct allocation *a, int width, int first)
{
	int reg;

	if (width == 1) {
		for (reg = 0; reg < RONDO_VREGS; reg++)
			if (is_free(a, reg, 1, first))
				return reg;
		return -1;
	}
	for (reg = RONDO_VREGS - width; reg >= 0; reg--)
		if (is_free(a, reg, width, first))
			return reg;
	return -1;
}

static int assign(struct allocation *a)
{
	int n = 0, i, width, vregs = a->l->mir.vregs;
	struct interval **order = graph_alloc(a->l->g, vregs * sizeof(*order));
	vreg v;

	if (!order)
		return -ENOMEM;
	for (v = 0; v < vregs; v++)
		if (a->of[v].first >= 0)
			order[n++] = &a->of[v];
	qsort(order, n, sizeof(*order), earlier_first);
	for (i = 0; i < n; i++) {
		width = a->l->mir.vreg_width[order[i]->v];
		order[i]->reg = find_register(a, width, order[i]->first);
		if (order[i]->reg < 0) {
			a->v->tight = order[i]->first;
			return -EAGAIN;
		}
		while (width--)
			a->busy_until[order[i]->reg + width] = order[i]->last;
	}
	return 0;
}

static u8 reg_of(const struct allocation *a, vreg v)
{
	return v == VREG_NONE ? 0 : a->of[v].reg;
}

static void fill_in(struct allocation *a)
{
	struct mir *m = &a->l->mir;
	int i;

	for (i = 0; i < m->items; i++) {
		struct mir_item *item = &m->item[i];

		if (item->kind != MIR_OP)
			continue;
		item->op.dst = reg_of(a, item->dst) + item->dst_part;
		item->op.a = reg_of(a, item->a);
		item->op.b = reg_of(a, item->b);
		item->op.c = reg_of(a, item->c);
		item->op.params = reg_of(a, item->params);
	}
}

int allocate_registers(struct lowering *l, struct vliw *v)
{
	struct allocation a = { .l = l, .v = v };
	int err, i, *loop = find_loops(&a);

	a.of = graph_alloc(l->g, l->mir.vregs * sizeof(*a.of));
	if (!loop || !a.of)
		return -ENOMEM;
	for (i = 0; i < l->mir.vregs; i++)
		a.of[i] = (struct interval){ .v = i, .first = -1, .last = -1 };
	for (i = 0; i < RONDO_VREGS; i++)
		a.busy_until[i] = -1;
	find_intervals(&a);
	extend_over_loops(&a, loop);
	err = assign(&a);
	if (!err)
		fill_in(&a);
	return err;
}
