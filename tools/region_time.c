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

/* What stands in the text before a bundle: bundles with starts or waits, ends of regions. */
struct before {
	u32 dma, ends;
};

struct stepper {
	const struct rondo_machine *machine;
	const struct rondo_program *program;
	const u32 *region_of;
	const struct region_watch *watch;
	struct before *before; /* each bundle, and the end */
	u64 now;
	int error; /* of @watch */
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

/* Waits in a bundle of @region until @until, for channel @channel. */
static void stall(struct stepper *s, u32 region, u32 channel, bool full, u64 until)
{
	if (until <= s->now)
		return;
	if (!s->error)
		s->error = s->watch->stall(s->watch->context, region, channel, full, s->now, until);
	s->now = until;
}

static void start(struct stepper *s, const struct rondo_op *op, u32 region)
{
	const struct rondo_desc *desc = &s->program->descs[op->desc];
	u64 *end = s->end[op->channel], begin;

	stall(s, region, op->channel, true, end[RONDO_DMA_OUTSTANDING - 1]);
	memmove(end + 1, end, (RONDO_DMA_OUTSTANDING - 1) * sizeof(*end));
	if (op->last && s->loop[op->last - 1].left == 1)
		return;
	begin = s->now + s->machine->dma_startup;
	begin = begin > end[0] ? begin : end[0];
	end[0] = begin + rondo_dma_cost(s->machine, desc);
	if (s->watch->transfer && !s->error)
		s->error = s->watch->transfer(s->watch->context, region, op->channel, desc, begin,
					      end[0]);
}

static void open_loops(struct stepper *s, const struct rondo_op *op, u32 at)
{
	u32 nest = rondo_loop_nest(op), last = at + op->body, i;
	bool stepped = s->before[last + 1].dma > s->before[at + 1].dma ||
		       (s->watch->in_order && s->before[last].ends > s->before[at + 1].ends);

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
	struct rondo_op op = control_of(s, at);

	for (ch = 0; !is_loop(&op) && ch < RONDO_DMA_CHANNELS; ch++)
		if (op.wait[ch])
			stall(s, region, ch, false, s->end[ch][op.wait[ch] - 1]);
	if (op.op == RONDO_OP_dma)
		start(s, &op, region);
	if (!s->error)
		s->error = s->watch->bundles(s->watch->context, region, s->now, s->times);
	s->now += s->times;
	if (is_loop(&op))
		open_loops(s, &op, at);
	return next(s, at);
}

static void look_through(struct stepper *s)
{
	u32 bundles = s->program->header->bundles, at;
	struct before n = {};

	for (at = 0; at < bundles; at++) {
		struct rondo_op op = control_of(s, at);

		n.ends += at && s->region_of[at] != s->region_of[at - 1];
		s->before[at] = n;
		n.dma += uses_dma(&op);
	}
	s->before[bundles] = n;
}

int region_walk(const struct rondo_machine *m, const struct rondo_program *program,
		const u32 *region_of, const struct region_watch *watch)
{
	u32 bundles = program->header->bundles, at;
	struct stepper *s = calloc(1, sizeof(*s));
	struct before *before = malloc((bundles + 1ull) * sizeof(*before));
	int ret = -ENOMEM;

	if (s && before) {
		*s = (struct stepper){
			.machine = m,
			.program = program,
			.region_of = region_of,
			.watch = watch,
			.times = 1,
			.before = before,
		};
		look_through(s);
		for (at = 0; at < bundles && !s->error;)
			at = step(s, at);
		ret = s->error;
	}
	free(before);
	free(s);
	return ret;
}

/* ---- Sums ---------------------------------------------------------------------------------- */

struct sums {
	struct region_time *time;
	u32 regions;
};

static int add_stall(void *context, u32 region, u32 channel, bool full, u64 begin, u64 end)
{
	struct sums *sums = context;

	if (region < sums->regions)
		(full ? sums->time[region].full : sums->time[region].wait)[channel] += end - begin;
	return 0;
}

static int add_bundles(void *context, u32 region, u64 begin, u64 count)
{
	struct sums *sums = context;

	(void)begin;
	if (region < sums->regions)
		sums->time[region].bundles += count;
	return 0;
}

int region_times(const struct rondo_machine *m, const struct rondo_program *program,
		 const u32 *region_of, u32 regions, struct region_time *time)
{
	struct sums sums = { time, regions };
	const struct region_watch watch = {
		.context = &sums,
		.bundles = add_bundles,
		.stall = add_stall,
	};

	memset(time, 0, regions * sizeof(*time));
	return region_walk(m, program, region_of, &watch);
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
