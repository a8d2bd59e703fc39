// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Modulo scheduling: see modulo.h.
 *
 * Operations are placed in the order of the body, each in the first bundle that its operands allow
 * and whose slot is free modulo the interval. An interval fails when a slot is overbooked, when a
 * value that one iteration hands to the next comes too late, or when the registers do not suffice;
 * then the next longer one is tried. An interval as long as the iteration itself always succeeds.
 * In the end loads are moved as late as their users allow, which shortens lives.
 */
#include "compiler/modulo.h"

#include <errno.h>
#include <string.h>

#include "core/overlap.h"

/* @to starts at least @delay bundles after @from of @distance iterations before. */
struct edge {
	int from, to;
	u32 delay, distance;
};

/* The life of one copy of a value, on a circle of as many bundles as all copies of the kernel. */
struct life {
	int reg;
	u32 from, bundles;
};

struct body {
	const struct kernel_context *c;
	const struct kernel *k;
	u64 count;
	struct edge *edge;
	int edges;
	bool serial; /* iterations must not overlap */
	u32 *at;
	u8 *slot;
	u8 (*busy)[RONDO_SLOTS_PER_BUNDLE]; /* by bundle modulo the interval */
	u32 rows; /* of busy */
	struct life *life; /* room for those of all copies of all values */
	int v1_only; /* operations of slot V1 alone */
};

u64 kernel_count(const struct kernel *k)
{
	u64 n = 1;

	for (int d = 0; d < k->dims; d++)
		n *= k->trips[d];
	return n;
}

/* ---- What orders operations ------------------------------------------------------------------ */

static void add_edge(struct body *b, int from, int to, u32 delay, u32 distance)
{
	b->edge[b->edges++] = (struct edge){ from, to, delay, distance };
}

static bool reads_reg(const struct mir_item *i, vreg v)
{
	return i->a == v || i->b == v || i->c == v || i->params == v;
}

static bool writes_same(const struct mir_item *x, const struct mir_item *y)
{
	return x->dst != VREG_NONE && x->dst == y->dst && x->dst_part == y->dst_part;
}

/* Bundles from @x to @y, which stands behind it in the same order; -1: the registers are others. */
static s64 register_delay(const struct body *b, const struct mir_item *x, const struct mir_item *y)
{
	u32 latency = rondo_latency(b->c->machine, x->op.op);

	if (x->dst != VREG_NONE && (reads_reg(y, x->dst) || writes_same(x, y)))
		return latency;
	return y->dst != VREG_NONE && reads_reg(x, y->dst) ? 0 : -1;
}

/* What an operation does to memory: sets of resources. */
enum { SRAM = 1, ACC = 2, WEIGHTS = 4 };

static u32 reads_of(u8 op)
{
	return (rondo_op_reads_sram(op) ? SRAM : 0) | (rondo_op_reads_acc(op) ? ACC : 0) |
	       (rondo_op_reads_weights(op) ? WEIGHTS : 0);
}

static u32 writes_of(u8 op)
{
	return (rondo_op_writes_sram(op) ? SRAM : 0) | (rondo_op_writes_acc(op) ? ACC : 0) |
	       (rondo_op_writes_weights(op) ? WEIGHTS : 0);
}

/* Elements of a segment of @x; its last one may be shorter. */
static u32 segment_of(const struct mir_item *x)
{
	u32 elements = rondo_elements(x->op.op, x->op.count);

	return x->ref.seg_len && x->ref.seg_len < elements ? x->ref.seg_len : elements;
}

static s64 block_bytes(const struct mir_item *x)
{
	return (s64)segment_of(x) * rondo_element_bytes(x->op.op);
}

/* Adds what moves a segment of @x, over all iterations of @k; @sign 1 or -1. */
static void add_moves(struct rondo_overlap *g, const struct kernel *k, const struct mir_item *x,
		      s64 sign)
{
	u32 elements = rondo_elements(x->op.op, x->op.count), segment = segment_of(x);

	for (int d = 0; d < k->dims; d++)
		rondo_overlap_add(g, sign * x->ref.stride[k->outer + d], 0, (u32)(k->trips[d] - 1));
	rondo_overlap_add(g, sign * x->ref.seg_stride, 0, (elements + segment - 1) / segment - 1);
	rondo_overlap_add(g, sign * x->ref.pitch, 0, rondo_element_rows(&x->op) - 1);
}

/* Whether @x and @y may touch one byte, in whatever iterations, in the same trips around. */
static bool may_meet(const struct kernel *k, const struct mir_item *x, const struct mir_item *y)
{
	struct rondo_overlap g;
	u32 nodes;

	/* Buffers never share bytes while both are in use. */
	if (x->ref.buf != y->ref.buf)
		return false;
	rondo_overlap_begin(&g, x->ref.offset, block_bytes(x), y->ref.offset, block_bytes(y));
	add_moves(&g, k, x, 1);
	add_moves(&g, k, y, -1);
	return rondo_overlap_possible(&g, &nodes);
}

/* Without SRAM, if what @x and @y touch of it is not the same. */
static u32 same_memory(const struct kernel *k, const struct mir_item *x, const struct mir_item *y,
		       u32 sets)
{
	return sets & SRAM && !may_meet(k, x, y) ? sets & ~SRAM : sets;
}

/*
 * What orders @x before @y: the memory that both touch and one of them writes, and bundles from one
 * to the other in *@delay, -1 if there is none.
 */
static u32 memory_order(const struct kernel *k, const struct mir_item *x, const struct mir_item *y,
			s64 *delay)
{
	u32 writes = writes_of(y->op.op);
	u32 written = same_memory(k, x, y, writes_of(x->op.op) & (reads_of(y->op.op) | writes));
	u32 read = same_memory(k, x, y, reads_of(x->op.op) & writes);

	*delay = written ? 1 : read ? 0 : -1;
	return written | read;
}

/* Whether @x and @y touch the same of @memory in each iteration, and in none other's. */
static bool same_place(const struct kernel *k, const struct mir_item *x, const struct mir_item *y,
		       u32 memory)
{
	struct mir_ref a = x->ref, b = y->ref;
	bool same = !(memory & WEIGHTS);

	for (int d = k->outer; d < k->outer + k->dims; d++) {
		same &= !(memory & SRAM) || a.stride[d];
		same &= !(memory & ACC) || a.row_stride[d];
	}
	if (memory & ACC)
		same &= x->op.row == y->op.row &&
			!memcmp(a.row_stride, b.row_stride, sizeof(a.row_stride));
	memset(a.row_stride, 0, sizeof(a.row_stride));
	memset(b.row_stride, 0, sizeof(b.row_stride));
	if (memory & SRAM)
		same &= !memcmp(&a, &b, sizeof(a)) && x->op.count == y->op.count;
	return same;
}

static void relate(struct body *b, int i, int j)
{
	const struct mir_item *x = &b->k->op[i], *y = &b->k->op[j];
	s64 delay = register_delay(b, x, y), memory;
	u32 shared = memory_order(b->k, x, y, &memory);

	if (b->k->paired && j - i == b->k->ops / 2)
		memory = -1;
	if (memory >= 0 && !same_place(b->k, x, y, shared))
		b->serial = true;
	if (memory > delay)
		delay = memory;
	if (delay >= 0)
		add_edge(b, i, j, (u32)delay, 0);
}

/* What one iteration hands to the next in @v, a register that does not change from copy to copy. */
static void relate_carried(struct body *b, vreg v)
{
	for (int i = 0; i < b->k->ops; i++) {
		const struct mir_item *x = &b->k->op[i];
		u32 latency = rondo_latency(b->c->machine, x->op.op);

		for (int j = 0; j <= i; j++) {
			const struct mir_item *y = &b->k->op[j];

			if (x->dst == v && (reads_reg(y, v) || writes_same(x, y)))
				add_edge(b, i, j, latency, 1);
			else if (y->dst == v && reads_reg(x, v))
				add_edge(b, i, j, 0, 1);
		}
	}
}

/* ---- Values ---------------------------------------------------------------------------------- */

static struct kernel_value *find_value(struct kernel_schedule *s, vreg v)
{
	for (int i = 0; i < s->values; i++) {
		if (s->value[i].v == v)
			return &s->value[i];
	}
	return NULL;
}

static void see_value(const struct body *b, struct kernel_schedule *s, vreg v, bool write)
{
	struct kernel_value *value;

	if (v == VREG_NONE)
		return;
	value = find_value(s, v);
	if (!value) {
		value = &s->value[s->values++];
		*value = (struct kernel_value){ .v = v, .copies = 1 };
		value->width = b->c->m->vreg_width[v];
		value->use = write ? b->c->written_first(b->c->arg, v) : USE_READ;
	} else if (write && value->use == USE_READ) {
		value->use = USE_CARRIED;
	}
}

static void find_values(const struct body *b, struct kernel_schedule *s)
{
	for (int i = 0; i < b->k->ops; i++) {
		const struct mir_item *op = &b->k->op[i];
		const vreg read[] = { op->a, op->b, op->c, op->params };

		for (int r = 0; r < 4; r++)
			see_value(b, s, read[r], false);
		see_value(b, s, op->dst, true);
	}
}

static void find_lives(const struct body *b, struct kernel_schedule *s)
{
	for (int v = 0; v < s->values; v++) {
		struct kernel_value *value = &s->value[v];
		bool seen = false;

		value->read = value->landed = 0;
		for (int i = 0; i < b->k->ops; i++) {
			const struct mir_item *op = &b->k->op[i];
			u32 at = b->at[i], landed = at + rondo_latency(b->c->machine, op->op.op);
			bool reads = reads_reg(op, value->v), writes = op->dst == value->v;

			if (!reads && !writes)
				continue;
			if (!seen || at < value->from)
				value->from = at;
			seen = true;
			if (reads && at > value->read)
				value->read = at;
			if (writes && landed > value->landed)
				value->landed = landed;
		}
		if (value->read < value->from)
			value->read = value->from;
	}
}

/* The next iteration may write a register in the bundle of its last read, or when it has landed. */
static u32 copies_needed(const struct kernel_value *v, u32 interval)
{
	u32 end = v->read > v->landed ? v->read : v->landed, life = end - v->from;

	return life ? (life + interval - 1) / interval : 1;
}

/* Whether @unroll copies come out even at the end of a row of the nest. */
static bool comes_out_even(const struct kernel *k, u32 unroll)
{
	u64 inner = k->trips[k->dims - 1];

	if (inner % unroll == 0)
		return true;
	return k->dims > 1 && unroll % inner == 0 && k->trips[k->dims - 2] % (unroll / inner) == 0;
}

static bool has_carried(const struct kernel_schedule *s)
{
	for (int v = 0; v < s->values; v++) {
		if (s->value[v].use == USE_CARRIED)
			return true;
	}
	return false;
}

/* How often to unroll for @most copies, or 0; *rest: innermost trips that are left over. */
static u32 choose_unroll(const struct kernel *k, const struct kernel_schedule *s, u32 most,
			 u64 *rest)
{
	u64 inner;

	*rest = 0;
	if (most <= 1)
		return 1;
	for (u32 u = most; u <= KERNEL_COPIES_MAX; u++) {
		if (comes_out_even(k, u))
			return u;
	}
	inner = k->trips[k->dims - 1];
	if (most > KERNEL_COPIES_MAX || inner < 2 * most || (k->dims > 1 && has_carried(s)))
		return 0;
	*rest = inner % most;
	return most;
}

/* How many registers each local value takes in turn; false: no unrolling serves them all. */
static bool find_copies(const struct body *b, struct kernel_schedule *s, u64 *rest)
{
	u32 most = 1;

	for (int v = 0; v < s->values; v++) {
		struct kernel_value *value = &s->value[v];

		value->copies = 1;
		if (value->use == USE_LOCAL && b->count > 1)
			value->copies = copies_needed(value, s->interval);
		most = value->copies > most ? value->copies : most;
	}
	s->unroll = choose_unroll(b->k, s, most, rest);
	for (int v = 0; v < s->values && s->unroll; v++) {
		while (s->unroll % s->value[v].copies)
			s->value[v].copies++;
	}
	return s->unroll;
}

static bool lives_meet(const struct life *a, const struct life *b, u32 circle)
{
	return (b->from + circle - a->from) % circle < a->bundles ||
	       (a->from + circle - b->from) % circle < b->bundles;
}

/* The life of turn @turn of @v; a result lives on. */
static struct life life_of(const struct kernel_schedule *s, const struct kernel_value *v, u32 turn,
			   int reg)
{
	u32 circle = s->unroll * s->interval, end = v->read > v->landed ? v->read : v->landed;
	struct life life = { reg, (v->from + turn * s->interval) % circle, end - v->from };

	if (v->use == USE_RESULT)
		life.bundles = circle;
	else if (!life.bundles)
		life.bundles = 1;
	return life;
}

/* Whether register @reg is free while copy @copy of @v lives, in all its turns. */
static bool may_share(const struct kernel_schedule *s, const struct kernel_value *v, u32 copy,
		      const struct life *life, int lives, int reg)
{
	if (s->reg[reg].width != v->width)
		return false;
	for (u32 turn = copy; turn < s->unroll; turn += v->copies) {
		const struct life mine = life_of(s, v, turn, reg);

		for (int i = 0; i < lives; i++) {
			if (life[i].reg == reg &&
			    lives_meet(&life[i], &mine, s->unroll * s->interval))
				return false;
		}
	}
	return true;
}

/* Gives copy @copy of @v the first register that is free for it. */
static bool take_register(struct kernel_schedule *s, struct kernel_value *v, u32 copy,
			  struct life *life, int *lives)
{
	u32 from = v->from + copy * s->interval;
	struct kernel_register *r;
	int reg = 0;

	while (reg < s->regs && !may_share(s, v, copy, life, *lives, reg))
		reg++;
	if (reg == RONDO_VREGS)
		return false;
	r = &s->reg[reg];
	if (reg == s->regs) {
		s->regs++;
		*r = (struct kernel_register){ .width = v->width, .from = from };
	}
	v->reg[copy] = reg;
	r->from = r->from < from ? r->from : from;
	r->read = r->read > v->read ? r->read : v->read;
	r->landed = r->landed > v->landed ? r->landed : v->landed;
	for (u32 turn = copy; turn < s->unroll; turn += v->copies)
		life[(*lives)++] = life_of(s, v, turn, reg);
	return true;
}

/* Gives local values and results their registers; whether @registers suffice. */
static bool fit_registers(const struct body *b, struct kernel_schedule *s, int registers, u64 *rest)
{
	int lives = 0, taken = 0;

	find_lives(b, s);
	s->regs = 0;
	if (!find_copies(b, s, rest))
		return false;
	for (int v = 0; v < s->values; v++) {
		struct kernel_value *value = &s->value[v];

		if (value->use != USE_LOCAL && value->use != USE_RESULT)
			continue;
		for (u32 copy = 0; copy < value->copies; copy++) {
			if (!take_register(s, value, copy, b->life, &lives))
				return false;
		}
	}
	for (int r = 0; r < s->regs; r++)
		taken += s->reg[r].width;
	return taken <= registers;
}

/* ---- Placing --------------------------------------------------------------------------------- */

/* A slot for @op in a bundle, or -1. V1 is kept for what no other slot takes. */
static int free_slot(u8 op, const u8 busy[RONDO_SLOTS_PER_BUNDLE], int v1_spare)
{
	u8 slots = rondo_ops[op].slots;

	for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		if (!(slots >> slot & 1) || busy[slot])
			continue;
		if (slot == RONDO_V1 && slots != RONDO_SLOTS_V1 && v1_spare <= 0)
			continue;
		return slot;
	}
	return -1;
}

/* Places every operation at @interval; false when one finds no slot or comes too late. */
static bool place(struct body *b, u32 interval)
{
	int v1_spare = (int)interval - b->v1_only;
	u32 *earliest = b->at;

	memset(b->busy, 0, interval * sizeof(*b->busy));
	memset(earliest, 0, b->k->ops * sizeof(*earliest));
	for (int i = 0, e = 0; i < b->k->ops; i++) {
		u8 op = b->k->op[i].op.op;
		u32 t = earliest[i], end = t + interval;
		int slot = -1;

		for (; t < end && slot < 0; t++)
			slot = free_slot(op, b->busy[t % interval], v1_spare);
		if (slot < 0)
			return false;
		b->at[i] = --t;
		b->slot[i] = slot;
		b->busy[t % interval][slot] = 1;
		v1_spare -= slot == RONDO_V1 && rondo_ops[op].slots != RONDO_SLOTS_V1;
		for (; e < b->edges && b->edge[e].from == i && !b->edge[e].distance; e++) {
			u32 to = t + b->edge[e].delay;

			if (earliest[b->edge[e].to] < to)
				earliest[b->edge[e].to] = to;
		}
	}
	for (int e = 0; e < b->edges && b->count > 1; e++) {
		const struct edge *edge = &b->edge[e];

		if (b->at[edge->from] + edge->delay > b->at[edge->to] + edge->distance * interval)
			return false;
	}
	return true;
}

/* The latest bundle in which operation @i still is in time for what depends on it. */
static s64 latest(const struct body *b, int i, u32 interval)
{
	s64 last = INT64_MAX;

	for (int e = 0; e < b->edges; e++) {
		const struct edge *edge = &b->edge[e];
		s64 t;

		if (edge->from != i || edge->to == i || (edge->distance && b->count == 1))
			continue;
		t = (s64)b->at[edge->to] + (s64)edge->distance * interval - edge->delay;
		if (t < last)
			last = t;
	}
	return last;
}

/* Moves what reads no register, loads above all, as late as its users allow. */
static void move_late(struct body *b, u32 interval)
{
	for (int i = b->k->ops - 1; i >= 0; i--) {
		const struct mir_item *op = &b->k->op[i];
		s64 last;

		if (op->dst == VREG_NONE || op->a != VREG_NONE || op->params != VREG_NONE)
			continue;
		last = latest(b, i, interval);
		if (last == INT64_MAX)
			continue;
		for (s64 t = last; t > b->at[i]; t--) {
			if (b->busy[t % interval][b->slot[i]])
				continue;
			b->busy[b->at[i] % interval][b->slot[i]] = 0;
			b->busy[t % interval][b->slot[i]] = 1;
			b->at[i] = (u32)t;
			break;
		}
	}
}

/* The least interval that the slots allow. */
static u32 least_interval(struct body *b)
{
	u32 n[RONDO_SLOTS_PER_BUNDLE] = { 0 }, most = 1;

	b->v1_only = 0;
	for (int i = 0; i < b->k->ops; i++) {
		u8 slots = rondo_ops[b->k->op[i].op.op].slots;

		b->v1_only += slots == RONDO_SLOTS_V1;
		for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			if (slots >> slot & 1) {
				n[slot]++;
				break; /* counted at the first of its slots */
			}
		}
	}
	n[RONDO_L0] = (n[RONDO_L0] + 1) / 2;
	n[RONDO_V0] = (n[RONDO_V0] + n[RONDO_V1] + 1) / 2;
	for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		most = n[slot] > most ? n[slot] : most;
	return most;
}

static bool try_interval(struct body *b, u32 interval, int registers, struct kernel_schedule *s,
			 u64 *rest)
{
	if (!place(b, interval))
		return false;
	move_late(b, interval);
	s->interval = interval;
	return fit_registers(b, s, registers, rest);
}

/* Bundles after which an iteration, by itself, has ended and all its results have landed. */
static u32 iteration_length(struct body *b)
{
	u32 end = 0;

	place(b, b->rows);
	for (int i = 0; i < b->k->ops; i++) {
		u32 latency = rondo_latency(b->c->machine, b->k->op[i].op.op);
		u32 landed = b->at[i] + (latency ? latency : 1);

		end = landed > end ? landed : end;
	}
	return end;
}

static bool allocate(struct body *b, struct kernel_schedule *s)
{
	struct arena *arena = b->c->arena;
	size_t ops = b->k->ops;

	b->rows = 1;
	for (size_t i = 0; i < ops; i++)
		b->rows += 1 + rondo_latency(b->c->machine, b->k->op[i].op.op);
	b->at = arena_alloc(arena, ops * sizeof(*b->at));
	b->slot = arena_alloc(arena, ops);
	b->busy = arena_alloc(arena, b->rows * sizeof(*b->busy));
	b->life = arena_alloc(arena, ops * KERNEL_COPIES_MAX * sizeof(*b->life));
	s->value = arena_alloc(arena, 5 * ops * sizeof(*s->value));
	return b->at && b->slot && b->busy && b->life && s->value;
}

/* Between all pairs, and once more for each value that is handed on. */
static bool allocate_edges(struct body *b, const struct kernel_schedule *s)
{
	size_t most = 1, pairs = (size_t)b->k->ops * b->k->ops;

	for (int v = 0; v < s->values; v++)
		most += s->value[v].use == USE_CARRIED || s->value[v].use == USE_RESULT;
	b->edge = arena_alloc(b->c->arena, pairs * most * sizeof(*b->edge));
	return b->edge;
}

int kernel_schedule(const struct kernel_context *c, struct kernel *k, int registers,
		    struct kernel_schedule *s, u64 *rest)
{
	struct body b = { .c = c, .k = k, .count = kernel_count(k) };
	u32 interval, longest;
	bool good = false;

	*s = (struct kernel_schedule){ .unroll = 1 };
	*rest = 0;
	if (!allocate(&b, s))
		return -ENOMEM;
	find_values(&b, s);
	if (!allocate_edges(&b, s))
		return -ENOMEM;
	for (int i = 0; i < k->ops; i++) {
		for (int j = i + 1; j < k->ops; j++)
			relate(&b, i, j);
	}
	for (int v = 0; v < s->values; v++) {
		if (s->value[v].use == USE_CARRIED || s->value[v].use == USE_RESULT)
			relate_carried(&b, s->value[v].v);
	}
	interval = least_interval(&b);
	longest = iteration_length(&b);
	if (b.count == 1 || b.serial || interval > longest)
		interval = longest;
	for (; interval < longest && !good; interval++)
		good = try_interval(&b, interval, registers, s, rest);
	if (!good)
		good = try_interval(&b, longest, registers, s, rest);
	if (!good)
		return -EAGAIN;
	if (*rest)
		k->trips[k->dims - 1] -= *rest;
	s->at = b.at;
	s->slot = b.slot;
	return 0;
}
