// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The text form of streams, and what they promise: see stream.h. */
#include "compiler/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static void print_run(const struct stream_run *r, int indent, FILE *out)
{
	fprintf(out, "%*s%s %s at %" PRIu64, indent, "", rondo_slot_names[r->slot],
		rondo_ops[r->op.op].name, r->start);
	if (r->dims) {
		fprintf(out, " every %" PRIu64 " times", r->period);
		for (int d = 0; d < r->dims; d++)
			fprintf(out, " %" PRIu64, r->dim[d].trips);
	}
	if (rondo_op_has_address(r->op.op)) {
		fprintf(out, " address %" PRId64, r->address);
		for (int d = 0; d < r->dims; d++)
			fprintf(out, " %+d", r->dim[d].stride);
	}
	if (rondo_op_has_row(r->op.op)) {
		fprintf(out, " row %" PRId64, r->row);
		for (int d = 0; d < r->dims; d++)
			fprintf(out, " %+d", r->dim[d].row_stride);
	}
	if (r->transfer >= 0)
		fprintf(out, " t%d", r->transfer);
	for (int ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		if (r->op.wait[ch])
			fprintf(out, " c%d<=%d", ch, r->op.wait[ch] - 1);
	}
	fprintf(out, "\n");
}

static void print_streams(const struct stream *s, int indent, FILE *out)
{
	for (; s; s = s->next) {
		if (s->trips) {
			fprintf(out, "%*srepeat %" PRIu64 "\n", indent, "", s->trips);
			print_streams(s->body, indent + 2, out);
			continue;
		}
		fprintf(out, "%*sstream of %" PRIu64 " bundles\n", indent, "", s->length);
		for (int i = 0; i < s->marks; i++)
			fprintf(out, "%*snode %s from %" PRIu64 "\n", indent + 2, "",
				s->mark[i].name, s->mark[i].at);
		for (int i = 0; i < s->runs; i++)
			print_run(&s->run[i], indent + 2, out);
	}
}

void stream_print(const struct stream *s, FILE *out)
{
	print_streams(s, 0, out);
}

/* ---- Checking -------------------------------------------------------------------------------- */

static int broken(const struct lowering *l, const struct stream_run *r, const char *what)
{
	return graph_fail(l->g, -ENOTRECOVERABLE, "%s in slot %s from bundle %" PRIu64 " on: %s",
			  rondo_ops[r->op.op].name, rondo_slot_names[r->slot], r->start, what);
}

static int check_run(const struct lowering *l, const struct stream *s, const struct stream_run *r)
{
	for (int d = 0; d < r->dims; d++) {
		if (r->dim[d].trips < 2)
			return broken(l, r, "a loop of one trip");
		if (d && r->dim[d - 1].stride == (s64)r->dim[d].trips * r->dim[d].stride &&
		    r->dim[d - 1].row_stride == (s64)r->dim[d].trips * r->dim[d].row_stride)
			return broken(l, r, "two loops that are one");
	}
	if (!(rondo_ops[r->op.op].slots >> r->slot & 1))
		return broken(l, r, "it may not stand there");
	if (!r->period || r->start + (stream_run_count(r) - 1) * r->period >= s->length)
		return broken(l, r, "it ends behind the stream");
	return 0;
}

/* Whether executions of @a and @b, of one slot, fall into one bundle. */
static bool collide(const struct stream_run *a, const struct stream_run *b)
{
	u64 a_last = a->start + (stream_run_count(a) - 1) * a->period, step = a->period,
	    x = b->period;
	u64 first = b->start, last = b->start + (stream_run_count(b) - 1) * b->period;

	while (x) {
		u64 rest = step % x;

		step = x;
		x = rest;
	}
	/* b starts last; both are there from then on, and meet if their bundles agree. */
	if (a_last < first || (first - a->start) % step)
		return false;
	for (u64 n = 0; n < a->period / step && first <= last && first <= a_last; n++) {
		if ((first - a->start) % a->period == 0)
			return true;
		first += b->period;
	}
	return false;
}

static int by_slot(const void *x, const void *y)
{
	const struct stream_run *a = *(const struct stream_run *const *)x,
				*b = *(const struct stream_run *const *)y;

	if (a->slot != b->slot)
		return a->slot - b->slot;
	return a->start < b->start ? -1 : a->start > b->start;
}

/* Looks at pairs of runs of a slot that are active at the same time. */
static int check_slots(const struct lowering *l, const struct stream *s)
{
	const struct stream_run **order = graph_alloc(l->g, (s->runs + 1) * sizeof(*order));
	int active = 0; /* runs that may go on stand in order[0..active) */

	if (!order)
		return l->g->err->code;
	for (int i = 0; i < s->runs; i++)
		order[i] = &s->run[i];
	qsort(order, s->runs, sizeof(*order), by_slot);
	for (int i = 0; i < s->runs; i++) {
		const struct stream_run *r = order[i];
		int kept = 0;

		for (int j = 0; j < active; j++) {
			const struct stream_run *a = order[j];

			if (a->slot != r->slot ||
			    a->start + (stream_run_count(a) - 1) * a->period < r->start)
				continue;
			if (collide(a, r))
				return broken(l, r, "the slot is taken");
			order[kept++] = a;
		}
		order[kept++] = r;
		active = kept;
	}
	return 0;
}

int stream_check(const struct lowering *l, const struct stream *s)
{
	int rc = 0;

	for (; s && !rc; s = s->next) {
		if (s->trips) {
			rc = stream_check(l, s->body);
			continue;
		}
		for (int i = 0; i < s->runs && !rc; i++)
			rc = check_run(l, s, &s->run[i]);
		if (!rc)
			rc = check_slots(l, s);
	}
	return rc;
}
