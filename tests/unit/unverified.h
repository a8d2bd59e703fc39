/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Programs that nobody verified, in every executor of their machine: whatever they are, a run stays
 * inside its memory (which is for the sanitizers to see) and its bound, and where the plain
 * executor runs one with all its checks to the end, the others do the same.
 */
#ifndef TESTS_UNIT_UNVERIFIED_H
#define TESTS_UNIT_UNVERIFIED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/program_run.h"

enum { UNVERIFIED_EXECUTORS = 8, UNVERIFIED_WHY_BYTES = 256 };

struct unverified {
	struct rondo_machine machine;
	const struct executor *executor[UNVERIFIED_EXECUTORS]; /* best first */
	struct exec *exec[UNVERIFIED_EXECUTORS];
	u32 executors;
};

/* A run; the plain executor's with checks comes last. */
struct unverified_end {
	bool loaded;
	struct exec_result result;
	u64 written; /* a hash of what went to slots */
};

/* Slots of any size, whose bytes follow from where they are. */
static inline bool unverified_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	(void)ctx;
	memset(to, (int)(slot * 31 + offset), size);
	return true;
}

static inline bool unverified_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	u64 *hash = ctx, i;

	*hash = (*hash + slot) * 0x100000001b3ull + offset;
	for (i = 0; i < size; i++)
		*hash = (*hash ^ ((const u8 *)from)[i]) * 0x100000001b3ull;
	return true;
}

/* False if memory is short. */
static inline bool unverified_init(struct unverified *u, const struct rondo_machine *machine)
{
	*u = (struct unverified){ .machine = *machine };
	while ((u->executor[u->executors] = executor_for(machine, (int)u->executors))) {
		u->exec[u->executors] = exec_create(u->executor[u->executors], machine);
		if (!u->exec[u->executors++])
			return false;
	}
	return true;
}

static inline void unverified_fini(struct unverified *u)
{
	while (u->executors)
		exec_destroy(u->exec[--u->executors]);
}

static inline struct unverified_end unverified_run(const struct unverified *u, u32 number,
						   const void *bytes, u64 size, u64 bound,
						   bool checks)
{
	/* What a device would say of the program that was verified, and is another by now. */
	const struct rondo_facts facts = { .cycles = 1 };
	const struct exec_control control = { .bound = bound, .checks = checks };
	struct unverified_end end = { 0 };
	const struct exec_io io = { unverified_read, unverified_write, &end.written };

	end.loaded = run_once(u->exec[number], bytes, size, &facts, &io, &control, &end.result);
	return end;
}

/*
 * Runs the @size bytes at @bytes in every executor for at most @bound cycles. Returns the run with
 * checks; *@why is empty, or says what was wrong.
 */
static inline struct unverified_end unverified(const struct unverified *u, const void *bytes,
					       u64 size, u64 bound, char why[UNVERIFIED_WHY_BYTES])
{
	struct unverified_end checked =
		unverified_run(u, u->executors - 1, bytes, size, bound, true);
	u32 i;

	why[0] = '\0';
	for (i = 0; i <= u->executors && !why[0]; i++) {
		struct unverified_end end = checked;

		if (i < u->executors)
			end = unverified_run(u, i, bytes, size, bound, false);
		if (!end.loaded && end.result.reason[0])
			continue;
		if (end.result.cycles > bound || end.result.status == EXEC_ABORTED ||
		    end.result.status == EXEC_DMA_ERROR)
			snprintf(why, UNVERIFIED_WHY_BYTES, "executor %u: status %u, %llu cycles",
				 i, end.result.status, (unsigned long long)end.result.cycles);
		else if (checked.loaded && checked.result.status == EXEC_DONE &&
			 (end.result.status != EXEC_DONE ||
			  end.result.cycles != checked.result.cycles ||
			  end.result.signature != checked.result.signature ||
			  end.written != checked.written))
			snprintf(why, UNVERIFIED_WHY_BYTES,
				 "executor %u: status %u, %llu cycles, written %llx; plain: %llu, "
				 "%llx; %.100s",
				 i, end.result.status, (unsigned long long)end.result.cycles,
				 (unsigned long long)end.written,
				 (unsigned long long)checked.result.cycles,
				 (unsigned long long)checked.written, end.result.reason);
	}
	return checked;
}

#endif
