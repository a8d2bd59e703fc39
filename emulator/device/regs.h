/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Registers by table: the access rules of spec/regs.def, executed. What a
 * register does beyond them is the part of its owner, host.c or mgmt.c.
 *
 * Threads: none; the caller locks.
 */
#ifndef RONDO_EMULATOR_REGS_H
#define RONDO_EMULATOR_REGS_H

#include "spec/device.h"

enum reg_space {
	REG_SPACE_HOST,
	REG_SPACE_MGMT,
	REG_SPACES,
};

/* Rows of regs.def: REG_HOST_ID and so on. */
enum reg {
	REG_NONE,
#define REG(space, name, offset, count, access, meaning) REG_##space##_##name,
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
	REGS,
};

/* Offsets: REG_OFF_HOST_ID and so on. */
enum {
#define REG(space, name, offset, count, access, meaning) REG_OFF_##space##_##name = offset,
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

/* Fields: lowest bit, and mask in place. */
enum {
#define REG(space, name, offset, count, access, meaning)
#define FLD(space, name, field, lo, width, meaning) \
	REG_LO_##space##_##name##_##field = lo,     \
	REG_MASK_##space##_##name##_##field = ((1 << (width)) - 1) << (lo),
#include "spec/regs.def"
};

enum { REG_SPACE_WORDS = RONDO_REGS_BYTES / 4 };

struct regs {
	u32 word[REG_SPACES][REG_SPACE_WORDS];
};

/* The word of a register, by the name of its row. */
#define REG_WORD(regs, space, name) ((regs)->word[REG_SPACE_##space][REG_OFF_##space##_##name / 4])

/* A pair of registers as one value. */
#define REG_PAIR(regs, space, name) \
	(REG_WORD(regs, space, name##_LO) | (u64)REG_WORD(regs, space, name##_HI) << 32)

/* The row that an access of @size bytes at @offset means; REG_NONE if it means none. */
enum reg reg_at(enum reg_space space, u64 offset, u32 size);

/* What reading @size bytes at @offset gives; owners refresh words that live elsewhere before. */
u64 regs_read(const struct regs *regs, enum reg_space space, u64 offset, u32 size);

/*
 * Writes 4 bytes at @offset by the row's access rule; other sizes do nothing.
 * Returns the row whose owner is to act on @value, REG_NONE if the write was ignored.
 */
enum reg regs_write(struct regs *regs, enum reg_space space, u64 offset, u32 value, u32 size);

#endif
