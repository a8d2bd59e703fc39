/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Command lines: the options of options.def, and how a subcommand says which it takes. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>

#include "spec/env.h"

enum option_id {
#define OPTION(id, letter, name, argument, help) OPTION_##id,
#include "tools/options.def"
	OPTIONS,
};

struct command {
	const char *name;
	const char *usage; /* what follows "usage: rondo ", a line or more */
	const char *about; /* a paragraph that ends in a newline */
	/* Takes an option, @argument NULL if there is none. A STATUS_*, after a message. */
	int (*take)(void *context, enum option_id id, char *argument);
	bool takes[OPTIONS]; /* OPTION_HELP is always taken */
};

/*
 * Reads the options of @argv, each of which goes to @command's take(). Prints the help text if
 * asked to. Returns whether to go on, with *@first the index of the first argument that is not an
 * option, all of which stand at the end of @argv then; otherwise *@status is the exit status.
 */
bool options_read(const struct command *command, int argc, char **argv, void *context, int *first,
		  int *status);

/*
 * A number of decimal digits in @min..@max. STATUS_OK, or STATUS_USAGE after the message that
 * option @id takes @what ("a number of cycles").
 */
int option_number(enum option_id id, const char *text, u64 min, u64 max, const char *what,
		  u64 *number);

#endif
