// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Place: addresses in SRAM.
 *
 * A buffer lives from the first node that touches it to the last one: nodes overlap at their edges
 * only, so buffers of two nodes may share bytes without putting off what one node does in parallel.
 * Large buffers are placed first, each at the lowest address that is free as long as it lives.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/backend.h"

enum { ALIGN = 64 };

/* The buffers that live while a node is computed, of those that have an address. */
struct neighbours {
	struct neighbour {
		int buf;
		struct neighbour *next;
	} * first;
};

struct placing {
	struct lowering *l;
	struct neighbours *at; /* by node */
	int nodes;
	u64 floor; /* below it are constants that stay */
	struct mir_buffer **beside; /* room for all that live with one */
	u32 *seen; /* by buffer: the last one that it was found to live with, plus one */
};

static void touch(struct mir_buffer *buf, int node)
{
	if (buf->first > node)
		buf->first = node;
	if (buf->last < node)
		buf->last = node;
}

static bool is_resident(const struct placing *p, const struct mir_buffer *buf)
{
	return buf->kind == MIR_BUF_CONST && p->floor;
}

/*
 * Constants stay all the time if half of SRAM holds them; else they come in while the node before
 * is computed. Inputs are there from the beginning, outputs to the end.
 */
static void find_lives(struct placing *p)
{
	struct lowering *l = p->l;
	struct mir *m = &l->mir;
	int node = 0;

	for (int b = 0; b < m->bufs; b++) {
		m->buf[b].first = INT32_MAX;
		m->buf[b].last = -1;
	}
	for (int i = 0; i < m->items; i++) {
		node += m->item[i].kind == MIR_NODE;
		if (m->item[i].ref.buf != MIR_NO_BUF)
			touch(&m->buf[m->item[i].ref.buf], node);
	}
	p->nodes = node + 1;
	for (size_t i = 0; i < l->g->inputs.n; i++)
		touch(&m->buf[l->value[l->g->inputs.v[i]->id].buf], 0);
	for (size_t i = 0; i < l->g->outputs.n; i++)
		touch(&m->buf[l->value[l->g->outputs.v[i]->id].buf], node);
	for (int b = 0; b < m->bufs; b++) {
		if (m->buf[b].kind == MIR_BUF_CONST && m->buf[b].last >= 0)
			touch(&m->buf[b], m->buf[b].first ? m->buf[b].first - 1 : 0);
	}
}

/* The placed buffers that live with buffer @b; how many. */
static int find_beside(struct placing *p, int b)
{
	const struct mir_buffer *buf = &p->l->mir.buf[b];
	int n = 0;

	for (int node = buf->first; node <= buf->last; node++) {
		for (struct neighbour *i = p->at[node].first; i; i = i->next) {
			if (p->seen[i->buf] == (u32)b + 1)
				continue;
			p->seen[i->buf] = (u32)b + 1;
			p->beside[n++] = &p->l->mir.buf[i->buf];
		}
	}
	return n;
}

static int by_address(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;

	return x->base < y->base ? -1 : x->base > y->base;
}

/* The lowest address for @bytes between the @n buffers beside. */
static u64 lowest(const struct placing *p, u64 bytes, int n)
{
	u64 at = p->floor;

	qsort(p->beside, n, sizeof(*p->beside), by_address);
	for (int i = 0; i < n && p->beside[i]->base < at + bytes; i++) {
		u64 end = p->beside[i]->base + p->beside[i]->bytes;

		if (at < end)
			at = (end + ALIGN - 1) / ALIGN * ALIGN;
	}
	return at;
}

static int remember(struct placing *p, int b)
{
	const struct mir_buffer *buf = &p->l->mir.buf[b];

	for (int node = buf->first; node <= buf->last; node++) {
		struct neighbour *i = graph_alloc(p->l->g, sizeof(*i));

		if (!i)
			return p->l->g->err->code;
		*i = (struct neighbour){ b, p->at[node].first };
		p->at[node].first = i;
	}
	return 0;
}

static int larger_first(const void *a, const void *b)
{
	const struct mir_buffer *x = *(struct mir_buffer *const *)a;
	const struct mir_buffer *y = *(struct mir_buffer *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int refuse(const struct lowering *l, const struct mir_buffer *buf)
{
	const struct node *n = mir_user_of(&l->mir, (mir_buf)(buf - l->mir.buf));
	bool is_const = buf->kind == MIR_BUF_CONST;
	char what[128] = "its constants need";

	if (!is_const)
		snprintf(what, sizeof(what), "\"%.100s\" needs", buf->name);
	return node_fail(l->g, n, -EFBIG,
			 "%s %" PRIu64
			 " bytes of SRAM beside what lives with %s; the machine has %u bytes",
			 what, buf->bytes, is_const ? "them" : "it", l->machine->sram_bytes);
}

static int place_one(struct placing *p, struct mir_buffer *buf)
{
	int b = (int)(buf - p->l->mir.buf);
	u64 at;

	if (buf->last < 0) { /* nobody touches it */
		buf->base = 0;
		return 0;
	}
	if (is_resident(p, buf)) {
		buf->base = (u32)buf->slot_offset;
		return 0;
	}
	at = lowest(p, buf->bytes, find_beside(p, b));
	if (at + buf->bytes > p->l->machine->sram_bytes)
		return refuse(p->l, buf);
	buf->base = (u32)at;
	return remember(p, b);
}

int place_buffers(struct lowering *l)
{
	struct placing p = { .l = l };
	struct mir *m = &l->mir;
	struct mir_buffer **order = graph_alloc(l->g, (m->bufs + 1) * sizeof(*order));
	int rc = 0;

	find_lives(&p);
	if (l->weights_bytes <= l->machine->sram_bytes / 2)
		p.floor = l->weights_bytes;
	p.at = graph_alloc(l->g, p.nodes * sizeof(*p.at));
	p.beside = graph_alloc(l->g, (m->bufs + 1) * sizeof(*p.beside));
	p.seen = graph_alloc(l->g, (m->bufs + 1) * sizeof(*p.seen));
	if (!order || !p.at || !p.beside || !p.seen)
		return -ENOMEM;
	for (int i = 0; i < m->bufs; i++)
		order[i] = &m->buf[i];
	qsort(order, m->bufs, sizeof(*order), larger_first);
	for (int i = 0; i < m->bufs && !rc; i++)
		rc = place_one(&p, order[i]);
	return rc;
}
