// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The verifier against the checking executor, which steps through every trip, on random
 * programs. What is accepted keeps its promises: no trap, exact extents, exact cycles.
 * Where the proof is exact, what is refused does trap.
 */
#include "tests/program_run.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/program_gen.h"

enum { CHOICES = 1024 };

static u64 random_state = 88172645463325252ull;

static u64 next_random(void)
{
	return random_next(&random_state);
}

struct tally {
	u32 accepted, refused, wrong;
	u32 clear_free; /* accepted, and nothing need be cleared */
	u32 reason[64];
};

static bool is_hazard(u32 code)
{
	return code >= RONDO_ERR_REG_UNDEFINED && code <= RONDO_ERR_REG_LOOP;
}

/* Judges and runs one program. */
static void try_program(struct exec *e, enum gen_kind kind, struct tally *tally)
{
	u8 choices[CHOICES], *bytes;
	char why[RUN_WHY_BYTES];
	struct run_slots slots;
	struct builder b;
	u64 seed = random_state, size;
	struct rondo_verdict verdict;
	bool right = true;
	u32 i;

	for (i = 0; i < CHOICES; i++)
		choices[i] = (u8)(next_random() >> 32);
	build_init(&b);
	gen_program(&b, kind, choices, CHOICES);
	verdict = build_verdict(&b, 0);
	bytes = build_bytes(&b, &size);
	if (!verdict.code) {
		tally->accepted++;
		tally->clear_free += !rondo_verify_facts(b.verify)->clear_count;
		rondo_measure_claim(b.verify, bytes);
		right = run_keeps_promises(e, bytes, size, rondo_verify_facts(b.verify), why);
	} else {
		tally->refused++;
		tally->reason[verdict.code]++;
		if (is_hazard(verdict.code) && kind == GEN_REGISTERS)
			right = run_program(e, bytes, size, NULL, &slots, why) == EXEC_TRAP;
	}
	if (!right && tally->wrong++ < 5)
		printf("# seed %llu: verdict %s at %u, run: %s\n", (unsigned long long)seed,
		       rondo_error_name(verdict.code), verdict.index, why);
	free(bytes);
	build_fini(&b);
}

static struct tally test_kind(struct exec *e, enum gen_kind kind, u32 programs, const char *name)
{
	struct tally tally = { 0 };
	u32 i;

	for (i = 0; i < programs; i++)
		try_program(e, kind, &tally);
	for (i = 0; i < 64; i++)
		if (tally.reason[i])
			printf("# %s %u\n", rondo_error_name(i), tally.reason[i]);
	tap_ok(!tally.wrong, "%s: %u accepted, %u refused, %u wrong", name, tally.accepted,
	       tally.refused, tally.wrong);
	tap_ok(tally.accepted > programs / 50, "%s: the programs are worth trying", name);
	return tally;
}

int main(void)
{
	struct rondo_machine edge;
	struct tally sram;
	struct exec *e;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	e = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	if (!e)
		return EXIT_FAILURE;
	test_kind(e, GEN_REGISTERS, 4000, "hazards are found exactly");
	test_kind(e, GEN_TIME, 4000, "time is exact");
	test_kind(e, GEN_ALL, 4000, "what is accepted keeps its promises");
	/* The executor traps where a byte is read that was neither written nor cleared. */
	sram = test_kind(e, GEN_SRAM, 4000, "what is read is written or cleared");
	tap_ok(sram.clear_free > 400, "often all of it is written: %u", sram.clear_free);
	exec_destroy(e);
	return tap_done();
}
