/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Streams: which operation executes in which bundle, as affine runs.
 *
 * Time is counted in bundles that execute, without stalls. A run is all executions of one operation
 * of a kernel, evenly spaced; its address is affine in the digits of an execution's number. Nothing
 * is as long as a trip count.
 *
 * A program is a list of streams, one after the other. A flat one is a set of runs; a repetition is
 * a loop around a list of streams, entered and left with nothing in flight. A repetition of tiles
 * contains starts of transfers, so that no trip of it may be text of its own: a bundle that does
 * nothing in slot C stands before it, and one behind it.
 */
#ifndef COMPILER_STREAM_H
#define COMPILER_STREAM_H

#include "compiler/transfer.h"

struct run_dim {
	u64 trips; /* at least 2 */
	s32 stride; /* bytes */
	s32 row_stride;
};

struct stream_run {
	struct rondo_op op; /* with registers; slot C: waits and channel */
	u8 slot; /* enum rondo_slot_no */
	int transfer; /* slot C: that is started; else -1 */
	u64 start; /* bundle of the first execution */
	u64 period; /* bundles from one to the next */
	int dims;
	struct run_dim *dim; /* outermost first; no two continue each other */
	s64 address, row; /* of the first execution; the first trips of all repetitions around */
	/* Its lane pattern, and these strides; slot C: those of its slot. NULL: there are none. */
	const struct mir_ref *ref;
};

/* From bundle @at on, what is executed is made for @node above all. */
struct stream_mark {
	u64 at;
	const char *name;
	const struct node *node;
};

struct stream {
	struct stream *next;
	/* Flat ones: the first, the last bundle stands in no loop of the stream. */
	bool begins_alone, ends_alone;
	u64 trips; /* of a repetition; 0: flat */
	struct stream *body;
	u64 length; /* bundles of a flat one */
	struct stream_run *run;
	int runs, run_room;
	struct stream_mark *mark; /* by rising bundles */
	int marks, mark_room;
};

/* Executions of @r. */
u64 stream_run_count(const struct stream_run *r);

/* Address and row of execution @p. */
void stream_run_at(const struct stream_run *r, u64 p, s64 *address, s64 *row);

/*
 * Schedules the machine IR of @l, whose buffers have addresses, and the transfers @t. *@out lives
 * in the graph's arena. 0, or a message in the graph's error.
 */
int stream_make(struct lowering *l, const struct transfer_list *t, struct stream **out);

/*
 * Whether @s keeps what streams promise: one operation a slot and bundle, dimensions that do not
 * continue each other, marks in order. -ENOTRECOVERABLE and a message.
 */
int stream_check(const struct lowering *l, const struct stream *s);

void stream_print(const struct stream *s, FILE *out);

#endif
