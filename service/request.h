/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A request to infer, as the Open Inference Protocol has it: JSON, and behind it the bytes of those
 * inputs that are not in the JSON. Pure functions: any bytes are legal input.
 */
#ifndef SERVICE_REQUEST_H
#define SERVICE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "accel.h"
#include "service/refusal.h"

enum {
	REQUEST_ID_MAX = 256, /* characters */
	REQUEST_PRIORITY_MAX = 100, /* 1 comes first */
	REQUEST_PRIORITY_DEFAULT = 50,
	REQUEST_CLASSES_MAX = 100,
};

/* A timeout that is longer than this (a day) is as good as none. */
#define REQUEST_TIMEOUT_MAX_US UINT64_C(86400000000)

/* What a model takes and gives. */
struct signature {
	const struct accel_tensor *tensor[2]; /* by enum accel_kind */
	u32 count[2];
};

/* How an output is to be answered. */
struct wanted_output {
	bool wanted, binary;
	u32 classes; /* the best ones instead of the tensor; 0: the tensor */
};

struct infer_request {
	char id[REQUEST_ID_MAX + 1]; /* empty: none */
	u64 timeout_us; /* 0: none */
	u32 priority;
	const void **input; /* the bytes of each input of the model */
	struct wanted_output *output; /* of each output of the model */
	void *store; /* the bytes of inputs that were in the JSON */
};

/*
 * Reads a request whose JSON is the @json_size bytes at @json, and whose binary data the
 * @binary_size bytes at @binary, which must outlive it. 0, and it is for request_fini(); or -1 and
 * why.
 */
int request_parse(const struct signature *model, const void *json, size_t json_size,
		  const void *binary, size_t binary_size, struct infer_request *request,
		  struct refusal *why);
void request_fini(struct infer_request *request);

#endif
