/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Inputs and initializers of ONNX models, what the options say of them, and those nobody uses. */
#include "tests/unit/compiler_onnx_rig.h"

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

/* Whoever gives integers of 64 bits is told if the program computes with them. */
static void test_s64(void)
{
	static const struct {
		const char *op;
		const char *notice;
	} rows[] = {
		{ "Add", "m.onnx: input \"x\" is s64, the program computes with its low 32 bits: "
			 "elements beyond -2147483648..2147483647 are wrong" },
		{ "Concat", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct onnx_writer *w = onnx_writer_create("g", "", 13);
		char notice[400] = "";
		struct compile_options o = { .notice = keep_notice, .notice_context = notice };
		struct compile_error err = { 0 };
		struct graph *g = NULL;
		size_t size;
		void *bytes;

		onnx_write_input(w, "x", DTYPE_S64, &s1);
		onnx_write_node(w, rows[i].op, "n", "x x", "y");
		if (i)
			onnx_write_int(w, "axis", 0);
		onnx_write_output(w, "y", DTYPE_S64, i ? &(struct shape){ 1, { 8 } } : &s1);
		bytes = onnx_writer_pack(w, &size);
		onnx_writer_destroy(w);
		tap_ok(!compile_graph_from_onnx(bytes, size, "m.onnx", &o, &g, &err) &&
			       !strcmp(notice, rows[i].notice),
		       "%s of 64-bit integers: %s%s", rows[i].op, notice, err.text);
		graph_free(g);
		free(bytes);
	}
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
	       "m.onnx: node \"n\" (Dropout): its output 1, \"mask\", is used; the first 1 are "
	       "mapped");
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

int main(void)
{
	test_bake();
	test_bake_default();
	test_symbolic_dim();
	test_s64();
	test_shapes();
	test_initializers();
	test_unused();
	test_impossible_input();
	return tap_done();
}
