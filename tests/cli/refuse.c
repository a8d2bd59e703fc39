// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The host refuses memory: after refuse_after(n), of what the command's thread asks for the request
 * behind n others is refused, and so is every one after it. Not what a device in the process needs
 * to be there. To be linked with --wrap of what asks.
 */
#include "tests/cli/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long left = -1; /* requests before the one that is refused; -1: none is */
static _Thread_local bool paused;
static bool any;

void refuse_after(long requests)
{
	left = requests;
}

bool refused_any(void)
{
	return any;
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

#define REFUSABLE(type, name, params, args)                      \
	type __real_##name params;                               \
	type __wrap_##name params;                               \
	type __wrap_##name params                                \
	{                                                        \
		return refused() ? (type)0 : __real_##name args; \
	}

REFUSABLE(void *, malloc, (size_t size), (size))
REFUSABLE(void *, calloc, (size_t n, size_t size), (n, size))
REFUSABLE(void *, realloc, (void *old, size_t size), (old, size))
REFUSABLE(void *, aligned_alloc, (size_t align, size_t size), (align, size))
REFUSABLE(char *, strdup, (const char *text), (text))
REFUSABLE(char *, strndup, (const char *text, size_t size), (text, size))
REFUSABLE(FILE *, open_memstream, (char **text, size_t *size), (text, size))
