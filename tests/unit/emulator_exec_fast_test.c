// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fast executor against the plain one, every variant that this host can run: each
 * operation on operands of every kind, and random programs.
 */
#include "tests/fuzz/generate.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/fast_compare.h"

static u64 random_state = 88172645463325252ull;

static u64 next_random(void)
{
	return random_next(&random_state);
}

enum {
	TRIPS = 12,
	ROW = 256,
	DATA = 0, /* what the slot holds, in SRAM */
	DATA_BYTES = TRIPS * 70 * ROW, /* operands, or weights and their counterparts */
	RESULT = 768 * 1024,
};

enum { EXECUTORS = 8, OPERANDS = 1 << 16 };

static u32 operands[OPERANDS];

/* The plain executor, and each of the fast ones; then NULL. */
static struct exec *plain, *fast[EXECUTORS];

/*
 * Whether all fast executors do with the program what the plain one does. Its slot reads as
 * operands from the @first on.
 */
static bool all_agree(const struct builder *b, const u8 *bytes, u64 size, u32 first,
		      const char *name)
{
	const struct compare_io io = { .data = (const u8 *)operands,
				       .bytes = sizeof(operands),
				       .first = (u64)first % OPERANDS * sizeof(*operands) };
	const struct rondo_facts *facts = rondo_verify_facts(b->verify);
	const struct compare_end end = compare_plain(plain, bytes, size, facts, &io);
	char why[COMPARE_WHY_BYTES];
	bool right = true;

	for (u32 i = 0; fast[i]; i++) {
		if (compare_fast(plain, &end, fast[i], bytes, size, facts, &io, why))
			continue;
		printf("# %s, %s: %s\n", name, fast[i]->executor->name, why);
		right = false;
	}
	return right;
}

static void random_programs(u32 programs)
{
	u32 ran = 0, wrong = 0;
	char name[64];

	for (u32 i = 0; i < programs; i++) {
		struct builder b;
		u64 size;
		u8 *bytes;

		build_init(&b);
		generate_seed(&b, i % 4 ? GENERATE_LOOSE : GENERATE_REGISTERS, i);
		bytes = build_accepted(&b, &size);
		if (bytes) {
			ran++;
			snprintf(name, sizeof(name), "seed %u", i);
			if (!all_agree(&b, bytes, size, 977 * i, name) && wrong++ > 5)
				i = programs;
			free(bytes);
		}
		build_fini(&b);
	}
	tap_ok(!wrong, "%u random programs of %u, %u differ", ran, programs, wrong);
	tap_ok(ran > programs / 50, "the programs are worth trying");
}

/* Numbers of every kind: bits, ends of ranges, NaN, infinities, subnormals, ordinary f32. */
static u32 random_operand(void)
{
	static const u32 odd[] = { 0,	       1,	   0xffffffff, 0x7fffffff, 0x80000000,
				   0x80000001, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00001,
				   0xffc12345, 0x00400000, 0x807fffff, 0x00800000, 0x7f7fffff,
				   0x3f000000, 0x3fc00000, 0xc0200000, 0x4b000001, 0x4effffff,
				   0x4f000000, 0xcf000000, 0x43000000, 0xc3160000, 0xc2fc8000,
				   0x7f7f7f7f, 0x80808080, 0x3f3504f3, 0x3f3504f2, 31 };
	u64 bits = next_random();

	switch (bits >> 60 & 3) {
	case 0:
		return odd[(bits >> 32) % (sizeof(odd) / sizeof(odd[0]))];
	case 1:
		return (u32)(bits & 0x83ffffff) | 0x3c000000;
	case 2:
		return (u32)((s64)(bits << 20) >> (32 + (bits >> 40) % 30));
	default:
		return (u32)bits;
	}
}

/* A program that has loaded its data. */
static void begin(struct builder *b)
{
	build_init(b);
	build_slot(b, 0);
	build_start(
		b, 0,
		build_desc(b, (struct rondo_desc){ .row_bytes = DATA_BYTES, .sram_base = DATA }),
		0);
	build_wait(b, 0, 0);
}

static void end(struct builder *b, const char *name, u32 *wrong)
{
	u8 *bytes;
	u64 size;

	build_halt(b);
	bytes = build_accepted(b, &size);
	if (!bytes)
		printf("# %s: refused, %s\n", name,
		       rondo_error_name(rondo_verify_verdict(b->verify)->code));
	*wrong += !bytes || !all_agree(b, bytes, size, next_random() % OPERANDS, name);
	free(bytes);
	build_fini(b);
}

static void idle(struct builder *b, u32 bundles)
{
	while (bundles--)
		build_bundle(b);
}

/* An entry of the loop's only index, in one of several lane patterns. */
static u32 some_entry(struct builder *b, u32 base, s32 stride, s32 row_stride)
{
	struct rondo_entry e = { .base = base,
				 .stride = { stride },
				 .row_stride = { row_stride },
				 .first = 1,
				 .pitch = 72 };
	u64 bits = next_random();

	if (bits % 3 == 0) {
		e.seg_len = 1 + (bits >> 8) % 20;
		e.seg_stride = 4 * ((bits >> 16) % 24);
	}
	return build_entry(b, e);
}

static u32 some_count(void)
{
	u64 bits = next_random();

	return bits % 3 ? 64 : 1 + (bits >> 8) % 64;
}

/* v8 = @op of v0, v1, v2, with operands from memory. */
static void vector_program(struct builder *b, u32 op)
{
	u32 entry = build_entry(b, (struct rondo_entry){ .base = DATA, .stride = { 3 * ROW } });
	u32 out = build_entry(b, (struct rondo_entry){ .base = RESULT, .stride = { ROW } });
	u32 slot = rondo_ops[op].slots & RONDO_SLOTS_V & ~RONDO_SLOTS_V1 ? RONDO_V0 : RONDO_V1;
	u32 latency = rondo_latency(&b->machine, op),
	    dst = next_random() % 2 ? 8 : next_random() % 3;

	build_loop(b, TRIPS, 6 + latency);
	for (u32 r = 0; r < 3; r++)
		build_op(b, RONDO_L0,
			 (struct rondo_op){ .op = RONDO_OP_ld_w,
					    .dst = r,
					    .entry = entry,
					    .off = r * ROW,
					    .count = 64 });
	idle(b, 2);
	build_op(b, slot,
		 (struct rondo_op){
			 .op = op,
			 .dst = dst,
			 .a = 0,
			 .b = 1,
			 .c = 2,
			 .params = 0,
			 .shift = rondo_ops[op].format == RONDO_FMT_VAPS ? next_random() % 32 : 0,
			 .imm = rondo_ops[op].format == RONDO_FMT_VI ? (s16)next_random() : 0 });
	idle(b, latency - 1);
	build_op(b, RONDO_S,
		 (struct rondo_op){ .op = RONDO_OP_st_w, .a = dst, .entry = out, .count = 64 });
}

/* v0, v1, v2: parameters. */
static void load_params(struct builder *b)
{
	u32 params = build_entry(b, (struct rondo_entry){ .base = DATA + 65 * ROW });

	for (u32 r = 0; r < 3; r++)
		build_op(b, RONDO_L0,
			 (struct rondo_op){ .op = RONDO_OP_ld_w,
					    .dst = r,
					    .entry = params,
					    .off = r * ROW,
					    .count = 64 });
}

/* A load into v8 and a store of it, each in some form. */
static void move_program(struct builder *b, u32 load, u32 store)
{
	u32 count = some_count(), kept = some_count();

	load_params(b);
	build_loop(b, TRIPS, 6);
	build_op(b, RONDO_L1,
		 (struct rondo_op){ .op = load,
				    .dst = 8,
				    .count = count,
				    .entry = some_entry(b, DATA, 300 * 4, 0),
				    .rows = 1 + next_random() % 4 });
	idle(b, 4);
	build_op(b, RONDO_S,
		 (struct rondo_op){ .op = store,
				    .a = 8,
				    .count = kept,
				    .lane = next_random() % (65 - kept),
				    .entry = some_entry(b, RESULT, 5 * ROW, 0) });
}

/* Weights of some kind, pushes of some kind in a loop, and readouts of some kinds. */
static void push_program(struct builder *b, u32 weights, u32 push, u32 store, u32 read)
{
	u32 count = some_count();
	u32 first = count == 64 ? 0 : next_random() % (65 - count);
	u32 row = build_entry(
		b, (struct rondo_entry){ .base = DATA, .stride = { ROW }, .row_stride = { 1 } });
	u32 out = build_entry(
		b, (struct rondo_entry){ .base = RESULT, .stride = { ROW }, .row_stride = { 1 } });
	u32 preset = build_entry(b, (struct rondo_entry){ .base = DATA + 69 * ROW,
							  .stride = { 68 },
							  .row_stride = { 1 } });
	u8 zp = weights == RONDO_OP_wl_w || next_random() % 2 ? 0 : next_random();

	load_params(b);
	build_loop(b, 64, 1);
	build_op(b, RONDO_W,
		 (struct rondo_op){ .op = weights, .entry = row, .count = some_count(), .zp = zp });
	build_loop(b, TRIPS, 1);
	build_op(b, RONDO_M,
		 (struct rondo_op){
			 .op = RONDO_OP_preset, .entry = preset, .row = 3, .count = some_count() });
	build_loop(b, TRIPS, 1);
	build_op(b, RONDO_M,
		 (struct rondo_op){ .op = push,
				    .count = count,
				    .wrow = first,
				    .row = 3,
				    .mode = next_random() % 3,
				    .entry = some_entry(b, DATA + 2048, 4 * (next_random() % 256),
							next_random() % 4 ? 1 : 0) });
	build_loop(b, TRIPS, 6);
	build_op(b, RONDO_S,
		 (struct rondo_op){
			 .op = store, .entry = out, .row = 3, .params = 0, .count = some_count() });
	build_op(b, RONDO_L1,
		 (struct rondo_op){ .op = read,
				    .dst = 9,
				    .entry = out,
				    .row = 4,
				    .params = 0,
				    .count = some_count() });
	idle(b, 3);
	build_op(b, RONDO_S,
		 (struct rondo_op){
			 .op = RONDO_OP_st_w, .a = 9, .count = 64, .entry = out, .off = 65536 });
}

/* The @nth operation, round and round, of @slots with a field of role @role (@has), or without. */
static u32 operation(u8 slots, bool has, u32 role, u32 nth)
{
	u32 op = 0;

	do
		do
			op = (op + 1) % RONDO_OPCODES;
		while (rondo_ops[op].slots != slots || rondo_op_has_role(op, role) != has);
	while (nth--);
	return op;
}

/* A program for @op; operations of other slots in it are others each @round. */
static void program_for(struct builder *b, u32 op, u32 round)
{
	static const u32 weights[] = { RONDO_OP_wl_s8, RONDO_OP_wl_u8, RONDO_OP_wl_w };
	u32 push = operation(RONDO_SLOTS_M, true, RONDO_ROLE_WEIGHT_R, round);
	u32 store = operation(RONDO_SLOTS_S, true, RONDO_ROLE_ACC_R, round);
	u32 read = operation(RONDO_SLOTS_L, true, RONDO_ROLE_ACC_R, round);

	switch (rondo_ops[op].slots) {
	case RONDO_SLOTS_L:
		if (rondo_op_reads_sram(op))
			move_program(b, op,
				     operation(RONDO_SLOTS_S, false, RONDO_ROLE_ACC_R, round));
		else
			push_program(b, weights[round % 2], RONDO_OP_push_u8, store, op);
		break;
	case RONDO_SLOTS_S:
		if (rondo_op_reads_acc(op))
			push_program(b, weights[round % 2], RONDO_OP_push_u8, op, read);
		else
			move_program(b, RONDO_OP_ld_w, op);
		break;
	case RONDO_SLOTS_W:
		push_program(b, op, push, store, read);
		break;
	case RONDO_SLOTS_M:
		push_program(b, weights[round % 3], rondo_op_reads_weights(op) ? op : push, store,
			     read);
		break;
	default:
		vector_program(b, op);
	}
}

static void every_operation(u32 rounds)
{
	u32 op, tested = 0, wrong = 0;
	struct builder b;

	for (op = 0; op < RONDO_OPCODES; op++) {
		if (!rondo_ops[op].name || rondo_ops[op].slots == RONDO_SLOTS_C)
			continue;
		tested++;
		for (u32 round = 0; round < rounds; round++) {
			begin(&b);
			program_for(&b, op, round);
			end(&b, rondo_ops[op].name, &wrong);
		}
	}
	tap_ok(!wrong, "%u operations, %u times each with %u rows of operands, %u differ", tested,
	       rounds, TRIPS, wrong);
}

/* Operations of slots M, S, W and L, near each other in rows and in SRAM, in one innermost loop. */
static void pipeline_bundle(struct builder *b, u32 step)
{
	static const u32 stores[] = { RONDO_OP_sta, RONDO_OP_stq_fix_s8, RONDO_OP_stq_f32 };
	static const u32 pushes[] = { RONDO_OP_push_s8, RONDO_OP_push_u8, RONDO_OP_push_f32,
				      RONDO_OP_push_f32_sparse };
	struct rondo_entry near = { .base = DATA + 64 * (next_random() % 64),
				    .stride = { 0, 64 * (next_random() % 8) },
				    .row_stride = { next_random() % 8 ? 0 : 1, step },
				    .first = 1 + next_random() % 3 };
	struct rondo_entry far = near;
	u32 entry[2];

	far.base = RESULT;
	if (next_random() % 8 == 0)
		near.row_stride[1] = next_random() % 3;
	entry[0] = build_entry(b, near);
	entry[1] = build_entry(b, far);
	build_bundle(b);
	if (next_random() % 4)
		build_put(b, RONDO_M,
			  (struct rondo_op){ .op = pushes[next_random() % 4],
					     .entry = entry[0],
					     .row = next_random() % 10,
					     .count = some_count(),
					     .buf = next_random() % 2,
					     .mode = next_random() % 3 });
	if (next_random() % 2)
		build_put(b, RONDO_S,
			  (struct rondo_op){ .op = stores[next_random() % 3],
					     .params = 0,
					     .entry = entry[next_random() % 4 > 0],
					     .row = next_random() % 10,
					     .count = some_count() });
	if (next_random() % 4 == 0)
		build_put(b, RONDO_W,
			  (struct rondo_op){
				  .op = RONDO_OP_wl_s8,
				  .entry = build_entry(b, (struct rondo_entry){ .base = DATA }),
				  .wrow = next_random() % 64,
				  .count = 64,
				  .buf = next_random() % 2,
				  .zp = next_random() });
	if (next_random() % 4 == 0)
		build_put(b, RONDO_L0,
			  (struct rondo_op){ .op = RONDO_OP_rd,
					     .dst = 8 + next_random() % 8,
					     .entry = entry[0],
					     .row = next_random() % 10,
					     .count = 64 });
}

/* How many operations of the program run in blocks, and how many only in the last trip of a loop.
 */
static void count_moved(const struct builder *b, const u8 *bytes, u64 size, u32 *hoisted,
			u32 *left_out)
{
	const struct fast_program *p;
	struct exec_program *program;
	char why[EXEC_REASON_BYTES];

	*hoisted = *left_out = 0;
	if (exec_load(&program, fast[0]->executor, &plain->machine, bytes, size,
		      rondo_verify_facts(b->verify), why))
		return;
	p = program->own;
	for (u32 i = 0; i < p->nodes; i++) {
		const struct fast_node *n = &p->node[i];

		*hoisted += n->hoisted;
		if (i && p->node[i - 1].only_ops)
			*left_out += n->ops - n->hoisted - n->briefs;
	}
	exec_unload(program);
}

static void pipelines(u32 programs)
{
	u32 i, ran = 0, blocked = 0, wrong = 0, hoisted, left_out;

	for (i = 0; i < programs; i++) {
		u32 params, body = 1 + next_random() % 5, step = 1 + next_random() % 2, r;
		struct builder b;
		u8 *bytes;
		u64 size;

		begin(&b);
		params = build_entry(&b, (struct rondo_entry){ .base = DATA + 65 * ROW });
		for (r = 0; r < 16; r++)
			build_op(&b, RONDO_L0,
				 (struct rondo_op){ .op = RONDO_OP_ld_w,
						    .dst = r,
						    .entry = params,
						    .off = r * ROW,
						    .count = 64 });
		idle(&b, 4);
		build_loop(&b, 1 + next_random() % 3, body + 1);
		build_loop(&b, 1 + next_random() % 40, body);
		for (r = 0; r < body; r++)
			pipeline_bundle(&b, step);
		for (r = 0; r < 16; r++)
			build_op(&b, RONDO_S,
				 (struct rondo_op){ .op = RONDO_OP_st_w,
						    .a = r,
						    .entry = params,
						    .off = RESULT + 65536 + r * ROW,
						    .count = 64 });
		build_halt(&b);
		bytes = build_accepted(&b, &size);
		if (bytes) {
			ran++;
			count_moved(&b, bytes, size, &hoisted, &left_out);
			blocked += hoisted != 0;
			wrong += !all_agree(&b, bytes, size, 977 * i, "pipeline");
			free(bytes);
		}
		build_fini(&b);
	}
	tap_ok(!wrong, "%u loops of pushes and others, %u with blocks, %u differ", ran, blocked,
	       wrong);
	tap_ok(ran > programs / 20 && blocked > ran / 20 && blocked < ran,
	       "some run in blocks and some do not");
}

enum { STREAM_REGISTERS = 4 };

/*
 * An operation of a loop on few registers and near addresses: most loads and stores are whole, some
 * of them at an address that another reads or writes in part.
 */
static void stream_op(struct builder *b, const u32 entry[2])
{
	static const u32 computations[] = { RONDO_OP_fadd, RONDO_OP_add,  RONDO_OP_fma,
					    RONDO_OP_sel,  RONDO_OP_fmax, RONDO_OP_i2f,
					    RONDO_OP_andn, RONDO_OP_sub };
	struct rondo_op op = {
		.dst = next_random() % STREAM_REGISTERS,
		.a = next_random() % STREAM_REGISTERS,
		.b = next_random() % STREAM_REGISTERS,
		.c = next_random() % STREAM_REGISTERS,
		.entry = entry[next_random() % 2],
		.off = next_random() % 6 ? ROW * (next_random() % 4) : 4 * (next_random() % 100),
		.count = next_random() % 12 ? 64 : 32,
	};
	u32 kind = next_random() % 8;

	op.op = kind < 3 ? RONDO_OP_ld_w :
		kind < 5 ? RONDO_OP_st_w :
			   computations[next_random() % 8];
	build_op(b, kind < 3 ? RONDO_L0 : kind < 5 ? RONDO_S : RONDO_V0, op);
	idle(b, 3);
}

static void streams(u32 programs)
{
	enum { NEAR = 16 * ROW };
	u32 i, r, ran = 0, shorter = 0, wrong = 0, hoisted, left_out;

	for (i = 0; i < programs; i++) {
		u32 body = 2 + next_random() % 8 + (i % 32 ? 0 : FAST_BODY_MAX), entry[2], fixed;
		struct builder b;
		u8 *bytes;
		u64 size;

		begin(&b);
		fixed = build_entry(&b, (struct rondo_entry){ .base = DATA });
		for (r = 0; r < 2; r++)
			entry[r] = build_entry(
				&b,
				(struct rondo_entry){ .base = DATA + NEAR,
						      .stride = { ROW * (next_random() % 2) } });
		for (r = 0; r < STREAM_REGISTERS; r++)
			build_op(&b, RONDO_L0,
				 (struct rondo_op){ .op = RONDO_OP_ld_w,
						    .dst = r,
						    .entry = fixed,
						    .off = r * ROW,
						    .count = 64 });
		idle(&b, 3);
		build_loop(&b, 1 + next_random() % 6, 4 * body);
		for (r = 0; r < body; r++)
			stream_op(&b, entry);
		for (r = 0; r < STREAM_REGISTERS; r++)
			build_op(&b, RONDO_S,
				 (struct rondo_op){ .op = RONDO_OP_st_w,
						    .a = r,
						    .entry = fixed,
						    .off = RESULT + r * ROW,
						    .count = 64 });
		build_halt(&b);
		bytes = build_accepted(&b, &size);
		if (bytes) {
			ran++;
			count_moved(&b, bytes, size, &hoisted, &left_out);
			shorter += left_out != 0;
			wrong += !all_agree(&b, bytes, size, 977 * i, "stream");
			free(bytes);
		}
		build_fini(&b);
	}
	tap_ok(!wrong, "%u loops of loads, operations and stores, %u differ", ran, wrong);
	tap_ok(ran == programs && shorter > ran / 4 && shorter < ran,
	       "%u leave out what only the last trip needs", shorter);
}

int main(int argc, char **argv)
{
	u32 programs = argc > 1 ? strtoul(argv[1], NULL, 0) : 800;
	struct rondo_machine edge;
	const struct executor *x;
	u32 i;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	plain = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	for (i = 0; (x = executor_for(&edge, (int)i)) != plain->executor; i++) {
		printf("# executor %s\n", x->name);
		fast[i] = exec_create(x, &edge);
	}
	for (u32 k = 0; k < OPERANDS; k++)
		operands[k] = random_operand();
	every_operation(programs / 100);
	pipelines(programs);
	streams(programs);
	random_programs(programs);
	while (i--)
		exec_destroy(fast[i]);
	exec_destroy(plain);
	return tap_done();
}
