// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What no function of functions.def is made of nodes for: a row for each refusal, and for each
 * condition that leads to it. That none is without a row is read from the sources. Run at the top
 * of the source tree.
 */
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "tests/tap.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/*
 * Types of inputs, or of constants with their values, between semicolons; a node on them, with the
 * number of its outputs in front where it is not 1; and what is said of that node.
 */
struct row {
	const char *operands, *node, *want;
};

static const struct row rows[] = {
#include "tests/unit/compiler_refusals.inc"
};

enum { ROWS = sizeof(rows) / sizeof(*rows), OPERANDS_MAX = 32 };

static int add_operands(FILE *to, const char *operands)
{
	char *copy = strdup(operands), *rest = copy, *one;
	int n = 0;

	while ((one = strsep(&rest, ";")) && *one) {
		one += strspn(one, " ");
		fprintf(to, "%s %%%d \"i%d\" %s\n", strchr(one, '=') ? "const" : "input", n, n,
			one);
		n++;
	}
	free(copy);
	return n;
}

static char *text_of(const struct row *row)
{
	const char *node = row->node;
	int outputs = *node >= '0' && *node <= '9' ? *node - '0' : 1, n;
	char *text = NULL;
	size_t size, op;
	FILE *to = open_memstream(&text, &size);

	node += *node >= '0' && *node <= '9' ? 2 : 0;
	op = strcspn(node, " ");
	fprintf(to, "graph \"g\" from \"m\"\n");
	n = add_operands(to, row->operands);
	fprintf(to, "node");
	for (int i = 0; i < outputs; i++)
		fprintf(to, "%s %%%d \"y%d\" ?", i ? "," : "", n + i, i);
	fprintf(to, " = %.*s \"n\"%s\n", (int)op, node, node + op);
	for (int i = 0; i < outputs; i++)
		fprintf(to, "output %%%d\n", n + i);
	fclose(to);
	return text;
}

static void test_row(const struct row *row)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	char *text = text_of(row), want[400];
	const char *node = row->node + (row->node[1] == ' ' ? 2 : 0);
	struct graph *g = graph_parse(text, "m", &err);

	snprintf(want, sizeof(want), "m: node \"n\" (%.*s): %s", (int)strcspn(node, " "), node,
		 row->want);
	if (!tap_ok(g && compile_run_passes(g, &no_options, NULL) && !strcmp(err.text, want),
		    "%s: %s", row->node, row->want))
		printf("# %s\n# %s\n", row->operands, err.text);
	graph_free(g);
	free(text);
}

/* Whether @text begins as the first @length bytes of @format can: any text for a conversion. */
static bool is_made_by(const char *text, const char *format, size_t length)
{
	size_t conversion;

	if (!length)
		return true;
	if (*format == '\\') /* an escaped quote */
		return is_made_by(text, format + 1, length - 1);
	if (*format != '%')
		return *text == *format && is_made_by(text + 1, format + 1, length - 1);
	conversion = 1 + strspn(format + 1, ".0123456789l") + 1;
	while (*++text)
		if (is_made_by(text, format + conversion, length - conversion))
			return true;
	return length == conversion;
}

static bool has_row(const char *format, size_t length)
{
	for (size_t i = 0; i < ROWS; i++)
		if (is_made_by(rows[i].want, format, length))
			return true;
	return false;
}

/* How long the literal is behind its first quote. */
static size_t literal_length(const char *text)
{
	size_t n = 0;

	while (text[n] != '"')
		n += 1 + (text[n] == '\\');
	return n;
}

/* The first string behind each call of the function that refuses. */
static int check_source(const char *text)
{
	int found = 0;

	while ((text = strstr(text, "expand_refuse("))) {
		const char *end = strchr(text, ';'), *format = strchr(text, '"');

		text += strlen("expand_refuse(");
		if (!format || format > end)
			continue;
		format++;
		found++;
		tap_ok(has_row(format, literal_length(format)), "there is a row for \"%.*s\"",
		       (int)literal_length(format), format);
	}
	return found;
}

static void test_sources(void)
{
	struct compile_error err = { 0 };
	int found = 0;
	glob_t files;

	if (glob("compiler/expand*.c", 0, NULL, &files))
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		void *bytes;
		size_t size;

		if (compile_read_file(files.gl_pathv[i], &bytes, &size, &err))
			exit(EXIT_FAILURE);
		((char *)bytes)[size] = 0; /* compile_read_file() leaves room for it */
		found += check_source(bytes);
		free(bytes);
	}
	globfree(&files);
	tap_ok(found > 100, "%d refusals in the sources", found);
}

int main(void)
{
	for (size_t i = 0; i < ROWS; i++)
		test_row(&rows[i]);
	test_sources();
	return tap_done();
}
