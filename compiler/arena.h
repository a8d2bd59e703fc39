/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Memory that is freed all at once: a graph and everything in it live in one arena.
 *
 * When there is no memory, that is an error like any other: an allocation gives NULL, and whoever
 * can reach a struct compile_error records -ENOMEM (graph_alloc()). Nothing in the compiler ends
 * the process.
 *
 * A user who wants to stop is heard here, too: all work of the compiler allocates, so an arena asks
 * now and then, and once the answer is yes there is no more memory. Whoever owns the struct
 * arena_stop sees from it why.
 */
#ifndef COMPILER_ARENA_H
#define COMPILER_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena_stop {
	bool (*asked)(void *context); /* whether the user wants to stop; NULL: never */
	void *context;
	bool stopped; /* the answer was yes */
	unsigned int allocations; /* since it was asked */
};

/* Asks at once. Whether there is to be nothing more; @stop may be NULL. */
bool arena_stopped(struct arena_stop *stop);

/* Zero-initialised is empty and ready. */
struct arena {
	struct arena_block *blocks;
	size_t left; /* bytes free at the end of the first block */
	struct arena_stop *stop; /* or NULL; several arenas may share it */
};

/* Zeroed memory, aligned for any type; a unique pointer even for 0 bytes. NULL: there is none. */
void *arena_alloc(struct arena *a, size_t size);

/*
 * Memory of @bigger bytes that begins with the @size bytes of @old, which was allocated from @a
 * with that size and is no more; the rest need not be zero. NULL: no memory.
 */
void *arena_grow(struct arena *a, void *old, size_t size, size_t bigger);

/* Copies @len bytes of @s and ends them with a 0; NULL: no memory. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Empties the arena and keeps memory for as much again. */
void arena_reset(struct arena *a);

/* Where an arena was at some time. */
struct arena_mark {
	struct arena_block *blocks;
	size_t left;
};

/* What @a has allocated so far; false: no memory. */
bool arena_set_mark(struct arena *a, struct arena_mark *mark);

/* Frees what @a has allocated since @mark, which was set last or is the only one. */
void arena_back_to(struct arena *a, const struct arena_mark *mark);

/* Frees everything; the arena is then empty and ready again. */
void arena_free(struct arena *a);

#endif
