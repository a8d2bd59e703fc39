// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The assembly language. tests/golden/asm/NAME.rasm assembles to what NAME.txt
 * shows: the program's disassembly, or the errors. UPDATE_GOLDEN=1 rewrites the
 * latter. Then texts for all sorts of bundles go there and back, and lines are damaged.
 */
#include "tools/asm/asm.h"

#include <dirent.h>

#include "core/codec.h"
#include "core/disasm.h"
#include "core/machine.h"
#include "spec/program.h"
#include "tests/random.h"
#include "tests/read_file.h"
#include "tests/tap.h"

#define DIRECTORY "tests/golden/asm"

static char *read_text(const char *name, const char *suffix)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s%s", DIRECTORY, name, suffix);
	return read_file(path);
}

static void write_text(const char *name, const char *suffix, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", DIRECTORY, name, suffix);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
}

static char *disassembly(const void *program, u64 size)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (asm_disassemble(out, program, size))
		fprintf(out, "no program\n");
	fclose(out);
	return text;
}

/* What @source assembles to, as text; and there and back again. */
static char *outcome(const char *name, const char *source)
{
	struct asm_errors errors;
	void *program = NULL, *again = NULL;
	char *text = NULL;
	size_t length = 0;
	u64 size, size_again = 0;
	FILE *out;

	if (asm_assemble(source, &program, &size, &errors)) {
		out = open_memstream(&text, &length);
		asm_print_errors(out, name, &errors);
		fclose(out);
		return text;
	}
	text = disassembly(program, size);
	if (asm_assemble(text, &again, &size_again, &errors))
		asm_print_errors(stdout, "# again", &errors);
	tap_ok(again && size == size_again && !memcmp(program, again, size),
	       "%s: the disassembly gives the same bytes", name);
	free(program);
	free(again);
	return text;
}

/* Prints @text so that it is no result of a case. */
static void comment(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("# %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void golden(const char *name)
{
	char *source = read_text(name, ".rasm"), *want = read_text(name, ".txt");
	char *have = outcome(name, source);
	const char *flag = getenv("UPDATE_GOLDEN");

	if (flag && !strcmp(flag, "1"))
		write_text(name, ".txt", have);
	else if (!tap_ok(want && !strcmp(have, want), "%s: the golden text", name))
		comment(have);
	free(source);
	free(want);
	free(have);
}

static void all_golden(void)
{
	struct dirent **files;
	int n = scandir(DIRECTORY, &files, NULL, alphasort), cases = 0;

	for (int i = 0; i < n; i++) {
		char *dot = strstr(files[i]->d_name, ".rasm");

		if (dot) {
			*dot = '\0';
			golden(files[i]->d_name);
			cases++;
		}
		free(files[i]);
	}
	if (n >= 0)
		free(files);
	tap_ok(cases >= 8, "the golden files are there");
}

/* A word whose fields are all random, for operation @op; often no operation at all. */
static u64 random_word(u64 *seed, u32 op)
{
	struct rondo_op decoded;
	u64 word;
	u32 tries;

	/* Clears bits at random until only bits of fields are left. */
	for (tries = 0; tries < 64; tries++) {
		word = (random_next(seed) & ~0x7full) | op;
		for (u32 bit = 7; bit < 64; bit++)
			if (!rondo_decode((1ull << bit) | op, &decoded))
				word &= ~(1ull << bit);
		if (rondo_decode(word, &decoded))
			return word;
	}
	return random_next(seed);
}

/* Bundle @words as text, in a program whose claims are stated, and back. */
static bool survives(const u64 words[RONDO_SLOTS_PER_BUNDLE], char line[RONDO_DISASM_BYTES])
{
	char text[RONDO_DISASM_BYTES + 64];
	struct asm_errors errors;
	void *program;
	bool same;
	u64 size;

	rondo_disasm_bundle(words, line, RONDO_DISASM_BYTES);
	snprintf(text, sizeof(text), "cycles 0\n%s\n", line);
	if (asm_assemble(text, &program, &size, &errors)) {
		asm_print_errors(stdout, "# bundle", &errors);
		return false;
	}
	same = !memcmp((u8 *)program + sizeof(struct rondo_program_header), words,
		       RONDO_BUNDLE_BYTES);
	free(program);
	return same;
}

/* Every operation, in every slot, with random fields; the other slots random. */
static void round_trips(void)
{
	u64 words[RONDO_SLOTS_PER_BUNDLE], seed = 88172645463325252ull;
	char line[RONDO_DISASM_BYTES];
	u32 op, slot, other, lost = 0, bundles = 0;

	for (op = 0; op < RONDO_OPCODES; op++) {
		for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			for (other = 0; other < RONDO_SLOTS_PER_BUNDLE; other++)
				words[other] = random_next(&seed) % 3 ?
						       0 :
						       random_word(&seed, random_next(&seed) % 128);
			words[slot] = random_word(&seed, op);
			bundles++;
			if (!survives(words, line)) {
				printf("# lost: %s\n", line);
				lost++;
			}
		}
	}
	tap_ok(!lost, "%u random bundles go there and back", bundles);
}

/* A program with one row in each table. */
struct rows {
	struct rondo_program_header header;
	struct rondo_slot slot;
	struct rondo_entry entry;
	struct rondo_desc desc;
	u64 bundle[RONDO_SLOTS_PER_BUNDLE];
};

static bool rows_survive(const struct rows *rows)
{
	char *text = disassembly(rows, sizeof(*rows));
	struct asm_errors errors;
	void *program = NULL;
	u64 size;
	bool same = !asm_assemble(text, &program, &size, &errors) && size == sizeof(*rows) &&
		    !memcmp(program, rows, size);

	if (!same)
		comment(text);
	free(program);
	free(text);
	return same;
}

/* A field of a row alone, and all but one, go there and back: what is written of each. */
static void any_field(void)
{
	struct rows rows[2] = { 0 };
	u32 lost = 0, tried = 0;

	rows[0].header = (struct rondo_program_header){
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.slots = 1,
		.entries = 1,
		.descs = 1,
		.bundles = 1,
	};
	rows[0].bundle[RONDO_C] = RONDO_OP_halt;
	rows[1] = rows[0];
	memset(&rows[1].slot, 0x91, offsetof(struct rows, bundle) - offsetof(struct rows, slot));
	rows[1].desc.slot = 0;
	for (int r = 0; r < 2; r++) {
		for (size_t at = offsetof(struct rows, slot); at < offsetof(struct rows, bundle);
		     at++) {
			struct rows changed = rows[r];

			((u8 *)&changed)[at] ^= 0x91;
			changed.desc.slot = 0;
			lost += !rows_survive(&changed);
			tried++;
		}
	}
	tap_ok(!lost, "%u changed rows of tables go there and back", tried);
}

static void limits(void)
{
	struct asm_errors errors;
	char *text = NULL;
	size_t length = 0;
	void *program;
	u64 size;
	FILE *out = open_memstream(&text, &length);

	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX + 1; i++)
		fprintf(out, "slot slot_%u\n", i);
	for (u32 i = 0; i < RONDO_ENTRIES_MAX + 1; i++)
		fprintf(out, "entry e%u\n", i);
	fprintf(out, "frob\n");
	fclose(out);
	tap_ok(asm_assemble(text, &program, &size, &errors) && errors.count == 3,
	       "one slot and one entry too many are errors");
	free(text);
	text = calloc(1, 1000);
	memset(text, 'a', 999);
	tap_ok(asm_assemble(text, &program, &size, &errors) && errors.count == 1,
	       "a name of 999 letters is one");
	memset(text, '(', 999);
	memcpy(text, "movi v0, ", 9);
	tap_ok(asm_assemble(text, &program, &size, &errors) && errors.count == 1 &&
		       strstr(errors.error[0].text, "too deep"),
	       "990 open parentheses are one, before their end");
	free(text);
}

/*
 * Lines that are damaged. Each token of each line is left out, written twice, and, if it is a
 * number or ends in one, made too large and negative; tests/golden/asm/damaged.txt has what is said
 * then.
 */
static const char before[] = "cycles 9\n"
			     "slot s read=0..64 write=0..0\n"
			     "entry x base=4\n"
			     "desc m in s row=64\n"
			     ".equ N, 3\n"
			     ".macro pair a, b\n"
			     "\tmovi v\\a, \\b\n"
			     ".endm\n";
static const char behind[] = "\thalt\n";

/* Length of the token at @text; blanks before it belong to it. */
static size_t token_length(const char *text)
{
	static const char word[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t blanks = strspn(text, " "), n = strspn(text + blanks, word);

	if (!n)
		n = text[blanks] == '.' && text[blanks + 1] == '.' ? 2 : 1;
	return blanks + n;
}

/* What @line assembles to: its errors, or the lines of the disassembly that @plain does not have.
 */
static void tell(FILE *out, const char *line, const char *plain)
{
	char source[1024], *text, *rest = NULL;
	struct asm_errors errors;
	void *program = NULL;
	u64 size;

	fprintf(out, "%s\n", line);
	snprintf(source, sizeof(source), "%s%s\n%s", before, line, behind);
	if (asm_assemble(source, &program, &size, &errors)) {
		for (u32 i = 0; i < errors.count; i++)
			fprintf(out, "\t%u:%u: %s\n", errors.error[i].line, errors.error[i].column,
				errors.error[i].text);
		return;
	}
	text = disassembly(program, size);
	for (char *at = strtok_r(text, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest)) {
		const char *known = strstr(plain, at);

		if (!known || (known != plain && known[-1] != '\n') || known[strlen(at)] != '\n')
			fprintf(out, "\t= %s\n", at + strspn(at, "\t"));
	}
	free(text);
	free(program);
}

/* @line with the @length bytes at @at replaced by @with. */
static void tell_changed(FILE *out, const char *line, size_t at, size_t length, const char *with,
			 const char *plain)
{
	char changed[512];

	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)at, line, with, line + at + length);
	tell(out, changed, plain);
}

static void damaged(void)
{
	char *have = NULL, *want = read_text("damaged", ".txt"), *plain, source[1024], with[256];
	char *lines = read_text("damaged", ".lines"), *rest = NULL;
	const char *flag = getenv("UPDATE_GOLDEN");
	size_t have_length = 0, at, length;
	struct asm_errors errors;
	void *program = NULL;
	u64 size;
	FILE *out = open_memstream(&have, &have_length);

	snprintf(source, sizeof(source), "%s%s", before, behind);
	if (!tap_ok(!asm_assemble(source, &program, &size, &errors), "lines around a damaged one"))
		asm_print_errors(stdout, "# damaged", &errors);
	plain = disassembly(program, size);
	for (const char *line = strtok_r(lines, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		tell(out, line, plain);
		for (at = 0; line[at]; at += length) {
			int digits = 0;

			length = token_length(line + at);
			while (line[at + length - 1 - digits] >= '0' &&
			       line[at + length - 1 - digits] <= '9')
				digits++;
			tell_changed(out, line, at, length, "", plain);
			snprintf(with, sizeof(with), "%.*s%.*s", (int)length, line + at,
				 (int)length, line + at);
			tell_changed(out, line, at, length, with, plain);
			if (!digits)
				continue;
			tell_changed(out, line, at + length - digits, digits,
				     "99999999999999999999", plain);
			tell_changed(out, line, at + length - digits, digits, "-1", plain);
		}
	}
	fclose(out);
	if (flag && !strcmp(flag, "1"))
		write_text("damaged", ".txt", have);
	else if (!tap_ok(want && !strcmp(have, want), "damaged lines"))
		comment(have);
	free(lines);
	free(program);
	free(plain);
	free(have);
	free(want);
}

/* The example of the reference assembles, and the verifier accepts it. */
static void documented(void)
{
	struct asm_errors errors = { 0 };
	char *page = read_file("docs/reference/assembly.md"), *begin, *end;
	void *program = NULL;
	u64 size;

	begin = page ? strstr(page, "```\nmachine") : NULL;
	end = begin ? strstr(begin + 4, "```") : NULL;
	if (!tap_ok(end, "the reference has an example")) {
		free(page);
		return;
	}
	*end = '\0';
	tap_ok(!asm_assemble(begin + 4, &program, &size, &errors), "it assembles");
	asm_print_errors(stdout, "# example", &errors);
	free(program);
	free(page);
}

int main(void)
{
	all_golden();
	documented();
	damaged();
	round_trips();
	any_field();
	limits();
	return tap_done();
}
