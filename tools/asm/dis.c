// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Whole programs as text. Everything is stated, so that assembling measures
 * nothing and gives the same bytes. Rows of tables are named by their numbers.
 */
#include "tools/asm/asm.h"

#include <inttypes.h>

#include "core/codec.h"
#include "core/disasm.h"
#include "core/machine.h"
#include "core/program.h"
#include "core/verify.h"

static void print_machine(FILE *out, const struct rondo_program_header *h)
{
	const char *name = rondo_machine_name(rondo_machine_find(h->machine_hash));

	if (name)
		fprintf(out, "machine %s\n", name);
	else
		fprintf(out, "machine hash=0x%016" PRIx64 "\n", h->machine_hash);
}

static void print_slot(FILE *out, u32 index, const struct rondo_slot *slot)
{
	fprintf(out, "slot s%u align=%u", index, slot->align);
	if (slot->alias)
		fprintf(out, " alias=%u", slot->alias);
	if (slot->flags & RONDO_SLOT_DYNAMIC)
		fprintf(out, " dynamic");
	if (slot->flags & ~RONDO_SLOT_FLAGS)
		fprintf(out, " flags=%u", slot->flags);
	fprintf(out, " read=%" PRIu64 "..%" PRIu64 " write=%" PRIu64 "..%" PRIu64 "\n",
		slot->read_lo, slot->read_hi, slot->write_lo, slot->write_hi);
}

/* " key=1,2,3" without the zeros at the end; nothing if all are zero. */
static void print_outer(FILE *out, const char *key, const s64 *value, u32 count)
{
	while (count && !value[count - 1])
		count--;
	for (u32 i = 0; i < count; i++) {
		fprintf(out, i ? "," : " %s=", key);
		fprintf(out, "%" PRId64, value[i]);
	}
}

/* " key=1,2,3" without the values at the beginning that are @rest; nothing if all are. */
static void print_inner(FILE *out, const char *key, const s64 *value, u32 count, s64 rest)
{
	u32 first = 0;

	while (first < count && value[first] == rest)
		first++;
	for (u32 i = first; i < count; i++) {
		fprintf(out, i > first ? "," : " %s=", key);
		fprintf(out, "%" PRId64, value[i]);
	}
}

/* An array of any integer type as s64[]. */
#define WIDEN(array, count)                       \
	({                                        \
		for (u32 k = 0; k < (count); k++) \
			wide[k] = (array)[k];     \
		wide;                             \
	})

static void print_entry(FILE *out, u32 index, const struct rondo_entry *e)
{
	s64 wide[RONDO_LOOP_DEPTH];

	fprintf(out, "entry e%u base=%u", index, e->base);
	print_outer(out, "stride", WIDEN(e->stride, RONDO_LOOP_DEPTH), RONDO_LOOP_DEPTH);
	print_outer(out, "rows", WIDEN(e->row_stride, RONDO_LOOP_DEPTH), RONDO_LOOP_DEPTH);
	if (e->seg_len || e->seg_stride)
		fprintf(out, " seg=%u:%d", e->seg_len, e->seg_stride);
	if (e->pitch)
		fprintf(out, " pitch=%d", e->pitch);
	if (e->first)
		fprintf(out, " first=0x%x", e->first);
	if (e->reserved)
		fprintf(out, " reserved=%u", e->reserved);
	fputc('\n', out);
}

static void print_desc(FILE *out, u32 index, const struct rondo_desc *d)
{
	static const char *const modes[] = { "tile", "broadcast", "rows", "columns" };
	s64 wide[RONDO_DMA_DIMS];

	fprintf(out, "desc d%u ", index);
	if (d->dir < RONDO_DMA_DIRS)
		fprintf(out, "%s", d->dir == RONDO_DMA_IN ? "in" : "out");
	else
		fprintf(out, "%u", d->dir);
	fprintf(out, " s%u row=%u", d->slot, d->row_bytes);
	print_inner(out, "count", WIDEN(d->count, RONDO_DMA_DIMS), RONDO_DMA_DIMS, 1);
	fprintf(out, " sram=%u", d->sram_base);
	print_inner(out, "sram_stride", WIDEN(d->sram_stride, RONDO_DMA_DIMS), RONDO_DMA_DIMS, 0);
	print_outer(out, "sram_loop", WIDEN(d->sram_loop, RONDO_DMA_LOOP_DEPTH),
		    RONDO_DMA_LOOP_DEPTH);
	fprintf(out, " slot=%" PRIu64, d->slot_base);
	print_inner(out, "slot_stride", d->slot_stride, RONDO_DMA_DIMS, 0);
	print_outer(out, "slot_loop", d->slot_loop, RONDO_DMA_LOOP_DEPTH);
	if (d->slot_x)
		fprintf(out, " slot_x=%" PRId64, d->slot_x);
	if (d->slot_y)
		fprintf(out, " slot_y=%" PRId64, d->slot_y);
	if (d->mode >= RONDO_DMA_MODES)
		fprintf(out, " mode=%u", d->mode);
	else if (d->mode)
		fprintf(out, " mode=%s", modes[d->mode]);
	if (d->x0 || d->x1 || d->y0 || d->y1)
		fprintf(out, " tiles=%u..%u,%u..%u", d->x0, d->x1, d->y0, d->y1);
	fputc('\n', out);
}

/* Bundles, one tab deeper for each loop around them. */
static void print_bundles(FILE *out, const struct rondo_program *p)
{
	u32 last[RONDO_LOOP_DEPTH], depth = 0, i, d;
	char line[RONDO_DISASM_BYTES];

	for (i = 0; i < p->header->bundles; i++) {
		struct rondo_op op;

		rondo_disasm_bundle(p->bundles[i], line, sizeof(line));
		for (d = 0; d <= depth; d++)
			fputc('\t', out);
		fprintf(out, "%s\n", line);
		while (depth && last[depth - 1] <= i)
			depth--;
		if (rondo_decode(p->bundles[i][RONDO_C], &op) && op.body &&
		    depth < RONDO_LOOP_DEPTH)
			last[depth++] = i + op.body;
	}
}

u32 asm_disassemble(FILE *out, const void *program, u64 size)
{
	struct rondo_program p;
	u32 error = rondo_program_open(&p, program, size);

	if (error)
		return error;
	print_machine(out, p.header);
	fprintf(out, "cycles %" PRIu64 "\n", p.header->cycles);
	for (u32 i = 0; i < p.header->slots; i++)
		print_slot(out, i, &p.slots[i]);
	for (u32 i = 0; i < p.header->entries; i++)
		print_entry(out, i, &p.entries[i]);
	for (u32 i = 0; i < p.header->descs; i++)
		print_desc(out, i, &p.descs[i]);
	fputc('\n', out);
	print_bundles(out, &p);
	return 0;
}
