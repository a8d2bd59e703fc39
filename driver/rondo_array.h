/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays of the user's that an ioctl reads: {pointer, count, stride}; see rondo_accel.h.
 */
#ifndef RONDO_ARRAY_H
#define RONDO_ARRAY_H

#include <linux/types.h>

struct rondo_array {
	u64 data;
	u32 count, stride;
};

/* Whether there may be such an array of at most @max elements; they had @first_size bytes in 1.0.
 */
int rondo_array_check(const struct rondo_array *array, u32 max, u32 first_size);

/*
 * Copies @count elements from number @first on to @elements, of @size bytes each. -EFAULT, -E2BIG,
 * or -EINTR: the caller is killed, and no loop over an array shall hold it.
 */
int rondo_array_get(const struct rondo_array *array, u32 first, u32 count, void *elements,
		    u32 size);

#endif
