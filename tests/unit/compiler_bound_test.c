// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Bounds of single layers, worked out by hand from docs/explanation/bounds.md, and of their sums.
 */
#include "compiler/bound.h"
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <math.h>

/* One layer: its graph, what it takes of each unit, and of the channels. */
static const struct {
	const char *name, *text;
	double cycles[BOUND_UNITS]; /* pushes, stores, vector, loads, weight rows */
	double dma, layer_bound;
} layers[] = {
	{ "3x3, 64 to 64 channels, 28x28: pushes",
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "input %1 \"w\" f32[64,64,3,3]\n"
	  "node %2 \"y\" ? = Conv \"c\" %0 %1 pads=1,1,1,1\n",
	  { 7056, 784, 0, 0, 576 },
	  2144,
	  7056 },
	{ "1x1, 128 to 128, 14x14: bytes",
	  "input %0 \"x\" f32[1,128,14,14]\n"
	  "input %1 \"w\" f32[128,128,1,1]\n"
	  "node %2 \"y\" ? = Conv \"c\" %0 %1\n",
	  { 784, 392, 0, 0, 256 },
	  1040,
	  1040 },
	{ "3x3, 32 to 9, 32x32: bytes",
	  "input %0 \"x\" f32[1,32,32,32]\n"
	  "input %1 \"w\" f32[9,32,3,3]\n"
	  "node %2 \"y\" ? = Conv \"c\" %0 %1 pads=1,1,1,1\n",
	  { 648, 144, 0, 0, 40.5 },
	  696.5,
	  696.5 },
	{ "3x3, 1 to 64, 28x28: a push makes one row at most",
	  "input %0 \"x\" f32[1,1,28,28]\n"
	  "input %1 \"w\" f32[64,1,3,3]\n"
	  "node %2 \"y\" ? = Conv \"c\" %0 %1 pads=1,1,1,1\n",
	  { 784, 784, 0, 0, 9 },
	  805.25,
	  805.25 },
	{ "depthwise 3x3, 64 channels, 28x28: the vector units",
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "input %1 \"w\" f32[64,1,3,3]\n"
	  "node %2 \"y\" ? = Conv \"c\" %0 %1 group=64 pads=1,1,1,1\n",
	  { 0, 784, 3528, 392, 0 },
	  1577,
	  3528 },
	{ "a product of two matrices of 64x64",
	  "input %0 \"x\" f32[64,64]\n"
	  "input %1 \"w\" f32[64,64]\n"
	  "node %2 \"y\" ? = MatMul \"m\" %0 %1\n",
	  { 64, 64, 0, 0, 64 },
	  192,
	  192 },
	{ "a sum",
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "input %1 \"z\" f32[1,64,28,28]\n"
	  "node %2 \"y\" ? = Add \"a\" %0 %1\n",
	  { 0, 784, 392, 784, 0 },
	  2352,
	  2352 },
	{ "a maximum of 3x3, stride 2: separable",
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "input %1 \"z\" f32[1]\n"
	  "node %2 \"y\" ? = MaxPool \"p\" %0 kernel=3,3 strides=2,2 pads=1,1,1,1\n",
	  { 0, 196, 588, 392, 0 },
	  980.015625,
	  980.015625 },
	{ "a mean of 7x7: each element once, and a product",
	  "input %0 \"x\" f32[1,512,7,7]\n"
	  "input %1 \"z\" f32[1]\n"
	  "node %2 \"y\" ? = GlobalAveragePool \"p\" %0\n",
	  { 0, 8, 196, 196, 0 },
	  400.015625,
	  400.015625 },
	{ "Softmax",
	  "input %0 \"x\" f32[64,64]\n"
	  "input %1 \"z\" f32[1]\n"
	  "node %2 \"y\" ? = Softmax \"s\" %0\n",
	  { 0, 64, 160, 32, 0 },
	  128.015625,
	  160 },
	{ "a transpose moves, a reshape does not",
	  "input %0 \"x\" f32[64,32]\n"
	  "input %1 \"s\" f32[1]\n"
	  "node %2 \"y\" ? = Transpose \"t\" %0\n",
	  { 0, 32, 0, 0, 0 },
	  64.015625,
	  64.015625 },
};

static bool near(double a, double b)
{
	return fabs(a - b) < 0.001;
}

/* The bounds of @text; false, and why, if there are none. *@g is for graph_free(). */
static bool bounds_of(const char *text, struct graph **g, struct bounds *b)
{
	static const struct compile_options options;
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	bool good;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	*g = graph_parse(text, "text", &err);
	good = *g && !compile_run_passes(*g, &options, "outputs") && !bounds_make(*g, &machine, b);
	if (!good)
		printf("# %s\n", err.text);
	return good;
}

static void test_layer(int i)
{
	struct bounds b = { 0 };
	struct graph *g;
	char text[1024];
	bool good;

	snprintf(text, sizeof(text), "graph \"g\" from \"text\"\n%soutput %%2\n", layers[i].text);
	good = bounds_of(text, &g, &b) && b.layers == 1 && near(b.dma_cycles, layers[i].dma) &&
	       near(b.layer_bound, layers[i].layer_bound);
	for (int u = 0; u < BOUND_UNITS; u++)
		good = good && near(b.cycles[u], layers[i].cycles[u]);
	if (!tap_ok(good, "%s", layers[i].name)) {
		for (int u = 0; u < BOUND_UNITS; u++)
			printf("# %s: %g, not %g\n", bound_unit_names[u], b.cycles[u],
			       layers[i].cycles[u]);
		printf("# DMA %g, layer bound %g, %d layers\n", b.dma_cycles, b.layer_bound,
		       b.layers);
	}
	graph_free(g);
}

/* Two layers with different largest units: their sum is more than the largest sum. */
static void test_network(void)
{
	struct bounds b = { 0 };
	struct graph *g;
	bool good = bounds_of("graph \"g\" from \"text\"\n"
			      "input %0 \"x\" f32[1,64,28,28]\n"
			      "input %1 \"w\" f32[64,64,3,3]\n"
			      "input %2 \"v\" f32[64,1,3,3]\n"
			      "node %3 \"d\" ? = Conv \"d\" %0 %2 group=64 pads=1,1,1,1\n"
			      "node %4 \"y\" ? = Conv \"c\" %3 %1 pads=1,1,1,1\n"
			      "output %4\n",
			      &g, &b);

	tap_ok(good && b.layers == 2 && near(b.layer_bound, 7056 + 3528) &&
		       near(b.provable, 7056) && near(b.macs, 784.0 * 64 * 9 * 65) &&
		       near(b.layer[0].largest, 3528) && near(b.layer[1].largest, 7056),
	       "two layers");
	tap_ok(good && !b.constant_bytes && b.input_bytes == 4 * (50176 + 36864 + 576) &&
		       b.output_bytes == 4 * 50176 &&
		       bounds_bytes(&b) == b.input_bytes + b.output_bytes,
	       "what lies between them does not move");
	graph_free(g);
}

/* Addresses may do moves: they are in the sums, and not in what no schedule can beat. */
static void test_moves(void)
{
	struct bounds b = { 0 };
	struct graph *g;
	bool good = bounds_of("graph \"g\" from \"text\"\n"
			      "input %0 \"x\" f32[64,512]\n"
			      "node %1 \"a\" ? = Transpose \"a\" %0\n"
			      "node %2 \"b\" ? = Concat \"b\" %1 %1 axis=1\n"
			      "node %3 \"c\" ? = Concat \"c\" %2 %2 axis=1\n"
			      "node %4 \"d\" ? = MaxOver \"d\" %3 axes=0,1\n"
			      "output %4\n",
			      &g, &b);

	tap_ok(good && b.layer_bound >= 7 * 512 && b.cycles[BOUND_STORE] >= 7 * 512 &&
		       near(b.provable, 64 * 512 * 4 / 64 / 2),
	       "moves do not make it provable: %g", b.provable);
	graph_free(g);
}

/* What ends a sum counts once where all channels have the same; other constants always count. */
static void test_constants(void)
{
	static const struct {
		const char *multipliers;
		u64 bytes;
	} rows[] = { { "3 4 5 6", 16 }, { "3 3 3 4", 16 }, { "4 3 3 3", 16 }, { "3 3 3 3", 4 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bounds b = { 0 };
		struct graph *g;
		char text[512];
		bool good;

		snprintf(text, sizeof(text),
			 "graph \"g\" from \"text\"\ninput %%0 \"x\" s32[2,4]\n"
			 "const %%1 \"b\" s32[2,4] = 7 7 7 7 7 7 7 7\n"
			 "node %%2 \"s\" ? = Add \"a\" %%0 %%1\n"
			 "const %%3 \"m\" f32[4] = %s\nconst %%4 \"z\" s8[] = 0\n"
			 "node %%5 \"y\" ? = Requantize \"r\" %%2 %%3 %%4\noutput %%5\n",
			 rows[i].multipliers);
		good = bounds_of(text, &g, &b);
		tap_ok(good && b.constant_bytes == 32 + rows[i].bytes + 1,
		       "multipliers %s: %u bytes", rows[i].multipliers,
		       (unsigned int)b.constant_bytes);
		graph_free(g);
	}
}

int main(void)
{
	test_constants();
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		test_layer((int)i);
	test_network();
	test_moves();
	return tap_done();
}
