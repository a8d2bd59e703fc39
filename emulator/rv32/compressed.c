// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * RVC: each 16-bit instruction is exactly one 32-bit instruction.
 *
 * The order is that of the specification's tables "RVC instruction listings",
 * quadrant by quadrant, for RV32 without F and D. Immediates are scattered; the
 * comment beside each says, from the left, which bits of the immediate the bits
 * 12..2 of the instruction hold.
 */
#include "emulator/rv32/internal.h"

/* Bits hi..lo of the instruction, put at bit @at of the immediate. */
static u32 field(u32 insn, u32 hi, u32 lo, u32 at)
{
	return ((insn >> lo) & ((1u << (hi - lo + 1)) - 1)) << at;
}

static u32 sign_extend(u32 value, u32 bits)
{
	u32 sign = 1u << (bits - 1);

	return (value ^ sign) - sign;
}

/* Full register numbers, and the three-bit ones that name x8..x15. */
static u32 reg_rd(u32 insn)
{
	return field(insn, 11, 7, 0);
}

static u32 reg_rs2(u32 insn)
{
	return field(insn, 6, 2, 0);
}

static u32 reg_high3(u32 insn)
{
	return 8 + field(insn, 9, 7, 0);
}

static u32 reg_low3(u32 insn)
{
	return 8 + field(insn, 4, 2, 0);
}

/* The 32-bit formats. */
static u32 enc_r(u32 funct7, u32 rs2, u32 rs1, u32 funct3, u32 rd)
{
	return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | RV32_OP_REG;
}

static u32 enc_i(u32 opcode, u32 imm, u32 rs1, u32 funct3, u32 rd)
{
	return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static u32 enc_sw(u32 imm, u32 rs2, u32 rs1)
{
	return field(imm, 11, 5, 25) | rs2 << 20 | rs1 << 15 | 2 << 12 | field(imm, 4, 0, 7) |
	       RV32_OP_STORE;
}

static u32 enc_branch(u32 imm, u32 rs1, u32 funct3)
{
	return field(imm, 12, 12, 31) | field(imm, 10, 5, 25) | rs1 << 15 | funct3 << 12 |
	       field(imm, 4, 1, 8) | field(imm, 11, 11, 7) | RV32_OP_BRANCH;
}

static u32 enc_jal(u32 imm, u32 rd)
{
	return field(imm, 20, 20, 31) | field(imm, 10, 1, 21) | field(imm, 11, 11, 20) |
	       field(imm, 19, 12, 12) | rd << 7 | RV32_OP_JAL;
}

/* imm[5 | 4:0] of the CI format. */
static u32 imm_ci(u32 insn)
{
	return sign_extend(field(insn, 12, 12, 5) | field(insn, 6, 2, 0), 6);
}

/* uimm[5:3 | 2 | 6] of C.LW and C.SW. */
static u32 imm_word(u32 insn)
{
	return field(insn, 12, 10, 3) | field(insn, 6, 6, 2) | field(insn, 5, 5, 6);
}

/* imm[11 | 4 | 9:8 | 10 | 6 | 7 | 3:1 | 5] of C.J and C.JAL. */
static u32 imm_jump(u32 insn)
{
	return sign_extend(field(insn, 12, 12, 11) | field(insn, 11, 11, 4) |
				   field(insn, 10, 9, 8) | field(insn, 8, 8, 10) |
				   field(insn, 7, 7, 6) | field(insn, 6, 6, 7) |
				   field(insn, 5, 3, 1) | field(insn, 2, 2, 5),
			   12);
}

/* imm[8 | 4:3], then imm[7:6 | 2:1 | 5] of C.BEQZ and C.BNEZ. */
static u32 imm_branch(u32 insn)
{
	return sign_extend(field(insn, 12, 12, 8) | field(insn, 11, 10, 3) | field(insn, 6, 5, 6) |
				   field(insn, 4, 3, 1) | field(insn, 2, 2, 5),
			   9);
}

static u32 expand_addi4spn(u32 insn)
{
	/* nzuimm[5:4 | 9:6 | 2 | 3] */
	u32 imm = field(insn, 12, 11, 4) | field(insn, 10, 7, 6) | field(insn, 6, 6, 2) |
		  field(insn, 5, 5, 3);

	return imm ? enc_i(RV32_OP_IMM, imm, 2, 0, reg_low3(insn)) : 0;
}

static u32 expand_quadrant0(u32 insn)
{
	switch (insn >> 13) {
	case 0:
		return expand_addi4spn(insn);
	case 2: /* C.LW */
		return enc_i(RV32_OP_LOAD, imm_word(insn), reg_high3(insn), 2, reg_low3(insn));
	case 6: /* C.SW */
		return enc_sw(imm_word(insn), reg_low3(insn), reg_high3(insn));
	default: /* floating point, reserved */
		return 0;
	}
}

/* C.ADDI16SP and C.LUI: the same funct3, told apart by rd = x2. */
static u32 expand_addi16sp_lui(u32 insn)
{
	u32 rd = reg_rd(insn);
	u32 imm;

	if (rd == 2) {
		/* nzimm[9], then nzimm[4 | 6 | 8:7 | 5] */
		imm = sign_extend(field(insn, 12, 12, 9) | field(insn, 6, 6, 4) |
					  field(insn, 5, 5, 6) | field(insn, 4, 3, 7) |
					  field(insn, 2, 2, 5),
				  10);
		return imm ? enc_i(RV32_OP_IMM, imm, 2, 0, 2) : 0;
	}
	imm = imm_ci(insn);
	return imm ? imm << 12 | rd << 7 | RV32_OP_LUI : 0;
}

/* Shifts and arithmetic on x8..x15. */
static u32 expand_misc_alu(u32 insn)
{
	u32 rd = reg_high3(insn), rs2 = reg_low3(insn);
	bool bit12 = insn & 0x1000;

	switch (field(insn, 11, 10, 0)) {
	case 0: /* C.SRLI; a shift by 32 or more belongs to RV64 */
		return bit12 ? 0 : enc_i(RV32_OP_IMM, reg_rs2(insn), rd, 5, rd);
	case 1: /* C.SRAI */
		return bit12 ? 0 : enc_i(RV32_OP_IMM, 0x400 | reg_rs2(insn), rd, 5, rd);
	case 2: /* C.ANDI */
		return enc_i(RV32_OP_IMM, imm_ci(insn), rd, 7, rd);
	}
	if (bit12) /* C.SUBW, C.ADDW: RV64 */
		return 0;
	switch (field(insn, 6, 5, 0)) {
	case 0:
		return enc_r(0x20, rs2, rd, 0, rd); /* C.SUB */
	case 1:
		return enc_r(0, rs2, rd, 4, rd); /* C.XOR */
	case 2:
		return enc_r(0, rs2, rd, 6, rd); /* C.OR */
	default:
		return enc_r(0, rs2, rd, 7, rd); /* C.AND */
	}
}

static u32 expand_quadrant1(u32 insn)
{
	u32 rd = reg_rd(insn);

	switch (insn >> 13) {
	case 0:
		return enc_i(RV32_OP_IMM, imm_ci(insn), rd, 0, rd); /* C.NOP, C.ADDI */
	case 1:
		return enc_jal(imm_jump(insn), 1); /* C.JAL */
	case 2:
		return enc_i(RV32_OP_IMM, imm_ci(insn), 0, 0, rd); /* C.LI */
	case 3:
		return expand_addi16sp_lui(insn);
	case 4:
		return expand_misc_alu(insn);
	case 5:
		return enc_jal(imm_jump(insn), 0); /* C.J */
	case 6:
		return enc_branch(imm_branch(insn), reg_high3(insn), 0); /* C.BEQZ */
	default:
		return enc_branch(imm_branch(insn), reg_high3(insn), 1); /* C.BNEZ */
	}
}

/* C.JR, C.MV, C.EBREAK, C.JALR, C.ADD: by bit 12 and which registers are x0. */
static u32 expand_jr_mv_add(u32 insn)
{
	u32 rd = reg_rd(insn), rs2 = reg_rs2(insn);
	bool bit12 = insn & 0x1000;

	if (rs2)
		return enc_r(0, rs2, bit12 ? rd : 0, 0, rd);
	if (rd)
		return enc_i(RV32_OP_JALR, 0, rd, 0, bit12);
	return bit12 ? enc_i(RV32_OP_SYSTEM, 1, 0, 0, 0) : 0;
}

static u32 expand_quadrant2(u32 insn)
{
	u32 rd = reg_rd(insn), rs2 = reg_rs2(insn);
	u32 imm;

	switch (insn >> 13) {
	case 0: /* C.SLLI; a shift by 32 or more belongs to RV64 */
		return insn & 0x1000 ? 0 : enc_i(RV32_OP_IMM, rs2, rd, 1, rd);
	case 2: /* C.LWSP: uimm[5], then uimm[4:2 | 7:6] */
		imm = field(insn, 12, 12, 5) | field(insn, 6, 4, 2) | field(insn, 3, 2, 6);
		return rd ? enc_i(RV32_OP_LOAD, imm, 2, 2, rd) : 0;
	case 4:
		return expand_jr_mv_add(insn);
	case 6: /* C.SWSP: uimm[5:2 | 7:6] */
		return enc_sw(field(insn, 12, 9, 2) | field(insn, 8, 7, 6), rs2, 2);
	default: /* floating point */
		return 0;
	}
}

u32 rv32_expand(u16 insn)
{
	switch (insn & 3) {
	case 0:
		return expand_quadrant0(insn);
	case 1:
		return expand_quadrant1(insn);
	case 2:
		return expand_quadrant2(insn);
	default:
		return 0; /* the first half of a 32-bit instruction */
	}
}
