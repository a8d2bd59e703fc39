/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* RV32M as the assembler encodes it, and multiplication against long addition. */
#include "tests/rv32/check.h"

#define OP(insn, x, y, result) \
	li	a1, x;        \
	li	a2, y;        \
	insn	a0, a1, a2;   \
	CHECK(a0, result)

	.globl _start
_start:
	OP(mul, 0x12345678, 0x9abcdef0, 0x242d2080)
	OP(mulhu, 0x12345678, 0x9abcdef0, 0x0b00ea4e)
	OP(mulh, 0x12345678, 0x9abcdef0, 0xf8cc93d6)
	OP(mulhsu, 0x9abcdef0, 0x12345678, 0xf8cc93d6)
	OP(mulhsu, 0x12345678, 0x9abcdef0, 0x0b00ea4e)
	OP(div, 100, -7, -14)
	OP(rem, 100, -7, 2)
	OP(div, -100, 7, -14)
	OP(rem, -100, 7, -2)
	OP(divu, -100, 7, 0x24924916)
	OP(remu, -100, 7, 2)
	OP(div, 5, 0, -1)
	OP(divu, 5, 0, -1)
	OP(rem, 5, 0, 5)
	OP(remu, 5, 0, 5)
	OP(div, 0x80000000, -1, 0x80000000)
	OP(rem, 0x80000000, -1, 0)

	/* mul and mulhu of pseudo-random pairs against shift and add */
	li	s0, 1
	li	s1, 200
pairs:	mv	a1, s0
	jal	next
	mv	a2, s0
	jal	next
	mul	s2, a1, a2
	mulhu	s3, a1, a2
	/* s5:s4 = the product; a3:a1 = the first factor, moving left */
	li	s4, 0
	li	s5, 0
	li	a3, 0
	mv	a4, a2
1:	andi	a5, a4, 1
	beqz	a5, 2f
	add	s4, s4, a1
	sltu	a5, s4, a1
	add	s5, s5, a3
	add	s5, s5, a5
2:	slli	a3, a3, 1
	srli	a5, a1, 31
	or	a3, a3, a5
	slli	a1, a1, 1
	srli	a4, a4, 1
	bnez	a4, 1b
	sub	a0, s2, s4
	CHECK(a0, 0)
	sub	a0, s3, s5
	CHECK(a0, 0)

	/* quotient * divisor + remainder = dividend, remainder < divisor */
	srli	a2, a2, 20
	addi	a2, a2, 1
	divu	a3, s2, a2
	remu	a4, s2, a2
	sltu	a0, a4, a2
	CHECK(a0, 1)
	mul	a3, a3, a2
	add	a3, a3, a4
	sub	a0, a3, s2
	CHECK(a0, 0)
	addi	s1, s1, -1
	bnez	s1, pairs
	END

/* xorshift32 of s0 */
next:	slli	t0, s0, 13
	xor	s0, s0, t0
	srli	t0, s0, 17
	xor	s0, s0, t0
	slli	t0, s0, 5
	xor	s0, s0, t0
	ret
