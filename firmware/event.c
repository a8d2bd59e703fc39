/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The event ring: answers and completions for the host. Nothing is ever dropped from it. */
#include "firmware/firmware.h"

static bool has_room(const struct firmware *fw)
{
	return fw->status.event_tail - fw->status.event_head < fw->init.event_count;
}

bool event_room(struct firmware *fw)
{
	if (fw->state != RONDO_FW_STATE_READY)
		return false;
	if (has_room(fw) || (status_read(fw) && has_room(fw)))
		return true;
	fw->blocked = true;
	return false;
}

void event_post(struct firmware *fw, struct rondo_fw_event *event)
{
	u32 element = fw->status.event_tail & (fw->init.event_count - 1);

	event->time = hal_time();
	if (!host_write(fw, fw->init.events + (u64)element * sizeof(*event), event, sizeof(*event)))
		return;
	fw->status.event_tail++;
	fw->changed = true;
	fw->posted = true;
	fw->coalescing = false;
	fw->patient = 0;
	hal_progress();
}
