// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Machine mode of the RV32 core: control and status registers, trap entry and
 * return, after "The RISC-V Instruction Set Manual, Volume II", version 1.12.
 */
#include "emulator/rv32/internal.h"

enum csr {
	CSR_MSTATUS = 0x300,
	CSR_MISA = 0x301,
	CSR_MIE = 0x304,
	CSR_MTVEC = 0x305,
	CSR_MSTATUSH = 0x310,
	CSR_MCOUNTINHIBIT = 0x320,
	CSR_MHPMEVENT3 = 0x323,
	CSR_MHPMEVENT31 = 0x33f,
	CSR_MSCRATCH = 0x340,
	CSR_MEPC = 0x341,
	CSR_MCAUSE = 0x342,
	CSR_MTVAL = 0x343,
	CSR_MIP = 0x344,
	CSR_MCYCLE = 0xb00,
	CSR_MINSTRET = 0xb02,
	CSR_MHPMCOUNTER3 = 0xb03,
	CSR_MHPMCOUNTER31 = 0xb1f,
	CSR_MCYCLEH = 0xb80,
	CSR_MINSTRETH = 0xb82,
	CSR_MHPMCOUNTER3H = 0xb83,
	CSR_MHPMCOUNTER31H = 0xb9f,
	CSR_CYCLE = 0xc00,
	CSR_INSTRET = 0xc02,
	CSR_CYCLEH = 0xc80,
	CSR_INSTRETH = 0xc82,
	CSR_MVENDORID = 0xf11,
	CSR_MCONFIGPTR = 0xf15,
};

#define MSTATUS_MIE (1u << 3)
#define MSTATUS_MPIE (1u << 7)
#define MSTATUS_MPP (3u << 11)

/* MXL = 32 bits, extensions C, I and M. */
#define MISA (1u << 30 | 1u << ('C' - 'A') | 1u << ('I' - 'A') | 1u << ('M' - 'A'))

#define MTVEC_VECTORED 1u

/* Registers that must exist but may be zero for ever: writes are ignored. */
static bool csr_is_zero(u32 csr)
{
	return csr == CSR_MSTATUSH || csr == CSR_MCOUNTINHIBIT ||
	       (csr >= CSR_MVENDORID && csr <= CSR_MCONFIGPTR) ||
	       (csr >= CSR_MHPMEVENT3 && csr <= CSR_MHPMEVENT31) ||
	       (csr >= CSR_MHPMCOUNTER3 && csr <= CSR_MHPMCOUNTER31) ||
	       (csr >= CSR_MHPMCOUNTER3H && csr <= CSR_MHPMCOUNTER31H);
}

/*
 * The counters have already counted the instruction that reads or writes them.
 * A read returns the count before it; a written value stands after it.
 */
static u64 counter_before(u64 counter)
{
	return counter - 1;
}

static u64 counter_with_low(u64 counter, u32 val)
{
	return (counter_before(counter) & 0xffffffff00000000u) | val;
}

static u64 counter_with_high(u64 counter, u32 val)
{
	return (u64)val << 32 | (u32)counter_before(counter);
}

/* False when there is no such register. */
static bool csr_read(struct rv32 *core, u32 csr, u32 *val)
{
	switch (csr) {
	case CSR_MSTATUS:
		*val = MSTATUS_MPP | (core->mie_global ? MSTATUS_MIE : 0) |
		       (core->mpie ? MSTATUS_MPIE : 0);
		return true;
	case CSR_MISA:
		*val = MISA;
		return true;
	case CSR_MIE:
		*val = core->mie;
		return true;
	case CSR_MTVEC:
		*val = core->mtvec;
		return true;
	case CSR_MSCRATCH:
		*val = core->mscratch;
		return true;
	case CSR_MEPC:
		*val = core->mepc;
		return true;
	case CSR_MCAUSE:
		*val = core->mcause;
		return true;
	case CSR_MTVAL:
		*val = core->mtval;
		return true;
	case CSR_MIP:
		*val = atomic_load(&core->inputs) & RV32_INPUT_IRQS;
		return true;
	case CSR_MCYCLE:
	case CSR_CYCLE:
		*val = counter_before(core->mcycle);
		return true;
	case CSR_MCYCLEH:
	case CSR_CYCLEH:
		*val = counter_before(core->mcycle) >> 32;
		return true;
	case CSR_MINSTRET:
	case CSR_INSTRET:
		*val = counter_before(core->minstret);
		return true;
	case CSR_MINSTRETH:
	case CSR_INSTRETH:
		*val = counter_before(core->minstret) >> 32;
		return true;
	default:
		*val = 0;
		return csr_is_zero(csr);
	}
}

/* @csr exists and its number says that it is writable. */
static void csr_write(struct rv32 *core, u32 csr, u32 val)
{
	switch (csr) {
	case CSR_MSTATUS:
		core->mie_global = val & MSTATUS_MIE;
		core->mpie = val & MSTATUS_MPIE;
		break;
	case CSR_MIE:
		core->mie = val & RV32_INPUT_IRQS;
		break;
	case CSR_MTVEC:
		core->mtvec = val & ~2u;
		break;
	case CSR_MSCRATCH:
		core->mscratch = val;
		break;
	case CSR_MEPC:
		core->mepc = val & ~1u;
		break;
	case CSR_MCAUSE:
		core->mcause = val;
		break;
	case CSR_MTVAL:
		core->mtval = val;
		break;
	case CSR_MCYCLE:
		core->mcycle = counter_with_low(core->mcycle, val);
		break;
	case CSR_MCYCLEH:
		core->mcycle = counter_with_high(core->mcycle, val);
		break;
	case CSR_MINSTRET:
		core->minstret = counter_with_low(core->minstret, val);
		break;
	case CSR_MINSTRETH:
		core->minstret = counter_with_high(core->minstret, val);
		break;
	default:
		break; /* misa, mip and the zero registers hold what they hold */
	}
}

bool rv32_csr_insn(struct rv32 *core, u32 insn)
{
	u32 csr = insn >> 20, rd = (insn >> 7) & 31, rs1 = (insn >> 15) & 31;
	u32 funct3 = (insn >> 12) & 7;
	u32 operand = funct3 & 4 ? rs1 : core->x[rs1];
	bool writes = (funct3 & 3) == 1 || rs1; /* setting or clearing by x0 or 0 only reads */
	bool read_only = csr >> 10 == 3;
	u32 old;

	if ((writes && read_only) || !csr_read(core, csr, &old))
		return false;
	if (writes) {
		switch (funct3 & 3) {
		case 1:
			csr_write(core, csr, operand);
			break;
		case 2:
			csr_write(core, csr, old | operand);
			break;
		case 3:
			csr_write(core, csr, old & ~operand);
			break;
		}
	}
	core->x[rd] = old;
	return true;
}

static void enter_trap(struct rv32 *core, u32 cause, u32 tval)
{
	core->mepc = core->pc;
	core->mcause = cause;
	core->mtval = tval;
	core->mpie = core->mie_global;
	core->mie_global = false;
	core->pc = core->mtvec & ~3u;
	if ((cause & RV32_CAUSE_INTERRUPT) && (core->mtvec & MTVEC_VECTORED))
		core->pc += 4 * (cause & ~RV32_CAUSE_INTERRUPT);
}

bool rv32_raise(struct rv32 *core, enum rv32_cause cause, u32 tval)
{
	core->minstret--; /* begun and counted, but it does not retire */
	enter_trap(core, cause, tval);
	return false;
}

void rv32_interrupt(struct rv32 *core, u32 pending)
{
	enum rv32_irq irq = RV32_IRQ_TIMER;

	/* The specification's order: external, software, timer. */
	if (pending & 1u << RV32_IRQ_EXTERNAL)
		irq = RV32_IRQ_EXTERNAL;
	else if (pending & 1u << RV32_IRQ_SOFTWARE)
		irq = RV32_IRQ_SOFTWARE;
	enter_trap(core, RV32_CAUSE_INTERRUPT | irq, 0);
}

u32 rv32_mret(struct rv32 *core)
{
	core->mie_global = core->mpie;
	core->mpie = true;
	return core->mepc;
}
