// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/exec/run/run.h"

#include <stdarg.h>
#include <stdio.h>

bool run_end(struct run *run, enum exec_status status)
{
	run->result->status = status;
	return false;
}

bool run_fail(struct run *run, enum exec_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->result->reason, sizeof(run->result->reason), fmt, ap);
	va_end(ap);
	return run_end(run, status);
}

bool run_poll(struct run *run, u64 work)
{
	const struct exec_control *control = run->control;

	run->work += work;
	if (run->work < RUN_POLL_WORK)
		return true;
	if (run->clock)
		run_work(run, run->work);
	else if (control->now)
		atomic_store_explicit(control->now, run->cycles, memory_order_relaxed);
	run->work = 0;
	if (control->stop && atomic_load_explicit(control->stop, memory_order_relaxed))
		return run_end(run, EXEC_ABORTED);
	return true;
}

/* Slot C, by operation. What is left to others is nothing here. */

static bool control_halt(struct run *run, const struct rondo_op *op)
{
	(void)op;
	return !run->shadow || dma_drained(run);
}

static bool control_dma(struct run *run, const struct rondo_op *op)
{
	return dma_start(run, op);
}

static bool control_other(struct run *run, const struct rondo_op *op)
{
	(void)run, (void)op;
	return true;
}

#define control_wait control_other /* every operation but those that open loops waits first */
#define control_mask control_other /* for the other slots of its bundle */
#define control_loop control_other /* loops open after the bundle */
#define control_loop1 control_other

#define ROW_C(name) [RONDO_OP_##name] = control_##name,
static bool (*const controls[RONDO_OPCODES])(struct run *run, const struct rondo_op *op) = {
	[RONDO_OP_NOP] = control_other,
#include "emulator/exec/decode/rows.inc"
};

bool run_control(struct run *run, const struct rondo_op *op)
{
	return dma_wait(run, op) && controls[op->op](run, op);
}

void run_open_loops(struct run *run, const struct rondo_op *op, u32 at)
{
	u32 i, nest = rondo_loop_nest(op), base = run->depth;

	for (i = 0; i < nest; i++, run->depth++) {
		run->index[run->depth] = 0;
		run->loop[run->depth] = (struct run_loop){
			.trips = op->trip[i],
			.first = at + 1,
			.last = at + op->body,
			.base = base,
			.top = base + nest,
		};
	}
}

u32 run_next_bundle(struct run *run, u32 at, u32 base)
{
	u32 d = run->depth;

	while (d > base && run->loop[d - 1].last == at) {
		const struct run_loop *loop = &run->loop[--d];

		if (++run->index[d] < loop->trips) {
			run->depth = loop->top;
			return loop->first;
		}
		run->index[d] = 0;
		if (d == loop->base)
			run->depth = d;
	}
	return at + 1;
}

bool run_address(struct run *run, const struct exec_op *op, s64 *address)
{
	const struct rondo_entry *entry = &run->program->entry[op->entry];
	u32 bytes = run->program->machine.sram_bytes, d;
	s64 sum = (s64)entry->base + op->off;

	for (d = 0; d < run->depth; d++)
		if (check_add_overflow(sum, entry->stride[d] * (s64)run->index[d], &sum))
			return run_trap(run, "address overflows");
	/* No pattern skips its first element; from there no element is out of 64 bits. */
	if (sum < 0 || sum >= bytes)
		return run_trap(run, "SRAM address %lld of %u", (long long)sum, bytes);
	*address = sum;
	return true;
}

bool run_row(struct run *run, const struct exec_op *op, s64 *row)
{
	const struct rondo_entry *entry = &run->program->entry[op->entry];
	u32 rows = exec_rows_of(run->program, op), d;
	s64 sum = op->row;

	/* 8 products of 16 and 32 bits. */
	for (d = 0; d < run->depth; d++)
		sum += entry->row_stride[d] * (s64)run->index[d];
	if (sum < 0 || sum >= rows)
		return run_trap(run, "%s row %lld of %u",
				op->slot == RONDO_W ? "weight" : "accumulator", (long long)sum,
				rows);
	*row = sum;
	return true;
}

bool run_push_writes(const struct run *run, const struct exec_op *op)
{
	u8 first = run->program->entry[op->entry].first;
	u32 d;

	if (op->mode != 2)
		return op->mode == 1;
	for (d = 0; d < run->depth; d++)
		if (first & 1 << d && run->index[d])
			return false;
	return true;
}
