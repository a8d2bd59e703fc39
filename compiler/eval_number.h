/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Elements of any type, one at a time. */
#ifndef COMPILER_EVAL_NUMBER_H
#define COMPILER_EVAL_NUMBER_H

#include "compiler/tensor.h"

/* An f32 in f, anything else in i. */
struct number {
	float f;
	s64 i;
};

static inline struct number number_read(enum dtype t, const void *bytes, s64 i)
{
	switch (t) {
	case DTYPE_F32:
		return (struct number){ .f = ((const float *)bytes)[i] };
	case DTYPE_S8:
		return (struct number){ .i = ((const s8 *)bytes)[i] };
	case DTYPE_S32:
		return (struct number){ .i = ((const s32 *)bytes)[i] };
	case DTYPE_S64:
		return (struct number){ .i = ((const s64 *)bytes)[i] };
	default: /* u8, bool */
		return (struct number){ .i = ((const u8 *)bytes)[i] };
	}
}

/* An integer that does not fit loses its high bits. */
static inline void number_write(enum dtype t, void *bytes, s64 i, struct number x)
{
	switch (t) {
	case DTYPE_F32:
		((float *)bytes)[i] = x.f;
		break;
	case DTYPE_S32:
		((s32 *)bytes)[i] = (s32)(u32)(u64)x.i;
		break;
	case DTYPE_S64:
		((s64 *)bytes)[i] = x.i;
		break;
	default: /* s8, u8, bool */
		((u8 *)bytes)[i] = (u8)(u64)x.i;
		break;
	}
}

#endif
