// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Where the operations of a bundle are: the address and the row of each, the same in all tiles,
 * and what they add to the control path's signature (core/signature.h).
 */
#include "core/mod61.h"
#include "emulator/exec/plain/state.h"

bool exec_address(struct exec *e, const struct exec_op *op, s64 *address)
{
	const struct rondo_entry *entry = &e->program->entry[op->entry];
	s64 sum = (s64)entry->base + op->off;
	u32 d;

	for (d = 0; d < e->depth; d++)
		if (check_add_overflow(sum, entry->stride[d] * (s64)e->index[d], &sum))
			return exec_trap(e, "address overflows");
	*address = sum;
	return true;
}

s64 exec_row(struct exec *e, const struct exec_op *op, u32 row, u32 rows, const char *what)
{
	const struct rondo_entry *entry = &e->program->entry[op->entry];
	s64 sum = row;
	u32 d;

	for (d = 0; d < e->depth; d++)
		sum += entry->row_stride[d] * (s64)e->index[d];
	if (sum >= 0 && sum < rows)
		return sum;
	exec_trap(e, "%s row %lld of %u", what, (long long)sum, rows);
	return -1;
}

static bool find_place(struct exec *e, const struct exec_op *op, struct exec_place *place)
{
	bool weights = rondo_op_writes_weights(op->op);

	*place = (struct exec_place){ 0, 0 };
	if (rondo_op_has_address(op->op) && !exec_address(e, op, &place->address))
		return false;
	if (!rondo_op_has_row(op->op))
		return true;
	place->row = weights ? exec_row(e, op, op->wrow, e->machine.lanes, "weight") :
			       exec_row(e, op, op->row, e->machine.acc_rows, "accumulator");
	return place->row >= 0;
}

/* control.flip strikes if its time has come. */
static void flip(struct exec *e, const struct exec_op *op)
{
	const struct exec_control *c = e->control;

	if (!c->flip || e->flipped || e->executed + 1 < c->flip || !rondo_op_has_address(op->op))
		return;
	e->place[op->slot].address ^= 1ll << c->flip_bit;
	e->flipped = true;
}

bool exec_find_places(struct exec *e, const struct exec_bundle *b)
{
	const struct exec_op *op = e->program->op + b->first, *end = op + b->ops;

	for (; op < end; op++) {
		if (!rondo_op_has_entry(op->op))
			continue;
		if (!find_place(e, op, &e->place[op->slot]))
			return false;
		flip(e, op);
	}
	return true;
}

/* The sum of the indices that a push of mode 2 looks at. */
static u64 first_indices(const struct exec *e, const struct exec_op *op)
{
	u32 first = e->program->entry[op->entry].first;
	u64 sum = 0;

	for (; first; first &= first - 1)
		sum += e->index[__builtin_ctz(first)];
	return sum;
}

u64 exec_signature_value(const struct exec *e, const struct exec_bundle *b,
			 const struct rondo_op *control)
{
	const struct exec_op *op = e->program->op + b->first, *end = op + b->ops;
	struct rondo_affine value = { .constant = b->signature };

	for (; op < end; op++) {
		const struct exec_place *place = &e->place[op->slot];

		if (!rondo_op_has_entry(op->op))
			continue;
		value.constant =
			mod61_add(value.constant,
				  rondo_signature_place(op->slot, place->address, place->row));
		if (op->mode == 2) /* a push */
			value.constant = mod61_add(value.constant,
						   rondo_signature_first(first_indices(e, op)));
	}
	if (control->op == RONDO_OP_dma)
		rondo_signature_start(&value, &e->program->desc[control->desc], control->last);
	return rondo_affine_at(&value, e->index);
}
