// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What users share: device time, the numbers of the device; and what one may ask for at all.
 */
#include <stdlib.h>
#include <unistd.h>
#include <xf86drm.h>

#include "spec/device.h"
#include "spec/fw_abi.h"
#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum {
	UID = 1000,
	REPLAYS = 400, /* that a user has waiting: more than run in WINDOW */
	REPLAY_CYCLES = 4000000,
	WINDOW = 1000000000, /* cycles of device time */
	SHARE_ERROR = 5, /* percent */
};

/* A user with queues, and what they are going to replay. */
struct user {
	int fd;
	uint32_t queues, binding;
	uint64_t cycles;
};

static struct user make_user(struct __test_metadata *_metadata, uid_t uid, uint32_t queues,
			     uint32_t weight, uint64_t cycles)
{
	struct user u = { .fd = rig_open_as(uid), .queues = queues, .cycles = cycles };
	struct drm_rondo_queue_create queue = { .weight = weight };

	ASSERT_LE(0, u.fd);
	u.binding = make_binding(u.fd, make_program(u.fd, rig_program_of_cycles(cycles)), NULL, 0);
	while (queues--)
		ASSERT_EQ(0, rig_ioctl(u.fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue));
	return u;
}

static void submit_all(struct __test_metadata *_metadata, const struct user *u)
{
	uint32_t i;

	for (i = 0; i < REPLAYS; i++)
		ASSERT_EQ(0, rig_submit(u->fd, 1 + i % u->queues, u->binding, 0, 0));
}

/* Whether the device has as many jobs of all users as @jobs says, by debugfs. */
static bool has_jobs(void *jobs)
{
	uint32_t of_queue, all = 0;
	char line[200];
	FILE *f = fopen(rig_debugfs_path("queues"), "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*u %*u %u", &of_queue) == 1)
			all += of_queue;
	if (f)
		fclose(f);
	return all == *(const uint32_t *)jobs;
}

/* Waits until the device has all of @jobs that it takes from @queues at a time. */
static bool wait_for_jobs(uint32_t jobs, uint32_t queues)
{
	return rig_until(has_jobs, rig_jobs_come_singly() ? &queues : &jobs);
}

/* Waits until WINDOW cycles have gone to @a and @b: by how many percent of its half one is off. */
static double share_error(const struct user *a, const struct user *b)
{
	uint64_t got_a, got_b, now;
	double error;

	/* Both at one time: the driver accounts at once for all replays that it hears of late. */
	do {
		usleep(1000);
		got_a = rig_fdinfo(a->fd, "drm-cycles-compute");
		got_b = rig_fdinfo(b->fd, "drm-cycles-compute");
		now = rig_fdinfo(a->fd, "drm-cycles-compute");
	} while (got_a != now || got_a + got_b < WINDOW);
	error = 200.0 * got_a / (got_a + got_b) - 100;
	return error < 0 ? -error : error;
}

static void expect_halves(struct __test_metadata *_metadata, uint32_t queues_a, uint32_t weight_a,
			  uint32_t queues_b, uint32_t weight_b)
{
	struct user a, b;
	double error;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	a = make_user(_metadata, UID, queues_a, weight_a, REPLAY_CYCLES);
	b = make_user(_metadata, UID + 1, queues_b, weight_b, REPLAY_CYCLES);
	/* Nothing ends before the firmware has all replays of both: SUBMIT returns earlier. */
	rig_fault(RIG_FAULT_seq_work, 1);
	submit_all(_metadata, &a);
	submit_all(_metadata, &b);
	ASSERT_TRUE(wait_for_jobs(2 * REPLAYS, queues_a + queues_b));
	rig_fault(RIG_FAULT_seq_work, 0);
	error = share_error(&a, &b);
	printf("# share_error_pct %.2f\n", error);
	EXPECT_GE(SHARE_ERROR, error);
	close(a.fd);
	close(b.fd);
}

FIXTURE(share)
{
	int fd;
	struct drm_rondo_device_info info;
};

FIXTURE_SETUP(share)
{
	if (rig_faults_present())
		rig_faults_clear();
	self->fd = rig_open_as(UID);
	ASSERT_LE(0, self->fd);
	self->info = rig_info(self->fd);
}

FIXTURE_TEARDOWN(share)
{
	if (rig_faults_present())
		rig_faults_clear();
	close(self->fd);
	EXPECT_EQ(0, rig_new_file_works());
}

TEST_F(share, equal_users)
{
	expect_halves(_metadata, 1, 1, 1, 1);
}

TEST_F(share, weights_of_users)
{
	expect_halves(_metadata, 1, 1, 1, self->info.weight_max);
}

TEST_F(share, queues_of_users)
{
	expect_halves(_metadata, self->info.queues_max, 1024, 2, 7);
}

/* Jobs with a fence each, in the order of their submission. */
struct jobs {
	uint32_t count;
	struct {
		uint64_t cycles;
		int sync_file;
	} job[500];
};

/* @each jobs in each queue of @u. */
static void add_jobs(struct __test_metadata *_metadata, struct jobs *all, const struct user *u,
		     uint32_t each)
{
	uint32_t sync = make_syncobj(u->fd), i;

	for (i = 0; i < each * u->queues; i++) {
		ASSERT_GT(ARRAY_SIZE(all->job), all->count);
		ASSERT_EQ(0, rig_submit(u->fd, 1 + i % u->queues, u->binding, 0, sync));
		all->job[all->count].cycles = u->cycles;
		all->job[all->count++].sync_file = rig_sync_file(u->fd, sync);
	}
}

/* Cycles of all jobs that ended before the last one, and of itself. */
static uint64_t cycles_until_last(const struct jobs *all)
{
	uint64_t last = rig_sync_file_time(all->job[all->count - 1].sync_file), sum = 0;
	uint32_t i;

	for (i = 0; i < all->count; i++)
		if (rig_sync_file_time(all->job[i].sync_file) <= last)
			sum += all->job[i].cycles;
	return sum;
}

/*
 * The last job of a queue with the least weight, with heavier ones of its own user and those of two
 * other users about it, which are never short of work: what has run until it ends is within the
 * bound. That is read from the order in which fences signal, for time goes on until somebody is
 * woken.
 */
static void expect_bound(struct __test_metadata *_metadata, uint32_t weight, uint64_t long_cycles,
			 uint64_t short_cycles)
{
	uint32_t i, mine = rig_jobs_come_singly() ? 1 : 3;
	struct drm_rondo_queue_bound bound = { .queue = 1 };
	struct user quiet, siblings, others[2];
	struct jobs all = {};
	double ratio;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	quiet = make_user(_metadata, UID, 1, 1, short_cycles);
	siblings = make_user(_metadata, UID, 2, weight, long_cycles);
	others[0] = make_user(_metadata, UID + 1, 3, weight, short_cycles);
	others[1] = make_user(_metadata, UID + 2, 1, 0, long_cycles);
	rig_fault(RIG_FAULT_seq_work, 1);
	add_jobs(_metadata, &all, &others[1], 60);
	add_jobs(_metadata, &all, &others[0], 100);
	add_jobs(_metadata, &all, &siblings, 60);
	add_jobs(_metadata, &all, &quiet, mine);
	EXPECT_EQ(0, rig_ioctl(quiet.fd, DRM_IOCTL_RONDO_QUEUE_BOUND, &bound));
	ASSERT_TRUE(wait_for_jobs(all.count, 7));
	rig_fault(RIG_FAULT_seq_work, 0);
	for (i = 0; i < all.count; i++)
		ASSERT_TRUE(rig_sync_file_wait(all.job[i].sync_file));
	ratio = (double)cycles_until_last(&all) / bound.cycles;
	printf("# fence_worst_ratio %.3f\n", ratio);
	EXPECT_GE(1, ratio);
	for (i = 0; i < all.count; i++)
		close(all.job[i].sync_file);
	close(quiet.fd);
	close(siblings.fd);
	close(others[0].fd);
	close(others[1].fd);
}

TEST_F(share, bound_with_long_replays_of_others)
{
	expect_bound(_metadata, self->info.weight_max, REPLAY_CYCLES, 100000);
}

TEST_F(share, bound_with_short_replays_of_others)
{
	expect_bound(_metadata, 32, 20000, 4000);
}

static uint64_t bound_of(struct __test_metadata *_metadata, int fd)
{
	struct drm_rondo_queue_bound bound = { .queue = 1, .cycles = 1 };

	EXPECT_EQ(0, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_BOUND, &bound));
	return bound.cycles;
}

/* The bound as core/bound.h has it, for what there is: a job, and who comes and goes. */
TEST_F(share, bound_follows_the_queues)
{
	enum { CYCLES = 10 * RONDO_FW_QUANTUM };
	struct drm_rondo_queue_create light = { .weight = 1 };
	struct drm_rondo_queue_destroy destroy = {};
	uint32_t sync = make_syncobj(self->fd), program, binding;
	struct user other;
	uint64_t rounded;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &light));
	program = make_program(self->fd, rig_program_of_cycles(CYCLES));
	binding = make_binding(self->fd, program, NULL, 0);
	EXPECT_EQ(0, bound_of(_metadata, self->fd));

	other = make_user(_metadata, UID + 1, 1, 0, REPLAY_CYCLES);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, 1, binding, 0, sync));
	rounded = bound_of(_metadata, self->fd);
	EXPECT_LT(2 * REPLAY_CYCLES, rounded);
	EXPECT_GT(3 * REPLAY_CYCLES, rounded);
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_EQ(0, bound_of(_metadata, self->fd));
	close(other.fd);

	/* How long exactly the program of another user is does not show. */
	other = make_user(_metadata, UID + 1, 1, 0, REPLAY_CYCLES + 100000);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, 1, binding, 0, sync));
	EXPECT_EQ(rounded, bound_of(_metadata, self->fd));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
	close(other.fd);

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(self->fd, 1, binding, 0, sync));
	EXPECT_EQ(2 * CYCLES, bound_of(_metadata, self->fd));
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &light));
	EXPECT_EQ(3 * CYCLES + (10 + 1 + 2) * RONDO_FW_QUANTUM, bound_of(_metadata, self->fd));
	destroy.id = light.id;
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	EXPECT_EQ(2 * CYCLES, bound_of(_metadata, self->fd));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, sync));
}

/* Submits replays of @n new bindings of @u's program to queue @queue: the fences, in their order.
 */
static void submit_new_bindings(struct __test_metadata *_metadata, const struct user *u,
				uint32_t queue, int n, int *sync_file)
{
	uint32_t sync = make_syncobj(u->fd), binding;

	for (int i = 0; i < n; i++) {
		binding = make_binding(u->fd, 1, NULL, 0);
		ASSERT_EQ(0, rig_submit(u->fd, queue, binding, 0, sync));
		sync_file[i] = rig_sync_file(u->fd, sync);
	}
}

/*
 * While replays run one binding is loaded between two of them. Who comes late with a program and a
 * binding does not wait for all that another user has to load.
 */
TEST_F(share, loads_of_users)
{
	enum { REPLAYS_BETWEEN = 150, BINDINGS = 40, EARLY = 15 };
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work), i;
	int of_busy[BINDINGS], of_late;
	struct user busy, late;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	busy = make_user(_metadata, UID, 2, 0, 100000);
	rig_fault(RIG_FAULT_seq_work, 1);
	for (i = 0; i < REPLAYS_BETWEEN; i++)
		ASSERT_EQ(0, rig_submit(busy.fd, 1, busy.binding, 0, 0));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	submit_new_bindings(_metadata, &busy, 2, BINDINGS, of_busy);
	late = make_user(_metadata, UID + 1, 1, 0, 100000);
	submit_new_bindings(_metadata, &late, 1, 1, &of_late);
	rig_fault(RIG_FAULT_seq_work, 0);
	for (i = 0; i < BINDINGS; i++)
		ASSERT_TRUE(rig_sync_file_wait(of_busy[i]));
	ASSERT_TRUE(rig_sync_file_wait(of_late));
	EXPECT_LT(rig_sync_file_time(of_late), rig_sync_file_time(of_busy[EARLY]));
	for (i = 0; i < BINDINGS; i++)
		close(of_busy[i]);
	close(of_late);
	close(busy.fd);
	close(late.fd);
}

/* How many one user can make, in as many files as it takes; 0 if the end is not -ENOSPC. */
static uint32_t fill(uid_t uid, int (*one_more)(int fd), int *fd, uint32_t files)
{
	uint32_t i, made = 0;
	int ret;

	for (i = 0; i < files; i++) {
		fd[i] = rig_open_as(uid);
		while (!(ret = one_more(fd[i])))
			made++;
		if (ret != -ENOSPC)
			return 0;
	}
	return made;
}

/* A user has half of the device, another user has the rest, and then nobody has more. */
static void expect_half(struct __test_metadata *_metadata, int (*one_more)(int fd), uint32_t all)
{
	enum { FILES = 4 };
	int first[FILES], second[FILES], i;

	EXPECT_EQ(all / 2, fill(UID, one_more, first, FILES));
	EXPECT_EQ(all / 2, fill(UID + 1, one_more, second, FILES));
	for (i = 0; i < FILES; i++)
		close(first[i]);
	EXPECT_EQ(all / 2, fill(0, one_more, first, FILES));
	for (i = 0; i < FILES; i++) {
		close(first[i]);
		close(second[i]);
	}
}

TEST_F(share, queues_of_the_device)
{
	expect_half(_metadata, rig_one_more_queue, RONDO_FW_QUEUES_MAX);
}

TEST_F(share, programs_of_the_device)
{
	expect_half(_metadata, rig_one_more_program, RONDO_PROGRAMS_MAX);
}

TEST_F(share, bindings_of_the_device)
{
	expect_half(_metadata, rig_one_more_binding, RONDO_BINDINGS_MAX);
}

/* Binds @program to @slots times @bo until that fails: why it does, and in *@made how often not. */
static int bind_until_refused(int fd, uint32_t program, uint32_t bo, uint32_t slots, uint32_t *made)
{
	uint32_t handles[RONDO_PROGRAM_SLOTS_MAX], id, i;
	int ret;

	for (i = 0; i < slots; i++)
		handles[i] = bo;
	for (*made = 0; !(ret = rig_bind(fd, program, handles, slots, &id)); ++*made)
		;
	return ret;
}

/* How many such bindings of one user the device keeps. They hold page lists of LARGE bytes each. */
static uint32_t fill_memory(struct __test_metadata *_metadata, uid_t uid, int *fd)
{
	enum { LARGE = 64 << 20 };
	uint32_t program, made;

	*fd = rig_open_as(uid);
	ASSERT_LE(0, *fd);
	program = make_program(*fd, rig_program_read(RONDO_PROGRAM_SLOTS_MAX));
	EXPECT_EQ(-ENOSPC, bind_until_refused(*fd, program, make_bo(*fd, LARGE, NULL),
					      RONDO_PROGRAM_SLOTS_MAX, &made));
	return made;
}

/*
 * What the device keeps for a user is at most half of its memory, and comes back when it is
 * destroyed; a small thing still fits where a large one did not.
 */
TEST_F(share, memory_of_the_device)
{
	struct drm_rondo_binding_destroy destroy = { .id = 1 };
	uint32_t made, again, bo, program, id;
	int first, second;

	if (self->info.memory > 1ull << 30)
		SKIP(return, "the device has too much memory for a test to fill");
	made = fill_memory(_metadata, UID, &first);
	EXPECT_LT(1, made);
	EXPECT_EQ(made, fill_memory(_metadata, UID + 1, &second));
	program = make_program(first, rig_program_read(1));
	bo = make_bo(first, 4096, NULL);
	EXPECT_EQ(0, rig_bind(first, program, &bo, 1, &id));
	EXPECT_EQ(0, rig_ioctl(first, DRM_IOCTL_RONDO_BINDING_DESTROY, &destroy));
	EXPECT_EQ(-ENOSPC, bind_until_refused(first, 1, 1, RONDO_PROGRAM_SLOTS_MAX, &again));
	EXPECT_EQ(1, again); /* at once, although the device forgets later */
	close(first);
	EXPECT_EQ(made, fill_memory(_metadata, UID, &first));
	close(first);
	close(second);
}

/* The same where one is not told at once: jobs end so, and whatever comes later is refused. */
TEST_F(share, memory_behind_a_replay)
{
	uint32_t spin, queue, sync, handles[RONDO_PROGRAM_SLOTS_MAX], id, i;
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);
	int full;

	if (!rig_faults_present() || self->info.memory > 1ull << 30)
		SKIP(return, "the device has no fault interface, or too much memory to fill");
	fill_memory(_metadata, UID, &full);
	sync = make_syncobj(full);
	queue = make_queue(full);
	spin = make_binding(full, make_program(full, rig_program_spin(1000)), NULL, 0);
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0, rig_submit(full, queue, spin, 0, 0));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		handles[i] = 1;
	EXPECT_EQ(0, rig_bind(full, 1, handles, ARRAY_SIZE(handles), &id));
	EXPECT_EQ(0, rig_submit(full, queue, id, 0, sync));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(-ENOMEM, rig_result(full, sync));
	EXPECT_EQ(-ENOSPC, rig_submit(full, queue, id, 0, sync));
	close(full);
}

/* More weight than others is for who may raise priorities. */
TEST_F(share, weight)
{
	struct drm_rondo_queue_create args = { .weight = self->info.weight_default + 1 };

	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	ASSERT_EQ(0, seteuid(UID));
	EXPECT_EQ(-EPERM, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	args.weight--;
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	args.weight = 0;
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	ASSERT_EQ(0, seteuid(0));
}

/* Replays of @cycles each, four in a job that never ends well: what SUBMIT says. */
static int submit_four(struct __test_metadata *_metadata, int fd, uint64_t cycles)
{
	struct rig_program p = rig_program_of_cycles(cycles);
	struct drm_rondo_replay replay[4] = {};
	struct drm_rondo_queue_destroy destroy = { .id = make_queue(fd) };
	struct drm_rondo_submit args = {
		.queue = destroy.id,
		.replays = (uintptr_t)replay,
		.replay_count = ARRAY_SIZE(replay),
		.replay_stride = sizeof(replay[0]),
	};
	size_t i;
	int ret;

	replay[0].binding = make_binding(fd, make_program(fd, p), NULL, 0);
	for (i = 1; i < ARRAY_SIZE(replay); i++)
		replay[i] = replay[0];
	rig_fault(RIG_FAULT_seq_work, 1);
	ret = rig_ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &args);
	EXPECT_EQ(0, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
	rig_fault(RIG_FAULT_seq_work, 0);
	return ret;
}

/* The longest job: exactly, and a little more. */
TEST_F(share, cycles_of_a_job)
{
	uint64_t most = self->info.job_cycles_max;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	EXPECT_EQ(10000000000, most);
	EXPECT_EQ(0, submit_four(_metadata, self->fd, most / 4));
	EXPECT_EQ(-E2BIG, submit_four(_metadata, self->fd, most / 4 + 1));
}

TEST_HARNESS_MAIN
