/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What shared code may take from its host: integer types, memcpy and memset,
 * numbers of errors, static assertions, checked arithmetic. The same spec/ and core/ files compile
 * in the kernel, in userspace, in the firmware and in fuzzers; this header is
 * the only place that knows which.
 */
#ifndef RONDO_SPEC_ENV_H
#define RONDO_SPEC_ENV_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#if __STDC_HOSTED__
#include <errno.h>
#include <string.h>
#else
enum {
	ENOENT = 2,
	EIO = 5,
	ENOMEM = 12,
	EBUSY = 16,
	ENODEV = 19,
	EINVAL = 22,
	ENOSPC = 28,
	ERANGE = 34,
	ETIME = 62,
	ECANCELED = 125,
};
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memset(void *dst, int c, size_t n);
#endif

#define static_assert _Static_assert
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d) __builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d) __builtin_mul_overflow(a, b, d)
#endif

/* Every structure of the specification is little endian, and so is every supported host. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Rondo needs a little-endian host");

#endif
