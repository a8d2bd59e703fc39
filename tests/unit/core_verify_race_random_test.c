// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The race rule against the checking executor, which knows of every byte which transfers use
 * it: random nests of loops with transfers on one to four channels, waits, and accesses. What
 * is accepted never traps, what is refused for a race does. (The rule may refuse a right program
 * where its search is cut short. These are not that strange.)
 */
#include "tests/program_run.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum { PROGRAMS = 2500, AREA = 32768, DEPTH = 4 };

static u64 random_state = 88172645463325252ull;

static u32 pick(u32 count)
{
	return (u32)(random_next(&random_state) >> 32) % count;
}

#define ONE_OF(...) \
	((const s32[]){ __VA_ARGS__ }[pick(sizeof((s32[]){ __VA_ARGS__ }) / sizeof(s32))])

/* How a program is made: the finer the grain, the more interleaves. */
struct style {
	u32 channels, grain, span;
	bool odd; /* strides have nothing in common but the alignment */
};

static s32 stride(const struct style *s)
{
	if (s->odd && pick(2))
		return (s32)(pick(s->grain) * 4);
	return ONE_OF(0, 0, 1, 1, 2, 4, -1, 3) * (s32)s->grain;
}

static u32 base(const struct style *s)
{
	return AREA + pick(s->span) * s->grain;
}

static void make_access(struct builder *b, const struct style *s, u32 depth)
{
	struct rondo_entry e = { .base = base(s) };
	u32 d, count = s->grain / 4 < 64 ? s->grain / 4 : 64;

	for (d = 0; d < depth; d++)
		e.stride[d] = stride(s);
	if (!pick(4)) {
		e.seg_len = s->odd ? 1 + pick(count) : count / 2;
		e.seg_stride = s->odd ? stride(s) : (s32)s->grain * ONE_OF(1, 2, 4);
	}
	if (pick(2))
		build_op(b, RONDO_S, OP(sta, .entry = build_entry(b, e), .count = count));
	else
		build_op(b, RONDO_M, OP(preset, .entry = build_entry(b, e), .count = count));
}

static void make_start(struct builder *b, const struct style *s, u32 depth)
{
	struct rondo_desc desc = { .dir = !pick(3),
				   .slot = pick(3),
				   .row_bytes = s->grain / (1 + pick(2)),
				   .sram_base = base(s),
				   .slot_base = AREA + pick(s->span) * s->grain };
	u32 d;

	desc.count[2] = ONE_OF(1, 1, 2, 3, 5);
	desc.count[1] = ONE_OF(1, 1, 2);
	desc.sram_stride[2] = s->odd ? stride(s) : (s32)s->grain * ONE_OF(1, 2, 4);
	desc.sram_stride[1] = (s32)s->grain * ONE_OF(1, 8);
	desc.slot_stride[2] = s->grain * ONE_OF(1, 2);
	desc.slot_stride[1] = s->grain * 10;
	for (d = 0; d < depth; d++) {
		desc.sram_loop[d] = stride(s);
		desc.slot_loop[d] = stride(s);
	}
	build_start(b, pick(s->channels), build_desc(b, desc), pick(3) ? 0 : pick(depth + 1));
}

static void make_body(struct builder *b, const struct style *s, u32 depth, u32 *left);

static void make_loop(struct builder *b, const struct style *s, u32 depth, u32 *left)
{
	struct rondo_op op = OP(loop1, .trip = { ONE_OF(1, 2, 2, 3, 4, 5, 7) });
	u32 at = build_bundle(b);

	make_body(b, s, depth + 1, left);
	op.body = b->header.bundles - 1 - at;
	rondo_encode(&op, &b->bundles[at][RONDO_C]);
}

/* At least one bundle at the end that nothing else ends with. */
static void make_body(struct builder *b, const struct style *s, u32 depth, u32 *left)
{
	bool dma = depth <= RONDO_DMA_LOOP_DEPTH;
	u32 items;

	for (items = 1 + pick(5); items && *left; items--, --*left) {
		switch (pick(9)) {
		case 0:
		case 1:
			make_access(b, s, depth);
			break;
		case 2:
		case 3:
			if (dma)
				make_start(b, s, depth);
			break;
		case 4:
		case 5:
		case 6:
			if (dma)
				build_wait(b, pick(s->channels), ONE_OF(0, 0, 1, 1, 2, 3));
			break;
		default:
			if (depth < DEPTH)
				make_loop(b, s, depth, left);
			break;
		}
	}
	build_bundle(b);
}

static void make_program(struct builder *b, const struct style *s)
{
	u32 left = 6 + pick(10);

	build_slot(b, 0);
	build_slot(b, 0);
	build_slot(b, 0);
	make_start(b, s, 0);
	make_loop(b, s, 0, &left);
	if (pick(2))
		make_body(b, s, 0, &left);
	build_halt(b);
}

struct tally {
	u32 accepted, trapped, spurious, other, wrong;
};

/* Whether a program that the verifier refused does trap for a race. */
static bool races(struct exec *e, u8 *bytes, u64 size, char why[RUN_WHY_BYTES])
{
	struct rondo_facts all = { .clear_count = 1, .clear = { { 0, 1 << 20 } } };
	struct rondo_slot *slot = (void *)(bytes + sizeof(struct rondo_program_header));
	struct run_slots slots;
	u32 i;

	for (i = 0; i < 3; i++)
		slot[i].read_hi = slot[i].write_hi = 1ull << 40;
	return run_program(e, bytes, size, &all, &slots, why) == EXEC_TRAP;
}

static void try_program(struct exec *e, const struct style *s, struct tally *tally)
{
	u64 seed = random_state, size;
	struct rondo_verdict verdict;
	char why[RUN_WHY_BYTES];
	struct builder b;
	u8 *bytes;

	build_init(&b);
	make_program(&b, s);
	verdict = build_verdict(&b, 0);
	bytes = build_bytes(&b, &size);
	if (!verdict.code) {
		tally->accepted++;
		rondo_measure_claim(b.verify, bytes);
		if (!run_keeps_promises(e, bytes, size, rondo_verify_facts(b.verify), why)) {
			tally->wrong++;
			printf("# seed %llu: accepted, and %s\n", (unsigned long long)seed, why);
		}
	} else if (verdict.code != RONDO_ERR_DMA_RACE && verdict.code != RONDO_ERR_DMA_SLOT_RACE) {
		tally->other++;
		if (tally->other < 3)
			printf("# %s at %u.%u\n", rondo_error_name(verdict.code), verdict.index,
			       verdict.slot);
	} else if (races(e, bytes, size, why)) {
		tally->trapped++;
	} else {
		tally->spurious++;
		if (tally->spurious < 5)
			printf("# seed %llu: %s at %u.%u, and no race\n", (unsigned long long)seed,
			       rondo_error_name(verdict.code), verdict.index, verdict.slot);
	}
	free(bytes);
	build_fini(&b);
}

static void test_style(struct exec *e, struct style style)
{
	struct tally t = { 0 };
	u32 i;

	for (i = 0; i < PROGRAMS; i++)
		try_program(e, &style, &t);
	tap_ok(!t.wrong && !t.other,
	       "%u channels, grain %u: %u accepted and right, %u race, %u others, %u wrong",
	       style.channels, style.grain, t.accepted, t.trapped, t.other, t.wrong);
	tap_ok(t.accepted > PROGRAMS / 4 && t.trapped > PROGRAMS / 8, "both are worth trying");
	tap_ok(!t.spurious, "%u are right and refused", t.spurious);
}

int main(int argc, char **argv)
{
	struct rondo_machine edge;
	struct exec *e;

	if (argc > 1)
		random_state = strtoull(argv[1], NULL, 0);
	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	e = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	if (!e)
		return EXIT_FAILURE;
	test_style(e, (struct style){ .channels = 1, .grain = 256, .span = 16 });
	test_style(e, (struct style){ .channels = 2, .grain = 256, .span = 64 });
	test_style(e, (struct style){ .channels = 2, .grain = 64, .span = 16 });
	test_style(e, (struct style){ .channels = 4, .grain = 256, .span = 96 });
	test_style(e, (struct style){ .channels = 2, .grain = 64, .span = 128, .odd = true });
	test_style(e, (struct style){ .channels = 3, .grain = 16, .span = 256, .odd = true });
	exec_destroy(e);
	return tap_done();
}
