// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/text.h"
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

const char *rondo_where_text(enum rondo_where where)
{
	switch (where) {
	case RONDO_WHERE_BUNDLE:
		return "bundle";
	case RONDO_WHERE_ENTRY:
		return "address entry";
	case RONDO_WHERE_DESC:
		return "descriptor";
	case RONDO_WHERE_SLOT:
		return "buffer slot";
	case RONDO_WHERE_NONE:
		break;
	}
	return "";
}

size_t rondo_verdict_text(const struct rondo_verdict *verdict, char *out, size_t size)
{
	struct rondo_text t = { .out = out, .size = size };
	enum rondo_where where = rondo_error_where(verdict->code);

	if (where != RONDO_WHERE_NONE) {
		rondo_text_string(&t, rondo_where_text(where));
		rondo_text_numbered(&t, " ", verdict->index);
		if (where == RONDO_WHERE_BUNDLE && verdict->slot < RONDO_SLOTS_PER_BUNDLE) {
			rondo_text_string(&t, ", slot ");
			rondo_text_string(&t, rondo_slot_names[verdict->slot]);
		}
		rondo_text_string(&t, ": ");
	}
	rondo_text_string(&t, rondo_error_text(verdict->code));
	return rondo_text_end(&t);
}
