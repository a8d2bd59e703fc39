// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The RV32 core, machine mode: exceptions and their mepc and mtval, interrupts
 * and their order, WFI, CSRs and their legal values, counters, and what
 * rv32_run() returns.
 */
#include "tests/rv32/rv32_machine.h"
#include "tests/tap.h"

enum {
	MSTATUS = 0x300,
	MISA = 0x301,
	MIE = 0x304,
	MTVEC = 0x305,
	MSTATUSH = 0x310,
	MSCRATCH = 0x340,
	MEPC = 0x341,
	MCAUSE = 0x342,
	MTVAL = 0x343,
	MIP = 0x344,
	MCYCLE = 0xb00,
	MINSTRET = 0xb02,
	MHPMCOUNTER3 = 0xb03,
	MCYCLEH = 0xb80,
	MINSTRETH = 0xb82,
	MVENDORID = 0xf11,
	MHARTID = 0xf14,
};

#define HANDLER (TCM_BASE + 0x800)
#define MIE_BIT 8u
#define MPIE_BIT 0x80u
#define MPP_BITS 0x1800u

static const struct {
	enum rv32_irq irq;
	const char *name;
} irqs[] = {
	/* most urgent first */
	{ RV32_IRQ_EXTERNAL, "external" },
	{ RV32_IRQ_SOFTWARE, "software" },
	{ RV32_IRQ_TIMER, "timer" },
};

/* Runs "csrr a0, csr" at the current pc. */
static u32 csr_get(struct machine *m, u32 csr)
{
	machine_put32(m, m->core.pc - TCM_BASE, CSRRS(A0, csr, ZERO));
	rv32_run(&m->core, 1);
	return m->core.x[A0];
}

/* Runs "csrw csr, a0" at the current pc. */
static void csr_set(struct machine *m, u32 csr, u32 val)
{
	machine_put32(m, m->core.pc - TCM_BASE, CSRRW(ZERO, csr, A0));
	m->core.x[A0] = val;
	rv32_run(&m->core, 1);
}

static void test_exceptions(void)
{
	static const struct {
		const char *name;
		u32 insn, a1, cause, tval;
	} cases[] = {
		{ "ecall", ECALL, 0, RV32_ECALL, 0 },
		{ "ebreak", EBREAK, 0, RV32_BREAKPOINT, TCM_BASE + 8 },
		{ "lw misaligned by 1", LW(A0, A1, 0), TCM_BASE + 1, RV32_LOAD_MISALIGNED,
		  TCM_BASE + 1 },
		{ "lw misaligned by 2", LW(A0, A1, 2), TCM_BASE, RV32_LOAD_MISALIGNED,
		  TCM_BASE + 2 },
		{ "lh misaligned", LH(A0, A1, 3), TCM_BASE, RV32_LOAD_MISALIGNED, TCM_BASE + 3 },
		{ "lhu misaligned", LHU(A0, A1, 1), TCM_BASE, RV32_LOAD_MISALIGNED, TCM_BASE + 1 },
		{ "sw misaligned", SW(A0, A1, 2), TCM_BASE, RV32_STORE_MISALIGNED, TCM_BASE + 2 },
		{ "sh misaligned", SH(A0, A1, 1), TCM_BASE, RV32_STORE_MISALIGNED, TCM_BASE + 1 },
		{ "misaligned on the bus", LW(A0, A1, 2), BUS_BASE, RV32_LOAD_MISALIGNED,
		  BUS_BASE + 2 },
		{ "lb bus error", LB(A0, A1, 5), 0, RV32_LOAD_FAULT, 5 },
		{ "lw bus error after TCM", LW(A0, A1, 0), TCM_BASE + TCM_SIZE, RV32_LOAD_FAULT,
		  TCM_BASE + TCM_SIZE },
		{ "lw bus error before TCM", LW(A0, A1, -4), TCM_BASE, RV32_LOAD_FAULT,
		  TCM_BASE - 4 },
		{ "sb bus error", SB(A0, A1, 0), 0xffffffff, RV32_STORE_FAULT, 0xffffffff },
		{ "sw bus error", SW(A0, A1, 0), TCM_BASE + TCM_SIZE, RV32_STORE_FAULT,
		  TCM_BASE + TCM_SIZE },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		machine_init(&m, 0);
		csr_set(&m, MTVEC, HANDLER);
		csr_set(&m, MSTATUS, MIE_BIT);
		machine_put32(&m, 8, cases[i].insn);
		m.core.x[A0] = 0x5a5a5a5a;
		m.core.x[A1] = cases[i].a1;
		rv32_run(&m.core, 1);
		tap_ok(m.core.pc == HANDLER && m.core.mepc == TCM_BASE + 8 &&
			       m.core.mcause == cases[i].cause && m.core.mtval == cases[i].tval &&
			       m.core.x[A0] == 0x5a5a5a5a && !m.core.mie_global && m.core.mpie,
		       "exception: %s", cases[i].name);
	}
}

static void test_fetch_faults(void)
{
	struct machine m;

	machine_init(&m, 0);
	csr_set(&m, MTVEC, HANDLER);
	m.core.pc = BUS_BASE;
	rv32_run(&m.core, 1);
	tap_ok(m.core.mcause == RV32_FETCH_FAULT && m.core.mepc == BUS_BASE &&
		       m.core.mtval == BUS_BASE && m.core.pc == HANDLER,
	       "fetch outside TCM");

	machine_init(&m, TCM_SIZE - 2);
	machine_put16(&m, TCM_SIZE - 2, (u16)NOP);
	rv32_run(&m.core, 1);
	tap_ok(m.core.mcause == RV32_FETCH_FAULT && m.core.mepc == TCM_BASE + TCM_SIZE - 2 &&
		       m.core.mtval == TCM_BASE + TCM_SIZE,
	       "fetch across the end of TCM: mtval is the half that is missing");

	machine_init(&m, TCM_SIZE - 4);
	machine_put32(&m, TCM_SIZE - 4, ADDI(A0, ZERO, 9));
	rv32_run(&m.core, 1);
	tap_eq(m.core.x[A0], 9, "an instruction may be TCM's last four bytes");

	machine_init(&m, TCM_SIZE - 2);
	machine_put16(&m, TCM_SIZE - 2, C_LI(A0, 7));
	rv32_run(&m.core, 1);
	tap_eq(m.core.x[A0], 7, "a compressed instruction may be TCM's last two bytes");
}

static void test_mret(void)
{
	struct machine m;

	machine_init(&m, 0);
	csr_set(&m, MEPC, TCM_BASE + 0x401);
	csr_set(&m, MSTATUS, MPIE_BIT);
	machine_put32(&m, 8, MRET);
	rv32_run(&m.core, 1);
	tap_eq(m.core.pc, TCM_BASE + 0x400, "mret goes to mepc, whose bit 0 is always zero");
	tap_eq(csr_get(&m, MSTATUS), MPP_BITS | MPIE_BIT | MIE_BIT, "mret: MIE = MPIE, MPIE = 1");

	machine_init(&m, 0);
	csr_set(&m, MEPC, TCM_BASE + 0x400);
	csr_set(&m, MSTATUS, MIE_BIT);
	machine_put32(&m, 8, MRET);
	rv32_run(&m.core, 1);
	tap_eq(csr_get(&m, MSTATUS), MPP_BITS | MPIE_BIT, "mret with MPIE clear leaves MIE clear");
}

/* Every set of pending inputs, enabled all: the most urgent one is taken. */
static void test_interrupt_order(void)
{
	struct machine m;

	for (u32 set = 1; set < 8; set++) {
		u32 want = 0;

		machine_init(&m, 0);
		csr_set(&m, MTVEC, HANDLER | 1);
		csr_set(&m, MIE, 0xffffffff);
		machine_put32(&m, 8, CSRRSI(ZERO, MSTATUS, 8));
		rv32_run(&m.core, 1);
		for (u32 i = ARRAY_LEN(irqs); i-- > 0;) {
			rv32_set_irq(&m.core, irqs[i].irq, set & 1u << i);
			if (set & 1u << i)
				want = irqs[i].irq;
		}
		machine_put32(&m, HANDLER - TCM_BASE + 4 * want, ADDI(A1, ZERO, 1));
		rv32_run(&m.core, 1);
		tap_ok(m.core.mcause == (RV32_CAUSE_INTERRUPT | want) && m.core.x[A1] == 1 &&
			       m.core.pc == HANDLER + 4 * want + 4 && m.core.mtval == 0 &&
			       m.core.mepc == TCM_BASE + 12,
		       "vectored interrupt, pending set %u: cause %u", set, want);
	}
}

static void test_interrupt_gating(void)
{
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(irqs); i++) {
		u32 bit = 1u << irqs[i].irq;

		machine_init(&m, 0);
		rv32_set_irq(&m.core, irqs[i].irq, true);
		tap_eq(csr_get(&m, MIP), bit, "mip shows the input");
		csr_set(&m, MTVEC, HANDLER);
		csr_set(&m, MIE, ~bit);
		csr_set(&m, MSTATUS, MIE_BIT);
		machine_put32(&m, 16, NOP);
		rv32_run(&m.core, 1);
		tap_ok(m.core.pc == TCM_BASE + 20, "%s: not taken when masked in mie",
		       irqs[i].name);
		csr_set(&m, MSTATUS, 0);
		csr_set(&m, MIE, bit);
		machine_put32(&m, 28, NOP);
		rv32_run(&m.core, 1);
		tap_ok(m.core.pc == TCM_BASE + 32, "%s: not taken with mstatus.MIE clear",
		       irqs[i].name);
		csr_set(&m, MSTATUS, MIE_BIT);
		machine_put32(&m, 0x800, NOP);
		rv32_run(&m.core, 1);
		tap_ok(m.core.pc == HANDLER + 4 && m.core.mepc == TCM_BASE + 36,
		       "%s: taken before the instruction after MIE is set", irqs[i].name);
		rv32_set_irq(&m.core, irqs[i].irq, false);
		tap_eq(csr_get(&m, MIP), 0, "mip follows the input down");
	}
	machine_init(&m, 0);
	csr_set(&m, MTVEC, HANDLER);
	csr_set(&m, MIE, 1u << RV32_IRQ_TIMER);
	csr_set(&m, MSTATUS, MIE_BIT);
	machine_put32(&m, 0x800, NOP);
	rv32_set_irq(&m.core, RV32_IRQ_EXTERNAL, true);
	rv32_set_irq(&m.core, RV32_IRQ_TIMER, true);
	rv32_run(&m.core, 1);
	tap_eq(m.core.mcause, RV32_CAUSE_INTERRUPT | RV32_IRQ_TIMER,
	       "a masked one, however urgent, does not stand before an enabled one");
}

/* Direct mtvec: interrupts and exceptions at the same place. */
static void test_direct(void)
{
	struct machine m;

	machine_init(&m, 0);
	csr_set(&m, MTVEC, HANDLER | 2);
	tap_eq(csr_get(&m, MTVEC), HANDLER, "mtvec bit 1 is always zero");
	csr_set(&m, MTVEC, HANDLER | 1);
	tap_eq(csr_get(&m, MTVEC), HANDLER | 1, "mtvec vectored mode sticks");
	machine_put32(&m, 16, ECALL);
	rv32_run(&m.core, 1);
	tap_eq(m.core.pc, HANDLER, "vectored mode: exceptions go to the base");
}

static void test_wfi(void)
{
	struct rv32_result r;
	struct machine m;

	machine_init(&m, 0);
	csr_set(&m, MIE, 1u << RV32_IRQ_TIMER);
	machine_put32(&m, 4, WFI);
	machine_put32(&m, 8, ADDI(A1, A1, 1));
	rv32_set_irq(&m.core, RV32_IRQ_EXTERNAL, true);
	r = rv32_run(&m.core, 10);
	tap_ok(r.reason == RV32_WAITING && r.executed == 1,
	       "wfi waits; a masked input is no reason");
	r = rv32_run(&m.core, 10);
	tap_ok(r.reason == RV32_WAITING && r.executed == 0, "waiting costs nothing");
	rv32_set_irq(&m.core, RV32_IRQ_TIMER, true);
	r = rv32_run(&m.core, 1);
	tap_ok(r.reason == RV32_RAN && r.executed == 1 && m.core.x[A1] == 1,
	       "wfi wakes with MIE clear, and goes on without a trap");
	rv32_set_irq(&m.core, RV32_IRQ_TIMER, false);
	machine_put32(&m, 12, NOP);
	r = rv32_run(&m.core, 1);
	tap_ok(r.reason == RV32_RAN && r.executed == 1, "and does not fall back when it ends");

	machine_init(&m, 0);
	csr_set(&m, MTVEC, HANDLER);
	csr_set(&m, MIE, 1u << RV32_IRQ_TIMER);
	csr_set(&m, MSTATUS, MIE_BIT);
	machine_put32(&m, 12, WFI);
	machine_put32(&m, 0x800, MRET);
	rv32_run(&m.core, 5);
	rv32_set_irq(&m.core, RV32_IRQ_TIMER, true);
	rv32_run(&m.core, 1);
	tap_ok(m.core.mcause == (RV32_CAUSE_INTERRUPT | RV32_IRQ_TIMER) &&
		       m.core.pc == TCM_BASE + 16,
	       "an interrupt out of wfi returns behind it");

	machine_init(&m, 0);
	csr_set(&m, MIE, 1u << RV32_IRQ_SOFTWARE);
	rv32_set_irq(&m.core, RV32_IRQ_SOFTWARE, true);
	machine_put32(&m, 4, WFI);
	machine_put32(&m, 8, NOP);
	r = rv32_run(&m.core, 2);
	tap_ok(r.reason == RV32_RAN && m.core.pc == TCM_BASE + 12,
	       "wfi with an interrupt pending does not wait");
}

static void test_stop(void)
{
	struct rv32_result r;
	struct machine m;

	machine_init(&m, 0);
	machine_put32(&m, 0, JAL(ZERO, 0));
	r = rv32_run(&m.core, 1000);
	tap_ok(r.reason == RV32_RAN && r.executed == 1000, "runs as many as asked for");
	r = rv32_run(&m.core, 0);
	tap_ok(r.reason == RV32_RAN && r.executed == 0, "none asked for, none run");

	machine_init(&m, 0);
	machine_put32(&m, 0, JAL(ZERO, 0));
	rv32_stop(&m.core);
	r = rv32_run(&m.core, 1000);
	tap_ok(r.reason == RV32_STOPPED && r.executed == 0, "a stop request ends the next run");
	r = rv32_run(&m.core, 10);
	tap_ok(r.reason == RV32_RAN && r.executed == 10, "and only that one");
}

static void test_reset(void)
{
	struct machine m;

	machine_init(&m, 0);
	csr_set(&m, MIE, 0xfff);
	csr_set(&m, MSCRATCH, 5);
	rv32_set_irq(&m.core, RV32_IRQ_TIMER, true);
	rv32_stop(&m.core);
	rv32_reset(&m.core, TCM_BASE + 0x100);
	tap_ok(m.core.pc == TCM_BASE + 0x100 && m.core.x[A0] == 0 && m.core.mcycle == 0,
	       "reset clears registers and counters");
	tap_ok(rv32_run(&m.core, 1).reason == RV32_RAN, "reset drops a stop request");
	rv32_reset(&m.core, TCM_BASE + 0x100);
	tap_eq(csr_get(&m, MIE), 0, "reset clears mie");
	tap_eq(csr_get(&m, MSCRATCH), 0, "reset clears mscratch");
	tap_eq(csr_get(&m, MSTATUS), MPP_BITS, "reset clears mstatus; MPP is M");
	tap_eq(csr_get(&m, MIP), 1u << RV32_IRQ_TIMER, "reset leaves the inputs");
}

static void test_csr_values(void)
{
	static const struct {
		const char *name;
		u32 csr, written, read;
	} cases[] = {
		{ "misa is RV32IMC", MISA, 0, 0x40001104 },
		{ "mstatus keeps MIE and MPIE; MPP is M", MSTATUS, 0xffffffff & ~MIE_BIT,
		  MPP_BITS | MPIE_BIT },
		{ "mstatush is zero", MSTATUSH, 0xffffffff, 0 },
		{ "mie keeps the three", MIE, 0xffffffff, 0x888 },
		{ "mip ignores writes", MIP, 0xffffffff, 0 },
		{ "mscratch", MSCRATCH, 0xdeadbeef, 0xdeadbeef },
		{ "mepc is even", MEPC, 0xffffffff, 0xfffffffe },
		{ "mcause", MCAUSE, 0x8000000b, 0x8000000b },
		{ "mtval", MTVAL, 0x12345678, 0x12345678 },
		{ "mhpmcounter3 is zero", MHPMCOUNTER3, 7, 0 },
		{ "mhpmcounter31h is zero", 0xb9f, 7, 0 },
		{ "mhpmevent31 is zero", 0x33f, 7, 0 },
		{ "mcountinhibit is zero", 0x320, 7, 0 },
		{ "mcycleh", MCYCLEH, 9, 9 },
		{ "minstreth", MINSTRETH, 9, 9 },
	};
	static const struct {
		const char *name;
		u32 csr;
	} read_only[] = {
		{ "mvendorid", MVENDORID }, { "marchid", 0xf12 },    { "mimpid", 0xf13 },
		{ "mhartid", MHARTID },	    { "mconfigptr", 0xf15 },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		machine_init(&m, 0);
		csr_set(&m, cases[i].csr, cases[i].written);
		tap_eq(csr_get(&m, cases[i].csr), cases[i].read, cases[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++) {
		machine_init(&m, 0);
		tap_eq(csr_get(&m, read_only[i].csr), 0, read_only[i].name);
		tap_eq(m.core.mcause, 0, "which exists");
		csr_set(&m, read_only[i].csr, 1);
		tap_ok(m.core.mcause == RV32_ILLEGAL, "%s: a write is illegal", read_only[i].name);
	}
}

static void test_csr_instructions(void)
{
	static const struct {
		const char *name;
		u32 insn, after;
	} cases[] = {
		{ "csrrw", CSRRW(A1, MSCRATCH, A0), 0x0ff0 },
		{ "csrrs", CSRRS(A1, MSCRATCH, A0), 0x0ff0 | 0xff00 },
		{ "csrrc", CSRRC(A1, MSCRATCH, A0), 0xf000 },
		{ "csrrs x0", CSRRS(A1, MSCRATCH, ZERO), 0xff00 },
		{ "csrrw x0", CSRRW(A1, MSCRATCH, ZERO), 0 },
		{ "csrrwi", CSRRWI(A1, MSCRATCH, 31), 31 },
		{ "csrrsi", CSRRSI(A1, MSCRATCH, 17), 0xff11 },
		{ "csrrci", CSRRCI(A1, MSCRATCH, 31), 0xff00 },
	};
	static const struct {
		const char *name;
		u32 insn;
	} illegal[] = {
		{ "csrrs of a read-only csr with a register", CSRRS(A0, MHARTID, A1) },
		{ "csrrci of a read-only csr with 1", CSRRCI(A0, MHARTID, 1) },
		{ "csrrwi 0 of a read-only csr", CSRRWI(A0, MHARTID, 0) },
		{ "csrrw of cycle", CSRRW(A0, 0xc00, ZERO) },
		{ "sstatus does not exist", CSRRS(A0, 0x100, ZERO) },
		{ "mideleg does not exist", CSRRS(A0, 0x303, ZERO) },
		{ "mcounteren does not exist", CSRRS(A0, 0x306, ZERO) },
		{ "pmpcfg0 does not exist", CSRRS(A0, 0x3a0, ZERO) },
		{ "time does not exist", CSRRS(A0, 0xc01, ZERO) },
		{ "fcsr does not exist", CSRRS(A0, 0x003, ZERO) },
		{ "0xb01 does not exist", CSRRS(A0, 0xb01, ZERO) },
		{ "0xba0 does not exist", CSRRS(A0, 0xba0, ZERO) },
		{ "0xf16 does not exist", CSRRS(A0, 0xf16, ZERO) },
	};
	struct machine m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		machine_init(&m, 0);
		csr_set(&m, MSCRATCH, 0xff00);
		machine_put32(&m, 4, cases[i].insn);
		m.core.x[A0] = 0x0ff0;
		rv32_run(&m.core, 1);
		tap_ok(m.core.x[A1] == 0xff00 && csr_get(&m, MSCRATCH) == cases[i].after, "%s",
		       cases[i].name);
	}
	machine_init(&m, 0);
	csr_set(&m, MSCRATCH, 0xff00);
	machine_put32(&m, 4, CSRRW(A0, MSCRATCH, A0));
	m.core.x[A0] = 1;
	rv32_run(&m.core, 1);
	tap_ok(m.core.x[A0] == 0xff00 && m.core.mscratch == 1, "csrrw swaps with one register");
	for (size_t i = 0; i < ARRAY_LEN(illegal); i++) {
		machine_init(&m, 0);
		machine_put32(&m, 0, illegal[i].insn);
		m.core.x[A0] = 99;
		rv32_run(&m.core, 1);
		tap_ok(m.core.mcause == RV32_ILLEGAL && m.core.mtval == illegal[i].insn &&
			       m.core.x[A0] == 99,
		       "illegal: %s", illegal[i].name);
	}
}

static void test_counters(void)
{
	struct machine m;

	machine_init(&m, 0);
	for (u32 i = 0; i < 5; i++)
		machine_put32(&m, 4 * i, NOP);
	rv32_run(&m.core, 5);
	tap_eq(csr_get(&m, MCYCLE), 5, "mcycle counts the instructions before its reader");
	tap_eq(csr_get(&m, 0xc00), 6, "cycle is its shadow");
	tap_eq(csr_get(&m, MINSTRET), 7, "minstret too");
	csr_set(&m, MCYCLE, 0xffffffff);
	tap_eq(csr_get(&m, MCYCLE), 0xffffffff,
	       "a write of mcycle stands for the next instruction");
	tap_eq(csr_get(&m, MCYCLE), 0, "mcycle wraps");
	tap_eq(csr_get(&m, MCYCLEH), 1, "into mcycleh");
	csr_set(&m, MCYCLEH, 7);
	tap_eq(m.core.mcycle >> 32, 7, "a write of mcycleh");
	csr_set(&m, MCYCLE, 0);
	tap_eq(m.core.mcycle >> 32, 7, "a write of mcycle leaves mcycleh");

	machine_init(&m, 0);
	csr_set(&m, MTVEC, HANDLER);
	csr_set(&m, MINSTRET, 100);
	csr_set(&m, MCYCLE, 100);
	machine_put32(&m, 12, ECALL);
	rv32_run(&m.core, 1);
	tap_eq(m.core.minstret, 101, "ecall does not retire");
	tap_eq(m.core.mcycle, 101, "but takes a cycle");
	machine_put32(&m, 0x800, 0);
	machine_put32(&m, 0x804, LW(A0, ZERO, 0));
	rv32_run(&m.core, 1);
	tap_eq(m.core.minstret, 101, "nor does an illegal instruction");
	tap_eq(m.core.mcycle, 102, "which takes a cycle too");
}

int main(void)
{
	test_exceptions();
	test_fetch_faults();
	test_mret();
	test_interrupt_order();
	test_interrupt_gating();
	test_direct();
	test_wfi();
	test_stop();
	test_reset();
	test_csr_values();
	test_csr_instructions();
	test_counters();
	return tap_done();
}
