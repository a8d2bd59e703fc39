// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Registers: who has which, and from which bundle on it is free.
 *
 * A value that several kernels touch holds its registers from its first write to its last item.
 * What a kernel needs for itself it takes for as long as it runs.
 */
#include "compiler/stream_builder.h"
#include <errno.h>

/* Loops that are open while lives are found, and are not kernels. */
struct open_loops {
	int first[RONDO_LOOP_DEPTH], end[RONDO_LOOP_DEPTH], n;
};

static void touch_vreg(struct builder *b, const struct open_loops *open, vreg v, int i)
{
	struct vreg_state *s;

	if (v == VREG_NONE)
		return;
	s = &b->vreg[v];
	if (s->first < 0)
		s->first = i;
	if (s->last < i)
		s->last = i;
	for (int l = 0; l < open->n; l++) {
		if (s->first < open->first[l] && s->last < open->end[l])
			s->last = open->end[l];
	}
}

/* A value lives to the end of every repetition that it enters. */
void stream_find_lives(struct builder *b)
{
	const struct mir *m = &b->l->mir;
	struct open_loops open = { .n = 0 };

	for (int v = 0; v < m->vregs; v++)
		b->vreg[v] = (struct vreg_state){ -1, -1, -1 };
	for (int i = 0; i < m->items; i++) {
		const struct mir_item *op = &m->item[i];

		while (open.n && open.end[open.n - 1] < i)
			open.n--;
		if (op->kind == MIR_LOOP) {
			open.first[open.n] = i;
			open.end[open.n++] = mir_loop_end(m, i);
		}
		if (op->kind != MIR_OP)
			continue;
		touch_vreg(b, &open, op->a, i);
		touch_vreg(b, &open, op->b, i);
		touch_vreg(b, &open, op->c, i);
		touch_vreg(b, &open, op->params, i);
		touch_vreg(b, &open, op->dst, i);
	}
}

vreg stream_new_vreg(struct builder *b, vreg v)
{
	vreg new = mir_vreg(&b->l->mir);

	if (new == VREG_NONE ||
	    !stream_grow(b, (void **)&b->vreg, b->vregs, &b->vreg_room, sizeof(*b->vreg)))
		return VREG_NONE;
	b->vreg[b->vregs++] = b->vreg[v];
	return new;
}

/* What @v is to the kernel being placed, which writes it first. */
enum kernel_use stream_written_first(const void *arg, vreg v)
{
	const struct placing *p = arg;
	const struct vreg_state *state = &p->b->vreg[v];

	if (state->reg >= 0)
		return USE_CARRIED;
	return state->first < p->first_item || state->last >= p->end_item ? USE_RESULT : USE_LOCAL;
}

/* ---- Registers ------------------------------------------------------------------------------- */

/* Whether registers [reg, reg + width) may be written from bundle @at on. */
static bool is_free(const struct builder *b, u64 taken, int reg, int width, u64 at)
{
	for (; width--; reg++) {
		if ((b->held | taken) >> reg & 1 || b->reg[reg].read > at ||
		    b->reg[reg].written > at)
			return false;
	}
	return true;
}

/* Single registers from 0 up, groups from the top down; -1: none is free at @at. */
static int find_register(const struct builder *b, u64 taken, int width, u64 at)
{
	for (int i = 0; i + width <= RONDO_VREGS; i++) {
		int reg = width == 1 ? i : RONDO_VREGS - width - i;

		if (is_free(b, taken, reg, width, at))
			return reg;
	}
	return -1;
}

/* The next bundle behind @at at which a register that nobody holds becomes free, or NEVER. */
static u64 next_free(const struct builder *b, u64 at)
{
	u64 next = NEVER;

	for (int reg = 0; reg < RONDO_VREGS; reg++) {
		u64 until = max_of(b->reg[reg].read, b->reg[reg].written);

		if (!(b->held >> reg & 1) && until > at && until < next)
			next = until;
	}
	return next;
}

static bool try_registers(const struct builder *b, const struct placing *p, reg_numbers reg,
			  u64 *at)
{
	u64 taken = 0;

	for (int i = 0; i < p->s->regs; i++) {
		const struct kernel_register *k = &p->s->reg[i];
		int r;

		*at = p->start + k->from;
		r = find_register(b, taken, k->width, *at);
		if (r < 0)
			return false;
		taken |= ((1ull << k->width) - 1) << r;
		reg[i] = (s8)r;
	}
	return true;
}

/* Puts off the start until there are registers; -EAGAIN: there never are. */
int stream_find_registers(const struct builder *b, struct placing *p, reg_numbers reg)
{
	u64 at, next;

	while (!try_registers(b, p, reg, &at)) {
		next = next_free(b, at);
		if (next == NEVER)
			return -EAGAIN;
		p->start += next - at;
	}
	return 0;
}

void stream_wait_registers(const struct builder *b, const struct placing *p, u64 *start)
{
	for (int v = 0; v < p->s->values; v++) {
		const struct kernel_value *value = &p->s->value[v];
		const struct vreg_state *state = &b->vreg[value->v];

		if (value->use == USE_LOCAL || state->reg < 0)
			continue;
		for (int r = state->reg; r < state->reg + value->width; r++) {
			not_before(start, b->reg[r].written, value->from);
			if (value->use != USE_READ)
				not_before(start, b->reg[r].read, value->from);
		}
	}
}

static void touch_register(struct builder *b, const struct placing *p, int reg, int width, u32 read,
			   u32 landed)
{
	u64 last = p->start + (p->count - 1) * p->s->interval;

	for (; width--; reg++) {
		b->reg[reg].read = max_of(b->reg[reg].read, last + read);
		if (landed)
			b->reg[reg].written = max_of(b->reg[reg].written, last + landed);
	}
}

void stream_take_registers(struct builder *b, const struct placing *p, const reg_numbers reg)
{
	for (int i = 0; i < p->s->regs; i++) {
		const struct kernel_register *k = &p->s->reg[i];

		touch_register(b, p, reg[i], k->width, k->read, k->landed);
	}
	for (int v = 0; v < p->s->values; v++) {
		const struct kernel_value *value = &p->s->value[v];
		struct vreg_state *state = &b->vreg[value->v];

		if (value->use == USE_LOCAL)
			continue;
		if (value->use == USE_RESULT) {
			state->reg = reg[value->reg[0]];
			b->held |= ((1ull << value->width) - 1) << state->reg;
		}
		touch_register(b, p, state->reg, value->width, value->read, value->landed);
	}
}

/* Gives back the registers of values that no item from @end on touches. */
void stream_release_registers(struct builder *b, const struct mir_item *op, int ops, int end)
{
	for (int i = 0; i < ops; i++) {
		const vreg touched[] = { op[i].a, op[i].b, op[i].c, op[i].params, op[i].dst };

		for (int t = 0; t < 5; t++) {
			struct vreg_state *state;

			if (touched[t] == VREG_NONE)
				continue;
			state = &b->vreg[touched[t]];
			if (state->last >= end || state->reg < 0)
				continue;
			b->held &=
				~(((1ull << b->l->mir.vreg_width[touched[t]]) - 1) << state->reg);
			state->reg = -1;
		}
	}
}
