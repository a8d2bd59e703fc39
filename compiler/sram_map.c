// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/sram_map.h"

#include <string.h>

/* An empty block, which becomes number @i. */
static struct sram_block *add_block(struct sram_map *m, int i)
{
	struct sram_block *b = m->unused, **bigger;

	if (m->count == m->room) {
		bigger = arena_alloc(m->arena,
				     2 * ((size_t)m->room + 1) * sizeof(struct sram_block *));
		if (!bigger)
			goto failed;
		if (m->count)
			memcpy(bigger, m->block, m->count * sizeof(struct sram_block *));
		m->block = bigger;
		m->room = 2 * (m->room + 1);
	}
	if (!b) {
		b = arena_alloc(m->arena, sizeof(*b));
		if (!b)
			goto failed;
		b->next_unused = NULL;
	}
	m->unused = b->next_unused;
	memmove(&m->block[i + 1], &m->block[i], (m->count - i) * sizeof(*m->block));
	m->block[i] = b;
	m->count++;
	b->count = 0;
	return b;

failed:
	m->failed = true;
	return NULL;
}

void sram_map_init(struct sram_map *m, struct arena *arena, u64 bytes)
{
	struct sram_block *b;

	*m = (struct sram_map){ .arena = arena };
	b = add_block(m, 0);
	if (!b)
		return;
	b->at[0] = (struct sram_range){ 0, bytes, { 0, 0, SRAM_NO_TRANSFER, SRAM_NO_TRANSFER } };
	b->count = 1;
}

struct sram_range *sram_map_at(const struct sram_map *m, struct sram_place p)
{
	return p.block < m->count ? &m->block[p.block]->at[p.range] : NULL;
}

struct sram_place sram_map_next(const struct sram_map *m, struct sram_place p)
{
	if (++p.range < m->block[p.block]->count)
		return p;
	return (struct sram_place){ p.block + 1, 0 };
}

struct sram_place sram_map_find(const struct sram_map *m, u64 at)
{
	struct sram_place p = { 0, 0 };
	int end = m->count;

	while (end - p.block > 1) {
		int middle = (p.block + end) / 2;

		if (m->block[middle]->at[0].lo <= at)
			p.block = middle;
		else
			end = middle;
	}
	if (!m->count)
		return p;
	end = m->block[p.block]->count;
	while (end - p.range > 1) {
		int middle = (p.range + end) / 2;

		if (m->block[p.block]->at[middle].lo <= at)
			p.range = middle;
		else
			end = middle;
	}
	return p;
}

/* Makes room for a range behind that of @p. */
static bool split_block(struct sram_map *m, struct sram_place *p)
{
	struct sram_block *full = m->block[p->block], *upper;

	upper = add_block(m, p->block + 1);
	if (!upper)
		return false;
	full->count = SRAM_BLOCK_RANGES / 2;
	upper->count = SRAM_BLOCK_RANGES - full->count;
	memcpy(upper->at, &full->at[full->count], upper->count * sizeof(*upper->at));
	if (p->range >= full->count)
		*p = (struct sram_place){ p->block + 1, p->range - full->count };
	return true;
}

/* Cuts the range that holds byte @at in two, the second of which begins there. */
static bool cut(struct sram_map *m, u64 at)
{
	struct sram_place p = sram_map_find(m, at);
	struct sram_range *r = sram_map_at(m, p);
	struct sram_block *b;

	if (r->lo >= at || r->hi <= at)
		return true;
	if (m->block[p.block]->count == SRAM_BLOCK_RANGES && !split_block(m, &p))
		return false;
	b = m->block[p.block];
	r = &b->at[p.range];
	memmove(r + 1, r, (b->count - p.range) * sizeof(*r));
	b->count++;
	r[0].hi = r[1].lo = at;
	return true;
}

static void remove_range(struct sram_map *m, struct sram_place p)
{
	struct sram_block *b = m->block[p.block];
	struct sram_range *r = &b->at[p.range];

	b->count--;
	memmove(r, r + 1, (b->count - p.range) * sizeof(*r));
	if (b->count)
		return;
	m->count--;
	memmove(&m->block[p.block], &m->block[p.block + 1],
		(m->count - p.block) * sizeof(*m->block));
	b->next_unused = m->unused;
	m->unused = b;
}

static bool equal(const struct sram_state *a, const struct sram_state *b)
{
	return a->written == b->written && a->read == b->read && a->in == b->in && a->out == b->out;
}

/* Joins equal neighbours from that which ends at @lo to that which begins at @hi. */
static void join(struct sram_map *m, u64 lo, u64 hi)
{
	struct sram_place p = sram_map_find(m, lo ? lo - 1 : 0), next;
	struct sram_range *r = sram_map_at(m, p), *behind;

	for (;;) {
		next = sram_map_next(m, p);
		behind = sram_map_at(m, next);
		if (!behind || behind->lo > hi)
			return;
		if (equal(&r->state, &behind->state)) {
			r->hi = behind->hi;
			remove_range(m, next);
		} else {
			p = next;
			r = behind;
		}
	}
}

void sram_map_restart(struct sram_map *m)
{
	struct sram_place p;
	struct sram_range *r;

	if (m->failed)
		return;
	sram_map_for_each(m, p, r, 0, ~0ull)
		r->state.written = r->state.read = 0;
	join(m, 0, ~0ull);
}

void sram_map_change(struct sram_map *m, u64 lo, u64 hi,
		     void (*change)(struct sram_state *s, const void *arg), const void *arg)
{
	struct sram_place p;
	struct sram_range *r;

	if (m->failed || hi <= lo || !cut(m, lo) || !cut(m, hi))
		return;
	sram_map_for_each(m, p, r, lo, hi)
		if (r->hi > lo)
			change(&r->state, arg);
	join(m, lo, hi);
}
