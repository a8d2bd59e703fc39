/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions: operators of ONNX that are made of others (functions.def). pass_shape() replaces each
 * of them, when the types of its inputs are known, by nodes that stand before it. One function in
 * an expand_*.c for each; it reads like the formula.
 *
 * The steps here return NULL after an error, and when one of their operands is NULL, so that only
 * the end of a formula needs to be looked at. What they are given as constants is computed at once.
 */
#ifndef COMPILER_EXPAND_H
#define COMPILER_EXPAND_H

#include "compiler/passes.h"
#include "compiler/shape.h"

/* A function while it is expanded. */
struct expand {
	struct graph *g;
	struct node *n;
};

/* Replaces the function @n, whose inputs are typed and whose attributes are explicit. */
int expand_node(struct graph *g, struct node *n);

/* One for each name in the column expand of functions.def. */
typedef int expand_fn(struct expand *e);
#define FUNC(id, name, min_in, max_in, max_out, types, expand, doc) expand_fn expand_##expand;
#include "compiler/ops.def"

/* Convolutions and pools of three spatial dimensions are functions, too: they are made of smaller
 * ones.
 */
bool expand_has_three(const struct node *n);
expand_fn expand_three;

/* Bounds, scales and zeros that are known only at run time, bounds of integers, scales of blocks.
 */
bool expand_has_formula(const struct node *n);
expand_fn expand_clip, expand_quantize, expand_dequantize;

/* How operator set 6 broadcasts. */
expand_fn expand_align;

/* Whether expand_node() replaces @n, whose inputs are typed. */
bool expand_knows(const struct node *n);

/* ---- Ends ------------------------------------------------------------------------------------ */

/* Output @i of the function is @v, which nothing else uses as an output. 0, or the error. */
int expand_output(struct expand *e, int i, struct value *v);

/* Output 0, of the shape @like. */
int expand_as(struct expand *e, struct value *v, const struct shape *like);

__attribute__((format(printf, 3, 4))) int expand_refuse(struct expand *e, int code, const char *fmt,
							...);

/* ---- Operands -------------------------------------------------------------------------------- */

static inline struct value *ex_in(const struct expand *e, int i)
{
	return node_in(e->n, i);
}

/* A scalar of @type. */
struct value *ex_number(struct expand *e, enum dtype type, double v);

/* A scalar of the type of @like. */
struct value *ex_like(struct expand *e, const struct value *like, double v);

/* The least or the largest number of a type; of s64, of those that the machine computes with. */
double ex_extreme(enum dtype t, bool most);

/* A constant vector. */
struct value *ex_vector(struct expand *e, enum dtype type, s64 n, const double *v);

/* 0, step, 2 * step ... of @type along dimension @axis of @rank, whose others are 1. */
struct value *ex_iota(struct expand *e, enum dtype type, int rank, int axis, s64 size);

/* The integers of constant input @i in *@out. -ENOTSUP and a message if it is no constant. */
int ex_integers(struct expand *e, int i, struct dims *out);

/* ---- Steps ----------------------------------------------------------------------------------- */

struct value *ex1(struct expand *e, enum op op, struct value *x);
struct value *ex2(struct expand *e, enum op op, struct value *a, struct value *b);
/* @op, which is a function itself, of @x. */
struct value *ex_function(struct expand *e, enum op op, struct value *x);

struct value *ex_where(struct expand *e, struct value *c, struct value *a, struct value *b);
struct value *ex_cast(struct expand *e, struct value *x, enum dtype to);
/* The same with a node of its own even where the type is right. */
struct value *ex_recast(struct expand *e, struct value *x, enum dtype to);

/* @x op the number @b; the number @a op @x. */
struct value *ex_by(struct expand *e, enum op op, struct value *x, double b);
struct value *ex_from(struct expand *e, enum op op, double a, struct value *x);

/* Along @axes, which keep a size of 1. */
struct value *ex_over(struct expand *e, enum op op, struct value *x, const struct dims *axes);
struct value *ex_mean(struct expand *e, struct value *x, const struct dims *axes);
struct value *ex_softmax(struct expand *e, enum op op, struct value *x, int axis);

struct value *ex_view(struct expand *e, struct value *x, const struct shape *to);
struct value *ex_transpose(struct expand *e, struct value *x, const int *perm);
struct value *ex_stretch(struct expand *e, struct value *x, const struct shape *to);
struct value *ex_part(struct expand *e, struct value *x, const s64 *starts, const s64 *steps,
		      const struct shape *to);
struct value *ex_concat(struct expand *e, struct value **v, int n, int axis); /* overwrites @v */

/* @count slices along @axis, from @first on. */
struct value *ex_slice(struct expand *e, struct value *x, int axis, s64 first, s64 count);

/* With @before and @after more elements @fill around each dimension; negative ones are cut off. */
struct value *ex_pad(struct expand *e, struct value *x, const s64 *before, const s64 *after,
		     struct value *fill);

/* The @n slices along @axis that @indices names. */
struct value *ex_take(struct expand *e, struct value *x, int axis, const s64 *indices, s64 n);

/* @x without dimension @axis, which is 1; with one more. */
struct value *ex_squeeze(struct expand *e, struct value *x, int axis);
struct value *ex_unsqueeze(struct expand *e, struct value *x, int axis);

/* Dimensions from @first to before @end. */
struct dims ex_axes(int first, int end);

static inline bool ex_says(const char *attr, const char *word)
{
	return !strcmp(attr, word);
}

#endif
