// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Query, buffers, programs, bindings, queues: what each call gives, what it refuses, and
 * its limits, exactly and one over.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <xf86drm.h>

#include "spec/device.h"
#include "tests/kselftest/harness.h"
#include "tests/kselftest/reject.h"
#include "tests/kselftest/rig.h"

FIXTURE(object)
{
	int fd;
	struct drm_rondo_device_info info;
};

FIXTURE_SETUP(object)
{
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->info = rig_info(self->fd);
}

FIXTURE_TEARDOWN(object)
{
	close(self->fd);
}

/* Query */

static int query(int fd, uint32_t type, void *data, uint32_t *size)
{
	struct drm_rondo_query args = { .type = type, .data = (uintptr_t)data, .size = *size };
	int ret = rig_ioctl(fd, DRM_IOCTL_RONDO_QUERY, &args);

	*size = args.size;
	return ret;
}

TEST_F(object, query_device)
{
	struct drm_rondo_device_info info = {};
	struct rondo_machine machine, edge;
	uint32_t size = sizeof(info);

	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_DEVICE, &info, &size));
	EXPECT_EQ(sizeof(info), size);
	EXPECT_EQ(RONDO_SLOT_BYTES_MAX, info.bo_size_max);
	EXPECT_EQ(RONDO_CYCLES_MAX, info.cycles_max);
	EXPECT_EQ(RONDO_BUNDLES_MAX, info.bundles_max);
	EXPECT_EQ(RONDO_PROGRAM_SLOTS_MAX, info.slots_max);
	EXPECT_EQ(RONDO_ENTRIES_MAX, info.entries_max);
	EXPECT_EQ(RONDO_DESCS_MAX, info.descs_max);
	EXPECT_EQ(1024, info.replays_max);
	EXPECT_EQ(64, info.syncs_max);
	EXPECT_EQ(16, info.faults_max);
	EXPECT_EQ(64, info.programs_max);
	EXPECT_EQ(256, info.bindings_max);
	EXPECT_EQ(16, info.queues_max);
	EXPECT_EQ(RONDO_REPLAY_OFFSETS_MAX, info.offsets_max);
	EXPECT_EQ(1, info.fw_version >> 16);

	size = sizeof(machine);
	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_MACHINE, &machine, &size));
	EXPECT_EQ(sizeof(machine), size);
	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	EXPECT_EQ(0, memcmp(&machine, &edge, sizeof(machine)));
	EXPECT_EQ(rondo_machine_hash(&machine), info.machine_hash);
	EXPECT_EQ(machine.clock_khz, info.clock_khz);
}

TEST_F(object, query_cycles_of_the_unprivileged)
{
	struct drm_rondo_device_info info = {};
	uint32_t size = sizeof(info);

	ASSERT_EQ(0, setuid(1000));
	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_DEVICE, &info, &size));
	EXPECT_EQ(RONDO_CYCLES_DEFAULT, info.cycles_max);
}

TEST_F(object, query_sizes)
{
	uint8_t data[128];
	uint32_t size = 0;

	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_DEVICE, NULL, &size));
	EXPECT_EQ(sizeof(struct drm_rondo_device_info), size);

	memset(data, 0xa5, sizeof(data));
	size = 12;
	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_DEVICE, data, &size));
	EXPECT_EQ(12, size);
	EXPECT_EQ(0xa5, data[12]);

	size = sizeof(data);
	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_DEVICE, data, &size));
	EXPECT_EQ(sizeof(struct drm_rondo_device_info), size);
	EXPECT_EQ(0xa5, data[size]);

	EXPECT_EQ(-EINVAL, query(self->fd, DRM_RONDO_QUERY_CLOCK + 1, data, &size));
	size = 8;
	EXPECT_EQ(-EFAULT, query(self->fd, DRM_RONDO_QUERY_DEVICE, (void *)8, &size));
}

TEST_F(object, query_clock)
{
	struct drm_rondo_clock_info a, b;
	uint32_t size = sizeof(a);
	double before = rig_now();

	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_CLOCK, &a, &size));
	EXPECT_EQ(0, query(self->fd, DRM_RONDO_QUERY_CLOCK, &b, &size));
	EXPECT_LE(before, a.monotonic_ns * 1e-9);
	EXPECT_GE(rig_now(), b.monotonic_ns * 1e-9);
	EXPECT_LE(a.device_cycles, b.device_cycles);
	EXPECT_LT(a.monotonic_ns, b.monotonic_ns);
}

/* Buffers */

static int bo_create(int fd, uint64_t size, uint64_t *rounded)
{
	struct drm_rondo_bo_create args = { .size = size };
	int ret = rig_ioctl(fd, DRM_IOCTL_RONDO_BO_CREATE, &args);

	*rounded = args.size;
	return ret ? ret : (int)args.handle;
}

TEST_F(object, bo_sizes)
{
	struct drm_rondo_bo_create args = { .size = 4096 };
	const struct reject rows[] = {
		REJECT(drm_rondo_bo_create, size, 0, -EINVAL),
		REJECT(drm_rondo_bo_create, size, self->info.bo_size_max + 1, -EINVAL),
		REJECT(drm_rondo_bo_create, size, UINT64_MAX, -EINVAL),
		REJECT(drm_rondo_bo_create, flags, DRM_RONDO_BO_PRIVATE << 1, -EINVAL),
		REJECT(drm_rondo_bo_create, flags, 1u << 31, -EINVAL),
	};
	uint64_t size;

	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_BO_CREATE, args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_BO_CREATE, args);
	EXPECT_LT(0, bo_create(self->fd, 1, &size));
	EXPECT_EQ(4096, size);
	EXPECT_LT(0, bo_create(self->fd, 4097, &size));
	EXPECT_EQ(8192, size);
	EXPECT_LT(0, bo_create(self->fd, self->info.bo_size_max, &size));
	EXPECT_EQ(self->info.bo_size_max, size);
}

TEST_F(object, bo_mmap)
{
	static const struct reject rows[] = {
		REJECT(drm_rondo_bo_mmap_offset, handle, 0, -ENOENT),
		REJECT(drm_rondo_bo_mmap_offset, handle, 77, -ENOENT),
		REJECT(drm_rondo_bo_mmap_offset, pad, 1, -EINVAL),
	};
	struct drm_rondo_bo_mmap_offset args = {};
	uint32_t *map;
	int other, i;

	args.handle = make_bo(self->fd, 4096, (void **)&map);
	for (i = 0; i < 1024; i++)
		EXPECT_EQ(0, map[i]);
	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, args);

	/* Neither the handle nor the offset is of any use in another file. */
	other = rig_open();
	EXPECT_EQ(-ENOENT, rig_ioctl(other, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &args));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &args));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, other, (off_t)args.offset));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, 8192, PROT_READ, MAP_SHARED, self->fd, (off_t)args.offset));
	close(other);

	/* The mapping outlives the handle. */
	map[5] = 7;
	EXPECT_EQ(0, drmCloseBufferHandle(self->fd, args.handle));
	EXPECT_EQ(7, map[5]);
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &args));
}

TEST_F(object, bo_shared)
{
	struct rig_copy copy = make_copy(self->fd);
	uint32_t handle, binding;
	int dmabuf, other = rig_open();
	struct rig_copy theirs = make_copy(other);

	ASSERT_EQ(0, drmPrimeHandleToFD(self->fd, copy.in_bo, DRM_CLOEXEC | DRM_RDWR, &dmabuf));
	ASSERT_EQ(0, drmPrimeFDToHandle(other, dmabuf, &handle));
	copy.in[0] = 0x1234;
	binding = make_binding(other, theirs.program, (uint32_t[]){ handle, theirs.out_bo }, 2);
	EXPECT_EQ(0, rig_submit(other, theirs.queue, binding, 0, theirs.sync));
	EXPECT_EQ(0, rig_result(other, theirs.sync));
	EXPECT_EQ(0x1234, theirs.out[0]);
	close(dmabuf);
	close(other);
}

/* Programs */

static struct drm_rondo_program_create program_args(struct rig_program p)
{
	return (struct drm_rondo_program_create){ .data = (uintptr_t)p.data, .size = p.size };
}

TEST_F(object, program_fields)
{
	struct rig_program p = rig_program_copy(256, 0, 0);
	struct drm_rondo_program_create args = program_args(p);
	struct drm_rondo_program_destroy destroy = {};
	static const struct reject rows[] = {
		REJECT(drm_rondo_program_create, flags, 1, -EINVAL),
		REJECT(drm_rondo_program_create, data, 8, -EFAULT),
		REJECT(drm_rondo_program_create, data, UINT64_MAX - 8, -EFAULT),
		REJECT(drm_rondo_program_create, size, 0, -EINVAL),
		REJECT(drm_rondo_program_create, size, RONDO_PROGRAM_BYTES_MAX + 1, -E2BIG),
		REJECT(drm_rondo_program_create, size, UINT64_MAX, -E2BIG),
		REJECT(drm_rondo_program_create, budget, 1, -EINVAL),
	};
	static const struct reject destroy_rows[] = {
		REJECT(drm_rondo_program_destroy, id, 0, -ENOENT),
		REJECT(drm_rondo_program_destroy, id, 65, -ENOENT),
		REJECT(drm_rondo_program_destroy, id, UINT32_MAX, -ENOENT),
		REJECT(drm_rondo_program_destroy, pad, 1, -EINVAL),
	};

	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, args);
	args.data = (uintptr_t)at_page_end(p.data, p.size);
	args.cleared = 1;
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, &args));
	EXPECT_EQ(((struct rondo_program_header *)p.data)->cycles, args.cycles);
	EXPECT_EQ(0, args.cleared);

	destroy.id = args.id;
	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, destroy, destroy_rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, destroy);
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &destroy));
	free(p.data);
}

/* The error of a refusal, or 0. */
static int refusal(int fd, const void *data, uint64_t size, uint64_t budget)
{
	struct drm_rondo_program_create args = { .data = (uintptr_t)data,
						 .size = size,
						 .budget = budget };
	struct drm_rondo_program_destroy destroy = {};
	int ret = rig_ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, &args);

	if (ret)
		return ret == -EINVAL && args.error ? (int)args.error : ret;
	destroy.id = args.id;
	return rig_ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &destroy);
}

TEST_F(object, program_budget)
{
	struct rig_program p = rig_program_spin(1000);
	uint64_t cycles = ((struct rondo_program_header *)p.data)->cycles;

	EXPECT_EQ(0, refusal(self->fd, p.data, p.size, cycles));
	EXPECT_EQ(RONDO_ERR_BUDGET, refusal(self->fd, p.data, p.size, cycles - 1));
	free(p.data);
}

/* The limits of device time: exactly, and one over; each for the privileged and for others. */
static void expect_cycle_limit(struct __test_metadata *_metadata, int fd, uint64_t limit)
{
	struct rig_program at = rig_program_of_cycles(limit),
			   over = rig_program_of_cycles(limit + 1);

	ASSERT_EQ(limit, ((struct rondo_program_header *)at.data)->cycles);
	EXPECT_EQ(0, refusal(fd, at.data, at.size, 0));
	EXPECT_EQ(0, refusal(fd, at.data, at.size, UINT64_MAX));
	EXPECT_EQ(RONDO_ERR_BUDGET, refusal(fd, over.data, over.size, 0));
	EXPECT_EQ(RONDO_ERR_BUDGET, refusal(fd, over.data, over.size, UINT64_MAX));
	free(at.data);
	free(over.data);
}

TEST_F(object, program_cycles_privileged)
{
	expect_cycle_limit(_metadata, self->fd, RONDO_CYCLES_MAX);
}

TEST_F(object, program_cycles_unprivileged)
{
	ASSERT_EQ(0, setuid(1000));
	expect_cycle_limit(_metadata, self->fd, RONDO_CYCLES_DEFAULT);
}

TEST_F(object, program_wrong_machine)
{
	struct rig_program p = rig_program_copy(256, 0, 0);

	((struct rondo_program_header *)p.data)->machine_hash ^= 1;
	EXPECT_EQ(RONDO_ERR_MACHINE, refusal(self->fd, p.data, p.size, 0));
	free(p.data);
}

TEST_F(object, program_truncated)
{
	struct rig_program p = rig_program_copy(256, 0, 0);
	uint64_t size;

	for (size = 0; size < p.size; size += 4)
		EXPECT_EQ(RONDO_ERR_SIZE, refusal(self->fd, p.data, size, 0));
	EXPECT_EQ(0, refusal(self->fd, p.data, p.size, 0));
	free(p.data);
}

/* Each bit in turn: refused with a reason, or still a program. */
TEST_F(object, program_flipped_bits)
{
	struct rig_program p = rig_program_copy(256, RONDO_SLOT_DYNAMIC, 0);
	uint8_t *bytes = p.data;
	unsigned int refused = 0;
	uint64_t bit;
	int ret;

	for (bit = 0; bit < p.size * 8; bit += 3) {
		bytes[bit / 8] ^= 1 << bit % 8;
		ret = refusal(self->fd, p.data, p.size, 0);
		EXPECT_LE(0, ret) TH_LOG("bit %llu", (unsigned long long)bit);
		refused += ret > 0;
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	EXPECT_LT(p.size * 8 / 3 * 3 / 4, refused);
	EXPECT_EQ(0, refusal(self->fd, p.data, p.size, 0));
	free(p.data);
}

/* Every table at its limit is a program; with one more it is none. */
TEST_F(object, program_limits)
{
	static const struct {
		uint32_t slots, entries, descs, bundles;
		int error;
	} rows[] = {
		{ RONDO_PROGRAM_SLOTS_MAX, RONDO_ENTRIES_MAX, RONDO_DESCS_MAX, 1, 0 },
		{ RONDO_PROGRAM_SLOTS_MAX + 1, 0, 0, 1, RONDO_ERR_COUNT },
		{ 1, RONDO_ENTRIES_MAX + 1, 0, 1, RONDO_ERR_COUNT },
		{ 1, 0, RONDO_DESCS_MAX + 1, 1, RONDO_ERR_COUNT },
		{ 0, 0, 0, 0, RONDO_ERR_COUNT },
	};
	struct rig_program p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		p = rig_program_tables(rows[i].slots, rows[i].entries, rows[i].descs,
				       rows[i].bundles);
		EXPECT_EQ(rows[i].error, refusal(self->fd, p.data, p.size, 0)) TH_LOG("row %zu", i);
		free(p.data);
	}
}

TEST_F(object, program_bundles)
{
	struct rig_program p = rig_program_tables(0, 0, 0, RONDO_BUNDLES_MAX);

	EXPECT_EQ(0, refusal(self->fd, p.data, p.size, 0));
	free(p.data);
	p = rig_program_tables(0, 0, 0, RONDO_BUNDLES_MAX + 1);
	EXPECT_EQ(RONDO_ERR_COUNT, refusal(self->fd, p.data, p.size, 0));
	free(p.data);
}

TEST_F(object, program_count)
{
	struct rig_program p = rig_program_copy(64, 0, 0);
	struct drm_rondo_program_destroy destroy = { .id = 1 };
	uint32_t id, i;

	for (i = 0; i < self->info.programs_max; i++)
		EXPECT_EQ(0, rig_program_create(self->fd, p.data, p.size, &id));
	EXPECT_EQ(-ENOSPC, rig_program_create(self->fd, p.data, p.size, &id));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &destroy));
	EXPECT_EQ(0, rig_program_create(self->fd, p.data, p.size, &id));
	free(p.data);
}

/* A file's programs are its own. */
TEST_F(object, program_of_another_file)
{
	int other = rig_open();
	uint32_t id = make_program(other, rig_program_spin(1)), binding;

	EXPECT_EQ(-ENOENT, rig_bind(self->fd, id, NULL, 0, &binding));
	EXPECT_EQ(0, rig_bind(other, id, NULL, 0, &binding));
	close(other);
}

/* A program cannot be reached as data: its number is no handle. */
TEST_F(object, program_is_no_data)
{
	uint32_t id = make_program(self->fd, rig_program_copy(64, 0, 0)), binding;
	struct drm_rondo_bo_mmap_offset map = { .handle = id };
	int fd;

	EXPECT_EQ(-ENOENT, rig_bind(self->fd, id, (uint32_t[]){ id, id }, 2, &binding));
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &map));
	EXPECT_NE(0, drmPrimeHandleToFD(self->fd, id, DRM_CLOEXEC, &fd));
}

/*
 * A program whose pages come one by one, each when the kernel first reads it; then the page before
 * is made nonsense. Whoever reads the program a second time finds that.
 */
struct pages {
	int uffd;
	char *at;
	const char *data;
	uint64_t count;
};

static void *give_pages(void *arg)
{
	struct pages *pages = arg;
	struct uffd_msg msg;

	while (read(pages->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		uint64_t page = (msg.arg.pagefault.address - (uintptr_t)pages->at) / 4096;
		struct uffdio_copy copy = {
			.dst = (uintptr_t)pages->at + page * 4096,
			.src = (uintptr_t)pages->data + page * 4096,
			.len = 4096,
		};

		if (page)
			memset(pages->at + (page - 1) * 4096, 0xff, 4096);
		ioctl(pages->uffd, UFFDIO_COPY, &copy);
		if (page == pages->count - 1)
			break;
	}
	return NULL;
}

TEST_F(object, program_is_read_once)
{
	struct rig_program p = rig_program_copy(256, 0, 200);
	struct pages pages = { .count = (p.size + 4095) / 4096 };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct rig_copy copy = make_copy(self->fd);
	uint32_t bos[] = { copy.in_bo, copy.out_bo };
	pthread_t thread;
	char *data;

	pages.uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (pages.uffd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ioctl(pages.uffd, UFFDIO_API, &api));
	pages.at = mmap(NULL, pages.count * 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)pages.at;
	range.range.len = pages.count * 4096;
	ASSERT_EQ(0, ioctl(pages.uffd, UFFDIO_REGISTER, &range));
	data = calloc(pages.count, 4096);
	memcpy(data, p.data, p.size);
	pages.data = data;
	ASSERT_LE(3, pages.count);
	ASSERT_EQ(0, pthread_create(&thread, NULL, give_pages, &pages));

	EXPECT_EQ(0, rig_program_create(self->fd, pages.at, p.size, &copy.program));
	pthread_join(thread, NULL);
	EXPECT_EQ((char)0xff, pages.at[0]);
	copy.binding = make_binding(self->fd, copy.program, bos, 2);
	EXPECT_EQ(0, rig_copy_run(self->fd, &copy));
	close(pages.uffd);
	free(data);
	free(p.data);
}

/* Bindings */

FIXTURE(binding)
{
	int fd;
	uint32_t program, bo;
	struct drm_rondo_slot_binding slot[2];
	struct drm_rondo_binding_create args;
};

FIXTURE_SETUP(binding)
{
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->program = make_program(self->fd, rig_program_copy(2048, 0, 0));
	self->bo = make_bo(self->fd, 4096, NULL);
	self->slot[0].handle = self->bo;
	self->slot[1].handle = self->bo;
	self->slot[1].offset = 2048;
	self->args = (struct drm_rondo_binding_create){
		.program = self->program,
		.slots = (uintptr_t)self->slot,
		.slot_count = 2,
		.slot_stride = sizeof(self->slot[0]),
	};
}

FIXTURE_TEARDOWN(binding)
{
	close(self->fd);
}

TEST_F(binding, fields)
{
	static const struct reject rows[] = {
		REJECT(drm_rondo_binding_create, program, 0, -ENOENT),
		REJECT(drm_rondo_binding_create, program, 2, -ENOENT),
		REJECT(drm_rondo_binding_create, flags, 1, -EINVAL),
		REJECT(drm_rondo_binding_create, slots, 8, -EFAULT),
		REJECT(drm_rondo_binding_create, slot_count, 0, -EINVAL),
		REJECT(drm_rondo_binding_create, slot_count, 1, -EINVAL),
		REJECT(drm_rondo_binding_create, slot_count, 3, -EINVAL),
		REJECT(drm_rondo_binding_create, slot_count, UINT32_MAX, -EINVAL),
		REJECT(drm_rondo_binding_create, slot_stride, 0, -EINVAL),
	};
	static const struct reject destroy_rows[] = {
		REJECT(drm_rondo_binding_destroy, id, 0, -ENOENT),
		REJECT(drm_rondo_binding_destroy, id, 200, -ENOENT),
		REJECT(drm_rondo_binding_destroy, pad, 1, -EINVAL),
	};
	struct drm_rondo_binding_destroy destroy = {};

	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, self->args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, self->args);
	self->args.slots = (uintptr_t)at_page_end(self->slot, sizeof(self->slot));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
	destroy.id = self->args.id;
	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_BINDING_DESTROY, destroy, destroy_rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_BINDING_DESTROY, destroy);
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_DESTROY, &destroy));
}

/* Binds with @wrong as slot @i. */
static int bind_with(FIXTURE_DATA(binding) * self, uint32_t i, struct drm_rondo_slot_binding wrong)
{
	struct drm_rondo_slot_binding right = self->slot[i];
	int ret;

	self->slot[i] = wrong;
	self->args.error_slot = ~0u;
	ret = rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args);
	self->slot[i] = right;
	return ret;
}

TEST_F(binding, slots)
{
	uint32_t bo = self->bo, program;
	struct drm_rondo_slot_binding slot = { .handle = bo, .offset = 2048 };

	EXPECT_EQ(-EINVAL,
		  bind_with(self, 0, (struct drm_rondo_slot_binding){ .handle = bo, .pad = 1 }));
	EXPECT_EQ(-EINVAL,
		  bind_with(self, 0, (struct drm_rondo_slot_binding){ .handle = bo, .offset = 4 }));
	EXPECT_EQ(-ENOENT, bind_with(self, 1, (struct drm_rondo_slot_binding){ .handle = 99 }));
	EXPECT_EQ(1, self->args.error_slot);
	EXPECT_EQ(-ENOENT, bind_with(self, 1, (struct drm_rondo_slot_binding){}));
	EXPECT_EQ(1, self->args.error_slot);

	/* No slot is to blame that there is no such program. */
	program = self->args.program;
	self->args.program = 99;
	EXPECT_EQ(-ENOENT, bind_with(self, 1, slot));
	EXPECT_EQ(0, self->args.error_slot);
	self->args.program = program;

	/* The end of the buffer: exactly, and one step beyond. */
	EXPECT_EQ(0, bind_with(self, 1, slot));
	EXPECT_EQ(0, self->args.error_slot);
	slot.offset += 64;
	EXPECT_EQ(-ERANGE, bind_with(self, 1, slot));
	EXPECT_EQ(1, self->args.error_slot);
	slot.offset = 4096;
	EXPECT_EQ(-ERANGE, bind_with(self, 1, slot));
	slot.offset = UINT64_MAX & ~63ull;
	EXPECT_EQ(-ERANGE, bind_with(self, 1, slot));

	/* What is written overlaps nothing. */
	slot.offset = 1984;
	EXPECT_EQ(-EBUSY, bind_with(self, 1, slot));
	EXPECT_EQ(1, self->args.error_slot);
	slot.offset = 0;
	EXPECT_EQ(-EBUSY, bind_with(self, 1, slot));
}

/* A slot that the program does not touch needs no buffer; but what is named must be there. */
TEST_F(binding, untouched_slots)
{
	self->args.program = make_program(self->fd, rig_program_tables(2, 0, 0, 1));
	EXPECT_EQ(-ENOENT, bind_with(self, 0, (struct drm_rondo_slot_binding){ .handle = 99 }));
	EXPECT_EQ(0, self->args.error_slot);
	EXPECT_EQ(-ENOENT, bind_with(self, 1, (struct drm_rondo_slot_binding){ .handle = 99 }));
	EXPECT_EQ(1, self->args.error_slot);
	EXPECT_EQ(0, bind_with(self, 1, (struct drm_rondo_slot_binding){}));
}

/* With a moving slot, all that it can reach counts. */
TEST_F(binding, dynamic_overlap)
{
	self->args.program = make_program(self->fd, rig_program_copy(1024, RONDO_SLOT_DYNAMIC, 0));
	EXPECT_EQ(-EBUSY, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
	self->slot[1].handle = make_bo(self->fd, 4096, NULL);
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
}

TEST_F(binding, alias_group)
{
	self->args.program = make_program(self->fd, rig_program_alias());
	self->slot[1].offset = 0;
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
}

TEST_F(binding, count)
{
	uint32_t i;

	for (i = 0; i < rig_info(self->fd).bindings_max; i++)
		EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
	EXPECT_EQ(-ENOSPC, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BINDING_CREATE, &self->args));
}

/* It keeps program and buffers alive. */
TEST_F(binding, outlives_its_parts)
{
	struct rig_copy copy = make_copy(self->fd);
	struct drm_rondo_program_destroy destroy = { .id = copy.program };

	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &destroy));
	EXPECT_EQ(0, drmCloseBufferHandle(self->fd, copy.in_bo));
	EXPECT_EQ(0, drmCloseBufferHandle(self->fd, copy.out_bo));
	EXPECT_EQ(0, rig_copy_run(self->fd, &copy));
}

/* Queues */

TEST_F(object, queue_fields)
{
	struct drm_rondo_queue_create args = { .weight = 1 };
	struct drm_rondo_queue_destroy destroy = {};
	static const struct reject rows[] = {
		REJECT(drm_rondo_queue_create, weight, 1025, -EINVAL),
		REJECT(drm_rondo_queue_create, weight, UINT32_MAX, -EINVAL),
		REJECT(drm_rondo_queue_create, flags, 1, -EINVAL),
		REJECT(drm_rondo_queue_create, pad, 1, -EINVAL),
	};
	static const struct reject destroy_rows[] = {
		REJECT(drm_rondo_queue_destroy, id, 0, -ENOENT),
		REJECT(drm_rondo_queue_destroy, id, 17, -ENOENT),
		REJECT(drm_rondo_queue_destroy, pad, 1, -EINVAL),
	};
	uint32_t i;

	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, args, rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, args);
	args.weight = 1024;
	for (i = 1; i < self->info.queues_max; i++)
		EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	EXPECT_EQ(-ENOSPC, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));

	destroy.id = args.id;
	EXPECT_REJECTED(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, destroy, destroy_rows);
	EXPECT_PAGE_END(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, destroy);
	EXPECT_EQ(-ENOENT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_DESTROY, &destroy));
}

/*
 * The device has fewer of everything than all files together may want, and what a file has is
 * given back when it is closed, or its process dies.
 */

/* How many there can be, in as many files as it takes; 0 if the end is not -ENOSPC. */
static uint32_t fill(int (*one_more)(int fd))
{
	uint32_t i, made = 0;
	int fd[8], ret;

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = rig_open();
		while (!(ret = one_more(fd[i])))
			made++;
		if (ret != -ENOSPC)
			made = 0;
	}
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	return made;
}

static void expect_most(struct __test_metadata *_metadata, int (*one_more)(int fd), uint32_t most)
{
	pid_t pid;
	int fd;

	EXPECT_EQ(most, fill(one_more));
	pid = fork();
	if (!pid) {
		fd = rig_open();
		while (!one_more(fd))
			;
		raise(SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(most, fill(one_more));
}

TEST_F(object, queues_of_the_device)
{
	expect_most(_metadata, rig_one_more_queue, 64);
}

TEST_F(object, programs_of_the_device)
{
	expect_most(_metadata, rig_one_more_program, RONDO_PROGRAMS_MAX);
}

TEST_F(object, bindings_of_the_device)
{
	expect_most(_metadata, rig_one_more_binding, RONDO_BINDINGS_MAX);
}

/* What cannot be returned is not made, however often it is tried. */
TEST_F(object, no_room_for_the_answer)
{
	struct rig_program program = rig_program_copy(64, 0, 0);
	struct drm_rondo_program_create create = { .data = (uintptr_t)program.data,
						   .size = program.size };
	struct drm_rondo_queue_create queue = { .weight = 1 };
	struct drm_rondo_bo_create bo = { .size = 4096 };
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *page = pages + 4096,
	     *across = page - 8; /* a page to be read only; and half of each */
	uint32_t i, id;

	memcpy(across, &create, sizeof(create));
	memcpy(page + 512, &create, sizeof(create));
	memcpy(page + 1024, &queue, sizeof(queue));
	memcpy(page + 2048, &bo, sizeof(bo));
	ASSERT_EQ(0, mprotect(page, 4096, PROT_READ));
	for (i = 0; i < self->info.programs_max; i++)
		EXPECT_EQ(-EFAULT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, page + 512));
	for (i = 0; i < self->info.queues_max; i++)
		EXPECT_EQ(-EFAULT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, page + 1024));
	EXPECT_EQ(-EFAULT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_BO_CREATE, page + 2048));
	EXPECT_EQ(-EFAULT, rig_ioctl(self->fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, across));
	for (i = 0; i < self->info.programs_max; i++)
		EXPECT_EQ(0, rig_program_create(self->fd, program.data, program.size, &id));
	EXPECT_EQ(-ENOSPC, rig_program_create(self->fd, program.data, program.size, &id));
	for (i = 0; i < self->info.queues_max; i++)
		EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue));
	munmap(pages, 8192);
	free(program.data);
}

/* What drm itself offers on this node. */
TEST_F(object, version)
{
	drmVersionPtr version = drmGetVersion(self->fd);

	ASSERT_NE(NULL, version);
	EXPECT_STREQ("rondo", version->name);
	EXPECT_EQ(1, version->version_major);
	drmFreeVersion(version);
}

TEST_HARNESS_MAIN
