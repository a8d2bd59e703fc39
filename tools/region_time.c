// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/region_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/timing.h"

struct step_loop {
	u32 first, last; /* bundles of the body */
	u64 trips; /* to be stepped; 1 if all count at once */
	u64 left; /* the present one included */
	u64 times; /* of each bundle outside the loop */
};

struct stepper {
	const struct rondo_machine *machine;
	const struct rondo_program *program;
	const u32 *region_of;
	u32 regions;
	struct region_time *time;
	u32 *dma_before; /* bundles with starts or waits before each bundle, and before the end */
	u64 now;
	u64 times; /* that a bundle counts: trips of the loops around it that are not stepped */
	u64 end[RONDO_DMA_CHANNELS][RONDO_DMA_OUTSTANDING]; /* last started first; 0: never */
	struct step_loop loop[RONDO_LOOP_DEPTH];
	u32 depth;
};

static struct rondo_op control_of(const struct stepper *s, u32 bundle)
{
	struct rondo_op op;

	rondo_decode(s->program->bundles[bundle][RONDO_C], &op);
	return op;
}

static bool is_loop(const struct rondo_op *op)
{
	return rondo_op_is_loop(op->op);
}

static bool uses_dma(const struct rondo_op *op)
{
	u32 ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		if (!is_loop(op) && op->wait[ch])
			return true;
	return op->op == RONDO_OP_dma;
}

/* Waits until @until; the stall goes to @stall. */
static void stall(struct stepper *s, u64 until, u64 *stall)
{
	if (until <= s->now)
		return;
	if (stall)
		*stall += until - s->now;
	s->now = until;
}

static void start(struct stepper *s, const struct rondo_op *op, struct region_time *time)
{
	const struct rondo_desc *desc = &s->program->descs[op->desc];
	u64 *end = s->end[op->channel], begin;

	stall(s, end[RONDO_DMA_OUTSTANDING - 1], time ? &time->full[op->channel] : NULL);
	memmove(end + 1, end, (RONDO_DMA_OUTSTANDING - 1) * sizeof(*end));
	if (op->last && s->loop[op->last - 1].left == 1)
		return;
	begin = s->now + s->machine->dma_startup;
	end[0] = (begin > end[0] ? begin : end[0]) + rondo_dma_cost(s->machine, desc);
}

static void open_loops(struct stepper *s, const struct rondo_op *op, u32 at)
{
	u32 nest = rondo_loop_nest(op), last = at + op->body, i;
	bool stepped = s->dma_before[last + 1] > s->dma_before[at + 1];

	for (i = 0; i < nest; i++) {
		u64 trips = stepped ? op->trip[i] : 1;

		s->loop[s->depth++] = (struct step_loop){ at + 1, last, trips, trips, s->times };
		if (!stepped)
			s->times *= op->trip[i];
	}
}

/* The loop at s->depth - 1 begins another trip; those opened with it inside, below @depth, all. */
static u32 next_trip(struct stepper *s, u32 depth)
{
	u32 first = s->loop[s->depth - 1].first;

	for (; s->depth < depth && s->loop[s->depth].first == first; s->depth++)
		s->loop[s->depth].left = s->loop[s->depth].trips;
	return first;
}

/* The bundle after @at. */
static u32 next(struct stepper *s, u32 at)
{
	u32 depth = s->depth;

	while (s->depth && s->loop[s->depth - 1].last == at) {
		struct step_loop *loop = &s->loop[s->depth - 1];

		if (--loop->left)
			return next_trip(s, depth);
		s->times = loop->times;
		s->depth--;
	}
	return at + 1;
}

static u32 step(struct stepper *s, u32 at)
{
	u32 region = s->region_of[at], ch;
	struct region_time *time = region < s->regions ? &s->time[region] : NULL;
	struct rondo_op op = control_of(s, at);

	for (ch = 0; !is_loop(&op) && ch < RONDO_DMA_CHANNELS; ch++)
		if (op.wait[ch])
			stall(s, s->end[ch][op.wait[ch] - 1], time ? &time->wait[ch] : NULL);
	if (op.op == RONDO_OP_dma)
		start(s, &op, time);
	s->now += s->times;
	if (time)
		time->bundles += s->times;
	if (is_loop(&op))
		open_loops(s, &op, at);
	return next(s, at);
}

int region_times(const struct rondo_machine *m, const struct rondo_program *program,
		 const u32 *region_of, u32 regions, struct region_time *time)
{
	u32 bundles = program->header->bundles, at;
	struct stepper *s = calloc(1, sizeof(*s));
	u32 *dma_before = malloc((bundles + 1ull) * sizeof(*dma_before));

	if (!s || !dma_before) {
		free(s);
		free(dma_before);
		return -ENOMEM;
	}
	*s = (struct stepper){
		.machine = m,
		.program = program,
		.region_of = region_of,
		.regions = regions,
		.time = time,
		.times = 1,
		.dma_before = dma_before,
	};
	memset(time, 0, regions * sizeof(*time));
	dma_before[0] = 0;
	for (at = 0; at < bundles; at++) {
		struct rondo_op op = control_of(s, at);

		dma_before[at + 1] = dma_before[at] + uses_dma(&op);
	}
	for (at = 0; at < bundles;)
		at = step(s, at);
	free(dma_before);
	free(s);
	return 0;
}

void region_activities(const struct rondo_machine *m, const struct rondo_program *program,
		       const u32 *region_of, u32 regions, struct rondo_activity *activity)
{
	struct rondo_activity nowhere = {};
	struct rondo_counter c;
	u32 at;

	memset(activity, 0, regions * sizeof(*activity));
	rondo_counter_init(&c, m, program);
	for (at = 0; at < program->header->bundles; at++) {
		u32 region = region_of[at];

		rondo_counter_step(&c, 1, region < regions ? &activity[region] : &nowhere);
	}
}
