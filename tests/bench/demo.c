// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * demo_replay_ms: wall time of one replay of the demo model in the in-process emulator, the least
 * of 200. mnist_accuracy, mnist_pytorch_accuracy: of two published models over all 10,000 digits
 * of MNIST; the targets are what ONNX Runtime reaches.
 */
#include "tests/bench/paired.h"
#include "tests/digits_run.h"
#include "tests/models.h"

enum { REPLAYS = 200 };

static bool demo_replay(void)
{
	double best = 1e9, start, took;
	struct digits_run r;
	int i, failed = 0;

	if (!digits_run_init(&r, "demo/digits.onnx"))
		return false;
	for (i = 0; i < REPLAYS; i++) {
		start = bench_s(CLOCK_MONOTONIC);
		failed += digits_run_once(&r) < 0;
		took = (bench_s(CLOCK_MONOTONIC) - start) * 1e3;
		best = took < best ? took : best;
	}
	digits_run_fini(&r);
	if (failed)
		return false;
	bench_figure("demo_replay_ms", best, "ms");
	return true;
}

static bool accuracy(const char *name, const struct mnist *set, float mean, float scale)
{
	struct digits_run r;
	char path[512], rest[64];
	double percent;

	snprintf(rest, sizeof(rest), "onnx/%s/model.onnx", name);
	if (!digits_run_init(&r, models_path(path, sizeof(path), rest)))
		return false;
	percent = digits_run_right(&r, set, 0, MNIST_COUNT, mean, scale) * 100. / MNIST_COUNT;
	digits_run_fini(&r);
	snprintf(rest, sizeof(rest), "%s_accuracy", name);
	bench_figure(rest, percent, "%");
	return true;
}

int main(void)
{
	struct compile_error err = {};
	struct mnist *set;
	bool good = demo_replay();

	fflush(stdout);
	set = mnist_load(&err);
	if (!set) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	good &= accuracy("mnist", set, 0, 1);
	good &= accuracy("mnist_pytorch", set, .1307f * 255, 1 / (.3081f * 255));
	free(set);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
