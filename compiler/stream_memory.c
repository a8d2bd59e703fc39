// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * When a kernel may touch memory, and what is known of it then.
 *
 * An access is taken apart into visits: the rows, or ranges of bytes, that it touches, each with
 * the iterations that do so first and last. So a kernel may begin before another one that it
 * depends on has ended, if it stays behind it.
 */
#include "compiler/stream_builder.h"
#include "core/affine.h"

/* ---- Accesses -------------------------------------------------------------------------------- */

/* The bytes that @op touches, over all trips. */
static struct rondo_hull hull_of(const struct builder *b, const struct kernel *k,
				 const struct mir_item *op)
{
	struct rondo_entry entry;
	const struct rondo_access access = mir_access(op, &entry);
	struct rondo_hull hull = rondo_access_hull(&access);
	s64 base = b->l->mir.buf[op->ref.buf].base + op->ref.offset;

	hull.lo += base;
	hull.hi += base;
	for (int d = 0; d < k->outer; d++)
		rondo_hull_extend(&hull, op->ref.stride[d], (u32)(b->outer_trips[d] - 1));
	for (int d = 0; d < k->dims; d++)
		rondo_hull_extend(&hull, op->ref.stride[k->outer + d], (u32)(k->trips[d] - 1));
	return hull;
}

/*
 * Bytes that an operation touches, and the iterations that do so first and last at most. An access
 * is cut along its outer loops, so that what comes before or behind need not wait for all of it.
 */
struct byte_visit {
	struct rondo_hull hull;
	u64 first, last;
};

enum { VISITS = 64 }; /* pieces of an access, about */

struct byte_walk {
	const struct kernel *k;
	const struct mir_item *op;
	struct rondo_hull hull; /* of the first piece, at the first trips of the cut loops */
	int cut; /* loops of the nest that are cut, the last of them in groups */
	u64 digit[RONDO_LOOP_DEPTH];
	u64 group; /* trips of the last of them at a time */
	u64 inside; /* iterations in a trip of it */
	bool done;
};

static struct byte_walk walk_bytes(const struct builder *b, const struct kernel *k,
				   const struct mir_item *op)
{
	struct byte_walk w = { .k = k, .op = op, .group = 1, .inside = 1 };
	struct kernel inner = *k;
	u64 pieces = 1;

	while (w.cut < k->dims && pieces * 2 <= VISITS) {
		u64 trips = k->trips[w.cut++], most = VISITS / pieces;

		w.group = (trips + most - 1) / most;
		pieces *= (trips + w.group - 1) / w.group;
	}
	for (int d = 0; d < w.cut; d++)
		inner.trips[d] = 1;
	for (int d = w.cut; d < k->dims; d++)
		w.inside *= k->trips[d];
	w.hull = hull_of(b, &inner, op);
	return w;
}

static bool next_bytes(struct byte_walk *w, struct byte_visit *v)
{
	const s32 *stride = w->op->ref.stride + w->k->outer;
	u64 at = 0, more = 0;
	int d = w->cut - 1;

	if (w->done)
		return false;
	v->hull = w->hull;
	for (int i = 0; i < w->cut; i++) {
		s64 shift = (s64)w->digit[i] * stride[i];

		v->hull.lo += shift;
		v->hull.hi += shift;
		at = at * w->k->trips[i] + w->digit[i];
	}
	if (w->cut) {
		u64 left = w->k->trips[d] - w->digit[d];

		more = (left < w->group ? left : w->group) - 1;
		rondo_hull_extend(&v->hull, stride[d], (u32)more);
		w->digit[d] += more;
	}
	v->first = at * w->inside;
	v->last = (at + more + 1) * w->inside - 1;
	for (; d >= 0; d--) {
		if (++w->digit[d] < w->k->trips[d])
			break;
		w->digit[d] = 0;
	}
	w->done = d < 0;
	return true;
}

/* A row that an operation touches, and the iterations that do so first and last. */
struct row_visit {
	s64 row;
	u64 first, last;
};

/* Walks over the rows of an operation: one step for each combination of trips that move the row. */
struct row_walk {
	const struct kernel *k;
	const s16 *stride; /* of the nest's loops */
	u64 digit[RONDO_LOOP_DEPTH];
	u64 still; /* iterations from the first to the last trips of loops that do not move it */
	s64 base;
	bool done;
};

static struct row_walk walk_rows(const struct kernel *k, const struct mir_item *op)
{
	struct row_walk w = { .k = k,
			      .stride = op->ref.row_stride + k->outer,
			      .base = rondo_first_row(&op->op) };
	u64 weight = 1;

	for (int d = k->dims - 1; d >= 0; d--) {
		if (!w.stride[d])
			w.still += (k->trips[d] - 1) * weight;
		weight *= k->trips[d];
	}
	return w;
}

static bool next_row(struct row_walk *w, struct row_visit *v)
{
	u64 weight = 1;
	int d;

	if (w->done)
		return false;
	*v = (struct row_visit){ .row = w->base };
	for (d = w->k->dims - 1; d >= 0; d--) {
		v->row += (s64)w->digit[d] * w->stride[d];
		v->first += w->digit[d] * weight;
		weight *= w->k->trips[d];
	}
	v->last = v->first + w->still;
	for (d = w->k->dims - 1; d >= 0; d--) {
		if (!w->stride[d])
			continue;
		if (++w->digit[d] < w->k->trips[d])
			break;
		w->digit[d] = 0;
	}
	w->done = d < 0;
	return true;
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

static void wait_for_cell(u64 *start, const struct cell *c, bool read, bool write, u64 at)
{
	if (read || write)
		not_before(start, c->written, at);
	if (write)
		not_before(start, c->read, at);
}

static void touch_cell(struct cell *c, bool read, bool write, u64 at)
{
	if (read)
		c->read = max_of(c->read, at);
	if (write)
		c->written = max_of(c->written, at + 1);
}

/* The rows that a push multiplies with, in every iteration. */
static void each_weight(struct builder *b, const struct placing *p, int i, u64 *start)
{
	const struct rondo_op *op = &p->k->op[i].op;

	for (u32 r = op->wrow; r < (u32)op->wrow + op->count; r++) {
		if (start)
			wait_for_cell(start, &b->weights[op->buf][r], true, false, p->s->at[i]);
		else
			touch_cell(&b->weights[op->buf][r], true, false,
				   p->start + p->s->at[i] + (p->count - 1) * p->s->interval);
	}
}

/*
 * Rows that operation @i moves over: with @start, they put off the start of the kernel; without,
 * they are touched.
 */
static void each_row(struct builder *b, const struct placing *p, int i, u64 *start)
{
	const struct mir_item *op = &p->k->op[i];
	bool weights = rondo_op_writes_weights(op->op.op);
	bool read = rondo_op_reads_acc(op->op.op);
	bool write = weights || rondo_op_writes_acc(op->op.op);
	struct row_walk walk = walk_rows(p->k, op);
	struct row_visit v;

	while (next_row(&walk, &v)) {
		struct cell *c = weights ? &b->weights[op->op.buf][v.row] : &b->acc[v.row];

		if (start)
			wait_for_cell(start, c, read, write,
				      p->s->at[i] + v.first * p->s->interval);
		else
			touch_cell(c, read, write,
				   p->start + p->s->at[i] + v.last * p->s->interval);
	}
}

static void each_memory(struct builder *b, const struct placing *p, u64 *start)
{
	for (int i = 0; i < p->k->ops; i++) {
		u8 op = p->k->op[i].op.op;

		if (rondo_op_reads_weights(op))
			each_weight(b, p, i, start);
		if (rondo_op_has_row(op))
			each_row(b, p, i, start);
	}
}

/* ---- SRAM ------------------------------------------------------------------------------------ */

/* Puts off the start of the kernel until operation @i may touch what it does in @v. */
static void wait_for_bytes(struct builder *b, const struct placing *p, int i,
			   const struct byte_visit *v, u64 *start)
{
	bool write = rondo_op_writes_sram(p->k->op[i].op.op);
	u64 at = p->s->at[i] + v->first * p->s->interval;
	struct sram_place place;
	struct sram_range *r;

	sram_map_for_each(&b->sram, place, r, (u64)v->hull.lo, v->hull.hi) {
		const struct sram_state *s = &r->state;

		not_before(start, s->written, at);
		not_before(start, stream_awaits(b, s->in), at);
		if (!write)
			continue;
		not_before(start, s->read, at + 1); /* loads of a bundle come before stores */
		not_before(start, stream_behind(b, s->out), at);
	}
}

/* The kernel, which is to begin at about *@start, wants what operation @i touches in @v. */
static void wish_for_bytes(struct builder *b, const struct placing *p, int i,
			   const struct byte_visit *v, u64 *start)
{
	mir_buf buf = p->k->op[i].ref.buf;
	u64 base = b->l->mir.buf[buf].base;

	stream_wish(b, buf, v->hull.lo - base, v->hull.hi - base,
		    *start + p->s->at[i] + v->first * p->s->interval);
}

static void each_bytes(struct builder *b, const struct placing *p, u64 *start,
		       void (*visit)(struct builder *b, const struct placing *p, int i,
				     const struct byte_visit *v, u64 *start))
{
	for (int i = 0; i < p->k->ops; i++) {
		struct byte_walk walk;
		struct byte_visit v;

		if (p->k->op[i].ref.buf == MIR_NO_BUF)
			continue;
		walk = walk_bytes(b, p->k, &p->k->op[i]);
		while (next_bytes(&walk, &v))
			visit(b, p, i, &v, start);
	}
}

static void set_written(struct sram_state *s, const void *arg)
{
	s->written = max_of(s->written, *(const u64 *)arg + 1);
}

static void set_read(struct sram_state *s, const void *arg)
{
	s->read = max_of(s->read, *(const u64 *)arg + 1);
}

static void touch_bytes(struct builder *b, const struct placing *p, int i,
			const struct byte_visit *v, u64 *start)
{
	bool write = rondo_op_writes_sram(p->k->op[i].op.op);
	u64 first = p->start + p->s->at[i] + v->first * p->s->interval;
	u64 last = p->start + p->s->at[i] + v->last * p->s->interval;
	struct sram_place place;
	struct sram_range *r;

	sram_map_for_each(&b->sram, place, r, (u64)v->hull.lo, v->hull.hi) {
		const struct sram_state *s = &r->state;

		if (s->in != SRAM_NO_TRANSFER)
			stream_need(b, s->in, first);
		if (write && s->out != SRAM_NO_TRANSFER)
			stream_need(b, s->out, first);
	}
	(void)start;
	sram_map_change(&b->sram, (u64)v->hull.lo, (u64)v->hull.hi, write ? set_written : set_read,
			&last);
}

/* Transfers are started when it is known when they are wanted; then the kernel waits for them. */
void stream_wait_memory(struct builder *b, const struct placing *p, u64 *start)
{
	each_memory(b, p, start);
	each_bytes(b, p, start, wait_for_bytes);
	each_bytes(b, p, start, wish_for_bytes);
	stream_start_wishes(b);
	each_bytes(b, p, start, wait_for_bytes);
}

void stream_take_memory(struct builder *b, const struct placing *p)
{
	each_memory(b, p, NULL);
	each_bytes(b, p, NULL, touch_bytes);
}
