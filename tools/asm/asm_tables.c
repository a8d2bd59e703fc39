// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Lines that declare: machine, cycles, slot, entry, desc. Each is a name and then
 * key=value pairs in any order.
 */
#include "tools/asm/asm_parse.h"

#include <string.h>

#include "core/machine.h"

/* What the members of a table's row can hold. */
#define U8 0, UINT8_MAX
#define U16 0, UINT16_MAX
#define U32 0, UINT32_MAX
#define S16 INT16_MIN, INT16_MAX
#define S32 INT32_MIN, INT32_MAX

/* Steps over "key=" if it stands here. */
static bool key(struct asm_cursor *c, const char *name)
{
	const char *begin = c->at;

	if (asm_accept_word(c, name) && asm_accept(c, "="))
		return true;
	c->at = begin;
	return false;
}

/* Up to @max numbers with commas between them; *@count says how many. */
static bool list(struct asm_cursor *c, s64 lo, s64 hi, const char *what, s64 *value, u32 max,
		 u32 *count)
{
	*count = 0;
	do {
		if (*count == max)
			return asm_error(c, "more than %u numbers", max);
		if (!asm_number(c, lo, hi, what, &value[*count]))
			return false;
		++*count;
	} while (asm_accept(c, ","));
	return true;
}

/* LIST assigns the numbers of a list to the first elements of an array member. */
#define LIST(c, member, lo_hi, what)                                                               \
	assign_list(c, lo_hi, what, member, sizeof(*(member)), sizeof(member) / sizeof(*(member)), \
		    false)

/* As LIST, to the last elements: dimensions of a transfer are written from the innermost. */
#define LIST_INNER(c, member, lo_hi, what)                                                         \
	assign_list(c, lo_hi, what, member, sizeof(*(member)), sizeof(member) / sizeof(*(member)), \
		    true)

static bool assign_list(struct asm_cursor *c, s64 lo, s64 hi, const char *what, void *member,
			size_t size, u32 elements, bool inner)
{
	s64 value[RONDO_LOOP_DEPTH];
	u32 i, count;

	if (!list(c, lo, hi, what, value, elements, &count))
		return false;
	for (i = 0; i < count; i++)
		memcpy((u8 *)member + (i + (inner ? elements - count : 0)) * size, &value[i], size);
	return true;
}

static bool number(struct asm_cursor *c, s64 lo, s64 hi, const char *what, void *member,
		   size_t size)
{
	s64 value;

	if (!asm_number(c, lo, hi, what, &value))
		return false;
	memcpy(member, &value, size);
	return true;
}

#define NUMBER(c, member, lo_hi, what) number(c, lo_hi, what, &(member), sizeof(member))

/* lo..hi */
static bool range(struct asm_cursor *c, u64 *lo, u64 *hi)
{
	return asm_unsigned(c, lo) && asm_expect(c, "..") && asm_unsigned(c, hi);
}

/* The name of a new row of a table; "e3" may name only row 3. */
static bool row_name(struct asm_cursor *c, enum asm_kind kind, char letter, u32 index, u32 max)
{
	char name[ASM_NAME_BYTES], own[16];
	size_t digits;

	if (index == max)
		return asm_error(c, "more than %u of these", max);
	if (!asm_word(c, name, "a name"))
		return false;
	snprintf(own, sizeof(own), "%c%u", letter, index);
	digits = strspn(name + 1, "0123456789");
	if (name[0] == letter && digits && !name[1 + digits] && strcmp(name, own))
		return asm_error(c, "this is %s, not %s", own, name);
	return asm_declare(c, name, kind, index);
}

static bool machine_line(struct asm_cursor *c)
{
	char name[ASM_NAME_BYTES];
	u32 id;

	if (c->as->header.bundles)
		return asm_error(c, "machine stands after a bundle");
	if (key(c, "hash"))
		return asm_unsigned(c, &c->as->machine_hash);
	if (!asm_word(c, name, "a machine"))
		return false;
	id = rondo_machine_named(name);
	if (id == RONDO_MACHINES)
		return asm_error(c, "no machine '%s'", name);
	rondo_machine_init(&c->as->machine, id);
	c->as->machine_hash = rondo_machine_hash(&c->as->machine);
	return asm_declare(c, "MESH_W", ASM_CONSTANT, c->as->machine.mesh_w) &&
	       asm_declare(c, "MESH_H", ASM_CONSTANT, c->as->machine.mesh_h);
}

static bool cycles_line(struct asm_cursor *c)
{
	c->as->cycles_stated = true;
	return asm_unsigned(c, &c->as->header.cycles);
}

static bool slot_key(struct asm_cursor *c, struct rondo_slot *slot, struct asm_claims *stated)
{
	if (key(c, "align"))
		return NUMBER(c, slot->align, U32, "align");
	if (key(c, "alias"))
		return NUMBER(c, slot->alias, U16, "alias");
	if (key(c, "flags"))
		return NUMBER(c, slot->flags, U16, "flags");
	if (asm_accept_word(c, "dynamic")) {
		slot->flags |= RONDO_SLOT_DYNAMIC;
		return true;
	}
	if (key(c, "read")) {
		stated->read = true;
		return range(c, &slot->read_lo, &slot->read_hi);
	}
	if (key(c, "write")) {
		stated->write = true;
		return range(c, &slot->write_lo, &slot->write_hi);
	}
	return asm_error(c, "expected align=, alias=, dynamic, flags=, read= or write=");
}

static bool slot_line(struct asm_cursor *c)
{
	struct asm_state *as = c->as;
	u32 index = as->header.slots;
	struct rondo_slot *slot = &as->slots[index];

	if (!row_name(c, ASM_SLOT, 's', index, RONDO_PROGRAM_SLOTS_MAX))
		return false;
	as->header.slots++;
	as->slot_origins[index] = asm_origin_of(c);
	slot->align = 64;
	while (!asm_at_end(c))
		if (!slot_key(c, slot, &as->stated[index]))
			return false;
	return true;
}

static bool entry_key(struct asm_cursor *c, struct rondo_entry *entry)
{
	if (key(c, "base"))
		return NUMBER(c, entry->base, U32, "base");
	if (key(c, "stride"))
		return LIST(c, entry->stride, S32, "stride");
	if (key(c, "rows"))
		return LIST(c, entry->row_stride, S16, "row stride");
	if (key(c, "seg"))
		return NUMBER(c, entry->seg_len, U16, "segment length") && asm_expect(c, ":") &&
		       NUMBER(c, entry->seg_stride, S32, "segment stride");
	if (key(c, "pitch"))
		return NUMBER(c, entry->pitch, S32, "pitch");
	if (key(c, "first"))
		return NUMBER(c, entry->first, U8, "set of loops");
	if (key(c, "reserved"))
		return NUMBER(c, entry->reserved, U8, "reserved");
	return asm_error(c, "expected base=, stride=, rows=, seg=, pitch= or first=");
}

static bool entry_line(struct asm_cursor *c)
{
	struct asm_state *as = c->as;
	struct rondo_entry *entry;
	struct asm_origin *origin;

	if (!row_name(c, ASM_ENTRY, 'e', as->header.entries, RONDO_ENTRIES_MAX))
		return false;
	entry = asm_grow(as, &as->entries, as->header.entries, sizeof(*entry));
	origin = asm_grow(as, &as->entry_origins, as->header.entries, sizeof(*origin));
	if (!entry || !origin)
		return false;
	*origin = asm_origin_of(c);
	as->header.entries++;
	while (!asm_at_end(c))
		if (!entry_key(c, entry))
			return false;
	return true;
}

/* One of @names, which @what lists, or its number. */
static bool choice(struct asm_cursor *c, const char *const *names, u32 count, const char *what,
		   u8 *value)
{
	for (*value = 0; *value < count; ++*value)
		if (asm_accept_word(c, names[*value]))
			return true;
	asm_at_end(c);
	if (*c->at < '0' || *c->at > '9')
		return asm_error(c, "expected %s", what);
	return NUMBER(c, *value, U8, what);
}

static const char *const modes[] = { "tile", "broadcast", "rows", "columns" };
static const char *const dirs[] = { "in", "out" };

static bool tiles(struct asm_cursor *c, struct rondo_desc *d)
{
	return NUMBER(c, d->x0, U16, "column") && asm_expect(c, "..") &&
	       NUMBER(c, d->x1, U16, "column") && asm_expect(c, ",") &&
	       NUMBER(c, d->y0, U16, "row") && asm_expect(c, "..") && NUMBER(c, d->y1, U16, "row");
}

static bool desc_key(struct asm_cursor *c, struct rondo_desc *d)
{
	if (key(c, "row"))
		return NUMBER(c, d->row_bytes, U32, "row");
	if (key(c, "count"))
		return LIST_INNER(c, d->count, U32, "count");
	if (key(c, "sram"))
		return NUMBER(c, d->sram_base, U32, "SRAM address");
	if (key(c, "sram_stride"))
		return LIST_INNER(c, d->sram_stride, S32, "stride");
	if (key(c, "sram_loop"))
		return LIST(c, d->sram_loop, S32, "stride");
	if (key(c, "slot"))
		return asm_unsigned(c, &d->slot_base);
	if (key(c, "slot_stride"))
		return assign_list(c, INT64_MIN, INT64_MAX, "stride", d->slot_stride, sizeof(s64),
				   RONDO_DMA_DIMS, true);
	if (key(c, "slot_loop"))
		return assign_list(c, INT64_MIN, INT64_MAX, "stride", d->slot_loop, sizeof(s64),
				   RONDO_DMA_LOOP_DEPTH, false);
	if (key(c, "slot_x"))
		return asm_expression(c, &d->slot_x);
	if (key(c, "slot_y"))
		return asm_expression(c, &d->slot_y);
	if (key(c, "mode"))
		return choice(c, modes, RONDO_DMA_MODES, "tile, broadcast, rows or columns",
			      &d->mode);
	if (key(c, "tiles"))
		return tiles(c, d);
	return asm_error(c, "expected row=, count=, sram=, sram_stride=, sram_loop=, slot=, "
			    "slot_stride=, slot_loop=, slot_x=, slot_y=, mode= or tiles=");
}

static bool desc_line(struct asm_cursor *c)
{
	struct asm_state *as = c->as;
	struct asm_origin *origin;
	struct rondo_desc *d;
	s64 slot;

	if (!row_name(c, ASM_DESC, 'd', as->header.descs, RONDO_DESCS_MAX))
		return false;
	d = asm_grow(as, &as->descs, as->header.descs, sizeof(*d));
	origin = asm_grow(as, &as->desc_origins, as->header.descs, sizeof(*origin));
	if (!d || !origin)
		return false;
	*origin = asm_origin_of(c);
	as->header.descs++;
	for (u32 k = 0; k < RONDO_DMA_DIMS; k++)
		d->count[k] = 1;
	if (!choice(c, dirs, RONDO_DMA_DIRS, "in or out", &d->dir) ||
	    !asm_reference(c, ASM_SLOT, &slot))
		return false;
	d->slot = slot;
	while (!asm_at_end(c))
		if (!desc_key(c, d))
			return false;
	return true;
}

bool asm_table_line(struct asm_cursor *c, const char *word, bool *ok)
{
	static const struct {
		const char *word;
		bool (*read)(struct asm_cursor *c);
	} tables[] = {
		{ "machine", machine_line }, { "cycles", cycles_line }, { "slot", slot_line },
		{ "entry", entry_line },     { "desc", desc_line },
	};

	for (u32 i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (strcmp(tables[i].word, word))
			continue;
		*ok = tables[i].read(c);
		return true;
	}
	return false;
}
