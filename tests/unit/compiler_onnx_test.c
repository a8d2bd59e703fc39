/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the ONNX reader refuses and in which words, and what changed between operator sets. Inputs
 * and what is declared have tests of their own.
 */
#include "tests/unit/compiler_onnx_rig.h"

#include <math.h>

/* An operator of another domain that has the name of one of ONNX's. */
static void foreign_node(Onnx__ModelProto *m)
{
	m->graph->node[0]->domain = strdup("com.foo");
}

static void no_graph(Onnx__ModelProto *m)
{
	onnx__graph_proto__free_unpacked(m->graph, NULL);
	m->graph = NULL;
}

static void no_outputs(Onnx__ModelProto *m)
{
	onnx__value_info_proto__free_unpacked(m->graph->output[0], NULL);
	m->graph->n_output = 0;
}

/* Only one of another domain is left. */
static void no_opset(Onnx__ModelProto *m)
{
	free(m->opset_import[0]->domain);
	m->opset_import[0]->domain = strdup("com.foo");
}

static void test_graphs(void)
{
	struct onnx_writer *w;

	refuse_with(one(13, "Relu", "x", "y"), no_graph, NULL, -EINVAL, "m.onnx: it has no graph");
	refuse_with(one(13, "Relu", "x", "y"), no_outputs, NULL, -EINVAL,
		    "m.onnx: it has no outputs");
	refuse_with(one(13, "Relu", "x", "y"), no_opset, NULL, -EINVAL,
		    "m.onnx: it names no operator set");
	refuse(one(0, "Relu", "x", "y"), -ENOTSUP,
	       "m.onnx: operator set 0 is not supported, only 6 to 26");
	refuse(one(5, "Relu", "x", "y"), -ENOTSUP,
	       "m.onnx: operator set 5 is not supported, only 6 to 26");
	refuse(one(27, "Relu", "x", "y"), -ENOTSUP,
	       "m.onnx: operator set 27 is not supported, only 6 to 26");
	refuse(one(13, "Unheard", "x", "y"), -ENOTSUP,
	       "m.onnx: node \"n\" (Unheard): the operator is not supported");
	refuse(one(13, "", "x", "y"), -EINVAL, "m.onnx: node \"n\": it names no operator");
	refuse(one(13, "NonZero", "x", "y"), -ENOTSUP,
	       "m.onnx: node \"n\" (NonZero): the operator is not supported: the size of its "
	       "result "
	       "depends on data; Where keeps the size");
	refuse_with(one(13, "Relu", "x", "y"), foreign_node, NULL, -ENOTSUP,
		    "m.onnx: node \"n\" (com.foo.Relu): the operator is not supported");
	w = one(13, "Unheard", "x", "a");
	onnx_write_node(w, "Relu", "", "a", "b");
	onnx_write_node(w, "NonZero", "", "b", "c");
	onnx_write_node(w, "NonZero", "", "c", "d");
	onnx_write_node(w, "Linear", "", "d", "y"); /* ours, not ONNX's */
	onnx_write_node(w, "If", "", "d", "z"); /* nobody uses it */
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"n\" (Unheard): the operator is not supported; all that are not: "
	       "Unheard (1 node), NonZero (2 nodes), Linear (1 node)");
	refuse(one(13, "Relu", "q", "y"), -EINVAL,
	       "m.onnx: node \"n\" (Relu): nothing produces its input \"q\"");
	refuse(one(13, "Relu", "x", "z"), -EINVAL, "m.onnx: nothing produces the output \"y\"");
	refuse(one(13, "Relu", "y", "y"), -EINVAL,
	       "m.onnx: node \"n\" (Relu): it waits for its own output: the graph has a cycle");
	w = one(13, "Relu", "a", "y");
	onnx_write_node(w, "Tanh", "", "b", "a");
	onnx_write_node(w, "Sigmoid", "", "a", "b");
	refuse(w, -EINVAL,
	       "m.onnx: node \"n\" (Relu): it waits for its own output: the graph has a cycle");
	w = one(13, "Relu", "a", "y");
	onnx_write_node(w, "Tanh", "", "x", "a");
	accept(w, "nodes in the wrong order");
	w = one(13, "Relu", "x", "y");
	onnx_write_node(w, "Tanh", "", "x", "y");
	refuse(w, -EINVAL, "m.onnx: the name \"y\" is given to two tensors");
	w = one(13, "Relu", "x", "y");
	onnx_write_input(w, "x", DTYPE_F32, &s4);
	refuse(w, -EINVAL, "m.onnx: the name \"x\" is given to two tensors");
}

static void test_tensors(void)
{
	struct onnx_writer *w;

	w = one(13, "Add", "x b", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	refuse(w, -EINVAL, "m.onnx: the name \"b\" is given to two tensors");
	w = onnx_writer_create("g", "", 13);
	onnx_write_input(w, "x", DTYPE_S8, &s1);
	onnx_write_node(w, "Relu", "r", "x", "y");
	refuse(w, -ENOTSUP, "m.onnx: node \"r\" (Relu): input 0 \"x\" is s8, it takes f32");
}

static struct onnx_writer *conv(const char *attr, int count, int64_t a, int64_t b, int64_t c,
				int64_t d)
{
	struct onnx_writer *w = one(13, "Conv", "x w", "y");
	int64_t v[] = { a, b, c, d };

	onnx_write_ints(w, attr, count, v);
	onnx_write_initializer(w, "w", DTYPE_F32, &kernel, floats);
	return w;
}

static void test_nodes(void)
{
	const struct shape wrong = { 4, { 1, 2, 2, 2 } }, vector = { 1, { 3 } };
	struct onnx_writer *w;

#define CONV "m.onnx: node \"n\" (Conv): "
	refuse(one(13, "Conv", "x", "y"), -EINVAL, CONV "it has 1 inputs, 2 to 3 are allowed");
	refuse(one(13, "Conv", " x", "y"), -EINVAL, CONV "input 0 is missing");
	refuse(conv("strides", 2, 0, 1, 0, 0), -EINVAL,
	       CONV "strides holds 0, allowed is 1 to 1073741824");
	refuse(conv("strides", 3, 1, 1, 1, 0), -EINVAL, CONV "strides has 3 numbers, 2 are needed");
	refuse(conv("pads", 4, 0, 0, INT64_MAX, 0), -EINVAL,
	       CONV "pads holds 9223372036854775807, allowed is 0 to 1073741824");
	refuse(conv("pads", 4, -1, 0, 0, 0), -ENOTSUP,
	       CONV "pads holds -1, allowed is 0 to 1073741824");
	refuse(conv("kernel_shape", 2, 3, 3, 0, 0), -EINVAL,
	       CONV "kernel_shape says 3 where the weights have 2");
	refuse(conv("dilations", 2, 4, 1, 0, 0), -EINVAL,
	       CONV "a window of 5 cells does not fit in 4 with padding");
	refuse(conv("speed", 1, 4, 0, 0, 0), -ENOTSUP, CONV "attribute \"speed\" is not known");
	refuse(conv("group", 1, 1, 0, 0, 0), -EINVAL,
	       CONV "attribute \"group\" has the wrong type");
	w = one(13, "Conv", "x w", "y");
	onnx_write_initializer(w, "w", DTYPE_F32, &wrong, floats);
	refuse(w, -EINVAL, CONV "1 channels in 1 groups do not fit weights for 2 to 1");
	w = one(13, "Conv", "x w b", "y");
	onnx_write_initializer(w, "w", DTYPE_F32, &kernel, floats);
	onnx_write_initializer(w, "b", DTYPE_F32, &vector, floats);
	refuse(w, -EINVAL, CONV "input 2 is [3], [1] is needed");
	w = one(13, "Conv", "x w", "y");
	onnx_write_int(w, "group", 0);
	onnx_write_initializer(w, "w", DTYPE_F32, &kernel, floats);
	refuse(w, -EINVAL, CONV "1 channels in 0 groups do not fit weights for 1 to 1");
	w = one(13, "Conv", "x w", "y");
	onnx_write_int(w, "group", 1);
	onnx_write_int(w, "group", 1);
	onnx_write_initializer(w, "w", DTYPE_F32, &kernel, floats);
	refuse(w, -EINVAL, CONV "attribute \"group\" is there twice");
	w = one(13, "Conv", "x w", "y");
	onnx_write_string(w, "auto_pad", "SAME_UPSIDE");
	onnx_write_initializer(w, "w", DTYPE_F32, &kernel, floats);
	refuse(w, -EINVAL, CONV "auto_pad \"SAME_UPSIDE\" is not known");
	w = one(13, "Add", "x b", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &vector, floats);
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Add): shapes [1,1,4,4] and [3] do not broadcast");
	refuse(one(13, "MaxPool", "x", "z y"), -ENOTSUP,
	       "m.onnx: node \"n\" (MaxPool): its output 1, \"y\", is used; the first 1 are "
	       "mapped");
	refuse(one(13, "Relu", "x", " y"), -EINVAL,
	       "m.onnx: node \"n\" (Relu): its first output has no name");
	refuse(one(13, "MaxPool", "x", "y"), -EINVAL,
	       "m.onnx: node \"n\" (MaxPool): attribute \"kernel_shape\" is missing");
	refuse(one(13, "Concat", "x x", "y"), -EINVAL,
	       "m.onnx: node \"n\" (Concat): attribute \"axis\" is missing");
	w = one(13, "Transpose", "x", "y");
	onnx_write_ints(w, "perm", 9, (const int64_t[9]){ 0 });
	refuse(w, -EFBIG, "m.onnx: node \"n\" (Transpose): perm has 9 numbers, the limit is 8");
	w = one(13, "BatchNormalization", "x b b b b", "y");
	onnx_write_float(w, "epsilon", NAN);
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	refuse(w, -EINVAL,
	       "m.onnx: node \"n\" (BatchNormalization): attribute \"epsilon\" is not a number");
	w = one(13, "Softmax", "x", "y");
	onnx_write_int(w, "axis", 4);
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Softmax): axis 4 is outside the 4 dimensions");
}

static struct onnx_writer *cast_to(int type)
{
	struct onnx_writer *w = one(13, "Cast", "x", "y");

	onnx_write_int(w, "to", type);
	return w;
}

/* A Cast to a type of 16 bits rounds, and what is cast like its result does. */
static void test_halves(void)
{
	static const float from[] = { 0.1f, 1e6f, 1e-9f, 2049 };
	static const struct {
		int to;
		float want[4];
	} rows[] = {
		{ 10, { 0.099975586f, INFINITY, 0, 2048 } },
		{ 16, { 0.10009765625f, 999424, 9.9680619e-10f, 2048 } },
		{ 1, { 0.1f, 1e6f, 1e-9f, 2049 } },
	};
	const struct shape four = { 1, { 4 } };

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct onnx_writer *w = start(21, &four);
		struct compile_error err = { 0 };
		struct tensor_data in = { 0 }, out = { 0 };
		bool like = i % 2, good = false;
		struct graph *g;

		onnx_write_node(w, "Cast", "n", "x", like ? "h" : "y");
		onnx_write_int(w, "to", rows[i / 2].to);
		if (like) {
			onnx_write_node(w, "Neg", "m", "h", "k");
			onnx_write_node(w, "CastLike", "l", "x k", "y");
		}
		g = finish(w, NULL, &err);
		if (g && tensor_data_alloc(&in, DTYPE_F32, &four)) {
			memcpy(in.bytes, from, sizeof(from));
			good = !graph_eval(g, &in, &out, &err);
		}
		for (int k = 0; k < 4 && good; k++)
			good = !isfinite(rows[i / 2].want[k]) ?
				       isinf(((float *)out.bytes)[k]) :
				       fabsf(((float *)out.bytes)[k] - rows[i / 2].want[k]) <=
					       1e-5f * fabsf(rows[i / 2].want[k]);
		tap_ok(good, "Cast to type %d%s", rows[i / 2].to, like ? ", and CastLike" : "");
		tensor_data_free(&in);
		tensor_data_free(&out);
		graph_free(g);
	}
	refuse(cast_to(11), -ENOTSUP,
	       "m.onnx: node \"n\" (Cast): its result is DOUBLE (11), which is not supported");
}

static struct onnx_writer *reshape(int64_t a, int64_t b)
{
	struct onnx_writer *w = one(13, "Reshape", "x s", "y");
	const struct shape two = { 1, { 2 } };
	int64_t v[] = { a, b };

	onnx_write_initializer(w, "s", DTYPE_S64, &two, v);
	return w;
}

static void test_reshape(void)
{
	struct onnx_writer *w;

#define RESHAPE "m.onnx: node \"n\" (Reshape): "
	accept(reshape(4, -1), "Reshape with one -1");
	accept(reshape(0, 16), "Reshape with a copied dimension");
	refuse(reshape(-1, -1), -EINVAL, RESHAPE "dimension 1 of the new shape is -1");
	refuse(reshape(-1, 3), -EINVAL,
	       RESHAPE "shapes [1,1,4,4] and [1,3] leave no size for the -1 (shown as 1)");
	refuse(reshape(4, 5), -EINVAL,
	       RESHAPE "shapes [1,1,4,4] and [4,5] differ in their number of elements");
	refuse(reshape(INT64_MAX, 2), -EFBIG, RESHAPE "the new shape exceeds 2147483648 elements");
	w = one(13, "Reshape", "x s", "y");
	onnx_write_input(w, "s", DTYPE_S64, &s1);
	refuse(w, -ENOTSUP, RESHAPE "the new shape \"s\" is known only at run time");
}

/* ---- What changed between operator sets ---------------------------------------------------- */

static bool gives(struct onnx_writer *w, const float *in, const float *want, const char *name)
{
	struct tensor_data x = { DTYPE_F32, { 2, { 2, 2 } }, (void *)in, 16 }, y = { 0 };
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);
	bool good = g && !graph_eval(g, &x, &y, &err) && !memcmp(y.bytes, want, 16);

	if (!tap_ok(good, "%s", name))
		printf("# %s\n", err.text);
	tensor_data_free(&y);
	graph_free(g);
	return good;
}

static struct onnx_writer *small(int opset, const char *op, const char *inputs)
{
	const struct shape two = { 2, { 2, 2 } };
	struct onnx_writer *w = start(opset, &two);

	onnx_write_node(w, op, "n", inputs, "y");
	return w;
}

static void test_opsets(void)
{
	const float x[] = { -3, 3, 0.5f, 1 }, same[] = { 7, 7, 7, 7 };
	const float clipped[] = { -1, 1, 0.5f, 1 }, half[] = { 0.5f, 0.5f, 0.5f, 0.5f };
	const float transposed[] = { -3, 0.5f, 3, 1 };
	const float quarter[] = { 0.25f, 0.25f, 0.25f, 0.25f };
	const struct shape scalar = { 0 };
	struct onnx_writer *w;

	gives(small(13, "Transpose", "x"), x, transposed, "Transpose without perm reverses");
	w = small(10, "Clip", "x");
	onnx_write_float(w, "min", -1);
	onnx_write_float(w, "max", 1);
	gives(w, x, clipped, "Clip 6: bounds are attributes");
	w = small(11, "Clip", "x lo hi");
	onnx_write_initializer(w, "lo", DTYPE_F32, &scalar, &(float){ -1 });
	onnx_write_initializer(w, "hi", DTYPE_F32, &scalar, &(float){ 1 });
	gives(w, x, clipped, "Clip 11: bounds are inputs");
	w = small(10, "Clip", "x lo");
	onnx_write_initializer(w, "lo", DTYPE_F32, &scalar, &(float){ -1 });
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Clip): its bounds are inputs only since opset 11");
	w = small(11, "Clip", "x");
	onnx_write_float(w, "min", -1);
	refuse(w, -ENOTSUP, "m.onnx: node \"n\" (Clip): attribute \"min\" is not known");
	w = small(12, "Softmax", "x");
	onnx_write_int(w, "axis", 0);
	gives(w, same, quarter, "Softmax 11: everything from axis on is one dimension");
	w = small(13, "Softmax", "x");
	onnx_write_int(w, "axis", 0);
	gives(w, same, half, "Softmax 13: one dimension alone");
	w = small(8, "BatchNormalization", "x s s s s");
	onnx_write_int(w, "spatial", 0);
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"n\" (BatchNormalization): spatial = 0 is not supported");
	w = small(7, "Dropout", "x");
	onnx_write_float(w, "ratio", 0.5f);
	gives(w, x, x, "Dropout 7: ratio is an attribute");
	w = small(13, "Dropout", "x  t");
	onnx_write_initializer(w, "t", DTYPE_BOOL, &scalar, &(uint8_t){ 1 });
	refuse(w, -ENOTSUP, "m.onnx: node \"n\" (Dropout): training is not supported");
}

/* ---- Damaged and mistaken ------------------------------------------------------------------- */

/*
 * A NUL byte in place of the last character of a name would make another name of it. Every "~" of
 * a model becomes NUL, one at a time.
 */
static void test_nul(void)
{
	struct onnx_writer *w = onnx_writer_create("g~", "doc~", 13);
	const char *at;
	size_t size;
	char *bytes;
	int refused = 0, accepted = 0;

	onnx_write_input(w, "x~", DTYPE_F32, &s4);
	onnx_write_initializer(w, "b~", DTYPE_F32, &s1, floats);
	onnx_write_node(w, "Add", "n~", "x~ b~", "y~");
	onnx_write_node(w, "Relu~", "", "y~", "z~");
	onnx_write_output(w, "y~", DTYPE_F32, &s4);
	bytes = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	for (at = bytes; (at = memchr(at, '~', (size_t)(bytes + size - at))); at++) {
		struct compile_error err = { 0 };
		struct graph *g = NULL;
		char want[80];

		bytes[at - bytes] = 0;
		if (!compile_graph_from_onnx(bytes, size, "m.onnx", NULL, &g, &err))
			accepted++;
		snprintf(want, sizeof(want), ") at byte %zu", (size_t)(at - bytes));
		refused += strstr(err.text, "m.onnx: a NUL byte in a text (") &&
			   strstr(err.text, want);
		graph_free(g);
		bytes[at - bytes] = '~';
	}
	tap_ok(accepted == 1 && refused == 11,
	       "NUL in a name is refused (%d), in doc_string not (%d)", refused, accepted);
	free(bytes);
}

static void test_tensor_as_model(void)
{
	static const char tensor[] = "\x08\x01\x10\x01\x42\x01x\x4a\x04\0\0\0\0";
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	struct onnx_writer *w;
	struct graph *g;
	size_t size;
	void *bytes;

	tap_ok(compile_graph_from_onnx(tensor, sizeof(tensor) - 1, "x.pb", NULL, &g, &err) ==
			       -EINVAL &&
		       !strcmp(err.text,
			       "x.pb: it is an ONNX tensor (TensorProto), not an ONNX model"),
	       "refused: %s", err.text);
	w = one(13, "Relu", "x", "y");
	bytes = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	err = (struct compile_error){ 0 };
	tap_ok(onnx_tensor_parse(bytes, size, &t, &err) == -EINVAL &&
		       !strcmp(err.text, "it is an ONNX model, not an ONNX tensor (TensorProto)"),
	       "refused: %s", err.text);
	free(bytes);
}

/* An output may be an input or an initializer, and be the only thing that the model has. */
static void test_no_nodes(void)
{
	struct tensor_data x = { DTYPE_F32, { 1, { 4 } }, (void *)(floats + 8), 16 }, y = { 0 };

	for (int constant = 0; constant < 2; constant++) {
		struct onnx_writer *w = onnx_writer_create("g", "", 13);
		struct compile_error err = { 0 };
		struct graph *g;

		if (constant)
			onnx_write_initializer(w, "y", DTYPE_F32, &s1, floats);
		else
			onnx_write_input(w, "y", DTYPE_F32, &s1);
		g = finish(w, NULL, &err);
		if (!tap_ok(g && g->inputs.n == !constant && !graph_eval(g, &x, &y, &err) &&
				    !memcmp(y.bytes, constant ? floats : floats + 8, 16),
			    "a model without nodes gives its %s",
			    constant ? "initializer" : "input"))
			printf("# %s\n", err.text);
		tensor_data_free(&y);
		graph_free(g);
	}
}

/* ORT gives an output that is listed twice, twice; names in a .rnd file are unique. */
static void test_listed_twice(void)
{
	struct compile_error err = { 0 };
	struct onnx_writer *w = one(13, "Relu", "x", "y");
	struct graph *g;

	onnx_write_node(w, "Tanh", "", "x", "y:2");
	onnx_write_output(w, "y:2", DTYPE_F32, &s4);
	onnx_write_output(w, "y", DTYPE_F32, &s4);
	onnx_write_output(w, "x", DTYPE_F32, &s4);
	onnx_write_output(w, "x", DTYPE_F32, &s4);
	g = finish(w, NULL, &err); /* lists y once more */
	if (!tap_ok(g && g->outputs.n == 5, "outputs listed twice are given twice"))
		printf("# %s\n", err.text);
	for (size_t i = 0; g && i < g->outputs.n; i++) {
		static const char *const names[] = { "y:2", "y", "x", "x:2", "y:3" };

		tap_ok(!strcmp(g->outputs.v[i]->name, names[i]), "output %zu is \"%s\"", i,
		       g->outputs.v[i]->name);
	}
	graph_free(g);
}

static void test_dump(void)
{
	struct compile_options o = { .dump_pass = "nosuch" };
	struct compile_error err = { 0 };
	struct graph *g = finish(one(13, "Relu", "x", "y"), &o, &err);
	char *text = NULL;
	size_t size;

	tap_ok(!g && strstr(err.text, "there is no pass \"nosuch\""), "refused: %s", err.text);
	err.code = 0;
	o.dump_pass = "all";
	o.dump_to = open_memstream(&text, &size);
	g = finish(one(13, "Relu", "x", "y"), &o, &err);
	fclose(o.dump_to);
	tap_ok(g && strstr(text, "# after read\n") && strstr(text, "# after final\n"),
	       "--dump all prints the graph after each pass");
	free(text);
	graph_free(g);
}

/* What costs too much to compute now is left in the graph; the same with less is not. */
static void test_fold_limit(void)
{
	static const int64_t sizes[] = { 16, 1100 };

	for (int i = 0; i < 2; i++) {
		const struct shape square = { 2, { sizes[i], sizes[i] } };
		float *zeros = calloc((size_t)(sizes[i] * sizes[i]), sizeof(*zeros));
		struct onnx_writer *w = onnx_writer_create("g", "", 13);
		struct compile_error err = { 0 };
		struct graph *g;

		onnx_write_initializer(w, "a", DTYPE_F32, &square, zeros);
		onnx_write_node(w, "MatMul", "", "a a", "y");
		g = finish(w, NULL, &err);
		tap_ok(g && g->first->op == (i ? OP_LINEAR : OP_COPY),
		       "a constant product of %lld rows is %s", (long long)sizes[i],
		       i ? "left to the machine" : "computed");
		graph_free(g);
		free(zeros);
	}
}

/* The limit is on all nodes together. */
static void test_fold_sum(void)
{
	static const char text[] = "graph \"g\" from \"m\"\nconst %0 \"c\" f32[2] = 1 2\n"
				   "node %1 \"a\" ? = Add \"a\" %0 %0\n"
				   "node %2 \"y\" ? = Add \"y\" %1 %0\noutput %2\n";
	static const struct compile_options no_options;

	for (int i = 0; i < 2; i++) {
		struct compile_error err = { 0 };
		struct graph *g = graph_parse(text, "m", &err);

		if (g)
			g->fold_cost = 1e9 - 8 + i; /* an Add of two elements costs 4 */
		tap_ok(g && !compile_run_passes(g, &no_options, "shape") && !g->first == !i,
		       "two nodes that cost %s the limit together are %s", i ? "more than" : "just",
		       i ? "not both computed" : "computed");
		graph_free(g);
	}
}

/* Element @at of the result of @w for an x of @floats is @want. */
static void old_gives(struct onnx_writer *w, s64 at, float want, const char *name)
{
	struct tensor_data x = { .dtype = DTYPE_F32, .shape = s4, .bytes = (void *)floats },
			   y = { 0 };
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);
	bool same = g && !graph_eval(g, &x, &y, &err) && ((float *)y.bytes)[at] == want;

	if (!tap_ok(same, "an old operator set: %s", name))
		printf("# %s\n", err.text);
	tensor_data_free(&y);
	graph_free(g);
}

/* What old operator sets say by attributes: along which dimension they broadcast, scales. */
static void test_oldest(void)
{
	static const float column[] = { 100, 200, 300, 400 };
	const struct shape four = { 1, { 4 } };
	struct onnx_writer *w = one(6, "Add", "x b", "y");

	onnx_write_initializer(w, "b", DTYPE_F32, &four, column);
	old_gives(w, 5, 206, "Add broadcasts the last dimensions");
	w = one(6, "Add", "x b", "y");
	onnx_write_int(w, "broadcast", 1);
	onnx_write_int(w, "axis", 2);
	onnx_write_initializer(w, "b", DTYPE_F32, &four, column);
	old_gives(w, 4, 205, "Add broadcasts along an axis");
	w = one(6, "Sub", "x b", "y");
	onnx_write_int(w, "broadcast", 1);
	onnx_write_int(w, "axis", -2);
	onnx_write_initializer(w, "b", DTYPE_F32, &four, column);
	old_gives(w, 4, -195, "an axis from the end");
	w = one(6, "Mul", "x b", "y");
	onnx_write_int(w, "broadcast", 1);
	onnx_write_int(w, "axis", 4);
	onnx_write_initializer(w, "b", DTYPE_F32, &four, column);
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Mul): axis 4 is outside the 4 dimensions");
	w = one(7, "Add", "x b", "y");
	onnx_write_int(w, "broadcast", 1);
	onnx_write_initializer(w, "b", DTYPE_F32, &four, column);
	refuse(w, -ENOTSUP, "m.onnx: node \"n\" (Add): attribute \"broadcast\" is not known");
	w = one(6, "PRelu", "x b", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &(struct shape){ 1, { 1 } }, column);
	old_gives(w, 9, -200, "PRelu by channel");
	w = one(6, "Upsample", "x", "y");
	onnx_write_float(w, "height_scale", 2);
	onnx_write_float(w, "width_scale", 3);
	old_gives(w, 3 + 2 * 12, 6, "scales of Upsample");
	w = one(7, "Upsample", "x", "y");
	onnx_write_floats(w, "scales", 4, (const float[]){ 1, 1, 2, 3 });
	old_gives(w, 3 + 2 * 12, 6, "scales of Upsample that are listed");
	w = one(8, "Upsample", "x", "y");
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Upsample): a scale of 0");
	w = one(9, "Upsample", "x", "y");
	onnx_write_floats(w, "scales", 4, (const float[]){ 1, 1, 2, 3 });
	refuse(w, -EINVAL, "m.onnx: node \"n\" (Upsample): it has 1 inputs, 2 to 2 are allowed");
	w = one(6, "Dropout", "x", "y");
	onnx_write_int(w, "is_test", 1);
	old_gives(w, 3, 4, "Dropout that is tested");
}

/* ---- Versions of operators ------------------------------------------------------------------ */

/* Whether a node of @op in a model of @opset is refused with @words. */
static bool is_refused_in(enum op op, int opset, const char *words)
{
	struct compile_error err = { 0 };
	struct onnx_writer *w = start(opset, &s1);
	char inputs[2 * NODE_IN_FIXED + 2] = "x";
	struct graph *g;

	for (int i = 1; i < op_infos[op].min_in; i++)
		strcat(inputs, " x");
	onnx_write_node(w, op_infos[op].name, "n", inputs, "y");
	g = finish(w, NULL, &err);
	graph_free(g);
	return strstr(err.text, "node \"n\"") && strstr(err.text, words);
}

/* Each operator of ONNX is read from its first operator set on, up to its last one. */
static void test_versions(void)
{
	int listed = 0, wrong = 0, newer = 0;

	for (int op = 0; op < OP_COUNT; op++) {
		const u8 *v = op_opsets[op];
		int last = 0;

		if (!(op_infos[op].flags & OP_FLAG_ONNX))
			continue;
		listed++;
		for (int i = 0; i < OP_OPSETS_MAX && v[i]; i++) {
			wrong += v[i] <= last || v[i] > GRAPH_OPSET_MAX;
			last = v[i];
		}
		if (!last || (op_gone[op] && op_gone[op] <= last)) {
			printf("# %s has no versions\n", op_infos[op].name);
			wrong++;
		}
		if (v[0] > GRAPH_OPSET_MIN) {
			newer++;
			wrong += !is_refused_in(op, v[0] - 1, "is new in operator set");
			wrong += is_refused_in(op, v[0], "is new in operator set");
		}
		if (op_gone[op]) {
			wrong += is_refused_in(op, op_gone[op] - 1, "is gone since");
			wrong += !is_refused_in(op, op_gone[op], "is gone since");
		}
	}
	tap_ok(listed > 150 && newer > 70 && !wrong,
	       "%d operators have versions; %d are newer than the first set", listed, newer);
}

int main(void)
{
	test_graphs();
	test_tensors();
	test_nodes();
	test_halves();
	test_reshape();
	test_opsets();
	test_nul();
	test_tensor_as_model();
	test_no_nodes();
	test_listed_twice();
	test_dump();
	test_fold_limit();
	test_fold_sum();
	test_oldest();
	test_versions();
	return tap_done();
}
