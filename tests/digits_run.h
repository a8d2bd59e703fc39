/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Digit classifiers on a device: an ONNX model is compiled and has a session; MNIST's digits go
 * through it.
 */
#ifndef TESTS_DIGITS_RUN_H
#define TESTS_DIGITS_RUN_H

#include <accel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "core/machine.h"
#include "demo/mnist.h"

static const char *digits_device = "emu"; /* for accel_open() */

struct digits_run {
	struct accel_device *device;
	struct accel_model *model;
	struct accel_session *session;
	float *image; /* 28 x 28, where the device reads it */
	float *score; /* of the ten classes, where the device writes them */
};

/* The .rnd file of the ONNX model @path, for free(); NULL after a message. */
static inline void *digits_compile(const char *path, u64 *size)
{
	struct compile_error err = {};
	struct rondo_machine machine;
	struct compiled compiled;
	struct graph *graph;
	void *bytes;
	size_t length;
	int ret;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	ret = compile_read_file(path, &bytes, &length, &err);
	if (!ret) {
		ret = compile_graph_from_onnx(bytes, length, path, NULL, &graph, &err);
		free(bytes);
	}
	if (!ret) {
		ret = backend_compile(graph, &machine, NULL, &compiled);
		graph_free(graph);
	}
	if (ret) {
		fprintf(stderr, "%s\n", err.text);
		return NULL;
	}
	*size = compiled.size;
	return compiled.file;
}

static inline void digits_run_fini(struct digits_run *r)
{
	accel_session_destroy(r->session);
	accel_model_destroy(r->model);
	accel_close(r->device);
}

/* Compiles @path and prepares a session; false after a message. */
static inline bool digits_run_init(struct digits_run *r, const char *path)
{
	struct accel_error error = {};
	void *file, *image, *score;
	u64 size, image_bytes = 0, score_bytes = 0;
	int ret;

	*r = (struct digits_run){};
	file = digits_compile(path, &size);
	if (!file)
		return false;
	ret = accel_model_parse(file, size, &r->model, &error);
	free(file);
	if (!ret)
		ret = accel_open(digits_device, &r->device);
	if (!ret)
		ret = accel_session_create(r->device, r->model, &r->session, &error);
	if (!ret)
		ret = accel_session_tensor(r->session, ACCEL_INPUT, 0, &image, &image_bytes);
	if (!ret)
		ret = accel_session_tensor(r->session, ACCEL_OUTPUT, 0, &score, &score_bytes);
	if (ret || image_bytes != DIGITS_PIXELS * sizeof(float) ||
	    score_bytes != DIGITS_CLASSES * sizeof(float)) {
		fprintf(stderr, "%s: %s %s\n", path, strerror(-ret), error.text);
		digits_run_fini(r);
		return false;
	}
	r->image = image;
	r->score = score;
	return true;
}

/* Runs what stands at r->image; the class of the highest score, negative if the run failed. */
static inline int digits_run_once(struct digits_run *r)
{
	int best = 0, i, ret;

	ret = accel_session_start(r->session);
	if (!ret)
		ret = accel_session_wait(r->session, ACCEL_FOREVER);
	if (ret)
		return ret;
	for (i = 1; i < DIGITS_CLASSES; i++)
		if (r->score[i] > r->score[best])
			best = i;
	return best;
}

/*
 * How many of the digits [first, end) of @set are classified right, when pixel p of 0..255 becomes
 * (p - @mean) * @scale.
 */
static inline int digits_run_right(struct digits_run *r, const struct mnist *set, int first,
				   int end, float mean, float scale)
{
	int right = 0, i, p;

	for (i = first; i < end; i++) {
		for (p = 0; p < DIGITS_PIXELS; p++)
			r->image[p] = (set->image[i][p] - mean) * scale;
		right += digits_run_once(r) == set->label[i];
	}
	return right;
}

#endif
