// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The time that a run tells while the host works on one piece for long: a segment that all tiles
 * go through, group by group, or a transfer to all of them. The exact time is known only before
 * and after it; in between the told time goes on with the work that is done.
 *
 * A transfer is moved when it starts, so what was told may be ahead of the cycles counted so far.
 * It never passes the *horizon*, the latest time that is certain to come: the end of the piece,
 * or of an outstanding transfer, which halt would wait for. A segment takes as much of the way
 * from the told time to the horizon as it takes of the way from the exact time to there, so that
 * they meet. A transfer takes half of the way, for others that end with it may follow.
 */
#include "emulator/exec/mesh/mesh.h"

/* Work, as exec_poll() counts it, between two times of a thread: below 10 ms. */
enum { TELL_WORK = 1 << 20 };

static void raise_to(atomic_ullong *now, u64 cycles)
{
	unsigned long long was = atomic_load_explicit(now, memory_order_relaxed);

	while (was < cycles &&
	       !atomic_compare_exchange_weak_explicit(now, &was, cycles, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

void mesh_clock_tell(struct exec *e)
{
	if (e->control->now)
		raise_to(e->control->now, e->cycles);
}

/* The piece begins: so much @work, which takes @share of the way to @horizon. */
static void begin(struct exec *e, u64 horizon, double share, double work)
{
	struct mesh_clock *c = &e->mesh->clock;

	c->from = atomic_load_explicit(e->control->now, memory_order_relaxed);
	c->way = horizon > c->from ? share * (double)(horizon - c->from) : 0;
	c->work = work;
	atomic_store_explicit(&c->done, 0, memory_order_relaxed);
	e->untold = 0;
}

static u64 horizon_of(const struct exec *e, u64 end)
{
	for (u32 i = 0; i < RONDO_DMA_CHANNELS; i++)
		end = e->channel[i].end[0] > end ? e->channel[i].end[0] : end;
	return end;
}

void mesh_clock_segment(struct exec *e, u64 end)
{
	u64 horizon = horizon_of(e, end), cycles = end - e->cycles;

	if (!e->control->now)
		return;
	mesh_clock_tell(e);
	begin(e, horizon, (double)cycles / (double)(horizon - e->cycles),
	      (double)cycles * MESH_BUNDLE_WORK * e->mesh->blocks);
}

void mesh_clock_transfer(struct exec *e, const struct rondo_desc *d)
{
	double work = (double)d->row_bytes * (d->x1 - d->x0 + 1) * (d->y1 - d->y0 + 1);

	if (!e->control->now)
		return;
	for (u32 k = 0; k < RONDO_DMA_DIMS; k++)
		work *= d->count[k];
	mesh_clock_tell(e);
	begin(e, horizon_of(e, 0), 0.5, work);
}

void mesh_clock_work(struct exec *e, u64 work)
{
	struct mesh_clock *c = &e->mesh->clock;
	double part;

	e->untold += work;
	if (e->untold < TELL_WORK)
		return;
	part = (double)(atomic_fetch_add_explicit(&c->done, e->untold, memory_order_relaxed) +
			e->untold) /
	       c->work;
	e->untold = 0;
	raise_to(e->control->now, c->from + (u64)(c->way * (part < 1 ? part : 1)));
}
