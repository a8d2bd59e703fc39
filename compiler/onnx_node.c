// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * NodeProto -> node: operators, attributes, and what changed between operator sets in their form.
 * Changes: https://onnx.ai/onnx/operators/ and the "Changelog" of the ONNX repository.
 */
#include "compiler/onnx_body.h"
#include "compiler/onnx_tensor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* The domain of an operator that is not ONNX's own; else "". */
static const char *foreign_domain(const Onnx__NodeProto *p)
{
	const char *domain = onnx_str(p->domain);

	return strcmp(domain, "ai.onnx") ? domain : "";
}

const char *onnx_node_name(const Onnx__NodeProto *p)
{
	const char *name = onnx_str(p->name);

	return !name[0] && p->n_output ? onnx_str(p->output[0]) : name;
}

int onnx_node_fail(const struct onnx_reader *r, const Onnx__NodeProto *p, int code, const char *fmt,
		   ...)
{
	const char *domain = foreign_domain(p);
	char text[sizeof(r->g->err->text)], op[sizeof(r->g->err->op)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(op, sizeof(op), "%.40s%s%.80s", domain, domain[0] ? "." : "",
		 onnx_str(p->op_type));
	return graph_fail_at(r->g, onnx_node_name(p), op, code, text);
}

/* How many operators, and how many bytes of them, a message lists. */
enum { REFUSED_MAX = 32, REFUSED_TEXT_MAX = 400 };

static bool is_constant(const Onnx__NodeProto *p)
{
	return !strcmp(onnx_str(p->op_type), "Constant");
}

static bool find_op(const Onnx__NodeProto *p, enum op *op)
{
	const char *type = onnx_str(p->op_type);

	const char *domain = foreign_domain(p);
	u32 flag = !domain[0]			    ? OP_FLAG_ONNX :
		   !strcmp(domain, "com.microsoft") ? OP_FLAG_MICROSOFT :
						      0;

	if (flag == OP_FLAG_ONNX && is_constant(p))
		return true;
	return op_from_name(type, strlen(type), op) && (op_infos[*op].flags & flag);
}

/* The same, functions of the model counted. */
static bool find_any(const struct onnx_reader *r, const Onnx__NodeProto *p, enum op *op)
{
	if (find_op(p, op))
		return true;
	*op = OP_CALL;
	return onnx_function(r->bodies, p);
}

/* Why an operator is not mapped, and what works instead: limits.def. */
static const char *why_unmapped(const Onnx__NodeProto *p)
{
	static const struct {
		const char *name, *why;
	} unmapped[] = {
#define UNMAPPED(name, why) { name, why },
#include "compiler/limits.def"
	};

	for (size_t i = 0; i < sizeof(unmapped) / sizeof(unmapped[0]); i++) {
		if (!foreign_domain(p)[0] && !strcmp(unmapped[i].name, onnx_str(p->op_type)))
			return unmapped[i].why;
	}
	return NULL;
}

/* Operators of one name that are not supported. */
struct refused {
	const Onnx__NodeProto *first;
	size_t nodes;
};

static bool same_operator(const Onnx__NodeProto *a, const Onnx__NodeProto *b)
{
	return !strcmp(onnx_str(a->op_type), onnx_str(b->op_type)) &&
	       !strcmp(onnx_str(a->domain), onnx_str(b->domain));
}

/* Counts @p in @list, which holds @n names; those that do not fit are counted in *@others. */
static void count_refused(struct refused list[REFUSED_MAX], size_t *n, size_t *others,
			  const Onnx__NodeProto *p)
{
	for (size_t i = 0; i < *n; i++) {
		if (same_operator(list[i].first, p)) {
			list[i].nodes++;
			return;
		}
	}
	if (*n < REFUSED_MAX)
		list[(*n)++] = (struct refused){ p, 1 };
	else
		++*others;
}

static int refuse_operators(const struct onnx_reader *r, const struct refused *list, size_t n,
			    size_t others)
{
	const char *why = why_unmapped(list[0].first);
	char text[sizeof(r->g->err->text)];
	size_t at = 0;

	if (n == 1 && list[0].nodes == 1)
		return onnx_node_fail(r, list[0].first, -ENOTSUP,
				      "the operator is not supported%s%s", why ? ": " : "",
				      why ? why : "");
	for (size_t i = 0; i < n; i++) {
		const Onnx__NodeProto *p = list[i].first;
		const char *domain = foreign_domain(p);

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.40s%s%.40s (%zu node%s)",
				       i ? ", " : "", domain, domain[0] ? "." : "",
				       onnx_str(p->op_type), list[i].nodes,
				       list[i].nodes == 1 ? "" : "s");
		if (at > REFUSED_TEXT_MAX && i + 1 < n) {
			while (++i < n)
				others += list[i].nodes;
		}
	}
	if (others)
		snprintf(text + at, sizeof(text) - at, ", and those of %zu more nodes", others);
	return onnx_node_fail(r, list[0].first, -ENOTSUP,
			      "the operator is not supported%s%s; all that are not: %s",
			      why ? ": " : "", why ? why : "", text);
}

static int refuse_overload(const struct onnx_reader *r, const Onnx__NodeProto *p)
{
	const struct onnx_text wanted = onnx_overload(p);

	return onnx_node_fail(r, p, -EINVAL, "the model has no overload \"%.*s\" of this function",
			      (int)(wanted.n < 80 ? wanted.n : 80), (const char *)wanted.at);
}

int onnx_check_operators(const struct onnx_reader *r)
{
	struct refused list[REFUSED_MAX];
	size_t n = 0, others = 0;
	enum op op;

	for (size_t i = 0; i < r->proto->n_node; i++) {
		const Onnx__NodeProto *p = r->proto->node[i];

		if (!r->needed[i] || find_any(r, p, &op))
			continue;
		if (!onnx_str(p->op_type)[0])
			return onnx_node_fail(r, p, -EINVAL, "it names no operator");
		if (onnx_has_overloads(r->bodies, p))
			return refuse_overload(r, p);
		count_refused(list, &n, &others, p);
	}
	return n ? refuse_operators(r, list, n, others) : 0;
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
	{ OP_CONSTANTOFSHAPE, "value", true, 0 }, /* add_filling() */
	{ OP_DROPOUT, "ratio", true, 0 },
	{ OP_DROPOUT, "seed", true, 0 },
	{ OP_DEQUANTIZE, "output_dtype", false, 0 },
	{ OP_QUANTIZE, "output_dtype", false, 0 },
	{ OP_QUANTIZE, "precision", false, 0 },
	{ OP_QUANTIZE, "saturate", true, 0 }, /* only about floating point of 8 bits */
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

/* One text, or several, parted by commas. */
static int read_text(const struct onnx_reader *r, const Onnx__AttributeProto *a, const char **out)
{
	const ProtobufCBinaryData *s = a->n_strings ? a->strings : &a->s;
	size_t n = a->n_strings ? a->n_strings : 1, bytes = 1, at = 0;
	char *text;

	for (size_t i = 0; i < n; i++)
		bytes += s[i].len + 1;
	text = graph_alloc(r->g, bytes);
	if (!text)
		return r->g->err->code;
	for (size_t i = 0; i < n; i++) {
		if (i)
			text[at++] = ',';
		if (s[i].len)
			memcpy(text + at, s[i].data, s[i].len);
		at += s[i].len;
	}
	*out = text;
	return 0;
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

/* Whether @a, which does not say what it is, may be one of that kind: IR versions before 2. */
static bool may_be(const Onnx__AttributeProto *a, enum attr_kind kind)
{
	switch (kind) {
	case ATTR_INT:
		return a->has_i;
	case ATTR_FLOAT:
		return a->has_f;
	case ATTR_DIMS:
		return !a->has_i && !a->has_f && !a->has_s;
	default:
		return a->has_s || a->n_strings;
	}
}

static int read_attr(const struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n,
		     enum attr attr, const Onnx__AttributeProto *a)
{
	static const Onnx__AttributeProto__AttributeType types[] = {
		[ATTR_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
		[ATTR_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
		[ATTR_DIMS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
		[ATTR_PAD] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
		[ATTR_TEXT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
	};
	const struct attr_info *info = &attr_infos[attr];
	void *to = attr_at(&n->attrs, attr);

	bool texts = info->kind == ATTR_TEXT &&
		     a->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;

	if (a->has_type ? a->type != types[info->kind] && !texts : !may_be(a, info->kind))
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
	case ATTR_TEXT:
		return read_text(r, a, to);
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

	if (n->attrs.given[attr])
		return onnx_node_fail(r, p, -EINVAL, "attribute \"%s\" is there twice", a->name);
	rc = read_attr(r, p, n, attr, a);
	if (!rc && (attr_infos[attr].kind != ATTR_DIMS || a->n_ints))
		n->attrs.given[attr] = true;
	return rc;
}

/* Attributes that are gone since an operator set: add_old() looks at them. */
static const struct {
	enum op op;
	const char *name;
	int gone;
} old_attrs[] = {
#define OLD(op)                         \
	{ OP_##op, "axis", 7 },         \
	{                               \
		OP_##op, "broadcast", 7 \
	}
	OLD(ADD),
	OLD(SUB),
	OLD(MUL),
	OLD(DIV),
	OLD(POW),
	OLD(AND),
	OLD(OR),
	OLD(XOR),
	OLD(EQUAL),
	OLD(GREATER),
	OLD(LESS),
#undef OLD
	{ OP_GEMM, "broadcast", 7 },
	{ OP_BATCHNORM, "is_test", 7 },
	{ OP_DROPOUT, "is_test", 7 },
	{ OP_UPSAMPLE, "height_scale", 7 },
	{ OP_UPSAMPLE, "width_scale", 7 },
	{ OP_UPSAMPLE, "scales", 9 },
	{ OP_RNN, "output_sequence", 7 },
	{ OP_GRU, "output_sequence", 7 },
	{ OP_LSTM, "output_sequence", 7 },
};

static bool is_old(const struct onnx_reader *r, enum op op, const char *name)
{
	for (size_t i = 0; i < sizeof(old_attrs) / sizeof(old_attrs[0]); i++) {
		if (old_attrs[i].op == op && !strcmp(old_attrs[i].name, name))
			return r->g->opset < old_attrs[i].gone;
	}
	return false;
}

static int read_attrs(const struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	/* Clip's bounds are attributes up to operator set 10, inputs from 11 on. */
	bool none = n->op == OP_CLIP && r->g->opset >= 11;
	int rc = 0;

	for (size_t i = 0; i < p->n_attribute && !rc; i++) {
		Onnx__AttributeProto a;
		enum attr attr;

		if (!onnx_attribute(r, p->attribute[i], &a)) {
			if (r->scope) /* its call leaves it out */
				continue;
			return onnx_node_fail(r, p, -EINVAL,
					      "attribute \"%.80s\" refers to a function's",
					      onnx_str(p->attribute[i]->name));
		}
		if (is_old(r, n->op, onnx_str(a.name)))
			continue;
		attr = none ? ATTR_COUNT : attr_from_onnx(n->op, onnx_str(a.name));
		rc = attr == ATTR_COUNT ? ignore_attr(r, p, n->op, &a) :
					  read_known(r, p, n, attr, &a);
	}
	return rc;
}

/* ---- Constant ------------------------------------------------------------------------------ */

static int constant_tensor(struct onnx_reader *r, const Onnx__NodeProto *p,
			   const Onnx__TensorProto *proto, struct value *v)
{
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	int rc;

	if (!proto)
		return onnx_node_fail(r, p, -EINVAL, "attribute \"value\" has no tensor");
	if (onnx_tensor_read(proto, &r->options->external, &t, &err))
		return onnx_node_fail(r, p, err.code, "%s", err.text);
	rc = graph_set_const(r->g, v, t.dtype, &t.shape, t.bytes);
	v->half = onnx_half(proto->data_type);
	tensor_data_free(&t);
	return rc;
}

/* The forms of Constant: one tensor, or one number, or a vector of numbers. */
static int add_constant(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	Onnx__AttributeProto given, *a = &given;
	bool known = p->n_attribute == 1 && onnx_attribute(r, p->attribute[0], &given);
	const char *form = known ? onnx_str(given.name) : "";
	const struct shape scalar = { 0 };
	struct shape vector = { .rank = 1 };
	struct value *v;

	if (!known || p->n_output != 1) /* the one that is needed */
		return onnx_node_fail(r, p, -EINVAL, "it needs one attribute and one output");
	v = name_table_get(&r->names, p->output[0]);
	if (!strcmp(form, "value"))
		return constant_tensor(r, p, a->t, v);
	if (!strcmp(form, "value_float"))
		return graph_set_const(r->g, v, DTYPE_F32, &scalar, &a->f);
	if (!strcmp(form, "value_int"))
		return graph_set_const(r->g, v, DTYPE_S64, &scalar, &a->i);
	if (!strcmp(form, "value_floats")) {
		vector.dim[0] = (s64)a->n_floats;
		return graph_set_const(r->g, v, DTYPE_F32, &vector, a->floats);
	}
	if (!strcmp(form, "value_ints")) {
		vector.dim[0] = (s64)a->n_ints;
		return graph_set_const(r->g, v, DTYPE_S64, &vector, a->ints);
	}
	return onnx_node_fail(r, p, -ENOTSUP, "a constant as \"%.80s\" is not supported", form);
}

/* The number that ConstantOfShape repeats, its input 1 from here on; 0 if none is given. */
static int add_filling(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	const struct shape scalar = { 0 };
	const float zero = 0;
	struct value *v = graph_value(r->g, "");
	int rc;

	if (!v)
		return r->g->err->code;
	node_set_in(n, 1, v);
	for (size_t i = 0; i < p->n_attribute; i++) {
		Onnx__AttributeProto a;

		if (strcmp(onnx_str(p->attribute[i]->name), "value") ||
		    !onnx_attribute(r, p->attribute[i], &a))
			continue;
		rc = constant_tensor(r, p, a.t, v);
		if (!rc && shape_elems(&v->shape) != 1)
			rc = onnx_node_fail(r, p, -EINVAL, "its value is not one number");
		return rc;
	}
	return graph_set_const(r->g, v, DTYPE_F32, &scalar, &zero);
}

/* ---- Nodes --------------------------------------------------------------------------------- */

int onnx_declare_outputs(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	for (size_t i = 0; i < p->n_output; i++) {
		if (onnx_str(p->output[i])[0] && !onnx_declare(r, p->output[i]))
			return r->g->err->code;
	}
	return 0;
}

/*
 * Up to operator set 13 the outputs of BatchNormalization say what it is: with more than one it
 * trains, and its result is another one, whether they are used or not.
 */
static bool trains(const struct onnx_reader *r, const Onnx__NodeProto *p, const struct node *n)
{
	bool more = false;

	for (size_t i = 1; i < p->n_output; i++)
		more |= onnx_str(p->output[i])[0] != 0;
	return n->op == OP_BATCHNORM && r->g->opset < 14 && more;
}

/* Outputs beside the first are there only where they are wanted; the first always is. */
int onnx_connect_outputs(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	struct value *first = onnx_str(p->output[0])[0] ? NULL : graph_value(r->g, "");

	int max = n->op == OP_DROPOUT && r->g->opset < 10 ? 1 : op_infos[n->op].max_out;

	if (trains(r, p, n))
		return onnx_node_fail(r, p, -ENOTSUP,
				      "its outputs beside the first say that it normalises by the "
				      "statistics of the batch: training is not supported");
	if (first)
		node_set_out(n, 0, first);
	for (size_t i = 0; i < p->n_output; i++) {
		struct value *v = name_table_get(&r->names, onnx_str(p->output[i]));

		if (!v || (i && !r->wanted[v->id]))
			continue;
		if (i >= (size_t)max)
			return onnx_node_fail(
				r, p, -ENOTSUP,
				"its output %zu, \"%.80s\", is used; the first %d are mapped", i,
				v->name, max);
		node_set_out(n, (int)i, v);
	}
	return 0;
}

/* Whether @name is an input of the function around, which its call leaves out. */
static bool is_left_out(const struct onnx_reader *r, const char *name)
{
	const Onnx__FunctionProto *f = r->scope ? r->scope->function->proto : NULL;

	for (size_t i = 0; f && i < f->n_input; i++) {
		if (!strcmp(onnx_str(f->input[i]), name))
			return true;
	}
	return false;
}

int onnx_connect_inputs(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n, int n_in)
{
	for (int i = 0; i < n_in; i++) {
		const char *name = onnx_str(p->input[i]);
		struct value *v = name_table_get(&r->names, name);

		if (!v && is_left_out(r, name))
			name = "";
		if (!name[0] && i >= op_infos[n->op].min_in)
			continue;
		if (!name[0])
			return onnx_node_fail(r, p, -EINVAL, "input %d is missing", i);
		if (!v && onnx_is_sparse(r, name))
			return onnx_node_fail(r, p, -ENOTSUP,
					      "its input \"%.120s\" is a sparse initializer", name);
		if (!v || (r->at && !v->producer && !v->data))
			return onnx_node_fail(r, p, -EINVAL,
					      "nothing%s produces its input \"%.120s\"",
					      v ? " before it" : "", name);
		node_set_in(n, i, v);
	}
	return 0;
}

/* Attribute @name of @p, or NULL. */
static const Onnx__AttributeProto *old_attr(const Onnx__NodeProto *p, const char *name)
{
	for (size_t i = 0; i < p->n_attribute; i++) {
		if (!strcmp(onnx_str(p->attribute[i]->name), name))
			return p->attribute[i];
	}
	return NULL;
}

/* Lets the second input of @n begin at dimension @axis of the first. */
static int align(struct onnx_reader *r, struct node *n, s64 axis)
{
	struct node *to = graph_node(r->g, n, OP_ALIGN, n->name, 2);
	struct value *v = graph_value(r->g, "");

	if (!to || !v)
		return r->g->err->code;
	node_set_int(to, ATTR_axis, axis);
	node_set_in(to, 0, node_in(n, 0));
	node_set_in(to, 1, node_in(n, 1));
	node_set_out(to, 0, v);
	node_set_in(n, 1, v);
	return 0;
}

/* What Upsample enlarges by is an attribute before operator set 9, or one for each of two axes. */
static bool scales_are_old(const struct onnx_reader *r, const struct node *n)
{
	return n->op == OP_UPSAMPLE && r->g->opset < 9 && !node_in(n, 1);
}

static int add_scales(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	const Onnx__AttributeProto *height = old_attr(p, "height_scale");
	const Onnx__AttributeProto *width = old_attr(p, "width_scale");
	const Onnx__AttributeProto *all = old_attr(p, "scales");
	float two[] = { 1, 1, height ? height->f : 0, width ? width->f : 0 };
	bool listed = all && all->n_floats && r->g->opset >= 7;
	struct shape shape = { 1, { listed ? (s64)all->n_floats : 4 } };
	struct value *v = graph_const(r->g, "", DTYPE_F32, &shape, listed ? all->floats : two);

	if (v)
		node_set_in(n, 1, v);
	return v ? 0 : r->g->err->code;
}

/* What old operator sets say by attributes, or by rules that are no more. */
static int add_old(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	const Onnx__AttributeProto *broadcast = old_attr(p, "broadcast");
	const Onnx__AttributeProto *axis = old_attr(p, "axis");

	if (scales_are_old(r, n))
		return add_scales(r, p, n);
	if (n->op == OP_PRELU && r->g->opset < 7)
		return align(r, n, 1);
	if (broadcast && broadcast->i && axis && is_old(r, n->op, "axis"))
		return align(r, n, axis->i);
	return 0;
}

/* The operator set in which @op became what it is in @opset. */
static int version_in(enum op op, s64 opset)
{
	int version = op_opsets[op][0];

	for (int i = 1; i < OP_OPSETS_MAX && op_opsets[op][i]; i++) {
		if (op_opsets[op][i] <= opset)
			version = op_opsets[op][i];
	}
	return version;
}

/*
 * Whether the model's operator set has @op. A function may name another set than the model; ONNX
 * lets it use what is the same in both.
 */
static int check_version(const struct onnx_reader *r, const Onnx__NodeProto *p, enum op op)
{
	int first = op_opsets[op][0], gone = op_gone[op];
	s64 own = r->scope ? r->scope->function->opset : 0;

	if (foreign_domain(p)[0])
		return 0;
	if (own && version_in(op, own) != version_in(op, r->g->opset))
		return onnx_node_fail(
			r, p, -ENOTSUP,
			"the operator is that of set %lld in the function, of %d in "
			"the model, and has changed in between; write both for one set",
			(long long)own, r->g->opset);
	if (first > r->g->opset)
		return onnx_node_fail(r, p, -EINVAL,
				      "the operator is new in operator set %d, the model's is %d",
				      first, r->g->opset);
	if (gone && r->g->opset >= gone)
		return onnx_node_fail(
			r, p, -EINVAL,
			"the operator is gone since operator set %d, the model's is %d", gone,
			r->g->opset);
	return 0;
}

/* A Cast to a type of 16 bits: rounded to it, and f32. The last node of both; NULL and a message.
 */
static struct node *cast_to_half(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n)
{
	s32 to = (s32)n->attrs.to;
	enum half half = onnx_half(to);
	struct value *v;
	enum dtype type;

	if (n->op != OP_CAST || !n->attrs.given[ATTR_to] || to != n->attrs.to)
		return n;
	if (!onnx_dtype(to, &type)) {
		onnx_node_fail(r, p, -ENOTSUP, "its result is %s (%d), which is not supported",
			       onnx_dtype_name(to), to);
		return NULL;
	}
	if (!half)
		return n;
	n->attrs.to = dtype_number(DTYPE_F32);
	v = graph_value(r->g, "");
	if (!v)
		return NULL;
	node_set_out(n, 0, v);
	n = graph_node(r->g, r->at, half == HALF_F16 ? OP_HALF : OP_NARROW, n->name, 1);
	if (!n)
		return NULL;
	n->model_op = OP_CAST;
	node_set_in(n, 0, v);
	return n;
}

int onnx_add_node(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	size_t n_in = p->n_input;
	struct node *n;
	enum op op;
	int rc, min_in;

	if (is_constant(p))
		return add_constant(r, p);
	find_any(r, p, &op);
	rc = check_version(r, p, op);
	if (rc)
		return rc;
	if (onnx_body_is(op))
		return onnx_add_body(r, p, op);
	if (!onnx_str(p->output[0])[0] && op_infos[op].max_out == 1)
		return onnx_node_fail(r, p, -EINVAL, "its first output has no name");
	while (n_in && !onnx_str(p->input[n_in - 1])[0])
		n_in--;
	min_in = op_infos[op].min_in;
	if (op == OP_UPSAMPLE && r->g->opset < 9 && n_in == 1)
		min_in = 1; /* add_old() */
	if (n_in < (size_t)min_in || n_in > (size_t)op_infos[op].max_in)
		return onnx_node_fail(r, p, -EINVAL, "it has %zu inputs, %d to %d are allowed",
				      n_in, min_in, op_infos[op].max_in);
	if (op == OP_CLIP && r->g->opset < 11 && n_in > 1)
		return onnx_node_fail(r, p, -EINVAL, "its bounds are inputs only since opset 11");
	n = graph_node(r->g, r->at, op, onnx_node_name(p), (int)n_in);
	if (!n)
		return r->g->err->code;
	n->model_op = op;
	rc = read_attrs(r, p, n);
	if (!rc)
		rc = onnx_connect_inputs(r, p, n, n->n_in);
	if (!rc && op == OP_CONSTANTOFSHAPE)
		rc = add_filling(r, p, n);
	if (!rc)
		rc = add_old(r, p, n);
	n = rc ? NULL : cast_to_half(r, p, n);
	return n ? onnx_connect_outputs(r, p, n) : r->g->err->code;
}
