// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * No fence signals before the device has stopped for it. A replay counts and writes each count by
 * DMA; what ends its fence differs. A write after the fence has signalled is a failure: one that
 * the device itself has counted, or one that is seen in memory, if the CPU sees the same memory.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum {
	TRIPS = 20000000, /* many seconds, if nothing ends it */
	LOOKS = 200000, /* after the fence and whatever ended it */
};

FIXTURE(stopped)
{
	int fd, fence; /* @fence: a sync_file of the replay */
	uint32_t queue;
	volatile uint32_t *word; /* a mapping that outlives @fd */
};

/* Whose memory the replay writes. */
FIXTURE_VARIANT(stopped)
{
	bool imported;
};

FIXTURE_VARIANT_ADD(stopped, own){
	.imported = false,
};

FIXTURE_VARIANT_ADD(stopped, imported){
	.imported = true,
};

/* A dma-buf of another driver. */
static int foreign_buffer(int vgem)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 1, .bpp = 32 };
	int dmabuf = -1;

	if (!rig_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		drmPrimeHandleToFD(vgem, dumb.handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf);
	return dmabuf;
}

/* A buffer of the variant's kind in @fd; returns its dma-buf. */
static int make_buffer(int fd, int vgem, uint32_t *handle)
{
	int dmabuf = -1;

	if (vgem >= 0) {
		dmabuf = foreign_buffer(vgem);
		return drmPrimeFDToHandle(fd, dmabuf, handle) ? -1 : dmabuf;
	}
	*handle = make_bo(fd, 4096, NULL);
	drmPrimeHandleToFD(fd, *handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf);
	return dmabuf;
}

/* Starts the replay and waits until it has written. */
FIXTURE_SETUP(stopped)
{
	uint32_t bo, unused, binding, sync, writes;
	int dmabuf, vgem = -1;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	if (variant->imported && (vgem = rig_vgem_open()) < 0)
		SKIP(return, "no vgem");
	rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	close(make_buffer(self->fd, vgem, &unused)); /* which no binding holds */
	dmabuf = make_buffer(self->fd, vgem, &bo);
	ASSERT_LE(0, dmabuf);
	self->word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->word);
	close(dmabuf);
	close(vgem);
	binding = make_binding(self->fd, make_program(self->fd, rig_program_count(TRIPS)), &bo, 1);
	self->queue = make_queue(self->fd);
	sync = make_syncobj(self->fd);
	writes = rig_fault_hits(RIG_FAULT_seq_writes);
	ASSERT_EQ(0, rig_submit(self->fd, self->queue, binding, 0, sync));
	self->fence = rig_sync_file(self->fd, sync);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_writes, writes));
	ASSERT_EQ(0, rig_sync_file_status(self->fence));
}

FIXTURE_TEARDOWN(stopped)
{
	rig_faults_clear();
	close(self->fence);
	munmap((void *)self->word, 4096);
	close(self->fd);
	EXPECT_EQ(0, rig_new_file_works());
}

/* What another thread does that ends the replay. */
struct ending {
	FIXTURE_DATA(stopped) * self;
	int (*act)(FIXTURE_DATA(stopped) * self);
	int ret;
	atomic_bool done;
};

static void *act(void *ctx)
{
	struct ending *ending = ctx;

	ending->ret = ending->act(ending->self);
	ending->done = true;
	return NULL;
}

/* Waits for the fence and then until the ending is done: the writes after the fence. */
static uint32_t writes_after_fence(FIXTURE_DATA(stopped) * self, struct ending *ending)
{
	uint32_t looks = 0, seen = 0, counted, last;

	while (!rig_sync_file_status(self->fence))
		;
	last = *self->word;
	counted = rig_fault_hits(RIG_FAULT_seq_writes);
	while (!ending->done || looks++ < LOOKS) {
		uint32_t now = *self->word;

		seen += now != last;
		last = now;
	}
	return seen + rig_fault_hits(RIG_FAULT_seq_writes) - counted;
}

/* @how ends the replay with @error; @meanwhile, if not NULL, is done while it does. */
static void end_replay(struct __test_metadata *_metadata, FIXTURE_DATA(stopped) * self,
		       int (*how)(FIXTURE_DATA(stopped) * self),
		       void (*meanwhile)(FIXTURE_DATA(stopped) * self), int error)
{
	struct ending ending = { self, how };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, act, &ending));
	if (meanwhile)
		meanwhile(self);
	EXPECT_EQ(0, writes_after_fence(self, &ending));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, ending.ret);
	EXPECT_EQ(error, rig_sync_file_status(self->fence));
}

static int unbind(FIXTURE_DATA(stopped) * self)
{
	(void)self;
	return rig_driver_unbind();
}

TEST_F(stopped, unbind)
{
	end_replay(_metadata, self, unbind, NULL, -ENODEV);
	EXPECT_EQ(0, rig_driver_bind());
}

/* The file is closed as soon as the driver says that the device is gone. */
static void close_when_gone(FIXTURE_DATA(stopped) * self)
{
	struct drm_rondo_query query = {};

	while (!rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query))
		;
	close(self->fd);
	self->fd = -1;
}

TEST_F(stopped, close_during_unbind)
{
	end_replay(_metadata, self, unbind, close_when_gone, -ENODEV);
	EXPECT_EQ(0, rig_driver_bind());
}

static int destroy(FIXTURE_DATA(stopped) * self)
{
	struct drm_rondo_queue_destroy args = { .id = self->queue };

	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &args);
}

TEST_F(stopped, destroy)
{
	end_replay(_metadata, self, destroy, NULL, -ECANCELED);
}

/* The process that holds the file dies. */
static int kill_holder(FIXTURE_DATA(stopped) * self)
{
	pid_t holder = fork();
	int status;

	if (!holder)
		for (;;)
			pause();
	close(self->fd);
	self->fd = -1;
	kill(holder, SIGKILL);
	return waitpid(holder, &status, 0) == holder ? 0 : -errno;
}

TEST_F(stopped, kill)
{
	end_replay(_metadata, self, kill_holder, NULL, -ECANCELED);
}

/* Lets the firmware go on when it has been silent twice: the second time in the boot of the reset.
 */
static void *end_silence(void *hits)
{
	if (rig_fault_wait(RIG_FAULT_fw_silent, *(uint32_t *)hits + 1))
		rig_faults_clear();
	return NULL;
}

/* The firmware does not answer that it has aborted the replay. */
TEST_F(stopped, destroy_with_silent_firmware)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_silent);
	pthread_t waker;

	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits));
	rig_expect("rondo .*resetting the device: the firmware's heartbeat has stopped");
	ASSERT_EQ(0, pthread_create(&waker, NULL, end_silence, &hits));
	end_replay(_metadata, self, destroy, NULL, -ECANCELED);
	pthread_join(waker, NULL);
}

/* And the device does not obey a reset: its way to memory is cut off. */
TEST_F(stopped, destroy_without_reset)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_fw_silent);

	rig_expect("rondo .*resetting the device: the firmware's heartbeat has stopped");
	rig_expect("rondo .*the device is dead: -ETIMEDOUT");
	rig_fault(RIG_FAULT_reset_ignore, 1);
	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits));
	end_replay(_metadata, self, destroy, NULL, -EIO);
	rig_faults_clear();
	EXPECT_EQ(0, rig_driver_unbind());
	EXPECT_EQ(0, rig_driver_bind());
}

TEST_F(stopped, unbind_without_reset)
{
	rig_fault(RIG_FAULT_reset_ignore, 1);
	end_replay(_metadata, self, unbind, NULL, -ENODEV);
	rig_faults_clear();
	EXPECT_EQ(0, rig_driver_bind());
}

/* Whether the device may reach memory by itself, by its configuration space. */
static bool is_bus_master(void)
{
	uint16_t command = 0;
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s/config", rig_pci_path());
	fd = open(name, O_RDONLY);
	if (pread(fd, &command, sizeof(command), 4) != sizeof(command))
		command = 0xffff;
	close(fd);
	return command & 4;
}

/* A device that was stopped so gets its way to memory back when it has obeyed, and not before. */
TEST_F(stopped, bind_without_reset)
{
	uint32_t masters = 0;
	pid_t child;
	int status;

	rig_fault(RIG_FAULT_reset_ignore, 1);
	end_replay(_metadata, self, unbind, NULL, -ENODEV);
	rig_expect("rondo .*the device does not obey reset: -ETIMEDOUT");
	rig_expect("rondo .*probe with driver rondo failed with error -110");
	child = fork();
	if (!child)
		_exit(-rig_driver_bind());
	while (!waitpid(child, &status, WNOHANG))
		masters += is_bus_master();
	EXPECT_EQ(0, masters);
	EXPECT_NE(0, WEXITSTATUS(status));
	rig_faults_clear();
	EXPECT_EQ(0, rig_driver_bind());
	EXPECT_TRUE(is_bus_master());
}

/* It stands still between two writes, is aborted, and goes on. */
static int stand_still(FIXTURE_DATA(stopped) * self)
{
	rig_fault(RIG_FAULT_seq_hold, 3);
	rig_sync_file_wait(self->fence);
	rig_fault(RIG_FAULT_seq_hold, 0);
	return 0;
}

TEST_F(stopped, stand_still)
{
	rig_expect("rondo .*a replay failed: the device stood still");
	end_replay(_metadata, self, stand_still, NULL, -ETIME);
}

static int vanish(FIXTURE_DATA(stopped) * self)
{
	(void)self;
	rig_fault(RIG_FAULT_vanish, 1);
	return 0;
}

TEST_F(stopped, vanish)
{
	rig_expect("rondo .*resetting the device: the device has vanished");
	rig_expect("rondo .*the device is dead: -ENODEV");
	end_replay(_metadata, self, vanish, NULL, -ENODEV);
	EXPECT_EQ(0, rig_driver_unbind());
	rig_fault(RIG_FAULT_vanish, 0);
	EXPECT_EQ(0, rig_driver_bind());
}

TEST_HARNESS_MAIN
