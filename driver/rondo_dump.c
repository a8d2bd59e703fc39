// SPDX-License-Identifier: GPL-2.0-only
#include <linux/devcoredump.h>
#include <linux/vmalloc.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"

enum { RONDO_DUMP_BYTES = 65536 }; /* of text; more is cut off */

static void print(struct rondo_device *rdev, struct drm_printer *p)
{
	const struct rondo_dump *dump = &rdev->dump;
	const struct rondo_fw_event *replay = &dump->replay;
	u32 version = READ_ONCE(rdev->fw.version);

	drm_printf(p, "rondo: %s\n", dump->reason);
	drm_printf(p, "time: %lld ns\n", ktime_to_ns(dump->time));
	drm_printf(p, "firmware: %u.%u\n", version >> 16, version & 0xffff);
	if (replay->type)
		drm_printf(p, "replay: queue %u, entry %llu, result %u, bundle %u, cycles %llu\n",
			   replay->queue, replay->seqno, replay->result, replay->bundle,
			   replay->cycles);
	drm_puts(p, "\nregisters:\n");
	rondo_hw_dump_print(dump->regs, p);
	rondo_ring_dump_print(dump->rings, p);
}

static void dump_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, dump.work);
	char *text = vzalloc(RONDO_DUMP_BYTES);
	struct drm_print_iterator text_end = { .data = text, .remain = RONDO_DUMP_BYTES };
	struct drm_printer p = drm_coredump_printer(&text_end);

	if (text) {
		print(rdev, &p);
		/* It frees the text. */
		dev_coredumpv(rdev->drm.dev, text, RONDO_DUMP_BYTES - text_end.remain, GFP_KERNEL);
	}
	atomic_set_release(&rdev->dump.taken, 0);
}

void rondo_dump_take(struct rondo_device *rdev, const char *reason,
		     const struct rondo_fw_event *replay)
{
	struct rondo_dump *dump = &rdev->dump;

	lockdep_assert_held(&rdev->ring.event_lock);

	if (atomic_cmpxchg(&dump->taken, 0, 1))
		return;
	dump->reason = reason;
	dump->time = ktime_get_boottime();
	dump->replay = replay ? *replay : (struct rondo_fw_event){};
	rondo_hw_dump(&rdev->hw, dump->regs);
	rondo_ring_dump(rdev, dump->rings);
	queue_work(rondo_release_wq, &dump->work);
}

static void free_rings(struct drm_device *drm, void *rings)
{
	vfree(rings);
}

int rondo_dump_init(struct rondo_device *rdev)
{
	struct rondo_dump *dump = &rdev->dump;

	INIT_WORK(&dump->work, dump_work);
	dump->rings = vzalloc(rondo_ring_dump_bytes());
	if (!dump->rings)
		return -ENOMEM;
	return drmm_add_action_or_reset(&rdev->drm, free_rings, dump->rings);
}

void rondo_dump_fini(struct rondo_device *rdev)
{
	flush_work(&rdev->dump.work);
}
