// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The example programs: accepted, no trap, exactly the promised cycles, and the
 * result that a plain loop in C computes; and the same bytes and cycles from every variant of
 * the fast executor.
 */
#include "tests/program_run.h"
#include "tests/random.h"
#include "tests/read_file.h"
#include "tests/unit/exec_rig.h"

#include <math.h>

static char *read_text(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/programs/%s.rasm", name);
	return read_file(path);
}

/* Assembles the program, and checks that its disassembly assembles to the same bytes. */
static void begin(struct rig *r, const char *name)
{
	char *text = read_text(name), *again = NULL;
	struct asm_errors errors;
	size_t length = 0;
	void *bytes = NULL;
	u64 size = 0;
	FILE *out;

	if (!tap_ok(text, "%s: source is there", name))
		exit(EXIT_FAILURE);
	rig_init(r, text);
	free(text);
	if (!r->program)
		exit(EXIT_FAILURE);
	out = open_memstream(&again, &length);
	asm_disassemble(out, r->bytes, r->size);
	fclose(out);
	if (asm_assemble(again, &bytes, &size, &errors))
		asm_print_errors(stdout, "# again", &errors);
	tap_ok(size == r->size && !memcmp(bytes, r->bytes, size),
	       "%s: disassembles and assembles to the same bytes", name);
	free(bytes);
	free(again);
}

/* The same buffers with the same bytes; freed by free_slots(). */
static void copy_slots(struct rig *to, const struct rig *from)
{
	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		to->slot[i] = NULL;
		to->slot_bytes[i] = from->slot_bytes[i];
		if (!from->slot[i])
			continue;
		to->slot[i] = malloc(from->slot_bytes[i]);
		memcpy(to->slot[i], from->slot[i], from->slot_bytes[i]);
	}
}

static void free_slots(struct rig *r)
{
	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(r->slot[i]);
}

/* The slots in which the two differ. */
static u32 slots_differ(const struct rig *a, const struct rig *b)
{
	u32 wrong = 0;

	for (u32 i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		wrong += a->slot[i] && memcmp(a->slot[i], b->slot[i], a->slot_bytes[i]) != 0;
	return wrong;
}

/* Runs the program in @x on the slots of @before; they must end as those of @r did. */
static void run_again(struct rig *r, const struct rig *before, const struct executor *x,
		      const char *name)
{
	struct rig fast = { .control = { .bound = r->cycles } };
	struct exec_io io = { rig_read, rig_write, &fast };
	struct exec *e = exec_create(x, &r->machine);
	struct rondo_facts facts;

	copy_slots(&fast, before);
	if (!e || !rig_verify(r, &facts))
		exit(EXIT_FAILURE);
	run_once(e, r->bytes, r->size, &facts, &io, &fast.control, &fast.result);
	if (!tap_ok(fast.result.status == EXEC_DONE && fast.result.cycles == r->cycles &&
			    !slots_differ(r, &fast) && r->read == fast.read &&
			    r->written == fast.written,
		    "%s: %s gives the same bytes in the same cycles", name, x->name))
		printf("# %s; %llu cycles, %u slots differ\n", fast.result.reason,
		       (unsigned long long)fast.result.cycles, slots_differ(r, &fast));
	exec_destroy(e);
	free_slots(&fast);
}

static void end(struct rig *r, const char *name)
{
	const struct executor *x;
	struct rig before;

	copy_slots(&before, r);
	tap_ok(rig_run(r) == EXEC_DONE, "%s: runs without a trap", name);
	tap_ok(r->result.cycles == r->cycles, "%s: takes the promised cycles", name);
	printf("# %s: %llu cycles\n", name, (unsigned long long)r->result.cycles);
	for (int i = 0; (x = executor_for(&r->machine, i)); i++)
		run_again(r, &before, x, name);
	free_slots(&before);
}

/* A small exact integer or fraction in [-8, 8). */
static float small(u64 *state)
{
	return ((s32)random_below(state, 256) - 128) / 16.0f;
}

static void vector_add(void)
{
	struct rig r;
	float *a, *b, *c;
	u64 state = random_seed(1);
	u32 wrong = 0;

	begin(&r, "vector_add");
	a = rig_slot(&r, 0, 4096);
	b = rig_slot(&r, 1, 4096);
	c = rig_slot(&r, 2, 4096);
	for (u32 i = 0; i < 1024; i++) {
		a[i] = small(&state);
		b[i] = small(&state) / 3;
	}
	end(&r, "vector_add");
	for (u32 i = 0; i < 1024; i++)
		wrong += c[i] != a[i] + b[i];
	tap_eq(wrong, 0, "vector_add: c = a + b");
	rig_fini(&r);
}

/* Values in [-8, 8) that round now and then. */
static void fill(float *x, u32 count, u64 seed)
{
	u64 state = random_seed(seed);

	while (count--)
		*x++ = small(&state) / 3;
}

static void fill_bytes(u8 *x, u32 count, u64 seed)
{
	u64 state = random_seed(seed);

	random_bytes(&state, x, count);
}

static void matmul(void)
{
	float *a, *b, *c;
	u32 wrong = 0;
	struct rig r;

	begin(&r, "matmul");
	a = rig_slot(&r, 0, 16 * 128 * 4);
	b = rig_slot(&r, 1, 128 * 64 * 4);
	c = rig_slot(&r, 2, 16 * 64 * 4);
	fill(a, 16 * 128, 2);
	fill(b, 128 * 64, 3);
	end(&r, "matmul");
	for (u32 i = 0; i < 16; i++) {
		for (u32 j = 0; j < 64; j++) {
			float sum = 0;

			for (u32 k = 0; k < 128; k++)
				sum = fmaf(a[i * 128 + k], b[k * 64 + j], sum);
			wrong += c[i * 64 + j] != sum;
		}
	}
	tap_eq(wrong, 0, "matmul: c = a x b");
	rig_fini(&r);
}

static float conv_at(const float *x, const float *w, u32 oy, u32 ox, u32 o)
{
	const float *bias = w + 36 * 64;
	float sum = 0;
	u32 tap = 0;

	for (u32 ky = 0; ky < 3; ky++)
		for (u32 kx = 0; kx < 3; kx++)
			for (u32 c = 0; c < 4; c++, tap++)
				sum = fmaf(x[((oy + ky) * 16 + ox + kx) * 4 + c], w[tap * 64 + o],
					   sum);
	sum += bias[o];
	return sum > 0 ? sum : 0;
}

static void conv(void)
{
	float *x, *w, *y;
	u32 wrong = 0;
	struct rig r;

	begin(&r, "conv");
	x = rig_slot(&r, 0, 8 * 16 * 4 * 4);
	w = rig_slot(&r, 1, 39 * 64 * 4);
	y = rig_slot(&r, 2, 6 * 14 * 64 * 4);
	fill(x, 8 * 16 * 4, 4);
	fill(w, 37 * 64, 5);
	for (u32 o = 0; o < 64; o++) {
		w[37 * 64 + o] = 0;
		w[38 * 64 + o] = INFINITY;
	}
	end(&r, "conv");
	for (u32 i = 0; i < 6 * 14 * 64; i++)
		wrong += y[i] != conv_at(x, w, i / 64 / 14, i / 64 % 14, i % 64);
	tap_eq(wrong, 0, "conv: 3x3 windows, bias, relu");
	rig_fini(&r);
}

/* Fixed-point multiply as TFLite's: twice the high half rounded half up, then half away from 0. */
static s32 multiply(s32 x, s32 multiplier, s32 right)
{
	s64 high = ((s64)x * multiplier + (1ll << 30)) >> 31;

	return (s32)round((double)high / (double)(1ll << right));
}

static void requantise(void)
{
	u8 *x, *w, *y, *params;
	u32 wrong = 0, clamped = 0;
	struct rig r;

	begin(&r, "requantise");
	x = rig_slot(&r, 0, 32 * 64);
	w = rig_slot(&r, 1, 19 * 256);
	y = rig_slot(&r, 2, 32 * 64);
	params = w + 16 * 256;
	fill_bytes(x, 32 * 64, 6);
	fill_bytes(w, 16 * 256, 7);
	for (u32 o = 0; o < 64; o++) {
		s32 bias = (s32)o * 997 - 30000, multiplier = 0x40000000 + (s32)o * 12345678;
		u8 bytes[4] = { (u8) - (8 + o % 3), 120, 5, 250 };

		memcpy(params + 4 * o, &bias, 4);
		memcpy(params + 256 + 4 * o, &multiplier, 4);
		memcpy(params + 512 + 4 * o, bytes, 4);
	}
	end(&r, "requantise");
	for (u32 p = 0; p < 32; p++) {
		for (u32 o = 0; o < 64; o++) {
			s32 sum = (s32)o * 997 - 30000, value;

			for (u32 k = 0; k < 64; k++)
				sum += x[p * 64 + k] * (w[k / 4 * 256 + o * 4 + k % 4] - 131);
			value = 120 + multiply(sum, 0x40000000 + (s32)o * 12345678, 8 + o % 3);
			clamped += value < 5 || value > 250;
			value = value < 5 ? 5 : value > 250 ? 250 : value;
			wrong += y[p * 64 + o] != value;
		}
	}
	tap_eq(wrong, 0, "requantise: y as TFLite");
	tap_ok(clamped > 0 && clamped < 1024, "requantise: some values are clamped (%u)", clamped);
	rig_fini(&r);
}

static void softmax(void)
{
	const float log2_e = 1.44269504f;
	double worst = 0, total = 0;
	float *x, *y;
	struct rig r;

	begin(&r, "softmax");
	x = rig_slot(&r, 0, 8 * 256 + 4);
	y = rig_slot(&r, 1, 8 * 256);
	fill(x, 8 * 64, 9);
	x[8 * 64] = log2_e;
	end(&r, "softmax");
	for (u32 row = 0; row < 8; row++) {
		const float *in = x + row * 64;
		double sum = 0;

		for (u32 i = 0; i < 64; i++)
			sum += exp(in[i]);
		for (u32 i = 0; i < 64; i++) {
			double error = fabs(y[row * 64 + i] * sum / exp(in[i]) - 1);

			worst = error > worst ? error : worst;
			total += y[row * 64 + i];
		}
	}
	tap_ok(worst < 1e-6, "softmax: y = exp(x) / sum (worst %.2g)", worst);
	tap_ok(fabs(total - 8) < 1e-5, "softmax: every row adds up to one");
	rig_fini(&r);
}

static void dma_patterns(void)
{
	u32 *m, *t, *crop, wrong = 0;
	float *s, *s2;
	struct rig r;

	begin(&r, "dma_patterns");
	m = rig_slot(&r, 0, 8 * 16 * 4);
	t = rig_slot(&r, 1, 8 * 16 * 4);
	crop = rig_slot(&r, 2, 6 * 14 * 4);
	s = rig_slot(&r, 3, 8 * 256);
	s2 = rig_slot(&r, 4, 8 * 256);
	for (u32 i = 0; i < 8 * 16; i++)
		m[i] = i * 0x01010101;
	fill(s, 8 * 64, 8);
	end(&r, "dma_patterns");
	for (u32 i = 0; i < 8 * 16; i++)
		wrong += t[i % 16 * 8 + i / 16] != m[i];
	tap_eq(wrong, 0, "dma_patterns: transpose");
	for (u32 i = 0; i < 6 * 14; i++)
		wrong += crop[i] != m[(i / 14 + 1) * 16 + i % 14 + 1];
	tap_eq(wrong, 0, "dma_patterns: crop");
	for (u32 i = 0; i < 8 * 64; i++)
		wrong += s2[i] != 2 * s[i];
	tap_eq(wrong, 0, "dma_patterns: stream through two buffers");
	rig_fini(&r);
}

int main(void)
{
	vector_add();
	matmul();
	conv();
	requantise();
	softmax();
	dma_patterns();
	return tap_done();
}
