// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/settings.h"

#include <stdarg.h>

#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"

enum { HELP_COLUMN = 28 };

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG };

static const struct setting {
	const char *name, *argument, *help;
	enum setting_kind kind;
	size_t field;
	u32 min, max, value;
} table[] = {
#define TEXT(name, field, argument, help) \
	{ name, argument, help, SETTING_TEXT, offsetof(struct settings, field), 0, 0, 0 },
#define NUMBER(name, field, argument, min, max, value, help) \
	{ name, argument, help, SETTING_NUMBER, offsetof(struct settings, field), min, max, value },
#define FLAG(name, field, help) \
	{ name, NULL, help, SETTING_FLAG, offsetof(struct settings, field), 0, 0, 0 },
#include "service/settings.def"
};

enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

__attribute__((format(printf, 2, 3))) static int fail(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, SETTINGS_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

static void *field_of(struct settings *s, const struct setting *t)
{
	return (char *)s + t->field;
}

void settings_init(struct settings *s)
{
	*s = (struct settings){ 0 };
	for (int i = 0; i < SETTINGS; i++)
		if (table[i].kind == SETTING_NUMBER)
			*(u32 *)field_of(s, &table[i]) = table[i].value;
}

void settings_fini(struct settings *s)
{
	for (int i = 0; i < SETTINGS; i++)
		if (table[i].kind == SETTING_TEXT)
			free(*(char **)field_of(s, &table[i]));
}

static int set_number(const struct setting *t, const char *value, u32 *number,
		      char error[SETTINGS_ERROR_MAX])
{
	char *end;
	unsigned long long is = strtoull(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || is < t->min || is > t->max)
		return fail(error, "%s takes a number of %u to %u, not \"%.40s\"", t->name, t->min,
			    t->max, value);
	*number = (u32)is;
	return 0;
}

static int set_flag(const struct setting *t, const char *value, bool *flag,
		    char error[SETTINGS_ERROR_MAX])
{
	*flag = !value || !strcmp(value, "true");
	if (!*flag && strcmp(value, "false") != 0)
		return fail(error, "%s is true or false, not \"%.40s\"", t->name, value);
	return 0;
}

static int set_text(const struct setting *t, const char *value, char **text,
		    char error[SETTINGS_ERROR_MAX])
{
	char *copy = *value ? strdup(value) : NULL;

	if (!copy)
		return fail(error, "%s is empty", t->name);
	free(*text);
	*text = copy;
	return 0;
}

int settings_set(struct settings *s, const char *name, const char *value,
		 char error[SETTINGS_ERROR_MAX])
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *t = &table[i];

		if (strcmp(t->name, name) != 0)
			continue;
		if (t->kind == SETTING_FLAG)
			return set_flag(t, value, field_of(s, t), error);
		if (!value)
			return fail(error, "%s needs an argument", name);
		if (t->kind == SETTING_NUMBER)
			return set_number(t, value, field_of(s, t), error);
		return set_text(t, value, field_of(s, t), error);
	}
	return fail(error, "there is no option \"%.60s\"", name);
}

/* ---- Configuration files ------------------------------------------------------------------- */

/* @text without white space around it. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = 0;
	return text;
}

int settings_parse(struct settings *s, const char *path, char *text, char error[SETTINGS_ERROR_MAX])
{
	char why[SETTINGS_ERROR_MAX], *line, *value;
	int number = 0;

	while ((line = strsep(&text, "\n"))) {
		number++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		value = strchr(line, '=');
		if (!value)
			return fail(error, "%.200s:%d: it is not NAME = VALUE", path, number);
		*value++ = 0;
		if (settings_set(s, trim(line), trim(value), why))
			return fail(error, "%.200s:%d: %.250s", path, number, why);
	}
	return 0;
}

static int read_file(struct settings *s, const char *path, char error[SETTINGS_ERROR_MAX])
{
	struct compile_error err = { 0 };
	size_t size;
	char *text;
	int rc;

	if (compile_read_file(path, (void **)&text, &size, &err))
		return fail(error, "%.400s", err.text);
	text[size] = 0;
	rc = strlen(text) == size ? settings_parse(s, path, text, error) :
				    fail(error, "%.200s: it is no text", path);
	free(text);
	return rc;
}

/* ---- Command lines ------------------------------------------------------------------------- */

static bool takes_argument(const char *name)
{
	for (int i = 0; i < SETTINGS; i++)
		if (!strcmp(table[i].name, name))
			return table[i].kind != SETTING_FLAG;
	return !strcmp(name, "config");
}

/* Takes argv[@i], an option, and the next one if that is its argument. How many; or -1. */
static int take_option(struct settings *s, int argc, char **argv, int i,
		       char error[SETTINGS_ERROR_MAX])
{
	char name[64], *value = strchr(argv[i], '=');
	int used = 1;

	snprintf(name, sizeof(name), "%.*s", value ? (int)(value - argv[i] - 2) : 63, argv[i] + 2);
	if (value)
		value++;
	else if (takes_argument(name) && i + 1 < argc)
		value = argv[i + used++];
	if (strcmp(name, "config") != 0)
		return settings_set(s, name, value, error) ? -1 : used;
	if (!value)
		return fail(error, "config needs an argument");
	return read_file(s, value, error) ? -1 : used;
}

enum settings_action settings_read(struct settings *s, int argc, char **argv,
				   char error[SETTINGS_ERROR_MAX])
{
	int used;

	for (int i = 1; i < argc; i += used) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return SETTINGS_HELP;
		if (!strcmp(argv[i], "--version"))
			return SETTINGS_VERSION;
		used = strncmp(argv[i], "--", 2) ?
			       fail(error, "there is no argument like \"%.60s\"", argv[i]) :
			       take_option(s, argc, argv, i, error);
		if (used < 0)
			return SETTINGS_WRONG;
	}
	if (s->repository)
		return SETTINGS_SERVE;
	fail(error, "--model-repository is needed");
	return SETTINGS_WRONG;
}

static void print_option(FILE *out, const char *name, const char *argument, const char *help)
{
	const char *end;
	int column =
		fprintf(out, "  --%s%s%s", name, argument ? " " : "", argument ? argument : "");

	if (column >= HELP_COLUMN)
		column = fprintf(out, "\n") - 1;
	for (; (end = strchr(help, '\n')); help = end + 1, column = 0)
		fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", (int)(end - help), help);
	fprintf(out, "%*s%s\n", HELP_COLUMN - column, "", help);
}

void settings_print_help(FILE *out)
{
	fputs("usage: rondod --model-repository DIR [OPTION]...\n\n"
	      "Serves models by the Open Inference Protocol, on a device or the emulator. The log "
	      "is\n"
	      "JSON, a line for each event, on standard error. SIGHUP: what has changed in the "
	      "folder\n"
	      "is loaded. SIGTERM: requests that are under way are answered, then it ends.\n\n",
	      out);
	for (int i = 0; i < SETTINGS; i++)
		print_option(out, table[i].name, table[i].argument, table[i].help);
	print_option(out, "config", "FILE",
		     "lines NAME = VALUE, as of these options; later ones count");
	print_option(out, "version", NULL, "print the version");
	print_option(out, "help", NULL, "print this text");
}
