// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Choosing plans: see plan.h. */
#include "compiler/plan.h"
#include "compiler/plan_cost.h"
#include "compiler/quantise.h"

#include <errno.h>

enum {
	KERNELS_MAX = 4096, /* of one product in the text; more are loops */
	PACKED_TILES = 4, /* column tiles of several pixels in the lanes */
	SLIDING_PART = 16, /* of SRAM, that weights are to save by sliding, if not all stay */
	PACKED_PART = 8, /* of SRAM, for the weights of several pixels in the lanes at most */
	SETTLED_PART = 2, /* of SRAM, for the constants of a model that all stay */
	SETTLED_OTHERS = 8192, /* bytes that are not in the model, about */
	DOT_VECTORS = 32, /* of the terms of a dot product, which are all in registers */
	DOT_LATENCY = 24, /* cycles from the last of them to its sum */
};

s64 plan_stride(const struct stage_access *a, const struct layout *l, int dim)
{
	s64 stride = 0;

	for (int i = 0; i < l->rank; i++)
		stride += a->step[i][dim] * l->stride[i];
	return stride;
}

s64 plan_base(const struct stage_access *a, const struct layout *l)
{
	s64 base = l->base;

	for (int i = 0; i < l->rank; i++)
		base += a->at[i] * l->stride[i];
	return base;
}

/* ---- Layouts --------------------------------------------------------------------------------- */

enum { CONTAINER_BYTES = 4 };

/* Whether point p of @s is element p of @a, or that many behind a first one. */
static bool is_plain(const struct stage *s, const struct stage_access *a)
{
	bool plain = a->as.rank == s->dims && shape_equal(&a->as, &a->value->shape);

	for (int i = 0; plain && i < a->as.rank; i++) {
		for (int d = 0; d < s->dims; d++)
			plain &= s->size[d] == 1 || a->step[i][d] == (i == d);
	}
	return plain;
}

static bool moves_elements(const struct stage *s)
{
	return s->kind == STAGE_MAP || (s->kind == STAGE_MOVE && s->node->op != OP_VIEW);
}

static bool is_window(const struct stage *s)
{
	return (s->kind == STAGE_PRODUCT || s->kind == STAGE_POOL) && op_is_window(s->node->op);
}

/* How a value is made and read. */
struct usage {
	bool fixed; /* somebody needs it row-major */
	bool made; /* by a stage */
	int reads;
};

/* Whether @s may read input @i in any layout. */
static bool reads_any(const struct stage *s, int i)
{
	const struct stage_access *a = &s->in[i];

	return (is_window(s) && !i) || (moves_elements(s) && shape_equal(&a->as, &a->value->shape));
}

static void find_usage(const struct stages *stages, struct usage *usage)
{
	for (int i = 0; i < stages->count; i++) {
		const struct stage *s = stages->at[i];
		const struct value *out = s->out.value;
		s64 channels = out->shape.rank < 3 ? 1 : out->shape.dim[1];
		u64 size = (u64)value_element(out);

		usage[out->id].made = true;
		usage[out->id].fixed |= out->is_output || out->shape.rank < 3 || size > 4 ||
					channels * (s64)size % CONTAINER_BYTES ||
					(!is_window(s) && !moves_elements(s));
		for (int k = 0; k < STAGE_INPUTS; k++) {
			if (!s->in[k].value)
				continue;
			usage[s->in[k].value->id].reads++;
			usage[s->in[k].value->id].fixed |= !reads_any(s, k);
		}
	}
}

/*
 * What nobody needs in another order is channels-last if that is what is made of it, element by
 * element.
 */
static void pass_on_layouts(struct plans *p, const struct usage *usage)
{
	for (int i = p->stages->count - 1; i >= 0; i--) {
		const struct stage *s = p->stages->at[i];

		if (!moves_elements(s) || !is_plain(s, &s->out) ||
		    layout_is_row_major(&p->layout[s->out.value->id]))
			continue;
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct value *v = s->in[k].value;

			if (v && usage[v->id].made && !usage[v->id].fixed &&
			    is_plain(s, &s->in[k]) && layout_is_row_major(&p->layout[v->id]))
				p->layout[v->id] = layout_channels_last(v);
		}
	}
}

/* Whether the input of @s, a part of a Concat, may be computed there. */
static bool is_part(const struct plans *p, const struct stage *s, const struct usage *usage)
{
	const struct value *v = s->in[0].value, *whole = s->out.value;
	const struct layout *l = &p->layout[whole->id];

	if (s->kind != STAGE_MOVE || s->node->op != OP_CONCAT || !usage[v->id].made ||
	    usage[v->id].fixed || usage[v->id].reads != 1)
		return false;
	for (int i = 0; i < l->rank; i++) {
		if (v->shape.dim[i] != whole->shape.dim[i] &&
		    (l->pad[i] || l->cells[i] != l->dim[i] ||
		     s->out.at[i] * l->stride[i] % CONTAINER_BYTES))
			return false;
	}
	return true;
}

/* Whether the input of @s, which an output is a View of, may be computed where that lies. */
static bool is_all(const struct plans *p, const struct stage *s, const struct usage *usage)
{
	const struct value *v = s->in[0].value, *all = s->out.value;

	return s->node->op == OP_VIEW && all->is_output && !value_is_const(v) && !v->is_output &&
	       v->producer && v->producer->op != OP_VIEW && usage[v->id].made &&
	       usage[v->id].reads == 1 && layout_is_row_major(&p->layout[v->id]) &&
	       layout_is_row_major(&p->layout[all->id]);
}

void plan_parts(struct plans *p)
{
	for (int i = p->stages->count - 1; i >= 0; i--) {
		const struct stage *s = p->stages->at[i];
		const struct value *v = s->in[0].value;

		if (p->whole[v->id] != s->out.value)
			continue;
		p->layout[v->id] =
			s->node->op == OP_VIEW ?
				layout_dense(v) :
				layout_part(&p->layout[s->out.value->id], &v->shape, s->out.at);
	}
}

static int choose_layouts(struct graph *g, struct plans *p)
{
	struct usage *usage;
	u32 id = 0;

	for (struct value *v = g->values; v; v = v->next)
		v->id = id++;
	p->layout = graph_alloc(g, (id + 1) * sizeof(*p->layout));
	p->outside = graph_alloc(g, (id + 1) * sizeof(*p->outside));
	p->whole = graph_alloc(g, (id + 1) * sizeof(*p->whole));
	p->maker = graph_alloc(g, (id + 1) * sizeof(*p->maker));
	usage = graph_alloc(g, (id + 1) * sizeof(*usage));
	if (!p->layout || !p->outside || !p->whole || !p->maker || !usage)
		return g->err->code;
	for (u32 v = 0; v < id; v++)
		p->maker[v] = PLAN_NO_STAGE;
	for (struct value *v = g->values; v; v = v->next) {
		if (v->typed)
			p->layout[v->id] = v->producer ? layout_of_value(g, v) : layout_dense(v);
	}
	find_usage(p->stages, usage);
	pass_on_layouts(p, usage);
	for (int i = 0; i < p->stages->count; i++) {
		const struct stage *s = p->stages->at[i];

		if (is_part(p, s, usage) || is_all(p, s, usage))
			p->whole[s->in[0].value->id] = s->out.value;
	}
	plan_parts(p);
	return 0;
}

/* The layout in which @s reads input @i. */
static struct layout wanted(const struct graph *g, const struct plans *p, const struct stage *s,
			    int i)
{
	const struct stage_access *a = &s->in[i];
	const struct layout *is = &p->layout[a->value->id];
	struct layout window;

	if (!i && op_is_window(s->node->op)) {
		window = layout_of_window_input(g, s->node);
		return layout_serves(is, &window) && !value_is_const(a->value) ? *is : window;
	}
	if (s->kind == STAGE_PRODUCT)
		return layout_rows(&a->as, value_element(a->value));
	if (!shape_equal(&a->as, &a->value->shape))
		return layout_dense_as(a->value, &a->as);
	return p->layout[a->value->id];
}

/* ---- Products -------------------------------------------------------------------------------- */

enum { KY, KX }; /* the reduced dimensions of a product, behind its others */

bool plan_joins(const struct stage *s, const struct layout *in)
{
	int kx = s->dims - s->reduced + KX;

	return s->size[kx] == 1 ||
	       plan_stride(&s->in[0], in, kx) == stage_containers(s) * CONTAINER_BYTES;
}

int plan_pushes(struct graph *g, const struct stage *s, const struct layout *in, bool joined,
		const struct rondo_machine *m, struct tile_ks *k)
{
	int first = s->dims - s->reduced;
	const s64 *size = &s->size[first];
	s64 containers = stage_containers(s);
	s64 y = plan_stride(&s->in[0], in, first + KY);
	s64 x = plan_stride(&s->in[0], in, first + KX);
	struct tile_run whole = { .segs = size[KY], .len = size[KX] * containers, .stride = y };
	struct tile_run *runs;

	if (joined) {
		*k = tile_k(graph_arena(g), m, &whole, 1);
	} else {
		runs = graph_alloc(g, size[KY] * sizeof(*runs));
		if (!runs)
			return g->err->code;
		for (s64 ky = 0; ky < size[KY]; ky++)
			runs[ky] = (struct tile_run){
				.offset = ky * y, .segs = size[KX], .len = containers, .stride = x
			};
		*k = tile_k(graph_arena(g), m, runs, (int)size[KY]);
	}
	return k->n ? 0 : graph_fail(g, -ENOMEM, "no memory");
}

/* Kernels for all tiles at one point of the outer dimensions, about. */
static s64 count_kernels(const struct stage *s, const struct plan *plan,
			 const struct rondo_machine *m)
{
	const s64 *pixels = &s->size[plan->outer];
	s64 strips = ((pixels[0] + plan->strip.h - 1) / plan->strip.h) *
		     ((pixels[1] + plan->strip.w - 1) / plan->strip.w);

	return (pixels[2] + m->lanes - 1) / m->lanes * strips * (2 * plan->k.n + 1);
}

/*
 * Whether the vector units are faster: if channels do not mix, a push does the work of one channel,
 * but a multiply-add on one of two vector units that of as many as there are lanes.
 */
static bool vectors_are_faster(const struct stage *s, const struct rondo_machine *m)
{
	s64 taps, groups, vectors;

	if (s->node->op == OP_CONVINTEGER)
		return quantise_by_taps(s->node);
	if (s->node->op != OP_CONV || s->size[4] != 1 || s->size[7] != 1)
		return false;
	groups = s->size[1];
	taps = s->size[5] * s->size[6];
	vectors = (groups + m->lanes - 1) / m->lanes;
	return taps <= PLAN_TAPS_MAX && vectors * (taps + 1) < 2 * groups;
}

/* What pixels in the lanes cost. */
struct packed {
	s64 unit; /* cycles of the matrix unit */
	s64 last; /* and of them those behind the last weights */
	s64 first; /* before the first push */
	s64 bytes; /* of weights */
};

static s64 bytes_per_cycle(const struct rondo_machine *m)
{
	return (s64)m->dma_bytes_per_cycle * RONDO_DMA_CHANNELS;
}

/*
 * Cycles of both; weights that come in beside earlier stages count as far as they, or those of
 * stages to come, are too late for it.
 */
static s64 packed_cycles(const struct plans *p, const struct rondo_machine *m,
			 const struct packed *c)
{
	s64 late = (p->moved + c->bytes) / bytes_per_cycle(m) - p->worked, cycles;
	s64 unit = c->unit + (p->worked ? 0 : c->first);

	if (!p->settling) /* they take energy, too */
		return c->unit + c->bytes / bytes_per_cycle(m) * 3 / 2;
	cycles = late + c->last > unit ? late + c->last : unit;
	late += p->ahead;
	return late > cycles ? late : cycles;
}

bool plan_slides(const struct stage *packed, const struct rondo_machine *m, bool settled,
		 struct plan_slide *slide)
{
	int first = packed->dims - packed->reduced, along = packed->pixels[0] > 1 ? KY : KX;
	const s64 *k = &packed->size[first];
	s64 columns = k[-1], pixels = packed->pixels[along], containers = stage_containers(packed);
	s64 rows = k[KY] * k[KX] * containers, saved;

	*slide = (struct plan_slide){ .columns = columns / pixels };
	if (pixels == 1 || (columns > m->lanes && m->lanes % slide->columns))
		return false;
	slide->step = packed->pixel_taps[along] * containers * (along == KY ? k[KX] : 1);
	slide->before = (pixels - 1) * slide->step;
	saved = (rows * columns - (slide->before + rows) * slide->columns) * CONTAINER_BYTES;
	return settled || saved >= m->sram_bytes / SLIDING_PART;
}

bool plan_spreads(const struct stage *packed, const struct rondo_machine *m, bool settled)
{
	struct plan_slide slide;

	return packed->pixels[1] > 1 && packed->pixels[0] == 1 && packed->size[0] == 1 &&
	       packed->size[1] == 1 && value_element(packed->in[0].value) == 1 &&
	       (s64)plan_rows(packed, packed->size) <= m->lanes &&
	       !plan_slides(packed, m, settled, &slide);
}

bool plan_scatters(const struct stage *s, const struct layout *out)
{
	return s->node->op == OP_CONV && !s->narrows &&
	       plan_stride(&s->out, out, s->dims - s->reduced - 1) != out->element;
}

/* For @pixels in the lanes, about. */
static struct packed packed_cost(const struct plans *p, const struct stage *s,
				 const struct rondo_machine *m, const s64 pixels[2])
{
	s64 lanes = m->lanes;
	struct stage packed;
	const s64 *size, *k;
	s64 row, pushes, rows, columns, all, strips, groups, outer, spread = 0;
	struct plan_slide slide;
	struct packed c;

	stage_pack(s, pixels, &packed);
	size = &packed.size[packed.dims - packed.reduced - 3];
	k = &packed.size[packed.dims - packed.reduced];
	groups = s->size[1];
	outer = s->size[0] * groups;
	row = k[KX] * stage_containers(&packed);
	rows = k[KY] * row;
	pushes = s->in[0].step[s->in[0].as.rank - 1][s->dims - 2] == 1 || k[KX] == 1 ?
			 tile_pushes(m, k[KY], row) :
			 k[KY] * tile_pushes(m, k[KX], stage_containers(&packed));
	columns = (size[2] + lanes - 1) / lanes;
	all = size[0] * size[1];
	strips = columns * pushes > 1 ? (all + m->acc_rows - 1) / m->acc_rows : 1;
	c.bytes = groups * rows * size[2] * CONTAINER_BYTES;
	if (plan_slides(&packed, m, p->settling, &slide))
		c.bytes = groups * (slide.before + rows) * slide.columns * CONTAINER_BYTES;
	c.last = all;
	if (plan_scatters(s, &p->layout[s->out.value->id]))
		c.last *= pixels[0] * pixels[1];
	c.first = rows / pushes;
	if (plan_spreads(&packed, m, p->settling)) {
		c.bytes = c.bytes / pixels[1] / k[KX] * s->size[s->dims - 2];
		spread = rows * columns;
	}
	all *= pushes * columns * outer;
	rows *= columns * strips * outer;
	c.unit = (all > rows ? all : rows) + spread;
	return c;
}

/* Whether @pixels may lie in the lanes: one lane pattern must store them, or one for each. */
static bool may_lie(const struct stage *s, const struct layout *out, const s64 pixels[2], s64 lanes)
{
	int first = s->dims - s->reduced, column = first - 1, row = column - 2;
	s64 columns = s->size[column], all = pixels[0] * pixels[1] * columns;
	bool behind = plan_stride(&s->out, out, column - 1) == columns * out->element;

	if (plan_stride(&s->out, out, column) != out->element &&
	    (!plan_scatters(s, out) || all > lanes))
		return false;
	for (int i = 0; i < 2; i++) {
		if (s->size[row + i] % pixels[i] ||
		    (pixels[i] > 1 && s->in[0].step[s->in[0].as.rank - 2 + i][first + i] != 1))
			return false;
	}
	if (all > lanes) /* biases of floats must not begin within a pixel */
		return behind && pixels[0] == 1 && all <= PACKED_TILES * lanes &&
		       (s->node->op == OP_CONVINTEGER || lanes % columns == 0);
	return behind || pixels[0] == 1 || pixels[1] == 1 || plan_scatters(s, out);
}

/* How many pixels lie in the lanes: as many as cost the fewest cycles. */
static void choose_pixels(const struct plans *p, const struct stage *s,
			  const struct rondo_machine *m, s64 pixels[2])
{
	const struct layout *out = &p->layout[s->out.value->id];
	const s64 *size = &s->size[s->dims - s->reduced - 3];
	s64 most = (s64)(p->sram ? p->sram : m->sram_bytes) / PACKED_PART;
	s64 least, cycles, n[2];
	struct packed cost, best;

	pixels[0] = pixels[1] = 1;
	/* Weights of bf16 cannot be absent. */
	if (!op_is_conv(s->node->op) || !value_is_const(s->in[1].value) || s->in[0].value->bf16)
		return;
	best = packed_cost(p, s, m, pixels);
	least = packed_cycles(p, m, &best);
	if (p->settling && most > p->room + best.bytes)
		most = p->room + best.bytes;
	for (n[0] = 1; n[0] <= m->lanes && n[0] <= size[0]; n[0]++) {
		for (n[1] = 1; n[1] <= m->lanes && n[1] <= size[1]; n[1]++) {
			if (n[0] * n[1] == 1 || !may_lie(s, out, n, m->lanes))
				continue;
			cost = packed_cost(p, s, m, n);
			cycles = packed_cycles(p, m, &cost);
			if (cost.bytes > most || cycles > least ||
			    (cycles == least && cost.bytes >= best.bytes))
				continue;
			best = cost;
			least = cycles;
			memcpy(pixels, n, sizeof(n));
		}
	}
}

void plan_pack(const struct stage *s, const struct plan *plan, struct stage *packed)
{
	stage_pack(s, plan->pixels, packed);
	if (plan->cut_sums && !s->whole)
		memcpy(packed->size, plan->tile, sizeof(packed->size));
}

/* Whether all of the stage that @s is, or is a tile of, has more than one pixel. */
static bool has_pixels(const struct stage *s)
{
	const struct stage *all = s->whole ? s->whole : s;
	int column = all->dims - all->reduced - 1;

	return all->size[column - 2] * all->size[column - 1] > 1;
}

int plan_product(struct graph *g, const struct stage *whole, const struct rondo_machine *m,
		 struct plan *plan)
{
	struct stage packed;
	const struct stage *s = &packed;
	s64 kernels;
	int rc;

	plan_pack(whole, plan, &packed);
	rc = plan_pushes(g, s, &plan->in[0], plan_joins(s, &plan->in[0]), m, &plan->k);
	if (rc)
		return rc;
	if (!plan->cut_sums && has_pixels(whole))
		tile_shortest_first(&plan->k);
	plan->unit = PLAN_MATRIX;
	plan->outer = s->dims - s->reduced - 3;
	plan->strip = tile_pixels(m, s->size[plan->outer + 1], s->size[plan->outer]);
	kernels = count_kernels(s, plan, m);
	plan->unrolled = kernels <= KERNELS_MAX;
	for (plan->looped = plan->outer; plan->looped; plan->looped--) {
		kernels *= s->size[plan->looped - 1];
		if (kernels > KERNELS_MAX)
			break;
	}
	if (plan->piece || plan->cut_sums) { /* there is no loop around transfers */
		plan->unrolled = true;
		plan->looped = 0;
	}
	return 0;
}

/* ---- The rest -------------------------------------------------------------------------------- */

/* Whether the result of the move @s is where its input is, or may be. */
static bool is_alias(const struct plans *p, const struct stage *s)
{
	const struct value *in = s->in[0].value, *out = s->out.value;

	if (p->whole[in->id] == out)
		return true;
	if (p->outside[in->id] != p->outside[out->id] || (out->is_output && p->outside[out->id]))
		return false;
	return s->node->op == OP_VIEW && !value_is_const(in) &&
	       layout_is_row_major(&p->layout[in->id]) && layout_is_row_major(&p->layout[out->id]);
}

/* Bytes that are summed over for one result. */
static u64 row_bytes(const struct stage *s)
{
	u64 bytes = (u64)stage_containers(s) * CONTAINER_BYTES;

	for (int d = s->dims - s->reduced; d < s->dims - 1; d++)
		bytes *= (u64)s->size[d];
	return bytes;
}

void plan_least_sums(const struct stage *s, const struct rondo_machine *m, s64 *size)
{
	int column = s->dims - s->reduced - 1, c = s->dims - 1;
	s64 grain = plan_sums_grain(s, m);

	for (int d = 0; d < s->dims; d++)
		size[d] = 1;
	size[column] = s->size[column] < m->lanes ? s->size[column] : m->lanes;
	size[c] = s->size[c] < grain ? s->size[c] : grain;
}

s64 plan_sums_grain(const struct stage *s, const struct rondo_machine *m)
{
	return m->lanes * CONTAINER_BYTES / value_element(s->in[0].value);
}

void plan_cut_sums(struct plan *plan)
{
	plan->cut_sums = true;
	plan->columns_first = false;
	plan->pixels[0] = plan->pixels[1] = 1;
}

/* How many terms a result of @s has, if these are one row whose weights are known; else 0. */
static s64 terms_of_row(const struct stage *s, const struct plan *plan)
{
	int first = s->dims - s->reduced;
	s64 stride = CONTAINER_BYTES;

	if ((s->node->op != OP_CONV && s->node->op != OP_LINEAR) || !value_is_const(s->in[1].value))
		return 0;
	for (int d = 0; d < first - 1; d++) {
		if (s->size[d] != 1)
			return 0;
	}
	for (int d = s->dims - 1; d >= first; d--) {
		if (s->size[d] > 1 && plan_stride(&s->in[0], &plan->in[0], d) != stride)
			return 0;
		stride *= s->size[d];
	}
	return stride / CONTAINER_BYTES;
}

/*
 * Whether dot products are faster: a row of weights serves one push, and only as many rows as both
 * buffers hold are there before the input is.
 */
static bool dots_are_faster(const struct stage *s, const struct plan *plan,
			    const struct rondo_machine *m)
{
	s64 terms = terms_of_row(s, plan), columns = s->size[s->dims - s->reduced - 1];
	s64 vectors = (terms + m->lanes - 1) / m->lanes;
	s64 tiles = (columns + m->lanes - 1) / m->lanes, late = terms * tiles - 2 * m->lanes;

	return terms && vectors <= DOT_VECTORS &&
	       columns * (vectors + 1) / 2 + DOT_LATENCY < (late > 0 ? late : 0) + vectors * tiles;
}

static int plan_stage(struct graph *g, struct plans *p, const struct stage *s,
		      const struct rondo_machine *m, struct plan *plan)
{
	*plan = (struct plan){ .unit = PLAN_VECTOR };
	for (int i = 0; i < STAGE_INPUTS; i++) {
		if (s->in[i].value)
			plan->in[i] = wanted(g, p, s, i);
	}
	if (s->kind == STAGE_MOVE && is_alias(p, s))
		plan->unit = PLAN_ALIAS;
	if (s->kind != STAGE_PRODUCT || vectors_are_faster(s, m))
		return 0;
	plan->dots = p->settling && dots_are_faster(s, plan, m);
	if (plan->dots)
		return 0;
	choose_pixels(p, s, m, plan->pixels);
	if (row_bytes(s) > m->sram_bytes) { /* there is no need to know how all of it is pushed */
		plan_least_sums(s, m, plan->tile);
		plan_cut_sums(plan);
	}
	return plan_product(g, s, m, plan);
}

int plan_again(struct graph *g, struct plans *p, int i, const struct rondo_machine *machine)
{
	return plan_stage(g, p, p->stages->at[i], machine, &p->at[i]);
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* Whether tiles of @size points cut coordinate @i of @a because they cut what is summed over. */
static bool cuts_sums(const struct stage *s, const struct stage_access *a, int i, const s64 *size)
{
	int c = s->dims - 1;

	return s->kind == STAGE_PRODUCT && size[c] < s->size[c] && a->step[i][c];
}

struct box plan_in_box(const struct stage *s, const struct stage_access *a, const struct layout *l,
		       const s64 *origin, const s64 *size)
{
	static const s64 zero[STAGE_DIMS];
	struct box b = box_of_access(a, s->dims, origin, size);
	const struct box all = box_of_access(a, s->dims, zero, s->size), cells = box_cells(l);

	for (int i = 0; i < b.rank; i++) {
		/* Pushes take whole containers of the last bytes, too. */
		if (cuts_sums(s, a, i, size) && b.lo[i] + b.n[i] == l->dim[i])
			b.n[i] = cells.lo[i] + cells.n[i] - b.lo[i];
		/* Not if it is a small part of the value, as of a Split. */
		if (b.n[i] < all.n[i] || b.n[i] * 2 < l->dim[i])
			continue;
		b.lo[i] = cells.lo[i];
		b.n[i] = cells.n[i];
	}
	return b;
}

struct box plan_out_box(const struct stage *s, const struct layout *l, const s64 *origin,
			const s64 *size)
{
	struct box b = box_of_access(&s->out, s->dims, origin, size);
	const struct box cells = box_cells(l);

	for (int i = 0; i < b.rank; i++) {
		s64 end = b.lo[i] + b.n[i];

		if (!b.lo[i])
			b.lo[i] = cells.lo[i];
		if (end == l->dim[i])
			end = cells.lo[i] + cells.n[i];
		b.n[i] = end - b.lo[i];
	}
	return b;
}

bool plan_points(const struct stage *s, const struct box *b, s64 *origin, s64 *size)
{
	static const s64 zero[STAGE_DIMS];
	const struct box all = box_of_access(&s->out, s->dims, zero, s->size);
	int moved[TENSOR_RANK_MAX] = { 0 };

	for (int d = 0; d < s->dims; d++) {
		origin[d] = 0;
		size[d] = s->size[d];
		for (int i = 0; i < b->rank; i++)
			moved[i] += s->out.step[i][d] && s->size[d] > 1;
	}
	for (int d = 0; d < s->dims; d++) {
		for (int i = 0; i < b->rank; i++) {
			if (!s->out.step[i][d] || s->size[d] == 1 || b->n[i] == all.n[i])
				continue;
			if (s->out.step[i][d] != 1 || moved[i] > 1 || !stage_may_cut(s, d))
				return false;
			origin[d] = b->lo[i] - s->out.at[i];
			size[d] = b->n[i];
		}
	}
	return true;
}

/* Whether @tile takes as many pixels at a time as the stage that it is a part of. */
static bool may_pack(const struct stage *tile, const struct plan *whole)
{
	int column = tile->dims - tile->reduced - 1;

	return !whole->piece && tile->size[column - 2] % whole->pixels[0] == 0 &&
	       tile->size[column - 1] % whole->pixels[1] == 0 &&
	       (!tile->whole || tile->size[column] == tile->whole->size[column]);
}

/* By how much the dimensions of @s move coordinate @i of @a, at least. */
static s64 step_of(const struct stage *s, const struct stage_access *a, int i)
{
	s64 all = 0;

	for (int d = 0; d < s->dims; d++) {
		s64 step = s->size[d] > 1 ? a->step[i][d] : 0;

		while (step) { /* their greatest common divisor */
			s64 rest = all % step;

			all = step;
			step = rest;
		}
	}
	return all;
}

static void thin_layout(struct layout *l, int i, s64 step)
{
	l->dim[i] = l->cells[i] = (l->dim[i] + step - 1) / step;
	l->pad[i] = 0;
	l->stride[i] *= step;
}

void plan_thin(const struct stage *s, struct stage_access *a, struct layout *lies,
	       struct layout *want, u64 *skipped)
{
	static const s64 zero[STAGE_DIMS];
	const struct box all = box_of_access(a, s->dims, zero, s->size);
	const struct box elements = box_elements(lies);

	*skipped = 0;
	if (!box_inside(&all, &elements))
		return;
	for (int i = 0; i < a->as.rank; i++) {
		s64 step = step_of(s, a, i);

		if (step < 2 || a->at[i])
			continue;
		*skipped += (u64)(lies->pad[i] * lies->stride[i]);
		thin_layout(lies, i, step);
		thin_layout(want, i, step);
		a->as.dim[i] = lies->dim[i];
		for (int d = 0; d < s->dims; d++)
			a->step[i][d] /= step;
	}
}

int plan_tile(struct graph *g, const struct stage *tile, const struct plan *whole,
	      const struct layout *in, const struct rondo_machine *machine, struct plan *out)
{
	*out = *whole;
	for (int i = 0; i < STAGE_INPUTS; i++)
		out->in[i] = in[i];
	if (whole->unit == PLAN_MATRIX && !may_pack(tile, whole))
		out->pixels[0] = out->pixels[1] = 1;
	return whole->unit == PLAN_MATRIX ? plan_product(g, tile, machine, out) : 0;
}

int plans_make(struct graph *g, const struct stages *s, const struct rondo_machine *machine,
	       struct plans *out)
{
	int rc;

	*out = (struct plans){ .stages = s };
	out->at = graph_alloc(g, (s->count + 1) * sizeof(*out->at));
	if (!out->at)
		return g->err->code;
	rc = choose_layouts(g, out);
	for (int i = 0; i < s->count && !rc; i++)
		rc = plan_stage(g, out, s->at[i], machine, &out->at[i]);
	return rc;
}

/* Bytes of the constants of @s in the model. */
static s64 own_bytes(const struct stage *s)
{
	s64 bytes = 0;

	for (int i = 0; i < STAGE_INPUTS; i++) {
		if (s->in[i].value && value_is_const(s->in[i].value))
			bytes += (s64)layout_dense(s->in[i].value).bytes;
	}
	return bytes;
}

/* Bytes of constants that @s reads, and cycles that it takes about, as it is planned. */
static struct packed stage_cost(const struct plans *p, const struct stage *s,
				const struct plan *plan, const struct rondo_machine *m)
{
	struct packed cost = { 0 };

	if (plan->unit == PLAN_MATRIX && value_is_const(s->in[1].value))
		return packed_cost(p, s, m, plan->pixels);
	cost.bytes = own_bytes(s);
	if (plan->unit != PLAN_ALIAS)
		cost.unit = shape_elems(&s->out.value->shape) / m->lanes;
	return cost;
}

/* By stage: plans.ahead, for the plans that there are. */
static s64 *find_ahead(struct graph *g, const struct plans *p, const struct rondo_machine *m)
{
	int count = p->stages->count;
	s64 *ahead = graph_alloc(g, (count + 1) * sizeof(*ahead));

	for (int i = count - 2; i >= 0 && ahead; i--) {
		struct packed next = stage_cost(p, p->stages->at[i + 1], &p->at[i + 1], m);
		s64 behind = ahead[i + 1] - next.unit;

		ahead[i] = next.bytes / bytes_per_cycle(m) + (behind > 0 ? behind : 0);
	}
	return ahead;
}

int plans_settle(struct graph *g, struct plans *p, const struct rondo_machine *machine)
{
	s64 *ahead;
	int rc = 0;

	p->moved = 0;
	for (const struct value *v = g->values; v; v = v->next)
		p->moved += value_is_const(v) && v->uses ? (s64)layout_dense(v).bytes : 0;
	p->room = (s64)machine->sram_bytes / SETTLED_PART - p->moved - SETTLED_OTHERS;
	p->settling = p->settled = p->room >= 0;
	if (!p->settling)
		return 0;
	ahead = find_ahead(g, p, machine);
	if (!ahead)
		return g->err->code;
	p->moved = p->worked = 0;
	for (size_t i = 0; i < g->inputs.n; i++)
		p->moved += (s64)p->layout[g->inputs.v[i]->id].bytes;
	for (int i = 0; i < p->stages->count && !rc; i++) {
		struct packed cost;

		p->ahead = ahead[i];
		rc = plan_again(g, p, i, machine);
		cost = stage_cost(p, p->stages->at[i], &p->at[i], machine);
		p->room -= cost.bytes - own_bytes(p->stages->at[i]);
		p->moved += cost.bytes;
		p->worked += cost.unit;
	}
	p->settling = false;
	return rc;
}
