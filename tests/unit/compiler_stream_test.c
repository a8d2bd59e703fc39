// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Streams, registers, bundles and emission against the plainest schedule there is: random machine
 * IR is run as the compiler packs it, and with every operation alone between the marks of two
 * nodes, its loops as repetitions. Both programs must be accepted by the verifier and leave the
 * same bits.
 */
#include "compiler/backend.h"
#include "core/machine.h"
#include "tests/network_run.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>
#include <string.h>

enum { LANES = 64, VECTORS = 8, BYTES = LANES * VECTORS * 4, PROGRAMS = 300 };

static u64 state;

/* Binary operations of every latency, and none whose results could be NaN of several forms. */
static const enum rondo_opcode binary[] = {
	RONDO_OP_add, RONDO_OP_sub, RONDO_OP_mul,   RONDO_OP_mulh, RONDO_OP_xor,
	RONDO_OP_min, RONDO_OP_max, RONDO_OP_srdhm, RONDO_OP_perm, RONDO_OP_fadd,
};

/* Item lists are made twice from the same numbers: packed, or with a mark behind each operation. */
struct random_program {
	struct lowering l;
	mir_buf in, out;
	bool plain;
};

static void separate(struct random_program *p)
{
	if (p->plain)
		mir_node(&p->l.mir, "apart", NULL);
}

static vreg random_op(struct random_program *p, const vreg *live, int n)
{
	vreg v = mir_v2(&p->l.mir, binary[random_below(&state, sizeof(binary) / sizeof(*binary))],
			live[random_below(&state, n)], live[random_below(&state, n)]);

	separate(p);
	return v;
}

/* A loop that loads, computes, keeps a sum over its trips, and stores. */
static void random_loop(struct random_program *p, const vreg *outside, int n)
{
	struct mir *m = &p->l.mir;
	struct mir_ref from = mir_ref(p->in, 0), to = mir_ref(p->out, 0);
	vreg sum = mir_movi(m, 1), v, live[8];
	int depth, ops, i;

	memcpy(live, outside, n * sizeof(*live));
	separate(p);
	depth = mir_loop(m, 1 + random_below(&state, VECTORS));
	from.stride[depth] = to.stride[depth] = LANES * 4;
	for (ops = 1 + random_below(&state, 12); ops; ops--) {
		v = mir_load(m, RONDO_OP_ld_w, from, 1 + random_below(&state, LANES));
		separate(p);
		for (i = random_below(&state, 6); i; i--) {
			live[n - 1] = v;
			v = random_op(p, live, n);
		}
		mir_v2_into(m, sum, RONDO_OP_add, sum, v);
		separate(p);
		mir_store(m, v, to, LANES);
		separate(p);
	}
	mir_store(m, sum, to, 1 + random_below(&state, LANES));
	separate(p);
	mir_end(m);
}

/* A loop of one load and one store, of buffers that it goes through in different orders. */
static void random_copy(struct random_program *p, vreg add)
{
	struct mir *m = &p->l.mir;
	u64 trips = 1 + random_below(&state, VECTORS);
	int depth = mir_loop(m, trips);
	struct mir_ref from = mir_ref(p->in, 0), to = mir_ref(p->out, 0);
	vreg v;

	from.stride[depth] = LANES * 4;
	to.stride[depth] = -LANES * 4;
	to.offset = (s64)(trips - 1) * LANES * 4;
	v = mir_load(m, RONDO_OP_ld_w, from, LANES);
	separate(p);
	v = mir_v2(m, binary[random_below(&state, sizeof(binary) / sizeof(*binary))], v, add);
	separate(p);
	mir_store(m, v, to, LANES);
	separate(p);
	mir_end(m);
}

static const struct plans plans; /* everything is in SRAM */

static struct graph *make(struct random_program *p, const struct rondo_machine *machine, u32 seed,
			  bool plain, struct compile_error *err)
{
	struct graph *g = graph_new("random", "random", err);
	struct shape shape = { .rank = 1, .dim = { BYTES / 4 } };
	struct value *in = graph_value(g, "in"), *out = graph_value(g, "out");
	struct mir *m = &p->l.mir;
	vreg live[4];
	int i;

	state = random_seed(seed);
	value_set_type(in, DTYPE_F32, &shape);
	value_set_type(out, DTYPE_F32, &shape);
	graph_add_input(g, in);
	graph_add_output(g, out);
	*p = (struct random_program){
		.l = { .g = g, .plans = &plans, .machine = machine, .sram = machine->sram_bytes },
		.plain = plain
	};
	mir_init(m, &g->arena);
	in->id = 0;
	out->id = 1;
	p->in = mir_buffer(m, MIR_BUF_VALUE, "in", BYTES);
	p->out = mir_buffer(m, MIR_BUF_VALUE, "out", BYTES);
	p->l.value = arena_alloc(&g->arena, 2 * sizeof(*p->l.value));
	p->l.value[0] = (struct operand_at){ .buf = p->in, .layout = layout_row_major(&shape, 4) };
	p->l.value[1] = (struct operand_at){ .buf = p->out, .layout = layout_row_major(&shape, 4) };
	mir_node(m, "random", NULL);
	for (i = 0; i < 4; i++) {
		live[i] = mir_load(m, RONDO_OP_ld_w, mir_ref(p->in, i * LANES * 4), LANES);
		separate(p);
	}
	for (i = 0; i < 3; i++) {
		random_loop(p, live, 4);
		random_copy(p, live[i]);
	}
	return g;
}

static int finish(struct random_program *p, struct compiled *file)
{
	struct emitted program;
	struct bundle_maker maker = { .arena = &p->l.g->arena };
	struct transfer_list transfers;
	struct stream *stream;
	struct bundle_list bundles;
	int rc;

	mir_drop_single_trips(&p->l.mir);
	rc = place_buffers(&p->l);
	if (!rc)
		rc = transfers_make(&p->l, &transfers);
	if (!rc)
		rc = stream_make(&p->l, &transfers, &stream);
	if (!rc)
		rc = stream_check(&p->l, stream);
	if (rc)
		return rc;
	bundles = bundles_merge(&maker, stream);
	bundles = bundles_roll(&maker, &bundles);
	rc = maker.error ? maker.error : emit(&p->l, &transfers, &bundles, &program);
	if (rc)
		return rc;
	rc = emit_file(&p->l, &program, file);
	emitted_free(&program);
	return rc;
}

static bool run(u32 seed, bool plain, u8 result[BYTES], u64 *cycles)
{
	struct compile_error err = { 0 };
	struct random_program p;
	struct rondo_machine machine;
	struct compiled program = { 0 };
	static float in[BYTES / 4];
	struct tensor_data from = { .bytes = in, .size = BYTES };
	struct tensor_data to = { .bytes = result, .size = BYTES };
	struct graph *g;
	char why[RUN_WHY_BYTES] = "";
	bool good;
	int i;

	for (i = 0; i < BYTES / 4; i++)
		in[i] = (float)(i * 37 % 211) - 100;
	memset(result, 0, BYTES);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	g = make(&p, &machine, seed, plain, &err);
	good = !finish(&p, &program) && network_run(&program, &machine, &from, &to, why);
	if (!good)
		printf("# seed %u: %s %s\n", seed, err.text, why);
	*cycles = program.cycles;
	compiled_free(&program);
	graph_free(g);
	return good;
}

static void test_random(void)
{
	static u8 packed[BYTES], plain[BYTES];
	u64 packed_cycles, plain_cycles, packed_total = 0, plain_total = 0;
	bool good = true;
	u32 seed;

	for (seed = 1; seed <= PROGRAMS && good; seed++) {
		good = run(seed, false, packed, &packed_cycles) &&
		       run(seed, true, plain, &plain_cycles) && !memcmp(packed, plain, BYTES);
		packed_total += packed_cycles;
		plain_total += plain_cycles;
	}
	if (!tap_ok(good, "%d random programs leave the same bits packed and unpacked", PROGRAMS))
		printf("# seed %u\n", seed - 1);
	tap_ok(packed_total * 6 < plain_total * 5,
	       "packing saves a sixth of the cycles: %llu, %llu", (unsigned long long)packed_total,
	       (unsigned long long)plain_total);
}

/* 65 values that are all needed at the end. */
static void test_registers(void)
{
	struct compile_error err = { 0 };
	struct compiled program = { 0 };
	struct rondo_machine machine;
	struct random_program p;
	struct graph *g;
	vreg value[RONDO_VREGS + 1];

	for (int n = RONDO_VREGS; n <= RONDO_VREGS + 1; n++) {
		rondo_machine_init(&machine, RONDO_MACHINE_edge);
		g = make(&p, &machine, 1, false, &err);
		p.l.mir.items = 0;
		mir_node(&p.l.mir, "wide", NULL);
		for (int i = 0; i < n; i++)
			value[i] = mir_movi(&p.l.mir, i);
		mir_node(&p.l.mir, "end", NULL);
		for (int i = 0; i < n; i++)
			mir_store(&p.l.mir, value[i], mir_ref(p.out, 0), 1);
		if (n == RONDO_VREGS)
			tap_ok(!finish(&p, &program), "as many values as registers fit");
		else
			tap_ok(finish(&p, &program) == -EFBIG &&
				       strstr(err.text, "more than the 64 registers"),
			       "more values than registers are noticed: %s", err.text);
		compiled_free(&program);
		graph_free(g);
	}
}

/*
 * Bundles from the first to the last operation of slot V0: nine operations of the vector units, and
 * a store of @lanes lanes to each fourth byte, @trips times. @in_place: what was loaded is
 * overwritten.
 */
static u64 vector_bundles(int lanes, u64 trips, bool in_place)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct random_program p;
	struct transfer_list transfers;
	struct stream *stream;
	struct mir_ref from, to;
	u64 first = UINT64_MAX, end = 0;
	struct graph *g;
	int depth;
	vreg x;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	g = make(&p, &machine, 1, false, &err);
	p.l.mir.items = 0;
	mir_node(&p.l.mir, "nine", NULL);
	from = mir_ref(p.in, 0);
	to = mir_ref(in_place ? p.in : p.out, 0);
	depth = mir_loop(&p.l.mir, trips);
	from.stride[depth] = to.stride[depth] = 4;
	x = mir_load(&p.l.mir, RONDO_OP_ld_w, from, 1);
	for (int i = 0; i < 9; i++)
		x = mir_v2(&p.l.mir, RONDO_OP_fadd, x, x);
	mir_store(&p.l.mir, x, to, lanes);
	mir_end(&p.l.mir);
	if (place_buffers(&p.l) || transfers_make(&p.l, &transfers) ||
	    stream_make(&p.l, &transfers, &stream) || stream_check(&p.l, stream))
		stream = NULL;
	for (int i = 0; stream && i < stream->runs; i++) {
		const struct stream_run *r = &stream->run[i];
		u64 last = r->start + (stream_run_count(r) - 1) * r->period;

		if (r->slot != RONDO_V0)
			continue;
		first = r->start < first ? r->start : first;
		end = last + 1 > end ? last + 1 : end;
	}
	graph_free(g);
	return end - first;
}

/* Two iterations are one where the vector units would be idle else, and where that may be. */
static void test_pairs(void)
{
	u64 n = vector_bundles(1, 256, false);

	tap_ok(n >= 256 * 9 / 2 && n < 256 * 5 - 60, "nine operations take 4.5 bundles: %llu",
	       (unsigned long long)n);
	n = vector_bundles(2, 256, false);
	tap_ok(n >= 255 * 5, "five where iterations store to the same bytes: %llu",
	       (unsigned long long)n);
	n = vector_bundles(1, 255, false);
	tap_ok(n >= 255 * 9 / 2 && n < 255 * 5 - 60, "one is left where their number is odd: %llu",
	       (unsigned long long)n);
	n = vector_bundles(1, 31, false);
	tap_ok(n >= 30 * 5, "five where that does not pay: %llu", (unsigned long long)n);
	n = vector_bundles(1, 256, true);
	tap_ok(n >= 255 * 5, "five where they overwrite what they load: %llu",
	       (unsigned long long)n);
}

int main(void)
{
	test_random();
	test_registers();
	test_pairs();
	return tap_done();
}
