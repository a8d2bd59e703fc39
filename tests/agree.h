/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The executor, with its checks and without, against the reference, core/timing and
 * core/energy: one accepted program, run by all on the same slots, must end with the same bytes
 * in every slot, in the cycles that the verifier computed, with the activity that core/energy
 * computes.
 */
#ifndef TESTS_AGREE_H
#define TESTS_AGREE_H

#include "core/verify_state.h"
#include "emulator/exec.h"
#include "emulator/reference/reference.h"

enum { AGREE_WHY_BYTES = 256 };

/* Both executors of one machine; costs some MiB, so keep it for many programs. */
struct agree {
	struct rondo_machine machine;
	struct exec *exec;
	struct reference *reference;
	struct rondo_verify *verify;
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
 * difference in @why, if they do not agree.
 */
bool agree_run(struct agree *a, const void *data, u64 size, const struct rondo_facts *facts,
	       const struct agree_content *content, u64 seed, char why[AGREE_WHY_BYTES]);

/* Verifies the program first; a refusal is a disagreement. */
bool agree_program(struct agree *a, const void *data, u64 size, const struct agree_content *content,
		   u64 seed, char why[AGREE_WHY_BYTES]);

#endif
