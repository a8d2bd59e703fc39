/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Values as JSON (RFC 8259), which has no NaN and no infinity: both are written as null. Bytes that
 * are no UTF-8 become U+FFFD.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdio.h>

void json_string(FILE *out, const char *text);
void json_number(FILE *out, double value);

#endif
