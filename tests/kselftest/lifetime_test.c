// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The driver comes and goes while files, replays and fences live, and meets firmware
 * that is missing or wrong. Each test leaves the driver loaded and working.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sync_file.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spec/fw_abi.h"
#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

#define FIRMWARE "/lib/firmware/" RONDO_FW_NAME

FIXTURE(lifetime)
{
	int fd;
	struct rig_copy copy;
};

FIXTURE_SETUP(lifetime)
{
	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
	ASSERT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

FIXTURE_TEARDOWN(lifetime)
{
	rig_faults_clear();
	close(self->fd);
	EXPECT_EQ(0, rig_new_file_works());
}

/* Holds the sequencer with a replay of the copy in it. */
static void hold_copy(struct __test_metadata *_metadata, FIXTURE_DATA(lifetime) * self)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
}

TEST_F(lifetime, unload_while_open)
{
	EXPECT_EQ(-EWOULDBLOCK, rig_module_unload());
}

TEST_F(lifetime, unload_and_load)
{
	munmap(self->copy.in, 4096);
	munmap(self->copy.out, 4096);
	close(self->fd);
	EXPECT_EQ(0, rig_module_unload());
	EXPECT_EQ(0, rig_module_load());
	self->fd = rig_open();
}

TEST_F(lifetime, rebind)
{
	close(self->fd);
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(-ENOENT, rig_open());
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

/*
 * Every ioctl on a device that is lost: what needs one that works, what needs one that is there,
 * and the rest, which comes to an end here.
 */
static void expect_lost(struct __test_metadata *_metadata, FIXTURE_DATA(lifetime) * self, int works,
			int there, int rest)
{
	uint32_t bos[] = { self->copy.in_bo, self->copy.out_bo }, id;
	struct rig_program program = rig_program_copy(64, 0, 0);
	struct drm_rondo_query query = { .type = DRM_RONDO_QUERY_DEVICE };
	struct drm_rondo_bo_create bo = { .size = 4096 };
	struct drm_rondo_bo_mmap_offset map = { .handle = self->copy.in_bo };
	struct drm_rondo_queue_create queue = { .weight = 1 };
	struct drm_rondo_queue_fault fault = { .queue = self->copy.queue };
	struct drm_rondo_queue_bound bound = { .queue = self->copy.queue };
	struct drm_rondo_binding_destroy binding_destroy = { .id = self->copy.binding };
	struct drm_rondo_program_destroy program_destroy = { .id = self->copy.program };
	struct drm_rondo_queue_destroy queue_destroy = { .id = self->copy.queue };
	int fd = self->fd;

	EXPECT_EQ(works, rig_program_create(fd, program.data, program.size, &id));
	EXPECT_EQ(works, rig_bind(fd, self->copy.program, bos, 2, &id));
	EXPECT_EQ(works, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue));
	EXPECT_EQ(works, rig_submit(fd, self->copy.queue, self->copy.binding, 0, 0));
	for (query.type = 0; query.type <= DRM_RONDO_QUERY_CLOCK; query.type++)
		EXPECT_EQ(there, rig_ioctl(fd, DRM_IOCTL_RONDO_QUERY, &query));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_BO_CREATE, &bo));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &map));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &fault));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_BOUND, &bound));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_BINDING_DESTROY, &binding_destroy));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &program_destroy));
	EXPECT_EQ(rest, rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &queue_destroy));
	free(program.data);
}

/* An idle device that is gone, which nobody watches: all ones are no time. */
TEST_F(lifetime, clock_of_a_vanished_device)
{
	struct drm_rondo_clock_info clock = {};
	struct drm_rondo_query query = { .type = DRM_RONDO_QUERY_CLOCK,
					 .size = sizeof(clock),
					 .data = (uintptr_t)&clock };

	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query));
	rig_fault(RIG_FAULT_vanish, 1);
	EXPECT_EQ(-ENODEV, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query));
	EXPECT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_vanish, 0);
	EXPECT_EQ(0, rig_driver_bind());
}

/* Files stay open: every call on them fails, their memory stays readable. */
TEST_F(lifetime, unbind_with_open_file)
{
	self->copy.in[0] = 42;
	EXPECT_EQ(0, rig_driver_unbind());
	expect_lost(_metadata, self, -ENODEV, -ENODEV, -ENODEV);
	/* This comes before what else is wrong: no room for the answer, no such call. */
	EXPECT_EQ(-ENODEV, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, NULL));
	EXPECT_EQ(-ENODEV, rig_ioctl(self->fd, DRM_IOCTL_GET_UNIQUE, NULL));
	EXPECT_EQ(42, self->copy.in[0]);
	EXPECT_EQ(0, rig_driver_bind());
}

/* What runs and what waits in it ends with ENODEV; a sync_file can be read for ever. */
/* Without work the device sleeps, and what it was told is told again when it wakes. */
TEST_F(lifetime, sleeps_when_idle)
{
	struct drm_rondo_program_destroy program = { .id = self->copy.program };
	struct drm_rondo_query query = { .type = DRM_RONDO_QUERY_CLOCK };
	uint32_t i;

	rig_autosuspend(0);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(rig_device_sleeps());
		EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	}
	EXPECT_TRUE(rig_device_sleeps());
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query));
	/* What is destroyed, or closed, wakes nobody. */
	EXPECT_TRUE(rig_device_sleeps());
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &program));
	close(self->fd);
	EXPECT_TRUE(rig_device_is_asleep());
	self->fd = rig_open();
	self->copy = make_copy(self->fd);
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	rig_autosuspend(-1);
}

/* A job keeps the device awake, be it in the device or before it. */
TEST_F(lifetime, does_not_sleep_with_a_job)
{
	uint32_t waited = make_syncobj(self->fd);

	hold_copy(_metadata, self);
	rig_autosuspend(0);
	EXPECT_EQ(-ETIME, rig_wait(self->fd, self->copy.sync, 0.5));
	EXPECT_FALSE(rig_device_is_asleep());
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, self->copy.sync,
				waited));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, waited));
	EXPECT_TRUE(rig_device_sleeps());
	rig_autosuspend(-1);
}

/* Also one that another device holds back. */
TEST_F(lifetime, does_not_sleep_with_a_job_that_waits)
{
	struct rig_foreign f;
	uint32_t fence, bos[2];

	if (!rig_foreign_init(&f, self->fd))
		SKIP(return, "no vgem");
	bos[0] = f.ours;
	bos[1] = self->copy.out_bo;
	fence = rig_foreign_fence(&f, true);
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue,
				make_binding(self->fd, self->copy.program, bos, 2), 0,
				self->copy.sync));
	rig_autosuspend(0);
	EXPECT_EQ(-ETIME, rig_wait(self->fd, self->copy.sync, 0.5));
	EXPECT_FALSE(rig_device_is_asleep());
	rig_foreign_signal(&f, fence);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_TRUE(rig_device_sleeps());
	rig_autosuspend(-1);
	rig_foreign_fini(&f);
}

/* A device that does not wake is dead to all, as one that a reset has not helped. */
TEST_F(lifetime, does_not_wake)
{
	struct drm_rondo_queue_create queue = { .weight = 1 };

	rig_autosuspend(0);
	EXPECT_TRUE(rig_device_sleeps());
	rig_expect("rondo .*firmware rondo/rondo.fw does not answer");
	rig_expect("rondo .*the device is dead: -ETIMEDOUT");
	rig_fault(RIG_FAULT_fw_silent, 1);
	EXPECT_EQ(-EIO,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	EXPECT_EQ(-EIO, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue));
	rig_faults_clear();
	rig_autosuspend(-1);
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(0, rig_driver_bind());
}

TEST_F(lifetime, unbind_a_sleeping_device)
{
	rig_autosuspend(0);
	EXPECT_TRUE(rig_device_sleeps());
	EXPECT_EQ(0, rig_driver_unbind());
	expect_lost(_metadata, self, -ENODEV, -ENODEV, -ENODEV);
	close(self->fd);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

TEST_F(lifetime, unbind_during_replay)
{
	uint32_t behind = make_syncobj(self->fd);
	int running, waiting;

	hold_copy(_metadata, self);
	ASSERT_EQ(0, rig_submit(self->fd, make_queue(self->fd), self->copy.binding, self->copy.sync,
				behind));
	running = rig_sync_file(self->fd, self->copy.sync);
	waiting = rig_sync_file(self->fd, behind);
	EXPECT_EQ(0, rig_sync_file_status(running));
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(-ENODEV, rig_sync_file_status(running));
	EXPECT_TRUE(rig_sync_file_wait(waiting));
	EXPECT_EQ(-ENODEV, rig_sync_file_status(waiting));

	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_driver_bind());
	close(running);
	close(waiting);
}

/* An ioctl that stands in the middle, where it copies from a page that is not there yet. */
struct stalled {
	FIXTURE_DATA(lifetime) * self;
	int (*call)(struct stalled *stalled);
	int ret, uffd;
	char *page; /* which is not there; the one before it is */
	char content[4096]; /* of it */
};

static int call_bind(struct stalled *stalled)
{
	struct drm_rondo_slot_binding *slots = (void *)stalled->page;
	struct drm_rondo_binding_create args = {
		.program = stalled->self->copy.program,
		.slots = (uintptr_t)(slots - 1),
		.slot_count = 2,
		.slot_stride = sizeof(*slots),
	};

	return rig_ioctl(stalled->self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &args);
}

static int call_create(struct stalled *stalled)
{
	const struct rondo_program_header *head = (void *)stalled->content;
	uint32_t id;

	return rig_program_create(stalled->self->fd, stalled->page, rondo_program_bytes(head), &id);
}

static void *call(void *ctx)
{
	struct stalled *stalled = ctx;

	stalled->ret = stalled->call(stalled);
	return NULL;
}

static void make_page(struct __test_metadata *_metadata, struct stalled *stalled)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	stalled->page = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
			4096;
	range.range = (struct uffdio_range){ (uintptr_t)stalled->page, 4096 };
	stalled->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	ASSERT_LE(0, stalled->uffd);
	ASSERT_EQ(0, ioctl(stalled->uffd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(stalled->uffd, UFFDIO_REGISTER, &range));
}

/* Unbinds the driver while @stalled->call stands in the middle. */
static void unbind_during(struct __test_metadata *_metadata, struct stalled *stalled)
{
	struct uffdio_copy copy = { .src = (uintptr_t)stalled->content, .len = 4096 };
	struct uffd_msg fault;
	pthread_t thread;

	copy.dst = (uintptr_t)stalled->page;
	ASSERT_EQ(0, pthread_create(&thread, NULL, call, stalled));
	ASSERT_EQ((ssize_t)sizeof(fault), read(stalled->uffd, &fault, sizeof(fault)));
	EXPECT_EQ(0, rig_driver_unbind());
	ASSERT_EQ(0, ioctl(stalled->uffd, UFFDIO_COPY, &copy));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ENODEV, stalled->ret);
	close(stalled->uffd);
	munmap(stalled->page - 4096, 8192);
	EXPECT_EQ(0, rig_driver_bind());
}

/* One slot has been bound, and is so no more, when the other comes. */
TEST_F(lifetime, unbind_during_binding_create)
{
	struct stalled stalled = { self, call_bind };
	struct drm_rondo_slot_binding in = { .handle = self->copy.in_bo };
	struct drm_rondo_slot_binding out = { .handle = self->copy.out_bo };

	make_page(_metadata, &stalled);
	memcpy(stalled.page - sizeof(in), &in, sizeof(in));
	memcpy(stalled.content, &out, sizeof(out));
	unbind_during(_metadata, &stalled);
}

TEST_F(lifetime, unbind_during_program_create)
{
	struct rig_program program = rig_program_copy(64, 0, 0);
	struct stalled stalled = { self, call_create };

	ASSERT_GE(sizeof(stalled.content), program.size);
	make_page(_metadata, &stalled);
	memcpy(stalled.content, program.data, program.size);
	free(program.data);
	unbind_during(_metadata, &stalled);
}

TEST_F(lifetime, unbind_during_reset)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_silent);

	hold_copy(_metadata, self);
	rig_expect("rondo .*resetting the device: the firmware's heartbeat has stopped");
	rig_fault(RIG_FAULT_fw_silent, 1);
	/* Hit a second time, it stands in the boot of the reset. */
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits + 1));
	/* It does not wait until the boot has failed, which would be logged. */
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(-ENODEV, rig_result(self->fd, self->copy.sync));
	rig_faults_clear();
	EXPECT_EQ(0, rig_driver_bind());
}

/* After the driver is gone, and the last file is closed. */
TEST_F(lifetime, read_sync_file_after_driver)
{
	struct sync_file_info info = {};
	struct sync_fence_info fence = {};
	int sync_file;

	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	sync_file = rig_sync_file(self->fd, self->copy.sync);
	EXPECT_TRUE(rig_sync_file_wait(sync_file));
	munmap(self->copy.in, 4096);
	munmap(self->copy.out, 4096);
	close(self->fd);
	EXPECT_EQ(0, rig_driver_unbind());

	info.num_fences = 1;
	info.sync_fence_info = (uintptr_t)&fence;
	EXPECT_EQ(0, rig_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(1, info.status);
	/* A newer kernel asks the driver no more once the fence has signalled. */
	if (strcmp(fence.driver_name, "detached-driver")) {
		EXPECT_STREQ("rondo", fence.driver_name);
		EXPECT_STREQ("replay", fence.obj_name);
	}
	/* The module has to stay for the fence. */
	EXPECT_EQ(-EWOULDBLOCK, rig_module_unload());
	close(sync_file);
	EXPECT_TRUE(rig_module_unload_soon());

	EXPECT_EQ(0, rig_module_load());
	self->fd = rig_open();
}

/* Nothing answers any more: everything fails, nothing hangs, and unbinding is clean. */
TEST_F(lifetime, vanish)
{
	hold_copy(_metadata, self);
	rig_expect("rondo .*resetting the device: the device has vanished");
	rig_expect("rondo .*the device is dead: -ENODEV");
	rig_fault(RIG_FAULT_vanish, 1);
	EXPECT_EQ(-ENODEV, rig_result(self->fd, self->copy.sync));
	expect_lost(_metadata, self, -ENODEV, -ENODEV, 0);
	EXPECT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_vanish, 0);
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_driver_bind());
}

/* The firmware falls silent under a job, for ever. */
static void lose_firmware(struct __test_metadata *_metadata, FIXTURE_DATA(lifetime) * self)
{
	hold_copy(_metadata, self);
	rig_expect("rondo .*resetting the device: the firmware's heartbeat has stopped");
	rig_expect("rondo .*firmware rondo/rondo.fw does not answer");
	rig_expect("rondo .*the device is dead: -ETIMEDOUT");
	rig_fault(RIG_FAULT_fw_silent, 1);
	EXPECT_EQ(-EIO, rig_result(self->fd, self->copy.sync));
}

/* A firmware that does not come back leaves a dead device, until it is bound again. */
TEST_F(lifetime, dead_after_failed_reset)
{
	lose_firmware(_metadata, self);
	expect_lost(_metadata, self, -EIO, 0, 0);
	rig_faults_clear();
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(0, rig_driver_bind());
}

/* Events of the kernel, as udev hears them. */
static int open_uevents(void)
{
	const struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	const struct timeval limit = { .tv_sec = RIG_WAIT_S };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return bind(fd, (const struct sockaddr *)&all, sizeof(all)) ? -1 : fd;
}

/* Waits for the next word of how to recover, and compares it. */
static bool told(int uevents, const char *method)
{
	char event[4096];
	ssize_t size, i;

	while ((size = recv(uevents, event, sizeof(event) - 1, 0)) > 0) {
		event[size] = 0;
		for (i = 0; i < size; i += strlen(event + i) + 1)
			if (!strncmp(event + i, "WEDGED=", 7))
				return !strcmp(event + i + 7, method);
	}
	return false;
}

/* Services hear of a reset, and what may help after none did. */
TEST_F(lifetime, wedged_event)
{
	int uevents = open_uevents();

	ASSERT_LE(0, uevents);
	rig_expect("rondo .*resetting the device: asked for in debugfs");
	EXPECT_EQ(0, rig_write(rig_debugfs_path("reset"), "1"));
	EXPECT_TRUE(told(uevents, "none"));

	lose_firmware(_metadata, self);
	EXPECT_TRUE(told(uevents, "rebind,bus-reset"));
	rig_faults_clear();
	EXPECT_EQ(0, rig_pci_reset());
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	close(uevents);
}

/* A reset by the bus revives it, with everything that it knew. */
TEST_F(lifetime, reset_of_a_dead_device)
{
	lose_firmware(_metadata, self);
	rig_faults_clear();
	EXPECT_EQ(0, rig_pci_reset());
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

/* How many things hold the module: files, objects, jobs, fences. */
static int holders(void)
{
	int n = -1;
	FILE *f = fopen("/sys/module/rondo/refcnt", "r");

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static bool as_many_holders(void *before)
{
	return holders() == *(int *)before;
}

/*
 * What is closed while the bus resets the device is released with all its jobs. The bus waits for
 * 100 ms; when exactly this closes is of chance.
 */
TEST_F(lifetime, close_during_a_bus_reset)
{
	enum { JOBS = 8, ROUNDS = 5, EACH_US = 15000 };
	int before = holders(), i, j, status;

	for (i = 1; i <= ROUNDS; i++) {
		int fd = rig_open();
		uint32_t program = make_program(fd, rig_program_spin(50000000));
		uint32_t binding = make_binding(fd, program, NULL, 0), queue = make_queue(fd);
		pid_t child;

		for (j = 0; j < JOBS; j++)
			ASSERT_EQ(0, rig_submit(fd, queue, binding, 0, 0));
		child = fork();
		if (!child) {
			close(fd);
			_exit(-rig_pci_reset());
		}
		usleep(i * EACH_US);
		close(fd);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, WEXITSTATUS(status));
	}
	EXPECT_TRUE(rig_until(as_many_holders, &before));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

/* Firmware that is not there or not right: one line says so, and there is no node. */
struct image {
	uint8_t *data;
	size_t size;
};

static struct image read_image(void)
{
	struct image image = { .data = malloc(RONDO_TCM_BYTES) };
	int fd = open(FIRMWARE, O_RDONLY);

	image.size = read(fd, image.data, RONDO_TCM_BYTES);
	close(fd);
	return image;
}

static void write_image(struct image image)
{
	int fd = open(FIRMWARE, O_WRONLY | O_TRUNC | O_CREAT, 0644);

	if (write(fd, image.data, image.size) != (ssize_t)image.size)
		abort();
	close(fd);
}

static void set_crc(struct image image)
{
	struct rondo_fw_image *head = (struct rondo_fw_image *)image.data;
	uint32_t crc = ~0u;
	size_t i;
	int bit;

	head->crc = 0;
	for (i = 0; i < image.size; i++) {
		crc ^= image.data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	head->crc = ~crc;
}

static void expect_refusal(struct __test_metadata *_metadata, const char *reason, int error)
{
	rig_expect(reason);
	rig_expect("rondo .*probe with driver rondo failed with error");
	EXPECT_EQ(error, rig_driver_bind());
	EXPECT_EQ(-ENOENT, rig_open());
}

TEST_F(lifetime, bad_firmware)
{
	struct image good = read_image(), bad = read_image();
	struct rondo_fw_image *head = (struct rondo_fw_image *)bad.data;

	ASSERT_LT(sizeof(*head), good.size);
	close(self->fd);
	ASSERT_EQ(0, rig_driver_unbind());

	unlink(FIRMWARE);
	expect_refusal(_metadata, "rondo .*cannot load firmware rondo/rondo.fw", -ENOENT);

	bad.size = good.size - 4;
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw is refused: it is truncated", -EINVAL);
	bad.size = sizeof(*head) - 1;
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw is refused: its size", -EINVAL);
	bad.size = good.size;

	bad.data[bad.size - 1] ^= 1;
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw is refused: its checksum", -EINVAL);
	bad.data[bad.size - 1] ^= 1;

	head->magic ^= 1;
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw is refused: it is not a firmware image", -EINVAL);
	head->magic ^= 1;

	head->version += 1 << 16;
	set_crc(bad);
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw is refused: .*major version", -EINVAL);
	head->version -= 1 << 16;

	/* All right but its code: the core takes a trap. */
	memset(bad.data, 0, 4);
	memset(bad.data + sizeof(*head), 0, bad.size - sizeof(*head));
	set_crc(bad);
	write_image(bad);
	expect_refusal(_metadata, "rondo/rondo.fw does not boot: boot error 3", -EIO);

	write_image(good);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

/* A device whose registers are another version's is left alone. */
TEST_F(lifetime, other_registers)
{
	close(self->fd);
	ASSERT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_version, 2);
	rig_expect("rondo .*register interface 2 is not supported, only 1");
	EXPECT_EQ(-ENODEV, rig_driver_bind());
	EXPECT_EQ(-ENOENT, rig_open());
	rig_fault(RIG_FAULT_version, 0);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
	EXPECT_LE(0, self->fd);
}

/* The version that counts is the one that the firmware says when it runs. */
TEST_F(lifetime, other_firmware)
{
	close(self->fd);
	ASSERT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_fw_version, (RONDO_FW_MAJOR + 1) << 16 | 3);
	expect_refusal(_metadata, "firmware rondo/rondo.fw speaks version 2.3, the driver 1.",
		       -EINVAL);
	rig_fault(RIG_FAULT_fw_version, 0);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

/* The result of a program whose copy in the device adds at another address. */
static int run_flipped(struct __test_metadata *_metadata, FIXTURE_DATA(lifetime) * self)
{
	uint32_t bo = make_bo(self->fd, 4096, NULL), binding;

	rig_fault(RIG_FAULT_seq_flip_program, 7);
	binding = make_binding(self->fd, make_program(self->fd, rig_program_increment()), &bo, 1);
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, self->copy.sync));
	return rig_result(self->fd, self->copy.sync);
}

/* Firmware of each older minor version works, and is not told what it does not know. */
TEST_F(lifetime, older_firmware)
{
	struct drm_rondo_device_info info = {};
	struct drm_rondo_query query = { .data = (uintptr_t)&info, .size = sizeof(info) };
	struct drm_rondo_fence_times times;
	uint32_t minor, version;

	close(self->fd);
	for (minor = 0; minor < RONDO_FW_MINOR; minor++) {
		version = RONDO_FW_MAJOR << 16 | minor;
		ASSERT_EQ(0, rig_driver_unbind());
		rig_fault(RIG_FAULT_fw_version, version);
		ASSERT_EQ(0, rig_driver_bind());
		self->fd = rig_open();
		EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query));
		EXPECT_EQ(version, info.fw_version);
		self->copy = make_copy(self->fd);
		EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
		times = (struct drm_rondo_fence_times){
			.queue = self->copy.queue,
			.fd = rig_sync_file(self->fd, self->copy.sync),
		};
		EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_FENCE_TIMES, &times));
		EXPECT_EQ(minor >= RONDO_FW_MINOR_STARTED, times.started != 0);
		EXPECT_LT(0, times.ended);
		close(times.fd);
		/* Without a signature nobody sees it. */
		if (minor >= RONDO_FW_MINOR_SIGNATURE)
			rig_expect("rondo .*a replay failed: it left the control path");
		EXPECT_EQ(minor < RONDO_FW_MINOR_SIGNATURE ? 0 : -EIO,
			  run_flipped(_metadata, self));
		close(self->fd);
	}
	ASSERT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_fw_version, 0);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

TEST_F(lifetime, firmware_dead_at_boot)
{
	close(self->fd);
	ASSERT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_fw_silent, 1);
	expect_refusal(_metadata, "firmware rondo/rondo.fw does not answer", -ETIMEDOUT);
	rig_fault(RIG_FAULT_fw_silent, 0);
	EXPECT_EQ(0, rig_driver_bind());
	self->fd = rig_open();
}

TEST_HARNESS_MAIN
