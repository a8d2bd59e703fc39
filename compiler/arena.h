/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Memory that is freed all at once: a graph and everything in it live in one arena.
 *
 * Allocation never returns NULL: when the system has no memory left the process ends with a message
 * and exit status 1. What a hostile model can make the compiler allocate is limited where sizes are
 * read (GRAPH_CONST_BYTES_MAX), so this is the machine's end, not the model's.
 */
#ifndef COMPILER_ARENA_H
#define COMPILER_ARENA_H

#include <stddef.h>

struct arena_block;

/* Zero-initialised is empty and ready. */
struct arena {
	struct arena_block *blocks;
	size_t left; /* bytes free at the end of the first block */
};

/* Zeroed memory, aligned for any type; a valid, unique pointer even for 0 bytes. */
void *arena_alloc(struct arena *a, size_t size);

/* Copies @len bytes of @s and ends them with a 0. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Frees everything; the arena is then empty and ready again. */
void arena_free(struct arena *a);

#endif
