/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's registers and doorbells. rondo_hw.c is the only file that touches
 * MMIO; names and offsets are those of spec/regs.h.
 *
 * A device that has vanished from the bus reads as all ones; rondo_hw_present()
 * tells. Callers hold drm_dev_enter(), or are probe or remove.
 */
#ifndef RONDO_HW_H
#define RONDO_HW_H

#include <linux/types.h>

#include "spec/device.h"
#include "spec/machine.h"

struct drm_printer;
struct pci_dev;

struct rondo_hw {
	/** @regs: BAR 0 */
	void __iomem *regs;
	/** @bells: BAR 2, a page for each doorbell */
	void __iomem *bells;
	/** @bell_count: doorbells in @bells */
	u32 bell_count;
};

/* Interrupts: bits of IRQ_STATUS, and MSI-X vectors by their number. */
enum rondo_irq {
	RONDO_IRQ_EVENT,
	RONDO_IRQ_FAULT,
};

enum { RONDO_HW_DUMP_REGS = 18 }; /* registers in a dump */

/* Maps the BARs (for as long as the driver is bound) and checks identity and version. */
int rondo_hw_init(struct rondo_hw *hw, struct pci_dev *pdev);

bool rondo_hw_present(const struct rondo_hw *hw);
void rondo_hw_read_machine(const struct rondo_hw *hw, struct rondo_machine *machine);

/* Stops the device and makes it forget everything. 0, -ENODEV, or -ETIMEDOUT. */
int rondo_hw_reset(const struct rondo_hw *hw);

/* Starts the firmware image at @image; @init is the bus address of struct rondo_fw_init. */
void rondo_hw_boot(const struct rondo_hw *hw, u64 image, u32 size, u64 init);

enum rondo_device_state rondo_hw_state(const struct rondo_hw *hw);
enum rondo_boot_error rondo_hw_boot_error(const struct rondo_hw *hw);
u32 rondo_hw_fw_state(const struct rondo_hw *hw); /* enum rondo_fw_state */
u32 rondo_hw_fw_version(const struct rondo_hw *hw);
u32 rondo_hw_heartbeat(const struct rondo_hw *hw);
u32 rondo_hw_progress(const struct rondo_hw *hw);
u64 rondo_hw_time(const struct rondo_hw *hw); /* device time in cycles */
u64 rondo_hw_memory(const struct rondo_hw *hw); /* bytes for programs and bindings */

void rondo_hw_irq_ack(const struct rondo_hw *hw, enum rondo_irq irq);
void rondo_hw_ring(const struct rondo_hw *hw, u32 bell);

/* Reads all registers but the machine's; and prints what was read, by name. */
void rondo_hw_dump(const struct rondo_hw *hw, u32 value[RONDO_HW_DUMP_REGS]);
void rondo_hw_dump_print(const u32 value[RONDO_HW_DUMP_REGS], struct drm_printer *p);

#endif
