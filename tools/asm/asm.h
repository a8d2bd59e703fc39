/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The assembler and the disassembler of whole programs. The language is
 * described in docs/reference/assembly.md. Neither keeps any state.
 */
#ifndef RONDO_TOOLS_ASM_ASM_H
#define RONDO_TOOLS_ASM_ASM_H

#include <stdio.h>

#include "spec/env.h"

enum { ASM_ERRORS_MAX = 20, ASM_ERROR_BYTES = 200 };

struct asm_error {
	u32 line, column; /* in the source, from 1; line 0: of the program as a whole */
	char text[ASM_ERROR_BYTES];
};

/* The first errors; assembling goes on after an error and stops when this is full. */
struct asm_errors {
	u32 count;
	struct asm_error error[ASM_ERRORS_MAX];
};

/*
 * Assembles @text. The verifier measures extents and cycles that the text does not
 * state; if it refuses the program, that is an error on the line at fault. Returns 0
 * and the program's bytes, for free(); or -EINVAL with what is wrong in *@errors; or -ENOMEM.
 */
int asm_assemble(const char *text, void **program, u64 *size, struct asm_errors *errors);

/* Prints "name:line:column: text" lines. */
void asm_print_errors(FILE *out, const char *name, const struct asm_errors *errors);

/*
 * Writes the program in @size bytes at @program (8-byte aligned) as text that
 * assembles to the same bytes. Returns 0 or a number of spec/errors.def if the
 * tables cannot be located.
 */
u32 asm_disassemble(FILE *out, const void *program, u64 size);

#endif
