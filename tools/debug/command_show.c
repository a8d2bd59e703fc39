// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Commands that show state. */
#include <inttypes.h>

#include "core/machine.h"
#include "tools/debug/command_state.h"

enum {
	LIST_BEFORE = 4,
	LIST_COUNT = 10,
	ELEMENTS = 16,
	ELEMENTS_MAX = 1 << 16,
};

static const char *machine_name(const struct rondo_machine *machine)
{
	const char *name = rondo_machine_name(rondo_machine_find(rondo_machine_hash(machine)));

	return name ? name : "unknown";
}

bool show_info(struct debugger *d, const struct args *args)
{
	const struct session *s = shown(d);

	(void)args;
	fprintf(d->out, "machine %s: %u x %u tiles, %u lanes, %u bytes of SRAM each\n",
		machine_name(&s->machine), s->machine.mesh_w, s->machine.mesh_h, s->machine.lanes,
		s->machine.sram_bytes);
	fprintf(d->out, "program: %u bundles, %u layers, %u slots, %s\n",
		s->program.header->bundles, s->source.region_count, s->program.header->slots,
		s->source.unverified ? "not verified" : "verified");
	if (!s->source.unverified)
		fprintf(d->out, "run: cycles %" PRIu64 " to %" PRIu64 "\n", s->start,
			s->facts.cycles);
	else if (s->ended)
		fprintf(d->out, "run: cycles %" PRIu64 " to %" PRIu64 "\n", s->start, s->end);
	else
		fprintf(d->out, "run: from cycle %" PRIu64 ", its end is not known yet\n",
			s->start);
	return true;
}

bool show_list(struct debugger *d, const struct args *args)
{
	const struct session *s = shown(d);
	u32 bundles = s->program.header->bundles, due = session_bundle(s);
	u64 first, count = LIST_COUNT;

	if (due >= bundles)
		due = bundles - 1;
	first = due > LIST_BEFORE ? due - LIST_BEFORE : 0;
	if (args->count > 0 && !parse_number(d, args->at[0], "a bundle", &first))
		return false;
	if (args->count > 1 && !parse_number(d, args->at[1], "how many bundles", &count))
		return false;
	if (first >= bundles)
		return bad(d, "%s: there are %u bundles", args->at[0], bundles);
	print_bundles(d->out, s, (u32)first, count > bundles ? bundles : (u32)count);
	return true;
}

/* A type, of registers and rows. */
static bool parse_row_type(struct debugger *d, const struct args *args, u32 index, bool weights,
			   enum print_type *type)
{
	if (args->count <= index)
		return true;
	if (!parse_type(d, args->at[index], type))
		return false;
	if (*type == PRINT_S9 && !weights)
		return bad(d, "s9: only weights are of this type");
	return true;
}

bool show_registers(struct debugger *d, const struct args *args)
{
	enum print_type type = PRINT_F32;
	struct range range;

	if (!args->count) {
		print_registers(d->out, shown(d));
		return true;
	}
	if (!parse_range(d, args->at[0], "v", "registers", RONDO_VREGS, &range) ||
	    !parse_row_type(d, args, 1, false, &type))
		return false;
	print_register_values(d->out, shown(d), d->tile, (u32)range.lo, (u32)range.hi, type);
	return true;
}

bool show_accumulators(struct debugger *d, const struct args *args)
{
	enum print_type type = PRINT_F32;
	struct range range;

	if (!parse_range(d, args->at[0], "a", "accumulator rows", shown(d)->machine.acc_rows,
			 &range) ||
	    !parse_row_type(d, args, 1, false, &type))
		return false;
	print_accumulators(d->out, shown(d), d->tile, (u32)range.lo, (u32)range.hi, type);
	return true;
}

bool show_weights(struct debugger *d, const struct args *args)
{
	enum print_type type = PRINT_F32;
	struct range buffer, range;

	if (!parse_range(d, args->at[0], "w", "weight buffers", 2, &buffer) ||
	    !parse_range(d, args->at[1], "", "weight rows", shown(d)->machine.lanes, &range) ||
	    !parse_row_type(d, args, 2, true, &type))
		return false;
	if (buffer.lo != buffer.hi)
		return bad(d, "%s: expected one weight buffer, 0 or 1", args->at[0]);
	print_weights(d->out, shown(d), d->tile, (u32)buffer.lo, (u32)range.lo, (u32)range.hi,
		      type);
	return true;
}

/* "ADDRESS [COUNT [TYPE]]" from argument @first on, of @size bytes at @bytes. */
static bool show_memory(struct debugger *d, const struct args *args, u32 first, const u8 *bytes,
			u64 size, const char *what)
{
	u64 address, count = ELEMENTS, element;
	enum print_type type = PRINT_F32;

	if (!parse_number(d, args->at[first], "an address", &address) ||
	    (args->count > first + 1 &&
	     !parse_number(d, args->at[first + 1], "how many elements", &count)) ||
	    !parse_row_type(d, args, first + 2, false, &type))
		return false;
	element = print_type_bytes(type);
	if (count > ELEMENTS_MAX)
		return bad(d, "%s: at most %u elements at a time", args->at[first + 1],
			   ELEMENTS_MAX);
	if (address >= size || (args->count > first + 1 && count * element > size - address))
		return bad(d, "%" PRIu64 " bytes at %" PRIu64 ": %s has %" PRIu64 " bytes",
			   count * element, address, what, size);
	if (count > (size - address) / element)
		count = (size - address) / element;
	print_memory(d->out, bytes + address, address, count, type);
	return true;
}

bool show_sram(struct debugger *d, const struct args *args)
{
	const struct session *s = shown(d);

	return show_memory(d, args, 0, s->reference->tile[d->tile].sram, s->machine.sram_bytes,
			   "SRAM");
}

bool show_slot(struct debugger *d, const struct args *args)
{
	const struct session *s = shown(d);
	u64 slot;

	if (!parse_number(d, args->at[0], "a slot", &slot))
		return false;
	if (slot >= s->program.header->slots)
		return bad(d, "%s: there are %u slots", args->at[0], s->program.header->slots);
	return show_memory(d, args, 1, s->slot[slot], s->slot_bytes[slot], "the slot");
}

bool show_slots(struct debugger *d, const struct args *args)
{
	(void)args;
	print_slots(d->out, shown(d));
	return true;
}

bool show_loops(struct debugger *d, const struct args *args)
{
	(void)args;
	print_loops(d->out, shown(d));
	return true;
}

bool show_dma(struct debugger *d, const struct args *args)
{
	(void)args;
	print_dma(d->out, shown(d));
	return true;
}

bool show_layers(struct debugger *d, const struct args *args)
{
	(void)args;
	print_regions(d->out, shown(d));
	return true;
}

bool show_hash(struct debugger *d, const struct args *args)
{
	(void)args;
	fprintf(d->out, "%016" PRIx64 "\n", session_hash(shown(d)));
	return true;
}

bool set_tile(struct debugger *d, const struct args *args)
{
	const struct rondo_machine *m = &shown(d)->machine;
	u64 x, y;

	if (args->count) {
		if (args->count != 2)
			return bad(d, "tile: expected: tile X Y");
		if (!parse_number(d, args->at[0], "a column", &x) ||
		    !parse_number(d, args->at[1], "a row", &y))
			return false;
		if (x >= m->mesh_w || y >= m->mesh_h)
			return bad(d, "tile %" PRIu64 " %" PRIu64 ": the mesh is %u x %u", x, y,
				   m->mesh_w, m->mesh_h);
		d->tile = (u32)(y * m->mesh_w + x);
	}
	fprintf(d->out, "tile %u %u\n", d->tile % m->mesh_w, d->tile / m->mesh_w);
	return true;
}
