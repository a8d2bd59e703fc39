// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Compiled code on the RV32 core: SHA-256 (FIPS 180-4) of "abc" against the
 * digest that the standard's example gives, and 64-bit division by libgcc.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define REPORT ((volatile u32 *)0x40000000) /* as in tests/rv32/check.h */

static const u32 k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static u32 rotate(u32 x, u32 n)
{
	return x >> n | x << (32 - n);
}

static void sha256_block(u32 h[8], const u32 block[16])
{
	u32 w[64], v[8];

	for (int t = 0; t < 64; t++) {
		if (t < 16)
			w[t] = block[t];
		else
			w[t] = (rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10) +
			       w[t - 7] +
			       (rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3) +
			       w[t - 16];
	}
	for (int i = 0; i < 8; i++)
		v[i] = h[i];
	for (int t = 0; t < 64; t++) {
		u32 t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			 ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[t] + w[t];
		u32 t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			 ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		for (int i = 7; i > 0; i--)
			v[i] = v[i - 1];
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

/* The line of the first check that fails, or 0. */
static u32 test(void)
{
	static const u32 want[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
				     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad };
	u32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	u32 block[16] = { 0x61626380, [15] = 24 };
	volatile u64 dividend = 0xfedcba9876543210, divisor = 0x123456789;

	sha256_block(h, block);
	for (int i = 0; i < 8; i++)
		if (h[i] != want[i])
			return __LINE__;
	if (dividend / divisor != 0xe0000000 || dividend % divisor != 0x96543210)
		return __LINE__;
	return 0;
}

__attribute__((used)) static void run(void)
{
	REPORT[0] = test();
	REPORT[1] = 1;
	for (;;)
		;
}

/* The stack is TCM's upper end. */
__asm__(".globl _start\n_start: li sp, 0x10010000\n j run\n");
