// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/debug/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/disasm.h"
#include "core/machine.h"
#include "core/verify.h"

#define MIB ((u64)1 << 20)
#define MACHINE_BYTES_MAX (4096 * MIB)

enum {
	INTERVAL_FIRST = 512,
	CHECKPOINTS_MIN = 4,
	CHECKPOINTS_MAX = 4096,
};

/* Slots. */

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	const struct session *s = ctx;

	if (offset > s->slot_bytes[slot] || size > s->slot_bytes[slot] - offset)
		return false;
	memcpy(to, s->slot[slot] + offset, size);
	return true;
}

/* Only what the program declares as written may be: checkpoints hold no more. */
static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	const struct session *s = ctx;
	const struct rondo_slot *declared = &s->program.slots[slot];

	if (offset < declared->write_lo || offset > declared->write_hi ||
	    size > declared->write_hi - offset)
		return false;
	memcpy(s->slot[slot] + offset, from, size);
	return true;
}

static bool create_slots(struct session *s, char *why)
{
	u32 i;

	for (i = 0; i < s->program.header->slots; i++) {
		const struct rondo_slot *declared = &s->program.slots[i];
		const struct session_content *content = &s->source.content[i];
		u64 bytes = rondo_slot_end(declared);

		if (bytes <= RONDO_SLOT_BYTES_MAX && declared->write_lo <= declared->write_hi)
			s->slot[i] = calloc(bytes + 1, 1);
		if (!s->slot[i]) {
			snprintf(why, SESSION_WHY_BYTES,
				 "slot %u: no memory for its %" PRIu64 " bytes", i, bytes);
			return false;
		}
		s->slot_bytes[i] = bytes;
		if (content->data)
			memcpy(s->slot[i], content->data,
			       content->size < bytes ? content->size : bytes);
	}
	return true;
}

/* Checkpoints: the reference's state, the position's, and the written bytes of the slots. */

static u64 written_bytes(const struct session *s, u32 slot)
{
	return s->program.slots[slot].write_hi - s->program.slots[slot].write_lo;
}

static u64 state_bytes(const struct session *s)
{
	u64 bytes = reference_state_bytes(s->reference) + sizeof(s->arrived) + sizeof(s->executed);
	u32 i;

	for (i = 0; i < s->program.header->slots; i++)
		bytes += written_bytes(s, i);
	return bytes;
}

static void save(struct session *s, u8 *to)
{
	u32 i;

	memcpy(to, &s->arrived, sizeof(s->arrived));
	to += sizeof(s->arrived);
	memcpy(to, &s->executed, sizeof(s->executed));
	to += sizeof(s->executed);
	for (i = 0; i < s->program.header->slots; i++) {
		memcpy(to, s->slot[i] + s->program.slots[i].write_lo, written_bytes(s, i));
		to += written_bytes(s, i);
	}
	reference_save(s->reference, to);
}

static void restore(struct session *s, const u8 *from)
{
	u32 i;

	memcpy(&s->arrived, from, sizeof(s->arrived));
	from += sizeof(s->arrived);
	memcpy(&s->executed, from, sizeof(s->executed));
	from += sizeof(s->executed);
	for (i = 0; i < s->program.header->slots; i++) {
		memcpy(s->slot[i] + s->program.slots[i].write_lo, from, written_bytes(s, i));
		from += written_bytes(s, i);
	}
	reference_restore(s->reference, from);
}

/* Drops every other checkpoint. */
static void thin_out(struct session *s)
{
	u32 i, kept = 0;

	s->interval *= 2;
	for (i = 0; i < s->checkpoints; i++) {
		if ((s->checkpoint[i].cycle - s->start) % s->interval)
			free(s->checkpoint[i].state);
		else
			s->checkpoint[kept++] = s->checkpoint[i];
	}
	s->checkpoints = kept;
}

/* Keeps the state if a checkpoint is due at this position; false if memory is short. */
static bool keep(struct session *s)
{
	u64 now = session_now(s);
	u8 *state;

	if (s->checkpoints && s->checkpoint[s->checkpoints - 1].cycle >= now)
		return true;
	if ((now - s->start) % s->interval)
		return true;
	if (s->checkpoints == s->checkpoints_max) {
		thin_out(s);
		return keep(s);
	}
	state = malloc(s->state_bytes);
	if (!state)
		return false;
	save(s, state);
	s->checkpoint[s->checkpoints++] = (struct session_checkpoint){ now, state };
	return true;
}

static bool create_checkpoints(struct session *s)
{
	u64 count;

	s->interval = INTERVAL_FIRST;
	s->state_bytes = state_bytes(s);
	if (s->state_bytes > MACHINE_BYTES_MAX)
		return false;
	count = s->source.memory / s->state_bytes;
	if (count < CHECKPOINTS_MIN)
		count = CHECKPOINTS_MIN;
	if (count > CHECKPOINTS_MAX)
		count = CHECKPOINTS_MAX;
	s->checkpoints_max = (u32)count;
	s->checkpoint = calloc(count, sizeof(*s->checkpoint));
	return s->checkpoint && keep(s);
}

/* Creation. */

static bool find_machine(struct session *s)
{
	u32 id = rondo_machine_find(s->program.header->machine_hash);

	if (id == RONDO_MACHINES)
		return false;
	rondo_machine_init(&s->machine, id);
	return true;
}

static bool verify(struct session *s, char *why)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	char text[RONDO_VERDICT_TEXT_BYTES];
	struct rondo_verdict verdict;

	if (!v) {
		snprintf(why, SESSION_WHY_BYTES, "no memory");
		return false;
	}
	verdict =
		*rondo_verify_run(v, &s->machine, s->source.program, s->source.size, 0, NULL, NULL);
	if (!verdict.code)
		s->facts = *rondo_verify_facts(v);
	free(v);
	if (!verdict.code)
		return true;
	rondo_verdict_text(&verdict, text, sizeof(text));
	snprintf(why, SESSION_WHY_BYTES, "refused: %s", text);
	return false;
}

/* What the reference needs, before it is asked to: a wafer is too large for it. */
static bool fits(const struct rondo_machine *m, char *why)
{
	u64 bytes = reference_bytes(m);

	if (bytes <= MACHINE_BYTES_MAX)
		return true;
	snprintf(why, SESSION_WHY_BYTES,
		 "%u tiles need %" PRIu64 " MiB here; the debugger takes at most %" PRIu64,
		 (u32)m->mesh_w * m->mesh_h, bytes / MIB, (u64)(MACHINE_BYTES_MAX / MIB));
	return false;
}

static bool begin(struct session *s, char *why)
{
	const struct rondo_facts *facts = s->source.unverified ? NULL : &s->facts;
	u64 bound = facts ? facts->cycles + 1 : s->source.bound;

	s->reference = reference_create(&s->machine);
	if (!s->reference) {
		snprintf(why, SESSION_WHY_BYTES, "no memory for the machine");
		return false;
	}
	s->io = (struct exec_io){ read_slot, write_slot, s };
	if (!reference_begin(s->reference, s->source.program, s->source.size, facts, &s->io, bound,
			     &s->result)) {
		snprintf(why, SESSION_WHY_BYTES, "%s", s->result.reason);
		return false;
	}
	reference_clear_sram(s->reference); /* as a device shows it */
	s->start = session_now(s);
	s->arrived = true;
	s->executed = SESSION_NO_BUNDLE;
	if (create_checkpoints(s))
		return true;
	snprintf(why, SESSION_WHY_BYTES, "no memory for checkpoints of %" PRIu64 " bytes",
		 s->state_bytes);
	return false;
}

static bool init(struct session *s, char *why)
{
	u32 error = rondo_program_open(&s->program, s->source.program, s->source.size);

	if (error) {
		snprintf(why, SESSION_WHY_BYTES, "refused: %s", rondo_error_text(error));
		return false;
	}
	if (!find_machine(s)) {
		snprintf(why, SESSION_WHY_BYTES, "compiled for a machine that is not known");
		return false;
	}
	return (s->source.unverified || verify(s, why)) && fits(&s->machine, why) &&
	       create_slots(s, why) && begin(s, why);
}

struct session *session_create(const struct session_source *source, char why[SESSION_WHY_BYTES])
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(why, SESSION_WHY_BYTES, "no memory");
		return NULL;
	}
	s->source = *source;
	if (init(s, why))
		return s;
	session_destroy(s);
	return NULL;
}

void session_destroy(struct session *s)
{
	u32 i;

	if (!s)
		return;
	for (i = 0; i < s->checkpoints; i++)
		free(s->checkpoint[i].state);
	free(s->checkpoint);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(s->slot[i]);
	reference_destroy(s->reference);
	free(s);
}

/* Positions. */

u32 session_bundle(const struct session *s)
{
	return session_at_end(s) && s->status == EXEC_DONE ? SESSION_NO_BUNDLE : s->reference->at;
}

bool session_interrupted(const struct session *s)
{
	return s->source.interrupt && *s->source.interrupt;
}

const struct session_region *session_region_of(const struct session *s, u32 bundle)
{
	u32 i;

	for (i = 0; i < s->source.region_count; i++) {
		const struct session_region *region = &s->source.regions[i];

		if (bundle >= region->first && bundle - region->first < region->count)
			return region;
	}
	return NULL;
}

static void note_end(struct session *s, u64 cycle)
{
	s->ended = true;
	s->end = cycle;
	s->status = s->result.status;
	memcpy(s->reason, s->result.reason, sizeof(s->reason));
}

bool session_step(struct session *s, session_seen_fn *seen, void *ctx)
{
	u64 now = session_now(s), bundles = s->result.activity.bundles;
	u32 at = s->reference->at;
	bool goes_on;

	if (session_at_end(s))
		return false;
	keep(s); /* without memory going back only takes longer */
	reference_watch(s->reference, seen, ctx);
	goes_on = reference_step(s->reference);
	reference_watch(s->reference, NULL, NULL);
	if (!goes_on && s->result.status != EXEC_DONE) {
		/* It failed in the middle of a cycle, so that cycle never happens. */
		note_end(s, now);
		session_goto(s, now);
		return false;
	}
	s->arrived = s->result.activity.bundles > bundles;
	if (s->arrived)
		s->executed = at;
	if (!goes_on)
		note_end(s, session_now(s));
	return true;
}

/* The last checkpoint that is not after @cycle. */
static const struct session_checkpoint *checkpoint_before(const struct session *s, u64 cycle)
{
	u32 i = s->checkpoints - 1;

	while (i > 0 && s->checkpoint[i].cycle > cycle)
		i--;
	return &s->checkpoint[i];
}

bool session_goto(struct session *s, u64 cycle)
{
	const struct session_checkpoint *c;

	if (cycle < s->start)
		cycle = s->start;
	if (s->ended && cycle > s->end)
		cycle = s->end;
	c = checkpoint_before(s, cycle);
	/* After a failed cycle the state is that of no position: begin again from a checkpoint. */
	if (session_now(s) > cycle || c->cycle > session_now(s) || s->result.status != EXEC_DONE)
		restore(s, c->state);
	while (session_now(s) < cycle && !session_interrupted(s) && session_step(s, NULL, NULL))
		;
	return session_now(s) == cycle || session_at_end(s);
}
