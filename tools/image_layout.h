/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* How an image lies in a tensor. */
#ifndef TOOLS_IMAGE_LAYOUT_H
#define TOOLS_IMAGE_LAYOUT_H

#include "compiler/tensor.h"

struct image_layout {
	s64 height, width, channels; /* 1 or 3 channels */
	s64 row_step, column_step, channel_step; /* in elements */
};

enum image_order {
	IMAGE_AS_SHAPED, /* CxHxW if that fits, else HxWxC */
	IMAGE_CHW,
	IMAGE_HWC,
};

/*
 * The layout of an image in a tensor of shape @s, which must be, after leading ones, HxW, or CxHxW
 * or HxWxC of 1 or 3 channels; false if it is none.
 */
bool image_layout(const struct shape *s, enum image_order order, struct image_layout *out);

#endif
