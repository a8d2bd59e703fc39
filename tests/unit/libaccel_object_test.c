// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the library does itself, whatever the backend: which arguments it refuses and with what
 * words, what it asks the backend for, that what fails makes nothing, who holds the device, and
 * that errno stays as it is. With a backend that has no device.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "core/energy.h"
#include "core/replay.h"
#include "spec/fw_abi.h"
#include "tests/unit/libaccel_fake.h"
#include "tests/unit/program_builder.h"
#include "tests/unit/rnd_file.h"

#define SENTINEL ((void *)8)

/* Calls with an errno to keep. */
#define KEEPS(call)                                                  \
	({                                                           \
		int ret_;                                            \
		errno = ENOTTY;                                      \
		ret_ = (call);                                       \
		if (errno != ENOTTY)                                 \
			tap_ok(false, "errno is kept by %s", #call); \
		ret_;                                                \
	})

#define KEEPS_VOID(call) KEEPS(((call), 0))

static void test_buffers(struct fake *f)
{
	static const struct {
		u64 size, made; /* 0: refused */
	} rows[] = {
		{ 0, 0 },	  { 1, 4096 },	  { 4095, 4096 },    { 4096, 4096 },
		{ 4097, 8192 },	  { 8192, 8192 }, { 8193, 12288 },   { 9999, 12288 },
		{ 10000, 12288 }, { 10001, 0 },	  { 1ull << 32, 0 }, { UINT64_MAX, 0 },
	};
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accel_buffer *buffer = SENTINEL;
		int ret = KEEPS(accel_buffer_create(&f->device, rows[i].size, &buffer));

		if (!rows[i].made) {
			tap_ok(ret == -EINVAL && buffer == SENTINEL && fake_was_asked(f, ""),
			       "a buffer of %llu bytes is refused",
			       (unsigned long long)rows[i].size);
			continue;
		}
		tap_ok(!ret && fake_was_asked(f, " buffer") && f->size == rows[i].made &&
			       accel_buffer_size(buffer) == rows[i].made &&
			       buffer->device == &f->device && f->device.refs == 2,
		       "one of %llu has %llu", (unsigned long long)rows[i].size,
		       (unsigned long long)rows[i].made);
		KEEPS_VOID(accel_buffer_destroy(buffer));
		tap_ok(fake_was_asked(f, " ~buffer") && f->device.refs == 1, "and is given back");
	}
}

static void test_map(struct fake *f)
{
	struct accel_buffer *buffer = NULL;
	void *memory = SENTINEL;

	accel_buffer_create(&f->device, 1, &buffer);
	fake_fails(f, 0, -ENOMEM);
	tap_ok(KEEPS(accel_buffer_map(buffer, &memory)) == -ENOMEM && memory == SENTINEL,
	       "a buffer that cannot be mapped");
	f->asked[0] = 0;
	tap_ok(!KEEPS(accel_buffer_map(buffer, &memory)) && memory == f->memory &&
		       fake_was_asked(f, " map"),
	       "is mapped when it can be");
	memory = NULL;
	tap_ok(!KEEPS(accel_buffer_map(buffer, &memory)) && memory == f->memory &&
		       fake_was_asked(f, ""),
	       "and once only");
	accel_buffer_destroy(buffer);
	f->asked[0] = 0;
}

/* A file's bytes for two, zeros for this process alone, all at their place. */
static void test_accel_map(void)
{
	int fd = memfd_create("map", 0), kept = dup(0);
	void *memory = NULL;
	char read_back[2] = "";

	tap_ok(fd >= 0 && !ftruncate(fd, 8192) && pwrite(fd, "ab", 2, 4096) == 2, "a file");
	tap_ok(!accel_map(fd, 4096, 4096, &memory) && !memcmp(memory, "ab", 2), "its second page");
	((char *)memory)[1] = 'c';
	tap_ok(pread(fd, read_back, 2, 4096) == 2 && read_back[1] == 'c', "is shared");
	munmap(memory, 4096);
	dup2(fd, 0);
	tap_ok(!accel_map(0, 4096, 4096, &memory) && !memcmp(memory, "ac", 2),
	       "also if its descriptor is 0");
	munmap(memory, 4096);
	dup2(kept, 0);
	close(kept);
	close(fd);
	tap_ok(!accel_map(-1, 0, 8192, &memory) && !((char *)memory)[0] && !((char *)memory)[8191],
	       "zeros without a file");
	munmap(memory, 8192);
	memory = SENTINEL;
	tap_ok(accel_map(fd, 0, 4096, &memory) == -EBADF && memory == SENTINEL, "a closed file");
}

/* What making a program of @size bytes at @data says, or NULL if it is made. */
static const char *try_program(struct fake *f, const void *data, size_t size, int error)
{
	static struct accel_error e;
	struct accel_program *program = SENTINEL;
	int ret;

	memset(&e, 0x55, sizeof(e));
	ret = KEEPS(accel_program_create(&f->device, data, size, 9, &program, &e));
	if (ret != error || (ret && program != SENTINEL) || e.reason || e.index || e.slot)
		return "not as expected";
	if (!ret)
		accel_program_destroy(program);
	return ret ? e.text : NULL;
}

static void test_programs(struct fake *f)
{
	static const struct {
		int error;
		const char *text;
	} rows[] = {
		{ -E2BIG, "the program has 48 bytes, the limit is " },
		{ -ENOSPC, "No space left on device" },
		{ -EPERM, "it belongs to the parent of this process" },
		{ -EINVAL, "Invalid argument" },
	};
	static u64 bytes[8];
	struct accel_program *program;
	const char *text;
	u32 i;

	for (i = 1; i < 8; i++) {
		text = try_program(f, (u8 *)bytes + i, 48, -EINVAL);
		tap_ok(text && !strcmp(text, "the program's bytes are not aligned to 8") &&
			       fake_was_asked(f, ""),
		       "a program %u bytes beside a multiple of 8", i);
		tap_eq(accel_program_create(&f->device, (u8 *)bytes + i, 48, 0, &program, NULL),
		       -EINVAL, "is refused without words, too");
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_fails(f, 0, rows[i].error);
		text = try_program(f, bytes, 48, rows[i].error);
		tap_ok(text && !strncmp(text, rows[i].text, strlen(rows[i].text)) &&
			       fake_was_asked(f, " program") && f->device.refs == 1,
		       "a program that the backend refuses: %s", text ?: "(made)");
		fake_fails(f, 0, rows[i].error);
		tap_eq(accel_program_create(&f->device, bytes, 48, 0, &program, NULL),
		       rows[i].error, "without words, too");
		f->asked[0] = 0;
	}
	tap_ok(!try_program(f, &bytes[1], 48, 0) && fake_was_asked(f, " program ~program") &&
		       f->data == &bytes[1] && f->size == 48 && f->budget == 9,
	       "one that it takes, as it was given");
}

/* A program that does something of everything that is counted. */
static void test_energy(struct fake *f)
{
	struct rondo_activity a = {};
	struct rondo_energy joules;
	struct accel_energy e = {};
	struct accel_program *program = NULL;
	struct rondo_program p;
	struct builder b;
	u32 entry, in, out;
	u64 size;
	u8 *bytes;

	build_init(&b);
	build_slot(&b, 0);
	entry = build_entry(&b, (struct rondo_entry){ .base = 0 });
	in = build_desc(&b, (struct rondo_desc){ .row_bytes = 100, .count = { 2, 3, 4 } });
	out = build_desc(&b, (struct rondo_desc){ .row_bytes = 64, .dir = RONDO_DMA_OUT });
	build_start(&b, 0, in, 0);
	build_start(&b, 2, out, 0);
	build_op(&b, RONDO_M, OP(push_s8, .entry = entry, .count = 9));
	build_op(&b, RONDO_M, OP(push_f32, .entry = entry, .count = 7));
	build_op(&b, RONDO_M, OP(push_bf16, .entry = entry, .count = 5));
	build_op(&b, RONDO_S, OP(stq_fix_s8, .entry = entry, .count = 48));
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	rondo_program_open(&p, bytes, size);
	rondo_count_activity(&f->device.machine, &p, 0, &a);
	joules = rondo_energy_of(&f->device.machine, &a);

	accel_program_create(&f->device, bytes, size, 0, &program, NULL);
	accel_program_energy(program, &e);
	tap_ok(a.macs_f32 && a.macs_bf16 && a.macs_s8 && a.sram_read && a.sram_written &&
		       a.dma_in && a.dma_out && joules.compute_fj && joules.movement_fj,
	       "a program of all that is counted");
	tap_eq(e.bundles, 7, "bundles");
	tap_eq(e.macs, a.macs_f32 + a.macs_bf16 + a.macs_s8, "multiplications of three types");
	tap_eq(e.vector_lanes, 48, "lanes");
	tap_eq(e.sram_bytes, a.sram_read + a.sram_written, "bytes of SRAM");
	tap_eq(e.dma_bytes, 2400 + 64, "bytes in and out");
	tap_ok(e.compute_j == joules.compute_fj * 1e-15 &&
		       e.movement_j == joules.movement_fj * 1e-15,
	       "joules of arithmetic, joules of moving");
	tap_eq(accel_program_cycles(program), 1234, "the backend's cycles");
	accel_program_destroy(program);

	/* What is no program is counted as nothing, and its bytes are not looked at. */
	bytes[0]++;
	accel_program_create(&f->device, bytes, size, 0, &program, NULL);
	accel_program_energy(program, &e);
	tap_ok(!e.bundles && !e.macs && !e.dma_bytes && e.compute_j == 0 && e.movement_j == 0,
	       "other bytes do nothing");
	accel_program_destroy(program);
	f->asked[0] = 0;
	free(bytes);
	build_fini(&b);
}

static struct accel_error bind_error;

/* Binds @count slots; whether that gives @ret, and for a failure @index and @text. */
static bool binds(struct accel_program *program, const struct accel_slot_binding *slots, u32 count,
		  int ret, u32 index, const char *text)
{
	struct accel_binding *binding = SENTINEL;
	struct fake *f = (struct fake *)program->device;
	int fail_in = f->fail_in, got;
	bool good;

	memset(&bind_error, 0x55, sizeof(bind_error));
	got = KEEPS(accel_binding_create(program, slots, count, &binding, &bind_error));
	good = got == ret && !bind_error.reason && !bind_error.slot && bind_error.index == index &&
	       !strcmp(bind_error.text, text) && (binding == SENTINEL) == !!ret;
	if (!good)
		printf("# %d, %u, '%s'\n", got, bind_error.index, bind_error.text);
	if (!got)
		KEEPS_VOID(accel_binding_destroy(binding));
	f->fail_in = fail_in;
	return accel_binding_create(program, slots, count, &binding, NULL) == ret && good;
}

static void test_bindings(struct fake *f, struct fake *other)
{
	static const struct {
		int error;
		u32 slot, index; /* at fault, and as told */
		const char *text;
	} rows[] = {
		{ -ENOENT, 1, 1, "slot 1: the program touches it, and there is no buffer" },
		{ -EINVAL, 0, 0, "slot 0: the offset is not a multiple of the alignment" },
		{ -ERANGE, 1, 1, "slot 1: the buffer is too small" },
		{ -EBUSY, 1, 1,
		  "slot 1: it overlaps another slot, and one of them is written (a dynamic slot "
		  "takes its buffer up to the end)" },
		{ -ENOMEM, 1, 0, "Cannot allocate memory" },
		{ -ENOSPC, 1, 0, "No space left on device" },
		{ -EIO, 1, 0, "Input/output error" },
		{ -ENODEV, 1, 0, "No such device" },
	};
	struct accel_slot_binding slots[3] = {}, foreign[2] = {};
	struct accel_program *program = NULL;
	struct accel_binding *binding;
	u64 bytes[8] = {};
	u32 i;

	accel_program_create(&f->device, bytes, sizeof(bytes), 0, &program, NULL);
	accel_buffer_create(&f->device, 1, &slots[0].buffer);
	f->asked[0] = 0;
	tap_ok(binds(program, slots, 1, -EINVAL, 0, "the program has 2 slots, not 1") &&
		       binds(program, slots, 3, -EINVAL, 0, "the program has 2 slots, not 3") &&
		       binds(program, slots, 0, -EINVAL, 0, "the program has 2 slots, not 0") &&
		       fake_was_asked(f, ""),
	       "as many buffers as slots");
	for (i = 0; i < 2; i++) {
		memset(foreign, 0, sizeof(foreign));
		foreign[1 - i] = slots[0];
		foreign[i].buffer = SENTINEL;
		accel_buffer_create(&other->device, 1, &foreign[i].buffer);
		tap_ok(binds(program, foreign, 2, -EINVAL, i,
			     i ? "slot 1: the buffer is of another device" :
				 "slot 0: the buffer is of another device") &&
			       fake_was_asked(f, ""),
		       "slot %u is of another device", i);
		accel_buffer_destroy(foreign[i].buffer);
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->slot = rows[i].slot;
		fake_fails(f, 0, rows[i].error);
		tap_ok(binds(program, slots, 2, rows[i].error, rows[i].index, rows[i].text),
		       "a binding that the backend refuses: %s", bind_error.text);
	}
	f->asked[0] = 0;
	tap_ok(!KEEPS(accel_binding_create(program, slots, 2, &binding, NULL)) &&
		       fake_was_asked(f, " binding") && f->count == 2 && f->data == slots &&
		       binding->device == &f->device,
	       "one that it takes, as it was given");
	KEEPS_VOID(accel_binding_destroy(binding));
	tap_ok(fake_was_asked(f, " ~binding"), "and is destroyed");
	accel_buffer_destroy(slots[0].buffer);
	KEEPS_VOID(accel_program_destroy(program));
	tap_ok(fake_was_asked(f, " ~buffer ~program") && f->device.refs == 1, "as is all else");
}

static void test_queues(struct fake *f)
{
	static const u32 refused[] = { 0, 1025, UINT32_MAX }, taken[] = { 1, 64, 1024 };
	struct accel_queue *queue = SENTINEL;
	u32 i;

	for (i = 0; i < 3; i++)
		tap_ok(KEEPS(accel_queue_create(&f->device, refused[i], &queue)) == -EINVAL &&
			       queue == SENTINEL && fake_was_asked(f, ""),
		       "a queue of weight %u is refused", refused[i]);
	fake_fails(f, 0, -ENOSPC);
	tap_ok(KEEPS(accel_queue_create(&f->device, 1, &queue)) == -ENOSPC && queue == SENTINEL &&
		       fake_was_asked(f, " queue") && f->device.refs == 1,
	       "as is one that the backend refuses");
	for (i = 0; i < 3; i++) {
		tap_ok(!KEEPS(accel_queue_create(&f->device, taken[i], &queue)) &&
			       f->weight == taken[i] && queue->device == &f->device,
		       "one of weight %u", taken[i]);
		KEEPS_VOID(accel_queue_destroy(queue));
		tap_ok(fake_was_asked(f, " queue ~queue") && f->device.refs == 1, "is destroyed");
	}
}

/* A job of two replays with two offsets and two syncs each, changed; what submitting it gives. */
#define SUBMIT(change)                                                     \
	({                                                                 \
		struct accel_offset offsets[3] = {};                       \
		struct accel_sync in[2] = {}, out[2] = {};                 \
		struct accel_replay replays[4] = { { b, offsets, 2, 0 },   \
						   { b, offsets, 2, 0 },   \
						   { b, offsets, 2, 0 },   \
						   { b, offsets, 2, 0 } }; \
		struct accel_job job = { replays, in, out, 2, 2, 2, 0 };   \
		struct accel_fence *fence = SENTINEL;                      \
		int got;                                                   \
		change;                                                    \
		got = KEEPS(accel_submit(queue, &job, &fence));            \
		if ((fence == SENTINEL) != !!got)                          \
			tap_ok(false, "a fence if there is no error");     \
		if (!got)                                                  \
			KEEPS_VOID(accel_fence_destroy(fence));            \
		got;                                                       \
	})
#define REFUSED(change, error) \
	tap_ok(SUBMIT(change) == (error) && fake_was_asked(f, ""), "a job with %s", #change)
#define TAKEN(change, replays_)                                                                  \
	tap_ok(!SUBMIT(change) && f->count == (replays_) && fake_was_asked(f, " submit ~fence"), \
	       "a job with %s is taken", #change)

static void test_submit(struct fake *f, struct fake *other)
{
	struct accel_binding theirs = { .device = &other->device }, ours = { .device = &f->device };
	struct accel_queue *queue = NULL;
	struct accel_binding *b = &ours;
	struct accel_fence *fence = SENTINEL;
	const struct accel_job one = { .replays = &(struct accel_replay){ .binding = b },
				       .replay_count = 1 };

	accel_queue_create(&f->device, 1, &queue);
	f->asked[0] = 0;
	REFUSED(job.replay_count = 0, -EINVAL);
	REFUSED(job.replay_count = 4, -ENOSPC);
	REFUSED(job.replay_count = UINT32_MAX, -ENOSPC);
	REFUSED(job.reserved = 1, -EINVAL);
	REFUSED((job.reserved = 1, job.replay_count = 4), -EINVAL);
	REFUSED(replays[0].reserved = 1, -EINVAL);
	REFUSED(replays[1].reserved = 1, -EINVAL);
	REFUSED(replays[0].binding = &theirs, -EINVAL);
	REFUSED(replays[1].binding = &theirs, -EINVAL);
	REFUSED(replays[0].offset_count = 3, -ENOSPC);
	REFUSED(replays[1].offset_count = UINT32_MAX, -ENOSPC);
	REFUSED(offsets[0].reserved = 1, -EINVAL);
	REFUSED(offsets[1].reserved = 1, -EINVAL);
	REFUSED(in[0].reserved = 1, -EINVAL);
	REFUSED(in[1].reserved = 1, -EINVAL);
	REFUSED(out[0].reserved = 1, -EINVAL);
	REFUSED(out[1].reserved = 1, -EINVAL);
	TAKEN((void)job, 2);
	TAKEN(job.replay_count = 1, 1);
	TAKEN(job.replay_count = 3, 3);
	TAKEN((replays[2].reserved = 1, offsets[2].reserved = 1), 2);
	TAKEN((in[1].reserved = 1, job.in_count = 1), 2);
	TAKEN((out[1].reserved = 1, job.out_count = 1), 2);
	tap_ok(!KEEPS(accel_submit(queue, &one, NULL)) && fake_was_asked(f, " submit ~fence") &&
		       f->device.refs == 2,
	       "a job whose fence nobody wants");
	fake_fails(f, 0, -EIO);
	tap_ok(KEEPS(accel_submit(queue, &one, &fence)) == -EIO && fence == SENTINEL &&
		       fake_was_asked(f, " submit") && f->device.refs == 2,
	       "one that the backend refuses");
	tap_ok(!KEEPS(accel_replay(queue, b, &fence)) && f->count == 1 && f->data == b &&
		       fence->replays == 1 && f->device.refs == 3,
	       "a replay is a job of one");
	accel_fence_destroy(fence);
	accel_queue_destroy(queue);
	f->asked[0] = 0;
}

/* A model of two nodes: "conv", bundles 0 and 1; "y", bundle 3. */
static struct accel_model *nodes(void)
{
	struct rnd_file file = rnd_file_good();
	struct accel_model *model = NULL;

	accel_model_parse(&file, sizeof(file), &model, NULL);
	return model;
}

/* How failures are told. */
static void test_words(struct fake *f)
{
	enum { NONE = ACCEL_UNKNOWN };
	static const struct {
		int status;
		struct accel_fault fault;
		u32 replays, reason; /* as told */
		const char *text;
	} rows[] = {
		{ -EIO, { 0, NONE, 0 }, 1, 0, "the replay failed: Input/output error" },
		{ -EIO, { 0, NONE, 0 }, 3, 0, "one of 3 replays failed: Input/output error" },
		{ -ENOMEM, { 0, NONE, 0 }, 1, 0, "the replay failed: Cannot allocate memory" },
		{ -ETIME,
		  { RONDO_FW_OVERRUN, 3, 0 },
		  1,
		  RONDO_FW_OVERRUN,
		  "the replay failed at bundle 3 (y): it took longer than its exact cycles" },
		{ -ETIME,
		  { RONDO_FW_OVERRUN, 2, 1 },
		  2,
		  RONDO_FW_OVERRUN,
		  "replay 1 of 2 failed at bundle 2: it took longer than its exact cycles" },
		{ -EIO,
		  { RONDO_FW_HOST_REFUSED, 1, 0 },
		  2,
		  RONDO_FW_HOST_REFUSED,
		  "replay 0 of 2 failed at bundle 1 (conv): the host refused the device access to "
		  "memory" },
		{ -EIO,
		  { RONDO_FW_HOST_REFUSED, 0, 0 },
		  1,
		  RONDO_FW_HOST_REFUSED,
		  "the replay failed at bundle 0 (conv): the host refused the device access to "
		  "memory" },
		{ -EIO,
		  { RONDO_FW_HOST_REFUSED, 4, 0 },
		  1,
		  RONDO_FW_HOST_REFUSED,
		  "the replay failed at bundle 4: the host refused the device access to memory" },
		{ -EIO,
		  { RONDO_FW_SIGNATURE, NONE, 2 },
		  9,
		  RONDO_FW_SIGNATURE,
		  "replay 2 of 9 failed: it left the control path that was proved" },
		{ -ECANCELED,
		  { 0, NONE, 0 },
		  1,
		  RONDO_FW_ABORTED,
		  "the replay failed: its queue was destroyed" },
		{ -ENODEV,
		  { 0, NONE, 0 },
		  1,
		  RONDO_HOST_GONE,
		  "the replay failed: the device is gone" },
		{ -ECANCELED,
		  { RONDO_HOST_DEAD, NONE, 0 },
		  1,
		  RONDO_HOST_DEAD,
		  "the replay failed: the device does not work any more" },
		{ -ENODEV,
		  { RONDO_HOST_DEAD, NONE, 0 },
		  1,
		  RONDO_HOST_DEAD,
		  "the replay failed: the device does not work any more" },
	};
	struct accel_fence fence = { .device = &f->device };
	struct accel_model *model = nodes();
	struct accel_error e;
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0x55, sizeof(e));
		f->status = rows[i].status;
		f->fault = rows[i].fault;
		fence.replays = rows[i].replays;
		if (!tap_ok(KEEPS(accel_fence_error(&fence, model, &e)) == rows[i].status &&
				    e.reason == rows[i].reason && e.index == rows[i].fault.bundle &&
				    !e.slot && !strcmp(e.text, rows[i].text) &&
				    fake_was_asked(f, " status fault"),
			    "%s", rows[i].text))
			printf("# reason %u, index %u, '%s'\n", e.reason, e.index, e.text);
	}
	tap_ok(accel_fence_error(&fence, NULL, NULL) == -ENODEV && fake_was_asked(f, " status"),
	       "nobody wants words");
	f->fault = (struct accel_fault){ RONDO_FW_OVERRUN, 3, 0 };
	fence.replays = 1;
	accel_fence_error(&fence, NULL, &e);
	tap_ok(!strcmp(e.text,
		       "the replay failed at bundle 3: it took longer than its exact cycles"),
	       "no model is known");
	f->asked[0] = 0;
	f->status = 0;
	tap_ok(!KEEPS(accel_fence_error(&fence, model, &e)) && !e.text[0] && !e.index &&
		       fake_was_asked(f, " status"),
	       "what ended well has none");
	memset(&e, 0x55, sizeof(e));
	f->status = -EAGAIN;
	tap_ok(KEEPS(accel_fence_error(&fence, model, &e)) == -EAGAIN && !e.text[0] && !e.index &&
		       fake_was_asked(f, " status"),
	       "nor what has not ended");
	accel_model_destroy(model);
}

static void test_fences(struct fake *f)
{
	struct accel_fence fence = { .device = &f->device, .fd = eventfd(0, EFD_CLOEXEC) };
	u64 one = 1;

	f->status = -EIO;
	tap_ok(KEEPS(accel_fence_wait(&fence, 0)) == -ETIMEDOUT &&
		       KEEPS(accel_fence_wait(&fence, -1)) == -ETIMEDOUT &&
		       KEEPS(accel_fence_wait(&fence, INT64_MIN)) == -ETIMEDOUT &&
		       fake_was_asked(f, ""),
	       "a fence that cannot be read");
	tap_ok(write(fence.fd, &one, sizeof(one)) == sizeof(one) &&
		       KEEPS(accel_fence_wait(&fence, 0)) == -EIO &&
		       KEEPS(accel_fence_wait(&fence, ACCEL_FOREVER)) == -EIO &&
		       fake_was_asked(f, " status status"),
	       "one that can be: as the backend says");
	tap_eq(KEEPS(accel_fence_fd(&fence)), fence.fd, "its descriptor");
	close(fence.fd);
}

static void test_device(struct fake *f)
{
	struct accel_clock clock = {};

	tap_ok(KEEPS(accel_device_fd(&f->device)) == 77 && fake_was_asked(f, " fd"), "a file");
	tap_ok(!KEEPS(accel_device_clock(&f->device, &clock)) && clock.device_cycles == 5 &&
		       clock.monotonic_ns == 6 && fake_was_asked(f, " clock"),
	       "clocks");
	fake_fails(f, 0, -ENODEV);
	tap_ok(KEEPS(accel_device_clock(&f->device, &clock)) == -ENODEV, "that are gone");
	f->asked[0] = 0;
}

/* The device is closed when the last of what holds it is destroyed, whichever that is. */
static void test_last(void)
{
	static const char *const order[] = { " ~buffer close", " ~program close", " ~binding close",
					     " ~queue close",  " ~fence close",	  " close" };
	u64 bytes[8] = {};
	u32 last, i;

	for (last = 0; last < 6; last++) {
		struct accel_slot_binding slots[2] = {};
		struct accel_buffer *buffer = NULL;
		struct accel_program *program = NULL;
		struct accel_binding *binding = NULL;
		struct accel_queue *queue = NULL;
		struct accel_fence *fence = NULL;
		struct fake f;

		fake_init(&f);
		accel_buffer_create(&f.device, 1, &buffer);
		accel_program_create(&f.device, bytes, sizeof(bytes), 0, &program, NULL);
		accel_binding_create(program, slots, 2, &binding, NULL);
		accel_queue_create(&f.device, 1, &queue);
		accel_replay(queue, binding, &fence);
		for (i = 0; i < 7; i++) {
			if (i == last) /* it comes in the end */
				continue;
			if (i == 6) {
				tap_eq(f.device.refs, 1, "something holds the device");
				tap_ok(!strstr(f.asked, "close"), "which is open");
				f.asked[0] = 0;
			}
			switch (i == 6 ? last : i) {
			case 0:
				KEEPS_VOID(accel_buffer_destroy(buffer));
				break;
			case 1:
				KEEPS_VOID(accel_program_destroy(program));
				break;
			case 2:
				KEEPS_VOID(accel_binding_destroy(binding));
				break;
			case 3:
				KEEPS_VOID(accel_queue_destroy(queue));
				break;
			case 4:
				KEEPS_VOID(accel_fence_destroy(fence));
				break;
			case 5:
				KEEPS_VOID(accel_close(&f.device));
				break;
			}
		}
		tap_ok(fake_was_asked(&f, order[last]), "it is closed then:%s", order[last]);
	}
}

/* In a forked child nothing reaches the backend. */
static void test_forked(struct fake *f)
{
	struct accel_buffer buffer = { .device = &f->device };
	struct accel_program program = { .device = &f->device };
	struct accel_binding binding = { .device = &f->device };
	struct accel_queue queue = { .device = &f->device };
	struct accel_fence fence = { .device = &f->device };
	struct accel_job job = {};
	struct accel_error e[3];
	struct accel_info info;
	struct accel_clock clock;
	void *p = SENTINEL;
	u32 i;

	memset(e, 0x55, sizeof(e));
	*fake_owner(f) = 0;
	tap_ok(accel_device_fd(&f->device) == -EPERM &&
		       accel_device_info(&f->device, &info, sizeof(info)) == -EPERM &&
		       accel_device_machine(&f->device, &info, 1) == -EPERM &&
		       accel_device_clock(&f->device, &clock) == -EPERM &&
		       accel_buffer_create(&f->device, 0, (void *)&p) == -EPERM &&
		       accel_buffer_map(&buffer, &p) == -EPERM &&
		       accel_program_create(&f->device, (void *)1, 0, 0, (void *)&p, &e[0]) ==
			       -EPERM &&
		       accel_binding_create(&program, NULL, 5, (void *)&p, &e[1]) == -EPERM &&
		       accel_queue_create(&f->device, 0, (void *)&p) == -EPERM &&
		       accel_submit(&queue, &job, (void *)&p) == -EPERM &&
		       accel_replay(&queue, &binding, (void *)&p) == -EPERM &&
		       accel_fence_wait(&fence, 0) == -EPERM && accel_fence_fd(&fence) == -EPERM &&
		       accel_fence_error(&fence, NULL, &e[2]) == -EPERM && p == SENTINEL,
	       "in a child nothing is permitted, right or wrong");
	for (i = 0; i < 3; i++)
		tap_ok(!strcmp(e[i].text, "it belongs to the parent of this process") &&
			       !e[i].reason && !e[i].index && !e[i].slot,
		       "in words: %s", e[i].text);
	accel_buffer_destroy(&buffer);
	accel_program_destroy(&program);
	accel_binding_destroy(&binding);
	accel_queue_destroy(&queue);
	accel_fence_destroy(&fence);
	accel_close(&f->device);
	tap_ok(fake_was_asked(f, "") && f->device.refs == 1, "and destroying does nothing");
	*fake_owner(f) = 1;
}

int main(void)
{
	struct fake f, other;

	fake_init(&f);
	fake_init(&other);
	test_buffers(&f);
	test_map(&f);
	test_accel_map();
	test_programs(&f);
	test_energy(&f);
	test_bindings(&f, &other);
	test_queues(&f);
	test_submit(&f, &other);
	test_words(&f);
	test_fences(&f);
	test_device(&f);
	test_last();
	test_forked(&f);
	accel_close(&other.device);
	accel_close(&f.device);
	tap_ok(fake_was_asked(&f, " close"), "all is given back");
	return tap_done();
}
