// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a request: a line, which is the header that says where the JSON ends, and the body.
 * It is refused with a reason, or each input of the model has all its bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/binary.h"
#include "service/request.h"

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
	    r->timeout_us > REQUEST_TIMEOUT_MAX_US || r->output[0].classes > REQUEST_CLASSES_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *line = memchr(bytes, '\n', size);
	struct refusal why = { 0 };
	struct infer_request request;
	const char *body;
	char header[64];
	size_t length, json;
	int rc;

	if (!line || line - bytes >= (ptrdiff_t)sizeof(header))
		return 0;
	memcpy(header, bytes, (size_t)(line - bytes));
	header[line - bytes] = 0;
	body = (const char *)line + 1;
	length = size - (size_t)(line + 1 - bytes);
	rc = binary_split(strcmp(header, "none") ? header : NULL, length, &json, &why);
	if (!rc)
		rc = request_parse(&signature, body, json, body + json, length - json, &request,
				   &why);
	if (rc && (why.status < 400 || why.status > 599 || !why.text[0]))
		abort();
	if (rc)
		return 0;
	check(&request);
	request_fini(&request);
	return 0;
}
