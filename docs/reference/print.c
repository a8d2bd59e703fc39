// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Prints the tables of spec/ as Markdown, so that the reference is never another copy of the facts:
 *
 *	print isa|formats|registers|errors|machines|faults
 *
 * `make docs` writes each to build/release/docs/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/isa.h"

/* "ld_s8" as the assembler writes it: "ld.s8". */
static const char *mnemonic(const char *name)
{
	static char text[32];
	size_t i;

	snprintf(text, sizeof(text), "%s", name);
	for (i = 0; text[i]; i++)
		if (text[i] == '_')
			text[i] = '.';
	return text;
}

/* @text with what would end a table's cell escaped. */
static const char *cell(const char *text)
{
	static char escaped[512];
	size_t to = 0;

	for (; *text && to + 2 < sizeof(escaped); text++) {
		if (*text == '|')
			escaped[to++] = '\\';
		escaped[to++] = *text;
	}
	escaped[to] = '\0';
	return escaped;
}

static void isa(void)
{
	printf("# Operations\n\nWhat the columns mean is said in `spec/isa.def`; fields of each "
	       "format: "
	       "formats.md.\n\n| operation | opcode | slots | format | latency | element | energy "
	       "| "
	       "links | meaning |\n|---|---|---|---|---|---|---|---|---|\n");
#define OP(name, opcode, slots, format, latency, element, energy, links, meaning)                 \
	printf("| `%s` | 0x%02x | %s | %s | %s | %s | %s | %s | %s |\n", mnemonic(#name), opcode, \
	       #slots, #format, #latency, #element, #energy, #links, cell(meaning));
#include "spec/isa.def"
}

static void formats(void)
{
	printf("# Slot formats\n\nBits 6:0 of every slot are the opcode; bits of no field are "
	       "zero. "
	       "Kinds and roles: spec/formats.def.\n\n"
	       "| format | fields: name, lowest bit + width, kind, role |\n|---|---|\n");
#define F(member, lo, width, kind, role) " " #member " " #lo "+" #width " " #kind " " #role ";"
#define FORMAT(name, fields) printf("| %s |%s |\n", #name, fields);
#include "spec/formats.def"
}

static void registers(void)
{
	printf("# Device registers\n\n| space | offset | name | count | access | meaning |\n"
	       "|---|---|---|---|---|---|\n");
#define REG(space, name, offset, count, widest, access, meaning)                               \
	printf("| %s | 0x%03x | %s | %d | %s | %s |\n", #space, offset, #name, count, #access, \
	       cell(meaning));
#define FLD(space, name, field, lo, width, meaning)                                   \
	printf("| | %d:%d | %s.%s | | | %s |\n", (lo)-1 + (width), lo, #name, #field, \
	       cell(meaning));
#include "spec/regs.def"
}

static void errors(void)
{
	printf("# Why a program is refused\n\n| number | name | at | text |\n|---|---|---|---|\n");
#define ERR(name, number, where, text) \
	printf("| %d | %s | %s | %s |\n", number, #name, #where, cell(text));
#include "spec/errors.def"
}

static void machines(void)
{
	printf("# Machine configurations\n\n| name | mesh | lanes | accumulator rows | SRAM per "
	       "tile | "
	       "supported | meaning |\n|---|---|---|---|---|---|---|\n");
#define MACHINE(name, mesh_w, mesh_h, lanes, acc_rows, sram_bytes, supported, meaning)    \
	printf("| %s | %dx%d | %d | %d | %d | %s | %s |\n", #name, mesh_w, mesh_h, lanes, \
	       acc_rows, sram_bytes, (supported) ? "yes" : "no", meaning);
#include "spec/machines.def"
}

static void faults(void)
{
	printf("# Fault interface\n\n| fault | meaning of its value |\n|---|---|\n");
#define FAULT(name, meaning) printf("| %s | %s |\n", #name, cell(meaning));
#include "emulator/device/faults.def"
}

static const struct {
	const char *name;
	void (*print)(void);
} documents[] = {
	{ "isa", isa },	      { "formats", formats },	{ "registers", registers },
	{ "errors", errors }, { "machines", machines }, { "faults", faults },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(documents) / sizeof(*documents); i++) {
		if (strcmp(argv[1], documents[i].name))
			continue;
		documents[i].print();
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "usage: print isa|formats|registers|errors|machines|faults\n");
	return EXIT_FAILURE;
}
