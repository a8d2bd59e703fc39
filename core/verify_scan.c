// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What one trip of a loop leaves outstanding.
 *
 * Why: the second trip begins with it, so it must be known before the body is looked at, which
 * happens once.
 *
 * Mechanism: when a loop opens, its text is scanned for starts and waits. Loops inside that may
 * contain some are summarised in closed form where they end, and not repeated; deeper ones are
 * passed over. A bundle is scanned once for each loop around it that may contain a start, at most
 * RONDO_DMA_LOOP_DEPTH times. A transfer's position is the number of transfers of its channel that
 * were started later. A wait for n ends all at position n or more, a start those that come to
 * position 4. So a trip with A starts moves what was outstanding before it by A, and ends all
 * except the newest `keeps` of them, a number that the scan computes along.
 *
 * Invariant: trip[d] holds, for the text of the loop at depth d scanned so far, A (`starts`),
 * `keeps`, and the transfers that it started and did not end (`left`), whatever was outstanding
 * before it.
 *
 * The text has not been verified. Where it is wrong the scan gives up, and its result does not
 * matter: the verifier will refuse at that bundle, or before it.
 */
#include "core/verify_state.h"

enum { MANY = RONDO_DMA_OUTSTANDING };

static u32 at_most(u64 value, u32 most)
{
	return value < most ? (u32)value : most;
}

bool rondo_trip_keeps(const struct rondo_trip *trip, u32 position, u64 trips)
{
	return !trips || position + (trips - 1) * trip->starts < trip->keeps;
}

static void reset(struct rondo_trip trip[RONDO_DMA_CHANNELS])
{
	u32 ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		trip[ch].starts = 0;
		trip[ch].keeps = MANY;
		trip[ch].count = 0;
	}
}

/* The loop at the scan's depth opens. */
static void open_loop(struct rondo_verify *v, u32 last, u64 trips)
{
	struct rondo_scan *s = &v->scan;

	s->loop[s->depth].last = last;
	s->loop[s->depth].steps = (u32)(trips - 1);
	reset(v->trip[s->depth++]);
}

void rondo_scan_begin(struct rondo_verify *v, u32 base)
{
	u32 d;

	if (v->depth > RONDO_DMA_LOOP_DEPTH)
		return;
	v->phase = RONDO_VERIFY_SCAN;
	v->scan.next = v->next + 1;
	v->scan.base = base;
	v->scan.depth = base;
	v->scan.dma = false;
	for (d = base; d < v->depth; d++)
		open_loop(v, v->loop[d].last, v->loop[d].steps + 1ull);
}

/* Ends all transfers at @position or more: those before the trip, and those started in it. */
static void retire(struct rondo_trip *trip, u32 position)
{
	u32 i, kept = 0;

	trip->keeps = at_most(trip->keeps, position > trip->starts ? position - trip->starts : 0);
	for (i = 0; i < trip->count; i++)
		if (trip->left[i].position < position)
			trip->left[kept++] = trip->left[i];
	trip->count = kept;
}

/* Starts @count transfers; those before them that come to position 4 end. */
static void push(struct rondo_trip *trip, u64 count)
{
	u32 i;

	trip->starts = at_most(trip->starts + count, MANY);
	for (i = 0; i < trip->count; i++)
		trip->left[i].position = at_most(trip->left[i].position + count, MANY);
	retire(trip, MANY);
}

static bool scan_start(struct rondo_verify *v, const struct rondo_op *op)
{
	struct rondo_scan *s = &v->scan;
	struct rondo_trip *trip = &v->trip[s->depth - 1][op->channel];
	const struct rondo_desc *desc;

	if (op->desc >= v->program.header->descs || op->last > s->depth)
		return false;
	desc = &v->program.descs[op->desc];
	push(trip, 1);
	trip->left[trip->count++] = (struct rondo_left){
		.slot = desc->slot_base, .sram = desc->sram_base, .desc = op->desc, .last = op->last
	};
	return true;
}

/* Adds a transfer that trip @index of the loop that ends left to those of the outer loop's trip. */
static void add_left(struct rondo_verify *v, struct rondo_trip *outer,
		     const struct rondo_left *left, u32 index, u32 position)
{
	const struct rondo_desc *desc = &v->program.descs[left->desc];
	struct rondo_left *t = &outer->left[outer->count];
	u32 d = v->scan.depth - 1;

	*t = *left;
	t->position = position;
	t->sram += (u32)desc->sram_loop[d] * index;
	t->slot += (u64)desc->slot_loop[d] * index;
	if (t->last == d + 1) {
		if (index == v->scan.loop[d].steps)
			return;
		t->last = 0;
	}
	outer->count++;
}

/* Channel @ch at the end of the innermost loop, inside another one that is scanned. */
static void close_channel(struct rondo_verify *v, u32 ch)
{
	u32 d = v->scan.depth - 1, steps = v->scan.loop[d].steps, i, age;
	const struct rondo_trip *inner = &v->trip[d][ch];
	struct rondo_trip *outer = &v->trip[d - 1][ch];
	u64 starts = (steps + 1ull) * inner->starts;
	u32 keeps = 0;

	while (keeps < MANY && rondo_trip_keeps(inner, keeps, steps + 1ull))
		keeps++;
	retire(outer, keeps);
	push(outer, starts);
	for (i = 0; i < inner->count; i++) {
		const struct rondo_left *left = &inner->left[i];

		for (age = 0; age <= steps; age++) {
			u32 position = left->position + age * inner->starts;

			if (position >= MANY || !rondo_trip_keeps(inner, left->position, age))
				break;
			add_left(v, outer, left, steps - age, position);
		}
	}
}

static void close_loops(struct rondo_verify *v, u32 at)
{
	struct rondo_scan *s = &v->scan;
	u32 ch;

	for (; s->depth > s->base && s->loop[s->depth - 1].last == at; s->depth--)
		for (ch = 0; s->depth - 1 > s->base && ch < RONDO_DMA_CHANNELS; ch++)
			close_channel(v, ch);
}

/* Opens loops, or passes over their bodies if nothing in there can be a start or a wait. */
static bool scan_loops(struct rondo_verify *v, const struct rondo_op *op, u32 *at)
{
	struct rondo_scan *s = &v->scan;
	u32 nest = rondo_loop_nest(op), last = *at + op->body, i;

	if (!nest || last > s->loop[s->depth - 1].last)
		return false;
	if (s->depth + nest > RONDO_DMA_LOOP_DEPTH)
		*at = last;
	else
		for (i = 0; i < nest; i++)
			open_loop(v, last, op->trip[i]);
	return true;
}

/* The C operation of bundle *at; false if the verifier will refuse it. */
static bool scan_control(struct rondo_verify *v, u32 *at)
{
	u64 word = v->program.bundles[*at][RONDO_C];
	struct rondo_op op;
	u32 ch;

	if (!word)
		return true;
	if (!rondo_decode(word, &op) || !(rondo_ops[op.op].slots & RONDO_SLOTS_C) ||
	    op.op == RONDO_OP_halt)
		return false;
	if (rondo_op_is_loop(op.op))
		return scan_loops(v, &op, at);
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		if (op.wait[ch] > RONDO_DMA_OUTSTANDING)
			return false;
		if (!op.wait[ch])
			continue;
		v->scan.dma = true;
		retire(&v->trip[v->scan.depth - 1][ch], op.wait[ch] - 1u);
	}
	if (op.op != RONDO_OP_dma)
		return true;
	v->scan.dma = true;
	return scan_start(v, &op);
}

bool rondo_scan_bundle(struct rondo_verify *v)
{
	struct rondo_scan *s = &v->scan;
	u32 at = s->next, d;

	if (scan_control(v, &at)) {
		close_loops(v, at);
		s->next = at + 1;
		return s->depth > s->base;
	}
	for (d = s->base; d < v->depth; d++)
		reset(v->trip[d]);
	s->dma = true;
	return false;
}
