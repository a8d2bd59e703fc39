/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The ONNX project's backend tests through the reader, the passes and the interpreter: every model
 * whose operators are in ops.def must give the expected outputs, before and after normalisation,
 * or stand in the table of refusals below with its reason; every other model must be refused for
 * its operator. None is passed over: the three counts add up to the directories found.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "tests/models.h"
#include "tests/network_run.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>

#define TENSORS_MAX 16

/* What this compiler does not map although it knows the operator, and the reason it must give. */
static const struct {
	const char *test, *reason;
} refusals[] = {
	{ "test_add_uint8", "it takes f32" },
	{ "test_averagepool_3d_default", "3 spatial dimensions" },
	{ "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False",
	  "3 spatial dimensions" },
	{ "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False",
	  "3 spatial dimensions" },
	{ "test_averagepool_3d_dilations_small", "3 spatial dimensions" },
	{ "test_batchnorm_epsilon_training_mode", "training_mode = 1 is not supported" },
	{ "test_clip_default_int8_inbounds", "it takes f32" },
	{ "test_div_int8", "it takes f32" },
	{ "test_div_uint8", "it takes f32" },
	{ "test_maxpool_3d_dilations", "3 spatial dimensions" },
	{ "test_maxpool_3d_dilations_use_ref_impl_large", "3 spatial dimensions" },
	{ "test_mul_int8", "it takes f32" },
	{ "test_mul_uint8", "it takes f32" },
	{ "test_quantizelinear_blocked_asymmetric", "block_size = " },
	{ "test_reshape_allowzero_reordered", "has no elements" }, /* no .rnd file can hold it */
	{ "test_sub_int8", "it takes f32" },
	{ "test_sub_uint8", "it takes f32" },
};

struct suite {
	int passed, refused, other_operator, directories;
};

/* One model with its first set of data. */
struct model {
	char dir[512];
	void *bytes;
	size_t size;
	const char *names[TENSORS_MAX]; /* of the inputs */
	struct tensor_data in[TENSORS_MAX], out[TENSORS_MAX];
	size_t n_in, n_out;
	struct graph *all_live; /* for the names; as the model has it */
};

static size_t load_tensors(const char *dir, const char *kind, struct tensor_data *t)
{
	struct compile_error err = { 0 };
	char path[640];
	size_t n = 0;

	while (n < TENSORS_MAX) {
		snprintf(path, sizeof(path), "%s/test_data_set_0/%s_%zu.pb", dir, kind, n);
		if (access(path, R_OK) || tensor_load(path, &t[n], &err))
			break;
		n++;
	}
	return n;
}

static int load(struct model *m, struct compile_error *err)
{
	char path[640];
	int rc;

	snprintf(path, sizeof(path), "%s/model.onnx", m->dir);
	rc = compile_read_file(path, &m->bytes, &m->size, err);
	if (!rc)
		rc = onnx_read_graph(m->bytes, m->size, "model.onnx", NULL, &m->all_live, err);
	if (rc)
		return rc;
	m->n_in = load_tensors(m->dir, "input", m->in);
	m->n_out = load_tensors(m->dir, "output", m->out);
	for (size_t i = 0; i < m->all_live->inputs.n && i < TENSORS_MAX; i++)
		m->names[i] = m->all_live->inputs.v[i]->name;
	return 0;
}

static void unload(struct model *m)
{
	for (size_t i = 0; i < m->n_in; i++)
		tensor_data_free(&m->in[i]);
	for (size_t i = 0; i < m->n_out; i++)
		tensor_data_free(&m->out[i]);
	graph_free(m->all_live);
	free(m->bytes);
}

/* ONNX's own criterion: |a - b| <= 1e-7 + 1e-3 |b|. */
static bool is_close(const struct tensor_data *a, const struct tensor_data *b)
{
	const float *x = a->bytes, *y = b->bytes;

	if (a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape))
		return false;
	if (a->dtype != DTYPE_F32)
		return !memcmp(a->bytes, b->bytes, a->size);
	for (int64_t i = 0; i < shape_elems(&a->shape); i++) {
		if (!(fabsf(x[i] - y[i]) <= 1e-7f + 1e-3f * fabsf(y[i])) && x[i] != y[i])
			return false;
	}
	return true;
}

static bool evaluates(const struct model *m, const struct graph *g, size_t live,
		      struct compile_error *err)
{
	struct tensor_data out[TENSORS_MAX] = { { 0 } };
	bool good = true;

	if (g->outputs.n != m->n_out || g->inputs.n != live || graph_eval(g, m->in, out, err))
		return false;
	for (size_t i = 0; i < m->n_out; i++) {
		good &= is_close(&out[i], &m->out[i]);
		tensor_data_free(&out[i]);
	}
	return good;
}

/* The normalised graph through the back half, on the checking executor. */
static int try_program(const struct model *m, struct graph *g, struct compile_error *err)
{
	struct tensor_data out[TENSORS_MAX] = { { 0 } };
	char why[RUN_WHY_BYTES] = "";
	struct rondo_machine machine;
	struct compiled program;
	int rc;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	rc = backend_compile(g, &machine, NULL, &program);
	if (rc)
		return rc;
	for (size_t i = 0; i < m->n_out; i++)
		tensor_data_alloc(&out[i], m->out[i].dtype, &m->out[i].shape);
	if (!network_run(&program, &machine, m->in, out, why))
		rc = compile_fail(err, -EIO, "the program fails: %s", why);
	for (size_t i = 0; i < m->n_out; i++) {
		if (!rc && !is_close(&out[i], &m->out[i]))
			rc = compile_fail(err, -EIO, "the program's output %zu differs", i);
		tensor_data_free(&out[i]);
	}
	compiled_free(&program);
	return rc;
}

/*
 * Reads the model with the inputs from @live on baked in, runs the passes up to @last, and
 * compares; after all passes the program's outputs, too. -ENOTSUP when refused, -EIO when the
 * outputs are wrong.
 */
static int try(const struct model *m, size_t live, const char *last, struct compile_error *err)
{
	struct compile_bake bakes[TENSORS_MAX];
	struct compile_options o = { .bakes = bakes };
	struct graph *g;
	int rc;

	for (size_t i = live; i < m->n_in; i++)
		bakes[o.n_bakes++] = (struct compile_bake){ m->names[i], &m->in[i] };
	rc = onnx_read_graph(m->bytes, m->size, "model.onnx", &o, &g, err);
	if (rc)
		return rc;
	rc = compile_run_passes(g, &o, last);
	if (!rc && !evaluates(m, g, live, err))
		rc = compile_fail(err, -EIO, "the outputs differ");
	if (!rc && !last)
		rc = try_program(m, g, err);
	graph_free(g);
	return rc;
}

static const char *refusal_of(const char *test)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (!strcmp(refusals[i].test, test))
			return refusals[i].reason;
	}
	return NULL;
}

/* Baked: as a static compiler would have it. Live: the same operator with nothing constant. */
static void run_supported(struct suite *s, const struct model *m, const char *name)
{
	struct compile_error plain = { 0 }, baked = { 0 }, live = { 0 };
	size_t first = m->n_in ? 1 : 0;
	int rc;

	try(m, first, "shape", &plain);
	try(m, first, NULL, &baked);
	rc = try(m, m->n_in, NULL, &live);
	/* What needs a constant says so; everything else must be right with live inputs, too. */
	if (rc == -ENOTSUP && strstr(live.text, "known only at run time"))
		live.code = 0;
	if (rc == -ENOTSUP && strstr(live.text, "training_mode is not a constant"))
		live.code = 0;
	if (tap_ok(!plain.code && !baked.code && !live.code, "%s", name))
		s->passed++;
	else
		printf("# read: %s\n# baked: %s\n# live: %s\n", plain.text, baked.text, live.text);
}

static void run_refused(struct suite *s, const struct model *m, const char *name,
			const char *reason, struct compile_error *err)
{
	if (!err->code)
		try(m, m->n_in ? 1 : 0, NULL, err);
	s->refused++;
	if (!tap_ok(err->code == -ENOTSUP && strstr(err->text, reason), "%s is refused: %s", name,
		    reason))
		printf("# %s\n", err->text);
}

static void run_test(struct suite *s, const char *root, const char *name)
{
	struct compile_error err = { 0 };
	struct model m = { .bytes = NULL };
	const char *reason = refusal_of(name);

	s->directories++;
	snprintf(m.dir, sizeof(m.dir), "%.200s/%.300s", root, name);
	load(&m, &err);
	if (reason)
		run_refused(s, &m, name, reason, &err);
	else if (err.code == -ENOTSUP && strstr(err.text, "the operator is not supported"))
		s->other_operator++;
	else if (err.code == -ENOTSUP && strstr(err.text, "of domain"))
		s->other_operator++;
	else if (err.code)
		tap_ok(false, "%s: %s", name, err.text);
	else
		run_supported(s, &m, name);
	unload(&m);
}

int main(void)
{
	struct suite s = { 0 };
	struct dirent **names;
	char root[512];
	int n;

	n = scandir(models_path(root, sizeof(root), "onnx-node"), &names, NULL, alphasort);
	if (n < 0) {
		tap_skip("ONNX backend tests", "$RONDO_MODELS/onnx-node is not there");
		return tap_done();
	}
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			run_test(&s, root, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	printf("# %d directories: %d right, %d refused for a stated reason, "
	       "%d with operators that are not ours\n",
	       s.directories, s.passed, s.refused, s.other_operator);
	tap_eq(s.passed + s.refused + s.other_operator, s.directories,
	       "every model is accounted for");
	tap_ok(s.passed >= 92, "at least the 92 models known to work");
	return tap_done();
}
