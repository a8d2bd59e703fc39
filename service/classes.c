// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/classes.h"

#include <math.h>
#include <string.h>

#include "service/dtype.h"

double classes_score(const struct accel_tensor *t, const void *bytes, u64 i)
{
	size_t size = dtype_bytes(t->dtype);
	s64 integer = 0;
	s32 word;
	float real;

	if (t->dtype == ACCEL_F32) {
		memcpy(&real, (const char *)bytes + i * size, sizeof(real));
		return real;
	}
	memcpy(&integer, (const char *)bytes + i * size, size);
	if (t->dtype == ACCEL_S8)
		return (s8)integer;
	if (t->dtype == ACCEL_S32) {
		memcpy(&word, &integer, sizeof(word));
		return word;
	}
	return (double)integer;
}

u32 classes_best(const struct accel_tensor *t, const void *bytes, u64 first, u32 count, u32 top,
		 u32 *best)
{
	u32 have = 0;

	for (u32 i = 0; i < count; i++) {
		double score = classes_score(t, bytes, first + i);
		u32 at = have;

		if (isnan(score))
			continue;
		while (at && classes_score(t, bytes, first + best[at - 1]) < score)
			at--;
		if (at == top)
			continue;
		have += have < top;
		memmove(best + at + 1, best + at, (have - 1 - at) * sizeof(*best));
		best[at] = i;
	}
	return have;
}
