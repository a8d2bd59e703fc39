// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Many processes at once: they submit, are killed, the firmware dies, the driver is
 * unbound. What must hold is that nothing hangs, every wait ends, the kernel has
 * nothing to say, and the device works afterwards.
 */
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "tests/kselftest/rig.h"

enum {
	WORKERS = 4,
	SECONDS = 4,
};

/* Submits for ever on two queues that share buffers; ends when the device goes, or fails twice. */
static void work(void)
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
	} while (!ret);
	if (ret == -ENODEV || ret == -EIO) /* a copy is repeated once */
		_exit(0);
	ksft_print_msg("a worker failed: %s\n", strerror(-ret));
	_exit(1);
}

static pid_t start_worker(void)
{
	pid_t pid = fork();

	if (!pid)
		work();
	return pid;
}

FIXTURE(stress)
{
	pid_t worker[WORKERS];
};

FIXTURE_SETUP(stress)
{
	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_faults_clear();
	for (int i = 0; i < WORKERS; i++)
		self->worker[i] = start_worker();
}

FIXTURE_TEARDOWN(stress)
{
	struct rig_copy copy;
	int fd = rig_open();

	ASSERT_LE(0, fd);
	copy = make_copy(fd);
	EXPECT_EQ(0, rig_copy_run(fd, &copy));
	close(fd);
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

TEST_F(stress, kill)
{
	double end = rig_now() + SECONDS;
	unsigned int round;

	for (round = 0; rig_now() < end; round++) {
		pid_t *worker = &self->worker[round % WORKERS];

		usleep(20000 + round * 7919 % 30000);
		kill(*worker, SIGKILL);
		ASSERT_EQ(*worker, waitpid(*worker, NULL, 0));
		*worker = start_worker();
	}
	EXPECT_LT(10, round);
	stop_workers(_metadata, self);
}

/* Copies are repeatable: nobody even notices. */
TEST_F(stress, crash)
{
	double end = rig_now() + SECONDS;
	int fd = rig_open();
	struct rig_copy copy = make_copy(fd);

	rig_expect("rondo .*resetting the device: the firmware has stopped");
	while (rig_now() < end) {
		uint32_t hits = rig_fault_hits(RIG_FAULT_fw_crash);

		rig_fault(RIG_FAULT_fw_crash, 1);
		ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_crash, hits));
		EXPECT_EQ(0, rig_copy_run(fd, &copy));
		usleep(50000); /* what is loaded again and again gives up in the end */
	}
	close(fd);
	stop_workers(_metadata, self);
}

TEST_F(stress, unbind)
{
	double end = rig_now() + SECONDS;

	while (rig_now() < end) {
		usleep(100000);
		EXPECT_EQ(0, rig_driver_unbind());
		for (int i = 0; i < WORKERS; i++)
			ASSERT_EQ(self->worker[i], waitpid(self->worker[i], NULL, 0));
		EXPECT_EQ(0, rig_driver_bind());
		for (int i = 0; i < WORKERS; i++)
			self->worker[i] = start_worker();
	}
	stop_workers(_metadata, self);
}

TEST_HARNESS_MAIN
