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
	TILE_PIECES = RONDO_DMA_CHANNELS, /* of a box, if a program may have so many transfers */
	TILE_PIECE_MIN = 16384, /* bytes, as of constants that tiles take in turn */
};

struct transfers {
	struct lowering *l;
	struct transfer_list *t;
	int next_channel;
	u64 tile_pieces; /* of a box, at most */
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

/* One row. */
static void set_row(struct transfer *x, u64 bytes)
{
	x->row = bytes;
	for (int d = 0; d < RONDO_DMA_DIMS; d++) {
		x->count[d] = 1;
		x->stride[d] = 0;
	}
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
		set_row(x, x->bytes);
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
		mir_buf b = f->l->value[inputs->v[i]->id].buf;

		if (b != MIR_NO_BUF)
			rc = move_in(f, b, SLOT_WEIGHTS + 1 + (u32)i, 0, TENSOR_PIECES_MAX);
	}
	return rc;
}

/* Those that come in well before they are used go over the channels in turn, not all at once. */
static u64 pieces_of_constants(const struct transfers *f, const struct mir_buffer *buf)
{
	u64 beside = (u64)buf->ahead + 1, pieces, most;

	if (beside <= 2)
		return f->tile_pieces < TILE_PIECES ? f->tile_pieces : PIECES_MAX;
	pieces = (RONDO_DMA_CHANNELS + beside - 1) / beside;
	most = (buf->bytes + TILE_PIECE_MIN - 1) / TILE_PIECE_MIN;
	return pieces < most ? pieces : most;
}

static int move_constants(struct transfers *f)
{
	const struct mir *m = &f->l->mir;
	int rc = 0;

	for (int b = 0; b < m->bufs && !rc; b++) {
		const struct mir_buffer *buf = &m->buf[b];

		if (buf->kind == MIR_BUF_CONST)
			rc = move_in(f, b, SLOT_WEIGHTS, buf->slot_offset,
				     pieces_of_constants(f, buf));
	}
	return rc;
}

/* ---- Boxes ----------------------------------------------------------------------------------- */

/* Rows @first to @end of the outermost dimension of box @t, as one transfer from @offset on. */
static void move_rows(struct transfers *f, const struct lower_transfer *t, s64 first, s64 end,
		      u64 offset, u64 bytes)
{
	const struct box_rows *r = &t->rows;
	struct transfer *x = &f->t->at[f->t->count++];

	*x = (struct transfer){ .dir = t->dir,
				.slot = t->slot,
				.slot_offset = t->slot_offset + (u64)(first * r->stride[0]),
				.buf = t->buf,
				.offset = offset,
				.bytes = bytes,
				.channel = (u8)(f->next_channel++ % RONDO_DMA_CHANNELS) };
	set_row(x, r->bytes);
	for (int d = 0; d < r->dims; d++) {
		x->count[RONDO_DMA_DIMS - r->dims + d] = (u32)r->count[d];
		x->stride[RONDO_DMA_DIMS - r->dims + d] = r->stride[d];
	}
	x->count[RONDO_DMA_DIMS - r->dims] = (u32)(end - first);
}

/* Cuts box @t along its outermost dimension into transfers for all channels. */
static int move_outermost(struct transfers *f, const struct lower_transfer *t, u64 offset,
			  u64 *piece)
{
	s64 rows = t->rows.count[0], each;
	u64 bytes = t->rows.bytes, pieces;

	for (int d = 1; d < t->rows.dims; d++)
		bytes *= (u64)t->rows.count[d];
	pieces = bytes * (u64)rows / TILE_PIECE_MIN + 1;
	pieces = pieces < f->tile_pieces ? pieces : f->tile_pieces;
	each = (rows + (s64)pieces - 1) / (s64)pieces;
	if (reserve(f, (int)pieces))
		return f->l->g->err->code;
	*piece = (u64)each * bytes;
	for (s64 at = 0; at < rows; at += each) {
		s64 end = rows - at < each ? rows : at + each;

		move_rows(f, t, at, end, offset + (u64)at * bytes, (u64)(end - at) * bytes);
	}
	return 0;
}

/* A descriptor has so many dimensions: those outside of them are transfers each. */
static int move_box(struct transfers *f, const struct lower_transfer *t, u64 offset, u64 *piece)
{
	struct lower_transfer inner = *t;
	u64 bytes = t->rows.bytes, ignored;
	int rc = 0;

	if (t->rows.dims <= RONDO_DMA_DIMS)
		return move_outermost(f, t, offset, piece);
	inner.rows.dims--;
	for (int d = 0; d < inner.rows.dims; d++) {
		inner.rows.count[d] = t->rows.count[d + 1];
		inner.rows.stride[d] = t->rows.stride[d + 1];
		bytes *= (u64)inner.rows.count[d];
	}
	*piece = f->l->mir.buf[t->buf].bytes;
	for (s64 i = 0; i < t->rows.count[0] && !rc; i++) {
		rc = move_box(f, &inner, offset + (u64)i * bytes, &ignored);
		inner.slot_offset += (u64)t->rows.stride[0];
	}
	return rc;
}

static int move_tile(struct transfers *f, const struct lower_transfer *t)
{
	const struct transfer all = { .dir = t->dir,
				      .slot = t->slot,
				      .slot_offset = t->slot_offset,
				      .buf = t->buf,
				      .offset = t->offset,
				      .bytes = t->rows.bytes };
	struct transfer_span *span = t->dir == RONDO_DMA_IN ? &f->t->in[t->buf] :
							      &f->t->out[t->buf];
	int rc;

	span->first = f->t->count;
	if (t->rows.dims)
		rc = move_box(f, t, t->offset, &span->piece);
	else
		rc = move(f, &all,
			  all.bytes / TILE_PIECE_MIN < f->tile_pieces ?
				  all.bytes / TILE_PIECE_MIN + 1 :
				  f->tile_pieces);
	span->count = f->t->count - span->first;
	if (!rc && !t->rows.dims)
		span->piece = f->t->at[span->first].bytes;
	return rc;
}

static int move_tiles(struct transfers *f)
{
	int rc = 0;

	for (int i = 0; i < f->l->transfers && !rc; i++)
		rc = move_tile(f, &f->l->transfer[i]);
	return rc;
}

/* ---- All ------------------------------------------------------------------------------------- */

static int move_outputs(struct transfers *f)
{
	const struct graph *g = f->l->g;
	int rc = 0;

	f->t->outputs = f->t->count;
	for (size_t i = 0; i < g->outputs.n && !rc; i++) {
		const struct operand_at *at = &f->l->value[g->outputs.v[i]->id];
		const struct transfer all = { .dir = RONDO_DMA_OUT,
					      .slot = SLOT_WEIGHTS + 1 + (u32)(g->inputs.n + i),
					      .buf = at->buf,
					      .offset = at->layout.base,
					      .bytes = at->layout.bytes };

		if (at->outside)
			continue;
		rc = move(f, &all, TENSOR_PIECES_MAX);
	}
	return rc;
}

static int move_all(struct transfers *f)
{
	struct transfer_list *t = f->t;
	struct graph *g = f->l->g;
	int rc;

	*t = (struct transfer_list){ 0 };
	t->in = graph_alloc(g, (f->l->mir.bufs + 1) * sizeof(*t->in));
	t->out = graph_alloc(g, (f->l->mir.bufs + 1) * sizeof(*t->out));
	if (!t->in || !t->out)
		return g->err->code;
	rc = move_inputs(f);
	if (!rc)
		rc = move_constants(f);
	if (!rc)
		rc = move_tiles(f);
	return rc ? rc : move_outputs(f);
}

int transfers_make(struct lowering *l, struct transfer_list *t)
{
	struct transfers f = { .l = l, .t = t, .tile_pieces = TILE_PIECES };
	int rc = move_all(&f);

	while (!rc && t->count > RONDO_DESCS_MAX && f.tile_pieces > 1) {
		f.tile_pieces /= 2;
		rc = move_all(&f);
	}
	return rc;
}

void transfers_print(const struct transfer_list *t, FILE *out)
{
	for (int i = 0; i < t->count; i++) {
		const struct transfer *x = &t->at[i];

		fprintf(out,
			"transfer t%d: channel %u %s slot %u+%" PRIu64 ", %" PRIu64
			" bytes, b%d+%" PRIu64,
			i, x->channel, x->dir == RONDO_DMA_IN ? "in from" : "out to", x->slot,
			x->slot_offset, x->bytes, x->buf, x->offset);
		for (int d = 0; d < RONDO_DMA_DIMS; d++) {
			if (x->count[d] > 1)
				fprintf(out, ", %u x %+" PRId64, x->count[d], x->stride[d]);
		}
		fprintf(out, "\n");
	}
}
