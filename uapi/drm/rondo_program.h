/* SPDX-License-Identifier: MIT */
/*
 * Programs of the rondo accel driver, the machines that they are for, and the numbers that tell
 * why one is refused or a replay failed. What the operations in a bundle do, and what a program
 * has to obey, is the instruction set reference.
 *
 * A program is one block of bytes, each part directly after the one before:
 *
 *	struct drm_rondo_program_header
 *	struct drm_rondo_program_slot[slots]
 *	struct drm_rondo_program_entry[entries]
 *	struct drm_rondo_program_desc[descs]
 *	__u64[bundles][8]
 *
 * All is little endian; reserved fields are zero.
 */
#ifndef _UAPI_RONDO_PROGRAM_H_
#define _UAPI_RONDO_PROGRAM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * struct drm_rondo_machine - what a device is, and what a program is compiled for
 *
 * Two machines are the same if these bytes are; their hash is FNV-1a of them, in 64 bits.
 */
struct drm_rondo_machine {
	/** @isa_version: of the instruction set; another one is another machine */
	__u32 isa_version;
	/** @mesh_w: tiles in a row of the mesh */
	__u16 mesh_w;
	/** @mesh_h: rows of tiles */
	__u16 mesh_h;
	/** @lanes: containers of a vector register; weight buffers are lanes x lanes */
	__u16 lanes;
	/** @acc_rows: accumulator rows of lanes x 32 bit */
	__u16 acc_rows;
	/** @sram_bytes: per tile */
	__u32 sram_bytes;
	/** @dma_startup: cycles from the start of a transfer to its first row */
	__u16 dma_startup;
	/** @dma_row_cycles: cycles that each row costs beside its bytes */
	__u16 dma_row_cycles;
	/** @dma_bytes_per_cycle: per channel */
	__u16 dma_bytes_per_cycle;
	/** @clear_bytes_per_cycle: in clearing SRAM before a replay */
	__u16 clear_bytes_per_cycle;
	/** @mesh_latency: added to the mesh's side for broadcasts and reductions */
	__u16 mesh_latency;
	/** @loop_buffer: bundles; a loop's body up to this long is fetched once */
	__u16 loop_buffer;
	/** @bundles_max: of a program */
	__u32 bundles_max;
	/** @clock_khz: nominal */
	__u32 clock_khz;
	/** @reserved: 0 */
	__u32 reserved[7];
};

/* "RNDP" */
#define DRM_RONDO_PROGRAM_MAGIC 0x50444e52U
#define DRM_RONDO_PROGRAM_VERSION 1

/** struct drm_rondo_program_header - how a program begins */
struct drm_rondo_program_header {
	/** @magic: DRM_RONDO_PROGRAM_MAGIC */
	__u32 magic;
	/** @version: DRM_RONDO_PROGRAM_VERSION */
	__u16 version;
	/** @reserved: 0 */
	__u16 reserved;
	/** @machine_hash: of the machine that it is compiled for */
	__u64 machine_hash;
	/** @cycles: exact device time of one replay */
	__u64 cycles;
	/** @slots: elements of the slot table */
	__u32 slots;
	/** @entries: elements of the address table */
	__u32 entries;
	/** @descs: DMA descriptors */
	__u32 descs;
	/** @bundles: bundles */
	__u32 bundles;
};

/* A replay may choose an offset of the slot, a multiple of its alignment. */
#define DRM_RONDO_SLOT_DYNAMIC 0x1

/**
 * struct drm_rondo_program_slot - a buffer that is bound from outside
 *
 * Extents are exact: from the lowest byte touched to one past the highest; 0, 0 if none is.
 */
struct drm_rondo_program_slot {
	/** @read_lo: first byte that is read */
	__u64 read_lo;
	/** @read_hi: one past the last */
	__u64 read_hi;
	/** @write_lo: first byte that is written */
	__u64 write_lo;
	/** @write_hi: one past the last */
	__u64 write_hi;
	/** @align: of the bound offset, a power of two, 4..4096 */
	__u32 align;
	/** @alias: slots of one group may overlap and are treated as one memory; 0: none */
	__u16 alias;
	/** @flags: DRM_RONDO_SLOT_DYNAMIC or 0 */
	__u16 flags;
};

/**
 * struct drm_rondo_program_entry - an address in SRAM, or a row
 *
 * base + offset of the operation + the sum of stride[d] * index of the loop at depth d, 0 the
 * outermost. Element e of an access is at address + (e div seg_len) * seg_stride + (e mod seg_len)
 * * element size.
 */
struct drm_rondo_program_entry {
	/** @base: bytes */
	__u32 base;
	/** @stride: bytes, by depth of the loop */
	__s32 stride[8];
	/** @seg_stride: bytes */
	__s32 seg_stride;
	/** @pitch: bytes from row to row of an operation that has rows */
	__s32 pitch;
	/** @row_stride: rows, by depth of the loop */
	__s16 row_stride[8];
	/** @seg_len: elements; 0: contiguous, and @seg_stride is 0 */
	__u16 seg_len;
	/** @first: bit d: a push of mode 2 looks at the loop at depth d */
	__u8 first;
	/** @reserved: 0 */
	__u8 reserved;
};

/**
 * struct drm_rondo_program_desc - a DMA transfer
 *
 * count[0] x count[1] x count[2] rows of @row_bytes bytes, dimension 0 outermost. Row (i0, i1, i2)
 * is, with the index l[d] of the loop at depth d,
 *
 *	in SRAM     at sram_base + sum sram_stride[k]*ik + sum sram_loop[d]*l[d]
 *	in the slot at slot_base + sum slot_stride[k]*ik + sum slot_loop[d]*l[d]
 */
struct drm_rondo_program_desc {
	/** @dir: 0: slot to SRAM, 1: SRAM to slot */
	__u8 dir;
	/** @mode: 0: each tile its own block, 1: one to all, 2: to each row, 3: to each column */
	__u8 mode;
	/** @slot: of the slot table */
	__u16 slot;
	/** @row_bytes: >= 1 */
	__u32 row_bytes;
	/** @count: >= 1 each */
	__u32 count[3];
	/** @sram_base: bytes */
	__u32 sram_base;
	/** @sram_stride: bytes, by dimension */
	__s32 sram_stride[3];
	/** @sram_loop: bytes, by depth of the loop */
	__s32 sram_loop[3];
	/** @slot_base: bytes */
	__u64 slot_base;
	/** @slot_stride: bytes, by dimension */
	__s64 slot_stride[3];
	/** @slot_loop: bytes, by depth of the loop */
	__s64 slot_loop[3];
	/** @slot_x: bytes from the block of a tile to that of the next in its row */
	__s64 slot_x;
	/** @slot_y: the same from row to row */
	__s64 slot_y;
	/** @x0: the rectangle of tiles that take part, inclusive */
	__u16 x0;
	/** @y0: its first row */
	__u16 y0;
	/** @x1: its last column */
	__u16 x1;
	/** @y1: its last row */
	__u16 y1;
};

/** enum drm_rondo_refusal - why PROGRAM_CREATE refuses a program */
enum drm_rondo_refusal {
	/** @DRM_RONDO_REFUSAL_SIZE: program's size differs from what its header's counts need */
	DRM_RONDO_REFUSAL_SIZE = 1,
	/** @DRM_RONDO_REFUSAL_MAGIC: not a program, or of another container version */
	DRM_RONDO_REFUSAL_MAGIC = 2,
	/** @DRM_RONDO_REFUSAL_MACHINE: program is compiled for another machine */
	DRM_RONDO_REFUSAL_MACHINE = 3,
	/** @DRM_RONDO_REFUSAL_MACHINE_UNSUPPORTED: machine is not one that is supported */
	DRM_RONDO_REFUSAL_MACHINE_UNSUPPORTED = 4,
	/**
	 * @DRM_RONDO_REFUSAL_COUNT: more slots, entries, descriptors or bundles than the limit, or
	 * no bundle
	 */
	DRM_RONDO_REFUSAL_COUNT = 5,
	/** @DRM_RONDO_REFUSAL_RESERVED: reserved field of the header is not zero */
	DRM_RONDO_REFUSAL_RESERVED = 6,
	/**
	 * @DRM_RONDO_REFUSAL_SLOT_ALIGN: slot's alignment is not a power of two within the limits
	 */
	DRM_RONDO_REFUSAL_SLOT_ALIGN = 8,
	/** @DRM_RONDO_REFUSAL_SLOT_FLAGS: undefined slot flag */
	DRM_RONDO_REFUSAL_SLOT_FLAGS = 9,
	/**
	 * @DRM_RONDO_REFUSAL_SLOT_EXTENT: slot's claimed extent differs from the bytes that the
	 * program touches
	 */
	DRM_RONDO_REFUSAL_SLOT_EXTENT = 10,
	/**
	 * @DRM_RONDO_REFUSAL_ENTRY_RESERVED: entry's reserved field is not zero, or it has a
	 * segment stride without a segment length
	 */
	DRM_RONDO_REFUSAL_ENTRY_RESERVED = 12,
	/**
	 * @DRM_RONDO_REFUSAL_DESC_FIELD: descriptor has an undefined direction or mode, a tile
	 * stride that its mode does not use, an empty row or dimension, or a row longer than SRAM
	 */
	DRM_RONDO_REFUSAL_DESC_FIELD = 14,
	/** @DRM_RONDO_REFUSAL_DESC_SLOT: descriptor names a slot that is not in the slot table */
	DRM_RONDO_REFUSAL_DESC_SLOT = 15,
	/**
	 * @DRM_RONDO_REFUSAL_DESC_TILES: transfer's rectangle of tiles is empty or outside the mesh
	 */
	DRM_RONDO_REFUSAL_DESC_TILES = 16,
	/** @DRM_RONDO_REFUSAL_DESC_OUT_MODE: transfer out of SRAM is not in mode tile */
	DRM_RONDO_REFUSAL_DESC_OUT_MODE = 17,
	/**
	 * @DRM_RONDO_REFUSAL_DESC_OUT_OVERLAP: transfer out of SRAM may write a byte of its slot
	 * twice: a stride is shorter than what the strides below it span
	 */
	DRM_RONDO_REFUSAL_DESC_OUT_OVERLAP = 18,
	/** @DRM_RONDO_REFUSAL_OPCODE: undefined operation */
	DRM_RONDO_REFUSAL_OPCODE = 20,
	/** @DRM_RONDO_REFUSAL_OPCODE_SLOT: operation may not stand in this slot */
	DRM_RONDO_REFUSAL_OPCODE_SLOT = 21,
	/**
	 * @DRM_RONDO_REFUSAL_CANONICAL: bit outside the operation's fields is set, or a field has
	 * an undefined value
	 */
	DRM_RONDO_REFUSAL_CANONICAL = 22,
	/**
	 * @DRM_RONDO_REFUSAL_LANES: operation's lanes or elements are more than the machine's lanes
	 */
	DRM_RONDO_REFUSAL_LANES = 23,
	/**
	 * @DRM_RONDO_REFUSAL_REGISTER: the last of three parameter registers is beyond the register
	 * file
	 */
	DRM_RONDO_REFUSAL_REGISTER = 24,
	/** @DRM_RONDO_REFUSAL_LOOP_DEPTH: more loops are nested than the limit */
	DRM_RONDO_REFUSAL_LOOP_DEPTH = 26,
	/** @DRM_RONDO_REFUSAL_LOOP_END: loop body ends outside the program or the enclosing loop */
	DRM_RONDO_REFUSAL_LOOP_END = 27,
	/** @DRM_RONDO_REFUSAL_LOOP_TRIPS: product of the trips of nested loops exceeds 63 bits */
	DRM_RONDO_REFUSAL_LOOP_TRIPS = 28,
	/**
	 * @DRM_RONDO_REFUSAL_HALT: halt is not the last bundle, outside of all loops, or the last
	 * bundle has no halt
	 */
	DRM_RONDO_REFUSAL_HALT = 29,
	/**
	 * @DRM_RONDO_REFUSAL_HALT_CHANNELS: transfer may be outstanding at halt, which does not
	 * wait for its channel
	 */
	DRM_RONDO_REFUSAL_HALT_CHANNELS = 30,
	/**
	 * @DRM_RONDO_REFUSAL_ENTRY_INDEX: operation names an entry that is not in the address table
	 */
	DRM_RONDO_REFUSAL_ENTRY_INDEX = 32,
	/**
	 * @DRM_RONDO_REFUSAL_ENTRY_LOOP: operation's entry uses the index of a loop that is not
	 * open
	 */
	DRM_RONDO_REFUSAL_ENTRY_LOOP = 33,
	/**
	 * @DRM_RONDO_REFUSAL_ENTRY_ALIGN: address, or a stride of an open loop or of the lane
	 * pattern, is not a multiple of 4 (bf16: of 2)
	 */
	DRM_RONDO_REFUSAL_ENTRY_ALIGN = 34,
	/** @DRM_RONDO_REFUSAL_SRAM_BOUNDS: access outside SRAM */
	DRM_RONDO_REFUSAL_SRAM_BOUNDS = 35,
	/** @DRM_RONDO_REFUSAL_ACC_BOUNDS: accumulator row outside the file */
	DRM_RONDO_REFUSAL_ACC_BOUNDS = 36,
	/** @DRM_RONDO_REFUSAL_WEIGHT_BOUNDS: weight row outside the buffer */
	DRM_RONDO_REFUSAL_WEIGHT_BOUNDS = 37,
	/**
	 * @DRM_RONDO_REFUSAL_PUSH_MODE: push mode is undefined, or is 2 and the entry names no loop
	 */
	DRM_RONDO_REFUSAL_PUSH_MODE = 38,
	/**
	 * @DRM_RONDO_REFUSAL_REG_UNDEFINED: register is read before it is written in all tiles that
	 * take part
	 */
	DRM_RONDO_REFUSAL_REG_UNDEFINED = 40,
	/**
	 * @DRM_RONDO_REFUSAL_REG_IN_FLIGHT: register is read or written while a write to it is in
	 * flight
	 */
	DRM_RONDO_REFUSAL_REG_IN_FLIGHT = 41,
	/** @DRM_RONDO_REFUSAL_REG_TWICE: two operations of a bundle write one register */
	DRM_RONDO_REFUSAL_REG_TWICE = 42,
	/**
	 * @DRM_RONDO_REFUSAL_REG_LOOP: register that the loop's end leaves in flight is read or
	 * written too early in the next trip
	 */
	DRM_RONDO_REFUSAL_REG_LOOP = 43,
	/** @DRM_RONDO_REFUSAL_DMA_DEPTH: DMA start or wait stands in more loops than the limit */
	DRM_RONDO_REFUSAL_DMA_DEPTH = 46,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_LOOPS: more loops than the limit contain DMA starts or waits, each
	 * counted for all combinations of last trips
	 */
	DRM_RONDO_REFUSAL_DMA_LOOPS = 47,
	/** @DRM_RONDO_REFUSAL_DMA_DESC: start names a descriptor that is not in the table */
	DRM_RONDO_REFUSAL_DMA_DESC = 48,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_LAST: start is empty on the last trip of a loop that is not open
	 */
	DRM_RONDO_REFUSAL_DMA_LAST = 49,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_LOOP_INDEX: transfer's address uses the index of a loop that is
	 * not open
	 */
	DRM_RONDO_REFUSAL_DMA_LOOP_INDEX = 50,
	/** @DRM_RONDO_REFUSAL_DMA_SRAM_BOUNDS: transfer touches bytes outside SRAM */
	DRM_RONDO_REFUSAL_DMA_SRAM_BOUNDS = 51,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_SLOT_BOUNDS: transfer's address in its slot is negative or exceeds
	 * 63 bits
	 */
	DRM_RONDO_REFUSAL_DMA_SLOT_BOUNDS = 52,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_RACE: SRAM may be touched that an outstanding transfer writes, or
	 * written that it reads
	 */
	DRM_RONDO_REFUSAL_DMA_RACE = 53,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_SLOT_RACE: outstanding transfer of another channel may touch the
	 * same bytes of a slot or alias group, and one of the two writes
	 */
	DRM_RONDO_REFUSAL_DMA_SLOT_RACE = 54,
	/**
	 * @DRM_RONDO_REFUSAL_DMA_WORK: starts, waits and accesses beside outstanding transfers take
	 * more work to prove than the limit
	 */
	DRM_RONDO_REFUSAL_DMA_WORK = 56,
	/** @DRM_RONDO_REFUSAL_MASK: tile mask is empty or outside the mesh */
	DRM_RONDO_REFUSAL_MASK = 58,
	/** @DRM_RONDO_REFUSAL_MESH: operand names a row or column outside the mesh */
	DRM_RONDO_REFUSAL_MESH = 59,
	/** @DRM_RONDO_REFUSAL_CYCLES: claimed cycles differ from the exact count */
	DRM_RONDO_REFUSAL_CYCLES = 62,
	/** @DRM_RONDO_REFUSAL_BUDGET: exact cycles exceed the caller's budget, or 2^60 */
	DRM_RONDO_REFUSAL_BUDGET = 63,
};

/** enum drm_rondo_result - how a replay ended */
enum drm_rondo_result {
	/** @DRM_RONDO_RESULT_OK: it ended well */
	DRM_RONDO_RESULT_OK = 0,
	/**
	 * @DRM_RONDO_RESULT_BAD_COMMAND: the device does not know such a command, or a value in it
	 * is out of range
	 */
	DRM_RONDO_RESULT_BAD_COMMAND = 1,
	/** @DRM_RONDO_RESULT_BAD_NUMBER: the device does not know its program, binding or queue */
	DRM_RONDO_RESULT_BAD_NUMBER = 2,
	/** @DRM_RONDO_RESULT_BAD_PROGRAM: the device does not accept the program's bytes */
	DRM_RONDO_RESULT_BAD_PROGRAM = 3,
	/** @DRM_RONDO_RESULT_HOST_REFUSED: the host refused the device access to memory */
	DRM_RONDO_RESULT_HOST_REFUSED = 4,
	/** @DRM_RONDO_RESULT_OVERRUN: it took longer than its exact cycles */
	DRM_RONDO_RESULT_OVERRUN = 5,
	/**
	 * @DRM_RONDO_RESULT_TRAPPED: a check of the device failed that the proof makes impossible
	 */
	DRM_RONDO_RESULT_TRAPPED = 6,
	/** @DRM_RONDO_RESULT_ABORTED: its queue was destroyed */
	DRM_RONDO_RESULT_ABORTED = 7,
	/** @DRM_RONDO_RESULT_BAD_OFFSET: the device does not accept a slot offset */
	DRM_RONDO_RESULT_BAD_OFFSET = 8,
	/** @DRM_RONDO_RESULT_NO_MEMORY: the device lacks memory to keep it */
	DRM_RONDO_RESULT_NO_MEMORY = 9,
	/** @DRM_RONDO_RESULT_SIGNATURE: it left the control path that was proved */
	DRM_RONDO_RESULT_SIGNATURE = 10,
	/** @DRM_RONDO_RESULT_STALLED: the device stood still, and it was aborted */
	DRM_RONDO_RESULT_STALLED = 11,
	/**
	 * @DRM_RONDO_RESULT_RESET: the device was reset after it had begun, and it is not safe to
	 * repeat
	 */
	DRM_RONDO_RESULT_RESET = 64,
	/** @DRM_RONDO_RESULT_DEAD: the device does not work any more */
	DRM_RONDO_RESULT_DEAD = 65,
	/** @DRM_RONDO_RESULT_GONE: the device is gone */
	DRM_RONDO_RESULT_GONE = 66,
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_RONDO_PROGRAM_H_ */
