// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Place: addresses in SRAM.
 *
 * A buffer lives from the first step that touches it to the last one: steps overlap at their edges
 * only, so buffers of two steps may share bytes without putting off what one step does in parallel.
 * A node without tiles is one step. What comes in lives for some steps before that, what goes out
 * for some behind, so that transfers have the time of other steps, unless there is no room for that
 * where tiles of two nodes meet. Where there is room, a buffer has its bytes for two steps more at
 * both ends, so that what comes in next need not wait for what is done with them. Large buffers are
 * placed first, each at the lowest address that is free as long as it lives.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"

enum { ALIGN = 64, MARGIN = 2 /* steps */ };

/*
 * The buffers that live in a span of steps and not in all of the span around it, of those that have
 * an address. Span 1 is all steps, its halves are 2 and 3, theirs 4 and 5, 6 and 7, and so on; each
 * buffer is in a few of them, however long it lives.
 */
struct span {
	struct neighbour {
		int buf;
		struct neighbour *next;
	} * first;
	int entries; /* in this span and those inside */
};

struct placing {
	struct lowering *l;
	struct span *span; /* by number */
	int steps, leaves; /* of spans: a power of two, at least as many as steps */
	bool apart; /* buffers are, in time */
	u64 floor; /* below it are constants that stay */
	struct mir_buffer **beside; /* room for all that live with one */
	u32 *seen; /* by buffer: the last search that has found it */
	u32 round; /* number of the search, from 1 on */
};

static void touch(struct mir_buffer *buf, int step)
{
	if (buf->used_first > step)
		buf->used_first = step;
	if (buf->used_last < step)
		buf->used_last = step;
}

/* The buffers whose transfers item @item starts. */
static void touch_group(struct lowering *l, const struct mir_item *item, int step)
{
	if (item->group == MIR_NO_GROUP)
		return;
	for (int i = l->group[item->group].first; i >= 0; i = l->transfer[i].next)
		touch(&l->mir.buf[l->transfer[i].buf], step);
}

static bool is_resident(const struct placing *p, const struct mir_buffer *buf)
{
	return buf->kind == MIR_BUF_CONST && p->floor;
}

static void touch_value(const struct placing *p, const struct value *v, int step)
{
	mir_buf b = p->l->value[v->id].buf;

	if (b != MIR_NO_BUF)
		touch(&p->l->mir.buf[b], step);
}

static bool begins_tiles(const struct mir_item *item)
{
	return item->kind == MIR_LOOP && item->tiles;
}

/*
 * What a trip of the loop of tiles from item @i on, steps [@first, @last], finds or leaves lives in
 * all of the loop: all but what one step alone touches, and no transfer.
 */
static void keep_in_loop(struct lowering *l, int i, int first, int last)
{
	const struct mir *m = &l->mir;

	for (int end = mir_loop_end(m, i); i < end; i++) {
		const struct mir_item *item = &m->item[i];
		struct mir_buffer *buf;

		if (item->group != MIR_NO_GROUP) {
			touch_group(l, item, first);
			touch_group(l, item, last);
		}
		if (item->ref.buf == MIR_NO_BUF)
			continue;
		buf = &m->buf[item->ref.buf];
		if (buf->kind != MIR_BUF_CONST && buf->used_first == buf->used_last)
			continue;
		touch(buf, first);
		touch(buf, last);
	}
}

/* Behind all touches, which make buffers live longer only: loops of tiles, in order. */
static void keep_in_loops(struct lowering *l)
{
	const struct mir *m = &l->mir;
	int step = 0;

	for (int i = 0; i < m->items; i++) {
		int first = step + 1, begin = i;

		step += m->item[i].kind == MIR_NODE || m->item[i].kind == MIR_STEP;
		if (!begins_tiles(&m->item[i]))
			continue;
		for (int end = mir_loop_end(m, i); i < end; i++)
			step += m->item[i].kind == MIR_STEP;
		keep_in_loop(l, begin, first, step);
	}
}

/*
 * Constants stay all the time if half of SRAM holds them, and all values beside them. Inputs are
 * there from the beginning, outputs to the end.
 */
static void find_lives(struct placing *p)
{
	struct lowering *l = p->l;
	struct mir *m = &l->mir;
	int step = 0;

	for (int b = 0; b < m->bufs; b++) {
		m->buf[b].used_first = INT32_MAX;
		m->buf[b].used_last = m->buf[b].last = -1;
	}
	for (int i = 0; i < m->items; i++) {
		step += m->item[i].kind == MIR_NODE || m->item[i].kind == MIR_STEP;
		if (m->item[i].ref.buf != MIR_NO_BUF)
			touch(&m->buf[m->item[i].ref.buf], step);
		touch_group(l, &m->item[i], step);
	}
	p->steps = step + 1;
	keep_in_loops(l);
	for (size_t i = 0; i < l->g->inputs.n; i++)
		touch_value(p, l->g->inputs.v[i], 0);
	for (size_t i = 0; i < l->g->outputs.n; i++)
		touch_value(p, l->g->outputs.v[i], step);
	for (int b = 0; b < m->bufs; b++) {
		struct mir_buffer *buf = &m->buf[b];

		if (buf->used_last < 0)
			continue;
		buf->first = buf->used_first > buf->ahead ? buf->used_first - buf->ahead : 0;
		buf->last = buf->used_last + buf->behind < step ? buf->used_last + buf->behind :
								  step;
	}
}

/* Adds those in span @n, which is [@lo, @hi), and those inside that live in [@first, @last]. */
static int find_in_span(struct placing *p, int n, int lo, int hi, const struct mir_buffer *buf,
			int found)
{
	const struct span *span = &p->span[n];
	int middle = lo + (hi - lo) / 2;

	if (!span->entries)
		return found;
	for (const struct neighbour *i = span->first; i; i = i->next) {
		if (p->seen[i->buf] == p->round)
			continue;
		p->seen[i->buf] = p->round;
		p->beside[found++] = &p->l->mir.buf[i->buf];
	}
	if (hi - lo > 1 && buf->first < middle)
		found = find_in_span(p, 2 * n, lo, middle, buf, found);
	if (hi - lo > 1 && buf->last >= middle)
		found = find_in_span(p, 2 * n + 1, middle, hi, buf, found);
	return found;
}

/* The placed buffers that live with buffer @b; how many. */
static int find_beside(struct placing *p, int b)
{
	p->round++;
	return find_in_span(p, 1, 0, p->leaves, &p->l->mir.buf[b], 0);
}

static int by_address(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;

	return x->base < y->base ? -1 : x->base > y->base;
}

/* The lowest address for @bytes between the @n buffers beside. */
static u64 lowest(const struct placing *p, u64 bytes, int n)
{
	u64 at = p->floor;

	qsort(p->beside, n, sizeof(*p->beside), by_address);
	for (int i = 0; i < n && p->beside[i]->base < at + bytes; i++) {
		u64 end = p->beside[i]->base + p->beside[i]->bytes;

		if (at < end)
			at = (end + ALIGN - 1) / ALIGN * ALIGN;
	}
	return at;
}

/* Enters buffer @b in span @n, which is [@lo, @hi), or in those inside; how often. */
static int remember_in_span(struct placing *p, int n, int lo, int hi, int b)
{
	const struct mir_buffer *buf = &p->l->mir.buf[b];
	int middle = lo + (hi - lo) / 2, entries = 0;
	struct neighbour *i;

	if (buf->last < lo || buf->first >= hi)
		return 0;
	if (buf->first > lo || buf->last < hi - 1) {
		entries = remember_in_span(p, 2 * n, lo, middle, b);
		entries += remember_in_span(p, 2 * n + 1, middle, hi, b);
	} else {
		i = graph_alloc(p->l->g, sizeof(*i));
		if (!i)
			return 0;
		*i = (struct neighbour){ b, p->span[n].first };
		p->span[n].first = i;
		entries = 1;
	}
	p->span[n].entries += entries;
	return entries;
}

static int remember(struct placing *p, int b)
{
	remember_in_span(p, 1, 0, p->leaves, b);
	return p->l->g->err->code;
}

/* ---- In which order -------------------------------------------------------------------------- */

static int by_number(const struct mir_buffer *x, const struct mir_buffer *y)
{
	return x < y ? -1 : x > y;
}

static int larger_first(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return by_number(x, y);
}

/* Those that live longest first, among these the largest. */
static int longer_first(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;
	int life = (y->last - y->first) - (x->last - x->first);

	return life ? life : larger_first(a, b);
}

static int earlier_first(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;

	return x->first != y->first ? x->first - y->first : larger_first(a, b);
}

static int larger_and_longer_first(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;
	u64 area = x->bytes * (u64)(x->last - x->first + 1);
	u64 other = y->bytes * (u64)(y->last - y->first + 1);

	return area != other ? (area < other ? 1 : -1) : larger_first(a, b);
}

/* Ways to pack, of which the first that succeeds is taken. */
static int (*const orders[])(const void *, const void *) = { larger_first, larger_and_longer_first,
							     longer_first, earlier_first };

enum { ORDERS = sizeof(orders) / sizeof(*orders) };

static int refuse(struct lowering *l, const struct mir_buffer *buf)
{
	const struct node *n = mir_user_of(&l->mir, (mir_buf)(buf - l->mir.buf));
	bool is_const = buf->kind == MIR_BUF_CONST;
	char what[128] = "its constants need";

	l->unplaced = (mir_buf)(buf - l->mir.buf);
	if (!is_const)
		snprintf(what, sizeof(what), "\"%.100s\" needs", buf->name);
	return node_fail(l->g, n, -EFBIG,
			 "%s %" PRIu64
			 " bytes of SRAM beside what lives with %s; there are %" PRIu64 " bytes",
			 what, buf->bytes, is_const ? "them" : "it", l->sram);
}

/* The lowest address of @buf if it lives longer at both ends; too high: there is none. */
static u64 lowest_apart(struct placing *p, struct mir_buffer *buf)
{
	int first = buf->first, last = buf->last;
	u64 at;

	buf->first = first > MARGIN ? first - MARGIN : 0;
	buf->last = last + MARGIN < p->steps - 1 ? last + MARGIN : p->steps - 1;
	at = lowest(p, buf->bytes, find_beside(p, (int)(buf - p->l->mir.buf)));
	if (at + buf->bytes > p->l->sram) {
		buf->first = first;
		buf->last = last;
	}
	return at;
}

static int place_one(struct placing *p, struct mir_buffer *buf)
{
	int b = (int)(buf - p->l->mir.buf);
	u64 at;

	if (is_resident(p, buf)) {
		buf->base = (u32)buf->slot_offset;
		return 0;
	}
	if (buf->last < 0) { /* nobody touches it */
		buf->base = 0;
		return 0;
	}
	at = p->apart ? lowest_apart(p, buf) : p->l->sram;
	if (at + buf->bytes > p->l->sram)
		at = lowest(p, buf->bytes, find_beside(p, b));
	if (at + buf->bytes > p->l->sram) {
		buf->first = buf->used_first;
		buf->last = buf->used_last;
		at = lowest(p, buf->bytes, find_beside(p, b));
	}
	if (at + buf->bytes > p->l->sram)
		return refuse(p->l, buf);
	buf->base = (u32)at;
	return remember(p, b);
}

/* Gives all buffers addresses, in the order in which they are in @order. */
static int place_all(struct placing *p, struct mir_buffer **order)
{
	int rc = 0;

	memset(p->span, 0, 2 * (size_t)p->leaves * sizeof(*p->span));
	for (int i = 0; i < p->l->mir.bufs && !rc; i++)
		rc = place_one(p, order[i]);
	return rc;
}

int place_buffers(struct lowering *l)
{
	struct placing p = { .l = l };
	struct mir *m = &l->mir;
	struct mir_buffer **order = graph_alloc(l->g, (m->bufs + 1) * sizeof(*order));
	int rc = -EFBIG;

	p.beside = graph_alloc(l->g, (m->bufs + 1) * sizeof(*p.beside));
	p.seen = graph_alloc(l->g, (m->bufs + 1) * sizeof(*p.seen));
	for (int try = 0; try < 2 * ORDERS && rc == -EFBIG; try++) {
		p.apart = try < ORDERS;
		compile_error_clear(l->g->err);
		find_lives(&p);
		if (!l->plans->sram && l->weights_bytes <= l->sram / 2)
			p.floor = l->weights_bytes;
		l->resident = p.floor;
		for (p.leaves = 1; p.leaves < p.steps; p.leaves *= 2)
			continue;
		if (!p.span)
			p.span = graph_alloc(l->g, 2 * (size_t)p.leaves * sizeof(*p.span));
		if (!order || !p.span || !p.beside || !p.seen)
			return -ENOMEM;
		for (int i = 0; i < m->bufs; i++)
			order[i] = &m->buf[i];
		qsort(order, m->bufs, sizeof(*order), orders[try % ORDERS]);
		rc = place_all(&p, order);
	}
	return rc;
}
