// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* PNG, by libpng: see image.h. */
#include "tools/image.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tools/output.h"

enum { CHUNK_MAX = 1 << 20 }; /* bytes of what is not pixels: text, profiles */

/* What libpng's callbacks work on. */
struct reading {
	const u8 *bytes;
	size_t size, at;
	struct image *image;
	png_bytep *rows;
	struct compile_error *err;
	bool no_memory;
};

/* libpng's way to end: behind it are only setjmp() and what @context holds. */
static void on_error(png_structp png, png_const_charp text)
{
	struct reading *r = png_get_error_ptr(png);

	compile_fail(r->err, r->no_memory ? -ENOMEM : -EINVAL, "%s: %s",
		     r->no_memory ? "PNG" : "damaged PNG", text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void take_bytes(png_structp png, png_bytep to, size_t length)
{
	struct reading *r = png_get_io_ptr(png);

	if (length > r->size - r->at)
		png_error(png, "it ends too early");
	memcpy(to, r->bytes + r->at, length);
	r->at += length;
}

/* Whatever there is becomes RGB of 8 bits, transparent pixels on black. */
static void ask_for_rgb(png_structp png, png_infop info)
{
	const png_color_16 black = { 0 };

	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	if (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA ||
	    png_get_valid(png, info, PNG_INFO_tRNS))
		png_set_background(png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1);
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
}

static void read_pixels(png_structp png, png_infop info, struct reading *r)
{
	u32 width, height, y;

	png_read_info(png, info);
	width = png_get_image_width(png, info);
	height = png_get_image_height(png, info);
	if (image_alloc(r->image, width, height, r->err))
		png_longjmp(png, 1);
	ask_for_rgb(png, info);
	if (png_get_rowbytes(png, info) != (size_t)width * IMAGE_CHANNELS)
		png_error(png, "its pixels are of a form that is not known");
	r->rows = malloc(height * sizeof(*r->rows));
	if (!r->rows) {
		r->no_memory = true;
		png_error(png, "no memory");
	}
	for (y = 0; y < height; y++)
		r->rows[y] = r->image->rgb + (size_t)y * width * IMAGE_CHANNELS;
	png_read_image(png, r->rows);
	png_read_end(png, NULL);
}

int image_parse_png(const void *bytes, size_t size, struct image *out, struct compile_error *err)
{
	struct reading r = { .bytes = bytes, .size = size, .image = out, .err = err };
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_read_struct(&png, NULL, NULL);
		return compile_fail(err, -ENOMEM, "no memory");
	}
	png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* image_alloc() has ours */
	png_set_chunk_malloc_max(png, CHUNK_MAX);
	png_set_chunk_cache_max(png, 32);
	png_set_read_fn(png, &r, take_bytes);
	if (!setjmp(png_jmpbuf(png)))
		read_pixels(png, info, &r);
	png_destroy_read_struct(&png, &info, NULL);
	free(r.rows);
	return err->code;
}

/* ---- Writing -------------------------------------------------------------------------------- */

int image_write_png(const char *path, const u8 *pixels, u32 width, u32 height, int channels,
		    struct compile_error *err)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = width,
		.height = height,
		.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
	};
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	void *bytes = malloc(size);
	struct output_part part = { bytes, 0 };
	int rc;

	if (!bytes || !png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, NULL)) {
		rc = compile_fail(err, bytes ? -EINVAL : -ENOMEM, "%s",
				  bytes ? image.message : "no memory");
		compile_error_prefix(err, path);
	} else {
		part.size = size;
		rc = output_write(path, &part, 1, err);
	}
	png_image_free(&image);
	free(bytes);
	return rc;
}
