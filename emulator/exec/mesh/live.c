// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Live registers: those that are read later, before they are written in all tiles. The usual
 * backward data flow over the bundles, repeated until the loops' ends agree with their starts.
 */
#include "emulator/exec/mesh/mesh.h"

/* After bundle @from, bundle @to may follow: the first of a loop that ends there. */
struct back {
	u32 from, to;
};

/* In the order of @from; returns how many, at most one for each bundle. */
static u32 find_backs(const struct exec_program *p, struct back *back)
{
	u32 first[RONDO_LOOP_DEPTH], depth = 0, count = 0, at, i;

	for (at = 0; at < p->bundles; at++) {
		const struct exec_bundle *b = &p->bundle[at];
		u32 nest = rondo_loop_nest(exec_control_of(p, b));

		for (i = 0; i < b->closes; i++) {
			u32 to = first[--depth];

			/* A nest's loops begin and end together. */
			if (!count || back[count - 1].from != at || back[count - 1].to != to)
				back[count++] = (struct back){ at, to };
		}
		for (i = 0; i < nest; i++)
			first[depth++] = at + 1;
	}
	return count;
}

u64 mesh_live_before(const struct exec_program *p, u32 at, u64 after)
{
	const struct exec_bundle *b = &p->bundle[at];
	bool all = exec_control_of(p, b)->op != RONDO_OP_mask;

	return b->reads | (all ? after & ~b->writes : after);
}

bool mesh_live(const struct exec_program *p, u64 *after)
{
	struct back *back = emu_budget_calloc(p->limits.budget, p->bundles, sizeof(*back));
	u32 backs, at, k;
	bool changed;

	if (!back)
		return false;
	backs = find_backs(p, back);
	do {
		u64 live = 0;

		changed = false;
		for (k = backs, at = p->bundles; at-- > 0 && !exec_load_stopped(p);) {
			for (; k && back[k - 1].from == at; k--)
				live |= mesh_live_before(p, back[k - 1].to, after[back[k - 1].to]);
			changed |= live != after[at];
			after[at] = live;
			live = mesh_live_before(p, at, live);
		}
	} while (changed && !exec_load_stopped(p));
	emu_budget_free(p->limits.budget, back, p->bundles, sizeof(*back));
	return true;
}
