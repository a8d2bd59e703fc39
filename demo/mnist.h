/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The MNIST digits: 10,000 grey images of 28x28 and their labels, as two
 * gzip-compressed IDX files (magic, big-endian sizes, bytes).
 */
#ifndef DEMO_MNIST_H
#define DEMO_MNIST_H

#include "demo/digits.h"

enum {
	MNIST_COUNT = 10000,
	MNIST_TRAIN = 8000, /* the first; the rest is only ever tested on */
};

struct mnist {
	unsigned char image[MNIST_COUNT][DIGITS_PIXELS];
	unsigned char label[MNIST_COUNT]; /* 0..9 */
};

/*
 * Reads t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz of
 * $RONDO_MODELS/data/mnist (RONDO_MODELS is ../shared/models if unset).
 * Returns a new set for free(), or NULL with the reason, which names the
 * file, in @err.
 */
struct mnist *mnist_load(struct compile_error *err);

/* Pixels 0..255 of image @index as the model's 0..1. */
void mnist_image(const struct mnist *set, int index, float image[DIGITS_PIXELS]);

/* How many of the images @first..@end-1 digits_forward() classifies right. */
int mnist_right(const struct mnist *set, const struct digits_model *model, int first, int end);

#endif
