/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the device can reach.
 *
 * Everything that is mapped for the device stands in one list, so that remove can
 * take all of it back while open files still hold the objects it belongs to.
 */
#ifndef RONDO_DMA_H
#define RONDO_DMA_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/scatterlist.h>

struct dma_buf_attachment;
struct page;
struct rondo_device;

/* A zeroed piece of coherent memory. */
struct rondo_dma_block {
	void *cpu;
	dma_addr_t addr;
};

struct rondo_dma {
	/** @node: in rondo_device.dma_list; empty: nothing is mapped */
	struct list_head node;
	/** @block: coherent memory: @block_count pieces of @block_bytes */
	struct rondo_dma_block *block;
	u32 block_count;
	size_t block_bytes;
	/** @sgt: pages listed in the blocks, if @sgt.sgl */
	struct sg_table sgt;
	enum dma_data_direction dir;
	/** @sync: what the page list names are copies, to be kept up by rondo_dma_sync() */
	bool sync;
	/** @attach: to somebody else's buffer; NULL: none */
	struct dma_buf_attachment *attach;
	/** @imported: that buffer, mapped in @dir; NULL: not mapped */
	struct sg_table *imported;
};

/* One zeroed block of @bytes: its first block holds cpu and bus address. */
int rondo_dma_alloc(struct rondo_device *rdev, struct rondo_dma *dma, size_t bytes);

/*
 * Maps @count @pages and describes them in a page list (struct rondo_page_list) whose
 * address is that of the first block.
 */
int rondo_dma_map_pages(struct rondo_device *rdev, struct rondo_dma *dma, struct page **pages,
			unsigned int count, enum dma_data_direction dir);

/* Takes over the attachment @attach, to be mapped in @dir; not if this fails. */
int rondo_dma_import(struct rondo_device *rdev, struct rondo_dma *dma,
		     struct dma_buf_attachment *attach, enum dma_data_direction dir);

/* Maps what @import is attached to, and is not mapped, and describes it in a page list @dma. */
int rondo_dma_map_import(struct rondo_device *rdev, struct rondo_dma *dma,
			 struct rondo_dma *import);

/* Unmaps it, if remove has not; its page list is taken back before. */
void rondo_dma_unmap_import(struct rondo_device *rdev, struct rondo_dma *import);

/*
 * Before and after a replay: lets the device see bytes @from to @to of the buffer behind the page
 * list @view as the CPU has written them, or the CPU as the device has. Does nothing where both
 * see the same memory; sleeps nowhere. The list is not taken back meanwhile.
 */
void rondo_dma_sync(struct rondo_device *rdev, const struct rondo_dma *view, u64 from, u64 to,
		    bool for_device);

/* Takes it back. A zeroed one is fine, and so is one that rondo_dma_close() took back. */
void rondo_dma_free(struct rondo_device *rdev, struct rondo_dma *dma);

/* Takes everything back, for good. The device must have stopped. */
void rondo_dma_close(struct rondo_device *rdev);

#endif
