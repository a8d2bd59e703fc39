// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* TensorFlow Lite's operators on elements -> nodes. */
#include "compiler/tflite_operators.h"

#include <errno.h>

enum { BINARY_ACTIVATION };

static const struct shape scalar = { 0 };

static struct value *number(const struct tflite_operator *o, float x)
{
	return graph_const(o->r->g, "", DTYPE_F32, &scalar, &x);
}

/* @t as images with channels before rows; one with fewer dimensions is as if 1 stood before them.
 */
static struct value *lifted(const struct tflite_operator *o, struct tflite_tensor *t)
{
	static const s64 to_first[] = { 0, 3, 1, 2 };
	const struct shape four = { 1, { 4 } };
	s64 sizes[] = { 1, 1, 1, 1 };
	struct value *in[2], *v;
	struct node *n;

	if (t->shape.rank == 4)
		return tflite_planes(o, t);
	for (int i = 0; i < t->shape.rank; i++)
		sizes[4 - t->shape.rank + i] = t->shape.dim[i];
	in[0] = tflite_value(o, t);
	in[1] = in[0] ? graph_const(o->r->g, "", DTYPE_S64, &four, sizes) : NULL;
	v = in[1] ? tflite_add_node(o, OP_RESHAPE, in, 2, NULL) : NULL;
	v = v ? tflite_add_node(o, OP_TRANSPOSE, &v, 1, &n) : NULL;
	if (v) {
		struct dims perm = { .n = 4 };

		for (int i = 0; i < 4; i++)
			perm.v[i] = to_first[i];
		node_set_dims(n, ATTR_perm, perm);
	}
	return v;
}

/* Whether it can stand beside images: it has four dimensions, or is a constant with fewer. */
static bool may_lift(const struct tflite_operator *o, const struct tflite_tensor *t)
{
	if (t->shape.rank >= 4)
		return t->shape.rank == 4;
	return t->value ? t->value->data != NULL : tflite_data(o->r, t) != NULL;
}

int tflite_read_binary(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *a = tflite_input(o, 0), *b = a ? tflite_input(o, 1) : NULL;
	enum op op = (enum op)argument;
	struct value *in[2], *v;
	bool planes, bytes;

	if (!b)
		return o->r->g->err->code;
	bytes = tflite_is_quantised(a) && (op == OP_ADD || op == OP_SUB || op == OP_MUL);
	if (!bytes && (tflite_only_floats(o, a) || tflite_only_floats(o, b)))
		return o->r->g->err->code;
	planes = (a->shape.rank == 4 || b->shape.rank == 4) && may_lift(o, a) && may_lift(o, b);
	in[0] = planes ? lifted(o, a) : tflite_value(o, a);
	in[1] = !in[0] ? NULL : planes ? lifted(o, b) : tflite_value(o, b);
	if (!in[1])
		return o->r->g->err->code;
	if (!bytes)
		v = tflite_add_node(o, op, in, 2, NULL);
	else if (op != OP_MUL)
		v = tflite_fixed_add(o, BINARY_ACTIVATION, in, a, b, op == OP_SUB);
	else
		v = tflite_fixed_mul(o, BINARY_ACTIVATION, in, a, b);
	return v ? tflite_finish(o, BINARY_ACTIVATION, v, planes) : o->r->g->err->code;
}

/* The input of an operator on elements, in the form that it is in; *@planes says which. */
static struct value *read_elements(const struct tflite_operator *o, struct tflite_tensor **x,
				   bool *planes)
{
	*x = tflite_input(o, 0);
	if (!*x || !tflite_output(o, 0))
		return NULL;
	*planes = (*x)->planes != NULL;
	return *planes ? (*x)->planes : tflite_value(o, *x);
}

/* Ends such an operator. */
static int made(const struct tflite_operator *o, struct value *v, bool planes)
{
	return v ? tflite_make(o, tflite_output(o, 0), v, planes) : o->r->g->err->code;
}

int tflite_read_unary(struct tflite_operator *o, int argument)
{
	enum op op = (enum op)argument;
	struct tflite_tensor *x;
	bool planes;
	struct value *v = read_elements(o, &x, &planes);

	if (!v)
		return o->r->g->err->code;
	if (tflite_is_quantised(x) && (op == OP_SIGMOID || op == OP_TANH))
		return made(o, tflite_look_up(o, op, v, x), planes);
	if (tflite_is_quantised(x) && op == OP_HARDSWISH)
		return made(o, tflite_hard_swish(o, v, x), planes);
	if (tflite_only_floats(o, x))
		return o->r->g->err->code;
	return made(o, tflite_add_node(o, op, &v, 1, NULL), planes);
}

int tflite_read_relu(struct tflite_operator *o, int activation)
{
	struct tflite_tensor *x;
	bool planes;
	struct value *v = read_elements(o, &x, &planes);

	if (!v || (!tflite_is_quantised(x) && tflite_only_floats(o, x)))
		return o->r->g->err->code;
	v = tflite_is_quantised(x) ? tflite_rescale(o, activation, v, x) :
				     tflite_activate(o, activation, v);
	return made(o, v, planes);
}

/* ---- Into bytes and out of them ------------------------------------------------------------ */

/* Scale and zero of @t as inputs of a node. */
static bool meaning(const struct tflite_operator *o, const struct tflite_tensor *t, float scale,
		    struct value *to[2])
{
	u8 zero = (u8)tflite_zero(t, 0);

	to[0] = number(o, scale);
	to[1] = graph_const(o->r->g, "", t->dtype, &scalar, &zero);
	return to[0] && to[1];
}

/* QuantizeLinear rounds to even: here down from |x| and the number below a half, so that nothing
 * below a half gets to one.
 */
struct value *tflite_rounded_away(const struct tflite_operator *o, struct value *v)
{
	struct value *in[2], *sign;

	sign = v ? tflite_add_node(o, OP_SIGN, &v, 1, NULL) : NULL;
	in[0] = sign ? tflite_add_node(o, OP_ABS, &v, 1, NULL) : NULL;
	in[1] = number(o, 0x1.fffffep-2f);
	v = in[0] && in[1] ? tflite_add_node(o, OP_ADD, in, 2, NULL) : NULL;
	in[0] = v ? tflite_add_node(o, OP_FLOOR, &v, 1, NULL) : NULL;
	in[1] = sign;
	return in[0] ? tflite_add_node(o, OP_MUL, in, 2, NULL) : NULL;
}

struct value *tflite_as_bytes(const struct tflite_operator *o, struct value *v, enum dtype type)
{
	const u8 zero = 0;
	struct value *in[3] = { v, number(o, 1), graph_const(o->r->g, "", type, &scalar, &zero) };

	return v && in[1] && in[2] ? tflite_add_node(o, OP_QUANTIZE, in, 3, NULL) : NULL;
}

int tflite_read_quantize(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x, *out = tflite_output(o, 0);
	struct value *in[3];
	bool planes;

	(void)argument;
	in[0] = read_elements(o, &x, &planes);
	if (!in[0] || tflite_check_quantised(o, out, 1, 0))
		return o->r->g->err->code;
	if (tflite_is_quantised(x))
		return made(o, tflite_rescale(o, ACTIVATION_NONE, in[0], x), planes);
	if (tflite_only_floats(o, x))
		return o->r->g->err->code;
	in[1] = number(o, (float)tflite_scale(out, 0));
	in[0] = in[1] ? tflite_add_node(o, OP_DIV, in, 2, NULL) : NULL;
	in[0] = in[0] ? tflite_rounded_away(o, in[0]) : NULL;
	if (!in[0] || !meaning(o, out, 1, in + 1))
		return o->r->g->err->code;
	return made(o, tflite_add_node(o, OP_QUANTIZE, in, 3, NULL), planes);
}

int tflite_read_dequantize(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x;
	struct value *in[3];
	bool planes;

	(void)argument;
	in[0] = read_elements(o, &x, &planes);
	if (in[0] && x->half) /* it was made f32 as it was read */
		return made(o, in[0], planes);
	if (!in[0] || tflite_check_quantised(o, x, 1, 0) ||
	    !meaning(o, x, (float)tflite_scale(x, 0), in + 1))
		return o->r->g->err->code;
	return made(o, tflite_add_node(o, OP_DEQUANTIZE, in, 3, NULL), planes);
}
