/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the tests of the local backend from inside share. They stand between the library and its
 * device (--wrap): registers read as a test says, and the library's thread lives in a time of its
 * own, which passes only while the thread waits in vain.
 */
#ifndef TESTS_LIBACCEL_LOCAL_RIG_H
#define TESTS_LIBACCEL_LOCAL_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/replay.h"
#include "tests/unit/libaccel_faults.h"

/*
 * Between the library and the device (libaccel_local_rig.c)
 */

enum how {
	REAL,
	STILL, /* reads as the value */
	ONCE, /* does so once, and is real then */
	MOVES, /* reads as the value, which is one more each time */
};

struct local_rig_reg {
	_Atomic enum how how;
	atomic_uint value, reads; /* while it is not real */
	atomic_uint pause_at; /* the read after which the library stops until this is 0 */
};

extern struct local_rig_reg reg[64]; /* by offset / 4 */

extern _Atomic(struct local_device *) watched; /* whose thread lives in the time of the test */
extern _Thread_local bool opens; /* this thread does as well: it boots a device */
extern atomic_bool hurry; /* waiting in vain takes none of the host's time */
extern atomic_uint waited_ms; /* the time of the thread */
extern atomic_uint reset_ms; /* when it reset the device last, which takes time */
extern atomic_uint resets, bells; /* resets of the device; times that bell 0 was rung */
extern void (*_Atomic before_reset)(void); /* called once, before the next reset */

static inline void reads_as(u32 offset, enum how how, u32 value)
{
	reg[offset / 4].reads = 0;
	reg[offset / 4].value = value;
	reg[offset / 4].how = how;
}

static inline u32 reads_of(u32 offset)
{
	return reg[offset / 4].reads;
}

/*
 * What the tests are made of
 */

static inline struct local_device *local(struct rig *r)
{
	return (struct local_device *)r->device;
}

static inline bool init(struct rig *r)
{
	bool good = rig_init(r);

	if (good)
		watched = local(r);
	return good;
}

static inline void fini(struct rig *r)
{
	rig_fini(r);
	watched = NULL;
}

static inline void works(struct rig *r)
{
	rig_fault(r, "seq_work", 0);
	rig_fill(r, 9);
	tap_ok(!rig_replay(r) && rig_correct(r, 9), "and the device works");
}

static inline void wait_for_resets(u32 count)
{
	while (resets < count)
		poll(NULL, 0, 1);
}

static inline void wait_for_fault(struct rig *r, u32 hits)
{
	rig_fault_wait(r, "seq_work", hits);
}

/* Starts a job of @count replays of @binding and waits until the device holds the first. */
static inline struct accel_fence *hold(struct rig *r, struct accel_binding *binding, u32 count)
{
	static struct accel_replay replays[LOCAL_REPLAYS_MAX];
	struct accel_job job = { .replays = replays, .replay_count = count };
	u32 hits = rig_fault_hits(r, "seq_work"), i;
	struct accel_fence *fence = NULL;

	rig_step();
	for (i = 0; i < count; i++)
		replays[i].binding = binding;
	rig_fault(r, "seq_work", 1);
	tap_eq(accel_submit(r->queue, &job, &fence), 0, "a job that is held");
	wait_for_fault(r, hits);
	return fence;
}

/* Whether @fence ends with @error, for @result. */
static inline bool ended(struct accel_fence *fence, int error, u32 result)
{
	struct accel_error e;
	bool good;
	int ret;

	rig_step();
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_error(fence, NULL, &e);
	good = ret == error && e.reason == result;
	if (!good)
		printf("# %d, reason %u: %s\n", ret, e.reason, e.text);
	accel_fence_destroy(fence);
	return good;
}

/* The last job of the device. */
static inline struct local_job *last_job(struct local_device *dev)
{
	struct local_job *job = dev->jobs;

	while (job && job->next)
		job = job->next;
	return job;
}

/* How many replays of the last job stand in a ring. */
static inline u32 last_pushed(struct rig *r)
{
	u32 pushed;

	pthread_mutex_lock(&local(r)->lock);
	pushed = last_job(local(r))->pushed;
	pthread_mutex_unlock(&local(r)->lock);
	return pushed;
}

/* How many events the library has taken. */
static inline u32 event_head(struct rig *r)
{
	u32 head;

	pthread_mutex_lock(&local(r)->lock);
	head = local(r)->event_head;
	pthread_mutex_unlock(&local(r)->lock);
	return head;
}

static inline u32 event_tail(struct rig *r)
{
	return __atomic_load_n(&local(r)->shared->status.event_tail, __ATOMIC_ACQUIRE);
}

/* Waits until the firmware has written its events up to @tail. */
static inline void wait_for_events(struct rig *r, u32 tail)
{
	while ((s32)(event_tail(r) - tail) < 0)
		poll(NULL, 0, 1);
}

/* Waits until the firmware has answered all commands. */
static inline void wait_for_answers(struct local_device *dev)
{
	bool none = false;

	while (!none) {
		pthread_mutex_lock(&dev->lock);
		none = !dev->calls && !dev->backlog;
		pthread_mutex_unlock(&dev->lock);
		poll(NULL, 0, none ? 0 : 1);
	}
}

#endif
