/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copies between the host's memory and the device: map, copy, unmap, piece by
 * piece. No pointer to the host's memory outlives a piece.
 *
 * The host polls what the management core writes, and writes what the core
 * polls. So its copies go word by word in ascending order, each aligned word of
 * the host's memory in one access that publishes what was written before.
 */
#include "emulator/device/device.h"

/* Whether an access may begin at all. */
static bool admitted(struct emu_device *dev, enum emu_dma_user user, u64 addr, u64 size)
{
	u64 end;

	if (check_add_overflow(addr, size, &end))
		return false;
	return !emu_fault_take(dev,
			       user == EMU_DMA_MGMT ? EMU_FAULT_copy_fail : EMU_FAULT_seq_dma_fail);
}

/* Maps the next piece of at most *@size bytes; NULL if refused or the device is to stop. */
static void *map_piece(struct emu_device *dev, u64 addr, u64 *size, bool write)
{
	return atomic_load(&dev->stop) ? NULL : dev->ops->dma_map(dev->host, addr, size, write);
}

static void copy_from_host(enum emu_dma_user user, u8 *to, const u8 *p, u64 size)
{
	if (user == EMU_DMA_MGMT && (uintptr_t)p % 4 == 0)
		for (; size >= 4; size -= 4, to += 4, p += 4) {
			u32 word = __atomic_load_n((const u32 *)p, __ATOMIC_ACQUIRE);

			memcpy(to, &word, 4);
		}
	memcpy(to, p, size);
}

static void copy_to_host(enum emu_dma_user user, u8 *p, const u8 *from, u64 size)
{
	if (user == EMU_DMA_MGMT && (uintptr_t)p % 4 == 0)
		for (; size >= 4; size -= 4, from += 4, p += 4) {
			u32 word;

			memcpy(&word, from, 4);
			__atomic_store_n((u32 *)p, word, __ATOMIC_RELEASE);
		}
	memcpy(p, from, size);
}

bool emu_dma_read(struct emu_device *dev, enum emu_dma_user user, u64 addr, void *to, u64 size)
{
	u8 *out = to;

	if (!admitted(dev, user, addr, size))
		return false;
	while (size) {
		u64 piece = size;
		void *p = map_piece(dev, addr, &piece, false);

		if (!p)
			return false;
		copy_from_host(user, out, p, piece);
		dev->ops->dma_unmap(dev->host, p, piece, false);
		addr += piece;
		out += piece;
		size -= piece;
	}
	return true;
}

bool emu_dma_write(struct emu_device *dev, enum emu_dma_user user, u64 addr, const void *from,
		   u64 size)
{
	const u8 *in = from;

	if (!admitted(dev, user, addr, size))
		return false;
	while (size) {
		u64 piece = size;
		void *p = map_piece(dev, addr, &piece, true);

		if (!p)
			return false;
		copy_to_host(user, p, in, piece);
		dev->ops->dma_unmap(dev->host, p, piece, true);
		addr += piece;
		in += piece;
		size -= piece;
	}
	return true;
}
