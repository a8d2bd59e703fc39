// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fitting plans into SRAM: see plans_fit().
 *
 * Values stay in SRAM while they fit. Where those that live while a stage is computed leave too
 * little room for what it works on, the largest of them goes outside, until its smallest tiles fit;
 * so a stage has as much room for tiles as the values that live beside it leave. Of all ways to cut
 * a stage that fit, the one is taken that takes the least time to move.
 */
#include "compiler/plan.h"

#include <errno.h>
#include <inttypes.h>

enum {
	TILES_MAX = 1 << 14, /* of one stage */
	TILE_CYCLES = 256, /* that a tile costs beside what it moves: nothing is in flight then */
	ROW_CYCLES = 2, /* of a row of a transfer, */
	CHANNEL_BYTES = 64, /* and bytes in each further one */
	PIECES_AHEAD = 7,
	OUTSIDE_MIN = 512, /* bytes of a value that is worth sending out */
	NOBODY = -1,
};

struct fit {
	struct graph *g;
	struct plans *p;
	const struct rondo_machine *m;
	u64 sram;
	u32 values;
	u32 *root; /* by value: the first of those that are Views of one another */
	int *first, *last; /* by root: the stages between which it lives */
	u64 *bytes; /* by root */
	struct value **value; /* by value */
	u64 *live; /* by stage: bytes of the values in SRAM while it is computed */
};

static u64 no_less(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* ---- What a tile takes ----------------------------------------------------------------------- */

struct takes {
	u64 bytes; /* of SRAM, beside the values that live there */
	u64 cycles; /* of one channel, to move what it needs */
};

static u64 transfer_cycles(const struct layout *l, const struct box *b)
{
	struct box_rows r = box_rows(l, b);
	u64 rows = 1;

	for (int d = 0; d < r.dims; d++)
		rows *= (u64)r.count[d];
	return rows * (ROW_CYCLES + (r.bytes + CHANNEL_BYTES - 1) / CHANNEL_BYTES);
}

/* The layout in which the value of @a lies, by the coordinates of @a. */
static struct layout lies_as(const struct plans *p, const struct stage_access *a)
{
	if (shape_equal(&a->as, &a->value->shape) && !value_is_const(a->value))
		return p->layout[a->value->id];
	return layout_dense_as(a->value, &a->as);
}

static bool is_weights(const struct stage *s, const struct plan *plan, int i)
{
	return i == 1 && s->kind == STAGE_PRODUCT && plan->unit == PLAN_MATRIX &&
	       value_is_const(s->in[1].value);
}

static void take_input(const struct fit *f, const struct stage *s, const struct plan *plan, int i,
		       const s64 *size, struct takes *t)
{
	static const s64 zero[STAGE_DIMS];
	const struct stage_access *a = &s->in[i];
	const struct layout lies = lies_as(f->p, a), *want = &plan->in[i];
	struct box box = plan_in_box(s, a, want, zero, size), elements = box_elements(&lies);
	struct box cells = box_cells(&lies);
	bool constant = value_is_const(a->value);

	if (constant && lies.bytes <= f->sram / PLAN_CONST_PART) {
		t->bytes += lies.bytes;
		return;
	}
	if (!constant && !f->p->outside[a->value->id]) {
		if (!layout_equal(&lies, want))
			t->bytes += box_layout(want, &box).bytes;
		return;
	}
	if (!box_inside(&box, &cells) || !box_same_order(&lies, want)) {
		t->bytes += box_layout(want, &box).bytes;
		box = box_meet(&box, &elements);
	}
	t->bytes += (u64)plan->buffers * box_layout(&lies, &box).bytes;
	t->cycles += transfer_cycles(&lies, &box);
}

static void take_output(const struct fit *f, const struct stage *s, const struct plan *plan,
			const s64 *size, struct takes *t)
{
	static const s64 zero[STAGE_DIMS];
	const struct layout *l = &f->p->layout[s->out.value->id];
	struct box box = plan_out_box(s, l, zero, size);

	if (!f->p->outside[s->out.value->id])
		return;
	t->bytes += (u64)plan->buffers * box_layout(l, &box).bytes;
	t->cycles += transfer_cycles(l, &box);
}

/* Weight rows of a column, one for each container of what is summed. */
static u64 weight_rows(const struct stage *s)
{
	u64 rows = (u64)stage_containers(s);

	for (int d = s->dims - s->reduced; d < s->dims - 1; d++)
		rows *= (u64)s->size[d];
	return rows;
}

/* The number of the dimension of a product that lies in the lanes. */
static int column_of(const struct stage *s)
{
	return s->dims - s->reduced - 1;
}

/* Bytes of all constant weights, as they are packed. */
static u64 weights_bytes(const struct stage *s)
{
	u64 bytes = weight_rows(s) * 4 * (u64)s->size[column_of(s)];

	for (int d = 0; d < column_of(s); d++) {
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
static u64 column_bytes(const struct fit *f, const struct stage *s)
{
	s64 columns = s->size[column_of(s)];

	return weight_rows(s) * 4 * (u64)(columns < f->m->lanes ? columns : f->m->lanes);
}

static void take_weights(const struct fit *f, const struct stage *s, const struct plan *plan,
			 const s64 *size, struct takes *t)
{
	int column = column_of(s);

	if (!plan->piece)
		t->bytes += weights_bytes(s);
	else if (plan->columns_first)
		t->bytes += (u64)plan->buffers * column_bytes(f, s);
	else
		t->bytes += plan->piece * ((u64)plan->ahead + 1);
	if (plan->piece && !plan->columns_first)
		t->cycles +=
			weights_bytes(s) / (u64)s->size[column] * (u64)size[column] / CHANNEL_BYTES;
}

static struct takes takes_of(const struct fit *f, const struct stage *s, const struct plan *plan,
			     const s64 *size)
{
	struct takes t = { 0 };

	for (int i = 0; i < STAGE_INPUTS; i++) {
		if (!s->in[i].value)
			continue;
		if (!is_weights(s, plan, i)) {
			take_input(f, s, plan, i, size, &t);
			continue;
		}
		take_weights(f, s, plan, size, &t);
	}
	take_output(f, s, plan, size, &t);
	return t;
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* Tiles are whole numbers of these along dimension @d: vectors, where it lies in the lanes. */
static s64 granule(const struct fit *f, const struct stage *s, const struct plan *plan, int d)
{
	int inner = s->dims - s->reduced - 1;

	if (s->kind == STAGE_PRODUCT && plan->unit == PLAN_VECTOR)
		inner = 1;
	return d == inner ? f->m->lanes : 1;
}

static s64 round_up(s64 n, s64 to)
{
	return (n + to - 1) / to * to;
}

static u64 count_tiles(const struct stage *s, const s64 *size)
{
	u64 n = 1;

	for (int d = 0; d < s->dims && n <= TILES_MAX; d++)
		n *= (u64)((s->size[d] + size[d] - 1) / size[d]);
	return n;
}

static bool fits(const struct fit *f, const struct stage *s, const struct plan *plan,
		 const s64 *size, u64 room)
{
	return takes_of(f, s, plan, size).bytes <= room;
}

/* Cuts along @d until the tile fits, or no further; then as little as that takes. */
static bool cut_along(const struct fit *f, const struct stage *s, const struct plan *plan, int d,
		      u64 room, s64 *size)
{
	s64 grain = granule(f, s, plan, d), too_large, tiles;

	while (!fits(f, s, plan, size, room)) {
		if (size[d] <= grain)
			return false;
		too_large = size[d];
		size[d] = round_up((size[d] + 1) / 2, grain);
		if (size[d] == too_large)
			size[d] -= grain;
		if (!fits(f, s, plan, size, room))
			continue;
		for (s64 lo = size[d]; too_large - lo > grain;) {
			s64 middle = lo + round_up((too_large - lo) / 2, grain);

			if (middle >= too_large)
				break;
			size[d] = middle;
			if (fits(f, s, plan, size, room))
				lo = middle;
			else
				too_large = middle;
			size[d] = lo;
		}
	}
	tiles = (s->size[d] + size[d] - 1) / size[d];
	size[d] = round_up((s->size[d] + tiles - 1) / tiles, grain);
	if (size[d] > s->size[d])
		size[d] = s->size[d];
	return true;
}

/* Cuts along @d first, then along the others from the outermost on. */
static bool cut(const struct fit *f, const struct stage *s, const struct plan *plan, int d,
		u64 room, s64 *size)
{
	int most = s->dims;

	memcpy(size, s->size, sizeof(s->size));
	if (plan->columns_first && size[column_of(s)] > f->m->lanes) {
		size[column_of(s)] = f->m->lanes;
		most = column_of(s);
	}
	if (stage_may_cut(s, d) && cut_along(f, s, plan, d, room, size))
		return true;
	for (int i = 0; i < most; i++) {
		if (i != d && stage_may_cut(s, i) && cut_along(f, s, plan, i, room, size))
			return true;
	}
	return fits(f, s, plan, size, room);
}

static u64 cost_of(const struct fit *f, const struct stage *s, const struct plan *plan,
		   const s64 *size)
{
	struct takes t = takes_of(f, s, plan, size);

	return count_tiles(s, size) * (t.cycles / RONDO_DMA_CHANNELS + TILE_CYCLES);
}

/* The best tiles in @room bytes; what they cost, or UINT64_MAX. */
static u64 choose_tiles(const struct fit *f, const struct stage *s, struct plan *plan, u64 room)
{
	u64 least = UINT64_MAX;

	for (int d = 0; d < s->dims || !d; d++) {
		s64 size[STAGE_DIMS];
		u64 cost;

		if (!cut(f, s, plan, d, room, size) || count_tiles(s, size) > TILES_MAX)
			continue;
		cost = cost_of(f, s, plan, size);
		if (cost >= least)
			continue;
		least = cost;
		memcpy(plan->tile, size, sizeof(plan->tile));
	}
	return least;
}

static bool touches_outside(const struct fit *f, const struct stage *s, const struct plan *plan)
{
	bool outside = f->p->outside[s->out.value->id];

	for (int i = 0; i < STAGE_INPUTS; i++) {
		const struct value *v = s->in[i].value;

		if (!v || is_weights(s, plan, i))
			continue;
		outside |= value_is_const(v) ? layout_dense(v).bytes > f->sram / PLAN_CONST_PART :
					       f->p->outside[v->id];
	}
	return outside;
}

/* Weights come in by pieces, the first of them before they are used. */
static void stream_weights(const struct fit *f, const struct stage *s, struct plan *plan)
{
	u64 window = f->sram / 4, row = (u64)f->m->lanes * 4, least = 0;

	for (int k = 0; k < plan->k.n; k++)
		least = no_less(least, (u64)plan->k.k[k].count * row);
	plan->piece = no_less(window / (PIECES_AHEAD + 1), least);
	plan->piece = no_less(plan->piece, weights_bytes(s) / PLAN_PIECES_MAX);
	plan->ahead = (int)(window / plan->piece);
	plan->ahead = plan->ahead > PIECES_AHEAD ? PIECES_AHEAD :
		      plan->ahead > 1		 ? plan->ahead - 1 :
						   1;
}

/*
 * Constant weights are all in SRAM; or a column tile's stay while all its pixels pass, so that the
 * input comes in again for each; or they come in again for each tile of pixels.
 */
static u64 try_weights(const struct fit *f, const struct stage *s, struct plan *plan, u64 room)
{
	struct plan best = *plan, columns = *plan, pixels;
	u64 least = choose_tiles(f, s, &best, room), cost;

	stream_weights(f, s, &columns);
	pixels = columns;
	columns.columns_first = true;
	cost = stage_may_cut(s, column_of(s)) ? choose_tiles(f, s, &columns, room) : UINT64_MAX;
	if (cost < least) {
		least = cost;
		best = columns;
	}
	cost = choose_tiles(f, s, &pixels, room);
	if (cost < least) {
		least = cost;
		best = pixels;
	}
	if (least < UINT64_MAX)
		*plan = best;
	return least;
}

/*
 * Plans stage @i for @room bytes beside the values that live. What its tiles cost; UINT64_MAX: it
 * does not fit.
 */
static u64 fit_stage(struct fit *f, int i, u64 room)
{
	u64 cost = UINT64_MAX;
	const struct stage *s = f->p->stages->at[i];
	struct plan *plan = &f->p->at[i];

	if (plan_again(f->g, f->p, i, f->m))
		return UINT64_MAX;
	if (plan->unit == PLAN_ALIAS)
		return 0;
	if (!touches_outside(f, s, plan) && fits(f, s, plan, s->size, room))
		return 0;
	plan->tiled = true;
	for (int buffers = 2; buffers && cost == UINT64_MAX; buffers--) {
		plan->buffers = buffers;
		cost = is_weights(s, plan, 1) ? try_weights(f, s, plan, room) :
						choose_tiles(f, s, plan, room);
	}
	return cost;
}

/* ---- What lives where ------------------------------------------------------------------------ */

static void live_at(struct fit *f, u32 root, int stage)
{
	if (f->first[root] == NOBODY || f->first[root] > stage)
		f->first[root] = stage;
	if (f->last[root] < stage)
		f->last[root] = stage;
}

/* A View and what it is one of are one value for us. */
static void find_roots(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (u32 v = 0; v < f->values; v++)
		f->root[v] = v;
	for (int i = 0; i < s->count; i++) {
		const struct value *in = s->at[i]->in[0].value, *out = s->at[i]->out.value;

		if (s->at[i]->node->op == OP_VIEW && !value_is_const(in) && !out->is_output)
			f->root[out->id] = f->root[in->id];
	}
}

static void find_lives(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (u32 v = 0; v < f->values; v++)
		f->first[v] = f->last[v] = NOBODY;
	for (size_t i = 0; i < f->g->inputs.n; i++)
		live_at(f, f->root[f->g->inputs.v[i]->id], 0);
	for (int i = 0; i < s->count; i++) {
		live_at(f, f->root[s->at[i]->out.value->id], i);
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct value *v = s->at[i]->in[k].value;

			if (v && !value_is_const(v))
				live_at(f, f->root[v->id], i);
		}
	}
	for (size_t i = 0; i < f->g->outputs.n; i++) {
		if (!value_is_const(f->g->outputs.v[i]))
			live_at(f, f->root[f->g->outputs.v[i]->id], s->count - 1);
	}
	for (u32 v = 0; v < f->values; v++) {
		u32 root = f->root[v];

		f->bytes[root] = no_less(f->bytes[root], f->p->layout[v].bytes);
	}
	for (u32 v = 0; v < f->values; v++) {
		for (int i = f->first[v]; i != NOBODY && i <= f->last[v]; i++)
			f->live[i] += f->bytes[v];
	}
}

/*
 * Whether value @root must lie row-major outside: outputs do, and what is seen as of another shape,
 * so that a tile of it is a box.
 */
static bool lies_dense(const struct fit *f, u32 root)
{
	const struct stages *s = f->p->stages;

	if (f->value[root]->is_output)
		return true;

	for (int i = f->first[root]; i <= f->last[root]; i++) {
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct stage_access *a = &s->at[i]->in[k];

			if (a->value && f->root[a->value->id] == root &&
			    !shape_equal(&a->as, &a->value->shape))
				return true;
		}
	}
	return false;
}

/* Whether @root and its Views are outside, or in SRAM. */
static void set_outside(struct fit *f, u32 root, bool outside)
{
	for (u32 v = root; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->outside[v] = outside;
	}
	for (int i = f->first[root]; i <= f->last[root]; i++)
		f->live[i] += outside ? -f->bytes[root] : f->bytes[root];
}

static void send_outside(struct fit *f, u32 root)
{
	set_outside(f, root, true);
	if (!lies_dense(f, root))
		return;
	for (u32 v = root; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->layout[v] = layout_dense(f->value[v]);
	}
}

/* The largest value in SRAM while stage @i is computed; f->values: there is none worth it. */
static u32 largest(const struct fit *f, int i)
{
	u32 best = f->values;

	for (u32 v = 0; v < f->values; v++) {
		if (f->root[v] != v || f->p->outside[v] || f->bytes[v] < OUTSIDE_MIN ||
		    f->first[v] == NOBODY || f->first[v] > i || f->last[v] < i)
			continue;
		if (best == f->values || f->bytes[v] > f->bytes[best])
			best = v;
	}
	return best;
}

static int refuse(const struct fit *f, int i)
{
	const struct stage *s = f->p->stages->at[i];
	const struct plan *plan = &f->p->at[i];
	s64 least[STAGE_DIMS];

	if (f->g->err->code)
		return f->g->err->code;
	memcpy(least, s->size, sizeof(least));
	for (int d = 0; d < s->dims; d++) {
		s64 grain = stage_may_cut(s, d) ? granule(f, s, plan, d) : s->size[d];

		least[d] = s->size[d] < grain ? s->size[d] : grain;
	}
	if (takes_of(f, s, plan, least).bytes + f->live[i] <= f->sram)
		return node_fail(f->g, s->node, -EFBIG, "it needs more than %d tiles", TILES_MAX);
	return node_fail(f->g, s->node, -EFBIG,
			 "the smallest tile of it needs %" PRIu64
			 " bytes of SRAM, there are %" PRIu64,
			 takes_of(f, s, plan, least).bytes + f->live[i], f->sram);
}

static u64 room_at(const struct fit *f, int i)
{
	return f->live[i] < f->sram ? f->sram - f->live[i] : 0;
}

/*
 * Whether stage @i, whose tiles cost @cost, is better off with value @root outside, where that is
 * moved in and out, if it must: inputs and outputs of the graph are there anyway.
 */
static bool gains(struct fit *f, int i, u32 root, u64 cost)
{
	const struct value *v = f->value[root];
	u64 moves = v->is_input || v->is_output ? 0 : 2 * f->bytes[root];
	u64 then;

	moves /= CHANNEL_BYTES * RONDO_DMA_CHANNELS;
	if (cost <= moves || lies_dense(f, root))
		return false;
	set_outside(f, root, true);
	then = fit_stage(f, i, room_at(f, i));
	set_outside(f, root, false);
	return then < UINT64_MAX && then + moves < cost;
}

/* Sends values outside until stage @i fits, and as long as its tiles gain from that. */
static int make_room(struct fit *f, int i, bool *changed)
{
	for (;;) {
		u64 cost = f->live[i] <= f->sram ? fit_stage(f, i, room_at(f, i)) : UINT64_MAX;
		u32 v = f->g->err->code ? f->values : largest(f, i);

		if (!cost)
			return 0;
		if (cost < UINT64_MAX && (v == f->values || !gains(f, i, v, cost)))
			return fit_stage(f, i, room_at(f, i)) < UINT64_MAX ? 0 : refuse(f, i);
		if (v == f->values)
			return refuse(f, i);
		send_outside(f, v);
		*changed = true;
	}
}

static int prepare(struct fit *f)
{
	struct graph *g = f->g;
	size_t n;

	for (struct value *v = g->values; v; v = v->next)
		f->values++;
	n = f->values + 1;
	f->root = graph_alloc(g, n * sizeof(*f->root));
	f->first = graph_alloc(g, n * sizeof(*f->first));
	f->last = graph_alloc(g, n * sizeof(*f->last));
	f->bytes = graph_alloc(g, n * sizeof(*f->bytes));
	f->value = graph_alloc(g, n * sizeof(struct value *));
	f->live = graph_alloc(g, (f->p->stages->count + 1) * sizeof(*f->live));
	if (!f->root || !f->first || !f->last || !f->bytes || !f->value || !f->live)
		return g->err->code;
	for (struct value *v = g->values; v; v = v->next)
		f->value[v->id] = v;
	find_roots(f);
	find_lives(f);
	return 0;
}

bool plans_exceed(const struct plans *p, const struct graph *g, u64 sram)
{
	for (const struct value *v = g->values; v; v = v->next) {
		if (v->typed && (v->uses || v->is_output) && p->layout[v->id].bytes > sram)
			return true;
	}
	return false;
}

int plans_fit(struct graph *g, struct plans *p, const struct rondo_machine *machine, u64 sram)
{
	struct fit f = { .g = g, .p = p, .m = machine, .sram = sram };
	int rc = prepare(&f);
	bool changed = p->stages->count > 0;

	p->sram = sram;
	while (changed && !rc) {
		changed = false;
		for (int i = 0; i < p->stages->count && !rc; i++)
			rc = make_room(&f, i, &changed);
	}
	return rc;
}
