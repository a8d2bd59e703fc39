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

void compile_error_place(struct compile_error *err, unsigned int reason, const char *node,
			 const char *op)
{
	size_t length = strlen(err->text);

	err->reason = reason < length ? reason : (unsigned int)length;
	snprintf(err->node, sizeof(err->node), "%s", node);
	snprintf(err->op, sizeof(err->op), "%s", op);
	make_printable(err->node);
	make_printable(err->op);
}

void compile_error_clear(struct compile_error *err)
{
	*err = (struct compile_error){ 0 };
}

void compile_error_prefix(struct compile_error *err, const char *prefix)
{
	char old[sizeof(err->text)];
	int length;

	if (!err->code)
		return;
	memcpy(old, err->text, sizeof(old));
	length = snprintf(err->text, sizeof(err->text), "%.200s: ", prefix);
	snprintf(err->text + length, sizeof(err->text) - length, "%.*s",
		 (int)(sizeof(err->text) - 204), old);
	err->reason += (unsigned int)length;
	make_printable(err->text);
}
