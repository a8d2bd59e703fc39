/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Test firmware that does what a script tells it: each time bell 0 rings it
 * fetches the page at INIT_ADDR, executes its steps, writes the page back and
 * raises EVENT. A step is 16 bytes: operation, address, value, result; see
 * enum step_op in tests/emulator/rig.h. There is no trap handler: a trap
 * is an unhandled one.
 */
	.equ MGMT, 0x10000000
	.equ SCRIPT, 0x80002000
	.equ SCRIPT_BYTES, 4096

	.globl _start
_start:
	li s0, MGMT
	li t0, 0x00010000
	sw t0, 0x008(s0)	/* FW_VERSION */
	li t0, 1
	sw t0, 0x00c(s0)	/* FW_STATE */

await_bell:
	li t0, 1 << 11
	csrw mie, t0
	wfi
	lw t0, 0x010(s0)	/* HEARTBEAT */
	addi t0, t0, 1
	sw t0, 0x010(s0)
	lw t0, 0x040(s0)	/* BELL_PENDING */
	andi t0, t0, 1
	beqz t0, await_bell
	sw t0, 0x040(s0)
	li a0, 1
	jal copy_script
	li s1, SCRIPT

step:
	lw t0, 0(s1)
	lw a0, 4(s1)
	lw a1, 8(s1)
	li t1, 1
	beq t0, t1, store
	li t1, 2
	beq t0, t1, load
	li t1, 3
	beq t0, t1, await
	li t1, 4
	beq t0, t1, jump
	li t1, 5
	beq t0, t1, spin
	li a0, 2
	jal copy_script
	li t0, 1
	sw t0, 0x014(s0)	/* HOST_IRQ: EVENT */
	j await_bell

store:
	sw a1, 0(a0)
	j next
load:
	lw t0, 0(a0)
	sw t0, 12(s1)
	j next
await:				/* until an interrupt of the mask is pending */
	csrw mie, a1
	wfi
	csrr t0, mip
	and t1, t0, a1
	beqz t1, await
	sw t0, 12(s1)
	j next
jump:
	jr a0
spin:
	addi a1, a1, -1
	bnez a1, spin
next:
	addi s1, s1, 16
	j step

/* Copies the script in (a0 = 1) or out (a0 = 2). */
copy_script:
	lw t0, 0x000(s0)	/* INIT_ADDR */
	sw t0, 0x060(s0)	/* COPY_ADDR */
	lw t0, 0x004(s0)
	sw t0, 0x064(s0)
	li t0, SCRIPT
	sw t0, 0x068(s0)	/* COPY_LOCAL */
	li t0, SCRIPT_BYTES
	sw t0, 0x06c(s0)	/* COPY_SIZE */
	sw a0, 0x070(s0)	/* COPY_GO */
	ret
