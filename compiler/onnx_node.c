// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * NodeProto -> node: operators, attributes, and what changed between operator sets in their form.
 * Changes: https://onnx.ai/onnx/operators/ and the "Changelog" of the ONNX repository.
 */
#include "compiler/onnx_read.h"
#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int onnx_node_fail(const struct onnx_reader *r, const Onnx__NodeProto *p, int code, const char *fmt,
		   ...)
{
	const char *name = onnx_str(p->name);
	char text[sizeof(r->g->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!name[0] && p->n_output)
		name = onnx_str(p->output[0]);
	return graph_fail(r->g, code, "node \"%.120s\" (%.80s): %s", name, onnx_str(p->op_type),
			  text);
}

static bool is_constant(const Onnx__NodeProto *p)
{
	return !strcmp(onnx_str(p->op_type), "Constant");
}

static bool find_op(const Onnx__NodeProto *p, enum op *op)
{
	const char *domain = onnx_str(p->domain), *type = onnx_str(p->op_type);

	if (domain[0] && strcmp(domain, "ai.onnx"))
		return false;
	if (is_constant(p))
		return true;
	return op_from_name(type, strlen(type), op) && (op_infos[*op].flags & OP_FLAG_ONNX);
}

int onnx_check_operators(const struct onnx_reader *r)
{
	const Onnx__NodeProto *first = NULL;
	char others[64] = "";
	size_t n = 0;
	enum op op;

	for (size_t i = 0; i < r->proto->n_node; i++) {
		if (find_op(r->proto->node[i], &op))
			continue;
		if (!n++)
			first = r->proto->node[i];
	}
	if (!n)
		return 0;
	if (n > 1)
		snprintf(others, sizeof(others), " (and %zu more nodes like it)", n - 1);
	return onnx_node_fail(r, first, -ENOTSUP, "the operator%s%.60s is not supported%s",
			      onnx_str(first->domain)[0] ? " of domain " : "",
			      onnx_str(first->domain), others);
}

/* ---- Attributes ---------------------------------------------------------------------------- */

/*
 * Attributes that do not become attributes of the node: they mean nothing for inference, or only
 * one value of them is mapped.
 */
static const struct {
	enum op op;
	const char *name;
	bool any;
	s64 only; /* the one value, unless @any */
} ignored_attrs[] = {
	{ OP_BATCHNORM, "momentum", true, 0 },
	{ OP_BATCHNORM, "spatial", false, 1 },
	{ OP_BATCHNORM, "training_mode", false, 0 },
	{ OP_DROPOUT, "ratio", true, 0 },
	{ OP_DROPOUT, "seed", true, 0 },
	{ OP_MAXPOOL, "storage_order", true, 0 }, /* only about the indices, which are refused */
};

static int ignore_attr(const struct onnx_reader *r, const Onnx__NodeProto *p, enum op op,
		       const Onnx__AttributeProto *a)
{
	for (size_t i = 0; i < sizeof(ignored_attrs) / sizeof(ignored_attrs[0]); i++) {
		if (ignored_attrs[i].op != op || strcmp(ignored_attrs[i].name, onnx_str(a->name)))
			continue;
		if (ignored_attrs[i].any || a->i == ignored_attrs[i].only)
			return 0;
		return onnx_node_fail(r, p, -ENOTSUP, "%s = %lld is not supported", a->name,
				      (long long)a->i);
	}
	return onnx_node_fail(r, p, -ENOTSUP, "attribute \"%.80s\" is not known",
			      onnx_str(a->name));
}

static int read_auto_pad(const struct onnx_reader *r, const Onnx__NodeProto *p,
			 const Onnx__AttributeProto *a, enum auto_pad *out)
{
	for (int i = 0; i < PAD_COUNT; i++) {
		if (strlen(auto_pad_names[i]) == a->s.len &&
		    !memcmp(auto_pad_names[i], a->s.data, a->s.len)) {
			*out = i;
			return 0;
		}
	}
	return onnx_node_fail(r, p, -EINVAL, "auto_pad \"%.*s\" is not known",
			      (int)(a->s.len < 80 ? a->s.len : 80), (const char *)a->s.data);
}

static int read_dims(const struct onnx_reader *r, const Onnx__NodeProto *p,
		     const Onnx__AttributeProto *a, struct dims *out)
{
	if (a->n_ints > TENSOR_RANK_MAX)
		return onnx_node_fail(r, p, -EFBIG, "%s has %zu numbers, the limit is %d", a->name,
				      a->n_ints, TENSOR_RANK_MAX);
	out->n = (int)a->n_ints;
	for (int i = 0; i < out->n; i++)
		out->v[i] = a->ints[i];
	return 0;
}

static int read_attr(const struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n,
		     enum attr attr, const Onnx__AttributeProto *a)
{
	static const Onnx__AttributeProto__AttributeType types[] = {
		[ATTR_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
		[ATTR_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
		[ATTR_DIMS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
		[ATTR_PAD] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
	};
	const struct attr_info *info = &attr_infos[attr];
	void *to = attr_at(&n->attrs, attr);

	if (a->has_type && a->type != types[info->kind])
		return onnx_node_fail(r, p, -EINVAL, "attribute \"%s\" has the wrong type",
				      info->onnx);
	switch (info->kind) {
	case ATTR_INT:
		*(s64 *)to = a->i;
		return 0;
	case ATTR_FLOAT:
		*(float *)to = a->f;
		break;
	case ATTR_DIMS:
		return read_dims(r, p, a, to);
	case ATTR_PAD:
		return read_auto_pad(r, p, a, to);
	}
	if (a->f != a->f)
		return onnx_node_fail(r, p, -EINVAL, "attribute \"%s\" is not a number",
				      info->onnx);
	return 0;
}

/* Reads @a, which must not have been read before. An empty list is as good as none. */
static int read_known(const struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n,
		      enum attr attr, const Onnx__AttributeProto *a)
{
	int rc;

	if (n->attrs.given & 1u << attr)
		return onnx_node_fail(r, p, -EINVAL, "attribute \"%s\" is there twice", a->name);
	rc = read_attr(r, p, n, attr, a);
	if (!rc && (attr_infos[attr].kind != ATTR_DIMS || a->n_ints))
		n->attrs.given |= 1u << attr;
	return rc;
}

static int read_attrs(const struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	/* Clip's bounds are attributes up to operator set 10, inputs from 11 on. */
	bool none = n->op == OP_CLIP && r->g->opset >= 11;
	int rc = 0;

	for (size_t i = 0; i < p->n_attribute && !rc; i++) {
		const Onnx__AttributeProto *a = p->attribute[i];
		enum attr attr;

		if (onnx_str(a->ref_attr_name)[0])
			return onnx_node_fail(r, p, -EINVAL,
					      "attribute \"%.80s\" refers to a function's",
					      onnx_str(a->name));
		attr = none ? ATTR_COUNT : attr_from_onnx(n->op, onnx_str(a->name));
		rc = attr == ATTR_COUNT ? ignore_attr(r, p, n->op, a) :
					  read_known(r, p, n, attr, a);
	}
	return rc;
}

/* ---- Constant ------------------------------------------------------------------------------ */

static int constant_tensor(struct onnx_reader *r, const Onnx__NodeProto *p,
			   const Onnx__TensorProto *proto, struct value **out)
{
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };

	if (!proto)
		return onnx_node_fail(r, p, -EINVAL, "attribute \"value\" has no tensor");
	if (onnx_tensor_decode(proto, &t, &err))
		return onnx_node_fail(r, p, err.code, "%s", err.text);
	*out = graph_const(r->g, p->output[0], t.dtype, &t.shape, t.bytes);
	tensor_data_free(&t);
	return *out ? 0 : r->g->err->code;
}

/* The forms of Constant: one tensor, or one number, or a vector of numbers. */
static int declare_constant(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	const Onnx__AttributeProto *a = p->n_attribute == 1 ? p->attribute[0] : NULL;
	const char *form = a ? onnx_str(a->name) : "";
	struct shape shape = { 0 };
	struct value *v = NULL;
	int rc = 0;

	if (!a || p->n_output != 1 || !onnx_str(p->output[0])[0])
		return onnx_node_fail(r, p, -EINVAL, "it needs one attribute and one output");
	if (!strcmp(form, "value")) {
		rc = constant_tensor(r, p, a->t, &v);
	} else if (!strcmp(form, "value_float")) {
		v = graph_const(r->g, p->output[0], DTYPE_F32, &shape, &a->f);
	} else if (!strcmp(form, "value_int")) {
		v = graph_const(r->g, p->output[0], DTYPE_S64, &shape, &a->i);
	} else if (!strcmp(form, "value_floats")) {
		shape = (struct shape){ 1, { (s64)a->n_floats } };
		v = graph_const(r->g, p->output[0], DTYPE_F32, &shape, a->floats);
	} else if (!strcmp(form, "value_ints")) {
		shape = (struct shape){ 1, { (s64)a->n_ints } };
		v = graph_const(r->g, p->output[0], DTYPE_S64, &shape, a->ints);
	} else {
		rc = onnx_node_fail(r, p, -ENOTSUP, "a constant as \"%.80s\" is not supported",
				    form);
	}
	if (rc || !v)
		return r->g->err->code;
	return onnx_declare(r, v);
}

/* ---- Nodes --------------------------------------------------------------------------------- */

int onnx_declare_outputs(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	enum op op;
	int rc = 0;

	if (is_constant(p))
		return declare_constant(r, p);
	find_op(p, &op);
	if (!p->n_output || !onnx_str(p->output[0])[0])
		return onnx_node_fail(r, p, -EINVAL, "it has no output");
	for (size_t i = 0; i < p->n_output && !rc; i++) {
		if (!onnx_str(p->output[i])[0])
			continue;
		if (i >= (size_t)op_infos[op].max_out ||
		    (op == OP_DROPOUT && i && r->g->opset < 10))
			return onnx_node_fail(r, p, -ENOTSUP, "its output %zu is not supported", i);
		rc = onnx_declare(r, graph_value(r->g, p->output[i]));
	}
	return rc;
}

static int connect(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	for (int i = 0; i < n->n_in; i++) {
		const char *name = onnx_str(p->input[i]);
		struct value *v = name_table_get(&r->names, name);

		if (!name[0] && i >= op_infos[n->op].min_in)
			continue;
		if (!name[0])
			return onnx_node_fail(r, p, -EINVAL, "input %d is missing", i);
		if (!v)
			return onnx_node_fail(r, p, -EINVAL,
					      "nothing produces its input \"%.120s\"", name);
		node_set_in(n, i, v);
	}
	for (int i = 0; i < (int)p->n_output && i < op_infos[n->op].max_out; i++) {
		if (onnx_str(p->output[i])[0])
			node_set_out(n, i, name_table_get(&r->names, p->output[i]));
	}
	return 0;
}

int onnx_add_node(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	size_t n_in = p->n_input;
	struct node *n;
	enum op op;
	int rc;

	if (is_constant(p))
		return 0;
	find_op(p, &op);
	while (n_in && !onnx_str(p->input[n_in - 1])[0])
		n_in--;
	if (n_in < (size_t)op_infos[op].min_in || n_in > (size_t)op_infos[op].max_in)
		return onnx_node_fail(r, p, -EINVAL, "it has %zu inputs, %d to %d are allowed",
				      n_in, op_infos[op].min_in, op_infos[op].max_in);
	if (op == OP_CLIP && r->g->opset < 11 && n_in > 1)
		return onnx_node_fail(r, p, -EINVAL, "its bounds are inputs only since opset 11");
	n = graph_node(r->g, NULL, op, onnx_str(p->name), (int)n_in);
	rc = read_attrs(r, p, n);
	return rc ? rc : connect(r, p, n);
}
