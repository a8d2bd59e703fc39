// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Models: what a good .rnd file gives, every truncation, every byte flipped (the sanitizers
 * judge). Every field that can be wrong: core_file_test.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/unit/rnd_file.h"
#include "userspace/libaccel/accel.h"

static void test_good(void)
{
	struct rnd_file f = rnd_file_good();
	struct accel_model *m;
	struct accel_slot_info slot;
	struct accel_tensor t;
	struct accel_region region;
	struct accel_error error;
	u32 index;
	size_t size;

	tap_eq(accel_model_parse(&f, sizeof(f), &m, &error), 0, "a good file is a model");
	tap_ok(!memcmp(accel_model_program(m, &size), &f.program, sizeof(f.program)) &&
		       size == sizeof(f.program),
	       "its program");
	tap_eq(accel_model_slot_count(m), 2, "its slots");
	tap_eq(accel_model_slot(m, 0, &slot), 0, "slot 0");
	tap_eq(slot.size, 56, "is as large as the tensor that ends last");
	tap_ok(slot.align == 64 && !slot.dynamic && !slot.alias, "has alignment, no flags");
	tap_ok(slot.data_size == RND_DATA_BYTES && !memcmp(slot.data, f.data, RND_DATA_BYTES),
	       "has its data");
	tap_eq(accel_model_slot(m, 1, &slot), 0, "slot 1");
	tap_ok(slot.size == 24 && slot.align == 4 && slot.dynamic && slot.alias == 3 && !slot.data,
	       "is as large as its extent, dynamic, of an alias group, without data");
	tap_eq(accel_model_slot(m, 2, &slot), -ENOENT, "there is no slot 2");
	tap_ok(accel_model_tensor_count(m, ACCEL_INPUT) == 2 &&
		       accel_model_tensor_count(m, ACCEL_OUTPUT) == 1,
	       "two inputs, one output");
	tap_eq(accel_model_tensor(m, ACCEL_INPUT, 0, &t), 0, "input 0");
	tap_ok(!strcmp(t.name, "x") && t.dtype == ACCEL_F32 && t.rank == 2 && t.dim[0] == 2 &&
		       t.dim[1] == 5 && t.offset == 16 && t.bytes == 40 && t.scale == 0,
	       "has what was written");
	tap_eq(accel_model_find(m, ACCEL_INPUT, "y", &index, &t), 0, "an input by its name");
	tap_ok(index == 1 && t.bytes == 7 && t.scale == 0.5f && t.zero_point == 128,
	       "has its quantisation");
	tap_eq(accel_model_find(m, ACCEL_OUTPUT, "y", NULL, &t), 0, "an output of that name");
	tap_ok(t.rank == 0 && t.bytes == 4, "is a scalar");
	tap_eq(accel_model_find(m, ACCEL_OUTPUT, "x", NULL, &t), -ENOENT, "there is no output x");
	tap_eq(accel_model_tensor(m, ACCEL_INPUT, 2, &t), -ENOENT, "there is no input 2");
	tap_eq(accel_model_region_count(m), 2, "its regions");
	tap_ok(!accel_model_region(m, 0, &region) && !strcmp(region.name, "conv") &&
		       region.first == 0 && region.count == 2,
	       "region 0");
	tap_eq(accel_model_region(m, 2, &region), -ENOENT, "there is no region 2");
	accel_model_destroy(m);
	accel_model_destroy(NULL);
}

/* Only a program: everything else may be missing. */
static void test_least(void)
{
	struct rnd_file f = rnd_file_good();
	struct accel_model *m;

	f.header.sections = 1;
	tap_eq(accel_model_parse(&f, sizeof(f), &m, NULL), 0, "a program is enough");
	tap_eq(accel_model_tensor_count(m, ACCEL_INPUT), 0, "it has no tensors");
	accel_model_destroy(m);
}

/* A tensor of each element type that there is. */
static void test_dtypes(void)
{
	static const struct {
		enum accel_dtype dtype;
		u32 bytes;
	} dtypes[] = {
		{ ACCEL_F32, 4 }, { ACCEL_U8, 1 },  { ACCEL_S8, 1 },
		{ ACCEL_S32, 4 }, { ACCEL_S64, 8 }, { ACCEL_BOOL, 1 },
	};
	u32 i;

	for (i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
		struct rnd_file f = rnd_file_good();
		struct accel_model *m;
		struct accel_tensor t;

		f.tensor[0].dtype = dtypes[i].dtype;
		if (!tap_ok(!accel_model_parse(&f, sizeof(f), &m, NULL), "element type %u",
			    dtypes[i].dtype))
			continue;
		accel_model_tensor(m, ACCEL_INPUT, 0, &t);
		tap_ok(t.dtype == dtypes[i].dtype && t.bytes == 10 * dtypes[i].bytes,
		       "has %u bytes", dtypes[i].bytes);
		accel_model_destroy(m);
	}
}

/* Refused, with this text. */
#define BAD(change, expect)                                                      \
	do {                                                                     \
		struct rnd_file f = rnd_file_good();                             \
		struct accel_model *m = NULL;                                    \
		struct accel_error error;                                        \
		int ret;                                                         \
		change;                                                          \
		ret = accel_model_parse(&f, sizeof(f), &m, &error);              \
		if (!tap_ok(ret == -EINVAL && !m && !strcmp(error.text, expect), \
			    "refused: " expect))                                 \
			printf("# %d %s\n", ret, ret ? error.text : "accepted"); \
	} while (0)

/* What can be wrong: core_file_test.c. Here: where that is said to be. */
static void test_bad(void)
{
	BAD(f.header.magic++, "not a .rnd file");
	BAD(f.program.header.magic++, "program: not a program, or of another container version");
	BAD(f.section[4].size = sizeof(f), "section 4: empty, misaligned, or outside the file");
	BAD(f.program.slot[1].read_hi = ~0ull, "slot 1: it is larger than a buffer can be");
	BAD(f.tensor[2].rank = 9, "tensor 2: more dimensions than the limit");
	BAD(f.region[1].count = 2, "region 1: empty, out of order, or outside the program");
}

/* Parses a copy that ends where its memory ends; returns what parsing did. */
static int parse_exact(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	struct accel_model *m;
	int ret;

	memcpy(copy, bytes, size);
	ret = accel_model_parse(copy, size, &m, NULL);
	if (!ret)
		accel_model_destroy(m);
	free(copy);
	return ret;
}

static void test_truncated(void)
{
	struct rnd_file f = rnd_file_good();
	u32 accepted = 0;
	size_t size;

	for (size = 0; size < sizeof(f); size++) {
		f.header.size = size; /* else the size alone gives it away */
		accepted += !parse_exact(&f, size);
	}
	tap_eq(accepted, 0, "no truncated file is accepted");
}

/* A flipped byte is refused, or gives a model whose parts can all be read. */
static void test_flipped(void)
{
	struct rnd_file f = rnd_file_good();
	struct accel_slot_info slot;
	struct accel_tensor t;
	struct accel_model *m;
	u32 accepted = 0, refused = 0, i, k;
	u8 sum = 0;
	size_t at, n;

	for (at = 0; at < sizeof(f); at++) {
		for (k = 0; k < 8; k++) {
			((u8 *)&f)[at] ^= 1 << k;
			if (accel_model_parse(&f, sizeof(f), &m, NULL)) {
				refused++;
			} else {
				accepted++;
				for (i = 0; !accel_model_slot(m, i, &slot); i++)
					for (n = 0; n < slot.data_size; n++)
						sum += ((const u8 *)slot.data)[n];
				for (i = 0; !accel_model_tensor(m, ACCEL_INPUT, i, &t); i++)
					sum += strlen(t.name);
				accel_model_destroy(m);
			}
			((u8 *)&f)[at] ^= 1 << k;
		}
	}
	tap_ok(refused > 1000 && accepted > 1000, "every flipped bit is refused or harmless");
	printf("# %u refused, %u accepted, sum %u\n", refused, accepted, sum);
}

static void test_files(void)
{
	char path[] = "/tmp/libaccel_model_XXXXXX";
	struct rnd_file f = rnd_file_good();
	struct accel_model *m;
	struct accel_error error;
	int fd = mkstemp(path);

	tap_ok(fd >= 0 && write(fd, &f, sizeof(f)) == sizeof(f), "a file of it");
	close(fd);
	tap_eq(accel_model_load(path, &m, &error), 0, "is a model");
	accel_model_destroy(m);
	unlink(path);
	tap_eq(accel_model_load(path, &m, &error), -ENOENT, "no file: ENOENT");
	tap_ok(error.text[0], "and a text");
	tap_eq(accel_model_load("/tmp", &m, &error), -EISDIR, "a directory: EISDIR");
	tap_eq(accel_model_load("/dev/null", &m, &error), -EINVAL, "a device: EINVAL");
	tap_ok(!mkfifo(path, 0600), "a pipe that nobody writes to");
	tap_eq(accel_model_load(path, &m, &error), -EINVAL, "is refused at once");
	unlink(path);
}

int main(void)
{
	test_good();
	test_least();
	test_dtypes();
	test_bad();
	test_truncated();
	test_flipped();
	test_files();
	return tap_done();
}
