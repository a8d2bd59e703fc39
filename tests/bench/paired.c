// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/bench/paired.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(double *value, unsigned int count, double q)
{
	qsort(value, count, sizeof(*value), by_value);
	return value[(unsigned int)(q * (count - 1) + 0.5)];
}

struct paired paired_run(unsigned int pairs, paired_side *a, void *a_ctx, paired_side *b,
			 void *b_ctx)
{
	static double ratio[PAIRED_MAX], a_s[PAIRED_MAX], b_s[PAIRED_MAX];
	unsigned int i;

	if (!pairs || pairs > PAIRED_MAX) {
		fprintf(stderr, "paired_run: %u pairs, at most %d\n", pairs, PAIRED_MAX);
		exit(EXIT_FAILURE);
	}
	if (pairs >= 5) {
		a(a_ctx);
		b(b_ctx);
	}
	for (i = 0; i < pairs; i++) {
		if (i % 2) {
			b_s[i] = b(b_ctx);
			a_s[i] = a(a_ctx);
		} else {
			a_s[i] = a(a_ctx);
			b_s[i] = b(b_ctx);
		}
		ratio[i] = a_s[i] / b_s[i];
	}
	return (struct paired){ .median = quantile(ratio, pairs, 0.5),
				.low = quantile(ratio, pairs, 0.25),
				.high = quantile(ratio, pairs, 0.75),
				.a_s = quantile(a_s, pairs, 0.5),
				.b_s = quantile(b_s, pairs, 0.5) };
}

void paired_figure(const char *name, const struct paired *p, const char *a_is, const char *b_is)
{
	printf("# %s: half of the pairs lie between %.3f and %.3f; %s took %.3g s, %s %.3g s\n",
	       name, p->low, p->high, a_is, p->a_s, b_is, p->b_s);
	bench_figure(name, p->median, "ratio");
}
