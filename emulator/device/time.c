/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Device time, in cycles since the device was switched on.
 *
 * The rule:
 *  - while the management core executes, each of its instructions is a cycle;
 *  - a replay that begins at t and takes c cycles ends at t + c (or later, if
 *    firmware has worked longer meanwhile: the two run side by side);
 *  - while nothing is pending (the device is ON, the core waits and nothing has
 *    woken it, or it is silent, and the sequencer has no command), time follows the
 *    host's clock at the machine's nominal rate;
 *  - otherwise it stands: OFF (then it is 0), DEAD, and while the sequencer does
 *    anything other than a replay.
 * So it never counts how slow the emulator is. It never goes back.
 */
#include "emulator/device/device.h"

/* Cycles in @ns nanoseconds at @khz, without overflow for 500 years at 1 GHz. */
static u64 cycles_of_ns(u64 ns, u32 khz)
{
	return ns / 1000000 * khz + ns % 1000000 * khz / 1000000;
}

static u64 idle_cycles(const struct emu_device *dev)
{
	return cycles_of_ns(dev->ops->clock_ns(dev->host) - dev->time.idle_since,
			    dev->machine.clock_khz);
}

u64 emu_time_locked(struct emu_device *dev)
{
	struct emu_time *t = &dev->time;
	u64 now = t->base;

	if (t->idle)
		now += idle_cycles(dev);
	if (t->replay && t->replay_start + atomic_load(&t->replay_cycles) > now)
		now = t->replay_start + atomic_load(&t->replay_cycles);
	if (now > t->last)
		t->last = now;
	return t->last;
}

void emu_time_update_locked(struct emu_device *dev)
{
	struct emu_time *t = &dev->time;
	bool woken = dev->mgmt.kicked && !emu_fault_value(dev, EMU_FAULT_fw_silent);
	bool idle = emu_state_locked(dev) == RONDO_STATE_ON && !dev->mgmt.running && !woken &&
		    !dev->seq.command;

	if (idle == t->idle)
		return;
	if (t->idle)
		t->base += idle_cycles(dev);
	else
		t->idle_since = dev->ops->clock_ns(dev->host);
	t->idle = idle;
}

void emu_time_add_locked(struct emu_device *dev, u64 cycles)
{
	dev->time.base += cycles;
}

void emu_time_replay_begin_locked(struct emu_device *dev)
{
	struct emu_time *t = &dev->time;

	t->replay_start = emu_time_locked(dev);
	atomic_store(&t->replay_cycles, 0);
	t->replay = true;
}

void emu_time_replay_end_locked(struct emu_device *dev, u64 cycles)
{
	struct emu_time *t = &dev->time;

	t->replay = false;
	if (t->replay_start + cycles > t->base)
		t->base = t->replay_start + cycles;
}
