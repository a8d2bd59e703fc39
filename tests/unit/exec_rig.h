/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Programs as text, run in the checking executor against buffers of the test.
 *
 *	struct rig r;
 *	rig_init(&r, text);		assembles, verifies, loads
 *	rig_slot(&r, 0, bytes);		a buffer of so many bytes, zero
 *	rig_run(&r);			r.result
 *	rig_fini(&r);
 *
 * What goes wrong before the run is reported as a failed case; r.program is NULL then.
 */
#ifndef TESTS_UNIT_EXEC_RIG_H
#define TESTS_UNIT_EXEC_RIG_H

#include "core/machine.h"
#include "emulator/exec/exec.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"

struct rig {
	struct rondo_machine machine;
	void *bytes;
	u64 size;
	u64 cycles; /* that the verifier promises; 0 if it refused or was not asked */
	struct exec_program *program;
	struct exec *exec;
	u8 *slot[RONDO_PROGRAM_SLOTS_MAX];
	u64 slot_bytes[RONDO_PROGRAM_SLOTS_MAX];
	u64 read, written; /* bytes, by DMA */
	struct exec_control control;
	struct exec_result result;
};

static bool rig_access(struct rig *r, u32 slot, u64 offset, u64 size)
{
	return r->slot[slot] && offset <= r->slot_bytes[slot] &&
	       size <= r->slot_bytes[slot] - offset;
}

static bool rig_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct rig *r = ctx;

	if (!rig_access(r, slot, offset, size))
		return false;
	memcpy(to, r->slot[slot] + offset, size);
	r->read += size;
	return true;
}

static bool rig_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct rig *r = ctx;

	if (!rig_access(r, slot, offset, size))
		return false;
	memcpy(r->slot[slot] + offset, from, size);
	r->written += size;
	return true;
}

/* The verifier's facts; false if it refuses. */
static inline bool rig_verify(struct rig *r, struct rondo_facts *facts)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	const struct rondo_verdict *verdict =
		rondo_verify_run(v, &r->machine, r->bytes, r->size, 0, NULL, NULL);
	bool accepted = !verdict->code;
	char why[RONDO_VERDICT_TEXT_BYTES];

	if (accepted)
		*facts = *rondo_verify_facts(v);
	else if (rondo_verdict_text(verdict, why, sizeof(why)))
		printf("# refused: %s\n", why);
	free(v);
	return accepted;
}

static inline void rig_load(struct rig *r, const struct rondo_facts *facts)
{
	char why[EXEC_REASON_BYTES];

	if (exec_load(&r->program, executor_for(&r->machine, EXECUTOR_PLAIN), &r->machine, r->bytes,
		      r->size, facts, why))
		printf("# not loaded: %s\n", why);
}

/* Only assembles, so that the program may be one that the verifier refuses. */
static inline bool rig_assemble(struct rig *r, const char *text)
{
	struct asm_errors errors;

	memset(r, 0, sizeof(*r));
	r->control.bound = UINT64_MAX;
	r->control.checks = true;
	rondo_machine_init(&r->machine, RONDO_MACHINE_edge);
	r->exec = exec_create(executor_for(&r->machine, EXECUTOR_PLAIN), &r->machine);
	if (!asm_assemble(text, &r->bytes, &r->size, &errors))
		return true;
	asm_print_errors(stdout, "# program", &errors);
	tap_ok(false, "program assembles");
	return false;
}

/* A program that the verifier accepts. */
static inline void rig_init(struct rig *r, const char *text)
{
	struct rondo_facts facts;

	if (!rig_assemble(r, text))
		return;
	if (!rig_verify(r, &facts)) {
		tap_ok(false, "program is accepted");
		return;
	}
	r->cycles = facts.cycles;
	rig_load(r, &facts);
}

/* A program that claims something itself, run without the verifier's consent. */
static inline void rig_init_unverified(struct rig *r, const char *text)
{
	if (rig_assemble(r, text))
		rig_load(r, NULL);
}

static inline void *rig_slot(struct rig *r, u32 slot, u64 bytes)
{
	r->slot[slot] = calloc(bytes, 1);
	r->slot_bytes[slot] = bytes;
	return r->slot[slot];
}

static inline enum exec_status rig_run(struct rig *r)
{
	struct exec_io io = { rig_read, rig_write, r };

	r->result = (struct exec_result){ .status = EXEC_TRAP, .reason = "not loaded" };
	if (r->program)
		exec_run(r->exec, r->program, &io, &r->control, &r->result);
	if (r->result.status > EXEC_OVERRUN)
		printf("# bundle %u: %s\n", r->result.bundle, r->result.reason);
	return r->result.status;
}

static inline void rig_fini(struct rig *r)
{
	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(r->slot[i]);
	exec_unload(r->program);
	exec_destroy(r->exec);
	free(r->bytes);
}

#endif
