// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Open addressing with linear probing, at most half full: see name_table.h. */
#include "compiler/name_table.h"
#include "core/fnv.h"

#include <errno.h>
#include <string.h>

/* The slot that holds @name, or the empty one where it belongs. */
static struct value **find(const struct name_table *t, const char *name)
{
	size_t i = (size_t)rondo_fnv(name, strlen(name)) & (t->room - 1);

	while (t->slots[i] && strcmp(t->slots[i]->name, name))
		i = (i + 1) & (t->room - 1);
	return &t->slots[i];
}

struct value *name_table_get(const struct name_table *t, const char *name)
{
	return t->room ? *find(t, name) : NULL;
}

static int grow(struct name_table *t, struct graph *g)
{
	struct name_table bigger = { .room = t->room ? 2 * t->room : 64, .n = t->n };

	bigger.slots = graph_alloc(g, bigger.room * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->room; i++) {
		if (t->slots[i])
			*find(&bigger, t->slots[i]->name) = t->slots[i];
	}
	*t = bigger;
	return 0;
}

int name_table_add(struct name_table *t, struct graph *g, struct value *v)
{
	if (2 * (t->n + 1) > t->room && grow(t, g))
		return -ENOMEM;
	if (*find(t, v->name))
		return -EEXIST;
	*find(t, v->name) = v;
	t->n++;
	return 0;
}
