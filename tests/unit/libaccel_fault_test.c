// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The emulated device under faults (emulator/device/faults.def): every one ends in its documented
 * error, and the device works again afterwards, or is gone. Nothing here sleeps.
 */
#include <fcntl.h>
#include <poll.h>

#include "tests/unit/libaccel_rig.h"
#include "userspace/libaccel/local.h"

/* Sets a fault of the rig's device. */
static void set(struct rig *r, const char *fault, u32 value)
{
	if (accel_local_fault(r->device, fault, value))
		tap_ok(false, "there is a fault called %s", fault);
}

/* Waits until @fault has acted @hits times. */
static void wait_for_hits(struct rig *r, const char *fault, u32 hits)
{
	while (accel_local_fault_hits(r->device, fault) < hits)
		poll(NULL, 0, 1);
}

static void works_again(struct rig *r)
{
	rig_fill(r, 9);
	tap_ok(!rig_replay(r) && rig_correct(r, 9), "and the device works again");
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1 && p.revents == POLLIN;
}

static void test_fence(struct rig *r)
{
	struct accel_fence *fence;
	int fd;

	set(r, "seq_hold", 1);
	tap_eq(accel_replay(r->queue, r->binding, &fence), 0, "a replay that is held");
	fd = accel_fence_fd(fence);
	tap_ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "its fence has a file descriptor");
	tap_ok(!readable(fd, 0), "that is not readable");
	tap_eq(accel_fence_wait(fence, 0), -ETIMEDOUT, "waiting until long ago");
	tap_eq(accel_fence_wait(fence, rig_in_ms(10)), -ETIMEDOUT, "waiting a moment");
	set(r, "seq_hold", 0);
	tap_ok(readable(fd, -1), "let go: it becomes readable");
	tap_ok(readable(fd, 0), "and stays so");
	tap_eq(accel_fence_wait(fence, 0), 0, "no wait any more");
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "as often as wanted");
	accel_fence_destroy(fence);
	accel_fence_destroy(NULL);
}

static void test_overrun(struct rig *r)
{
	set(r, "overrun", 1000);
	tap_eq(rig_replay(r), -ETIME, "a replay that exceeds its exact cycles");
	works_again(r);
}

/* A replay that is under way when the firmware crashes. */
static void test_crash(struct rig *r)
{
	struct accel_fence *fence, *waiting;

	set(r, "seq_hold", 1);
	accel_replay(r->queue, r->binding, &fence);
	accel_replay(r->queue, r->binding, &waiting);
	wait_for_hits(r, "seq_hold", 1);
	set(r, "fw_crash", 1);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -EIO, "a replay whose firmware crashes");
	tap_eq(accel_fence_wait(waiting, ACCEL_FOREVER), -EIO, "and the one behind it");
	set(r, "seq_hold", 0);
	accel_fence_destroy(fence);
	accel_fence_destroy(waiting);
	works_again(r);
}

static void test_silence(struct rig *r)
{
	struct accel_fence *fence;

	set(r, "fw_silent", 1);
	accel_replay(r->queue, r->binding, &fence);
	tap_eq(accel_fence_wait(fence, rig_in_ms(100)), -ETIMEDOUT, "firmware that is silent");
	set(r, "fw_silent", 0);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "and speaks again in time");
	accel_fence_destroy(fence);

	set(r, "fw_silent", 1);
	accel_replay(r->queue, r->binding, &fence);
	tap_eq(accel_fence_wait(fence, rig_in_ms(60000)), -EIO, "firmware that is dead");
	accel_fence_destroy(fence);
	set(r, "fw_silent", 0);
	works_again(r);
}

static void test_lost_interrupt(struct rig *r)
{
	u32 hits = accel_local_fault_hits(r->device, "irq_lose");

	set(r, "irq_lose", 1);
	tap_eq(rig_replay(r), 0, "an interrupt that is lost");
	tap_ok(accel_local_fault_hits(r->device, "irq_lose") > hits, "it was");
	works_again(r);
}

/* Whatever word of a completion is wrong: it is noticed, or it did not matter. */
static void test_corrupt_event(struct rig *r)
{
	u32 word, hits;
	int ret;

	for (word = 1; word <= 16; word++) {
		hits = accel_local_fault_hits(r->device, "event_corrupt");
		set(r, "event_corrupt", word);
		ret = rig_replay(r);
		tap_ok((!ret || ret == -EIO) &&
			       accel_local_fault_hits(r->device, "event_corrupt") > hits,
		       "a completion with word %u wrong: %d", word, ret);
		/* Type, result, queue and seqno decide what it is. */
		if (word == 1 || word == 2 || word == 4 || word == 5 || word == 6)
			tap_eq(ret, -EIO, "is an error");
		works_again(r);
	}
}

static void test_refused_access(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_queue *queue = NULL;

	set(r, "seq_dma_fail", 1);
	tap_eq(rig_replay(r), -EIO, "the sequencer's access is refused in a replay");
	works_again(r);
	set(r, "seq_dma_fail", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL), -EIO,
	       "while a program is loaded");
	works_again(r);
	set(r, "seq_dma_fail", 1);
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, NULL), -EIO,
	       "while a binding is made");
	works_again(r);
	set(r, "copy_fail", 1);
	tap_eq(accel_queue_create(r->device, 1, &queue), -EIO, "the firmware's, on the admin ring");
	works_again(r);
	set(r, "copy_fail", 1);
	tap_eq(rig_replay(r), -EIO, "the firmware's, on a queue");
	works_again(r);
	tap_ok(!program && !binding && !queue, "nothing was made");
}

static void test_no_memory(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_error error;

	set(r, "seq_no_memory", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error),
	       -ENOMEM, "no memory on the device while a program is loaded");
	tap_ok(!strcmp(error.text, "the fault seq_no_memory") && !error.reason,
	       "and the error says what the device says");
	works_again(r);
	set(r, "seq_no_memory", 1);
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, NULL), -ENOMEM,
	       "while a binding is made");
	works_again(r);
	tap_ok(!program && !binding, "nothing was made");
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), 0,
	       "with memory there is a program");
	accel_program_destroy(program);
}

/* A fault of the device's program memory: the replay ends, and its signature tells. */
static void test_flipped_bit(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_fence *fence;
	u32 bit;

	/* Of the base of the first address entry: 4, and 2^31. */
	for (bit = 2; bit < 32; bit += 29) {
		set(r, "seq_flip_program", bit + 1);
		accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
		accel_binding_create(program, r->slots, RIG_SLOTS, &binding, NULL);
		accel_replay(r->queue, binding, &fence);
		tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -EIO,
		       "a flipped bit in the device's copy of a program");
		accel_fence_destroy(fence);
		accel_binding_destroy(binding);
		accel_program_destroy(program);
	}
	works_again(r);
	set(r, "seq_flip_address", 32 + 2);
	tap_eq(rig_replay(r), -EIO, "a flipped bit of an address");
	works_again(r);
}

static void test_queue_destroy(struct rig *r)
{
	struct accel_fence *fences[3];
	struct accel_queue *queue;
	int i;

	accel_queue_create(r->device, 1, &queue);
	set(r, "seq_hold", 1);
	for (i = 0; i < 3; i++)
		accel_replay(queue, r->binding, &fences[i]);
	wait_for_hits(r, "seq_hold", 1);
	accel_queue_destroy(queue);
	for (i = 0; i < 3; i++) {
		tap_eq(accel_fence_wait(fences[i], ACCEL_FOREVER), -ECANCELED,
		       "a replay of a queue that is destroyed");
		accel_fence_destroy(fences[i]);
	}
	set(r, "seq_hold", 0);
	works_again(r);
}

/* Of many jobs in the device's hands none is forgotten. */
static void test_crash_under_load(struct rig *r)
{
	enum { JOBS = 300 };
	struct accel_fence *fences[JOBS];
	int i, failed = 0, other = 0, ret;

	set(r, "seq_hold", 1);
	for (i = 0; i < JOBS; i++)
		accel_replay(r->queue, r->binding, &fences[i]);
	wait_for_hits(r, "seq_hold", 1);
	set(r, "fw_crash", 1);
	ret = accel_fence_wait(fences[0], ACCEL_FOREVER);
	set(r, "seq_hold", 0);
	tap_eq(ret, -EIO, "the first of many jobs at a crash");
	for (i = 0; i < JOBS; i++) {
		ret = accel_fence_wait(fences[i], ACCEL_FOREVER);
		failed += ret == -EIO;
		other += ret && ret != -EIO;
		accel_fence_destroy(fences[i]);
	}
	tap_ok(failed > 0 && failed < JOBS && !other,
	       "fails with what was in its ring; the rest runs after the reset");
	works_again(r);
}

static void test_vanish(void)
{
	struct accel_fence *fence;
	struct accel_queue *queue = NULL;
	struct accel_clock clock;
	struct rig r;

	if (rig_init(&r)) {
		set(&r, "seq_hold", 1);
		accel_replay(r.queue, r.binding, &fence);
		set(&r, "vanish", 1);
		tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ENODEV,
		       "a replay whose device vanishes");
		accel_fence_destroy(fence);
		tap_eq(accel_replay(r.queue, r.binding, &fence), -ENODEV, "no further replay");
		tap_eq(accel_queue_create(r.device, 1, &queue), -ENODEV, "no queue");
		tap_eq(accel_device_clock(r.device, &clock), -ENODEV, "no clock");
	}
	rig_fini(&r);
}

/* Everything is destroyed while replays run. */
static void test_close_while_running(void)
{
	struct accel_fence *fence = NULL;
	struct rig r;

	if (rig_init(&r)) {
		set(&r, "seq_hold", 1);
		accel_replay(r.queue, r.binding, &fence);
		wait_for_hits(&r, "seq_hold", 1);
	}
	rig_fini(&r);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ECANCELED,
	       "a replay whose queue, buffers and device are closed");
	accel_fence_destroy(fence);
}

int main(void)
{
	struct rig r;

	if (rig_init(&r)) {
		tap_eq(accel_local_fault(r.device, "none", 1), -ENOENT, "there is no such fault");
		test_fence(&r);
		test_overrun(&r);
		test_crash(&r);
		test_silence(&r);
		test_lost_interrupt(&r);
		test_corrupt_event(&r);
		test_refused_access(&r);
		test_no_memory(&r);
		test_flipped_bit(&r);
		test_queue_destroy(&r);
		test_crash_under_load(&r);
	}
	rig_fini(&r);
	test_vanish();
	test_close_while_running();
	return tap_done();
}
