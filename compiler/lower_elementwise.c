// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Operators on single elements, with broadcasting: vector code over every element. */
#include <math.h>

#include "compiler/lower.h"
#include "compiler/map.h"
#include "compiler/vector.h"

/* Registers that hold constants all through a map, and what the body does with them. */
struct body {
	struct vector vector;
	bool clamps;
	vreg lo, hi;
};

/* fmax and fmin give their second operand when one is NaN, so NaN stays NaN. */
static vreg clamp(struct mir *m, const struct body *b, vreg x)
{
	x = mir_v2(m, RONDO_OP_fmax, b->lo, x);
	return mir_v2(m, RONDO_OP_fmin, b->hi, x);
}

static void elementwise_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	vreg x[STAGE_INPUTS], y;

	for (int i = 1; i < map->operands; i++)
		x[i - 1] = map_load(m, map, i, 0);
	y = vector_op(m, &b->vector, x);
	map_store(m, map, 0, b->clamps ? clamp(m, b, y) : y);
}

int lower_elementwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at at[1 + STAGE_INPUTS];
	const struct stage_access *access[1 + STAGE_INPUTS] = { &s->out };
	struct body b = { .vector = { .node = s->node },
			  .clamps = node_clamps(s->node) || s->node->op == OP_CLIP };
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
						       lower_type(access[i]->value) };
	for (d = 0; d < s->dims; d++) {
		s64 stride[MAP_OPERANDS];

		for (i = 0; i < map.operands; i++)
			stride[i] = plan_stride(access[i], &at[i].layout, d);
		map_dim(&map, s->size[d], stride);
	}
	vector_begin(l, &b.vector);
	if (b.clamps) {
		b.lo = lower_f32(l, s->lo, l->machine->lanes);
		b.hi = lower_f32(l, s->hi, l->machine->lanes);
	}
	map_run(&l->mir, l->machine->lanes, &map);
	return 0;
}
