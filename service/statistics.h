/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is counted of a model, or version of one, as long as the process lives. */
#ifndef SERVICE_STATISTICS_H
#define SERVICE_STATISTICS_H

#include <stdatomic.h>

#include "spec/env.h"

/* Upper ends of the histograms' buckets, in microseconds of device time: 1 us to 50 s. */
enum { HISTOGRAM_BUCKETS = 24 };
extern const u64 histogram_ends_us[HISTOGRAM_BUCKETS];

struct histogram {
	_Atomic u64 bucket[HISTOGRAM_BUCKETS + 1]; /* the last: more than all ends */
	_Atomic u64 sum_ns;
};

struct statistics {
	_Atomic u64 answered, failed, refused, abandoned, late;
	_Atomic u64 cycles, energy_nj;
	_Atomic u64 last_ms; /* since 1970; 0: none was answered */
	struct histogram queue, latency;
};

void histogram_add(struct histogram *h, u64 ns);

#endif
