// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Placing kernels and transfers in time: see stream.h.
 *
 * Kernels are taken in the order of the machine IR. Each is modulo scheduled by itself, and begins
 * at the first bundle where nothing that it needs is still missing: its slots, what it reads, the
 * places that it writes, registers. What is known of each of them is the bundle from which it may
 * be had: for a slot, an accumulator row, a weight row, a register; for SRAM, of ranges of bytes.
 */
#include "compiler/stream_builder.h"
#include "core/affine.h"

#include <errno.h>
#include <stdlib.h>

enum {
	STRAIGHT_MAX = 64, /* operations of straight-line code that are scheduled together */
	OPENING_MAX = RONDO_DMA_CHANNELS * RONDO_DMA_OUTSTANDING, /* transfers that are under way */
};

u64 stream_run_count(const struct stream_run *r)
{
	u64 n = 1;

	for (int d = 0; d < r->dims; d++)
		n *= r->dim[d].trips;
	return n;
}

void stream_run_at(const struct stream_run *r, u64 p, s64 *address, s64 *row)
{
	*address = r->address;
	*row = r->row;
	for (int d = r->dims - 1; d >= 0; d--) {
		s64 digit = (s64)(p % r->dim[d].trips);

		p /= r->dim[d].trips;
		*address += digit * r->dim[d].stride;
		*row += digit * r->dim[d].row_stride;
	}
}

int stream_fail(struct builder *b, int code)
{
	if (!b->error)
		b->error = code;
	return b->error;
}

bool stream_grow(struct builder *b, void **array, int used, int *room, size_t size)
{
	void *bigger;

	if (used < *room)
		return true;
	bigger = arena_grow(graph_arena(b->l->g), *array, *room * size, (*room * 2 + 64) * size);
	if (!bigger) {
		stream_fail(b, -ENOMEM);
		return false;
	}
	*array = bigger;
	*room = *room * 2 + 64;
	return true;
}

/* ---- Streams --------------------------------------------------------------------------------- */

static bool open_stream(struct builder *b)
{
	struct stream *s = graph_alloc(b->l->g, sizeof(*s));

	if (!s)
		return stream_fail(b, -ENOMEM), false;
	*b->end = s;
	b->end = &s->next;
	b->stream = s;
	b->number++;
	b->busy_until = 0;
	b->starts = b->needs = 0;
	b->start_at = NULL;
	b->need = NULL;
	b->start_room = b->need_room = 0;
	memset(b->slot, 0, sizeof(b->slot));
	memset(b->acc, 0, b->l->machine->acc_rows * sizeof(*b->acc));
	memset(b->weights, 0, sizeof(b->weights));
	memset(b->reg, 0, sizeof(b->reg));
	sram_map_restart(&b->sram);
	sram_map_restart(&b->slots);
	if (!b->outer)
		stream_start_early(b);
	return !b->error;
}

struct stream_run *stream_new_run(struct builder *b)
{
	struct stream *s = b->stream;

	if (!stream_grow(b, (void **)&s->run, s->runs, &s->run_room, sizeof(*s->run)))
		return NULL;
	s->run[s->runs] = (struct stream_run){ .transfer = -1, .period = 1 };
	return &s->run[s->runs++];
}

/* The region of the node that is placed begins at @at, unless it has begun. */
static void mark(struct builder *b, u64 at)
{
	struct stream *s = b->stream;

	if (b->marked || !b->node)
		return;
	b->marked = true;
	if (!stream_grow(b, (void **)&s->mark, s->marks, &s->mark_room, sizeof(*s->mark)))
		return;
	if (s->marks)
		at = max_of(at, s->mark[s->marks - 1].at);
	s->mark[s->marks++] = (struct stream_mark){ at, b->node->name, b->node->node };
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/*
 * Whether an operation of the kernel is more than a preparation: its node's region begins there. A
 * kernel that stores one register all the time fills what is beside the elements.
 */
static bool is_work(const struct kernel *k)
{
	if (k->ops == 1 && k->op->op.op == RONDO_OP_st_w)
		return false;
	for (int i = 0; i < k->ops; i++) {
		if (rondo_ops[k->op[i].op.op].slots & (RONDO_SLOTS_S | RONDO_SLOTS_M))
			return true;
	}
	return false;
}

static void find_start(struct builder *b, struct placing *p)
{
	u64 start = 0;

	stream_wait_registers(b, p, &start);
	stream_wait_slots(b, p, &start);
	stream_wait_memory(b, p, &start);
	stream_wait_slots(b, p, &start);
	p->start = start;
}

/* Finds registers for the kernel, and puts its start off until there are such, and slots. */
static int find_registers(struct builder *b, struct placing *p, reg_numbers reg)
{
	u64 was;
	int rc;

	do {
		was = p->start;
		rc = stream_find_registers(b, p, reg);
		stream_wait_slots(b, p, &p->start);
	} while (!rc && p->start != was);
	return rc;
}

static int commit(struct builder *b, struct placing *p, const reg_numbers reg)
{
	if (is_work(p->k))
		mark(b, p->start);
	stream_take_slots(b, p);
	stream_take_memory(b, p);
	stream_take_registers(b, p, reg);
	stream_add_runs(b, p, reg);
	return b->sram.failed || b->slots.failed ? stream_fail(b, -ENOMEM) : b->error;
}

/*
 * Places the kernel, for which @registers may be used. -EAGAIN: they do not suffice. *rest as of
 * kernel_schedule().
 */
static int try_kernel(struct builder *b, struct placing *p, struct kernel *k, int registers,
		      u64 *rest)
{
	const struct kernel_context context = { .m = &b->l->mir,
						.machine = b->l->machine,
						.arena = &b->scratch,
						.written_first = stream_written_first,
						.arg = p };
	struct kernel_schedule s;
	reg_numbers reg;
	int rc = kernel_schedule(&context, k, registers, &s, rest);

	if (rc)
		return rc;
	p->k = k;
	p->s = &s;
	p->count = kernel_count(k);
	find_start(b, p);
	rc = find_registers(b, p, reg);
	if (rc == -EAGAIN && *rest)
		k->trips[k->dims - 1] += *rest;
	return rc ? rc : commit(b, p, reg);
}

static int count_bits(u64 set)
{
	int n = 0;

	for (; set; set &= set - 1)
		n++;
	return n;
}

/* Places the kernel with as many registers as there are, or fewer if they are too scattered. */
static int place_once(struct builder *b, struct placing *p, struct kernel *k, u64 *rest)
{
	int rc = -EAGAIN;

	for (int n = RONDO_VREGS - count_bits(b->held); n >= 0 && rc == -EAGAIN; n -= 1 + n / 4) {
		rc = try_kernel(b, p, k, n, rest);
		arena_reset(&b->scratch);
	}
	return rc;
}

/* Moves the kernel's operations by @by trips of its innermost loop: those are done already. */
static int shift_ops(struct builder *b, struct kernel *k, u64 by)
{
	struct mir_item *op = graph_alloc(b->l->g, k->ops * sizeof(*op));
	int d = k->outer + k->dims - 1;

	if (!op)
		return stream_fail(b, -ENOMEM);
	for (int i = 0; i < k->ops; i++) {
		op[i] = k->op[i];
		op[i].ref.offset += (s64)by * op[i].ref.stride[d];
		op[i].op.row += (u16)(by * op[i].ref.row_stride[d]);
	}
	k->op = op;
	return 0;
}

/* Places all of @k: innermost trips that its unrolled copies leave over are another kernel. */
static int place_parts(struct builder *b, struct kernel k, int first_item, int end_item)
{
	struct placing p = { .b = b, .first_item = first_item, .end_item = end_item };
	u64 rest = 1;
	int rc = 0;

	while (rest && !rc) {
		struct kernel part = k;

		rc = place_once(b, &p, &part, &rest);
		if (rc || !rest)
			break;
		rc = shift_ops(b, &k, k.trips[k.dims - 1] - rest);
		k.trips[k.dims - 1] = rest;
		k.dims -= rest == 1;
	}
	return rc;
}

static int place_kernel(struct builder *b, struct kernel k, int first_item, int end_item)
{
	struct kernel rest;
	int rc = stream_pair(b, &k, first_item, end_item, &rest);

	if (!rc)
		rc = place_parts(b, k, first_item, end_item);
	if (!rc && rest.ops)
		rc = place_parts(b, rest, first_item, end_item);
	if (!rc)
		stream_release_registers(b, k.op, k.ops, end_item);
	return rc;
}

/*
 * How many of the @ops operations from item @first on are scheduled together: all of them, or, if
 * none needs another, those that make the first one's registers. But where they may stop everything
 * for a transfer, they do that together.
 */
static int count_together(const struct builder *b, int first, int ops)
{
	const struct mir_item *op = &b->l->mir.item[first];
	int n = 1;

	for (int i = 0; i < ops; i++) {
		if (!b->t->early || op[i].dst == VREG_NONE || op[i].a != VREG_NONE ||
		    op[i].params != VREG_NONE)
			return ops;
	}
	while (n < ops && op[n].dst == op->dst)
		n++;
	return n;
}

/* Straight-line code from item @first on: in two halves if there are too few registers for it. */
static int place_straight(struct builder *b, int first, int ops)
{
	struct kernel k = { .op = &b->l->mir.item[first], .ops = ops, .outer = b->outer };
	int rc = place_kernel(b, k, first, first + ops);

	if (rc != -EAGAIN || ops == 1)
		return rc;
	rc = place_straight(b, first, ops / 2);
	return rc ? rc : place_straight(b, first + ops / 2, ops - ops / 2);
}

/* ---- Items ----------------------------------------------------------------------------------- */

/* The kernel that the loops from item @i on are; false: they are a repetition. */
static bool kernel_at(const struct builder *b, int i, struct kernel *k)
{
	const struct mir_item *item = b->l->mir.item;
	int end;

	*k = (struct kernel){ .outer = b->outer };
	for (; item[i].kind == MIR_LOOP; i++)
		k->trips[k->dims++] = item[i].trip;
	k->op = &item[i];
	for (end = i; item[end].kind == MIR_OP; end++)
		k->ops++;
	for (int d = 0; d < k->dims; d++) {
		if (item[end + d].kind != MIR_END)
			return false;
	}
	return true;
}

/* Ends the flat stream with nothing in flight. */
static void close_stream(struct builder *b)
{
	stream_put_off_early(b);
	stream_resolve(b);
	if (b->stream->begins_alone)
		b->busy_until = max_of(b->busy_until, 1);
	b->busy_until += b->stream->ends_alone;
	b->stream->length = b->busy_until;
	b->elapsed += b->busy_until;
}

static int place_items(struct builder *b, int i, int end);

/* Whether a trip of the loop of tiles at item @i, which ends at @end, is one stream. */
static bool is_flat_trip(const struct builder *b, int i, int end)
{
	const struct mir *m = &b->l->mir;
	struct kernel k;

	for (i++; i < end; i++) {
		if (m->item[i].kind != MIR_LOOP)
			continue;
		if (!kernel_at(b, i, &k))
			return false;
		i = mir_loop_end(m, i);
	}
	return true;
}

static int place_repetition(struct builder *b, int i, int end)
{
	bool tiles = b->l->mir.item[i].tiles, carries = tiles && is_flat_trip(b, i, end);
	struct stream *s, **after;
	u64 before;
	int rc, number;

	stream_end_transfers(b, i, end);
	b->stream->ends_alone = tiles;
	close_stream(b);
	s = graph_alloc(b->l->g, sizeof(*s));
	if (!s)
		return stream_fail(b, -ENOMEM);
	before = b->elapsed;
	s->trips = b->outer_trips[b->outer++] = b->l->mir.item[i].trip;
	*b->end = s;
	after = &s->next;
	b->end = &s->body;
	if (!open_stream(b))
		return b->error;
	number = b->number;
	if (carries)
		stream_carry(b, i + 1, end);
	rc = place_items(b, i + 1, end);
	if (rc)
		return rc;
	if (tiles && !carries)
		stream_settle(b);
	close_stream(b);
	b->elapsed = before + (b->elapsed - before) * s->trips;
	b->outer--;
	b->end = after;
	if (!open_stream(b))
		return b->error;
	b->stream->begins_alone = tiles;
	if (carries)
		stream_end_carry(b, number);
	stream_release_registers(b, &b->l->mir.item[i], end - i, end + 1);
	return 0;
}

static int place_items(struct builder *b, int i, int end)
{
	const struct mir *m = &b->l->mir;
	int rc = 0, ops;

	while (i < end && !rc) {
		struct kernel k;

		switch (m->item[i].kind) {
		case MIR_NODE:
			b->node = &m->item[i++];
			b->marked = false;
			break;
		case MIR_STEP:
			i++;
			break;
		case MIR_SEND:
		case MIR_FETCH:
			if (m->item[i].group == MIR_NO_GROUP)
				stream_send(b, m->item[i].ref.buf);
			else
				stream_fetch(b, m->item[i].group);
			i++;
			rc = b->error;
			break;
		case MIR_LOOP:
			if (kernel_at(b, i, &k))
				rc = place_kernel(b, k, i, mir_loop_end(m, i) + 1);
			else
				rc = place_repetition(b, i, mir_loop_end(m, i));
			i = mir_loop_end(m, i) + 1;
			break;
		default:
			for (ops = 0; ops < STRAIGHT_MAX && i + ops < end; ops++) {
				if (m->item[i + ops].kind != MIR_OP)
					break;
			}
			ops = count_together(b, i, ops);
			rc = place_straight(b, i, ops);
			i += ops;
			break;
		}
	}
	return rc;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/*
 * Starts what brings the first weights before all else: they are a little, and loaded row by row
 * while an input, which is much, comes in. If their buffer lives from the first step on, nobody
 * else touches its bytes before.
 */
static void start_weights(struct builder *b)
{
	const struct mir *m = &b->l->mir;
	const struct mir_item *op;
	struct rondo_entry entry;
	struct rondo_access access;
	struct rondo_hull hull;
	int i = 0, depth = 0;

	for (; i < m->items; i++) {
		if (m->item[i].kind == MIR_OP && rondo_op_writes_weights(m->item[i].op.op))
			break;
		depth += (m->item[i].kind == MIR_LOOP) - (m->item[i].kind == MIR_END);
	}
	op = &m->item[i];
	if (b->t->early || i == m->items || m->buf[op->ref.buf].kind != MIR_BUF_CONST ||
	    m->buf[op->ref.buf].first > 1)
		return;
	access = mir_access(op, &entry);
	hull = rondo_access_hull(&access);
	for (int d = depth - 1; d >= 0 && m->item[--i].kind == MIR_LOOP; d--)
		rondo_hull_extend(&hull, op->ref.stride[d], (u32)m->item[i].trip - 1);
	stream_wish(b, op->ref.buf, (u64)(op->ref.offset + hull.lo),
		    (u64)(op->ref.offset + hull.hi), 0);
	stream_start_wishes(b);
}

static int prepare(struct builder *b)
{
	struct graph *g = b->l->g;
	int transfers = b->t->count + 1;

	b->acc = graph_alloc(g, b->l->machine->acc_rows * sizeof(*b->acc));
	b->vregs = b->vreg_room = b->l->mir.vregs;
	b->vreg = graph_alloc(g, (b->l->mir.vregs + 1) * sizeof(*b->vreg));
	b->started = graph_alloc(g, transfers * sizeof(*b->started));
	if (!b->acc || !b->vreg || !b->started)
		return g->err->code;
	for (u32 ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		b->order[ch] = graph_alloc(g, transfers * sizeof(*b->order[ch]));
		if (!b->order[ch])
			return g->err->code;
	}
	for (int i = 0; i < transfers; i++)
		b->started[i] = (struct started){
			.number = -1, .wanted = NEVER, .needed = NEVER, .waits = -1, .carried = -1
		};
	for (int i = b->t->early; i < b->t->count && b->opening < OPENING_MAX; i++)
		b->opening += b->t->at[i].dir == RONDO_DMA_IN;
	sram_map_init(&b->sram, graph_arena(g), b->l->machine->sram_bytes);
	sram_map_init(&b->slots, graph_arena(g), RONDO_PROGRAM_SLOTS_MAX * RONDO_SLOT_BYTES_MAX);
	stream_find_lives(b);
	return 0;
}

/* What comes in and is not used by now never is. */
static void send_outputs(struct builder *b)
{
	static const struct mir_item outputs = { .kind = MIR_NODE, .name = "outputs" };

	b->node = &outputs;
	b->marked = false;
	for (int i = b->t->outputs; i < b->t->count && !b->error; i++) {
		const struct transfer *x = &b->t->at[i];

		stream_wish(b, x->buf, x->offset, x->offset + x->bytes, b->busy_until);
		stream_start_wishes(b);
		stream_start(b, i);
		mark(b, b->started[i].at);
	}
}

/* Says what went wrong at the node being placed. */
static int explain(const struct builder *b, int rc)
{
	const struct node *n = b->node ? b->node->node : NULL;

	if (b->l->g->err->code)
		return b->l->g->err->code;
	if (rc == -EAGAIN)
		return node_fail(b->l->g, n, -EFBIG,
				 "it needs more than the %d registers of the machine", RONDO_VREGS);
	return node_fail(b->l->g, n, -ENOMEM, "no memory");
}

int stream_make(struct lowering *l, const struct transfer_list *t, struct stream **out)
{
	static const struct mir_item inputs = { .kind = MIR_NODE, .name = "inputs" };
	struct builder b = { .l = l, .t = t, .end = out, .node = &inputs, .number = -1 };
	int rc;

	b.scratch.stop = l->g->arena.stop;
	rc = prepare(&b);

	*out = NULL;
	if (!rc && !open_stream(&b))
		rc = b.error;
	if (!rc) {
		mark(&b, 0);
		start_weights(&b);
		rc = place_items(&b, 0, l->mir.items);
	}
	if (!rc) {
		send_outputs(&b);
		close_stream(&b);
		rc = b.error;
	}
	arena_free(&b.scratch);
	return rc ? explain(&b, rc) : 0;
}
