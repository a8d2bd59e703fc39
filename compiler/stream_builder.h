/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the files stream*.c share: a stream while it grows. See stream.h.
 *
 *	stream.c		goes through the machine IR, kernel by kernel
 *	stream_slot.c		when slots are free
 *	stream_memory.c		when SRAM, accumulators and weights may be touched
 *	stream_transfer.c	when transfers start, and who waits for them
 *	stream_register.c	which registers a kernel gets, and when
 *	stream_pair.c		two iterations of a kernel as one
 *	stream_run.c		the runs of a kernel that has its place
 *
 * Kernels are placed one after the other. For each thing that they touch the builder knows from
 * which bundle on it may be had: slots, registers, accumulator and weight rows, ranges of SRAM. A
 * kernel looks for the first bundle at which it can start, which stream_wait_*() put off, and then
 * takes what it touches, by stream_take_*().
 */
#ifndef COMPILER_STREAM_BUILDER_H
#define COMPILER_STREAM_BUILDER_H

#include "compiler/modulo.h"
#include "compiler/sram_map.h"
#include "compiler/stream.h"

#define NEVER UINT64_MAX /* a bundle that is not known, or that there is none of */

/* A register, an accumulator row, a weight row. */
struct cell {
	u64 written; /* first bundle that may read what was written last */
	u64 read; /* last bundle that reads it */
};

/* A virtual register that more than one kernel touches. */
struct vreg_state {
	int first, last; /* items that touch it; the last is the end of a loop that it enters */
	int reg; /* -1: it has none yet, or no longer */
};

/* A transfer that has started. */
struct started {
	int number; /* of this stream; -1: it has not */
	int order; /* among the starts of its channel */
	u64 at; /* bundle of this stream */
	u64 wanted; /* about when the kernel that it is started for touches it; NEVER: none does */
	u64 needed; /* the first bundle that waits for it, or NEVER, */
	int waits; /* and its stream */
	int carried; /* the stream, a trip of tiles, into which the trip before may leave it; -1 */
	/* If it is early: bundles from the begin of the program to its end, exactly; else 0. */
	u64 ended;
};

enum { SLOT_GAPS = 16 };

/* When a slot of this stream is free: in gaps between kernels, and from @free on. */
struct slot_use {
	u64 free;
	int gaps;
	struct {
		u64 lo, hi;
	} gap[SLOT_GAPS]; /* rising */
};

/* Bundle @at waits for transfer @transfer. */
struct need {
	u64 at;
	int transfer;
};

struct builder {
	struct lowering *l;
	const struct transfer_list *t;
	struct arena scratch; /* of one kernel */
	struct stream *stream, **end; /* the flat one that grows; where the next one goes */
	int number; /* of the flat one */
	u64 outer_trips[RONDO_LOOP_DEPTH];
	int outer; /* repetitions around */
	struct slot_use slot[RONDO_SLOTS_PER_BUNDLE];
	struct cell *acc, weights[2][RONDO_LANES_MAX], reg[RONDO_VREGS];
	u64 held; /* set of registers */
	struct vreg_state *vreg;
	int vregs, vreg_room;
	struct sram_map sram;
	struct sram_map slots; /* the same of what transfers read and write outside */
	struct started *started; /* by transfer */
	int *order[RONDO_DMA_CHANNELS], orders[RONDO_DMA_CHANNELS]; /* starts of each channel */
	u64 *start_at; /* bundles of this stream whose slot C has a start, rising */
	int starts, start_room;
	int *wish; /* transfers that the kernel being placed wants, not started yet */
	int wishes, wish_room;
	struct need *need; /* of this stream */
	int needs, need_room;
	u64 busy_until; /* bundles of this stream so far, results that land included */
	u64 elapsed; /* bundles of the streams before, all trips */
	int early; /* early transfers that have started */
	u64 opening; /* bundles at the begin of the program in which transfers start, about */
	const struct mir_item *node; /* being placed */
	bool marked; /* the node's region has begun */
	int error;
};

/* A kernel with its schedule. */
struct placing {
	const struct builder *b;
	const struct kernel *k;
	const struct kernel_schedule *s;
	u64 count;
	u64 start; /* bundle of the first iteration */
	int first_item, end_item;
};

/* The registers of the machine that a kernel's own registers are. */
typedef s8 reg_numbers[RONDO_VREGS];

static inline u64 max_of(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* The first start of a kernel that makes something at @at bundles into it happen at @bundle. */
static inline void not_before(u64 *start, u64 bundle, u64 at)
{
	if (bundle > at)
		*start = max_of(*start, bundle - at);
}

/* Records an error unless there is one, and returns it. */
int stream_fail(struct builder *b, int code);

/* Room for one more of @size bytes in *@array; false, and the error is recorded: no memory. */
bool stream_grow(struct builder *b, void **array, int used, int *room, size_t size);

/* A new run of the stream, of one execution; NULL: no memory. */
struct stream_run *stream_new_run(struct builder *b);

/* ---- stream_slot.c ----------------------------------------------------------------------------
 */

/* Puts off *@start until all slots of @p are free as long as it takes. */
void stream_wait_slots(const struct builder *b, const struct placing *p, u64 *start);
void stream_take_slots(struct builder *b, const struct placing *p);

/* ---- stream_memory.c --------------------------------------------------------------------------
 */

/* Rows of accumulators and weights, and SRAM, which also starts the transfers that bring it. */
void stream_wait_memory(struct builder *b, const struct placing *p, u64 *start);
void stream_take_memory(struct builder *b, const struct placing *p);

/* ---- stream_transfer.c ------------------------------------------------------------------------
 */

/* Bundle @at of the stream must not execute before @transfer has ended. */
void stream_need(struct builder *b, int transfer, u64 at);

/* The first bundle of this stream behind the start of @transfer, which may be SRAM_NO_TRANSFER. */
u64 stream_behind(const struct builder *b, int transfer);

/*
 * The first one that may wait for it: behind starts that follow it bundle by bundle, and, in the
 * first stream, behind those that open the program. A wait among them would hold the others up.
 */
u64 stream_awaits(const struct builder *b, int transfer);

/*
 * Starts the early transfers, which have not started yet, one behind the other; so it is known when
 * each ends, and nobody has to stop for it. At the end of a stream those are put off that start
 * later than anything of it.
 */
void stream_start_early(struct builder *b);
void stream_put_off_early(struct builder *b);

/* Starts @transfer as early as its bytes allow, behind those of its channel. */
void stream_start(struct builder *b, int transfer);

/* What brings bytes [@lo, @hi) of buffer @buf is wanted at about bundle @at, if it has not started.
 */
void stream_wish(struct builder *b, mir_buf buf, u64 lo, u64 hi, u64 at);

/* Starts the transfers that take buffer @buf out. */
void stream_send(struct builder *b, mir_buf buf);

/* Starts all that is wanted, in the order in which it is. */
void stream_start_wishes(struct builder *b);

/* Starts the transfers of @group. */
void stream_fetch(struct builder *b, int group);

/* Waits for all that the stream has started, at its end. */
void stream_settle(struct builder *b);

/*
 * The stream, which begins, is all of a trip of items [@i, @end), and nobody waits at its end for
 * what it starts: it is what the trip before may have left, too. In slots no two trips of a loop of
 * tiles touch the same bytes. The stream behind the loop, which begins, waits for what the last
 * trip, stream @number, has left.
 */
void stream_carry(struct builder *b, int i, int end);
void stream_end_carry(struct builder *b, int number);

/* Starts and waits for all that items [@first, @end) touch: only loops of tiles contain transfers.
 */
void stream_end_transfers(struct builder *b, int first, int end);

/* Adds the starts of the stream as runs, and what its bundles need as waits. */
void stream_resolve(struct builder *b);

/* ---- stream_register.c ------------------------------------------------------------------------
 */

/* Lives of all virtual registers, from item to item. */
void stream_find_lives(struct builder *b);

/* A new virtual register with the life and width of @v; VREG_NONE: no memory. */
vreg stream_new_vreg(struct builder *b, vreg v);

/* What @v is to the kernel that is placed, struct placing *@arg, and writes it first. */
enum kernel_use stream_written_first(const void *arg, vreg v);

void stream_wait_registers(const struct builder *b, const struct placing *p, u64 *start);

/* Puts off the start of @p until there are registers; -EAGAIN: there never are. */
int stream_find_registers(const struct builder *b, struct placing *p, reg_numbers reg);
void stream_take_registers(struct builder *b, const struct placing *p, const reg_numbers reg);

/* Gives back the registers of values that no item from @end on touches. */
void stream_release_registers(struct builder *b, const struct mir_item *op, int ops, int end);

/* ---- stream_pair.c ----------------------------------------------------------------------------
 */

/*
 * Makes two iterations of @k, items [@first_item, @end_item), one, if that takes fewer bundles and
 * their order does not matter. What is left over is *@rest, which has no operations if nothing is.
 * b->error.
 */
int stream_pair(struct builder *b, struct kernel *k, int first_item, int end_item,
		struct kernel *rest);

/* ---- stream_run.c -----------------------------------------------------------------------------
 */

/* Adds the runs of @p. */
void stream_add_runs(struct builder *b, const struct placing *p, const reg_numbers reg);

#endif
