// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Channel shuffles as addressing: what View, Transpose and View put into another order, the stage
 * before stores there.
 *
 * There are `groups` of `each` channels; channel k of group g goes to k * groups + g. That is
 * affine if some dimensions of the domain count whole groups, and the others stay inside of one.
 */
#include "compiler/stage.h"

struct shuffle {
	const struct value *from, *to;
	s64 groups, each;
};

enum { CHANNEL = 1, STAGES = 3 };

/* Whether @apart is @v with its channels as two dimensions. */
static bool splits_channels(const struct value *v, const struct value *apart)
{
	const struct shape *is = &v->shape, *split = &apart->shape;

	if (is->rank <= CHANNEL || split->rank != is->rank + 1 || split->dim[0] != is->dim[0] ||
	    split->dim[1] * split->dim[2] != is->dim[CHANNEL])
		return false;
	for (int i = CHANNEL + 1; i < is->rank; i++) {
		if (split->dim[i + 1] != is->dim[i])
			return false;
	}
	return true;
}

static bool swaps_channels(const struct node *n)
{
	for (int i = 0; i < n->attrs.perm.n; i++) {
		s64 from = i == 1 ? 2 : i == 2 ? 1 : i;

		if (n->attrs.perm.v[i] != from)
			return false;
	}
	return true;
}

/* Whether the @STAGES stages at @at are a shuffle and nothing else. */
static bool is_shuffle(struct stage *const *at, struct shuffle *shuffle)
{
	static const enum op ops[STAGES] = { OP_VIEW, OP_TRANSPOSE, OP_VIEW };
	const struct value *v = at[0]->in[0].value;

	shuffle->from = v;
	for (int i = 0; i < STAGES; i++) {
		if (at[i]->node->op != ops[i] || at[i]->in[0].value != v ||
		    value_only_user(v) != at[i]->node)
			return false;
		v = at[i]->out.value;
	}
	shuffle->to = v;
	v = at[0]->out.value;
	if (shuffle->to->is_output || !shape_equal(&shuffle->to->shape, &shuffle->from->shape) ||
	    !splits_channels(shuffle->from, v) || !swaps_channels(at[1]->node))
		return false;
	shuffle->groups = v->shape.dim[1];
	shuffle->each = v->shape.dim[2];
	return true;
}

/* Lets @s store what it makes of all channels where @shuffle takes it; false: it cannot. */
static bool store_shuffled(struct stage *s, const struct shuffle *shuffle)
{
	s64 first = s->out.at[CHANNEL] % shuffle->each, last = first, channels = 1;
	s32 *step = s->out.step[CHANNEL];

	if (!shape_equal(&s->out.as, &shuffle->from->shape))
		return false;
	for (int d = 0; d < s->dims; d++) {
		if (step[d] < 0)
			return false;
		channels *= step[d] ? s->size[d] : 1;
		last += step[d] % shuffle->each ? step[d] * (s->size[d] - 1) : 0;
	}
	if (last >= shuffle->each || channels != shuffle->groups * shuffle->each)
		return false;
	for (int d = 0; d < s->dims; d++)
		step[d] = (s32)(step[d] % shuffle->each ? step[d] * shuffle->groups :
							  step[d] / shuffle->each);
	s->out.at[CHANNEL] = first * shuffle->groups + s->out.at[CHANNEL] / shuffle->each;
	s->out.value = shuffle->to;
	return true;
}

/* The only stage before number @end that makes @v, or NULL. */
static struct stage *maker_of(const struct stages *list, int end, const struct value *v)
{
	struct stage *maker = NULL;

	for (int i = 0; i < end; i++) {
		if (list->at[i]->out.value != v)
			continue;
		if (maker)
			return NULL;
		maker = list->at[i];
	}
	return maker;
}

void stages_shuffle(struct stages *list)
{
	for (int i = 0; i + STAGES <= list->count; i++) {
		struct shuffle shuffle;
		struct stage *maker;

		if (!is_shuffle(&list->at[i], &shuffle))
			continue;
		maker = maker_of(list, i, shuffle.from);
		if (!maker || !store_shuffled(maker, &shuffle))
			continue;
		list->count -= STAGES;
		memmove(&list->at[i], &list->at[i + STAGES],
			(size_t)(list->count - i) * sizeof(struct stage *));
		i--;
	}
}
