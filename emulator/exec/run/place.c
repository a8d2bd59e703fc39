// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/exec/run/run.h"

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
