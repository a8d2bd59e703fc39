// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as an image: they are refused with a message, or the image has all the pixels that its
 * size says (each is read, so that a sanitizer sees one that is not set).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tools/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct compile_error err = { 0 };
	struct image image;
	unsigned int sum = 0;

	if (image_parse("fuzz", bytes, size, &image, &err)) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < (size_t)image.width * image.height * IMAGE_CHANNELS; i++)
		sum += image.rgb[i];
	if (!image.width || !image.height || sum == ~0u)
		abort();
	image_free(&image);
	return 0;
}
