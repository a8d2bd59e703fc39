// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Decoding a program, once. Whatever can be seen without running it is checked
 * here, so that the run need not look again; the rest is checked as it happens.
 */
#include "emulator/exec/plain/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/machine.h"
#include "core/tiles.h"
#include "emulator/exec/mesh/mesh.h"

struct loader {
	struct exec_program *program;
	const struct rondo_program *source;
	char *why;
	u32 bundle, slot; /* being decoded */
	u32 ops; /* decoded so far */
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

static bool check_entry(struct loader *l, const struct rondo_op *op)
{
	const struct rondo_entry *entry = &l->source->entries[op->entry];
	u32 d;

	if (op->entry >= l->source->header->entries)
		return refuse(l, "no entry %u", op->entry);
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
	if (op->count > m->lanes || op->lane + op->count > m->lanes)
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

static bool open_loops(struct loader *l, const struct rondo_op *op)
{
	u32 nest = rondo_loop_nest(op);
	u32 last = l->bundle + op->body;
	u32 end = l->depth ? l->last[l->depth - 1] : l->program->bundles - 1;

	if (nest < 1 || nest > 3 || l->depth + nest > RONDO_LOOP_DEPTH)
		return refuse(l, "%u loops inside %u", nest, l->depth);
	if (op->body > l->program->bundles || last > end)
		return refuse(l, "loop body ends at bundle %u, after bundle %u", last, end);
	while (nest--)
		l->last[l->depth++] = last;
	return true;
}

static bool check_dma(struct loader *l, const struct rondo_op *op)
{
	const struct rondo_program_header *h = l->source->header;
	const struct rondo_desc *d = &l->source->descs[op->desc];
	const struct rondo_machine *m = &l->program->machine;
	u32 k;

	if (op->desc >= h->descs)
		return refuse(l, "no descriptor %u", op->desc);
	if (op->last > l->depth)
		return refuse(l, "loop %u is not open", op->last - 1);
	if (d->slot >= h->slots || d->dir >= RONDO_DMA_DIRS || d->mode >= RONDO_DMA_MODES ||
	    !d->row_bytes || !d->count[0] || !d->count[1] || !d->count[2])
		return refuse(l, "descriptor %u has no such slot, direction or mode, or is empty",
			      op->desc);
	if (!rondo_tiles_valid(m, rondo_tiles_of_desc(d)))
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
	const struct rondo_machine *m = &l->program->machine;

	if (last != (op->op == RONDO_OP_halt))
		return refuse(l, last ? "the last bundle has no halt" : "halt before the end");
	if (op->op == RONDO_OP_dma)
		return check_dma(l, op);
	if (!rondo_tiles_valid(m, rondo_tiles_of_bundle(m, op)))
		return refuse(l, "no such tiles");
	return true;
}

static void keep(struct loader *l, const struct rondo_op *op)
{
	l->program->op[l->ops++] = (struct exec_op){
		.op = op->op,
		.slot = l->slot,
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
		.row = op->row,
		.imm = op->imm,
		.off = op->off,
	};
}

static bool load_slot(struct loader *l, u64 word, struct rondo_op *op, struct exec_bundle *b)
{
	struct rondo_register_use use;

	if (!rondo_decode(word, op))
		return refuse(l, "undefined word %016llx", (unsigned long long)word);
	if (l->slot == RONDO_C && !check_control(l, op))
		return false;
	if (op->op == RONDO_OP_NOP)
		return true;
	if (!(rondo_ops[op->op].slots & 1 << l->slot))
		return refuse(l, "%s may not stand here", rondo_ops[op->op].name);
	if (l->slot == RONDO_C)
		return true;
	if (op->params + 2 >= RONDO_VREGS)
		return refuse(l, "parameters from register %u on", op->params);
	use = rondo_register_use(op);
	if (b->writes & use.writes)
		return refuse(l, "v%u is written twice", op->dst);
	b->reads |= use.reads;
	b->writes |= use.writes;
	if (!check_op(l, op))
		return false;
	keep(l, op);
	return true;
}

static bool load_bundle(struct loader *l)
{
	const u64 *word = l->source->bundles[l->bundle];
	struct exec_bundle *b = &l->program->bundle[l->bundle];
	struct rondo_bundle decoded;
	const struct rondo_op *control = &decoded.slot[RONDO_C];

	b->control = word[RONDO_C];
	b->first = l->ops;
	b->depth = l->depth;
	for (l->slot = RONDO_C; l->slot < RONDO_SLOTS_PER_BUNDLE; l->slot++)
		if (!load_slot(l, word[l->slot], &decoded.slot[l->slot], b))
			return false;
	b->ops = l->ops - b->first;
	b->signature = rondo_signature_static(l->source, word, &decoded);
	l->slot = RONDO_C;
	/* Before loops end: what the last bundle of a body opens would go around none of it. */
	if (rondo_op_is_loop(control->op) && !open_loops(l, control))
		return false;
	while (l->depth && l->last[l->depth - 1] == l->bundle)
		l->depth--;
	return true;
}

/* A table's own copy; an empty table needs none. */
static bool copy_table(void *to, const void *from, u32 count, size_t size)
{
	void **table = to;

	*table = calloc(count + 1, size);
	if (!*table)
		return false;
	memcpy(*table, from, count * size);
	return true;
}

static bool allocate(struct exec_program *p, const struct rondo_program *source)
{
	const struct rondo_program_header *h = source->header;
	u64 ops = 0;
	u32 i, slot;

	for (i = 0; i < h->bundles; i++)
		for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
			ops += source->bundles[i][slot] != 0;
	p->bundles = h->bundles;
	p->bundle = calloc(h->bundles, sizeof(*p->bundle));
	p->op = calloc(ops + 1, sizeof(*p->op));
	return p->bundle && p->op &&
	       copy_table(&p->entry, source->entries, h->entries, sizeof(*p->entry)) &&
	       copy_table(&p->desc, source->descs, h->descs, sizeof(*p->desc)) &&
	       copy_table(&p->slot, source->slots, h->slots, sizeof(*p->slot));
}

static void take_facts(struct exec_program *p, const struct rondo_facts *facts)
{
	u32 i;

	if (!facts)
		return;
	p->clear_count = facts->clear_count;
	for (i = 0; i < facts->clear_count; i++)
		p->clear[i] = facts->clear[i];
	p->clear_cycles = rondo_clear_cycles(&p->machine, facts);
}

static int load(struct exec_program *p, const struct rondo_program *source, char *why)
{
	struct loader l = { .program = p, .source = source, .why = why };

	if (!allocate(p, source)) {
		snprintf(why, EXEC_REASON_BYTES, "out of memory");
		return -ENOMEM;
	}
	for (; l.bundle < p->bundles; l.bundle++)
		if (!load_bundle(&l))
			return -EINVAL;
	return 0;
}

int exec_load(struct exec_program **program, const struct rondo_machine *machine, const void *data,
	      u64 size, const struct rondo_facts *facts, char why[EXEC_REASON_BYTES])
{
	struct rondo_program source;
	struct exec_program *p;
	u32 error = rondo_program_open(&source, data, size);
	int ret;

	why[0] = '\0';
	if (!error && source.header->machine_hash != rondo_machine_hash(machine))
		error = RONDO_ERR_MACHINE;
	if (!error && !rondo_machine_supported(machine))
		error = RONDO_ERR_MACHINE_UNSUPPORTED;
	if (error) {
		snprintf(why, EXEC_REASON_BYTES, "%s", rondo_error_text(error));
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		snprintf(why, EXEC_REASON_BYTES, "out of memory");
		return -ENOMEM;
	}
	p->machine = *machine;
	take_facts(p, facts);
	ret = load(p, &source, why);
	if (!ret && (machine->mesh_w > 1 || machine->mesh_h > 1))
		ret = mesh_load(p, &source, why);
	if (ret)
		exec_unload(p);
	else
		*program = p;
	return ret;
}

void exec_unload(struct exec_program *p)
{
	if (!p)
		return;
	mesh_unload(p->mesh);
	free(p->bundle);
	free(p->op);
	free(p->entry);
	free(p->desc);
	free(p->slot);
	free(p);
}
