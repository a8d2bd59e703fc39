// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Two iterations as one, where that wastes no slot: nine multiply-adds take two vector units four
 * and a half bundles, so that two iterations fit in nine but one takes five. They are neighbours
 * along the innermost loop of even trips; if all are odd, along the longest one, whose last trip is
 * done by itself.
 */
#include "compiler/stream_builder.h"

#include <errno.h>

enum {
	OPS_MAX = 128, /* of an iteration */
	SPLIT_MIN = 64, /* iterations, of which it pays to do some by themselves */
};

/* Whether the loads or vector operations are an odd number, and take longer than anything else. */
static bool gains(const struct kernel *k)
{
	u32 loads = 0, vectors = 0, others[RONDO_SLOTS_PER_BUNDLE] = { 0 }, half, most = 0;

	for (int i = 0; i < k->ops; i++) {
		u8 slots = rondo_ops[k->op[i].op.op].slots;

		loads += slots == RONDO_SLOTS_L;
		vectors += slots == RONDO_SLOTS_V || slots == RONDO_SLOTS_V1;
		others[RONDO_V1] += slots == RONDO_SLOTS_V1;
		others[RONDO_S] += slots == RONDO_SLOTS_S;
	}
	half = loads > vectors ? loads : vectors;
	most = others[RONDO_V1] > others[RONDO_S] ? others[RONDO_V1] : others[RONDO_S];
	return half % 2 && half > 2 * most;
}

/* Whether no two iterations store to one byte: each loop steps over all that is inside of it. */
static bool stores_apart(const struct kernel *k, const struct mir_item *op)
{
	s64 step[RONDO_LOOP_DEPTH + 1], times[RONDO_LOOP_DEPTH + 1];
	s64 span = (s64)op->op.count * rondo_element_bytes(op->op.op);
	int n = 0;

	if (op->ref.seg_len && op->ref.seg_len < op->op.count) {
		span = (s64)op->ref.seg_len * rondo_element_bytes(op->op.op);
		step[n] = op->ref.seg_stride;
		times[n++] = (op->op.count + op->ref.seg_len - 1) / op->ref.seg_len;
	}
	for (int d = 0; d < k->dims; d++) {
		step[n] = op->ref.stride[k->outer + d];
		times[n++] = (s64)k->trips[d];
	}
	while (n) {
		int least = 0;

		for (int i = 0; i < n; i++) {
			if (step[i] < step[least])
				least = i;
		}
		if (step[least] < span)
			return false;
		span += step[least] * (times[least] - 1);
		step[least] = step[--n];
		times[least] = times[n];
	}
	return true;
}

/* Whether the registers that @op writes are the iteration's own, and written before they are read.
 */
static bool is_own(const struct builder *b, const struct kernel *k, int op, int first_item,
		   int end_item)
{
	vreg v = k->op[op].dst;

	if (v == VREG_NONE)
		return true;
	for (int i = 0; i <= op; i++) {
		const struct mir_item *x = &k->op[i];

		if (x->a == v || x->b == v || x->c == v || x->params == v)
			return false;
		if (x->dst == v && i < op)
			return false;
	}
	return b->l->mir.vreg_width[v] == 1 && b->vreg[v].first >= first_item &&
	       b->vreg[v].last < end_item;
}

/* Whether two iterations may be done in any order, as far as operation @op is concerned. */
static bool is_free(const struct kernel *k, int op)
{
	const struct mir_item *x = &k->op[op];

	if (!(rondo_ops[x->op.op].slots &
	      (RONDO_SLOTS_L | RONDO_SLOTS_S | RONDO_SLOTS_V | RONDO_SLOTS_V1)) ||
	    rondo_op_has_acc(x->op.op))
		return false;
	if (!rondo_op_writes_sram(x->op.op))
		return true;
	for (int i = 0; i < k->ops; i++) {
		if (i != op && k->op[i].ref.buf == x->ref.buf)
			return false;
	}
	return stores_apart(k, x);
}

/* What the second iteration uses in place of @v: one of the @n that were renamed, or @v itself. */
static vreg second_of(vreg v, const vreg *from, const vreg *to, int n)
{
	for (int i = 0; i < n; i++) {
		if (from[i] == v)
			return to[i];
	}
	return v;
}

static bool rename_registers(struct builder *b, struct mir_item *op, int ops)
{
	vreg from[OPS_MAX], to[OPS_MAX];
	int n = 0;

	for (int i = 0; i < ops; i++) {
		struct mir_item *x = &op[i];

		x->a = second_of(x->a, from, to, n);
		x->b = second_of(x->b, from, to, n);
		x->c = second_of(x->c, from, to, n);
		if (x->dst == VREG_NONE)
			continue;
		from[n] = x->dst;
		to[n] = stream_new_vreg(b, x->dst);
		if (to[n] == VREG_NONE)
			return false;
		x->dst = to[n++];
	}
	return true;
}

/* The loop of @k whose trips are taken two by two. */
static int loop_of_pairs(const struct kernel *k)
{
	int longest = k->dims - 1;

	for (int d = k->dims - 1; d >= 0; d--) {
		if (k->trips[d] % 2 == 0)
			return d;
		if (k->trips[d] > k->trips[longest])
			longest = d;
	}
	return longest;
}

/* @op, an operation of @k, without loop @d, in its trip number @trip. */
static void leave_loop(const struct kernel *k, struct mir_item *op, int d, u64 trip)
{
	s32 *stride = op->ref.stride + k->outer;
	s16 *row = op->ref.row_stride + k->outer;

	op->ref.offset += (s64)trip * stride[d];
	op->op.row += (u16)(trip * (u64)row[d]);
	for (; d < k->dims - 1; d++) {
		stride[d] = stride[d + 1];
		row[d] = row[d + 1];
	}
	stride[d] = 0;
	row[d] = 0;
}

static void drop_loop(struct kernel *k, int d)
{
	for (k->dims--; d < k->dims; d++)
		k->trips[d] = k->trips[d + 1];
}

/* Takes the last trip of loop @d from @k, which is @rest. */
static int split_off(struct builder *b, struct kernel *k, int d, struct kernel *rest)
{
	struct mir_item *op = graph_alloc(b->l->g, (size_t)k->ops * sizeof(*op));

	if (!op)
		return stream_fail(b, -ENOMEM);
	k->trips[d]--;
	*rest = *k;
	rest->op = op;
	for (int i = 0; i < k->ops; i++) {
		op[i] = k->op[i];
		leave_loop(k, &op[i], d, k->trips[d]);
	}
	drop_loop(rest, d);
	return 0;
}

int stream_pair(struct builder *b, struct kernel *k, int first_item, int end_item,
		struct kernel *rest)
{
	int d = loop_of_pairs(k);
	struct mir_item *op;

	rest->ops = 0;
	if (!k->dims || k->ops > OPS_MAX || !gains(k) ||
	    (k->trips[d] % 2 && kernel_count(k) < SPLIT_MIN))
		return 0;
	for (int i = 0; i < k->ops; i++) {
		if (!is_own(b, k, i, first_item, end_item) || !is_free(k, i))
			return 0;
	}
	op = graph_alloc(b->l->g, 2 * (size_t)k->ops * sizeof(*op));
	if (!op || (k->trips[d] % 2 && split_off(b, k, d, rest)))
		return stream_fail(b, -ENOMEM);
	for (int i = 0; i < 2 * k->ops; i++) {
		s32 *stride = &op[i].ref.stride[k->outer + d];

		op[i] = k->op[i % k->ops];
		if (i >= k->ops)
			op[i].ref.offset += *stride;
		*stride *= 2;
	}
	if (!rename_registers(b, op + k->ops, k->ops))
		return stream_fail(b, -ENOMEM);
	k->op = op;
	k->ops *= 2;
	k->paired = true;
	k->trips[d] /= 2;
	if (k->trips[d] == 1) {
		for (int i = 0; i < k->ops; i++)
			leave_loop(k, &op[i], d, 0);
		drop_loop(k, d);
	}
	return 0;
}
