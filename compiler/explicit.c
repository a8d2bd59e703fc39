// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The one place that knows what an attribute is where a model leaves it out: see explicit.h. */
#include "compiler/explicit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How attribute @a of @op differs in the operator set of @g; NULL: it does not. */
static const struct attr_change *find_change(const struct graph *g, enum op op, enum attr a)
{
	for (const struct attr_change *c = attr_changes; c->opset; c++) {
		if (c->op == op && c->attr == a && g->opset < c->opset)
			return c;
	}
	return NULL;
}

static void set_number(struct node *n, enum attr a, float value)
{
	switch (attr_infos[a].kind) {
	case ATTR_INT:
		node_set_int(n, a, (s64)value);
		break;
	case ATTR_FLOAT:
		node_set_float(n, a, value);
		break;
	case ATTR_PAD:
		n->attrs.auto_pad = (enum auto_pad)value;
		n->attrs.given[a] = true;
		break;
	case ATTR_DIMS:
	case ATTR_TEXT:
		break; /* has a rule of its own */
	}
}

static struct dims repeat(s64 value, int times)
{
	struct dims d = { .n = times };

	for (int i = 0; i < times; i++)
		d.v[i] = value;
	return d;
}

static struct dims reversed(int rank)
{
	struct dims d = { .n = rank };

	for (int i = 0; i < rank; i++)
		d.v[i] = rank - 1 - i;
	return d;
}

/* The spatial dimensions of the weights; what of them does not fit @spatial is refused later. */
static struct dims of_weights(const struct node *n, int spatial)
{
	const struct shape *s = &node_in(n, 1)->shape;
	struct dims d = { .n = spatial };

	for (int i = 0; i < spatial; i++)
		d.v[i] = 2 + i < s->rank ? s->dim[2 + i] : 1;
	return d;
}

static int give(const struct graph *g, struct node *n, enum attr a)
{
	const struct attr_change *change = find_change(g, n->op, a);
	int rank = node_in(n, 0)->shape.rank;
	/* Twice as many pads as spatial dimensions must fit; a window of more is refused later. */
	int spatial = rank < 2			     ? 0 :
		      rank - 2 < TENSOR_RANK_MAX / 2 ? rank - 2 :
						       TENSOR_RANK_MAX / 2;

	switch (attr_defaults[n->op][a].rule) {
	case ATTR_ABSENT:
	case ATTR_OWN:
		return 0;
	case ATTR_REQUIRED:
		return node_fail(g, n, -EINVAL, "attribute \"%s\" is missing",
				 attr_infos[a].onnx ? attr_infos[a].onnx : attr_infos[a].name);
	case ATTR_WORD:
		node_set_text(n, a, change ? change->older_word : attr_defaults[n->op][a].word);
		return 0;
	case ATTR_NUMBER:
		set_number(n, a, change ? change->older : attr_defaults[n->op][a].value);
		return 0;
	case ATTR_NONE:
		node_set_dims(n, a, repeat(0, 0));
		return 0;
	case ATTR_ONES:
		node_set_dims(n, a, repeat(1, spatial));
		return 0;
	case ATTR_ZEROS:
		node_set_dims(n, a, repeat(0, 2 * spatial));
		return 0;
	case ATTR_WEIGHTS:
		node_set_dims(n, a, of_weights(n, spatial));
		return 0;
	case ATTR_REVERSED:
		node_set_dims(n, a, reversed(rank));
		return 0;
	}
	return 0;
}

/* Whether ONNX knows the text that the model gives attribute @a. */
static int check_word(const struct graph *g, struct node *n, enum attr a)
{
	const char *const *words = attr_words[n->op][a], *given;
	char list[160] = "";
	size_t at = 0;

	if (!words)
		return 0;
	given = *(const char **)attr_at(&n->attrs, a);
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], given))
			return 0;
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       words[i]);
	}
	return node_fail(g, n, -EINVAL, "%s is \"%.80s\", not one of %s", attr_infos[a].onnx, given,
			 list);
}

int make_explicit(const struct graph *g, struct node *n)
{
	int rc = 0;

	for (int a = 0; a < ATTR_COUNT && !rc; a++) {
		if (!op_has(n->op, a))
			continue;
		rc = n->attrs.given[a] ? check_word(g, n, a) : give(g, n, a);
	}
	return rc;
}
