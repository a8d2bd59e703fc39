// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rondo.h"

enum {
	LONG_ONLY = 256, /* what getopt_long() returns for option i without a letter: this + i */
	HELP_COLUMN = 28,
};

static const struct row {
	int letter;
	const char *name, *argument, *help;
} rows[OPTIONS] = {
#define OPTION(id, letter, name, argument, help) [OPTION_##id] = { letter, name, argument, help },
#include "tools/options.def"
};

static bool takes(const struct command *command, enum option_id id)
{
	return id == OPTION_HELP || command->takes[id];
}

static void print_help(const struct command *command)
{
	printf("usage: rondo %s\n\n%s\n", command->usage, command->about);
	for (int i = 0; i < OPTIONS; i++) {
		const char *help = rows[i].help, *end;
		int column;

		if (!takes(command, i))
			continue;
		column = rows[i].letter ? printf("  -%c, ", rows[i].letter) : printf("      ");
		column += printf("--%s", rows[i].name);
		if (rows[i].argument)
			column += printf(" %s", rows[i].argument);
		for (; (end = strchr(help, '\n')); help = end + 1, column = 0)
			printf("%*s%.*s\n", HELP_COLUMN - column, "", (int)(end - help), help);
		printf("%*s%s\n", HELP_COLUMN - column, "", help);
	}
}

/* Whether the argument may be left out, "[ARGUMENT]". */
static int argument_kind(const struct row *row)
{
	if (!row->argument)
		return no_argument;
	return row->argument[0] == '[' ? optional_argument : required_argument;
}

/* Tells getopt_long() the options of @command. */
static void describe(const struct command *command, char *letters, struct option *options)
{
	for (int i = 0; i < OPTIONS; i++) {
		int kind = argument_kind(&rows[i]);

		if (!takes(command, i))
			continue;
		*options++ = (struct option){ rows[i].name, kind, NULL, LONG_ONLY + i };
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (kind == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
	*options = (struct option){};
}

static enum option_id id_of(const struct command *command, int letter)
{
	if (letter >= LONG_ONLY)
		return letter - LONG_ONLY;
	for (int i = 0; i < OPTIONS; i++)
		if (takes(command, i) && rows[i].letter == letter)
			return i;
	return OPTIONS;
}

bool options_read(const struct command *command, int argc, char **argv, void *context, int *first,
		  int *status)
{
	struct option options[OPTIONS + 1];
	char letters[2 * OPTIONS + 1];
	int c;

	describe(command, letters, options);
	*status = STATUS_OK;
	while ((c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		enum option_id id = id_of(command, c);

		if (id == OPTION_HELP) {
			print_help(command);
			return false;
		}
		if (id == OPTIONS) {
			message("see rondo %s --help", command->name);
			*status = STATUS_USAGE;
			return false;
		}
		*status = command->take(context, id, optarg);
		if (*status)
			return false;
	}
	*first = optind;
	return true;
}

int option_number(enum option_id id, const char *text, u64 min, u64 max, const char *what,
		  u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *number >= min && *number <= max)
		return STATUS_OK;
	return usage("--%s takes %s, not \"%.40s\"", rows[id].name, what, text);
}
