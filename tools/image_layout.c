// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/image_layout.h"

static bool is_channels(s64 n)
{
	return n == 1 || n == 3;
}

bool image_layout(const struct shape *s, enum image_order order, struct image_layout *out)
{
	const s64 *d = s->dim;
	int rank = s->rank;

	*out = (struct image_layout){ .channels = 1 };
	for (; rank > 3 && *d == 1; rank--)
		d++;
	if (rank == 3 && order != IMAGE_HWC && is_channels(d[0])) {
		out->channels = d[0];
		out->channel_step = d[1] * d[2];
		out->column_step = 1;
		d++;
	} else if (rank == 3 && order != IMAGE_CHW && is_channels(d[2])) {
		out->channels = d[2];
		out->channel_step = 1;
		out->column_step = d[2];
	} else if (rank == 2) {
		out->column_step = 1;
	} else {
		return false;
	}
	out->height = d[0];
	out->width = d[1];
	out->row_step = d[1] * out->column_step;
	return out->height > 0 && out->width > 0;
}
