/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From bundles to the assembly language (docs/reference/assembly.md).
 */
#ifndef RONDO_CORE_DISASM_H
#define RONDO_CORE_DISASM_H

#include "core/isa.h"

enum { RONDO_DISASM_BYTES = 1024 }; /* enough for any bundle */

/*
 * Writes one slot's operation, for example "push.f32 a0, e3+16, 9, w0.0, first",
 * into @out, which is always terminated; returns its length.
 */
size_t rondo_disasm_op(const struct rondo_op *op, enum rondo_slot_no slot, char *out, size_t size);

/*
 * Writes one bundle as a line that the assembler turns into the same words.
 * A word that does not decode is written as "?0123456789abcdef".
 */
size_t rondo_disasm_bundle(const u64 word[RONDO_SLOTS_PER_BUNDLE], char *out, size_t size);

#endif
