// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Softmax and LogSoftmax over the last axis.
 *
 * For each row: its maximum; then e = 2^((x - max) log2 e), summed on the way; then e / sum, or
 * x - max - log(sum). Lanes beyond a row's end hold -infinity in the first pass and 0 in the
 * second, so that they never win and never count.
 *
 * Short rows stay in registers as a whole: an element of as many rows as there are lanes in each.
 *
 * Where rows are many and one vector each, the matrix unit makes the sums, by pushes of e onto
 * weights that are all 1: so a row takes three operations of the unit for special functions, not
 * four.
 */
#include <math.h>
#include <string.h>

#include "compiler/lower.h"

enum {
	BYTES = 4,
	SHORT = 16, /* elements of a short row */
	PUSHED = 16, /* rows whose sums are pushes, at least */
};

static const float log2_e = 1.44269504f, log_2 = 0.693147181f;

/* One operator: rows of @n elements, @step bytes apart, in and out. */
struct rows {
	struct lowering *l;
	struct operand_at x, y;
	s64 n;
	s64 x_step, y_step;
	s64 full; /* vectors of all lanes in a row */
	int rest; /* lanes of the last vector, or 0 */
	struct mir_ref x_ref, y_ref; /* of a row's first element */
	vreg minus_inf, zero, log2_e; /* constants */
	vreg tail; /* all ones in the lanes below rest */
	vreg max, sum; /* of the row, in every lane; sum of a lane's elements while it grows */
	bool pushed; /* the matrix unit makes the sum, in accumulator row 0 */
	s16 acc[RONDO_LOOP_DEPTH]; /* plus so many for each trip of the loops over rows */
};

/* One vector of a row, or all the full ones as a loop. */
struct vector {
	s64 number; /* of the first */
	int count; /* lanes */
	bool tail; /* the last one, with less than all lanes */
	int loop; /* depth of the loop over vectors, or -1 */
};

static struct mir_ref ref_of(const struct rows *r, const struct vector *v, bool out)
{
	struct mir_ref ref = out ? r->y_ref : r->x_ref;
	s64 step = out ? r->y_step : r->x_step;

	ref.offset += v->number * r->l->machine->lanes * step;
	if (v->loop >= 0)
		ref.stride[v->loop] = r->l->machine->lanes * step;
	if (step != BYTES) {
		ref.seg_len = 1;
		ref.seg_stride = step;
	}
	return ref;
}

/* Emits @body for every vector of a row. */
static void each_vector(struct rows *r, void (*body)(struct rows *, const struct vector *))
{
	struct mir *m = &r->l->mir;
	struct vector v = { .count = r->l->machine->lanes, .loop = -1 };

	if (r->full) {
		v.loop = mir_loop(m, r->full);
		body(r, &v);
		mir_end(m);
	}
	if (r->rest) {
		v = (struct vector){
			.number = r->full, .count = r->rest, .tail = true, .loop = -1
		};
		body(r, &v);
	}
}

static vreg load_x(struct rows *r, const struct vector *v)
{
	return mir_load(&r->l->mir, RONDO_OP_ld_w, ref_of(r, v, false), v->count);
}

static void max_body(struct rows *r, const struct vector *v)
{
	struct mir *m = &r->l->mir;
	vreg x = load_x(r, v);

	if (v->tail)
		x = mir_v3(m, RONDO_OP_sel, x, r->minus_inf, r->tail);
	mir_v2_into(m, r->max, RONDO_OP_fmax, x, r->max);
}

/* (x - max) log2 e */
static vreg exponent(struct rows *r, const struct vector *v)
{
	struct mir *m = &r->l->mir;

	return mir_v2(m, RONDO_OP_fmul, mir_v2(m, RONDO_OP_fsub, load_x(r, v), r->max), r->log2_e);
}

static void exp_body(struct rows *r, const struct vector *v)
{
	struct mir *m = &r->l->mir;
	vreg e = mir_v1(m, RONDO_OP_fexp2, exponent(r, v));

	mir_store(m, e, ref_of(r, v, true), v->count);
	if (v->tail)
		e = mir_v3(m, RONDO_OP_sel, e, r->zero, r->tail);
	mir_v2_into(m, r->sum, RONDO_OP_fadd, r->sum, e);
}

static void divide_body(struct rows *r, const struct vector *v)
{
	struct mir *m = &r->l->mir;
	vreg e = mir_load(m, RONDO_OP_ld_w, ref_of(r, v, true), v->count);

	mir_store(m, mir_v2(m, RONDO_OP_fdiv, e, r->sum), ref_of(r, v, true), v->count);
}

static void log_body(struct rows *r, const struct vector *v)
{
	struct mir *m = &r->l->mir;
	vreg x = mir_v2(m, RONDO_OP_fsub, load_x(r, v), r->max);

	mir_store(m, mir_v2(m, RONDO_OP_fsub, x, r->sum), ref_of(r, v, true), v->count);
}

/* What the logarithm of a row's sum is. */
static vreg logarithm(struct rows *r, vreg sum)
{
	return mir_v2(&r->l->mir, RONDO_OP_fmul, mir_v1(&r->l->mir, RONDO_OP_flog2, sum),
		      lower_f32(r->l, log_2, r->l->machine->lanes));
}

/* Weights that are all 1, as many rows as a row of the operator has elements. */
static void load_ones(struct rows *r)
{
	int lanes = r->l->machine->lanes, depth;
	struct mir *m = &r->l->mir;
	struct mir_item *item;
	struct mir_ref ref;

	ref = mir_ref(mir_buffer(m, MIR_BUF_VALUE, "ones", (u64)lanes * BYTES), 0);
	mir_store(m, lower_f32(r->l, 1, lanes), ref, lanes);
	depth = mir_loop(m, (u64)r->n);
	ref.row_stride[depth] = 1;
	item = mir_op(m, RONDO_OP_wl_w);
	item->ref = ref;
	item->op.count = (u8)lanes;
	item->op.buf = (u8)(r->l->weight_buffer ^= 1);
	mir_end(m);
}

/* The sum, in every lane, of the row @e, which lies in the result for so long. */
static vreg pushed_sum(struct rows *r, const struct vector *v, vreg e)
{
	struct mir *m = &r->l->mir;
	struct mir_ref ref = ref_of(r, v, true), row = mir_ref(MIR_NO_BUF, 0);
	struct mir_item *item;
	vreg sum;

	mir_store(m, e, ref, v->count);
	memcpy(ref.row_stride, r->acc, sizeof(r->acc));
	memcpy(row.row_stride, r->acc, sizeof(r->acc));
	item = mir_op(m, RONDO_OP_push_f32);
	item->ref = ref;
	item->op.count = (u8)v->count;
	item->op.buf = (u8)r->l->weight_buffer;
	item->op.mode = 1; /* it writes */
	sum = mir_vreg(m);
	item = mir_op(m, RONDO_OP_rd);
	item->ref = row;
	item->dst = sum;
	item->op.count = (u8)r->l->machine->lanes;
	return sum;
}

static vreg lane_sum(struct rows *r, const struct vector *v, vreg e)
{
	struct mir *m = &r->l->mir;

	if (v->tail)
		e = mir_v3(m, RONDO_OP_sel, e, r->zero, r->tail);
	return mir_v1(m, RONDO_OP_rsum_f32, e);
}

/* A row of one vector stays in a register. */
static void one_vector(struct rows *r, bool log)
{
	const struct vector v = { .count = (int)r->n, .tail = r->rest, .loop = -1 };
	struct mir *m = &r->l->mir;
	vreg x = load_x(r, &v), e, sum;

	r->max = v.tail ? mir_v3(m, RONDO_OP_sel, x, r->minus_inf, r->tail) : x;
	r->max = mir_v1(m, RONDO_OP_rmax_f32, r->max);
	x = mir_v2(m, RONDO_OP_fsub, x, r->max);
	e = mir_v1(m, RONDO_OP_fexp2, mir_v2(m, RONDO_OP_fmul, x, r->log2_e));
	sum = r->pushed ? pushed_sum(r, &v, e) : lane_sum(r, &v, e);
	x = log ? mir_v2(m, RONDO_OP_fsub, x, logarithm(r, sum)) : mir_v2(m, RONDO_OP_fdiv, e, sum);
	mir_store(m, x, ref_of(r, &v, true), v.count);
}

static void one_row(struct rows *r, bool log)
{
	struct mir *m = &r->l->mir;

	if (r->n && r->n <= r->l->machine->lanes) {
		one_vector(r, log);
		return;
	}
	r->max = mir_v1(m, RONDO_OP_mov, r->minus_inf);
	each_vector(r, max_body);
	r->max = mir_v1(m, RONDO_OP_rmax_f32, r->max);
	r->sum = mir_v1(m, RONDO_OP_mov, r->zero);
	each_vector(r, exp_body);
	r->sum = mir_v1(m, RONDO_OP_rsum_f32, r->sum);
	if (log)
		r->sum = logarithm(r, r->sum);
	each_vector(r, log ? log_body : divide_body);
}

/* ---- Short rows ------------------------------------------------------------------------------ */

/* The same element of many rows, which are @apart bytes apart. */
struct column {
	s64 apart;
	int count; /* of rows */
	int loop; /* depth of the loop over as many rows, or -1 */
};

static struct mir_ref column_ref(const struct rows *r, const struct column *c, s64 element,
				 bool out)
{
	struct mir_ref ref = out ? r->y_ref : r->x_ref;

	ref.offset += element * (out ? r->y_step : r->x_step);
	if (c->loop >= 0)
		ref.stride[c->loop] = (s32)(c->count * c->apart);
	if (c->apart != BYTES) {
		ref.seg_len = 1;
		ref.seg_stride = (s32)c->apart;
	}
	return ref;
}

/* Rows @x and @y apart in and out. */
static void one_column(struct rows *r, const struct column *x, const struct column *y, bool log)
{
	struct mir *m = &r->l->mir;
	vreg v[SHORT], e[SHORT], max = r->minus_inf, sum = VREG_NONE;

	for (s64 i = 0; i < r->n; i++) {
		v[i] = mir_load(m, RONDO_OP_ld_w, column_ref(r, x, i, false), x->count);
		max = mir_v2(m, RONDO_OP_fmax, v[i], max);
	}
	for (s64 i = 0; i < r->n; i++) {
		v[i] = mir_v2(m, RONDO_OP_fsub, v[i], max);
		e[i] = mir_v1(m, RONDO_OP_fexp2, mir_v2(m, RONDO_OP_fmul, v[i], r->log2_e));
		sum = i ? mir_v2(m, RONDO_OP_fadd, sum, e[i]) : e[i];
	}
	if (log)
		sum = logarithm(r, sum);
	for (s64 i = 0; i < r->n; i++)
		mir_store(m,
			  log ? mir_v2(m, RONDO_OP_fsub, v[i], sum) :
				mir_v2(m, RONDO_OP_fdiv, e[i], sum),
			  column_ref(r, y, i, true), y->count);
}

/* @count rows, @x and @y bytes apart. */
static void short_rows(struct rows *r, s64 count, s64 x, s64 y, bool log)
{
	int lanes = r->l->machine->lanes, rest = (int)(count % lanes);
	struct column from = { x, lanes, -1 }, to = { y, lanes, -1 };

	if (count >= lanes) {
		from.loop = to.loop = mir_loop(&r->l->mir, (u64)(count / lanes));
		one_column(r, &from, &to, log);
		mir_end(&r->l->mir);
	}
	if (!rest)
		return;
	r->x_ref.offset += (count - rest) * x;
	r->y_ref.offset += (count - rest) * y;
	from = (struct column){ x, rest, -1 };
	to = (struct column){ y, rest, -1 };
	one_column(r, &from, &to, log);
}

/* How many rows there are, if they are evenly spaced: *@x and *@y bytes apart; else 0. */
static s64 even_rows(const struct stage *s, const struct layout *in, const struct layout *out,
		     s64 *x, s64 *y)
{
	s64 count = 1;

	*x = *y = BYTES;
	for (int d = s->dims - 2; d >= 0; d--) {
		s64 x_stride = plan_stride(&s->in[0], in, d),
		    y_stride = plan_stride(&s->out, out, d);

		if (s->size[d] == 1)
			continue;
		if (count == 1) {
			*x = x_stride;
			*y = y_stride;
		} else if (x_stride != *x * count || y_stride != *y * count) {
			return 0;
		}
		count *= s->size[d];
	}
	return count;
}

/* ---- The stage ------------------------------------------------------------------------------- */

int lower_softmax(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct rows r = { .l = l, .x = lower_input(l, s, p, 0), .y = lower_out(l, s) };
	const struct layout *x = &r.x.layout, *y = &r.y.layout;
	int d, last = s->dims - 1, lanes = l->machine->lanes;
	bool log = s->node->op == OP_LOGSOFTMAX;
	struct mir *m = &l->mir;
	s64 count, x_row, y_row, rows = 1;

	for (d = 0; d < last; d++)
		rows *= s->size[d];
	r.n = last < 0 ? 1 : s->size[last];
	r.x_step = last < 0 ? BYTES : plan_stride(&s->in[0], x, last);
	r.y_step = last < 0 ? BYTES : plan_stride(&s->out, y, last);
	r.full = r.n / lanes;
	r.rest = r.n % lanes;
	r.minus_inf = lower_f32(l, -INFINITY, lanes);
	r.log2_e = lower_f32(l, log2_e, lanes);
	r.x_ref = mir_ref(r.x.buf, plan_base(&s->in[0], x));
	r.y_ref = mir_ref(r.y.buf, plan_base(&s->out, y));
	count = even_rows(s, x, y, &x_row, &y_row);
	if (count > 1 && r.n && r.n <= SHORT) {
		short_rows(&r, count, x_row, y_row, log);
		return 0;
	}
	r.zero = mir_movi(m, 0);
	r.tail = mir_v2(m, RONDO_OP_cmplt, mir_v0(m, RONDO_OP_iota), mir_movi(m, r.rest));
	r.pushed = r.n <= lanes && rows >= PUSHED && rows <= l->machine->acc_rows;
	if (r.pushed)
		load_ones(&r);
	for (d = 0; d < last; d++) {
		int depth = mir_loop(m, s->size[d]);

		r.x_ref.stride[depth] = (s32)plan_stride(&s->in[0], x, d);
		r.y_ref.stride[depth] = (s32)plan_stride(&s->out, y, d);
		rows /= s->size[d];
		r.acc[depth] = (s16)rows;
	}
	one_row(&r, log);
	for (d = 0; d < last; d++)
		mir_end(m);
	return 0;
}
