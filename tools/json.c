// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/json.h"

#include <math.h>

/* Bytes of the UTF-8 sequence that @text begins with; 0: it begins with none. */
static int sequence(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead; /* of the first byte */
		unsigned int least; /* code point that needs as many bytes */
	} forms[] = {
		{ 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
	};

	for (int length = 1; length <= 4; length++) {
		unsigned int point = *text & ~forms[length - 1].mask;

		if ((*text & forms[length - 1].mask) != forms[length - 1].lead)
			continue;
		for (int i = 1; i < length; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (text[i] & 0x3f);
		}
		if (point < forms[length - 1].least || point > 0x10ffff ||
		    (point >= 0xd800 && point < 0xe000))
			return 0;
		return length;
	}
	return 0;
}

void json_string(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', out);
	while (*at) {
		int length = sequence(at);

		if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else if (length)
			fwrite(at, 1, length, out);
		else
			fputs("\\ufffd", out);
		at += length ? length : 1;
	}
	fputc('"', out);
}

void json_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.9g", value);
	else
		fputs("null", out);
}
