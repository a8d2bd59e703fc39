/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A run that can be looked at in any cycle, forwards and backwards.
 *
 * The state before a cycle is a function of the program and of what its slots hold, so going
 * back is going forth again: from the nearest of the checkpoints that the session keeps while
 * it runs, whose number is bounded (when they fill their memory every other one is dropped and
 * the distance doubles). The reference executor does the work, one cycle at a time.
 *
 * A *position* is a cycle that has not happened yet: the session at position n shows what the
 * machine is like before cycle n. Positions reach from `start` (the cycles before clear SRAM) to
 * the end: after halt, or the cycle in which the run fails, which then never happens.
 *
 * The parts of tools/debug, each on top of those before:
 *
 *	session.c	position, checkpoints
 *	search.c	breakpoints, the next and the previous cycle in which one is hit
 *	compare.c	two runs, or the executor, to the first difference
 *	print.c		everything as text
 *	command.c	the commands
 *
 * They show the reference's state, so they read it where it is: an interface that hands out each
 * member of emulator/reference/state.h would say all of it once more. What changes that state is
 * in reference.h alone.
 *
 * Threads: a session is used by one thread at a time.
 */
#ifndef TOOLS_DEBUG_SESSION_H
#define TOOLS_DEBUG_SESSION_H

#include <signal.h>

#include "emulator/reference/state.h"

enum { SESSION_WHY_BYTES = 256 };

#define SESSION_NO_BUNDLE (~0u)

/* A layer: the bundles that were made for one node of the graph. */
struct session_region {
	const char *name;
	u32 first, count;
};

/* What a slot holds at first, from its byte 0; the rest is zero. */
struct session_content {
	const void *data;
	u64 size;
};

/* What is run; what it points to must outlive the session. */
struct session_source {
	const void *program; /* 8-byte aligned */
	u64 size;
	bool unverified; /* run what the verifier refuses, until it traps */
	u64 bound; /* most cycles of an unverified run */
	const struct session_region *regions;
	u32 region_count;
	struct session_content content[RONDO_PROGRAM_SLOTS_MAX];
	u64 memory; /* bytes that checkpoints may take */
	const volatile sig_atomic_t *interrupt; /* not 0: long runs stop where they are; or NULL */
};

struct session_checkpoint {
	u64 cycle;
	u8 *state;
};

/* All of it may be read; only session.c writes. */
struct session {
	struct session_source source;
	struct rondo_machine machine;
	struct rondo_program program;
	struct rondo_facts facts; /* of a verified program */
	struct reference *reference;
	struct reference_result result;
	struct exec_io io;
	u8 *slot[RONDO_PROGRAM_SLOTS_MAX];
	u64 slot_bytes[RONDO_PROGRAM_SLOTS_MAX];
	u64 start;

	/* The end, once the run has been there. */
	bool ended;
	u64 end;
	enum exec_status status;
	char reason[EXEC_REASON_BYTES];

	/* What belongs to the position and is not in the reference's state. */
	bool arrived; /* the bundle that is due was not in the cycle before */
	u32 executed; /* the bundle before it in time, or SESSION_NO_BUNDLE */

	u64 interval; /* cycles between checkpoints */
	u64 state_bytes;
	u32 checkpoints, checkpoints_max;
	struct session_checkpoint *checkpoint; /* ascending; the first is at the start */
};

/*
 * Verifies the program and stands at its start. NULL, and the reason in @why: it is refused (and
 * not source->unverified), it is not a program for a known machine, or it needs too much memory.
 */
struct session *session_create(const struct session_source *source, char why[SESSION_WHY_BYTES]);
void session_destroy(struct session *s); /* NULL is allowed */

typedef void session_seen_fn(void *ctx, const struct reference_access *access);

static inline u64 session_now(const struct session *s)
{
	return s->reference->now;
}

static inline bool session_at_end(const struct session *s)
{
	return s->ended && session_now(s) == s->end;
}

/* The bundle that is due, SESSION_NO_BUNDLE at the end. */
u32 session_bundle(const struct session *s);

/* Lets one cycle pass, and tells @seen (may be NULL) its accesses. False, and nothing: the end. */
bool session_step(struct session *s, session_seen_fn *seen, void *ctx);

/* Goes to @cycle, or as near as there are positions; false if interrupted on the way. */
bool session_goto(struct session *s, u64 cycle);

/* Whether the user wants the run to stop. */
bool session_interrupted(const struct session *s);

/* The layer of @bundle; NULL: none. */
const struct session_region *session_region_of(const struct session *s, u32 bundle);

/* A number that is equal for equal states: all of the machine, and what was written to slots. */
u64 session_hash(const struct session *s);

#endif
