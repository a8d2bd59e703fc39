// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The control path's signature: its arithmetic against the compiler's own, loops in closed form
 * against every trip, and that a flipped bit in what a bundle is executed with shows.
 */
#include "core/mod61.h"
#include "core/signature.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

enum { NESTS = 3000, BUNDLES = 12, STEPS_MAX = 100000, PRODUCTS = 200000 };

static const u64 weights[] = {
#define WEIGHT(name, value, meaning) value,
#define PLACE(name, value, meaning)
#include "spec/signature.def"
};

static u64 state;

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static u64 draw(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void test_weights(void)
{
	u32 i, wrong = 0;

	state = 0;
	for (i = 0; i < sizeof(weights) / sizeof(*weights); i++)
		wrong += weights[i] != draw() >> 3;
	tap_eq(wrong, 0, "weights are the outputs of SplitMix64");
}

/* Random bits of random length, or all ones. */
static u64 operand(void)
{
	u64 x = draw();

	return x % 8 ? x >> draw() % 64 : ~0ull >> draw() % 64;
}

static void test_arithmetic(void)
{
	const unsigned __int128 prime = RONDO_MOD61;
	u32 wrong = 0, i;

	for (i = 0; i < PRODUCTS; i++) {
		u64 a = operand(), b = operand(), small = b >> 1, residue = a % RONDO_MOD61;
		struct rondo_wide wide = rondo_wide_product(a, b);
		unsigned __int128 product = (unsigned __int128)a * b;

		wrong += wide.lo != (u64)product || wide.hi != (u64)(product >> 64);
		wrong += rondo_wide_mod61(wide) != (u64)(product % prime);
		wrong += mod61(a) != residue;
		wrong += mod61_signed((s64)b) !=
			 (u64)((((__int128)(s64)b % (__int128)prime) + prime) % prime);
		wrong += mod61_mul(residue, small) !=
			 (u64)((unsigned __int128)residue * small % prime);
		wrong += mod61_add(residue, small % RONDO_MOD61) !=
			 (u64)(((unsigned __int128)residue + small) % prime);
	}
	tap_eq(wrong, 0, "products and sums that differ from 128-bit division");
}

/* A random text: bundles that are affine in the loops around them, loops. */
struct text {
	u32 bundles;
	struct {
		struct rondo_affine value;
		u32 last; /* of the loop that it opens; 0: none */
		u64 trips;
	} bundle[BUNDLES];
};

static void make_text(struct text *t)
{
	u32 last[RONDO_LOOP_DEPTH], depth = 0, i, d;

	t->bundles = 2 + draw() % (BUNDLES - 2);
	for (i = 0; i < t->bundles; i++) {
		u32 end = depth ? last[depth - 1] : t->bundles - 1;

		t->bundle[i].last = 0;
		t->bundle[i].value.constant = draw() % RONDO_MOD61;
		t->bundle[i].value.loops = depth ? (u32)(draw() % (depth + 1)) : 0;
		for (d = 0; d < t->bundle[i].value.loops; d++)
			t->bundle[i].value.factor[d] = draw() % RONDO_MOD61;
		if (i < end && depth < RONDO_LOOP_DEPTH && draw() % 2) {
			t->bundle[i].trips = 1 + draw() % (draw() % 4 ? 4 : 40);
			t->bundle[i].last = i + 1 + (u32)(draw() % (end - i));
			last[depth++] = t->bundle[i].last;
		}
		while (depth && last[depth - 1] == i)
			depth--;
	}
}

static u64 closed_form(const struct text *t)
{
	struct rondo_signature_text text;
	u32 last[RONDO_LOOP_DEPTH], i;
	u64 trips[RONDO_LOOP_DEPTH];

	rondo_signature_text_init(&text, 0);
	for (i = 0; i < t->bundles; i++) {
		rondo_signature_bundle(&text, &t->bundle[i].value);
		while (text.depth && last[text.depth - 1] == i)
			rondo_signature_close(&text, trips[text.depth - 1]);
		if (t->bundle[i].last) {
			last[text.depth] = t->bundle[i].last;
			trips[text.depth] = t->bundle[i].trips;
			rondo_signature_open(&text);
		}
	}
	return text.level[0].value.constant;
}

/* False if that takes more than STEPS_MAX bundles. */
static bool step_by_step(const struct text *t, u64 *signature)
{
	u64 index[RONDO_LOOP_DEPTH] = { 0 }, trips[RONDO_LOOP_DEPTH], steps = 0;
	u32 first[RONDO_LOOP_DEPTH], last[RONDO_LOOP_DEPTH], depth = 0, i = 0, at;
	struct rondo_signature s;

	for (rondo_signature_reset(&s); i < t->bundles; i++) {
		if (steps++ == STEPS_MAX)
			return false;
		at = i;
		rondo_signature_step(&s, rondo_affine_at(&t->bundle[i].value, index));
		for (; depth && last[depth - 1] == at; depth--) {
			if (++index[depth - 1] < trips[depth - 1]) {
				i = first[depth - 1] - 1;
				break;
			}
			index[depth - 1] = 0;
		}
		if (t->bundle[at].last) {
			first[depth] = at + 1;
			last[depth] = t->bundle[at].last;
			trips[depth++] = t->bundle[at].trips;
		}
	}
	*signature = s.sum;
	return true;
}

static void test_closed_form(void)
{
	u32 i, wrong = 0, stepped = 0;
	struct text t;
	u64 signature;

	for (i = 0; i < NESTS; i++) {
		make_text(&t);
		if (!step_by_step(&t, &signature))
			continue;
		stepped++;
		wrong += closed_form(&t) != signature;
	}
	tap_eq(wrong, 0, "nests whose closed form is not what the steps give");
	tap_ok(stepped > NESTS / 2, "%u of %d nests are short enough to step", stepped, NESTS);
}

/* a + b trips are a trips, and then b with indices that are a more. */
static void test_many_trips(void)
{
	u32 i, wrong = 0;

	for (i = 0; i < NESTS; i++) {
		u64 a = 1 + (draw() >> (31 + draw() % 32)), b = 1 + (draw() >> (31 + draw() % 32));
		u64 none[RONDO_LOOP_DEPTH] = { 0 };
		struct rondo_stretch whole, head, tail;
		struct rondo_signature s, t;

		rondo_stretch_init(&whole);
		rondo_stretch_bundle(&whole, &(struct rondo_affine){ draw() % RONDO_MOD61,
								     1,
								     { draw() % RONDO_MOD61 } });
		head = tail = whole;
		tail.value.constant =
			mod61_add(whole.value.constant, mod61_mul(whole.value.factor[0], mod61(a)));
		rondo_stretch_repeat(&whole, 0, a + b);
		rondo_stretch_repeat(&head, 0, a);
		rondo_stretch_repeat(&tail, 0, b);
		rondo_signature_reset(&s);
		rondo_signature_pass(&s, &whole, none);
		rondo_signature_reset(&t);
		rondo_signature_pass(&t, &head, none);
		rondo_signature_pass(&t, &tail, none);
		wrong += s.sum != t.sum || s.weight != t.weight;
	}
	tap_eq(wrong, 0, "loops of up to 2^33 trips that differ from their two parts");
}

static u8 operation_of_rows(void)
{
	u8 op = 0;

	while (!rondo_op_has_rows(op))
		op++;
	return op;
}

/* Every kind of number that a bundle is executed with, in a loop of four trips. */
static void rich_program(struct builder *b)
{
	u32 mem = build_entry(b, (struct rondo_entry){ .base = 4096,
						       .stride = { 256, 64 },
						       .seg_len = 4,
						       .seg_stride = 32,
						       .pitch = 128 });
	u32 acc = build_entry(
		b, (struct rondo_entry){
			   .base = 8192, .stride = { 256 }, .row_stride = { 1, 2 }, .first = 2 });
	u32 desc = build_desc(b, (struct rondo_desc){ .row_bytes = 64,
						      .count = { 2, 2, 2 },
						      .sram_stride = { 4096, 1024, 64 },
						      .sram_loop = { 64, 128 },
						      .slot_stride = { 4096, 1024, 64 },
						      .slot_loop = { 64, 256 } });

	build_slot(b, 0);
	build_loop(b, 4, 4);
	build_loop(b, 4, 3);
	build_op(b, RONDO_C, OP(dma, .desc = desc, .last = 1));
	build_op(b, RONDO_C, OP(wait, .wait = { 1 }));
	build_op(b, RONDO_L0,
		 (struct rondo_op){
			 .op = operation_of_rows(), .count = 16, .rows = 3, .entry = mem });
	build_put(b, RONDO_L1, OP(rd, .dst = 1, .count = 64, .entry = acc));
	build_put(b, RONDO_S, OP(sta, .count = 8, .entry = acc));
	build_put(b, RONDO_W, OP(wl_s8, .count = 16, .wrow = 3, .entry = mem));
	build_put(b, RONDO_M, OP(push_s8, .count = 8, .mode = 2, .entry = acc));
	build_halt(b);
}

/* 0 if the bytes are refused. */
static u64 signature_of(struct builder *b, void *bytes, u64 size)
{
	rondo_measure_run(b->verify, &b->machine, bytes, size);
	return rondo_verify_verdict(b->verify)->code ? 0 : rondo_verify_facts(b->verify)->signature;
}

static void test_flips(void)
{
	u64 size, right, flipped, at;
	u32 same = 0, other = 0;
	struct builder b;
	u8 *bytes;

	build_init(&b);
	rich_program(&b);
	bytes = build_bytes(&b, &size);
	right = signature_of(&b, bytes, size);
	tap_ok(right, "the program is accepted: %s",
	       rondo_error_name(rondo_verify_verdict(b.verify)->code));
	for (at = 8 * (sizeof(b.header) + sizeof(b.slots[0])); at < 8 * size; at++) {
		bytes[at / 8] ^= 1u << at % 8;
		flipped = signature_of(&b, bytes, size);
		bytes[at / 8] ^= 1u << at % 8;
		same += flipped == right;
		other += flipped && flipped != right;
	}
	tap_ok(other > 200, "%u flips of a bit make another program that is accepted", other);
	tap_eq(same, 32 + 8,
	       "of them keep the signature: those of the pitch and of the set `first` of entries "
	       "that are used without");
	free(bytes);
	build_fini(&b);
}

int main(void)
{
	test_weights();
	test_arithmetic();
	test_closed_form();
	test_many_trips();
	test_flips();
	return tap_done();
}
