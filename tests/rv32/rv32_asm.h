/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * RV32IMC machine words by name, written from the specification's instruction
 * listings. Independent of emulator/ on purpose: it is what the core is tested
 * against. Immediates are byte offsets or values as an assembler takes them.
 */
#ifndef TESTS_RV32_ASM_H
#define TESTS_RV32_ASM_H

#include "spec/env.h"

/* Tables, aligned by hand. */
/* clang-format off */

enum rv32_reg {
	ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5,
	A6, A7, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, T3, T4, T5, T6,
};

/* Bits hi..lo of v, at bit position at. */
#define BITS(v, hi, lo, at) ((((u32)(v) >> (lo)) & ((2u << ((hi) - (lo))) - 1)) << (at))

/* The six formats. */
#define R_TYPE(f7, rs2, rs1, f3, rd, op) \
	((u32)(f7) << 25 | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | (rd) << 7 | (op))
#define I_TYPE(imm, rs1, f3, rd, op) \
	((u32)(imm) << 20 | (rs1) << 15 | (f3) << 12 | (rd) << 7 | (op))
#define S_TYPE(imm, rs2, rs1, f3, op) \
	(BITS(imm, 11, 5, 25) | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | BITS(imm, 4, 0, 7) | (op))
#define B_TYPE(imm, rs2, rs1, f3, op) \
	(BITS(imm, 12, 12, 31) | BITS(imm, 10, 5, 25) | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | \
	 BITS(imm, 4, 1, 8) | BITS(imm, 11, 11, 7) | (op))
#define U_TYPE(imm20, rd, op) ((u32)(imm20) << 12 | (rd) << 7 | (op))
#define J_TYPE(imm, rd, op) \
	(BITS(imm, 20, 20, 31) | BITS(imm, 10, 1, 21) | BITS(imm, 11, 11, 20) | \
	 BITS(imm, 19, 12, 12) | (rd) << 7 | (op))

/* RV32I */
#define LUI(rd, imm20)      U_TYPE(imm20, rd, 0x37)
#define AUIPC(rd, imm20)    U_TYPE(imm20, rd, 0x17)
#define JAL(rd, off)        J_TYPE(off, rd, 0x6f)
#define JALR(rd, rs1, imm)  I_TYPE(imm, rs1, 0, rd, 0x67)
#define BEQ(a, b, off)      B_TYPE(off, b, a, 0, 0x63)
#define BNE(a, b, off)      B_TYPE(off, b, a, 1, 0x63)
#define BLT(a, b, off)      B_TYPE(off, b, a, 4, 0x63)
#define BGE(a, b, off)      B_TYPE(off, b, a, 5, 0x63)
#define BLTU(a, b, off)     B_TYPE(off, b, a, 6, 0x63)
#define BGEU(a, b, off)     B_TYPE(off, b, a, 7, 0x63)
#define LB(rd, rs1, imm)    I_TYPE(imm, rs1, 0, rd, 0x03)
#define LH(rd, rs1, imm)    I_TYPE(imm, rs1, 1, rd, 0x03)
#define LW(rd, rs1, imm)    I_TYPE(imm, rs1, 2, rd, 0x03)
#define LBU(rd, rs1, imm)   I_TYPE(imm, rs1, 4, rd, 0x03)
#define LHU(rd, rs1, imm)   I_TYPE(imm, rs1, 5, rd, 0x03)
#define SB(rs2, rs1, imm)   S_TYPE(imm, rs2, rs1, 0, 0x23)
#define SH(rs2, rs1, imm)   S_TYPE(imm, rs2, rs1, 1, 0x23)
#define SW(rs2, rs1, imm)   S_TYPE(imm, rs2, rs1, 2, 0x23)
#define ADDI(rd, rs1, imm)  I_TYPE(imm, rs1, 0, rd, 0x13)
#define SLTI(rd, rs1, imm)  I_TYPE(imm, rs1, 2, rd, 0x13)
#define SLTIU(rd, rs1, imm) I_TYPE(imm, rs1, 3, rd, 0x13)
#define XORI(rd, rs1, imm)  I_TYPE(imm, rs1, 4, rd, 0x13)
#define ORI(rd, rs1, imm)   I_TYPE(imm, rs1, 6, rd, 0x13)
#define ANDI(rd, rs1, imm)  I_TYPE(imm, rs1, 7, rd, 0x13)
#define SLLI(rd, rs1, sh)   R_TYPE(0x00, sh, rs1, 1, rd, 0x13)
#define SRLI(rd, rs1, sh)   R_TYPE(0x00, sh, rs1, 5, rd, 0x13)
#define SRAI(rd, rs1, sh)   R_TYPE(0x20, sh, rs1, 5, rd, 0x13)
#define ADD(rd, a, b)       R_TYPE(0x00, b, a, 0, rd, 0x33)
#define SUB(rd, a, b)       R_TYPE(0x20, b, a, 0, rd, 0x33)
#define SLL(rd, a, b)       R_TYPE(0x00, b, a, 1, rd, 0x33)
#define SLT(rd, a, b)       R_TYPE(0x00, b, a, 2, rd, 0x33)
#define SLTU(rd, a, b)      R_TYPE(0x00, b, a, 3, rd, 0x33)
#define XOR(rd, a, b)       R_TYPE(0x00, b, a, 4, rd, 0x33)
#define SRL(rd, a, b)       R_TYPE(0x00, b, a, 5, rd, 0x33)
#define SRA(rd, a, b)       R_TYPE(0x20, b, a, 5, rd, 0x33)
#define OR(rd, a, b)        R_TYPE(0x00, b, a, 6, rd, 0x33)
#define AND(rd, a, b)       R_TYPE(0x00, b, a, 7, rd, 0x33)
#define FENCE               0x0ff0000fu
#define FENCE_I             0x0000100fu
#define ECALL               0x00000073u
#define EBREAK              0x00100073u
#define NOP                 ADDI(ZERO, ZERO, 0)

/* RV32M */
#define MUL(rd, a, b)    R_TYPE(1, b, a, 0, rd, 0x33)
#define MULH(rd, a, b)   R_TYPE(1, b, a, 1, rd, 0x33)
#define MULHSU(rd, a, b) R_TYPE(1, b, a, 2, rd, 0x33)
#define MULHU(rd, a, b)  R_TYPE(1, b, a, 3, rd, 0x33)
#define DIV(rd, a, b)    R_TYPE(1, b, a, 4, rd, 0x33)
#define DIVU(rd, a, b)   R_TYPE(1, b, a, 5, rd, 0x33)
#define REM(rd, a, b)    R_TYPE(1, b, a, 6, rd, 0x33)
#define REMU(rd, a, b)   R_TYPE(1, b, a, 7, rd, 0x33)

/* Machine mode and Zicsr */
#define MRET                0x30200073u
#define WFI                 0x10500073u
#define CSRRW(rd, csr, rs1) I_TYPE(csr, rs1, 1, rd, 0x73)
#define CSRRS(rd, csr, rs1) I_TYPE(csr, rs1, 2, rd, 0x73)
#define CSRRC(rd, csr, rs1) I_TYPE(csr, rs1, 3, rd, 0x73)
#define CSRRWI(rd, csr, u5) I_TYPE(csr, u5, 5, rd, 0x73)
#define CSRRSI(rd, csr, u5) I_TYPE(csr, u5, 6, rd, 0x73)
#define CSRRCI(rd, csr, u5) I_TYPE(csr, u5, 7, rd, 0x73)

/* RV32C; registers marked ' in the specification (x8..x15) are named in full here. */
#define C_CI(f3, imm, rd, op) \
	((f3) << 13 | BITS(imm, 5, 5, 12) | (rd) << 7 | BITS(imm, 4, 0, 2) | (op))
#define C_CR(f4, rd, rs2)     ((f4) << 12 | (rd) << 7 | (rs2) << 2 | 2)
#define C_WORD(f3, r, rs1, uimm) \
	((f3) << 13 | BITS(uimm, 5, 3, 10) | ((rs1) - 8) << 7 | BITS(uimm, 2, 2, 6) | \
	 BITS(uimm, 6, 6, 5) | ((r) - 8) << 2)
#define C_JUMP(f3, off) \
	((f3) << 13 | BITS(off, 11, 11, 12) | BITS(off, 4, 4, 11) | BITS(off, 9, 8, 9) | \
	 BITS(off, 10, 10, 8) | BITS(off, 6, 6, 7) | BITS(off, 7, 7, 6) | BITS(off, 3, 1, 3) | \
	 BITS(off, 5, 5, 2) | 1)
#define C_BRANCH(f3, rs1, off) \
	((f3) << 13 | BITS(off, 8, 8, 12) | BITS(off, 4, 3, 10) | ((rs1) - 8) << 7 | \
	 BITS(off, 7, 6, 5) | BITS(off, 2, 1, 3) | BITS(off, 5, 5, 2) | 1)
#define C_CB(f2, rd, imm) \
	(4u << 13 | BITS(imm, 5, 5, 12) | (f2) << 10 | ((rd) - 8) << 7 | BITS(imm, 4, 0, 2) | 1)
#define C_CA(f2, rd, rs2) (4u << 13 | 3 << 10 | ((rd) - 8) << 7 | (f2) << 5 | ((rs2) - 8) << 2 | 1)

#define C_ADDI4SPN(rd, uimm) \
	(BITS(uimm, 5, 4, 11) | BITS(uimm, 9, 6, 7) | BITS(uimm, 2, 2, 6) | BITS(uimm, 3, 3, 5) | \
	 ((rd) - 8) << 2)
#define C_LW(rd, rs1, uimm)  C_WORD(2, rd, rs1, uimm)
#define C_SW(rs2, rs1, uimm) C_WORD(6, rs2, rs1, uimm)
#define C_ADDI(rd, imm)      C_CI(0, imm, rd, 1)
#define C_JAL(off)           C_JUMP(1, off)
#define C_LI(rd, imm)        C_CI(2, imm, rd, 1)
#define C_ADDI16SP(imm) \
	(3 << 13 | BITS(imm, 9, 9, 12) | SP << 7 | BITS(imm, 4, 4, 6) | BITS(imm, 6, 6, 5) | \
	 BITS(imm, 8, 7, 3) | BITS(imm, 5, 5, 2) | 1)
#define C_LUI(rd, imm)       C_CI(3, imm, rd, 1)
#define C_SRLI(rd, sh)       C_CB(0, rd, sh)
#define C_SRAI(rd, sh)       C_CB(1, rd, sh)
#define C_ANDI(rd, imm)      C_CB(2, rd, imm)
#define C_SUB(rd, rs2)       C_CA(0, rd, rs2)
#define C_XOR(rd, rs2)       C_CA(1, rd, rs2)
#define C_OR(rd, rs2)        C_CA(2, rd, rs2)
#define C_AND(rd, rs2)       C_CA(3, rd, rs2)
#define C_J(off)             C_JUMP(5, off)
#define C_BEQZ(rs1, off)     C_BRANCH(6, rs1, off)
#define C_BNEZ(rs1, off)     C_BRANCH(7, rs1, off)
#define C_SLLI(rd, sh)       C_CI(0, sh, rd, 2)
#define C_LWSP(rd, uimm) \
	(2 << 13 | BITS(uimm, 5, 5, 12) | (rd) << 7 | BITS(uimm, 4, 2, 4) | BITS(uimm, 7, 6, 2) | 2)
#define C_SWSP(rs2, uimm)    (6 << 13 | BITS(uimm, 5, 2, 9) | BITS(uimm, 7, 6, 7) | (rs2) << 2 | 2)
#define C_JR(rs1)            C_CR(8, rs1, 0)
#define C_MV(rd, rs2)        C_CR(8, rd, rs2)
#define C_EBREAK             0x9002u
#define C_JALR(rs1)          C_CR(9, rs1, 0)
#define C_ADD(rd, rs2)       C_CR(9, rd, rs2)

#endif
