/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of graph_generate.h share: values that a graph has so far, and how to add to it.
 */
#ifndef TESTS_FUZZ_GRAPH_GENERATOR_H
#define TESTS_FUZZ_GRAPH_GENERATOR_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "compiler/graph.h"

enum {
	VALUES = 64,
	NODES = 7, /* operators at most, beside what brings their operands into shape */
	ELEMENTS = 3000, /* of what is computed with, at most */
	OUTPUTS = 6,
};

static const double ulp = 0x1p-23;

struct value_made {
	struct shape shape;
	enum dtype dtype;
	double most; /* no element is larger */
	double grid; /* all elements are multiples of it; 0: of nothing */
	double error; /* of the program's elements, at most */
	bool is_const, used;
	bool special; /* there are infinities, NaN, or the ends of its type */
};

struct generator {
	FILE *to;
	const u8 *at, *end; /* choices */
	struct value_made value[VALUES];
	int n;
};

u32 pick(struct generator *g, u32 count);

/* True about once in @count times; false when the choices are used up. */
bool rarely(struct generator *g, u32 count);

#define ONE_OF(g, ...) \
	((const s64[]){ __VA_ARGS__ }[pick(g, sizeof((s64[]){ __VA_ARGS__ }) / sizeof(s64))])

const struct shape *shape_of(const struct generator *g, int v);
int add_value(struct generator *g, struct value_made v);
void print_type(struct generator *g, int v);

/* Their elements are multiples of 1/4 up to 2. */
int new_input(struct generator *g, const struct shape *shape);
int new_const(struct generator *g, const struct shape *shape);

/* The second operand of a product: a constant or not. */
int factor(struct generator *g, const struct shape *s);

/* A constant of numbers, repeated from @values; the largest is @most. */
int new_numbers(struct generator *g, const struct shape *shape, const char *values, double most,
		enum dtype dtype);

s64 small_size(struct generator *g);
struct shape random_shape(struct generator *g, int rank);

/* A value of @low to @high dimensions that has room for more arithmetic: an old or a new one. */
int operand(struct generator *g, int low, int high);

/* A value of @dtype that programs compute exactly: an old one or an input; an input. */
int exact_operand(struct generator *g, enum dtype dtype, int low, int high);
int new_typed(struct generator *g, const struct shape *s, enum dtype dtype);

/* A result whose numbers are within @most; @error is 0 where the program is exact. */
struct value_made made(enum dtype dtype, double most, double error);

/* What a sum of @terms products, each of an @a and a @b, may be; and @a + @b. */
struct value_made sum_of(const struct value_made *a, const struct value_made *b, double terms);
struct value_made plus(const struct value_made *a, const struct value_made *b);

/* Columns of a product, of @inner terms each. */
s64 columns(struct generator *g, s64 inner);

/* `node %N "vN" ? = OP "nN"`, then its inputs and attributes; @like: what is known of the numbers.
 */
int begin_node(struct generator *g, enum op op, const struct shape *shape, struct value_made like);
void input(struct generator *g, int v);
void numbers(struct generator *g, const char *attr, const s64 *v, int n);
void end_node(struct generator *g);

/* Add, Sub, Mul or Div of integers. */
void make_integers(struct generator *g, enum op op);

/* The windows of a node along each spatial dimension, in numbers that fit. */
struct axis {
	s64 in, kernel, stride, dilation, begin, end, out;
};

struct windows {
	struct axis axis[2];
	int n;
	enum auto_pad how;
	bool ceil;
};

/* Over an image of shape @x; a pool is not padded where it is dilated. */
void random_windows(struct generator *g, struct windows *w, const struct shape *x,
		    const s64 *kernel, bool is_pool);
void print_windows(struct generator *g, const struct windows *w, bool kernel);

/* One for each operator: graph_generate.c, graph_generate_*.c. */
#define OP(id, ...) void make_##id(struct generator *g);
#include "compiler/ops.def"

#endif
