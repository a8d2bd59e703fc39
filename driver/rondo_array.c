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

int rondo_array_get(const struct rondo_array *array, u32 first, u32 count, void *elements, u32 size)
{
	u64 from = array->data + (u64)first * array->stride;
	u32 i;
	int ret = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (array->stride == size)
		return copy_from_user(elements, u64_to_user_ptr(from), count * size) ? -EFAULT : 0;
	for (i = 0; i < count && !ret; i++, from += array->stride)
		ret = copy_struct_from_user(elements + i * size, size, u64_to_user_ptr(from),
					    array->stride);
	return ret;
}
