// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local backend's limits: what is left when numbers, room for commands or descriptors run out.
 */
#include "tests/unit/libaccel_local_rig.h"

/* Has @queue keep its jobs, or run them. */
static void keep(struct rig *r, bool keeps)
{
	pthread_mutex_lock(&local(r)->lock);
	((struct local_queue *)r->queue)->stopped = keeps;
	local_queue_push_all(local(r));
	pthread_mutex_unlock(&local(r)->lock);
}

/*
 * Jobs keep programs and bindings that their user has destroyed, until the device has no number
 * for another one; when they have ended there is. The user makes @step at a time.
 */
static void test_numbers(bool programs, u32 limit, u32 step)
{
	struct accel_fence *fence[64] = {};
	u32 i, n, made = 1, jobs = 0, before = resets, wrong = 0;
	struct accel_error error = {};
	struct rig r;
	int ret = 0;

	if (init(&r)) {
		keep(&r, true);
		while (!ret && made <= limit) {
			struct accel_replay replays[LOCAL_BINDINGS_MAX] = {};
			struct accel_program *program[LOCAL_BINDINGS_MAX] = {};
			struct accel_job job = { .replays = replays };

			for (n = 0; n < step && !ret; n++) {
				program[n] = NULL;
				if (programs)
					ret = accel_program_create(r.device, r.code, r.code_bytes,
								   0, &program[n], &error);
				if (!ret)
					ret = accel_binding_create(
						programs ? program[n] : r.program, r.slots,
						RIG_SLOTS, &replays[n].binding, &error);
				made += !ret;
				job.replay_count += !ret;
			}
			wrong += !!accel_submit(r.queue, &job, &fence[jobs++]);
			for (i = 0; i < n; i++) {
				accel_binding_destroy(replays[i].binding);
				accel_program_destroy(program[i]);
			}
		}
		tap_ok(ret == -ENOSPC && error.text[0] && !wrong && made == limit,
		       "no number is left when all are taken: %s", error.text);
		rig_fill(&r, 3);
		keep(&r, false);
		while (jobs--)
			wrong += !ended(fence[jobs], 0, 0);
		tap_ok(!wrong && rig_correct(&r, 3) && resets == before, "all of them run");
		works(&r);
		/* And a reset knows what there is. */
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		wait_for_resets(before + 1);
		works(&r);
	}
	fini(&r);
}

/*
 * More commands than the ring to the firmware has room for, while it is silent; all of them are
 * done when it speaks again, or dropped when the device is closed.
 */
static void test_many_commands(bool closes)
{
	enum { COMMANDS = LOCAL_ADMIN_ENTRIES + 10 };
	struct accel_binding *binding[COMMANDS] = {};
	u32 i, before = resets, wrong = 0;
	struct local_device *dev;
	struct rig r;

	if (init(&r)) {
		dev = local(&r);
		for (i = 1; i < COMMANDS; i++)
			wrong += !!accel_binding_create(r.program, r.slots, RIG_SLOTS, &binding[i],
							NULL);
		accel_queue_destroy(r.queue);
		r.queue = NULL;
		rig_fault(&r, "fw_silent", 1);
		for (i = 1; i < COMMANDS; i++)
			accel_binding_destroy(binding[i]);
		pthread_mutex_lock(&dev->lock);
		tap_ok(!wrong && dev->backlog &&
			       dev->admin_tail - dev->shared->status.admin_head ==
				       LOCAL_ADMIN_ENTRIES,
		       "as many commands as there is room for, and more that wait");
		pthread_mutex_unlock(&dev->lock);
		if (!closes) {
			rig_fault(&r, "fw_silent", 0);
			wait_for_answers(dev);
			tap_eq(resets, before, "all are done, without a reset");
		}
	}
	fini(&r);
}

/* Descriptors are closed on exec, and what fails keeps none. */
static void test_descriptors(void)
{
	int fds = rig_count_fds(), fd, open_before[64] = {}, kept = 0, made = 0;
	struct accel_fence *fence = NULL;
	struct rig r;

	for (fd = 0; fd < 64; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	if (init(&r)) {
		accel_replay(r.queue, r.binding, &fence);
		for (fd = 0; fd < 64; fd++) {
			if (open_before[fd] || fcntl(fd, F_GETFD) < 0)
				continue;
			made++;
			kept += !(fcntl(fd, F_GETFD) & FD_CLOEXEC) ||
				!(fcntl(fd, F_GETFL) & O_NONBLOCK);
		}
		tap_ok(made == 2 && !kept, "a device and a fence have a descriptor each, which no "
					   "program that is executed gets, and where nobody waits");
		accel_fence_wait(fence, ACCEL_FOREVER);
		accel_fence_destroy(fence);
		rig_fault(&r, "vanish", 1);
		local_wake(local(&r));
		while (accel_replay(r.queue, r.binding, &fence) != -ENODEV)
			accel_fence_destroy(fence);
		fd = rig_count_fds();
		accel_replay(r.queue, r.binding, &fence);
		accel_replay(r.queue, r.binding, &fence);
		tap_eq(rig_count_fds(), fd, "a replay that fails leaves none");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
	tap_eq(rig_count_fds(), fds, "all are closed in the end");
}

int main(void)
{
	test_numbers(true, RONDO_PROGRAMS_MAX, LOCAL_PROGRAMS_MAX / 2);
	test_numbers(false, RONDO_BINDINGS_MAX, LOCAL_BINDINGS_MAX / 2);
	test_many_commands(false);
	test_many_commands(true);
	test_descriptors();
	return tap_done();
}
