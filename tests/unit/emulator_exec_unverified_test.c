// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Programs that the verifier refuses, given to the executors all the same. Each must be refused
 * when it is loaded, or end with a trap; none may touch memory that is not the machine's, which is
 * for the sanitizers to see.
 */
#include "emulator/exec/exec.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static bool read_ones(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	(void)ctx, (void)slot, (void)offset;
	memset(to, 1, size);
	return true;
}

static bool write_nothing(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	(void)ctx, (void)slot, (void)offset, (void)from, (void)size;
	return true;
}

/* How a run of the program ends, with checks or without; EXEC_TRAP too if it is not loaded. */
static enum exec_status run(const struct rondo_machine *machine, const void *bytes, u64 size,
			    bool checks)
{
	const struct exec_control control = { .bound = 100000, .checks = checks };
	const struct exec_io io = { .read = read_ones, .write = write_nothing };
	struct exec_result result = { .status = EXEC_TRAP };
	const struct executor *x = executor_for(machine, EXECUTOR_PLAIN);
	struct exec *e = exec_create(x, machine);
	struct exec_program *program = NULL;
	char why[EXEC_REASON_BYTES];

	if (!exec_load(&program, x, machine, bytes, size, NULL, why))
		exec_run(e, program, &io, &control, &result);
	exec_unload(program);
	exec_destroy(e);
	return result.status;
}

/* The program of @b, whose halt is still missing. */
static void expect_trap(struct builder *b, const char *name)
{
	u64 size;
	u8 *bytes;

	build_halt(b);
	bytes = build_bytes(b, &size);
	tap_ok(build_verdict(b, 0).code, "%s: the verifier refuses it", name);
	for (u32 checks = 0; checks < 2; checks++)
		tap_ok(run(&b->machine, bytes, size, checks) == EXEC_TRAP, "%s: trap, checks %u",
		       name, checks);
	free(bytes);
	build_fini(b);
}

/* Without a refusal every trip of the outer loop would leave one more loop open. */
static void test_loops(void)
{
	struct builder b;

	build_init(&b);
	build_loop(&b, 20, 1);
	build_loop(&b, 2, 1);
	build_bundle(&b);
	expect_trap(&b, "a loop opens in the last bundle of another's body");
}

int main(void)
{
	test_loops();
	return tap_done();
}
