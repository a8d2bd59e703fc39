/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the ONNX reader refuses and in which words, what the options do, and what changed between
 * operator sets. Models are built by demo/onnx_write.h.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "compiler/onnx_tensor.h"
#include "demo/onnx_write.h"
#include "tests/tap.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <math.h>

static const struct shape s1 = { 1, { 4 } }, s4 = { 4, { 1, 1, 4, 4 } },
			  kernel = { 4, { 1, 1, 2, 2 } };
static const float floats[16] = { 1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8 };

static struct onnx_writer *start(int opset, const struct shape *x)
{
	struct onnx_writer *w = onnx_writer_create("g", "", opset);

	onnx_write_input(w, "x", DTYPE_F32, x);
	return w;
}

typedef void patch_fn(Onnx__ModelProto *model);

/* The model with what the writer does not write; frees @bytes. */
static void *patched(void *bytes, size_t *size, patch_fn *patch)
{
	Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, *size, bytes);

	patch(m);
	*size = onnx__model_proto__get_packed_size(m);
	bytes = realloc(bytes, *size);
	onnx__model_proto__pack(m, bytes);
	onnx__model_proto__free_unpacked(m, NULL);
	return bytes;
}

/* Writes the output, packs, patches (or not), compiles. Frees the writer. */
static struct graph *finish_patched(struct onnx_writer *w, patch_fn *patch,
				    const struct compile_options *options,
				    struct compile_error *err)
{
	struct graph *g = NULL;
	size_t size;
	void *bytes;

	onnx_write_output(w, "y", DTYPE_F32, &s1);
	bytes = onnx_writer_pack(w, &size);
	if (patch)
		bytes = patched(bytes, &size, patch);
	compile_graph_from_onnx(bytes, size, "m.onnx", options, &g, err);
	free(bytes);
	onnx_writer_destroy(w);
	return g;
}

static struct graph *finish(struct onnx_writer *w, const struct compile_options *options,
			    struct compile_error *err)
{
	return finish_patched(w, NULL, options, err);
}

static void refuse_with(struct onnx_writer *w, patch_fn *patch, const struct compile_options *o,
			int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = finish_patched(w, patch, o, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

/* The shape of input 0 is @want. */
static void accept_with(struct onnx_writer *w, patch_fn *patch, const struct compile_options *o,
			struct shape want, const char *name)
{
	struct compile_error err = { 0 };
	struct graph *g = finish_patched(w, patch, o, &err);

	if (!tap_ok(g && shape_equal(&g->inputs.v[0]->shape, &want), "accepted: %s", name))
		printf("# %s\n", err.text);
	graph_free(g);
}

static void refuse(struct onnx_writer *w, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

static void accept(struct onnx_writer *w, const char *name)
{
	struct compile_error err = { 0 };
	struct graph *g = finish(w, NULL, &err);

	if (!tap_ok(g, "accepted: %s", name))
		printf("# %s\n", err.text);
	graph_free(g);
}

static struct onnx_writer *one(int opset, const char *op, const char *inputs, const char *outputs)
{
	struct onnx_writer *w = start(opset, &s4);

	onnx_write_node(w, op, "n", inputs, outputs);
	return w;
}

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
	       "m.onnx: operator set 0 is not supported, only 7 to 26");
	refuse(one(6, "Relu", "x", "y"), -ENOTSUP,
	       "m.onnx: operator set 6 is not supported, only 7 to 26");
	refuse(one(27, "Relu", "x", "y"), -ENOTSUP,
	       "m.onnx: operator set 27 is not supported, only 7 to 26");
	refuse(one(13, "Einsum", "x", "y"), -ENOTSUP,
	       "m.onnx: node \"n\" (Einsum): the operator is not supported");
	refuse_with(one(13, "Relu", "x", "y"), foreign_node, NULL, -ENOTSUP,
		    "m.onnx: node \"n\" (com.foo.Relu): the operator is not supported");
	w = one(13, "Einsum", "x", "a");
	onnx_write_node(w, "Relu", "", "a", "b");
	onnx_write_node(w, "Gather", "", "b", "c");
	onnx_write_node(w, "Gather", "", "c", "d");
	onnx_write_node(w, "Linear", "", "d", "y"); /* ours, not ONNX's */
	onnx_write_node(w, "GRU", "", "d", "z"); /* nobody uses it */
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"n\" (Einsum): the operator is not supported; all that are not: "
	       "Einsum (1 node), Gather (2 nodes), Linear (1 node)");
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

static Onnx__TypeProto__Tensor *output_type(Onnx__ModelProto *m)
{
	return m->graph->output[0]->type->tensor_type;
}

static void output_is_s8(Onnx__ModelProto *m)
{
	output_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT8;
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
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"r\" (Relu): input 0 \"x\" is s8, only f32 is supported");
	w = onnx_writer_create("g", "", 13);
	onnx_write_input(w, "x", DTYPE_S8, &s4);
	onnx_write_node(w, "Transpose", "t", "x", "y");
	refuse_with(w, output_is_s8, NULL, -ENOTSUP,
		    "m.onnx: node \"t\" (Transpose): \"x\" is s8, the machine's networks are f32");
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
	       "m.onnx: node \"n\" (MaxPool): its output 1 is not supported, and \"y\" is used");
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

/* ---- Options ------------------------------------------------------------------------------- */

static void test_bake(void)
{
	struct tensor_data t = { DTYPE_F32, { 1, { 4 } }, (void *)floats, 16 };
	struct compile_bake bake = { "b", &t };
	struct compile_options o = { .bakes = &bake, .n_bakes = 1 };
	struct compile_error err = { 0 };
	struct onnx_writer *w = one(13, "Add", "x b", "y");
	struct graph *g;

	onnx_write_input(w, "b", DTYPE_F32, &s1);
	g = finish(w, &o, &err);
	tap_ok(g && g->inputs.n == 1 && node_in(g->first, 1)->data, "an input baked in");
	graph_free(g);
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: there is no input \"b\"");
	bake.name = "x";
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: input \"x\" is f32[1,1,4,4], the constant for it f32[4]");
	w = onnx_writer_create("g", "", 13);
	onnx_write_input(w, "x", DTYPE_F32, &s1);
	onnx_write_node(w, "Relu", "n", "x", "y");
	t.dtype = DTYPE_S32;
	refuse_with(w, NULL, &o, -EINVAL,
		    "m.onnx: input \"x\" is f32[4], the constant for it s32[4]");
}

/* An initializer that is an input, too, is its default: it may be replaced. */
static void test_bake_default(void)
{
	const float other[] = { 5, 6, 7, 8 };
	struct tensor_data t = { DTYPE_F32, { 1, { 4 } }, (void *)other, 16 };
	struct compile_bake bake = { "b", &t };
	const struct compile_options with = { .bakes = &bake, .n_bakes = 1 }, without = { 0 };
	const struct compile_options *options[] = { &without, &with };

	for (int i = 0; i < 2; i++) {
		struct compile_error err = { 0 };
		struct onnx_writer *w = one(13, "Add", "x b", "y");
		struct graph *g;

		onnx_write_input(w, "b", DTYPE_F32, &s1);
		onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
		g = finish(w, options[i], &err);
		if (!tap_ok(g && g->inputs.n == 1 &&
				    !memcmp(node_in(g->first, 1)->data, i ? other : floats, 16),
			    "an initializer that is an input is %s",
			    i ? "replaced" : "its default"))
			printf("# %s\n", err.text);
		graph_free(g);
	}
}

/* Keeps the first. */
static void keep_notice(void *context, const char *text)
{
	if (*(const char *)context)
		return;
	snprintf(context, 400, "%s", text);
}

static Onnx__TensorShapeProto__Dimension *dim_of(Onnx__ModelProto *m, int input, int d)
{
	return m->graph->input[input]->type->tensor_type->shape->dim[d];
}

static void name_dim(Onnx__ModelProto *m, int input, int d, const char *name)
{
	dim_of(m, input, d)->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	dim_of(m, input, d)->dim_param = strdup(name);
}

static void dim_2_is_rows(Onnx__ModelProto *m)
{
	name_dim(m, 0, 2, "rows");
}

static void both_have_rows(Onnx__ModelProto *m)
{
	name_dim(m, 0, 2, "rows");
	name_dim(m, 1, 2, "rows");
}

static void all_have_rows(Onnx__ModelProto *m)
{
	Onnx__TensorShapeProto__Dimension *d = output_type(m)->shape->dim[2];

	name_dim(m, 0, 2, "rows");
	d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	d->dim_param = strdup("rows");
}

static void dim_0_is_any(Onnx__ModelProto *m)
{
	dim_of(m, 0, 0)->dim_value = -1;
}

static void no_shape(Onnx__ModelProto *m)
{
	Onnx__TypeProto__Tensor *t = m->graph->input[0]->type->tensor_type;

	onnx__tensor_shape_proto__free_unpacked(t->shape, NULL);
	t->shape = NULL;
}

static void nameless_input(Onnx__ModelProto *m)
{
	m->graph->input[1]->name[0] = 0;
}

static void nameless_initializer(Onnx__ModelProto *m)
{
	m->graph->initializer[1]->name[0] = 0;
}

/* The only initializer becomes a sparse one. */
static void sparse_initializer(Onnx__ModelProto *m)
{
	Onnx__SparseTensorProto *sparse = malloc(sizeof(*sparse));

	onnx__sparse_tensor_proto__init(sparse);
	sparse->values = m->graph->initializer[0];
	m->graph->n_initializer = 0;
	m->graph->n_sparse_initializer = 1;
	m->graph->sparse_initializer = malloc(sizeof(sparse));
	m->graph->sparse_initializer[0] = sparse;
}

static void test_initializers(void)
{
	struct onnx_writer *w;

	w = one(13, "Add", "x b", "y");
	onnx_write_input(w, "b", DTYPE_F32, &s1);
	refuse_with(w, nameless_input, NULL, -EINVAL, "m.onnx: input 1 has no name");
	w = one(13, "Add", "x b", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	onnx_write_initializer(w, "c", DTYPE_F32, &s1, floats);
	refuse_with(w, nameless_initializer, NULL, -EINVAL, "m.onnx: initializer 1 has no name");
	w = one(13, "Add", "x b", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	refuse_with(w, sparse_initializer, NULL, -ENOTSUP,
		    "m.onnx: node \"n\" (Add): its input \"b\" is a sparse initializer");
	w = one(13, "Relu", "x", "z");
	onnx_write_initializer(w, "y", DTYPE_F32, &s1, floats);
	refuse_with(w, sparse_initializer, NULL, -ENOTSUP,
		    "m.onnx: output \"y\" is a sparse initializer");
	w = one(13, "Relu", "x", "y");
	onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
	accept_with(w, sparse_initializer, NULL, s4, "a sparse initializer that nobody uses");
}

/* A Relu of x whose dimension 2 is "rows" instead of 4. */
static void *symbolic(size_t *size)
{
	struct onnx_writer *w = one(13, "Relu", "x", "y");
	void *bytes;

	onnx_write_output(w, "y", DTYPE_F32, &s4);
	bytes = onnx_writer_pack(w, size);
	onnx_writer_destroy(w);
	return patched(bytes, size, all_have_rows);
}

static void test_shapes(void)
{
	const struct shape two = { 4, { 2, 1, 7, 4 } }, seven = { 4, { 1, 1, 7, 4 } };
	struct compile_shape given = { "x", two };
	struct compile_dim rows = { "rows", 7 };
	struct compile_options o = { .shapes = &given, .n_shapes = 1 };
	struct onnx_writer *w;

	accept_with(one(13, "Relu", "x", "y"), no_shape, &o, two, "a shape where there is none");
	refuse_with(one(13, "Relu", "x", "y"), no_shape, NULL, -EINVAL,
		    "m.onnx: input \"x\": it has no shape, and none is given");
	accept_with(one(13, "Relu", "x", "y"), dim_0_is_any, NULL, s4, "-1 is 1 by default");
	given.shape.dim[2] = 4;
	accept_with(one(13, "Relu", "x", "y"), dim_0_is_any, &o, given.shape, "a size for -1");
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: input \"x\": dimension 0 is 1 in the model, 2 in the given shape");
	given.shape = seven;
	accept_with(one(13, "Relu", "x", "y"), dim_2_is_rows, &o, seven, "a size for a symbol");
	w = one(13, "Add", "z x", "y");
	onnx_write_input(w, "z", DTYPE_F32, &s4);
	accept_with(w, both_have_rows, &o, seven, "a symbol has that size in every input");
	o.dims = &rows;
	o.n_dims = 1;
	accept_with(one(13, "Relu", "x", "y"), dim_2_is_rows, &o, seven, "a size given twice");
	rows.size = 8;
	refuse_with(one(13, "Relu", "x", "y"), dim_2_is_rows, &o, -EINVAL,
		    "m.onnx: the size of \"rows\" is given as 8 and as 7");
	rows.size = 0;
	refuse_with(one(13, "Relu", "x", "y"), dim_2_is_rows, &o, -EINVAL,
		    "m.onnx: the size of \"rows\" is 0");
	o.n_dims = 0;
	given.shape.rank = 3;
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: input \"x\": it has 4 dimensions in the model, 3 in the given shape");
	given.shape.dim[1] = 0;
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: input \"x\": dimension 1 of the given shape is 0");
	given.name = "q";
	refuse_with(one(13, "Relu", "x", "y"), NULL, &o, -EINVAL,
		    "m.onnx: there is no input \"q\"");
}

static void test_symbolic_dim(void)
{
	struct compile_dim dim = { "rows", 7 };
	char notice[400] = "";
	struct compile_options o = { .notice = keep_notice, .notice_context = notice };
	struct compile_error err = { 0 };
	struct graph *g = NULL;
	size_t size;
	void *bytes = symbolic(&size);

	tap_ok(!compile_graph_from_onnx(bytes, size, "m.onnx", &o, &g, &err) &&
		       g->inputs.v[0]->shape.dim[2] == 1 &&
		       !strcmp(notice,
			       "m.onnx: input \"x\": dimension 2 \"rows\" has no size, 1 is used"),
	       "a symbolic dimension is 1, with a notice: %s", notice);
	graph_free(g);
	notice[0] = 0;
	o.dims = &dim;
	o.n_dims = 1;
	tap_ok(!compile_graph_from_onnx(bytes, size, "m.onnx", &o, &g, &err) &&
		       g->outputs.v[0]->shape.dim[2] == 7 && !notice[0],
	       "a symbolic dimension from the options");
	graph_free(g);
	dim.name = "columns";
	tap_ok(compile_graph_from_onnx(bytes, size, "m.onnx", &o, &g, &err) == -EINVAL &&
		       !strcmp(err.text, "m.onnx: no input has a dimension \"columns\""),
	       "refused: %s", err.text);
	free(bytes);
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

/* ---- What nobody uses ----------------------------------------------------------------------- */

static void initializer_is_double(Onnx__ModelProto *m)
{
	m->graph->initializer[0]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static void input_1_is_double(Onnx__ModelProto *m)
{
	m->graph->input[1]->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static void become_sequence(Onnx__TypeProto *t)
{
	protobuf_c_message_free_unpacked(&t->tensor_type->base, NULL);
	t->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
	t->sequence_type = malloc(sizeof(*t->sequence_type));
	onnx__type_proto__sequence__init(t->sequence_type);
}

static void input_1_is_sequence(Onnx__ModelProto *m)
{
	become_sequence(m->graph->input[1]->type);
}

/* One more dimension, a copy of the first. */
static void nine_dims(Onnx__ModelProto *m)
{
	Onnx__TensorShapeProto *s = m->graph->input[1]->type->tensor_type->shape;

	s->dim = realloc(s->dim, (s->n_dim + 1) * sizeof(*s->dim));
	s->dim[s->n_dim] = malloc(sizeof(**s->dim));
	onnx__tensor_shape_proto__dimension__init(s->dim[s->n_dim]);
	s->dim[s->n_dim]->value_case = s->dim[0]->value_case;
	s->dim[s->n_dim++]->dim_value = s->dim[0]->dim_value;
}

static void test_unused(void)
{
	const struct shape vector = { 1, { 1 } };
	struct onnx_writer *w;

	w = start(8, &s4);
	onnx_write_node(w, "Dropout", "n", "x", "y mask");
	accept(w, "an old mask that nothing uses");
	w = start(8, &s4);
	onnx_write_node(w, "Dropout", "n", "x", "z mask");
	onnx_write_node(w, "Relu", "r", "mask", "y");
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"n\" (Dropout): its output 1 is not supported, and \"mask\" is used");
	w = start(7, &s4);
	onnx_write_node(w, "BatchNormalization", "n", "x c c c c", "y mean var saved kept");
	onnx_write_initializer(w, "c", DTYPE_F32, &vector, floats);
	refuse(w, -ENOTSUP,
	       "m.onnx: node \"n\" (BatchNormalization): its outputs beside the first say that it "
	       "normalises by the statistics of the batch: training is not supported");
	w = start(14, &s4);
	onnx_write_node(w, "BatchNormalization", "n", "x c c c c", "y mean var");
	onnx_write_initializer(w, "c", DTYPE_F32, &vector, floats);
	accept(w, "running statistics that nothing uses");
	w = one(13, "Relu", "x", "y");
	onnx_write_node(w, "NonZero", "", "x", "z");
	onnx_write_node(w, "Relu", "", "nowhere", "u");
	onnx_write_node(w, "Relu", "", "v", "v");
	accept(w, "nodes that nothing uses, whatever they are");
	w = one(13, "Relu", "x", "y");
	onnx_write_initializer(w, "d", DTYPE_S64, &vector, floats);
	accept_with(w, initializer_is_double, NULL, s4, "a double that nothing uses");
	w = one(13, "Add", "x d", "y");
	onnx_write_initializer(w, "d", DTYPE_S64, &vector, floats);
	refuse_with(w, initializer_is_double, NULL, -ENOTSUP,
		    "m.onnx: initializer \"d\": data type DOUBLE (11) is not supported");
	w = one(13, "Relu", "x", "y");
	onnx_write_input(w, "t", DTYPE_S64, &vector);
	accept_with(w, input_1_is_double, NULL, s4, "an input of doubles that nothing uses");
}

/* An input that no program can have, whether it is used or not. */
static void test_impossible_input(void)
{
	static const struct {
		struct shape shape;
		patch_fn *patch;
		int code;
		const char *text;
	} rows[] = {
		{ { 3, { 65536, 65536, 65536 } }, NULL, -EFBIG, "it exceeds 2147483648 elements" },
		{ { 2, { INT64_MAX, 2 } }, NULL, -EFBIG, "it exceeds 2147483648 elements" },
		{ { 1, { -3 } }, NULL, -EINVAL, "dimension 0 is -3" },
		{ { 8, { 1, 1, 1, 1, 1, 1, 1, 1 } },
		  nine_dims,
		  -EFBIG,
		  "9 dimensions, the limit is 8" },
		{ { 1, { 4 } },
		  input_1_is_double,
		  -ENOTSUP,
		  "data type DOUBLE (11) is not supported" },
		{ { 1, { 4 } }, input_1_is_sequence, -ENOTSUP, "it is not a tensor" },
		{ { 2, { 0, 4 } }, NULL, -ENOTSUP, "has no elements" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char notice[400] = "";
		struct compile_options o = { .notice = keep_notice, .notice_context = notice };
		struct compile_error err = { 0 };
		struct onnx_writer *w = one(13, "Relu", "x", "y");
		struct graph *g;
		bool good;

		onnx_write_input(w, "t", DTYPE_F32, &rows[i].shape);
		g = finish_patched(w, rows[i].patch, &o, &err);
		good = g && g->inputs.n == 1 &&
		       strstr(notice, "input \"t\": nothing depends on it, it is left out");
		if (!tap_ok(good, "left out where nobody uses it: %s", rows[i].text))
			printf("# %s %s\n", err.text, notice);
		graph_free(g);
		err = (struct compile_error){ 0 };
		w = one(13, "Relu", "t", "y");
		onnx_write_input(w, "t", DTYPE_F32, &rows[i].shape);
		g = finish_patched(w, rows[i].patch, NULL, &err);
		good = !g && err.code == rows[i].code && strstr(err.text, "input \"t\"") &&
		       strstr(err.text, rows[i].text);
		if (!tap_ok(good, "refused where it is used: %s", rows[i].text))
			printf("# %s\n", err.text);
		graph_free(g);
	}
}

/* ORT gives an output that is listed twice, twice; names in a .rnd file are unique. */
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

/* ---- What the model declares ---------------------------------------------------------------- */

static void output_has(Onnx__ModelProto *m, int n, const int64_t *dims)
{
	Onnx__TensorShapeProto *s = output_type(m)->shape;

	for (size_t i = 0; i < s->n_dim; i++)
		protobuf_c_message_free_unpacked(&s->dim[i]->base, NULL);
	s->dim = realloc(s->dim, (size_t)n * sizeof(*s->dim));
	s->n_dim = (size_t)n;
	for (int i = 0; i < n; i++) {
		s->dim[i] = malloc(sizeof(**s->dim));
		onnx__tensor_shape_proto__dimension__init(s->dim[i]);
		if (dims[i])
			s->dim[i]->value_case =
				ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		s->dim[i]->dim_value = dims[i];
	}
}

static void same_shape(Onnx__ModelProto *m)
{
	output_has(m, 4, (int64_t[]){ 1, 1, 4, 4 });
}

static void open_shape(Onnx__ModelProto *m)
{
	output_has(m, 4, (int64_t[]){ -1, 0, 4, 0 });
}

static void no_output_shape(Onnx__ModelProto *m)
{
	onnx__tensor_shape_proto__free_unpacked(output_type(m)->shape, NULL);
	output_type(m)->shape = NULL;
}

static void last_differs(Onnx__ModelProto *m)
{
	output_has(m, 4, (int64_t[]){ 1, 0, 4, 5 });
}

static void largest_dims(Onnx__ModelProto *m)
{
	const int64_t max = INT64_MAX;

	output_has(m, 8, (int64_t[]){ max, max, max, max, max, max, max, max });
}

static void nine_output_dims(Onnx__ModelProto *m)
{
	output_has(m, 9, (int64_t[]){ 1, 1, 1, 1, 1, 1, 1, 1, 1 });
}

static void output_is_double(Onnx__ModelProto *m)
{
	output_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static void output_is_undefined(Onnx__ModelProto *m)
{
	output_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED;
}

static void output_without_type(Onnx__ModelProto *m)
{
	onnx__type_proto__free_unpacked(m->graph->output[0]->type, NULL);
	m->graph->output[0]->type = NULL;
}

static void output_is_sequence(Onnx__ModelProto *m)
{
	become_sequence(m->graph->output[0]->type);
}

/* The output's declaration becomes one of a value between; "y" itself is declared no more. */
static void declare_between(Onnx__ModelProto *m, const char *name)
{
	Onnx__GraphProto *g = m->graph;

	g->value_info = malloc(sizeof(*g->value_info));
	g->value_info[0] = g->output[0];
	g->n_value_info = 1;
	g->output[0] = malloc(sizeof(*g->output[0]));
	onnx__value_info_proto__init(g->output[0]);
	g->output[0]->name = strdup("y");
	strcpy(g->value_info[0]->name, name);
}

static void between_is_s8(Onnx__ModelProto *m)
{
	output_is_s8(m);
	declare_between(m, "a");
}

static void between_is_short(Onnx__ModelProto *m)
{
	declare_between(m, "a");
}

static void unused_is_s8(Onnx__ModelProto *m)
{
	output_is_s8(m);
	declare_between(m, "u");
}

static void nowhere_is_s8(Onnx__ModelProto *m)
{
	output_is_s8(m);
	declare_between(m, "q");
}

/* a = Relu x; y = Tanh a; u = Relu a, which nobody uses. The writer declares y as f32[4]. */
static void test_declared(void)
{
	static const struct {
		patch_fn *patch;
		const char *text; /* of the error, or of the notice, or "" */
		int code;
	} rows[] = {
		{ same_shape, "", 0 },
		{ open_shape, "", 0 },
		{ no_output_shape, "", 0 },
		{ output_is_undefined, "", 0 },
		{ output_without_type, "", 0 },
		{ NULL, "output \"y\" is declared as [4], but it is [1,1,4,4]", 0 },
		{ last_differs, "output \"y\" is declared as [1,?,4,5], but it is [1,1,4,4]", 0 },
		{ largest_dims,
		  "output \"y\" is declared as "
		  "[9223372036854775807,9223372036854775807,9223372036854775807,"
		  "9223372036854775807,9223372036854775807,9223372036854775807,"
		  "9223372036854775807,9223372036854775807], but it is [1,1,4,4]",
		  0 },
		{ nine_output_dims,
		  "output \"y\" is declared as one of more than 8 dimensions, but it is "
		  "[1,1,4,4]",
		  0 },
		{ output_is_s8, "output \"y\" is declared as s8, but it is f32", -EINVAL },
		{ output_is_double, "output \"y\": data type DOUBLE (11) is not supported",
		  -ENOTSUP },
		{ output_is_sequence, "output \"y\": it is not a tensor", -ENOTSUP },
		{ between_is_s8, "value \"a\" is declared as s8, but it is f32", -EINVAL },
		{ between_is_short, "", 0 },
		{ unused_is_s8, "", 0 },
		{ nowhere_is_s8, "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char notice[400] = "", want[400];
		struct compile_options o = { .notice = keep_notice, .notice_context = notice };
		struct compile_error err = { 0 };
		struct onnx_writer *w = one(13, "Relu", "x", "a");
		struct graph *g;

		onnx_write_node(w, "Tanh", "", "a", "y");
		onnx_write_node(w, "Relu", "", "a", "u");
		g = finish_patched(w, rows[i].patch, &o, &err);
		snprintf(want, sizeof(want), "%s%s", rows[i].text[0] ? "m.onnx: " : "",
			 rows[i].text);
		if (!tap_ok(err.code == rows[i].code && !g == !!rows[i].code &&
				    !strcmp(g ? notice : err.text, want),
			    "declared: %s", want))
			printf("# %d %s %s\n", err.code, err.text, notice);
		graph_free(g);
	}
}

/* An initializer has the type that it is declared with as an input, its shape included. */
static void test_declared_default(void)
{
	const struct shape five = { 1, { 5 } };

	for (int i = 0; i < 4; i++) {
		struct onnx_writer *w = one(13, "Add", "x b", "y");
		struct compile_error err = { 0 };
		struct graph *g;

		onnx_write_input(w, "b", i & 1 ? DTYPE_S32 : DTYPE_F32, i & 2 ? &five : &s1);
		onnx_write_initializer(w, "b", DTYPE_F32, &s1, floats);
		g = finish(w, NULL, &err);
		if (!tap_ok(!g == !!i && !strcmp(err.text,
						 i & 1 ? "m.onnx: input \"b\" is declared as s32, "
							 "but it is f32" :
						 i     ? "m.onnx: input \"b\" is declared as [5], "
							 "but it is [4]" :
							 ""),
			    "a default %s", i ? "of another type is refused" : "as declared"))
			printf("# %s\n", err.text);
		graph_free(g);
	}
}

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

int main(void)
{
	test_graphs();
	test_tensors();
	test_nodes();
	test_reshape();
	test_opsets();
	test_bake();
	test_bake_default();
	test_symbolic_dim();
	test_shapes();
	test_initializers();
	test_nul();
	test_tensor_as_model();
	test_unused();
	test_impossible_input();
	test_no_nodes();
	test_declared();
	test_declared_default();
	test_listed_twice();
	test_dump();
	test_fold_limit();
	test_fold_sum();
	return tap_done();
}
