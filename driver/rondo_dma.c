// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "driver/rondo_device.h"

/*
 * Sometimes the device cannot reach the memory itself but only a copy of it (SWIOTLB, as in a guest
 * whose memory is encrypted). Then what the CPU has written is copied before a replay, and back
 * what the device has written after it: by rondo_dma_sync(), and by nothing else, since a copy at
 * any other time would undo what one of them has written since.
 */
static bool needs_sync(struct rondo_device *rdev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	u32 i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		if (dma_need_sync(rdev->drm.dev, sg_dma_address(sg)))
			return true;
	return false;
}

/* Not by dma_sync_sgtable_for_device(): the pages of a foreign table are not ours to look at. */
static void sync_for_device(struct rondo_device *rdev, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	struct scatterlist *sg;
	u32 i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		dma_sync_single_for_device(rdev->drm.dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static void unmap_import_locked(struct rondo_device *rdev, struct rondo_dma *dma)
{
	lockdep_assert_held(&rdev->dma_lock);

	if (!dma->imported)
		return;
	/* The exporter copies back all of it, if it could be written. */
	if (dma->dir == DMA_BIDIRECTIONAL && needs_sync(rdev, dma->imported))
		sync_for_device(rdev, dma->imported, dma->dir);
	dma_buf_unmap_attachment_unlocked(dma->attach, dma->imported, dma->dir);
	dma->imported = NULL;
}

static void release_locked(struct rondo_device *rdev, struct rondo_dma *dma)
{
	struct device *dev = rdev->drm.dev;
	u32 i;

	lockdep_assert_held(&rdev->dma_lock);

	for (i = 0; i < dma->block_count; i++)
		if (dma->block[i].cpu)
			dma_free_coherent(dev, dma->block_bytes, dma->block[i].cpu,
					  dma->block[i].addr);
	if (dma->sgt.sgl) {
		dma_unmap_sgtable(dev, &dma->sgt, dma->dir, DMA_ATTR_SKIP_CPU_SYNC);
		sg_free_table(&dma->sgt);
	}
	if (dma->attach) {
		unmap_import_locked(rdev, dma);
		/* Some exporters take the mapping back only when the attachment goes. */
		dma_buf_detach(dma->attach->dmabuf, dma->attach);
		dma->attach = NULL;
	}
	kvfree(dma->block);
	list_del_init(&dma->node);
	dma->block = NULL;
	dma->block_count = 0;
}

/* Allocates @count blocks; the caller calls release_locked() if anything fails later. */
static int alloc_locked(struct rondo_device *rdev, struct rondo_dma *dma, u32 count, size_t bytes)
{
	u32 i;

	lockdep_assert_held(&rdev->dma_lock);

	dma->block = kvcalloc(count, sizeof(*dma->block), GFP_KERNEL_ACCOUNT);
	if (!dma->block)
		return -ENOMEM;
	dma->block_count = count;
	dma->block_bytes = bytes;
	for (i = 0; i < count; i++) {
		dma->block[i].cpu = dma_alloc_coherent(rdev->drm.dev, bytes, &dma->block[i].addr,
						       GFP_KERNEL_ACCOUNT);
		if (!dma->block[i].cpu)
			return -ENOMEM;
	}
	return 0;
}

/* Takes its place in the list; from here on rondo_dma_close() finds it. */
static int open_locked(struct rondo_device *rdev, struct rondo_dma *dma)
{
	lockdep_assert_held(&rdev->dma_lock);

	memset(dma, 0, sizeof(*dma));
	INIT_LIST_HEAD(&dma->node);
	if (rdev->dma_closed)
		return -ENODEV;
	list_add_tail(&dma->node, &rdev->dma_list);
	return 0;
}

int rondo_dma_alloc(struct rondo_device *rdev, struct rondo_dma *dma, size_t bytes)
{
	int ret;

	mutex_lock(&rdev->dma_lock);
	ret = open_locked(rdev, dma);
	if (!ret) {
		ret = alloc_locked(rdev, dma, 1, bytes);
		if (ret)
			release_locked(rdev, dma);
	}
	mutex_unlock(&rdev->dma_lock);
	return ret;
}

/* Writes the page list of @sgt, which holds @bytes, into new blocks, chained in order. */
static int list_locked(struct rondo_device *rdev, struct rondo_dma *dma, struct sg_table *sgt,
		       u64 bytes)
{
	struct rondo_page_list *list = NULL;
	struct scatterlist *sg;
	u64 pages = 0, n = 0, at;
	u32 i;
	int ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!IS_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg), RONDO_PAGE_BYTES))
			return -EINVAL;
		pages += sg_dma_len(sg) / RONDO_PAGE_BYTES;
	}
	if (!bytes || pages * RONDO_PAGE_BYTES < bytes)
		return -EINVAL; /* an exporter that does not keep its word */
	ret = alloc_locked(rdev, dma, DIV_ROUND_UP(pages, RONDO_PAGE_LIST_ENTRIES),
			   sizeof(struct rondo_page_list));
	if (ret)
		return ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		for (at = 0; at < sg_dma_len(sg); at += RONDO_PAGE_BYTES, n++) {
			u64 block = n / RONDO_PAGE_LIST_ENTRIES;

			if (n % RONDO_PAGE_LIST_ENTRIES == 0) {
				if (list)
					list->next = dma->block[block].addr;
				list = dma->block[block].cpu;
			}
			list->page[n % RONDO_PAGE_LIST_ENTRIES] = sg_dma_address(sg) + at;
		}
	}
	dma->sync = needs_sync(rdev, sgt);
	if (dma->sync)
		WRITE_ONCE(rdev->dma_sync, true);
	return 0;
}

int rondo_dma_map_pages(struct rondo_device *rdev, struct rondo_dma *dma, struct page **pages,
			unsigned int count, enum dma_data_direction dir)
{
	size_t piece = min_t(size_t, dma_max_mapping_size(rdev->drm.dev), UINT_MAX);
	struct sg_table sgt;
	int ret;

	ret = sg_alloc_table_from_pages_segment(&sgt, pages, count, 0, (size_t)count << PAGE_SHIFT,
						round_down(piece, PAGE_SIZE), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	mutex_lock(&rdev->dma_lock);
	ret = open_locked(rdev, dma);
	if (ret)
		goto err_free_table;
	ret = dma_map_sgtable(rdev->drm.dev, &sgt, dir, DMA_ATTR_NO_WARN);
	if (ret) {
		release_locked(rdev, dma);
		/* That no room is left for copies is told as the unknown error. */
		ret = ret == -EIO ? -ENOMEM : ret;
		goto err_free_table;
	}
	dma->sgt = sgt;
	dma->dir = dir;
	ret = list_locked(rdev, dma, &dma->sgt, (u64)count << PAGE_SHIFT);
	if (ret)
		release_locked(rdev, dma);
	mutex_unlock(&rdev->dma_lock);
	return ret;

err_free_table:
	mutex_unlock(&rdev->dma_lock);
	sg_free_table(&sgt);
	return ret;
}

int rondo_dma_import(struct rondo_device *rdev, struct rondo_dma *dma,
		     struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	int ret;

	mutex_lock(&rdev->dma_lock);
	ret = open_locked(rdev, dma);
	if (!ret) {
		dma->attach = attach;
		dma->dir = dir;
	}
	mutex_unlock(&rdev->dma_lock);
	return ret;
}

int rondo_dma_map_import(struct rondo_device *rdev, struct rondo_dma *dma, struct rondo_dma *import)
{
	struct sg_table *sgt;
	int ret;

	mutex_lock(&rdev->dma_lock);
	ret = open_locked(rdev, dma);
	if (ret)
		goto out;
	sgt = dma_buf_map_attachment_unlocked(import->attach, import->dir);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret) {
		import->imported = sgt;
		dma->dir = import->dir;
		ret = list_locked(rdev, dma, sgt, import->attach->dmabuf->size);
	}
	if (ret) {
		release_locked(rdev, dma);
		unmap_import_locked(rdev, import);
	}
out:
	mutex_unlock(&rdev->dma_lock);
	return ret;
}

void rondo_dma_unmap_import(struct rondo_device *rdev, struct rondo_dma *import)
{
	mutex_lock(&rdev->dma_lock);
	unmap_import_locked(rdev, import);
	mutex_unlock(&rdev->dma_lock);
}

void rondo_dma_sync(struct rondo_device *rdev, const struct rondo_dma *view, u64 from, u64 to,
		    bool for_device)
{
	struct device *dev = rdev->drm.dev;
	u64 bytes;

	if (!view->sync)
		return;
	for (; from < to; from += bytes) {
		u64 page = from / RONDO_PAGE_BYTES;
		struct rondo_page_list *list = view->block[page / RONDO_PAGE_LIST_ENTRIES].cpu;
		dma_addr_t addr =
			list->page[page % RONDO_PAGE_LIST_ENTRIES] + from % RONDO_PAGE_BYTES;

		bytes = min(to - from, RONDO_PAGE_BYTES - from % RONDO_PAGE_BYTES);
		if (for_device)
			dma_sync_single_for_device(dev, addr, bytes, view->dir);
		else
			dma_sync_single_for_cpu(dev, addr, bytes, view->dir);
	}
}

void rondo_dma_free(struct rondo_device *rdev, struct rondo_dma *dma)
{
	mutex_lock(&rdev->dma_lock);
	if (dma->block || dma->attach)
		release_locked(rdev, dma);
	mutex_unlock(&rdev->dma_lock);
}

void rondo_dma_close(struct rondo_device *rdev)
{
	struct rondo_dma *dma, *next;

	mutex_lock(&rdev->dma_lock);
	rdev->dma_closed = true;
	list_for_each_entry_safe(dma, next, &rdev->dma_list, node)
		release_locked(rdev, dma);
	mutex_unlock(&rdev->dma_lock);
}
