// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Lines: comments, constants, macros, repetitions. Macros and repetitions work on
 * text: \name in their bodies is replaced by the argument.
 */
#include "tools/asm/asm_parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bounds for macros that expand without end: how many bytes of text expanding may produce in all,
 * counting some for each expansion and each line, so that empty ones count too.
 */
enum { NESTED_MAX = 16, REPEATED_MAX = 1 << 21, EXPANDED_MAX = 1 << 26, EXPANDED_EACH = 64 };

struct lines {
	struct asm_line *line;
	u32 count;
};

static void read_lines(struct asm_state *as, const struct lines *lines);

static void free_lines(struct lines *lines)
{
	for (u32 i = 0; i < lines->count; i++)
		free(lines->line[i].text);
	free(lines->line);
	*lines = (struct lines){ 0 };
}

static bool add_line(struct asm_state *as, struct lines *lines, const char *text, size_t length,
		     u32 number)
{
	struct asm_line *line = asm_grow(as, &lines->line, lines->count, sizeof(*line));

	if (!line)
		return false;
	line->number = number;
	line->text = strndup(text, length);
	as->no_memory |= !line->text;
	if (!line->text)
		return false;
	lines->count++;
	return true;
}

/* Where a comment begins: ';' or '//'. */
static size_t code_length(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == ';' || (text[i] == '/' && i + 1 < length && text[i + 1] == '/'))
			return i;
	return length;
}

static struct lines split(struct asm_state *as, const char *text)
{
	struct lines lines = { 0 };
	u32 number = 1;

	while (*text) {
		size_t length = strcspn(text, "\n");

		if (!add_line(as, &lines, text, code_length(text, length), number++))
			break;
		text += length + (text[length] == '\n');
	}
	return lines;
}

/* The parameter whose name begins at @text, behind a backslash; -1 if there is none. */
static s32 parameter_at(const struct asm_macro *m, const char *text, size_t *length)
{
	*length = 0;
	while (isalnum((unsigned char)text[*length]) || text[*length] == '_')
		++*length;
	for (u32 i = 0; i < m->parameters; i++)
		if (strlen(m->parameter[i]) == *length && !strncmp(m->parameter[i], text, *length))
			return i;
	return -1;
}

static bool spend(struct asm_state *as, u64 bytes)
{
	as->expanded += bytes;
	return as->expanded <= EXPANDED_MAX;
}

/* Copies @text with each \parameter replaced; those of inner macros stay for later. */
static char *substitute(struct asm_state *as, const struct asm_macro *m, char *const *argument,
			const char *text)
{
	char *out = NULL;
	size_t size = 0, length;
	FILE *stream = open_memstream(&out, &size);

	as->no_memory |= !stream;
	if (!stream)
		return NULL;
	while (*text) {
		s32 i = *text == '\\' ? parameter_at(m, text + 1, &length) : -1;

		if (i < 0) {
			fputc(*text++, stream);
			continue;
		}
		if (!spend(as, strlen(argument[i])))
			break;
		fputs(argument[i], stream);
		text += 1 + length;
	}
	as->no_memory |= fclose(stream) || !out;
	return out;
}

static bool substitute_lines(struct asm_state *as, const struct asm_macro *m, char *const *argument,
			     struct lines *lines)
{
	bool ok = spend(as, EXPANDED_EACH);

	for (u32 i = 0; i < m->lines && ok; i++) {
		char *text = substitute(as, m, argument, m->body[i].text);

		ok = text && add_line(as, lines, text, strlen(text), m->body[i].number) &&
		     spend(as, EXPANDED_EACH + strlen(m->body[i].text));
		free(text);
	}
	return ok;
}

/* Reads a macro's body once, with @argument for its parameters. */
static bool expand(struct asm_cursor *c, const struct asm_macro *m, char *const *argument)
{
	struct asm_state *as = c->as;
	struct lines lines = { 0 };
	u32 outer = as->used_on;
	bool ok = as->nested < NESTED_MAX && substitute_lines(as, m, argument, &lines);

	if (!ok && !as->no_memory) {
		as->endless = true;
		asm_error(c, "macros expand without end");
	}
	if (!outer)
		as->used_on = c->line->number;
	as->nested++;
	if (ok)
		read_lines(as, &lines);
	as->nested--;
	as->used_on = outer;
	free_lines(&lines);
	return ok && !as->endless;
}

static char *trimmed(const char *begin, const char *end)
{
	while (begin < end && isspace((unsigned char)*begin))
		begin++;
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	return strndup(begin, end - begin);
}

/* Splits the rest of the line at commas outside parentheses into @count arguments. */
static bool arguments(struct asm_cursor *c, char **argument, u32 count)
{
	u32 n = 0;

	while (!asm_at_end(c)) {
		const char *begin = c->at;
		s32 open = 0;

		if (n == count)
			return asm_error(c, "expected %u arguments", count);
		for (; *c->at && (open || *c->at != ','); c->at++)
			open += (*c->at == '(') - (*c->at == ')');
		argument[n] = trimmed(begin, c->at);
		if (!argument[n++]) {
			c->as->no_memory = true;
			return false;
		}
		c->at += *c->at == ',';
	}
	return n == count || asm_error(c, "expected %u arguments", count);
}

static bool use_macro(struct asm_cursor *c, const struct asm_macro *m)
{
	char **argument = calloc(m->parameters + 1, sizeof(*argument));
	bool ok;

	if (!argument) {
		c->as->no_memory = true;
		return false;
	}
	ok = arguments(c, argument, m->parameters) && expand(c, m, argument);
	for (u32 i = 0; i < m->parameters; i++)
		free(argument[i]);
	free(argument);
	return ok;
}

static bool starts_with(struct asm_state *as, const struct asm_line *line, const char *word)
{
	struct asm_cursor c = { .as = as, .line = line, .at = line->text };

	return asm_accept_word(&c, word);
}

/* Index of the line that ends the body which begins at @at; @lines->count if none does. */
static u32 find_end(struct asm_state *as, const struct lines *lines, u32 at, const char *begin,
		    const char *end)
{
	u32 open = 1;

	for (; at < lines->count; at++) {
		open += starts_with(as, &lines->line[at], begin);
		open -= starts_with(as, &lines->line[at], end);
		if (!open)
			break;
	}
	return at;
}

static void free_macro(struct asm_macro *m)
{
	struct lines body = { m->body, m->lines };

	free_lines(&body);
	for (u32 i = 0; i < m->parameters; i++)
		free(m->parameter[i]);
	free(m->parameter);
}

static bool add_parameter(struct asm_cursor *c, struct asm_macro *m)
{
	char word[ASM_NAME_BYTES];
	char **parameter;

	if (!asm_word(c, word, "a parameter"))
		return false;
	parameter = asm_grow(c->as, &m->parameter, m->parameters, sizeof(*parameter));
	if (!parameter)
		return false;
	*parameter = strdup(word);
	c->as->no_memory |= !*parameter;
	m->parameters += *parameter != NULL;
	return *parameter;
}

static bool parameters_and_body(struct asm_cursor *c, struct asm_macro *m,
				const struct lines *lines, u32 begin, u32 end)
{
	struct lines body = { 0 };
	bool ok = true;

	while (ok && !asm_at_end(c)) {
		ok = add_parameter(c, m);
		asm_accept(c, ",");
	}
	for (; ok && begin < end; begin++)
		ok = add_line(c->as, &body, lines->line[begin].text,
			      strlen(lines->line[begin].text), lines->line[begin].number);
	m->body = body.line;
	m->lines = body.count;
	return ok;
}

/* .macro NAME a, b, ... up to .endm at line @end */
static bool define_macro(struct asm_cursor *c, const struct lines *lines, u32 begin, u32 end)
{
	struct asm_state *as = c->as;
	struct asm_macro *m;
	char name[ASM_NAME_BYTES];

	if (!asm_word(c, name, "the macro's name"))
		return false;
	for (u32 i = 0; i < as->macro_count; i++)
		if (!strcmp(as->macros[i].name, name))
			return asm_error(c, "macro '%s' is already defined", name);
	if (asm_is_mnemonic(name))
		return asm_error(c, "'%s' is an operation", name);
	m = asm_grow(as, &as->macros, as->macro_count, sizeof(*m));
	if (!m)
		return false;
	memcpy(m->name, name, sizeof(name));
	as->macro_count++;
	return parameters_and_body(c, m, lines, begin, end);
}

/* .rept COUNT, i up to .endr: a macro with one parameter, used COUNT times. */
static bool repeat(struct asm_cursor *c, const struct lines *lines, u32 begin, u32 end)
{
	struct asm_macro m = { 0 };
	char number[24], *argument[] = { number };
	s64 count, i;
	bool ok = asm_number(c, 0, REPEATED_MAX, "count", &count);

	asm_accept(c, ",");
	ok = ok && parameters_and_body(c, &m, lines, begin, end);
	if (ok && m.parameters > 1)
		ok = asm_error(c, "expected one counter");
	for (i = 0; i < count && ok; i++) {
		snprintf(number, sizeof(number), "%lld", (long long)i);
		ok = expand(c, &m, argument);
	}
	free_macro(&m);
	return ok;
}

/* .equ NAME, value */
static bool define_constant(struct asm_cursor *c)
{
	char name[ASM_NAME_BYTES];
	s64 value;

	return asm_word(c, name, "the constant's name") && asm_expect(c, ",") &&
	       asm_expression(c, &value) && asm_declare(c, name, ASM_CONSTANT, value);
}

static const struct asm_macro *find_macro(const struct asm_state *as, const char *name)
{
	for (u32 i = 0; i < as->macro_count; i++)
		if (!strcmp(as->macros[i].name, name))
			return &as->macros[i];
	return NULL;
}

/* A line that is neither blank nor begins a body. */
static bool read_line(struct asm_cursor *c)
{
	const struct asm_macro *macro;
	char word[ASM_NAME_BYTES] = "";
	const char *begin = c->at;
	bool ok;

	if (strchr(begin, '\\')) {
		c->at = strchr(begin, '\\');
		return asm_error(c, "this is not a parameter");
	}
	if (asm_accept_word(c, ".equ"))
		return define_constant(c);
	if (asm_accept(c, "}"))
		return asm_close_block(c);
	if (isalpha((unsigned char)*c->at) && !asm_word(c, word, "a line"))
		return false;
	macro = find_macro(c->as, word);
	if (macro) {
		struct asm_macro copy = *macro; /* the table may move while it is expanded */

		return use_macro(c, &copy);
	}
	if (asm_table_line(c, word, &ok))
		return ok;
	c->at = begin;
	return asm_bundle_line(c);
}

static void read_lines(struct asm_state *as, const struct lines *lines)
{
	u32 i, end;

	for (i = 0; i < lines->count; i++) {
		struct asm_cursor c = { .as = as,
					.line = &lines->line[i],
					.at = lines->line[i].text };
		bool macro, ok;

		if (as->errors->count == ASM_ERRORS_MAX || as->no_memory || as->endless)
			return;
		if (asm_at_end(&c))
			continue;
		macro = asm_accept_word(&c, ".macro");
		if (!macro && !asm_accept_word(&c, ".rept")) {
			if (read_line(&c) && !asm_at_end(&c))
				asm_error(&c, "expected the end of the line");
			continue;
		}
		end = macro ? find_end(as, lines, i + 1, ".macro", ".endm") :
			      find_end(as, lines, i + 1, ".rept", ".endr");
		if (end == lines->count) {
			asm_error(&c, "no %s", macro ? ".endm" : ".endr");
			return;
		}
		ok = macro ? define_macro(&c, lines, i + 1, end) : repeat(&c, lines, i + 1, end);
		if (ok && !asm_at_end(&c))
			asm_error(&c, "expected the end of the line");
		i = end;
	}
}

void asm_read_source(struct asm_state *as, const char *text)
{
	struct lines lines = split(as, text);

	read_lines(as, &lines);
	free_lines(&lines);
}

void asm_free_source(struct asm_state *as)
{
	for (u32 i = 0; i < as->macro_count; i++)
		free_macro(&as->macros[i]);
	free(as->macros);
}
