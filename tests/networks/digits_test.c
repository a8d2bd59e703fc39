// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Published digit classifiers, from ONNX through compiler, library, firmware and emulator: the
 * first digits of MNIST, and the output that ONNX Runtime gives for a published input.
 *
 *	networks_digits_test [DEVICE DIGITS]	(the emulated one, and 200)
 */
#include <math.h>

#include "tests/digits_run.h"
#include "tests/models.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

/* Both models err in one or two of the first 200, in none of the first 20. */
enum { ERRORS_MAX = 3 };

static int digits = 200;

static void test_network(const char *name, const struct mnist *set, float mean, float scale)
{
	struct digits_run r;
	char path[512], rest[64];
	int right;

	snprintf(rest, sizeof(rest), "onnx/%s/model.onnx", name);
	if (!tap_ok(digits_run_init(&r, models_path(path, sizeof(path), rest)),
		    "%s compiles and loads", name))
		return;
	right = digits_run_right(&r, set, 0, digits, mean, scale);
	tap_ok(right >= digits - ERRORS_MAX, "%s: %d of %d digits", name, right, digits);
	digits_run_fini(&r);
}

/* The scores of a published input are ONNX Runtime's, within the rounding of another order. */
static void test_reference(void)
{
	struct tensor_data in, out;
	struct compile_error err = {};
	struct digits_run r;
	char path[512];
	float worst = 0;
	int i;

	if (!digits_run_init(&r, models_path(path, sizeof(path), "onnx/mnist/model.onnx")) ||
	    tensor_load(models_path(path, sizeof(path), "onnx/mnist/in_Input3.npy"), &in, &err) ||
	    tensor_load(models_path(path, sizeof(path), "onnx/mnist/out_Plus214_Output_0.npy"),
			&out, &err)) {
		tap_ok(false, "the published input and output: %s", err.text);
		return;
	}
	memcpy(r.image, in.bytes, in.size);
	tap_ok(digits_run_once(&r) >= 0, "mnist runs on the published input");
	for (i = 0; i < DIGITS_CLASSES; i++) {
		float expect = ((const float *)out.bytes)[i];
		float error = fabsf(r.score[i] - expect) / fmaxf(fabsf(expect), 1);

		worst = fmaxf(worst, error);
	}
	tap_ok(worst < 1e-4f, "its scores are ONNX Runtime's (off by %.2g)", worst);
	tensor_data_free(&in);
	tensor_data_free(&out);
	digits_run_fini(&r);
}

int main(int argc, char **argv)
{
	struct compile_error err = {};
	struct mnist *set;

	if (argc == 3) {
		digits_device = argv[1];
		digits = atoi(argv[2]);
	}
	if (!models_present("onnx/mnist/model.onnx")) {
		tap_skip("published digit classifiers", "there are no models: see RONDO_MODELS");
		return tap_done();
	}
	set = mnist_load(&err);
	if (!tap_ok(set, "the digits %s", err.text))
		return tap_done();
	test_network("mnist", set, 0, 1);
	test_network("mnist_pytorch", set, .1307f * 255, 1 / (.3081f * 255));
	test_reference();
	free(set);
	return tap_done();
}
