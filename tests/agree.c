// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/agree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_BYTES_MAX = 1 << 30 };

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
	static const u32 edge[] = { 0,		0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
				    0x7f812345, 0x00000001, 0x807fffff, 0x7f7fffff, 0x3f800000 };
	u32 bits;

	*state ^= *state << 13; /* xorshift64, Marsaglia 2003 */
	*state ^= *state >> 7;
	*state ^= *state << 17;
	bits = (u32)(*state >> 32);
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

static void fill(struct slots *s, const struct rondo_program *p,
		 const struct agree_content *content, u64 seed)
{
	u64 state = seed * 0x9e3779b97f4a7c15ull + 1, at;
	u32 i;

	s->count = p->header->slots;
	for (i = 0; i < s->count; i++) {
		const struct rondo_slot *slot = &p->slots[i];

		s->size[i] = slot->read_hi > slot->write_hi ? slot->read_hi : slot->write_hi;
		if (s->size[i] > SLOT_BYTES_MAX)
			s->size[i] = SLOT_BYTES_MAX;
		s->data[i] = calloc(s->size[i] / 4 + 1, 4);
		for (at = 0; s->data[i] && at < s->size[i]; at += 4) {
			u32 container = random_container(&state);

			memcpy(s->data[i] + at, &container, 4);
		}
		if (content && s->data[i] && content[i].size)
			memcpy(s->data[i], content[i].data,
			       content[i].size < s->size[i] ? content[i].size : s->size[i]);
	}
}

static void release(struct slots *s)
{
	u32 i;

	for (i = 0; i < s->count; i++)
		free(s->data[i]);
}

/* The first byte that differs, in @why. */
static bool compare_slots(const struct slots *a, const struct slots *b, char *why)
{
	u64 at;
	u32 i;

	for (i = 0; i < a->count; i++) {
		if (!a->size[i] || !memcmp(a->data[i], b->data[i], a->size[i]))
			continue;
		for (at = 0; a->data[i][at] == b->data[i][at];)
			at++;
		at &= ~3ull;
		snprintf(why, AGREE_WHY_BYTES,
			 "slot %u at %" PRIu64
			 ": executor %02x%02x%02x%02x, reference %02x%02x%02x%02x",
			 i, at, a->data[i][at + 3], a->data[i][at + 2], a->data[i][at + 1],
			 a->data[i][at], b->data[i][at + 3], b->data[i][at + 2], b->data[i][at + 1],
			 b->data[i][at]);
		return false;
	}
	return true;
}

static bool compare_activity(const struct rondo_activity *closed,
			     const struct rondo_activity *counted, char *why)
{
#define COMPARE(name)                                                                       \
	if (closed->name != counted->name) {                                                \
		snprintf(why, AGREE_WHY_BYTES,                                              \
			 #name ": closed form %" PRIu64 ", counted %" PRIu64, closed->name, \
			 counted->name);                                                    \
		return false;                                                               \
	}
	COMPARE(bundles)
	COMPARE(fetched)
	COMPARE(macs_f32)
	COMPARE(macs_bf16)
	COMPARE(macs_s8)
	COMPARE(vector_lanes)
	COMPARE(sram_read)
	COMPARE(sram_written)
	COMPARE(dma_in)
	COMPARE(dma_out)
	COMPARE(mesh_hops)
#undef COMPARE
	return true;
}

/* The run that @who made ended well, after @cycles and with @signature, as was promised. */
static bool kept(const char *who, u64 cycles, u64 signature, const struct rondo_facts *facts,
		 char *why)
{
	if (cycles != facts->cycles)
		snprintf(why, AGREE_WHY_BYTES, "%s: %" PRIu64 " of %" PRIu64 " cycles", who, cycles,
			 facts->cycles);
	else if (signature != facts->signature)
		snprintf(why, AGREE_WHY_BYTES, "%s: signature %" PRIx64 ", not %" PRIx64, who,
			 signature, facts->signature);
	return cycles == facts->cycles && signature == facts->signature;
}

/* The executor's run; false if it did not end well. */
static bool run_exec(struct agree *a, const void *data, u64 size, const struct rondo_facts *facts,
		     bool checks, struct slots *slots, char *why)
{
	const struct exec_io io = { read_slot, write_slot, slots };
	const struct exec_control control = { .bound = facts->cycles + 1, .checks = checks };
	struct exec_program *program = NULL;
	struct exec_result result;
	char reason[EXEC_REASON_BYTES];

	if (exec_load(&program, &a->machine, data, size, facts, reason)) {
		snprintf(why, AGREE_WHY_BYTES, "not loaded: %s", reason);
		return false;
	}
	exec_run(a->exec, program, &io, &control, &result);
	exec_unload(program);
	if (result.status == EXEC_DONE)
		return kept("executor", result.cycles, result.signature, facts, why);
	snprintf(why, AGREE_WHY_BYTES,
		 "executor: status %u at bundle %u after %" PRIu64 " of %" PRIu64 " cycles: %s",
		 result.status, result.bundle, result.cycles, facts->cycles, result.reason);
	return false;
}

static bool run_reference(struct agree *a, const void *data, u64 size,
			  const struct rondo_facts *facts, struct slots *slots,
			  struct reference_result *result, char *why)
{
	const struct exec_io io = { read_slot, write_slot, slots };

	reference_run(a->reference, data, size, facts, &io, facts->cycles + 1, result);
	if (result->status == EXEC_DONE)
		return kept("reference", result->cycles, result->signature, facts, why);
	snprintf(why, AGREE_WHY_BYTES,
		 "reference: status %u at bundle %u after %" PRIu64 " of %" PRIu64 " cycles: %s",
		 result->status, result->bundle, result->cycles, facts->cycles, result->reason);
	return false;
}

bool agree_init(struct agree *a, const struct rondo_machine *machine)
{
	a->machine = *machine;
	a->exec = exec_create(machine);
	a->reference = reference_create(machine);
	a->verify = malloc(sizeof(*a->verify));
	if (a->exec && a->reference && a->verify)
		return true;
	agree_fini(a);
	return false;
}

void agree_fini(struct agree *a)
{
	exec_destroy(a->exec);
	reference_destroy(a->reference);
	free(a->verify);
}

bool agree_run(struct agree *a, const void *data, u64 size, const struct rondo_facts *facts,
	       const struct agree_content *content, u64 seed, char why[AGREE_WHY_BYTES])
{
	struct slots checked, unchecked, by_reference;
	struct reference_result result;
	struct rondo_activity closed;
	struct rondo_program program;
	bool good;

	rondo_program_open(&program, data, size);
	rondo_count_activity(&a->machine, &program, &closed);
	fill(&checked, &program, content, seed);
	fill(&unchecked, &program, content, seed);
	fill(&by_reference, &program, content, seed);
	good = run_exec(a, data, size, facts, true, &checked, why) &&
	       run_exec(a, data, size, facts, false, &unchecked, why) &&
	       run_reference(a, data, size, facts, &by_reference, &result, why) &&
	       compare_slots(&checked, &by_reference, why) &&
	       compare_slots(&unchecked, &by_reference, why) &&
	       compare_activity(&closed, &result.activity, why);
	release(&checked);
	release(&unchecked);
	release(&by_reference);
	return good;
}

bool agree_program(struct agree *a, const void *data, u64 size, const struct agree_content *content,
		   u64 seed, char why[AGREE_WHY_BYTES])
{
	const struct rondo_verdict *verdict;

	rondo_verify_init(a->verify, &a->machine, data, size, 0);
	while (rondo_verify_step(a->verify, ~0u))
		;
	verdict = rondo_verify_verdict(a->verify);
	if (!verdict->code)
		return agree_run(a, data, size, rondo_verify_facts(a->verify), content, seed, why);
	snprintf(why, AGREE_WHY_BYTES, "refused at %u, slot %u: %s", verdict->index, verdict->slot,
		 rondo_error_text(verdict->code));
	return false;
}
