// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The demo's committed files: the model is well-formed ONNX of the operators it should have, knows
 * unseen digits and the drawn samples, and the samples are what demo/strokes.c draws.
 */
#include "demo/digits.h"
#include "demo/mnist.h"
#include "demo/strokes.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <unistd.h>

#define MODEL "demo/digits.onnx"

/* What the demo promises, in percent of unseen digits; the committed model has 99.3. */
enum { ACCURACY_MIN = 97 };

static struct digits_model model;
static struct compile_error err;

/* @path in memory for free(), or NULL. */
static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	void *bytes = malloc(DIGITS_FILE_MAX);

	*size = file && bytes ? fread(bytes, 1, DIGITS_FILE_MAX, file) : 0;
	if (file)
		fclose(file);
	return bytes;
}

static void test_onnx(void)
{
	static const char *const ops[] = { "Conv",    "Relu",	 "Conv", "Relu",
					   "MaxPool", "Flatten", "Gemm", "Softmax" };
	const size_t count = sizeof(ops) / sizeof(ops[0]);
	size_t size;
	void *bytes = read_file(MODEL, &size);
	Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, size, bytes);
	int wrong = 0;

	tap_ok(size && size < DIGITS_FILE_MAX, "the model has 1 to 200,000 bytes");
	if (!tap_ok(m && m->graph, "the model is ONNX"))
		goto out;
	tap_eq(m->ir_version, 7, "file format 7");
	tap_ok(m->n_opset_import == 1 && m->opset_import[0]->version == 13, "opset 13");
	tap_ok(!strcmp(m->producer_name, "rondo"), "made by rondo");
	tap_ok(m->graph->n_input == 1 && !strcmp(m->graph->input[0]->name, "image"),
	       "one input, image");
	tap_ok(m->graph->n_output == 1 && !strcmp(m->graph->output[0]->name, "probability"),
	       "one output, probability");
	for (size_t i = 0; i < m->graph->n_node && i < count; i++)
		wrong += strcmp(m->graph->node[i]->op_type, ops[i]) != 0;
	tap_ok(m->graph->n_node == count && !wrong, "its operators are the eight of digits.h");
out:
	onnx__model_proto__free_unpacked(m, NULL);
	free(bytes);
}

/* The loader reads back what the writer wrote, and refuses what it did not. */
static void test_save(void)
{
	static struct digits_model again;
	char path[] = "/tmp/demo_digits_test_XXXXXX";
	size_t size;
	void *old = read_file(MODEL, &size), *new;

	close(mkstemp(path));
	err.code = 0;
	tap_eq(digits_save(&model, path, &err), 0, "the model is written again");
	new = read_file(path, &size);
	tap_ok(old && new && !memcmp(old, new, size), "and has the same bytes");
	tap_eq(truncate(path, (off_t)size / 2), 0, "cut in half");
	tap_ok(digits_load(&again, path, &err) < 0 && strstr(err.text, path),
	       "it is refused by name");
	unlink(path);
	free(old);
	free(new);
}

static void test_sample(int digit)
{
	float drawn[DIGITS_PIXELS], probability[DIGITS_CLASSES];
	struct tensor_data t = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "demo/samples/digit_%d.npy", digit);
	err.code = 0;
	strokes_draw(digit, drawn);
	if (!tap_ok(!tensor_load(path, &t, &err) && t.dtype == DTYPE_F32 && t.shape.rank == 4 &&
			    t.size == sizeof(drawn) && !memcmp(drawn, t.bytes, sizeof(drawn)),
		    "sample %d is as drawn, bit for bit", digit))
		printf("# %s\n", err.text);
	tensor_data_free(&t);
	digits_forward(&model, drawn, probability);
	if (!tap_ok(digits_best(probability) == digit && probability[digit] > 0.9f,
		    "sample %d is recognised, surely", digit))
		printf("# as %d; %d has %.3f\n", digits_best(probability), digit,
		       (double)probability[digit]);
}

static void test_accuracy(void)
{
	struct mnist *set;
	int right;

	err.code = 0;
	set = mnist_load(&err);
	if (!set && err.code == -ENOENT) {
		tap_skip("accuracy on unseen digits", err.text);
		return;
	}
	if (!tap_ok(set, "the digits load")) {
		printf("# %s\n", err.text);
		return;
	}
	right = mnist_right(set, &model, MNIST_TRAIN, MNIST_COUNT);
	tap_ok(right * 100 >= ACCURACY_MIN * (MNIST_COUNT - MNIST_TRAIN),
	       "%d of %d unseen digits are right (at least %d %%)", right,
	       MNIST_COUNT - MNIST_TRAIN, ACCURACY_MIN);
	free(set);
}

int main(void)
{
	test_onnx();
	if (!tap_ok(!digits_load(&model, MODEL, &err), "the weights load")) {
		printf("# %s\n", err.text);
		return tap_done();
	}
	test_save();
	for (int digit = 0; digit < DIGITS_CLASSES; digit++)
		test_sample(digit);
	test_accuracy();
	return tap_done();
}
