// SPDX-License-Identifier: MIT
#include "userspace/libaccel/local_hw.h"

#include <errno.h>

#include "emulator/frontend/inproc.h"
#include "firmware/blob.h"

/* struct local_hw is the in-process front end under the name that the library uses. */
static struct inproc *inproc_of(struct local_hw *hw)
{
	return (struct inproc *)hw;
}

static struct emu_device *dev_of(struct local_hw *hw)
{
	return inproc_device(inproc_of(hw));
}

static_assert((int)LOCAL_HW_REASON_BYTES == (int)EMU_REASON_BYTES, "room for a reason");

bool local_hw_fits(const struct rondo_machine *machine, char why[LOCAL_HW_REASON_BYTES])
{
	return emu_fits(machine, why);
}

struct local_hw *local_hw_create(const struct rondo_machine *machine,
				 const struct local_hw_ops *ops)
{
	const struct inproc_ops inproc_ops = {
		.irq = ops->irq,
		.refused = ops->refused,
		.ctx = ops->ctx,
	};

	return (struct local_hw *)inproc_create(machine, &inproc_ops);
}

void local_hw_destroy(struct local_hw *hw)
{
	inproc_destroy(inproc_of(hw));
}

u32 local_hw_read(struct local_hw *hw, u32 offset)
{
	return emu_mmio_read(dev_of(hw), RONDO_BAR_REGS, offset, 4);
}

u64 local_hw_read64(struct local_hw *hw, u32 offset)
{
	return emu_mmio_read(dev_of(hw), RONDO_BAR_REGS, offset, 8);
}

void local_hw_write(struct local_hw *hw, u32 offset, u32 value)
{
	emu_mmio_write(dev_of(hw), RONDO_BAR_REGS, offset, value, 4);
}

void local_hw_write64(struct local_hw *hw, u32 offset, u64 value)
{
	local_hw_write(hw, offset, (u32)value);
	local_hw_write(hw, offset + 4, value >> 32);
}

bool local_hw_present(struct local_hw *hw)
{
	return local_hw_read(hw, RONDO_REG_HOST_ID) == RONDO_DEVICE_ID;
}

void local_hw_ring(struct local_hw *hw, u32 bell)
{
	emu_mmio_write(dev_of(hw), RONDO_BAR_BELLS, (u64)bell * RONDO_BELL_BYTES, 1, 4);
}

int local_hw_allow(struct local_hw *hw, void *p, u64 size, bool write)
{
	return inproc_allow(inproc_of(hw), p, size, write);
}

void local_hw_forbid(struct local_hw *hw, void *p, u64 size)
{
	inproc_forbid(inproc_of(hw), p, size);
}

u64 local_hw_bus(const void *p)
{
	return inproc_bus(p);
}

const u8 *local_hw_image(void)
{
	return rondo_fw_image;
}

u32 local_hw_image_bytes(void)
{
	return rondo_fw_image_size;
}

int local_hw_fault(struct local_hw *hw, const char *name, u32 value)
{
	enum emu_fault fault = emu_fault_find(name);

	if (fault == EMU_FAULTS)
		return -ENOENT;
	emu_fault_set(dev_of(hw), fault, value);
	return 0;
}

u32 local_hw_fault_hits(struct local_hw *hw, const char *name)
{
	enum emu_fault fault = emu_fault_find(name);

	return fault == EMU_FAULTS ? 0 : emu_fault_hits(dev_of(hw), fault);
}
