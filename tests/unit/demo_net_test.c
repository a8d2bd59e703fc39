// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The trainer's network: its loss is that of the plain forward pass on the exported weights, and
 * its gradient that of finite differences.
 */
#include "demo/net.h"
#include "demo/strokes.h"
#include "tests/tap.h"

#include <math.h>

/* Big enough over the rounding of the loss (1e-7), small enough over its curvature and kinks. */
#define STEP 1e-3f

enum { LABEL = 5 };

static struct net net;
static float image[DIGITS_PIXELS];

/*
 * Biases start at zero, and on empty paper that is exactly where ReLU has no derivative: moves them
 * away, by more than STEP.
 */
static void leave_kinks(void)
{
	for (int c = 0; c < CONV1_CHANNELS; c++)
		net.p.conv1_bias[c] = c % 2 ? 0.1f : -0.1f;
	for (int c = 0; c < CONV2_CHANNELS; c++)
		net.p.conv2_bias[c] = c % 2 ? 0.2f : -0.2f;
	net_step(&net, 1, 0);
}

/* The loss, with parameter @index moved by @by; clears the gradient. */
static double loss_at(size_t index, float by)
{
	float *p = (float *)&net.p + index, before = *p;
	double loss;

	*p += by;
	net_step(&net, 1, 0); /* a step of no length only brings the copies up to date */
	loss = (double)net_learn(&net, image, LABEL);
	*p = before;
	net_step(&net, 1, 0);
	return loss;
}

/* Compares at the parameter of the block whose gradient is largest, and so clearest. */
static void test_gradient(const char *name, size_t offset, size_t size)
{
	const float *gradient = (const float *)&net.gradient;
	size_t first = offset / sizeof(float), best = first;
	double analytic, numeric;

	net_learn(&net, image, LABEL);
	for (size_t i = first; i < first + size / sizeof(float); i++)
		if (fabsf(gradient[i]) > fabsf(gradient[best]))
			best = i;
	analytic = (double)gradient[best];
	net_step(&net, 1, 0);
	numeric = (loss_at(best, STEP) - loss_at(best, -STEP)) / (2 * (double)STEP);
	if (!tap_ok(fabs(analytic) > 0.02 && fabs(analytic - numeric) < 0.02 * fabs(analytic),
		    "gradient of %s", name))
		printf("# %g, by differences %g\n", analytic, numeric);
}

static void test_forward(void)
{
	static struct digits_model model;
	float probability[DIGITS_CLASSES];
	double loss = (double)net_learn(&net, image, LABEL);

	net_step(&net, 1, 0);
	net_export(&net, &model);
	digits_forward(&model, image, probability);
	if (!tap_ok(fabs(loss + log((double)probability[LABEL])) < 1e-5,
		    "the loss is that of the exported weights"))
		printf("# %g and %g\n", loss, -log((double)probability[LABEL]));
}

/* Repeated steps on one example learn it, and the same seed learns the same. */
static void test_learning(void)
{
	static struct net again;
	double loss = 0;

	net_init(&again, 1);
	net_init(&net, 1);
	for (int i = 0; i < 20; i++) {
		loss = (double)net_learn(&net, image, LABEL);
		net_learn(&again, image, LABEL);
		net_step(&net, 1, 2e-3f);
		net_step(&again, 1, 2e-3f);
	}
	if (!tap_ok(loss < 0.01, "one example is learnt"))
		printf("# the loss is still %g\n", loss);
	tap_ok(!memcmp(&net, &again, sizeof(net)), "twice the same");
	net_init(&again, 2);
	tap_ok(memcmp(&net.p, &again.p, sizeof(net.p)), "another seed is another start");
}

#define BLOCK(field) #field, offsetof(struct net_params, field), sizeof(net.p.field)

int main(void)
{
	strokes_draw(LABEL, image);
	net_init(&net, 1);
	leave_kinks();
	test_forward();
	test_gradient(BLOCK(conv1_weight));
	test_gradient(BLOCK(conv1_bias));
	test_gradient(BLOCK(conv2_weight));
	test_gradient(BLOCK(conv2_bias));
	test_gradient(BLOCK(fc_weight));
	test_gradient(BLOCK(fc_bias));
	test_learning();
	return tap_done();
}
