/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The firmware image as data, for programs that carry the device in themselves. */
#ifndef FIRMWARE_BLOB_H
#define FIRMWARE_BLOB_H

#include "spec/env.h"

extern const u8 rondo_fw_image[]; /* the same bytes as the file rondo.fw */
extern const u32 rondo_fw_image_size;

#endif
