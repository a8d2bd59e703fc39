/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The demo model's network while it learns: forward pass, gradient by back
 * propagation, and Adam. Activations lie pixel by pixel, channels innermost,
 * so that the inner loops run over contiguous channels and vectorise without
 * reordering a sum: same source, same bits, whatever the vector width.
 */
#ifndef DEMO_NET_H
#define DEMO_NET_H

#include "demo/digits.h"

enum {
	CONV1_TAPS = CONV1_KERNEL * CONV1_KERNEL,
	CONV2_TAPS = CONV2_KERNEL * CONV2_KERNEL * CONV1_CHANNELS,
};

/* All that is learned; nothing but floats, so that it is one vector too. */
struct net_params {
	float conv1_weight[CONV1_TAPS][CONV1_CHANNELS]; /* tap y, x; out channel */
	float conv1_bias[CONV1_CHANNELS];
	float conv2_weight[CONV2_CHANNELS][CONV2_TAPS]; /* out channel; tap y, x, in channel */
	float conv2_bias[CONV2_CHANNELS];
	float fc_weight[DIGITS_CLASSES][FC_INPUTS]; /* inputs y, x, channel */
	float fc_bias[DIGITS_CLASSES];
};

enum { NET_PARAMS = sizeof(struct net_params) / sizeof(float) };

struct net {
	struct net_params p;
	struct net_params gradient; /* summed over net_learn() calls, cleared by net_step() */
	struct net_params mean, square; /* Adam's moments */
	float mean_left, square_left; /* powers of the moments' decays */
	float conv2_by_tap[CONV2_TAPS][CONV2_CHANNELS]; /* conv2_weight transposed */
};

/* Starts from He's uniform initialisation, drawn from @seed. */
void net_init(struct net *net, unsigned long long seed);

/* Adds the gradient of the cross entropy of one example; returns that loss. */
float net_learn(struct net *net, const float image[DIGITS_PIXELS], int label);

/* One step of Adam along the mean gradient of the last @examples calls of net_learn(). */
void net_step(struct net *net, int examples, float rate);

/* The weights in ONNX's order. */
void net_export(const struct net *net, struct digits_model *model);

#endif
