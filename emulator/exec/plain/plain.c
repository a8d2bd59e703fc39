// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The executor's loop. A bundle executes so:
 *
 *	control		waits stall; a DMA start moves its data
 *	reads		L0, L1, V0, V1 and S compute their results aside
 *	changes		M adds onto its row, W loads its row, S stores, registers are written
 *
 * which is "all reads of a bundle before its writes", since M reads SRAM and
 * weights before W and S change them. Registers take their new value at once: the
 * one that is in flight may not be touched before it lands, so nobody sees the
 * difference. In a mesh all tiles do their reads before any makes its changes.
 */
#include "emulator/exec/plain/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/machine.h"
#include "emulator/exec/plain/f32.h"
#include "emulator/exec/mesh/mesh.h"

bool exec_end(struct exec *e, enum exec_status status)
{
	e->result->status = status;
	return false;
}

bool exec_fail(struct exec *e, enum exec_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->result->reason, sizeof(e->result->reason), fmt, ap);
	va_end(ap);
	return exec_end(e, status);
}

bool exec_poll(struct exec *e, u64 work)
{
	e->work += work;
	if (e->work < EXEC_POLL_WORK)
		return true;
	if (e->control->now && e->grouped)
		mesh_clock_work(e, e->work);
	else if (e->control->now)
		atomic_store_explicit(e->control->now, e->cycles, memory_order_relaxed);
	e->work = 0;
	if (e->control->stop && atomic_load_explicit(e->control->stop, memory_order_relaxed))
		return exec_end(e, EXEC_ABORTED);
	return true;
}

void exec_use_tile(struct exec *e, u32 tile)
{
	struct exec_tile *t = &e->tile[tile];

	e->at = tile;
	e->vreg = t->vreg;
	e->weight = t->weight;
	e->acc = t->acc;
	e->sram = t->sram;
	e->shadow = t->shadow;
	e->written = &t->written;
	e->results = &t->results;
}

static u8 *align_up(void *block, uintptr_t align)
{
	return (u8 *)(((uintptr_t)block + align - 1) & -align);
}

static bool create_tiles(struct exec *e)
{
	const struct rondo_machine *m = &e->machine;
	u32 t;

	e->tile = calloc(e->tiles, sizeof(*e->tile));
	for (t = 0; e->tile && t < e->tiles; t++) {
		struct exec_tile *tile = &e->tile[t];

		tile->acc = calloc(m->acc_rows, sizeof(*tile->acc));
		tile->sram_block = calloc(m->sram_bytes + EXEC_SRAM_ALIGN + EXEC_SRAM_PAD, 1);
		tile->sram = align_up(tile->sram_block, EXEC_SRAM_ALIGN);
		tile->shadow = calloc(m->sram_bytes, 1);
		if (!tile->acc || !tile->sram_block || !tile->shadow)
			return false;
	}
	if (e->tile)
		exec_use_tile(e, 0);
	return e->tile;
}

struct exec *exec_create(const struct rondo_machine *machine)
{
	struct exec *e;
	u32 op;

	if (!rondo_machine_supported(machine))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->machine = *machine;
	e->push = push_kernels(0);
	for (op = 0; op < RONDO_OPCODES; op++)
		e->latency[op] = rondo_latency(machine, op);
	e->tiles = (u32)machine->mesh_w * machine->mesh_h;
	if (e->tiles > 1)
		e->mesh = mesh_create(machine);
	if ((e->tiles == 1 || e->mesh) && (e->tiles > MESH_PLAIN_TILES || create_tiles(e)))
		return e;
	exec_destroy(e);
	return NULL;
}

void exec_destroy(struct exec *e)
{
	if (!e)
		return;
	for (u32 t = 0; e->tile && t < e->tiles; t++) {
		free(e->tile[t].acc);
		free(e->tile[t].sram_block);
		free(e->tile[t].shadow);
	}
	free(e->tile);
	mesh_destroy(e->mesh);
	free(e);
}

bool exec_clean(struct exec *e, const atomic_bool *stop)
{
	return !e->mesh || mesh_clean(e->mesh, stop);
}

void exec_widen(u8 op, const u8 *bytes, u32 count, u32 *d)
{
	u32 size = rondo_element_bytes(op), i;

	for (i = 0; i < count; i++) {
		const u8 *x = bytes + i * size;

		switch (op) {
		case RONDO_OP_ld_s8:
			d[i] = (u32)(s8)x[0];
			break;
		case RONDO_OP_ld_u8:
			d[i] = x[0];
			break;
		case RONDO_OP_ld_bf16:
			d[i] = (u32)x[0] << 16 | (u32)x[1] << 24;
			break;
		default:
			memcpy(&d[i], x, 4);
		}
	}
}

static bool load(struct exec *e, const struct exec_op *op, u32 *d)
{
	u32 size = rondo_element_bytes(op->op);
	u32 count = rondo_elements(op->op, op->count);
	u8 bytes[RONDO_LANES_MAX * 4];
	u32 i;

	if (!sram_gather(e, op, e->place[op->slot].address, count, size, bytes))
		return false;
	memset(d, 0, sizeof(exec_vreg));
	exec_widen(op->op, bytes, count, d);
	for (i = count; i < op->count; i++)
		d[i] = d[0];
	return true;
}

static bool load_rows(struct exec *e, const struct exec_op *op, u32 *d)
{
	s32 pitch = e->program->entry[op->entry].pitch;
	s64 address = e->place[op->slot].address;
	u8 bytes[RONDO_LANES_MAX];
	u32 i, n;

	memset(d, 0, sizeof(exec_vreg));
	for (n = 0; n < op->rows; n++) {
		if (!sram_gather(e, op, address + (s64)n * pitch, op->count, 1, bytes))
			return false;
		for (i = 0; i < op->count; i++)
			d[i] |= (u32)bytes[i] << 8 * n;
	}
	return true;
}

/* Readout of an accumulator row, plain or requantised, into the first @op->count lanes. */
static void readout(struct exec *e, const struct exec_op *op, u32 *d)
{
	s64 row = e->place[op->slot].row;

	if (rondo_op_has_params(op->op))
		alu_requantise(op->op, e->acc[row], &e->vreg[op->params], d);
	else
		memcpy(d, e->acc[row], sizeof(exec_vreg));
	memset(d + op->count, 0, (RONDO_LANES_MAX - op->count) * sizeof(*d));
}

static bool execute_load(struct exec *e, const struct exec_op *op, u32 *d)
{
	if (rondo_op_reads_acc(op->op)) {
		readout(e, op, d);
		return true;
	}
	return rondo_op_has_rows(op->op) ? load_rows(e, op, d) : load(e, op, d);
}

static void execute_alu(struct exec *e, const struct exec_op *op, u32 *d)
{
	alu_ops[op->op](&(struct alu_args){
		.d = d,
		.a = e->vreg[op->a],
		.b = e->vreg[op->b],
		.c = e->vreg[op->c],
		.params = &e->vreg[op->params],
		.imm = op->imm,
		.shift = op->shift,
		.lanes = e->machine.lanes,
	});
}

void exec_narrow(u8 op, const u32 *x, u32 count, u8 *bytes)
{
	u32 i, size = rondo_element_bytes(op);

	for (i = 0; i < count; i++) {
		s32 value = (s32)x[i];
		u32 element;

		switch (op) {
		case RONDO_OP_st_s8:
			element = (u32)(value < -128 ? -128 : value > 127 ? 127 : value);
			break;
		case RONDO_OP_st_u8:
			element = (u32)(value < 0 ? 0 : value > 255 ? 255 : value);
			break;
		case RONDO_OP_st_bf16:
			element = bf16_of(x[i]);
			break;
		default:
			element = x[i];
		}
		memcpy(bytes + i * size, &element, size);
	}
}

/* Makes the bytes that a store will put into SRAM. */
static void prepare_store(struct exec *e, const struct exec_op *op)
{
	struct exec_results *r = e->results;
	bool from_row = rondo_op_reads_acc(op->op);
	exec_vreg row;
	const u32 *x = from_row ? row : e->vreg[op->a] + op->lane;

	if (from_row)
		readout(e, op, row);
	r->store = op;
	exec_narrow(op->op, x, op->count, r->stored);
}

static bool commit_store(struct exec *e)
{
	const struct exec_results *r = e->results;
	const struct exec_op *op = r->store;

	return !op || sram_scatter(e, op, e->place[RONDO_S].address, op->count,
				   rondo_element_bytes(op->op), r->stored);
}

void exec_set_weights(const struct exec_op *op, const u32 *x, struct weight_row *row, u32 lane,
		      u32 lanes)
{
	u32 i, n;

	for (i = 0; i < lanes; i++) {
		s16 weight[4] = { 0 };

		if (op->op == RONDO_OP_wl_w || i >= op->count) {
			weight_set_container(row, lane + i, x[i]);
			continue;
		}
		for (n = 0; n < 4; n++)
			weight[n] = op->op == RONDO_OP_wl_s8 ? (s8)(x[i] >> 8 * n) - (s8)op->zp :
							       (u8)(x[i] >> 8 * n) - op->zp;
		weight_set_bytes(row, lane + i, weight);
	}
}

static bool execute_weights(struct exec *e, const struct exec_op *op)
{
	const struct exec_place *place = &e->place[RONDO_W];
	exec_vreg x = { 0 };

	if (!sram_gather(e, op, place->address, op->count, 4, x))
		return false;
	exec_set_weights(op, x, &e->weight[op->buf][place->row], 0, RONDO_LANES_MAX);
	return true;
}

bool exec_push_writes(const struct exec *e, const struct exec_op *op)
{
	u8 first = e->program->entry[op->entry].first;
	u32 d;

	if (op->mode != 2)
		return op->mode == 1;
	for (d = 0; d < e->depth; d++)
		if (first & 1 << d && e->index[d])
			return false;
	return true;
}

static bool execute_matrix(struct exec *e, const struct exec_op *op)
{
	const struct weight_row *w = &e->weight[op->buf][op->wrow];
	s64 row = e->place[RONDO_M].row;
	exec_vreg x = { 0 };

	if (!sram_gather(e, op, e->place[RONDO_M].address, op->count, 4, x))
		return false;
	if (!rondo_op_reads_weights(op->op)) { /* a preset */
		memcpy(e->acc[row], x, sizeof(x));
		return true;
	}
	if (exec_push_writes(e, op))
		memset(e->acc[row], 0, sizeof(exec_vreg));
	switch (op->op) {
	case RONDO_OP_push_f32:
		e->push->f32(e->acc[row], x, w, op->count);
		break;
	case RONDO_OP_push_bf16:
		e->push->bf16(e->acc[row], x, w, op->count);
		break;
	case RONDO_OP_push_s8:
		e->push->s8(e->acc[row], x, w, op->count);
		break;
	default:
		e->push->u8(e->acc[row], x, w, op->count);
	}
	return true;
}

/* With checks: every register that the bundle touches has landed. */
static bool check_registers(struct exec *e, const struct exec_bundle *b)
{
	u64 touched;

	for (touched = b->reads | b->writes; touched; touched &= touched - 1) {
		u32 r = __builtin_ctzll(touched);

		if (e->executed < e->ready[r])
			return exec_trap(e, "v%u is in flight", r);
	}
	return true;
}

static void write_register(struct exec *e, const struct exec_op *op, const u32 *value)
{
	memcpy(e->vreg[op->dst], value, sizeof(exec_vreg));
	*e->written |= 1ull << op->dst;
	e->ready[op->dst] = e->executed + e->latency[op->op];
}

/* The reads of a tile. Operations of a bundle are in the order of their slots. */
static bool read_slots(struct exec *e, const struct exec_bundle *b)
{
	const struct exec_op *op, *first = e->program->op + b->first, *end = first + b->ops;
	struct exec_results *r = e->results;
	u64 undefined = b->reads & ~*e->written;

	if (e->control->checks && undefined)
		return exec_trap(e, "v%d is read before it is written", __builtin_ctzll(undefined));
	r->store = NULL;
	for (op = first; op < end; op++) {
		if (op->slot == RONDO_L0 || op->slot == RONDO_L1) {
			if (!execute_load(e, op, r->reg[op->slot]))
				return false;
		} else if (e->tiles > 1 && rondo_op_reads_mesh(op->op)) {
			exec_between_tiles(e, op, r->reg[op->slot]);
		} else if (op->slot == RONDO_V0 || op->slot == RONDO_V1) {
			execute_alu(e, op, r->reg[op->slot]);
		} else if (op->slot == RONDO_S) {
			prepare_store(e, op);
		}
	}
	return true;
}

/* The changes of a tile. */
static bool change_slots(struct exec *e, const struct exec_bundle *b)
{
	const struct exec_op *op, *first = e->program->op + b->first, *end = first + b->ops;

	for (op = first; op < end; op++)
		if (op->slot == RONDO_M && !execute_matrix(e, op))
			return false;
	for (op = first; op < end; op++)
		if (op->slot == RONDO_W && !execute_weights(e, op))
			return false;
	if (!commit_store(e))
		return false;
	for (op = first; op < end; op++)
		if (rondo_ops[op->op].latency)
			write_register(e, op, e->results->reg[op->slot]);
	return true;
}

/* All tiles that take part read, then all of them change. */
static bool execute_slots(struct exec *e, const struct exec_bundle *b, const struct rondo_op *mask)
{
	static bool (*const phase[])(struct exec *, const struct exec_bundle *) = { read_slots,
										    change_slots };
	u32 x1 = e->machine.mesh_w - 1u, y1 = e->machine.mesh_h - 1u, x0 = 0, y0 = 0, x, y, i;

	if (mask->op == RONDO_OP_mask) {
		x0 = mask->x0;
		y0 = mask->y0;
		x1 = mask->x1;
		y1 = mask->y1;
	}
	for (i = 0; i < 2; i++) {
		for (y = y0; y <= y1; y++) {
			for (x = x0; x <= x1; x++) {
				exec_use_tile(e, y * e->machine.mesh_w + x);
				if (!phase[i](e, b))
					return false;
			}
		}
	}
	return true;
}

bool exec_control(struct exec *e, const struct rondo_op *op)
{
	if (!dma_wait(e, op))
		return false;
	switch (op->op) {
	case RONDO_OP_dma:
		return dma_start(e, op);
	case RONDO_OP_halt:
		return !e->control->checks || dma_drained(e);
	default: /* loops open after the bundle, and masks are for its other slots */
		return true;
	}
}

void exec_open_loops(struct exec *e, const struct rondo_op *op, u32 at)
{
	u32 nest = rondo_loop_nest(op);
	u32 i, base = e->depth;

	for (i = 0; i < nest; i++, e->depth++) {
		e->index[e->depth] = 0;
		e->loop[e->depth] = (struct exec_loop){
			.trips = op->trip[i],
			.first = at + 1,
			.last = at + op->body,
			.base = base,
			.top = base + nest,
		};
	}
}

u32 exec_next_bundle(struct exec *e, u32 at, u32 base)
{
	u32 d = e->depth;

	while (d > base && e->loop[d - 1].last == at) {
		const struct exec_loop *loop = &e->loop[--d];

		if (++e->index[d] < loop->trips) {
			e->depth = loop->top;
			return loop->first;
		}
		e->index[d] = 0;
		if (d == loop->base)
			e->depth = d;
	}
	return at + 1;
}

static bool step(struct exec *e, u32 *at)
{
	const struct exec_bundle *b = &e->program->bundle[*at];
	struct rondo_op control;

	control.op = RONDO_OP_NOP;
	if (b->control) {
		rondo_decode(b->control, &control);
		if (!exec_control(e, &control))
			return false;
	}
	if (e->cycles >= e->control->bound)
		return exec_end(e, EXEC_OVERRUN);
	if (e->control->checks && !check_registers(e, b))
		return false;
	if (!exec_find_places(e, b))
		return false;
	rondo_signature_step(&e->signature, exec_signature_value(e, b, &control));
	if (!execute_slots(e, b, &control))
		return false;
	e->cycles++;
	e->executed++;
	if (control.op == RONDO_OP_halt)
		return exec_end(e, EXEC_DONE);
	*at = exec_next_bundle(e, *at, 0);
	if (rondo_op_is_loop(control.op))
		exec_open_loops(e, &control, *at - 1);
	return exec_poll(e, 1024ull * e->tiles);
}

/* Everything reads as zero when a replay starts. */
static void reset(struct exec *e)
{
	for (u32 t = 0; !e->grouped && t < e->tiles; t++) {
		struct exec_tile *tile = &e->tile[t];

		memset(tile->vreg, 0, sizeof(tile->vreg));
		memset(tile->weight, 0, sizeof(tile->weight));
		memset(tile->acc, 0, e->machine.acc_rows * sizeof(*tile->acc));
		memset(tile->sram, 0, e->machine.sram_bytes);
		tile->written = 0;
		exec_use_tile(e, t);
		if (e->control->checks)
			sram_reset_shadow(e);
	}
	memset(e->ready, 0, sizeof(e->ready));
	memset(e->channel, 0, sizeof(e->channel));
	e->executed = 0;
	e->flipped = false;
	e->depth = 0;
	e->work = 0;
}

void exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result)
{
	struct exec_control unchecked = *control;
	u32 at = 0;

	memset(result, 0, sizeof(*result));
	unchecked.checks = false;
	e->grouped = e->tiles > 1 && (!(control->checks || control->flip) || !e->tile);
	e->program = program;
	e->io = io;
	e->control = e->grouped ? &unchecked : control;
	e->result = result;
	reset(e);
	rondo_signature_reset(&e->signature);
	e->cycles = program->clear_cycles;
	if (control->now)
		atomic_store_explicit(control->now, e->cycles, memory_order_relaxed);
	if (e->grouped)
		mesh_run(e, &at);
	while (!e->grouped && step(e, &at))
		;
	result->bundle = at;
	result->signature = e->signature.sum;
	result->cycles = result->status == EXEC_OVERRUN ? control->bound : e->cycles;
	if (control->now)
		atomic_store_explicit(control->now, result->cycles, memory_order_relaxed);
}
