// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/sram_map.h"

#include <string.h>

static bool reserve(struct sram_map *m, int count)
{
	struct sram_range *bigger;

	if (count <= m->room)
		return true;
	bigger = arena_alloc(m->arena, 2 * (size_t)count * sizeof(*bigger));
	if (!bigger) {
		m->failed = true;
		return false;
	}
	if (m->count)
		memcpy(bigger, m->at, m->count * sizeof(*bigger));
	m->at = bigger;
	m->room = 2 * count;
	return true;
}

void sram_map_init(struct sram_map *m, struct arena *arena, u64 bytes)
{
	*m = (struct sram_map){ .arena = arena };
	if (!reserve(m, 16))
		return;
	m->at[0] = (struct sram_range){ 0, bytes, { 0, 0, SRAM_NO_TRANSFER, SRAM_NO_TRANSFER } };
	m->count = 1;
}

static bool equal(const struct sram_state *a, const struct sram_state *b)
{
	return a->written == b->written && a->read == b->read && a->in == b->in && a->out == b->out;
}

/* Joins range @i with those that follow it up to @last while their states are equal. */
static void join(struct sram_map *m, int i, int last)
{
	int to = i;

	if (last >= m->count)
		last = m->count - 1;
	for (int from = i + 1; from <= last; from++) {
		if (equal(&m->at[to].state, &m->at[from].state))
			m->at[to].hi = m->at[from].hi;
		else
			m->at[++to] = m->at[from];
	}
	memmove(&m->at[to + 1], &m->at[last + 1], (m->count - last - 1) * sizeof(*m->at));
	m->count -= last - to;
}

void sram_map_restart(struct sram_map *m)
{
	if (m->failed)
		return;
	for (int i = 0; i < m->count; i++)
		m->at[i].state.written = m->at[i].state.read = 0;
	join(m, 0, m->count - 1);
}

int sram_map_find(const struct sram_map *m, u64 at)
{
	int lo = 0, hi = m->count - 1;

	while (lo < hi) {
		int middle = (lo + hi) / 2;

		if (m->at[middle].hi <= at)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* Cuts the range that holds byte @at there, so that one begins with it. */
static int cut(struct sram_map *m, u64 at)
{
	int i = sram_map_find(m, at);

	if (m->at[i].lo == at || m->at[i].hi <= at)
		return m->at[i].lo == at ? i : i + 1;
	memmove(&m->at[i + 1], &m->at[i], (m->count - i) * sizeof(*m->at));
	m->count++;
	m->at[i].hi = m->at[i + 1].lo = at;
	return i + 1;
}

void sram_map_change(struct sram_map *m, u64 lo, u64 hi,
		     void (*change)(struct sram_state *s, const void *arg), const void *arg)
{
	int first, end;

	if (m->failed || !reserve(m, m->count + 2))
		return;
	first = cut(m, lo);
	end = cut(m, hi);
	for (int i = first; i < end; i++)
		change(&m->at[i].state, arg);
	join(m, first ? first - 1 : 0, end);
}
