// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A segment becomes lists of steps: its bundles in the order in which they run, loops unrolled,
 * until a list is full; empty bundles, which make no steps, are counted, too. All groups go through
 * a list before the next is made.
 *
 * Within a bundle each operation is done for all blocks of the group before the next, in the
 * order of emulator/exec/plain/plain.c:
 *
 *	reads		L0, L1, V0, V1 compute; S takes what it stores from an accumulator row
 *	changes		M adds onto its row, W loads its row, S stores, registers are written
 *
 * A result goes to its register at once if no slot of the bundle reads that register and all
 * tiles take part; else it waits aside.
 */
#include <stdlib.h>

#include "emulator/exec/mesh/group.h"

struct mesh_steps {
	u32 count, bundles;
	struct mesh_step step[MESH_STEPS];
};

struct share {
	struct run *run;
	struct mesh *m;
	u32 group;
	u64 local;
};

u32 mesh_steps_of(const struct exec_bundle *b)
{
	return 2 * b->ops + 2;
}

/* Where @op is in this bundle; false, and a trap, if outside of the tile. */
static bool place(const struct mesh *m, struct run *run, const struct exec_op *op,
		  const struct mesh_op *extra, struct mesh_step *s)
{
	*s = (struct mesh_step){ .op = op };
	if (rondo_op_has_address(op->op)) {
		if (!run_address(run, op, &s->address))
			return false;
		if (s->address < m->window.lo - extra->hull.lo ||
		    s->address > m->window.hi - extra->hull.hi)
			return run_trap(run, "SRAM access at %lld", (long long)s->address);
	}
	if (op->slot == RONDO_M)
		s->writes = run_push_writes(run, op);
	return !rondo_op_has_row(op->op) || run_row(run, op, &s->row);
}

/* Adds @step, which does @run, unless that is nothing. */
static void add(struct mesh_steps *steps, const struct mesh_step *step, mesh_step_fn *run)
{
	if (!run)
		return;
	steps->step[steps->count] = *step;
	steps->step[steps->count++].run = run;
}

/* All slots except C, in the tiles of @mask if that is a mask, and none between tiles. */
static bool add_bundle(struct mesh *m, struct run *run, const struct exec_bundle *b,
		       const struct rondo_op *mask)
{
	/* M reads weights and SRAM before W and S change them. */
	static const u8 order[] = { RONDO_M, RONDO_W, RONDO_S };
	const struct mesh_op *extra = ((struct mesh_program *)run->program->own)->op + b->first;
	const struct exec_op *op = run->program->op + b->first;
	const bool masked = mask->op == RONDO_OP_mask;
	struct mesh_step at[RONDO_SLOTS_PER_BUNDLE];
	struct mesh_steps *steps = m->steps;
	u32 i, k;

	if (masked)
		add(steps, &(struct mesh_step){ .mask = mask }, mesh_choose);
	for (i = 0; i < b->ops; i++) {
		if (rondo_op_reads_mesh(op[i].op))
			continue;
		if (!place(m, run, &op[i], &extra[i], &at[i]))
			return false;
		at[i].aside = masked || !extra[i].direct;
		add(steps, &at[i], mesh_reads(&op[i], &extra[i]));
	}
	for (k = 0; k < sizeof(order); k++)
		for (i = 0; i < b->ops; i++)
			if (op[i].slot == order[k])
				add(steps, &at[i], mesh_changes(&op[i], &extra[i]));
	for (i = 0; i < b->ops; i++)
		if (!rondo_op_reads_mesh(op[i].op) && rondo_ops[op[i].op].latency && at[i].aside)
			add(steps, &at[i], mesh_arrive);
	if (masked)
		add(steps, &(struct mesh_step){ 0 }, mesh_choose);
	steps->bundles++;
	return true;
}

/* From bundle @at on, which is then the next. */
static bool list_steps(struct mesh *m, struct run *run, u32 *at, u32 end, u32 base)
{
	const struct exec_program *p = run->program;

	m->steps->count = 0;
	m->steps->bundles = 0;
	do {
		const struct exec_bundle *b = &p->bundle[*at];
		u32 bundle = run->result->bundle = *at;

		if (!add_bundle(m, run, b, exec_control_of(p, b)))
			return false;
		*at = run_next_bundle(run, *at, base);
		/* What the last bundle opens goes around other segments. */
		if (*at < end)
			run_open_loops(run, exec_control_of(p, b), bundle);
	} while (*at < end && m->steps->bundles < MESH_STEPS &&
		 m->steps->count + mesh_steps_of(&p->bundle[*at]) <= MESH_STEPS);
	return true;
}

/* The worker's group goes through all steps; false if the run ended. */
static bool run_group(struct mesh_worker *w, const struct mesh_steps *steps)
{
	const u64 work = (u64)MESH_BUNDLE_WORK * steps->bundles * w->count / (steps->count + 1);
	const struct mesh_step *s = steps->step, *end = s + steps->count;

	for (; s < end; s++) {
		s->run(w, s);
		if (!run_poll(&w->run, work))
			return false;
	}
	return run_poll(&w->run, work);
}

static void run_part(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct share *share = ctx;
	struct mesh_worker *w = &share->m->worker[thread];
	u32 count;

	w->m = share->m;
	w->run = *share->run;
	w->run.result = &w->result;
	for (; from < to; from += count) {
		count = to - from < share->group ? to - from : share->group;
		mesh_take_group(w, from, count, share->local);
		if (!run_group(w, share->m->steps))
			return;
	}
}

/* All groups go through the steps. */
static bool run_steps(struct share *share)
{
	struct mesh *m = share->m;
	u32 i;

	for (i = 0; i < MESH_THREADS; i++)
		m->worker[i].result.status = EXEC_DONE;
	mesh_share(m->pool, m->blocks, run_part, share);
	for (i = 0; i < MESH_THREADS; i++)
		if (m->worker[i].result.status != EXEC_DONE)
			return run_end(share->run, m->worker[i].result.status);
	return true;
}

bool mesh_run_groups(struct mesh *m, struct run *run, u32 first, u32 end, u32 group, u64 local)
{
	struct share share = { .run = run, .m = m, .group = group, .local = local };
	u32 at = first, base = run->depth;

	do {
		u32 from = at;

		if (!list_steps(m, run, &at, end, base))
			return false;
		run->result->bundle = from;
		if (!run_steps(&share))
			return false;
	} while (at < end);
	return true;
}

bool mesh_create_workers(struct mesh *m)
{
	m->worker = calloc(MESH_THREADS, sizeof(*m->worker));
	m->steps = malloc(sizeof(*m->steps));
	return m->worker && m->steps;
}

void mesh_destroy_workers(struct mesh *m)
{
	free(m->worker);
	free(m->steps);
}
