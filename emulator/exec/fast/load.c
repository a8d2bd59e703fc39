// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Makes the tree of a program: bundles become lists of operations, loops become nodes.
 *
 * All reads of a bundle come before its writes. Its operations run one after the other and
 * write at once, in an order in which nobody sees the difference:
 *
 *	computations	L, V, and the readout of a store, each after those that read the
 *			register it writes; where they go round in a circle one waits in a
 *			temporary register
 *	M, W		after every readout; M before W
 *	S		last, since the others read SRAM; but first if a computation writes its
 *			register and the others read elsewhere; else from a copy of the register
 *
 * Then what is in innermost loops may become less (body.c).
 */
#include "emulator/exec/fast/fast.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPORARY = RONDO_VREGS };

static const struct fast_fusion no_fusion = {
	.entry = { FAST_REGISTER, FAST_REGISTER, FAST_REGISTER }, .to_register = true
};

/* A step that is still in the list of its loop. */
struct chained_step {
	struct fast_step step;
	u32 next; /* plus one; 0: the last */
};

struct loader {
	struct fast_program *p;
	const struct exec_program *program;
	const struct fast_variant *variant;
	char *why;
	int ret; /* 0, or the negative errno that ends the loading */
	u32 bundle;
	struct exec_loops loops;
	u32 loop_node[RONDO_LOOP_DEPTH];
	u32 chain[RONDO_LOOP_DEPTH]; /* of the open loops' steps */
	struct chained_step *steps;
	u32 chained;
	u32 seen[RONDO_LOOP_DEPTH]
		[RONDO_ENTRIES_MAX]; /* node of the loop that steps it, plus one */
	bool listing; /* the last node is a list of operations that goes on */
};

/* One bundle's operations, by when they run. */
struct schedule {
	struct fast_op compute[RONDO_SLOTS_PER_BUNDLE], store, matrix, weights;
	u32 computes;
	bool has_store, has_matrix, has_weights;
};

/* The bundle is refused for what its operation @op does. */
static void refuse(struct loader *l, u8 op, const char *what)
{
	snprintf(l->why, EXEC_REASON_BYTES, "bundle %u: %s %s", l->bundle, rondo_ops[op].name,
		 what);
	l->ret = -EINVAL;
}

/* How many elements an array has room for that grew to @count. */
static u64 room_of(u32 count)
{
	u64 room = 1;

	while (room < count)
		room *= 2;
	return room;
}

/*
 * Room for one more in @array, which doubles at powers of two; for a moment there are two. False
 * after any failure.
 */
static bool grow(struct loader *l, void *array, u32 count, size_t size)
{
	struct emu_budget *budget = l->program->limits.budget;
	u64 room = count ? 2 * (u64)count : 1;
	void **a = array, *bigger = NULL;

	if (l->ret || count & (count - 1))
		return !l->ret;
	if (emu_budget_take(budget, room, size))
		bigger = realloc(*a, room * size);
	if (!bigger) {
		l->ret = -ENOMEM;
		return false;
	}
	emu_budget_give(budget, count, size);
	*a = bigger;
	return true;
}

/* Operations. */

static void set_functions(const struct loader *l, struct fast_op *op)
{
	bool whole = op->x.count == RONDO_LANES_MAX && !op->gaps && l->variant->whole[op->x.op];

	op->push = l->variant->push[op->x.op];
	op->run = (whole ? l->variant->whole : l->variant->op)[op->x.op];
}

static struct fast_op convert(const struct loader *l, const struct exec_op *from)
{
	const struct rondo_access access = exec_access(l->program, from);
	struct fast_op op = {
		.x = *from,
		.gaps = access.size && rondo_access_segmented(&access) &&
			access.entry->seg_stride != (s32)(access.entry->seg_len * access.size),
	};

	set_functions(l, &op);
	return op;
}

/* Whether @op stays inside the machine, whatever the verifier said. */
static void check(struct loader *l, const struct fast_op *op)
{
	const struct rondo_machine *m = &l->program->machine;
	bool weights = rondo_op_writes_weights(op->x.op);
	struct rondo_hull hull;

	if (rondo_op_has_address(op->x.op) &&
	    (!exec_sram_hull(l->program, &op->x, &l->loops, &hull) ||
	     !rondo_hull_inside(&hull, m->sram_bytes)))
		refuse(l, op->x.op, "leaves SRAM");
	if (!rondo_op_has_row(op->x.op))
		return;
	if (!exec_row_hull(l->program, &op->x, &l->loops, &hull) ||
	    !rondo_hull_inside(&hull, weights ? m->lanes : m->acc_rows))
		refuse(l, op->x.op, "has no such row");
	else if (!weights) {
		l->p->acc_lo = hull.lo < l->p->acc_lo ? hull.lo : l->p->acc_lo;
		l->p->acc_hi = hull.hi > l->p->acc_hi ? hull.hi : l->p->acc_hi;
	}
}

/* The open loops step the place of @op's entry. */
static void note_steps(struct loader *l, const struct fast_op *op)
{
	const struct rondo_entry *entry = &l->program->entry[op->x.entry];
	u32 d;

	for (d = 0; d < l->loops.depth; d++) {
		u64 trips = l->loops.trips[d];

		if ((!entry->stride[d] && !entry->row_stride[d]) ||
		    l->seen[d][op->x.entry] == l->loop_node[d] + 1)
			continue;
		if (!grow(l, &l->steps, l->chained, sizeof(*l->steps)))
			return;
		l->seen[d][op->x.entry] = l->loop_node[d] + 1;
		l->steps[l->chained] = (struct chained_step){
			.step = { .entry = op->x.entry,
				  .address = entry->stride[d],
				  .back_address = (u32)entry->stride[d] * (u32)trips,
				  .row = entry->row_stride[d],
				  .back_row = (u32)entry->row_stride[d] * (u32)trips },
			.next = l->chain[d],
		};
		l->chain[d] = ++l->chained;
	}
}

/* Appends @op, with a fusion of its own if it may be fused. */
static void append(struct loader *l, struct fast_op op)
{
	struct fast_program *p = l->p;

	if (!grow(l, &p->op, p->ops, sizeof(*p->op)))
		return;
	if (l->variant->fused[op.x.op]) {
		if (!grow(l, &p->fusion, p->fusions, sizeof(*p->fusion)))
			return;
		p->fusion[p->fusions] = p->fusion[op.fusion];
		op.fusion = p->fusions++;
	}
	p->op[p->ops++] = op;
}

/* Appends @op to the node of operations. */
static void emit(struct loader *l, const struct fast_op *op)
{
	check(l, op);
	if (rondo_op_has_entry(op->x.op))
		note_steps(l, op);
	append(l, *op);
	l->p->node[l->p->nodes - 1].ops += !l->ret;
}

static void emit_move(struct loader *l, u32 dst, u32 a)
{
	struct fast_op op = { .x = { .op = RONDO_OP_mov, .dst = dst, .a = a } };

	op.x.reads = a < RONDO_VREGS ? 1ull << a : 0;
	set_functions(l, &op);
	emit(l, &op);
}

/* Bundles. */

/*
 * What a store is made of: the readout of the accumulator row that it stores, if it stores one, or
 * the operation that requantises its register; and the store of a register.
 */
struct store_parts {
	u8 readout, store;
};

/* clang-format off */
#define PARTS_st_w		{ RONDO_OP_NOP, RONDO_OP_st_w }
#define PARTS_st_s8		{ RONDO_OP_NOP, RONDO_OP_st_s8 }
#define PARTS_st_u8		{ RONDO_OP_NOP, RONDO_OP_st_u8 }
#define PARTS_st_bf16		{ RONDO_OP_NOP, RONDO_OP_st_bf16 }
#define PARTS_sta		{ RONDO_OP_rd, RONDO_OP_st_w }
#define PARTS_stq_fix_s8	{ RONDO_OP_rdq_fix_s8, RONDO_OP_st_s8 }
#define PARTS_stq_fix_u8	{ RONDO_OP_rdq_fix_u8, RONDO_OP_st_u8 }
#define PARTS_stq_flt_s8	{ RONDO_OP_rdq_flt_s8, RONDO_OP_st_s8 }
#define PARTS_stq_flt_u8	{ RONDO_OP_rdq_flt_u8, RONDO_OP_st_u8 }
#define PARTS_stq_f32		{ RONDO_OP_rdq_f32, RONDO_OP_st_w }
#define PARTS_strq_fix_s8	{ RONDO_OP_rq_fix_s8, RONDO_OP_st_s8 }
#define PARTS_strq_fix_u8	{ RONDO_OP_rq_fix_u8, RONDO_OP_st_u8 }
#define PARTS_strq_flt_s8	{ RONDO_OP_rq_flt_s8, RONDO_OP_st_s8 }
#define PARTS_strq_flt_u8	{ RONDO_OP_rq_flt_u8, RONDO_OP_st_u8 }
#define PARTS_strq_f32		{ RONDO_OP_rq_f32, RONDO_OP_st_w }
/* clang-format on */

#define ROW_S(name) [RONDO_OP_##name] = PARTS_##name,
static const struct store_parts store_parts[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};

static void add_store(const struct loader *l, struct schedule *s, const struct exec_op *from)
{
	struct fast_op readout;

	s->has_store = true;
	s->store = convert(l, from);
	readout = s->store;
	readout.x.op = store_parts[from->op].readout;
	if (!readout.x.op)
		return;
	s->store.x.op = store_parts[from->op].store;
	readout.x.dst = s->store.x.a = TEMPORARY;
	set_functions(l, &readout);
	set_functions(l, &s->store);
	s->compute[s->computes++] = readout;
}

static void add(const struct loader *l, struct schedule *s, const struct exec_op *from)
{
	struct fast_op op = convert(l, from);

	switch (from->slot) {
	case RONDO_S:
		add_store(l, s, from);
		break;
	case RONDO_M:
		s->matrix = op;
		s->has_matrix = true;
		break;
	case RONDO_W:
		s->weights = op;
		s->has_weights = true;
		break;
	default:
		s->compute[s->computes++] = op;
	}
}

/* Whether the two may touch the same byte of SRAM in some trip. */
static bool may_meet(const struct loader *l, const struct fast_op *a, const struct fast_op *b)
{
	struct rondo_hull x, y;

	return rondo_op_has_address(a->x.op) && rondo_op_has_address(b->x.op) &&
	       (!exec_sram_hull(l->program, &a->x, &l->loops, &x) ||
		!exec_sram_hull(l->program, &b->x, &l->loops, &y) || rondo_hulls_meet(&x, &y));
}

/* Whether the store has to wait for the others of its bundle, which read what it may write. */
static bool store_waits(const struct loader *l, const struct schedule *s)
{
	bool waits = (s->has_matrix && may_meet(l, &s->matrix, &s->store)) ||
		     (s->has_weights && may_meet(l, &s->weights, &s->store));
	u32 i;

	for (i = 0; i < s->computes; i++)
		waits |= may_meet(l, &s->compute[i], &s->store);
	return waits;
}

/* The next computation to run: one whose register no other reads, or 0, the first, if none is. */
static u32 next_compute(const struct schedule *s, bool *is_free)
{
	u32 i, j;

	for (i = 0; i < s->computes; i++) {
		*is_free = true;
		for (j = 0; j < s->computes; j++)
			if (j != i && s->compute[i].x.dst < RONDO_VREGS &&
			    s->compute[j].x.reads >> s->compute[i].x.dst & 1)
				*is_free = false;
		if (*is_free)
			return i;
	}
	return 0;
}

static void emit_computes(struct loader *l, struct schedule *s)
{
	u8 waiting[FAST_TEMPORARIES][2];
	u32 i, waits = 0;
	bool is_free;

	while (s->computes) {
		i = next_compute(s, &is_free);
		if (!is_free) {
			waiting[waits][0] = s->compute[i].x.dst;
			waiting[waits][1] = TEMPORARY + 1 + waits;
			s->compute[i].x.dst = TEMPORARY + 1 + waits++;
		}
		emit(l, &s->compute[i]);
		s->compute[i] = s->compute[--s->computes];
	}
	for (i = 0; i < waits; i++)
		emit_move(l, waiting[i][0], waiting[i][1]);
}

static void emit_bundle(struct loader *l, struct schedule *s)
{
	bool overwritten = false;
	u32 i;

	for (i = 0; i < s->computes; i++)
		overwritten |= s->has_store && s->compute[i].x.dst == s->store.x.a &&
			       s->store.x.a != TEMPORARY;
	if (overwritten && !store_waits(l, s)) {
		emit(l, &s->store);
		s->has_store = false;
	} else if (overwritten) {
		emit_move(l, TEMPORARY, s->store.x.a);
		s->store.x.a = TEMPORARY;
	}
	emit_computes(l, s);
	if (s->has_matrix)
		emit(l, &s->matrix);
	if (s->has_weights)
		emit(l, &s->weights);
	if (s->has_store)
		emit(l, &s->store);
}

/* Nodes. */

static struct fast_node *new_node(struct loader *l, enum fast_kind kind)
{
	struct fast_program *p = l->p;
	struct fast_node *n;

	if (!grow(l, &p->node, p->nodes, sizeof(*p->node)) ||
	    !grow(l, &p->stretch, p->stretches, sizeof(*p->stretch)))
		return NULL;
	n = &p->node[p->nodes++];
	*n = (struct fast_node){
		.kind = kind,
		.next = p->nodes,
		.bundle = l->bundle,
		.op = p->ops,
		.stretch = p->stretches,
	};
	rondo_stretch_init(&p->stretch[p->stretches++]);
	l->listing = kind == FAST_OPS;
	return n;
}

static void open_loops(struct loader *l, const struct rondo_op *control)
{
	u32 i, nest = rondo_loop_nest(control);

	for (i = 0; i < nest; i++) {
		struct fast_node *n = new_node(l, FAST_LOOP);
		u32 d = l->loops.depth;

		if (!n)
			return;
		n->depth = d;
		n->trips = control->trip[i];
		l->loops.trips[d] = n->trips;
		l->loop_node[d] = l->p->nodes - 1;
		l->chain[d] = 0;
		l->loops.depth++;
	}
}

/* The body of an innermost loop, whose operations are the last so far: see body.c. */
static void end_body(struct loader *l, struct fast_node *body)
{
	struct fast_program *p = l->p;
	u32 first, others, i;

	if (body->ops <= FAST_BODY_MAX)
		body->hoisted = fast_hoist(l->program, &l->loops, p->op + body->op, body->ops);
	first = body->op + body->hoisted;
	others = fast_join_stores(l->program, l->variant, p->op + first, body->ops - body->hoisted);
	body->ops = body->hoisted + others;
	body->brief = first;
	body->briefs = others;
	p->ops = first + others;
	if (body->ops > FAST_BODY_MAX)
		return;
	body->brief = p->ops;
	for (i = 0; i < others; i++)
		append(l, p->op[first + i]);
	if (l->ret)
		return;
	body->briefs = fast_shorten(l->program, &l->loops, l->variant, p->op + body->brief, others);
	p->ops = body->brief + body->briefs;
}

/* The innermost loop ends: its steps stand together from now on. */
static void close_loop(struct loader *l)
{
	struct fast_program *p = l->p;
	u32 d = l->loops.depth - 1, i, at = l->loop_node[d];
	struct fast_node *n = &p->node[at], *body = n + 1;

	n->next = p->nodes;
	n->step = p->steps;
	for (i = l->chain[d]; i; i = l->steps[i - 1].next, n->steps++) {
		if (!grow(l, &p->step, p->steps, sizeof(*p->step)))
			return;
		p->step[p->steps++] = l->steps[i - 1].step;
	}
	n->only_ops = n->next == at + 2 && body->kind == FAST_OPS;
	if (n->only_ops) {
		end_body(l, body);
		p->stretch[n->stretch] = p->stretch[body->stretch];
		rondo_stretch_repeat(&p->stretch[n->stretch], d, n->trips);
	}
	l->loops.depth = d;
	l->listing = false;
}

static void load_bundle(struct loader *l)
{
	const struct exec_bundle *b = &l->program->bundle[l->bundle];
	const struct rondo_op *control = exec_control_of(l->program, b);
	struct fast_program *p = l->p;
	struct schedule s = { 0 };
	struct rondo_affine value;
	u32 i;

	if (exec_uses_dma(control))
		new_node(l, FAST_CONTROL);
	if (!l->listing)
		new_node(l, FAST_OPS);
	if (l->ret)
		return;
	p->node[p->nodes - 1].bundles++;
	exec_bundle_value(l->program, b, &value);
	rondo_stretch_bundle(&p->stretch[p->node[p->nodes - 1].stretch], &value);
	for (i = 0; i < b->ops; i++)
		add(l, &s, &l->program->op[b->first + i]);
	emit_bundle(l, &s);
	for (i = 0; !l->ret && i < b->closes; i++)
		close_loop(l);
	open_loops(l, control);
}

int fast_load(struct exec_program *program, const struct fast_variant *variant,
	      char why[EXEC_REASON_BYTES])
{
	struct emu_budget *budget = program->limits.budget;
	struct fast_program *p = program->own = emu_budget_calloc(budget, 1, sizeof(*p));
	struct loader *l = emu_budget_calloc(budget, 1, sizeof(*l));
	int ret = -ENOMEM;
	u32 i;

	if (p && l) {
		l->p = p;
		l->program = program;
		l->variant = variant;
		l->why = why;
		p->acc_lo = program->machine.acc_rows;
		/* The run points into both lists, be they empty; fusion 0 is none. */
		grow(l, &p->op, 0, sizeof(*p->op));
		grow(l, &p->step, 0, sizeof(*p->step));
		if (grow(l, &p->fusion, 0, sizeof(*p->fusion)))
			p->fusion[p->fusions++] = no_fusion;
		for (; !l->ret && l->bundle < program->bundles && !exec_load_stopped(program);
		     l->bundle++)
			load_bundle(l);
		for (i = 0; !l->ret && i < p->nodes; i++)
			if (p->node[i].kind == FAST_OPS)
				p->node[i].ops = fast_join_stores(
					program, variant, p->op + p->node[i].op, p->node[i].ops);
		ret = exec_load_stopped(program) ? -ECANCELED : l->ret;
		if (l->steps)
			emu_budget_free(budget, l->steps, room_of(l->chained), sizeof(*l->steps));
	}
	emu_budget_free(budget, l, 1, sizeof(*l));
	return ret;
}

void fast_unload(struct exec_program *program)
{
	struct fast_program *p = program->own;

	if (!p)
		return;
	free(p->node);
	free(p->op);
	free(p->step);
	free(p->fusion);
	free(p->stretch);
	free(p);
}
