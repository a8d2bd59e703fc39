/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Images in files: PNG and JPEG are read, PNG is written, by libpng and libjpeg-turbo. A build
 * without one of them refuses its files, and says which library is missing.
 *
 * Any bytes are legal input. What is damaged is refused with a message `file: what is wrong`: half
 * an image is no image. Time and memory are bounded by IMAGE_*_MAX, before they are spent; with the
 * file itself it is less than 256 MiB. Functions return 0 or the negative errno that is also in
 * @err (compiler/diag.h). No global state.
 */
#ifndef TOOLS_IMAGE_H
#define TOOLS_IMAGE_H

#include "compiler/diag.h"
#include "spec/env.h"

enum {
	IMAGE_PIXELS_MAX = 32 << 20,
	IMAGE_SIDE_MAX = 65535, /* pixels: as much as a JPEG can have */
	IMAGE_FILE_MAX = 48 << 20, /* bytes */
	IMAGE_DECODER_MAX = 80 << 20, /* bytes that a decoder may take besides the pixels */
	IMAGE_WORK_MAX = 320 << 20, /* pixels times the scans of a progressive JPEG */
	IMAGE_CHANNELS = 3,
};

struct image {
	u32 width, height;
	u8 *rgb; /* IMAGE_CHANNELS bytes a pixel, row by row; from malloc() */
};

/*
 * Reads the image in @bytes; @name stands for the file in messages. Transparent pixels lie on
 * black, grey ones have three equal channels, of 16 bits the high ones count, and a JPEG is turned
 * as its EXIF data say. The caller frees *@out with image_free(); on error *@out is untouched.
 */
int image_parse(const char *name, const void *bytes, size_t size, struct image *out,
		struct compile_error *err);

void image_free(struct image *image);

/*
 * Writes @width x @height pixels of @channels bytes (1: grey, 3: RGB) as PNG, whole or not at all:
 * tools/output.h.
 */
int image_write_png(const char *path, const u8 *pixels, u32 width, u32 height, int channels,
		    struct compile_error *err);

/* ---- For image_png.c and image_jpeg.c ------------------------------------------------------- */

/* Both are given messages without the file's name. */
int image_parse_png(const void *bytes, size_t size, struct image *out, struct compile_error *err);
int image_parse_jpeg(const void *bytes, size_t size, struct image *out, struct compile_error *err);

/* Compares the size with the limits and allocates the pixels. */
int image_alloc(struct image *image, u32 width, u32 height, struct compile_error *err);

#endif
