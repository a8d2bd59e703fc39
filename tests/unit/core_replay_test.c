// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* How replays end: the table's rows, and what a reset makes of jobs in flight. */
#include "core/replay.h"
#include "spec/device.h"
#include "tests/tap.h"

static const struct {
	const char *name;
	u32 number, seq, result;
	int error;
} rows[] = {
#define RESULT(name, number, error, where, text) \
	{ #name, number, RONDO_SEQ_##name, RONDO_FW_##name, error },
#define HOST_RESULT(name, number, error, where, text)
#include "spec/results.def"
};

static void test_rows(void)
{
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(rows[i].number == i && rows[i].result == i &&
			       rows[i].seq == RONDO_SEQ_ENDED + i &&
			       rondo_result_error(i) == -rows[i].error && rondo_result_text(i)[0],
		       "%s is result %u of sequencer and firmware", rows[i].name, i);
	tap_eq(i, RONDO_FW_RESULTS, "they are all");
	tap_ok((u32)RONDO_HOST_RESET >= RONDO_FW_RESULTS, "the host's own are none of them");
	tap_eq(rondo_result_error(RONDO_FW_OK), 0, "a replay that ends well has no error");
	tap_eq(rondo_result_error(RONDO_FW_OVERRUN), -ETIME, "one that takes too long");
	tap_eq(rondo_result_error(RONDO_FW_ABORTED), -ECANCELED, "one whose queue is destroyed");
	tap_eq(rondo_result_error(RONDO_HOST_GONE), -ENODEV, "one whose device is gone");
	for (i = RONDO_FW_RESULTS; i < RONDO_HOST_RESET && rondo_result_error(i) == -EIO; i++)
		;
	tap_eq(i, RONDO_HOST_RESET, "every number between them is unknown");
	tap_ok(rondo_result_error(~0u) == -EIO && rondo_result_text(~0u)[0] &&
		       !rondo_result_has_bundle(~0u),
	       "and so is the largest");
	tap_ok(rondo_result_has_bundle(RONDO_FW_TRAPPED) &&
		       rondo_result_has_bundle(RONDO_FW_OVERRUN) &&
		       !rondo_result_has_bundle(RONDO_FW_SIGNATURE) &&
		       !rondo_result_has_bundle(RONDO_HOST_RESET),
	       "which results have a bundle");
}

static void test_begun(void)
{
	tap_ok(!rondo_job_begun(5, 5, false), "the head is the job's first: not begun");
	tap_ok(rondo_job_begun(5, 5, true), "and runs: begun");
	tap_ok(rondo_job_begun(5, 6, false), "the head is behind the first");
	tap_ok(!rondo_job_begun(5, 4, true), "the one before it runs");
	tap_ok(rondo_job_begun(~0u, ~0u, true) && rondo_job_begun(~0u, 0, false) &&
		       !rondo_job_begun(0, ~0u, true),
	       "the same where indices wrap around");
}

static void test_fate(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		tap_eq(rondo_fate_at_reset(false, i & 1, i & 2), RONDO_FATE_RUN,
		       "a job that has not begun runs");
	tap_eq(rondo_fate_at_reset(true, true, false), RONDO_FATE_REPEAT, "a disjoint one again");
	tap_eq(rondo_fate_at_reset(true, true, true), RONDO_FATE_FAIL, "but once only");
	tap_eq(rondo_fate_at_reset(true, false, false), RONDO_FATE_FAIL, "another one never");
}

int main(void)
{
	test_rows();
	test_begun();
	test_fate();
	return tap_done();
}
