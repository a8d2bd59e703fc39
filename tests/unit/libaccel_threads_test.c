// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Several threads on one device, order between queues, and forked children:
 * libaccel_threads_test [DEVICE].
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/libaccel_rig.h"

enum { THREADS = 8, ROUNDS = 40 };

struct worker {
	pthread_t thread;
	struct rig rig; /* with the device and the program of all */
	struct accel_queue *shared;
	int seed;
	int wrong;
};

/* Own buffers, own binding; half of the submissions to a queue of its own. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct accel_program *program;
	struct rig *r = &w->rig;
	int i, round, ret;

	ret = rig_buffers(r);
	if (!ret)
		ret = accel_queue_create(r->device, 1 + w->seed, &r->queue);
	for (round = 0; round < ROUNDS && !ret; round++) {
		struct accel_queue *own = r->queue;

		ret = accel_binding_create(r->program, r->slots, RIG_SLOTS, &r->binding, NULL);
		if (ret)
			break;
		rig_fill(r, w->seed + round);
		if (round % 2)
			r->queue = w->shared;
		ret = rig_replay(r);
		r->queue = own;
		w->wrong += !rig_correct(r, w->seed + round);
		accel_binding_destroy(r->binding);
		if (!ret && round % 8 == 0) {
			ret = accel_program_create(r->device, r->code, r->code_bytes, 0, &program,
						   NULL);
			if (!ret)
				accel_program_destroy(program);
		}
	}
	w->wrong += !!ret;
	accel_queue_destroy(r->queue);
	for (i = 0; i < RIG_SLOTS; i++)
		accel_buffer_destroy(r->slots[i].buffer);
	return NULL;
}

static void test_threads(struct rig *r)
{
	static struct worker workers[THREADS];
	int i, wrong = 0;

	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.rig = { .device = r->device,
				 .program = r->program,
				 .code = r->code,
				 .code_bytes = r->code_bytes },
			.shared = r->queue,
			.seed = 100 * i,
		};
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
	}
	tap_eq(wrong, 0, "eight threads get their own results");
}

/* What all threads use at the same time. */
static struct {
	struct rig *rig;
	struct accel_buffer *buffer;
	struct accel_fence *fence;
	pthread_barrier_t barrier;
	atomic_int wrong;
	_Atomic(void *) memory; /* of the buffer, as the first has seen it */
} all;

/* Each round maps one buffer, waits for one fence, and submits one binding to one queue. */
static void *use(void *unused)
{
	struct accel_fence *fence = NULL;
	void *memory = NULL, *first = NULL;

	pthread_barrier_wait(&all.barrier);
	all.wrong += !!accel_buffer_map(all.buffer, &memory);
	if (!atomic_compare_exchange_strong(&all.memory, &first, memory))
		all.wrong += first != memory;
	all.wrong += !!accel_replay(all.rig->queue, all.rig->binding, &fence);
	all.wrong += !!accel_fence_wait(all.fence, ACCEL_FOREVER);
	all.wrong += accel_fence_fd(all.fence) < 0 || accel_fence_error(all.fence, NULL, NULL);
	all.wrong += !!accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_destroy(fence);
	return unused;
}

static void test_one_object(struct rig *r)
{
	pthread_t threads[THREADS];
	int i, round;

	all.rig = r;
	pthread_barrier_init(&all.barrier, NULL, THREADS);
	rig_fill(r, 6);
	for (round = 0; round < 8; round++) {
		all.memory = NULL;
		all.wrong += !!accel_buffer_create(r->device, 4096, &all.buffer);
		all.wrong += !!accel_replay(r->queue, r->binding, &all.fence);
		for (i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, use, NULL);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		accel_fence_destroy(all.fence);
		accel_buffer_destroy(all.buffer);
	}
	pthread_barrier_destroy(&all.barrier);
	tap_eq(all.wrong, 0, "eight threads map one buffer, wait for one fence, use one binding");
	tap_ok(rig_correct(r, 6), "and get its result");
}

/* c = a + b on one queue, a = c + b on another: each must wait for the one before. */
static void test_order(struct rig *r)
{
	struct accel_slot_binding swapped[RIG_SLOTS] = { r->slots[2], r->slots[1], r->slots[0] };
	struct accel_binding *back = NULL;
	struct accel_queue *other = NULL;
	struct accel_fence *fence;
	int i;

	accel_binding_create(r->program, swapped, RIG_SLOTS, &back, NULL);
	tap_eq(accel_queue_create(r->device, 1024, &other), 0, "a second queue");
	for (i = 0; i < RIG_ELEMENTS; i++) {
		r->memory[0][i] = i;
		r->memory[1][i] = 1;
	}
	for (i = 0; i < ROUNDS; i++) {
		accel_replay(r->queue, r->binding, NULL);
		accel_replay(other, back, &fence);
		if (i < ROUNDS - 1)
			accel_fence_destroy(fence);
	}
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "jobs of two queues on the same buffers");
	accel_fence_destroy(fence);
	for (i = 0; i < RIG_ELEMENTS && r->memory[0][i] == i + 2 * ROUNDS; i++)
		;
	tap_eq(i, RIG_ELEMENTS, "ran in the order of their submission");
	accel_queue_destroy(other);
	accel_binding_destroy(back);
}

/* In the child: nothing works, and nothing that is destroyed there is missing in the parent. */
static int child(struct rig *r, struct accel_fence *fence)
{
	struct accel_buffer *buffer;
	struct accel_program *program;
	struct accel_queue *queue;
	struct accel_info info;
	void *memory;
	int ok = 1;

	ok &= accel_device_info(r->device, &info, sizeof(info)) == -EPERM;
	ok &= accel_buffer_create(r->device, 1, &buffer) == -EPERM;
	ok &= accel_buffer_map(r->slots[0].buffer, &memory) == -EPERM;
	ok &= accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL) == -EPERM;
	ok &= accel_queue_create(r->device, 1, &queue) == -EPERM;
	ok &= accel_replay(r->queue, r->binding, NULL) == -EPERM;
	ok &= accel_fence_wait(fence, ACCEL_FOREVER) == -EPERM;
	ok &= accel_fence_fd(fence) == -EPERM;
	accel_fence_destroy(fence);
	rig_fini(r);
	return ok ? 0 : 1;
}

static void test_fork(struct rig *r)
{
	struct accel_fence *fence;
	int status;
	pid_t pid;

	accel_replay(r->queue, r->binding, &fence);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(child(r, fence));
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status), "every call in a child gives EPERM");
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "the parent's replay ends well");
	accel_fence_destroy(fence);

	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		r->memory[0][0] = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	       "buffers are not mapped in a child");

#ifndef __SANITIZE_THREAD__ /* which allows no threads in the child of a process that has some */
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct accel_device *own;

		_exit(accel_open(rig_device, &own) ? 1 : (accel_close(own), 0));
	}
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status), "a child may open a device of its own");
#endif
	rig_fill(r, 3);
	tap_ok(!rig_replay(r) && rig_correct(r, 3), "the parent's device works on");
}

/* Whether every other thread of this process sleeps just now. */
static bool others_sleep(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	bool sleep = true;
	char path[300], state;
	FILE *f;

	while (sleep && (task = readdir(tasks))) {
		if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", task->d_name);
		f = fopen(path, "r");
		sleep = f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'S';
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return sleep;
}

/* A device without work costs nothing: its threads sleep, except when a timer rings. */
static void test_idle(void)
{
	enum { LOOKS = 20, TRIES = 60000 };
	int slept = 0, i;

	for (i = 0; i < TRIES && slept < LOOKS; i++) {
		slept = others_sleep() ? slept + 1 : 0;
		usleep(500);
	}
	tap_ok(slept == LOOKS, "an idle device sleeps");
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	if (rig_init(&r)) {
		test_threads(&r);
		test_one_object(&r);
		test_order(&r);
		test_fork(&r);
		if (rig_emulated())
			test_idle();
	}
	rig_fini(&r);
	return tap_done();
}
