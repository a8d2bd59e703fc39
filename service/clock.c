// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/clock.h"

#include <time.h>

s64 clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}

bool clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, s64 until)
{
	const struct timespec at = { until / CLOCK_SECOND, until % CLOCK_SECOND };

	return !pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &at);
}
