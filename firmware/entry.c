/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What start.S meets: the header of the image, the firmware's one state, and its two ways in. */
#include "firmware/entry.h"
#include "firmware/firmware.h"

/* "jal x0, offset" for an even offset below 2048. */
#define JUMP(offset) ((offset) << 20 | 0x6f)

/* Size and CRC are filled in by mkimage. The code of start.S follows. */
const struct rondo_fw_image fw_image __attribute__((section(".header"), used)) = {
	.jump = JUMP(sizeof(struct rondo_fw_image)),
	.magic = RONDO_FW_IMAGE_MAGIC,
	.version = RONDO_FW_VERSION,
};

static struct firmware firmware;

void fw_main(void)
{
	if (!fw_boot(&firmware))
		return;
	while (fw_turn(&firmware))
		if (!firmware.more)
			hal_wait();
}

void fw_trapped(u32 cause, u32 pc, u32 value)
{
	fw_trap(&firmware, cause, pc, value);
}
