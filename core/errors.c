// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/verify.h"

static const struct {
	const char *name, *text;
	u8 where;
} errors[] = {
	[RONDO_ERR_NONE] = { "NONE", "accepted", RONDO_WHERE_NONE },
#define ERR(name, number, where, text) [number] = { #name, text, RONDO_WHERE_##where },
#include "spec/errors.def"
};

static bool known(u32 code)
{
	return code < sizeof(errors) / sizeof(errors[0]) && errors[code].name;
}

const char *rondo_error_text(u32 code)
{
	return known(code) ? errors[code].text : "unknown error";
}

const char *rondo_error_name(u32 code)
{
	return known(code) ? errors[code].name : "UNKNOWN";
}

enum rondo_where rondo_error_where(u32 code)
{
	return known(code) ? errors[code].where : RONDO_WHERE_NONE;
}
