/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * One program in the plain executor and in a variant of the fast one: same status, cycles,
 * SRAM, accumulators, registers, and slots, bit for bit.
 */
#ifndef TESTS_UNIT_FAST_COMPARE_H
#define TESTS_UNIT_FAST_COMPARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "emulator/exec/fast/fast.h"
#include "tests/program_run.h"

enum { COMPARE_WHY_BYTES = 256 };

/*
 * What a run finds in its slots, and did to them. All of them read as @data, round and round, each
 * from another place.
 */
struct compare_io {
	const u8 *data;
	u64 bytes, first; /* of @data; where slot 0 begins */
	u64 hash; /* of all writes, in order */
};

static inline u64 compare_mix(u64 x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ull;
	x ^= x >> 27;
	return x;
}

static inline bool compare_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct compare_io *io = ctx;
	u64 i, run;

	for (i = 0; i < size; i += run) {
		u64 at = (io->first + slot * 977 * sizeof(u32) + offset + i) % io->bytes;

		run = io->bytes - at < size - i ? io->bytes - at : size - i;
		memcpy((u8 *)to + i, io->data + at, run);
	}
	return true;
}

static inline bool compare_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct compare_io *io = ctx;
	const u8 *byte = from;

	io->hash = compare_mix(io->hash ^ slot ^ offset << 8 ^ size << 40);
	for (u64 i = 0; i < size; i++)
		io->hash = compare_mix(io->hash ^ byte[i]);
	return true;
}

/* Index of the first byte that differs; @size if none does. */
static inline u64 compare_bytes(const void *a, const void *b, u64 size)
{
	const u8 *x = a, *y = b;
	u64 i;

	for (i = 0; memcmp(x, y, size) && i < size; i++)
		if (x[i] != y[i])
			return i;
	return size;
}

/* The first register of those that the program has written that differs; RONDO_VREGS: none. */
static inline u32 compare_registers(const struct plain_tile *tile, const struct fast *f)
{
	u32 r;

	for (r = 0; r < RONDO_VREGS; r++)
		if (tile->written >> r & 1 && memcmp(tile->vreg[r], f->vreg[r], sizeof(exec_vreg)))
			break;
	return r;
}

/* How the program ended in the plain executor, and what it wrote to its slots. */
struct compare_end {
	struct exec_result result;
	u64 hash;
};

/*
 * Runs the program of @size bytes at @bytes, which the verifier accepted with @facts, on @e, of the
 * plain executor.
 */
static inline struct compare_end compare_plain(struct exec *e, const void *bytes, u64 size,
					       const struct rondo_facts *facts,
					       const struct compare_io *slots)
{
	struct exec_control control = { .bound = facts->cycles };
	struct compare_io own = *slots;
	struct exec_io io = { compare_read, compare_write, &own };
	struct compare_end end;

	run_once(e, bytes, size, facts, &io, &control, &end.result);
	end.hash = own.hash;
	return end;
}

/*
 * Runs it on @fast, of a fast executor, freshly zeroed. Returns whether nothing differs from the
 * last run of @e, which ended with @end, else says in @why what did.
 */
static inline bool compare_fast(const struct exec *e, const struct compare_end *end,
				struct exec *fast, const void *bytes, u64 size,
				const struct rondo_facts *facts, const struct compare_io *slots,
				char why[COMPARE_WHY_BYTES])
{
	const struct plain_tile *tile = e->plain->tile;
	const struct exec_result *plain = &end->result;
	struct exec_control control = { .bound = facts->cycles };
	struct compare_io own = *slots;
	struct exec_io io = { compare_read, compare_write, &own };
	struct exec_result quick;
	struct fast *f = fast->own;
	u64 sram = e->machine.sram_bytes, acc = e->machine.acc_rows * sizeof(exec_vreg), at;
	u32 reg;

	why[0] = '\0';
	memset(f->sram, 0, sram);
	memset(f->acc, 0, acc);
	if (!run_once(fast, bytes, size, facts, &io, &control, &quick))
		snprintf(why, COMPARE_WHY_BYTES, "not loaded: %s", quick.reason);
	else if (plain->status != quick.status || plain->cycles != quick.cycles ||
		 plain->bundle != quick.bundle)
		snprintf(why, COMPARE_WHY_BYTES, "status %d %d, cycles %llu %llu, bundle %u %u",
			 plain->status, quick.status, (unsigned long long)plain->cycles,
			 (unsigned long long)quick.cycles, plain->bundle, quick.bundle);
	else if (plain->status == EXEC_DONE &&
		 (plain->signature != facts->signature || quick.signature != facts->signature))
		snprintf(why, COMPARE_WHY_BYTES, "signature %llx, fast %llx, verified %llx",
			 (unsigned long long)plain->signature, (unsigned long long)quick.signature,
			 (unsigned long long)facts->signature);
	else if ((at = compare_bytes(tile->sram, f->sram, sram)) < sram)
		snprintf(why, COMPARE_WHY_BYTES, "SRAM %llu: %02x, fast %02x",
			 (unsigned long long)at, tile->sram[at], f->sram[at]);
	else if ((at = compare_bytes(tile->acc, f->acc, acc)) < acc)
		snprintf(why, COMPARE_WHY_BYTES, "accumulator row %llu lane %llu: %08x, fast %08x",
			 (unsigned long long)at / 256, (unsigned long long)at % 256 / 4,
			 tile->acc[at / 256][at % 256 / 4], f->acc[at / 256][at % 256 / 4]);
	else if ((reg = compare_registers(tile, f)) < RONDO_VREGS)
		snprintf(why, COMPARE_WHY_BYTES, "v%u differs", reg);
	else if (end->hash != own.hash)
		snprintf(why, COMPARE_WHY_BYTES, "slots were written differently");
	return !why[0];
}

#endif
