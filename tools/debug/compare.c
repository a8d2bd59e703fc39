// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Comparing two runs. Only what a cycle writes can differ after it, so only that is compared:
 * results in the cycle of their operation, and every write that the reference reports.
 */
#include "tools/debug/compare.h"

#include <stdlib.h>

struct write {
	struct reference_access access;
	bool dma;
};

/* Writes of one cycle: first those of run a, then those of b. */
struct writes {
	u32 count, of_a, capacity;
	struct write *at;
	bool short_of_memory;
};

static void note_write(void *ctx, const struct reference_access *access)
{
	struct writes *w = ctx;

	/* DMA tells of both of its sides, SRAM first; a register was compared as a result. */
	if (access->space == REFERENCE_SLOT && !access->write && w->count)
		w->at[w->count - 1].dma = true;
	if (!access->write || access->space == REFERENCE_REGISTER)
		return;
	if (w->count == w->capacity) {
		u32 capacity = w->capacity ? 2 * w->capacity : 256;
		struct write *grown = realloc(w->at, capacity * sizeof(*grown));

		if (!grown) {
			w->short_of_memory = true;
			return;
		}
		w->at = grown;
		w->capacity = capacity;
	}
	w->at[w->count++] = (struct write){ *access, access->space == REFERENCE_SLOT };
}

/* The lanes of the row or register that @access names, in the state of @s; NULL if it names bytes.
 */
static const u32 *row_of(const struct session *s, const struct reference_access *access)
{
	return access->space == REFERENCE_ACCUMULATOR ?
		       s->reference->tile[access->tile].acc[access->at] :
		       NULL;
}

static const u8 *bytes_of(const struct session *s, const struct reference_access *access,
			  u64 *limit)
{
	if (access->space == REFERENCE_SLOT) {
		*limit = access->index < s->program.header->slots ? s->slot_bytes[access->index] :
								    0;
		return s->slot[access->index];
	}
	*limit = s->machine.sram_bytes;
	return s->reference->tile[access->tile].sram;
}

/* Number @i of the @size bytes each at @numbers. */
static u64 number_at(const void *numbers, size_t size, u32 i)
{
	u64 number = 0;

	memcpy(&number, (const u8 *)numbers + i * size, size);
	return number;
}

/* The lanes of two rows of numbers of @size bytes. */
static bool compare_rows(const void *a, const void *b, size_t size, u32 lanes, struct difference *d)
{
	u32 i;

	d->lanes = 0;
	for (i = 0; i < lanes; i++) {
		u64 x = number_at(a, size, i), y = number_at(b, size, i);

		if (x == y)
			continue;
		if (!d->lanes++) {
			d->lane = i;
			d->a = x;
			d->b = y;
		}
	}
	return d->lanes;
}

/* The container at @at, or as much of it as there is. */
static u64 container_at(const u8 *bytes, u64 at, u64 limit)
{
	u32 value = 0;

	memcpy(&value, bytes + at, limit - at < 4 ? limit - at : 4);
	return value;
}

static bool compare_bytes(const struct session *a, const struct session *b,
			  const struct reference_access *access, struct difference *d)
{
	u64 limit_a, limit_b, i;
	const u8 *x = bytes_of(a, access, &limit_a), *y = bytes_of(b, access, &limit_b);
	u64 limit = limit_a < limit_b ? limit_a : limit_b;

	d->lanes = 0;
	for (i = access->at; i < access->at + access->count && i < limit; i++) {
		if (x[i] == y[i])
			continue;
		if (!d->lanes++) {
			d->access.at = i & ~(u64)3;
			d->a = container_at(x, i & ~(u64)3, limit_a);
			d->b = container_at(y, i & ~(u64)3, limit_b);
		}
	}
	return d->lanes;
}

/*
 * A result of an operation that executed in this cycle. No latency is 1, so it has not landed yet,
 * and the result that was in its place before has.
 */
static bool compare_result(const struct session *a, const struct session *b,
			   const struct reference_access *access, struct difference *d)
{
	const struct ref_flight *f = &a->reference->flight[access->index];
	const struct ref_flight *g = &b->reference->flight[access->index];

	d->lanes = 0;
	if (f->left != g->left || f->reg != g->reg ||
	    memcmp(&f->tiles, &g->tiles, sizeof(f->tiles)))
		return true;
	return compare_rows(f->value[access->tile], g->value[access->tile], sizeof(u32),
			    a->machine.lanes, d);
}

/* Whether what @write wrote in one of the runs differs between them. */
static bool compare_write(const struct session *a, const struct session *b,
			  const struct write *write, struct difference *d)
{
	const struct reference_access *access = &write->access;

	d->access = *access;
	d->dma = write->dma;
	if (access->space == REFERENCE_RESULT)
		return compare_result(a, b, access, d);
	if (access->space == REFERENCE_ACCUMULATOR)
		return compare_rows(row_of(a, access), row_of(b, access), sizeof(u32),
				    a->machine.lanes, d);
	if (access->space == REFERENCE_WEIGHT)
		return compare_rows(
			a->reference->tile[access->tile].weight[access->index][access->at],
			b->reference->tile[access->tile].weight[access->index][access->at],
			sizeof(u64), a->machine.lanes, d);
	return compare_bytes(a, b, access, d);
}

/* In how many more bytes of the same memory the same run's writes after @first differ. */
static u32 count_more(const struct session *a, const struct session *b, const struct writes *writes,
		      u32 first)
{
	u32 end = first < writes->of_a ? writes->of_a : writes->count, bytes = 0, i;
	const struct write *like = &writes->at[first];

	for (i = first + 1; i < end; i++) {
		const struct write *w = &writes->at[i];
		struct difference d;

		if (w->access.space == like->access.space && w->access.tile == like->access.tile &&
		    w->access.index == like->access.index && w->dma == like->dma &&
		    compare_write(a, b, w, &d))
			bytes += d.lanes;
	}
	return bytes;
}

/* What the cycle that has just passed in both runs wrote. */
static bool compare_cycle(const struct session *a, const struct session *b,
			  const struct writes *writes, struct difference *d)
{
	u32 i;

	for (i = 0; i < writes->count; i++) {
		const struct reference_access *access = &writes->at[i].access;

		if (!compare_write(a, b, &writes->at[i], d))
			continue;
		d->kind = DIFFERENCE_VALUE;
		if (access->space == REFERENCE_SRAM || access->space == REFERENCE_SLOT)
			d->lanes += count_more(a, b, writes, i);
		return true;
	}
	return false;
}

/* Whether the runs are at different places of the program. */
static bool compare_positions(const struct session *a, const struct session *b,
			      struct difference *d)
{
	if (session_at_end(a) != session_at_end(b) ||
	    (session_at_end(a) && (a->status != b->status || strcmp(a->reason, b->reason)))) {
		d->kind = DIFFERENCE_END;
		return true;
	}
	if (session_bundle(a) != session_bundle(b) || a->arrived != b->arrived) {
		d->kind = DIFFERENCE_BUNDLE;
		return true;
	}
	return false;
}

/* Back to before the cycle @after cycles after the start. */
static bool go_back(struct session *a, struct session *b, u64 after)
{
	return session_goto(a, a->start + after) && session_goto(b, b->start + after);
}

static bool compare(struct session *a, struct session *b, u64 from, struct writes *writes,
		    struct difference *d)
{
	u64 after;

	if (!session_goto(a, a->start + from) || !session_goto(b, b->start + from))
		return false;
	for (after = from;; after++) {
		bool more_a, more_b;

		if (session_interrupted(a))
			return false;
		if (compare_positions(a, b, d))
			return true;
		writes->count = 0;
		more_a = session_step(a, note_write, writes);
		writes->of_a = writes->count;
		more_b = session_step(b, note_write, writes);
		if (writes->short_of_memory)
			return false;
		if (more_a != more_b) {
			d->kind = DIFFERENCE_END;
			return go_back(a, b, after);
		}
		if (!more_a) {
			compare_positions(a, b, d);
			return true;
		}
		if (compare_cycle(a, b, writes, d))
			return go_back(a, b, after);
	}
}

bool compare_runs(struct session *a, struct session *b, u64 from, struct difference *d)
{
	struct writes writes = { 0 };
	bool done;

	memset(d, 0, sizeof(*d));
	if (memcmp(&a->machine, &b->machine, sizeof(a->machine))) {
		d->kind = DIFFERENCE_MACHINE;
		return true;
	}
	done = compare(a, b, from, &writes, d);
	free(writes.at);
	if (done && d->kind == DIFFERENCE_NONE)
		memset(d, 0, sizeof(*d));
	return done;
}
