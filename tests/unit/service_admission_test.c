// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/admission.h"
#include "tests/tap.h"

static void test_line(void)
{
	struct waiting w[6] = { { NULL, 50 },  { NULL, 50 }, { NULL, 1 },
				{ NULL, 100 }, { NULL, 1 },  { NULL, 50 } };
	const int order[6] = { 2, 4, 0, 1, 5, 3 };
	struct waiting *line = NULL, *at;
	bool good = true;
	int i = 0;

	for (int k = 0; k < 6; k++)
		admission_wait(&line, &w[k]);
	for (at = line; at; at = at->next, i++)
		good = good && i < 6 && at == &w[order[i]];
	tap_ok(good && i == 6, "the smaller priority first, in the order of arrival within one");
}

static void test_fits(void)
{
	u64 earliest;

	tap_ok(admission_fits(1000, 1000, 10, 10, &earliest) && earliest == 10,
	       "a free device: the run's own cycles");
	tap_ok(!admission_fits(1000, 1000, 10, 9, &earliest) && earliest == 10,
	       "a cycle less is too short");
	tap_ok(admission_fits(1000, 400, 10, 10, &earliest) && earliest == 10,
	       "one that has long been free is no earlier");
	tap_ok(admission_fits(1000, 1500, 10, 510, &earliest) && earliest == 510,
	       "what is ahead counts");
	tap_ok(!admission_fits(1000, 1501, 10, 510, &earliest) && earliest == 511, "exactly");
}

static void test_units(void)
{
	tap_eq(cycles_to_us(1000000, 1000000), 1000, "cycles are microseconds");
	tap_eq(cycles_to_us(1001, 1000000), 2, "rounded up");
	tap_eq(cycles_to_us(UINT64_MAX, 1000000) == UINT64_MAX / 1000 + 1, 1, "without overflow");
	tap_eq(us_to_cycles(2, 1500), 3, "and back");
	tap_eq(us_to_cycles(1, 1500), 1, "rounded down");
	tap_eq(us_to_cycles(UINT64_MAX, 1000000) == UINT64_MAX, 1, "up to the largest number");
	for (u64 us = 1; us < 100; us++)
		if (cycles_to_us(us_to_cycles(us, 1000000), 1000000) != us)
			tap_ok(false, "%d us are so many cycles", (int)us);
}

int main(void)
{
	test_line();
	test_fits();
	test_units();
	return tap_done();
}
