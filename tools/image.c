// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/image.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/file_kind.h"

#ifndef HAVE_PNG
int image_parse_png(const void *bytes, size_t size, struct image *out, struct compile_error *err)
{
	(void)bytes, (void)size, (void)out;
	return compile_fail(err, -ENOTSUP, "this rondo was built without libpng (libpng-dev)");
}

int image_write_png(const char *path, const u8 *pixels, u32 width, u32 height, int channels,
		    struct compile_error *err)
{
	(void)pixels, (void)width, (void)height, (void)channels;
	compile_fail(err, -ENOTSUP, "this rondo was built without libpng (libpng-dev)");
	compile_error_prefix(err, path);
	return -ENOTSUP;
}
#endif

#ifndef HAVE_JPEG
int image_parse_jpeg(const void *bytes, size_t size, struct image *out, struct compile_error *err)
{
	(void)bytes, (void)size, (void)out;
	return compile_fail(err, -ENOTSUP,
			    "this rondo was built without libjpeg-turbo (libjpeg-dev)");
}
#endif

int image_alloc(struct image *image, u32 width, u32 height, struct compile_error *err)
{
	u64 pixels = (u64)width * height;

	if (!pixels)
		return compile_fail(err, -EINVAL, "an image of %u x %u pixels", width, height);
	if (pixels > IMAGE_PIXELS_MAX)
		return compile_fail(err, -EFBIG, "%u x %u pixels, the limit is %d in all", width,
				    height, IMAGE_PIXELS_MAX);
	if (width > IMAGE_SIDE_MAX || height > IMAGE_SIDE_MAX)
		return compile_fail(err, -EFBIG, "%u x %u pixels, the limit of a side is %d", width,
				    height, IMAGE_SIDE_MAX);
	image->rgb = malloc(pixels * IMAGE_CHANNELS);
	if (!image->rgb)
		return compile_fail(err, -ENOMEM, "no memory for %llu pixels",
				    (unsigned long long)pixels);
	image->width = width;
	image->height = height;
	return 0;
}

void image_free(struct image *image)
{
	free(image->rgb);
	*image = (struct image){};
}

int image_parse(const char *name, const void *bytes, size_t size, struct image *out,
		struct compile_error *err)
{
	struct image image = {};
	int rc;

	if (size > IMAGE_FILE_MAX)
		rc = compile_fail(err, -EFBIG, "%zu bytes, the limit of images is %d", size,
				  IMAGE_FILE_MAX);
	else if (file_kind(bytes, size) == FILE_PNG)
		rc = image_parse_png(bytes, size, &image, err);
	else if (file_kind(bytes, size) == FILE_JPEG)
		rc = image_parse_jpeg(bytes, size, &image, err);
	else
		rc = compile_fail(err, -ENOTSUP, "it is %s; PNG and JPEG images are read",
				  file_kind_name(bytes, size));
	if (rc) {
		image_free(&image);
		compile_error_prefix(err, name);
		return rc;
	}
	*out = image;
	return 0;
}
