// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the driver has taken back is out of the device's reach: an access to it is made on purpose,
 * without the driver, and must be a fault of the IOMMU. Runs where an IOMMU is strict.
 */
#include "spec/device.h"
#include "spec/regs.h"
#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

static uint32_t status(void)
{
	return rig_bar(RONDO_BAR_REGS)[RONDO_REG_HOST_STATUS / 4];
}

static bool is_dead(void *unused)
{
	(void)unused;
	return (status() & RONDO_FLD_HOST_STATUS_STATE) == RONDO_STATE_DEAD;
}

/* The firmware image, which the driver has unmapped, is fetched once more. */
TEST(access_after_unbind)
{
	volatile uint32_t *regs = rig_bar(RONDO_BAR_REGS);
	uint32_t low, high, size;
	char fault[128];

	ASSERT_EQ(0, rig_new_file_works());
	low = regs[RONDO_REG_HOST_FW_ADDR_LO / 4];
	high = regs[RONDO_REG_HOST_FW_ADDR_HI / 4];
	size = regs[RONDO_REG_HOST_FW_SIZE / 4];
	ASSERT_NE(0, low | high);
	ASSERT_EQ(0, rig_driver_unbind());

	rig_expect("DMAR: DRHD: handling fault status");
	snprintf(fault, sizeof(fault), "DMAR: \\[DMA Read .*fault addr 0x%llx ",
		 (unsigned long long)high << 32 | low);
	rig_expect(fault);
	rig_bus_master();
	regs[RONDO_REG_HOST_FW_ADDR_LO / 4] = low;
	regs[RONDO_REG_HOST_FW_ADDR_HI / 4] = high;
	regs[RONDO_REG_HOST_FW_SIZE / 4] = size;
	regs[RONDO_REG_HOST_CTRL / 4] = RONDO_FLD_HOST_CTRL_BOOT;
	EXPECT_TRUE(rig_until(is_dead, NULL));
	EXPECT_EQ(RONDO_BOOT_DMA,
		  (status() & RONDO_FLD_HOST_STATUS_ERROR) >> RONDO_SHIFT_HOST_STATUS_ERROR);

	EXPECT_EQ(0, rig_driver_bind());
	EXPECT_EQ(0, rig_new_file_works());
}

TEST_HARNESS_MAIN
