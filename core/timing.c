// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/timing.h"

enum { STATES = RONDO_TIME_STATES };

/*
 * Minus infinity. With all times below 2^60 and at most one addition before the next
 * settle(), whatever came from it is negative, and nothing else is.
 */
#define NEVER (-(1ll << 62))

static s64 settle(s64 time)
{
	if (time < 0)
		return NEVER;
	return time > RONDO_TIME_LIMIT ? RONDO_TIME_LIMIT : time;
}

static s64 later(s64 a, s64 b)
{
	return a > b ? a : b;
}

static void set_identity(struct rondo_time_matrix *m)
{
	u32 i, j;

	for (i = 0; i < STATES; i++)
		for (j = 0; j < STATES; j++)
			m->at[i][j] = i == j ? 0 : NEVER;
}

/* *product = *a after *b; product is neither of them. */
static void multiply(struct rondo_time_matrix *product, const struct rondo_time_matrix *a,
		     const struct rondo_time_matrix *b)
{
	u32 i, j, k;

	for (i = 0; i < STATES; i++) {
		s64 *row = product->at[i];

		for (j = 0; j < STATES; j++)
			row[j] = NEVER;
		for (k = 0; k < STATES; k++) {
			s64 weight = a->at[i][k];

			if (weight == NEVER)
				continue;
			for (j = 0; j < STATES; j++)
				row[j] = later(row[j], weight + b->at[k][j]);
		}
		for (j = 0; j < STATES; j++)
			row[j] = settle(row[j]);
	}
}

/*
 * The row of the end of the transfer that @later others of its channel follow. The rows of a
 * channel are a ring while starts are counted: time->newest[channel] is the first.
 */
static s64 *end_row(struct rondo_time_matrix *m, u32 channel, u32 newest, u32 later)
{
	return m->at[1 + channel * RONDO_DMA_OUTSTANDING +
		     (newest + later) % RONDO_DMA_OUTSTANDING];
}

static void wait_for(s64 *restrict t, const s64 *restrict end)
{
	u32 j;

	for (j = 0; j < STATES; j++)
		t[j] = later(t[j], end[j]);
}

/* The end of a transfer of @cost that is started at @t, after one that ends at @previous. */
static void run_from(s64 *restrict end, const s64 *restrict t, const s64 *restrict previous,
		     s64 startup, s64 cost)
{
	u32 j;

	for (j = 0; j < STATES; j++)
		end[j] = settle(later(t[j] + startup, previous[j]) + cost);
}

static void copy_row(s64 *restrict to, const s64 *restrict from)
{
	u32 j;

	for (j = 0; j < STATES; j++)
		to[j] = from[j];
}

/*
 * The matrices of the innermost of @depth loops (0: the program itself), indexed by the set of
 * depths that are at their last trip; only subsets of the named depths are kept.
 */
static struct rondo_time_matrix *products(struct rondo_time *time, u32 depth)
{
	return &time->product[(1u << depth) - 1];
}

/* Next subset of @set after @subset; 0 when there is none. */
static u32 next_subset(u32 subset, u32 set)
{
	return (subset - set) & set;
}

static u32 named_to(const struct rondo_time *time, u32 depth)
{
	return time->named & ((1u << depth) - 1);
}

u32 rondo_time_combinations(const struct rondo_time *time)
{
	u32 named = named_to(time, time->depth), count = 1;

	for (; named; named &= named - 1)
		count *= 2;
	return count;
}

/*
 * Puts the rows of the innermost of @depth loops into their order, for products and for
 * another loop to be counted.
 */
static void straighten(struct rondo_time *time, u32 depth)
{
	struct rondo_time_matrix *m = products(time, depth);
	u32 named = named_to(time, depth), last = 0, ch, i;

	do {
		for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
			if (!time->newest[ch])
				continue;
			for (i = 0; i < RONDO_DMA_OUTSTANDING; i++)
				copy_row(time->scratch.at[i],
					 end_row(&m[last], ch, time->newest[ch], i));
			for (i = 0; i < RONDO_DMA_OUTSTANDING; i++)
				copy_row(end_row(&m[last], ch, 0, i), time->scratch.at[i]);
		}
		last = next_subset(last, named);
	} while (last);
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		time->newest[ch] = 0;
		time->flying[ch] = RONDO_DMA_OUTSTANDING;
	}
}

/* Moves the bundles up to @clock, which are of the innermost of @depth loops, into its matrices. */
static void count_bundles(struct rondo_time *time, u32 depth, u64 clock)
{
	struct rondo_time_matrix *m = products(time, depth);
	s64 bundles = (s64)(clock - time->counted);
	u32 named = named_to(time, depth), last = 0, j;

	time->counted = clock;
	if (!bundles)
		return;
	do {
		for (j = 0; j < STATES; j++)
			m[last].at[0][j] = settle(m[last].at[0][j] + bundles);
		last = next_subset(last, named);
	} while (last);
}

/* Gives every open loop its matrices, and counts all bundles up to @clock. */
static void enter_dma(struct rondo_time *time, u64 clock)
{
	while (time->dma_depth < time->depth) {
		struct rondo_time_matrix *m;
		u32 named = named_to(time, time->dma_depth), last = 0;

		count_bundles(time, time->dma_depth, time->first[time->dma_depth]);
		straighten(time, time->dma_depth);
		m = products(time, ++time->dma_depth);
		time->dma_loops++;
		do {
			set_identity(&m[last]);
			last = next_subset(last, named);
		} while (last);
	}
	count_bundles(time, time->depth, clock);
}

/* From now on the open loops distinguish whether the loop at depth @d is at its last trip. */
static void name_loop(struct rondo_time *time, u32 d)
{
	u32 depth, last;

	if (time->named >> d & 1)
		return;
	for (depth = d + 1; depth <= time->depth; depth++) {
		struct rondo_time_matrix *m = products(time, depth);
		u32 named = named_to(time, depth);

		last = 0;
		do {
			m[last | 1u << d] = m[last];
			last = next_subset(last, named);
		} while (last);
	}
	time->named |= 1u << d;
}

void rondo_time_init(struct rondo_time *time, const struct rondo_machine *m)
{
	memset(time, 0, sizeof(*time));
	time->startup = m->dma_startup;
	set_identity(&time->product[0]);
	straighten(time, 0);
}

void rondo_time_open(struct rondo_time *time, u64 clock)
{
	time->first[time->depth++] = clock;
}

/* *m = *body ^ @trips after *m; *body is lost. */
static void apply_power(struct rondo_time *time, struct rondo_time_matrix *m,
			struct rondo_time_matrix *body, u64 trips)
{
	while (trips) {
		if (trips & 1) {
			multiply(&time->scratch, body, m);
			*m = time->scratch;
		}
		trips >>= 1;
		if (trips) {
			multiply(&time->scratch, body, body);
			*body = time->scratch;
		}
	}
}

bool rondo_time_close(struct rondo_time *time, u64 clock, u64 after, u64 trips)
{
	u32 d = time->depth - 1, named, last = 0;
	bool ends_differ;
	struct rondo_time_matrix *outer, *body;

	if (time->dma_depth < time->depth) {
		time->depth--;
		return false;
	}
	count_bundles(time, time->depth, clock);
	straighten(time, time->depth);
	outer = products(time, d);
	body = products(time, d + 1);
	named = named_to(time, d);
	ends_differ = time->named >> d & 1;
	do {
		apply_power(time, &outer[last], &body[last], trips - ends_differ);
		if (ends_differ)
			apply_power(time, &outer[last], &body[last | 1u << d], 1);
		time->dma_loops += !!last;
		last = next_subset(last, named);
	} while (last);
	time->named = named;
	time->depth = time->dma_depth = d;
	time->counted = after;
	return true;
}

void rondo_time_wait(struct rondo_time *time, u64 clock, u32 channel, u32 outstanding)
{
	struct rondo_time_matrix *m = products(time, time->depth);
	u32 named, last = 0;

	enter_dma(time, clock);
	if (outstanding >= time->flying[channel])
		return;
	time->flying[channel] = outstanding;
	named = named_to(time, time->depth);
	do {
		wait_for(m[last].at[0],
			 end_row(&m[last], channel, time->newest[channel], outstanding));
		last = next_subset(last, named);
	} while (last);
}

void rondo_time_start(struct rondo_time *time, u64 clock, u32 channel, u64 cost, u32 last)
{
	struct rondo_time_matrix *m = products(time, time->depth);
	u32 named, newest, at_last = 0;

	/* A full channel. */
	rondo_time_wait(time, clock, channel, RONDO_DMA_OUTSTANDING - 1);
	if (last)
		name_loop(time, last - 1);
	named = named_to(time, time->depth);
	newest = time->newest[channel];
	do {
		s64 *previous = end_row(&m[at_last], channel, newest, 0);
		s64 *end = end_row(&m[at_last], channel, newest, RONDO_DMA_OUTSTANDING - 1);

		if (last && at_last >> (last - 1) & 1)
			copy_row(end, previous);
		else
			run_from(end, m[at_last].at[0], previous, time->startup, (s64)cost);
		at_last = next_subset(at_last, named);
	} while (at_last);
	time->newest[channel] = (newest + RONDO_DMA_OUTSTANDING - 1) % RONDO_DMA_OUTSTANDING;
	time->flying[channel]++;
}

u64 rondo_time_end(struct rondo_time *time, u64 clock)
{
	count_bundles(time, 0, clock);
	return (u64)time->product[0].at[0][0];
}

u64 rondo_dma_cost(const struct rondo_machine *m, const struct rondo_desc *desc)
{
	u32 bytes = m->dma_bytes_per_cycle;
	u64 cost = m->dma_row_cycles + desc->row_bytes / bytes + !!(desc->row_bytes % bytes);
	u64 factor[RONDO_DMA_DIMS + 2] = { desc->count[0], desc->count[1], desc->count[2],
					   rondo_dma_blocks_x(desc), rondo_dma_blocks_y(desc) };
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS + 2; i++)
		if (check_mul_overflow(cost, factor[i], &cost) || cost > RONDO_TIME_LIMIT)
			return RONDO_TIME_LIMIT;
	return cost;
}
