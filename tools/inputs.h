/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Inputs of a model from the command line, "FILE" or "NAME=FILE". Functions that return int return
 * a STATUS_*, with a message unless it is STATUS_OK.
 */
#ifndef TOOLS_INPUTS_H
#define TOOLS_INPUTS_H

#include "compiler/tensor.h"
#include "tools/preprocess.h"
#include "tools/source.h"

/* The type and the shape of a model's tensor in the compiler's terms. */
enum dtype tensor_dtype(const struct accel_tensor *tensor);
struct shape tensor_shape(const struct accel_tensor *tensor);

/*
 * The number of the input that @argument is for, and its file (in @argument). The name may be left
 * out where the model has one input.
 */
int input_find(const struct source *source, const char *argument, u32 *input, const char **file);

/* The same for preprocess.h. */
struct image_tensor tensor_image(const struct accel_tensor *tensor);

/*
 * Reads @file, which is to be the input @want: of its type, and of its shape except for leading
 * ones; or an image, which @preprocess brings to both, and which then is in *@shown (else zero) as
 * the network gets it. For a slot of a bare program only the number of bytes counts. The caller
 * frees *@tensor and *@shown.
 */
int input_read(const struct source *source, const struct accel_tensor *want, const char *file,
	       const struct preprocess *preprocess, struct tensor_data *tensor,
	       struct image *shown);

#endif
