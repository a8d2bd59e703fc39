/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * One run, whoever executes it: what it was given, its counters, loops and DMA channels.
 */
#ifndef RONDO_EMULATOR_EXEC_RUN_H
#define RONDO_EMULATOR_EXEC_RUN_H

#include "emulator/exec/decode/program.h"

struct plain;

/* The state of a machine; of one executor, for any run. */
struct exec {
	const struct executor *executor;
	struct rondo_machine machine;
	struct plain *plain; /* NULL: the machine has too many tiles */
	void *own; /* the executor's own */
};

/* A transfer that was started and not yet waited for. */
struct run_transfer {
	const struct rondo_desc *desc; /* NULL: an empty start */
	s64 sram, slot; /* addresses of its first row; the slot's, of tile (0, 0) */
};

/* A channel. Newest first: outstanding transfers, and when the last ones end. */
struct run_channel {
	u32 outstanding;
	struct run_transfer transfer[RONDO_DMA_OUTSTANDING];
	u64 end[RONDO_DMA_OUTSTANDING]; /* cycles; 0 if there was none yet */
};

struct run_loop {
	u64 trips;
	u32 first, last; /* bundles of the body */
	u8 base, top; /* the nest that one operation opened: depths [base, top) */
};

/* What the time that is told goes by while one piece of work takes long (clock.c). */
struct run_clock {
	u64 from; /* told when the piece began */
	double way; /* cycles that may be told until it ends */
	double work; /* of the piece */
	atomic_ullong done; /* of it; by all threads */
};

struct run {
	const struct exec_program *program;
	const struct exec_io *io;
	const struct exec_control *control;
	struct exec_result *result;

	u64 cycles;
	u64 executed; /* bundles */
	struct rondo_signature signature; /* of them */
	u32 depth; /* open loops */
	u64 index[RONDO_LOOP_DEPTH];
	struct run_loop loop[RONDO_LOOP_DEPTH];
	struct run_channel channel[RONDO_DMA_CHANNELS];

	u64 work; /* since the last look at control.stop */
	u64 untold; /* work of this thread that the clock does not know yet */
	struct run_clock *clock; /* NULL: the time that is told is that of cycles */

	/* Where transfers find SRAM: tile (x, y) is number y * mesh_w + x. */
	u8 *sram;
	size_t sram_stride; /* from tile to tile */
	struct rondo_hull window; /* of each tile's SRAM: what is there, all or what is used */
	u8 *shadow; /* with checks: what is known of all tiles' bytes (shadow.c); else NULL */
};

/* Ends the run; both return false. */
bool run_end(struct run *run, enum exec_status status);
__attribute__((format(printf, 3, 4))) bool run_fail(struct run *run, enum exec_status status,
						    const char *fmt, ...);
#define run_trap(run, ...) run_fail(run, EXEC_TRAP, __VA_ARGS__)

/*
 * Counts @work, about that of moving so many bytes; every now and then tells the
 * time so far and looks whether the run was told to stop: false if so.
 */
enum { RUN_POLL_WORK = 1 << 16 }; /* does so at once */
bool run_poll(struct run *run, u64 work);

/* What the operation of slot C does before the other slots; false if the run ended. */
bool run_control(struct run *run, const struct rondo_op *op);
/* Opens the loops of @op, which stands in bundle @at; none if it is another operation. */
void run_open_loops(struct run *run, const struct rondo_op *op, u32 at);
/*
 * The bundle after @at: the next, or the first of a loop that ends here and goes on. Loops at
 * depths below @base are left alone.
 */
u32 run_next_bundle(struct run *run, u32 at, u32 base);

/* Where an operation is, the same in all tiles; false if the run trapped. */

/* The address of its first element, which is inside SRAM. */
bool run_address(struct run *run, const struct exec_op *op, s64 *address);
/* Its accumulator or weight row, which exists. */
bool run_row(struct run *run, const struct exec_op *op, s64 *row);
/* Whether a push of @op writes its row instead of adding onto it. */
bool run_push_writes(const struct run *run, const struct exec_op *op);

/* clock.c: the time that is told in control.now, which may be NULL. */

/* @cycles have passed; the time that is told never goes back. */
void run_tell(struct run *run, u64 cycles);
/* A piece of @work begins, after which @end cycles have passed. */
void run_begin_piece(struct run *run, u64 end, double work);
/* A transfer is about to be moved, the newest of its channel. */
void run_begin_transfer(struct run *run, const struct rondo_desc *desc);
/* From run_poll(), in any thread with its own @run: @work of the piece is done. */
void run_work(struct run *run, u64 work);

/* How many of @count elements from @i on lie one after the other, *@run, and where. */
static inline s64 run_pattern(const struct rondo_entry *entry, u32 i, u32 count, u32 *run)
{
	u32 len = entry->seg_len ? entry->seg_len : count;

	*run = len < count - i ? len : count - i;
	return (s64)(i / len) * entry->seg_stride;
}

/* pattern.c: between the lane pattern of an operation at @at and one piece, elements of @size
 * bytes. */
void run_gather(const struct rondo_entry *entry, u32 size, u32 count, const u8 *at, void *to);
void run_scatter(const struct rondo_entry *entry, u32 size, u32 count, u8 *at, const void *from);

/* shadow.c: only with checks; false, and a trap, if bytes of a tile's SRAM may not be used so. */

/* All bytes are undefined except those that the program's start clears. */
void shadow_reset(struct run *run);
bool shadow_read(struct run *run, u32 tile, s64 address, u32 size);
bool shadow_write(struct run *run, u32 tile, s64 address, u32 size);
/* A transfer of @channel uses bytes from now on. */
bool shadow_claim(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size);
/* It does, whatever others do; and no longer. */
void shadow_mark(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size);
void shadow_unmark(struct run *run, u32 tile, u32 channel, u8 dir, s64 address, u64 size);

/* dma.c: all return false if the run ended. */

/* Stalls until every channel has at most as many outstanding as @op's wait fields allow. */
bool dma_wait(struct run *run, const struct rondo_op *op);
/* Starts a transfer, after a stall if the channel is full. */
bool dma_start(struct run *run, const struct rondo_op *op);
/* With checks: traps if a transfer is outstanding. */
bool dma_drained(struct run *run);

#endif
