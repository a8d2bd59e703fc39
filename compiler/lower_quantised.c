// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Quantised tensors element by element: into integers and out of them, Requantize alone, tables,
 * sums of two; and sums over windows.
 */
#include "compiler/lower_quantised.h"

#include <errno.h>

enum { BYTES = 4, TABLE_BYTES = 256, TAPS_UNROLLED = 64, PARAMETERS = 3 };

/* A parameter of each channel: one register, or an operand of the map. */
struct parameter {
	vreg v;
	int operand; /* 0: it is v */
};

struct body {
	const struct node *node;
	struct parameter p[PARAMETERS];
	vreg params; /* of Requantize, if channels do not differ; else VREG_NONE */
	vreg k[PARAMETERS]; /* of sums of two: numbers, or parameters of Requantize */
	vreg lo, hi; /* of QLinearAdd, if it has such bounds; else VREG_NONE */
	enum rondo_opcode end; /* of FixedAdd */
	s64 kernel[2], step[2]; /* of a window: taps, and bytes between them: rows, pixels */
	vreg begin; /* of its sum */
};

static vreg get(struct mir *m, const struct map *map, const struct parameter *p)
{
	return p->operand ? map_load(m, map, p->operand, 0) : p->v;
}

/* ---- Operands -------------------------------------------------------------------------------- */

vreg lower_s32(struct lowering *l, s32 x)
{
	float bits;

	memcpy(&bits, &x, sizeof(bits));
	return lower_f32(l, bits, l->machine->lanes);
}

static void add_operand(struct map *map, const struct operand_at *at, const struct stage_access *a)
{
	map->operand[map->operands++] =
		(struct map_operand){ at->buf, plan_base(a, &at->layout), lower_type(a->value) };
}

/* The result, and the inputs of the stage. */
static void add_operands(struct lowering *l, const struct stage *s, const struct plan *p,
			 struct map *map, struct operand_at at[1 + STAGE_INPUTS])
{
	for (int i = 0; i < STAGE_INPUTS && s->in[i].value; i++)
		at[1 + i] = lower_input(l, s, p, i);
	at[0] = lower_out(l, s);
	add_operand(map, &at[0], &s->out);
	for (int i = 0; i < STAGE_INPUTS && s->in[i].value; i++)
		add_operand(map, &at[1 + i], &s->in[i]);
}

/* Parameter @k: containers @value for each of @n channels, one register where all are the same. */
static void add_parameter(struct lowering *l, struct map *map, struct body *b, int k,
			  const s32 *value, s64 n)
{
	struct mir_ref ref;
	s64 same = 1;

	while (same < n && value[same] == value[0])
		same++;
	if (same == n) {
		b->p[k] = (struct parameter){ .v = lower_s32(l, value[0]) };
		return;
	}
	ref = lower_const(l, value, (u64)n * BYTES, NULL);
	b->p[k] = (struct parameter){ .operand = map->operands };
	map->operand[map->operands++] = (struct map_operand){ ref.buf, ref.offset, MAP_WORDS };
}

/* Runs @map over the domain of @s; parameters of channels follow the result's dimension @axis. */
static void run(struct lowering *l, const struct stage *s, struct map *map,
		const struct operand_at *at, int inputs, int axis)
{
	for (int i = 1 + inputs; i < map->operands; i++)
		map->operand[i].offset += s->out.at[axis] * BYTES;
	for (int d = 0; d < s->dims - s->reduced; d++) {
		s64 stride[MAP_OPERANDS] = { plan_stride(&s->out, &at[0].layout, d) };

		for (int i = 0; i < inputs; i++)
			stride[1 + i] = plan_stride(&s->in[i], &at[1 + i].layout, d);
		for (int i = 1 + inputs; i < map->operands; i++)
			stride[i] = (s64)s->out.step[axis][d] * BYTES;
		map_dim(map, s->size[d], stride);
	}
	map_run(&l->mir, l->machine->lanes, map);
}

static s64 channels_of(const struct shape *s, const struct value *scale, int axis)
{
	return shape_elems(&scale->shape) == 1 ? 1 : s->dim[axis];
}

static int axis_of(const struct node *n)
{
	int rank = n->out[0]->shape.rank;

	return (int)(n->attrs.axis < 0 ? n->attrs.axis + rank : n->attrs.axis);
}

/* ---- Into integers and out of them ----------------------------------------------------------- */

enum { SCALE, ZERO, LEAST };

static void quantize_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x = mir_v2(m, RONDO_OP_fdiv, map_load(m, map, 1, 0), get(m, map, &b->p[SCALE]));

	/* NaN gives the least integer. */
	x = mir_v2(m, RONDO_OP_fmax, x, get(m, map, &b->p[LEAST]));
	x = mir_v2(m, RONDO_OP_adds, mir_v1(m, RONDO_OP_f2i, x), get(m, map, &b->p[ZERO]));
	map_store(m, map, 0, x);
}

static void dequantize_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x = mir_v2(m, RONDO_OP_sub, map_load(m, map, 1, 0), get(m, map, &b->p[ZERO]));

	x = mir_v2(m, RONDO_OP_fmul, mir_v1(m, RONDO_OP_i2f, x), get(m, map, &b->p[SCALE]));
	map_store(m, map, 0, x);
}

static s32 float_bits(float f)
{
	s32 bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

/* The parameter @k of all @n channels. */
static s32 *parameter_values(struct lowering *l, const struct node *n, int k, s64 channels)
{
	enum dtype type = n->op == OP_QUANTIZE ? n->out[0]->dtype : node_in(n, 0)->dtype;
	const struct value *scale = node_in(n, 1), *zero = node_in(n, 2);
	s32 *to = graph_alloc(l->g, (size_t)channels * sizeof(*to));

	for (s64 c = 0; to && c < channels; c++) {
		s32 z = zero ? quantise_read(zero->dtype, zero->data, c) : 0;

		to[c] = k == SCALE ? ((const s32 *)scale->data)[c] :
			k == ZERO  ? z :
				     float_bits((float)(quantise_least(type) - z));
	}
	return to;
}

static int lower_scaled(struct lowering *l, const struct stage *s, const struct plan *p,
			void (*body)(struct mir *m, const struct map *map, void *arg),
			int parameters)
{
	const struct node *n = s->node;
	struct body b = { .node = n };
	struct map map = { .body = body, .arg = &b };
	struct operand_at at[1 + STAGE_INPUTS];
	int axis = axis_of(n);
	s64 channels = channels_of(&n->out[0]->shape, node_in(n, 1), axis);

	for (int i = 1; i < 3; i++) {
		if (node_in(n, i) && !node_in(n, i)->data)
			return node_fail(l->g, n, -ENOTSUP,
					 "its input %d \"%.80s\" is known only at run time", i,
					 node_in(n, i)->name);
	}
	add_operands(l, s, p, &map, at);
	for (int k = 0; k < parameters; k++) {
		const s32 *values = parameter_values(l, n, k, channels);

		if (!values)
			return l->g->err->code;
		add_parameter(l, &map, &b, k, values, channels);
	}
	run(l, s, &map, at, 1, channels > 1 ? axis : 0);
	return 0;
}

int lower_quantize(struct lowering *l, const struct stage *s, const struct plan *p)
{
	return lower_scaled(l, s, p, quantize_body, 3);
}

int lower_dequantize(struct lowering *l, const struct stage *s, const struct plan *p)
{
	return lower_scaled(l, s, p, dequantize_body, 2);
}

/* ---- Requantize ------------------------------------------------------------------------------ */

u32 quantised_packed(const struct requantise *r)
{
	return (u32)(u8)r->shift | (u32)(u8)r->zero << 8 | (u32)(u8)r->lo << 16 |
	       (u32)(u8)r->hi << 24;
}

enum rondo_opcode quantised_op(const struct node *n)
{
	bool is_signed = n->out[0]->dtype == DTYPE_S8;

	if (node_in(n, 1)->dtype == DTYPE_S32)
		return is_signed ? RONDO_OP_rq_fix_s8 : RONDO_OP_rq_fix_u8;
	return is_signed ? RONDO_OP_rq_flt_s8 : RONDO_OP_rq_flt_u8;
}

enum rondo_opcode quantised_store_op(const struct node *n)
{
	bool is_signed = n->out[0]->dtype == DTYPE_S8;

	if (node_in(n, 1)->dtype == DTYPE_S32)
		return is_signed ? RONDO_OP_stq_fix_s8 : RONDO_OP_stq_fix_u8;
	return is_signed ? RONDO_OP_stq_flt_s8 : RONDO_OP_stq_flt_u8;
}

/* The parameters of the Requantize @n: registers, or, if channels differ, operands of the map. */
static int add_requantise(struct lowering *l, const struct node *n, struct map *map, struct body *b)
{
	s64 channels = 1;
	s32 *to;

	for (int i = 1; i < n->n_in; i++) {
		if (node_in(n, i) && shape_elems(&node_in(n, i)->shape) > 1)
			channels = shape_elems(&node_in(n, i)->shape);
	}
	to = graph_alloc(l->g, PARAMETERS * (size_t)channels * sizeof(*to));
	if (!to)
		return l->g->err->code;
	for (s64 c = 0; c < channels; c++) {
		struct requantise r = requantise_of(n, c);

		to[c] = r.bias;
		to[channels + c] = r.multiplier;
		to[2 * channels + c] = (s32)quantised_packed(&r);
	}
	b->params = channels == 1 ? mir_vreg3(&l->mir) : VREG_NONE;
	for (int k = 0; k < PARAMETERS; k++) {
		struct mir_ref ref = lower_const(l, to + k * channels, (u64)channels * BYTES, NULL);

		b->p[k].operand = map->operands;
		if (channels == 1)
			mir_load_part(&l->mir, b->params, k, RONDO_OP_ldb_w, ref,
				      l->machine->lanes);
		else
			map->operand[map->operands++] =
				(struct map_operand){ ref.buf, ref.offset, MAP_WORDS };
	}
	return 0;
}

static vreg requantise_body(struct mir *m, const struct map *map, const struct body *b, vreg x)
{
	vreg params = b->params;

	if (params == VREG_NONE) {
		params = mir_vreg3(m);
		for (int k = 0; k < PARAMETERS; k++)
			map_load_part(m, map, b->p[k].operand, params, k);
	}
	return mir_requantise(m, quantised_op(b->node), x, params);
}

static void alone_body(struct mir *m, const struct map *map, void *arg)
{
	map_store(m, map, 0, requantise_body(m, map, arg, map_load(m, map, 1, 0)));
}

int lower_requantize(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct body b = { .node = s->node };
	struct map map = { .body = alone_body, .arg = &b };
	struct operand_at at[1 + STAGE_INPUTS];
	int rc;

	add_operands(l, s, p, &map, at);
	rc = add_requantise(l, s->node, &map, &b);
	if (!rc)
		run(l, s, &map, at, 1, axis_of(s->node));
	return rc;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

int lower_lookup(struct lowering *l, const struct node *n, int tables, const u8 (*bytes)[256],
		 struct lookup *t)
{
	const int size = l->machine->lanes * BYTES;
	struct mir_ref ref;
	void *room;

	t->registers = (TABLE_BYTES + size - 1) / size;
	if (t->registers > LOOKUP_REGISTERS)
		return node_fail(l->g, n, -ENOTSUP,
				 "a table of %d bytes does not fit in registers of %d lanes",
				 TABLE_BYTES, l->machine->lanes);
	for (int i = 1; i < t->registers; i++)
		t->limit[i] = lower_s32(l, i * size);
	for (int k = 0; k < tables; k++) {
		ref = lower_const(l, NULL, (u64)t->registers * (u64)size, &room);
		if (room)
			memcpy(room, bytes[k], TABLE_BYTES);
		for (int i = 0; i < t->registers; i++)
			t->table[k][i] = mir_load(&l->mir, RONDO_OP_ld_w,
						  mir_ref(ref.buf, ref.offset + i * size),
						  l->machine->lanes);
	}
	return 0;
}

/* The last register whose limit is not above x counts. */
vreg lookup(struct mir *m, const struct lookup *t, int i, vreg x)
{
	vreg y = mir_v2(m, RONDO_OP_lut, x, t->table[i][0]);

	for (int k = 1; k < t->registers; k++) {
		vreg other = mir_v2(m, RONDO_OP_lut, x, t->table[i][k]);
		vreg below = mir_v2(m, RONDO_OP_cmplt, x, t->limit[k]);

		y = mir_v3(m, RONDO_OP_sel, y, other, below);
	}
	return y;
}

static void table_body(struct mir *m, const struct map *map, void *arg)
{
	map_store(m, map, 0, lookup(m, arg, 0, map_load(m, map, 1, 0)));
}

int lower_table(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct lookup t;
	struct map map = { .body = table_body, .arg = &t };
	struct operand_at at[1 + STAGE_INPUTS];
	int rc = lower_lookup(l, s->node, 1, node_in(s->node, 1)->data, &t);

	if (rc)
		return rc;
	add_operands(l, s, p, &map, at);
	map.operand[0].type = map.operand[1].type = MAP_U8; /* bytes, whatever they mean */
	run(l, s, &map, at, 1, 0);
	return 0;
}

/* ---- Sums of two ----------------------------------------------------------------------------- */

enum { BY_A, BY_B, REST };

static void add_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x = mir_v1(m, RONDO_OP_i2f, map_load(m, map, 1, 0));
	vreg y = mir_v1(m, RONDO_OP_i2f, map_load(m, map, 2, 0));

	y = mir_v3(m, RONDO_OP_fma, y, b->k[BY_B], b->k[REST]);
	x = mir_v1(m, RONDO_OP_f2i, mir_v3(m, RONDO_OP_fma, x, b->k[BY_A], y));
	if (b->lo != VREG_NONE)
		x = mir_v2(m, RONDO_OP_max, x, b->lo);
	if (b->hi != VREG_NONE)
		x = mir_v2(m, RONDO_OP_min, x, b->hi);
	map_store(m, map, 0, x);
}

int lower_qlinear_add(struct lowering *l, const struct stage *s, const struct plan *p)
{
	const void *in[NODE_IN_FIXED] = { 0 };
	struct body b = { 0 };
	struct map map = { .body = add_body, .arg = &b };
	struct operand_at at[1 + STAGE_INPUTS];
	enum dtype type = s->node->out[0]->dtype;
	struct quantised_sum sum;
	s32 lo, hi;

	for (int i = 0; i < s->node->n_in; i++)
		in[i] = node_in(s->node, i) ? node_in(s->node, i)->data : NULL;
	sum = quantised_sum_of(s->node, in);
	add_operands(l, s, p, &map, at);
	b.k[BY_A] = lower_f32(l, sum.a, l->machine->lanes);
	b.k[BY_B] = lower_f32(l, sum.b, l->machine->lanes);
	b.k[REST] = lower_f32(l, sum.rest, l->machine->lanes);
	quantise_bounds(s->node, &lo, &hi);
	b.lo = lo > quantise_least(type) ? mir_movi(&l->mir, lo) : VREG_NONE;
	b.hi = hi < quantise_most(type) ? mir_movi(&l->mir, hi) : VREG_NONE;
	run(l, s, &map, at, 2, 0);
	return 0;
}

static void fixed_add_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x[2];

	for (int i = 0; i < 2; i++)
		x[i] = mir_requantise_left(m, RONDO_OP_rq_fix_s32, map_load(m, map, 1 + i, 0),
					   FIXED_ADD_BITS, b->k[i]);
	map_store(m, map, 0,
		  mir_requantise(m, b->end, mir_v2(m, RONDO_OP_add, x[0], x[1]), b->k[2]));
}

/* The parameters @r in every lane. */
static vreg lower_requantise(struct lowering *l, const struct requantise *r)
{
	const u32 part[] = { (u32)r->bias, (u32)r->multiplier, quantised_packed(r) };
	struct mir_ref ref = lower_const(l, part, sizeof(part), NULL);
	vreg params = mir_vreg3(&l->mir);

	for (int k = 0; k < 3; k++, ref.offset += BYTES)
		mir_load_part(&l->mir, params, k, RONDO_OP_ldb_w, ref, l->machine->lanes);
	return params;
}

int lower_fixed_add(struct lowering *l, const struct stage *s, const struct plan *p)
{
	const struct fixed_sum sum = quantise_fixed_sum(s->node);
	bool is_signed = s->node->out[0]->dtype == DTYPE_S8;
	struct body b = { .end = is_signed ? RONDO_OP_rq_fix_s8 : RONDO_OP_rq_fix_u8 };
	struct map map = { .body = fixed_add_body, .arg = &b };
	struct operand_at at[1 + STAGE_INPUTS];

	add_operands(l, s, p, &map, at);
	for (int i = 0; i < 2; i++)
		b.k[i] = lower_requantise(l, &sum.in[i]);
	b.k[2] = lower_requantise(l, &sum.out);
	run(l, s, &map, at, 2, 0);
	return 0;
}

/* ---- Sums over windows ----------------------------------------------------------------------- */

static vreg load_tap(struct mir *m, const struct map *map, const struct body *b, s64 tap)
{
	return map_load(m, map, 1,
			tap / b->kernel[1] * b->step[0] + tap % b->kernel[1] * b->step[1]);
}

static vreg sum_taps(struct mir *m, const struct map *map, const struct body *b)
{
	s64 taps = b->kernel[0] * b->kernel[1];
	struct map tap = *map;
	vreg sum = b->begin;

	for (s64 t = 0; t < taps && taps <= TAPS_UNROLLED; t++)
		sum = mir_v2(m, RONDO_OP_add, load_tap(m, map, b, t), sum);
	if (taps <= TAPS_UNROLLED)
		return sum;
	sum = mir_v1(m, RONDO_OP_mov, b->begin);
	for (int d = 0; d < 2; d++)
		tap.ref[1].stride[mir_loop(m, b->kernel[d])] = (s32)b->step[d];
	mir_v2_into(m, sum, RONDO_OP_add, map_load(m, &tap, 1, 0), sum);
	mir_end(m);
	mir_end(m);
	return sum;
}

static void sum_pool_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg sum = sum_taps(m, map, b);

	map_store(m, map, 0, b->node ? requantise_body(m, map, b, sum) : sum);
}

/* The padding holds the zero, so that every cell of a window has its share of it. */
int lower_sum_pool(struct lowering *l, const struct stage *s, const struct plan *p)
{
	enum { KY = 4, KX };
	const struct value *zero = node_in(s->node, 1);
	struct body b = { .node = s->epilogue };
	struct map map = { .body = sum_pool_body, .arg = &b };
	struct operand_at at[1 + STAGE_INPUTS];
	int rc = 0;
	s64 take;

	if (zero && !zero->data)
		return node_fail(l->g, s->node, -ENOTSUP,
				 "its zero point \"%.80s\" is known only at run time", zero->name);
	take = zero ? quantise_read(zero->dtype, zero->data, 0) * s->size[KY] * s->size[KX] : 0;
	add_operands(l, s, p, &map, at);
	for (int d = 0; d < 2; d++) {
		b.kernel[d] = s->size[KY + d];
		b.step[d] = plan_stride(&s->in[0], &at[1].layout, KY + d);
	}
	b.begin = lower_s32(l, (s32)-take);
	if (b.node)
		rc = add_requantise(l, b.node, &map, &b);
	if (!rc)
		run(l, s, &map, at, 1, b.node ? axis_of(b.node) : 0);
	return rc;
}
