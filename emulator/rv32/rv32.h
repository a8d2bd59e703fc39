/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The management core: RV32IMC with Zicsr, machine mode only.
 *
 * An interpreter that knows nothing of its host. It owns no memory and no
 * thread: the embedder gives it a block of tightly coupled memory (TCM) and two
 * bus callbacks for everything else, and calls rv32_run() when it likes.
 *
 * Behaviour that the RISC-V specifications leave open (unprivileged 20191213,
 * privileged 1.12):
 *  - Code is fetched from TCM only; elsewhere: instruction access fault.
 *  - Misaligned loads and stores raise the misaligned exception, wherever they
 *    go; so a bus callback sees naturally aligned accesses only.
 *  - With C present no jump target can be misaligned: jumps clear or lack bit 0.
 *  - mtval holds the address of a memory exception, the instruction bits of an
 *    illegal instruction, the pc of EBREAK, and 0 otherwise.
 *  - mip is read-only: its three bits are the core's inputs.
 *  - Reserved encodings, absent CSRs and writes of read-only CSRs are illegal
 *    instructions. HINTs do nothing. FENCE and FENCE.I do nothing: accesses
 *    happen in program order and nothing decoded is kept.
 *  - Time: one cycle for each instruction begun, trapping ones included; trap
 *    entry and waiting in WFI are free. mcycle counts these cycles, minstret
 *    only the instructions that retired.
 *
 * Threads: rv32_set_irq() and rv32_stop() may be called from any thread at any
 * time. Everything else belongs to the thread that runs the core.
 *
 * Deterministic: the same state, TCM, bus answers and inputs give the same run.
 */
#ifndef EMULATOR_RV32_H
#define EMULATOR_RV32_H

#include <stdatomic.h>
#include <stdbool.h>

#include "spec/env.h"

/* Interrupt inputs: the bit in mip and mie, and the cause without its top bit. */
enum rv32_irq {
	RV32_IRQ_SOFTWARE = 3,
	RV32_IRQ_TIMER = 7,
	RV32_IRQ_EXTERNAL = 11,
};

/* Exception causes as in mcause. */
enum rv32_cause {
	RV32_FETCH_FAULT = 1,
	RV32_ILLEGAL = 2,
	RV32_BREAKPOINT = 3,
	RV32_LOAD_MISALIGNED = 4,
	RV32_LOAD_FAULT = 5,
	RV32_STORE_MISALIGNED = 6,
	RV32_STORE_FAULT = 7,
	RV32_ECALL = 11,
};

/* Set in mcause when the trap is an interrupt. */
#define RV32_CAUSE_INTERRUPT 0x80000000u

/*
 * What stands outside TCM. @size is 1, 2 or 4; @addr is a multiple of it; @val
 * is zero-extended. Return false for a bus error (an access fault). A callback
 * may call rv32_set_irq() and rv32_stop(), nothing else of the core.
 */
struct rv32_bus {
	bool (*load)(void *ctx, u32 addr, u32 size, u32 *val);
	bool (*store)(void *ctx, u32 addr, u32 size, u32 val);
};

/* What a core is built of; all pointers are borrowed and outlive the core. */
struct rv32_config {
	u8 *tcm; /* tcm_size bytes, little endian */
	u32 tcm_base; /* a multiple of 4; the TCM does not wrap around */
	u32 tcm_size; /* a multiple of 4 */
	const struct rv32_bus *bus;
	void *bus_ctx;
};

/*
 * The core's state. Reading and writing x and pc while the core does not run is
 * fine (x[0] stays 0); the rest is for the core's own files.
 */
struct rv32 {
	u32 x[32];
	u32 pc;

	bool mie_global, mpie; /* mstatus.MIE, mstatus.MPIE; MPP is always M */
	u32 mie; /* bits of enum rv32_irq only */
	u32 mtvec, mepc, mcause, mtval, mscratch;
	u64 mcycle, minstret;

	bool waiting; /* in WFI */
	atomic_uint inputs; /* bits of enum rv32_irq, and bit 31: stop requested */

	struct rv32_config config;
};

enum rv32_reason {
	RV32_RAN, /* @max_insns instructions begun */
	RV32_WAITING, /* in WFI with no enabled interrupt pending */
	RV32_STOPPED, /* rv32_stop() was called; the request is consumed */
};

struct rv32_result {
	enum rv32_reason reason;
	u64 executed; /* instructions begun by this call = cycles it took */
};

/* Prepares @core with all inputs low, reset, with pc at the start of TCM. */
void rv32_init(struct rv32 *core, const struct rv32_config *config);

/*
 * Resets registers, CSRs and counters and continues at @pc. TCM and the
 * interrupt inputs keep their state; a stop request is dropped.
 */
void rv32_reset(struct rv32 *core, u32 pc);

/* Drives one interrupt input; a level, held until driven otherwise. */
void rv32_set_irq(struct rv32 *core, enum rv32_irq irq, bool level);

/*
 * Makes the running rv32_run() return before its next instruction; if none is
 * running, the next call returns at once.
 */
void rv32_stop(struct rv32 *core);

/* Executes at most @max_insns instructions; says why it returned. */
struct rv32_result rv32_run(struct rv32 *core, u64 max_insns);

#endif
