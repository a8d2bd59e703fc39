// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A refusal names the place: generated programs with one defect of a known kind at a known bundle
 * and slot, entry, descriptor or slot are refused for that reason, there.
 *
 *	core_verify_position_test [FIRST COUNT]		seeds, each one program and one defect
 */
#include "tests/fuzz/defects.h"
#include "tests/fuzz/generate.h"
#include "tests/tap.h"

struct tally {
	u32 tried[64], found[64], missed; /* by reason */
};

static void try_seed(u64 seed, struct tally *tally)
{
	u32 kind = (u32)(seed % defect_kinds()), code = defect_code(kind);
	char why[DEFECT_WHY_BYTES];
	enum defect_outcome outcome;
	struct builder b;

	build_init(&b);
	generate_seed(&b, GENERATE_RIGHT, seed);
	if (!build_verdict(&b, 0).code) {
		outcome = defect_try(&b, kind, seed, why);
		tally->tried[code]++;
		tally->found[code] += outcome == DEFECT_FOUND;
		if (outcome == DEFECT_MISSED && tally->missed++ < 10)
			printf("# seed %llu: %s\n", (unsigned long long)seed, why);
	}
	build_fini(&b);
}

int main(int argc, char **argv)
{
	/* Those take more than one thing that is wrong; core_verify_hostile_test has them. */
	static const u32 none[] = { RONDO_ERR_DMA_LOOPS, RONDO_ERR_DMA_WORK };
	u64 first = argc == 3 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc == 3 ? strtoull(argv[2], NULL, 0) : 4000, seed;
	u32 code, found = 0, reasons = 0, missing = 0;
	struct tally tally = { 0 };

	for (seed = first; seed < first + count; seed++)
		try_seed(seed, &tally);
	for (code = 1; code < 64; code++) {
		found += tally.found[code];
		if (code == none[0] || code == none[1] ||
		    !strcmp(rondo_error_name(code), "UNKNOWN"))
			continue;
		reasons++;
		if (tally.found[code])
			continue;
		missing++;
		printf("# never: %s, tried %u times\n", rondo_error_name(code), tally.tried[code]);
	}
	tap_eq(tally.missed, 0, "defects that are refused for another reason or elsewhere");
	tap_ok(found > count / 2, "%u defects, each found where it is", found);
	tap_ok(!missing, "every one of %u reasons of refusal", reasons);
	return tap_done();
}
