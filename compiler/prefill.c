// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bytes that are stored while others of the same buffer are read are mostly cleared before the
 * program starts, because the verifier does not see in which order that happens (isa.md, Clearing).
 * What is stored over and over in one loop it sees: so the program stores zeros itself, in the time
 * of its first transfers, when slot S has nothing to do.
 */
#include "compiler/backend.h"

#include <string.h>

enum {
	BYTES = 4,
	STORES_MAX = 192, /* about as long as the start of a transfer takes; */
	TILED_MAX = 2 * STORES_MAX, /* tiles take longer */
	CYCLES_PART = 1000, /* of a replay: to clear less is not worth making it once more */
};

/* @trips stores of @lanes lanes of @zero each, one behind the other, to byte @offset of @buf. */
static void store_zeros(struct mir *m, vreg zero, mir_buf buf, u64 offset, u64 trips, int lanes)
{
	struct mir_ref ref = mir_ref(buf, (s64)offset);

	if (trips > 1)
		ref.stride[mir_loop(m, trips)] = lanes * BYTES;
	if (trips)
		mir_store(m, zero, ref, lanes);
	if (trips > 1)
		mir_end(m);
}

/* Stores zeros to all containers of @r. */
static void fill_range(struct lowering *l, vreg zero, const struct rondo_range *r)
{
	u32 lo = (r->lo + BYTES - 1) / BYTES * BYTES, hi = r->hi / BYTES * BYTES;
	u32 vector = (u32)l->machine->lanes * BYTES;
	struct mir *m = &l->mir;
	mir_buf buf;

	if (lo >= hi)
		return;
	buf = mir_buffer(m, MIR_BUF_VALUE, "zeros", hi - lo);
	if (buf == MIR_NO_BUF)
		return;
	m->buf[buf].base = lo;
	store_zeros(m, zero, buf, 0, (hi - lo) / vector, l->machine->lanes);
	store_zeros(m, zero, buf, (hi - lo) / vector * vector, (hi - lo) % vector > 0,
		    (int)((hi - lo) % vector) / BYTES);
}

/* The items from number @first on come before all others. */
static bool bring_forward(struct lowering *l, int first)
{
	struct mir *m = &l->mir;
	size_t n = (size_t)(m->items - first);
	struct mir_item *own = graph_alloc(l->g, (n + 1) * sizeof(*own));

	if (!own)
		return false;
	memcpy(own, m->item + first, n * sizeof(*own));
	memmove(m->item + n, m->item, (size_t)first * sizeof(*own));
	memcpy(m->item, own, n * sizeof(*own));
	return true;
}

/* Whether some of @r comes in, maybe before anything is stored. */
static bool comes_in(const struct lowering *l, const struct rondo_range *r)
{
	const struct value_list *inputs = &l->g->inputs;
	bool in = r->lo < l->resident;

	for (size_t i = 0; i < inputs->n; i++) {
		mir_buf b = l->value[inputs->v[i]->id].buf;
		const struct mir_buffer *buf = b == MIR_NO_BUF ? NULL : &l->mir.buf[b];

		in |= buf && r->lo < buf->base + buf->bytes && buf->base < r->hi;
	}
	return in;
}

/* As much of what is cleared as there is time to store. */
static struct rondo_facts find_parts(const struct lowering *l)
{
	u32 vector = (u32)l->machine->lanes * BYTES, left = l->transfers ? TILED_MAX : STORES_MAX;
	struct rondo_facts parts = { 0 };

	for (u32 i = 0; i < l->facts.clear_count; i++) {
		struct rondo_range part = l->facts.clear[i];

		if (!left || comes_in(l, &part))
			continue;
		if ((part.hi - part.lo) / vector >= left)
			part.hi = part.lo + left * vector;
		left -= (part.hi - part.lo + vector - 1) / vector;
		parts.clear[parts.clear_count++] = part;
	}
	return parts;
}

bool prefill(struct lowering *l)
{
	const struct rondo_facts parts = find_parts(l);
	int first = l->mir.items;
	vreg zero;

	if (!parts.clear_count ||
	    rondo_clear_cycles(l->machine, &parts) * CYCLES_PART < l->facts.cycles)
		return false;
	zero = mir_movi(&l->mir, 0);
	for (u32 i = 0; i < parts.clear_count; i++)
		fill_range(l, zero, &parts.clear[i]);
	return !l->mir.error && bring_forward(l, first);
}
