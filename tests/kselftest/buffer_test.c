// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffers of others: dma-bufs of this driver, of udmabuf, of a heap and of vgem; which of them may
 * be written; and whom the memory of buffers is charged to.
 */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum { BYTES = 4096, MIB = 1 << 20 };

FIXTURE(buffer)
{
	int fd;
	struct rig_copy copy;
};

FIXTURE_SETUP(buffer)
{
	if (rig_faults_present())
		rig_faults_clear();
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
}

FIXTURE_TEARDOWN(buffer)
{
	if (rig_faults_present())
		rig_faults_clear();
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	close(self->fd);
}

/* The handle of @dmabuf, or -errno. */
static int import(int fd, int dmabuf)
{
	uint32_t handle;

	return drmPrimeFDToHandle(fd, dmabuf, &handle) ? -errno : (int)handle;
}

/* Binds the copy to @in and @out: 0, or -errno of slot *@slot. */
static int bind_copy(FIXTURE_DATA(buffer) * self, uint32_t in, uint32_t out, uint32_t *binding,
		     uint32_t *slot)
{
	struct drm_rondo_slot_binding slots[2] = { { .handle = in }, { .handle = out } };
	struct drm_rondo_binding_create args = {
		.program = self->copy.program,
		.slots = (uintptr_t)slots,
		.slot_count = 2,
		.slot_stride = sizeof(slots[0]),
	};
	int ret = rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &args);

	*binding = args.id;
	*slot = args.error_slot;
	return ret;
}

/* Copies from @in, mapped at @from, to @out, mapped at @to. */
static void expect_copy(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) * self, uint32_t in,
			volatile uint32_t *from, uint32_t out, volatile uint32_t *to)
{
	static uint32_t value = 1000;
	uint32_t binding, slot;

	from[3] = ++value;
	ASSERT_EQ(0, bind_copy(self, in, out, &binding, &slot));
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, self->copy.sync));
	ASSERT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(value, to[3]);
}

/* One that must not be written can be read, and nothing else, by no way. */
static void expect_readonly(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) * self,
			    int dmabuf)
{
	struct drm_rondo_bo_mmap_offset offset = {};
	uint32_t binding, slot;
	int handle = import(self->fd, dmabuf), again;
	void *map;

	ASSERT_LT(0, handle);
	EXPECT_EQ(0, bind_copy(self, handle, self->copy.out_bo, &binding, &slot));
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, self->copy.sync));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(-EACCES, bind_copy(self, self->copy.in_bo, handle, &binding, &slot));
	EXPECT_EQ(1, slot);

	offset.handle = handle;
	ASSERT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &offset));
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, offset.offset);
	EXPECT_EQ(MAP_FAILED, map);
	map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, self->fd, offset.offset);
	if (map != MAP_FAILED) {
		EXPECT_NE(0, mprotect(map, BYTES, PROT_READ | PROT_WRITE));
		munmap(map, BYTES);
	}
	/* Exported again it is what it was. */
	ASSERT_EQ(0, drmPrimeHandleToFD(self->fd, handle, DRM_CLOEXEC | DRM_RDWR, &again));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0));
	close(again);
}

/* Another file's buffer, which it has given away to be read. */
TEST_F(buffer, given_to_read)
{
	int other = rig_open(), dmabuf;
	uint32_t *words, handle = make_bo(other, BYTES, (void **)&words);

	ASSERT_EQ(0, drmPrimeHandleToFD(other, handle, DRM_CLOEXEC, &dmabuf));
	words[1] = 55;
	expect_readonly(_metadata, self, dmabuf);
	EXPECT_EQ(55, self->copy.out[1]);
	words[1] = 56;
	EXPECT_EQ(55, self->copy.out[1]);
	close(dmabuf);
	close(other);
}

static int heap_buffer(struct __test_metadata *_metadata, int flags)
{
	struct dma_heap_allocation_data args = { .len = BYTES, .fd_flags = flags | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);

	if (heap < 0)
		return -1;
	EXPECT_EQ(0, ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args));
	close(heap);
	return args.fd;
}

TEST_F(buffer, heap_to_read)
{
	int dmabuf = heap_buffer(_metadata, O_RDONLY);
	bool traced;

	if (dmabuf < 0)
		SKIP(return, "no dma-heap");
	traced = rig_trace("dma/dma_map_sg");
	expect_readonly(_metadata, self, dmabuf);
	if (traced)
		EXPECT_LE(1, rig_traced(" dir=TO_DEVICE "));
	close(dmabuf);
}

TEST_F(buffer, heap)
{
	int in = heap_buffer(_metadata, O_RDWR), out = heap_buffer(_metadata, O_RDWR);
	void *from, *to;

	if (in < 0)
		SKIP(return, "no dma-heap");
	from = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, in, 0);
	to = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
	ASSERT_NE(MAP_FAILED, from);
	ASSERT_NE(MAP_FAILED, to);
	expect_copy(_metadata, self, import(self->fd, in), from, import(self->fd, out), to);
	close(in);
	close(out);
}

static int destroy_binding(int fd, uint32_t id)
{
	struct drm_rondo_binding_destroy args = { .id = id };

	return rig_ioctl(fd, DRM_IOCTL_RONDO_BINDING_DESTROY, &args);
}

static bool is_unmapped(void *unused)
{
	(void)unused;
	return rig_traced(" dma_unmap_sg: ");
}

/*
 * The exporter's memory is the device's from the first binding to the last; that of a heap, since
 * other exporters keep mappings.
 */
TEST_F(buffer, mapped_while_bound)
{
	uint32_t binding[2], slot;
	int dmabuf = heap_buffer(_metadata, O_RDWR), in;

	if (!rig_trace("dma/dma_unmap_sg") || !rig_trace("dma/dma_map_sg"))
		SKIP(return, "the kernel does not trace DMA");
	if (dmabuf < 0)
		SKIP(return, "no dma-heap");
	in = import(self->fd, dmabuf);
	ASSERT_LT(0, in);
	EXPECT_EQ(0, rig_traced(" dma_map_sg: "));
	ASSERT_EQ(0, bind_copy(self, in, self->copy.out_bo, &binding[0], &slot));
	ASSERT_EQ(0, bind_copy(self, in, self->copy.out_bo, &binding[1], &slot));
	EXPECT_EQ(1, rig_traced(" dma_map_sg: "));
	ASSERT_EQ(0, destroy_binding(self->fd, binding[0]));
	/* Whatever is late of that has happened when a replay of the other has ended. */
	ASSERT_EQ(0, rig_submit(self->fd, self->copy.queue, binding[1], 0, self->copy.sync));
	ASSERT_EQ(0, rig_result(self->fd, self->copy.sync));
	EXPECT_EQ(0, rig_traced(" dma_unmap_sg: "));
	ASSERT_EQ(0, destroy_binding(self->fd, binding[1]));
	EXPECT_TRUE(rig_until(is_unmapped, NULL));

	/* And again. */
	ASSERT_EQ(0, bind_copy(self, in, self->copy.out_bo, &binding[0], &slot));
	EXPECT_EQ(2, rig_traced(" dma_map_sg: "));
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding[0], 0, self->copy.sync));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	close(dmabuf);
}

static int make_memfd(struct __test_metadata *_metadata, void **map)
{
	int memfd = memfd_create("buffer", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, BYTES));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	*map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, *map);
	return memfd;
}

/* A dma-buf of the memory of @memfd, or -1. */
static int udmabuf(int memfd)
{
	struct udmabuf_create args = { .memfd = memfd, .size = BYTES };
	int fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), dmabuf;

	if (fd < 0)
		return -1;
	dmabuf = ioctl(fd, UDMABUF_CREATE, &args);
	close(fd);
	return dmabuf;
}

TEST_F(buffer, udmabuf)
{
	void *from, *to;
	int in = udmabuf(make_memfd(_metadata, &from)), out = udmabuf(make_memfd(_metadata, &to));

	if (in < 0 || out < 0)
		SKIP(return, "no udmabuf");
	expect_copy(_metadata, self, import(self->fd, in), from, import(self->fd, out), to);
	close(in);
	close(out);
}

/* How a replay ends that copies from @in to @out while the firmware crashes. */
static int crash_during(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) * self, uint32_t in,
			uint32_t out)
{
	uint32_t binding, slot, hits = rig_fault_hits(RIG_FAULT_seq_work);
	int ret;

	EXPECT_EQ(0, bind_copy(self, in, out, &binding, &slot));
	rig_fault(RIG_FAULT_seq_work, 1);
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, self->copy.sync));
	EXPECT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	rig_expect("rondo .*resetting the device: the firmware has stopped");
	rig_fault(RIG_FAULT_fw_crash, 1);
	rig_fault(RIG_FAULT_seq_work, 0);
	ret = rig_result(self->fd, self->copy.sync);
	return ret;
}

/* Two dma-bufs of one memory: what copies from one to the other must not be repeated. */
TEST_F(buffer, two_of_one_memory)
{
	int one, two, memfd;
	void *map;

	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	memfd = make_memfd(_metadata, &map);
	one = udmabuf(memfd);
	two = udmabuf(memfd);
	if (one < 0 || two < 0)
		SKIP(return, "no udmabuf");
	one = import(self->fd, one);
	two = import(self->fd, two);
	EXPECT_EQ(-EIO, crash_during(_metadata, self, one, two));
	EXPECT_EQ(0, crash_during(_metadata, self, one, self->copy.out_bo));
}

TEST_F(buffer, vgem)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 1, .bpp = 32 };
	struct drm_mode_map_dumb offset = {};
	int vgem, dmabuf;
	void *to;

	vgem = rig_vgem_open();
	if (vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, rig_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	offset.handle = dumb.handle;
	ASSERT_EQ(0, rig_ioctl(vgem, DRM_IOCTL_MODE_MAP_DUMB, &offset));
	to = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vgem, offset.offset);
	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(0, drmPrimeHandleToFD(vgem, dumb.handle, DRM_CLOEXEC | DRM_RDWR, &dmabuf));
	expect_copy(_metadata, self, self->copy.in_bo, self->copy.in, import(self->fd, dmabuf), to);
	close(dmabuf);
	close(vgem);
}

/* The memory cgroup. */

#define CGROUP "/sys/fs/cgroup/rondo"

static long cgroup_read(const char *name)
{
	char path[128], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), CGROUP "/%s", name);
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		return -1;
	fclose(f);
	return atol(text);
}

static bool cgroup_empty(void *unused)
{
	(void)unused;
	return cgroup_read("memory.current") < MIB;
}

/* What @charge makes in a cgroup of 64 MiB is charged to that, and no more when it is gone. */
static void expect_charge(struct __test_metadata *_metadata, void (*charge)(int fd), long bytes)
{
	long before, after;
	int ready[2], go[2];
	char c;
	pid_t pid;

	mkdir("/sys/fs/cgroup", 0755);
	mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	if (rig_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	    (mkdir(CGROUP, 0755) && errno != EEXIST))
		SKIP(return, "no memory cgroup");
	ASSERT_EQ(0, rig_write(CGROUP "/memory.max", "67108864"));
	ASSERT_EQ(0, pipe(ready) | pipe(go));
	pid = fork();
	if (!pid) {
		int fd = rig_open();

		if (rig_write(CGROUP "/cgroup.procs", "0") || fd < 0)
			_exit(1);
		(void)!write(ready[1], "", 1);
		(void)!read(go[0], &c, 1);
		charge(fd);
		(void)!write(ready[1], "", 1);
		(void)!read(go[0], &c, 1);
		_exit(0);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	before = cgroup_read("memory.current");
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(1, read(ready[0], &c, 1));
	after = cgroup_read("memory.current");
	EXPECT_LE(bytes, after - before)
	{
		TH_LOG("%ld bytes before, %ld after", before, after);
	}
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(rig_until(cgroup_empty, NULL));
	rmdir(CGROUP);
}

static void charge_buffer(int fd)
{
	uint32_t bo = make_bo(fd, 32 * MIB, NULL);

	make_binding(fd, make_program(fd, rig_program_increment()), &bo, 1);
}

static void charge_programs(int fd)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		make_program(fd, rig_program_tables(0, 0, 0, MIB / 64));
}

static void charge_queues(int fd)
{
	uint32_t i, most = rig_info(fd).queues_max;

	for (i = 0; i < most; i++)
		make_queue(fd);
}

TEST_F(buffer, cgroup_buffer)
{
	expect_charge(_metadata, charge_buffer, 32 * MIB);
}

TEST_F(buffer, cgroup_programs)
{
	expect_charge(_metadata, charge_programs, 4 * MIB);
}

TEST_F(buffer, cgroup_queues)
{
	expect_charge(_metadata, charge_queues, 16 * 1024 * 64);
}

TEST_HARNESS_MAIN
