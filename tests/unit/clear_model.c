// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/unit/clear_model.h"

enum {
	RANGES = RONDO_CLEAR_WRITTEN_MAX + 1, /* room for one more than either set may have */
	DIMS = RONDO_LOOP_DEPTH + RONDO_DMA_DIMS, /* before they are counted */
	NOTHING = RONDO_LOOP_DEPTH, /* what a strided set waits for that is complete */
};

struct range {
	s64 lo, hi;
};

struct set {
	u32 count;
	struct range at[RANGES];
};

struct dim {
	s64 stride, times;
};

struct strided {
	s64 lo, n;
	u32 dims, waits;
	struct dim dim[DIMS];
};

struct model {
	const struct builder *b;
	u32 *events;
	struct set clear, written;
	u32 sets, replaced;
	struct strided set[RONDO_CLEAR_SETS_MAX];
	u32 depth;
	struct {
		u64 trips; /* T[d] */
		u32 last; /* bundle of the body */
	} loop[RONDO_LOOP_DEPTH];
};

/* Sets. */

static s64 length(struct range r)
{
	return r.hi - r.lo;
}

static bool touch(struct range a, struct range b)
{
	return a.lo <= b.hi && b.lo <= a.hi;
}

static struct range both(struct range a, struct range b)
{
	return (struct range){ a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi };
}

/* Whether one range of the set holds all of @r. */
static bool holds(const struct set *s, struct range r)
{
	u32 i;

	for (i = 0; i < s->count; i++)
		if (s->at[i].lo <= r.lo && r.hi <= s->at[i].hi)
			return true;
	return false;
}

static void take(struct set *s, u32 index)
{
	s->count--;
	memmove(&s->at[index], &s->at[index + 1], (s->count - index) * sizeof(s->at[0]));
}

/* Adds a range that touches none, in its place. */
static void sort_in(struct set *s, struct range r)
{
	u32 i;

	for (i = s->count++; i > 0 && s->at[i - 1].lo > r.lo; i--)
		s->at[i] = s->at[i - 1];
	s->at[i] = r;
}

/* Puts @r into the set, joined with the ranges that it overlaps or touches. */
static void put(struct set *s, struct range r)
{
	struct range joined = r;
	u32 i = 0;

	while (i < s->count) {
		if (touch(s->at[i], r)) {
			joined = both(joined, s->at[i]);
			take(s, i);
		} else {
			i++;
		}
	}
	sort_in(s, joined);
}

static bool touches_one(const struct set *s, struct range r)
{
	u32 i;

	for (i = 0; i < s->count; i++)
		if (touch(s->at[i], r))
			return true;
	return false;
}

static void put_written(struct model *m, struct range r)
{
	struct set *s = &m->written;
	u32 shortest = 0, i;
	bool tie = false;

	if (s->count == RONDO_CLEAR_WRITTEN_MAX && !touches_one(s, r)) {
		for (i = 1; i < s->count; i++) {
			tie = length(s->at[i]) == length(s->at[shortest]) ||
			      (tie && length(s->at[i]) > length(s->at[shortest]));
			if (length(s->at[i]) < length(s->at[shortest]))
				shortest = i;
		}
		if (length(s->at[shortest]) >= length(r)) {
			m->events[CLEAR_DROPS_NEW]++;
			return;
		}
		m->events[CLEAR_DROPS_OLD]++;
		m->events[CLEAR_DROPS_TIE] += tie;
		take(s, shortest);
	}
	put(s, r);
}

/* Reads. */

/* The first longest piece of @r that is not in *written*; false: there is none. */
static bool unwritten(const struct set *written, struct range r, struct range *piece)
{
	u32 i;

	for (i = 0; i < written->count; i++)
		if (written->at[i].lo <= r.lo && r.lo < written->at[i].hi)
			r.lo = written->at[i].hi;
	for (i = 0; i < written->count; i++)
		if (r.lo < written->at[i].lo && written->at[i].lo < r.hi)
			r.hi = written->at[i].lo;
	*piece = r;
	return r.lo < r.hi;
}

static s64 gap_after(const struct set *s, u32 i)
{
	return s->at[i + 1].lo - s->at[i].hi;
}

static void join_neighbours(struct model *m)
{
	struct set *s = &m->clear;
	bool tie = false;
	u32 best = 0, i;

	for (i = 1; i + 1 < s->count; i++) {
		tie = gap_after(s, i) == gap_after(s, best) ||
		      (tie && gap_after(s, i) > gap_after(s, best));
		if (gap_after(s, i) < gap_after(s, best))
			best = i;
	}
	m->events[CLEAR_JOINS]++;
	m->events[CLEAR_JOINS_TIE] += tie;
	put(s, (struct range){ s->at[best].hi, s->at[best + 1].lo });
}

static void note_read(struct model *m, struct range span)
{
	struct range piece;
	u32 pieces = 0, i;

	for (; unwritten(&m->written, span, &piece); span.lo = piece.hi) {
		put(&m->clear, piece);
		while (m->clear.count > RONDO_CLEAR_RANGES_MAX)
			join_neighbours(m);
		for (i = 0; !touch(m->clear.at[i], piece); i++)
			;
		put_written(m, m->clear.at[i]);
		pieces++;
	}
	m->events[CLEAR_PIECES] += pieces > 1;
}

/* Writes. */

/* One more dimension, of the loop at depth @waits or of none. */
static void add_dim(struct model *m, struct strided *c, s64 stride, u64 times, u32 waits)
{
	u32 i;

	if (!stride || times == 1)
		return;
	if (waits < c->waits)
		c->waits = waits;
	if (stride < 0) {
		c->lo += stride * (s64)(times - 1);
		stride = -stride;
	}
	for (i = c->dims++; i > 0 && c->dim[i - 1].stride > stride; i--)
		c->dim[i] = c->dim[i - 1];
	c->dim[i] = (struct dim){ stride, (s64)times };
	m->events[CLEAR_EQUAL_STRIDES] += i > 0 && c->dim[i - 1].stride == stride;
}

static void close_strided(struct strided *c)
{
	while (c->dims && c->dim[0].stride <= c->n) {
		c->n += c->dim[0].stride * (c->dim[0].times - 1);
		c->dims--;
		memmove(&c->dim[0], &c->dim[1], c->dims * sizeof(c->dim[0]));
	}
}

static struct range block(const struct strided *c)
{
	return (struct range){ c->lo, c->lo + c->n };
}

static bool fit(const struct strided *a, const struct strided *b)
{
	u32 i;

	if (a->dims != b->dims || !touch(block(a), block(b)))
		return false;
	for (i = 0; i < a->dims; i++)
		if (a->dim[i].stride != b->dim[i].stride || a->dim[i].times != b->dim[i].times)
			return false;
	return true;
}

static void take_strided(struct model *m, u32 index)
{
	m->set[index] = m->set[--m->sets];
}

static void merge(struct strided *c, const struct strided *other)
{
	struct range r = both(block(c), block(other));

	c->lo = r.lo;
	c->n = length(r);
	if (other->waits < c->waits)
		c->waits = other->waits;
	close_strided(c);
}

static void list_strided(struct model *m, const struct strided *c)
{
	if (m->sets < RONDO_CLEAR_SETS_MAX) {
		m->set[m->sets++] = *c;
		return;
	}
	m->set[m->replaced++ % RONDO_CLEAR_SETS_MAX] = *c;
	m->events[CLEAR_REPLACED]++;
	m->events[CLEAR_REPLACED_ROUND] += m->replaced > RONDO_CLEAR_SETS_MAX;
}

static void note_write(struct model *m, struct strided *c)
{
	u32 merges = 0, at = 0, i;

	if (c->dims > RONDO_CLEAR_SET_DIMS) {
		m->events[CLEAR_TOO_WIDE]++;
		return;
	}
	close_strided(c);
	while (c->dims || c->waits != NOTHING) {
		for (i = 0; i < m->sets && !fit(&m->set[i], c); i++)
			;
		if (i == m->sets) {
			list_strided(m, c);
			return;
		}
		m->events[CLEAR_MERGED]++;
		m->events[CLEAR_MERGED_AGAIN] += merges++ && i < at;
		at = i;
		merge(c, &m->set[i]);
		take_strided(m, i);
	}
	m->events[CLEAR_MERGED_INTO_WRITTEN] += merges && m->sets;
	put_written(m, block(c));
}

/* Loops. */

static void end_loop(struct model *m)
{
	u32 ends = --m->depth, i = 0;

	while (i < m->sets) {
		struct strided *c = &m->set[i];
		bool waited = c->waits == ends;

		if (waited)
			c->waits = NOTHING;
		m->events[CLEAR_LATE_GAPS] += waited && c->dims;
		if (c->dims || c->waits != NOTHING) {
			i++;
			continue;
		}
		put_written(m, block(c));
		m->events[CLEAR_LATE]++;
		m->events[CLEAR_LATE_MOVES] += i + 2 < m->sets;
		take_strided(m, i);
	}
}

static void open_loops(struct model *m, const struct rondo_op *op, u32 bundle)
{
	u32 loops = rondo_loop_nest(op), i;

	for (i = 0; i < loops; i++) {
		m->loop[m->depth].trips = op->trip[i];
		m->loop[m->depth++].last = bundle + op->body;
	}
}

/* What the operations of a bundle do. */

static void widen(struct range *span, s64 stride, u64 times)
{
	s64 way = stride * (s64)(times - 1);

	*(way < 0 ? &span->lo : &span->hi) += way;
}

static void note_start(struct model *m, const struct rondo_op *op)
{
	const struct rondo_machine *machine = &m->b->machine;
	const struct rondo_desc *d = &m->b->descs[op->desc];
	struct strided c = { .lo = d->sram_base, .n = d->row_bytes, .waits = NOTHING };
	struct range span = block(&c);
	u32 i;

	if (op->last && m->loop[op->last - 1].trips == 1) {
		m->events[CLEAR_EMPTY]++;
		return;
	}
	m->events[CLEAR_LAST] += op->last != 0;
	for (i = 0; i < RONDO_DMA_DIMS; i++) {
		widen(&span, d->sram_stride[i], d->count[i]);
		add_dim(m, &c, d->sram_stride[i], d->count[i], NOTHING);
	}
	for (i = 0; i < m->depth; i++) {
		u64 times = m->loop[i].trips - (op->last == i + 1);

		widen(&span, d->sram_loop[i], times);
		add_dim(m, &c, d->sram_loop[i], times, i);
	}
	if (d->dir == RONDO_DMA_OUT)
		note_read(m, span);
	else if (!d->x0 && !d->y0 && d->x1 == machine->mesh_w - 1 && d->y1 == machine->mesh_h - 1)
		note_write(m, &c);
	else
		m->events[CLEAR_MASKED]++;
}

/* The bytes of @count elements in each of the operation's rows, over all trips. */
static struct range span_of(const struct model *m, const struct rondo_op *op, u32 count)
{
	const struct rondo_entry *e = &m->b->entries[op->entry];
	u32 size = rondo_element_bytes(op->op), row, i;
	s64 base = (s64)e->base + op->off;
	struct range span = { base, base };

	for (row = 0; row < (rondo_ops[op->op].format == RONDO_FMT_LOAD4 ? op->rows : 1u); row++) {
		for (i = 0; i < count; i++) {
			s64 at = base + row * (s64)e->pitch;

			if (e->seg_len)
				at += (s64)(i / e->seg_len) * e->seg_stride + i % e->seg_len * size;
			else
				at += i * size;
			span = both(span, (struct range){ at, at + size });
		}
	}
	for (i = 0; i < m->depth; i++)
		widen(&span, e->stride[i], m->loop[i].trips);
	return span;
}

static void note_store(struct model *m, const struct rondo_op *op, bool all_tiles)
{
	const struct rondo_entry *e = &m->b->entries[op->entry];
	u32 size = rondo_element_bytes(op->op), i;
	struct strided c = { .lo = (s64)e->base + op->off,
			     .n = op->count * size,
			     .waits = NOTHING };

	if (!all_tiles || holds(&m->written, span_of(m, op, op->count))) {
		m->events[all_tiles ? CLEAR_KNOWN : CLEAR_MASKED]++;
		return;
	}
	if (e->seg_len && e->seg_len < op->count) {
		if (op->count % e->seg_len) {
			m->events[CLEAR_SHORT_SEGMENT]++;
			return;
		}
		c.n = e->seg_len * size;
		add_dim(m, &c, e->seg_stride, op->count / e->seg_len, NOTHING);
	}
	for (i = 0; i < m->depth; i++)
		add_dim(m, &c, e->stride[i], m->loop[i].trips, i);
	note_write(m, &c);
}

static void note_access(struct model *m, u32 slot, const struct rondo_op *op, bool all_tiles)
{
	switch (rondo_ops[op->op].format) {
	case RONDO_FMT_NONE:
	case RONDO_FMT_READ: /* of accumulators */
	case RONDO_FMT_READQ:
		return;
	default:
		break;
	}
	if (slot == RONDO_S)
		note_store(m, op, all_tiles);
	else
		note_read(m, span_of(m, op, rondo_elements(op->op, op->count)));
}

static bool masks(const struct model *m, const struct rondo_op *op)
{
	return op->op == RONDO_OP_mask && (op->x0 || op->y0 || op->x1 != m->b->machine.mesh_w - 1 ||
					   op->y1 != m->b->machine.mesh_h - 1);
}

static u64 run_bundle(struct model *m, u32 bundle)
{
	static const u8 order[] = { RONDO_L0, RONDO_L1, RONDO_W, RONDO_M, RONDO_S };
	const u64 *words = m->b->bundles[bundle];
	struct rondo_op control, op;
	u64 executed = 1;
	u32 i;

	for (i = 0; i < m->depth; i++)
		executed *= m->loop[i].trips;
	rondo_decode(words[RONDO_C], &control);
	if (control.op == RONDO_OP_dma)
		note_start(m, &control);
	for (i = 0; i < sizeof(order); i++) {
		rondo_decode(words[order[i]], &op);
		note_access(m, order[i], &op, !masks(m, &control));
	}
	if (rondo_op_is_loop(control.op))
		open_loops(m, &control, bundle);
	while (m->depth && m->loop[m->depth - 1].last == bundle)
		end_loop(m);
	return executed;
}

void clear_model(const struct builder *b, struct clear_result *result)
{
	struct model m = { .b = b, .events = result->events };
	u32 i;

	*result = (struct clear_result){ 0 };
	for (i = 0; i < b->header.bundles; i++)
		result->executed += run_bundle(&m, i);
	result->count = m.clear.count;
	for (i = 0; i < m.clear.count; i++)
		result->range[i] =
			(struct rondo_range){ (u32)m.clear.at[i].lo, (u32)m.clear.at[i].hi };
}

u64 clear_model_cycles(const struct clear_result *result, u32 rate)
{
	u64 cycles = 0;
	u32 i;

	for (i = 0; i < result->count; i++)
		cycles += (result->range[i].hi - result->range[i].lo + rate - 1) / rate;
	return cycles;
}
