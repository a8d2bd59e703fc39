// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SRAM: lane patterns, and what may be touched when.
 *
 * Bounds are always checked. With checks every byte has a shadow byte that says
 * whether it was ever written and which channels' outstanding transfers read or
 * write it: an access that races with a transfer, or reads what nobody wrote,
 * traps. Transfers of one channel are ordered and never race with each other.
 */
#include "emulator/exec/plain/state.h"

enum {
	SHADOW_DEFINED = 0x01,
	SHADOW_WRITER = 0x0e, /* channel that writes the byte, plus one; 0: none */
	SHADOW_READERS = 0xf0, /* set of channels that read the byte */
};

static u8 writer(u32 channel)
{
	return (channel + 1) << 1;
}

static u8 reader(u32 channel)
{
	return 0x10 << channel;
}

void sram_reset_shadow(struct exec *e)
{
	const struct exec_program *p = e->program;
	u32 i;

	memset(e->shadow, 0, e->machine.sram_bytes);
	for (i = 0; i < p->clear_count; i++)
		memset(e->shadow + p->clear[i].lo, SHADOW_DEFINED, p->clear[i].hi - p->clear[i].lo);
}

static bool in_bounds(struct exec *e, s64 address, u32 size, u32 align)
{
	if (address < 0 || address > (s64)e->machine.sram_bytes - size)
		return exec_trap(e, "SRAM access to %lld..%lld of %u", (long long)address,
				 (long long)address + size - 1, e->machine.sram_bytes);
	if (address % align)
		return exec_trap(e, "SRAM address %lld is not aligned to %u", (long long)address,
				 align);
	return true;
}

/* Whether some byte's shadow, with the bits of @flip inverted, has a bit of @mask. */
static bool shadow_has(const u8 *shadow, u64 size, u8 flip, u8 mask)
{
	u8 found = 0;
	u64 i;

	for (i = 0; i < size; i++)
		found |= (shadow[i] ^ flip) & mask;
	return found;
}

static bool may_read(struct exec *e, s64 address, u32 size)
{
	const u8 *shadow = e->shadow + address;

	if (!e->control->checks)
		return true;
	if (shadow_has(shadow, size, 0, SHADOW_WRITER))
		return exec_trap(e, "SRAM %lld..%lld is read while DMA writes it",
				 (long long)address, (long long)address + size - 1);
	if (shadow_has(shadow, size, SHADOW_DEFINED, SHADOW_DEFINED))
		return exec_trap(e, "SRAM %lld..%lld is read before it is written",
				 (long long)address, (long long)address + size - 1);
	return true;
}

static bool may_write(struct exec *e, s64 address, u32 size)
{
	u8 *shadow = e->shadow + address;

	if (!e->control->checks)
		return true;
	if (shadow_has(shadow, size, 0, SHADOW_WRITER | SHADOW_READERS))
		return exec_trap(e, "SRAM %lld..%lld is written while DMA uses it",
				 (long long)address, (long long)address + size - 1);
	memset(shadow, SHADOW_DEFINED, size);
	return true;
}

bool sram_gather(struct exec *e, const struct exec_op *op, s64 address, u32 count, u32 size,
		 void *to)
{
	const struct rondo_entry *entry = &e->program->entry[op->entry];
	u32 i, run;
	s64 at;

	for (i = 0; i < count; i += run) {
		at = address + exec_run_of(entry, i, count, &run);
		if (!in_bounds(e, at, run * size, size) || !may_read(e, at, run * size))
			return false;
		memcpy((u8 *)to + i * size, e->sram + at, run * size);
	}
	return true;
}

bool sram_scatter(struct exec *e, const struct exec_op *op, s64 address, u32 count, u32 size,
		  const void *from)
{
	const struct rondo_entry *entry = &e->program->entry[op->entry];
	u32 i, run;
	s64 at;

	for (i = 0; i < count; i += run) {
		at = address + exec_run_of(entry, i, count, &run);
		if (!in_bounds(e, at, run * size, size) || !may_write(e, at, run * size))
			return false;
		memcpy(e->sram + at, (const u8 *)from + i * size, run * size);
	}
	return true;
}

bool sram_check_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size)
{
	const u8 *shadow = e->shadow + address;
	u8 others = dir == RONDO_DMA_IN ? SHADOW_READERS & ~reader(channel) : 0;
	u64 i;

	for (i = 0; i < size; i++) {
		u8 writes = shadow[i] & SHADOW_WRITER;

		if (shadow[i] & others || (writes && writes != writer(channel)))
			return exec_trap(e, "SRAM %llu is in use by another channel",
					 (unsigned long long)(address + i));
		if (dir == RONDO_DMA_OUT && !(shadow[i] & SHADOW_DEFINED))
			return exec_trap(e, "SRAM %llu is sent before it is written",
					 (unsigned long long)(address + i));
	}
	return true;
}

void sram_mark_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size)
{
	u8 *shadow = e->shadow + address;
	u64 i;

	for (i = 0; i < size; i++)
		if (dir == RONDO_DMA_IN)
			shadow[i] = (shadow[i] & ~SHADOW_WRITER) | writer(channel) | SHADOW_DEFINED;
		else
			shadow[i] |= reader(channel);
}

void sram_unmark_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size)
{
	u8 *shadow = e->shadow + address;
	u8 mark = dir == RONDO_DMA_IN ? SHADOW_WRITER : reader(channel);
	u64 i;

	for (i = 0; i < size; i++)
		shadow[i] &= ~mark;
}
