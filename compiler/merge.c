// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Merging the runs of a stream: see bundles.h.
 *
 * Begins and ends of runs cut the stream into pieces. In a piece all runs repeat after any number
 * of bundles that is a whole number of executions of each, until one of them wraps a loop further
 * out. Of such periods the longest is taken that fits twice or more: its repetitions are a loop,
 * and one period, merged in the same way, is its body. Where none fits, a bundle is put down.
 */
#include "compiler/bundles.h"

#include <errno.h>
#include <stdlib.h>

enum { PERIOD_MAX = 1 << 12 }; /* bundles, of runs with different periods together */

/* The loops around, outermost first: repetitions, then what merging makes. */
struct around {
	int outer, depth; /* repetitions; all */
	u64 bundles[RONDO_LOOP_DEPTH]; /* of one trip, from [outer] on */
};

struct piece {
	struct bundle_maker *m;
	const struct stream_run **run;
	int runs;
};

struct bundle_node *bundle_node(struct bundle_maker *m, enum bundle_kind kind)
{
	struct bundle_node *n = NULL;

	if (m->error)
		return NULL;
	if (m->nodes == BUNDLE_NODES_MAX)
		m->error = -EFBIG;
	else
		n = arena_alloc(m->arena, sizeof(*n));
	if (n) {
		m->nodes++;
		n->kind = kind;
	} else if (!m->error) {
		m->error = -ENOMEM;
	}
	return n;
}

struct bundle_slot *bundle_slot(struct bundle_maker *m, const struct stream_run *run, int loops)
{
	size_t size = sizeof(struct bundle_slot) + (size_t)loops * sizeof(struct bundle_step);
	struct bundle_slot *s = m->error ? NULL : arena_alloc(m->arena, size);

	if (s) {
		s->run = run;
		s->loops = (u16)loops;
	} else if (!m->error) {
		m->error = -ENOMEM;
	}
	return s;
}

void bundle_mark(struct bundle_maker *m, const struct stream_mark *mark)
{
	if (m->mark && m->nodes - m->since >= m->most) {
		m->most = m->nodes - m->since;
		m->largest = m->mark;
	}
	m->mark = mark;
	m->since = m->nodes;
}

void bundle_append(struct bundle_list *l, struct bundle_node *n)
{
	n->next = NULL;
	n->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = n;
	l->last = n;
}

/* ---- Periods --------------------------------------------------------------------------------- */

/* 0: it would be too long. */
static u64 common_multiple(u64 a, u64 b, u64 most)
{
	u64 x = a, y = b;

	while (y) {
		u64 rest = x % y;

		x = y;
		y = rest;
	}
	return b / x > most / a ? 0 : a * (b / x);
}

/* The number of the first execution of @r in bundle @t or later. */
static u64 execution(const struct stream_run *r, u64 t)
{
	return (t - r->start + r->period - 1) / r->period;
}

/*
 * How many times in a row, @most at most, @r repeats @n executions from the @p-th on with the same
 * step: until it wraps a loop outside of the one that they are whole trips of.
 */
static u64 repeats(const struct stream_run *r, u64 p, u64 n, u64 most)
{
	u64 inner = 1, trip, left;
	int d = r->dims;

	/* The loop whose trips they are. */
	while (d > 0 && n % (inner * r->dim[d - 1].trips) == 0)
		inner *= r->dim[--d].trips;
	if (!d)
		return most;
	trip = inner * r->dim[d - 1].trips;
	left = (trip - p % trip) / n;
	return left < most ? left : most;
}

/* How often all runs repeat what they do in the @period bundles from @t on, of @n. */
static u64 all_repeat(const struct piece *p, u64 t, u64 n, u64 period)
{
	u64 times = n / period;

	for (int i = 0; i < p->runs && times > 1; i++) {
		const struct stream_run *r = p->run[i];

		times = repeats(r, execution(r, t), period / r->period, times);
	}
	return times;
}

/* The period of @r's loop at @level from inside; level 0: of its executions. */
static u64 level_period(const struct stream_run *r, int level)
{
	u64 period = r->period;

	for (int d = r->dims - 1; d >= 0 && level; d--, level--)
		period *= r->dim[d].trips;
	return period;
}

/* Takes @period if it is better than *@best. */
static void consider(const struct piece *p, u64 t, u64 n, u64 period, u64 *best, u64 *times)
{
	u64 k = period > *best ? all_repeat(p, t, n, period) : 0;

	if (k < 2)
		return;
	*best = period;
	*times = k;
}

/*
 * The longest period that fits twice from @t on, and how often it does; 0: none does. Candidates
 * are the loops of each run, and those of one level of all runs together, each with as many
 * executions as the others need to come out even.
 */
static u64 choose_period(const struct piece *p, u64 t, u64 n, u64 *times)
{
	u64 base = 1, best = 0, all;

	for (int i = 0; i < p->runs && base; i++)
		base = common_multiple(base, p->run[i]->period, PERIOD_MAX);
	if (!base || base > n / 2)
		return 0;
	consider(p, t, n, base, &best, times);
	for (int level = 1; level <= RONDO_LOOP_DEPTH; level++) {
		bool any = false;

		all = base;
		for (int i = 0; i < p->runs; i++) {
			u64 period, alone;

			if (p->run[i]->dims < level)
				continue;
			any = true;
			period = level_period(p->run[i], level);
			all = all ? common_multiple(all, period, n / 2) : 0;
			alone = common_multiple(base, period, n / 2);
			if (alone)
				consider(p, t, n, alone, &best, times);
		}
		if (any && all)
			consider(p, t, n, all, &best, times);
		if (!any)
			break;
	}
	return best;
}

/* ---- Bundles --------------------------------------------------------------------------------- */

static void fill_slot(const struct stream_run *r, u64 t, const struct around *a,
		      struct bundle_slot *s)
{
	u64 p = (t - r->start) / r->period;
	s64 first, first_row, address, row;

	stream_run_at(r, p, &first, &first_row);
	s->address = (s32)first;
	s->row = (u16)first_row;
	for (int d = 0; d < a->outer && r->ref; d++) {
		s->step[d].bytes = r->ref->stride[d];
		s->step[d].rows = r->ref->row_stride[d];
	}
	for (int d = a->outer; d < a->depth; d++) {
		stream_run_at(r, p + a->bundles[d] / r->period, &address, &row);
		s->step[d].bytes = (s32)(address - first);
		s->step[d].rows = (s16)(row - first_row);
	}
}

static void put_bundle(const struct piece *p, u64 t, const struct around *a,
		       struct bundle_list *out)
{
	struct bundle_node *n = bundle_node(p->m, BUNDLE);

	if (!n)
		return;
	for (int i = 0; i < p->runs; i++) {
		const struct stream_run *r = p->run[i];
		struct bundle_slot *s;

		if ((t - r->start) % r->period)
			continue;
		s = bundle_slot(p->m, r, a->depth);
		if (s)
			fill_slot(r, t, a, s);
		n->slot[r->slot] = s;
	}
	bundle_append(out, n);
}

/* The @n bundles from @t on, in which no run begins or ends. */
static void merge_piece(const struct piece *p, u64 t, u64 n, const struct around *a,
			struct bundle_list *out)
{
	u64 times, period;

	for (; n && !p->m->error; t += period * times, n -= period * times) {
		struct bundle_node *loop;
		struct around inside = *a;

		period = a->depth < RONDO_LOOP_DEPTH ? choose_period(p, t, n, &times) : 0;
		if (!period) {
			put_bundle(p, t, a, out);
			period = times = 1;
			continue;
		}
		loop = bundle_node(p->m, BUNDLE_LOOP);
		if (!loop)
			return;
		loop->trips = times;
		inside.bundles[inside.depth++] = period;
		merge_piece(p, t, period, &inside, &loop->body);
		bundle_append(out, loop);
	}
}

/* ---- Streams --------------------------------------------------------------------------------- */

static u64 run_end(const struct stream_run *r)
{
	return r->start + (stream_run_count(r) - 1) * r->period + 1;
}

static int by_start(const void *x, const void *y)
{
	const struct stream_run *a = *(const struct stream_run *const *)x,
				*b = *(const struct stream_run *const *)y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->slot - b->slot;
}

/* Takes the runs that have ended at @t out of @p, and gives the next bundle where one ends. */
static u64 drop_ended(struct piece *p, u64 t)
{
	u64 next = UINT64_MAX;
	int kept = 0;

	for (int i = 0; i < p->runs; i++) {
		u64 end = run_end(p->run[i]);

		if (end <= t)
			continue;
		next = end < next ? end : next;
		p->run[kept++] = p->run[i];
	}
	p->runs = kept;
	return next;
}

static void put_mark(struct bundle_maker *m, const struct stream_mark *mark,
		     struct bundle_list *out)
{
	struct bundle_node *n = bundle_node(m, BUNDLE_MARK);

	if (!n)
		return;
	n->mark = mark;
	bundle_mark(m, mark);
	bundle_append(out, n);
}

static void merge_flat(struct bundle_maker *m, const struct stream *s, const struct around *a,
		       struct bundle_list *out)
{
	const struct stream_run **order = arena_alloc(m->arena, (s->runs + 1) * sizeof(*order));
	struct piece p = { .m = m, .run = arena_alloc(m->arena, (s->runs + 1) * sizeof(*p.run)) };
	int next = 0, marks = 0;

	if (!order || !p.run) {
		m->error = -ENOMEM;
		return;
	}
	for (int i = 0; i < s->runs; i++)
		order[i] = &s->run[i];
	qsort(order, s->runs, sizeof(*order), by_start);
	for (u64 t = 0; t < s->length && !m->error;) {
		u64 end;

		while (next < s->runs && order[next]->start == t)
			p.run[p.runs++] = order[next++];
		while (marks < s->marks && s->mark[marks].at <= t)
			put_mark(m, &s->mark[marks++], out);
		end = drop_ended(&p, t);
		if (next < s->runs && order[next]->start < end)
			end = order[next]->start;
		if (marks < s->marks && s->mark[marks].at < end)
			end = s->mark[marks].at;
		end = end < s->length ? end : s->length;
		if (s->begins_alone && !t)
			end = 1;
		if (s->ends_alone && t < s->length - 1 && end == s->length)
			end--;
		merge_piece(&p, t, end - t, a, out);
		t = end;
	}
	for (; marks < s->marks; marks++)
		put_mark(m, &s->mark[marks], out);
}

static void merge_streams(struct bundle_maker *m, const struct stream *s, const struct around *a,
			  struct bundle_list *out)
{
	for (; s && !m->error; s = s->next) {
		struct around inside = *a;
		struct bundle_node *loop;

		if (!s->trips) {
			merge_flat(m, s, a, out);
			continue;
		}
		loop = bundle_node(m, BUNDLE_LOOP);
		if (!loop)
			return;
		loop->trips = s->trips;
		inside.outer++;
		inside.depth++;
		merge_streams(m, s->body, &inside, &loop->body);
		bundle_append(out, loop);
	}
}

struct bundle_list bundles_merge(struct bundle_maker *m, const struct stream *s)
{
	const struct around none = { 0 };
	struct bundle_list all = { NULL, NULL };

	merge_streams(m, s, &none, &all);
	return all;
}
