// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/dtype.h"

static const struct {
	const char *name;
	size_t bytes;
} types[] = {
	[ACCEL_F32] = { "FP32", 4 },  [ACCEL_U8] = { "UINT8", 1 },  [ACCEL_S8] = { "INT8", 1 },
	[ACCEL_S32] = { "INT32", 4 }, [ACCEL_S64] = { "INT64", 8 }, [ACCEL_BOOL] = { "BOOL", 1 },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

const char *dtype_protocol_name(enum accel_dtype dtype)
{
	return dtype < TYPES ? types[dtype].name : NULL;
}

size_t dtype_bytes(enum accel_dtype dtype)
{
	return dtype < TYPES ? types[dtype].bytes : 0;
}
