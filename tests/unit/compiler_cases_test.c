// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Models that once failed, found by trying the product: each folder of $RONDO_CASES (else
 * ../shared/cases) with a model.onnx, an in0.npy for its input x0 and an expected.json, of which
 * the reader here takes what its writer writes:
 *
 *   {"names": ["y"], "out": {"y": {"type": "float32", "dims": [3], "data": [0, "nan", 3]}}}
 *   {"err": "the model is to be refused, in other words"}
 *
 * The compiled program runs on the checking executor. The folder compile_bounded holds models that
 * may be refused or not, but by node and reason. No message may call anything an internal error.
 */
#include "compiler/compiler.h"
#include "core/machine.h"
#include "tests/network_run.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

/* Where values are expected that need what is not mapped: the right refusal. */
static const struct {
	const char *name, *reason;
} refused[] = {
	{ "bn_outputs_unused", "training is not supported" },
};

enum { PATH_BYTES = 512, OUTPUTS_MAX = 8 };

static const char *cases_root(void)
{
	const char *root = getenv("RONDO_CASES");

	return root && root[0] ? root : "../shared/cases";
}

/* The text of a file, for free(); NULL if there is none. */
static char *read_text(const char *dir, const char *name)
{
	struct compile_error err = { 0 };
	char path[PATH_BYTES];
	size_t size;
	void *bytes;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, R_OK) || compile_read_file(path, &bytes, &size, &err))
		return NULL;
	((char *)bytes)[size] = 0; /* compile_read_file() leaves room for it */
	return bytes;
}

/* Behind @key, from @at on; NULL if it is not there. */
static const char *behind(const char *at, const char *key)
{
	at = at ? strstr(at, key) : NULL;
	return at ? at + strlen(key) : NULL;
}

/* The number at *@at, which may be quoted, and steps behind it and a comma. */
static double take_number(const char **at)
{
	char *end;
	double d;

	*at += strspn(*at, " \"");
	d = strtod(*at, &end);
	*at = end + strspn(end, " \",");
	return d;
}

/* Allocates *@t for output @name of @json, as its type and dimensions say; its data, or NULL. */
static const char *find_output(const char *json, const char *name, struct tensor_data *t)
{
	static const struct {
		const char *numpy;
		enum dtype dtype;
	} types[] = { { "float32", DTYPE_F32 }, { "int64", DTYPE_S64 }, { "bool", DTYPE_BOOL } };
	struct shape shape = { 0 };
	char key[128];
	const char *at;

	snprintf(key, sizeof(key), "\"%.80s\": {\"type\": \"", name);
	json = behind(json, key);
	at = behind(json, "\"dims\": [");
	while (at && *at != ']' && shape.rank < TENSOR_RANK_MAX)
		shape.dim[shape.rank++] = (s64)take_number(&at);
	for (size_t i = 0; at && i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strncmp(json, types[i].numpy, strlen(types[i].numpy)) &&
		    tensor_data_alloc(t, types[i].dtype, &shape))
			return behind(at, "\"data\": [");
	}
	return NULL;
}

static double element(const struct tensor_data *t, s64 i)
{
	switch (t->dtype) {
	case DTYPE_F32:
		return ((const float *)t->bytes)[i];
	case DTYPE_S64:
		return (double)((const s64 *)t->bytes)[i];
	default:
		return ((const u8 *)t->bytes)[i];
	}
}

/* Whether @t holds the numbers at @at, but for roundings. */
static bool equals(const struct tensor_data *t, const char *at)
{
	for (s64 i = 0; i < shape_elems(&t->shape); i++) {
		double want = take_number(&at), have = element(t, i);

		if (!(fabs(want - have) <= 1e-6 + 1e-5 * fabs(want)) && want != have &&
		    !(isnan(want) && isnan(have))) {
			printf("# element %lld is %g, expected %g\n", (long long)i, have, want);
			return false;
		}
	}
	return *at == ']';
}

/* Compiles the model in @dir; the code of *@err. */
static int compile(const char *dir, const char *name, const struct tensor_data *x,
		   struct compiled *out, struct compile_error *err)
{
	const struct compile_shape shape = { "x0", x ? x->shape : (struct shape){ 0 } };
	const struct compile_options options = { .shapes = &shape, .n_shapes = !!x };
	struct rondo_machine machine;
	char path[PATH_BYTES];
	size_t size;
	void *bytes;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (compile_read_file(path, &bytes, &size, err))
		return err->code;
	compile_model(bytes, size, name, &options, &machine, out, err);
	free(bytes);
	return err->code;
}

/* Runs @c on @x and compares each output that @json lists. */
static bool run(const struct compiled *c, const struct tensor_data *x, const char *json)
{
	struct tensor_data y[OUTPUTS_MAX] = { 0 };
	const char *data[OUTPUTS_MAX], *at = behind(json, "\"names\": [");
	char why[RUN_WHY_BYTES] = "", name[80];
	struct rondo_machine machine;
	int n = 0, used;
	bool good = true;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	for (; at && good && n < OUTPUTS_MAX; n++) {
		at += strspn(at, " ,");
		if (sscanf(at, "\"%79[^\"]\"%n", name, &used) != 1)
			break;
		at += used;
		data[n] = find_output(json, name, &y[n]);
		good = data[n];
	}
	good = good && n && network_run(c, &machine, x, y, why);
	for (int i = 0; i < n && good; i++)
		good = equals(&y[i], data[i]);
	if (!good && why[0])
		printf("# %s\n", why);
	for (int i = 0; i < OUTPUTS_MAX; i++)
		tensor_data_free(&y[i]);
	return good;
}

static const char *reason_for(const char *name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!strcmp(refused[i].name, name))
			return refused[i].reason;
	}
	return "";
}

static void test_values(const char *dir, const char *name, const char *json)
{
	struct compile_error err = { 0 };
	struct tensor_data x = { 0 };
	struct compiled c = { 0 };
	char path[PATH_BYTES];
	bool good;

	snprintf(path, sizeof(path), "%s/in0.npy", dir);
	if (tensor_load(path, &x, &err)) {
		tap_ok(false, "%s: %s", name, err.text);
		return;
	}
	compile(dir, "model.onnx", &x, &c, &err);
	if (behind(json, "{\"err\":") || *reason_for(name))
		good = err.code && strstr(err.text, reason_for(name)) &&
		       !strstr(err.text, "internal error");
	else
		good = !err.code && run(&c, &x, json);
	if (!tap_ok(good, "%s", name) || err.code)
		printf("# %s\n", err.text);
	compiled_free(&c);
	tensor_data_free(&x);
}

static void test_bounded(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct compile_error err = { 0 };
		struct compiled c = { 0 };

		if (!strstr(entry->d_name, ".onnx"))
			continue;
		compile(dir, entry->d_name, NULL, &c, &err);
		compiled_free(&c);
		tap_ok(!err.code ||
			       (strstr(err.text, "node \"") && !strstr(err.text, "internal error")),
		       "%s: %s", entry->d_name, err.code ? err.text : "compiles");
	}
	if (d)
		closedir(d);
}

static void test_case(const char *name)
{
	char dir[PATH_BYTES / 2], *json;

	snprintf(dir, sizeof(dir), "%s/%.60s", cases_root(), name);
	if (!strcmp(name, "compile_bounded")) {
		test_bounded(dir);
		return;
	}
	json = read_text(dir, "expected.json");
	if (json)
		test_values(dir, name, json);
	free(json);
}

int main(void)
{
	struct dirent **names;
	int n = scandir(cases_root(), &names, NULL, alphasort);

	if (n < 0)
		tap_skip("cases", "there is no directory $RONDO_CASES, nor ../shared/cases");
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			test_case(names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return tap_done();
}
