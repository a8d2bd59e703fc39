// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reading a line: words, numbers, expressions.
 */
#include "tools/asm/asm_parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void report(struct asm_state *as, u32 line, u32 column, const char *fmt, va_list ap)
{
	struct asm_error *error;
	int n;

	if (as->errors->count == ASM_ERRORS_MAX)
		return;
	error = &as->errors->error[as->errors->count++];
	error->line = line;
	error->column = column;
	n = vsnprintf(error->text, sizeof(error->text), fmt, ap);
	if (as->used_on && n >= 0 && (size_t)n < sizeof(error->text))
		snprintf(error->text + n, sizeof(error->text) - n, " (used on line %u)",
			 as->used_on);
}

bool asm_error(struct asm_cursor *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c->as, c->line->number, c->at - c->line->text + 1, fmt, ap);
	va_end(ap);
	return false;
}

void asm_error_on(struct asm_state *as, u32 line, u32 column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(as, line, column, fmt, ap);
	va_end(ap);
}

struct asm_origin asm_origin_of(const struct asm_cursor *c)
{
	return (struct asm_origin){ .line = c->line->number, .used_on = c->as->used_on };
}

static void skip_blanks(struct asm_cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t' || *c->at == '\r')
		c->at++;
}

bool asm_at_end(struct asm_cursor *c)
{
	skip_blanks(c);
	return !*c->at;
}

bool asm_accept(struct asm_cursor *c, const char *text)
{
	size_t length = strlen(text);

	skip_blanks(c);
	if (strncmp(c->at, text, length))
		return false;
	c->at += length;
	return true;
}

bool asm_expect(struct asm_cursor *c, const char *text)
{
	return asm_accept(c, text) || asm_error(c, "expected '%s'", text);
}

static bool in_word(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_' || ch == '.';
}

/* Length of the word here; 0 if there is none. "0..4" is two numbers, not a word. */
static size_t word_length(const char *at)
{
	size_t n = 0;

	if (isdigit((unsigned char)*at))
		return 0;
	while (in_word(at[n]) && !(at[n] == '.' && at[n + 1] == '.'))
		n++;
	return n;
}

bool asm_word(struct asm_cursor *c, char word[ASM_NAME_BYTES], const char *expected)
{
	size_t n;

	skip_blanks(c);
	n = word_length(c->at);
	if (!n)
		return asm_error(c, "expected %s", expected);
	if (n >= ASM_NAME_BYTES)
		return asm_error(c, "name is longer than %d", ASM_NAME_BYTES - 1);
	memcpy(word, c->at, n);
	word[n] = '\0';
	c->at += n;
	return true;
}

bool asm_accept_word(struct asm_cursor *c, const char *word)
{
	skip_blanks(c);
	if (word_length(c->at) != strlen(word))
		return false;
	return asm_accept(c, word);
}

/*
 * Expressions are computed in 128 bits; what does not fit in 64 is an error. Binary
 * operators by rising strength: ^ & << >> + - * / %, then unary - and ~. There is no |,
 * which separates operations.
 */
typedef __int128 wide;

enum { DEPTH_MAX = 64 };

static bool unary(struct asm_cursor *c, wide *value);
static bool binary(struct asm_cursor *c, u32 level, wide *value);

static bool literal(struct asm_cursor *c, wide *value)
{
	u32 base = 10, digit;
	const char *begin;

	*value = 0;
	if (c->at[0] == '0' && (c->at[1] == 'x' || c->at[1] == 'b')) {
		base = c->at[1] == 'x' ? 16 : 2;
		c->at += 2;
	}
	for (begin = c->at; isxdigit((unsigned char)*c->at); c->at++) {
		char ch = *c->at;

		digit = isdigit((unsigned char)ch) ? ch - '0' : (ch | 0x20) - 'a' + 10;
		if (digit >= base)
			break;
		*value = *value * base + digit;
		if (*value > UINT64_MAX)
			return asm_error(c, "number needs more than 64 bits");
	}
	if (c->at == begin || isalnum((unsigned char)*c->at) || *c->at == '_')
		return asm_error(c, "malformed number");
	return true;
}

static bool constant(struct asm_cursor *c, wide *value)
{
	const struct asm_symbol *symbol;
	char word[ASM_NAME_BYTES];
	const char *begin = c->at;

	if (!asm_word(c, word, "a number"))
		return false;
	symbol = asm_find(c->as, word);
	if (!symbol || symbol->kind != ASM_CONSTANT) {
		c->at = begin;
		return asm_error(c, "'%s' is not a constant", word);
	}
	*value = symbol->value;
	return true;
}

static bool operand(struct asm_cursor *c, wide *value)
{
	if (asm_accept(c, "-")) {
		if (!unary(c, value))
			return false;
		*value = -*value;
		return true;
	}
	if (asm_accept(c, "~")) {
		if (!unary(c, value))
			return false;
		*value = ~*value;
		return true;
	}
	if (asm_accept(c, "("))
		return binary(c, 0, value) && asm_expect(c, ")");
	skip_blanks(c);
	return isdigit((unsigned char)*c->at) ? literal(c, value) : constant(c, value);
}

static bool unary(struct asm_cursor *c, wide *value)
{
	bool ok;

	if (c->depth == DEPTH_MAX)
		return asm_error(c, "expression is too deep");
	c->depth++;
	ok = operand(c, value);
	c->depth--;
	return ok;
}

static bool apply(struct asm_cursor *c, const char *operator, wide a, wide b, wide *value)
{
	wide limit = (wide)1 << 64;
	bool fits = true;

	switch (*operator) {
	case '^':
		*value = a ^ b;
		break;
	case '&':
		*value = a & b;
		break;
	case '+':
		*value = a + b;
		break;
	case '-':
		*value = a - b;
		break;
	case '*':
		fits = !__builtin_mul_overflow(a, b, value);
		break;
	case '<':
	case '>':
		if (b < 0 || b > 63)
			return asm_error(c, "shift by less than 0 or more than 63");
		*value = *operator== '<' ? a * ((wide)1 << b) : a>> b;
		break;
	default:
		if (!b)
			return asm_error(c, "division by zero");
		*value = *operator== '/' ? a / b : a % b;
	}
	if (!fits || *value >= limit || *value <= -limit)
		return asm_error(c, "expression needs more than 64 bits");
	return true;
}

static bool binary(struct asm_cursor *c, u32 level, wide *value)
{
	static const char *const operators[][3] = {
		{ "^" }, { "&" }, { "<<", ">>" }, { "+", "-" }, { "*", "/", "%" },
	};
	enum { LEVELS = sizeof(operators) / sizeof(*operators) };
	wide right;
	u32 i;

	if (level == LEVELS)
		return unary(c, value);
	if (!binary(c, level + 1, value))
		return false;
	for (i = 0; i < 3 && operators[level][i]; i++) {
		if (!asm_accept(c, operators[level][i]))
			continue;
		if (!binary(c, level + 1, &right) ||
		    !apply(c, operators[level][i], *value, right, value))
			return false;
		i = -1u;
	}
	return true;
}

static bool wide_number(struct asm_cursor *c, wide lo, wide hi, const char *what, wide *value)
{
	const char *begin;

	skip_blanks(c);
	begin = c->at;
	if (!binary(c, 0, value))
		return false;
	if (*value >= lo && *value <= hi)
		return true;
	c->at = begin;
	return asm_error(c, "%s is not in %lld..%llu", what, (long long)lo, (unsigned long long)hi);
}

bool asm_number(struct asm_cursor *c, s64 lo, s64 hi, const char *what, s64 *value)
{
	wide number;

	if (!wide_number(c, lo, hi, what, &number))
		return false;
	*value = number;
	return true;
}

bool asm_expression(struct asm_cursor *c, s64 *value)
{
	return asm_number(c, INT64_MIN, INT64_MAX, "number", value);
}

bool asm_unsigned(struct asm_cursor *c, u64 *value)
{
	wide number;

	if (!wide_number(c, 0, UINT64_MAX, "number", &number))
		return false;
	*value = number;
	return true;
}

bool asm_numbered(struct asm_cursor *c, char letter, s64 lo, s64 hi, const char *what, s64 *value)
{
	const char *begin;

	skip_blanks(c);
	begin = c->at;
	if (*begin != letter || !(isdigit((unsigned char)begin[1]) || begin[1] == '('))
		return asm_error(c, "expected %s, as in %c0", what, letter);
	c->at++;
	if (*c->at == '(')
		return asm_number(c, lo, hi, what, value);
	for (*value = 0; isdigit((unsigned char)*c->at) && *value <= hi; c->at++)
		*value = *value * 10 + *c->at - '0';
	if (*value >= lo && *value <= hi)
		return true;
	c->at = begin;
	return asm_error(c, "%s is not in %lld..%lld", what, (long long)lo, (long long)hi);
}

bool asm_reference(struct asm_cursor *c, enum asm_kind kind, s64 *index)
{
	static const struct {
		const char *what;
		char letter;
		u32 max;
	} kinds[] = {
		[ASM_SLOT] = { "a slot", 's', RONDO_PROGRAM_SLOTS_MAX - 1 },
		[ASM_ENTRY] = { "an address entry", 'e', RONDO_ENTRIES_MAX - 1 },
		[ASM_DESC] = { "a descriptor", 'd', RONDO_DESCS_MAX - 1 },
	};
	const struct asm_symbol *symbol;
	char word[ASM_NAME_BYTES];
	const char *begin;

	skip_blanks(c);
	begin = c->at;
	if (!asm_word(c, word, kinds[kind].what))
		return false;
	symbol = asm_find(c->as, word);
	if (symbol && symbol->kind == kind) {
		*index = symbol->value;
		return true;
	}
	c->at = begin;
	if (word[0] == kinds[kind].letter && (isdigit((unsigned char)word[1]) || !word[1]))
		return asm_numbered(c, word[0], 0, kinds[kind].max, kinds[kind].what, index);
	return asm_error(c, "'%s' is not %s", word, kinds[kind].what);
}
