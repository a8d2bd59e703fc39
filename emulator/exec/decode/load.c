// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one walk of a program's text. Whatever can be seen without running it is checked here, so
 * that no executor looks again; the rest is checked as it happens.
 */
#include "emulator/exec/decode/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/machine.h"
#include "core/mod61.h"
#include "core/tiles.h"

struct loader {
	struct exec_program *program;
	const struct rondo_program *source;
	char *why;
	u32 bundle, slot; /* being decoded */
	u32 controls;
	u32 depth; /* open loops */
	u32 last[RONDO_LOOP_DEPTH]; /* bundle of their bodies */
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct loader *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(l->why, EXEC_REASON_BYTES, "bundle %u, slot %s: ", l->bundle,
		     rondo_slot_names[l->slot]);
	va_start(ap, fmt);
	vsnprintf(l->why + n, EXEC_REASON_BYTES - n, fmt, ap);
	va_end(ap);
	return false;
}

bool exec_uses_dma(const struct rondo_op *control)
{
	u32 waits = 0, ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		waits |= control->wait[ch];
	return waits || control->op == RONDO_OP_dma;
}

static bool check_entry(struct loader *l, const struct rondo_op *op)
{
	const struct rondo_entry *entry;
	u32 d;

	if (op->entry >= l->source->header->entries)
		return refuse(l, "no entry %u", op->entry);
	entry = &l->source->entries[op->entry];
	for (d = l->depth; d < RONDO_LOOP_DEPTH; d++)
		if (entry->stride[d] || entry->row_stride[d])
			return refuse(l, "entry %u uses the index of loop %u, not open", op->entry,
				      d);
	if (op->mode == 2 && (!entry->first || entry->first >> l->depth))
		return refuse(l, "entry %u names no open loop", op->entry);
	return true;
}

static bool check_op(struct loader *l, const struct rondo_op *op)
{
	const struct rondo_machine *m = &l->program->machine;

	if (rondo_op_has_entry(op->op) && !check_entry(l, op))
		return false;
	if (op->lane + op->count > m->lanes)
		return refuse(l, "lanes %u..%u of %u", op->lane, op->lane + op->count - 1,
			      m->lanes);
	if (rondo_op_reads_weights(op->op) && op->wrow + op->count > m->lanes)
		return refuse(l, "weight rows %u..%u of %u", op->wrow, op->wrow + op->count - 1,
			      m->lanes);
	if (op->mode > 2)
		return refuse(l, "push mode %u", op->mode);
	if (!rondo_has_tile(m, op))
		return refuse(l, "no tile %d", op->imm);
	return true;
}

/*
 * A nest opens after the bundle at hand. Loops that end with this bundle are still open: what it
 * opens would lie behind their bodies.
 */
static bool open_loops(struct loader *l, const struct rondo_op *op)
{
	u32 nest = rondo_loop_nest(op), last = l->bundle + op->body;
	u32 end = l->depth ? l->last[l->depth - 1] : l->program->bundles - 1;

	if (nest < 1 || nest > 3 || l->depth + nest > RONDO_LOOP_DEPTH)
		return refuse(l, "%u loops inside %u", nest, l->depth);
	if (last > end)
		return refuse(l, "loop body ends at bundle %u, after bundle %u", last, end);
	while (nest--)
		l->last[l->depth++] = last;
	return true;
}

static bool check_dma(struct loader *l, const struct rondo_op *op)
{
	const struct rondo_program_header *h = l->source->header;
	const struct rondo_desc *d;
	u32 k;

	if (op->desc >= h->descs)
		return refuse(l, "no descriptor %u", op->desc);
	d = &l->source->descs[op->desc];
	if (op->last > l->depth)
		return refuse(l, "loop %u is not open", op->last - 1);
	if (d->slot >= h->slots || d->dir >= RONDO_DMA_DIRS || d->mode >= RONDO_DMA_MODES ||
	    !d->row_bytes || !d->count[0] || !d->count[1] || !d->count[2])
		return refuse(l, "descriptor %u has no such slot, direction or mode, or is empty",
			      op->desc);
	if (!rondo_tiles_valid(&l->program->machine, rondo_tiles_of_desc(d)))
		return refuse(l, "descriptor %u: no such tiles", op->desc);
	for (k = l->depth; k < RONDO_DMA_LOOP_DEPTH; k++)
		if (d->sram_loop[k] || d->slot_loop[k])
			return refuse(l, "descriptor %u uses the index of loop %u, not open",
				      op->desc, k);
	return true;
}

static bool check_control(struct loader *l, const struct rondo_op *op)
{
	bool last = l->bundle == l->program->bundles - 1;

	if (last != (op->op == RONDO_OP_halt))
		return refuse(l, last ? "the last bundle has no halt" : "halt before the end");
	if (op->op == RONDO_OP_dma)
		return check_dma(l, op);
	if (!rondo_tiles_valid(&l->program->machine,
			       rondo_tiles_of_bundle(&l->program->machine, op)))
		return refuse(l, "no such tiles");
	return true;
}

static struct exec_op convert(const struct rondo_op *op, u32 slot, u64 reads)
{
	return (struct exec_op){
		.reads = reads,
		.op = op->op,
		.slot = slot,
		.dst = op->dst,
		.a = op->a,
		.b = op->b,
		.c = op->c,
		.params = op->params,
		.shift = op->shift,
		.count = op->count,
		.rows = op->rows,
		.lane = op->lane,
		.buf = op->buf,
		.wrow = op->wrow,
		.zp = op->zp,
		.mode = op->mode,
		.entry = op->entry,
		.row = rondo_first_row(op),
		.imm = op->imm,
		.off = op->off,
	};
}

static bool load_slot(struct loader *l, u64 word, struct rondo_op *op, struct exec_bundle *b)
{
	struct exec_program *p = l->program;
	struct rondo_register_use use;

	if (!rondo_decode(word, op))
		return refuse(l, "undefined word %016llx", (unsigned long long)word);
	if (l->slot == RONDO_C && !check_control(l, op))
		return false;
	if (op->op == RONDO_OP_NOP)
		return true;
	if (!(rondo_ops[op->op].slots & 1 << l->slot))
		return refuse(l, "%s may not stand here", rondo_ops[op->op].name);
	if (l->slot == RONDO_C) {
		b->control = l->controls++;
		p->control[b->control] = *op;
		return true;
	}
	if (op->params + 2 >= RONDO_VREGS)
		return refuse(l, "parameters from register %u on", op->params);
	use = rondo_register_use(op);
	if (b->writes & use.writes)
		return refuse(l, "v%u is written twice", op->dst);
	b->reads |= use.reads;
	b->writes |= use.writes;
	p->op[p->ops++] = convert(op, l->slot, use.reads);
	b->ops++;
	return check_op(l, op);
}

static bool load_bundle(struct loader *l)
{
	const u64 *word = l->source->bundles[l->bundle];
	struct exec_bundle *b = &l->program->bundle[l->bundle];
	struct rondo_bundle decoded;

	b->first = l->program->ops;
	b->depth = l->depth;
	for (l->slot = RONDO_C; l->slot < RONDO_SLOTS_PER_BUNDLE; l->slot++)
		if (!load_slot(l, word[l->slot], &decoded.slot[l->slot], b))
			return false;
	b->signature = rondo_signature_static(l->source, word, &decoded);
	l->slot = RONDO_C;
	if (rondo_op_is_loop(decoded.slot[RONDO_C].op))
		return open_loops(l, &decoded.slot[RONDO_C]);
	for (; l->depth && l->last[l->depth - 1] == l->bundle; l->depth--)
		b->closes++;
	return true;
}

/* A table's own copy; an empty table needs none. */
static bool copy_table(struct exec_program *p, void *to, const void *from, u32 count, size_t size)
{
	void **table = to;

	*table = emu_budget_calloc(p->limits.budget, count + 1ull, size);
	if (!*table)
		return false;
	memcpy(*table, from, count * size);
	return true;
}

static bool allocate(struct exec_program *p, const struct rondo_program *source)
{
	const struct rondo_program_header *h = source->header;
	u64 ops = 0, controls = 0;
	u32 i, slot;

	for (i = 0; i < h->bundles; i++) {
		controls += source->bundles[i][RONDO_C] != 0;
		for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
			ops += source->bundles[i][slot] != 0;
	}
	p->bundles = h->bundles;
	p->entries = h->entries;
	p->bundle = emu_budget_calloc(p->limits.budget, h->bundles, sizeof(*p->bundle));
	p->op = emu_budget_calloc(p->limits.budget, ops + 1, sizeof(*p->op));
	p->control = emu_budget_calloc(p->limits.budget, controls + 1, sizeof(*p->control));
	return p->bundle && p->op && p->control &&
	       copy_table(p, &p->entry, source->entries, h->entries, sizeof(*p->entry)) &&
	       copy_table(p, &p->desc, source->descs, h->descs, sizeof(*p->desc)) &&
	       copy_table(p, &p->slot, source->slots, h->slots, sizeof(*p->slot));
}

static void take_facts(struct exec_program *p, const struct rondo_facts *facts)
{
	p->cycles = UINT64_MAX;
	if (!facts)
		return;
	p->cycles = facts->cycles;
	p->clear_cycles = rondo_clear_cycles(&p->machine, facts);
	p->clear_count = facts->clear_count;
	memcpy(p->clear, facts->clear, facts->clear_count * sizeof(p->clear[0]));
}

int exec_decode(struct exec_program *p, const struct rondo_machine *machine, const void *data,
		u64 size, const struct rondo_facts *facts, char why[EXEC_REASON_BYTES])
{
	struct rondo_program source;
	struct loader l = { .program = p, .source = &source, .why = why, .controls = 1 };
	u32 error = rondo_program_open(&source, data, size);

	if (!error && source.header->machine_hash != rondo_machine_hash(machine))
		error = RONDO_ERR_MACHINE;
	if (!error && !rondo_machine_supported(machine))
		error = RONDO_ERR_MACHINE_UNSUPPORTED;
	if (error) {
		snprintf(why, EXEC_REASON_BYTES, "%s", rondo_error_text(error));
		return -EINVAL;
	}
	p->machine = *machine;
	take_facts(p, facts);
	if (!allocate(p, &source))
		return -ENOMEM;
	for (; l.bundle < p->bundles && !exec_load_stopped(p); l.bundle++)
		if (!load_bundle(&l))
			return -EINVAL;
	return l.bundle < p->bundles ? -ECANCELED : 0;
}

struct rondo_access exec_access(const struct exec_program *p, const struct exec_op *op)
{
	return (struct rondo_access){
		.entry = &p->entry[op->entry],
		.off = op->off,
		.size = rondo_element_bytes(op->op),
		.count = rondo_elements(op->op, op->count),
		.rows = rondo_op_has_rows(op->op) ? op->rows : 1,
	};
}

bool exec_sram_hull(const struct exec_program *p, const struct exec_op *op,
		    const struct exec_loops *loops, struct rondo_hull *hull)
{
	const struct rondo_access access = exec_access(p, op);

	*hull = rondo_access_hull(&access);
	hull->lo += rondo_access_base(&access);
	hull->hi += rondo_access_base(&access);
	for (u32 d = 0; d < loops->depth; d++)
		if (!rondo_hull_extend(hull, access.entry->stride[d], (u32)(loops->trips[d] - 1)))
			return false;
	return true;
}

bool exec_row_hull(const struct exec_program *p, const struct exec_op *op,
		   const struct exec_loops *loops, struct rondo_hull *hull)
{
	*hull = (struct rondo_hull){ op->row, op->row + 1 };
	for (u32 d = 0; d < loops->depth; d++)
		if (!rondo_hull_extend(hull, p->entry[op->entry].row_stride[d],
				       (u32)(loops->trips[d] - 1)))
			return false;
	return true;
}

/* Adds @address and @row of @slot to the affine function's constant or factor @to. */
static void add_place(u64 *to, const struct exec_op *op, s64 address, s64 row)
{
	address = rondo_op_has_address(op->op) ? address : 0;
	row = rondo_op_has_row(op->op) ? row : 0;
	if (address || row)
		*to = mod61_add(*to, rondo_signature_place(op->slot, address, row));
}

void exec_bundle_value(const struct exec_program *p, const struct exec_bundle *b,
		       struct rondo_affine *value)
{
	const struct rondo_op *control = exec_control_of(p, b);
	const struct exec_op *op = p->op + b->first, *end = op + b->ops;
	u32 d;

	*value = (struct rondo_affine){ .constant = b->signature, .loops = b->depth };
	for (; op < end; op++) {
		const struct rondo_entry *entry = &p->entry[op->entry];

		add_place(&value->constant, op, (s64)entry->base + op->off, op->row);
		for (d = 0; d < b->depth; d++) {
			u64 *factor = &value->factor[d];

			add_place(factor, op, entry->stride[d], entry->row_stride[d]);
			if (op->mode == 2 && entry->first >> d & 1)
				*factor = mod61_add(*factor, rondo_signature_first(1));
		}
	}
	if (control->op == RONDO_OP_dma)
		rondo_signature_start(value, &p->desc[control->desc], control->last);
}
