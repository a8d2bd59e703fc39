// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The hash of a position: FNV-1a over 64-bit words of all that is state, and of nothing that
 * is not (places of results that have landed, pointers), so that it is the same in every process.
 */
#include "core/fnv.h"
#include "tools/debug/session.h"

static void add(u64 *hash, u64 word)
{
	*hash = (*hash ^ word) * RONDO_FNV_PRIME;
	*hash ^= *hash >> 32; /* so that high bits reach low ones */
}

static void add_bytes(u64 *hash, const void *data, u64 size)
{
	const u8 *bytes = data;
	u64 word;

	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		add(hash, word);
	}
	if (size) {
		word = 0;
		memcpy(&word, bytes, size);
		add(hash, word);
	}
}

static void add_loops(u64 *hash, const struct reference *r)
{
	u32 n, i;

	for (n = 0; n < r->nests; n++) {
		add(hash, (u64)r->nest[n].first << 32 | r->nest[n].last);
		for (i = 0; i < r->nest[n].loops; i++) {
			add(hash, r->nest[n].trips[i]);
			add(hash, r->nest[n].index[i]);
		}
	}
}

static void add_transfer(u64 *hash, const struct reference *r, const struct ref_transfer *t)
{
	u32 k;

	if (!t->desc) {
		add(hash, ~0ull);
		return;
	}
	add(hash, (u64)(t->desc - r->program.descs));
	add(hash, t->startup);
	add(hash, (u64)t->sram);
	add(hash, (u64)t->slot);
	for (k = 0; k < RONDO_DMA_DIMS; k++)
		add(hash, t->i[k]);
	add(hash, (u64)t->x << 32 | t->y);
	add(hash, (u64)t->waited << 32 | t->moved);
}

static void add_flight(u64 *hash, const struct reference *r, const struct ref_flight *f)
{
	u32 i;

	if (!f->left)
		return;
	add(hash, (u64)f->left << 32 | f->reg);
	for (i = 0; i < r->tiles; i++)
		if (ref_takes_part(&f->tiles, &r->tile[i]))
			add_bytes(hash, f->value[i], r->machine.lanes * sizeof(u32));
}

static void add_tile(u64 *hash, const struct reference *r, const struct ref_tile *t)
{
	add_bytes(hash, t->vreg, sizeof(t->vreg));
	add_bytes(hash, t->weight, sizeof(t->weight));
	add_bytes(hash, t->acc, r->machine.acc_rows * sizeof(*t->acc));
	add_bytes(hash, t->sram, r->machine.sram_bytes);
}

u64 session_hash(const struct session *s)
{
	const struct reference *r = s->reference;
	u64 hash = RONDO_FNV_BASIS;
	u32 i, k;

	add(&hash, r->now);
	add(&hash, session_bundle(s));
	add(&hash, (u64)s->arrived << 32 | s->executed);
	add(&hash, r->defined);
	add_loops(&hash, r);
	for (i = 0; i < RONDO_DMA_CHANNELS; i++) {
		add(&hash, r->channel[i].outstanding);
		for (k = 0; k < r->channel[i].outstanding; k++)
			add_transfer(&hash, r, &r->channel[i].transfer[k]);
	}
	for (i = 0; i < r->flights; i++)
		add_flight(&hash, r, &r->flight[i]);
	for (i = 0; i < r->tiles; i++)
		add_tile(&hash, r, &r->tile[i]);
	for (i = 0; i < s->program.header->slots; i++)
		add_bytes(&hash, s->slot[i] + s->program.slots[i].write_lo,
			  s->program.slots[i].write_hi - s->program.slots[i].write_lo);
	return hash;
}
