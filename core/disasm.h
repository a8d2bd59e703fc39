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

/*
 * Writes one bundle into @out, which is always terminated, as a line that the assembler turns
 * into the same words; returns its length. Operations, for example "push.f32 a0, e3+16, w0.0,
 * first, 9", are in the order of their slots, separated by " | ", each with the name of its slot
 * before it where the assembler would not choose that slot. A word that does not decode, or that
 * the language has no words for, is written as its encoding, "?0123456789abcdef".
 */
size_t rondo_disasm_bundle(const u64 word[RONDO_SLOTS_PER_BUNDLE], char *out, size_t size);

#endif
