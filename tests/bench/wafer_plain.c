// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/bench/wafer_plain.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/paired.h"
#include "tests/mesh_examples.h"

/* As the programs say. */
enum { HEAT_SIDE = 16, HEAT_STEPS = 40, ROWS = 64, COLUMNS = 112, VALUES = 64 };

typedef float row[WAFER_LANES];

static void *new_array(size_t count, size_t size)
{
	void *array = calloc(count, size);

	if (!array) {
		fprintf(stderr, "no memory for %zu MiB\n", count * size >> 20);
		exit(EXIT_FAILURE);
	}
	return array;
}

/* The compiler may not leave out what @array is computed by. */
static void use(const void *array)
{
	__asm__ volatile("" : : "r"(array) : "memory");
}

static void heat_step(const float *restrict u, float *restrict next, size_t n, ptrdiff_t pitch)
{
	for (size_t y = 1; y <= n; y++)
		for (size_t x = 1; x <= n; x++) {
			const float *p = u + y * pitch + x;

			next[y * pitch + x] =
				p[0] * 0.5f + ((p[-pitch] + p[pitch]) + (p[-1] + p[1])) * 0.125f;
		}
}

double wafer_plain_heat(void *unused)
{
	size_t n = WAFER_SIDE * HEAT_SIDE, pitch = n + 2, y;
	float *slot = new_array(n * n, 4), *u, *next, *swap;
	double seconds;

	(void)unused;
	for (y = 0; y < n * n; y++)
		slot[y] = (float)(y % 1021) / 1021;
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	u = new_array(pitch * pitch, 4);
	next = new_array(pitch * pitch, 4);
	for (y = 0; y < n; y++)
		memcpy(u + (y + 1) * pitch + 1, slot + y * n, n * 4);
	for (int step = 0; step < HEAT_STEPS; step++) {
		heat_step(u, next, n, pitch);
		swap = u;
		u = next;
		next = swap;
	}
	for (y = 0; y < n; y++)
		memcpy(slot + y * n, u + (y + 1) * pitch + 1, n * 4);
	use(slot);
	free(u);
	free(next);
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
	free(slot);
	return seconds;
}

double wafer_plain_matvec(void *unused)
{
	size_t rows = WAFER_SIDE * ROWS, columns = WAFER_SIDE * COLUMNS, i, j;
	double seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	float *a = new_array(rows * columns, 4), *y = new_array(rows, 4);

	(void)unused;
	mesh_example_matrix(a, 0, rows * columns, rows);
	for (j = 0; j < columns; j++) {
		float x = (float)(j * 7 % 15) - 7;

		for (i = 0; i < rows; i++)
			y[i] += a[j * rows + i] * x;
	}
	use(y);
	free(y);
	free(a);
	return bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
}

static float greater(float a, float b)
{
	return a > b ? a : b;
}

/* What a register holds in all tiles along a line becomes its sum or maximum, in all of them. */
static void reduce(const row *from, row *to, size_t step, bool max)
{
	row all = { 0 };
	size_t t, i;

	memcpy(all, from[0], sizeof(all));
	for (t = 1; t < WAFER_SIDE; t++)
		for (i = 0; i < WAFER_LANES; i++)
			all[i] = max ? greater(all[i], from[t * step][i]) :
				       all[i] + from[t * step][i];
	for (t = 0; t < WAFER_SIDE; t++)
		memcpy(to[t * step], all, sizeof(all));
}

/* Register by register, as the program does it: first along rows, then along columns. */
static void reduce_register(const row *value, row *line, row *result, bool max)
{
	for (size_t i = 0; i < WAFER_SIDE; i++)
		reduce(value + i * WAFER_SIDE, line + i * WAFER_SIDE, 1, max);
	for (size_t i = 0; i < WAFER_SIDE; i++)
		reduce(line + i, result + i, WAFER_SIDE, max);
}

double wafer_plain_allreduce(void *unused)
{
	enum { V = VALUES / WAFER_LANES };
	float *in = new_array((size_t)WAFER_TILES * VALUES, 4);
	float *out = new_array((size_t)WAFER_TILES * VALUES * 2, 4);
	double seconds;
	row *v, *at;
	size_t t, i;

	(void)unused;
	for (i = 0; i < (size_t)WAFER_TILES * VALUES; i++)
		in[i] = (float)(i % 1021);
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	v = new_array((size_t)5 * V * WAFER_TILES, sizeof(*v));
	for (i = 0; i < V; i++)
		for (t = 0; t < WAFER_TILES; t++)
			memcpy(v[i * WAFER_TILES + t], in + t * VALUES + i * WAFER_LANES,
			       sizeof(row));
	for (i = 0; i < 2 * V; i++) {
		at = v + (V + i) * WAFER_TILES;
		reduce_register(v + i % V * WAFER_TILES, at, at + 2 * (size_t)V * WAFER_TILES,
				i >= V);
	}
	for (i = 0; i < 2 * V; i++)
		for (t = 0; t < WAFER_TILES; t++)
			memcpy(out + t * 2 * VALUES + i * WAFER_LANES,
			       v[(3 * V + i) * WAFER_TILES + t], sizeof(row));
	use(out);
	free(v);
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
	free(in);
	free(out);
	return seconds;
}

static void plain_bundle(row *restrict product, row *restrict sum, row *restrict x, row *restrict y,
			 const row *v, float *restrict sram, size_t pitch)
{
	size_t t, i;

	for (t = 0; t < WAFER_TILES; t++) {
		const float *at = sram + t * pitch;

		for (i = 0; i < WAFER_LANES; i++) {
			x[t][i] = at[i];
			y[t][i] = at[16 + i];
		}
	}
	for (t = 0; t < WAFER_TILES; t++) {
		for (i = 0; i < WAFER_LANES; i++) {
			product[t][i] = v[t][i] * v[WAFER_TILES + t][i];
			sum[t][i] = v[2 * WAFER_TILES + t][i] + v[3 * WAFER_TILES + t][i];
		}
	}
	for (t = 0; t < WAFER_TILES; t++)
		for (i = 0; i < WAFER_LANES; i++)
			sram[t * pitch + 32 + i] = v[4 * WAFER_TILES + t][i];
}

double wafer_plain_bundles(u64 count)
{
	size_t pitch = (32768 + 64) / 4;
	double seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	float *sram = new_array(WAFER_TILES * pitch, 4);
	row *v = new_array((size_t)5 * WAFER_TILES, sizeof(*v));
	row *out = new_array((size_t)4 * WAFER_TILES, sizeof(*v));

	while (count--) {
		plain_bundle(out, out + WAFER_TILES, out + 2 * WAFER_TILES,
			     out + (size_t)3 * WAFER_TILES, v, sram, pitch);
		use(out);
	}
	free(sram);
	free(v);
	free(out);
	return bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
}
