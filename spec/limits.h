/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Every maximum of the architecture. What one machine offers may be less: see
 * struct rondo_machine.
 */
#ifndef RONDO_SPEC_LIMITS_H
#define RONDO_SPEC_LIMITS_H

#include "spec/env.h"

enum {
	RONDO_BUNDLE_BYTES = 64,
	RONDO_SLOTS_PER_BUNDLE = 8,
	RONDO_VREGS = 64,
	RONDO_LANES_MAX = 64,
	RONDO_LOOP_DEPTH = 8,
	RONDO_DMA_LOOP_DEPTH = 3, /* a DMA start or a wait stands at most this deep */
	/*
	 * Loops of a program that contain a DMA start or a wait; one counts 2^n if starts in it
	 * are empty on the last trips of n loops around it.
	 */
	RONDO_DMA_LOOPS_MAX = 1024,
	RONDO_DMA_CHANNELS = 4,
	RONDO_DMA_OUTSTANDING = 4, /* transfers of one channel; a further start stalls */
	RONDO_DMA_DIMS = 3, /* outer dimensions of a transfer; the row of bytes is the fourth */
	RONDO_BUNDLES_MAX = 1 << 20,
	RONDO_ENTRIES_MAX = 4096,
	RONDO_DESCS_MAX = 16384,
	RONDO_PROGRAM_SLOTS_MAX = 64,
	RONDO_SLOT_ALIGN_MIN = 4,
	RONDO_SLOT_ALIGN_MAX = 4096,
	RONDO_REPLAY_OFFSETS_MAX = 8, /* slot offsets that one replay may choose */
	RONDO_CLEAR_RANGES_MAX = 8, /* SRAM ranges cleared before a replay */
	/* What the rule of clearing remembers; the time of a replay depends on it. */
	RONDO_CLEAR_WRITTEN_MAX = 32, /* ranges that are known to be written */
	RONDO_CLEAR_SETS_MAX = 16, /* affine sets that wait for the end of a loop, or have gaps */
	RONDO_CLEAR_SET_DIMS = 8, /* of such a set */
};

/* A slot, and so the buffer behind it: 1 GiB. */
#define RONDO_SLOT_BYTES_MAX (1ULL << 30)

/* Work to prove what a program does with transfers, in units of docs/explanation/verifier.md. */
#define RONDO_DMA_WORK_MAX (1ULL << 26)

/* Exact device time of one replay, in cycles at 1 GHz: 100 ms, and 10 s for the privileged. */
#define RONDO_CYCLES_DEFAULT 100000000ULL
#define RONDO_CYCLES_MAX 10000000000ULL

#endif
