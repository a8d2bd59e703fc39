// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/refusal.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(struct refusal *refusal, unsigned int status, const char *fmt, ...)
{
	va_list ap;

	refusal->status = status;
	refusal->earliest_us = 0;
	va_start(ap, fmt);
	vsnprintf(refusal->text, sizeof(refusal->text), fmt, ap);
	va_end(ap);
	return -1;
}
