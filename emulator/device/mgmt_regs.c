/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The management core's registers, and the copy engine behind them. All of it
 * runs in the core's thread, within its loads and stores.
 */
#include "emulator/device/device.h"

/* @size bytes at @addr of the core's memory, NULL if not all inside. */
static u8 *tcm_at(struct emu_device *dev, u32 addr, u32 size)
{
	u32 offset = addr - RONDO_TCM_BASE;

	return offset <= RONDO_TCM_BYTES && size <= RONDO_TCM_BYTES - offset ?
		       dev->mgmt.tcm + offset :
		       NULL;
}

/* The fault event_corrupt: inverts the chosen word of an event on its way to the host. */
static bool write_event(struct emu_device *dev, u64 addr, const u8 *local, u32 size)
{
	u32 word[16];
	u32 n;

	if (size != sizeof(word) || !(n = emu_fault_take_all(dev, EMU_FAULT_event_corrupt)))
		return emu_dma_write(dev, EMU_DMA_MGMT, addr, local, size);
	memcpy(word, local, size);
	word[(n - 1) % 16] ^= ~0u;
	return emu_dma_write(dev, EMU_DMA_MGMT, addr, word, size);
}

static void copy(struct emu_device *dev, u32 go)
{
	struct regs *r = &dev->regs;
	u32 addr_local, size;
	u64 addr;
	u8 *local;
	bool done;

	emu_lock(dev);
	addr = REG_PAIR(r, MGMT, COPY_ADDR);
	addr_local = REG_WORD(r, MGMT, COPY_LOCAL);
	size = REG_WORD(r, MGMT, COPY_SIZE);
	emu_unlock(dev);

	local = tcm_at(dev, addr_local, size);
	if (go == 1)
		done = local && emu_dma_read(dev, EMU_DMA_MGMT, addr, local, size);
	else
		done = local && go == 2 && write_event(dev, addr, local, size);
	emu_trace(dev, go == 1 ? "copy_in" : "copy_out", addr, size);

	emu_lock(dev);
	if (!dev->resetting)
		REG_WORD(r, MGMT, COPY_STATUS) = !done;
	emu_unlock(dev);
}

static void sequencer_go(struct emu_device *dev, u32 command)
{
	struct rondo_seq_args args;
	const u8 *local;
	u32 addr;

	emu_lock(dev);
	addr = REG_WORD(&dev->regs, MGMT, SEQ_ARGS);
	emu_unlock(dev);
	local = tcm_at(dev, addr, sizeof(args));
	if (local)
		memcpy(&args, local, sizeof(args));
	emu_sequencer_command(dev, command, local ? &args : NULL);
}

static void start_timer_locked(struct emu_device *dev)
{
	u64 ns = REG_PAIR(&dev->regs, MGMT, TIMER);

	dev->mgmt.timer_on = ns != 0;
	if (check_add_overflow(dev->ops->clock_ns(dev->host), ns, &dev->mgmt.timer_at))
		dev->mgmt.timer_at = ~(u64)0;
	emu_mgmt_kick_locked(dev);
}

/* What a write does to the registers themselves, beyond its access rule. */
static void written_locked(struct emu_device *dev, u32 reg, u32 value)
{
	struct regs *r = &dev->regs;

	switch (reg) {
	case RONDO_REG_MGMT_FW_VERSION:
		REG_WORD(r, HOST, FW_VERSION) = value;
		break;
	case RONDO_REG_MGMT_FW_STATE:
		REG_WORD(r, HOST, FW_STATE) = value;
		break;
	case RONDO_REG_MGMT_HEARTBEAT:
		REG_WORD(r, HOST, HEARTBEAT) = value;
		break;
	case RONDO_REG_MGMT_TIMER_HI:
		start_timer_locked(dev);
		break;
	case RONDO_REG_MGMT_SEQ_ACK:
		if (value & 1)
			dev->mgmt.sequencer_irq = false;
		emu_mgmt_kick_locked(dev);
		break;
	case RONDO_REG_MGMT_BELL_PENDING:
		emu_mgmt_kick_locked(dev);
		break;
	default:
		break;
	}
}

static bool mgmt_store(void *ctx, u32 addr, u32 size, u32 value)
{
	struct emu_device *dev = ctx;
	u32 offset = addr - RONDO_MGMT_BASE;
	u32 reg = REG_NONE;

	if (offset >= RONDO_REGS_BYTES)
		return false;
	emu_lock(dev);
	if (!dev->resetting)
		reg = regs_write(&dev->regs, REG_SPACE_MGMT, offset, value, size);
	written_locked(dev, reg, value);
	emu_unlock(dev);

	/* What takes the lock itself or calls the host. */
	if (reg == RONDO_REG_MGMT_HOST_IRQ)
		emu_raise(dev, value);
	else if (reg == RONDO_REG_MGMT_COPY_GO)
		copy(dev, value);
	else if (reg == RONDO_REG_MGMT_SEQ_GO)
		sequencer_go(dev, value);
	return true;
}

/* Before @reg is read. */
static void update_locked(struct emu_device *dev, u32 reg)
{
	u64 now;

	if (reg == RONDO_REG_MGMT_TIME_LO) {
		now = emu_time_locked(dev);
		REG_WORD(&dev->regs, MGMT, TIME_LO) = now;
		REG_WORD(&dev->regs, MGMT, TIME_HI) = now >> 32;
	} else if (reg == RONDO_REG_MGMT_SEQ_PROGRESS) {
		REG_WORD(&dev->regs, MGMT, SEQ_PROGRESS) = emu_sequencer_progress_locked(dev);
	}
}

static bool mgmt_load(void *ctx, u32 addr, u32 size, u32 *value)
{
	struct emu_device *dev = ctx;
	u32 offset = addr - RONDO_MGMT_BASE;

	if (offset >= RONDO_REGS_BYTES)
		return false;
	emu_lock(dev);
	update_locked(dev, reg_at(REG_SPACE_MGMT, offset, size));
	*value = regs_read(&dev->regs, REG_SPACE_MGMT, offset, size);
	emu_unlock(dev);
	return true;
}

const struct rv32_bus emu_mgmt_bus = {
	.load = mgmt_load,
	.store = mgmt_store,
};
