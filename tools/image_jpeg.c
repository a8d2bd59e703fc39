// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* JPEG, by libjpeg-turbo: see image.h. */
#include "tools/image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h> /* which jpeglib.h needs */
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

struct reading {
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf end;
	struct compile_error *err;
};

static struct reading *reading_of(j_common_ptr jpeg)
{
	return (struct reading *)jpeg->err; /* its first member */
}

_Noreturn static void refuse(j_common_ptr jpeg, int code, const char *what)
{
	struct reading *r = reading_of(jpeg);

	compile_fail(r->err, code, "%s", what);
	longjmp(r->end, 1);
}

/* libjpeg's way to end: behind it are only setjmp() and what @jpeg holds. */
static void on_error(j_common_ptr jpeg)
{
	struct reading *r = reading_of(jpeg);
	char text[JMSG_LENGTH_MAX];

	if (r->errors.msg_code == JERR_OUT_OF_MEMORY || r->errors.msg_code == JERR_NO_BACKING_STORE)
		refuse(jpeg, -ENOMEM, "it takes more memory to decode than there is for it");
	r->errors.format_message(jpeg, text);
	compile_fail(r->err, -EINVAL, "damaged JPEG: %s", text);
	longjmp(r->end, 1);
}

/* What libjpeg would make up for by guessing is an error, too. */
static void on_message(j_common_ptr jpeg, int level)
{
	if (level < 0)
		on_error(jpeg);
}

/* A small file may have many scans, each of which goes through all pixels. */
static void on_progress(j_common_ptr common)
{
	j_decompress_ptr jpeg = (j_decompress_ptr)common;

	if ((u64)jpeg->image_width * jpeg->image_height * (u64)jpeg->input_scan_number >
	    IMAGE_WORK_MAX)
		refuse(common, -EFBIG, "too many scans for its size");
}

static void read_pixels(j_decompress_ptr jpeg, struct image *out)
{
	struct reading *r = reading_of((j_common_ptr)jpeg);

	jpeg_read_header(jpeg, TRUE);
	if (jpeg->num_components != 1 && jpeg->num_components != IMAGE_CHANNELS)
		refuse((j_common_ptr)jpeg, -ENOTSUP,
		       "a JPEG of four colours (CMYK); grey and RGB ones are read");
	if (jpeg->jpeg_color_space == JCS_UNKNOWN)
		refuse((j_common_ptr)jpeg, -ENOTSUP, "a JPEG of colours that are not known");
	if (image_alloc(out, jpeg->image_width, jpeg->image_height, r->err))
		longjmp(r->end, 1);
	jpeg->out_color_space = JCS_RGB;
	jpeg_start_decompress(jpeg);
	while (jpeg->output_scanline < jpeg->output_height) {
		JSAMPROW row =
			out->rgb + (size_t)jpeg->output_scanline * out->width * IMAGE_CHANNELS;

		jpeg_read_scanlines(jpeg, &row, 1);
	}
	jpeg_finish_decompress(jpeg);
}

int image_parse_jpeg(const void *bytes, size_t size, struct image *out, struct compile_error *err)
{
	struct reading r = { .err = err, .progress.progress_monitor = on_progress };
	struct jpeg_decompress_struct jpeg = { .err = jpeg_std_error(&r.errors) };

	r.errors.error_exit = on_error;
	r.errors.emit_message = on_message;
	if (!setjmp(r.end)) {
		jpeg_create_decompress(&jpeg);
		jpeg.progress = &r.progress;
		jpeg.mem->max_memory_to_use = IMAGE_DECODER_MAX;
		jpeg_mem_src(&jpeg, bytes, size);
		read_pixels(&jpeg, out);
	}
	jpeg_destroy_decompress(&jpeg);
	return err->code;
}
