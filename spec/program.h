/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The program: what the kernel checks and seals, and the .rnd file around it.
 *
 * A program is one block of bytes: header, slot table, address table, DMA
 * descriptors, bundles, each directly after the other. Its size is exactly
 * rondo_program_bytes() of its header. Reserved fields are zero.
 */
#ifndef RONDO_SPEC_PROGRAM_H
#define RONDO_SPEC_PROGRAM_H

#include "spec/limits.h"

#define RONDO_PROGRAM_MAGIC 0x50444e52u /* "RNDP" */
#define RONDO_PROGRAM_VERSION 1

struct rondo_program_header {
	u32 magic;
	u16 version;
	u16 reserved;
	u64 machine_hash; /* rondo_machine_hash() of the machine it is compiled for */
	u64 cycles; /* claimed exact device time of one replay; the verifier computes the same */
	u32 slots; /* entries of each table that follows */
	u32 entries;
	u32 descs;
	u32 bundles;
};

static_assert(sizeof(struct rondo_program_header) == 40, "layout of struct rondo_program_header");

/* What a slot is allowed to be. */
enum {
	RONDO_SLOT_DYNAMIC = 1 << 0, /* a replay may choose an offset, a multiple of align */
	RONDO_SLOT_FLAGS = RONDO_SLOT_DYNAMIC,
};

/*
 * A slot: one buffer bound from outside. Extents are exact: [lo, hi) in bytes,
 * lowest byte touched and one past the highest; 0, 0 if none is.
 */
struct rondo_slot {
	u64 read_lo, read_hi;
	u64 write_lo, write_hi;
	u32 align; /* of the bound offset: a power of two, RONDO_SLOT_ALIGN_MIN..MAX */
	u16 alias; /* slots of the same group may overlap and are treated as one memory; 0: none */
	u16 flags; /* RONDO_SLOT_* */
};

static_assert(sizeof(struct rondo_slot) == 40, "layout of struct rondo_slot");

/*
 * An address: base + offset of the operation + sum of stride[d] * index of the
 * loop at depth d (0 is the outermost). Element e of an access is at
 *
 *	address + (e div seg_len) * seg_stride + (e mod seg_len) * element size
 *
 * seg_len 0 means contiguous (and seg_stride 0). The row of the accumulator or
 * weight buffer is the operation's row + sum of row_stride[d] * index[d].
 */
struct rondo_entry {
	u32 base; /* bytes */
	s32 stride[RONDO_LOOP_DEPTH]; /* bytes */
	s32 seg_stride; /* bytes */
	s32 pitch; /* bytes from row to row of an operation that has rows */
	s16 row_stride[RONDO_LOOP_DEPTH]; /* rows */
	u16 seg_len; /* elements */
	u8 first; /* bit d: a push of mode 2 looks at the loop at depth d */
	u8 reserved;
};

static_assert(sizeof(struct rondo_entry) == 64, "layout of struct rondo_entry");

/* What each tile of the rectangle gets. Blocks cross the channel one after the other. */
enum rondo_dma_mode {
	RONDO_DMA_TILE, /* each tile its own block: slot address + x * slot_x + y * slot_y */
	RONDO_DMA_BROADCAST, /* one block to every tile of the rectangle */
	RONDO_DMA_ROWS, /* one block to each row of tiles: slot address + y * slot_y */
	RONDO_DMA_COLUMNS, /* one block to each column of tiles: slot address + x * slot_x */
	RONDO_DMA_MODES,
};

enum rondo_dma_dir {
	RONDO_DMA_IN, /* slot to SRAM */
	RONDO_DMA_OUT, /* SRAM to slot; mode RONDO_DMA_TILE only */
	RONDO_DMA_DIRS,
};

/*
 * A DMA descriptor: count[0] x count[1] x count[2] rows of row_bytes contiguous
 * bytes, dimension 0 outermost, moved in that order. Row (i0, i1, i2) is, with
 * the index l[d] of the loop at depth d < RONDO_DMA_LOOP_DEPTH,
 *
 *	in SRAM     at sram_base + sum sram_stride[k]*ik + sum sram_loop[d]*l[d]
 *	in the slot at slot_base + sum slot_stride[k]*ik + sum slot_loop[d]*l[d] (+ tile part)
 */
struct rondo_desc {
	u8 dir; /* enum rondo_dma_dir */
	u8 mode; /* enum rondo_dma_mode */
	u16 slot;
	u32 row_bytes; /* >= 1 */
	u32 count[RONDO_DMA_DIMS]; /* >= 1 */
	u32 sram_base;
	s32 sram_stride[RONDO_DMA_DIMS];
	s32 sram_loop[RONDO_DMA_LOOP_DEPTH];
	u64 slot_base;
	s64 slot_stride[RONDO_DMA_DIMS];
	s64 slot_loop[RONDO_DMA_LOOP_DEPTH];
	s64 slot_x, slot_y;
	u16 x0, y0, x1, y1; /* the rectangle of tiles that take part, inclusive */
};

static_assert(sizeof(struct rondo_desc) == 128, "layout of struct rondo_desc");

/* The largest program: every table is at its limit. */
#define RONDO_PROGRAM_BYTES_MAX                                \
	(sizeof(struct rondo_program_header) +                 \
	 RONDO_PROGRAM_SLOTS_MAX * sizeof(struct rondo_slot) + \
	 RONDO_ENTRIES_MAX * sizeof(struct rondo_entry) +      \
	 RONDO_DESCS_MAX * sizeof(struct rondo_desc) +         \
	 (u64)RONDO_BUNDLES_MAX * RONDO_BUNDLE_BYTES)

/*
 * The .rnd file: a header, then sections in any order that do not overlap and
 * start at multiples of RONDO_FILE_ALIGN. A reader ignores no section: an unknown
 * type is an error. core/file.h reads and writes it, and has all that it may hold.
 */
#define RONDO_FILE_MAGIC 0x46444e52u /* "RNDF" */
#define RONDO_FILE_VERSION 1

enum {
	RONDO_FILE_ALIGN = 64,
	RONDO_FILE_TENSORS_MAX = 1024,
};

enum rondo_section_type {
	RONDO_SECTION_PROGRAM = 1, /* one program */
	RONDO_SECTION_SLOT_DATA, /* initial content of slot `index`, from its byte 0 (weights) */
	RONDO_SECTION_TENSORS, /* struct rondo_tensor[] */
	RONDO_SECTION_REGIONS, /* struct rondo_region[], ascending, not overlapping */
	RONDO_SECTION_STRINGS, /* bytes; every string ends in a zero byte, as does the section */
};

struct rondo_file_header {
	u32 magic;
	u16 version;
	u16 sections; /* struct rondo_section[] follows */
	u64 size; /* of the whole file */
};

struct rondo_section {
	u32 type; /* enum rondo_section_type */
	u32 index; /* slot of RONDO_SECTION_SLOT_DATA, else 0 */
	u64 offset; /* from the start of the file */
	u64 size; /* bytes */
};

enum { RONDO_TENSOR_DIMS = 8 };

/* Element types, numbered as in ONNX. */
enum rondo_dtype {
#define DTYPE(name, text, number, type, kind, numpy) RONDO_##name = number,
#include "spec/dtypes.def"
};

enum rondo_tensor_kind {
	RONDO_TENSOR_INPUT,
	RONDO_TENSOR_OUTPUT,
};

/*
 * A tensor of the model: dense, row-major, at `offset` of its slot. An output ends no later than
 * the slot's write extent, or than its data.
 */
struct rondo_tensor {
	u32 name; /* offset in the strings */
	u8 kind; /* enum rondo_tensor_kind */
	u8 dtype; /* enum rondo_dtype */
	u8 rank; /* <= RONDO_TENSOR_DIMS; 0 is a scalar */
	u8 reserved;
	u32 slot;
	u32 reserved2;
	u64 offset; /* bytes */
	u64 dim[RONDO_TENSOR_DIMS]; /* [0, rank); the rest zero */
	float scale; /* real = scale * (value - zero_point); 0: not quantised */
	s32 zero_point;
};

/* Bundles [first, first + count) were made for one node of the graph. */
struct rondo_region {
	u32 name; /* offset in the strings */
	u32 first, count;
	u32 reserved;
};

static_assert(sizeof(struct rondo_file_header) == 16, "layout of struct rondo_file_header");
static_assert(sizeof(struct rondo_section) == 24, "layout of struct rondo_section");
static_assert(sizeof(struct rondo_tensor) == 96, "layout of struct rondo_tensor");
static_assert(sizeof(struct rondo_region) == 16, "layout of struct rondo_region");

#endif
