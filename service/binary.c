// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/binary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int binary_split(const char *header, size_t size, size_t *json, struct refusal *why)
{
	unsigned long long length;

	*json = size;
	if (!header)
		return 0;
	if (!*header || header[strspn(header, "0123456789")] || strlen(header) > 18)
		return refuse(why, 400,
			      BINARY_HEADER " is \"%.40s\"; it is to be a number of bytes", header);
	length = strtoull(header, NULL, 10);
	if (length > size)
		return refuse(why, 400, BINARY_HEADER " is %llu, but the body has %zu bytes",
			      length, size);
	*json = (size_t)length;
	return 0;
}

int binary_take(struct binary_rest *rest, const struct accel_tensor *tensor, u64 claimed,
		const void **bytes, struct refusal *why)
{
	if (claimed != tensor->bytes)
		return refuse(why, 400,
			      "input \"%.100s\": binary_data_size is %" PRIu64
			      ", but its type and shape make %" PRIu64 " bytes",
			      tensor->name, claimed, tensor->bytes);
	if (claimed > rest->size)
		return refuse(why, 400,
			      "input \"%.100s\": the body has %zu of the %" PRIu64
			      " bytes of its binary data",
			      tensor->name, rest->size, claimed);
	*bytes = rest->at;
	rest->at = (const char *)rest->at + claimed;
	rest->size -= (size_t)claimed;
	return 0;
}
