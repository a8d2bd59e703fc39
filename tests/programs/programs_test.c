// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The example programs: accepted, no trap, exactly the promised cycles, and the
 * result that a plain loop in C computes.
 */
#include "tests/unit/exec_rig.h"

#include <math.h>
#include <time.h>

static char *read_text(const char *name)
{
	char path[128], *text = NULL;
	size_t size = 0;
	FILE *file, *copy;
	int c;

	snprintf(path, sizeof(path), "tests/programs/%s.rasm", name);
	file = fopen(path, "r");
	if (!file)
		return NULL;
	copy = open_memstream(&text, &size);
	while ((c = fgetc(file)) != EOF)
		fputc(c, copy);
	fclose(copy);
	fclose(file);
	return text;
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

static void end(struct rig *r, const char *name)
{
	tap_ok(rig_run(r) == EXEC_DONE, "%s: runs without a trap", name);
	tap_ok(r->result.cycles == r->cycles, "%s: takes the promised cycles", name);
	printf("# %s: %llu cycles\n", name, (unsigned long long)r->result.cycles);
}

/* A small exact integer or fraction in [-8, 8). */
static float small(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return ((s32)(*seed >> 24) - 128) / 16.0f;
}

static u8 byte(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 24;
}

static void vector_add(void)
{
	struct rig r;
	float *a, *b, *c;
	u32 seed = 1, wrong = 0;

	begin(&r, "vector_add");
	a = rig_slot(&r, 0, 4096);
	b = rig_slot(&r, 1, 4096);
	c = rig_slot(&r, 2, 4096);
	for (u32 i = 0; i < 1024; i++) {
		a[i] = small(&seed);
		b[i] = small(&seed) / 3;
	}
	end(&r, "vector_add");
	for (u32 i = 0; i < 1024; i++)
		wrong += c[i] != a[i] + b[i];
	tap_eq(wrong, 0, "vector_add: c = a + b");
	rig_fini(&r);
}

int main(void)
{
	vector_add();
	(void)byte;
	return tap_done();
}
