// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The .rnd file: what is written can be read, every rule of spec/file_errors.def refuses what it is
 * there for, and just inside each limit a file is good.
 */
#include <math.h>

#include "tests/tap.h"
#include "tests/unit/rnd_file.h"

static u32 refusals[64]; /* by reason, to see that none is without a test */

static struct rondo_file_fault fault_of(const struct rnd_file *f)
{
	struct rondo_file_fault fault;
	struct rondo_file file;

	rondo_file_open(&file, f, sizeof(*f), &fault);
	refusals[fault.error]++;
	return fault;
}

/* One wrong field each: @where is the section, tensor and so on at fault. */
#define BAD(change, reason, where, name)                                                       \
	do {                                                                                   \
		struct rnd_file f = rnd_file_good();                                           \
		struct rondo_file_fault fault;                                                 \
		change;                                                                        \
		fault = fault_of(&f);                                                          \
		if (!tap_ok(fault.error == RONDO_FILE_##reason && fault.index == where,        \
			    "refused: " name))                                                 \
			printf("# %u: %s\n", fault.index, rondo_file_error_text(fault.error)); \
	} while (0)

/* What is still good. */
#define GOOD(change, name)                                                           \
	do {                                                                         \
		struct rnd_file f = rnd_file_good();                                 \
		change;                                                              \
		if (!tap_ok(!fault_of(&f).error, "good: " name))                     \
			printf("# %s\n", rondo_file_error_text(fault_of(&f).error)); \
	} while (0)

static void test_bad_header(void)
{
	BAD(f.header.magic++, NOT_RND, 0, "wrong magic");
	BAD(f.header.version++, NEWER, 0, "another version");
	BAD(f.header.size++, SIZE, 0, "a size that is not the file's");
	BAD(f.header.sections = 69, SECTIONS, 0, "too many sections");
	BAD(f.header.sections = 65535, SECTIONS, 0, "far too many sections");
	BAD(f.header.sections = 0, NO_PROGRAM, 0, "no section");
}

static void test_bad_sections(void)
{
	BAD(f.section[0].type = 0, SECTION_TYPE, 0, "section of type 0");
	BAD(f.section[0].type = 6, SECTION_TYPE, 0, "section of unknown type");
	BAD(f.section[0].index = 1, SECTION_TYPE, 0, "a program with an index");
	BAD(f.section[1].index = 64, SECTION_TYPE, 1, "data for slot 64");
	BAD(f.section[1].index = 2, SLOT_DATA, 2, "data for a slot that the program has not");
	BAD(f.section[4].type = RONDO_SECTION_REGIONS, SECTION_TWICE, 4, "two sections of a type");
	BAD(f.section[0].size = 0, SECTION_PLACE, 0, "empty section");
	BAD(f.section[1].offset += 4, SECTION_PLACE, 1, "misaligned section");
	BAD(f.section[1].offset = 0, SECTION_PLACE, 1, "section over the header");
	BAD(f.section[1].offset = 64, SECTION_PLACE, 1, "section over the section table");
	BAD(f.section[4].offset = sizeof(f), SECTION_PLACE, 4, "section at the end");
	BAD(f.section[4].offset = 1ull << 63, SECTION_PLACE, 4, "section far outside");
	BAD(f.section[4].offset = -64ull, SECTION_PLACE, 4, "section that wraps around");
	BAD(f.section[4].size = sizeof(f), SECTION_PLACE, 4, "section beyond the end");
	BAD(f.section[4].size = ~0ull, SECTION_PLACE, 4, "section of all bytes there are");
	BAD(f.section[4].size++, SECTION_PLACE, 4, "section of one byte too many");
	BAD(f.section[1].size = 0, SECTION_PLACE, 1, "empty data");
	BAD(f.section[1].size = 65, SECTION_OVERLAP, 2, "overlapping sections");
	BAD(f.section[1].offset = f.section[3].offset, SECTION_OVERLAP, 3, "section over another");
	BAD(f.section[1].offset = f.section[0].offset, SECTION_OVERLAP, 1,
	    "section over the first");
}

static void test_bad_program(void)
{
	BAD(f.program.header.magic++, PROGRAM, 0, "program of wrong magic");
	BAD(f.program.header.slots = 1, PROGRAM, 0, "program of another size");
	BAD(f.program.header.slots = 65, PROGRAM, 0, "program of too many slots");
	BAD(f.program.header.bundles = 0, PROGRAM, 0, "program without bundles");
	BAD(f.program.header.reserved = 1, PROGRAM, 0, "program with a reserved field");
	BAD(f.program.slot[0].read_hi = (1ull << 30) + 1, SLOT_SIZE, 0,
	    "slot beyond a buffer's limit");
	BAD(f.section[0].size -= 64, PROGRAM, 0, "program that is cut off");
}

static void test_bad_tensors(void)
{
	BAD(f.section[2].size -= 1, TENSORS, 0, "part of a tensor");
	BAD(f.tensor[0].name = 64, TENSOR_NAME, 0, "name outside the strings");
	BAD(f.tensor[0].name = ~0u, TENSOR_NAME, 0, "name far outside the strings");
	BAD(f.header.sections = 4, TENSOR_NAME, 0, "names without strings");
	BAD(f.strings[63] = 'x', STRINGS, 0, "strings without an end");
	BAD(f.tensor[0].kind = 2, TENSOR_FIELD, 0, "unknown kind");
	BAD(f.tensor[0].dtype = 0, TENSOR_DTYPE, 0, "no element type");
	BAD(f.tensor[0].dtype = 8, TENSOR_DTYPE, 0, "unknown element type");
	BAD(f.tensor[0].dtype = 255, TENSOR_DTYPE, 0, "element type far outside");
	BAD(f.tensor[0].rank = 9, TENSOR_RANK, 0, "nine dimensions");
	BAD(f.tensor[0].rank = 1, TENSOR_DIM, 0, "a dimension beyond the rank");
	BAD(f.tensor[0].dim[1] = 0, TENSOR_DIM, 0, "a dimension of zero");
	BAD(f.tensor[0].dim[0] = 1ull << 60, TENSOR_SIZE, 0, "bytes that overflow");
	BAD(f.tensor[0].dim[0] = 1 << 28, TENSOR_SIZE, 0, "more bytes than a buffer");
	BAD(f.tensor[0].dim[0] = 53687092, TENSOR_SIZE, 0, "a few more bytes than a buffer");
	BAD(f.tensor[0].reserved = 1, TENSOR_FIELD, 0, "reserved field");
	BAD(f.tensor[0].reserved2 = 1, TENSOR_FIELD, 0, "other reserved field");
	BAD(f.tensor[0].slot = 2, TENSOR_SLOT, 0, "slot that the program has not");
	BAD(f.tensor[0].offset = 2, TENSOR_PLACE, 0, "misaligned offset");
	BAD(f.tensor[0].offset = 1 << 30, TENSOR_PLACE, 0, "offset beyond a buffer");
	BAD(f.tensor[0].offset = (1 << 30) - 36, TENSOR_PLACE, 0, "end beyond a buffer");
	BAD(f.tensor[0].dtype = RONDO_S64;
	    f.tensor[0].offset = 20, TENSOR_PLACE, 0, "offset misaligned for its type");
	BAD(f.tensor[0].offset = -16ull, TENSOR_PLACE, 0, "offset that wraps around");
	BAD(f.tensor[2].offset = 24, TENSOR_UNWRITTEN, 2, "output after what is written");
	BAD(f.tensor[2].rank = 1;
	    f.tensor[2].dim[0] = 5, TENSOR_UNWRITTEN, 2, "output of which a part is written");
	BAD(f.tensor[2].slot = 0;
	    f.tensor[2].offset = 40, TENSOR_UNWRITTEN, 2, "output after the data of a slot");
	BAD(f.tensor[1].scale = NAN, TENSOR_SCALE, 1, "scale that is no number");
	BAD(f.tensor[1].scale = INFINITY, TENSOR_SCALE, 1, "infinite scale");
	BAD(f.tensor[1].scale = -1, TENSOR_SCALE, 1, "negative scale");
	BAD(f.tensor[1].scale = 0, TENSOR_SCALE, 1, "zero point without a scale");
	BAD(f.tensor[1].name = 0, TENSOR_TWICE, 1, "two inputs of one name");
}

static void test_bad_regions(void)
{
	BAD(f.section[3].size -= 4, REGIONS, 0, "part of a region");
	BAD(f.region[0].name = 64, REGION_NAME, 0, "region with a name outside the strings");
	BAD(f.region[0].reserved = 1, REGION_FIELD, 0, "region with a reserved field");
	BAD(f.region[0].count = 0, REGION_PLACE, 0, "empty region");
	BAD(f.region[0].count = 4, REGION_PLACE, 1, "overlapping regions");
	BAD(f.region[1].first = 4, REGION_PLACE, 1, "region behind the program");
	BAD(f.region[1].count = 2, REGION_PLACE, 1, "region across the program's end");
	BAD(f.region[1].count = ~0u, REGION_PLACE, 1, "region that wraps around");
	BAD(f.region[0].first = 3; f.region[0].count = 1;
	    f.region[1].first = 0, REGION_PLACE, 1, "regions out of order");
}

static void test_good(void)
{
	GOOD(, "what was written");
	GOOD(f.tensor[0].dim[0] = 53687091;
	     f.tensor[0].offset = 4, "a tensor that just fits a buffer");
	GOOD(f.tensor[0].dim[0] = 2;
	     f.tensor[0].offset = (1 << 30) - 40, "one that ends where it does");
	GOOD(f.program.slot[0].read_hi = 1 << 30, "the largest slot");
	GOOD(f.tensor[1].scale = 0; f.tensor[1].zero_point = 0, "a tensor that is not quantised");
	GOOD(f.tensor[1].name = 4, "two inputs of different names");
	GOOD(f.tensor[2].offset = 20, "an output that ends with what is written");
	GOOD(f.tensor[2].slot = 0;
	     f.tensor[2].offset = 36, "an output that ends with the slot's data");
	GOOD(f.tensor[0].dim[0] = 5000, "an input of which a part is read");
	GOOD(f.region[0].count = 3, "regions next to each other");
	GOOD(f.region[1].first = 2; f.region[1].count = 2, "a region up to the end");
}

/* A reason without a row above was tested by none. */
static void test_all_refused(void)
{
	static const char *const names[] = {
#define FILE_ERROR(name, where, text) [RONDO_FILE_##name] = #name,
#include "spec/file_errors.def"
	};
	size_t i;

	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		tap_ok(refusals[i], "%s refuses something", names[i]);
}

/* Parts without bytes leave no section. */
static void test_write(void)
{
	struct rnd_file f = rnd_file_good();
	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_STRINGS, 0, NULL, 0 },
		{ RONDO_SECTION_PROGRAM, 0, &f.program, sizeof(f.program) },
		{ RONDO_SECTION_SLOT_DATA, 1, f.data, sizeof(f.data) },
	};
	u8 bytes[1024] __attribute__((aligned(RONDO_FILE_ALIGN)));
	struct rondo_file file;
	u64 size = rondo_file_bytes(parts, 3);

	memset(bytes, 0xff, sizeof(bytes));
	rondo_file_write(bytes, parts, 3);
	tap_eq(bytes[size], 0xff, "nothing is written behind the file");
	tap_eq(rondo_file_open(&file, bytes, size, NULL), RONDO_FILE_OK, "it can be read");
	tap_ok(file.program_bytes.size == sizeof(f.program) &&
		       !memcmp(file.program_bytes.bytes, &f.program, sizeof(f.program)),
	       "has the program");
	tap_ok(file.data[1].size == sizeof(f.data) && !file.data[0].size &&
		       !memcmp(file.data[1].bytes, f.data, sizeof(f.data)),
	       "has the data of slot 1");
	tap_ok(file.slot_size[0] == 32 && file.slot_size[1] == 40, "has the sizes of slots");
	tap_ok(!file.tensor_count && !file.region_count, "has nothing else");
	tap_eq(((struct rondo_file_header *)bytes)->sections, 2, "and no section for that");
	tap_eq(rondo_file_open(&file, bytes, 3, NULL), RONDO_FILE_NOT_RND, "less than the magic");
	tap_eq(rondo_file_open(&file, bytes, 15, NULL), RONDO_FILE_TABLE, "less than a header");
	((struct rondo_file_header *)bytes)->size = 60;
	tap_eq(rondo_file_open(&file, bytes, 60, NULL), RONDO_FILE_TABLE, "a cut section table");
	refusals[RONDO_FILE_TABLE]++;
}

/* The last part may be where it belongs, and there is nothing but the file then, too. */
static void test_write_in_place(void)
{
	struct rnd_file f = rnd_file_good();
	struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, &f.program, sizeof(f.program) },
		{ RONDO_SECTION_SLOT_DATA, 1, f.data, sizeof(f.data) },
	};
	u8 copied[1024] __attribute__((aligned(RONDO_FILE_ALIGN)));
	u8 placed[1024] __attribute__((aligned(RONDO_FILE_ALIGN)));
	u64 size = rondo_file_bytes(parts, 2), at = size - sizeof(f.data);

	memset(copied, 0xff, sizeof(copied));
	memset(placed, 0xff, sizeof(placed));
	rondo_file_write(copied, parts, 2);
	memcpy(placed + at, f.data, sizeof(f.data));
	parts[1].bytes = placed + at;
	rondo_file_write(placed, parts, 2);
	tap_ok(!memcmp(copied, placed, sizeof(copied)), "the last part is where it belongs");
}

static void test_dtypes(void)
{
	tap_ok(rondo_dtype_bytes(RONDO_F32) == 4 && rondo_dtype_bytes(RONDO_S32) == 4 &&
		       rondo_dtype_bytes(RONDO_S64) == 8 && rondo_dtype_bytes(RONDO_S8) == 1 &&
		       rondo_dtype_bytes(RONDO_U8) == 1 && rondo_dtype_bytes(RONDO_BOOL) == 1,
	       "bytes of element types");
	tap_ok(!rondo_dtype_bytes(0) && !rondo_dtype_bytes(10) && !rondo_dtype_bytes(~0u),
	       "no other type has any");
}

int main(void)
{
	test_good();
	test_bad_header();
	test_bad_sections();
	test_bad_program();
	test_bad_tensors();
	test_bad_regions();
	test_write();
	test_write_in_place();
	test_dtypes();
	test_all_refused();
	return tap_done();
}
