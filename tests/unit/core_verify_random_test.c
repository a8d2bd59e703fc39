// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The verifier against the checking executor, which steps through every trip, on random
 * programs. What is accepted keeps its promises: no trap, exact extents, exact cycles.
 * Where the proof is exact, what is refused does trap.
 *
 *	core_verify_random_test [FIRST COUNT]	seeds, each one program of each kind
 */
#include "tests/fuzz/generate.h"
#include "tests/program_run.h"
#include "tests/tap.h"

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
static void try_program(struct exec *e, enum generate_kind kind, u64 seed, struct tally *tally)
{
	char why[RUN_WHY_BYTES];
	struct run_slots slots;
	struct builder b;
	u64 size;
	u8 *bytes;
	struct rondo_verdict verdict;
	bool right = true;

	build_init(&b);
	generate_seed(&b, kind, seed);
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
		if (is_hazard(verdict.code) && kind == GENERATE_REGISTERS)
			right = run_program(e, bytes, size, NULL, &slots, why) == EXEC_TRAP;
	}
	if (!right && tally->wrong++ < 5)
		printf("# seed %llu: verdict %s at %u, run: %s\n", (unsigned long long)seed,
		       rondo_error_name(verdict.code), verdict.index, why);
	free(bytes);
	build_fini(&b);
}

static struct tally test_kind(struct exec *e, enum generate_kind kind, u64 first, u64 programs,
			      const char *name)
{
	struct tally tally = { 0 };
	u64 seed;
	u32 i;

	for (seed = first; seed < first + programs; seed++)
		try_program(e, kind, seed, &tally);
	for (i = 0; i < 64; i++)
		if (tally.reason[i])
			printf("# %s %u\n", rondo_error_name(i), tally.reason[i]);
	tap_ok(!tally.wrong, "%s: %u accepted, %u refused, %u wrong", name, tally.accepted,
	       tally.refused, tally.wrong);
	tap_ok(tally.accepted > programs / 50, "%s: the programs are worth trying", name);
	return tally;
}

int main(int argc, char **argv)
{
	u64 first = argc == 3 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc == 3 ? strtoull(argv[2], NULL, 0) : 4000;
	struct rondo_machine edge;
	struct tally sram;
	struct exec *e;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	e = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	if (!e)
		return EXIT_FAILURE;
	test_kind(e, GENERATE_REGISTERS, first, count, "hazards are found exactly");
	test_kind(e, GENERATE_TIME, first, count, "time is exact");
	test_kind(e, GENERATE_LOOSE, first, count, "what is accepted keeps its promises");
	/* The executor traps where a byte is read that was neither written nor cleared. */
	sram = test_kind(e, GENERATE_SRAM, first, count, "what is read is written or cleared");
	tap_ok(sram.clear_free > count / 10, "often all of it is written: %u", sram.clear_free);
	exec_destroy(e);
	return tap_done();
}
