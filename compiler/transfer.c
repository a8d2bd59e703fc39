// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which bytes move, in which pieces.
 *
 * A channel moves 64 bytes a cycle, so what is large goes over all of them, in pieces of 4 KiB and
 * more: the first operations need only the first of them, and the first results can go out while
 * others are computed.
 *
 * If all constants stay in SRAM, they and the inputs come in early. What the first stage needs is
 * cut finer then, and pieces of constants do not end where those of a node do: there are four
 * transfers of a channel at most under way, so that small ones would leave it idle.
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
	ROW_BYTES = 3 * PIECE_ALIGN, /* that a row takes as long as, beside whole lines of it */
	TILE_PIECE_MIN = 8192, /* bytes */
	AHEAD_PIECE_MIN = 8192, /* bytes of a piece of constants that come in ahead */
	EARLY_PIECE = 4352, /* bytes: three of them take as long as the start of one */
	EARLY_PIECES_MAX = 128,
	EARLY_MIN = 512, /* bytes of one of four pieces of what comes in first */
	EARLY_OPENING = RONDO_DMA_CHANNELS * RONDO_DMA_OUTSTANDING, /* transfers, whose starts do
								     * not wait for any other */
};

struct transfers {
	struct lowering *l;
	struct transfer_list *t;
	int next_channel;
	bool early; /* constants and inputs come in before anything else */
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

/* @model is the whole of it; it is cut into at most @pieces of at least @least bytes. */
static int move_cut(struct transfers *f, const struct transfer *model, u64 pieces, u64 least)
{
	u64 piece = (model->bytes + pieces - 1) / pieces, at;

	piece = (piece + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
	if (piece < least)
		piece = least;
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

static int move(struct transfers *f, const struct transfer *model, u64 pieces)
{
	return move_cut(f, model, pieces, PIECE_MIN);
}

/* Fills all of buffer @b. */
static int move_in(struct transfers *f, mir_buf b, u32 slot, u64 slot_offset, u64 pieces, u64 least)
{
	struct transfer_span *span = &f->t->in[b];
	const struct transfer all = { .dir = RONDO_DMA_IN,
				      .slot = slot,
				      .slot_offset = slot_offset,
				      .buf = b,
				      .bytes = f->l->mir.buf[b].bytes };
	int rc;

	span->first = f->t->count;
	rc = move_cut(f, &all, pieces, least);
	span->count = f->t->count - span->first;
	return rc;
}

static int move_input(struct transfers *f, size_t i, mir_buf b)
{
	u32 slot = SLOT_WEIGHTS + 1 + (u32)i;

	if (f->early && f->l->mir.buf[b].bytes <= RONDO_DMA_CHANNELS * PIECE_MIN)
		return move_in(f, b, slot, 0, RONDO_DMA_CHANNELS, EARLY_MIN);
	return move_in(f, b, slot, 0, TENSOR_PIECES_MAX, PIECE_MIN);
}

static bool is_touched(const struct mir *m, mir_buf b)
{
	for (int i = 0; i < m->items; i++) {
		if (m->item[i].kind == MIR_OP && m->item[i].ref.buf == b)
			return true;
	}
	return false;
}

/* Those that operations touch, or the others. */
static int move_inputs(struct transfers *f, bool touched)
{
	const struct value_list *inputs = &f->l->g->inputs;
	int rc = 0;

	for (size_t i = 0; i < inputs->n && !rc; i++) {
		mir_buf b = f->l->value[inputs->v[i]->id].buf;

		if (b != MIR_NO_BUF && is_touched(&f->l->mir, b) == touched)
			rc = move_input(f, i, b);
	}
	return rc;
}

/*
 * Those that come in well before they are used go over all channels as a box does, and small ones
 * over the channels in turn: so the first of them are there early, and no channel has more than
 * one.
 */
static u64 pieces_of_constants(const struct transfers *f, const struct mir_buffer *buf)
{
	u64 most = buf->bytes / AHEAD_PIECE_MIN + 1;

	if (buf->ahead < 2)
		return f->tile_pieces < TILE_PIECES ? f->tile_pieces : PIECES_MAX;
	return most < f->tile_pieces ? most : f->tile_pieces;
}

/*
 * The first ones that come in ahead: nobody has anything to do before some of them are there, so
 * that what comes first goes over all channels by itself.
 */
static int move_first(struct transfers *f, mir_buf b)
{
	const struct mir_buffer *buf = &f->l->mir.buf[b];
	struct transfer_span *span = &f->t->in[b];
	struct transfer part = { .dir = RONDO_DMA_IN,
				 .slot = SLOT_WEIGHTS,
				 .slot_offset = buf->slot_offset,
				 .buf = b,
				 .bytes = RONDO_DMA_CHANNELS * PIECE_MIN };
	int rc;

	if (buf->bytes <= part.bytes)
		return move_in(f, b, SLOT_WEIGHTS, buf->slot_offset, RONDO_DMA_CHANNELS, PIECE_MIN);
	span->first = f->t->count;
	rc = move(f, &part, RONDO_DMA_CHANNELS);
	part.slot_offset += part.bytes;
	part.offset = part.bytes;
	part.bytes = buf->bytes - part.bytes;
	if (!rc)
		rc = move(f, &part, pieces_of_constants(f, buf));
	span->count = f->t->count - span->first;
	return rc;
}

static int move_constants(struct transfers *f)
{
	const struct mir *m = &f->l->mir;
	bool first = true;
	int rc = 0;

	for (int b = 0; b < m->bufs && !rc; b++) {
		const struct mir_buffer *buf = &m->buf[b];

		if (buf->kind != MIR_BUF_CONST)
			continue;
		if (buf->ahead >= 2 && first)
			rc = move_first(f, b);
		else
			rc = move_in(f, b, SLOT_WEIGHTS, buf->slot_offset,
				     pieces_of_constants(f, buf), PIECE_MIN);
		first &= buf->ahead < 2;
	}
	return rc;
}

/* ---- What stays ------------------------------------------------------------------------------ */

static bool is_resident(const struct transfers *f, mir_buf b)
{
	const struct mir_buffer *buf = &f->l->mir.buf[b];

	return buf->kind == MIR_BUF_CONST && buf->bytes;
}

/* The constants that lie at byte @at of the slot: there are no gaps. */
static mir_buf resident_at(const struct transfers *f, u64 at)
{
	mir_buf b = 0;

	while (!is_resident(f, b) || at < f->l->mir.buf[b].slot_offset ||
	       at >= f->l->mir.buf[b].slot_offset + f->l->mir.buf[b].bytes)
		b++;
	return b;
}

/* Bytes [@lo, @hi) of constants that stay, whosever they are, in at most @pieces. */
static int move_resident(struct transfers *f, u64 lo, u64 hi, u64 pieces, u64 least)
{
	const struct transfer all = {
		.dir = RONDO_DMA_IN, .slot = SLOT_WEIGHTS, .slot_offset = lo, .bytes = hi - lo
	};
	int first = f->t->count, rc = move_cut(f, &all, pieces, least);

	for (int i = first; i < f->t->count && !rc; i++) {
		struct transfer *x = &f->t->at[i];

		x->buf = resident_at(f, x->slot_offset);
		x->offset = x->slot_offset - f->l->mir.buf[x->buf].slot_offset;
	}
	return rc;
}

/* The transfers from @first on, of all constants that stay, that bring some of buffer @b. */
static void find_span(struct transfers *f, mir_buf b, int first)
{
	const struct mir_buffer *buf = &f->l->mir.buf[b];
	struct transfer_span *span = &f->t->in[b];

	for (int i = first; i < f->t->count; i++) {
		const struct transfer *x = &f->t->at[i];

		if (x->slot != SLOT_WEIGHTS || x->slot_offset + x->bytes <= buf->slot_offset ||
		    x->slot_offset >= buf->slot_offset + buf->bytes)
			continue;
		if (!span->count)
			span->first = i;
		span->count++;
	}
}

/* How many of the constants the first stage needs: up to the end of those of a node. */
static u64 head_of(const struct transfers *f)
{
	u64 head = f->l->resident;

	for (mir_buf b = 0; b < f->l->mir.bufs; b++) {
		const struct mir_buffer *buf = &f->l->mir.buf[b];
		bool scalars = f->l->n_scalars && b == f->l->scalars;

		if (is_resident(f, b) && !scalars && buf->slot_offset + buf->bytes < head)
			head = buf->slot_offset + buf->bytes;
	}
	return head <= RONDO_DMA_CHANNELS * EARLY_PIECE ? head : 0;
}

/*
 * Bytes of each further piece of constants. Those that start at once keep the channels busy until
 * the next ones, which start when the first have ended, are under way.
 */
static u64 opening_piece(const struct transfers *f, u64 left)
{
	const struct rondo_machine *m = f->l->machine;
	u64 pieces = EARLY_OPENING - (u64)f->t->count, busy = 0, idle;

	for (int i = RONDO_DMA_CHANNELS; i < f->t->count; i += RONDO_DMA_CHANNELS)
		busy += f->t->at[i].bytes / m->dma_bytes_per_cycle + m->dma_row_cycles;
	idle = m->dma_startup > busy ? m->dma_startup - busy : 0;
	idle = idle * RONDO_DMA_CHANNELS / pieces;
	idle = idle > m->dma_row_cycles ? idle - m->dma_row_cycles : 0;
	idle *= m->dma_bytes_per_cycle;
	left = (left + pieces - 1) / pieces;
	left = (left + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
	return left < idle ? left : idle;
}

/* Constants from byte @at on, which come behind all else. */
static int move_others(struct transfers *f, u64 at)
{
	u64 left = f->l->resident - at, piece, opening;
	int rc = 0;

	if (f->t->count < EARLY_OPENING) {
		piece = opening_piece(f, left);
		piece = piece > EARLY_MIN ? piece : EARLY_MIN;
		opening = piece * (EARLY_OPENING - (u64)f->t->count);
		opening = opening < left ? opening : left;
		rc = move_resident(f, at, at + opening, EARLY_OPENING, piece);
		at += opening;
		left -= opening;
	}
	return rc || !left ? rc : move_resident(f, at, at + left, EARLY_PIECES_MAX, EARLY_PIECE);
}

/*
 * The first stage needs its weights before the whole of its input: they are loaded into the matrix
 * unit row by row.
 */
static int move_early(struct transfers *f)
{
	u64 head = head_of(f);
	int rc = 0;

	if (head)
		rc = move_resident(f, 0, head, RONDO_DMA_CHANNELS, EARLY_MIN);
	if (!rc)
		rc = move_inputs(f, true);
	if (!rc && head < f->l->resident)
		rc = move_others(f, head);
	f->t->early = f->t->count;
	for (mir_buf b = 0; b < f->l->mir.bufs && !rc; b++) {
		if (is_resident(f, b))
			find_span(f, b, 0);
	}
	return rc;
}

/* ---- Boxes ----------------------------------------------------------------------------------- */

/* The loops around the start of @t, which is of a group or of none. */
static void set_loops(const struct transfers *f, const struct lower_transfer *t, struct transfer *x)
{
	const struct lower_group *g;

	if (t->group == MIR_NO_GROUP)
		return;
	g = &f->l->group[t->group];
	x->loops = g->loops;
	memcpy(x->trips, g->trips, sizeof(x->trips));
	memcpy(x->loop_stride, t->loop_stride, sizeof(x->loop_stride));
}

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
				.alone = t->alone,
				.channel = (u8)(f->next_channel++ % RONDO_DMA_CHANNELS) };
	set_row(x, r->bytes);
	set_loops(f, t, x);
	for (int d = 0; d < r->dims; d++) {
		x->count[RONDO_DMA_DIMS - r->dims + d] = (u32)r->count[d];
		x->stride[RONDO_DMA_DIMS - r->dims + d] = r->stride[d];
	}
	x->count[RONDO_DMA_DIMS - r->dims] = (u32)(end - first);
}

/* Cuts box @t along its outermost dimension into transfers for all channels. */
static int move_outermost(struct transfers *f, const struct lower_transfer *t, u64 offset)
{
	s64 rows = t->rows.count[0], each;
	u64 bytes = t->rows.bytes, pieces;

	for (int d = 1; d < t->rows.dims; d++)
		bytes *= (u64)t->rows.count[d];
	/* Short rows take longer than their bytes. */
	pieces = bytes / t->rows.bytes * (u64)rows *
			 (t->rows.bytes / PIECE_ALIGN * PIECE_ALIGN + ROW_BYTES) / TILE_PIECE_MIN +
		 1;
	pieces = pieces < f->tile_pieces ? pieces : f->tile_pieces;
	each = (rows + (s64)pieces - 1) / (s64)pieces;
	if (reserve(f, (int)pieces))
		return f->l->g->err->code;
	for (s64 at = 0; at < rows; at += each) {
		s64 end = rows - at < each ? rows : at + each;

		move_rows(f, t, at, end, offset + (u64)at * bytes, (u64)(end - at) * bytes);
	}
	return 0;
}

/* A descriptor has so many dimensions: those outside of them are transfers each. */
static int move_box(struct transfers *f, const struct lower_transfer *t, u64 offset)
{
	struct lower_transfer inner = *t;
	u64 bytes = t->rows.bytes;
	int rc = 0;

	if (t->rows.dims <= RONDO_DMA_DIMS)
		return move_outermost(f, t, offset);
	inner.rows.dims--;
	for (int d = 0; d < inner.rows.dims; d++) {
		inner.rows.count[d] = t->rows.count[d + 1];
		inner.rows.stride[d] = t->rows.stride[d + 1];
		bytes *= (u64)inner.rows.count[d];
	}
	for (s64 i = 0; i < t->rows.count[0] && !rc; i++) {
		rc = move_box(f, &inner, offset + (u64)i * bytes);
		inner.slot_offset += (u64)t->rows.stride[0];
	}
	return rc;
}

/* Appends what moves @t. */
static int move_tile(struct transfers *f, const struct lower_transfer *t)
{
	struct transfer all = { .dir = t->dir,
				.slot = t->slot,
				.slot_offset = t->slot_offset,
				.buf = t->buf,
				.offset = t->offset,
				.alone = t->alone,
				.bytes = t->rows.bytes };
	u64 pieces = all.bytes / TILE_PIECE_MIN + 1;

	if (t->rows.dims)
		return move_box(f, t, t->offset);
	set_loops(f, t, &all);
	return move(f, &all, pieces < f->tile_pieces ? pieces : f->tile_pieces);
}

/* What is of no group: all of a buffer, or what takes it out. */
static int move_tiles(struct transfers *f)
{
	int rc = 0;

	for (int i = 0; i < f->l->transfers && !rc; i++) {
		const struct lower_transfer *t = &f->l->transfer[i];
		struct transfer_span *span = t->dir == RONDO_DMA_IN ? &f->t->in[t->buf] :
								      &f->t->out[t->buf];

		if (t->group != MIR_NO_GROUP)
			continue;
		span->first = f->t->count;
		rc = move_tile(f, t);
		span->count = f->t->count - span->first;
	}
	return rc;
}

static int move_groups(struct transfers *f)
{
	int rc = 0;

	for (int g = 0; g < f->l->groups && !rc; g++) {
		struct transfer_span *span = &f->t->group[g];

		span->first = f->t->count;
		for (int i = f->l->group[g].first; i >= 0 && !rc; i = f->l->transfer[i].next)
			rc = move_tile(f, &f->l->transfer[i]);
		span->count = f->t->count - span->first;
	}
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
	t->group = graph_alloc(g, (size_t)(f->l->groups + 1) * sizeof(*t->group));
	if (!t->in || !t->out || !t->group)
		return g->err->code;
	f->early = f->l->resident && !f->l->transfers;
	rc = f->early ? move_early(f) : move_inputs(f, true);
	if (!rc)
		rc = move_inputs(f, false);
	if (!rc && !f->early)
		rc = move_constants(f);
	if (!rc)
		rc = move_tiles(f);
	if (!rc)
		rc = move_groups(f);
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

/* Where @x begins in its slot, at the trips of each loop and row that are least, or greatest. */
static u64 slot_end(const struct transfer *x, bool greatest)
{
	u64 at = x->slot_offset;

	for (int d = 0; d < RONDO_DMA_DIMS; d++) {
		if ((x->stride[d] > 0) == greatest)
			at += (u64)((s64)(x->count[d] - 1) * x->stride[d]);
	}
	for (int d = 0; d < x->loops; d++) {
		if ((x->loop_stride[d] > 0) == greatest)
			at += (u64)((s64)(x->trips[d] - 1) * x->loop_stride[d]);
	}
	return at;
}

u64 transfer_slot_lo(const struct transfer *x)
{
	return slot_end(x, false);
}

u64 transfer_slot_hi(const struct transfer *x)
{
	return slot_end(x, true) + x->row;
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
		for (int d = 0; d < x->loops; d++)
			fprintf(out, ", loop %" PRIu64 " x %+" PRId64, x->trips[d],
				x->loop_stride[d]);
		fprintf(out, "\n");
	}
}
