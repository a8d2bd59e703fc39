// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a message of gRPC that asks for an inference. It is refused with a reason, or each
 * input of the model has all its bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/grpc_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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

static void check(const struct infer_request *r)
{
	unsigned int sum = 0;

	for (uint32_t i = 0; i < signature.count[ACCEL_INPUT]; i++)
		for (uint64_t k = 0; k < tensors[i].bytes; k++)
			sum += ((const uint8_t *)r->input[i])[k];
	if (sum > 27 * 255 || r->priority < 1 || r->priority > REQUEST_PRIORITY_MAX ||
	    r->timeout_us > REQUEST_TIMEOUT_MAX_US || r->output[0].classes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct refusal why = { 0 };
	struct infer_request request;
	Inference__InferRequest *message =
		grpc_unpack(&inference__infer_request__descriptor, bytes, size, &why);
	int rc = message ? grpc_parse_infer(&signature, message, &request, &why) : -1;

	if (rc && (why.status < 400 || why.status > 599 || !why.text[0]))
		abort();
	if (!rc) {
		check(&request);
		request_fini(&request);
	}
	if (message)
		protobuf_c_message_free_unpacked(&message->base, NULL);
	return 0;
}
