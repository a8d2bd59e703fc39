// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/codec.h"
#include "core/energy.h"

enum {
	CONTAINER_BYTES = 4,
	SMALL_SRAM_BYTES = 32768, /* what costs no more for each byte than sram_small */
};

static u64 times(u64 a, u64 b)
{
	u64 product;

	return check_mul_overflow(a, b, &product) ? ~0ull : product;
}

static void add(u64 *sum, u64 count)
{
	if (check_add_overflow(*sum, count, sum))
		*sum = ~0ull;
}

/* One bundle: how often it is executed, and by how many tiles. */
struct execution {
	u64 count;
	u64 tiles;
};

static u64 lanes_done(const struct execution *x, u64 lanes)
{
	return times(x->count, x->tiles * lanes);
}

/* Containers of @containers times the lanes of the weights, with @per elements each. */
static u64 macs_done(const struct rondo_machine *m, const struct execution *x,
		     const struct rondo_op *op, u32 per)
{
	return lanes_done(x, (u64)op->count * m->lanes * per);
}

static void count_macs(const struct rondo_machine *m, const struct execution *x,
		       const struct rondo_op *op, struct rondo_activity *a)
{
	switch (op->op) {
	case RONDO_OP_push_f32:
		add(&a->macs_f32, macs_done(m, x, op, 1));
		break;
	case RONDO_OP_push_bf16:
		add(&a->macs_bf16, macs_done(m, x, op, 2));
		break;
	default: /* push_s8, push_u8 */
		add(&a->macs_s8, macs_done(m, x, op, 4));
		break;
	}
}

/* Links that a mesh operation crosses, each with a register; a reduction goes there and back. */
static u64 mesh_links(const struct rondo_machine *m, u8 op)
{
	u64 along_rows = (u64)m->mesh_h * (m->mesh_w - 1u);
	u64 along_columns = (u64)m->mesh_w * (m->mesh_h - 1u);

	switch (op) {
	case RONDO_OP_mv_e:
	case RONDO_OP_mv_w:
	case RONDO_OP_bc_row:
		return along_rows;
	case RONDO_OP_mv_n:
	case RONDO_OP_mv_s:
	case RONDO_OP_bc_col:
		return along_columns;
	case RONDO_OP_sum_row_f32:
	case RONDO_OP_sum_row_s32:
	case RONDO_OP_max_row_f32:
	case RONDO_OP_max_row_s32:
		return 2 * along_rows;
	case RONDO_OP_sum_col_f32:
	case RONDO_OP_sum_col_s32:
	case RONDO_OP_max_col_f32:
	case RONDO_OP_max_col_s32:
		return 2 * along_columns;
	default:
		return 0;
	}
}

static void count_operation(const struct rondo_machine *m, const struct execution *x,
			    const struct rondo_op *op, struct rondo_activity *a)
{
	u32 size = rondo_element_bytes(op->op);
	u64 bytes = lanes_done(x, (u64)op->count * size);

	switch (rondo_ops[op->op].format) {
	case RONDO_FMT_NONE:
	case RONDO_FMT_READ:
		break;
	case RONDO_FMT_READQ:
		add(&a->vector_lanes, lanes_done(x, op->count));
		break;
	case RONDO_FMT_LOAD:
		add(&a->sram_read, op->op == RONDO_OP_ldb_w ? lanes_done(x, size) : bytes);
		break;
	case RONDO_FMT_LOAD4:
		add(&a->sram_read, times(bytes, op->rows));
		break;
	case RONDO_FMT_WROW:
	case RONDO_FMT_PRESET:
		add(&a->sram_read, bytes);
		break;
	case RONDO_FMT_PUSH:
		add(&a->sram_read, bytes);
		count_macs(m, x, op, a);
		break;
	case RONDO_FMT_STOREQ:
		add(&a->vector_lanes, lanes_done(x, op->count));
		add(&a->sram_written, bytes);
		break;
	case RONDO_FMT_STORE:
	case RONDO_FMT_STOREA:
		add(&a->sram_written, bytes);
		break;
	default: /* vector operations */
		add(&a->vector_lanes, lanes_done(x, m->lanes));
		add(&a->mesh_hops,
		    times(x->count, mesh_links(m, op->op) * m->lanes * CONTAINER_BYTES));
		break;
	}
}

static void count_transfer(const struct rondo_desc *desc, u64 starts, struct rondo_activity *a)
{
	u64 tiles = (u64)(desc->x1 - desc->x0 + 1) * (u64)(desc->y1 - desc->y0 + 1);
	u64 bytes = times(times(times(desc->row_bytes, desc->count[0]), desc->count[1]),
			  times(desc->count[2], starts));
	u64 moved = times(bytes, (u64)rondo_dma_blocks_x(desc) * rondo_dma_blocks_y(desc));

	if (desc->dir == RONDO_DMA_IN) {
		add(&a->dma_in, moved);
		add(&a->sram_written, times(bytes, tiles));
	} else {
		add(&a->dma_out, moved);
		add(&a->sram_read, times(bytes, tiles));
	}
}

/* Starts of the current bundle that are not empty. */
static u64 starts_done(const struct rondo_counter *c, u32 last)
{
	u64 starts = 1;
	u32 d;

	for (d = 0; d < c->depth; d++)
		starts = times(starts, c->loop[d].trips - (last == d + 1));
	return starts;
}

static void open_loop(struct rondo_counter *c, u32 body, u64 trips)
{
	u64 executed = c->depth ? c->loop[c->depth - 1].executed : 1;
	u64 fetched = c->depth ? c->loop[c->depth - 1].fetched : 1;
	bool replayed = body <= c->machine->loop_buffer;

	c->loop[c->depth].last = c->next + body;
	c->loop[c->depth].trips = trips;
	c->loop[c->depth].executed = times(executed, trips);
	c->loop[c->depth].fetched = replayed ? fetched : times(fetched, trips);
	c->depth++;
}

static void control(struct rondo_counter *c, const struct rondo_op *op, struct execution *x,
		    struct rondo_activity *a)
{
	const struct rondo_machine *m = c->machine;

	x->count = c->depth ? c->loop[c->depth - 1].executed : 1;
	x->tiles = (u64)m->mesh_w * m->mesh_h;
	if (op->op == RONDO_OP_mask)
		x->tiles = (op->x1 - op->x0 + 1ull) * (op->y1 - op->y0 + 1ull);
	if (op->op == RONDO_OP_dma)
		count_transfer(&c->program->descs[op->desc], starts_done(c, op->last), a);
	add(&a->bundles, x->count);
	add(&a->fetched, c->depth ? c->loop[c->depth - 1].fetched : 1);
}

static void count_bundle(struct rondo_counter *c, struct rondo_activity *a)
{
	const u64 *words = c->program->bundles[c->next];
	struct rondo_op first, op;
	struct execution x;
	u32 slot, i;

	rondo_decode(words[RONDO_C], &first);
	control(c, &first, &x, a);
	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		rondo_decode(words[slot], &op);
		count_operation(c->machine, &x, &op, a);
	}
	for (i = 0; first.op == RONDO_OP_loop && i < first.nest; i++)
		open_loop(c, first.body, first.trip[i]);
	if (first.op == RONDO_OP_loop1)
		open_loop(c, first.body, first.trip[0]);
	while (c->depth && c->loop[c->depth - 1].last == c->next)
		c->depth--;
}

void rondo_counter_init(struct rondo_counter *c, const struct rondo_machine *machine,
			const struct rondo_program *program)
{
	memset(c, 0, sizeof(*c));
	c->machine = machine;
	c->program = program;
}

bool rondo_counter_step(struct rondo_counter *c, u32 bundles, struct rondo_activity *activity)
{
	for (; bundles && c->next < c->program->header->bundles; bundles--, c->next++)
		count_bundle(c, activity);
	return c->next < c->program->header->bundles;
}

void rondo_count_activity(const struct rondo_machine *m, const struct rondo_program *p, u32 cleared,
			  struct rondo_activity *activity)
{
	struct rondo_counter c;

	memset(activity, 0, sizeof(*activity));
	activity->sram_cleared = times((u64)m->mesh_w * m->mesh_h, cleared);
	rondo_counter_init(&c, m, p);
	rondo_counter_step(&c, p->header->bundles, activity);
}

enum kind { COMPUTE, MOVEMENT };

/* How much there is of a row of spec/energy.def, by its name. */
struct amounts {
	u64 macs_s8, macs_bf16, macs_f32, vector_lanes, sram_large, sram_small, dma, mesh_hops,
		bundles, fetched;
};

static struct amounts amounts_of(const struct rondo_machine *m, const struct rondo_activity *a)
{
	struct amounts n = {
		.macs_s8 = a->macs_s8,
		.macs_bf16 = a->macs_bf16,
		.macs_f32 = a->macs_f32,
		.vector_lanes = a->vector_lanes,
		.dma = a->dma_in,
		.mesh_hops = a->mesh_hops,
		.bundles = a->bundles,
		.fetched = a->fetched,
	};
	u64 *sram = m->sram_bytes > SMALL_SRAM_BYTES ? &n.sram_large : &n.sram_small;

	*sram = a->sram_read;
	add(sram, a->sram_written);
	add(sram, a->sram_cleared);
	add(&n.dma, a->dma_out);
	return n;
}

struct rondo_energy rondo_energy_of(const struct rondo_machine *m,
				    const struct rondo_activity *activity)
{
	struct amounts n = amounts_of(m, activity);
	u64 fj[] = { [COMPUTE] = 0, [MOVEMENT] = 0 };

#define ENERGY(name, kind, each, source) add(&fj[kind], times(n.name, each));
#include "spec/energy.def"
	return (struct rondo_energy){ .compute_fj = fj[COMPUTE], .movement_fj = fj[MOVEMENT] };
}
