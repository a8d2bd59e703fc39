/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the assembler's files share: the program being built, and a cursor on the
 * line being read.
 *
 *	asm_source.c	lines, macros, repetitions
 *	asm_cursor.c	words, numbers and expressions of a line; errors
 *	asm_tables.c	machine, slot, entry and desc lines
 *	asm_bundle.c	bundle lines and loops
 *	asm.c		the whole: symbols, growing tables, claims
 *
 * Functions that return bool return false after they reported an error; the rest
 * of the line is then skipped.
 */
#ifndef RONDO_TOOLS_ASM_PARSE_H
#define RONDO_TOOLS_ASM_PARSE_H

#include "core/isa.h"
#include "spec/program.h"
#include "tools/asm/asm.h"

enum { ASM_NAME_BYTES = 64 };

enum asm_kind { ASM_CONSTANT, ASM_SLOT, ASM_ENTRY, ASM_DESC };

struct asm_symbol {
	char name[ASM_NAME_BYTES];
	enum asm_kind kind;
	s64 value; /* of a constant; else the index in its table */
	u32 next; /* symbol of the same bucket, plus one; 0: none */
};

enum { ASM_BUCKETS = 1024 };

/* A line of the source or of an expanded macro; comments are gone, columns as in the source. */
struct asm_line {
	char *text;
	u32 number;
};

struct asm_macro {
	char name[ASM_NAME_BYTES];
	char **parameter;
	u32 parameters;
	struct asm_line *body; /* lines of the source */
	u32 lines;
};

/* A loop whose closing brace has not been read yet. */
struct asm_block {
	struct rondo_op op;
	u32 bundle, line;
};

struct asm_claims {
	bool read, write;
};

/* Where a bundle or a row of a table comes from. */
struct asm_origin {
	u32 line, used_on;
	u16 column[RONDO_SLOTS_PER_BUNDLE]; /* of the operations; 0: none, or too far right */
};

struct asm_state {
	struct asm_errors *errors;
	u32 used_on; /* line of the macro's use, if one is being expanded */
	u64 expanded; /* bytes so far that macros and repetitions stand for */
	u32 nested; /* macros in macros */
	bool endless; /* macros were nested too deep */
	bool no_memory;

	struct asm_symbol *symbols;
	u32 symbol_count;
	u32 bucket[ASM_BUCKETS]; /* symbol, plus one */
	struct asm_macro *macros;
	u32 macro_count;

	struct rondo_machine machine;
	u64 machine_hash;
	bool cycles_stated;
	struct rondo_program_header header; /* counts are those of the tables */
	struct rondo_slot slots[RONDO_PROGRAM_SLOTS_MAX];
	struct asm_claims stated[RONDO_PROGRAM_SLOTS_MAX];
	struct rondo_entry *entries;
	struct rondo_desc *descs;
	u64 (*bundles)[RONDO_SLOTS_PER_BUNDLE];
	struct asm_origin slot_origins[RONDO_PROGRAM_SLOTS_MAX];
	struct asm_origin *entry_origins, *desc_origins, *origins; /* the last: of the bundles */
	struct asm_block blocks[RONDO_LOOP_DEPTH];
	u32 block_count;
};

struct asm_cursor {
	struct asm_state *as;
	const struct asm_line *line;
	const char *at;
	u32 depth; /* of the expression being read */
};

/* asm_cursor.c. Blanks before anything are skipped. */

__attribute__((format(printf, 2, 3))) bool asm_error(struct asm_cursor *c, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void asm_error_on(struct asm_state *as, u32 line, u32 column,
							const char *fmt, ...);
/* The line that @c reads. */
struct asm_origin asm_origin_of(const struct asm_cursor *c);
bool asm_at_end(struct asm_cursor *c);
/* Steps over @text if it stands here. */
bool asm_accept(struct asm_cursor *c, const char *text);
bool asm_expect(struct asm_cursor *c, const char *text);
/* Copies the word here: letters, digits, '_' and '.'. If there is none, the error is that @what is
 * expected. */
bool asm_word(struct asm_cursor *c, char word[ASM_NAME_BYTES], const char *expected);
/* Steps over @word if it stands here as a whole. */
bool asm_accept_word(struct asm_cursor *c, const char *word);
/* An expression, in lo..hi. */
bool asm_expression(struct asm_cursor *c, s64 *value);
bool asm_number(struct asm_cursor *c, s64 lo, s64 hi, const char *what, s64 *value);
/* A number of 64 bits without sign. */
bool asm_unsigned(struct asm_cursor *c, u64 *value);
/* A letter and a number: v3, or v(N+1). */
bool asm_numbered(struct asm_cursor *c, char letter, s64 lo, s64 hi, const char *what, s64 *value);
/* The index of a thing, by its declared name or by letter and number. */
bool asm_reference(struct asm_cursor *c, enum asm_kind kind, s64 *index);

/* asm.c */

const struct asm_symbol *asm_find(const struct asm_state *as, const char *name);
bool asm_declare(struct asm_cursor *c, const char *name, enum asm_kind kind, s64 value);
/* Room for one more element of @size bytes at table @*table; NULL if memory is short. */
void *asm_grow(struct asm_state *as, void *table, u32 count, size_t size);

/* asm_source.c, asm_tables.c, asm_bundle.c */

void asm_read_source(struct asm_state *as, const char *text);
void asm_free_source(struct asm_state *as);
bool asm_is_mnemonic(const char *word);
/* Whether @word begins a line of a table; the line is then read into *@ok. */
bool asm_table_line(struct asm_cursor *c, const char *word, bool *ok);
bool asm_bundle_line(struct asm_cursor *c);
bool asm_close_block(struct asm_cursor *c);

#endif
