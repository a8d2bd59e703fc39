/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From bundles to the assembly language (docs/reference/assembly.md).
 */
#ifndef RONDO_CORE_DISASM_H
#define RONDO_CORE_DISASM_H

#include "core/isa.h"

enum { RONDO_DISASM_BYTES = 1024 }; /* enough for any bundle */

/* Operands of each format, enum rondo_format: strings of the letters of spec/syntax.def. */
extern const char *const rondo_syntax[];

/* The slots' names, by enum rondo_slot_no: "c", "l0", ... */
extern const char *const rondo_slot_names[RONDO_SLOTS_PER_BUNDLE];

/*
 * Writes one bundle into @out, which is always terminated, and returns its length. It is a line
 * that the assembler turns into the same words: operations in the order of their slots, separated
 * by " | ", each with the name of its slot before it where the assembler would not choose that
 * slot. A word that does not decode is written as its encoding.
 */
size_t rondo_disasm_bundle(const u64 word[RONDO_SLOTS_PER_BUNDLE], char *out, size_t size);

#endif
