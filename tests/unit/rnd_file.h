/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A small .rnd file with something of everything, for tests to damage. */
#ifndef TESTS_RND_FILE_H
#define TESTS_RND_FILE_H

#include <string.h>

#include "spec/program.h"

/* A small file: one program of two slots, data for slot 0, three tensors, two regions. */
enum { RND_SECTIONS = 5, RND_TENSORS = 3, RND_REGIONS = 2, RND_DATA_BYTES = 40, RND_BUNDLES = 4 };

struct rnd_program {
	struct rondo_program_header header;
	struct rondo_slot slot[2];
	u64 bundle[RND_BUNDLES][RONDO_SLOTS_PER_BUNDLE];
};

struct rnd_file {
	struct rondo_file_header header;
	struct rondo_section section[RND_SECTIONS];
	struct rnd_program program __attribute__((aligned(64)));
	u8 data[RND_DATA_BYTES] __attribute__((aligned(64)));
	struct rondo_tensor tensor[RND_TENSORS] __attribute__((aligned(64)));
	struct rondo_region region[RND_REGIONS] __attribute__((aligned(64)));
	char strings[16] __attribute__((aligned(64)));
};

#define RND_SECTION(t, i, member)                              \
	(struct rondo_section)                                 \
	{                                                      \
		.type = RONDO_SECTION_##t, .index = i,         \
		.offset = offsetof(struct rnd_file, member),   \
		.size = sizeof(((struct rnd_file *)0)->member) \
	}

/* A file that is good. */
static inline struct rnd_file rnd_file_good(void)
{
	struct rnd_file f;

	memset(&f, 0, sizeof(f));
	f.header = (struct rondo_file_header){
		.magic = RONDO_FILE_MAGIC,
		.version = RONDO_FILE_VERSION,
		.sections = RND_SECTIONS,
		.size = sizeof(f),
	};
	f.section[0] = RND_SECTION(PROGRAM, 0, program);
	f.section[1] = RND_SECTION(SLOT_DATA, 0, data);
	f.section[2] = RND_SECTION(TENSORS, 0, tensor);
	f.section[3] = RND_SECTION(REGIONS, 0, region);
	f.section[4] = RND_SECTION(STRINGS, 0, strings);
	f.program.header = (struct rondo_program_header){
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.slots = 2,
		.bundles = RND_BUNDLES,
	};
	f.program.slot[0] = (struct rondo_slot){ .read_hi = 32, .align = 64 };
	f.program.slot[1] = (struct rondo_slot){
		.write_lo = 8,
		.write_hi = 24,
		.align = 4,
		.flags = RONDO_SLOT_DYNAMIC,
		.alias = 3,
	};
	memset(f.data, 0xa5, sizeof(f.data));
	memcpy(f.strings, "x\0y\0conv\0", 9);
	f.tensor[0] = (struct rondo_tensor){
		.name = 0,
		.kind = RONDO_TENSOR_INPUT,
		.dtype = RONDO_F32,
		.rank = 2,
		.slot = 0,
		.offset = 16,
		.dim = { 2, 5 },
	};
	f.tensor[1] = (struct rondo_tensor){
		.name = 2,
		.kind = RONDO_TENSOR_INPUT,
		.dtype = RONDO_U8,
		.rank = 1,
		.slot = 0,
		.offset = 3,
		.dim = { 7 },
		.scale = 0.5f,
		.zero_point = 128,
	};
	f.tensor[2] = (struct rondo_tensor){
		.name = 2,
		.kind = RONDO_TENSOR_OUTPUT,
		.dtype = RONDO_S32,
		.rank = 0,
		.slot = 1,
		.offset = 8,
	};
	f.region[0] = (struct rondo_region){ .name = 4, .first = 0, .count = 2 };
	f.region[1] = (struct rondo_region){ .name = 2, .first = 3, .count = 1 };
	return f;
}

#endif
