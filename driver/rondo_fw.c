// SPDX-License-Identifier: GPL-2.0-only
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/firmware.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "driver/rondo_device.h"

enum {
	RONDO_BOOT_POLL_US = 200,
	RONDO_BOOT_TIMEOUT_MS = 5000,
};

const char *rondo_fw_refusal(const u8 *data, size_t size)
{
	static const u8 zero[sizeof_field(struct rondo_fw_image, crc)];
	struct rondo_fw_image head;
	u32 crc;

	if (size < sizeof(head) || size > RONDO_TCM_BYTES)
		return "its size is impossible";
	memcpy(&head, data, sizeof(head));
	if (head.magic != RONDO_FW_IMAGE_MAGIC)
		return "it is not a firmware image";
	if (head.size != size)
		return "it is truncated or has something appended";

	crc = crc32_le(~0u, data, offsetof(struct rondo_fw_image, crc));
	crc = crc32_le(crc, zero, sizeof(zero));
	crc = ~crc32_le(crc, data + offsetofend(struct rondo_fw_image, crc),
			size - offsetofend(struct rondo_fw_image, crc));
	if (crc != head.crc)
		return "its checksum is wrong";
	if (head.version >> 16 != RONDO_FW_MAJOR)
		return "it is of another major version";
	return NULL;
}

int rondo_fw_load(struct rondo_device *rdev)
{
	struct device *dev = rdev->drm.dev;
	const struct firmware *file;
	const char *refusal;
	int ret;

	ret = firmware_request_nowarn(&file, RONDO_FW_NAME, dev);
	if (ret)
		return dev_err_probe(dev, ret, "cannot load firmware %s\n", RONDO_FW_NAME);

	refusal = rondo_fw_refusal(file->data, file->size);
	if (refusal) {
		ret = dev_err_probe(dev, -EINVAL, "firmware %s is refused: %s\n", RONDO_FW_NAME,
				    refusal);
		goto out_release;
	}
	ret = rondo_dma_alloc(rdev, &rdev->fw.image, file->size);
	if (ret)
		goto out_release;
	memcpy(rdev->fw.image.block->cpu, file->data, file->size);
	rdev->fw.size = file->size;

out_release:
	release_firmware(file);
	return ret;
}

/* 0 when the firmware is ready, -EAGAIN while it boots, another error if it never will be. */
static int boot_progress(struct rondo_device *rdev)
{
	u32 state = rondo_hw_fw_state(&rdev->hw);

	if (READ_ONCE(rdev->leaving))
		return -ENODEV; /* in a reset, for which remove waits */
	if (!rondo_hw_present(&rdev->hw)) {
		dev_err(rdev->drm.dev, "the device vanished while it booted\n");
		return -ENODEV;
	}
	if (rondo_hw_state(&rdev->hw) == RONDO_STATE_DEAD) {
		dev_err(rdev->drm.dev, "firmware %s does not boot: boot error %u\n", RONDO_FW_NAME,
			rondo_hw_boot_error(&rdev->hw));
		return -EIO;
	}
	if (state == RONDO_FW_STATE_READY)
		return 0;
	if (state == RONDO_FW_STATE_NONE)
		return -EAGAIN;
	dev_err(rdev->drm.dev, "firmware %s does not boot: state %u\n", RONDO_FW_NAME, state);
	return -EIO;
}

int rondo_fw_boot(struct rondo_device *rdev)
{
	unsigned long timeout;
	u32 version;
	int ret;

	ret = rondo_hw_reset(&rdev->hw);
	if (ret) {
		dev_err(rdev->drm.dev, "the device does not obey reset: %pe\n", ERR_PTR(ret));
		return ret;
	}
	/* Not before: one that has not obeyed may have been stopped by taking this from it. */
	pci_set_master(to_pci_dev(rdev->drm.dev));
	rondo_ring_reset(rdev);
	rondo_hw_boot(&rdev->hw, rdev->fw.image.block->addr, rdev->fw.size,
		      rondo_ring_init_addr(rdev));

	timeout = jiffies + msecs_to_jiffies(RONDO_BOOT_TIMEOUT_MS);
	while ((ret = boot_progress(rdev)) == -EAGAIN) {
		if (time_after(jiffies, timeout)) {
			dev_err(rdev->drm.dev, "firmware %s does not answer\n", RONDO_FW_NAME);
			return -ETIMEDOUT;
		}
		usleep_range(RONDO_BOOT_POLL_US, 2 * RONDO_BOOT_POLL_US);
	}
	if (ret)
		return ret;

	version = rondo_hw_fw_version(&rdev->hw);
	if (version >> 16 != RONDO_FW_MAJOR) {
		dev_err(rdev->drm.dev, "firmware %s speaks version %u.%u, the driver %u.%u\n",
			RONDO_FW_NAME, version >> 16, version & 0xffff, RONDO_FW_MAJOR,
			RONDO_FW_MINOR);
		return -EINVAL;
	}
	WRITE_ONCE(rdev->fw.version, version);
	return 0;
}

MODULE_FIRMWARE(RONDO_FW_NAME);
