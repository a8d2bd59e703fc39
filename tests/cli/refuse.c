// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The host refuses memory: after refuse_after(n), of what the command's thread asks for the request
 * behind n others is refused, and so is every one after it. Not what a device in the process needs
 * to be there. To be linked with --wrap of what asks.
 */
#include "tests/cli/refuse.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long left = -1; /* requests before the one that is refused; -1: none is */
static _Thread_local bool paused;
static bool any;
static atomic_long held; /* pieces that were given and have not been given back */

void refuse_after(long requests)
{
	left = requests;
}

bool refused_any(void)
{
	return any;
}

long pieces_held(void)
{
	return held;
}

void refuse_pause(bool pause)
{
	paused = pause;
}

static bool refused(void)
{
	if (left < 0 || paused || (left && left--))
		return false;
	any = true;
	errno = ENOMEM;
	return true;
}

#define REFUSABLE(name, params, args)                            \
	void *__real_##name params;                              \
	void *__wrap_##name params;                              \
	void *__wrap_##name params                               \
	{                                                        \
		void *p = refused() ? NULL : __real_##name args; \
		held += p != NULL;                               \
		return p;                                        \
	}

REFUSABLE(malloc, (size_t size), (size))
REFUSABLE(calloc, (size_t n, size_t size), (n, size))
REFUSABLE(aligned_alloc, (size_t align, size_t size), (align, size))
REFUSABLE(strdup, (const char *text), (text))
REFUSABLE(strndup, (const char *text, size_t size), (text, size))

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	void *p = refused() ? NULL : __real_realloc(old, size);

	held += p && !old;
	return p;
}

FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size)
{
	FILE *f = refused() ? NULL : __real_open_memstream(text, size);

	held += f != NULL; /* its text */
	return f;
}

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	held -= p != NULL;
	__real_free(p);
}
