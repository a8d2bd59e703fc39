// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a model says of the types of its inputs, its outputs and of what lies between (value_info).
 * For all but inputs without a default, something else decides those types: the operators, or the
 * contents of an initializer. What contradicts that is found by pass_shape().
 */
#include "compiler/onnx_read.h"
#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <string.h>

static void copy_shape(const Onnx__TensorShapeProto *p, struct declaration *d)
{
	d->rank = -1;
	if (!p)
		return;
	d->rank = p->n_dim > TENSOR_RANK_MAX ? TENSOR_RANK_MAX + 1 : (int)p->n_dim;
	for (int i = 0; i < d->rank && i < TENSOR_RANK_MAX; i++) {
		const Onnx__TensorShapeProto__Dimension *dim = p->dim[i];

		d->dim[i] = dim->value_case ==
					    ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ?
				    dim->dim_value :
				    -1;
	}
}

static int add(struct onnx_reader *r, const char *what, const Onnx__ValueInfoProto *p,
	       const struct value *v)
{
	const Onnx__TypeProto__Tensor *t = onnx_tensor_type(p);
	struct declaration *d;

	if (!p->type || p->type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
		return 0;
	if (!t)
		return graph_fail(r->g, -ENOTSUP, "%s \"%.120s\": it is not a tensor", what,
				  p->name);
	if (t->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED)
		return 0;
	d = graph_alloc(r->g, sizeof(*d));
	if (!d)
		return r->g->err->code;
	if (!onnx_dtype(t->elem_type, &d->dtype))
		return graph_fail(r->g, -ENOTSUP,
				  "%s \"%.120s\": data type %s (%d) is not supported", what,
				  p->name, onnx_dtype_name(t->elem_type), t->elem_type);
	if (onnx_half(t->elem_type) && p->name && !strcmp(what, "output"))
		graph_notice(r->g, "output \"%.80s\" is %s in the model, the program gives %s",
			     p->name, onnx_dtype_name(t->elem_type), dtype_name(d->dtype));
	d->what = what;
	d->value = v;
	d->exact = v->id < r->proto->n_initializer;
	copy_shape(t->shape, d);
	d->next = r->g->declared;
	r->g->declared = d;
	return 0;
}

/* What is declared of values that nothing depends on, or that do not exist, is not looked at. */
static int add_all(struct onnx_reader *r, const char *what, size_t n, Onnx__ValueInfoProto **list)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		const struct value *v = name_table_get(&r->names, onnx_str(list[i]->name));

		if (v && r->wanted[v->id])
			rc = add(r, what, list[i], v);
	}
	return rc;
}

int onnx_read_declared(struct onnx_reader *r)
{
	const Onnx__GraphProto *p = r->proto;
	int rc = add_all(r, "value", p->n_value_info, p->value_info);

	if (!rc)
		rc = add_all(r, "output", p->n_output, p->output);
	return rc ? rc : add_all(r, "input", p->n_input, p->input);
}
