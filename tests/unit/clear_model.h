/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The rule of "Clearing" in docs/reference/isa.md, step by step as it stands there: which
 * bytes of SRAM are zeroed before a replay. It shares nothing with core/verify_clear.c but
 * the decoder and the table of operations.
 */
#ifndef TESTS_UNIT_CLEAR_MODEL_H
#define TESTS_UNIT_CLEAR_MODEL_H

#include "tests/unit/program_builder.h"

/* What a program may make the rule do, beside the plain. */
enum clear_event {
	CLEAR_TOO_WIDE, /* more dimensions than a strided set may have */
	CLEAR_SHORT_SEGMENT, /* no strided set: the last segment is shorter */
	CLEAR_EQUAL_STRIDES, /* of two dimensions */
	CLEAR_KNOWN, /* a store into one range of *written* */
	CLEAR_MASKED, /* a store or transfer that not all tiles take part in */
	CLEAR_EMPTY, /* a start that always is */
	CLEAR_LAST, /* one that is not, for a trip less */
	CLEAR_MERGED,
	CLEAR_MERGED_AGAIN, /* what has grown, with a strided set before the one it grew by */
	CLEAR_MERGED_INTO_WRITTEN, /* and the list was left */
	CLEAR_REPLACED, /* a full list */
	CLEAR_REPLACED_ROUND, /* all of it */
	CLEAR_LATE, /* a strided set is complete at the end of a loop */
	CLEAR_LATE_GAPS, /* so is one that has gaps, and stays */
	CLEAR_LATE_MOVES, /* the last of the list takes the place of another */
	CLEAR_DROPS_OLD, /* a full *written* drops a range */
	CLEAR_DROPS_NEW, /* or the one to be put into it */
	CLEAR_DROPS_TIE, /* two are the shortest */
	CLEAR_PIECES, /* a read of two pieces that are not in *written* */
	CLEAR_JOINS, /* more than RONDO_CLEAR_RANGES_MAX */
	CLEAR_JOINS_TIE, /* two gaps are the smallest */
	CLEAR_EVENTS,
};

struct clear_result {
	u64 executed; /* bundles */
	u32 count;
	struct rondo_range range[RONDO_CLEAR_RANGES_MAX + 1];
	u32 events[CLEAR_EVENTS]; /* how often each came about */
};

/* Applies the rule to @b, which the verifier accepts. */
void clear_model(const struct builder *b, struct clear_result *result);

/* Cycles that clearing these ranges takes, at @rate bytes per cycle. */
u64 clear_model_cycles(const struct clear_result *result, u32 rate);

#endif
