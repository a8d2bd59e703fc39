// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The executor against the reference. The executor has no cycles to stop in, and moves the
 * data of a transfer at its start; what both let the world see is what they write to slots, and
 * for each byte of a slot the order of its writes. So the executor runs first, and each write of
 * the reference then looks for its counterpart.
 */
#include "tools/debug/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What the executor wrote in one go. */
struct record {
	u32 slot;
	u64 offset, size;
	u8 *data;
	u8 *taken; /* by byte: the reference has written it too */
	u64 left; /* bytes that are not taken */
};

struct run {
	const struct session *session;
	const struct executor *executor;
	u8 *slot[RONDO_PROGRAM_SLOTS_MAX]; /* the executor's */
	u32 count, capacity, first; /* records; those before `first` are taken */
	struct record *record;
	bool short_of_memory;
	/* The difference. */
	bool differs;
	char *text;
};

static bool reaches(const struct run *run, u32 slot, u64 offset, u64 size)
{
	u64 bytes = run->session->slot_bytes[slot];

	return offset <= bytes && size <= bytes - offset;
}

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct run *run = ctx;

	if (!reaches(run, slot, offset, size))
		return false;
	memcpy(to, run->slot[slot] + offset, size);
	return true;
}

static bool grow(struct run *run)
{
	u32 capacity = run->capacity ? 2 * run->capacity : 64;
	struct record *grown;

	if (run->count < run->capacity)
		return true;
	grown = realloc(run->record, capacity * sizeof(*grown));
	if (!grown)
		return false;
	run->record = grown;
	run->capacity = capacity;
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct run *run = ctx;
	struct record r = { slot, offset, size, malloc(size), calloc(size, 1), size };

	if (!reaches(run, slot, offset, size) || !r.data || !r.taken || !grow(run)) {
		run->short_of_memory = reaches(run, slot, offset, size);
		free(r.data);
		free(r.taken);
		return false;
	}
	memcpy(r.data, from, size);
	memcpy(run->slot[slot] + offset, from, size);
	run->record[run->count++] = r;
	return true;
}

/* The oldest write of the executor to this byte that has no counterpart yet. */
static struct record *find(struct run *run, u32 slot, u64 at)
{
	u32 i;

	while (run->first < run->count && !run->record[run->first].left)
		run->first++;
	for (i = run->first; i < run->count; i++) {
		struct record *r = &run->record[i];

		if (r->slot == slot && at >= r->offset && at - r->offset < r->size &&
		    !r->taken[at - r->offset])
			return r;
	}
	return NULL;
}

static void see(void *ctx, const struct reference_access *access)
{
	struct run *run = ctx;
	u64 at;

	if (access->space != REFERENCE_SLOT || !access->write)
		return;
	for (at = access->at; at < access->at + access->count && !run->differs; at++) {
		struct record *r = find(run, access->index, at);
		u8 value = run->session->slot[access->index][at];

		if (!r) {
			run->differs = true;
			snprintf(run->text, COMPARE_TEXT_BYTES,
				 "slot %u, byte %" PRIu64
				 ": the reference writes 0x%02x, the executor nothing",
				 access->index, at, value);
			return;
		}
		r->taken[at - r->offset] = 1;
		r->left--;
		if (r->data[at - r->offset] == value)
			continue;
		run->differs = true;
		snprintf(run->text, COMPARE_TEXT_BYTES,
			 "slot %u, byte %" PRIu64
			 ": the reference writes 0x%02x, the executor 0x%02x",
			 access->index, at, value, r->data[at - r->offset]);
	}
}

static const char *const ends[] = {
	[EXEC_DONE] = "is done",
	[EXEC_ABORTED] = "is aborted",
	[EXEC_OVERRUN] = "takes too long",
	[EXEC_TRAP] = "traps",
	[EXEC_DMA_ERROR] = "has a DMA error",
};

/* What the reference left out, and how the runs ended. */
static bool compare_ends(struct run *run, const struct exec_result *result)
{
	const struct session *s = run->session;
	u32 i;

	for (i = run->first; i < run->count; i++) {
		const struct record *r = &run->record[i];

		if (!r->left)
			continue;
		snprintf(run->text, COMPARE_TEXT_BYTES,
			 "slot %u: of %" PRIu64 " bytes that the executor writes at %" PRIu64
			 " the reference leaves out %" PRIu64,
			 r->slot, r->size, r->offset, r->left);
		return false;
	}
	if (result->status == s->status && result->cycles == s->end)
		return true;
	snprintf(run->text, COMPARE_TEXT_BYTES,
		 "the reference %s in cycle %" PRIu64 ", the executor %s in cycle %" PRIu64
		 "%s%.80s",
		 ends[s->status], s->end, ends[result->status], result->cycles,
		 *result->reason ? ": " : "", result->reason);
	return false;
}

static bool run_executor(struct run *run, struct exec_result *result)
{
	const struct session *s = run->session;
	/* What the verifier has not proved, the executor is to check as the reference does. */
	const struct exec_control control = {
		.bound = s->source.unverified ? s->source.bound : s->facts.cycles + 1,
		.checks = s->source.unverified,
	};
	const struct rondo_facts *facts = s->source.unverified ? NULL : &s->facts;
	const struct exec_io io = { read_slot, write_slot, run };
	struct exec *exec = exec_create(run->executor, &s->machine);
	char why[EXEC_REASON_BYTES] = "no memory";
	struct exec_program *program = NULL;
	bool loaded;

	loaded = exec && !exec_load(&program, run->executor, &s->machine, s->source.program,
				    s->source.size, facts, why);
	if (loaded)
		exec_run(exec, program, &io, &control, result);
	else
		snprintf(run->text, COMPARE_TEXT_BYTES, "the executor: %s", why);
	exec_unload(program);
	exec_destroy(exec);
	return loaded;
}

static bool copy_slots(struct run *run)
{
	const struct session *s = run->session;
	u32 i;

	for (i = 0; i < s->program.header->slots; i++) {
		run->slot[i] = malloc(s->slot_bytes[i] + 1);
		if (!run->slot[i])
			return false;
		memcpy(run->slot[i], s->slot[i], s->slot_bytes[i]);
	}
	return true;
}

static void release(struct run *run)
{
	u32 i;

	for (i = 0; i < run->count; i++) {
		free(run->record[i].data);
		free(run->record[i].taken);
	}
	free(run->record);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(run->slot[i]);
}

static enum compared compare(struct session *s, struct run *run)
{
	struct exec_result result;
	u64 now;

	session_goto(s, s->start);
	if (!copy_slots(run)) {
		run->short_of_memory = true;
		return NOT_COMPARED;
	}
	if (!run_executor(run, &result))
		return NOT_COMPARED;
	do {
		now = session_now(s);
		if (session_interrupted(s)) {
			snprintf(run->text, COMPARE_TEXT_BYTES, "interrupted");
			return NOT_COMPARED;
		}
	} while (session_step(s, see, run) && !run->differs);
	if (run->differs)
		session_goto(s, now);
	return !run->differs && compare_ends(run, &result) ? COMPARED_SAME : COMPARED_DIFFERENT;
}

enum compared compare_executor(struct session *s, const struct executor *x,
			       char text[COMPARE_TEXT_BYTES])
{
	struct run run = { .session = s, .executor = x, .text = text };
	enum compared compared = compare(s, &run);

	if (run.short_of_memory) {
		snprintf(text, COMPARE_TEXT_BYTES, "no memory");
		compared = NOT_COMPARED;
	}
	release(&run);
	return compared;
}
