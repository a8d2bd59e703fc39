// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/codec.h"
#include "core/energy.h"
#include "core/tiles.h"

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

/* The multiplications of a push, @per for each container and lane. */
static u64 macs_done(const struct rondo_machine *m, const struct execution *x,
		     const struct rondo_op *op, u32 per)
{
	return lanes_done(x, (u64)op->count * m->lanes * per);
}

static void count_compute(const struct rondo_machine *m, const struct execution *x,
			  const struct rondo_op *op, struct rondo_activity *a)
{
	switch ((enum rondo_energy_class)rondo_ops[op->op].energy) {
	case RONDO_ENERGY_0:
		break;
	case RONDO_ENERGY_LANES:
		add(&a->vector_lanes, lanes_done(x, m->lanes));
		break;
	case RONDO_ENERGY_COUNT:
		add(&a->vector_lanes, lanes_done(x, op->count));
		break;
	case RONDO_ENERGY_MAC_F32:
		add(&a->macs_f32, macs_done(m, x, op, 1));
		break;
	case RONDO_ENERGY_MAC_BF16:
		add(&a->macs_bf16, macs_done(m, x, op, 2));
		break;
	case RONDO_ENERGY_MAC_S8:
		add(&a->macs_s8, macs_done(m, x, op, 4));
		break;
	}
}

/* Links that a register crosses, there and back counted as two. */
static u64 links_crossed(const struct rondo_machine *m, enum rondo_links links)
{
	u64 along_rows = (u64)m->mesh_h * (m->mesh_w - 1u);
	u64 along_columns = (u64)m->mesh_w * (m->mesh_h - 1u);

	switch (links) {
	case RONDO_LINKS_0:
		return 0;
	case RONDO_LINKS_ROW:
		return along_rows;
	case RONDO_LINKS_COL:
		return along_columns;
	case RONDO_LINKS_ROW2:
		return 2 * along_rows;
	case RONDO_LINKS_COL2:
		return 2 * along_columns;
	}
	return 0;
}

static void count_operation(const struct rondo_machine *m, const struct execution *x,
			    const struct rondo_op *op, struct rondo_activity *a)
{
	u64 elements = (u64)rondo_elements(op->op, op->count) * rondo_element_rows(op);
	u64 bytes = lanes_done(x, elements * rondo_element_bytes(op->op));
	u64 links = links_crossed(m, rondo_ops[op->op].links);

	count_compute(m, x, op, a);
	if (rondo_op_reads_sram(op->op))
		add(&a->sram_read, bytes);
	if (rondo_op_writes_sram(op->op))
		add(&a->sram_written, bytes);
	if (links)
		add(&a->mesh_hops, times(x->count, links * m->lanes * CONTAINER_BYTES));
}

static void count_transfer(const struct rondo_desc *desc, u64 starts, struct rondo_activity *a)
{
	u64 tiles = rondo_tiles_count(rondo_tiles_of_desc(desc));
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
	x->tiles = rondo_tiles_count(rondo_tiles_of_bundle(m, op));
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
	for (i = 0; i < rondo_loop_nest(&first); i++)
		open_loop(c, first.body, first.trip[i]);
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
