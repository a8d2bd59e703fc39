// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local backend's reset: what is repeated, tried again, or forgotten, and what comes of a
 * device that fails again meanwhile.
 */
#include "tests/unit/libaccel_local_rig.h"

static struct rig_counter counter;

static struct rig *held_rig;

/* The replay that is held ends, and its event is written; the library has not seen it. */
static void let_it_end(void)
{
	u32 tail = event_tail(held_rig);

	rig_fault(held_rig, "seq_work", 0);
	wait_for_events(held_rig, tail + 1);
}

static void vanish(void)
{
	rig_fault(held_rig, "vanish", 1);
}

/* What ends before the device has stopped has ended. */
static void test_ended_before_reset(struct rig *r)
{
	u32 before = resets;
	struct accel_fence *fence;

	memset(counter.words, 0, 256);
	fence = hold(r, counter.binding, 1);
	held_rig = r;
	before_reset = let_it_end;
	reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
	local_wake(local(r));
	tap_ok(ended(fence, 0, 0), "a job that ends before the device has stopped");
	wait_for_resets(before + 1);
	works(r);
	tap_ok(counter.words[0] == 1 && resets == before + 1, "is not repeated");
}

/* A job keeps its first failure, whatever comes behind that. */
static void test_first_failure(struct rig *r)
{
	u32 hits = rig_fault_hits(r, "seq_work"), tail = event_tail(r);
	struct accel_fence *fence;
	struct accel_error e;

	fence = hold(r, counter.binding, 3);
	rig_fault(r, "overrun", 1000);
	hits = rig_fault_hits(r, "seq_work");
	rig_fault(r, "seq_work", 2);
	rig_fault_wait(r, "seq_work", hits);
	hits = rig_fault_hits(r, "seq_work");
	rig_fault(r, "seq_work", 1);
	rig_fault_wait(r, "seq_work", hits);
	wait_for_events(r, tail + 1); /* the first has failed, the second has begun */
	rig_fault(r, "fw_crash", 1);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ETIME, "a job whose first replay fails");
	accel_fence_error(fence, NULL, &e);
	tap_ok(e.reason == RONDO_FW_OVERRUN && e.index != ACCEL_UNKNOWN &&
		       !strncmp(e.text, "replay 0 of 3 failed at bundle ", 31),
	       "keeps that when the device is reset: %s", e.text);
	accel_fence_destroy(fence);
	works(r);
}

struct making {
	struct rig *rig;
	struct accel_program *program;
	struct accel_error error;
	int ret;
};

static void *make_program(void *p)
{
	struct making *m = p;

	m->ret = accel_program_create(m->rig->device, m->rig->code, m->rig->code_bytes, 0,
				      &m->program, &m->error);
	return NULL;
}

/* Sets how the sequencer is held, and waits until it is, so that a command moves one step. */
static void step(struct rig *r, u32 how)
{
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "seq_work", how);
	rig_fault_wait(r, "seq_work", hits);
}

/* Programs and bindings that a reset loads again. */
static u32 live_objects(struct local_device *dev)
{
	u32 i, count = 0;

	pthread_mutex_lock(&dev->lock);
	for (i = 0; i < RONDO_PROGRAMS_MAX; i++)
		count += dev->program[i] && dev->program[i]->live;
	for (i = 0; i < RONDO_BINDINGS_MAX; i++)
		count += dev->binding[i] && dev->binding[i]->live;
	pthread_mutex_unlock(&dev->lock);
	return count;
}

/* The firmware crashes while a command is held; until the first command of the reset is. */
static void crash(struct rig *r)
{
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "fw_crash", 1);
	rig_fault_wait(r, "seq_work", hits);
}

/* An operation is tried again after a reset, twice; a third one is its error. */
static void test_tries(struct rig *r)
{
	u32 crashes, objects = live_objects(local(r)), i, k, before;

	for (crashes = LOCAL_LOAD_TRIES - 1; crashes <= LOCAL_LOAD_TRIES; crashes++) {
		struct making m = { .rig = r };
		pthread_t thread;
		u32 hits;

		wait_for_answers(local(r));
		hits = rig_fault_hits(r, "seq_work");
		before = resets;
		rig_fault(r, "seq_work", 1);
		pthread_create(&thread, NULL, make_program, &m);
		rig_fault_wait(r, "seq_work", hits);
		for (i = 0; i < crashes; i++) {
			crash(r);
			/* What is loaded again, each held before and after its work; then ours. */
			for (k = 0; k < objects && i + 1 < crashes; k++) {
				step(r, 2);
				step(r, 1);
			}
		}
		rig_fault(r, "seq_work", 0);
		pthread_join(thread, NULL);
		tap_ok(m.ret == (crashes < LOCAL_LOAD_TRIES ? 0 : -EIO) &&
			       !m.error.text[0] == !m.ret && resets == before + crashes,
		       "a program that is loaded while the device is reset %u times: %d", crashes,
		       m.ret);
		accel_program_destroy(m.program);
	}
	works(r);
}

/* What a first try was told, a second one that succeeds does not say. */
static void test_refused_once(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_error error;
	u32 before = resets;

	rig_fault(r, "seq_no_memory", 1);
	rig_fault(r, "event_corrupt", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), 0,
	       "a program that is refused, which nobody hears, and loaded after a reset");
	tap_ok(resets == before + 1 && !error.text[0], "is no error");
	accel_program_destroy(program);
}

/* Destroyed while the device is down: the firmware is told when it serves again. */
static void test_destroyed_in_reset(struct rig *r)
{
	struct accel_program *program = NULL;
	struct local_device *dev = local(r);
	struct accel_fence *fence;
	u32 before = resets, number;

	accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
	number = ((struct local_program *)program)->number;
	fence = hold(r, r->binding, 1);
	reads_as(RONDO_REG_HOST_STATUS, STILL, RONDO_STATE_ON << RONDO_SHIFT_HOST_STATUS_STATE);
	reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
	local_wake(dev);
	wait_for_resets(before + 1);
	accel_program_destroy(program); /* the device does not stop until it reads so */
	rig_fault(r, "seq_work", 0);
	reads_as(RONDO_REG_HOST_STATUS, REAL, 0);
	tap_ok(ended(fence, 0, 0), "a program is destroyed while the device is reset");
	works(r);
	wait_for_answers(dev);
	pthread_mutex_lock(&dev->lock);
	tap_ok(!dev->program[number] && resets == before + 1, "and its number is free");
	pthread_mutex_unlock(&dev->lock);
}

/* A command on an idle device whose firmware is silent is watched like any other. */
static void *make_queue(void *p)
{
	struct making *m = p;
	struct accel_queue *queue = NULL;

	m->ret = accel_queue_create(m->rig->device, 1, &queue);
	accel_queue_destroy(queue);
	return NULL;
}

static void test_silent_when_idle(struct rig *r)
{
	struct making m = { .rig = r };
	u32 before = resets;
	pthread_t thread;

	rig_fault(r, "fw_silent", 1);
	hurry = true;
	pthread_create(&thread, NULL, make_queue, &m);
	wait_for_resets(before + 1);
	rig_fault(r, "fw_silent", 0);
	pthread_join(thread, NULL);
	tap_eq(m.ret, 0, "a queue is made although the firmware was silent");
	works(r);
}

/*
 * A device that fails again while it is told what it knew is dead: it is silent for as many looks
 * as ever, its completions make no sense, or it stops.
 */
static void test_fails_in_reset(void)
{
	static const struct {
		const char *name, *fault; /* or NULL: silence */
		u32 value;
	} rows[] = {
		{ "is silent", NULL, 0 },
		{ "says what makes no sense", "event_corrupt", 1 },
		{ "crashes", "fw_crash", 1 },
	};
	u32 i, before;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accel_fence *fence;
		struct rig r;

		if (init(&r)) {
			fence = hold(&r, r.binding, 1);
			before = resets;
			crash(&r);
			if (!rows[i].fault) {
				reads_as(RONDO_REG_HOST_HEARTBEAT, STILL, 0xcdef);
				reads_as(RONDO_REG_HOST_PROGRESS, MOVES, 0);
				hurry = true;
			} else {
				rig_fault(&r, rows[i].fault, rows[i].value);
				rig_fault(&r, "seq_work", 0);
			}
			tap_ok(ended(fence, -EIO, RONDO_HOST_DEAD) && resets == before + 1,
			       "a device that %s while it is reset is dead", rows[i].name);
			if (!rows[i].fault)
				tap_eq(reads_of(RONDO_REG_HOST_HEARTBEAT), 1 + LOCAL_WATCH_SILENT,
				       "after so many looks");
			hurry = false;
			reads_as(RONDO_REG_HOST_HEARTBEAT, REAL, 0);
			reads_as(RONDO_REG_HOST_PROGRESS, REAL, 0);
			tap_eq(accel_replay(r.queue, r.binding, &fence), -EIO, "no replay");
			rig_fault(&r, "seq_work", 0);
		}
		fini(&r);
	}
}

/* One that does not stop, or that is gone by then. */
static void test_fails_to_stop(void)
{
	struct accel_fence *fence;
	struct rig r;
	u32 before = resets, began;

	if (init(&r)) {
		fence = hold(&r, r.binding, 1);
		began = waited_ms;
		rig_fault(&r, "reset_ignore", 1);
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		wait_for_resets(before + 1);
		hurry = true;
		tap_ok(ended(fence, -EIO, RONDO_HOST_DEAD), "a device that does not stop is dead");
		hurry = false;
		/* Interrupts are no waiting in vain. */
		tap_ok(waited_ms - began > 9900, "after ten seconds: %u ms", waited_ms - began);
		rig_fault(&r, "reset_ignore", 0);
		rig_fault(&r, "seq_work", 0);
	}
	fini(&r);
	if (init(&r)) {
		fence = hold(&r, r.binding, 1);
		held_rig = &r;
		before_reset = vanish;
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		tap_ok(ended(fence, -ENODEV, RONDO_HOST_GONE), "one that vanishes then is gone");
		tap_eq(accel_replay(r.queue, r.binding, &fence), -ENODEV, "no replay");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
}

/* Who waits for an answer of a device that vanishes is told. */
static void test_vanishes_under_command(void)
{
	u32 hits;
	struct rig r;

	if (init(&r)) {
		struct making m = { .rig = &r };
		pthread_t thread;

		hits = rig_fault_hits(&r, "seq_work");
		rig_fault(&r, "seq_work", 1);
		pthread_create(&thread, NULL, make_program, &m);
		rig_fault_wait(&r, "seq_work", hits);
		rig_fault(&r, "vanish", 1);
		local_wake(local(&r));
		pthread_join(thread, NULL);
		tap_ok(m.ret == -ENODEV && !m.program && m.error.text[0],
		       "a program that is being loaded when the device vanishes");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
}

/* Closing does not wait for a reset that takes for ever. */
static void test_closed_in_reset(void)
{
	struct rig r;
	u32 hits;

	if (init(&r)) {
		accel_queue_destroy(r.queue);
		r.queue = NULL;
		hits = rig_fault_hits(&r, "seq_work");
		rig_fault(&r, "seq_work", 1);
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		rig_fault_wait(&r, "seq_work", hits);
	}
	fini(&r);
	tap_ok(true, "a device is closed while it is reset");
}

int main(void)
{
	struct rig r;

	if (init(&r)) {
		test_tries(&r);
		test_refused_once(&r);
		rig_counter_init(&r, &counter);
		test_ended_before_reset(&r);
		test_first_failure(&r);
		test_destroyed_in_reset(&r);
		test_silent_when_idle(&r);
		rig_counter_fini(&counter);
	}
	fini(&r);
	test_fails_in_reset();
	test_fails_to_stop();
	test_vanishes_under_command();
	test_closed_in_reset();
	return tap_done();
}
