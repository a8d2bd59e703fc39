// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/fuzz/generate.h"
#include "tests/random.h"

enum {
	REGS = 16, /* in use: v[first_reg] and the next ones */
	ROWS = 24, /* accumulator rows in use: from first_row */
	WINDOW = 16384, /* bytes of SRAM that are used */
	WIDE_WINDOW = 65536, /* the same where nothing but transfers uses them */
	DUMP = WINDOW, /* where registers and rows are stored at the end */
	FILL = RONDO_DMA_OUTSTANDING + 2, /* starts of a filled channel, see fill() */
	BUNDLES = 40, /* of the body, at most, and of long loops the part that is not empty */
	TRIPS_PRODUCT = 40, /* of nested loops, so that a run is short */
	LONG_TRIPS_PRODUCT = 1000, /* the same where bundles are quick */
	LOADED = 8192, /* bytes of the window that slot 0 fills at the start */
	SLOT_BYTES = 65536, /* of slots that transfers use, for one tile */
	SLOT_IN = 0,
	SLOT_BOTH = 1,
	SLOT_DUMP = 2,
	SLOT_ALIAS = 3, /* of one memory with SLOT_BOTH */
	SLOTS,
};

struct range {
	s64 lo, hi;
};

struct open_loop {
	u32 first, last, trips;
	s32 stride; /* that bold programs move on by */
	u32 touch[RONDO_VREGS]; /* first bundle of the body that touches it; ~0: none yet */
};

/* A transfer that is not known to be over. */
struct flight {
	struct range sram, slot_bytes;
	u32 slot;
	u8 dir;
	u32 bundle;
};

struct generator {
	struct builder *b;
	enum generate_kind kind;
	bool bold, loose;
	const u8 *at, *end; /* choices */
	u32 window; /* bytes of SRAM that are used */
	u32 first_reg, first_row;
	u32 land[RONDO_VREGS]; /* bundle of the text from which on it may be touched */
	u64 written; /* by the current bundle, and with which latency */
	u32 latency[RONDO_VREGS];
	u32 depth;
	struct open_loop loop[RONDO_LOOP_DEPTH];
	u32 outstanding[RONDO_DMA_CHANNELS];
	struct flight flight[RONDO_DMA_CHANNELS][RONDO_DMA_OUTSTANDING]; /* oldest first */
	u32 fill, fill_channel; /* starts that are still to come */
};

static u32 pick(struct generator *g, u32 count)
{
	u32 choice = 0;

	if (g->at < g->end)
		choice = *g->at++;
	if (count > 256 && g->at < g->end)
		choice = choice << 8 | *g->at++;
	return choice % count;
}

/* True about once in @count times; false when the choices are used up. */
static bool rarely(struct generator *g, u32 count)
{
	return pick(g, count) == count - 1;
}

/* Whether a rule is to be broken here: about once in @count times, in loose programs only. */
static bool slip(struct generator *g, u32 count)
{
	return g->loose && rarely(g, count);
}

#define ONE_OF(g, ...) \
	((const s32[]){ __VA_ARGS__ }[pick(g, sizeof((s32[]){ __VA_ARGS__ }) / sizeof(s32))])

static u32 lanes_of(const struct generator *g)
{
	return g->b->machine.lanes;
}

/* Whether there is more than one tile; nothing else is chosen on a machine of one. */
static bool meshed(const struct generator *g)
{
	return g->b->machine.mesh_w * g->b->machine.mesh_h > 1;
}

/* First and last of @count columns or rows of tiles. */
static void choose_tiles(struct generator *g, u32 count, u16 *first, u16 *last)
{
	if (!meshed(g))
		return;
	*first = (u16)(rarely(g, 2) ? pick(g, count) : 0);
	*last = (u16)(rarely(g, 2) ? *first + pick(g, count - *first) : count - 1u);
}

static u32 here(const struct generator *g)
{
	return g->b->header.bundles - 1;
}

static bool has_dma(const struct generator *g)
{
	return g->kind != GENERATE_REGISTERS && g->kind != GENERATE_SRAM;
}

/* Ranges over the trips of the open loops. */

/* Trips of the loop at @depth, which need not be open. */
static u32 trips(const struct generator *g, u32 depth)
{
	return depth < g->depth ? g->loop[depth].trips : 1;
}

static void extend(struct range *range, s64 stride, u32 steps)
{
	s64 span = stride * (s64)steps;

	if (span < 0)
		range->lo += span;
	else
		range->hi += span;
}

static bool overlap(struct range a, struct range b)
{
	return a.lo < b.hi && b.lo < a.hi;
}

/* Bytes that the elements of a lane pattern touch, from its first. */
static struct range pattern(const struct rondo_entry *e, u32 count, u32 size)
{
	struct range range = { 0, 0 };
	u32 i;

	for (i = 0; i < count; i++) {
		s64 at = e->seg_len ? (s64)(i / e->seg_len) * e->seg_stride +
					      (s64)(i % e->seg_len) * size :
				      (s64)i * size;

		range.lo = at < range.lo ? at : range.lo;
		range.hi = at + size > range.hi ? at + size : range.hi;
	}
	return range;
}

/* Registers. */

static bool may_touch(const struct generator *g, u32 reg)
{
	return g->land[reg] <= here(g);
}

static void touch(struct generator *g, u32 reg)
{
	u32 d;

	for (d = 0; d < g->depth; d++)
		if (g->loop[d].touch[reg] == ~0u)
			g->loop[d].touch[reg] = here(g);
}

/* Whether a result of @latency has landed when the next trip of any loop touches @reg. */
static bool lands_in_time(const struct generator *g, u32 reg, u32 latency)
{
	u32 d, lands = here(g) + latency;

	for (d = 0; d < g->depth; d++) {
		const struct open_loop *loop = &g->loop[d];
		u32 first = loop->touch[reg] == ~0u ? here(g) : loop->touch[reg];

		if (loop->trips > 1 && lands > loop->last + 1 &&
		    lands - (loop->last + 1) > first - loop->first)
			return false;
	}
	return true;
}

/* @count registers in a row that may be read; RONDO_VREGS: there are none. */
static u32 source(struct generator *g, u32 count)
{
	u32 from = pick(g, REGS - count + 1), i, k;

	if (slip(g, 250))
		return pick(g, RONDO_VREGS - count + 1);
	for (i = 0; i <= REGS - count; i++) {
		u32 reg = g->first_reg + (from + i) % (REGS - count + 1);

		for (k = 0; k < count && (may_touch(g, reg + k) || slip(g, 48)); k++)
			;
		if (k == count)
			return reg;
	}
	return RONDO_VREGS;
}

static u32 destination(struct generator *g, u32 latency)
{
	u32 from = pick(g, REGS), i;

	for (i = 0; i < REGS; i++) {
		u32 reg = g->first_reg + (from + i) % REGS;

		bool free = may_touch(g, reg) && !(g->written >> reg & 1);

		if ((free || slip(g, 48)) && (lands_in_time(g, reg, latency) || slip(g, 64)))
			return reg;
	}
	return RONDO_VREGS;
}

/* Fills in the registers of an operation, by the roles of its format; false: left out. */
static bool choose_registers(struct generator *g, struct rondo_op *op)
{
	u32 latency = rondo_latency(&g->b->machine, op->op), reg;
	u64 touched = 0;
	bool found = true;

/* clang-format off */
#define CHOOSE(field, chosen, set)                                                                 \
	reg = chosen;                                                                              \
	found = found && reg < RONDO_VREGS;                                                        \
	field = (__typeof__(field))reg;                                                            \
	touched |= found ? (u64)(set) << reg : 0;
	switch (rondo_ops[op->op].format) {
#define F(member, lo, width, kind, role)                                                           \
	if (RONDO_ROLE_##role == RONDO_ROLE_SRC) {                                                 \
		CHOOSE(op->member, source(g, 1), 1)                                                \
	} else if (RONDO_ROLE_##role == RONDO_ROLE_SRC3) {                                         \
		CHOOSE(op->member, source(g, 3), 7)                                                \
	} else if (RONDO_ROLE_##role == RONDO_ROLE_DST) {                                          \
		CHOOSE(op->member, destination(g, latency), 1)                                     \
	}
#define FORMAT(name, fields)                                                                       \
	case RONDO_FMT_##name:                                                                     \
		fields break;
#include "spec/formats.def"
	}
	/* clang-format on */
	if (!found)
		return false;
	for (reg = 0; reg < RONDO_VREGS; reg++)
		if (touched >> reg & 1)
			touch(g, reg);
	if (latency) {
		g->latency[op->dst] = latency;
		g->written |= 1ull << op->dst;
	}
	return true;
}

/* The bundle is complete: what it wrote is in flight. */
static void take_off(struct generator *g)
{
	u32 reg;

	for (reg = 0; reg < RONDO_VREGS; reg++)
		if (g->written >> reg & 1)
			g->land[reg] = here(g) + g->latency[reg];
	g->written = 0;
}

/* Addresses. */

static s32 stride(struct generator *g, u32 size)
{
	return ONE_OF(g, 0, 4, 16, 64, 128, 256, 512, -4, -64, -256, 12, 100) / 4 *
	       (s32)(rarely(g, 4) ? size : 4);
}

/* By how much an address moves with the loop at @depth. */
static s32 loop_stride(struct generator *g, u32 depth, u32 size)
{
	if (g->bold && !rarely(g, 16))
		return g->loop[depth].stride;
	return stride(g, size);
}

/* A first value such that all of @range, moved by it, is within [0, size); -1: none. */
static s64 place(struct generator *g, struct range range, u32 size, u32 align)
{
	s64 room = (s64)size - (range.hi - range.lo);

	if (room < 0)
		return -1;
	return -range.lo + (s64)(pick(g, 65536) % (u32)(room + 1)) / align * align;
}

/* The same for bytes of SRAM. */
static s64 place_in_sram(struct generator *g, struct range range, u32 align)
{
	s64 base = place(g, range, g->window, align);

	if (slip(g, 64))
		base = g->b->machine.sram_bytes - 4 * (1 + (s64)pick(g, 256));
	return base + slip(g, 250);
}

/* Up to how many loops from the outermost one on an address may move with: all open ones. */
static u32 loops_named(struct generator *g)
{
	u32 loops = g->depth + slip(g, 250);

	return loops < RONDO_LOOP_DEPTH ? loops : RONDO_LOOP_DEPTH;
}

/* Whether compute may touch these bytes of SRAM while the outstanding transfers move. */
static bool races(const struct generator *g, struct range bytes, bool write)
{
	u32 c, i;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		for (i = 0; i < g->outstanding[c]; i++)
			if ((write || g->flight[c][i].dir == RONDO_DMA_IN) &&
			    overlap(bytes, g->flight[c][i].sram))
				return true;
	return false;
}

/* An entry for @op, and the @row where it begins. False if the operation must be left out. */
static bool choose_address(struct generator *g, struct rondo_op *op, u16 *row)
{
	bool weights = rondo_ops[op->op].slots == RONDO_SLOTS_W;
	u32 first_row = weights ? 0 : g->first_row, rows = weights ? lanes_of(g) : ROWS;
	struct rondo_entry e = { 0 };
	struct range bytes, row_range = { 0, 1 };
	u32 size = rondo_element_bytes(op->op), d;
	bool write = rondo_ops[op->op].slots == RONDO_SLOTS_S;
	s64 base, at;

	size = size ? size : 4;
	if (rarely(g, 3)) {
		e.seg_len = (u16)(1 + pick(g, 16));
		e.seg_stride = stride(g, size);
	}
	e.pitch = rondo_op_has_rows(op->op) ? stride(g, 1) : 0;
	bytes = pattern(&e, rondo_elements(op->op, op->count), size);
	extend(&bytes, e.pitch, op->rows - 1u);
	for (d = 0; d < loops_named(g); d++) {
		e.stride[d] = loop_stride(g, d, size);
		e.row_stride[d] = (s16)ONE_OF(g, 0, 0, 1, 2, -1);
		e.first |= (u8)(!rarely(g, 3) << d);
		extend(&bytes, e.stride[d], trips(g, d) - 1);
		extend(&row_range, e.row_stride[d], trips(g, d) - 1);
	}
	if (g->depth && !e.first && !slip(g, 64))
		e.first = 1;
	base = place_in_sram(g, bytes, size);
	at = slip(g, 32) ? pick(g, weights ? rows : g->b->machine.acc_rows - first_row) :
			   place(g, row_range, rows, 1);
	if (base < 0 || at < 0)
		return false;
	op->off = rarely(g, 2) ? pick(g, (u32)base / 4 + 1) * 4 : 0;
	e.base = (u32)base - op->off;
	bytes.lo += base;
	bytes.hi += base;
	if (!g->bold && races(g, bytes, write) && !slip(g, 8))
		return false;
	*row = (u16)(first_row + (u32)at);
	op->entry = (u16)build_entry(g->b, e);
	if (slip(g, 32))
		op->entry = (u16)pick(g, g->b->header.entries + 1);
	return true;
}

static u32 choose_count(struct generator *g)
{
	u32 most = lanes_of(g);

	return 1 + pick(g, rarely(g, 3) && most > 16 ? 16 : most);
}

/* A lane or weight row with @count - 1 more behind it. */
static u8 choose_first(struct generator *g, u32 count)
{
	return (u8)(pick(g, lanes_of(g) + 1 - count + slip(g, 64)) % lanes_of(g));
}

/* The fields of a load, store, weight load, push or preset; false: left out. */
static bool choose_memory(struct generator *g, struct rondo_op *op)
{
	u16 row = 0;

	op->count = (u8)choose_count(g);
	op->rows = rondo_op_has_rows(op->op) ? (u8)(1 + pick(g, 4)) : 1;
	if (rondo_op_writes_sram(op->op) && !rondo_op_reads_acc(op->op))
		op->lane = rarely(g, 2) ? choose_first(g, op->count) : 0;
	if (rondo_ops[op->op].slots == RONDO_SLOTS_W) {
		if (!choose_address(g, op, &row))
			return false;
		op->wrow = (u8)row;
		op->buf = (u8)pick(g, 2);
		op->zp = rondo_ops[op->op].format == RONDO_FMT_WROWZ ? (u8)pick(g, 256) : 0;
		return true;
	}
	if (!choose_address(g, op, &op->row))
		return false;
	op->wrow = choose_first(g, op->count);
	op->buf = (u8)pick(g, 2);
	op->mode = (u8)pick(g, g->depth || slip(g, 64) ? 3 : 2);
	return true;
}

static u32 mesh_operations(void)
{
	u32 op, count = 0;

	for (op = 0; op < RONDO_OPCODES; op++)
		count += rondo_op_reads_mesh((u8)op);
	return count;
}

/* The one with @before of them below it. */
static u8 mesh_operation(u32 before)
{
	u8 op = 0;

	while (!rondo_op_reads_mesh(op) || before--)
		op++;
	return op;
}

/* Some operation in @slot. */
static void generate_op(struct generator *g, u32 slot)
{
	struct rondo_op op = { .op = (u8)pick(g, RONDO_OPCODES) };

	if (meshed(g) && slot == RONDO_V1 && rarely(g, 2))
		op.op = mesh_operation(pick(g, mesh_operations()));
	while (!(rondo_ops[op.op].slots >> slot & 1))
		op.op = (op.op + 1) % RONDO_OPCODES;
	op.imm = op.op == RONDO_OP_movi ? (s16)pick(g, 65536) : 0;
	if (meshed(g) && rondo_op_has_role(op.op, RONDO_ROLE_TILE))
		op.imm = (s32)pick(g, rondo_op_along_row(op.op) ? g->b->machine.mesh_w :
								  g->b->machine.mesh_h);
	op.shift = (u8)(rarely(g, 2) ? pick(g, 32) : 0);
	if (slot < RONDO_V0 && !choose_memory(g, &op))
		return;
	if (choose_registers(g, &op))
		build_put(g->b, slot, op);
}

/* A store or a read of few places, so that what is read was often written. */
static void generate_sram_op(struct generator *g)
{
	struct rondo_entry e = { .base = pick(g, 16) * 128 + 4096 };
	s32 lanes = (s32)lanes_of(g);
	bool read = rarely(g, 4);
	struct rondo_op op = { .op = read ? RONDO_OP_preset : RONDO_OP_sta };
	u32 d;

	for (d = 0; d < g->depth; d++)
		e.stride[d] = ONE_OF(g, 0, 0, 128, 256, 512, 1024, -128, -256);
	if (rarely(g, 4)) {
		e.seg_len = (u16)(1 << pick(g, 7));
		e.seg_stride = ONE_OF(g, 0, 128, 256, 64, -128);
	}
	op.count = (u8)ONE_OF(g, lanes, lanes / 2, lanes, lanes / 4);
	op.entry = (u16)build_entry(g->b, e);
	build_put(g->b, read ? RONDO_M : RONDO_S, op);
}

/* DMA. */

static void retire(struct generator *g, u32 channel, u32 keep)
{
	u32 gone, i;

	if (g->outstanding[channel] <= keep)
		return;
	gone = g->outstanding[channel] - keep;
	for (i = 0; i < keep; i++)
		g->flight[channel][i] = g->flight[channel][i + gone];
	g->outstanding[channel] = keep;
}

static bool one_memory(u32 a, u32 b)
{
	return a == b || (a + b == SLOT_BOTH + SLOT_ALIAS && a != SLOT_DUMP);
}

static bool meets(const struct flight *a, const struct flight *b)
{
	if (a->dir == RONDO_DMA_IN && b->dir == RONDO_DMA_IN)
		return overlap(a->sram, b->sram);
	if ((a->dir == RONDO_DMA_IN || b->dir == RONDO_DMA_IN) && overlap(a->sram, b->sram))
		return true;
	if (a->slot != b->slot)
		return one_memory(a->slot, b->slot);
	return overlap(a->slot_bytes, b->slot_bytes);
}

/* Whether the transfer meets one of another channel. */
static bool transfer_races(const struct generator *g, const struct flight *f, u32 channel)
{
	u32 c, i;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		for (i = 0; c != channel && i < g->outstanding[c]; i++)
			if (meets(f, &g->flight[c][i]))
				return true;
	return false;
}

/* Which tiles the transfer reaches, and how; @span: bytes of a tile's block, at most. */
static void choose_mode(struct generator *g, struct rondo_desc *d, s64 span, struct range *bytes)
{
	const struct rondo_machine *m = &g->b->machine;

	if (!meshed(g))
		return;
	d->mode = d->dir == RONDO_DMA_OUT ? RONDO_DMA_TILE : (u8)pick(g, RONDO_DMA_MODES);
	choose_tiles(g, m->mesh_w, &d->x0, &d->x1);
	choose_tiles(g, m->mesh_h, &d->y0, &d->y1);
	if (d->mode == RONDO_DMA_TILE || d->mode == RONDO_DMA_COLUMNS)
		d->slot_x = span;
	if (d->mode == RONDO_DMA_TILE || d->mode == RONDO_DMA_ROWS)
		d->slot_y = span * (d->slot_x ? m->mesh_w : 1) + (s64)pick(g, 2) * 12;
	extend(bytes, d->slot_x, d->x1);
	extend(bytes, d->slot_y, d->y1);
}

/* A descriptor for the open loops, and the bytes it touches in all; false: left out. */
static bool choose_desc(struct generator *g, struct flight *f, u32 *index)
{
	u32 row = (u32)ONE_OF(g, 64, 256, 4, 100, 1, 130, 512), k, loops;
	u32 slot = (u32)ONE_OF(g, SLOT_IN, SLOT_BOTH, SLOT_BOTH, SLOT_ALIAS);
	struct rondo_desc d = { .slot = (u16)slot, .row_bytes = row };
	struct range sram = { 0, row }, bytes = { 0, row };
	s64 span = row, base, slot_base;

	d.dir = slot != SLOT_IN && rarely(g, 2) ? RONDO_DMA_OUT : RONDO_DMA_IN;
	for (k = RONDO_DMA_DIMS; k-- > 0;) {
		d.count[k] = rarely(g, 3) ? 1 + pick(g, 4) : 1;
		d.slot_stride[k] =
			(span + (rarely(g, 4) ? pick(g, 64) : 0)) * (rarely(g, 4) ? -1 : 1);
		d.sram_stride[k] = rarely(g, 3) ? stride(g, 4) : (s32)span;
		span += (d.slot_stride[k] < 0 ? -d.slot_stride[k] : d.slot_stride[k]) *
			(d.count[k] - 1);
		extend(&sram, d.sram_stride[k], d.count[k] - 1);
		extend(&bytes, d.slot_stride[k], d.count[k] - 1);
	}
	choose_mode(g, &d, span, &bytes);
	loops = loops_named(g);
	for (k = 0; k < loops && k < RONDO_DMA_LOOP_DEPTH; k++) {
		d.sram_loop[k] = loop_stride(g, k, 1);
		d.slot_loop[k] = ONE_OF(g, 0, 64, 1000, -64, 4096);
		extend(&sram, d.sram_loop[k], trips(g, k) - 1);
		extend(&bytes, d.slot_loop[k], trips(g, k) - 1);
	}
	base = place_in_sram(g, sram, 1);
	slot_base = place(g, bytes, meshed(g) ? 4 * SLOT_BYTES : SLOT_BYTES, 1);
	if (base < 0 || slot_base < 0)
		return false;
	if (slip(g, 32))
		slot_base = 0;
	d.sram_base = (u32)base;
	d.slot_base = (u64)slot_base;
	*f = (struct flight){ .sram = { sram.lo + base, sram.hi + base },
			      .slot_bytes = { bytes.lo + slot_base, bytes.hi + slot_base },
			      .slot = slot,
			      .dir = d.dir,
			      .bundle = here(g) };
	*index = build_desc(g->b, d);
	return true;
}

/* Puts a start of @f, behind waits for what it must not meet. */
static void put_start(struct generator *g, struct rondo_op *op, const struct flight *f)
{
	bool waits = !g->bold && !slip(g, 8);
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS && waits && transfer_races(g, f, op->channel); c++) {
		if (c == op->channel)
			continue;
		op->wait[c] = 1;
		retire(g, c, 0);
	}
	retire(g, op->channel, RONDO_DMA_OUTSTANDING - 1);
	g->flight[op->channel][g->outstanding[op->channel]++] = *f;
	build_put(g->b, RONDO_C, *op);
}

static void start(struct generator *g)
{
	struct rondo_op op = { .op = RONDO_OP_dma, .channel = (u8)pick(g, RONDO_DMA_CHANNELS) };
	struct flight f;
	u32 index, c;

	if (!choose_desc(g, &f, &index))
		return;
	op.desc = (u16)(slip(g, 4) ? pick(g, g->b->header.descs + slip(g, 16)) : index);
	op.last = (u8)(rarely(g, 2) ? pick(g, g->depth + 1 + slip(g, 64)) : 0);
	if (rarely(g, 4)) {
		c = pick(g, RONDO_DMA_CHANNELS);
		op.wait[c] = (u8)pick(g, 5);
		if (op.wait[c])
			retire(g, c, op.wait[c] - 1u);
	}
	put_start(g, &op, &f);
}

/*
 * The next start of those that fill a channel, then one there that is empty at a last trip and
 * stalls, then one of another channel: the wait for that ends later for the stall.
 */
static void fill(struct generator *g)
{
	bool other = g->fill == 1, empty = g->fill == 2;
	struct rondo_op op = { .op = RONDO_OP_dma, .channel = (u8)g->fill_channel };
	struct flight f;
	u32 index;

	op.channel = (u8)((op.channel + other) % RONDO_DMA_CHANNELS);
	op.last = (u8)(empty ? 1 + pick(g, g->depth) : 0);
	if (!choose_desc(g, &f, &index) || (other && transfer_races(g, &f, op.channel)))
		return;
	op.desc = (u16)index;
	put_start(g, &op, &f);
	g->fill--;
}

/* First bundle of the outermost loop that ends with this bundle; ~0: none does. */
static u32 ending_loop(const struct generator *g)
{
	u32 first = ~0u, d;

	for (d = g->depth; d-- > 0 && g->loop[d].last == here(g);)
		first = g->loop[d].first;
	return first;
}

/* Whether a transfer of @channel was started in bundle @first or later. */
static bool carried(const struct generator *g, u32 channel, u32 first)
{
	u32 n = g->outstanding[channel];

	return n && g->flight[channel][n - 1].bundle >= first;
}

/* Waits for some channels; for all whose transfers were started in bundle @first or later. */
static void wait(struct generator *g, u32 first)
{
	struct rondo_op op = { .op = RONDO_OP_wait };
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
		op.wait[c] = carried(g, c, first) ? 1 : (u8)pick(g, 5);
		if (op.wait[c])
			retire(g, c, op.wait[c] - 1u);
	}
	build_put(g->b, RONDO_C, op);
}

static bool must_wait(const struct generator *g)
{
	u32 first = ending_loop(g), c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		if (carried(g, c, first))
			return true;
	return false;
}

/* Loops and bundles. */

/* A loop operation over some of the bundles up to @end; false if there is no room. */
static bool choose_loop(struct generator *g, struct rondo_op *op, u32 end)
{
	u32 most = g->kind == GENERATE_TIME ? LONG_TRIPS_PRODUCT : TRIPS_PRODUCT;
	u32 room = end - here(g), product = 1, d, i;

	*op = (struct rondo_op){ .op = rarely(g, 2) ? RONDO_OP_loop1 : RONDO_OP_loop, .nest = 1 };
	if (op->op == RONDO_OP_loop)
		op->nest = (u8)(1 + pick(g, 3));
	/* Where DMA may not stand, the last bundle must not be one that has to wait. */
	if (g->depth && g->depth + op->nest > RONDO_DMA_LOOP_DEPTH && room)
		room--;
	if (!room || g->depth + op->nest > RONDO_LOOP_DEPTH)
		return false;
	op->body = 1 + pick(g, room < 10 ? room : 10);
	if (rarely(g, 4))
		op->body = room < 30 ? room : 30;
	if (!g->depth && rarely(g, 30))
		op->body = g->b->machine.loop_buffer + pick(g, 3);
	if (slip(g, 64))
		op->body += room;
	for (d = 0; d < g->depth; d++)
		product *= g->loop[d].trips;
	for (i = 0; i < op->nest; i++) {
		op->trip[i] = 1 + pick(g, 5);
		if (product * op->trip[i] > most)
			op->trip[i] = 1;
		product *= (u32)op->trip[i];
	}
	return true;
}

static void open_loops(struct generator *g, const struct rondo_op *op)
{
	u32 i;

	for (i = 0; i < op->nest; i++) {
		struct open_loop *loop = &g->loop[g->depth++];

		loop->first = here(g) + 1;
		loop->last = here(g) + op->body;
		loop->trips = (u32)op->trip[i];
		loop->stride = g->bold ? ONE_OF(g, 256, 512, 64, 1024, -256, 128) : 0;
		memset(loop->touch, 0xff, sizeof(loop->touch));
	}
	if (!has_dma(g) || g->depth > RONDO_DMA_LOOP_DEPTH || op->body <= FILL || !rarely(g, 16))
		return;
	g->fill = FILL;
	g->fill_channel = pick(g, RONDO_DMA_CHANNELS);
}

/* What slot C does; *@opens is set if it opens loops after the bundle. */
static void control(struct generator *g, u32 end, struct rondo_op *loop, bool *opens)
{
	bool ends = g->depth && g->loop[g->depth - 1].last == here(g);
	bool dma = has_dma(g) && (g->depth <= RONDO_DMA_LOOP_DEPTH || slip(g, 32));
	struct rondo_op op = { .op = RONDO_OP_mask };

	if (must_wait(g) && !(g->bold && pick(g, 4)) && !slip(g, 16))
		return wait(g, ending_loop(g));
	if (g->fill && !ends)
		return fill(g);
	switch (pick(g, 8)) {
	case 0:
	case 1:
		*opens = !ends && choose_loop(g, loop, g->depth ? g->loop[g->depth - 1].last : end);
		if (*opens)
			build_put(g->b, RONDO_C, *loop);
		break;
	case 2:
	case 3:
		if (dma && !ends)
			start(g);
		break;
	case 4:
		if (dma)
			wait(g, ~0u);
		break;
	case 5:
		choose_tiles(g, g->b->machine.mesh_w, &op.x0, &op.x1);
		choose_tiles(g, g->b->machine.mesh_h, &op.y0, &op.y1);
		if (meshed(g) || rarely(g, 4))
			build_put(g->b, RONDO_C, op);
		break;
	default:
		break;
	}
}

/* What the slots after C do. */
static void compute(struct generator *g)
{
	u32 slot = g->kind == GENERATE_REGISTERS ? RONDO_V0 : RONDO_L0;

	if (g->kind == GENERATE_TIME)
		return;
	if (g->kind == GENERATE_SRAM) {
		if (rarely(g, 2))
			generate_sram_op(g);
		return;
	}
	for (; slot <= RONDO_V1; slot++)
		if (rarely(g, slot == RONDO_M ? 3 : 2))
			generate_op(g, slot);
}

/* A bundle; @end is the last of the body. */
static void bundle(struct generator *g, u32 end)
{
	struct rondo_op loop;
	bool opens = false;

	build_bundle(g->b);
	if (!g->depth || here(g) < g->loop[0].first + BUNDLES || must_wait(g)) {
		control(g, end, &loop, &opens);
		compute(g);
	}
	take_off(g);
	/* A slip may have opened loops that end behind the one around them. */
	while (g->depth && g->loop[g->depth - 1].last <= here(g)) {
		g->depth--;
		g->fill = 0;
	}
	if (opens)
		open_loops(g, &loop);
}

/* All tiles, each with a block of its own, @apart bytes from the one before. */
static struct rondo_desc all_tiles(const struct generator *g, struct rondo_desc d, s64 apart)
{
	d.x1 = g->b->machine.mesh_w - 1u;
	d.y1 = g->b->machine.mesh_h - 1u;
	d.slot_x = d.x1 ? apart : 0;
	d.slot_y = d.y1 ? apart * g->b->machine.mesh_w : 0;
	return d;
}

static u32 linear_entry(struct generator *g, u32 base, s32 bytes, s16 rows)
{
	struct rondo_entry e = { .base = base };

	e.stride[0] = bytes;
	e.row_stride[0] = rows;
	return build_entry(g->b, e);
}

/* Every register with some of slot 0's data. */
static void load_registers(struct generator *g)
{
	struct rondo_desc load = { .slot = SLOT_IN, .row_bytes = LOADED };
	u32 i, entry;

	build_start(g->b, 0, build_desc(g->b, all_tiles(g, load, 64)), 0);
	build_wait(g->b, 0, 0);
	entry = linear_entry(g, 0, 0, 0);
	for (i = 0; i < REGS; i++)
		build_op(g->b, RONDO_L0,
			 (struct rondo_op){ .op = RONDO_OP_ld_w,
					    .entry = (u16)entry,
					    .off = 256 * i,
					    .count = (u8)lanes_of(g),
					    .dst = (u8)(g->first_reg + i) });
}

/* Every register without touching SRAM. */
static void set_registers(struct generator *g)
{
	u32 i;

	for (i = 0; i < REGS; i++)
		build_op(g->b, RONDO_V0, OP(iota, .dst = (u8)(g->first_reg + i)));
}

static void prologue(struct generator *g)
{
	u32 i;

	for (i = 0; i < SLOTS; i++)
		build_slot(g->b, i == SLOT_BOTH || i == SLOT_ALIAS ? 7 : 0);
	g->first_reg = pick(g, RONDO_VREGS - REGS + 1);
	g->first_row = pick(g, g->b->machine.acc_rows - ROWS + 1);
	if (g->loose)
		set_registers(g);
	else
		load_registers(g);
	for (i = 0; i < 3; i++)
		build_bundle(g->b);
}

/* Sums over each weight buffer, registers, and rows, behind the window. */
static void store_state(struct generator *g)
{
	struct rondo_op push = { .op = RONDO_OP_push_s8, .count = (u8)lanes_of(g), .mode = 1 };
	struct rondo_op sta = { .op = RONDO_OP_sta, .count = (u8)lanes_of(g) };
	u32 plain = linear_entry(g, 0, 0, 0), dump = linear_entry(g, DUMP, 0, 0), i;

	for (i = 0; i < REGS; i++)
		build_op(g->b, RONDO_S,
			 (struct rondo_op){ .op = RONDO_OP_st_w,
					    .entry = (u16)dump,
					    .off = 256 * i,
					    .count = (u8)lanes_of(g),
					    .a = (u8)(g->first_reg + i) });
	sta.entry = (u16)linear_entry(g, DUMP + 256 * REGS, 256, 1);
	sta.row = (u16)g->first_row;
	build_loop(g->b, ROWS, 1);
	build_op(g->b, RONDO_S, sta);
	push.row = (u16)g->first_row;
	push.entry = (u16)plain;
	sta.entry = (u16)dump;
	for (i = 0; i < 2; i++) {
		push.buf = (u8)i;
		push.off = 256 * i;
		build_op(g->b, RONDO_M, push);
		sta.off = 256 * (REGS + ROWS + i);
		build_op(g->b, RONDO_S, sta);
	}
}

static void epilogue(struct generator *g)
{
	struct rondo_op drain = { .op = RONDO_OP_wait, .wait = { 1, 1, 1, 1 } };
	struct rondo_desc out = { .dir = RONDO_DMA_OUT,
				  .slot = SLOT_DUMP,
				  .row_bytes = DUMP + 256 * (REGS + ROWS + 2) };
	u32 i, latency = rondo_latency(&g->b->machine, RONDO_OP_bc_row);

	build_op(g->b, RONDO_C, drain);
	for (i = 0; i < latency; i++)
		build_bundle(g->b);
	store_state(g);
	build_start(g->b, 0, build_desc(g->b, all_tiles(g, out, out.row_bytes)), 0);
	build_halt(g->b);
}

void generate(struct builder *b, enum generate_kind kind, const u8 *choices, size_t size)
{
	u32 wide = b->machine.sram_bytes < WIDE_WINDOW ? b->machine.sram_bytes : WIDE_WINDOW, end;
	struct generator g = {
		.b = b,
		.kind = kind,
		.bold = kind == GENERATE_BOLD,
		.loose = kind >= GENERATE_LOOSE,
		.at = choices,
		.end = choices + size,
		.window = kind == GENERATE_TIME ? wide : WINDOW,
	};

	prologue(&g);
	end = b->header.bundles + 4 + pick(&g, BUNDLES);
	while (b->header.bundles <= end || g.depth)
		bundle(&g, end > here(&g) + 1 ? end : here(&g) + 1);
	if (g.loose)
		build_halt(b);
	else
		epilogue(&g);
}

void generate_seed(struct builder *b, enum generate_kind kind, u64 seed)
{
	u8 choices[GENERATE_CHOICES];
	u64 state = random_seed(seed);

	random_bytes(&state, choices, sizeof(choices));
	generate(b, kind, choices, sizeof(choices));
}
