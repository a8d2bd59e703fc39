// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a message of gRPC that asks for an inference. It is refused with a reason, or each
 * input of the model has all its bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "service/grpc_message.h"
#include "tests/fuzz/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct refusal why = { 0 };
	struct infer_request request;
	Inference__InferRequest *message =
		grpc_unpack(&inference__infer_request__descriptor, bytes, size, &why);
	int rc = message ? grpc_parse_infer(&signature, message, &request, &why) : -1;

	if (rc) {
		check_refusal(&why);
	} else {
		check_request(&request);
		if (request.output[0].classes) /* there is no way to ask for them */
			abort();
		request_fini(&request);
	}
	if (message)
		protobuf_c_message_free_unpacked(&message->base, NULL);
	return 0;
}
