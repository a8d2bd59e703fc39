/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The operations between tiles: whose operand each tile gets. What an operation does on a machine
 * of one tile is in alu_ops, and is what a reduction does to its first operand.
 */
#ifndef RONDO_EMULATOR_EXEC_TILES_H
#define RONDO_EMULATOR_EXEC_TILES_H

#include "emulator/exec/plain/alu.h"

/*
 * Either a reduction over the row or column of the tile (rondo_op_along_row()) with the vector
 * operation fold; or the register of the tile with number imm in it, if the operation names a tile;
 * or that of the tile dx columns to the east and dy rows to the south.
 */
struct crossing {
	u8 fold; /* enum rondo_opcode */
	s8 dx, dy;
};

/* By opcode; of operations that read other tiles. */
extern const struct crossing crossings[RONDO_OPCODES];

#endif
