/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The access rules of spec/regs.def. Two rows that claim one word do not
 * compile: -Woverride-init refuses the second initializer.
 */
#include "emulator/device/regs.h"

enum rule {
	RULE_NONE,
	RULE_RO,
	RULE_RW,
	RULE_W1C,
	RULE_WO,
};

struct word_rule {
	u8 reg; /* enum reg */
	u8 rule; /* enum rule */
};

static const struct word_rule words[REG_SPACES][REG_SPACE_WORDS] = {
#define REG(space, name, offset, count, access, meaning)                                          \
	[REG_SPACE_##space][(offset) / 4 ...(offset) / 4 - 1 + (count)] = { REG_##space##_##name, \
									    RULE_##access },
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

static_assert(REGS <= 256, "struct word_rule holds a row in 8 bits");

/* Character @i from the end of a row's name, padded so that short names have one. */
#define FROM_END(name, i) (("   " #name)[sizeof("   " #name) - 1 - (i)])

/* Whether the row is the low half of a pair: then its name ends in _LO. */
static const bool low_half[REGS] = {
#define REG(space, name, offset, count, access, meaning)                                 \
	[REG_##space##_##name] = FROM_END(name, 3) == '_' && FROM_END(name, 2) == 'L' && \
				 FROM_END(name, 1) == 'O',
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

enum reg reg_at(enum reg_space space, u64 offset, u32 size)
{
	enum reg reg;

	if (offset >= RONDO_REGS_BYTES || (size != 4 && size != 8) || offset % size)
		return REG_NONE;
	reg = words[space][offset / 4].reg;
	return size == 4 || low_half[reg] ? reg : REG_NONE;
}

static u32 read_word(const struct regs *regs, enum reg_space space, u64 index)
{
	u8 rule = words[space][index].rule;

	return rule == RULE_NONE || rule == RULE_WO ? 0 : regs->word[space][index];
}

u64 regs_read(const struct regs *regs, enum reg_space space, u64 offset, u32 size)
{
	u64 index = offset / 4;

	if (reg_at(space, offset, size) == REG_NONE)
		return 0;
	if (size == 4)
		return read_word(regs, space, index);
	return read_word(regs, space, index) | (u64)read_word(regs, space, index + 1) << 32;
}

enum reg regs_write(struct regs *regs, enum reg_space space, u64 offset, u32 value, u32 size)
{
	enum reg reg = size == 4 ? reg_at(space, offset, size) : REG_NONE;
	u32 *word = &regs->word[space][reg == REG_NONE ? 0 : offset / 4];

	if (reg == REG_NONE)
		return REG_NONE;
	switch ((enum rule)words[space][offset / 4].rule) {
	case RULE_NONE:
	case RULE_RO:
		return REG_NONE;
	case RULE_RW:
		*word = value;
		break;
	case RULE_W1C:
		*word &= ~value;
		break;
	case RULE_WO:
		break;
	}
	return reg;
}
