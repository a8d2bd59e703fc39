/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the executor's files share: a decoded program, and the state of a run.
 */
#ifndef RONDO_EMULATOR_EXEC_STATE_H
#define RONDO_EMULATOR_EXEC_STATE_H

#include "core/signature.h"
#include "emulator/exec/exec.h"
#include "emulator/exec/plain/push.h"

/*
 * Where SRAM begins in the host, and bytes behind it that belong to nobody: the fast executor
 * reads whole registers.
 */
enum { EXEC_SRAM_ALIGN = 64, EXEC_SRAM_PAD = 4 * RONDO_LANES_MAX };

/* One operation of a slot other than C: the fields of struct rondo_op that those have. */
struct exec_op {
	u8 op, slot; /* enum rondo_opcode, enum rondo_slot_no */
	u8 dst, a, b, c, params;
	u8 shift, count, rows, lane;
	u8 buf, wrow, zp, mode;
	u16 entry, row;
	s16 imm;
	u32 off;
};

struct exec_bundle {
	u64 control; /* word of slot C; decoded when it is executed */
	u64 reads, writes; /* sets of vector registers */
	u64 signature; /* what of its value is static (core/signature.h) */
	u32 first; /* operations [first, first + ops) of exec_program.op */
	u8 ops;
	u8 depth; /* loops that are open */
};

struct exec_program {
	struct rondo_machine machine;
	u64 clear_cycles;
	u32 clear_count;
	struct rondo_range clear[RONDO_CLEAR_RANGES_MAX];
	u32 bundles;
	struct exec_bundle *bundle;
	struct exec_op *op;
	struct rondo_entry *entry;
	struct rondo_desc *desc;
	struct rondo_slot *slot;
	struct mesh_program *mesh; /* of machines with more than one tile */
};

/* A transfer that was started and not yet waited for. */
struct exec_transfer {
	const struct rondo_desc *desc; /* NULL: an empty start */
	s64 sram, slot; /* addresses of its first row; the slot's, of tile (0, 0) */
};

/* A channel. Newest first: outstanding transfers, and when the last ones end. */
struct exec_channel {
	u32 outstanding;
	struct exec_transfer transfer[RONDO_DMA_OUTSTANDING];
	u64 end[RONDO_DMA_OUTSTANDING]; /* cycles; 0 if there was none yet */
};

struct exec_loop {
	u64 trips;
	u32 first, last; /* bundles of the body */
	u8 base, top; /* the nest that one operation opened: depths [base, top) */
};

/* Where an operation with an address entry is, in all tiles; of the two what it has. */
struct exec_place {
	s64 address, row;
};

/* What a bundle's slots will write in one tile when all have read. */
struct exec_results {
	exec_vreg reg[RONDO_SLOTS_PER_BUNDLE]; /* by slot */
	const struct exec_op *store;
	u8 stored[RONDO_LANES_MAX * 4];
};

struct exec_tile {
	exec_vreg vreg[RONDO_VREGS];
	struct weight_row weight[2][RONDO_LANES_MAX];
	exec_vreg *acc;
	u8 *sram;
	void *sram_block; /* in which it lies */
	u64 written; /* with checks: set of registers */
	u8 *shadow; /* with checks: what is known of each byte of SRAM (exec_sram.c) */
	struct exec_results results;
};

struct exec {
	struct rondo_machine machine;
	const struct push_kernels *push;
	u8 latency[RONDO_OPCODES];

	u32 tiles;
	struct mesh *mesh; /* of machines with more than one tile (emulator/exec/mesh/mesh.h) */
	bool grouped; /* the run is the mesh's */

	/* Tile (x, y) is tile[y * mesh_w + x]; what follows is that of the one looked at. */
	struct exec_tile *tile;
	u32 at;
	exec_vreg *vreg;
	struct weight_row (*weight)[RONDO_LANES_MAX];
	exec_vreg *acc;
	u8 *sram;
	u8 *shadow;
	u64 *written;
	struct exec_results *results;

	struct exec_place place[RONDO_SLOTS_PER_BUNDLE]; /* of the bundle, by slot */
	struct rondo_signature signature; /* of the bundles so far */
	bool flipped; /* control.flip has struck */
	u64 ready[RONDO_VREGS]; /* with checks: first bundle, counted, that may touch a register */

	/* The run. */
	const struct exec_program *program;
	const struct exec_io *io;
	const struct exec_control *control;
	struct exec_result *result;
	u64 cycles, executed;
	u64 work; /* since the last look at control.stop */
	u64 untold; /* of a mesh: work that control.now does not know yet */
	u32 depth;
	u64 index[RONDO_LOOP_DEPTH];
	struct exec_loop loop[RONDO_LOOP_DEPTH];
	struct exec_channel channel[RONDO_DMA_CHANNELS];
};

/* Ends the run; all return false. */
bool exec_end(struct exec *e, enum exec_status status);
__attribute__((format(printf, 3, 4))) bool exec_fail(struct exec *e, enum exec_status status,
						     const char *fmt, ...);
#define exec_trap(e, ...) exec_fail(e, EXEC_TRAP, __VA_ARGS__)

/*
 * Counts @work, about that of moving so many bytes; every now and then tells the
 * time so far and looks whether the run was told to stop: false if so.
 */
enum { EXEC_POLL_WORK = 1 << 16 }; /* does so at once */
bool exec_poll(struct exec *e, u64 work);

/* exec.c */

/* Looks at tile number @tile. */
void exec_use_tile(struct exec *e, u32 tile);

/* What slot C does before the others, @op its operation; false if the run ended. */
bool exec_control(struct exec *e, const struct rondo_op *op);
/* Opens the loops of @op, which stands in bundle @at. */
void exec_open_loops(struct exec *e, const struct rondo_op *op, u32 at);
/*
 * The bundle after @at: the next, or the first of a loop that ends here and goes on. Loops at
 * depths below @base are left alone.
 */
u32 exec_next_bundle(struct exec *e, u32 at, u32 base);
/* Whether a push of @op writes its row instead of adding onto it. */
bool exec_push_writes(const struct exec *e, const struct exec_op *op);

/* Containers of @count elements that load @op takes from SRAM, and elements that store @op puts. */
void exec_widen(u8 op, const u8 *bytes, u32 count, u32 *d);
void exec_narrow(u8 op, const u32 *x, u32 count, u8 *bytes);
/* Lanes [@lane, @lane + @lanes) of a weight row from the containers @x of weight load @op. */
void exec_set_weights(const struct exec_op *op, const u32 *x, struct weight_row *row, u32 lane,
		      u32 lanes);

/* exec_mesh.c: the vector operation that reduction @op folds with. */
alu_fn *exec_fold(u8 op);
/* What operation @op between tiles gives the tile looked at, from all registers. */
void exec_between_tiles(struct exec *e, const struct exec_op *op, u32 *d);

/* exec_place.c: where the operations of a bundle are, and its part in the signature. */

/* Sets e->place; false if the run trapped: an address overflows, a row does not exist. */
bool exec_find_places(struct exec *e, const struct exec_bundle *b);
/* The value of the bundle as it is executed there, @control in its slot C. */
u64 exec_signature_value(const struct exec *e, const struct exec_bundle *b,
			 const struct rondo_op *control);
/* The operation's address; false if it trapped. */
bool exec_address(struct exec *e, const struct exec_op *op, s64 *address);
/* The operation's accumulator or weight row, starting at @row; -1 if it trapped. */
s64 exec_row(struct exec *e, const struct exec_op *op, u32 row, u32 rows, const char *what);

/* exec_sram.c: SRAM behind its checks. */

/* Elements from @i on that lie one after the other, and where, relative to the address. */
static inline s64 exec_run_of(const struct rondo_entry *entry, u32 i, u32 count, u32 *run)
{
	u32 len = entry->seg_len ? entry->seg_len : count;

	*run = len < count - i ? len : count - i;
	return (s64)(i / len) * entry->seg_stride;
}

/* All bytes undefined but those that the program's start clears. */
void sram_reset_shadow(struct exec *e);
/* Reads or writes @count elements of @size bytes in @op's lane pattern at @address. */
bool sram_gather(struct exec *e, const struct exec_op *op, s64 address, u32 count, u32 size,
		 void *to);
bool sram_scatter(struct exec *e, const struct exec_op *op, s64 address, u32 count, u32 size,
		  const void *from);
/*
 * With checks: whether a transfer of @channel may read (RONDO_DMA_OUT) or write
 * bytes; and that it does so from now on, or no longer.
 */
bool sram_check_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size);
void sram_mark_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size);
void sram_unmark_dma(struct exec *e, u32 channel, u8 dir, u64 address, u64 size);

/* exec_dma.c: all return false if the run ended. */

/* Stalls until every channel has at most as many outstanding as @op's wait fields allow. */
bool dma_wait(struct exec *e, const struct rondo_op *op);
/* Starts a transfer, after a stall if the channel is full. */
bool dma_start(struct exec *e, const struct rondo_op *op);
/* With checks: traps if a transfer is outstanding. */
bool dma_drained(struct exec *e);

#endif
