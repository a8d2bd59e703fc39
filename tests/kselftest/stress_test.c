// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Many processes at once: they submit, are killed, the firmware dies, the machine is suspended, the
 * driver is unbound. What must hold is that nothing hangs, every wait ends, the kernel has
 * nothing to say, and the device works afterwards.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum {
	WORKERS = 4,
	KILLS = 16,
	CRASHES = 5,
	SUSPENDS = 3,
	UNBINDS = 2,
};

/* @few rounds, times STRESS of the environment: a debug kernel (make kcheck) runs five times as
 * many. */
static int rounds(int few)
{
	const char *stress = getenv("STRESS");

	return few * (stress ? atoi(stress) : 1);
}

/* Submits for ever on two queues that share buffers; ends when the device goes, or fails twice. */
static void work(_Atomic uint32_t *done)
{
	struct rig_copy copy;
	uint32_t other;
	int fd, ret;

	fd = rig_open();
	if (fd < 0)
		_exit(0);
	copy = make_copy(fd);
	other = make_queue(fd);
	do {
		ret = rig_submit(fd, other, copy.binding, 0, 0);
		if (!ret)
			ret = rig_copy_run(fd, &copy);
		*done += !ret;
	} while (!ret);
	if (ret == -ENODEV || ret == -EIO) /* a copy is repeated once */
		_exit(0);
	ksft_print_msg("a worker failed: %s\n", strerror(-ret));
	_exit(1);
}

FIXTURE(stress)
{
	pid_t worker[WORKERS];
	_Atomic uint32_t *done; /* copies of each worker, shared with it */
};

static void start_worker(FIXTURE_DATA(stress) * self, int i)
{
	self->worker[i] = fork();
	if (!self->worker[i])
		work(&self->done[i]);
}

/* A worker, and how many copies it shall have done. */
struct progress {
	const _Atomic uint32_t *done;
	uint32_t want;
};

static bool has_come(void *ctx)
{
	const struct progress *p = ctx;

	return (int32_t)(*p->done - p->want) >= 0;
}

/* Waits until worker @i has done @more copies; false if it does not. */
static bool works(FIXTURE_DATA(stress) * self, int i, uint32_t more)
{
	struct progress p = { &self->done[i], self->done[i] + more };

	return rig_until(has_come, &p);
}

FIXTURE_SETUP(stress)
{
	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_faults_clear();
	self->done = mmap(NULL, WORKERS * sizeof(*self->done), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->done);
	for (int i = 0; i < WORKERS; i++)
		start_worker(self, i);
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_EQ(0, rig_new_file_works());
	munmap(self->done, WORKERS * sizeof(*self->done));
}

/* Ends the workers; all of them, and none for a reason of its own. */
static void stop_workers(struct __test_metadata *_metadata, FIXTURE_DATA(stress) * self)
{
	int status;

	for (int i = 0; i < WORKERS; i++) {
		kill(self->worker[i], SIGKILL);
		ASSERT_EQ(self->worker[i], waitpid(self->worker[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) || !WEXITSTATUS(status));
	}
}

/* Wherever it stands in its work: now and then it has not begun. */
TEST_F(stress, kill)
{
	for (int round = 0; round < rounds(KILLS); round++) {
		int i = round % WORKERS;
		pid_t pid = self->worker[i];

		ASSERT_TRUE(works(self, i, round % 5));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		start_worker(self, i);
	}
	stop_workers(_metadata, self);
}

/* Copies are repeatable: nobody even notices. */
TEST_F(stress, crash)
{
	int fd = rig_open();
	struct rig_copy copy = make_copy(fd);

	rig_expect("rondo .*resetting the device: the firmware has stopped");
	for (int round = 0; round < rounds(CRASHES); round++) {
		uint32_t hits = rig_fault_hits(RIG_FAULT_fw_crash);

		rig_fault(RIG_FAULT_fw_crash, 1);
		ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_crash, hits));
		EXPECT_EQ(0, rig_copy_run(fd, &copy));
		/* What is repeated ends before the next crash: it is repeated once. */
		for (int i = 0; i < WORKERS; i++)
			ASSERT_TRUE(works(self, i, 2));
	}
	close(fd);
	stop_workers(_metadata, self);
}

/* Whatever runs or waits then goes on when the machine has woken. */
TEST_F(stress, suspend)
{
	for (int round = 0; round < rounds(SUSPENDS); round++) {
		ASSERT_TRUE(works(self, round % WORKERS, 1));
		EXPECT_EQ(0, rig_suspend("devices"));
		for (int i = 0; i < WORKERS; i++)
			ASSERT_TRUE(works(self, i, 2));
	}
	stop_workers(_metadata, self);
}

TEST_F(stress, unbind)
{
	for (int round = 0; round < rounds(UNBINDS); round++) {
		for (int i = 0; i < WORKERS; i++)
			ASSERT_TRUE(works(self, i, round % 3));
		EXPECT_EQ(0, rig_driver_unbind());
		for (int i = 0; i < WORKERS; i++)
			ASSERT_EQ(self->worker[i], waitpid(self->worker[i], NULL, 0));
		EXPECT_EQ(0, rig_driver_bind());
		for (int i = 0; i < WORKERS; i++)
			start_worker(self, i);
	}
	stop_workers(_metadata, self);
}

/* What several may destroy at a time is destroyed once, whoever uses it meanwhile. */

enum { DESTROYERS = 3, ROUNDS = 1 };

/* Destroys everything that @fd may have; how much there was. */
static uint32_t destroy_all(int fd)
{
	struct drm_rondo_program_destroy program = {};
	struct drm_rondo_binding_destroy binding = {};
	struct drm_rondo_queue_destroy queue = {};
	uint32_t i, most = rig_info(fd).bindings_max, destroyed = 0;

	for (i = 1; i <= most; i++) {
		program.id = binding.id = queue.id = i;
		destroyed += !rig_ioctl(fd, DRM_IOCTL_RONDO_BINDING_DESTROY, &binding);
		destroyed += !rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &queue);
		destroyed += !rig_ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &program);
	}
	return destroyed;
}

/* Submits and binds whatever there is; how much it has bound. */
static uint32_t use_all(int fd)
{
	uint32_t i, binding, most = rig_info(fd).queues_max, bound = 0;

	for (i = 1; i <= most; i++) {
		rig_submit(fd, i, i, 0, 0);
		bound += !rig_bind(fd, i, NULL, 0, &binding);
	}
	return bound;
}

FIXTURE(destroy)
{
	uint32_t *count; /* of each process, shared by all */
};

FIXTURE_SETUP(destroy)
{
	self->count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_TEARDOWN(destroy)
{
	munmap(self->count, 4096);
}

TEST_F(destroy, once)
{
	pid_t pid[DESTROYERS + 1];
	uint32_t i, most, destroyed;
	int status;

	for (int round = 0; round < rounds(ROUNDS); round++) {
		int fd = rig_open();

		ASSERT_LE(0, fd);
		most = rig_info(fd).queues_max;
		for (i = 0; i < most; i++) {
			make_queue(fd);
			make_binding(fd, make_program(fd, rig_program_spin(1)), NULL, 0);
		}
		for (i = 0; i < DESTROYERS + 1; i++) {
			pid[i] = fork();
			if (pid[i])
				continue;
			self->count[i] = i < DESTROYERS ? destroy_all(fd) : use_all(fd);
			_exit(0);
		}
		for (i = 0; i < DESTROYERS + 1; i++) {
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
			EXPECT_TRUE(WIFEXITED(status));
		}
		/* Bindings may have been made behind everybody's back. */
		destroyed = destroy_all(fd);
		for (i = 0; i < DESTROYERS; i++)
			destroyed += self->count[i];
		EXPECT_EQ(3 * most + self->count[DESTROYERS], destroyed);
		close(fd);
	}
}

TEST_HARNESS_MAIN
