// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Writes the ten sample digits: `draw DIRECTORY` makes DIRECTORY/digit_0.npy to digit_9.npy. */
#include "demo/strokes.h"
#include "tools/tensor_io.h"

#include <stdio.h>
#include <stdlib.h>

static int save(int digit, const char *directory, struct compile_error *err)
{
	float image[DIGITS_PIXELS];
	struct tensor_data t = {
		.dtype = DTYPE_F32,
		.shape = { 4, { 1, 1, DIGITS_SIDE, DIGITS_SIDE } },
		.bytes = image,
		.size = sizeof(image),
	};
	char path[4096];

	snprintf(path, sizeof(path), "%s/digit_%d.npy", directory, digit);
	strokes_draw(digit, image);
	return tensor_save_npy(path, &t, err);
}

int main(int argc, char **argv)
{
	struct compile_error err = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: draw DIRECTORY\n");
		return EXIT_FAILURE;
	}
	for (int digit = 0; digit < DIGITS_CLASSES; digit++)
		if (save(digit, argv[1], &err)) {
			fprintf(stderr, "draw: %s\n", err.text);
			return EXIT_FAILURE;
		}
	return EXIT_SUCCESS;
}
