// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What tiles take: see plan_cost.h. Nothing here decides; plan_tiles.c does. */
#include "compiler/plan_cost.h"

enum {
	ROW_CYCLES = 2, /* of a row of a transfer, */
	CHANNEL_BYTES = PLAN_CHANNEL_BYTES, /* and bytes in each further one */
	CONTAINER_BYTES = 4,
	TILE_CYCLES = 64, /* of a tile beside its operations */
	INNER_TEXT = 8, /* tiles of the innermost loop, before, in and behind it, */
	OUTER_TEXT = 3, /* and of others */
	SOFTMAX_ROW = 8, /* of a row of one vector; of each vector of a longer one, */
	SOFTMAX_VECTOR = 4,
	SOFTMAX_WAIT = 96, /* and of the sums across lanes behind them */
};

/* ---- How often ------------------------------------------------------------------------------- */

/* Tiles of @size points along dimension @d. */
static u64 tiles_along(const struct stage *s, const s64 *size, int d)
{
	return (u64)((s->size[d] + size[d] - 1) / size[d]);
}

u64 plan_count_tiles(const struct stage *s, const s64 *size)
{
	u64 n = 1;

	for (int d = 0; d < s->dims && n <= PLAN_COUNT_MAX; d++)
		n *= tiles_along(s, size, d);
	return n;
}

/* How many of them end with results. */
static u64 count_results(const struct stage *s, const s64 *size)
{
	u64 n = 1;

	for (int d = 0; d < s->dims - s->reduced && n <= PLAN_COUNT_MAX; d++)
		n *= tiles_along(s, size, d);
	return n;
}

int plan_column(const struct stage *s)
{
	return s->dims - s->reduced - 1;
}

/* The dimension at place @i of the order in which tiles follow one another, outermost first. */
static int in_order(const struct stage *s, const struct plan *plan, int i)
{
	if (!plan->columns_first)
		return i;
	return !i ? plan_column(s) : i <= plan_column(s) ? i - 1 : i;
}

bool plan_moves(const struct stage_access *a, int d)
{
	for (int i = 0; i < a->as.rank; i++) {
		if (a->step[i][d])
			return true;
	}
	return false;
}

/* How often an operand comes in or goes out: what the tile before has left stays. */
struct visits {
	u64 runs; /* so many times it begins anew, */
	u64 each; /* and moves on to so many tiles along dimension @along */
	int along;
};

static struct visits visits_of(const struct stage *s, const struct plan *plan,
			       const struct stage_access *a, const s64 *size)
{
	struct visits v = { 1, 1, 0 };
	u64 all = 1;

	for (int i = 0; i < s->dims; i++) {
		int d = in_order(s, plan, i);
		u64 n = tiles_along(s, size, d);

		if (n > 1 && plan_moves(a, d))
			v = (struct visits){ all, n, d };
		all *= n;
	}
	return v;
}

/* ---- What a tile takes ----------------------------------------------------------------------- */

static u64 transfer_cycles(const struct layout *l, const struct box *b)
{
	struct box_rows r = box_rows(l, b);
	u64 rows = 1;

	for (int d = 0; d < r.dims; d++)
		rows *= (u64)r.count[d];
	return rows * (ROW_CYCLES + (r.bytes + CHANNEL_BYTES - 1) / CHANNEL_BYTES);
}

/* Transfers of a box at least: a descriptor has so many dimensions. */
static u64 box_transfers(const struct layout *l, const struct box *b)
{
	struct box_rows r = box_rows(l, b);
	u64 n = 1;

	for (int d = 0; d + RONDO_DMA_DIMS < r.dims; d++)
		n *= (u64)r.count[d];
	return n;
}

/*
 * What an input takes that comes in as boxes like @box, of a value in layout @lies, and may be
 * copied then: if not, rows that the tile before has stay.
 */
static u64 input_cycles(const struct stage *s, const struct plan *plan,
			const struct stage_access *a, const struct layout *lies,
			const struct box *box, const s64 *size, bool copied)
{
	struct visits v = visits_of(s, plan, a, size);
	struct box next = *box, common;
	u64 first = transfer_cycles(lies, box), others = first;

	for (int i = 0; i < box->rank; i++)
		next.lo[i] += a->step[i][v.along] * size[v.along];
	if (plan->buffers > 1 && !copied && box_overlap(lies, box, &next, &common))
		others -= transfer_cycles(lies, &common);
	return v.runs * (first + (v.each - 1) * others);
}

/* The layout in which the value of @a lies, by the coordinates of @a. */
static struct layout lies_as(const struct plans *p, const struct stage_access *a)
{
	if (shape_equal(&a->as, &a->value->shape) && !value_is_const(a->value))
		return p->layout[a->value->id];
	return layout_dense_as(a->value, &a->as);
}

bool plan_is_weights(const struct stage *s, const struct plan *plan, int i)
{
	return i == 1 && s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX &&
	       value_is_const(s->in[1].value);
}

/* Buffers that an operand takes in turn: one is enough if it is the same for all tiles. */
static u64 buffers_for(const struct stage *s, const struct plan *plan, const struct stage_access *a,
		       const s64 *size)
{
	struct visits v = visits_of(s, plan, a, size);

	return v.runs * v.each == 1 ? 1 : (u64)plan->buffers;
}

/* The points of stage @s that make the elements of @box, as in the middle of a value; false: none.
 */
static bool points_within(const struct stage *s, const struct layout *l, const struct box *box,
			  s64 *size)
{
	struct box inner = *box;
	s64 origin[STAGE_DIMS];

	for (int i = 0; i < box->rank; i++) {
		inner.lo[i] = 0;
		inner.n[i] = box->n[i] < l->dim[i] ? box->n[i] : l->dim[i];
	}
	return plan_points(s, &inner, origin, size);
}

static bool boxes_meet(const struct box *a, const struct box *b)
{
	const struct box both = box_meet(a, b);

	return !box_is_empty(&both);
}

bool plan_made_for(const struct stage *s, const struct plan *plan, int i, const struct stage *by,
		   const s64 *size, struct plan_made *made)
{
	static const s64 zero[STAGE_DIMS];
	const struct stage_access *a = &s->in[i];
	const struct layout *want = &plan->in[i];
	struct visits v = visits_of(s, plan, a, size);
	struct box next, common;

	made->box = next = plan_in_box(s, a, want, zero, size);
	for (int k = 0; k < next.rank && v.each > 1; k++)
		next.lo[k] += a->step[k][v.along] * size[v.along];
	made->kept = v.each > 1 && box_overlap(want, &made->box, &next, &common);
	if (made->kept) {
		for (int k = 0; k < next.rank; k++)
			next.n[k] -= common.n[k] < next.n[k] ? common.n[k] : 0;
	} else if (v.each > 1 && boxes_meet(&made->box, &next)) {
		return false;
	}
	return v.runs == 1 && points_within(by, want, &next, made->step);
}

/* What input @i takes that stage @maker makes; what cannot be so does not fit. */
static void take_made(const struct plans *p, const struct rondo_machine *m, const struct stage *s,
		      const struct plan *plan, int i, int maker, const s64 *size,
		      struct plan_takes *t)
{
	const struct stage *by = p->stages->at[maker];
	struct plan_takes others;
	struct plan_made made;
	u64 bytes;

	/* What makes an input may need the accumulators that hold sums from tile to tile. */
	if (plan->cut_sums || p->at[maker].cut_sums ||
	    !plan_made_for(s, plan, i, by, size, &made)) {
		t->bytes += p->sram + 1;
		return;
	}
	others = plan_takes_of(p, m, by, &p->at[maker], made.step);
	bytes = box_layout(&plan->in[i], &made.box).bytes;
	t->bytes += (made.kept && plan->twice ? 2 : 1) * bytes + others.bytes;
	t->cycles += others.cycles;
	t->work += others.work;
	t->transfers += others.transfers;
	/* In one place what is kept is copied, and the rest stored, while nothing is computed. */
	if (made.kept && !plan->twice)
		t->work += plan_count_tiles(s, size) * (bytes / (u64)m->lanes / 4);
}

/* What it takes to bring boxes like @box of input @a, for tiles of @size, into layout @want. */
static void take_copy(const struct rondo_machine *m, const struct stage *s, const struct plan *plan,
		      const struct stage_access *a, const s64 *size, const struct layout *want,
		      const struct box *box, struct plan_takes *t)
{
	struct visits v = visits_of(s, plan, a, size);
	u64 bytes = box_layout(want, box).bytes;

	t->bytes += bytes;
	t->work += v.runs * v.each * (bytes / (u64)want->element / (u64)m->lanes + 1);
}

static void take_input(const struct plans *p, const struct rondo_machine *m, const struct stage *s,
		       const struct plan *plan, int i, const s64 *size, struct plan_takes *t)
{
	static const s64 zero[STAGE_DIMS];
	struct stage_access a = s->in[i];
	struct layout lies = lies_as(p, &a), want = plan->in[i];
	bool constant = value_is_const(a.value), copied;
	struct box box, elements, cells;
	struct visits v;
	u64 ignored;

	if (constant && lies.bytes <= p->sram / PLAN_CONST_PART) {
		t->bytes += lies.bytes;
		return;
	}
	if (!constant && p->maker[a.value->id] != PLAN_NO_STAGE) {
		take_made(p, m, s, plan, i, p->maker[a.value->id], size, t);
		return;
	}
	if (!constant && !p->outside[a.value->id]) {
		box = plan_in_box(s, &a, &want, zero, size);
		if (!layout_equal(&lies, &want))
			take_copy(m, s, plan, &a, size, &want, &box, t);
		return;
	}
	plan_thin(s, &a, &lies, &want, &ignored);
	box = plan_in_box(s, &a, &want, zero, size);
	elements = box_elements(&lies);
	cells = box_cells(&lies);
	copied = !box_inside(&box, &cells) || !box_same_order(&lies, &want);
	if (copied) {
		take_copy(m, s, plan, &a, size, &want, &box, t);
		box = box_meet(&box, &elements);
	}
	t->bytes += buffers_for(s, plan, &a, size) * box_layout(&lies, &box).bytes;
	t->cycles += input_cycles(s, plan, &a, &lies, &box, size, copied);
	v = visits_of(s, plan, &a, size);
	t->transfers += v.runs * v.each * box_transfers(&lies, &box);
}

static void take_output(const struct plans *p, const struct stage *s, const struct plan *plan,
			const s64 *size, struct plan_takes *t)
{
	static const s64 zero[STAGE_DIMS];
	const struct layout *l = &p->layout[s->out.value->id];
	struct box box = plan_out_box(s, l, zero, size);
	u64 buffers;

	if (!p->outside[s->out.value->id] || p->maker[s->out.value->id] != PLAN_NO_STAGE)
		return;
	/* What ends sums goes out beside the two tiles that begin the next ones. */
	buffers = plan_count_tiles(s, size) > 2 * count_results(s, size) ?
			  1 :
			  buffers_for(s, plan, &s->out, size);
	t->bytes += buffers * box_layout(l, &box).bytes;
	t->cycles += count_results(s, size) * transfer_cycles(l, &box);
	t->transfers += count_results(s, size) * box_transfers(l, &box);
}

/* ---- Tiles as loops -------------------------------------------------------------------------- */

/* Whether some dimension that tiles of @size points cut moves what @a touches. */
static bool tiles_move(const struct stage *s, const struct stage_access *a, const s64 *size)
{
	for (int d = 0; d < s->dims; d++) {
		if (size[d] < s->size[d] && plan_moves(a, d))
			return true;
	}
	return false;
}

/* Whether input @i of @s is the same for all tiles, or comes in for each. */
static bool may_roll_input(const struct plans *p, const struct stage *s, const struct plan *plan,
			   int i, const s64 *size)
{
	const struct value *v = s->in[i].value;
	bool matrix = s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX;

	if (!v || plan_is_weights(s, plan, i))
		return true;
	if (s->kind == STAGE_PRODUCT && !matrix && i)
		return !tiles_move(s, &s->in[i], size);
	if (!value_is_const(v))
		return p->maker[v->id] == PLAN_NO_STAGE &&
		       (p->outside[v->id] || !tiles_move(s, &s->in[i], size));
	return (matrix && i) || layout_dense(v).bytes > p->sram / PLAN_CONST_PART ||
	       !tiles_move(s, &s->in[i], size);
}

/*
 * Whether tiles differ in the parameters that a quantising node has for each channel, which stay in
 * one buffer. Products move theirs, or do not roll.
 */
static bool parameters_move(const struct stage *s, const s64 *size)
{
	const struct node *n = s->epilogue ? s->epilogue : s->node;
	s64 axis = n->attrs.axis, parameters = 1;

	if (s->kind == STAGE_PRODUCT ||
	    (n->op != OP_REQUANTIZE && n->op != OP_QUANTIZE && n->op != OP_DEQUANTIZE))
		return false;
	for (int i = 1; i < n->n_in; i++) {
		if (node_in(n, i) && shape_elems(&node_in(n, i)->shape) > parameters)
			parameters = shape_elems(&node_in(n, i)->shape);
	}
	axis += axis < 0 ? n->out[0]->shape.rank : 0;
	for (int d = 0; d < s->dims && parameters > 1; d++) {
		if (size[d] < s->size[d] && s->out.step[axis][d])
			return true;
	}
	return false;
}

bool plan_may_roll(const struct plans *p, const struct stage *s, const struct plan *plan,
		   const s64 *size)
{
	const struct value *out = s->out.value;
	bool may = p->outside[out->id] && p->maker[out->id] == PLAN_NO_STAGE &&
		   plan->unit != PLAN_ALIAS && (!plan->piece || plan->cut_sums) &&
		   !parameters_move(s, size);

	for (int i = 0; i < STAGE_INPUTS; i++)
		may = may && may_roll_input(p, s, plan, i, size);
	return may;
}

u64 plan_text_tiles(const struct stage *s, const struct plan *plan, const s64 *size)
{
	u64 text = 1, largest[RONDO_DMA_LOOP_DEPTH - 1] = { 1, 1 }, inner = 1;

	for (int i = 0; i < s->dims && text <= PLAN_COUNT_MAX; i++) {
		u64 n = inner;

		inner = tiles_along(s, size, in_order(s, plan, i));
		if (inner == 1) {
			inner = n;
			continue;
		}
		for (int k = 0; k < RONDO_DMA_LOOP_DEPTH - 1; k++) {
			if (n > largest[k]) {
				u64 less = largest[k];

				largest[k] = n;
				n = less;
			}
		}
		text *= n;
	}
	for (int k = 0; k < RONDO_DMA_LOOP_DEPTH - 1; k++)
		text *= largest[k] < OUTER_TEXT ? largest[k] : OUTER_TEXT;
	return text * (inner < INNER_TEXT ? inner : INNER_TEXT);
}

/* ---- What a stage takes ---------------------------------------------------------------------- */

u64 plan_rows(const struct stage *s, const s64 *size)
{
	u64 bytes = (u64)value_element(s->in[0].value);
	u64 rows = ((u64)size[s->dims - 1] * bytes + CONTAINER_BYTES - 1) / CONTAINER_BYTES;

	for (int d = s->dims - s->reduced; d < s->dims - 1; d++)
		rows *= (u64)size[d];
	return rows;
}

static u64 weight_rows(const struct stage *s)
{
	return plan_rows(s, s->size);
}

u64 plan_weights_bytes(const struct stage *s)
{
	u64 bytes = weight_rows(s) * 4 * (u64)s->size[plan_column(s)];

	for (int d = 0; d < plan_column(s); d++) {
		for (int i = 0; i < s->in[1].as.rank; i++) {
			if (s->in[1].step[i][d]) {
				bytes *= (u64)s->size[d];
				break;
			}
		}
	}
	return bytes;
}

/* Bytes of the weights of a column tile. */
static u64 column_bytes(const struct rondo_machine *m, const struct stage *s)
{
	s64 columns = s->size[plan_column(s)];

	return weight_rows(s) * 4 * (u64)(columns < m->lanes ? columns : m->lanes);
}

/* How often all pixels of a tile, one after the other, need the weights of a column tile. */
static u64 strips_of(const struct rondo_machine *m, const struct stage *s, const struct plan *plan,
		     const s64 *size)
{
	const s64 *tile = &size[plan->outer];
	struct tile_strip strip = tile_pixels(m, tile[1], tile[0]);

	if (column_bytes(m, s) * 2 <= plan->piece * ((u64)plan->ahead + 1))
		return 1; /* they stay */
	return (u64)((tile[0] + strip.h - 1) / strip.h * ((tile[1] + strip.w - 1) / strip.w));
}

static void take_weights(const struct rondo_machine *m, const struct stage *s,
			 const struct plan *plan, const s64 *size, struct plan_takes *t)
{
	u64 all = plan_weights_bytes(s), times = 1;

	if (!plan->piece) {
		t->bytes += all;
	} else if (plan->columns_first) {
		t->bytes += (u64)plan->buffers * column_bytes(m, s);
	} else {
		t->bytes += plan->cut_sums ? (u64)plan->buffers * plan_rows(s, size) * 4 *
						     (u64)size[plan_column(s)] :
					     plan->piece * ((u64)plan->ahead + 1);
		times = count_results(s, size) * strips_of(m, s, plan, size);
		for (int d = 0; d <= plan_column(s); d++) {
			if (plan_moves(&s->in[1], d))
				all = all / (u64)s->size[d] * (u64)size[d];
		}
	}
	t->cycles += times * (all / CHANNEL_BYTES);
	if (plan->piece)
		t->transfers += times * (all / plan->piece + !(all / plan->piece));
}

/*
 * For rows of @row elements, @points in all: there are several passes, and what is known at the end
 * of a pass is waited for unless each row is one vector, so that rows overlap.
 */
static u64 softmax_cycles(const struct rondo_machine *m, u64 points, u64 row)
{
	u64 lanes = m->lanes, rows = row ? points / row : 0;

	if (row <= lanes)
		return rows * SOFTMAX_ROW + 1;
	return rows * ((row + lanes - 1) / lanes * SOFTMAX_VECTOR + SOFTMAX_WAIT) + 1;
}

/* Cycles of the unit that all tiles of @size points need, about. */
static u64 work_of(const struct rondo_machine *m, const struct stage *s, const struct plan *plan,
		   const s64 *size)
{
	u64 tiles = plan_count_tiles(s, size), points = 1, pixels = 1, columns, packed, pushes;
	u64 rows, each;

	for (int d = 0; d < s->dims; d++)
		points *= (u64)size[d];
	if (s->kind == STAGE_SOFTMAX)
		return tiles * softmax_cycles(m, points, (u64)s->size[s->dims - 1]);
	if (plan->unit != PLAN_MATRIX)
		return tiles * (points / (u64)m->lanes + 1);
	packed = (u64)(plan->pixels[0] * plan->pixels[1]);
	columns = ((u64)size[plan_column(s)] * packed + (u64)m->lanes - 1) / (u64)m->lanes;
	for (int d = 0; d < plan->outer; d++)
		columns *= (u64)size[d];
	for (int d = plan->outer; d < plan_column(s); d++)
		pixels *= (u64)size[d];
	rows = plan_rows(s, size);
	each = plan->cut_sums ? (rows + (u64)m->lanes - 1) / (u64)m->lanes : (u64)plan->k.n;
	/* A row of weights is loaded in the time of a push. */
	pushes = each * (pixels / packed);
	return tiles * columns * (pushes > rows ? pushes : rows);
}

struct plan_takes plan_takes_of(const struct plans *p, const struct rondo_machine *m,
				const struct stage *s, const struct plan *plan, const s64 *size)
{
	struct plan_takes t = { .work = work_of(m, s, plan, size) };

	/* Each begins and ends by itself. */
	t.work += plan_count_tiles(s, size) * TILE_CYCLES;
	for (int i = 0; i < STAGE_INPUTS; i++) {
		if (!s->in[i].value)
			continue;
		if (!plan_is_weights(s, plan, i)) {
			take_input(p, m, s, plan, i, size, &t);
			continue;
		}
		take_weights(m, s, plan, size, &t);
	}
	take_output(p, s, plan, size, &t);
	return t;
}

u64 plan_cycles(const struct plans *p, const struct rondo_machine *m, const struct stage *s,
		const struct plan *plan, const s64 *size)
{
	struct plan_takes t = plan_takes_of(p, m, s, plan, size);
	u64 moved = t.cycles / RONDO_DMA_CHANNELS, longest = moved > t.work ? moved : t.work;
	u64 tiles = plan_count_tiles(s, size), visits = t.transfers < tiles ? t.transfers : tiles;
	u64 start = visits * m->dma_startup;
	u64 turns = (start + moved + t.work) / (u64)plan->buffers;

	return m->dma_startup + (longest > turns ? longest : turns);
}
