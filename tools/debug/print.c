// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The position, the program and its transfers. Values: print_values.c. */
#include "tools/debug/print.h"

#include <inttypes.h>

#include "core/codec.h"
#include "core/disasm.h"

static void print_loop_indices(FILE *out, const struct reference *r)
{
	const char *comma = ", loops ";
	u32 n, i;

	for (n = 0; n < r->nests; n++) {
		for (i = 0; i < r->nest[n].loops; i++) {
			fprintf(out, "%s%" PRIu64 " of %" PRIu64, comma, r->nest[n].index[i],
				r->nest[n].trips[i]);
			comma = ", ";
		}
	}
}

/* The first cycle in which the bundle need not wait any more, by the ends of the transfers. */
static u64 stall_end(const struct session *s, const struct rondo_op *control)
{
	const struct reference *r = s->reference;
	u64 until = session_now(s), end;
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
		u32 outstanding = r->channel[c].outstanding, may = RONDO_DMA_OUTSTANDING;

		if (control->wait[c])
			may = control->wait[c] - 1u;
		if (control->op == RONDO_OP_dma && control->channel == c &&
		    may > RONDO_DMA_OUTSTANDING - 1)
			may = RONDO_DMA_OUTSTANDING - 1;
		if (outstanding <= may)
			continue;
		end = print_transfer_end(s, c, outstanding - may - 1);
		until = end > until ? end : until;
	}
	return until;
}

/* Why the bundle that is due does not execute in this cycle, if so. */
static void print_stall(FILE *out, const struct session *s, u32 bundle)
{
	const struct reference *r = s->reference;
	struct rondo_op control;
	u32 c;

	if (!rondo_decode(s->program.bundles[bundle][RONDO_C], &control) ||
	    ref_may_issue(r, &control))
		return;
	fprintf(out, "    it stalls until cycle %" PRIu64, stall_end(s, &control));
	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		if (control.wait[c] && r->channel[c].outstanding > control.wait[c] - 1u)
			fprintf(out, ", c%u has %u outstanding and may have %u", c,
				r->channel[c].outstanding, control.wait[c] - 1u);
	if (control.op == RONDO_OP_dma &&
	    r->channel[control.channel].outstanding == RONDO_DMA_OUTSTANDING)
		fprintf(out, ", c%u is full", control.channel);
	fprintf(out, "\n");
}

static void print_end(FILE *out, const struct session *s)
{
	static const char *const how[] = {
		[EXEC_DONE] = "the run is done",
		[EXEC_ABORTED] = "the run was aborted",
		[EXEC_OVERRUN] = "the run takes more cycles than it may",
		[EXEC_TRAP] = "the run traps in this cycle",
		[EXEC_DMA_ERROR] = "the host refuses a transfer in this cycle",
	};

	fprintf(out, "    %s%s%s\n", how[s->status], *s->reason ? ": " : "", s->reason);
}

void print_where(FILE *out, const struct session *s)
{
	const struct reference *r = s->reference;
	const struct session_region *region;
	u32 bundle = session_bundle(s);

	fprintf(out, "cycle %" PRIu64, session_now(s));
	if (bundle < s->program.header->bundles) {
		region = session_region_of(s, bundle);
		fprintf(out, ", bundle %u", bundle);
		if (region)
			fprintf(out, ", layer %s", region->name);
		print_loop_indices(out, r);
		fprintf(out, "\n");
		print_bundles(out, s, bundle, 1);
		print_stall(out, s, bundle);
	} else {
		fprintf(out, "\n");
	}
	if (session_at_end(s))
		print_end(out, s);
}

void print_bundles(FILE *out, const struct session *s, u32 first, u32 count)
{
	u32 bundles = s->program.header->bundles, due = session_bundle(s), at;
	char text[RONDO_DISASM_BYTES];

	for (at = first; at < bundles && at - first < count; at++) {
		const struct session_region *region = session_region_of(s, at);

		if (region && region->first == at && count > 1)
			fprintf(out, "%s:\n", region->name);
		rondo_disasm_bundle(s->program.bundles[at], text, sizeof(text));
		fprintf(out, "%s %6u  %s\n", at == due ? "=>" : "  ", at, text);
	}
}

void print_loops(FILE *out, const struct session *s)
{
	const struct reference *r = s->reference;
	u32 n, i, depth = 0;

	for (n = 0; n < r->nests; n++)
		for (i = 0; i < r->nest[n].loops; i++)
			fprintf(out,
				"depth %u: index %" PRIu64 " of %" PRIu64 ", bundles %u to %u\n",
				depth++, r->nest[n].index[i], r->nest[n].trips[i], r->nest[n].first,
				r->nest[n].last);
	if (!depth)
		fprintf(out, "no loop is open\n");
}

void print_regions(FILE *out, const struct session *s)
{
	u32 i;

	for (i = 0; i < s->source.region_count; i++) {
		const struct session_region *region = &s->source.regions[i];

		fprintf(out, "%-24s bundles %u to %u\n", region->name, region->first,
			region->first + (region->count ? region->count - 1 : 0));
	}
	if (!s->source.region_count)
		fprintf(out, "the program has no layers\n");
}

void print_slots(FILE *out, const struct session *s)
{
	u32 i;

	for (i = 0; i < s->program.header->slots; i++) {
		const struct rondo_slot *slot = &s->program.slots[i];

		fprintf(out,
			"slot %u: %" PRIu64 " bytes, reads [%" PRIu64 ", %" PRIu64
			"), writes [%" PRIu64 ", %" PRIu64 ")\n",
			i, s->slot_bytes[i], slot->read_lo, slot->read_hi, slot->write_lo,
			slot->write_hi);
	}
	if (!s->program.header->slots)
		fprintf(out, "the program has no slots\n");
}

/* DMA. */

struct progress {
	u64 rows_done, rows;
	u64 cycles_left; /* of work, once the channel works on it */
};

static struct progress progress_of(const struct session *s, const struct ref_transfer *t)
{
	const struct rondo_desc *d = t->desc;
	u32 per_cycle = s->machine.dma_bytes_per_cycle;
	u64 block = (u64)d->count[0] * d->count[1] * d->count[2];
	u64 row_cycles = s->machine.dma_row_cycles + (d->row_bytes + per_cycle - 1ull) / per_cycle;
	u64 in_row = t->waited + (t->moved + per_cycle - 1ull) / per_cycle;
	u64 width = rondo_dma_blocks_x(d);
	u64 blocks_done = (t->y - d->y0) * width + (t->x - d->x0);
	struct progress p;

	p.rows = width * rondo_dma_blocks_y(d) * block;
	p.rows_done = blocks_done * block + ((u64)t->i[0] * d->count[1] + t->i[1]) * d->count[2] +
		      t->i[2];
	p.cycles_left = (p.rows - p.rows_done) * row_cycles - in_row;
	return p;
}

u64 print_transfer_end(const struct session *s, u32 c, u32 i)
{
	const struct ref_channel *channel = &s->reference->channel[c];
	u64 end = session_now(s);
	u32 k;

	for (k = 0; k <= i; k++) {
		const struct ref_transfer *t = &channel->transfer[k];
		u64 ready = session_now(s) + t->startup;

		if (!t->desc)
			continue; /* it ends with the one before */
		end = (ready > end ? ready : end) + progress_of(s, t).cycles_left;
	}
	return end;
}

static void print_transfer(FILE *out, const struct session *s, u32 c, u32 i)
{
	const struct ref_transfer *t = &s->reference->channel[c].transfer[i];
	u64 end = print_transfer_end(s, c, i);
	struct progress p;

	if (!t->desc) {
		fprintf(out, "  empty, ends in cycle %" PRIu64 "\n", end);
		return;
	}
	p = progress_of(s, t);
	fprintf(out, "  descriptor %u %s slot %u at %" PRId64 ", SRAM at %" PRId64 ": ",
		(u32)(t->desc - s->program.descs), t->desc->dir == RONDO_DMA_IN ? "in" : "out",
		t->desc->slot, t->slot, t->sram);
	fprintf(out, "%" PRIu64 " of %" PRIu64 " rows", p.rows_done, p.rows);
	if (t->moved)
		fprintf(out, " and %u of %u bytes", t->moved, t->desc->row_bytes);
	if (t->startup)
		fprintf(out, ", starts up for %" PRIu64 " cycle%s", t->startup,
			t->startup == 1 ? "" : "s");
	fprintf(out, ", ends in cycle %" PRIu64 "\n", end);
}

void print_dma(FILE *out, const struct session *s)
{
	u32 c, i;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
		u32 outstanding = s->reference->channel[c].outstanding;

		fprintf(out, "channel %u: %u outstanding\n", c, outstanding);
		for (i = 0; i < outstanding; i++)
			print_transfer(out, s, c, i);
	}
}
