// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pushes: one, or those of several trips of a loop in one go, which the kernels of a variant
 * run as one matrix product. The trips' accumulator rows differ, or they would not have been
 * put together (block.c).
 */
#include "emulator/exec/fast/fast.h"

#include <string.h>

const u32 fast_masks[2 * RONDO_LANES_MAX] = { [0 ... RONDO_LANES_MAX - 1] = ~0u };

/* Rows [row, row + count) are all in @set. */
static bool all_in(u64 set, u32 row, u32 count)
{
	u64 range = (count == 64 ? ~0ull : (1ull << count) - 1) << row;

	return (set & range) == range;
}

static void plain_row(const struct fast_weights *w, u32 row, struct weight_row *to)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		const u8 *element = w->row[row] + i * 4;
		s16 weight[4];
		u32 container;

		if (w->containers >> row & 1) {
			memcpy(&container, element, sizeof(container));
			weight_set(to, i, container);
			continue;
		}
		for (u32 n = 0; n < 4; n++)
			weight[n] = (s8)element[n] + w->offset[row];
		weight_set_bytes(to, i, weight);
	}
}

/* Weights loaded as one kind and used as the other: legal, without use, and slow. */
static void push_mixed(const struct fast_op *op, const struct fast_push *push)
{
	const struct push_kernels *kernels = push_kernels(0);
	struct weight_row rows[RONDO_LANES_MAX];
	exec_vreg x;

	for (u32 r = 0; r < push->count; r++)
		plain_row(push->weights, push->row + r, &rows[r]);
	for (u32 i = 0; i < push->n; i++) {
		u32 *acc = push->acc + i * push->acc_step;

		memcpy(x, push->x + i * push->x_step, push->count * 4);
		if (push->write)
			memset(acc, 0, sizeof(exec_vreg));
		kernels->one[slot_meaning[op->x.op].push](acc, x, rows, push->count);
	}
}

static void push_now(const struct fast_op *op, const struct fast_push *push)
{
	enum push_kind kind = slot_meaning[op->x.op].push;
	bool bytes = kind == PUSH_S8 || kind == PUSH_U8;
	const struct fast_weights *w = push->weights;

	if (all_in(bytes ? w->bytes : w->containers, push->row, push->count))
		op->push(push);
	else
		push_mixed(op, push);
}

static struct fast_push prepare(struct fast *f, const struct fast_op *op)
{
	return (struct fast_push){
		.acc = fast_acc(f, op),
		.x = fast_address(f, op),
		.weights = &f->weights[op->x.buf],
		.row = op->x.wrow,
		.count = op->x.count,
		.n = 1,
		.write = run_push_writes(f->run, &op->x),
	};
}

/* Those of @push whose lane pattern has gaps: as many at a time as fit aside. */
static void push_gathered(struct fast *f, const struct fast_op *op, const struct fast_push *all)
{
	struct fast_push push = *all;
	const u8 *x = all->x;
	u32 left, i;

	push.x = f->scratch[0];
	push.x_step = FAST_ROW_BYTES;
	for (left = all->n; left; left -= push.n) {
		push.n = left < FAST_BLOCK ? left : FAST_BLOCK;
		for (i = 0; i < push.n; i++, x += all->x_step)
			fast_gather(f, op, x, 4, f->scratch[i]);
		push_now(op, &push);
		push.acc += push.n * push.acc_step;
	}
}

static void push_many(struct fast *f, const struct fast_op *op, const struct fast_push *push)
{
	if (op->gaps)
		push_gathered(f, op, push);
	else
		push_now(op, push);
}

void fast_push_one(struct fast *f, const struct fast_op *op)
{
	const struct fast_push push = prepare(f, op);

	push_many(f, op, &push);
}

void fast_push_trips(struct fast *f, const struct fast_op *op, u32 depth, u32 n)
{
	const struct rondo_entry *entry = &f->run->program->entry[op->x.entry];
	struct fast_push push = prepare(f, op);

	push.x_step = entry->stride[depth];
	push.acc_step = entry->row_stride[depth] * (ptrdiff_t)RONDO_LANES_MAX;
	if (push.write && op->x.mode == 2 && entry->first >> depth & 1) {
		/* The first trip writes, the others add. */
		push_many(f, op, &push);
		push.x += push.x_step;
		push.acc += push.acc_step;
		push.write = false;
		n--;
	}
	push.n = n;
	if (n)
		push_many(f, op, &push);
}
