// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The RV32 core, 32-bit instructions: every instruction of I and M with its
 * edge cases, and every encoding beside them that must be refused.
 * Compressed forms: emulator_rv32_compressed_test.c; traps, interrupts and
 * CSRs: emulator_rv32_trap_test.c.
 */
#include "tests/rv32/rv32_machine.h"
#include "tests/tap.h"

/* One instruction on A1 and A2, result in A0 (which holds 0x5a5a5a5a before). */
struct alu_case {
	const char *name;
	u32 insn, a1, a2, a0;
};

static const struct alu_case alu_cases[] = {
	{ "lui", LUI(A0, 0xfffff), 0, 0, 0xfffff000 },
	{ "auipc", AUIPC(A0, 0x12345), 0, 0, TCM_BASE + 0x12345000 },
	{ "auipc wraps", AUIPC(A0, 0xfffff), 0, 0, TCM_BASE - 0x1000 },
	{ "addi", ADDI(A0, A1, 2047), 1, 0, 2048 },
	{ "addi negative", ADDI(A0, A1, -2048), 0, 0, 0xfffff800 },
	{ "addi wraps", ADDI(A0, A1, 1), 0xffffffff, 0, 0 },
	{ "slti less", SLTI(A0, A1, -1), 0x80000000, 0, 1 },
	{ "slti equal", SLTI(A0, A1, -1), 0xffffffff, 0, 0 },
	{ "slti greater", SLTI(A0, A1, -1), 0, 0, 0 },
	{ "sltiu sign-extends, then compares unsigned", SLTIU(A0, A1, -1), 0xfffffffe, 0, 1 },
	{ "sltiu equal", SLTIU(A0, A1, -1), 0xffffffff, 0, 0 },
	{ "sltiu 1 is seqz", SLTIU(A0, A1, 1), 0, 0, 1 },
	{ "xori", XORI(A0, A1, -1), 0x0f0f1234, 0, 0xf0f0edcb },
	{ "ori", ORI(A0, A1, -2048), 0x12, 0, 0xfffff812 },
	{ "andi", ANDI(A0, A1, 0x7f0), 0xffffffff, 0, 0x7f0 },
	{ "slli 0", SLLI(A0, A1, 0), 0x80000001, 0, 0x80000001 },
	{ "slli 31", SLLI(A0, A1, 31), 3, 0, 0x80000000 },
	{ "srli 31", SRLI(A0, A1, 31), 0x80000000, 0, 1 },
	{ "srli fills with zero", SRLI(A0, A1, 4), 0xf0000000, 0, 0x0f000000 },
	{ "srai fills with the sign", SRAI(A0, A1, 4), 0xf0000000, 0, 0xff000000 },
	{ "srai 31", SRAI(A0, A1, 31), 0x80000000, 0, 0xffffffff },
	{ "srai positive", SRAI(A0, A1, 30), 0x7fffffff, 0, 1 },
	{ "add", ADD(A0, A1, A2), 0x7fffffff, 1, 0x80000000 },
	{ "sub", SUB(A0, A1, A2), 0, 1, 0xffffffff },
	{ "sll by 33 is by 1", SLL(A0, A1, A2), 1, 33, 2 },
	{ "sll by 0xffffffff is by 31", SLL(A0, A1, A2), 1, 0xffffffff, 0x80000000 },
	{ "srl by 32 is by 0", SRL(A0, A1, A2), 0x80000000, 32, 0x80000000 },
	{ "srl by 36 is by 4", SRL(A0, A1, A2), 0x80000000, 36, 0x08000000 },
	{ "sra by 63 is by 31", SRA(A0, A1, A2), 0x80000000, 63, 0xffffffff },
	{ "sra by 36 is by 4", SRA(A0, A1, A2), 0x80000000, 36, 0xf8000000 },
	{ "slt less", SLT(A0, A1, A2), 0x80000000, 0x7fffffff, 1 },
	{ "slt not less", SLT(A0, A1, A2), 0x7fffffff, 0x80000000, 0 },
	{ "slt equal", SLT(A0, A1, A2), 5, 5, 0 },
	{ "sltu less", SLTU(A0, A1, A2), 0x7fffffff, 0x80000000, 1 },
	{ "sltu not less", SLTU(A0, A1, A2), 0x80000000, 0x7fffffff, 0 },
	{ "xor", XOR(A0, A1, A2), 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0 },
	{ "or", OR(A0, A1, A2), 0xff00ff00, 0x0ff00ff0, 0xfff0fff0 },
	{ "and", AND(A0, A1, A2), 0xff00ff00, 0x0ff00ff0, 0x0f000f00 },
	{ "rd may be rs1 and rs2", ADD(A0, A0, A0), 0, 0, 0xb4b4b4b4 },
	{ "fence", FENCE, 0, 0, 0x5a5a5a5a },
	{ "fence ignores reserved fields", 0xfff0000f | A1 << 15 | A0 << 7, 0, 0, 0x5a5a5a5a },
	{ "fence.i", FENCE_I, 0, 0, 0x5a5a5a5a },

	{ "mul keeps the low half", MUL(A0, A1, A2), 0x80000001, 0xffffffff, 0x7fffffff },
	{ "mulh -1 * -1", MULH(A0, A1, A2), 0xffffffff, 0xffffffff, 0 },
	{ "mulh most negative squared", MULH(A0, A1, A2), 0x80000000, 0x80000000, 0x40000000 },
	{ "mulh mixed signs", MULH(A0, A1, A2), 0x80000000, 0x7fffffff, 0xc0000000 },
	{ "mulhsu -1 * 2^32-1", MULHSU(A0, A1, A2), 0xffffffff, 0xffffffff, 0xffffffff },
	{ "mulhsu most negative", MULHSU(A0, A1, A2), 0x80000000, 0xffffffff, 0x80000000 },
	{ "mulhsu second is unsigned", MULHSU(A0, A1, A2), 1, 0x80000000, 0 },
	{ "mulhsu first is signed", MULHSU(A0, A1, A2), 0x80000000, 1, 0xffffffff },
	{ "mulhu largest squared", MULHU(A0, A1, A2), 0xffffffff, 0xffffffff, 0xfffffffe },
	{ "div truncates towards zero", DIV(A0, A1, A2), -7, 2, -3 },
	{ "div negative divisor", DIV(A0, A1, A2), 7, -2, -3 },
	{ "div by zero", DIV(A0, A1, A2), 7, 0, 0xffffffff },
	{ "div overflow", DIV(A0, A1, A2), 0x80000000, 0xffffffff, 0x80000000 },
	{ "divu", DIVU(A0, A1, A2), 0xfffffff9, 2, 0x7ffffffc },
	{ "divu by zero", DIVU(A0, A1, A2), 7, 0, 0xffffffff },
	{ "divu has no overflow", DIVU(A0, A1, A2), 0x80000000, 0xffffffff, 0 },
	{ "rem has the dividend's sign", REM(A0, A1, A2), -7, 2, -1 },
	{ "rem positive dividend", REM(A0, A1, A2), 7, -2, 1 },
	{ "rem by zero", REM(A0, A1, A2), -7, 0, -7 },
	{ "rem overflow", REM(A0, A1, A2), 0x80000000, 0xffffffff, 0 },
	{ "remu", REMU(A0, A1, A2), 0xfffffff9, 2, 1 },
	{ "remu by zero", REMU(A0, A1, A2), 0xfffffff9, 0, 0xfffffff9 },
};

static void test_alu(void)
{
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(alu_cases); i++) {
		const struct alu_case *c = &alu_cases[i];

		machine_init(&m, 0);
		machine_put32(&m, 0, c->insn);
		m.core.x[A0] = 0x5a5a5a5a;
		m.core.x[A1] = c->a1;
		m.core.x[A2] = c->a2;
		rv32_run(&m.core, 1);
		if (!tap_ok(m.core.x[A0] == c->a0 && m.core.pc == TCM_BASE + 4, "%s", c->name))
			printf("# a0 %#x, expected %#x; pc %#x\n", m.core.x[A0], c->a0, m.core.pc);
	}
}

static void test_x0(void)
{
	static const u32 writers[] = {
		LUI(ZERO, 1),	   AUIPC(ZERO, 1),    ADDI(ZERO, A1, 1),
		ADD(ZERO, A1, A1), MUL(ZERO, A1, A1), LW(ZERO, SP, 0),
		JAL(ZERO, 4),	   JALR(ZERO, A2, 0), CSRRS(ZERO, 0x301, ZERO),
	};
	struct machine m;
	bool pass = true;

	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		machine_init(&m, 0);
		machine_put32(&m, 0, writers[i]);
		m.core.x[A1] = 3;
		m.core.x[A2] = TCM_BASE + 4;
		m.core.x[SP] = TCM_BASE;
		rv32_run(&m.core, 1);
		pass &= m.core.x[0] == 0 && m.core.pc == TCM_BASE + 4;
	}
	tap_ok(pass, "x0 stays zero whatever writes it");
}

/* A branch on A1, A2: taken to pc + offset or not. */
static void test_branches(void)
{
	static const struct {
		const char *name;
		u32 insn, a1, a2;
		s32 moved;
	} cases[] = {
		{ "beq taken", BEQ(A1, A2, 4094), 7, 7, 4094 },
		{ "beq not taken", BEQ(A1, A2, 4094), 7, 8, 4 },
		{ "bne taken backwards", BNE(A1, A2, -4096), 7, 8, -4096 },
		{ "bne not taken", BNE(A1, A2, -4096), 7, 7, 4 },
		{ "blt taken", BLT(A1, A2, 8), 0xffffffff, 0, 8 },
		{ "blt not taken", BLT(A1, A2, 8), 0, 0xffffffff, 4 },
		{ "blt equal", BLT(A1, A2, 8), 1, 1, 4 },
		{ "bge taken", BGE(A1, A2, -2), 0, 0xffffffff, -2 },
		{ "bge equal", BGE(A1, A2, 2048), 1, 1, 2048 },
		{ "bge not taken", BGE(A1, A2, 2048), 0x80000000, 1, 4 },
		{ "bltu taken", BLTU(A1, A2, 16), 0, 0xffffffff, 16 },
		{ "bltu not taken", BLTU(A1, A2, 16), 0xffffffff, 0, 4 },
		{ "bgeu taken", BGEU(A1, A2, 32), 0xffffffff, 0, 32 },
		{ "bgeu equal", BGEU(A1, A2, 64), 9, 9, 64 },
		{ "bgeu not taken", BGEU(A1, A2, 64), 0, 0xffffffff, 4 },
		{ "jal forwards", JAL(ZERO, 0xffffe), 0, 0, 0xffffe },
		{ "jal backwards", JAL(ZERO, -0x100000), 0, 0, -0x100000 },
		{ "jal every bit of the offset", JAL(ZERO, 0x5a5a6), 0, 0, 0x5a5a6 },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		u32 start = TCM_BASE + 8;

		machine_init(&m, 8);
		machine_put32(&m, 8, cases[i].insn);
		m.core.x[A1] = cases[i].a1;
		m.core.x[A2] = cases[i].a2;
		rv32_run(&m.core, 1);
		tap_eq(m.core.pc, start + (u32)cases[i].moved, cases[i].name);
	}
}

static void test_jalr(void)
{
	struct machine m;

	machine_init(&m, 0);
	machine_put32(&m, 0, JALR(A0, A1, -3));
	m.core.x[A1] = TCM_BASE + 0x104;
	rv32_run(&m.core, 1);
	tap_eq(m.core.pc, TCM_BASE + 0x100, "jalr clears bit 0 of the sum");
	tap_eq(m.core.x[A0], TCM_BASE + 4, "jalr links");

	machine_init(&m, 0);
	machine_put32(&m, 0, JALR(RA, RA, 0));
	m.core.x[RA] = TCM_BASE + 0x40;
	rv32_run(&m.core, 1);
	tap_eq(m.core.pc, TCM_BASE + 0x40, "jalr reads rs1 before it writes rd");
	tap_eq(m.core.x[RA], TCM_BASE + 4, "and rd gets the link");

	machine_init(&m, 0);
	machine_put32(&m, 0, JAL(RA, 0x20));
	rv32_run(&m.core, 1);
	tap_eq(m.core.x[RA], TCM_BASE + 4, "jal links");
}

static void test_loads_and_stores(void)
{
	static const struct {
		const char *name;
		u32 insn, a0;
	} loads[] = {
		{ "lb sign-extends", LB(A0, SP, 3), 0xffffff80 },
		{ "lbu zero-extends", LBU(A0, SP, 3), 0x80 },
		{ "lh sign-extends", LH(A0, SP, 2), 0xffff80c1 },
		{ "lhu zero-extends", LHU(A0, SP, 2), 0x80c1 },
		{ "lw is little endian", LW(A0, SP, 0), 0x80c17f34 },
		{ "lb positive", LB(A0, SP, 1), 0x7f },
		{ "lh positive, negative offset", LH(A0, SP, -2048), 0x7ffe },
	};
	static const struct {
		const char *name;
		u32 insn, word;
	} stores[] = {
		{ "sb writes one byte", SB(A1, SP, 1), 0x80c1ef34 },
		{ "sh writes two bytes", SH(A1, SP, 2), 0xbeef7f34 },
		{ "sw writes four bytes", SW(A1, SP, 0), 0xdeadbeef },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
		machine_init(&m, 0);
		machine_put32(&m, 0, loads[i].insn);
		machine_put32(&m, 0xa00, 0x80c17f34);
		machine_put32(&m, 0x200, 0x7ffe);
		m.core.x[SP] = TCM_BASE + 0xa00;
		rv32_run(&m.core, 1);
		tap_eq(m.core.x[A0], loads[i].a0, loads[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
		machine_init(&m, 0);
		machine_put32(&m, 0, stores[i].insn);
		machine_put32(&m, 0x9fc, 0x11111111);
		machine_put32(&m, 0xa00, 0x80c17f34);
		machine_put32(&m, 0xa04, 0x22222222);
		m.core.x[SP] = TCM_BASE + 0xa00;
		m.core.x[A1] = 0xdeadbeef;
		rv32_run(&m.core, 1);
		tap_ok(machine_get32(&m, 0xa00) == stores[i].word &&
			       machine_get32(&m, 0x9fc) == 0x11111111 &&
			       machine_get32(&m, 0xa04) == 0x22222222,
		       "%s", stores[i].name);
	}
	machine_init(&m, 0);
	machine_put32(&m, 0, SW(A1, SP, -2048));
	m.core.x[SP] = TCM_BASE + 0xa00;
	m.core.x[A1] = 77;
	rv32_run(&m.core, 1);
	tap_eq(machine_get32(&m, 0x200), 77, "store with a negative offset");
}

static void test_code_is_memory(void)
{
	struct machine m;

	machine_init(&m, 0);
	machine_put32(&m, 0, SW(A1, SP, 4));
	machine_put32(&m, 4, ADDI(A0, ZERO, 1));
	m.core.x[SP] = TCM_BASE;
	m.core.x[A1] = ADDI(A0, ZERO, 2);
	rv32_run(&m.core, 2);
	tap_eq(m.core.x[A0], 2, "a stored instruction is the one executed next");
}

static void test_bus(void)
{
	struct machine m;

	machine_init(&m, 0);
	machine_put32(&m, 0, LB(A0, GP, 1));
	machine_put32(&m, 4, LHU(A1, GP, 2));
	machine_put32(&m, 8, SB(A2, GP, 3));
	machine_put32(&m, 12, SW(A2, GP, 4));
	m.core.x[GP] = BUS_BASE;
	m.core.x[A2] = 0x12345678;
	m.bus[0] = 0xabcd9f00;
	rv32_run(&m.core, 2);
	tap_eq(m.core.x[A0], 0xffffff9f, "lb from the bus sign-extends");
	tap_eq(m.bus_last_size, 2, "the bus sees the size of a load");
	tap_eq(m.bus_last_addr, BUS_BASE + 2, "the bus sees the address of a load");
	tap_eq(m.core.x[A1], 0xabcd, "lhu from the bus");
	rv32_run(&m.core, 1);
	tap_ok(m.bus_last_size == 1 && m.bus_last_addr == BUS_BASE + 3 && m.bus_last_val == 0x78,
	       "sb gives the bus one byte");
	rv32_run(&m.core, 1);
	tap_eq(m.bus[1], 0x12345678, "sw to the bus");
}

/* Encodings next to legal ones. */
static void test_illegal(void)
{
	static const struct {
		const char *name;
		u32 insn;
	} cases[] = {
		{ "all zeroes", 0 },
		{ "all ones", 0xffffffff },
		{ "load funct3 3 (ld)", I_TYPE(0, SP, 3, A0, 0x03) },
		{ "load funct3 6 (lwu)", I_TYPE(0, SP, 6, A0, 0x03) },
		{ "load funct3 7", I_TYPE(0, SP, 7, A0, 0x03) },
		{ "store funct3 3 (sd)", S_TYPE(0, A0, SP, 3, 0x23) },
		{ "store funct3 7", S_TYPE(0, A0, SP, 7, 0x23) },
		{ "branch funct3 2", B_TYPE(8, A0, A1, 2, 0x63) },
		{ "branch funct3 3", B_TYPE(8, A0, A1, 3, 0x63) },
		{ "jalr funct3 1", I_TYPE(0, SP, 1, A0, 0x67) },
		{ "slli by 32", R_TYPE(1, 0, A1, 1, A0, 0x13) },
		{ "slli with srai's funct7", R_TYPE(0x20, 0, A1, 1, A0, 0x13) },
		{ "srli by 32", R_TYPE(1, 0, A1, 5, A0, 0x13) },
		{ "srli with funct7 0x40", R_TYPE(0x40, 0, A1, 5, A0, 0x13) },
		{ "srai by 32", R_TYPE(0x21, 0, A1, 5, A0, 0x13) },
		{ "op funct7 0x20, funct3 1", R_TYPE(0x20, A2, A1, 1, A0, 0x33) },
		{ "op funct7 0x20, funct3 7", R_TYPE(0x20, A2, A1, 7, A0, 0x33) },
		{ "op funct7 2", R_TYPE(2, A2, A1, 0, A0, 0x33) },
		{ "op funct7 0x40", R_TYPE(0x40, A2, A1, 0, A0, 0x33) },
		{ "op-32 (addw)", R_TYPE(0, A2, A1, 0, A0, 0x3b) },
		{ "op-imm-32 (addiw)", I_TYPE(0, A1, 0, A0, 0x1b) },
		{ "amo (lr.w)", R_TYPE(8, 0, A1, 2, A0, 0x2f) },
		{ "load-fp (flw)", I_TYPE(0, A1, 2, A0, 0x07) },
		{ "op-fp", R_TYPE(0, A2, A1, 0, A0, 0x53) },
		{ "misc-mem funct3 2", I_TYPE(0, 0, 2, 0, 0x0f) },
		{ "system funct3 4", I_TYPE(0, 0, 4, 0, 0x73) },
		{ "ecall with rd", ECALL | A0 << 7 },
		{ "mret with rs1", MRET | A0 << 15 },
		{ "sret", 0x10200073 },
		{ "uret", 0x00200073 },
		{ "sfence.vma", 0x12000073 },
		{ "wfi with rd", WFI | A0 << 7 },
		{ "48-bit instruction prefix", 0x1f },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		u32 tval = (cases[i].insn & 3) == 3 ? cases[i].insn : cases[i].insn & 0xffff;

		machine_init(&m, 0);
		machine_put32(&m, 0, cases[i].insn);
		m.core.x[A0] = m.core.x[A1] = m.core.x[SP] = TCM_BASE + 0x100;
		rv32_run(&m.core, 1);
		tap_ok(m.core.mcause == RV32_ILLEGAL && m.core.mtval == tval &&
			       m.core.mepc == TCM_BASE && m.core.x[A0] == TCM_BASE + 0x100,
		       "illegal: %s", cases[i].name);
	}
}

int main(void)
{
	test_alu();
	test_x0();
	test_branches();
	test_jalr();
	test_loads_and_stores();
	test_code_is_memory();
	test_bus();
	test_illegal();
	return tap_done();
}
