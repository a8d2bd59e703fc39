/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Builds programs in C, for tests that want one wrong bit in one place. The text of a
 * program is clearer in the assembly language; here are the programs that it cannot say.
 *
 *	struct builder b;
 *	build_init(&b);
 *	u32 e = build_entry(&b, (struct rondo_entry){ .base = 64 });
 *	build_loop(&b, 10, 1);
 *	build_op(&b, RONDO_L0, (struct rondo_op){ .op = RONDO_OP_ld_w, .entry = e });
 *	build_halt(&b);
 *	verdict = build_verdict(&b, 0);
 */
#ifndef TESTS_UNIT_PROGRAM_BUILDER_H
#define TESTS_UNIT_PROGRAM_BUILDER_H

#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "core/machine.h"
#include "core/verify.h"
#include "core/verify_state.h"

/* An operation: OP(ld_w, .entry = e). */
#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

struct builder {
	struct rondo_machine machine;
	struct rondo_program_header header;
	struct rondo_slot slots[RONDO_PROGRAM_SLOTS_MAX];
	struct rondo_entry *entries;
	struct rondo_desc *descs;
	u64 (*bundles)[RONDO_SLOTS_PER_BUNDLE];
	/* Changes the finished bytes, claims included, before they are verified. */
	void (*tamper)(u8 *bytes, u64 *size);
	struct rondo_verify *verify; /* of the last verdict, for its facts */
};

static inline void *build_grow(void *array, u32 count, size_t size)
{
	/* Doubles at powers of two. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (!array)
		abort();
	return array;
}

/* Programs for this machine, before anything is built. */
static inline void build_machine(struct builder *b, const struct rondo_machine *machine)
{
	b->machine = *machine;
	b->header.machine_hash = rondo_machine_hash(machine);
}

static inline void build_init_for(struct builder *b, enum rondo_machine_id id)
{
	struct rondo_machine machine;

	memset(b, 0, sizeof(*b));
	rondo_machine_init(&machine, id);
	build_machine(b, &machine);
	b->header.magic = RONDO_PROGRAM_MAGIC;
	b->header.version = RONDO_PROGRAM_VERSION;
	b->verify = malloc(RONDO_VERIFY_BYTES);
}

static inline void build_init(struct builder *b)
{
	build_init_for(b, RONDO_MACHINE_edge);
}

static inline void build_fini(struct builder *b)
{
	free(b->entries);
	free(b->descs);
	free(b->bundles);
	free(b->verify);
}

/* A slot with @alias and alignment 64; returns its number. */
static inline u32 build_slot(struct builder *b, u16 alias)
{
	b->slots[b->header.slots] = (struct rondo_slot){ .align = 64, .alias = alias };
	return b->header.slots++;
}

static inline u32 build_entry(struct builder *b, struct rondo_entry entry)
{
	b->entries = build_grow(b->entries, b->header.entries, sizeof(entry));
	b->entries[b->header.entries] = entry;
	return b->header.entries++;
}

/* Counts of zero become one. */
static inline u32 build_desc(struct builder *b, struct rondo_desc desc)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		desc.count[i] += !desc.count[i];
	b->descs = build_grow(b->descs, b->header.descs, sizeof(desc));
	b->descs[b->header.descs] = desc;
	return b->header.descs++;
}

/* An empty bundle; returns its number. */
static inline u32 build_bundle(struct builder *b)
{
	b->bundles = build_grow(b->bundles, b->header.bundles, sizeof(*b->bundles));
	memset(b->bundles[b->header.bundles], 0, sizeof(*b->bundles));
	return b->header.bundles++;
}

/* Puts @op into the last bundle. Fields that are stored minus one are one where they are zero. */
static inline void build_put(struct builder *b, u32 slot, struct rondo_op op)
{
	u32 i;

	op.count += !op.count;
	op.rows += !op.rows;
	op.body += !op.body;
	for (i = 0; i < 3; i++)
		op.trip[i] += !op.trip[i];
	if (!rondo_encode(&op, &b->bundles[b->header.bundles - 1][slot]))
		abort();
}

/* A bundle with one operation; returns its number. */
static inline u32 build_op(struct builder *b, u32 slot, struct rondo_op op)
{
	u32 bundle = build_bundle(b);

	build_put(b, slot, op);
	return bundle;
}

static inline void build_loop(struct builder *b, u64 trips, u32 body)
{
	build_op(b, RONDO_C,
		 (struct rondo_op){ .op = RONDO_OP_loop1, .trip = { trips }, .body = body });
}

static inline void build_start(struct builder *b, u32 channel, u32 desc, u32 last)
{
	build_op(b, RONDO_C,
		 (struct rondo_op){
			 .op = RONDO_OP_dma, .channel = channel, .desc = desc, .last = last });
}

/* Waits until at most @outstanding transfers of @channel are. */
static inline void build_wait(struct builder *b, u32 channel, u32 outstanding)
{
	struct rondo_op op = { .op = RONDO_OP_wait };

	op.wait[channel] = outstanding + 1;
	build_op(b, RONDO_C, op);
}

/* halt, with all channels drained. */
static inline void build_halt(struct builder *b)
{
	build_op(b, RONDO_C, (struct rondo_op){ .op = RONDO_OP_halt, .wait = { 1, 1, 1, 1 } });
}

/* The program's bytes, to be freed. */
static inline u8 *build_bytes(const struct builder *b, u64 *size)
{
	const struct rondo_program_header *h = &b->header;
	const struct {
		const void *data;
		size_t size;
	} part[] = {
		{ h, sizeof(*h) },
		{ b->slots, h->slots * sizeof(b->slots[0]) },
		{ b->entries, h->entries * sizeof(b->entries[0]) },
		{ b->descs, h->descs * sizeof(b->descs[0]) },
		{ b->bundles, h->bundles * sizeof(b->bundles[0]) },
	};
	u8 *bytes, *at;
	size_t i;

	*size = rondo_program_bytes(h);
	at = bytes = malloc(*size);
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].size)
			memcpy(at, part[i].data, part[i].size);
		at += part[i].size;
	}
	return bytes;
}

/* The same with the right claims, unless measuring them gives a verdict. */
static inline u8 *build_claimed(struct builder *b, u64 *size)
{
	u8 *bytes = build_bytes(b, size);

	rondo_measure_run(b->verify, &b->machine, bytes, *size);
	return bytes;
}

/* The same, and NULL if measuring them gives a verdict: programs that may run. */
static inline u8 *build_accepted(struct builder *b, u64 *size)
{
	u8 *bytes = build_claimed(b, size);

	if (!rondo_verify_verdict(b->verify)->code)
		return bytes;
	free(bytes);
	return NULL;
}

/* The verdict on the program with the right claims, or that of measuring them. */
static inline struct rondo_verdict build_verdict(struct builder *b, u64 budget)
{
	u64 size;
	u8 *bytes = build_claimed(b, &size);

	if (!rondo_verify_verdict(b->verify)->code) {
		if (b->tamper)
			b->tamper(bytes, &size);
		rondo_verify_init(b->verify, &b->machine, bytes, size, budget);
		while (rondo_verify_step(b->verify, 1))
			;
	}
	free(bytes);
	return *rondo_verify_verdict(b->verify);
}

#endif
