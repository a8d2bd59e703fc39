// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The RV32 core's loop: fetch, expand if compressed, execute.
 *
 * Plain decode by switch at every instruction. Nothing decoded is kept, so
 * nothing need be invalidated when the host or the firmware writes code.
 *
 * Functions of an instruction return true when it retired. False means that a
 * trap was taken: pc, and nothing else that the instruction would have changed,
 * has been set.
 */
#include "emulator/rv32/internal.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline u32 rd_of(u32 insn)
{
	return (insn >> 7) & 31;
}

static inline u32 rs1_of(u32 insn)
{
	return (insn >> 15) & 31;
}

static inline u32 rs2_of(u32 insn)
{
	return (insn >> 20) & 31;
}

static inline u32 funct3_of(u32 insn)
{
	return (insn >> 12) & 7;
}

static inline u32 imm_i(u32 insn)
{
	return (u32)((s32)insn >> 20);
}

static inline u32 imm_s(u32 insn)
{
	return (u32)((s32)(insn & 0xfe000000) >> 20) | rd_of(insn);
}

static inline u32 imm_b(u32 insn)
{
	return (u32)((s32)(insn & 0x80000000) >> 19) | (insn & 0x80) << 4 | ((insn >> 20) & 0x7e0) |
	       ((insn >> 7) & 0x1e);
}

static inline u32 imm_j(u32 insn)
{
	return (u32)((s32)(insn & 0x80000000) >> 11) | (insn & 0xff000) | ((insn >> 9) & 0x800) |
	       ((insn >> 20) & 0x7fe);
}

static bool illegal(struct rv32 *core, u32 insn)
{
	return rv32_raise(core, RV32_ILLEGAL, insn);
}

/* Little endian at any host; compilers make one access of each. */
static inline u32 read_le(const u8 *p, u32 size)
{
	switch (size) {
	case 1:
		return p[0];
	case 2:
		return p[0] | (u32)p[1] << 8;
	default:
		return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
	}
}

static inline void write_le(u8 *p, u32 size, u32 val)
{
	switch (size) {
	case 4:
		p[3] = val >> 24;
		p[2] = val >> 16;
		/* fallthrough */
	case 2:
		p[1] = val >> 8;
		/* fallthrough */
	default:
		p[0] = val;
	}
}

static inline bool load(struct rv32 *core, u32 addr, u32 size, u32 *val)
{
	u32 offset = addr - core->config.tcm_base, outside = 0;

	if (unlikely(addr & (size - 1)))
		return rv32_raise(core, RV32_LOAD_MISALIGNED, addr);
	if (likely(offset < core->config.tcm_size)) {
		*val = read_le(core->config.tcm + offset, size);
		return true;
	}
	if (!core->config.bus->load(core->config.bus_ctx, addr, size, &outside))
		return rv32_raise(core, RV32_LOAD_FAULT, addr);
	*val = outside;
	return true;
}

static inline bool store(struct rv32 *core, u32 addr, u32 size, u32 val)
{
	u32 offset = addr - core->config.tcm_base;

	if (unlikely(addr & (size - 1)))
		return rv32_raise(core, RV32_STORE_MISALIGNED, addr);
	if (likely(offset < core->config.tcm_size)) {
		write_le(core->config.tcm + offset, size, val);
		return true;
	}
	if (!core->config.bus->store(core->config.bus_ctx, addr, size, val))
		return rv32_raise(core, RV32_STORE_FAULT, addr);
	return true;
}

static inline bool execute_load(struct rv32 *core, u32 insn)
{
	u32 addr = core->x[rs1_of(insn)] + imm_i(insn), *rd = &core->x[rd_of(insn)];
	u32 val = 0;

	switch (funct3_of(insn)) {
	case 0: /* LB */
		if (!load(core, addr, 1, &val))
			return false;
		*rd = (u32)(s8)val;
		return true;
	case 1: /* LH */
		if (!load(core, addr, 2, &val))
			return false;
		*rd = (u32)(s16)val;
		return true;
	case 2: /* LW */
		return load(core, addr, 4, rd);
	case 4: /* LBU */
		return load(core, addr, 1, rd);
	case 5: /* LHU */
		return load(core, addr, 2, rd);
	default:
		return illegal(core, insn);
	}
}

static inline bool execute_store(struct rv32 *core, u32 insn)
{
	u32 addr = core->x[rs1_of(insn)] + imm_s(insn);
	u32 val = core->x[rs2_of(insn)];

	switch (funct3_of(insn)) {
	case 0:
		return store(core, addr, 1, (u8)val);
	case 1:
		return store(core, addr, 2, (u16)val);
	case 2:
		return store(core, addr, 4, val);
	default:
		return illegal(core, insn);
	}
}

/* What funct3 says in both formats; @other: subtraction, arithmetic shift. */
static inline u32 alu(u32 funct3, bool other, u32 a, u32 b)
{
	switch (funct3) {
	case 0:
		return other ? a - b : a + b;
	case 1:
		return a << (b & 31);
	case 2:
		return (s32)a < (s32)b;
	case 3:
		return a < b;
	case 4:
		return a ^ b;
	case 5:
		return other ? (u32)((s32)a >> (b & 31)) : a >> (b & 31);
	case 6:
		return a | b;
	default:
		return a & b;
	}
}

/* The immediate of a shift has an amount in bits 4..0 and funct7 above. */
static inline bool execute_imm(struct rv32 *core, u32 insn)
{
	u32 funct3 = funct3_of(insn), funct7 = insn >> 25;
	bool right = funct3 == 5, shift = funct3 == 1 || right;

	if (shift && funct7 && !(right && funct7 == 0x20))
		return illegal(core, insn);
	core->x[rd_of(insn)] = alu(funct3, shift && funct7, core->x[rs1_of(insn)], imm_i(insn));
	return true;
}

/* Division has no exceptions: by zero gives all ones, overflow the dividend. */
static inline u32 muldiv(u32 funct3, u32 a, u32 b)
{
	bool overflow = a == 0x80000000 && b == 0xffffffff;

	switch (funct3) {
	case 0:
		return a * b; /* MUL */
	case 1:
		return (u64)((s64)(s32)a * (s32)b) >> 32; /* MULH */
	case 2:
		return (u64)((s64)(s32)a * (s64)b) >> 32; /* MULHSU */
	case 3:
		return (u64)a * b >> 32; /* MULHU */
	case 4: /* DIV */
		if (!b)
			return 0xffffffff;
		return overflow ? a : (u32)((s32)a / (s32)b);
	case 5:
		return b ? a / b : 0xffffffff; /* DIVU */
	case 6: /* REM */
		if (!b)
			return a;
		return overflow ? 0 : (u32)((s32)a % (s32)b);
	default:
		return b ? a % b : a; /* REMU */
	}
}

static inline bool execute_reg(struct rv32 *core, u32 insn)
{
	u32 a = core->x[rs1_of(insn)], b = core->x[rs2_of(insn)];
	u32 funct3 = funct3_of(insn), funct7 = insn >> 25;
	u32 *rd = &core->x[rd_of(insn)];

	if (funct7 == 1)
		*rd = muldiv(funct3, a, b);
	else if (!funct7 || (funct7 == 0x20 && (funct3 == 0 || funct3 == 5)))
		*rd = alu(funct3, funct7, a, b);
	else
		return illegal(core, insn);
	return true;
}

/* Bit 0 of funct3 turns the condition around. */
static inline bool execute_branch(struct rv32 *core, u32 insn, u32 *next)
{
	u32 a = core->x[rs1_of(insn)], b = core->x[rs2_of(insn)], funct3 = funct3_of(insn);
	bool holds;

	switch (funct3 >> 1) {
	case 0:
		holds = a == b;
		break;
	case 2:
		holds = (s32)a < (s32)b;
		break;
	case 3:
		holds = a < b;
		break;
	default:
		return illegal(core, insn);
	}
	if (holds != (funct3 & 1))
		*next = core->pc + imm_b(insn);
	return true;
}

static bool execute_system(struct rv32 *core, u32 insn, u32 *next)
{
	switch (insn) {
	case 0x00000073:
		return rv32_raise(core, RV32_ECALL, 0);
	case 0x00100073:
		return rv32_raise(core, RV32_BREAKPOINT, core->pc);
	case 0x30200073:
		*next = rv32_mret(core);
		return true;
	case 0x10500073:
		core->waiting = true;
		return true;
	}
	if ((funct3_of(insn) & 3) == 0)
		return illegal(core, insn);
	return rv32_csr_insn(core, insn) || illegal(core, insn);
}

/* Executes the 32-bit @insn, which takes @len bytes at pc. */
static inline bool execute(struct rv32 *core, u32 insn, u32 len)
{
	u32 next = core->pc + len;
	u32 link = next;
	bool retired = true;

	switch (insn & 0x7f) {
	case RV32_OP_LOAD:
		retired = execute_load(core, insn);
		break;
	case RV32_OP_STORE:
		retired = execute_store(core, insn);
		break;
	case RV32_OP_IMM:
		retired = execute_imm(core, insn);
		break;
	case RV32_OP_REG:
		retired = execute_reg(core, insn);
		break;
	case RV32_OP_BRANCH:
		retired = execute_branch(core, insn, &next);
		break;
	case RV32_OP_LUI:
		core->x[rd_of(insn)] = insn & 0xfffff000;
		break;
	case RV32_OP_AUIPC:
		core->x[rd_of(insn)] = core->pc + (insn & 0xfffff000);
		break;
	case RV32_OP_JAL:
		next = core->pc + imm_j(insn);
		core->x[rd_of(insn)] = link;
		break;
	case RV32_OP_JALR:
		if (funct3_of(insn))
			return illegal(core, insn);
		next = (core->x[rs1_of(insn)] + imm_i(insn)) & ~1u;
		core->x[rd_of(insn)] = link;
		break;
	case RV32_OP_FENCE:
		if (funct3_of(insn) > 1)
			return illegal(core, insn);
		break;
	case RV32_OP_SYSTEM:
		retired = execute_system(core, insn, &next);
		break;
	default:
		return illegal(core, insn);
	}
	core->x[0] = 0;
	if (likely(retired))
		core->pc = next;
	return retired;
}

static inline void step(struct rv32 *core)
{
	u32 offset = core->pc - core->config.tcm_base;
	u32 insn;

	core->mcycle++;
	core->minstret++;
	if (unlikely(offset >= core->config.tcm_size)) {
		rv32_raise(core, RV32_FETCH_FAULT, core->pc);
		return;
	}
	insn = read_le(core->config.tcm + offset, 2);
	if ((insn & 3) != 3) {
		u32 expanded = rv32_expand(insn);

		if (unlikely(!expanded))
			illegal(core, insn);
		else
			execute(core, expanded, 2);
		return;
	}
	if (unlikely(offset + 2 >= core->config.tcm_size)) {
		rv32_raise(core, RV32_FETCH_FAULT, core->pc + 2);
		return;
	}
	insn |= read_le(core->config.tcm + offset + 2, 2) << 16;
	execute(core, insn, 4);
}

struct rv32_result rv32_run(struct rv32 *core, u64 max_insns)
{
	u64 executed;

	for (executed = 0; executed < max_insns; executed++) {
		u32 inputs = atomic_load_explicit(&core->inputs, memory_order_acquire);

		if (unlikely(inputs & (core->mie | RV32_INPUT_STOP))) {
			if (inputs & RV32_INPUT_STOP) {
				atomic_fetch_and(&core->inputs, ~RV32_INPUT_STOP);
				return (struct rv32_result){ RV32_STOPPED, executed };
			}
			core->waiting = false;
			if (core->mie_global)
				rv32_interrupt(core, inputs & core->mie);
		} else if (unlikely(core->waiting)) {
			return (struct rv32_result){ RV32_WAITING, executed };
		}
		step(core);
	}
	return (struct rv32_result){ RV32_RAN, executed };
}

void rv32_set_irq(struct rv32 *core, enum rv32_irq irq, bool level)
{
	if (level)
		atomic_fetch_or(&core->inputs, 1u << irq);
	else
		atomic_fetch_and(&core->inputs, ~(1u << irq));
}

void rv32_stop(struct rv32 *core)
{
	atomic_fetch_or(&core->inputs, RV32_INPUT_STOP);
}

void rv32_reset(struct rv32 *core, u32 pc)
{
	memset(core->x, 0, sizeof(core->x));
	core->pc = pc;
	core->mie_global = false;
	core->mpie = false;
	core->mie = 0;
	core->mtvec = 0;
	core->mepc = 0;
	core->mcause = 0;
	core->mtval = 0;
	core->mscratch = 0;
	core->mcycle = 0;
	core->minstret = 0;
	core->waiting = false;
	/* Other threads may drive the inputs at this moment. */
	atomic_fetch_and(&core->inputs, ~RV32_INPUT_STOP);
}

void rv32_init(struct rv32 *core, const struct rv32_config *config)
{
	core->config = *config;
	atomic_init(&core->inputs, 0);
	rv32_reset(core, config->tcm_base);
}
