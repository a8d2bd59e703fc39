// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The matrix unit's kernels: each that this host can run against one lane at a time
 * in plain C, on numbers of every kind.
 */
#include "emulator/exec/plain/operations.h"

#include <math.h>

#include "emulator/exec/plain/f32.h"
#include "tests/random.h"
#include "tests/tap.h"

static u32 random_bits(void)
{
	static u64 seed = 88172645463325252ull;

	return random_next(&seed) >> 16;
}

/* Mostly numbers near one, but also subnormals, infinities, NaN, zeros. */
static u32 random_f32(void)
{
	static const u32 odd[] = { 0,	       0x80000000, 1,	       0x007fffff,
				   0x7f800000, 0xff800000, 0x7fa00001, 0x7f7fffff };
	u32 bits = random_bits();

	if (bits % 97 == 0)
		return odd[bits / 97 % 8];
	return (bits & 0x83ffffff) | 0x3c000000;
}

struct operands {
	exec_vreg acc, x;
	struct weight_row w[RONDO_LANES_MAX];
	s16 field[RONDO_LANES_MAX][RONDO_LANES_MAX][4]; /* row, lane */
};

static void fill(struct operands *o, bool bytes)
{
	for (u32 r = 0; r < RONDO_LANES_MAX; r++) {
		o->acc[r] = bytes ? random_bits() : random_f32();
		o->x[r] = bytes ? random_bits() : random_f32();
		for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
			for (u32 n = 0; n < 4; n++)
				o->field[r][i][n] = (s16)(random_bits() % 511 - 255);
			if (bytes)
				weight_set_bytes(&o->w[r], i, o->field[r][i]);
			else
				weight_set(&o->w[r], i, random_f32());
		}
	}
}

/* Every other weight is none; another NaN is one. */
static void thin(struct operands *o)
{
	for (u32 r = 0; r < RONDO_LANES_MAX; r++)
		for (u32 i = 0; i < RONDO_LANES_MAX; i++)
			if (random_bits() % 2)
				weight_set(&o->w[r], i, RONDO_WEIGHT_ABSENT);
	weight_set(&o->w[0], 5, RONDO_WEIGHT_ABSENT - 1);
	weight_set(&o->w[0], 6, RONDO_WEIGHT_ABSENT);
	o->acc[6] = 0x7fa00001;
}

static u32 expect_f32(const struct operands *o, u32 lane, u32 count)
{
	float sum = f32(o->acc[lane]);

	for (u32 r = 0; r < count; r++)
		sum = fmaf(f32(o->x[r]), f32(o->w[r].container[lane]), sum);
	return f32_result(sum);
}

static u32 expect_f32_sparse(const struct operands *o, u32 lane, u32 count)
{
	float sum = f32(o->acc[lane]);

	for (u32 r = 0; r < count; r++) {
		u32 w = o->w[r].container[lane];

		if (w != RONDO_WEIGHT_ABSENT)
			sum = fmaf(f32(o->x[r]), f32(w), sum);
	}
	return f32_result(sum);
}

static u32 expect_bf16(const struct operands *o, u32 lane, u32 count)
{
	float sum = f32(o->acc[lane]);

	for (u32 r = 0; r < count; r++) {
		u32 w = o->w[r].container[lane];

		sum = fmaf(f32(o->x[r] << 16), f32(w << 16), sum);
		sum = fmaf(f32(o->x[r] & 0xffff0000), f32(w & 0xffff0000), sum);
	}
	return f32_result(sum);
}

static u32 expect_bytes(const struct operands *o, u32 lane, u32 count, bool is_signed)
{
	s64 sum = (s32)o->acc[lane];

	for (u32 r = 0; r < count; r++) {
		for (u32 n = 0; n < 4; n++) {
			u8 x = o->x[r] >> 8 * n;

			sum += (is_signed ? (s8)x : x) * o->field[r][lane][n];
		}
	}
	return (u32)sum;
}

static u32 expect_s8(const struct operands *o, u32 lane, u32 count)
{
	return expect_bytes(o, lane, count, true);
}

static u32 expect_u8(const struct operands *o, u32 lane, u32 count)
{
	return expect_bytes(o, lane, count, false);
}

static void check(const char *name, push_fn *push,
		  u32 (*expect)(const struct operands *o, u32 lane, u32 count), bool bytes)
{
	static struct operands o;
	u32 wrong = 0, nans = 0;
	exec_vreg acc;

	for (u32 count = 1; count <= RONDO_LANES_MAX; count++) {
		fill(&o, bytes);
		if (expect == expect_f32_sparse)
			thin(&o);
		memcpy(acc, o.acc, sizeof(acc));
		push(acc, o.x, o.w, count);
		for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
			wrong += acc[i] != expect(&o, i, count);
			nans += !bytes && acc[i] == F32_NAN;
		}
	}
	tap_ok(!wrong, "%s: 64 lanes of 1 to 64 containers", name);
	if (!bytes)
		tap_ok(nans > 0 && nans < 64 * 64, "%s: some are NaN, some are not", name);
}

/* A container seen as fields, and fields seen as a container. */
static void elements(void)
{
	static struct weight_row row;
	const s16 weight[4] = { -255, 255, -1, 1 };

	weight_set(&row, 3, 0xffffffff);
	tap_ok(row.weight[0][3] == -1 && row.weight[2][3] == -1 && row.weight[3][3] == 31,
	       "a container is 32 of the 36 bits");
	weight_set_bytes(&row, 3, weight);
	/* -255 is 0x101, 255 is 0x0ff, -1 is 0x1ff, 1 is 0x001: 9 bits each, lowest first. */
	tap_eq(row.container[3], 0x101u | 0x0ffu << 9 | 0x1ffu << 18 | 0x001u << 27,
	       "four fields as a container");
	tap_ok(row.weight[0][3] == -255 && row.weight[1][3] == 255 && row.weight[3][3] == 1,
	       "and as themselves");
}

int main(void)
{
	const struct push_kernels *kernels;
	u32 index;

	for (index = 0; (kernels = push_kernels(index)); index++) {
		check("f32", kernels->one[PUSH_F32], expect_f32, false);
		check("f32 sparse", kernels->one[PUSH_F32_SPARSE], expect_f32_sparse, false);
		check("bf16", kernels->one[PUSH_BF16], expect_bf16, false);
		check("s8", kernels->one[PUSH_S8], expect_s8, true);
		check("u8", kernels->one[PUSH_U8], expect_u8, true);
	}
	tap_ok(index >= 1, "%u kinds of kernels on this host", index);
	elements();
	return tap_done();
}
