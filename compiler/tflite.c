// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorFlow Lite model -> graph: its only subgraph, its tensors, its inputs and outputs. Operators
 * are read in tflite_node.c.
 *
 * The file is not trusted: flatbuffer.h compares all offsets with it, and every number is compared
 * with what it counts. Images stay as nodes make them, with channels before rows, and are turned
 * where something needs the model's own order: at its inputs, outputs and reshapes.
 */
#include "compiler/narrow.h"
#include "compiler/tflite_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Fields of the tables, in the schema's order. */
enum { MODEL_VERSION, MODEL_CODES, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS };
enum { SUBGRAPH_TENSORS, SUBGRAPH_INPUTS, SUBGRAPH_OUTPUTS, SUBGRAPH_OPERATORS, SUBGRAPH_NAME };
enum {
	TENSOR_SHAPE,
	TENSOR_TYPE,
	TENSOR_BUFFER,
	TENSOR_NAME,
	TENSOR_QUANTISED,
	TENSOR_VARIABLE,
	TENSOR_SPARSITY,
	TENSOR_SIGNATURE
};
enum { QUANTISED_SCALE = 2, QUANTISED_ZERO, QUANTISED_DETAILS, QUANTISED_AXIS = 6 };
enum { CODE_OLD, CODE_CUSTOM, CODE_VERSION, CODE_BUILTIN };
enum { OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS = 4 };
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };

/* Bytes of constants in all: a small file must not become a large graph by sharing buffers. */
enum { FETCHED_TIMES = 4, FETCHED_MAX = 1 << 20 };

enum { VERSION = 3, TENSORS_MAX = 1 << 16, OPERATORS_MAX = 1 << 16, NAME_ROOM = 200 };

enum { TYPE_FLOAT16 = 1 };

/*
 * The schema's element types, by their numbers; those without a type of ours are not read. FLOAT16
 * is read as f32.
 */
static const struct {
	const char *name;
	bool read;
	enum dtype dtype;
} types[] = {
	{ "FLOAT32", true, DTYPE_F32 }, { "FLOAT16", true, DTYPE_F32 },
	{ "INT32", true, DTYPE_S32 },	{ "UINT8", true, DTYPE_U8 },
	{ "INT64", true, DTYPE_S64 },	{ "STRING", false, 0 },
	{ "BOOL", true, DTYPE_BOOL },	{ "INT16", false, 0 },
	{ "COMPLEX64", false, 0 },	{ "INT8", true, DTYPE_S8 },
	{ "FLOAT64", false, 0 },	{ "COMPLEX128", false, 0 },
	{ "UINT64", false, 0 },		{ "RESOURCE", false, 0 },
	{ "VARIANT", false, 0 },	{ "UINT32", false, 0 },
	{ "UINT16", false, 0 },		{ "INT4", false, 0 },
};

enum { TYPES = sizeof(types) / sizeof(types[0]) };

int tflite_check(struct tflite_reader *r)
{
	if (!r->file.wrong)
		return 0;
	return graph_fail(r->g, -EINVAL, "damaged or truncated: %s, at byte %zu", r->file.wrong,
			  r->file.wrong_at);
}

int tflite_fail(const struct tflite_operator *o, int code, const char *fmt, ...)
{
	char text[sizeof(o->r->g->err->text)];
	va_list ap;

	if (tflite_check(o->r))
		return o->r->g->err->code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return graph_fail_at(o->r->g, o->name, o->kind, code, text);
}

/* ---- Tensors ------------------------------------------------------------------------------- */

static int fail_tensor(struct tflite_reader *r, const struct tflite_tensor *t, int code,
		       const char *what, s64 number)
{
	char name[NAME_ROOM];

	if (tflite_check(r))
		return r->g->err->code;
	fb_string(&t->table, TENSOR_NAME, name, sizeof(name));
	return graph_fail(r->g, code, "tensor \"%.120s\": %s %lld", name, what, (long long)number);
}

static int read_type(struct tflite_reader *r, struct tflite_tensor *t)
{
	s64 number = fb_int(&t->table, TENSOR_TYPE, 1, 0);
	char name[NAME_ROOM];

	if (number < 0 || number >= TYPES)
		return fail_tensor(r, t, -ENOTSUP, "no element type is known that has the number",
				   number);
	t->dtype = types[number].dtype;
	t->half = number == TYPE_FLOAT16;
	if (types[number].read)
		return 0;
	fb_string(&t->table, TENSOR_NAME, name, sizeof(name));
	return graph_fail(
		r->g, -ENOTSUP,
		"tensor \"%.120s\": elements of %s are not supported; these are: FLOAT32, "
		"FLOAT16, INT8, UINT8, INT32, INT64, BOOL",
		name, types[number].name);
}

/* The shape that the options give an input; NULL: none. */
static const struct shape *given_shape(const struct tflite_reader *r, const char *name)
{
	for (size_t i = 0; i < r->options->n_shapes; i++)
		if (!strcmp(r->options->shapes[i].name, name))
			return &r->options->shapes[i].shape;
	return NULL;
}

static int read_shape(struct tflite_reader *r, struct tflite_tensor *t)
{
	struct fb_vector dims = fb_vector(&t->table, TENSOR_SHAPE, 4);

	if (dims.count > TENSOR_RANK_MAX)
		return fail_tensor(r, t, -EFBIG, "too many dimensions,", dims.count);
	t->shape.rank = (int)dims.count;
	for (u32 i = 0; i < dims.count; i++) {
		t->shape.dim[i] = fb_at(&dims, i);
		if (t->shape.dim[i] < 0)
			return fail_tensor(r, t, -EINVAL, "a dimension is", t->shape.dim[i]);
	}
	if (!shape_valid(&t->shape))
		return fail_tensor(r, t, -EFBIG, "it has more elements than", TENSOR_ELEMS_MAX);
	return 0;
}

/* Scales and zeros; that they are numbers is seen where they are used. */
static int read_quantised(struct tflite_reader *r, struct tflite_tensor *t)
{
	struct fb_table q = fb_table(&t->table, TENSOR_QUANTISED);
	s64 details = fb_int(&q, QUANTISED_DETAILS, 1, 0);

	if (details)
		return fail_tensor(r, t, -ENOTSUP,
				   "it is quantised in a way that is not supported,", details);
	t->scale = fb_vector(&q, QUANTISED_SCALE, 4);
	t->zero = fb_vector(&q, QUANTISED_ZERO, 8);
	t->axis = fb_int(&q, QUANTISED_AXIS, 4, 0);
	return tflite_check(r);
}

/* Tensors whose contents are not what their buffers hold. */
static int check_contents(struct tflite_reader *r, const struct tflite_tensor *t)
{
	char name[NAME_ROOM];
	const char *what = fb_int(&t->table, TENSOR_VARIABLE, 1, 0)    ? "variable" :
			   fb_table(&t->table, TENSOR_SPARSITY).buffer ? "sparse" :
									 NULL;

	if (!what)
		return tflite_check(r);
	fb_string(&t->table, TENSOR_NAME, name, sizeof(name));
	return graph_fail(r->g, -ENOTSUP, "tensor \"%.120s\": %s tensors are not supported", name,
			  what);
}

/* Tensor @i of the model with its type and shape; NULL and a message. */
static struct tflite_tensor *read_tensor(struct tflite_reader *r, s64 i)
{
	struct tflite_tensor *t;

	if (i < 0 || i >= r->tensors.count) {
		if (!tflite_check(r))
			graph_fail(r->g, -EINVAL, "it has %u tensors, and uses number %lld",
				   r->tensors.count, (long long)i);
		return NULL;
	}
	t = &r->tensor[i];
	if (!t->read) {
		t->table = fb_table_at(&r->tensors, (u32)i);
		if (read_type(r, t) || read_shape(r, t) || check_contents(r, t) ||
		    read_quantised(r, t))
			return NULL;
		t->read = true;
	}
	return t;
}

bool tflite_is_open(const struct tflite_tensor *t, int i)
{
	struct fb_vector signature = fb_vector(&t->table, TENSOR_SIGNATURE, 4);

	return (u32)i < signature.count && fb_at(&signature, (u32)i) < 0;
}

double tflite_scale(const struct tflite_tensor *t, s64 i)
{
	return (double)fb_float_at(&t->scale, t->scale.count == 1 ? 0 : (u32)i);
}

s64 tflite_zero(const struct tflite_tensor *t, s64 i)
{
	if (!t->zero.count)
		return 0;
	return fb_at(&t->zero, t->zero.count == 1 ? 0 : (u32)i);
}

int tflite_check_quantised(const struct tflite_operator *o, const struct tflite_tensor *t, s64 n,
			   int axis)
{
	s64 least = t->dtype == DTYPE_S8 ? INT8_MIN : 0, most = least + UINT8_MAX;

	if (t->dtype != DTYPE_S8 && t->dtype != DTYPE_U8)
		return tflite_fail(o, -ENOTSUP, "%s is not supported here, only u8 and s8",
				   dtype_name(t->dtype));
	if (t->scale.count != 1 && (t->scale.count != n || t->axis != axis))
		return tflite_fail(o, -ENOTSUP, "%u scales along dimension %lld are not supported",
				   t->scale.count, (long long)t->axis);
	if (t->zero.count > 1 && t->zero.count != t->scale.count)
		return tflite_fail(o, -EINVAL, "there are %u scales and %u zeros", t->scale.count,
				   t->zero.count);
	for (u32 i = 0; i < t->scale.count; i++) {
		double scale = tflite_scale(t, i);
		s64 zero = tflite_zero(t, i);

		if (!(scale > 0 && scale < 1e30) || zero < least || zero > most)
			return tflite_fail(o, -EINVAL, "a scale is %g, its zero %lld", scale,
					   (long long)zero);
	}
	return tflite_check(o->r);
}

bool tflite_has_input(const struct tflite_operator *o, u32 i)
{
	return i < o->inputs.count && fb_at(&o->inputs, i) >= 0;
}

struct tflite_tensor *tflite_input(const struct tflite_operator *o, u32 i)
{
	if (i < o->inputs.count)
		return read_tensor(o->r, fb_at(&o->inputs, i));
	tflite_fail(o, -EINVAL, "it has %u inputs, too few", o->inputs.count);
	return NULL;
}

struct tflite_tensor *tflite_output(const struct tflite_operator *o, u32 i)
{
	if (i < o->outputs.count)
		return read_tensor(o->r, fb_at(&o->outputs, i));
	tflite_fail(o, -EINVAL, "it has %u outputs, too few", o->outputs.count);
	return NULL;
}

/* The contents of a buffer: in its table, or anywhere in the file. */
struct contents {
	const u8 *bytes; /* NULL: none */
	u64 size;
};

static struct contents contents_of(const struct tflite_reader *r, const struct fb_table *buffer)
{
	struct fb_vector data = fb_vector(buffer, BUFFER_DATA, 1);
	u64 offset = (u64)fb_int(buffer, BUFFER_OFFSET, 8, 0);
	u64 size = (u64)fb_int(buffer, BUFFER_SIZE, 8, 0);

	if (offset <= 1) /* as the writer leaves it until it knows better */
		return (struct contents){ fb_bytes(&data), data.count };
	if (offset > r->file.size || size > r->file.size - offset)
		return (struct contents){ NULL, size };
	return (struct contents){ size ? r->file.bytes + offset : NULL, size };
}

/* The f32 that the FLOAT16 of @t, at @from, mean. */
static const void *widened(struct tflite_reader *r, const struct tflite_tensor *t, const u8 *from)
{
	s64 n = shape_elems(&t->shape);
	float *to = graph_alloc(r->g, ((size_t)n + 1) * sizeof(*to));
	u16 bits;

	for (s64 i = 0; to && i < n; i++) {
		memcpy(&bits, from + (size_t)i * sizeof(bits), sizeof(bits));
		to[i] = widen_f16(bits);
	}
	return to;
}

/* The contents of @t, which an operator has made of another constant, or which were read before. */
static struct contents made_contents(struct tflite_reader *r, const struct tflite_tensor *t)
{
	const struct value *v = t->value;

	if (v->dtype == t->dtype && shape_equal(&v->shape, &t->shape))
		return (struct contents){ v->data,
					  (u64)shape_elems(&v->shape) * dtype_size(v->dtype) };
	fail_tensor(r, t, -EINVAL, "its type is another than what is made, which has elements:",
		    shape_elems(&v->shape));
	return (struct contents){ 0 };
}

static struct contents read_contents(struct tflite_reader *r, const struct tflite_tensor *t)
{
	s64 number = fb_int(&t->table, TENSOR_BUFFER, 4, 0) & UINT32_MAX;
	u64 size = (u64)shape_elems(&t->shape) * (t->half ? sizeof(u16) : dtype_size(t->dtype));
	struct fb_table buffer = { 0 };
	struct contents c;

	/* Buffer 0 is the empty one, of all tensors that are no constants. */
	if (number && number < r->buffers.count)
		buffer = fb_table_at(&r->buffers, (u32)number);
	c = contents_of(r, &buffer);
	if (c.size && !c.bytes)
		fail_tensor(r, t, -EINVAL, "the file does not hold all of its bytes, which are",
			    (s64)c.size);
	else if (number >= r->buffers.count)
		fail_tensor(r, t, -EINVAL, "there is no buffer", number);
	else if (c.size && c.size != size)
		fail_tensor(r, t, -EINVAL, "its dimensions do not fit the bytes, which are",
			    (s64)c.size);
	return c;
}

const void *tflite_data(struct tflite_reader *r, const struct tflite_tensor *t)
{
	bool made = t->value && t->value->data;
	struct contents c = made ? made_contents(r, t) : read_contents(r, t);

	r->fetched += c.size;
	if (!r->g->err->code && r->fetched > FETCHED_MAX + FETCHED_TIMES * (u64)r->file.size)
		fail_tensor(r, t, -EFBIG, "constants share their bytes too often, buffer",
			    fb_int(&t->table, TENSOR_BUFFER, 4, 0) & UINT32_MAX);
	if (r->g->err->code || !c.bytes)
		return NULL;
	return t->half && !made ? widened(r, t, c.bytes) : c.bytes;
}

static struct value *new_value(struct tflite_reader *r, const struct tflite_tensor *t)
{
	char name[NAME_ROOM];

	fb_string(&t->table, TENSOR_NAME, name, sizeof(name));
	return graph_value(r->g, name);
}

/* @v with its dimensions in the order of @perm. */
static struct value *transpose(struct tflite_reader *r, struct value *v, const s64 perm[4])
{
	struct node *n = graph_node(r->g, NULL, OP_TRANSPOSE, v->name, 1);
	struct dims dims = { .n = 4 };
	struct value *out = n ? graph_value(r->g, "") : NULL;

	if (!out)
		return NULL;
	memcpy(dims.v, perm, 4 * sizeof(*perm));
	node_set_dims(n, ATTR_perm, dims);
	node_set_in(n, 0, v);
	node_set_out(n, 0, out);
	return out;
}

struct value *tflite_value(const struct tflite_operator *o, struct tflite_tensor *t)
{
	static const s64 channels_last[] = { 0, 2, 3, 1 };
	const void *data;

	if (t->value)
		return t->value;
	if (t->planes)
		return t->value = transpose(o->r, t->planes, channels_last);
	data = tflite_data(o->r, t);
	if (!data && !o->r->g->err->code)
		tflite_fail(o, -EINVAL, "nothing before it makes one of its inputs");
	if (!data)
		return NULL;
	t->value = new_value(o->r, t);
	if (t->value && graph_set_const(o->r->g, t->value, t->dtype, &t->shape, data))
		t->value = NULL;
	return t->value;
}

struct value *tflite_planes(const struct tflite_operator *o, struct tflite_tensor *t)
{
	static const s64 channels_first[] = { 0, 3, 1, 2 };
	struct value *v;

	if (t->planes)
		return t->planes;
	v = tflite_value(o, t);
	if (v && t->shape.rank != 4) {
		tflite_fail(o, -ENOTSUP, "its images have %d dimensions, not 4", t->shape.rank);
		return NULL;
	}
	return v ? t->planes = transpose(o->r, v, channels_first) : NULL;
}

int tflite_make(const struct tflite_operator *o, struct tflite_tensor *t, struct value *v,
		bool planes)
{
	struct graph *g = o->r->g;
	struct declaration *d = graph_alloc(g, sizeof(*d));

	if (!d)
		return g->err->code;
	if (t->value || t->planes)
		return tflite_fail(o, -EINVAL, "its output is made twice");
	/* What the model says of it is compared with what it becomes. */
	*d = (struct declaration){ .what = "output",
				   .value = v,
				   .dtype = t->dtype,
				   .exact = !o->r->options->n_shapes,
				   .rank = t->shape.rank,
				   .next = g->declared };
	for (int i = 0; i < t->shape.rank; i++) {
		int from = !planes || !i ? i : i == 1 ? 3 : i - 1;

		d->dim[i] = t->shape.dim[from];
		if (tflite_is_open(t, from))
			d->dim[i] = -1;
	}
	g->declared = d;
	*(planes ? &t->planes : &t->value) = v;
	return 0;
}

/* ---- Inputs and outputs -------------------------------------------------------------------- */

/* The options may say what the model leaves open, and nothing else. */
static int apply_shape(struct tflite_reader *r, struct tflite_tensor *t, const char *name)
{
	const struct shape *given = given_shape(r, name);

	if (!given)
		return 0;
	if (given->rank != t->shape.rank)
		return graph_fail(r->g, -EINVAL,
				  "input \"%.120s\": it has %d dimensions, %d are given", name,
				  t->shape.rank, given->rank);
	for (int i = 0; i < given->rank; i++)
		if (given->dim[i] != t->shape.dim[i] && !tflite_is_open(t, i))
			return graph_fail(r->g, -EINVAL,
					  "input \"%.120s\": dimension %d is %lld, %lld is given",
					  name, i, (long long)t->shape.dim[i],
					  (long long)given->dim[i]);
	t->shape = *given;
	return shape_valid(given) ? 0 :
				    graph_fail(r->g, -EFBIG, "input \"%.120s\" is too large", name);
}

/* @v is an input or output of the model: what its bytes stand for goes with it, if that is sound.
 */
static void set_meaning(const struct tflite_tensor *t, struct value *v)
{
	s64 zero = tflite_zero(t, 0), least = t->dtype == DTYPE_S8 ? INT8_MIN : 0;
	double scale = t->scale.count == 1 ? tflite_scale(t, 0) : 0;

	if ((t->dtype != DTYPE_S8 && t->dtype != DTYPE_U8) || !(scale > 0 && scale < 1e30) ||
	    zero < least || zero > least + UINT8_MAX)
		return;
	v->scale = (float)scale;
	v->zero_point = (s32)zero;
}

static int read_inputs(struct tflite_reader *r, const struct fb_table *subgraph)
{
	struct fb_vector inputs = fb_vector(subgraph, SUBGRAPH_INPUTS, 4);
	int rc = 0;

	for (u32 i = 0; i < inputs.count && !rc; i++) {
		struct tflite_tensor *t = read_tensor(r, fb_at(&inputs, i));

		if (!t)
			return r->g->err->code;
		if (t->value)
			return fail_tensor(r, t, -EINVAL, "it is an input twice, the second time",
					   i);
		t->value = new_value(r, t);
		if (!t->value)
			return r->g->err->code;
		if (t->half)
			graph_notice(
				r->g,
				"input \"%.80s\" is FLOAT16 in the model, the program takes it "
				"as f32",
				t->value->name);
		rc = apply_shape(r, t, t->value->name);
		value_set_type(t->value, t->dtype, &t->shape);
		set_meaning(t, t->value);
		if (!rc)
			rc = graph_add_input(r->g, t->value);
	}
	return rc ? rc : tflite_check(r);
}

static int read_outputs(struct tflite_reader *r, const struct fb_table *subgraph)
{
	struct fb_vector outputs = fb_vector(subgraph, SUBGRAPH_OUTPUTS, 4);
	struct tflite_operator none = { .r = r, .kind = "", .name = "" };
	int rc = 0;

	if (!outputs.count)
		return tflite_check(r) ? r->g->err->code :
					 graph_fail(r->g, -EINVAL, "it has no outputs");
	for (u32 i = 0; i < outputs.count && !rc; i++) {
		struct tflite_tensor *t = read_tensor(r, fb_at(&outputs, i));
		struct value *v = t ? tflite_value(&none, t) : NULL;

		if (!v)
			return r->g->err->code;
		if (v->is_output)
			return fail_tensor(r, t, -ENOTSUP, "it is an output twice, also as number",
					   i);
		if (!v->name[0]) { /* it was turned for this */
			struct value *named = new_value(r, t);

			if (!named)
				return r->g->err->code;
			v->name = named->name;
		}
		set_meaning(t, v);
		rc = graph_add_output(r->g, v);
	}
	return rc;
}

/* ---- Operators ----------------------------------------------------------------------------- */

/* The number of the builtin operator, which older files have in a field of one byte. */
static s64 builtin_code(struct tflite_reader *r, const struct fb_table *operator, char * custom,
			size_t room)
{
	s64 index = fb_int(operator, OPERATOR_CODE, 4, 0) & UINT32_MAX, code, old;
	struct fb_table table;

	custom[0] = 0;
	if (index >= r->codes.count)
		return -1;
	table = fb_table_at(&r->codes, (u32)index);
	fb_string(&table, CODE_CUSTOM, custom, room);
	old = fb_int(&table, CODE_OLD, 1, 0);
	code = fb_int(&table, CODE_BUILTIN, 4, 0);
	return code > old ? code : old;
}

static int read_operator(struct tflite_reader *r, u32 number)
{
	struct fb_table table = fb_table_at(&r->operators, number);
	struct tflite_operator o = {
		.r = r,
		.kind = "", /* until it is known */
		.options = fb_table(&table, OPERATOR_OPTIONS),
		.inputs = fb_vector(&table, OPERATOR_INPUTS, 4),
		.outputs = fb_vector(&table, OPERATOR_OUTPUTS, 4),
	};
	struct tflite_tensor *out = tflite_output(&o, 0);
	char custom[60];
	s64 code = builtin_code(r, &table, custom, sizeof(custom));

	if (!out || tflite_check(r))
		return r->g->err->code;
	fb_string(&out->table, TENSOR_NAME, o.name, sizeof(o.name));
	o.kind = custom[0] ? custom : tflite_kind(code);
	if (custom[0])
		return tflite_fail(&o, -ENOTSUP, "a custom operator is not supported");
	return tflite_add(&o, code);
}

/* ---- Models -------------------------------------------------------------------------------- */

static int read_model(struct tflite_reader *r, const struct fb_table *model)
{
	struct fb_vector subgraphs = fb_vector(model, MODEL_SUBGRAPHS, 4);
	struct fb_table subgraph = fb_table_at(&subgraphs, 0);
	int rc;

	r->codes = fb_vector(model, MODEL_CODES, 4);
	r->buffers = fb_vector(model, MODEL_BUFFERS, 4);
	r->tensors = fb_vector(&subgraph, SUBGRAPH_TENSORS, 4);
	r->operators = fb_vector(&subgraph, SUBGRAPH_OPERATORS, 4);
	if (tflite_check(r))
		return r->g->err->code;
	if (fb_int(model, MODEL_VERSION, 4, 0) != VERSION)
		return graph_fail(r->g, -ENOTSUP, "version %lld of TensorFlow Lite is not %d",
				  (long long)fb_int(model, MODEL_VERSION, 4, 0), VERSION);
	if (subgraphs.count != 1)
		return graph_fail(r->g, -ENOTSUP, "it has %u graphs, one is supported",
				  subgraphs.count);
	if (r->options->n_bakes || r->options->n_dims)
		return graph_fail(r->g, -ENOTSUP,
				  "constants and named dimensions are for ONNX models");
	if (r->tensors.count > TENSORS_MAX || r->operators.count > OPERATORS_MAX)
		return graph_fail(r->g, -EFBIG, "%u tensors and %u operators, the limit is %d",
				  r->tensors.count, r->operators.count, TENSORS_MAX);
	r->tensor = graph_alloc(r->g, (r->tensors.count + 1) * sizeof(*r->tensor));
	rc = r->tensor ? read_inputs(r, &subgraph) : r->g->err->code;
	for (u32 i = 0; i < r->operators.count && !rc; i++)
		rc = read_operator(r, i);
	return rc ? rc : read_outputs(r, &subgraph);
}

bool tflite_is_model(const void *bytes, size_t size)
{
	static const char magic[] = "TFL3";

	return size >= 8 && !memcmp((const char *)bytes + 4, magic, 4);
}

int tflite_read_graph(const void *bytes, size_t size, const char *name,
		      const struct compile_options *options, struct graph **out,
		      struct compile_error *err)
{
	static const struct compile_options defaults;
	struct tflite_reader r = { .options = options ? options : &defaults,
				   .file = { .bytes = bytes, .size = size } };
	struct fb_table model = fb_root(&r.file);
	int rc;

	r.g = graph_new("", name, err);
	if (!r.g)
		return err->code;
	r.g->notice = r.options->notice;
	r.g->notice_context = r.options->notice_context;
	r.g->arena.stop = r.options->stop;
	rc = tflite_check(&r);
	if (!rc)
		rc = read_model(&r, &model);
	if (rc) {
		graph_free(r.g);
		return rc;
	}
	*out = r.g;
	return 0;
}
