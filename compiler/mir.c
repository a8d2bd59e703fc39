// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/mir.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void mir_init(struct mir *m, struct arena *arena)
{
	*m = (struct mir){ .arena = arena };
}

static void fail(struct mir *m, int code)
{
	if (!m->error)
		m->error = code;
}

/* Room for one more of @size bytes in *@array; false, and the error is recorded: there is none. */
static bool grow(struct mir *m, void **array, int used, int *room, size_t size)
{
	int more = *room ? *room * 2 : 64;
	void *bigger;

	if (used < *room)
		return true;
	bigger = arena_grow(m->arena, *array, *room * size, more * size);
	if (!bigger) {
		fail(m, -ENOMEM);
		return false;
	}
	*array = bigger;
	*room = more;
	return true;
}

mir_buf mir_buffer(struct mir *m, enum mir_buf_kind kind, const char *name, u64 bytes)
{
	if (!grow(m, (void **)&m->buf, m->bufs, &m->buf_room, sizeof(*m->buf)))
		return MIR_NO_BUF;
	m->buf[m->bufs] = (struct mir_buffer){ .name = name, .kind = kind, .bytes = bytes };
	m->buf[m->bufs].ahead = kind == MIR_BUF_CONST;
	return m->bufs++;
}

static vreg new_vreg(struct mir *m, int width)
{
	if (!grow(m, (void **)&m->vreg_width, m->vregs, &m->vreg_room, 1))
		return VREG_NONE;
	m->vreg_width[m->vregs] = width;
	return m->vregs++;
}

vreg mir_vreg(struct mir *m)
{
	return new_vreg(m, 1);
}

vreg mir_vreg3(struct mir *m)
{
	return new_vreg(m, 3);
}

/* The place of a new item; one that nobody reads when there can be no more. */
static struct mir_item *new_item(struct mir *m)
{
	if (m->items == MIR_ITEMS_MAX)
		fail(m, -EFBIG);
	else if (grow(m, (void **)&m->item, m->items, &m->item_room, sizeof(*m->item)))
		return &m->item[m->items++];
	return &m->lost;
}

struct mir_item *mir_append(struct mir *m, enum mir_kind kind)
{
	struct mir_item *item = new_item(m);

	*item = (struct mir_item){
		.kind = kind,
		.dst = VREG_NONE,
		.a = VREG_NONE,
		.b = VREG_NONE,
		.c = VREG_NONE,
		.params = VREG_NONE,
		.ref.buf = MIR_NO_BUF,
		.group = MIR_NO_GROUP,
	};
	return item;
}

int mir_loop(struct mir *m, u64 trip)
{
	int depth = m->depth++;

	mir_append(m, MIR_LOOP)->trip = trip;
	if (depth < RONDO_LOOP_DEPTH)
		return depth;
	fail(m, -E2BIG);
	return RONDO_LOOP_DEPTH - 1;
}

int mir_tile_loop(struct mir *m, u64 trip)
{
	int at = m->items, depth = mir_loop(m, trip);

	if (at < m->items)
		m->item[at].tiles = true;
	return depth;
}

void mir_end(struct mir *m)
{
	mir_append(m, MIR_END);
	m->depth--;
}

int mir_loop_end(const struct mir *m, int i)
{
	int depth = 0;

	for (;; i++) {
		depth += m->item[i].kind == MIR_LOOP;
		depth -= m->item[i].kind == MIR_END;
		if (!depth)
			return i;
	}
}

void mir_node(struct mir *m, const char *name, const struct node *node)
{
	struct mir_item *item = mir_append(m, MIR_NODE);

	item->name = name;
	item->node = node;
}

void mir_step(struct mir *m)
{
	mir_append(m, MIR_STEP);
}

const struct node *mir_node_of(const struct mir *m, int i)
{
	while (i >= 0 && m->item[i].kind != MIR_NODE)
		i--;
	return i < 0 ? NULL : m->item[i].node;
}

const struct node *mir_user_of(const struct mir *m, mir_buf b)
{
	for (int i = 0; i < m->items; i++) {
		if (m->item[i].kind == MIR_OP && m->item[i].ref.buf == b)
			return mir_node_of(m, i);
	}
	return NULL;
}

const struct node *mir_last_user_of(const struct mir *m, mir_buf b)
{
	for (int i = m->items - 1; i >= 0; i--) {
		if (m->item[i].kind == MIR_OP && m->item[i].ref.buf == b)
			return mir_node_of(m, i);
	}
	return NULL;
}

struct mir_item *mir_op(struct mir *m, enum rondo_opcode opcode)
{
	struct mir_item *item = mir_append(m, MIR_OP);

	item->op.op = opcode;
	return item;
}

struct mir_ref mir_ref(mir_buf buf, s64 offset)
{
	return (struct mir_ref){ .buf = buf, .offset = offset };
}

vreg mir_v3(struct mir *m, enum rondo_opcode op, vreg a, vreg b, vreg c)
{
	struct mir_item *item = mir_op(m, op);

	item->a = a;
	item->b = b;
	item->c = c;
	return item->dst = mir_vreg(m);
}

vreg mir_v2(struct mir *m, enum rondo_opcode op, vreg a, vreg b)
{
	return mir_v3(m, op, a, b, VREG_NONE);
}

vreg mir_v1(struct mir *m, enum rondo_opcode op, vreg a)
{
	return mir_v3(m, op, a, VREG_NONE, VREG_NONE);
}

vreg mir_v0(struct mir *m, enum rondo_opcode op)
{
	return mir_v3(m, op, VREG_NONE, VREG_NONE, VREG_NONE);
}

vreg mir_movi(struct mir *m, s32 imm)
{
	struct mir_item *item = mir_op(m, RONDO_OP_movi);

	item->op.imm = imm;
	return item->dst = mir_vreg(m);
}

vreg mir_requantise_left(struct mir *m, enum rondo_opcode op, vreg a, int left, vreg params)
{
	struct mir_item *item = mir_op(m, op);

	item->op.shift = (u8)left;
	item->a = a;
	item->params = params;
	return item->dst = mir_vreg(m);
}

vreg mir_requantise(struct mir *m, enum rondo_opcode op, vreg a, vreg params)
{
	return mir_requantise_left(m, op, a, 0, params);
}

void mir_v2_into(struct mir *m, vreg dst, enum rondo_opcode op, vreg a, vreg b)
{
	struct mir_item *item = mir_op(m, op);

	item->dst = dst;
	item->a = a;
	item->b = b;
}

void mir_v3_into(struct mir *m, vreg dst, enum rondo_opcode op, vreg a, vreg b, vreg c)
{
	struct mir_item *item = mir_op(m, op);

	item->dst = dst;
	item->a = a;
	item->b = b;
	item->c = c;
}

void mir_load_part(struct mir *m, vreg dst, int part, enum rondo_opcode op, struct mir_ref ref,
		   int count)
{
	struct mir_item *item = mir_op(m, op);

	item->dst = dst;
	item->dst_part = part;
	item->ref = ref;
	item->op.count = count;
}

vreg mir_load(struct mir *m, enum rondo_opcode op, struct mir_ref ref, int count)
{
	vreg dst = mir_vreg(m);

	mir_load_part(m, dst, 0, op, ref, count);
	return dst;
}

/* The store that requantises as @item does and then stores as @op; NOP: there is none. */
static enum rondo_opcode requantising(const struct mir_item *item, enum rondo_opcode op)
{
	static const struct {
		enum rondo_opcode requantise, store, both;
	} stores[] = {
		{ RONDO_OP_rq_fix_s8, RONDO_OP_st_s8, RONDO_OP_strq_fix_s8 },
		{ RONDO_OP_rq_fix_u8, RONDO_OP_st_u8, RONDO_OP_strq_fix_u8 },
		{ RONDO_OP_rq_flt_s8, RONDO_OP_st_s8, RONDO_OP_strq_flt_s8 },
		{ RONDO_OP_rq_flt_u8, RONDO_OP_st_u8, RONDO_OP_strq_flt_u8 },
		{ RONDO_OP_rq_f32, RONDO_OP_st_w, RONDO_OP_strq_f32 },
	};

	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++) {
		if (stores[i].requantise == item->op.op && stores[i].store == op)
			return stores[i].both;
	}
	return RONDO_OP_NOP;
}

/* The last operation as a store, if it requantises @a and nothing more; else a new one. */
static struct mir_item *store_item(struct mir *m, enum rondo_opcode op, vreg a)
{
	struct mir_item *last = m->items ? &m->item[m->items - 1] : NULL;

	if (last && last->kind == MIR_OP && last->dst == a && !last->op.shift &&
	    requantising(last, op)) {
		last->op.op = requantising(last, op);
		last->dst = VREG_NONE;
		return last;
	}
	last = mir_op(m, op);
	last->a = a;
	return last;
}

void mir_store_as(struct mir *m, enum rondo_opcode op, vreg a, struct mir_ref ref, int count)
{
	struct mir_item *item = store_item(m, op, a);

	item->ref = ref;
	item->op.count = count;
}

void mir_store_lanes(struct mir *m, vreg a, struct mir_ref ref, int lane, int count)
{
	struct mir_item *item = store_item(m, RONDO_OP_st_w, a);

	item->ref = ref;
	item->op.lane = (u8)lane;
	item->op.count = (u8)count;
}

void mir_store(struct mir *m, vreg a, struct mir_ref ref, int count)
{
	mir_store_as(m, RONDO_OP_st_w, a, ref, count);
}

struct rondo_access mir_access(const struct mir_item *item, struct rondo_entry *entry)
{
	*entry = (struct rondo_entry){ .seg_len = item->ref.seg_len,
				       .seg_stride = item->ref.seg_stride,
				       .pitch = item->ref.pitch };
	return (struct rondo_access){ entry, 0, rondo_element_bytes(item->op.op),
				      rondo_elements(item->op.op, item->op.count),
				      rondo_element_rows(&item->op) };
}

/* Keeps the strides of the loops whose bit is set in @kept, in order. */
static void compress_strides(struct mir_ref *ref, u32 kept, int depth)
{
	int from, to = 0;

	for (from = 0; from < depth; from++) {
		if (!(kept >> from & 1))
			continue;
		ref->stride[to] = ref->stride[from];
		ref->row_stride[to++] = ref->row_stride[from];
	}
	for (; to < RONDO_LOOP_DEPTH; to++)
		ref->stride[to] = ref->row_stride[to] = 0;
}

void mir_drop_single_trips(struct mir *m)
{
	u32 kept = 0; /* bit d: the open loop at depth d has more than one trip */
	int i, to = 0, depth = 0;

	for (i = 0; i < m->items; i++) {
		struct mir_item *item = &m->item[i];
		bool keep = true;

		if (item->kind == MIR_LOOP) {
			keep = item->trip > 1;
			kept = (kept & ((1u << depth) - 1)) | (u32)keep << depth;
			depth++;
		} else if (item->kind == MIR_END) {
			depth--;
			keep = kept >> depth & 1;
		} else {
			compress_strides(&item->ref, kept, depth);
		}
		if (keep)
			m->item[to++] = *item;
	}
	m->items = to;
}

static void print_ref(const struct mir_ref *ref, FILE *out)
{
	int d;

	if (ref->buf == MIR_NO_BUF)
		return;
	fprintf(out, " [b%d+%" PRId64, ref->buf, ref->offset);
	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		if (ref->stride[d])
			fprintf(out, " + %d*i%d", ref->stride[d], d);
	if (ref->seg_len)
		fprintf(out, " seg %u:%d", ref->seg_len, ref->seg_stride);
	if (ref->pitch)
		fprintf(out, " pitch %d", ref->pitch);
	fprintf(out, "]");
}

static void print_op(const struct mir_item *item, FILE *out)
{
	const vreg operand[] = { item->a, item->b, item->c, item->params };
	size_t i;
	int d;

	fprintf(out, "%s", rondo_ops[item->op.op].name);
	if (item->dst != VREG_NONE)
		fprintf(out, " %%%d.%u =", item->dst, item->dst_part);
	for (i = 0; i < sizeof(operand) / sizeof(*operand); i++)
		if (operand[i] != VREG_NONE)
			fprintf(out, " %%%d", operand[i]);
	print_ref(&item->ref, out);
	if (item->op.count)
		fprintf(out, " count %u", item->op.count);
	if (item->op.row)
		fprintf(out, " row %u", item->op.row);
	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		if (item->ref.row_stride[d])
			fprintf(out, " row %d*i%d", item->ref.row_stride[d], d);
	if (item->op.op == RONDO_OP_movi)
		fprintf(out, " %d", item->op.imm);
	if (item->op.shift)
		fprintf(out, " shift %u", item->op.shift);
	fprintf(out, "\n");
}

void mir_print(const struct mir *m, FILE *out)
{
	int i, depth = 0;

	for (i = 0; i < m->bufs; i++)
		fprintf(out, "buffer b%d: %s \"%s\", %" PRIu64 " bytes at %u\n", i,
			m->buf[i].kind == MIR_BUF_CONST ? "constants" : "value", m->buf[i].name,
			m->buf[i].bytes, m->buf[i].base);
	for (i = 0; i < m->items; i++) {
		const struct mir_item *item = &m->item[i];

		if (item->kind == MIR_END)
			depth--;
		fprintf(out, "%*s", 2 * depth, "");
		switch (item->kind) {
		case MIR_OP:
			print_op(item, out);
			break;
		case MIR_LOOP:
			fprintf(out, "loop %" PRIu64 "%s\n", item->trip,
				item->tiles ? " of tiles" : "");
			depth++;
			break;
		case MIR_END:
			fprintf(out, "end\n");
			break;
		case MIR_NODE:
			fprintf(out, "node %s\n", item->name);
			break;
		case MIR_STEP:
			fprintf(out, "step\n");
			break;
		case MIR_SEND:
			if (item->group == MIR_NO_GROUP)
				fprintf(out, "send b%d\n", item->ref.buf);
			else
				fprintf(out, "send group %d\n", item->group);
			break;
		case MIR_FETCH:
			fprintf(out, "fetch group %d\n", item->group);
			break;
		}
	}
}
