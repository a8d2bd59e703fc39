/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A hash table from a model's names to values, in an arena. */
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

/* Adds @v under its name; false when the name is taken. */
bool name_table_add(struct name_table *t, struct arena *arena, struct value *v);

#endif
