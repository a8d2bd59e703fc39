/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Strings, for a core that has no C library. */
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

/*
 * Text that is written into a buffer of the caller's. What does not fit is cut off; the end
 * terminates it, unless the buffer has no byte at all.
 */
struct rondo_text {
	char *out;
	size_t size, length;
};

static inline void rondo_text_char(struct rondo_text *t, char c)
{
	if (t->length + 1 < t->size)
		t->out[t->length++] = c;
}

static inline void rondo_text_string(struct rondo_text *t, const char *s)
{
	while (*s)
		rondo_text_char(t, *s++);
}

static inline void rondo_text_number(struct rondo_text *t, s64 value)
{
	u64 rest = value < 0 ? -(u64)value : (u64)value;
	char digit[20];
	u32 n = 0;

	if (value < 0)
		rondo_text_char(t, '-');
	do
		digit[n++] = '0' + rest % 10;
	while (rest /= 10);
	while (n)
		rondo_text_char(t, digit[--n]);
}

/* A word and a number: "v3", "zp=3". */
static inline void rondo_text_numbered(struct rondo_text *t, const char *word, s64 value)
{
	rondo_text_string(t, word);
	rondo_text_number(t, value);
}

/* Terminates the text; returns its length. */
static inline size_t rondo_text_end(struct rondo_text *t)
{
	if (t->size)
		t->out[t->length] = '\0';
	return t->length;
}

#endif
