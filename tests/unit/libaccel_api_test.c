// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The API: the good path, and each documented error; libaccel_api_test [DEVICE]. */
#include <poll.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/verify.h"
#include "spec/program.h"
#include "tests/unit/libaccel_rig.h"

static void test_device(struct rig *r)
{
	struct rondo_machine machine, edge;
	struct accel_clock before, after;
	struct accel_info info;
	struct {
		struct accel_info info;
		u64 newer;
	} larger = { .newer = 1 };
	struct accel_device *device = NULL;
	u64 then;
	int ret;

	tap_eq(accel_device_info(r->device, &info, sizeof(info)), 0, "what the device is");
	tap_ok(!strcmp(info.backend, rig_emulated() ? "emu" : "drm") && info.replays_max == 1024 &&
		       info.offsets_max == 8 && info.firmware >> 16 == 1,
	       "its limits and its firmware");
	tap_eq(accel_device_info(r->device, &larger.info, sizeof(larger)), 0,
	       "into a larger struct");
	tap_eq(larger.newer, 0, "whose rest becomes zero");
	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	tap_eq(accel_device_machine(r->device, &machine, sizeof(machine)), 0, "its machine");
	tap_ok(!memcmp(&machine, &edge, sizeof(edge)), "is edge");
	tap_eq(info.machine_hash, rondo_machine_hash(&edge), "and so is the hash");
	tap_eq(accel_device_machine(r->device, &machine, 63), -EINVAL, "in too little room");
	then = rig_in_ms(0);
	tap_eq(accel_device_clock(r->device, &before), 0, "the clocks");
	tap_ok(then <= before.monotonic_ns && before.monotonic_ns <= (u64)rig_in_ms(0),
	       "one is CLOCK_MONOTONIC");
	tap_eq(rig_replay(r), 0, "a replay");
	tap_eq(accel_device_clock(r->device, &after), 0, "the clocks again");
	tap_ok(after.device_cycles - before.device_cycles >= accel_program_cycles(r->program) &&
		       after.monotonic_ns > before.monotonic_ns,
	       "both have moved, device time by the replay at least");
	if (rig_emulated())
		tap_eq(accel_device_fd(r->device), -ENOTSUP, "there is no device file");
	else
		tap_ok(accel_device_fd(r->device) >= 0, "its file");
	tap_eq(accel_open("/dev/null", &device), -ENOTSUP, "another driver's file");
	tap_eq(accel_open("/dev/accel/none", &device), -ENOENT, "no file");
	tap_ok(!device, "leaves the output alone");
	ret = accel_open(NULL, &device);
	tap_ok(!ret == !!device && (rig_emulated() || !ret),
	       "the kernel's driver's, if it is there");
	accel_close(device);
}

static void test_replays(struct rig *r)
{
	int i;

	for (i = 0; i < 3; i++) {
		rig_fill(r, i);
		tap_eq(rig_replay(r), 0, "a replay ends well");
		tap_ok(rig_correct(r, i), "and its result is right");
	}
}

static void test_buffers(struct rig *r)
{
	struct accel_buffer *buffer = NULL;
	void *memory, *again;

	tap_eq(accel_buffer_create(r->device, 0, &buffer), -EINVAL, "a buffer of nothing");
	tap_eq(accel_buffer_create(r->device, (1ull << 30) + 1, &buffer), -EINVAL,
	       "a buffer over the limit");
	tap_ok(!buffer, "is none");
	tap_eq(accel_buffer_create(r->device, 5000, &buffer), 0, "a buffer");
	tap_eq(accel_buffer_size(buffer), 8192, "is whole pages");
	tap_eq(accel_buffer_map(buffer, &memory), 0, "mapped");
	tap_ok(!accel_buffer_map(buffer, &again) && again == memory, "mapped again: the same");
	tap_ok(!((u8 *)memory)[0] && !((u8 *)memory)[8191], "zeros");
	accel_buffer_destroy(buffer);
	accel_buffer_destroy(NULL);
}

/* A changed copy of the program: what creating it gives. */
static int create_changed(struct rig *r, size_t at, u8 flip, size_t size, u64 budget,
			  struct accel_error *error)
{
	struct accel_program *program = NULL;
	u8 *copy = malloc(r->code_bytes + 64);
	int ret;

	memcpy(copy, r->code, r->code_bytes);
	copy[at] ^= flip;
	ret = accel_program_create(r->device, copy, size, budget, &program, error);
	accel_program_destroy(program);
	free(copy);
	return ret;
}

static void test_alignment(struct rig *r)
{
	struct accel_program *program;
	struct accel_error error;
	u64 *room = malloc(r->code_bytes + 8);
	u32 at, wrong = 0;

	for (at = 1; at < 8; at++) {
		memcpy((u8 *)room + at, r->code, r->code_bytes);
		wrong += accel_program_create(r->device, (u8 *)room + at, r->code_bytes, 0,
					      &program, &error) != -EINVAL ||
			 strcmp(error.text, "the program's bytes are not aligned to 8");
	}
	tap_eq(wrong, 0, "good programs that are not aligned are refused, in words");
	free(room);
}

static void test_programs(struct rig *r)
{
	const size_t slots = offsetof(struct rondo_program_header, slots);
	const size_t hash = offsetof(struct rondo_program_header, machine_hash);
	u64 cycles = accel_program_cycles(r->program);
	struct accel_error error;
	struct accel_energy energy;

	tap_eq(create_changed(r, 0, 0, r->code_bytes, 0, &error), 0, "the program once more");
	tap_ok(!error.reason && !error.text[0], "no error");
	tap_eq(create_changed(r, 0, 0, r->code_bytes, cycles, &error), 0, "its cycles as budget");
	tap_eq(create_changed(r, 0, 0, r->code_bytes, cycles - 1, &error), -EINVAL, "one less");
	tap_ok(error.reason == RONDO_ERR_BUDGET && error.text[0], "exceeds the budget");
	tap_eq(create_changed(r, 0, 1, r->code_bytes, 0, &error), -EINVAL, "no program");
	tap_eq(error.reason, RONDO_ERR_MAGIC, "by its magic");
	tap_eq(create_changed(r, hash, 1, r->code_bytes, 0, &error), -EINVAL, "another machine's");
	tap_eq(error.reason, RONDO_ERR_MACHINE, "by its hash");
	tap_eq(create_changed(r, slots, 1, r->code_bytes, 0, &error), -EINVAL, "wrong counts");
	tap_eq(error.reason, RONDO_ERR_SIZE, "by its size");
	tap_eq(create_changed(r, 0, 0, r->code_bytes - 1, 0, &error), -EINVAL, "cut off");
	tap_eq(create_changed(r, 0, 0, 39, 0, &error), -EINVAL, "less than a header");
	tap_eq(error.reason, RONDO_ERR_SIZE, "by its size");
	tap_eq(create_changed(r, r->code_bytes - 1, 0x80, r->code_bytes, 0, &error), -EINVAL,
	       "a bundle that does not decode");
	tap_ok(error.index == ((struct rondo_program_header *)r->code)->bundles - 1 &&
		       error.slot == 7 && strstr(error.text, "V1"),
	       "named");
	tap_eq(create_changed(r, 0, 0, r->code_bytes, 0, NULL), 0, "without an error to fill");
	tap_eq(accel_program_create(r->device, r->code, (size_t)1 << 50, 0, NULL, &error), -E2BIG,
	       "larger than any program");
	tap_ok(!strncmp(error.text, "the program has 1125899906842624 bytes, the limit is ", 53),
	       "by its size and the limit: %s", error.text);
	test_alignment(r);
	accel_program_energy(r->program, &energy);
	tap_eq(energy.dma_bytes, RIG_SLOTS * RIG_BYTES, "moves three vectors by DMA");
	tap_ok(energy.vector_lanes == RIG_ELEMENTS && energy.macs == 0, "adds once per element");
	tap_ok(energy.compute_j > 0 && energy.movement_j > energy.compute_j,
	       "and spends more on moving than on adding");
}

/* 256 bytes are cleared because a register is loaded from what nobody wrote. */
static void test_clearing(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_energy energy;
	u64 size;
	void *code = rig_assemble("entry x base=1024\n"
				  "\tld.w v0, x\n"
				  "\tnop\n"
				  "\tnop\n"
				  "\thalt\n",
				  &size);

	tap_eq(accel_program_create(r->device, code, size, 0, &program, NULL), 0,
	       "a program before which SRAM is cleared");
	if (program) {
		accel_program_energy(program, &energy);
		tap_eq(energy.sram_bytes, 256 + 256, "counts what is cleared and what is read");
		tap_eq(energy.bundles, 4, "and its bundles");
	}
	accel_program_destroy(program);
	free(code);
}

/* c[16][64] = a[16][128] x b[128][64]. */
static void test_macs(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_energy energy = {};
	u64 size;
	void *code = rig_assemble_file("tests/programs/matmul.rasm", &size);

	tap_eq(accel_program_create(r->device, code, size, 0, &program, NULL), 0, "a product");
	if (program)
		accel_program_energy(program, &energy);
	tap_eq(energy.macs, 16 * 128 * 64, "counts its multiplications");
	accel_program_destroy(program);
	free(code);
}

/* Binds @slots; what that gives, and the error. */
static int try_bind(struct rig *r, const struct accel_slot_binding *slots, u32 count,
		    struct accel_error *error)
{
	struct accel_binding *binding = NULL;
	int ret = accel_binding_create(r->program, slots, count, &binding, error);

	accel_binding_destroy(binding);
	return ret;
}

/* The same with the slot at fault alone; 1 if it is not the same without an error to fill. */
static int bind(struct rig *r, const struct accel_slot_binding *slots, u32 count, u32 *index)
{
	struct accel_error error;
	int ret = try_bind(r, slots, count, &error);

	*index = error.index;
	return try_bind(r, slots, count, NULL) == ret ? ret : 1;
}

static void refuse(struct rig *r, const struct accel_slot_binding *slots, int ret, u32 slot,
		   const char *reason)
{
	struct accel_error error;

	tap_ok(try_bind(r, slots, RIG_SLOTS, &error) == ret && error.index == slot &&
		       strstr(error.text, reason),
	       "slot %u: %s", slot, error.text);
}

static void test_bindings(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *large;
	u32 index;

	accel_buffer_create(r->device, 4 * RIG_BYTES, &large);
	memcpy(slots, r->slots, sizeof(slots));
	tap_eq(bind(r, slots, 2, &index), -EINVAL, "too few slots");
	slots[1].offset = 32;
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -EINVAL, "misaligned offset");
	tap_eq(index, 1, "of slot 1");
	slots[1].offset = 64;
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -ERANGE, "offset that leaves too little");
	tap_eq(index, 1, "of slot 1");
	slots[1].offset = -64ull;
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -ERANGE, "offset that wraps around");
	slots[1] = (struct accel_slot_binding){};
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -ENOENT, "no buffer for a slot that is read");
	slots[0] = slots[1] = (struct accel_slot_binding){ large, 0 };
	tap_eq(bind(r, slots, RIG_SLOTS, &index), 0, "two slots that are only read: one memory");
	slots[2] = (struct accel_slot_binding){ large, RIG_BYTES - 64 };
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -EBUSY, "one that is written overlaps");
	tap_eq(index, 2, "slot 2 is at fault");
	slots[2].offset = RIG_BYTES;
	tap_eq(bind(r, slots, RIG_SLOTS, &index), 0, "just behind: no overlap");
	accel_buffer_destroy(large);
}

/* Whichever slot is at fault, it is named, and slots behind it that are right change nothing. */
static void test_slot_at_fault(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	u32 i;

	for (i = 0; i < RIG_SLOTS; i++) {
		memcpy(slots, r->slots, sizeof(slots));
		slots[i].offset = 32;
		refuse(r, slots, -EINVAL, i, "not a multiple of the alignment");
		slots[i].offset = 64;
		refuse(r, slots, -ERANGE, i, "too small");
		slots[i].buffer = NULL;
		refuse(r, slots, -ENOENT, i, "there is no buffer");
	}
	memcpy(slots, r->slots, sizeof(slots));
	slots[2] = slots[0];
	refuse(r, slots, -EBUSY, 2, "overlaps another slot");
}

/* More replays than the rings between host and device have entries. */
static void test_rings_go_around(struct rig *r)
{
	u32 i, good = 0;

	for (i = 0; i < 1200; i++)
		good += !rig_replay(r);
	tap_eq(good, 1200, "1,200 replays one after the other");
}

/* What belongs to another device is refused. */
static void test_two_devices(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_fence *fence = NULL;
	struct rig other;
	u32 index;

	if (!rig_init(&other))
		return;
	memcpy(slots, r->slots, sizeof(slots));
	slots[2] = other.slots[2];
	tap_eq(bind(r, slots, RIG_SLOTS, &index), -EINVAL, "a buffer of another device");
	tap_eq(index, 2, "its slot");
	tap_eq(accel_replay(r->queue, other.binding, &fence), -EINVAL,
	       "a binding of another device");
	tap_eq(rig_replay(&other), 0, "two devices work side by side");
	rig_fini(&other);
}

static void test_submit(struct rig *r)
{
	static struct accel_replay replays[1025];
	struct accel_offset offset = {};
	struct accel_sync sync = {}, bad[2] = { {}, { .reserved = 1 } };
	struct accel_job job = { .replays = replays, .replay_count = 1 };
	struct accel_fence *fence = NULL;
	int i;

	for (i = 0; i < 1025; i++)
		replays[i].binding = r->binding;
	tap_eq(accel_submit(r->queue, &job, NULL), 0, "a job without a fence to return");
	job.replay_count = 0;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "no replay");
	job.replay_count = 1025;
	tap_eq(accel_submit(r->queue, &job, &fence), -ENOSPC, "too many replays");
	job.replay_count = 1;
	job.reserved = 1;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "reserved field of the job");
	job.reserved = 0;
	replays[0].reserved = 1;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "reserved field of a replay");
	replays[0].reserved = 0;
	replays[0].offsets = &offset;
	replays[0].offset_count = 1;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "offset of a slot that is static");
	offset.slot = RIG_SLOTS;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "offset of no slot");
	replays[0].offset_count = 9;
	tap_eq(accel_submit(r->queue, &job, &fence), -ENOSPC, "too many offsets");
	replays[0].offset_count = 0;
	job.in_syncs = &sync;
	job.in_count = 1;
	tap_eq(accel_submit(r->queue, &job, &fence), rig_emulated() ? -ENOTSUP : -ENOENT,
	       "a syncobj that is none");
	job.in_syncs = bad;
	job.in_count = 2;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL,
	       "reserved field of a sync to wait for");
	job.in_count = 0;
	job.out_syncs = bad;
	job.out_count = 2;
	tap_eq(accel_submit(r->queue, &job, &fence), -EINVAL, "reserved field of one to signal");
	job.out_count = 0;
	tap_ok(!fence, "gave no fence");
	job.replay_count = 1024;
	tap_eq(accel_submit(r->queue, &job, &fence), 0, "as many replays as a job can have");
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "end well");
	accel_fence_destroy(fence);
}

static const char dynamic_text[] = "machine edge\n"
				   "slot a align=4 dynamic\n"
				   "slot b align=64 dynamic\n"
				   "desc in in a row=256 sram=0\n"
				   "desc out out b row=256 sram=0\n"
				   "	dma c0, in\n"
				   "	wait c0<=0\n"
				   "	dma c1, out\n"
				   "	halt c1<=0\n";

static int replay_at(struct rig *r, struct accel_binding *binding, struct accel_offset *offsets,
		     u32 count)
{
	struct accel_replay replay = { binding, offsets, count, 0 };
	struct accel_job job = { .replays = &replay, .replay_count = 1 };
	struct accel_fence *fence;
	int ret = accel_submit(r->queue, &job, &fence);

	if (ret)
		return ret;
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_destroy(fence);
	return ret;
}

/* Slot offsets: the replay copies 256 bytes from where one points to where the other does. */
static void test_offsets(struct rig *r)
{
	struct accel_offset offsets[3] = { { 0, 0, 100 }, { 1, 0, 128 } };
	struct accel_slot_binding slots[2] = { r->slots[0], r->slots[1] };
	u8 *from = (u8 *)r->memory[0], *to = (u8 *)r->memory[1];
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	u64 size;
	void *code = rig_assemble(dynamic_text, &size);
	int i;

	tap_eq(accel_program_create(r->device, code, size, 0, &program, NULL), 0,
	       "a program with dynamic slots");
	tap_eq(accel_binding_create(program, slots, 2, &binding, NULL), 0, "its binding");
	for (i = 0; i < RIG_BYTES; i++) {
		from[i] = i * 7;
		to[i] = 0;
	}
	tap_eq(replay_at(r, binding, offsets, 2), 0, "a replay with offsets");
	tap_ok(!memcmp(to + 128, from + 100, 256) && !to[127] && !to[128 + 256],
	       "reads and writes there");
	offsets[0].offset = RIG_BYTES - 256;
	tap_eq(replay_at(r, binding, offsets, 1), 0, "the last offset that fits");
	tap_ok(!memcmp(to, from + RIG_BYTES - 256, 256), "reads the end");
	offsets[0].offset += 4;
	tap_eq(replay_at(r, binding, offsets, 1), -ERANGE, "one step further");
	offsets[0].offset = 2;
	tap_eq(replay_at(r, binding, offsets, 1), -EINVAL, "a misaligned one");
	offsets[0].offset = 8;
	offsets[2] = offsets[0];
	tap_eq(replay_at(r, binding, offsets, 3), -EINVAL, "one slot twice");
	offsets[0].reserved = 1;
	tap_eq(replay_at(r, binding, offsets, 1), -EINVAL, "a reserved field");
	accel_binding_destroy(binding);
	accel_program_destroy(program);
	free(code);
}

static void test_limits(struct rig *r)
{
	struct accel_program *programs[65] = {};
	struct accel_binding *bindings[257] = {};
	struct accel_queue *queues[17] = {};
	int i, ret = 0;

	/* The rig has one of each. */
	for (i = 0; i < 63 && !ret; i++)
		ret = accel_program_create(r->device, r->code, r->code_bytes, 0, &programs[i],
					   NULL);
	tap_eq(ret, 0, "64 programs");
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &programs[63], NULL),
	       -ENOSPC, "not 65");
	accel_program_destroy(programs[0]);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &programs[0], NULL), 0,
	       "one more for one less");
	for (i = 0; i < 255 && !ret; i++)
		ret = accel_binding_create(r->program, r->slots, RIG_SLOTS, &bindings[i], NULL);
	tap_eq(ret, 0, "256 bindings");
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &bindings[255], NULL), -ENOSPC,
	       "not 257");
	for (i = 0; i < 15 && !ret; i++)
		ret = accel_queue_create(r->device, 1024, &queues[i]);
	tap_eq(ret, 0, "16 queues");
	tap_eq(accel_queue_create(r->device, 1, &queues[15]), -ENOSPC, "not 17");
	for (i = 0; i < 65; i++)
		accel_program_destroy(programs[i]);
	for (i = 0; i < 257; i++)
		accel_binding_destroy(bindings[i]);
	for (i = 0; i < 17; i++)
		accel_queue_destroy(queues[i]);
	tap_eq(accel_queue_create(r->device, 0, &queues[0]), -EINVAL, "a queue of no weight");
	tap_eq(accel_queue_create(r->device, 1025, &queues[0]), -EINVAL, "of too much weight");
}

/* What was used may be destroyed; what uses it goes on. */
static void test_destroyed_parts(void)
{
	struct accel_fence *fence = NULL;
	struct rig r;
	int i;

	if (rig_init(&r)) {
		rig_fill(&r, 5);
		accel_program_destroy(r.program);
		r.program = NULL;
		accel_close(r.device);
		r.device = NULL;
		tap_eq(rig_replay(&r), 0, "a replay when program and device are closed");
		tap_ok(rig_correct(&r, 5), "is right");
		tap_eq(accel_replay(r.queue, r.binding, &fence), 0, "another one");
		for (i = 0; i < RIG_SLOTS; i++) {
			accel_buffer_destroy(r.slots[i].buffer);
			r.slots[i].buffer = NULL;
		}
		accel_binding_destroy(r.binding);
		r.binding = NULL;
		tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0,
		       "ends well without its binding and buffers");
		accel_fence_destroy(fence);
	}
	rig_fini(&r);
}

static void test_sessions(struct rig *r)
{
	struct rondo_program_header *header = r->code;
	struct accel_session *session = NULL;
	struct accel_model *model = NULL;
	struct {
		struct rondo_file_header header;
		struct rondo_section section[3];
		u8 gap[40];
		struct rondo_tensor tensor[3];
		u8 gap2[32];
		char strings[64];
	} head = {
		.header = { RONDO_FILE_MAGIC, RONDO_FILE_VERSION, 3, 0 },
		.section = { { RONDO_SECTION_TENSORS, 0, 128, sizeof(head.tensor) },
			     { RONDO_SECTION_STRINGS, 0, 448, 64 },
			     { RONDO_SECTION_PROGRAM, 0, 512, r->code_bytes } },
		.tensor = { { .name = 0,
			      .kind = 0,
			      .dtype = 1,
			      .rank = 1,
			      .slot = 0,
			      .dim = { RIG_ELEMENTS } },
			    { .name = 2,
			      .kind = 0,
			      .dtype = 1,
			      .rank = 1,
			      .slot = 1,
			      .dim = { RIG_ELEMENTS } },
			    { .name = 4,
			      .kind = 1,
			      .dtype = 1,
			      .rank = 1,
			      .slot = 2,
			      .dim = { RIG_ELEMENTS } } },
		.strings = "a\0b\0c",
	};
	size_t size = 512 + r->code_bytes;
	u8 *file = malloc(size);
	u64 bytes = 0;
	void *data[3] = {};
	float *a, *b, *c;

	static_assert(sizeof(head) == 512, "layout of the test's file");
	head.header.size = size;
	memcpy(file, &head, sizeof(head));
	memcpy(file + 512, header, r->code_bytes);
	tap_eq(accel_model_parse(file, size, &model, NULL), 0, "a model");
	tap_eq(accel_session_create(r->device, model, &session, NULL), 0, "a session of it");
	tap_eq(accel_session_tensor(session, ACCEL_INPUT, 0, &data[0], &bytes), 0, "an input");
	tap_eq(bytes, RIG_BYTES, "of so many bytes");
	accel_session_tensor(session, ACCEL_INPUT, 1, &data[1], NULL);
	tap_eq(accel_session_tensor(session, ACCEL_OUTPUT, 0, &data[2], NULL), 0, "an output");
	tap_eq(accel_session_tensor(session, ACCEL_OUTPUT, 1, &data[2], NULL), -ENOENT, "no other");
	tap_eq(accel_program_cycles(accel_session_program(session)),
	       accel_program_cycles(r->program), "its program");
	a = data[0];
	b = data[1];
	c = data[2];
	a[7] = 40;
	b[7] = 2;
	tap_eq(accel_session_wait(session, ACCEL_FOREVER), -EINVAL, "nothing to wait for");
	tap_eq(accel_session_start(session), 0, "start");
	tap_eq(accel_session_start(session), -EBUSY, "not twice");
	tap_eq(accel_session_wait(session, ACCEL_FOREVER), 0, "wait");
	tap_ok(c[7] == 42 && c[8] == 0, "the result");
	accel_session_destroy(session);
	accel_session_destroy(NULL);
	accel_model_destroy(model);
	free(file);
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	if (rig_init(&r)) {
		test_device(&r);
		test_replays(&r);
		test_buffers(&r);
		test_programs(&r);
		test_clearing(&r);
		test_macs(&r);
		test_bindings(&r);
		test_slot_at_fault(&r);
		test_rings_go_around(&r);
		test_two_devices(&r);
		test_submit(&r);
		test_offsets(&r);
		test_limits(&r);
		test_sessions(&r);
		test_replays(&r);
	}
	rig_fini(&r);
	test_destroyed_parts();
	return tap_done();
}
