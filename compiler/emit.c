// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Emit: the program's bytes. The verifier measures them, which gives the claims of cycles and
 * extents, and proves on the way that the compiler made a legal program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"
#include "core/codec.h"
#include "core/file.h"
#include "core/machine.h"
#include "core/verify.h"

enum { WEIGHTS_ALIGN = 64, TENSOR_ALIGN = 4 };

/* A byte string that grows. */
struct bytes {
	u8 *at;
	u64 size, room;
	bool failed; /* there was no memory: what is in it is not all */
};

struct emission {
	struct lowering *l;
	struct vliw *v;
	struct rondo_entry *entry;
	struct rondo_desc *desc;
	u32 entries, descs;
	int bundle; /* being encoded */
	struct bytes program, strings, tensors, regions;
};

/* Appends @size bytes (NULL: zeros) and returns where. */
static u64 append(struct bytes *b, const void *from, u64 size)
{
	u64 at = b->size;

	if (b->failed)
		return 0;
	if (at + size > b->room) {
		u8 *bigger = realloc(b->at, (at + size) * 2);

		if (!bigger) {
			b->failed = true;
			return 0;
		}
		b->at = bigger;
		b->room = (at + size) * 2;
	}
	if (from)
		memcpy(b->at + at, from, size);
	else
		memset(b->at + at, 0, size);
	b->size += size;
	return at;
}

static u32 string(struct emission *e, const char *s)
{
	return append(&e->strings, s, strlen(s) + 1);
}

static const struct node *node_of(const struct emission *e)
{
	return vliw_node_of(e->v, e->bundle);
}

/* The address entry for @ref: what the operation's offset field does not hold. */
static int entry_for(struct emission *e, const struct mir_ref *ref, u16 *index)
{
	struct rondo_entry entry = { .seg_len = ref->seg_len, .seg_stride = ref->seg_stride };
	u32 i;

	memcpy(entry.stride, ref->stride, sizeof(entry.stride));
	memcpy(entry.row_stride, ref->row_stride, sizeof(entry.row_stride));
	for (i = 0; i < e->entries; i++)
		if (!memcmp(&e->entry[i], &entry, sizeof(entry)))
			break;
	if (i == RONDO_ENTRIES_MAX)
		return node_fail(e->l->g, node_of(e), -EFBIG, "more than %d address patterns",
				 RONDO_ENTRIES_MAX);
	if (i == e->entries)
		e->entry[e->entries++] = entry;
	*index = i;
	return 0;
}

static int encode_op(struct emission *e, struct mir_item *item, u64 *word)
{
	int err;

	if (item->ref.buf != MIR_NO_BUF) {
		item->op.off = e->l->mir.buf[item->ref.buf].base + item->ref.offset;
		err = entry_for(e, &item->ref, &item->op.entry);
		if (err)
			return err;
	}
	if (!rondo_encode(&item->op, word))
		return node_fail(e->l->g, node_of(e), -ENOTRECOVERABLE, "%s does not encode",
				 rondo_ops[item->op.op].name);
	return 0;
}

static int encode_dma(struct emission *e, const struct mir_item *item, struct rondo_op *op)
{
	if (e->descs == RONDO_DESCS_MAX)
		return node_fail(e->l->g, mir_user_of(&e->l->mir, item->ref.buf), -EFBIG,
				 "more than %d transfers", RONDO_DESCS_MAX);
	op->op = RONDO_OP_dma;
	op->channel = item->channel;
	op->desc = e->descs;
	e->desc[e->descs] = item->desc;
	e->desc[e->descs++].sram_base = e->l->mir.buf[item->ref.buf].base + item->ref.offset;
	return 0;
}

static void wait_for_all(struct rondo_op *op)
{
	memset(op->wait, 1, sizeof(op->wait));
}

/* What stands in slot C of @b. */
static int control(struct emission *e, const struct vliw_bundle *b, struct rondo_op *op)
{
	const struct mir_item *item = b->slot[RONDO_C];

	memset(op, 0, sizeof(*op));
	if (item && item->kind == MIR_DMA)
		return encode_dma(e, item, op);
	if (item) {
		op->op = RONDO_OP_wait;
		wait_for_all(op);
	} else if (b->nest == 1) {
		op->op = RONDO_OP_loop1;
		op->body = b->body;
		op->trip[0] = b->trip[0];
	} else if (b->nest) {
		op->op = RONDO_OP_loop;
		op->nest = b->nest;
		op->body = b->body;
		memcpy(op->trip, b->trip, sizeof(op->trip));
	}
	return 0;
}

static int encode_bundle(struct emission *e, struct vliw_bundle *b,
			 u64 word[RONDO_SLOTS_PER_BUNDLE])
{
	struct rondo_op c;
	int slot, err = control(e, b, &c);

	if (!err && !rondo_encode(&c, &word[RONDO_C]))
		err = node_fail(e->l->g, node_of(e), -EFBIG, "a loop of %d bundles does not encode",
				b->body);
	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE && !err; slot++)
		if (b->slot[slot])
			err = encode_op(e, b->slot[slot], &word[slot]);
	return err;
}

static int encode_bundles(struct emission *e, u64 (*word)[RONDO_SLOTS_PER_BUNDLE])
{
	struct rondo_op halt = { .op = RONDO_OP_halt };
	int err;

	for (e->bundle = 0; e->bundle < e->v->bundles; e->bundle++) {
		err = encode_bundle(e, &e->v->bundle[e->bundle], word[e->bundle]);
		if (err)
			return err;
	}
	wait_for_all(&halt);
	rondo_encode(&halt, &word[e->bundle][RONDO_C]);
	return 0;
}

/* Fills in the claims. A program that is refused here is a fault of the compiler. */
static int measure(struct emission *e, u64 *cycles)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	const struct rondo_verdict *verdict;
	char text[RONDO_VERDICT_TEXT_BYTES];
	const struct node *at_fault = NULL;
	int err = 0;

	if (!v)
		return graph_fail(e->l->g, -ENOMEM, "no memory");
	verdict = rondo_measure_run(v, e->l->machine, e->program.at, e->program.size);
	if (verdict->code) {
		rondo_verdict_text(verdict, text, sizeof(text));
		if (rondo_error_where(verdict->code) == RONDO_WHERE_BUNDLE)
			at_fault = vliw_node_of(e->v, (int)verdict->index);
		err = node_fail(e->l->g, at_fault, -ENOTRECOVERABLE, "program refused: %s", text);
	} else {
		*cycles = rondo_verify_facts(v)->cycles;
	}
	free(v);
	return err;
}

static void add_slots(struct emission *e)
{
	const struct graph *g = e->l->g;
	struct rondo_slot weights = { .align = WEIGHTS_ALIGN };
	struct rondo_slot tensor = { .align = TENSOR_ALIGN, .flags = RONDO_SLOT_DYNAMIC };
	size_t i;

	append(&e->program, &weights, sizeof(weights));
	for (i = 0; i < g->inputs.n + g->outputs.n; i++)
		append(&e->program, &tensor, sizeof(tensor));
}

static int make_program(struct emission *e, u64 *cycles)
{
	const struct graph *g = e->l->g;
	u64(*word)[RONDO_SLOTS_PER_BUNDLE];
	struct rondo_program_header header = {
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.machine_hash = rondo_machine_hash(e->l->machine),
		.slots = 1 + g->inputs.n + g->outputs.n,
		.bundles = e->v->bundles + 1,
	};
	int err;

	e->entry = graph_alloc(e->l->g, RONDO_ENTRIES_MAX * sizeof(*e->entry));
	e->desc = graph_alloc(e->l->g, RONDO_DESCS_MAX * sizeof(*e->desc));
	word = graph_alloc(e->l->g, header.bundles * sizeof(*word));
	if (!e->entry || !e->desc || !word)
		return -ENOMEM;
	err = encode_bundles(e, word);
	if (err)
		return err;
	header.entries = e->entries;
	header.descs = e->descs;
	append(&e->program, &header, sizeof(header));
	add_slots(e);
	append(&e->program, e->entry, e->entries * sizeof(*e->entry));
	append(&e->program, e->desc, e->descs * sizeof(*e->desc));
	append(&e->program, word, header.bundles * sizeof(*word));
	return e->program.failed ? graph_fail(g, -ENOMEM, "no memory") : measure(e, cycles);
}

static void add_tensor(struct emission *e, const struct value *v, enum rondo_tensor_kind kind,
		       u32 slot)
{
	struct rondo_tensor t = {
		.name = string(e, v->name),
		.kind = kind,
		.dtype = dtype_number(v->dtype),
		.rank = v->shape.rank,
		.slot = slot,
	};
	int d;

	for (d = 0; d < v->shape.rank; d++)
		t.dim[d] = v->shape.dim[d];
	append(&e->tensors, &t, sizeof(t));
}

static void describe(struct emission *e)
{
	const struct graph *g = e->l->g;
	u32 slot = SLOT_WEIGHTS + 1;
	size_t i;
	int r;

	for (i = 0; i < g->inputs.n; i++)
		add_tensor(e, g->inputs.v[i], RONDO_TENSOR_INPUT, slot++);
	for (i = 0; i < g->outputs.n; i++)
		add_tensor(e, g->outputs.v[i], RONDO_TENSOR_OUTPUT, slot++);
	for (r = 0; r < e->v->regions; r++) {
		const struct vliw_region *region = &e->v->region[r];
		struct rondo_region out = { .first = region->first, .count = region->count };

		if (!region->count)
			continue;
		out.name = string(e, region->name);
		append(&e->regions, &out, sizeof(out));
	}
}

/* What a reader of the file would refuse. */
static int refused(const struct emission *e, const struct rondo_file *file,
		   const struct rondo_file_fault *fault)
{
	const char *where = rondo_file_error_where(fault->error);
	const char *text = rondo_file_error_text(fault->error);

	if (!where)
		return graph_fail(e->l->g, -EFBIG, "no .rnd file can hold it: %s", text);
	if (strcmp(where, "tensor"))
		return graph_fail(e->l->g, -EFBIG, "no .rnd file can hold it: %s %u: %s", where,
				  fault->index, text);
	return graph_fail(e->l->g, -EFBIG, "no .rnd file can hold tensor \"%s\": %s",
			  file->strings + file->tensors[fault->index].name, text);
}

/* Puts the file together, and reads it back. */
static int write_file(struct emission *e, struct compiled *out)
{
	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, e->program.at, e->program.size },
		{ RONDO_SECTION_SLOT_DATA, SLOT_WEIGHTS, e->l->weights, e->l->weights_bytes },
		{ RONDO_SECTION_TENSORS, 0, e->tensors.at, e->tensors.size },
		{ RONDO_SECTION_REGIONS, 0, e->regions.at, e->regions.size },
		{ RONDO_SECTION_STRINGS, 0, e->strings.at, e->strings.size },
	};
	u32 count = sizeof(parts) / sizeof(parts[0]);
	u64 size = rondo_file_bytes(parts, count);
	void *bytes = malloc(size);
	struct rondo_file_fault fault;
	struct rondo_file file;
	int err = 0;

	if (!bytes || e->tensors.failed || e->regions.failed || e->strings.failed) {
		free(bytes);
		return graph_fail(e->l->g, -ENOMEM, "no memory");
	}
	rondo_file_write(bytes, parts, count);
	if (rondo_file_open(&file, bytes, size, &fault))
		err = refused(e, &file, &fault);
	if (err) {
		free(bytes);
		return err;
	}
	out->file = bytes;
	out->size = size;
	return 0;
}

int emit(struct lowering *l, struct vliw *v, struct compiled *out)
{
	struct emission e = { .l = l, .v = v };
	int err;

	err = make_program(&e, &out->cycles);
	if (!err) {
		describe(&e);
		err = write_file(&e, out);
	}
	free(e.program.at);
	free(e.strings.at);
	free(e.tensors.at);
	free(e.regions.at);
	return err;
}
