/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Registers by table: the access rules of spec/regs.def, executed. What a
 * register does beyond them is its owner's part: emulator.c or mgmt_regs.c.
 *
 * Threads: none; the caller locks.
 */
#ifndef RONDO_EMULATOR_REGS_H
#define RONDO_EMULATOR_REGS_H

#include "spec/device.h"
#include "spec/regs.h"

enum reg_space {
	REG_SPACE_HOST,
	REG_SPACE_MGMT,
	REG_SPACES,
};

enum {
	REG_NONE = RONDO_REGS_BYTES, /* no register's offset */
	REG_SPACE_WORDS = RONDO_REGS_BYTES / 4,
};

struct regs {
	u32 word[REG_SPACES][REG_SPACE_WORDS];
};

/* The word of a register, by the name of its row. */
#define REG_WORD(regs, space, name) \
	((regs)->word[REG_SPACE_##space][RONDO_REG_##space##_##name / 4])

/* A pair of registers as one value. */
#define REG_PAIR(regs, space, name) \
	(REG_WORD(regs, space, name##_LO) | (u64)REG_WORD(regs, space, name##_HI) << 32)

/*
 * The register that a read of @size bytes at @offset means: RONDO_REG_* of its row, and REG_NONE
 * if it means none.
 */
u32 reg_at(enum reg_space space, u64 offset, u32 size);

/* What reading @size bytes at @offset gives; owners refresh words that live elsewhere before. */
u64 regs_read(const struct regs *regs, enum reg_space space, u64 offset, u32 size);

/*
 * Writes 4 bytes at @offset by the row's access rule; other sizes do nothing. Returns RONDO_REG_*
 * of the row whose owner is to act on @value, REG_NONE if the write was ignored.
 */
u32 regs_write(struct regs *regs, enum reg_space space, u64 offset, u32 value, u32 size);

#endif
