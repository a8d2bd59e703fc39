/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Markers for the instruction counter: an 8-byte NOP whose displacement says
 * "here begins" or "here ends" interval N (0 <= N < MARKER_COUNT). They cost one
 * instruction, which is not counted, and mean nothing to a real processor.
 */
#ifndef TESTS_PLUGIN_MARKER_H
#define TESTS_PLUGIN_MARKER_H

#define MARKER_COUNT 64
/* Bits 31..16 of the displacement; bits 15..1 are the interval, bit 0 says "ends". */
#define MARKER_MAGIC 0x524e

/* nopl displacement(%rax,%rax,1), the displacement always in four bytes. */
#define MARKER(n, end)                                                                      \
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" ::"i"(MARKER_MAGIC << 16 | \
								       (n) << 1 | (end))    \
		     : "memory")
#define MARKER_BEGIN(n) MARKER(n, 0)
#define MARKER_END(n) MARKER(n, 1)

#endif
