// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What emulator/exec/exec.h promises of any executor: which there are, what a load that fails
 * leaves, and what a run tells while it lasts and at its end.
 */
#include <errno.h>

#include "tests/program_run.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static struct rondo_machine machine_of(enum rondo_machine_id id)
{
	struct rondo_machine machine;

	rondo_machine_init(&machine, id);
	return machine;
}

/* The executors of a machine, best first, @count of them; the last has a name that is given. */
static void executors(enum rondo_machine_id id, u32 least, const char *last)
{
	struct rondo_machine machine = machine_of(id);
	const char *name = rondo_machine_name(id);
	const struct executor *x, *before = NULL;
	u32 count = 0;

	while ((x = executor_for(&machine, (int)count))) {
		tap_ok(x != before && x->suits(&machine), "%s: %s", name, x->name);
		before = x;
		count++;
	}
	tap_ok(count >= least, "%s: %u executors", name, count);
	tap_ok(before && !strcmp(before->name, last), "%s: the last is %s", name, last);
	tap_ok(executor_for(&machine, EXECUTOR_PLAIN) == before, "and is asked for by name");
	tap_ok(!executor_for(&machine, (int)count + 1), "there is none behind it");
}

static void test_executors(void)
{
	struct rondo_machine odd = machine_of(RONDO_MACHINE_edge);

	executors(RONDO_MACHINE_edge, 2, "plain");
	executors(RONDO_MACHINE_mesh, 2, "plain");
	executors(RONDO_MACHINE_patch, 2, "plain");
	executors(RONDO_MACHINE_wafer, 1, "mesh");
	odd.lanes = 7;
	tap_ok(!executor_for(&odd, EXECUTOR_BEST) && !executor_for(&odd, EXECUTOR_PLAIN),
	       "a machine that is not supported has none");
	tap_ok(!exec_create(NULL, &odd), "and no state");
	exec_destroy(NULL);
	exec_unload(NULL);
}

/* Reads 4 KiB that were cleared before, then runs 4000 bundles, of which 2000 look at SRAM. */
enum { CLEARED = 4096, TRIPS = 2000 };

static u8 *counted(struct builder *b, const struct rondo_machine *machine, u64 *size)
{
	const s32 row = 4 * machine->lanes;
	u32 all, one;

	build_init(b);
	build_machine(b, machine);
	all = build_entry(b, (struct rondo_entry){ .base = 0, .stride = { row } });
	one = build_entry(b, (struct rondo_entry){ .base = 0 });
	build_loop(b, (u64)(CLEARED / row), 1);
	build_op(b, RONDO_M, OP(preset, .entry = (u16)all, .count = machine->lanes));
	build_loop(b, TRIPS, 2);
	build_op(b, RONDO_M, OP(preset, .entry = (u16)one, .count = 1));
	build_bundle(b);
	build_halt(b);
	return build_accepted(b, size);
}

struct told {
	atomic_ullong now;
	struct exec_result result;
};

static enum exec_status run(struct exec *e, const u8 *bytes, u64 size,
			    const struct rondo_facts *facts, struct exec_control control,
			    struct told *told)
{
	const struct exec_io io = { NULL, NULL, NULL };

	atomic_init(&told->now, 0);
	control.now = &told->now;
	run_once(e, bytes, size, facts, &io, &control, &told->result);
	return told->result.status;
}

/* Time is told exactly at the end, however the run ends. */
static void test_time(struct exec *e, const u8 *bytes, u64 size, const struct rondo_facts *facts)
{
	const char *name = e->executor->name;
	struct told told;

	tap_eq(run(e, bytes, size, facts, (struct exec_control){ .bound = facts->cycles }, &told),
	       EXEC_DONE, name);
	tap_ok(told.result.cycles == facts->cycles && told.now == facts->cycles &&
		       told.result.signature == facts->signature && !told.result.reason[0],
	       "%s: a bound that is just enough", name);
	tap_ok(run(e, bytes, size, facts, (struct exec_control){ .bound = facts->cycles - 1 },
		   &told) == EXEC_OVERRUN &&
		       told.result.cycles == facts->cycles - 1 && told.now == facts->cycles - 1,
	       "%s: one that is not is the time that passed", name);
	tap_ok(run(e, bytes, size, facts, (struct exec_control){ .bound = 1000 }, &told) ==
			       EXEC_OVERRUN &&
		       told.result.cycles == 1000 && told.now == 1000,
	       "%s: nor is a small one", name);
}

/* One wrong bit shows in the signature, and only in the run that it was asked for. */
static void test_flip(struct exec *e, const u8 *bytes, u64 size, const struct rondo_facts *facts)
{
	struct exec_control control = { .bound = facts->cycles, .flip = 20, .flip_bit = 3 };
	const char *name = e->executor->name;
	struct told told;

	tap_ok(run(e, bytes, size, facts, control, &told) == EXEC_DONE &&
		       told.result.signature != facts->signature,
	       "%s: an address with a wrong bit", name);
	control.flip = 0;
	tap_ok(run(e, bytes, size, facts, control, &told) == EXEC_DONE &&
		       told.result.signature == facts->signature,
	       "%s: none", name);
	/* Without facts nothing is cleared: the checks find it, whoever runs the program else. */
	control.bound = UINT64_MAX;
	control.checks = true;
	tap_ok(run(e, bytes, size, NULL, control, &told) == EXEC_TRAP && told.result.reason[0],
	       "%s: with checks", name);
}

static void test_no_room(const struct executor *x, const struct rondo_machine *machine,
			 const u8 *bytes, u64 size)
{
	struct exec_program *none = (void *)8, *p = none;
	struct emu_budget budget = { .limit = 16 };
	char why[EXEC_REASON_BYTES] = "";

	tap_ok(exec_load_within(&p, (struct exec_limits){ .budget = &budget }, x, machine, bytes,
				size, NULL, why) == -ENOMEM &&
		       !strcmp(why, "out of memory") && p == none && !budget.used,
	       "%s: no room to load", x->name);
	memset(why, 'x', sizeof(why));
	tap_ok(!exec_load(&p, x, machine, bytes, size, NULL, why) && !why[0],
	       "%s: a load that is well has no reason", x->name);
	exec_unload(p);
}

static void test_machine(enum rondo_machine_id id)
{
	struct rondo_machine machine = machine_of(id);
	const struct executor *x;
	struct rondo_facts facts;
	struct builder b;
	u64 size;
	u8 *bytes = counted(&b, &machine, &size);

	facts = *rondo_verify_facts(b.verify);
	tap_ok(bytes && rondo_cleared_bytes(&facts) == CLEARED, "a program that clears SRAM");
	for (int i = 0; bytes && (x = executor_for(&machine, i)); i++) {
		struct exec *e = exec_create(x, &machine);

		test_time(e, bytes, size, &facts);
		test_flip(e, bytes, size, &facts);
		test_no_room(x, &machine, bytes, size);
		exec_destroy(e);
	}
	free(bytes);
	build_fini(&b);
}

int main(void)
{
	test_executors();
	test_machine(RONDO_MACHINE_edge);
	test_machine(RONDO_MACHINE_patch);
	return tap_done();
}
