// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fetch: when constants and inputs come in, and results go out.
 *
 * If half of SRAM holds all constants they come in before the first node, together with the inputs.
 * Otherwise each node's constants come in while the node before it computes. A transfer is cut into
 * stripes over all channels, since a channel moves 64 bytes a cycle.
 */
#include <errno.h>

#include "compiler/backend.h"

enum { STRIPE_ALIGN = 64, STRIPE_MIN = 4096 };

struct fetch {
	struct lowering *l;
	struct mir out; /* items are appended here; buffers and registers are l->mir's */
	int next_channel;
};

static void wait_all(struct fetch *f)
{
	mir_append(&f->out, MIR_WAIT);
}

static void transfer(struct fetch *f, enum rondo_dma_dir dir, u32 slot, u64 slot_offset,
		     struct mir_ref ref, u64 bytes)
{
	u64 stripe = bytes, at;

	if (bytes > STRIPE_MIN) {
		stripe = (bytes + RONDO_DMA_CHANNELS - 1) / RONDO_DMA_CHANNELS;
		stripe = (stripe + STRIPE_ALIGN - 1) / STRIPE_ALIGN * STRIPE_ALIGN;
	}
	for (at = 0; at < bytes; at += stripe) {
		struct mir_item *item = mir_append(&f->out, MIR_DMA);

		item->channel = f->next_channel++ % RONDO_DMA_CHANNELS;
		item->ref = ref;
		item->ref.offset += at;
		item->desc = (struct rondo_desc){
			.dir = dir,
			.mode = RONDO_DMA_TILE,
			.slot = slot,
			.row_bytes = bytes - at < stripe ? bytes - at : stripe,
			.count = { 1, 1, 1 },
			.slot_base = slot_offset + at,
		};
	}
}

static void fetch_constants(struct fetch *f, mir_buf b)
{
	const struct mir_buffer *buf = &f->l->mir.buf[b];

	transfer(f, RONDO_DMA_IN, SLOT_WEIGHTS, buf->slot_offset, mir_ref(b, 0), buf->bytes);
}

static void fetch_inputs(struct fetch *f)
{
	const struct value_list *inputs = &f->l->g->inputs;
	size_t i;

	for (i = 0; i < inputs->n; i++) {
		const struct operand_at *at = &f->l->value[inputs->v[i]->id];

		transfer(f, RONDO_DMA_IN, SLOT_WEIGHTS + 1 + i, 0, mir_ref(at->buf, 0),
			 at->layout.bytes);
	}
}

static void store_outputs(struct fetch *f)
{
	const struct graph *g = f->l->g;
	size_t i;

	for (i = 0; i < g->outputs.n; i++) {
		const struct operand_at *at = &f->l->value[g->outputs.v[i]->id];

		transfer(f, RONDO_DMA_OUT, SLOT_WEIGHTS + 1 + g->inputs.n + i, 0,
			 mir_ref(at->buf, at->layout.base), at->layout.bytes);
	}
	wait_all(f);
}

/* The constants of the node that begins at item @i, or MIR_NO_BUF. */
static mir_buf constants_of(const struct mir *m, int i)
{
	for (i++; i < m->items && m->item[i].kind != MIR_NODE; i++)
		if (m->item[i].ref.buf != MIR_NO_BUF &&
		    m->buf[m->item[i].ref.buf].kind == MIR_BUF_CONST)
			return m->item[i].ref.buf;
	return MIR_NO_BUF;
}

static int next_node(const struct mir *m, int i)
{
	while (i < m->items && m->item[i].kind != MIR_NODE)
		i++;
	return i;
}

/* Constants of the node at item @i start to come in. */
static void prefetch(struct fetch *f, int i)
{
	mir_buf b = i < f->l->mir.items ? constants_of(&f->l->mir, i) : MIR_NO_BUF;

	if (b != MIR_NO_BUF)
		fetch_constants(f, b);
}

/* Puts what went wrong into words: at item @i of the program without transfers, or before all. */
static int check(const struct fetch *f, int i)
{
	const struct node *n = mir_node_of(&f->l->mir, i);

	switch (f->out.error) {
	case 0:
		return 0;
	case -ENOMEM:
		return node_fail(f->l->g, n, -ENOMEM, "no memory");
	default:
		return node_fail(f->l->g, n, -EFBIG, "more than %d operations", MIR_ITEMS_MAX);
	}
}

static void copy_node(struct fetch *f, int from, int to)
{
	for (; from < to; from++)
		*mir_append(&f->out, f->l->mir.item[from].kind) = f->l->mir.item[from];
}

int fetch_insert(struct lowering *l)
{
	struct fetch f = { .l = l };
	struct mir *m = &l->mir;
	bool resident = l->weights_bytes <= l->machine->sram_bytes / 2;
	int i, next, b, at = -1, err; /* @at: the node that is copied */

	mir_init(&f.out, m->arena);
	mir_node(&f.out, "inputs", NULL);
	fetch_inputs(&f);
	for (b = 0; b < m->bufs && resident; b++)
		if (m->buf[b].kind == MIR_BUF_CONST)
			fetch_constants(&f, b);
	i = next_node(m, 0);
	if (!resident)
		prefetch(&f, i);
	wait_all(&f);
	for (; i < m->items && !f.out.error; i = next) {
		at = i;
		next = next_node(m, i + 1);
		if (!resident) {
			wait_all(&f);
			prefetch(&f, next);
		}
		copy_node(&f, i, next);
	}
	mir_node(&f.out, "outputs", NULL);
	store_outputs(&f);
	err = check(&f, at);
	if (err)
		return err;
	m->item = f.out.item;
	m->items = f.out.items;
	m->item_room = f.out.item_room;
	return 0;
}
