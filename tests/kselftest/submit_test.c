// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SUBMIT and its fences: what is refused and leaves no trace, order, slot offsets,
 * syncobjs of both kinds, and implicit fences on shared buffers.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/reject.h"
#include "tests/kselftest/rig.h"

FIXTURE(submit)
{
	int fd;
	struct rig_copy copy;
	struct drm_rondo_device_info info;
	struct drm_rondo_replay *replay; /* replays_max, all the same */
	struct drm_rondo_sync in, out;
	struct drm_rondo_submit args; /* one replay, one sync of each kind */
};

FIXTURE_SETUP(submit)
{
	uint32_t i;

	if (rig_faults_present())
		rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
	self->info = rig_info(self->fd);
	self->replay = calloc(self->info.replays_max, sizeof(self->replay[0]));
	for (i = 0; i < self->info.replays_max; i++)
		self->replay[i].binding = self->copy.binding;
	ASSERT_EQ(0, drmSyncobjCreate(self->fd, DRM_SYNCOBJ_CREATE_SIGNALED, &self->in.handle));
	self->out.handle = self->copy.sync;
	self->args = (struct drm_rondo_submit){
		.queue = self->copy.queue,
		.replays = (uintptr_t)self->replay,
		.replay_count = 1,
		.replay_stride = sizeof(self->replay[0]),
		.in_syncs = (uintptr_t)&self->in,
		.in_count = 1,
		.out_syncs = (uintptr_t)&self->out,
		.out_count = 1,
		.sync_stride = sizeof(self->in),
	};
}

FIXTURE_TEARDOWN(submit)
{
	if (rig_faults_present())
		rig_faults_clear();
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	free(self->replay);
	close(self->fd);
}

static int submit(FIXTURE_DATA(submit) * self)
{
	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &self->args);
}

/* Holds the device with a replay of @binding in a queue of its own; returns its syncobj. */
static uint32_t hold(struct __test_metadata *_metadata, int fd, uint32_t binding)
{
	uint32_t sync = make_syncobj(fd), hits = rig_fault_hits(RIG_FAULT_seq_work);

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(fd, make_queue(fd), binding, 0, sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	return sync;
}

/* The times of the job behind the sync file @fence, which is closed: 0 or -errno. */
static int fence_times(int fd, uint32_t queue, int fence, struct drm_rondo_fence_times *times)
{
	int ret;

	*times = (struct drm_rondo_fence_times){ .queue = queue, .fd = fence };
	ret = rig_ioctl(fd, DRM_IOCTL_RONDO_FENCE_TIMES, times);
	close(fence);
	return ret;
}

static uint64_t device_time(int fd)
{
	struct drm_rondo_clock_info info = {};
	struct drm_rondo_query query = {
		.type = DRM_RONDO_QUERY_CLOCK,
		.size = sizeof(info),
		.data = (uintptr_t)&info,
	};

	rig_ioctl(fd, DRM_IOCTL_RONDO_QUERY, &query);
	return info.device_cycles;
}

/* A fence tells when its job was under way, to the file and by the queue that it is of. */
TEST_F(submit, times)
{
	struct drm_rondo_queue_destroy destroy = { .id = make_queue(self->fd) };
	struct drm_rondo_fence_times times;
	uint32_t queue = self->copy.queue, sync = self->copy.sync;
	uint64_t before = device_time(self->fd), after;
	int other = rig_open();

	self->args.flags = DRM_RONDO_SUBMIT_TIME;
	self->args.replay_count = 3;
	ASSERT_EQ(0, submit(self));
	ASSERT_EQ(0, rig_result(self->fd, sync));
	after = device_time(self->fd);
	ASSERT_EQ(0, fence_times(self->fd, queue, rig_sync_file(self->fd, sync), &times));
	EXPECT_LE(before, times.queued);
	EXPECT_LE(times.queued, times.started);
	EXPECT_LT(0, times.cycles);
	EXPECT_LE(times.started + times.cycles, times.ended);
	EXPECT_LE(times.ended, after);

	EXPECT_EQ(-ENOENT,
		  fence_times(self->fd, destroy.id, rig_sync_file(self->fd, sync), &times));
	EXPECT_EQ(-ENOENT,
		  fence_times(self->fd, queue, rig_sync_file(self->fd, self->in.handle), &times));
	EXPECT_EQ(-ENOENT,
		  fence_times(other, make_queue(other), rig_sync_file(self->fd, sync), &times));
	close(other);

	/* Nobody has asked for the time of the submission; the job is of the other queue. */
	self->args.flags = 0;
	self->args.queue = destroy.id;
	ASSERT_EQ(0, submit(self));
	ASSERT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(0, fence_times(self->fd, destroy.id, rig_sync_file(self->fd, sync), &times));
	EXPECT_EQ(0, times.queued);
	EXPECT_LT(0, times.started);
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	EXPECT_EQ(-ENOENT,
		  fence_times(self->fd, destroy.id, rig_sync_file(self->fd, sync), &times));
}

/* While a job runs, its times are not known. */
TEST_F(submit, times_of_running)
{
	struct drm_rondo_fence_times times;
	uint32_t sync = make_syncobj(self->fd), hits;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	hits = rig_fault_hits(RIG_FAULT_seq_work);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	EXPECT_EQ(-EBUSY,
		  fence_times(self->fd, self->copy.queue, rig_sync_file(self->fd, sync), &times));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(0,
		  fence_times(self->fd, self->copy.queue, rig_sync_file(self->fd, sync), &times));
	EXPECT_LT(0, times.ended);
}

/* All or nothing: what is refused brings no fence to the syncobj. */
TEST_F(submit, refused)
{
	struct drm_rondo_submit args = self->args;

	args.pad = 1;
	EXPECT_EQ(-EINVAL, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args));
	self->replay[0].binding += 100;
	EXPECT_EQ(-ENOENT, submit(self));
	self->replay[0].binding = self->copy.binding;
	self->in.handle += 100;
	EXPECT_EQ(-ENOENT, submit(self));
	EXPECT_EQ(-EINVAL, rig_wait(self->fd, self->copy.sync, 0));
}

/* What the kernel only reads may be memory that nobody can write. */
TEST_F(submit, arguments_that_are_only_read)
{
	struct drm_rondo_submit *args =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, args);
	*args = self->args;
	ASSERT_EQ(0, mprotect(args, 4096, PROT_READ));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, args));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	munmap(args, 4096);
}

/* Submits with the first replay replaced. */
static int submit_replay(FIXTURE_DATA(submit) * self, struct drm_rondo_replay wrong)
{
	struct drm_rondo_replay right = self->replay[0];
	int ret;

	self->replay[0] = wrong;
	ret = submit(self);
	self->replay[0] = right;
	return ret;
}

TEST_F(submit, replay_fields)
{
	struct drm_rondo_slot_offset offset = {};
	uint32_t binding = self->copy.binding;
	struct drm_rondo_replay r = { .binding = binding };

	r.pad = 1;
	EXPECT_EQ(-EINVAL, submit_replay(self, r));
	r = (struct drm_rondo_replay){ .binding = 0 };
	EXPECT_EQ(-ENOENT, submit_replay(self, r));
	r = (struct drm_rondo_replay){ .binding = binding + 1 };
	EXPECT_EQ(-ENOENT, submit_replay(self, r));
	r = (struct drm_rondo_replay){ .binding = binding,
				       .offset_count = 9,
				       .offsets = (uintptr_t)&offset,
				       .offset_stride = sizeof(offset) };
	EXPECT_EQ(-EINVAL, submit_replay(self, r));
	r.offset_count = 1; /* but the slot does not move */
	EXPECT_EQ(-EINVAL, submit_replay(self, r));
	r.offsets = 8;
	EXPECT_EQ(-EFAULT, submit_replay(self, r));
	r.offset_stride = 0;
	EXPECT_EQ(-EINVAL, submit_replay(self, r));
	EXPECT_EQ(0, submit(self));
}

TEST_F(submit, sync_fields)
{
	uint32_t empty = make_syncobj(self->fd);

	self->in.flags = 1;
	EXPECT_EQ(-EINVAL, submit(self));
	self->in.flags = 0;
	self->out.flags = 1;
	EXPECT_EQ(-EINVAL, submit(self));
	self->out.flags = 0;
	self->in.handle += 100;
	EXPECT_EQ(-ENOENT, submit(self));
	self->in.handle = empty; /* has no fence */
	EXPECT_EQ(-EINVAL, submit(self));
	self->in.handle = self->copy.sync;
	self->out.handle += 100;
	EXPECT_EQ(-EINVAL, submit(self)); /* neither has this one: nothing was signalled */
	self->args.in_count = 0;
	EXPECT_EQ(-ENOENT, submit(self));
	self->args.out_count = 0;
	EXPECT_EQ(0, submit(self));
}

TEST_F(submit, most_replays_and_syncs)
{
	uint32_t i, most = self->info.syncs_max;
	struct drm_rondo_sync in[most], out[most];

	for (i = 0; i < most; i++) {
		in[i] = self->in;
		out[i] = (struct drm_rondo_sync){ .handle = make_syncobj(self->fd) };
	}
	self->args.replay_count = self->info.replays_max;
	self->args.in_syncs = (uintptr_t)in;
	self->args.in_count = most;
	self->args.out_syncs = (uintptr_t)out;
	self->args.out_count = most;
	EXPECT_EQ(0, submit(self));
	for (i = 0; i < most; i++)
		EXPECT_EQ(0, rig_result(self->fd, out[i].handle));
}

/* More than a ring has places for: jobs of as many replays as there can be, counting in memory. */
TEST_F(submit, deep_queue)
{
	uint32_t *words, bo = make_bo(self->fd, 4096, (void **)&words), i;

	self->replay[0].binding =
		make_binding(self->fd, make_program(self->fd, rig_program_increment()), &bo, 1);
	for (i = 1; i < self->info.replays_max; i++)
		self->replay[i] = self->replay[0];
	self->args.replay_count = self->info.replays_max;
	self->args.in_count = 0;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, submit(self));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(3 * self->info.replays_max, words[0]);
	EXPECT_EQ(3 * self->info.replays_max, words[15]);
	EXPECT_EQ(0, words[16]);
}

/* Replays of two bindings in turn: each is of the one that it names. */
TEST_F(submit, bindings_in_turn)
{
	uint32_t *words[2], bo[2], binding[2], program, i;

	program = make_program(self->fd, rig_program_increment());
	for (i = 0; i < 2; i++) {
		bo[i] = make_bo(self->fd, 4096, (void **)&words[i]);
		binding[i] = make_binding(self->fd, program, &bo[i], 1);
	}
	for (i = 0; i < 100; i++)
		self->replay[i].binding = binding[i % 5 == 0];
	self->args.replay_count = 100;
	EXPECT_EQ(0, submit(self));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(80, words[0][0]);
	EXPECT_EQ(20, words[1][0]);
	/* One that does not exist ends it all, whatever stood before. */
	self->replay[99].binding = binding[1] + 100;
	EXPECT_EQ(-ENOENT, submit(self));
	EXPECT_EQ(80, words[0][0]);
}

/* Slot offsets: the last place that fits, and one step beyond. */
TEST_F(submit, offsets)
{
	struct drm_rondo_slot_offset offset[2] = { { .slot = 0 }, { .slot = 1 } };
	uint32_t *in, *out, handles[2], i;

	handles[0] = make_bo(self->fd, 4096, (void **)&in);
	handles[1] = make_bo(self->fd, 4096, (void **)&out);
	for (i = 0; i < 1024; i++)
		in[i] = i;
	self->replay[0] = (struct drm_rondo_replay){
		.binding = make_binding(
			self->fd,
			make_program(self->fd, rig_program_copy(64, RONDO_SLOT_DYNAMIC, 0)),
			handles, 2),
		.offset_count = 2,
		.offsets = (uintptr_t)offset,
		.offset_stride = sizeof(offset[0]),
	};
	self->args.in_count = 0;

	offset[0].offset = 4096 - 64;
	offset[1].offset = 128;
	EXPECT_EQ(0, submit(self));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(1023, out[47]);
	EXPECT_EQ(0, out[0]);

	offset[0].offset = 4096;
	EXPECT_EQ(-ERANGE, submit(self));
	offset[0].offset = UINT64_MAX & ~63ull;
	EXPECT_EQ(-ERANGE, submit(self));
	offset[0].offset = 4;
	EXPECT_EQ(-EINVAL, submit(self));
	offset[0].offset = 64;
	offset[0].pad = 1;
	EXPECT_EQ(-EINVAL, submit(self));
	offset[0].pad = 0;
	offset[0].slot = 1; /* twice */
	EXPECT_EQ(-EINVAL, submit(self));
	offset[0].slot = 2;
	EXPECT_EQ(-EINVAL, submit(self));
	offset[0].slot = UINT32_MAX;
	EXPECT_EQ(-EINVAL, submit(self));
}

/* Every element of an array is read where its stride puts it. */
TEST_F(submit, offsets_and_replays_of_a_newer_caller)
{
	struct {
		struct drm_rondo_slot_offset now;
		uint64_t newer;
	} offset[2] = { { .now = { .slot = 0, .offset = 64 } },
			{ .now = { .slot = 1, .offset = 128 } } };
	struct {
		struct drm_rondo_replay now;
		uint64_t newer;
	} replay[2] = { { .now.binding = self->copy.binding } };
	uint32_t *in, *out, handles[2];

	handles[0] = make_bo(self->fd, 4096, (void **)&in);
	handles[1] = make_bo(self->fd, 4096, (void **)&out);
	in[16] = 77;
	self->copy.in[5] = 78;
	replay[1].now = (struct drm_rondo_replay){
		.binding = make_binding(
			self->fd,
			make_program(self->fd, rig_program_copy(64, RONDO_SLOT_DYNAMIC, 0)),
			handles, 2),
		.offset_count = 2,
		.offsets = (uintptr_t)offset,
		.offset_stride = sizeof(offset[0]),
	};
	self->args.replays = (uintptr_t)replay;
	self->args.replay_count = 2;
	self->args.replay_stride = sizeof(replay[0]);
	self->args.in_count = 0;
	EXPECT_EQ(0, submit(self));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(77, out[32]);
	EXPECT_EQ(78, self->copy.out[5]);

	offset[1].newer = 1;
	EXPECT_EQ(-E2BIG, submit(self));
	offset[1].newer = 0;
	replay[1].newer = 1;
	EXPECT_EQ(-E2BIG, submit(self));
}

TEST_F(submit, timeline)
{
	uint32_t timeline = make_syncobj(self->fd);
	uint64_t point;

	self->args.in_count = 0;
	self->out = (struct drm_rondo_sync){ .handle = timeline, .point = 1 };
	EXPECT_EQ(0, submit(self));
	self->args.in_count = 1;
	for (point = 2; point <= 10; point++) {
		self->in = self->out;
		self->out.point = point;
		EXPECT_EQ(0, submit(self));
	}
	point = 10;
	EXPECT_EQ(0, drmSyncobjTimelineWait(self->fd, &timeline, &point, 1,
					    (rig_now() + RIG_WAIT_S) * 1e9, 0, NULL));
	EXPECT_EQ(0, drmSyncobjQuery(self->fd, &timeline, &point, 1));
	EXPECT_EQ(10, point);
	/* A point that nobody is going to signal. */
	self->in.point = 11;
	EXPECT_EQ(-EINVAL, submit(self));
}

/* Across queues: what waits for a syncobj comes after it. */
TEST_F(submit, in_sync_orders_queues)
{
	uint32_t first, second = make_syncobj(self->fd);

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	first = hold(_metadata, self->fd, self->copy.binding);
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, first, second));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, second));
	EXPECT_EQ(0, rig_wait(self->fd, first, 0));
}

static int dmabuf_of(struct __test_metadata *_metadata, int fd, uint32_t handle)
{
	int dmabuf;

	ASSERT_EQ(0, drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, &dmabuf));
	return dmabuf;
}

/* Which of @events the dma-buf is ready for: POLLIN, no writer; POLLOUT, nobody. */
static short ready(int dmabuf)
{
	struct pollfd p = { .fd = dmabuf, .events = POLLIN | POLLOUT };

	poll(&p, 1, 0);
	return p.revents;
}

/* The buffer that is read keeps writers away; the one that is written keeps all. */
TEST_F(submit, implicit_fences_out)
{
	int in = dmabuf_of(_metadata, self->fd, self->copy.in_bo);
	int out = dmabuf_of(_metadata, self->fd, self->copy.out_bo);
	uint32_t sync;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	EXPECT_EQ(POLLIN | POLLOUT, ready(in));
	sync = hold(_metadata, self->fd, self->copy.binding);
	EXPECT_EQ(POLLIN, ready(in));
	EXPECT_EQ(0, ready(out));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(POLLIN | POLLOUT, ready(in));
	EXPECT_EQ(POLLIN | POLLOUT, ready(out));
	close(in);
	close(out);
}

/* With explicit sync, nobody else sees the job on its buffers. */
TEST_F(submit, explicit_fences_out)
{
	int in = dmabuf_of(_metadata, self->fd, self->copy.in_bo);
	int out = dmabuf_of(_metadata, self->fd, self->copy.out_bo);
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_fault(RIG_FAULT_seq_work, 1);
	self->args.flags = DRM_RONDO_SUBMIT_EXPLICIT_SYNC;
	ASSERT_EQ(0, submit(self));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	EXPECT_EQ(POLLIN | POLLOUT, ready(in));
	EXPECT_EQ(POLLIN | POLLOUT, ready(out));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	close(in);
	close(out);
}

/* Private buffers: used as any other, never exported, alive as long as they are mapped. */
TEST_F(submit, private_buffers)
{
	uint32_t *in, *out, handles[2], shared[2], *shared_out, i;
	int fd = rig_open(), dmabuf;
	struct rig_copy copy = make_copy(fd);

	handles[0] = make_private_bo(fd, 4096, (void **)&in);
	handles[1] = make_private_bo(fd, 4096, (void **)&out);
	EXPECT_NE(0, drmPrimeHandleToFD(fd, handles[0], DRM_CLOEXEC | DRM_RDWR, &dmabuf));
	EXPECT_EQ(EINVAL, errno);
	in[1] = 77;
	copy.binding = make_binding(fd, copy.program, handles, 2);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, rig_submit(fd, copy.queue, copy.binding, 0, copy.sync));
	EXPECT_EQ(0, rig_result(fd, copy.sync));
	EXPECT_EQ(77, out[1]);

	/* One of each kind. */
	shared[0] = handles[0];
	shared[1] = make_bo(fd, 4096, (void **)&shared_out);
	copy.binding = make_binding(fd, copy.program, shared, 2);
	EXPECT_EQ(0, rig_submit(fd, copy.queue, copy.binding, 0, copy.sync));
	EXPECT_EQ(0, rig_result(fd, copy.sync));
	EXPECT_EQ(77, shared_out[1]);

	/* And another kind between two of one. */
	copy.binding = make_binding(fd, make_program(fd, rig_program_read(3)),
				    (uint32_t[]){ handles[0], shared[1], handles[1] }, 3);
	EXPECT_EQ(0, rig_submit(fd, copy.queue, copy.binding, 0, copy.sync));
	EXPECT_EQ(0, rig_result(fd, copy.sync));

	close(fd);
	EXPECT_EQ(77, out[1]);
	in[2] = 1;
	munmap(in, 4096);
	munmap(out, 4096);
}

/* The job of @sync is held back: another queue runs one that waits for nothing, and this has not.
 */
static void expect_held(struct __test_metadata *_metadata, FIXTURE_DATA(submit) * self,
			uint32_t queue, uint32_t sync)
{
	self->args.queue = queue;
	self->args.flags = DRM_RONDO_SUBMIT_EXPLICIT_SYNC;
	EXPECT_EQ(-ETIME, rig_wait(self->fd, sync, 0.2));
	ASSERT_EQ(0, submit(self));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(-ETIME, rig_wait(self->fd, sync, 0));
}

/* Another driver's fence on a shared buffer holds a replay back, unless that is told not to wait.
 */
TEST_F(submit, implicit_fences_in)
{
	uint32_t binding, fence, sync = make_syncobj(self->fd);
	struct rig_foreign f;

	if (!rig_foreign_init(&f, self->fd))
		SKIP(return, "no vgem");
	binding = make_binding(self->fd, self->copy.program,
			       (uint32_t[]){ f.ours, self->copy.out_bo }, 2);
	fence = rig_foreign_fence(&f, true);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, sync));
	self->replay[0].binding = binding;
	expect_held(_metadata, self, make_queue(self->fd), sync);
	rig_foreign_signal(&f, fence);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	rig_foreign_fini(&f);
}

/* Who reads does not wait for others who read; who writes waits for each of them. */
TEST_F(submit, writes_wait_for_all_reads)
{
	uint32_t reads, writes, i, sync = make_syncobj(self->fd), fence[2], queue;
	struct rig_foreign f;

	if (!rig_foreign_init(&f, self->fd))
		SKIP(return, "no vgem");
	reads = make_binding(self->fd, self->copy.program,
			     (uint32_t[]){ f.ours, self->copy.out_bo }, 2);
	writes = make_binding(self->fd, self->copy.program,
			      (uint32_t[]){ self->copy.in_bo, f.ours }, 2);
	queue = make_queue(self->fd);
	for (i = 0; i < 2; i++) {
		fence[0] = rig_foreign_fence(&f, false);
		fence[1] = rig_foreign_fence(&f, false);
		ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, reads, 0, sync));
		EXPECT_EQ(0, rig_result(self->fd, sync));
		ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, writes, 0, sync));
		expect_held(_metadata, self, queue, sync);
		rig_foreign_signal(&f, fence[i]);
		expect_held(_metadata, self, queue, sync);
		rig_foreign_signal(&f, fence[!i]);
		EXPECT_EQ(0, rig_result(self->fd, sync));
	}
	rig_foreign_fini(&f);
}

/* The most exclusive of what the replays of a job do with one buffer counts. */
TEST_F(submit, reads_and_writes_in_one_job)
{
	uint32_t fence, queue, sync = make_syncobj(self->fd);
	struct drm_rondo_replay replay[4] = {};
	struct drm_rondo_sync out = { .handle = sync };
	struct drm_rondo_submit args = self->args;
	struct rig_foreign f;

	if (!rig_foreign_init(&f, self->fd))
		SKIP(return, "no vgem");
	for (int i = 0; i < 4; i++) {
		const uint32_t bo[2] = { i % 2 ? self->copy.in_bo : f.ours,
					 i % 2 ? f.ours : self->copy.out_bo };

		replay[i].binding = make_binding(self->fd, self->copy.program, bo, 2);
	}
	queue = make_queue(self->fd);
	fence = rig_foreign_fence(&f, false);
	args.replays = (uintptr_t)replay;
	args.replay_count = 4;
	args.out_syncs = (uintptr_t)&out;
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args));
	expect_held(_metadata, self, queue, sync);
	rig_foreign_signal(&f, fence);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	rig_foreign_fini(&f);
}

/*
 * A job waits for so many queues and no more: each is compared with all others. Queues that are
 * destroyed while their jobs wait count until those have ended.
 */
TEST_F(submit, too_many_fences)
{
	enum { MOST = 256 };
	uint32_t x = make_bo(self->fd, 4096, NULL), sync = make_syncobj(self->fd), i;
	uint32_t reads, writes, queue = make_queue(self->fd), other = make_queue(self->fd);
	struct drm_rondo_queue_destroy destroy = {};

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	reads = make_binding(self->fd, make_program(self->fd, rig_program_read(1)), &x, 1);
	writes = make_binding(self->fd, self->copy.program, (uint32_t[]){ self->copy.in_bo, x }, 2);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	for (i = 0; i < MOST; i++) {
		destroy.id = make_queue(self->fd);
		ASSERT_EQ(0, rig_submit(self->fd, destroy.id, reads, self->copy.sync, 0));
		ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	}
	EXPECT_EQ(0, rig_submit(self->fd, queue, writes, 0, sync));
	EXPECT_EQ(-ENOSPC, rig_submit(self->fd, other, writes, 0, 0));
	EXPECT_EQ(-ETIME, rig_wait(self->fd, sync, 0));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(0, rig_submit(self->fd, other, writes, 0, sync));
	EXPECT_EQ(0, rig_result(self->fd, sync));
}

/* Jobs that the scheduler has handed to the device since rig_trace_jobs(). */
static bool two_jobs_run(void *unused)
{
	(void)unused;
	return rig_traced_jobs() == 2;
}

/* Jobs of one queue that use the same buffers do not wait for each other's end. */
TEST_F(submit, queue_is_filled_ahead)
{
	uint32_t first = make_syncobj(self->fd), second = make_syncobj(self->fd);

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	if (!rig_trace_jobs())
		SKIP(return, "the scheduler has no trace event for jobs that run");
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, first));
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, second));
	EXPECT_TRUE(rig_jobs_come_singly() || rig_until(two_jobs_run, NULL));
	EXPECT_EQ(-ETIME, rig_wait(self->fd, first, 0));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, second));
	EXPECT_EQ(0, rig_wait(self->fd, first, 0));
}

TEST_HARNESS_MAIN
