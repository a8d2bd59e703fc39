// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Place: addresses in SRAM. A buffer lives from the first item that touches it to the last; large
 * ones are placed first, each at the lowest address that is free as long as it lives.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/backend.h"

enum { ALIGN = 64 };

static void touch(struct mir_buffer *buf, int first, int last)
{
	if (buf->first > first)
		buf->first = first;
	if (buf->last < last)
		buf->last = last;
}

/* What a loop touches lives all through the outermost loop: each trip needs it again. */
static void find_lifetimes(struct mir *m)
{
	int i, b, loop = 0, end = -1;

	for (b = 0; b < m->bufs; b++)
		m->buf[b].first = m->items;
	for (i = 0; i < m->items; i++) {
		const struct mir_item *item = &m->item[i];

		if (i > end && item->kind == MIR_LOOP) {
			loop = i;
			end = mir_loop_end(m, i);
		}
		if (item->ref.buf != MIR_NO_BUF)
			touch(&m->buf[item->ref.buf], i <= end ? loop : i, i <= end ? end : i);
	}
	/* What DMA moves stays untouched until its wait, which no item of the buffer marks. */
	for (b = 0; b < m->bufs; b++)
		while (m->buf[b].last + 1 < m->items && m->item[m->buf[b].last].kind == MIR_DMA &&
		       m->item[m->buf[b].last + 1].kind != MIR_NODE)
			m->buf[b].last++;
}

static bool live_together(const struct mir_buffer *a, const struct mir_buffer *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/*
 * The lowest address for @buf beside the @n placed buffers, which stand in the order of their
 * addresses.
 */
static u64 lowest(const struct mir_buffer *buf, struct mir_buffer *const *placed, int n)
{
	u64 at = 0;
	int i;

	for (i = 0; i < n && placed[i]->base < at + buf->bytes; i++) {
		u64 end = placed[i]->base + placed[i]->bytes;

		if (live_together(buf, placed[i]) && at < end)
			at = (end + ALIGN - 1) / ALIGN * ALIGN;
	}
	return at;
}

static void insert(struct mir_buffer **placed, int n, struct mir_buffer *buf)
{
	for (; n && placed[n - 1]->base > buf->base; n--)
		placed[n] = placed[n - 1];
	placed[n] = buf;
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

int place_buffers(struct lowering *l)
{
	struct mir *m = &l->mir;
	struct mir_buffer **order = graph_alloc(l->g, m->bufs * sizeof(*order));
	struct mir_buffer **placed = graph_alloc(l->g, m->bufs * sizeof(*placed));
	int i;

	if (!order || !placed)
		return -ENOMEM;
	find_lifetimes(m);
	for (i = 0; i < m->bufs; i++)
		order[i] = &m->buf[i];
	qsort(order, m->bufs, sizeof(*order), larger_first);
	for (i = 0; i < m->bufs; i++) {
		u64 at = lowest(order[i], placed, i);

		if (at + order[i]->bytes > l->machine->sram_bytes)
			return refuse(l, order[i]);
		order[i]->base = at;
		insert(placed, i, order[i]);
	}
	return 0;
}
