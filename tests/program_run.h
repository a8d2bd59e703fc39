/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Runs programs: once, in any executor, on any slots; or in the checking executor, with what
 * differs from the verifier's promises. There slots read as a pattern; what is touched is noted.
 */
#ifndef TESTS_PROGRAM_RUN_H
#define TESTS_PROGRAM_RUN_H

#include <stdio.h>
#include <string.h>

#include "core/machine.h"
#include "core/verify.h"
#include "emulator/exec/run/run.h"

enum { RUN_WHY_BYTES = 256 };

/*
 * Loads the program of @size bytes at @data for @e's executor and runs it once. *@result is how the
 * run ended; of one that cannot be loaded (false) EXEC_TRAP, and why.
 */
static inline bool run_once(struct exec *e, const void *data, u64 size,
			    const struct rondo_facts *facts, const struct exec_io *io,
			    const struct exec_control *control, struct exec_result *result)
{
	struct exec_program *program;

	*result = (struct exec_result){ .status = EXEC_TRAP };
	if (exec_load(&program, e->executor, &e->machine, data, size, facts, result->reason))
		return false;
	exec_run(e, program, io, control, result);
	exec_unload(program);
	return true;
}

/* Lowest byte touched and one past the highest; 0, 0 if none is. */
struct run_extent {
	u64 lo, hi;
};

struct run_slots {
	struct run_extent read[RONDO_PROGRAM_SLOTS_MAX], written[RONDO_PROGRAM_SLOTS_MAX];
};

static inline void run_note(struct run_extent *extent, u64 offset, u64 size)
{
	if (extent->lo == extent->hi || offset < extent->lo)
		extent->lo = offset;
	if (offset + size > extent->hi)
		extent->hi = offset + size;
}

static inline bool run_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct run_slots *slots = ctx;

	run_note(&slots->read[slot], offset, size);
	memset(to, (int)offset, size);
	return true;
}

static inline bool run_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct run_slots *slots = ctx;

	(void)from;
	run_note(&slots->written[slot], offset, size);
	return true;
}

/*
 * Runs the program of @size bytes at @data on @e with every check on. @facts: of the verifier, or
 * NULL if it refused. Returns how the run ended, and in @why what was wrong with it, "" if nothing
 * was.
 */
static inline enum exec_status run_with(struct exec *e, const void *data, u64 size,
					const struct rondo_facts *facts, const struct exec_io *io,
					char why[RUN_WHY_BYTES])
{
	struct exec_control control = { .bound = ~0ull, .checks = true };
	struct exec_result result;

	why[0] = 0;
	if (!run_once(e, data, size, facts, io, &control, &result))
		snprintf(why, RUN_WHY_BYTES, "not loaded: %s", result.reason);
	else if (result.status != EXEC_DONE)
		snprintf(why, RUN_WHY_BYTES, "bundle %u: %s", result.bundle, result.reason);
	else if (facts && result.cycles != facts->cycles)
		snprintf(why, RUN_WHY_BYTES, "took %llu cycles, promised %llu",
			 (unsigned long long)result.cycles, (unsigned long long)facts->cycles);
	return result.status;
}

/* The same, with @slots noting what it touches. */
static inline enum exec_status run_program(struct exec *e, const void *data, u64 size,
					   const struct rondo_facts *facts, struct run_slots *slots,
					   char why[RUN_WHY_BYTES])
{
	struct exec_io io = { .read = run_read, .write = run_write, .ctx = slots };

	memset(slots, 0, sizeof(*slots));
	return run_with(e, data, size, facts, &io, why);
}

/*
 * Runs a program that the verifier accepted with @facts; returns whether it kept every
 * promise, else says in @why which it did not.
 */
static inline bool run_keeps_promises(struct exec *e, const void *data, u64 size,
				      const struct rondo_facts *facts, char why[RUN_WHY_BYTES])
{
	struct rondo_program program;
	struct run_slots slots;
	u32 i;

	rondo_program_open(&program, data, size);
	run_program(e, data, size, facts, &slots, why);
	for (i = 0; !why[0] && i < program.header->slots; i++) {
		const struct rondo_slot *slot = &program.slots[i];

		if (slot->read_lo != slots.read[i].lo || slot->read_hi != slots.read[i].hi ||
		    slot->write_lo != slots.written[i].lo || slot->write_hi != slots.written[i].hi)
			snprintf(why, RUN_WHY_BYTES, "slot %u: extents are not exact", i);
	}
	return !why[0];
}

#endif
