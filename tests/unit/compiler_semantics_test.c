// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The corners of operators that docs/reference/semantics.md decides: each row's graph must give its
 * values in the interpreter, before and after the passes, and as a program on the checking
 * executor. Values are compared bit for bit; all NaNs are alike.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "core/machine.h"
#include "tests/network_run.h"
#include "tests/tap.h"

#include <float.h>
#include <math.h>

enum { VALUES_MAX = 16 };

#define N NAN
#define I INFINITY
#define M FLT_MAX

static const struct {
	const char *name;
	const char *shape; /* of the input x, %0 */
	const char *nodes; /* the last one makes %9 */
	int in, out; /* numbers of values */
	float x[VALUES_MAX], y[VALUES_MAX];
} rows[] = {
	{ "MaxPool ignores NaN wherever it stands, and begins with the lowest finite number",
	  "1,1,1,16",
	  "node %9 \"y\" ? = MaxPool \"n\" %0 kernel=1,4 strides=1,4\n",
	  16,
	  4,
	  { N, 1, 2, 3, 1, N, 2, 3, 1, 2, 3, N, N, N, -I, N },
	  { 3, 3, 3, -M } },
	{ "so does one of more than 32 taps",
	  "1,1,1,16",
	  "node %9 \"y\" ? = MaxPool \"n\" %0 kernel=1,36 pads=0,15,0,20\n",
	  16,
	  1,
	  { N, 1, 2, 3, 1, N, 2, 9, 1, 2, 3, N, N, N, -I, N },
	  { 9 } },
	{ "a Clip behind MaxPool sees the lowest finite number where there was only NaN",
	  "1,1,1,4",
	  "node %1 \"a\" ? = Add \"a\" %0 %0\nnode %2 \"p\" ? = MaxPool \"n\" %1 kernel=1,2 "
	  "strides=1,2\nnode %9 \"y\" ? = Clip \"c\" %2 lo=-2 hi=5\n",
	  4,
	  2,
	  { N, N, N, 4 },
	  { -2, 5 } },
	{ "and where there was only padding",
	  "1,1,1,2",
	  "node %1 \"a\" ? = Add \"a\" %0 %0\nnode %2 \"p\" ? = MaxPool \"n\" %1 kernel=1,2 "
	  "dilations=1,3 pads=0,3,0,3\nnode %9 \"y\" ? = Clip \"c\" %2 lo=-2 hi=5\n",
	  2,
	  5,
	  { 1, 4 },
	  { 2, 5, -2, 2, 5 } },
	{ "ArgMax takes NaN for the largest",
	  "1,4",
	  "node %1 \"a\" ? = ArgMax \"a\" %0 axis=1\n"
	  "node %9 \"y\" ? = Cast \"c\" %1 to=1\n",
	  4,
	  1,
	  { 5, N, 7, N },
	  { 1 } },
	{ "and ArgMin for the smallest",
	  "1,4",
	  "node %1 \"a\" ? = ArgMin \"a\" %0 axis=1\n"
	  "node %9 \"y\" ? = Cast \"c\" %1 to=1\n",
	  4,
	  1,
	  { -I, 3, N, N },
	  { 2 } },
	{ "TopK takes NaN for the largest",
	  "1,4",
	  "const %1 \"k\" s64[1] = 3\nnode %2 \"v\" ?, %3 \"i\" ? = TopK \"t\" %0 %1\n"
	  "node %9 \"y\" ? = Identity \"c\" %2\n",
	  4,
	  3,
	  { 5, N, I, N },
	  { N, N, I } },
	{ "and for the smallest",
	  "1,4",
	  "const %1 \"k\" s64[1] = 3\nnode %2 \"v\" ?, %3 \"i\" ? = TopK \"t\" %0 %1 "
	  "largest=0\nnode %9 \"y\" ? = Identity \"c\" %2\n",
	  4,
	  3,
	  { 5, N, -I, 2 },
	  { N, -I, 2 } },
	{ "AveragePool passes NaN on",
	  "1,1,1,4",
	  "node %9 \"y\" ? = AveragePool \"n\" %0 kernel=1,2 strides=1,2\n",
	  4,
	  2,
	  { N, 1, 2, I },
	  { N, I } },
	{ "an average of nothing but padding is 0",
	  "1,1,1,2",
	  "node %9 \"y\" ? = AveragePool \"n\" %0 kernel=1,2 dilations=1,3 pads=0,3,0,3\n",
	  2,
	  5,
	  { 1, 4 },
	  { 1, 4, 0, 1, 4 } },
	{ "ceil_mode counts with auto_pad VALID",
	  "1,1,1,5",
	  "node %9 \"y\" ? = MaxPool \"n\" %0 kernel=1,2 strides=1,2 auto_pad=VALID ceil_mode=1\n",
	  5,
	  3,
	  { 1, 2, 3, 4, -5 },
	  { 2, 4, -5 } },
	{ "Clip without bounds ends at the finite numbers and keeps NaN",
	  "8",
	  "node %9 \"y\" ? = Clip \"n\" %0\n",
	  8,
	  8,
	  { N, I, -I, -0.0f, 1e-40f, -1e-40f, M, -M },
	  { N, M, -M, -0.0f, 1e-40f, -1e-40f, M, -M } },
	{ "Clip whose bounds cross gives the upper one",
	  "3",
	  "node %9 \"y\" ? = Clip \"n\" %0 lo=2 hi=1\n",
	  3,
	  3,
	  { 0, 1.5f, 3 },
	  { 1, 1, 1 } },
	{ "Relu keeps NaN and infinity",
	  "4",
	  "node %9 \"y\" ? = Relu \"n\" %0\n",
	  4,
	  4,
	  { N, I, -I, -1 },
	  { N, I, 0, 0 } },
	{ "beta 0 silences what C holds",
	  "1,2",
	  "const %1 \"b\" f32[2,2] = 1 2 3 4\nconst %2 \"c\" f32[2] = inf -inf\n"
	  "node %9 \"y\" ? = Gemm \"n\" %0 %1 %2 beta=0\n",
	  2,
	  2,
	  { 1, 10 },
	  { 31, 42 } },
	{ "alpha 0 does not",
	  "1,2",
	  "const %1 \"b\" f32[2,2] = 1 0 1 0\nnode %9 \"y\" ? = Gemm \"n\" %0 %1 alpha=0\n",
	  2,
	  2,
	  { I, 1 },
	  { N, N } },
	{ "Softmax of infinity, and of nothing but -infinity, is NaN",
	  "3,2",
	  "node %9 \"y\" ? = Softmax \"n\" %0\n",
	  6,
	  6,
	  { I, 0, -I, -I, -I, 0 },
	  { N, N, N, N, 0, 1 } },
	{ "division by zero follows IEEE 754",
	  "4",
	  "const %1 \"z\" f32[4] = 0 0 -0 0\nnode %9 \"y\" ? = Div \"n\" %0 %1\n",
	  4,
	  4,
	  { 1, -1, 1, 0 },
	  { I, -I, -I, N } },
	{ "Mod of floats is that of C: the sign of the dividend, NaN for 0 and of infinity",
	  "9",
	  "const %1 \"b\" f32[9] = 2 2 2 0 inf inf 1 -inf 3\n"
	  "node %9 \"y\" ? = Mod \"n\" %0 %1 fmod=1\n",
	  9,
	  9,
	  { -4, -0.0f, I, 1, 5, I, N, -5, N },
	  { -0.0f, -0.0f, N, N, 5, N, N, -5, N } },
	{ "Sin of -0 is -0, and of infinity NaN",
	  "5",
	  "node %9 \"y\" ? = Sin \"n\" %0\n",
	  5,
	  5,
	  { 0, -0.0f, I, -I, N },
	  { 0, -0.0f, N, N, N } },
	{ "Cos of infinity is NaN",
	  "5",
	  "node %9 \"y\" ? = Cos \"n\" %0\n",
	  5,
	  5,
	  { 0, -0.0f, I, -I, N },
	  { 1, 1, N, N, N } },
	{ "a power of -0 keeps its sign where the exponent is odd",
	  "14",
	  "const %1 \"b\" f32[14] = -127 -129 127 -1 -3 -128 -0.5 0.5 -inf 1e8 33 33 -33 0.5\n"
	  "node %9 \"y\" ? = Pow \"n\" %0 %1\n",
	  14,
	  14,
	  { -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -I, -1, -I, -2 },
	  { -I, -I, -0.0f, -I, -I, I, I, 0, I, 0, -I, -1, -0.0f, N } },
};

static bool same(const float *a, const float *b, int n)
{
	for (int i = 0; i < n; i++) {
		if (memcmp(&a[i], &b[i], sizeof(*a)) && !(isnan(a[i]) && isnan(b[i])))
			return false;
	}
	return true;
}

/* %9 as the next number, which is what the text form wants. */
static struct graph *parse(size_t i, struct compile_error *err)
{
	char text[1024], *nine;
	int next = 1;

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[%s]\n%soutput %%9\n", rows[i].shape,
		 rows[i].nodes);
	while (strstr(text, (char[]){ '%', (char)('0' + next), ' ', 0 }))
		next++;
	while ((nine = strstr(text, "%9")))
		nine[1] = (char)('0' + next);
	return graph_parse(text, "m", err);
}

static void compare(size_t i, const char *how, bool ran, const struct tensor_data *y,
		    const char *why)
{
	if (tap_ok(ran && same(y->bytes, rows[i].y, rows[i].out), "%s: %s", rows[i].name, how))
		return;
	printf("# %s\n#", why);
	for (int k = 0; ran && k < rows[i].out; k++)
		printf(" %g", (double)((float *)y->bytes)[k]);
	printf("\n");
}

/* Evaluates @g, which is freed, on @x. */
static void interpret(size_t i, const char *how, struct graph *g, const struct tensor_data *x,
		      struct compile_error *err)
{
	struct tensor_data y = { 0 };
	bool ran = g && !err->code && !graph_eval(g, x, &y, err);

	compare(i, how, ran, &y, err->text);
	tensor_data_free(&y);
}

static void execute(size_t i, struct graph *g, const struct tensor_data *x,
		    struct compile_error *err)
{
	char why[RUN_WHY_BYTES] = "";
	struct rondo_machine machine;
	struct tensor_data y = { 0 };
	struct compiled c = { 0 };
	bool ran;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	ran = g && tensor_data_alloc(&y, DTYPE_F32, &g->outputs.v[0]->shape) &&
	      !backend_compile(g, &machine, NULL, &c) && network_run(&c, &machine, x, &y, why);
	compare(i, "program", ran, &y, err->code ? err->text : why);
	compiled_free(&c);
	tensor_data_free(&y);
}

static void test_row(size_t i)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	struct graph *before = parse(i, &err), *after = parse(i, &err);
	struct tensor_data x = { 0 };

	if (!tap_ok(before && after && !compile_run_passes(before, &no_options, "shape") &&
			    !compile_run_passes(after, &no_options, NULL) &&
			    tensor_data_alloc(&x, DTYPE_F32, &before->inputs.v[0]->shape),
		    "%s: compiles", rows[i].name)) {
		printf("# %s\n", err.text);
	} else {
		memcpy(x.bytes, rows[i].x, (size_t)rows[i].in * sizeof(float));
		interpret(i, "interpreter", before, &x, &err);
		interpret(i, "interpreter after the passes", after, &x, &err);
		execute(i, after, &x, &err);
	}
	tensor_data_free(&x);
	graph_free(before);
	graph_free(after);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(i);
	return tap_done();
}
