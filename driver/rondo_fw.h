/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware: its image, checked once at probe and kept for resets, and its boot.
 */
#ifndef RONDO_FW_H
#define RONDO_FW_H

#include "driver/rondo_dma.h"
#include "spec/fw_abi.h"

struct rondo_device;

struct rondo_fw {
	/** @image: copy of the image that the device boots from */
	struct rondo_dma image;
	u32 size;
	/** @version: of the interface, as the firmware that runs says */
	u32 version;
};

/* Why an image of @size bytes is refused, or NULL if it is good. */
const char *rondo_fw_refusal(const u8 *data, size_t size);

/* Requests and checks the image. Errors are logged, naming file and reason. */
int rondo_fw_load(struct rondo_device *rdev);

/*
 * Resets the device, boots it, and waits until the firmware serves its rings (which are
 * reset, too). Errors are logged. May take a second; allocates nothing.
 */
int rondo_fw_boot(struct rondo_device *rdev);

#endif
