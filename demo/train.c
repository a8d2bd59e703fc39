// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Trains the demo model and writes it as ONNX: `train OUTPUT.onnx`.
 *
 * The recipe, whole: the first 8,000 MNIST test digits, each turned, sheared,
 * scaled and shifted a little at random every time it is seen; cross entropy;
 * Adam on batches of 32, its rate falling linearly to zero; one fixed seed.
 * Single-threaded and in a fixed order of operations, so the same compiler and
 * libm give the same file. Build with optimisation: it takes a minute or two.
 * The last 2,000 digits are looked at once, at the end, by digits_forward().
 */
#include "demo/digits.h"
#include "demo/mnist.h"
#include "demo/net.h"
#include "demo/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	SEED = 1,
	EPOCHS = 30,
	BATCH = 32,
	STEPS = EPOCHS * MNIST_TRAIN / BATCH,
};

#define RATE_FIRST 2e-3f

/* How far an image is bent at most: matrix entries off the identity, and pixels. */
#define BEND_MAX 0.18f
#define SHIFT_MAX 2.0f

static float pixel(const float image[DIGITS_PIXELS], int y, int x)
{
	if (y < 0 || y >= DIGITS_SIDE || x < 0 || x >= DIGITS_SIDE)
		return 0;
	return image[y * DIGITS_SIDE + x];
}

/* @image at a point between pixels, bilinear. */
static float sample(const float image[DIGITS_PIXELS], float y, float x)
{
	int iy = (int)floorf(y), ix = (int)floorf(x);
	float fy = y - (float)iy, fx = x - (float)ix;
	float upper = pixel(image, iy, ix) * (1 - fx) + pixel(image, iy, ix + 1) * fx;
	float lower = pixel(image, iy + 1, ix) * (1 - fx) + pixel(image, iy + 1, ix + 1) * fx;

	return upper * (1 - fy) + lower * fy;
}

/* A random affine map near the identity, about the centre. */
static void augment(const float in[DIGITS_PIXELS], float out[DIGITS_PIXELS], uint64_t *random)
{
	const float centre = (DIGITS_SIDE - 1) / 2.0f;
	float yy = 1 + BEND_MAX * random_signed(random), yx = BEND_MAX * random_signed(random);
	float xx = 1 + BEND_MAX * random_signed(random), xy = BEND_MAX * random_signed(random);
	float dy = SHIFT_MAX * random_signed(random), dx = SHIFT_MAX * random_signed(random);

	for (int y = 0; y < DIGITS_SIDE; y++)
		for (int x = 0; x < DIGITS_SIDE; x++) {
			float cy = (float)y - centre, cx = (float)x - centre;

			*out++ = sample(in, yy * cy + yx * cx + dy + centre,
					xy * cy + xx * cx + dx + centre);
		}
}

static void shuffle(int order[MNIST_TRAIN], uint64_t *random)
{
	for (int i = MNIST_TRAIN - 1; i > 0; i--) {
		int j = (int)(random_next(random) % (uint64_t)(i + 1));
		int t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
}

static void train(struct net *net, const struct mnist *set)
{
	static int order[MNIST_TRAIN];
	float image[DIGITS_PIXELS], bent[DIGITS_PIXELS];
	uint64_t random = SEED;
	int step = 0;

	for (int i = 0; i < MNIST_TRAIN; i++)
		order[i] = i;
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		double loss = 0;

		shuffle(order, &random);
		for (int i = 0; i < MNIST_TRAIN; i++) {
			mnist_image(set, order[i], image);
			augment(image, bent, &random);
			loss += net_learn(net, bent, set->label[order[i]]);
			if ((i + 1) % BATCH)
				continue;
			net_step(net, BATCH, RATE_FIRST * (float)(STEPS - step) / STEPS);
			step++;
		}
		printf("epoch %2d of %d: mean loss %.4f\n", epoch + 1, EPOCHS, loss / MNIST_TRAIN);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static struct net net;
	static struct digits_model model;
	struct compile_error err = { 0 };
	struct mnist *set;
	int right;

	if (argc != 2) {
		fprintf(stderr, "usage: train OUTPUT.onnx\n");
		return EXIT_FAILURE;
	}
	set = mnist_load(&err);
	if (!set)
		goto fail;
	net_init(&net, SEED);
	train(&net, set);
	net_export(&net, &model);
	right = mnist_right(set, &model, MNIST_TRAIN, MNIST_COUNT);
	printf("%d of %d unseen digits right (%.2f %%)\n", right, MNIST_COUNT - MNIST_TRAIN,
	       100.0 * right / (MNIST_COUNT - MNIST_TRAIN));
	free(set);
	if (digits_save(&model, argv[1], &err))
		goto fail;
	return EXIT_SUCCESS;
fail:
	fprintf(stderr, "train: %s\n", err.text);
	return EXIT_FAILURE;
}
