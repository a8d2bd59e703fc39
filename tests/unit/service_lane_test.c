// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Two emulated devices, and a model on both. To be linked with --wrap=accel_instance_start. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "service/lane.h"
#include "service/model.h"
#include "tests/tap.h"
#include "userspace/libaccel/local.h"

enum { JOBS = 12 };

int __real_accel_instance_start(struct accel_instance *instance);
int __wrap_accel_instance_start(struct accel_instance *instance);

static bool refuses_start;

int __wrap_accel_instance_start(struct accel_instance *instance)
{
	return refuses_start ? -ENODEV : __real_accel_instance_start(instance);
}

static struct lanes *lanes;
static struct model *model;
static struct statistics statistics;
static struct found_models found;
static sem_t ended;
static atomic_int order, losses;

struct run {
	struct job job; /* first */
	int ended_as;
	bool gone;
};

static struct run runs[JOBS];

static void done(struct job *job)
{
	((struct run *)job)->ended_as = atomic_fetch_add(&order, 1);
	sem_post(&ended);
}

static bool abandoned(struct job *job)
{
	return ((struct run *)job)->gone;
}

static void lost(void *context, const char *name)
{
	(void)context;
	(void)name;
	atomic_fetch_add(&losses, 1);
}

static struct run *prepare(int i, u32 priority, u64 timeout_us)
{
	runs[i] = (struct run){ .job = { .model = model,
					 .waiting.priority = priority,
					 .timeout_us = timeout_us,
					 .abandoned = abandoned,
					 .done = done } };
	return &runs[i];
}

static void wait_for(int count)
{
	while (count--)
		sem_wait(&ended);
}

static void test_runs(void)
{
	struct refusal why;
	u64 waiting, running;
	bool good = true;

	for (int i = 0; i < JOBS; i++)
		good = good && !lanes_submit(lanes, &prepare(i, 50, 0)->job, &why);
	wait_for(JOBS);
	for (int i = 0; i < JOBS; i++)
		good = good && !runs[i].job.status &&
		       runs[i].job.cost.device_cycles == model->cycles && !runs[i].job.late;
	tap_ok(good, "each job is done once, in exactly its cycles");
	lanes_load(lanes, &waiting, &running);
	tap_ok(!waiting && !running, "and nothing is left");
}

static void test_deadlines(void)
{
	struct refusal why = { 0 };
	u64 earliest;

	tap_ok(lanes_submit(lanes, &prepare(0, 50, 1)->job, &why) == -1 && why.status == 503 &&
		       why.earliest_us > 1,
	       "a timeout that cannot be met is refused with the earliest that can");
	earliest = why.earliest_us;
	tap_ok(lanes_submit(lanes, &prepare(0, 50, earliest - 1)->job, &why) == -1 &&
		       why.earliest_us == earliest,
	       "a microsecond less is refused");
	tap_eq(lanes_submit(lanes, &prepare(0, 50, earliest)->job, &why), 0,
	       "that one is admitted");
	wait_for(1);
	tap_ok(!runs[0].job.status && !runs[0].job.late, "and met");
}

/* Does what a job is asked on its way to a device: waits until the test lets it go. */
static sem_t hold, held;

static bool hold_up(struct job *job)
{
	sem_post(&held);
	sem_wait(&hold);
	return abandoned(job);
}

static void *submit_held(void *run)
{
	struct refusal why;

	lanes_submit(lanes, run, &why);
	return NULL;
}

static void test_abandoned(void)
{
	struct run *r = prepare(0, 50, 0);
	pthread_t thread;

	r->job.abandoned = hold_up;
	pthread_create(&thread, NULL, submit_held, r);
	sem_wait(&held);
	r->gone = true;
	sem_post(&hold);
	pthread_join(thread, NULL);
	wait_for(1);
	tap_eq(r->job.status, -ECANCELED, "who is gone before the device has it is not run");
}

static void test_loss(void)
{
	struct refusal why = { 0 };

	refuses_start = true;
	tap_eq(lanes_submit(lanes, &prepare(0, 50, 1000000000)->job, &why), -1,
	       "a device that refuses to start a job with a timeout");
	tap_eq(atomic_load(&losses), 1, "is told to be lost");
	refuses_start = false;
	for (u32 i = 0; i < 2; i++)
		accel_local_fault(lanes_device(lanes, i), "vanish", 1);
	lanes_submit(lanes, &prepare(1, 50, 0)->job, &why);
	wait_for(1);
	tap_ok(runs[1].job.status < 0 && atomic_load(&losses) == 2, "and one that goes meanwhile");
	tap_ok(!lanes_works(lanes, 0) && !lanes_works(lanes, 1), "no lane works");
	tap_eq(lanes_submit(lanes, &prepare(2, 50, 0)->job, &why), -1, "nothing is taken");
	tap_eq(lanes_reopen(lanes), 2, "both are opened again");
	lanes_submit(lanes, &prepare(3, 50, 0)->job, &why);
	wait_for(1);
	tap_ok(runs[3].job.status == -ENODEV && lanes_works(lanes, 0) && lanes_works(lanes, 1) &&
		       atomic_load(&losses) == 2,
	       "a model of a device that was lost fails, and takes no other with it");
}

static void test_stop(void)
{
	struct refusal why = { 0 };

	lanes_stop(lanes);
	tap_ok(lanes_submit(lanes, &prepare(0, 50, 0)->job, &why) == -1 &&
		       strstr(why.text, "stopping"),
	       "nothing is taken after the end");
}

int main(void)
{
	static const char *const names[] = { "emu", "emu", "nowhere" };
	static const atomic_bool never;
	struct model_loader loader = { NULL, NULL, 4, &never };
	char reason[REASON_MAX];
	struct refusal why;

	sem_init(&ended, 0, 0);
	sem_init(&hold, 0, 0);
	sem_init(&held, 0, 0);
	tap_ok(lanes_open(names + 1, 2, lost, NULL, &lanes, &why) && strstr(why.text, "nowhere"),
	       "a device that is not there is named");
	if (lanes_open(names, 2, lost, NULL, &lanes, &why) ||
	    repository_scan("demo", "digits", &found) || found.count != 1)
		return EXIT_FAILURE;
	loader.lanes = lanes;
	model = model_load(&loader, &found.model[0], &statistics, reason);
	if (!model)
		return EXIT_FAILURE;
	test_runs();
	test_deadlines();
	test_abandoned();
	test_loss();
	test_stop();
	model_release(model);
	lanes_close(lanes);
	repository_free(&found);
	return tap_done();
}
