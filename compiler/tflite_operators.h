/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The functions of tflite.def, and what they share. */
#ifndef COMPILER_TFLITE_OPERATORS_H
#define COMPILER_TFLITE_OPERATORS_H

#include "compiler/tflite_quantised.h"

/* @v, floats, bounded or bent as @activation says; NULL and a message. */
struct value *tflite_activate(const struct tflite_operator *o, s64 activation, struct value *v);

/* Lets @v, NULL after a message, be the output, activated by the field @activation if of floats. */
int tflite_finish(const struct tflite_operator *o, u32 activation, struct value *v, bool planes);

/* The constant s64[n] of @d; and the integers of input @i, a constant, which is @what. */
struct value *tflite_numbers(const struct tflite_operator *o, const struct dims *d);
int tflite_read_numbers(const struct tflite_operator *o, u32 i, const char *what, struct dims *to);

/* @v, floats, rounded to integers, half away from zero. */
struct value *tflite_rounded_away(const struct tflite_operator *o, struct value *v);

/* @v, NULL after a message, floats that are whole numbers, as the nearest bytes. */
struct value *tflite_as_bytes(const struct tflite_operator *o, struct value *v, enum dtype type);

int tflite_only_floats(const struct tflite_operator *o, const struct tflite_tensor *t);

int tflite_read_conv(struct tflite_operator *o, int depthwise);
int tflite_read_connected(struct tflite_operator *o, int argument);
int tflite_read_pool(struct tflite_operator *o, int op);

/* tflite_map.c: element by element */
int tflite_read_binary(struct tflite_operator *o, int op);
int tflite_read_unary(struct tflite_operator *o, int op);
int tflite_read_relu(struct tflite_operator *o, int activation);
int tflite_read_quantize(struct tflite_operator *o, int argument);
int tflite_read_dequantize(struct tflite_operator *o, int argument);

/* tflite_move.c: along dimensions */
int tflite_read_reshape(struct tflite_operator *o, int argument);
int tflite_read_concat(struct tflite_operator *o, int argument);
int tflite_read_pad(struct tflite_operator *o, int argument);
int tflite_read_transpose(struct tflite_operator *o, int argument);
int tflite_read_mean(struct tflite_operator *o, int argument);
int tflite_read_softmax(struct tflite_operator *o, int argument);

/* tflite_shape.c: elements that only move */
int tflite_read_squeeze(struct tflite_operator *o, int argument);
int tflite_read_expand_dims(struct tflite_operator *o, int argument);
int tflite_read_pack(struct tflite_operator *o, int argument);
int tflite_read_unpack(struct tflite_operator *o, int argument);
int tflite_read_gather(struct tflite_operator *o, int argument);
int tflite_read_slice(struct tflite_operator *o, int argument);
int tflite_read_strided_slice(struct tflite_operator *o, int argument);
int tflite_read_split(struct tflite_operator *o, int argument);
int tflite_read_split_v(struct tflite_operator *o, int argument);
int tflite_read_shape(struct tflite_operator *o, int argument);

/* tflite_resize.c */
int tflite_read_resize_nearest(struct tflite_operator *o, int argument);
int tflite_read_resize_bilinear(struct tflite_operator *o, int argument);

#endif
