// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Operators and functions on single elements, of all types. */
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <string.h>

/* ---- Operands -------------------------------------------------------------------------------- */

/* A value of @dtype that programs compute exactly: an old one or an input. */
int exact_operand(struct generator *g, enum dtype dtype, int low, int high)
{
	struct shape s;

	for (int tries = 0; g->n && tries < 8; tries++) {
		int v = (int)pick(g, (u32)g->n);
		const struct value_made *of = &g->value[v];

		if (of->dtype == dtype && !of->is_const && !of->error &&
		    (of->most <= 8 || of->special) && of->shape.rank >= low &&
		    of->shape.rank <= high && shape_elems(&of->shape) <= ELEMENTS)
			return v;
	}
	s = random_shape(g, low + (int)pick(g, (u32)(high - low + 1)));
	return new_typed(g, &s, dtype);
}

int new_typed(struct generator *g, const struct shape *s, enum dtype dtype)
{
	static const char *const specials[DTYPE_COUNT] = {
		[DTYPE_F32] = "nan 1 -inf -0 2.5 inf -3 0 0.5",
		[DTYPE_U8] = "0 255 128 1 127 3",
		[DTYPE_S8] = "-128 127 0 -1 5 1",
		[DTYPE_S32] = "-2147483648 2147483647 -1 0 1000000007 -77 3 65536",
		[DTYPE_S64] = "-30000 30000 -1 0 1007 -77 3 4",
		[DTYPE_BOOL] = "1 1 0",
	};
	bool special = rarely(g, 3);
	int v = add_value(g,
			  (struct value_made){ .shape = *s,
					       .dtype = dtype,
					       .most = special || dtype != DTYPE_F32 ? INFINITY : 2,
					       .grid = 0.25,
					       .special = special || dtype != DTYPE_F32 });

	fprintf(g->to, "input %%%d \"v%d\" ", v, v);
	print_type(g, v);
	end_node(g);
	if (special)
		fprintf(g->to, "#: data %%%d %s\n", v, specials[dtype]);
	return v;
}

/* A result whose numbers are within @most; @error is 0 where the program is exact. */
struct value_made made(enum dtype dtype, double most, double error)
{
	return (struct value_made){ .dtype = dtype, .most = most, .error = error };
}

/* One that broadcasts to @s. */
static int narrower(struct generator *g, struct shape s, enum dtype dtype)
{
	for (int i = 0; i < s.rank; i++) {
		if (rarely(g, 3))
			s.dim[i] = 1;
	}
	while (s.rank && rarely(g, 4)) {
		memmove(s.dim, s.dim + 1, sizeof(s.dim) - sizeof(s.dim[0]));
		s.rank--;
	}
	return new_typed(g, &s, dtype);
}

/* @op of @n operands of @dtype, the first the widest. */
static void make_map(struct generator *g, enum op op, enum dtype dtype, int n,
		     struct value_made like, const char *attrs)
{
	int x = exact_operand(g, dtype, 0, 4), more[3] = { 0 };
	struct shape s = *shape_of(g, x);

	for (int i = 1; i < n; i++)
		more[i] = narrower(g, s, dtype);
	begin_node(g, op, &s, like);
	input(g, x);
	for (int i = 1; i < n; i++)
		input(g, more[i]);
	fprintf(g->to, "%s\n", attrs);
}

static enum dtype any_number(struct generator *g)
{
	return (enum dtype)ONE_OF(g, DTYPE_F32, DTYPE_S8, DTYPE_U8, DTYPE_S32, DTYPE_S64);
}

/* ---- One operand ----------------------------------------------------------------------------- */

/* What may be infinite or NaN is not computed with any more. */
#define UNARY(id, most, error)                                                        \
	void make_##id(struct generator *g)                                           \
	{                                                                             \
		make_map(g, OP_##id, DTYPE_F32, 1, made(DTYPE_F32, most, error), ""); \
	}
UNARY(EXP, 8, 0.02)
UNARY(LOG, INFINITY, 1e-5)
UNARY(SQRT, INFINITY, 1e-6)
UNARY(RECIPROCAL, INFINITY, 1e-6)
UNARY(FLOOR, 8, 0)
UNARY(CEIL, 8, 0)
UNARY(ROUND, 8, 0)
UNARY(NARROW, 8, 0)
UNARY(HALF, 8, 0)
UNARY(SIN, 1, 1e-5)
UNARY(COS, 1, 1e-5)
UNARY(ATAN, 2, 1e-5)
UNARY(ERF, 1, 1e-5)
UNARY(ACOS, INFINITY, 1e-5)
UNARY(ACOSH, INFINITY, 1e-4)
UNARY(ASIN, INFINITY, 1e-5)
UNARY(ASINH, 4, 1e-5)
UNARY(ATANH, INFINITY, 1e-5)
UNARY(COSH, INFINITY, 0.05)
UNARY(SINH, INFINITY, 0.05)
UNARY(SOFTPLUS, 10, 1e-5)
UNARY(SOFTSIGN, 1, 1e-5)
UNARY(MISH, 10, 1e-5)
UNARY(HARDSWISH, 10, 1e-5)
UNARY(SWISH, 10, 1e-5)

/* Away from where it is infinite: the tolerance is absolute. */
void make_TAN(struct generator *g)
{
	struct shape s = random_shape(g, 2);
	int x = new_typed(g, &s, DTYPE_F32);

	begin_node(g, OP_TAN, &s, made(DTYPE_F32, 20, 1e-3));
	input(g, x);
	end_node(g);
}

#define ATTRIBUTES(id, most, error, ...)                                         \
	void make_##id(struct generator *g)                                      \
	{                                                                        \
		static const char *const forms[] = { __VA_ARGS__ };              \
		u32 n = sizeof(forms) / sizeof(forms[0]);                        \
                                                                                 \
		make_map(g, OP_##id, DTYPE_F32, 1, made(DTYPE_F32, most, error), \
			 forms[pick(g, n)]);                                     \
	}
ATTRIBUTES(CELU, 10, 1e-5, "", " alpha=2")
ATTRIBUTES(ELU, 10, 1e-5, "", " alpha=0.5")
ATTRIBUTES(SELU, 20, 1e-5, "", " alpha=1.5 gamma=2")
ATTRIBUTES(LEAKYRELU, 10, 1e-6, "", " alpha=0.5")
ATTRIBUTES(THRESHOLDEDRELU, 8, 0, "", " alpha=0.25")
ATTRIBUTES(HARDSIGMOID, 1, 1e-5, "", " alpha=0.5 beta=0.25")
ATTRIBUTES(GELU, 10, 1e-5, "", " approximate=\"tanh\"")
ATTRIBUTES(SHRINK, 10, 0, "", " lambd=1 bias=0.5")

void make_NEG(struct generator *g)
{
	enum dtype t = (enum dtype)ONE_OF(g, DTYPE_F32, DTYPE_S8, DTYPE_S32, DTYPE_S64);

	make_map(g, OP_NEG, t, 1, made(t, 255, 0), "");
}

#define ANY_NUMBER(id, inputs, attrs)                                    \
	void make_##id(struct generator *g)                              \
	{                                                                \
		enum dtype t = any_number(g);                            \
                                                                         \
		make_map(g, OP_##id, t, inputs, made(t, 255, 0), attrs); \
	}
ANY_NUMBER(ABS, 1, "")
ANY_NUMBER(SIGN, 1, "")
ANY_NUMBER(MAXIMUM, 2, "")
ANY_NUMBER(MINIMUM, 2, "")
ANY_NUMBER(MAX, 3, "")
ANY_NUMBER(MIN, 2, "")

void make_MOD(struct generator *g)
{
	enum dtype t = any_number(g);

	make_map(g, OP_MOD, t, 2, made(t, INFINITY, 0),
		 t == DTYPE_F32 || rarely(g, 2) ? " fmod=1" : "");
}

#define OF_TYPE(id, from, to, inputs)                                                     \
	void make_##id(struct generator *g)                                               \
	{                                                                                 \
		make_map(g, OP_##id, DTYPE_##from, inputs, made(DTYPE_##to, 255, 0), ""); \
	}
OF_TYPE(NOT, BOOL, BOOL, 1)
OF_TYPE(AND, BOOL, BOOL, 2)
OF_TYPE(OR, BOOL, BOOL, 2)
OF_TYPE(XOR, BOOL, BOOL, 2)
OF_TYPE(ISNAN, F32, BOOL, 1)
OF_TYPE(ISINF, F32, BOOL, 1)
OF_TYPE(BITNOT, S8, S8, 1)
OF_TYPE(BITAND, U8, U8, 2)
OF_TYPE(BITOR, S32, S32, 2)
OF_TYPE(BITXOR, S64, S64, 2)

void make_BITSHIFT(struct generator *g)
{
	make_map(g, OP_BITSHIFT, DTYPE_U8, 2, made(DTYPE_U8, 255, 0),
		 rarely(g, 2) ? " direction=\"LEFT\"" : " direction=\"RIGHT\"");
}

/* Arithmetic of integers, which wraps. */
void make_integers(struct generator *g, enum op op)
{
	enum dtype t = (enum dtype)ONE_OF(g, DTYPE_S8, DTYPE_U8, DTYPE_S32);

	make_map(g, op, t, 2, made(t, INFINITY, 0), "");
}

/* ---- Two operands ---------------------------------------------------------------------------- */

#define COMPARISON(id)                                                              \
	void make_##id(struct generator *g)                                         \
	{                                                                           \
		make_map(g, OP_##id, any_number(g), 2, made(DTYPE_BOOL, 1, 0), ""); \
	}
COMPARISON(EQUAL)
COMPARISON(LESS)
COMPARISON(LESSEQUAL)
COMPARISON(GREATER)
COMPARISON(GREATEREQUAL)

void make_POW(struct generator *g)
{
	int x = exact_operand(g, DTYPE_F32, 0, 4), y;
	struct shape scalar = { 0 }, s = *shape_of(g, x);

	y = new_numbers(g, &scalar, ONE_OF(g, 0, 1) ? "2" : "0.5", 2, DTYPE_F32);
	begin_node(g, OP_POW, &s, made(DTYPE_F32, INFINITY, 1e-4));
	input(g, x);
	input(g, y);
	end_node(g);
}

void make_PRELU(struct generator *g)
{
	make_map(g, OP_PRELU, DTYPE_F32, 2, made(DTYPE_F32, 16, 0), "");
}

void make_SUM(struct generator *g)
{
	make_map(g, OP_SUM, DTYPE_F32, 2, made(DTYPE_F32, 16, 0), "");
}

void make_MEAN(struct generator *g)
{
	make_map(g, OP_MEAN, DTYPE_F32, 3, made(DTYPE_F32, 8, 1e-5), "");
}

void make_WHERE(struct generator *g)
{
	enum dtype t = (enum dtype)pick(g, DTYPE_COUNT);
	int x = exact_operand(g, t, 0, 4), c, y;
	struct shape s = *shape_of(g, x);

	c = narrower(g, s, DTYPE_BOOL);
	y = narrower(g, s, t);
	begin_node(g, OP_WHERE, &s, made(t, 255, 0));
	input(g, c);
	input(g, y);
	input(g, x);
	end_node(g);
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* Infinity in 64 bits is what programs, of 32, do not give: docs/reference/semantics.md. */
static enum dtype castable(const struct generator *g, int x, enum dtype to)
{
	bool infinite = g->value[x].dtype == DTYPE_F32 && g->value[x].special;

	return infinite && to == DTYPE_S64 ? DTYPE_S32 : to;
}

static void make_cast(struct generator *g, enum dtype from, enum dtype to)
{
	int x = exact_operand(g, from, 0, 4);

	to = castable(g, x, to);
	begin_node(g, OP_CAST, shape_of(g, x), made(to, INFINITY, 0));
	input(g, x);
	fprintf(g->to, " to=%d\n", dtype_number(to));
}

void make_CAST(struct generator *g)
{
	make_cast(g, (enum dtype)pick(g, DTYPE_COUNT), (enum dtype)pick(g, DTYPE_COUNT));
}

void make_CASTLIKE(struct generator *g)
{
	enum dtype from = (enum dtype)pick(g, DTYPE_COUNT), to = (enum dtype)pick(g, DTYPE_COUNT);
	struct shape scalar = { 0 };
	int x = exact_operand(g, from, 0, 4), like;

	to = castable(g, x, to);
	like = new_numbers(g, &scalar, "1", 1, to);
	begin_node(g, OP_CASTLIKE, shape_of(g, x), made(to, INFINITY, 0));
	input(g, x);
	input(g, like);
	end_node(g);
}

void make_BITCAST(struct generator *g)
{
	bool word = rarely(g, 2);
	int x = exact_operand(g, word ? DTYPE_S32 : DTYPE_S8, 0, 4);
	enum dtype to = word ? DTYPE_F32 : DTYPE_U8;

	begin_node(g, OP_BITCAST, shape_of(g, x), made(to, INFINITY, 0));
	input(g, x);
	fprintf(g->to, " to=%d\n", dtype_number(to));
}
