/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The device's life, its reset, and what the host sees: registers and doorbells.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/machine.h"
#include "emulator/device/device.h"
#include "emulator/exec/host_memory.h"
#include "emulator/exec/mesh/mesh.h"

void emu_trace(struct emu_device *dev, const char *event, u64 a, u64 b)
{
	if (dev->ops->trace)
		dev->ops->trace(dev->host, event, a, b);
}

enum rondo_device_state emu_state_locked(const struct emu_device *dev)
{
	return (REG_WORD(&dev->regs, HOST, STATUS) & RONDO_FLD_HOST_STATUS_STATE) >>
	       RONDO_SHIFT_HOST_STATUS_STATE;
}

void emu_set_state_locked(struct emu_device *dev, enum rondo_device_state state,
			  enum rondo_boot_error error)
{
	REG_WORD(&dev->regs, HOST, STATUS) = state << RONDO_SHIFT_HOST_STATUS_STATE |
					     error << RONDO_SHIFT_HOST_STATUS_ERROR;
	emu_time_update_locked(dev);
}

void emu_raise(struct emu_device *dev, u32 bits)
{
	u32 vector;

	emu_lock(dev);
	bits = dev->resetting ? 0 : bits & ((1 << RONDO_IRQ_VECTORS) - 1);
	REG_WORD(&dev->regs, HOST, IRQ_STATUS) |= bits;
	emu_unlock(dev);

	for (vector = 0; vector < RONDO_IRQ_VECTORS; vector++) {
		if (!(bits & 1 << vector) || emu_fault_take(dev, EMU_FAULT_irq_lose))
			continue;
		emu_trace(dev, "irq", vector, 0);
		dev->ops->irq(dev->host, vector);
	}
}

/* Registers and time as after reset, except STATUS. */
static void clear_registers(struct emu_device *dev)
{
	u32 status = REG_WORD(&dev->regs, HOST, STATUS);

	memset(&dev->regs, 0, sizeof(dev->regs));
	REG_WORD(&dev->regs, HOST, ID) = RONDO_DEVICE_ID;
	REG_WORD(&dev->regs, HOST, VERSION) = RONDO_REGS_VERSION;
	REG_WORD(&dev->regs, HOST, STATUS) = status;
	REG_WORD(&dev->regs, HOST, MEMORY_LO) = dev->seq.budget.limit;
	REG_WORD(&dev->regs, HOST, MEMORY_HI) = dev->seq.budget.limit >> 32;
	memcpy(&REG_WORD(&dev->regs, HOST, MACHINE), &dev->machine, sizeof(dev->machine));
	dev->mgmt.timer_on = false;
	dev->mgmt.sequencer_irq = false;
}

/*
 * Registers are cleared at once, and what the threads still do has no effect on
 * them. STATUS becomes OFF when the threads have stopped.
 */
void emu_reset_locked(struct emu_device *dev)
{
	clear_registers(dev);
	dev->resetting = true;
	atomic_store(&dev->stop, true);
	atomic_store(&dev->seq.stop, true);
	rv32_stop(&dev->mgmt.core);
	emu_mgmt_kick_locked(dev);
	pthread_cond_broadcast(&dev->seq.wake);
	emu_reset_done_locked(dev);
}

void emu_reset_done_locked(struct emu_device *dev)
{
	if (!dev->resetting || dev->mgmt.active || dev->seq.active)
		return;
	emu_set_state_locked(dev, RONDO_STATE_OFF, RONDO_BOOT_OK);
	dev->time.base = 0;
	dev->time.last = 0;
	dev->resetting = false;
	atomic_store(&dev->stop, dev->exiting);
}

void emu_reset(struct emu_device *dev)
{
	emu_trace(dev, "reset", 0, 0);
	emu_lock(dev);
	emu_reset_locked(dev);
	emu_unlock(dev);
}

static void boot_locked(struct emu_device *dev)
{
	if (dev->resetting || emu_state_locked(dev) != RONDO_STATE_OFF)
		return;
	dev->mgmt.active = true;
	emu_set_state_locked(dev, RONDO_STATE_ON, RONDO_BOOT_OK);
	emu_mgmt_kick_locked(dev);
}

static void ask_for_reset_locked(struct emu_device *dev)
{
	if (emu_fault_value(dev, EMU_FAULT_reset_ignore))
		emu_fault_hit(dev, EMU_FAULT_reset_ignore);
	else
		emu_reset_locked(dev);
}

static void write_register(struct emu_device *dev, u64 offset, u32 value, u32 size)
{
	struct regs *r = &dev->regs;
	u32 reg;

	emu_lock(dev);
	reg = regs_write(r, REG_SPACE_HOST, offset, value, size);
	switch (reg) {
	case RONDO_REG_HOST_CTRL:
		if (value & RONDO_FLD_HOST_CTRL_RESET)
			ask_for_reset_locked(dev);
		else if (value & RONDO_FLD_HOST_CTRL_BOOT)
			boot_locked(dev);
		break;
	case RONDO_REG_HOST_INIT_ADDR_LO:
	case RONDO_REG_HOST_INIT_ADDR_HI:
		REG_WORD(r, MGMT, INIT_ADDR_LO) = REG_WORD(r, HOST, INIT_ADDR_LO);
		REG_WORD(r, MGMT, INIT_ADDR_HI) = REG_WORD(r, HOST, INIT_ADDR_HI);
		break;
	default:
		break;
	}
	emu_unlock(dev);
	if (reg == RONDO_REG_HOST_CTRL)
		emu_trace(dev, "ctrl", value, 0);
}

/* What @fault says that a register reads as; @value without one. */
static u64 faulty_value(struct emu_device *dev, enum emu_fault fault, u64 value)
{
	u32 faulty = emu_fault_value(dev, fault);

	if (!faulty)
		return value;
	emu_fault_hit(dev, fault);
	return faulty;
}

static void update_time_locked(struct emu_device *dev)
{
	u64 now = emu_time_locked(dev);

	REG_WORD(&dev->regs, HOST, TIME_LO) = now;
	REG_WORD(&dev->regs, HOST, TIME_HI) = now >> 32;
}

static void update_progress_locked(struct emu_device *dev)
{
	if (emu_fault_value(dev, EMU_FAULT_progress_stop))
		emu_fault_hit(dev, EMU_FAULT_progress_stop);
	else
		REG_WORD(&dev->regs, HOST, PROGRESS) = REG_WORD(&dev->regs, MGMT, PROGRESS);
}

static u64 read_register(struct emu_device *dev, u64 offset, u32 size)
{
	u32 reg = reg_at(REG_SPACE_HOST, offset, size);
	u64 value;

	emu_lock(dev);
	if (reg == RONDO_REG_HOST_TIME_LO || reg == RONDO_REG_HOST_TIME_HI)
		update_time_locked(dev);
	if (reg == RONDO_REG_HOST_PROGRESS)
		update_progress_locked(dev);
	value = regs_read(&dev->regs, REG_SPACE_HOST, offset, size);
	emu_unlock(dev);
	switch (reg) {
	case RONDO_REG_HOST_VERSION:
		return faulty_value(dev, EMU_FAULT_version, value);
	case RONDO_REG_HOST_FW_VERSION:
		return faulty_value(dev, EMU_FAULT_fw_version, value);
	default:
		return value;
	}
}

static void ring_bell(struct emu_device *dev, u64 offset)
{
	u64 bell = offset / RONDO_BELL_BYTES;

	if (bell >= RONDO_BELLS)
		return;
	emu_lock(dev);
	(&REG_WORD(&dev->regs, MGMT, BELL_PENDING))[bell / 32] |= 1u << bell % 32;
	emu_mgmt_kick_locked(dev);
	emu_unlock(dev);
	emu_trace(dev, "bell", bell, 0);
}

static u64 read_fault(struct emu_device *dev, u64 offset, u32 size)
{
	u64 fault = offset % EMU_FAULT_HITS / 4;

	if (size != 4 || offset % 4 || fault >= EMU_FAULTS)
		return 0;
	if (offset < EMU_FAULT_HITS)
		return emu_fault_value(dev, fault);
	return offset < RONDO_REGS_BYTES ? emu_fault_hits(dev, fault) : 0;
}

u64 emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size)
{
	if (bar == RONDO_BAR_FAULTS)
		return read_fault(dev, offset, size);
	if (emu_fault_value(dev, EMU_FAULT_vanish))
		return size < 8 ? ((u64)1 << 8 * size) - 1 : ~(u64)0;
	return bar == RONDO_BAR_REGS ? read_register(dev, offset, size) : 0;
}

void emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size)
{
	if (bar == RONDO_BAR_FAULTS) {
		if (size == 4 && offset % 4 == 0 && offset / 4 < EMU_FAULTS)
			emu_fault_set(dev, offset / 4, value);
		return;
	}
	if (emu_fault_value(dev, EMU_FAULT_vanish))
		return;
	if (bar == RONDO_BAR_REGS)
		write_register(dev, offset, value, size);
	else if (bar == RONDO_BAR_BELLS)
		ring_bell(dev, offset);
}

/* Conditions that time out by the clock that cannot be set. */
static void init_wake(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static void init_device(struct emu_device *dev)
{
	const struct rv32_config config = {
		.tcm = dev->mgmt.tcm,
		.tcm_base = RONDO_TCM_BASE,
		.tcm_size = RONDO_TCM_BYTES,
		.bus = &emu_mgmt_bus,
		.bus_ctx = dev,
	};

	pthread_mutex_init(&dev->lock, NULL);
	init_wake(&dev->mgmt.wake);
	init_wake(&dev->seq.wake);
	rv32_init(&dev->mgmt.core, &config);
	clear_registers(dev);
}

/* Tells the device's threads to end. */
static void stop_threads(struct emu_device *dev)
{
	emu_lock(dev);
	dev->exiting = true;
	emu_reset_locked(dev);
	emu_unlock(dev);
}

static void free_device(struct emu_device *dev)
{
	exec_destroy(dev->seq.exec);
	pthread_cond_destroy(&dev->seq.wake);
	pthread_cond_destroy(&dev->mgmt.wake);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

void emu_put(struct emu_device *dev)
{
	const struct emu_host_ops *ops = dev->ops;
	bool unplugged = dev->unplugged;
	void *host = dev->host;

	if (atomic_fetch_sub(&dev->holders, 1) > 1)
		return;
	free_device(dev);
	if (unplugged && ops->released)
		ops->released(host);
}

/* A thread of the device, from start to end. */
static void *run_thread(struct emu_device *dev, void (*body)(struct emu_device *dev))
{
	if (dev->ops->thread_begin)
		dev->ops->thread_begin(dev->host);
	body(dev);
	if (dev->ops->thread_end)
		dev->ops->thread_end(dev->host);
	emu_put(dev);
	return NULL;
}

static void *mgmt_thread(void *dev)
{
	return run_thread(dev, emu_mgmt_run);
}

static void *sequencer_thread(void *dev)
{
	return run_thread(dev, emu_sequencer_run);
}

/* Starts a thread, which then holds the device. Returns 0 or why it could not, an errno. */
static int start_thread(struct emu_device *dev, pthread_t *thread, void *(*start)(void *dev))
{
	int ret;

	atomic_fetch_add(&dev->holders, 1);
	ret = pthread_create(thread, NULL, start, dev);
	if (ret)
		atomic_fetch_sub(&dev->holders, 1);
	return ret;
}

/*
 * Starts the device's threads, with every signal blocked: those are the host's.
 * Returns 0, or why one could not be started; then none is left.
 */
static int start_threads(struct emu_device *dev)
{
	sigset_t all, old;
	bool mgmt;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = start_thread(dev, &dev->mgmt.thread, mgmt_thread);
	mgmt = !ret;
	if (mgmt)
		ret = start_thread(dev, &dev->seq.thread, sequencer_thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (mgmt && ret) {
		stop_threads(dev);
		pthread_join(dev->mgmt.thread, NULL);
	}
	return ret;
}

bool emu_fits(const struct rondo_machine *machine, char why[EMU_REASON_BYTES])
{
	u32 tiles = (u32)machine->mesh_w * machine->mesh_h, side;
	u64 need = tiles > 1 ? mesh_reservation(machine) : 0, have = host_address_space();

	if (need <= have)
		return true;
	side = (u32)sqrt((double)have * tiles / (double)need);
	snprintf(why, EMU_REASON_BYTES,
		 "%u x %u tiles need %.1f GiB of address space, the process's limit leaves %.1f "
		 "GiB: "
		 "%u x %u would fit",
		 machine->mesh_w, machine->mesh_h, need * 0x1p-30, have * 0x1p-30, side, side);
	return false;
}

struct emu_device *emu_create(const struct rondo_machine *machine, const struct emu_host_ops *ops,
			      void *host, u64 memory)
{
	struct emu_device *dev;
	int error;

	if (!rondo_machine_supported(machine)) {
		errno = ENOTSUP;
		return NULL;
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return NULL;
	dev->machine = *machine;
	dev->ops = ops;
	dev->host = host;
	dev->holders = 1;
	dev->seq.budget.limit = memory;
	init_device(dev);
	dev->seq.exec = exec_create(executor_for(machine, EXECUTOR_BEST), machine);
	error = dev->seq.exec ? start_threads(dev) : ENOMEM;
	if (error) {
		emu_put(dev);
		errno = error;
		return NULL;
	}
	return dev;
}

void emu_destroy(struct emu_device *dev)
{
	if (!dev)
		return;
	stop_threads(dev);
	pthread_join(dev->mgmt.thread, NULL);
	pthread_join(dev->seq.thread, NULL);
	emu_put(dev);
}

void emu_unplug(struct emu_device *dev)
{
	dev->unplugged = true;
	pthread_detach(dev->mgmt.thread);
	pthread_detach(dev->seq.thread);
	stop_threads(dev);
	emu_put(dev);
}
