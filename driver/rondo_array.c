// SPDX-License-Identifier: GPL-2.0-only
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "driver/rondo_array.h"

enum { RONDO_STRIDE_MAX = 4096 };

int rondo_array_check(const struct rondo_array *array, u32 max, u32 first_size)
{
	if (array->count > max)
		return -EINVAL;
	if (array->count && (array->stride < first_size || array->stride > RONDO_STRIDE_MAX ||
			     !IS_ALIGNED(array->stride, sizeof(u64))))
		return -EINVAL;
	return 0;
}

int rondo_array_get(const struct rondo_array *array, u32 i, void *element, u32 size)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return copy_struct_from_user(element, size,
				     u64_to_user_ptr(array->data + (u64)i * array->stride),
				     array->stride);
}
