// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pushes. The loops over lanes are plain C; on x86-64 they are compiled once more
 * for hosts with FMA, where fmaf() is an instruction instead of a call, and the
 * best is chosen when first asked. fmaf() rounds once everywhere, so that the
 * result is the same.
 */
#include "emulator/exec/plain/operations.h"

#include "emulator/exec/plain/f32.h"

void weight_set(struct weight_row *row, u32 lane, u64 element)
{
	row->container[lane] = (u32)element;
	for (u32 n = 0; n < 4; n++) {
		u32 field = element >> 9 * n & 0x1ff;

		row->weight[n][lane] = (s16)((s32)(field ^ 0x100) - 0x100);
	}
}

void weight_set_bytes(struct weight_row *row, u32 lane, const s16 weight[4])
{
	u64 element = 0;

	for (u32 n = 0; n < 4; n++)
		element |= (u64)(weight[n] & 0x1ff) << 9 * n;
	weight_set(row, lane, element);
}

#define KERNEL static inline __attribute__((always_inline)) void
#define FOR_LANES(i) for (u32 i = 0; i < RONDO_LANES_MAX; i++)

/* Container @r for lane @i: one for all lanes, or each lane's own. */
#define X(r, i) (each ? x[(r)*RONDO_LANES_MAX + (i)] : x[r])

KERNEL push_f32(u32 *acc, const u32 *x, const struct weight_row *w, u32 count, bool each)
{
	float sum[RONDO_LANES_MAX];

	memcpy(sum, acc, sizeof(sum));
	for (u32 r = 0; r < count; r++)
		FOR_LANES(i)
			sum[i] = fmaf(f32(X(r, i)), f32(w[r].container[i]), sum[i]);
	FOR_LANES(i)
		acc[i] = f32_result(sum[i]);
}

KERNEL push_f32_sparse(u32 *acc, const u32 *x, const struct weight_row *w, u32 count, bool each)
{
	float sum[RONDO_LANES_MAX];

	memcpy(sum, acc, sizeof(sum));
	for (u32 r = 0; r < count; r++) {
		const u32 *weight = w[r].container;

		FOR_LANES(i) {
			float more = fmaf(f32(X(r, i)), f32(weight[i]), sum[i]);

			sum[i] = weight[i] == RONDO_WEIGHT_ABSENT ? sum[i] : more;
		}
	}
	FOR_LANES(i)
		acc[i] = f32_result(sum[i]);
}

KERNEL push_bf16(u32 *acc, const u32 *x, const struct weight_row *w, u32 count, bool each)
{
	float sum[RONDO_LANES_MAX];

	memcpy(sum, acc, sizeof(sum));
	for (u32 r = 0; r < count; r++) {
		FOR_LANES(i)
			sum[i] = fmaf(bf16_lo(X(r, i)), bf16_lo(w[r].container[i]), sum[i]);
		FOR_LANES(i)
			sum[i] = fmaf(bf16_hi(X(r, i)), bf16_hi(w[r].container[i]), sum[i]);
	}
	FOR_LANES(i)
		acc[i] = f32_result(sum[i]);
}

KERNEL push_s8(u32 *acc, const u32 *x, const struct weight_row *w, u32 count, bool each)
{
	for (u32 r = 0; r < count; r++)
		for (u32 n = 0; n < 4; n++)
			FOR_LANES(i)
				acc[i] += (u32)((s8)(X(r, i) >> 8 * n) * w[r].weight[n][i]);
}

KERNEL push_u8(u32 *acc, const u32 *x, const struct weight_row *w, u32 count, bool each)
{
	for (u32 r = 0; r < count; r++)
		for (u32 n = 0; n < 4; n++)
			FOR_LANES(i)
				acc[i] += (u32)((u8)(X(r, i) >> 8 * n) * w[r].weight[n][i]);
}

#define VARIANT(name, isa, attribute)                                                          \
	attribute static void name##_##isa(u32 *acc, const u32 *x, const struct weight_row *w, \
					   u32 count)                                          \
	{                                                                                      \
		name(acc, x, w, count, false);                                                 \
	}                                                                                      \
	attribute static void name##_each_##isa(u32 *acc, const u32 *x,                        \
						const struct weight_row *w, u32 count)         \
	{                                                                                      \
		name(acc, x, w, count, true);                                                  \
	}

#define VARIANTS(isa, attribute)                                                         \
	VARIANT(push_f32, isa, attribute)                                                \
	VARIANT(push_f32_sparse, isa, attribute)                                         \
	VARIANT(push_bf16, isa, attribute)                                               \
	VARIANT(push_s8, isa, attribute)                                                 \
	VARIANT(push_u8, isa, attribute)                                                 \
	static const struct push_kernels kernels_##isa = {                               \
		{ push_f32_##isa, push_f32_sparse_##isa, push_bf16_##isa, push_s8_##isa, \
		  push_u8_##isa },                                                       \
		{ push_f32_each_##isa, push_f32_sparse_each_##isa, push_bf16_each_##isa, \
		  push_s8_each_##isa, push_u8_each_##isa }                               \
	};

VARIANTS(plain, )

#ifdef __x86_64__
VARIANTS(avx2, __attribute__((target("avx2,fma"))))
VARIANTS(avx512, __attribute__((target("avx512f,avx512bw"))))
#endif

const struct push_kernels *push_kernels(u32 index)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && !index--)
		return &kernels_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !index--)
		return &kernels_avx2;
#endif
	return index ? NULL : &kernels_plain;
}
