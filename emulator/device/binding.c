/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Page lists and the copies through them. Runs of pages that are consecutive on
 * the bus are one access.
 */
#include <stdlib.h>

#include "emulator/device/binding.h"

/* Number of pages for @bytes, without overflow. */
static u64 pages_for(u64 bytes)
{
	return bytes / RONDO_PAGE_BYTES + (bytes % RONDO_PAGE_BYTES != 0);
}

/*
 * Reads the first @pages addresses of the page list at @list into the newly
 * allocated *@out. Memory grows with what has been read, not with @pages.
 */
static enum rondo_seq_status read_page_list(struct emu_device *dev, u64 list, u64 pages, u64 **out)
{
	struct rondo_page_list node;
	u64 *page = NULL;
	u64 done, i;

	if (pages > EMU_SLOT_PAGES_MAX)
		return RONDO_SEQ_DMA_ERROR;
	for (done = 0; done < pages; list = node.next) {
		u64 n = pages - done < RONDO_PAGE_LIST_ENTRIES ? pages - done :
								 RONDO_PAGE_LIST_ENTRIES;
		u64 *grown = realloc(page, (done + n) * sizeof(*page));

		if (!grown) {
			free(page);
			return RONDO_SEQ_NO_MEMORY;
		}
		page = grown;
		if (!list || list % RONDO_PAGE_BYTES || atomic_load(&dev->seq.stop) ||
		    !emu_dma_read(dev, EMU_DMA_SEQUENCER, list, &node, sizeof(node)))
			goto refused;
		for (i = 0; i < n; i++) {
			if (node.page[i] % RONDO_PAGE_BYTES)
				goto refused;
			page[done++] = node.page[i];
		}
	}
	*out = page;
	return RONDO_SEQ_DONE;
refused:
	free(page);
	return RONDO_SEQ_DMA_ERROR;
}

/* The run of bytes from @at that lies in consecutive bus addresses: its address, and *@size cut. */
static u64 contiguous(const u64 *page, u64 at, u64 *size)
{
	u64 first = at / RONDO_PAGE_BYTES, last = first;
	u64 inside = at % RONDO_PAGE_BYTES;
	u64 run = RONDO_PAGE_BYTES - inside;

	while (run < *size && page[last + 1] == page[last] + RONDO_PAGE_BYTES) {
		run += RONDO_PAGE_BYTES;
		last++;
	}
	if (run < *size)
		*size = run;
	return page[first] + inside;
}

enum rondo_seq_status emu_read_pages(struct emu_device *dev, u64 list, void *to, u64 size)
{
	enum rondo_seq_status status;
	u64 *page = NULL;
	u64 at = 0;

	status = read_page_list(dev, list, pages_for(size), &page);
	if (status != RONDO_SEQ_DONE)
		return status;
	while (at < size && status == RONDO_SEQ_DONE) {
		u64 n = size - at;
		u64 addr = contiguous(page, at, &n);

		if (!emu_dma_read(dev, EMU_DMA_SEQUENCER, addr, (u8 *)to + at, n))
			status = RONDO_SEQ_DMA_ERROR;
		at += n;
	}
	free(page);
	return status;
}

enum rondo_seq_status emu_slot_init(struct emu_device *dev, struct emu_slot *slot,
				    const struct rondo_slot_binding *from)
{
	u64 end;

	memset(slot, 0, sizeof(*slot));
	if (check_add_overflow(from->offset, from->size, &end))
		return RONDO_SEQ_BAD_ARGS;
	slot->offset = from->offset;
	slot->size = from->size;
	slot->pages = from->size ? pages_for(end) : 0;
	return read_page_list(dev, from->pages, slot->pages, &slot->page);
}

void emu_slot_fini(struct emu_slot *slot)
{
	free(slot->page);
	slot->page = NULL;
}

/* Where in the pages an access begins; false if it leaves the slot. */
static bool locate(const struct emu_slot *slot, u64 offset, u64 size, u64 *at)
{
	u64 end;

	if (check_add_overflow(slot->chosen, offset, &offset) ||
	    check_add_overflow(offset, size, &end) || end > slot->size)
		return false;
	*at = slot->offset + offset;
	return true;
}

bool emu_slot_read(struct emu_device *dev, const struct emu_slot *slot, u64 offset, void *to,
		   u64 size)
{
	u8 *out = to;
	u64 at;

	if (!locate(slot, offset, size, &at))
		return false;
	while (size) {
		u64 n = size;
		u64 addr = contiguous(slot->page, at, &n);

		if (!emu_dma_read(dev, EMU_DMA_SEQUENCER, addr, out, n))
			return false;
		at += n;
		out += n;
		size -= n;
	}
	return true;
}

bool emu_slot_write(struct emu_device *dev, const struct emu_slot *slot, u64 offset,
		    const void *from, u64 size)
{
	const u8 *in = from;
	u64 at;

	if (!locate(slot, offset, size, &at))
		return false;
	while (size) {
		u64 n = size;
		u64 addr = contiguous(slot->page, at, &n);

		if (!emu_dma_write(dev, EMU_DMA_SEQUENCER, addr, in, n))
			return false;
		at += n;
		in += n;
		size -= n;
	}
	return true;
}
