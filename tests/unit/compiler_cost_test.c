/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What plans say that stages cost, against the exact time of the program (core/timing): for each
 * class of stages one that is computed in tiles, in so little SRAM that these are most of its time.
 * A choice between ways to cut is worth no more than this.
 */
#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "compiler/passes.h"
#include "compiler/plan_cost.h"
#include "core/machine.h"
#include "tests/tap.h"

enum { LEAST = 60, MOST = 140 }; /* percent of the program's time that the planned time is */

static const struct compile_options no_options;

/* The graph of @text, normalised; NULL: it has none. */
static struct graph *graph_of(const char *text, struct compile_error *err)
{
	struct graph *g = graph_parse(text, "m", err);

	if (!g || compile_run_passes(g, &no_options, NULL)) {
		graph_free(g);
		return NULL;
	}
	return g;
}

/* What all stages cost that are computed in tiles, as they are planned; 0: that fails. */
static u64 planned(struct graph *g, const struct rondo_machine *m, u32 sram)
{
	struct stages stages;
	struct plans p;
	u64 cycles = 0;

	if (pass_split(g, m->lanes, sram) || stages_make(g, &stages) ||
	    plans_make(g, &stages, m, &p) || plans_fit(g, &p, m, sram))
		return 0;
	for (int i = 0; i < stages.count; i++) {
		const struct stage *s = stages.at[i];

		if (p.at[i].tiled && p.maker[s->out.value->id] == PLAN_NO_STAGE)
			cycles += plan_cycles(&p, m, s, &p.at[i], p.at[i].tile);
	}
	return cycles;
}

static void check(const char *name, char *text, u32 kib)
{
	const struct compile_options options = { .sram = kib << 10 };
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct compiled program = { 0 };
	struct graph *g;
	u64 plan = 0, is;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	g = graph_of(text, &err);
	if (g)
		plan = planned(g, &machine, options.sram);
	graph_free(g);
	g = graph_of(text, &err);
	if (!g || backend_compile(g, &machine, &options, &program))
		printf("# %s\n", err.text);
	graph_free(g);
	is = program.cycles;
	tap_ok(is && plan * 100 >= is * LEAST && plan * 100 <= is * MOST,
	       "%s: %llu cycles are planned, %llu are needed", name, (unsigned long long)plan,
	       (unsigned long long)is);
	compiled_free(&program);
	free(text);
}

/* A text that grows. */
struct text {
	char *at;
	size_t size;
	FILE *file;
};

static void begin(struct text *t)
{
	t->file = open_memstream(&t->at, &t->size);
	fprintf(t->file, "graph \"g\" from \"m\"\n");
}

static char *end(struct text *t)
{
	fclose(t->file);
	return t->at;
}

/* A convolution of @c channels of @size x @size to @maps, in @groups, with @kernel x @kernel taps.
 */
static char *conv(int c, int size, int maps, int groups, int kernel)
{
	struct text t;
	int n = maps * (c / groups) * kernel * kernel;

	begin(&t);
	fprintf(t.file, "input %%0 \"x\" f32[1,%d,%d,%d]\n", c, size, size);
	fprintf(t.file, "const %%1 \"w\" f32[%d,%d,%d,%d] =", maps, c / groups, kernel, kernel);
	for (int i = 0; i < n; i++)
		fprintf(t.file, " %d", i % 7 - 3);
	fprintf(t.file, "\nnode %%2 \"y\" ? = Conv \"n\" %%0 %%1 group=%d pads=%d,%d,%d,%d\n",
		groups, kernel / 2, kernel / 2, kernel / 2, kernel / 2);
	fprintf(t.file, "output %%2\n");
	return end(&t);
}

/* @node, %2, of inputs of shapes @a and @b, or of one. */
static char *of_inputs(const char *a, const char *b, const char *node)
{
	struct text t;

	begin(&t);
	fprintf(t.file, "input %%0 \"a\" f32[%s]\n", a);
	if (b)
		fprintf(t.file, "input %%1 \"b\" f32[%s]\n", b);
	else
		fprintf(t.file, "const %%1 \"axis\" s64[1] = 1\n");
	fprintf(t.file, "node %%2 \"y\" ? = %s\noutput %%2\n", node);
	return end(&t);
}

int main(void)
{
	check("a convolution in rows", conv(16, 64, 16, 1, 3), 128);
	check("a convolution with long weights", conv(256, 8, 512, 1, 1), 128);
	check("a convolution of each channel", conv(64, 48, 64, 64, 3), 128);
	check("a convolution with a deep window", conv(1024, 8, 64, 1, 3), 64);
	check("a product", of_inputs("1024,64", "64,128", "MatMul \"n\" %0 %1"), 128);
	check("a product whose sums are cut",
	      of_inputs("256,2048", "2048,128", "MatMul \"n\" %0 %1"), 128);
	check("an elementwise node", of_inputs("256,512", NULL, "Sigmoid \"n\" %0"), 128);
	check("a sum", of_inputs("256,512", "256,512", "Add \"n\" %0 %1"), 128);
	check("a softmax", of_inputs("256,512", NULL, "Softmax \"n\" %0"), 128);
	check("a reduction", of_inputs("512,512", NULL, "ReduceSum \"n\" %0 %1"), 128);
	check("a long reduction", of_inputs("4,65536", NULL, "ReduceSum \"n\" %0 %1"), 128);
	check("a pool", of_inputs("1,64,48,48", NULL, "MaxPool \"n\" %0 kernel=3,3 strides=2,2"),
	      128);
	check("a transposition", of_inputs("256,512", NULL, "Transpose \"n\" %0 perm=1,0"), 128);
	return tap_done();
}
