// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * If, Loop, Scan and functions of a model: what they compute when their nodes stand in their place,
 * and how they are refused. Models are built from protobuf-c's structures, which live in a pool.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "tests/tap.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <stdarg.h>

enum { POOL = 1 << 18, LIST = 16, WIDTH = 4 };

static _Alignas(16) char pool[POOL];
static size_t pool_used;

static void *take(size_t size)
{
	void *p = pool + pool_used;

	pool_used += (size + 15) / 16 * 16;
	if (pool_used > POOL)
		abort();
	return memset(p, 0, size);
}

#define NEW(type, init)                               \
	({                                            \
		type *made_ = take(sizeof(type));     \
		type empty_ = init;                   \
		memcpy(made_, &empty_, sizeof(type)); \
		made_;                                \
	})

/* ---- Building -------------------------------------------------------------------------------- */

/* Words of @text; "_" is an empty one. */
static char **words(const char *text, size_t *n)
{
	char **list = take(LIST * sizeof(*list)), *copy = take(strlen(text) + 1);

	strcpy(copy, text);
	*n = 0;
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		list[(*n)++] = strcmp(w, "_") ? w : (char *)"";
	return list;
}

static Onnx__NodeProto *node(const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *p = NEW(Onnx__NodeProto, ONNX__NODE_PROTO__INIT);

	p->op_type = (char *)op;
	p->name = (char *)op;
	p->input = words(in, &p->n_input);
	p->output = words(out, &p->n_output);
	p->attribute = take(LIST * sizeof(*p->attribute));
	return p;
}

static Onnx__AttributeProto *attribute(Onnx__NodeProto *p, const char *name)
{
	Onnx__AttributeProto *a = NEW(Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);

	a->name = (char *)name;
	p->attribute[p->n_attribute++] = a;
	return a;
}

static Onnx__NodeProto *with_graph(Onnx__NodeProto *p, const char *name, Onnx__GraphProto *g)
{
	Onnx__AttributeProto *a = attribute(p, name);

	a->has_type = 1;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
	a->g = g;
	return p;
}

static Onnx__NodeProto *with_int(Onnx__NodeProto *p, const char *name, s64 i)
{
	Onnx__AttributeProto *a = attribute(p, name);

	a->has_type = a->has_i = 1;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
	a->i = i;
	return p;
}

static Onnx__NodeProto *with_ints(Onnx__NodeProto *p, const char *name, s64 i)
{
	Onnx__AttributeProto *a = attribute(p, name);

	a->has_type = 1;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
	a->ints = take(sizeof(*a->ints));
	a->ints[a->n_ints++] = i;
	return p;
}

static Onnx__NodeProto *with_float(Onnx__NodeProto *p, const char *name, float f, const char *ref)
{
	Onnx__AttributeProto *a = attribute(p, name);

	a->has_type = 1;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
	a->has_f = !ref;
	a->f = f;
	a->ref_attr_name = (char *)ref;
	return p;
}

static Onnx__ValueInfoProto **infos(const char *text, size_t *n)
{
	char **names = words(text, n);
	Onnx__ValueInfoProto **list = take(LIST * sizeof(*list));

	for (size_t i = 0; i < *n; i++) {
		list[i] = NEW(Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
		list[i]->name = names[i];
	}
	return list;
}

static size_t list_nodes(Onnx__NodeProto ***list, Onnx__NodeProto *first, va_list ap)
{
	size_t n = 0;

	*list = take(LIST * sizeof(**list));
	for (Onnx__NodeProto *p = first; p; p = va_arg(ap, Onnx__NodeProto *))
		(*list)[n++] = p;
	return n;
}

/* The nodes end with NULL. */
static Onnx__GraphProto *graph(const char *in, const char *out, Onnx__NodeProto *first, ...)
{
	Onnx__GraphProto *g = NEW(Onnx__GraphProto, ONNX__GRAPH_PROTO__INIT);
	va_list ap;

	g->input = infos(in, &g->n_input);
	g->output = infos(out, &g->n_output);
	va_start(ap, first);
	g->n_node = list_nodes(&g->node, first, ap);
	va_end(ap);
	g->initializer = take(LIST * sizeof(*g->initializer));
	return g;
}

static void scalar(Onnx__GraphProto *g, const char *name, int type, s64 value)
{
	Onnx__TensorProto *t = NEW(Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);

	t->name = (char *)name;
	t->has_data_type = 1;
	t->data_type = type;
	t->int32_data = take(sizeof(*t->int32_data));
	t->int64_data = take(sizeof(*t->int64_data));
	t->int32_data[0] = (s32)value;
	t->int64_data[0] = value;
	*(type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ? &t->n_int64_data : &t->n_int32_data) = 1;
	g->initializer[g->n_initializer++] = t;
}

/* Input @i of @g is a tensor of that type: [rows, WIDTH], or a scalar if @rows is 0. */
static void typed(Onnx__GraphProto *g, size_t i, int type, s64 rows)
{
	Onnx__TypeProto *t = NEW(Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
	Onnx__TensorShapeProto *s = NEW(Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);

	t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	t->tensor_type = NEW(Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
	t->tensor_type->has_elem_type = 1;
	t->tensor_type->elem_type = type;
	t->tensor_type->shape = s;
	s->dim = take(2 * sizeof(*s->dim));
	for (s->n_dim = 0; rows && s->n_dim < 2; s->n_dim++) {
		Onnx__TensorShapeProto__Dimension *d =
			NEW(Onnx__TensorShapeProto__Dimension,
			    ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);

		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		d->dim_value = s->n_dim ? WIDTH : rows;
		s->dim[s->n_dim] = d;
	}
	g->input[i]->type = t;
}

static Onnx__FunctionProto *function(const char *name, const char *in, const char *out,
				     Onnx__NodeProto *first, ...)
{
	Onnx__FunctionProto *f = NEW(Onnx__FunctionProto, ONNX__FUNCTION_PROTO__INIT);
	va_list ap;

	f->name = (char *)name;
	f->domain = (char *)"own";
	f->input = words(in, &f->n_input);
	f->output = words(out, &f->n_output);
	va_start(ap, first);
	f->n_node = list_nodes(&f->node, first, ap);
	va_end(ap);
	return f;
}

/* Gives @m a field that is unknown to older messages; room for its @size bytes. */
static u8 *with_unknown(ProtobufCMessage *m, u32 number, size_t size)
{
	ProtobufCMessageUnknownField *u = take(sizeof(*u));

	*u = (ProtobufCMessageUnknownField){ number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 1 + size,
					     take(1 + size) };
	u->data[0] = (u8)size;
	m->n_unknown_fields = 1;
	m->unknown_fields = u;
	return u->data + 1;
}

/* Gives @f the attribute of @p as a default. */
static Onnx__FunctionProto *with_default(Onnx__FunctionProto *f, const Onnx__NodeProto *p)
{
	size_t size = onnx__attribute_proto__get_packed_size(p->attribute[0]);

	onnx__attribute_proto__pack(p->attribute[0], with_unknown(&f->base, 11, size));
	return f;
}

static Onnx__FunctionProto *with_overload(Onnx__FunctionProto *f, const char *text)
{
	memcpy(with_unknown(&f->base, 13, strlen(text)), text, strlen(text));
	return f;
}

static Onnx__NodeProto *of_overload(Onnx__NodeProto *p, const char *text)
{
	memcpy(with_unknown(&p->base, 8, strlen(text)), text, strlen(text));
	return p;
}

static Onnx__FunctionProto *of_set(Onnx__FunctionProto *f, s64 version)
{
	f->opset_import = take(sizeof(*f->opset_import));
	f->opset_import[f->n_opset_import++] =
		NEW(Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);
	f->opset_import[0]->has_version = 1;
	f->opset_import[0]->version = version;
	return f;
}

static Onnx__NodeProto *call(Onnx__NodeProto *p)
{
	p->domain = (char *)"own";
	return p;
}

/* ---- Running --------------------------------------------------------------------------------- */

static Onnx__FunctionProto *functions[4];
static size_t function_count;

static struct graph *compile(Onnx__GraphProto *g, struct compile_error *err)
{
	Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
	Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
	struct graph *out = NULL;
	u8 *bytes;
	size_t size;

	set.has_version = 1;
	set.version = 17;
	m.n_opset_import = 1;
	m.opset_import = &sets;
	m.graph = g;
	m.functions = functions;
	m.n_functions = function_count;
	size = onnx__model_proto__get_packed_size(&m);
	bytes = malloc(size);
	onnx__model_proto__pack(&m, bytes);
	compile_graph_from_onnx(bytes, size, "m", NULL, &out, err);
	free(bytes);
	pool_used = function_count = 0;
	return out;
}

/* Output 0 of @g, with x = 1, 2, 3 ... and, if there is a second input, @condition, is @want. */
static void check(const char *name, Onnx__GraphProto *p, bool condition, const float *want)
{
	float x[2 * WIDTH];
	struct compile_error err = { 0 };
	struct graph *g = compile(p, &err);
	struct tensor_data in[2] = { { .dtype = DTYPE_F32, .bytes = x } }, out[4] = { { 0 } };
	bool same = false;

	for (int i = 0; i < 2 * WIDTH; i++)
		x[i] = (float)(1 + i);
	if (g) {
		in[0].shape = g->inputs.v[0]->shape;
		in[1] = (struct tensor_data){ .dtype = DTYPE_BOOL, .bytes = &condition };
		same = !graph_eval(g, in, out, &err) && !memcmp(out[0].bytes, want, out[0].size);
	}
	if (!tap_ok(same, "%s", name))
		printf("# %s, %g ...\n", err.text,
		       out[0].bytes ? (double)*(float *)out[0].bytes : 0);
	for (size_t i = 0; g && i < g->outputs.n; i++)
		tensor_data_free(&out[i]);
	graph_free(g);
}

static void refuse(Onnx__GraphProto *p, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = compile(p, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

enum {
	F32 = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
	S64 = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
	BOOL = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
};

/* @p behind x of [@rows, WIDTH], with result y. */
static Onnx__GraphProto *on_x(s64 rows, const char *in, const char *out, Onnx__NodeProto *p)
{
	Onnx__GraphProto *g = graph(in, out, p, NULL);

	typed(g, 0, F32, rows);
	return g;
}

/* ---- If -------------------------------------------------------------------------------------- */

/* y = c ? -x : x + x, or with @sum: the sum of x. */
static Onnx__GraphProto *choice(const char *in, bool sum)
{
	Onnx__NodeProto *p = node("If", "c", "y");
	Onnx__NodeProto *other = sum ? node("ReduceSum", "x", "b") : node("Add", "x x", "b");

	with_graph(p, "then_branch", graph("", "a", node("Neg", "x", "a"), NULL));
	with_graph(p, "else_branch", graph("", "b", other, NULL));
	return on_x(1, in, "y", p);
}

static void test_if(void)
{
	static const float minus[] = { -1, -2, -3, -4 }, twice[] = { 2, 4, 6, 8 };
	Onnx__GraphProto *g = choice("x", true);

	scalar(g, "c", BOOL, 1);
	check("If of a true constant", g, false, minus);
	g = choice("x", false);
	scalar(g, "c", BOOL, 0);
	check("If of a false constant", g, false, twice);
	for (int c = 0; c < 2; c++) {
		g = choice("x c", false);
		typed(g, 1, BOOL, 0);
		check("If of an input", g, c, c ? minus : twice);
	}
	g = choice("x c", true);
	typed(g, 1, BOOL, 0);
	refuse(g, -ENOTSUP,
	       "m: node \"If\" (If): its condition \"c\" is known only at run time, and its "
	       "branches "
	       "give f32[1,4] and f32[1,1]; make it a constant");
	g = choice("x", false);
	g->node[0]->n_attribute = 1;
	scalar(g, "c", BOOL, 0);
	refuse(g, -EINVAL,
	       "m: node \"If\" (If): it has no subgraph \"else_branch\" of 0 inputs and 1 outputs");
	g = choice("x", false);
	g->node[0]->attribute[0]->g->node[0]->input[0] = (char *)"nobody";
	scalar(g, "c", BOOL, 1);
	refuse(g, -EINVAL, "m: node \"Neg\" (Neg): nothing produces its input \"nobody\"");
}

/* ---- Loop and Scan --------------------------------------------------------------------------- */

/* s = x, then s + x * trip; all of s are k. It ends when the body's condition is false. */
static Onnx__GraphProto *loop(const char *in, const char *given, const char *results)
{
	Onnx__NodeProto *p = node("Loop", given, results);
	Onnx__GraphProto *g;

	with_graph(p, "body",
		   graph("i c s", "more t k", node("Less", "i last", "more"),
			 with_int(node("Cast", "i", "f"), "to", F32), node("Mul", "x f", "d"),
			 node("Add", "s d", "t"), node("Identity", "t", "k"), NULL));
	g = on_x(1, in, results, p);
	scalar(g, "last", S64, 2);
	scalar(g, "n", S64, 3);
	scalar(g, "c", BOOL, 1);
	return g;
}

static void test_loop(void)
{
	static const float sum[] = { 4, 8, 12, 16 }; /* 1 + 0 + 1 + 2, times x */
	static const float more[] = { 7, 14, 21, 28 };
	static const float all[] = { 1, 2, 3, 4, 2, 4, 6, 8, 4, 8, 12, 16 };
	Onnx__GraphProto *g;

	check("Loop of three trips", loop("x", "n c x", "y"), false, sum);
	check("Loop until its condition is false", loop("x", "_ c x", "y"), false, sum);
	g = loop("x", "n _ x", "y");
	g->initializer[1]->int64_data[0] = 4;
	check("Loop without a condition looks at none", g, false, more);
	g = loop("x", "n c x", "s y");
	g->output++;
	g->n_output = 1;
	check("Loop that keeps results of all trips", g, false, all);
	g = loop("x n", "n c x", "y");
	typed(g, 1, S64, 0);
	g->initializer[1] = g->initializer[--g->n_initializer];
	refuse(g, -ENOTSUP,
	       "m: node \"Loop\" (Loop): how often it runs depends on \"n\", which is known only "
	       "at "
	       "run time; make it a constant, or run the program once for each trip");
	refuse(loop("x", "_ _ x", "y"), -EFBIG,
	       "m: node \"Loop\" (Loop): more than 1024 trips, or results of trips; run the "
	       "program "
	       "once for each");
}

/* A constant that a body names, or has, is there once, however many trips there are. */
static void test_constants(void)
{
	enum { TRIPS = 200, BYTES = 1 << 16 };

	for (int inside = 0; inside < 2; inside++) {
		Onnx__NodeProto *p = node("Loop", "n c x", "y");
		Onnx__GraphProto *body = graph("i m s", "m2 t", node("Add", "s w", "t"),
					       node("Identity", "m", "m2"), NULL);
		Onnx__GraphProto *g = on_x(BYTES / 4 / WIDTH, "x", "y", p), *of = inside ? body : g;
		struct compile_error err = { 0 };
		struct graph *out;

		with_graph(p, "body", body);
		scalar(g, "n", S64, TRIPS);
		scalar(g, "c", BOOL, 1);
		scalar(of, "w", F32, 0);
		of->initializer[of->n_initializer - 1]->n_int32_data = 0;
		of->initializer[of->n_initializer - 1]->has_raw_data = 1;
		of->initializer[of->n_initializer - 1]->raw_data.len = BYTES;
		of->initializer[of->n_initializer - 1]->raw_data.data = take(BYTES);
		of->initializer[of->n_initializer - 1]->n_dims = 2;
		of->initializer[of->n_initializer - 1]->dims = take(2 * sizeof(int64_t));
		of->initializer[of->n_initializer - 1]->dims[0] = BYTES / 4 / WIDTH;
		of->initializer[of->n_initializer - 1]->dims[1] = WIDTH;
		out = compile(g, &err);
		if (!tap_ok(out && out->const_bytes < 2 * BYTES, "a constant %s a Loop",
			    inside ? "in" : "before"))
			printf("# %s, %llu bytes\n", err.text,
			       out ? (unsigned long long)out->const_bytes : 0);
		graph_free(out);
	}
}

/* An If in a Loop, whose condition is the number of the trip. */
static void test_nested(void)
{
	static const float want[] = { -2, -4, -6, -8 };
	Onnx__NodeProto *p = node("Loop", "n c x", "y"), *in = node("If", "first", "t");
	Onnx__GraphProto *g;

	with_graph(in, "then_branch", graph("", "a", node("Neg", "s", "a"), NULL));
	with_graph(in, "else_branch", graph("", "b", node("Sub", "s x", "b"), NULL));
	with_graph(p, "body",
		   graph("i m s", "m2 t", node("Equal", "i zero", "first"), in,
			 node("Identity", "m", "m2"), NULL));
	g = on_x(1, "x", "y", p);
	scalar(g, "zero", S64, 0);
	scalar(g, "n", S64, 2);
	scalar(g, "c", BOOL, 1);
	check("If in a Loop", g, false, want);
}

/* A Scan of sums of rows of x, from 0 on. */
static Onnx__GraphProto *scan(const char *out, s64 axis)
{
	Onnx__NodeProto *p = node("Scan", "first x", out);
	Onnx__GraphProto *g;

	with_graph(p, "body",
		   graph("s r", "t k", node("Add", "s r", "t"), node("Identity", "t", "k"), NULL));
	with_int(p, "num_scan_inputs", 1);
	with_ints(p, "scan_input_axes", axis);
	with_ints(p, "scan_output_directions", 1);
	g = graph("x", out, node("Identity", "zero", "first"), p, NULL);
	typed(g, 0, F32, 2);
	scalar(g, "zero", F32, 0);
	g->initializer[0]->n_int32_data = 0;
	g->initializer[0]->n_float_data = 1;
	g->initializer[0]->float_data = take(sizeof(float));
	return g;
}

static void test_scan(void)
{
	static const float sum[] = { 6, 8, 10, 12 };
	static const float back[] = { 6, 8, 10, 12, 1, 2, 3, 4 };
	Onnx__GraphProto *g = scan("y", 0);

	check("Scan over rows", g, false, sum);
	g = scan("s y", 0);
	g->output++;
	g->n_output = 1;
	check("Scan, whose results are in reverse", g, false, back);
	g = scan("y", 2);
	refuse(g, -EINVAL, "m: node \"Scan\" (Scan): input 1 has no axis 2");
}

/* ---- Functions ------------------------------------------------------------------------------- */

/* A function in a function, of -x, so that the attribute counts. */
static void declare_nested(void)
{
	functions[0] = function("Inner", "a", "b",
				with_float(node("LeakyRelu", "a", "b"), "alpha", 0, "slope"), NULL);
	functions[1] = function("Outer", "a unused", "b", node("Neg", "a", "m"),
				with_float(call(node("Inner", "m", "b")), "slope", 0, "steep"),
				NULL);
	function_count = 2;
}

static void test_functions(void)
{
	static const float scaled[] = { -0.5f, -1, -1.5f, -2 },
			   usual[] = { -0.01f, -0.02f, -0.03f, -0.04f };
	static const float clipped[] = { 1, 2, 3, 4 };

	declare_nested();
	check("a function in a function, with an attribute",
	      on_x(1, "x", "y", with_float(call(node("Outer", "x", "y")), "steep", 0.5f, NULL)),
	      false, scaled);
	declare_nested();
	check("and without", on_x(1, "x", "y", call(node("Outer", "x", "y"))), false, usual);
	declare_nested();
	with_default(functions[1], with_float(node("", "", ""), "steep", 0.5f, NULL));
	check("and with a default", on_x(1, "x", "y", call(node("Outer", "x", "y"))), false,
	      scaled);
	declare_nested();
	with_default(functions[1], with_float(node("", "", ""), "steep", 7, NULL));
	check("a default that the call does not take",
	      on_x(1, "x", "y", with_float(call(node("Outer", "x", "y")), "steep", 0.5f, NULL)),
	      false, scaled);
	functions[0] = function("F", "a lo", "b", node("Clip", "a lo", "b"), NULL);
	function_count = 1;
	check("a function whose second input is left out",
	      on_x(1, "x", "y", call(node("F", "x", "y"))), false, clipped);
	functions[0] = function("F", "a", "b", call(node("F", "a", "b")), NULL);
	function_count = 1;
	refuse(on_x(1, "x", "y", call(node("F", "x", "y"))), -EINVAL,
	       "m: node \"F\" (own.F): functions call each other more than 64 deep");
	functions[0] = function("F", "a", "b", node("Neg", "m", "b"), node("Abs", "a", "m"), NULL);
	function_count = 1;
	refuse(on_x(1, "x", "y", call(node("F", "x", "y"))), -EINVAL,
	       "m: node \"Neg\" (Neg): nothing before it produces its input \"m\"");
	refuse(on_x(1, "x", "y", call(node("G", "x", "y"))), -ENOTSUP,
	       "m: node \"G\" (own.G): the operator is not supported");
}

/* -x, |x| and -1 by one name. */
static void declare_overloads(void)
{
	functions[0] = with_overload(function("F", "a", "b", node("Neg", "a", "b"), NULL), "one");
	functions[1] = with_overload(function("F", "a", "b", node("Abs", "a", "b"), NULL), "two");
	functions[2] = function("F", "a", "b", node("Neg", "a", "c"), node("Sign", "c", "b"), NULL);
	functions[3] = function("one", "a", "b", node("Exp", "a", "b"), NULL);
	function_count = 4;
}

static void test_overloads(void)
{
	static const float negated[] = { -1, -2, -3, -4 }, same[] = { 1, 2, 3, 4 },
			   none[] = { -1, -1, -1, -1 };

	declare_overloads();
	check("the first overload",
	      on_x(1, "x", "y", of_overload(call(node("F", "x", "y")), "one")), false, negated);
	declare_overloads();
	check("the second overload",
	      on_x(1, "x", "y", of_overload(call(node("F", "x", "y")), "two")), false, same);
	declare_overloads();
	check("none", on_x(1, "x", "y", call(node("F", "x", "y"))), false, none);
	declare_overloads();
	refuse(on_x(1, "x", "y", of_overload(call(node("F", "x", "y")), "three")), -EINVAL,
	       "m: node \"F\" (own.F): the model has no overload \"three\" of this function");
	declare_overloads();
	function_count = 2;
	refuse(on_x(1, "x", "y", call(node("F", "x", "y"))), -EINVAL,
	       "m: node \"F\" (own.F): the model has no overload \"\" of this function");
	declare_overloads();
	functions[3] = with_overload(function("F", "a", "b", node("Exp", "a", "b"), NULL), "one");
	refuse(on_x(1, "x", "y", of_overload(call(node("F", "x", "y")), "two")), -EINVAL,
	       "m: it defines the function own.F (overload \"one\") twice");
	declare_overloads();
	functions[3] = functions[2];
	refuse(on_x(1, "x", "y", of_overload(call(node("F", "x", "y")), "two")), -EINVAL,
	       "m: it defines the function own.F twice");
}

/* The model is of operator set 17. */
static void test_sets_of_functions(void)
{
	static const float negated[] = { -1, -2, -3, -4 };

	functions[0] = of_set(function("F", "a", "b", node("Neg", "a", "b"), NULL), 13);
	function_count = 1;
	check("a function of another operator set, which is the same there",
	      on_x(1, "x", "y", call(node("F", "x", "y"))), false, negated);
	functions[0] = of_set(function("F", "a", "b", node("Softmax", "a", "b"), NULL), 12);
	function_count = 1;
	refuse(on_x(1, "x", "y", call(node("F", "x", "y"))), -ENOTSUP,
	       "m: node \"Softmax\" (Softmax): the operator is that of set 12 in the function, of "
	       "17 in the model, and has changed in between; write both for one set");
}

int main(void)
{
	test_if();
	test_loop();
	test_constants();
	test_nested();
	test_scan();
	test_functions();
	test_overloads();
	test_sets_of_functions();
	return tap_done();
}
