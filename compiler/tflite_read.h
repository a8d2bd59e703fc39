/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the files of the TensorFlow Lite reader share: tflite.c (models and tensors) and
 * tflite_node.c (operators). The numbers are those of TensorFlow Lite's schema, version 3.
 */
#ifndef COMPILER_TFLITE_READ_H
#define COMPILER_TFLITE_READ_H

#include "compiler/compiler.h"
#include "compiler/flatbuffer.h"

/* A tensor of the model. Images have channels last there, and before rows in the graph. */
struct tflite_tensor {
	struct fb_table table;
	enum dtype dtype;
	struct shape shape;
	struct value *value; /* as the model has it; NULL until something makes it or asks for it */
	struct value *planes; /* the same with channels before rows; NULL until asked for */
	bool read; /* dtype and shape are known */
	bool half; /* FLOAT16 in the model, f32 here */
	struct fb_vector scale, zero; /* of a quantised tensor; empty: it is none */
	s64 axis; /* that the elements of these are for, if they are several */
};

struct tflite_reader {
	const struct compile_options *options;
	struct graph *g;
	struct flatbuffer file;
	struct fb_vector codes, buffers, tensors, operators;
	struct tflite_tensor *tensor; /* one for each of @tensors */
	u64 fetched; /* bytes of constants */
};

/* An operator while it is read. */
struct tflite_operator {
	struct tflite_reader *r;
	const char *kind; /* in TensorFlow Lite, for messages */
	char name[120]; /* of its output: operators have none */
	struct fb_table options;
	struct fb_vector inputs, outputs;
};

/* 0, or a message if the file was found to be damaged. */
int tflite_check(struct tflite_reader *r);

/* Records `FILE: node "NAME" (KIND): message`; returns @code. */
__attribute__((format(printf, 3, 4))) int tflite_fail(const struct tflite_operator *o, int code,
						      const char *fmt, ...);

/*
 * The tensor that is input or output @i of the operator, with its type and shape; NULL and a
 * message if there is none, or if it cannot be read.
 */
struct tflite_tensor *tflite_input(const struct tflite_operator *o, u32 i);
struct tflite_tensor *tflite_output(const struct tflite_operator *o, u32 i);

/* Whether the operator has input @i: it may be left out. */
bool tflite_has_input(const struct tflite_operator *o, u32 i);

/* Whether the model leaves dimension @i of the tensor open, to be given to the compiler. */
bool tflite_is_open(const struct tflite_tensor *t, int i);

/* The contents of a constant; NULL: it is none, or, with a message, too short. */
const void *tflite_data(struct tflite_reader *r, const struct tflite_tensor *t);

/* Scale and zero of element @i of a quantised tensor's axis; all have the same if it has one. */
double tflite_scale(const struct tflite_tensor *t, s64 i);
s64 tflite_zero(const struct tflite_tensor *t, s64 i);

/* 0 if the tensor is u8 or s8 with one scale or, if @n > 1 along its dimension @axis, @n of them.
 */
int tflite_check_quantised(const struct tflite_operator *o, const struct tflite_tensor *t, s64 n,
			   int axis);

/* The value of a tensor as the model has it, or with channels before rows; NULL and a message. */
struct value *tflite_value(const struct tflite_operator *o, struct tflite_tensor *t);
struct value *tflite_planes(const struct tflite_operator *o, struct tflite_tensor *t);

/* Lets @v, of the graph, be the tensor, in the form of tflite_value() or tflite_planes(). */
int tflite_make(const struct tflite_operator *o, struct tflite_tensor *t, struct value *v,
		bool planes);

/* Adds the operator's nodes. 0, or a message. */
int tflite_add(struct tflite_operator *o, s64 code);

/* The name of builtin operator @code, "?" if it is not known. */
const char *tflite_kind(s64 code);

#endif
