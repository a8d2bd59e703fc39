// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is made box by box, for the tiles of the only stage that reads it: see plan_fit.h. */
#include "compiler/plan_fit.h"

static void count_accesses(struct fit *f)
{
	const struct stages *s = f->p->stages;

	for (int i = 0; i < s->count; i++) {
		f->makes[s->at[i]->out.value->id]++;
		for (int k = 0; k < STAGE_INPUTS; k++) {
			if (s->at[i]->in[k].value)
				f->reads[s->at[i]->in[k].value->id]++;
		}
	}
}

/* The stage before @i that makes @v, if all between them are made box by box, for @i. */
static int maker_before(const struct fit *f, int i, const struct value *v)
{
	while (i--) {
		const struct value *out = f->p->stages->at[i]->out.value;

		if (out == v)
			return i;
		if (f->p->maker[out->id] == PLAN_NO_STAGE)
			break;
	}
	return PLAN_NO_STAGE;
}

/* The stage that could make input @k of stage @i box by box. */
static int possible_maker(const struct fit *f, int i, int k)
{
	const struct stage *s = f->p->stages->at[i], *by;
	const struct value *v = s->in[k].value;
	int maker;

	if (!v || value_is_const(v) || !f->p->outside[v->id] || v->is_input || v->is_output ||
	    f->p->whole[v->id] || f->reads[v->id] != 1 || f->makes[v->id] != 1 ||
	    !shape_equal(&s->in[k].as, &v->shape) ||
	    !layout_equal(&f->p->layout[v->id], &f->p->at[i].in[k]))
		return PLAN_NO_STAGE;
	maker = maker_before(f, i, v);
	if (maker == PLAN_NO_STAGE)
		return maker;
	by = f->p->stages->at[maker];
	for (int d = 0; d < by->out.as.rank; d++) {
		if (by->out.at[d])
			return PLAN_NO_STAGE;
	}
	return shape_equal(&by->out.as, &v->shape) && f->p->at[maker].unit != PLAN_ALIAS ?
		       maker :
		       PLAN_NO_STAGE;
}

/* What stage @i costs as it is planned. */
static u64 planned_cost(const struct fit *f, int i)
{
	const struct stage *s = f->p->stages->at[i];
	const struct plan *plan = &f->p->at[i];

	return fit_cost(f, s, plan, plan->tiled ? plan->tile : s->size);
}

/*
 * Lets values that stage @i reads, and those that make its inputs box by box, live until stage
 * @end, if @set; the bytes of those that did not.
 */
static u64 keep_until(struct fit *f, int i, int end, bool set)
{
	const struct stage *s = f->p->stages->at[i];
	u64 bytes = 0;

	for (int k = 0; k < STAGE_INPUTS; k++) {
		const struct value *v = s->in[k].value;
		u32 root;

		if (!v || value_is_const(v))
			continue;
		if (f->p->maker[v->id] != PLAN_NO_STAGE) {
			bytes += keep_until(f, f->p->maker[v->id], end, set);
			continue;
		}
		root = f->root[v->id];
		if (f->p->outside[root] || f->last[root] >= end)
			continue;
		bytes += f->bytes[root];
		for (int at = f->last[root] + 1; set && at <= end; at++)
			f->live[at] += f->bytes[root];
		if (set)
			f->last[root] = end;
	}
	return bytes;
}

/* Gives the stages that make inputs of stage @i for tiles of @size points tiles of their own. */
static void set_steps(struct fit *f, int i, const s64 *size)
{
	const struct stage *s = f->p->stages->at[i];

	for (int k = 0; k < STAGE_INPUTS; k++) {
		const struct value *v = s->in[k].value;
		int maker = v && !value_is_const(v) ? f->p->maker[v->id] : PLAN_NO_STAGE;
		struct plan_made m;

		if (maker == PLAN_NO_STAGE ||
		    !plan_made_for(s, &f->p->at[i], k, f->p->stages->at[maker], size, &m))
			continue;
		memcpy(f->p->at[maker].tile, m.step, sizeof(m.step));
		set_steps(f, maker, m.step);
	}
}

/* Lets the stage that makes input @k of stage @i do so box by box, if that fits and costs less. */
static void try_maker(struct fit *f, int i, int k)
{
	int maker = possible_maker(f, i, k);
	const struct value *v = f->p->stages->at[i]->in[k].value;
	struct plan user, before;
	u64 apart, kept, room;

	if (maker == PLAN_NO_STAGE)
		return;
	user = f->p->at[i];
	before = f->p->at[maker];
	apart = planned_cost(f, i) + planned_cost(f, maker);
	f->p->maker[v->id] = maker;
	kept = keep_until(f, maker, i, false);
	room = fit_room_at(f, i) > kept ? fit_room_at(f, i) - kept : 0;
	for (int twice = before.twice; twice >= 0 && !plan_again(f->g, f->p, maker, f->m);
	     twice--) {
		f->p->at[maker].buffers = 2;
		f->p->at[maker].twice = twice;
		if (fit_stage(f, i, room) < apart) {
			keep_until(f, maker, i, true);
			set_steps(f, i, f->p->at[i].tile);
			return;
		}
	}
	f->p->at[i] = user;
	f->p->at[maker] = before;
	f->p->maker[v->id] = PLAN_NO_STAGE;
}

int fit_find_makers(struct fit *f)
{
	count_accesses(f);
	for (int i = 0; i < f->p->stages->count; i++) {
		for (int k = 0; k < STAGE_INPUTS && f->p->at[i].tiled; k++)
			try_maker(f, i, k);
	}
	return f->g->err->code;
}
