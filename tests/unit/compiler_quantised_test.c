/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Whole quantised networks, bit for bit: the interpreter of the normalised graph against the
 * outputs that ONNX Runtime gave, and the program on the checking executor against the same. Those
 * without published outputs: the program against the interpreter, on random inputs. Arguments:
 * names of networks, else all.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "tests/models.h"
#include "tests/network_run.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include <errno.h>

static const char *const networks[] = {
	"ort_conv_qdq_s8s8",  "ort_conv_qdq_s8s8_perchannel", "ort_conv_qdq_u8u8",
	"mobilenet_v2_quant", "shufflenet_v2_int8",
};

static bool load(const char *name, const char *file, struct tensor_data *t,
		 struct compile_error *err)
{
	char path[512], rest[256];

	snprintf(rest, sizeof(rest), "onnx/%s/%s", name, file);
	return !tensor_load(models_path(path, sizeof(path), rest), t, err);
}

static struct graph *compile(const char *name, struct compile_error *err)
{
	char path[512], rest[256];
	struct graph *g = NULL;
	void *bytes;
	size_t size;

	snprintf(rest, sizeof(rest), "onnx/%s/model.onnx", name);
	if (compile_read_file(models_path(path, sizeof(path), rest), &bytes, &size, err))
		return NULL;
	compile_graph_from_onnx(bytes, size, name, NULL, &g, err);
	free(bytes);
	return g;
}

/* Elements of @have that have the bits of those of @want; -1: they are not of one kind. */
static int64_t count_same(const struct tensor_data *have, const struct tensor_data *want)
{
	size_t size = dtype_size(want->dtype);
	int64_t same = 0;

	if (have->dtype != want->dtype || !shape_equal(&have->shape, &want->shape))
		return -1;
	for (int64_t i = 0; i < shape_elems(&want->shape); i++)
		same += !memcmp((char *)have->bytes + i * size, (char *)want->bytes + i * size,
				size);
	return same;
}

static void test_program(const char *name, struct graph *g, const struct tensor_data *in,
			 const struct tensor_data *want)
{
	struct rondo_machine machine;
	struct compile_error err = { 0 };
	struct compiled program = { 0 };
	struct tensor_data out = { 0 };
	char why[RUN_WHY_BYTES] = "";
	bool good;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	g->err = &err;
	if (backend_compile(g, &machine, NULL, &program)) {
		tap_ok(false, "%s: %s", name, err.text);
		return;
	}
	good = tensor_data_alloc(&out, want->dtype, &want->shape) &&
	       network_run(&program, &machine, in, &out, why) &&
	       count_same(&out, want) == shape_elems(&want->shape);
	if (!tap_ok(good, "%s: the program gives the same bits", name))
		printf("# %s\n", why);
	tensor_data_free(&out);
	compiled_free(&program);
}

/* Numbers around those that the networks quantise. */
static bool fill(struct tensor_data *t, const struct value *v)
{
	u64 state = random_seed(1);

	if (!tensor_data_alloc(t, v->dtype, &v->shape) || v->dtype != DTYPE_F32)
		return false;
	for (size_t i = 0; i < t->size / sizeof(float); i++)
		((float *)t->bytes)[i] = (float)(s32)random_below(&state, 40000) / 100 - 200;
	return true;
}

static void test_without_outputs(const char *name, struct graph *g)
{
	struct tensor_data in = { 0 }, want = { 0 };
	struct compile_error err = { 0 };

	if (tap_ok(fill(&in, g->inputs.v[0]) && !graph_eval(g, &in, &want, &err),
		   "%s: the interpreter runs it", name))
		test_program(name, g, &in, &want);
	tensor_data_free(&in);
	tensor_data_free(&want);
}

static bool has_outputs(const char *name)
{
	char rest[256];

	snprintf(rest, sizeof(rest), "onnx/%s/out_output.npy", name);
	return models_present(rest);
}

static void test_network(const char *name)
{
	struct tensor_data in = { 0 }, want = { 0 }, have = { 0 };
	struct compile_error err = { 0 };
	struct graph *g = compile(name, &err);
	int64_t same = -1;

	if (g && !has_outputs(name)) {
		test_without_outputs(name, g);
		graph_free(g);
		return;
	}
	if (g && load(name, "in_input.npy", &in, &err) &&
	    load(name, "out_output.npy", &want, &err) && !graph_eval(g, &in, &have, &err))
		same = count_same(&have, &want);
	if (!tap_ok(same >= 0 && same == shape_elems(&want.shape),
		    "%s: the interpreter gives the published bits", name))
		printf("# %s%lld of %lld\n", err.text, (long long)same,
		       (long long)shape_elems(&want.shape));
	if (g && same >= 0)
		test_program(name, g, &in, &want);
	tensor_data_free(&in);
	tensor_data_free(&want);
	tensor_data_free(&have);
	graph_free(g);
}

int main(int argc, char **argv)
{
	if (!models_present("onnx")) {
		tap_skip("quantised networks", models_root());
		return tap_done();
	}
	for (int i = 1; i < argc; i++)
		test_network(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof(networks) / sizeof(*networks); i++)
		test_network(networks[i]);
	return tap_done();
}
