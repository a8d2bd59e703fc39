// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Comparing runs: a difference that is put into an input, an operation, a loop or the executor
 * is found, in the cycle where it first shows.
 */
#include <inttypes.h>

#include "tests/unit/tools_debug_rig.h"
#include "tools/debug/compare.h"

/* With %s for trips, an operation, an immediate, and an offset. Bundles count from dma, 0. */
static const char program[] = "machine edge\n"
			      "slot a\n"
			      "slot b\n"
			      "desc in in a row=512 sram=0\n"
			      "desc out out b row=256 sram=512\n"
			      "entry x base=0\n"
			      "entry y base=512\n"
			      "\tdma c0, in\n"
			      "\twait c0<=0\n"
			      "\tld.w v0, x\n"
			      "\tld.w v1, x+256\n"
			      "\tloop %s {\n"
			      "\tmovi v3, 7\n"
			      "\tnop\n"
			      "\t}\n"
			      "\twl.w w0.5, x\n"
			      "\tpush.f32 a3, x, w0.5, write, 1\n"
			      "\t%s v2, v0, v1\n"
			      "\tmovi v4, %s\n"
			      "\tnop\n"
			      "\tnop\n"
			      "\tnop\n"
			      "\tst.w y%s, v2\n"
			      "\tdma c1, out\n"
			      "\thalt c1<=0\n";

static bool init(struct debug_rig *r, const char *trips, const char *op, const char *imm,
		 const char *store)
{
	char text[2048];

	snprintf(text, sizeof(text), program, trips, op, imm, store);
	return debug_rig_init(r, text, 1);
}

/* The first cycle in which @bundle is due. */
static u64 cycle_of(struct session *s, u32 bundle)
{
	session_goto(s, s->start);
	while (session_bundle(s) != bundle && session_step(s, NULL, NULL))
		;
	/* It executes when it stalls no more. */
	while (session_bundle(s) == bundle) {
		u64 now = session_now(s);

		session_step(s, NULL, NULL);
		if (s->arrived)
			return now;
	}
	return UINT64_MAX;
}

/* Whether both runs stand before the cycle in which @bundle of @a executes. */
static bool both_at(const struct debug_rig *a, const struct debug_rig *b, u32 bundle)
{
	u64 from_a = session_now(a->session) - a->session->start;
	u64 from_b = session_now(b->session) - b->session->start;

	return from_a == from_b && from_a + a->session->start == cycle_of(a->session, bundle);
}

static void equal(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;

	if (init(&b, "4", "fadd", "1", "")) {
		tap_ok(compare_runs(a->session, b.session, 0, &d) && d.kind == DIFFERENCE_NONE &&
			       session_at_end(a->session) && session_at_end(b.session),
		       "equal runs have no difference");
	}
	debug_rig_fini(&b);
}

/* Another operation: the cycle in which it is issued, all lanes or those that differ. */
static void operation(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;

	if (init(&b, "4", "fsub", "1", "")) {
		compare_runs(a->session, b.session, 0, &d);
		tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_RESULT &&
			       d.access.at == 2 && !d.dma,
		       "another operation computes another v2");
		tap_ok(both_at(a, &b, 9), "in the cycle in which it is issued");
		compare_runs(a->session, b.session, session_now(b.session) - b.session->start + 1,
			     &d);
		tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_SRAM &&
			       d.access.at >= 512 && d.access.at < 516 && !d.dma,
		       "the next difference is the store of it");
		tap_ok(both_at(a, &b, 14), "in the cycle of st");
	}
	debug_rig_fini(&b);
}

static void immediate(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;

	if (init(&b, "4", "fadd", "2", "")) {
		compare_runs(a->session, b.session, 0, &d);
		tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_RESULT &&
			       d.access.at == 4 && d.lane == 0 && d.lanes == 64 && d.a == 1 &&
			       d.b == 2,
		       "another immediate: register, lanes and both values");
		tap_ok(both_at(a, &b, 10), "in its cycle");
	}
	debug_rig_fini(&b);
}

static void trips(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;

	if (init(&b, "5", "fadd", "1", "")) {
		compare_runs(a->session, b.session, 0, &d);
		tap_ok(d.kind == DIFFERENCE_BUNDLE && session_bundle(a->session) == 7 &&
			       session_bundle(b.session) == 5,
		       "one trip more: the runs part after the fourth");
	}
	debug_rig_fini(&b);
}

static void store(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;

	if (init(&b, "4", "fadd", "1", "+256")) {
		compare_runs(a->session, b.session, 0, &d);
		tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_SRAM,
		       "a store to another place");
		tap_ok(both_at(a, &b, 14), "in its cycle");
	}
	debug_rig_fini(&b);
}

static u32 bits_of(float number)
{
	u32 bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

/* One number of the input, in the second 64 bytes: it comes in with the second cycle of data. */
static void input(struct debug_rig *a)
{
	struct difference d;
	struct debug_rig b;
	u64 second;

	if (!init(&b, "4", "fadd", "1", ""))
		goto out;
	session_destroy(b.session);
	b.slot[0][21] += 1;
	if (!debug_rig_start(&b))
		goto out;
	/* A start in the first cycle: start-up, the cycles of a row, then 64 bytes in each. */
	second = a->session->start + a->session->machine.dma_startup +
		 a->session->machine.dma_row_cycles + 1;
	compare_runs(a->session, b.session, 0, &d);
	tap_ok(d.kind == DIFFERENCE_VALUE && d.dma && d.access.space == REFERENCE_SRAM &&
		       d.access.at == 84 && d.a == bits_of(a->slot[0][21]) &&
		       d.b == bits_of(b.slot[0][21]),
	       "another number in the input comes in by a transfer");
	tap_eq(session_now(a->session), second, "in the cycle that moves it");
	compare_runs(a->session, b.session, second + 1, &d);
	tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_RESULT &&
		       d.access.at == 0 && d.lane == 21 && d.lanes == 1,
	       "then a load has it in lane 21");
	compare_runs(a->session, b.session, session_now(a->session) + 1, &d);
	tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_WEIGHT &&
		       d.access.at == 5 && d.lane == 21,
	       "then a weight row");
	compare_runs(a->session, b.session, session_now(a->session) + 1, &d);
	tap_ok(d.kind == DIFFERENCE_VALUE && d.access.space == REFERENCE_ACCUMULATOR &&
		       d.access.at == 3 && d.lane == 21,
	       "then an accumulator row");
out:
	debug_rig_fini(&b);
}

/* The executor with a fault. */

static struct fault {
	enum { NONE, FLIP, LEAVE_OUT, REPEAT, CYCLE, STATUS } kind;
	u32 row; /* of those that it writes, counted from 0 */
} fault;

void __real_exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
		     const struct exec_control *control, struct exec_result *result);
void __wrap_exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
		     const struct exec_control *control, struct exec_result *result);

static const struct exec_io *real_io;
static u32 rows;
static u64 bound;

static bool faulty_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	(void)ctx;
	return real_io->read(real_io->ctx, slot, offset, to, size);
}

static bool faulty_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	bool here = rows++ == fault.row, done;
	u8 *copy = malloc(size);

	(void)ctx;
	memcpy(copy, from, size);
	if (here && fault.kind == FLIP)
		copy[size - 1] ^= 0x10;
	done = (here && fault.kind == LEAVE_OUT) ||
	       real_io->write(real_io->ctx, slot, offset, copy, size);
	if (here && fault.kind == REPEAT)
		done = real_io->write(real_io->ctx, slot, offset, copy, size);
	free(copy);
	return done;
}

void __wrap_exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
		     const struct exec_control *control, struct exec_result *result)
{
	const struct exec_io faulty = { faulty_read, faulty_write, NULL };

	real_io = io;
	rows = 0;
	bound = control->bound;
	__real_exec_run(e, program, &faulty, control, result);
	result->cycles += fault.kind == CYCLE;
	if (fault.kind == STATUS)
		result->status = EXEC_ABORTED;
}

/* A byte of a slot, and whether it has been written. */
struct byte {
	u32 slot;
	u64 at;
	bool written;
};

static void see_byte(void *ctx, const struct reference_access *access)
{
	struct byte *b = ctx;

	b->written |= access->space == REFERENCE_SLOT && access->write &&
		      access->index == b->slot && b->at >= access->at &&
		      b->at - access->at < access->count;
}

/* Whether @s stands before the cycle that writes the byte which the difference @said names. */
static bool before_byte(struct session *s, const char *said)
{
	struct byte b = { 0 };

	return sscanf(said, "slot %u, byte %" SCNu64, &b.slot, &b.at) == 2 &&
	       session_step(s, see_byte, &b) && b.written;
}

/* The fault is found, and told by @text. */
static void found(const char *name, struct session *s, const struct executor *x, struct fault f,
		  const char *text)
{
	static const char *const faults[] = {
		[FLIP] = "a flipped bit",  [LEAVE_OUT] = "nothing",  [REPEAT] = "too much",
		[CYCLE] = "another cycle", [STATUS] = "another end",
	};
	char said[COMPARE_TEXT_BYTES] = "";

	fault = f;
	tap_ok(compare_executor(s, x, said) == COMPARED_DIFFERENT && strstr(said, text),
	       "%s: %s, row %u: %s", name, faults[f.kind], f.row, said);
	if (f.kind == FLIP || f.kind == LEAVE_OUT)
		tap_ok(before_byte(s, said), "which the next cycle shows");
	fault.kind = NONE;
}

static void executor(const char *name)
{
	char text[COMPARE_TEXT_BYTES] = "", ends[COMPARE_TEXT_BYTES];
	const struct executor *plain, *x;
	u32 last, wrong = 0, i;
	struct session *s;
	struct debug_rig r;

	if (!debug_rig_open(&r, name, 1) || !debug_rig_start(&r))
		goto out;
	s = r.session;
	plain = executor_for(&s->machine, EXECUTOR_PLAIN);
	for (i = 0; (x = executor_for(&s->machine, i)); i++)
		wrong += x != plain && compare_executor(s, x, text);
	tap_ok(!wrong, "%s: %u other executors agree%s%s", name, i - 1, wrong ? ": " : "",
	       wrong ? text : "");
	tap_ok(!compare_executor(s, plain, text), "%s: executor and reference agree", name);
	tap_eq(bound, s->facts.cycles + 1, "an executor may take a cycle too many, which is found");
	last = rows - 1;
	found(name, s, plain, (struct fault){ FLIP, last }, "the executor 0x");
	found(name, s, plain, (struct fault){ FLIP, 0 }, "the executor 0x");
	found(name, s, plain, (struct fault){ LEAVE_OUT, last }, "the executor nothing");
	found(name, s, plain, (struct fault){ REPEAT, last }, "the reference leaves out");
	snprintf(ends, sizeof(ends),
		 "the reference is done in cycle %" PRIu64
		 ", the executor is done in cycle %" PRIu64,
		 s->facts.cycles, s->facts.cycles + 1);
	found(name, s, plain, (struct fault){ CYCLE, 0 }, ends);
	found(name, s, plain, (struct fault){ STATUS, 0 }, "the executor is aborted in cycle");
	tap_ok(!compare_executor(s, plain, text), "%s: without a fault they agree again", name);
out:
	debug_rig_fini(&r);
}

int main(void)
{
	struct debug_rig a;

	if (init(&a, "4", "fadd", "1", "")) {
		equal(&a);
		operation(&a);
		immediate(&a);
		trips(&a);
		store(&a);
		input(&a);
	}
	debug_rig_fini(&a);
	executor("vector_add");
	executor("matmul");
	executor("dma_patterns");
	return tap_done();
}
