// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/isa.h"

/* The roles of each format's fields. */
enum {
#define F(member, lo, width, kind, role) | RONDO_ROLE_##role
#define FORMAT(name, fields) ROLES_##name = 0 fields,
#include "spec/formats.def"
};

#define MESH RONDO_LATENCY_MESH
const struct rondo_op_info rondo_ops[RONDO_OPCODES] = {
#define OP(opname, opcode, in, fmt, lat, elem, class, crosses, meaning) \
	[opcode] = {                                                    \
		.name = #opname,                                        \
		.slots = RONDO_SLOTS_##in,                              \
		.format = RONDO_FMT_##fmt,                              \
		.latency = lat,                                         \
		.element = RONDO_ELEMENT_##elem,                        \
		.energy = RONDO_ENERGY_##class,                         \
		.links = RONDO_LINKS_##crosses,                         \
		.roles = ROLES_##fmt,                                   \
	},
#include "spec/isa.def"
};

/* Columns that contradict each other. */
#define OP(name, opcode, slots, format, latency, element, energy, links, meaning)                  \
	static_assert(!(latency) == !(ROLES_##format & RONDO_ROLE_DST),                            \
		      #name ": it has a latency if it writes a register");                         \
	static_assert(!RONDO_ELEMENT_##element ==                                                  \
			      !(ROLES_##format & (RONDO_ROLE_SRAM_R | RONDO_ROLE_SRAM_W)),         \
		      #name ": it has elements if it has an address");                             \
	static_assert(!(ROLES_##format & RONDO_ROLE_TILE) || RONDO_LINKS_##links != RONDO_LINKS_0, \
		      #name ": it names a tile only along links");
#include "spec/isa.def"
#undef MESH

const char *const rondo_slot_names[RONDO_SLOTS_PER_BUNDLE] = {
	[RONDO_C] = "C", [RONDO_L0] = "L0", [RONDO_L1] = "L1", [RONDO_S] = "S",
	[RONDO_W] = "W", [RONDO_M] = "M",   [RONDO_V0] = "V0", [RONDO_V1] = "V1",
};
