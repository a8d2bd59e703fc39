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

/* A tile's SRAM: its cells before and after a step, each with a border. */
struct heat_tile {
	float u[2][HEAT_SIDE + 2][HEAT_SIDE + 2];
};

/* The registers that cross the mesh, arrays over the tiles: what leaves a block's sides, and what
 * comes from the neighbours. */
enum { NORTH, SOUTH, WEST, EAST, SIDES, V = HEAT_SIDE / WAFER_LANES };

struct heat {
	struct heat_tile *tile;
	row *leaves[SIDES][V], *comes[SIDES][V];
};

/* Cell @k of side @side, @depth cells from the border inwards. */
static float *heat_side(struct heat_tile *tile, int at, int side, int depth, int k)
{
	int far = HEAT_SIDE + 1 - depth;

	switch (side) {
	case NORTH:
		return &tile->u[at][depth][1 + k];
	case SOUTH:
		return &tile->u[at][far][1 + k];
	case WEST:
		return &tile->u[at][1 + k][depth];
	default:
		return &tile->u[at][1 + k][far];
	}
}

static void heat_leave(const struct heat *h, int at)
{
	for (size_t t = 0; t < WAFER_TILES; t++)
		for (int side = 0; side < SIDES; side++)
			for (int k = 0; k < HEAT_SIDE; k++)
				h->leaves[side][k / WAFER_LANES][t][k % WAFER_LANES] =
					*heat_side(&h->tile[t], at, side, 1, k);
}

/* Register @to gets in each tile that of the neighbour @dx or @dy further; zero from beyond. */
static void heat_cross(row *to, const row *from, int dx, int dy)
{
	for (int y = 0; y < WAFER_SIDE; y++) {
		row *d = to + (size_t)y * WAFER_SIDE;

		if (y + dy < 0 || y + dy >= WAFER_SIDE)
			continue;
		memcpy(d + (dx < 0), from + (size_t)(y + dy) * WAFER_SIDE + (dx > 0),
		       (WAFER_SIDE - !!dx) * sizeof(*d));
	}
}

static void heat_step(const float (*restrict u)[HEAT_SIDE + 2],
		      float (*restrict next)[HEAT_SIDE + 2])
{
	for (int y = 1; y <= HEAT_SIDE; y++)
		for (int x = 1; x <= HEAT_SIDE; x++)
			next[y][x] = u[y][x] * 0.5f +
				     ((u[y - 1][x] + u[y + 1][x]) + (u[y][x - 1] + u[y][x + 1])) *
					     0.125f;
}

static void heat_come_and_step(const struct heat *h, int at)
{
	for (size_t t = 0; t < WAFER_TILES; t++) {
		for (int side = 0; side < SIDES; side++)
			for (int k = 0; k < HEAT_SIDE; k++)
				*heat_side(&h->tile[t], at, side, 0, k) =
					h->comes[side][k / WAFER_LANES][t][k % WAFER_LANES];
		heat_step(h->tile[t].u[at], h->tile[t].u[!at]);
	}
}

static void heat_steps(const struct heat *h)
{
	for (int step = 0; step < HEAT_STEPS; step++) {
		heat_leave(h, step % 2);
		for (int i = 0; i < V; i++) {
			heat_cross(h->comes[NORTH][i], h->leaves[SOUTH][i], 0, -1);
			heat_cross(h->comes[SOUTH][i], h->leaves[NORTH][i], 0, 1);
			heat_cross(h->comes[WEST][i], h->leaves[EAST][i], -1, 0);
			heat_cross(h->comes[EAST][i], h->leaves[WEST][i], 1, 0);
		}
		heat_come_and_step(h, step % 2);
	}
}

/* The cells of all blocks, from the slot's grid or to it. */
static void heat_transfer(struct heat_tile *tiles, float *grid, bool in)
{
	for (size_t t = 0; t < WAFER_TILES; t++) {
		float *at = grid + t / WAFER_SIDE * HEAT_SIDE * (WAFER_SIDE * HEAT_SIDE) +
			    t % WAFER_SIDE * HEAT_SIDE;

		for (int y = 0; y < HEAT_SIDE; y++, at += WAFER_SIDE * HEAT_SIDE) {
			float *cells = &tiles[t].u[0][1 + y][1];

			memcpy(in ? cells : at, in ? at : cells, HEAT_SIDE * sizeof(float));
		}
	}
}

double wafer_plain_heat(void *unused)
{
	size_t cells = (size_t)WAFER_TILES * HEAT_SIDE * HEAT_SIDE, i;
	float *grid = new_array(cells, 4);
	struct heat h;
	double seconds;
	row *registers;

	(void)unused;
	for (i = 0; i < cells; i++)
		grid[i] = (float)(i % 1021) / 1021;
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID);
	h.tile = new_array(WAFER_TILES, sizeof(*h.tile));
	registers = new_array((size_t)2 * SIDES * V * WAFER_TILES, sizeof(*registers));
	for (i = 0; i < SIDES * V; i++) {
		h.leaves[i / V][i % V] = registers + 2 * i * WAFER_TILES;
		h.comes[i / V][i % V] = registers + (2 * i + 1) * WAFER_TILES;
	}
	heat_transfer(h.tile, grid, true);
	heat_steps(&h);
	heat_transfer(h.tile, grid, false);
	use(grid);
	free(h.tile);
	free(registers);
	seconds = bench_s(CLOCK_PROCESS_CPUTIME_ID) - seconds;
	free(grid);
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
	size_t pitch = 3 * 16; /* what the program touches of SRAM */
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
