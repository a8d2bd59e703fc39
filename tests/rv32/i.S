/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* RV32I as the assembler encodes it; no compressed instruction. */
#include "tests/rv32/check.h"

	.option norvc
	.globl _start
_start:
	/* constants and arithmetic */
	lui	a0, 0xfffff
	CHECK(a0, 0xfffff000)
here:	auipc	a0, 0
	la	a1, here
	sub	a0, a0, a1
	CHECK(a0, 0)
	li	a1, 0x7fffffff
	addi	a0, a1, 1
	CHECK(a0, 0x80000000)
	add	a0, a1, a1
	CHECK(a0, 0xfffffffe)
	li	a2, -1
	sub	a0, a1, a2
	CHECK(a0, 0x80000000)
	slti	a0, a2, 0
	CHECK(a0, 1)
	sltiu	a0, a2, -1
	CHECK(a0, 0)
	slt	a0, a1, a2
	CHECK(a0, 0)
	sltu	a0, a1, a2
	CHECK(a0, 1)
	xori	a0, a1, -1
	CHECK(a0, 0x80000000)
	ori	a0, zero, 0x7ff
	CHECK(a0, 0x7ff)
	andi	a0, a2, -2048
	CHECK(a0, 0xfffff800)
	xor	a0, a1, a2
	CHECK(a0, 0x80000000)
	or	a0, a1, a2
	CHECK(a0, -1)
	and	a0, a1, a2
	CHECK(a0, 0x7fffffff)

	/* shifts, also by more than 31 */
	li	a1, 0x80000010
	slli	a0, a1, 27
	CHECK(a0, 0x80000000)
	srli	a0, a1, 4
	CHECK(a0, 0x08000001)
	srai	a0, a1, 4
	CHECK(a0, 0xf8000001)
	li	a2, 36
	sll	a0, a1, a2
	CHECK(a0, 0x00000100)
	srl	a0, a1, a2
	CHECK(a0, 0x08000001)
	sra	a0, a1, a2
	CHECK(a0, 0xf8000001)

	/* memory */
	la	s0, data
	lw	a0, 0(s0)
	CHECK(a0, 0x8091a2b3)
	lb	a0, 3(s0)
	CHECK(a0, 0xffffff80)
	lbu	a0, 2(s0)
	CHECK(a0, 0x91)
	lh	a0, 2(s0)
	CHECK(a0, 0xffff8091)
	lhu	a0, 0(s0)
	CHECK(a0, 0xa2b3)
	li	a1, 0x11223344
	sw	a1, 4(s0)
	sb	a1, 5(s0)
	sh	a1, 6(s0)
	lw	a0, 4(s0)
	CHECK(a0, 0x33444444)
	addi	s1, s0, 2000
	lw	a0, -1996(s1)
	CHECK(a0, 0x33444444)

	/* each branch, taken and not; a wrong way runs into NEVER */
	li	a0, -1
	li	a1, 1
	beq	a0, a1, wrong
	bne	a0, a0, wrong
	blt	a1, a0, wrong
	bge	a0, a1, wrong
	bltu	a0, a1, wrong
	bgeu	a1, a0, wrong
	beq	a0, a0, 1f
	NEVER
1:	bne	a0, a1, 1f
	NEVER
1:	blt	a0, a1, 1f
	NEVER
1:	bge	a1, a0, 1f
	NEVER
1:	bltu	a1, a0, 1f
	NEVER
1:	bgeu	a0, a1, 1f
wrong:	NEVER

	/* calls: the sum of 1..10 by recursion, and jalr's lowest bit */
1:	li	a0, 10
	la	sp, stack_end
	jal	sum
	CHECK(a0, 55)
	la	a1, odd + 1
	jalr	ra, 0(a1)
back:	la	a1, back
	sub	a0, ra, a1
	CHECK(a0, 0)
	fence
	fence.i
	END

odd:	ret

sum:	beqz	a0, 1f
	addi	sp, sp, -16
	sw	ra, 12(sp)
	sw	a0, 8(sp)
	addi	a0, a0, -1
	jal	sum
	lw	a1, 8(sp)
	add	a0, a0, a1
	lw	ra, 12(sp)
	addi	sp, sp, 16
1:	ret

	.balign	4
data:	.word	0x8091a2b3, 0
	.balign	16
	.skip	1024
stack_end:
