// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Where the operations of a bundle are: the address and the row of each, the same in all tiles,
 * and what they add to the control path's signature (core/signature.h).
 */
#include "core/mod61.h"
#include "emulator/exec/plain/plain.h"

/* control.flip strikes if its time has come. */
static void flip(struct plain *p, const struct exec_op *op)
{
	const struct exec_control *c = p->run->control;

	if (!c->flip || p->flipped || p->run->executed + 1 < c->flip ||
	    !rondo_op_has_address(op->op))
		return;
	p->place[op->slot].address ^= 1ll << c->flip_bit;
	p->flipped = true;
}

bool plain_find_places(struct plain *p, const struct exec_bundle *b)
{
	const struct exec_op *op = p->run->program->op + b->first, *end = op + b->ops;

	for (; op < end; op++) {
		struct plain_place *place = &p->place[op->slot];

		*place = (struct plain_place){ 0, 0 };
		if ((rondo_op_has_address(op->op) && !run_address(p->run, op, &place->address)) ||
		    (rondo_op_has_row(op->op) && !run_row(p->run, op, &place->row)))
			return false;
		flip(p, op);
	}
	return true;
}

/* The sum of the indices that a push of mode 2 looks at. */
static u64 first_indices(const struct run *run, const struct exec_op *op)
{
	u32 first = run->program->entry[op->entry].first;
	u64 sum = 0;

	for (; first; first &= first - 1)
		sum += run->index[__builtin_ctz(first)];
	return sum;
}

u64 plain_signature_value(const struct plain *p, const struct exec_bundle *b)
{
	const struct exec_program *program = p->run->program;
	const struct rondo_op *control = exec_control_of(program, b);
	const struct exec_op *op = program->op + b->first, *end = op + b->ops;
	struct rondo_affine value = { .constant = b->signature };

	for (; op < end; op++) {
		const struct plain_place *place = &p->place[op->slot];

		if (!rondo_op_has_entry(op->op))
			continue;
		value.constant =
			mod61_add(value.constant,
				  rondo_signature_place(op->slot, place->address, place->row));
		if (op->mode == 2)
			value.constant = mod61_add(
				value.constant, rondo_signature_first(first_indices(p->run, op)));
	}
	if (control->op == RONDO_OP_dma)
		rondo_signature_start(&value, &program->desc[control->desc], control->last);
	return rondo_affine_at(&value, p->run->index);
}
