// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every field of every struct of the interface, with every kind of wrong value that it can have.
 * The tables below say what each field is; the tests are made from them. A struct whose fields do
 * not add up to its size fails, so no field is forgotten.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/reject.h"
#include "tests/kselftest/rig.h"

enum { PAGE = 4096, ELEMENTS = 2 };

enum kind {
	FREE, /* any value means something, or it is only returned */
	ZERO, /* every bit must be 0, beside those of @value */
	RANGE, /* 1..@value, or 0..@value of an array that may be empty */
	NAME, /* of something that there is */
	POINTER, /* to an array, or to @value bytes */
};

struct field {
	const char *name;
	uint32_t offset, size;
	enum kind kind;
	uint64_t value;
	int error; /* of a value beyond; of a number that names nothing */
};

#define FIELD(type, field, ...)                                                      \
	{                                                                            \
#field, offsetof(struct drm_rondo_##type, field),                    \
			sizeof(((struct drm_rondo_##type *)0)->field), ##__VA_ARGS__ \
	}

/* An array of @call: where its pointer, count and stride stand, and what an element is. */
struct array {
	uint32_t data, count, stride, element;
	const struct field *fields;
};

#define ARRAY(type, data, count, stride, element, fields)                                          \
	{                                                                                          \
		offsetof(struct drm_rondo_##type, data), offsetof(struct drm_rondo_##type, count), \
			offsetof(struct drm_rondo_##type, stride),                                 \
			sizeof(struct drm_rondo_##element), fields                                 \
	}

static const struct field slot_binding_fields[] = {
	FIELD(slot_binding, handle, NAME, 0, -ENOENT),
	FIELD(slot_binding, pad, ZERO),
	FIELD(slot_binding, offset, FREE),
	{},
};

static const struct field replay_fields[] = {
	FIELD(replay, binding, NAME, 0, -ENOENT),
	FIELD(replay, offset_count, RANGE, 8, -EINVAL),
	FIELD(replay, offsets, FREE), /* of an empty array */
	FIELD(replay, offset_stride, FREE),
	FIELD(replay, pad, ZERO),
	{},
};

static const struct field sync_fields[] = {
	FIELD(sync, handle, NAME, 0, -ENOENT),
	FIELD(sync, flags, ZERO),
	FIELD(sync, point, FREE),
	{},
};

static const struct field query_fields[] = {
	FIELD(query, type, RANGE, DRM_RONDO_QUERY_CLOCK, -EINVAL),
	FIELD(query, size, FREE),
	FIELD(query, data, POINTER, sizeof(struct drm_rondo_device_info)),
	{},
};

static const struct field bo_create_fields[] = {
	FIELD(bo_create, size, RANGE, 1 << 30, -EINVAL),
	FIELD(bo_create, flags, ZERO, DRM_RONDO_BO_PRIVATE),
	FIELD(bo_create, handle, FREE),
	{},
};

static const struct field bo_mmap_offset_fields[] = {
	FIELD(bo_mmap_offset, handle, NAME, 0, -ENOENT),
	FIELD(bo_mmap_offset, pad, ZERO),
	FIELD(bo_mmap_offset, offset, FREE),
	{},
};

static const struct field program_create_fields[] = {
	FIELD(program_create, data, POINTER),
	FIELD(program_create, size, RANGE, RONDO_PROGRAM_BYTES_MAX, -E2BIG),
	FIELD(program_create, budget, FREE),
	FIELD(program_create, flags, ZERO),
	FIELD(program_create, id, FREE),
	FIELD(program_create, cycles, FREE),
	FIELD(program_create, error, FREE),
	FIELD(program_create, error_index, FREE),
	FIELD(program_create, error_slot, FREE),
	FIELD(program_create, cleared, FREE),
	{},
};

static const struct field program_destroy_fields[] = {
	FIELD(program_destroy, id, NAME, 0, -ENOENT),
	FIELD(program_destroy, pad, ZERO),
	{},
};

static const struct field binding_create_fields[] = {
	FIELD(binding_create, program, NAME, 0, -ENOENT),
	FIELD(binding_create, flags, ZERO),
	FIELD(binding_create, slots, POINTER),
	FIELD(binding_create, slot_count, RANGE, ELEMENTS, -EINVAL),
	FIELD(binding_create, slot_stride, FREE), /* strides */
	FIELD(binding_create, error_slot, FREE),
	FIELD(binding_create, id, FREE),
	{},
};

static const struct field binding_destroy_fields[] = {
	FIELD(binding_destroy, id, NAME, 0, -ENOENT),
	FIELD(binding_destroy, pad, ZERO),
	{},
};

static const struct field queue_create_fields[] = {
	FIELD(queue_create, weight, RANGE, 1024, -EINVAL),
	FIELD(queue_create, flags, ZERO),
	FIELD(queue_create, id, FREE),
	FIELD(queue_create, pad, ZERO),
	{},
};

static const struct field queue_destroy_fields[] = {
	FIELD(queue_destroy, id, NAME, 0, -ENOENT),
	FIELD(queue_destroy, pad, ZERO),
	{},
};

static const struct field submit_fields[] = {
	FIELD(submit, queue, NAME, 0, -ENOENT),
	FIELD(submit, flags, ZERO, DRM_RONDO_SUBMIT_EXPLICIT_SYNC | DRM_RONDO_SUBMIT_TIME),
	FIELD(submit, replays, POINTER),
	FIELD(submit, replay_count, RANGE, 1024, -EINVAL),
	FIELD(submit, replay_stride, FREE), /* strides */
	FIELD(submit, in_syncs, POINTER),
	FIELD(submit, out_syncs, POINTER),
	FIELD(submit, in_count, RANGE, 64, -EINVAL),
	FIELD(submit, out_count, RANGE, 64, -EINVAL),
	FIELD(submit, sync_stride, FREE), /* strides */
	FIELD(submit, pad, ZERO),
	FIELD(submit, tag, FREE),
	{},
};

static const struct field queue_fault_fields[] = {
	FIELD(queue_fault, queue, NAME, 0, -ENOENT),
	FIELD(queue_fault, flags, ZERO, DRM_RONDO_FAULT_OF_TAG),
	FIELD(queue_fault, tag, FREE),
	FIELD(queue_fault, result, FREE),
	FIELD(queue_fault, bundle, FREE),
	FIELD(queue_fault, replay, FREE),
	FIELD(queue_fault, pad, ZERO),
	{},
};

static const struct field queue_bound_fields[] = {
	FIELD(queue_bound, queue, NAME, 0, -ENOENT),
	FIELD(queue_bound, pad, ZERO),
	FIELD(queue_bound, cycles, FREE),
	{},
};

static const struct field fence_times_fields[] = {
	FIELD(fence_times, queue, NAME, 0, -ENOENT),
	FIELD(fence_times, fd, NAME, 0, -ENOENT),
	FIELD(fence_times, queued, FREE),
	FIELD(fence_times, started, FREE),
	FIELD(fence_times, ended, FREE),
	FIELD(fence_times, cycles, FREE),
	{},
};

static const struct array binding_arrays[] = {
	ARRAY(binding_create, slots, slot_count, slot_stride, slot_binding, slot_binding_fields),
	{},
};

static const struct array submit_arrays[] = {
	ARRAY(submit, replays, replay_count, replay_stride, replay, replay_fields),
	ARRAY(submit, in_syncs, in_count, sync_stride, sync, sync_fields),
	ARRAY(submit, out_syncs, out_count, sync_stride, sync, sync_fields),
	{},
};

static const struct call {
	const char *name;
	unsigned long request, undo; /* @undo destroys what was made; its id is at @id */
	uint32_t size, id;
	int good; /* what right arguments get */
	const struct field *fields;
	const struct array *arrays;
} calls[] = {
#define CALL(NAME, name) #NAME, DRM_IOCTL_RONDO_##NAME
#define MAKER(NAME, name, UNDO, id)                                           \
#NAME, DRM_IOCTL_RONDO_##NAME, UNDO, sizeof(struct drm_rondo_##name), \
		offsetof(struct drm_rondo_##name, id), 0, name##_fields
#define OTHER(NAME, name, good) \
#NAME, DRM_IOCTL_RONDO_##NAME, 0, sizeof(struct drm_rondo_##name), 0, good, name##_fields
	{ OTHER(QUERY, query, 0) },
	{ MAKER(BO_CREATE, bo_create, DRM_IOCTL_GEM_CLOSE, handle) },
	{ OTHER(BO_MMAP_OFFSET, bo_mmap_offset, 0) },
	{ MAKER(PROGRAM_CREATE, program_create, DRM_IOCTL_RONDO_PROGRAM_DESTROY, id) },
	{ MAKER(BINDING_CREATE, binding_create, DRM_IOCTL_RONDO_BINDING_DESTROY, id),
	  binding_arrays },
	{ MAKER(QUEUE_CREATE, queue_create, DRM_IOCTL_RONDO_QUEUE_DESTROY, id) },
	{ OTHER(SUBMIT, submit, 0), submit_arrays },
	{ OTHER(QUEUE_FAULT, queue_fault, -ENODATA) },
	{ OTHER(QUEUE_BOUND, queue_bound, 0) },
	{ OTHER(FENCE_TIMES, fence_times, 0) },
	/* Wrong in every row; so none is destroyed. */
	{ OTHER(PROGRAM_DESTROY, program_destroy, -ENOENT) },
	{ OTHER(BINDING_DESTROY, binding_destroy, -ENOENT) },
	{ OTHER(QUEUE_DESTROY, queue_destroy, -ENOENT) },
};

enum { CALLS = ARRAY_SIZE(calls) };

FIXTURE(uapi)
{
	int fd;
	struct rig_copy copy;
	struct rig_program program;
	struct drm_rondo_device_info info;
	struct drm_rondo_slot_binding slot[ELEMENTS];
	struct drm_rondo_replay replay;
	struct drm_rondo_sync in, out;
	int fence; /* sync file of a job of the copy's queue that has ended */
	char right[CALLS][128]; /* right arguments of each call */
};

/* Puts @args where the right arguments of @request are kept. */
static void keep(FIXTURE_DATA(uapi) * self, unsigned long request, const void *args)
{
	size_t i;

	for (i = 0; i < CALLS; i++)
		if (calls[i].request == request)
			memcpy(self->right[i], args, calls[i].size);
}

FIXTURE_SETUP(uapi)
{
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
	self->program = rig_program_copy(RIG_COPY_WORDS * 4, 0, 0);
	self->slot[0].handle = self->copy.in_bo;
	self->slot[1].handle = self->copy.out_bo;
	self->replay.binding = self->copy.binding;
	ASSERT_EQ(0, drmSyncobjCreate(self->fd, DRM_SYNCOBJ_CREATE_SIGNALED, &self->in.handle));
	self->out.handle = self->copy.sync;

	keep(self, DRM_IOCTL_RONDO_QUERY,
	     &(struct drm_rondo_query){ .size = sizeof(self->info),
					.data = (uintptr_t)&self->info });
	keep(self, DRM_IOCTL_RONDO_BO_CREATE, &(struct drm_rondo_bo_create){ .size = PAGE });
	keep(self, DRM_IOCTL_RONDO_BO_MMAP_OFFSET,
	     &(struct drm_rondo_bo_mmap_offset){ .handle = self->copy.in_bo });
	keep(self, DRM_IOCTL_RONDO_PROGRAM_CREATE,
	     &(struct drm_rondo_program_create){ .data = (uintptr_t)self->program.data,
						 .size = self->program.size });
	keep(self, DRM_IOCTL_RONDO_BINDING_CREATE,
	     &(struct drm_rondo_binding_create){ .program = self->copy.program,
						 .slots = (uintptr_t)self->slot,
						 .slot_count = ELEMENTS,
						 .slot_stride = sizeof(self->slot[0]) });
	keep(self, DRM_IOCTL_RONDO_QUEUE_CREATE, &(struct drm_rondo_queue_create){ .weight = 1 });
	keep(self, DRM_IOCTL_RONDO_SUBMIT,
	     &(struct drm_rondo_submit){ .queue = self->copy.queue,
					 .replays = (uintptr_t)&self->replay,
					 .replay_count = 1,
					 .replay_stride = sizeof(self->replay),
					 .in_syncs = (uintptr_t)&self->in,
					 .in_count = 1,
					 .out_syncs = (uintptr_t)&self->out,
					 .out_count = 1,
					 .sync_stride = sizeof(self->in) });
	keep(self, DRM_IOCTL_RONDO_QUEUE_FAULT,
	     &(struct drm_rondo_queue_fault){ .queue = self->copy.queue });
	keep(self, DRM_IOCTL_RONDO_QUEUE_BOUND,
	     &(struct drm_rondo_queue_bound){ .queue = self->copy.queue });
	ASSERT_EQ(0, rig_copy_run(self->fd, &self->copy));
	self->fence = rig_sync_file(self->fd, self->copy.sync);
	ASSERT_LE(0, self->fence);
	keep(self, DRM_IOCTL_RONDO_FENCE_TIMES,
	     &(struct drm_rondo_fence_times){ .queue = self->copy.queue, .fd = self->fence });
	keep(self, DRM_IOCTL_RONDO_PROGRAM_DESTROY, &(struct drm_rondo_program_destroy){});
	keep(self, DRM_IOCTL_RONDO_BINDING_DESTROY, &(struct drm_rondo_binding_destroy){});
	keep(self, DRM_IOCTL_RONDO_QUEUE_DESTROY, &(struct drm_rondo_queue_destroy){});
}

/* What was refused has left nothing behind: all that a file may have is still to be had. */
FIXTURE_TEARDOWN(uapi)
{
	const struct drm_rondo_device_info info = rig_info(self->fd);
	uint32_t i, id;

	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	for (i = 1; i < info.programs_max; i++)
		EXPECT_EQ(0, rig_program_create(self->fd, self->program.data, self->program.size,
						&id));
	EXPECT_EQ(-ENOSPC,
		  rig_program_create(self->fd, self->program.data, self->program.size, &id));
	for (i = 1; i < info.queues_max; i++)
		make_queue(self->fd);
	free(self->program.data);
	close(self->fence);
	close(self->fd);
}

/* Makes the call with @args, and undoes what it has made. */
static int call(FIXTURE_DATA(uapi) * self, const struct call *c, void *args)
{
	struct drm_gem_close destroy = {}; /* as long as any, and begins with the id */
	int ret = rig_ioctl(self->fd, c->request, args);

	if (!ret && c->undo) {
		memcpy(&destroy.handle, (char *)args + c->id, sizeof(destroy.handle));
		rig_ioctl(self->fd, c->undo, &destroy);
	}
	return ret;
}

/* Expects @error of call @c if @f of its arguments, or of the element at @element, is @value. */
static void expect(struct __test_metadata *_metadata, FIXTURE_DATA(uapi) * self,
		   const struct call *c, const struct field *f, void *element, uint64_t value,
		   int error)
{
	char args[128], right[8];
	char *at;

	memcpy(args, self->right[c - calls], c->size);
	at = (char *)(element ? element : args) + f->offset;
	memcpy(right, at, f->size);
	memcpy(at, &value, f->size);
	EXPECT_EQ(error, call(self, c, args))
	{
		TH_LOG("%s: %s = %#llx", c->name, f->name, (unsigned long long)value);
	}
	memcpy(at, right, f->size);
}

static void try_field(struct __test_metadata *_metadata, FIXTURE_DATA(uapi) * self,
		      const struct call *c, const struct field *f, void *element)
{
	uint64_t most = f->size == 8 ? UINT64_MAX : UINT32_MAX;
	uint32_t bit;

	switch (f->kind) {
	case FREE:
		break;
	case ZERO:
		for (bit = 0; bit < f->size * 8; bit++)
			if (!(f->value >> bit & 1))
				expect(_metadata, self, c, f, element, 1ull << bit, -EINVAL);
		expect(_metadata, self, c, f, element, most, -EINVAL);
		break;
	case RANGE:
		expect(_metadata, self, c, f, element, f->value + 1, f->error);
		for (bit = 63 - __builtin_clzll(f->value) + 1; bit < f->size * 8; bit++)
			expect(_metadata, self, c, f, element, 1ull << bit | 1, f->error);
		expect(_metadata, self, c, f, element, most, f->error);
		break;
	case NAME:
		expect(_metadata, self, c, f, element, 0, f->error);
		for (bit = 12; bit < 32; bit++)
			expect(_metadata, self, c, f, element, 1u << bit, f->error);
		expect(_metadata, self, c, f, element, UINT32_MAX, f->error);
		break;
	case POINTER:
		expect(_metadata, self, c, f, element, 8, -EFAULT);
		expect(_metadata, self, c, f, element, 1ull << 63, -EFAULT);
		expect(_metadata, self, c, f, element, 0xffff888000000000, -EFAULT);
		expect(_metadata, self, c, f, element, most - 7, -EFAULT);
		break;
	}
}

/* Every field of every call; right arguments pass before and after. */
TEST_F(uapi, fields)
{
	const struct field *f;
	uint32_t size;
	size_t i;

	for (i = 0; i < CALLS; i++) {
		const struct call *c = &calls[i];

		EXPECT_EQ(c->good, call(self, c, memcpy((char[128]){}, self->right[i], c->size)))
		TH_LOG("%s", c->name);
		for (size = 0, f = c->fields; f->size; size += f++->size)
			try_field(_metadata, self, c, f, NULL);
		EXPECT_EQ(c->size, size) TH_LOG("%s has a field that is not tried", c->name);
		EXPECT_EQ(c->good, call(self, c, memcpy((char[128]){}, self->right[i], c->size)))
		TH_LOG("%s", c->name);
	}
}

/* The arguments end with their page, or 4 or 8 bytes behind it. */
TEST_F(uapi, page_end)
{
	size_t i;

	for (i = 0; i < CALLS; i++) {
		char *end = at_page_end(self->right[i], calls[i].size);

		EXPECT_EQ(calls[i].good, call(self, &calls[i], end)) TH_LOG("%s", calls[i].name);
		EXPECT_EQ(-EFAULT, call(self, &calls[i], end + 4)) TH_LOG("%s", calls[i].name);
		EXPECT_EQ(-EFAULT, call(self, &calls[i], end + 8)) TH_LOG("%s", calls[i].name);
	}
}

/* Every array of every call, its elements @stride bytes apart, in pages that end with the last. */
struct spread {
	char args[128];
	char *pages, *element;
};

static struct spread spread(FIXTURE_DATA(uapi) * self, const struct call *c, const struct array *a,
			    uint32_t stride)
{
	size_t bytes = PAGE * (2 * ELEMENTS + 1), step = stride < 2 * PAGE ? stride : 0;
	struct spread s = {};
	uint64_t from;
	uint32_t count, i;

	memcpy(s.args, self->right[c - calls], c->size);
	memcpy(&from, s.args + a->data, sizeof(from));
	memcpy(&count, s.args + a->count, sizeof(count));
	s.pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(s.pages + bytes - PAGE, PAGE, PROT_NONE);
	s.element = s.pages + bytes - PAGE - (step > a->element ? step : a->element) -
		    (count - 1) * step;
	for (i = 0; i < count; i++)
		memcpy(s.element + i * step, (char *)(uintptr_t)from + i * a->element, a->element);
	from = (uintptr_t)s.element;
	memcpy(s.args + a->data, &from, sizeof(from));
	memcpy(s.args + a->stride, &stride, sizeof(stride));
	return s;
}

static void spread_end(struct spread *s)
{
	munmap(s->pages, PAGE * (2 * ELEMENTS + 1));
}

/* The arrays of a call share a stride: what only one of them shall test is left to that alone. */
static void alone(const struct call *c, const struct array *a, void *args)
{
	const struct array *other;

	for (other = c->arrays; other->element; other++)
		if (other != a && other->stride == a->stride)
			memset((char *)args + other->count, 0, sizeof(uint32_t));
}

static void try_stride(struct __test_metadata *_metadata, FIXTURE_DATA(uapi) * self,
		       const struct call *c, const struct array *a, uint32_t stride)
{
	bool good = stride >= a->element && stride <= PAGE && stride % 8 == 0;
	struct spread s = spread(self, c, a, stride);

	alone(c, a, s.args);
	EXPECT_EQ(good ? 0 : -EINVAL, call(self, c, s.args))
	{
		TH_LOG("%s: elements of %u bytes with stride %#x", c->name, a->element, stride);
	}
	if (good && stride > a->element) {
		s.element[stride - 1] = 1;
		EXPECT_EQ(-E2BIG, call(self, c, s.args))
		{
			TH_LOG("%s: the last byte of stride %#x", c->name, stride);
		}
	}
	spread_end(&s);
}

/* Every one where something changes, and in between some of each remainder. */
static uint32_t next_stride(uint32_t stride)
{
	return stride + (stride < 128 || stride > PAGE - 32 ? 1 : 31);
}

TEST_F(uapi, strides)
{
	static const uint32_t large[] = { 0x2000,     0x10000,	  1u << 31,
					  0xfffff000, 0xfffffff8, UINT32_MAX };
	const struct array *a;
	uint32_t stride;
	size_t i, k;

	for (i = 0; i < CALLS; i++) {
		for (a = calls[i].arrays; a && a->element; a++) {
			for (stride = 0; stride < PAGE + 64; stride = next_stride(stride))
				try_stride(_metadata, self, &calls[i], a, stride);
			for (k = 0; k < ARRAY_SIZE(large); k++)
				try_stride(_metadata, self, &calls[i], a, large[k]);
		}
	}
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

/* The address of an empty array is not looked at. */
TEST_F(uapi, empty_arrays)
{
	struct drm_rondo_submit args;

	memcpy(&args, self->right[6], sizeof(args));
	ASSERT_EQ(DRM_IOCTL_RONDO_SUBMIT, calls[6].request);
	args.in_syncs = args.out_syncs = 8;
	args.in_count = args.out_count = 0;
	args.sync_stride = 3;
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args));
	args.replay_count = 0;
	EXPECT_EQ(-EINVAL, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args));
}

/* Every field of every element, of the first and of the last; and elements that end behind a page.
 */
TEST_F(uapi, elements)
{
	const struct array *a;
	const struct field *f;
	uint32_t i, k, count, size;
	uint64_t data;

	for (i = 0; i < CALLS; i++) {
		for (a = calls[i].arrays; a && a->element; a++) {
			struct spread s = spread(self, &calls[i], a, a->element);

			EXPECT_EQ(0, call(self, &calls[i], s.args));
			data = (uintptr_t)s.element + a->element;
			memcpy(s.args + a->data, &data, sizeof(data));
			EXPECT_EQ(-EFAULT, call(self, &calls[i], s.args))
			{
				TH_LOG("%s: an array that ends behind its page", calls[i].name);
			}
			spread_end(&s);

			memcpy(&data, self->right[i] + a->data, sizeof(data));
			memcpy(&count, self->right[i] + a->count, sizeof(count));
			for (size = 0, f = a->fields; f->size; size += f++->size)
				for (k = 0; k < count; k++)
					try_field(_metadata, self, &calls[i], f,
						  (char *)(uintptr_t)data + k * a->element);
			EXPECT_EQ(a->element, size)
			{
				TH_LOG("%s: an element has a field that is not tried",
				       calls[i].name);
			}
		}
	}
}

/* What is no call. */
TEST_F(uapi, unknown_calls)
{
	uint32_t nr;
	char args[256] = {};

	for (nr = DRM_RONDO_FENCE_TIMES + 1; nr < DRM_COMMAND_END - DRM_COMMAND_BASE; nr++)
		EXPECT_EQ(-EINVAL,
			  rig_ioctl(self->fd, DRM_IOWR(DRM_COMMAND_BASE + nr, char[256]), args));
}

/*
 * DRM's own ioctls, all numbers that there can be: those of displays and their masters are refused,
 * as on a render node. An accel node has no master, and DRM looks into the one that is not there.
 */
TEST_F(uapi, ioctls_of_drm)
{
	/* Even with no argument nothing else succeeds: not GET_CLIENT, nor GET_STATS. */
	const uint32_t version = DRM_IOCTL_NR(DRM_IOCTL_VERSION),
		       cap = DRM_IOCTL_NR(DRM_IOCTL_GET_CAP);
	char args[256];
	uint32_t nr;

	for (nr = 0; nr < DRM_COMMAND_BASE; nr++) {
		memset(args, 0, sizeof(args));
		if (nr != version && nr != cap)
			EXPECT_GT(0, rig_ioctl(self->fd, DRM_IOWR(nr, char[256]), args));
	}
	for (nr = DRM_COMMAND_END; nr < 0x100; nr++) {
		memset(args, 0, sizeof(args));
		rig_ioctl(self->fd, DRM_IOWR(nr, char[256]), args); /* the kernel lives */
	}
	EXPECT_EQ(-EACCES, rig_ioctl(self->fd, DRM_IOCTL_GET_MAGIC, args));
	EXPECT_EQ(-EACCES, rig_ioctl(self->fd, DRM_IOCTL_GET_UNIQUE, args));
	EXPECT_EQ(-EACCES, rig_ioctl(self->fd, DRM_IOCTL_SET_MASTER, NULL));
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_VERSION, memset(args, 0, sizeof(args))));
}

#define SYNCOBJS_MAX 256

/*
 * DRM would allocate for as many syncobjs as are named, and the kernel warn of what it cannot. That
 * many may be named, but there are none. An argument that ends within the number, as its ioctl's
 * size has it, is filled up with zeros.
 */
TEST_F(uapi, many_syncobjs)
{
	const uint32_t counts[] = { SYNCOBJS_MAX, SYNCOBJS_MAX + 1, 1u << 20, UINT32_MAX };
	uint32_t handles[SYNCOBJS_MAX] = { 0 };
	uint64_t points[SYNCOBJS_MAX] = { 0 };
	struct drm_syncobj_wait wait = { .handles = (uintptr_t)handles };
	struct drm_syncobj_timeline_wait timeline_wait = { .handles = (uintptr_t)handles,
							   .points = (uintptr_t)points };
	struct drm_syncobj_array array = { .handles = (uintptr_t)handles };
	struct drm_syncobj_timeline_array timeline = { .handles = (uintptr_t)handles,
						       .points = (uintptr_t)points };
	const struct {
		unsigned long cmd;
		void *args;
		uint32_t *count;
	} calls[] = {
		{ DRM_IOCTL_SYNCOBJ_WAIT, &wait, &wait.count_handles },
		{ DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &timeline_wait, &timeline_wait.count_handles },
		{ DRM_IOCTL_SYNCOBJ_RESET, &array, &array.count_handles },
		{ DRM_IOCTL_SYNCOBJ_SIGNAL, &array, &array.count_handles },
		{ DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &timeline, &timeline.count_handles },
		{ DRM_IOCTL_SYNCOBJ_QUERY, &timeline, &timeline.count_handles },
	};
	uint32_t c, i, cut;

	for (c = 0; c < ARRAY_SIZE(calls); c++) {
		size_t at = (char *)calls[c].count - (char *)calls[c].args;

		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			*calls[c].count = counts[i];
			EXPECT_EQ(i ? -EINVAL : -ENOENT,
				  rig_ioctl(self->fd, calls[c].cmd, calls[c].args));
		}
		for (cut = 1; cut < sizeof(uint32_t); cut++)
			EXPECT_EQ(cut > 1 ? -EINVAL : -ENOENT,
				  rig_ioctl(self->fd,
					    _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
						 _IOC_NR(calls[c].cmd), at + cut),
					    calls[c].args));
	}
}

TEST_HARNESS_MAIN
