// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/exec/run/run.h"

/* One element in each segment: a column. The size is a constant where this is expanded. */
#define COLUMN(type)                    \
	for (u32 i = 0; i < count; i++) \
	memcpy(to + i * to_step, from + i * from_step, sizeof(type))

static void copy_column(u32 count, u32 size, u8 *to, ptrdiff_t to_step, const u8 *from,
			ptrdiff_t from_step)
{
	switch (size) {
	case 1:
		COLUMN(u8);
		break;
	case 2:
		COLUMN(u16);
		break;
	default:
		COLUMN(u32);
	}
}

void run_gather(const struct rondo_entry *entry, u32 size, u32 count, const u8 *at, void *to)
{
	u32 i, run;

	if (entry->seg_len == 1) {
		copy_column(count, size, to, size, at, entry->seg_stride);
		return;
	}
	for (i = 0; i < count; i += run) {
		s64 offset = run_pattern(entry, i, count, &run);

		memcpy((u8 *)to + i * size, at + offset, run * size);
	}
}

void run_scatter(const struct rondo_entry *entry, u32 size, u32 count, u8 *at, const void *from)
{
	u32 i, run;

	if (entry->seg_len == 1) {
		copy_column(count, size, at, entry->seg_stride, from, size);
		return;
	}
	for (i = 0; i < count; i += run) {
		s64 offset = run_pattern(entry, i, count, &run);

		memcpy(at + offset, (const u8 *)from + i * size, run * size);
	}
}
