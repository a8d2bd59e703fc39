// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * When transfers start, and who waits for them.
 *
 * A transfer starts as early as its bytes in SRAM are free. Who touches them first needs it; in the
 * end a need becomes a wait until at most n transfers of the channel are outstanding, where n
 * counts the starts between.
 */
#include "compiler/stream_builder.h"
#include <errno.h>
#include <stdlib.h>

enum { START_CYCLES = 200, ROW_CYCLES = 2, CHANNEL_BYTES = 64 };

/* ---- Transfers ------------------------------------------------------------------------------- */

static u64 cycles_of(const struct transfer *x)
{
	u64 rows = (u64)x->count[0] * x->count[1] * x->count[2];

	return START_CYCLES + rows * (ROW_CYCLES + (x->row + CHANNEL_BYTES - 1) / CHANNEL_BYTES);
}

static u32 sram_lo(const struct builder *b, const struct transfer *x)
{
	return (u32)(b->l->mir.buf[x->buf].base + x->offset);
}

static u32 sram_hi(const struct builder *b, const struct transfer *x)
{
	return (u32)(sram_lo(b, x) + x->bytes);
}

void stream_need(struct builder *b, int transfer, u64 at)
{
	struct started *s = &b->started[transfer];
	bool here = s->number == b->number || s->carried == b->number;

	/* What an earlier stream started has ended with it, unless it has come in early. */
	if (s->ended ? s->needed != NEVER && (s->waits != b->number || s->needed <= at) :
		       !here || s->needed <= at)
		return;
	if (!stream_grow(b, (void **)&b->need, b->needs, &b->need_room, sizeof(*b->need)))
		return;
	b->need[b->needs++] = (struct need){ at, transfer };
	s->needed = at;
	s->waits = b->number;
	b->busy_until = max_of(b->busy_until, at + 1);
}

/* The first start of this stream in bundle @at or behind. */
static int start_from(const struct builder *b, u64 at)
{
	int lo = 0, hi = b->starts;

	while (lo < hi) {
		int middle = (lo + hi) / 2;

		if (b->start_at[middle] >= at)
			hi = middle;
		else
			lo = middle + 1;
	}
	return lo;
}

/* The first bundle from @at on whose slot C has no start; it gets one. */
static u64 take_start(struct builder *b, u64 at)
{
	int i = start_from(b, at);

	for (; i < b->starts && b->start_at[i] == at; i++)
		at++;
	if (!stream_grow(b, (void **)&b->start_at, b->starts, &b->start_room, sizeof(*b->start_at)))
		return at;
	memmove(&b->start_at[i + 1], &b->start_at[i], (b->starts - i) * sizeof(*b->start_at));
	b->start_at[i] = at;
	b->starts++;
	return at;
}

/* How many transfers of @channel start before bundle @at of this stream. */
static int starts_before(const struct builder *b, u32 channel, u64 at)
{
	int n = 0, end = b->orders[channel];

	while (n < end) {
		int middle = n + (end - n) / 2;
		const struct started *s = &b->started[b->order[channel][middle]];

		if (s->number < b->number || s->at < at)
			n = middle + 1;
		else
			end = middle;
	}
	return n;
}

static void set_in(struct sram_state *s, const void *arg)
{
	s->in = *(const int *)arg;
}

static void set_out(struct sram_state *s, const void *arg)
{
	s->out = *(const int *)arg;
}

/* The first bundle of this stream behind the start of @transfer. */
u64 stream_behind(const struct builder *b, int transfer)
{
	if (transfer == SRAM_NO_TRANSFER || b->started[transfer].number != b->number)
		return 0;
	return b->started[transfer].at + 1;
}

/* The bundle of this stream in which the early transfer of @s has ended. */
static u64 early_end(const struct builder *b, const struct started *s)
{
	return s->ended > b->elapsed ? s->ended - b->elapsed : 0;
}

u64 stream_awaits(const struct builder *b, int transfer)
{
	u64 at = stream_behind(b, transfer);
	int i = start_from(b, at);

	if (transfer != SRAM_NO_TRANSFER && b->started[transfer].ended)
		return early_end(b, &b->started[transfer]);
	if (!at)
		return 0;
	for (; i < b->starts && b->start_at[i] == at; i++)
		at++;
	return b->number ? at : max_of(at, b->opening);
}

/*
 * The bundle in which transfer @x has ended by itself, about; a bundle of this stream. Whoever
 * waits for it before that stops everything.
 */
static u64 ended(const struct builder *b, int x)
{
	u64 behind = stream_behind(b, x);

	if (x != SRAM_NO_TRANSFER && b->started[x].ended)
		return early_end(b, &b->started[x]);
	return behind ? behind + cycles_of(&b->t->at[x]) : 0;
}

/* What a transfer finds at the bytes that it touches. */
struct found {
	u64 at; /* the first bundle in which it may start, */
	u64 settled; /* and one in which it need not wait */
};

static void find_transfer(const struct builder *b, int x, struct found *f)
{
	f->at = max_of(f->at, stream_behind(b, x));
	f->settled = max_of(f->settled, ended(b, x));
}

/* Looks at bytes [lo, hi) of @map, which the transfer writes or reads. */
static void find_bytes(const struct builder *b, const struct sram_map *map, u64 lo, u64 hi,
		       bool writes, struct found *f)
{
	struct sram_place p;
	struct sram_range *r;

	sram_map_for_each(map, p, r, lo, hi) {
		const struct sram_state *s = &r->state;

		f->at = max_of(f->at, s->written);
		if (writes)
			f->at = max_of(f->at, s->read);
		find_transfer(b, s->in, f);
		if (writes)
			find_transfer(b, s->out, f);
	}
}

/* The bytes between the first and the last that @x touches, where slots are one behind the other.
 */
static u64 slot_lo(const struct transfer *x)
{
	return x->slot * RONDO_SLOT_BYTES_MAX + transfer_slot_lo(x);
}

static u64 slot_hi(const struct transfer *x)
{
	return x->slot * RONDO_SLOT_BYTES_MAX + transfer_slot_hi(x);
}

/*
 * When @transfer may start. In slots `in` is the transfer that wrote bytes last, and `out` the one
 * that read them, so that these words mean the same as in SRAM.
 */
static struct found find_free(const struct builder *b, int transfer)
{
	const struct transfer *x = &b->t->at[transfer];
	bool in = x->dir == RONDO_DMA_IN;
	struct found f = { 0, 0 };

	find_bytes(b, &b->sram, sram_lo(b, x), sram_hi(b, x), in, &f);
	if (!x->alone)
		find_bytes(b, &b->slots, slot_lo(x), slot_hi(x), !in, &f);
	return f;
}

/* @transfer, which starts at @at, needs what has touched bytes [@lo, @hi) but for itself. */
static void need_bytes(struct builder *b, const struct sram_map *map, u64 lo, u64 hi, bool writes,
		       int transfer, u64 at)
{
	struct sram_place p;
	struct sram_range *r;

	sram_map_for_each(map, p, r, lo, hi) {
		const struct sram_state *s = &r->state;

		if (s->in != SRAM_NO_TRANSFER && s->in != transfer)
			stream_need(b, s->in, at);
		if (writes && s->out != SRAM_NO_TRANSFER && s->out != transfer)
			stream_need(b, s->out, at);
	}
}

static void need_overlapped(struct builder *b, int transfer, u64 at)
{
	const struct transfer *x = &b->t->at[transfer];
	bool in = x->dir == RONDO_DMA_IN;

	need_bytes(b, &b->sram, sram_lo(b, x), sram_hi(b, x), in, transfer, at);
	if (!x->alone)
		need_bytes(b, &b->slots, slot_lo(x), slot_hi(x), !in, transfer, at);
}

/* About when somebody waits for transfer @x of this stream; 0: nobody is known to. */
static u64 waited_for(const struct builder *b, int x)
{
	const struct started *s = &b->started[x];
	u64 at = s->needed != NEVER ? s->needed : s->wanted;

	if (s->ended)
		return early_end(b, s);
	return at == NEVER || (s->number >= 0 && s->number != b->number) ? 0 : at;
}

/*
 * The first bundle from @at on at which @transfer may start. A fifth transfer of a channel would
 * stop everything until the first has ended, so it starts no earlier than when that is waited for
 * anyway; nor does it make one that starts behind it such a fifth.
 */
static u64 channel_free(const struct builder *b, int transfer, u64 at)
{
	u32 channel = b->t->at[transfer].channel;
	const int *order = b->order[channel];
	u64 was;

	do {
		int n = starts_before(b, channel, at), full = n - RONDO_DMA_OUTSTANDING;

		was = at;
		if (full >= 0)
			at = max_of(at, waited_for(b, order[full]));
		for (int i = n;
		     at == was && i < b->orders[channel] && i < n + RONDO_DMA_OUTSTANDING; i++) {
			u64 start = b->started[order[i]].at, first = 0;

			full = i + 1 - RONDO_DMA_OUTSTANDING;
			if (full >= 0 && full < n)
				first = waited_for(b, order[full]);
			else if (full == n)
				first = waited_for(b, transfer);
			if (first > start)
				at = start + 1;
		}
	} while (at != was);
	return at;
}

/* Gives @transfer its place among those of its channel, which are in the order of their starts. */
static void enter_channel(struct builder *b, int transfer)
{
	u32 channel = b->t->at[transfer].channel;
	int *order = b->order[channel], at = starts_before(b, channel, b->started[transfer].at);

	for (int i = b->orders[channel]++; i > at; i--) {
		order[i] = order[i - 1];
		b->started[order[i]].order = i;
	}
	order[at] = transfer;
	b->started[transfer].order = at;
}

/*
 * When to start @transfer: as soon as its bytes are free, but not while others that touch them are
 * under way if it need not be that early.
 */
static u64 choose_start(const struct builder *b, int transfer)
{
	const struct transfer *x = &b->t->at[transfer];
	const struct started *s = &b->started[transfer];
	struct found f = find_free(b, transfer);
	u64 cycles = cycles_of(x), at;
	u64 late = s->wanted == NEVER || s->wanted < cycles ? 0 : s->wanted - cycles;

	if (x->dir == RONDO_DMA_OUT)
		late = NEVER;
	at = max_of(f.at, f.settled < late ? f.settled : late);
	return channel_free(b, transfer, at);
}

/* Enters the start of @transfer, which is known. */
static void enter_start(struct builder *b, int transfer)
{
	const struct transfer *x = &b->t->at[transfer];
	bool in = x->dir == RONDO_DMA_IN;

	need_overlapped(b, transfer, b->started[transfer].at);
	if (b->started[transfer].carried == b->number)
		b->started[transfer].needed = NEVER; /* that was the one of the trip before */
	b->started[transfer].number = b->number;
	enter_channel(b, transfer);
	sram_map_change(&b->sram, sram_lo(b, x), sram_hi(b, x), in ? set_in : set_out, &transfer);
	if (!x->alone)
		sram_map_change(&b->slots, slot_lo(x), slot_hi(x), in ? set_out : set_in,
				&transfer);
}

/* Starts early transfer @transfer when no more than three of its channel are under way. */
static void start_early(struct builder *b, int transfer)
{
	u32 channel = b->t->at[transfer].channel;
	struct started *s = &b->started[transfer];
	const int *order = b->order[channel];
	int n = b->orders[channel];
	u64 at = 0, queue = 0;

	if (n >= RONDO_DMA_OUTSTANDING)
		at = early_end(b, &b->started[order[n - RONDO_DMA_OUTSTANDING]]);
	if (n) {
		at = max_of(at, stream_behind(b, order[n - 1]));
		queue = early_end(b, &b->started[order[n - 1]]);
	}
	s->at = take_start(b, at);
	s->ended = b->elapsed + cycles_of(&b->t->at[transfer]) - START_CYCLES +
		   max_of(s->at + START_CYCLES, queue);
	enter_start(b, transfer);
}

void stream_start_early(struct builder *b)
{
	while (b->early < b->t->early && !b->error)
		start_early(b, b->early++);
}

/* Early transfer @transfer has not started. */
static void take_back(struct builder *b, int transfer)
{
	static const int none = SRAM_NO_TRANSFER;
	const struct transfer *x = &b->t->at[transfer];
	struct started *s = &b->started[transfer];
	int at = start_from(b, s->at);

	b->starts--;
	memmove(&b->start_at[at], &b->start_at[at + 1], (b->starts - at) * sizeof(*b->start_at));
	b->orders[x->channel]--;
	s->number = -1;
	s->ended = 0;
	sram_map_change(&b->sram, sram_lo(b, x), sram_hi(b, x), set_in, &none);
	sram_map_change(&b->slots, slot_lo(x), slot_hi(x), set_out, &none);
}

void stream_put_off_early(struct builder *b)
{
	int i;

	while (b->early && b->started[b->early - 1].number == b->number &&
	       b->started[b->early - 1].at >= b->busy_until)
		take_back(b, --b->early);
	for (i = b->early; i && b->started[i - 1].number == b->number; i--)
		b->busy_until = max_of(b->busy_until, b->started[i - 1].at + 1);
}

void stream_start(struct builder *b, int transfer)
{
	struct started *s = &b->started[transfer];

	s->at = take_start(b, choose_start(b, transfer));
	enter_start(b, transfer);
	b->busy_until = max_of(b->busy_until, s->at + 1);
}

void stream_send(struct builder *b, mir_buf buf)
{
	const struct transfer_span *span = &b->t->out[buf];

	for (int i = 0; i < span->count; i++)
		stream_start(b, span->first + i);
}

void stream_fetch(struct builder *b, int group)
{
	const struct transfer_span *span = &b->t->group[group];

	for (int i = 0; i < span->count; i++)
		stream_start(b, span->first + i);
}

/* The first transfer of @span that brings what lies from byte @lo of its buffer on. */
static int first_piece(const struct builder *b, const struct transfer_span *span, u64 lo)
{
	int first = 0, end = span->count;

	while (first < end) {
		int middle = (first + end) / 2;
		const struct transfer *x = &b->t->at[span->first + middle];

		if (x->offset + x->bytes <= lo)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

void stream_wish(struct builder *b, mir_buf buf, u64 lo, u64 hi, u64 at)
{
	const struct transfer_span *span = &b->t->in[buf];

	if (span->first < b->t->early)
		return;
	for (int i = span->first + first_piece(b, span, lo); i < span->first + span->count; i++) {
		struct started *s = &b->started[i];

		if (b->t->at[i].offset >= hi)
			break;
		if (s->number >= 0)
			continue;
		if (s->wanted == NEVER) {
			if (!stream_grow(b, (void **)&b->wish, b->wishes, &b->wish_room,
					 sizeof(*b->wish)))
				return;
			b->wish[b->wishes++] = i;
		}
		s->wanted = s->wanted < at ? s->wanted : at;
	}
}

/* What is wanted first comes first; of what is wanted together, what lies lower. */
static void sort_wishes(struct builder *b)
{
	for (int i = 1; i < b->wishes; i++) {
		int x = b->wish[i], to = i;

		for (; to && b->started[b->wish[to - 1]].wanted > b->started[x].wanted; to--)
			b->wish[to] = b->wish[to - 1];
		b->wish[to] = x;
	}
}

void stream_start_wishes(struct builder *b)
{
	sort_wishes(b);
	for (int i = 0; i < b->wishes; i++)
		stream_start(b, b->wish[i]);
	b->wishes = 0;
}

/* The early transfers that item @i touches: when they have ended, or all are needed at @at. */
static u64 end_early(struct builder *b, int i, u64 at, bool need)
{
	const struct mir_item *op = &b->l->mir.item[i];
	const struct transfer_span *span;

	if (op->kind != MIR_OP || op->ref.buf == MIR_NO_BUF)
		return at;
	span = &b->t->in[op->ref.buf];
	for (int x = span->first; x < span->first + span->count && x < b->t->early; x++) {
		if (need)
			stream_need(b, x, at);
		else
			at = max_of(at, early_end(b, &b->started[x]));
	}
	return at;
}

/* All transfers of this stream that may be under way are waited for at bundle @at. */
static void need_all(struct builder *b, u64 at)
{
	for (u32 ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (int n = b->orders[ch]; n > 0; n--) {
			const struct started *s = &b->started[b->order[ch][n - 1]];

			if (s->number != b->number)
				break;
			if (!s->ended)
				stream_need(b, b->order[ch][n - 1], at);
		}
	}
}

/* Starts and waits for all transfers that items [@i, @end) touch: no loop contains any. */
void stream_end_transfers(struct builder *b, int i, int end)
{
	u64 at = b->busy_until;

	for (int j = i; j < end; j++) {
		const struct mir_item *op = &b->l->mir.item[j];
		mir_buf buf = op->kind == MIR_OP ? op->ref.buf : MIR_NO_BUF;

		if (buf != MIR_NO_BUF)
			stream_wish(b, buf, 0, b->l->mir.buf[buf].bytes, at);
	}
	stream_start_wishes(b);
	at = max_of(at, b->busy_until);
	for (int j = i; j < end; j++)
		at = end_early(b, j, at, false);
	for (int j = i; j < end; j++)
		end_early(b, j, at, true);
	need_all(b, at);
}

void stream_settle(struct builder *b)
{
	need_all(b, b->busy_until);
}

/* ---- Trips of tiles -------------------------------------------------------------------------- */

void stream_carry(struct builder *b, int i, int end)
{
	for (; i < end; i++) {
		const struct mir_item *item = &b->l->mir.item[i];
		const struct transfer_span *span;

		if (item->group == MIR_NO_GROUP)
			continue;
		span = &b->t->group[item->group];
		for (int x = span->first; x < span->first + span->count; x++) {
			const struct transfer *t = &b->t->at[x];
			bool in = t->dir == RONDO_DMA_IN;

			b->started[x].carried = b->number;
			sram_map_change(&b->sram, sram_lo(b, t), sram_hi(b, t),
					in ? set_in : set_out, &x);
		}
	}
}

void stream_end_carry(struct builder *b, int number)
{
	for (u32 ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		int n = b->orders[ch];

		if (!n || b->started[b->order[ch][n - 1]].number != number)
			continue;
		if (!stream_grow(b, (void **)&b->need, b->needs, &b->need_room, sizeof(*b->need)))
			return;
		b->need[b->needs++] = (struct need){ 0, b->order[ch][n - 1] };
		b->busy_until = max_of(b->busy_until, 1);
	}
}

/* ---- Waits ----------------------------------------------------------------------------------- */

/*
 * Starts on the channel of @transfer that come between it and bundle @at of this stream; if it
 * starts behind that, between it in the trip before and there.
 */
static int starts_between(const struct builder *b, int transfer, u64 at)
{
	u32 ch = b->t->at[transfer].channel;
	int lo = b->started[transfer].order + 1, hi = b->orders[ch];

	if (b->started[transfer].number == b->number && b->started[transfer].at >= at)
		return hi - lo + starts_before(b, ch, at) - starts_before(b, ch, 0);

	while (lo < hi) {
		int middle = (lo + hi) / 2;
		const struct started *s = &b->started[b->order[ch][middle]];

		if (s->number < b->number || s->at < at)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo - b->started[transfer].order - 1;
}

static int by_bundle(const void *x, const void *y)
{
	const struct need *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->transfer - b->transfer;
}

static struct stream_run *control_run(struct builder *b, u64 at)
{
	struct stream_run *r = stream_new_run(b);

	if (!r)
		return NULL;
	r->slot = RONDO_C;
	r->start = at;
	r->op.op = RONDO_OP_wait;
	return r;
}

/* By how much the loops of tiles around its start move @transfer; NULL: there are none. */
static const struct mir_ref *loops_of(struct builder *b, int transfer)
{
	const struct transfer *x = &b->t->at[transfer];
	struct mir_ref *ref = NULL;

	if (x->loops)
		ref = graph_alloc(b->l->g, sizeof(*ref));
	for (int d = 0; d < x->loops && ref; d++)
		ref->stride[d] = (s32)x->loop_stride[d]; /* slots have at most 1 GiB */
	if (x->loops && !ref)
		stream_fail(b, -ENOMEM);
	return ref;
}

static void add_starts(struct builder *b)
{
	for (u32 ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (int n = b->orders[ch]; n > 0; n--) {
			const struct started *s = &b->started[b->order[ch][n - 1]];
			struct stream_run *r;

			if (s->number != b->number)
				break;
			r = control_run(b, s->at);
			if (!r)
				return;
			r->op.op = RONDO_OP_dma;
			r->op.channel = (u8)ch;
			r->transfer = b->order[ch][n - 1];
			r->ref = loops_of(b, r->transfer);
		}
	}
}

static int run_by_bundle(const void *x, const void *y)
{
	const struct stream_run *a = x, *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Turns what bundles need into waits: at most n transfers of a channel may be outstanding. */
void stream_resolve(struct builder *b)
{
	int first = b->stream->runs, starts, at;

	add_starts(b);
	if (b->error)
		return;
	starts = b->stream->runs - first;
	if (starts)
		qsort(&b->stream->run[first], starts, sizeof(struct stream_run), run_by_bundle);
	if (b->needs)
		qsort(b->need, b->needs, sizeof(*b->need), by_bundle);
	at = first;
	for (int i = 0; i < b->needs; i++) {
		const struct need *n = &b->need[i];
		int between = starts_between(b, n->transfer, n->at);
		u8 *wait, most = (u8)(between + 1);
		struct stream_run *r;

		if (between >= RONDO_DMA_OUTSTANDING)
			continue;
		while (at < first + starts && b->stream->run[at].start < n->at)
			at++;
		if (at < first + starts && b->stream->run[at].start == n->at)
			r = &b->stream->run[at];
		else if (b->stream->runs > first + starts &&
			 b->stream->run[b->stream->runs - 1].start == n->at)
			r = &b->stream->run[b->stream->runs - 1];
		else
			r = control_run(b, n->at);
		if (!r)
			return;
		wait = &r->op.wait[b->t->at[n->transfer].channel];
		*wait = *wait && *wait < most ? *wait : most;
	}
}
