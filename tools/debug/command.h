/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The debugger's commands, one line each. They are listed in command.c; `help` prints them.
 */
#ifndef TOOLS_DEBUG_COMMAND_H
#define TOOLS_DEBUG_COMMAND_H

#include <stdio.h>

#include "tools/debug/search.h"

enum { DEBUG_LINE_BYTES = 1024, DEBUG_ERROR_BYTES = 512 };

struct debugger {
	FILE *out;
	struct session *run[2]; /* a, and b to compare it with, or NULL; the caller's */
	u32 side; /* index of the run that commands act on */
	u32 tile; /* whose state is shown */
	struct breakpoint breaks[BREAKS_MAX];
	u32 break_count, break_number; /* the last number that was given */
	bool quit;
	char error[DEBUG_ERROR_BYTES]; /* of the last command that failed */
};

/* @b may be NULL. */
void debugger_init(struct debugger *d, FILE *out, struct session *a, struct session *b);

/*
 * Executes the command @line, at most DEBUG_LINE_BYTES - 1 long, and prints to d->out. Empty
 * lines and comments ("# ...") do nothing. False with the reason in d->error if it is not a command
 * or its arguments are wrong; nothing has happened then.
 */
bool debugger_command(struct debugger *d, const char *line);

#endif
