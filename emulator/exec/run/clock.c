// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The time that a run on many tiles tells while the host works on one piece for long: a segment
 * that all tiles go through, group by group, or a transfer to all of them. The exact time is known
 * only before and after it; in between the time that is told goes on in proportion to the work that
 * is done.
 *
 * A transfer is moved when it starts, so what was told may be ahead of the cycles counted so far.
 * It never passes the *horizon*, the latest time that is certain to come: the end of the piece,
 * or of an outstanding transfer, which halt would wait for. A segment takes as much of the way
 * from the told time to the horizon as it takes of the way from the exact time to there, so that
 * they meet. A transfer takes half of the way, for others that end with it may follow.
 */
#include "emulator/exec/run/run.h"

/* Work, as run_poll() counts it, between two times of a thread: below 10 ms. */
enum { TELL_WORK = 1 << 20 };

void run_tell(struct run *run, u64 cycles)
{
	atomic_ullong *now = run->control->now;
	unsigned long long was = atomic_load_explicit(now, memory_order_relaxed);

	while (was < cycles &&
	       !atomic_compare_exchange_weak_explicit(now, &was, cycles, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

/* A piece of @work begins, which takes @share of the way to @horizon. */
static void begin(struct run *run, u64 horizon, double share, double work)
{
	struct run_clock *c = run->clock;

	run_tell(run, run->cycles);
	c->from = atomic_load_explicit(run->control->now, memory_order_relaxed);
	c->way = horizon > c->from ? share * (double)(horizon - c->from) : 0;
	c->work = work;
	atomic_store_explicit(&c->done, 0, memory_order_relaxed);
	run->untold = 0;
}

static u64 horizon_of(const struct run *run, u64 end)
{
	for (u32 i = 0; i < RONDO_DMA_CHANNELS; i++)
		end = run->channel[i].end[0] > end ? run->channel[i].end[0] : end;
	return end;
}

void run_begin_piece(struct run *run, u64 end, double work)
{
	u64 horizon = horizon_of(run, end);
	double share = (double)(end - run->cycles) / (double)(horizon - run->cycles);

	begin(run, horizon, share, work);
}

void run_begin_transfer(struct run *run, const struct rondo_desc *d)
{
	double work = (double)d->row_bytes * (d->x1 - d->x0 + 1) * (d->y1 - d->y0 + 1);

	for (u32 k = 0; k < RONDO_DMA_DIMS; k++)
		work *= d->count[k];
	begin(run, horizon_of(run, 0), 0.5, work);
}

void run_work(struct run *run, u64 work)
{
	struct run_clock *c = run->clock;
	double part;

	run->untold += work;
	if (run->untold < TELL_WORK)
		return;
	part = (double)(atomic_fetch_add_explicit(&c->done, run->untold, memory_order_relaxed) +
			run->untold) /
	       c->work;
	run->untold = 0;
	run_tell(run, c->from + (u64)(c->way * (part < 1 ? part : 1)));
}
