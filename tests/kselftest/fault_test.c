// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults of the device and its firmware: every fence signals, with the documented error,
 * and the device works again afterwards.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "spec/fw_abi.h"
#include "tests/kselftest/harness.h"
#include "tests/kselftest/reject.h"
#include "tests/kselftest/rig.h"

#define EXPECT_RESET(reason)                                         \
	do {                                                         \
		rig_expect("rondo .*resetting the device: " reason); \
	} while (0)

FIXTURE(fault)
{
	int fd;
	struct rig_copy copy;
};

FIXTURE_SETUP(fault)
{
	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
	ASSERT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

FIXTURE_TEARDOWN(fault)
{
	rig_faults_clear();
	/* Whatever happened: the device is usable again. */
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	close(self->fd);
}

TEST_F(fault, overrun)
{
	rig_expect("rondo .*a replay failed at bundle [0-9]+: it took longer");
	rig_fault(RIG_FAULT_overrun, 1000);
	EXPECT_EQ(-ETIME, rig_copy_run(self->fd, &self->copy));
}

/* The dump that follows a failure tells of it, and of the device. */
static void expect_dump(struct __test_metadata *_metadata, const char *const *words)
{
	char *dump = rig_dump_take();

	ASSERT_NE(NULL, dump);
	for (; *words; words++) {
		EXPECT_NE(NULL, strstr(dump, *words)) TH_LOG("no '%s' in:\n%s", *words, dump);
	}
	free(dump);
}

TEST_F(fault, dump_of_a_replay)
{
	static const char *const words[] = {
		"rondo: it took longer than its exact cycles\n",
		"\nreplay: queue ",
		", result 5, bundle ",
		"\n  STATUS       0x00000001\n",
		"\nqueues, those that have been used:\n",
		"\nlog of the firmware:\nfirmware ",
		NULL,
	};

	rig_expect("rondo .*a replay failed at bundle [0-9]+: it took longer");
	rig_dump_discard();
	rig_fault(RIG_FAULT_overrun, 1000);
	EXPECT_EQ(-ETIME, rig_copy_run(self->fd, &self->copy));
	expect_dump(_metadata, words);
}

/* Submits two replays of the copy under the name @tag. */
static int submit_tagged(FIXTURE_DATA(fault) * self, uint64_t tag)
{
	struct drm_rondo_replay replays[2] = { { .binding = self->copy.binding },
					       { .binding = self->copy.binding } };
	struct drm_rondo_sync out = { .handle = self->copy.sync };
	struct drm_rondo_submit args = {
		.queue = self->copy.queue,
		.replays = (uintptr_t)replays,
		.replay_count = 2,
		.replay_stride = sizeof(replays[0]),
		.out_syncs = (uintptr_t)&out,
		.out_count = 1,
		.sync_stride = sizeof(out),
		.tag = tag,
	};

	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args);
}

/* A queue tells how its jobs failed: the last one, or that of a tag, as long as it remembers. */
TEST_F(fault, query)
{
	struct drm_rondo_queue_fault args = { .queue = self->copy.queue }, of_tag;
	struct drm_rondo_queue_destroy destroy = {};
	const struct reject rows[] = {
		REJECT(drm_rondo_queue_fault, queue, 99, -ENOENT),
		REJECT(drm_rondo_queue_fault, queue, 0, -ENOENT),
		REJECT(drm_rondo_queue_fault, flags, 2, -EINVAL),
		REJECT(drm_rondo_queue_fault, flags, 1u << 31, -EINVAL),
		REJECT(drm_rondo_queue_fault, pad, 1, -EINVAL),
	};
	uint64_t tag, most = rig_info(self->fd).faults_max;

	EXPECT_EQ(-ENODATA, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args));
	rig_expect("rondo .*a replay failed at bundle [0-9]+: it took longer");
	for (tag = 1; tag <= most + 1; tag++) {
		rig_fault(RIG_FAULT_overrun, 1000);
		ASSERT_EQ(0, submit_tagged(self, tag));
		EXPECT_EQ(-ETIME, rig_result(self->fd, self->copy.sync));
	}
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args));
	EXPECT_EQ(most + 1, args.tag);
	EXPECT_EQ(RONDO_FW_OVERRUN, args.result);
	EXPECT_NE(DRM_RONDO_BUNDLE_NONE, args.bundle);
	EXPECT_EQ(0, args.replay);
	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, args);
	of_tag = (struct drm_rondo_queue_fault){
		.queue = self->copy.queue,
		.flags = DRM_RONDO_FAULT_OF_TAG,
		.tag = 2,
	};
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &of_tag));
	EXPECT_EQ(2, of_tag.tag);
	of_tag.tag = 1; /* 16 have failed since */
	EXPECT_EQ(-ENODATA, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &of_tag));
	/* Another queue has failed in nothing, and one that is destroyed cannot be asked. */
	args.queue = destroy.id = make_queue(self->fd);
	EXPECT_EQ(-ENODATA, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args));
}

TEST_F(fault, failed_dma)
{
	rig_expect("rondo .*a replay failed at bundle [0-9]+: the host refused");
	rig_fault(RIG_FAULT_seq_dma_fail, 1);
	EXPECT_EQ(-EIO, rig_copy_run(self->fd, &self->copy));
}

/*
 * What the device cannot keep is refused, and nothing is wrong with it: no line in the log. It is
 * asked once more when a file that is just being closed has given its memory back.
 */
TEST_F(fault, no_memory_on_the_device)
{
	uint32_t bos[] = { self->copy.in_bo, self->copy.out_bo }, id;
	struct rig_program program = rig_program_increment();

	rig_fault(RIG_FAULT_seq_no_memory, 2);
	EXPECT_EQ(-ENOMEM, rig_program_create(self->fd, program.data, program.size, &id));
	rig_fault(RIG_FAULT_seq_no_memory, 0);
	EXPECT_EQ(0, rig_program_create(self->fd, program.data, program.size, &id));
	free(program.data);
	rig_fault(RIG_FAULT_seq_no_memory, 2);
	EXPECT_EQ(-ENOMEM, rig_bind(self->fd, self->copy.program, bos, 2, &id));
	rig_fault(RIG_FAULT_seq_no_memory, 0);
	EXPECT_EQ(0, rig_bind(self->fd, self->copy.program, bos, 2, &id));
}

/* The device's copy of the increment adds at another address; nobody but the signature sees it. */
TEST_F(fault, flipped_bit)
{
	uint32_t program, binding, bo, sync = make_syncobj(self->fd), *words;

	bo = make_bo(self->fd, 4096, (void **)&words);
	rig_fault(RIG_FAULT_seq_flip_program, 7);
	program = make_program(self->fd, rig_program_increment());
	binding = make_binding(self->fd, program, &bo, 1);
	rig_expect("rondo .*a replay failed: it left the control path");
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, sync));
	EXPECT_EQ(-EIO, rig_result(self->fd, sync));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

/* Replays two bindings in one job, which signals the copy's sync. */
static int submit_two(FIXTURE_DATA(fault) * self, uint32_t first, uint32_t second)
{
	const struct drm_rondo_replay replays[] = { { .binding = first }, { .binding = second } };
	const struct drm_rondo_sync out = { .handle = self->copy.sync };
	struct drm_rondo_submit args = {
		.queue = self->copy.queue,
		.replays = (uintptr_t)replays,
		.replay_count = ARRAY_SIZE(replays),
		.replay_stride = sizeof(replays[0]),
		.out_syncs = (uintptr_t)&out,
		.out_count = 1,
		.sync_stride = sizeof(out),
	};

	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args);
}

/* A job ends as the first of its replays that failed; the log has no word of the others. */
TEST_F(fault, first_of_two)
{
	struct drm_rondo_queue_fault args = { .queue = self->copy.queue };
	uint32_t flipped, bo = make_bo(self->fd, 4096, NULL);

	rig_fault(RIG_FAULT_seq_flip_program, 7);
	flipped = make_program(self->fd, rig_program_increment());
	rig_expect("rondo .*a replay failed at bundle [0-9]+: it took longer");
	rig_fault(RIG_FAULT_overrun, 1000);
	ASSERT_EQ(0, submit_two(self, self->copy.binding, make_binding(self->fd, flipped, &bo, 1)));
	EXPECT_EQ(-ETIME, rig_result(self->fd, self->copy.sync));
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args));
	EXPECT_EQ(RONDO_FW_OVERRUN, args.result);
	EXPECT_EQ(0, args.replay);
}

/* Holds the sequencer and waits until a replay of the copy stands in it. */
static void hold_copy(struct __test_metadata *_metadata, FIXTURE_DATA(fault) * self)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	EXPECT_EQ(-ETIME, rig_wait(self->fd, self->copy.sync, 0));
}

/*
 * The sequencer stands still for ever. The firmware aborts, so the fence ends; another file makes a
 * program meanwhile.
 */
static void stand_still(struct __test_metadata *_metadata, FIXTURE_DATA(fault) * self, uint32_t how)
{
	struct rig_program program = rig_program_copy(256, 0, 0);
	uint32_t id, hits = rig_fault_hits(RIG_FAULT_seq_hold);
	int other = rig_open();

	rig_expect("rondo .*a replay failed: the device stood still");
	rig_fault(RIG_FAULT_seq_hold, how);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_hold, hits));
	EXPECT_EQ(0, rig_program_create(other, program.data, program.size, &id));
	EXPECT_EQ(-ETIME, rig_result(self->fd, self->copy.sync));
	free(program.data);
	close(other);
}

TEST_F(fault, stand_still_at_the_start)
{
	stand_still(_metadata, self, 1);
}

TEST_F(fault, stand_still_in_the_middle)
{
	stand_still(_metadata, self, 3);
}

/* The same for a command, of which nobody has seen a fence. */
TEST_F(fault, load_stands_still)
{
	struct rig_program program = rig_program_copy(256, 0, 0);
	uint32_t id;

	rig_expect("rondo .*the firmware refuses command 2: the device stood still");
	rig_fault(RIG_FAULT_seq_hold, 1);
	EXPECT_EQ(-ETIME, rig_program_create(self->fd, program.data, program.size, &id));
	free(program.data);
}

/* It does not obey an abort either: the firmware stops, and a reset ends it. */
TEST_F(fault, stuck)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_hold);

	EXPECT_RESET("the firmware has stopped");
	rig_fault(RIG_FAULT_seq_hold, 4);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	/* The second is the program, which the reset loads again. */
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_hold, hits + 1));
	rig_fault(RIG_FAULT_seq_hold, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

/* Firmware whose heart beats while its work stands still is not believed. */
TEST_F(fault, no_progress)
{
	uint32_t hits;

	hold_copy(_metadata, self);
	hits = rig_fault_hits(RIG_FAULT_seq_work);
	EXPECT_RESET("the firmware makes no progress");
	rig_fault(RIG_FAULT_progress_stop, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	rig_faults_clear();
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

TEST_F(fault, lost_interrupt)
{
	rig_expect("rondo .*an interrupt was lost");
	rig_fault(RIG_FAULT_irq_lose, 1);
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

TEST_F(fault, lost_interrupt_of_a_command)
{
	uint32_t id;

	rig_expect("rondo .*an interrupt was lost");
	rig_fault(RIG_FAULT_irq_lose, 1);
	EXPECT_EQ(0, rig_bind(self->fd, self->copy.program,
			      (uint32_t[]){ self->copy.in_bo, self->copy.out_bo }, 2, &id));
}

/* Each word of the event in turn: what is noticed leads to a reset, and the copy is repeated. */
TEST_F(fault, corrupt_event)
{
	/* type, result, queue, seqno (low, high) */
	static const uint32_t words[] = { 1, 2, 4, 5, 6 };

	EXPECT_RESET("an event is corrupt");
	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++) {
		rig_fault(RIG_FAULT_event_corrupt, words[i]);
		EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	}
}

TEST_F(fault, corrupt_answer)
{
	uint32_t id, hits = rig_fault_hits(RIG_FAULT_event_corrupt);

	EXPECT_RESET("an event is corrupt");
	rig_fault(RIG_FAULT_event_corrupt, 3); /* cookie */
	EXPECT_EQ(0, rig_bind(self->fd, self->copy.program,
			      (uint32_t[]){ self->copy.in_bo, self->copy.out_bo }, 2, &id));
	EXPECT_EQ(hits + 1, rig_fault_hits(RIG_FAULT_event_corrupt));
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, id, 0, self->copy.sync));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

TEST_F(fault, firmware_crash)
{
	static const char *const words[] = {
		"rondo: the firmware has stopped\n",
		"\n  STATUS       0x00000302\n", /* dead of a trap */
		", runs\n",
		NULL,
	};

	hold_copy(_metadata, self);
	EXPECT_RESET("the firmware has stopped");
	rig_dump_discard();
	rig_fault(RIG_FAULT_fw_crash, 1);
	rig_fault(RIG_FAULT_seq_work, 0);
	/* Its extents are disjoint: it is repeated. */
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	expect_dump(_metadata, words);
}

TEST_F(fault, firmware_silent)
{
	hold_copy(_metadata, self);
	EXPECT_RESET("the firmware's heartbeat has stopped");
	/* Silent until after the reset was asked for; the boot waits for it. */
	rig_fault(RIG_FAULT_fw_silent, 1);
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(-ETIME, rig_wait(self->fd, self->copy.sync, 3));
	rig_fault(RIG_FAULT_fw_silent, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

/* No job is pending, so that nobody looks but who waits for an answer. */
TEST_F(fault, firmware_silent_without_jobs)
{
	struct drm_rondo_queue_create args = { .weight = 1 };
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_silent);
	int status;
	pid_t child;

	EXPECT_RESET("the firmware's heartbeat has stopped");
	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits));
	child = fork();
	if (!child)
		_exit(rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args) ? 1 : 0);
	/* Hit a second time, it stands in the boot of the reset. */
	EXPECT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits + 1));
	rig_fault(RIG_FAULT_fw_silent, 0);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* What was started is not repeated, if it writes what it reads; what was not, runs. */
TEST_F(fault, reset_repeats_only_what_it_may)
{
	uint32_t program, binding, bo, first, second, queue, other, *words;
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	program = make_program(self->fd, rig_program_increment());
	bo = make_bo(self->fd, 4096, (void **)&words);
	binding = make_binding(self->fd, program, &bo, 1);
	queue = make_queue(self->fd);
	other = make_queue(self->fd);
	first = make_syncobj(self->fd);
	second = make_syncobj(self->fd);

	/* Its work is done, but nobody is told. */
	rig_fault(RIG_FAULT_seq_work, 2);
	ASSERT_EQ(0, rig_submit(self->fd, queue, binding, 0, first));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	ASSERT_EQ(0, rig_submit(self->fd, queue, binding, 0, second));
	ASSERT_EQ(0, rig_submit(self->fd, other, self->copy.binding, 0, self->copy.sync));
	EXPECT_TRUE(rig_device_sees_copies() || words[0] == 1);

	EXPECT_RESET("the firmware has stopped");
	rig_fault(RIG_FAULT_fw_crash, 1);
	EXPECT_EQ(-EIO, rig_result(self->fd, first));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, second));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(2, words[0]);
}

/* What crashes the firmware twice is the cause: the second time it is given up. */
TEST_F(fault, reset_repeats_once)
{
	uint32_t hits, writes = rig_fault_hits(RIG_FAULT_seq_writes);
	bool again = true;

	hold_copy(_metadata, self);
	EXPECT_RESET("the firmware has stopped");
	hits = rig_fault_hits(RIG_FAULT_seq_work);
	rig_fault(RIG_FAULT_fw_crash, 1);
	/* One command of the reset after the other, until that which writes has done so. */
	while (again) {
		ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits++));
		rig_fault(RIG_FAULT_seq_work, 2);
		ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits++));
		again = rig_fault_hits(RIG_FAULT_seq_writes) == writes;
		if (again)
			rig_fault(RIG_FAULT_seq_work, 1);
	}
	EXPECT_RESET("the firmware has stopped");
	rig_fault(RIG_FAULT_fw_crash, 1);
	EXPECT_EQ(-EIO, rig_result(self->fd, self->copy.sync));
	rig_fault(RIG_FAULT_seq_work, 0);
}

/* Each of two bindings could be repeated alone, but what the one writes the other reads. */
TEST_F(fault, reset_does_not_repeat_what_two_bindings_do)
{
	const uint32_t back[] = { self->copy.out_bo, self->copy.in_bo };
	uint32_t other = make_binding(self->fd, self->copy.program, back, 2);
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, submit_two(self, self->copy.binding, other));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	EXPECT_RESET("the firmware has stopped");
	rig_fault(RIG_FAULT_fw_crash, 1);
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(-EIO, rig_result(self->fd, self->copy.sync));
}

/* Lets the sequencer go when it has held one more command: the first that a reset loads. */
static void *release(void *hits)
{
	if (rig_fault_wait(RIG_FAULT_seq_work, *(uint32_t *)hits))
		rig_fault(RIG_FAULT_seq_work, 0);
	return NULL;
}

/* A reset of the function by the bus: what ran is repeated, what waited runs, none is the wiser. */
TEST_F(fault, function_reset)
{
	uint32_t behind = make_syncobj(self->fd), hits;
	pthread_t thread;

	hold_copy(_metadata, self);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, behind));
	hits = rig_fault_hits(RIG_FAULT_seq_work);
	ASSERT_EQ(0, pthread_create(&thread, NULL, release, &hits));
	EXPECT_EQ(0, rig_pci_reset());
	pthread_join(thread, NULL);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(0, rig_result(self->fd, behind));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

/* The machine sleeps with more work queued than the device does before it. */
TEST_F(fault, suspend)
{
	enum { JOBS = 16 };
	uint32_t program = make_program(self->fd, rig_program_spin(50000000));
	uint32_t binding = make_binding(self->fd, program, NULL, 0), sync[JOBS], i;
	static const char *const tests[] = { "devices", "platform" };

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		uint32_t k;

		for (k = 0; k < JOBS; k++) {
			sync[k] = make_syncobj(self->fd);
			ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, sync[k]));
		}
		EXPECT_EQ(0, rig_suspend(tests[i]));
		for (k = 0; k < JOBS; k++)
			EXPECT_EQ(0, rig_result(self->fd, sync[k]));
	}
}

/* Programs, bindings and queues survive a reset. */
TEST_F(fault, crash_when_idle)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_crash);

	EXPECT_RESET("the firmware has stopped");
	rig_fault(RIG_FAULT_fw_crash, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_crash, hits));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

static int hold_in_child(int fd, struct rig_copy *copy)
{
	pid_t child = fork();

	if (child)
		return child;
	close(fd);
	fd = rig_open();
	*copy = make_copy(fd);
	rig_fault(RIG_FAULT_seq_work, 1);
	rig_submit(fd, copy->queue, copy->binding, 0, copy->sync);
	for (;;)
		pause();
}

/* A killed process leaves nothing behind: the device is free without a reset, which would show. */
TEST_F(fault, kill_during_replay)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);
	struct rig_copy copy;
	pid_t child;

	child = hold_in_child(self->fd, &copy);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The child's replay was aborted although it was held; now ours is. */
	EXPECT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits + 1));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

/* Makes program, binding and a job of them, in a file of its own, and says so; how the job ends. */
static int load_in_child(struct rig_program program, int ready)
{
	uint32_t bo[2], binding, sync;
	int fd = rig_open();

	bo[0] = make_bo(fd, 4096, NULL);
	bo[1] = make_bo(fd, 4096, NULL);
	binding = make_binding(fd, make_program(fd, program), bo, 2);
	sync = make_syncobj(fd);
	if (rig_submit(fd, make_queue(fd), binding, 0, sync) || write(ready, "", 1) != 1)
		return 1;
	return -rig_result(fd, sync);
}

/* What is made while a replay runs is there at once, and is used when that has ended. */
TEST_F(fault, load_behind_a_replay)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);
	struct rig_copy copy;
	int ready[2], status;
	pid_t holder, loader;
	char c;

	ASSERT_EQ(0, pipe(ready));
	holder = hold_in_child(self->fd, &copy);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	loader = fork();
	if (!loader)
		_exit(load_in_child(rig_program_copy(256, 0, 0), ready[1]));
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(hits + 1, rig_fault_hits(RIG_FAULT_seq_work));
	EXPECT_EQ(0, waitpid(loader, &status, WNOHANG));
	rig_fault(RIG_FAULT_seq_work, 0);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	ASSERT_EQ(loader, waitpid(loader, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Who has something loaded behind a replay can be killed at once, and leaves nothing behind. */
TEST_F(fault, kill_with_a_load_behind_a_replay)
{
	uint32_t id, hits = rig_fault_hits(RIG_FAULT_seq_work);
	struct rig_program program = rig_program_copy(256, 0, 0);
	uint32_t sync = make_syncobj(self->fd);
	int ready[2], i;
	pid_t loader;
	char c;

	ASSERT_EQ(0, pipe(ready));
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	for (i = 0; i < 4; i++) {
		loader = fork();
		if (!loader) {
			close(self->fd);
			_exit(load_in_child(program, ready[1]));
		}
		ASSERT_EQ(1, read(ready[0], &c, 1));
		kill(loader, SIGKILL);
		ASSERT_EQ(loader, waitpid(loader, NULL, 0));
	}
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(0, rig_program_create(self->fd, program.data, program.size, &id));
	free(program.data);
}

/* That the device lacks memory for it is told by what uses it; nothing is wrong with the device. */
TEST_F(fault, no_memory_behind_a_replay)
{
	uint32_t bos[] = { self->copy.in_bo, self->copy.out_bo }, program, binding, again;
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work), sync = make_syncobj(self->fd);
	struct drm_rondo_queue_fault fault = { .queue = make_queue(self->fd) };

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	rig_fault(RIG_FAULT_seq_no_memory, 1);
	program = make_program(self->fd, rig_program_copy(64, 0, 0));
	binding = make_binding(self->fd, program, bos, 2);
	EXPECT_EQ(0, rig_submit(self->fd, fault.queue, binding, 0, sync));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(-ENOMEM, rig_result(self->fd, sync));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &fault));
	EXPECT_EQ(RONDO_FW_NO_MEMORY, fault.result);
	EXPECT_EQ(-ENOMEM, rig_submit(self->fd, fault.queue, binding, 0, sync));
	EXPECT_EQ(-ENOMEM, rig_bind(self->fd, program, bos, 2, &again));
}

/* A process that waits for its queue can be killed; the device's number for it comes back. */
TEST_F(fault, kill_a_waiting_queue_create)
{
	struct drm_rondo_queue_create args = { .weight = 1 };
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_silent), made = 0;
	int fd[4], ret = 0; /* files enough to take all 64 */
	pid_t child;
	size_t i;

	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits));
	child = fork();
	if (!child) {
		rig_ioctl(rig_open(), DRM_IOCTL_RONDO_QUEUE_CREATE, &args);
		_exit(0);
	}
	EXPECT_TRUE(rig_until_blocked(child, DRM_IOCTL_RONDO_QUEUE_CREATE));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	rig_fault(RIG_FAULT_fw_silent, 0);

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = rig_open();
		while (!(ret = rig_ioctl(fd[i], DRM_IOCTL_RONDO_QUEUE_CREATE, &args)))
			made++;
		EXPECT_EQ(-ENOSPC, ret);
	}
	EXPECT_EQ(63, made); /* and one of the fixture */
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
}

/* Who is killed while the device finds no room for his program has done nothing to others. */
TEST_F(fault, kill_a_load_that_is_refused)
{
	uint32_t id, silent = rig_fault_hits(RIG_FAULT_fw_silent);
	uint32_t refused = rig_fault_hits(RIG_FAULT_seq_no_memory);
	struct rig_program program = rig_program_copy(256, 0, 0);
	pid_t child;

	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, silent));
	child = fork();
	if (!child) {
		rig_program_create(rig_open(), program.data, program.size, &id);
		_exit(0);
	}
	EXPECT_TRUE(rig_until_blocked(child, DRM_IOCTL_RONDO_PROGRAM_CREATE));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	rig_fault(RIG_FAULT_seq_no_memory, 1);
	rig_fault(RIG_FAULT_fw_silent, 0);
	EXPECT_TRUE(rig_fault_wait(RIG_FAULT_seq_no_memory, refused));

	/* The next command comes after what was left of the killed one. A reset would be logged. */
	EXPECT_EQ(0, rig_program_create(self->fd, program.data, program.size, &id));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	free(program.data);
}

/* Destroying a queue cancels what runs in it and what waits. */
TEST_F(fault, destroy_queue)
{
	struct drm_rondo_queue_destroy destroy = {};
	uint32_t first = make_syncobj(self->fd), second = make_syncobj(self->fd);
	uint32_t third = make_syncobj(self->fd), hits = rig_fault_hits(RIG_FAULT_seq_work);

	destroy.id = make_queue(self->fd);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, destroy.id, self->copy.binding, 0, first));
	ASSERT_EQ(0, rig_submit(self->fd, destroy.id, self->copy.binding, 0, second));
	/* This one is with the scheduler still: it waits for a job of another queue. */
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_EQ(0, rig_submit(self->fd, destroy.id, self->copy.binding, self->copy.sync, third));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	EXPECT_EQ(-ECANCELED, rig_result(self->fd, first));
	EXPECT_EQ(-ECANCELED, rig_result(self->fd, second));
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(-ECANCELED, rig_result(self->fd, third));
}

TEST_HARNESS_MAIN
