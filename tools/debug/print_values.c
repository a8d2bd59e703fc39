// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Registers, rows and memory, as numbers of any type. */
#include "tools/debug/print.h"

#include <inttypes.h>

const char *const print_type_names[PRINT_TYPES] = {
	[PRINT_HEX] = "hex",   [PRINT_F32] = "f32", [PRINT_S32] = "s32", [PRINT_U32] = "u32",
	[PRINT_BF16] = "bf16", [PRINT_S8] = "s8",   [PRINT_U8] = "u8",	 [PRINT_S9] = "s9",
};

enum { ELEMENTS_PER_LINE = 8, BYTES_PER_LINE = 16 };

u32 print_type_bytes(enum print_type type)
{
	switch (type) {
	case PRINT_S9:
		return 0;
	case PRINT_S8:
	case PRINT_U8:
		return 1;
	case PRINT_BF16:
		return 2;
	default:
		return 4;
	}
}

static u32 elements_per_line(enum print_type type)
{
	return print_type_bytes(type) == 1 ? BYTES_PER_LINE : ELEMENTS_PER_LINE;
}

/* NaN prints without its sign, which C libraries treat differently. */
static void print_f32(FILE *out, u32 bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	if (value != value)
		fprintf(out, " %15s", "nan");
	else
		fprintf(out, " %15.9g", (double)value);
}

/* One element of @type, whose bits are the low ones of @bits. */
static void print_element(FILE *out, u32 bits, enum print_type type)
{
	switch (type) {
	case PRINT_F32:
		print_f32(out, bits);
		break;
	case PRINT_BF16:
		print_f32(out, bits << 16);
		break;
	case PRINT_S32:
		fprintf(out, " %11" PRId32, (s32)bits);
		break;
	case PRINT_U32:
		fprintf(out, " %10" PRIu32, bits);
		break;
	case PRINT_S8:
		fprintf(out, " %4d", (s8)bits);
		break;
	case PRINT_U8:
		fprintf(out, " %3u", bits & 0xff);
		break;
	default:
		fprintf(out, " %08" PRIx32, bits);
	}
}

static void print_containers(FILE *out, const u32 *container, u32 lanes, enum print_type type)
{
	u32 size = print_type_bytes(type), per_container = 4 / size, i;
	u32 count = lanes * per_container, line = elements_per_line(type);

	for (i = 0; i < count; i++) {
		if (i % line == 0)
			fprintf(out, "%s%6u:", i ? "\n" : "", i);
		print_element(out, container[i / per_container] >> 8 * size * (i % per_container),
			      type);
	}
	fprintf(out, "\n");
}

void print_container(FILE *out, u32 container, enum print_type type)
{
	float value;

	memcpy(&value, &container, sizeof(value));
	fprintf(out, "0x%08" PRIx32, container);
	if (type == PRINT_F32 && value == value)
		fprintf(out, " (%.9g)", (double)value);
	else if (type == PRINT_F32)
		fprintf(out, " (nan)");
}

/* Bundles until a result for @reg lands; 0: none is under way. */
static u32 lands_in(const struct reference *r, u32 reg)
{
	u32 i;

	for (i = 0; i < r->flights; i++)
		if (r->flight[i].left && r->flight[i].reg == reg)
			return r->flight[i].left;
	return 0;
}

void print_registers(FILE *out, const struct session *s)
{
	const struct reference *r = s->reference;
	u32 reg, last;

	fprintf(out, "written:");
	for (reg = 0; reg < RONDO_VREGS; reg = last + 1) {
		last = reg;
		if (!(r->defined >> reg & 1))
			continue;
		while (last + 1 < RONDO_VREGS && r->defined >> (last + 1) & 1)
			last++;
		fprintf(out, last > reg ? " v%u..v%u" : " v%u", reg, last);
	}
	fprintf(out, r->defined ? "\nin flight:" : " none\nin flight:");
	for (reg = 0, last = 0; reg < RONDO_VREGS; reg++) {
		if (!lands_in(r, reg))
			continue;
		fprintf(out, " v%u (lands in %u)", reg, lands_in(r, reg));
		last++;
	}
	fprintf(out, last ? "\n" : " none\n");
}

void print_register_values(FILE *out, const struct session *s, u32 tile, u32 first, u32 last,
			   enum print_type type)
{
	const struct reference *r = s->reference;
	u32 reg;

	for (reg = first; reg <= last; reg++) {
		fprintf(out, "v%u %s", reg, print_type_names[type]);
		if (!(r->defined >> reg & 1))
			fprintf(out, ", never written");
		if (lands_in(r, reg))
			fprintf(out, ", the next value lands in %u bundles", lands_in(r, reg));
		fprintf(out, "\n");
		print_containers(out, r->tile[tile].vreg[reg], r->machine.lanes, type);
	}
}

void print_accumulators(FILE *out, const struct session *s, u32 tile, u32 first, u32 last,
			enum print_type type)
{
	const struct reference *r = s->reference;
	u32 row;

	for (row = first; row <= last; row++) {
		fprintf(out, "a%u %s\n", row, print_type_names[type]);
		print_containers(out, r->tile[tile].acc[row], r->machine.lanes, type);
	}
}

/* Elements of four 9-bit fields. */
static void print_fields(FILE *out, const u64 *element, u32 lanes)
{
	u32 i;

	for (i = 0; i < 4 * lanes; i++) {
		s32 field = (s32)((element[i / 4] >> 9 * (i % 4) & 0x1ff) ^ 0x100) - 0x100;

		if (i % BYTES_PER_LINE == 0)
			fprintf(out, "%s%6u:", i ? "\n" : "", i);
		fprintf(out, " %4d", field);
	}
	fprintf(out, "\n");
}

void print_weights(FILE *out, const struct session *s, u32 tile, u32 buffer, u32 first, u32 last,
		   enum print_type type)
{
	const struct reference *r = s->reference;
	u32 container[LANES], row, i;

	for (row = first; row <= last; row++) {
		const u64 *element = r->tile[tile].weight[buffer][row];

		fprintf(out, "w%u.%u %s\n", buffer, row, print_type_names[type]);
		if (type == PRINT_S9) {
			print_fields(out, element, r->machine.lanes);
			continue;
		}
		for (i = 0; i < r->machine.lanes; i++)
			container[i] = (u32)element[i];
		print_containers(out, container, r->machine.lanes, type);
	}
}

void print_memory(FILE *out, const u8 *bytes, u64 address, u64 count, enum print_type type)
{
	u32 size = print_type_bytes(type), line = elements_per_line(type), bits;
	u64 i;

	for (i = 0; i < count; i++) {
		if (i % line == 0)
			fprintf(out, "%s%8" PRIu64 ":", i ? "\n" : "", address + i * size);
		bits = 0;
		memcpy(&bits, bytes + i * size, size);
		print_element(out, bits, type);
	}
	if (count)
		fprintf(out, "\n");
}
