/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Whole networks through reader, passes and interpreter, and as programs on the executor: the
 * third-party digit classifiers against the published outputs and labels, and the demo's own model
 * against its plain C forward pass.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "demo/digits.h"
#include "demo/mnist.h"
#include "tests/models.h"
#include "tests/network_run.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include <math.h>

/* The two models know 9891 and 9907 of the 10,000 test digits; both know 99 of the first 100. */
#define DIGITS 100
#define RIGHT 99

/* Programs run on more. */
#define PROGRAM_DIGITS 200

static struct graph *compile(const char *path, struct compile_error *err)
{
	struct graph *g = NULL;
	void *bytes;
	size_t size;

	if (compile_read_file(path, &bytes, &size, err))
		return NULL;
	compile_graph_from_onnx(bytes, size, path, NULL, &g, err);
	free(bytes);
	return g;
}

static bool close_to(const float *a, const float *b, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		if (!(fabsf(a[i] - b[i]) <= 1e-5f + 1e-4f * fabsf(b[i])))
			return false;
	}
	return true;
}

static bool load(const char *dir, const char *file, struct tensor_data *t)
{
	struct compile_error err = { 0 };
	char path[512], rest[256];

	snprintf(rest, sizeof(rest), "onnx/%s/%s", dir, file);
	if (!tensor_load(models_path(path, sizeof(path), rest), t, &err))
		return true;
	printf("# %s\n", err.text);
	return false;
}

/* The outputs that another implementation gave for the model's input. */
static void test_published(const char *dir, const char *input, const char *const *outputs)
{
	struct tensor_data in = { 0 }, have[2] = { { 0 } }, want;
	struct compile_error err = { 0 };
	char path[512], rest[256];
	struct graph *g;
	bool good;

	snprintf(rest, sizeof(rest), "onnx/%s/model.onnx", dir);
	g = compile(models_path(path, sizeof(path), rest), &err);
	good = g && load(dir, input, &in) && !graph_eval(g, &in, have, &err);
	for (size_t i = 0; good && i < g->outputs.n; i++) {
		want = (struct tensor_data){ 0 };
		good = load(dir, outputs[i], &want) && have[i].size == want.size &&
		       close_to(have[i].bytes, want.bytes, shape_elems(&want.shape));
		tensor_data_free(&want);
	}
	if (!tap_ok(good, "%s: the published outputs", dir))
		printf("# %s\n", err.text);
	tensor_data_free(&in);
	tensor_data_free(&have[0]);
	tensor_data_free(&have[1]);
	graph_free(g);
}

/* What runs a network on one image: the interpreter, or the executor. */
struct runner {
	struct graph *g;
	struct compiled program; /* no file: the interpreter */
	struct rondo_machine machine;
};

static bool run(const struct runner *r, const struct tensor_data *in, struct tensor_data *out)
{
	const struct value *v = r->g->outputs.v[0];
	struct compile_error err = { 0 };
	char why[RUN_WHY_BYTES];

	if (!r->program.file)
		return !graph_eval(r->g, in, out, &err);
	if (!tensor_data_alloc(out, v->dtype, &v->shape))
		return false;
	if (network_run(&r->program, &r->machine, in, out, why))
		return true;
	printf("# %s\n", why);
	return false;
}

/* How many of the first @digits are right, with pixels as (p * scale + offset). */
static int count_right(const struct runner *r, const struct mnist *set, int digits, float scale,
		       float offset)
{
	struct tensor_data in = { 0 }, out = { 0 };
	int right = 0;

	if (!tensor_data_alloc(&in, DTYPE_F32, &r->g->inputs.v[0]->shape))
		return 0;
	for (int d = 0; d < digits; d++) {
		for (int i = 0; i < DIGITS_PIXELS; i++)
			((float *)in.bytes)[i] = (float)set->image[d][i] * scale + offset;
		if (run(r, &in, &out))
			right += digits_best(out.bytes) == set->label[d];
		tensor_data_free(&out);
	}
	tensor_data_free(&in);
	return right;
}

static void test_third_party(void)
{
	static const struct {
		const char *name, *path;
		float scale, offset;
		int program_right; /* of the first PROGRAM_DIGITS */
	} models[] = {
		{ "mnist", "onnx/mnist/model.onnx", 1, 0, 199 },
		{ "mnist_pytorch", "onnx/mnist_pytorch/model.onnx", 1 / (255 * .3081f),
		  -.1307f / .3081f, 198 },
	};
	struct compile_error err = { 0 };
	struct mnist *set = NULL;
	char path[512];

	if (!models_present("onnx/mnist/model.onnx") || !models_present("data/mnist")) {
		tap_skip("third-party digit classifiers", "$RONDO_MODELS is not there");
		return;
	}
	set = mnist_load(&err);
	for (size_t i = 0; i < 2; i++) {
		struct runner r = { .g = compile(models_path(path, sizeof(path), models[i].path),
						 &err) };

		rondo_machine_init(&r.machine, RONDO_MACHINE_edge);
		if (!tap_ok(r.g && set, "%s compiles", models[i].name)) {
			printf("# %s\n", err.text);
			continue;
		}
		tap_eq(count_right(&r, set, DIGITS, models[i].scale, models[i].offset), RIGHT,
		       models[i].name);
		if (tap_ok(!backend_compile(r.g, &r.machine, NULL, &r.program),
			   "%s becomes a program", models[i].name))
			tap_eq(count_right(&r, set, PROGRAM_DIGITS, models[i].scale,
					   models[i].offset),
			       models[i].program_right, "digits that the program knows");
		compiled_free(&r.program);
		graph_free(r.g);
	}
	free(set);
	test_published("mnist", "in_Input3.npy", (const char *[]){ "out_Plus214_Output_0.npy" });
	/* Depthwise and dilated convolutions, 4420 anchors, two outputs. */
	test_published("ultraface_rfb320", "in_input.npy",
		       (const char *[]){ "out_scores.npy", "out_boxes.npy" });
}

static void test_demo(void)
{
	static struct digits_model model;
	struct compile_error err = { 0 };
	struct graph *g = compile("demo/digits.onnx", &err);
	struct tensor_data in = { 0 }, out = { 0 };
	float want[DIGITS_CLASSES];

	if (!tap_ok(g && !digits_load(&model, "demo/digits.onnx", &err) &&
			    tensor_data_alloc(&in, DTYPE_F32, &g->inputs.v[0]->shape),
		    "the demo model compiles")) {
		printf("# %s\n", err.text);
		return;
	}
	for (int i = 0; i < DIGITS_PIXELS; i++)
		((float *)in.bytes)[i] = (float)(i * 37 % 101) / 100;
	digits_forward(&model, in.bytes, want);
	tap_ok(!graph_eval(g, &in, &out, &err) && close_to(out.bytes, want, DIGITS_CLASSES),
	       "the demo model gives what its plain forward pass gives");
	tensor_data_free(&in);
	tensor_data_free(&out);
	graph_free(g);
}

int main(void)
{
	test_third_party();
	test_demo();
	return tap_done();
}
