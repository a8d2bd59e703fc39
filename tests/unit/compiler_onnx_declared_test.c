/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What ONNX models declare of types that something else decides. */
#include "tests/unit/compiler_onnx_rig.h"

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

int main(void)
{
	test_declared();
	test_declared_default();
	return tap_done();
}
