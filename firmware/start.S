/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reset and trap entry of the management core. Interrupts are enabled one by one
 * in mie but not in mstatus: they end a wfi and are never taken, so every trap is
 * an exception, and so a bug.
 */
	.option arch, +zicsr
	.equ MIE_TIMER, 1 << 7
	.equ MIE_EXTERNAL, 1 << 11

	.section .start, "ax"
	.globl _start
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	la	sp, stack_top
	la	t0, trap
	csrw	mtvec, t0

	la	t0, bss_start
	la	t1, bss_end
clear:	bgeu	t0, t1, run
	sw	zero, 0(t0)
	addi	t0, t0, 4
	j	clear

run:	li	t0, MIE_TIMER | MIE_EXTERNAL
	csrw	mie, t0
	call	fw_main

/* Nothing wakes a core with mie zero: only reset does. */
stop:	csrw	mie, zero
	wfi
	j	stop

	.balign	4
trap:	la	t0, trap_again
	csrw	mtvec, t0
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	la	sp, stack_top
	call	fw_trapped
	.balign	4
trap_again:
	j	stop
