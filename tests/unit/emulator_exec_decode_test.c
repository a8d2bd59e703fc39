// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What can be loaded and what cannot, in pairs that differ by one; and loading within limits, in
 * each executor that this host can run: what it takes of a budget, and that it ends when it is told
 * to.
 */
#include <errno.h>

#include "core/machine.h"
#include "tests/program_run.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"
#include "tools/asm/asm.h"

enum { BUNDLES = 200 };

/* Loads, stores and vector operations, in a loop. */
static char *source(const char *machine)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "machine %s\nentry e base=0 stride=256\n", machine);
	for (u32 i = 0; i < 8; i++)
		fprintf(f, "\tmovi v%u, 0\n", i);
	fprintf(f, "\tnop\n\tloop 3 {\n");
	for (u32 i = 0; i < BUNDLES; i++)
		fprintf(f, "\tst.w e+%u, v%u | movi v%u, %u\n", 32 * i, i % 8, 8 + i % 8, i);
	fprintf(f, "\t}\n\thalt\n");
	fclose(f);
	return text;
}

static void test_limits(const struct executor *x, const struct rondo_machine *machine,
			const void *bytes, u64 size)
{
	struct emu_budget budget = { .limit = UINT64_MAX };
	struct exec_limits limits = { .budget = &budget };
	struct exec_program *p = NULL;
	char why[EXEC_REASON_BYTES];
	u64 needed;

	tap_ok(!exec_load_within(&p, limits, x, machine, bytes, size, NULL, why) &&
		       budget.used > BUNDLES * (sizeof(*p->bundle) + 2 * sizeof(*p->op)),
	       "%s: a program is charged", x->name);
	needed = budget.used;
	exec_unload(p);
	tap_eq(budget.used, 0, "and given back");
	budget.limit = needed - 1;
	tap_eq(exec_load_within(&p, limits, x, machine, bytes, size, NULL, why), -ENOMEM,
	       "one byte less than it keeps is too little");
	tap_ok(!budget.used && budget.exceeded, "and nothing is kept of what fails");
}

static void test_stop(const struct executor *x, const struct rondo_machine *machine,
		      const void *bytes, u64 size)
{
	atomic_bool stop = true;
	const struct exec_limits limits = { .stop = &stop };
	struct exec_program *p = NULL;
	char why[EXEC_REASON_BYTES];

	tap_ok(exec_load_within(&p, limits, x, machine, bytes, size, NULL, why) == -ECANCELED,
	       "%s: a load that is to stop ends", x->name);
	if (!x->load || exec_load(&p, x, machine, bytes, size, NULL, why))
		return;
	x->unload(p);
	p->limits = limits;
	tap_eq(x->load(p, why), -ECANCELED, "also after it was decoded");
	exec_unload(p);
}

static void test_machine(enum rondo_machine_id id)
{
	char *text = source(rondo_machine_name(id));
	struct rondo_machine machine;
	const struct executor *x;
	struct asm_errors errors;
	void *bytes = NULL;
	u64 size = 0;
	int number;

	rondo_machine_init(&machine, id);
	if (!tap_ok(!asm_assemble(text, &bytes, &size, &errors), "the text for %s",
		    rondo_machine_name(id)))
		asm_print_errors(stdout, "# text", &errors);
	for (number = 0; bytes && (x = executor_for(&machine, number)); number++) {
		test_limits(x, &machine, bytes, size);
		test_stop(x, &machine, bytes, size);
	}
	free(bytes);
	free(text);
}

/*
 * Numbers that are the last in range (@more is 0), or one beyond: what program.h promises of every
 * program that was loaded. The slot that the builder makes first has number 0.
 */

static void loops(struct builder *b, u32 depth)
{
	for (; depth; depth--)
		build_loop(b, 2, depth);
}

static void load_of(struct builder *b, struct rondo_entry entry)
{
	build_op(b, RONDO_L0, OP(ld_w, .entry = build_entry(b, entry), .count = 1));
}

static void transfer(struct builder *b, u32 depth, struct rondo_desc desc)
{
	u32 number = b->header.descs;

	b->descs = build_grow(b->descs, number, sizeof(desc));
	b->descs[b->header.descs++] = desc;
	loops(b, depth);
	build_start(b, 0, number, 0);
}

static void entries(struct builder *b, u32 more)
{
	build_entry(b, (struct rondo_entry){ .base = 0 });
	build_op(b, RONDO_L0, OP(ld_w, .entry = more, .count = 1));
}

static void index_of_address(struct builder *b, u32 more)
{
	struct rondo_entry entry = { .base = 0 };

	entry.stride[2 + more] = 4;
	loops(b, 3);
	load_of(b, entry);
}

static void index_of_row(struct builder *b, u32 more)
{
	struct rondo_entry entry = { .base = 0 };

	entry.row_stride[2 + more] = 1;
	loops(b, 3);
	load_of(b, entry);
}

static void loop_of_first_trip(struct builder *b, u32 more)
{
	u32 entry = build_entry(b, (struct rondo_entry){ .first = 4u << more });

	loops(b, 3);
	build_op(b, RONDO_M, OP(push_s8, .entry = entry, .count = 1, .mode = 2));
}

static void lanes(struct builder *b, u32 more)
{
	build_op(b, RONDO_S,
		 OP(st_w, .entry = build_entry(b, (struct rondo_entry){ .base = 0 }),
		    .lane = b->machine.lanes - 3u, .count = 3 + more));
}

static void weight_rows(struct builder *b, u32 more)
{
	build_op(b, RONDO_M,
		 OP(push_s8, .entry = build_entry(b, (struct rondo_entry){ .base = 0 }),
		    .wrow = b->machine.lanes - 3u, .count = 3 + more));
}

static void push_mode(struct builder *b, u32 more)
{
	u32 entry = build_entry(b, (struct rondo_entry){ .first = 1 });

	loops(b, 1);
	build_op(b, RONDO_M, OP(push_s8, .entry = entry, .count = 1, .mode = 2 + more));
}

static void column(struct builder *b, u32 more)
{
	build_op(b, RONDO_V1, OP(bc_row, .imm = (s16)(b->machine.mesh_w - 1 + more)));
}

static void line(struct builder *b, u32 more)
{
	build_op(b, RONDO_V1, OP(bc_col, .imm = (s16)(b->machine.mesh_h - 1 + more)));
}

static void depth(struct builder *b, u32 more)
{
	for (u32 i = 5; i; i--)
		build_loop(b, 2, i + 1 + more);
	build_op(b, RONDO_C, OP(loop, .nest = 3, .body = 1 + more, .trip = { 2, 2, 2 }));
	if (more)
		build_loop(b, 2, 1);
	build_bundle(b);
}

static void end_of_body(struct builder *b, u32 more)
{
	build_loop(b, 2, 2);
	build_loop(b, 2, 1 + more);
	build_bundle(b);
	build_bundle(b);
}

static void descriptors(struct builder *b, u32 more)
{
	build_desc(b, (struct rondo_desc){ .row_bytes = 1 });
	build_start(b, 0, more, 0);
}

static void loop_of_last_trip(struct builder *b, u32 more)
{
	build_desc(b, (struct rondo_desc){ .row_bytes = 1 });
	loops(b, 2);
	build_start(b, 0, 0, 2 + more);
}

static const struct rondo_desc one_byte = { .row_bytes = 1, .count = { 1, 1, 1 } };

/* Makes one number of a descriptor wrong if @more. */
#define DESCRIPTOR(name, field, value)                \
	static void name(struct builder *b, u32 more) \
	{                                             \
		struct rondo_desc desc = one_byte;    \
                                                      \
		desc.field = (value);                 \
		transfer(b, 2, desc);                 \
	}
DESCRIPTOR(slots, slot, (u16)more)
DESCRIPTOR(directions, dir, (u8)(RONDO_DMA_DIRS - 1 + more))
DESCRIPTOR(modes, mode, (u8)(RONDO_DMA_MODES - 1 + more))
DESCRIPTOR(row_of_bytes, row_bytes, 1 - more)
DESCRIPTOR(count_0, count[0], 1 - more)
DESCRIPTOR(count_1, count[1], 1 - more)
DESCRIPTOR(count_2, count[2], 1 - more)
DESCRIPTOR(tiles_x, x1, (u16)(b->machine.mesh_w - 1 + more))
DESCRIPTOR(tiles_y, y1, (u16)(b->machine.mesh_h - 1 + more))
DESCRIPTOR(index_in_sram, sram_loop[1 + more], 4)
DESCRIPTOR(index_in_slot, slot_loop[1 + more], 4)

static void mask(struct builder *b, u32 more)
{
	build_op(b, RONDO_C,
		 OP(mask, .x1 = b->machine.mesh_w - 1u + more, .y1 = b->machine.mesh_h - 1u));
}

static void parameters(struct builder *b, u32 more)
{
	build_op(b, RONDO_V0, OP(rq_f32, .dst = 1, .params = RONDO_VREGS - 3u + more));
}

static void writers(struct builder *b, u32 more)
{
	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_put(b, RONDO_V1, OP(iota, .dst = 2 - more));
}

static void halts(struct builder *b, u32 more)
{
	if (more)
		build_halt(b);
}

#define CASE(function, reason)              \
	{                                   \
#function, function, reason \
	}
static const struct {
	const char *name;
	void (*build)(struct builder *b, u32 more);
	const char *reason; /* of the refusal, if @more is 1 */
} pairs[] = {
	CASE(entries, "slot L0: no entry 1"),
	CASE(index_of_address, "uses the index of loop 3"),
	CASE(index_of_row, "uses the index of loop 3"),
	CASE(loop_of_first_trip, "names no open loop"),
	CASE(lanes, "slot S: lanes"),
	CASE(weight_rows, "slot M: weight rows"),
	CASE(push_mode, "push mode 3"),
	CASE(column, "no tile"),
	CASE(line, "no tile"),
	CASE(depth, "1 loops inside 8"),
	CASE(end_of_body, "bundle 1, slot C: loop body ends at bundle 3, after bundle 2"),
	CASE(descriptors, "no descriptor 1"),
	CASE(loop_of_last_trip, "loop 2 is not open"),
	CASE(slots, "no such slot"),
	CASE(directions, "no such slot, direction"),
	CASE(modes, "no such slot, direction or mode"),
	CASE(row_of_bytes, "is empty"),
	CASE(count_0, "is empty"),
	CASE(count_1, "is empty"),
	CASE(count_2, "is empty"),
	CASE(tiles_x, "no such tiles"),
	CASE(tiles_y, "no such tiles"),
	CASE(index_in_sram, "uses the index of loop 2"),
	CASE(index_in_slot, "uses the index of loop 2"),
	CASE(mask, "no such tiles"),
	CASE(parameters, "parameters from register 62"),
	CASE(writers, "slot V1: v1 is written twice"),
	CASE(halts, "bundle 0, slot C: halt before the end"),
};

/* Loads one of a pair for the plain executor. */
static int load_pair(const struct rondo_machine *machine, u32 i, u32 more,
		     char why[EXEC_REASON_BYTES])
{
	struct exec_program *p = NULL;
	struct builder b;
	u64 size;
	u8 *bytes;
	int ret;

	build_init(&b);
	build_machine(&b, machine);
	build_slot(&b, 0);
	pairs[i].build(&b, more);
	build_halt(&b);
	bytes = build_bytes(&b, &size);
	ret = exec_load(&p, executor_for(machine, EXECUTOR_PLAIN), machine, bytes, size, NULL, why);
	exec_unload(p);
	free(bytes);
	build_fini(&b);
	return ret;
}

static void test_pairs(enum rondo_machine_id id)
{
	char good[EXEC_REASON_BYTES], bad[EXEC_REASON_BYTES];
	struct rondo_machine machine;
	u32 i;

	rondo_machine_init(&machine, id);
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (!tap_ok(!load_pair(&machine, i, 0, good) &&
				    load_pair(&machine, i, 1, bad) == -EINVAL &&
				    strstr(bad, pairs[i].reason),
			    "%s: %s", rondo_machine_name(id), pairs[i].name))
			printf("# '%s', '%s', expected '%s'\n", good, bad, pairs[i].reason);
}

/*
 * Each of them touches the last of what there is, in the last trip of a loop: the verifier accepts
 * it, so every executor runs it.
 */
static void build_last(struct builder *b)
{
	const u32 sram = b->machine.sram_bytes, row = 4u * b->machine.lanes;
	u32 e = build_entry(b, (struct rondo_entry){ .base = sram - 3 * row,
						     .stride = { (s32)row },
						     .row_stride = { 1 } });

	build_op(b, RONDO_V0, OP(iota, .dst = 1));
	build_bundle(b);
	build_loop(b, 3, 1);
	build_op(b, RONDO_S, OP(st_w, .entry = (u16)e, .a = 1, .count = b->machine.lanes));
	build_loop(b, 3, 1);
	build_op(b, RONDO_W,
		 OP(wl_w, .entry = (u16)e, .wrow = b->machine.lanes - 3u,
		    .count = b->machine.lanes));
	build_put(b, RONDO_M,
		  OP(preset, .entry = (u16)e, .row = b->machine.acc_rows - 3u,
		     .count = b->machine.lanes));
	build_loop(b, 3, 4);
	build_op(b, RONDO_L0, OP(rd, .entry = (u16)e, .dst = 2, .row = b->machine.acc_rows - 3u));
	for (u32 i = 0; i < 3; i++)
		build_bundle(b);
	build_halt(b);
}

static void test_last(enum rondo_machine_id id)
{
	const struct exec_control control = { .bound = UINT64_MAX };
	const struct exec_io io = { NULL, NULL, NULL };
	struct rondo_machine machine;
	const struct executor *x;
	struct exec_result result;
	struct builder b;
	u64 size;
	u8 *bytes;
	int number;

	rondo_machine_init(&machine, id);
	build_init(&b);
	build_machine(&b, &machine);
	build_last(&b);
	bytes = build_accepted(&b, &size);
	if (!tap_ok(bytes, "the last of everything is accepted"))
		printf("# %s\n", rondo_error_name(rondo_verify_verdict(b.verify)->code));
	for (number = 0; bytes && (x = executor_for(&machine, number)); number++) {
		struct exec *e = exec_create(x, &machine);

		run_once(e, bytes, size, rondo_verify_facts(b.verify), &io, &control, &result);
		if (!tap_ok(result.status == EXEC_DONE, "and run by %s", x->name))
			printf("# %u: %s\n", result.status, result.reason);
		exec_destroy(e);
	}
	free(bytes);
	build_fini(&b);
}

int main(void)
{
	test_pairs(RONDO_MACHINE_edge);
	test_pairs(RONDO_MACHINE_mesh);
	test_last(RONDO_MACHINE_edge);
	test_last(RONDO_MACHINE_patch);
	test_machine(RONDO_MACHINE_edge);
	test_machine(RONDO_MACHINE_mesh);
	return tap_done();
}
