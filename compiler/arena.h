/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Memory that is freed all at once: a graph and everything in it live in one arena.
 *
 * When there is no memory, that is an error like any other: an allocation gives NULL, and whoever
 * can reach a struct compile_error records -ENOMEM (graph_alloc()). Nothing in the compiler ends
 * the process.
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

/* Zeroed memory, aligned for any type; a unique pointer even for 0 bytes. NULL: there is none. */
void *arena_alloc(struct arena *a, size_t size);

/* Copies @len bytes of @s and ends them with a 0; NULL: no memory. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Frees everything; the arena is then empty and ready again. */
void arena_free(struct arena *a);

#endif
