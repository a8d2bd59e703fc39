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

/* From the host to @to; or, if that is NULL, from @from to the host. */
static bool transfer(struct emu_device *dev, enum emu_dma_user user, u64 addr, u8 *to,
		     const u8 *from, u64 size)
{
	u64 done, piece = size;

	if (!admitted(dev, user, addr, size))
		return false;
	for (done = 0; done < size; done += piece, piece = size - done) {
		void *p = NULL;

		if (!atomic_load(&dev->stop))
			p = dev->ops->dma_map(dev->host, addr + done, &piece, !to);
		if (!p)
			return false;
		if (to)
			copy_from_host(user, to + done, p, piece);
		else
			copy_to_host(user, p, from + done, piece);
		if (from && user == EMU_DMA_SEQUENCER)
			emu_fault_hit(dev, EMU_FAULT_seq_writes);
		dev->ops->dma_unmap(dev->host, p, piece, !to);
	}
	return true;
}

bool emu_dma_read(struct emu_device *dev, enum emu_dma_user user, u64 addr, void *to, u64 size)
{
	return transfer(dev, user, addr, to, NULL, size);
}

bool emu_dma_write(struct emu_device *dev, enum emu_dma_user user, u64 addr, const void *from,
		   u64 size)
{
	return transfer(dev, user, addr, NULL, from, size);
}
