// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The demo model's plain forward pass: written to be read, not to be fast.
 * It is the oracle of the exported file, so it shares no code with train.c.
 */
#include "demo/digits.h"

#include <math.h>
#include <string.h>

struct conv_shape {
	int in_channels, in_side, out_channels, out_side, kernel, stride, pad;
};

/*
 * Adds one tap of a kernel: @weight times the input plane, moved by @ky and @kx, onto the output
 * plane. Outside the input is zero.
 */
static void add_tap(const struct conv_shape *s, const float *in, float weight, int ky, int kx,
		    float *out)
{
	for (int oy = 0; oy < s->out_side; oy++) {
		int y = oy * s->stride + ky - s->pad;

		if (y < 0 || y >= s->in_side)
			continue;
		for (int ox = 0; ox < s->out_side; ox++) {
			int x = ox * s->stride + kx - s->pad;

			if (x >= 0 && x < s->in_side)
				out[oy * s->out_side + ox] += weight * in[y * s->in_side + x];
		}
	}
}

static void conv_relu(const struct conv_shape *s, const float *in, const float *weight,
		      const float *bias, float *out)
{
	int in_plane = s->in_side * s->in_side, out_plane = s->out_side * s->out_side;

	for (int co = 0; co < s->out_channels; co++, out += out_plane) {
		for (int i = 0; i < out_plane; i++)
			out[i] = bias[co];
		for (int ci = 0; ci < s->in_channels; ci++)
			for (int ky = 0; ky < s->kernel; ky++)
				for (int kx = 0; kx < s->kernel; kx++)
					add_tap(s, in + ci * in_plane, *weight++, ky, kx, out);
		for (int i = 0; i < out_plane; i++)
			out[i] = fmaxf(out[i], 0);
	}
}

static void max_pool(const float in[CONV2_CHANNELS][CONV_SIDE][CONV_SIDE],
		     float out[CONV2_CHANNELS][POOL_SIDE][POOL_SIDE])
{
	for (int c = 0; c < CONV2_CHANNELS; c++)
		for (int y = 0; y < CONV_SIDE; y++)
			for (int x = 0; x < CONV_SIDE; x++) {
				float *o = &out[c][y / POOL_KERNEL][x / POOL_KERNEL];
				int first = y % POOL_KERNEL == 0 && x % POOL_KERNEL == 0;

				*o = first ? in[c][y][x] : fmaxf(*o, in[c][y][x]);
			}
}

static void softmax(float v[DIGITS_CLASSES])
{
	float top = v[digits_best(v)], sum = 0;

	for (int i = 0; i < DIGITS_CLASSES; i++)
		sum += v[i] = expf(v[i] - top);
	for (int i = 0; i < DIGITS_CLASSES; i++)
		v[i] /= sum;
}

void digits_forward(const struct digits_model *model, const float image[DIGITS_PIXELS],
		    float probability[DIGITS_CLASSES])
{
	static const struct conv_shape conv1 = { 1,	    DIGITS_SIDE,  CONV1_CHANNELS,
						 CONV_SIDE, CONV1_KERNEL, CONV1_STRIDE,
						 CONV1_PAD };
	static const struct conv_shape conv2 = { CONV1_CHANNELS, CONV_SIDE,    CONV2_CHANNELS,
						 CONV_SIDE,	 CONV2_KERNEL, CONV2_STRIDE,
						 CONV2_PAD };
	float a[CONV1_CHANNELS][CONV_SIDE][CONV_SIDE];
	float b[CONV2_CHANNELS][CONV_SIDE][CONV_SIDE];
	float pooled[CONV2_CHANNELS][POOL_SIDE][POOL_SIDE];
	const float *flat = pooled[0][0];

	conv_relu(&conv1, image, model->conv1_weight[0][0][0], model->conv1_bias, a[0][0]);
	conv_relu(&conv2, a[0][0], model->conv2_weight[0][0][0], model->conv2_bias, b[0][0]);
	max_pool(b, pooled);
	for (int i = 0; i < DIGITS_CLASSES; i++) {
		float sum = 0;

		for (int k = 0; k < FC_INPUTS; k++)
			sum += flat[k] * model->fc_weight[i][k];
		probability[i] = sum + model->fc_bias[i];
	}
	softmax(probability);
}

int digits_best(const float probability[DIGITS_CLASSES])
{
	int best = 0;

	for (int i = 1; i < DIGITS_CLASSES; i++)
		if (probability[i] > probability[best])
			best = i;
	return best;
}
