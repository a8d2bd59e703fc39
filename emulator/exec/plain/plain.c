// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The plain executor's loop. A bundle executes so:
 *
 *	control		waits stall; a DMA start moves its data
 *	reads		L0, L1, V0, V1 and S compute their results aside
 *	changes		M adds onto its row, W loads its row, S stores, registers are written
 *
 * which is "all reads of a bundle before its writes", since M reads SRAM and
 * weights before W and S change them. Registers take their new value at once: the
 * one that is in flight may not be touched before it lands, so nobody sees the
 * difference. In a mesh all tiles do their reads before any makes its changes.
 *
 * Bounds of SRAM, accumulators and weights are always checked, the rest with control.checks.
 */
#include "emulator/exec/plain/plain.h"

#include <stdlib.h>
#include <string.h>

#include "core/tiles.h"

/* State. */

static bool suits(const struct rondo_machine *machine)
{
	return (u32)machine->mesh_w * machine->mesh_h <= PLAIN_TILES_MAX;
}

struct plain *plain_create(const struct rondo_machine *m)
{
	struct plain *p = calloc(1, sizeof(*p));
	u32 op, t;

	if (!p)
		return NULL;
	p->machine = *m;
	p->push = push_kernels(0);
	for (op = 0; op < RONDO_OPCODES; op++)
		p->latency[op] = rondo_latency(m, op);
	p->tiles = (u32)m->mesh_w * m->mesh_h;
	/* SRAM sizes are multiples of PLAIN_SRAM_ALIGN, which aligned_alloc() asks for. */
	p->sram_stride = m->sram_bytes + PLAIN_SRAM_PAD;
	p->sram = aligned_alloc(PLAIN_SRAM_ALIGN, p->tiles * p->sram_stride);
	p->shadow = calloc(p->tiles, m->sram_bytes);
	p->tile = calloc(p->tiles, sizeof(*p->tile));
	if (!p->sram || !p->shadow || !p->tile) {
		plain_destroy(p);
		return NULL;
	}
	memset(p->sram, 0, p->tiles * p->sram_stride);
	for (t = 0; t < p->tiles; t++) {
		p->tile[t].sram = p->sram + t * p->sram_stride;
		p->tile[t].acc = calloc(m->acc_rows, sizeof(*p->tile[t].acc));
		if (p->tile[t].acc)
			continue;
		plain_destroy(p);
		return NULL;
	}
	return p;
}

void plain_destroy(struct plain *p)
{
	if (!p)
		return;
	for (u32 t = 0; p->tile && t < p->tiles; t++)
		free(p->tile[t].acc);
	free(p->tile);
	free(p->shadow);
	free(p->sram);
	free(p);
}

/* Everything reads as zero when a replay starts. */
static void reset(struct plain *p)
{
	for (u32 t = 0; t < p->tiles; t++) {
		struct plain_tile *tile = &p->tile[t];

		memset(tile->vreg, 0, sizeof(tile->vreg));
		memset(tile->weight, 0, sizeof(tile->weight));
		memset(tile->acc, 0, p->machine.acc_rows * sizeof(*tile->acc));
		memset(tile->sram, 0, p->machine.sram_bytes);
		tile->written = 0;
	}
	memset(p->ready, 0, sizeof(p->ready));
	p->flipped = false;
	if (p->run->shadow)
		shadow_reset(p->run);
}

/* SRAM of the tile that is looked at. */

static bool in_bounds(struct plain *p, s64 address, u32 size, u32 align)
{
	u32 bytes = p->machine.sram_bytes;

	if (address < 0 || address > (s64)bytes - size)
		return run_trap(p->run, "SRAM access to %lld..%lld of %u", (long long)address,
				(long long)address + size - 1, bytes);
	if (address % align)
		return run_trap(p->run, "SRAM address %lld is not aligned to %u",
				(long long)address, align);
	return true;
}

/* Reads @count elements of @op's lane pattern at @address. */
static bool gather(struct plain *p, const struct exec_op *op, s64 address, u32 count, void *to)
{
	const struct rondo_entry *entry = &p->run->program->entry[op->entry];
	u32 size = rondo_element_bytes(op->op), i, run;

	for (i = 0; i < count; i += run) {
		s64 at = address + run_pattern(entry, i, count, &run);

		if (!in_bounds(p, at, run * size, size) ||
		    (p->run->shadow && !shadow_read(p->run, p->at, at, run * size)))
			return false;
		memcpy((u8 *)to + i * size, plain_tile(p)->sram + at, run * size);
	}
	return true;
}

static bool scatter(struct plain *p, const struct exec_op *op, s64 address, const void *from)
{
	const struct rondo_entry *entry = &p->run->program->entry[op->entry];
	u32 size = rondo_element_bytes(op->op), i, run;

	for (i = 0; i < op->count; i += run) {
		s64 at = address + run_pattern(entry, i, op->count, &run);

		if (!in_bounds(p, at, run * size, size) ||
		    (p->run->shadow && !shadow_write(p->run, p->at, at, run * size)))
			return false;
		memcpy(plain_tile(p)->sram + at, (const u8 *)from + i * size, run * size);
	}
	return true;
}

/* Slots, in the tile that is looked at. */

/* Readout of an accumulator row into the first @op->count lanes. */
static void readout(struct plain *p, const struct exec_op *op, u32 *d)
{
	const struct plain_tile *tile = plain_tile(p);

	slot_meaning[op->op].readout(tile->acc[p->place[op->slot].row], &tile->vreg[op->params], d);
	memset(d + op->count, 0, (RONDO_LANES_MAX - op->count) * sizeof(*d));
}

static bool load(struct plain *p, const struct exec_op *op, u32 *d)
{
	u32 elements = rondo_elements(op->op, op->count), rows, n, i;
	s64 address = p->place[op->slot].address;
	u8 bytes[RONDO_LANES_MAX * 4];
	exec_vreg x;

	rows = rondo_op_has_rows(op->op) ? op->rows : 1;
	memset(d, 0, sizeof(exec_vreg));
	for (n = 0; n < rows; n++) {
		if (!gather(p, op, address + (s64)n * p->run->program->entry[op->entry].pitch,
			    elements, bytes))
			return false;
		slot_meaning[op->op].widen(bytes, elements, x);
		for (i = 0; i < op->count; i++)
			d[i] |= x[i % elements] << 8 * n;
	}
	return true;
}

static void compute(struct plain *p, const struct exec_op *op, u32 *d)
{
	const struct plain_tile *tile = plain_tile(p);

	alu_ops[op->op](&(struct alu_args){
		.d = d,
		.a = tile->vreg[op->a],
		.b = tile->vreg[op->b],
		.c = tile->vreg[op->c],
		.params = &tile->vreg[op->params],
		.imm = op->imm,
		.shift = op->shift,
		.lanes = p->machine.lanes,
	});
}

/* Makes the bytes that a store will put into SRAM. */
static void prepare_store(struct plain *p, const struct exec_op *op)
{
	struct plain_results *r = &plain_tile(p)->results;
	const u32 *x = plain_tile(p)->vreg[op->a] + op->lane;
	exec_vreg row;

	if (slot_meaning[op->op].readout) {
		readout(p, op, row);
		x = row;
	}
	r->store = op;
	slot_meaning[op->op].narrow(x, op->count, r->stored);
}

static bool execute_weights(struct plain *p, const struct exec_op *op)
{
	const struct plain_place *place = &p->place[RONDO_W];
	struct weight_row *row = &plain_tile(p)->weight[op->buf][place->row];
	exec_vreg x;
	u32 i;

	if (!gather(p, op, place->address, op->count, x))
		return false;
	for (i = 0; i < op->count; i++)
		slot_meaning[op->op].weigh(row, i, x[i], op->zp);
	for (; i < RONDO_LANES_MAX; i++)
		weight_set_container(row, i, 0);
	return true;
}

static bool execute_matrix(struct plain *p, const struct exec_op *op)
{
	const struct plain_place *place = &p->place[RONDO_M];
	enum push_kind kind = slot_meaning[op->op].push;
	struct plain_tile *tile = plain_tile(p);
	u32 *row = tile->acc[place->row];
	exec_vreg x;

	if (!gather(p, op, place->address, op->count, x))
		return false;
	if (kind == PUSH_NONE || run_push_writes(p->run, op))
		memset(row, 0, sizeof(exec_vreg));
	if (kind == PUSH_NONE)
		memcpy(row, x, op->count * sizeof(*row));
	else
		p->push->one[kind](row, x, &tile->weight[op->buf][op->wrow], op->count);
	return true;
}

static void write_register(struct plain *p, const struct exec_op *op)
{
	struct plain_tile *tile = plain_tile(p);

	memcpy(tile->vreg[op->dst], tile->results.reg[op->slot], sizeof(exec_vreg));
	tile->written |= 1ull << op->dst;
	p->ready[op->dst] = p->run->executed + p->latency[op->op];
}

/* Bundles. */

/* With checks: every register that the bundle touches has landed. */
static bool check_registers(struct plain *p, const struct exec_bundle *b)
{
	u64 touched;

	for (touched = b->reads | b->writes; touched; touched &= touched - 1) {
		u32 r = __builtin_ctzll(touched);

		if (p->run->executed < p->ready[r])
			return run_trap(p->run, "v%u is in flight", r);
	}
	return true;
}

/* The reads of a tile. Operations of a bundle are in the order of their slots. */
static bool read_slots(struct plain *p, const struct exec_bundle *b)
{
	const struct exec_op *op = p->run->program->op + b->first, *end = op + b->ops;
	struct plain_results *r = &plain_tile(p)->results;
	u64 undefined = b->reads & ~plain_tile(p)->written;

	if (p->run->control->checks && undefined)
		return run_trap(p->run, "v%d is read before it is written",
				__builtin_ctzll(undefined));
	r->store = NULL;
	for (; op < end; op++) {
		u32 *d = r->reg[op->slot];

		if (op->slot == RONDO_S)
			prepare_store(p, op);
		else if (rondo_op_reads_acc(op->op) && op->slot != RONDO_M)
			readout(p, op, d);
		else if (rondo_op_reads_sram(op->op) && rondo_ops[op->op].latency) {
			if (!load(p, op, d))
				return false;
		} else if (p->tiles > 1 && rondo_op_reads_mesh(op->op))
			plain_between_tiles(p, op, d);
		else if (alu_ops[op->op])
			compute(p, op, d);
	}
	return true;
}

/*
 * What the reads do not tell: pushes change their row, weights are loaded, the store comes last
 * since the others read SRAM.
 */
static bool change_slots(struct plain *p, const struct exec_bundle *b)
{
	const struct exec_op *op, *first = p->run->program->op + b->first, *end = first + b->ops;
	const struct plain_results *r = &plain_tile(p)->results;

	for (op = first; op < end; op++)
		if (op->slot == RONDO_M && !execute_matrix(p, op))
			return false;
	for (op = first; op < end; op++)
		if (op->slot == RONDO_W && !execute_weights(p, op))
			return false;
	if (r->store && !scatter(p, r->store, p->place[RONDO_S].address, r->stored))
		return false;
	for (op = first; op < end; op++)
		if (rondo_ops[op->op].latency)
			write_register(p, op);
	return true;
}

/* All tiles that take part read, then all of them change. */
static bool execute_slots(struct plain *p, const struct exec_bundle *b, const struct rondo_op *mask)
{
	static bool (*const phase[])(struct plain *, const struct exec_bundle *) = { read_slots,
										     change_slots };
	const struct rondo_tiles tiles = rondo_tiles_of_bundle(&p->machine, mask);
	u32 x, y, i;

	for (i = 0; i < 2; i++) {
		for (y = tiles.y0; y <= tiles.y1; y++) {
			for (x = tiles.x0; x <= tiles.x1; x++) {
				p->at = y * p->machine.mesh_w + x;
				if (!phase[i](p, b))
					return false;
			}
		}
	}
	return true;
}

static bool step(struct plain *p, u32 *at)
{
	struct run *run = p->run;
	const struct exec_bundle *b = &run->program->bundle[*at];
	const struct rondo_op *control = exec_control_of(run->program, b);

	if (control->op && !run_control(run, control))
		return false;
	if (run->cycles >= run->control->bound)
		return run_end(run, EXEC_OVERRUN);
	if (run->control->checks && !check_registers(p, b))
		return false;
	if (!plain_find_places(p, b))
		return false;
	rondo_signature_step(&run->signature, plain_signature_value(p, b));
	if (!execute_slots(p, b, control))
		return false;
	run->cycles++;
	run->executed++;
	if (control->op == RONDO_OP_halt)
		return run_end(run, EXEC_DONE);
	*at = run_next_bundle(run, *at, 0);
	run_open_loops(run, control, *at - 1);
	return run_poll(run, 1024ull * p->tiles);
}

static void run_plain(struct exec *e, struct run *run)
{
	struct plain *p = e->plain;
	u32 at = 0;

	p->run = run;
	run->sram = p->sram;
	run->sram_stride = p->sram_stride;
	run->shadow = run->control->checks ? p->shadow : NULL;
	reset(p);
	while (step(p, &at))
		;
	run->result->bundle = at;
}

const struct executor executor_plain = { .name = "plain", .suits = suits, .run = run_plain };
