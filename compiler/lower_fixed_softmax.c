// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * FixedSoftmax: TensorFlow Lite's softmax of bytes, in the steps of eval_fixed.c.
 *
 * The power of e of a byte depends on its distance to the largest of its row only, of which there
 * are 256: it is looked up, in four tables of its bytes.
 */
#include "compiler/lower_quantised.h"

enum { WORD_BYTES = 4, NEWTON_STEPS = 3 };

/* Rows of bytes in and out, and what is the same for all of them, each in all lanes. */
struct rows {
	struct mir *m;
	int lanes;
	s64 full; /* vectors of all lanes in a row */
	int rest; /* lanes of the last vector, or 0 */
	struct mir_ref x, y; /* of a row's first element */
	s64 x_step, y_step; /* bytes between elements */
	enum rondo_opcode load, store;
	struct lookup power; /* by 255 less the distance to the largest */
	vreg bits[WORD_BYTES]; /* 0, 8, 16, 24 */
	vreg tail; /* all ones in the lanes below rest */
	vreg lowest, zero, offset, sum_bits, far; /* far: 255 */
	/* of one row */
	vreg most, sum, place; /* place: what is added to a byte for its place in the tables */
	vreg by, down;
};

/* One vector of a row, or all the full ones as a loop. */
struct part {
	s64 number; /* of the first */
	int count; /* lanes */
	bool tail;
	int loop; /* depth of the loop over vectors, or -1 */
};

static struct mir_ref part_of(const struct rows *r, const struct part *p, struct mir_ref ref,
			      s64 step)
{
	ref.offset += p->number * r->lanes * step;
	if (p->loop >= 0)
		ref.stride[p->loop] = (s32)(r->lanes * step);
	if (step != 1) {
		ref.seg_len = 1;
		ref.seg_stride = (s32)step;
	}
	return ref;
}

static void each_part(struct rows *r, void (*body)(struct rows *r, const struct part *p))
{
	if (r->full) {
		struct part p = { .count = r->lanes, .loop = mir_loop(r->m, r->full) };

		body(r, &p);
		mir_end(r->m);
	}
	if (r->rest) {
		struct part p = { .number = r->full, .count = r->rest, .tail = true, .loop = -1 };

		body(r, &p);
	}
}

static vreg load(const struct rows *r, const struct part *p)
{
	return mir_load(r->m, r->load, part_of(r, p, r->x, r->x_step), p->count);
}

static void most_body(struct rows *r, const struct part *p)
{
	vreg x = load(r, p);

	if (p->tail)
		x = mir_v3(r->m, RONDO_OP_sel, x, r->lowest, r->tail);
	mir_v2_into(r->m, r->most, RONDO_OP_max, x, r->most);
}

static vreg power(const struct rows *r, const struct part *p)
{
	vreg at = mir_v2(r->m, RONDO_OP_add, load(r, p), r->place);
	vreg e = lookup(r->m, &r->power, 0, at);

	for (int i = 1; i < WORD_BYTES; i++)
		e = mir_v2(r->m, RONDO_OP_or, e,
			   mir_v2(r->m, RONDO_OP_shl, lookup(r->m, &r->power, i, at), r->bits[i]));
	return e;
}

static void sum_body(struct rows *r, const struct part *p)
{
	vreg e = mir_v2(r->m, RONDO_OP_srar, power(r, p), r->sum_bits);

	if (p->tail)
		e = mir_v2(r->m, RONDO_OP_and, e, r->tail);
	mir_v2_into(r->m, r->sum, RONDO_OP_add, r->sum, e);
}

static void result_body(struct rows *r, const struct part *p)
{
	vreg z = mir_v2(r->m, RONDO_OP_srdhm, r->by, power(r, p));

	z = mir_v2(r->m, RONDO_OP_srar, z, r->down);
	z = mir_v2(r->m, RONDO_OP_add, z, r->offset);
	mir_store_as(r->m, r->store, z, part_of(r, p, r->y, r->y_step), p->count);
}

/* The reciprocal of the sum of a row, and by how many bits what it multiplies is too large. */
static void reciprocal(struct lowering *l, struct rows *r)
{
	struct mir *m = r->m;
	vreg headroom = mir_v1(m, RONDO_OP_clz, r->sum);
	vreg half =
		mir_v2(m, RONDO_OP_srl, mir_v2(m, RONDO_OP_shl, r->sum, headroom), mir_movi(m, 1));
	vreg x = mir_v2(m, RONDO_OP_add, lower_s32(l, FIXED_48_17),
			mir_v2(m, RONDO_OP_srdhm, half, lower_s32(l, -FIXED_32_17)));
	vreg one = lower_s32(l, FIXED_ONE), two = mir_movi(m, 2);

	for (int i = 0; i < NEWTON_STEPS; i++) {
		vreg left = mir_v2(m, RONDO_OP_sub, one, mir_v2(m, RONDO_OP_srdhm, half, x));

		left = mir_v2(m, RONDO_OP_shls, mir_v2(m, RONDO_OP_srdhm, x, left), two);
		x = mir_v2(m, RONDO_OP_add, x, left);
	}
	r->down = mir_v2(m, RONDO_OP_sub, mir_movi(m, FIXED_SOFTMAX_DOWN), headroom);
	/* The machine shifts by less than that: 0, by any number of bits. */
	r->by = mir_v2(m, RONDO_OP_and, mir_v2(m, RONDO_OP_shls, x, mir_movi(m, 1)),
		       mir_v2(m, RONDO_OP_cmplt, r->down, mir_movi(m, FIXED_SOFTMAX_DOWN_ALL)));
}

static void one_row(struct lowering *l, struct rows *r)
{
	struct mir *m = r->m;

	r->most = mir_v1(m, RONDO_OP_mov, r->lowest);
	each_part(r, most_body);
	r->place = mir_v2(m, RONDO_OP_sub, r->far, mir_v1(m, RONDO_OP_rmax_s32, r->most));
	r->sum = mir_v1(m, RONDO_OP_mov, r->zero);
	each_part(r, sum_body);
	r->sum = mir_v1(m, RONDO_OP_rsum_s32, r->sum);
	reciprocal(l, r);
	each_part(r, result_body);
}

static int load_tables(struct lowering *l, const struct node *n, struct rows *r)
{
	u8 bytes[WORD_BYTES][256];

	for (int i = 0; i < 256; i++) {
		u32 e = (u32)quantise_fixed_exp(i - 255, node_in(n, 1)->data);

		for (int k = 0; k < WORD_BYTES; k++)
			bytes[k][i] = (u8)(e >> 8 * k);
	}
	for (int k = 1; k < WORD_BYTES; k++)
		r->bits[k] = mir_movi(r->m, 8 * k);
	return lower_lookup(l, n, WORD_BYTES, bytes, &r->power);
}

static void load_constants(struct rows *r, enum dtype type)
{
	struct mir *m = r->m;

	r->load = type == DTYPE_S8 ? RONDO_OP_ld_s8 : RONDO_OP_ld_u8;
	r->store = type == DTYPE_S8 ? RONDO_OP_st_s8 : RONDO_OP_st_u8;
	r->lowest = r->offset = mir_movi(m, quantise_least(type));
	r->zero = mir_movi(m, 0);
	r->far = mir_movi(m, 255);
	r->sum_bits = mir_movi(m, FIXED_SOFTMAX_SUM_BITS);
	r->tail = mir_v2(m, RONDO_OP_cmplt, mir_v0(m, RONDO_OP_iota), mir_movi(m, r->rest));
}

int lower_fixed_softmax(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at x = lower_input(l, s, p, 0), y = lower_out(l, s);
	struct rows r = { .m = &l->mir, .lanes = l->machine->lanes };
	int last = s->dims - 1, rc;

	r.full = s->size[last] / r.lanes;
	r.rest = (int)(s->size[last] % r.lanes);
	r.x = mir_ref(x.buf, plan_base(&s->in[0], &x.layout));
	r.y = mir_ref(y.buf, plan_base(&s->out, &y.layout));
	r.x_step = plan_stride(&s->in[0], &x.layout, last);
	r.y_step = plan_stride(&s->out, &y.layout, last);
	load_constants(&r, s->node->out[0]->dtype);
	rc = load_tables(l, s->node, &r);
	if (rc)
		return rc;
	for (int d = 0; d < last; d++) {
		int depth = mir_loop(r.m, s->size[d]);

		r.x.stride[depth] = (s32)plan_stride(&s->in[0], &x.layout, d);
		r.y.stride[depth] = (s32)plan_stride(&s->out, &y.layout, d);
	}
	one_row(l, &r);
	for (int d = 0; d < last; d++)
		mir_end(r.m);
	return 0;
}
