/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The instruction set as C: everything here is made from spec/isa.def and
 * spec/formats.def.
 */
#ifndef RONDO_CORE_ISA_H
#define RONDO_CORE_ISA_H

#include "spec/machine.h"

/* The slots of a bundle, in the order of its 64-bit words. */
enum rondo_slot_no {
	RONDO_C,
	RONDO_L0,
	RONDO_L1,
	RONDO_S,
	RONDO_W,
	RONDO_M,
	RONDO_V0,
	RONDO_V1,
};

/* Where an operation may stand: sets of slots, by the names used in isa.def. */
enum {
	RONDO_SLOTS_C = 1 << RONDO_C,
	RONDO_SLOTS_L = 1 << RONDO_L0 | 1 << RONDO_L1,
	RONDO_SLOTS_S = 1 << RONDO_S,
	RONDO_SLOTS_W = 1 << RONDO_W,
	RONDO_SLOTS_M = 1 << RONDO_M,
	RONDO_SLOTS_V = 1 << RONDO_V0 | 1 << RONDO_V1,
	RONDO_SLOTS_V1 = 1 << RONDO_V1,
};

enum rondo_opcode {
	RONDO_OP_NOP = 0, /* the empty slot: all bits zero */
#define OP(name, opcode, slots, format, latency, meaning) RONDO_OP_##name = opcode,
#include "spec/isa.def"
	RONDO_OPCODES = 128,
};

enum rondo_format {
	RONDO_FMT_NONE, /* undefined opcode */
#define F(member, lo, width, kind, role)
#define FORMAT(name, fields) RONDO_FMT_##name,
#include "spec/formats.def"
};

enum { RONDO_LATENCY_MESH = 255 };

/* A row of isa.def. */
struct rondo_op_info {
	const char *name; /* as in isa.def, with '_' for '.'; NULL if undefined */
	u8 slots; /* set of slots */
	u8 format; /* enum rondo_format */
	u8 latency; /* bundles; RONDO_LATENCY_MESH depends on the machine */
};

extern const struct rondo_op_info rondo_ops[RONDO_OPCODES];

/*
 * A decoded slot. Only the fields of the operation's format are meaningful; the
 * others are zero. Values are natural: counts are counts, offsets are bytes.
 */
struct rondo_op {
	u8 op; /* enum rondo_opcode */
	u8 dst, a, b, c, params; /* vector registers */
	u8 shift;
	u8 count; /* lanes, or containers of a push: 1..64 */
	u8 rows; /* of ld4: 1..4 */
	u8 lane; /* first lane that is stored */
	u8 buf, wrow, zp, mode;
	u8 nest; /* loops opened: 1..3 */
	u8 channel, last;
	u8 wait[RONDO_DMA_CHANNELS]; /* 0: no wait; n: until at most n-1 are outstanding */
	u16 entry, row, desc;
	u16 x0, y0, x1, y1;
	s32 imm;
	u32 off;
	u32 body; /* bundles */
	u64 trip[3]; /* outermost first */
};

struct rondo_bundle {
	struct rondo_op slot[RONDO_SLOTS_PER_BUNDLE];
};

/* Latency of @op on @m in bundles; 0 if it writes no register. */
u32 rondo_latency(const struct rondo_machine *m, u8 op);

/* Whether @op reads registers of other tiles. */
static inline bool rondo_reads_mesh(u8 op)
{
	return op >= RONDO_OP_mv_n && op <= RONDO_OP_max_col_s32;
}

/* Where the address entry of an operation puts it: sets of these; 0 if it has no entry. */
enum {
	RONDO_HAS_ADDRESS = 1 << 0, /* in SRAM */
	RONDO_HAS_ROW = 1 << 1, /* of the accumulators, in slot W of a weight buffer */
};

static inline u32 rondo_place_parts(u8 op)
{
	switch (rondo_ops[op].format) {
	case RONDO_FMT_LOAD:
	case RONDO_FMT_LOAD4:
	case RONDO_FMT_STORE:
		return RONDO_HAS_ADDRESS;
	case RONDO_FMT_READ:
	case RONDO_FMT_READQ:
		return RONDO_HAS_ROW;
	case RONDO_FMT_STOREA:
	case RONDO_FMT_STOREQ:
	case RONDO_FMT_WROW:
	case RONDO_FMT_PUSH:
	case RONDO_FMT_PRESET:
		return RONDO_HAS_ADDRESS | RONDO_HAS_ROW;
	default:
		return 0;
	}
}

/* Size in bytes of one element that @op moves from or to SRAM; 0 if it moves none. */
u32 rondo_element_bytes(u8 op);

#endif
