// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which bytes move, in which pieces.
 *
 * A channel moves 64 bytes a cycle, so what is large goes over all of them, in pieces of 4 KiB and
 * more: the first operations need only the first of them, and the first results can go out while
 * others are computed.
 */
#include "compiler/transfer.h"

#include <errno.h>
#include <inttypes.h>

enum {
	PIECE_ALIGN = 64,
	PIECE_MIN = 4096,
	PIECES_MAX = 64, /* of one constant buffer, */
	TENSOR_PIECES_MAX = 16, /* of an input or output */
};

struct transfers {
	struct lowering *l;
	struct transfer_list *t;
	int next_channel;
};

static int reserve(struct transfers *f, int more)
{
	struct transfer_list *t = f->t;
	struct transfer *bigger;

	if (t->count + more <= t->room)
		return 0;
	bigger = graph_alloc(f->l->g, 2 * (size_t)(t->count + more) * sizeof(*bigger));
	if (!bigger)
		return f->l->g->err->code;
	if (t->count)
		memcpy(bigger, t->at, t->count * sizeof(*bigger));
	t->at = bigger;
	t->room = 2 * (t->count + more);
	return 0;
}

/* @model is the whole of it; it is cut into at most @pieces. */
static int move(struct transfers *f, const struct transfer *model, u64 pieces)
{
	u64 piece = (model->bytes + pieces - 1) / pieces, at;

	piece = (piece + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
	if (piece < PIECE_MIN)
		piece = PIECE_MIN;
	if (reserve(f, (int)pieces))
		return f->l->g->err->code;
	for (at = 0; at < model->bytes; at += piece) {
		struct transfer *x = &f->t->at[f->t->count++];

		*x = *model;
		x->slot_offset += at;
		x->offset += at;
		x->bytes = model->bytes - at < piece ? model->bytes - at : piece;
		x->channel = f->next_channel++ % RONDO_DMA_CHANNELS;
	}
	return 0;
}

/* Fills all of buffer @b. */
static int move_in(struct transfers *f, mir_buf b, u32 slot, u64 slot_offset, u64 pieces)
{
	struct transfer_span *span = &f->t->in[b];
	const struct transfer all = { .dir = RONDO_DMA_IN,
				      .slot = slot,
				      .slot_offset = slot_offset,
				      .buf = b,
				      .bytes = f->l->mir.buf[b].bytes };
	int rc;

	span->first = f->t->count;
	rc = move(f, &all, pieces);
	span->count = f->t->count - span->first;
	span->piece = span->count ? f->t->at[span->first].bytes : 0;
	return rc;
}

static int move_inputs(struct transfers *f)
{
	const struct value_list *inputs = &f->l->g->inputs;
	int rc = 0;

	for (size_t i = 0; i < inputs->n && !rc; i++) {
		rc = move_in(f, f->l->value[inputs->v[i]->id].buf, SLOT_WEIGHTS + 1 + (u32)i, 0,
			     TENSOR_PIECES_MAX);
	}
	return rc;
}

static int move_constants(struct transfers *f)
{
	const struct mir *m = &f->l->mir;
	int rc = 0;

	for (int b = 0; b < m->bufs && !rc; b++) {
		if (m->buf[b].kind == MIR_BUF_CONST)
			rc = move_in(f, b, SLOT_WEIGHTS, m->buf[b].slot_offset, PIECES_MAX);
	}
	return rc;
}

static int move_outputs(struct transfers *f)
{
	const struct graph *g = f->l->g;
	int rc = 0;

	for (size_t i = 0; i < g->outputs.n && !rc; i++) {
		const struct operand_at *at = &f->l->value[g->outputs.v[i]->id];
		const struct transfer all = { .dir = RONDO_DMA_OUT,
					      .slot = SLOT_WEIGHTS + 1 + (u32)(g->inputs.n + i),
					      .buf = at->buf,
					      .offset = at->layout.base,
					      .bytes = at->layout.bytes };

		rc = move(f, &all, TENSOR_PIECES_MAX);
	}
	return rc;
}

int transfers_make(struct lowering *l, struct transfer_list *t)
{
	struct transfers f = { .l = l, .t = t };
	int rc;

	*t = (struct transfer_list){ 0 };
	t->in = graph_alloc(l->g, (l->mir.bufs + 1) * sizeof(*t->in));
	if (!t->in)
		return l->g->err->code;
	rc = move_inputs(&f);
	if (!rc)
		rc = move_constants(&f);
	return rc ? rc : move_outputs(&f);
}

void transfers_print(const struct transfer_list *t, FILE *out)
{
	for (int i = 0; i < t->count; i++) {
		const struct transfer *x = &t->at[i];

		fprintf(out,
			"transfer t%d: channel %u %s slot %u+%" PRIu64 ", %" PRIu64
			" bytes, b%d+%" PRIu64 "\n",
			i, x->channel, x->dir == RONDO_DMA_IN ? "in from" : "out to", x->slot,
			x->slot_offset, x->bytes, x->buf, x->offset);
	}
}
