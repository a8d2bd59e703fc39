/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a session shows, as text that is the same on every host. */
#ifndef TOOLS_DEBUG_PRINT_H
#define TOOLS_DEBUG_PRINT_H

#include <stdio.h>

#include "tools/debug/session.h"

/* How 32-bit containers are read. */
enum print_type {
	PRINT_HEX,
	PRINT_F32,
	PRINT_S32,
	PRINT_U32,
	PRINT_BF16,
	PRINT_S8,
	PRINT_U8,
	PRINT_S9, /* weights: four fields of nine bits */
	PRINT_TYPES,
};

extern const char *const print_type_names[PRINT_TYPES];

/* Bytes of one element in memory. PRINT_S9 has no place there: 0. */
u32 print_type_bytes(enum print_type type);

/* The position: cycle, bundle, layer, loops, and why it stalls or how it ended. */
void print_where(FILE *out, const struct session *s);

/* Bundles [first, first + count) as far as there are any, the one that is due marked. */
void print_bundles(FILE *out, const struct session *s, u32 first, u32 count);

void print_loops(FILE *out, const struct session *s);
void print_regions(FILE *out, const struct session *s);
void print_slots(FILE *out, const struct session *s);

/* Transfers that are outstanding, with the cycle in which each ends. */
void print_dma(FILE *out, const struct session *s);
/* The end of transfer @i of channel @c: the first cycle in which it is not outstanding. */
u64 print_transfer_end(const struct session *s, u32 c, u32 i);

/* Which registers are defined, and which are in flight. */
void print_registers(FILE *out, const struct session *s);

/* Registers, accumulator rows and weight rows [first, last] of tile @tile, in range. */
void print_register_values(FILE *out, const struct session *s, u32 tile, u32 first, u32 last,
			   enum print_type type);
void print_accumulators(FILE *out, const struct session *s, u32 tile, u32 first, u32 last,
			enum print_type type);
void print_weights(FILE *out, const struct session *s, u32 tile, u32 buffer, u32 first, u32 last,
		   enum print_type type);

/* @count elements of @type at @bytes, whose first is at address @address. */
void print_memory(FILE *out, const u8 *bytes, u64 address, u64 count, enum print_type type);

/* One container, in hexadecimal and as a number of @type: "0x3f800000 (1)". */
void print_container(FILE *out, u32 container, enum print_type type);

#endif
