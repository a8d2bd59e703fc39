// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/mesh_examples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/program_run.h"
#include "tools/asm/asm.h"

const char *const mesh_example_names[MESH_EXAMPLES] = { "heat", "matvec", "allreduce" };

/* As the programs say. */
enum { HEAT_SIDE = 16, HEAT_STEPS = 40, ROWS = 64, COLUMNS = 112, VALUES = 64 };

/* Slots of which one is computed where it is read. */
struct data {
	struct rondo_machine machine;
	bool matrix; /* slot 0 is element() */
	u8 *slot[RONDO_PROGRAM_SLOTS_MAX];
	u64 size[RONDO_PROGRAM_SLOTS_MAX];
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Small integers, so that every order of adding up their products is exact in f32. */
static inline s32 element(u32 i, u32 j)
{
	return (s32)((i * 5 + j * 3 + ((i ^ j) >> 3)) & 15) - 8;
}

static inline s32 factor(u32 j)
{
	return (s32)(j * 7 % 15) - 7;
}

static float random_value(u64 at)
{
	u32 x = (u32)(at * 2654435761u) ^ (u32)(at >> 7);

	x = (x ^ x >> 15) * 2246822519u;
	return (float)((s32)(x >> 8) - (1 << 23)) * 0x1p-23f;
}

static u64 side(const struct data *d)
{
	return (u64)d->machine.mesh_h * ROWS;
}

void mesh_example_matrix(float *to, u64 first, u64 count, u64 rows)
{
	u32 i = (u32)(first % rows), j = (u32)(first / rows);

	for (u64 n = 0; n < count; n++, i++) {
		if (i == rows)
			i = 0, j++;
		to[n] = (float)element(i, j);
	}
}

static bool read_slot(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	const struct data *d = ctx;

	if (slot == 0 && d->matrix) {
		mesh_example_matrix(to, offset / 4, size / 4, side(d));
		return true;
	}
	if (offset > d->size[slot] || size > d->size[slot] - offset)
		return false;
	memcpy(to, d->slot[slot] + offset, size);
	return true;
}

static bool write_slot(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	const struct data *d = ctx;

	if (offset > d->size[slot] || size > d->size[slot] - offset)
		return false;
	memcpy(d->slot[slot] + offset, from, size);
	return true;
}

static float *new_slot(struct data *d, u32 slot, u64 numbers)
{
	d->size[slot] = numbers * 4;
	d->slot[slot] = calloc(numbers, 4);
	return (float *)d->slot[slot];
}

static bool fail(struct mesh_example_run *run, const char *what)
{
	snprintf(run->why, sizeof(run->why), "%s", what);
	return false;
}

/* The source, for @machine instead of the wafer. */
static char *read_source(const char *name, const char *machine)
{
	char path[64], line[256], *text = NULL;
	size_t size = 0;
	FILE *in, *out;

	snprintf(path, sizeof(path), "examples/mesh/%s.rasm", name);
	in = fopen(path, "r");
	if (!in)
		return NULL;
	out = open_memstream(&text, &size);
	while (fgets(line, sizeof(line), in))
		if (!strcmp(line, "machine wafer\n"))
			fprintf(out, "machine %s\n", machine);
		else
			fputs(line, out);
	fclose(out);
	fclose(in);
	return text;
}

static bool run_verified(const struct rondo_machine *machine, const void *bytes, u64 size,
			 const struct exec_io *io, bool checks, struct mesh_example_run *run)
{
	const struct exec_control control = { .bound = RONDO_CYCLES_MAX, .checks = checks };
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	struct exec *e = exec_create(executor_for(machine, EXECUTOR_BEST), machine);
	const struct rondo_verdict *verdict =
		rondo_verify_run(v, machine, bytes, size, 0, NULL, NULL);
	struct exec_result result = { .reason = "no executor" };
	bool good = false;

	if (verdict->code) {
		rondo_verdict_text(verdict, result.reason, sizeof(result.reason));
	} else if (e) {
		good = run_once(e, bytes, size, rondo_verify_facts(v), io, &control, &result) &&
		       result.status == EXEC_DONE && result.cycles == rondo_verify_facts(v)->cycles;
		run->cycles = result.cycles;
	}
	if (!good)
		fail(run, result.reason);
	exec_destroy(e);
	free(v);
	return good;
}

static bool run_literally(const struct rondo_machine *machine, const void *bytes, u64 size,
			  const struct exec_io *io, struct mesh_example_run *run)
{
	return run_verified(machine, bytes, size, io, true, run);
}

static bool run_in_groups(const struct rondo_machine *machine, const void *bytes, u64 size,
			  const struct exec_io *io, struct mesh_example_run *run)
{
	return run_verified(machine, bytes, size, io, false, run);
}

/* One step on a grid of @n rows of @w cells with a border of zeros around it. */
static void heat_step(const float *u, float *next, u64 w, u64 n)
{
	/* Powers of two: their products are exact, as those of the program's fma are. */
	const float c = 0.5f, k = 0.125f;
	u64 pitch = w + 2, x, y;

	for (y = 1; y <= n; y++)
		for (x = 1; x <= w; x++) {
			const float *p = u + y * pitch + x;

			next[y * pitch + x] =
				p[0] * c + ((p[-(s64)pitch] + p[pitch]) + (p[-1] + p[1])) * k;
		}
}

/* Heat in plain C from what random_value() fills the grid with. */
static float *heat_result(u64 w, u64 n)
{
	float *u = calloc((w + 2) * (n + 2), 4), *next = calloc((w + 2) * (n + 2), 4), *swap;
	u64 x, y, step;

	for (y = 0; y < n; y++)
		for (x = 0; x < w; x++)
			u[(y + 1) * (w + 2) + x + 1] = random_value(y * w + x);
	for (step = 0; step < HEAT_STEPS; step++) {
		heat_step(u, next, w, n);
		swap = u;
		u = next;
		next = swap;
	}
	free(next);
	return u;
}

static void heat_data(struct data *d)
{
	u64 w = (u64)d->machine.mesh_w * HEAT_SIDE, n = (u64)d->machine.mesh_h * HEAT_SIDE, i;
	float *u = new_slot(d, 0, w * n), *k = new_slot(d, 1, 2);

	for (i = 0; i < w * n; i++)
		u[i] = random_value(i);
	k[0] = 0.5f;
	k[1] = 0.125f;
}

static void heat_compare(const struct data *d, struct mesh_example_run *run)
{
	u64 w = (u64)d->machine.mesh_w * HEAT_SIDE, n = (u64)d->machine.mesh_h * HEAT_SIDE, x, y;
	const float *u = (const float *)d->slot[0];
	float *right = heat_result(w, n);

	for (y = 0; y < n; y++)
		for (x = 0; x < w; x++)
			run->wrong += u[y * w + x] != right[(y + 1) * (w + 2) + x + 1];
	run->numbers = w * n;
	free(right);
}

static void matvec_data(struct data *d)
{
	u32 columns = (u32)d->machine.mesh_w * COLUMNS, j;
	float *x = new_slot(d, 1, columns);

	d->matrix = true;
	new_slot(d, 2, side(d));
	for (j = 0; j < columns; j++)
		x[j] = (float)factor(j);
}

static void matvec_compare(const struct data *d, struct mesh_example_run *run)
{
	u32 columns = (u32)d->machine.mesh_w * COLUMNS, rows = (u32)side(d), i, j;
	const float *y = (const float *)d->slot[2];
	s32 *right = calloc(rows, sizeof(*right));

	for (j = 0; j < columns; j++)
		for (i = 0; i < rows; i++)
			right[i] += element(i, j) * factor(j);
	for (i = 0; i < rows; i++)
		run->wrong += y[i] != (float)right[i];
	run->numbers = rows;
	free(right);
}

static void allreduce_data(struct data *d)
{
	u64 count = (u64)d->machine.mesh_w * d->machine.mesh_h * VALUES, i;
	float *x = new_slot(d, 0, count);

	new_slot(d, 1, 2 * count);
	for (i = 0; i < count; i++)
		x[i] = random_value(i);
}

static float greater(float a, float b)
{
	return a > b ? a : b;
}

static void allreduce_compare(const struct data *d, struct mesh_example_run *run)
{
	const float *in = (const float *)d->slot[0], *out = (const float *)d->slot[1];
	u32 w = d->machine.mesh_w, h = d->machine.mesh_h, x, y, i;
	float right[2 * VALUES] = { 0 };

	for (i = 0; i < VALUES; i++) {
		for (y = 0; y < h; y++) {
			const float *row = in + (u64)y * w * VALUES + i;
			float sum = row[0], most = row[0];

			for (x = 1; x < w; x++) {
				sum += row[x * VALUES];
				most = greater(most, row[x * VALUES]);
			}
			right[i] = y ? right[i] + sum : sum;
			right[VALUES + i] = y ? greater(right[VALUES + i], most) : most;
		}
	}
	run->numbers = (u64)w * h * 2 * VALUES;
	for (u64 at = 0; at < run->numbers; at++)
		run->wrong += out[at] != right[at % (2 * VALUES)];
}

bool mesh_example_by(enum mesh_example example, enum rondo_machine_id machine, mesh_runner runner,
		     struct mesh_example_run *run)
{
	static void (*const fill[])(struct data *) = { heat_data, matvec_data, allreduce_data };
	static void (*const compare[])(const struct data *,
				       struct mesh_example_run *) = { heat_compare, matvec_compare,
								      allreduce_compare };
	char *text = read_source(mesh_example_names[example], rondo_machine_name(machine));
	struct asm_errors errors;
	struct data d = { 0 };
	const struct exec_io io = { read_slot, write_slot, &d };
	void *bytes = NULL;
	double begin;
	u64 size = 0;
	bool good;

	*run = (struct mesh_example_run){ 0 };
	if (!text || asm_assemble(text, &bytes, &size, &errors)) {
		free(text);
		return fail(run, text ? "it does not assemble" : "its source is not there");
	}
	rondo_machine_init(&d.machine, machine);
	fill[example](&d);
	begin = now_s();
	good = runner(&d.machine, bytes, size, &io, run);
	run->seconds = now_s() - begin;
	if (good)
		compare[example](&d, run);
	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(d.slot[i]);
	free(bytes);
	free(text);
	return good;
}

bool mesh_example(enum mesh_example example, enum rondo_machine_id machine, bool checks,
		  struct mesh_example_run *run)
{
	return mesh_example_by(example, machine, checks ? run_literally : run_in_groups, run);
}
