// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * rv32_mips: how many million RV32 instructions a second the core interprets.
 *
 * The program is of the kind that firmware is: a ring of 64-byte entries is
 * summed word by word, and a function is called for each entry; two of three
 * instructions are compressed. Best of several runs, so that the figure speaks
 * of the core and not of what else the host does.
 */
#include "tests/bench/paired.h"
#include "tests/rv32/rv32_machine.h"

#define RUNS 5
#define INSNS 10000000

enum { RING = 0x1000, RING_BYTES = 0x4000 };

static const u16 program[] = {
#define W(insn) (u16)(insn), (u16)((insn) >> 16)
	/* 0: next entry */
	C_LI(A0, 0),
	C_LI(A1, 16),
	/* 4: next word */
	C_LW(A3, A2, 0),
	C_ADD(A0, A3),
	W(SLLI(A4, A0, 3)),
	C_XOR(A0, A4),
	C_ADDI(A2, 4),
	C_ADDI(A1, -1),
	C_BNEZ(A1, -14),
	/* 20: */
	C_JAL(10),
	W(BNE(A2, S1, -22)),
	C_MV(A2, S0),
	C_J(-28),
	/* 30: store the sum into the entry */
	W(SW(A0, A2, -4)),
	W(MUL(A0, A0, A0)),
	C_SWSP(A0, 0),
	C_JR(RA),
#undef W
};

int main(void)
{
	static struct machine m;
	double best = 0;

	for (int run = 0; run < RUNS; run++) {
		struct rv32_result r;
		double start, mips;

		machine_init(&m, 0);
		memcpy(m.tcm, program, sizeof(program));
		m.core.x[SP] = TCM_BASE + TCM_SIZE - 16;
		m.core.x[S0] = m.core.x[A2] = TCM_BASE + RING;
		m.core.x[S1] = TCM_BASE + RING + RING_BYTES;
		start = bench_s(CLOCK_PROCESS_CPUTIME_ID);
		r = rv32_run(&m.core, INSNS);
		mips = r.executed / (bench_s(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e-6;
		if (r.reason != RV32_RAN || m.core.minstret != INSNS) {
			fprintf(stderr, "rv32_mips: the program trapped: cause %u at %#x\n",
				m.core.mcause, m.core.mepc);
			return 1;
		}
		if (mips > best)
			best = mips;
	}
	bench_figure("rv32_mips", best, "MIPS");
	return 0;
}
