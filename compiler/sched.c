// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Schedule: operations into bundles.
 *
 * Straight-line blocks between loop boundaries, DMA and waits are list-scheduled: in order of
 * the longest path to the end, each operation in the first bundle where its operands have landed
 * and a slot that takes it is free. A block ends when all its results have landed, so that no
 * result is pending across a loop's edges. Its length is limited, since work grows with its square,
 * and the registers that it takes grow with it.
 */
#include <errno.h>
#include <string.h>

#include "compiler/backend.h"

enum {
	LOOP_TRIP_MAX = 1 << 14, /* of an operation that opens several loops */
	LOOP_BODY_MAX = 1 << 12,
	NEST_MAX = 3,
	ITEM_BUNDLES_MAX = 8, /* the longest latency on one tile: an item adds no more to a body */
};

/* An operation of the block being scheduled. */
struct sched_op {
	struct mir_item *item;
	int latency;
	int height; /* bundles from its issue to the end of the longest chain */
	int earliest, at; /* bundle of the block; at is -1 until it is issued */
	int waits_for; /* predecessors that are not issued */
};

struct block {
	struct sched_op *op;
	int ops, room;
	struct vliw *v;
	const struct rondo_machine *machine;
};

static struct vliw_bundle *fail(struct vliw *v, int code)
{
	if (!v->error)
		v->error = code;
	memset(&v->lost, 0, sizeof(v->lost));
	return &v->lost;
}

/* Room for one more of @size bytes in *@array; false when there is no memory. */
static bool grow(struct vliw *v, void **array, int used, int *room, size_t size)
{
	int more = *room ? *room * 2 : 64;
	void *bigger;

	if (used < *room)
		return true;
	bigger = arena_alloc(v->arena, more * size);
	if (!bigger) {
		fail(v, -ENOMEM);
		return false;
	}
	if (used)
		memcpy(bigger, *array, used * size);
	*array = bigger;
	*room = more;
	return true;
}

/* After an error a bundle that nobody reads. */
static struct vliw_bundle *new_bundle(struct vliw *v)
{
	if (v->bundles == RONDO_BUNDLES_MAX - 1) /* and one that halts */
		return fail(v, -EFBIG);
	if (!grow(v, (void **)&v->bundle, v->bundles, &v->bundle_room, sizeof(*v->bundle)))
		return fail(v, -ENOMEM);
	memset(&v->bundle[v->bundles], 0, sizeof(*v->bundle));
	return &v->bundle[v->bundles++];
}

/* What an operation does to memory: sets of resources. */
enum { SRAM = 1, ACC = 2, WEIGHTS = 4 };

static unsigned reads_of(const struct mir_item *i)
{
	u8 op = i->op.op;

	return (rondo_op_reads_sram(op) ? SRAM : 0) | (rondo_op_reads_acc(op) ? ACC : 0) |
	       (rondo_op_reads_weights(op) ? WEIGHTS : 0);
}

static unsigned writes_of(const struct mir_item *i)
{
	u8 op = i->op.op;

	return (rondo_op_writes_sram(op) ? SRAM : 0) | (rondo_op_writes_acc(op) ? ACC : 0) |
	       (rondo_op_writes_weights(op) ? WEIGHTS : 0);
}

/* Accesses to SRAM touch different bytes when their buffers differ. */
static unsigned common(const struct mir_item *a, const struct mir_item *b, unsigned sets)
{
	return a->ref.buf == b->ref.buf ? sets : sets & ~SRAM;
}

static bool reads_reg(const struct mir_item *i, vreg v)
{
	return i->a == v || i->b == v || i->c == v || i->params == v;
}

static bool same_dst(const struct mir_item *a, const struct mir_item *b)
{
	return a->dst == b->dst && a->dst_part == b->dst_part;
}

/*
 * Bundles that must lie between the issue of @a and of the later @b, or -1 if they are free.
 * Registers: a result may be touched when it has landed, and an operand may be overwritten by the
 * bundle that reads it. Memory: bundle order, and all reads of a bundle come before its writes.
 */
static int distance(const struct sched_op *a, const struct sched_op *b)
{
	const struct mir_item *x = a->item, *y = b->item;

	if (x->dst != VREG_NONE && (reads_reg(y, x->dst) || same_dst(x, y)))
		return a->latency;
	if (common(x, y, writes_of(x) & (reads_of(y) | writes_of(y))))
		return 1;
	if (y->dst != VREG_NONE && reads_reg(x, y->dst))
		return 0;
	if (common(x, y, reads_of(x) & writes_of(y)))
		return 0;
	return -1;
}

static void find_heights(struct block *s)
{
	int i, j, d;

	for (i = s->ops - 1; i >= 0; i--) {
		s->op[i].height = s->op[i].latency ? s->op[i].latency : 1;
		for (j = i + 1; j < s->ops; j++) {
			d = distance(&s->op[i], &s->op[j]);
			if (d < 0)
				continue;
			s->op[j].waits_for++;
			if (s->op[i].height < d + s->op[j].height)
				s->op[i].height = d + s->op[j].height;
		}
	}
}

/* A free slot of @b that takes @op, or -1. */
static int free_slot(const struct vliw_bundle *b, u8 op)
{
	int slot;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		if (rondo_ops[op].slots >> slot & 1 && !b->slot[slot])
			return slot;
	return -1;
}

/* The ready operation with the longest way to go that fits in the bundle, or -1. */
static int pick(const struct block *s, const struct vliw_bundle *b, int now)
{
	int i, best = -1;

	for (i = 0; i < s->ops; i++) {
		const struct sched_op *op = &s->op[i];

		if (op->at >= 0 || op->waits_for || op->earliest > now)
			continue;
		if ((best < 0 || op->height > s->op[best].height) &&
		    free_slot(b, op->item->op.op) >= 0)
			best = i;
	}
	return best;
}

static void issue(struct block *s, int i, int now, struct vliw_bundle *b)
{
	int j, d;

	b->slot[free_slot(b, s->op[i].item->op.op)] = s->op[i].item;
	s->op[i].at = now;
	for (j = i + 1; j < s->ops; j++) {
		d = distance(&s->op[i], &s->op[j]);
		if (d < 0)
			continue;
		s->op[j].waits_for--;
		if (s->op[j].earliest < now + d)
			s->op[j].earliest = now + d;
	}
}

static void schedule_block(struct block *s)
{
	int first = s->v->bundles, left = s->ops, end = 0, now, i;

	find_heights(s);
	for (now = 0; left; now++) {
		struct vliw_bundle *b = new_bundle(s->v);

		while ((i = pick(s, b, now)) >= 0) {
			issue(s, i, now, b);
			left--;
			if (end < now + s->op[i].latency)
				end = now + s->op[i].latency;
		}
	}
	while (s->v->bundles - first < end && !s->v->error)
		new_bundle(s->v);
	s->ops = 0;
}

static void add_op(struct block *s, struct mir_item *item)
{
	if (!grow(s->v, (void **)&s->op, s->ops, &s->room, sizeof(*s->op)))
		return;
	s->op[s->ops++] = (struct sched_op){
		.item = item,
		.latency = rondo_latency(s->machine, item->op.op),
		.at = -1,
	};
}

/*
 * How many loops from item @i on one operation can open: perfectly nested, trips within the format,
 * and a body that is sure to fit.
 */
static int nest_at(const struct mir *m, int i)
{
	int nest = 1, end = mir_loop_end(m, i);

	if (m->item[i].trip > LOOP_TRIP_MAX || (end - i) * ITEM_BUNDLES_MAX > LOOP_BODY_MAX)
		return 1;
	while (nest < NEST_MAX && m->item[i + nest].kind == MIR_LOOP &&
	       m->item[i + nest].trip <= LOOP_TRIP_MAX && mir_loop_end(m, i + nest) == end - nest)
		nest++;
	return nest;
}

static void open_region(struct vliw *v, const struct mir_item *item)
{
	if (v->error ||
	    !grow(v, (void **)&v->region, v->regions, &v->region_room, sizeof(*v->region)))
		return;
	v->region[v->regions++] = (struct vliw_region){
		.name = item->name,
		.node = item->node,
		.first = v->bundles,
	};
}

const struct node *vliw_node_of(const struct vliw *v, int b)
{
	int i = v->regions - 1;

	while (i >= 0 && b < v->region[i].first)
		i--;
	return i < 0 ? NULL : v->region[i].node;
}

static void close_region(struct vliw *v)
{
	if (v->regions && !v->error)
		v->region[v->regions - 1].count = v->bundles - v->region[v->regions - 1].first;
}

/* Loops that are open while scheduling: where their operation is, and how many it opens. */
struct open_loop {
	int bundle, nest;
};

static int open_loops(struct vliw *v, const struct mir *m, int i, struct open_loop *open)
{
	struct vliw_bundle *b = new_bundle(v);
	int n;

	b->nest = nest_at(m, i);
	for (n = 0; n < NEST_MAX; n++)
		b->trip[n] = n < b->nest ? m->item[i + n].trip : 1;
	*open = (struct open_loop){ v->bundles - 1, b->nest };
	return b->nest;
}

static void close_loops(struct vliw *v, const struct open_loop *open)
{
	if (v->error)
		return;
	v->bundle[open->bundle].body = v->bundles - open->bundle - 1;
}

int schedule(struct vliw *v, struct mir *m, const struct rondo_machine *machine,
	     struct arena *arena, int block_max)
{
	struct block s = { .v = v, .machine = machine };
	struct open_loop open[RONDO_LOOP_DEPTH];
	int i, opens = 0;

	*v = (struct vliw){ .arena = arena };
	for (i = 0; i < m->items && !v->error; i++) {
		struct mir_item *item = &m->item[i];

		if (item->kind == MIR_OP) {
			if (s.ops == block_max)
				schedule_block(&s);
			add_op(&s, item);
			continue;
		}
		schedule_block(&s);
		switch (item->kind) {
		case MIR_LOOP:
			i += open_loops(v, m, i, &open[opens++]) - 1;
			break;
		case MIR_END:
			close_loops(v, &open[--opens]);
			i += open[opens].nest - 1;
			break;
		case MIR_NODE:
			close_region(v);
			open_region(v, item);
			break;
		default:
			new_bundle(v)->slot[RONDO_C] = item;
			break;
		}
	}
	schedule_block(&s);
	close_region(v);
	return v->error;
}
