/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A model for fuzz targets that read requests for an inference, and what a request is that was
 * taken. */
#ifndef TESTS_FUZZ_INFER_H
#define TESTS_FUZZ_INFER_H

#include <stdlib.h>

#include "service/request.h"

static const struct accel_tensor tensors[] = {
	{ .name = "x", .dtype = ACCEL_F32, .rank = 2, .dim = { 2, 3 }, .bytes = 24 },
	{ .name = "b", .dtype = ACCEL_BOOL, .rank = 0, .bytes = 1 },
	{ .name = "s", .dtype = ACCEL_S8, .rank = 1, .dim = { 2 }, .bytes = 2 },
	{ .name = "y",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_F32,
	  .rank = 1,
	  .dim = { 4 },
	  .bytes = 16 },
};

static const struct signature signature = { { tensors, tensors + 3 }, { 3, 1 } };

/* Each input has all its bytes, and numbers are within their bounds. */
static inline void check_request(const struct infer_request *r)
{
	unsigned int sum = 0;

	for (uint32_t i = 0; i < signature.count[ACCEL_INPUT]; i++)
		for (uint64_t k = 0; k < tensors[i].bytes; k++)
			sum += ((const uint8_t *)r->input[i])[k];
	if (sum > 27 * 255 || r->priority < 1 || r->priority > REQUEST_PRIORITY_MAX ||
	    r->timeout_us > REQUEST_TIMEOUT_MAX_US || r->output[0].classes > REQUEST_CLASSES_MAX)
		abort();
}

/* What was refused is refused for a reason. */
static inline void check_refusal(const struct refusal *why)
{
	if (why->status < 400 || why->status > 599 || !why->text[0])
		abort();
}

#endif
