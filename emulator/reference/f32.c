// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/reference/f32.h"

#include "spec/special.h"

typedef unsigned __int128 u128;

enum {
	FRACTION_BITS = 23,
	SIGNIFICANT_BITS = 24,
	LAST_BIT_MIN = -149, /* the smallest subnormal is 2^-149 */
	FIELD_MAX = 255,
};

/* A finite f32: m * 2^e, negative or not. */
struct number {
	bool negative;
	u64 m;
	s32 e;
};

static u32 magnitude(u32 a)
{
	return a & ~F32_SIGN;
}

static bool is_inf(u32 a)
{
	return magnitude(a) == F32_INF;
}

static bool is_zero(u32 a)
{
	return !magnitude(a);
}

bool f32_is_nan(u32 a)
{
	return magnitude(a) > F32_INF;
}

static struct number number_of(u32 a)
{
	u32 field = a >> FRACTION_BITS & FIELD_MAX, fraction = a & ((1u << FRACTION_BITS) - 1);

	if (!field)
		return (struct number){ a & F32_SIGN, fraction, LAST_BIT_MIN };
	return (struct number){ a & F32_SIGN, fraction | 1u << FRACTION_BITS,
				(s32)field - 1 + LAST_BIT_MIN };
}

static u32 signed_bits(bool negative, u32 bits)
{
	return negative ? bits | F32_SIGN : bits;
}

static s32 bit_length(u128 m)
{
	s32 length = 0;

	for (; m >> 16; m >>= 16)
		length += 16;
	for (; m; m >>= 1)
		length++;
	return length;
}

/*
 * m * 2^e, or if @more something between that and (m + 1) * 2^e, rounded to nearest even. With
 * @more, m has at least two bits more than are kept.
 */
static u32 rounded(bool negative, u128 m, s32 e, bool more)
{
	s32 last = bit_length(m) + e - SIGNIFICANT_BITS; /* exponent of the last bit kept */
	s32 field;
	u128 kept, rest, half;

	if (last < LAST_BIT_MIN)
		last = LAST_BIT_MIN;
	if (last <= e) {
		kept = m << (e - last);
	} else if (last - e > 127) {
		kept = 0; /* far below half of the smallest subnormal */
	} else {
		kept = m >> (last - e);
		rest = m - (kept << (last - e));
		half = (u128)1 << (last - e - 1);
		if (rest > half || (rest == half && (more || kept & 1)))
			kept++;
	}
	if (kept >> SIGNIFICANT_BITS) { /* rounded up to the next power of two */
		kept >>= 1;
		last++;
	}
	if (!(kept >> FRACTION_BITS))
		return signed_bits(negative, (u32)kept); /* subnormal or zero */
	field = last - LAST_BIT_MIN + 1;
	if (field >= FIELD_MAX)
		return signed_bits(negative, F32_INF);
	return signed_bits(negative,
			   (u32)field << FRACTION_BITS | ((u32)kept & ((1u << FRACTION_BITS) - 1)));
}

/*
 * Sum of p, of at most 48 bits, and c, of at most 24, neither zero. Where one is so much
 * smaller that they do not fit into 128 bits together, it is less than 2^-24 of the other's
 * last bit: any value as small on the same side rounds alike, and one unit stands for it.
 */
static u32 sum(struct number p, struct number c)
{
	enum { APART = 72 };
	u128 a, b;
	s32 e;

	if (p.e - c.e > APART)
		c = (struct number){ c.negative, 1, p.e - APART };
	if (c.e - p.e > APART)
		p = (struct number){ p.negative, 1, c.e - APART };
	e = p.e < c.e ? p.e : c.e;
	a = (u128)p.m << (p.e - e);
	b = (u128)c.m << (c.e - e);
	if (p.negative == c.negative)
		return rounded(p.negative, a + b, e, false);
	if (a == b)
		return 0;
	return a > b ? rounded(p.negative, a - b, e, false) : rounded(c.negative, b - a, e, false);
}

u32 f32_fma(u32 a, u32 b, u32 c)
{
	struct number x, y, p;
	bool negative = (a ^ b) & F32_SIGN;

	if (f32_is_nan(a) || f32_is_nan(b) || f32_is_nan(c))
		return F32_QUIET;
	if (is_inf(a) || is_inf(b)) {
		u32 product = signed_bits(negative, F32_INF);

		if (is_zero(a) || is_zero(b) || (is_inf(c) && c != product))
			return F32_QUIET;
		return product;
	}
	if (is_inf(c))
		return c;
	if (is_zero(a) || is_zero(b)) {
		if (!is_zero(c))
			return c;
		return negative == !!(c & F32_SIGN) ? c : 0;
	}
	x = number_of(a);
	y = number_of(b);
	p = (struct number){ negative, x.m * y.m, x.e + y.e };
	if (is_zero(c))
		return rounded(p.negative, p.m, p.e, false);
	return sum(p, number_of(c));
}

u32 f32_add(u32 a, u32 b)
{
	return f32_fma(a, F32_ONE, b);
}

u32 f32_sub(u32 a, u32 b)
{
	return f32_fma(a, F32_ONE, b ^ F32_SIGN);
}

/* Adding a zero of the product's sign changes no product. */
u32 f32_mul(u32 a, u32 b)
{
	return f32_fma(a, b, (a ^ b) & F32_SIGN);
}

/* Shifts m up so that it has @bits bits. */
static struct number normalised(struct number x, s32 bits)
{
	s32 shift = bits - bit_length(x.m);

	return (struct number){ x.negative, x.m << shift, x.e - shift };
}

u32 f32_div(u32 a, u32 b)
{
	bool negative = (a ^ b) & F32_SIGN;
	struct number x, y;
	u128 dividend;

	if (f32_is_nan(a) || f32_is_nan(b) || (is_inf(a) && is_inf(b)) ||
	    (is_zero(a) && is_zero(b)))
		return F32_QUIET;
	if (is_inf(a) || is_zero(b))
		return signed_bits(negative, F32_INF);
	if (is_zero(a) || is_inf(b))
		return signed_bits(negative, 0);
	x = normalised(number_of(a), SIGNIFICANT_BITS);
	y = normalised(number_of(b), SIGNIFICANT_BITS);
	dividend = (u128)x.m << 64;
	return rounded(negative, dividend / y.m, x.e - y.e - 64, dividend % y.m);
}

/* The largest integer whose square is at most m < 2^126. */
static u128 integer_root(u128 m)
{
	u128 root = 0, bit;

	for (bit = (u128)1 << 62; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= m)
			root |= bit;
	return root;
}

u32 f32_sqrt(u32 a)
{
	struct number x;
	u128 m, root;

	if (is_zero(a))
		return a;
	if (f32_is_nan(a) || a & F32_SIGN)
		return F32_QUIET;
	if (is_inf(a))
		return a;
	x = normalised(number_of(a), SIGNIFICANT_BITS);
	m = (u128)x.m << 80;
	x.e -= 80;
	if (x.e % 2) {
		m <<= 1;
		x.e--;
	}
	root = integer_root(m);
	return rounded(false, root, x.e / 2, root * root != m);
}

/* The integer that |a|, below 2^64, is rounded to. */
static u64 integer_of(struct number x, enum f32_direction direction)
{
	u64 kept, rest, half;

	if (x.e >= 0)
		return x.m << x.e;
	if (-x.e > SIGNIFICANT_BITS) { /* below one half */
		kept = 0;
		rest = x.m ? 1 : 0;
		half = 2;
	} else {
		kept = x.m >> -x.e;
		rest = x.m - (kept << -x.e);
		half = 1ull << (-x.e - 1);
	}
	switch (direction) {
	case F32_NEAREST:
		return kept + (rest > half || (rest == half && kept & 1));
	case F32_DOWN:
		return kept + (rest && x.negative);
	default:
		return kept;
	}
}

u32 f32_integer(u32 a, enum f32_direction direction)
{
	struct number x = number_of(a);

	if (f32_is_nan(a))
		return F32_QUIET;
	if (is_inf(a) || x.e >= 0)
		return a;
	return rounded(x.negative, integer_of(x, direction), 0, false);
}

u32 f32_of_s32(s32 a)
{
	return rounded(a < 0, a < 0 ? -(s64)a : a, 0, false);
}

s32 f32_to_s32(u32 a)
{
	struct number x = number_of(a);
	u64 value;

	if (f32_is_nan(a))
		return 0;
	/* From 2^31 on, infinity included. */
	if (magnitude(a) >= 0x4f000000)
		return x.negative ? INT32_MIN : INT32_MAX;
	value = integer_of(x, F32_NEAREST);
	return x.negative ? (s32) - (s64)value : (s32)value;
}

u32 f32_to_bf16(u32 a)
{
	u32 kept = a >> 16, rest = a & 0xffff;

	if (f32_is_nan(a))
		return F32_QUIET >> 16;
	/* A fraction of all ones carries into the exponent, and the largest into infinity. */
	return kept + (rest > 0x8000 || (rest == 0x8000 && kept & 1));
}

u32 f32_power_of_two(s32 n)
{
	return rounded(false, 1, n, false);
}

/* The order of the numbers as the order of integers; both zeros are 0. */
static s64 rank(u32 a)
{
	return a & F32_SIGN ? -(s64)magnitude(a) : (s64)magnitude(a);
}

bool f32_less(u32 a, u32 b)
{
	return !f32_is_nan(a) && !f32_is_nan(b) && rank(a) < rank(b);
}

bool f32_equal(u32 a, u32 b)
{
	return !f32_is_nan(a) && !f32_is_nan(b) && rank(a) == rank(b);
}

u32 f32_min(u32 a, u32 b)
{
	return f32_less(a, b) ? a : b;
}

u32 f32_max(u32 a, u32 b)
{
	return f32_less(b, a) ? a : b;
}

/* Horner's rule over coefficients, lowest power first. */
static u32 polynomial(const u32 *coefficient, u32 count, u32 x)
{
	u32 p = coefficient[--count];

	while (count--)
		p = f32_fma(p, x, coefficient[count]);
	return p;
}

u32 f32_exp2(u32 a)
{
	static const u32 c[] = { RONDO_EXP2_COEFFICIENTS };
	u32 n, f, p;
	s32 whole, half;

	if (f32_is_nan(a))
		return F32_QUIET;
	if (!f32_less(a, f32_of_s32(128)))
		return F32_INF;
	if (f32_less(a, f32_of_s32(-150)))
		return 0;
	n = f32_integer(a, F32_NEAREST);
	f = f32_sub(a, n);
	p = polynomial(c, sizeof(c) / sizeof(*c), f);
	p = f32_fma(p, f, F32_ONE);
	whole = f32_to_s32(n);
	half = (whole - (whole & 1)) / 2;
	p = f32_mul(p, f32_power_of_two(half));
	return f32_mul(p, f32_power_of_two(whole - half));
}

u32 f32_log2(u32 a)
{
	static const u32 c[] = { RONDO_LOG2_COEFFICIENTS };
	s32 e = 0, d;
	u32 t;

	if (f32_is_nan(a))
		return F32_QUIET;
	if (is_zero(a))
		return F32_INF | F32_SIGN;
	if (a & F32_SIGN)
		return F32_QUIET;
	if (is_inf(a))
		return F32_INF;
	if (!(a >> FRACTION_BITS)) {
		a = f32_mul(a, f32_power_of_two(24));
		e = -24;
	}
	d = (s32)(a - RONDO_SQRT_HALF);
	e += (s32)((d - (s32)((u32)d & 0x7fffff)) / (1 << FRACTION_BITS));
	t = f32_sub(((u32)d & 0x7fffff) + RONDO_SQRT_HALF, F32_ONE);
	return f32_fma(t, polynomial(c, sizeof(c) / sizeof(*c), t), f32_of_s32(e));
}
