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
#define OP(name, opcode, ...) RONDO_OP_##name = opcode,
#include "spec/isa.def"
	RONDO_OPCODES = 128,
};

enum rondo_format {
	RONDO_FMT_NONE, /* undefined opcode */
#define F(member, lo, width, kind, role)
#define FORMAT(name, fields) RONDO_FMT_##name,
#include "spec/formats.def"
};

/* The roles of fields in spec/formats.def: sets. */
enum {
	RONDO_ROLE_VAL = 0,
	RONDO_ROLE_DST = 1 << 0,
	RONDO_ROLE_SRC = 1 << 1,
	RONDO_ROLE_SRC3 = 1 << 2,
	RONDO_ROLE_ENTRY = 1 << 3,
	RONDO_ROLE_SRAM_R = 1 << 4,
	RONDO_ROLE_SRAM_W = 1 << 5,
	RONDO_ROLE_ACC_R = 1 << 6,
	RONDO_ROLE_ACC_W = 1 << 7,
	RONDO_ROLE_ACC_RW = RONDO_ROLE_ACC_R | RONDO_ROLE_ACC_W,
	RONDO_ROLE_WEIGHT_R = 1 << 8,
	RONDO_ROLE_WEIGHT_W = 1 << 9,
	RONDO_ROLE_ROWS = 1 << 10,
	RONDO_ROLE_MODE = 1 << 11,
	RONDO_ROLE_TILE = 1 << 12,
	RONDO_ROLE_BODY = 1 << 13,
	RONDO_ROLE_NEST = 1 << 14,
};

/* Columns of isa.def. */
enum { RONDO_LATENCY_MESH = 255 };

enum rondo_element {
	RONDO_ELEMENT_0 = 0,
	RONDO_ELEMENT_1 = 1,
	RONDO_ELEMENT_2 = 2,
	RONDO_ELEMENT_4 = 4,
	RONDO_ELEMENT_SIZE = 7, /* the bits of the size */
	RONDO_ELEMENT_ONE = 8,
	RONDO_ELEMENT_ONE4 = RONDO_ELEMENT_ONE | RONDO_ELEMENT_4,
};

enum rondo_energy_class {
	RONDO_ENERGY_0,
	RONDO_ENERGY_LANES,
	RONDO_ENERGY_COUNT,
	RONDO_ENERGY_MAC_F32,
	RONDO_ENERGY_MAC_BF16,
	RONDO_ENERGY_MAC_S8,
};

enum rondo_links {
	RONDO_LINKS_0,
	RONDO_LINKS_ROW,
	RONDO_LINKS_COL,
	RONDO_LINKS_ROW2,
	RONDO_LINKS_COL2,
};

/* A row of isa.def. */
struct rondo_op_info {
	const char *name; /* as in isa.def, with '_' for '.'; NULL if undefined */
	u8 slots; /* set of slots */
	u8 format; /* enum rondo_format */
	u8 latency; /* bundles; RONDO_LATENCY_MESH depends on the machine */
	u8 element; /* enum rondo_element */
	u8 energy; /* enum rondo_energy_class */
	u8 links; /* enum rondo_links */
	u16 roles; /* set of RONDO_ROLE_* of the format's fields */
};

extern const struct rondo_op_info rondo_ops[RONDO_OPCODES];

/* The names of the slots, by enum rondo_slot_no: "C", "L0", ... */
extern const char *const rondo_slot_names[RONDO_SLOTS_PER_BUNDLE];

/*
 * A decoded slot. Only the fields of the operation's format are meaningful; the
 * others are zero. Values are natural: counts are counts, offsets are bytes.
 */
struct rondo_op {
	u8 op; /* enum rondo_opcode */
	u8 dst, a, b, c, params; /* vector registers */
	u8 shift;
	u8 count; /* lanes, or containers of a push: 1..64 */
	u8 rows; /* of elements: 1..4 */
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
static inline u32 rondo_latency(const struct rondo_machine *m, u8 op)
{
	u32 side = m->mesh_w > m->mesh_h ? m->mesh_w : m->mesh_h;

	if (rondo_ops[op].latency == RONDO_LATENCY_MESH)
		return side + m->mesh_latency;
	return rondo_ops[op].latency;
}

/*
 * What may be asked about an operation, derived from its row and its format. The empty slot and
 * undefined opcodes have no properties: the answer is false or 0.
 */
static inline bool rondo_op_has_role(u8 op, u32 roles)
{
	return rondo_ops[op].roles & roles;
}

/* Whether it opens loops. */
static inline bool rondo_op_is_loop(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_BODY);
}

/* Whether it uses an entry of the address table. */
static inline bool rondo_op_has_entry(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ENTRY);
}

static inline bool rondo_op_reads_sram(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_SRAM_R);
}

static inline bool rondo_op_writes_sram(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_SRAM_W);
}

/* Whether it has an address in SRAM. */
static inline bool rondo_op_has_address(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_SRAM_R | RONDO_ROLE_SRAM_W);
}

/* Whether it reads an accumulator row: readouts, stores of rows, pushes. */
static inline bool rondo_op_reads_acc(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ACC_R);
}

static inline bool rondo_op_writes_acc(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ACC_W);
}

/* Whether it has an accumulator row. */
static inline bool rondo_op_has_acc(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ACC_RW);
}

/* Whether it multiplies by the weight rows wrow to wrow + count - 1: pushes. */
static inline bool rondo_op_reads_weights(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_WEIGHT_R);
}

static inline bool rondo_op_writes_weights(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_WEIGHT_W);
}

/* Whether it has a row, of the accumulators or of the weights, that its entry moves. */
static inline bool rondo_op_has_row(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ACC_RW | RONDO_ROLE_WEIGHT_W);
}

/* Whether it reads parameters from three registers. */
static inline bool rondo_op_has_params(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_SRC3);
}

/* Whether it reads several rows of elements, entry.pitch apart. */
static inline bool rondo_op_has_rows(u8 op)
{
	return rondo_op_has_role(op, RONDO_ROLE_ROWS);
}

/* Whether it reads registers of other tiles. */
static inline bool rondo_op_reads_mesh(u8 op)
{
	return rondo_ops[op].links != RONDO_LINKS_0;
}

/* Whether it reads registers of tiles of the same row of the mesh. */
static inline bool rondo_op_along_row(u8 op)
{
	return rondo_ops[op].links == RONDO_LINKS_ROW || rondo_ops[op].links == RONDO_LINKS_ROW2;
}

/* Size in bytes of one element that it moves from or to SRAM; 0 if it moves none. */
static inline u32 rondo_element_bytes(u8 op)
{
	return rondo_ops[op].element & RONDO_ELEMENT_SIZE;
}

/* Elements that it moves from or to each of its rows in SRAM, with @count in its field. */
static inline u32 rondo_elements(u8 op, u32 count)
{
	return rondo_ops[op].element & RONDO_ELEMENT_ONE ? 1 : count;
}

/* Rows of elements that @op reads; 1 if it has no such field. */
static inline u32 rondo_element_rows(const struct rondo_op *op)
{
	return rondo_op_has_rows(op->op) ? op->rows : 1;
}

/* Loops that @op opens; 0 if it is no loop, or one that is not canonical. */
static inline u32 rondo_loop_nest(const struct rondo_op *op)
{
	return rondo_op_has_role(op->op, RONDO_ROLE_NEST) ? op->nest : rondo_op_is_loop(op->op);
}

/* Whether the nest of @op, a loop, is not empty and trips of loops that it does not open are 1. */
static inline bool rondo_loop_canonical(const struct rondo_op *op)
{
	u32 nest = rondo_loop_nest(op), i;

	for (i = nest; i < 3 && rondo_op_has_role(op->op, RONDO_ROLE_NEST); i++)
		if (op->trip[i] != 1)
			return false;
	return nest;
}

/* The row that the entry of @op moves, at the first trips of its loops. */
static inline u32 rondo_first_row(const struct rondo_op *op)
{
	return rondo_op_writes_weights(op->op) ? op->wrow : op->row;
}

/* Whether @op is a push that writes at the first trips of some loops and adds otherwise. */
static inline bool rondo_push_by_trip(const struct rondo_op *op)
{
	return op->mode == 2;
}

/* Whether @m has the tile that @op names; true if it names none. */
static inline bool rondo_has_tile(const struct rondo_machine *m, const struct rondo_op *op)
{
	s32 side = rondo_op_along_row(op->op) ? m->mesh_w : m->mesh_h;

	return !rondo_op_has_role(op->op, RONDO_ROLE_TILE) || (op->imm >= 0 && op->imm < side);
}

/* Sets of the vector registers that an operation reads and writes. */
struct rondo_register_use {
	u64 reads, writes;
};

/* By the roles of the fields. Parameters beyond the last register count as none. */
static inline struct rondo_register_use rondo_register_use(const struct rondo_op *op)
{
	struct rondo_register_use use = { 0, 0 };

#define F(member, lo, width, kind, role)                                                \
	use.reads |= RONDO_ROLE_##role == RONDO_ROLE_SRC  ? 1ull << (op->member & 63) : \
		     RONDO_ROLE_##role == RONDO_ROLE_SRC3 ? 7ull << (op->member & 63) : \
							    0;                          \
	use.writes |= RONDO_ROLE_##role == RONDO_ROLE_DST ? 1ull << (op->member & 63) : 0;
#define FORMAT(name, fields)   \
	case RONDO_FMT_##name: \
		fields break;
	switch (rondo_ops[op->op].format) {
#include "spec/formats.def"
	}
	return use;
}

#endif
