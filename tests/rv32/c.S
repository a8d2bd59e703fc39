/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* RV32C as the assembler encodes it: every form, executed. */
#include "tests/rv32/check.h"

	.globl _start
_start:
	la	sp, stack
	c.addi4spn a0, sp, 4
	sub	a0, a0, sp
	CHECK(a0, 4)
	c.addi4spn a5, sp, 1020
	sub	a0, a5, sp
	CHECK(a0, 1020)
	mv	s1, sp
	c.addi16sp sp, 496
	sub	a0, sp, s1
	CHECK(a0, 496)
	c.addi16sp sp, -512
	sub	a0, sp, s1
	CHECK(a0, -16)
	mv	sp, s1

	c.li	a0, -32
	CHECK(a0, -32)
	c.addi	a0, 31
	CHECK(a0, -1)
	c.lui	a0, 0xfffe1
	CHECK(a0, 0xfffe1000)
	c.lui	s2, 31
	CHECK(s2, 0x1f000)
	c.nop
	li	a0, 0x80000010
	c.srli	a0, 4
	CHECK(a0, 0x08000001)
	c.slli	a0, 5
	CHECK(a0, 0x00000020)
	li	a0, 0x80000010
	c.srai	a0, 31
	CHECK(a0, -1)
	c.andi	a0, -7
	CHECK(a0, -7)
	li	a1, 12
	c.sub	a0, a1
	CHECK(a0, -19)
	c.xor	a0, a1
	CHECK(a0, -31)
	c.or	a0, a1
	CHECK(a0, -19)
	c.and	a0, a1
	CHECK(a0, 12)
	c.mv	t3, a0
	CHECK(t3, 12)
	c.add	t3, a1
	CHECK(t3, 24)

	li	a0, 0x12345678
	c.swsp	a0, 252(sp)
	c.lwsp	t4, 252(sp)
	CHECK(t4, 0x12345678)
	mv	a4, sp
	lw	a2, 252(a4)
	CHECK(a2, 0x12345678)
	c.sw	a1, 124(a4)
	c.lw	a3, 124(a4)
	CHECK(a3, 12)
	c.lw	a3, 64(a4)
	CHECK(a3, 0)

	/* jumps and branches; a wrong way runs into NEVER */
	c.li	a0, 0
	c.beqz	a0, 1f
	NEVER
1:	c.bnez	a0, wrong
	c.li	a0, 1
	c.beqz	a0, wrong
	c.bnez	a0, 1f
wrong:	NEVER
1:	c.j	1f
	NEVER
1:	c.jal	leaf
link:	la	a1, link
	sub	a0, ra, a1
	CHECK(a0, 0)
	la	a1, leaf
	c.jalr	a1
link2:	la	a1, link2
	sub	a0, ra, a1
	CHECK(a0, 0)
	la	a1, 1f
	c.jr	a1
	NEVER

	/* backwards, many times */
1:	li	a0, 100
	li	a1, 0
1:	c.add	a1, a0
	c.addi	a0, -1
	c.bnez	a0, 1b
	CHECK(a1, 5050)

	/* a 32-bit instruction across a word boundary */
	.balign	4
	c.nop
	.option push
	.option norvc
	addi	a0, zero, 1
	.option pop
	CHECK(a0, 1)
	END

leaf:	c.jr	ra

	.balign	16
stack:	.skip	1024
