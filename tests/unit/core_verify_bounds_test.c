// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bounds are exact: random accesses, in loops of all depths, are moved to where their lowest
 * and highest bytes, found by going through every trip and element, touch the ends of SRAM
 * (rows: of the accumulator file). There they are accepted, and one step further refused.
 */
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum { ACCESSES = 3000, TRANSFERS = 1000 };

static u64 random_state = 88172645463325252ull;

static u32 pick(u32 count)
{
	return (u32)((random_next(&random_state) >> 32) % count);
}

static s32 pick_stride(void)
{
	return ((s32)pick(200) - 100) * 4;
}

struct nest {
	u32 depth;
	u64 trips[RONDO_LOOP_DEPTH];
};

static struct nest pick_nest(u32 depth_max)
{
	struct nest n = { .depth = pick(depth_max + 1) };
	u32 d;

	for (d = 0; d < n.depth; d++)
		n.trips[d] = 1 + pick(3);
	return n;
}

static void build_nest(struct builder *b, const struct nest *n, u32 body)
{
	u32 d;

	for (d = 0; d < n->depth; d++)
		build_loop(b, n->trips[d], n->depth - 1 - d + body);
}

/* The indices of the next trip, innermost first; false after the last. */
static bool next_trip(const struct nest *n, u64 index[RONDO_LOOP_DEPTH])
{
	u32 d;

	for (d = n->depth; d-- > 0;) {
		if (++index[d] < n->trips[d])
			return true;
		index[d] = 0;
	}
	return false;
}

/* Lowest and one past the highest of what is added. */
struct reach {
	s64 lo, hi;
};

static void include(struct reach *r, s64 at, s64 size)
{
	r->lo = at < r->lo ? at : r->lo;
	r->hi = at + size > r->hi ? at + size : r->hi;
}

/* All that an access from address 0 touches, element by element; and its rows, from row 0. */
static void go_through(const struct nest *n, const struct rondo_entry *entry,
		       const struct rondo_op *op, struct reach *bytes, struct reach *rows)
{
	u64 index[RONDO_LOOP_DEPTH] = { 0 };
	u32 size = rondo_element_bytes(op->op), d, e, row;
	u32 elements = rondo_elements(op->op, op->count);

	*bytes = *rows = (struct reach){ 1ll << 40, -(1ll << 40) };
	do {
		s64 at = 0, at_row = 0, place;

		for (d = 0; d < n->depth; d++) {
			at += entry->stride[d] * (s64)index[d];
			at_row += entry->row_stride[d] * (s64)index[d];
		}
		include(rows, at_row, 1);
		for (row = 0; row < rondo_element_rows(op); row++) {
			for (e = 0; e < elements; e++) {
				u32 segment = entry->seg_len ? e / entry->seg_len : 0;
				u32 rest = entry->seg_len ? e % entry->seg_len : e;

				place = at + (s64)entry->pitch * row;
				place += (s64)entry->seg_stride * segment + rest * size;
				include(bytes, place, size);
			}
		}
	} while (next_trip(n, index));
}

/* Verdict on @op with @entry in a slot where it may stand. */
static u32 verdict_of(const struct nest *n, struct rondo_entry entry, struct rondo_op op)
{
	struct builder b;
	u32 slot = RONDO_L0, code;

	build_init(&b);
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota });
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota, .dst = 1 });
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota, .dst = 2 });
	build_bundle(&b);
	build_nest(&b, n, 5);
	while (!(rondo_ops[op.op].slots >> slot & 1))
		slot++;
	op.entry = build_entry(&b, entry);
	build_op(&b, slot, op);
	for (slot = 0; slot < 4; slot++)
		build_bundle(&b); /* the register lands before the next trip */
	build_halt(&b);
	code = build_verdict(&b, 0).code;
	build_fini(&b);
	return code;
}

static u8 pick_operation(void)
{
	u8 op;

	do
		op = pick(RONDO_OPCODES);
	while (!rondo_element_bytes(op));
	return op;
}

/* Whether the bounds of one random access are exact. */
static bool try_access(void)
{
	struct rondo_op op = { .op = pick_operation(), .dst = 5 };
	struct nest n = pick_nest(RONDO_LOOP_DEPTH);
	struct rondo_entry entry = { .base = 0 };
	struct rondo_machine m;
	struct reach bytes, rows;
	u32 d, ends;
	bool good = true;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	op.count = 1 + pick(64);
	op.rows = 1 + pick(4);
	for (d = 0; d < n.depth; d++) {
		entry.stride[d] = pick_stride();
		entry.row_stride[d] = pick(5) - 2;
	}
	if (pick(2)) {
		entry.seg_len = 1 + pick(op.count);
		entry.seg_stride = pick_stride();
	}
	entry.pitch = pick_stride();
	go_through(&n, &entry, &op, &bytes, &rows);
	if (rondo_op_writes_weights(op.op))
		op.wrow = pick(2) ? -rows.lo : 64 - rows.hi;
	else
		op.row = pick(2) ? -rows.lo : m.acc_rows - rows.hi;
	for (ends = 0; ends < 2; ends++) {
		s64 base = ends ? m.sram_bytes - bytes.hi : -bytes.lo;
		s64 step = ends ? 4 : -4;

		/* To the multiple of four inside. */
		base = ends ? base & ~3ll : (base + 3) & ~3ll;
		entry.base = (u32)base;
		good = good && verdict_of(&n, entry, op) == RONDO_ERR_NONE;
		entry.base = (u32)(base + step);
		good = good && verdict_of(&n, entry, op) == RONDO_ERR_SRAM_BOUNDS;
	}
	if (!good)
		printf("# %s, %u loops, count %u\n", rondo_ops[op.op].name, n.depth, op.count);
	return good;
}

/* Operations that touch no SRAM but a row. */
static bool try_row(void)
{
	static const u8 operations[] = { RONDO_OP_rd,	 RONDO_OP_rdq_f32, RONDO_OP_sta,
					 RONDO_OP_wl_s8, RONDO_OP_push_s8, RONDO_OP_preset };
	struct rondo_op op = { .op = operations[pick(6)], .dst = 5, .count = 1 };
	bool weights = op.op == RONDO_OP_wl_s8;
	struct nest n = pick_nest(RONDO_LOOP_DEPTH);
	struct rondo_entry entry = { .base = 0 };
	struct reach bytes, rows;
	struct rondo_machine m;
	u32 d, limit, ends;
	bool good = true;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	for (d = 0; d < n.depth; d++)
		entry.row_stride[d] = pick(5) - 2;
	go_through(&n, &entry, &op, &bytes, &rows);
	limit = weights ? m.lanes : m.acc_rows;
	for (ends = 0; ends < 2; ends++) {
		s64 row = ends ? limit - rows.hi : -rows.lo, over = ends ? row + 1 : row - 1;
		u32 want = weights ? RONDO_ERR_WEIGHT_BOUNDS : RONDO_ERR_ACC_BOUNDS;

		op.wrow = weights ? row : 0;
		op.row = weights ? 0 : row;
		good = good && verdict_of(&n, entry, op) == RONDO_ERR_NONE;
		/* What the field cannot say needs no check. */
		if (over < 0 || over >= (weights ? 64 : 1024))
			continue;
		op.wrow = weights ? over : 0;
		op.row = weights ? 0 : over;
		good = good && verdict_of(&n, entry, op) == want;
	}
	return good;
}

/* All bytes of a transfer, row by row. */
static void go_through_transfer(const struct nest *n, const struct rondo_desc *desc, u32 last,
				struct reach *sram, struct reach *slot)
{
	u64 index[RONDO_LOOP_DEPTH] = { 0 };
	u32 i[RONDO_DMA_DIMS], d;

	*sram = *slot = (struct reach){ 1ll << 40, -(1ll << 40) };
	do {
		if (last && index[last - 1] == n->trips[last - 1] - 1)
			continue;
		memset(i, 0, sizeof(i));
		while (i[0] < desc->count[0]) {
			s64 at = desc->sram_base, from = (s64)desc->slot_base;

			for (d = 0; d < RONDO_DMA_DIMS; d++) {
				at += (s64)desc->sram_stride[d] * i[d];
				from += desc->slot_stride[d] * i[d];
			}
			for (d = 0; d < n->depth; d++) {
				at += desc->sram_loop[d] * (s64)index[d];
				from += desc->slot_loop[d] * (s64)index[d];
			}
			include(sram, at, desc->row_bytes);
			include(slot, from, desc->row_bytes);
			for (d = RONDO_DMA_DIMS - 1; d > 0 && i[d] + 1 == desc->count[d]; d--)
				i[d] = 0;
			i[d]++;
		}
	} while (next_trip(n, index));
}

static u32 transfer_verdict(const struct nest *n, struct rondo_desc desc, u32 last,
			    struct rondo_extent *extent)
{
	struct builder b;
	u32 code;

	build_init(&b);
	build_slot(&b, 0);
	build_nest(&b, n, 2);
	build_start(&b, 2, build_desc(&b, desc), last);
	build_wait(&b, 2, 0);
	build_halt(&b);
	code = build_verdict(&b, 0).code;
	*extent = b.verify->extent[0];
	build_fini(&b);
	return code;
}

/* Whether the bounds of a random transfer in SRAM, and its extent in its slot, are exact. */
static bool try_transfer(void)
{
	struct rondo_desc desc = { .dir = RONDO_DMA_IN, .row_bytes = 1 + pick(50) };
	struct nest n = pick_nest(RONDO_DMA_LOOP_DEPTH);
	u32 last = pick(n.depth + 1), d, ends;
	struct reach sram, slot;
	struct rondo_extent extent;
	struct rondo_machine m;
	bool good = true;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	for (d = 0; d < RONDO_DMA_DIMS; d++) {
		desc.count[d] = 1 + pick(3);
		desc.sram_stride[d] = pick_stride();
		desc.slot_stride[d] = pick_stride();
		desc.sram_loop[d] = d < n.depth ? pick_stride() : 0;
		desc.slot_loop[d] = d < n.depth ? pick_stride() : 0;
	}
	go_through_transfer(&n, &desc, last, &sram, &slot);
	if (sram.lo > sram.hi) /* always empty */
		return transfer_verdict(&n, desc, last, &extent) == 0 && !extent.read_hi;
	desc.slot_base = (u64)-slot.lo;
	for (ends = 0; ends < 2; ends++) {
		desc.sram_base = (u32)(ends ? m.sram_bytes - sram.hi : -sram.lo);
		good = good && transfer_verdict(&n, desc, last, &extent) == RONDO_ERR_NONE &&
		       extent.read_lo == 0 && extent.read_hi == (u64)(slot.hi - slot.lo);
		desc.sram_base += ends ? 1 : -1;
		good = good &&
		       transfer_verdict(&n, desc, last, &extent) == RONDO_ERR_DMA_SRAM_BOUNDS;
	}
	desc.sram_base = (u32)-sram.lo;
	desc.slot_base--;
	return good && transfer_verdict(&n, desc, last, &extent) == RONDO_ERR_DMA_SLOT_BOUNDS;
}

/* Whether two rows of an outgoing transfer share a byte of its slot. */
static bool overlaps(const struct rondo_desc *desc)
{
	u8 touched[512] = { 0 };
	u32 i, j, k, byte;

	for (i = 0; i < desc->count[0]; i++)
		for (j = 0; j < desc->count[1]; j++)
			for (k = 0; k < desc->count[2]; k++)
				for (byte = 0; byte < desc->row_bytes; byte++)
					if (touched[256 + desc->slot_stride[0] * (s64)i +
						    desc->slot_stride[1] * (s64)j +
						    desc->slot_stride[2] * (s64)k + byte]++)
						return true;
	return false;
}

static bool outgoing_accepted(const struct rondo_desc *desc)
{
	struct builder b;
	u32 code;

	build_init(&b);
	build_slot(&b, 0);
	build_desc(&b, *desc);
	build_halt(&b);
	code = build_verdict(&b, 0).code;
	build_fini(&b);
	return code != RONDO_ERR_DESC_OUT_OVERLAP;
}

static u32 outgoing_seen, outgoing_apart;

/* What is accepted writes no byte twice, and the order of the dimensions does not matter. */
static bool try_outgoing(void)
{
	struct rondo_desc desc = { .dir = RONDO_DMA_OUT, .row_bytes = 1 + pick(5) }, turned;
	bool accepted;
	u32 d;

	for (d = 0; d < RONDO_DMA_DIMS; d++) {
		desc.count[d] = 1 + pick(3);
		desc.slot_stride[d] = (s32)pick(80) - 40;
	}
	accepted = outgoing_accepted(&desc);
	outgoing_seen += accepted;
	outgoing_apart += !overlaps(&desc);
	turned = desc;
	for (d = 0; d < RONDO_DMA_DIMS; d++) {
		turned.count[d] = desc.count[(d + 1) % RONDO_DMA_DIMS];
		turned.slot_stride[d] = -desc.slot_stride[(d + 1) % RONDO_DMA_DIMS];
	}
	return outgoing_accepted(&turned) == accepted && !(accepted && overlaps(&desc));
}

static void repeat(bool (*attempt)(void), u32 times, const char *name)
{
	u32 right = 0, i;

	for (i = 0; i < times; i++)
		right += attempt();
	tap_eq(right, times, name);
}

int main(void)
{
	repeat(try_access, ACCESSES, "SRAM");
	repeat(try_row, ACCESSES, "rows of accumulators and weights");
	repeat(try_transfer, TRANSFERS, "transfers, and extents of slots");
	repeat(try_outgoing, ACCESSES, "outgoing transfers write no byte twice");
	tap_ok(outgoing_seen > outgoing_apart / 2, "most that do not are accepted: %u of %u",
	       outgoing_seen, outgoing_apart);
	return tap_done();
}
