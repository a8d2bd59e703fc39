// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Rolling: a bundle to open each loop.
 *
 * Loops are opened by slot C of the bundle before them. If that is taken, or there is no bundle,
 * one is made without another bundle being executed: either the last trip of the loop that stands
 * there is split off, or the first trip of the loop itself is peeled, whichever is less text.
 */
#include "compiler/bundles.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
	NEST_MAX = 3, /* loops that one operation opens, */
	NEST_TRIPS_MAX = 1 << 14, /* if none has more trips */
	NEST_BODY_MAX = 1 << 9, /* and the body is short even if some of it is peeled */
};

static void emit(struct bundle_maker *m, struct bundle_list *out, const struct bundle_node *n,
		 int depth);

u64 bundles_count(const struct bundle_list *l)
{
	u64 n = 0;

	for (const struct bundle_node *i = l->first; i; i = i->next)
		n += i->kind == BUNDLE ? 1 : i->kind == BUNDLE_LOOP ? bundles_count(&i->body) : 0;
	return n;
}

/* ---- Trips of a loop as bundles of their own --------------------------------------------------
 */

/* Moves @s on by @trips trips of the loop at @depth; @gone: it is no longer around. */
static void move_slot(struct bundle_slot *s, int depth, u64 trips, bool gone)
{
	s->address += (s32)((s64)trips * s->step[depth].bytes);
	s->row += (u16)((s64)trips * s->step[depth].rows);
	if (!gone)
		return;
	s->loops--;
	memmove(&s->step[depth], &s->step[depth + 1], (s->loops - depth) * sizeof(*s->step));
}

static struct bundle_node *copy_of(struct bundle_maker *m, const struct bundle_node *n, int depth,
				   u64 trips, bool gone)
{
	struct bundle_node *copy = bundle_node(m, n->kind);

	if (!copy)
		return NULL;
	if (n->kind == BUNDLE_MARK)
		copy->mark = n->mark;
	for (int i = 0; i < RONDO_SLOTS_PER_BUNDLE && n->kind == BUNDLE; i++) {
		if (!n->slot[i])
			continue;
		copy->slot[i] = bundle_slot(m, n->slot[i]->run, n->slot[i]->loops);
		if (!copy->slot[i])
			return NULL;
		memcpy(copy->slot[i], n->slot[i],
		       sizeof(**n->slot) + n->slot[i]->loops * sizeof(struct bundle_step));
		move_slot(copy->slot[i], depth, trips, gone);
	}
	if (n->kind != BUNDLE_LOOP)
		return copy;
	copy->trips = n->trips;
	for (const struct bundle_node *i = n->body.first; i; i = i->next) {
		struct bundle_node *inside = copy_of(m, i, depth, trips, gone);

		if (!inside)
			return NULL;
		bundle_append(&copy->body, inside);
	}
	return copy;
}

/* Trip number @trip of the loop @n, which stands in @depth loops, as text of its own. */
static void emit_trip(struct bundle_maker *m, struct bundle_list *out, const struct bundle_node *n,
		      u64 trip, int depth)
{
	for (const struct bundle_node *i = n->body.first; i; i = i->next) {
		struct bundle_node *copy = copy_of(m, i, depth, trip, true);

		if (copy)
			emit(m, out, copy, depth);
	}
}

/* @trips trips of the loop @n from number @from on. */
static void emit_trips(struct bundle_maker *m, struct bundle_list *out, const struct bundle_node *n,
		       u64 from, u64 trips, int depth)
{
	struct bundle_node *copy;

	if (trips == 1) {
		emit_trip(m, out, n, from, depth);
		return;
	}
	copy = copy_of(m, n, depth, from, false);
	if (!copy)
		return;
	copy->trips = trips;
	emit(m, out, copy, depth);
}

/* ---- Opening ----------------------------------------------------------------------------------
 */

/* The last node that is executed, or NULL. */
static struct bundle_node *tail(const struct bundle_list *l)
{
	struct bundle_node *n = l->last;

	while (n && n->kind == BUNDLE_MARK)
		n = n->prev;
	return n;
}

static const struct bundle_node *only(const struct bundle_list *l)
{
	return l->first && l->first == l->last ? l->first : NULL;
}

/* @opener opens the loop @n, and those that are perfectly nested in it. */
static void open_loop(struct bundle_maker *m, struct bundle_list *out, struct bundle_node *opener,
		      const struct bundle_node *n, int depth)
{
	struct bundle_node *loop = bundle_node(m, BUNDLE_LOOP);
	const struct bundle_node *body = n;

	if (!loop)
		return;
	opener->nest_trips[opener->nest++] = n->trips;
	for (;;) {
		const struct bundle_node *inner = only(&body->body);

		if (opener->nest == NEST_MAX || !inner || inner->kind != BUNDLE_LOOP ||
		    n->trips > NEST_TRIPS_MAX || inner->trips > NEST_TRIPS_MAX ||
		    bundles_count(&inner->body) > NEST_BODY_MAX)
			break;
		body = inner;
		opener->nest_trips[opener->nest++] = body->trips;
	}
	loop->trips = n->trips;
	loop->model = n;
	bundle_append(out, loop);
	for (const struct bundle_node *i = body->body.first; i; i = i->next)
		emit(m, &loop->body, i, depth + opener->nest);
}

static void cut_last(struct bundle_list *l)
{
	l->last = l->last->prev;
	*(l->last ? &l->last->next : &l->first) = NULL;
}

/* The loop at the end of @out runs one trip less; that is text of its own now. */
static void split_last(struct bundle_maker *m, struct bundle_list *out, int depth)
{
	const struct bundle_node *model;
	struct bundle_list marks = { NULL, NULL };

	while (out->last->kind == BUNDLE_MARK) {
		struct bundle_node *mark = out->last;

		cut_last(out);
		mark->next = marks.first;
		marks.first = mark;
	}
	model = out->last->model;
	cut_last(out);
	tail(out)->nest = 0;
	emit_trips(m, out, model, 0, model->trips - 1, depth);
	emit_trip(m, out, model, model->trips - 1, depth);
	while (marks.first) {
		struct bundle_node *mark = marks.first;

		marks.first = mark->next;
		bundle_append(out, mark);
	}
}

static bool ends_in_loop(const struct bundle_node *n)
{
	return tail(&n->body)->kind == BUNDLE_LOOP;
}

static void emit_loop(struct bundle_maker *m, struct bundle_list *out, const struct bundle_node *n,
		      int depth)
{
	struct bundle_node *before = tail(out);

	if (before && before->kind == BUNDLE && !before->slot[RONDO_C] && !before->nest) {
		open_loop(m, out, before, n, depth);
		return;
	}
	if (before && before->kind == BUNDLE_LOOP &&
	    (ends_in_loop(n) || bundles_count(&before->body) <= bundles_count(&n->body))) {
		split_last(m, out, depth);
		emit_loop(m, out, n, depth);
		return;
	}
	emit_trip(m, out, n, 0, depth);
	emit_trips(m, out, n, 1, n->trips - 1, depth);
}

static void emit(struct bundle_maker *m, struct bundle_list *out, const struct bundle_node *n,
		 int depth)
{
	struct bundle_node *copy;

	if (m->error)
		return;
	if (n->kind == BUNDLE_LOOP) {
		emit_loop(m, out, n, depth);
		return;
	}
	copy = bundle_node(m, n->kind);
	if (!copy)
		return;
	if (n->kind == BUNDLE_MARK) {
		copy->mark = n->mark;
		bundle_mark(m, n->mark);
	} else {
		memcpy(copy->slot, n->slot, sizeof(copy->slot));
	}
	bundle_append(out, copy);
}

struct bundle_list bundles_roll(struct bundle_maker *m, const struct bundle_list *l)
{
	struct bundle_list out = { NULL, NULL };

	for (struct bundle_node *n = l->first, *next; n; n = next) {
		next = n->next;
		if (n->kind == BUNDLE_MARK)
			bundle_mark(m, n->mark);
		if (n->kind == BUNDLE_LOOP)
			emit(m, &out, n, 0);
		else
			bundle_append(&out, n);
	}
	return out;
}

/* ---- Text -------------------------------------------------------------------------------------
 */

static void print_slot(const struct bundle_slot *s, FILE *out)
{
	const struct rondo_op *op = &s->run->op;

	fprintf(out, " | %s", rondo_ops[op->op].name);
	if (rondo_op_has_address(op->op)) {
		fprintf(out, " %d", s->address);
		for (int d = 0; d < s->loops; d++) {
			if (s->step[d].bytes)
				fprintf(out, "+%d*i%d", s->step[d].bytes, d);
		}
	}
	if (rondo_op_has_row(op->op)) {
		fprintf(out, " r%d", s->row);
		for (int d = 0; d < s->loops; d++) {
			if (s->step[d].rows)
				fprintf(out, "+%d*i%d", s->step[d].rows, d);
		}
	}
	if (s->run->transfer >= 0)
		fprintf(out, " t%d", s->run->transfer);
	for (int ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		if (op->wait[ch])
			fprintf(out, " c%d<=%d", ch, op->wait[ch] - 1);
	}
}

static void print_list(const struct bundle_list *l, int *number, int depth, FILE *out)
{
	for (const struct bundle_node *n = l->first; n; n = n->next) {
		if (n->kind == BUNDLE_MARK)
			fprintf(out, "node %s\n", n->mark->name);
		if (n->kind == BUNDLE_LOOP)
			print_list(&n->body, number, depth + 1, out);
		if (n->kind != BUNDLE)
			continue;
		fprintf(out, "%5d:%*s", (*number)++, 2 * depth, "");
		for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			if (n->slot[slot])
				print_slot(n->slot[slot], out);
		}
		if (n->nest)
			fprintf(out, " | loop");
		for (int i = 0; i < n->nest; i++)
			fprintf(out, " %" PRIu64, n->nest_trips[i]);
		fprintf(out, "\n");
	}
}

void bundles_print(const struct bundle_list *l, FILE *out)
{
	int number = 0;

	print_list(l, &number, 0, out);
}
