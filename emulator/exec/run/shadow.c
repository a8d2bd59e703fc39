// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What may be touched when. Every byte of SRAM has a shadow byte that says whether it was ever
 * written and which channels' outstanding transfers read or write it: an access that races with a
 * transfer, or reads what nobody wrote, traps. Transfers of one channel are ordered and never race
 * with each other. Addresses are known to be inside SRAM.
 */
#include "emulator/exec/run/run.h"

#include <string.h>

enum {
	DEFINED = 0x01,
	WRITER = 0x0e, /* channel that writes the byte, plus one; 0: none */
	READERS = 0xf0, /* set of channels that read the byte */
};

static u8 writer(u32 channel)
{
	return (channel + 1) << 1;
}

static u8 reader(u32 channel)
{
	return 0x10 << channel;
}

static u8 *shadow_of(struct run *run, u32 tile, s64 address)
{
	return run->shadow + (size_t)tile * run->program->machine.sram_bytes + address;
}

void shadow_reset(struct run *run)
{
	const struct exec_program *p = run->program;
	const struct rondo_machine *m = &p->machine;
	u32 tile, i;

	memset(run->shadow, 0, (size_t)m->mesh_w * m->mesh_h * m->sram_bytes);
	for (tile = 0; tile < (u32)m->mesh_w * m->mesh_h; tile++)
		for (i = 0; i < p->clear_count; i++)
			memset(shadow_of(run, tile, p->clear[i].lo), DEFINED,
			       p->clear[i].hi - p->clear[i].lo);
}

/* Whether some byte's shadow, with the bits of @flip inverted, has a bit of @mask. */
static bool has(const u8 *shadow, u64 size, u8 flip, u8 mask)
{
	u8 found = 0;
	u64 i;

	for (i = 0; i < size; i++)
		found |= (shadow[i] ^ flip) & mask;
	return found;
}

static bool trap(struct run *run, s64 address, u32 size, const char *what)
{
	return run_trap(run, "SRAM %lld..%lld is %s", (long long)address,
			(long long)address + size - 1, what);
}

bool shadow_read(struct run *run, u32 tile, s64 address, u32 size)
{
	const u8 *shadow = shadow_of(run, tile, address);

	if (has(shadow, size, 0, WRITER))
		return trap(run, address, size, "read while DMA writes it");
	return !has(shadow, size, DEFINED, DEFINED) ||
	       trap(run, address, size, "read before it is written");
}

bool shadow_write(struct run *run, u32 tile, s64 address, u32 size)
{
	u8 *shadow = shadow_of(run, tile, address);

	if (has(shadow, size, 0, WRITER | READERS))
		return trap(run, address, size, "written while DMA uses it");
	memset(shadow, DEFINED, size);
	return true;
}

bool shadow_claim(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size)
{
	const u8 *shadow = shadow_of(run, tile, address);
	u8 others = dir == RONDO_DMA_IN ? READERS & ~reader(channel) : 0;
	u64 i;

	for (i = 0; i < size; i++) {
		u8 writes = shadow[i] & WRITER;

		if (shadow[i] & others || (writes && writes != writer(channel)))
			return run_trap(run, "SRAM %llu is in use by another channel",
					(unsigned long long)(address + i));
		if (dir == RONDO_DMA_OUT && !(shadow[i] & DEFINED))
			return run_trap(run, "SRAM %llu is sent before it is written",
					(unsigned long long)(address + i));
	}
	shadow_mark(run, tile, channel, dir, address, size);
	return true;
}

void shadow_mark(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size)
{
	u8 *shadow = shadow_of(run, tile, address);
	u64 i;

	for (i = 0; i < size; i++)
		if (dir == RONDO_DMA_IN)
			shadow[i] = (shadow[i] & ~WRITER) | writer(channel) | DEFINED;
		else
			shadow[i] |= reader(channel);
}

void shadow_unmark(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size)
{
	u8 *shadow = shadow_of(run, tile, address);
	u8 mark = dir == RONDO_DMA_IN ? WRITER : reader(channel);
	u64 i;

	for (i = 0; i < size; i++)
		shadow[i] &= ~mark;
}
