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
	uid_t uid;
	uint32_t queues, binding;
};

static struct user make_user(struct __test_metadata *_metadata, uid_t uid, uint32_t queues,
			     uint32_t weight)
{
	struct user u = { .fd = rig_open_as(uid), .uid = uid, .queues = queues };
	struct drm_rondo_queue_create queue = { .weight = weight };

	ASSERT_LE(0, u.fd);
	u.binding =
		make_binding(u.fd, make_program(u.fd, rig_program_spin(REPLAY_CYCLES)), NULL, 0);
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

/* Whether the firmware has all replays of a user, by what debugfs says of the queues. */
static bool has_all(void *user)
{
	const struct user *u = user;
	uint32_t uid, jobs, all = 0;
	char line[200];
	FILE *f = fopen(rig_debugfs_path("queues"), "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %u %*u %u", &uid, &jobs) == 2 && uid == u->uid)
			all += jobs;
	if (f)
		fclose(f);
	return all == REPLAYS;
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
	a = make_user(_metadata, UID, queues_a, weight_a);
	b = make_user(_metadata, UID + 1, queues_b, weight_b);
	/* Nothing ends before the firmware has all replays of both: SUBMIT returns earlier. */
	rig_fault(RIG_FAULT_seq_work, 1);
	submit_all(_metadata, &a);
	submit_all(_metadata, &b);
	ASSERT_TRUE(rig_until(has_all, &a) && rig_until(has_all, &b));
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

/* Of one user, in as many files as it takes: how many there can be; 0 if the end is not -ENOSPC. */
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
