// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A row of results on the vector units. Each is a dot product: its terms lie in the lanes, all
 * lanes are added up in the end. The input is in registers, so that a vector of weights takes one
 * load and one multiply-add, of which there are two in a bundle: two rows of weights, where the
 * matrix unit takes in one.
 */
#include <math.h>

#include "compiler/lower.h"

enum {
	BYTES = 4,
	VECTORS_MAX = 32,
	SUMS_MAX = 4, /* that grow side by side: none waits for its last addition */
	VECTORS_OF_SUM = 4, /* at least */
	COLUMNS_UNROLLED = 16,
};

/* What is of each column, so many bytes behind that of the one before. */
struct by_column {
	struct mir_ref first;
	s64 step;
};

struct dots {
	s64 terms, columns;
	struct by_column weights; /* of each column its terms, one behind the other */
	struct by_column to, bias;
	bool biased;
	vreg params; /* of what is done with a result on the way out; VREG_NONE: nothing */
	int vectors;
	struct mir_ref from; /* the first vector of terms */
	vreg term[VECTORS_MAX];
};

static s64 terms_of(const struct stage *s)
{
	s64 terms = 1;

	for (int d = s->dims - s->reduced; d < s->dims; d++)
		terms *= s->size[d];
	return terms;
}

/* Lanes of vector @i of the terms. */
static int lanes_of(const struct lowering *l, const struct dots *d, int i)
{
	s64 left = d->terms - (s64)i * l->machine->lanes;

	return (int)(left < l->machine->lanes ? left : l->machine->lanes);
}

/* The terms of column @o one behind the other. */
static float *pack_column(const struct stage *s, const struct layout *dense, s64 o, float *to)
{
	const struct stage_access *w = &s->in[1];
	int k = s->dims - s->reduced;
	const s64 *size = &s->size[k];
	s64 stride[3], at = (plan_base(w, dense) + o * plan_stride(w, dense, k - 1)) / BYTES;
	const float *from = (const float *)w->value->data + at;

	for (int i = 0; i < 3; i++)
		stride[i] = plan_stride(w, dense, k + i) / BYTES;
	for (s64 y = 0; y < size[0]; y++)
		for (s64 x = 0; x < size[1]; x++)
			for (s64 c = 0; c < size[2]; c++)
				*to++ = from[y * stride[0] + x * stride[1] + c * stride[2]];
	return to;
}

static void pack(struct lowering *l, const struct stage *s, struct dots *d)
{
	const struct layout dense = layout_dense(s->in[1].value);
	void *room;
	float *to;

	d->weights.first = lower_const(l, NULL, (u64)(d->terms * d->columns * BYTES), &room);
	d->weights.step = d->terms * BYTES;
	to = room;
	for (s64 o = 0; o < d->columns && to; o++)
		to = pack_column(s, &dense, o, to);
}

/* What is done with a result on the way out; VREG_NONE: nothing. */
static vreg bounds(struct lowering *l, const struct stage *s)
{
	const float part[] = { 0, s->lo, s->hi };
	vreg params;

	if (s->lo == -INFINITY && s->hi == INFINITY)
		return VREG_NONE;
	params = mir_vreg3(&l->mir);
	for (int i = 0; i < 3; i++)
		mir_load_part(&l->mir, params, i, RONDO_OP_ldb_w, lower_scalar(l, part[i]),
			      l->machine->lanes);
	return params;
}

static int count_sums(const struct dots *d)
{
	int sums = d->vectors / VECTORS_OF_SUM;

	return sums < 2 ? 1 : sums < SUMS_MAX ? sums : SUMS_MAX;
}

/* That of the columns in the loop at @depth. */
static struct mir_ref of_each(const struct by_column *c, int depth)
{
	struct mir_ref ref = c->first;

	ref.stride[depth] = (s32)c->step;
	return ref;
}

static struct mir_ref of_column(const struct by_column *c, s64 o)
{
	struct mir_ref ref = c->first;

	ref.offset += o * c->step;
	return ref;
}

static void load_term(struct lowering *l, struct dots *d, int i)
{
	struct mir_ref ref = d->from;

	ref.offset += (s64)i * l->machine->lanes * BYTES;
	d->term[i] = mir_load(&l->mir, RONDO_OP_ld_w, ref, lanes_of(l, d, i));
}

/* @sum, or nothing yet, and vector @i of the products of a column. */
static vreg add_products(struct lowering *l, const struct dots *d, struct mir_ref weights, int i,
			 vreg sum)
{
	struct mir *m = &l->mir;
	vreg w;

	weights.offset += (s64)i * l->machine->lanes * BYTES;
	w = mir_load(m, RONDO_OP_ld_w, weights, lanes_of(l, d, i));
	return sum == VREG_NONE ? mir_v2(m, RONDO_OP_fmul, w, d->term[i]) :
				  mir_v3(m, RONDO_OP_fma, w, d->term[i], sum);
}

/* Adds up the lanes of @sum. */
static void finish(struct lowering *l, const struct dots *d, vreg sum, struct mir_ref to)
{
	struct mir *m = &l->mir;
	vreg y = mir_v1(m, RONDO_OP_rsum_f32, sum);

	if (d->params != VREG_NONE)
		y = mir_requantise(m, RONDO_OP_rq_f32, y, d->params);
	mir_store(m, y, to, 1);
}

/* Column by column. The bias is in one lane, from which a sum begins. */
static void by_columns(struct lowering *l, struct dots *d)
{
	int sums = count_sums(d), depth;
	struct mir *m = &l->mir;
	vreg sum[SUMS_MAX];

	for (int i = 0; i < d->vectors; i++)
		load_term(l, d, i);
	depth = mir_loop(m, (u64)d->columns);
	for (int i = 0; i < sums; i++)
		sum[i] = VREG_NONE;
	if (d->biased)
		sum[0] = mir_load(m, RONDO_OP_ld_w, of_each(&d->bias, depth), 1);
	for (int i = 0; i < d->vectors; i++)
		sum[i % sums] = add_products(l, d, of_each(&d->weights, depth), i, sum[i % sums]);
	for (int i = 1; i < sums; i++)
		sum[0] = mir_v2(m, RONDO_OP_fadd, sum[0], sum[i]);
	finish(l, d, sum[0], of_each(&d->to, depth));
	mir_end(m);
}

/*
 * Few columns: vector by vector of the terms, each for all columns, so that the first are
 * multiplied while the stage before makes the last. They are steps, which nothing holds together.
 */
static void by_terms(struct lowering *l, struct dots *d)
{
	vreg sum[COLUMNS_UNROLLED];

	for (s64 o = 0; o < d->columns; o++)
		sum[o] = d->biased ? mir_load(&l->mir, RONDO_OP_ld_w, of_column(&d->bias, o), 1) :
				     VREG_NONE;
	for (int i = 0; i < d->vectors; i++) {
		mir_step(&l->mir);
		load_term(l, d, i);
		mir_step(&l->mir);
		for (s64 o = 0; o < d->columns; o++)
			sum[o] = add_products(l, d, of_column(&d->weights, o), i, sum[o]);
	}
	for (s64 o = 0; o < d->columns; o++)
		finish(l, d, sum[o], of_column(&d->to, o));
}

int lower_dots(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at x = lower_input(l, s, p, 0), y, bias;
	int column = s->dims - s->reduced - 1;
	struct dots d = { .terms = terms_of(s), .columns = s->size[column] };

	pack(l, s, &d);
	if (s->in[2].value) {
		bias = lower_input(l, s, p, 2);
		d.bias.first = mir_ref(bias.buf, plan_base(&s->in[2], &bias.layout));
		d.bias.step = plan_stride(&s->in[2], &bias.layout, column);
		d.biased = true;
	}
	y = lower_out(l, s);
	d.to.first = mir_ref(y.buf, plan_base(&s->out, &y.layout));
	d.to.step = plan_stride(&s->out, &y.layout, column);
	d.from = mir_ref(x.buf, plan_base(&s->in[0], &x.layout));
	d.vectors = (int)((d.terms + l->machine->lanes - 1) / l->machine->lanes);
	d.params = bounds(l, s);
	if (d.vectors > 1 && count_sums(&d) == 1 && d.columns <= COLUMNS_UNROLLED)
		by_terms(l, &d);
	else
		by_columns(l, &d);
	return 0;
}
