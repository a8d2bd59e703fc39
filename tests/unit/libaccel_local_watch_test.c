// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local backend's watch: how often it looks at a counter that stands still before it resets the
 * device, what it sees at once, and how opening a device ends that does not come up.
 */
#include "tests/unit/libaccel_local_rig.h"

/* How often the thread looks at register @offset, which stands still, until it resets the device.
 */
static u32 looks_until_reset(u32 offset)
{
	const u32 moves = offset == RONDO_REG_HOST_HEARTBEAT ? RONDO_REG_HOST_PROGRESS :
							       RONDO_REG_HOST_HEARTBEAT;
	u32 before = resets;

	reads_as(moves, MOVES, 7);
	reg[offset / 4].reads = 0;
	reg[offset / 4].how = STILL;
	hurry = true;
	wait_for_resets(before + 1);
	return reads_of(offset);
}

static const struct {
	const char *name;
	u32 offset, looks;
} counters[] = {
	{ "heartbeat", RONDO_REG_HOST_HEARTBEAT, LOCAL_WATCH_SILENT },
	{ "progress", RONDO_REG_HOST_PROGRESS, LOCAL_WATCH_STILL },
};

/* A counter that stands still for so many looks, four a second, is a reset; not for one less. */
static void test_still(struct rig *r)
{
	struct accel_fence *fence;
	u32 i, began, before, looks, waited;

	for (i = 0; i < 2; i++) {
		fence = hold(r, r->binding, 1);
		reg[counters[i].offset / 4].value = 0xabcdef;
		began = waited_ms;
		looks = looks_until_reset(counters[i].offset);
		/* The first look sees that it has moved. */
		tap_eq(looks, 1 + counters[i].looks, "looks until a reset");
		/* That may be when the job comes, or at the next look. */
		waited = reset_ms - began;
		tap_ok(waited == looks * LOCAL_WATCH_MS || waited == (looks - 1) * LOCAL_WATCH_MS,
		       "by the %s: %u ms", counters[i].name, waited);
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0), "after which the job runs");
	}
	/* What was seen of one job does not count for the next. */
	for (i = 0; i < 2; i++) {
		const u32 other = counters[1 - i].offset;

		fence = hold(r, r->binding, 1);
		before = resets;
		reads_as(other, MOVES, 7);
		reg[counters[i].offset / 4].pause_at = counters[i].looks;
		reads_as(counters[i].offset, STILL, 0xbcdef);
		hurry = true;
		while (reads_of(counters[i].offset) < counters[i].looks)
			poll(NULL, 0, 1);
		hurry = false;
		began = event_tail(r);
		rig_fault(r, "seq_work", 0);
		wait_for_events(r, began + 1);
		reg[counters[i].offset / 4].pause_at = 0;
		tap_ok(ended(fence, 0, 0) && resets == before, "one look less is none");
		fence = hold(r, r->binding, 1);
		tap_eq(looks_until_reset(counters[i].offset), counters[i].looks,
		       "after a pause it is as many again");
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0), "and the job runs");
	}
	works(r);
}

/* Whatever tells that device or firmware have stopped: it is seen at the next look. */
static void test_stopped(struct rig *r)
{
	static const struct {
		const char *name;
		u32 offset, value;
	} rows[] = {
		{ "the device is dead", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_DEAD << RONDO_SHIFT_HOST_STATUS_STATE },
		{ "the device is off", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_OFF << RONDO_SHIFT_HOST_STATUS_STATE },
		{ "the firmware is not there", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_NONE },
		{ "the firmware has stopped", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_BAD_INIT },
		{ "the sequencer is stuck", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_STUCK },
	};
	u32 i, before, began;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accel_fence *fence = hold(r, r->binding, 1);

		before = resets;
		began = waited_ms;
		reads_as(rows[i].offset, ONCE, rows[i].value);
		local_wake(local(r));
		wait_for_resets(before + 1);
		tap_ok(reset_ms - began < 2 * LOCAL_WATCH_MS, "%s: a reset at once", rows[i].name);
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0) && resets == before + 1, "and one only");
	}
	works(r);
}

/*
 * Boot
 */

/* How opening ends if register @offset reads as @value; and how long it waits. */
static int open_with(u32 offset, u32 value, u32 *ms, u32 *firmware)
{
	struct accel_device *device = (void *)8;
	struct accel_error error;
	struct accel_info info;
	u32 began = waited_ms;
	int ret;

	reads_as(offset, STILL, value);
	opens = true;
	hurry = true;
	ret = accel_device_open("emu", &device, &error);
	opens = false;
	hurry = false;
	reads_as(offset, REAL, 0);
	*ms = waited_ms - began;
	if ((device == (void *)8) != !!ret || !error.text[0] != !ret)
		return 1;
	if (!ret) {
		accel_device_info(device, &info, sizeof(info));
		*firmware = info.firmware;
		accel_close(device);
	}
	return ret;
}

static void test_boot(void)
{
	enum { ALL = 10000 }; /* ms that a boot may take */
	static const struct {
		const char *name;
		u32 offset, value;
		int error;
		bool waits; /* in vain */
	} rows[] = {
		{ "a device that is gone", RONDO_REG_HOST_ID, ~0u, -ENODEV, false },
		{ "one that dies", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_DEAD << RONDO_SHIFT_HOST_STATUS_STATE, -EIO, false },
		{ "one that stays off", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_OFF << RONDO_SHIFT_HOST_STATUS_STATE, -EIO, true },
		{ "firmware that never comes", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_NONE, -EIO,
		  true },
		{ "firmware that stops", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_BAD_INIT, -EIO,
		  false },
		{ "firmware that traps", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_TRAP, -EIO,
		  false },
		{ "an older major version", RONDO_REG_HOST_FW_VERSION,
		  (RONDO_FW_MAJOR - 1) << 16 | 0xffff, -EIO, false },
		{ "a newer one", RONDO_REG_HOST_FW_VERSION, (RONDO_FW_MAJOR + 1) << 16, -EIO,
		  false },
		{ "a newer minor version", RONDO_REG_HOST_FW_VERSION, RONDO_FW_MAJOR << 16 | 0xffff,
		  0, false },
	};
	u32 i, ms, firmware = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = open_with(rows[i].offset, rows[i].value, &ms, &firmware);

		if (!tap_ok(ret == rows[i].error && (ms == ALL) == rows[i].waits && ms <= ALL, "%s",
			    rows[i].name))
			printf("# %d, %u ms\n", ret, ms);
	}
	tap_eq(firmware, RONDO_FW_MAJOR << 16 | 0xffff, "which is told");
}

int main(void)
{
	struct rig r;

	test_boot();
	if (init(&r)) {
		test_still(&r);
		test_stopped(&r);
	}
	fini(&r);
	return tap_done();
}
