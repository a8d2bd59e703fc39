/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A small .rnd file with something of everything, for tests to damage. */
#ifndef TESTS_RND_FILE_H
#define TESTS_RND_FILE_H

#include <string.h>

#include "core/file.h"

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
	char strings[64] __attribute__((aligned(64)));
};

/* What stands in the file. */
static inline void rnd_file_fill(struct rnd_file *f)
{
	f->program.header = (struct rondo_program_header){
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.slots = 2,
		.bundles = RND_BUNDLES,
	};
	f->program.slot[0] = (struct rondo_slot){ .read_hi = 32, .align = 64 };
	f->program.slot[1] = (struct rondo_slot){
		.write_lo = 8,
		.write_hi = 24,
		.align = 4,
		.flags = RONDO_SLOT_DYNAMIC,
		.alias = 3,
	};
	memset(f->data, 0xa5, sizeof(f->data));
	memcpy(f->strings, "x\0y\0conv\0", 9);
	f->tensor[0] = (struct rondo_tensor){
		.name = 0,
		.kind = RONDO_TENSOR_INPUT,
		.dtype = RONDO_F32,
		.rank = 2,
		.slot = 0,
		.offset = 16,
		.dim = { 2, 5 },
	};
	f->tensor[1] = (struct rondo_tensor){
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
	f->tensor[2] = (struct rondo_tensor){
		.name = 2,
		.kind = RONDO_TENSOR_OUTPUT,
		.dtype = RONDO_S32,
		.rank = 0,
		.slot = 1,
		.offset = 8,
	};
	f->region[0] = (struct rondo_region){ .name = 4, .first = 0, .count = 2 };
	f->region[1] = (struct rondo_region){ .name = 2, .first = 3, .count = 1 };
}

/*
 * A file that is good: sections as rondo_file_write() puts them, which is where the members of the
 * structure are.
 */
static inline struct rnd_file rnd_file_good(void)
{
	struct rnd_file f = {}, content = {};
	const struct rondo_file_part parts[RND_SECTIONS] = {
		{ RONDO_SECTION_PROGRAM, 0, &content.program, sizeof(content.program) },
		{ RONDO_SECTION_SLOT_DATA, 0, content.data, sizeof(content.data) },
		{ RONDO_SECTION_TENSORS, 0, content.tensor, sizeof(content.tensor) },
		{ RONDO_SECTION_REGIONS, 0, content.region, sizeof(content.region) },
		{ RONDO_SECTION_STRINGS, 0, content.strings, sizeof(content.strings) },
	};

	rnd_file_fill(&content);
	rondo_file_write(&f, parts, RND_SECTIONS);
	return f;
}

#endif
