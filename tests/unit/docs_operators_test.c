// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * docs/reference/operators.md against the tables of the compiler: all rows of its tables, in
 * their order, are what these say. "--write" puts them into the document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/graph.h"
#include "tests/read_file.h"
#include "tests/tap.h"

static const char path[] = "docs/reference/operators.md";
static const char *const marks[] = { "<!-- operators -->\n", "<!-- unmapped -->\n",
				     "<!-- tflite -->\n", "<!-- end -->\n" };

/* How an operator reaches the machine: the column lower of ops.def. */
static const char *const lowerings[][2] = {
	{ "matrix", "matrix unit; vector units where channels do not mix" },
	{ "elementwise", "vector units, by element" },
	{ "pool", "vector units, by window" },
	{ "sum_pool", "vector units, by window" },
	{ "reduce", "vector units, along axes" },
	{ "softmax", "vector units, by row" },
	{ "quantize", "vector units, by element" },
	{ "dequantize", "vector units, by element" },
	{ "requantize", "on the way of a sum" },
	{ "qlinear_add", "vector units, by element" },
	{ "table", "vector units, by element" },
	{ "move", "a move, or only other addresses" },
	{ "never", "made of others" },
};

static const char *lowering(enum op op)
{
	for (size_t i = 0; i < sizeof(lowerings) / sizeof(lowerings[0]); i++) {
		if (op_mapped_by(op, lowerings[i][0]))
			return lowerings[i][1];
	}
	return "vector units";
}

static const char *const meanings[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = doc,
#include "compiler/ops.def"
};

static const char *const limits[OP_COUNT] = {
#define LIMIT(id, text) [OP_##id] = text,
#include "compiler/limits.def"
};

static const struct {
	const char *name, *why;
} unmapped[] = {
#define UNMAPPED(name, why) { name, why },
#include "compiler/limits.def"
};

/* With what Markdown takes for something else behind a backslash. */
static void print_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("|<*", *text))
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void print_types(FILE *to, enum op op)
{
	const char *comma = "";

	for (int t = 0; t < DTYPE_COUNT; t++) {
		if (op_infos[op].types >> t & 1) {
			fprintf(to, "%s%s", comma, dtype_name(t));
			comma = " ";
		}
	}
}

/* The operator sets in which it is new or changed, of those that are read. */
static void print_opsets(FILE *to, enum op op)
{
	for (int i = 0; i < OP_OPSETS_MAX && op_opsets[op][i]; i++)
		fprintf(to, "%s%d", i ? " " : "", op_opsets[op][i]);
	if (op_gone[op])
		fprintf(to, " to %d", op_gone[op] - 1);
}

/* Numbers of inputs; those of a list without end are "3+". */
static void print_baked(FILE *to, enum op op)
{
	const char *comma = "";

	for (int i = 0; i < op_infos[op].max_in && i < 32; i++) {
		if (op_baked[op] >> i & 1) {
			fprintf(to, "%s%d", comma, i);
			comma = " ";
		}
	}
}

static void print_changes(FILE *to, enum op op)
{
	for (const struct attr_change *c = attr_changes; c->opset; c++) {
		if (c->op != op || !attr_infos[c->attr].onnx)
			continue;
		fprintf(to, "; before %d %s is ", c->opset, attr_infos[c->attr].onnx);
		if (c->older_word)
			fprintf(to, "%s", c->older_word);
		else
			fprintf(to, "%g", (double)c->older);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(op_infos[*(const enum op *)a].name, op_infos[*(const enum op *)b].name);
}

static void print_operators(FILE *to)
{
	enum op sorted[OP_COUNT];
	int n = 0;

	for (int op = 0; op < OP_COUNT; op++) {
		if (op_infos[op].flags & (OP_FLAG_ONNX | OP_FLAG_MICROSOFT))
			sorted[n++] = op;
	}
	qsort(sorted, (size_t)n, sizeof(sorted[0]), by_name);
	fprintf(to,
		"| operator | domain | versions | meaning | types | constant inputs | mapped as | "
		"refused; what works |\n|---|---|---|---|---|---|---|---|\n");
	for (int i = 0; i < n; i++) {
		enum op op = sorted[i];
		u32 flags = op_infos[op].flags;

		fprintf(to, "| %s | %s%s%s | ", op_infos[op].name,
			flags & OP_FLAG_ONNX ? "ONNX" : "",
			flags & OP_FLAG_ONNX && flags & OP_FLAG_MICROSOFT ? ", " : "",
			flags & OP_FLAG_MICROSOFT ? "com.microsoft" : "");
		print_opsets(to, op);
		fprintf(to, " | ");
		print_text(to, meanings[op]);
		print_changes(to, op);
		fprintf(to, " | ");
		print_types(to, op);
		fprintf(to, " | ");
		print_baked(to, op);
		fprintf(to, " | %s | ", lowering(op));
		print_text(to, limits[op] ? limits[op] : "");
		if (op_hosted(op))
			fprintf(to, ". At the edges of a network the host runs it, if it may");
		fprintf(to, " |\n");
	}
}

static void print_unmapped(FILE *to)
{
	fprintf(to, "| operator | why; what works |\n|---|---|\n");
	for (size_t i = 0; i < sizeof(unmapped) / sizeof(unmapped[0]); i++) {
		fprintf(to, "| %s | ", unmapped[i].name);
		print_text(to, unmapped[i].why);
		fprintf(to, " |\n");
	}
}

static const struct {
	const char *name, *types, *limits;
} tflite[] = {
#define READ(number, name, read, argument, types, limits) { #name, types, limits },
#define KNOWN(number, name)
#include "compiler/tflite.def"
};

static void print_tflite(FILE *to)
{
	fprintf(to, "| operator | types | refused; what works |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof(tflite) / sizeof(tflite[0]); i++)
		fprintf(to, "| %s | %s | %s |\n", tflite[i].name, tflite[i].types,
			tflite[i].limits);
}

/* The document with the tables between its marks; NULL: it lacks one. */
static char *with_tables(const char *text)
{
	static void (*const print[])(FILE * to) = { print_operators, print_unmapped, print_tflite };
	enum { TABLES = sizeof(print) / sizeof(print[0]) };
	const char *at[TABLES + 1];
	char *out = NULL;
	size_t size;
	FILE *to;

	for (int i = 0; i <= TABLES; i++) {
		at[i] = strstr(text, marks[i]);
		if (!at[i])
			return NULL;
		at[i] += strlen(marks[i]);
	}
	to = open_memstream(&out, &size);
	fwrite(text, 1, (size_t)(at[0] - text), to);
	for (int i = 0; i < TABLES; i++) {
		print[i](to);
		if (i + 1 == TABLES)
			break;
		fprintf(to, "\n");
		for (const char *c = strstr(at[i], "\n##") + 1; c < at[i + 1]; c++)
			fputc(*c, to);
	}
	fprintf(to, "%s%s", marks[TABLES], at[TABLES]);
	fclose(to);
	return out;
}

static void tell_first_difference(const char *have, const char *want)
{
	while (*have && *have == *want) {
		have++;
		want++;
	}
	printf("# from here on: '%.100s'\n# it should be: '%.100s'\n", have, want);
}

int main(int argc, char **argv)
{
	char *text = read_file(path), *want = text ? with_tables(text) : NULL;

	if (want && argc > 1 && !strcmp(argv[1], "--write")) {
		FILE *file = fopen(path, "w");

		bool bad = !file || fputs(want, file) < 0 || fclose(file);

		free(text);
		free(want);
		return bad ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	tap_ok(want, "%s has its marks", path);
	tap_ok(want && !strcmp(text, want), "its tables are those of the compiler");
	if (want && strcmp(text, want))
		tell_first_difference(text, want);
	free(text);
	free(want);
	return tap_done();
}
