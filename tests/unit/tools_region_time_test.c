// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time by region: stalls are where they should be in a program whose times are known, and on
 * random programs the regions add up to the exact time of the verifier.
 */
#include "tools/region_time.h"

#include "tests/tap.h"
#include "tests/unit/program_gen.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

enum { PROGRAMS = 1500, CHOICES = 1024 };

static u64 random_state = 88172645463325252ull;

/* xorshift64, Marsaglia 2003. */
static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* The times of @regions regions of the program, bundle i in region i % regions. */
static void times_of(const struct builder *b, u32 regions, struct region_time *time)
{
	struct rondo_program program;
	u64 size;
	u8 *bytes = build_bytes(b, &size);
	u32 *region_of = malloc(b->header.bundles * sizeof(*region_of)), i;

	for (i = 0; i < b->header.bundles; i++)
		region_of[i] = i % regions;
	rondo_program_open(&program, bytes, size);
	if (region_times(&b->machine, &program, region_of, regions, time))
		abort();
	free(region_of);
	free(bytes);
}

static u64 sum_of(const struct region_time *time, u32 regions)
{
	u64 sum = 0;
	u32 i, ch;

	for (i = 0; i < regions; i++) {
		sum += time[i].bundles;
		for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
			sum += time[i].wait[ch] + time[i].full[ch];
	}
	return sum;
}

static u64 clearing(const struct builder *b)
{
	const struct rondo_facts *facts = rondo_verify_facts(b->verify);
	u32 rate = b->machine.clear_bytes_per_cycle, i;
	u64 cycles = 0;

	for (i = 0; i < facts->clear_count; i++)
		cycles += (facts->clear[i].hi - facts->clear[i].lo + rate - 1) / rate;
	return cycles;
}

/* A transfer of 4096 bytes takes 200 + 2 + 64 cycles from its start. */
static void test_known(void)
{
	struct region_time time[6];
	struct builder b;
	u32 desc, i;

	build_init(&b);
	build_slot(&b, 0);
	desc = build_desc(&b, (struct rondo_desc){ .row_bytes = 4096 });
	build_start(&b, 1, desc, 0);
	build_loop(&b, 100, 1);
	build_bundle(&b);
	build_wait(&b, 1, 0);
	build_op(&b, RONDO_C, OP(halt));
	times_of(&b, 6, time);
	tap_eq(time[2].bundles, 100, "a loop's bundles");
	tap_eq(time[3].wait[1], 266 - 102, "a wait's stall, less what ran meanwhile");
	tap_eq(sum_of(time, 6), 266 + 2, "nothing else stalls");
	build_fini(&b);

	build_init(&b);
	build_slot(&b, 0);
	desc = build_desc(&b, (struct rondo_desc){ .row_bytes = 4096 });
	for (i = 0; i <= RONDO_DMA_OUTSTANDING; i++)
		build_start(&b, 2, desc, 0);
	build_op(&b, RONDO_C, OP(halt, .wait = { 0, 0, 1 }));
	times_of(&b, 6, time);
	tap_eq(time[4].full[2], 266 - 4, "a start on a full channel stalls");
	/* The fifth starts at 266, when the fourth has two cycles less to go than it needs. */
	tap_eq(time[5].wait[2], 266 + 266 - 267, "and halt for the rest");
	build_fini(&b);
}

static void test_random(void)
{
	u32 i, j, accepted = 0, wrong = 0;

	for (i = 0; i < PROGRAMS; i++) {
		struct region_time time[7];
		u8 choices[CHOICES];
		struct builder b;

		for (j = 0; j < CHOICES; j++)
			choices[j] = (u8)(next_random() >> 32);
		build_init(&b);
		gen_program(&b, GEN_TIME, choices, CHOICES);
		if (!build_verdict(&b, 0).code) {
			accepted++;
			times_of(&b, 7, time);
			wrong += sum_of(time, 7) + clearing(&b) !=
				 rondo_verify_facts(b.verify)->cycles;
		}
		build_fini(&b);
	}
	tap_ok(!wrong && accepted > PROGRAMS / 10,
	       "regions add up to the exact time: %u programs, %u wrong", accepted, wrong);
}

int main(void)
{
	test_known();
	test_random();
	return tap_done();
}
