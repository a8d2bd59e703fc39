/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A hash table from a model's names to values, in the graph's memory. */
#ifndef COMPILER_NAME_TABLE_H
#define COMPILER_NAME_TABLE_H

#include "compiler/graph.h"

/* Zero-initialised is empty and ready. Names belong to the values. */
struct name_table {
	struct value **slots;
	size_t n, room; /* room is a power of two, or 0 */
};

/* The value of that name, or NULL. */
struct value *name_table_get(const struct name_table *t, const char *name);

/* Adds @v of @g under its name; -EEXIST when that is taken, -ENOMEM with a message. */
int name_table_add(struct name_table *t, struct graph *g, struct value *v);

#endif
