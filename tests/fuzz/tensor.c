// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a tensor file: they are refused with a message, or the tensor holds exactly
 * the bytes that its shape and type say (each is read, so that a sanitizer sees one missing).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tools/tensor_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tensor_data t;
	struct compile_error err = { 0 };
	const uint8_t *data;
	unsigned int sum = 0;

	if (tensor_parse("fuzz", bytes, size, &t, &err)) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	data = t.bytes;
	for (size_t i = 0; i < t.size; i++)
		sum += data[i];
	if (t.size != (size_t)shape_elems(&t.shape) * dtype_size(t.dtype) || sum == ~0u)
		abort();
	tensor_data_free(&t);
	return 0;
}
