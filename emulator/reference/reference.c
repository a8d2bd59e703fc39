// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cycle. In each, the bundle that is due either stalls or executes; then results move
 * down their pipelines (if it executed) and the channels work (always).
 */
#include "emulator/reference/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/machine.h"

enum {
	UNITS = 4, /* slots that write registers: L0, L1, V0, V1 */
	GARBAGE = 0xa5, /* in SRAM that is not cleared */
};

bool ref_end(struct reference *r, enum exec_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->result->reason, sizeof(r->result->reason), fmt, ap);
	va_end(ap);
	r->result->status = status;
	return false;
}

/* Memory. */

static u32 longest_latency(const struct rondo_machine *m)
{
	u32 longest = 0, op;

	for (op = 0; op < RONDO_OPCODES; op++)
		if (rondo_latency(m, (u8)op) > longest)
			longest = rondo_latency(m, (u8)op);
	return longest;
}

u64 reference_bytes(const struct rondo_machine *m)
{
	u64 flights = UNITS * longest_latency(m) * sizeof(ref_row);
	u64 tile = sizeof(struct ref_tile) + m->acc_rows * sizeof(ref_row) + m->sram_bytes;

	return (u64)m->mesh_w * m->mesh_h * (tile + flights);
}

struct reference *reference_create(const struct rondo_machine *machine)
{
	struct reference *r = calloc(1, sizeof(*r));
	u32 i;

	if (!r)
		return NULL;
	r->machine = *machine;
	r->tiles = (u32)machine->mesh_w * machine->mesh_h;
	r->flights = UNITS * longest_latency(machine);
	r->tile = calloc(r->tiles, sizeof(*r->tile));
	r->flight = calloc(r->flights, sizeof(*r->flight));
	r->values = calloc((size_t)r->flights * r->tiles, sizeof(*r->values));
	r->sram = calloc(r->tiles, machine->sram_bytes);
	r->acc = calloc((size_t)r->tiles * machine->acc_rows, sizeof(*r->acc));
	if (!r->tile || !r->flight || !r->values || !r->sram || !r->acc) {
		reference_destroy(r);
		return NULL;
	}
	for (i = 0; i < r->flights; i++)
		r->flight[i].value = r->values + (size_t)i * r->tiles;
	for (i = 0; i < r->tiles; i++) {
		r->tile[i].x = i % machine->mesh_w;
		r->tile[i].y = i / machine->mesh_w;
		r->tile[i].sram = r->sram + (size_t)i * machine->sram_bytes;
		r->tile[i].acc = r->acc + (size_t)i * machine->acc_rows;
	}
	return r;
}

void reference_destroy(struct reference *r)
{
	if (!r)
		return;
	free(r->sram);
	free(r->acc);
	free(r->tile);
	free(r->flight);
	free(r->values);
	free(r);
}

/* Loops. */

u32 ref_loop_depth(const struct reference *r)
{
	u32 depth = 0, n;

	for (n = 0; n < r->nests; n++)
		depth += r->nest[n].loops;
	return depth;
}

/* The nest that holds the loop at @depth, and which of its loops that is; NULL: not open. */
static const struct ref_nest *loop_at(const struct reference *r, u32 depth, u32 *loop)
{
	u32 n;

	for (n = 0; n < r->nests; n++) {
		if (depth < r->nest[n].loops) {
			*loop = depth;
			return &r->nest[n];
		}
		depth -= r->nest[n].loops;
	}
	return NULL;
}

u64 ref_loop_index(const struct reference *r, u32 depth)
{
	u32 loop;
	const struct ref_nest *nest = loop_at(r, depth, &loop);

	return nest ? nest->index[loop] : 0;
}

bool ref_loop_at_last(const struct reference *r, u32 depth)
{
	u32 loop;
	const struct ref_nest *nest = loop_at(r, depth, &loop);

	return nest && nest->index[loop] == nest->trips[loop] - 1;
}

static bool open_loops(struct reference *r, const struct rondo_op *op)
{
	struct ref_nest *nest = &r->nest[r->nests];
	u32 loops = rondo_loop_nest(op), i;

	if (!loops || ref_loop_depth(r) + loops > RONDO_LOOP_DEPTH)
		return ref_trap(r, "%u loops inside %u", loops, ref_loop_depth(r));
	nest->first = r->at + 1;
	nest->last = r->at + op->body;
	nest->loops = loops;
	for (i = 0; i < loops; i++) {
		nest->trips[i] = op->trip[i];
		nest->index[i] = 0;
	}
	if (nest->last >= r->program.header->bundles)
		return ref_trap(r, "loop body ends outside of the program");
	if (r->nests && nest->last > r->nest[r->nests - 1].last)
		return ref_trap(r, "loop body ends outside of its loop");
	r->nests++;
	r->at = nest->first;
	return true;
}

/* The next combination of indices, the innermost fastest; false if that was the last. */
static bool next_trip(struct ref_nest *nest)
{
	u32 i;

	for (i = nest->loops; i-- > 0;) {
		if (++nest->index[i] < nest->trips[i])
			return true;
		nest->index[i] = 0;
	}
	return false;
}

/* Goes on to the bundle after this one. */
static void advance(struct reference *r)
{
	for (; r->nests && r->nest[r->nests - 1].last == r->at; r->nests--) {
		if (next_trip(&r->nest[r->nests - 1])) {
			r->at = r->nest[r->nests - 1].first;
			return;
		}
	}
	r->at++;
}

/* Registers. */

struct usage {
	u64 reads, writes;
	bool fits;
};

/* Registers that an operation reads and writes, by the roles of spec/formats.def. */
static struct usage usage_of(const struct rondo_op *op)
{
	struct usage use = { .fits = true };

	switch (rondo_ops[op->op].format) {
/* clang-format off */
#define F(member, lo, width, kind, role)                                                           \
	if (RONDO_ROLE_##role == RONDO_ROLE_DST)                                                   \
		use.writes |= 1ull << (op->member & 63);                                           \
	if (RONDO_ROLE_##role == RONDO_ROLE_SRC)                                                   \
		use.reads |= 1ull << (op->member & 63);                                            \
	if (RONDO_ROLE_##role == RONDO_ROLE_SRC3)                                                  \
		use.fits = op->member + 2u < RONDO_VREGS, use.reads |= 7ull << (op->member & 63);
#define FORMAT(name, fields)                                                                       \
	case RONDO_FMT_##name:                                                                     \
		fields break;
#include "spec/formats.def"
		/* clang-format on */
	}
	return use;
}

static bool in_flight(const struct reference *r, u64 registers)
{
	u32 i;

	for (i = 0; i < r->flights; i++)
		if (r->flight[i].left && registers >> r->flight[i].reg & 1)
			return true;
	return false;
}

static bool check_registers(struct reference *r, u32 slot, u64 *written)
{
	const char *name = rondo_slot_names[slot];
	struct usage use = usage_of(&r->op[slot]);

	if (!use.fits)
		return ref_trap(r, "slot %s: parameters do not fit", name);
	if (use.reads & ~r->defined)
		return ref_trap(r, "slot %s reads a register that was never written", name);
	if (in_flight(r, use.reads | use.writes))
		return ref_trap(r, "slot %s touches a register in flight", name);
	if (use.writes & *written)
		return ref_trap(r, "slot %s writes a register that another slot writes", name);
	*written |= use.writes;
	return true;
}

/* Takes off: a flight of @op's latency. */
static struct ref_flight *take_off(struct reference *r, const struct rondo_op *op)
{
	u32 i;

	for (i = 0; r->flight[i].left; i++)
		; /* there is room: one for each unit and bundle of the longest latency */
	r->flight[i].left = rondo_latency(&r->machine, op->op);
	r->flight[i].reg = op->dst;
	r->flight[i].tiles = r->part;
	return &r->flight[i];
}

static void land(struct reference *r, const struct ref_flight *f)
{
	u32 i;

	for (i = 0; i < r->tiles; i++) {
		if (!ref_takes_part(&f->tiles, &r->tile[i]))
			continue;
		memcpy(r->tile[i].vreg[f->reg], f->value[i], sizeof(ref_row));
		ref_saw(r, REFERENCE_REGISTER, true, i, 0, f->reg, 1);
	}
}

/* All pipelines move by one bundle. */
static void move_flights(struct reference *r)
{
	u32 i;

	for (i = 0; i < r->flights; i++)
		if (r->flight[i].left && !--r->flight[i].left)
			land(r, &r->flight[i]);
}

/* Bundles. */

/* What would make the operation meaningless; everything else is seen where it happens. */
static bool check_op(struct reference *r, const struct rondo_op *op, u32 slot)
{
	const struct rondo_machine *m = &r->machine;
	const char *name = rondo_slot_names[slot];

	if (!(rondo_ops[op->op].slots >> slot & 1))
		return ref_trap(r, "slot %s: operation may not stand here", name);
	if (rondo_op_has_entry(op->op) && op->entry >= r->program.header->entries)
		return ref_trap(r, "slot %s: no entry %u", name, op->entry);
	if (op->lane + op->count > m->lanes || op->mode > 2 ||
	    (rondo_op_reads_weights(op->op) && op->wrow + op->count > m->lanes))
		return ref_trap(r, "slot %s: lanes, weight rows or mode out of range", name);
	if (!rondo_has_tile(m, op))
		return ref_trap(r, "slot %s: no such tile", name);
	return true;
}

static bool decode(struct reference *r)
{
	const u64 *words;
	u64 written = 0;
	u32 slot;

	if (r->at >= r->program.header->bundles)
		return ref_trap(r, "the program ends without halt");
	words = r->program.bundles[r->at];
	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		if (!rondo_decode(words[slot], &r->op[slot]))
			return ref_trap(r, "slot %s: undefined word", rondo_slot_names[slot]);
		if (r->op[slot].op &&
		    (!check_op(r, &r->op[slot], slot) || !check_registers(r, slot, &written)))
			return false;
	}
	return true;
}

static bool set_mask(struct reference *r)
{
	r->part = rondo_tiles_of_bundle(&r->machine, &r->op[RONDO_C]);
	return rondo_tiles_valid(&r->machine, r->part) || ref_trap(r, "mask outside the mesh");
}

/* The operation of @slot in all tiles that take part: its result takes off. */
static bool execute_result(struct reference *r, u32 slot)
{
	const struct rondo_op *op = &r->op[slot];
	struct ref_flight *flight = take_off(r, op);
	u32 i;

	for (i = 0; i < r->tiles; i++) {
		struct ref_tile *t = &r->tile[i];

		if (!ref_takes_part(&r->part, t))
			continue;
		if (slot == RONDO_L0 || slot == RONDO_L1) {
			if (!ref_load(r, t, op, flight->value[i]))
				return false;
		} else {
			r->result->activity.vector_lanes += r->machine.lanes;
			ref_vector(r, t, op, flight->value[i]);
		}
		ref_saw(r, REFERENCE_RESULT, true, i, (u32)(flight - r->flight), op->dst, 1);
	}
	return true;
}

/* What S, W and M change in one tile. */
static bool execute_tile(struct reference *r, struct ref_tile *t)
{
	struct ref_changes changes = { .stores = 0 };

	if (r->op[RONDO_S].op && !ref_store(r, t, &r->op[RONDO_S], &changes))
		return false;
	if (r->op[RONDO_W].op && !ref_weights(r, t, &r->op[RONDO_W], &changes))
		return false;
	if (r->op[RONDO_M].op && !ref_matrix(r, t, &r->op[RONDO_M], &changes))
		return false;
	ref_change(r, t, &changes);
	return true;
}

/* Whoever watches sees the registers that the bundle reads in the tiles that take part. */
static void saw_reads(struct reference *r)
{
	u64 reads = 0;
	u32 slot, i;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		reads |= usage_of(&r->op[slot]).reads;
	for (; reads; reads &= reads - 1)
		for (i = 0; i < r->tiles; i++)
			if (ref_takes_part(&r->part, &r->tile[i]))
				ref_saw(r, REFERENCE_REGISTER, false, i, 0,
					(u32)__builtin_ctzll(reads), 1);
}

static bool execute(struct reference *r)
{
	static const u8 units[UNITS] = { RONDO_L0, RONDO_L1, RONDO_V0, RONDO_V1 };
	u64 written = 0;
	u32 i;

	if (!set_mask(r))
		return false;
	if (r->seen)
		saw_reads(r);
	for (i = 0; i < UNITS; i++) {
		if (r->op[units[i]].op && !execute_result(r, units[i]))
			return false;
		written |= usage_of(&r->op[units[i]]).writes;
	}
	for (i = 0; i < r->tiles; i++)
		if (ref_takes_part(&r->part, &r->tile[i]) && !execute_tile(r, &r->tile[i]))
			return false;
	r->defined |= written;
	return true;
}

/* Activity that is not counted where it happens. */

/* Times that @op crosses each link between neighbours of a row, or of a column. */
static void crossings(u8 op, u32 *row, u32 *column)
{
	*row = *column = 0;
	switch ((enum rondo_links)rondo_ops[op].links) {
	case RONDO_LINKS_0:
		break;
	case RONDO_LINKS_ROW:
		*row = 1;
		break;
	case RONDO_LINKS_COL:
		*column = 1;
		break;
	case RONDO_LINKS_ROW2:
		*row = 2;
		break;
	case RONDO_LINKS_COL2:
		*column = 2;
		break;
	}
}

/* Whether the bundle comes from outside: no loop that fits the loop buffer replays it. */
static bool is_fetched(const struct reference *r)
{
	u32 n, i;

	for (n = 0; n < r->nests; n++) {
		const struct ref_nest *nest = &r->nest[n];

		if (nest->last - nest->first + 1 > r->machine.loop_buffer)
			continue;
		for (i = 0; i < nest->loops; i++)
			if (nest->index[i])
				return false;
	}
	return true;
}

static void count(struct reference *r)
{
	struct rondo_activity *activity = &r->result->activity;
	u32 row, column, i;

	activity->bundles++;
	activity->fetched += is_fetched(r);
	crossings(r->op[RONDO_V1].op, &row, &column);
	for (i = 0; i < r->tiles; i++) {
		u32 links = (r->tile[i].x > 0 ? row : 0) + (r->tile[i].y > 0 ? column : 0);

		activity->mesh_hops += (u64)links * r->machine.lanes * sizeof(u32);
	}
}

/* The run. */

static bool drained(const struct reference *r)
{
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		if (r->channel[c].outstanding)
			return false;
	return true;
}

/* The bundle that is due, if it need not wait; *@issued says whether it executed. */
static bool issue(struct reference *r, bool *issued)
{
	struct rondo_op control;

	if (!decode(r))
		return false;
	control = r->op[RONDO_C];
	*issued = ref_may_issue(r, &control);
	if (!*issued)
		return true;
	if (control.op == RONDO_OP_halt && (!drained(r) || r->nests))
		return ref_trap(r, "halt in a loop, or with a transfer outstanding");
	if (control.op == RONDO_OP_dma && !ref_start(r, &control))
		return false;
	count(r);
	ref_sign(r);
	if (!execute(r))
		return false;
	r->result->bundle = r->at;
	if (control.op == RONDO_OP_halt)
		return true;
	if (rondo_op_is_loop(control.op))
		return open_loops(r, &control);
	advance(r);
	return true;
}

/* One cycle; false after the last. */
static bool cycle(struct reference *r)
{
	bool issued;

	if (r->now >= r->bound)
		return ref_end(r, EXEC_OVERRUN, "%s", "");
	r->result->bundle = r->at;
	if (!issue(r, &issued))
		return false;
	if (issued)
		move_flights(r);
	if (!ref_channels_step(r))
		return false;
	r->now++;
	return !issued || r->op[RONDO_C].op != RONDO_OP_halt;
}

/* SRAM holds garbage but where it is cleared, which takes its time; all else is zero. */
static void reset(struct reference *r, const struct rondo_facts *facts)
{
	u32 i, k, per_cycle = r->machine.clear_bytes_per_cycle;

	r->now = 0;
	r->at = 0;
	r->weight = 1;
	r->defined = 0;
	r->nests = 0;
	memset(r->channel, 0, sizeof(r->channel));
	for (i = 0; i < r->flights; i++)
		r->flight[i].left = 0;
	for (i = 0; i < r->tiles; i++) {
		struct ref_tile *t = &r->tile[i];

		memset(t->vreg, 0, sizeof(t->vreg));
		memset(t->weight, 0, sizeof(t->weight));
		memset(t->acc, 0, r->machine.acc_rows * sizeof(*t->acc));
		memset(t->sram, facts ? GARBAGE : 0, r->machine.sram_bytes);
		for (k = 0; facts && k < facts->clear_count; k++) {
			u32 bytes = facts->clear[k].hi - facts->clear[k].lo;

			memset(t->sram + facts->clear[k].lo, 0, bytes);
			r->result->activity.sram_cleared += bytes;
		}
	}
	for (k = 0; facts && k < facts->clear_count; k++)
		r->now += (facts->clear[k].hi - facts->clear[k].lo + per_cycle - 1) / per_cycle;
}

bool reference_begin(struct reference *r, const void *data, u64 size,
		     const struct rondo_facts *facts, const struct exec_io *io, u64 bound,
		     struct reference_result *result)
{
	u32 error;

	memset(result, 0, sizeof(*result));
	r->result = result;
	r->io = io;
	r->bound = bound;
	error = rondo_program_open(&r->program, data, size);
	if (!error && r->program.header->machine_hash != rondo_machine_hash(&r->machine))
		error = RONDO_ERR_MACHINE;
	if (error)
		return ref_trap(r, "%s", rondo_error_text(error));
	reset(r, facts);
	result->cycles = r->now;
	return true;
}

void reference_clear_sram(struct reference *r)
{
	u32 i;

	for (i = 0; i < r->tiles; i++)
		memset(r->tile[i].sram, 0, r->machine.sram_bytes);
}

bool reference_step(struct reference *r)
{
	bool goes_on = cycle(r);

	r->result->cycles = r->now;
	return goes_on;
}

void reference_run(struct reference *r, const void *data, u64 size, const struct rondo_facts *facts,
		   const struct exec_io *io, u64 bound, struct reference_result *result)
{
	if (!reference_begin(r, data, size, facts, io, bound, result))
		return;
	while (reference_step(r))
		;
}

void reference_watch(struct reference *r,
		     void (*seen)(void *ctx, const struct reference_access *access), void *ctx)
{
	r->seen = seen;
	r->seen_ctx = ctx;
}
