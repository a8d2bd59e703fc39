// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Loading within limits: what it takes of a budget, and that it ends when it is told to, in each
 * executor that this host can run.
 */
#include <errno.h>

#include "core/machine.h"
#include "emulator/exec/decode/program.h"
#include "tests/tap.h"
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

int main(void)
{
	test_machine(RONDO_MACHINE_edge);
	test_machine(RONDO_MACHINE_mesh);
	return tap_done();
}
