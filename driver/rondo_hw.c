// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitfield.h>
#include <linux/err.h>
#include <linux/iopoll.h>
#include <linux/pci.h>

#include <drm/drm_print.h>

#include "driver/rondo_hw.h"
#include "spec/regs.h"

enum {
	RONDO_RESET_POLL_US = 100,
	RONDO_RESET_TIMEOUT_US = 1000000,
};

static u32 reg_read(const struct rondo_hw *hw, enum rondo_reg reg)
{
	return readl(hw->regs + reg);
}

static void reg_write(const struct rondo_hw *hw, enum rondo_reg reg, u32 value)
{
	writel(value, hw->regs + reg);
}

int rondo_hw_init(struct rondo_hw *hw, struct pci_dev *pdev)
{
	u32 version;

	hw->regs = pcim_iomap_region(pdev, RONDO_BAR_REGS, "rondo");
	if (IS_ERR(hw->regs))
		return dev_err_probe(&pdev->dev, PTR_ERR(hw->regs), "cannot map the registers\n");
	hw->bells = pcim_iomap_region(pdev, RONDO_BAR_BELLS, "rondo");
	if (IS_ERR(hw->bells))
		return dev_err_probe(&pdev->dev, PTR_ERR(hw->bells), "cannot map the doorbells\n");
	hw->bell_count = pci_resource_len(pdev, RONDO_BAR_BELLS) / RONDO_BELL_BYTES;
	if (pci_resource_len(pdev, RONDO_BAR_REGS) < RONDO_REGS_BYTES ||
	    hw->bell_count < RONDO_BELLS)
		return dev_err_probe(&pdev->dev, -ENODEV, "a BAR is too small\n");

	if (!rondo_hw_present(hw))
		return dev_err_probe(&pdev->dev, -ENODEV, "not a Rondo device: ID is 0x%08x\n",
				     reg_read(hw, RONDO_REG_HOST_ID));
	version = reg_read(hw, RONDO_REG_HOST_VERSION);
	if (version != RONDO_REGS_VERSION)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "register interface %u is not supported, only %u\n", version,
				     RONDO_REGS_VERSION);
	return 0;
}

bool rondo_hw_present(const struct rondo_hw *hw)
{
	return reg_read(hw, RONDO_REG_HOST_ID) == RONDO_DEVICE_ID;
}

void rondo_hw_read_machine(const struct rondo_hw *hw, struct rondo_machine *machine)
{
	memcpy_fromio(machine, hw->regs + RONDO_REG_HOST_MACHINE, sizeof(*machine));
}

/* Also when it has vanished, which ends the wait as well. */
static bool is_off(u32 status)
{
	return status == ~0u || FIELD_GET(RONDO_FLD_HOST_STATUS_STATE, status) == RONDO_STATE_OFF;
}

int rondo_hw_reset(const struct rondo_hw *hw)
{
	u32 status;
	int ret;

	reg_write(hw, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	ret = read_poll_timeout(reg_read, status, is_off(status), RONDO_RESET_POLL_US,
				RONDO_RESET_TIMEOUT_US, false, hw, RONDO_REG_HOST_STATUS);
	return ret || rondo_hw_present(hw) ? ret : -ENODEV;
}

void rondo_hw_boot(const struct rondo_hw *hw, u64 image, u32 size, u64 init)
{
	reg_write(hw, RONDO_REG_HOST_FW_ADDR_LO, lower_32_bits(image));
	reg_write(hw, RONDO_REG_HOST_FW_ADDR_HI, upper_32_bits(image));
	reg_write(hw, RONDO_REG_HOST_FW_SIZE, size);
	reg_write(hw, RONDO_REG_HOST_INIT_ADDR_LO, lower_32_bits(init));
	reg_write(hw, RONDO_REG_HOST_INIT_ADDR_HI, upper_32_bits(init));
	reg_write(hw, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
}

enum rondo_device_state rondo_hw_state(const struct rondo_hw *hw)
{
	return FIELD_GET(RONDO_FLD_HOST_STATUS_STATE, reg_read(hw, RONDO_REG_HOST_STATUS));
}

enum rondo_boot_error rondo_hw_boot_error(const struct rondo_hw *hw)
{
	return FIELD_GET(RONDO_FLD_HOST_STATUS_ERROR, reg_read(hw, RONDO_REG_HOST_STATUS));
}

u32 rondo_hw_fw_state(const struct rondo_hw *hw)
{
	return reg_read(hw, RONDO_REG_HOST_FW_STATE);
}

u32 rondo_hw_fw_version(const struct rondo_hw *hw)
{
	return reg_read(hw, RONDO_REG_HOST_FW_VERSION);
}

u32 rondo_hw_heartbeat(const struct rondo_hw *hw)
{
	return reg_read(hw, RONDO_REG_HOST_HEARTBEAT);
}

u32 rondo_hw_progress(const struct rondo_hw *hw)
{
	return reg_read(hw, RONDO_REG_HOST_PROGRESS);
}

u64 rondo_hw_time(const struct rondo_hw *hw)
{
	return readq(hw->regs + RONDO_REG_HOST_TIME_LO);
}

u64 rondo_hw_memory(const struct rondo_hw *hw)
{
	return readq(hw->regs + RONDO_REG_HOST_MEMORY_LO);
}

void rondo_hw_irq_ack(const struct rondo_hw *hw, enum rondo_irq irq)
{
	static_assert(BIT(RONDO_IRQ_EVENT) == RONDO_FLD_HOST_IRQ_STATUS_EVENT);
	static_assert(BIT(RONDO_IRQ_FAULT) == RONDO_FLD_HOST_IRQ_STATUS_FAULT);

	reg_write(hw, RONDO_REG_HOST_IRQ_STATUS, BIT(irq));
}

void rondo_hw_ring(const struct rondo_hw *hw, u32 bell)
{
	writel(1, hw->bells + bell * RONDO_BELL_BYTES);
}

static const struct {
	const char *name;
	enum rondo_reg reg;
} dumped[] = {
#define REG(space, name, offset, count, widest, access, meaning) DUMP_##space(name)
#define DUMP_HOST(name) { #name, RONDO_REG_HOST_##name },
#define DUMP_MGMT(name)
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

/* MACHINE is the last, and is left out. */
static_assert(ARRAY_SIZE(dumped) == RONDO_HW_DUMP_REGS + 1);

void rondo_hw_dump(const struct rondo_hw *hw, u32 value[RONDO_HW_DUMP_REGS])
{
	u32 i;

	for (i = 0; i < RONDO_HW_DUMP_REGS; i++)
		value[i] = reg_read(hw, dumped[i].reg);
}

void rondo_hw_dump_print(const u32 value[RONDO_HW_DUMP_REGS], struct drm_printer *p)
{
	u32 i;

	for (i = 0; i < RONDO_HW_DUMP_REGS; i++)
		drm_printf(p, "  %-12s 0x%08x\n", dumped[i].name, value[i]);
}
