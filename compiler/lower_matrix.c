// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Conv and Linear: products on the matrix unit.
 *
 * For each column tile (N) and strip of pixels, and for each push of K: its weight rows into one of
 * the two buffers, then one push per pixel, each into its own accumulator row; then one
 * requantising store per pixel, which adds the bias and clamps. All these are kernels that stand
 * one after the other; the stream lets weights be loaded beside the pushes of the tile before, and
 * stores follow the last pushes. Where there are very many tiles, they are a repetition.
 *
 * A tile that takes a part of the reduced dimensions (plan.cut_sums) does this without the stores,
 * or adds to what the tile before has left in the accumulators; so each of its column tiles has
 * rows of its own there.
 */
#include <errno.h>

#include "compiler/lower.h"
#include "compiler/lower_quantised.h"
#include "compiler/plan_cost.h"

enum { OUTER_MAX = 4, PIXEL_Y = 0, PIXEL_X = 1, BYTES = 4 };

/* An operand in SRAM with the bytes that each dimension of the domain moves it by. */
struct moved {
	mir_buf buf; /* MIR_NO_BUF: there is none */
	s64 base; /* byte at the domain's first point */
	s64 stride[STAGE_DIMS];
	s64 loop[RONDO_DMA_LOOP_DEPTH]; /* by which the open loops of tiles move it, too */
};

struct product {
	const struct stage *s;
	const struct plan *plan;
	struct moved x, w, y, bias;
	bool integer; /* of bytes, in s32 */
	bool narrow; /* of bf16 */
	enum rondo_opcode push;
	struct quantised_product q; /* what that needs */
	int x_element, element; /* bytes of one of the input, and of the result */
	bool spreads; /* the weights of several pixels come in once: plan_spreads(), */
	bool slides; /* or are there once: plan_slides() */
	struct plan_slide slide;
	bool packed; /* the weights of a column tile are dense, one tile behind the other, */
	s64 columns, column_origin; /* of all columns of the stage, from that one of the tile on */
	struct lower_piece
		*piece; /* of the weights of a column tile; NULL: all are in one buffer */
	int pieces;
	const s64 *pixels; /* rows, pixels of a row */
	bool begins, ends; /* the sums; else they are in the accumulators before, or stay there */
	u16 row; /* of the accumulators, where the sums of the column tile begin */
	int pixel, column; /* dimensions: y, and o */
	s64 trip[OUTER_MAX]; /* of the outer dimensions that are no loops */
	int tiles; /* loops of tiles around all */
};

/* Adds the strides of the outer dimensions that are loops, and the place of the others. */
static struct mir_ref outer_ref(const struct product *p, const struct moved *a, s64 offset)
{
	struct mir_ref ref = mir_ref(a->buf, a->base + offset);
	int d;

	for (d = 0; d < p->tiles; d++)
		ref.stride[d] = (s32)a->loop[d];
	for (d = 0; d < p->plan->outer; d++) {
		if (d < p->plan->looped)
			ref.stride[p->tiles + d] = (s32)a->stride[d];
		else
			ref.offset += p->trip[d] * a->stride[d];
	}
	return ref;
}

/* Bytes from the first pixel to pixel (x, y). */
static s64 pixel_offset(const struct product *p, const struct moved *a, const s64 at[2])
{
	return at[PIXEL_Y] * a->stride[p->pixel + PIXEL_Y] +
	       at[PIXEL_X] * a->stride[p->pixel + PIXEL_X];
}

/* Columns of one pixel; those of the next follow. */
static s64 own_columns(const struct product *p)
{
	return p->s->size[p->column] / stage_pixels(p->s);
}

/* The bias of columns [n, ...), in f32: the same for all pixels. */
static struct mir_ref bias_ref(const struct product *p, s64 n)
{
	s64 own = own_columns(p);
	struct mir_ref ref = outer_ref(p, &p->bias, n % own * p->bias.stride[p->column]);

	if (stage_pixels(p->s) > 1)
		ref.seg_len = (u16)own;
	return ref;
}

/* Loads the parameters of the store for columns [n, n + lanes): of rq_f32 bias, low, high. */
static vreg load_params(struct lowering *l, const struct product *p, s64 n, int lanes)
{
	struct mir *m = &l->mir;
	vreg params = mir_vreg3(m);
	const float bounds[] = { p->s->lo, p->s->hi };
	int i;

	for (i = 0; i < 3 && p->integer; i++) {
		struct mir_ref one = p->q.parameters;

		one.offset += p->q.part[i];
		if (p->q.one[i])
			mir_load_part(m, params, i, RONDO_OP_ldb_w, one, lanes);
		else
			mir_load_part(m, params, i, RONDO_OP_ld_w,
				      outer_ref(p, &p->bias, p->q.part[i] + n * BYTES), lanes);
	}
	if (p->integer)
		return params;
	if (p->bias.buf == MIR_NO_BUF)
		mir_load_part(m, params, 0, RONDO_OP_ldb_w, lower_scalar(l, 0), lanes);
	else
		mir_load_part(m, params, 0, RONDO_OP_ld_w, bias_ref(p, n), lanes);
	for (i = 0; i < 2; i++)
		mir_load_part(m, params, 1 + i, RONDO_OP_ldb_w, lower_scalar(l, bounds[i]), lanes);
	return params;
}

/* What does not change from strip to strip of one column tile. */
struct column_tile {
	s64 n;
	int lanes;
	vreg params;
	bool has_params;
	int loaded; /* the only push of K, whose weights a buffer has; or -1 */
	int buffer; /* where the next weights go, in turn with the other one */
};

static s64 total_rows(const struct product *p)
{
	const struct tile_k *last = &p->plan->k.k[p->plan->k.n - 1];

	return last->row + last->count;
}

/* Bytes of the weights of a column tile before push @k. */
static s64 bytes_before(const struct product *p, const struct column_tile *t, int k)
{
	s64 rows = k < p->plan->k.n ? p->plan->k.k[k].row : total_rows(p);

	return rows * t->lanes * BYTES;
}

/* Where packed weights of the column tile begin, from the first ones of the matrix on. */
static s64 packed_columns(const struct product *p, const struct column_tile *t)
{
	return (p->column_origin + t->n) * total_rows(p) * BYTES;
}

/* The weights of push @k, which may have to come in first. */
static struct mir_ref piece_ref(struct lowering *l, const struct product *p,
				const struct column_tile *t, int k)
{
	struct lower_piece *piece = p->piece;
	s64 at;

	while (k >= piece->end)
		piece++;
	at = bytes_before(p, t, piece->first);
	if (piece->buf == MIR_NO_BUF) {
		s64 from = outer_ref(p, &p->w, packed_columns(p, t) + at).offset;

		if (!p->plan->cut_sums) /* else the tile is one step */
			mir_step(&l->mir);
		piece->buf = lower_piece(l, (u64)from, (u64)(bytes_before(p, t, piece->end) - at),
					 p->plan->ahead, p->w.loop);
	}
	return mir_ref(piece->buf, bytes_before(p, t, k) - at);
}

/* The row of the first pixel of the column tile, from which those of the others lie behind. */
static struct mir_ref slide_ref(const struct product *p, const struct column_tile *t, int k)
{
	const struct plan_slide *s = &p->slide;
	s64 row = s->before + p->plan->k.k[k].point - t->n / s->columns * s->step;
	struct mir_ref ref = outer_ref(p, &p->w, row * s->columns * BYTES);

	if (t->lanes > s->columns) {
		ref.seg_len = (u16)s->columns;
		ref.seg_stride = (s32)(-s->step * s->columns * BYTES);
	}
	return ref;
}

/* The first weight row of push @k; *@pitch: bytes from row to row. */
static struct mir_ref weights_ref(struct lowering *l, const struct product *p,
				  const struct column_tile *t, int k, s64 *pitch)
{
	*pitch = p->packed ? t->lanes * BYTES : p->w.stride[p->s->dims - 1];
	if (p->slides) {
		*pitch = p->slide.columns * BYTES;
		return slide_ref(p, t, k);
	}
	if (p->piece)
		return piece_ref(l, p, t, k);
	if (p->packed)
		return outer_ref(p, &p->w, packed_columns(p, t) + bytes_before(p, t, k));
	return outer_ref(p, &p->w, t->n * BYTES + p->plan->k.k[k].point * *pitch);
}

/* Weight rows of push @k into the next buffer. */
static void load_weights(struct lowering *l, const struct product *p, int k, struct column_tile *t)
{
	const struct tile_k *tile = &p->plan->k.k[k];
	struct mir *m = &l->mir;
	struct mir_item *item;
	s64 pitch;
	struct mir_ref ref = weights_ref(l, p, t, k, &pitch);
	/* Those that slide lie in the order of the window, the others in that of the pushes. */
	s64 together = p->slides && tile->pitch != tile->width ? tile->width : tile->count;
	int outer = mir_loop(m, (u64)(tile->count / together));
	int depth = mir_loop(m, (u64)together);

	ref.stride[outer] = (s32)(tile->pitch * pitch);
	ref.row_stride[outer] = (s32)together;
	ref.stride[depth] = (s32)pitch;
	ref.row_stride[depth] = 1;
	t->buffer ^= 1;
	item = mir_op(m, p->integer ? RONDO_OP_wl_s8 : RONDO_OP_wl_w);
	item->ref = ref;
	item->op.zp = p->integer ? p->q.weight_zero : 0;
	item->op.count = (u8)t->lanes;
	item->op.buf = (u8)t->buffer;
	mir_end(m);
	mir_end(m);
}

/* Opens the loops over @h rows of @w pixels; rows of the accumulator file follow the pixels. */
static void open_pixels(struct mir *m, struct mir_ref *ref, s64 w, s64 h, const s64 step[2])
{
	int y = mir_loop(m, h), x = mir_loop(m, w);

	ref->stride[y] = step[PIXEL_Y];
	ref->stride[x] = step[PIXEL_X];
	ref->row_stride[y] = w;
	ref->row_stride[x] = 1;
}

static void close_pixels(struct mir *m)
{
	mir_end(m);
	mir_end(m);
}

static void push_pixels(struct lowering *l, const struct product *p, int k, int buffer,
			struct mir_ref ref, s64 w, s64 h)
{
	const struct tile_k *tile = &p->plan->k.k[k];
	struct mir_item *item;

	ref.offset += tile->offset;
	ref.seg_len = tile->seg_len;
	ref.seg_stride = tile->seg_stride;
	open_pixels(&l->mir, &ref, w, h, &p->x.stride[p->pixel]);
	item = mir_op(&l->mir, p->push);
	item->ref = ref;
	item->op.count = tile->count;
	item->op.row = p->row;
	item->op.buf = (u8)buffer;
	/* The first push writes, the others add; to what is there already, all do. */
	item->op.mode = k == 0 && p->begins && !p->q.preset;
	close_pixels(&l->mir);
}

/* Lets the columns of a store be where they belong. */
static void set_pattern(const struct product *p, struct mir_ref *ref)
{
	const s64 *pixels = p->s->pixels, *stride = &p->y.stride[p->pixel];
	s64 own = own_columns(p);
	bool behind = stride[PIXEL_X] == pixels[PIXEL_X] * own * p->element;

	if (p->y.stride[p->column] != p->element) {
		ref->seg_len = 1;
		ref->seg_stride = (s32)p->y.stride[p->column];
	} else if (pixels[PIXEL_X] > 1 && !behind) {
		ref->seg_len = (u16)own;
		ref->seg_stride = (s32)(stride[PIXEL_X] / pixels[PIXEL_X]);
	} else if (pixels[PIXEL_Y] > 1) {
		ref->seg_len = (u16)(pixels[PIXEL_X] * own);
		ref->seg_stride = (s32)(stride[PIXEL_Y] / pixels[PIXEL_Y]);
	}
}

/* The first of the rows of accumulators that are to be stored to @to, which advances by them. */
static vreg take_row(struct mir *m, u16 first, const struct mir_ref *to, vreg params, int lanes)
{
	struct mir_item *item = mir_op(m, RONDO_OP_rdq_f32);
	vreg row = mir_vreg(m);

	memcpy(item->ref.row_stride, to->row_stride, sizeof(to->row_stride));
	item->dst = row;
	item->params = params;
	item->op.row = first;
	item->op.count = (u8)lanes;
	return row;
}

/* Through a register: rows of the accumulators are not stored as bf16. */
static void store_narrow(struct mir *m, u16 first, struct mir_ref to, vreg params, int lanes)
{
	vreg row = take_row(m, first, &to, params, lanes);

	memset(to.row_stride, 0, sizeof(to.row_stride));
	mir_store_as(m, RONDO_OP_st_bf16, row, to, lanes);
}

/* Each of several pixels that lie in the lanes by itself: its columns are far from each other. */
static void store_apart(struct mir *m, const struct product *p, struct mir_ref to, vreg params,
			int lanes)
{
	const s64 *pixels = p->s->pixels, *stride = &p->y.stride[p->pixel];
	s64 own = own_columns(p), all = stage_pixels(p->s);
	vreg row = take_row(m, p->row, &to, params, lanes);

	memset(to.row_stride, 0, sizeof(to.row_stride));
	for (s64 i = 0; i < all; i++) {
		struct mir_ref ref = to;

		ref.offset += i / pixels[PIXEL_X] * (stride[PIXEL_Y] / pixels[PIXEL_Y]) +
			      i % pixels[PIXEL_X] * (stride[PIXEL_X] / pixels[PIXEL_X]);
		mir_store_lanes(m, row, ref, (int)(i * own), (int)own);
	}
}

static void store_pixels(struct lowering *l, const struct product *p, struct mir_ref ref, s64 w,
			 s64 h, vreg params, int lanes)
{
	bool apart = stage_pixels(p->s) > 1 && p->y.stride[p->column] != p->element;
	struct mir_item *item;

	set_pattern(p, &ref);
	open_pixels(&l->mir, &ref, w, h, &p->y.stride[p->pixel]);
	if (p->s->narrows || apart) {
		if (apart)
			store_apart(&l->mir, p, ref, params, lanes);
		else
			store_narrow(&l->mir, p->row, ref, params, lanes);
		close_pixels(&l->mir);
		return;
	}
	item = mir_op(&l->mir, p->integer ? p->q.store : RONDO_OP_stq_f32);
	item->ref = ref;
	item->params = p->integer && p->q.store == RONDO_OP_sta ? VREG_NONE : params;
	item->op.row = p->row;
	item->op.count = lanes;
	close_pixels(&l->mir);
}

/* Sums that nothing requantises begin with the correction of their column. */
static void preset_pixels(struct lowering *l, const struct product *p, s64 n, s64 w, s64 h,
			  int lanes)
{
	struct mir_ref ref = outer_ref(p, &p->bias, n * BYTES);
	struct mir_item *item;

	open_pixels(&l->mir, &ref, w, h, (s64[]){ 0, 0 });
	item = mir_op(&l->mir, RONDO_OP_preset);
	item->ref = ref;
	item->op.row = p->row;
	item->op.count = (u8)lanes;
	close_pixels(&l->mir);
}

/* The pieces of weights come in again. */
static void forget_pieces(const struct product *p)
{
	for (int i = 0; i < p->pieces; i++)
		p->piece[i].buf = MIR_NO_BUF;
}

/* Whether the weights of a column tile stay for all its strips. */
static bool weights_stay(const struct product *p, const struct column_tile *t)
{
	return p->plan->columns_first ||
	       bytes_before(p, t, p->plan->k.n) * 2 <= (s64)p->plan->piece * (p->plan->ahead + 1);
}

/* A strip of @h rows of @w pixels from pixel @at on; @loop: the depth of a loop over strips, or -1.
 */
static void strip(struct lowering *l, const struct product *p, struct column_tile *t,
		  const s64 at[2], s64 w, s64 h, int loop)
{
	struct mir_ref from, to;
	int k;

	from = outer_ref(p, &p->x, pixel_offset(p, &p->x, at));
	to = outer_ref(p, &p->y, pixel_offset(p, &p->y, at) + t->n * p->y.stride[p->column]);
	if (loop >= 0) {
		from.stride[loop] = (s32)(h * p->x.stride[p->pixel]);
		to.stride[loop] = (s32)(h * p->y.stride[p->pixel]);
	}
	if (p->q.preset && p->begins)
		preset_pixels(l, p, t->n, w, h, t->lanes);
	if (!weights_stay(p, t))
		forget_pieces(p);
	for (k = 0; k < p->plan->k.n; k++) {
		if (t->loaded != k)
			load_weights(l, p, k, t);
		push_pixels(l, p, k, t->buffer, from, w, h);
	}
	t->loaded = p->plan->k.n == 1 ? 0 : -1;
	if (!p->ends)
		return;
	if (!t->has_params && !p->q.preset)
		t->params = load_params(l, p, t->n, t->lanes);
	t->has_params = true;
	store_pixels(l, p, to, w, h, t->params, t->lanes);
}

/* @rows rows of @w pixels from column @x on, in strips of @h rows. */
static void strips(struct lowering *l, const struct product *p, struct column_tile *t, s64 x, s64 w,
		   s64 h)
{
	s64 rows = p->pixels[PIXEL_Y], y = 0, full = rows / h;

	if (!p->plan->unrolled && full > 1) {
		int depth;

		if (!p->q.preset)
			t->params = load_params(l, p, t->n, t->lanes);
		t->has_params = true;
		t->loaded = -1;
		depth = mir_loop(&l->mir, full);
		strip(l, p, t, (s64[]){ 0, x }, w, h, depth);
		mir_end(&l->mir);
		y = full * h;
		t->loaded = -1;
	}
	for (; y < rows; y += h)
		strip(l, p, t, (s64[]){ y, x }, w, rows - y < h ? rows - y : h, -1);
}

static void column_tile(struct lowering *l, struct product *p, s64 n)
{
	const struct tile_strip *s = &p->plan->strip;
	s64 width = p->pixels[PIXEL_X], left = p->s->size[p->column] - n, x, at;
	struct column_tile t = { .n = n, .loaded = -1, .buffer = l->weight_buffer };

	t.lanes = (int)(left < l->machine->lanes ? left : l->machine->lanes);
	at = outer_ref(p, &p->w, packed_columns(p, &t)).offset;
	if (l->tile.column != at)
		forget_pieces(p);
	l->tile.column = at;
	for (x = 0; x < width; x += s->w)
		strips(l, p, &t, x, width - x < s->w ? width - x : s->w, s->h);
	l->weight_buffer = t.buffer;
	if (p->plan->cut_sums)
		p->row += (u16)(width * p->pixels[PIXEL_Y]);
}

/*
 * The outer dimensions from number @d on, which are no loops, and what is in them. A row of fewer
 * columns takes as long to load as any other, but comes in sooner: where weights come in by pieces,
 * those of the narrow tile are first, and transfers get ahead.
 */
static void unrolled_outer(struct lowering *l, struct product *p, int d)
{
	s64 lanes = l->machine->lanes, columns, rest;

	if (d < p->plan->outer) {
		for (p->trip[d] = 0; p->trip[d] < p->s->size[d]; p->trip[d]++)
			unrolled_outer(l, p, d + 1);
		return;
	}
	columns = p->s->size[p->column];
	rest = p->plan->piece && columns > lanes ? columns % lanes : 0;
	if (rest)
		column_tile(l, p, columns - rest);
	for (s64 n = 0; n < columns - rest; n += lanes)
		column_tile(l, p, n);
}

static void lower_product(struct lowering *l, struct product *p)
{
	int d;

	/* Where weights may be late, the first of them are not to stop the stage before. */
	if (!l->plans->settled && !(l->tile.active && l->tile.begun))
		l->weight_buffer = 0;
	l->tile.begun = true;
	for (d = 0; d < p->plan->looped; d++)
		mir_loop(&l->mir, p->s->size[d]);
	unrolled_outer(l, p, d);
	for (d = 0; d < p->plan->looped; d++)
		mir_end(&l->mir);
}

/* ---- Operands ---------------------------------------------------------------------------------
 */

/* @local: its buffer has what the tile needs and no more. */
static struct moved moved_by(const struct lowering *l, const struct stage *s,
			     const struct stage_access *a, const struct operand_at *at, bool local)
{
	struct moved m = { .buf = at->buf, .base = plan_base(a, &at->layout) };

	for (int d = 0; d < s->dims; d++)
		m.stride[d] = plan_stride(a, &at->layout, d);
	if (l->roll.active && !local)
		lower_roll_strides(l, a, &at->layout, m.loop);
	return m;
}

/* Input @i of the stage, in SRAM. */
static struct moved input_of(struct lowering *l, const struct stage *s, const struct plan *plan,
			     int i)
{
	bool tile = l->tile.active && l->tile.in[i].buf != MIR_NO_BUF;
	struct operand_at at = lower_input(l, s, plan, i);

	return moved_by(l, s, &s->in[i], &at, tile && l->tile.local[i]);
}

/* The constant weights of all of a product while they are packed, in containers. */
struct packing {
	const struct stage *s; /* all of it, not a tile */
	const struct tile_ks *ks;
	s64 size[3]; /* of the reduced dimensions */
	s64 stride[STAGE_DIMS]; /* of what it comes from */
	s64 rows, columns;
	s64 own; /* columns of each of several pixels of floats, or 0 */
	bool slides; /* in the order of the window, behind so many rows: */
	s64 before;
	u32 nothing; /* of which each container is this */
	int lanes;
	u32 *to;
};

/* Where (row, column) of a matrix is, packed in column tiles. */
static s64 packed_at(const struct packing *k, s64 row, s64 column)
{
	s64 n = column / k->lanes * k->lanes, left = k->columns - n;

	return n * k->rows + row * (left < k->lanes ? left : k->lanes) + column - n;
}

/* Column @o of several pixels of floats for a tap; it is absent beside its own window. */
static u32 own_weight(const struct packing *k, int first, const u32 *from, s64 ky, s64 kx, s64 o)
{
	const s64 *stride = &k->stride[first];
	u32 weight;

	if (!stage_own_tap(k->s, o / k->own, &ky, &kx))
		return RONDO_WEIGHT_ABSENT;
	weight = from[ky * stride[0] + kx * stride[1] + o % k->own * k->stride[first - 1]];
	/* Which NaN it is makes no difference to a sum. */
	return weight == RONDO_WEIGHT_ABSENT ? RONDO_WEIGHT_ABSENT - 1 : weight;
}

/* The tap of point @point of the reduced dimensions; its number among those of the innermost. */
static s64 tap_of(const struct packing *k, s64 point, s64 *ky, s64 *kx)
{
	*kx = point / k->size[2] % k->size[1];
	*ky = point / k->size[2] / k->size[1];
	return point % k->size[2];
}

/* The row of container @e of push @push. */
static s64 row_of(const struct packing *k, const struct tile_k *push, int e)
{
	return k->slides ? tile_k_point(push, e) : push->row + e;
}

/* Row @row is of point @point of the reduced dimensions, which begin at @first. */
static void pack_own(struct packing *k, int first, const u32 *from, s64 row, s64 point)
{
	s64 ky, kx, c = tap_of(k, point, &ky, &kx);

	for (s64 o = 0; o < k->columns; o++)
		k->to[packed_at(k, row, o)] =
			own_weight(k, first, from + c * k->stride[first + 2], ky, kx, o);
}

enum { PACKED = 16 }; /* rows at a time: they mostly are of one line of the cache */

/* @n rows from number @e of push @push on, column by column: their weights are far apart. */
static void pack_rows(struct packing *k, int first, const u32 *from, const struct tile_k *push,
		      int e, int n)
{
	const s64 *stride = &k->stride[first];
	const u32 *w[PACKED];

	for (int i = 0; i < n; i++) {
		s64 ky, kx, c = tap_of(k, tile_k_point(push, e + i), &ky, &kx);

		w[i] = from + ky * stride[0] + kx * stride[1] + c * stride[2];
	}
	for (s64 o = 0; o < k->columns; o++) {
		s64 left = k->columns - o / k->lanes * k->lanes;
		u32 *to = &k->to[packed_at(k, row_of(k, push, e), o)];

		for (int i = 0; i < n; i++)
			to[i * (left < k->lanes ? left : k->lanes)] =
				w[i][o * k->stride[first - 1]];
	}
}

/* One matrix: a row for each container of each push. */
static void pack_matrix(struct packing *k, int first, const u32 *from)
{
	int together = k->slides ? 1 : PACKED;

	for (s64 i = 0; i < k->before * k->columns; i++)
		*k->to++ = k->nothing;
	for (int i = 0; i < k->ks->n; i++) {
		const struct tile_k *push = &k->ks->k[i];

		for (int e = 0; e < push->count && k->own; e++)
			pack_own(k, first, from, row_of(k, push, e), tile_k_point(push, e));
		for (int e = 0; e < push->count && !k->own; e += together)
			pack_rows(k, first, from, push, e,
				  push->count - e < together ? push->count - e : together);
	}
	k->to += k->rows * k->columns;
}

/* The matrices of the outer dimensions from @d on that move the weights. */
static void pack_outer(struct packing *k, int d, int outer, const u32 *from)
{
	s64 trips = k->stride[d] ? k->s->size[d] : 1;

	if (d == outer) {
		pack_matrix(k, k->s->dims - k->s->reduced, from);
		return;
	}
	for (s64 i = 0; i < trips; i++)
		pack_outer(k, d + 1, outer, from + i * k->stride[d]);
}

/* Where the packed weights are, in SRAM or, if they come in by pieces, in the weights slot. */
static void place_weights(struct lowering *l, struct product *p, u64 bytes, void **room)
{
	struct mir_ref ref;

	if (p->plan->piece) {
		p->w.buf = MIR_NO_BUF;
		*room = NULL;
		if (l->tile.weights < 0)
			l->tile.weights = (s64)lower_const_outside(l, NULL, bytes, room);
		p->w.base = l->tile.weights;
		return;
	}
	if (p->spreads) {
		*room = graph_alloc(l->g, bytes);
		return;
	}
	ref = lower_const(l, NULL, bytes, room);
	p->w.buf = ref.buf;
	p->w.base = ref.offset;
}

/* The part of the reduced dimensions that tiles of a product take. */
struct sums {
	s64 origin[STAGE_DIMS], size[STAGE_DIMS]; /* points */
};

static void first_sums(const struct stage *whole, const struct plan *plan, struct sums *sums)
{
	for (int d = 0; d < whole->dims; d++) {
		bool cut = plan->cut_sums && d >= whole->dims - whole->reduced;

		sums->origin[d] = 0;
		sums->size[d] = cut ? plan->tile[d] : whole->size[d];
	}
}

/* False: there is no other. */
static bool next_sums(const struct stage *whole, const struct plan *plan, struct sums *sums)
{
	for (int d = whole->dims - 1; plan->cut_sums && d >= whole->dims - whole->reduced; d--) {
		s64 left;

		sums->origin[d] += plan->tile[d];
		left = whole->size[d] - sums->origin[d];
		sums->size[d] = left < plan->tile[d] ? left : plan->tile[d];
		if (left > 0)
			return true;
		sums->origin[d] = 0;
		sums->size[d] = plan->tile[d];
	}
	return false;
}

/* Packs what tiles take of the reduced dimensions, part by part; what one takes is dense. */
static int pack_sums(struct lowering *l, const struct product *p, const struct stage *whole,
		     struct packing *k, const u32 *from)
{
	const struct layout *in = &p->plan->in[0];
	int first = whole->dims - whole->reduced, rc = 0;
	struct tile_ks ks = p->plan->k;
	struct sums sums;

	first_sums(whole, p->plan, &sums);
	do {
		struct stage part;
		s64 at = 0;

		stage_tile(whole, sums.origin, sums.size, &part);
		if (p->plan->cut_sums)
			rc = plan_pushes(l->g, &part, in, plan_joins(p->s, in), l->machine, &ks);
		for (int i = 0; i < 3; i++) {
			s64 begin = sums.origin[first + i];

			k->size[i] = i < 2 ? part.size[first + i] : stage_containers(&part);
			/* Weights of bytes and of bf16 are in containers already. */
			at += (i == 2 ? begin * p->x_element / BYTES : begin) *
			      k->stride[first + i];
		}
		k->rows = k->size[0] * k->size[1] * k->size[2];
		k->ks = &ks;
		if (!rc)
			pack_outer(k, 0, p->plan->outer, from + at);
	} while (!rc && next_sums(whole, p->plan, &sums));
	return rc;
}

/* Bytes of a matrix of all columns of @whole, of what @s sums over. */
static s64 matrix_bytes(const struct product *p, const struct stage *s, const struct stage *whole)
{
	s64 rows = (s64)plan_rows(s, s->size);

	if (p->slides)
		return (p->slide.before + rows) * p->slide.columns * BYTES;
	return rows * whole->size[plan_column(whole)] * BYTES;
}

/*
 * Bytes of the packed weights before those that a tile like that of @p, but at @origin, takes of
 * the reduced dimensions.
 */
static s64 sums_offset(const struct product *p, const s64 *origin, const struct stage *whole,
		       s64 matrices)
{
	int c = p->s->dims - 1;
	const s64 *at = &origin[c - 2], *size = &p->s->size[c - 2];
	s64 deep = stage_containers(whole);
	s64 before = at[2] * p->x_element / BYTES, rows;

	if (!p->plan->cut_sums)
		return 0;
	rows = at[0] * whole->size[c - 1] * deep + size[0] * (at[1] * deep + size[1] * before);
	return rows * whole->size[p->column] * BYTES * matrices;
}

/* By how much the open loops of tiles move packed weights. */
static void set_packed_loops(const struct lowering *l, struct product *p, const struct stage *whole,
			     s64 matrices)
{
	s64 begin = sums_offset(p, p->s->origin, whole, matrices);

	for (int i = 0; i < p->tiles; i++) {
		int d = l->roll.dim[i];
		s64 next[STAGE_DIMS];

		memcpy(next, p->s->origin, sizeof(next));
		next[d] += l->roll.step[i];
		p->w.loop[i] = sums_offset(p, next, whole, matrices) - begin +
			       p->w.stride[d] * l->roll.step[i];
		if (d == p->column)
			p->w.loop[i] += l->roll.step[i] * total_rows(p) * BYTES;
	}
}

/* Constant weights, once for all tiles, in the order in which column tiles need them. */
static int pack_weights(struct lowering *l, struct product *p)
{
	const struct stage *whole = p->s->whole ? p->s->whole : p->s;
	const struct value *v = whole->in[1].value;
	const struct layout dense = layout_dense(v);
	struct packing k = { .s = whole,
			     .nothing = RONDO_WEIGHT_ABSENT,
			     .lanes = l->machine->lanes };
	s64 matrix = matrix_bytes(p, p->s, whole), matrices = 1;
	const u32 *from = v->data;
	void *room;
	int rc = 0;

	for (int d = 0; d < whole->dims; d++)
		k.stride[d] = p->integer || p->narrow ?
				      p->q.stride[d] :
				      plan_stride(&whole->in[1], &dense, d) / BYTES;
	k.columns = whole->size[p->column];
	if (!p->integer && stage_pixels(whole) > 1)
		k.own = k.columns / stage_pixels(whole);
	if (p->slides) {
		k.columns = p->slide.columns;
		k.slides = true;
		k.before = p->slide.before;
	}
	for (int d = 0; d < p->plan->outer; d++)
		matrices *= k.stride[d] ? whole->size[d] : 1;
	if (p->integer)
		k.nothing = p->q.weight_zero * 0x01010101u;
	place_weights(l, p, (u64)(matrix_bytes(p, whole, whole) * matrices), &room);
	k.to = room;
	if (k.to && p->integer)
		from = quantised_words(l, whole, &p->q);
	if (k.to && p->narrow)
		from = narrow_words(l, whole);
	if (k.to && from)
		rc = pack_sums(l, p, whole, &k, from);
	if (p->spreads)
		p->w.buf = lower_spread(l, whole, room, k.nothing);
	p->w.base += sums_offset(p, p->s->origin, whole, matrices);
	for (int d = p->plan->outer - 1; d >= 0; d--) {
		if (!k.stride[d])
			continue;
		p->w.stride[d] = matrix;
		p->w.base += p->s->origin[d] * matrix;
		matrix *= whole->size[d];
	}
	p->column_origin = p->s->origin[p->column];
	set_packed_loops(l, p, whole, matrices);
	return rc;
}

/* Cuts the pushes to pieces of weights of about plan->piece bytes. */
static int cut_pieces(struct lowering *l, struct product *p)
{
	const struct tile_ks *k = &p->plan->k;
	s64 all = p->s->size[p->column], lanes = l->machine->lanes;
	s64 most = (s64)p->plan->piece / ((all < lanes ? all : lanes) * BYTES), from = 0;

	if (l->tile.pieces && !p->plan->cut_sums) { /* as for the tile before */
		p->piece = l->tile.piece;
		p->pieces = l->tile.pieces;
		return 0;
	}
	p->piece = graph_alloc(l->g, k->n * sizeof(*p->piece));
	if (!p->piece)
		return l->g->err->code;
	for (int i = 0; i < k->n; i++) {
		if (!p->pieces || k->k[i].row + k->k[i].count - from > most) {
			p->piece[p->pieces++] =
				(struct lower_piece){ .first = i, .buf = MIR_NO_BUF };
			from = k->k[i].row;
		}
		p->piece[p->pieces - 1].end = i + 1;
	}
	l->tile.piece = p->piece;
	l->tile.pieces = p->pieces;
	return 0;
}

static int lower_pushes(struct lowering *l, const struct stage *s, const struct plan *plan)
{
	struct product p = { .s = s, .plan = plan, .bias.buf = MIR_NO_BUF };
	struct operand_at y;
	int err = 0;

	p.pixel = plan->outer;
	p.column = plan->outer + 2;
	p.pixels = &s->size[p.pixel];
	p.packed = value_is_const(s->in[1].value);
	p.integer = dtype_size(s->in[0].value->dtype) == 1;
	p.narrow = s->in[0].value->bf16;
	p.x_element = value_element(s->in[0].value);
	p.element = value_element(s->out.value);
	p.push = stage_pixels(s) > 1 ? RONDO_OP_push_f32_sparse : RONDO_OP_push_f32;
	p.begins = stage_begins_sums(s);
	p.ends = stage_ends_sums(s);
	p.slides = p.packed && !plan->piece &&
		   plan_slides(s, l->machine, l->plans->settled, &p.slide);
	p.spreads = p.packed && !plan->piece && !s->whole && plan->k.n == 1 &&
		    plan_spreads(s, l->machine, l->plans->settled);
	if (plan->outer > OUTER_MAX)
		return node_fail(l->g, s->node, -ENOTSUP, "more than %d leading dimensions",
				 OUTER_MAX);
	p.tiles = l->roll.active ? l->roll.loops : 0;
	p.x = input_of(l, s, plan, 0);
	if (p.integer) {
		int rc = quantised_product(l, s, plan->outer, &p.q);

		if (rc)
			return rc;
		p.push = p.q.push;
		p.bias = (struct moved){ .buf = p.q.parameters.buf, .base = p.q.parameters.offset };
		memcpy(p.bias.stride, p.q.parameter_stride, sizeof(p.bias.stride));
		for (int d = 0; d <= p.column; d++)
			p.bias.base += s->origin[d] * p.q.parameter_stride[d];
		for (int i = 0; i < p.tiles; i++)
			p.bias.loop[i] = p.q.parameter_stride[l->roll.dim[i]] * l->roll.step[i];
	}
	if (p.narrow) {
		p.push = RONDO_OP_push_bf16;
		narrow_strides(s->whole ? s->whole : s, p.q.stride);
	}
	if (p.packed) {
		err = pack_weights(l, &p);
		if (plan->piece && !err)
			err = cut_pieces(l, &p);
	} else {
		p.w = input_of(l, s, plan, 1);
	}
	if (s->in[2].value) {
		p.bias = input_of(l, s, plan, 2);
	}
	if (p.ends) {
		bool local = l->tile.active && l->tile.out.buf != MIR_NO_BUF;

		y = lower_out(l, s);
		p.y = moved_by(l, s, &s->out, &y, local);
	}
	if (!err)
		lower_product(l, &p);
	return err;
}

/* With as many pixels in the lanes as planned; weights in pieces are of one. */
static int lower_packed(struct lowering *l, const struct stage *s, const struct plan *plan)
{
	struct stage packed, whole;
	struct plan one;
	int rc = 0;

	if (plan->pixels[0] * plan->pixels[1] > 1 && plan->piece) {
		rc = plan_tile(l->g, s, plan, plan->in, l->machine, &one);
		plan = &one;
	}
	stage_pack(s, plan->pixels, &packed);
	if (s->whole) {
		stage_pack(s->whole, plan->pixels, &whole);
		packed.whole = &whole;
	}
	return rc ? rc : lower_pushes(l, &packed, plan);
}

int lower_matrix(struct lowering *l, const struct stage *s, const struct plan *plan)
{
	if (s->node->op != OP_LINEAR && !value_is_const(s->in[1].value))
		return node_fail(l->g, s->node, -ENOTSUP, "weights are known only at run time");
	if (plan->unit != PLAN_VECTOR)
		return lower_packed(l, s, plan);
	if (plan->dots)
		return lower_dots(l, s, plan);
	if (s->node->op == OP_CONVINTEGER)
		return lower_quantised_depthwise(l, s, plan);
	return lower_depthwise(l, s, plan);
}
