// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The vector operations for any host. */
#define ALU_OPS alu_ops
#define ALU_TARGET
#include "emulator/exec/plain/alu.inc"
