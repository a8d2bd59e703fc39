// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults of the control path: generated programs of which the device has a bit wrong, or makes
 * one wrong address. Either the run ends badly, or its signature is not the one that the
 * verifier computed, or the fault had no effect: the same bytes in every slot, in the same
 * cycles.
 *
 *	emulator_exec_signature_test [FIRST COUNT]	other seeds than 1 to 150
 *	emulator_exec_signature_test FIRST COUNT all	every bit of their entries, descriptors
 *							and bundles
 */
#include "tests/fuzz/generate.h"
#include "tests/program_run.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { FLIPS = 24, SLOT_BYTES_MAX = 1 << 26 };

/* One program, and what a run of it should do. */
struct subject {
	struct exec *exec;
	struct rondo_machine machine;
	struct rondo_facts facts;
	u8 *bytes;
	u64 size, tables; /* byte of the first entry */
	struct rondo_program program;
	/* What each slot holds before a run, during one, and after one without a fault. */
	u8 *first[RONDO_PROGRAM_SLOTS_MAX], *data[RONDO_PROGRAM_SLOTS_MAX];
	u8 *right[RONDO_PROGRAM_SLOTS_MAX];
	u64 bytes_of[RONDO_PROGRAM_SLOTS_MAX];
};

enum fate { ENDED, SIGNED, HARMLESS, MISSED, FATES };

static u64 state;

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct subject *s = ctx;

	if (offset > s->bytes_of[slot] || size > s->bytes_of[slot] - offset)
		return false;
	memcpy(to, s->data[slot] + offset, size);
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct subject *s = ctx;

	if (offset > s->bytes_of[slot] || size > s->bytes_of[slot] - offset)
		return false;
	memcpy(s->data[slot] + offset, from, size);
	return true;
}

static u8 *first_bytes(u32 slot, u64 size)
{
	u8 *bytes = malloc(size + 1);
	u64 at;

	for (at = 0; at < size; at++)
		bytes[at] = (u8)(at * 37 + slot * 11 + (at >> 8));
	return bytes;
}

static void fill_slots(struct subject *s)
{
	u32 i;

	for (i = 0; i < s->program.header->slots; i++)
		memcpy(s->data[i], s->first[i], s->bytes_of[i]);
}

/* Runs @bytes in place of the program; false if they cannot be loaded. */
static bool run(struct subject *s, const u8 *bytes, struct exec_control *control,
		struct exec_result *result)
{
	const struct exec_io io = { read_slot, write_slot, s };

	fill_slots(s);
	control->bound = s->facts.cycles;
	return run_once(s->exec, bytes, s->size, &s->facts, &io, control, result);
}

static bool same_slots(const struct subject *s)
{
	u32 i;

	for (i = 0; i < s->program.header->slots; i++)
		if (memcmp(s->data[i], s->right[i], s->bytes_of[i]))
			return false;
	return true;
}

static enum fate fate_of(struct subject *s, const u8 *bytes, struct exec_control control)
{
	struct exec_result result;

	if (!run(s, bytes, &control, &result) || result.status != EXEC_DONE)
		return ENDED;
	if (result.signature != s->facts.signature)
		return SIGNED;
	return same_slots(s) && result.cycles == s->facts.cycles ? HARMLESS : MISSED;
}

/* Program @seed; false if the verifier refuses it. */
static bool prepare(struct subject *s, u64 seed)
{
	struct exec_result result;
	struct builder b;
	bool good;
	u32 i;

	build_init(&b);
	build_machine(&b, &s->machine);
	generate_seed(&b, GENERATE_RIGHT, seed);
	s->bytes = build_claimed(&b, &s->size);
	good = !rondo_verify_verdict(b.verify)->code;
	s->facts = *rondo_verify_facts(b.verify);
	build_fini(&b);
	rondo_program_open(&s->program, s->bytes, s->size);
	s->tables = (u64)((const u8 *)s->program.entries - s->bytes);
	for (i = 0; i < s->program.header->slots; i++) {
		const struct rondo_slot *slot = &s->program.slots[i];

		s->bytes_of[i] = rondo_slot_end(slot);
		good = good && s->bytes_of[i] <= SLOT_BYTES_MAX;
		s->first[i] = good ? first_bytes(i, s->bytes_of[i]) : NULL;
		s->data[i] = good ? malloc(s->bytes_of[i] + 1) : NULL;
		s->right[i] = good ? malloc(s->bytes_of[i] + 1) : NULL;
	}
	if (!good || !run(s, s->bytes, &(struct exec_control){ 0 }, &result))
		return false;
	for (i = 0; i < s->program.header->slots; i++)
		memcpy(s->right[i], s->data[i], s->bytes_of[i]);
	return result.status == EXEC_DONE && result.signature == s->facts.signature;
}

static void release(struct subject *s)
{
	u32 i;

	for (i = 0; i < s->program.header->slots; i++) {
		free(s->first[i]);
		free(s->data[i]);
		free(s->right[i]);
	}
	free(s->bytes);
}

static void flip_bit(struct subject *s, u64 bit, u32 fates[FATES])
{
	enum fate fate;

	s->bytes[bit / 8] ^= 1u << bit % 8;
	fate = fate_of(s, s->bytes, (struct exec_control){ 0 });
	s->bytes[bit / 8] ^= 1u << bit % 8;
	if (fate == MISSED)
		printf("# bit %llu of byte %llu of %llu\n", (unsigned long long)bit % 8,
		       (unsigned long long)bit / 8, (unsigned long long)s->size);
	fates[fate]++;
}

static void flip_program(struct subject *s, u32 fates[FATES])
{
	u32 i;

	for (i = 0; i < FLIPS; i++)
		flip_bit(s, 8 * s->tables + random_below(&state, 8 * (s->size - s->tables)), fates);
}

static void flip_every_bit(struct subject *s, u32 fates[FATES])
{
	u64 bit;

	for (bit = 8 * s->tables; bit < 8 * s->size; bit++)
		flip_bit(s, bit, fates);
}

static void flip_address(struct subject *s, u32 fates[FATES])
{
	u32 i;

	for (i = 0; i < FLIPS; i++)
		fates[fate_of(s, s->bytes,
			      (struct exec_control){
				      .flip = 1 + random_below(&state, s->program.header->bundles),
				      .flip_bit = (u8)random_below(&state, 20) })]++;
}

struct range {
	u64 first, count; /* seeds */
};

static void test(enum rondo_machine_id machine, const char *what,
		 void (*flip)(struct subject *, u32[FATES]), struct range seeds)
{
	u32 fates[FATES] = { 0 }, programs = 0;
	struct subject s = { 0 };
	u64 seed;

	rondo_machine_init(&s.machine, machine);
	s.exec = exec_create(executor_for(&s.machine, EXECUTOR_PLAIN), &s.machine);
	for (seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
		state = random_seed(seed);
		if (prepare(&s, seed)) {
			programs++;
			flip(&s, fates);
		}
		release(&s);
	}
	exec_destroy(s.exec);
	tap_ok(programs > seeds.count / 10 * 9, "%s: %u of %llu programs run",
	       rondo_machine_name(machine), programs, (unsigned long long)seeds.count);
	tap_eq(fates[MISSED], 0, what);
	tap_ok(fates[SIGNED] > fates[ENDED] / 16 && fates[SIGNED],
	       "%u end the run, %u give another signature, %u have no effect", fates[ENDED],
	       fates[SIGNED], fates[HARMLESS]);
}

int main(int argc, char **argv)
{
	static const char bits[] = "flipped bits of programs, with an effect, that do not show";
	static const char addresses[] = "and of addresses";
	struct range edge = { 1, 150 }, patch = { 1, 10 };

	if (argc >= 3) {
		edge.first = patch.first = strtoull(argv[1], NULL, 0);
		edge.count = strtoull(argv[2], NULL, 0);
		patch.count = (edge.count + 15) / 16;
	}
	if (argc == 4) {
		test(RONDO_MACHINE_edge, bits, flip_every_bit, edge);
		test(RONDO_MACHINE_patch, bits, flip_every_bit, patch);
		return tap_done();
	}
	test(RONDO_MACHINE_edge, bits, flip_program, edge);
	test(RONDO_MACHINE_edge, addresses, flip_address, edge);
	test(RONDO_MACHINE_patch, bits, flip_program, patch);
	test(RONDO_MACHINE_patch, addresses, flip_address, patch);
	return tap_done();
}
