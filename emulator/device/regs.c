/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The access rules of spec/regs.def. Two rows that claim one word do not
 * compile: -Woverride-init refuses the second initializer.
 */
#include "emulator/device/regs.h"

enum rule {
	RULE_RO,
	RULE_RW,
	RULE_W1C,
	RULE_WO,
};

struct word_rule {
	u16 reg; /* offset of the row's first word */
	u8 rule; /* enum rule */
	u8 widest; /* bytes of the widest access */
};

static const struct word_rule words[REG_SPACES][REG_SPACE_WORDS] = {
#define REG(space, name, offset, count, widest, access, meaning)                                   \
	[REG_SPACE_##space][(offset) / 4 ...(offset) / 4 - 1 + (count)] = { offset, RULE_##access, \
									    widest },
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

u32 reg_at(enum reg_space space, u64 offset, u32 size)
{
	const struct word_rule *w;

	if (offset >= RONDO_REGS_BYTES || (size != 4 && size != 8) || offset % size)
		return REG_NONE;
	w = &words[space][offset / 4];
	return size <= w->widest ? w->reg : REG_NONE;
}

static u32 read_word(const struct regs *regs, enum reg_space space, u64 index)
{
	return words[space][index].rule == RULE_WO ? 0 : regs->word[space][index];
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

u32 regs_write(struct regs *regs, enum reg_space space, u64 offset, u32 value, u32 size)
{
	u32 reg = size == 4 ? reg_at(space, offset, size) : REG_NONE;
	u32 *word;

	if (reg == REG_NONE)
		return REG_NONE;
	word = &regs->word[space][offset / 4];
	switch ((enum rule)words[space][offset / 4].rule) {
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
