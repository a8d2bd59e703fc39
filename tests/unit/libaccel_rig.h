/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the libaccel tests share: a device with a small program, c = a + b over 1024 f32
 * (tests/programs/vector_add.rasm), and buffers for its three slots. The device is the emulated
 * one, or what the test's argument names: in the guest that is the kernel driver's.
 */
#ifndef TESTS_LIBACCEL_RIG_H
#define TESTS_LIBACCEL_RIG_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"
#include "userspace/libaccel/accel.h"

enum { RIG_SLOTS = 3, RIG_ELEMENTS = 1024, RIG_BYTES = RIG_ELEMENTS * 4 };

/* A program that adds 1 to 64 numbers in its slot, then does @more. */
#define RIG_COUNTER(more)                 \
	"machine edge\n"                  \
	"slot n align=64\n"               \
	"desc get in n row=256 sram=0\n"  \
	"desc put out n row=256 sram=0\n" \
	"entry x base=0\n"                \
	"\tdma c0, get\n"                 \
	"\tmovi v1, 1 | wait c0<=0\n"     \
	"\tld.w v0, x\n"                  \
	"\tnop\n"                         \
	"\tnop\n"                         \
	"\tadd v0, v0, v1\n"              \
	"\tnop\n"                         \
	"\tst.w x, v0\n"                  \
	"\tdma c0, put\n" more "\thalt c0<=0\n"

static const char *rig_device = "emu"; /* for accel_open() */

static inline bool rig_emulated(void)
{
	return !strncmp(rig_device, "emu", 3);
}

/* Descriptors of this process, and those that counting takes. */
static inline int rig_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/*
 * Whether the device reaches only copies of buffers, as in a guest with swiotlb=force: results are
 * seen when a replay has ended, and a queue has one job at a time.
 */
static inline bool rig_sees_copies(void)
{
	FILE *f = rig_emulated() ? NULL : fopen("/proc/cmdline", "r");
	char line[4096] = "";
	bool copies = f && fgets(line, sizeof(line), f) && strstr(line, "swiotlb=") &&
		      (strstr(line, "=force") || strstr(line, ",force"));

	if (f)
		fclose(f);
	return copies;
}

/*
 * Whether jobs of a queue come to the device one by one, since buffers are synchronised around
 * each. Behind an IOMMU only the kernel's check of DMA asks for that.
 */
static inline bool rig_jobs_come_singly(void)
{
	return rig_sees_copies() || (!rig_emulated() && !access("/sys/class/iommu/dmar0", F_OK) &&
				     !access("/sys/kernel/debug/dma-api", F_OK));
}

struct rig {
	struct accel_device *device;
	void *code; /* of the program; free() it */
	u64 code_bytes;
	struct accel_program *program;
	struct accel_slot_binding slots[RIG_SLOTS];
	float *memory[RIG_SLOTS];
	struct accel_binding *binding;
	struct accel_queue *queue;
};

/* A step of a test begins. One that takes two minutes waits for ever: that ends the test. */
static inline void rig_step(void)
{
	if (rig_emulated())
		alarm(120);
}

/* Assembles @text; ends the test program if that fails. */
static inline void *rig_assemble(const char *text, u64 *size)
{
	struct asm_errors errors = {};
	void *code;

	if (asm_assemble(text, &code, size, &errors)) {
		asm_print_errors(stderr, "test", &errors);
		printf("Bail out! the test's program does not assemble\n");
		exit(1);
	}
	return code;
}

/* Assembles the file @path. */
static inline void *rig_assemble_file(const char *path, u64 *size)
{
	FILE *f = fopen(path, "r");
	static char text[65536];
	size_t length;

	if (!f) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
	length = fread(text, 1, sizeof(text) - 1, f);
	text[length] = 0;
	fclose(f);
	return rig_assemble(text, size);
}

static inline int rig_buffers(struct rig *r)
{
	void *memory;
	int i, ret = 0;

	for (i = 0; i < RIG_SLOTS && !ret; i++) {
		r->slots[i].offset = 0;
		ret = accel_buffer_create(r->device, RIG_BYTES, &r->slots[i].buffer);
		if (!ret)
			ret = accel_buffer_map(r->slots[i].buffer, &memory);
		if (!ret)
			r->memory[i] = memory;
	}
	return ret;
}

/* Opens rig_device and makes everything; reports it as a case. */
static inline bool rig_init(struct rig *r)
{
	int ret;

	rig_step();
	memset(r, 0, sizeof(*r));
	r->code = rig_assemble_file("tests/programs/vector_add.rasm", &r->code_bytes);
	ret = accel_open(rig_device, &r->device);
	if (!ret)
		ret = accel_program_create(r->device, r->code, r->code_bytes, 0, &r->program, NULL);
	if (!ret)
		ret = rig_buffers(r);
	if (!ret)
		ret = accel_binding_create(r->program, r->slots, RIG_SLOTS, &r->binding, NULL);
	if (!ret)
		ret = accel_queue_create(r->device, ACCEL_WEIGHT_DEFAULT, &r->queue);
	tap_eq(ret, 0, "a device with a program, a binding and a queue");
	return !ret;
}

/* Frees what there is. */
static inline void rig_fini(struct rig *r)
{
	int i;

	rig_step();
	accel_queue_destroy(r->queue);
	accel_binding_destroy(r->binding);
	for (i = 0; i < RIG_SLOTS; i++)
		accel_buffer_destroy(r->slots[i].buffer);
	accel_program_destroy(r->program);
	accel_close(r->device);
	free(r->code);
}

/* Inputs that depend on @seed, and an output that is wrong. */
static inline void rig_fill(struct rig *r, int seed)
{
	int i;

	for (i = 0; i < RIG_ELEMENTS; i++) {
		r->memory[0][i] = i + seed;
		r->memory[1][i] = 0.5f * i;
		r->memory[2][i] = -1;
	}
}

static inline bool rig_correct(const struct rig *r, int seed)
{
	int i;

	for (i = 0; i < RIG_ELEMENTS; i++)
		if (r->memory[2][i] != i + seed + 0.5f * i)
			return false;
	return true;
}

static inline int64_t rig_in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + ms * INT64_C(1000000);
}

/*
 * A model of the rig's program, whose slot 1 has the weights 3 * i: input "a" of @elements, output
 * "c", and, if @count is not 0, one node "conv" of the bundles from @first on.
 */
static inline struct accel_model *rig_model_of(const struct rig *r, u32 elements, u32 first,
					       u32 count)
{
	static const char strings[] = "a\0c\0conv";
	const struct rondo_region region = { .name = 4, .first = first, .count = count };
	const struct rondo_tensor tensors[2] = {
		{ .kind = RONDO_TENSOR_INPUT,
		  .dtype = RONDO_F32,
		  .rank = 1,
		  .dim = { elements } },
		{ .name = 2,
		  .kind = RONDO_TENSOR_OUTPUT,
		  .dtype = RONDO_F32,
		  .rank = 1,
		  .slot = 2,
		  .dim = { RIG_ELEMENTS } },
	};
	float weights[RIG_ELEMENTS];
	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, r->code, r->code_bytes },
		{ RONDO_SECTION_SLOT_DATA, 1, weights, sizeof(weights) },
		{ RONDO_SECTION_TENSORS, 0, tensors, sizeof(tensors) },
		{ RONDO_SECTION_STRINGS, 0, strings, sizeof(strings) },
		{ RONDO_SECTION_REGIONS, 0, &region, sizeof(region) },
	};
	u32 sections = count ? 5 : 4;
	u64 size = rondo_file_bytes(parts, sections);
	struct accel_model *model = NULL;
	u8 *file = malloc(size);
	int i;

	for (i = 0; i < RIG_ELEMENTS; i++)
		weights[i] = 3 * i;
	rondo_file_write(file, parts, sections);
	tap_eq(accel_model_parse(file, size, &model, NULL), 0, "a model of the program");
	free(file);
	return model;
}

/* The same whose input is what the program reads. */
static inline struct accel_model *rig_model(const struct rig *r, u32 first, u32 count)
{
	return rig_model_of(r, RIG_ELEMENTS, first, count);
}

/* Replays once and waits. */
static inline int rig_replay(struct rig *r)
{
	struct accel_fence *fence;
	int ret;

	rig_step();
	ret = accel_replay(r->queue, r->binding, &fence);
	if (ret)
		return ret;
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_destroy(fence);
	return ret;
}

/* RIG_COUNTER and its buffer: a replay must not be repeated. */
struct rig_counter {
	struct accel_program *program;
	struct accel_binding *binding;
	struct accel_buffer *buffer;
	u32 *words;
};

static inline void rig_counter_init(struct rig *r, struct rig_counter *c)
{
	struct accel_slot_binding slot = {};
	u64 size;
	void *memory = NULL, *code = rig_assemble(RIG_COUNTER(""), &size);
	int ret = accel_program_create(r->device, code, size, 0, &c->program, NULL);

	if (!ret)
		ret = accel_buffer_create(r->device, 256, &c->buffer);
	if (!ret)
		ret = accel_buffer_map(c->buffer, &memory);
	slot.buffer = c->buffer;
	if (!ret)
		ret = accel_binding_create(c->program, &slot, 1, &c->binding, NULL);
	tap_eq(ret, 0, "a program that counts");
	c->words = memory;
	free(code);
}

static inline void rig_counter_fini(struct rig_counter *c)
{
	accel_binding_destroy(c->binding);
	accel_program_destroy(c->program);
	accel_buffer_destroy(c->buffer);
}

#endif
