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

#include "core/mod61.h"
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
	p->acc = calloc((size_t)p->tiles * m->acc_rows, sizeof(*p->acc));
	if (!p->sram || !p->shadow || !p->tile || !p->acc) {
		plain_destroy(p);
		return NULL;
	}
	memset(p->sram, 0, p->tiles * p->sram_stride);
	for (t = 0; t < p->tiles; t++) {
		p->tile[t].sram = p->sram + t * p->sram_stride;
		p->tile[t].acc = p->acc + t * m->acc_rows;
	}
	return p;
}

void plain_destroy(struct plain *p)
{
	if (!p)
		return;
	free(p->acc);
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

/*
 * Where the operations of a bundle are: the address and the row of each, the same in all tiles,
 * and what they add to the control path's signature (core/signature.h).
 */

/* control.flip strikes if its time has come. */
static void flip(struct plain *p, const struct exec_op *op)
{
	const struct exec_control *c = p->run->control;

	if (!c->flip || p->flipped || p->run->executed + 1 < c->flip ||
	    !rondo_op_has_address(op->op))
		return;
	p->place[op->slot].address ^= 1ll << c->flip_bit;
	p->flipped = true;
}

static bool find_places(struct plain *p, const struct exec_bundle *b)
{
	const struct exec_op *op = p->run->program->op + b->first, *end = op + b->ops;

	for (; op < end; op++) {
		struct plain_place *place = &p->place[op->slot];

		*place = (struct plain_place){ 0, 0 };
		if ((rondo_op_has_address(op->op) && !run_address(p->run, op, &place->address)) ||
		    (rondo_op_has_row(op->op) && !run_row(p->run, op, &place->row)))
			return false;
		flip(p, op);
	}
	return true;
}

/* The sum of the indices that a push of mode 2 looks at. */
static u64 first_indices(const struct run *run, const struct exec_op *op)
{
	u32 first = run->program->entry[op->entry].first;
	u64 sum = 0;

	for (; first; first &= first - 1)
		sum += run->index[__builtin_ctz(first)];
	return sum;
}

static u64 signature_value(const struct plain *p, const struct exec_bundle *b)
{
	const struct exec_program *program = p->run->program;
	const struct rondo_op *control = exec_control_of(program, b);
	const struct exec_op *op = program->op + b->first, *end = op + b->ops;
	struct rondo_affine value = { .constant = b->signature };

	for (; op < end; op++) {
		const struct plain_place *place = &p->place[op->slot];

		if (!rondo_op_has_entry(op->op))
			continue;
		value.constant =
			mod61_add(value.constant,
				  rondo_signature_place(op->slot, place->address, place->row));
		if (op->mode == 2)
			value.constant = mod61_add(
				value.constant, rondo_signature_first(first_indices(p->run, op)));
	}
	if (control->op == RONDO_OP_dma)
		rondo_signature_start(&value, &program->desc[control->desc], control->last);
	return rondo_affine_at(&value, p->run->index);
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

/* Whether @op may @use @count elements of its lane pattern at @address. */
static bool in_reach(struct plain *p, const struct exec_op *op, s64 address, u32 count,
		     bool (*use)(struct run *run, u32 tile, s64 address, u32 size))
{
	const struct rondo_entry *entry = &p->run->program->entry[op->entry];
	u32 size = rondo_element_bytes(op->op), i, run;

	for (i = 0; i < count; i += run) {
		s64 at = address + run_pattern(entry, i, count, &run);

		if (!in_bounds(p, at, run * size, size) ||
		    (p->run->shadow && !use(p->run, p->at, at, run * size)))
			return false;
	}
	return true;
}

static bool gather(struct plain *p, const struct exec_op *op, s64 address, u32 count, void *to)
{
	if (!in_reach(p, op, address, count, shadow_read))
		return false;
	run_gather(&p->run->program->entry[op->entry], rondo_element_bytes(op->op), count,
		   plain_tile(p)->sram + address, to);
	return true;
}

static bool scatter(struct plain *p, const struct exec_op *op, s64 address, const void *from)
{
	if (!in_reach(p, op, address, op->count, shadow_write))
		return false;
	run_scatter(&p->run->program->entry[op->entry], rondo_element_bytes(op->op), op->count,
		    plain_tile(p)->sram + address, from);
	return true;
}

/* Slots, in the tile that is looked at. */

/* What @op makes of an accumulator row, or of a register. */
static void requantise(struct plain *p, const struct exec_op *op, u32 *d)
{
	const struct plain_tile *tile = plain_tile(p);
	const u32 *row = rondo_op_reads_acc(op->op) ? tile->acc[p->place[op->slot].row] :
						      tile->vreg[op->a];

	slot_meaning[op->op].readout(row, &tile->vreg[op->params], d);
}

/* Readout of an accumulator row into the first @op->count lanes. */
static void readout(struct plain *p, const struct exec_op *op, u32 *d)
{
	requantise(p, op, d);
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
	const u32 *x = plain_tile(p)->vreg[op->a];
	exec_vreg row;

	if (slot_meaning[op->op].readout) {
		requantise(p, op, row);
		x = row;
	}
	r->store = op;
	slot_meaning[op->op].narrow(x + op->lane, op->count, r->stored);
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
		weight_set(row, i, 0);
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
	if (!find_places(p, b))
		return false;
	rondo_signature_step(&run->signature, signature_value(p, b));
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
