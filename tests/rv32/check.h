/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For self-checking assembly programs: a check that fails reports its source
 * line on the bus, and ends the program. The entry comes first in the image.
 *
 * Uses gp (the line), t5 and t6.
 */
#ifndef TESTS_RV32_CHECK_H
#define TESTS_RV32_CHECK_H

/* clang-format off */
#define REPORT 0x40000000 /* word 0: failing line, 0 = none; word 1: 1 = done */

	.macro report
	li	t6, REPORT
	sw	gp, 0(t6)
	li	t5, 1
	sw	t5, 4(t6)
99:	j	99b
	.endm

#define CHECK(reg, value)      \
	li	gp, __LINE__; \
	li	t5, value;    \
	bne	reg, t5, fail

/* Reached only by mistake. */
#define NEVER                  \
	li	gp, __LINE__; \
	j	fail

/* Ends the program: all checks passed. */
#define END                    \
	li	gp, 0;        \
fail:	report

#endif
