// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What ONNX Runtime and our execution provider add to a replay of the demo model, ep_added_us: the
 * median of a session's runs less that of bare replays in this process; both take turns. Run at the
 * top of the source tree; the plugin stands in build/release, the runtime is npm's.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "plugins/onnxruntime/abi.h"
#include "tests/bench/paired.h"
#include "tests/digits_run.h"

enum { ROUNDS = 2000, WARM = 100, INPUTS = 28 * 28, OUTPUTS = 10, TYPE_F32 = 1 };

static const struct ort_table *api;

struct side {
	struct digits_run run; /* the bare replay */
	void *env, *session, *input, *output;
	char *names[2]; /* of the input and the output */
	float image[INPUTS], scores[OUTPUTS];
};

/* Whether a call went well. */
static bool went(void *status)
{
	if (status)
		printf("# %s\n", ORT(api, GetErrorMessage)(status));
	return !status;
}

static bool open_library(void)
{
	FILE *pipe = popen("scripts/onnxruntime.sh library 2>/dev/null", "r");
	char path[4096] = "";
	ort_get_base get_base = NULL;
	void *library;

	if (pipe && fgets(path, sizeof(path), pipe)) {
		path[strcspn(path, "\n")] = '\0';
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		get_base = library ? (ort_get_base)dlsym(library, "OrtGetApiBase") : NULL;
	}
	if (pipe)
		pclose(pipe);
	api = get_base ? get_base()->get_table(ORT_VERSION) : NULL;
	return api;
}

/* The first device that is ours. */
static const void *find_device(void *env)
{
	const void *const *devices;
	size_t count;

	if (!went(ORT(api, GetEpDevices)(env, &devices, &count)))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(ORT(api, EpDevice_EpName)(devices[i]), "rondo"))
			return devices[i];
	return NULL;
}

static bool open_session(struct side *s)
{
	const char *const keys[] = { "device", "require_all" }, *const values[] = { "emu", "1" };
	char *plugin = realpath("build/release/plugins/onnxruntime/librondo-onnxruntime.so", NULL);
	const void *device;
	void *options;
	bool good;

	good = plugin && went(ORT(api, CreateEnv)(ORT_ERROR, "bench", &s->env)) &&
	       went(ORT(api, RegisterExecutionProviderLibrary)(s->env, "rondo", plugin));
	free(plugin);
	device = good ? find_device(s->env) : NULL;
	if (!device || !went(ORT(api, CreateSessionOptions)(&options)))
		return false;
	good = went(ORT(api, SetIntraOpNumThreads)(options, 1)) &&
	       went(ORT(api, SessionOptionsAppendExecutionProvider_V2)(options, s->env, &device, 1,
								       keys, values, 2)) &&
	       went(ORT(api, CreateSession)(s->env, "demo/digits.onnx", options, &s->session));
	ORT(api, ReleaseSessionOptions)(options);
	return good;
}

/* Both tensors are ours, so that a run allocates nothing. */
static bool make_tensors(struct side *s)
{
	const int64_t in[] = { 1, 1, 28, 28 }, out[] = { 1, OUTPUTS };
	void *memory, *allocator;
	bool good;

	good = went(ORT(api, GetAllocatorWithDefaultOptions)(&allocator)) &&
	       went(ORT(api, SessionGetInputName)(s->session, 0, allocator, &s->names[0])) &&
	       went(ORT(api, SessionGetOutputName)(s->session, 0, allocator, &s->names[1])) &&
	       went(ORT(api, CreateCpuMemoryInfo)(0, 0, &memory));
	if (!good)
		return false;
	good = went(ORT(api, CreateTensorWithDataAsOrtValue)(memory, s->image, sizeof(s->image), in,
							     4, TYPE_F32, &s->input)) &&
	       went(ORT(api, CreateTensorWithDataAsOrtValue)(memory, s->scores, sizeof(s->scores),
							     out, 2, TYPE_F32, &s->output));
	ORT(api, ReleaseMemoryInfo)(memory);
	return good;
}

static bool run_session(struct side *s)
{
	return went(ORT(api, Run)(s->session, NULL, (const char *const *)&s->names[0],
				  (const void *const *)&s->input, 1,
				  (const char *const *)&s->names[1], 1, &s->output));
}

static bool replay(struct side *s)
{
	return !accel_session_start(s->run.session) &&
	       !accel_session_wait(s->run.session, ACCEL_FOREVER);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static bool measure(struct side *s)
{
	bool (*const sides[2])(struct side *) = { replay, run_session };
	static double us[2][ROUNDS];
	double start;

	for (int i = -WARM; i < ROUNDS; i++)
		for (int k = 0; k < 2; k++) {
			start = bench_s(CLOCK_MONOTONIC);
			if (!sides[k](s))
				return false;
			if (i >= 0)
				us[k][i] = (bench_s(CLOCK_MONOTONIC) - start) * 1e6;
		}
	for (int k = 0; k < 2; k++)
		qsort(us[k], ROUNDS, sizeof(double), compare);
	printf("# medians in us: replay %.1f, session %.1f; fastest: %.1f, %.1f\n",
	       us[0][ROUNDS / 2], us[1][ROUNDS / 2], us[0][0], us[1][0]);
	bench_figure("ep_added_us", us[1][ROUNDS / 2] - us[0][ROUNDS / 2], "us");
	return true;
}

int main(void)
{
	static struct side s;
	bool good;

	if (!open_library()) {
		printf("# there is no ONNX Runtime\nep_added_us - us\n");
		return EXIT_SUCCESS;
	}
	if (!digits_run_init(&s.run, "demo/digits.onnx"))
		return EXIT_FAILURE;
	good = open_session(&s) && make_tensors(&s) && measure(&s);
	if (s.session)
		ORT(api, ReleaseSession)(s.session);
	digits_run_fini(&s.run);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
