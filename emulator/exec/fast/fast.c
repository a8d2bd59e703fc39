// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fast executor's run: walks the tree of a program. Time is stepped by the channels'
 * events only (run/dma.c); bundles are counted by the pass over a list of operations.
 */
#include "emulator/exec/fast/fast.h"

#include <stdlib.h>
#include <string.h>

#ifdef FAST_UNTIMED /* the benchmark's way to see what exact cycles cost */
enum { TIMED = false };
#else
enum { TIMED = true };
#endif

/* Bytes behind SRAM that a load of less than a register's worth may read, and ignores. */
static_assert(PLAIN_SRAM_PAD >= 4 * RONDO_LANES_MAX, "a whole register beyond the last byte");

bool fast_suits(const struct rondo_machine *machine)
{
	return machine->mesh_w * machine->mesh_h == 1 && machine->lanes == RONDO_LANES_MAX;
}

bool fast_create(struct exec *e)
{
	u32 rows = e->machine.acc_rows;
	struct fast *f = aligned_alloc(_Alignof(struct fast), sizeof(*f));

	e->own = f;
	if (!f)
		return false;
	memset(f, 0, sizeof(*f));
	f->sram = e->plain->sram;
	f->acc = aligned_alloc(_Alignof(struct fast), rows * sizeof(*f->acc));
	return f->acc && memset(f->acc, 0, rows * sizeof(*f->acc));
}

void fast_destroy(struct exec *e)
{
	struct fast *f = e->own;

	if (f)
		free(f->acc);
	free(f);
}

/* The loop at @n->depth has made @trips trips. */
static void advance(struct fast *f, const struct fast_program *p, const struct fast_node *n,
		    u32 trips)
{
	const struct fast_step *s = p->step + n->step, *end = s + n->steps;

	f->run->index[n->depth] += trips;
	for (; s < end; s++) {
		f->place[s->entry].address += s->address * trips;
		f->place[s->entry].row += s->row * trips;
	}
}

/* All trips are made: the index is zero again. */
static void rewind_loop(struct fast *f, const struct fast_program *p, const struct fast_node *n)
{
	const struct fast_step *s = p->step + n->step, *end = s + n->steps;

	f->run->index[n->depth] = 0;
	for (; s < end; s++) {
		f->place[s->entry].address -= s->back_address;
		f->place[s->entry].row -= s->back_row;
	}
}

static void run_ops(struct fast *f, const struct fast_op *op, u32 ops)
{
	const struct fast_op *end = op + ops;

	for (; op < end; op++)
		op->run(f, op);
}

/* Whoever waits for a transfer, or looks on from outside, goes by the time in struct run. */
static void tell_time(struct fast *f)
{
	if (TIMED)
		f->run->cycles = f->clock;
}

/*
 * Counts @passes over the bundles of @n; every LOOK_CYCLES or so tells the time so far and looks
 * whether the run was told to stop, or goes on for longer than was promised.
 */
static bool count_bundles(struct fast *f, const struct fast_node *n, u32 passes)
{
	enum { LOOK_CYCLES = 128 };

	f->clock += (u64)n->bundles * passes;
	if (f->clock < f->look)
		return true;
	f->look = f->clock + LOOK_CYCLES;
	if (f->clock > f->run->control->bound)
		return run_end(f->run, EXEC_OVERRUN);
	tell_time(f);
	return run_poll(f->run, RUN_POLL_WORK);
}

/* An innermost loop: @n, whose body is the operations of @body. */
static bool run_innermost(struct fast *f, const struct fast_program *p, const struct fast_node *n,
			  const struct fast_node *body)
{
	const struct fast_op *op = p->op + body->op, *rest = op + body->hoisted;
	const struct fast_op *brief = p->op + body->brief;
	u32 others = body->ops - body->hoisted;
	u32 most = others ? FAST_BLOCK : 4 * FAST_BLOCK;
	u32 i, block;
	u64 left;

	for (left = n->trips; left; left -= block) {
		block = left < most ? left : most;
		for (i = 0; i < body->hoisted; i++)
			fast_push_trips(f, op + i, n->depth, block);
		if (!others)
			advance(f, p, n, block);
		for (i = 0; others && i < block; i++) {
			if (i + 1 < left)
				run_ops(f, brief, body->briefs);
			else
				run_ops(f, rest, others);
			advance(f, p, n, 1);
		}
		if (!count_bundles(f, body, block))
			return false;
	}
	return true;
}

/* @n, whose stretch it has, has been executed. */
static void sign(struct fast *f, const struct fast_program *p, const struct fast_node *n)
{
	rondo_signature_pass(&f->run->signature, &p->stretch[n->stretch], f->run->index);
}

static bool run_nodes(struct fast *f, const struct fast_program *p, u32 at, u32 end);

static bool run_loop(struct fast *f, const struct fast_program *p, u32 at)
{
	const struct fast_node *n = &p->node[at];
	struct run *run = f->run;
	u64 trip;

	run->loop[n->depth].trips = n->trips;
	run->depth = n->depth + 1;
	if (n->only_ops) {
		if (!run_innermost(f, p, n, n + 1))
			return false;
	} else {
		for (trip = 0; trip < n->trips; trip++) {
			if (!run_nodes(f, p, at + 1, n->next))
				return false;
			advance(f, p, n, 1);
		}
	}
	rewind_loop(f, p, n);
	run->depth = n->depth;
	if (n->only_ops)
		sign(f, p, n);
	return true;
}

/* What slot C does before the others of its bundle. */
static bool control(struct fast *f, const struct fast_node *n)
{
	const struct exec_program *program = f->run->program;
	bool on;

	f->run->result->bundle = n->bundle;
	tell_time(f);
	on = run_control(f->run, exec_control_of(program, &program->bundle[n->bundle]));
	if (TIMED)
		f->clock = f->run->cycles;
	return on;
}

/* Loops are at most RONDO_LOOP_DEPTH deep, and so is the recursion. */
static bool run_nodes(struct fast *f, const struct fast_program *p, u32 at, u32 end)
{
	bool on = true;

	for (; on && at < end; at = p->node[at].next) {
		const struct fast_node *n = &p->node[at];

		switch (n->kind) {
		case FAST_OPS:
			run_ops(f, p->op + n->op, n->ops);
			sign(f, p, n);
			on = count_bundles(f, n, 1);
			break;
		case FAST_CONTROL:
			on = control(f, n);
			break;
		default:
			on = run_loop(f, p, at);
		}
	}
	return on;
}

/*
 * Everything that may be read before it is written becomes zero: all accumulators and weights
 * that are used, and of SRAM what the verifier says.
 */
static void reset(struct fast *f, const struct fast_program *p)
{
	const struct exec_program *program = f->run->program;
	u32 i;

	for (i = 0; i < program->clear_count; i++)
		memset(f->sram + program->clear[i].lo, 0,
		       program->clear[i].hi - program->clear[i].lo);
	if (p->acc_lo < p->acc_hi)
		memset(f->acc[p->acc_lo], 0, (p->acc_hi - p->acc_lo) * sizeof(f->acc[0]));
	for (i = 0; i < 2; i++) {
		struct fast_weights *w = &f->weights[i];

		memset(w->row, 0, sizeof(w->row));
		memset(w->offset, 0, sizeof(w->offset));
		w->containers = w->bytes = ~0ull;
		w->shifted = 0;
		w->version++;
	}
	f->clock = f->run->cycles;
	f->look = 0;
	for (i = 0; i < program->entries; i++)
		f->place[i] = (struct fast_place){ program->entry[i].base, 0 };
}

void fast_run(struct exec *e, struct run *run)
{
	const struct fast_program *p = run->program->own;
	struct fast *f = e->own;

	if (run->control->bound < run->program->cycles) {
		executor_plain.run(e, run);
		return;
	}
	f->run = run;
	f->fusion = p->fusion;
	run->sram = f->sram;
	reset(f, p);
	if (run_nodes(f, p, 0, p->nodes)) {
		run_end(run, EXEC_DONE);
		run->result->bundle = run->program->bundles - 1;
	}
	tell_time(f);
}
