// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Training of the demo model. One example at a time; gradients are summed over a batch. */
#include "demo/net.h"
#include "demo/random.h"

#include <math.h>
#include <string.h>

/* Adam's usual constants (Kingma and Ba, 2015). */
#define ADAM_MEAN_DECAY 0.9f
#define ADAM_SQUARE_DECAY 0.999f
#define ADAM_EPSILON 1e-8f

enum {
	IMAGE_PADDED = DIGITS_SIDE + 2 * CONV1_PAD,
	CONV1_PADDED = CONV_SIDE + 2 * CONV2_PAD,
	CONV2_ROW = CONV2_KERNEL * CONV1_CHANNELS, /* contiguous taps of one kernel row */
};

/* The activations of one example, or the loss's derivatives by them; borders stay zero. */
struct activations {
	float image[IMAGE_PADDED][IMAGE_PADDED];
	float conv1[CONV1_PADDED][CONV1_PADDED][CONV1_CHANNELS];
	float conv2[CONV_SIDE][CONV_SIDE][CONV2_CHANNELS];
	float pool[POOL_SIDE][POOL_SIDE][CONV2_CHANNELS];
	float out[DIGITS_CLASSES];
};

static void fill_uniform(float *weight, int count, int fan_in, uint64_t *random)
{
	float limit = sqrtf(6.0f / (float)fan_in);

	for (int i = 0; i < count; i++)
		weight[i] = limit * random_signed(random);
}

static void transpose_conv2(struct net *net)
{
	for (int t = 0; t < CONV2_TAPS; t++)
		for (int c = 0; c < CONV2_CHANNELS; c++)
			net->conv2_by_tap[t][c] = net->p.conv2_weight[c][t];
}

void net_init(struct net *net, unsigned long long seed)
{
	uint64_t random = seed;
	struct net_params *p = &net->p;

	memset(net, 0, sizeof(*net));
	net->mean_left = net->square_left = 1;
	fill_uniform(p->conv1_weight[0], CONV1_TAPS * CONV1_CHANNELS, CONV1_TAPS, &random);
	fill_uniform(p->conv2_weight[0], CONV2_CHANNELS * CONV2_TAPS, CONV2_TAPS, &random);
	fill_uniform(p->fc_weight[0], DIGITS_CLASSES * FC_INPUTS, FC_INPUTS, &random);
	transpose_conv2(net);
}

static void conv1_forward(const struct net_params *p, struct activations *a, int y, int x)
{
	float sum[CONV1_CHANNELS];

	memcpy(sum, p->conv1_bias, sizeof(sum));
	for (int t = 0; t < CONV1_TAPS; t++) {
		float v = a->image[y * CONV1_STRIDE + t / CONV1_KERNEL]
				  [x * CONV1_STRIDE + t % CONV1_KERNEL];

		for (int c = 0; c < CONV1_CHANNELS; c++)
			sum[c] += v * p->conv1_weight[t][c];
	}
	for (int c = 0; c < CONV1_CHANNELS; c++)
		a->conv1[y + CONV2_PAD][x + CONV2_PAD][c] = sum[c] > 0 ? sum[c] : 0;
}

static void conv2_forward(const struct net *net, struct activations *a, int y, int x)
{
	float sum[CONV2_CHANNELS];

	memcpy(sum, net->p.conv2_bias, sizeof(sum));
	for (int ky = 0; ky < CONV2_KERNEL; ky++) {
		const float *in = a->conv1[y + ky][x];

		for (int t = 0; t < CONV2_ROW; t++)
			for (int c = 0; c < CONV2_CHANNELS; c++)
				sum[c] += in[t] * net->conv2_by_tap[ky * CONV2_ROW + t][c];
	}
	for (int c = 0; c < CONV2_CHANNELS; c++) {
		float v = sum[c] > 0 ? sum[c] : 0;
		float *top = &a->pool[y / POOL_KERNEL][x / POOL_KERNEL][c];

		a->conv2[y][x][c] = v;
		*top = v > *top ? v : *top;
	}
}

static void fc_forward(const struct net_params *p, struct activations *a)
{
	const float *in = a->pool[0][0];

	for (int i = 0; i < DIGITS_CLASSES; i++) {
		float sum = p->fc_bias[i];

		for (int k = 0; k < FC_INPUTS; k++)
			sum += in[k] * p->fc_weight[i][k];
		a->out[i] = sum;
	}
}

static void forward(const struct net *net, struct activations *a, const float *image)
{
	memset(a, 0, sizeof(*a));
	for (int y = 0; y < DIGITS_SIDE; y++)
		memcpy(&a->image[y + CONV1_PAD][CONV1_PAD], image + y * DIGITS_SIDE,
		       DIGITS_SIDE * sizeof(float));
	for (int y = 0; y < CONV_SIDE; y++)
		for (int x = 0; x < CONV_SIDE; x++)
			conv1_forward(&net->p, a, y, x);
	for (int y = 0; y < CONV_SIDE; y++)
		for (int x = 0; x < CONV_SIDE; x++)
			conv2_forward(net, a, y, x);
	fc_forward(&net->p, a);
}

/* Softmax and cross entropy: leaves the derivatives by the outputs in @d; returns the loss. */
static float loss_backward(const struct activations *a, struct activations *d, int label)
{
	float top = a->out[digits_best(a->out)], sum = 0;

	for (int i = 0; i < DIGITS_CLASSES; i++)
		sum += d->out[i] = expf(a->out[i] - top);
	for (int i = 0; i < DIGITS_CLASSES; i++)
		d->out[i] = d->out[i] / sum - (float)(i == label);
	return top - a->out[label] + logf(sum);
}

static void fc_backward(const struct net_params *p, struct net_params *g,
			const struct activations *a, struct activations *d)
{
	const float *in = a->pool[0][0];
	float *d_in = d->pool[0][0];

	for (int i = 0; i < DIGITS_CLASSES; i++) {
		float delta = d->out[i];

		g->fc_bias[i] += delta;
		for (int k = 0; k < FC_INPUTS; k++) {
			g->fc_weight[i][k] += delta * in[k];
			d_in[k] += delta * p->fc_weight[i][k];
		}
	}
}

/* Channel @c of conv2 at @y, @x: its weights' gradient, and its part of conv1's. */
static void conv2_backward_at(const struct net_params *p, struct net_params *g,
			      const struct activations *a, struct activations *d, int y, int x,
			      int c, float delta)
{
	g->conv2_bias[c] += delta;
	for (int ky = 0; ky < CONV2_KERNEL; ky++) {
		const float *in = a->conv1[y + ky][x];
		const float *weight = &p->conv2_weight[c][ky * CONV2_ROW];
		float *d_in = d->conv1[y + ky][x];
		float *d_weight = &g->conv2_weight[c][ky * CONV2_ROW];

		for (int t = 0; t < CONV2_ROW; t++) {
			d_weight[t] += delta * in[t];
			d_in[t] += delta * weight[t];
		}
	}
}

/* Only the first largest of each pooled square has a derivative: a quarter of them at most. */
static void conv2_backward(const struct net_params *p, struct net_params *g,
			   const struct activations *a, struct activations *d)
{
	for (int y = 0; y < CONV_SIDE; y++)
		for (int x = 0; x < CONV_SIDE; x++)
			for (int c = 0; c < CONV2_CHANNELS; c++) {
				int py = y / POOL_KERNEL, px = x / POOL_KERNEL;
				float v = a->conv2[y][x][c];
				float delta = d->pool[py][px][c];

				if (v <= 0 || v < a->pool[py][px][c] || delta == 0)
					continue;
				d->pool[py][px][c] = 0;
				conv2_backward_at(p, g, a, d, y, x, c, delta);
			}
}

static void conv1_backward_at(struct net_params *g, const struct activations *a,
			      const struct activations *d, int y, int x)
{
	const float *out = a->conv1[y + CONV2_PAD][x + CONV2_PAD];
	float delta[CONV1_CHANNELS];

	for (int c = 0; c < CONV1_CHANNELS; c++) {
		delta[c] = out[c] > 0 ? d->conv1[y + CONV2_PAD][x + CONV2_PAD][c] : 0;
		g->conv1_bias[c] += delta[c];
	}
	for (int t = 0; t < CONV1_TAPS; t++) {
		float v = a->image[y * CONV1_STRIDE + t / CONV1_KERNEL]
				  [x * CONV1_STRIDE + t % CONV1_KERNEL];

		for (int c = 0; c < CONV1_CHANNELS; c++)
			g->conv1_weight[t][c] += v * delta[c];
	}
}

float net_learn(struct net *net, const float image[DIGITS_PIXELS], int label)
{
	static struct activations a, d;
	float loss;

	forward(net, &a, image);
	memset(&d, 0, sizeof(d));
	loss = loss_backward(&a, &d, label);
	fc_backward(&net->p, &net->gradient, &a, &d);
	conv2_backward(&net->p, &net->gradient, &a, &d);
	for (int y = 0; y < CONV_SIDE; y++)
		for (int x = 0; x < CONV_SIDE; x++)
			conv1_backward_at(&net->gradient, &a, &d, y, x);
	return loss;
}

void net_step(struct net *net, int examples, float rate)
{
	float *p = (float *)&net->p, *g = (float *)&net->gradient;
	float *mean = (float *)&net->mean, *square = (float *)&net->square;
	float scale = 1.0f / (float)examples;

	net->mean_left *= ADAM_MEAN_DECAY;
	net->square_left *= ADAM_SQUARE_DECAY;
	for (int i = 0; i < NET_PARAMS; i++) {
		float v = g[i] * scale;

		mean[i] += (1 - ADAM_MEAN_DECAY) * (v - mean[i]);
		square[i] += (1 - ADAM_SQUARE_DECAY) * (v * v - square[i]);
		p[i] -= rate * (mean[i] / (1 - net->mean_left)) /
			(sqrtf(square[i] / (1 - net->square_left)) + ADAM_EPSILON);
		g[i] = 0;
	}
	transpose_conv2(net);
}

static void export_conv2(const struct net_params *p, struct digits_model *model)
{
	for (int co = 0; co < CONV2_CHANNELS; co++)
		for (int ci = 0; ci < CONV1_CHANNELS; ci++)
			for (int ky = 0; ky < CONV2_KERNEL; ky++)
				for (int kx = 0; kx < CONV2_KERNEL; kx++)
					model->conv2_weight[co][ci][ky][kx] =
						p->conv2_weight[co][ky * CONV2_ROW +
								    kx * CONV1_CHANNELS + ci];
}

void net_export(const struct net *net, struct digits_model *model)
{
	const struct net_params *p = &net->p;
	enum { POOLED = POOL_SIDE * POOL_SIDE };

	for (int c = 0; c < CONV1_CHANNELS; c++)
		for (int t = 0; t < CONV1_TAPS; t++)
			model->conv1_weight[c][0][t / CONV1_KERNEL][t % CONV1_KERNEL] =
				p->conv1_weight[t][c];
	export_conv2(p, model);
	for (int i = 0; i < DIGITS_CLASSES; i++)
		for (int c = 0; c < CONV2_CHANNELS; c++)
			for (int k = 0; k < POOLED; k++)
				model->fc_weight[i][c * POOLED + k] =
					p->fc_weight[i][k * CONV2_CHANNELS + c];
	memcpy(model->conv1_bias, p->conv1_bias, sizeof(p->conv1_bias));
	memcpy(model->conv2_bias, p->conv2_bias, sizeof(p->conv2_bias));
	memcpy(model->fc_bias, p->fc_bias, sizeof(p->fc_bias));
}
