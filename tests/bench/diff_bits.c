// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * exec_diff_bits: bits of slots, cycles, signature and activity in which the executors, plain and
 * fast, differ from the reference on generated programs. The plain one with checks and the fast
 * one's best variant run every program; without checks, and the other variants, every SHARE-th.
 *
 *	bench_diff_bits [FIRST LAST]	seeds; without, 1 to $RONDO_BENCH_PROGRAMS (20000)
 *
 * The whole range of seeds is 1 to 1,000,000, each 1 to 1.3 ms of one core; processes may share it.
 */
#include <inttypes.h>

#include "core/machine.h"
#include "tests/agree.h"
#include "tests/bench/paired.h"
#include "tests/fuzz/generate.h"

enum { PROGRAMS = 20000, SHARE = 8, WHYS = 10, TELL = 25000 };

struct tally {
	u64 accepted, refused, different;
};

/* The program of @seed; NULL if the verifier refuses it. */
static u8 *program_of(struct builder *b, u64 seed, u64 *size)
{
	generate_seed(b, GENERATE_RIGHT, seed);
	return build_accepted(b, size);
}

static void try_seed(struct agree *a, u64 seed, struct tally *tally)
{
	char why[AGREE_WHY_BYTES];
	struct builder b;
	u64 size;
	u8 *bytes;

	build_init(&b);
	bytes = program_of(&b, seed, &size);
	if (!bytes) {
		tally->refused++;
	} else {
		tally->accepted++;
		if (!agree_run(a, bytes, size, rondo_verify_facts(b.verify), NULL, seed, why) &&
		    tally->different++ < WHYS)
			fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, why);
	}
	free(bytes);
	build_fini(&b);
}

int main(int argc, char **argv)
{
	const char *programs = getenv("RONDO_BENCH_PROGRAMS");
	u64 first = argc == 3 ? strtoull(argv[1], NULL, 0) : 1;
	u64 last = argc == 3 ? strtoull(argv[2], NULL, 0) :
		   programs  ? strtoull(programs, NULL, 0) :
			       PROGRAMS;
	struct tally tally = { 0 };
	struct rondo_machine edge;
	struct agree a;
	u64 seed;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (!agree_init(&a, &edge))
		return EXIT_FAILURE;
	a.share = SHARE;
	for (seed = first; seed <= last; seed++) {
		try_seed(&a, seed, &tally);
		if (seed % TELL == 0)
			fprintf(stderr, "up to seed %" PRIu64 ": %" PRIu64 " bits differ\n", seed,
				a.bits);
	}
	printf("# seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " programs, %" PRIu64
	       " refused and not counted; %" PRIu64 " runs compared with the reference, %" PRIu64
	       " programs differ\n",
	       first, last, tally.accepted, tally.refused, a.runs, tally.different);
	bench_figure("exec_diff_bits", a.bits, "bits");
	agree_fini(&a);
	return tally.accepted ? EXIT_SUCCESS : EXIT_FAILURE;
}
