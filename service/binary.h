/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The binary tensor extension of the Open Inference Protocol: the header
 * Inference-Header-Content-Length says how long the JSON is, and the bytes of tensors follow it in
 * the order in which the JSON names them.
 */
#ifndef SERVICE_BINARY_H
#define SERVICE_BINARY_H

#include <stddef.h>

#include "accel.h"
#include "service/refusal.h"

#define BINARY_HEADER "Inference-Header-Content-Length"

/*
 * Sets *@json to the size of the JSON in a body of @size bytes. @header is what the header says;
 * NULL: there is none, and all is JSON. 0, or -1 and why.
 */
int binary_split(const char *header, size_t size, size_t *json, struct refusal *why);

/* Binary data of which some is taken. */
struct binary_rest {
	const void *at;
	size_t size;
};

/*
 * Takes the next @claimed bytes of @rest, which are said to be those of @tensor, to *@bytes. 0, or
 * -1 and why.
 */
int binary_take(struct binary_rest *rest, const struct accel_tensor *tensor, u64 claimed,
		const void **bytes, struct refusal *why);

#endif
