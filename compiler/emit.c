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
#include "core/fnv.h"
#include "core/machine.h"
#include "core/verify.h"

enum { WEIGHTS_ALIGN = 64, TENSOR_ALIGN = 4, ENTRY_NUMBERS = 2 * RONDO_ENTRIES_MAX };

/* The bundles of what is made for one node. */
struct region {
	const struct stream_mark *mark;
	u32 first, count;
};

struct emission {
	struct lowering *l;
	const struct transfer_list *t;
	struct rondo_entry *entry;
	struct rondo_desc *desc;
	u32 entries, descs;
	u16 *entry_number; /* by hash, the next free place from there on; from 1 on, 0: none */
	u64 (*word)[RONDO_SLOTS_PER_BUNDLE];
	u32 bundle; /* being encoded */
	struct region *region;
	u32 region_count, region_room;
	struct emitted *out;
};

/* Appends @size bytes (NULL: zeros) and returns where. */
static u64 append(struct emit_bytes *b, const void *from, u64 size)
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
	return append(&e->out->strings, s, strlen(s) + 1);
}

/* The graph node that bundle @b is made for, or NULL. */
static const struct node *node_of(const struct emission *e, u32 b)
{
	u32 i = e->region_count;

	while (i && b < e->region[i - 1].first)
		i--;
	return i ? e->region[i - 1].mark->node : NULL;
}

/* Where the number of @entry is, or is to be. */
static u16 *entry_number(const struct emission *e, const struct rondo_entry *entry)
{
	u64 i = rondo_fnv(entry, sizeof(*entry)) % ENTRY_NUMBERS;

	while (e->entry_number[i] &&
	       memcmp(&e->entry[e->entry_number[i] - 1], entry, sizeof(*entry)) != 0)
		i = (i + 1) % ENTRY_NUMBERS;
	return &e->entry_number[i];
}

/* The address entry for @s: what the operation's offset field does not hold. */
static int entry_for(struct emission *e, const struct bundle_slot *s, u16 *index)
{
	struct rondo_entry entry = { .seg_len = s->run->ref->seg_len,
				     .seg_stride = s->run->ref->seg_stride,
				     .pitch = s->run->ref->pitch };
	u16 *number;

	for (u32 i = 0; i < s->loops; i++) {
		entry.stride[i] = s->step[i].bytes;
		entry.row_stride[i] = s->step[i].rows;
	}
	number = entry_number(e, &entry);
	if (!*number && e->entries == RONDO_ENTRIES_MAX)
		return node_fail(e->l->g, node_of(e, e->bundle), -EFBIG,
				 "more than %d address patterns", RONDO_ENTRIES_MAX);
	if (!*number) {
		e->entry[e->entries++] = entry;
		*number = (u16)e->entries;
	}
	*index = *number - 1;
	return 0;
}

static int encode_op(struct emission *e, const struct bundle_slot *s, u64 *word)
{
	struct rondo_op op = s->run->op;
	int err = 0;

	if (rondo_op_has_entry(op.op)) {
		op.off = (u32)s->address;
		err = entry_for(e, s, &op.entry);
	}
	if (rondo_op_writes_weights(op.op))
		op.wrow = (u8)s->row;
	else if (rondo_op_has_row(op.op))
		op.row = (u16)s->row;
	if (!err && !rondo_encode(&op, word))
		err = node_fail(e->l->g, node_of(e, e->bundle), -ENOTRECOVERABLE,
				"%s does not encode", rondo_ops[op.op].name);
	return err;
}

/* The descriptor of the transfer that @s starts. */
static int describe_transfer(struct emission *e, const struct bundle_slot *s, u16 *index)
{
	const struct transfer *x = &e->t->at[s->run->transfer];
	s32 sram = (s32)x->row;
	struct rondo_desc *d;

	if (e->descs == RONDO_DESCS_MAX)
		return node_fail(e->l->g, mir_user_of(&e->l->mir, x->buf), -EFBIG,
				 "more than %d transfers", RONDO_DESCS_MAX);
	*index = (u16)e->descs;
	d = &e->desc[e->descs++];
	*d = (struct rondo_desc){
		.dir = x->dir,
		.mode = RONDO_DMA_TILE,
		.slot = (u16)x->slot,
		.row_bytes = (u32)x->row,
		.sram_base = (u32)(e->l->mir.buf[x->buf].base + x->offset),
		.slot_base = x->slot_offset + (u64)(s64)s->address,
	};
	for (int i = 0; i < RONDO_DMA_LOOP_DEPTH && i < s->loops; i++)
		d->slot_loop[i] = s->step[i].bytes;
	for (int i = RONDO_DMA_DIMS - 1; i >= 0; i--) {
		d->count[i] = x->count[i];
		d->slot_stride[i] = x->stride[i];
		d->sram_stride[i] = x->count[i] > 1 ? sram : 0;
		sram *= (s32)x->count[i];
	}
	return 0;
}

static void wait_for_all(struct rondo_op *op)
{
	memset(op->wait, 1, sizeof(op->wait));
}

/* What stands in slot C of @n, which opens the loops around @body bundles. */
static int control(struct emission *e, const struct bundle_node *n, u64 body, struct rondo_op *op)
{
	const struct bundle_slot *s = n->slot[RONDO_C];

	*op = (struct rondo_op){ .op = RONDO_OP_NOP };
	if (s) {
		*op = s->run->op;
		if (s->run->transfer >= 0)
			return describe_transfer(e, s, &op->desc);
		return 0;
	}
	if (!n->nest)
		return 0;
	op->op = n->nest == 1 ? RONDO_OP_loop1 : RONDO_OP_loop;
	op->nest = (u8)(n->nest == 1 ? 0 : n->nest);
	op->body = (u32)body;
	for (int i = 0; i < (n->nest == 1 ? 1 : 3); i++)
		op->trip[i] = i < n->nest ? n->nest_trips[i] : 1;
	return 0;
}

/* The loop that @n opens, or NULL. */
static const struct bundle_node *loop_of(const struct bundle_node *n)
{
	while (n && n->kind != BUNDLE_LOOP)
		n = n->next;
	return n;
}

static int encode_bundle(struct emission *e, const struct bundle_node *n)
{
	u64 *word = e->word[e->bundle];
	struct rondo_op c;
	int slot, err = control(e, n, n->nest ? bundles_count(&loop_of(n)->body) : 0, &c);

	if (!err && c.op != RONDO_OP_NOP && !rondo_encode(&c, &word[RONDO_C]))
		err = node_fail(e->l->g, node_of(e, e->bundle), -ENOTRECOVERABLE,
				"a loop of %u bundles does not encode", c.body);
	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE && !err; slot++)
		if (n->slot[slot])
			err = encode_op(e, n->slot[slot], &word[slot]);
	e->bundle++;
	return err;
}

/* Ends the last region, and begins one at the next bundle; NULL: begins none. */
static int next_region(struct emission *e, const struct stream_mark *mark)
{
	struct region *last = e->region_count ? &e->region[e->region_count - 1] : NULL, *bigger;

	if (last && last->mark == mark)
		return 0; /* of a loop, whose trips are text twice */
	if (last)
		last->count = e->bundle - last->first;
	if (!mark)
		return 0;
	if (e->region_count == e->region_room) {
		e->region_room = 2 * e->region_room + 16;
		bigger = graph_alloc(e->l->g, e->region_room * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		if (last)
			memcpy(bigger, e->region, e->region_count * sizeof(*bigger));
		e->region = bigger;
	}
	e->region[e->region_count++] = (struct region){ mark, e->bundle, 0 };
	return 0;
}

static int encode_list(struct emission *e, const struct bundle_list *l)
{
	int err = 0;

	for (const struct bundle_node *n = l->first; n && !err; n = n->next) {
		if (n->kind == BUNDLE)
			err = encode_bundle(e, n);
		else
			err = n->kind == BUNDLE_LOOP ? encode_list(e, &n->body) :
						       next_region(e, n->mark);
	}
	return err;
}

static int encode_bundles(struct emission *e, const struct bundle_list *l)
{
	struct rondo_op halt = { .op = RONDO_OP_halt };
	int err = encode_list(e, l);

	if (err)
		return err;
	wait_for_all(&halt);
	rondo_encode(&halt, &e->word[e->bundle][RONDO_C]);
	return next_region(e, NULL);
}

/* Fills in the claims. A program that is refused here is a fault of the compiler. */
static int measure(struct emission *e)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	const struct rondo_verdict *verdict;
	char text[RONDO_VERDICT_TEXT_BYTES];
	const struct node *at_fault = NULL;
	int err = 0;

	if (!v)
		return graph_fail(e->l->g, -ENOMEM, "no memory");
	verdict = rondo_measure_run(v, e->l->machine, e->out->program.at, e->out->program.size);
	if (verdict->code) {
		rondo_verdict_text(verdict, text, sizeof(text));
		if (rondo_error_where(verdict->code) == RONDO_WHERE_BUNDLE)
			at_fault = node_of(e, verdict->index);
		err = node_fail(e->l->g, at_fault, -ENOTRECOVERABLE, "program refused: %s", text);
	} else {
		e->l->facts = *rondo_verify_facts(v);
		e->out->cycles = e->l->facts.cycles;
	}
	free(v);
	return err;
}

static void add_slots(struct emission *e)
{
	const struct graph *g = e->l->g;
	struct rondo_slot weights = { .align = WEIGHTS_ALIGN };
	struct rondo_slot tensor = { .align = TENSOR_ALIGN, .flags = RONDO_SLOT_DYNAMIC };
	struct rondo_slot scratch = { .align = WEIGHTS_ALIGN };
	size_t i;

	append(&e->out->program, &weights, sizeof(weights));
	for (i = 0; i < g->inputs.n + g->outputs.n; i++)
		append(&e->out->program, &tensor, sizeof(tensor));
	if (e->l->scratch_bytes)
		append(&e->out->program, &scratch, sizeof(scratch));
}

/* Room for a program whose tables of entries and descriptors are full. False: no memory. */
static bool reserve_program(struct emission *e, u32 slots, u64 bundles)
{
	u64 entry = sizeof(struct rondo_program_header) + slots * sizeof(struct rondo_slot);
	u64 desc = entry + RONDO_ENTRIES_MAX * sizeof(*e->entry);
	u64 word = desc + RONDO_DESCS_MAX * sizeof(*e->desc);
	struct emit_bytes *p = &e->out->program;

	p->room = word + bundles * sizeof(*e->word);
	p->at = calloc(1, p->room);
	if (!p->at)
		return false;
	e->entry = (void *)(p->at + entry);
	e->desc = (void *)(p->at + desc);
	e->word = (void *)(p->at + word);
	return true;
}

/* Moves what the tables hold together, behind what is before them. */
static void close_up(struct emission *e)
{
	u64 descs = e->descs * sizeof(*e->desc), words = (e->bundle + 1) * sizeof(*e->word);
	struct emit_bytes *p = &e->out->program;

	p->size += e->entries * sizeof(*e->entry);
	memmove(p->at + p->size, e->desc, descs);
	p->size += descs;
	memmove(p->at + p->size, e->word, words);
	p->size += words;
}

/* Names the node that takes the most of them. */
static int too_many_bundles(const struct emission *e, const struct bundle_list *l, u64 all)
{
	const struct node *largest = NULL, *now = NULL;
	u64 most = 0, n = 0;

	for (const struct bundle_node *i = l->first; i; i = i->next) {
		if (i->kind == BUNDLE_MARK) {
			now = i->mark->node;
			n = 0;
		}
		n += i->kind == BUNDLE ? 1 : i->kind == BUNDLE_LOOP ? bundles_count(&i->body) : 0;
		if (n > most) {
			most = n;
			largest = now;
		}
	}
	return node_fail(e->l->g, largest, -EFBIG,
			 "the program needs %llu bundles, of which it takes %llu, the most of all; "
			 "a program has at most %d",
			 (unsigned long long)all, (unsigned long long)most, RONDO_BUNDLES_MAX);
}

static int make_program(struct emission *e, const struct bundle_list *l)
{
	const struct graph *g = e->l->g;
	u64 bundles = bundles_count(l) + 1;
	struct rondo_program_header header = {
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.machine_hash = rondo_machine_hash(e->l->machine),
		.slots = lower_scratch_slot(e->l) + !!e->l->scratch_bytes,
		.bundles = (u32)bundles,
	};
	int err;

	if (bundles > RONDO_BUNDLES_MAX)
		return too_many_bundles(e, l, bundles);
	e->entry_number = graph_alloc(e->l->g, ENTRY_NUMBERS * sizeof(*e->entry_number));
	if (!e->entry_number || !reserve_program(e, header.slots, bundles))
		return graph_fail(g, -ENOMEM, "no memory");
	err = encode_bundles(e, l);
	if (err)
		return err;
	header.entries = e->entries;
	header.descs = e->descs;
	append(&e->out->program, &header, sizeof(header));
	add_slots(e);
	close_up(e);
	return measure(e);
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
		.scale = v->scale,
		.zero_point = v->zero_point,
	};
	int d;

	for (d = 0; d < v->shape.rank; d++)
		t.dim[d] = v->shape.dim[d];
	append(&e->out->tensors, &t, sizeof(t));
}

static void describe(struct emission *e)
{
	const struct graph *g = e->l->g;
	u32 slot = SLOT_WEIGHTS + 1;
	size_t i;
	u32 r;

	for (i = 0; i < g->inputs.n; i++)
		add_tensor(e, g->inputs.v[i], RONDO_TENSOR_INPUT, slot++);
	for (i = 0; i < g->outputs.n; i++)
		add_tensor(e, g->outputs.v[i], RONDO_TENSOR_OUTPUT, slot++);
	for (r = 0; r < e->region_count; r++) {
		const struct region *region = &e->region[r];
		struct rondo_region out = { .first = region->first, .count = region->count };

		if (!region->count)
			continue;
		out.name = string(e, region->mark->name);
		append(&e->out->regions, &out, sizeof(out));
	}
}

int emit(struct lowering *l, const struct transfer_list *t, const struct bundle_list *bundles,
	 struct emitted *out)
{
	struct emission e = { .l = l, .t = t, .out = out };
	int err;

	*out = (struct emitted){ 0 };
	err = make_program(&e, bundles);
	if (!err)
		describe(&e);
	if (out->strings.failed || out->tensors.failed || out->regions.failed)
		err = graph_fail(l->g, -ENOMEM, "no memory");
	if (err)
		emitted_free(out);
	return err;
}

void emitted_free(struct emitted *e)
{
	free(e->program.at);
	free(e->strings.at);
	free(e->tensors.at);
	free(e->regions.at);
	*e = (struct emitted){ 0 };
}

/* ---- The file -------------------------------------------------------------------------------- */

/* What a reader of the file would refuse. */
static int refused(const struct graph *g, const struct rondo_file *file,
		   const struct rondo_file_fault *fault)
{
	const char *where = rondo_file_error_where(fault->error);
	const char *text = rondo_file_error_text(fault->error);

	if (!where)
		return graph_fail(g, -EFBIG, "no .rnd file can hold it: %s", text);
	if (strcmp(where, "tensor"))
		return graph_fail(g, -EFBIG, "no .rnd file can hold it: %s %u: %s", where,
				  fault->index, text);
	return graph_fail(g, -EFBIG, "no .rnd file can hold tensor \"%s\": %s",
			  file->strings + file->tensors[fault->index].name, text);
}

/* The memory of the weights, with these at the end of its first @size bytes; NULL: no memory. */
static u8 *weights_at_end(struct lowering *l, u64 size)
{
	u64 now = l->weights_head + l->weights_bytes;
	u8 *file = realloc(l->weights, size > now ? size : now);

	if (!file)
		return NULL;
	l->weights = NULL;
	memmove(file + size - l->weights_bytes, file + l->weights_head, l->weights_bytes);
	return file;
}

int emit_file(struct lowering *l, const struct emitted *e, struct compiled *out)
{
	struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, e->program.at, e->program.size },
		{ RONDO_SECTION_TENSORS, 0, e->tensors.at, e->tensors.size },
		{ RONDO_SECTION_REGIONS, 0, e->regions.at, e->regions.size },
		{ RONDO_SECTION_STRINGS, 0, e->strings.at, e->strings.size },
		{ RONDO_SECTION_SLOT_DATA, SLOT_WEIGHTS, NULL, l->weights_bytes },
	};
	u32 count = sizeof(parts) / sizeof(parts[0]);
	u64 size = rondo_file_bytes(parts, count);
	u8 *bytes = weights_at_end(l, size);
	struct rondo_file_fault fault;
	struct rondo_file file;
	int rc;

	if (!bytes)
		return graph_fail(l->g, -ENOMEM, "no memory");
	parts[count - 1].bytes = bytes + size - l->weights_bytes;
	rondo_file_write(bytes, parts, count);
	if (rondo_file_open(&file, bytes, size, &fault)) {
		rc = refused(l->g, &file, &fault);
		free(bytes);
		return rc;
	}
	out->file = bytes;
	out->size = size;
	out->cycles = e->cycles;
	return 0;
}
