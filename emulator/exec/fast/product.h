/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Pushes as matrix products in blocks of PIXELS pushes and VECTORS vectors of lanes, whose
 * sums stay in registers. Per lane the containers come in ascending order, so that the bits
 * are those of one push after the other. The file of an instruction set includes this after
 * kernels.h and these:
 *
 *	PIXELS, VECTORS
 *	STAYS_IN_REGISTER(v)
 *		keeps the compiler from loading @v again at each use, and from having it twice,
 *		as floats and as integers
 *	vu multiply(enum push_kind kind, vu sum, vu x, vu w)
 *		adds onto @sum the products of a container, @x in every lane, and weights
 *	const s32 *correction(enum push_kind kind, const struct fast_push *push)
 *		what of s8 or u8 is to be added to the lanes of every row beside the products
 *		and the rows' offsets; NULL: nothing
 */
#ifndef RONDO_EMULATOR_FAST_PRODUCT_H
#define RONDO_EMULATOR_FAST_PRODUCT_H

/* What the offsets of the rows add to every lane: the sum of offset times bytes of @x. */
static u32 sum_of_offsets(enum push_kind kind, const struct fast_push *push, const u8 *x)
{
	const s32 *offset = push->weights->offset + push->row;
	u32 sum = 0;

	for (u32 r = 0; r < push->count; r++, x += 4) {
		s32 bytes = kind == PUSH_S8 ? (s8)x[0] + (s8)x[1] + (s8)x[2] + (s8)x[3] :
					 x[0] + x[1] + x[2] + x[3];

		sum += (u32)(offset[r] * bytes);
	}
	return sum;
}

INLINE vu container_of_push(const u8 *x, u32 r)
{
	u32 container;

	memcpy(&container, x + r * 4, sizeof(container));
	return vsplat(container);
}

INLINE vu product_end(enum push_kind kind, vu sum)
{
	return kind == PUSH_F32 || kind == PUSH_BF16 ? vresult((vf)sum) : sum;
}

/* Lanes [i, i + VECTORS * VLANES) of @pixels pushes, a constant. */
INLINE void product_lanes(enum push_kind kind, const struct fast_push *push, u32 i, const u8 *x,
			  u32 *acc, u32 pixels, const s32 *extra, const u32 *offsets)
{
	const u8 *w = push->weights->row[push->row] + i * 4;
	vu sum[PIXELS][VECTORS];
	u32 p, v;

	for (p = 0; p < pixels; p++)
		for (v = 0; v < VECTORS; v++) {
			u32 lane = i + v * VLANES;

			sum[p][v] = vsplat(0);
			if (!push->write)
				sum[p][v] = vload(acc + p * push->acc_step + lane);
			if (extra)
				sum[p][v] += vload(extra + lane);
			if (offsets)
				sum[p][v] += offsets[p];
		}
	for (u32 r = 0; r < push->count; r++, w += FAST_ROW_BYTES) {
		vu weights[VECTORS];

		for (v = 0; v < VECTORS; v++) {
			weights[v] = vload(w + v * FAST_VECTOR_BYTES);
			STAYS_IN_REGISTER(weights[v]);
		}
		for (p = 0; p < pixels; p++) {
			vu element = container_of_push(x + p * push->x_step, r);

			STAYS_IN_REGISTER(element);
			for (v = 0; v < VECTORS; v++) {
				sum[p][v] = multiply(kind, sum[p][v], element, weights[v]);
				if (kind == PUSH_F32 || kind == PUSH_BF16)
					STAYS_IN_REGISTER(sum[p][v]);
			}
		}
	}
	for (p = 0; p < pixels; p++)
		for (v = 0; v < VECTORS; v++)
			vstore(acc + p * push->acc_step + i + v * VLANES,
			       product_end(kind, sum[p][v]));
}

INLINE void product_block(enum push_kind kind, const struct fast_push *push, const u8 *x, u32 *acc,
			  u32 pixels, const s32 *extra)
{
	bool shifted = (kind == PUSH_S8 || kind == PUSH_U8) && push->weights->shifted;
	u32 offsets[PIXELS];

	for (u32 p = 0; shifted && p < pixels; p++)
		offsets[p] = sum_of_offsets(kind, push, x + p * push->x_step);
	for (u32 i = 0; i < RONDO_LANES_MAX; i += VECTORS * VLANES)
		product_lanes(kind, push, i, x, acc, pixels, extra, shifted ? offsets : NULL);
}

/* All of @push, in blocks that are as equal as can be. */
INLINE void product(enum push_kind kind, const struct fast_push *push)
{
	const s32 *extra = kind == PUSH_S8 || kind == PUSH_U8 ? correction(kind, push) : NULL;
	const u8 *x = push->x;
	u32 *acc = push->acc;
	u32 left = push->n, blocks, pixels;

	for (; left; left -= pixels, x += pixels * push->x_step, acc += pixels * push->acc_step) {
		blocks = (left + PIXELS - 1) / PIXELS;
		pixels = (left + blocks - 1) / blocks;
		switch (pixels) {
		case 1:
			product_block(kind, push, x, acc, 1, extra);
			break;
		case 2:
			product_block(kind, push, x, acc, 2, extra);
			break;
		case 3:
			product_block(kind, push, x, acc, 3, extra);
			break;
		case 4:
			product_block(kind, push, x, acc, 4, extra);
			break;
		case 5:
			product_block(kind, push, x, acc, 5, extra);
			break;
		default:
			product_block(kind, push, x, acc, PIXELS, extra);
		}
	}
}
static_assert(PIXELS <= 6, "one case for each number of pixels");

static void product_push_f32(const struct fast_push *push)
{
	product(PUSH_F32, push);
}

static void product_push_bf16(const struct fast_push *push)
{
	product(PUSH_BF16, push);
}

static void product_push_s8(const struct fast_push *push)
{
	product(PUSH_S8, push);
}

static void product_push_u8(const struct fast_push *push)
{
	product(PUSH_U8, push);
}

#define product_preset NULL /* no push */
#define ROW_M(name) [RONDO_OP_##name] = product_##name,
static fast_push_fn *const push_operations[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};

#define VARIANT                                                                        \
	{                                                                              \
		operations, whole_operations, stored_operations, push_operations       \
	}

#endif
