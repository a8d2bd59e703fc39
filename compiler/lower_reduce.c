// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Sums, products, maxima and minima along axes: results lie in the lanes, and each is joined with
 * one element after the other.
 */
#include <math.h>

#include "compiler/lower.h"
#include "compiler/map.h"
#include "compiler/vector.h"

enum { UNROLLED_MAX = 16, PARTS_MAX = 8 };

struct body {
	enum op join;
	bool f32;
	enum dtype to;
	int dims; /* that are reduced */
	s64 size[TENSOR_RANK_MAX], step[TENSOR_RANK_MAX];
	vreg wrap; /* of a byte: what cuts off its high bits */
};

static enum op join_of(enum op op)
{
	return op == OP_SUMOVER	 ? OP_ADD :
	       op == OP_PRODOVER ? OP_MUL :
	       op == OP_MAXOVER	 ? OP_MAXIMUM :
				   OP_MINIMUM;
}

/* Bytes from the first element to element number @i. */
static s64 offset_of(const struct body *b, s64 i)
{
	s64 offset = 0;

	for (int d = b->dims - 1; d >= 0; d--) {
		offset += i % b->size[d] * b->step[d];
		i /= b->size[d];
	}
	return offset;
}

/* One element after the other. */
static vreg joined(struct mir *m, const struct map *map, const struct body *b, s64 count)
{
	vreg sum = map_load(m, map, 1, 0);

	for (s64 i = 1; i < count; i++)
		sum = vector_join(m, b->join, b->f32, sum, map_load(m, map, 1, offset_of(b, i)),
				  false);
	return sum;
}

/* What changes nothing, in a register of its own: of a maximum the first element. */
static vreg neutral(struct mir *m, const struct map *map, const struct body *b)
{
	if (b->join == OP_MAXIMUM || b->join == OP_MINIMUM)
		return map_load(m, map, 1, 0);
	if (b->join == OP_ADD)
		return mir_movi(m, 0);
	if (!b->f32)
		return mir_movi(m, 1);
	return mir_v1(m, RONDO_OP_i2f, mir_movi(m, 1));
}

/* How many sums grow side by side, so that none waits for its last addition. */
static int parts_of(const struct body *b)
{
	s64 size = b->size[b->dims - 1];

	if (b->join == OP_MAXIMUM || b->join == OP_MINIMUM)
		return 1; /* which NaN or zero is found depends on the order */
	return size < PARTS_MAX ? (int)size : PARTS_MAX;
}

/* Joins @count elements to as many sums, from number @first of a row on; @trips times. */
static void loop_over(struct mir *m, const struct map *map, const struct body *b, vreg *sum,
		      s64 first, s64 trips, int count)
{
	struct map element = *map;
	int last = b->dims - 1;

	for (int d = 0; d < b->dims; d++) {
		int depth = mir_loop(m, d < last ? b->size[d] : trips);

		element.ref[1].stride[depth] = (s32)(d < last ? b->step[d] : count * b->step[d]);
	}
	for (int i = 0; i < count; i++)
		vector_join(m, b->join, b->f32, sum[i],
			    map_load(m, &element, 1, (first + i) * b->step[last]), true);
	for (int d = 0; d < b->dims; d++)
		mir_end(m);
}

static vreg looped(struct mir *m, const struct map *map, const struct body *b)
{
	s64 size = b->size[b->dims - 1];
	int parts = parts_of(b), rest = (int)(size % parts);
	vreg sum[PARTS_MAX];

	for (int i = 0; i < parts; i++)
		sum[i] = neutral(m, map, b);
	loop_over(m, map, b, sum, 0, size / parts, parts);
	if (rest)
		loop_over(m, map, b, sum, size - rest, 1, rest);
	for (; parts > 1; parts = (parts + 1) / 2) {
		for (int i = (parts + 1) / 2; i < parts; i++)
			vector_join(m, b->join, b->f32, sum[i - (parts + 1) / 2], sum[i], true);
	}
	return sum[0];
}

static void reduce_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	s64 count = 1;
	vreg y;

	for (int d = 0; d < b->dims; d++)
		count *= b->size[d];
	y = count <= UNROLLED_MAX ? joined(m, map, b, count) : looped(m, map, b);
	if (b->to == DTYPE_U8)
		y = mir_v2(m, RONDO_OP_and, y, b->wrap);
	if (b->to == DTYPE_S8)
		y = mir_v2(m, RONDO_OP_sra, mir_v2(m, RONDO_OP_shl, y, b->wrap), b->wrap);
	map_store(m, map, 0, y);
}

/* Adds a reduced dimension inside of the others, or makes the last one longer where it continues
 * it.
 */
static void add_reduced(struct body *b, s64 size, s64 step)
{
	int last = b->dims - 1;

	if (size == 1)
		return;
	if (b->dims && b->step[last] == size * step) {
		b->size[last] *= size;
		b->step[last] = step;
		return;
	}
	b->size[b->dims] = size;
	b->step[b->dims++] = step;
}

int lower_reduce(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at x = lower_input(l, s, p, 0), y = lower_out(l, s);
	struct body b = { .join = join_of(s->node->op),
			  .f32 = s->in[0].value->dtype == DTYPE_F32,
			  .to = s->out.value->dtype };
	struct map map = { .operands = 2, .body = reduce_body, .arg = &b };

	map.operand[0] = (struct map_operand){ y.buf, plan_base(&s->out, &y.layout),
					       lower_type(s->out.value) };
	map.operand[1] = (struct map_operand){ x.buf, plan_base(&s->in[0], &x.layout),
					       lower_type(s->in[0].value) };
	for (int d = 0; d < s->dims; d++) {
		s64 step = plan_stride(&s->in[0], &x.layout, d);

		if (d < s->dims - s->reduced)
			map_dim(&map, s->size[d],
				(s64[]){ plan_stride(&s->out, &y.layout, d), step });
		else
			add_reduced(&b, s->size[d], step);
	}
	if (b.to == DTYPE_U8)
		b.wrap = mir_movi(&l->mir, 0xff);
	if (b.to == DTYPE_S8)
		b.wrap = mir_movi(&l->mir, 24);
	map_run(&l->mir, l->machine->lanes, &map);
	return 0;
}
