// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/agree.h"
#include "tests/random.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/program_run.h"

enum {
	SLOT_BYTES_MAX = 1 << 30,
	RANDOM_CONTAINERS = 1 << 18, /* that slots take theirs from, each from somewhere on */
	CONTAINER = sizeof(u32),
};

/* The buffers behind a program's slots. */
struct slots {
	u32 count;
	u8 *data[RONDO_PROGRAM_SLOTS_MAX];
	u64 size[RONDO_PROGRAM_SLOTS_MAX];
};

static bool reaches(const struct slots *s, u32 slot, u64 offset, u64 size)
{
	return slot < s->count && offset <= s->size[slot] && size <= s->size[slot] - offset;
}

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct slots *s = ctx;

	if (!reaches(s, slot, offset, size))
		return false;
	memcpy(to, s->data[slot] + offset, size);
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct slots *s = ctx;

	if (!reaches(s, slot, offset, size))
		return false;
	memcpy(s->data[slot] + offset, from, size);
	return true;
}

/*
 * A container of data: mostly an f32 of ordinary size, so that sums stay finite, else small
 * integers, any bits, a tie of bf16, or an edge of f32.
 */
static u32 random_container(u64 *state)
{
	static const u32 edge[] = { 0,		0x80000000, 0x7f800000, 0xff800000,
				    0x7fc00000, 0x7f812345, 0xffffffff, 0x00000001,
				    0x807fffff, 0x7f7fffff, 0x3f800000 };
	u32 bits;

	bits = (u32)(random_next(state) >> 32);
	switch (*state % 64) {
	case 0:
		return edge[bits % (sizeof(edge) / sizeof(*edge))];
	case 1 ... 8:
		return bits;
	case 9 ... 15:
		return (u32)((s32)bits >> 20);
	case 16:
		return (bits & 0x83ff0000) + 0x3e008000;
	default:
		return (bits & 0x83ffffff) + 0x3e000000;
	}
}

static u32 *random_data(void)
{
	u32 *data = malloc(RANDOM_CONTAINERS * CONTAINER), i;
	u64 state = 88172645463325252ull;

	for (i = 0; data && i < RANDOM_CONTAINERS; i++)
		data[i] = random_container(&state);
	return data;
}

/* What the slots hold before the run. */
static void fill(const struct agree *a, struct slots *s, const struct agree_content *content,
		 u64 seed)
{
	u64 hash = seed, at, run;
	u32 i;

	for (i = 0; i < s->count; i++) {
		u64 from;

		hash = (hash + 1) * 0x9e3779b97f4a7c15ull;
		from = (hash >> 32) % RANDOM_CONTAINERS * CONTAINER;
		for (at = 0; at < s->size[i]; at += run, from = 0) {
			run = RANDOM_CONTAINERS * CONTAINER - from;
			run = run < s->size[i] - at ? run : s->size[i] - at;
			memcpy(s->data[i] + at, (u8 *)a->random + from, run);
		}
		if (content && content[i].size)
			memcpy(s->data[i], content[i].data,
			       content[i].size < s->size[i] ? content[i].size : s->size[i]);
	}
}

static void copy(struct slots *to, const struct slots *from)
{
	u32 i;

	for (i = 0; i < from->count; i++)
		memcpy(to->data[i], from->data[i], from->size[i]);
}

/* Buffers as great as the program's extents. */
static void reserve(struct slots *s, const struct rondo_program *p)
{
	u32 i;

	s->count = p->header->slots;
	for (i = 0; i < s->count; i++) {
		const struct rondo_slot *slot = &p->slots[i];

		s->size[i] = rondo_slot_end(slot);
		if (s->size[i] > SLOT_BYTES_MAX)
			s->size[i] = SLOT_BYTES_MAX;
		s->data[i] = malloc(s->size[i] + 1);
		if (!s->data[i])
			s->size[i] = 0; /* and what the program moves is an error of DMA */
	}
}

static void release(struct slots *s)
{
	u32 i;

	for (i = 0; i < s->count; i++)
		free(s->data[i]);
}

/* One comparison. */
struct comparison {
	struct agree *agree;
	const struct rondo_facts *facts;
	struct slots first, by_reference, slots; /* before the runs; after them */
	char *why; /* empty, or the first difference */
};

/* Something differs, in @bits bits. */
__attribute__((format(printf, 3, 4))) static void differs(struct comparison *c, u64 bits,
							  const char *fmt, ...)
{
	va_list ap;

	c->agree->bits += bits;
	if (c->why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(c->why, AGREE_WHY_BYTES, fmt, ap);
	va_end(ap);
}

static u64 differing_bits(const u8 *x, const u8 *y, u64 size)
{
	u64 bits = 0, i;

	for (i = 0; i < size; i++)
		bits += (u64)__builtin_popcount(x[i] ^ y[i]);
	return bits;
}

static void compare_slots(struct comparison *c, const char *who)
{
	const struct slots *is = &c->slots, *should = &c->by_reference;
	u64 at;
	u32 i;

	for (i = 0; i < is->count; i++) {
		if (!is->size[i] || !memcmp(is->data[i], should->data[i], is->size[i]))
			continue;
		for (at = 0; is->data[i][at] == should->data[i][at];)
			at++;
		differs(c, differing_bits(is->data[i], should->data[i], is->size[i]),
			"slot %u at %" PRIu64 ": %s %02x, reference %02x", i, at, who,
			is->data[i][at], should->data[i][at]);
	}
}

static void compare_end(struct comparison *c, const char *who, const struct exec_result *r)
{
	const struct rondo_facts *facts = c->facts;

	if (r->status != EXEC_DONE || r->cycles != facts->cycles)
		differs(c,
			(u64)__builtin_popcountll(r->cycles ^ facts->cycles) +
				(r->status != EXEC_DONE),
			"%s: status %u at bundle %u after %" PRIu64 " of %" PRIu64 " cycles: %s",
			who, r->status, r->bundle, r->cycles, facts->cycles, r->reason);
	else if (r->signature != facts->signature)
		differs(c, (u64)__builtin_popcountll(r->signature ^ facts->signature),
			"%s: signature %" PRIx64 ", not %" PRIx64, who, r->signature,
			facts->signature);
}

static void compare_activity(struct comparison *c, const struct rondo_activity *closed,
			     const struct rondo_activity *counted)
{
#define COMPARE(name)                                                                      \
	if (closed->name != counted->name)                                                 \
		differs(c, (u64)__builtin_popcountll(closed->name ^ counted->name),        \
			#name ": closed form %" PRIu64 ", counted %" PRIu64, closed->name, \
			counted->name);
	COMPARE(bundles)
	COMPARE(fetched)
	COMPARE(macs_f32)
	COMPARE(macs_bf16)
	COMPARE(macs_s8)
	COMPARE(vector_lanes)
	COMPARE(sram_read)
	COMPARE(sram_written)
	COMPARE(sram_cleared)
	COMPARE(dma_in)
	COMPARE(dma_out)
	COMPARE(mesh_hops)
#undef COMPARE
}

static void run_reference(struct comparison *c, const void *data, u64 size,
			  const struct rondo_program *program)
{
	const struct exec_io io = { read_slot, write_slot, &c->by_reference };
	struct reference_result result;
	struct rondo_activity closed;
	struct exec_result end;

	copy(&c->by_reference, &c->first);
	reference_run(c->agree->reference, data, size, c->facts, &io, c->facts->cycles + 1,
		      &result);
	end = (struct exec_result){ .status = result.status,
				    .cycles = result.cycles,
				    .signature = result.signature,
				    .bundle = result.bundle };
	memcpy(end.reason, result.reason, sizeof(end.reason));
	compare_end(c, "reference", &end);
	rondo_count_activity(&c->agree->machine, program, rondo_cleared_bytes(c->facts), &closed);
	compare_activity(c, &closed, &result.activity);
}

/* In SRAM that is not cleared there may be what the last program left. */
static void run_exec(struct comparison *c, const void *data, u64 size, struct exec *e, bool checks)
{
	const struct exec_control control = { .bound = c->facts->cycles + 1, .checks = checks };
	const struct exec_io io = { read_slot, write_slot, &c->slots };
	const char *who = checks ? "checking executor" : e->executor->name;
	struct exec_result result;

	c->agree->runs++;
	copy(&c->slots, &c->first);
	if (!run_once(e, data, size, c->facts, &io, &control, &result))
		return differs(c, 1, "%s: not loaded: %s", who, result.reason);
	compare_end(c, who, &result);
	compare_slots(c, who);
}

bool agree_init(struct agree *a, const struct rondo_machine *machine)
{
	bool created = true;
	int i;

	*a = (struct agree){ .machine = *machine, .share = 1 };
	for (i = 0; executor_for(machine, i) && i < AGREE_EXECUTORS; i++) {
		a->exec[i] = exec_create(executor_for(machine, i), machine);
		created &= a->exec[i] != NULL;
	}
	a->reference = reference_create(machine);
	a->verify = malloc(RONDO_VERIFY_BYTES);
	a->random = random_data();
	if (created && i && a->reference && a->verify && a->random)
		return true;
	agree_fini(a);
	return false;
}

void agree_fini(struct agree *a)
{
	u32 i;

	for (i = 0; i < AGREE_EXECUTORS; i++)
		exec_destroy(a->exec[i]);
	reference_destroy(a->reference);
	free(a->verify);
	free(a->random);
}

bool agree_run(struct agree *a, const void *data, u64 size, const struct rondo_facts *facts,
	       const struct agree_content *content, u64 seed, char why[AGREE_WHY_BYTES])
{
	struct comparison c = { .agree = a, .facts = facts, .why = why };
	struct rondo_program program;
	bool all = seed % a->share == 0;
	u32 i;

	why[0] = 0;
	rondo_program_open(&program, data, size);
	reserve(&c.first, &program);
	reserve(&c.by_reference, &program);
	reserve(&c.slots, &program);
	fill(a, &c.first, content, seed);
	run_reference(&c, data, size, &program);
	run_exec(&c, data, size, a->exec[0], true);
	for (i = 0; i < AGREE_EXECUTORS && a->exec[i]; i++)
		if (all || !i)
			run_exec(&c, data, size, a->exec[i], false);
	release(&c.first);
	release(&c.by_reference);
	release(&c.slots);
	return !why[0];
}

bool agree_program(struct agree *a, const void *data, u64 size, const struct agree_content *content,
		   u64 seed, char why[AGREE_WHY_BYTES])
{
	const struct rondo_verdict *verdict;

	verdict = rondo_verify_run(a->verify, &a->machine, data, size, 0, NULL, NULL);
	if (!verdict->code)
		return agree_run(a, data, size, rondo_verify_facts(a->verify), content, seed, why);
	rondo_verdict_text(verdict, why, AGREE_WHY_BYTES);
	return false;
}
