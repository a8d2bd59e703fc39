// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What transfers promise: see transfer.h. */
#include "compiler/transfer.h"

#include <errno.h>

struct check {
	const struct lowering *l;
	const struct transfer_list *t;
	const char *fault;
	mir_buf buf; /* at fault */
};

static bool is_resident(const struct check *c, mir_buf b)
{
	return c->t->early && c->l->mir.buf[b].kind == MIR_BUF_CONST;
}

/* Bytes from the begin of the buffer of @x on that are its, or constants that stay, too. */
static u64 room_from(const struct check *c, const struct transfer *x)
{
	const struct mir_buffer *buf = &c->l->mir.buf[x->buf];

	return is_resident(c, x->buf) ? c->l->resident - buf->base : buf->bytes;
}

static void check_size(struct check *c, const struct transfer *x)
{
	u64 bytes = x->row, room = RONDO_SLOT_BYTES_MAX;

	for (int d = 0; d < RONDO_DMA_DIMS; d++)
		bytes *= x->count[d];
	if (x->slot == SLOT_WEIGHTS)
		room = c->l->weights_bytes;
	else if (x->slot == lower_scratch_slot(c->l))
		room = c->l->scratch_bytes;
	if (!bytes || bytes != x->bytes)
		c->fault = "rows of another size than all";
	else if (x->offset + bytes > room_from(c, x))
		c->fault = "more than its buffer holds";
	else if (transfer_slot_lo(x) > transfer_slot_hi(x) || transfer_slot_hi(x) > room)
		c->fault = "more than its slot holds";
	else if (x->channel >= RONDO_DMA_CHANNELS)
		c->fault = "a channel that there is not";
}

/* The transfers of @span bring all of buffer @b, one behind the other, as it lies in its slot. */
static void check_resident(struct check *c, mir_buf b, const struct transfer_span *span)
{
	const struct mir_buffer *buf = &c->l->mir.buf[b];
	u64 at = buf->slot_offset;

	if (buf->base != buf->slot_offset) {
		c->fault = "constants that stay elsewhere than in their slot";
		return;
	}
	for (int i = 0; i < span->count; i++) {
		const struct transfer *x = &c->t->at[span->first + i];

		if (c->l->mir.buf[x->buf].base + x->offset != x->slot_offset ||
		    x->slot != SLOT_WEIGHTS || x->dir != RONDO_DMA_IN || x->slot_offset > at)
			c->fault = "a span with a gap";
		at = x->slot_offset + x->bytes;
	}
	if (at < buf->slot_offset + buf->bytes)
		c->fault = "a span that is not all of its buffer";
}

/* The transfers of @span are of buffer @b and @dir, one behind the other, and all of it. */
static void check_span(struct check *c, mir_buf b, const struct transfer_span *span,
		       enum rondo_dma_dir dir)
{
	u64 at;

	if (span->first < 0 || span->first + span->count > c->t->outputs) {
		c->fault = "a span outside of the list";
		return;
	}
	if (is_resident(c, b)) {
		if (dir == RONDO_DMA_IN)
			check_resident(c, b, span);
		return;
	}
	/* What lies before that has been copied there. */
	at = span->count && dir == RONDO_DMA_IN ? c->t->at[span->first].offset : 0;
	for (int i = 0; i < span->count; i++) {
		const struct transfer *x = &c->t->at[span->first + i];

		if (x->buf != b || x->dir != dir || x->offset != at)
			c->fault = "a span with a gap";
		at += x->bytes;
	}
	if (span->count && at != c->l->mir.buf[b].bytes)
		c->fault = "a span that is not all of its buffer";
}

/* Those of group @g go one way, and what is of one buffer is its beginning, without a gap. */
static void check_group(struct check *c, int g)
{
	const struct transfer_span *span = &c->t->group[g];
	u64 at = 0;

	for (int i = 0; i < span->count && !c->fault; i++) {
		const struct transfer *x = &c->t->at[span->first + i], *before = x - 1;

		c->buf = x->buf;
		if (!i || x->buf != before->buf)
			at = 0;
		if (x->offset != at || (i && x->dir != before->dir))
			c->fault = "a group with a gap";
		at += x->bytes;
	}
}

int transfers_check(const struct lowering *l, const struct transfer_list *t)
{
	struct check c = { .l = l, .t = t };
	int in_spans = t->early;

	for (int i = 0; i < t->count && !c.fault; i++) {
		c.buf = t->at[i].buf;
		if (c.buf < 0 || c.buf >= l->mir.bufs)
			return graph_fail(l->g, -ENOTRECOVERABLE, "a transfer of no buffer");
		check_size(&c, &t->at[i]);
	}
	for (mir_buf b = 0; b < l->mir.bufs && !c.fault; b++) {
		c.buf = b;
		check_span(&c, b, &t->in[b], RONDO_DMA_IN);
		if (!c.fault)
			check_span(&c, b, &t->out[b], RONDO_DMA_OUT);
		in_spans += t->in[b].first < t->early ? 0 : t->in[b].count;
		in_spans += t->out[b].count;
	}
	for (int g = 0; g < l->groups && !c.fault; g++) {
		check_group(&c, g);
		in_spans += t->group[g].count;
	}
	if (c.fault)
		return node_fail(l->g, mir_user_of(&l->mir, c.buf), -ENOTRECOVERABLE,
				 "a transfer of it is wrong: %s", c.fault);
	if (in_spans != t->outputs)
		return graph_fail(l->g, -ENOTRECOVERABLE, "a transfer that nothing starts");
	return 0;
}
