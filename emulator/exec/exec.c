// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Choosing an executor, and what is the same for all of them.
 */
#include "emulator/exec/exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "emulator/exec/fast/fast.h"
#include "emulator/exec/mesh/mesh.h"
#include "emulator/exec/plain/plain.h"

/* The best first. */
static const struct executor *const executors[] = {
#ifdef __x86_64__
	&executor_avx512,   &executor_avx2,
#endif
	&executor_portable, &executor_mesh, &executor_plain,
};

const struct executor *executor_for(const struct rondo_machine *machine, int number)
{
	const struct executor *found = NULL;
	u32 i;

	if (!rondo_machine_supported(machine))
		return NULL;
	for (i = 0; i < sizeof(executors) / sizeof(*executors); i++) {
		if (!executors[i]->suits(machine))
			continue;
		found = executors[i];
		if (!number--)
			return found;
	}
	return number < 0 ? found : NULL;
}

struct exec *exec_create(const struct executor *x, const struct rondo_machine *machine)
{
	struct exec *e = x ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	e->executor = x;
	e->machine = *machine;
	if (executor_plain.suits(machine))
		e->plain = plain_create(machine);
	if ((e->plain || !executor_plain.suits(machine)) && (!x->create || x->create(e)))
		return e;
	exec_destroy(e);
	return NULL;
}

void exec_destroy(struct exec *e)
{
	if (!e)
		return;
	if (e->executor->destroy)
		e->executor->destroy(e);
	plain_destroy(e->plain);
	free(e);
}

bool exec_clean(struct exec *e, const atomic_bool *stop)
{
	return !e->executor->clean || e->executor->clean(e, stop);
}

int exec_load_within(struct exec_program **program, struct exec_limits limits,
		     const struct executor *x, const struct rondo_machine *machine,
		     const void *data, u64 size, const struct rondo_facts *facts,
		     char why[EXEC_REASON_BYTES])
{
	const u64 used = limits.budget ? limits.budget->used : 0;
	struct exec_program *p = emu_budget_calloc(limits.budget, 1, sizeof(*p));
	int ret = -ENOMEM;

	why[0] = '\0';
	if (p) {
		p->limits = limits;
		ret = exec_decode(p, machine, data, size, facts, why);
	}
	if (!ret) {
		p->executor = x;
		ret = x->load ? x->load(p, why) : 0;
	}
	if (p && limits.budget)
		p->charged = limits.budget->used - used;
	if (ret == -ENOMEM && !why[0])
		snprintf(why, EXEC_REASON_BYTES, "out of memory");
	if (ret)
		exec_unload(p);
	else
		*program = p;
	return ret;
}

int exec_load(struct exec_program **program, const struct executor *x,
	      const struct rondo_machine *machine, const void *data, u64 size,
	      const struct rondo_facts *facts, char why[EXEC_REASON_BYTES])
{
	return exec_load_within(program, (struct exec_limits){ 0 }, x, machine, data, size, facts,
				why);
}

void exec_unload(struct exec_program *p)
{
	if (!p)
		return;
	if (p->executor && p->executor->unload)
		p->executor->unload(p);
	free(p->bundle);
	free(p->op);
	free(p->control);
	free(p->entry);
	free(p->desc);
	free(p->slot);
	emu_budget_give(p->limits.budget, 1, p->charged);
	free(p);
}

void exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result)
{
	struct run run = {
		.program = program,
		.io = io,
		.control = control,
		.result = result,
		.cycles = program->clear_cycles,
		.window = { 0, e->machine.sram_bytes },
	};

	memset(result, 0, sizeof(*result));
	rondo_signature_reset(&run.signature);
	if (control->now)
		atomic_store_explicit(control->now, run.cycles, memory_order_relaxed);
	if (e->plain && (program->executor == &executor_plain || control->checks || control->flip))
		executor_plain.run(e, &run);
	else
		e->executor->run(e, &run);
	result->signature = run.signature.sum;
	result->cycles = result->status == EXEC_OVERRUN ? control->bound : run.cycles;
	if (control->now)
		atomic_store_explicit(control->now, result->cycles, memory_order_relaxed);
}
