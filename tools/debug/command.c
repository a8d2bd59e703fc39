// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The table of commands, their arguments, and those that move. */
#include "tools/debug/command.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tools/debug/command_state.h"

bool bad(struct debugger *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->error, sizeof(d->error), fmt, ap);
	va_end(ap);
	return false;
}

/* Arguments. */

/* The number that @text begins with, and what follows it; false: there is none, or too large. */
static bool scan_number(const char *text, const char **rest, u64 *number)
{
	u32 base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
	const char *at = base == 16 ? text + 2 : text, *first = at;

	for (*number = 0;; at++) {
		u64 digit;

		if (*at >= '0' && *at <= '9')
			digit = (u64)(*at - '0');
		else if (base == 16 && *at >= 'a' && *at <= 'f')
			digit = (u64)(*at - 'a') + 10;
		else
			break;
		if (check_mul_overflow(*number, (u64)base, number) ||
		    check_add_overflow(*number, digit, number))
			return false;
	}
	*rest = at;
	return at > first;
}

bool parse_number(struct debugger *d, const char *text, const char *what, u64 *number)
{
	const char *rest;

	if (scan_number(text, &rest, number) && !*rest)
		return true;
	return bad(d, "%s: expected %s, a number such as 12 or 0x1f", text, what);
}

bool parse_range(struct debugger *d, const char *text, const char *prefix, const char *what,
		 u64 limit, struct range *range)
{
	size_t length = strlen(prefix);
	const char *at = text;

	at += strncmp(at, prefix, length) ? 0 : length;
	if (!scan_number(at, &at, &range->lo))
		goto fail;
	range->hi = range->lo;
	if (!strncmp(at, "..", 2)) {
		at += 2;
		at += strncmp(at, prefix, length) ? 0 : length;
		if (!scan_number(at, &at, &range->hi))
			goto fail;
	}
	if (*at)
		goto fail;
	if (range->lo > range->hi)
		return bad(d, "%s: the range is empty", text);
	if (range->hi >= limit)
		return bad(d, "%s: there are %" PRIu64 " %s", text, limit, what);
	return true;
fail:
	return bad(d, "%s: expected %s, such as %s4 or %s4..%s7", text, what, prefix, prefix,
		   prefix);
}

bool parse_type(struct debugger *d, const char *text, enum print_type *type)
{
	u32 i;

	for (i = 0; i < PRINT_TYPES; i++) {
		if (strcmp(text, print_type_names[i]))
			continue;
		*type = i;
		return true;
	}
	return bad(d, "%s: expected a type: hex, f32, s32, u32, bf16, s8, u8 (weights also s9)",
		   text);
}

/* Moving. */

static bool show_where(struct debugger *d, const struct args *args)
{
	(void)args;
	print_where(d->out, shown(d));
	return true;
}

/* Goes there and says where that is. */
static bool go(struct debugger *d, u64 cycle)
{
	struct session *s = shown(d);

	if (cycle < s->start)
		fprintf(d->out, "cycles before %" PRIu64 " clear SRAM; this is the start\n",
			s->start);
	if (!session_goto(s, cycle))
		fprintf(d->out, "interrupted\n");
	else if (cycle > session_now(s) && cycle != UINT64_MAX)
		fprintf(d->out, "the run has no cycle %" PRIu64 "; this is its end\n", cycle);
	print_where(d->out, s);
	return true;
}

static bool go_to(struct debugger *d, const struct args *args)
{
	const char *text = args->at[0];
	u64 now = session_now(shown(d)), number;

	if (!strcmp(text, "start"))
		return go(d, shown(d)->start);
	if (!strcmp(text, "end"))
		return go(d, UINT64_MAX);
	if (!parse_number(d, text + (*text == '+' || *text == '-'),
			  "a cycle, +CYCLES, -CYCLES, start or end", &number))
		return false;
	if (*text == '+')
		return go(d, number < UINT64_MAX - now ? now + number : UINT64_MAX);
	if (*text == '-')
		return go(d, number < now ? now - number : 0);
	return go(d, number);
}

static bool go_step(struct debugger *d, const struct args *args)
{
	u64 now = session_now(shown(d)), count = 1;

	if (args->count && !parse_number(d, args->at[0], "how many cycles", &count))
		return false;
	return go(d, count < UINT64_MAX - now ? now + count : UINT64_MAX);
}

static bool go_back(struct debugger *d, const struct args *args)
{
	u64 now = session_now(shown(d)), count = 1;

	if (args->count && !parse_number(d, args->at[0], "how many cycles", &count))
		return false;
	return go(d, count < now ? now - count : 0);
}

static bool quit(struct debugger *d, const struct args *args)
{
	(void)args;
	d->quit = true;
	return true;
}

/* The table. */

static command_fn show_help;

static const struct command {
	const char *name, *shorter; /* shorter may be NULL */
	u32 least, most; /* arguments */
	const char *usage, *what;
	command_fn *run;
} commands[] = {
	{ "where", "w", 0, 0, "", "the position: cycle, bundle, layer, loops, stall", show_where },
	{ "goto", "g", 1, 1, "CYCLE|+N|-N|start|end", "go to before that cycle", go_to },
	{ "step", "s", 0, 1, "[N]", "N cycles forwards", go_step },
	{ "back", "b", 0, 1, "[N]", "N cycles backwards", go_back },
	{ "next", "n", 0, 1, "[N]", "until the next bundle is due, N times", go_next },
	{ "prev", "p", 0, 1, "[N]", "back to where the bundle before became due", go_previous },
	{ "break", NULL, 2, 4,
	  "bundle N | layer NAME | cycle N | sram BYTES | reg vN | acc ROW | weights BUF ROW | "
	  "slot N BYTES [read|write]",
	  "stop there; numbers may be ranges, 4..7", break_add },
	{ "breaks", NULL, 0, 0, "", "all breakpoints", break_list },
	{ "delete", NULL, 1, 1, "N|all", "forget a breakpoint", break_delete },
	{ "continue", "c", 0, 0, "", "to the next breakpoint, or the end", go_continue },
	{ "reverse", "r", 0, 0, "", "to the previous breakpoint, or the start", go_reverse },
	{ "list", "l", 0, 2, "[BUNDLE [COUNT]]", "bundles, disassembled", show_list },
	{ "reg", NULL, 0, 2, "[vN[..vM] [TYPE]]", "vector registers", show_registers },
	{ "sram", NULL, 1, 3, "ADDRESS [COUNT [TYPE]]", "elements in SRAM", show_sram },
	{ "acc", NULL, 1, 2, "ROW[..ROW] [TYPE]", "accumulator rows", show_accumulators },
	{ "weights", NULL, 2, 3, "BUFFER ROW[..ROW] [TYPE]", "rows of a weight buffer",
	  show_weights },
	{ "slot", NULL, 2, 4, "N ADDRESS [COUNT [TYPE]]", "elements in a slot", show_slot },
	{ "slots", NULL, 0, 0, "", "the slots and their extents", show_slots },
	{ "loops", NULL, 0, 0, "", "the open loops", show_loops },
	{ "dma", NULL, 0, 0, "", "transfers under way, and when they end", show_dma },
	{ "layers", NULL, 0, 0, "", "the layers and their bundles", show_layers },
	{ "info", NULL, 0, 0, "", "the program and the run", show_info },
	{ "hash", NULL, 0, 0, "", "a number for the whole state", show_hash },
	{ "tile", NULL, 0, 2, "[X Y]", "the tile that is shown", set_tile },
	{ "run", NULL, 1, 1, "a|b", "which of two runs the commands are about", set_run },
	{ "compare", NULL, 0, 1, "[next|plain|fast]",
	  "to the first difference between the runs, or the next after here; or between the "
	  "reference and the plain or the fast executor",
	  compare_command },
	{ "help", "h", 0, 1, "[COMMAND]", "this", show_help },
	{ "quit", "q", 0, 0, "", "leave", quit },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name)
{
	u32 i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i].name) ||
		    (commands[i].shorter && !strcmp(name, commands[i].shorter)))
			return &commands[i];
	return NULL;
}

static bool show_help(struct debugger *d, const struct args *args)
{
	const struct command *only = args->count ? find_command(args->at[0]) : NULL;
	u32 i;

	if (args->count && !only)
		return bad(d, "%s: there is no such command", args->at[0]);
	for (i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (only && only != c)
			continue;
		fprintf(d->out, "%s%s%s", c->name, *c->usage ? " " : "", c->usage);
		if (c->shorter)
			fprintf(d->out, "  (%s)", c->shorter);
		fprintf(d->out, "\n    %s\n", c->what);
	}
	if (!only)
		fprintf(d->out, "types: hex, f32, s32, u32, bf16, s8, u8; weights also s9\n");
	return true;
}

void debugger_init(struct debugger *d, FILE *out, struct session *a, struct session *b)
{
	memset(d, 0, sizeof(*d));
	d->out = out;
	d->run[0] = a;
	d->run[1] = b;
}

/* Splits @line at its spaces; false: more words than any command has. */
static bool split(char *line, const char **name, struct args *args)
{
	char *rest = NULL, *word = strtok_r(line, " \t\r\n", &rest);

	*name = word && *word != '#' ? word : NULL;
	args->count = 0;
	while (*name && (word = strtok_r(NULL, " \t\r\n", &rest))) {
		if (args->count == ARGS_MAX)
			return false;
		args->at[args->count++] = word;
	}
	return true;
}

bool debugger_command(struct debugger *d, const char *line)
{
	char copy[DEBUG_LINE_BYTES];
	const struct command *command;
	const char *name;
	struct args args;
	bool fits;

	d->error[0] = '\0';
	if ((size_t)snprintf(copy, sizeof(copy), "%s", line) >= sizeof(copy))
		return bad(d, "the line is longer than %u bytes", DEBUG_LINE_BYTES - 1);
	fits = split(copy, &name, &args);
	if (!name)
		return true;
	command = find_command(name);
	if (!command)
		return bad(d, "%s: there is no such command; help lists them", name);
	if (!fits || args.count < command->least || args.count > command->most)
		return bad(d, "%s: expected: %s%s%s", name, command->name,
			   *command->usage ? " " : "", command->usage);
	return command->run(d, &args);
}
