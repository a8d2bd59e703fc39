// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The RV32 core, compressed instructions: each form against the 32-bit
 * instruction that the specification says it is (both written by the encoders
 * of tests/rv32/rv32_asm.h), every reserved encoding, and a count of the legal
 * ones over all 49,152.
 */
#include "emulator/rv32/internal.h"
#include "tests/rv32/rv32_machine.h"
#include "tests/tap.h"

static const struct {
	const char *name;
	u16 insn;
	u32 expansion;
} expansions[] = {
	{ "c.addi4spn smallest", C_ADDI4SPN(S0, 4), ADDI(S0, SP, 4) },
	{ "c.addi4spn largest", C_ADDI4SPN(A5, 1020), ADDI(A5, SP, 1020) },
	{ "c.addi4spn 8", C_ADDI4SPN(A0, 8), ADDI(A0, SP, 8) },
	{ "c.addi4spn 16", C_ADDI4SPN(A0, 16), ADDI(A0, SP, 16) },
	{ "c.addi4spn 64", C_ADDI4SPN(A0, 64), ADDI(A0, SP, 64) },
	{ "c.lw", C_LW(S0, A5, 0), LW(S0, A5, 0) },
	{ "c.lw 4", C_LW(A5, S0, 4), LW(A5, S0, 4) },
	{ "c.lw 64", C_LW(A5, S0, 64), LW(A5, S0, 64) },
	{ "c.lw largest", C_LW(A2, A1, 124), LW(A2, A1, 124) },
	{ "c.sw", C_SW(S0, A5, 4), SW(S0, A5, 4) },
	{ "c.sw 72", C_SW(A3, A4, 72), SW(A3, A4, 72) },
	{ "c.sw largest", C_SW(A2, A1, 124), SW(A2, A1, 124) },

	{ "c.nop", C_ADDI(ZERO, 0), ADDI(ZERO, ZERO, 0) },
	{ "c.nop hint", C_ADDI(ZERO, 5), ADDI(ZERO, ZERO, 5) },
	{ "c.addi", C_ADDI(T6, 31), ADDI(T6, T6, 31) },
	{ "c.addi smallest", C_ADDI(A0, -32), ADDI(A0, A0, -32) },
	{ "c.addi hint", C_ADDI(A0, 0), ADDI(A0, A0, 0) },
	{ "c.jal", C_JAL(2046), JAL(RA, 2046) },
	{ "c.jal backwards", C_JAL(-2048), JAL(RA, -2048) },
	{ "c.li", C_LI(T6, -1), ADDI(T6, ZERO, -1) },
	{ "c.li largest", C_LI(A0, 31), ADDI(A0, ZERO, 31) },
	{ "c.li hint", C_LI(ZERO, 1), ADDI(ZERO, ZERO, 1) },
	{ "c.addi16sp", C_ADDI16SP(16), ADDI(SP, SP, 16) },
	{ "c.addi16sp 32", C_ADDI16SP(32), ADDI(SP, SP, 32) },
	{ "c.addi16sp 64", C_ADDI16SP(64), ADDI(SP, SP, 64) },
	{ "c.addi16sp largest", C_ADDI16SP(496), ADDI(SP, SP, 496) },
	{ "c.addi16sp smallest", C_ADDI16SP(-512), ADDI(SP, SP, -512) },
	{ "c.lui", C_LUI(A0, 1), LUI(A0, 1) },
	{ "c.lui negative", C_LUI(RA, -32), LUI(RA, 0xfffe0) },
	{ "c.lui hint", C_LUI(ZERO, 31), LUI(ZERO, 31) },
	{ "c.srli", C_SRLI(A5, 31), SRLI(A5, A5, 31) },
	{ "c.srli hint", C_SRLI(S0, 0), SRLI(S0, S0, 0) },
	{ "c.srai", C_SRAI(A5, 31), SRAI(A5, A5, 31) },
	{ "c.srai 1", C_SRAI(S0, 1), SRAI(S0, S0, 1) },
	{ "c.andi", C_ANDI(S1, 31), ANDI(S1, S1, 31) },
	{ "c.andi negative", C_ANDI(S1, -32), ANDI(S1, S1, -32) },
	{ "c.sub", C_SUB(S0, A5), SUB(S0, S0, A5) },
	{ "c.xor", C_XOR(S1, A4), XOR(S1, S1, A4) },
	{ "c.or", C_OR(A0, A3), OR(A0, A0, A3) },
	{ "c.and", C_AND(A1, A2), AND(A1, A1, A2) },
	{ "c.j", C_J(2046), JAL(ZERO, 2046) },
	{ "c.j backwards", C_J(-2048), JAL(ZERO, -2048) },
	{ "c.beqz", C_BEQZ(S0, 254), BEQ(S0, ZERO, 254) },
	{ "c.beqz backwards", C_BEQZ(A5, -256), BEQ(A5, ZERO, -256) },
	{ "c.bnez", C_BNEZ(S0, 254), BNE(S0, ZERO, 254) },
	{ "c.bnez backwards", C_BNEZ(A5, -256), BNE(A5, ZERO, -256) },

	{ "c.slli", C_SLLI(T6, 31), SLLI(T6, T6, 31) },
	{ "c.slli hint", C_SLLI(ZERO, 1), SLLI(ZERO, ZERO, 1) },
	{ "c.lwsp", C_LWSP(T6, 0), LW(T6, SP, 0) },
	{ "c.lwsp largest", C_LWSP(RA, 252), LW(RA, SP, 252) },
	{ "c.jr", C_JR(RA), JALR(ZERO, RA, 0) },
	{ "c.jr t6", C_JR(T6), JALR(ZERO, T6, 0) },
	{ "c.mv", C_MV(A0, T6), ADD(A0, ZERO, T6) },
	{ "c.mv hint", C_MV(ZERO, T6), ADD(ZERO, ZERO, T6) },
	{ "c.ebreak", C_EBREAK, EBREAK },
	{ "c.jalr", C_JALR(T6), JALR(RA, T6, 0) },
	{ "c.add", C_ADD(A0, T6), ADD(A0, A0, T6) },
	{ "c.add hint", C_ADD(ZERO, A0), ADD(ZERO, ZERO, A0) },
	{ "c.swsp", C_SWSP(T6, 0), SW(T6, SP, 0) },
	{ "c.swsp largest", C_SWSP(ZERO, 252), SW(ZERO, SP, 252) },
};

/* Every bit of each scattered immediate alone. */
static void test_immediate_bits(void)
{
	bool j = true, branch = true, spn = true, word = true, lwsp = true, sp16 = true;

	for (u32 bit = 1; bit < 12; bit++)
		j &= rv32_expand(C_J(1u << bit)) == JAL(ZERO, bit == 11 ? -2048 : 1 << bit);
	tap_ok(j, "c.j: each bit of the offset");
	for (u32 bit = 1; bit < 9; bit++)
		branch &= rv32_expand(C_BNEZ(A0, 1u << bit)) ==
			  BNE(A0, ZERO, bit == 8 ? -256 : 1 << bit);
	tap_ok(branch, "c.bnez: each bit of the offset");
	for (u32 bit = 2; bit < 10; bit++)
		spn &= rv32_expand(C_ADDI4SPN(A0, 1u << bit)) == ADDI(A0, SP, 1 << bit);
	tap_ok(spn, "c.addi4spn: each bit of the immediate");
	for (u32 bit = 2; bit < 7; bit++)
		word &= rv32_expand(C_LW(A0, A1, 1u << bit)) == LW(A0, A1, 1 << bit) &&
			rv32_expand(C_SW(A0, A1, 1u << bit)) == SW(A0, A1, 1 << bit);
	tap_ok(word, "c.lw, c.sw: each bit of the offset");
	for (u32 bit = 2; bit < 8; bit++)
		lwsp &= rv32_expand(C_LWSP(A0, 1u << bit)) == LW(A0, SP, 1 << bit) &&
			rv32_expand(C_SWSP(A0, 1u << bit)) == SW(A0, SP, 1 << bit);
	tap_ok(lwsp, "c.lwsp, c.swsp: each bit of the offset");
	for (u32 bit = 4; bit < 10; bit++)
		sp16 &= rv32_expand(C_ADDI16SP(1u << bit)) ==
			ADDI(SP, SP, bit == 9 ? -512 : 1 << bit);
	tap_ok(sp16, "c.addi16sp: each bit of the immediate");
}

/* Reserved for the standard, or of RV64 or of absent extensions. */
static void test_reserved(void)
{
	static const struct {
		const char *name;
		u16 insn;
	} cases[] = {
		{ "the all-zero halfword", 0 },
		{ "c.addi4spn by 0", C_ADDI4SPN(A0, 0) },
		{ "c.fld", 1 << 13 },
		{ "c.flw", 3 << 13 },
		{ "quadrant 0, funct3 4", 4 << 13 },
		{ "c.fsd", 5 << 13 },
		{ "c.fsw", 7 << 13 },
		{ "c.addi16sp by 0", C_ADDI16SP(0) },
		{ "c.lui by 0", C_LUI(A0, 0) },
		{ "c.lui x0 by 0", C_LUI(ZERO, 0) },
		{ "c.srli by 32", C_SRLI(A0, 32) },
		{ "c.srai by 33", C_SRAI(A0, 33) },
		{ "c.subw", C_SUB(A0, A1) | 1 << 12 },
		{ "c.addw", C_XOR(A0, A1) | 1 << 12 },
		{ "misc-alu 1, 2", C_OR(A0, A1) | 1 << 12 },
		{ "misc-alu 1, 3", C_AND(A0, A1) | 1 << 12 },
		{ "c.slli by 32", C_SLLI(A0, 32) },
		{ "c.fldsp", (1 << 13) | 2 },
		{ "c.lwsp to x0", C_LWSP(ZERO, 4) },
		{ "c.flwsp", (3 << 13) | 2 },
		{ "c.jr x0", C_JR(ZERO) },
		{ "c.fsdsp", (5 << 13) | 2 },
		{ "c.fswsp", (7 << 13) | 2 },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		machine_init(&m, 0);
		machine_put32(&m, 0, cases[i].insn | 0xffff0000);
		rv32_run(&m.core, 1);
		tap_ok(m.core.mcause == RV32_ILLEGAL && m.core.mtval == cases[i].insn &&
			       m.core.mepc == TCM_BASE,
		       "illegal: %s", cases[i].name);
	}
}

/* How many of the 2048 encodings of each quadrant and funct3 are legal. */
static void test_counts(void)
{
	static const u32 legal[3][8] = {
		/* addi4spn but imm 0; lw; sw */
		{ 2048 - 8, 0, 2048, 0, 0, 0, 2048, 0 },
		/* lui/addi16sp but imm 0: 32; shifts 2 * 256, andi 512, arithmetic 256 */
		{ 2048, 2048, 2048, 2048 - 32, 2 * 256 + 512 + 256, 2048, 2048, 2048 },
		/* slli by less than 32; lwsp but rd 0; all but jr x0; swsp */
		{ 1024, 0, 2048 - 64, 0, 2048 - 1, 0, 2048, 0 },
	};
	bool pass = true;

	for (u32 quadrant = 0; quadrant < 3; quadrant++) {
		for (u32 funct3 = 0; funct3 < 8; funct3++) {
			u32 count = 0;

			for (u32 i = 0; i < 2048; i++)
				count += rv32_expand(funct3 << 13 | i << 2 | quadrant) != 0;
			if (count != legal[quadrant][funct3]) {
				printf("# quadrant %u funct3 %u: %u legal, expected %u\n", quadrant,
				       funct3, count, legal[quadrant][funct3]);
				pass = false;
			}
		}
	}
	tap_ok(pass, "as many legal encodings as the specification lists");
}

/* What differs from the expansion: the length, seen in pc and link. */
static void test_execution(void)
{
	struct machine m;

	machine_init(&m, 2);
	machine_put16(&m, 2, C_LI(A0, -5));
	rv32_run(&m.core, 1);
	tap_ok(m.core.x[A0] == (u32)-5 && m.core.pc == TCM_BASE + 4,
	       "a compressed instruction takes two bytes");

	machine_init(&m, 2);
	machine_put16(&m, 2, C_JAL(0x10));
	rv32_run(&m.core, 1);
	tap_ok(m.core.x[RA] == TCM_BASE + 4 && m.core.pc == TCM_BASE + 0x12,
	       "c.jal links to the instruction two bytes on");

	machine_init(&m, 2);
	machine_put16(&m, 2, C_JALR(RA));
	m.core.x[RA] = TCM_BASE + 0x21;
	rv32_run(&m.core, 1);
	tap_ok(m.core.x[RA] == TCM_BASE + 4 && m.core.pc == TCM_BASE + 0x20,
	       "c.jalr ra jumps to the old ra");

	machine_init(&m, 2);
	machine_put16(&m, 2, C_BEQZ(A0, -2));
	rv32_run(&m.core, 1);
	tap_eq(m.core.pc, TCM_BASE, "a branch is relative to its own address");

	machine_init(&m, 2);
	machine_put32(&m, 2, ADDI(A0, ZERO, 9));
	rv32_run(&m.core, 1);
	tap_ok(m.core.x[A0] == 9 && m.core.pc == TCM_BASE + 6,
	       "a 32-bit instruction may start at any halfword");

	machine_init(&m, 0);
	machine_put16(&m, 0, C_EBREAK);
	rv32_run(&m.core, 1);
	tap_eq(m.core.mcause, RV32_BREAKPOINT, "c.ebreak is a breakpoint");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(expansions); i++) {
		u32 got = rv32_expand(expansions[i].insn);

		if (!tap_ok(got == expansions[i].expansion, "%s", expansions[i].name))
			printf("# %#06x is %#010x, expected %#010x\n", expansions[i].insn, got,
			       expansions[i].expansion);
	}
	test_immediate_bits();
	test_reserved();
	test_counts();
	test_execution();
	return tap_done();
}
