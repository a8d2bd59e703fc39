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

/* Joins those of ranges @first to @last that are equal; returns where the last one is now. */
static int join(struct sram_map *m, int first, int last)
{
	int to = first;

	for (int from = first + 1; from <= last; from++) {
		if (equal(&m->at[to].state, &m->at[from].state))
			m->at[to].hi = m->at[from].hi;
		else
			m->at[++to] = m->at[from];
	}
	return to;
}

void sram_map_restart(struct sram_map *m)
{
	if (m->failed)
		return;
	for (int i = 0; i < m->count; i++)
		m->at[i].state.written = m->at[i].state.read = 0;
	m->count = join(m, 0, m->count - 1) + 1;
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

/* Makes the @have ranges that end with @last @want: what follows them moves. */
static void resize(struct sram_map *m, int last, int have, int want)
{
	if (want == have) /* as mostly, and what follows is long */
		return;
	memmove(&m->at[last + 1 + want - have], &m->at[last + 1],
		(m->count - last - 1) * sizeof(*m->at));
	m->count += want - have;
}

/*
 * What is left of the first and the last range before @lo and behind @hi is taken out while the
 * others change and are joined, so that what follows moves once at most.
 */
void sram_map_change(struct sram_map *m, u64 lo, u64 hi,
		     void (*change)(struct sram_state *s, const void *arg), const void *arg)
{
	struct sram_range before, behind;
	int first, last, to;
	bool head, tail;

	if (m->failed || hi <= lo || !reserve(m, m->count + 2))
		return;
	first = sram_map_find(m, lo);
	last = sram_map_find(m, hi - 1);
	before = m->at[first];
	behind = m->at[last];
	if (before.hi <= lo)
		return;
	before.hi = m->at[first].lo = before.lo < lo ? lo : before.lo;
	behind.lo = m->at[last].hi = hi < behind.hi ? hi : behind.hi;
	for (int i = first; i <= last; i++)
		change(&m->at[i].state, arg);
	head = before.lo < before.hi;
	if (head && equal(&before.state, &m->at[first].state)) {
		m->at[first].lo = before.lo;
		head = false;
	}
	tail = behind.lo < behind.hi;
	if (tail && equal(&behind.state, &m->at[last].state)) {
		m->at[last].hi = behind.hi;
		tail = false;
	}
	first -= !head && first > 0;
	last += !tail && last + 1 < m->count;
	to = join(m, first, last);
	resize(m, last, last - first + 1, head + to - first + 1 + tail);
	if (head) {
		memmove(&m->at[first + 1], &m->at[first], (to - first + 1) * sizeof(*m->at));
		m->at[first] = before;
		to++;
	}
	if (tail)
		m->at[to + 1] = behind;
}
