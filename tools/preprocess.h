/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From an image to a model's input, and from an output back to one: fit, colours, layout, and
 *
 *	value = (byte - mean) / deviation	for each channel, byte in 0..255
 *
 * A quantised tensor holds that value divided by its scale, plus its zero point; one of bytes that
 * says no scale holds it rounded.
 */
#ifndef TOOLS_PREPROCESS_H
#define TOOLS_PREPROCESS_H

#include <stdbool.h>

#include "compiler/tensor.h"
#include "tools/image.h"
#include "tools/image_layout.h"

/* How an image is brought to the size of an input. */
enum image_fit {
	FIT_STRETCH, /* all of it, whatever its proportions */
	FIT_COVER, /* the largest part of the input's proportions, from the middle */
	FIT_CROP, /* 7/8 of that, as networks for ImageNet are tested (224 of 256) */
	FIT_PAD, /* all of it, in proportion, in the middle of black */
};

struct preprocess {
	enum image_fit fit;
	enum image_order order;
	bool bgr; /* blue comes first */
	float mean[IMAGE_CHANNELS], deviation[IMAGE_CHANNELS];
	bool given; /* a preset or any of it is given by an option */
};

/* Bytes as they are, stretched: the preset "none". */
void preprocess_init(struct preprocess *p);

/* Makes fit, mean and deviation those of the preset @name. Whether there is one. */
bool preprocess_preset(struct preprocess *p, const char *name);

/* What a tensor that holds an image is made of. */
struct image_tensor {
	enum dtype dtype;
	struct shape shape;
	float scale; /* 0: not quantised */
	s32 zero_point;
};

/*
 * Makes the tensor @want of @image. *@shown, which may be NULL, becomes the image as the network
 * gets it, for image_free(). The caller frees *@out with tensor_data_free(). 0, or the negative
 * errno that is also in @err: -ENOTSUP, no image fits such a tensor.
 */
int preprocess_image(const struct preprocess *p, const struct image *image,
		     const struct image_tensor *want, struct tensor_data *out, struct image *shown,
		     struct compile_error *err);

/*
 * The image in the contents @bytes of the tensor @have, @channels bytes a pixel, for free(); what
 * is not finite becomes 0. NULL: it is none, or there is no memory.
 */
u8 *preprocess_undo(const struct preprocess *p, const struct image_tensor *have, const void *bytes,
		    struct image_layout *layout);

#endif
