// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a request: a line, which is the header that says where the JSON ends, and the body.
 * It is refused with a reason, or each input of the model has all its bytes.
 */
#include <stdint.h>
#include <string.h>

#include "service/binary.h"
#include "tests/fuzz/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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
	if (rc) {
		check_refusal(&why);
		return 0;
	}
	check_request(&request);
	request_fini(&request);
	return 0;
}
