// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * No fence signals before the device has stopped for it. A replay counts and writes each count by
 * DMA; what ends its fence differs. A word that changes after the fence has signalled is a failure.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "kselftest_harness.h"

#include "tests/kselftest/rig.h"

enum {
	TRIPS = 20000000, /* many seconds, if nothing ends it */
	LOOKS = 1000000, /* at the word, after the fence and whatever ended it */
};

FIXTURE(stopped)
{
	int fd, fence; /* @fence: a sync_file of the replay */
	uint32_t queue;
	volatile uint32_t *word; /* a mapping that outlives @fd */
};

/* Starts the replay and waits until it has written. */
FIXTURE_SETUP(stopped)
{
	uint32_t bo, binding, sync;
	int dmabuf;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	bo = make_bo(self->fd, 4096, NULL);
	ASSERT_EQ(0, drmPrimeHandleToFD(self->fd, bo, DRM_RDWR | DRM_CLOEXEC, &dmabuf));
	self->word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->word);
	close(dmabuf);
	binding = make_binding(self->fd, make_program(self->fd, rig_program_count(TRIPS)), &bo, 1);
	self->queue = make_queue(self->fd);
	sync = make_syncobj(self->fd);
	ASSERT_EQ(0, rig_submit(self->fd, self->queue, binding, 0, sync));
	self->fence = rig_sync_file(self->fd, sync);
	while (!*self->word && !rig_sync_file_status(self->fence))
		;
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
	int ret;
	atomic_bool done;
};

/* Waits for the fence and then until the ending is done: how often the word changed after the
 * fence. */
static uint32_t writes_after_fence(FIXTURE_DATA(stopped) * self, struct ending *ending)
{
	uint32_t looks = 0, writes = 0, last;

	rig_sync_file_wait(self->fence);
	last = *self->word;
	while (!ending->done || looks++ < LOOKS) {
		uint32_t now = *self->word;

		writes += now != last;
		last = now;
	}
	return writes;
}

static void *unbind(void *ctx)
{
	struct ending *ending = ctx;

	ending->ret = rig_driver_unbind();
	ending->done = true;
	return NULL;
}

/* The file is closed as soon as the driver says that the device is gone. */
TEST_F(stopped, close_during_unbind)
{
	struct drm_rondo_query query = {};
	struct ending ending = { self };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, &ending));
	while (!rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &query))
		;
	close(self->fd);
	EXPECT_EQ(0, writes_after_fence(self, &ending));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, ending.ret);
	EXPECT_GT(0, rig_sync_file_status(self->fence));
	self->fd = -1;
	EXPECT_EQ(0, rig_driver_bind());
}

static void *destroy(void *ctx)
{
	struct ending *ending = ctx;
	struct drm_rondo_queue_destroy args = { .id = ending->self->queue };

	ending->ret = rig_ioctl(ending->self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &args);
	ending->done = true;
	return NULL;
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
	struct ending ending = { self };
	pthread_t destroyer, waker;

	rig_fault(RIG_FAULT_fw_silent, 1);
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_fw_silent, hits));
	rig_expect("rondo .*resetting the device: the firmware's heartbeat has stopped");
	ASSERT_EQ(0, pthread_create(&waker, NULL, end_silence, &hits));
	ASSERT_EQ(0, pthread_create(&destroyer, NULL, destroy, &ending));
	EXPECT_EQ(0, writes_after_fence(self, &ending));
	pthread_join(waker, NULL);
	pthread_join(destroyer, NULL);
	EXPECT_EQ(0, ending.ret);
	EXPECT_EQ(-ECANCELED, rig_sync_file_status(self->fence));
}

/* A foreign buffer stands in the same list: an open file does not keep it mapped. */
TEST_F(stopped, unbind_with_import)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 1, .bpp = 32 };
	uint32_t program, handle;
	int vgem, dmabuf;

	vgem = system("modprobe vgem") ? -1 : open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, rig_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	ASSERT_EQ(0, drmPrimeHandleToFD(vgem, dumb.handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf));
	ASSERT_EQ(0, drmPrimeFDToHandle(self->fd, dmabuf, &handle));
	program = make_program(self->fd, rig_program_count(1));
	make_binding(self->fd, program, &handle, 1);
	EXPECT_EQ(0, rig_driver_unbind());
	close(dmabuf);
	close(vgem);
	EXPECT_EQ(0, rig_driver_bind());
}

TEST_HARNESS_MAIN
