/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What rondod is told: settings.def, by the command line and a configuration file. */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "spec/env.h"

struct settings {
#define TEXT(name, field, argument, help) char *field;
#define NUMBER(name, field, argument, min, max, value, help) u32 field;
#define FLAG(name, field, help) bool field;
#include "service/settings.def"
};

void settings_init(struct settings *s);
void settings_fini(struct settings *s);

enum { SETTINGS_ERROR_MAX = 512 };

/* Sets @name to @value (NULL: a flag, by itself). 0, or -1 and why in @error. */
int settings_set(struct settings *s, const char *name, const char *value,
		 char error[SETTINGS_ERROR_MAX]);

/*
 * Takes the lines of a configuration file: "NAME = VALUE", flags "true" or "false", empty lines,
 * and comments from # on at a line's beginning. @path is for messages.
 */
int settings_parse(struct settings *s, const char *path, char *text,
		   char error[SETTINGS_ERROR_MAX]);

/* What a command line asks for. */
enum settings_action { SETTINGS_SERVE, SETTINGS_HELP, SETTINGS_VERSION, SETTINGS_WRONG };

/* Takes a command line; why it is wrong goes to @error. */
enum settings_action settings_read(struct settings *s, int argc, char **argv,
				   char error[SETTINGS_ERROR_MAX]);

void settings_print_help(FILE *out);

#endif
