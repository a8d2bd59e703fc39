// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Breakpoints, and moving to them. */
#include <inttypes.h>

#include "tools/debug/command_state.h"

/* What a breakpoint can be set on: its name, its arguments, and its help text. */
static const struct form {
	const char *name;
	enum break_kind kind;
	bool indexed; /* the number of the slot or buffer comes before the range */
	bool access; /* read or written */
	const char *prefix, *what;
} forms[] = {
	{ "bundle", BREAK_BUNDLE, false, false, "", "bundles" },
	{ "cycle", BREAK_CYCLE, false, false, "", "cycles" },
	{ "sram", BREAK_SRAM, false, true, "", "bytes of SRAM" },
	{ "reg", BREAK_REGISTER, false, true, "v", "registers" },
	{ "acc", BREAK_ACCUMULATOR, false, true, "a", "accumulator rows" },
	{ "weights", BREAK_WEIGHT, true, false, "", "weight rows" },
	{ "slot", BREAK_SLOT, true, true, "", "bytes of that slot" },
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

static const struct form *form_of(enum break_kind kind)
{
	u32 i;

	for (i = 0; i < FORMS; i++)
		if (forms[i].kind == kind)
			return &forms[i];
	return NULL;
}

static u64 limit_of(const struct session *s, const struct breakpoint *b)
{
	switch (b->kind) {
	case BREAK_BUNDLE:
		return s->program.header->bundles;
	case BREAK_SRAM:
		return s->machine.sram_bytes;
	case BREAK_REGISTER:
		return RONDO_VREGS;
	case BREAK_ACCUMULATOR:
		return s->machine.acc_rows;
	case BREAK_WEIGHT:
		return s->machine.lanes;
	case BREAK_SLOT:
		return s->slot_bytes[b->index];
	default:
		return UINT64_MAX;
	}
}

static void print_break(FILE *out, const struct breakpoint *b)
{
	const struct form *form = form_of(b->kind);

	fprintf(out, "%u: ", b->number);
	if (b->kind == BREAK_LAYER) {
		fprintf(out, "layer %s\n", b->layer);
		return;
	}
	fprintf(out, "%s ", form->name);
	if (form->indexed)
		fprintf(out, "%u ", b->index);
	fprintf(out, "%s%" PRIu64, form->prefix, b->lo);
	if (b->hi > b->lo)
		fprintf(out, "..%s%" PRIu64, form->prefix, b->hi);
	if (form->access && b->read != b->write)
		fprintf(out, " %s", b->read ? "read" : "write");
	fprintf(out, "\n");
}

/* Which accesses: the word at @index, if there is one. */
static bool parse_access(struct debugger *d, const struct args *args, u32 index,
			 const struct form *form, struct breakpoint *b)
{
	const char *word = args->count > index ? args->at[index] : NULL;

	b->read = b->write = true;
	if (!word)
		return true;
	if (args->count > index + 1 || !form->access)
		return bad(d, "%s: expected nothing after %s", args->at[args->count - 1],
			   args->at[index - 1]);
	b->read = !strcmp(word, "read");
	b->write = !strcmp(word, "write");
	return b->read || b->write || bad(d, "%s: expected read or write", word);
}

static bool parse_index(struct debugger *d, const char *text, struct breakpoint *b)
{
	u32 count = b->kind == BREAK_SLOT ? shown(d)->program.header->slots : 2;
	u64 index;

	if (!parse_number(d, text, b->kind == BREAK_SLOT ? "a slot" : "a weight buffer", &index))
		return false;
	if (index >= count)
		return bad(d, "%s: there are %u %s", text, count,
			   b->kind == BREAK_SLOT ? "slots" : "weight buffers");
	b->index = (u32)index;
	return true;
}

static bool parse_layer(struct debugger *d, const struct args *args, struct breakpoint *b)
{
	const struct session *s = shown(d);
	u32 i;

	b->kind = BREAK_LAYER;
	if (args->count != 2)
		return bad(d, "expected one layer; layers lists them");
	for (i = 0; i < s->source.region_count; i++) {
		if (strcmp(s->source.regions[i].name, args->at[1]))
			continue;
		b->layer = s->source.regions[i].name;
		return true;
	}
	return bad(d, "%s: there is no such layer; layers lists them", args->at[1]);
}

static bool parse_break(struct debugger *d, const struct args *args, struct breakpoint *b)
{
	const struct form *form = NULL;
	struct range range;
	u32 i, at = 1;

	if (!strcmp(args->at[0], "layer"))
		return parse_layer(d, args, b);
	for (i = 0; i < FORMS && !form; i++)
		if (!strcmp(args->at[0], forms[i].name))
			form = &forms[i];
	if (!form)
		return bad(d, "%s: expected bundle, layer, cycle, sram, reg, acc, weights or slot",
			   args->at[0]);
	b->kind = form->kind;
	if (form->indexed && !parse_index(d, args->at[at++], b))
		return false;
	if (at == args->count)
		return bad(d, "expected %s, such as 4 or 4..7", form->what);
	if (!parse_range(d, args->at[at], form->prefix, form->what, limit_of(shown(d), b), &range))
		return false;
	if (b->kind == BREAK_CYCLE && range.lo != range.hi)
		return bad(d, "%s: expected one cycle", args->at[at]);
	b->lo = range.lo;
	b->hi = range.hi;
	return parse_access(d, args, at + 1, form, b);
}

bool break_add(struct debugger *d, const struct args *args)
{
	struct breakpoint b = { .number = d->break_number + 1 };

	if (d->break_count == BREAKS_MAX)
		return bad(d, "there are %u breakpoints already", BREAKS_MAX);
	if (!parse_break(d, args, &b))
		return false;
	d->break_number++;
	d->breaks[d->break_count++] = b;
	print_break(d->out, &b);
	return true;
}

bool break_list(struct debugger *d, const struct args *args)
{
	u32 i;

	(void)args;
	for (i = 0; i < d->break_count; i++)
		print_break(d->out, &d->breaks[i]);
	if (!d->break_count)
		fprintf(d->out, "there are no breakpoints\n");
	return true;
}

bool break_delete(struct debugger *d, const struct args *args)
{
	u64 number;
	u32 i;

	if (!strcmp(args->at[0], "all")) {
		d->break_count = 0;
		return true;
	}
	if (!parse_number(d, args->at[0], "a breakpoint, or all", &number))
		return false;
	for (i = 0; i < d->break_count && d->breaks[i].number != number; i++)
		;
	if (i == d->break_count)
		return bad(d, "%s: there is no such breakpoint", args->at[0]);
	d->break_count--;
	memmove(&d->breaks[i], &d->breaks[i + 1], (d->break_count - i) * sizeof(d->breaks[0]));
	return true;
}

/* Moving. */

static void print_access(FILE *out, const struct session *s, const struct reference_access *access)
{
	static const char *const what[] = {
		[REFERENCE_SRAM] = "SRAM",
		[REFERENCE_REGISTER] = "register",
		[REFERENCE_ACCUMULATOR] = "accumulator row",
		[REFERENCE_WEIGHT] = "weights",
		[REFERENCE_SLOT] = "slot",
	};
	const char *verb = access->write ? "written" : "read";

	fprintf(out, ", %s ", what[access->space]);
	if (access->space == REFERENCE_WEIGHT)
		fprintf(out, "w%u.", access->index);
	if (access->space == REFERENCE_SLOT)
		fprintf(out, "%u ", access->index);
	fprintf(out, "%s%" PRIu64, access->space == REFERENCE_REGISTER ? "v" : "", access->at);
	if (access->count > 1)
		fprintf(out, "..%" PRIu64, access->at + access->count - 1);
	if (s->reference->tiles > 1 && access->space != REFERENCE_SLOT)
		fprintf(out, " of tile %u %u", access->tile % s->machine.mesh_w,
			access->tile / s->machine.mesh_w);
	fprintf(out, " is %s in this cycle", verb);
}

static bool print_hit(struct debugger *d, bool arrived, const struct break_hit *hit)
{
	const struct form *form = hit->breakpoint ? form_of(hit->breakpoint->kind) : NULL;

	if (!arrived)
		fprintf(d->out, "interrupted\n");
	else if (hit->breakpoint) {
		fprintf(d->out, "breakpoint %u", hit->breakpoint->number);
		if (form && hit->access.count)
			print_access(d->out, shown(d), &hit->access);
		fprintf(d->out, "\n");
	}
	print_where(d->out, shown(d));
	return true;
}

bool go_continue(struct debugger *d, const struct args *args)
{
	struct break_hit hit;
	bool arrived = search_forwards(shown(d), d->breaks, d->break_count, &hit);

	(void)args;
	return print_hit(d, arrived, &hit);
}

bool go_reverse(struct debugger *d, const struct args *args)
{
	struct break_hit hit;
	bool arrived = search_backwards(shown(d), d->breaks, d->break_count, &hit);

	(void)args;
	return print_hit(d, arrived, &hit);
}

/* Goes @count times to the next cycle in which any bundle becomes due. */
static bool go_bundles(struct debugger *d, const struct args *args, bool forwards)
{
	const struct breakpoint any = { .kind = BREAK_BUNDLE, .hi = SESSION_NO_BUNDLE - 1 };
	struct session *s = shown(d);
	struct break_hit hit;
	u64 count = 1;

	if (args->count && !parse_number(d, args->at[0], "how many bundles", &count))
		return false;
	for (; count; count--) {
		bool arrived = forwards ? search_forwards(s, &any, 1, &hit) :
					  search_backwards(s, &any, 1, &hit);

		if (!arrived)
			fprintf(d->out, "interrupted\n");
		if (!arrived || !hit.breakpoint)
			break;
	}
	print_where(d->out, s);
	return true;
}

bool go_next(struct debugger *d, const struct args *args)
{
	return go_bundles(d, args, true);
}

bool go_previous(struct debugger *d, const struct args *args)
{
	return go_bundles(d, args, false);
}
