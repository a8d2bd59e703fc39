/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Strings, for code that has no C library. */
#ifndef RONDO_CORE_TEXT_H
#define RONDO_CORE_TEXT_H

#include "spec/env.h"

static inline bool rondo_text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
