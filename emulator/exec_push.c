// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pushes. The loops over lanes are plain C; on x86-64 they are compiled once more
 * for hosts with FMA, where fmaf() is an instruction instead of a call, and the
 * best is chosen when first asked. fmaf() rounds once everywhere, so that the
 * result is the same.
 */
#include "emulator/exec_push.h"

#include "emulator/exec_f32.h"

static void set_element(struct weight_row *row, u32 lane, u64 element)
{
	row->container[lane] = (u32)element;
	for (u32 n = 0; n < 4; n++) {
		u32 field = element >> 9 * n & 0x1ff;

		row->weight[n][lane] = (s16)((s32)(field ^ 0x100) - 0x100);
	}
}

void weight_set_container(struct weight_row *row, u32 lane, u32 container)
{
	set_element(row, lane, container);
}

void weight_set_bytes(struct weight_row *row, u32 lane, const s16 weight[4])
{
	u64 element = 0;

	for (u32 n = 0; n < 4; n++)
		element |= (u64)(weight[n] & 0x1ff) << 9 * n;
	set_element(row, lane, element);
}

#define KERNEL	     static inline __attribute__((always_inline)) void
#define FOR_LANES(i) for (u32 i = 0; i < RONDO_LANES_MAX; i++)

KERNEL push_f32(u32 *acc, const u32 *x, const struct weight_row *w, u32 count)
{
	float sum[RONDO_LANES_MAX];

	memcpy(sum, acc, sizeof(sum));
	for (u32 r = 0; r < count; r++)
		FOR_LANES(i)
	sum[i] = fmaf(f32(x[r]), f32(w[r].container[i]), sum[i]);
	FOR_LANES(i)
	acc[i] = f32_result(sum[i]);
}

KERNEL push_bf16(u32 *acc, const u32 *x, const struct weight_row *w, u32 count)
{
	float sum[RONDO_LANES_MAX];

	memcpy(sum, acc, sizeof(sum));
	for (u32 r = 0; r < count; r++) {
		FOR_LANES(i)
		sum[i] = fmaf(bf16_lo(x[r]), bf16_lo(w[r].container[i]), sum[i]);
		FOR_LANES(i)
		sum[i] = fmaf(bf16_hi(x[r]), bf16_hi(w[r].container[i]), sum[i]);
	}
	FOR_LANES(i)
	acc[i] = f32_result(sum[i]);
}

KERNEL push_byte(u32 *acc, s32 x, const s16 *weight)
{
	FOR_LANES(i)
	acc[i] += (u32)(x * weight[i]);
}

KERNEL push_s8(u32 *acc, const u32 *x, const struct weight_row *w, u32 count)
{
	for (u32 r = 0; r < count; r++)
		for (u32 n = 0; n < 4; n++)
			push_byte(acc, (s8)(x[r] >> 8 * n), w[r].weight[n]);
}

KERNEL push_u8(u32 *acc, const u32 *x, const struct weight_row *w, u32 count)
{
	for (u32 r = 0; r < count; r++)
		for (u32 n = 0; n < 4; n++)
			push_byte(acc, (u8)(x[r] >> 8 * n), w[r].weight[n]);
}

#define VARIANT(name, isa, attribute)                                                          \
	attribute static void name##_##isa(u32 *acc, const u32 *x, const struct weight_row *w, \
					   u32 count)                                          \
	{                                                                                      \
		name(acc, x, w, count);                                                        \
	}

#define VARIANTS(isa, attribute)                                                           \
	VARIANT(push_f32, isa, attribute)                                                  \
	VARIANT(push_bf16, isa, attribute)                                                 \
	VARIANT(push_s8, isa, attribute)                                                   \
	VARIANT(push_u8, isa, attribute)                                                   \
	static const struct push_kernels kernels_##isa = {push_f32_##isa, push_bf16_##isa, \
							  push_s8_##isa, push_u8_##isa};

VARIANTS(plain, )

#ifdef __x86_64__
VARIANTS(avx2, __attribute__((target("avx2,fma"))))
VARIANTS(avx512, __attribute__((target("avx512f,avx512bw"))))

const struct push_kernels *push_kernels(u32 index)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && !index--)
		return &kernels_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !index--)
		return &kernels_avx2;
	return index ? NULL : &kernels_plain;
}
#else
const struct push_kernels *push_kernels(u32 index)
{
	return index ? NULL : &kernels_plain;
}
#endif
