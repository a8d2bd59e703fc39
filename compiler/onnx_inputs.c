// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The inputs of a model, and what the user says about them: constants in their place, shapes, sizes
 * of symbolic dimensions.
 */
#include "compiler/onnx_read.h"
#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <string.h>

/* ---- What the user says -------------------------------------------------------------------- */

static const struct tensor_data *find_bake(const struct onnx_reader *r, const char *name)
{
	for (size_t i = 0; i < r->options->n_bakes; i++) {
		if (!strcmp(r->options->bakes[i].name, name))
			return r->options->bakes[i].value;
	}
	return NULL;
}

bool onnx_is_baked(const struct onnx_reader *r, const char *name)
{
	return find_bake(r, name);
}

/* The shape that the user gives the input, by itself or with a constant; NULL: none. */
static const struct shape *given_shape(const struct onnx_reader *r, const char *name)
{
	const struct tensor_data *bake = find_bake(r, name);

	for (size_t i = 0; i < r->options->n_shapes; i++) {
		if (!strcmp(r->options->shapes[i].name, name))
			return &r->options->shapes[i].shape;
	}
	return bake ? &bake->shape : NULL;
}

static bool has_input(const struct onnx_reader *r, const char *name)
{
	for (size_t i = 0; i < r->proto->n_input; i++) {
		if (!strcmp(onnx_str(r->proto->input[i]->name), name))
			return true;
	}
	return false;
}

const Onnx__TypeProto__Tensor *onnx_tensor_type(const Onnx__ValueInfoProto *p)
{
	if (!p->type || p->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return NULL;
	return p->type->tensor_type;
}

/* The name of a dimension without a number, "" if it has none. */
static const char *symbol_of(const Onnx__TensorShapeProto__Dimension *d)
{
	if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
		return "";
	return onnx_str(d->dim_param);
}

/*
 * Steps through the dimensions of inputs that are called @symbol, from input *@i, dimension *@d on;
 * false after the last.
 */
static bool find_symbol(const struct onnx_reader *r, const char *symbol, size_t *i, size_t *d)
{
	for (; *i < r->proto->n_input; ++*i, *d = 0) {
		const Onnx__TypeProto__Tensor *t = onnx_tensor_type(r->proto->input[*i]);

		for (; t && t->shape && *d < t->shape->n_dim; ++*d) {
			if (!strcmp(symbol_of(t->shape->dim[*d]), symbol))
				return true;
		}
	}
	return false;
}

/* The size that the user gives @symbol, by itself or within a shape; 0: none. Two must agree. */
static int size_of_symbol(const struct onnx_reader *r, const char *symbol, s64 *size)
{
	size_t i = 0, d = 0;

	*size = 0;
	if (!symbol[0])
		return 0;
	for (size_t k = 0; k < r->options->n_dims; k++) {
		if (!strcmp(r->options->dims[k].name, symbol))
			*size = r->options->dims[k].size;
	}
	for (; find_symbol(r, symbol, &i, &d); d++) {
		const struct shape *given = given_shape(r, onnx_str(r->proto->input[i]->name));
		s64 other = given && d < (size_t)given->rank ? given->dim[d] : 0;

		if (*size && other && *size != other)
			return graph_fail(r->g, -EINVAL,
					  "the size of \"%.120s\" is given as %lld and as %lld",
					  symbol, (long long)*size, (long long)other);
		if (other)
			*size = other;
	}
	return 0;
}

static int check_shape_option(const struct onnx_reader *r, const struct compile_shape *s)
{
	if (!has_input(r, s->name))
		return graph_fail(r->g, -EINVAL, "there is no input \"%.120s\"", s->name);
	for (int i = 0; i < s->shape.rank; i++) {
		if (s->shape.dim[i] < 1)
			return graph_fail(
				r->g, -EINVAL,
				"input \"%.120s\": dimension %d of the given shape is %lld",
				s->name, i, (long long)s->shape.dim[i]);
	}
	return 0;
}

static int check_dim_option(const struct onnx_reader *r, const struct compile_dim *dim)
{
	size_t i = 0, d = 0;

	if (dim->size < 1)
		return graph_fail(r->g, -EINVAL, "the size of \"%.120s\" is %lld", dim->name,
				  (long long)dim->size);
	if (!dim->name[0] || !find_symbol(r, dim->name, &i, &d))
		return graph_fail(r->g, -EINVAL, "no input has a dimension \"%.120s\"", dim->name);
	return 0;
}

/* What the user names must exist: a typing error must not go unnoticed. */
int onnx_check_options(const struct onnx_reader *r)
{
	const struct compile_options *o = r->options;
	int rc = 0;

	for (size_t i = 0; i < o->n_bakes && !rc; i++) {
		if (!has_input(r, o->bakes[i].name))
			rc = graph_fail(r->g, -EINVAL, "there is no input \"%.120s\"",
					o->bakes[i].name);
	}
	for (size_t i = 0; i < o->n_shapes && !rc; i++)
		rc = check_shape_option(r, &o->shapes[i]);
	for (size_t i = 0; i < o->n_dims && !rc; i++)
		rc = check_dim_option(r, &o->dims[i]);
	return rc;
}

/* ---- Inputs -------------------------------------------------------------------------------- */

/* The size of dimension @at, of which the model says @d and the user @given (0: nothing). */
static int read_dim(const struct onnx_reader *r, const char *input, size_t at,
		    const Onnx__TensorShapeProto__Dimension *d, s64 given, s64 *out)
{
	/* Some exporters write -1 for "any". */
	bool open = d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ||
		    d->dim_value == -1;
	int rc;

	*out = d->dim_value;
	if (!open && given && given != *out && !onnx_is_baked(r, input))
		return graph_fail(
			r->g, -EINVAL,
			"input \"%.120s\": dimension %zu is %lld in the model, %lld in the "
			"given shape",
			input, at, (long long)*out, (long long)given);
	if (!open && *out < 0)
		return graph_fail(r->g, -EINVAL, "input \"%.120s\": dimension %zu is %lld", input,
				  at, (long long)*out);
	if (!open)
		return 0;
	rc = size_of_symbol(r, symbol_of(d), out);
	if (rc)
		return rc;
	if (given)
		*out = given;
	if (*out)
		return 0;
	*out = 1;
	graph_notice(r->g, "input \"%.80s\": dimension %zu \"%.40s\" has no size, 1 is used", input,
		     at, symbol_of(d));
	return 0;
}

static int read_shape(const struct onnx_reader *r, const char *name,
		      const Onnx__TensorShapeProto *p, struct shape *shape)
{
	const struct shape *given = given_shape(r, name);
	int rc = 0;

	if (!p && !given)
		return graph_fail(r->g, -EINVAL,
				  "input \"%.120s\": it has no shape, and none is given", name);
	if (!p) {
		*shape = *given;
		return 0;
	}
	if (p->n_dim > TENSOR_RANK_MAX)
		return graph_fail(r->g, -EFBIG, "input \"%.120s\": %zu dimensions, the limit is %d",
				  name, p->n_dim, TENSOR_RANK_MAX);
	shape->rank = (int)p->n_dim;
	/* A constant that does not fit is refused by bake_input(), when the shape is known. */
	if (given && given->rank != shape->rank && onnx_is_baked(r, name))
		given = NULL;
	if (given && given->rank != shape->rank)
		return graph_fail(r->g, -EINVAL,
				  "input \"%.120s\": it has %d dimensions in the model, %d in the "
				  "given shape",
				  name, shape->rank, given->rank);
	for (int i = 0; i < shape->rank && !rc; i++)
		rc = read_dim(r, name, (size_t)i, p->dim[i], given ? given->dim[i] : 0,
			      &shape->dim[i]);
	return rc;
}

static int read_type(const struct onnx_reader *r, const Onnx__ValueInfoProto *p, enum dtype *dtype,
		     struct shape *shape)
{
	const Onnx__TypeProto__Tensor *t = onnx_tensor_type(p);
	int rc;

	if (!t)
		return graph_fail(r->g, -ENOTSUP, "input \"%.120s\": it is not a tensor", p->name);
	if (!onnx_dtype(t->elem_type, dtype))
		return graph_fail(r->g, -ENOTSUP,
				  "input \"%.120s\": data type %s (%d) is not supported", p->name,
				  onnx_dtype_name(t->elem_type), t->elem_type);
	if (dtype_number(*dtype) != t->elem_type)
		graph_notice(r->g, "input \"%.80s\" is %s in the model, the program takes it as %s",
			     p->name, onnx_dtype_name(t->elem_type), dtype_name(*dtype));
	rc = read_shape(r, p->name, t->shape, shape);
	if (!rc && !shape_valid(shape))
		rc = graph_fail(r->g, -EFBIG, "input \"%.120s\": it exceeds %lld elements", p->name,
				(long long)TENSOR_ELEMS_MAX);
	return rc;
}

/* An input that is also an initializer is declared already: initializers come first. */
int onnx_declare_inputs(struct onnx_reader *r)
{
	u32 initializers = r->n_values;

	for (size_t i = 0; i < r->proto->n_input; i++) {
		const char *name = onnx_str(r->proto->input[i]->name);
		const struct value *known = name_table_get(&r->names, name);

		if (!name[0])
			return graph_fail(r->g, -EINVAL, "input %zu has no name", i);
		if (known && known->id < initializers)
			continue;
		if (!onnx_declare(r, name))
			return r->g->err->code;
	}
	return 0;
}

static int bake_input(struct onnx_reader *r, struct value *v, enum dtype dtype,
		      const struct shape *shape, const struct tensor_data *t)
{
	char want[SHAPE_TEXT_MAX], have[SHAPE_TEXT_MAX];

	if (t->dtype != dtype || !shape_equal(&t->shape, shape))
		return graph_fail(r->g, -EINVAL,
				  "input \"%.120s\" is %s%s, the constant for it %s%s", v->name,
				  dtype_name(dtype), shape_text(shape, want), dtype_name(t->dtype),
				  shape_text(&t->shape, have));
	return graph_set_const(r->g, v, dtype, shape, t->bytes);
}

static bool is_initializer(const struct onnx_reader *r, const struct value *v)
{
	return v->id < r->proto->n_initializer;
}

/* Whether nothing depends on the input, and the user says nothing about it. */
static bool is_unused(const struct onnx_reader *r, const struct value *v)
{
	return !r->wanted[v->id] && !given_shape(r, v->name);
}

static int read_input(struct onnx_reader *r, const Onnx__ValueInfoProto *p)
{
	struct value *v = name_table_get(&r->names, p->name);
	const struct tensor_data *bake = find_bake(r, p->name);
	struct shape shape = { 0 };
	enum dtype dtype;
	int rc;

	/* An initializer is an input's default; up to version 3 of the format all are listed. */
	if (is_initializer(r, v) && !bake)
		return 0;
	rc = read_type(r, p, &dtype, &shape);
	/* No program can have such an input: that is no fault where nobody needs it. */
	if (is_unused(r, v) && (rc || !shape_elems(&shape))) {
		*r->g->err = (struct compile_error){ 0 };
		graph_notice(r->g, "input \"%.80s\": nothing depends on it, it is left out",
			     v->name);
		return 0;
	}
	if (rc)
		return rc;
	v->half = onnx_half(onnx_tensor_type(p)->elem_type);
	if (bake)
		return bake_input(r, v, dtype, &shape, bake);
	value_set_type(v, dtype, &shape);
	return graph_add_input(r->g, v);
}

int onnx_read_inputs(struct onnx_reader *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->proto->n_input && !rc; i++)
		rc = read_input(r, r->proto->input[i]);
	return rc;
}
