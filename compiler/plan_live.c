// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Which values live where, and how long, while plans are fitted into SRAM: see plan_fit.h. */
#include "compiler/plan_fit.h"

enum {
	OUTSIDE_MIN = 512, /* bytes of a value that is worth sending out */
};

static u64 no_less(u64 a, u64 b)
{
	return a > b ? a : b;
}

static void live_at(struct fit *f, u32 root, int stage)
{
	if (f->first[root] == FIT_NOBODY || f->first[root] > stage)
		f->first[root] = stage;
	if (f->last[root] < stage)
		f->last[root] = stage;
}

/* A View and what it is one of are one value for us, and a Concat and what is computed there. */
static void find_roots(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (u32 v = 0; v < f->values; v++)
		f->root[v] = v;
	for (int i = s->count - 1; i >= 0; i--) {
		const struct value *in = s->at[i]->in[0].value, *out = s->at[i]->out.value;

		if (f->p->whole[in->id] == out)
			f->root[in->id] = f->root[out->id];
	}
	for (int i = 0; i < s->count; i++) {
		const struct value *in = s->at[i]->in[0].value, *out = s->at[i]->out.value;

		if (s->at[i]->node->op == OP_VIEW && !value_is_const(in) && !out->is_output)
			f->root[out->id] = f->root[in->id];
	}
}

u64 fit_moved_by(const struct fit *f, const struct stage *s, u32 root)
{
	u64 bytes = 0;

	if (s->in[0].value && f->root[s->in[0].value->id] == f->root[s->out.value->id])
		return 0;
	for (int k = 0; k <= STAGE_INPUTS; k++) {
		const struct value *v = k < STAGE_INPUTS ? s->in[k].value : s->out.value;

		if (v && f->root[v->id] == root)
			bytes += layout_dense(v).bytes;
	}
	return bytes;
}

void fit_find_lives(struct fit *f)
{
	const struct stages *s = f->p->stages;

	find_roots(f);
	for (u32 v = 0; v < f->values; v++)
		f->first[v] = f->last[v] = FIT_NOBODY;
	for (size_t i = 0; i < f->g->inputs.n; i++)
		live_at(f, f->root[f->g->inputs.v[i]->id], 0);
	for (int i = 0; i < s->count; i++) {
		live_at(f, f->root[s->at[i]->out.value->id], i);
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct value *v = s->at[i]->in[k].value;

			if (v && !value_is_const(v))
				live_at(f, f->root[v->id], i);
		}
	}
	for (size_t i = 0; i < f->g->outputs.n; i++) {
		if (!value_is_const(f->g->outputs.v[i]))
			live_at(f, f->root[f->g->outputs.v[i]->id], s->count - 1);
	}
	for (u32 v = 0; v < f->values; v++) {
		u32 root = f->root[v];

		f->bytes[root] = no_less(f->bytes[root], f->p->layout[v].bytes);
	}
	for (u32 v = 0; v < f->values; v++) {
		for (int i = f->first[v]; i != FIT_NOBODY && i <= f->last[v]; i++)
			f->moved[v] += fit_moved_by(f, s->at[i], v);
	}
	for (u32 v = 0; v < f->values; v++) {
		for (int i = f->first[v]; i != FIT_NOBODY && i <= f->last[v]; i++)
			f->live[i] += f->bytes[v];
	}
}

bool fit_lies_dense(const struct fit *f, u32 root)
{
	const struct stages *s = f->p->stages;

	if (f->value[root]->is_output)
		return true;

	for (int i = f->first[root]; i <= f->last[root]; i++) {
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct stage_access *a = &s->at[i]->in[k];

			if (a->value && f->root[a->value->id] == root &&
			    !shape_equal(&a->as, &a->value->shape))
				return true;
		}
	}
	return false;
}

void fit_set_outside(struct fit *f, u32 root, bool outside)
{
	for (u32 v = 0; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->outside[v] = outside;
	}
	for (int i = f->first[root]; i <= f->last[root]; i++)
		f->live[i] += outside ? -f->bytes[root] : f->bytes[root];
}

void fit_send_outside(struct fit *f, u32 root)
{
	fit_set_outside(f, root, true);
	if (!fit_lies_dense(f, root))
		return;
	for (u32 v = 0; v < f->values; v++) {
		if (f->root[v] == root)
			f->p->layout[v] = layout_dense(f->value[v]);
	}
	plan_parts(f->p);
}

bool fit_may_leave(const struct fit *f, u32 root, int i)
{
	return f->root[root] == root && !f->p->outside[root] && f->bytes[root] >= OUTSIDE_MIN &&
	       f->first[root] != FIT_NOBODY && f->first[root] <= i && f->last[root] >= i;
}
