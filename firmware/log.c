/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The log ring: lines of text for people, overwritten from the oldest. */
#include <stdarg.h>

#include "firmware/firmware.h"

/* A line is shorter than an event, so that a copy of an event's size to the host is one. */
enum { FW_LOG_LINE = 60 };

/* Digits of @value in @base, most significant first; returns how many. */
static u32 digits(char out[10], u32 value, u32 base)
{
	char reversed[10];
	u32 n = 0;

	do {
		reversed[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (u32 i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	return n;
}

static u32 format(char line[FW_LOG_LINE], const char *fmt, va_list args)
{
	char number[10];
	u32 size = 0;

	for (; *fmt && size < FW_LOG_LINE - 1; fmt++) {
		if (*fmt != '%') {
			line[size++] = *fmt;
			continue;
		}
		u32 n = digits(number, va_arg(args, u32), *++fmt == 'x' ? 16 : 10);

		for (u32 i = 0; i < n && size < FW_LOG_LINE - 1; i++)
			line[size++] = number[i];
	}
	line[size++] = '\n';
	return size;
}

void fw_log(struct firmware *fw, const char *fmt, ...)
{
	char line[FW_LOG_LINE];
	u32 size, at, first;
	va_list args;

	if (fw->state != RONDO_FW_STATE_READY)
		return;
	va_start(args, fmt);
	size = format(line, fmt, args);
	va_end(args);

	at = fw->status.log_tail & (fw->init.log_size - 1);
	first = fw->init.log_size - at < size ? fw->init.log_size - at : size;
	if (!hal_copy_out(fw->init.log + at, line, first))
		return;
	if (first < size && !hal_copy_out(fw->init.log, line + first, size - first))
		return;
	fw->status.log_tail += size;
	fw->changed = true;
}
