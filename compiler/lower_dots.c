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
};

struct dots {
	struct operand_at x, y, bias;
	s64 terms, columns;
	struct mir_ref weights; /* of each column its terms, one behind the other */
	int vectors;
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

	d->weights = lower_const(l, NULL, (u64)(d->terms * d->columns * BYTES), &room);
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

/* The bias is in one lane, from which a sum begins. */
static vreg sum_of(struct lowering *l, const struct dots *d, const struct mir_ref *weights,
		   const struct mir_ref *bias)
{
	int sums = count_sums(d);
	struct mir *m = &l->mir;
	vreg sum[SUMS_MAX];

	for (int i = 0; i < sums; i++)
		sum[i] = VREG_NONE;
	if (bias)
		sum[0] = mir_load(m, RONDO_OP_ld_w, *bias, 1);
	for (int i = 0; i < d->vectors; i++) {
		struct mir_ref ref = *weights;
		vreg *to = &sum[i % sums], w;

		ref.offset += (s64)i * l->machine->lanes * BYTES;
		w = mir_load(m, RONDO_OP_ld_w, ref, lanes_of(l, d, i));
		*to = *to == VREG_NONE ? mir_v2(m, RONDO_OP_fmul, w, d->term[i]) :
					 mir_v3(m, RONDO_OP_fma, w, d->term[i], *to);
	}
	for (int i = 1; i < sums; i++)
		sum[0] = mir_v2(m, RONDO_OP_fadd, sum[0], sum[i]);
	return mir_v1(m, RONDO_OP_rsum_f32, sum[0]);
}

int lower_dots(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct dots d = { .x = lower_input(l, s, p, 0),
			  .terms = terms_of(s),
			  .columns = s->size[s->dims - s->reduced - 1] };
	int column = s->dims - s->reduced - 1, depth;
	struct mir *m = &l->mir;
	struct mir_ref from, to, bias;
	vreg params, sum;

	pack(l, s, &d);
	if (s->in[2].value)
		d.bias = lower_input(l, s, p, 2);
	d.y = lower_out(l, s);
	d.vectors = (int)((d.terms + l->machine->lanes - 1) / l->machine->lanes);
	from = mir_ref(d.x.buf, plan_base(&s->in[0], &d.x.layout));
	for (int i = 0; i < d.vectors; i++) {
		d.term[i] = mir_load(m, RONDO_OP_ld_w, from, lanes_of(l, &d, i));
		from.offset += (s64)l->machine->lanes * BYTES;
	}
	params = bounds(l, s);
	to = mir_ref(d.y.buf, plan_base(&s->out, &d.y.layout));
	depth = mir_loop(m, (u64)d.columns);
	d.weights.stride[depth] = (s32)(d.terms * BYTES);
	to.stride[depth] = (s32)plan_stride(&s->out, &d.y.layout, column);
	if (s->in[2].value) {
		bias = mir_ref(d.bias.buf, plan_base(&s->in[2], &d.bias.layout));
		bias.stride[depth] = (s32)plan_stride(&s->in[2], &d.bias.layout, column);
	}
	sum = sum_of(l, &d, &d.weights, s->in[2].value ? &bias : NULL);
	if (params != VREG_NONE)
		sum = mir_requantise(m, RONDO_OP_rq_f32, sum, params);
	mir_store(m, sum, to, 1);
	mir_end(m);
	return 0;
}
