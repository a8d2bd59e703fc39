/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Page lists and the copies through them. Runs of pages that are consecutive on
 * the bus are one access.
 */
#include "emulator/device/binding.h"

/* Number of pages for @bytes, without overflow. */
static u64 pages_for(u64 bytes)
{
	return bytes / RONDO_PAGE_BYTES + (bytes % RONDO_PAGE_BYTES != 0);
}

/*
 * A walk along a chain of nodes that the guest wrote, and that may lead in a circle. The walk
 * remembers one node, a later one whenever the number of steps has doubled, and ends when it comes
 * to that node again (R. P. Brent, 1980).
 */
struct walk {
	u64 remembered;
	u64 steps;
	u64 next; /* number of the step whose node is the next to be remembered */
};

/* Whether the walk may go to the node at @node. */
static bool walk_to(struct walk *w, u64 node)
{
	if (!node || node == w->remembered)
		return false;
	if (w->steps++ == w->next) {
		w->remembered = node;
		w->next = 2 * w->steps;
	}
	return true;
}

/* Reads the first @pages addresses of the page list at @list into @page. */
static bool read_page_list(struct emu_device *dev, u64 list, u64 pages, u64 *page)
{
	struct rondo_page_list node;
	struct walk walk = { 0 };
	u64 done, i;

	for (done = 0; done < pages; list = node.next) {
		if (!walk_to(&walk, list) || list % RONDO_PAGE_BYTES ||
		    atomic_load(&dev->seq.stop) ||
		    !emu_dma_read(dev, EMU_DMA_SEQUENCER, list, &node, sizeof(node)))
			return false;
		for (i = 0; i < RONDO_PAGE_LIST_ENTRIES && done < pages; i++) {
			if (node.page[i] % RONDO_PAGE_BYTES)
				return false;
			page[done++] = node.page[i];
		}
	}
	return true;
}

/* The addresses of the page list at @list, @pages of them, in newly allocated memory. */
static enum rondo_seq_status fetch_page_list(struct emu_device *dev, u64 list, u64 pages, u64 **out)
{
	struct emu_budget *budget = &dev->seq.budget;
	u64 *page;

	if (pages > EMU_SLOT_PAGES_MAX)
		return RONDO_SEQ_HOST_REFUSED;
	page = emu_budget_calloc(budget, pages, sizeof(*page));
	if (!page)
		return RONDO_SEQ_NO_MEMORY;
	if (!read_page_list(dev, list, pages, page)) {
		emu_budget_free(budget, page, pages, sizeof(*page));
		return RONDO_SEQ_HOST_REFUSED;
	}
	*out = page;
	return RONDO_SEQ_OK;
}

/* How many of @size bytes from byte @at on lie at consecutive addresses. */
static u64 contiguous(const u64 *page, u64 at, u64 size)
{
	u64 i = at / RONDO_PAGE_BYTES, run = RONDO_PAGE_BYTES - at % RONDO_PAGE_BYTES;

	for (; run < size && page[i + 1] == page[i] + RONDO_PAGE_BYTES; i++)
		run += RONDO_PAGE_BYTES;
	return run < size ? run : size;
}

/* Copies @size bytes from byte @at of the pages to @to; or, if that is NULL, there from @from. */
static bool copy(struct emu_device *dev, const u64 *page, u64 at, u8 *to, const u8 *from, u64 size)
{
	u64 done, n;

	for (done = 0; done < size; done += n, at += n) {
		u64 addr = page[at / RONDO_PAGE_BYTES] + at % RONDO_PAGE_BYTES;

		n = contiguous(page, at, size - done);
		if (to ? !emu_dma_read(dev, EMU_DMA_SEQUENCER, addr, to + done, n) :
			 !emu_dma_write(dev, EMU_DMA_SEQUENCER, addr, from + done, n))
			return false;
	}
	return true;
}

enum rondo_seq_status emu_read_pages(struct emu_device *dev, u64 list, void *to, u64 size)
{
	u64 pages = pages_for(size);
	enum rondo_seq_status status;
	u64 *page = NULL;

	status = fetch_page_list(dev, list, pages, &page);
	if (status != RONDO_SEQ_OK)
		return status;
	if (!copy(dev, page, 0, to, NULL, size))
		status = RONDO_SEQ_HOST_REFUSED;
	emu_budget_free(&dev->seq.budget, page, pages, sizeof(*page));
	return status;
}

enum rondo_seq_status emu_slot_init(struct emu_device *dev, struct emu_slot *slot,
				    const struct rondo_slot_binding *from)
{
	u64 end;

	memset(slot, 0, sizeof(*slot));
	if (check_add_overflow(from->offset, from->size, &end))
		return RONDO_SEQ_BAD_COMMAND;
	slot->offset = from->offset;
	slot->size = from->size;
	slot->pages = from->size ? pages_for(end) : 0;
	if (!slot->pages)
		return RONDO_SEQ_OK;
	return fetch_page_list(dev, from->pages, slot->pages, &slot->page);
}

void emu_slot_fini(struct emu_device *dev, struct emu_slot *slot)
{
	emu_budget_free(&dev->seq.budget, slot->page, slot->pages, sizeof(*slot->page));
}

/* Copies from the slot to @to, or if that is NULL from @from to it; false if that leaves the slot.
 */
static bool access_slot(const struct emu_binding *b, u32 number, u64 offset, void *to,
			const void *from, u64 size)
{
	const struct emu_slot *slot = &b->slot[number];
	u64 end;

	emu_sequencer_access(b->dev);
	return !check_add_overflow(slot->chosen, offset, &offset) &&
	       !check_add_overflow(offset, size, &end) && end <= slot->size &&
	       copy(b->dev, slot->page, slot->offset + offset, to, from, size);
}

bool emu_binding_read(void *binding, u32 slot, u64 offset, void *to, u64 size)
{
	return access_slot(binding, slot, offset, to, NULL, size);
}

bool emu_binding_write(void *binding, u32 slot, u64 offset, const void *from, u64 size)
{
	return access_slot(binding, slot, offset, NULL, from, size);
}
