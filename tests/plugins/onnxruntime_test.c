// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The execution provider in a library of ONNX Runtime that nobody here has built: LIBRARY PLUGIN.
 * Run at the top of the source tree. What a session with it gives is what the library's own CPU
 * provider gives.
 */
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "plugins/onnxruntime/abi.h"
#include "spec/env.h"
#include "tests/models.h"
#include "tests/tap.h"

enum { TENSORS_MAX = 8, RANK_MAX = 8, OPTIONS_MAX = 8, THREADS = 4, TYPE_F32 = 1, TYPE_S64 = 7 };

static const struct ort_table *api;
static void *env;
static const void *device; /* ours */
static char dir[] = "/tmp/rondo-ort-XXXXXX";
static char said[65536]; /* what was logged since it was cleared */
static char error[1024]; /* of the last call that failed */
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_log(void *context, int level, const char *category, const char *id,
		     const char *where, const char *text)
{
	size_t length;

	(void)context, (void)level, (void)category, (void)id, (void)where;
	pthread_mutex_lock(&said_lock);
	length = strlen(said);
	snprintf(said + length, sizeof(said) - length, "%s\n", text);
	pthread_mutex_unlock(&said_lock);
}

/* Whether a call went well; else the reason is in error. */
static bool went(void *status)
{
	if (!status)
		return true;
	snprintf(error, sizeof(error), "%s", ORT(api, GetErrorMessage)(status));
	ORT(api, ReleaseStatus)(status);
	return false;
}

static void must(void *status)
{
	if (went(status))
		return;
	printf("Bail out! %s\n", error);
	exit(1);
}

/* ---- Files --------------------------------------------------------------------------------- */

static const char *in_dir(const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static const char *make_onnx(const char *name, const char *graph)
{
	const char *path = in_dir(name);
	char command[1024];

	snprintf(command, sizeof(command), "python3 -IS tests/cli/files.py onnx %s '%s'", path,
		 graph);
	if (system(command))
		exit(1);
	return path;
}

/* The file's content with a zero behind it, for free(). */
static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 24);

	*size = 0;
	if (file) {
		*size = fread(text, 1, (1 << 24) - 1, file);
		fclose(file);
	}
	return text;
}

static bool file_has(const char *path, const char *what)
{
	size_t size;
	char *text = read_file(path, &size);
	bool has = memmem(text, size, what, strlen(what));

	free(text);
	return has;
}

/* ---- Sessions ------------------------------------------------------------------------------ */

/* How to make a session. */
struct way {
	const char *keys[OPTIONS_MAX], *values[OPTIONS_MAX]; /* of our provider */
	const char *config[2][2]; /* of the session: key, value */
	const char *dim; /* a dimension that becomes 2 */
	bool cpu; /* without our provider */
	bool fallback; /* nodes may be the CPU's */
};

static void *open_session(const char *path, const struct way *way)
{
	void *options, *session = NULL;
	size_t count = 0;
	bool good;

	must(ORT(api, CreateSessionOptions)(&options));
	must(ORT(api, SetIntraOpNumThreads)(options, 1));
	if (!way->cpu && !way->fallback)
		must(ORT(api, AddSessionConfigEntry)(options, "session.disable_cpu_ep_fallback",
						     "1"));
	for (int i = 0; i < 2 && way->config[i][0]; i++)
		must(ORT(api, AddSessionConfigEntry)(options, way->config[i][0],
						     way->config[i][1]));
	if (way->dim)
		must(ORT(api, AddFreeDimensionOverrideByName)(options, way->dim, 2));
	while (way->keys[count])
		count++;
	good = way->cpu || went(ORT(api, SessionOptionsAppendExecutionProvider_V2)(
				   options, env, &device, 1, way->keys, way->values, count));
	if (good && !went(ORT(api, CreateSession)(env, path, options, &session)))
		session = NULL;
	ORT(api, ReleaseSessionOptions)(options);
	return session;
}

/* Tensors of a run. */
struct results {
	u32 count;
	size_t size[TENSORS_MAX];
	int type[TENSORS_MAX];
	void *bytes[TENSORS_MAX]; /* for free() */
};

static void results_free(struct results *r)
{
	for (u32 i = 0; i < r->count; i++)
		free(r->bytes[i]);
	r->count = 0;
}

/* Numbers that are the same in each run: f32 in -1..1, s64 all 1, others any bytes. */
static void fill(void *bytes, size_t size, int type)
{
	u32 state = 12345;

	for (size_t i = 0; i < size / 4; i++) {
		state = state * 1664525 + 1013904223;
		if (type == TYPE_F32)
			((float *)bytes)[i] = (float)(state >> 8) / (1 << 23) - 1;
		else
			((u32 *)bytes)[i] = type != TYPE_S64 ? state : i % 2 == 0;
	}
}

static size_t type_bytes(int type)
{
	return type == TYPE_F32 || type == 6 ? 4 : type == TYPE_S64 ? 8 : 1;
}

static void make_input(const void *session, size_t index, const void *memory, void **value,
		       void **bytes)
{
	int64_t dims[RANK_MAX];
	size_t rank, size = 1;
	const void *tensor;
	void *type;
	int element;

	must(ORT(api, SessionGetInputTypeInfo)(session, index, &type));
	must(ORT(api, CastTypeInfoToTensorInfo)(type, &tensor));
	must(ORT(api, GetTensorElementType)(tensor, &element));
	must(ORT(api, GetDimensionsCount)(tensor, &rank));
	must(ORT(api, GetDimensions)(tensor, dims, rank));
	ORT(api, ReleaseTypeInfo)(type);
	for (size_t i = 0; i < rank; i++) {
		dims[i] = dims[i] < 0 ? 1 : dims[i];
		size *= (size_t)dims[i];
	}
	size *= type_bytes(element);
	*bytes = calloc(1, size + 8);
	fill(*bytes, size, element);
	must(ORT(api, CreateTensorWithDataAsOrtValue)(memory, *bytes, size, dims, rank, element,
						      value));
}

static void take_output(void *value, struct results *out)
{
	u32 i = out->count++;
	void *shape, *data;

	must(ORT(api, GetTensorTypeAndShape)(value, &shape));
	must(ORT(api, GetTensorElementType)(shape, &out->type[i]));
	ORT(api, ReleaseTensorTypeAndShapeInfo)(shape);
	must(ORT(api, GetTensorSizeInBytes)(value, &out->size[i]));
	must(ORT(api, GetTensorMutableData)(value, &data));
	out->bytes[i] = malloc(out->size[i] + 1);
	memcpy(out->bytes[i], data, out->size[i]);
	ORT(api, ReleaseValue)(value);
}

static bool run(void *session, struct results *out)
{
	char *names[2 * TENSORS_MAX] = {};
	void *values[2 * TENSORS_MAX] = {}, *bytes[TENSORS_MAX] = {}, *allocator, *memory;
	size_t ins, outs;
	bool good;

	must(ORT(api, GetAllocatorWithDefaultOptions)(&allocator));
	must(ORT(api, CreateCpuMemoryInfo)(0, 0, &memory));
	must(ORT(api, SessionGetInputCount)(session, &ins));
	must(ORT(api, SessionGetOutputCount)(session, &outs));
	for (size_t i = 0; i < ins; i++) {
		must(ORT(api, SessionGetInputName)(session, i, allocator, &names[i]));
		make_input(session, i, memory, &values[i], &bytes[i]);
	}
	for (size_t i = 0; i < outs; i++)
		must(ORT(api, SessionGetOutputName)(session, i, allocator, &names[ins + i]));
	good = went(ORT(api, Run)(session, NULL, (const char *const *)names,
				  (const void *const *)values, ins,
				  (const char *const *)names + ins, outs, values + ins));
	out->count = 0;
	for (size_t i = 0; i < outs && good; i++)
		take_output(values[ins + i], out);
	for (size_t i = 0; i < ins + outs; i++)
		must(ORT(api, AllocatorFree)(allocator, names[i]));
	for (size_t i = 0; i < ins; i++) {
		ORT(api, ReleaseValue)(values[i]);
		free(bytes[i]);
	}
	ORT(api, ReleaseMemoryInfo)(memory);
	return good;
}

/* Runs the model once; false, with the reason in error, if it did not. */
static bool run_model(const char *path, const struct way *way, struct results *out)
{
	void *session = open_session(path, way);
	bool good = session && run(session, out);

	if (session)
		ORT(api, ReleaseSession)(session);
	return good;
}

/* Floats within 1e-5 + 1e-3 of the number, all else exactly. */
static bool same(const struct results *a, const struct results *b)
{
	if (a->count != b->count)
		return false;
	for (u32 i = 0; i < a->count; i++) {
		if (a->type[i] != b->type[i] || a->size[i] != b->size[i])
			return false;
		if (a->type[i] != TYPE_F32 && memcmp(a->bytes[i], b->bytes[i], a->size[i]) != 0)
			return false;
		for (size_t k = 0; a->type[i] == TYPE_F32 && k < a->size[i] / sizeof(float); k++) {
			float x = ((float *)a->bytes[i])[k], y = ((float *)b->bytes[i])[k];

			if (!(fabsf(x - y) <= 1e-5f + 1e-3f * fabsf(y)))
				return false;
		}
	}
	return true;
}

/* The model gives with our provider what it gives without. */
static void compare(const char *name, const char *path, const struct way *way)
{
	const struct way cpu = { .cpu = true, .dim = way->dim };
	struct results ours = {}, theirs = {};

	*error = '\0';
	if (!tap_ok(run_model(path, &cpu, &theirs) && run_model(path, way, &ours) &&
			    same(&ours, &theirs) && ours.count && ours.size[0],
		    "%s: as the CPU provider", name))
		printf("# %s\n", error);
	results_free(&ours);
	results_free(&theirs);
}

static void refused(const char *name, const char *path, const struct way *way, const char *reason)
{
	struct results out = {};

	if (!tap_ok(!run_model(path, way, &out) && strstr(error, reason), "%s", name))
		printf("# %s\n", error);
	results_free(&out);
}

#define ALL                          \
	{ "device", "require_all" }, \
	{                            \
		"emu", "1"           \
	}

/* ---- Cases --------------------------------------------------------------------------------- */

static void test_small(void)
{
	const char *report = in_dir("report");
	const struct way all = { .keys = { "device", "require_all", "report" },
				 .values = { "emu", "1", report } };
	const char *attributes = make_onnx("pool.onnx",
					   "in x f32 1 4 6 6; out y f32 1 4 1 1; out z f32 1 4 6 6;"
					   "GlobalAveragePool x -> y; const w f32 4 1 1 = 1 2 3 4;"
					   "Mul x w -> m; Relu m -> z");

	compare("the digit model", "demo/digits.onnx", &all);
	tap_ok(file_has(report, "\"taken\": true") && !file_has(report, "false"),
	       "all of its nodes are taken");
	compare("two outputs and a constant", attributes, &all);
	compare("two inputs",
		make_onnx("add.onnx", "in x f32 4 5; in z f32 4 5; out y f32 4 5; Sub x z -> y"),
		&all);
}

/* What our own interpreter says of the digit model on the same numbers. */
static bool interpret(struct results *out)
{
	const struct compile_options options = {};
	struct compile_error err = {};
	struct tensor_data in, result;
	struct graph *g;
	size_t size;
	void *bytes;
	bool good;

	if (compile_read_file("demo/digits.onnx", &bytes, &size, &err) ||
	    compile_graph_from_onnx(bytes, size, "digits", &options, &g, &err))
		return false;
	good = tensor_data_alloc(&in, DTYPE_F32, &g->inputs.v[0]->shape);
	fill(in.bytes, in.size, TYPE_F32);
	good = good && !graph_eval(g, &in, &result, &err);
	tensor_data_free(&in);
	graph_free(g);
	free(bytes);
	if (good)
		*out = (struct results){ 1, { result.size }, { TYPE_F32 }, { result.bytes } };
	return good;
}

static void test_interpreter(void)
{
	const struct way all = { ALL, .cpu = false };
	struct results ours = {}, interpreted = {};

	tap_ok(run_model("demo/digits.onnx", &all, &ours) && interpret(&interpreted) &&
		       same(&ours, &interpreted),
	       "the digit model: as the interpreter");
	results_free(&ours);
	results_free(&interpreted);
}

/* Nodes that we do not take, between others that we do. */
static void test_mixed(void)
{
	const char *report = in_dir("mixed");
	const struct way mixed = { .keys = { "device", "report" },
				   .values = { "emu", report },
				   .fallback = true };
	const struct way all = { ALL, .fallback = true };
	const char *path =
		make_onnx("mixed.onnx",
			  "in x f32 2 2 4 4; in rois f32 3 4; in batch s64 3; out y f32 3 2 1 1;"
			  "Relu x -> a; RoiAlign a rois batch -> d; Exp d -> e; ReduceMax a -> g;"
			  "Mul e g -> y");

	*said = '\0';
	compare("nodes that are not taken between others", path, &mixed);
	tap_ok(file_has(report, "\"operator\": \"RoiAlign\", \"taken\": false, \"reason\": \"") &&
		       file_has(report, "\"operator\": \"Exp\", \"taken\": true") &&
		       file_has(report, "\"operator\": \"Relu\", \"taken\": true"),
	       "the report names each node");
	tap_ok(strstr(said, "rondo does not take node \"d\" (RoiAlign): "), "and so does the log");
	refused("all or nothing: the node and the reason", path, &all, "(RoiAlign): ");
}

static void test_dims(void)
{
	const struct way all = { ALL, .fallback = true }, two = { ALL, .dim = "batch" };
	const char *path =
		make_onnx("open.onnx", "in x f32 batch 3; out y f32 batch 3; Relu x -> y");

	refused("a shape that is not known",
		make_onnx("tile.onnx", "in x f32 3 3; in r s64 2; out y f32 n m;"
				       "Relu x -> a; Tile a r -> d; Exp d -> y"),
		&all, "nodes are not taken; the first is ");
	refused("an open dimension", path, &all, "dimension 0 of its input \"x\" is open");
	compare("that the user sets", path, &two);
}

static void test_options(void)
{
	const char *digits = "demo/digits.onnx";
	const struct way device_way = { .keys = { "device" }, .values = { "emu:none" } };
	const struct way flag = { .keys = { "device", "require_all" }, .values = { "emu", "yes" } };
	const struct way instances = { .keys = { "device", "instances" },
				       .values = { "emu", "17" } };
	const struct way report = { .keys = { "device", "report" },
				    .values = { "emu", "/dev/full" } };

	refused("no such machine", digits, &device_way, "emu:none: there is no machine");
	refused("no such flag", digits, &flag, "ep.rondo.require_all is 0 or 1, not \"yes\"");
	refused("too many instances", digits, &instances, "ep.rondo.instances is 1 to 16");
	refused("a report onto a full disk", digits, &report, "No space left");
}

/* Writes a copy of the file @from with the byte at @at changed. */
static void damage(const char *from, const char *to, size_t at)
{
	size_t size;
	char *text = read_file(from, &size);
	FILE *file = fopen(to, "w");

	text[at] ^= 0x55;
	fwrite(text, 1, size, file);
	fclose(file);
	free(text);
}

static void test_context(void)
{
	const char *context = in_dir("digits_ctx.onnx"), *broken = in_dir("broken_ctx.onnx");
	const struct way all = { ALL, .cpu = false };
	const struct way make = { ALL, .config = { { "ep.context_enable", "1" },
						   { "ep.context_file_path", context } } };
	struct results made = {}, loaded = {};
	size_t size;
	char *text, *program;

	tap_ok(run_model("demo/digits.onnx", &make, &made),
	       "a session that writes a model with context nodes");
	text = read_file(context, &size);
	program = memmem(text, size, "RNDF", 4);
	if (!tap_ok(program, "which holds a .rnd file")) {
		free(text);
		results_free(&made);
		return;
	}
	tap_ok(run_model(context, &all, &loaded) && loaded.count == 1 && made.count == 1 &&
		       loaded.size[0] == made.size[0] &&
		       !memcmp(loaded.bytes[0], made.bytes[0], made.size[0]),
	       "and runs, bit for bit the same");
	damage(context, broken, (size_t)(program - text) + 5);
	refused("a damaged one is refused", broken, &all, "rondo: ");
	free(text);
	results_free(&made);
	results_free(&loaded);
}

static void *run_often(void *session)
{
	struct results first = {}, out = {};
	bool good = run(session, &first);

	for (int i = 0; i < 5 && good; i++) {
		good = run(session, &out) && same(&first, &out);
		results_free(&out);
	}
	results_free(&first);
	return good ? session : NULL;
}

static void test_threads(void)
{
	const struct way two = { .keys = { "device", "instances" }, .values = { "emu", "2" } };
	void *session = open_session("demo/digits.onnx", &two), *result;
	pthread_t thread[THREADS];
	int good = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, run_often, session);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		good += result == session;
	}
	tap_eq(good, THREADS, "threads that share two instances");
	ORT(api, ReleaseSession)(session);
}

/*
 * Few of them, or @all whose dimensions stand. Not mobilenet_v2_quant: on numbers at random the CPU
 * provider of this library gives others than the program, with and without the plugin.
 */
static void test_shared(bool all)
{
	static const char *const names[] = {
		"onnx/mnist",
		"onnx/ort_conv_qdq_u8u8",
		"onnx/ort_conv_qdq_s8s8",
		"onnx/cct_1_16_16_128",
		"onnx/cct_2_32_32_128_opset20",
		"onnx/light_resnet50",
		"onnx/light_shufflenet",
		"onnx/light_squeezenet",
		"onnx/shufflenet_v2_int8",
		"onnx/ultraface_rfb320",
	};
	enum { FEW = 2, COUNT = sizeof(names) / sizeof(names[0]) };
	const struct way way = { .keys = { "device" }, .values = { "emu" }, .fallback = true };
	char path[512], file[256];

	for (size_t i = 0; i < (all ? COUNT : FEW); i++) {
		snprintf(file, sizeof(file), "%s/model.onnx", names[i]);
		if (models_present(file))
			compare(names[i], models_path(path, sizeof(path), file), &way);
		else
			tap_skip(names[i], "the shared models are not there");
	}
}

/* ---- The library --------------------------------------------------------------------------- */

static bool find_device(void)
{
	const void *const *devices;
	size_t count;

	must(ORT(api, GetEpDevices)(env, &devices, &count));
	for (size_t i = 0; i < count; i++)
		if (!strcmp(ORT(api, EpDevice_EpName)(devices[i]), "rondo"))
			device = devices[i];
	return device;
}

static void open_library(const char *library, const char *plugin)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	ort_get_base get_base = handle ? (ort_get_base)dlsym(handle, "OrtGetApiBase") : NULL;

	if (!get_base) {
		printf("Bail out! %s\n", dlerror());
		exit(1);
	}
	api = get_base()->get_table(ORT_VERSION);
	if (!tap_ok(api, "ONNX Runtime %s", get_base()->get_version()))
		exit(tap_done());
	must(ORT(api, CreateEnvWithCustomLogger)(take_log, NULL, ORT_WARNING, "test", &env));
	must(ORT(api, RegisterExecutionProviderLibrary)(env, "rondo", plugin));
	if (!tap_ok(find_device(), "the plugin registers, and has a device"))
		exit(tap_done());
}

int main(int argc, char **argv)
{
	char command[64];

	if (argc < 3 || !mkdtemp(dir))
		return 1;
	open_library(argv[1], argv[2]);
	test_small();
	test_interpreter();
	test_mixed();
	test_dims();
	test_options();
	test_context();
	test_threads();
	test_shared(argc > 3);
	must(ORT(api, UnregisterExecutionProviderLibrary)(env, "rondo"));
	ORT(api, ReleaseEnv)(env);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if (system(command))
		return 1;
	return tap_done();
}
