/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The fault interface. Values are atomic, so that whoever may be hit can look
 * without the lock; the place of effect asks emu_fault_take() and its like.
 */
#include <string.h>

#include "emulator/device/device.h"

static const char *const names[EMU_FAULTS] = {
#define FAULT(name, meaning) [EMU_FAULT_##name] = #name,
#include "emulator/device/faults.def"
};

enum emu_fault emu_fault_find(const char *name)
{
	u32 i;

	for (i = 0; i < EMU_FAULTS; i++)
		if (!strcmp(names[i], name))
			break;
	return i;
}

const char *emu_fault_name(enum emu_fault fault)
{
	return names[fault];
}

void emu_fault_set(struct emu_device *dev, enum emu_fault fault, u32 value)
{
	emu_lock(dev);
	atomic_store(&dev->fault[fault], value);
	if (fault == EMU_FAULT_vanish && value) {
		emu_fault_hit(dev, fault);
		emu_reset_locked(dev);
	}
	/* Whoever waits looks again. */
	rv32_stop(&dev->mgmt.core);
	emu_mgmt_kick_locked(dev);
	pthread_cond_broadcast(&dev->seq.wake);
	emu_unlock(dev);
	emu_trace(dev, "fault", fault, value);
}

u32 emu_fault_value(struct emu_device *dev, enum emu_fault fault)
{
	return atomic_load(&dev->fault[fault]);
}

u32 emu_fault_hits(struct emu_device *dev, enum emu_fault fault)
{
	return atomic_load(&dev->fault_hits[fault]);
}

void emu_fault_hit(struct emu_device *dev, enum emu_fault fault)
{
	atomic_fetch_add(&dev->fault_hits[fault], 1);
}

bool emu_fault_take(struct emu_device *dev, enum emu_fault fault)
{
	u32 value = atomic_load(&dev->fault[fault]);

	while (value)
		if (atomic_compare_exchange_weak(&dev->fault[fault], &value, value - 1)) {
			emu_fault_hit(dev, fault);
			return true;
		}
	return false;
}

u32 emu_fault_take_all(struct emu_device *dev, enum emu_fault fault)
{
	u32 value = atomic_exchange(&dev->fault[fault], 0);

	if (value)
		emu_fault_hit(dev, fault);
	return value;
}
