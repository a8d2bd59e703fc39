/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How much memory the host could give this process now.
 */
#ifndef RONDO_EMULATOR_HOST_MEMORY_H
#define RONDO_EMULATOR_HOST_MEMORY_H

#include "spec/env.h"

struct host_memory {
	u64 bytes; /* UINT64_MAX if nothing says how much */
	const char *of; /* whose limit it is, as the subject of a sentence */
};

/*
 * The least of what the machine has available, what the control groups of this process (versions
 * 1 and 2, up to their roots) leave it, and what its limit on address space (RLIMIT_AS) leaves
 * beside what is resident already. File caches count as available.
 */
struct host_memory host_memory_available(void);

/*
 * What this process's limit on address space leaves for mappings that are only reserved:
 * UINT64_MAX if there is no limit.
 */
u64 host_address_space(void);

/*
 * As host_memory_available() for a system whose /proc and /sys stand below directory @root, and a
 * process that may have @address_space bytes.
 */
struct host_memory host_memory_of(const char *root, u64 address_space);

#endif
