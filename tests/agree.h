/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The executors against the reference, core/timing and core/energy: one accepted program, run
 * by the reference, by each executor, and by the plain one with its checks too, on the same slots,
 * must end with the same bytes in every slot, in the cycles and with the signature that the
 * verifier computed. The reference's activity is what core/energy computes; the others count none.
 */
#ifndef TESTS_AGREE_H
#define TESTS_AGREE_H

#include "core/verify.h"
#include "emulator/exec/exec.h"
#include "emulator/reference/reference.h"

enum { AGREE_WHY_BYTES = 256, AGREE_EXECUTORS = 8 };

/* All executors of one machine; costs some MiB, so keep it for many programs. */
struct agree {
	struct rondo_machine machine;
	struct exec *exec[AGREE_EXECUTORS]; /* those of the host, best first; then NULL */
	struct reference *reference;
	struct rondo_verify *verify;
	/*
	 * The plain executor with checks and the best one run every program; the others, without
	 * checks, those whose seed is a multiple of this. 1, which agree_init() sets: all.
	 */
	u32 share;
	u64 bits; /* that differed in all runs so far: of slots, cycles, signature, activity */
	u64 runs; /* of executors that were compared with the reference */
	u32 *random; /* data for slots */
};

/* What a slot holds at first; the rest of it, and slots without, hold random data. */
struct agree_content {
	const void *data;
	u64 size;
};

/* False if memory is short. Of a machine that the executor runs. */
bool agree_init(struct agree *a, const struct rondo_machine *machine);
void agree_fini(struct agree *a);

/*
 * Runs the program of @size bytes at @data, which the verifier accepted with @facts. @content:
 * RONDO_PROGRAM_SLOTS_MAX of them, or NULL. @seed: of the random data. False, and the first
 * difference in @why, if they do not agree; a->bits counts all differences.
 */
bool agree_run(struct agree *a, const void *data, u64 size, const struct rondo_facts *facts,
	       const struct agree_content *content, u64 seed, char why[AGREE_WHY_BYTES]);

/* Verifies the program first; a refusal is a disagreement. */
bool agree_program(struct agree *a, const void *data, u64 size, const struct agree_content *content,
		   u64 seed, char why[AGREE_WHY_BYTES]);

#endif
