/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The access rule of every register of spec/regs.def, by the table itself and by
 * hand where the table could be wrong with it.
 */
#include "emulator/device/regs.h"
#include "tests/tap.h"

struct row {
	const char *name;
	enum reg_space space;
	u32 offset, count;
	const char *access;
};

static const struct row rows[] = {
#define REG(space, name, offset, count, widest, access, meaning) \
	{ #space "." #name, REG_SPACE_##space, offset, count, #access },
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const u32 before = 0xf0f0a5a5, written = 0x3c3c0ff0;

/* Whether a word of *@row that holds `before` obeys its rule when `written` is written. */
static bool obeys(const struct row *row, u32 offset)
{
	bool ro = !strcmp(row->access, "RO"), rw = !strcmp(row->access, "RW");
	bool w1c = !strcmp(row->access, "W1C"), wo = !strcmp(row->access, "WO");
	u32 read = wo ? 0 : before;
	u32 after = rw ? written : w1c ? before & ~written : read;
	struct regs regs = { 0 };
	u32 acts;

	if (ro + rw + w1c + wo != 1 || regs_read(&regs, row->space, offset, 4))
		return false;
	regs.word[row->space][offset / 4] = before;
	if (regs_read(&regs, row->space, offset, 4) != read)
		return false;
	acts = regs_write(&regs, row->space, offset, written, 4);
	return acts == (ro ? REG_NONE : row->offset) &&
	       regs_read(&regs, row->space, offset, 4) == after;
}

static void test_rules(void)
{
	u32 i, k;

	for (i = 0; i < ROWS; i++) {
		bool ok = true;

		for (k = 0; k < rows[i].count; k++)
			ok &= obeys(&rows[i], rows[i].offset + 4 * k);
		tap_ok(ok, "%s is %s", rows[i].name, rows[i].access);
	}
}

/* Whether a row covers the word at @offset. */
static bool covered(enum reg_space space, u32 offset)
{
	u32 i;

	for (i = 0; i < ROWS; i++)
		if (rows[i].space == space && offset - rows[i].offset < 4 * rows[i].count)
			return true;
	return false;
}

/* Every other place, size and alignment reads as 0 and changes nothing. */
static void test_elsewhere(void)
{
	static const u32 sizes[] = { 0, 1, 2, 3, 4, 5, 8, 16 };
	struct regs regs, copy;
	u32 space, offset, i, bad = 0;

	memset(&regs, 0xff, sizeof(regs));
	copy = regs;
	for (space = 0; space < REG_SPACES; space++)
		for (offset = 0; offset < RONDO_REGS_BYTES + 16; offset++)
			for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				bool word = sizes[i] == 4 && offset % 4 == 0;

				if (word && covered(space, offset))
					continue;
				bad += regs_write(&regs, space, offset, 0x12345678, sizes[i]) !=
				       REG_NONE;
				if (sizes[i] != 8)
					bad += regs_read(&regs, space, offset, sizes[i]) != 0;
			}
	tap_eq(bad, 0, "what is no register reads as 0 and acts on nothing");
	tap_ok(!memcmp(&regs, &copy, sizeof(regs)), "and writing it changes no register");
}

static void test_pairs(void)
{
	struct regs regs;
	u32 space, offset, pairs = 0;

	memset(&regs, 0xff, sizeof(regs));
	REG_WORD(&regs, HOST, TIME_LO) = 0x11223344;
	REG_WORD(&regs, HOST, TIME_HI) = 0x55667788;
	tap_ok(regs_read(&regs, REG_SPACE_HOST, RONDO_REG_HOST_TIME_LO, 8) == 0x5566778811223344,
	       "a pair is read by one 8-byte access");
	tap_ok(REG_PAIR(&regs, HOST, TIME) == 0x5566778811223344, "and by name");
	for (space = 0; space < REG_SPACES; space++)
		for (offset = 0; offset < RONDO_REGS_BYTES; offset++)
			pairs += regs_read(&regs, space, offset, 8) != 0;
	/* FW_ADDR, INIT_ADDR, TIME and MEMORY of the host; the core has no access of 8 bytes. */
	tap_eq(pairs, 4, "nothing but the pairs answers 8-byte accesses");
	tap_eq(regs_write(&regs, REG_SPACE_HOST, RONDO_REG_HOST_FW_ADDR_LO, 0, 8), REG_NONE,
	       "a pair is not written by one access");
}

int main(void)
{
	test_rules();
	test_elsewhere();
	test_pairs();
	return tap_done();
}
