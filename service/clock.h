/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Time that nobody sets: what waits and what is late must not depend on the date. */
#ifndef SERVICE_CLOCK_H
#define SERVICE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>

#include "spec/env.h"

#define CLOCK_SECOND INT64_C(1000000000)

/* Nanoseconds since some moment. */
s64 clock_now(void);

/* Waits for @cond until @until of clock_now(); false: that has come. */
bool clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, s64 until);

#endif
