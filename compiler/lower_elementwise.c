// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Arithmetic with broadcasting, Clip and activations: vector ALU code over every element.
 */
#include <math.h>

#include "compiler/lower.h"
#include "compiler/map.h"

/* Registers that hold constants all through a map, and what the body does with them. */
struct body {
	enum op op;
	bool clamps;
	vreg lo, hi;
	vreg k[8]; /* of the activation; see there */
};

static const enum rondo_opcode arithmetic[] = {
	[OP_ADD] = RONDO_OP_fadd,
	[OP_SUB] = RONDO_OP_fsub,
	[OP_MUL] = RONDO_OP_fmul,
	[OP_DIV] = RONDO_OP_fdiv,
};

static const float log2_e = 1.44269504f;

/* sigmoid(x) = 1 / (1 + 2^(-x log2 e)) */
static void sigmoid_constants(struct lowering *l, struct body *b)
{
	b->k[0] = lower_f32(l, -log2_e, l->machine->lanes);
	b->k[1] = lower_f32(l, 1, l->machine->lanes);
}

static vreg sigmoid(struct mir *m, const struct body *b, vreg x)
{
	vreg e = mir_v1(m, RONDO_OP_fexp2, mir_v2(m, RONDO_OP_fmul, x, b->k[0]));

	return mir_v1(m, RONDO_OP_frcp, mir_v2(m, RONDO_OP_fadd, e, b->k[1]));
}

/*
 * tanh(x) = 1 - 2 / (1 + 2^(2x log2 e)). Near zero that difference loses its digits, so below 1/4
 * the odd Taylor polynomial x - x^3/3 + 2x^5/15 - 17x^7/315 is taken: its next term, 62x^9/2835, is
 * below 2^-21 of the result there.
 */
static void tanh_constants(struct lowering *l, struct body *b)
{
	const float k[] = { 2 * log2_e, 1, 2, 0.25f, -17.0f / 315, 2.0f / 15, -1.0f / 3 };
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(*k); i++)
		b->k[i] = lower_f32(l, k[i], l->machine->lanes);
}

static vreg tanh_of(struct mir *m, const struct body *b, vreg x)
{
	vreg e = mir_v1(m, RONDO_OP_fexp2, mir_v2(m, RONDO_OP_fmul, x, b->k[0]));
	vreg q = mir_v2(m, RONDO_OP_fdiv, b->k[2], mir_v2(m, RONDO_OP_fadd, e, b->k[1]));
	vreg far = mir_v2(m, RONDO_OP_fsub, b->k[1], q);
	vreg xx = mir_v2(m, RONDO_OP_fmul, x, x);
	vreg p = mir_v3(m, RONDO_OP_fma, xx, b->k[4], b->k[5]);
	vreg near, small;

	p = mir_v3(m, RONDO_OP_fma, xx, p, b->k[6]);
	p = mir_v2(m, RONDO_OP_fmul, p, xx);
	near = mir_v3(m, RONDO_OP_fma, x, p, x);
	small = mir_v2(m, RONDO_OP_fcmplt, mir_v1(m, RONDO_OP_fabs, x), b->k[3]);
	return mir_v3(m, RONDO_OP_sel, near, far, small);
}

/* fmax and fmin give their second operand when one is NaN, so NaN stays NaN. */
static vreg clamp(struct mir *m, const struct body *b, vreg x)
{
	x = mir_v2(m, RONDO_OP_fmax, b->lo, x);
	return mir_v2(m, RONDO_OP_fmin, b->hi, x);
}

static void elementwise_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x = map_load(m, map, 1, 0);

	switch (b->op) {
	case OP_CLIP:
		break;
	case OP_SIGMOID:
		x = sigmoid(m, b, x);
		break;
	case OP_TANH:
		x = tanh_of(m, b, x);
		break;
	default:
		x = mir_v2(m, arithmetic[b->op], x, map_load(m, map, 2, 0));
		break;
	}
	if (b->clamps)
		x = clamp(m, b, x);
	map_store(m, map, 0, x);
}

int lower_elementwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	enum op op = s->node->op;
	struct operand_at at[3];
	const struct stage_access *access[3] = { &s->out };
	struct body b = { .op = op, .clamps = node_clamps(s->node) || op == OP_CLIP };
	struct map map = { .operands = 1 + s->node->n_in, .body = elementwise_body, .arg = &b };
	int i, d;

	for (i = 0; i < s->node->n_in; i++) {
		at[1 + i] = lower_input(l, s, p, i);
		access[1 + i] = &s->in[i];
	}
	at[0] = lower_out(l, s);
	for (i = 0; i < map.operands; i++)
		map.operand[i] = (struct map_operand){ at[i].buf,
						       plan_base(access[i], &at[i].layout),
						       lower_type(access[i]->value->dtype) };
	for (d = 0; d < s->dims; d++) {
		s64 stride[MAP_OPERANDS];

		for (i = 0; i < map.operands; i++)
			stride[i] = plan_stride(access[i], &at[i].layout, d);
		map_dim(&map, s->size[d], stride);
	}
	if (op == OP_SIGMOID)
		sigmoid_constants(l, &b);
	if (op == OP_TANH)
		tanh_constants(l, &b);
	if (b.clamps) {
		b.lo = lower_f32(l, s->lo, l->machine->lanes);
		b.hi = lower_f32(l, s->hi, l->machine->lanes);
	}
	map_run(&l->mir, l->machine->lanes, &map);
	return 0;
}
