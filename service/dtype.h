/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Element types: their names in the protocol. */
#ifndef SERVICE_DTYPE_H
#define SERVICE_DTYPE_H

#include <stddef.h>

#include "accel.h"

/* "FP32"; NULL: it has none. */
const char *dtype_protocol_name(enum accel_dtype dtype);

/* Bytes of an element; 0: it is none of the types above. */
size_t dtype_bytes(enum accel_dtype dtype);

#endif
