/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The interpreter on forms that the ONNX backend tests leave out. The expected numbers were
 * computed from the operators' definitions by a separate program, on a padded copy of the input;
 * most are exact in binary.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "tests/tap.h"

#include <math.h>

/* The input x of a case is one of the vectors below, chosen by its number of elements. */
static const struct {
	const char *name, *x_shape, *graph;
	float want[12];
	int n_want;
} cases[] = {
	{ "Conv: two groups, dilation 1x2, stride 2x1, pads at the left, bottom and right, bias",
	  "[1,2,3,4]",
	  "const %1 \"w\" f32[2,1,2,2] = 1.25 0.25 -0.75 1 0 -1 0.75 -0.25\n"
	  "const %2 \"b\" f32[2] = 0.5 -1\n"
	  "node %3 \"y\" ? = Conv \"\" %0 %1 %2 strides=2,1 pads=0,1,2,0 dilations=1,2 group=2\n"
	  "output %3\n",
	  { 0.75f, 1.125f, 0.0625f, 0.3125f, 1.0625f, -0.4375f, -1.625f, -0.6875f, -0.1875f, -2, -1,
	    0 },
	  12 },
	{ "AveragePool: ceil_mode without padded cells",
	  "[1,1,4,5]",
	  "node %1 \"y\" ? = AveragePool \"\" %0 kernel=3,3 strides=2,2 pads=1,0,0,1 ceil_mode=1\n"
	  "output %1\n",
	  { -1 / 12.f, 5 / 24.f, 0.125f, 1 / 18.f, -1 / 9.f, -0.5f },
	  6 },
	{ "AveragePool: ceil_mode with padded cells, those that hang over not counted",
	  "[1,1,4,5]",
	  "node %1 \"y\" ? = AveragePool \"\" %0 kernel=3,3 strides=2,2 pads=1,0,0,1 ceil_mode=1 "
	  "count_include_pad=1\n"
	  "output %1\n",
	  { -1 / 18.f, 5 / 36.f, 1 / 24.f, 1 / 18.f, -1 / 9.f, -0.25f },
	  6 },
	{ "AveragePool: dilation 2x3",
	  "[1,1,4,5]",
	  "node %1 \"y\" ? = AveragePool \"\" %0 kernel=2,2 strides=1,2 pads=1,1,1,1 "
	  "dilations=2,3 count_include_pad=1\n"
	  "output %1\n",
	  { 0.25f, -0.4375f, -0.1875f, -0.1875f, 0.0625f, -0.375f, -0.3125f, -0.1875f },
	  8 },
	{ "Gemm: both transposed, C a column",
	  "[3,2]",
	  "const %1 \"b\" f32[2,3] = 1 0 -1 0.75 -0.25 -1.25\n"
	  "const %2 \"c\" f32[2,1] = 1 -2\n"
	  "node %3 \"y\" ? = Gemm \"\" %0 %1 %2 alpha=0.5 beta=2 trans_a=1 trans_b=1\n"
	  "output %3\n",
	  { 2.625f, 2.6875f, -4.75f, -4.65625f },
	  4 },
	{ "MatMul: both stacks broadcast",
	  "[3,3,2]",
	  "const %1 \"a\" f32[2,1,1,3] = 1.25 0.25 -0.75 1 0 -1\n"
	  "node %2 \"y\" ? = MatMul \"\" %1 %0\n"
	  "output %2\n",
	  { -1.3125f, 1.375f, -1.6875f, 1, 1.375f, 1.3125f, -1.5f, 1.25f, -1.5f, 1.25f, 1.25f,
	    1.25f },
	  12 },
	{ "MaxPool: SAME_LOWER pads before, and never wins",
	  "[1,1,3,1]",
	  "const %1 \"k\" f32[] = -2\n"
	  "node %2 \"n\" ? = Add \"\" %0 %1\n"
	  "node %3 \"y\" ? = MaxPool \"\" %2 kernel=2,1 strides=1,1 auto_pad=SAME_LOWER\n"
	  "output %3\n",
	  { -2, -2, -1.25f },
	  3 },
	{ "Clip: the upper bound wins over the lower",
	  "[3]",
	  "const %1 \"lo\" f32[] = 2\n"
	  "const %2 \"hi\" f32[] = -0.5\n"
	  "node %3 \"y\" ? = Clip \"\" %0 %1 %2\n"
	  "output %3\n",
	  { -0.5f, -0.5f, -0.5f },
	  3 },
	{ "Softmax: large numbers do not overflow",
	  "[2]",
	  "const %1 \"k\" f32[] = 1000\n"
	  "node %2 \"m\" ? = Add \"\" %0 %1\n"
	  "node %3 \"s\" ? = Softmax \"\" %2\n"
	  "node %4 \"l\" ? = LogSoftmax \"\" %2\n"
	  "node %5 \"y\" ? = Concat \"\" %3 %4 axis=0\n"
	  "output %5\n",
	  { 0.7310586f, 0.26894143f, -0.31326166f, -1.3132616f },
	  4 },
};

static const float x24[] = { 0,	    -1,	    0.75f, -0.25f, -1.25f, 0.5f,  -0.5f,  1.25f,
			     0.25f, -0.75f, 1,	   0,	   -1,	   0.75f, -0.25f, -1.25f,
			     0.5f,  -0.5f,  1.25f, 0.25f,  -0.75f, 1,	  0,	  -1 };
static const float x20[] = { -0.25f, -1.25f, 0.5f,   -0.5f, 1.25f, 0.25f, -0.75f, 1,	  0, -1,
			     0.75f,  -0.25f, -1.25f, 0.5f,  -0.5f, 1.25f, 0.25f,  -0.75f, 1, 0 };
static const float x18[] = { -0.5f,  1.25f, 0.25f, -0.75f, 1,	  0,	  -1, 0.75f, -0.25f,
			     -1.25f, 0.5f,  -0.5f, 1.25f,  0.25f, -0.75f, 1,  0,     -1 };

static void run(size_t c)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	struct tensor_data x = { DTYPE_F32, { 0 }, NULL, 0 }, y = { 0 };
	char text[2048];
	bool good = true;
	struct graph *g;

	snprintf(text, sizeof(text), "graph \"\" from \"\"\ninput %%0 \"x\" f32%s\n%s",
		 cases[c].x_shape, cases[c].graph);
	g = graph_parse(text, cases[c].name, &err);
	if (g && !compile_run_passes(g, &no_options, "shape")) {
		x.shape = g->inputs.v[0]->shape;
		x.bytes = (void *)(shape_elems(&x.shape) == 20 ? x20 :
				   shape_elems(&x.shape) == 18 ? x18 :
								 x24);
		good = !graph_eval(g, &x, &y, &err) && shape_elems(&y.shape) == cases[c].n_want;
		for (int i = 0; good && i < cases[c].n_want; i++)
			good = fabsf(((float *)y.bytes)[i] - cases[c].want[i]) <= 1e-6f;
	}
	if (!tap_ok(good && !err.code, "%s", cases[c].name)) {
		printf("# %s\n", err.text);
		for (int64_t i = 0; y.bytes && i < shape_elems(&y.shape); i++)
			printf("# %g\n", (double)((float *)y.bytes)[i]);
	}
	tensor_data_free(&y);
	graph_free(g);
}

static void test_wrong_input(void)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_parse("graph \"\" from \"\"\ninput %0 \"x\" f32[2]\n"
				      "node %1 \"y\" f32[2] = Tanh \"\" %0\noutput %1\n",
				      "text", &err);
	struct tensor_data x = { DTYPE_F32, { 1, { 3 } }, (void *)x24, 12 }, y = { 0 };

	tap_ok(g && graph_eval(g, &x, &y, &err) &&
		       !strcmp(err.text, "input \"x\" is f32[3], f32[2] is needed"),
	       "refused: %s", err.text);
	graph_free(g);
}

int main(void)
{
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		run(c);
	test_wrong_input();
	return tap_done();
}
