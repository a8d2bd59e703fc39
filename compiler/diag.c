// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Error messages: see diag.h. */
#include "compiler/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in a model may hold control characters, which must not reach a terminal. */
static void make_printable(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

int compile_fail(struct compile_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err->code)
		return err->code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	make_printable(err->text);
	return code;
}

void compile_error_prefix(struct compile_error *err, const char *prefix)
{
	char old[sizeof(err->text)];

	if (!err->code)
		return;
	memcpy(old, err->text, sizeof(old));
	snprintf(err->text, sizeof(err->text), "%.200s: %.*s", prefix,
		 (int)(sizeof(err->text) - 204), old);
	make_printable(err->text);
}
