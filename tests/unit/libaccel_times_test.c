// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* When submissions were under way, in device time: libaccel_times_test [DEVICE]. */
#include <pthread.h>

#include "tests/unit/libaccel_faults.h"

static u64 device_time(struct rig *r)
{
	struct accel_clock clock = {};

	accel_device_clock(r->device, &clock);
	return clock.device_cycles;
}

static double energy_of(const struct accel_program *program)
{
	struct accel_energy energy;

	accel_program_energy(program, &energy);
	return energy.compute_j + energy.movement_j;
}

/* Submits @count replays of the rig's binding as one job. */
static struct accel_fence *submit(struct rig *r, u32 count)
{
	struct accel_replay replays[8];
	const struct accel_job job = { .replays = replays, .replay_count = count };
	struct accel_fence *fence = NULL;
	u32 i;

	for (i = 0; i < count; i++)
		replays[i] = (struct accel_replay){ .binding = r->binding };
	rig_step();
	if (accel_submit(r->queue, &job, &fence))
		tap_ok(false, "a job");
	return fence;
}

static void test_job(struct rig *r, u32 count)
{
	u64 cycles = count * accel_program_cycles(r->program), before, after;
	struct accel_fence_times t = {};
	struct accel_fence *fence;

	before = device_time(r);
	fence = submit(r, count);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "a job");
	after = device_time(r);
	tap_eq(accel_fence_times(fence, &t, sizeof(t)), 0, "has times");
	tap_ok(before <= t.queued && t.queued <= t.started && t.started < t.ended &&
		       t.ended <= after,
	       "submitted, begun and ended one after the other");
	tap_eq(t.cycles, cycles, "it took its exact cycles");
	tap_ok(t.ended - t.started >= cycles, "between the beginning and the end");
	tap_ok(t.energy_j > 0 && t.energy_j == count * energy_of(r->program), "and its energy");
	accel_fence_destroy(fence);
}

/* What nobody asked for is not known, and an earlier caller gets what he knows. */
static void test_less(struct rig *r)
{
	struct accel_fence *fence = submit(r, 1);
	struct accel_fence_times t = { .queued = 5 };
	u64 first[3] = { 5, 5, 5 };

	accel_fence_wait(fence, ACCEL_FOREVER);
	tap_ok(!accel_fence_times(fence, &t, sizeof(t)) && !t.queued && t.started && t.ended,
	       "a queue notes when a job was submitted only if it is told to");
	tap_ok(!accel_fence_times(fence, (struct accel_fence_times *)first, 16) &&
		       first[0] == t.queued && first[1] == t.started && first[2] == 5,
	       "an earlier caller gets what he knows");
	accel_fence_destroy(fence);
}

/* A job waits for another: that shows. */
static void test_waiting(struct rig *r)
{
	struct accel_fence *fence[2];
	struct accel_fence_times t[2] = {};
	u32 hits = rig_fault_hits(r, "seq_work");
	int i;

	rig_fault(r, "seq_work", 1);
	fence[0] = submit(r, 1);
	rig_fault_wait(r, "seq_work", hits);
	fence[1] = submit(r, 2);
	tap_ok(accel_fence_times(fence[0], &t[0], sizeof(t[0])) == -EAGAIN && !t[0].queued,
	       "while it runs nothing is known");
	rig_fault(r, "seq_work", 0);
	for (i = 0; i < 2; i++) {
		accel_fence_wait(fence[i], ACCEL_FOREVER);
		tap_eq(accel_fence_times(fence[i], &t[i], sizeof(t[i])), 0, "when it has ended");
		accel_fence_destroy(fence[i]);
	}
	tap_ok(t[1].queued < t[0].ended && t[0].ended <= t[1].started,
	       "one is submitted while the other runs, and begins when that has ended");
}

static void test_failing(struct rig *r)
{
	struct accel_fence *fence;
	struct accel_fence_times t = {};

	rig_expect("a replay failed at bundle");
	rig_fault(r, "overrun", 1000);
	fence = submit(r, 3);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ETIME, "a job of which one replay fails");
	tap_eq(accel_fence_times(fence, &t, sizeof(t)), 0, "has times");
	tap_ok(t.queued <= t.started && t.started < t.ended &&
		       t.cycles >= 2 * accel_program_cycles(r->program) && t.energy_j == 0,
	       "and cycles, and an energy that is not known");
	accel_fence_destroy(fence);
}

/* A queue that is destroyed before the device has begun. */
static void test_never_begun(struct rig *r)
{
	struct accel_queue *queue = r->queue;
	struct accel_fence_times t = { .ended = 5 };
	struct accel_fence *fence[2];
	u32 hits = rig_fault_hits(r, "seq_work");
	int i, ret;

	accel_queue_create(r->device, 1, &r->queue);
	rig_fault(r, "seq_work", 1);
	for (i = 0; i < 2; i++)
		fence[i] = submit(r, 1);
	rig_fault_wait(r, "seq_work", hits);
	accel_queue_destroy(r->queue);
	rig_fault(r, "seq_work", 0);
	r->queue = queue;
	tap_eq(accel_fence_wait(fence[1], ACCEL_FOREVER), -ECANCELED, "a job that never began");
	ret = accel_fence_times(fence[1], &t, sizeof(t));
	tap_ok(rig_emulated() ? !ret && !t.started && !t.ended && !t.cycles : ret == -ENOENT,
	       "has no times");
	for (i = 0; i < 2; i++)
		accel_fence_destroy(fence[i]);
}

static void test_pool(struct rig *r)
{
	const struct accel_pool_options options = { .instances = 2, .flags = ACCEL_POOL_TIMES };
	struct accel_model *model = rig_model(r, 0, 0);
	struct accel_instance *in[2] = {};
	struct accel_fence_times t[2] = {};
	struct accel_pool *pool = NULL;
	int i, bad = 0;

	tap_eq(accel_pool_create(r->device, model, &options, &pool, NULL), 0, "a pool");
	for (i = 0; i < 2; i++) {
		accel_pool_acquire(pool, 0, &in[i]);
		bad += accel_instance_times(in[i], &t[i], sizeof(t[i])) != -ENODATA;
	}
	accel_pool_submit(pool, in, 2);
	for (i = 0; i < 2; i++) {
		bad += accel_instance_wait(in[i], ACCEL_FOREVER);
		bad += accel_instance_times(in[i], &t[i], sizeof(t[i]));
	}
	tap_ok(!bad && t[0].queued && t[0].queued <= t[0].started && t[0].started < t[0].ended &&
		       t[0].cycles == 2 * accel_program_cycles(r->program) &&
		       !memcmp(&t[0], &t[1], sizeof(t[0])),
	       "its instances have the times of their job");
	accel_instance_release(in[0]);
	accel_pool_acquire(pool, 0, &in[0]);
	tap_eq(accel_instance_times(in[0], &t[0], sizeof(t[0])), -ENODATA, "and no others");
	accel_pool_destroy(pool);
	accel_model_destroy(model);
}

/* The second time counts of what a reset has repeated. */
static void test_reset(struct rig *r)
{
	struct accel_fence *fence;
	struct accel_fence_times t = {};
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "seq_work", 1);
	fence = submit(r, 1);
	rig_fault_wait(r, "seq_work", hits);
	rig_expect("resetting the device: the firmware has stopped");
	rig_fault(r, "fw_crash", 1);
	rig_fault(r, "seq_work", 0);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "a job that is repeated");
	tap_eq(accel_fence_times(fence, &t, sizeof(t)), 0, "has times");
	tap_ok(t.started < t.ended && t.cycles == accel_program_cycles(r->program),
	       "of the second time");
	accel_fence_destroy(fence);
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	if (rig_init(&r)) {
		test_less(&r);
		tap_eq(accel_queue_note_times(r.queue, 1), 0, "a queue that notes times");
		test_job(&r, 1);
		test_job(&r, 8);
		if (!rig_jobs_come_singly())
			test_waiting(&r);
		test_failing(&r);
		test_never_begun(&r);
		test_pool(&r);
		test_reset(&r);
		tap_eq(accel_queue_note_times(r.queue, 0), 0, "and no more");
		test_less(&r);
		rig_fill(&r, 3);
		tap_ok(!rig_replay(&r) && rig_correct(&r, 3), "the device works on");
	}
	rig_fini(&r);
	return tap_done();
}
