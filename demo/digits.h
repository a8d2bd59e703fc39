/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The demo model: a digit classifier of 1 MMAC.
 *
 *   input       1x1x28x28, grey 0 (paper) .. 1 (ink)
 *   conv1+relu  16 channels, 5x5, stride 2, pad 2   -> 16x14x14
 *   conv2+relu  32 channels, 3x3, stride 1, pad 1   -> 32x14x14
 *   pool        2x2, stride 2                       -> 32x7x7
 *   fc+softmax  10 outputs                          -> 1x10 probabilities
 *
 * This file states the sizes once; the trainer, the exporter and the tests
 * read them. Weights lie as in the ONNX file (output channel first).
 */
#ifndef DEMO_DIGITS_H
#define DEMO_DIGITS_H

#include "compiler/diag.h"

#include <stddef.h>

enum {
	DIGITS_SIDE = 28,
	DIGITS_PIXELS = DIGITS_SIDE * DIGITS_SIDE,
	DIGITS_CLASSES = 10,

	CONV1_CHANNELS = 16,
	CONV1_KERNEL = 5,
	CONV1_STRIDE = 2,
	CONV1_PAD = 2,

	CONV2_CHANNELS = 32,
	CONV2_KERNEL = 3,
	CONV2_STRIDE = 1,
	CONV2_PAD = 1,

	CONV_SIDE = 14, /* of both convolutions' outputs */
	POOL_KERNEL = 2,
	POOL_SIDE = CONV_SIDE / POOL_KERNEL,
	FC_INPUTS = CONV2_CHANNELS * POOL_SIDE * POOL_SIDE,
};

struct digits_model {
	float conv1_weight[CONV1_CHANNELS][1][CONV1_KERNEL][CONV1_KERNEL];
	float conv1_bias[CONV1_CHANNELS];
	float conv2_weight[CONV2_CHANNELS][CONV1_CHANNELS][CONV2_KERNEL][CONV2_KERNEL];
	float conv2_bias[CONV2_CHANNELS];
	float fc_weight[DIGITS_CLASSES][FC_INPUTS];
	float fc_bias[DIGITS_CLASSES];
};

/*
 * The plain forward pass, one loop nest per layer, sharing nothing with the
 * trainer: what the exported file is measured with. @image is row by row.
 */
void digits_forward(const struct digits_model *model, const float image[DIGITS_PIXELS],
		    float probability[DIGITS_CLASSES]);

/* The index of the largest of DIGITS_CLASSES probabilities. */
int digits_best(const float probability[DIGITS_CLASSES]);

/* No file of digits_save() is as large: the weights are 83 kB. */
#define DIGITS_FILE_MAX 200000

/* Writes @model as ONNX (opset 13); 0, or the negative errno that is also in @err. */
int digits_save(const struct digits_model *model, const char *path, struct compile_error *err);

/* Reads the weights back from a file of digits_save(); 0, or the negative errno in @err. */
int digits_load(struct digits_model *model, const char *path, struct compile_error *err);

#endif
