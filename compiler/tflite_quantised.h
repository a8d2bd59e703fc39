/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * TensorFlow Lite's quantised operators as those of quantise.h: the numbers that its runtime works
 * out of scales when a model is prepared.
 */
#ifndef COMPILER_TFLITE_QUANTISED_H
#define COMPILER_TFLITE_QUANTISED_H

#include "compiler/tflite_read.h"

/* The schema's activations. */
enum {
	ACTIVATION_NONE,
	ACTIVATION_RELU,
	ACTIVATION_RELU_N1_TO_1,
	ACTIVATION_RELU6,
	ACTIVATION_TANH,
};

bool tflite_is_quantised(const struct tflite_tensor *t);

/* The result of a new node with these inputs; *@node, which may be NULL, is the node. */
struct value *tflite_add_node(const struct tflite_operator *o, enum op op, struct value *const *in,
			      int n_in, struct node **node);

/* The functions below return NULL after a message. @activation: the field of the options. */

/* The sums of products of @in[0] and @in[1], without the zeros of @x and @w. */
struct value *tflite_sum(const struct tflite_operator *o, enum op op, const struct tflite_tensor *x,
			 const struct tflite_tensor *w, struct value *const in[2],
			 struct node **node);

/*
 * What the operator makes of its sums @v, whose channels are dimension @along, and of @bias, or
 * NULL; weights have scales along @axis.
 */
struct value *tflite_end_sum(const struct tflite_operator *o, u32 activation, struct value *v,
			     struct value *bias, int axis, int along);

/* What it makes of @v, which the pool @n gives of @x: sums, or maxima. */
struct value *tflite_end_pool(const struct tflite_operator *o, u32 activation, struct value *v,
			      const struct node *n, const struct tflite_tensor *x);

/* The sum, or a - b if @minus. */
struct value *tflite_fixed_add(const struct tflite_operator *o, u32 activation,
			       struct value *const in[2], const struct tflite_tensor *a,
			       const struct tflite_tensor *b, bool minus);
struct value *tflite_fixed_mul(const struct tflite_operator *o, u32 activation,
			       struct value *const in[2], const struct tflite_tensor *a,
			       const struct tflite_tensor *b);

/* Bytes to bytes: @x in the scale of the output, bounded as the activation @kind does. */
struct value *tflite_rescale(const struct tflite_operator *o, s64 kind, struct value *v,
			     const struct tflite_tensor *x);
/* The function that is @op, of the number that each byte means. */
struct value *tflite_look_up(const struct tflite_operator *o, enum op op, struct value *v,
			     const struct tflite_tensor *x);

/* As the fixed point of HARD_SWISH has it. */
struct value *tflite_hard_swish(const struct tflite_operator *o, struct value *v,
				const struct tflite_tensor *x);

/* @v, s32 and below 2^30, divided by 2^@power, rounded half away from zero, as @out is. */
struct value *tflite_divide_by_power(const struct tflite_operator *o, struct value *v, int power,
				     const struct tflite_tensor *out);

/*
 * The mean of @x along the dimensions @axes, which stay with one element each; @image: they are the
 * rows and columns of one, and the result has channels before them.
 */
struct value *tflite_fixed_mean(const struct tflite_operator *o, struct tflite_tensor *x,
				const struct dims *axes, bool image);

/* 0 if both are quantised alike. */
int tflite_check_same(const struct tflite_operator *o, const struct tflite_tensor *x,
		      const struct tflite_tensor *out);

struct value *tflite_fixed_softmax(const struct tflite_operator *o, struct value *v,
				   const struct tflite_tensor *x, float beta);

#endif
