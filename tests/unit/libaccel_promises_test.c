// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Promises of accel.h that no other test would notice breaking, on either backend: order between
 * queues and within a job, what is given back, limits to the byte: libaccel_promises_test [DEVICE].
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <xf86drm.h>

#include "tests/unit/libaccel_faults.h"

/*
 * Bytes that the library has mapped: what no child of this process gets. Nobody else in it has
 * such memory.
 */
static long mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	long bytes = 0, kilobytes = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "Size: %ld kB", &kilobytes);
		if (!strncmp(line, "VmFlags:", 8) && strstr(line, " dc"))
			bytes += kilobytes * 1024;
	}
	if (f)
		fclose(f);
	return bytes;
}

/* Replays @binding with the device held before it, and does not wait. */
static struct accel_fence *hold(struct rig *r, struct accel_queue *queue,
				struct accel_binding *binding)
{
	u32 hits = rig_fault_hits(r, "seq_work");
	struct accel_fence *fence = NULL;

	rig_step();
	rig_fault(r, "seq_work", 1);
	tap_eq(accel_replay(queue, binding, &fence), 0, "a replay that is held");
	rig_fault_wait(r, "seq_work", hits);
	return fence;
}

/*
 * Between queues: a job that writes what an earlier job only reads waits for it, and so does one
 * that touches what a later replay of an earlier job writes. Device order is not submission order:
 * the first queue has a turn of few replays, the second a larger weight and a short job.
 */
static void test_order_of_queues(struct rig *r)
{
	struct accel_slot_binding to_a[RIG_SLOTS] = { r->slots[1], r->slots[1], r->slots[0] };
	struct accel_binding *writes_a = NULL;
	struct accel_replay replays[64];
	struct accel_job job = { .replays = replays, .replay_count = 64 };
	struct accel_queue *slow = NULL, *other = NULL;
	struct accel_fence *first, *second;
	u32 hits = rig_fault_hits(r, "seq_work");
	int i;

	accel_queue_create(r->device, 1, &slow);
	accel_queue_create(r->device, 1024, &other);
	tap_eq(accel_binding_create(r->program, to_a, RIG_SLOTS, &writes_a, NULL), 0,
	       "a binding that writes what another reads");
	memset(replays, 0, sizeof(replays));
	for (i = 0; i < 64; i++)
		replays[i].binding = r->binding;
	rig_fill(r, 5);
	rig_fault(r, "seq_work", 1);
	tap_eq(accel_submit(slow, &job, &first), 0, "a long job that reads");
	tap_eq(accel_replay(other, writes_a, &second), 0,
	       "a short one of a heavier queue, that writes");
	rig_fault_wait(r, "seq_work", hits);
	rig_fault(r, "seq_work", 0);
	tap_eq(accel_fence_wait(second, ACCEL_FOREVER), 0, "when the second has ended");
	tap_eq(accel_fence_wait(first, 0), 0, "the first has, too");
	tap_ok(rig_correct(r, 5), "and has read what was there before");
	accel_fence_destroy(first);
	accel_fence_destroy(second);
	accel_queue_destroy(slow);
	accel_queue_destroy(other);
	accel_binding_destroy(writes_a);
}

/*
 * Replays of one queue, of different bindings, run in their order, be they one job or @jobs of
 * them: c = a + b, then a = c + b.
 */
static void test_order_in_a_queue(struct rig *r, int jobs)
{
	struct accel_slot_binding swapped[RIG_SLOTS] = { r->slots[2], r->slots[1], r->slots[0] };
	struct accel_binding *back = NULL;
	struct accel_replay replays[4] = {};
	struct accel_job job = { .replay_count = 4 / jobs };
	struct accel_fence *fence[4] = {};
	int i, wrong = 0;

	accel_binding_create(r->program, swapped, RIG_SLOTS, &back, NULL);
	for (i = 0; i < 4; i++)
		replays[i].binding = i % 2 ? back : r->binding;
	for (i = 0; i < RIG_ELEMENTS; i++) {
		r->memory[0][i] = i;
		r->memory[1][i] = 1;
		r->memory[2][i] = -5;
	}
	for (i = 0; i < jobs; i++) {
		job.replays = &replays[i * job.replay_count];
		wrong += !!accel_submit(r->queue, &job, &fence[i]);
	}
	wrong += !!accel_fence_wait(fence[jobs - 1], ACCEL_FOREVER);
	for (i = 0; i < jobs; i++) {
		wrong += !!accel_fence_wait(fence[i], 0);
		accel_fence_destroy(fence[i]);
	}
	tap_eq(wrong, 0, "replays of two bindings in turn; when the last has ended, all have");
	for (i = 0; i < RIG_ELEMENTS && r->memory[0][i] == i + 4 && r->memory[2][i] == i + 3; i++)
		;
	tap_eq(i, RIG_ELEMENTS, "in their order");
	accel_binding_destroy(back);
}

/* A queue, and what is replayed in it: a program that counts its replays in memory. */
struct sharer {
	struct accel_queue *queue;
	struct accel_buffer *buffer;
	struct accel_binding *binding;
	struct accel_fence *fence;
	volatile u32 *count;
};

static void sharer_init(struct rig *r, struct accel_program *program, u32 weight, struct sharer *s)
{
	struct accel_slot_binding slot = {};
	void *memory = NULL;
	int ret;

	memset(s, 0, sizeof(*s));
	ret = accel_queue_create(r->device, weight, &s->queue);
	ret |= accel_buffer_create(r->device, 256, &s->buffer);
	ret |= accel_buffer_map(s->buffer, &memory);
	slot.buffer = s->buffer;
	ret |= accel_binding_create(program, &slot, 1, &s->binding, NULL);
	tap_eq(ret, 0, "a queue with a binding of its own");
	s->count = memory;
}

static void sharer_start(struct sharer *s)
{
	struct accel_replay replays[64] = {};
	struct accel_job job = { .replays = replays, .replay_count = 64 };
	int i;

	for (i = 0; i < 64; i++)
		replays[i].binding = s->binding;
	tap_eq(accel_submit(s->queue, &job, &s->fence), 0, "has much to do");
}

static void sharer_fini(struct sharer *s)
{
	tap_eq(accel_fence_wait(s->fence, ACCEL_FOREVER), 0, "and does all of it");
	accel_fence_destroy(s->fence);
	accel_binding_destroy(s->binding);
	accel_buffer_destroy(s->buffer);
	accel_queue_destroy(s->queue);
}

/* Holds the sequencer before its next replay, when the one that is held has been done. */
static void next_replay(struct rig *r)
{
	u32 how, hits;

	for (how = 2; how >= 1; how--) {
		hits = rig_fault_hits(r, "seq_work");
		rig_fault(r, "seq_work", how);
		rig_fault_wait(r, "seq_work", hits);
	}
}

/* When queues of weights 1 and 3 both have work, the first gets a quarter of the device. */
static void test_shares(struct rig *r)
{
	u32 a, b, i, hits = rig_fault_hits(r, "seq_work");
	struct accel_program *program = NULL;
	struct sharer one, three;
	u64 size;
	void *code;

	code = rig_assemble(RIG_COUNTER("\tloop 3800 {\n\t\tnop\n\t}\n"), &size);
	tap_eq(accel_program_create(r->device, code, size, 0, &program, NULL), 0,
	       "a program of about 4096 cycles");
	sharer_init(r, program, 1, &one);
	sharer_init(r, program, 3, &three);
	rig_fault(r, "seq_work", 1);
	sharer_start(&one);
	sharer_start(&three);
	rig_fault_wait(r, "seq_work", hits);
	/* Until both are under way. */
	for (i = 0; i < 16 && !(*one.count && *three.count); i++)
		next_replay(r);
	a = *one.count;
	b = *three.count;
	for (i = 0; i < 32; i++)
		next_replay(r);
	a = *one.count - a;
	b = *three.count - b;
	tap_ok(a + b == 32 && a >= 6 && a <= 10, "of 32 replays, weight 1 has %u and weight 3 %u",
	       a, b);
	rig_fault(r, "seq_work", 0);
	sharer_fini(&one);
	sharer_fini(&three);
	accel_program_destroy(program);
	free(code);
}

/* What is destroyed is given back: objects, descriptors, mappings. */
static void test_nothing_leaks(struct rig *r)
{
	struct accel_error error;
	int fds = 0, i, ret = 0;

	for (i = 0; i < 310; i++) {
		struct accel_program *program = NULL;
		struct accel_binding *binding = NULL;
		struct accel_buffer *buffer = NULL;
		struct accel_fence *fence = NULL;
		struct accel_queue *queue = NULL;
		void *memory;

		if (i == 10)
			fds = rig_count_fds();
		ret |= accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
		ret |= accel_binding_create(program, r->slots, RIG_SLOTS, &binding, NULL);
		ret |= accel_queue_create(r->device, 1, &queue);
		ret |= accel_buffer_create(r->device, 1 << 20, &buffer);
		ret |= accel_buffer_map(buffer, &memory);
		ret |= accel_replay(queue, binding, &fence);
		/* And what fails leaves nothing. */
		ret |= !accel_program_create(r->device, r->code, 40, 0, &program, &error);
		ret |= !accel_binding_create(program, NULL, 0, &binding, &error);
		ret |= accel_fence_wait(fence, ACCEL_FOREVER);
		accel_fence_destroy(fence);
		accel_binding_destroy(binding);
		accel_program_destroy(program);
		accel_queue_destroy(queue);
		accel_buffer_destroy(buffer);
		if (ret)
			break;
	}
	tap_eq(ret, 0, "more objects, one after the other, than there may be at a time");
	tap_eq(rig_count_fds(), fds, "no file descriptor is left");
}

/* When the device is closed, and what is made of it destroyed, all of its memory is given back. */
static void test_memory_given_back(void)
{
	enum { PAGE = 4096 };
	long bytes = mapped_bytes(), with_device, with_buffer;
	struct accel_buffer *buffer = NULL;
	struct rig r;

	if (rig_init(&r)) {
		with_device = mapped_bytes();
		accel_buffer_create(r.device, PAGE, &buffer);
		accel_buffer_map(buffer, (void **)&r.memory[0]);
		with_buffer = mapped_bytes();
		/* A local device's buffer has a page that lists its pages. */
		tap_eq(with_buffer - with_device, PAGE * (1 + rig_emulated()),
		       "a buffer of a page takes a page");
		accel_buffer_destroy(buffer);
		tap_eq(mapped_bytes(), with_device, "and gives it back");
		tap_ok(with_device >= bytes + RIG_SLOTS * RIG_BYTES, "a device takes memory");
		test_nothing_leaks(&r);
	}
	rig_fini(&r);
	tap_eq(mapped_bytes(), bytes, "and gives it back");
}

/* A process that has closed its standard input gets descriptor 0 for what it opens next. */
static void test_descriptor_zero(struct rig *r)
{
	struct accel_device *device = NULL;
	struct accel_fence *fence = NULL;
	int input = dup(0), replay, fd, wait, opened;

	close(0);
	replay = accel_replay(r->queue, r->binding, &fence);
	fd = replay ? -1 : accel_fence_fd(fence);
	wait = replay ? replay : accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_destroy(fence);
	opened = accel_open(rig_device, &device);
	accel_close(device);
	dup2(input, 0);
	close(input);
	tap_ok(!replay && !fd && !wait, "a fence may have descriptor 0: %d", replay);
	tap_eq(opened, 0, "and so may a device");
}

static void test_zeros(struct rig *r)
{
	struct accel_buffer *buffer = NULL;
	u8 *memory;
	int i, k, dirty = 0;

	for (i = 0; i < 8; i++) {
		accel_buffer_create(r->device, 1 << 16, &buffer);
		accel_buffer_map(buffer, (void **)&memory);
		for (k = 0; k < 1 << 16; k++)
			dirty += memory[k];
		memset(memory, 0xa5, 1 << 16);
		accel_buffer_destroy(buffer);
	}
	tap_eq(dirty, 0, "a buffer is zero, whatever was in the one before");
}

/* The last byte of buffers whose page lists just fill their nodes, or just do not. */
static void test_page_lists(struct rig *r)
{
	static const u32 pages[] = { 1, 510, 511, 512, 1021, 1022, 1023, 1533, 1534 };
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_binding *binding;
	u32 i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct accel_queue *queue = r->queue;
		struct rig last = *r;
		void *memory;

		memcpy(slots, r->slots, sizeof(slots));
		if (accel_buffer_create(r->device, pages[i] * 4096ull, &slots[2].buffer) ||
		    accel_buffer_map(slots[2].buffer, &memory)) {
			tap_ok(false, "a buffer of %u pages", pages[i]);
			continue;
		}
		slots[2].offset = pages[i] * 4096ull - RIG_BYTES;
		binding = NULL;
		tap_eq(accel_binding_create(r->program, slots, RIG_SLOTS, &binding, NULL), 0,
		       "a binding to the end of a buffer");
		last.memory[2] = (float *)((u8 *)memory + slots[2].offset);
		last.binding = binding;
		last.queue = queue;
		rig_fill(&last, i);
		tap_ok(!rig_replay(&last) && rig_correct(&last, i), "of %u pages", pages[i]);
		accel_binding_destroy(binding);
		accel_buffer_destroy(slots[2].buffer);
	}
}

/* A program over the device's limit is refused whatever the caller would accept. */
static void test_budget(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_error error;
	u64 size;
	void *code = rig_assemble("machine edge\n"
				  "\tloop 16384 {\n"
				  "\t\tloop 16384 {\n"
				  "\t\t\tloop 64 {\n"
				  "\t\t\t\tnop\n"
				  "\t\t\t}\n"
				  "\t\t}\n"
				  "\t}\n"
				  "\thalt\n",
				  &size);

	tap_eq(accel_program_create(r->device, code, size, ~0ull, &program, &error), -EINVAL,
	       "a program of more cycles than the device allows");
	tap_ok(!program && error.reason, "is refused, whatever the budget");
	free(code);
}

static void test_info_sizes(struct rig *r)
{
	struct accel_info all, part;
	size_t size;
	bool ok = true;

	accel_device_info(r->device, &all, sizeof(all));
	for (size = 0; size < sizeof(part); size++) {
		memset(&part, 0x77, sizeof(part));
		ok &= !accel_device_info(r->device, &part, size);
		ok &= !memcmp(&part, &all, size) && ((u8 *)&part)[size] == 0x77;
	}
	tap_ok(ok, "a program that knows less of struct accel_info gets as much");
}

/* A slot that the program does not touch needs no buffer; slots of one group may be one memory. */
static void test_slots(struct rig *r)
{
	static const char untouched[] = "machine edge\nslot a\nslot b\n\thalt\n";
	static const char alias[] = "machine edge\n"
				    "slot a alias=1\n"
				    "slot b alias=1\n"
				    "desc in in a row=256 sram=0\n"
				    "desc out out b row=256 sram=0\n"
				    "\tdma c0, in\n"
				    "\twait c0<=0\n"
				    "\tdma c1, out\n"
				    "\thalt c1<=0\n";
	struct accel_slot_binding slots[2] = {};
	struct rig own = *r;
	u64 size;
	void *code = rig_assemble(untouched, &size);

	accel_program_create(r->device, code, size, 0, &own.program, NULL);
	tap_eq(accel_binding_create(own.program, slots, 2, &own.binding, NULL), 0,
	       "slots that are not touched need no buffer");
	tap_eq(rig_replay(&own), 0, "in a replay neither");
	accel_binding_destroy(own.binding);
	accel_program_destroy(own.program);
	free(code);

	code = rig_assemble(alias, &size);
	accel_program_create(r->device, code, size, 0, &own.program, NULL);
	slots[0] = (struct accel_slot_binding){ r->slots[0].buffer, 0 };
	slots[1] = (struct accel_slot_binding){ r->slots[0].buffer, 128 };
	tap_eq(accel_binding_create(own.program, slots, 2, &own.binding, NULL), 0,
	       "slots of one alias group may overlap");
	rig_fill(r, 3);
	tap_eq(rig_replay(&own), 0, "and run");
	tap_ok(r->memory[0][32] == 3 && r->memory[0][95] == 66 && r->memory[0][96] == 99,
	       "on one memory");
	accel_binding_destroy(own.binding);
	accel_program_destroy(own.program);
	free(code);
}

/* As many slots as a program may have, each with a buffer. */
static void test_all_slots(struct rig *r)
{
	struct accel_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX];
	char text[RONDO_PROGRAM_SLOTS_MAX * 16] = "machine edge\n";
	struct rig own = *r;
	void *code;
	u64 size;
	u32 i;

	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		snprintf(text + strlen(text), 16, "slot s_%u\n", i);
		slots[i] = r->slots[i % RIG_SLOTS];
	}
	strcat(text, "\thalt\n");
	code = rig_assemble(text, &size);
	tap_eq(accel_program_create(r->device, code, size, 0, &own.program, NULL), 0,
	       "a program of all slots");
	tap_eq(accel_binding_create(own.program, slots, RONDO_PROGRAM_SLOTS_MAX, &own.binding,
				    NULL),
	       0, "with buffers");
	tap_eq(rig_replay(&own), 0, "runs");
	accel_binding_destroy(own.binding);
	accel_program_destroy(own.program);
	free(code);
	rig_fill(r, 4);
	tap_ok(!rig_replay(r) && rig_correct(r, 4), "and gives back the buffers once");
}

/* A slot that neither program nor tensors touch has no buffer. */
static void test_untouched_slot(struct rig *r)
{
	static const char text[] = "machine edge\nslot a\nslot b\nslot c\nslot d\n"
				   "desc get in a row=4096 sram=0\n"
				   "desc get2 in b row=4096 sram=4096\n"
				   "desc put out c row=4096 sram=0\n"
				   "\tdma c0, get\n\tdma c1, get2\n\twait c0<=0\n\tdma c2, put\n"
				   "\thalt c1<=0, c2<=0\n";
	struct accel_session *session = NULL;
	struct accel_model *model;
	struct rig own = *r;

	own.code = rig_assemble(text, &own.code_bytes);
	model = rig_model(&own, 0, 0);
	tap_eq(accel_session_create(r->device, model, &session, NULL), 0,
	       "a session with a slot that nothing touches");
	tap_ok(!accel_session_start(session) && !accel_session_wait(session, ACCEL_FOREVER),
	       "runs");
	accel_session_destroy(session);
	accel_model_destroy(model);
	free(own.code);
}

/* Sessions: weights are there, a wait may end early, and a run does not keep one alive. */
static void test_session(struct rig *r)
{
	struct accel_session *session = NULL;
	struct accel_model *model = rig_model(r, 0, 0);
	void *in, *out, *again;
	struct accel_error error;
	int i, fds, run;

	tap_eq(accel_session_create(r->device, model, &session, NULL), 0, "a session with weights");
	accel_session_tensor(session, ACCEL_INPUT, 0, &in, NULL);
	accel_session_tensor(session, ACCEL_OUTPUT, 0, &out, NULL);
	for (run = 0; run < 2; run++) {
		u32 hits = rig_fault_hits(r, "seq_work");

		for (i = 0; i < RIG_ELEMENTS; i++)
			((float *)in)[i] = run;
		rig_fault(r, "seq_work", 1);
		tap_eq(accel_session_start(session), 0, "started");
		rig_fault_wait(r, "seq_work", hits);
		tap_eq(accel_session_wait(session, 0), -ETIMEDOUT, "it has not ended");
		tap_eq(accel_session_start(session), -EBUSY, "and is not forgotten");
		rig_fault(r, "seq_work", 0);
		tap_eq(accel_session_wait(session, ACCEL_FOREVER), 0, "ask again");
		for (i = 0; i < RIG_ELEMENTS && ((float *)out)[i] == run + 3 * i; i++)
			;
		tap_eq(i, RIG_ELEMENTS, "the weights were there");
	}
	accel_session_tensor(session, ACCEL_OUTPUT, 0, &again, NULL);
	tap_ok(again == out, "tensors stay where they are");

	rig_expect("a replay failed at bundle");
	rig_fault(r, "overrun", 1000);
	accel_session_start(session);
	tap_eq(accel_session_wait(session, ACCEL_FOREVER), -ETIME, "a run that fails");
	tap_eq(accel_session_error(session, &error), -ETIME, "is told how");
	tap_ok(error.text[0] && error.index != ACCEL_UNKNOWN, "and where: %s", error.text);
	tap_ok(!accel_session_start(session) && !accel_session_wait(session, ACCEL_FOREVER),
	       "the next one is well");
	tap_ok(!accel_session_error(session, &error) && !error.text[0], "and says so");
	accel_session_destroy(session);

	accel_session_create(r->device, model, &session, NULL);
	fds = rig_count_fds();
	accel_session_start(session);
	accel_session_destroy(session);
	tap_ok(rig_count_fds() <= fds, "one that is destroyed while it runs leaves nothing");
	accel_model_destroy(model);
}

/* Without file descriptors, or threads. */
static void test_no_descriptors(struct rig *r)
{
	struct accel_fence *fence = (void *)8;
	struct accel_device *device = (void *)8;
	struct rlimit old, low;
	int top = dup(0), replay, opened;

	close(top);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = top;
	setrlimit(RLIMIT_NOFILE, &low);
	replay = accel_replay(r->queue, r->binding, &fence);
	opened = accel_open(rig_device, &device);
	setrlimit(RLIMIT_NOFILE, &old);
	tap_ok(replay == -EMFILE && fence == (void *)8, "no descriptor for a fence: %d", replay);
	tap_ok(opened == -EMFILE && device == (void *)8, "nor for a device: %d", opened);
	rig_fill(r, 1);
	tap_ok(!rig_replay(r) && rig_correct(r, 1), "with descriptors all is well");
}

static void test_no_threads(void)
{
	const struct rlimit none = {};
	int status;
	pid_t pid;

	if (!rig_emulated())
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct accel_device *device;
		struct accel_error error;
		int ret;

		if (setuid(65534) || setrlimit(RLIMIT_NPROC, &none))
			_exit(2);
		ret = accel_device_open("emu", &device, &error);
		_exit(ret == -EAGAIN && error.text[0] ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		tap_skip("a process that may have no more threads",
			 "it cannot become another user");
	else
		tap_ok(WIFEXITED(status) && !WEXITSTATUS(status),
		       "a process that may have no more threads: EAGAIN");
}

/* Syncobjs, which only the kernel's driver has. */
static void test_syncs(struct rig *r)
{
	struct accel_replay replay = { .binding = r->binding };
	struct accel_job job = { .replays = &replay, .replay_count = 1 };
	struct accel_sync sync[2] = {}, many[64];
	struct accel_fence *first, *second;
	struct accel_queue *other = NULL;
	struct rig copy = *r;
	u32 binary, timeline, i;
	u64 point = 0;
	int fd;

	if (rig_emulated())
		return;
	fd = accel_device_fd(r->device);
	tap_ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the device's file is closed on exec");
	drmSyncobjCreate(fd, 0, &binary);
	drmSyncobjCreate(fd, 0, &timeline);
	sync[0].handle = binary;
	sync[1] = (struct accel_sync){ .handle = timeline, .point = 5 };
	job.out_syncs = sync;
	job.out_count = 2;
	accel_queue_create(r->device, 1024, &other);
	/* Buffers of its own: nothing but the sync makes it wait. */
	tap_eq(rig_buffers(&copy), 0, "buffers");
	accel_binding_create(r->program, copy.slots, RIG_SLOTS, &copy.binding, NULL);
	rig_fault(r, "seq_work", 1);
	tap_eq(accel_submit(r->queue, &job, &first), 0, "a job with out syncs");
	replay.binding = copy.binding;
	job.out_count = 0;
	job.in_syncs = &sync[1];
	job.in_count = 1;
	tap_eq(accel_submit(other, &job, &second), 0, "one that waits for a point of them");
	rig_fault(r, "seq_work", 0);
	tap_eq(accel_fence_wait(second, ACCEL_FOREVER), 0, "ends");
	tap_eq(accel_fence_wait(first, 0), 0, "after the first");
	tap_eq(drmSyncobjWait(fd, &binary, 1, 0, 0, NULL), 0, "the binary one has signalled");
	tap_ok(!drmSyncobjQuery(fd, &timeline, &point, 1) && point == 5,
	       "and the timeline's point");
	accel_fence_destroy(first);
	accel_fence_destroy(second);
	for (i = 0; i < 64; i++)
		many[i] = (struct accel_sync){ .handle = binary };
	job.in_count = 0;
	job.out_syncs = many;
	job.out_count = 63;
	tap_eq(accel_submit(other, &job, NULL), 0, "63 out syncs");
	job.out_count = 64;
	tap_eq(accel_submit(other, &job, NULL), -ENOSPC, "not 64");
	accel_queue_destroy(other);
	accel_binding_destroy(copy.binding);
	for (i = 0; i < RIG_SLOTS; i++)
		accel_buffer_destroy(copy.slots[i].buffer);
	drmSyncobjDestroy(fd, binary);
	drmSyncobjDestroy(fd, timeline);
}

/* Everything of a replay is destroyed while the device holds it. */
static void test_destroyed_while_held(void)
{
	struct accel_fence *fence;
	struct rig r;
	int i;

	if (rig_init(&r)) {
		rig_fill(&r, 8);
		fence = hold(&r, r.queue, r.binding);
		accel_binding_destroy(r.binding);
		accel_program_destroy(r.program);
		for (i = 0; i < RIG_SLOTS - 1; i++)
			accel_buffer_destroy(r.slots[i].buffer);
		r.binding = NULL;
		r.program = NULL;
		r.slots[0].buffer = r.slots[1].buffer = NULL;
		rig_fault(&r, "seq_work", 0);
		tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0,
		       "a replay whose binding, program and inputs are destroyed under it");
		tap_ok(r.memory[2][9] == 9 + 8 + 0.5f * 9, "is right");
		accel_fence_destroy(fence);
	}
	rig_fini(&r);
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	test_no_threads();
	if (rig_init(&r)) {
		test_order_of_queues(&r);
		test_order_in_a_queue(&r, 1);
		test_order_in_a_queue(&r, 2);
		test_order_in_a_queue(&r, 4);
		if (!rig_jobs_come_singly())
			test_shares(&r);
		test_page_lists(&r);
		test_zeros(&r);
		test_budget(&r);
		test_info_sizes(&r);
		test_slots(&r);
		test_all_slots(&r);
		test_untouched_slot(&r);
		test_session(&r);
		test_no_descriptors(&r);
		test_descriptor_zero(&r);
		test_syncs(&r);
	}
	rig_fini(&r);
	test_memory_given_back();
	test_destroyed_while_held();
	return tap_done();
}
