// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The executors on programs that the verifier did not see: whatever they are, no run touches memory
 * that is not its own, hangs, or goes on beyond its bound (tests/unit/unverified.h).
 *
 * The first byte chooses the machine (bit 0) and the kind of program (bits 1 and 2); the second,
 * modulo eight, in how many places it is then changed. The others are the choices for that.
 */
#include "core/machine.h"
#include "tests/fuzz/generate.h"
#include "tests/unit/unverified.h"

#include <stdio.h>

enum { BOUND = 1 << 12 };

static const struct unverified *executors(bool many_tiles)
{
	static struct unverified all[2];
	struct rondo_machine machine;

	rondo_machine_init(&machine, many_tiles ? RONDO_MACHINE_patch : RONDO_MACHINE_edge);
	if (!all[many_tiles].executors && !unverified_init(&all[many_tiles], &machine))
		abort();
	return &all[many_tiles];
}

/* Changes a byte in each of @places, which the last choices name, the header's sizes apart. */
static void change(u8 *bytes, u64 size, const u8 *choices, size_t count, u32 places)
{
	u64 first = sizeof(struct rondo_program_header), i;

	for (i = 0; i < places && 3 * (i + 1) <= count; i++) {
		const u8 *choice = choices + count - 3 * (i + 1);

		bytes[first + (choice[0] | choice[1] << 8) % (size - first)] ^= choice[2];
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const enum generate_kind kinds[] = { GENERATE_LOOSE, GENERATE_REGISTERS,
						    GENERATE_TIME, GENERATE_RIGHT };
	const struct unverified *u;
	char why[UNVERIFIED_WHY_BYTES];
	struct builder b;
	u64 count;
	u8 *bytes;

	if (size < 2)
		return 0;
	u = executors(data[0] & 1);
	build_init(&b);
	build_machine(&b, &u->machine);
	generate(&b, kinds[data[0] >> 1 & 3], data + 2, size - 2);
	bytes = build_bytes(&b, &count);
	change(bytes, count, data + 2, size - 2, data[1] % 8);
	unverified(u, bytes, count, BOUND, why);
	if (why[0]) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	free(bytes);
	build_fini(&b);
	return 0;
}
