/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The life of the firmware: handshake with the host, one turn of the loop after another, the end.
 */
#include "firmware/firmware.h"

void fw_stop(struct firmware *fw, enum rondo_fw_state state)
{
	bool ready = fw->state == RONDO_FW_STATE_READY;

	if (fw->state > RONDO_FW_STATE_READY)
		return;
	fw->state = state;
	if (fw->seq.command)
		hal_seq_abort();
	if (ready)
		status_write(fw);
	hal_timer_stop();
	hal_set_state(state);
	hal_irq_fault();
}

static bool ring_ok(u64 addr, u32 count, u32 min, u32 max)
{
	return addr % RONDO_FW_RING_ALIGN == 0 && count >= min && count <= max &&
	       !(count & (count - 1));
}

static bool init_ok(const struct rondo_fw_init *init)
{
	return init->magic == RONDO_FW_IMAGE_MAGIC && init->version >> 16 == RONDO_FW_MAJOR &&
	       init->status % RONDO_FW_RING_ALIGN == 0 &&
	       ring_ok(init->admin, init->admin_count, 1, RONDO_FW_ADMIN_ENTRIES_MAX) &&
	       ring_ok(init->events, init->event_count, 1, RONDO_FW_EVENT_ENTRIES_MAX) &&
	       ring_ok(init->log, init->log_size, RONDO_FW_LOG_BYTES_MIN, RONDO_FW_LOG_BYTES_MAX) &&
	       !init->reserved;
}

bool fw_boot(struct firmware *fw)
{
	u64 addr = hal_init_addr();

	hal_set_version(RONDO_FW_VERSION);
	if (addr % sizeof(u64)) {
		fw_stop(fw, RONDO_FW_STATE_BAD_INIT);
		return false;
	}
	if (!host_read(fw, &fw->init, addr, sizeof(fw->init)))
		return false;
	if (!init_ok(&fw->init)) {
		fw_stop(fw, RONDO_FW_STATE_BAD_INIT);
		return false;
	}
	fw->state = RONDO_FW_STATE_READY;
	fw_log(fw, "firmware %u.%u: ready", (u32)RONDO_FW_MAJOR, (u32)RONDO_FW_MINOR);
	if (!status_read(fw))
		return false;
	fw->changed = true;
	status_publish(fw);
	if (fw->state != RONDO_FW_STATE_READY)
		return false;
	hal_timer_start(FW_HEARTBEAT_NS);
	hal_heartbeat();
	hal_set_state(RONDO_FW_STATE_READY);
	return true;
}

/*
 * Heartbeats are of the timer alone: no load can delay one by more than a turn. Returns the wall
 * time in ns that the timer has run, 0 if it has not fired.
 */
static u64 timer_serve(struct firmware *fw)
{
	u64 ns = fw->polling ? FW_POLL_NS : FW_HEARTBEAT_NS;

	if (!hal_timer_fired())
		return 0;
	hal_heartbeat();
	fw->polling = false;
	hal_timer_start(FW_HEARTBEAT_NS);
	return ns;
}

bool fw_turn(struct firmware *fw)
{
	u64 passed = timer_serve(fw);

	/* Bells are cleared before indices are read: one that rings later is not lost. */
	if ((hal_bells_take() || passed) && !status_read(fw))
		return false;
	if (passed)
		fw->coalescing = false;
	fw->more = false;
	fw->blocked = false;
	seq_serve(fw);
	if (passed)
		seq_watch(fw, passed);
	admin_serve(fw);
	admin_serve_deferred(fw);
	queues_serve(fw);
	status_publish(fw);
	if (fw->state != RONDO_FW_STATE_READY)
		return false;
	if (fw->blocked && !fw->polling) {
		fw->polling = true;
		hal_timer_start(FW_POLL_NS);
	}
	return true;
}

void fw_trap(struct firmware *fw, u32 cause, u32 pc, u32 value)
{
	fw_log(fw, "trap: cause %x at %x, value %x", cause, pc, value);
	fw_stop(fw, RONDO_FW_STATE_TRAP);
}
