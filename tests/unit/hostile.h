/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For programs that were made to break one argument of docs/explanation/verifier-rules.md each:
 * they are refused, or accepted and keep all promises in the checking executor. Most have a
 * neighbour that differs in one number and goes the other way.
 */
#ifndef TESTS_UNIT_HOSTILE_H
#define TESTS_UNIT_HOSTILE_H

#include "tests/program_run.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

static struct exec *hostile_executor; /* of an edge machine */

/* The verdict is @code; a program that is accepted also keeps its promises. */
static inline void expect(struct builder *b, u32 code, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);
	char why[RUN_WHY_BYTES] = "";
	u64 size;
	u8 *bytes = build_bytes(b, &size);
	bool right = verdict.code == code;

	if (right && !code) {
		rondo_measure_claim(b->verify, bytes);
		right = run_keeps_promises(hostile_executor, bytes, size,
					   rondo_verify_facts(b->verify), why);
	}
	if (!tap_ok(right, "%s", name))
		printf("# %s at %u.%u %s\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot, why);
	free(bytes);
	build_fini(b);
}

static inline void begin(struct builder *b)
{
	build_init(b);
	build_slot(b, 0);
}

/* A read of one container at @base. */
static inline void read(struct builder *b, u32 base)
{
	build_op(b, RONDO_M,
		 OP(preset, .entry = build_entry(b, (struct rondo_entry){ .base = base })));
}

/* Programs that run longer than a test does: the verdict alone. */
static inline void expect_verdict(struct builder *b, u32 code, const char *name)
{
	struct rondo_verdict verdict = build_verdict(b, 0);

	if (!tap_ok(verdict.code == code, "%s", name))
		printf("# %s at %u.%u\n", rondo_error_name(verdict.code), verdict.index,
		       verdict.slot);
	build_fini(b);
}

static inline void nops(struct builder *b, u32 count)
{
	while (count--)
		build_bundle(b);
}

/* A store of 64 containers at @base, with strides for the two outer loops. */
static inline void store(struct builder *b, u32 base, s32 outer, s32 inner)
{
	struct rondo_entry e = { .base = base, .stride = { outer, inner } };

	build_op(b, RONDO_S, OP(sta, .entry = build_entry(b, e), .count = 64));
}

/* Runs @test with an executor; the exit status for main(). */
static inline int hostile_run(void (*test)(void))
{
	struct rondo_machine edge;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	hostile_executor = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	if (!hostile_executor)
		return EXIT_FAILURE;
	test();
	exec_destroy(hostile_executor);
	return tap_done();
}

#endif
