/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The management core's thread: boots, runs firmware in slices, sleeps while the
 * core waits for an interrupt.
 *
 * Interrupt inputs: EXTERNAL is high while a doorbell or the sequencer's
 * interrupt is pending, TIMER from the timer's end until it is written again.
 *
 * A trap is unhandled if it goes to where there is no code: outside the core's
 * memory, as mtvec does after reset. The core would take fetch faults forever.
 */
#include <string.h>
#include <time.h>

#include "emulator/device/device.h"

/* Most instructions between two looks at the timer: some ten microseconds. */
enum { SLICE = 4096 };

static bool in_tcm(u32 addr)
{
	return addr - RONDO_TCM_BASE < RONDO_TCM_BYTES;
}

/* Whether the timer has run out; its interrupt stays until TIMER_HI is written. */
static bool timer_due_locked(struct emu_device *dev)
{
	return dev->mgmt.timer_on && dev->ops->clock_ns(dev->host) >= dev->mgmt.timer_at;
}

static void drive_inputs_locked(struct emu_device *dev)
{
	const u32 *bells = &REG_WORD(&dev->regs, MGMT, BELL_PENDING);
	bool external = dev->mgmt.sequencer_irq;
	u32 i;

	for (i = 0; i < RONDO_BELLS / 32; i++)
		external |= bells[i] != 0;
	rv32_set_irq(&dev->mgmt.core, RV32_IRQ_EXTERNAL, external);
	rv32_set_irq(&dev->mgmt.core, RV32_IRQ_TIMER, timer_due_locked(dev));
}

void emu_mgmt_kick_locked(struct emu_device *dev)
{
	drive_inputs_locked(dev);
	dev->mgmt.kicked = true;
	emu_time_update_locked(dev);
	pthread_cond_signal(&dev->mgmt.wake);
}

/* Sleeps until kicked or, if the timer runs and @silent does not make it deaf, until it ends. */
static void sleep_locked(struct emu_device *dev, bool silent)
{
	struct timespec at;
	u64 now, ns;

	if (!dev->mgmt.timer_on || silent) {
		pthread_cond_wait(&dev->mgmt.wake, &dev->lock);
		return;
	}
	now = dev->ops->clock_ns(dev->host);
	if (now >= dev->mgmt.timer_at)
		return;
	ns = dev->mgmt.timer_at - now;
	clock_gettime(CLOCK_MONOTONIC, &at);
	ns = ns > 1000000000 ? 1000000000 : ns; /* further ends are reached in steps */
	ns += at.tv_nsec;
	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(&dev->mgmt.wake, &dev->lock, &at);
}

/* Stops the core for good; only reset helps. */
static void die(struct emu_device *dev, enum rondo_boot_error error)
{
	emu_lock(dev);
	dev->mgmt.running = false;
	atomic_store(&dev->seq.stop, true); /* nobody is left to judge what runs */
	if (!dev->resetting)
		emu_set_state_locked(dev, RONDO_STATE_DEAD, error);
	emu_unlock(dev);
	emu_trace(dev, "dead", error, dev->mgmt.core.pc);
	emu_raise(dev, RONDO_FLD_HOST_IRQ_STATUS_FAULT);
}

/* Fetches the firmware image. */
static enum rondo_boot_error fetch_image(struct emu_device *dev)
{
	u64 addr;
	u32 size;

	emu_lock(dev);
	addr = REG_PAIR(&dev->regs, HOST, FW_ADDR);
	size = REG_WORD(&dev->regs, HOST, FW_SIZE);
	emu_unlock(dev);
	emu_trace(dev, "boot", addr, size);
	if (!size || size > RONDO_TCM_BYTES)
		return RONDO_BOOT_SIZE;
	memset(dev->mgmt.tcm, 0, RONDO_TCM_BYTES);
	if (!emu_dma_read(dev, EMU_DMA_MGMT, addr, dev->mgmt.tcm, size))
		return RONDO_BOOT_DMA;
	rv32_reset(&dev->mgmt.core, RONDO_TCM_BASE);
	return RONDO_BOOT_OK;
}

/*
 * Waits until the core may execute: not silenced, and not in WFI without an
 * interrupt input. Returns false if the device is to stop.
 */
static bool wait_to_run(struct emu_device *dev, bool waiting)
{
	struct emu_mgmt *m = &dev->mgmt;
	bool silent = false;

	emu_lock(dev);
	for (;;) {
		bool was_silent = silent;

		silent = emu_fault_value(dev, EMU_FAULT_fw_silent);
		if (silent && !was_silent)
			emu_fault_hit(dev, EMU_FAULT_fw_silent);
		if (atomic_load(&dev->stop) || (!silent && (!waiting || m->kicked)))
			break;
		m->running = false;
		emu_time_update_locked(dev);
		sleep_locked(dev, silent);
		m->kicked |= timer_due_locked(dev);
	}
	drive_inputs_locked(dev);
	m->kicked = false;
	m->running = !atomic_load(&dev->stop);
	emu_time_update_locked(dev);
	emu_unlock(dev);
	return m->running;
}

/* Whether the core is about to fetch from where there is no code, again and again. */
static bool trapped(const struct rv32 *core)
{
	return !in_tcm(core->pc) && !in_tcm(core->mtvec & ~3u);
}

/* Runs firmware until the device is to stop, or until the core dies. */
static void run_firmware(struct emu_device *dev)
{
	struct rv32 *core = &dev->mgmt.core;
	bool waiting = false;

	while (wait_to_run(dev, waiting)) {
		struct rv32_result r = rv32_run(core, SLICE);

		emu_lock(dev);
		emu_time_add_locked(dev, r.executed);
		emu_unlock(dev);
		waiting = r.reason == RV32_WAITING;
		if (trapped(core) || emu_fault_take_all(dev, EMU_FAULT_fw_crash)) {
			die(dev, RONDO_BOOT_TRAP);
			return;
		}
	}
}

/* Waits for the next boot. Returns false if the device is to be destroyed. */
static bool wait_for_boot(struct emu_device *dev)
{
	bool exiting;

	emu_lock(dev);
	while (!dev->mgmt.active && !dev->exiting)
		pthread_cond_wait(&dev->mgmt.wake, &dev->lock);
	exiting = dev->exiting;
	emu_unlock(dev);
	return !exiting;
}

/* Waits for the reset that ends this boot, and obeys it. */
static void wait_for_reset(struct emu_device *dev)
{
	emu_lock(dev);
	while (!atomic_load(&dev->stop))
		pthread_cond_wait(&dev->mgmt.wake, &dev->lock);
	dev->mgmt.running = false;
	dev->mgmt.active = false;
	emu_reset_done_locked(dev);
	emu_unlock(dev);
}

void emu_mgmt_run(struct emu_device *dev)
{
	while (wait_for_boot(dev)) {
		enum rondo_boot_error error = fetch_image(dev);

		if (error)
			die(dev, error);
		else
			run_firmware(dev);
		wait_for_reset(dev);
	}
}
