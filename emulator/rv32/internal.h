/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the RV32 core share; not for its embedders. */
#ifndef EMULATOR_RV32_INTERNAL_H
#define EMULATOR_RV32_INTERNAL_H

#include "emulator/rv32/rv32.h"

/* Major opcodes: bits 6..0 of a 32-bit instruction. */
enum rv32_opcode {
	RV32_OP_LOAD = 0x03,
	RV32_OP_FENCE = 0x0f,
	RV32_OP_IMM = 0x13,
	RV32_OP_AUIPC = 0x17,
	RV32_OP_STORE = 0x23,
	RV32_OP_REG = 0x33,
	RV32_OP_LUI = 0x37,
	RV32_OP_BRANCH = 0x63,
	RV32_OP_JALR = 0x67,
	RV32_OP_JAL = 0x6f,
	RV32_OP_SYSTEM = 0x73,
};

/* Bit of rv32.inputs that asks rv32_run() to return. */
#define RV32_INPUT_STOP 0x80000000u
#define RV32_INPUT_IRQS (1u << RV32_IRQ_SOFTWARE | 1u << RV32_IRQ_TIMER | 1u << RV32_IRQ_EXTERNAL)

/*
 * The 32-bit instruction that the compressed @insn stands for, or 0 (never a
 * legal instruction) when it is reserved or belongs to an absent extension.
 */
u32 rv32_expand(u16 insn);

/* Enters the handler of an exception at the current pc. Always false. */
bool rv32_raise(struct rv32 *core, enum rv32_cause cause, u32 tval);

/* Enters the handler of the most urgent interrupt in @pending (not 0). */
void rv32_interrupt(struct rv32 *core, u32 pending);

/* MRET: the pc to continue at. */
u32 rv32_mret(struct rv32 *core);

/* CSRRW, CSRRS, CSRRC and their immediate forms; false: illegal instruction. */
bool rv32_csr_insn(struct rv32 *core, u32 insn);

#endif
