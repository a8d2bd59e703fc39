// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The parser of .rnd files: what a good file gives, every field that can be wrong, every
 * truncation, every byte flipped (the sanitizers judge).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
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

/* One wrong field each: refused, with a text. */
#define BAD(change, name)                                                             \
	do {                                                                          \
		struct rnd_file f = rnd_file_good();                                  \
		struct accel_model *m = NULL;                                         \
		struct accel_error error;                                             \
		int ret;                                                              \
		change;                                                               \
		ret = accel_model_parse(&f, sizeof(f), &m, &error);                   \
		if (!tap_ok(ret == -EINVAL && !m && error.text[0], "refused: " name)) \
			printf("# %d %s\n", ret, ret ? error.text : "accepted");      \
		if (!ret)                                                             \
			accel_model_destroy(m);                                       \
	} while (0)

static void test_bad_header(void)
{
	BAD(f.header.magic++, "wrong magic");
	BAD(f.header.version++, "another version");
	BAD(f.header.size++, "a size that is not the file's");
	BAD(f.header.sections = 69, "too many sections");
	BAD(f.header.sections = 65535, "far too many sections");
	BAD(f.header.sections = 0, "no section");
}

static void test_bad_sections(void)
{
	BAD(f.section[0].type = 0, "section of type 0");
	BAD(f.section[0].type = 6, "section of unknown type");
	BAD(f.section[0].index = 1, "a program with an index");
	BAD(f.section[1].index = 64, "data for slot 64");
	BAD(f.section[1].index = 2, "data for a slot that the program has not");
	BAD(f.section[4].type = RONDO_SECTION_REGIONS, "two sections of a type");
	BAD(f.section[0].size = 0, "empty section");
	BAD(f.section[1].offset += 4, "misaligned section");
	BAD(f.section[1].offset = 0, "section over the header");
	BAD(f.section[1].offset = 64, "section over the section table");
	BAD(f.section[4].offset = sizeof(f), "section at the end");
	BAD(f.section[4].offset = 1ull << 63, "section far outside");
	BAD(f.section[4].offset = -64ull, "section that wraps around");
	BAD(f.section[4].size = sizeof(f), "section beyond the end");
	BAD(f.section[4].size = ~0ull, "section of all bytes there are");
	BAD(f.section[1].size = 65, "overlapping sections");
	BAD(f.section[1].offset = f.section[3].offset, "section over another");
}

static void test_bad_program(void)
{
	BAD(f.program.header.magic++, "program of wrong magic");
	BAD(f.program.header.slots = 1, "program of another size");
	BAD(f.program.header.slots = 65, "program of too many slots");
	BAD(f.program.header.bundles = 0, "program without bundles");
	BAD(f.program.header.reserved = 1, "program with a reserved field");
	BAD(f.program.slot[0].read_hi = (1ull << 30) + 1, "slot beyond a buffer's limit");
	BAD(f.section[0].size -= 64, "program that is cut off");
}

static void test_bad_tensors(void)
{
	BAD(f.section[2].size -= 1, "part of a tensor");
	BAD(f.tensor[0].name = 16, "name outside the strings");
	BAD(f.tensor[0].name = ~0u, "name far outside the strings");
	BAD(f.header.sections = 4, "names without strings");
	BAD(f.strings[15] = 'x', "strings without an end");
	BAD(f.tensor[0].kind = 2, "unknown kind");
	BAD(f.tensor[0].dtype = 0, "no element type");
	BAD(f.tensor[0].dtype = 7, "unknown element type");
	BAD(f.tensor[0].rank = 9, "nine dimensions");
	BAD(f.tensor[0].rank = 1, "a dimension beyond the rank");
	BAD(f.tensor[0].dim[1] = 0, "a dimension of zero");
	BAD(f.tensor[0].dim[0] = 1ull << 60, "bytes that overflow");
	BAD(f.tensor[0].dim[0] = 1 << 28, "more bytes than a buffer");
	BAD(f.tensor[0].reserved = 1, "reserved field");
	BAD(f.tensor[0].reserved2 = 1, "other reserved field");
	BAD(f.tensor[0].slot = 2, "slot that the program has not");
	BAD(f.tensor[0].offset = 2, "misaligned offset");
	BAD(f.tensor[0].offset = 1 << 30, "offset beyond a buffer");
	BAD(f.tensor[0].offset = -16ull, "offset that wraps around");
	BAD(f.tensor[1].scale = NAN, "scale that is no number");
	BAD(f.tensor[1].scale = INFINITY, "infinite scale");
	BAD(f.tensor[1].scale = -1, "negative scale");
	BAD(f.tensor[1].scale = 0, "zero point without a scale");
	BAD(f.tensor[1].name = 0, "two inputs of one name");
}

static void test_bad_regions(void)
{
	BAD(f.section[3].size -= 4, "part of a region");
	BAD(f.region[0].name = 16, "region with a name outside the strings");
	BAD(f.region[0].reserved = 1, "region with a reserved field");
	BAD(f.region[0].count = 0, "empty region");
	BAD(f.region[0].count = 4, "overlapping regions");
	BAD(f.region[1].first = 4, "region behind the program");
	BAD(f.region[1].count = 2, "region across the program's end");
	BAD(f.region[1].count = ~0u, "region that wraps around");
	BAD(f.region[0].first = 3, "regions out of order");
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

	/* Behind the strings there is only padding. */
	for (size = 0; size < offsetof(struct rnd_file, strings) + sizeof(f.strings); size++) {
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
}

int main(void)
{
	test_good();
	test_least();
	test_bad_header();
	test_bad_sections();
	test_bad_program();
	test_bad_tensors();
	test_bad_regions();
	test_truncated();
	test_flipped();
	test_files();
	return tap_done();
}
