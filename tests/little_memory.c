// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A host of which tests say how much memory it has, and how much address space: the numbers of MiB
 * in RONDO_TEST_MEMORY and RONDO_TEST_ADDRESS_SPACE, else the real ones. To be linked with
 * --wrap=host_memory_available,--wrap=host_address_space.
 */
#include <stdlib.h>

#include "emulator/exec/host_memory.h"

struct host_memory __real_host_memory_available(void);
struct host_memory __wrap_host_memory_available(void);
u64 __real_host_address_space(void);
u64 __wrap_host_address_space(void);

struct host_memory __wrap_host_memory_available(void)
{
	const char *mib = getenv("RONDO_TEST_MEMORY");

	return mib ? (struct host_memory){ strtoull(mib, NULL, 10) << 20, "the host" } :
		     __real_host_memory_available();
}

u64 __wrap_host_address_space(void)
{
	const char *mib = getenv("RONDO_TEST_ADDRESS_SPACE");

	return mib ? strtoull(mib, NULL, 10) << 20 : __real_host_address_space();
}
