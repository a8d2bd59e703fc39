// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every way into the driver, with the n-th allocation or copy from or to the user failing in it,
 * for all n: the call fails cleanly or succeeds, and afterwards all is as it was. Runs on a kernel
 * with fault injection; what a failure leaves behind is seen by the kernel's own checks.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum { POINTS_MAX = 5000 }; /* of one call; more is a call that never gets through */

FIXTURE(sweep)
{
	int fd;
	struct rig_copy copy;
	struct rig_program program;
	char node[64]; /* the device's */
	int nth; /* the file fail-nth */
};

static void set(const char *attr, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", attr, name);
	rig_write(path, value); /* not all kernels have all of them */
}

static const char *const attrs[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

/* Only what the driver does may fail, and what is called by it. With false all may again. */
static void only_the_driver(bool only)
{
	unsigned long start = 0, size = ~0ul;
	char line[256], text[32];
	FILE *f = fopen("/proc/modules", "r");
	size_t i;

	while (only && f && fgets(line, sizeof(line), f))
		if (sscanf(line, "rondo %lu %*s %*s %*s %lx", &size, &start) == 2)
			break;
	if (f)
		fclose(f);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(text, sizeof(text), "0x%lx", start);
		set(attrs[i], "require-start", text);
		snprintf(text, sizeof(text), "0x%lx", start + size);
		set(attrs[i], "require-end", text);
	}
}

FIXTURE_SETUP(sweep)
{
	char name[64];
	size_t i;

	if (access("/proc/thread-self/fail-nth", W_OK))
		SKIP(return, "the kernel injects no faults");
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		set(attrs[i], "ignore-gfp-wait", "N");
		set(attrs[i], "ignore-gfp-highmem", "N");
		set(attrs[i], "min-order", "0");
		set(attrs[i], "verbose", "0");
	}
	ASSERT_TRUE(rig_faults_present()); /* which finds the device in sysfs */
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", self->fd);
	ASSERT_LT(0, readlink(name, self->node, sizeof(self->node) - 1));
	/* No page of ours is missing when allocations fail. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	self->copy = make_copy(self->fd);
	self->program = rig_program_copy(RIG_COPY_WORDS * 4, 0, 0);
}

FIXTURE_TEARDOWN(sweep)
{
	free(self->program.data);
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	close(self->fd);
	close(self->nth);
	EXPECT_EQ(0, rig_new_file_works());
}

/*
 * The n-th thing that can fail in this thread from now on does; 0: nothing more. To say so may be
 * what fails.
 */
static void fail_nth(int nth, unsigned int n)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(nth, text, size, 0) != size)
		;
}

/* What is left of it: 0 if it has failed. If to ask has failed instead, it had not. */
static unsigned int left(int nth)
{
	char text[16] = "";

	return pread(nth, text, sizeof(text) - 1, 0) > 0 ? strtoul(text, NULL, 10) : 1;
}

/*
 * Does @call with its first failure, its second and so on, and @undo after each that has succeeded
 * all the same. The errors that are expected are those of memory and of copying; ENOSPC is what
 * shmem says if it gets no inode.
 */
static void sweep(struct __test_metadata *_metadata, FIXTURE_DATA(sweep) * self, const char *name,
		  int (*call)(FIXTURE_DATA(sweep) * self), void (*undo)(FIXTURE_DATA(sweep) * self))
{
	unsigned int n, rest = 0;
	int nth = self->nth, ret;

	for (n = 1; n < POINTS_MAX && !rest; n++) {
		fail_nth(nth, n);
		ret = call(self);
		rest = left(nth);
		fail_nth(nth, 0);
		EXPECT_TRUE(ret == 0 ||
			    (!rest && (ret == -ENOMEM || ret == -EFAULT || ret == -ENOSPC)))
		{
			TH_LOG("%s, failure %u: %d", name, n, ret);
		}
		if (!ret && undo)
			undo(self);
	}
	EXPECT_NE(0, rest);
	printf("# sweep_points %s %u\n", name, n - 2);
	fflush(stdout);
}

#define SWEEP(name, undo)                                           \
	TEST_F(sweep, name)                                         \
	{                                                           \
		sweep(_metadata, self, #name, call_##name, (undo)); \
	}

static int call_open(FIXTURE_DATA(sweep) * self)
{
	int fd = open(self->node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
SWEEP(open, NULL)

static struct drm_rondo_bo_create bo;

static int call_bo_create(FIXTURE_DATA(sweep) * self)
{
	bo = (struct drm_rondo_bo_create){ .size = 3 * 4096 };
	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_CREATE, &bo);
}

static void close_bo(FIXTURE_DATA(sweep) * self)
{
	drmCloseBufferHandle(self->fd, bo.handle);
}
SWEEP(bo_create, close_bo)

static uint32_t made;

static int call_program_create(FIXTURE_DATA(sweep) * self)
{
	return rig_program_create(self->fd, self->program.data, self->program.size, &made);
}

static void destroy_program(FIXTURE_DATA(sweep) * self)
{
	struct drm_rondo_program_destroy args = { .id = made };

	rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &args);
}
SWEEP(program_create, destroy_program)

static int call_binding_create(FIXTURE_DATA(sweep) * self)
{
	uint32_t bos[] = { self->copy.in_bo, self->copy.out_bo };

	return rig_bind(self->fd, self->copy.program, bos, 2, &made);
}

static void destroy_binding(FIXTURE_DATA(sweep) * self)
{
	struct drm_rondo_binding_destroy args = { .id = made };

	rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_DESTROY, &args);
}
SWEEP(binding_create, destroy_binding)

/* With buffers that no binding has mapped before. */
static int call_first_binding_create(FIXTURE_DATA(sweep) * self)
{
	int ret = call_bo_create(self);

	if (ret)
		return ret;
	ret = rig_bind(self->fd, self->copy.program, (uint32_t[]){ bo.handle, self->copy.out_bo },
		       2, &made);
	close_bo(self);
	return ret;
}
SWEEP(first_binding_create, destroy_binding)

static int call_queue_create(FIXTURE_DATA(sweep) * self)
{
	struct drm_rondo_queue_create args = { .weight = 1 };
	int ret = rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args);

	made = args.id;
	return ret;
}

static void destroy_queue(FIXTURE_DATA(sweep) * self)
{
	struct drm_rondo_queue_destroy args = { .id = made };

	rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &args);
}

TEST_F(sweep, queue_create)
{
	rig_expect("drm_sched_init: Failed to setup GPU scheduler--out of memory");
	sweep(_metadata, self, "queue_create", call_queue_create, destroy_queue);
}

static int call_submit(FIXTURE_DATA(sweep) * self)
{
	return rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync);
}

static void wait_submit(FIXTURE_DATA(sweep) * self)
{
	rig_wait(self->fd, self->copy.sync, RIG_WAIT_S);
}
SWEEP(submit, wait_submit)

/* Behind the one before it. */
static int call_submit_behind(FIXTURE_DATA(sweep) * self)
{
	return rig_submit(self->fd, self->copy.queue, self->copy.binding, self->copy.sync,
			  self->copy.sync);
}

TEST_F(sweep, submit_behind)
{
	ASSERT_EQ(0, call_submit(self));
	sweep(_metadata, self, "submit_behind", call_submit_behind, wait_submit);
}

static int call_query(FIXTURE_DATA(sweep) * self)
{
	struct drm_rondo_device_info info;
	struct drm_rondo_query args = {
		.type = DRM_RONDO_QUERY_DEVICE,
		.data = (uintptr_t)&info,
		.size = sizeof(info),
	};

	return rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUERY, &args);
}
SWEEP(query, NULL)

static int call_export(FIXTURE_DATA(sweep) * self)
{
	int dmabuf, ret = call_bo_create(self);

	if (ret)
		return ret;
	ret = drmPrimeHandleToFD(self->fd, bo.handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf) ? -errno : 0;
	close_bo(self);
	if (!ret)
		close(dmabuf);
	return ret;
}
SWEEP(export, NULL)

/* What undoes things does not fail; only that is swept here. */
static int call_destroy(FIXTURE_DATA(sweep) * self)
{
	unsigned int n = left(self->nth);
	int ret;

	fail_nth(self->nth, 0);
	ret = call_queue_create(self);
	fail_nth(self->nth, n);
	if (!ret)
		destroy_queue(self);
	return ret;
}
SWEEP(destroy, NULL)

/* A reset of the function, which the driver goes through with the device. */
static int call_reset(FIXTURE_DATA(sweep) * self)
{
	(void)self;
	return rig_pci_reset();
}
SWEEP(reset, NULL)

/* The driver, which nobody uses meanwhile, so that the device's number stays. */

static void leave(FIXTURE_DATA(sweep) * self)
{
	munmap(self->copy.in, 4096);
	munmap(self->copy.out, 4096);
	close(self->fd);
}

static void come_back(FIXTURE_DATA(sweep) * self)
{
	self->fd = rig_open();
	self->copy = make_copy(self->fd);
}

static int call_unbind(FIXTURE_DATA(sweep) * self)
{
	(void)self;
	return rig_driver_unbind();
}

static void bind(FIXTURE_DATA(sweep) * self)
{
	(void)self;
	rig_driver_bind();
}

TEST_F(sweep, remove)
{
	leave(self);
	sweep(_metadata, self, "remove", call_unbind, bind);
	come_back(self);
}

/* With a job that the device has done, and to the stage at which all devices sleep. */
static int call_suspend(FIXTURE_DATA(sweep) * self)
{
	(void)self;
	return rig_suspend("devices");
}

TEST_F(sweep, suspend)
{
	struct drm_rondo_bo_create bo = { .size = 4096 };

	/* All in this thread, whose failures are counted. */
	ASSERT_EQ(0, rig_write("/sys/power/pm_async", "0"));
	only_the_driver(true);
	fail_nth(self->nth, 1); /* of that, what fails first is to look at the argument */
	EXPECT_EQ(-EFAULT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_CREATE, &bo));
	fail_nth(self->nth, 0);
	sweep(_metadata, self, "suspend", call_suspend, NULL);
	only_the_driver(false);
}

TEST_HARNESS_MAIN
