/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Two runs, cycle by cycle from their starts, to the first difference: of another input, of
 * another program, or of another executor.
 */
#ifndef TOOLS_DEBUG_COMPARE_H
#define TOOLS_DEBUG_COMPARE_H

#include "emulator/exec/exec.h"
#include "tools/debug/session.h"

enum difference_kind {
	DIFFERENCE_NONE,
	DIFFERENCE_MACHINE, /* not of one machine: nothing is compared */
	DIFFERENCE_BUNDLE, /* another bundle is due, or one stalls and the other does not */
	DIFFERENCE_END, /* one run ends here, or both in different ways */
	DIFFERENCE_VALUE, /* this cycle writes another value, or only one of the runs writes */
};

/* The first difference; both sessions then stand before the cycle that makes it. */
struct difference {
	enum difference_kind kind;
	/* The rest is for DIFFERENCE_VALUE. */
	struct reference_access access; /* `at` of SRAM and slots: the container that differs */
	bool dma; /* by a transfer, not by the bundle */
	u32 lane; /* of a result or row: the first that differs */
	u32 lanes; /* how many differ, of SRAM and slots bytes; 0: only one run has a result */
	u64 a, b; /* there */
};

/*
 * Compares from cycle @from after each run's start on. Slots that differ in their first contents
 * are no difference. False: interrupted, or memory is short.
 */
bool compare_runs(struct session *a, struct session *b, u64 from, struct difference *d);

enum { COMPARE_TEXT_BYTES = 256 };

enum compared { COMPARED_SAME, COMPARED_DIFFERENT, NOT_COMPARED };

/*
 * Runs the session's program from its start on executor @x, too (the fast ones run only verified
 * programs), and compares every byte written to a slot, for each byte of it in the order of its
 * writes, and the end. If they differ, @text says in what, and the session stands before the cycle
 * in which the reference writes it (or at the end). If they could not be compared, it says why.
 */
enum compared compare_executor(struct session *s, const struct executor *x,
			       char text[COMPARE_TEXT_BYTES]);

#endif
