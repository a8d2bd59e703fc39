// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Whatever the verifier accepts runs in the checking executor without a trap, inside its
 * extents, in exactly the promised cycles. The first byte, modulo eight, chooses what the
 * others are, so that text will do for a corpus:
 *
 *	0..3	choices of the generator of programs, for each of its loose kinds
 *	4..6	the same, but then some bytes of the program are changed
 *	7	the bytes of a program
 */
#include "tests/fuzz/generate.h"
#include "tests/program_run.h"

/* Longer runs are not worth the time; the executor moves at most a row per cycle. */
enum { CYCLES_MAX = 1 << 17 };

static struct exec *executor(const struct rondo_machine *machine)
{
	static struct exec *e;

	if (!e)
		e = exec_create(executor_for(machine, EXECUTOR_PLAIN), machine);
	return e;
}

/* Adds the choices' last bytes to bytes of the program, the header's sizes apart. */
static void change(u8 *bytes, u64 size, const u8 *choices, size_t count)
{
	u64 first = sizeof(struct rondo_program_header), i;
	u32 at;

	for (i = 0; i + 3 <= count && i < 12; i += 3) {
		memcpy(&at, choices + count - 3 - i, 2);
		at &= 0xffff;
		bytes[first + at % (size - first)] += choices[count - 1 - i];
	}
}

/* Fills in the claims of a program that is right but for them, and judges it. */
static void judge(struct rondo_verify *v, const struct rondo_machine *machine, u8 *bytes, u64 size)
{
	char why[RUN_WHY_BYTES];

	rondo_measure_init(v, machine, bytes, size);
	while (rondo_verify_step(v, 16))
		;
	if (rondo_verify_verdict(v)->code)
		return;
	rondo_measure_claim(v, bytes);
	rondo_verify_init(v, machine, bytes, size, CYCLES_MAX);
	while (rondo_verify_step(v, ~0u))
		;
	if (rondo_verify_verdict(v)->code == RONDO_ERR_BUDGET)
		return;
	if (rondo_verify_verdict(v)->code) {
		fprintf(stderr, "measured, then refused: %s\n",
			rondo_error_name(rondo_verify_verdict(v)->code));
		abort();
	}
	if (!run_keeps_promises(executor(machine), bytes, size, rondo_verify_facts(v), why)) {
		fprintf(stderr, "accepted, but %s\n", why);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct builder b;
	u8 *bytes;
	u64 count;

	if (!size)
		return 0;
	build_init(&b);
	if (data[0] % 8 < 7) {
		generate(&b, GENERATE_LOOSE + data[0] % 8 % 4, data + 1, size - 1);
		bytes = build_bytes(&b, &count);
		if (data[0] % 8 >= 4)
			change(bytes, count, data + 1, size - 1);
	} else {
		count = size - 1;
		bytes = malloc(count + 1);
		memcpy(bytes, data + 1, count);
	}
	judge(b.verify, &b.machine, bytes, count);
	free(bytes);
	build_fini(&b);
	return 0;
}
