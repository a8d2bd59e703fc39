/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The functions of tflite.def, and what they share. */
#ifndef COMPILER_TFLITE_OPERATORS_H
#define COMPILER_TFLITE_OPERATORS_H

#include "compiler/tflite_quantised.h"

/* @v, floats, bounded or bent as @activation says; NULL and a message. */
struct value *tflite_activate(const struct tflite_operator *o, s64 activation, struct value *v);

/* Lets @v, NULL after a message, be the output, activated by the field @activation if of floats. */
int tflite_finish(const struct tflite_operator *o, u32 activation, struct value *v, bool planes);

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

#endif
