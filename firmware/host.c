/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* All access to host memory: copies, and the page of indices that both sides poll. */
#include "firmware/firmware.h"

bool host_read(struct firmware *fw, void *local, u64 addr, u32 size)
{
	if (hal_copy_in(local, addr, size))
		return true;
	fw_log(fw, "host refused read at %x:%x", (u32)(addr >> 32), (u32)addr);
	fw_stop(fw, RONDO_FW_STATE_HOST_ERROR);
	return false;
}

bool host_write(struct firmware *fw, u64 addr, const void *local, u32 size)
{
	if (hal_copy_out(addr, local, size))
		return true;
	fw_log(fw, "host refused write at %x:%x", (u32)(addr >> 32), (u32)addr);
	fw_stop(fw, RONDO_FW_STATE_HOST_ERROR);
	return false;
}

/* Are all indices that the host wrote at most a ring ahead? Logs the first that is not. */
static bool indices_ok(struct firmware *fw)
{
	const struct rondo_fw_status *s = &fw->status;

	if (s->admin_tail - s->admin_head > fw->init.admin_count) {
		fw_log(fw, "bad admin_tail %u, head %u", s->admin_tail, s->admin_head);
		return false;
	}
	if (s->event_tail - s->event_head > fw->init.event_count) {
		fw_log(fw, "bad event_head %u, tail %u", s->event_head, s->event_tail);
		return false;
	}
	for (u32 q = 0; q < fw->queues; q++) {
		const struct fw_queue *queue = &fw->queue[q];

		if (queue->used && s->queue_tail[q] - s->queue_head[q] > queue->count) {
			fw_log(fw, "queue %u: bad tail %u, head %u", q, s->queue_tail[q],
			       s->queue_head[q]);
			return false;
		}
	}
	return true;
}

bool status_read(struct firmware *fw)
{
	if (!host_read(fw, &fw->status, fw->init.status,
		       offsetof(struct rondo_fw_status, admin_head)))
		return false;
	if (indices_ok(fw))
		return true;
	fw_stop(fw, RONDO_FW_STATE_PROTOCOL);
	return false;
}

bool status_write(struct firmware *fw)
{
	const u32 at = offsetof(struct rondo_fw_status, admin_head);

	fw->changed = false;
	return hal_copy_out(fw->init.status + at, (const u8 *)&fw->status + at,
			    sizeof(fw->status) - at);
}

void status_publish(struct firmware *fw)
{
	if (fw->state != RONDO_FW_STATE_READY)
		return;
	if (fw->changed && !status_write(fw)) {
		fw_stop(fw, RONDO_FW_STATE_HOST_ERROR);
		return;
	}
	if (!fw->posted || fw->coalescing)
		return;
	hal_irq_event();
	fw->posted = false;
	fw->waited = 0;
}
