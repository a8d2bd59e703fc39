/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Machine mode as firmware uses it: a handler that notes cause and value and
 * returns behind the instruction, one illegal instruction of two and one of
 * four bytes, faults, and counters.
 */
#include "tests/rv32/check.h"

	.globl _start
_start:
	la	t0, handler
	csrw	mtvec, t0
	li	a2, 0
	csrsi	mstatus, 8

	ecall
	CHECK(a0, 11)
	ebreak
	CHECK(a0, 3)
	.half	0
	CHECK(a0, 2)
	CHECK(a1, 0)
	.word	0xffffffff
	CHECK(a0, 2)
	CHECK(a1, 0xffffffff)
	csrw	mhartid, zero
	CHECK(a0, 2)
	li	s0, 0x70000001
	lw	s1, 0(s0)
	CHECK(a0, 4)
	CHECK(a1, 0x70000001)
	sh	s1, 2(s0)
	CHECK(a0, 6)
	CHECK(a1, 0x70000003)
	lb	s1, 0(s0)
	CHECK(a0, 5)
	CHECK(a1, 0x70000001)
	sw	s1, 3(s0)
	CHECK(a0, 7)
	CHECK(a1, 0x70000004)
	CHECK(a2, 9)

	/* jumping into nowhere: mepc is there, so the handler uses ra */
	li	s0, 0x70000000
	la	s2, 1f
	jalr	s0
1:	CHECK(a0, 1)
	CHECK(a1, 0x70000000)

	/* traps nest by saving: MIE is off in the handler, back after mret */
	csrr	a3, mstatus
	CHECK(a3, 0x1888)
	CHECK(a4, 0x1880)

	csrr	a3, mcycle
	csrr	a4, mcycle
	sub	a3, a4, a3
	CHECK(a3, 1)
	csrwi	mscratch, 21
	csrrci	a3, mscratch, 5
	CHECK(a3, 21)
	csrr	a3, mscratch
	CHECK(a3, 16)
	csrr	a3, misa
	CHECK(a3, 0x40001104)
	END

/* a0 = mcause, a1 = mtval, a2 counts, a4 = mstatus inside; uses t0, t1. */
	.balign	4
handler:
	csrr	a0, mcause
	csrr	a1, mtval
	csrr	a4, mstatus
	addi	a2, a2, 1
	csrr	t0, mepc
	li	t1, 1
	beq	a0, t1, 2f
	lhu	t1, 0(t0)
	andi	t1, t1, 3
	addi	t0, t0, 2
	addi	t1, t1, -3
	bnez	t1, 1f
	addi	t0, t0, 2
1:	csrw	mepc, t0
	mret
2:	csrw	mepc, s2
	mret
