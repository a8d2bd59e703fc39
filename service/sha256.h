/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* SHA-256 (FIPS 180-4): names of plans in the cache. */
#ifndef SERVICE_SHA256_H
#define SERVICE_SHA256_H

#include <stddef.h>

#include "spec/env.h"

enum { SHA256_BYTES = 32 };

struct sha256 {
	u32 state[8];
	u64 size; /* bytes so far */
	u8 block[64]; /* the last, incomplete one */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t size);
void sha256_end(struct sha256 *s, u8 digest[SHA256_BYTES]);

#endif
