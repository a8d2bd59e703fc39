// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A bump allocator: see arena.h. Large requests get a block of their own. */
#include "compiler/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN = alignof(max_align_t) };

enum { ASK_EVERY = 16 }; /* allocations: some microseconds of work */

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *new_block(size_t size)
{
	struct arena_block *b = calloc(1, sizeof(*b) + size);

	if (b)
		b->size = size;
	return b;
}

bool arena_stopped(struct arena_stop *stop)
{
	if (!stop || !stop->asked)
		return false;
	stop->allocations = 0;
	stop->stopped = stop->stopped || stop->asked(stop->context);
	return stop->stopped;
}

/* The same, asked only now and then. */
static bool is_stopped(struct arena_stop *stop)
{
	if (!stop || (!stop->stopped && ++stop->allocations < ASK_EVERY))
		return false;
	return arena_stopped(stop);
}

static size_t rounded(size_t size)
{
	return size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
}

/* Whether @size bytes get a block of their own. */
static bool is_large(size_t size)
{
	return rounded(size) > BLOCK_BYTES / 4;
}

/* A block that allocations come from now. */
static bool begin_block(struct arena *a)
{
	struct arena_block *b = new_block(BLOCK_BYTES);

	if (!b)
		return false;
	b->next = a->blocks;
	a->blocks = b;
	a->left = BLOCK_BYTES;
	return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b;
	void *p;

	if (size > SIZE_MAX / 2 || is_stopped(a->stop))
		return NULL;
	size = rounded(size);
	if (is_large(size)) {
		b = new_block(size);
		if (!b)
			return NULL;
		if (a->blocks) { /* behind the block that still has room */
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else {
			a->blocks = b;
			a->left = 0;
		}
		return b->bytes;
	}
	if (a->left < size && !begin_block(a))
		return NULL;
	p = a->blocks->bytes + a->blocks->size - a->left;
	a->left -= size;
	return p;
}

/* What has a block of its own grows there, so that what it was takes no memory any more. */
void *arena_grow(struct arena *a, void *old, size_t size, size_t bigger)
{
	struct arena_block **at = &a->blocks, *b;
	void *p;

	if (!is_large(size)) {
		p = arena_alloc(a, bigger);
		if (p && size)
			memcpy(p, old, size);
		return p;
	}
	while ((*at)->bytes != old)
		at = &(*at)->next;
	if (bigger > SIZE_MAX / 2 || is_stopped(a->stop))
		return NULL;
	b = realloc(*at, sizeof(*b) + bigger);
	if (!b)
		return NULL;
	b->size = bigger;
	*at = b;
	return b->bytes;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (p)
		memcpy(p, s, len);
	return p;
}

static void free_blocks(struct arena_block *b, const struct arena_block *end)
{
	while (b != end) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

/* All that comes later is before the block that is begun, in it, or between it and the others. */
bool arena_set_mark(struct arena *a, struct arena_mark *mark)
{
	*mark = (struct arena_mark){ a->blocks, a->left };
	return begin_block(a);
}

void arena_back_to(struct arena *a, const struct arena_mark *mark)
{
	free_blocks(a->blocks, mark->blocks);
	a->blocks = mark->blocks;
	a->left = mark->left;
}

void arena_reset(struct arena *a)
{
	struct arena_block *first = a->blocks;

	if (!first || first->size != BLOCK_BYTES)
		return arena_free(a);
	free_blocks(first->next, NULL);
	first->next = NULL;
	memset(first->bytes, 0, first->size - a->left);
	a->left = first->size;
}

void arena_free(struct arena *a)
{
	free_blocks(a->blocks, NULL);
	a->blocks = NULL;
	a->left = 0;
}
