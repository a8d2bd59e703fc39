// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The driver of the verifier.
 *
 * Threat: a process hands the kernel a program that a device will execute, on memory of the
 * kernel's, without looking at it again. The process may have made any bytes.
 *
 * Mechanism: default deny, in one bounded pass. The tables are checked, then each bundle once in
 * the order of the text, then the claims. Within a bundle the order is that of the machine: waits,
 * start, reads, writes, the tick of the clock, loops that open, loops that end. A check either
 * lets the pass go on or ends it with a code; only finish() makes a good verdict.
 *
 * Invariant: when the pass is at a bundle, every execution of the bundles before it, in all trips
 * of their loops, is proved to be in bounds and free of hazards and races. What depends on the
 * later trips of a loop is proved where the loop ends.
 */
#include "core/machine.h"
#include "core/verify_state.h"

enum {
	ITEMS_PER_BUNDLE = 4, /* table items that cost about as much as one bundle */
	SCANS_PER_BUNDLE = 8, /* and scanned bundles */
	BUNDLES_PER_STEP = 4096,
};

static u32 check_header(struct rondo_verify *v, const void *data, u64 size)
{
	u32 error = rondo_program_open(&v->program, data, size);

	if (error)
		return error;
	if (v->program.header->machine_hash != rondo_machine_hash(&v->machine))
		return RONDO_ERR_MACHINE;
	if (!rondo_machine_supported(&v->machine))
		return RONDO_ERR_MACHINE_UNSUPPORTED;
	return RONDO_ERR_NONE;
}

/* Records a verdict other than "good so far"; returns whether there is one. */
static bool refused(struct rondo_verify *v, u32 error)
{
	if (!error)
		return false;
	v->verdict.code = error;
	if (rondo_error_where(error) == RONDO_WHERE_NONE)
		v->verdict.index = 0;
	if (rondo_error_where(error) != RONDO_WHERE_BUNDLE)
		v->verdict.slot = 0;
	v->phase = RONDO_VERIFY_DONE;
	return true;
}

static void start(struct rondo_verify *v, const struct rondo_machine *machine, const void *data,
		  u64 size, u64 budget, bool measure)
{
	memset(v, 0, sizeof(*v));
	v->machine = *machine;
	v->budget = budget;
	v->measure = measure;
	rondo_time_init(&v->time, machine);
	rondo_signature_text_init(&v->signature, 0);
	refused(v, check_header(v, data, size));
}

void rondo_verify_init(struct rondo_verify *v, const struct rondo_machine *machine,
		       const void *data, u64 size, u64 budget)
{
	start(v, machine, data, size, budget, false);
}

void rondo_measure_init(struct rondo_verify *v, const struct rondo_machine *machine,
			const void *data, u64 size)
{
	start(v, machine, data, size, 0, true);
}

void rondo_measure_claim(const struct rondo_verify *v, void *data)
{
	struct rondo_program_header *h = data;
	struct rondo_slot *slots = (void *)(h + 1);
	u32 i;

	h->cycles = v->facts.cycles;
	for (i = 0; i < h->slots; i++) {
		slots[i].read_lo = v->extent[i].read_lo;
		slots[i].read_hi = v->extent[i].read_hi;
		slots[i].write_lo = v->extent[i].write_lo;
		slots[i].write_hi = v->extent[i].write_hi;
	}
}

void rondo_verify_charge(struct rondo_verify *v, u32 bundles)
{
	v->work = v->work > bundles ? v->work - bundles : 0;
}

/* Decodes one slot and checks what holds for every operation. */
static u32 decode(struct rondo_verify *v, u64 word, u32 slot)
{
	struct rondo_op *op = &v->bundle.slot[slot];
	const struct rondo_op_info *info;

	if (!rondo_decode(word, op))
		return rondo_ops[op->op].format == RONDO_FMT_NONE ? RONDO_ERR_OPCODE :
								    RONDO_ERR_CANONICAL;
	info = &rondo_ops[op->op];
	if (op->op && !(info->slots >> slot & 1))
		return RONDO_ERR_OPCODE_SLOT;
	if (op->params + 2 >= RONDO_VREGS)
		return RONDO_ERR_REGISTER;
	return RONDO_ERR_NONE;
}

static u32 check_mask(struct rondo_verify *v, const struct rondo_op *op)
{
	const struct rondo_machine *m = &v->machine;

	v->tiles = rondo_tiles_of_bundle(m, op);
	v->all_tiles = rondo_tiles_equal(v->tiles, rondo_tiles_all(m));
	return rondo_tiles_valid(m, v->tiles) ? RONDO_ERR_NONE : RONDO_ERR_MASK;
}

static u32 check_halt(const struct rondo_verify *v)
{
	if (v->next + 1 != v->program.header->bundles || v->depth)
		return RONDO_ERR_HALT;
	return v->outstanding ? RONDO_ERR_HALT_CHANNELS : RONDO_ERR_NONE;
}

static u32 check_control(struct rondo_verify *v)
{
	const struct rondo_op *op = &v->bundle.slot[RONDO_C];
	u32 error;

	v->verdict.slot = RONDO_C;
	v->tiles = rondo_tiles_all(&v->machine);
	v->all_tiles = true;
	error = rondo_verify_waits(v, op);
	if (error)
		return error;
	switch (op->op) {
	case RONDO_OP_halt:
		return check_halt(v);
	case RONDO_OP_dma:
		return rondo_verify_start(v, op);
	case RONDO_OP_mask:
		return check_mask(v, op);
	default:
		return RONDO_ERR_NONE;
	}
}

/* All reads of a bundle come before its writes, so S is the last to be looked at. */
static u32 check_accesses(struct rondo_verify *v)
{
	static const u8 order[] = { RONDO_L0, RONDO_L1, RONDO_W, RONDO_M, RONDO_S };
	u32 error, i;

	for (i = 0; i < sizeof(order); i++) {
		const struct rondo_op *op = &v->bundle.slot[order[i]];

		v->verdict.slot = order[i];
		error = op->op ? rondo_verify_access(v, op) : RONDO_ERR_NONE;
		if (error)
			return error;
	}
	return RONDO_ERR_NONE;
}

static u32 check_mesh(struct rondo_verify *v)
{
	const struct rondo_op *op = &v->bundle.slot[RONDO_V1];

	v->verdict.slot = RONDO_V1;
	return rondo_has_tile(&v->machine, op) ? RONDO_ERR_NONE : RONDO_ERR_MESH;
}

/* The bundle is over: time passes, loops open and end. */
static u32 leave_bundle(struct rondo_verify *v)
{
	const struct rondo_op *op = &v->bundle.slot[RONDO_C];
	u32 error = RONDO_ERR_NONE;

	v->verdict.slot = RONDO_C;
	v->clock++;
	if (rondo_op_is_loop(op->op))
		error = rondo_verify_open_loops(v, op);
	else if (op->op != RONDO_OP_halt && v->next + 1 == v->program.header->bundles)
		error = RONDO_ERR_HALT;
	return error ? error : rondo_verify_close_loops(v);
}

/* All numbers that the bundle is executed with are known to be in order. */
static void sign(struct rondo_verify *v, const u64 *words)
{
	struct rondo_affine value;

	rondo_signature_value(&value, &v->program, words, &v->bundle, v->depth);
	rondo_signature_bundle(&v->signature, &value);
}

static u32 check_bundle(struct rondo_verify *v)
{
	const u64 *words = v->program.bundles[v->next];
	u32 error, slot;

	v->verdict.index = v->next;
	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		v->verdict.slot = slot;
		error = decode(v, words[slot], slot);
		if (error)
			return error;
	}
	error = check_control(v);
	if (!error)
		error = check_accesses(v);
	if (!error)
		error = check_mesh(v);
	if (!error)
		error = rondo_verify_registers(v);
	if (error)
		return error;
	sign(v, words);
	return leave_bundle(v);
}

static bool extent_differs(const struct rondo_slot *slot, const struct rondo_extent *extent)
{
	return slot->read_lo != extent->read_lo || slot->read_hi != extent->read_hi ||
	       slot->write_lo != extent->write_lo || slot->write_hi != extent->write_hi;
}

static u32 check_claims(struct rondo_verify *v)
{
	const struct rondo_program *p = &v->program;
	u32 i;

	for (i = 0; i < p->header->slots; i++) {
		v->verdict.index = i;
		if (extent_differs(&p->slots[i], &v->extent[i]))
			return RONDO_ERR_SLOT_EXTENT;
	}
	return p->header->cycles == v->facts.cycles ? RONDO_ERR_NONE : RONDO_ERR_CYCLES;
}

static u32 finish(struct rondo_verify *v)
{
	u64 cycles = rondo_time_end(&v->time, v->clock) + rondo_clear_finish(v);
	u32 error;

	v->phase = RONDO_VERIFY_DONE;
	v->facts.cycles = cycles;
	v->facts.signature = v->signature.level[0].value.constant;
	if (cycles >= RONDO_TIME_LIMIT)
		return RONDO_ERR_BUDGET;
	if (!v->measure) {
		error = check_claims(v);
		if (error)
			return error;
	}
	if (v->budget && cycles > v->budget)
		return RONDO_ERR_BUDGET;
	v->verdict = (struct rondo_verdict){ .code = RONDO_ERR_NONE };
	return RONDO_ERR_NONE;
}

static void step_tables(struct rondo_verify *v)
{
	u32 items = rondo_verify_table_items(v), left = ITEMS_PER_BUNDLE;

	for (; v->next < items && left; v->next++, left--)
		if (refused(v, rondo_verify_table_item(v, v->next)))
			return;
	if (v->next == items) {
		v->next = 0;
		v->phase = RONDO_VERIFY_BUNDLES;
	}
}

static void step_bundle(struct rondo_verify *v)
{
	if (refused(v, check_bundle(v)))
		return;
	if (++v->next == v->program.header->bundles)
		refused(v, finish(v));
}

static void step_scan(struct rondo_verify *v)
{
	u32 left;

	for (left = SCANS_PER_BUNDLE; left; left--) {
		if (!rondo_scan_bundle(v)) {
			rondo_outstanding_enter(v);
			v->phase = RONDO_VERIFY_BUNDLES;
			return;
		}
	}
}

bool rondo_verify_step(struct rondo_verify *v, u32 bundles)
{
	for (v->work = bundles; v->work && v->phase != RONDO_VERIFY_DONE;) {
		rondo_verify_charge(v, 1);
		if (v->phase == RONDO_VERIFY_TABLES)
			step_tables(v);
		else if (v->phase == RONDO_VERIFY_SCAN)
			step_scan(v);
		else
			step_bundle(v);
	}
	return v->phase != RONDO_VERIFY_DONE;
}

const struct rondo_verdict *rondo_verify_verdict(const struct rondo_verify *v)
{
	return &v->verdict;
}

const struct rondo_verdict *rondo_verify_run(struct rondo_verify *v,
					     const struct rondo_machine *machine, const void *data,
					     u64 size, u64 budget, rondo_verify_stop *stop,
					     void *ctx)
{
	rondo_verify_init(v, machine, data, size, budget);
	while (rondo_verify_step(v, BUNDLES_PER_STEP))
		if (stop && stop(ctx))
			return NULL;
	return &v->verdict;
}

const struct rondo_verdict *
rondo_measure_run(struct rondo_verify *v, const struct rondo_machine *machine, void *data, u64 size)
{
	rondo_measure_init(v, machine, data, size);
	while (rondo_verify_step(v, BUNDLES_PER_STEP))
		;
	if (!v->verdict.code)
		rondo_measure_claim(v, data);
	return &v->verdict;
}

const struct rondo_facts *rondo_verify_facts(const struct rondo_verify *v)
{
	return &v->facts;
}
