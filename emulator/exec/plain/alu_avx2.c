// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The vector operations for x86-64 hosts with AVX2 and FMA, and which of the two this host gets. */
#include "emulator/exec/plain/operations.h"

#ifdef __x86_64__
#define ALU_OPS alu_ops_avx2
#define ALU_TARGET __attribute__((target("avx2,fma")))
extern alu_fn *const alu_ops_avx2[RONDO_OPCODES];
#include "emulator/exec/plain/alu.inc"

alu_fn *const *alu_best(void)
{
	const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");

	return has ? alu_ops_avx2 : alu_ops;
}
#else
alu_fn *const *alu_best(void)
{
	return alu_ops;
}
#endif
