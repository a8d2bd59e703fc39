// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The runs of a kernel that has its place: one for each operation and each of its unrolled copies.
 */
#include "compiler/stream_builder.h"

#include <errno.h>
#include <string.h>

/* ---- Runs ------------------------------------------------------------------------------------ */

static u8 reg_of(const struct builder *b, const struct placing *p, const reg_numbers reg, vreg v,
		 u32 copy)
{
	const struct kernel_value *value = p->s->value;

	if (v == VREG_NONE)
		return 0;
	while (value->v != v)
		value++;
	if (value->use == USE_LOCAL || value->use == USE_RESULT)
		return (u8)reg[value->reg[copy % value->copies]];
	return (u8)b->vreg[v].reg;
}

/* The nest of @k, whose innermost iterations are taken @unroll at a time, from the @copy-th on. */
static void run_nest(struct stream_run *r, const struct kernel *k, const struct mir_ref *ref,
		     u32 unroll, u32 copy)
{
	u64 rest = unroll;

	r->dims = k->dims;
	for (int d = k->dims - 1; d >= 0; d--) {
		u64 here = rest < k->trips[d] ? rest : k->trips[d];
		s64 stride = ref->stride[k->outer + d], row_stride = ref->row_stride[k->outer + d];

		r->address += (s64)(copy % here) * stride;
		r->row += (s64)(copy % here) * row_stride;
		r->dim[d] = (struct run_dim){ k->trips[d] / here, (s32)(stride * (s64)here),
					      (s32)(row_stride * (s64)here) };
		copy /= (u32)here;
		rest /= here;
	}
}

/* Whether a trip of @outer goes on where the last one of @inner ended. */
static bool continues(const struct run_dim *outer, const struct run_dim *inner)
{
	s64 trips = (s64)inner->trips;

	return outer->stride == trips * inner->stride &&
	       outer->row_stride == trips * inner->row_stride;
}

/* Drops dimensions of one trip, and joins those that continue each other. */
static void tidy_run(struct stream_run *r)
{
	u64 trips = 1;
	int n = 0;

	for (int d = 0; d < r->dims; d++) {
		const struct run_dim dim = r->dim[d];

		if (dim.trips == 1)
			continue;
		if (n && continues(&r->dim[n - 1], &dim)) {
			r->dim[n - 1] = dim;
			r->dim[n - 1].trips *= trips;
		} else {
			r->dim[n++] = dim;
		}
		trips = r->dim[n - 1].trips;
	}
	r->dims = n;
}

static void add_run(struct builder *b, const struct placing *p, const reg_numbers reg, int i,
		    u32 copy)
{
	const struct mir_item *op = &p->k->op[i];
	struct stream_run *r = stream_new_run(b);
	struct run_dim dim[RONDO_LOOP_DEPTH];

	if (!r)
		return;
	r->op = op->op;
	r->op.dst = (u8)(reg_of(b, p, reg, op->dst, copy) + op->dst_part);
	r->op.a = reg_of(b, p, reg, op->a, copy);
	r->op.b = reg_of(b, p, reg, op->b, copy);
	r->op.c = reg_of(b, p, reg, op->c, copy);
	r->op.params = reg_of(b, p, reg, op->params, copy);
	r->slot = p->s->slot[i];
	r->start = p->start + p->s->at[i] + copy * p->s->interval;
	r->period = (u64)p->s->unroll * p->s->interval;
	if (rondo_op_has_address(op->op.op))
		r->address = b->l->mir.buf[op->ref.buf].base + op->ref.offset;
	r->ref = &op->ref;
	r->row = rondo_op_has_row(op->op.op) ? rondo_first_row(&op->op) : 0;
	r->dim = dim;
	run_nest(r, p->k, &op->ref, p->s->unroll, copy);
	tidy_run(r);
	r->dim = r->dims ? graph_alloc(b->l->g, (size_t)r->dims * sizeof(*r->dim)) : NULL;
	if (r->dim)
		memcpy(r->dim, dim, (size_t)r->dims * sizeof(*r->dim));
	else if (r->dims)
		stream_fail(b, -ENOMEM);
}

void stream_add_runs(struct builder *b, const struct placing *p, const reg_numbers reg)
{
	for (int i = 0; i < p->k->ops; i++) {
		for (u32 copy = 0; copy < p->s->unroll; copy++)
			add_run(b, p, reg, i, copy);
	}
}
