// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fast executor's run: walks the tree of a program. Time is stepped by the channels'
 * events only (exec_dma.c); bundles are counted by the pass over a list of operations.
 */
#include "emulator/exec/fast/state.h"

#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/machine.h"

#ifdef FAST_UNTIMED /* the benchmark's way to see what exact cycles cost */
enum { TIMED = false };
#else
enum { TIMED = true };
#endif

/* Bytes behind SRAM that a load of less than a register's worth may read, and ignores. */
static_assert(EXEC_SRAM_PAD >= 4 * RONDO_LANES_MAX, "a whole register beyond the last byte");

const struct fast_variant *fast_variant(u32 index)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512vnni") && !index--)
		return &fast_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !index--)
		return &fast_avx2;
#endif
	return index ? NULL : &fast_plain;
}

const char *fast_variant_name(const struct fast_variant *variant)
{
	return variant->name;
}

struct fast *fast_create(const struct rondo_machine *machine)
{
	struct fast *f;

	f = aligned_alloc(_Alignof(struct fast), sizeof(*f));
	if (!f)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->exec = exec_create(machine);
	f->acc = aligned_alloc(64, machine->acc_rows * sizeof(*f->acc));
	if (!f->exec || !f->acc) {
		fast_destroy(f);
		return NULL;
	}
	memset(f->acc, 0, machine->acc_rows * sizeof(*f->acc));
	/* A machine of many tiles has none to itself; its programs go to the plain executor. */
	if (f->exec->tile)
		f->sram = f->exec->tile[0].sram;
	return f;
}

bool fast_clean(struct fast *f, const atomic_bool *stop)
{
	return exec_clean(f->exec, stop);
}

void fast_destroy(struct fast *f)
{
	if (!f)
		return;
	exec_destroy(f->exec);
	free(f->acc);
	free(f);
}

/* The loop at @n->depth has made @trips trips. */
static void advance(struct fast *f, const struct fast_program *p, const struct fast_node *n,
		    u32 trips)
{
	const struct fast_step *s = p->step + n->step, *end = s + n->steps;

	f->exec->index[n->depth] += trips;
	for (; s < end; s++) {
		f->place[s->entry].address += s->address * trips;
		f->place[s->entry].row += s->row * trips;
	}
}

/* All trips are made: the index is zero again. */
static void rewind_loop(struct fast *f, const struct fast_program *p, const struct fast_node *n)
{
	const struct fast_step *s = p->step + n->step, *end = s + n->steps;

	f->exec->index[n->depth] = 0;
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

/* Who waits for a transfer, or looks on from outside, has its time in struct exec. */
static void tell_time(struct fast *f)
{
	if (TIMED)
		f->exec->cycles = f->clock;
}

/*
 * Counts @passes over the bundles of @n; every LOOK_CYCLES or so tells the time so far and looks
 * whether the run was told to stop. The run has to count for that anyway.
 */
static bool count_bundles(struct fast *f, const struct fast_node *n, u32 passes)
{
	enum { LOOK_CYCLES = 128 };

	f->clock += (u64)n->bundles * passes;
	if (f->clock < f->look)
		return true;
	f->look = f->clock + LOOK_CYCLES;
	tell_time(f);
	return exec_poll(f->exec, EXEC_POLL_WORK);
}

/* An innermost loop: @n, whose body is the operations of @body. */
static bool run_innermost(struct fast *f, const struct fast_program *p, const struct fast_node *n,
			  const struct fast_node *body)
{
	const struct fast_op *op = p->op + body->op, *rest = op + body->hoisted;
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
	rondo_signature_pass(&f->exec->signature, &p->stretch[n->stretch], f->exec->index);
}

static bool run_nodes(struct fast *f, const struct fast_program *p, u32 at, u32 end);

static bool run_loop(struct fast *f, const struct fast_program *p, u32 at)
{
	const struct fast_node *n = &p->node[at];
	struct exec *e = f->exec;
	u64 trip;

	e->loop[n->depth].trips = n->trips;
	e->depth = n->depth + 1;
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
	e->depth = n->depth;
	if (n->only_ops)
		sign(f, p, n);
	return true;
}

/* What slot C does before the others of its bundle. */
static bool run_control(struct fast *f, const struct fast_node *n)
{
	struct exec *e = f->exec;
	struct rondo_op op;
	bool on;

	e->result->bundle = n->bundle;
	rondo_decode(e->program->bundle[n->bundle].control, &op);
	tell_time(f);
	on = dma_wait(e, &op) && (op.op != RONDO_OP_dma || dma_start(e, &op));
	if (TIMED)
		f->clock = e->cycles;
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
			on = run_control(f, n);
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
	const struct exec_program *plain = p->plain;
	struct exec *e = f->exec;
	u32 i;

	for (i = 0; i < plain->clear_count; i++)
		memset(f->sram + plain->clear[i].lo, 0, plain->clear[i].hi - plain->clear[i].lo);
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
	memset(e->channel, 0, sizeof(e->channel));
	memset(e->index, 0, sizeof(e->index));
	e->depth = 0;
	e->work = 0;
	f->clock = e->cycles = plain->clear_cycles;
	f->look = 0;
	rondo_signature_reset(&e->signature);
	for (i = 0; i < p->entries; i++)
		f->place[i] = (struct fast_place){ plain->entry[i].base, 0 };
}

void fast_run(struct fast *f, const struct fast_program *p, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result)
{
	struct exec *e = f->exec;

	if (!p->nodes || control->checks || control->flip || control->bound < p->cycles) {
		exec_run(e, p->plain, io, control, result);
		return;
	}
	memset(result, 0, sizeof(*result));
	e->program = p->plain;
	e->io = io;
	e->control = control;
	e->result = result;
	reset(f, p);
	if (control->now)
		atomic_store_explicit(control->now, e->cycles, memory_order_relaxed);
	if (run_nodes(f, p, 0, p->nodes)) {
		exec_end(e, EXEC_DONE);
		result->bundle = p->plain->bundles - 1;
	}
	tell_time(f);
	result->signature = e->signature.sum;
	result->cycles = result->status == EXEC_OVERRUN ? control->bound : e->cycles;
	if (control->now)
		atomic_store_explicit(control->now, result->cycles, memory_order_relaxed);
}
