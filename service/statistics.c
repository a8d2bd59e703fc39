// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/statistics.h"

const u64 histogram_ends_us[HISTOGRAM_BUCKETS] = {
	1,	2,	5,	 10,	  20,	   50,	     100,      200,
	500,	1000,	2000,	 5000,	  10000,   20000,    50000,    100000,
	200000, 500000, 1000000, 2000000, 5000000, 10000000, 20000000, 50000000,
};

void histogram_add(struct histogram *h, u64 ns)
{
	int i = 0;

	while (i < HISTOGRAM_BUCKETS && ns > histogram_ends_us[i] * 1000)
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, ns, memory_order_relaxed);
}
